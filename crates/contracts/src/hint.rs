//! The hint: "there may be work". A CloudEvents 1.0 event in binary mode: attributes in `ce_` headers, this as data.
//!
//! Losing or repeating one does no harm, so it carries neither spec nor secrets, and stays far under 1 KiB.

use serde::{Deserialize, Serialize};

use crate::{ids::JobId, job::JobKind};

/// CloudEvents `type` of the hint that a job may be claimed.
pub const JOB_AVAILABLE: &str = "stream-montages.job.available.v1";
/// CloudEvents `source` of hints.
pub const SOURCE: &str = "/jobs-repo";
/// The Postgres channel that hints travel on where there is no Kafka.
pub const POSTGRES_CHANNEL: &str = "stream_montages_hints";
/// The Kafka topic of hints unless configured otherwise.
pub const DEFAULT_TOPIC: &str = "stream-montages.jobs";
/// Partitions of that topic unless configured otherwise.
pub const DEFAULT_PARTITIONS: i32 = 12;

/// The data of a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The job that became claimable. Only for tracing: a claim takes whatever is first in line.
    pub job_id: JobId,
    /// Its kind, so that executors without that capability need not ask.
    pub kind: JobKind,
}
