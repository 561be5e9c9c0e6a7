//! Schedules in PostgreSQL, as the routes read and write them. Their runs are in [`crate::runs`].

use chrono::{DateTime, Utc};
use contracts::{
    ids::ScheduleId,
    import::{HighlightSource, MontageRule, WindowRule},
    schedule::{CatchUp, Overlap, Schedule},
};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use crate::definition::{CATCH_UPS, Definition, OVERLAPS};

/// A schedule as it is stored.
#[derive(Debug)]
struct ScheduleRow {
    id: Uuid,
    name: String,
    cron: String,
    time_zone: String,
    source: Json<HighlightSource>,
    days: Option<Json<WindowRule>>,
    montages: Json<Vec<MontageRule>>,
    template: Value,
    jitter_seconds: i32,
    catch_up: String,
    overlap: String,
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
            window: row.days.map(|days| days.0),
            montages: row.montages.0,
            template: row.template,
            jitter_seconds: row.jitter_seconds.unsigned_abs(),
            catch_up: read_catch_up(&row.catch_up),
            overlap: read_overlap(&row.overlap),
            paused: row.paused,
            next_at: row.next_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A policy by its name. The table's CHECK allows no other.
#[must_use]
pub fn read_catch_up(name: &str) -> CatchUp {
    CATCH_UPS.iter().find(|(known, _)| *known == name).map_or_else(CatchUp::default, |(_, policy)| *policy)
}

/// A policy by its name. The table's CHECK allows no other.
#[must_use]
pub fn read_overlap(name: &str) -> Overlap {
    OVERLAPS.iter().find(|(known, _)| *known == name).map_or_else(Overlap::default, |(_, policy)| *policy)
}

/// The name that a policy is stored by.
fn name_of<T: PartialEq>(known: &[(&'static str, T)], policy: &T) -> &'static str {
    known.iter().find(|(_, choice)| choice == policy).map_or("", |(name, _)| *name)
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
    definition: &Definition,
    next_at: Option<DateTime<Utc>>,
    key: Option<&PostKey>,
) -> sqlx::Result<Option<Schedule>> {
    let import = &definition.import;
    let id = ScheduleId::generate();
    let made = sqlx::query!(
        "INSERT INTO jobs.schedules
             (id, name, cron, time_zone, source, days, montages, template, jitter_seconds, catch_up, overlap, paused, next_at,
              posted_by, idempotency_key, request_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (posted_by, idempotency_key) DO NOTHING",
        id.0,
        import.name,
        definition.cron,
        import.time_zone,
        Json(&import.source) as _,
        import.window.map(Json) as _,
        Json(&import.montages) as _,
        import.template,
        jitter(definition),
        name_of(CATCH_UPS, &definition.catch_up),
        name_of(OVERLAPS, &definition.overlap),
        definition.paused,
        next_at,
        key.map(|key| key.caller.as_str()),
        key.map(|key| key.key.as_str()),
        key.map(|key| key.request_hash.as_slice())
    )
    .execute(pool)
    .await?;
    if made.rows_affected() == 1 {
        return find(pool, id).await;
    }
    // Rows without a key are in nobody's way.
    let Some(key) = key else { return Err(sqlx::Error::RowNotFound) };
    let known = sqlx::query_scalar!(
        "SELECT id FROM jobs.schedules WHERE posted_by = $1 AND idempotency_key = $2 AND request_hash = $3",
        key.caller,
        key.key,
        key.request_hash.as_slice()
    )
    .fetch_optional(pool)
    .await?;
    match known {
        Some(id) => find(pool, ScheduleId(id)).await,
        None => Ok(None),
    }
}

fn jitter(definition: &Definition) -> i32 {
    i32::try_from(definition.jitter_seconds).unwrap_or_default()
}

/// Stores what a schedule was changed to.
pub async fn update(
    connection: &mut PgConnection,
    id: ScheduleId,
    definition: &Definition,
    next_at: Option<DateTime<Utc>>,
) -> sqlx::Result<Option<Schedule>> {
    let import = &definition.import;
    sqlx::query!(
        "UPDATE jobs.schedules
         SET name = $2, cron = $3, time_zone = $4, source = $5, days = $6, montages = $7, template = $8, jitter_seconds = $9,
             catch_up = $10, overlap = $11, paused = $12, next_at = $13, updated_at = clock_timestamp()
         WHERE id = $1",
        id.0,
        import.name,
        definition.cron,
        import.time_zone,
        Json(&import.source) as _,
        import.window.map(Json) as _,
        Json(&import.montages) as _,
        import.template,
        jitter(definition),
        name_of(CATCH_UPS, &definition.catch_up),
        name_of(OVERLAPS, &definition.overlap),
        definition.paused,
        next_at
    )
    .execute(&mut *connection)
    .await?;
    find(connection, id).await
}

/// A schedule.
pub async fn find(from: impl PgExecutor<'_>, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    Ok(select(from, Some(id.0), None, 1).await?.pop())
}

/// Schedules, newest first, before an id.
pub async fn page(pool: &PgPool, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Schedule>> {
    select(pool, None, before, limit).await
}

async fn select(
    from: impl PgExecutor<'_>,
    id: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Schedule>> {
    let rows = sqlx::query_as!(
        ScheduleRow,
        r#"SELECT id, name, cron, time_zone, source AS "source: Json<HighlightSource>", days AS "days: Json<WindowRule>",
                  montages AS "montages: Json<Vec<MontageRule>>", template, jitter_seconds, catch_up, overlap, paused, next_at,
                  created_at, updated_at
           FROM jobs.schedules WHERE ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3"#,
        id,
        before,
        limit
    )
    .fetch_all(from)
    .await?;
    Ok(rows.into_iter().map(Schedule::from).collect())
}

/// A schedule that nobody else changes before the transaction ends.
pub async fn lock(connection: &mut PgConnection, id: ScheduleId) -> sqlx::Result<Option<Schedule>> {
    let locked = sqlx::query!("SELECT id FROM jobs.schedules WHERE id = $1 FOR UPDATE", id.0)
        .fetch_optional(&mut *connection)
        .await?;
    match locked {
        Some(_) => find(connection, id).await,
        None => Ok(None),
    }
}

/// Removes a schedule with its runs; `false` if there is none.
pub async fn delete(pool: &PgPool, id: ScheduleId) -> sqlx::Result<bool> {
    let done = sqlx::query!("DELETE FROM jobs.schedules WHERE id = $1", id.0).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}
