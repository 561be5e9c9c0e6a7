//! Prepares what the services stand on: the two schemas of the database ([`run`]) and the Kafka topic ([`ensure_topic`]).
//!
//! Promises: both may be called any number of times and by any number of processes at once; the work is done once, and an
//! interrupted migration leaves nothing behind, since each one is a transaction of its own. Fails, changing nothing more,
//! when an applied migration differs from the one in this program, or when a part cannot be reached.

mod database;
mod topic;

pub use database::{Applied, MigrateError, Report, run};
pub use topic::{TopicError, TopicOutcome, TopicReport, count_partitions, ensure_topic};
