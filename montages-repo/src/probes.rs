//! The bytes behind a probe: a source is played before anybody cuts from it.
//!
//! Promises: what is read is what the probe's own job names, and a link only by the guard of `fetch`; nothing is served but
//! videos, under the type that their first bytes say, so that no page of somebody else's ever appears under our address; a link
//! stands neither in logs nor in headers. Memory is bounded by a few pieces for each reader; what was read is kept for as long as
//! a link is held open, at most `SM_FETCH_MAX_BYTES` for each of [`MOST_OPEN`]. What cannot be read is answered with the words of a failed probe.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method},
    response::Response,
};
use contracts::{
    ids::JobId,
    job::Job,
    media::{SNIFF_BYTES, media_type},
    object::Piece,
    problem::{Problem, ProblemCode},
    spec::{JobSpec, Source as Named},
};
use fetch::{FetchError, Source};
use futures::{StreamExt, stream};
use service_kit::{
    extract::Path,
    problem::{ApiError, ApiResult},
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    app::App,
    files::{self, FileQuery},
    serve::{self, Entity},
    uploads,
};

/// Links that are held open at the same time: opening one again costs a request, and each may keep what was read in a file.
const MOST_OPEN: usize = 8;
/// How long a link is held open after it was last read from.
const OPEN_FOR: Duration = Duration::from_secs(300);
/// Bytes that are read of a link at once.
const PIECE: usize = 512 << 10;
/// Pieces that are read ahead of one reader.
const AHEAD: usize = 2;

/// The links that are open, by their probe.
#[derive(Default)]
pub struct Opened(Mutex<HashMap<JobId, Held>>);

struct Held {
    link: Link,
    used: Instant,
}

/// An open link to a video.
#[derive(Clone)]
struct Link {
    source: Source,
    media_type: &'static str,
}

impl Opened {
    fn find(&self, id: JobId, now: Instant) -> Option<Link> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get_mut(&id).map(|held| {
            held.used = now;
            held.link.clone()
        })
    }

    /// Holds a link, in place of the one that was used longest ago where there are too many.
    fn keep(&self, id: JobId, link: &Link, now: Instant) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST_OPEN
            && let Some(oldest) = held.iter().min_by_key(|(_, held)| held.used).map(|(id, _)| *id)
        {
            held.remove(&oldest);
        }
        held.insert(id, Held { link: link.clone(), used: now });
    }

    fn drop(&self, id: JobId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Lets go of those that nobody has read from for a while.
    pub fn forget(&self, now: Instant) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, held| now.saturating_duration_since(held.used) < OPEN_FOR);
    }
}

/// The bytes of a source that was looked into, of a `url`, an `upload` or a `montage`. Supports `Range`, `If-Range` and
/// conditional requests.
#[utoipa::path(
    get, operation_id = "probe_media",
    path = "/v1/probes/{id}/media", tag = "probes",
    params(("id" = JobId, Path, description = "The probe"),
           ("Range" = Option<String>, Header, description = "One byte range; of several the whole is served")),
    responses((status = 200, content_type = "video/*", description = "The whole source, under the type that its first bytes say"),
              (status = 206, content_type = "video/*", description = "The asked part"),
              (status = 304, description = "It is what If-None-Match names"),
              (status = 404, description = "No such probe, or none any more", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "It cannot be played from here: a path, a page, a playlist, no video, or a source that cannot be read", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It is not what If-Match names", body = Problem, content_type = "application/problem+json"),
              (status = 416, description = "The range lies outside the source", body = Problem, content_type = "application/problem+json"),
              (status = 503, description = "The source does not answer", body = Problem, content_type = "application/problem+json"))
)]
pub async fn media(
    State(app): State<Arc<App>>,
    method: Method,
    Path(id): Path<JobId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let job: Option<Job> = app.jobs.get(&format!("/v1/jobs/{id}")).await?;
    let Some(JobSpec::Probe { probe }) = job.map(|job| job.spec) else {
        return Err(ApiError::not_found("probe, or none any more"));
    };
    match probe.source {
        Named::Url(url) => link(&app, id, &url, &method, &headers).await,
        Named::Upload(upload) => {
            let stored = uploads::stored(&app, upload).await?;
            let kind = stored.media_type.ok_or_else(no_video)?;
            stored.serve(&app, kind, &method, &headers).await
        }
        Named::Montage(montage) => {
            files::piece(&app, montage, Piece::Media, &FileQuery::default(), &method, &headers).await
        }
        Named::Path(_) => Err(unfit(
            "It lies in a directory that executors read. It can be cut from, but not played from here.",
        )),
    }
}

fn unfit(detail: impl Into<String>) -> ApiError {
    ApiError::new(ProblemCode::Conflict, detail)
}

fn no_video() -> ApiError {
    unfit("Its first bytes are not those of a video file, and nothing else is played from here.")
}

/// Serves what a link leads to.
async fn link(app: &App, id: JobId, url: &str, method: &Method, headers: &HeaderMap) -> ApiResult<Response> {
    let held = app.opened.find(id, Instant::now());
    let was_held = held.is_some();
    let link = match held {
        Some(link) => link,
        None => open(app, id, url).await?,
    };
    match answer(id, &link, method, headers).await? {
        Ok(response) => Ok(response),
        // It may have changed since it was opened, or have used up what may be read of one source: it is opened anew.
        Err(_) if was_held => {
            app.opened.drop(id);
            let link = open(app, id, url).await?;
            answer(id, &link, method, headers).await?.map_err(|error| refused(app, id, &error))
        }
        Err(error) => Err(refused(app, id, &error)),
    }
}

/// Opens a link to a video and holds it.
async fn open(app: &App, id: JobId, url: &str) -> ApiResult<Link> {
    let opened = async {
        let source = app.fetcher.open_ranges(url).await?;
        let head = source.read_at(0, SNIFF_BYTES).await?;
        Ok((source, head))
    };
    let (source, head) = opened.await.map_err(|error| refused(app, id, &error))?;
    if head.starts_with(b"#EXTM3U") {
        return Err(unfit("It is a playlist. It can be cut from, but not played from here."));
    }
    let link = Link { source, media_type: media_type(&head).ok_or_else(no_video)? };
    app.opened.keep(id, &link, Instant::now());
    Ok(link)
}

/// The answer for an open link; `Ok(Err(_))` where its first bytes cannot be read.
async fn answer(
    id: JobId,
    link: &Link,
    method: &Method,
    headers: &HeaderMap,
) -> ApiResult<Result<Response, FetchError>> {
    let version = Sha256::digest(format!("{id} {}", link.source.identity()));
    let entity = Entity {
        etag: format!("\"{}\"", hex::encode(version)),
        last_modified: None,
        length: link.source.len(),
        content_type: link.media_type,
        disposition: None,
    };
    let (wanted, mut response) = serve::begin(&entity, method, headers)?;
    if let Some(wanted) = wanted {
        match body(&link.source, wanted).await {
            Ok(body) => *response.body_mut() = body,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(response))
}

/// Bytes of a source as they are taken; the first piece is there already.
async fn body(source: &Source, wanted: Range<u64>) -> Result<Body, FetchError> {
    let length = move |at: u64| usize::try_from(wanted.end - at).unwrap_or(PIECE).min(PIECE);
    let first = source.read_at(wanted.start, length(wanted.start)).await?;
    let source = source.clone();
    let rest = stream::iter((wanted.start + first.len() as u64..wanted.end).step_by(PIECE)).map(move |at| {
        let source = source.clone();
        async move { source.read_at(at, length(at)).await }
    });
    Ok(Body::from_stream(stream::once(std::future::ready(Ok(first))).chain(rest.buffered(AHEAD))))
}

/// Why a link cannot be served. The words are for the one who named it; the log has the code alone.
fn refused(app: &App, id: JobId, error: &FetchError) -> ApiError {
    app.opened.drop(id);
    tracing::info!(job_id = %id, code = error.code(), "a source that was looked into cannot be read");
    match error {
        FetchError::WebPage { .. } => unfit("It leads to a web page, which is not played from here."),
        FetchError::Timeout { .. } => ApiError::new(ProblemCode::Timeout, format!("{error}.")),
        error if error.is_permanent() => unfit(format!("{error}.")),
        error => {
            ApiError { retry_after: Some(2), ..ApiError::new(ProblemCode::Unavailable, format!("{error}.")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn link_to(dir: &std::path::Path, name: &str) -> Link {
        std::fs::write(dir.join(name), name).unwrap();
        let media_dirs = vec![fetch::MediaDir { name: "m".to_owned(), path: dir.to_owned() }];
        let config = fetch::FetchConfig { media_dirs, ..fetch::FetchConfig::default() };
        let source = fetch::Fetcher::new(config).unwrap().open_path(&format!("m:{name}")).await.unwrap();
        Link { source, media_type: "video/mp4" }
    }

    #[tokio::test]
    async fn few_links_are_held_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, link, start) = (Opened::default(), link_to(dir.path(), "a").await, Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let ids: Vec<JobId> = (0..=MOST_OPEN).map(|_| JobId::generate()).collect();
        for (id, second) in ids[..MOST_OPEN].iter().zip(0..) {
            opened.keep(*id, &link, after(second));
        }
        // The first one was read from just now, so that the second goes.
        assert!(opened.find(ids[0], after(10)).is_some());
        opened.keep(ids[MOST_OPEN], &link, after(10));
        assert!(opened.find(ids[0], after(10)).is_some() && opened.find(ids[1], after(10)).is_none());
        assert!(opened.find(ids[2], after(200)).is_some());
        opened.forget(start + OPEN_FOR + Duration::from_secs(10));
        assert!(opened.find(ids[2], after(400)).is_some() && opened.find(ids[0], after(400)).is_none());
    }
}
