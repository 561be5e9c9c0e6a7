//! The routes of results: `POST /v1/results` and whether a job has one.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    ids::{JobId, MontageId},
    montage::{Montage, MontageSummary, PublishRequest, share_text},
    problem::Problem,
};
use service_kit::{
    extract::{Json, Path},
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;

use crate::{
    app::App,
    publish::{self, Outcome},
    rows::MontageRow,
};

/// Publish a montage
///
/// By the holder of the job's lease. The same publish again is answered the same; a newer attempt's takes the place of
/// an older one's under the same id; an older one is refused.
#[utoipa::path(
    post,
    operation_id = "publish_result",
    path = "/v1/results", tag = "executors", request_body = PublishRequest,
    responses((status = 201, body = Montage, description = "Published"),
              (status = 200, body = Montage, description = "Published before by this attempt, or in place of an older attempt's"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease has passed on (`stale_fence`), or the montage was deleted (`conflict`)"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "A piece is missing or something contradicts itself"))
)]
pub async fn publish(
    State(app): State<Arc<App>>,
    Json(request): Json<PublishRequest>,
) -> ApiResult<Response> {
    publish::check(&request)?;
    app.check_lease(request.job_id, request.executor_id, request.fence).await?;
    let (status, id) = match publish::publish(&app, &request).await? {
        Outcome::Created(id) => (StatusCode::CREATED, id),
        Outcome::Replaced(id) | Outcome::Replayed(id) => (StatusCode::OK, id),
    };
    if status == StatusCode::CREATED {
        metrics::counter!("montages_published").increment(1);
        let copied = share_text(request.provenance.frames_copied, request.media.frames);
        tracing::info!(job_id = %request.job_id, montage_id = %id, fence = request.fence, copied, "published");
    }
    answer(&app, status, id).await
}

/// A montage with its location and entity tag.
pub async fn answer(app: &App, status: StatusCode, id: MontageId) -> ApiResult<Response> {
    let row = MontageRow::find(&app.pool, id).await?;
    let etag = HeaderValue::try_from(row.etag()).map_err(ApiError::internal)?;
    let location = HeaderValue::try_from(format!("/v1/montages/{id}")).map_err(ApiError::internal)?;
    Ok((status, [(header::ETAG, etag), (header::LOCATION, location)], Json(row.into_montage()))
        .into_response())
}

/// The result of a job, if it has one
///
/// For executors: a job that was published before its lease was lost is only completed, not made again.
#[utoipa::path(
    get,
    operation_id = "get_result",
    path = "/v1/results/{job_id}", tag = "executors", params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, body = MontageSummary, description = "It has"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "It has none"))
)]
pub async fn get(State(app): State<Arc<App>>, Path(job): Path<JobId>) -> ApiResult<Json<MontageSummary>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM montages.montages WHERE job_id = $1 AND deleted_at IS NULL",
        job.0
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(|| ApiError::not_found("result"))?;
    Ok(Json(MontageRow::find(&app.pool, id.into()).await?.summary()))
}
