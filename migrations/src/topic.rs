//! The Kafka topic that hints travel on.
//!
//! Promises: exists afterwards with at least the configured partitions; never deletes or shrinks one. Fails with a
//! [`TopicError`] that says what to do.

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{fmt, sync::Arc, time::Duration};

/// Longest wait for the broker's answer to one request.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why the topic could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The number of partitions is not a number of partitions.
    #[error("a topic has at least 1 partition, not {0}; check SM_KAFKA_PARTITIONS")]
    Partitions(i32),
    /// No broker answered.
    #[error(
        "Kafka at {brokers} did not answer; start it, check SM_KAFKA_BROKERS, or do without it by SM_HINTS=postgres"
    )]
    Unreachable {
        /// The addresses that were tried.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// The broker refused.
    #[error("Kafka refused to prepare the topic {topic}: {code}")]
    Refused {
        /// Which topic.
        topic: String,
        /// The broker's reason.
        code: RDKafkaErrorCode,
    },
    /// The client could not be used.
    #[error("the Kafka client cannot be used: {0}")]
    Client(String),
}

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicOutcome {
    /// It was absent.
    Created,
    /// It was there with as many partitions as configured.
    Found,
    /// It had fewer; partitions were added.
    Grown {
        /// Partitions that it had.
        from: i32,
    },
    /// It has more than configured, which does no harm and stays.
    Larger,
}

/// The topic as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicReport {
    /// Its name.
    pub topic: String,
    /// The partitions that it has now.
    pub partitions: i32,
    /// What was found and done.
    pub outcome: TopicOutcome,
}

impl fmt::Display for TopicReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partitions, .. } = self;
        match self.outcome {
            TopicOutcome::Created => write!(formatter, "topic {topic}: created with {partitions} partitions"),
            TopicOutcome::Found => write!(formatter, "topic {topic}: in place with {partitions} partitions"),
            TopicOutcome::Grown { from } => {
                write!(formatter, "topic {topic}: grown from {from} to {partitions} partitions")
            }
            TopicOutcome::Larger => {
                write!(
                    formatter,
                    "topic {topic}: has {partitions} partitions, more than configured; left as it is"
                )
            }
        }
    }
}

/// Creates the topic with so many partitions, or checks the one that is there and adds the missing ones.
///
/// # Errors
/// [`TopicError`], when no broker answers within 20 s or it refuses.
pub async fn ensure_topic(brokers: &str, topic: &str, partitions: i32) -> Result<TopicReport, TopicError> {
    let wanted = usize::try_from(partitions)
        .ok()
        .filter(|wanted| *wanted > 0)
        .ok_or(TopicError::Partitions(partitions))?;
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .map_err(|error| TopicError::Client(error.to_string()))?;
    let admin = Arc::new(admin);
    let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let unreachable = |source| TopicError::Unreachable { brokers: brokers.to_owned(), source };
    let report = |partitions, outcome| TopicReport { topic: topic.to_owned(), partitions, outcome };

    // Created first and looked at afterwards: a look at an absent topic makes brokers with auto-creation create it in
    // their own way. -1 leaves the replication to the broker's configuration.
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    let created = admin.create_topics([&new], &options).await.map_err(unreachable)?;
    match created.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {}
        Some(Err((_, code))) => {
            return Err(TopicError::Refused { topic: topic.to_owned(), code });
        }
        Some(Ok(_)) | None => return Ok(report(partitions, TopicOutcome::Created)),
    }

    let found = count(Arc::clone(&admin), topic.to_owned()).await?.map_err(unreachable)?;
    if found == partitions {
        return Ok(report(found, TopicOutcome::Found));
    }
    if found > partitions {
        return Ok(report(found, TopicOutcome::Larger));
    }
    let grown =
        admin.create_partitions([&NewPartitions::new(topic, wanted)], &options).await.map_err(unreachable)?;
    match grown.into_iter().next() {
        // Another process may have grown it since it was counted.
        Some(Err((_, RDKafkaErrorCode::InvalidPartitions))) => {
            let found = count(admin, topic.to_owned()).await?.map_err(unreachable)?;
            if found < partitions {
                return Err(TopicError::Refused {
                    topic: topic.to_owned(),
                    code: RDKafkaErrorCode::InvalidPartitions,
                });
            }
            Ok(report(found, TopicOutcome::Found))
        }
        Some(Err((_, code))) => Err(TopicError::Refused { topic: topic.to_owned(), code }),
        Some(Ok(_)) | None => Ok(report(partitions, TopicOutcome::Grown { from: found })),
    }
}

/// How many partitions a topic has; `None` if it does not exist. Changes nothing.
///
/// # Errors
/// [`TopicError`], when no broker answers within 20 s.
pub async fn count_partitions(brokers: &str, topic: &str) -> Result<Option<i32>, TopicError> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("allow.auto.create.topics", "false")
        .create()
        .map_err(|error| TopicError::Client(error.to_string()))?;
    let found = count(Arc::new(admin), topic.to_owned()).await?;
    let found = found.map_err(|source| TopicError::Unreachable { brokers: brokers.to_owned(), source })?;
    Ok((found > 0).then_some(found))
}

/// The partitions that a topic has. The client's look-up blocks, so it runs on a thread of its own.
async fn count(
    admin: Arc<AdminClient<DefaultClientContext>>,
    topic: String,
) -> Result<Result<i32, KafkaError>, TopicError> {
    let look = move || {
        let metadata = admin.inner().fetch_metadata(Some(&topic), PATIENCE)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found.map_or(0, |found| i32::try_from(found.partitions().len()).unwrap_or(i32::MAX)))
    };
    tokio::task::spawn_blocking(look).await.map_err(|error| TopicError::Client(error.to_string()))
}
