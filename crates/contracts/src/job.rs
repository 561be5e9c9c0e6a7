//! Jobs, their attempts and their progress, as they are asked for and answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    ids::{JobId, MontageId},
    spec::JobSpec,
};

/// What kind of result a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A montage of highlights.
    Montage,
    /// A new transcript for a montage that is in the library.
    Transcript,
    /// The video of a game's replay.
    Replay,
    /// The plan of a montage, which is answered and not made. Not posted as a job, not counted, gone after an hour.
    Plan,
    /// What is in a source, which is answered too. Not posted as a job, not counted, gone after twelve hours.
    Probe,
    /// Some segments of a montage that is under way. Posted by the executor that leads it, not counted, gone with it.
    Segment,
}

impl JobKind {
    /// All kinds, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("montage", Self::Montage),
        ("transcript", Self::Transcript),
        ("replay", Self::Replay),
        ("plan", Self::Plan),
        ("probe", Self::Probe),
        ("segment", Self::Segment),
    ];

    /// The kinds that people post, and that lists and counts are about.
    pub const POSTED: &[(&str, Self)] =
        &[("montage", Self::Montage), ("transcript", Self::Transcript), ("replay", Self::Replay)];

    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Montage => "montage",
            Self::Transcript => "transcript",
            Self::Replay => "replay",
            Self::Plan => "plan",
            Self::Probe => "probe",
            Self::Segment => "segment",
        }
    }

    /// Whether it comes to an answer that somebody waits for, instead of to a montage.
    #[must_use]
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Plan | Self::Probe)
    }

    /// Whether people post it; others are made by the services themselves.
    #[must_use]
    pub fn is_posted(self) -> bool {
        Self::POSTED.iter().any(|(_, kind)| *kind == self)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for an executor.
    Queued,
    /// An executor holds its lease.
    Running,
    /// An attempt failed; waits for the next one.
    Retrying,
    /// Its result is published. Final.
    Succeeded,
    /// It cannot be done as it is written. Can be sent again.
    Failed,
    /// Its attempts are used up. Can be sent again.
    Dead,
    /// Somebody cancelled it. Can be sent again.
    Cancelled,
}

impl JobState {
    /// All states, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("queued", Self::Queued),
        ("running", Self::Running),
        ("retrying", Self::Retrying),
        ("succeeded", Self::Succeeded),
        ("failed", Self::Failed),
        ("dead", Self::Dead),
        ("cancelled", Self::Cancelled),
    ];

    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Dead | Self::Cancelled)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The result was published.
    Succeeded,
    /// It failed, for the reason that stands beside.
    Error,
    /// Its lease ran out: the executor died or was cut off.
    LeaseLost,
    /// It took longer than allowed, or made no progress for too long.
    Deadline,
    /// The job was cancelled meanwhile.
    Cancelled,
    /// The executor gave it back, because it shut down. Does not count against the budget.
    Released,
}

impl AttemptOutcome {
    /// All outcomes, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("succeeded", Self::Succeeded),
        ("error", Self::Error),
        ("lease_lost", Self::LeaseLost),
        ("deadline", Self::Deadline),
        ("cancelled", Self::Cancelled),
        ("released", Self::Released),
    ];

    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, outcome)| *outcome == self).map_or("", |(name, _)| name)
    }
}

/// What an executor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Opening the sources.
    Fetching,
    /// Reading their indexes and planning.
    Planning,
    /// Encoding segments.
    Rendering,
    /// Joining and checking.
    Verifying,
    /// Turning speech into cues.
    Transcribing,
    /// Sending the result to the library.
    Publishing,
}

/// How far an attempt is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Of the whole job, from 0 to 1; never falls within an attempt.
    pub fraction: f64,
    /// Frames that are done.
    pub frames_done: u64,
    /// Frames that there will be; 0 while unknown.
    pub frames_total: u64,
    /// Seconds of montage made in a second; absent while unknown.
    pub speed: Option<f64>,
    /// Estimate; absent while unknown.
    pub seconds_left: Option<f64>,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// Stable name for programs, such as `source_not_allowed`, `worker_crashed`, `source_ended_early`.
    pub code: String,
    /// For a person: what happened and what to do.
    pub message: String,
    /// JSON pointer to the part of the job that is to blame, such as `/spec/highlights/2/source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// One try at a job, by one executor, under one lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// From 1.
    pub number: i32,
    /// The executor's name.
    pub executor: String,
    /// When the lease was given.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended; absent while it runs.
    pub outcome: Option<AttemptOutcome>,
    /// Why, where it failed.
    pub failure: Option<Failure>,
}

/// A job as it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The kind of result.
    pub kind: JobKind,
    /// Its title, which becomes the montage's.
    pub title: String,
    /// Names and values of the sender's own.
    pub labels: BTreeMap<String, String>,
    /// Higher goes first; from -100 to 100.
    pub priority: i16,
    /// Where it stands.
    pub state: JobState,
    /// Not before this moment.
    pub run_at: DateTime<Utc>,
    /// Attempts that there may be.
    pub max_attempts: i32,
    /// Whether somebody asked to cancel it while it runs.
    pub cancel_requested: bool,
    /// What is asked for, with every default filled in.
    pub spec: JobSpec,
    /// How far the running attempt is.
    pub progress: Option<Progress>,
    /// How far its parts are, while it is made by several executors. Left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// Every try, oldest first.
    pub attempts: Vec<Attempt>,
    /// The published montage.
    pub result: Option<JobResult>,
    /// Why it failed, died or is being retried: the newest attempt's failure.
    pub failure: Option<Failure>,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// When anything of it changed.
    pub updated_at: DateTime<Utc>,
    /// When it reached a final state.
    pub finished_at: Option<DateTime<Utc>>,
    /// Paths of what can be done with it: `self`, `cancel`, `retry`, `montage`.
    pub links: BTreeMap<String, String>,
}

/// The parts of a job that several executors make together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parts {
    /// All of them.
    pub total: i64,
    /// Those that are made.
    pub done: i64,
    /// Those that are being made.
    pub running: i64,
    /// The names of the executors that have made or are making some, in alphabetical order.
    pub executors: Vec<String>,
}

/// What a job made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobResult {
    /// The montage in the library.
    pub montage_id: MontageId,
    /// Its path on the gateway.
    pub href: String,
}

/// One page of jobs, newest first. Attempts are left out of lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobPage {
    /// The jobs.
    pub items: Vec<Job>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// How much work there is. Counted at the moment of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Jobs in each state; states without jobs are there with 0.
    pub states: BTreeMap<String, i64>,
    /// Jobs that could be claimed now.
    pub depth: i64,
    /// For how many seconds the one of them that waits longest could have been claimed; absent when there is none.
    pub oldest_seconds: Option<f64>,
    /// Hints that are due and not sent yet.
    pub unsent_hints: i64,
    /// Jobs that could be claimed now, by kind: those that the services make themselves too, since executors are wanted for
    /// them all the same. Kinds without jobs are there with 0.
    pub waiting_by_kind: BTreeMap<String, i64>,
    /// How the jobs ended that ended within the last hour.
    pub last_hour: LastHour,
    /// Executors that are there, as `GET /v1/executors` says it.
    pub executors_alive: i64,
}

/// How many jobs ended within an hour, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastHour {
    /// Their result is published.
    pub succeeded: i64,
    /// They cannot be done as they are written.
    pub failed: i64,
    /// Their attempts are used up.
    pub dead: i64,
    /// Somebody cancelled them.
    pub cancelled: i64,
}
