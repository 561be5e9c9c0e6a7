//! Objects of a local store by signed link: `GET`, `HEAD` and `PUT /v1/objects/{key}`. The signature is the authorisation.
//!
//! Promises: a link is good for one object and one method; what is written has exactly the agreed size and appears whole
//! or not at all; what is there is never replaced by other bytes; nothing is written to an attempt that is over.

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use contracts::problem::{Problem, ProblemCode};
use fetch::{FetchError, ObjectKey, Size, Stored};
use futures::TryStreamExt;
use service_kit::{
    extract::Path,
    problem::{ApiError, ApiResult},
};
use sha2::{Digest, Sha256};
use std::{pin::pin, sync::Arc};
use utoipa::OpenApi;

use crate::{
    app::{App, patient, store_error},
    serve::{self, Entity},
};

/// The routes; their path holds slashes, which OpenAPI has no way to write.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/v1/objects/{*key}", get(read).put(write))
}

/// Their documentation.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(read, write))]
    struct Document;
    Document::openapi()
}

/// Checks a request's link: its key, method, time and signature.
fn checked(
    app: &App,
    method: fetch::Method,
    key: &str,
    query: Option<&str>,
) -> ApiResult<(ObjectKey, fetch::Allowed)> {
    let key = ObjectKey::parse(key).map_err(|_| store_error(FetchError::SignatureInvalid))?;
    let allowed =
        app.store.verify(method, &key, query.unwrap_or_default(), chrono::Utc::now()).map_err(store_error)?;
    Ok((key, allowed))
}

/// Read an object by a signed link
///
/// Where objects are kept in a local directory, the links of grants lead here. Supports `Range` and conditional requests.
#[utoipa::path(
    get,
    operation_id = "read_object",
    path = "/v1/objects/{key}", tag = "objects",
    params(("key" = String, Path, description = "The object's key, with its slashes")),
    responses((status = 200, content_type = "application/octet-stream", description = "The whole object"),
              (status = 206, content_type = "application/octet-stream", description = "The asked part"),
              (status = 403, body = Problem, content_type = "application/problem+json", description = "The link is not valid, or no longer"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such object"),
              (status = 416, body = Problem, content_type = "application/problem+json", description = "The range lies outside the object"))
)]
async fn read(
    State(app): State<Arc<App>>,
    method: Method,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (key, _) = checked(&app, fetch::Method::Get, &key, query.as_deref())?;
    let info = app.store.head(&key).await.map_err(store_error)?;
    let entity = Entity {
        // Without one of its own, an object is told apart by when it was written and how long it is.
        etag: info
            .etag
            .unwrap_or_else(|| format!("\"{}-{}\"", info.last_modified.timestamp_micros(), info.size)),
        last_modified: Some(info.last_modified),
        length: info.size,
        content_type: "application/octet-stream",
        disposition: None,
    };
    serve::object(&app.store, &key, &entity, &method, &headers).await
}

/// Write an object by a signed link
///
/// The body has exactly the size that the link was made for. The same bytes may be sent again; other bytes are refused.
#[utoipa::path(
    put,
    operation_id = "write_object",
    path = "/v1/objects/{key}", tag = "objects", request_body(content_type = "application/octet-stream"),
    params(("key" = String, Path, description = "The object's key, with its slashes")),
    responses((status = 201, description = "Stored"),
              (status = 200, description = "It was there already, with these bytes"),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "The body is shorter than agreed"),
              (status = 403, body = Problem, content_type = "application/problem+json", description = "The link is not valid, or no longer"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The object is there with other bytes, or is being written"),
              (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is longer than agreed"))
)]
async fn write(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    let (key, allowed) = checked(&app, fetch::Method::Put, &key, query.as_deref())?;
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let (Some(bytes), Some(announced)) = (allowed.bytes, announced) else {
        return Err(ApiError::new(ProblemCode::SizeMismatch, "Send Content-Length."));
    };
    if announced != bytes {
        let code = if announced > bytes { ProblemCode::TooLarge } else { ProblemCode::SizeMismatch };
        return Err(ApiError::new(code, format!("The link is for {bytes} bytes, not for {announced}.")));
    }
    check_open(&app, &key).await?;
    let Some(reservation) = app.reserve(&key) else {
        return Err(ApiError::new(
            ProblemCode::Conflict,
            "This object is just being written by another request.",
        ));
    };
    // A task of its own, so that a client that goes away leaves a write that ends in order, not one that is dropped.
    let written = tokio::spawn(async move {
        let _reservation = reservation;
        store(&app, &key, body, bytes).await
    });
    let (status, stored) = written.await.map_err(ApiError::internal)??;
    Ok((status, [(header::ETAG, format!("\"{}\"", stored.sha256))]).into_response())
}

/// Only an attempt that was granted and is neither published nor over may be written to.
async fn check_open(app: &App, key: &ObjectKey) -> ApiResult<()> {
    let prefix = key.as_str().rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let open = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM montages.deletions WHERE prefix = $1 AND NOT started) AS "is!""#,
        prefix
    );
    if open.fetch_one(&app.pool).await? {
        return Ok(());
    }
    Err(ApiError::new(ProblemCode::Conflict, "The attempt that this object belongs to is published or over."))
}

async fn store(app: &App, key: &ObjectKey, body: Body, bytes: u64) -> ApiResult<(StatusCode, Stored)> {
    match app.store.head(key).await {
        Err(FetchError::ObjectNotFound { .. }) => {
            let stored =
                app.store.put(key, patient(body), Size::Exactly(bytes)).await.map_err(store_error)?;
            Ok((StatusCode::CREATED, stored))
        }
        Err(error) => Err(store_error(error)),
        Ok(_) => {
            let sent = hash(patient(body).map_err(|reason| FetchError::UploadInterrupted { reason })).await?;
            let present = hash(app.store.get(key, None).await.map_err(store_error)?.stream).await?;
            if sent == present {
                return Ok((StatusCode::OK, present));
            }
            Err(ApiError::new(
                ProblemCode::Conflict,
                "The object is there already, with other bytes; it stays as it is.",
            ))
        }
    }
}

async fn hash(stream: impl futures::Stream<Item = Result<bytes::Bytes, FetchError>>) -> ApiResult<Stored> {
    let mut stream = pin!(stream);
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(bytes) = stream.try_next().await.map_err(store_error)? {
        hash.update(&bytes);
        size += bytes.len() as u64;
    }
    Ok(Stored { size, sha256: hex::encode(hash.finalize()) })
}
