//! Executors that die, come back, give up and lie, on two replicas; and a database that drops every connection.

use contracts::job::{AttemptOutcome, Job, JobState};
use jobs_repo::HintsConfig;
use rand::RngExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::harness::{Claimed, Stack, config, job};

/// Completions that were answered with 204: by job, the fence and the montage.
type Accepted = Arc<Mutex<BTreeMap<Uuid, Vec<(i64, Uuid)>>>>;

/// An executor that does anything but behave.
async fn misbehave(bases: [String; 2], client: reqwest::Client, accepted: Accepted, stop: CancellationToken) {
    let post = async |path: String, body: Value| {
        let base = &bases[rand::rng().random_range(0..2)];
        let response = client.post(format!("{base}{path}")).json(&body).send().await.unwrap();
        let status = response.status();
        (status, response.bytes().await.unwrap())
    };
    while !stop.is_cancelled() {
        let executor = Uuid::new_v4();
        let claim = json!({ "executor_id": executor, "executor_name": "chaos", "kinds": ["montage"], "wait_seconds": 1 });
        let (status, body) = post("/v1/leases".to_owned(), claim).await;
        if status == StatusCode::NO_CONTENT {
            continue;
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        let job = serde_json::from_value(body["job_id"].clone()).unwrap();
        let lease = Claimed { job, fence: body["fence"].as_i64().unwrap(), executor };
        let montage = Uuid::now_v7();
        let complete = async || {
            let (status, _) = post(lease.path("complete"), lease.completion(montage)).await;
            if status == StatusCode::NO_CONTENT {
                accepted.lock().unwrap().entry(job).or_default().push((lease.fence, montage));
            } else {
                assert_eq!(status, StatusCode::CONFLICT);
            }
        };
        let (nap, whim) = (rand::rng().random_range(0..300), rand::rng().random_range(0..10));
        match whim {
            0..3 => complete().await,
            3..5 => {
                tokio::time::sleep(Duration::from_millis(nap)).await;
                post("/v1/leases/heartbeat".to_owned(), lease.beat(0.5)).await;
                complete().await;
            }
            5 => drop(post(lease.path("fail"), lease.failure("transient")).await),
            6 => drop(post(lease.path("release"), lease.proof()).await),
            7 => {}
            // Stopped for longer than its lease, then goes on as if nothing had happened.
            _ => {
                tokio::time::sleep(Duration::from_millis(1100 + nap)).await;
                complete().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_lost_and_no_stale_write_passes() {
    let Some(mut stack) = Stack::start().await else { return };
    let short = |url: &str| {
        let mut config = config(url, HintsConfig::Postgres);
        config.policy.lease_ttl = Duration::from_secs(1);
        config
    };
    // Both replicas with short leases; the first one of the stack only looks on.
    let (mut replicas, mut bases) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let running = jobs_repo::start(short(stack.database.url()), stack.shutdown.clone()).await.unwrap();
        bases.push(format!("http://{}", running.address));
        replicas.push(running);
    }
    stack.base = bases[0].clone();
    let bases: [String; 2] = bases.try_into().unwrap();
    let (accepted, stop) = (Accepted::default(), CancellationToken::new());
    let executors: Vec<_> = (0..6)
        .map(|_| tokio::spawn(misbehave(bases.clone(), stack.client.clone(), accepted.clone(), stop.clone())))
        .collect();
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(stack.make(&job(&format!("job {number}"))).await);
        if number % 7 == 6 {
            // Whatever it is doing by then: 200, 202 or 409.
            stack.post(&format!("/v1/jobs/{}/cancel", ids[number - 3]), &Value::Null).await;
        }
    }
    let mut jobs: Vec<Job> = Vec::new();
    for _ in 0..1200 {
        jobs = futures::future::join_all(ids.iter().map(|id| stack.job(*id))).await;
        if jobs.iter().all(|job| job.state.is_final()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    for executor in executors {
        executor.await.unwrap();
    }

    let accepted = accepted.lock().unwrap().clone();
    for job in &jobs {
        assert!(job.state.is_final(), "{job:?}");
        let accepted = accepted.get(&job.id.0).cloned().unwrap_or_default();
        let fences: Vec<i64> =
            sqlx::query_scalar("SELECT fence FROM jobs.attempts WHERE job_id = $1 ORDER BY number")
                .bind(job.id.0)
                .fetch_all(&stack.pool)
                .await
                .unwrap();
        assert!(fences.is_sorted_by(|earlier, later| earlier < later), "fences grow: {fences:?}");
        for (index, attempt) in job.attempts.iter().enumerate() {
            assert_eq!(usize::try_from(attempt.number).unwrap(), index + 1);
            assert!(attempt.outcome.is_some());
        }
        for pair in job.attempts.windows(2) {
            assert!(pair[0].ended_at.unwrap() <= pair[1].started_at, "one attempt at a time");
        }
        let counted =
            job.attempts.iter().filter(|attempt| attempt.outcome != Some(AttemptOutcome::Released)).count();
        assert!(counted <= usize::try_from(job.max_attempts).unwrap());
        if job.state == JobState::Succeeded {
            assert_eq!(accepted, [(*fences.last().unwrap(), job.result.as_ref().unwrap().montage_id.0)]);
        } else {
            assert_eq!(accepted, [], "{job:?}");
        }
    }
    stack.shutdown.cancel();
    for replica in replicas {
        replica.done.await.unwrap().unwrap();
    }
    stack.remove().await;
}

#[tokio::test]
async fn broken_connections_mend() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("before")).await;
    let held = stack.claim(Uuid::new_v4()).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(stack.count(cut).await > 0);

    // Everything works again: the sweeper, the relay and waiting claims. Answers in between are problems, not hangs.
    stack.let_expire(id).await;
    let next = loop {
        let body = json!({ "executor_id": Uuid::new_v4(), "executor_name": "x", "kinds": ["montage"], "wait_seconds": 5 });
        let (status, answer) = stack.post("/v1/leases", &body).await;
        match status {
            StatusCode::OK => break answer,
            StatusCode::NO_CONTENT => {}
            _ => assert!(matches!(answer["code"].as_str(), Some("unavailable" | "internal")), "{answer}"),
        }
    };
    assert_eq!((next["fence"].as_i64(), next["attempt"].as_i64()), (Some(held.fence + 1), Some(2)));
    for _ in 0..600 {
        if stack.count("SELECT count(*) FROM jobs.outbox WHERE sent_at IS NULL").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stack.count("SELECT count(*) FROM jobs.outbox WHERE sent_at IS NULL").await, 0);
    stack.remove().await;
}
