//! Ticks: each is run once, whatever crashes, and what a source delivers decides how a run ends.

use std::{sync::atomic::Ordering, time::Duration};

use contracts::{
    ids::JobId,
    import::{ImportReport, PostOutcome},
    schedule::RunOutcome,
};
use fetch::MediaDir;
use scheduler::{posts, store, ticks};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, at, highlights};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_schedulers_make_one_job_of_each_tick() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let ids = [
        world.schedule("* * * * *", world.url("best"), "2026-11-21T10:00:30Z").await,
        world.schedule("*/2 * * * *", world.url("best"), "2026-11-21T10:00:30Z").await,
    ];
    for minute in 1..=8 {
        let now = at(&format!("2026-11-21T10:{minute:02}:00Z"));
        let loops: Vec<_> = (0..6)
            .map(|_| {
                let worker = world.worker();
                tokio::spawn(async move { while worker.once(now).await.unwrap() {} })
            })
            .collect();
        for task in loops {
            task.await.unwrap();
        }
    }
    for (id, count) in ids.into_iter().zip([8, 4]) {
        let runs = world.runs(id).await;
        assert_eq!(runs.len(), count);
        assert!(
            runs.iter().all(|run| run.outcome == RunOutcome::Submitted && run.jobs[0].job_id.is_some()),
            "{runs:?}"
        );
    }
    assert_eq!((world.keys(), world.posts()), (12, 12));
    world.end().await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_job_although_the_list_changed() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 * * * *", world.url("best"), "2026-11-21T09:30:00Z").await;
    world.jobs.losing.store(2, Ordering::SeqCst);
    assert!(world.worker().once(at("2026-11-21T10:00:00Z")).await.unwrap());
    assert_eq!(world.runs(id).await[0].outcome, RunOutcome::Running);
    world.list("best", &json!([]));
    // Not before its pause is over; then twice by others.
    assert!(!world.worker().once(at("2026-11-21T10:00:04Z")).await.unwrap());
    assert!(world.worker().once(at("2026-11-21T10:00:05Z")).await.unwrap());
    assert!(world.worker().once(at("2026-11-21T10:00:20Z")).await.unwrap());
    let runs = world.runs(id).await;
    assert_eq!((world.keys(), world.posts(), runs.len()), (1, 3, 1));
    assert_eq!(runs[0].outcome, RunOutcome::Submitted);
    assert_eq!(
        runs[0].jobs[0].job_id.unwrap().0,
        world.jobs.by_key.lock().unwrap().values().next().unwrap().1
    );
    assert_eq!(runs[0].tick_at, at("2026-11-21T10:00:00Z"));
    world.end().await;
}

#[tokio::test]
async fn a_scheduler_that_dies_leaves_its_run_to_another_and_cannot_write_any_more() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 * * * *", world.url("best"), "2026-11-21T09:30:00Z").await;
    let now = at("2026-11-21T10:00:00Z");
    let dead = Uuid::new_v4();
    ticks::materialise(&world.pool, now).await.unwrap();
    let claimed = ticks::claim(&world.pool, dead, now, Duration::from_secs(600)).await.unwrap().unwrap();
    // While its lease lasts nobody else works on the schedule, not even on a later run of it.
    assert!(!world.worker().once(now).await.unwrap());
    assert!(!world.worker().once(at("2026-11-21T11:00:00Z")).await.unwrap());
    assert_eq!(world.posts(), 0);
    sqlx::query("UPDATE jobs.leases SET expires_at = now()").execute(&world.pool).await.unwrap();
    let worker = world.worker();
    while worker.once(at("2026-11-21T11:00:00Z")).await.unwrap() {}
    let runs = world.runs(id).await;
    assert_eq!((runs.len(), world.keys(), world.posts()), (2, 2, 2));
    // The zombie comes back.
    let report = ImportReport::default();
    assert!(!posts::keep(&world.pool, dead, &claimed, None, &report, &[]).await.unwrap());
    let submitted = (PostOutcome::Submitted, Some(JobId::generate()), None);
    assert!(!posts::record(&world.pool, dead, &claimed, 0, submitted).await.unwrap());
    assert!(!ticks::renew(&world.pool, dead, &claimed, Duration::from_secs(600)).await.unwrap());
    assert!(
        !ticks::finish(&world.pool, dead, &claimed, &ticks::End::Failed("late".to_owned())).await.unwrap()
    );
    assert!(!ticks::postpone(&world.pool, dead, &claimed, now, (ticks::Later::Tried, "late")).await.unwrap());
    assert_eq!(world.runs(id).await, runs);
    world.end().await;
}

#[tokio::test]
async fn missed_ticks_are_made_up_for_once_for_the_latest() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 18 * * *", world.url("best"), "2026-11-21T00:00:00Z").await;
    let worker = world.worker();
    while worker.once(at("2026-11-24T20:00:00Z")).await.unwrap() {}
    let runs = world.runs(id).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].tick_at, at("2026-11-24T18:00:00Z"));
    let next = store::find(&world.pool, id).await.unwrap().unwrap().next_at;
    assert_eq!(next, Some(at("2026-11-25T18:00:00Z")));
    let titles: Vec<Value> =
        world.jobs.by_key.lock().unwrap().values().map(|(body, _)| body["title"].clone()).collect();
    assert_eq!(titles, ["Best of 2026-11-24"]);
    world.end().await;
}

#[tokio::test]
async fn what_a_source_delivers_decides_how_a_run_ends() {
    let Some(mut world) = World::new().await else { return };
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("list.json"), json!({"highlights": highlights()}).to_string())
        .unwrap();
    world.config.media_dirs =
        vec![MediaDir { name: "library".to_owned(), path: directory.path().to_owned() }];
    world.list("empty", &json!([]));
    world.list("bad", &json!([{"source": {"url": "https://media.example/a.mp4"}, "start": "x", "duration": 5}, {"start": 1}]));
    world.list("object", &json!({"highlights": highlights()}));
    world.list("nonsense", &json!("[{"));
    let made = "2026-11-21T09:30:00Z";
    let (worker, now) = (world.worker(), at("2026-11-21T10:00:00Z"));
    for (source, outcome, reason) in [
        (world.url("empty"), RunOutcome::Empty, None),
        (world.url("object"), RunOutcome::Submitted, None),
        (json!({"path": "library:list.json"}), RunOutcome::Submitted, None),
        (world.url("bad"), RunOutcome::Empty, None),
        (world.url("nonsense"), RunOutcome::Failed, Some("JSON")),
        (world.url("missing"), RunOutcome::Failed, Some("cannot be read")),
        (json!({"path": "library:none.json"}), RunOutcome::Failed, Some("cannot be read")),
        (json!({"path": "other:list.json"}), RunOutcome::Failed, Some("cannot be read")),
        (json!({"url": "http://10.0.0.1/list.json"}), RunOutcome::Failed, Some("SM_FETCH_ALLOW")),
    ] {
        let id = world.schedule("0 * * * *", source.clone(), made).await;
        while worker.once(now).await.unwrap() {}
        let runs = world.runs(id).await;
        assert_eq!((runs.len(), runs[0].outcome), (1, outcome), "{source}: {runs:?}");
        let told = runs[0].reason.as_deref();
        assert!(
            reason.is_none_or(|reason| told.is_some_and(|told| told.contains(reason))),
            "{source}: {told:?}"
        );
        assert_eq!(
            (runs[0].job_count, runs[0].ended_at.is_some()),
            (u32::from(outcome == RunOutcome::Submitted), true)
        );
    }
    world.jobs.refusing.store(1, Ordering::SeqCst);
    let id = world.schedule("0 * * * *", world.url("object"), made).await;
    while worker.once(now).await.unwrap() {}
    assert_eq!(
        world.runs(id).await[0].reason.as_deref(),
        Some("jobs-repo refuses all jobs: refused by the test")
    );
    world.end().await;
}
