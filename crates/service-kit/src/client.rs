//! Calls between services: JSON over HTTP with the internal token; problems come back as problems.

use contracts::problem::{Problem, ProblemCode};
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Once, time::Duration};

use crate::{caller::REQUEST_ID_HEADER, http::HEAD, problem::ApiError};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service answered with a problem.
    #[error("{} {}: {}", .0.status, .0.code, .0.detail.as_deref().unwrap_or(&.0.title))]
    Problem(Box<Problem>),
    /// The service did not answer, or not in a form that we know.
    #[error("{service} does not answer")]
    Unreachable {
        /// Which service.
        service: String,
        /// Why; its address is left out.
        #[source]
        source: anyhow::Error,
    },
}

impl CallError {
    /// The problem's code, where the service answered with one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            Self::Unreachable { .. } => None,
        }
    }
}

impl From<CallError> for ApiError {
    /// Problems pass through to the client; the rest is a part that is not there.
    fn from(error: CallError) -> Self {
        match error {
            CallError::Problem(problem) if problem.status < 500 => (*problem).into(),
            error => Self::unavailable("Another service", error),
        }
    }
}

/// A client for anything over HTTP. Installs the process's TLS provider on first use.
///
/// # Errors
/// When the TLS roots of the system cannot be read.
pub fn http_client(timeout: Option<Duration>) -> anyhow::Result<reqwest::Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another part of the process may have installed it already: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        // Before a service closes what rests, so that no request meets a connection that is just being closed.
        .pool_idle_timeout(HEAD / 2)
        .user_agent(concat!("stream-montages/", env!("CARGO_PKG_VERSION")));
    if let Some(timeout) = timeout {
        builder = builder.timeout(timeout);
    }
    Ok(builder.build()?)
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct ServiceClient {
    service: &'static str,
    base: String,
    token: Option<SecretString>,
    client: reqwest::Client,
}

impl ServiceClient {
    /// A client for a service at an address such as `http://127.0.0.1:8081`, showing it a token.
    ///
    /// # Errors
    /// When the TLS roots of the system cannot be read.
    pub fn new(service: &'static str, base: &str, token: Option<SecretString>) -> anyhow::Result<Self> {
        let client = http_client(Some(Duration::from_secs(60)))?;
        Ok(Self { service, base: base.trim_end_matches('/').to_owned(), token, client })
    }

    /// A request to a path of the service, with the token; for what [`ServiceClient::call`] does not cover.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        request
    }

    /// Sends a body and reads the answer; `None` for 204 and 304.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        headers: &[(&'static str, &str)],
    ) -> Result<Option<T>, CallError> {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(error.without_url()))?;
        self.read(response).await
    }

    /// `GET` of JSON; `None` for 404.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, CallError> {
        match self.call::<(), T>(Method::GET, path, None, &[]).await {
            Err(CallError::Problem(problem)) if problem.code == ProblemCode::NotFound.as_str() => Ok(None),
            other => other,
        }
    }

    async fn read<T: DeserializeOwned>(&self, response: reqwest::Response) -> Result<Option<T>, CallError> {
        let status = response.status();
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(None);
        }
        let request_id = response.headers().get(REQUEST_ID_HEADER).cloned();
        let is_problem = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"));
        let bytes = response.bytes().await.map_err(|error| self.unreachable(error.without_url()))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map(Some).map_err(|error| self.unreachable(error));
        }
        if is_problem && let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) {
            return Err(CallError::Problem(Box::new(problem)));
        }
        Err(self.unreachable(anyhow::anyhow!("status {status}, request {request_id:?}")))
    }

    fn unreachable(&self, error: impl Into<anyhow::Error>) -> CallError {
        CallError::Unreachable { service: self.service.to_owned(), source: error.into() }
    }
}
