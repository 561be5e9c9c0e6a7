//! The ways of a job through its states: failing, dying, cancelling, being sent again.

use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Stack, job};

#[tokio::test]
async fn a_job_dies_of_its_budget_and_can_be_sent_again() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("unlucky")).await;
    // One budget for all reasons: an error, a lost lease, a deadline.
    let first = stack.claim(Uuid::new_v4()).await;
    assert_eq!(stack.post(&first.path("fail"), &first.failure("transient")).await.0, StatusCode::NO_CONTENT);
    let job = stack.job(id).await;
    assert_eq!((job.state.as_str(), job.failure.unwrap().code.as_str()), ("retrying", "worker_crashed"));
    stack.claim(Uuid::new_v4()).await;
    stack.let_expire(id).await;
    let third = stack.claim(Uuid::new_v4()).await;
    assert_eq!(stack.post(&third.path("fail"), &third.failure("deadline")).await.0, StatusCode::NO_CONTENT);

    let dead = stack.job(id).await;
    assert_eq!(dead.state.as_str(), "dead");
    assert!(dead.finished_at.is_some() && dead.failure.is_some());
    let outcomes: Vec<_> = dead.attempts.iter().map(|attempt| attempt.outcome.unwrap().as_str()).collect();
    assert_eq!(outcomes, ["error", "lease_lost", "deadline"]);
    assert!(stack.is_idle().await);

    let (status, again) = stack.post(&dead.links["retry"], &Value::Null).await;
    assert_eq!((status, again["state"].as_str()), (StatusCode::ACCEPTED, Some("queued")));
    assert_eq!(stack.post(&dead.links["retry"], &Value::Null).await.0, StatusCode::CONFLICT);
    for number in 4..=6 {
        let claimed = stack.claim(Uuid::new_v4()).await;
        assert_eq!(claimed.fence, number, "fences go on growing");
        assert_eq!(stack.job(id).await.attempts.last().unwrap().number, i32::try_from(number).unwrap());
        stack.post(&claimed.path("fail"), &claimed.failure("transient")).await;
    }
    assert_eq!(stack.job(id).await.state.as_str(), "dead");
    assert_eq!(stack.job(id).await.attempts.len(), 6);
    stack.remove().await;
}

#[tokio::test]
async fn a_permanent_failure_ends_it_and_a_release_costs_nothing() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("given back")).await;
    for _ in 0..5 {
        let claimed = stack.claim(Uuid::new_v4()).await;
        assert_eq!(stack.post(&claimed.path("release"), &claimed.proof()).await.0, StatusCode::NO_CONTENT);
        assert_eq!(stack.job(id).await.state.as_str(), "queued");
    }
    let claimed = stack.claim(Uuid::new_v4()).await;
    assert_eq!(
        stack.post(&claimed.path("fail"), &claimed.failure("permanent")).await.0,
        StatusCode::NO_CONTENT
    );
    let failed = stack.job(id).await;
    assert_eq!((failed.state.as_str(), failed.attempts.len()), ("failed", 6));
    assert_eq!(failed.attempts[0].outcome.unwrap().as_str(), "released");
    assert_eq!(
        failed.failure.unwrap().message,
        "The worker crashed.",
        "without what the database cannot hold"
    );
    stack.remove().await;
}

#[tokio::test]
async fn jobs_are_cancelled_wherever_they_are() {
    let Some(stack) = Stack::start().await else { return };
    let cancel = |id: Uuid| format!("/v1/jobs/{id}/cancel");

    let waiting = stack.make(&job("waiting")).await;
    let (status, answer) = stack.post(&cancel(waiting), &Value::Null).await;
    assert_eq!((status, answer["state"].as_str()), (StatusCode::OK, Some("cancelled")));
    assert_eq!(stack.post(&cancel(waiting), &Value::Null).await.0, StatusCode::CONFLICT);
    assert!(stack.is_idle().await, "a cancelled job is not claimed");

    // Told by the next heartbeat, and reported.
    let running = stack.make(&job("running")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    for _ in 0..2 {
        let (status, answer) = stack.post(&cancel(running), &Value::Null).await;
        assert_eq!((status, answer["cancel_requested"].as_bool()), (StatusCode::ACCEPTED, Some(true)));
    }
    let (_, beat) = stack.post("/v1/leases/heartbeat", &claimed.beat(0.1)).await;
    assert_eq!(beat["leases"][0]["verdict"], "cancel");
    stack.post(&claimed.path("fail"), &claimed.failure("cancelled")).await;
    let ended = stack.job(running).await;
    assert_eq!((ended.state.as_str(), ended.cancel_requested), ("cancelled", false));
    assert_eq!(ended.attempts[0].outcome.unwrap().as_str(), "cancelled");

    // Its executor died before it could be told: the sweeper cancels it instead of trying again.
    let orphan = stack.make(&job("orphan")).await;
    stack.claim(Uuid::new_v4()).await;
    stack.post(&cancel(orphan), &Value::Null).await;
    stack.let_expire(orphan).await;
    assert_eq!(stack.reaches(orphan, "cancelled").await.attempts[0].outcome.unwrap().as_str(), "lease_lost");

    // The result was faster.
    let fast = stack.make(&job("fast")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&cancel(fast), &Value::Null).await;
    stack.post(&claimed.path("complete"), &claimed.completion(Uuid::now_v7())).await;
    assert_eq!(stack.job(fast).await.state.as_str(), "succeeded");
    assert_eq!(stack.post(&cancel(fast), &Value::Null).await.0, StatusCode::CONFLICT);
    assert_eq!(stack.post(&format!("/v1/jobs/{fast}/retry"), &Value::Null).await.0, StatusCode::CONFLICT);

    let (status, again) = stack.post(&format!("/v1/jobs/{waiting}/retry"), &Value::Null).await;
    assert_eq!((status, again["state"].as_str()), (StatusCode::ACCEPTED, Some("queued")));
    for verb in ["cancel", "retry"] {
        let (status, _) = stack.post(&format!("/v1/jobs/{}/{verb}", Uuid::now_v7()), &Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    stack.remove().await;
}

#[tokio::test]
async fn the_database_itself_keeps_final_states() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("done")).await;
    let claimed = stack.claim(Uuid::new_v4()).await;
    stack.post(&claimed.path("complete"), &claimed.completion(Uuid::now_v7())).await;
    for state in ["queued", "running", "failed", "dead", "cancelled"] {
        let finished = if matches!(state, "queued" | "running") { "NULL" } else { "now()" };
        let sql = format!(
            "UPDATE jobs.jobs SET state = '{state}', montage_id = NULL, finished_at = {finished} WHERE id = '{id}'"
        );
        let error = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&stack.pool).await.unwrap_err().to_string();
        assert!(error.contains("is final"), "{state}: {error}");
    }
    stack.remove().await;
}
