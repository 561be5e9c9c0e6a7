//! Posting jobs, each under its key, by those who keep no record of their own: the command line and the Lambda handler.
//!
//! [`once`] posts a job and says what became of it; [`all`] goes on until each job of an import was answered. Posting the same import
//! again, after whatever happened to the first time, makes no job a second time: the key says which job is meant.

use std::{fmt::Write as _, time::Duration};

use contracts::{
    ids::JobId,
    import::{ImportedJob, PostOutcome},
    job::Job,
    problem::{Problem, ProblemCode},
};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use service_kit::{client::ServiceClient, idempotency::REPLAYED};
use tokio::time::Instant;

use crate::import::Planned;

/// Tries of one job.
const TRIES: u32 = 6;
/// Pause after the first failed try; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause, also where more is asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is a new job.
    Made(JobId),
    /// The same had been posted before.
    Known(JobId),
    /// Something else had been posted under the key before: another selection of the same days. Nothing was stored.
    Conflict,
    /// It is refused, for this reason.
    Refused(String),
    /// Whoever posts is refused, for this reason: what else they post would be too.
    NotAllowed(String),
    /// Nobody answers, or not now.
    Later {
        /// Why.
        reason: String,
        /// When to try again, where the answer says.
        after: Option<Duration>,
    },
}

/// Posts a job, which is JSON, once.
pub async fn once(client: &ServiceClient, key: &str, body: &str) -> Answer {
    let request = client
        .request(Method::POST, "/v1/jobs")
        .header("idempotency-key", key)
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_owned());
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            let error = anyhow::Error::from(error.without_url());
            return Answer::Later { reason: format!("nobody answers: {error:#}"), after: None };
        }
    };
    let status = response.status();
    let known = response.headers().contains_key(REPLAYED);
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let after = after.map(Duration::from_secs);
    let Ok(bytes) = response.bytes().await else {
        return Answer::Later { reason: "the answer broke off".to_owned(), after };
    };
    if status.is_success() {
        return match serde_json::from_slice::<Job>(&bytes) {
            Ok(job) if known => Answer::Known(job.id),
            Ok(job) => Answer::Made(job.id),
            Err(_) => Answer::Later { reason: "the answer is not a job".to_owned(), after },
        };
    }
    let problem = serde_json::from_slice::<Problem>(&bytes).ok();
    let code = problem.as_ref().map(|problem| problem.code.clone()).unwrap_or_default();
    let reason = problem.map(|problem| told(&problem)).unwrap_or_else(|| format!("status {status}"));
    match status {
        StatusCode::CONFLICT if code == ProblemCode::IdempotencyConflict.as_str() => Answer::Conflict,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Answer::Later { reason, after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answer::NotAllowed(reason),
        status if status.is_client_error() => Answer::Refused(reason),
        _ => Answer::Later { reason, after },
    }
}

fn told(problem: &Problem) -> String {
    let mut text = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    for error in problem.errors.iter().take(5) {
        let _ = write!(text, "; {} {}", error.pointer, error.detail);
    }
    text
}

/// What is told of a job whose key stands for another selection.
pub const CONFLICT: &str = "these days were submitted before with other highlights; nothing was changed";

/// Posts the jobs of an import one after the other, each until it is answered, at most until a moment. Answers what became of each, and why
/// the rest was given up where it was.
pub async fn all(
    client: &ServiceClient,
    planned: Vec<Planned>,
    until: Option<Instant>,
) -> (Vec<ImportedJob>, Option<String>) {
    let mut told: Vec<ImportedJob> = Vec::with_capacity(planned.len());
    let mut given_up = None;
    for job in planned {
        let mut entry = job.told;
        if given_up.is_none() {
            match in_time(until, patiently(client, &job.key, &job.body)).await {
                Answer::Made(id) => (entry.outcome, entry.job_id) = (PostOutcome::Submitted, Some(id)),
                Answer::Known(id) => (entry.outcome, entry.job_id) = (PostOutcome::Known, Some(id)),
                Answer::Conflict => {
                    (entry.outcome, entry.reason) = (PostOutcome::Known, Some(CONFLICT.to_owned()));
                }
                Answer::Refused(reason) => {
                    (entry.outcome, entry.reason) = (PostOutcome::Refused, Some(reason));
                }
                Answer::NotAllowed(reason) | Answer::Later { reason, .. } => given_up = Some(reason),
            }
        }
        told.push(entry);
    }
    (told, given_up)
}

async fn in_time(until: Option<Instant>, answer: impl Future<Output = Answer>) -> Answer {
    let Some(until) = until else { return answer.await };
    // What was cut off may have been posted: then it is known the next time.
    let late = |_| Answer::Later { reason: "the time that there was is over".to_owned(), after: None };
    tokio::time::timeout_at(until, answer).await.unwrap_or_else(late)
}

async fn patiently(client: &ServiceClient, key: &str, body: &str) -> Answer {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match once(client, key, body).await {
            Answer::Later { reason, after } => {
                let wait = after.unwrap_or(pause).min(LONGEST_PAUSE);
                tracing::warn!(
                    reason,
                    seconds = wait.as_secs_f32(),
                    "a job could not be posted; it is tried again"
                );
                tokio::time::sleep(wait).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
    once(client, key, body).await
}
