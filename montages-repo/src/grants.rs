//! Grants: signed links for the holder of a lease, each for one object and one method.
//!
//! Promises: read links are only for what the job's own spec names, and for segments, which all executors share; write links lead
//! into places of the attempt's own, which are listed for deletion until something makes them part of what is kept.

use axum::extract::State;
use contracts::{
    decode::Mistakes,
    ids::MontageId,
    object::{Grant, GrantRequest, Grants, Piece, ReadWish},
    problem::{Problem, ProblemCode},
    spec::{JobSpec, Source},
};
use fetch::{Method, ObjectKey, SignedLink};
use service_kit::{
    extract::Json,
    problem::{ApiError, ApiResult},
};
use std::sync::Arc;

use crate::{
    app::{App, key, store_error},
    previews,
    publish::attempt_prefix,
    rows::piece_name,
    segments, uploads,
};

/// Most links of one request.
const MOST_WISHES: usize = 1000;

/// Get signed links
///
/// By the holder of the job's lease, for what the job reads, for segments that are there already, for the pieces of its result, its
/// segments and its preview. A segment that is not there is answered null.
#[utoipa::path(
    post,
    operation_id = "grant_links",
    path = "/v1/grants", tag = "executors", request_body = GrantRequest,
    responses((status = 200, body = Grants, description = "The links, in the order of the wishes"),
              (status = 403, body = Problem, content_type = "application/problem+json", description = "The job's spec does not name what is to be read"),
              (status = 404, body = Problem, content_type = "application/problem+json", description = "What is to be read is not there"),
              (status = 409, body = Problem, content_type = "application/problem+json", description = "The lease has passed on (`stale_fence`); the job's preview is over, or an upload is not complete (`conflict`)"),
              (status = 413, body = Problem, content_type = "application/problem+json", description = "A piece is larger than the object store takes by a link"),
              (status = 422, body = Problem, content_type = "application/problem+json", description = "A wish cannot be granted"))
)]
pub async fn grant(
    State(app): State<Arc<App>>,
    Json(request): Json<GrantRequest>,
) -> ApiResult<Json<Grants>> {
    check(&request)?;
    fits(&sizes(&request), app.store.largest_by_link())?;
    app.check_lease(request.job_id, request.executor_id, request.fence).await?;
    let mut read = Vec::with_capacity(request.read.len());
    if !request.read.is_empty() {
        let spec = app.job(request.job_id).await?.spec;
        for wish in &request.read {
            if !names(&spec, wish) {
                return Err(ApiError::new(
                    ProblemCode::Forbidden,
                    "The job's spec does not name what is to be read.",
                ));
            }
            let key = read_key(&app, wish).await?;
            read.push(sign(&app, Method::Get, key, None).await?);
        }
    }
    let prefix = attempt_prefix(request.job_id, request.fence);
    if !request.write.is_empty() && !open(&app, &prefix).await? {
        return Err(ApiError::new(
            ProblemCode::StaleFence,
            "The objects of this attempt are being deleted: another one has taken its place.",
        ));
    }
    let mut write = Vec::with_capacity(request.write.len());
    for wish in &request.write {
        let key = key(&format!("{prefix}/{}", wish.piece.file_name()))?;
        write.push(sign(&app, Method::Put, key, Some(wish.bytes)).await?);
    }
    let (job, fence) = (request.job_id, request.fence);
    Ok(Json(Grants {
        read,
        write,
        segments: segments::find(&app, &request.segments).await?,
        write_segments: segments::open(&app, job, fence, &request.write_segments).await?,
        write_preview: previews::open(&app, job, fence, &request.write_preview).await?,
    }))
}

/// How much each of the links is to carry.
fn sizes(request: &GrantRequest) -> Vec<u64> {
    let pieces = request.write.iter().map(|wish| wish.bytes);
    let segments = request.write_segments.iter().map(|wish| wish.bytes);
    pieces.chain(segments).chain(request.write_preview.iter().map(|wish| wish.bytes)).collect()
}

fn check(request: &GrantRequest) -> ApiResult<()> {
    let mut mistakes = Mistakes::default();
    let wishes = request.read.len() + request.segments.len() + sizes(request).len();
    if wishes > MOST_WISHES {
        mistakes.add("", format!("at most {MOST_WISHES} wishes"));
    }
    if request.fence < 1 {
        mistakes.add("/fence", "fences begin at 1");
    }
    for (index, wish) in request.write.iter().enumerate() {
        if wish.bytes == 0 || i64::try_from(wish.bytes).is_err() {
            mistakes.add(format!("/write/{index}/bytes"), "expected at least 1");
        }
    }
    segments::check_wishes(&request.segments, &request.write_segments, &mut mistakes);
    previews::check_wishes(&request.write_preview, &mut mistakes);
    mistakes.finish(Some(())).map_err(ApiError::invalid)
}

/// Refuses what the store would refuse only after all of it was sent, and then at every attempt again.
fn fits(sizes: &[u64], largest: Option<u64>) -> ApiResult<()> {
    let Some(largest) = largest.filter(|largest| sizes.iter().any(|bytes| bytes > largest)) else {
        return Ok(());
    };
    let detail = format!(
        "The object store takes at most {largest} bytes in one piece. Ask for a shorter or smaller montage."
    );
    Err(ApiError::new(ProblemCode::TooLarge, detail))
}

/// Whether a job's spec names what is to be read.
fn names(spec: &JobSpec, wish: &ReadWish) -> bool {
    match wish {
        ReadWish::Upload(id) => spec.names(&Source::Upload(*id)),
        ReadWish::Montage(id) => spec.names(&Source::Montage(*id)),
        ReadWish::Speech(id) => matches!(spec, JobSpec::Transcript(spec) if spec.montage == *id),
    }
}

/// The key of what is to be read.
async fn read_key(app: &App, wish: &ReadWish) -> ApiResult<ObjectKey> {
    let found = match wish {
        ReadWish::Upload(id) => {
            let found = sqlx::query_scalar!("SELECT object_key FROM montages.uploads WHERE id = $1", id.0)
                .fetch_optional(&app.pool)
                .await?;
            match found {
                Some(found) => found,
                None => return Err(uploads::missing(app, *id).await?),
            }
        }
        ReadWish::Montage(id) => piece_key(app, *id, Piece::Media).await?,
        ReadWish::Speech(id) => piece_key(app, *id, Piece::Speech).await?,
    };
    key(&found)
}

async fn piece_key(app: &App, id: MontageId, piece: Piece) -> ApiResult<String> {
    sqlx::query_scalar!(
        "SELECT pieces.object_key
         FROM montages.pieces AS pieces JOIN montages.montages AS whole ON whole.id = pieces.montage_id
         WHERE pieces.montage_id = $1 AND pieces.piece = $2 AND whole.deleted_at IS NULL",
        id.0,
        piece_name(piece)
    )
    .fetch_optional(&app.pool)
    .await?
    .ok_or_else(|| ApiError::not_found(&format!("{} of a montage: {id}", piece_name(piece))))
}

/// Lists a place for deletion in a day, unless something owns it by then. Answers whether it can still be written to.
pub async fn open(app: &App, prefix: &str) -> ApiResult<bool> {
    let opened = sqlx::query!(
        "INSERT INTO montages.deletions AS place (prefix, due_at) VALUES ($1, now() + interval '1 day')
         ON CONFLICT (prefix) DO UPDATE SET due_at = excluded.due_at WHERE NOT place.started",
        prefix
    )
    .execute(&app.pool)
    .await?;
    Ok(opened.rows_affected() == 1)
}

/// Signs a link; one to write is for exactly so many bytes.
pub async fn sign(app: &App, method: Method, key: ObjectKey, bytes: Option<u64>) -> ApiResult<Grant> {
    let link =
        app.store.sign(method, &key, app.link_ttl, bytes, chrono::Utc::now()).await.map_err(store_error)?;
    let SignedLink { method, url, headers, expires_at } = link;
    Ok(Grant {
        method: method.as_str().to_owned(),
        url,
        headers: headers.into_iter().collect(),
        key: key.as_str().to_owned(),
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_cannot_take_is_refused_before_it_is_sent() {
        assert!(fits(&[10, 11], None).is_ok() && fits(&[10, 11], Some(11)).is_ok());
        assert_eq!(fits(&[10, 11], Some(10)).unwrap_err().problem.code, ProblemCode::TooLarge.as_str());
    }
}
