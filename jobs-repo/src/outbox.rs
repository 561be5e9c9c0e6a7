//! The outbox and its relay: every hint that is written in a transaction with its job is sent at least once.
//!
//! Promises: no transaction is open while a broker is waited for; a row is marked as sent only after the broker has
//! acknowledged it; a broker that is away disturbs nothing but the hints, which stay and are tried again. Any number of
//! replicas relay at once. Fails never: what goes wrong is logged once when it begins and once when it ends.

use chrono::{DateTime, Utc};
use contracts::{hint::Hint, ids::JobId};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};

use crate::{app::App, hints::Hints, rows};

/// Most hints of one batch.
const BATCH: i64 = 500;

/// For how long a batch belongs to the relay that took it: longer than any attempt to send it.
const LOCK: Duration = Duration::from_secs(30);

/// A hint that is to be sent.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The row, and the event's id.
    pub id: i64,
    /// What it says.
    pub hint: Hint,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// W3C trace context of the request that posted the job.
    pub trace_parent: Option<String>,
}

/// Takes the next batch of hints that are due.
///
/// # Errors
/// Those of the database.
pub async fn take(pool: &PgPool) -> sqlx::Result<Vec<Pending>> {
    let taken = sqlx::query!(
        "WITH due AS (
             SELECT id FROM jobs.outbox
             WHERE sent_at IS NULL AND available_at <= now() AND (locked_until IS NULL OR locked_until <= now())
             ORDER BY available_at, id
             LIMIT $1
             FOR UPDATE SKIP LOCKED)
         UPDATE jobs.outbox AS row SET locked_until = now() + make_interval(secs => $2)
         FROM due, jobs.jobs AS job
         WHERE row.id = due.id AND job.id = row.job_id
         RETURNING row.id, row.job_id, row.created_at, job.kind, job.trace_parent",
        BATCH,
        LOCK.as_secs_f64(),
    )
    .fetch_all(pool)
    .await?;
    taken
        .into_iter()
        .map(|row| {
            let hint = Hint { job_id: JobId(row.job_id), kind: rows::kind(&row.kind)? };
            Ok(Pending { id: row.id, hint, created_at: row.created_at, trace_parent: row.trace_parent })
        })
        .collect()
}

/// Marks what was acknowledged and gives the rest of the batch back.
///
/// # Errors
/// Those of the database: then the batch is sent again when its lock runs out, which does no harm.
pub async fn settle(pool: &PgPool, batch: &[Pending], acknowledged: &[i64]) -> sqlx::Result<()> {
    let ids: Vec<i64> = batch.iter().map(|pending| pending.id).collect();
    sqlx::query!(
        "UPDATE jobs.outbox SET locked_until = NULL, sent_at = CASE WHEN id = ANY($2) THEN now() END
         WHERE id = ANY($1) AND sent_at IS NULL",
        &ids,
        acknowledged,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Relays until the service stops.
pub async fn relay(app: Arc<App>, mut hints: Hints) {
    let mut broken = false;
    while !app.shutdown.is_cancelled() {
        let failing = match round(&app, &mut hints).await {
            Ok(Round { taken, sent }) => {
                let failed = taken - sent;
                if failed > 0 && !broken {
                    tracing::warn!(
                        failed,
                        "hints could not be sent; they are kept, and executors claim by polling meanwhile"
                    );
                }
                if taken > 0 && failed == 0 && broken {
                    tracing::info!("hints are sent again");
                    broken = false;
                }
                // A full batch: there may be more.
                if failed == 0 && taken == usize::try_from(BATCH).unwrap_or(usize::MAX) {
                    continue;
                }
                failed > 0
            }
            Err(error) => {
                if !broken {
                    tracing::warn!(%error, "the outbox cannot be read; trying again every second");
                }
                true
            }
        };
        broken |= failing;
        let rung = async {
            // While sending fails, new rows are no reason to try earlier.
            if failing { std::future::pending().await } else { app.outbox.notified().await }
        };
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep(App::about_a_second()) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

struct Round {
    taken: usize,
    sent: usize,
}

async fn round(app: &App, hints: &mut Hints) -> sqlx::Result<Round> {
    let batch = take(&app.pool).await?;
    if batch.is_empty() {
        return Ok(Round { taken: 0, sent: 0 });
    }
    let acknowledged = tokio::select! {
        acknowledged = hints.publish(&batch) => acknowledged,
        // Sent again by whoever relays next; some of it perhaps twice.
        () = app.shutdown.cancelled() => Vec::new(),
    };
    settle(&app.pool, &batch, &acknowledged).await?;
    metrics::counter!("jobs_hints_sent_total").increment(u64::try_from(acknowledged.len()).unwrap_or(0));
    Ok(Round { taken: batch.len(), sent: acknowledged.len() })
}
