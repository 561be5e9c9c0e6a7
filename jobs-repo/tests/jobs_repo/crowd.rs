//! Leaders and makers of parts that come and go at once: nobody waits in a circle, and nothing is left over.

use contracts::lease::ClaimedJob;
use rand::{RngExt, seq::IndexedRandom};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

use crate::harness::{Claimed, Stack, job};

const ROUNDS: usize = 60;
const MONTAGES: usize = 3;

/// Posts, and sees that whatever is answered is an answer: a deadlock would be a 500.
async fn post(stack: &Stack, path: &str, body: &Value) -> (StatusCode, Value) {
    let (status, answer) = stack.post(path, body).await;
    assert!(!status.is_server_error(), "{path}: {answer}");
    (status, answer)
}

fn parts(leader: &Claimed) -> Value {
    // Those of one leader overlap with those of the next.
    let first = rand::rng().random_range(0..4);
    let parts: Vec<Value> = (first..first + 6)
        .map(|number| json!({ "key": format!("{number:064x}"), "segments": [number] }))
        .collect();
    json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": { "first": first }, "parts": parts })
}

/// An executor that leads and makes parts of whatever it gets, in no order at all.
async fn work(stack: Arc<Stack>) {
    let executor = Uuid::new_v4();
    let mut leads: Vec<Claimed> = Vec::new();
    let mut makes: Vec<Claimed> = Vec::new();
    for _ in 0..ROUNDS {
        let whim = rand::rng().random_range(0..13);
        let lead = leads.choose(&mut rand::rng()).copied();
        let make = makes.choose(&mut rand::rng()).copied();
        match (whim, lead, make) {
            (0..4, ..) => {
                let body = json!({ "executor_id": executor, "executor_name": "crowd", "kinds": ["montage", "segment"] });
                let (status, answer) = post(&stack, "/v1/leases", &body).await;
                if status == StatusCode::OK {
                    let claimed: ClaimedJob = serde_json::from_value(answer).unwrap();
                    let lease = Claimed { job: claimed.job_id.0, fence: claimed.fence, executor };
                    if claimed.kind.is_posted() {
                        post(&stack, &lease.path("parts"), &parts(&lease)).await;
                        leads.push(lease);
                    } else {
                        makes.push(lease);
                    }
                }
            }
            (4..7, ..) => {
                // The newest first: the other way round than rows are locked.
                let beats: Vec<Value> = makes
                    .iter()
                    .rev()
                    .chain(leads.iter().rev())
                    .map(|lease| lease.beat(0.5)["leases"][0].clone())
                    .collect();
                post(&stack, "/v1/leases/heartbeat", &json!({ "executor_id": executor, "leases": beats }))
                    .await;
            }
            (7, Some(lead), _) => drop(post(&stack, &lead.path("parts"), &parts(&lead)).await),
            (8, Some(lead), _) => drop(post(&stack, &lead.path("release"), &lead.proof()).await),
            (9, Some(lead), _) => stack.let_expire(lead.job).await,
            (12, Some(lead), _) => {
                let body = json!({ "priority": rand::rng().random_range(-100..=100) });
                let (status, answer) = stack.patch(lead.job, &body).await;
                assert!(!status.is_server_error(), "{answer}");
            }
            (10, _, Some(make)) => drop(post(&stack, &make.path("fail"), &make.failure("transient")).await),
            (11, _, Some(make)) => drop(post(&stack, &make.path("complete"), &make.result(&json!(1))).await),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_and_parts_never_wait_in_a_circle() {
    let Some(stack) = Stack::start().await else { return };
    let mut ids = Vec::new();
    for number in 0..MONTAGES {
        ids.push(stack.make(&job(&format!("montage {number}"))).await);
    }
    let stack = Arc::new(stack);
    let crowd: Vec<_> = (0..6).map(|_| tokio::spawn(work(Arc::clone(&stack)))).collect();
    for one in crowd {
        one.await.unwrap();
    }
    // Everybody goes home: no part outlives its montage.
    for id in ids {
        post(&stack, &format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    }
    let waiting = "SELECT count(*) FROM jobs.jobs WHERE kind = 'segment' AND state IN ('queued', 'retrying')";
    assert_eq!(stack.count(waiting).await, 0);
    let told = "SELECT count(*) FROM jobs.jobs WHERE kind = 'segment' AND state = 'running' AND NOT cancel_requested";
    assert_eq!(stack.count(told).await, 0);
    sqlx::query("UPDATE jobs.leases SET expires_at = now() - interval '1 second' WHERE owner IS NOT NULL")
        .execute(&stack.pool)
        .await
        .unwrap();
    let open = "SELECT count(*) FROM jobs.jobs WHERE finished_at IS NULL";
    for _ in 0..600 {
        if stack.count(open).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stack.count(open).await, 0);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.attempts WHERE ended_at IS NULL").await, 0);
    Arc::into_inner(stack).unwrap().remove().await;
}
