//! Trying a schedule out: what a run would read and post now, with nothing stored and nothing posted. So a mapping can be written with its
//! result before one's eyes.

use chrono::{DateTime, Utc};
use contracts::{
    decode::{Fields, Mistakes},
    problem::{FieldError, ProblemCode},
    schedule::ScheduleTrial,
    spec::NewJob,
};
use highlights::{Ways, definition, import::Import, source};
use serde_json::Value;
use service_kit::problem::{ApiError, ApiResult};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

use crate::{definition::OF_SCHEDULE, runs::SHOWN_JOBS};

/// Trials at once in one process: each may hold all that a source lists.
pub const AT_ONCE: usize = 2;
/// Longest trial; a run itself has longer.
const LONGEST: Duration = Duration::from_secs(45);
/// Highlights of the first job that are shown.
const SHOWN_HIGHLIGHTS: usize = 5;

/// Reads what is tried: a schedule, of which what says when it runs may be left out.
fn decode(value: &Value) -> Result<Import, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let known: Vec<&str> = definition::FIELDS.iter().copied().chain(OF_SCHEDULE).collect();
    let import = Fields::open(value, "", &known, &mut mistakes)
        .and_then(|fields| definition::read(&fields, &mut mistakes));
    mistakes.finish(import)
}

/// Reads and plans, as a run at `now` would.
///
/// # Errors
/// `invalid_spec` with all mistakes, or with why the source cannot be read or its highlights make no jobs; `rate_limited` where others are
/// trying; `timeout`.
pub async fn attempt(
    body: &Value,
    now: DateTime<Utc>,
    ways: &Ways,
    places: &Arc<Semaphore>,
) -> ApiResult<ScheduleTrial> {
    let import = decode(body).map_err(ApiError::invalid)?;
    let _place = places.try_acquire().map_err(|_| ApiError {
        retry_after: Some(5),
        ..ApiError::new(ProblemCode::RateLimited, "Others are trying schedules out at this moment.")
    })?;
    let window = import.window_at(now);
    let read = tokio::time::timeout(LONGEST, source::read(&import.source, ways, window)).await;
    let read = read.map_err(|_| {
        let detail = format!(
            "The source was not read to its end in {} s. A run has longer; a shorter window is tried sooner.",
            LONGEST.as_secs()
        );
        ApiError::new(ProblemCode::Timeout, detail)
    })?;
    let mut gathered = read.map_err(|error| ApiError::invalid_at("/source", error.to_string()))?;
    let planned = highlights::plan(&import, "trial", now, &mut gathered)
        .map_err(|detail| ApiError::invalid_at("/template", detail))?;
    let first = planned.first().and_then(|job| serde_json::from_str(&job.body).ok());
    let first = first.and_then(|body| NewJob::decode(&body).ok());
    let highlights = first.and_then(|job| job.spec.montage().map(|spec| spec.highlights.clone()));
    let shown = usize::try_from(SHOWN_JOBS).unwrap_or_default();
    Ok(ScheduleTrial {
        window: window.map(|window| window.days),
        report: gathered.report().clone(),
        job_count: u32::try_from(planned.len()).unwrap_or(u32::MAX),
        jobs: planned.into_iter().take(shown).map(|job| job.told).collect(),
        highlights: highlights.unwrap_or_default().into_iter().take(SHOWN_HIGHLIGHTS).collect(),
    })
}
