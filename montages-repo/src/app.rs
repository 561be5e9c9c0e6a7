//! What all routes share: the database, the object store, jobs-repo, and how their failures are answered.

use axum::{
    body::Body,
    extract::Request,
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use contracts::{
    ids::{ExecutorId, JobId},
    job::Job,
    lease::LeaseProof,
    problem::ProblemCode,
};
use fetch::{FetchError, Fetcher, ObjectKey, Store};
use futures::{Stream, StreamExt, stream};
use service_kit::{
    client::ServiceClient,
    http::Readiness,
    problem::{ApiError, ApiResult},
};
use sqlx::PgPool;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

use crate::{Config, probes::Opened};

/// Longest time of a request whose body is not a stream.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);
/// Longest wait for the next bytes of a body that is a stream.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// What all routes share.
pub struct App {
    pub pool: PgPool,
    pub store: Store,
    pub jobs: ServiceClient,
    /// Reads what people look into, wherever it is.
    pub fetcher: Fetcher,
    /// What is being read so.
    pub opened: Opened,
    pub link_ttl: Duration,
    pub upload_max_bytes: u64,
    pub segment_keep: Duration,
    pub segment_bytes: u64,
    pub trash_keep: Duration,
    /// Wakes the reaper before its time.
    pub reap: Notify,
    /// Objects that are being written through signed links.
    writing: Mutex<HashSet<ObjectKey>>,
}

impl App {
    pub fn new(config: &Config, pool: PgPool) -> anyhow::Result<Self> {
        Ok(Self {
            pool,
            store: Store::open(&config.store)?,
            jobs: ServiceClient::new("jobs-repo", &config.jobs_url, config.internal_token.clone())?,
            fetcher: Fetcher::new(config.fetch.clone())?,
            opened: Opened::default(),
            link_ttl: config.link_ttl,
            upload_max_bytes: config.upload_max_bytes,
            segment_keep: config.segment_keep,
            segment_bytes: config.segment_bytes,
            trash_keep: config.trash_keep,
            reap: Notify::new(),
            writing: Mutex::default(),
        })
    }

    /// Asks jobs-repo whether a lease is held as said. 409 `stale_fence` where it is not.
    pub async fn check_lease(&self, job: JobId, executor: ExecutorId, fence: i64) -> ApiResult<()> {
        let proof = LeaseProof { executor_id: executor, fence };
        let path = format!("/v1/leases/{job}/check");
        self.jobs.call::<_, serde_json::Value>(Method::POST, &path, Some(&proof), &[]).await?;
        Ok(())
    }

    /// A job, as jobs-repo has it.
    pub async fn job(&self, id: JobId) -> ApiResult<Job> {
        self.jobs.get(&format!("/v1/jobs/{id}")).await?.ok_or_else(|| ApiError::not_found("job"))
    }

    /// Reserves an object for one writer; `None` while another one writes it.
    pub fn reserve(self: &Arc<Self>, key: &ObjectKey) -> Option<Reservation> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.insert(key.clone()).then(|| Reservation { app: self.clone(), key: key.clone() })
    }
}

/// The right to write an object, given back when dropped.
pub struct Reservation {
    app: Arc<App>,
    key: ObjectKey,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.app.writing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Ready while both the database and the object store answer.
pub fn readiness(app: Arc<App>) -> Readiness {
    Arc::new(move || {
        let app = app.clone();
        Box::pin(async move {
            let database = sqlx::query_scalar!(r#"SELECT 1 AS "one!""#).fetch_one(&app.pool);
            match tokio::time::timeout(Duration::from_secs(2), database).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return Err("the database does not answer".to_owned()),
            }
            match tokio::time::timeout(Duration::from_secs(5), app.store.check()).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err("the object store does not answer".to_owned()),
            }
        })
    })
}

/// Bounds the time of a request.
pub async fn bounded(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(ProblemCode::Timeout, "The answer took too long.").into_response(),
    }
}

/// A request's body as a stream that ends with an error when nothing comes for a minute.
pub fn patient(body: Body) -> impl Stream<Item = Result<Bytes, String>> + Send + 'static {
    stream::unfold(Some(body.into_data_stream()), |body| async {
        let mut body = body?;
        match tokio::time::timeout(LONGEST_SILENCE, body.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
            Ok(Some(Err(_))) => Some((Err("the connection ended".to_owned()), None)),
            Err(_) => Some((Err("nothing came for a minute".to_owned()), None)),
        }
    })
}

/// How a failure of the object store is answered.
pub fn store_error(error: FetchError) -> ApiError {
    match error {
        FetchError::SignatureInvalid => ApiError::new(
            ProblemCode::LinkInvalid,
            "Its signature, object, method or time is not what was signed.",
        ),
        FetchError::ObjectSize { reason, .. } => {
            ApiError::new(ProblemCode::TooLarge, format!("The size is wrong: {reason}."))
        }
        FetchError::UploadInterrupted { reason } => ApiError::new(
            ProblemCode::Timeout,
            format!("The body did not come to its end: {reason}. Nothing was stored."),
        ),
        FetchError::InvalidKey { .. } | FetchError::ObjectNotFound { .. } => ApiError::not_found("object"),
        FetchError::StoreUnavailable { ref reason }
            if *reason == std::io::ErrorKind::StorageFull.to_string()
                || *reason == std::io::ErrorKind::QuotaExceeded.to_string() =>
        {
            let full = "The object store is full. Nothing was stored; the operator has to make room.";
            ApiError {
                problem: Box::new(ProblemCode::Unavailable.problem(full)),
                ..ApiError::unavailable("Space in the object store", error)
            }
        }
        FetchError::StoreUnavailable { .. } | FetchError::Local { .. } => {
            ApiError::unavailable("The object store", error)
        }
        error => ApiError::internal(error),
    }
}

/// An object's key that we made ourselves.
pub fn key(text: &str) -> ApiResult<ObjectKey> {
    ObjectKey::parse(text).map_err(ApiError::internal)
}
