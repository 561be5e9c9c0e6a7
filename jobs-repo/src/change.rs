//! Changing a job that has not ended: its title, its labels, its priority.
//!
//! Promises: a change under `If-Match` happens only to the version that it names, however many come at once; parts that wait
//! follow their job in the same transaction; what changes nothing is not a new version. Fails with the database's errors;
//! refusals are values.

use contracts::{
    ids::JobId,
    job::{JobKind, JobState},
    problem::FieldError,
    spec::JobChange,
};
use serde_json::Value;
use service_kit::precondition;
use sqlx::{Connection, PgConnection, types::Json};

use crate::parts;

/// What became of a change.
#[derive(Debug)]
pub enum Changed {
    /// The job is as it was asked for.
    Done,
    /// It has ended, in this state. Nothing was changed.
    Refused(JobState),
    /// Its kind does not allow it, as the text says. Nothing was changed.
    Unfit(&'static str),
    /// It is in another version, which has this tag. Nothing was changed.
    Outdated(String),
    /// What was sent has these mistakes. Nothing was changed.
    Invalid(Vec<FieldError>),
    /// There is no such job.
    Missing,
}

/// Changes a job, if `wanted`, the value of `If-Match`, allows it.
///
/// # Errors
/// Those of the database.
pub async fn change(
    connection: &mut PgConnection,
    id: JobId,
    wanted: Option<&str>,
    body: &Value,
) -> sqlx::Result<Changed> {
    let mut transaction = connection.begin().await?;
    let locked = sqlx::query_scalar!("SELECT 1 FROM jobs.jobs WHERE id = $1 FOR UPDATE", id.0);
    locked.fetch_optional(&mut *transaction).await?;
    let Some(stored) = parts::whole(&mut transaction, id).await? else { return Ok(Changed::Missing) };
    let (tag, present) = (stored.tag(), stored.job);
    match present.kind {
        JobKind::Segment => return Ok(Changed::Unfit("It is a part of another job. Change that one.")),
        kind if !kind.is_posted() => {
            return Ok(Changed::Unfit("It was not posted as a job and cannot be changed."));
        }
        _ => {}
    }
    if !wanted.is_none_or(|wanted| precondition::names(wanted, &format!("\"{tag}\""))) {
        return Ok(Changed::Outdated(tag));
    }
    if present.state.is_final() {
        return Ok(Changed::Refused(present.state));
    }
    let change = match JobChange::decode(body, &present.labels) {
        Ok(change) => change,
        Err(errors) => return Ok(Changed::Invalid(errors)),
    };
    let title = change.title.unwrap_or_else(|| present.title.clone());
    let labels = change.labels.unwrap_or_else(|| present.labels.clone());
    let priority = change.priority.unwrap_or(present.priority);
    if (&title, &labels, priority) == (&present.title, &present.labels, present.priority) {
        return Ok(Changed::Done);
    }
    sqlx::query!(
        "UPDATE jobs.jobs SET title = $2, labels = $3, priority = $4, updated_at = now(), version = version + 1
         WHERE id = $1",
        id.0,
        title,
        Json(&labels) as _,
        priority,
    )
    .execute(&mut *transaction)
    .await?;
    if present.kind == JobKind::Montage {
        parts::follow(&mut transaction, id.0, &title, priority).await?;
    }
    transaction.commit().await?;
    Ok(Changed::Done)
}
