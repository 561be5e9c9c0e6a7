//! `up`: all services, one executor and the gateway in one process.
//!
//! The services still meet over HTTP and hints only: each gets its own settings, on loopback ports that the system picks,
//! with tokens made for this process. Only the gateway listens where `SM_LISTEN` says. If one of them ends, all do.

use anyhow::Context;
use contracts::hint::{DEFAULT_PARTITIONS, DEFAULT_TOPIC};
use futures::stream::{FuturesUnordered, StreamExt};
use service_kit::{Running, env::Env};
use tokio_util::sync::CancellationToken;

const ANY_PORT: &str = "127.0.0.1:0";

/// Starts everything; ends when the token is cancelled or a part ends.
pub async fn up(env: Env, shutdown: CancellationToken) -> anyhow::Result<Running> {
    let env = defaults(&env)?;
    prepare(&env).await?;

    let env = env.with(
        ["SM_JOBS_LISTEN", "SM_MONTAGES_LISTEN", "SM_SCHEDULER_LISTEN", "SM_EXECUTOR_LISTEN"]
            .map(|name| (name, Some(ANY_PORT.to_owned()))),
    )?;
    // The gateway and the executor stop first, then what they need.
    let (front, back) = (shutdown.child_token(), CancellationToken::new());
    let jobs =
        jobs_repo::start(jobs_repo::Config::from_env(&env)?, back.clone()).await.context("jobs-repo")?;
    let env = env.with([("SM_JOBS_URL", Some(format!("http://{}", jobs.address)))])?;
    let montages = montages_repo::start(montages_repo::Config::from_env(&env)?, back.clone())
        .await
        .context("montages-repo")?;
    let scheduler =
        scheduler::start(scheduler::Config::from_env(&env)?, back.clone()).await.context("scheduler")?;
    let env = env.with([
        ("SM_MONTAGES_URL", Some(format!("http://{}", montages.address))),
        ("SM_SCHEDULER_URL", Some(format!("http://{}", scheduler.address))),
    ])?;
    let gateway = gateway::start(gateway::Config::from_env(&env)?, back.clone()).await.context("gateway")?;
    let env = env.with([("SM_GATEWAY_URL", Some(format!("http://{}", loopback(gateway.address))))])?;
    let executor =
        executor::start(executor::Config::from_env(&env)?, front.clone()).await.context("executor")?;
    let address = gateway.address;
    println!("Stream Montages is up: http://{}/", loopback(address));

    let done = tokio::spawn(async move {
        let named = |name: &'static str, running: Running| async move { (name, running.done.await) };
        let mut executor = Box::pin(named("executor", executor));
        let mut others: FuturesUnordered<_> = [
            named("gateway", gateway),
            named("scheduler", scheduler),
            named("montages-repo", montages),
            named("jobs-repo", jobs),
        ]
        .into_iter()
        .collect();
        let first = tokio::select! {
            ended = &mut executor => ended,
            Some(ended) = others.next() => {
                front.cancel();
                let _ = executor.await;
                ended
            }
        };
        // The executor has given its leases back; now nobody needs the rest.
        back.cancel();
        while others.next().await.is_some() {}
        let (name, result) = first;
        result.with_context(|| name)?.with_context(|| name)?;
        anyhow::ensure!(shutdown.is_cancelled(), "{name} ended by itself");
        Ok(())
    });
    Ok(Running { address, done })
}

/// Migrates the database and makes the topic, as the `migrate` program does.
async fn prepare(env: &Env) -> anyhow::Result<()> {
    let report =
        migrations::run(env.required("SM_DATABASE_URL")?).await.context("the database is not ready")?;
    tracing::info!(applied = report.applied.len(), "the database is ready");
    if let (Some("kafka") | None, Some(brokers)) = (env.get("SM_HINTS"), env.get("SM_KAFKA_BROKERS")) {
        let topic = env.get("SM_KAFKA_TOPIC").unwrap_or(DEFAULT_TOPIC);
        let partitions = env.parse("SM_KAFKA_PARTITIONS", DEFAULT_PARTITIONS)?;
        let report =
            migrations::ensure_topic(brokers, topic, partitions).await.context("the topic is not ready")?;
        tracing::info!(topic = report.topic, partitions = report.partitions, "the topic is ready");
    }
    Ok(())
}

/// What a process that holds everything can make up by itself: tokens for its own parts, and no Kafka where none is named.
fn defaults(env: &Env) -> anyhow::Result<Env> {
    let hints = env.get("SM_HINTS").unwrap_or("kafka");
    anyhow::ensure!(
        hints != "kafka" || env.get("SM_KAFKA_BROKERS").is_some(),
        "name the brokers in SM_KAFKA_BROKERS, or set SM_HINTS=postgres to do without Kafka"
    );
    let missing = ["SM_INTERNAL_TOKEN", "SM_EXECUTOR_TOKEN", "SM_OBJECT_SIGNING_SECRET"].into_iter();
    let missing = missing.filter(|name| env.get(name).is_none());
    Ok(env.with(missing.map(|name| (name, Some(random_token()))))?)
}

/// 244 random bits.
fn random_token() -> String {
    let half = || contracts::ids::ExecutorId::generate().0.simple().to_string();
    half() + &half()
}

/// An address that this machine reaches a listener at.
fn loopback(mut address: std::net::SocketAddr) -> std::net::SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
