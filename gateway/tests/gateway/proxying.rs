//! Requests on their way to a service and back.

use std::{net::SocketAddr, time::Duration};

use axum::{body::Bytes, http::HeaderMap};
use gateway::AuthMode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};

use crate::world::{ADMIN, ID, INTERNAL, World, code};

#[tokio::test]
async fn a_service_gets_our_word_for_who_calls_and_no_secret_of_the_caller() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let key = world.key(&["write"]).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let response = world
        .call("POST", "/v1/jobs?a=b%20c")
        .bearer_auth(key["secret"].as_str().unwrap())
        .headers(HeaderMap::from_iter(
            [
                ("x-sm-key", "admin"),
                ("x-sm-scopes", "admin"),
                ("x-forwarded-for", "10.0.0.1"),
                ("x-forwarded-host", "evil.example"),
                ("forwarded", "for=10.0.0.1"),
                ("cookie", "sm_session=1; theirs=2"),
                ("te", "trailers"),
                ("idempotency-key", "k"),
                ("traceparent", trace),
                ("if-match", "\"x\""),
                ("accept", "application/json"),
                ("x-request-id", "our-name"),
            ]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())),
        ))
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    // Nothing internal and nothing of the connection comes back.
    assert!(response.headers().get("x-hop").is_none());
    assert!(response.headers().get("x-sm-secret").is_none());
    assert_eq!(response.headers()["x-request-id"], "our-name");
    let got: Value = response.json().await.unwrap();
    assert_eq!(got["uri"], "/v1/jobs?a=b%20c");
    let headers = got["headers"].as_object().unwrap();
    for (name, value) in [
        ("x-sm-key", key["id"].as_str().unwrap()),
        ("authorization", &format!("Bearer {INTERNAL}")),
        ("idempotency-key", "k"),
        ("if-match", "\"x\""),
        ("traceparent", trace),
        ("x-request-id", "our-name"),
        ("content-length", "2"),
    ] {
        assert_eq!(headers.get(name), Some(&json!(value)), "{name}");
    }
    for name in ["x-sm-scopes", "x-forwarded-for", "x-forwarded-host", "forwarded", "cookie", "te"] {
        assert!(!headers.contains_key(name), "{name}");
    }
    // By a signed link nobody in particular calls, whatever is shown.
    let got: Value = world
        .call("GET", "/v1/objects/a")
        .header("x-sm-key", "admin")
        .bearer_auth("theirs")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (got["headers"].get("x-sm-key"), &got["headers"]["authorization"]),
        (None, &json!(format!("Bearer {INTERNAL}")))
    );
    world.end().await;
}

#[tokio::test]
async fn bodies_are_bounded_however_they_are_sent() {
    let Some(mut world) = World::new(AuthMode::Open).await else { return };
    let large = vec![0_u8; (1 << 20) + 1];
    assert_eq!(
        code(world.call("POST", "/v1/uploads").body(large.clone())).await,
        (413, "too_large".to_owned())
    );
    assert!(world.pieces.try_recv().is_err(), "what is announced as too large goes nowhere");
    let pieces =
        large.chunks(65_536).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    assert_eq!(code(world.call("POST", "/v1/uploads").body(chunked)).await, (413, "too_large".to_owned()));
    assert_eq!(code(world.call("POST", "/v1/uploads").body(vec![0_u8; 1 << 20])).await.0, 200);
    assert_eq!(code(world.call("GET", "/v1/jobs").body("x")).await, (413, "too_large".to_owned()));
    assert_eq!(
        code(world.call("POST", "/v1/jobs").body(vec![b' '; (2 << 20) + 1])).await,
        (413, "too_large".to_owned())
    );
    world.end().await;
}

#[tokio::test]
async fn a_service_that_is_down_or_slow_is_answered_with_a_problem() {
    let Some(world) = World::new(AuthMode::Open).await else { return };
    assert_eq!(code(world.call("GET", "/v1/schedules")).await, (503, "unavailable".to_owned()));
    assert_eq!(world.call("GET", "/v1/schedules").send().await.unwrap().headers()["retry-after"], "2");
    assert_eq!(
        code(world.call("GET", &format!("/v1/montages/{ID}/never"))).await,
        (504, "timeout".to_owned())
    );
    world.end().await;
}

#[tokio::test]
async fn bodies_pass_piece_by_piece_both_ways() {
    let Some(mut world) = World::new(AuthMode::Open).await else { return };
    // The second piece is sent only when the first has arrived behind the gateway: a proxy that collects would wait for ever.
    let (send, receive) = mpsc::unbounded_channel::<Result<Vec<u8>, std::io::Error>>();
    let body = reqwest::Body::wrap_stream(tokio_stream(receive));
    let upload = tokio::spawn(world.call("POST", "/v1/uploads").body(body).send());
    for number in 1..=5_u8 {
        send.send(Ok(vec![number; 50_000])).unwrap();
        let mut arrived = 0;
        while arrived < 50_000 {
            let piece =
                tokio::time::timeout(Duration::from_secs(30), world.pieces.recv()).await.unwrap().unwrap();
            assert!(piece.iter().all(|byte| *byte == number));
            arrived += piece.len();
        }
    }
    drop(send);
    let answer: Value = upload.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer, json!({"bytes": 250_000}));

    world.answers.send(Bytes::from_static(b"data: 1\n\n")).unwrap();
    let mut response = world.call("GET", &format!("/v1/montages/{ID}/stream")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    for number in 2..5 {
        let piece =
            tokio::time::timeout(Duration::from_secs(30), response.chunk()).await.unwrap().unwrap().unwrap();
        assert_eq!(piece, format!("data: {}\n\n", number - 1));
        world.answers.send(format!("data: {number}\n\n").into()).unwrap();
    }
    drop(response);
    world.end().await;
}

fn tokio_stream<T: Send + 'static>(
    receiver: mpsc::UnboundedReceiver<T>,
) -> impl futures::Stream<Item = T> + Send {
    futures::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

#[tokio::test]
async fn resumable_uploads_pass_both_ways() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    let (writes, reads) = (world.key(&["write"]).await, world.key(&["read"]).await);
    let (writes, reads) = (writes["secret"].as_str().unwrap(), reads["secret"].as_str().unwrap());
    let path = format!("/v1/uploads/{ID}");
    let piece = |key: &str| {
        let request = world.call("PATCH", &path).bearer_auth(key).header("tus-resumable", "1.0.0");
        request.header("upload-offset", "3").header("content-type", "application/offset+octet-stream")
    };
    let response = piece(writes).body(vec![0_u8; 1 << 20]).send().await.unwrap();
    assert_eq!(response.headers()["upload-offset"], "7");
    let got: Value = response.json().await.unwrap();
    assert_eq!(got["method"], "PATCH");
    for (name, value) in [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "3"),
        ("content-type", "application/offset+octet-stream"),
        ("content-length", "1048576"),
    ] {
        assert_eq!(got["headers"][name], value, "{name}");
    }
    assert_eq!(code(piece(writes).body(vec![0_u8; (1 << 20) + 1])).await, (413, "too_large".to_owned()));
    assert_eq!(code(piece(reads).body("x")).await, (403, "forbidden".to_owned()));
    // Who may only write asks how far its upload is, and what is spoken; no other origin is told that it may.
    let head = world.call("HEAD", &path).bearer_auth(writes).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["upload-offset"]), (200, &"7".parse().unwrap()));
    let spoken = world.call("OPTIONS", &path).bearer_auth(writes);
    assert_eq!(code(spoken).await.0, 405);
    assert_eq!(code(world.call("OPTIONS", "/v1/uploads")).await.0, 401);
    world.end().await;
}

#[tokio::test]
async fn ranges_and_conditions_pass() {
    let Some(world) = World::new(AuthMode::Open).await else { return };
    let path = format!("/v1/montages/{ID}/media");
    let part = world.call("GET", &path).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), &part.headers()["content-range"]),
        (206, &"bytes 2-4/10".parse().unwrap())
    );
    assert_eq!(
        (&part.headers()["content-length"], &part.headers()["etag"]),
        (&"3".parse().unwrap(), &"\"v1\"".parse().unwrap())
    );
    assert_eq!(part.text().await.unwrap(), "234");
    assert_eq!(
        world.call("GET", &path).header("if-none-match", "\"v1\"").send().await.unwrap().status(),
        304
    );
    let head = world.call("HEAD", &path).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-length"]), (200, &"10".parse().unwrap()));
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    world.end().await;
}

/// Sends a request line as it is: clients would tidy the path up.
async fn raw(address: SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\nauthorization: Bearer {ADMIN}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_is_not_routed_is_a_problem_and_no_way_leads_around_the_table() {
    let Some(world) = World::new(AuthMode::Keys).await else { return };
    for path in ["/v1", "/v1/nothing", "/v2/jobs", "/v1/jobs/", "/x"] {
        assert_eq!(
            code(world.call("GET", path).bearer_auth(ADMIN)).await,
            (404, "not_found".to_owned()),
            "{path}"
        );
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/jobs", "GET, HEAD, POST"),
        ("GET", "/v1/leases", "POST"),
        ("PUT", "/v1/keys", ""),
        ("GET", "/v1/jobs/1/cancel", "POST"),
        ("POST", "/v1/montages/1/media", "GET, HEAD"),
    ] {
        let response = world.call(method, path).bearer_auth(ADMIN).send().await.unwrap();
        assert_eq!(
            response
                .headers()
                .get("allow")
                .map_or("", |value| value.to_str().unwrap())
                .replace("GET,HEAD", "GET, HEAD"),
            if path == "/v1/keys" { "POST,GET, HEAD" } else { allow },
            "{method} {path}"
        );
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "method_not_allowed");
    }
    // An admin is no executor, by whatever spelling.
    for path in [
        "/v1/jobs/1/../../leases",
        "/v1/jobs/1/%2e%2e/%2E%2e/leases",
        "/v1/jobs/1/..",
        "/v1/jobs/./x",
        "//v1/jobs",
        "/v1//jobs",
        "/v1/jobs/1/x\\..\\..\\..\\leases",
    ] {
        let answer = raw(world.running.address, path).await;
        assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("/v1/leases\""), "{path}: {answer}");
    }
    world.end().await;
}
