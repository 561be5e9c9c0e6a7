//! Changing jobs that have not ended.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stack, found_at, job};

async fn tag(stack: &Stack, id: Uuid) -> String {
    let response = stack.client.get(format!("{}/v1/jobs/{id}", stack.base)).send().await.unwrap();
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_is_changed_as_asked_and_no_further() {
    let Some(stack) = Stack::start().await else { return };
    let mut body = job("before");
    body["labels"] = json!({ "show": "weekly", "draft": "yes" });
    let id = stack.make(&body).await;
    let before = stack.job(id).await;

    let change = json!({ "title": " after ", "labels": { "draft": null, "season": "3" } });
    let (status, answer) = stack.patch(id, &change).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let after = stack.job(id).await;
    assert_eq!(answer, serde_json::to_value(&after).unwrap());
    assert_eq!((after.title.as_str(), after.priority), ("after", 0));
    assert_eq!(json!(after.labels), json!({ "show": "weekly", "season": "3" }));
    assert_eq!(
        (&after.spec, after.created_at, after.run_at),
        (&before.spec, before.created_at, before.run_at)
    );
    assert!(after.updated_at > before.updated_at);

    // What changes nothing is no change.
    let version = tag(&stack, id).await;
    for same in [json!({}), json!({ "title": "after", "priority": 0, "labels": { "nothing": null } })] {
        assert_eq!(stack.patch(id, &same).await.0, StatusCode::OK);
        assert_eq!(tag(&stack, id).await, version);
    }
    // While it runs too; its next attempt has the new title.
    let claimed = stack.claim(Uuid::new_v4()).await;
    assert_eq!(stack.patch(id, &json!({ "title": "later" })).await.1["state"], "running");
    stack.post(&claimed.path("release"), &claimed.proof()).await;
    let (_, next) = stack.claim_of("ada", &["montage"], None).await.unwrap();
    assert_eq!(next.title, "later");
    stack.remove().await;
}

#[tokio::test]
async fn the_line_is_as_it_was_changed() {
    let Some(stack) = Stack::start().await else { return };
    let mut ids = Vec::new();
    for title in ["a", "b", "c"] {
        ids.push(stack.make(&job(title)).await);
    }
    assert_eq!(stack.patch(ids[2], &json!({ "priority": 100 })).await.1["priority"], 100);
    assert_eq!(stack.patch(ids[0], &json!({ "priority": -100 })).await.1["priority"], -100);
    for expected in [ids[2], ids[1], ids[0]] {
        assert_eq!(stack.claim(Uuid::new_v4()).await.job, expected);
    }
    stack.remove().await;
}

#[tokio::test]
async fn parts_that_wait_follow_their_job() {
    let Some(stack) = Stack::start().await else { return };
    let (first, second) = (stack.make(&job("first")).await, stack.make(&job("second")).await);
    for number in 0..2_u8 {
        let leader = stack.claim(Uuid::new_v4()).await;
        let parts: Vec<Value> = (0..2)
            .map(|part| json!({ "key": format!("{:064x}", number * 2 + part), "segments": [part] }))
            .collect();
        let body =
            json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": {}, "parts": parts });
        assert_eq!(stack.post(&leader.path("parts"), &body).await.0, StatusCode::OK);
    }
    let part = async || {
        let (_, part) = stack.claim_of("ada", &["segment"], None).await.unwrap();
        (part.title, stack.job(part.job_id.0).await.priority)
    };
    assert_eq!(part().await, ("first".to_owned(), 1));
    let before = tag(&stack, second).await;
    assert_eq!(stack.patch(second, &json!({ "priority": 100, "title": "urgent" })).await.0, StatusCode::OK);
    assert_ne!(tag(&stack, second).await, before);
    assert_eq!(part().await, ("urgent".to_owned(), 100), "there is nothing higher");
    assert_eq!(part().await, ("urgent".to_owned(), 100));
    assert_eq!(part().await, ("first".to_owned(), 1));
    assert_eq!(stack.job(first).await.title, "first");
    stack.remove().await;
}

#[tokio::test]
async fn only_the_version_that_is_named_is_changed() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("contested")).await;
    let path = format!("/v1/jobs/{id}");
    let version = tag(&stack, id).await;
    let bodies: Vec<Value> = (0..12).map(|number| json!({ "title": format!("title {number}") })).collect();
    let headers = [("if-match", version.as_str())];
    let answers = futures::future::join_all(
        bodies.iter().map(|body| stack.send(Method::PATCH, &path, Some(body), &headers)),
    )
    .await;
    let done: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == StatusCode::OK).map(|(_, job)| job).collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    assert_eq!(json!(stack.job(id).await), *done[0]);
    for (status, problem) in answers.iter().filter(|(status, _)| *status != StatusCode::OK) {
        assert_eq!((status.as_u16(), problem["code"].as_str()), (412, Some("precondition_failed")));
    }
    let version = tag(&stack, id).await;
    let body = json!({ "priority": 1 });
    for (wanted, expected) in [
        (format!("W/{version}"), 412),
        (version.trim_matches('"').to_owned(), 412),
        ("\"v0\"".to_owned(), 412),
        (format!("\"v0\", {version}"), 200),
        ("*".to_owned(), 200),
    ] {
        let (status, _) = stack.send(Method::PATCH, &path, Some(&body), &[("if-match", &wanted)]).await;
        assert_eq!(status.as_u16(), expected, "{wanted}");
    }
    stack.remove().await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_every_mistake() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("as it is")).await;
    let body = json!({ "titel": "x", "title": "", "priority": 1000, "labels": { "BAD": "x", "good": "y" } });
    let (status, problem) = stack.patch(id, &body).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("invalid_spec")));
    assert_eq!(found_at(&problem), ["/titel", "/title", "/priority", "/labels/BAD"], "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("did you mean `title`?"));
    assert_eq!(stack.job(id).await.title, "as it is");

    let change = json!({ "title": "new" });
    assert_eq!(stack.patch(Uuid::now_v7(), &change).await.0, StatusCode::NOT_FOUND);
    // What has ended stays as it ended; sent again it can be changed again.
    stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    let (status, problem) = stack.patch(id, &change).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("conflict")), "{problem}");
    stack.post(&format!("/v1/jobs/{id}/retry"), &Value::Null).await;
    assert_eq!(stack.patch(id, &change).await.1["title"], "new");
    // What the services made themselves is theirs.
    let (_, plan) = stack.post("/v1/plans?wait_seconds=0", &job("a plan")).await;
    let plan = serde_json::from_value(plan["id"].clone()).unwrap();
    assert_eq!(stack.patch(plan, &change).await.0, StatusCode::CONFLICT);
    stack.remove().await;
}
