//! One import from its source to its jobs, for those that keep no record of their own: the command line and the Lambda handler.
//!
//! Promises: nothing is posted before everything was read and planned, so that a source that fails leaves nothing half done. An import that
//! was ended at any moment, by whatever, is mended by running it again with the same days: its jobs have the same keys, and those that
//! were posted are known. Given a moment, it stops by then and says how far it came. Fails with [`RunError`].

use chrono::{DateTime, Utc};
use contracts::import::{ImportReport, ImportSummary, ImportedJob, PostOutcome};
use fetch::{FetchConfig, Fetcher};
use service_kit::{client::ServiceClient, env::Env};
use tokio::time::Instant;

use crate::{
    import::{Import, Planned, plan},
    post,
    source::{self, SourceError, Ways},
    window::Window,
};

/// Why an import was not done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source cannot be read. Nothing was posted.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was read does not make jobs. Nothing was posted.
    #[error("{0}")]
    Plan(String),
    /// The moment came before everything was read. Nothing was posted.
    #[error("the source was not read to its end in the time that there was; nothing was posted")]
    OutOfTime,
    /// Not all jobs could be posted.
    #[error("{} of {} jobs are not posted: {reason}; run it again with the same days, which makes no job twice", .done.waiting, .done.jobs.len())]
    GivenUp {
        /// Why.
        reason: String,
        /// What was done until then.
        done: Box<ImportSummary>,
    },
}

/// The ways to sources of somebody who imports for themselves, in a process of their own.
///
/// # Errors
/// When a setting cannot be read.
pub fn own_ways(env: &Env) -> anyhow::Result<Ways> {
    let config = FetchConfig::from_lookup(&|name| env.lookup(name))?;
    Ways::for_own_account(env, Fetcher::new(config)?)
}

/// An import whose source was read and whose jobs are made; nothing is posted yet.
#[derive(Debug)]
pub struct Prepared {
    /// The jobs, as they will be posted.
    pub planned: Vec<Planned>,
    name: String,
    window: Option<Window>,
    report: ImportReport,
}

/// Reads the source of an import within a window and makes its jobs, under the scope of the import's name.
///
/// # Errors
/// [`RunError`]; never [`RunError::GivenUp`].
pub async fn prepare(
    import: &Import,
    window: Option<Window>,
    at: DateTime<Utc>,
    ways: &Ways,
    until: Option<Instant>,
) -> Result<Prepared, RunError> {
    let reading = source::read(&import.source, ways, window);
    let mut gathered = match until {
        None => reading.await?,
        Some(until) => tokio::time::timeout_at(until, reading).await.map_err(|_| RunError::OutOfTime)??,
    };
    let planned = plan(import, &import.name, at, &mut gathered).map_err(RunError::Plan)?;
    Ok(Prepared { planned, name: import.name.clone(), window, report: gathered.report().clone() })
}

impl Prepared {
    /// What would be told if nothing were posted.
    #[must_use]
    pub fn summary(&self) -> ImportSummary {
        self.told(self.planned.iter().map(|planned| planned.told.clone()).collect())
    }

    /// Posts the jobs.
    ///
    /// # Errors
    /// [`RunError::GivenUp`].
    pub async fn post(
        mut self,
        client: &ServiceClient,
        until: Option<Instant>,
    ) -> Result<ImportSummary, RunError> {
        let (jobs, given_up) = post::all(client, std::mem::take(&mut self.planned), until).await;
        let summary = self.told(jobs);
        match given_up {
            None => Ok(summary),
            Some(reason) => Err(RunError::GivenUp { reason, done: Box::new(summary) }),
        }
    }

    fn told(&self, jobs: Vec<ImportedJob>) -> ImportSummary {
        let count = |outcome| {
            let count = jobs.iter().filter(|job| job.outcome == outcome).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        ImportSummary {
            name: self.name.clone(),
            window: self.window.map(|window| window.days),
            submitted: count(PostOutcome::Submitted),
            known: count(PostOutcome::Known),
            refused: count(PostOutcome::Refused),
            waiting: count(PostOutcome::Waiting),
            jobs,
            report: self.report.clone(),
        }
    }
}
