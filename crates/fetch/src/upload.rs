//! Sending a result by a signed link.
//!
//! Promises: the body has the announced length, is sent again from its start when a try fails, and the link is never shown. Where
//! the headers forbid replacing, "it is there already" is a success: an earlier try's answer was lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Body;
use tokio_util::io::ReaderStream;
use url::Url;

use crate::client::{Fault, Http, status_fault, transport_fault};
use crate::error::FetchError;
use crate::redact::RedactedUrl;

/// The slowest sender that is waited for, in bytes per second, beyond the usual limit of time.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 << 10;

/// What the receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The HTTP status: a success, or 412 where the object was there already.
    pub status: u16,
    /// The entity tag of what was stored, if it was told.
    pub etag: Option<String>,
    /// The bytes that were sent in the try that succeeded.
    pub bytes: u64,
}

/// A body that can be sent several times.
pub(crate) enum Content<'a> {
    File(&'a Path),
    Bytes(Bytes),
}

pub(crate) async fn put(
    http: &Arc<Http>,
    url: &Url,
    headers: &HeaderMap,
    content: Content<'_>,
) -> Result<Receipt, FetchError> {
    let mut tried = 0;
    loop {
        tried += 1;
        match attempt(http, url, headers, &content).await {
            Ok(receipt) => return Ok(receipt),
            Err(fault) => http.pause_or_fail(fault, tried).await?,
        }
    }
}

async fn attempt(
    http: &Http,
    url: &Url,
    headers: &HeaderMap,
    content: &Content<'_>,
) -> Result<Receipt, Fault> {
    let shown = RedactedUrl::new(url).to_string();
    let failed = |error: std::io::Error| Fault::last(FetchError::local("reading a file to send", &error));
    let (body, bytes) = match content {
        Content::Bytes(bytes) => (Body::from(bytes.clone()), bytes.len() as u64),
        Content::File(path) => {
            let file = tokio::fs::File::open(path).await.map_err(failed)?;
            let bytes = file.metadata().await.map_err(failed)?.len();
            (Body::wrap_stream(ReaderStream::with_capacity(file, 256 << 10)), bytes)
        }
    };
    let limit = http.config.timeout + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND);
    let request = http.ours().put(url.clone()).headers(headers.clone());
    // Said explicitly, because a stream has no length of its own and stores refuse bodies without one.
    let request = request.header(CONTENT_LENGTH, HeaderValue::from(bytes)).body(body);
    let response = match tokio::time::timeout(limit, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(transport_fault(&shown, &error)),
        Err(_) => {
            return Err(Fault::again(FetchError::Timeout {
                source_name: shown,
                reason: "the upload was not accepted in time".to_owned(),
            }));
        }
    };
    let kept = response.status() == StatusCode::PRECONDITION_FAILED && headers.contains_key(IF_NONE_MATCH);
    if !response.status().is_success() && !kept {
        return Err(status_fault(&shown, &response));
    }
    let etag =
        response.headers().get(http::header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    Ok(Receipt { status: response.status().as_u16(), etag, bytes })
}
