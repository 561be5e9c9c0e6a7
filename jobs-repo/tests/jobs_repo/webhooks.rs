//! Webhooks as they are made, shown, changed and forgotten.

use contracts::webhook::{Delivery, DeliveryPage};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Stack, found_at};

/// A webhook to an address that nothing is ever sent to here.
fn webhook() -> Value {
    json!({ "url": "https://hooks.example/montages?token=abc", "events": ["job.succeeded"], "description": " the bot " })
}

async fn make(stack: &Stack) -> String {
    let (status, made) = stack.post("/v1/webhooks", &webhook()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    format!("/v1/webhooks/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let Some(stack) = Stack::start().await else { return };
    let (status, made) = stack.post("/v1/webhooks", &webhook()).await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{made}");
    assert_eq!((&made["description"], &made["enabled"]), (&json!("the bot"), &json!(true)));
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let patched = stack.send(Method::PATCH, &path, Some(&json!({ "enabled": false })), &[]).await.1;
    for answer in [patched, stack.get(&path).await.1, stack.get("/v1/webhooks").await.1] {
        assert!(!answer.to_string().contains("secret\":"), "{answer}");
        assert!(!answer.to_string().contains("whsec_"), "{answer}");
    }
    stack.remove().await;
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let Some(stack) = Stack::start().await else { return };
    for (body, pointers) in [
        (json!([]), vec![""]),
        (json!({}), vec!["/url", "/events"]),
        (
            json!({ "url": "ftp://hooks.example/", "events": ["job.done", "webhook.test"], "descripton": "x", "enabled": 1 }),
            vec!["/descripton", "/url", "/events/0", "/events/1", "/enabled"],
        ),
        (json!({ "url": "https://ann:pw@hooks.example/", "events": [] }), vec!["/url", "/events"]),
        (json!({ "url": "https://hooks.example/#top", "events": ["job.dead"] }), vec!["/url"]),
        (json!({ "url": "hooks.example", "events": "job.dead" }), vec!["/url", "/events"]),
        (
            json!({ "url": " ", "events": ["job.dead"], "description": "x".repeat(201) }),
            vec!["/url", "/description"],
        ),
        (json!({ "url": 7, "events": [7] }), vec!["/url", "/events/0"]),
        (
            json!({ "url": format!("https://hooks.example/{}", "x".repeat(2000)), "events": ["job.dead"] }),
            vec!["/url"],
        ),
        // What the guard says is told with the rest.
        (json!({ "url": "http://10.0.0.1/", "events": ["job.succeded"] }), vec!["/events/0", "/url"]),
    ] {
        let (status, problem) = stack.post("/v1/webhooks", &body).await;
        assert_eq!(
            (status.as_u16(), problem["code"].as_str()),
            (422, Some("invalid_spec")),
            "{body}: {problem}"
        );
        assert_eq!(found_at(&problem), pointers, "{problem}");
    }
    assert_eq!(stack.count("SELECT count(*) FROM jobs.webhooks").await, 0);

    let path = make(&stack).await;
    for (patch, pointers) in [
        (json!([]), vec![""]),
        (json!({ "url": null }), vec!["/url"]),
        (json!({ "events": [], "id": 1 }), vec!["/id", "/events"]),
    ] {
        let (status, problem) = stack.send(Method::PATCH, &path, Some(&patch), &[]).await;
        assert_eq!(status.as_u16(), 422, "{patch}: {problem}");
        assert_eq!(found_at(&problem), pointers, "{problem}");
    }
    for path in
        ["/v1/webhooks?limit=0", "/v1/webhooks?colour=red", &format!("{path}/deliveries?state=failed")]
    {
        let (status, problem) = stack.get(path).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (400, Some("invalid_query")), "{path}");
    }
    stack.remove().await;
}

#[tokio::test]
async fn webhooks_are_changed_by_one_at_a_time_and_deleted() {
    let Some(stack) = Stack::start().await else { return };
    let path = make(&stack).await;
    let get = stack.client.get(format!("{}{path}", stack.base)).send().await.unwrap();
    let tag = get.headers()[header::ETAG].to_str().unwrap().to_owned();
    let patch = json!({ "description": null, "events": ["job.dead", "job.failed"] });
    let tagged = [("if-match", tag.as_str())];
    let (status, changed) = stack.send(Method::PATCH, &path, Some(&patch), &tagged).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(
        (&changed["description"], &changed["events"], &changed["url"]),
        (&Value::Null, &json!(["job.failed", "job.dead"]), &webhook()["url"])
    );
    let (status, problem) = stack.send(Method::PATCH, &path, Some(&patch), &tagged).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (412, Some("precondition_failed")));

    assert_eq!(stack.send(Method::DELETE, &path, None, &[]).await.0, StatusCode::NO_CONTENT);
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::GET, path.clone()),
        (Method::POST, format!("{path}/rotate")),
        (Method::POST, format!("{path}/test")),
        (Method::GET, format!("{path}/deliveries")),
        (Method::POST, format!("{path}/deliveries/{}/retry", Uuid::new_v4())),
        (Method::GET, "/v1/webhooks/none".to_owned()),
    ] {
        let (status, problem) = stack.send(method.clone(), &path, None, &[]).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (404, Some("not_found")), "{method} {path}");
    }
    let (status, _) = stack.send(Method::PATCH, &path, Some(&json!({})), &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    stack.remove().await;
}

#[tokio::test]
async fn there_are_a_hundred_at_most() {
    let Some(stack) = Stack::start().await else { return };
    sqlx::query(
        "INSERT INTO jobs.webhooks (id, url, events, enabled, secret)
         SELECT gen_random_uuid(), 'https://hooks.example/', ARRAY ['job.dead'], true, decode(repeat('00', 32), 'hex')
         FROM generate_series(1, 99)",
    )
    .execute(&stack.pool)
    .await
    .unwrap();
    make(&stack).await;
    let (status, problem) = stack.post("/v1/webhooks", &webhook()).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("conflict")), "{problem}");

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = stack.get(&format!("/v1/webhooks?limit=30{cursor}")).await;
        let ids = page["items"].as_array().unwrap().iter().map(|webhook| webhook["id"].to_string());
        seen.extend(ids);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 100);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
    stack.remove().await;
}

async fn page(stack: &Stack, path: &str, query: &str) -> DeliveryPage {
    let (status, page) = stack.get(&format!("{path}/deliveries?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    serde_json::from_value(page).unwrap()
}

#[tokio::test]
async fn deliveries_are_paged_and_forgotten() {
    let Some(stack) = Stack::start().await else { return };
    let (path, other) = (make(&stack).await, make(&stack).await);
    // Of different ages, many of them of the same moment, and none of them due.
    sqlx::query(
        "INSERT INTO jobs.webhook_deliveries (webhook_id, event, body, next_at, created_at)
         SELECT hook.id, 'webhook.test', '{}', now() + interval '1 hour', now() - make_interval(days => number / 3)
         FROM jobs.webhooks AS hook, generate_series(0, 99) AS number",
    )
    .execute(&stack.pool)
    .await
    .unwrap();
    let (mut seen, mut cursor): (Vec<Delivery>, _) = (Vec::new(), String::new());
    loop {
        let page = page(&stack, &path, &format!("limit=7{cursor}")).await;
        seen.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 100);
    let order = |delivery: &Delivery| (delivery.created_at, delivery.id);
    assert!(seen.is_sorted_by(|newer, older| order(newer) > order(older)), "newest first, each once");
    let of_another = page(&stack, &other, "limit=1").await.next_cursor.unwrap();
    let (status, problem) = stack.get(&format!("{path}/deliveries?cursor={of_another}")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (400, Some("invalid_cursor")));

    jobs_repo::forget(&mut stack.pool.acquire().await.unwrap()).await.unwrap();
    // Those of today and of 29 days before it; of the thirtieth, the day is just over.
    assert_eq!(page(&stack, &path, "limit=200").await.items.len(), 90);
    stack.remove().await;
}
