//! Plans and probes: jobs of kinds of their own that come to an answer instead of a montage.
//!
//! Promises: they go ahead of all work, are tried twice, and are forgotten after a while (see [`crate::upkeep`]). Fails with the
//! database's errors.

use contracts::{
    ids::JobId,
    job::{Failure, JobKind, JobState},
    plan::{PlanAnswer, PlanView},
    probe::{ProbeAnswer, ProbeView},
    problem::ProblemCode,
    spec::{JobSpec, NewJob},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use crate::{
    post::{self, Posted},
    rows,
};

/// Somebody waits for it: the highest there is.
const PRIORITY: i16 = 100;
/// Attempts at an answer.
const MOST_ATTEMPTS: i32 = 2;

/// What a job of one of these kinds comes to.
pub trait View: DeserializeOwned {
    /// The kind; its name is that of the answer, too.
    const KIND: JobKind;
    /// The problem of those that fail.
    const FAILED: ProblemCode;
    /// How it is answered.
    type Answer: Serialize;
    /// The answer, with or without what it is about.
    fn answer(id: JobId, view: Option<Self>) -> Self::Answer;
}

impl View for PlanView {
    const KIND: JobKind = JobKind::Plan;
    const FAILED: ProblemCode = ProblemCode::PlanFailed;
    type Answer = PlanAnswer;
    fn answer(id: JobId, plan: Option<Self>) -> PlanAnswer {
        PlanAnswer { id, plan }
    }
}

impl View for ProbeView {
    const KIND: JobKind = JobKind::Probe;
    const FAILED: ProblemCode = ProblemCode::ProbeFailed;
    type Answer = ProbeAnswer;
    fn answer(id: JobId, probe: Option<Self>) -> ProbeAnswer {
        ProbeAnswer { id, probe }
    }
}

/// Where an answer stands.
#[derive(Debug)]
pub enum Standing<V> {
    /// It waits for an executor, or one is making it.
    Pending,
    /// It is made.
    Made(V),
    /// It cannot be made.
    Failed(Failure),
    /// Somebody cancelled it.
    Cancelled,
}

/// The path of an answer.
#[must_use]
pub fn path(kind: JobKind, id: JobId) -> String {
    format!("/v1/{}s/{id}", kind.as_str())
}

/// Asks for an answer: the spec says of what kind.
///
/// # Errors
/// Those of the database.
pub async fn ask(
    connection: &mut PgConnection,
    title: String,
    spec: JobSpec,
    trace_parent: Option<&str>,
) -> sqlx::Result<JobId> {
    let job = NewJob {
        kind: spec.kind(),
        title,
        labels: Default::default(),
        priority: PRIORITY,
        run_at: None,
        spec,
    };
    match post::post(connection, &[job], None, MOST_ATTEMPTS, trace_parent).await? {
        Posted::Made(ids) | Posted::Known(ids) => ids.first().map(|id| JobId(*id)),
        Posted::Conflict => None,
    }
    .ok_or(sqlx::Error::RowNotFound)
}

/// Where an answer stands; `None` if there is no such one, or none any more.
///
/// # Errors
/// Those of the database.
pub async fn look<V: View>(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<Standing<V>>> {
    let row = sqlx::query!(
        r#"SELECT state, result AS "result: Json<Value>", failure AS "failure: Json<Failure>"
           FROM jobs.jobs WHERE id = $1 AND kind = $2"#,
        id.0,
        V::KIND.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let failure = row.failure.map(|Json(failure)| failure);
    Ok(Some(match (rows::state(&row.state)?, row.result) {
        (JobState::Queued | JobState::Running | JobState::Retrying, _) => Standing::Pending,
        (JobState::Succeeded, Some(Json(result))) => {
            let read = serde_json::from_value(result);
            Standing::Made(read.map_err(|error| sqlx::Error::ColumnDecode {
                index: "result".to_owned(),
                source: error.into(),
            })?)
        }
        (JobState::Cancelled, _) => Standing::Cancelled,
        (JobState::Succeeded | JobState::Failed | JobState::Dead, _) => {
            Standing::Failed(failure.unwrap_or_else(|| Failure {
                code: "unexplained".to_owned(),
                message: format!(
                    "The {} was not made, and no reason was given. Ask again.",
                    V::KIND.as_str()
                ),
                pointer: None,
            }))
        }
    }))
}
