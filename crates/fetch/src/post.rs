//! Telling a receiver that a user named: one POST, with every rule of the guard.
//!
//! Promises: it is sent once, no redirect is followed, and whatever the receiver does, it is over in time. Nothing of the answer
//! but its status is read, so that its body can be of any size and hold anything.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

use crate::client::{Http, transport_fault};
use crate::door;
use crate::error::FetchError;
use crate::redact::RedactedUrl;

/// The status of the answer, whichever it is. How many are sent at once is the caller's to bound: those who wait for slow
/// receivers take no place from what is being fetched.
pub(crate) async fn post(
    http: &Http,
    url: &Url,
    headers: &HeaderMap,
    body: Bytes,
    within: Duration,
) -> Result<u16, FetchError> {
    let door = door::judge(url, &http.config.allow)?;
    let source_name = RedactedUrl::new(url).to_string();
    let request = http.client(door).post(url.clone()).headers(headers.clone()).body(body);
    match tokio::time::timeout(within, request.send()).await {
        Ok(Ok(response)) => Ok(response.status().as_u16()),
        Ok(Err(error)) => Err(transport_fault(&source_name, &error).error),
        Err(_) => {
            let reason = format!("there was no answer within {} seconds", within.as_secs_f64());
            Err(FetchError::Timeout { source_name, reason })
        }
    }
}
