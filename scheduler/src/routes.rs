//! The scheduler's routes.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use contracts::{
    ids::ScheduleId,
    problem::{Problem, ProblemCode},
    schedule::{
        NewSchedule, RunPage, RunRequest, Schedule, SchedulePage, SchedulePatch, SchedulePreview,
        SchedulePreviewRequest, ScheduleRun, ScheduleTrial, TrialRequest,
    },
};
use highlights::Ways;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use service_kit::{
    caller::Caller,
    extract::{Json, Path, Query},
    idempotency, paging,
    precondition::check_if_match,
    problem::{ApiError, ApiResult},
};
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    definition::{self, Definition},
    runs, store, trial,
};

/// Shortest time between two runs of a schedule by hand, in seconds.
pub const HAND_PAUSE_SECONDS: u32 = 10;
/// Ticks that a preview shows.
const PREVIEWED: usize = 5;

/// What handlers share.
#[derive(Clone)]
pub struct Api {
    /// The database.
    pub pool: PgPool,
    /// Wakes this process's loops.
    pub wake: Arc<Notify>,
    /// By which sources are reached, for trials.
    pub ways: Ways,
    /// The places of trials.
    pub trials: Arc<Semaphore>,
}

/// All routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(preview))
        .routes(routes!(try_out))
        .routes(routes!(get, change, delete))
        .routes(routes!(run))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// An answer with the version of what it shows.
fn with_etag(status: StatusCode, schedule: Schedule) -> Response {
    let tag = etag(&schedule);
    let mut response = (status, Json(schedule)).into_response();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The version of what people can change of a schedule, and of its next tick.
fn etag(schedule: &Schedule) -> String {
    let next = schedule.next_at.map_or(0, |at| at.timestamp_micros());
    format!("\"{:x}-{next:x}\"", schedule.updated_at.timestamp_micros())
}

fn not_found() -> ApiError {
    ApiError::not_found("schedule")
}

/// Make a schedule
///
/// Every tick reads the highlights of the days that `window` says from `source`, and posts the jobs of `montages`: each is made of
/// `template` and the highlights that its `select` takes. A row that cannot be used is told in the run and skipped. The same days are made
/// into the same montage once: a run finds what an earlier one posted for them.
///
/// The cron expression is read in `time_zone`, where every moment of the wall clock counts once: a tick that falls into the hour that
/// is skipped when the clock is set forward comes at the end of the gap, one in the hour that is repeated comes the first time
/// only. What becomes of ticks that pass while no scheduler is there is said by `catch_up`. The same
/// `Idempotency-Key` with the same body answers the same schedule, as it is now, for as long as there is one.
#[utoipa::path(
    operation_id = "create_schedule",
    post, path = "/v1/schedules", tag = "schedules", request_body = NewSchedule,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters of your own. Posting again under it does not make another schedule.")),
    responses(
        (status = 201, description = "The schedule", body = Schedule, headers(("Location" = String, description = "Its path"), ("ETag" = String, description = "Its version"))),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_conflict`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> ApiResult<Response> {
    let now = store::now(&api.pool).await?;
    let definition = definition::decode(&body, now).map_err(ApiError::invalid)?;
    let key = idempotency::key(&headers)?.map(|key| store::PostKey {
        caller: caller.key,
        key,
        request_hash: idempotency::hash(body),
    });
    let schedule = store::insert(&api.pool, &definition, next(&definition, now), key.as_ref())
        .await?
        .ok_or_else(|| {
            ApiError::new(
                ProblemCode::IdempotencyConflict,
                "This Idempotency-Key came with another body before. Use a new key for a new schedule.",
            )
        })?;
    let location =
        HeaderValue::from_str(&format!("/v1/schedules/{}", schedule.id)).map_err(ApiError::internal)?;
    let mut response = with_etag(StatusCode::CREATED, schedule);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

fn next(definition: &Definition, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (!definition.paused).then(|| definition.rule.next(now)).flatten()
}

/// Preview a schedule
///
/// What a cron expression means and when it would tick next, by the same rules as a schedule's ticks. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/schedules/preview", operation_id = "preview_schedule", tag = "schedules", request_body = SchedulePreviewRequest,
    responses(
        (status = 200, description = "In words, and the next ticks", body = SchedulePreview),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn preview(State(api): State<Api>, Json(body): Json<Value>) -> ApiResult<Json<SchedulePreview>> {
    let now = store::now(&api.pool).await?;
    let rule = definition::decode_rule(&body, now).map_err(ApiError::invalid)?;
    Ok(Json(SchedulePreview {
        description: rule.describe(),
        next: rule.ticks(now).take(PREVIEWED).map(|tick| rule.local(tick)).collect(),
    }))
}

/// Try a schedule out
///
/// Reads the source for the window of now, selects, and answers which jobs a run would post, with the first highlights of the first one.
/// Nothing is stored and nothing is posted. What says when the schedule runs may be left out. It has 45 s; a run itself has longer.
#[utoipa::path(
    post, path = "/v1/schedules/try", operation_id = "try_schedule", tag = "schedules", request_body = TrialRequest,
    responses(
        (status = 200, description = "What was read, and what would be posted", body = ScheduleTrial),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer; at `/source` also why it cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Others are trying schedules out", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "The source was not read to its end in time", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn try_out(State(api): State<Api>, Json(body): Json<Value>) -> ApiResult<Json<ScheduleTrial>> {
    let now = store::now(&api.pool).await?;
    trial::attempt(&body, now, &api.ways, &api.trials).await.map(Json)
}

/// List schedules
///
/// Newest first.
#[utoipa::path(
    operation_id = "list_schedules",
    get, path = "/v1/schedules", tag = "schedules", params(PageQuery),
    responses(
        (status = 200, description = "A page of schedules", body = SchedulePage),
        (status = 400, description = "The cursor or a parameter cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list(State(api): State<Api>, Query(query): Query<PageQuery>) -> ApiResult<Json<SchedulePage>> {
    let limit = paging::limit(query.limit)?;
    let before = query.cursor.map(|cursor| paging::decode::<Uuid>(&cursor, &"schedules")).transpose()?;
    let mut items = store::page(&api.pool, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut items, limit, &"schedules", |last| last.id.0);
    Ok(Json(SchedulePage { items, next_cursor }))
}

/// Show a schedule
#[utoipa::path(
    operation_id = "get_schedule",
    get, path = "/v1/schedules/{id}", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id")),
    responses(
        (status = 200, description = "The schedule", body = Schedule, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get(State(api): State<Api>, Path(id): Path<ScheduleId>) -> ApiResult<Response> {
    let schedule = store::find(&api.pool, id).await?.ok_or_else(not_found)?;
    Ok(with_etag(StatusCode::OK, schedule))
}

/// Change a schedule
///
/// Absent fields stay as they are; `source`, `window`, `montages` and `template` are replaced as a whole. With `If-Match` only if nobody changed it
/// in between.
#[utoipa::path(
    operation_id = "change_schedule",
    patch, path = "/v1/schedules/{id}", tag = "schedules", request_body = SchedulePatch,
    params(("id" = ScheduleId, Path, description = "The schedule's id"), ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    responses(
        (status = 200, description = "The schedule", body = Schedule, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed in between", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(api): State<Api>,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> ApiResult<Response> {
    let Value::Object(patch) = patch else {
        return Err(ApiError::invalid_at("", "expected an object with the fields to change"));
    };
    change_to(&api, id, &headers, patch).await
}

async fn change_to(
    api: &Api,
    id: ScheduleId,
    headers: &HeaderMap,
    patch: Map<String, Value>,
) -> ApiResult<Response> {
    let now = store::now(&api.pool).await?;
    let mut transaction = api.pool.begin().await?;
    let present = store::lock(&mut transaction, id).await?.ok_or_else(not_found)?;
    check_if_match(headers, &etag(&present))?;
    let mut whole = json!({
        "name": present.name, "cron": present.cron, "time_zone": present.time_zone, "source": present.source,
        "window": present.window, "montages": present.montages, "template": present.template,
        "jitter": format!("{}s", present.jitter_seconds), "catch_up": present.catch_up, "overlap": present.overlap,
        "paused": present.paused,
    });
    for (name, value) in patch {
        whole[name] = value;
    }
    let wanted = definition::decode(&whole, now).map_err(ApiError::invalid)?;
    // A tick that is due already is not lost by a change of something else.
    let same_rule = wanted.cron == present.cron
        && wanted.import.time_zone == present.time_zone
        && !wanted.paused
        && !present.paused;
    let next_at = if same_rule { present.next_at } else { next(&wanted, now) };
    let schedule = store::update(&mut transaction, id, &wanted, next_at).await?.ok_or_else(not_found)?;
    transaction.commit().await?;
    Ok(with_etag(StatusCode::OK, schedule))
}

/// Delete a schedule
///
/// With the record of its runs. The jobs that it made stay.
#[utoipa::path(
    operation_id = "delete_schedule",
    delete, path = "/v1/schedules/{id}", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete(State(api): State<Api>, Path(id): Path<ScheduleId>) -> ApiResult<StatusCode> {
    if store::delete(&api.pool, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(not_found()) }
}

/// Run a schedule now
///
/// As if a tick were due, paused or not, and whether or not jobs of the run before are done; for the days of the schedule's window, or for those
/// that are asked for. What was posted for the same days before is not posted again, unless `again` says so. At most once in ten seconds.
/// The answer names the run, which goes on by itself: look at it for its end.
#[utoipa::path(
    operation_id = "run_schedule",
    post, path = "/v1/schedules/{id}/run", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id")),
    request_body(content = RunRequest, description = "Nothing, or what is different this time"),
    responses(
        (status = 202, description = "The run", body = ScheduleRun, headers(("Location" = String, description = "Its path"))),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "It was run by hand less than ten seconds ago", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn run(
    State(api): State<Api>,
    Path(id): Path<ScheduleId>,
    body: Option<Json<Value>>,
) -> ApiResult<Response> {
    let body = body.map_or_else(|| json!({}), |Json(body)| body);
    let asked = definition::decode_asked(&body).map_err(ApiError::invalid)?;
    let mut transaction = api.pool.begin().await?;
    store::lock(&mut transaction, id).await?.ok_or_else(not_found)?;
    if let Some(left) = runs::hand_wait(&mut transaction, id, f64::from(HAND_PAUSE_SECONDS)).await? {
        let detail = format!("It was run by hand less than {HAND_PAUSE_SECONDS} seconds ago.");
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the pause")]
        let seconds = left.ceil() as u64;
        return Err(ApiError {
            retry_after: Some(seconds),
            ..ApiError::new(ProblemCode::RateLimited, detail)
        });
    }
    let run = runs::insert_by_hand(&mut transaction, id, asked).await?;
    transaction.commit().await?;
    api.wake.notify_one();
    let run = runs::find(&api.pool, id, run).await?.ok_or_else(not_found)?;
    let location = format!("/v1/schedules/{id}/runs/{}", run.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(run)).into_response())
}

/// Pause a schedule
///
/// Its ticks are skipped until it is resumed. Pausing a paused one changes nothing.
#[utoipa::path(
    operation_id = "pause_schedule",
    post, path = "/v1/schedules/{id}/pause", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id")),
    responses(
        (status = 200, description = "The schedule", body = Schedule),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn pause(State(api): State<Api>, Path(id): Path<ScheduleId>) -> ApiResult<Response> {
    let patch = Map::from_iter([("paused".to_owned(), Value::Bool(true))]);
    change_to(&api, id, &HeaderMap::new(), patch).await
}

/// Resume a schedule
///
/// From now on: what it skipped is not made up for.
#[utoipa::path(
    operation_id = "resume_schedule",
    post, path = "/v1/schedules/{id}/resume", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id")),
    responses(
        (status = 200, description = "The schedule", body = Schedule),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn resume(State(api): State<Api>, Path(id): Path<ScheduleId>) -> ApiResult<Response> {
    let patch = Map::from_iter([("paused".to_owned(), Value::Bool(false))]);
    change_to(&api, id, &HeaderMap::new(), patch).await
}

/// List a schedule's runs
///
/// Newest first, each with the first twenty of its jobs; the newest thousand are kept.
#[utoipa::path(
    operation_id = "list_schedule_runs",
    get, path = "/v1/schedules/{id}/runs", tag = "schedules", params(("id" = ScheduleId, Path, description = "The schedule's id"), PageQuery),
    responses(
        (status = 200, description = "A page of runs", body = RunPage),
        (status = 400, description = "The cursor or a parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such schedule", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn list_runs(
    State(api): State<Api>,
    Path(id): Path<ScheduleId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<RunPage>> {
    let limit = paging::limit(query.limit)?;
    let before = query.cursor.map(|cursor| paging::decode::<Uuid>(&cursor, &id)).transpose()?;
    store::find(&api.pool, id).await?.ok_or_else(not_found)?;
    let mut items = runs::page(&api.pool, id, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut items, limit, &id, |last| last.id);
    Ok(Json(RunPage { items, next_cursor }))
}

/// Show a run of a schedule
///
/// With all its jobs, and the first fifty rows of its source that could not be used.
#[utoipa::path(
    operation_id = "get_schedule_run",
    get, path = "/v1/schedules/{id}/runs/{run}", tag = "schedules",
    params(("id" = ScheduleId, Path, description = "The schedule's id"), ("run" = Uuid, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The run", body = ScheduleRun),
        (status = 404, description = "There is no such schedule, or no such run", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get_run(
    State(api): State<Api>,
    Path((id, run)): Path<(ScheduleId, Uuid)>,
) -> ApiResult<Json<ScheduleRun>> {
    runs::find(&api.pool, id, run).await?.map(Json).ok_or_else(|| ApiError::not_found("run of this schedule"))
}
