//! Parts of a job: how the executor that holds a montage's lease lets others make some of its segments.
//!
//! Promises: a part is known by its job and its key, so that posting it again changes nothing; every request carries the
//! fence of the job's own lease, and an old one is answered 409 `stale_fence` and changes nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId},
    job::{Failure, JobState},
};

/// Most parts of one request.
pub const MOST_PARTS: usize = 500;
/// Most segments of one part.
pub const MOST_SEGMENTS: usize = 10_000;
/// Largest plan that is handed to those who make parts, in bytes of JSON.
pub const LARGEST_SHARED_PLAN_BYTES: usize = 6 << 20;

/// `POST /v1/leases/{job}/parts`: others may make these.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsRequest {
    /// The holder of the job's lease.
    pub executor_id: ExecutorId,
    /// The fence of the job's lease.
    pub fence: i64,
    /// The whole plan, for those who make parts; stored once for all parts that were posted with it. Whoever claims one
    /// finds it in the spec, next to the montage's own spec.
    #[schema(value_type = Object)]
    pub plan: serde_json::Value,
    /// 1 to 500, each with a key of its own.
    pub parts: Vec<NewPart>,
}

/// One part to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPart {
    /// What names its result: 64 lower-case hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub key: String,
    /// Which of the plan's segments it is; 1 to 10,000.
    pub segments: Vec<u32>,
}

/// `POST /v1/leases/{job}/parts/states`: how far the parts are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartStatesRequest {
    /// The holder of the job's lease.
    pub executor_id: ExecutorId,
    /// The fence of the job's lease.
    pub fence: i64,
    /// Keys of parts whose result the asker has: it is not sent again.
    #[serde(default)]
    pub known: Vec<String>,
}

/// The parts of a job: the posted ones in the order of the request, or all of them in the order of their keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartStates {
    /// One for each part.
    pub parts: Vec<PartState>,
}

/// Where a part stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartState {
    /// Its key.
    pub key: String,
    /// The job that it is, and the name of its lease.
    pub job_id: JobId,
    /// Where it stands.
    pub state: JobState,
    /// The name of the executor that makes it, made it, or tried last.
    pub executor: Option<String>,
    /// What its executor said when it was made, unless the asker has it.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Why it failed, died or is being retried.
    pub failure: Option<Failure>,
}

/// Whether this names the result of a part.
#[must_use]
pub fn is_key(key: &str) -> bool {
    key.len() == 64 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
