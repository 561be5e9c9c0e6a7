//! A loopback web server with sources: files with Range, and the ways in which the web misbehaves.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use futures::stream;
use std::{convert::Infallible, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
};

/// Longest wait for a request to come. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server; stops when dropped.
pub struct MediaServer {
    /// Where it listens.
    pub address: SocketAddr,
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

/// Holds requests, so that a test finds its job in the middle of something for as long as it likes.
struct Gate {
    open: watch::Sender<bool>,
    held: watch::Sender<usize>,
}

impl Gate {
    async fn pass(&self) {
        /// Counts for as long as it lives: a client may go away.
        struct Held<'a>(&'a watch::Sender<usize>);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.send_modify(|held| *held -= 1);
            }
        }
        let mut open = self.open.subscribe();
        if *open.borrow_and_update() {
            return;
        }
        self.held.send_modify(|held| *held += 1);
        let _held = Held(&self.held);
        open.wait_for(|open| *open).await.expect("the gate lives as long as the server");
    }
}

impl MediaServer {
    /// Serves the files of a directory at `/media/…` and bad manners elsewhere.
    pub async fn start(directory: PathBuf) -> Self {
        let gate = Arc::new(Gate { open: watch::Sender::new(false), held: watch::Sender::new(0) });
        let (middle, whole) = (Arc::clone(&gate), Arc::clone(&gate));
        let router = Router::new()
            // The middle of the file is held: work on it begins and cannot end.
            .route(
                "/held-in-the-middle/{name}",
                get(async move |directory: State<PathBuf>, name: Path<String>, headers: HeaderMap| {
                    let size = tokio::fs::metadata(directory.join(&*name)).await.map_or(0, |file| file.len());
                    let (start, _) = asked(&headers, size).unwrap_or((0, size));
                    if (size / 4..size / 8 * 7).contains(&start) {
                        middle.pass().await;
                    }
                    file(directory, name, headers).await
                }),
            )
            // Whatever is asked for here is not there, but that is only said when the gate opens.
            .route(
                "/held/{*rest}",
                any(async move || {
                    whole.pass().await;
                    StatusCode::NOT_FOUND
                }),
            )
            .route("/media/{name}", get(file))
            // Receivers of webhooks: one that takes what it is told, and one that is gone for good.
            .route("/hooks/montages", post(|| async { StatusCode::NO_CONTENT }))
            .route("/hooks/gone", post(|| async { StatusCode::GONE }))
            .route("/missing.mp4", get(|| async { StatusCode::NOT_FOUND }))
            .route("/endless.mp4", get(endless))
            .route("/truncated.mp4", get(truncated))
            .route("/to-private.mp4", get(|| async { Redirect::temporary("http://10.0.0.1/secret.mp4") }))
            .route(
                "/to-metadata.mp4",
                get(|| async { Redirect::temporary("http://169.254.169.254/latest/meta-data") }),
            )
            .route("/in-circles.mp4", get(|| async { Redirect::temporary("/in-circles.mp4") }))
            .with_state(directory);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server runs");
        });
        Self { address, gate, task }
    }

    /// Waits until so many requests are held.
    pub async fn until_held(&self, count: usize) {
        self.until(|held| held >= count, "requests come to the gate").await;
    }

    /// Waits until no request is held any more, those having gone away who waited.
    pub async fn until_all_are_gone(&self) {
        self.until(|held| held == 0, "who waited at the gate goes away").await;
    }

    async fn until(&self, wanted: impl Fn(usize) -> bool, what: &str) {
        let mut held = self.gate.held.subscribe();
        let waited = tokio::time::timeout(PATIENCE, held.wait_for(|held| wanted(*held))).await;
        waited.expect(what).expect("the gate lives as long as the server");
    }

    /// Answers what is held at the gate, which is closed at the start, and holds nothing more.
    pub fn let_go(&self) {
        self.gate.open.send_replace(true);
    }

    /// The link of a path on this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for MediaServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn file(State(directory): State<PathBuf>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Ok(mut file) = tokio::fs::File::open(directory.join(&name)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = if name.ends_with(".html") { "text/html; charset=utf-8" } else { "application/octet-stream" };
    let size = file.metadata().await.expect("an open file has a size").len();
    let range = asked(&headers, size);
    let (start, end) = range.unwrap_or((0, size));
    if start >= size {
        return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{size}"))])
            .into_response();
    }
    let mut bytes = vec![0; usize::try_from(end - start).expect("small files")];
    file.seek(std::io::SeekFrom::Start(start)).await.expect("files can be sought");
    file.read_exact(&mut bytes).await.expect("the range lies within the file");
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, format!("\"{size}\"")),
        (header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1)),
    ];
    (status, headers, bytes).into_response()
}

/// Where the asked range begins and ends, if one is asked for.
fn asked(headers: &HeaderMap, size: u64) -> Option<(u64, u64)> {
    let range = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (start, end) = range.split_once('-')?;
    Some((start.parse().unwrap_or(0), end.parse::<u64>().map_or(size, |end| (end + 1).min(size))))
}

/// A body without a length that never ends.
async fn endless() -> Response {
    let piece = Bytes::from(vec![0_u8; 1 << 16]);
    let body = Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(piece.clone())));
    ([(header::CONTENT_TYPE, "video/mp4")], body).into_response()
}

/// Promises 10 MB and breaks off after 100 kB.
async fn truncated() -> Response {
    let pieces = stream::iter([Ok(Bytes::from(vec![0_u8; 100_000])), Err(std::io::Error::other("cut off"))]);
    ([(header::CONTENT_LENGTH, "10000000")], Body::from_stream(pieces)).into_response()
}
