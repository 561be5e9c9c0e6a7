//! Imports highlights when an event comes: the scheduler's importer behind AWS Lambda's door.
//!
//! A function imports what its definition says (`SM_IMPORT` or `SM_IMPORT_FILE`, the form that `stream-montages import file` reads) and posts
//! the jobs to the gateway at `SM_GATEWAY_URL` with the key in `SM_API_KEY`. An event says which days, see [`days`]. Tables are read with
//! the function's own role, as Lambda gives it.
//!
//! Promises: an event that comes twice, or that Lambda sends again after a failure, makes no job twice; what could not be done is an error
//! of the function, so that Lambda tries again and then tells whoever is to be told. It stops before Lambda would stop it. Rows that
//! were skipped are in the log and in the answer. Fails with [`Failure`]; settings that are wrong are answered to each event.

pub mod days;

use std::{
    fs,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, bail};
use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::Utc;
use contracts::import::{ImportSummary, PostOutcome};
use highlights::{
    Ways, definition,
    import::Import,
    run::{self, RunError},
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use service_kit::{client::ServiceClient, env::Env};
use tokio::time::Instant;

/// Longest time that is kept for answering before Lambda's deadline; at most a fifth of what there is.
const SPARE: Duration = Duration::from_secs(5);

/// A scheduled event, or one that a person or a program made up.
pub type Event = EventBridgeEvent<Value>;

/// What a function imports, from where, and to whom.
pub struct Importer {
    import: Import,
    ways: Ways,
    gateway: ServiceClient,
}

/// Why an event was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The function is not set up rightly.
    #[error("{0}")]
    Settings(String),
    /// The event asks for what cannot be. Nothing was posted.
    #[error("{0}")]
    Event(String),
    /// The import was not done.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Jobs were refused; the others are posted.
    #[error("{count} of {of} jobs were refused: {first}")]
    Refused {
        /// How many.
        count: u32,
        /// Of how many.
        of: usize,
        /// Why the first was.
        first: String,
    },
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Settings(_) => "Settings",
            Failure::Event(_) => "Event",
            Failure::Run(RunError::Source(error)) if error.is_permanent() => "SourceRefused",
            Failure::Run(RunError::Source(_)) => "SourceUnavailable",
            Failure::Run(RunError::Plan(_)) => "Plan",
            Failure::Run(RunError::OutOfTime) => "OutOfTime",
            Failure::Run(RunError::GivenUp { .. }) => "NotPosted",
            Failure::Refused { .. } => "Refused",
        };
        Self { error_type: kind.to_owned(), error_message: failure.to_string() }
    }
}

impl Importer {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or cannot be read; for a definition with every mistake in it.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let text = match (env.get("SM_IMPORT"), env.get("SM_IMPORT_FILE")) {
            (Some(text), None) => text.to_owned(),
            (None, Some(path)) => {
                fs::read_to_string(path).with_context(|| format!("SM_IMPORT_FILE: {path} cannot be read"))?
            }
            (Some(_), Some(_)) => bail!("either SM_IMPORT or SM_IMPORT_FILE says what is imported, not both"),
            (None, None) => bail!("SM_IMPORT or SM_IMPORT_FILE must say what is imported"),
        };
        let value: Value = serde_json::from_str(&text).context("what is imported is not JSON")?;
        let import = definition::decode(&value).map_err(|mistakes| {
            let told: Vec<String> =
                mistakes.iter().map(|mistake| format!("{} {}", mistake.pointer, mistake.detail)).collect();
            anyhow::anyhow!("what is imported has mistakes: {}", told.join("; "))
        })?;
        let gateway = env.required("SM_GATEWAY_URL")?;
        Ok(Self {
            import,
            ways: run::own_ways(env)?,
            gateway: ServiceClient::new("The gateway", gateway, env.secret("SM_API_KEY"))?,
        })
    }

    async fn import(&self, event: &Event, until: Option<Instant>) -> Result<ImportSummary, Failure> {
        let asked = days::asked(&event.detail).map_err(Failure::Event)?;
        let window = days::window(&self.import, asked, event.time, Utc::now()).map_err(Failure::Event)?;
        let at = event.time.unwrap_or_else(Utc::now);
        let prepared = run::prepare(&self.import, window, at, &self.ways, until).await?;
        let outcome = prepared.post(&self.gateway, until).await;
        match &outcome {
            Ok(summary) => tell(summary),
            Err(RunError::GivenUp { done, .. }) => tell(done),
            Err(_) => {}
        }
        let summary = outcome?;
        let first = summary.jobs.iter().find(|job| job.outcome == PostOutcome::Refused);
        match first {
            None => Ok(summary),
            Some(first) => Err(Failure::Refused {
                count: summary.refused,
                of: summary.jobs.len(),
                first: format!(
                    "{}: {}",
                    first.title,
                    first.reason.as_deref().unwrap_or("no reason was given")
                ),
            }),
        }
    }
}

/// The log has what is answered: nobody reads the answers to scheduled events.
fn tell(summary: &ImportSummary) {
    for skipped in &summary.report.skipped_rows {
        tracing::warn!(row = skipped.row, reason = skipped.reason, "a row was skipped");
    }
    for job in &summary.jobs {
        if let Some(reason) = &job.reason {
            tracing::warn!(title = job.title, outcome = ?job.outcome, reason, "a job was not posted");
        }
    }
    let ImportSummary { name, submitted, known, refused, waiting, report, .. } = summary;
    let (from, to) = summary.window.map(|days| (days.from, days.to)).unzip();
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    tracing::info!(
        import = name,
        from = day(from),
        to = day(to),
        rows = report.rows,
        highlights = report.highlights,
        skipped = report.skipped,
        submitted,
        known,
        refused,
        waiting,
        "imported"
    );
}

/// Answers an event. `importer` is how reading the settings went.
///
/// # Errors
/// What Lambda shows as the function's error.
pub async fn handle(
    importer: &anyhow::Result<Importer>,
    event: LambdaEvent<Event>,
) -> Result<ImportSummary, Diagnostic> {
    let importer = importer.as_ref().map_err(|error| Failure::Settings(format!("{error:#}")))?;
    let until = until(event.context.deadline(), SystemTime::now());
    Ok(importer.import(&event.payload, until).await?)
}

/// When to have stopped, so that an answer is still heard; never where the deadline is over before it began, as emulators have it.
fn until(deadline: SystemTime, now: SystemTime) -> Option<Instant> {
    let left = deadline.duration_since(now).ok().filter(|left| !left.is_zero())?;
    Some(Instant::now() + (left - SPARE.min(left / 5)))
}

#[cfg(test)]
mod tests;
