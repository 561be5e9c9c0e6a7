//! Plans: asked for, answered, refused, late, forgotten.

use contracts::spec::JobSpec;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Claimed, Stack, found_at, job};

fn plan() -> Value {
    json!({
        "plan_hash": "ab", "duration": 5.0, "frames": 150, "frames_encoded": 3, "bytes_to_fetch": 10,
        "canvas": { "codec": "h264", "width": 1280, "height": 720, "frame_rate": "30/1", "bit_depth": 8 },
        "clips": [{ "title": "T", "source": "https://media.example/a.mp4", "mode": "exact", "frames": 150,
                    "asked": { "start": 62.0, "duration": 5.0 }, "actual": { "start": 62.0, "duration": 5.0 },
                    "frames_encoded": 3, "frames_copied": 147, "differences": [], "reason": "It is as the canvas.",
                    "spans": [[0, 10], [30, 10]], "bytes": 20 }],
        "segments": [{ "index": 0, "clip": 0, "kind": "copy", "first_frame": 0, "frames": 150, "key": "cd" }] })
}

/// Claims the plan that is asked for, waiting for it.
async fn planner(stack: &Stack) -> Claimed {
    let (claimed, spec) = stack.claim_next("plan").await;
    let JobSpec::Plan { plan } = spec else { panic!("a plan") };
    assert_eq!(plan.highlights.len(), 1);
    claimed
}

#[tokio::test]
async fn a_plan_is_answered_to_those_who_wait_and_later() {
    let Some(stack) = Stack::start().await else { return };
    let whole = job("posted as a job");
    let spec_only = json!({ "spec": whole["spec"] });
    for body in [&whole, &spec_only] {
        let ((status, answer), id) = tokio::join!(stack.post("/v1/plans?wait_seconds=30", body), async {
            let lease = planner(&stack).await;
            // Only a plan is one.
            for unfit in [json!({ "frames": 1 }), json!("x".repeat(5 << 20))] {
                let (status, _) = stack.post(&lease.path("complete"), &lease.result(&unfit)).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            }
            let (status, _) = stack.post(&lease.path("complete"), &lease.result(&plan())).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
            lease.job
        });
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["id"], json!(id));
        assert_eq!((&answer["plan"]["clips"], &answer["plan"]["warnings"]), (&plan()["clips"], &json!([])));
        assert_eq!(stack.get(&format!("/v1/plans/{id}")).await, (StatusCode::OK, answer));
    }
    stack.remove().await;
}

#[tokio::test]
async fn a_plan_that_fails_says_why_and_where() {
    let Some(stack) = Stack::start().await else { return };
    let (missing, unlucky) = (job("no such file"), job("bad luck"));
    let (answer, id) = tokio::join!(stack.post("/v1/plans?wait_seconds=30", &missing), async {
        let lease = planner(&stack).await;
        let mut failure = lease.failure("permanent");
        failure["failure"] = json!({ "code": "source_missing", "message": "The file is not there.", "pointer": "/spec/highlights/0/source/url" });
        stack.post(&lease.path("fail"), &failure).await;
        lease.job
    });
    for (status, problem) in [answer, stack.get(&format!("/v1/plans/{id}")).await] {
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("source_missing")), "{problem}");
        assert_eq!(
            (&problem["type"], &problem["detail"]),
            (&json!("/docs/errors/plan-failed"), &json!("The file is not there."))
        );
        assert_eq!(problem["errors"][0]["pointer"], "/spec/highlights/0/source/url");
    }
    // Two executors in a row could not: that is told too.
    let (answer, ()) = tokio::join!(stack.post("/v1/plans?wait_seconds=30", &unlucky), async {
        for _ in 0..2 {
            let lease = planner(&stack).await;
            stack.post(&lease.path("fail"), &lease.failure("transient")).await;
        }
    });
    assert_eq!((answer.0.as_u16(), answer.1["code"].as_str()), (422, Some("worker_crashed")), "{}", answer.1);
    stack.remove().await;
}

#[tokio::test]
async fn a_plan_that_takes_longer_is_fetched_later_and_no_job_to_anybody() {
    let Some(stack) = Stack::start().await else { return };
    stack.make(&job("posted before")).await;
    let request = stack.client.post(format!("{}/v1/plans?wait_seconds=0", stack.base)).json(&job("late"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let path = response.headers()["location"].to_str().unwrap().to_owned();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(path, format!("/v1/plans/{}", answer["id"].as_str().unwrap()));
    assert!(answer.get("plan").is_none());
    assert_eq!(stack.get(&path).await.0, StatusCode::ACCEPTED);

    let (_, page) = stack.get("/v1/jobs").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let (_, page) = stack.get("/v1/jobs?kind=plan").await;
    assert_eq!((&page["items"][0]["id"], &page["items"][0]["priority"]), (&answer["id"], &json!(100)));
    assert_eq!(page["items"][0]["links"]["plan"], json!(path));
    let (_, stats) = stack.get("/v1/stats").await;
    assert_eq!((&stats["states"]["queued"], &stats["depth"]), (&json!(1), &json!(1)), "{stats}");
    assert!(stack.claim_of("ada", &["transcript", "segment"], None).await.is_none());

    let lease = planner(&stack).await;
    let waiting = format!("{path}?wait_seconds=30");
    let (later, _) = tokio::join!(stack.get(&waiting), async {
        stack.post(&lease.path("complete"), &lease.result(&plan())).await
    });
    assert_eq!((later.0, &later.1["plan"]["plan_hash"]), (StatusCode::OK, &json!("ab")));

    // Cancelled before anybody took it.
    let (_, other) = stack.post("/v1/plans?wait_seconds=0", &job("never mind")).await;
    let id = other["id"].as_str().unwrap();
    assert_eq!(stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await.0, StatusCode::OK);
    let (status, problem) = stack.get(&format!("/v1/plans/{id}")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    assert_eq!(stack.post(&format!("/v1/jobs/{id}/retry"), &Value::Null).await.0, StatusCode::CONFLICT);

    // Forgotten, lease and all, whether it was made or not. The job is not.
    let forget = async || {
        jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
        stack.count("SELECT count(*) FROM jobs.jobs").await
    };
    assert_eq!(forget().await, 3);
    let age = "UPDATE jobs.jobs SET created_at = now() - interval '61 minutes'";
    sqlx::query(age).execute(&stack.pool).await.unwrap();
    assert_eq!(forget().await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.leases").await, 0);
    assert_eq!(stack.get(&path).await.0, StatusCode::NOT_FOUND);
    stack.remove().await;
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_before_anybody_works() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("a job")).await;
    for (body, code, pointers) in [
        (
            json!({ "spec": { "highlights": [], "colour": 1 } }),
            "invalid_spec",
            vec!["/spec/colour", "/spec/highlights"],
        ),
        (json!({ "kind": "transcript", "spec": { "montage": id } }), "invalid_spec", vec!["/kind"]),
        (json!({}), "invalid_spec", vec!["/spec"]),
        (json!([]), "invalid_spec", vec![""]),
    ] {
        let (status, problem) = stack.post("/v1/plans", &body).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some(code)), "{body}: {problem}");
        assert_eq!(found_at(&problem), pointers, "{problem}");
    }
    for path in ["/v1/plans?wait_seconds=31", "/v1/plans?wait=1"] {
        assert_eq!(stack.post(path, &job("x")).await.1["code"], "invalid_query", "{path}");
    }
    // A job is no plan.
    assert_eq!(stack.send(Method::GET, &format!("/v1/plans/{id}"), None, &[]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs").await, 1);
    stack.remove().await;
}
