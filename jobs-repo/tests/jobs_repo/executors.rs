//! Who works, and how much work there is.

use contracts::executor::{Executor, Executors};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stack, job};

async fn list(stack: &Stack) -> Vec<Executor> {
    let (status, answer) = stack.get("/v1/executors").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    serde_json::from_value::<Executors>(answer).unwrap().items
}

async fn ask(stack: &Stack, executor: Uuid, name: &str, kinds: &[&str]) -> Value {
    let body = json!({ "executor_id": executor, "executor_name": name, "kinds": kinds });
    stack.post("/v1/leases", &body).await.1
}

async fn run(stack: &Stack, sql: &'static str) {
    sqlx::query(sql).execute(&stack.pool).await.unwrap();
}

#[tokio::test]
async fn executors_are_shown_with_what_they_hold() {
    let Some(stack) = Stack::start().await else { return };
    assert!(list(&stack).await.is_empty());
    let id = stack.make(&job("together")).await;
    let (ada, bob) = (Uuid::new_v4(), Uuid::new_v4());
    // One process asks for different kinds at different times.
    ask(&stack, ada, "ada", &["plan"]).await;
    let leased = ask(&stack, ada, "ada", &["montage", "transcript"]).await;
    let leader = crate::harness::Claimed { job: id, fence: leased["fence"].as_i64().unwrap(), executor: ada };
    let parts = json!({ "executor_id": ada, "fence": leader.fence, "plan": {},
                        "parts": [{ "key": "0".repeat(64), "segments": [1] }] });
    assert_eq!(stack.post(&leader.path("parts"), &parts).await.0, StatusCode::OK);
    ask(&stack, bob, "bob", &["segment"]).await;
    assert_eq!(stack.patch(id, &json!({ "title": "renamed" })).await.0, StatusCode::OK);
    stack.post("/v1/leases/heartbeat", &leader.beat(0.25)).await;

    let (_, text) = stack.get("/v1/executors").await;
    let text = text.to_string();
    assert!(!text.contains(&ada.to_string()) && !text.contains(&bob.to_string()), "their ids are secret");
    let shown = list(&stack).await;
    assert_eq!(shown.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);
    let kinds: Vec<_> = shown[0].kinds.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, ["montage", "transcript", "plan"]);
    let held = &shown[0].holds[0];
    assert_eq!(
        (shown[0].holds.len(), held.job_id.0, held.title.as_str(), held.attempt),
        (1, id, "renamed", 1)
    );
    assert_eq!(held.progress.as_ref().unwrap().fraction, 0.25);
    assert!(held.lease_expires_at > held.started_at);
    // A part is told by the job that it is part of, as that is called now.
    let part = &shown[1].holds[0];
    assert_eq!((part.kind.as_str(), part.title.as_str(), &part.progress), ("segment", "renamed", &None));
    assert_ne!(part.job_id.0, id);
    assert!(shown.iter().all(|one| one.alive));
    assert_eq!(stack.get("/v1/stats").await.1["executors_alive"], 2);
    stack.remove().await;
}

#[tokio::test]
async fn signs_of_life_are_noted_now_and_then_and_count_for_a_while() {
    let Some(stack) = Stack::start().await else { return };
    let (idle, busy) = (Uuid::new_v4(), Uuid::new_v4());
    stack.make(&job("long")).await;
    let leased = ask(&stack, busy, "busy", &["montage"]).await;
    let id = serde_json::from_value(leased["job_id"].clone()).unwrap();
    let lease = crate::harness::Claimed { job: id, fence: leased["fence"].as_i64().unwrap(), executor: busy };
    ask(&stack, idle, "idle", &["plan"]).await;
    let alive = async || {
        let shown = list(&stack).await;
        let alive: Vec<String> = shown.into_iter().filter(|one| one.alive).map(|one| one.name).collect();
        assert_eq!(stack.get("/v1/stats").await.1["executors_alive"], alive.len());
        alive
    };
    assert_eq!(alive().await, ["busy", "idle"]);

    // Noted of late: a claim and a heartbeat only read. In the future, so that no pause of this test can outlast it.
    let noted = "SELECT count(*) FROM jobs.executors WHERE seen_at > now() + interval '30 minutes'";
    run(&stack, "UPDATE jobs.executors SET seen_at = now() + interval '1 hour'").await;
    ask(&stack, idle, "idle", &["plan"]).await;
    stack.post("/v1/leases/heartbeat", &lease.beat(0.1)).await;
    assert_eq!(stack.count(noted).await, 2);
    // What is new is noted at once.
    ask(&stack, idle, "idle", &["segment"]).await;
    assert_eq!(stack.count(noted).await, 1);
    let kinds = list(&stack).await[1].kinds.clone();
    assert_eq!(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), ["plan", "segment"]);

    run(&stack, "UPDATE jobs.executors SET seen_at = now() - interval '2 hours'").await;
    assert_eq!(alive().await, ["busy"], "a lease is a sign of life");
    assert_eq!(list(&stack).await.len(), 2);
    stack.post("/v1/leases/heartbeat", &lease.beat(0.2)).await;
    assert_eq!(
        stack.count("SELECT count(*) FROM jobs.executors WHERE seen_at > now() - interval '1 hour'").await,
        1
    );
    stack.let_expire(id).await;
    stack.reaches(id, "retrying").await;
    assert!(list(&stack).await.iter().all(|one| one.holds.is_empty()));

    let forget = async || {
        jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
        list(&stack).await.len()
    };
    assert_eq!(forget().await, 2);
    run(&stack, "UPDATE jobs.executors SET seen_at = now() - interval '25 hours'").await;
    assert_eq!(forget().await, 0);
    stack.remove().await;
}

#[tokio::test]
async fn work_is_counted_by_kind_and_by_how_it_ended() {
    let Some(stack) = Stack::start().await else { return };
    let (_, stats) = stack.get("/v1/stats").await;
    let none = json!({ "montage": 0, "transcript": 0, "plan": 0, "segment": 0 });
    for (kind, count) in none.as_object().unwrap() {
        assert_eq!(&stats["waiting_by_kind"][kind], count, "{kind}");
    }
    let nothing = json!({ "succeeded": 0, "failed": 0, "dead": 0, "cancelled": 0 });
    assert_eq!((&stats["last_hour"], &stats["executors_alive"]), (&nothing, &json!(0)));

    // The highest first, so that each is claimed as it is made.
    let mut later = job("not yet");
    later["run_at"] = json!("2999-01-01T00:00:00Z");
    stack.make(&later).await;
    for reason in ["permanent", "cancelled", "succeeded", "old"] {
        let id = stack.make(&job(reason)).await;
        let claimed = stack.claim(Uuid::new_v4()).await;
        assert_eq!(claimed.job, id);
        if reason == "cancelled" {
            stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
        }
        let (status, _) = match reason {
            "permanent" | "cancelled" => stack.post(&claimed.path("fail"), &claimed.failure(reason)).await,
            _ => stack.post(&claimed.path("complete"), &claimed.completion(Uuid::now_v7())).await,
        };
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    run(&stack, "UPDATE jobs.jobs SET finished_at = now() - interval '61 minutes' WHERE title = 'old'").await;
    for _ in 0..2 {
        stack.make(&job("waiting")).await;
    }
    stack.post("/v1/plans?wait_seconds=0", &job("a plan")).await;
    let (_, plan) = stack.post("/v1/plans?wait_seconds=0", &job("a plan")).await;
    stack.post(&format!("/v1/jobs/{}/cancel", plan["id"].as_str().unwrap()), &Value::Null).await;
    let (_, stats) = stack.get("/v1/stats").await;
    assert_eq!(stats["last_hour"], json!({ "succeeded": 1, "failed": 1, "dead": 0, "cancelled": 1 }));
    assert_eq!(
        (&stats["waiting_by_kind"]["montage"], &stats["waiting_by_kind"]["plan"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stats["depth"], 2, "of the jobs that were posted");
    stack.remove().await;
}
