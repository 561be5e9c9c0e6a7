//! A loopback web server with sources: files with Range, and the ways in which the web misbehaves.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use futures::stream;
use std::{convert::Infallible, net::SocketAddr, path::PathBuf};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    net::TcpListener,
    task::JoinHandle,
};

/// The server; stops when dropped.
pub struct MediaServer {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl MediaServer {
    /// Serves the files of a directory at `/media/…` and bad manners elsewhere.
    pub async fn start(directory: PathBuf) -> Self {
        let router = Router::new()
            .route("/media/{name}", get(file))
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
        Self { address, task }
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
    let Ok(mut file) = tokio::fs::File::open(directory.join(name)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let size = file.metadata().await.expect("an open file has a size").len();
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("bytes="));
    let (start, end) = match range.and_then(|range| range.split_once('-')) {
        None => (0, size),
        Some((start, end)) => {
            let start: u64 = start.parse().unwrap_or(0);
            (start, end.parse::<u64>().map_or(size, |end| (end + 1).min(size)))
        }
    };
    if start >= size {
        return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{size}"))])
            .into_response();
    }
    let mut bytes = vec![0; usize::try_from(end - start).expect("small files")];
    file.seek(std::io::SeekFrom::Start(start)).await.expect("files can be sought");
    file.read_exact(&mut bytes).await.expect("the range lies within the file");
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let headers = [
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, format!("\"{size}\"")),
        (header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1)),
    ];
    (status, headers, bytes).into_response()
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
