//! What a schedule's own settings change: the clock, missed ticks, delays, runs whose predecessor is not done, days, several montages.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    import::PostOutcome,
    schedule::{RunOutcome, ScheduleRun},
};
use scheduler::{posts, runs, ticks, work::Worker};
use serde_json::{Value, json};

use crate::world::{World, at, highlights};

/// Lets two schedulers, of two loops each, work through an hour of which they see every twenty seconds, at the same time.
async fn an_hour_of_two_schedulers(world: &World, from: &str) {
    let workers: Vec<Worker> = (0..4).map(|_| world.worker()).collect();
    for step in 0..=180 {
        let now = at(from) + TimeDelta::seconds(20 * step);
        let loops = workers
            .iter()
            .cloned()
            .map(|worker| tokio::spawn(async move { while worker.once(now).await.unwrap() {} }));
        for ended in futures::future::join_all(loops).await {
            ended.unwrap();
        }
    }
}

fn moments(runs: &[ScheduleRun]) -> Vec<DateTime<Utc>> {
    assert!(runs.iter().all(|run| run.outcome == RunOutcome::Submitted && run.job_count == 1), "{runs:?}");
    runs.iter().map(|run| run.tick_at).collect()
}

fn minutes(first: &str, count: i64) -> Vec<DateTime<Utc>> {
    (0..count).map(|minute| at(first) + TimeDelta::minutes(minute)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_schedulers_do_each_tick_once_while_the_clock_is_set_back() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC. What comes twice ticks the first time only.
    let made = "2026-10-25T00:29:30Z";
    let berlin = json!({"time_zone": "Europe/Berlin"});
    let mut ids = Vec::new();
    for cron in ["* * * * *", "*/15 2 * * *", "30 2 * * *", "0 3 * * *"] {
        ids.push(world.schedule_with(cron, world.url("best"), made, berlin.clone()).await);
    }
    an_hour_of_two_schedulers(&world, "2026-10-25T00:30:00Z").await;
    assert_eq!(moments(&world.runs(ids[0]).await), minutes("2026-10-25T00:30:00Z", 30));
    let quarters = [at("2026-10-25T00:30:00Z"), at("2026-10-25T00:45:00Z")];
    assert_eq!(moments(&world.runs(ids[1]).await), quarters);
    assert_eq!(moments(&world.runs(ids[2]).await), quarters[..1]);
    // 03:00 comes an hour later.
    assert!(world.runs(ids[3]).await.is_empty());
    assert_eq!((world.keys(), world.posts()), (33, 33));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_schedulers_do_each_tick_once_while_the_clock_is_set_forward() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC. What is skipped ticks once, at the end of the gap.
    let made = "2026-03-29T00:29:30Z";
    let berlin = json!({"time_zone": "Europe/Berlin"});
    let mut ids = Vec::new();
    for cron in ["* * * * *", "*/15 2 * * *", "30 2 * * *", "0 3 * * *"] {
        ids.push(world.schedule_with(cron, world.url("best"), made, berlin.clone()).await);
    }
    an_hour_of_two_schedulers(&world, "2026-03-29T00:30:00Z").await;
    assert_eq!(moments(&world.runs(ids[0]).await), minutes("2026-03-29T00:30:00Z", 61));
    for id in &ids[1..] {
        assert_eq!(moments(&world.runs(*id).await), [at("2026-03-29T01:00:00Z")]);
    }
    assert_eq!((world.keys(), world.posts()), (64, 64));
    world.end().await;
}

#[tokio::test]
async fn missed_ticks_each_have_their_run_or_none_as_the_schedule_says() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let made = "2026-11-21T00:00:00Z";
    let with = |policy: &str| json!({"catch_up": policy, "window": {"last_days": 1}});
    let each = world.schedule_with("0 18 * * *", world.url("best"), made, with("each")).await;
    let none = world.schedule_with("0 18 * * *", world.url("best"), made, with("skip")).await;
    let worker = world.worker();
    while worker.once(at("2026-11-23T20:00:00Z")).await.unwrap() {}
    let runs = world.runs(each).await;
    let days: Vec<String> = runs.iter().map(|run| run.window.unwrap().from.to_string()).collect();
    assert_eq!(days, ["2026-11-20", "2026-11-21", "2026-11-22"], "each with the days of its own tick");
    assert_eq!(moments(&runs).len(), 3);
    let runs = world.runs(none).await;
    assert_eq!((runs.len(), runs[0].outcome, runs[0].job_count), (1, RunOutcome::Skipped, 0));
    assert!(runs[0].reason.as_deref().unwrap().contains("no scheduler was there"), "{runs:?}");
    while worker.once(at("2026-11-24T18:00:01Z")).await.unwrap() {}
    assert_eq!(world.runs(none).await[1].outcome, RunOutcome::Submitted, "what comes in time is run");
    world.end().await;
}

#[tokio::test]
async fn a_delayed_run_keeps_its_tick_and_begins_within_its_bound() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let mut begun = BTreeSet::new();
    for _ in 0..4 {
        let jitter = json!({"jitter": "10m"});
        let id = world.schedule_with("0 18 * * *", world.url("best"), "2026-11-21T00:00:00Z", jitter).await;
        let worker = world.worker();
        let tick = at("2026-11-21T18:00:00Z");
        let mut late = 0;
        loop {
            while worker.once(tick + TimeDelta::seconds(late)).await.unwrap() {}
            let runs = world.runs(id).await;
            assert_eq!((runs.len(), runs[0].tick_at), (1, tick));
            if runs[0].outcome == RunOutcome::Submitted {
                break;
            }
            late += 1;
            assert!(late <= 600, "it did not begin");
        }
        begun.insert(late);
    }
    assert!(begun.len() > 1, "all four drew {begun:?}");
    world.end().await;
}

#[tokio::test]
async fn a_run_goes_ahead_is_left_out_or_waits_while_jobs_of_the_run_before_are_not_done() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let made = "2026-11-21T09:30:00Z";
    let mut ids = Vec::new();
    for policy in ["allow", "skip", "wait"] {
        ids.push(world.schedule_with("0 * * * *", world.url("best"), made, json!({"overlap": policy})).await);
    }
    let worker = world.worker();
    for hour in [10, 11] {
        while worker.once(at(&format!("2026-11-21T{hour}:00:00Z"))).await.unwrap() {}
    }
    let outcomes =
        async |index: usize| world.runs(ids[index]).await.iter().map(|run| run.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(0).await, [RunOutcome::Submitted, RunOutcome::Submitted]);
    assert_eq!(outcomes(1).await, [RunOutcome::Submitted, RunOutcome::Skipped]);
    assert_eq!(outcomes(2).await, [RunOutcome::Submitted, RunOutcome::Running]);
    for index in [1, 2] {
        let run = world.runs(ids[index]).await[1].clone();
        assert!(run.reason.unwrap().contains("is not done"));
    }
    // However often it looks, waiting uses up no tries.
    for minute in 1..10 {
        while worker.once(at(&format!("2026-11-21T11:{minute:02}:00Z"))).await.unwrap() {}
    }
    assert_eq!(outcomes(2).await[1], RunOutcome::Running);
    let first = world.runs(ids[2]).await[0].jobs[0].job_id.unwrap();
    world.jobs.done.lock().unwrap().insert(first.0);
    while worker.once(at("2026-11-21T11:20:00Z")).await.unwrap() {}
    assert_eq!(outcomes(2).await[1], RunOutcome::Submitted);
    world.end().await;
}

/// Two montages of some days.
fn weekly() -> Value {
    json!({
        "window": {"last_days": 7},
        "montages": [
            {"of": "each_streamer", "title": "{streamer}, {from} to {to}", "select": {"per_video": 1}},
            {"of": "all_streamers", "title": "All {count}", "labels": {"week": "{to}"}, "select": {"per_streamer": 1}},
        ],
    })
}

fn week() -> Value {
    let row = |video: &str, at: &str, streamer: &str, score: f64, day: &str| {
        json!({
            "source": {"url": format!("https://media.example/{video}.mp4")}, "start": at, "duration": 5, "streamer": streamer,
            "score": score, "at": day,
        })
    };
    json!([
        row("a", "0:10", "hana", 3.0, "2026-11-16"),
        row("a", "1:00", "hana", 9.0, "2026-11-16"),
        row("b", "0:10", "hana", 5.0, "2026-11-18"),
        row("c", "0:10", "ben", 7.0, "2026-11-22"),
        row("d", "0:10", "ben", 8.0, "2026-11-23"),
        {"source": {"url": "https://media.example/e.mp4"}, "start": "nonsense", "duration": 5, "streamer": "kim"},
    ])
}

#[tokio::test]
async fn the_same_days_are_made_into_montages_once_whoever_asks() {
    let Some(world) = World::new().await else { return };
    world.list("week", &week());
    let id = world.schedule_with("0 6 * * MON", world.url("week"), "2026-11-20T00:00:00Z", weekly()).await;
    let worker = world.worker();
    while worker.once(at("2026-11-23T06:00:00Z")).await.unwrap() {}
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.outcome, run.job_count), (RunOutcome::Submitted, 3));
    let told: Vec<(&str, Option<&str>, u32)> =
        run.jobs.iter().map(|job| (job.title.as_str(), job.streamer.as_deref(), job.highlights)).collect();
    assert_eq!(
        told,
        [
            ("ben, 2026-11-16 to 2026-11-22", Some("ben"), 1),
            ("hana, 2026-11-16 to 2026-11-22", Some("hana"), 2),
            ("All 2", None, 2)
        ]
    );
    let report = run.report.unwrap();
    assert_eq!((report.rows, report.highlights, report.skipped), (6, 4, 1));
    assert!(report.skipped_rows[0].reason.contains("start"), "{report:?}");
    assert_eq!(world.posts(), 3);

    // By hand, for the same days, although the list changed: nothing is posted.
    world.list("week", &json!([week()[1]]));
    let asked = |again: bool| {
        scheduler::definition::decode_asked(&json!({
            "window": {"from": "2026-11-16", "to": "2026-11-22"}, "again": again,
        }))
        .unwrap()
    };
    let by_hand = async |again: bool| {
        let mut connection = world.pool.acquire().await.unwrap();
        let run = runs::insert_by_hand(&mut connection, id, asked(again)).await.unwrap();
        while worker.once(Utc::now()).await.unwrap() {}
        runs::find(&world.pool, id, run).await.unwrap().unwrap()
    };
    // The schedule itself is not due while the clock of the test is read.
    sqlx::query("UPDATE jobs.schedules SET next_at = NULL").execute(&world.pool).await.unwrap();
    let known = by_hand(false).await;
    assert_eq!((known.outcome, world.posts()), (RunOutcome::Submitted, 3));
    assert!(known.jobs.iter().all(|job| job.outcome == PostOutcome::Known), "{known:?}");
    assert_eq!(known.jobs[0].job_id, run.jobs[1].job_id, "hana's is the one that there was");
    // Unless that is what is wanted.
    let again = by_hand(true).await;
    assert!(again.jobs.iter().all(|job| job.outcome == PostOutcome::Submitted), "{again:?}");
    assert_eq!((again.job_count, world.posts(), world.keys()), (2, 5, 5));
    world.end().await;
}

#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_posts_each_job_once() {
    let Some(world) = World::new().await else { return };
    world.list("week", &week());
    let id = world.schedule_with("0 6 * * MON", world.url("week"), "2026-11-20T00:00:00Z", weekly()).await;
    let now = at("2026-11-23T06:00:00Z");
    // The first posts a job whose answer is lost; it is cut off before it writes down what it knows.
    world.jobs.losing.store(1, Ordering::SeqCst);
    assert!(world.worker().once(now).await.unwrap());
    let run = world.runs(id).await.remove(0);
    assert_eq!((run.outcome, run.job_count, world.keys()), (RunOutcome::Running, 3, 1));
    assert!(run.jobs.iter().all(|job| job.outcome == PostOutcome::Waiting));
    // The second posts two and is killed between posting and recording the second.
    let dead = uuid::Uuid::new_v4();
    let later = now + TimeDelta::minutes(1);
    let lease = std::time::Duration::from_secs(600);
    let claimed = ticks::claim(&world.pool, dead, later, lease).await.unwrap().unwrap();
    let jobs = world.worker().jobs;
    for posted in 0..2 {
        let waiting = posts::next_waiting(&world.pool, claimed.run).await.unwrap().unwrap();
        let answer = highlights::post::once(&jobs, &waiting.key, &waiting.body).await;
        let job = match answer {
            highlights::post::Answer::Made(job) | highlights::post::Answer::Known(job) => job,
            other => panic!("{other:?}"),
        };
        if posted == 0 {
            let told = (PostOutcome::Submitted, Some(job), None);
            assert!(posts::record(&world.pool, dead, &claimed, waiting.position, told).await.unwrap());
        }
    }
    sqlx::query("UPDATE jobs.leases SET expires_at = now()").execute(&world.pool).await.unwrap();
    // The third does the rest, and what it finds it does not make again.
    world.list("week", &json!([]));
    let worker = world.worker();
    while worker.once(later).await.unwrap() {}
    let run = world.runs(id).await.remove(0);
    assert_eq!(run.outcome, RunOutcome::Submitted);
    let made: BTreeSet<_> = world.jobs.by_key.lock().unwrap().values().map(|(_, id)| *id).collect();
    let told: BTreeSet<_> = run.jobs.iter().map(|job| job.job_id.unwrap().0).collect();
    assert_eq!((made.len(), &told), (3, &made));
    world.end().await;
}

#[tokio::test]
async fn one_job_that_is_refused_holds_up_no_other() {
    let Some(world) = World::new().await else { return };
    world.list("week", &week());
    let id = world.schedule_with("0 6 * * MON", world.url("week"), "2026-11-20T00:00:00Z", weekly()).await;
    world.jobs.refusing.store(1, Ordering::SeqCst);
    let worker = world.worker();
    while worker.once(at("2026-11-23T06:00:00Z")).await.unwrap() {}
    let run = world.runs(id).await.remove(0);
    let outcomes: Vec<PostOutcome> = run.jobs.iter().map(|job| job.outcome).collect();
    assert_eq!(outcomes, [PostOutcome::Refused, PostOutcome::Submitted, PostOutcome::Submitted]);
    assert_eq!(run.outcome, RunOutcome::Submitted);
    assert_eq!(run.jobs[0].reason.as_deref(), Some("refused by the test"));
    world.end().await;
}
