//! The tus protocol, version 1.0.0 (<https://tus.io/protocols/resumable-upload>), over uploads that come piece by piece: the core,
//! and the extensions creation, creation-with-upload, termination and expiration.
//!
//! Promises: every answer to a client that speaks tus names the version; a header that cannot be read is refused by name; what a
//! client says of its file is answered as it was said, in base64, so that it can be nothing else in a header. Not spoken:
//! lengths that come later (an upload is held against the operator's bound when it begins), and methods that stand in a header.

use axum::{
    body::{Body, HttpBody as _},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use contracts::{
    ids::UploadId,
    problem::{Problem, ProblemCode},
};
use service_kit::{
    extract::Path,
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;

use crate::{
    app::App,
    resumable::{self, Progress},
    uploads::{self, too_large},
};

/// The version that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// What is spoken besides the core.
const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration";
/// The content type of bytes that are added to an upload.
const PIECE: &str = "application/offset+octet-stream";
/// Longest `Upload-Metadata`, in bytes.
const LONGEST_METADATA: usize = 4096;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// Whether a request speaks tus.
#[must_use]
pub fn is_spoken(headers: &HeaderMap) -> bool {
    headers.contains_key(TUS_RESUMABLE)
}

/// An answer in tus: with the version, whatever it says.
pub fn answer(result: ApiResult<Response>) -> Response {
    let mut response = result.unwrap_or_else(|error| {
        let unknown = error.problem.code == ProblemCode::TusVersion.as_str();
        let mut response = error.into_response();
        if unknown {
            response.headers_mut().insert(TUS_VERSION, VERSION);
        }
        response
    });
    response.headers_mut().insert(TUS_RESUMABLE, VERSION);
    response
}

/// Refuses other versions, and requests that name none.
pub fn check_version(headers: &HeaderMap) -> ApiResult<()> {
    if headers.get(TUS_RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    Err(ApiError::new(ProblemCode::TusVersion, "Send Tus-Resumable: 1.0.0."))
}

fn unreadable(name: &HeaderName, expected: impl std::fmt::Display) -> ApiError {
    ApiError::new(ProblemCode::InvalidHeader, format!("{name}: expected {expected}."))
}

/// A header with a number; `None` where it is absent.
fn number(headers: &HeaderMap, name: &HeaderName) -> ApiResult<Option<u64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| unreadable(name, "a number of bytes"))
}

fn is_piece(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(PIECE))
}

/// What an upload is called, by `Upload-Metadata`: `filename` among names and values in base64. Names that are not known here
/// are kept and have no meaning.
fn file_name(metadata: &str) -> Result<Option<String>, &'static str> {
    let mut found = None;
    let mut seen = Vec::new();
    for pair in metadata.split(',') {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) || seen.contains(&name) {
            return Err("names of visible signs, each once, with their values in base64 behind a blank");
        }
        seen.push(name);
        let bytes = STANDARD.decode(value).map_err(|_| "values in base64")?;
        if name == "filename" {
            found = Some(String::from_utf8(bytes).map_err(|_| "a file name in UTF-8")?);
        }
    }
    Ok(found)
}

/// Begins an upload that comes piece by piece; the body may hold the first one.
pub async fn create(app: Arc<App>, headers: &HeaderMap, body: Body) -> ApiResult<Response> {
    check_version(headers)?;
    if headers.contains_key(UPLOAD_DEFER_LENGTH) {
        return Err(unreadable(&UPLOAD_LENGTH, "the whole length now; it cannot be said later"));
    }
    let bytes = number(headers, &UPLOAD_LENGTH)?
        .ok_or_else(|| unreadable(&UPLOAD_LENGTH, "the length of the whole file"))?;
    if bytes == 0 {
        return Err(ApiError::invalid_at("", "the file is empty"));
    }
    let length = i64::try_from(bytes).ok().filter(|_| bytes <= app.upload_max_bytes);
    let length = length.ok_or_else(|| too_large(&app))?;
    let announced = announced(headers, &body);
    if !is_piece(headers) && announced.is_some_and(|announced| announced > 0) {
        return Err(wrong_kind());
    }
    let metadata = match headers.get(UPLOAD_METADATA) {
        None => None,
        Some(value) => {
            let text = value.to_str().ok().map(str::trim).filter(|text| text.len() <= LONGEST_METADATA);
            let expected = format!("at most {LONGEST_METADATA} bytes of ASCII");
            Some(text.ok_or_else(|| unreadable(&UPLOAD_METADATA, expected))?).filter(|text| !text.is_empty())
        }
    };
    let name = metadata.map(file_name).transpose().map_err(|why| unreadable(&UPLOAD_METADATA, why))?;
    let name = uploads::name(name.flatten()).map_err(|why| unreadable(&UPLOAD_METADATA, why))?;
    let id = UploadId::generate();
    let upload = resumable::begin(&app, id, name.as_deref(), metadata, length).await?;
    let mut progress = Progress { received: 0, expires_at: Some(upload.expires_at) };
    if is_piece(headers) && announced != Some(0) {
        progress = resumable::append(app, id, 0, announced, body).await?;
    }
    let mut response = StatusCode::CREATED.into_response();
    put(&mut response, header::LOCATION, &format!("/v1/uploads/{id}"));
    say(&mut response, progress);
    Ok(response)
}

/// Ask how far an upload is
///
/// In tus: `Upload-Offset` says from where to go on. An upload of which everything has come but which is not complete, because
/// its last request failed, is completed first.
#[utoipa::path(
    head,
    operation_id = "upload_offset",
    path = "/v1/uploads/{id}", tag = "uploads", params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 200, description = "How far it is",
               headers(("Upload-Offset" = u64, description = "Bytes that have come"), ("Upload-Length" = u64, description = "Bytes that there will be"),
                       ("Upload-Metadata" = String, description = "As it was said when the upload began"),
                       ("Upload-Expires" = String, description = "When it goes, unless it is complete"))),
              (status = 404, description = "No such upload, or not any more"),
              (status = 423, description = "Everything has come, and another request is putting it together"))
)]
pub async fn offset(State(app): State<Arc<App>>, Path(id): Path<UploadId>, headers: HeaderMap) -> Response {
    let look = async {
        if is_spoken(&headers) {
            check_version(&headers)?;
        }
        let mut unfinished = resumable::find_settled(&app, id).await?;
        if unfinished.as_ref().is_some_and(|upload| upload.received == upload.bytes) {
            resumable::complete(app.clone(), id).await?;
            unfinished = resumable::find(&app, id).await?;
        }
        let (bytes, metadata, progress) = match unfinished {
            Some(upload) => {
                let expires_at = Some(upload.expires_at);
                (upload.bytes, upload.metadata, Progress { received: upload.received, expires_at })
            }
            None => {
                let (bytes, metadata) = uploads::length(&app, id).await?;
                (bytes, metadata, Progress { received: bytes, expires_at: None })
            }
        };
        let mut response = StatusCode::OK.into_response();
        say(&mut response, progress);
        put(&mut response, UPLOAD_LENGTH, &bytes.to_string());
        put(&mut response, header::CACHE_CONTROL, "no-store");
        if let Some(metadata) = metadata {
            put(&mut response, UPLOAD_METADATA, &metadata);
        }
        Ok(response)
    };
    answer(look.await)
}

/// Go on with an upload
///
/// In tus: the body is what follows `Upload-Offset`. What came of a body that breaks off is kept. With the last byte the upload is
/// complete when this is answered.
#[utoipa::path(
    patch,
    operation_id = "continue_upload",
    path = "/v1/uploads/{id}", tag = "uploads",
    params(("id" = UploadId, Path, description = "The upload"),
           ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
           ("Upload-Offset" = u64, Header, description = "Bytes that have come so far")),
    request_body(content_type = "application/offset+octet-stream", description = "What follows them"),
    responses((status = 204, description = "It is kept",
               headers(("Upload-Offset" = u64, description = "Bytes that have come now"),
                       ("Upload-Expires" = String, description = "When it goes, unless it is complete"))),
              (status = 400, body = Problem, content_type = "application/problem+json", description = "A header cannot be read"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such upload, or not any more"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The offset is another one, or somebody else goes on with it"),
              (status = 412, body = Problem, content_type = "application/problem+json", description = "Another version of tus"),
              (status = 413, body = Problem, content_type = "application/problem+json", description = "More than what is left"),
              (status = 415, body = Problem, content_type = "application/problem+json", description = "Another content type"),
              (status = 423, body = Problem, content_type = "application/problem+json", description = "Another request is adding to it"))
)]
pub async fn append(
    State(app): State<Arc<App>>,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let add = async {
        check_version(&headers)?;
        if !is_piece(&headers) {
            return Err(wrong_kind());
        }
        let offset = number(&headers, &UPLOAD_OFFSET)?
            .ok_or_else(|| unreadable(&UPLOAD_OFFSET, "the bytes that have come so far"))?;
        let announced = announced(&headers, &body);
        let progress = match resumable::find(&app, id).await? {
            Some(_) => resumable::append(app, id, offset, announced, body).await?,
            None => {
                let (bytes, _) = uploads::length(&app, id).await?;
                // The answer to the last piece was lost, and nothing is sent again.
                if offset != bytes || announced != Some(0) {
                    return Err(ApiError::new(ProblemCode::Conflict, "The upload is complete."));
                }
                Progress { received: bytes, expires_at: None }
            }
        };
        let mut response = StatusCode::NO_CONTENT.into_response();
        say(&mut response, progress);
        Ok(response)
    };
    answer(add.await)
}

/// Ask what is spoken of tus
///
/// Versions, extensions and the largest file. This has nothing to do with other origins: none is admitted.
#[utoipa::path(
    options,
    operation_id = "upload_options",
    path = "/v1/uploads", tag = "uploads",
    responses((status = 204, description = "What is spoken",
               headers(("Tus-Version" = String, description = "`1.0.0`"), ("Tus-Extension" = String, description = "With commas between them"),
                       ("Tus-Max-Size" = u64, description = "The largest file, in bytes"))))
)]
pub async fn options(State(app): State<Arc<App>>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(TUS_VERSION, VERSION);
    response.headers_mut().insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    put(&mut response, TUS_MAX_SIZE, &app.upload_max_bytes.to_string());
    answer(Ok(response))
}

/// How long a body is, where that is known before it comes.
fn announced(headers: &HeaderMap, body: &Body) -> Option<u64> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    said.or_else(|| body.is_end_stream().then_some(0))
}

fn wrong_kind() -> ApiError {
    ApiError::new(ProblemCode::UnsupportedMediaType, format!("Send Content-Type: {PIECE}."))
}

/// Says how far an upload is.
fn say(response: &mut Response, progress: Progress) {
    put(response, UPLOAD_OFFSET, &progress.received.to_string());
    if let Some(moment) = progress.expires_at {
        put(response, UPLOAD_EXPIRES, &http_date(moment));
    }
}

fn http_date(moment: DateTime<Utc>) -> String {
    httpdate::fmt_http_date(moment.into())
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    // All of them are digits, dates, ids, or what came in a header.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_come_in_base64() {
        for (metadata, name) in [
            ("filename Y2xpcC5ta3Y=", Some("clip.mkv")),
            ("filetype dmlkZW8vbXA0,filename 5Yud44Gh,is_private", Some("勝ち")),
            ("is_private, filename Y2xpcA==", Some("clip")),
            ("filetype dmlkZW8vbXA0", None),
            ("filename", Some("")),
        ] {
            assert_eq!(file_name(metadata).unwrap().as_deref(), name, "{metadata}");
        }
        for metadata in
            ["filename clip.mkv", "filename /w==", "a YQ==,a YQ==", ",", "", "a b c", "na\u{7f}me YQ=="]
        {
            assert!(file_name(metadata).is_err(), "{metadata}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        let read = |value: &'static str| {
            number(&HeaderMap::from_iter([(UPLOAD_OFFSET, HeaderValue::from_static(value))]), &UPLOAD_OFFSET)
        };
        assert_eq!(read("12").unwrap(), Some(12));
        for value in ["", "-1", "+1", "1.5", "x", "99999999999999999999999"] {
            assert!(read(value).is_err(), "{value}");
        }
        assert_eq!(number(&HeaderMap::new(), &UPLOAD_OFFSET).unwrap(), None);
    }
}
