//! What every replica does beside answering: it sweeps up leases that ran out, counts for the metrics, and forgets what is
//! old.
//!
//! Promises: a lease that ran out is found within [`SWEEP_EVERY`]. There is no quiet period after a start: executors stop
//! by themselves when they cannot renew a lease, so that one which is past its end is nobody's, whoever was away. Fails
//! never: what goes wrong is logged once when it begins, and tried again.

use contracts::job::{JobKind, JobState, LastHour, Stats};
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{app::App, executors, post::KEY_DAYS, turns, webhooks};

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
/// How long plans stay after they were asked for, and parts after their job ended.
const OWN_HOURS: i32 = 1;
/// How long probes stay after they were asked for: somebody cuts by one for an evening.
const PROBE_HOURS: i32 = 12;

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
                app.end();
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

/// Counts the work that there is: jobs that were posted, and of what the services make themselves only what waits.
///
/// # Errors
/// Those of the database.
pub async fn count(connection: &mut PgConnection) -> sqlx::Result<Stats> {
    let mut states: BTreeMap<String, i64> =
        JobState::NAMES.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    let mut waiting_by_kind: BTreeMap<String, i64> =
        JobKind::NAMES.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    let (mut depth, mut oldest_seconds, mut last_hour) = (0, None, LastHour::default());
    for row in counts(connection).await? {
        *waiting_by_kind.entry(row.kind.clone()).or_default() += row.depth;
        if JobKind::POSTED.iter().any(|(name, _)| *name == row.kind) {
            match row.state.as_str() {
                "succeeded" => last_hour.succeeded += row.ended,
                "failed" => last_hour.failed += row.ended,
                "dead" => last_hour.dead += row.ended,
                "cancelled" => last_hour.cancelled += row.ended,
                _ => {}
            }
            *states.entry(row.state).or_default() += row.count;
            depth += row.depth;
            oldest_seconds = row.oldest_seconds.into_iter().chain(oldest_seconds).reduce(f64::max);
        }
    }
    let unsent_hints = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM jobs.outbox WHERE sent_at IS NULL AND available_at <= now()"#
    )
    .fetch_one(&mut *connection)
    .await?;
    let executors_alive = executors::count_alive(connection).await?;
    Ok(Stats { states, depth, oldest_seconds, unsent_hints, waiting_by_kind, last_hour, executors_alive })
}

/// Jobs of one kind in one state.
struct Count {
    kind: String,
    state: String,
    count: i64,
    /// Of those, how many could be claimed now.
    depth: i64,
    /// Since when the first of these could be.
    oldest_seconds: Option<f64>,
    /// How many ended within the last hour.
    ended: i64,
}

async fn counts(connection: &mut PgConnection) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"SELECT kind, state, count(*) AS "count!",
                  count(*) FILTER (WHERE state IN ('queued', 'retrying') AND run_at <= now()) AS "depth!",
                  extract(epoch FROM now() - min(run_at)
                      FILTER (WHERE state IN ('queued', 'retrying') AND run_at <= now()))::float8 AS oldest_seconds,
                  count(*) FILTER (WHERE finished_at > now() - interval '1 hour') AS "ended!"
           FROM jobs.jobs GROUP BY kind, state"#
    )
    .fetch_all(connection)
    .await
}

#[allow(clippy::cast_precision_loss)] // Gauges are floating-point; counts of rows stay far below 2^53.
async fn publish_counts(connection: &mut PgConnection) -> sqlx::Result<()> {
    let counts = counts(connection).await?;
    for (kind, _) in JobKind::NAMES {
        let of_kind = || counts.iter().filter(|row| row.kind == *kind);
        for (state, _) in JobState::NAMES {
            let count: i64 = of_kind().filter(|row| row.state == *state).map(|row| row.count).sum();
            metrics::gauge!("jobs", "kind" => *kind, "state" => *state).set(count as f64);
        }
        let depth: i64 = of_kind().map(|row| row.depth).sum();
        let oldest = of_kind().filter_map(|row| row.oldest_seconds).fold(0.0, f64::max);
        metrics::gauge!("jobs_depth", "kind" => *kind).set(depth as f64);
        metrics::gauge!("jobs_oldest_seconds", "kind" => *kind).set(oldest);
    }
    let hints = sqlx::query!(
        r#"SELECT count(*) AS "unsent!",
                  COALESCE(extract(epoch FROM now() - min(available_at)), 0)::float8 AS "lag!"
           FROM jobs.outbox WHERE sent_at IS NULL AND available_at <= now()"#
    )
    .fetch_one(connection)
    .await?;
    metrics::gauge!("jobs_hints_unsent").set(hints.unsent as f64);
    metrics::gauge!("jobs_hints_lag_seconds").set(hints.lag);
    Ok(())
}

/// Deletes sent hints, idempotency keys, plans, probes, parts, executors and deliveries that are old, a bounded number at a time.
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
    .execute(&mut *connection)
    .await?;
    executors::forget(connection).await?;
    forget_own(connection).await?;
    webhooks::forget(connection, FORGET_MOST).await
}

/// Deletes what the services made themselves and nobody needs any more: plans and probes some hours after they were asked for,
/// parts an hour after their job ended. Their leases go too: an id never comes back, so no fence of theirs can be used again.
async fn forget_own(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH old AS (
             SELECT job.id FROM jobs.jobs AS job LEFT JOIN jobs.jobs AS parent ON parent.id = job.parent_id
             WHERE job.state <> 'running'
               AND (job.kind = 'plan' AND job.created_at < now() - make_interval(hours => $1)
                    OR job.kind = 'probe' AND job.created_at < now() - make_interval(hours => $3)
                    OR job.kind = 'segment' AND parent.finished_at < now() - make_interval(hours => $1))
             LIMIT $2
             FOR UPDATE OF job SKIP LOCKED),
         unleased AS (
             DELETE FROM jobs.leases USING old WHERE subject = 'job:' || old.id)
         DELETE FROM jobs.jobs AS job USING old WHERE job.id = old.id",
        OWN_HOURS,
        FORGET_MOST,
        PROBE_HOURS,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM jobs.part_plans AS shared USING jobs.jobs AS parent
         WHERE parent.id = shared.job_id AND parent.finished_at < now() - make_interval(hours => $1)
           AND NOT EXISTS (SELECT FROM jobs.jobs AS part WHERE part.parent_id = shared.job_id)",
        OWN_HOURS,
    )
    .execute(connection)
    .await?;
    Ok(())
}
