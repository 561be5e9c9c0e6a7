//! Reading by offset: ranges, whole bodies, retries, versions, bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use fetch::{FetchConfig, Fetcher};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::lab::{BLOCK, Log, config, content, fetcher, range_of, ranged, raw, serve};

/// A good server of `data` that keeps a log.
async fn good(data: &Bytes) -> (String, Log) {
    let (log, data) = (Log::default(), data.clone());
    let kept = log.clone();
    let url = serve(Router::new().fallback(move |request: Request| async move {
        log.note(&request);
        ranged(&request, &data, Some("\"v1\""))
    }))
    .await;
    (url, kept)
}

#[tokio::test]
async fn every_read_gives_the_bytes_of_the_file() {
    let data = content(BLOCK * 9 + 123);
    let (url, log) = good(&data).await;
    let source = fetcher().open_url(&format!("{url}/a.mp4")).await.unwrap();
    assert_eq!(source.len(), data.len() as u64);
    assert_eq!(source.identity(), format!("etag \"v1\", {} bytes", data.len()));
    let reads = prop::collection::vec((0..data.len() * 2, 0..BLOCK * 4), 64);
    let reads = reads.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    for (offset, len) in reads {
        let expected = data.slice(offset.min(data.len())..(offset + len).min(data.len()));
        assert_eq!(source.read_at(offset as u64, len).await.unwrap(), expected, "{offset} {len}");
    }
    // Ten blocks, each fetched once, the first one by opening.
    assert_eq!(log.count(), 10);
    assert_eq!(source.stats().requests, 10);
    assert_eq!(source.stats().bytes_fetched, data.len() as u64);
    assert!(log.header("accept-encoding").iter().all(|coding| coding == "identity"));
    assert!(log.header("if-range")[1..].iter().all(|tag| tag == "\"v1\""));
    assert!(log.header("cookie").iter().all(String::is_empty));
}

#[tokio::test]
async fn readers_of_the_same_block_share_one_request() {
    let data = content(BLOCK * 4);
    let (url, log) = good(&data).await;
    let source = fetcher().open_url(&url).await.unwrap();
    let read = |at: usize| {
        let source = source.clone();
        async move { source.read_at((BLOCK * 2 + at) as u64, 100).await.unwrap() }
    };
    let parts = futures::future::join_all((0..20).map(|n| read(n * 100))).await;
    assert_eq!(parts.concat(), data[BLOCK * 2..BLOCK * 2 + 2000]);
    assert_eq!(log.count(), 2);
}

#[tokio::test]
async fn a_server_without_ranges_is_asked_once() {
    let data = content(50_000);
    let log = Log::default();
    let (kept, body) = (log.clone(), data.clone());
    let url = serve(Router::new().fallback(move |request: Request| async move {
        log.note(&request);
        Body::from(body)
    }))
    .await;
    let source = fetcher().open_url(&url).await.unwrap();
    assert_eq!(source.len(), 50_000);
    assert_eq!(source.read_at(49_000, 5_000).await.unwrap(), data[49_000..]);
    assert_eq!(source.read_at(10, 20_000).await.unwrap(), data[10..20_010]);
    assert!(source.identity().starts_with("sha256 "));
    assert_eq!(kept.count(), 1);
}

#[tokio::test]
async fn an_endless_body_is_refused() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let url = serve(Router::new().fallback(move || async move {
        Body::from_stream(futures::stream::repeat_with(move || {
            counter.fetch_add(1000, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[7; 1000]))
        }))
    }))
    .await;
    let fetcher = Fetcher::new(FetchConfig { max_bytes: 100_000, ..config() }).unwrap();
    let error = fetcher.open_url(&url).await.unwrap_err();
    assert_eq!(error.code(), "source_too_large");
    assert!(error.is_permanent() && error.to_string().contains("SM_FETCH_MAX_BYTES"), "{error}");
}

#[tokio::test]
async fn a_body_that_never_ends_and_never_grows_is_given_up() {
    let url = serve(Router::new().fallback(|| async {
        Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>())
    }))
    .await;
    let limit = std::time::Duration::from_millis(200);
    let fetcher = Fetcher::new(FetchConfig { timeout: limit, ..config() }).unwrap();
    assert_eq!(fetcher.open_url(&url).await.unwrap_err().code(), "source_timeout");
    let fetcher = Fetcher::new(FetchConfig { idle_timeout: limit, attempts: 2, ..config() }).unwrap();
    assert_eq!(fetcher.open_url(&url).await.unwrap_err().code(), "source_timeout");
}

#[tokio::test]
async fn a_length_beyond_the_bound_is_refused_before_the_body() {
    let url = raw(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec()).await;
    assert_eq!(fetcher().open_url(&url).await.unwrap_err().code(), "source_too_large");
}

#[tokio::test]
async fn the_bound_holds_for_ranges_too() {
    let (url, _) = good(&content(BLOCK * 20)).await;
    let fetcher = Fetcher::new(FetchConfig { max_bytes: 3 * BLOCK as u64, parallel: 1, ..config() }).unwrap();
    let source = fetcher.open_url(&url).await.unwrap();
    source.read_at(0, BLOCK * 3).await.unwrap();
    assert_eq!(source.read_at(0, BLOCK * 4).await.unwrap_err().code(), "source_too_large");
}

#[tokio::test]
async fn a_whole_body_that_ends_early_is_told_with_its_numbers() {
    let url = raw(|_, _| {
        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
        answer.extend_from_slice(&[1; 400]);
        answer
    })
    .await;
    let error = fetcher().open_url(&url).await.unwrap_err();
    assert_eq!(error.code(), "source_ended_early");
    assert!(error.is_permanent() && error.to_string().contains("400 of 1000"), "{error}");
}

/// A file that announces `announced` bytes and has `data`, in answers that break off after `cut` bytes.
async fn broken(announced: usize, data: Bytes, cut: usize) -> String {
    raw(move |_, request| {
        let (first, last) = range_of(request);
        let last = last.min(announced - 1);
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {first}-{last}/{announced}\r\ncontent-length: {}\r\n\r\n",
            last + 1 - first
        );
        let (from, to) = (first.min(data.len()), (first + cut).min(last + 1).min(data.len()));
        [head.as_bytes(), &data[from..to.max(from)]].concat()
    })
    .await
}

#[tokio::test]
async fn broken_connections_are_resumed_where_they_broke() {
    let data = content(BLOCK * 3);
    let url = broken(data.len(), data.clone(), 1000).await;
    let source = fetcher().open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
    // Nothing came twice, except for the piece that opening gave up.
    assert_eq!(source.stats().bytes_fetched, data.len() as u64 + 1000);
}

#[tokio::test]
async fn a_file_that_is_shorter_than_it_says_ends_early() {
    let data = content(BLOCK + 10);
    let url = broken(BLOCK * 3, data.clone(), BLOCK).await;
    let source = fetcher().open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, BLOCK).await.unwrap(), data[..BLOCK]);
    let error = source.read_at(BLOCK as u64, 100).await.unwrap_err();
    assert_eq!(error.code(), "source_ended_early");
    let numbers = format!("{} of {}", data.len(), BLOCK * 3);
    assert!(error.to_string().contains(&numbers), "{error}");
}

#[tokio::test]
async fn short_answers_of_a_stingy_server_are_joined() {
    let data = content(BLOCK * 2);
    let body = data.clone();
    let url = serve(Router::new().fallback(move |request: Request| async move {
        // Never more than 1000 bytes, whatever is asked for.
        let (first, last) = range_of(&format!("range: {}", request.headers()["range"].to_str().unwrap()));
        let last = last.min(first + 999).min(body.len() - 1);
        let range = format!("bytes {first}-{last}/{}", body.len());
        (StatusCode::PARTIAL_CONTENT, [("content-range", range)], body.slice(first..=last)).into_response()
    }))
    .await;
    let source = fetcher().open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let data = content(BLOCK * 2);
    let (count, body) = (Arc::new(AtomicU64::new(0)), data.clone());
    let busy = move |request: Request| async move {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 | 3 => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response(),
            1 | 4 => StatusCode::TOO_MANY_REQUESTS.into_response(),
            _ => ranged(&request, &body, None),
        }
    };
    let url = serve(Router::new().fallback(busy)).await;
    let source = fetcher().open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
    assert_eq!(source.stats().requests, 6);
}

#[tokio::test]
async fn a_server_that_stays_broken_is_transient_and_tried_as_often_as_configured() {
    let (log, kept) = (Log::default(), Log::default());
    let noted = kept.clone();
    drop(log);
    let url = serve(Router::new().fallback(move |request: Request| async move {
        noted.note(&request);
        StatusCode::BAD_GATEWAY
    }))
    .await;
    let fetcher = Fetcher::new(FetchConfig { attempts: 3, ..config() }).unwrap();
    let error = fetcher.open_url(&url).await.unwrap_err();
    assert_eq!(error.code(), "source_unreachable");
    assert!(!error.is_permanent());
    assert_eq!(kept.count(), 3);
}

#[tokio::test]
async fn a_connection_that_is_refused_is_transient() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = fetcher().open_url(&format!("http://{address}/x")).await.unwrap_err();
    assert_eq!(error.code(), "source_unreachable");
    assert!(!error.is_permanent());
}

/// A server whose answers change when the flag is set.
async fn changing(
    after: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static,
    etag: Option<&'static str>,
) -> (String, Arc<AtomicBool>, Log) {
    let (changed, log) = (Arc::new(AtomicBool::new(false)), Log::default());
    let (flag, kept) = (Arc::clone(&changed), log.clone());
    let url = serve(Router::new().fallback(move |request: Request| {
        let (flag, log, after) = (Arc::clone(&flag), log.clone(), after.clone());
        async move {
            log.note(&request);
            if flag.load(Ordering::SeqCst) {
                after(&request)
            } else {
                ranged(&request, &content(BLOCK * 4), etag)
            }
        }
    }))
    .await;
    (url, changed, kept)
}

#[tokio::test]
async fn another_version_is_noticed_and_remembered() {
    let other = content(BLOCK * 4);
    let longer = content(BLOCK * 5);
    let shorter = content(BLOCK);
    type After = Arc<dyn Fn(&Request) -> Response + Send + Sync>;
    let same_bytes_other_tag = other.clone();
    let ignores_if_range = other.clone();
    let cases: Vec<(&str, Option<&'static str>, After)> = vec![
        (
            "If-Range honoured",
            Some("\"v1\""),
            Arc::new(move |r| ranged(r, &same_bytes_other_tag, Some("\"v2\""))),
        ),
        (
            "If-Range ignored",
            Some("\"v1\""),
            Arc::new(move |request| {
                let mut response = ranged(request, &ignores_if_range, Some("\"v1\""));
                response.headers_mut().insert("etag", "\"v2\"".parse().unwrap());
                response
            }),
        ),
        ("longer, no tag", None, Arc::new(move |r| ranged(r, &longer, None))),
        ("shorter, no tag", None, Arc::new(move |r| ranged(r, &shorter, None))),
    ];
    for (name, etag, after) in cases {
        let (url, changed, log) = changing(move |request| after(request), etag).await;
        let source = fetcher().open_url(&url).await.unwrap();
        source.read_at(BLOCK as u64, 10).await.unwrap();
        changed.store(true, Ordering::SeqCst);
        // Mid-file, so that a shorter file has nothing there.
        let error = source.read_at(3 * BLOCK as u64, 10).await.unwrap_err();
        assert_eq!(error.code(), "source_changed", "{name}");
        assert!(error.is_permanent());
        let asked = log.count();
        assert_eq!(source.read_at(2 * BLOCK as u64, 10).await.unwrap_err(), error, "{name}");
        assert_eq!(log.count(), asked, "{name}: a permanent failure is not asked about again");
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused_with_its_reason() {
    let page = || async { ([("content-type", "text/html; charset=utf-8")], "<html>") };
    let zipped = || async { ([("content-encoding", "gzip")], "zz") };
    let router = Router::new()
        .route("/page", axum::routing::get(page))
        .route("/zipped", axum::routing::get(zipped))
        .route("/empty", axum::routing::get(|| async { "" }))
        .route("/forbidden", axum::routing::get(|| async { StatusCode::FORBIDDEN }))
        .route("/teapot", axum::routing::get(|| async { StatusCode::IM_A_TEAPOT }))
        .route("/nonsense", axum::routing::get(|| async { StatusCode::PARTIAL_CONTENT }));
    let url = serve(router).await;
    for (path, code, word) in [
        ("page", "source_unusable", "web page"),
        ("zipped", "source_unusable", "compressed"),
        ("empty", "source_unusable", "empty"),
        ("forbidden", "source_forbidden", "403"),
        ("teapot", "source_unusable", "418"),
        ("nonsense", "source_unusable", "range"),
        ("missing", "source_not_found", "not found"),
    ] {
        let error = fetcher().open_url(&format!("{url}/{path}?signature=SECRET")).await.unwrap_err();
        assert_eq!(error.code(), code, "{path}: {error}");
        assert!(error.is_permanent(), "{path}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_file_on_a_server_with_ranges_is_refused() {
    let url = serve(
        Router::new().fallback(|request: Request| async move { ranged(&request, &Bytes::new(), None) }),
    )
    .await;
    let error = fetcher().open_url(&url).await.unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
}

#[tokio::test]
async fn headers_that_never_come_end_in_a_timeout() {
    let url = serve(Router::new().fallback(std::future::pending::<()>)).await;
    let short = std::time::Duration::from_millis(100);
    let config = FetchConfig { connect_timeout: short, idle_timeout: short, attempts: 2, ..config() };
    let error = Fetcher::new(config).unwrap().open_url(&url).await.unwrap_err();
    assert_eq!(error.code(), "source_timeout");
    assert!(!error.is_permanent());
}
