//! The jobs of a run in PostgreSQL: written down before the first is posted ([`keep`]), each under a key that says what it stands for, and
//! what became of each ([`record`]). Whoever takes a run over after a crash posts the very same, and jobs-repo answers the very same jobs.
//! What changes something does so only while the lease on the schedule is held.

use contracts::{
    ids::JobId,
    import::{Days, ImportReport, PostOutcome},
};
use highlights::Planned;
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use crate::ticks::{Claimed, holds};

/// A job of a run that is to be posted yet.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its place among the run's jobs.
    pub position: i32,
    /// The `Idempotency-Key` that it is posted under.
    pub key: String,
    /// What is posted, as JSON.
    pub body: String,
}

/// Fixes the jobs of a run before the first is posted, with what was read; `false` if the lease was lost.
///
/// # Errors
/// Those of the database.
pub async fn keep(
    pool: &PgPool,
    owner: Uuid,
    claimed: &Claimed,
    days: Option<Days>,
    report: &ImportReport,
    jobs: &[Planned],
) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET days = $2, report = $3 WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        days.map(Json) as _,
        Json(report) as _
    )
    .execute(&mut *transaction)
    .await?;
    for (position, job) in (0_i32..).zip(jobs) {
        // What is asked for again is another job than the one that there was.
        let key = if claimed.again { format!("{}:{}", job.key, claimed.run) } else { job.key.clone() };
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        sqlx::query!(
            "INSERT INTO jobs.schedule_jobs (run_id, position, schedule_id, key, title, streamer, highlights, left_out, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)",
            claimed.run,
            position,
            claimed.schedule.0,
            key,
            job.told.title,
            job.told.streamer,
            count(job.told.highlights),
            count(job.told.left_out),
            job.body
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// How many jobs were fixed for a run.
///
/// # Errors
/// Those of the database.
pub async fn kept(pool: &PgPool, run: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM jobs.schedule_jobs WHERE run_id = $1"#, run)
        .fetch_one(pool)
        .await
}

/// The first job of a run that is to be posted yet.
///
/// # Errors
/// Those of the database.
pub async fn next_waiting(pool: &PgPool, run: Uuid) -> sqlx::Result<Option<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"SELECT position, key, body::text AS "body!" FROM jobs.schedule_jobs
           WHERE run_id = $1 AND outcome = 'waiting' ORDER BY position LIMIT 1"#,
        run
    )
    .fetch_optional(pool)
    .await
}

/// The job that another run of the schedule posted under a key.
///
/// # Errors
/// Those of the database.
pub async fn posted_before(pool: &PgPool, claimed: &Claimed, key: &str) -> sqlx::Result<Option<JobId>> {
    let found = sqlx::query_scalar!(
        r#"SELECT job_id AS "job_id!" FROM jobs.schedule_jobs
           WHERE schedule_id = $1 AND key = $2 AND run_id <> $3 AND outcome = 'submitted' LIMIT 1"#,
        claimed.schedule.0,
        key,
        claimed.run
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.map(JobId))
}

/// The jobs of the last run before this one that posted some.
///
/// # Errors
/// Those of the database.
pub async fn jobs_before(pool: &PgPool, claimed: &Claimed) -> sqlx::Result<Vec<JobId>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT job_id AS "job_id!" FROM jobs.schedule_jobs
           WHERE outcome = 'submitted' AND run_id = (
               SELECT run_id FROM jobs.schedule_jobs
               WHERE schedule_id = $1 AND run_id <> $2 AND outcome = 'submitted' ORDER BY run_id DESC LIMIT 1)"#,
        claimed.schedule.0,
        claimed.run
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(JobId).collect())
}

/// Writes down what became of a job; `false`, with nothing changed, if the lease was lost.
///
/// # Errors
/// Those of the database.
pub async fn record(
    pool: &PgPool,
    owner: Uuid,
    claimed: &Claimed,
    position: i32,
    (outcome, job, reason): (PostOutcome, Option<JobId>, Option<&str>),
) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    let word = match outcome {
        PostOutcome::Waiting => return Ok(true),
        PostOutcome::Submitted => "submitted",
        PostOutcome::Known => "known",
        PostOutcome::Refused => "refused",
    };
    sqlx::query!(
        "UPDATE jobs.schedule_jobs SET outcome = $3, job_id = $4, reason = $5, body = NULL
         WHERE run_id = $1 AND position = $2 AND outcome = 'waiting'",
        claimed.run,
        position,
        word,
        job.map(|job| job.0),
        reason
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Whether one of a run's jobs was posted or had been, and why the first that was refused was.
///
/// # Errors
/// Those of the database.
pub async fn verdict(pool: &PgPool, run: Uuid) -> sqlx::Result<(bool, Option<String>)> {
    let row = sqlx::query!(
        r#"SELECT coalesce(bool_or(outcome IN ('submitted', 'known')), false) AS "posted!",
                  (array_agg(reason ORDER BY position) FILTER (WHERE outcome = 'refused'))[1] AS refused
           FROM jobs.schedule_jobs WHERE run_id = $1"#,
        run
    )
    .fetch_one(pool)
    .await?;
    Ok((row.posted, row.refused))
}
