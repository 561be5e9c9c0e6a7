//! The other party: jobs-repo's lease check and job routes, in memory.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contracts::{
    ids::{ExecutorId, JobId},
    job::{Job, JobState},
    lease::LeaseProof,
    problem::ProblemCode,
    spec::{JobSpec, NewJob},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

#[derive(Default)]
pub struct Ledger {
    /// Proofs that are accepted: several fences of one job at once stand for checks that were true when they were made.
    leases: Mutex<HashMap<JobId, Vec<(ExecutorId, i64)>>>,
    jobs: Mutex<HashMap<JobId, Job>>,
    /// Jobs posted to it, by idempotency key.
    posted: Mutex<HashMap<String, JobId>>,
}

impl Ledger {
    pub fn hold(&self, job: JobId, executor: ExecutorId, fence: i64) {
        self.leases.lock().unwrap().entry(job).or_default().push((executor, fence));
    }

    pub fn lose(&self, job: JobId) {
        self.leases.lock().unwrap().remove(&job);
    }

    pub fn set_spec(&self, id: JobId, spec: JobSpec) {
        self.jobs.lock().unwrap().insert(id, job(id, spec));
    }

    pub fn set_state(&self, id: JobId, state: JobState) {
        self.jobs.lock().unwrap().get_mut(&id).unwrap().state = state;
    }

    pub fn posted(&self) -> usize {
        self.posted.lock().unwrap().len()
    }
}

fn job(id: JobId, spec: JobSpec) -> Job {
    let kind = spec.kind();
    let now = chrono::Utc::now();
    Job {
        id,
        kind,
        title: "A job".into(),
        labels: BTreeMap::new(),
        priority: 0,
        state: JobState::Queued,
        run_at: now,
        max_attempts: 5,
        cancel_requested: false,
        spec,
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

fn problem(code: ProblemCode) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (
        status,
        [("content-type", "application/problem+json")],
        serde_json::to_string(&code.problem("no")).unwrap(),
    )
        .into_response()
}

async fn check(
    State(ledger): State<Arc<Ledger>>,
    Path(job): Path<JobId>,
    Json(proof): Json<LeaseProof>,
) -> Response {
    let leases = ledger.leases.lock().unwrap();
    if leases.get(&job).is_some_and(|held| held.contains(&(proof.executor_id, proof.fence))) {
        return StatusCode::NO_CONTENT.into_response();
    }
    problem(ProblemCode::StaleFence)
}

async fn look(State(ledger): State<Arc<Ledger>>, Path(id): Path<JobId>) -> Response {
    match ledger.jobs.lock().unwrap().get(&id) {
        Some(job) => Json(job.clone()).into_response(),
        None => problem(ProblemCode::NotFound),
    }
}

async fn submit(State(ledger): State<Arc<Ledger>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    // Decoded as jobs-repo does it: what it would refuse is refused here.
    let new = NewJob::decode(&body).unwrap();
    let id = *ledger.posted.lock().unwrap().entry(key).or_insert_with(JobId::generate);
    let mut jobs = ledger.jobs.lock().unwrap();
    let job = jobs.entry(id).or_insert_with(|| job(id, new.spec));
    (StatusCode::ACCEPTED, Json(job.clone())).into_response()
}

async fn retry(State(ledger): State<Arc<Ledger>>, Path(id): Path<JobId>) -> Response {
    ledger.set_state(id, JobState::Queued);
    look(State(ledger), Path(id)).await
}

/// Serves a ledger on a free port of the loopback; answers its address.
pub async fn serve(ledger: Arc<Ledger>) -> String {
    let router = Router::new()
        .route("/v1/leases/{job}/check", post(check))
        .route("/v1/jobs", post(submit))
        .route("/v1/jobs/{id}", get(look))
        .route("/v1/jobs/{id}/retry", post(retry))
        .with_state(ledger);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}
