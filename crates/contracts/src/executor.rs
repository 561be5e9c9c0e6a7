//! Executors as they are shown to people: who is there, and who works on what.
//!
//! An executor's own id is a secret of the executor routes and is never among this.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::JobId,
    job::{JobKind, Progress},
};

/// `GET /v1/executors`: those that were seen within a day, the ones that are there first, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Executors {
    /// The executors; at most 500.
    pub items: Vec<Executor>,
}

/// One executor process. One that was started anew is another one, even under the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Executor {
    /// Its name, which need not be its alone.
    pub name: String,
    /// What it has asked for since it was started.
    pub kinds: Vec<JobKind>,
    /// When it asked for work for the first time.
    pub first_seen_at: DateTime<Utc>,
    /// When it was heard of last, within 5 seconds.
    pub seen_at: DateTime<Utc>,
    /// Whether it was heard of within the last minute, or holds a lease.
    pub alive: bool,
    /// What it works on, oldest first.
    pub holds: Vec<Held>,
}

/// A job that an executor works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// The job.
    pub job_id: JobId,
    /// Its kind.
    pub kind: JobKind,
    /// Its title; of a part, that of the job that it is part of.
    pub title: String,
    /// The attempt's number, from 1.
    pub attempt: i32,
    /// When the lease was given.
    pub started_at: DateTime<Utc>,
    /// When the lease ends, unless a heartbeat extends it.
    pub lease_expires_at: DateTime<Utc>,
    /// How far it is; absent until the executor has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}
