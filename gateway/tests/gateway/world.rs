//! What the tests stand on: a gateway on a database of its own, in front of a loopback service that tells what it got.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures::StreamExt as _;
use gateway::{AuthMode, Config, Patience, Streams};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use service_kit::{Running, db::DatabaseConfig, testing::Database};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

pub const ADMIN: &str = "an-admin-token-of-more-than-32-characters";
pub const EXECUTOR: &str = "an-executor-token-of-more-than-32-characters";
pub const INTERNAL: &str = "an-internal-token-of-more-than-32-characters";
pub const ID: &str = "019a0000-0000-7000-8000-000000000000";

/// The service behind the gateway.
struct Behind {
    /// What arrives at `/v1/uploads`, piece by piece.
    pieces: mpsc::UnboundedSender<Bytes>,
    /// What `/v1/montages/{ID}/stream` answers, piece by piece.
    answers: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    /// How many of `/v1/events` are open.
    open: Arc<AtomicUsize>,
}

async fn echo(request: Request) -> Response {
    let (request, body) = request.into_parts();
    if axum::body::to_bytes(body, usize::MAX).await.is_err() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let headers: serde_json::Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or("(no text)"))))
        .collect();
    let body = json!({"method": request.method.as_str(), "uri": request.uri.to_string(), "headers": headers});
    let headers =
        [("x-sm-secret", "inside"), ("connection", "x-hop"), ("x-hop", "1"), ("upload-offset", "7")];
    (headers, axum::Json(body)).into_response()
}

async fn take_upload(State(behind): State<Arc<Behind>>, request: Request) -> Response {
    let mut total = 0;
    let mut body = request.into_body().into_data_stream();
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else { return StatusCode::BAD_REQUEST.into_response() };
        total += piece.len();
        let _ = behind.pieces.send(piece);
    }
    axum::Json(json!({"bytes": total})).into_response()
}

async fn stream(State(behind): State<Arc<Behind>>) -> Response {
    let body = futures::stream::unfold(behind, |behind| async move {
        let piece = behind.answers.lock().await.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), behind))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

/// An event stream that begins and then says nothing more, and what the service was told.
async fn events(State(behind): State<Arc<Behind>>, headers: HeaderMap) -> Response {
    struct Open(Arc<AtomicUsize>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    behind.open.fetch_add(1, Ordering::SeqCst);
    let open = Open(behind.open.clone());
    let last = headers.get("last-event-id").map_or("", |value| value.to_str().unwrap());
    let hello = Ok::<_, std::convert::Infallible>(format!("event: hello\nid: {last}\ndata: {{}}\n\n"));
    let body = futures::stream::iter([hello]).chain(futures::stream::pending()).map(move |piece| {
        let _open = &open;
        piece
    });
    let headers =
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")];
    (headers, Body::from_stream(body)).into_response()
}

async fn media(headers: HeaderMap) -> Response {
    let tag = [("etag", "\"v1\""), ("accept-ranges", "bytes"), ("content-type", "video/mp4")];
    if headers.get("if-none-match").is_some_and(|value| value == "\"v1\"") {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    match headers.get("range").map(|value| value.to_str().unwrap()) {
        Some("bytes=2-4") => {
            (StatusCode::PARTIAL_CONTENT, tag, [("content-range", "bytes 2-4/10")], "234").into_response()
        }
        _ => (tag, "0123456789").into_response(),
    }
}

/// What no service should answer: a page.
async fn page() -> Response {
    ([("content-type", "text/html; charset=utf-8")], "<script src=\"/v1/uploads/1/media\"></script>")
        .into_response()
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

pub struct World {
    pub database: Database,
    pub running: Running,
    pub shutdown: CancellationToken,
    client: Client,
    pub base: String,
    pub pieces: mpsc::UnboundedReceiver<Bytes>,
    pub answers: mpsc::UnboundedSender<Bytes>,
    /// How many event streams are open at the service.
    pub open: Arc<AtomicUsize>,
}

impl World {
    pub async fn new(auth: AuthMode) -> Option<Self> {
        Self::with(auth, false, Streams::default()).await
    }

    /// A gateway that people reach by https, so they say.
    pub async fn by_https() -> Option<Self> {
        Self::with(AuthMode::Keys, true, Streams::default()).await
    }

    /// With other bounds for event streams.
    pub async fn streaming(auth: AuthMode, streams: Streams) -> Option<Self> {
        Self::with(auth, false, streams).await
    }

    async fn with(auth: AuthMode, secure_cookies: bool, streams: Streams) -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let (pieces_in, pieces) = mpsc::unbounded_channel();
        let (answers, answers_out) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let behind =
            Arc::new(Behind { pieces: pieces_in, answers: Mutex::new(answers_out), open: open.clone() });
        let service = Router::new()
            .route("/v1/uploads", post(take_upload).fallback(echo))
            .route(&format!("/v1/montages/{ID}/stream"), get(stream))
            .route("/v1/events", get(events))
            .route(&format!("/v1/montages/{ID}/never"), get(std::future::pending::<()>))
            .route(&format!("/v1/montages/{ID}/media"), get(media))
            .route(&format!("/v1/montages/{ID}/page"), get(page))
            .fallback(any(echo))
            .with_state(behind);
        let service = format!("http://{}", serve(service).await);
        // Nothing listens there: it was taken and given back.
        let nobody = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            auth,
            jobs_url: service.clone(),
            montages_url: service,
            scheduler_url: nobody,
            internal_token: Some(INTERNAL.into()),
            admin_token: Some(ADMIN.into()),
            executor_token: Some(EXECUTOR.into()),
            upload_limit: 1 << 20,
            secure_cookies,
            // The service that is to time out never answers, so that only what is fast could be hurt by a short patience.
            patience: Patience { short: Duration::from_secs(5), long: Duration::from_secs(60) },
            streams,
            database: DatabaseConfig { url: database.url().into(), connections: 4 },
        };
        let shutdown = CancellationToken::new();
        let running = gateway::start(config, shutdown.clone()).await.unwrap();
        let client = service_kit::client::http_client(Some(Duration::from_secs(60))).unwrap();
        let base = format!("http://{}", running.address);
        Some(Self { database, running, shutdown, client, base, pieces, answers, open })
    }

    pub fn call(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse::<Method>().unwrap(), format!("{}{path}", self.base))
    }

    pub async fn key(&self, scopes: &[&str]) -> Value {
        let made = self
            .call("POST", "/v1/keys")
            .bearer_auth(ADMIN)
            .json(&json!({"name": "test", "scopes": scopes}))
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 201);
        made.json().await.unwrap()
    }

    pub async fn end(self) {
        self.shutdown.cancel();
        self.running.done.await.unwrap().unwrap();
        self.database.remove().await;
    }
}

pub async fn code(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    if status < 400 {
        return (status, String::new());
    }
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = response.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["request_id"]), (&json!(status), &json!(id)));
    (status, problem["code"].as_str().unwrap().to_owned())
}
