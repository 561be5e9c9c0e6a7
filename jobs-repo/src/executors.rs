//! Executors: who asked for work of late, and who works on what.
//!
//! Promises: an executor's own id is stored to know it again and never answered; a sign of life is written down at most every
//! [`NOTED_EVERY`] (and what is not written costs one read); an executor is forgotten a day after it was last seen. Fails with
//! the database's errors.

use contracts::{
    executor::{Executor, Executors, Held},
    ids::JobId,
    job::{JobKind, Progress},
};
use sqlx::{PgConnection, types::Json};
use std::{collections::HashMap, time::Duration};
use uuid::Uuid;

use crate::rows;

/// How often one executor's signs of life are written down.
const NOTED_EVERY: Duration = Duration::from_secs(5);
/// For how long one that holds nothing counts as alive after a sign of life. An idle one asks for work every 5 to 15 s, or
/// waits for it for up to 30 s.
const ALIVE: Duration = Duration::from_secs(60);
/// How long an executor is remembered.
const KEPT_DAYS: i32 = 1;
/// Most executors of one answer.
const MOST: i64 = 500;

/// An executor asked for work of these kinds. It asks for different kinds at different times: all of them are kept.
///
/// # Errors
/// Those of the database.
pub async fn seen(
    connection: &mut PgConnection,
    id: Uuid,
    name: &str,
    kinds: &[JobKind],
) -> sqlx::Result<()> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query!(
        "INSERT INTO jobs.executors AS known (id, name, kinds)
         SELECT $1, $2, $3::text[]
         WHERE NOT EXISTS (SELECT FROM jobs.executors
                           WHERE id = $1 AND name = $2 AND kinds @> $3::text[] AND seen_at > now() - make_interval(secs => $4))
         ON CONFLICT (id) DO UPDATE
             SET name = excluded.name, seen_at = now(),
                 kinds = ARRAY(SELECT DISTINCT unnest(known.kinds || excluded.kinds))",
        id,
        name,
        &kinds as _,
        NOTED_EVERY.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An executor sent a heartbeat.
///
/// # Errors
/// Those of the database.
pub async fn seen_again(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE jobs.executors SET seen_at = now() WHERE id = $1 AND seen_at < now() - make_interval(secs => $2)",
        id,
        NOTED_EVERY.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The executors and what they hold.
///
/// # Errors
/// Those of the database.
pub async fn list(connection: &mut PgConnection) -> sqlx::Result<Executors> {
    let rows = sqlx::query!(
        r#"SELECT id, name, kinds, first_seen_at, seen_at,
                  seen_at > now() - make_interval(secs => $1) AS "is_recent!"
           FROM jobs.executors ORDER BY seen_at DESC LIMIT $2"#,
        ALIVE.as_secs_f64(),
        MOST,
    )
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut held = held(connection, &ids).await?;
    let mut items: Vec<Executor> = rows
        .into_iter()
        .map(|row| {
            let holds = held.remove(&row.id).unwrap_or_default();
            Executor {
                name: row.name,
                // In the order of their definition, and without those that a newer release has added.
                kinds: JobKind::NAMES
                    .iter()
                    .filter(|(name, _)| row.kinds.iter().any(|kind| kind == name))
                    .map(|(_, kind)| *kind)
                    .collect(),
                first_seen_at: row.first_seen_at,
                seen_at: row.seen_at,
                alive: row.is_recent || !holds.is_empty(),
                holds,
            }
        })
        .collect();
    items.sort_by(|a, b| (!a.alive, &a.name, a.first_seen_at).cmp(&(!b.alive, &b.name, b.first_seen_at)));
    Ok(Executors { items })
}

/// What these executors hold under live leases, by executor.
async fn held(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<Held>>> {
    let rows = sqlx::query!(
        r#"SELECT lease.owner AS "owner!", job.id, job.kind, COALESCE(parent.title, job.title) AS "title!", attempt.number,
                  attempt.started_at, lease.expires_at AS "expires_at!", job.progress AS "progress: Json<Progress>"
           FROM jobs.jobs AS job
           JOIN jobs.attempts AS attempt ON attempt.job_id = job.id AND attempt.ended_at IS NULL
           JOIN jobs.leases AS lease ON lease.subject = 'job:' || job.id
           LEFT JOIN jobs.jobs AS parent ON parent.id = job.parent_id
           WHERE job.state = 'running' AND lease.owner = ANY($1) AND lease.expires_at > now()
           ORDER BY attempt.started_at, job.id"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    let mut held: HashMap<Uuid, Vec<Held>> = HashMap::new();
    for row in rows {
        held.entry(row.owner).or_default().push(Held {
            job_id: JobId(row.id),
            kind: rows::kind(&row.kind)?,
            title: row.title,
            attempt: row.number,
            started_at: row.started_at,
            lease_expires_at: row.expires_at,
            progress: row.progress.map(|Json(progress)| progress),
        });
    }
    Ok(held)
}

/// How many executors are alive.
///
/// # Errors
/// Those of the database.
pub async fn count_alive(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "alive!" FROM jobs.executors
           WHERE seen_at > now() - make_interval(secs => $1)
              OR id IN (SELECT owner FROM jobs.leases WHERE owner IS NOT NULL AND expires_at > now())"#,
        ALIVE.as_secs_f64(),
    )
    .fetch_one(connection)
    .await
}

/// Deletes executors that were not seen for a day.
///
/// # Errors
/// Those of the database.
pub async fn forget(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM jobs.executors WHERE seen_at < now() - make_interval(days => $1)", KEPT_DAYS)
        .execute(connection)
        .await?;
    Ok(())
}
