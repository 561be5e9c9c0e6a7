//! The one public door: routing to the services, authentication, limits, the API document, the web app.
//!
//! Promises: nothing but what [`table`] lists reaches a service; nothing needs less than the table says; without keys it
//! answers this machine only; bodies pass through without being collected. It keeps no state but API keys, so that any
//! number of gateways can stand beside each other.

pub mod app;
pub mod auth;
pub mod config;
pub mod examples;
pub mod files;
pub mod keys;
pub mod openapi;
pub mod pages;
pub mod preferences;
pub mod proxy;
pub mod secure;
pub mod session;
pub mod signin;
pub mod streams;
pub mod table;
pub mod throttle;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use contracts::key::Scope;
use service_kit::{
    Running,
    http::{self, ServeOptions},
    problem::ApiResult,
};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use config::{AuthMode, Config, Patience, Streams};
pub use openapi::{merge_openapi, openapi};

use crate::{
    auth::{Door, Visitor},
    keys::KeyStore,
};

/// What handlers share.
#[derive(Debug)]
pub struct Gateway {
    /// The settings.
    pub config: Config,
    /// Who is let in.
    pub door: Door,
    /// Holds the keys.
    pub pool: PgPool,
    /// To the services.
    pub client: reqwest::Client,
    /// The places of event streams.
    pub streams: Arc<Semaphore>,
    /// Cancelled when the gateway stops.
    pub shutdown: CancellationToken,
}

/// Starts the gateway.
///
/// # Errors
/// When the settings would let strangers in, the address cannot be listened on, or the database does not let us in.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Running> {
    config.check()?;
    let listener = http::bind(config.listen).await?;
    let pool = service_kit::db::connect(&config.database, "gateway").await?;
    if config.auth == AuthMode::Keys && config.admin_token.is_none() {
        tracing::info!("SM_ADMIN_TOKEN is not set: only keys that are in the database are accepted");
    }
    let options = ServeOptions { public: true, timeout: None, ..ServeOptions::internal(None, pool.clone()) };
    let gateway = Gateway {
        door: Door::new(&config, KeyStore::new(pool.clone())),
        client: service_kit::client::http_client(None)?,
        streams: Arc::new(Semaphore::new(config.streams.most)),
        shutdown: shutdown.clone(),
        pool,
        config,
    };
    http::serve("gateway", listener, router(Arc::new(gateway)), shutdown, options)
}

/// The gateway's own API routes.
fn own_api() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::new()
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(signin::sign_in, signin::show, signin::sign_out))
}

fn router(gateway: Arc<Gateway>) -> Router {
    let services = table::ROUTES.iter().fold(Router::new(), |router, route| {
        router.route(route.pattern, any(proxy::handle).layer(Extension(route)))
    });
    let own = Router::from(own_api())
        .route("/metrics", get(metrics))
        .merge(app::router())
        .merge(pages::router())
        // A route, not a fallback, so that the layers around it apply to it too.
        .route("/{*path}", any(app::unknown))
        .layer(middleware::from_fn_with_state(Some(gateway.config.patience.short), http::time_out));
    Router::new()
        .merge(services)
        .merge(own)
        .method_not_allowed_fallback(http::method_not_allowed)
        .layer(middleware::from_fn_with_state(gateway.clone(), guard))
        .layer(middleware::from_fn_with_state(gateway.config.secure_cookies, secure::secure))
        .with_state(gateway)
}

/// The metrics of this process, for whoever may read: they tell by what routes and how much the gateway is used.
async fn metrics(State(gateway): State<Arc<Gateway>>, visitor: Visitor) -> ApiResult<Response> {
    gateway.door.admit(&visitor, &[Scope::Read, Scope::Admin]).await?;
    Ok(http::metrics().await)
}

/// The first look at every request.
async fn guard(
    State(gateway): State<Arc<Gateway>>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    match gateway.door.check_open(&visitor) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
