//! Uploads and their bounds.

use contracts::{
    ids::UploadId,
    object::{Upload, UploadPage},
};
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
    assert_eq!((upload.bytes, upload.received, upload.complete), (UPLOAD_MOST, UPLOAD_MOST, true));
    assert_eq!(upload.sha256, Some(hash(&body)));
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
    let pieces = futures::stream::iter(
        (0..=UPLOAD_MOST / 100_000).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 100_000])),
    );
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

#[tokio::test]
async fn uploads_are_listed_and_served_under_what_they_are() {
    let world = world!();
    let mut ids = Vec::new();
    for bytes in
        [b"\0\0\0\x20ftypisom and more".as_slice(), b"<html><script>alert(1)</script>", b"\x1a\x45\xdf\xa3"]
    {
        let sent = world.ask(Method::POST, "/v1/uploads").body(bytes.to_vec()).send().await.unwrap();
        ids.push(sent.json::<Upload>().await.unwrap().id);
    }
    let page = async |path: &str| -> UploadPage {
        serde_json::from_value(world.json(world.get(path), 200).await).unwrap()
    };
    let first = page("/v1/uploads?limit=2").await;
    let found = |page: &UploadPage| page.items.iter().map(|upload| upload.id).collect::<Vec<_>>();
    assert_eq!(found(&first), [ids[2], ids[1]]);
    let cursor = first.next_cursor.unwrap();
    let second = page(&format!("/v1/uploads?limit=2&cursor={cursor}")).await;
    assert_eq!((found(&second), second.next_cursor), (vec![ids[0]], None));
    world.problem(world.get("/v1/uploads?limit=0"), "invalid_query").await;
    world.problem(world.get("/v1/uploads?cursor=x"), "invalid_cursor").await;

    for (id, kind) in ids.iter().zip(["video/mp4", "application/octet-stream", "video/x-matroska"]) {
        let path = format!("/v1/uploads/{id}/media");
        let part = world.get(&path).header("range", "bytes=1-3").send().await.unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(
            (&part.headers()["content-type"], &part.headers()["x-content-type-options"]),
            (&kind.parse().unwrap(), &"nosniff".parse().unwrap())
        );
        assert_eq!(part.bytes().await.unwrap().len(), 3);
    }
    world.problem(world.get(&format!("/v1/uploads/{}/media", UploadId::generate())), "not_found").await;
    world.end().await;
}
