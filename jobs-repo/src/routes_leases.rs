//! The routes for executors: claim, heartbeat, complete, fail, release, check.
//!
//! Promises: a write under an old fence is answered 409 `stale_fence` and changes nothing.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    ids::JobId,
    lease::{
        ClaimRequest, ClaimedJob, CompleteRequest, FailRequest, HeartbeatRequest, HeartbeatResponse,
        LeaseProof,
    },
    problem::{FieldError, Problem, ProblemCode},
};
use service_kit::{
    extract::{Json, Path},
    problem::{ApiError, ApiResult},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::Instant;

use crate::{
    app::App,
    claims, executors,
    turns::{self, Product, Turn, is_storable},
};

/// Longest wait of a claim, in seconds.
const LONGEST_WAIT: u32 = 30;
/// Most leases of one heartbeat.
const MOST_LEASES: usize = 100;

/// Claim a job
///
/// Gives the first job in line a lease, or waits for one.
#[utoipa::path(
    operation_id = "claim_lease",
    post, path = "/v1/leases", tag = "leases",
    request_body = ClaimRequest,
    responses(
        (status = 200, description = "A job and the lease on it.", body = ClaimedJob),
        (status = 204, description = "There is no work."),
        (status = 422, description = "`invalid_spec`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn claim(State(app): State<Arc<App>>, Json(request): Json<ClaimRequest>) -> ApiResult<Response> {
    check_claim(&request)?;
    let (owner, name) = (request.executor_id.0, request.executor_name.as_str());
    executors::seen(&mut *app.pool.acquire().await?, owner, name, &request.kinds).await?;
    let give_up = Instant::now() + Duration::from_secs(u64::from(request.wait_seconds));
    loop {
        // Listens before it looks, so that nothing that comes in between is missed.
        let mut rung = pin!(app.work.notified());
        rung.as_mut().enable();
        let claimed = {
            let mut connection = app.pool.acquire().await?;
            claims::claim(&mut connection, owner, name, &request.kinds, request.parent, &app.policy).await?
        };
        if let Some(job) = claimed {
            metrics::counter!("jobs_claims_total", "kind" => job.kind.as_str()).increment(1);
            app.watch.stir();
            tracing::info!(job_id = %job.job_id, attempt = job.attempt, fence = job.fence, executor = request.executor_name, "claimed");
            return Ok(Json(job).into_response());
        }
        let left = give_up.saturating_duration_since(Instant::now());
        if left.is_zero() || app.shutdown.is_cancelled() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep(left.min(App::about_a_second())) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

fn check_claim(request: &ClaimRequest) -> ApiResult<()> {
    let name = &request.executor_name;
    let checks = [
        (
            "/executor_name",
            (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control),
            "1 to 100 characters, none of them control characters",
        ),
        ("/kinds", !request.kinds.is_empty(), "at least one kind"),
        ("/wait_seconds", request.wait_seconds <= LONGEST_WAIT, "0 to 30"),
    ];
    let mistakes: Vec<FieldError> = checks
        .into_iter()
        .filter(|(_, fits, _)| !fits)
        .map(|(pointer, _, rule)| FieldError {
            pointer: pointer.to_owned(),
            detail: format!("expected {rule}"),
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(ApiError::invalid(mistakes)) }
}

/// Keep leases
///
/// Extends every lease that an executor holds and stores how far the jobs are.
#[utoipa::path(
    operation_id = "heartbeat_leases",
    post, path = "/v1/leases/heartbeat", tag = "leases",
    request_body = HeartbeatRequest,
    responses(
        (status = 200, description = "What became of each lease, in the order of the request.", body = HeartbeatResponse),
        (status = 422, description = "`invalid_spec`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn heartbeat(
    State(app): State<Arc<App>>,
    Json(request): Json<HeartbeatRequest>,
) -> ApiResult<Json<HeartbeatResponse>> {
    if request.leases.len() > MOST_LEASES {
        return Err(ApiError::invalid_at("/leases", format!("at most {MOST_LEASES} in one request")));
    }
    let mut connection = app.pool.acquire().await?;
    let leases = claims::heartbeat(&mut connection, &request, &app.policy).await?;
    executors::seen_again(&mut connection, request.executor_id.0).await?;
    app.watch.stir();
    Ok(Json(HeartbeatResponse { leases }))
}

/// Complete a job
///
/// The result of a montage or a transcript is published; that of a plan, a probe or a part stands in the request. Sending the same
/// again answers the same.
#[utoipa::path(
    operation_id = "complete_lease",
    post, path = "/v1/leases/{job}/complete", tag = "leases",
    params(("job" = JobId, Path, description = "The job")),
    request_body = CompleteRequest,
    responses(
        (status = 204, description = "The job has succeeded."),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`stale_fence`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`: over 8 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`: not a result of the kind that the job asks for", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn complete(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<CompleteRequest>,
) -> ApiResult<StatusCode> {
    let (executor, fence) = (request.executor_id, request.fence);
    let product = product(request)?;
    let mut connection = app.pool.acquire().await?;
    let turn = turns::complete(&mut connection, job, (executor, fence), &product, &app.policy).await?;
    answer(&app, job, fence, turn)
}

/// The one thing that a job came to.
fn product(request: CompleteRequest) -> ApiResult<Product> {
    match (request.montage_id, request.result) {
        (Some(montage), None) => Ok(Product::Montage(montage)),
        (None, Some(result)) if !result.is_null() => {
            if !is_storable(&result) {
                return Err(ApiError::invalid_at("/result", "U+0000 is not accepted in text"));
            }
            Ok(Product::Result(result))
        }
        _ => Err(ApiError::invalid_at("", "exactly one of `montage_id` and `result` is required")),
    }
}

/// Give up an attempt
///
/// For good, or until the next attempt after a back-off.
#[utoipa::path(
    operation_id = "fail_lease",
    post, path = "/v1/leases/{job}/fail", tag = "leases",
    params(("job" = JobId, Path, description = "The job")),
    request_body = FailRequest,
    responses(
        (status = 204, description = "The attempt has ended."),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`stale_fence`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn fail(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<FailRequest>,
) -> ApiResult<StatusCode> {
    let turn = turns::fail(&mut *app.pool.acquire().await?, job, &request, &app.policy).await?;
    answer(&app, job, request.fence, turn)
}

/// Give a lease back
///
/// Unfinished, without using up an attempt: the job goes to its place in the line at once.
#[utoipa::path(
    operation_id = "release_lease",
    post, path = "/v1/leases/{job}/release", tag = "leases",
    params(("job" = JobId, Path, description = "The job")),
    request_body = LeaseProof,
    responses(
        (status = 204, description = "The job is queued."),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`stale_fence`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn release(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<LeaseProof>,
) -> ApiResult<StatusCode> {
    let turn = turns::release(&mut *app.pool.acquire().await?, job, &request, &app.policy).await?;
    answer(&app, job, request.fence, turn)
}

fn answer(app: &App, job: JobId, fence: i64, turn: Turn) -> ApiResult<StatusCode> {
    match turn {
        Turn::Done(state) => {
            tracing::info!(job_id = %job, fence, state = state.as_str(), "attempt ended");
            if state.is_final() {
                app.end();
            } else {
                app.ring();
            }
            Ok(StatusCode::NO_CONTENT)
        }
        Turn::Missing => Err(ApiError::not_found("job")),
        Turn::Unfit(detail) => Err(ApiError::invalid_at("", detail)),
        Turn::Stale | Turn::Asked | Turn::Refused(_) => Err(stale(fence)),
    }
}

/// A write under a lease that is not held.
pub fn stale(fence: i64) -> ApiError {
    ApiError::new(
        ProblemCode::StaleFence,
        format!("The lease with fence {fence} is not held any more. Nothing was changed."),
    )
}

/// Check a lease
///
/// Whether it is held as said, now.
#[utoipa::path(
    operation_id = "check_lease",
    post, path = "/v1/leases/{job}/check", tag = "leases",
    params(("job" = JobId, Path, description = "The job")),
    request_body = LeaseProof,
    responses(
        (status = 204, description = "It is held."),
        (status = 409, description = "`stale_fence`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn check(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<LeaseProof>,
) -> ApiResult<StatusCode> {
    let (subject, owner) = (lease::job_subject(job.0), request.executor_id.0);
    let held = lease::check(&mut *app.pool.acquire().await?, &subject, owner, request.fence).await?;
    if held { Ok(StatusCode::NO_CONTENT) } else { Err(stale(request.fence)) }
}
