//! Answers with bytes: whole, in part, or not at all, as the request's conditions say.
//!
//! Promises: objects are streamed from the store as fast as the reader takes them; every answer carries its entity tag,
//! `Accept-Ranges` and `X-Content-Type-Options: nosniff`; a connection that ends early ends the reading from the store.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use contracts::problem::ProblemCode;
use fetch::{ObjectKey, Store};
use service_kit::problem::{ApiError, ApiResult};
use sha2::{Digest, Sha256};
use std::ops::Range;

use crate::{
    app::store_error,
    conditional::{Representation, Verdict, judge},
};

/// What is served.
pub struct Entity {
    /// A strong entity tag, with its quotes.
    pub etag: String,
    /// When its bytes last changed, where dates can tell.
    pub last_modified: Option<DateTime<Utc>>,
    pub length: u64,
    pub content_type: &'static str,
    /// `Content-Disposition`, for a download.
    pub disposition: Option<HeaderValue>,
}

/// Serves an object of the store.
pub async fn object(
    store: &Store,
    key: &ObjectKey,
    entity: &Entity,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let (wanted, mut response) = begin(entity, method, headers)?;
    let Some(wanted) = wanted else { return Ok(response) };
    let part = (wanted != (0..entity.length)).then_some(wanted);
    let body = store.get(key, part).await.map_err(store_error)?;
    if body.info.size != entity.length {
        return Err(ApiError::internal(anyhow::anyhow!(
            "object {key} has {} bytes instead of {}",
            body.info.size,
            entity.length
        )));
    }
    *response.body_mut() = Body::from_stream(body.stream);
    Ok(response)
}

/// Serves bytes that are in memory; their hash is their entity tag.
pub fn bytes(
    body: impl Into<Bytes>,
    content_type: &'static str,
    disposition: Option<HeaderValue>,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Response> {
    let body: Bytes = body.into();
    let entity = Entity {
        etag: format!("\"{}\"", hex::encode(Sha256::digest(&body))),
        last_modified: None,
        length: body.len() as u64,
        content_type,
        disposition,
    };
    let (wanted, mut response) = begin(&entity, method, headers)?;
    if let Some(wanted) = wanted {
        // The judge keeps parts inside the length, which is that of a slice in memory.
        *response.body_mut() = Body::from(body.slice(wanted.start as usize..wanted.end as usize));
    }
    Ok(response)
}

/// Judges the request and makes the answer up to its body; says which bytes belong into that, if any do.
pub fn begin(
    entity: &Entity,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<(Option<Range<u64>>, Response)> {
    let now =
        Representation { etag: &entity.etag, last_modified: entity.last_modified, length: entity.length };
    let verdict = judge(method, headers, &now);
    let mut response = Response::new(Body::empty());
    let mut wanted = 0..entity.length;
    match verdict {
        Verdict::Whole => {}
        Verdict::NotModified => *response.status_mut() = StatusCode::NOT_MODIFIED,
        Verdict::Part { first, last } => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            wanted = first..last + 1;
            put(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", entity.length));
        }
        Verdict::PreconditionFailed => {
            return Err(ApiError::new(
                ProblemCode::PreconditionFailed,
                "It is not what the condition names. Read it again.",
            ));
        }
        Verdict::Unsatisfiable => {
            let problem = ApiError::new(
                ProblemCode::RangeNotSatisfiable,
                format!("There are {} bytes.", entity.length),
            );
            let mut response = problem.into_response();
            put(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", entity.length));
            put(&mut response, header::ACCEPT_RANGES, "bytes");
            return Ok((None, response));
        }
    }
    put(&mut response, header::ETAG, &entity.etag);
    put(&mut response, header::CACHE_CONTROL, "private, no-cache");
    put(&mut response, header::ACCEPT_RANGES, "bytes");
    if let Some(moment) = entity.last_modified {
        put(&mut response, header::LAST_MODIFIED, &httpdate::fmt_http_date(moment.into()));
    }
    if verdict != Verdict::NotModified {
        put(&mut response, header::CONTENT_TYPE, entity.content_type);
        put(&mut response, header::CONTENT_LENGTH, &(wanted.end - wanted.start).to_string());
        put(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if let Some(disposition) = &entity.disposition {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition.clone());
        }
    }
    let has_body = verdict != Verdict::NotModified && method != Method::HEAD;
    Ok((has_body.then_some(wanted), response))
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) {
    // Everything that is put is made of digits and fixed words; what were none would be left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
