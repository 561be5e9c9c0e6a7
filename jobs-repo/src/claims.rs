//! Claims and heartbeats: how executors get work and keep it.
//!
//! Promises: a claim is one statement, so that a job, its attempt and its lease change together or not at all; a job is
//! given to one claim; a heartbeat never extends a lease that has run out, passed on, or reached its attempt's deadline.
//! Wherever a job's row and its lease's row are both locked, the job's is locked first. Fails with the database's errors.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    ids::JobId,
    job::{JobKind, Progress},
    lease::{Beat, BeatAnswer, BeatVerdict, ClaimedJob, HeartbeatRequest},
    spec::JobSpec,
};
use sqlx::{Connection, PgConnection, types::Json};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

use crate::{config::Policy, rows};

/// The longest time between two heartbeats, however long the lease: a cancel travels on their answers, and a cancelled
/// render is to be gone within two seconds.
const LONGEST_HEARTBEAT: Duration = Duration::from_millis(1500);

/// A duration in whole milliseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Gives the first job in line a lease: by priority, then by the moment since which it may run. `None` if there is none.
/// With a parent only its parts are in line. A part's spec is put together here: its own numbers of segments, the montage of
/// its parent, and the plan that it was posted with.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    connection: &mut PgConnection,
    owner: Uuid,
    executor_name: &str,
    kinds: &[JobKind],
    parent: Option<JobId>,
    policy: &Policy,
) -> sqlx::Result<Option<ClaimedJob>> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let row = sqlx::query!(
        r#"WITH picked AS (
               SELECT id FROM jobs.jobs
               WHERE state IN ('queued', 'retrying') AND run_at <= now() AND kind = ANY($3::text[])
                     AND ($6::uuid IS NULL OR parent_id = $6)
               ORDER BY priority DESC, run_at, id
               LIMIT 1
               FOR UPDATE SKIP LOCKED),
           leased AS (
               INSERT INTO jobs.leases AS held (subject, owner, fence, expires_at)
               SELECT 'job:' || id, $1, 1, now() + make_interval(secs => LEAST($4::float8, $5::float8)) FROM picked
               ON CONFLICT (subject) DO UPDATE
                   SET owner = excluded.owner, fence = held.fence + 1, expires_at = excluded.expires_at
                   WHERE held.owner IS NULL OR held.expires_at <= now()
               RETURNING fence),
           started AS (
               UPDATE jobs.jobs AS job
               SET state = 'running', attempt = attempt + 1, attempts_used = attempts_used + 1, progress = NULL,
                   version = version + 1, updated_at = now()
               FROM picked, leased
               WHERE job.id = picked.id
               RETURNING job.id, job.attempt, leased.fence, job.kind, job.title, job.labels, job.spec, job.parent_id,
                         job.plan_hash),
           noted AS (
               INSERT INTO jobs.attempts (job_id, number, fence, executor_name, started_at, deadline_at)
               SELECT id, attempt, fence, $2, now(), now() + make_interval(secs => $5::float8) FROM started)
           SELECT started.id AS "id!", started.attempt AS "attempt!", fence AS "fence!", started.kind AS "kind!",
                  started.title AS "title!", started.labels AS "labels!: Json<BTreeMap<String, String>>",
                  CASE WHEN started.parent_id IS NULL THEN started.spec
                       ELSE jsonb_build_object('part', (started.spec -> 'part')
                                || jsonb_build_object('montage', parent.spec, 'plan', shared.plan))
                  END AS "spec!: Json<JobSpec>"
           FROM started
           LEFT JOIN jobs.jobs AS parent ON parent.id = started.parent_id
           LEFT JOIN jobs.part_plans AS shared ON shared.job_id = started.parent_id AND shared.hash = started.plan_hash"#,
        owner,
        executor_name,
        &kinds as _,
        policy.lease_ttl.as_secs_f64(),
        policy.deadline.as_secs_f64(),
        parent.map(|parent| parent.0),
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ClaimedJob {
        job_id: JobId(row.id),
        fence: row.fence,
        attempt: row.attempt,
        kind: rows::kind(&row.kind)?,
        title: row.title,
        labels: row.labels.0,
        spec: row.spec.0,
        lease_milliseconds: milliseconds(policy.lease_ttl.min(policy.deadline)),
        heartbeat_milliseconds: milliseconds((policy.lease_ttl / 3).min(LONGEST_HEARTBEAT)),
        deadline_milliseconds: milliseconds(policy.deadline),
        stall_milliseconds: milliseconds(policy.stall),
    }))
}

/// What a heartbeat needs to know of a running job.
struct Running {
    id: Uuid,
    cancel_requested: bool,
    progress: Option<Json<Progress>>,
    deadline_at: DateTime<Utc>,
    now: DateTime<Utc>,
}

/// Extends the leases that an executor holds and stores how far they are. The answers stand in the order of the request.
///
/// # Errors
/// Those of the database; then nothing was extended.
pub async fn heartbeat(
    connection: &mut PgConnection,
    request: &HeartbeatRequest,
    policy: &Policy,
) -> sqlx::Result<Vec<BeatAnswer>> {
    let ids: Vec<Uuid> = request.leases.iter().map(|beat| beat.job_id.0).collect();
    let mut transaction = connection.begin().await?;
    // In the order of ids, so that two heartbeats never wait for each other in a circle.
    let running = sqlx::query_as!(
        Running,
        r#"SELECT job.id, job.cancel_requested, job.progress AS "progress: Json<Progress>", attempt.deadline_at,
                  now() AS "now!"
           FROM jobs.jobs AS job JOIN jobs.attempts AS attempt ON attempt.job_id = job.id AND attempt.ended_at IS NULL
           WHERE job.id = ANY($1) AND job.state = 'running'
           ORDER BY job.id
           FOR UPDATE OF job"#,
        &ids,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let mut answers = Vec::with_capacity(request.leases.len());
    for beat in &request.leases {
        let job = running.iter().find(|job| job.id == beat.job_id.0);
        let until = match job {
            Some(job) => {
                let subject = lease::job_subject(job.id);
                let owner = request.executor_id.0;
                lease::renew(
                    &mut transaction,
                    &subject,
                    owner,
                    beat.fence,
                    policy.lease_ttl,
                    Some(job.deadline_at),
                )
                .await?
            }
            None => None,
        };
        let (Some(job), Some(until)) = (job, until) else {
            answers.push(BeatAnswer {
                job_id: beat.job_id,
                verdict: BeatVerdict::Lost,
                lease_milliseconds: 0,
            });
            continue;
        };
        note_progress(&mut transaction, job, beat).await?;
        answers.push(BeatAnswer {
            job_id: beat.job_id,
            verdict: if job.cancel_requested { BeatVerdict::Cancel } else { BeatVerdict::Held },
            lease_milliseconds: u64::try_from((until - job.now).max(TimeDelta::zero()).num_milliseconds())
                .unwrap_or(0),
        });
    }
    transaction.commit().await?;
    Ok(answers)
}

/// Stores how far a job is, if that is news. It never goes back within an attempt.
async fn note_progress(connection: &mut PgConnection, job: &Running, beat: &Beat) -> sqlx::Result<()> {
    let Some(mut progress) = beat.progress.clone() else { return Ok(()) };
    let before = job.progress.as_ref().map(|Json(before)| before);
    progress.fraction = progress.fraction.clamp(before.map_or(0.0, |before| before.fraction), 1.0);
    if before == Some(&progress) {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE jobs.jobs SET progress = $2, version = version + 1, updated_at = now() WHERE id = $1",
        job.id,
        Json(&progress) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
