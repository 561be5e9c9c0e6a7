//! Montages made in pieces: an edited montage makes only what is new, several executors make one montage, what a killed
//! executor had finished is used again, and plans are answered while everybody is at work.

use contracts::job::{AttemptOutcome, Job, JobState};
use counter_video::{CounterVideo, Mark, read_marks};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use crate::videos;

/// Longest wait. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(120);

fn write(stack: &Stack, name: &str, video: &CounterVideo) {
    video.write(&stack.directory("media").join(name)).unwrap();
}

/// A clip by frames of its source.
fn clip(source: Value, first: u16, frames: u16) -> Value {
    json!({ "source": source, "start": format!("{first}f"), "duration": format!("{frames}f") })
}

fn path(name: &str) -> Value {
    json!({ "path": format!("library:{name}") })
}

fn montage(title: &str, clips: &[Value], canvas: Value) -> Value {
    json!({ "kind": "montage", "title": title, "spec": {
        "highlights": clips, "canvas": canvas, "transcribe": { "engine": "none" } } })
}

async fn made(stack: &Stack, body: &Value) -> (Job, Value) {
    let job = stack.post_job(body).await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    let provenance = provenance(stack, &job).await;
    (job, provenance)
}

async fn provenance(stack: &Stack, job: &Job) -> Value {
    let montage = stack.montage_of(job).await;
    stack.get(&montage.summary.links["provenance"]).await
}

/// The keys of everything that a montage was made of, with the clip that each belongs to.
fn pieces(provenance: &Value) -> BTreeSet<(String, u64)> {
    let list = |name: &str| provenance["plan"][name].as_array().cloned().unwrap_or_default();
    let key = |value: &Value| value.as_str().map(str::to_owned);
    let pictures = list("segments");
    let pictures =
        pictures.iter().map(|segment| (key(&segment["key"]).unwrap(), segment["clip"].as_u64().unwrap()));
    let sounds = list("clips").into_iter().flat_map(|clip| {
        let index = clip["index"].as_u64().unwrap();
        let keys =
            ["sound_key", "speech_key"].into_iter().filter_map(|name| key(&clip[name])).collect::<Vec<_>>();
        keys.into_iter().map(move |key| (key, index))
    });
    pictures.chain(sounds).collect()
}

async fn frames_of(stack: &Stack, job: &Job, name: &str) -> Vec<Option<Mark>> {
    let montage = stack.montage_of(job).await;
    let file = stack.download(&montage.summary.links["media"], name).await;
    read_marks(&file, None).unwrap()
}

fn expected(clips: &[(u8, u16, u16)]) -> Vec<Option<Mark>> {
    let frames = clips.iter().flat_map(|&(source, first, frames)| {
        (first..first + frames).map(move |frame| Some(Mark { source, frame }))
    });
    frames.collect()
}

#[tokio::test]
async fn an_edit_makes_only_what_is_new() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    write(&stack, "a.mp4", &CounterVideo::new(1, (30, 1), 600).and("-g 30"));
    write(&stack, "b.mp4", &CounterVideo::new(2, (30, 1), 600).and("-g 30"));
    let mut clips: Vec<(u8, u16, u16)> =
        (0..10).map(|clip| (1 + (clip % 2) as u8, 7 + 50 * clip, 47)).collect();
    let body = |clips: &[(u8, u16, u16)]| {
        let clips: Vec<Value> = clips
            .iter()
            .map(|&(source, first, frames)| {
                clip(path(if source == 1 { "a.mp4" } else { "b.mp4" }), first, frames)
            })
            .collect();
        montage("edited", &clips, json!({}))
    };
    let (_, first) = made(&stack, &body(&clips)).await;
    let before = pieces(&first);
    assert_eq!(first["segments_reused"], 0);
    assert_eq!(first["segments_made"], before.len(), "{first:#}");
    assert_eq!(first["executors"], json!(["executor-1"]));
    assert!(first["frames_copied"].as_u64() > Some(0), "{first:#}");

    clips[4].1 += 11;
    let (job, second) = made(&stack, &body(&clips)).await;
    let after = pieces(&second);
    let new: BTreeSet<_> = after.difference(&before).collect();
    println!("an edit of one clip in ten: {} of {} pieces are made", new.len(), after.len());
    assert!(!new.is_empty() && new.iter().all(|(_, clip)| *clip == 4), "{new:?}");
    assert_eq!(second["segments_made"], new.len(), "{second:#}");
    assert_eq!(second["segments_reused"], after.len() - new.len());
    assert_eq!(frames_of(&stack, &job, "edited.mp4").await, expected(&clips));

    // The same once more: nothing is made by anybody.
    let (_, third) = made(&stack, &body(&clips)).await;
    assert_eq!((&third["segments_made"], &third["executors"]), (&json!(0), &json!([])));
    assert_eq!(third["segments_reused"], after.len());
    stack.end().await;
}

#[tokio::test]
async fn two_executors_make_one_montage() {
    let Some(mut stack) = Stack::start(Hints::Kafka, &[]).await else { return };
    for _ in 0..2 {
        stack.add_executor(&[("SM_RENDER_THREADS", "1")]);
    }
    write(&stack, "a.mp4", &CounterVideo::new(1, (30, 1), 1600));
    let clips: Vec<(u8, u16, u16)> = (0..8).map(|clip| (1, 5 + 190 * clip, 180)).collect();
    let highlights: Vec<Value> =
        clips.iter().map(|&(_, first, frames)| clip(path("a.mp4"), first, frames)).collect();
    // Not the source's size: everything is encoded.
    let canvas = json!({ "width": 960, "height": 540, "frame_rate": "30" });
    let (job, provenance) = made(&stack, &montage("together", &highlights, canvas)).await;
    assert_eq!(job.attempts.len(), 1);
    assert_eq!(provenance["executors"], json!(["executor-1", "executor-2"]), "{}", stack.logs());
    assert_eq!(provenance["segments_made"], pieces(&provenance).len());
    assert_eq!(provenance["frames_encoded"], 1440);
    assert_eq!(stack.montages().await.items.len(), 1);
    let listed = stack.get("/v1/jobs").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "parts are no jobs of anybody's");
    assert_eq!(frames_of(&stack, &job, "together.mp4").await, expected(&clips));
    stack.end().await;
}

#[tokio::test]
async fn what_a_killed_executor_had_finished_is_used_again() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[("SM_RENDER_THREADS", "2")]);
    write(&stack, "a.mp4", &CounterVideo::new(1, (30, 1), 400));
    fs::copy(videos::heavy(), stack.directory("media").join("heavy.mp4")).unwrap();
    let held = json!({ "url": stack.media.url("/held-in-the-middle/heavy.mp4") });
    // The shortest clip is begun last, and cannot be finished. Its edges, which are looked at for the plan, are not held.
    let clips = [clip(path("a.mp4"), 10, 180), clip(path("a.mp4"), 200, 180), clip(held, 0, 168)];
    let canvas = json!({ "width": 640, "height": 360, "frame_rate": "30" });
    let job = stack.post_job(&montage("again", &clips, canvas)).await;
    stack.media.until_held(1).await;
    let mut connection = PgConnection::connect(stack.database_url()).await.unwrap();
    let start = Instant::now();
    loop {
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM montages.segments")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if kept >= 2 {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "nothing is kept\n{}", stack.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stack.executors[0].kill();
    stack.media.let_go();
    stack.add_executor(&[]);
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());
    assert_eq!(ended.attempts[0].outcome, Some(AttemptOutcome::LeaseLost));
    let provenance = provenance(&stack, &ended).await;
    assert!(provenance["segments_reused"].as_u64() >= Some(2), "{provenance:#}");
    assert!(provenance["segments_made"].as_u64() >= Some(1), "{provenance:#}");
    assert_eq!(provenance["executors"], json!(["executor-2"]));
    assert_eq!(stack.montages().await.items.len(), 1);
    stack.end().await;
}

async fn plan(stack: &Stack, body: &Value) -> Value {
    let began = Instant::now();
    let response = stack.send(Method::POST, "/v1/plans", Some(body)).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}\n{}", stack.logs());
    println!("{} was planned in {:.2} s", body["title"], began.elapsed().as_secs_f64());
    serde_json::from_str::<Value>(&text).unwrap()["plan"].clone()
}

#[tokio::test]
async fn plans_are_answered_also_while_everybody_is_at_work() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let media = stack.directory("media");
    write(&stack, "minute.mp4", &CounterVideo::new(1, (30, 1), 1800).and("-g 60 -bf 2"));
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-stream_loop", "59", "-i"]).arg(media.join("minute.mp4"));
    assert!(command.args(["-c", "copy"]).arg(media.join("hour.mp4")).status().unwrap().success());
    let clips: Vec<Value> = (0..5).map(|clip_| clip(path("hour.mp4"), 1000 + 6000 * clip_, 300)).collect();
    let body = montage("an hour", &clips, json!({}));
    let idle = plan(&stack, &body).await;
    assert_eq!(idle["frames"], 1500);
    assert!(idle["frames_encoded"].as_u64() < Some(750), "{idle:#}");

    // The only slot is taken, and stays so.
    fs::copy(videos::heavy(), media.join("heavy.mp4")).unwrap();
    let held = json!({ "url": stack.media.url("/held-in-the-middle/heavy.mp4") });
    let canvas = json!({ "width": 640, "height": 360, "frame_rate": "30" });
    let job = stack.post_job(&montage("busy", &[clip(held, 0, 120)], canvas)).await;
    stack.media.until_held(1).await;
    let busy = plan(&stack, &body).await;
    assert_eq!(busy["plan_hash"], idle["plan_hash"]);
    assert_eq!(stack.job(job.id).await.state, JobState::Running);
    stack.media.let_go();

    // What was planned is what is made.
    let (_, provenance) = made(&stack, &body).await;
    assert_eq!(provenance["plan_hash"], idle["plan_hash"]);
    assert_eq!(provenance["frames_encoded"], idle["frames_encoded"]);
    stack.end().await;
}
