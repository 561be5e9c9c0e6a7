//! The routes for an executor that leads a montage: others make parts of it.
//!
//! Promises: a request under an old fence is answered 409 `stale_fence` and changes nothing.

use axum::extract::State;
use contracts::{
    ids::JobId,
    part::{
        LARGEST_SHARED_PLAN_BYTES, MOST_PARTS, MOST_SEGMENTS, PartStates, PartStatesRequest, PartsRequest,
        is_key,
    },
    problem::{FieldError, Problem, ProblemCode},
};
use service_kit::{
    extract::{Json, Path},
    problem::{ApiError, ApiResult},
};
use std::{collections::BTreeSet, sync::Arc};

use crate::{
    app::App,
    parts::{self, Answer},
    routes_leases::stale,
    turns::{fits, is_storable},
};

/// Post parts of a job
///
/// By the holder of the lease on a montage: others may make these. A part is known by its key: posting it again under the same
/// lease changes nothing, and under a newer one it is tried again unless it is made already. When the job ends, is cancelled
/// or loses its lease, parts that wait are cancelled and those that run are told to stop.
#[utoipa::path(
    post, path = "/v1/leases/{job}/parts", tag = "leases",
    params(("job" = JobId, Path, description = "The job that they are parts of")),
    request_body = PartsRequest,
    responses(
        (status = 200, description = "Where each stands, in the order of the request.", body = PartStates),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`stale_fence`; `conflict`: it has no parts, or no more of them", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`: over 8 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_parts(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<PartsRequest>,
) -> ApiResult<Json<PartStates>> {
    check(&request)?;
    let posted = parts::post(&mut *app.pool.acquire().await?, job, &request, &app.policy).await?;
    let states = answer(posted, request.fence)?;
    app.ring();
    tracing::info!(job_id = %job, fence = request.fence, parts = states.parts.len(), "parts posted");
    Ok(Json(states))
}

fn check(request: &PartsRequest) -> ApiResult<()> {
    let mut mistakes = Vec::new();
    let mut mistake = |pointer: String, detail: String| mistakes.push(FieldError { pointer, detail });
    if !(1..=MOST_PARTS).contains(&request.parts.len()) {
        mistake("/parts".to_owned(), format!("expected 1 to {MOST_PARTS} parts"));
    }
    if !fits(&request.plan, LARGEST_SHARED_PLAN_BYTES) {
        mistake("/plan".to_owned(), "at most 6 MiB".to_owned());
    } else if !is_storable(&request.plan) {
        mistake("/plan".to_owned(), "U+0000 is not accepted in text".to_owned());
    }
    let mut keys = BTreeSet::new();
    for (index, part) in request.parts.iter().take(MOST_PARTS).enumerate() {
        if !is_key(&part.key) {
            mistake(format!("/parts/{index}/key"), "expected 64 lower-case hexadecimal digits".to_owned());
        } else if !keys.insert(&part.key) {
            mistake(format!("/parts/{index}/key"), "another part has the same key".to_owned());
        }
        if !(1..=MOST_SEGMENTS).contains(&part.segments.len()) {
            mistake(format!("/parts/{index}/segments"), format!("expected 1 to {MOST_SEGMENTS} numbers"));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(ApiError::invalid(mistakes)) }
}

/// Look at the parts of a job
///
/// By the holder of its lease. Each result is sent until the asker names its key in `known`. One answer holds at most 16 MiB
/// of results; those that are left out come when the others are known.
#[utoipa::path(
    post, path = "/v1/leases/{job}/parts/states", tag = "leases",
    params(("job" = JobId, Path, description = "The job that they are parts of")),
    request_body = PartStatesRequest,
    responses(
        (status = 200, description = "Where all parts stand, in the order of their keys.", body = PartStates),
        (status = 409, description = "`stale_fence`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn part_states(
    State(app): State<Arc<App>>,
    Path(job): Path<JobId>,
    Json(request): Json<PartStatesRequest>,
) -> ApiResult<Json<PartStates>> {
    let states = parts::states(&mut *app.pool.acquire().await?, job, &request).await?;
    answer(states, request.fence).map(Json)
}

fn answer(answer: Answer, fence: i64) -> ApiResult<PartStates> {
    match answer {
        Answer::States(states) => Ok(states),
        Answer::Stale => Err(stale(fence)),
        Answer::Refused(detail) => Err(ApiError::new(ProblemCode::Conflict, detail)),
        Answer::Missing => Err(ApiError::not_found("job")),
    }
}
