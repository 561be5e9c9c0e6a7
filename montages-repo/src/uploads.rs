//! Uploads: files that people send to use as sources, in one go (here) or piece by piece (see `tus` and `resumable`).
//!
//! Promises: a row appears when the whole file is stored; what was sent in one go of a file that is too large, or whose sender
//! went away, is removed. Nothing is held in memory but a few parts.

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
    resumable::{self, Unfinished},
    serve::{self, Entity},
    tus,
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

/// Where everything of an upload is.
pub fn prefix(id: UploadId) -> String {
    format!("uploads/{id}")
}

/// Where the bytes of an upload are.
pub fn content_key(id: UploadId) -> String {
    format!("{}/content", prefix(id))
}

/// A file's name as it is kept; absent where it says nothing.
///
/// # Errors
/// What is accepted, in words.
pub fn name(name: Option<String>) -> Result<Option<String>, String> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let is_fine = |name: &str| name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if name.as_deref().is_none_or(is_fine) {
        return Ok(name);
    }
    Err(format!("a name has at most {LONGEST_NAME} characters, none of them a control character"))
}

/// Upload a file
///
/// The body is the file, of any content type. Use it as `{"upload": id}` in a source. With `Tus-Resumable: 1.0.0` it begins an
/// upload that comes piece by piece and may break off in between (<https://tus.io/protocols/resumable-upload>): `Upload-Length`
/// says how large the file is, `filename` in `Upload-Metadata` what it is called, and the body is empty or the first piece.
#[utoipa::path(
    post,
    operation_id = "upload_file",
    path = "/v1/uploads", tag = "uploads",
    params(UploadQuery,
           ("Tus-Resumable" = Option<String>, Header, description = "`1.0.0` for an upload piece by piece"),
           ("Upload-Length" = Option<u64>, Header, description = "In tus: bytes of the whole file"),
           ("Upload-Metadata" = Option<String>, Header, description = "In tus: names and values in base64; `filename` is known")),
    request_body(content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, body = Upload, description = "Stored; in tus begun, without a body, at the path in `Location`"),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter or a header of tus cannot be read"),
              (status = 412, body = Problem, content_type = "application/problem+json", description = "Another version of tus"),
              (status = 413, body = Problem, content_type = "application/problem+json", description = "The file is larger than the operator allows"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "The file is empty, or its name cannot be used"))
)]
pub async fn upload(
    State(app): State<Arc<App>>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    if tus::is_spoken(&headers) {
        return Ok(tus::answer(tus::create(app, &headers, body).await));
    }
    let name = name(query.name).map_err(|detail| ApiError::invalid_at("/name", detail))?;
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

/// A file is larger than the operator allows.
pub fn too_large(app: &App) -> ApiError {
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
    let key = key(&content_key(id))?;
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
    let next_cursor = paging::cut(&mut items, limit, &(), |last| (last.created_at, last.id.0));
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
    responses((status = 200, content_type = "*/*", description = "The whole file, as a video of the kind that its first bytes say, or as application/octet-stream"),
              (status = 206, content_type = "*/*", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "It is not complete"),
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
    .await?;
    let Some(row) = row else { return Err(missing(app, id).await?) };
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
///
/// One that is not complete says how much of it has come; it cannot be used yet.
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
    if let Some(upload) = upload {
        return Ok(Json(upload));
    }
    let unfinished = resumable::find(&app, id).await?.ok_or_else(|| ApiError::not_found("upload"))?;
    let Unfinished { name, bytes, received, created_at, .. } = unfinished;
    Ok(Json(Upload { id, name, bytes, complete: false, received, sha256: None, created_at }))
}

/// The length of a complete upload, and what was said of it.
pub async fn length(app: &App, id: UploadId) -> ApiResult<(u64, Option<String>)> {
    let row = sqlx::query!("SELECT bytes, metadata FROM montages.uploads WHERE id = $1", id.0)
        .fetch_optional(&app.pool)
        .await?
        .ok_or_else(|| ApiError::not_found("upload"))?;
    Ok((row.bytes.unsigned_abs(), row.metadata))
}

/// Why there is no upload to read: it is not complete, or not there.
pub async fn missing(app: &App, id: UploadId) -> ApiResult<ApiError> {
    Ok(match resumable::find(app, id).await? {
        None => ApiError::not_found(&format!("upload: {id}")),
        Some(Unfinished { bytes, received, .. }) => {
            let detail = format!(
                "The upload {id} is not complete: {received} of {bytes} bytes have come. Send the rest first."
            );
            ApiError::new(ProblemCode::Conflict, detail)
        }
    })
}

/// Delete an upload
///
/// Jobs that name it and have not read it yet will fail. One that is not complete is given up, whoever is adding to it.
#[utoipa::path(
    delete,
    operation_id = "delete_upload",
    path = "/v1/uploads/{id}", tag = "uploads", params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 204, description = "Deleted"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload"))
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let deleted = async || remove(&app, id).await.map(|()| StatusCode::NO_CONTENT.into_response());
    if !tus::is_spoken(&headers) {
        return deleted().await;
    }
    Ok(tus::answer(match tus::check_version(&headers) {
        Ok(()) => deleted().await,
        Err(error) => Err(error),
    }))
}

async fn remove(app: &App, id: UploadId) -> ApiResult<()> {
    if resumable::give_up(app, id).await? {
        return Ok(());
    }
    let mut tx = app.pool.begin().await?;
    let deleted = sqlx::query!("DELETE FROM montages.uploads WHERE id = $1", id.0).execute(&mut *tx).await?;
    if deleted.rows_affected() == 0 {
        return Err(ApiError::not_found("upload"));
    }
    discard(&mut tx, &prefix(id)).await?;
    tx.commit().await?;
    app.reap.notify_one();
    Ok(())
}
