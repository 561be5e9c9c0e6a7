//! The history of a schedule's runs in PostgreSQL, as the routes read it, and the runs that are asked for by hand.

use chrono::{DateTime, Utc};
use contracts::{
    ids::ScheduleId,
    import::{Days, ImportReport, ImportedJob, WindowRule},
    schedule::{RunOutcome, ScheduleRun},
};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::definition::Asked;

/// Jobs that are shown with each run of a list.
pub const SHOWN_JOBS: i32 = 20;

/// A run as it is stored.
#[derive(Debug)]
struct RunRow {
    id: Uuid,
    tick_at: DateTime<Utc>,
    by_hand: bool,
    days: Option<Json<Days>>,
    outcome: String,
    job_count: i64,
    jobs: Json<Vec<ImportedJob>>,
    report: Option<Json<ImportReport>>,
    reason: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<RunRow> for ScheduleRun {
    fn from(row: RunRow) -> Self {
        let outcome = match row.outcome.as_str() {
            "submitted" => RunOutcome::Submitted,
            "empty" => RunOutcome::Empty,
            "skipped" => RunOutcome::Skipped,
            "failed" => RunOutcome::Failed,
            // The table's CHECK allows nothing else.
            _ => RunOutcome::Running,
        };
        Self {
            id: row.id,
            tick_at: row.tick_at,
            by_hand: row.by_hand,
            window: row.days.map(|days| days.0),
            outcome,
            job_count: u32::try_from(row.job_count).unwrap_or(u32::MAX),
            jobs: row.jobs.0,
            report: row.report.map(|report| report.0),
            reason: row.reason,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// A schedule's runs, newest first, before an id, each with the first [`SHOWN_JOBS`] of its jobs.
///
/// # Errors
/// Those of the database.
pub async fn page(
    pool: &PgPool,
    schedule: ScheduleId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<ScheduleRun>> {
    select(pool, schedule, None, before, limit, SHOWN_JOBS).await
}

/// One run with all its jobs.
///
/// # Errors
/// Those of the database.
pub async fn find(pool: &PgPool, schedule: ScheduleId, run: Uuid) -> sqlx::Result<Option<ScheduleRun>> {
    Ok(select(pool, schedule, Some(run), None, 1, i32::MAX).await?.pop())
}

async fn select(
    pool: &PgPool,
    schedule: ScheduleId,
    run: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
    most_jobs: i32,
) -> sqlx::Result<Vec<ScheduleRun>> {
    let rows = sqlx::query_as!(
        RunRow,
        r#"SELECT run.id, tick_at, by_hand, days AS "days: Json<Days>", run.outcome, made.job_count AS "job_count!",
                  made.jobs AS "jobs!: Json<Vec<ImportedJob>>", report AS "report: Json<ImportReport>", run.reason, started_at, ended_at
           FROM jobs.schedule_runs AS run
           CROSS JOIN LATERAL (
               SELECT count(*) AS job_count,
                      coalesce(jsonb_agg(jsonb_build_object(
                          'title', title, 'streamer', streamer, 'highlights', highlights, 'left_out', left_out,
                          'outcome', job.outcome, 'job_id', job.job_id, 'reason', job.reason) ORDER BY position)
                          FILTER (WHERE position < $5), '[]') AS jobs
               FROM jobs.schedule_jobs AS job WHERE job.run_id = run.id) AS made
           WHERE run.schedule_id = $1 AND ($2::uuid IS NULL OR run.id = $2) AND ($3::uuid IS NULL OR run.id < $3)
           ORDER BY run.id DESC LIMIT $4"#,
        schedule.0,
        run,
        before,
        limit,
        most_jobs
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(ScheduleRun::from).collect())
}

/// The seconds until a schedule may be run by hand again; `None` if it may now. The schedule is locked by the caller.
///
/// # Errors
/// Those of the database.
pub async fn hand_wait(
    connection: &mut PgConnection,
    schedule: ScheduleId,
    pause_seconds: f64,
) -> sqlx::Result<Option<f64>> {
    let left = sqlx::query_scalar!(
        r#"SELECT max(extract(epoch FROM started_at - clock_timestamp()))::float8 + $2
           FROM jobs.schedule_runs WHERE schedule_id = $1 AND by_hand"#,
        schedule.0,
        pause_seconds
    )
    .fetch_one(connection)
    .await?;
    Ok(left.filter(|left| *left > 0.0))
}

/// Notes that a schedule is to be run by hand, now; answers the run's id.
///
/// # Errors
/// Those of the database.
pub async fn insert_by_hand(
    connection: &mut PgConnection,
    schedule: ScheduleId,
    asked: Asked,
) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "INSERT INTO jobs.schedule_runs (id, schedule_id, tick_at, by_hand, asked, again, started_at, retry_at)
         VALUES ($1, $2, clock_timestamp(), true, $3, $4, clock_timestamp(), clock_timestamp())",
        id,
        schedule.0,
        asked.window.map(Json::<WindowRule>) as _,
        asked.again
    )
    .execute(connection)
    .await?;
    Ok(id)
}
