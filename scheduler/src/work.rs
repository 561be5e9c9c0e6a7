//! The scheduler's work: makes the runs that are due, and does them. Any number of these loops may run, in one process or
//! in many; [`ticks`] sees to it that each tick becomes one job.
//!
//! A run ends `failed` for what trying again would not change: a list with mistakes in it, a source that is refused or
//! gone, a job that jobs-repo refuses. What may pass is tried again with growing pauses: a source that does not answer
//! [`SOURCE_TRIES`] times in all, jobs-repo [`POST_TRIES`] times.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{job::Job, schedule::HighlightSource};
use fetch::{FetchError, Fetcher};
use reqwest::Method;
use service_kit::client::{CallError, ServiceClient};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    rule::Rule,
    store, template,
    ticks::{self, Claimed, End},
};

/// Largest list of highlights, in bytes.
pub const LARGEST_LIST: u64 = 8 << 20;
/// Longest time for fetching a list, with its retries. Stays well below [`LEASE`], with the 60 s of a post.
pub const FETCH_TIME: Duration = Duration::from_secs(30);
/// How long a schedule is held for one run: longer than a run can take.
const LEASE: Duration = Duration::from_secs(150);
/// Tries of a source that does not answer.
pub const SOURCE_TRIES: i32 = 3;
/// Tries of jobs-repo; with the longest pauses this is a day.
pub const POST_TRIES: i32 = 288;
/// Pause after the first failed try; doubled with each.
const FIRST_PAUSE: chrono::Duration = chrono::Duration::seconds(5);
/// The longest pause.
const LONGEST_PAUSE: chrono::Duration = chrono::Duration::minutes(5);
/// How often a loop looks for work when nothing wakes it.
const POLL: Duration = Duration::from_secs(1);

/// One loop's view of the world.
#[derive(Clone)]
pub struct Worker {
    /// Of this loop; leases go by it.
    pub owner: Uuid,
    /// The database.
    pub pool: PgPool,
    /// The guarded way out.
    pub fetcher: Fetcher,
    /// jobs-repo.
    pub jobs: ServiceClient,
}

/// Why a run did not get to its end.
enum Trouble {
    /// Trying again changes nothing.
    Final(String),
    /// May pass; the number of tries that are worth it.
    Passing(String, i32),
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
        let end = match self.carry_out(&claimed).await {
            Ok(end) => end,
            Err(Trouble::Final(reason)) => End::Failed(reason),
            Err(Trouble::Passing(reason, most)) if claimed.tries + 1 >= most => {
                End::Failed(format!("{reason} (tried {} times)", claimed.tries + 1))
            }
            Err(Trouble::Passing(reason, _)) => {
                let pause = pause(claimed.tries);
                tracing::warn!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, reason, seconds = pause.num_seconds(), "a run is tried again");
                ticks::postpone(&self.pool, self.owner, &claimed, now + pause).await?;
                return Ok(true);
            }
            Err(Trouble::Database(error)) => return Err(error),
        };
        if ticks::finish(&self.pool, self.owner, &claimed, &end).await? {
            report(&claimed, &end);
        } else {
            tracing::warn!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, "a run took longer than its lease; it is done again");
        }
        Ok(true)
    }

    async fn carry_out(&self, claimed: &Claimed) -> Result<End, Trouble> {
        let job = match &claimed.job {
            Some(job) => job.clone(),
            None => {
                let rule = Rule::parse(&claimed.cron, &claimed.time_zone).map_err(Trouble::Final)?;
                let bytes = self.fetch(&claimed.source).await?;
                let highlights = template::list(&bytes).map_err(Trouble::Final)?;
                if highlights.is_empty() {
                    return Ok(End::Empty);
                }
                let job = template::job(&claimed.template, &highlights, &rule.date(claimed.tick_at))
                    .map_err(Trouble::Final)?;
                if !ticks::keep_job(&self.pool, self.owner, claimed, &job).await? {
                    // Somebody else has the run; what is answered here changes nothing.
                    return Err(Trouble::Passing("the lease was lost".to_owned(), i32::MAX));
                }
                job
            }
        };
        let key = claimed.idempotency_key();
        let posted = self
            .jobs
            .call::<_, Job>(Method::POST, "/v1/jobs", Some(&job), &[("idempotency-key", &key)])
            .await;
        match posted {
            Ok(Some(job)) => Ok(End::Submitted(job.id.0)),
            Ok(None) => Err(Trouble::Passing("jobs-repo answered without a job".to_owned(), POST_TRIES)),
            Err(CallError::Problem(problem)) if problem.status < 500 && problem.status != 429 => {
                Err(Trouble::Final(format!(
                    "jobs-repo refuses the job: {}",
                    problem.detail.unwrap_or(problem.title)
                )))
            }
            Err(error) => {
                tracing::warn!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "a job could not be posted"
                );
                Err(Trouble::Passing("jobs-repo does not answer".to_owned(), POST_TRIES))
            }
        }
    }

    async fn fetch(&self, source: &HighlightSource) -> Result<Vec<u8>, Trouble> {
        let fetched = match source {
            HighlightSource::Url(url) => {
                self.fetcher.fetch_document(url, LARGEST_LIST).await.map(|document| document.bytes)
            }
            HighlightSource::Path(path) => self.read(path).await,
        };
        fetched.map(|bytes| bytes.to_vec()).map_err(|error| {
            let reason = format!("the list of highlights cannot be read: {error}");
            if error.is_permanent() { Trouble::Final(reason) } else { Trouble::Passing(reason, SOURCE_TRIES) }
        })
    }

    async fn read(&self, path: &str) -> Result<bytes::Bytes, FetchError> {
        let file = self.fetcher.open_path(path).await?;
        if file.len() > LARGEST_LIST {
            let bound = "a list of highlights may have";
            return Err(FetchError::TooLarge { source_name: path.to_owned(), limit: LARGEST_LIST, bound });
        }
        let length = usize::try_from(file.len()).unwrap_or(usize::MAX);
        file.read_at(0, length).await
    }
}

/// The pause after so many failed tries.
fn pause(tries: i32) -> chrono::Duration {
    let doubled = FIRST_PAUSE * 2_i32.pow(u32::try_from(tries).unwrap_or_default().min(10));
    doubled.min(LONGEST_PAUSE)
}

fn report(claimed: &Claimed, end: &End) {
    let outcome = match end {
        End::Submitted(job) => {
            tracing::info!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, job_id = %job, "a tick made a job");
            "submitted"
        }
        End::Empty => {
            tracing::info!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, "a tick found no highlights");
            "empty"
        }
        End::Failed(reason) => {
            tracing::warn!(schedule_id = %claimed.schedule, tick_at = %claimed.tick_at, reason, "a tick failed");
            "failed"
        }
    };
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
