//! A small HTTP proxy on loopback for one child process: what the child fetches obeys the rules of this crate.
//!
//! Promises: only who shows the random credential is served; each address is judged, resolved and judged again before the very
//! connection to it is made; connections, bytes and time are bounded. It speaks `CONNECT` and requests in absolute form, without
//! looking into what travels. It ends, with all its connections, when it is dropped. What is refused is answered with 403, what
//! cannot be reached with 502.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

use crate::client::Http;
use crate::door;
use crate::error::FetchError;

/// The longest head of a request.
const LONGEST_HEAD: usize = 16 << 10;
/// The most headers of a request.
const MOST_HEADERS: usize = 96;
/// The longest time that a head may take to come; the child is on this machine.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Headers that are between the child and this proxy.
const OURS: [&str; 5] = ["proxy-authorization", "proxy-connection", "connection", "keep-alive", "host"];

/// What a child may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyLimits {
    /// Bytes, both ways together.
    pub bytes: u64,
    /// Connections at the same time.
    pub connections: usize,
}

/// A running proxy.
#[derive(Debug)]
pub struct GuardedProxy {
    address: SocketAddr,
    credential: String,
    task: AbortHandle,
    used: Arc<AtomicU64>,
}

struct Shared {
    http: Arc<Http>,
    /// What the child has to send: `Basic …`.
    expected: String,
    used: Arc<AtomicU64>,
    limits: ProxyLimits,
}

/// Why a request is not served: the status, and a word for the child's log.
struct Refusal(u16, &'static str);

impl GuardedProxy {
    pub(crate) async fn start(http: Arc<Http>, limits: ProxyLimits) -> Result<Self, FetchError> {
        let failed = |error: std::io::Error| FetchError::local("starting a proxy", &error);
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let credential = format!("child:{}", hex::encode(rand::random::<[u8; 24]>()));
        let used = Arc::new(AtomicU64::new(0));
        let expected = format!("Basic {}", BASE64.encode(&credential));
        let shared = Arc::new(Shared { http, expected, used: Arc::clone(&used), limits });
        let task = tokio::spawn(serve(listener, shared)).abort_handle();
        Ok(Self { address, credential, task, used })
    }

    /// The address with its credential, for the child's settings only.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}@{}", self.credential, self.address)
    }

    /// Bytes that have travelled, both ways together.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl Drop for GuardedProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until it is aborted; the set of connections is aborted with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= shared.limits.connections.max(1) {
            let _ = connections.join_next().await;
        }
        // What has ended is taken away without waiting.
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((child, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move { shared.handle(child).await });
            }
            // Out of files, most likely: some end soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

impl Shared {
    async fn handle(&self, mut child: TcpStream) {
        let refusal = match tokio::time::timeout(HEAD_TIME, read_head(&mut child)).await {
            Ok(Ok((head, rest))) => match self.open(&head).await {
                Ok((server, first)) => {
                    self.relay(child, server, first, rest).await;
                    return;
                }
                Err(refusal) => refusal,
            },
            Ok(Err(refusal)) => refusal,
            Err(_) => Refusal(408, "Request Timeout"),
        };
        let Refusal(status, word) = refusal;
        let challenge = if status == 407 { "Proxy-Authenticate: Basic\r\n" } else { "" };
        let answer =
            format!("HTTP/1.1 {status} {word}\r\n{challenge}Content-Length: 0\r\nConnection: close\r\n\r\n");
        // A child that does not listen needs no answer.
        let _ = child.write_all(answer.as_bytes()).await;
        let _ = child.shutdown().await;
    }

    /// A connection to the server that a head asks for, and what to send to whom first.
    async fn open(&self, head: &[u8]) -> Result<(TcpStream, First), Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let malformed = || Refusal(400, "Bad Request");
        if !request.parse(head).is_ok_and(|status| status.is_complete()) {
            return Err(malformed());
        }
        let shown =
            request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("proxy-authorization"));
        if !shown.is_some_and(|header| bool::from(header.value.ct_eq(self.expected.as_bytes()))) {
            return Err(Refusal(407, "Proxy Authentication Required"));
        }
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err(malformed());
        };
        let connects = method == "CONNECT";
        let text = if connects { format!("https://{target}/") } else { target.to_owned() };
        let url = door::parse_url(&text).map_err(|_| malformed())?;
        let plain =
            if connects { url.path() == "/" && url.query().is_none() } else { url.scheme() == "http" };
        if !plain || !(connects || matches!(method, "GET" | "HEAD" | "POST")) {
            return Err(malformed());
        }
        let first =
            if connects { First::Established } else { First::Request(rewritten(&request, method, &url)) };
        match self.http.connect(&url).await {
            Ok(server) => Ok((server, first)),
            Err(error) => {
                tracing::debug!(%error, "a child's request is not served");
                Err(match error {
                    FetchError::NotAllowed { .. } | FetchError::InvalidUrl { .. } => {
                        Refusal(403, "Forbidden")
                    }
                    _ => Refusal(502, "Bad Gateway"),
                })
            }
        }
    }

    /// Passes bytes on until both sides have ended, nothing moves any more, or the bound is reached.
    async fn relay(&self, mut child: TcpStream, mut server: TcpStream, first: First, rest: Vec<u8>) {
        let begun = match first {
            First::Established => child.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await,
            First::Request(head) => server.write_all(&head).await,
        };
        if begun.is_err() || server.write_all(&rest).await.is_err() {
            return;
        }
        let (from_child, to_child) = child.split();
        let (from_server, to_server) = server.split();
        // Either way ends the connection when it fails; an end of one side is passed on and the other goes on.
        let _ = tokio::try_join!(self.pass(from_child, to_server), self.pass(from_server, to_child));
    }

    async fn pass(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        let idle = self.http.config.idle_timeout;
        loop {
            let read = tokio::time::timeout(idle, from.read(&mut buffer)).await??;
            if read == 0 {
                return to.shutdown().await;
            }
            let used = self.used.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
            if used > self.limits.bytes {
                return Err(std::io::Error::other("the bound is reached"));
            }
            let piece = buffer.get(..read).unwrap_or_default();
            tokio::time::timeout(idle, to.write_all(piece)).await??;
        }
    }
}

/// What is sent before bytes are passed on.
enum First {
    /// That the connection is made, to the child.
    Established,
    /// The child's request as the server wants it.
    Request(Vec<u8>),
}

/// A request in absolute form as one for the server itself, which closes the connection after its answer.
fn rewritten(request: &httparse::Request<'_, '_>, method: &str, url: &Url) -> Vec<u8> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut head =
        format!("{method} {}{query} HTTP/1.1\r\nHost: {host}{port}\r\nConnection: close\r\n", url.path())
            .into_bytes();
    for header in request.headers.iter() {
        if !OURS.iter().any(|ours| header.name.eq_ignore_ascii_case(ours)) {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(header.value);
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The head of a request, and what came after it.
async fn read_head(child: &mut TcpStream) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let mut head = Vec::new();
    loop {
        if let Some(end) = head.windows(4).position(|end| end == b"\r\n\r\n") {
            let rest = head.split_off(end + 4);
            return Ok((head, rest));
        }
        if head.len() >= LONGEST_HEAD {
            return Err(Refusal(431, "Request Header Fields Too Large"));
        }
        let mut piece = [0; 2048];
        match child.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
            _ => return Err(Refusal(400, "Bad Request")),
        }
    }
}
