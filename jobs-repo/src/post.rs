//! Posting jobs: the job rows, their outbox rows and the idempotency key are one transaction.
//!
//! Promises: whatever number of the same requests comes at once under one key, they make one set of jobs and all answer
//! it. Fails with the database's errors, and then nothing is stored.

use contracts::spec::NewJob;
use sqlx::{Connection, PgConnection, types::Json};
use uuid::Uuid;

/// How long a key is remembered; see also `housekeeping`. Longer than a month, since imports are repeated by the month.
pub const KEY_DAYS: i32 = 40;

/// A key under which something is posted.
#[derive(Debug)]
pub struct Key {
    /// Who posts.
    pub caller: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// Of the body; see [`service_kit::idempotency::hash`].
    pub request_hash: [u8; 32],
}

/// What became of a post.
#[derive(Debug, PartialEq, Eq)]
pub enum Posted {
    /// New jobs, in the order in which they were sent.
    Made(Vec<Uuid>),
    /// The key is known with the same body: these are its jobs.
    Known(Vec<Uuid>),
    /// The key is known with another body. Nothing was stored.
    Conflict,
}

/// Stores new jobs.
///
/// # Errors
/// Those of the database.
pub async fn post(
    connection: &mut PgConnection,
    jobs: &[NewJob],
    key: Option<&Key>,
    max_attempts: i32,
    trace_parent: Option<&str>,
) -> sqlx::Result<Posted> {
    let ids: Vec<Uuid> = jobs.iter().map(|_| Uuid::now_v7()).collect();
    let mut transaction = connection.begin().await?;
    if let Some(key) = key
        && let Some(known) = take_key(&mut transaction, key, &ids).await?
    {
        return Ok(known);
    }
    insert(&mut transaction, jobs, &ids, max_attempts, trace_parent).await?;
    transaction.commit().await?;
    Ok(Posted::Made(ids))
}

/// Takes the key for these jobs; answers what it stands for if it was taken before. Whoever comes while another one
/// holds the same key in an open transaction waits for that one's end.
async fn take_key(connection: &mut PgConnection, key: &Key, ids: &[Uuid]) -> sqlx::Result<Option<Posted>> {
    let taken = sqlx::query_scalar!(
        "INSERT INTO jobs.idempotency_keys AS known (caller, key, request_hash, job_ids) VALUES ($1, $2, $3, $4)
         ON CONFLICT (caller, key) DO UPDATE
             SET request_hash = excluded.request_hash, job_ids = excluded.job_ids, created_at = now()
             WHERE known.created_at < now() - make_interval(days => $5)
         RETURNING 1",
        key.caller,
        key.key,
        &key.request_hash,
        ids,
        KEY_DAYS,
    )
    .fetch_optional(&mut *connection)
    .await?;
    if taken.is_some() {
        return Ok(None);
    }
    let known = sqlx::query!(
        "SELECT request_hash, job_ids FROM jobs.idempotency_keys WHERE caller = $1 AND key = $2",
        key.caller,
        key.key,
    )
    .fetch_one(connection)
    .await?;
    let same = known.request_hash == key.request_hash;
    Ok(Some(if same { Posted::Known(known.job_ids) } else { Posted::Conflict }))
}

async fn insert(
    connection: &mut PgConnection,
    jobs: &[NewJob],
    ids: &[Uuid],
    max_attempts: i32,
    trace_parent: Option<&str>,
) -> sqlx::Result<()> {
    let kinds: Vec<&str> = jobs.iter().map(|job| job.kind.as_str()).collect();
    let titles: Vec<&str> = jobs.iter().map(|job| job.title.as_str()).collect();
    let labels: Vec<_> = jobs.iter().map(|job| Json(&job.labels)).collect();
    let priorities: Vec<i16> = jobs.iter().map(|job| job.priority).collect();
    let specs: Vec<_> = jobs.iter().map(|job| Json(&job.spec)).collect();
    let moments: Vec<_> = jobs.iter().map(|job| job.run_at).collect();
    // A moment in the past is now: nobody gets ahead in the line by an old date.
    sqlx::query!(
        "WITH made AS (
             INSERT INTO jobs.jobs (id, kind, title, labels, priority, spec, state, run_at, max_attempts, trace_parent)
             SELECT id, kind, title, labels, priority, spec, 'queued', GREATEST(run_at, now()), $8, $9
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::smallint[], $6::jsonb[], $7::timestamptz[])
                 AS sent (id, kind, title, labels, priority, spec, run_at)
             RETURNING id, run_at)
         INSERT INTO jobs.outbox (job_id, available_at) SELECT id, run_at FROM made",
        ids,
        &kinds as _,
        &titles as _,
        &labels as _,
        &priorities,
        &specs as _,
        &moments as _,
        max_attempts,
        trace_parent,
    )
    .execute(connection)
    .await?;
    Ok(())
}
