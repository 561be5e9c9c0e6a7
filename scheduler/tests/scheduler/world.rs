//! A loopback jobs-repo that honours `Idempotency-Key` and counts what it gets, a loopback web server that offers lists of
//! highlights, a database, and schedulers on them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use contracts::{
    ids::{JobId, ScheduleId},
    job::{Job, JobState},
    schedule::ScheduleRun,
    spec::NewJob,
};
use fetch::{AllowList, FetchConfig};
use highlights::Ways;
use scheduler::{Config, fetcher, runs, store, work::Worker};
use serde_json::{Value, json};
use service_kit::{client::ServiceClient, db::DatabaseConfig, env::Env, testing::Database};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A jobs-repo of our own: the same key answers the same job, another body under it is a conflict.
#[derive(Default)]
pub struct Jobs {
    pub by_key: Mutex<BTreeMap<String, (Value, Uuid)>>,
    pub posts: AtomicUsize,
    /// Posts that are carried out but answered with an error, as if the answer were lost.
    pub losing: AtomicUsize,
    /// Posts that are refused.
    pub refusing: AtomicUsize,
    /// Jobs that are done.
    pub done: Mutex<BTreeSet<Uuid>>,
}

async fn post_job(State(jobs): State<Arc<Jobs>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    jobs.posts.fetch_add(1, Ordering::SeqCst);
    let problem = |status: u16, code: &str| {
        let body = json!({"type": "/x", "title": "no", "status": status, "code": code, "detail": "refused by the test"});
        let kind = [("content-type", "application/problem+json")];
        (StatusCode::from_u16(status).unwrap(), kind, body.to_string()).into_response()
    };
    if take(&jobs.refusing) {
        return problem(422, "invalid_spec");
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let (id, replayed) = {
        let mut by_key = jobs.by_key.lock().unwrap();
        let replayed = by_key.contains_key(&key).then_some([("idempotency-replayed", "true")]);
        let (known, id) = by_key.entry(key).or_insert_with(|| (body.clone(), Uuid::now_v7()));
        if *known != body {
            return problem(409, "idempotency_conflict");
        }
        (*id, replayed)
    };
    if take(&jobs.losing) {
        return problem(503, "unavailable");
    }
    (StatusCode::ACCEPTED, replayed, Json(job(id, &body, JobState::Queued))).into_response()
}

async fn get_job(State(jobs): State<Arc<Jobs>>, Path(id): Path<Uuid>) -> Response {
    let by_key = jobs.by_key.lock().unwrap();
    let Some((body, _)) = by_key.values().find(|(_, known)| *known == id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let state = if jobs.done.lock().unwrap().contains(&id) { JobState::Succeeded } else { JobState::Running };
    Json(job(id, body, state)).into_response()
}

/// A job as jobs-repo answers it.
fn job(id: Uuid, body: &Value, state: JobState) -> Job {
    let new = NewJob::decode(body).unwrap();
    let now = Utc::now();
    Job {
        id: JobId(id),
        kind: new.kind,
        title: new.title,
        labels: new.labels,
        priority: new.priority,
        state,
        run_at: now,
        max_attempts: 5,
        cancel_requested: false,
        spec: new.spec,
        progress: None,
        parts: None,
        attempts: Vec::new(),
        result: None,
        failure: None,
        created_at: now,
        updated_at: now,
        finished_at: None,
        links: BTreeMap::new(),
    }
}

fn take(counter: &AtomicUsize) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

/// Lists of highlights by name.
pub type Lists = Arc<Mutex<BTreeMap<String, String>>>;

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

pub struct World {
    pub database: Database,
    pub pool: PgPool,
    pub jobs: Arc<Jobs>,
    pub jobs_url: String,
    pub lists: Lists,
    pub lists_url: String,
    pub config: FetchConfig,
}

impl World {
    pub async fn new() -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        let jobs = Arc::new(Jobs::default());
        let jobs_url = format!(
            "http://{}",
            serve(
                Router::new()
                    .route("/v1/jobs", post(post_job))
                    .route("/v1/jobs/{id}", get(get_job))
                    .with_state(jobs.clone())
            )
            .await
        );
        let lists = Lists::default();
        let get_list = |State(lists): State<Lists>, Path(name): Path<String>| async move {
            lists.lock().unwrap().get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
        };
        let lists_url = format!(
            "http://{}",
            serve(Router::new().route("/{name}", get(get_list)).with_state(lists.clone())).await
        );
        let config =
            FetchConfig { allow: AllowList::parse("127.0.0.0/8").unwrap(), ..FetchConfig::default() };
        Some(Self { database, pool, jobs, jobs_url, lists, lists_url, config })
    }

    pub fn list(&self, name: &str, content: &Value) {
        self.lists.lock().unwrap().insert(name.to_owned(), content.to_string());
    }

    pub fn ways(&self) -> Ways {
        let env = Env::from_pairs::<&str, &str>([]).unwrap();
        Ways::from_env(&env, fetcher(self.config.clone()).unwrap()).unwrap()
    }

    pub fn worker(&self) -> Worker {
        Worker {
            owner: Uuid::new_v4(),
            pool: self.pool.clone(),
            ways: self.ways(),
            jobs: ServiceClient::new("jobs-repo", &self.jobs_url, None).unwrap(),
        }
    }

    /// Stores a schedule as if it had been made at a moment.
    pub async fn schedule(&self, cron: &str, source: Value, made_at: &str) -> ScheduleId {
        self.schedule_with(cron, source, made_at, json!({})).await
    }

    /// The same with some fields of its own.
    pub async fn schedule_with(&self, cron: &str, source: Value, made_at: &str, fields: Value) -> ScheduleId {
        let mut body =
            json!({"name": "test", "cron": cron, "source": source, "template": {"title": "Best of {date}"}});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let definition = scheduler::definition::decode(&body, at(made_at)).unwrap();
        let next_at = definition.rule.next(at(made_at));
        store::insert(&self.pool, &definition, next_at, None).await.unwrap().unwrap().id
    }

    pub fn url(&self, name: &str) -> Value {
        json!({"url": format!("{}/{name}", self.lists_url)})
    }

    pub async fn runs(&self, id: ScheduleId) -> Vec<ScheduleRun> {
        let mut runs = runs::page(&self.pool, id, None, 1000).await.unwrap();
        runs.reverse();
        runs
    }

    pub fn keys(&self) -> usize {
        self.jobs.by_key.lock().unwrap().len()
    }

    pub fn posts(&self) -> usize {
        self.jobs.posts.load(Ordering::SeqCst)
    }

    pub async fn end(self) {
        self.pool.close().await;
        self.database.remove().await;
    }
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn highlights() -> Value {
    json!([{"source": {"url": "https://media.example/a.mp4"}, "start": "1:02", "duration": 5, "title": "One"}])
}

/// A scheduler as it runs, and a client of it.
pub async fn started(world: &World) -> (String, CancellationToken, service_kit::Running) {
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        jobs_url: world.jobs_url.clone(),
        internal_token: None,
        ways: world.ways(),
        database: DatabaseConfig { url: world.database.url().into(), connections: 5 },
    };
    let shutdown = CancellationToken::new();
    let running = scheduler::start(config, shutdown.clone()).await.unwrap();
    (format!("http://{}", running.address), shutdown, running)
}

pub async fn stop(shutdown: CancellationToken, running: service_kit::Running) {
    shutdown.cancel();
    running.done.await.unwrap().unwrap();
}
