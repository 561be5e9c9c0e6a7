//! The route for those who want to know who works.

use axum::extract::State;
use contracts::executor::Executors;
use service_kit::{extract::Json, problem::ApiResult};
use std::sync::Arc;

use crate::{app::App, executors};

/// List executors
///
/// Those that asked for work within a day: who is there, and who works on what, how far it is and until when its lease lasts.
#[utoipa::path(get, path = "/v1/executors", tag = "jobs", responses((status = 200, description = "The executors.", body = Executors)))]
pub async fn executors(State(app): State<Arc<App>>) -> ApiResult<Json<Executors>> {
    Ok(Json(executors::list(&mut *app.pool.acquire().await?).await?))
}
