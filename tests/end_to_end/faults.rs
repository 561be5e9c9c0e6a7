//! What must survive: an executor killed in the middle of a job, a cancel in the middle of a job, a broker that is away.

use contracts::job::{AttemptOutcome, Job, JobState, Stage};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::videos;

/// A job that keeps an executor busy for a good while: many clips, one encoder thread.
fn long_job(stack: &Stack) -> Value {
    fs::copy(videos::large(), stack.directory("media").join("large.mp4")).unwrap();
    let clip =
        json!({ "source": { "url": stack.media.url("/media/large.mp4") }, "start": "0", "duration": "8s" });
    json!({ "kind": "montage", "title": "long", "spec": {
        "highlights": vec![clip; 3],
        "canvas": { "width": 1280, "height": 720, "frame_rate": "30" },
        "transcribe": { "engine": "none" } } })
}

fn is_rendering(job: &Job) -> bool {
    job.state == JobState::Running
        && job
            .progress
            .as_ref()
            .is_some_and(|progress| progress.stage == Stage::Rendering && progress.frames_done > 0)
}

async fn wait_until_gone(process: u32) -> Duration {
    let start = Instant::now();
    while Path::new(&format!("/proc/{process}")).exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "process {process} does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn another_executor_takes_over_from_a_killed_one_and_the_result_appears_once() {
    let Some(mut stack) = Stack::start(Hints::Kafka, &[]).await else { return };
    stack.add_executor(&[("SM_RENDER_THREADS", "1")]);
    let job = stack.post_job(&long_job(&stack)).await;
    stack.wait_for(job.id, is_rendering).await;
    let workers = stack.executors[0].children("render-worker");
    assert_eq!(workers.len(), 1, "one render worker");
    stack.add_executor(&[]);
    let killed = Instant::now();
    stack.executors[0].kill();
    // The child dies with its parent.
    wait_until_gone(workers[0]).await;
    let taken = stack.wait_for(job.id, |job| job.attempts.len() == 2).await;
    eprintln!("taken over {:.1} s after the kill; the lease lasts 6 s", killed.elapsed().as_secs_f64());
    assert_eq!(taken.attempts[0].outcome, Some(AttemptOutcome::LeaseLost));
    assert_eq!(taken.attempts[1].executor, "executor-2");
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
    assert_eq!(stack.montages().await.items.len(), 1);
    stack.montage_of(&ended).await;
    stack.end().await;
}

#[tokio::test]
async fn a_frozen_executor_that_wakes_up_changes_nothing() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[("SM_LEASE_TTL", "3s")]).await else { return };
    stack.add_executor(&[("SM_RENDER_THREADS", "1")]);
    let job = stack.post_job(&long_job(&stack)).await;
    stack.wait_for(job.id, is_rendering).await;
    stack.executors[0].signal("STOP");
    stack.add_executor(&[]);
    stack.wait_for(job.id, |job| job.attempts.len() == 2).await;
    stack.executors[0].signal("CONT");
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
    assert_eq!(ended.attempts.len(), 2, "{ended:#?}");
    let montage = stack.montage_of(&ended).await;
    let provenance = stack.get(&format!("/v1/montages/{}/provenance", montage.summary.id)).await;
    assert_eq!(provenance["executor"], "executor-2", "the newest fence published");
    assert_eq!(stack.montages().await.items.len(), 1);
    stack.end().await;
}

#[tokio::test]
async fn a_cancelled_job_loses_its_render_worker_at_once() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[("SM_RENDER_THREADS", "1")]);
    let job = stack.post_job(&long_job(&stack)).await;
    stack.wait_for(job.id, is_rendering).await;
    let worker = stack.executors[0].children("render-worker")[0];
    let response = stack.send(Method::POST, &format!("/v1/jobs/{}/cancel", job.id), None).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let gone = wait_until_gone(worker).await;
    eprintln!("the render worker was gone {:.1} s after the cancel", gone.as_secs_f64());
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Cancelled);
    assert_eq!(ended.attempts[0].outcome, Some(AttemptOutcome::Cancelled));
    assert!(stack.montages().await.items.is_empty());
    stack.end().await;
}

#[tokio::test]
async fn a_stopped_executor_gives_its_job_back_at_once() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[("SM_RENDER_THREADS", "1")]);
    let job = stack.post_job(&long_job(&stack)).await;
    stack.wait_for(job.id, is_rendering).await;
    assert!(stack.executors[0].stop().success());
    let waiting = stack.job(job.id).await;
    assert_eq!(waiting.state, JobState::Queued, "{waiting:#?}");
    assert_eq!(waiting.attempts[0].outcome, Some(AttemptOutcome::Released));
    stack.add_executor(&[]);
    assert_eq!(stack.wait_until_final(job.id).await.state, JobState::Succeeded);
    stack.end().await;
}

#[tokio::test]
async fn without_a_broker_jobs_are_slower_and_not_lost() {
    // Nothing listens there.
    let settings = [("SM_KAFKA_BROKERS", "127.0.0.1:9"), ("SM_HINTS", "postgres")];
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    fs::copy(videos::short(), stack.directory("media").join("short.mp4")).unwrap();
    stack.add_executor(&[("SM_HINTS", "kafka")]);
    let job = stack
        .post_job(&json!({ "kind": "montage", "spec": {
            "highlights": [{ "source": { "path": "library:short.mp4" }, "start": 0, "duration": "1s" }],
            "transcribe": { "engine": "none" } } }))
        .await;
    assert_eq!(stack.wait_until_final(job.id).await.state, JobState::Succeeded);
    stack.end().await;
}
