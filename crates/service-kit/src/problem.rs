//! Errors as they leave a service: `application/problem+json`, with nothing internal in it.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::problem::{FieldError, Problem, ProblemCode};

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    /// What the client sees.
    pub problem: Box<Problem>,
    /// Sent as `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// What handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A problem with a code and what happened.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        code.problem(detail).into()
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemCode::NotFound, format!("There is no such {what}."))
    }

    /// Mistakes in what was sent.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Problem::invalid_spec(errors).into()
    }

    /// One mistake in what was sent.
    pub fn invalid_at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// Something of ours broke: logged here with its causes, shown to nobody.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        let error: anyhow::Error = error.into();
        tracing::error!(error = format!("{error:#}"), "a request failed");
        Self::new(ProblemCode::Internal, "The logs explain it under this request_id.")
    }

    /// A part that is needed is not there: logged here with its causes.
    pub fn unavailable(part: &str, error: impl Into<anyhow::Error>) -> Self {
        let error: anyhow::Error = error.into();
        tracing::warn!(part, error = format!("{error:#}"), "a part is not there");
        Self {
            retry_after: Some(2),
            ..Self::new(ProblemCode::Unavailable, format!("{part} does not answer."))
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), retry_after: None }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_) => Self::unavailable("The database", error),
            // Classes 08 (connection), 53 (resources) and 57P (operator intervention: shutdown, crash).
            sqlx::Error::Database(ref inner)
                if inner.code().is_some_and(|code| {
                    code.starts_with("08") || code.starts_with("53") || code.starts_with("57P")
                }) =>
            {
                Self::unavailable("The database", error)
            }
            error => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // Read by the layer that adds the request id.
        response.extensions_mut().insert(self.problem);
        response
    }
}
