//! jobs-repo: the ledger of work. Jobs, their attempts and leases, the outbox of hints, and the webhooks.
//!
//! Promises: a job and its hint are stored together; a job is worked on under at most one live lease, and a write under
//! an old one changes nothing; every job ends within one budget of attempts; only the database's clock decides. Any number
//! of replicas run beside each other. Fails with RFC 9457 problems; while the database is away every route is
//! `unavailable`; while Kafka is away nothing but the hints waits.

mod answers;
mod app;
mod change;
mod claims;
mod config;
mod deliver;
mod events;
mod executors;
mod hints;
mod judge;
mod outbox;
mod parts;
mod post;
mod posted;
mod routes_answers;
mod routes_events;
mod routes_executors;
mod routes_jobs;
mod routes_leases;
mod routes_parts;
mod routes_webhooks;
mod rows;
pub mod signature;
mod turns;
mod upkeep;
mod watch;
mod webhooks;

pub use config::{Config, HintsConfig, Policy, Streams, WebhookConfig};
pub use upkeep::forget;

use axum::extract::DefaultBodyLimit;
use service_kit::{
    Running, db,
    http::{ServeOptions, bind, serve},
};
use std::sync::Arc;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use app::App;
use deliver::Sender;
use hints::Hints;
use watch::Watch;

/// Largest body of a route whose body holds a plan, in bytes.
const LARGE_BODY: usize = 8 << 20;

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(routes_jobs::post_jobs, routes_jobs::list_jobs))
        .routes(routes!(routes_jobs::get_job, routes_jobs::change_job))
        .routes(routes!(routes_jobs::cancel_job))
        .routes(routes!(routes_jobs::retry_job))
        .routes(routes!(routes_events::job_events))
        .routes(routes!(routes_events::events))
        .routes(routes!(routes_jobs::stats))
        .routes(routes!(routes_executors::executors))
        .routes(routes!(routes_answers::post_plan))
        .routes(routes!(routes_answers::get_plan))
        .routes(routes!(routes_answers::post_probe))
        .routes(routes!(routes_answers::get_probe))
        .routes(routes!(routes_leases::claim))
        .routes(routes!(routes_leases::heartbeat))
        .merge(large_bodies())
        .routes(routes!(routes_leases::fail))
        .routes(routes!(routes_leases::release))
        .routes(routes!(routes_leases::check))
        .merge(routes_webhooks::router())
}

/// The routes whose bodies hold plans.
fn large_bodies() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(routes_leases::complete))
        .routes(routes!(routes_parts::post_parts))
        .routes(routes!(routes_parts::part_states))
        .layer(DefaultBodyLimit::max(LARGE_BODY))
}

/// What the routes are and take and answer.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

/// Starts the service: the routes, the relay, the sender of webhooks, the sweeper, the watch and the upkeep, until the token is cancelled.
///
/// The database must have been migrated.
///
/// # Errors
/// When the database cannot be reached, the address cannot be bound, or a setting is not accepted.
pub async fn start(config: Config, shutdown: CancellationToken) -> anyhow::Result<Running> {
    let pool = db::connect(&config.database, "jobs-repo").await?;
    let hints = Hints::new(&config.hints, pool.clone())?;
    let app = Arc::new(App {
        pool: pool.clone(),
        policy: config.policy,
        work: Notify::new(),
        ended: Notify::new(),
        outbox: Notify::new(),
        sender: Sender::new(config.webhooks)?,
        streams: config.streams,
        watch: Watch::new(config.streams),
        shutdown: shutdown.clone(),
    });
    let (router, _) = routes().split_for_parts();
    let listener = bind(config.listen).await?;
    let options = ServeOptions::internal(config.internal_token, pool);
    let running = serve("jobs-repo", listener, router.with_state(Arc::clone(&app)), shutdown, options)?;

    let mut tasks = JoinSet::new();
    tasks.spawn(app::listen(Arc::clone(&app)));
    tasks.spawn(outbox::relay(Arc::clone(&app), hints));
    tasks.spawn(deliver::send_all(Arc::clone(&app)));
    tasks.spawn(upkeep::sweep(Arc::clone(&app)));
    tasks.spawn(watch::run(Arc::clone(&app)));
    tasks.spawn(upkeep::housekeep(app));
    let served = running.done;
    let done = tokio::spawn(async move {
        let result = served.await?;
        // They see the same token; none of them runs long after it.
        while tasks.join_next().await.is_some() {}
        result
    });
    Ok(Running { address: running.address, done })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_whole() {
        let document = serde_json::to_value(super::openapi()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.iter().any(|reference| reference.ends_with("/PostedHighlight")), "{found:?}");
        for reference in found {
            assert!(
                document.pointer(reference.trim_start_matches('#')).is_some(),
                "{reference} is not there"
            );
        }
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path} has a summary");
            }
        }
    }
}
