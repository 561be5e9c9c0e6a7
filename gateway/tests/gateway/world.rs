//! What the tests stand on: a gateway on a database of its own, in front of a loopback service that tells what it got.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures::StreamExt as _;
use gateway::{AuthMode, Config, Patience};
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

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

pub struct World {
    pub database: Database,
    pub running: Running,
    shutdown: CancellationToken,
    client: Client,
    pub base: String,
    pub pieces: mpsc::UnboundedReceiver<Bytes>,
    pub answers: mpsc::UnboundedSender<Bytes>,
}

impl World {
    pub async fn new(auth: AuthMode) -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let (pieces_in, pieces) = mpsc::unbounded_channel();
        let (answers, answers_out) = mpsc::unbounded_channel();
        let behind = Arc::new(Behind { pieces: pieces_in, answers: Mutex::new(answers_out) });
        let service = Router::new()
            .route("/v1/uploads", post(take_upload).fallback(echo))
            .route(&format!("/v1/montages/{ID}/stream"), get(stream))
            .route(&format!("/v1/montages/{ID}/never"), get(std::future::pending::<()>))
            .route(&format!("/v1/montages/{ID}/media"), get(media))
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
            secure_cookies: false,
            // The service that is to time out never answers, so that only what is fast could be hurt by a short patience.
            patience: Patience { short: Duration::from_secs(5), long: Duration::from_secs(60) },
            database: DatabaseConfig { url: database.url().into(), connections: 4 },
        };
        let shutdown = CancellationToken::new();
        let running = gateway::start(config, shutdown.clone()).await.unwrap();
        let client = service_kit::client::http_client(Some(Duration::from_secs(60))).unwrap();
        let base = format!("http://{}", running.address);
        Some(Self { database, running, shutdown, client, base, pieces, answers })
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
