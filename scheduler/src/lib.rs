//! Decides when: schedules with a cron expression and a time zone, each tick of which reads highlights from a source, selects, and
//! posts the jobs of one montage or of many, with any number of schedulers running.
//!
//! Promises: a tick is run once, and each montage of the same days is posted once, whatever crashes between the steps; what became of
//! each tick is kept, with what was read and skipped, the jobs, and the reason where it failed. What happens to missed ticks, and to
//! runs whose predecessor is not done, is each schedule's own policy. It fails to start without its database; jobs-repo and the
//! sources may come and go.

pub mod definition;
pub mod missed;
pub mod posts;
pub mod routes;
pub mod rule;
pub mod runs;
pub mod store;
pub mod ticks;
pub mod trial;
pub mod work;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use fetch::{FetchConfig, Fetcher};
use highlights::Ways;
use secrecy::SecretString;
use service_kit::{Running, client::ServiceClient, db::DatabaseConfig, env::Env, http::ServeOptions};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{routes::Api, work::Worker};

/// Runs that one scheduler does at once, so that a slow source holds up no other.
const LOOPS: usize = 4;

/// Longest time of one request to a source, and most tries of it; a run tries again by itself.
const FETCH_TIME: Duration = Duration::from_secs(30);
/// Most tries of one request.
const FETCH_TRIES: u32 = 3;

/// Settings.
#[derive(Clone)]
pub struct Config {
    /// `SM_SCHEDULER_LISTEN`
    pub listen: SocketAddr,
    /// `SM_JOBS_URL`
    pub jobs_url: String,
    /// `SM_INTERNAL_TOKEN`
    pub internal_token: Option<SecretString>,
    /// `SM_FETCH_…`, `SM_MEDIA_DIRS` and those of the sources.
    pub ways: Ways,
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
            ways: Ways::from_env(env, fetcher(FetchConfig::from_lookup(&|name| env.lookup(name))?)?)?,
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
        ways: config.ways.clone(),
        jobs: ServiceClient::new("jobs-repo", &config.jobs_url, config.internal_token.clone())?,
    };
    let mut loops = JoinSet::new();
    for _ in 0..LOOPS {
        let worker = Worker { owner: Uuid::new_v4(), ..worker.clone() };
        loops.spawn(worker.run(wake.clone(), shutdown.clone()));
    }
    let options = ServeOptions::internal(config.internal_token, pool.clone());
    let router = Router::from(routes::router()).with_state(Api {
        pool,
        wake,
        ways: config.ways,
        trials: Arc::new(Semaphore::new(trial::AT_ONCE)),
    });
    let serving = service_kit::http::serve("scheduler", listener, router, shutdown.clone(), options)?;
    let address = serving.address;
    let done = tokio::spawn(async move {
        serving.done.await??;
        // A run that is under way has the time that requests have; then its lease runs out and another scheduler does it.
        shutdown.cancelled().await;
        let drained = tokio::time::timeout(Duration::from_secs(8), async {
            while loops.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            tracing::warn!("a run was cut off; it is taken up again");
        }
        Ok(())
    });
    Ok(Running { address, done })
}

/// The guarded way out, with the bounds of lists, which are small.
///
/// # Errors
/// Where TLS has no root certificates to start with.
pub fn fetcher(config: FetchConfig) -> anyhow::Result<Fetcher> {
    let (timeout, attempts) = (config.timeout.min(FETCH_TIME), config.attempts.min(FETCH_TRIES));
    Ok(Fetcher::new(FetchConfig { timeout, attempts, ..config })?)
}

/// The scheduler's part of the API document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::router().into_openapi()
}
