//! Routes of browser sessions: a page trades its key for a cookie.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use contracts::{key::Scope, problem::Problem};
use serde::Serialize;
use service_kit::{extract::Json, problem::ApiResult};
use utoipa::ToSchema;

use crate::{
    Gateway,
    auth::{Identity, Visitor},
    config::AuthMode,
};

/// How a page stands with the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionInfo {
    /// Whether a key is needed at all.
    pub keys_needed: bool,
    /// What is allowed now; empty before a key was shown.
    pub scopes: Vec<Scope>,
}

impl SessionInfo {
    fn of(mode: AuthMode, identity: Option<Identity>) -> Self {
        Self {
            keys_needed: mode == AuthMode::Keys,
            scopes: identity.map(|identity| identity.scopes).unwrap_or_default(),
        }
    }
}

/// Begin a session
///
/// For web pages: shows a key once and gets a cookie that stands for it for twelve hours. The cookie can be read by no
/// script and is sent by no other site.
#[utoipa::path(
    operation_id = "begin_session",
    post, path = "/v1/session", tag = "keys",
    responses(
        (status = 200, description = "The cookie is set", body = SessionInfo),
        (status = 401, description = "The key is not known", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong keys came from this address", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn sign_in(State(gateway): State<Arc<Gateway>>, visitor: Visitor) -> ApiResult<impl IntoResponse> {
    if gateway.door.mode() == AuthMode::Open {
        let identity = gateway.door.identify(&visitor).await?;
        return Ok(Json(SessionInfo::of(AuthMode::Open, identity)).into_response());
    }
    let now = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or_default();
    let (identity, cookie) = gateway.door.sign_in(&visitor, now).await?;
    tracing::info!(key = identity.name, "a session began");
    Ok(([(header::SET_COOKIE, cookie)], Json(SessionInfo::of(AuthMode::Keys, Some(identity))))
        .into_response())
}

/// Show the session
///
/// Needs no key: a page asks it whether it has to ask for one.
#[utoipa::path(
    operation_id = "show_session",get, path = "/v1/session", tag = "keys", responses((status = 200, description = "How the page stands", body = SessionInfo)))]
pub async fn show(State(gateway): State<Arc<Gateway>>, visitor: Visitor) -> ApiResult<Json<SessionInfo>> {
    let identity = gateway.door.identify(&visitor).await?;
    Ok(Json(SessionInfo::of(gateway.door.mode(), identity)))
}

/// End the session
///
/// Takes the cookie back from the browser. To end it everywhere, revoke its key.
#[utoipa::path(
    operation_id = "end_session",
    delete, path = "/v1/session", tag = "keys",
    responses(
        (status = 204, description = "The cookie is gone"),
        (status = 403, description = "A page of another origin asks for it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn sign_out(State(gateway): State<Arc<Gateway>>, visitor: Visitor) -> ApiResult<impl IntoResponse> {
    gateway.door.check_session(&visitor)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gateway.door.sessions.end())]))
}
