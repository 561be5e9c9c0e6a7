//! The scheduler's work: makes the runs that are due, and does them. Any number of these loops may run, in one process or
//! in many; [`ticks`] sees to it that each tick is run once, [`posts`] that each of its jobs is posted once.
//!
//! A run ends `failed` for what trying again would not change: a source that is refused or gone, jobs that jobs-repo refuses, all of
//! them. What may pass is tried again with growing pauses: a source that does not answer [`SOURCE_TRIES`] times in all, jobs-repo
//! [`POST_TRIES`] times. Rows that cannot be used, and single jobs that are refused, are told in the run and change nothing else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{ids::JobId, import::PostOutcome, job::Job, schedule::Overlap};
use highlights::{Ways, post, post::Answer, source};
use service_kit::client::ServiceClient;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    posts, store,
    ticks::{self, Claimed, End, Later},
};

/// How long a schedule is held without a sign of life; longer than any single step between two of them.
const LEASE: Duration = Duration::from_secs(30);
/// How often the lease is renewed while a run is done.
const RENEW: Duration = Duration::from_secs(8);
/// Tries of a source that does not answer.
pub const SOURCE_TRIES: i32 = 3;
/// Tries of jobs-repo; with the longest pauses this is a day.
pub const POST_TRIES: i32 = 288;
/// Pause after the first failed try; doubled with each.
const FIRST_PAUSE: chrono::Duration = chrono::Duration::seconds(5);
/// The longest pause.
const LONGEST_PAUSE: chrono::Duration = chrono::Duration::minutes(5);
/// How often a run that waits for the jobs of the run before looks for them.
const OVERLAP_PAUSE: chrono::Duration = chrono::Duration::seconds(30);
/// How often a loop looks for work when nothing wakes it.
const POLL: Duration = Duration::from_secs(1);

/// One loop's view of the world.
#[derive(Clone)]
pub struct Worker {
    /// Of this loop; leases go by it.
    pub owner: Uuid,
    /// The database.
    pub pool: PgPool,
    /// By which sources are reached.
    pub ways: Ways,
    /// jobs-repo.
    pub jobs: ServiceClient,
}

/// Why a run did not get to its end.
enum Trouble {
    /// Trying again changes nothing.
    Final(String),
    /// May pass; the number of tries that are worth it.
    Passing(String, i32),
    /// Its turn has not come.
    NotYet(String),
    /// Somebody else has the run: nothing of this try counts any more.
    Lost,
    /// Of the database: the lease runs out and the run is taken up again.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Worker {
    /// Works until the token is cancelled; finishes the run that it is at.
    pub async fn run(self, wake: std::sync::Arc<Notify>, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let busy = match self.look().await {
                Ok(busy) => busy,
                Err(error) => {
                    tracing::warn!(error = %error, "the scheduler cannot work; it goes on trying");
                    false
                }
            };
            if busy {
                continue;
            }
            // Jittered, so that many loops do not ask in step.
            let pause = POLL.mul_f64(0.75 + 0.5 * rand::random::<f64>());
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn look(&self) -> sqlx::Result<bool> {
        let now = store::now(&self.pool).await?;
        self.once(now).await
    }

    /// Makes the runs that are due at `now` and does one run; whether there was one.
    ///
    /// # Errors
    /// Those of the database. Everything else ends in the run's row.
    pub async fn once(&self, now: DateTime<Utc>) -> sqlx::Result<bool> {
        ticks::materialise(&self.pool, now).await?;
        let Some(claimed) = ticks::claim(&self.pool, self.owner, now, LEASE).await? else { return Ok(false) };
        let done = tokio::select! {
            done = self.carry_out(&claimed) => done,
            trouble = self.keep_lease(&claimed) => Err(trouble),
        };
        let postpone = async |reason: String, pause: chrono::Duration, later: Later| {
            tracing::warn!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, reason, seconds = pause.num_seconds(), "a run waits");
            ticks::postpone(&self.pool, self.owner, &claimed, now + pause, (later, &reason)).await?;
            Ok(true)
        };
        let end = match done {
            Ok(end) => end,
            Err(Trouble::Final(reason)) => End::Failed(reason),
            Err(Trouble::Passing(reason, most)) if claimed.tries + 1 >= most => {
                End::Failed(format!("{reason} (tried {} times)", claimed.tries + 1))
            }
            Err(Trouble::Passing(reason, _)) => {
                return postpone(reason, pause(claimed.tries), Later::Tried).await;
            }
            Err(Trouble::NotYet(reason)) => return postpone(reason, OVERLAP_PAUSE, Later::NotYet).await,
            Err(Trouble::Lost) => return Ok(lost(&claimed)),
            Err(Trouble::Database(error)) => return Err(error),
        };
        if ticks::finish(&self.pool, self.owner, &claimed, &end).await? {
            report(&claimed, &end);
            return Ok(true);
        }
        Ok(lost(&claimed))
    }

    /// Renews the lease until it is lost.
    async fn keep_lease(&self, claimed: &Claimed) -> Trouble {
        loop {
            tokio::time::sleep(RENEW).await;
            match ticks::renew(&self.pool, self.owner, claimed, LEASE).await {
                Ok(true) => {}
                Ok(false) => return Trouble::Lost,
                // The next time may be in time.
                Err(error) => tracing::warn!(error = %error, "a schedule's lease could not be renewed"),
            }
        }
    }

    async fn carry_out(&self, claimed: &Claimed) -> Result<End, Trouble> {
        if posts::kept(&self.pool, claimed.run).await? == 0 {
            if let Some(end) = self.wait_for_the_run_before(claimed).await? {
                return Ok(end);
            }
            if self.fix_jobs(claimed).await? == 0 {
                return Ok(End::Empty);
            }
        }
        while let Some(waiting) = posts::next_waiting(&self.pool, claimed.run).await? {
            let (outcome, job, reason) = self.post(claimed, &waiting).await?;
            let told = (outcome, job, reason.as_deref());
            if !posts::record(&self.pool, self.owner, claimed, waiting.position, told).await? {
                return Err(Trouble::Lost);
            }
        }
        let (posted, refused) = posts::verdict(&self.pool, claimed.run).await?;
        if posted {
            return Ok(End::Submitted);
        }
        let reason = refused.unwrap_or_default();
        Ok(End::Failed(format!("jobs-repo refuses all jobs: {reason}")))
    }

    /// Reads the source, makes the jobs of what is wanted, and writes them down; answers how many.
    async fn fix_jobs(&self, claimed: &Claimed) -> Result<usize, Trouble> {
        let import = &claimed.import;
        let window = import.window_at(claimed.tick_at);
        let mut gathered = source::read(&import.source, &self.ways, window).await.map_err(|error| {
            let reason = error.to_string();
            if error.is_permanent() { Trouble::Final(reason) } else { Trouble::Passing(reason, SOURCE_TRIES) }
        })?;
        let scope = format!("schedule:{}", claimed.schedule);
        let planned =
            highlights::plan(import, &scope, claimed.tick_at, &mut gathered).map_err(Trouble::Final)?;
        let days = window.map(|window| window.days);
        let report = gathered.report();
        if !posts::keep(&self.pool, self.owner, claimed, days, report, &planned).await? {
            return Err(Trouble::Lost);
        }
        Ok(planned.len())
    }

    /// What the schedule's policy says where jobs of the run before are not done. A person who asks for a run wants it now.
    async fn wait_for_the_run_before(&self, claimed: &Claimed) -> Result<Option<End>, Trouble> {
        if claimed.overlap == Overlap::Allow || claimed.by_hand {
            return Ok(None);
        }
        for id in posts::jobs_before(&self.pool, claimed).await? {
            let job: Option<Job> = self.jobs.get(&format!("/v1/jobs/{id}")).await.map_err(|error| {
                tracing::warn!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "a job could not be looked at"
                );
                Trouble::Passing("jobs-repo does not answer".to_owned(), POST_TRIES)
            })?;
            if job.is_some_and(|job| !job.state.is_final()) {
                let reason = format!("job {id} of the run before is not done");
                return if claimed.overlap == Overlap::Skip {
                    Ok(Some(End::Skipped(reason)))
                } else {
                    Err(Trouble::NotYet(reason))
                };
            }
        }
        Ok(None)
    }

    async fn post(
        &self,
        claimed: &Claimed,
        waiting: &posts::Waiting,
    ) -> Result<(PostOutcome, Option<JobId>, Option<String>), Trouble> {
        if let Some(job) = posts::posted_before(&self.pool, claimed, &waiting.key).await? {
            return Ok((PostOutcome::Known, Some(job), None));
        }
        match post::once(&self.jobs, &waiting.key, &waiting.body).await {
            // No other run has it: it was this one that posted it, before it was cut off.
            Answer::Made(job) | Answer::Known(job) => Ok((PostOutcome::Submitted, Some(job), None)),
            Answer::Conflict => Ok((PostOutcome::Known, None, Some(post::CONFLICT.to_owned()))),
            Answer::Refused(reason) => Ok((PostOutcome::Refused, None, Some(reason))),
            // A token that is wrong is a slip of the operator's, and may be mended before the tries are over.
            Answer::NotAllowed(reason) | Answer::Later { reason, .. } => {
                tracing::warn!(reason, "a job could not be posted");
                Err(Trouble::Passing("jobs-repo does not answer".to_owned(), POST_TRIES))
            }
        }
    }
}

/// The pause after so many failed tries.
fn pause(tries: i32) -> chrono::Duration {
    let doubled = FIRST_PAUSE * 2_i32.pow(u32::try_from(tries).unwrap_or_default().min(10));
    doubled.min(LONGEST_PAUSE)
}

/// Says that a run is somebody else's now; there was one to do.
fn lost(claimed: &Claimed) -> bool {
    tracing::warn!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, "the lease on a run was lost; it is done by another");
    true
}

fn report(claimed: &Claimed, end: &End) {
    let (schedule, tick) = (claimed.schedule, claimed.tick_at);
    let (outcome, reason) = (end.word(), end.reason().unwrap_or_default());
    if matches!(end, End::Failed(_)) {
        tracing::warn!(schedule_id = %schedule, tick_at = %tick, outcome, reason, "a run ended");
    } else {
        tracing::info!(schedule_id = %schedule, tick_at = %tick, outcome, reason, "a run ended");
    }
    metrics::counter!("scheduler_runs", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let seconds: Vec<i64> = (0..9).map(|tries| pause(tries).num_seconds()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(pause(i32::MAX), LONGEST_PAUSE);
    }
}
