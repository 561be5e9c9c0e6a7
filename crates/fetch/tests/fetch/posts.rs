//! Telling receivers.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Redirect;
use axum::routing::post;
use fetch::{FetchConfig, Fetcher};

use crate::lab::{fetcher, raw_at, serve};

/// Far longer than any answer here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_body_arrives_with_its_headers_and_any_status_is_an_answer() {
    let hear = |headers: HeaderMap, body: Bytes| async move {
        let whole = headers["webhook-id"] == "a" && headers["content-length"] == "5" && body == "hello";
        if whole { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST }
    };
    let router = Router::new()
        .route("/hook", post(hear))
        .route("/gone", post(|| async { StatusCode::GONE }))
        // Leads to where it would be heard.
        .route("/moved", post(|| async { Redirect::temporary("/hook") }))
        .route(
            "/endless",
            post(|| async {
                Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>("more")))
            }),
        );
    let url = serve(router).await;
    let headers = HeaderMap::from_iter([("webhook-id".parse().unwrap(), HeaderValue::from_static("a"))]);
    let fetcher = fetcher();
    for (path, status) in [("hook", 204), ("gone", 410), ("moved", 307), ("endless", 200), ("none", 404)] {
        let answer = fetcher.post(&format!("{url}/{path}"), &headers, "hello".into(), PATIENCE).await;
        assert_eq!(answer, Ok(status), "{path}");
    }
}

#[tokio::test]
async fn private_addresses_hear_nothing() {
    let (_, inside, connections) =
        raw_at("127.0.0.1:0", |_, _| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    let closed = Fetcher::new(FetchConfig::default()).unwrap();
    for url in [format!("http://{inside}/"), format!("http://localhost:{}/", inside.port())] {
        let error = closed.post(&url, &HeaderMap::new(), "x".into(), PATIENCE).await.unwrap_err();
        assert_eq!(error.code(), "source_not_allowed", "{url}");
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn one_that_does_not_answer_is_not_waited_for() {
    let url = serve(Router::new().route("/", post(std::future::pending::<StatusCode>))).await;
    let within = Duration::from_millis(200);
    let error = fetcher().post(&url, &HeaderMap::new(), "x".into(), within).await.unwrap_err();
    assert_eq!(error.code(), "source_timeout");
    assert!(error.to_string().contains("within 0.2 seconds"), "{error}");

    // A port that was free a moment ago, and that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/secret?token=secret");
    let error = fetcher().post(&url, &HeaderMap::new(), "x".into(), PATIENCE).await.unwrap_err();
    assert_eq!(error.code(), "source_unreachable");
    assert!(!error.to_string().contains("token"), "{error}");
}
