//! What travels is what was asked for, and what travelled once is kept: exact reads, pages on disk, manners towards a host.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use fetch::{FetchConfig, Fetcher};
use tokio::sync::Notify;

use crate::lab::{BLOCK, Log, config, content, ranged, serve};

/// The defaults but for what loopback needs.
fn real() -> FetchConfig {
    let defaults = FetchConfig::default();
    FetchConfig {
        page_bytes: defaults.page_bytes,
        block_bytes: defaults.block_bytes,
        opening_bytes: defaults.opening_bytes,
        ..config()
    }
}

fn keeping(dir: &Path) -> Fetcher {
    Fetcher::new(FetchConfig { cache_dir: Some(dir.join("pages")), ..config() }).unwrap()
}

/// A server that counts the bytes of its bodies.
async fn counted(data: Bytes, etag: Option<&'static str>) -> (String, Arc<AtomicU64>, Log) {
    let (sent, log) = (Arc::new(AtomicU64::new(0)), Log::default());
    let (counter, kept) = (Arc::clone(&sent), log.clone());
    let url = serve(Router::new().fallback(move |request: Request| async move {
        log.note(&request);
        let response = ranged(&request, &data, etag);
        let length = axum::body::HttpBody::size_hint(response.body()).exact().unwrap();
        counter.fetch_add(length, Ordering::SeqCst);
        response
    }))
    .await;
    (url, sent, kept)
}

#[tokio::test]
async fn spans_cost_what_they_hold() {
    let data = content(24 << 20);
    let (url, sent, log) = counted(data.clone(), Some("\"v\"")).await;
    let source = Fetcher::new(real()).unwrap().open_url(&url).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), 64 << 10);
    let spans = [(1_000_003, 700_000), (9_999_999, 3_000_001), (20_000_000, 500_000)];
    for (offset, len) in spans {
        assert_eq!(source.read_at(offset, len).await.unwrap(), data[offset as usize..offset as usize + len]);
    }
    let needed: usize = spans.iter().map(|(_, len)| len).sum();
    let fetched = sent.load(Ordering::SeqCst) - (64 << 10);
    assert!(fetched <= needed as u64 + 3 * 2 * (16 << 10), "{fetched} for {needed}");
    assert_eq!(source.stats().bytes_fetched, sent.load(Ordering::SeqCst));
    // The opening; one for each span, the middle one in three.
    assert_eq!(log.count(), 1 + 1 + 3 + 1);
    // A read that overlaps costs what is new in it.
    let before = sent.load(Ordering::SeqCst);
    source.read_at(1_000_003, 800_000).await.unwrap();
    assert!(sent.load(Ordering::SeqCst) - before <= 100_000 + (16 << 10));
}

#[tokio::test]
async fn jobs_share_what_is_kept_and_what_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let data = content(BLOCK * 8);
    let (url, sent, _) = counted(data.clone(), Some("\"v\"")).await;
    let fetcher = keeping(dir.path());
    let (one, other) = (fetcher.open_url(&url).await.unwrap(), fetcher.open_url(&url).await.unwrap());
    // The second one asked for a byte to learn that nothing has changed.
    assert_eq!(sent.load(Ordering::SeqCst), BLOCK as u64 + 1);
    let (a, b) = tokio::join!(one.read_at(0, data.len()), other.read_at(10, data.len()));
    assert_eq!((a.unwrap(), b.unwrap()), (data.clone(), data.slice(10..)));
    assert_eq!(sent.load(Ordering::SeqCst), data.len() as u64 + 1);
    // And after a restart.
    drop((one, other, fetcher));
    let source = keeping(dir.path()).open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
    assert_eq!(sent.load(Ordering::SeqCst), data.len() as u64 + 2);
    assert_eq!(source.stats().bytes_fetched, 1);
}

#[tokio::test]
async fn a_version_that_cannot_be_told_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let data = content(BLOCK * 4);
    for etag in [None, Some("W/\"weak\"")] {
        let (url, sent, _) = counted(data.clone(), etag).await;
        for round in 1..=2 {
            let source = keeping(dir.path()).open_url(&url).await.unwrap();
            for _ in 0..2 {
                assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
            }
            assert_eq!(sent.load(Ordering::SeqCst), round * data.len() as u64, "{etag:?}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path().join("pages")).unwrap().count(), 0);
}

#[tokio::test]
async fn another_version_at_the_same_address_is_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let versions = [content(BLOCK * 4), content(BLOCK * 4 + 1).slice(1..)];
    let now = Arc::new(AtomicUsize::new(0));
    let (current, served) = (Arc::clone(&now), versions.clone());
    let url = serve(Router::new().fallback(move |request: Request| {
        let version = current.load(Ordering::SeqCst);
        let response = ranged(&request, &served[version], Some(["\"1\"", "\"2\""][version]));
        async move { response }
    }))
    .await;
    let fetcher = keeping(dir.path());
    let first = fetcher.open_url(&url).await.unwrap();
    assert_eq!(first.read_at(0, BLOCK * 2).await.unwrap(), versions[0][..BLOCK * 2]);
    now.store(1, Ordering::SeqCst);
    // What is kept of the old version is still that version's; what is missing cannot be had any more.
    assert_eq!(first.read_at(BLOCK as u64, BLOCK).await.unwrap(), versions[0][BLOCK..BLOCK * 2]);
    assert_eq!(first.read_at(0, BLOCK * 4).await.unwrap_err().code(), "source_changed");
    let second = fetcher.open_url(&url).await.unwrap();
    assert_eq!(second.read_at(0, BLOCK * 4).await.unwrap(), versions[1]);
}

#[tokio::test]
async fn damaged_pages_are_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = content(BLOCK * 8);
    let (url, sent, _) = counted(data.clone(), Some("\"v\"")).await;
    keeping(dir.path()).open_url(&url).await.unwrap().read_at(0, data.len()).await.unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir.path().join("pages")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(std::fs::read_dir(entry.path()).unwrap().map(|file| file.unwrap().path()));
        }
    }
    let [file] = &files[..] else { panic!("{files:?}") };
    // As after a loss of power: the marks are there, a page's bytes are not, and the end is missing.
    let mut bytes = std::fs::read(file).unwrap();
    let page = 4096 + 3 * BLOCK;
    bytes[page..page + BLOCK].fill(0);
    bytes.truncate(4096 + 7 * BLOCK + 100);
    std::fs::write(file, bytes).unwrap();
    let before = sent.load(Ordering::SeqCst);
    let source = keeping(dir.path()).open_url(&url).await.unwrap();
    assert_eq!(source.read_at(0, data.len()).await.unwrap(), data);
    assert_eq!(sent.load(Ordering::SeqCst) - before, 1 + 2 * BLOCK as u64);
}

#[tokio::test]
async fn a_full_cache_forgets_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let data = content(BLOCK * 64 * 4);
    let (url, sent, _) = counted(data.clone(), Some("\"v\"")).await;
    let config =
        FetchConfig { cache_dir: Some(dir.path().join("pages")), cache_bytes: 600 << 10, ..config() };
    let source = Fetcher::new(config).unwrap().open_url(&url).await.unwrap();
    for start in (0..data.len()).step_by(BLOCK * 8) {
        assert_eq!(source.read_at(start as u64, BLOCK * 8).await.unwrap(), data[start..start + BLOCK * 8]);
    }
    assert_eq!(sent.load(Ordering::SeqCst), data.len() as u64);
    // The newest are there; the oldest are fetched again.
    source.read_at((data.len() - BLOCK * 8) as u64, BLOCK * 8).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), data.len() as u64);
    assert_eq!(source.read_at(0, BLOCK).await.unwrap(), data[..BLOCK]);
    assert_eq!(sent.load(Ordering::SeqCst), (data.len() + BLOCK) as u64);
}

#[tokio::test]
async fn a_host_is_not_asked_more_at_once_than_it_may() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, peak, full) = (Arc::clone(&now), Arc::clone(&most), Arc::new(Notify::new()));
    let reached = Arc::clone(&full);
    let url = serve(Router::new().fallback(move |request: Request| {
        let (now, most, full) = (Arc::clone(&counter), Arc::clone(&peak), Arc::clone(&reached));
        async move {
            let here = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(here, Ordering::SeqCst);
            if here >= 3 {
                full.notify_waiters();
            }
            // Held until as many as may are here, or nobody comes any more.
            if request.headers()["range"] != format!("bytes=0-{}", BLOCK - 1) && here < 3 {
                let _ = tokio::time::timeout(Duration::from_millis(200), full.notified()).await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            ranged(&request, &content(BLOCK * 8), None)
        }
    }))
    .await;
    let fetcher = Fetcher::new(FetchConfig { per_host: 3, parallel: 4, ..config() }).unwrap();
    let sources = futures::future::join_all((0..4).map(|n| {
        let url = format!("{url}/{n}");
        let fetcher = fetcher.clone();
        async move { fetcher.open_url(&url).await.unwrap() }
    }))
    .await;
    let reads = sources.iter().map(|source| source.read_at(0, BLOCK * 8));
    for read in futures::future::join_all(reads).await {
        assert_eq!(read.unwrap(), content(BLOCK * 8));
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_host_that_wants_quiet_has_it_from_all() {
    let asked: Arc<std::sync::Mutex<Vec<std::time::Instant>>> = Arc::default();
    let times = Arc::clone(&asked);
    let url = serve(Router::new().fallback(move |request: Request| {
        let number = {
            let mut times = times.lock().unwrap();
            times.push(std::time::Instant::now());
            times.len()
        };
        let response: Response = match number {
            1 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
            _ => ranged(&request, &content(BLOCK), None),
        };
        async move { response }
    }))
    .await;
    let fetcher = Fetcher::new(FetchConfig { attempts: 1, ..config() }).unwrap();
    assert_eq!(fetcher.open_url(&url).await.unwrap_err().code(), "source_unreachable");
    fetcher.open_url(&format!("{url}/other")).await.unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked[1].duration_since(asked[0]) >= Duration::from_millis(900));
}
