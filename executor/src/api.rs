//! The gateway as an executor sees it: claim, keep, end a lease; links to bytes; results.
//!
//! Promises: writes carry the fence; what may be repeated without harm is repeated, with growing jittered pauses, as long as
//! the lease may be written under, and not for ever. A 409 `stale_fence` is [`ApiError::Stale`], whatever the route.

use std::time::Duration;

use contracts::{
    ids::{ExecutorId, JobId, MontageId},
    lease::{
        ClaimRequest, ClaimedJob, CompleteRequest, FailRequest, HeartbeatRequest, HeartbeatResponse,
        LeaseProof,
    },
    montage::{Montage, PublishRequest, PublishTranscriptRequest},
    object::{Grant, GrantRequest, Grants},
    part::{NewPart, PartState, PartStates, PartStatesRequest, PartsRequest},
    preview::{PreviewEntry, PreviewRequest, PreviewWish},
    problem::{Problem, ProblemCode},
    segment::{SegmentGrant, SegmentWish, SegmentsStored, StoreSegments, StoredSegment},
};
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use service_kit::client::{CallError, ServiceClient};
use tokio::time::{sleep, timeout};

/// The first pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Tries of one call.
const TRIES: u32 = 12;
/// The longest wait for one answer, beside what a long-poll asked for.
const ANSWER: Duration = Duration::from_secs(30);

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The lease has passed to somebody else, or has ended.
    #[error("the lease has passed to somebody else")]
    Stale,
    /// The gateway understood and refuses.
    #[error("the gateway refused: {} {}", .0.code, .0.detail.as_deref().unwrap_or(&.0.title))]
    Refused(Box<Problem>),
    /// No usable answer, although the call was repeated where it could be.
    #[error("the gateway gives no usable answer: {0}")]
    Unavailable(String),
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Problem(problem) if problem.code == ProblemCode::StaleFence.as_str() => Self::Stale,
            CallError::Problem(problem) if problem.status < 500 && !matches!(problem.status, 408 | 429) => {
                Self::Refused(problem)
            }
            CallError::Problem(problem) => Self::Unavailable(format!("{} {}", problem.status, problem.code)),
            CallError::Unreachable { source, .. } => Self::Unavailable(format!("{source:#}")),
        }
    }
}

/// What a job came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is published: of a montage or a transcript.
    Montage(MontageId),
    /// It is said with the completion: of a plan or a part.
    Result(serde_json::Value),
}

/// What a published result is answered with; the rest of it is the library's business.
#[derive(Debug, Deserialize)]
struct Published {
    id: MontageId,
}

/// A client of the gateway for one executor process.
#[derive(Debug, Clone)]
pub struct Gateway {
    client: ServiceClient,
    executor: ExecutorId,
}

impl Gateway {
    /// A client. Each runtime needs one of its own: connections live on the runtime that made them.
    ///
    /// # Errors
    /// When the TLS roots of the system cannot be read.
    pub fn new(base: &str, token: Option<SecretString>, executor: ExecutorId) -> anyhow::Result<Self> {
        Ok(Self { client: ServiceClient::new("gateway", base, token)?, executor })
    }

    /// Who asks.
    #[must_use]
    pub fn executor(&self) -> ExecutorId {
        self.executor
    }

    /// The next job in line, or the next part of the request's parent, waiting up to the request's time for one. Not repeated here: the claim loop does that.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn claim(&self, request: &ClaimRequest) -> Result<Option<ClaimedJob>, ApiError> {
        let limit = Duration::from_secs(u64::from(request.wait_seconds)) + ANSWER;
        self.once(Method::POST, "/v1/leases", Some(request), limit).await
    }

    /// Extends leases. Not repeated here: the heartbeat does that.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn heartbeat(
        &self,
        request: &HeartbeatRequest,
        limit: Duration,
    ) -> Result<HeartbeatResponse, ApiError> {
        self.once(Method::POST, "/v1/leases/heartbeat", Some(request), limit).await.and_then(present)
    }

    /// The result is published, or said here.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn complete(&self, job: JobId, fence: i64, outcome: Outcome) -> Result<(), ApiError> {
        let (montage_id, result) = match outcome {
            Outcome::Montage(id) => (Some(id), None),
            Outcome::Result(result) => (None, Some(result)),
        };
        let request = CompleteRequest { executor_id: self.executor, fence, montage_id, result };
        self.repeat::<_, serde_json::Value>(&format!("/v1/leases/{job}/complete"), &request).await.map(drop)
    }

    /// Lets others make parts of a job whose lease is held here; answers where each stands, in the order of `parts`.
    /// Parts that are known already keep what was made of them.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn parts(
        &self,
        job: JobId,
        fence: i64,
        plan: serde_json::Value,
        parts: Vec<NewPart>,
    ) -> Result<Vec<PartState>, ApiError> {
        let request = PartsRequest { executor_id: self.executor, fence, plan, parts };
        let states: PartStates =
            self.repeat(&format!("/v1/leases/{job}/parts"), &request).await.and_then(present)?;
        if states.parts.len() != request.parts.len() {
            return Err(ApiError::Unavailable(
                "it answered another number of parts than were posted".to_owned(),
            ));
        }
        Ok(states.parts)
    }

    /// Where all parts of a job stand, in the order of their keys; without the results of those that are `known`.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn part_states(
        &self,
        job: JobId,
        fence: i64,
        known: Vec<String>,
    ) -> Result<Vec<PartState>, ApiError> {
        let request = PartStatesRequest { executor_id: self.executor, fence, known };
        let states: PartStates =
            self.repeat(&format!("/v1/leases/{job}/parts/states"), &request).await.and_then(present)?;
        Ok(states.parts)
    }

    /// The attempt failed.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn fail(&self, job: JobId, request: &FailRequest) -> Result<(), ApiError> {
        self.repeat::<_, serde_json::Value>(&format!("/v1/leases/{job}/fail"), request).await.map(drop)
    }

    /// The lease is given back unfinished.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn release(&self, job: JobId, fence: i64) -> Result<(), ApiError> {
        let request = LeaseProof { executor_id: self.executor, fence };
        self.repeat::<_, serde_json::Value>(&format!("/v1/leases/{job}/release"), &request).await.map(drop)
    }

    /// Signed links for a job.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn grants(&self, request: &GrantRequest) -> Result<Grants, ApiError> {
        let grants: Grants = self.repeat("/v1/grants", request).await.and_then(present)?;
        if grants.read.len() != request.read.len() || grants.write.len() != request.write.len() {
            return Err(ApiError::Unavailable(
                "it gave another number of links than was asked for".to_owned(),
            ));
        }
        Ok(grants)
    }

    /// The montage that an earlier attempt at a job has published, if there is one.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn published(&self, job: JobId) -> Result<Option<MontageId>, ApiError> {
        self.look::<Published>(&format!("/v1/results/{job}"))
            .await
            .map(|found| found.map(|published| published.id))
    }

    /// Publishes a montage. Repeating the same is answered with the same montage.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn publish(&self, request: &PublishRequest) -> Result<MontageId, ApiError> {
        let published: Published = self.repeat("/v1/results", request).await.and_then(present)?;
        Ok(published.id)
    }

    /// Replaces a montage's transcript.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn publish_transcript(&self, request: &PublishTranscriptRequest) -> Result<(), ApiError> {
        self.repeat::<_, serde_json::Value>("/v1/results/transcript", request).await.map(drop)
    }

    /// A montage of the library; `None` where there is none.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn montage(&self, id: MontageId) -> Result<Option<Montage>, ApiError> {
        self.look(&format!("/v1/montages/{id}")).await
    }

    async fn look<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ApiError> {
        match self.tries::<(), T>(Method::GET, path, None).await {
            Err(ApiError::Refused(problem)) if problem.code == ProblemCode::NotFound.as_str() => Ok(None),
            other => other,
        }
    }

    async fn repeat<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<Option<T>, ApiError> {
        self.tries(Method::POST, path, Some(body)).await
    }

    async fn tries<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Option<T>, ApiError> {
        let mut pause = FIRST_PAUSE;
        for tried in 1.. {
            match self.once(method.clone(), path, body, ANSWER).await {
                Err(ApiError::Unavailable(reason)) if tried < TRIES => {
                    tracing::debug!(path, tried, reason, "the gateway gave no usable answer; trying again");
                    sleep(jittered(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return other,
            }
        }
        Err(ApiError::Unavailable("it was not tried".to_owned()))
    }

    async fn once<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        limit: Duration,
    ) -> Result<Option<T>, ApiError> {
        match timeout(limit, self.client.call(method, path, body, &[])).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(ApiError::Unavailable(format!("no answer within {} s", limit.as_secs_f32()))),
        }
    }
}

fn present<T>(answer: Option<T>) -> Result<T, ApiError> {
    answer.ok_or_else(|| ApiError::Unavailable("an empty answer where there should be one".to_owned()))
}

/// Between half of a pause and all of it, so that many executors do not come at the same time.
#[must_use]
pub fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..1.0))
}

/// Most wishes of one request for links, and most segments of one request that takes them in.
const AT_ONCE: usize = contracts::segment::MOST_SEGMENTS;

/// Segments and previews: what a lease's holder shares with others before its result is there.
impl Gateway {
    /// Looks segments up, in the order of the keys; `None` for one that is not there. It may be gone when it is read, since the
    /// library makes room: then it is made like one that was never there.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn find_segments(
        &self,
        job: JobId,
        fence: i64,
        keys: &[String],
    ) -> Result<Vec<Option<SegmentGrant>>, ApiError> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let wishes = GrantRequest { segments: keys.to_vec(), ..self.wishes(job, fence) };
            found.extend(as_many(self.grants(&wishes).await?.segments, keys.len())?);
        }
        Ok(found)
    }

    /// Links to send segments by, in the order of the wishes. Each leads to a place of its own, also for a key that was asked
    /// for before.
    ///
    /// # Errors
    /// [`ApiError`], after repeating.
    pub async fn segment_links(
        &self,
        job: JobId,
        fence: i64,
        segments: &[SegmentWish],
    ) -> Result<Vec<Grant>, ApiError> {
        let mut links = Vec::with_capacity(segments.len());
        for segments in segments.chunks(AT_ONCE) {
            let wishes = GrantRequest { write_segments: segments.to_vec(), ..self.wishes(job, fence) };
            links.extend(as_many(self.grants(&wishes).await?.write_segments, segments.len())?);
        }
        Ok(links)
    }

    /// Has segments that were sent taken in; where another executor was faster, its bytes stand. Repeating the same is answered
    /// the same.
    ///
    /// # Errors
    /// [`ApiError`], after repeating. Of more than a thousand segments, some may have been taken in.
    pub async fn store_segments(
        &self,
        job: JobId,
        fence: i64,
        segments: &[StoredSegment],
    ) -> Result<SegmentsStored, ApiError> {
        let mut all = SegmentsStored { stored: Vec::new(), present: Vec::new() };
        for segments in segments.chunks(AT_ONCE) {
            let request =
                StoreSegments { job_id: job, fence, executor_id: self.executor, segments: segments.to_vec() };
            let answer: SegmentsStored = self.repeat("/v1/segments", &request).await.and_then(present)?;
            all.stored.extend(answer.stored);
            all.present.extend(answer.present);
        }
        Ok(all)
    }

    /// Links to send parts of the job's preview by, in the order of the wishes.
    ///
    /// # Errors
    /// [`ApiError`], after repeating. `Refused` with code `conflict` where the preview is over, which is no reason to end the
    /// attempt.
    pub async fn preview_links(
        &self,
        job: JobId,
        fence: i64,
        parts: &[PreviewWish],
    ) -> Result<Vec<Grant>, ApiError> {
        let mut links = Vec::with_capacity(parts.len());
        for parts in parts.chunks(AT_ONCE) {
            let wishes = GrantRequest { write_preview: parts.to_vec(), ..self.wishes(job, fence) };
            links.extend(as_many(self.grants(&wishes).await?.write_preview, parts.len())?);
        }
        Ok(links)
    }

    /// Shows everything that can be played of the job so far; all of it has been sent. A shorter list than one before changes
    /// nothing.
    ///
    /// # Errors
    /// [`ApiError`], after repeating. As with [`Gateway::preview_links`], `conflict` is no reason to end the attempt.
    pub async fn show_preview(
        &self,
        job: JobId,
        fence: i64,
        entries: &[PreviewEntry],
        done: bool,
    ) -> Result<(), ApiError> {
        let request = PreviewRequest {
            job_id: job,
            fence,
            executor_id: self.executor,
            entries: entries.to_vec(),
            done,
        };
        self.repeat::<_, serde_json::Value>("/v1/previews", &request).await.map(drop)
    }

    fn wishes(&self, job: JobId, fence: i64) -> GrantRequest {
        GrantRequest::new(job, fence, self.executor)
    }
}

fn as_many<T>(answers: Vec<T>, wanted: usize) -> Result<Vec<T>, ApiError> {
    if answers.len() == wanted {
        return Ok(answers);
    }
    Err(ApiError::Unavailable("it gave another number of links than was asked for".to_owned()))
}
