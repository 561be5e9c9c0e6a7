//! Ticks and what becomes of them, in PostgreSQL. Two steps, each safe to do by any number of schedulers at once:
//!
//! 1. [`materialise`] turns due schedules into runs that are to be done: the run's row and the schedule's next tick are
//!    written in one transaction, under `FOR UPDATE SKIP LOCKED`, and a tick is unique. What becomes of ticks that passed while no
//!    scheduler was there is the schedule's own policy ([`crate::missed`]).
//! 2. [`claim`] takes a run under the lease on its schedule, which is kept by [`renew`]. Its jobs are in [`crate::posts`]. [`finish`] and
//!    [`postpone`] write only while the lease is held.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{
    ids::ScheduleId,
    import::{HighlightSource, MontageRule, WindowRule},
    schedule::Overlap,
};
use highlights::{import::Import, window};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::{
    missed::{Due, delay, judge},
    rule::Rule,
    store::{read_catch_up, read_overlap},
};

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
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// The schedule's import, with the days that were asked for by hand.
    pub import: Import,
    /// Whether also what was posted before is posted.
    pub again: bool,
    /// Of the schedule.
    pub overlap: Overlap,
    /// Tries before this one.
    pub tries: i32,
    /// Of the lease.
    pub fence: i64,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its jobs were posted, or had been before.
    Submitted,
    /// The source listed nothing that was wanted.
    Empty,
    /// It was left out, for this reason.
    Skipped(String),
    /// It failed, for this reason.
    Failed(String),
}

impl End {
    /// The word that is stored and counted.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Empty => "empty",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }

    /// Why, where there is something to say.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Submitted | Self::Empty => None,
            Self::Skipped(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// Makes the runs of the schedules that are due at `now`; answers how many schedules there were.
///
/// # Errors
/// Those of the database.
pub async fn materialise(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<usize> {
    let mut transaction = pool.begin().await?;
    let due = sqlx::query!(
        r#"SELECT id, cron, time_zone, jitter_seconds, catch_up, next_at AS "next_at!" FROM jobs.schedules
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
        let due = rule.as_ref().map_or_else(
            || Due { runs: vec![schedule.next_at], left_out: None },
            |rule| judge(rule, schedule.next_at, now, read_catch_up(&schedule.catch_up)),
        );
        if let Some((tick, reason)) = &due.left_out {
            insert_run(&mut transaction, schedule.id, *tick, now, Some(reason)).await?;
        }
        for tick in due.runs {
            let begins = tick + delay(schedule.id, schedule.jitter_seconds);
            insert_run(&mut transaction, schedule.id, tick, begins, None).await?;
        }
        let next_at = rule.and_then(|rule| rule.next(now));
        sqlx::query!("UPDATE jobs.schedules SET next_at = $2 WHERE id = $1", schedule.id, next_at)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(due.len())
}

/// Makes a tick's run, unless there is one: one that is to begin at a moment, or one that was left out.
async fn insert_run(
    connection: &mut PgConnection,
    schedule: Uuid,
    tick: DateTime<Utc>,
    begins: DateTime<Utc>,
    left_out: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO jobs.schedule_runs (id, schedule_id, tick_at, retry_at, outcome, reason, ended_at)
         VALUES ($1, $2, $3, $4, CASE WHEN $5::text IS NULL THEN 'running' ELSE 'skipped' END, $5,
                 CASE WHEN $5::text IS NULL THEN NULL ELSE clock_timestamp() END)
         ON CONFLICT (schedule_id, tick_at) DO NOTHING",
        Uuid::now_v7(),
        schedule,
        tick,
        begins,
        left_out
    )
    .execute(connection)
    .await?;
    Ok(())
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
        r#"SELECT run.id, run.schedule_id, run.tick_at, run.by_hand, run.asked AS "asked: Json<WindowRule>", run.again, run.tries,
                  schedule.name, schedule.time_zone, schedule.source AS "source: Json<HighlightSource>",
                  schedule.days AS "days: Json<WindowRule>", schedule.montages AS "montages: Json<Vec<MontageRule>>",
                  schedule.template, schedule.overlap
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
        by_hand: row.by_hand,
        import: Import {
            name: row.name,
            // It was checked when it was stored.
            zone: window::zone(&row.time_zone).unwrap_or_default(),
            time_zone: row.time_zone,
            source: row.source.0,
            window: row.asked.or(row.days).map(|days| days.0),
            montages: row.montages.0,
            template: row.template,
        },
        again: row.again,
        overlap: read_overlap(&row.overlap),
        tries: row.tries,
        fence: grant.fence,
    }))
}

/// Keeps the lease for another `ttl`; `false` if it was lost.
///
/// # Errors
/// Those of the database.
pub async fn renew(pool: &PgPool, owner: Uuid, claimed: &Claimed, ttl: Duration) -> sqlx::Result<bool> {
    let mut connection = pool.acquire().await?;
    let subject = lease::schedule_subject(claimed.schedule.0);
    Ok(lease::renew(&mut connection, &subject, owner, claimed.fence, ttl, None).await?.is_some())
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
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET outcome = $2, reason = $3, ended_at = clock_timestamp()
         WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        end.word(),
        end.reason()
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

/// Why a run is left for later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// A try failed.
    Tried,
    /// It was not its turn yet: that was no try.
    NotYet,
}

/// Leaves a run to be tried again later, with what is told of it meanwhile, and gives the lease back; `false` if the lease was lost.
///
/// # Errors
/// Those of the database.
pub async fn postpone(
    pool: &PgPool,
    owner: Uuid,
    claimed: &Claimed,
    until: DateTime<Utc>,
    (later, reason): (Later, &str),
) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    if !holds(&mut transaction, owner, claimed).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE jobs.schedule_runs SET retry_at = $2, reason = $3, tries = tries - $4 WHERE id = $1 AND outcome = 'running'",
        claimed.run,
        until,
        reason,
        i32::from(later == Later::NotYet)
    )
    .execute(&mut *transaction)
    .await?;
    give_back(&mut transaction, owner, claimed).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Whether the lease is held, which nobody can change before the transaction ends.
pub(crate) async fn holds(
    connection: &mut PgConnection,
    owner: Uuid,
    claimed: &Claimed,
) -> sqlx::Result<bool> {
    lease::hold(connection, &lease::schedule_subject(claimed.schedule.0), owner, claimed.fence).await
}

async fn give_back(connection: &mut PgConnection, owner: Uuid, claimed: &Claimed) -> sqlx::Result<()> {
    lease::release(connection, &lease::schedule_subject(claimed.schedule.0), owner, claimed.fence).await?;
    Ok(())
}
