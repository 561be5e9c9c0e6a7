//! Decides when: schedules with a cron expression and a time zone, each tick of which reads a list of highlights and posts
//! one job, with any number of schedulers running.
//!
//! Promises: a tick becomes at most one job, whatever crashes between its steps, and exactly one if its source lists
//! highlights and jobs-repo accepts them; what became of each tick is kept, with the reason where it failed. Missed ticks are
//! made up for by one run, for the latest of them. It fails to start without its database; jobs-repo and the
//! sources may come and go.

pub mod routes;
pub mod rule;
pub mod store;
pub mod template;
pub mod ticks;
pub mod work;

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use fetch::{FetchConfig, Fetcher};
use secrecy::SecretString;
use service_kit::{Running, client::ServiceClient, db::DatabaseConfig, env::Env, http::ServeOptions};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{routes::Api, work::Worker};

/// Runs that one scheduler does at once, so that a slow source holds up no other.
const LOOPS: usize = 4;

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SM_SCHEDULER_LISTEN`
    pub listen: SocketAddr,
    /// `SM_JOBS_URL`
    pub jobs_url: String,
    /// `SM_INTERNAL_TOKEN`
    pub internal_token: Option<SecretString>,
    /// `SM_FETCH_…`, `SM_MEDIA_DIRS`. Lists of highlights are small: time and tries are bounded further, see [`work`].
    pub fetch: FetchConfig,
    /// `SM_DATABASE_URL`, `SM_DATABASE_CONNECTIONS`
    pub database: DatabaseConfig,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or cannot be read.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        Ok(Self {
            listen: env.parse("SM_SCHEDULER_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8083)))?,
            jobs_url: env.get("SM_JOBS_URL").unwrap_or("http://127.0.0.1:8081").to_owned(),
            internal_token: env.secret("SM_INTERNAL_TOKEN"),
            fetch: FetchConfig::from_lookup(&|name| env.lookup(name))?,
            database: DatabaseConfig::from_env(env)?,
        })
    }
}

/// Starts the scheduler: its routes and its loops.
///
/// # Errors
/// When the address cannot be listened on or the database does not let us in.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Running> {
    let listener = service_kit::http::bind(config.listen).await?;
    let pool = service_kit::db::connect(&config.database, "scheduler").await?;
    let wake = Arc::new(Notify::new());
    let worker = Worker {
        owner: Uuid::new_v4(),
        pool: pool.clone(),
        fetcher: fetcher(config.fetch)?,
        jobs: ServiceClient::new("jobs-repo", &config.jobs_url, config.internal_token.clone())?,
    };
    let mut loops = JoinSet::new();
    for _ in 0..LOOPS {
        let worker = Worker { owner: Uuid::new_v4(), ..worker.clone() };
        loops.spawn(worker.run(wake.clone(), shutdown.clone()));
    }
    let options = ServeOptions::internal(config.internal_token, pool.clone());
    let router = Router::from(routes::router()).with_state(Api { pool, wake });
    let serving = service_kit::http::serve("scheduler", listener, router, shutdown.clone(), options)?;
    let address = serving.address;
    let done = tokio::spawn(async move {
        serving.done.await??;
        // A run that is under way has the time that requests have; then its lease runs out and another scheduler does it.
        shutdown.cancelled().await;
        let drained = tokio::time::timeout(std::time::Duration::from_secs(8), async {
            while loops.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            tracing::warn!("a run was cut off; it is taken up again");
        }
        Ok(())
    });
    Ok(Running { address, done })
}

/// The guarded way out, with the bounds of small documents.
///
/// # Errors
/// Where TLS has no root certificates to start with.
pub fn fetcher(config: FetchConfig) -> anyhow::Result<Fetcher> {
    let (timeout, attempts) = (config.timeout.min(work::FETCH_TIME), config.attempts.min(3));
    Ok(Fetcher::new(FetchConfig { timeout, attempts, ..config })?)
}

/// The scheduler's part of the API document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::router().into_openapi()
}
