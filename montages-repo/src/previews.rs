//! The preview of a job: what its executor has of the montage so far, played as HLS while the rest is being made.
//!
//! Promises: a preview never names what is not in the store; the newest fence's stands, and under one fence it only grows, as
//! players expect it of such a playlist; from the moment the montage is published its address leads there, and the preview
//! goes soon after. It is never worth a job: nothing that goes wrong with it ends the lease. Its place stays listed for
//! deletion all the time, so that it also goes where nothing is ever published.

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    decode::Mistakes,
    ids::{JobId, MontageId},
    object::{Grant, HLS},
    preview::{
        LONGEST_ENTRY, MOST_ENTRIES, NAME_RULE, PreviewEntry, PreviewRequest, PreviewWish, is_preview_name,
    },
    problem::{Problem, ProblemCode},
};
use fetch::FetchError;
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path, Query},
    problem::{ApiError, ApiResult},
};
use sqlx::{PgConnection, types::Json as Column};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use utoipa::IntoParams;

use crate::{
    app::{App, key, store_error},
    grants::{self, sign},
    playlists,
    publish::discard,
    segments::sizes,
    serve::{self, Entity},
};

/// Where the objects of one attempt's preview are.
fn place(job: JobId, fence: i64) -> String {
    format!("previews/{job}-{fence}")
}

/// Says what is wrong with the wishes for a preview's objects.
pub fn check_wishes(wishes: &[PreviewWish], mistakes: &mut Mistakes) {
    for (index, wish) in wishes.iter().enumerate() {
        if !is_preview_name(&wish.name) {
            mistakes.add(format!("/write_preview/{index}/name"), format!("expected {NAME_RULE}"));
        }
        if wish.bytes == 0 || i64::try_from(wish.bytes).is_err() {
            mistakes.add(format!("/write_preview/{index}/bytes"), "expected at least 1");
        }
    }
}

/// Links to write objects of a preview by.
pub async fn open(app: &App, job: JobId, fence: i64, wishes: &[PreviewWish]) -> ApiResult<Vec<Grant>> {
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    let place = place(job, fence);
    if montage(app, job).await?.is_some() || !grants::open(app, &place).await? {
        return Err(over());
    }
    let mut grants = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let object = key(&format!("{place}/{}", wish.name))?;
        grants.push(sign(app, fetch::Method::Put, object, Some(wish.bytes)).await?);
    }
    Ok(grants)
}

/// Not `stale_fence`, which would end the attempt.
fn over() -> ApiError {
    ApiError::new(
        ProblemCode::Conflict,
        "The preview is over: the montage is published, a newer attempt shows its own, or nothing was granted.",
    )
}

/// What a new list of entries meets: the fence and the list that are there.
struct Present {
    fence: i64,
    entries: Column<Vec<PreviewEntry>>,
    done: bool,
}

/// What becomes of a new list.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It stands from now on.
    Take,
    /// It is older than the one of the same attempt that is there.
    Keep,
    /// A newer attempt's is there.
    Stale,
}

/// Decides about a list of so many entries. Pure.
fn decide(present: Option<&Present>, fence: i64, entries: usize, done: bool) -> Decision {
    match present {
        Some(present) if present.fence > fence => Decision::Stale,
        Some(present) if present.fence == fence => {
            let falls_back = present.entries.len() > entries || present.done && !done;
            if falls_back { Decision::Keep } else { Decision::Take }
        }
        _ => Decision::Take,
    }
}

/// Show a job's preview
///
/// By the holder of the job's lease: everything that can be played of its montage so far, whose objects it has sent by the links
/// of its grants.
#[utoipa::path(
    post,
    operation_id = "show_preview",
    path = "/v1/previews", tag = "executors", request_body = PreviewRequest,
    responses((status = 204, description = "This, or a longer list of the same attempt that came before, is shown"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease has passed on (`stale_fence`), or the preview is over (`conflict`)"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "An entry is not in the store, or contradicts itself"))
)]
pub async fn show(State(app): State<Arc<App>>, Json(request): Json<PreviewRequest>) -> ApiResult<StatusCode> {
    check(&request)?;
    app.check_lease(request.job_id, request.executor_id, request.fence).await?;
    let (job, fence) = (request.job_id, request.fence);
    let known = present(&mut *app.pool.acquire().await?, job).await?;
    // Looked at before the transaction, so that none is open while the store is asked.
    if decide(known.as_ref(), fence, request.entries.len(), request.done) == Decision::Take {
        let known = known.as_ref().filter(|known| known.fence == fence).map(|known| known.entries.as_slice());
        check_stored(&app, &request, known.unwrap_or_default()).await?;
    }
    let mut tx = app.pool.begin().await?;
    let present = present(&mut tx, job).await?;
    match decide(present.as_ref(), fence, request.entries.len(), request.done) {
        Decision::Take => {}
        Decision::Keep => return Ok(StatusCode::NO_CONTENT),
        Decision::Stale => return Err(stale()),
    }
    let published = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM montages.montages WHERE job_id = $1 AND deleted_at IS NULL) AS "is!""#,
        job.0
    );
    if published.fetch_one(&mut *tx).await? {
        return Err(over());
    }
    let kept = sqlx::query!(
        "UPDATE montages.deletions SET due_at = now() + interval '1 day' WHERE prefix = $1 AND NOT started",
        place(job, fence)
    )
    .execute(&mut *tx)
    .await?;
    if kept.rows_affected() == 0 {
        return Err(over());
    }
    // Where this is the job's first, another attempt's first may have come in between.
    let taken = sqlx::query!(
        "INSERT INTO montages.previews AS preview (job_id, fence, playlist, done) VALUES ($1, $2, $3, $4)
         ON CONFLICT (job_id) DO UPDATE SET fence = excluded.fence, playlist = excluded.playlist, done = excluded.done, updated_at = now()
         WHERE preview.fence <= excluded.fence",
        job.0,
        fence,
        Column(&request.entries) as _,
        request.done
    )
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() == 0 {
        return Err(stale());
    }
    if let Some(older) = present.filter(|present| present.fence < fence) {
        discard(&mut tx, &place(job, older.fence)).await?;
        app.reap.notify_one();
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn stale() -> ApiError {
    ApiError::new(ProblemCode::StaleFence, "A newer attempt shows its preview. Nothing was changed.")
}

/// The preview that is there, locked as long as the transaction lasts.
async fn present(connection: &mut PgConnection, job: JobId) -> ApiResult<Option<Present>> {
    let found = sqlx::query_as!(
        Present,
        r#"SELECT fence, playlist AS "entries: Column<Vec<PreviewEntry>>", done FROM montages.previews WHERE job_id = $1 FOR UPDATE"#,
        job.0
    );
    Ok(found.fetch_optional(connection).await?)
}

fn check(request: &PreviewRequest) -> ApiResult<()> {
    let mut mistakes = Mistakes::default();
    if request.fence < 1 {
        mistakes.add("/fence", "fences begin at 1");
    }
    if !(1..=MOST_ENTRIES).contains(&request.entries.len()) {
        mistakes.add("/entries", format!("expected 1 to {MOST_ENTRIES}"));
    }
    if request.entries.first().is_some_and(|first| first.map.is_none()) {
        mistakes.add("/entries/0/map", "the first entry needs its init section");
    }
    for (index, entry) in request.entries.iter().enumerate() {
        let at = |part: &str| format!("/entries/{index}/{part}");
        for (part, name) in [("name", Some(&entry.name)), ("map", entry.map.as_ref())] {
            if name.is_some_and(|name| !is_preview_name(name)) {
                mistakes.add(at(part), format!("expected {NAME_RULE}"));
            }
        }
        if !(entry.seconds > 0.0 && entry.seconds <= LONGEST_ENTRY) {
            mistakes.add(at("seconds"), format!("expected more than 0 and at most {LONGEST_ENTRY}"));
        }
        if entry.byterange.is_some_and(|(offset, length)| length == 0 || offset.checked_add(length).is_none())
        {
            mistakes.add(at("byterange"), "expected an offset and a length of at least 1");
        }
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// Whether the store has all that entries name which were not shown before.
async fn check_stored(app: &App, request: &PreviewRequest, known: &[PreviewEntry]) -> ApiResult<()> {
    let place = place(request.job_id, request.fence);
    let is_new = |(index, entry): &(usize, &PreviewEntry)| known.get(*index) != Some(*entry);
    let new: Vec<_> = request.entries.iter().enumerate().filter(is_new).collect();
    // By name, since one object may hold many entries.
    let mut objects = BTreeMap::new();
    for (_, entry) in &new {
        for name in [Some(&entry.name), entry.map.as_ref()].into_iter().flatten() {
            objects.insert(name.as_str(), key(&format!("{place}/{name}"))?);
        }
    }
    let names: Vec<&str> = objects.keys().copied().collect();
    let found = sizes(app, objects.into_values().collect()).await?;
    let found: HashMap<&str, Option<u64>> = names.into_iter().zip(found).collect();
    let size = |name: &str| found.get(name).copied().flatten();
    let mut mistakes = Mistakes::default();
    for (index, entry) in new {
        let at = |part: &str| format!("/entries/{index}/{part}");
        let missing = "not in the store: send it first, by the link of its grant";
        if entry.map.as_deref().is_some_and(|map| size(map).is_none()) {
            mistakes.add(at("map"), missing);
        }
        match (size(&entry.name), entry.byterange) {
            (None, _) => mistakes.add(at("name"), missing),
            (Some(size), Some((offset, length))) if offset.saturating_add(length) > size => {
                mistakes.add(at("byterange"), format!("the object has {size} bytes"));
            }
            _ => {}
        }
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// The montage of a job, and whether it can be played as HLS.
async fn montage(app: &App, job: JobId) -> ApiResult<Option<(MontageId, bool)>> {
    let found = sqlx::query!(
        r#"SELECT id, EXISTS (SELECT FROM montages.pieces WHERE montage_id = id AND piece = 'playlist') AS "has_playlist!"
           FROM montages.montages WHERE job_id = $1 AND deleted_at IS NULL"#,
        job.0
    );
    let found = found.fetch_optional(&app.pool).await?;
    Ok(found.map(|row| (MontageId(row.id), row.has_playlist)))
}

/// Play a job before it is finished
///
/// An HLS playlist (RFC 8216) of fragments that are copied from the sources: it plays at once, cut to keyframes, and grows while
/// the job runs. When the montage is published, it leads there.
#[utoipa::path(
    get,
    operation_id = "get_preview",
    path = "/v1/jobs/{id}/preview.m3u8", tag = "jobs", params(("id" = JobId, Path, description = "The job")),
    responses((status = 200, content_type = "application/vnd.apple.mpegurl", description = "What there is so far; with `#EXT-X-ENDLIST` when that is all"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 307, description = "The montage is published: `Location` is its playlist, or its media where it has none"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing can be played yet, or no such job"))
)]
pub async fn playlist(
    State(app): State<Arc<App>>,
    method: Method,
    Path(job): Path<JobId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if let Some((id, has_playlist)) = montage(&app, job).await? {
        let path = if has_playlist { "media.m3u8" } else { "media" };
        let to = [
            (header::LOCATION, format!("/v1/montages/{id}/{path}")),
            // A redirect may be kept, but the montage may be deleted.
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        return Ok((StatusCode::TEMPORARY_REDIRECT, to).into_response());
    }
    let row = sqlx::query!(
        r#"SELECT fence, playlist AS "entries: Column<Vec<PreviewEntry>>", done FROM montages.previews WHERE job_id = $1"#,
        job.0
    );
    let row = row
        .fetch_optional(&app.pool)
        .await?
        .ok_or_else(|| ApiError::not_found("preview of a job, or not yet"))?;
    serve::bytes(playlists::preview(&row.entries, row.done, row.fence), HLS, None, &method, &headers)
}

/// Which attempt's object is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ObjectQuery {
    /// The attempt's fence, as the playlist says it; the present one's if absent.
    fence: Option<i64>,
}

/// A part of a job's preview
///
/// Fragmented MP4, as the preview's playlist names it. Supports `Range` and conditional requests.
#[utoipa::path(
    get,
    operation_id = "get_preview_object",
    path = "/v1/jobs/{id}/preview/{name}", tag = "jobs",
    params(("id" = JobId, Path, description = "The job"), ("name" = String, Path, description = "As the playlist names it"),
           ObjectQuery),
    responses((status = 200, content_type = "video/mp4", description = "All of it"),
              (status = 206, content_type = "video/mp4", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such part, or not any more"),
              (status = 416, body = Problem, content_type = "application/problem+json", description = "The range lies outside of it"))
)]
pub async fn object(
    State(app): State<Arc<App>>,
    method: Method,
    Path((job, name)): Path<(JobId, String)>,
    Query(query): Query<ObjectQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let missing = || ApiError::not_found("part of a preview");
    if !is_preview_name(&name) {
        return Err(missing());
    }
    // Only what is shown is served: what was sent besides is nobody's business.
    let fence = sqlx::query_scalar!(
        "SELECT fence FROM montages.previews
         WHERE job_id = $1 AND ($2::bigint IS NULL OR fence = $2)
           AND (playlist @> jsonb_build_array(jsonb_build_object('name', $3::text))
             OR playlist @> jsonb_build_array(jsonb_build_object('map', $3::text)))",
        job.0,
        query.fence,
        name
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(missing)?;
    let key = key(&format!("{}/{name}", place(job, fence)))?;
    let info = app.store.head(&key).await.map_err(|error| match error {
        FetchError::ObjectNotFound { .. } => missing(),
        error => store_error(error),
    })?;
    let entity = Entity {
        etag: info.etag.unwrap_or_else(|| format!("\"{fence}-{}\"", info.size)),
        last_modified: Some(info.last_modified),
        length: info.size,
        content_type: "video/mp4",
        disposition: None,
    };
    serve::object(&app.store, &key, &entity, &method, &headers).await
}

/// Has the preview of a job that was published go: soon rather than now, because somebody may be watching it.
pub async fn retire(tx: &mut PgConnection, job: JobId) -> ApiResult<()> {
    sqlx::query!(
        "UPDATE montages.deletions AS place SET due_at = least(place.due_at, now() + interval '10 minutes')
         FROM montages.previews AS preview
         WHERE preview.job_id = $1 AND place.prefix = 'previews/' || preview.job_id || '-' || preview.fence",
        job.0
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the preview of a job now.
pub async fn remove(tx: &mut PgConnection, job: JobId) -> ApiResult<()> {
    let fence = sqlx::query_scalar!("DELETE FROM montages.previews WHERE job_id = $1 RETURNING fence", job.0)
        .fetch_optional(&mut *tx)
        .await?;
    match fence {
        Some(fence) => discard(tx, &place(job, fence)).await,
        None => Ok(()),
    }
}

/// Forgets previews whose objects begin to go.
pub async fn forget(app: &App, places: &[String]) -> ApiResult<()> {
    sqlx::query!(
        "DELETE FROM montages.previews WHERE 'previews/' || job_id || '-' || fence = ANY($1)",
        places
    )
    .execute(&app.pool)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(count: usize) -> Column<Vec<PreviewEntry>> {
        let entry = |index: usize| PreviewEntry {
            name: index.to_string(),
            seconds: 1.0,
            discontinuity: false,
            map: None,
            byterange: None,
        };
        Column((0..count).map(entry).collect())
    }

    proptest! {
        /// In whatever order the lists of a job come and however often: the newest fence's longest stands in the end, and
        /// what is shown under one fence never gets shorter and stays done.
        #[test]
        fn a_preview_only_grows(lists in prop::collection::vec((1_i64..4, 1_usize..5, any::<bool>()), 1..20)) {
            let mut row: Option<Present> = None;
            for (fence, count, done) in &lists {
                let before = row.as_ref().map(|row| (row.fence, row.entries.len(), row.done));
                match decide(row.as_ref(), *fence, *count, *done) {
                    Decision::Take => row = Some(Present { fence: *fence, entries: entries(*count), done: *done }),
                    Decision::Keep => prop_assert_eq!(before.map(|(fence, ..)| fence), Some(*fence)),
                    Decision::Stale => prop_assert!(before.is_some_and(|(present, ..)| present > *fence)),
                }
                let after = row.as_ref().map(|row| (row.fence, row.entries.len(), row.done)).unwrap();
                if let Some(before) = before {
                    prop_assert!(after.0 >= before.0);
                    if after.0 == before.0 {
                        prop_assert!(after.1 >= before.1 && after.2 >= before.2);
                    }
                }
            }
            let newest = lists.iter().map(|(fence, ..)| *fence).max().unwrap();
            prop_assert_eq!(row.unwrap().fence, newest);
        }
    }
}
