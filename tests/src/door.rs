//! A door before the gateway, which holds one request for good: so that a test finds a program in the middle of something.

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderName, Method, header},
    response::{IntoResponse, Response},
};
use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Longest wait for the held request to come. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which `POST` is held, counted from 1.
#[derive(Debug, Clone, Copy)]
pub enum Hold {
    /// Before the gateway hears of it.
    Before(usize),
    /// After the gateway has answered it; nobody hears the answer.
    After(usize),
}

/// The door; closed when dropped.
pub struct Door {
    /// Its address, `http://…`.
    pub url: String,
    held: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

struct Shared {
    gateway: String,
    hold: Hold,
    posts: AtomicUsize,
    held: watch::Sender<bool>,
    client: reqwest::Client,
}

impl Door {
    /// Opens a door to a gateway.
    pub async fn open(gateway: &str, hold: Hold) -> Self {
        let (sender, held) = watch::channel(false);
        let client = service_kit::client::http_client(Some(PATIENCE)).expect("a client can be made");
        let shared =
            Shared { gateway: gateway.to_owned(), hold, posts: AtomicUsize::new(0), held: sender, client };
        let router = Router::new().fallback(pass).with_state(Arc::new(shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the door serves") });
        Self { url, held, task }
    }

    /// Waits until the request is held.
    pub async fn until_held(&mut self) {
        let waited = tokio::time::timeout(PATIENCE, self.held.wait_for(|held| *held)).await;
        waited.expect("the request comes").expect("the door is open");
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a request has a body");
    let number = match head.method {
        Method::POST => shared.posts.fetch_add(1, Ordering::Relaxed) + 1,
        _ => 0,
    };
    if matches!(shared.hold, Hold::Before(held) if held == number) {
        hold(&shared).await;
    }
    let url = format!("{}{}", shared.gateway, head.uri);
    let mut onward = shared.client.request(head.method, url).body(body);
    for (name, value) in head.headers.iter().filter(|(name, _)| own(name)) {
        onward = onward.header(name, value);
    }
    let answer = onward.send().await.expect("the gateway answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes: Bytes = answer.bytes().await.expect("an answer has a body");
    if matches!(shared.hold, Hold::After(held) if held == number) {
        hold(&shared).await;
    }
    let mut response = (status, bytes).into_response();
    response.headers_mut().extend(headers.into_iter().filter(|(name, _)| name.as_ref().is_some_and(own)));
    response
}

/// Whether a header belongs to the message and not to its connection.
fn own(name: &HeaderName) -> bool {
    ![header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING].contains(name)
}

async fn hold(shared: &Shared) {
    shared.held.send_replace(true);
    future::pending::<()>().await;
}
