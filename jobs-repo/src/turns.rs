//! How jobs change state after they were posted: the end of an attempt, cancelling, sending again.
//!
//! Promises: each is one short transaction that locks the job's row first; a write with an old fence changes nothing; a
//! job that becomes claimable gets its outbox row in the same transaction; the verdicts are those of [`crate::judge`].
//! Fails with the database's errors; refusals are values.

use contracts::{
    ids::{ExecutorId, JobId, MontageId},
    job::{Failure, JobKind, JobState},
    lease::{FailRequest, LARGEST_ANSWER_BYTES, LARGEST_PART_RESULT_BYTES, LeaseProof},
    plan::PlanView,
    probe::ProbeView,
};
use serde::Deserialize as _;
use serde_json::Value;
use sqlx::{Connection, PgConnection, types::Json};
use std::time::Duration;
use uuid::Uuid;

use crate::{
    config::Policy,
    judge::{End, Standing, Verdict, judge},
    parts, rows,
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
    /// The job's kind does not allow it, as the text says. Nothing was changed.
    Unfit(&'static str),
    /// There is no such job.
    Missing,
}

/// What a job came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Product {
    /// It is published: of a montage or a transcript.
    Montage(MontageId),
    /// It is kept with the job: of a plan, a probe or a part.
    Result(Value),
}

impl Product {
    /// Why a job of this kind cannot come to this; `None` if it can.
    fn unfit(&self, kind: JobKind) -> Option<&'static str> {
        let larger = |value: &Value, limit: usize| !fits(value, limit);
        match (kind, self) {
            (JobKind::Montage | JobKind::Transcript | JobKind::Replay, Self::Montage(_)) => None,
            (JobKind::Montage | JobKind::Transcript | JobKind::Replay, Self::Result(_)) => {
                Some("a job of this kind is completed with a `montage_id`")
            }
            (JobKind::Plan | JobKind::Probe | JobKind::Segment, Self::Montage(_)) => {
                Some("a job of this kind is completed with a `result`")
            }
            (JobKind::Plan | JobKind::Probe, Self::Result(result))
                if larger(result, LARGEST_ANSWER_BYTES) =>
            {
                Some("the result of a plan or a probe has at most 4 MiB")
            }
            (JobKind::Plan, Self::Result(result)) if PlanView::deserialize(result).is_err() => {
                Some("the result of a plan is a plan as it is shown; this one has another form")
            }
            (JobKind::Probe, Self::Result(result)) if ProbeView::deserialize(result).is_err() => {
                Some("the result of a probe is what was found as it is shown; this one has another form")
            }
            (JobKind::Segment, Self::Result(result)) if larger(result, LARGEST_PART_RESULT_BYTES) => {
                Some("the result of a part has at most 256 KiB")
            }
            (JobKind::Plan | JobKind::Probe | JobKind::Segment, Self::Result(_)) => None,
        }
    }
}

/// Whether a value takes at most so many bytes of JSON; the text is not kept.
pub fn fits(value: &Value, limit: usize) -> bool {
    struct Left(usize);
    impl std::io::Write for Left {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Left(limit), value).is_ok()
}

/// Whether the database takes a value: it has no word for one character.
#[must_use]
pub fn is_storable(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Array(list) => list.iter().all(is_storable),
        Value::Object(map) => map.iter().all(|(name, value)| !name.contains('\0') && is_storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A job's row under lock.
struct Locked {
    id: Uuid,
    kind: JobKind,
    state: JobState,
    standing: Standing,
}

async fn lock(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Locked>> {
    let row = sqlx::query!(
        "SELECT kind, state, attempts_used, max_attempts, leases_lost, releases, cancel_requested
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
    Ok(Some(Locked { id, kind: rows::kind(&row.kind)?, state: rows::state(&row.state)?, standing }))
}

/// Writes a verdict on the running attempt. The lease is the caller's to end. Parts end with the attempt that leads them.
async fn end_attempt(
    connection: &mut PgConnection,
    job: &Locked,
    verdict: &Verdict,
    failure: Option<&Failure>,
    product: Option<&Product>,
) -> sqlx::Result<()> {
    let (montage, result) = match product {
        Some(Product::Montage(id)) => (Some(id.0), None),
        Some(Product::Result(result)) => (None, Some(result)),
        None => (None, None),
    };
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
                 progress = NULL, montage_id = $11, result = $13, version = version + 1, updated_at = now(),
                 finished_at = CASE WHEN $12 THEN now() END
             WHERE id = $1
             RETURNING id, run_at)
         INSERT INTO jobs.outbox (job_id, available_at) SELECT id, run_at FROM turned WHERE NOT $12",
        job.id,
        verdict.outcome.as_str(),
        failure.map(Json) as _,
        verdict.state.as_str(),
        verdict.attempts_used,
        verdict.leases_lost,
        verdict.releases,
        verdict.wait.as_secs_f64(),
        keeps_failure,
        shows_failure,
        montage,
        verdict.state.is_final(),
        result,
    )
    .execute(&mut *connection)
    .await?;
    if job.kind == JobKind::Montage {
        parts::stop(connection, job.id).await?;
    }
    let kind = job.kind.as_str();
    metrics::counter!("jobs_attempts_ended_total", "kind" => kind, "outcome" => verdict.outcome.as_str())
        .increment(1);
    if verdict.state.is_final() {
        count_finished(job.kind, verdict.state, 1);
    }
    Ok(())
}

/// Counts jobs that reached a final state.
pub fn count_finished(kind: JobKind, state: JobState, jobs: u64) {
    metrics::counter!("jobs_finished_total", "kind" => kind.as_str(), "state" => state.as_str())
        .increment(jobs);
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
    (end, failure, product): (End, Option<&Failure>, Option<&Product>),
    policy: &Policy,
) -> sqlx::Result<Turn> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id.0).await? else { return Ok(Turn::Missing) };
    let subject = lease::job_subject(job.id);
    if !lease::release(&mut transaction, &subject, executor.0, fence).await? {
        // A completion whose answer was lost is sent again: it is the same fence and the same result.
        let repeated =
            end == End::Completed && completed_under(&mut transaction, &job, fence, product).await?;
        return Ok(if repeated { Turn::Done(job.state) } else { Turn::Stale });
    }
    if let Some(reason) = product.and_then(|product| product.unfit(job.kind)) {
        // The transaction is dropped, and the lease goes on.
        return Ok(Turn::Unfit(reason));
    }
    let verdict = judge(job.standing, end, policy, rand::random());
    let failure = failure.map(storable).or_else(|| explain(end, &verdict));
    end_attempt(&mut transaction, &job, &verdict, failure.as_ref(), product).await?;
    transaction.commit().await?;
    Ok(Turn::Done(verdict.state))
}

async fn completed_under(
    connection: &mut PgConnection,
    job: &Locked,
    fence: i64,
    product: Option<&Product>,
) -> sqlx::Result<bool> {
    let (montage, result) = match product {
        Some(Product::Montage(id)) => (Some(id.0), None),
        // What the database cannot hold was not stored.
        Some(Product::Result(result)) => (None, Some(result)),
        None => return Ok(false),
    };
    let found = sqlx::query_scalar!(
        "SELECT 1 FROM jobs.attempts AS attempt JOIN jobs.jobs AS job ON job.id = attempt.job_id
         WHERE job.id = $1 AND attempt.fence = $2 AND attempt.outcome = 'succeeded'
               AND job.montage_id IS NOT DISTINCT FROM $3 AND job.result IS NOT DISTINCT FROM $4",
        job.id,
        fence,
        montage,
        result,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
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

/// The job came to something.
///
/// # Errors
/// Those of the database.
pub async fn complete(
    connection: &mut PgConnection,
    id: JobId,
    proof: (ExecutorId, i64),
    product: &Product,
    policy: &Policy,
) -> sqlx::Result<Turn> {
    end_held(connection, id, proof, (End::Completed, None, Some(product)), policy).await
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

/// Ends attempts whose lease ran out, at most `most` of them; answers how many.
///
/// # Errors
/// Those of the database; then the rest of them are left to the next call.
pub async fn expire(connection: &mut PgConnection, most: i64, policy: &Policy) -> sqlx::Result<u64> {
    let candidates = sqlx::query!(
        r#"SELECT job.id, attempt.deadline_at <= now() AS "late!"
           FROM jobs.jobs AS job
           JOIN jobs.attempts AS attempt ON attempt.job_id = job.id AND attempt.ended_at IS NULL
           JOIN jobs.leases AS lease ON lease.subject = 'job:' || job.id
           WHERE job.state = 'running' AND lease.expires_at <= now()
           ORDER BY job.id
           LIMIT $1"#,
        most,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut ended = 0;
    for candidate in candidates {
        let end = if candidate.late { End::Deadline } else { End::LeaseLost };
        ended += u64::from(expire_one(connection, candidate.id, end, policy).await?);
    }
    Ok(ended)
}

/// Ends one attempt whose lease ran out, unless somebody else was faster. A transaction for each: with a job its parts are
/// locked, and nobody may wait for those while holding an unrelated job.
async fn expire_one(
    connection: &mut PgConnection,
    id: Uuid,
    end: End,
    policy: &Policy,
) -> sqlx::Result<bool> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id).await?.filter(|job| job.state == JobState::Running) else {
        return Ok(false);
    };
    // The lease is looked at again under the job's lock: a heartbeat may have come first.
    if lease::expire(&mut transaction, &lease::job_subject(id)).await?.is_none() {
        return Ok(false);
    }
    let verdict = judge(job.standing, end, policy, rand::random());
    tracing::info!(job_id = %id, outcome = verdict.outcome.as_str(), state = verdict.state.as_str(), "a lease ran out");
    end_attempt(&mut transaction, &job, &verdict, explain(end, &verdict).as_ref(), None).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Cancels a job: at once if it waits, by its executor if it runs.
///
/// # Errors
/// Those of the database.
pub async fn cancel(connection: &mut PgConnection, id: JobId) -> sqlx::Result<Turn> {
    let mut transaction = connection.begin().await?;
    let Some(job) = lock(&mut transaction, id.0).await? else { return Ok(Turn::Missing) };
    if job.kind == JobKind::Segment {
        return Ok(Turn::Unfit("It is a part of another job. Cancel that one."));
    }
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
            count_finished(job.kind, JobState::Cancelled, 1);
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
            if job.kind == JobKind::Montage {
                parts::stop(&mut transaction, job.id).await?;
            }
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
    if !job.kind.is_posted() {
        return Ok(Turn::Unfit(
            "It was not posted as a job and cannot be sent again. Post what it was made for.",
        ));
    }
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
