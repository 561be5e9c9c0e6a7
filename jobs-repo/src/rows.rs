//! Reading jobs: rows of the database as the API answers them.
//!
//! Promises: one statement for each list; what a list shows is a snapshot. Fails with the database's errors; a row that
//! this version cannot read (written by a newer one) is such an error.

use chrono::{DateTime, Utc};
use contracts::{
    ids::{JobId, MontageId},
    job::{Attempt, AttemptOutcome, Failure, Job, JobKind, JobResult, JobState, Progress},
    spec::JobSpec,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::answers;

/// A job and what is not shown of it.
#[derive(Debug)]
pub struct Stored {
    /// As it is answered.
    pub job: Job,
    /// Grows with every change: the ETag.
    pub version: i64,
    /// Grows with every change of its parts, where these are answered with it; 0 otherwise.
    pub parts_version: i64,
}

impl Stored {
    /// Names what is shown of it: no two different answers of one job have the same.
    #[must_use]
    pub fn tag(&self) -> String {
        match self.parts_version {
            0 => format!("v{}", self.version),
            parts => format!("v{}.{parts}", self.version),
        }
    }
}

struct Row {
    id: Uuid,
    kind: String,
    title: String,
    labels: Json<BTreeMap<String, String>>,
    priority: i16,
    spec: Json<JobSpec>,
    state: String,
    run_at: DateTime<Utc>,
    max_attempts: i32,
    cancel_requested: bool,
    progress: Option<Json<Progress>>,
    failure: Option<Json<Failure>>,
    montage_id: Option<Uuid>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A value of the database that this version has no word for.
pub fn unknown(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: format!("`{value}` is not known").into() }
}

/// The kind of that name.
///
/// # Errors
/// When there is none.
pub fn kind(name: &str) -> sqlx::Result<JobKind> {
    let found = JobKind::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind).ok_or_else(|| unknown("kind", name))
}

/// The state of that name.
///
/// # Errors
/// When there is none.
pub fn state(name: &str) -> sqlx::Result<JobState> {
    let found = JobState::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, state)| *state).ok_or_else(|| unknown("state", name))
}

impl Row {
    fn answer(self) -> sqlx::Result<Stored> {
        let (id, state) = (JobId(self.id), state(&self.state)?);
        let mut links = BTreeMap::from([("self".to_owned(), format!("/v1/jobs/{id}"))]);
        let mut link = |name: &str, path: String| links.insert(name.to_owned(), path);
        let kind = kind(&self.kind)?;
        if kind.is_answered() {
            link(kind.as_str(), answers::path(kind, id));
        }
        if kind.is_posted() {
            if !state.is_final() {
                link("cancel", format!("/v1/jobs/{id}/cancel"));
            } else if state != JobState::Succeeded {
                link("retry", format!("/v1/jobs/{id}/retry"));
            }
        }
        let result = self.montage_id.map(|montage| {
            let href = format!("/v1/montages/{montage}");
            link("montage", href.clone());
            JobResult { montage_id: MontageId(montage), href }
        });
        let job = Job {
            id,
            kind,
            title: self.title,
            labels: self.labels.0,
            priority: self.priority,
            state,
            run_at: self.run_at,
            max_attempts: self.max_attempts,
            cancel_requested: self.cancel_requested,
            spec: self.spec.0,
            progress: self.progress.map(|Json(progress)| progress),
            parts: None,
            attempts: Vec::new(),
            result,
            failure: self.failure.map(|Json(failure)| failure),
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            links,
        };
        Ok(Stored { job, version: self.version, parts_version: 0 })
    }
}

/// Which jobs a list shows. Also what its cursors are bound to.
#[derive(Debug, Default, Serialize)]
pub struct Filters {
    /// In one of these states.
    pub states: Option<Vec<String>>,
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// With this label.
    pub label: Option<BTreeMap<String, String>>,
    /// Posted at this moment or later.
    pub since: Option<DateTime<Utc>>,
}

/// Where a page ends. Microseconds, which is what the database counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// When the page's last job was posted, in microseconds since 1970.
    pub created: i64,
    /// Its id.
    pub id: Uuid,
}

impl Position {
    /// The position of a job.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        Self { created: job.created_at.timestamp_micros(), id: job.id.0 }
    }
}

/// A page of jobs, newest first, without their attempts.
///
/// # Errors
/// Those of the database.
pub async fn list(
    connection: &mut PgConnection,
    filters: &Filters,
    after: Option<Position>,
    limit: i64,
) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT job.id, job.kind, job.title, job.labels AS "labels: Json<BTreeMap<String, String>>", job.priority,
                  CASE WHEN job.parent_id IS NULL THEN job.spec
                       ELSE jsonb_build_object('part', (job.spec -> 'part') || jsonb_build_object('montage',
                                (SELECT spec FROM jobs.jobs AS parent WHERE parent.id = job.parent_id)))
                  END AS "spec!: Json<JobSpec>",
                  job.state, job.run_at, job.max_attempts, job.cancel_requested,
                  job.progress AS "progress: Json<Progress>", job.failure AS "failure: Json<Failure>", job.montage_id,
                  job.version, job.created_at, job.updated_at, job.finished_at
           FROM jobs.jobs AS job
           WHERE ($1::text[] IS NULL OR job.state = ANY($1))
             AND job.kind = ANY($2)
             AND ($3::jsonb IS NULL OR job.labels @> $3)
             AND ($4::timestamptz IS NULL OR job.created_at >= $4)
             AND ($5::timestamptz IS NULL OR (job.created_at, job.id) < ($5, $6))
           ORDER BY job.created_at DESC, job.id DESC
           LIMIT $7"#,
        filters.states.as_deref(),
        &filters.kinds,
        filters.label.as_ref().map(Json) as _,
        filters.since,
        after.and_then(|after| DateTime::from_timestamp_micros(after.created)),
        after.map(|after| after.id),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| row.answer().map(|stored| stored.job)).collect()
}

/// Jobs without their attempts, in the order of the ids; those that are not there are left out.
///
/// # Errors
/// Those of the database.
pub async fn listed(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT job.id, job.kind, job.title, job.labels AS "labels: Json<BTreeMap<String, String>>", job.priority,
                  CASE WHEN job.parent_id IS NULL THEN job.spec
                       ELSE jsonb_build_object('part', (job.spec -> 'part') || jsonb_build_object('montage',
                                (SELECT spec FROM jobs.jobs AS parent WHERE parent.id = job.parent_id)))
                  END AS "spec!: Json<JobSpec>",
                  job.state, job.run_at, job.max_attempts, job.cancel_requested,
                  job.progress AS "progress: Json<Progress>", job.failure AS "failure: Json<Failure>", job.montage_id,
                  job.version, job.created_at, job.updated_at, job.finished_at
           FROM jobs.jobs AS job
           WHERE job.id = ANY($1)"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    let mut jobs = rows.into_iter().map(Row::answer).collect::<sqlx::Result<Vec<Stored>>>()?;
    jobs.sort_by_key(|stored| ids.iter().position(|id| *id == stored.job.id.0));
    Ok(jobs)
}

/// Jobs with their attempts, in the order of the ids; those that are not there are left out.
///
/// # Errors
/// Those of the database.
pub async fn get_many(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Stored>> {
    let mut jobs = listed(connection, ids).await?;
    let attempts = sqlx::query!(
        r#"SELECT job_id, number, executor_name, started_at, ended_at, outcome, failure AS "failure: Json<Failure>"
           FROM jobs.attempts WHERE job_id = ANY($1) ORDER BY number"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    for row in attempts {
        let outcome = row.outcome.map(|name| {
            let found = AttemptOutcome::NAMES.iter().find(|(known, _)| *known == name);
            found.map(|(_, outcome)| *outcome).ok_or_else(|| unknown("outcome", &name))
        });
        let attempt = Attempt {
            number: row.number,
            executor: row.executor_name,
            started_at: row.started_at,
            ended_at: row.ended_at,
            outcome: outcome.transpose()?,
            failure: row.failure.map(|Json(failure)| failure),
        };
        if let Some(stored) = jobs.iter_mut().find(|stored| stored.job.id.0 == row.job_id) {
            stored.job.attempts.push(attempt);
        }
    }
    Ok(jobs)
}

/// A job with its attempts.
///
/// # Errors
/// Those of the database.
pub async fn get(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<Stored>> {
    Ok(get_many(connection, &[id.0]).await?.pop())
}
