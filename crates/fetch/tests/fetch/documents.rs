//! Small documents.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::lab::{fetcher, raw, serve};

#[tokio::test]
async fn a_document_comes_whole_or_not_at_all() {
    let tries = Arc::new(AtomicU64::new(0));
    let flaky = move || async move {
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err(StatusCode::BAD_GATEWAY),
            _ => Ok(axum::Json(serde_json::json!([1, 2]))),
        }
    };
    let endless = || async {
        axum::body::Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>("[1,2,3]")))
    };
    let url = serve(Router::new().route("/list", get(flaky)).route("/endless", get(endless))).await;
    let document = fetcher().fetch_document(&format!("{url}/list"), 5).await.unwrap();
    assert_eq!(
        (&document.bytes[..], document.content_type.as_deref()),
        (&b"[1,2]"[..], Some("application/json"))
    );
    assert_eq!(
        fetcher().fetch_document(&format!("{url}/list"), 4).await.unwrap_err().code(),
        "source_too_large"
    );
    assert_eq!(
        fetcher().fetch_document(&format!("{url}/endless"), 1000).await.unwrap_err().code(),
        "source_too_large"
    );
    assert_eq!(
        fetcher().fetch_document(&format!("{url}/none"), 4).await.unwrap_err().code(),
        "source_not_found"
    );
    let short = raw(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1".to_vec()).await;
    let error = fetcher().fetch_document(&short, 100).await.unwrap_err();
    assert!(error.to_string().contains("2 of 10"), "{error}");
}
