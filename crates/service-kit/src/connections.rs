//! Connections: accepting them, bounding them in number and in patience, and ending them.
//!
//! Promises: a client that does not send the head of a request in time is cut off; there are never more connections than
//! allowed (the next ones wait in the kernel's queue); after a stop nothing new is accepted, what is under way is finished
//! or, at the end of the drain time, cut. HTTP/1.1 only: who wants HTTP/2 puts a proxy with TLS in front.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// How connections are bounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Longest time until the head of a request is whole, and so also the longest rest between two requests.
    pub(crate) head: Duration,
    /// How long requests may go on after a stop was asked for.
    pub(crate) drain: Duration,
    /// Most connections at once.
    pub(crate) connections: usize,
}

/// Most connections of one service: a quarter of the files that the process may open, because a request through the gateway
/// holds up to three where all services share a process, and files and database connections need the rest.
pub(crate) fn most_connections() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    (files / 4).clamp(64, 16_384)
}

/// Most event streams of one service: a quarter of its connections. They last, and the rest is for those who only ask and go:
/// executors, health checks, people who look.
#[must_use]
pub fn most_streams() -> usize {
    most_connections() / 4
}

/// Serves until the token is cancelled, then drains.
pub(crate) async fn serve(
    name: &'static str,
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    bounds: Bounds,
) {
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let seats = Arc::new(Semaphore::new(bounds.connections));
    while let Some(seat) = stop.run_until_cancelled(seats.clone().acquire_owned()).await {
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { break };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // The client is gone already, or no file can be opened: waiting is all that helps with the latter.
                if !is_of_one_client(&error) {
                    tracing::warn!(service = name, %error, "no connection can be accepted");
                    let _ = stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await;
                }
                continue;
            }
        };
        let (router, stop, cut) = (router.clone(), stop.clone(), cut.clone());
        tasks.spawn(async move {
            let _ = cut.run_until_cancelled(connection(stream, peer, router, stop, bounds.head)).await;
            drop(seat);
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(bounds.drain, tasks.wait()).await.is_err() {
        tracing::warn!(service = name, "requests were cut off at the end of the drain time");
        cut.cancel();
        tasks.wait().await;
    }
}

/// Serves one connection until it ends; after a stop, until the request that is under way ends.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
    head: Duration,
) {
    // Answers are small and written at once: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: axum::http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

fn is_of_one_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Patience for what is to happen: a failure, not a verdict, depends on it.
    const SOON: Duration = Duration::from_secs(30);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    struct Up {
        address: SocketAddr,
        stop: CancellationToken,
        done: tokio::task::JoinHandle<()>,
    }

    async fn up(router: Router, bounds: Bounds) -> Up {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let done = tokio::spawn(serve("test", listener, router, stop.clone(), bounds));
        Up { address, stop, done }
    }

    fn bounds() -> Bounds {
        Bounds { head: SOON, drain: SOON, connections: 8 }
    }

    fn hello() -> Router {
        Router::new()
            .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
    }

    async fn read(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 4096];
        let length = tokio::time::timeout(SOON, stream.read(&mut buffer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_head_is_cut_off() {
        let up = up(hello(), Bounds { head: Duration::from_millis(200), ..bounds() }).await;
        for beginning in ["", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let mut stream = TcpStream::connect(up.address).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            tokio::time::timeout(SOON, stream.read_to_end(&mut answer))
                .await
                .expect("it is cut off")
                .unwrap();
            assert!(answer.is_empty());
        }
        up.stop.cancel();
        up.done.await.unwrap();
    }

    #[tokio::test]
    async fn a_body_may_take_longer_than_a_head_and_handlers_know_the_address() {
        let up = up(
            hello().route("/echo", axum::routing::post(|body: String| async { body })),
            Bounds { head: Duration::from_secs(2), ..bounds() },
        )
        .await;
        let mut stream = TcpStream::connect(up.address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        assert!(read(&mut stream).await.ends_with(&stream.local_addr().unwrap().to_string()));
        stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        stream.write_all(b"b").await.unwrap();
        assert!(read(&mut stream).await.ends_with("\r\n\r\nab"));
        up.stop.cancel();
        up.done.await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_head() {
        let stream = || async {
            let late = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, std::convert::Infallible>("late")
            };
            Body::from_stream(futures::stream::once(late))
        };
        let bounds = Bounds { head: Duration::from_millis(100), ..bounds() };
        let up = up(Router::new().route("/", get(stream)), bounds).await;
        let mut client = TcpStream::connect(up.address).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(SOON, client.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.ends_with("late\r\n0\r\n\r\n"), "{answer}");
        up.stop.cancel();
        up.done.await.unwrap();
    }

    #[tokio::test]
    async fn one_more_than_allowed_waits_for_a_seat() {
        let up = up(hello(), Bounds { connections: 1, ..bounds() }).await;
        let mut first = TcpStream::connect(up.address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        assert!(read(&mut first).await.starts_with("HTTP/1.1 200"));
        let mut second = TcpStream::connect(up.address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        let mut buffer = [0; 1];
        let early = tokio::time::timeout(Duration::from_millis(300), second.read(&mut buffer)).await;
        assert!(early.is_err(), "it was served beside the first");
        drop(first);
        assert!(read(&mut second).await.starts_with("HTTP/1.1 200"));
        up.stop.cancel();
        up.done.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_under_way_is_finished_and_what_rests_is_closed() {
        let (go, wait) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (began, may_end) = (go.clone(), wait.clone());
        let router = hello().route(
            "/slow",
            get(move || {
                let (began, may_end) = (began.clone(), may_end.clone());
                async move {
                    began.add_permits(1);
                    let _ = may_end.acquire().await;
                    "done"
                }
            }),
        );
        let up = up(router, bounds()).await;
        let mut resting = TcpStream::connect(up.address).await.unwrap();
        resting.write_all(REQUEST).await.unwrap();
        assert!(read(&mut resting).await.starts_with("HTTP/1.1 200"));
        let mut slow = TcpStream::connect(up.address).await.unwrap();
        slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let _ = go.acquire().await.unwrap();
        up.stop.cancel();
        assert_eq!(read(&mut resting).await, "", "a connection at rest is closed");
        assert!(!up.done.is_finished());
        wait.add_permits(1);
        assert!(read(&mut slow).await.ends_with("done"));
        up.done.await.unwrap();
    }

    #[tokio::test]
    async fn what_never_ends_is_cut_at_the_end_of_the_drain_time() {
        let router = Router::new().route("/", get(std::future::pending::<()>));
        let up = up(router, Bounds { drain: Duration::from_millis(100), ..bounds() }).await;
        let mut stream = TcpStream::connect(up.address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        up.stop.cancel();
        tokio::time::timeout(SOON, up.done).await.expect("the drain is bounded").unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}
