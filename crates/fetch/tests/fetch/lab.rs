//! Servers on loopback for the tests, and settings that try again at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use axum::response::Response;
use bytes::Bytes;
use fetch::{AllowList, FetchConfig, Fetcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The size of a page and of a request in [`config`]: small, so that small files have many.
pub const BLOCK: usize = 4096;

/// Settings for servers on loopback.
pub fn config() -> FetchConfig {
    FetchConfig {
        allow: AllowList::parse("127.0.0.1/32").unwrap(),
        block_bytes: BLOCK,
        page_bytes: BLOCK,
        opening_bytes: BLOCK,
        retry_base: Duration::from_millis(1),
        ..FetchConfig::default()
    }
}

pub fn fetcher() -> Fetcher {
    Fetcher::new(config()).unwrap()
}

/// Bytes that differ from place to place.
pub fn content(len: usize) -> Bytes {
    (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8).collect()
}

/// Serves `router` on a free port; the address to reach it at.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// What was asked of a server.
#[derive(Clone, Default)]
pub struct Log {
    requests: Arc<Mutex<Vec<(String, axum::http::HeaderMap)>>>,
}

impl Log {
    pub fn note(&self, request: &Request) {
        self.requests.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// The named header of each request, empty where it was not sent.
    pub fn header(&self, name: &str) -> Vec<String> {
        let text = |headers: &axum::http::HeaderMap| {
            headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        self.requests.lock().unwrap().iter().map(|(_, headers)| text(headers)).collect()
    }
}

/// Answers a range request as a good server does.
pub fn ranged(request: &Request, data: &Bytes, etag: Option<&str>) -> Response {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let mut response = Response::builder().header(ACCEPT_RANGES, "bytes");
    if let Some(etag) = etag {
        response = response.header(ETAG, etag);
    }
    let same_version = header(IF_RANGE).is_none_or(|tag| Some(tag.as_str()) == etag);
    match header(RANGE) {
        Some(range) if same_version => {
            let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let first: usize = first.parse().unwrap();
            if first >= data.len() {
                let range = format!("bytes */{}", data.len());
                return response.status(416).header(CONTENT_RANGE, range).body(Body::empty()).unwrap();
            }
            let last = last.parse::<usize>().unwrap().min(data.len() - 1);
            let range = format!("bytes {first}-{last}/{}", data.len());
            response.status(206).header(CONTENT_RANGE, range).body(data.slice(first..=last).into()).unwrap()
        }
        _ => response.body(data.clone().into()).unwrap(),
    }
}

/// A server below HTTP: `answer` gives the raw bytes for the raw request with this number, then the connection closes.
pub async fn raw(answer: impl Fn(u64, &str) -> Vec<u8> + Send + Sync + 'static) -> String {
    raw_at("127.0.0.1:0", answer).await.0
}

pub async fn raw_at(
    address: &str,
    answer: impl Fn(u64, &str) -> Vec<u8> + Send + Sync + 'static,
) -> (String, SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicU64::new(0)));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let (answer, number) = (Arc::clone(&answer), counter.fetch_add(1, Ordering::SeqCst));
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    let mut piece = [0; 1024];
                    match connection.read(&mut piece).await {
                        Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
                        _ => return,
                    }
                }
                let _ = connection.write_all(&answer(number, &String::from_utf8_lossy(&request))).await;
                let _ = connection.shutdown().await;
            });
        }
    });
    (format!("http://{address}"), address, count)
}

/// The first and last offset that a raw request asks for.
pub fn range_of(request: &str) -> (usize, usize) {
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
    let (first, last) = range.split_once('-').unwrap();
    (first.parse().unwrap(), last.parse().unwrap())
}
