//! Looking at montages: the list with its filters, and one.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use contracts::{
    ids::MontageId,
    montage::{Montage, MontageKind, MontagePage},
    problem::{Problem, ProblemCode},
};
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path, Query},
    paging,
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    app::App,
    conditional::{Representation, Verdict, judge},
    find::{self, Place, Wanted},
    rows::MontageRow,
};

/// Longest search text, in characters.
pub const LONGEST_QUERY: usize = 500;

/// Which montages are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Words that stand in the title, a clip's title, a streamer's name or what is said; "phrases", `or` and `-without` work.
    q: Option<String>,
    /// Only these kinds; several with commas between them.
    kind: Option<String>,
    /// A label's name, or `name:value`, or `name=value`.
    label: Option<String>,
    /// Who is seen in it.
    streamer: Option<String>,
    /// Published at this moment or later.
    since: Option<DateTime<Utc>>,
    /// Published before this moment.
    until: Option<DateTime<Utc>>,
    /// 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Checks a search text.
pub fn search_text(text: Option<&str>) -> ApiResult<Option<&str>> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.chars().count() > LONGEST_QUERY || text.contains('\0') => Err(ApiError::new(
            ProblemCode::InvalidQuery,
            format!("q has at most {LONGEST_QUERY} characters."),
        )),
        text => Ok(text),
    }
}

/// List montages
///
/// The newest first, with or without a search.
#[utoipa::path(
    get,
    operation_id = "list_montages",
    path = "/v1/montages", tag = "montages", params(ListQuery),
    responses((status = 200, body = MontagePage, description = "One page"),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter cannot be read"))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<MontagePage>> {
    let limit = paging::limit(query.limit)?;
    let kinds = query.kind.as_deref().map(kinds).transpose()?;
    let wanted = Wanted {
        text: search_text(query.q.as_deref())?,
        kinds: kinds.as_deref(),
        label: query.label.as_deref().map(label).transpose()?,
        streamer: query.streamer.as_deref().filter(|name| !name.contains('\0')),
        since: query.since,
        until: query.until,
    };
    let after: Option<Place> =
        query.cursor.as_deref().map(|cursor| paging::decode(cursor, &wanted)).transpose()?;
    // One more than the page, to know whether there is a next one.
    let mut places = find::newest(&app, &wanted, after, limit + 1).await?;
    let next_cursor = paging::cut(&mut places, limit, &wanted, |last| *last);
    let ids: Vec<Uuid> = places.into_iter().map(|(_, id)| id).collect();
    let items = find::summaries(&app, &ids, wanted.text).await?;
    Ok(Json(MontagePage { items, next_cursor }))
}

/// Reads names of kinds with commas between them; each once, in an order of their own.
fn kinds(text: &str) -> ApiResult<Vec<String>> {
    let known = || MontageKind::NAMES.iter().map(|(name, _)| *name);
    let mut kinds = Vec::new();
    for name in text.split(',').map(str::trim) {
        if !known().any(|kind| kind == name) {
            let names = known().collect::<Vec<_>>().join(", ");
            let detail = format!("kind: `{name}` is not one; there are {names}.");
            return Err(ApiError::new(ProblemCode::InvalidQuery, detail));
        }
        kinds.push(name.to_owned());
    }
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

/// Reads `name`, `name:value` or `name=value`; no name holds either sign.
fn label(text: &str) -> ApiResult<(&str, Option<&str>)> {
    let (name, value) = text.split_once([':', '=']).map_or((text, None), |(name, value)| (name, Some(value)));
    if contracts::spec::is_label(name, value.unwrap_or_default()) {
        return Ok((name, value));
    }
    Err(ApiError::new(ProblemCode::InvalidQuery, "label is a name, or name:value."))
}

/// Look at a montage
#[utoipa::path(
    get,
    operation_id = "get_montage",
    path = "/v1/montages/{id}", tag = "montages", params(("id" = MontageId, Path, description = "The montage")),
    responses((status = 200, body = Montage, description = "The montage; its ETag goes into If-Match of a change"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage"))
)]
pub async fn get(
    State(app): State<Arc<App>>,
    method: Method,
    Path(id): Path<MontageId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let row = MontageRow::find(&app.pool, id).await?;
    let tag = row.etag();
    let etag = HeaderValue::try_from(&tag).map_err(ApiError::internal)?;
    let caching =
        [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    match judge(&method, &headers, &Representation { etag: &tag, last_modified: None, length: 0 }) {
        Verdict::NotModified => Ok((StatusCode::NOT_MODIFIED, caching).into_response()),
        Verdict::PreconditionFailed => Err(ApiError::new(
            ProblemCode::PreconditionFailed,
            "It is not what the condition names. Read it again.",
        )),
        // Ranges of JSON are not served.
        Verdict::Whole | Verdict::Part { .. } | Verdict::Unsatisfiable => {
            Ok((caching, Json(row.into_montage())).into_response())
        }
    }
}
