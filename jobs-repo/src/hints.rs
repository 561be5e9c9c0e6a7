//! The two carriers of hints: an Apache Kafka topic, and `NOTIFY` of the database.
//!
//! Promises: never waits for one message before handing over the next; answers which were acknowledged, within
//! [`PATIENCE`] and a moment. Fails only when made, if a setting is not accepted.

use anyhow::Context as _;
use chrono::SecondsFormat;
use contracts::hint::{JOB_AVAILABLE, POSTGRES_CHANNEL, SOURCE};
use futures::{StreamExt, stream::FuturesUnordered};
use rdkafka::{
    ClientConfig, ClientContext,
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
};
use sqlx::PgPool;
use std::time::Duration;

use crate::{config::HintsConfig, outbox::Pending};

/// How long Kafka may take for one batch, its repetitions included.
const PATIENCE: Duration = Duration::from_secs(10);

/// A carrier of hints.
pub enum Hints {
    /// Apache Kafka.
    Kafka(Kafka),
    /// The database.
    Postgres(PgPool),
}

/// The producer and what it takes to make another one.
pub struct Kafka {
    brokers: String,
    topic: String,
    producer: FutureProducer<Quiet>,
}

/// Broker trouble is reported by the relay, once; librdkafka would repeat it every second.
struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl Hints {
    /// The configured carrier. Does not connect yet.
    ///
    /// # Errors
    /// When a setting is not accepted.
    pub fn new(config: &HintsConfig, pool: PgPool) -> anyhow::Result<Self> {
        match config {
            HintsConfig::Postgres => Ok(Self::Postgres(pool)),
            HintsConfig::Kafka { brokers, topic } => {
                let producer = producer(brokers)?;
                Ok(Self::Kafka(Kafka { brokers: brokers.clone(), topic: topic.clone(), producer }))
            }
        }
    }

    /// Sends a batch and answers the ids of what was acknowledged.
    pub async fn publish(&mut self, batch: &[Pending]) -> Vec<i64> {
        match self {
            Self::Postgres(pool) => match notify(pool, batch).await {
                Ok(()) => batch.iter().map(|pending| pending.id).collect(),
                Err(error) => {
                    tracing::debug!(%error, "notify");
                    Vec::new()
                }
            },
            Self::Kafka(kafka) => kafka.publish(batch).await,
        }
    }
}

/// One statement, so all of a batch or nothing.
async fn notify(pool: &PgPool, batch: &[Pending]) -> sqlx::Result<()> {
    let payloads: Vec<String> = batch.iter().map(payload).collect();
    sqlx::query!(
        "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS hint (payload)",
        POSTGRES_CHANNEL,
        &payloads
    )
    .fetch_all(pool)
    .await?;
    Ok(())
}

fn payload(pending: &Pending) -> String {
    serde_json::to_string(&pending.hint).unwrap_or_default()
}

fn producer(brokers: &str) -> anyhow::Result<FutureProducer<Quiet>> {
    let patience = PATIENCE.as_millis().to_string();
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "jobs-repo")
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("message.timeout.ms", &patience)
        .set("log.connection.close", "false")
        .create_with_context(Quiet)
        .context("the Kafka producer does not accept its settings; check SM_KAFKA_BROKERS")
}

impl Kafka {
    async fn publish(&mut self, batch: &[Pending]) -> Vec<i64> {
        // An idempotent producer stops for good when it can no longer keep its promise; a new one starts afresh.
        if let Some((_, reason)) = self.producer.client().fatal_error() {
            tracing::warn!(reason, "the Kafka producer stopped and is replaced");
            match producer(&self.brokers) {
                Ok(producer) => self.producer = producer,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "no new Kafka producer");
                    return Vec::new();
                }
            }
        }
        let mut sent: FuturesUnordered<_> = batch
            .iter()
            .map(|pending| {
                let (producer, topic) = (&self.producer, self.topic.as_str());
                async move {
                    let (key, data) = (pending.hint.job_id.to_string(), payload(pending));
                    let record = FutureRecord::to(topic).key(&key).payload(&data).headers(headers(pending));
                    match producer.send(record, Duration::ZERO).await {
                        Ok(_) => Some(pending.id),
                        Err((error, _)) => {
                            tracing::debug!(%error, "kafka");
                            None
                        }
                    }
                }
            })
            .collect();
        let mut acknowledged = Vec::with_capacity(batch.len());
        while let Some(id) = sent.next().await {
            acknowledged.extend(id);
        }
        acknowledged
    }
}

/// CloudEvents 1.0 in binary mode.
fn headers(pending: &Pending) -> OwnedHeaders {
    let (id, time) =
        (pending.id.to_string(), pending.created_at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let mut pairs = vec![
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_type", JOB_AVAILABLE),
        ("ce_source", SOURCE),
        ("ce_id", &id),
        ("ce_time", &time),
    ];
    if let Some(trace_parent) = &pending.trace_parent {
        pairs.push(("traceparent", trace_parent));
    }
    let headers = OwnedHeaders::new_with_capacity(pairs.len());
    pairs
        .into_iter()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}
