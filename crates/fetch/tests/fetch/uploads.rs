//! Sending results by signed links.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;

use crate::lab::{content, fetcher, serve};

#[tokio::test]
async fn a_file_arrives_whole_after_failed_tries() {
    type Seen = Arc<Mutex<Vec<(HeaderMap, usize)>>>;
    let (seen, count): (Seen, _) = (Arc::default(), Arc::new(AtomicU64::new(0)));
    let data = content(3_000_000);
    let (kept, expected) = (Arc::clone(&seen), data.clone());
    let url = serve(Router::new().fallback(move |request: Request| async move {
        let headers = request.headers().clone();
        assert_eq!(request.method(), "PUT");
        assert_eq!(request.uri().query(), Some("signature=SECRET"));
        let body = to_bytes(request.into_body(), 10_000_000).await.unwrap();
        assert_eq!(body, expected);
        seen.lock().unwrap().push((headers, body.len()));
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => (StatusCode::CREATED, [("etag", "\"e\"")]).into_response(),
        }
    }))
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &data).unwrap();
    let headers =
        HeaderMap::from_iter([("content-type".parse().unwrap(), HeaderValue::from_static("video/mp4"))]);
    let url = format!("{url}/o?signature=SECRET");
    let receipt = fetcher().put_file(&url, &headers, file.path()).await.unwrap();
    assert_eq!((receipt.status, receipt.etag.as_deref(), receipt.bytes), (201, Some("\"e\""), 3_000_000));
    fetcher().put_bytes(&url, &headers, data.clone()).await.unwrap();
    let seen = kept.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for (headers, length) in seen.iter() {
        assert_eq!(headers["content-type"], "video/mp4");
        assert_eq!(headers["content-length"], length.to_string());
        assert!(!headers.contains_key("transfer-encoding"));
    }
}

#[tokio::test]
async fn a_link_that_ended_is_not_tried_again_and_not_shown() {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let url = serve(Router::new().fallback(move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
        StatusCode::FORBIDDEN
    }))
    .await;
    let url = format!("{url}/o?signature=SECRET");
    let error = fetcher().put_bytes(&url, &HeaderMap::new(), content(10)).await.unwrap_err();
    assert_eq!(error.code(), "source_forbidden");
    assert!(!format!("{error}{error:?}").contains("SECRET"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_there_already_is_stored_only_where_replacing_was_forbidden() {
    let url = serve(Router::new().fallback(|| async { StatusCode::PRECONDITION_FAILED })).await;
    let once = HeaderMap::from_iter([("if-none-match".parse().unwrap(), HeaderValue::from_static("*"))]);
    assert_eq!(fetcher().put_bytes(&url, &once, content(10)).await.unwrap().status, 412);
    let error = fetcher().put_bytes(&url, &HeaderMap::new(), content(10)).await.unwrap_err();
    assert_eq!(error.code(), "source_unusable");
}
