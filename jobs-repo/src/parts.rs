//! Parts of a montage: jobs that the executor that leads it posts, so that others make some of its segments.
//!
//! Promises: parts are posted and asked for only under the lease of their job; a part is known by its job and its key, so
//! that posting it again makes no other one; what is made stays made, whichever attempt asked for it; when the attempt that
//! leads them ends, parts that wait are cancelled and those that run are told to stop, in the same transaction. Rows
//! are locked in the order of their ids, a job before its parts. Fails with the database's errors; refusals are values.

use contracts::{
    ids::JobId,
    job::{Failure, JobKind, JobState, Parts},
    part::{PartState, PartStates, PartStatesRequest, PartsRequest},
};
use serde_json::{Value, json};
use service_kit::idempotency;
use sqlx::{Connection, PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    config::Policy,
    rows::{self, Stored},
    turns::count_finished,
};

/// Most parts of one job.
const MOST_OF_A_JOB: i64 = 5000;
/// Most bytes of results in one answer; what does not fit comes when the others are known.
const MOST_RESULTS: i64 = 16 << 20;
/// How much sooner than their job parts are claimed: what has begun is finished first.
const AHEAD: i16 = 1;
/// The highest priority that there is.
const HIGHEST: i16 = 100;

/// What became of a request about parts.
#[derive(Debug)]
pub enum Answer {
    /// Where the parts stand.
    States(PartStates),
    /// The lease of their job is not held as said. Nothing was changed.
    Stale,
    /// The job has no parts, or no more of them, as the text says. Nothing was changed.
    Refused(&'static str),
    /// There is no such job.
    Missing,
}

/// Posts parts of a running montage.
///
/// A part that is there already is left alone if this attempt has posted it before. Otherwise it counts from now on for this
/// attempt: what failed, died or was cancelled under an earlier one is queued again with a fresh budget, and what was to be
/// stopped goes on.
///
/// # Errors
/// Those of the database.
pub async fn post(
    connection: &mut PgConnection,
    id: JobId,
    request: &PartsRequest,
    policy: &Policy,
) -> sqlx::Result<Answer> {
    let mut transaction = connection.begin().await?;
    let parent = sqlx::query!(
        "SELECT kind, title, priority, cancel_requested, trace_parent FROM jobs.jobs WHERE id = $1 FOR UPDATE",
        id.0,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(parent) = parent else { return Ok(Answer::Missing) };
    let (subject, owner) = (lease::job_subject(id.0), request.executor_id.0);
    if !lease::hold(&mut transaction, &subject, owner, request.fence).await? {
        return Ok(Answer::Stale);
    }
    if rows::kind(&parent.kind)? != JobKind::Montage {
        return Ok(Answer::Refused("Only a montage has parts."));
    }
    if parent.cancel_requested {
        return Ok(Answer::Refused("The job is to be cancelled: stop, and report that."));
    }
    let keys: Vec<String> = request.parts.iter().map(|part| part.key.clone()).collect();
    let known = lock_known(&mut transaction, id, &keys).await?;
    let new = i64::try_from(keys.len()).unwrap_or(i64::MAX).saturating_sub(known.named);
    if known.all.saturating_add(new) > MOST_OF_A_JOB {
        return Ok(Answer::Refused("A job has at most 5000 parts. Put more segments into each."));
    }
    let hash = store_plan(&mut transaction, id, &request.plan).await?;
    let ids: Vec<Uuid> = keys.iter().map(|_| Uuid::now_v7()).collect();
    let specs: Vec<_> = request
        .parts
        .iter()
        .map(|part| json!({ "part": { "job_id": id, "segments": part.segments } }))
        .collect();
    sqlx::query!(
        "WITH posted AS (
             INSERT INTO jobs.jobs AS known (id, kind, title, priority, spec, state, run_at, max_attempts, trace_parent,
                                             parent_id, part_key, parent_fence, plan_hash)
             SELECT id, 'segment', $4, $5, spec, 'queued', now(), $6, $7, $8, key, $9, $10
             FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS sent (id, key, spec)
             ON CONFLICT (parent_id, part_key) WHERE parent_id IS NOT NULL DO UPDATE
                 SET parent_fence = excluded.parent_fence, plan_hash = excluded.plan_hash, spec = excluded.spec,
                     title = excluded.title, priority = excluded.priority, max_attempts = excluded.max_attempts,
                     cancel_requested = false, version = known.version + 1, updated_at = now(),
                     state = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN 'queued' ELSE known.state END,
                     run_at = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN now() ELSE known.run_at END,
                     attempts_used = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN 0
                                          ELSE known.attempts_used END,
                     leases_lost = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN 0
                                        ELSE known.leases_lost END,
                     releases = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN 0 ELSE known.releases END,
                     failure = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN NULL
                                    ELSE known.failure END,
                     finished_at = CASE WHEN known.state IN ('failed', 'dead', 'cancelled') THEN NULL
                                        ELSE known.finished_at END
                 WHERE known.parent_fence < excluded.parent_fence
             RETURNING known.id, known.run_at, known.state)
         INSERT INTO jobs.outbox (job_id, available_at) SELECT id, run_at FROM posted WHERE state = 'queued'",
        &ids,
        &keys,
        &specs,
        parent.title,
        ahead_of(parent.priority),
        policy.max_attempts.max(known.most_used),
        parent.trace_parent,
        id.0,
        request.fence,
        hash.as_slice(),
    )
    .execute(&mut *transaction)
    .await?;
    let mut states = read(&mut transaction, id, Some(&keys), &[]).await?;
    states.sort_by_key(|state| keys.iter().position(|key| *key == state.key));
    transaction.commit().await?;
    metrics::counter!("jobs_posted_total", "kind" => JobKind::Segment.as_str())
        .increment(u64::try_from(new).unwrap_or(0));
    Ok(Answer::States(PartStates { parts: states }))
}

/// What is there of a job's parts.
struct Known {
    /// How many there are.
    all: i64,
    /// How many of those that are named.
    named: i64,
    /// The most attempts that one of those that are named has used.
    most_used: i32,
}

/// Locks those of a job's parts that are named, and counts.
async fn lock_known(connection: &mut PgConnection, parent: JobId, keys: &[String]) -> sqlx::Result<Known> {
    let named = sqlx::query_scalar!(
        "SELECT attempts_used FROM jobs.jobs WHERE parent_id = $1 AND part_key = ANY($2) ORDER BY id FOR UPDATE",
        parent.0,
        keys,
    )
    .fetch_all(&mut *connection)
    .await?;
    let all =
        sqlx::query_scalar!(r#"SELECT count(*) AS "all!" FROM jobs.jobs WHERE parent_id = $1"#, parent.0)
            .fetch_one(connection)
            .await?;
    Ok(Known {
        all,
        named: i64::try_from(named.len()).unwrap_or(i64::MAX),
        most_used: named.into_iter().max().unwrap_or(0),
    })
}

/// Stores a plan for the parts that are posted with it, once; answers what names it.
async fn store_plan(connection: &mut PgConnection, parent: JobId, plan: &Value) -> sqlx::Result<[u8; 32]> {
    let hash = idempotency::hash(plan.clone());
    sqlx::query!(
        "INSERT INTO jobs.part_plans (job_id, hash, plan) VALUES ($1, $2, $3) ON CONFLICT (job_id, hash) DO NOTHING",
        parent.0,
        hash.as_slice(),
        plan,
    )
    .execute(connection)
    .await?;
    Ok(hash)
}

/// Where all parts of a job stand.
///
/// # Errors
/// Those of the database.
pub async fn states(
    connection: &mut PgConnection,
    id: JobId,
    request: &PartStatesRequest,
) -> sqlx::Result<Answer> {
    let (subject, owner) = (lease::job_subject(id.0), request.executor_id.0);
    if !lease::check(connection, &subject, owner, request.fence).await? {
        return Ok(Answer::Stale);
    }
    Ok(Answer::States(PartStates { parts: read(connection, id, None, &request.known).await? }))
}

/// The parts of a job, or those of them that are named, in the order of their keys.
async fn read(
    connection: &mut PgConnection,
    parent: JobId,
    named: Option<&[String]>,
    known: &[String],
) -> sqlx::Result<Vec<PartState>> {
    let rows = sqlx::query!(
        r#"SELECT part_key AS "key!", id, state, failure AS "failure: Json<Failure>",
                  CASE WHEN sum(size) OVER (ORDER BY part_key) <= $4 AND size > 0 THEN result END AS result,
                  (SELECT executor_name FROM jobs.attempts WHERE job_id = part.id ORDER BY number DESC LIMIT 1)
                      AS executor
           FROM (SELECT part_key, id, state, failure, result,
                        CASE WHEN result IS NULL OR part_key = ANY($3) THEN 0 ELSE octet_length(result::text) END AS size
                 FROM jobs.jobs WHERE parent_id = $1 AND ($2::text[] IS NULL OR part_key = ANY($2))) AS part
           ORDER BY part_key"#,
        parent.0,
        named,
        known,
        MOST_RESULTS,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(PartState {
                key: row.key,
                job_id: JobId(row.id),
                state: rows::state(&row.state)?,
                executor: row.executor,
                result: row.result,
                failure: row.failure.map(|Json(failure)| failure),
            })
        })
        .collect()
}

/// How far the parts of a job are, and a number that grows with every change of them; `None` if it has none.
///
/// # Errors
/// Those of the database.
pub async fn summary(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<(Parts, i64)>> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE state <> 'cancelled') AS "total!",
                  count(*) FILTER (WHERE state = 'succeeded') AS "done!",
                  count(*) FILTER (WHERE state = 'running') AS "running!",
                  COALESCE(sum(version), 0)::int8 AS "versions!",
                  ARRAY(SELECT DISTINCT executor_name FROM jobs.attempts AS attempt
                        JOIN jobs.jobs AS part ON part.id = attempt.job_id
                        WHERE part.parent_id = $1 AND (attempt.ended_at IS NULL OR attempt.outcome = 'succeeded')
                        ORDER BY 1) AS "executors!"
           FROM jobs.jobs WHERE parent_id = $1"#,
        id.0,
    )
    .fetch_one(connection)
    .await?;
    let parts = Parts { total: row.total, done: row.done, running: row.running, executors: row.executors };
    Ok((row.total > 0).then_some((parts, row.versions)))
}

/// A job as it is answered by itself: with its attempts and, where it has parts, how far they are.
///
/// # Errors
/// Those of the database.
pub async fn whole(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Option<Stored>> {
    let Some(mut stored) = rows::get(connection, id).await? else { return Ok(None) };
    if stored.job.kind == JobKind::Montage
        && let Some((parts, versions)) = summary(connection, id).await?
    {
        stored.job.parts = Some(parts);
        stored.parts_version = versions;
    }
    Ok(Some(stored))
}

/// A job has another title or priority: its parts that wait follow it. To be called under the job's lock.
///
/// # Errors
/// Those of the database.
pub async fn follow(
    connection: &mut PgConnection,
    parent: Uuid,
    title: &str,
    priority: i16,
) -> sqlx::Result<()> {
    let waiting = sqlx::query_scalar!(
        "SELECT id FROM jobs.jobs WHERE parent_id = $1 AND state IN ('queued', 'retrying') ORDER BY id FOR UPDATE",
        parent,
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE jobs.jobs SET title = $2, priority = $3, updated_at = now(), version = version + 1
         WHERE id = ANY($1) AND (title, priority) <> ($2, $3)",
        &waiting,
        title,
        ahead_of(priority),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The priority of the parts of a job.
fn ahead_of(priority: i16) -> i16 {
    priority.saturating_add(AHEAD).min(HIGHEST)
}

/// The attempt that leads the parts of a job has ended, or is to end: those that wait are cancelled, those that run are told
/// to stop. To be called under the job's lock.
///
/// # Errors
/// Those of the database.
pub async fn stop(connection: &mut PgConnection, parent: Uuid) -> sqlx::Result<()> {
    let open = sqlx::query_scalar!(
        "SELECT id FROM jobs.jobs WHERE parent_id = $1 AND state IN ('queued', 'retrying', 'running')
         ORDER BY id FOR UPDATE",
        parent,
    )
    .fetch_all(&mut *connection)
    .await?;
    if open.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE jobs.jobs SET cancel_requested = true, updated_at = now(), version = version + 1
         WHERE id = ANY($1) AND state = 'running' AND NOT cancel_requested",
        &open,
    )
    .execute(&mut *connection)
    .await?;
    let cancelled = sqlx::query!(
        "UPDATE jobs.jobs SET state = 'cancelled', failure = NULL, finished_at = now(), updated_at = now(),
                version = version + 1
         WHERE id = ANY($1) AND state IN ('queued', 'retrying')",
        &open,
    )
    .execute(connection)
    .await?;
    count_finished(JobKind::Segment, JobState::Cancelled, cancelled.rows_affected());
    Ok(())
}
