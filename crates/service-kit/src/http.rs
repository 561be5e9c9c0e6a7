//! Serving: the layers, the health routes and the bounded stop that every service has.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use contracts::problem::{Problem, ProblemCode};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

pub use crate::connections::most_streams;
use crate::{
    Running,
    caller::REQUEST_ID_HEADER,
    connections::{self, Bounds},
    problem::ApiError,
    telemetry,
};

/// How long requests may go on after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(8);
/// How long a client may take for the head of a request, and rest between two requests. Our own clients let go of resting
/// connections earlier: see [`crate::client::http_client`].
pub(crate) const HEAD: Duration = Duration::from_secs(10);

/// Says whether a service can do its work now: `Err` holds what is missing, for operators.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How a service is served.
#[derive(Clone)]
pub struct ServeOptions {
    /// Largest body, in bytes. Routes that stream bodies set their own.
    pub body_limit: usize,
    /// Longest time until an answer begins; `None` where routes bound themselves.
    pub timeout: Option<Duration>,
    /// What callers must show on all routes but health and metrics.
    pub internal_token: Option<SecretString>,
    /// Whether this is the gateway, which authenticates by itself and answers `/metrics` by itself, see [`metrics`].
    pub public: bool,
    /// For `/readyz`.
    pub readiness: Readiness,
}

impl ServeOptions {
    /// For an internal service on PostgreSQL.
    #[must_use]
    pub fn internal(token: Option<SecretString>, pool: sqlx::PgPool) -> Self {
        let readiness: Readiness = Arc::new(move || {
            let pool = pool.clone();
            Box::pin(async move {
                let ping = sqlx::Executor::execute(&pool, "select 1");
                match tokio::time::timeout(Duration::from_secs(2), ping).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(_)) | Err(_) => Err("the database does not answer".to_owned()),
                }
            })
        });
        Self {
            body_limit: 2 << 20,
            timeout: Some(Duration::from_secs(60)),
            internal_token: token,
            public: false,
            readiness,
        }
    }
}

/// Binds an address and says which one it was where that fails.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| anyhow::anyhow!("cannot listen on {address}: {error}"))
}

/// Serves a router until the token is cancelled, then drains for a bounded time.
///
/// # Errors
/// When an internal service would be reachable from other machines without a token.
pub fn serve(
    name: &'static str,
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    options: ServeOptions,
) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    if !options.public && options.internal_token.is_none() && !address.ip().is_loopback() {
        anyhow::bail!(
            "{name} listens on {address}, which other machines reach: set SM_INTERNAL_TOKEN, or listen on loopback"
        );
    }
    let router = layers(router, options, shutdown.clone());
    let bounds = Bounds { head: HEAD, drain: DRAIN, connections: connections::most_connections() };
    let done = tokio::spawn(async move {
        connections::serve(name, listener, router, shutdown, bounds).await;
        Ok(())
    });
    Ok(Running { address, done })
}

fn layers(router: Router, options: ServeOptions, shutdown: CancellationToken) -> Router {
    let readiness = options.readiness.clone();
    let mut health = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(move || ready(readiness.clone(), shutdown.clone())));
    if !options.public {
        health = health.route("/metrics", get(metrics));
    }
    let health = health.method_not_allowed_fallback(method_not_allowed);
    let guarded = router
        .fallback(|| async { ApiError::not_found("route") })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(middleware::from_fn_with_state(options.timeout, time_out))
        .layer(middleware::from_fn_with_state(Arc::new(options), authorise));
    Router::new()
        .merge(health)
        .fallback_service(guarded)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(name_request))
}

async fn ready(readiness: Readiness, shutdown: CancellationToken) -> Response {
    if shutdown.is_cancelled() {
        return ApiError::new(ProblemCode::Unavailable, "It is stopping.").into_response();
    }
    match readiness().await {
        Ok(()) => "ready\n".into_response(),
        Err(missing) => ApiError::new(ProblemCode::Unavailable, missing).into_response(),
    }
}

/// Answers a method that a route does not know; the router adds `Allow`.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(ProblemCode::MethodNotAllowed, "This route does not know the method.")
}

/// Answers the process's metrics in the form of Prometheus. They tell strangers how busy we are and by what routes: internal
/// services answer them on their own address, the gateway to callers that may read.
pub async fn metrics() -> Response {
    let text = telemetry::metrics_handle().map(|handle| {
        handle.run_upkeep();
        handle.render()
    });
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.unwrap_or_default()).into_response()
}

/// Checks the internal token, in constant time.
async fn authorise(State(options): State<Arc<ServeOptions>>, request: Request, next: Next) -> Response {
    if let Some(token) = &options.internal_token
        && !options.public
    {
        let shown =
            request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let shown = shown.strip_prefix(b"Bearer ").unwrap_or_default();
        if !bool::from(shown.ct_eq(token.expose_secret().as_bytes())) {
            return ApiError::new(ProblemCode::Unauthorized, "This service answers the gateway only.")
                .into_response();
        }
    }
    next.run(request).await
}

/// Bounds the time until an answer begins, the reading of the body included where a handler collects it.
pub async fn time_out(State(limit): State<Option<Duration>>, request: Request, next: Next) -> Response {
    match limit {
        None => next.run(request).await,
        Some(limit) => tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
            ApiError::new(ProblemCode::Timeout, "The answer took too long.").into_response()
        }),
    }
}

fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    // The panic's own message has been printed by the panic hook.
    ApiError::new(ProblemCode::Internal, "The logs explain it under this request_id.").into_response()
}

/// Gives each request an id (the gateway's, if it came through it), logs it once, and writes the id into problems.
async fn name_request(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID_HEADER).filter(|value| is_request_id(value)).cloned();
    let id = given.unwrap_or_else(|| {
        HeaderValue::from_str(&uuid::Uuid::now_v7().to_string())
            .unwrap_or(HeaderValue::from_static("unnamed"))
    });
    request.headers_mut().insert(REQUEST_ID_HEADER, id.clone());
    let text = id.to_str().unwrap_or_default().to_owned();
    // The path only: queries may hold signatures.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request_id = %text);
    let start = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Box<Problem>>() {
        let problem = Problem { request_id: Some(text), ..*problem };
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let status = response.status();
    let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::warn!(%method, path, status = status.as_u16(), milliseconds, "answered");
        } else {
            tracing::debug!(%method, path, status = status.as_u16(), milliseconds, "answered");
        }
    });
    metrics::histogram!("http_request_seconds", "method" => method_label(&method), "status" => status.as_u16().to_string())
        .record(start.elapsed().as_secs_f64());
    response.headers_mut().insert(REQUEST_ID_HEADER, id);
    response
}

/// A method as a metric's label: clients may make up methods, each of which would be a series of its own.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn is_request_id(value: &HeaderValue) -> bool {
    (1..=64).contains(&value.len())
        && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}
