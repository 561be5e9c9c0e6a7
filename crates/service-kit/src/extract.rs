//! Extractors that answer problems instead of plain text.

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection::BytesRejection},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use contracts::problem::ProblemCode;
use serde::{Serialize, de::DeserializeOwned};

use crate::problem::ApiError;

/// A JSON body, in and out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = content_type
            .unwrap_or("application/json")
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if kind != "application/json" && kind != "application/merge-patch+json" {
            return Err(ApiError::new(
                ProblemCode::UnsupportedMediaType,
                format!("`{kind}` is not accepted here; send application/json."),
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(body_error)?;
        // Through a value first: what is not JSON at all is another mistake than JSON of the wrong shape.
        let value: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|error| ApiError::new(ProblemCode::InvalidJson, format!("{error}.")))?;
        serde_json::from_value(value).map(Self).map_err(|error| ApiError::invalid_at("", error.to_string()))
    }
}

/// A body that may be left out: an empty one is none, whatever it is called.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::new(body), state).await.map_err(body_error)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// Why a body could not be read.
pub fn body_error(rejection: BytesRejection) -> ApiError {
    if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(ProblemCode::TooLarge, "The body is larger than this route accepts.")
    } else {
        ApiError::new(ProblemCode::InvalidJson, "The body ended early.")
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| {
                ApiError::new(ProblemCode::InvalidQuery, format!("{}.", rejection.body_text()))
            })
    }
}

/// Path parameters. What does not parse (an id that is no UUID) names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|_| ApiError::not_found("thing: the id in the path is not one"))
    }
}
