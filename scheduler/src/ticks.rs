//! Ticks and what becomes of them, in PostgreSQL. Two steps, each safe to do by any number of schedulers at once:
//!
//! 1. [`materialise`] turns due schedules into runs that are to be done: the run's row and the schedule's next tick are
//!    written in one transaction, under `FOR UPDATE SKIP LOCKED`, and a tick is unique. Ticks that passed while no scheduler
//!    was there are run once, for the latest of them.
//! 2. [`claim`] takes a run under the lease on its schedule. The job is written into the run's row before it is posted
//!    ([`keep_job`]), and posted under a key that names the tick: whoever takes the run over after a crash posts the very
//!    same, and jobs-repo answers the very same job. [`finish`] and [`postpone`] write only while the lease is held.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{ids::ScheduleId, schedule::HighlightSource};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::rule::Rule;

/// Most schedules in one transaction.
const BATCH: i64 = 100;
/// Runs of a schedule that are kept.
const KEPT_RUNS: i64 = 1000;

/// A run that was claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The run.
    pub run: Uuid,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// The moment that it stands for.
    pub tick_at: DateTime<Utc>,
    /// Of the schedule.
    pub cron: String,
    /// Of the schedule.
    pub time_zone: String,
    /// Of the schedule.
    pub source: HighlightSource,
    /// Of the schedule.
    pub template: Value,
    /// The job, where an earlier try got that far.
    pub job: Option<Value>,
    /// Tries before this one.
    pub tries: i32,
    /// Of the lease.
    pub fence: i64,
}

impl Claimed {
    /// The key under which the tick's job is posted, whoever posts it and how often.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let tick = self.tick_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        format!("schedule:{}:{tick}", self.schedule)
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A job was posted.
    Submitted(Uuid),
    /// The source listed nothing.
    Empty,
    /// It failed, for this reason.
    Failed(String),
}

/// Makes the runs of the schedules that are due at `now`; answers how many there were.
///
/// # Errors
/// Those of the database.
pub async fn materialise(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<usize> {
    let mut transaction = pool.begin().await?;
    let due = sqlx::query!(
        r#"SELECT id, cron, time_zone, next_at AS "next_at!" FROM jobs.schedules
           WHERE next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED"#,
        now,
        BATCH
    )
    .fetch_all(&mut *transaction)
    .await?;
    for schedule in &due {
        // The expression was checked when it was stored. Should a later release not read it any more, its last tick fails with
        // the reason and there is no next.
        let rule = Rule::parse(&schedule.cron, &schedule.time_zone).ok();
        let latest = rule.as_ref().and_then(|rule| rule.latest(now)).unwrap_or(schedule.next_at);
        let tick_at = latest.max(schedule.next_at);
        let next_at = rule.and_then(|rule| rule.next(now));
        sqlx::query!(
            "INSERT INTO jobs.schedule_runs (id, schedule_id, tick_at, retry_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (schedule_id, tick_at) DO NOTHING",
            Uuid::now_v7(),
            schedule.id,
            tick_at,
            now
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("UPDATE jobs.schedules SET next_at = $2 WHERE id = $1", schedule.id, next_at)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(due.len())
}

/// Takes the oldest run that is to be done and whose schedule nobody works on, for `ttl`.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    pool: &PgPool,
    owner: Uuid,
    now: DateTime<Utc>,
    ttl: Duration,
) -> sqlx::Result<Option<Claimed>> {
    let mut transaction = pool.begin().await?;
    let found = sqlx::query!(
        r#"SELECT run.id, run.schedule_id, run.tick_at, run.job, run.tries,
                  schedule.cron, schedule.time_zone, schedule.source AS "source: Json<HighlightSource>", schedule.template
           FROM jobs.schedule_runs run
           JOIN jobs.schedules schedule ON schedule.id = run.schedule_id
           LEFT JOIN jobs.leases lease
               ON lease.subject = 'schedule:' || run.schedule_id AND lease.owner IS NOT NULL AND lease.expires_at > now()
           WHERE run.outcome = 'running' AND run.retry_at <= $1 AND lease.subject IS NULL
           ORDER BY run.retry_at, run.id
           LIMIT 1
           FOR UPDATE OF run SKIP LOCKED"#,
        now
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let subject = lease::schedule_subject(row.schedule_id);
    // Between the statements somebody may have taken the lease for another run of the schedule.
    let Some(grant) = lease::acquire(&mut transaction, &subject, owner, ttl).await? else { return Ok(None) };
    sqlx::query!("UPDATE jobs.schedule_runs SET tries = tries + 1 WHERE id = $1", row.id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(Claimed {
        run: row.id,
        schedule: ScheduleId(row.schedule_id),
        tick_at: row.tick_at,
        cron: row.cron,
        time_zone: row.time_zone,
        source: row.source.0,
        template: row.template,
        job: row.job,
        tries: row.tries,
        fence: grant.fence,
    }))
}

/// Fixes the job of a run before it is posted for the first time; `false` if the lease was lost.
///
/// # Errors
/// Those of the database.
pub async fn keep_job(pool: &PgPool, owner: Uuid, claimed: &Claimed, job: &Value) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET job = $2 WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        job
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Ends a run and gives the lease back; `false`, with nothing changed, if the lease was lost. Old runs are forgotten.
///
/// # Errors
/// Those of the database.
pub async fn finish(pool: &PgPool, owner: Uuid, claimed: &Claimed, end: &End) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    let (outcome, job_id, reason) = match end {
        End::Submitted(job) => ("submitted", Some(*job), None),
        End::Empty => ("empty", None, None),
        End::Failed(reason) => ("failed", None, Some(reason.as_str())),
    };
    // The job has its own row now; its copy here has served.
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET outcome = $2, job_id = $3, reason = $4, ended_at = clock_timestamp(), job = NULL
         WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        outcome,
        job_id,
        reason
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM jobs.schedule_runs WHERE schedule_id = $1 AND outcome <> 'running' AND id <
             (SELECT id FROM jobs.schedule_runs WHERE schedule_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)",
        claimed.schedule.0,
        KEPT_RUNS - 1
    )
    .execute(&mut *transaction)
    .await?;
    give_back(&mut transaction, owner, claimed).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Leaves a run to be tried again later and gives the lease back; `false` if the lease was lost.
///
/// # Errors
/// Those of the database.
pub async fn postpone(
    pool: &PgPool,
    owner: Uuid,
    claimed: &Claimed,
    until: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET retry_at = $2 WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        until
    )
    .execute(&mut *transaction)
    .await?;
    give_back(&mut transaction, owner, claimed).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn holds(connection: &mut PgConnection, owner: Uuid, claimed: &Claimed) -> sqlx::Result<bool> {
    lease::hold(connection, &lease::schedule_subject(claimed.schedule.0), owner, claimed.fence).await
}

async fn give_back(connection: &mut PgConnection, owner: Uuid, claimed: &Claimed) -> sqlx::Result<()> {
    lease::release(connection, &lease::schedule_subject(claimed.schedule.0), owner, claimed.fence).await?;
    Ok(())
}
