//! Uploads: files that people send to use as sources.
//!
//! Promises: a row appears when the whole file is stored; what was sent of a file that is too large, or whose sender went
//! away, is removed. Nothing is held in memory but a few parts.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use contracts::{
    ids::UploadId,
    media::{SNIFF_BYTES, media_type},
    object::{Upload, UploadPage},
    problem::{Problem, ProblemCode},
};
use fetch::{FetchError, ObjectKey, Size, Stored};
use futures::TryStreamExt;
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
    app::{App, key, patient, store_error},
    publish::{discard, own},
    serve::{self, Entity},
};

/// Longest name, in characters.
const LONGEST_NAME: usize = 200;

/// How a file is uploaded.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// What the sender calls the file; only for show.
    name: Option<String>,
}

/// Where the bytes of an upload are.
fn prefix(id: UploadId) -> String {
    format!("uploads/{id}")
}

/// Upload a file
///
/// The body is the file, of any content type. Use it as `{"upload": id}` in a source.
#[utoipa::path(
    post,
    operation_id = "upload_file",
    path = "/v1/uploads", tag = "uploads", params(UploadQuery),
    request_body(content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, body = Upload, description = "Stored"),
              (status = 413, body = Problem, content_type = "application/problem+json", description = "The file is larger than the operator allows"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "The file is empty, or its name cannot be used"))
)]
pub async fn upload(
    State(app): State<Arc<App>>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let name = query.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if name
        .as_deref()
        .is_some_and(|name| name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control))
    {
        let detail =
            format!("a name has at most {LONGEST_NAME} characters, none of them a control character");
        return Err(ApiError::invalid_at("/name", detail));
    }
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > app.upload_max_bytes) {
        return Err(too_large(&app));
    }
    let id = UploadId::generate();
    // A task of its own, so that a sender that goes away leaves an upload that is cleaned up, not one that is dropped.
    let upload = tokio::spawn(async move {
        let result = store(&app, id, name, body).await;
        if result.is_err() {
            give_up(&app, id).await;
        }
        result
    });
    let upload = upload.await.map_err(ApiError::internal)??;
    let location = HeaderValue::try_from(format!("/v1/uploads/{id}")).map_err(ApiError::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(upload)).into_response())
}

fn too_large(app: &App) -> ApiError {
    ApiError::new(ProblemCode::TooLarge, format!("Uploads have at most {} bytes.", app.upload_max_bytes))
}

async fn store(app: &App, id: UploadId, name: Option<String>, body: Body) -> ApiResult<Upload> {
    let prefix = prefix(id);
    // Listed for deletion until its row is there: a crash in between leaves nothing for good.
    sqlx::query!(
        "INSERT INTO montages.deletions (prefix, due_at) VALUES ($1, now() + interval '1 day')",
        prefix
    )
    .execute(&app.pool)
    .await?;
    let key = key(&format!("{prefix}/content"))?;
    let put = app.store.put(&key, patient(body), Size::AtMost(app.upload_max_bytes)).await;
    let Stored { size, sha256 } = put.map_err(|error| match error {
        FetchError::ObjectSize { .. } => too_large(app),
        error => store_error(error),
    })?;
    if size == 0 {
        return Err(ApiError::invalid_at("", "the file is empty"));
    }
    let mut tx = app.pool.begin().await?;
    own(&mut tx, &prefix).await?;
    let created_at = sqlx::query_scalar!(
        "INSERT INTO montages.uploads (id, name, object_key, bytes, sha256) VALUES ($1, $2, $3, $4, $5) RETURNING created_at",
        id.0,
        name,
        key.as_str(),
        i64::try_from(size).unwrap_or(i64::MAX),
        sha256
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(complete(id, name, size, sha256, created_at))
}

/// A file that is all there, as it is answered.
fn complete(
    id: UploadId,
    name: Option<String>,
    bytes: u64,
    sha256: String,
    created_at: DateTime<Utc>,
) -> Upload {
    Upload { id, name, bytes, complete: true, received: bytes, sha256: Some(sha256), created_at }
}

/// Has what was stored of a failed upload deleted now rather than in a day.
async fn give_up(app: &App, id: UploadId) {
    let listed = async {
        let mut connection = app.pool.acquire().await?;
        discard(&mut connection, &prefix(id)).await
    };
    // It stays listed for tomorrow where this fails, and the failure has been logged.
    if listed.await.is_ok() {
        app.reap.notify_one();
    }
}

/// Which uploads are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List uploads
///
/// Those that are complete, the newest first.
#[utoipa::path(
    get,
    operation_id = "list_uploads",
    path = "/v1/uploads", tag = "uploads", params(PageQuery),
    responses((status = 200, body = UploadPage, description = "One page"),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter cannot be read"))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<UploadPage>> {
    let limit = paging::limit(query.limit)?;
    let after: Option<(DateTime<Utc>, Uuid)> =
        query.cursor.as_deref().map(|cursor| paging::decode(cursor, &())).transpose()?;
    let mut items: Vec<Upload> = sqlx::query!(
        "SELECT id, name, bytes, sha256, created_at FROM montages.uploads
         WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid)
         ORDER BY created_at DESC, id DESC
         LIMIT $3",
        after.map(|(moment, _)| moment),
        after.map(|(_, id)| id),
        // One more than the page, to know whether there is a next one.
        limit + 1
    )
    .map(|row| complete(UploadId(row.id), row.name, row.bytes.unsigned_abs(), row.sha256, row.created_at))
    .fetch_all(&app.pool)
    .await?;
    let more = i64::try_from(items.len()).is_ok_and(|count| count > limit);
    if more {
        items.pop();
    }
    let next_cursor =
        items.last().filter(|_| more).map(|last| paging::encode(&(last.created_at, last.id.0), &()));
    Ok(Json(UploadPage { items, next_cursor }))
}

/// The bytes of an upload, under a content type by its first ones: that of a video, or `application/octet-stream`. Supports
/// `Range`, `If-Range` and conditional requests.
#[utoipa::path(
    get,
    operation_id = "upload_media",
    path = "/v1/uploads/{id}/media", tag = "uploads",
    params(("id" = UploadId, Path, description = "The upload"),
           ("Range" = Option<String>, Header, description = "One byte range; of several the whole is served")),
    responses((status = 200, content_type = "video/*", description = "The whole file"),
              (status = 206, content_type = "video/*", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload"),
              (status = 412, body = Problem, content_type = "application/problem+json", description = "It is not what If-Match names"),
              (status = 416, body = Problem, content_type = "application/problem+json", description = "The range lies outside the file"))
)]
pub async fn media(
    State(app): State<Arc<App>>,
    method: Method,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let stored = stored(&app, id).await?;
    let content_type = stored.media_type.unwrap_or("application/octet-stream");
    stored.serve(&app, content_type, &method, &headers).await
}

/// A file that was uploaded, as it is served.
pub struct StoredUpload {
    key: ObjectKey,
    bytes: u64,
    sha256: String,
    created_at: DateTime<Utc>,
    /// By its first bytes, where it is a video.
    pub media_type: Option<&'static str>,
}

/// Finds an upload and looks at its first bytes.
pub async fn stored(app: &App, id: UploadId) -> ApiResult<StoredUpload> {
    let row = sqlx::query!(
        "SELECT object_key, bytes, sha256, created_at FROM montages.uploads WHERE id = $1",
        id.0
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(|| ApiError::not_found("upload"))?;
    let (key, bytes) = (key(&row.object_key)?, row.bytes.unsigned_abs());
    let mut beginning = app.store.get(&key, Some(0..SNIFF_BYTES as u64)).await.map_err(store_error)?;
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    while let Some(piece) = beginning.stream.try_next().await.map_err(store_error)? {
        head.extend_from_slice(&piece);
    }
    let media_type = media_type(&head);
    Ok(StoredUpload { key, bytes, sha256: row.sha256, created_at: row.created_at, media_type })
}

impl StoredUpload {
    /// Serves its bytes under a content type.
    pub async fn serve(
        &self,
        app: &App,
        content_type: &'static str,
        method: &Method,
        headers: &HeaderMap,
    ) -> ApiResult<Response> {
        let entity = Entity {
            etag: format!("\"{}\"", self.sha256),
            last_modified: Some(self.created_at),
            length: self.bytes,
            content_type,
            disposition: None,
        };
        serve::object(&app.store, &self.key, &entity, method, headers).await
    }
}

/// Look at an upload
#[utoipa::path(
    get,
    operation_id = "get_upload",
    path = "/v1/uploads/{id}", tag = "uploads", params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 200, body = Upload, description = "The upload"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload"))
)]
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<UploadId>) -> ApiResult<Json<Upload>> {
    let upload =
        sqlx::query!("SELECT name, bytes, sha256, created_at FROM montages.uploads WHERE id = $1", id.0)
            .map(|row| complete(id, row.name, row.bytes.unsigned_abs(), row.sha256, row.created_at))
            .fetch_optional(&app.pool)
            .await?;
    upload.map(Json).ok_or_else(|| ApiError::not_found("upload"))
}

/// Delete an upload
///
/// Jobs that name it and have not read it yet will fail.
#[utoipa::path(
    delete,
    operation_id = "delete_upload",
    path = "/v1/uploads/{id}", tag = "uploads", params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 204, description = "Deleted"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload"))
)]
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<UploadId>) -> ApiResult<StatusCode> {
    let mut tx = app.pool.begin().await?;
    let deleted = sqlx::query!("DELETE FROM montages.uploads WHERE id = $1", id.0).execute(&mut *tx).await?;
    if deleted.rows_affected() == 0 {
        return Err(ApiError::not_found("upload"));
    }
    discard(&mut tx, &prefix(id)).await?;
    tx.commit().await?;
    app.reap.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
