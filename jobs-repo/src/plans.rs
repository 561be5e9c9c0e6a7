//! Plans: jobs of a kind of their own that come to an answer instead of a montage.
//!
//! Promises: a plan goes ahead of all work, is tried twice, and is forgotten after an hour. Fails with the database's errors.

use contracts::{
    ids::JobId,
    job::{Failure, JobKind, JobState},
    plan::PlanView,
    spec::{JobSpec, MontageSpec, NewJob},
};
use sqlx::{PgConnection, types::Json};

use crate::{
    post::{self, Posted},
    rows,
};

/// Somebody waits for it: the highest there is.
const PRIORITY: i16 = 100;
/// Attempts at a plan.
const MOST_ATTEMPTS: i32 = 2;

/// Where a plan stands.
#[derive(Debug)]
pub enum Standing {
    /// It waits for an executor, or one is making it.
    Pending,
    /// It is made.
    Made(Box<PlanView>),
    /// It cannot be made.
    Failed(Failure),
    /// Somebody cancelled it.
    Cancelled,
}

/// Asks for the plan of a montage.
///
/// # Errors
/// Those of the database.
pub async fn ask(
    connection: &mut PgConnection,
    title: String,
    spec: MontageSpec,
    trace_parent: Option<&str>,
) -> sqlx::Result<JobId> {
    let job = NewJob {
        kind: JobKind::Plan,
        title,
        labels: Default::default(),
        priority: PRIORITY,
        run_at: None,
        spec: JobSpec::Plan { plan: spec },
    };
    match post::post(connection, &[job], None, MOST_ATTEMPTS, trace_parent).await? {
        Posted::Made(ids) | Posted::Known(ids) => ids.first().map(|id| JobId(*id)),
        Posted::Conflict => None,
    }
    .ok_or(sqlx::Error::RowNotFound)
}

/// Where a plan stands; `None` if there is no such plan, or none any more.
///
/// # Errors
/// Those of the database.
pub async fn look(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<Standing>> {
    let row = sqlx::query!(
        r#"SELECT state, result AS "result: Json<PlanView>", failure AS "failure: Json<Failure>"
           FROM jobs.jobs WHERE id = $1 AND kind = 'plan'"#,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let failure = row.failure.map(|Json(failure)| failure);
    Ok(Some(match (rows::state(&row.state)?, row.result) {
        (JobState::Queued | JobState::Running | JobState::Retrying, _) => Standing::Pending,
        (JobState::Succeeded, Some(Json(plan))) => Standing::Made(Box::new(plan)),
        (JobState::Cancelled, _) => Standing::Cancelled,
        (JobState::Succeeded | JobState::Failed | JobState::Dead, _) => {
            Standing::Failed(failure.unwrap_or_else(|| Failure {
                code: "unexplained".to_owned(),
                message: "The plan was not made, and no reason was given. Ask again.".to_owned(),
                pointer: None,
            }))
        }
    }))
}
