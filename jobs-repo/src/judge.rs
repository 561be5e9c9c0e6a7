//! What follows when an attempt ends: a plain function of where the job stands and how the attempt ended.
//!
//! Promises: one budget of attempts for all reasons; a job is done after at most `max_attempts` attempts and
//! [`MOST_RELEASES`] uncounted ones; no wait is longer than the cap, unless a provider asked for it. Nothing here fails.

use contracts::{
    job::{AttemptOutcome, JobState},
    lease::FailReason,
};
use std::time::Duration;

use crate::config::Policy;

/// How often a job may be given back without using up an attempt: executors that only ever start and stop must not keep
/// it going for ever.
pub const MOST_RELEASES: i32 = 20;

/// The longest wait that a provider can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// Where a running job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Attempts that count, the running one included.
    pub attempts_used: i32,
    /// Attempts that there may be.
    pub max_attempts: i32,
    /// Attempts that lost their lease before.
    pub leases_lost: i32,
    /// Attempts that were given back before.
    pub releases: i32,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
}

/// How the running attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The result is published.
    Completed,
    /// The executor gave up.
    Failed {
        /// Why.
        reason: FailReason,
        /// What a provider asked for.
        retry_after: Option<Duration>,
    },
    /// No heartbeat came in time.
    LeaseLost,
    /// It took longer than allowed.
    Deadline,
    /// The executor gave it back.
    Released,
}

/// What becomes of the attempt and of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Of the attempt.
    pub outcome: AttemptOutcome,
    /// Of the job.
    pub state: JobState,
    /// Before the next attempt.
    pub wait: Duration,
    /// The new count.
    pub attempts_used: i32,
    /// The new count.
    pub leases_lost: i32,
    /// The new count.
    pub releases: i32,
}

/// Judges the end of a running attempt. `dice` is a random number from 0 to 1, which spreads the waits.
#[must_use]
pub fn judge(standing: Standing, end: End, policy: &Policy, dice: f64) -> Verdict {
    let Standing { attempts_used, max_attempts, leases_lost, releases, cancel_requested } = standing;
    let outcome = match end {
        End::Completed => AttemptOutcome::Succeeded,
        End::Failed { reason: FailReason::Cancelled, .. } if cancel_requested => AttemptOutcome::Cancelled,
        End::Failed { reason: FailReason::Deadline, .. } | End::Deadline => AttemptOutcome::Deadline,
        End::Failed { .. } => AttemptOutcome::Error,
        End::LeaseLost => AttemptOutcome::LeaseLost,
        End::Released => AttemptOutcome::Released,
    };
    let uncounted = end == End::Released && releases < MOST_RELEASES;
    let verdict = Verdict {
        outcome,
        state: JobState::Dead,
        wait: Duration::ZERO,
        attempts_used: if uncounted { (attempts_used - 1).max(0) } else { attempts_used },
        leases_lost: leases_lost + i32::from(end == End::LeaseLost),
        releases: releases + i32::from(end == End::Released),
    };
    let state = match end {
        End::Completed => JobState::Succeeded,
        _ if cancel_requested => JobState::Cancelled,
        End::Failed { reason: FailReason::Permanent, .. } => JobState::Failed,
        _ if verdict.attempts_used >= max_attempts => JobState::Dead,
        End::Released => JobState::Queued,
        End::Failed { .. } | End::LeaseLost | End::Deadline => JobState::Retrying,
    };
    let wait = match end {
        _ if state != JobState::Retrying => Duration::ZERO,
        // An executor that died says nothing about the job: the first time it goes on at once.
        End::LeaseLost if leases_lost == 0 => Duration::ZERO,
        End::Failed { retry_after, .. } => {
            let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
            back_off(attempts_used, policy, dice).max(asked)
        }
        _ => back_off(attempts_used, policy, dice),
    };
    Verdict { state, wait, ..verdict }
}

/// The wait after so many attempts: a random part of `min(cap, base * 2^(attempts - 1))` ("full jitter").
fn back_off(attempts_used: i32, policy: &Policy, dice: f64) -> Duration {
    let doublings = u32::try_from(attempts_used - 1).unwrap_or(0);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    let longest = policy.retry_base.saturating_mul(factor).min(policy.retry_cap);
    longest.mul_f64(dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> Policy {
        Policy {
            lease_ttl: Duration::from_secs(30),
            max_attempts: 5,
            deadline: Duration::from_secs(7200),
            stall: Duration::from_secs(300),
            retry_base: Duration::from_secs(2),
            retry_cap: Duration::from_secs(300),
        }
    }

    fn end() -> impl Strategy<Value = End> {
        let reasons =
            [FailReason::Permanent, FailReason::Transient, FailReason::Deadline, FailReason::Cancelled];
        let failed = (prop::sample::select(reasons.to_vec()), prop::option::of(0..200_000u64));
        prop_oneof![
            Just(End::Completed),
            failed.prop_map(|(reason, seconds)| End::Failed {
                reason,
                retry_after: seconds.map(Duration::from_secs)
            }),
            Just(End::LeaseLost),
            Just(End::Deadline),
            Just(End::Released),
        ]
    }

    proptest! {
        /// Plays whole lives of jobs: attempt after attempt until nothing more happens by itself.
        #[test]
        fn every_job_ends_within_its_budget(ends in prop::collection::vec((end(), 0.0..1.0f64), 60), max_attempts in 1..8i32) {
            let mut standing = Standing { attempts_used: 0, max_attempts, leases_lost: 0, releases: 0, cancel_requested: false };
            let mut attempts = 0;
            for (end, dice) in ends {
                // What a claim does.
                standing.attempts_used += 1;
                attempts += 1;
                prop_assert!(standing.attempts_used <= max_attempts, "no attempt beyond the budget");
                let verdict = judge(standing, end, &policy(), dice);
                prop_assert_eq!(verdict.state == JobState::Succeeded, end == End::Completed);
                prop_assert_eq!(verdict.state == JobState::Succeeded, verdict.outcome == AttemptOutcome::Succeeded);
                if let End::Failed { reason: FailReason::Permanent, .. } = end {
                    prop_assert_eq!(verdict.state, JobState::Failed);
                }
                if verdict.state == JobState::Dead {
                    prop_assert_eq!(verdict.attempts_used, max_attempts);
                }
                standing = Standing {
                    attempts_used: verdict.attempts_used,
                    leases_lost: verdict.leases_lost,
                    releases: verdict.releases,
                    ..standing
                };
                if verdict.state.is_final() {
                    break;
                }
            }
            prop_assert!(attempts <= max_attempts + MOST_RELEASES);
        }

        #[test]
        fn a_cancelled_job_never_runs_again(end in end(), attempts_used in 1..5i32, dice in 0.0..1.0f64) {
            let standing = Standing { attempts_used, max_attempts: 5, leases_lost: 0, releases: 0, cancel_requested: true };
            let state = judge(standing, end, &policy(), dice).state;
            prop_assert_eq!(state, if end == End::Completed { JobState::Succeeded } else { JobState::Cancelled });
        }

        #[test]
        fn waits_are_bounded_and_heed_the_provider(attempts_used in 1..900i32, dice in 0.0..1.0f64, asked in 0..200_000u64) {
            let standing = Standing { attempts_used, max_attempts: 1000, leases_lost: 0, releases: 0, cancel_requested: false };
            let asked = Duration::from_secs(asked);
            let end = End::Failed { reason: FailReason::Transient, retry_after: Some(asked) };
            let wait = judge(standing, end, &policy(), dice).wait;
            prop_assert!(wait >= asked.min(LONGEST_RETRY_AFTER));
            prop_assert!(wait <= policy().retry_cap.max(asked.min(LONGEST_RETRY_AFTER)));
        }

        #[test]
        fn back_off_doubles_up_to_the_cap(attempts_used in 1..900i32) {
            let longest = back_off(attempts_used, &policy(), 1.0);
            let next = back_off(attempts_used + 1, &policy(), 1.0);
            prop_assert_eq!(next, (longest * 2).min(policy().retry_cap));
            prop_assert_eq!(back_off(attempts_used, &policy(), 0.0), Duration::ZERO);
        }
    }

    #[test]
    fn only_the_first_lost_lease_is_repeated_at_once() {
        let standing = Standing {
            attempts_used: 1,
            max_attempts: 5,
            leases_lost: 0,
            releases: 0,
            cancel_requested: false,
        };
        assert_eq!(judge(standing, End::LeaseLost, &policy(), 1.0).wait, Duration::ZERO);
        let again = Standing { attempts_used: 2, leases_lost: 1, ..standing };
        assert_eq!(judge(again, End::LeaseLost, &policy(), 1.0).wait, Duration::from_secs(4));
    }
}
