//! `If-Match`: a change happens only to the version that its sender has read (RFC 9110, section 13.1.1).

use axum::http::{HeaderMap, header};
use contracts::problem::ProblemCode;

use crate::problem::{ApiError, ApiResult};

/// Whether the value of an `If-Match` names an ETag, which stands in its quotes. A weak tag names nothing here.
#[must_use]
pub fn names(wanted: &str, etag: &str) -> bool {
    wanted.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag)
}

/// Refuses a request whose `If-Match` does not name the present ETag. One that cannot be read names nothing.
///
/// # Errors
/// `precondition_failed`, with the present ETag.
pub fn check_if_match(headers: &HeaderMap, etag: &str) -> ApiResult<()> {
    match headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default()) {
        Some(wanted) if !names(wanted, etag) => {
            Err(ApiError::new(ProblemCode::PreconditionFailed, format!("Its ETag is {etag} now.")))
        }
        _ => Ok(()),
    }
}
