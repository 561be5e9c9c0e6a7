//! Who is calling, as the gateway found out: it strips these headers from what clients send and sets them itself.

use axum::{extract::FromRequestParts, http::request::Parts};
use std::convert::Infallible;

/// Header with the id of the API key (or `open` in open mode).
pub const KEY_HEADER: &str = "x-sm-key";
/// Header that names the request in all logs.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The caller of an internal service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The id of the key, `open` in open mode, `internal` for another service.
    pub key: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let key = parts.headers.get(KEY_HEADER).and_then(|value| value.to_str().ok()).unwrap_or("internal");
        Ok(Self { key: key.to_owned() })
    }
}
