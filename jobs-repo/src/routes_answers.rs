//! The routes for those who want to know something before they ask for a montage: what it will take (plans), and what is in a
//! source (probes).
//!
//! Promises: no transaction and no connection is held while an answer is waited for.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    ids::JobId,
    job::Failure,
    plan::{PlanAnswer, PlanView},
    probe::{ProbeAnswer, ProbeView},
    problem::{FieldError, Problem, ProblemCode},
    spec::{JobSpec, NewJob, ProbeSpec, SpecError},
};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::{
    extract::{Json, Path, Query},
    problem::{ApiError, ApiResult},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::Instant;
use utoipa::IntoParams;

use crate::{
    answers::{self, Standing, View},
    app::App,
    posted::PostedPlan,
    routes_jobs::trace_parent,
};

/// How long posting waits for an answer, in seconds, unless it is asked otherwise.
const WAIT: u32 = 20;
/// Longest wait, in seconds.
const LONGEST_WAIT: u32 = 30;
/// How often an answer is looked for that another replica may have been told of.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long to wait for a plan or a probe.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// How long to wait for it, in seconds. If absent, 20 when it is asked for and 0 when it is looked at.
    #[param(minimum = 0, maximum = 30)]
    wait_seconds: Option<u32>,
}

impl WaitQuery {
    fn wait(&self, otherwise: u32) -> ApiResult<Duration> {
        match self.wait_seconds.unwrap_or(otherwise) {
            seconds @ 0..=LONGEST_WAIT => Ok(Duration::from_secs(u64::from(seconds))),
            other => Err(ApiError::new(
                ProblemCode::InvalidQuery,
                format!("wait_seconds={other}: the longest wait is {LONGEST_WAIT} seconds."),
            )),
        }
    }
}

/// Plan a montage
///
/// What a montage would take, without making it: for each clip how it is treated and why, what is encoded, what is copied,
/// what is fetched. Takes what `POST /v1/jobs` takes for a montage; only `spec` matters. Asking twice does no harm. A plan is
/// kept for an hour.
#[utoipa::path(
    post, path = "/v1/plans", tag = "plans",
    params(WaitQuery),
    request_body(
        content = PostedPlan,
        example = json!({
            "spec": {
                "cut": { "mode": "auto" },
                "highlights": [
                    { "source": { "url": "https://media.example/vod-1.mp4" }, "start": "1:02:03.500", "duration": "25s" }
                ]
            }
        }),
    ),
    responses(
        (status = 200, description = "The plan.", body = PlanAnswer),
        (status = 202, description = "It is being made; the path in `Location` answers it later.", body = PlanAnswer, headers(("Location" = String, description = "The path of the plan"))),
        (status = 400, description = "`invalid_json`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was cancelled", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`: over 2 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`, or why it cannot be planned: the type is that of `plan_failed`, the code that of the failure", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_plan(
    State(app): State<Arc<App>>,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let wait = query.wait(WAIT)?;
    ask::<PlanView>(&app, decode(body)?, &headers, wait).await
}

/// Look at a plan
///
/// As it was answered, or would have been.
#[utoipa::path(
    get, path = "/v1/plans/{id}", tag = "plans",
    params(("id" = JobId, Path, description = "The plan"), WaitQuery),
    responses(
        (status = 200, description = "The plan.", body = PlanAnswer),
        (status = 202, description = "It is being made.", body = PlanAnswer, headers(("Location" = String, description = "The path of the plan"))),
        (status = 404, description = "`not_found`: there is none, or it is older than an hour", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was cancelled", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Why it cannot be planned: the type is that of `plan_failed`, the code that of the failure", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_plan(
    State(app): State<Arc<App>>,
    Path(id): Path<JobId>,
    Query(query): Query<WaitQuery>,
) -> ApiResult<Response> {
    answer::<PlanView>(&app, id, query.wait(0)?).await
}

/// Look into a source
///
/// What is in it, by its container's own words and index: picture, sound, length, and where its picture can be decoded from.
/// Takes a source as a highlight does. Asking twice does no harm. A probe is kept for twelve hours.
#[utoipa::path(
    post, path = "/v1/probes", tag = "probes",
    params(WaitQuery),
    request_body(content = ProbeSpec, example = json!({ "source": { "url": "https://media.example/vod-1.mp4" } })),
    responses(
        (status = 200, description = "What was found.", body = ProbeAnswer),
        (status = 202, description = "It is being looked into; the path in `Location` answers it later.", body = ProbeAnswer, headers(("Location" = String, description = "The path of the probe"))),
        (status = 400, description = "`invalid_json`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was cancelled", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`, or why it cannot be looked into: the type is that of `probe_failed`, the code that of the failure", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_probe(
    State(app): State<Arc<App>>,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let wait = query.wait(WAIT)?;
    let probe = ProbeSpec::decode(&body).map_err(ApiError::invalid)?;
    ask::<ProbeView>(&app, (probe.title(), JobSpec::Probe { probe }), &headers, wait).await
}

/// Look at a probe
///
/// As it was answered, or would have been.
#[utoipa::path(
    get, path = "/v1/probes/{id}", tag = "probes",
    params(("id" = JobId, Path, description = "The probe"), WaitQuery),
    responses(
        (status = 200, description = "What was found.", body = ProbeAnswer),
        (status = 202, description = "It is being looked into.", body = ProbeAnswer, headers(("Location" = String, description = "The path of the probe"))),
        (status = 404, description = "`not_found`: there is none, or it is older than twelve hours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was cancelled", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Why it cannot be looked into: the type is that of `probe_failed`, the code that of the failure", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_probe(
    State(app): State<Arc<App>>,
    Path(id): Path<JobId>,
    Query(query): Query<WaitQuery>,
) -> ApiResult<Response> {
    answer::<ProbeView>(&app, id, query.wait(0)?).await
}

/// Decodes the body of a montage job, with or without its kind.
fn decode(mut body: Value) -> ApiResult<(String, JobSpec)> {
    let only = || ApiError::invalid_at("/kind", "only a `montage` has a plan");
    if let Some(map) = body.as_object_mut() {
        match map.get("kind") {
            None | Some(Value::Null) => drop(map.insert("kind".to_owned(), json!("montage"))),
            Some(Value::String(kind)) if kind != "montage" => return Err(only()),
            Some(_) => {}
        }
    }
    let job = NewJob::decode(&body).map_err(|error| match error {
        SpecError::UnknownKind(detail) => ApiError::new(ProblemCode::UnknownKind, detail),
        SpecError::Invalid(errors) => ApiError::invalid(errors),
    })?;
    match job.spec {
        JobSpec::Montage(plan) => Ok((job.title, JobSpec::Plan { plan })),
        _ => Err(only()),
    }
}

/// Asks for an answer and waits for it.
async fn ask<V: View>(
    app: &App,
    (title, spec): (String, JobSpec),
    headers: &HeaderMap,
    wait: Duration,
) -> ApiResult<Response> {
    let trace_parent = trace_parent(headers);
    let id = {
        let mut connection = app.pool.acquire().await?;
        answers::ask(&mut connection, title, spec, trace_parent.as_deref()).await?
    };
    metrics::counter!("jobs_posted_total", "kind" => V::KIND.as_str()).increment(1);
    app.ring();
    answer::<V>(app, id, wait).await
}

/// Answers as soon as it is made, or that it is not when the wait is over.
async fn answer<V: View>(app: &App, id: JobId, wait: Duration) -> ApiResult<Response> {
    let name = V::KIND.as_str();
    let give_up = Instant::now() + wait;
    loop {
        // Listens before it looks, so that nothing that comes in between is missed.
        let mut ended = pin!(app.ended.notified());
        ended.as_mut().enable();
        let standing = answers::look::<V>(&mut *app.pool.acquire().await?, id).await?;
        match standing.ok_or_else(|| ApiError::not_found(&format!("{name}, or none any more")))? {
            Standing::Pending => {}
            Standing::Made(view) => return Ok(Json(V::answer(id, Some(view))).into_response()),
            Standing::Failed(failure) => return Err(failed(V::FAILED, failure).into()),
            Standing::Cancelled => {
                let detail = format!("The {name} was cancelled. Ask again.");
                return Err(ApiError::new(ProblemCode::Conflict, detail));
            }
        }
        let left = give_up.saturating_duration_since(Instant::now());
        if left.is_zero() || app.shutdown.is_cancelled() {
            let location = [(header::LOCATION, answers::path(V::KIND, id))];
            return Ok((StatusCode::ACCEPTED, location, Json(V::answer(id, None))).into_response());
        }
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
}

/// A failure as a problem: with its own code, and its place in what was posted.
fn failed(code: ProblemCode, failure: Failure) -> Problem {
    let errors =
        failure.pointer.map(|pointer| FieldError { pointer, detail: failure.message.clone() }).into_iter();
    Problem { code: failure.code, errors: errors.collect(), ..code.problem(failure.message) }
}
