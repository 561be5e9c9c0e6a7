//! Small documents from addresses that users gave: lists of highlights.
//!
//! A list may need a token of the operator's. Promises: it is sent to the origin that it is for and no further, over TLS or to what
//! the operator opened, and is in no error.

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::client::{Fault, Http, Trust, status_fault, unusable};
use crate::door;
use crate::error::FetchError;
use crate::headers;
use crate::redact::RedactedUrl;

/// A document, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Bytes,
    /// What the server calls it, without parameters; lower case.
    pub content_type: Option<String>,
    /// The address that answered, behind all redirects: what addresses in it are relative to.
    pub url: Url,
}

/// The header that shows a token (RFC 6750, section 2.1).
pub(crate) fn bearer(http: &Http, url: &Url, token: &SecretString) -> Result<HeaderMap, FetchError> {
    door::judge_secret(url, &http.config.allow)?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| unusable(url, "its token has characters that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// A document of at most `most` bytes; `private` goes to its own origin only.
pub(crate) async fn fetch(
    http: &Http,
    url: &Url,
    most: u64,
    private: &HeaderMap,
) -> Result<Document, FetchError> {
    let fetching = async {
        let mut tried = 0;
        loop {
            tried += 1;
            match attempt(http, url, most, private).await {
                Ok(document) => return Ok(document),
                Err(fault) => http.pause_or_fail(fault, tried).await?,
            }
        }
    };
    tokio::time::timeout(http.config.timeout, fetching).await.unwrap_or_else(|_| {
        Err(FetchError::Timeout {
            source_name: RedactedUrl::new(url).to_string(),
            reason: "the time for one request and its retries is over (SM_FETCH_TIMEOUT)".to_owned(),
        })
    })
}

async fn attempt(http: &Http, url: &Url, most: u64, private: &HeaderMap) -> Result<Document, Fault> {
    let shown = RedactedUrl::new(url).to_string();
    let too_large = || {
        let bound = "a document may have";
        Fault::last(FetchError::TooLarge { source_name: shown.clone(), limit: most, bound })
    };
    let mut answer = http.get_with(url, Trust::Guarded, &HeaderMap::new(), private).await?;
    let response = &mut answer.response;
    if response.status() != StatusCode::OK {
        return Err(status_fault(&shown, response));
    }
    if !headers::is_identity(response.headers()) {
        return Err(Fault::last(unusable(
            url,
            "the server sends it compressed, although that was not asked for",
        )));
    }
    let announced = headers::content_length(response.headers());
    if announced.is_some_and(|announced| announced > most) {
        return Err(too_large());
    }
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let mut bytes = BytesMut::new();
    loop {
        let piece = http.next_piece(&shown, response).await.map_err(|fault| match fault.error {
            FetchError::EndedEarly { source_name, .. } => Fault::again(FetchError::EndedEarly {
                source_name,
                expected: announced.unwrap_or_default(),
                got: bytes.len() as u64,
            }),
            _ => fault,
        })?;
        let Some(piece) = piece else { break };
        if (bytes.len() + piece.len()) as u64 > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Document { bytes: bytes.freeze(), content_type, url: answer.url })
}
