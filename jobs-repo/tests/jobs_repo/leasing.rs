//! Claims, heartbeats, and executors that come back from the dead.

use jobs_repo::HintsConfig;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::harness::{Stack, config, job};

#[tokio::test]
async fn each_job_is_given_once() {
    let Some(stack) = Stack::start().await else { return };
    let batch: Vec<Value> = (0..40).map(|number| job(&format!("job {number}"))).collect();
    stack.post("/v1/jobs", &json!(batch)).await;
    let claims = futures::future::join_all((0..40).map(|_| stack.claim(Uuid::new_v4()))).await;
    let jobs: BTreeSet<Uuid> = claims.iter().map(|claimed| claimed.job).collect();
    assert_eq!(jobs.len(), 40);
    assert!(claims.iter().all(|claimed| claimed.fence == 1));
    assert!(stack.is_idle().await);
    stack.remove().await;
}

#[tokio::test]
async fn the_line_is_by_priority_then_age_and_heeds_run_at_and_kind() {
    let Some(stack) = Stack::start().await else { return };
    for (title, priority, run_at) in [
        ("third", 0, json!(null)),
        ("fourth", 0, json!("2001-01-01T00:00:00Z")),
        ("second", 5, json!(null)),
        ("never", 100, json!("2999-01-01T00:00:00Z")),
        ("first", 9, json!(null)),
    ] {
        let mut body = job(title);
        body["priority"] = json!(priority);
        body["run_at"] = run_at;
        stack.make(&body).await;
    }
    let other = json!({ "executor_id": Uuid::new_v4(), "executor_name": "x", "kinds": ["transcript"] });
    assert_eq!(stack.post("/v1/leases", &other).await.0, StatusCode::NO_CONTENT);
    for expected in ["first", "second", "third", "fourth"] {
        let claimed = stack.claim(Uuid::new_v4()).await;
        assert_eq!(stack.job(claimed.job).await.title, expected);
    }
    assert!(stack.is_idle().await);

    for (body, pointer) in [
        (
            json!({ "executor_id": Uuid::new_v4(), "executor_name": "", "kinds": ["montage"] }),
            "/executor_name",
        ),
        (json!({ "executor_id": Uuid::new_v4(), "executor_name": "x", "kinds": [] }), "/kinds"),
        (
            json!({ "executor_id": Uuid::new_v4(), "executor_name": "x", "kinds": ["montage"], "wait_seconds": 31 }),
            "/wait_seconds",
        ),
    ] {
        let (status, problem) = stack.post("/v1/leases", &body).await;
        assert_eq!((status.as_u16(), problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)));
    }
    stack.remove().await;
}

#[tokio::test]
async fn a_waiting_claim_gets_the_job_that_is_posted() {
    let Some(stack) = Stack::start().await else { return };
    // Posted on another replica.
    let mut elsewhere = Stack::start_on(stack.stop().await, HintsConfig::Postgres).await;
    let here =
        jobs_repo::start(config(elsewhere.database.url(), HintsConfig::Postgres), elsewhere.shutdown.clone());
    let here = here.await.unwrap();
    let base = std::mem::replace(&mut elsewhere.base, format!("http://{}", here.address));
    let stack = elsewhere;
    let (claimed, id) = tokio::join!(stack.claim(Uuid::new_v4()), async {
        let response = stack.client.post(format!("{base}/v1/jobs")).json(&job("late")).send().await.unwrap();
        let made: Value = response.json().await.unwrap();
        serde_json::from_value::<Uuid>(made["id"].clone()).unwrap()
    });
    assert_eq!(claimed.job, id);
    stack.remove().await;
}

#[tokio::test]
async fn zombies_change_nothing() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("contested")).await;
    let zombie = stack.claim(Uuid::new_v4()).await;
    stack.let_expire(id).await;
    // Refused from the moment on which the lease ran out, swept up or not.
    let (status, problem) = stack.post(&zombie.path("complete"), &zombie.completion(Uuid::now_v7())).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("stale_fence")));

    let holder = stack.claim(Uuid::new_v4()).await;
    assert_eq!(holder.job, id);
    assert!(holder.fence > zombie.fence);

    let montage = Uuid::now_v7();
    let impostor = crate::harness::Claimed { executor: zombie.executor, ..holder };
    let zombies = [zombie, impostor, crate::harness::Claimed { fence: zombie.fence, ..holder }];
    let attacks = futures::future::join_all((0..30).map(|number| {
        let (zombie, stack) = (zombies[number % 3], &stack);
        async move {
            match (number / 3) % 5 {
                0 => stack.post(&zombie.path("complete"), &zombie.completion(Uuid::now_v7())).await,
                1 => stack.post(&zombie.path("fail"), &zombie.failure("permanent")).await,
                2 => stack.post(&zombie.path("release"), &zombie.proof()).await,
                3 => stack.post(&zombie.path("check"), &zombie.proof()).await,
                _ => {
                    let (status, answer) = stack.post("/v1/leases/heartbeat", &zombie.beat(0.9)).await;
                    assert_eq!(
                        (status, answer["leases"][0]["verdict"].as_str()),
                        (StatusCode::OK, Some("lost"))
                    );
                    (StatusCode::CONFLICT, json!({ "code": "stale_fence" }))
                }
            }
        }
    }));
    let defence = async {
        let (status, beat) = stack.post("/v1/leases/heartbeat", &holder.beat(0.5)).await;
        assert_eq!((status, beat["leases"][0]["verdict"].as_str()), (StatusCode::OK, Some("held")), "{beat}");
        assert_eq!(stack.post(&holder.path("check"), &holder.proof()).await.0, StatusCode::NO_CONTENT);
        stack.post(&holder.path("complete"), &holder.completion(montage)).await
    };
    let (attacks, (status, _)) = tokio::join!(attacks, defence);
    assert_eq!(status, StatusCode::NO_CONTENT);
    for (status, problem) in attacks {
        assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("stale_fence")));
    }

    let job = stack.job(id).await;
    assert_eq!(job.state.as_str(), "succeeded");
    assert_eq!(job.result.unwrap().montage_id.0, montage);
    let outcomes: Vec<_> = job.attempts.iter().map(|attempt| attempt.outcome.unwrap().as_str()).collect();
    assert_eq!(outcomes, ["lease_lost", "succeeded"]);

    // The holder's own completion, sent again because its answer was lost, is answered like the first.
    assert_eq!(
        stack.post(&holder.path("complete"), &holder.completion(montage)).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        stack.post(&holder.path("complete"), &holder.completion(Uuid::now_v7())).await.0,
        StatusCode::CONFLICT
    );
    assert_eq!(stack.post(&holder.path("fail"), &holder.failure("permanent")).await.0, StatusCode::CONFLICT);
    assert_eq!(stack.job(id).await.state.as_str(), "succeeded");
    stack.remove().await;
}

#[tokio::test]
async fn heartbeats_carry_progress_forward_and_never_pass_the_deadline() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("long")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    for (sent, shown) in [(0.25, 0.25), (0.75, 0.75), (0.5, 0.75), (7.0, 1.0)] {
        let (_, answer) = stack.post("/v1/leases/heartbeat", &claimed.beat(sent)).await;
        assert_eq!(answer["leases"][0]["verdict"], "held");
        assert!(answer["leases"][0]["lease_milliseconds"].as_u64().unwrap() > 500_000);
        let fraction = stack.job(id).await.progress.unwrap().fraction;
        assert!((fraction - shown).abs() < 1e-9, "{sent}: {fraction}");
    }

    // A quarter of an hour before the deadline a lease of ten minutes fits; a minute before it only that minute does.
    let set = "UPDATE jobs.attempts SET deadline_at = now() + interval '1 minute'";
    sqlx::query(set).execute(&stack.pool).await.unwrap();
    let (_, answer) = stack.post("/v1/leases/heartbeat", &claimed.beat(1.0)).await;
    let left = answer["leases"][0]["lease_milliseconds"].as_u64().unwrap();
    assert!(left <= 60_000, "{left}");

    let set = "UPDATE jobs.attempts SET deadline_at = now() - interval '1 second'";
    sqlx::query(set).execute(&stack.pool).await.unwrap();
    stack.let_expire(id).await;
    let (_, answer) = stack.post("/v1/leases/heartbeat", &claimed.beat(1.0)).await;
    assert_eq!(answer["leases"][0]["verdict"], "lost");
    let next = stack.claim(Uuid::new_v4()).await;
    assert_eq!((next.job, next.fence), (id, 2));
    let job = stack.job(id).await;
    assert_eq!(job.attempts[0].outcome.unwrap().as_str(), "deadline");
    assert_eq!(job.attempts[0].failure.as_ref().unwrap().code, "deadline");
    assert!(job.progress.is_none(), "a new attempt starts from nothing");
    stack.remove().await;
}
