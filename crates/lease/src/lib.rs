//! Leases: the right to work on something until a moment in time, for everything that only one process may hold.
//!
//! [`state`] is the rule, as plain functions; [`acquire`], [`renew`], [`release`], [`check`], [`hold`] and [`expire`] are the
//! same rule as statements on the table `jobs.leases`, where only the database's clock decides.
//!
//! Promises: at most one live holder of a subject; the fence grows with every lease on it; what carries an old fence, or
//! comes after the expiry, is refused and changes nothing. Fails only with the database's errors: a refusal is a value.

mod sql;
pub mod state;

pub use sql::{Grant, acquire, check, expire, hold, release, renew};

/// The subject of the lease on a job's attempt.
#[must_use]
pub fn job_subject(job: uuid::Uuid) -> String {
    format!("job:{job}")
}

/// The subject of the lease on a schedule's tick.
#[must_use]
pub fn schedule_subject(schedule: uuid::Uuid) -> String {
    format!("schedule:{schedule}")
}
