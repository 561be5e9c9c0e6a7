//! How jobs change state after they were posted: the end of an attempt, cancelling, sending again.
//!
//! Promises: each is one short transaction that locks the job's row first; a write with an old fence changes nothing; a
//! job that becomes claimable gets its outbox row in the same transaction; the verdicts are those of [`crate::judge`].
//! Fails with the database's errors; refusals are values.

use contracts::{
    ids::{ExecutorId, JobId, MontageId},
    job::{AttemptOutcome, Failure, JobState},
    lease::{FailRequest, LeaseProof},
};
use sqlx::{Connection, PgConnection, types::Json};
use std::time::Duration;
use uuid::Uuid;

use crate::{
    config::Policy,
    judge::{End, Standing, Verdict, judge},
    rows,
};

/// Longest stored text of a failure, in characters.
const LONGEST_MESSAGE: usize = 4000;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Done: the job is in this state now.
    Done(JobState),
    /// A running job will be cancelled by its executor.
    Asked,
    /// The lease is not held as said. Nothing was changed.
    Stale,
    /// The job's state does not allow it. Nothing was changed.
    Refused(JobState),
    /// There is no such job.
    Missing,
}

/// A job's row under lock.
struct Locked {
    id: Uuid,
    state: JobState,
    standing: Standing,
    montage_id: Option<Uuid>,
}

async fn lock(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Locked>> {
    let row = sqlx::query!(
        "SELECT state, attempts_used, max_attempts, leases_lost, releases, cancel_requested, montage_id
         FROM jobs.jobs WHERE id = $1 FOR UPDATE",
        id,
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let standing = Standing {
        attempts_used: row.attempts_used,
        max_attempts: row.max_attempts,
        leases_lost: row.leases_lost,
        releases: row.releases,
        cancel_requested: row.cancel_requested,
    };
    Ok(Some(Locked { id, state: rows::state(&row.state)?, standing, montage_id: row.montage_id }))
}

/// Writes a verdict on the running attempt. The lease is the caller's to end.
async fn end_attempt(
    connection: &mut PgConnection,
    job: Uuid,
    verdict: &Verdict,
    failure: Option<&Failure>,
    montage: Option<MontageId>,
) -> sqlx::Result<()> {
    let keeps_failure = verdict.state == JobState::Queued;
    let shows_failure = matches!(verdict.state, JobState::Failed | JobState::Dead | JobState::Retrying);
    sqlx::query!(
        "WITH ended AS (
             UPDATE jobs.attempts SET ended_at = now(), outcome = $2, failure = $3
             WHERE job_id = $1 AND ended_at IS NULL),
         turned AS (
             UPDATE jobs.jobs
             SET state = $4, attempts_used = $5, leases_lost = $6, releases = $7, cancel_requested = false,
                 run_at = CASE WHEN $4 = 'retrying' THEN now() + make_interval(secs => $8) ELSE run_at END,
                 failure = CASE WHEN $9 THEN failure WHEN $10 THEN $3 END,
                 progress = NULL, montage_id = $11, version = version + 1, updated_at = now(),
                 finished_at = CASE WHEN $12 THEN now() END
             WHERE id = $1
             RETURNING id, run_at)
         INSERT INTO jobs.outbox (job_id, available_at) SELECT id, run_at FROM turned WHERE NOT $12",
        job,
        verdict.outcome.as_str(),
        failure.map(Json) as _,
        verdict.state.as_str(),
        verdict.attempts_used,
        verdict.leases_lost,
        verdict.releases,
        verdict.wait.as_secs_f64(),
        keeps_failure,
        shows_failure,
        montage.map(|montage| montage.0),
        verdict.state.is_final(),
    )
    .execute(connection)
    .await?;
    count(verdict);
    Ok(())
}

fn count(verdict: &Verdict) {
    metrics::counter!("jobs_attempts_ended_total", "outcome" => verdict.outcome.as_str()).increment(1);
    if verdict.state.is_final() {
        metrics::counter!("jobs_finished_total", "state" => verdict.state.as_str()).increment(1);
    }
}

/// The text of a failure as it is stored: bounded, and without the one character that the database does not take.
fn storable(failure: &Failure) -> Failure {
    let clean =
        |text: &str, longest: usize| text.chars().filter(|letter| *letter != '\0').take(longest).collect();
    Failure {
        code: clean(&failure.code, 100),
        message: clean(&failure.message, LONGEST_MESSAGE),
        pointer: failure.pointer.as_deref().map(|pointer| clean(pointer, 500)),
    }
}

/// Ends an attempt in the name of its executor.
async fn end_held(
    connection: &mut PgConnection,
    id: JobId,
    (executor, fence): (ExecutorId, i64),
    (end, failure, montage): (End, Option<&Failure>, Option<MontageId>),
    policy: &Policy,
) -> sqlx::Result<Turn> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id.0).await? else { return Ok(Turn::Missing) };
    let subject = lease::job_subject(job.id);
    if !lease::release(&mut transaction, &subject, executor.0, fence).await? {
        // A completion whose answer was lost is sent again: it is the same fence and the same result.
        let repeated =
            end == End::Completed && completed_under(&mut transaction, &job, fence, montage).await?;
        return Ok(if repeated { Turn::Done(job.state) } else { Turn::Stale });
    }
    let verdict = judge(job.standing, end, policy, rand::random());
    let failure = failure.map(storable).or_else(|| explain(end, &verdict));
    end_attempt(&mut transaction, job.id, &verdict, failure.as_ref(), montage).await?;
    transaction.commit().await?;
    Ok(Turn::Done(verdict.state))
}

async fn completed_under(
    connection: &mut PgConnection,
    job: &Locked,
    fence: i64,
    montage: Option<MontageId>,
) -> sqlx::Result<bool> {
    let outcome = sqlx::query_scalar!(
        "SELECT outcome FROM jobs.attempts WHERE job_id = $1 AND fence = $2",
        job.id,
        fence
    )
    .fetch_optional(connection)
    .await?
    .flatten();
    let succeeded = outcome.as_deref() == Some(AttemptOutcome::Succeeded.as_str());
    Ok(succeeded && job.montage_id == montage.map(|montage| montage.0))
}

/// Why an attempt ended that its executor did not explain.
fn explain(end: End, verdict: &Verdict) -> Option<Failure> {
    let (code, message) = match end {
        End::LeaseLost => (
            "lease_lost",
            "The executor stopped answering: it was killed, lost its network, or hung. Its log may say more.",
        ),
        End::Deadline => {
            ("deadline", "The attempt took longer than allowed. Ask for less, or raise SM_JOB_DEADLINE.")
        }
        End::Released if verdict.state == JobState::Dead => (
            "released_too_often",
            "Executors shut down again and again before they could finish it. Send it again.",
        ),
        End::Released | End::Completed | End::Failed { .. } => return None,
    };
    Some(Failure { code: code.to_owned(), message: message.to_owned(), pointer: None })
}

/// The result is published.
///
/// # Errors
/// Those of the database.
pub async fn complete(
    connection: &mut PgConnection,
    id: JobId,
    proof: (ExecutorId, i64),
    montage: MontageId,
    policy: &Policy,
) -> sqlx::Result<Turn> {
    end_held(connection, id, proof, (End::Completed, None, Some(montage)), policy).await
}

/// The executor gave up.
///
/// # Errors
/// Those of the database.
pub async fn fail(
    connection: &mut PgConnection,
    id: JobId,
    request: &FailRequest,
    policy: &Policy,
) -> sqlx::Result<Turn> {
    let retry_after = request.retry_after_milliseconds.map(Duration::from_millis);
    let end = End::Failed { reason: request.reason, retry_after };
    end_held(
        connection,
        id,
        (request.executor_id, request.fence),
        (end, Some(&request.failure), None),
        policy,
    )
    .await
}

/// The executor gives it back.
///
/// # Errors
/// Those of the database.
pub async fn release(
    connection: &mut PgConnection,
    id: JobId,
    proof: &LeaseProof,
    policy: &Policy,
) -> sqlx::Result<Turn> {
    end_held(connection, id, (proof.executor_id, proof.fence), (End::Released, None, None), policy).await
}

/// Ends attempts whose lease ran out, at most `most` of them; answers how many. Rows that another one works on are left
/// to it.
///
/// # Errors
/// Those of the database; then none was ended.
pub async fn expire(connection: &mut PgConnection, most: i64, policy: &Policy) -> sqlx::Result<u64> {
    let mut transaction = connection.begin().await?;
    let candidates = sqlx::query!(
        r#"SELECT job.id, attempt.deadline_at <= now() AS "late!"
           FROM jobs.jobs AS job
           JOIN jobs.attempts AS attempt ON attempt.job_id = job.id AND attempt.ended_at IS NULL
           JOIN jobs.leases AS lease ON lease.subject = 'job:' || job.id
           WHERE job.state = 'running' AND lease.expires_at <= now()
           ORDER BY job.id
           LIMIT $1
           FOR UPDATE OF job SKIP LOCKED"#,
        most,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let mut ended = 0;
    for candidate in candidates {
        // The lease is looked at again under the job's lock: a heartbeat may have come first.
        if lease::expire(&mut transaction, &lease::job_subject(candidate.id)).await?.is_none() {
            continue;
        }
        let Some(job) =
            lock(&mut transaction, candidate.id).await?.filter(|job| job.state == JobState::Running)
        else {
            continue;
        };
        let end = if candidate.late { End::Deadline } else { End::LeaseLost };
        let verdict = judge(job.standing, end, policy, rand::random());
        tracing::info!(job_id = %job.id, outcome = verdict.outcome.as_str(), state = verdict.state.as_str(), "a lease ran out");
        end_attempt(&mut transaction, job.id, &verdict, explain(end, &verdict).as_ref(), None).await?;
        ended += 1;
    }
    transaction.commit().await?;
    Ok(ended)
}

/// Cancels a job: at once if it waits, by its executor if it runs.
///
/// # Errors
/// Those of the database.
pub async fn cancel(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Turn> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id.0).await? else { return Ok(Turn::Missing) };
    let turn = match job.state {
        JobState::Queued | JobState::Retrying => {
            sqlx::query!(
                "UPDATE jobs.jobs SET state = 'cancelled', failure = NULL, finished_at = now(), updated_at = now(),
                        version = version + 1
                 WHERE id = $1",
                job.id,
            )
            .execute(&mut *transaction)
            .await?;
            metrics::counter!("jobs_finished_total", "state" => "cancelled").increment(1);
            Turn::Done(JobState::Cancelled)
        }
        JobState::Running => {
            sqlx::query!(
                "UPDATE jobs.jobs SET cancel_requested = true, updated_at = now(), version = version + 1
                 WHERE id = $1 AND NOT cancel_requested",
                job.id,
            )
            .execute(&mut *transaction)
            .await?;
            Turn::Asked
        }
        state => return Ok(Turn::Refused(state)),
    };
    transaction.commit().await?;
    Ok(turn)
}

/// Sends a failed, dead or cancelled job again, with a fresh budget. Its attempts stay on record.
///
/// # Errors
/// Those of the database.
pub async fn retry(connection: &mut PgConnection, id: JobId, policy: &Policy) -> sqlx::Result<Turn> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id.0).await? else { return Ok(Turn::Missing) };
    if !matches!(job.state, JobState::Failed | JobState::Dead | JobState::Cancelled) {
        return Ok(Turn::Refused(job.state));
    }
    sqlx::query!(
        "WITH queued AS (
             UPDATE jobs.jobs
             SET state = 'queued', run_at = now(), max_attempts = $2, attempts_used = 0, leases_lost = 0, releases = 0,
                 failure = NULL, finished_at = NULL, updated_at = now(), version = version + 1
             WHERE id = $1
             RETURNING id, run_at)
         INSERT INTO jobs.outbox (job_id, available_at) SELECT id, run_at FROM queued",
        job.id,
        policy.max_attempts,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Turn::Done(JobState::Queued))
}
