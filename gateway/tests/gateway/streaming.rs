//! Event streams on their way through: they last, and they end when they should.

use std::{sync::atomic::Ordering, time::Duration};

use gateway::{AuthMode, Streams};
use reqwest::Response;
use serde_json::Value;

use crate::world::{ADMIN, ID, World, code};

/// Patience for what is to happen: a failure, not a verdict, depends on it.
const SOON: Duration = Duration::from_secs(30);

/// The next piece; `None` at the end of a stream that is whole.
async fn next(response: &mut Response) -> Option<String> {
    let piece = tokio::time::timeout(SOON, response.chunk()).await.expect("a piece, or the end").unwrap();
    piece.map(|piece| String::from_utf8(piece.to_vec()).unwrap())
}

async fn open(world: &World, key: &str) -> Response {
    let mut response = world.call("GET", "/v1/events").bearer_auth(key).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(next(&mut response).await.unwrap().starts_with("event: hello"));
    response
}

/// Waits until so many streams are open at the service.
async fn are_open(world: &World, count: usize) {
    tokio::time::timeout(SOON, async {
        while world.open.load(Ordering::SeqCst) != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the service's streams follow the clients'");
}

#[tokio::test]
async fn a_stream_passes_whole_and_for_as_long_as_it_takes() {
    let Some(world) = World::new(AuthMode::Open).await else { return };
    let mut response = world.call("GET", "/v1/events").header("last-event-id", "seen").send().await.unwrap();
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(response.headers()[name], value);
    }
    assert_eq!(next(&mut response).await.unwrap(), "event: hello\nid: seen\ndata: {}\n\n");

    // Longer than a small answer may take to begin, without a piece.
    world.answers.send("data: 1\n\n".into()).unwrap();
    let mut lasting = world.call("GET", &format!("/v1/montages/{ID}/stream")).send().await.unwrap();
    assert_eq!(next(&mut lasting).await.unwrap(), "data: 1\n\n");
    tokio::time::sleep(Duration::from_secs(6)).await;
    for number in 2..4 {
        world.answers.send(format!("data: {number}\n\n").into()).unwrap();
        assert_eq!(next(&mut lasting).await.unwrap(), format!("data: {number}\n\n"));
    }
    drop((response, lasting));
    are_open(&world, 0).await;
    world.end().await;
}

#[tokio::test]
async fn streams_are_bounded_and_their_places_come_back() {
    let streams = Streams { most: 2, ..Streams::default() };
    let Some(world) = World::streaming(AuthMode::Keys, streams).await else { return };
    let (first, second) = (open(&world, ADMIN).await, open(&world, ADMIN).await);
    for _ in 0..3 {
        let refused = world.call("GET", "/v1/events").bearer_auth(ADMIN).send().await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"15".parse().unwrap())
        );
        assert_eq!(refused.json::<Value>().await.unwrap()["code"], "unavailable");
    }
    assert_eq!(code(world.call("GET", "/v1/jobs").bearer_auth(ADMIN)).await.0, 200, "all else passes");
    assert_eq!(code(world.call("GET", "/livez")).await.0, 200);
    // Nothing is left open behind what was refused.
    are_open(&world, 2).await;
    drop(first);
    are_open(&world, 1).await;
    let third = open(&world, ADMIN).await;
    drop((second, third));
    are_open(&world, 0).await;
    world.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_key_it_was_opened_with() {
    let streams = Streams { recheck: Duration::from_millis(100), ..Streams::default() };
    let Some(world) = World::streaming(AuthMode::Keys, streams).await else { return };
    let (lost, kept) = (world.key(&["read"]).await, world.key(&["read"]).await);
    let secret = |key: &Value| key["secret"].as_str().unwrap().to_owned();
    let (mut ends, mut goes_on) = (open(&world, &secret(&lost)).await, open(&world, &secret(&kept)).await);
    let path = format!("/v1/keys/{}", lost["id"].as_str().unwrap());
    assert_eq!(code(world.call("DELETE", &path).bearer_auth(ADMIN)).await.0, 204);
    assert_eq!(next(&mut ends).await, None);
    are_open(&world, 1).await;
    // And with the gateway, which does not wait for it.
    world.shutdown.cancel();
    assert_eq!(next(&mut goes_on).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_stream_that_has_fallen_silent_ends() {
    let streams = Streams { silence: Duration::from_millis(300), ..Streams::default() };
    let Some(world) = World::streaming(AuthMode::Open, streams).await else { return };
    let mut response = world.call("GET", "/v1/events").send().await.unwrap();
    assert!(next(&mut response).await.is_some());
    assert_eq!(next(&mut response).await, None, "so that its client comes again");
    are_open(&world, 0).await;
    world.end().await;
}
