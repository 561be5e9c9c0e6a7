//! Transcribing again: the request for it, and its result.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    decode::Mistakes,
    ids::MontageId,
    job::{Job, JobState},
    montage::{Clip, Montage, PublishTranscriptRequest, TranscribeRequest},
    problem::{Problem, ProblemCode},
    spec::JobSpec,
    transcript::Engine,
};
use service_kit::{
    caller::{Caller, KEY_HEADER},
    extract::{Json, Path},
    problem::{ApiError, ApiResult},
};
use sha2::{Digest, Sha256};
use sqlx::types::Json as Column;
use std::sync::Arc;

use crate::{app::App, publish, results, rows::MontageRow};

/// Replace a montage's transcript
///
/// By the holder of the lease on a `transcript` job for this very montage.
#[utoipa::path(
    post,
    operation_id = "publish_transcript",
    path = "/v1/results/transcript", tag = "executors", request_body = PublishTranscriptRequest,
    responses((status = 200, body = Montage, description = "Replaced"),
              (status = 403, body = Problem, content_type = "application/problem+json", description = "The job is not about this montage"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease has passed on"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "A cue is nowhere on the montage"))
)]
pub async fn publish(
    State(app): State<Arc<App>>,
    Json(request): Json<PublishTranscriptRequest>,
) -> ApiResult<Response> {
    app.check_lease(request.job_id, request.executor_id, request.fence).await?;
    match app.job(request.job_id).await?.spec {
        JobSpec::Transcript(spec) if spec.montage == request.montage_id => {}
        _ => {
            return Err(ApiError::new(
                ProblemCode::Forbidden,
                "The job is not about the transcript of this montage.",
            ));
        }
    }
    let mut tx = app.pool.begin().await?;
    let present = sqlx::query!(
        r#"SELECT clips AS "clips: Column<Vec<Clip>>", transcript_job_id, transcript_fence
           FROM montages.montages WHERE id = $1 AND deleted_at IS NULL FOR UPDATE"#,
        request.montage_id.0
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| ApiError::not_found("montage"))?;
    let newer = present.transcript_fence.is_some_and(|fence| fence > request.fence);
    if present.transcript_job_id == Some(request.job_id.0) && newer {
        return Err(ApiError::new(
            ProblemCode::StaleFence,
            "A newer attempt has published. Nothing was changed.",
        ));
    }
    let mut mistakes = Mistakes::default();
    publish::check_transcript(&request.transcript, present.clips.len(), &mut mistakes);
    match serde_json::to_string(&request.transcript) {
        Ok(text) if !text.contains("\\u0000") => {}
        _ => mistakes.add("/transcript", "a text holds a NUL character or a number is not finite"),
    }
    mistakes.finish(Some(())).map_err(ApiError::invalid)?;
    sqlx::query!(
        "UPDATE montages.montages
         SET transcript = $2, transcript_job_id = $3, transcript_fence = $4, version = version + 1, updated_at = now()
         WHERE id = $1",
        request.montage_id.0,
        Column(publish::without_cues(&request.transcript)) as _,
        request.job_id.0,
        request.fence
    )
    .execute(&mut *tx)
    .await?;
    publish::replace_cues(&mut tx, request.montage_id.0, &request.transcript.cues).await?;
    tx.commit().await?;
    results::answer(&app, StatusCode::OK, request.montage_id).await
}

/// Transcribe a montage again
///
/// With another engine or language, or after a failure. Makes a `transcript` job; asking again while nothing has
/// changed answers the same job, and sends it again where it had ended without a result.
#[utoipa::path(
    post,
    operation_id = "transcribe_montage",
    path = "/v1/montages/{id}/transcribe", tag = "montages", request_body = TranscribeRequest,
    params(("id" = MontageId, Path, description = "The montage"),
           ("Idempotency-Key" = Option<String>, Header, description = "Instead of the key that is derived from the request")),
    responses((status = 202, body = Job, description = "The job that does it"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "No such montage"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "Its speech was not kept"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "The engine or language is not one"))
)]
pub async fn transcribe(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<MontageId>,
    headers: HeaderMap,
    Json(request): Json<TranscribeRequest>,
) -> ApiResult<Response> {
    if matches!(request.engine, Engine::None | Engine::Play) {
        return Err(ApiError::invalid_at("/engine", "expected one of: local, openai"));
    }
    let row = MontageRow::find(&app.pool, id).await?;
    if row.replay.is_some() {
        return Err(ApiError::new(
            ProblemCode::Conflict,
            "A replay holds no speech: its captions tell the play.",
        ));
    }
    let speech = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM montages.pieces WHERE montage_id = $1 AND piece = 'speech') AS "is!""#,
        id.0
    );
    if !speech.fetch_one(&app.pool).await? {
        return Err(ApiError::new(
            ProblemCode::Conflict,
            "The speech of this montage was not kept; make it again to transcribe it.",
        ));
    }
    let body = serde_json::json!({
        "kind": "transcript",
        "spec": { "montage": id, "transcribe": { "engine": request.engine, "language": request.language } },
    });
    let given = headers.get("idempotency-key").map(HeaderValue::as_bytes);
    let seed = [id.to_string().as_bytes(), row.etag().as_bytes(), body.to_string().as_bytes()].join(&b'\n');
    let key = format!("transcribe-{}", hex::encode(Sha256::digest(given.unwrap_or(&seed))));
    let sent = [("idempotency-key", key.as_str()), (KEY_HEADER, caller.key.as_str())];
    let missing = || ApiError::internal(anyhow::anyhow!("jobs-repo answered without a job"));
    let mut job: Job =
        app.jobs.call(Method::POST, "/v1/jobs", Some(&body), &sent).await?.ok_or_else(missing)?;
    if job.state.is_final() && job.state != JobState::Succeeded {
        let path = format!("/v1/jobs/{}/retry", job.id);
        let sent = [(KEY_HEADER, caller.key.as_str())];
        job = app.jobs.call(Method::POST, &path, None::<&()>, &sent).await?.ok_or_else(missing)?;
    }
    let location = HeaderValue::try_from(format!("/v1/jobs/{}", job.id)).map_err(ApiError::internal)?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(job)).into_response())
}
