//! What executors say to the jobs repository: claim, heartbeat, complete, fail, release. A job's lease goes by the job's id.
//!
//! Every write carries the fence; one with an old fence is answered 409 `stale_fence` and changes nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId, MontageId},
    job::{Failure, JobKind, Progress},
    spec::JobSpec,
};

/// `POST /v1/leases`: gives the next job in line a lease, or waits for one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The process that asks.
    pub executor_id: ExecutorId,
    /// Its name, shown to people; 1 to 100 characters.
    pub executor_name: String,
    /// What it can do.
    pub kinds: Vec<JobKind>,
    /// How long to wait for work, in seconds; 0 to 30.
    #[serde(default)]
    pub wait_seconds: u32,
    /// Only parts of this job.
    #[serde(default)]
    pub parent: Option<JobId>,
}

/// The answer to a claim: 200 with this, or 204 when there is no work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClaimedJob {
    /// The job, and the lease's name.
    pub job_id: JobId,
    /// To be sent with every write.
    pub fence: i64,
    /// Attempt number, from 1.
    pub attempt: i32,
    /// The kind of result.
    pub kind: JobKind,
    /// The title of the result.
    pub title: String,
    /// The sender's own names and values.
    pub labels: std::collections::BTreeMap<String, String>,
    /// What is asked for.
    pub spec: JobSpec,
    /// The lease ends this long after the answer unless a heartbeat extends it.
    pub lease_milliseconds: u64,
    /// Send a heartbeat this often.
    pub heartbeat_milliseconds: u64,
    /// The attempt is ended after this long, whatever it does.
    pub deadline_milliseconds: u64,
    /// The attempt is ended after this long without progress.
    pub stall_milliseconds: u64,
}

/// One lease in a heartbeat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// The job.
    pub job_id: JobId,
    /// Its fence.
    pub fence: i64,
    /// How far it is.
    #[serde(default)]
    pub progress: Option<Progress>,
}

/// `POST /v1/leases/heartbeat`: extends every lease that an executor holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatRequest {
    /// The holder.
    pub executor_id: ExecutorId,
    /// At most 100.
    pub leases: Vec<Beat>,
}

/// What became of one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BeatVerdict {
    /// Extended.
    Held,
    /// Extended, but the job shall be cancelled: stop and report `cancelled`.
    Cancel,
    /// Gone: stop at once, write nothing more.
    Lost,
}

/// The answer for one lease.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BeatAnswer {
    /// The job.
    pub job_id: JobId,
    /// What became of it.
    pub verdict: BeatVerdict,
    /// The lease ends this long after the answer; 0 if it is lost.
    pub lease_milliseconds: u64,
}

/// The answers, in the order of the request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatResponse {
    /// One for each lease.
    pub leases: Vec<BeatAnswer>,
}

/// Largest result of a plan or a probe, in bytes of JSON.
pub const LARGEST_ANSWER_BYTES: usize = 4 << 20;
/// Largest result of a part, in bytes of JSON: its leader asks for the results of all parts at once.
pub const LARGEST_PART_RESULT_BYTES: usize = 256 << 10;

/// `POST /v1/leases/{job}/complete`: the result is published, or stands here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRequest {
    /// The holder.
    pub executor_id: ExecutorId,
    /// The fence.
    pub fence: i64,
    /// What was published: for a montage or a transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub montage_id: Option<MontageId>,
    /// What was found out or made: for a plan or a probe what is shown, for a part anything but null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
}

/// Why an executor gives up an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// It cannot be done as it is written: no other attempt is made.
    Permanent,
    /// It may work another time: backs off and tries again, within the budget.
    Transient,
    /// It ran into its deadline or stall limit; counts as transient.
    Deadline,
    /// It was cancelled as asked.
    Cancelled,
}

/// `POST /v1/leases/{job}/fail`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailRequest {
    /// The holder.
    pub executor_id: ExecutorId,
    /// The fence.
    pub fence: i64,
    /// What follows from it.
    pub reason: FailReason,
    /// What happened.
    pub failure: Failure,
    /// Do not try again before this long; what a provider asked for.
    #[serde(default)]
    pub retry_after_milliseconds: Option<u64>,
}

/// `POST /v1/leases/{job}/release`: given back unfinished, without using up an attempt. And `POST /v1/leases/{job}/check`:
/// answers 204 while the lease is held as said, else 409 `stale_fence`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseProof {
    /// The holder.
    pub executor_id: ExecutorId,
    /// The fence.
    pub fence: i64,
}
