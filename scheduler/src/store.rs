//! Schedules and their runs in PostgreSQL, as the routes read and write them.

use chrono::{DateTime, Utc};
use contracts::{
    ids::{JobId, ScheduleId},
    schedule::{HighlightSource, RunOutcome, Schedule, ScheduleRun},
};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::template::Plan;

/// A schedule as it is stored.
#[derive(Debug)]
pub(crate) struct ScheduleRow {
    id: Uuid,
    name: String,
    cron: String,
    time_zone: String,
    source: Json<HighlightSource>,
    template: Value,
    paused: bool,
    next_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<ScheduleRow> for Schedule {
    fn from(row: ScheduleRow) -> Self {
        Self {
            id: ScheduleId(row.id),
            name: row.name,
            cron: row.cron,
            time_zone: row.time_zone,
            source: row.source.0,
            template: row.template,
            paused: row.paused,
            next_at: row.next_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A run as it is stored.
#[derive(Debug)]
pub(crate) struct RunRow {
    id: Uuid,
    tick_at: DateTime<Utc>,
    by_hand: bool,
    outcome: String,
    job_id: Option<Uuid>,
    reason: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<RunRow> for ScheduleRun {
    fn from(row: RunRow) -> Self {
        let outcome = match row.outcome.as_str() {
            "submitted" => RunOutcome::Submitted,
            "empty" => RunOutcome::Empty,
            "failed" => RunOutcome::Failed,
            // The table's CHECK allows nothing else.
            _ => RunOutcome::Running,
        };
        Self {
            id: row.id,
            tick_at: row.tick_at,
            by_hand: row.by_hand,
            outcome,
            job_id: row.job_id.map(JobId),
            reason: row.reason,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// The database's clock.
pub async fn now(pool: &PgPool) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(pool).await
}

/// The `Idempotency-Key` that a schedule is posted under.
#[derive(Debug)]
pub struct PostKey {
    /// Who posts.
    pub caller: String,
    /// The key.
    pub key: String,
    /// Of the body.
    pub request_hash: [u8; 32],
}

/// Stores a new schedule, or answers the one that the same request made before; `None` if the key came with another body.
/// Whatever number of the same requests comes at once, they make one schedule.
pub async fn insert(
    pool: &PgPool,
    plan: &Plan,
    next_at: Option<DateTime<Utc>>,
    key: Option<&PostKey>,
) -> sqlx::Result<Option<Schedule>> {
    let made = sqlx::query_as!(
        ScheduleRow,
        r#"INSERT INTO jobs.schedules
               (id, name, cron, time_zone, source, template, paused, next_at, posted_by, idempotency_key, request_hash)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (posted_by, idempotency_key) DO NOTHING
           RETURNING id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at"#,
        ScheduleId::generate().0,
        plan.name,
        plan.cron,
        plan.time_zone,
        Json(&plan.source) as _,
        plan.template,
        plan.paused,
        next_at,
        key.map(|key| key.caller.as_str()),
        key.map(|key| key.key.as_str()),
        key.map(|key| key.request_hash.as_slice())
    )
    .fetch_optional(pool)
    .await?;
    match (made, key) {
        (Some(made), _) => Ok(Some(made.into())),
        (None, Some(key)) => find_posted(pool, key).await,
        // Rows without a key are in nobody's way.
        (None, None) => Err(sqlx::Error::RowNotFound),
    }
}

/// The schedule that was posted under a key; `None` if that was with another body.
async fn find_posted(pool: &PgPool, key: &PostKey) -> sqlx::Result<Option<Schedule>> {
    sqlx::query_as!(
        ScheduleRow,
        r#"SELECT id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at
           FROM jobs.schedules WHERE posted_by = $1 AND idempotency_key = $2 AND request_hash = $3"#,
        key.caller,
        key.key,
        key.request_hash.as_slice()
    )
    .fetch_optional(pool)
    .await
    .map(|row| row.map(Schedule::from))
}

/// Stores what a schedule was changed to.
pub async fn update(
    connection: &mut PgConnection,
    id: ScheduleId,
    plan: &Plan,
    next_at: Option<DateTime<Utc>>,
) -> sqlx::Result<Schedule> {
    sqlx::query_as!(
        ScheduleRow,
        r#"UPDATE jobs.schedules
           SET name = $2, cron = $3, time_zone = $4, source = $5, template = $6, paused = $7, next_at = $8, updated_at = clock_timestamp()
           WHERE id = $1
           RETURNING id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at"#,
        id.0,
        plan.name,
        plan.cron,
        plan.time_zone,
        Json(&plan.source) as _,
        plan.template,
        plan.paused,
        next_at
    )
    .fetch_one(connection)
    .await
    .map(Schedule::from)
}

/// A schedule.
pub async fn find(pool: &PgPool, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    sqlx::query_as!(
        ScheduleRow,
        r#"SELECT id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at
           FROM jobs.schedules WHERE id = $1"#,
        id.0
    )
    .fetch_optional(pool)
    .await
    .map(|row| row.map(Schedule::from))
}

/// A schedule that nobody else changes before the transaction ends.
pub async fn lock(connection: &mut PgConnection, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    sqlx::query_as!(
        ScheduleRow,
        r#"SELECT id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at
           FROM jobs.schedules WHERE id = $1 FOR UPDATE"#,
        id.0
    )
    .fetch_optional(connection)
    .await
    .map(|row| row.map(Schedule::from))
}

/// Schedules, newest first, before an id.
pub async fn page(pool: &PgPool, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Schedule>> {
    let rows = sqlx::query_as!(
        ScheduleRow,
        r#"SELECT id, name, cron, time_zone, source AS "source: Json<HighlightSource>", template, paused, next_at, created_at, updated_at
           FROM jobs.schedules WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"#,
        before,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Schedule::from).collect())
}

/// Removes a schedule with its runs; `false` if there is none.
pub async fn delete(pool: &PgPool, id: ScheduleId) -> sqlx::Result<bool> {
    let done = sqlx::query!("DELETE FROM jobs.schedules WHERE id = $1", id.0).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

/// A schedule's runs, newest first, before an id.
pub async fn runs(
    pool: &PgPool,
    id: ScheduleId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<ScheduleRun>> {
    let rows = sqlx::query_as!(
        RunRow,
        "SELECT id, tick_at, by_hand, outcome, job_id, reason, started_at, ended_at FROM jobs.schedule_runs
         WHERE schedule_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        id.0,
        before,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(ScheduleRun::from).collect())
}

/// The seconds until a schedule may be run by hand again; `None` if it may now. The schedule is locked by the caller.
pub async fn hand_wait(
    connection: &mut PgConnection,
    id: ScheduleId,
    pause_seconds: f64,
) -> sqlx::Result<Option<f64>> {
    let left = sqlx::query_scalar!(
        r#"SELECT max(extract(epoch FROM started_at - clock_timestamp()))::float8 + $2
           FROM jobs.schedule_runs WHERE schedule_id = $1 AND by_hand"#,
        id.0,
        pause_seconds
    )
    .fetch_one(connection)
    .await?;
    Ok(left.filter(|left| *left > 0.0))
}

/// Notes that a schedule is to be run by hand, now.
pub async fn insert_hand_run(connection: &mut PgConnection, id: ScheduleId) -> sqlx::Result<ScheduleRun> {
    sqlx::query_as!(
        RunRow,
        "INSERT INTO jobs.schedule_runs (id, schedule_id, tick_at, by_hand, started_at, retry_at)
         VALUES ($1, $2, clock_timestamp(), true, clock_timestamp(), clock_timestamp())
         RETURNING id, tick_at, by_hand, outcome, job_id, reason, started_at, ended_at",
        Uuid::now_v7(),
        id.0
    )
    .fetch_one(connection)
    .await
    .map(ScheduleRun::from)
}
