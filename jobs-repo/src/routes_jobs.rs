//! The routes for those who want results: post, list, look, cancel, send again, count.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use contracts::{
    decode::nearest,
    ids::JobId,
    job::{Job, JobKind, JobPage, JobState, Stats},
    problem::{FieldError, Problem, ProblemCode},
    spec::{LABEL_RULE, NewJob, SpecError, is_label},
};
use serde::Deserialize;
use serde_json::Value;
use service_kit::{
    caller::Caller,
    extract::{Json, Path, Query},
    idempotency, paging,
    problem::{ApiError, ApiResult},
};
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::IntoParams;

use crate::{
    app::App,
    change::{self, Changed},
    parts,
    post::{self, Key, Posted},
    posted::{JobPatch, PostedJobs, StoredJobs},
    rows::{self, Filters, Position, Stored},
    turns::{self, Turn},
    upkeep,
};

/// Most jobs of one request.
const MOST_JOBS: usize = 100;

/// Post a job
///
/// One job, or a list of up to 100 of which either all or none are stored. Every mistake is answered at once, each with its
/// JSON pointer. The same `Idempotency-Key` with the same body answers the same jobs for forty days.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters of your own. Posting again under it does not make another job."),
    ),
    request_body(
        content = PostedJobs,
        description = "A job, or a list of them. What is left out takes the default that the answer shows.",
        example = json!({
            "kind": "montage",
            "title": "Best of the week",
            "labels": { "show": "weekly" },
            "spec": {
                "highlights": [
                    { "source": { "url": "https://media.example/vod-1.mp4" }, "start": "1:02:03.500", "duration": "25s", "title": "The comeback" },
                    { "source": { "path": "library:clips/a.mkv" }, "start": 12.0, "end": 31.5 }
                ]
            }
        }),
    ),
    responses(
        (status = 202, description = "Stored. A list was posted: a list is answered.", body = StoredJobs, headers(("Location" = String, description = "The path of the job; absent for lists"), ("Idempotency-Replayed" = String, description = "`true` where the same was posted under this key before, so that nothing is new"))),
        (status = 400, description = "`invalid_json`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_conflict`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too_large`: over 2 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`, `unknown_kind`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn post_jobs(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let jobs = decode(&body)?;
    let is_list = body.is_array();
    let key = match idempotency::key(&headers)? {
        Some(key) => Some(Key { caller: caller.key, key, request_hash: idempotency::hash(body) }),
        None => None,
    };
    let mut connection = app.pool.acquire().await?;
    let trace_parent = trace_parent(&headers);
    let max_attempts = app.policy.max_attempts;
    let posted =
        post::post(&mut connection, &jobs, key.as_ref(), max_attempts, trace_parent.as_deref()).await?;
    let replayed = matches!(posted, Posted::Known(_)).then_some([(idempotency::REPLAYED, "true")]);
    let ids = match posted {
        Posted::Made(ids) => {
            for job in &jobs {
                metrics::counter!("jobs_posted_total", "kind" => job.kind.as_str()).increment(1);
            }
            app.ring();
            ids
        }
        Posted::Known(ids) => ids,
        Posted::Conflict => {
            return Err(ApiError::new(
                ProblemCode::IdempotencyConflict,
                "This Idempotency-Key came with another body before. Use a new key for a new request.",
            ));
        }
    };
    let mut stored: Vec<Job> =
        rows::get_many(&mut connection, &ids).await?.into_iter().map(|stored| stored.job).collect();
    if is_list {
        return Ok((StatusCode::ACCEPTED, replayed, Json(stored)).into_response());
    }
    let job = stored.pop().ok_or_else(|| ApiError::not_found("job any more"))?;
    let location = format!("/v1/jobs/{}", job.id);
    Ok((StatusCode::ACCEPTED, replayed, [(header::LOCATION, location)], Json(job)).into_response())
}

/// Decodes one job or a list of them, with all mistakes of all.
fn decode(body: &Value) -> ApiResult<Vec<NewJob>> {
    let Some(list) = body.as_array() else {
        return NewJob::decode(body).map(|job| vec![job]).map_err(|error| match error {
            SpecError::UnknownKind(detail) => ApiError::new(ProblemCode::UnknownKind, detail),
            SpecError::Invalid(errors) => ApiError::invalid(errors),
        });
    };
    if !(1..=MOST_JOBS).contains(&list.len()) {
        return Err(ApiError::invalid_at(
            "",
            format!("a list has 1 to {MOST_JOBS} jobs, this one has {}", list.len()),
        ));
    }
    let (mut jobs, mut mistakes) = (Vec::with_capacity(list.len()), Vec::new());
    for (index, value) in list.iter().enumerate() {
        match NewJob::decode(value) {
            Ok(job) => jobs.push(job),
            Err(SpecError::UnknownKind(detail)) => {
                mistakes.push(FieldError { pointer: format!("/{index}/kind"), detail });
            }
            Err(SpecError::Invalid(errors)) => mistakes.extend(
                errors
                    .into_iter()
                    .map(|error| FieldError { pointer: format!("/{index}{}", error.pointer), ..error }),
            ),
        }
    }
    if mistakes.is_empty() { Ok(jobs) } else { Err(ApiError::invalid(mistakes)) }
}

/// The request's W3C trace context, if it has a well-formed one.
pub fn trace_parent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let fits = value.len() == 55 && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    fits.then(|| value.to_owned())
}

/// What [`list_jobs`] can be asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only jobs in these states; several with commas between them.
    state: Option<String>,
    /// Only jobs of these kinds; several with commas between them. `montage,transcript` if absent: those that were posted.
    kind: Option<String>,
    /// Only jobs with this label, as `name:value` or `name=value`.
    label: Option<String>,
    /// Only jobs that were posted at this moment or later (RFC 3339).
    since: Option<String>,
    /// 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before, with the same filters.
    cursor: Option<String>,
}

/// List jobs
///
/// Newest first. Paging is stable: jobs that are posted meanwhile do not shift the pages.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs",
    params(ListQuery),
    responses(
        (status = 200, description = "One page. Attempts are left out.", body = JobPage),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_jobs(
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<JobPage>> {
    let limit = paging::limit(query.limit)?;
    let filters = Filters {
        states: states(query.state.as_deref())?,
        kinds: kinds(query.kind.as_deref())?,
        label: query.label.map(|text| label(&text)).transpose()?,
        since: query.since.map(|text| moment(&text)).transpose()?,
    };
    let after: Option<Position> = query.cursor.map(|cursor| paging::decode(&cursor, &filters)).transpose()?;
    // One more than a page holds, to know whether there is another.
    let mut items = rows::list(&mut *app.pool.acquire().await?, &filters, after, limit + 1).await?;
    let next_cursor = paging::cut(&mut items, limit, &filters, Position::of);
    Ok(Json(JobPage { items, next_cursor }))
}

/// What a query says of states; `None` if nothing.
pub fn states(text: Option<&str>) -> ApiResult<Option<Vec<String>>> {
    let known: Vec<&str> = JobState::NAMES.iter().map(|(name, _)| *name).collect();
    text.map(|text| names("state", text, &known)).transpose()
}

/// What a query says of kinds: those that people post if nothing.
pub fn kinds(text: Option<&str>) -> ApiResult<Vec<String>> {
    let known: Vec<&str> = JobKind::NAMES.iter().map(|(name, _)| *name).collect();
    match text {
        Some(text) => names("kind", text, &known),
        None => Ok(JobKind::POSTED.iter().map(|(name, _)| (*name).to_owned()).collect()),
    }
}

fn invalid_query(detail: impl Into<String>) -> ApiError {
    ApiError::new(ProblemCode::InvalidQuery, detail)
}

fn names(parameter: &str, text: &str, known: &[&str]) -> ApiResult<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if !known.contains(&name) {
            let hint = nearest(name, known).map_or_else(
                || format!("there are {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(invalid_query(format!("{parameter}: `{name}` is not known; {hint}")));
        }
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn label(text: &str) -> ApiResult<BTreeMap<String, String>> {
    let pair = text.split_once([':', '=']).filter(|(name, value)| is_label(name, value));
    let (name, value) =
        pair.ok_or_else(|| invalid_query(format!("label: expected name:value or name=value; {LABEL_RULE}")))?;
    Ok(BTreeMap::from([(name.to_owned(), value.to_owned())]))
}

fn moment(text: &str) -> ApiResult<DateTime<Utc>> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed
        .map(|moment| moment.with_timezone(&Utc))
        .map_err(|_| invalid_query("since: expected a moment with its offset, like 2026-11-21T18:00:00Z"))
}

/// Look at a job
///
/// With every attempt. `If-None-Match` answers 304 while nothing of it has changed.
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "The job.", body = Job, headers(("ETag" = String, description = "Changes with the job"))),
        (status = 304, description = "It is as it was."),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn get_job(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<JobId>,
) -> ApiResult<Response> {
    let stored = stored(&mut *app.pool.acquire().await?, id).await?;
    let tag = etag(&stored);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let unchanged = known.flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.trim_start_matches("W/") == tag
    });
    if unchanged {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(answer(StatusCode::OK, stored))
}

async fn stored(connection: &mut PgConnection, id: JobId) -> ApiResult<Stored> {
    parts::whole(connection, id).await?.ok_or_else(|| ApiError::not_found("job"))
}

fn etag(stored: &Stored) -> String {
    format!("\"{}\"", stored.tag())
}

fn answer(status: StatusCode, stored: Stored) -> Response {
    let headers = [
        (header::ETAG, HeaderValue::from_str(&etag(&stored)).unwrap_or(HeaderValue::from_static("\"\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, Json(stored.job)).into_response()
}

/// Change a job
///
/// Its title, its labels and its priority, as a JSON Merge Patch: what is left out stays, a label with null goes. A job that waits is
/// claimed in its new place. One that runs shows the change, and so does its next attempt; the attempt that is under way makes a
/// montage under the title and the labels that it began with, which can be changed in the library. The `ETag` of a job that runs
/// changes with its progress too.
#[utoipa::path(
    patch, path = "/v1/jobs/{id}", tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job"),
        ("If-Match" = Option<String>, Header, description = "Change only this version"),
    ),
    request_body(content = JobPatch, example = json!({ "priority": 50, "labels": { "show": "weekly", "draft": null } })),
    responses(
        (status = 200, description = "Changed.", body = Job, headers(("ETag" = String, description = "Changes with the job"))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it has ended, or was not posted as a job", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`precondition_failed`: it is in another version", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_spec`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn change_job(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<JobId>,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let wanted = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default());
    let mut connection = app.pool.acquire().await?;
    match change::change(&mut connection, id, wanted, &body).await? {
        Changed::Done => {}
        Changed::Refused(state) => {
            let detail =
                format!("The job is {}; only one that has not ended can be changed.", state.as_str());
            return Err(ApiError::new(ProblemCode::Conflict, detail));
        }
        Changed::Unfit(detail) => return Err(ApiError::new(ProblemCode::Conflict, detail)),
        Changed::Outdated(tag) => {
            return Err(ApiError::new(
                ProblemCode::PreconditionFailed,
                format!("Its ETag is \"{tag}\" now."),
            ));
        }
        Changed::Invalid(errors) => return Err(ApiError::invalid(errors)),
        Changed::Missing => return Err(ApiError::not_found("job")),
    }
    app.watch.stir();
    Ok(answer(StatusCode::OK, stored(&mut connection, id).await?))
}

/// Cancel a job
///
/// A job that waits is cancelled at once (200). One that runs is cancelled by its executor within seconds (202).
#[utoipa::path(
    post, path = "/v1/jobs/{id}/cancel", tag = "jobs",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "Cancelled.", body = Job),
        (status = 202, description = "Its executor is told to stop.", body = Job),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it has ended, or is a part of another one", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn cancel_job(State(app): State<Arc<App>>, Path(id): Path<JobId>) -> ApiResult<Response> {
    let mut connection = app.pool.acquire().await?;
    let status = match turns::cancel(&mut connection, id).await? {
        Turn::Done(_) => StatusCode::OK,
        Turn::Asked => StatusCode::ACCEPTED,
        Turn::Refused(state) => {
            let detail = format!("The job is {} already; there is nothing to cancel.", state.as_str());
            return Err(ApiError::new(ProblemCode::Conflict, detail));
        }
        Turn::Unfit(detail) => return Err(ApiError::new(ProblemCode::Conflict, detail)),
        Turn::Stale | Turn::Missing => return Err(ApiError::not_found("job")),
    };
    app.end();
    Ok(answer(status, stored(&mut connection, id).await?))
}

/// Send a job again
///
/// For a job that failed, died or was cancelled: it gets a fresh budget of attempts; the old ones stay on record.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/retry", tag = "jobs",
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 202, description = "It is queued.", body = Job),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it waits, runs or has succeeded", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn retry_job(State(app): State<Arc<App>>, Path(id): Path<JobId>) -> ApiResult<Response> {
    let mut connection = app.pool.acquire().await?;
    match turns::retry(&mut connection, id, &app.policy).await? {
        Turn::Done(_) => app.ring(),
        Turn::Refused(state) => {
            let detail = format!(
                "The job is {}; only one that failed, died or was cancelled can be sent again.",
                state.as_str()
            );
            return Err(ApiError::new(ProblemCode::Conflict, detail));
        }
        Turn::Unfit(detail) => return Err(ApiError::new(ProblemCode::Conflict, detail)),
        Turn::Asked | Turn::Stale | Turn::Missing => return Err(ApiError::not_found("job")),
    }
    Ok(answer(StatusCode::ACCEPTED, stored(&mut connection, id).await?))
}

/// Count the work
///
/// How many jobs are in each state, how many could be claimed now, and for how long the first of those has waited.
#[utoipa::path(get, path = "/v1/stats", tag = "jobs", responses((status = 200, description = "The counts.", body = Stats)))]
pub async fn stats(State(app): State<Arc<App>>) -> ApiResult<Json<Stats>> {
    Ok(Json(upkeep::count(&mut *app.pool.acquire().await?).await?))
}
