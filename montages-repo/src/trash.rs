//! The trash: deleting montages, restoring them, and deleting them for good.
//!
//! Promises: a deleted montage is gone from every answer when the deletion is answered; until it has been deleted for
//! `SM_TRASH_KEEP`, restoring brings back all of it; then row and objects go, and only that its job had a montage is remembered.
//! From the deletion on, no publish brings it back: first the row refuses it, then `montages.deleted`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use contracts::{
    ids::{JobId, MontageId},
    montage::Montage,
    problem::Problem,
};
use service_kit::{
    extract::Path,
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;

use crate::{app::App, conditional::may_change, edit::changed_meanwhile, previews, results, rows::etag};

/// Delete a montage
///
/// With its media. It is absent from now on, and can be restored for a while (`SM_TRASH_KEEP`, an hour unless set otherwise). A late
/// publish of its job does not bring it back.
#[utoipa::path(
    delete,
    operation_id = "delete_montage",
    path = "/v1/montages/{id}", tag = "montages",
    params(("id" = MontageId, Path, description = "The montage"),
           ("If-Match" = Option<String>, Header, description = "Delete only this version")),
    responses((status = 204, description = "Deleted"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage"),
              (status = 412, body = Problem, content_type = "application/problem+json", description = "It is in another version"))
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<MontageId>,
    headers: HeaderMap,
) -> ApiResult<StatusCode> {
    let mut tx = app.pool.begin().await?;
    let present = sqlx::query!(
        "SELECT version, job_id FROM montages.montages WHERE id = $1 AND deleted_at IS NULL FOR UPDATE",
        id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| ApiError::not_found("montage"))?;
    if !may_change(&headers, &etag(present.version)) {
        return Err(changed_meanwhile());
    }
    sqlx::query!("UPDATE montages.montages SET deleted_at = now() WHERE id = $1", id.0)
        .execute(&mut *tx)
        .await?;
    previews::remove(&mut tx, JobId(present.job_id)).await?;
    tx.commit().await?;
    // The preview's objects, and the montage's where none are kept.
    app.reap.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a montage
///
/// One that was deleted a short while ago comes back as it was, in a new version. One that is not deleted is answered as it is.
#[utoipa::path(
    post,
    operation_id = "restore_montage",
    path = "/v1/montages/{id}/restore", tag = "montages", params(("id" = MontageId, Path, description = "The montage")),
    responses((status = 200, body = Montage, description = "It is there"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage, or it is gone for good"))
)]
pub async fn restore(State(app): State<Arc<App>>, Path(id): Path<MontageId>) -> ApiResult<Response> {
    // Of many at once the first one restores it; for the others it is there.
    sqlx::query!(
        "UPDATE montages.montages SET deleted_at = NULL, version = version + 1 WHERE id = $1 AND deleted_at IS NOT NULL",
        id.0
    )
    .execute(&app.pool)
    .await?;
    results::answer(&app, StatusCode::OK, id).await
}

/// Deletes for good what has been in the trash for long enough: the rows now, their objects by the list of what is to go.
pub async fn empty(app: &App) -> ApiResult<()> {
    let gone = sqlx::query!(
        "WITH due AS (
             SELECT id FROM montages.montages
             WHERE deleted_at <= now() - $1::bigint * interval '1 second'
             ORDER BY deleted_at LIMIT 100 FOR UPDATE SKIP LOCKED
         ),
         gone AS (
             DELETE FROM montages.montages USING due WHERE montages.id = due.id
             RETURNING montages.id, montages.job_id, montages.deleted_at
         ),
         remembered AS (
             INSERT INTO montages.deleted (job_id, montage_id, deleted_at) SELECT job_id, id, deleted_at FROM gone
         )
         INSERT INTO montages.deletions (prefix, due_at, started) SELECT 'montages/' || job_id, now(), true FROM gone
         ON CONFLICT (prefix) DO UPDATE SET due_at = excluded.due_at, started = true",
        i64::try_from(app.trash_keep.as_secs()).unwrap_or(i64::MAX)
    )
    .execute(&app.pool)
    .await?;
    metrics::counter!("montages_deleted").increment(gone.rows_affected());
    Ok(())
}
