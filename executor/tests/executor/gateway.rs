//! A gateway and a library small enough to do what a test says, and to remember what was asked of them.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path as Route, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use contracts::{
    ids::{JobId, MontageId},
    job::JobKind,
    lease::{
        BeatAnswer, BeatVerdict, ClaimRequest, ClaimedJob, CompleteRequest, FailRequest, HeartbeatRequest,
        HeartbeatResponse, LeaseProof,
    },
    montage::PublishRequest,
    object::{Grant, GrantRequest, Grants},
    problem::ProblemCode,
    segment::{SegmentGrant, SegmentsStored, StoreSegments},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// No wait of a test takes longer; only a failing one comes near.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What an executor did at the gateway.
#[derive(Debug, Clone)]
pub enum Event {
    Asked,
    Claimed,
    Beat,
    Stored(String, Vec<u8>),
    Kept(StoreSegments),
    Published(Box<PublishRequest>),
    Completed(CompleteRequest),
    Failed(JobId, FailRequest),
    Released(JobId, LeaseProof),
}

impl Event {
    /// Whether it changes anything beyond the lease itself.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Asked | Self::Claimed | Self::Beat)
    }
}

/// How heartbeats are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beats {
    Answer(BeatVerdict),
    /// The connection stays open and nothing comes.
    Silence,
}

pub struct Script {
    pub jobs: VecDeque<ClaimedJob>,
    pub beats: Beats,
    pub lease_milliseconds: u64,
    /// Calls of complete that are answered with 503 first.
    pub complete_failures: u32,
    pub publish_is_stale: bool,
    pub published: Option<MontageId>,
    /// What links for reading lead to.
    pub stored: Vec<u8>,
    /// How many of those links were given, and how many of them have ended.
    pub links: (u32, u32),
    /// Segments of the library: what is said of each, and the bytes that are really there.
    pub segments: BTreeMap<String, (String, Vec<u8>)>,
    /// Keys of segments that were asked for.
    pub wanted: Vec<String>,
}

#[derive(Clone)]
pub struct Gateway {
    pub address: SocketAddr,
    pub script: Arc<Mutex<Script>>,
    events: watch::Sender<Vec<Event>>,
}

impl Gateway {
    /// On a thread of its own, so that it answers whatever a test does to its runtime.
    pub async fn start() -> Self {
        let (started, starting) = tokio::sync::oneshot::channel();
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _ = started.send(Self::serve().await);
                std::future::pending::<()>().await;
            });
        });
        starting.await.unwrap()
    }

    async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(Script {
                jobs: VecDeque::new(),
                beats: Beats::Answer(BeatVerdict::Held),
                lease_milliseconds: 30_000,
                complete_failures: 0,
                publish_is_stale: false,
                published: None,
                stored: Vec::new(),
                links: (0, 0),
                segments: BTreeMap::new(),
                wanted: Vec::new(),
            })),
            events: watch::Sender::new(Vec::new()),
        };
        let router = Router::new()
            .route("/v1/leases", post(claim))
            .route("/v1/leases/heartbeat", post(heartbeat))
            .route("/v1/leases/{job}/complete", post(complete))
            .route("/v1/leases/{job}/fail", post(fail))
            .route("/v1/leases/{job}/release", post(release))
            .route("/v1/grants", post(grants))
            .route("/v1/results", post(publish))
            .route("/v1/results/{job}", get(published))
            .route("/v1/objects/{key}", put(store).get(load))
            .route("/v1/segments", post(take_in))
            .route("/v1/segments/{key}", get(load_segment).put(store_segment))
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        gateway
    }

    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }

    pub fn writes(&self) -> Vec<Event> {
        self.events().into_iter().filter(Event::is_write).collect()
    }

    /// Waits until `find` finds something in what happened.
    pub async fn until<T>(&self, find: impl Fn(&[Event]) -> Option<T>) -> T {
        let mut events = self.events.subscribe();
        let waiting = async {
            loop {
                if let Some(found) = find(&events.borrow_and_update()) {
                    return found;
                }
                events.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("it did not happen; what was written: {:?}", self.writes()))
    }

    pub async fn failure(&self) -> FailRequest {
        self.until(|events| {
            events.iter().find_map(|event| match event {
                Event::Failed(_, request) => Some(request.clone()),
                Event::Completed(..) => panic!("the job was completed"),
                _ => None,
            })
        })
        .await
    }

    pub async fn completion(&self) -> CompleteRequest {
        self.until(|events| {
            events.iter().find_map(|event| match event {
                Event::Completed(request) => Some(request.clone()),
                Event::Failed(_, request) => panic!("the job failed: {:?}", request.failure),
                _ => None,
            })
        })
        .await
    }

    fn note(&self, event: Event) {
        self.events.send_modify(|events| events.push(event));
    }
}

fn problem(code: ProblemCode) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        serde_json::to_vec(&code.problem("no")).unwrap(),
    )
        .into_response()
}

async fn claim(State(gateway): State<Gateway>, Json(request): Json<ClaimRequest>) -> Response {
    let job = {
        let mut script = gateway.script.lock().unwrap();
        let fits = |job: &ClaimedJob| request.kinds.contains(&job.kind) && request.parent.is_none();
        let place = script.jobs.iter().position(fits);
        place.and_then(|place| script.jobs.remove(place))
    };
    match job {
        None if request.kinds == [JobKind::Plan, JobKind::Probe] => StatusCode::NO_CONTENT.into_response(),
        Some(job) => {
            gateway.note(Event::Claimed);
            Json(job).into_response()
        }
        None => {
            gateway.note(Event::Asked);
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

async fn heartbeat(State(gateway): State<Gateway>, Json(request): Json<HeartbeatRequest>) -> Response {
    gateway.note(Event::Beat);
    let (beats, lease_milliseconds) = {
        let script = gateway.script.lock().unwrap();
        (script.beats, script.lease_milliseconds)
    };
    let Beats::Answer(verdict) = beats else { return std::future::pending().await };
    let leases = request
        .leases
        .iter()
        .map(|beat| BeatAnswer { job_id: beat.job_id, verdict, lease_milliseconds })
        .collect();
    Json(HeartbeatResponse { leases }).into_response()
}

async fn complete(State(gateway): State<Gateway>, Json(request): Json<CompleteRequest>) -> Response {
    {
        let mut script = gateway.script.lock().unwrap();
        if script.complete_failures > 0 {
            script.complete_failures -= 1;
            return problem(ProblemCode::Unavailable);
        }
    }
    gateway.note(Event::Completed(request));
    StatusCode::NO_CONTENT.into_response()
}

async fn fail(
    State(gateway): State<Gateway>,
    Route(job): Route<uuid::Uuid>,
    Json(request): Json<FailRequest>,
) -> StatusCode {
    gateway.note(Event::Failed(JobId(job), request));
    StatusCode::NO_CONTENT
}

async fn release(
    State(gateway): State<Gateway>,
    Route(job): Route<uuid::Uuid>,
    Json(request): Json<LeaseProof>,
) -> StatusCode {
    gateway.note(Event::Released(JobId(job), request));
    StatusCode::NO_CONTENT
}

async fn grants(State(gateway): State<Gateway>, Json(request): Json<GrantRequest>) -> Json<Grants> {
    let mut script = gateway.script.lock().unwrap();
    let read = request
        .read
        .iter()
        .map(|_| {
            script.links.0 += 1;
            Grant {
                method: "GET".to_owned(),
                url: format!("/v1/objects/{}", script.links.0),
                headers: BTreeMap::new(),
                key: "stored".to_owned(),
                expires_at: chrono::Utc::now(),
            }
        })
        .collect();
    let write = request
        .write
        .iter()
        .map(|wish| Grant {
            method: "PUT".to_owned(),
            url: format!("/v1/objects/{}", wish.piece.file_name()),
            headers: BTreeMap::from([("content-type".to_owned(), wish.piece.content_type().to_owned())]),
            key: wish.piece.file_name().to_owned(),
            expires_at: chrono::Utc::now(),
        })
        .collect();
    let grant = |method: &str, key: &str| Grant {
        method: method.to_owned(),
        url: format!("/v1/segments/{key}"),
        headers: BTreeMap::new(),
        key: format!("segments/{key}"),
        expires_at: chrono::Utc::now(),
    };
    script.wanted.extend(request.segments.iter().cloned());
    let found = |key: &String| {
        let (sha256, bytes) = script.segments.get(key)?;
        let bytes = bytes.len() as u64;
        Some(SegmentGrant { grant: grant("GET", key), bytes, sha256: sha256.clone() })
    };
    let segments = request.segments.iter().map(found).collect();
    let write_segments = request.write_segments.iter().map(|wish| grant("PUT", &wish.key)).collect();
    Json(Grants { read, write, segments, write_segments, ..Grants::default() })
}

async fn load_segment(
    State(gateway): State<Gateway>,
    Route(key): Route<String>,
    headers: HeaderMap,
) -> Response {
    let segment = gateway.script.lock().unwrap().segments.get(&key).cloned();
    let Some((_, bytes)) = segment else { return problem(ProblemCode::NotFound) };
    ranged(&bytes, &headers)
}

async fn store_segment(State(gateway): State<Gateway>, Route(key): Route<String>, body: Bytes) -> StatusCode {
    let hash = hex::encode(Sha256::digest(&body));
    gateway.script.lock().unwrap().segments.insert(key, (hash, body.to_vec()));
    StatusCode::CREATED
}

async fn take_in(State(gateway): State<Gateway>, Json(request): Json<StoreSegments>) -> Response {
    let stored = request.segments.iter().map(|segment| segment.key.clone()).collect();
    gateway.note(Event::Kept(request));
    Json(SegmentsStored { stored, present: Vec::new() }).into_response()
}

async fn store(State(gateway): State<Gateway>, Route(key): Route<String>, body: Bytes) -> StatusCode {
    gateway.note(Event::Stored(key, body.to_vec()));
    StatusCode::CREATED
}

async fn load(State(gateway): State<Gateway>, Route(link): Route<u32>, headers: HeaderMap) -> Response {
    let script = gateway.script.lock().unwrap();
    if link <= script.links.1 {
        return problem(ProblemCode::LinkInvalid);
    }
    ranged(&script.stored, &headers)
}

fn ranged(stored: &[u8], headers: &HeaderMap) -> Response {
    let range = headers[header::RANGE].to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let length = stored.len();
    let (first, last) = (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap().min(length - 1));
    let range = format!("bytes {first}-{last}/{length}");
    let bytes = stored[first..=last].to_vec();
    let headers = [(header::CONTENT_RANGE, range), (header::ETAG, "\"one\"".to_owned())];
    (StatusCode::PARTIAL_CONTENT, headers, bytes).into_response()
}

async fn publish(State(gateway): State<Gateway>, Json(request): Json<PublishRequest>) -> Response {
    if gateway.script.lock().unwrap().publish_is_stale {
        return problem(ProblemCode::StaleFence);
    }
    gateway.note(Event::Published(Box::new(request)));
    (StatusCode::CREATED, Json(serde_json::json!({ "id": MontageId::generate() }))).into_response()
}

async fn published(State(gateway): State<Gateway>) -> Response {
    match gateway.script.lock().unwrap().published {
        Some(id) => Json(serde_json::json!({ "id": id })).into_response(),
        None => problem(ProblemCode::NotFound),
    }
}
