//! Posting, listing and looking.

use contracts::job::JobPage;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::harness::{Stack, job};

#[tokio::test]
async fn many_posts_under_one_key_make_one_job() {
    let Some(stack) = Stack::start().await else { return };
    let body = job("once");
    let headers = [("idempotency-key", "weekly-1"), ("x-sm-key", "key-a")];
    let posts = (0..24).map(|_| stack.send(Method::POST, "/v1/jobs", Some(&body), &headers));
    let answers = futures::future::join_all(posts).await;
    let ids: BTreeSet<String> = answers
        .iter()
        .map(|(status, job)| {
            assert_eq!(*status, StatusCode::ACCEPTED, "{job}");
            job["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 1, "all answer the same job");
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs").await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.outbox").await, 1);

    // The same in another order of names is the same; anything else is not.
    let reordered: Value =
        serde_json::from_str(&format!(r#"{{"title":"once","spec":{},"kind":"montage"}}"#, body["spec"]))
            .unwrap();
    let (status, again) = stack.send(Method::POST, "/v1/jobs", Some(&reordered), &headers).await;
    assert_eq!((status, ids.contains(again["id"].as_str().unwrap())), (StatusCode::ACCEPTED, true));
    let (status, problem) = stack.send(Method::POST, "/v1/jobs", Some(&job("other")), &headers).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("idempotency_conflict")));
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs").await, 1);

    // Keys belong to their caller, and are forgotten after forty days.
    let others = [("idempotency-key", "weekly-1"), ("x-sm-key", "key-b")];
    let (status, other) = stack.send(Method::POST, "/v1/jobs", Some(&job("other")), &others).await;
    assert_eq!((status, ids.contains(other["id"].as_str().unwrap())), (StatusCode::ACCEPTED, false));
    sqlx::query("UPDATE jobs.idempotency_keys SET created_at = now() - interval '41 days'")
        .execute(&stack.pool)
        .await
        .unwrap();
    let (status, _) = stack.send(Method::POST, "/v1/jobs", Some(&job("other")), &headers).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(stack.count("SELECT count(*) FROM jobs.jobs").await, 3);

    let (status, _) =
        stack.send(Method::POST, "/v1/jobs", Some(&body), &[("idempotency-key", "with space")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    stack.remove().await;
}

#[tokio::test]
async fn every_mistake_is_answered_with_its_place_and_nothing_is_stored() {
    let Some(stack) = Stack::start().await else { return };
    let highlight = json!({ "source": { "url": "https://media.example/a.mp4" }, "start": 1, "duration": 2 });
    let with = |spec: Value| json!({ "kind": "montage", "spec": spec });
    let cases: Vec<(Value, &str, Vec<&str>)> = vec![
        (json!([]), "invalid_spec", vec![""]),
        (json!("x"), "invalid_spec", vec![""]),
        (json!({ "kind": "opera", "spec": {} }), "unknown_kind", vec![]),
        (json!({ "spec": { "highlights": [highlight] } }), "invalid_spec", vec!["/kind"]),
        (json!({ "kind": "montage" }), "invalid_spec", vec!["/spec"]),
        (with(json!({ "highlights": [] })), "invalid_spec", vec!["/spec/highlights"]),
        (with(json!({ "highlights": [highlight], "cutt": {} })), "invalid_spec", vec!["/spec/cutt"]),
        (
            json!({ "kind": "montage", "priority": 101, "run_at": "soon", "labels": { "A": "b" }, "title": 3,
                    "spec": { "highlights": [ { "source": {}, "start": "x" }, { "start": -1, "end": 2 } ] } }),
            "invalid_spec",
            vec![
                "/priority",
                "/run_at",
                "/labels/A",
                "/title",
                "/spec/highlights/0/source",
                "/spec/highlights/0/start",
                "/spec/highlights/0",
                "/spec/highlights/1/source",
                "/spec/highlights/1/start",
            ],
        ),
        (
            json!([job("fine"), { "kind": "opera" }, with(json!({ "highlights": [ { "source": { "url": "ftp://x/y" }, "start": 0, "end": 1 } ] }))]),
            "invalid_spec",
            vec!["/1/kind", "/2/spec/highlights/0/source/url"],
        ),
    ];
    for (body, code, pointers) in cases {
        let (status, problem) = stack.post("/v1/jobs", &body).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some(code)), "{body}: {problem}");
        let found: BTreeSet<&str> = problem["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|error| error["pointer"].as_str())
            .collect();
        assert_eq!(found, pointers.into_iter().collect(), "{body}: {problem}");
    }

    for (body, kind, status, code) in [
        ("{\"kind\":", "application/json", 400, "invalid_json"),
        ("kind=montage", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (&format!("\"{}\"", "x".repeat(3 << 20)), "application/json", 413, "too_large"),
    ] {
        let request = stack.client.post(format!("{}/v1/jobs", stack.base)).header("content-type", kind);
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.status().as_u16(), status);
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], code);
    }
    for table in ["SELECT count(*) FROM jobs.jobs", "SELECT count(*) FROM jobs.outbox"] {
        assert_eq!(stack.count(table).await, 0, "{table}");
    }
    stack.remove().await;
}

#[tokio::test]
async fn a_job_is_answered_whole() {
    let Some(stack) = Stack::start().await else { return };
    let mut body = job("Best of the week");
    body["labels"] = json!({ "show": "weekly" });
    body["priority"] = json!(7);
    let response = stack.client.post(format!("{}/v1/jobs", stack.base)).json(&body).send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let posted: Value = response.json().await.unwrap();
    assert_eq!(location, format!("/v1/jobs/{}", posted["id"].as_str().unwrap()));

    let response = stack.client.get(format!("{}{location}", stack.base)).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let found: Value = response.json().await.unwrap();
    assert_eq!(found, posted);
    assert_eq!((found["state"].as_str(), found["priority"].as_i64()), (Some("queued"), Some(7)));
    assert_eq!(found["labels"], body["labels"]);
    assert_eq!(found["spec"]["highlights"][0]["start"]["seconds"], 62.0);
    assert_eq!(found["links"]["cancel"], format!("{location}/cancel"));

    let (status, _) = stack.send(Method::GET, &location, None, &[("if-none-match", &tag)]).await;
    assert_eq!(status, StatusCode::NOT_MODIFIED);
    let (status, _) = stack.post(&format!("{location}/cancel"), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let (status, changed) = stack.send(Method::GET, &location, None, &[("if-none-match", &tag)]).await;
    assert_eq!((status, changed["state"].as_str()), (StatusCode::OK, Some("cancelled")));

    for path in ["/v1/jobs/0196f3a0-0000-7000-8000-000000000000", "/v1/jobs/x", "/v1/nothing"] {
        let (status, problem) = stack.get(path).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")), "{path}");
    }
    let (_, stats) = stack.get("/v1/stats").await;
    assert_eq!(
        (stats["states"]["cancelled"].as_i64(), stats["depth"].as_i64()),
        (Some(1), Some(0)),
        "{stats}"
    );
    stack.remove().await;
}

async fn page(stack: &Stack, query: &str) -> JobPage {
    let (status, page) = stack.get(&format!("/v1/jobs?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    serde_json::from_value(page).unwrap()
}

#[tokio::test]
async fn pages_are_stable_while_jobs_are_posted() {
    let Some(stack) = Stack::start().await else { return };
    // One list: all posted at the same moment, so that only the id tells them apart.
    let batch: Vec<Value> = (0..23).map(|number| job(&format!("job {number}"))).collect();
    let (status, made) = stack.post("/v1/jobs", &json!(batch)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let mut expected: Vec<String> =
        made.as_array().unwrap().iter().map(|job| job["title"].as_str().unwrap().to_owned()).collect();
    assert_eq!(expected[22], "job 22", "a list is answered in its order");
    expected.reverse();

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = page(&stack, &format!("limit=5{cursor}")).await;
        seen.extend(page.items.into_iter().map(|job| job.title));
        stack.make(&job("a newer one")).await;
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    stack.remove().await;
}

#[tokio::test]
async fn lists_are_filtered() {
    let Some(stack) = Stack::start().await else { return };
    let mut labelled = job("labelled");
    labelled["labels"] = json!({ "show": "weekly", "odd": "a=b:c" });
    let labelled = stack.make(&labelled).await;
    let plain = stack.make(&job("plain")).await;
    stack.post(&format!("/v1/jobs/{plain}/cancel"), &Value::Null).await;
    let since = stack.job(labelled).await.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    for (query, titles) in [
        ("", vec!["plain", "labelled"]),
        ("state=queued", vec!["labelled"]),
        ("state=cancelled,dead", vec!["plain"]),
        ("kind=montage&state=running", vec![]),
        ("kind=transcript", vec![]),
        ("label=show:weekly", vec!["labelled"]),
        ("label=odd%3Da%3Db:c", vec!["labelled"]),
        ("label=show:daily", vec![]),
        (&format!("since={since}"), vec!["plain", "labelled"]),
        ("since=2999-01-01T00:00:00Z", vec![]),
    ] {
        let found: Vec<String> = page(&stack, query).await.items.into_iter().map(|job| job.title).collect();
        assert_eq!(found, titles, "{query}");
    }
    let next = page(&stack, "limit=1").await.next_cursor.unwrap();
    for (query, code) in [
        ("state=quewed".to_owned(), "invalid_query"),
        ("limit=0".to_owned(), "invalid_query"),
        ("since=yesterday".to_owned(), "invalid_query"),
        ("label=none".to_owned(), "invalid_query"),
        ("colour=red".to_owned(), "invalid_query"),
        (format!("state=queued&cursor={next}"), "invalid_cursor"),
        ("cursor=zzz".to_owned(), "invalid_cursor"),
    ] {
        let (status, problem) = stack.get(&format!("/v1/jobs?{query}")).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (400, Some(code)), "{query}: {problem}");
    }
    stack.remove().await;
}
