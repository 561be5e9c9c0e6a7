//! Uploads and their bounds.

use contracts::{ids::UploadId, object::Upload};
use futures::StreamExt;
use reqwest::{Method, StatusCode};

use crate::world::{UPLOAD_MOST, hash, world};

#[tokio::test]
async fn a_file_is_stored_looked_at_and_deleted() {
    let world = world!();
    let body = vec![7_u8; UPLOAD_MOST as usize];
    let ask = world
        .ask(Method::POST, "/v1/uploads?name=%20clip%20%3Cb%3E.mkv")
        .header("content-type", "video/x-matroska");
    let response = ask.body(body.clone()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let upload: Upload = response.json().await.unwrap();
    assert_eq!(upload.name.as_deref(), Some("clip <b>.mkv"));
    assert_eq!((upload.bytes, upload.sha256.as_str()), (UPLOAD_MOST, hash(&body).as_str()));
    assert_eq!(location, format!("/v1/uploads/{}", upload.id));
    let seen: Upload = serde_json::from_value(world.json(world.get(&location), 200).await).unwrap();
    assert_eq!((seen.id, seen.sha256), (upload.id, upload.sha256));
    assert_eq!(world.files().len(), 1);
    assert_eq!(world.ask(Method::DELETE, &location).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    world.problem(world.get(&location), "not_found").await;
    world.problem(world.ask(Method::DELETE, &location), "not_found").await;
    world.problem(world.get(&format!("/v1/uploads/{}", UploadId::generate())), "not_found").await;
    world.until("its object is gone", || world.files().is_empty()).await;
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_accepted_leaves_nothing_behind() {
    let world = world!();
    let post = |path: &str| world.ask(Method::POST, path);
    // Announced as too large, and found out to be.
    world.problem(post("/v1/uploads").body(vec![0; UPLOAD_MOST as usize + 1]), "too_large").await;
    let pieces =
        futures::stream::iter((0..=UPLOAD_MOST / 1000).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1000])));
    world.problem(post("/v1/uploads").body(reqwest::Body::wrap_stream(pieces)), "too_large").await;
    world.problem(post("/v1/uploads").body(""), "invalid_spec").await;
    let name = format!("/v1/uploads?name={}", "x".repeat(201));
    world.problem(post(&name).body("x"), "invalid_spec").await;
    world.problem(post("/v1/uploads?name=a%0D%0Ab").body("x"), "invalid_spec").await;
    world.problem(post("/v1/uploads?nmae=a").body("x"), "invalid_query").await;
    // A sender that goes away.
    let begun = futures::stream::iter([Ok(vec![0_u8; 1000])])
        .chain(futures::stream::once(async { Err(std::io::Error::other("gone")) }));
    assert!(post("/v1/uploads").body(reqwest::Body::wrap_stream(begun)).send().await.is_err());
    world.until("everything is cleaned up", || world.files().is_empty()).await;
    for _ in 0..600 {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM montages.deletions")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        if left == 0 {
            world.end().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the list of what is to go is not empty");
}
