//! A service of its own on a database of its own, and the words to speak to it with.

use contracts::{job::Job, lease::ClaimedJob, spec::JobSpec};
use fetch::{AllowList, FetchConfig};
use jobs_repo::{Config, HintsConfig, Policy, Streams, WebhookConfig};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use service_kit::{Running, client::http_client, db::DatabaseConfig, testing::Database};
use sqlx::PgPool;
use std::{net::SocketAddr, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A running service.
pub struct Stack {
    pub database: Database,
    pub pool: PgPool,
    pub client: Client,
    pub base: String,
    pub shutdown: CancellationToken,
    running: Running,
}

/// Long leases, so that only what a test does ends them; short waits.
pub fn policy() -> Policy {
    Policy {
        lease_ttl: Duration::from_secs(600),
        max_attempts: 3,
        deadline: Duration::from_secs(7200),
        stall: Duration::from_secs(300),
        retry_base: Duration::from_millis(1),
        retry_cap: Duration::from_millis(10),
    }
}

pub fn config(url: &str, hints: HintsConfig) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: DatabaseConfig { url: url.into(), connections: 8 },
        internal_token: None,
        hints,
        policy: policy(),
        streams: streams(),
        webhooks: webhooks(),
    }
}

/// Receivers on loopback may be told, and are told again at once, twice.
pub fn webhooks() -> WebhookConfig {
    WebhookConfig {
        fetch: FetchConfig { allow: AllowList::parse("127.0.0.1").unwrap(), ..FetchConfig::default() },
        timeout: Duration::from_secs(60),
        retries: vec![Duration::ZERO; 2],
    }
}

/// More than any test needs.
pub fn streams() -> Streams {
    Streams { most: 50, lifetime: Duration::from_secs(3600), backlog: 64 }
}

impl Stack {
    /// `None` where there is no database to test on.
    pub async fn start() -> Option<Self> {
        Self::start_with(HintsConfig::Postgres).await
    }

    pub async fn start_with(hints: HintsConfig) -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        Some(Self::start_on(database, hints).await)
    }

    /// With other bounds for streams of events.
    pub async fn start_streaming(streams: Streams) -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let config = Config { streams, ..config(database.url(), HintsConfig::Postgres) };
        Some(Self::start_as(database, config).await)
    }

    pub async fn start_on(database: Database, hints: HintsConfig) -> Self {
        let config = config(database.url(), hints);
        Self::start_as(database, config).await
    }

    pub async fn start_as(database: Database, config: Config) -> Self {
        let pool = PgPool::connect(database.url()).await.unwrap();
        let shutdown = CancellationToken::new();
        let running = jobs_repo::start(config, shutdown.clone()).await.unwrap();
        let base = format!("http://{}", running.address);
        let client = http_client(Some(Duration::from_secs(60))).unwrap();
        Self { database, pool, client, base, shutdown, running }
    }

    /// Stops the service and keeps the database.
    pub async fn stop(self) -> Database {
        self.shutdown.cancel();
        self.running.done.await.unwrap().unwrap();
        self.pool.close().await;
        self.database
    }

    /// Stops the service and drops the database.
    pub async fn remove(self) {
        self.stop().await.remove().await;
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn patch(&self, id: Uuid, body: &Value) -> (StatusCode, Value) {
        self.send(Method::PATCH, &format!("/v1/jobs/{id}"), Some(body), &[]).await
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Posts a job and answers its id.
    pub async fn make(&self, body: &Value) -> Uuid {
        let (status, job) = self.post("/v1/jobs", body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{job}");
        serde_json::from_value(job["id"].clone()).unwrap()
    }

    pub async fn job(&self, id: Uuid) -> Job {
        let (status, job) = self.get(&format!("/v1/jobs/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{job}");
        serde_json::from_value(job).unwrap()
    }

    /// Claims the next job, waiting for one.
    pub async fn claim(&self, executor: Uuid) -> Claimed {
        let body = json!({ "executor_id": executor, "executor_name": "test", "kinds": ["montage"], "wait_seconds": 30 });
        let (status, claimed) = self.post("/v1/leases", &body).await;
        assert_eq!(status, StatusCode::OK, "{claimed}");
        Claimed {
            job: serde_json::from_value(claimed["job_id"].clone()).unwrap(),
            fence: claimed["fence"].as_i64().unwrap(),
            executor,
        }
    }

    /// Claims the next job of a kind, waiting for one; answers the lease and the spec.
    pub async fn claim_next(&self, kind: &str) -> (Claimed, JobSpec) {
        let executor = Uuid::new_v4();
        let body =
            json!({ "executor_id": executor, "executor_name": "ada", "kinds": [kind], "wait_seconds": 30 });
        let (status, answer) = self.post("/v1/leases", &body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["kind"], kind);
        let claimed: ClaimedJob = serde_json::from_value(answer).unwrap();
        (Claimed { job: claimed.job_id.0, fence: claimed.fence, executor }, claimed.spec)
    }

    /// Claims at once what is in line of these kinds, or of one job's parts; answers the lease and what was claimed.
    pub async fn claim_of(
        &self,
        name: &str,
        kinds: &[&str],
        parent: Option<Uuid>,
    ) -> Option<(Claimed, ClaimedJob)> {
        let executor = Uuid::new_v4();
        let body =
            json!({ "executor_id": executor, "executor_name": name, "kinds": kinds, "parent": parent });
        let (status, answer) = self.post("/v1/leases", &body).await;
        if status == StatusCode::NO_CONTENT {
            return None;
        }
        assert_eq!(status, StatusCode::OK, "{answer}");
        let claimed: ClaimedJob = serde_json::from_value(answer).unwrap();
        Some((Claimed { job: claimed.job_id.0, fence: claimed.fence, executor }, claimed))
    }

    /// Whether there is nothing to claim.
    pub async fn is_idle(&self) -> bool {
        let body = json!({ "executor_id": Uuid::new_v4(), "executor_name": "test", "kinds": ["montage"] });
        let (status, _) = self.post("/v1/leases", &body).await;
        status == StatusCode::NO_CONTENT
    }

    /// Lets a lease run out: the database's clock cannot be moved, so the lease's end is.
    pub async fn let_expire(&self, job: Uuid) {
        sqlx::query("UPDATE jobs.leases SET expires_at = now() - interval '1 second' WHERE subject = 'job:' || $1::text AND owner IS NOT NULL")
            .bind(job)
            .execute(&self.pool)
            .await
            .unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Waits until a job is in a state; fails when that takes far longer than it ever should.
    pub async fn reaches(&self, id: Uuid, state: &str) -> Job {
        for _ in 0..600 {
            let job = self.job(id).await;
            if job.state.as_str() == state {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{id} does not become {state}: {:?}", self.job(id).await);
    }
}

/// A lease as its executor knows it.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    pub job: Uuid,
    pub fence: i64,
    pub executor: Uuid,
}

impl Claimed {
    pub fn path(&self, verb: &str) -> String {
        format!("/v1/leases/{}/{verb}", self.job)
    }

    pub fn proof(&self) -> Value {
        json!({ "executor_id": self.executor, "fence": self.fence })
    }

    pub fn completion(&self, montage: Uuid) -> Value {
        json!({ "executor_id": self.executor, "fence": self.fence, "montage_id": montage })
    }

    pub fn result(&self, result: &Value) -> Value {
        json!({ "executor_id": self.executor, "fence": self.fence, "result": result })
    }

    pub fn failure(&self, reason: &str) -> Value {
        json!({ "executor_id": self.executor, "fence": self.fence, "reason": reason,
                "failure": { "code": "worker_crashed", "message": "The worker\u{0} crashed." } })
    }

    pub fn beat(&self, fraction: f64) -> Value {
        json!({ "executor_id": self.executor, "leases": [ { "job_id": self.job, "fence": self.fence,
                "progress": { "stage": "rendering", "fraction": fraction, "frames_done": 1, "frames_total": 2,
                              "speed": null, "seconds_left": null } } ] })
    }
}

/// A job with a title.
pub fn job(title: &str) -> Value {
    json!({ "kind": "montage", "title": title, "spec": { "highlights": [
        { "source": { "url": "https://media.example/a.mp4" }, "start": "1:02", "duration": "5s" } ] } })
}

/// Where the mistakes are that a problem lists, in its order.
pub fn found_at(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}
