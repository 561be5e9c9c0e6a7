//! How an attempt fails: the reason, what is told, and which mistakes are worth another try.
//!
//! One place decides what is permanent: bad input is, everything that a machine, a network or chance could have caused is
//! not. The budget of attempts bounds the rest.

use std::time::Duration;

use contracts::{job::Failure, lease::FailReason};
use fetch::FetchError;

use crate::{api::ApiError, guard::Stop};

/// A failed attempt, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What follows from it.
    pub reason: FailReason,
    /// What happened.
    pub failure: Failure,
    /// Not to be tried again before this long.
    pub retry_after: Option<Duration>,
}

impl Failed {
    /// May work another time.
    #[must_use]
    pub fn transient(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailReason::Transient, code, message)
    }

    /// Will not work another time.
    #[must_use]
    pub fn permanent(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailReason::Permanent, code, message)
    }

    /// Permanent or transient.
    #[must_use]
    pub fn new(reason: FailReason, code: &str, message: impl Into<String>) -> Self {
        let failure = Failure { code: code.to_owned(), message: message.into(), pointer: None };
        Self { reason, failure, retry_after: None }
    }

    /// With the place in the job that is to blame.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.failure.pointer = Some(pointer.into());
        self
    }

    /// What is reported when an attempt was stopped; `None` where nothing may be.
    #[must_use]
    pub fn stopped(stop: Stop, deadline: Duration, stall: Duration) -> Option<Self> {
        match stop {
            Stop::Cancelled => Some(Self::new(FailReason::Cancelled, "cancelled", "The job was cancelled.")),
            Stop::Deadline => Some(Self::new(
                FailReason::Deadline,
                "deadline_exceeded",
                format!(
                    "The attempt took longer than the {} s that are allowed. Ask for a shorter montage, or raise SM_JOB_DEADLINE.",
                    deadline.as_secs()
                ),
            )),
            Stop::Stalled => Some(Self::new(
                FailReason::Deadline,
                "stalled",
                format!(
                    "The attempt made no progress for {} s. Check that its sources answer fast enough, or raise SM_JOB_STALL.",
                    stall.as_secs()
                ),
            )),
            Stop::Shutdown | Stop::Fenced | Stop::Lost => None,
        }
    }
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        let reason = if error.is_permanent() { FailReason::Permanent } else { FailReason::Transient };
        Self::new(reason, error.code(), error.to_string())
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused(problem) => {
                let detail = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
                let pointer = problem.errors.first().map(|error| error.pointer.clone());
                let mut failed = Self::permanent(&problem.code, detail);
                failed.failure.pointer = pointer;
                failed
            }
            // A lost lease is not reported at all; this stands for it until the attempt has noticed.
            ApiError::Stale => Self::transient("stale_fence", "The lease has passed to somebody else."),
            ApiError::Unavailable(_) => Self::transient(
                "gateway_unavailable",
                "The gateway did not answer for as long as the executor tried. It is tried again by itself.",
            ),
        }
    }
}

/// A failure of this machine's disk or memory while doing `what`.
#[must_use]
pub fn machine(what: &str, error: &std::io::Error) -> Failed {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => disk_full(),
        // The system's words without a path.
        kind => {
            Failed::transient("executor_failure", format!("{what} failed on the executor's machine: {kind}."))
        }
    }
}

/// There is no space left where jobs are made.
#[must_use]
pub fn disk_full() -> Failed {
    Failed::transient(
        "disk_full",
        "The executor's disk is full. Free space where SM_WORK_DIR points; the job is tried again by itself.",
    )
}
