//! What every replica does beside answering: it sweeps up leases that ran out, counts for the metrics, and forgets what is
//! old.
//!
//! Promises: a lease that ran out is found within [`SWEEP_EVERY`]. There is no quiet period after a start: executors stop
//! by themselves when they cannot renew a lease, so that one which is past its end is nobody's, whoever was away. Fails
//! never: what goes wrong is logged once when it begins, and tried again.

use contracts::job::{JobState, Stats};
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{app::App, post::KEY_DAYS, turns};

/// How often leases are looked through.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// Most attempts that one transaction ends.
const SWEEP_MOST: i64 = 100;
/// How often metrics are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// How often old rows are deleted.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Most rows that one statement deletes.
const FORGET_MOST: i64 = 5000;
/// How long sent hints stay on record.
const SENT_HOURS: i32 = 1;

/// Sweeps until the service stops.
pub async fn sweep(app: Arc<App>) {
    let mut broken = false;
    while app.pause(SWEEP_EVERY).await {
        let swept =
            async { turns::expire(&mut *app.pool.acquire().await?, SWEEP_MOST, &app.policy).await }.await;
        match swept {
            Ok(0) => broken = false,
            Ok(ended) => {
                broken = false;
                metrics::counter!("jobs_leases_expired_total").increment(ended);
                app.ring();
            }
            Err(error) => {
                if !broken {
                    tracing::warn!(%error, "leases cannot be looked through; trying again");
                }
                broken = true;
            }
        }
    }
}

/// Counts and forgets until the service stops.
pub async fn housekeep(app: Arc<App>) {
    let mut forgotten = tokio::time::Instant::now();
    loop {
        if let Err(error) = async { publish_counts(&mut *app.pool.acquire().await?).await }.await {
            tracing::debug!(%error, "counting");
        }
        if forgotten.elapsed() >= FORGET_EVERY {
            forgotten = tokio::time::Instant::now();
            if let Err(error) = async { forget(&mut *app.pool.acquire().await?).await }.await {
                tracing::warn!(%error, "old rows were not deleted; trying again in a minute");
            }
        }
        if !app.pause(COUNT_EVERY).await {
            return;
        }
    }
}

/// Counts the work that there is.
///
/// # Errors
/// Those of the database.
pub async fn count(connection: &mut PgConnection) -> sqlx::Result<Stats> {
    let mut states: BTreeMap<String, i64> =
        JobState::NAMES.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    let counted = sqlx::query!(r#"SELECT state, count(*) AS "count!" FROM jobs.jobs GROUP BY state"#)
        .fetch_all(&mut *connection)
        .await?;
    states.extend(counted.into_iter().map(|row| (row.state, row.count)));
    let line = sqlx::query!(
        r#"SELECT count(*) AS "depth!", extract(epoch FROM now() - min(run_at))::float8 AS oldest_seconds
           FROM jobs.jobs WHERE state IN ('queued', 'retrying') AND run_at <= now()"#
    )
    .fetch_one(&mut *connection)
    .await?;
    let unsent_hints = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM jobs.outbox WHERE sent_at IS NULL AND available_at <= now()"#
    )
    .fetch_one(connection)
    .await?;
    Ok(Stats { states, depth: line.depth, oldest_seconds: line.oldest_seconds, unsent_hints })
}

#[allow(clippy::cast_precision_loss)] // Gauges are floating-point; counts of rows stay far below 2^53.
async fn publish_counts(connection: &mut PgConnection) -> sqlx::Result<()> {
    let stats = count(connection).await?;
    for (state, count) in stats.states {
        metrics::gauge!("jobs", "state" => state).set(count as f64);
    }
    metrics::gauge!("jobs_depth").set(stats.depth as f64);
    metrics::gauge!("jobs_oldest_seconds").set(stats.oldest_seconds.unwrap_or(0.0));
    metrics::gauge!("jobs_hints_unsent").set(stats.unsent_hints as f64);
    let lag = sqlx::query_scalar!(
        r#"SELECT COALESCE(extract(epoch FROM now() - min(available_at)), 0)::float8 AS "lag!"
           FROM jobs.outbox WHERE sent_at IS NULL AND available_at <= now()"#
    )
    .fetch_one(connection)
    .await?;
    metrics::gauge!("jobs_hints_lag_seconds").set(lag);
    Ok(())
}

/// Deletes sent hints and idempotency keys that are old, a bounded number at a time.
///
/// # Errors
/// Those of the database.
pub async fn forget(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM jobs.outbox WHERE id IN (
             SELECT id FROM jobs.outbox WHERE sent_at < now() - make_interval(hours => $1) LIMIT $2)",
        SENT_HOURS,
        FORGET_MOST,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM jobs.idempotency_keys WHERE (caller, key) IN (
             SELECT caller, key FROM jobs.idempotency_keys WHERE created_at < now() - make_interval(days => $1) LIMIT $2)",
        KEY_DAYS,
        FORGET_MOST,
    )
    .execute(connection)
    .await?;
    Ok(())
}
