//! Replays, from a POST to a video in the library: our own maps, played by the tests' player, whose counts are known.

use contracts::{
    job::{Job, JobState},
    montage::{Montage, MontageKind},
    replay::{REPLAY_FAILURES, ReplayReport},
    transcript::{Engine, TranscriptState},
};
use end_to_end::stack::{Hints, Stack};
use replay::testing::{
    files::osz,
    maps, osr,
    player::{Act, Plan, play},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// A small, quick picture.
fn options() -> Value {
    json!({ "video": { "width": 640, "height": 360, "frame_rate": 30, "preset": "ultrafast" }, "results_seconds": 2 })
}

/// Puts a map's archive and a replay on it where executors may read them.
pub fn put(stack: &Stack, name: &str, map: &str, plan: &Plan) {
    let media = stack.directory("media");
    let replay = osr::write(&play(map.as_bytes(), plan).unwrap()).unwrap();
    fs::write(media.join(format!("{name}.osr")), replay).unwrap();
    fs::write(media.join(format!("{name}.osz")), osz(&[("map.osu", map)], 30).unwrap()).unwrap();
}

fn body(replay: &Value, map: &Value) -> Value {
    json!({ "kind": "replay", "spec": { "replay": replay, "map": map, "options": options() } })
}

async fn made(stack: &Stack, body: &Value) -> (Job, Montage, ReplayReport) {
    let job = stack.post_job(body).await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    let montage = stack.montage_of(&job).await;
    assert_eq!(montage.summary.kind, MontageKind::Replay);
    let report = montage.replay.clone().expect("a replay says what was played");
    (job, montage, report)
}

/// What ffprobe, which is none of ours, says of a file.
fn facts(file: &Path) -> Value {
    let arguments = ["-v", "error", "-show_streams", "-show_chapters", "-count_frames", "-of", "json"];
    let output = Command::new("ffprobe").args(arguments).arg(file).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn replays_of_three_modes_become_verified_videos() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    // The second circle is missed, the fifth is pressed late.
    put(&stack, "circles", maps::CIRCLES, &Plan::with(&[(1, Act::Skip), (4, Act::Press(70))]));
    put(&stack, "taiko", maps::TAIKO, &Plan::default());
    put(&stack, "mania", maps::MANIA_HOLDS, &Plan::default());

    let url = |name: &str| json!({ "url": stack.media.url(&format!("/media/{name}")) });
    let (job, montage, report) = made(&stack, &body(&url("circles.osr"), &url("circles.osz"))).await;
    assert_eq!((report.mode.as_str(), report.player.as_str()), ("osu", "Player"), "{report:?}");
    assert!(report.verification.verified, "{report:?}");
    let count = |name: &str| report.counts[name];
    assert_eq!((count("300"), count("100"), count("50"), count("miss")), (14, 1, 0, 1));
    assert_eq!(report.max_combo, 14);
    // Nobody gave it a title: the replay tells it.
    assert!(montage.summary.title.contains("Sixteen Circles"), "{}", montage.summary.title);
    assert_eq!(job.attempts.len(), 1);

    // The file is what was asked for, whole, with chapters where something was missed.
    let file = stack.download(&montage.summary.links["media"], "replay.mp4").await;
    let facts = facts(&file);
    let stream = |kind: &str| {
        let all = facts["streams"].as_array().unwrap();
        all.iter().find(|stream| stream["codec_type"] == kind).unwrap().clone()
    };
    let (video, sound) = (stream("video"), stream("audio"));
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!(video["nb_read_frames"], montage.media.frames.to_string());
    assert_eq!(
        (&video["width"], &video["height"], &video["avg_frame_rate"]),
        (&json!(640), &json!(360), &json!("30/1"))
    );
    // Two seconds before the first object, two after the last, two of results.
    assert!(
        (montage.media.duration - (9.5 - 2.0 + 2.0 + 2.0 + 2.0)).abs() < 0.1,
        "{}",
        montage.media.duration
    );
    assert!((seconds(&video["duration"]) - seconds(&sound["duration"])).abs() < 1.0 / 30.0);
    let titles: Vec<&str> = montage.clips.iter().map(|clip| clip.title.as_str()).collect();
    assert_eq!(titles, ["Start", "Miss", "Results"]);
    assert_eq!(facts["chapters"].as_array().unwrap().len(), titles.len());

    // What happens is told, and can be found.
    assert_eq!(
        (montage.transcript.state, montage.transcript.engine),
        (TranscriptState::Complete, Engine::Play)
    );
    let captions =
        stack.send(Method::GET, &montage.summary.links["captions"], None).await.text().await.unwrap();
    assert!(captions.contains("miss") && captions.contains("14x highest combo"), "{captions}");
    let page = stack.get("/v1/montages?kind=replay").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let refused = stack
        .send(
            Method::POST,
            &format!("{}/transcribe", montage.summary.links["self"]),
            Some(&json!({ "engine": "local" })),
        )
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);

    // By a directory, and by uploads.
    let path = |name: &str| json!({ "path": format!("library:{name}") });
    let (_, _, taiko) = made(&stack, &body(&path("taiko.osr"), &path("taiko.osz"))).await;
    assert!(taiko.verification.verified && taiko.mode == "taiko", "{taiko:?}");
    let (replay, map) = (stack.upload("mania.osr").await, stack.upload("mania.osz").await);
    let (_, _, mania) =
        made(&stack, &body(&json!({ "upload": replay.id }), &json!({ "upload": map.id }))).await;
    assert!(mania.mode == "mania" && mania.counts["miss"] == 0, "{mania:?}");
    stack.end().await;
}

#[tokio::test]
async fn what_cannot_be_shown_fails_at_once_with_its_code_and_place() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let media = stack.directory("media");
    put(&stack, "circles", maps::CIRCLES, &Plan::default());
    put(&stack, "sliders", maps::SLIDERS, &Plan::default());
    let replay = play(maps::CIRCLES.as_bytes(), &Plan::default()).unwrap();
    let auto = replay::osr::Replay { mods: 1 << 11, ..replay.clone() };
    fs::write(media.join("auto.osr"), osr::write(&auto).unwrap()).unwrap();
    let catch = replay::osr::Replay { mode: replay::osr::Mode::Catch, ..replay };
    fs::write(media.join("catch.osr"), osr::write(&catch).unwrap()).unwrap();
    fs::write(media.join("alone.osu"), maps::CIRCLES).unwrap();
    let whole = fs::read(media.join("circles.osr")).unwrap();
    fs::write(media.join("cut.osr"), &whole[..whole.len() / 2]).unwrap();
    let zip = fs::read(media.join("circles.osz")).unwrap();
    fs::write(media.join("cut.osz"), &zip[..zip.len() / 2]).unwrap();

    let path = |name: &str| json!({ "path": format!("library:{name}") });
    for (replay, map, code, pointer) in [
        ("cut.osr", "circles.osz", "replay_corrupt", "/spec/replay"),
        ("circles.osz", "circles.osz", "replay_corrupt", "/spec/replay"),
        ("auto.osr", "circles.osz", "replay_auto", "/spec/replay"),
        ("catch.osr", "circles.osz", "replay_mode_unsupported", "/spec/replay"),
        ("circles.osr", "cut.osz", "replay_archive_corrupt", "/spec/map"),
        ("circles.osr", "alone.osu", "replay_audio_missing", "/spec/audio"),
    ] {
        let job = stack.post_job(&body(&path(replay), &path(map))).await;
        let job = stack.wait_until_final(job.id).await;
        let failure = job.failure.as_ref().unwrap_or_else(|| panic!("{replay} on {map} fails: {job:#?}"));
        assert_eq!(
            (job.state, failure.code.as_str()),
            (JobState::Failed, code),
            "{replay} on {map}: {failure:?}"
        );
        assert_eq!(failure.pointer.as_deref(), Some(pointer), "{failure:?}");
        assert_eq!(job.attempts.len(), 1, "it is not tried again");
        let page = REPLAY_FAILURES.iter().find(|failure| failure.code == code).unwrap().page();
        let answer = stack.send(Method::GET, &page, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{page}");
    }
    // Another map than the one that was played, whichever of the two codes says so.
    let job = stack.post_job(&body(&path("circles.osr"), &path("sliders.osz"))).await;
    let failure = stack.wait_until_final(job.id).await.failure.unwrap();
    assert!(["replay_map_missing", "replay_map_version"].contains(&failure.code.as_str()), "{failure:?}");

    let wrong = json!({ "kind": "replay", "spec": { "replay": path("circles.osr"), "options": { "video": { "crf": 3 } } } });
    let refused = stack.send(Method::POST, "/v1/jobs", Some(&wrong)).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stack.get("/v1/montages").await["items"], json!([]));
    stack.end().await;
}
