//! Hints from Kafka: "there may be work". A message only rings a bell; it never waits for work, and work never waits for it.
//!
//! Every executor hears every hint: each process is the only member of a consumer group of its own. In a shared group a hint
//! would go to one member, and wait for the slow timer if that one is busy, or was killed and still holds its partitions; no
//! rebalance of others can disturb a group of one. Only executors with a free slot answer the bell by a claim.
//!
//! Promises: the consumer is polled on a thread of its own and is never blocked; it begins with the newest message and
//! commits nothing, since a hint is worth nothing later. Whatever happens to the broker is survived: without it, jobs
//! are found by the claim loop's slow timer, which costs seconds and no job.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use contracts::hint::Hint;
use rdkafka::{
    ClientConfig, ClientContext, Message as _,
    config::RDKafkaLogLevel,
    consumer::{Consumer as _, ConsumerContext, StreamConsumer},
    error::KafkaError,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{claims::Bells, config::KafkaConfig};

/// The pause after an error: librdkafka tries again by itself, this only keeps the log readable.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts to listen. `bells` are rung for each hint; each holds one ring, however many come. The thread ends after `end` is
/// cancelled; nobody has to wait for it.
///
/// # Errors
/// When the settings cannot be used. A broker that is not there is no error.
pub fn start(
    config: &KafkaConfig,
    name: &str,
    bells: Arc<Bells>,
    end: CancellationToken,
) -> anyhow::Result<()> {
    let consumer = consumer(config, name)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("hints".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = end.cancelled() => {}
                () = listen(&consumer, &bells) => {}
            }
        });
        // Leaving the group takes a moment, which is why this is not the service's own runtime.
        drop(consumer);
    })?;
    Ok(())
}

fn consumer(config: &KafkaConfig, name: &str) -> anyhow::Result<StreamConsumer<Broker>> {
    let consumer: StreamConsumer<Broker> = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .set("group.id", format!("stream-montages.executor.{}", Uuid::new_v4()))
        .set("client.id", format!("stream-montages-executor-{name}"))
        .set("auto.offset.reset", "latest")
        .set("enable.auto.commit", "false")
        // A broker that was started again lets us hear anew when the old session has ended: the sooner, the better, since nobody
        // else is in the group.
        .set("session.timeout.ms", "10000")
        .set("allow.auto.create.topics", "false")
        // A topic that is made later is found within this time.
        .set("topic.metadata.refresh.interval.ms", "30000")
        .set("reconnect.backoff.max.ms", "10000")
        .set("fetch.wait.max.ms", "500")
        .create_with_context(Broker::default())
        .context("the Kafka settings cannot be used")?;
    consumer.subscribe(&[&config.topic]).context("the Kafka topic cannot be used; see SM_KAFKA_TOPIC")?;
    Ok(consumer)
}

async fn listen(consumer: &StreamConsumer<Broker>, bells: &Bells) {
    loop {
        match consumer.recv().await {
            Ok(message) => {
                bells.ring();
                metrics::counter!("executor_hints_total").increment(1);
                consumer.context().is_back();
                let hint: Option<Hint> =
                    message.payload().and_then(|payload| serde_json::from_slice(payload).ok());
                if let Some(hint) = hint {
                    tracing::debug!(job_id = %hint.job_id, "a hint came");
                }
            }
            Err(error) => {
                consumer.context().is_away(&error);
                sleep(PAUSE).await;
            }
        }
    }
}

/// Says once that the broker is away, and once that it is back.
#[derive(Default)]
struct Broker {
    away: AtomicBool,
}

impl Broker {
    fn is_away(&self, error: &KafkaError) {
        if self.away.swap(true, Ordering::Relaxed) {
            tracing::debug!(%error, "no hints come from Kafka");
        } else {
            tracing::warn!(%error, "no hints come from Kafka; jobs are found by asking, some seconds later");
        }
    }

    fn is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("hints come from Kafka again");
        }
    }
}

impl ClientContext for Broker {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters comes as an error too; its own lines repeat for as long as a broker is away.
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka reports an error");
        self.is_away(&error);
    }
}

impl ConsumerContext for Broker {}
