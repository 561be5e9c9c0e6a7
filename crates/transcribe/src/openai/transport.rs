//! How requests travel to the transcription service, and what its failures mean.
//!
//! `async-openai` builds the requests; this module sends them, because its own sender retries out of sight, drops
//! `Retry-After`, and expects every error to have OpenAI's exact form, which self-hosted services and proxies do not.
//! Answers are bounded in size.

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::TranscribeError;

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 16 << 20;
/// How much of a service's own message is kept.
const LONGEST_REASON: usize = 200;

/// The address and key of a service.
#[derive(Clone)]
pub(super) struct Service {
    base: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Config for Service {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }
    fn api_base(&self) -> &str {
        &self.base
    }
    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// Makes a client for the service at `base` (without a slash at its end).
pub(super) fn client(
    base: &str,
    key: Option<SecretString>,
    timeout: Duration,
) -> Result<Client<Service>, TranscribeError> {
    let bad = |reason: String| TranscribeError::BadConfig { reason };
    // The HTTP client is built without a TLS provider of its own and needs the process to have one. Where a service has
    // installed one already, this changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    if let Some(key) = &key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| bad("the service's key holds characters that cannot be sent".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(timeout)
        .build()
        .map_err(|error| bad(format!("cannot make an HTTP client: {error}")))?;
    let service = Service { base: base.to_owned(), key: key.unwrap_or_default(), headers };
    let send = tower::service_fn(move |request: HttpRequestFactory| {
        let http = http.clone();
        async move { send(&http, request).await }
    });
    Ok(Client::with_config(service).with_http_service(send))
}

async fn send(http: &reqwest::Client, request: HttpRequestFactory) -> Result<Response, OpenAIError> {
    let mut response = http.execute(request.build().await?).await?;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(Failure::Status { status, retry_after, problem: Problem::read(&body) }.into());
    }
    Ok(http::Response::new(body).into())
}

/// A failure on its way through `async-openai`, which passes it on as it is.
#[derive(Debug)]
enum Failure {
    Status { status: StatusCode, retry_after: Option<Duration>, problem: Problem },
    TooLarge,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { status, .. } => write!(out, "status {status}"),
            Self::TooLarge => write!(out, "the answer is larger than {} MiB", LARGEST_ANSWER >> 20),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

/// What a service says about a failure.
#[derive(Debug, Default)]
struct Problem {
    message: String,
    code: String,
}

impl Problem {
    /// Reads OpenAI's form `{"error": {"message", "code"}}` and the `{"detail": "…"}` of self-hosted services; a body of
    /// any other form says nothing that should be shown.
    fn read(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Option<Inner>,
            detail: Option<String>,
        }
        #[derive(Deserialize)]
        struct Inner {
            message: Option<String>,
            code: Option<serde_json::Value>,
        }
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return Self::default() };
        let (message, code) = match body.error {
            Some(inner) => (inner.message, inner.code),
            None => (body.detail, None),
        };
        let code = code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
        let message =
            message.unwrap_or_default().chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
        Self { message, code }
    }

    fn reason(self) -> String {
        if self.message.is_empty() { "it gave no reason".to_owned() } else { self.message }
    }
}

/// The whole seconds of `Retry-After`. Its other form, a date, is left out: it needs both clocks to agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a failure means for the caller.
pub(super) fn typed(error: OpenAIError, endpoint: &str) -> TranscribeError {
    let endpoint = endpoint.to_owned();
    let unavailable =
        |reason: String| TranscribeError::EngineUnavailable { endpoint: endpoint.clone(), reason };
    let error = match error {
        OpenAIError::Boxed(boxed) => boxed,
        OpenAIError::Reqwest(error) => {
            let reason = if error.is_timeout() {
                "it did not answer in time"
            } else if error.is_connect() {
                "cannot connect to it"
            } else {
                "the connection broke"
            };
            return unavailable(reason.to_owned());
        }
        other => return TranscribeError::BadAnswer { endpoint, reason: other.to_string() },
    };
    match error.downcast::<Failure>().map(|failure| *failure) {
        Ok(Failure::Status { status, retry_after, problem }) => match status.as_u16() {
            // Without quota, waiting does not help.
            429 if problem.code == "insufficient_quota" => {
                TranscribeError::Refused { status: 429, reason: problem.reason() }
            }
            429 => TranscribeError::RateLimited { retry_after },
            408 | 425 | 500.. => unavailable(format!("it answered with status {}", status.as_u16())),
            code => TranscribeError::Refused { status: code, reason: problem.reason() },
        },
        Ok(failure @ Failure::TooLarge) => {
            TranscribeError::BadAnswer { endpoint, reason: failure.to_string() }
        }
        Err(other) => unavailable(other.to_string()),
    }
}
