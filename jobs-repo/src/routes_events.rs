//! The routes for those who follow jobs.

use axum::{extract::State, http::HeaderMap, response::Response};
use contracts::{
    ids::JobId,
    problem::{Problem, ProblemCode},
};
use serde::Deserialize;
use service_kit::{
    extract::{Path, Query},
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use crate::{
    app::App,
    events::{self, Many, One, Start},
    routes_jobs::{kinds, states},
    watch::{self, Wanted},
};

/// When to ask again after all places were taken, in seconds.
const ASK_AGAIN: u64 = 15;

/// What [`events`] can be asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only jobs that are in these states now; several with commas between them. One that leaves them is not shown any more.
    state: Option<String>,
    /// Only jobs of these kinds; several with commas between them. `montage,transcript` if absent: those that were posted.
    kind: Option<String>,
    /// The id of the last event that was seen, for clients that cannot send `Last-Event-ID`, which goes before it.
    after: Option<String>,
}

/// What [`job_events`] can be asked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobEventsQuery {
    /// The id of the last event that was seen, for clients that cannot send `Last-Event-ID`, which goes before it.
    after: Option<String>,
}

/// What a client saw last. The header is newer: browsers repeat the address as it was when they come again.
fn last_seen(headers: &HeaderMap, after: Option<String>) -> Option<String> {
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or(after).filter(|id| !id.is_empty())
}

fn place(app: &App) -> ApiResult<OwnedSemaphorePermit> {
    app.watch.place().ok_or_else(|| ApiError {
        retry_after: Some(ASK_AGAIN),
        ..ApiError::new(
            ProblemCode::Unavailable,
            "Too many streams are open. Ask for the jobs from time to time instead, or come again later.",
        )
    })
}

/// Follow a job
///
/// An event stream (Server-Sent Events): the job as it is, at once, and then each time that it or its parts change. The data of
/// each `job` event is the job as `GET /v1/jobs/{id}` answers it; of several changes in a short time only the last may come.
/// Comments keep the stream alive every 15 seconds. It ends after an hour, and when the service stops: come again. With
/// `Last-Event-ID` the job comes at once only if it has changed since.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/events", tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job"),
        JobEventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "The stream.", body = String, content_type = "text/event-stream", example = "event: job\nid: v3\ndata: {\"id\":\"019a0000-0000-7000-8000-000000000000\",\"state\":\"running\"}\n\n"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: too many streams are open", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "In seconds"))),
    ),
)]
pub async fn job_events(
    State(app): State<Arc<App>>,
    Path(id): Path<JobId>,
    Query(query): Query<JobEventsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let place = place(&app)?;
    // Listens before it looks, so that nothing that comes in between is missed.
    let news = app.watch.listen_to(&app.pool, id).await?;
    let present = watch::read_whole(&mut *app.pool.acquire().await?, id).await?;
    let present = present.ok_or_else(|| ApiError::not_found("job"))?;
    let seen = last_seen(&headers, query.after);
    Ok(events::one(&app, place, One::new(news, present, seen.as_deref())))
}

/// Follow all jobs
///
/// An event stream (Server-Sent Events). It begins with a `hello`: read lists after that, and no change is missed. Then each job
/// that is posted or changes comes as a `job` event, whose data is the job as `GET /v1/jobs` lists it; of several changes of one
/// in a short time only the last may come, and one may come twice. With `Last-Event-ID` everything comes that changed since.
/// `reset` says that too much was missed, or too long ago (500 jobs, 2 hours): read lists anew. Comments keep the stream
/// alive every 15 seconds. It ends after an hour, and when the service stops: come again.
#[utoipa::path(
    get, path = "/v1/events", tag = "jobs",
    params(
        EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "The stream.", body = String, content_type = "text/event-stream", example = "event: hello\nid: eyJ2IjoxfQ\ndata: {}\n\nevent: job\nid: eyJ2IjoxfQ\ndata: {\"id\":\"019a0000-0000-7000-8000-000000000000\",\"state\":\"running\"}\n\n"),
        (status = 400, description = "`invalid_query`, `invalid_cursor`: the id is not that of an event", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: too many streams are open", body = Problem, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "In seconds"))),
    ),
)]
pub async fn events(
    State(app): State<Arc<App>>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let wanted = Wanted { kinds: kinds(query.kind.as_deref())?, states: states(query.state.as_deref())? };
    let since = last_seen(&headers, query.after);
    let moment = since.as_deref().map(watch::moment_of).transpose()?;
    let place = place(&app)?;
    // Listens before it looks, so that nothing that comes in between is missed.
    let (news, now) = app.watch.listen(&app.pool, &wanted).await?;
    let start = match moment {
        None => Start::Now,
        Some(moment) => watch::since(&mut *app.pool.acquire().await?, moment, now, &wanted)
            .await?
            .map_or(Start::TooMuch, Start::Changed),
    };
    Ok(events::many(&app, place, Many::new(wanted, news, since, watch::id_of(now), start)))
}
