//! A whole installation for one test: every service as a process of its own.

use contracts::{
    ids::JobId,
    job::Job,
    montage::{Montage, MontagePage},
    object::Upload,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use service_kit::testing::Database;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

use crate::{
    media_server::MediaServer,
    process::{Process, programs},
};

/// Longest wait for a job. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(300);
const INTERNAL_TOKEN: &str = "internal-token-of-the-tests-0123456789";
/// What executors show to the gateway.
pub const EXECUTOR_TOKEN: &str = "executor-token-of-the-tests-0123456789";

/// What carries hints in a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hints {
    /// The Kafka of `SM_TEST_KAFKA_BROKERS`, with a topic of the test's own.
    Kafka,
    /// PostgreSQL.
    Postgres,
}

/// A whole installation; everything ends when it is dropped.
pub struct Stack {
    /// All services but the executors.
    pub services: Vec<Process>,
    /// The executors.
    pub executors: Vec<Process>,
    /// The gateway's address, `http://…`.
    pub gateway: String,
    /// Where sources come from.
    pub media: MediaServer,
    client: Client,
    settings: Vec<(String, String)>,
    database: Option<Database>,
    directory: TempDir,
}

impl Stack {
    /// Starts everything but executors. `None` where the test is skipped. `settings` are added to or replace the harness's own.
    pub async fn start(hints: Hints, settings: &[(&str, &str)]) -> Option<Self> {
        let brokers = match (hints, env::var("SM_TEST_KAFKA_BROKERS")) {
            (Hints::Kafka, Err(_)) => {
                assert!(env::var("CI").as_deref() != Ok("true"), "SM_TEST_KAFKA_BROKERS is not set");
                eprintln!("skipped: SM_TEST_KAFKA_BROKERS is not set; `make test` sets it");
                return None;
            }
            (_, brokers) => brokers.unwrap_or_default(),
        };
        let database = Database::create().await?;
        let directory = tempfile::Builder::new()
            .prefix("stream-montages-test")
            .tempdir()
            .expect("a directory can be made");
        let media_directory = directory.path().join("media");
        for name in ["media", "objects", "work"] {
            fs::create_dir(directory.path().join(name)).expect("a directory can be made");
        }
        let media = MediaServer::start(media_directory.clone()).await;
        let path = |name: &str| directory.path().join(name).display().to_string();
        let mut all: Vec<(String, String)> = [
            ("SM_DATABASE_URL", database.url().to_owned()),
            ("SM_DATABASE_CONNECTIONS", "5".to_owned()),
            ("SM_INTERNAL_TOKEN", INTERNAL_TOKEN.to_owned()),
            ("SM_EXECUTOR_TOKEN", EXECUTOR_TOKEN.to_owned()),
            ("SM_OBJECT_STORE", format!("file:{}", path("objects"))),
            ("SM_WORK_DIR", path("work")),
            // Tests hold jobs by their sources, which must be asked each time.
            ("SM_FETCH_CACHE", "0".to_owned()),
            ("SM_MEDIA_DIRS", format!("library={}", path("media"))),
            ("SM_MODELS_DIR", models().display().to_string()),
            ("SM_FETCH_ALLOW", media.address.to_string()),
            ("SM_FETCH_ATTEMPTS", "2".to_owned()),
            ("SM_JOBS_LISTEN", "127.0.0.1:0".to_owned()),
            ("SM_MONTAGES_LISTEN", "127.0.0.1:0".to_owned()),
            ("SM_SCHEDULER_LISTEN", "127.0.0.1:0".to_owned()),
            ("SM_EXECUTOR_LISTEN", "127.0.0.1:0".to_owned()),
            ("SM_LISTEN", "127.0.0.1:0".to_owned()),
            ("SM_LEASE_TTL", "6s".to_owned()),
            ("SM_RETRY_BASE", "200ms".to_owned()),
            ("SM_HINTS", if hints == Hints::Kafka { "kafka" } else { "postgres" }.to_owned()),
            ("SM_KAFKA_BROKERS", brokers),
            ("SM_KAFKA_TOPIC", format!("test-{}", uuid::Uuid::now_v7())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        for (name, value) in settings {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        migrate(&all);
        let mut services = Vec::new();
        let mut serve = |program: &str, address_name: Option<&str>| {
            let process = Process::start(program, &[], &all, directory.path(), program);
            let address = format!("http://{}", process.address);
            if let Some(name) = address_name {
                all.push((name.to_owned(), address.clone()));
            }
            services.push(process);
            address
        };
        serve("jobs-repo", Some("SM_JOBS_URL"));
        serve("montages-repo", Some("SM_MONTAGES_URL"));
        serve("scheduler", Some("SM_SCHEDULER_URL"));
        let gateway = serve("gateway", Some("SM_GATEWAY_URL"));
        let client = http_client();
        let (executors, database) = (Vec::new(), Some(database));
        Some(Self { services, executors, gateway, media, client, settings: all, database, directory })
    }

    /// One of the services.
    ///
    /// # Panics
    /// When there is none of this name.
    #[must_use]
    pub fn service(&mut self, name: &str) -> &mut Process {
        let found = self.services.iter_mut().find(|service| service.name() == name);
        found.unwrap_or_else(|| panic!("there is no service {name}"))
    }

    /// Starts a service that was killed or stopped again, at its old address. `settings` replace those of the stack.
    pub fn start_again(&mut self, name: &str, settings: &[(&str, &str)]) {
        let listen = match name {
            "jobs-repo" => "SM_JOBS_LISTEN",
            "montages-repo" => "SM_MONTAGES_LISTEN",
            "scheduler" => "SM_SCHEDULER_LISTEN",
            _ => "SM_LISTEN",
        };
        let address = self.service(name).address.clone();
        let mut all = self.settings.clone();
        for (setting, value) in settings.iter().chain(&[(listen, address.as_str())]) {
            all.retain(|(known, _)| known != setting);
            all.push(((*setting).to_owned(), (*value).to_owned()));
        }
        let again = Process::start(name, &[], &all, self.directory.path(), name);
        *self.service(name) = again;
        // Its connections were those to the killed gateway.
        self.client = http_client();
    }

    /// Starts one more gateway beside the first, with settings that differ; answers its address.
    pub fn add_gateway(&mut self, settings: &[(&str, &str)]) -> String {
        let mut all = self.settings.clone();
        for (setting, value) in settings {
            all.retain(|(known, _)| known != setting);
            all.push(((*setting).to_owned(), (*value).to_owned()));
        }
        let process = Process::start("gateway", &[], &all, self.directory.path(), "gateway-2");
        let address = format!("http://{}", process.address);
        self.services.push(process);
        address
    }

    /// Starts one more executor.
    pub fn add_executor(&mut self, settings: &[(&str, &str)]) {
        // An executor knows the gateway, the hints and its sources, and none of the installation's secrets.
        let kept = [
            "SM_GATEWAY_",
            "SM_EXECUTOR_",
            "SM_WORK_",
            "SM_HINTS",
            "SM_KAFKA_",
            "SM_FETCH_",
            "SM_MEDIA_",
            "SM_MODELS_",
        ];
        let mut all = self.settings.clone();
        all.retain(|(setting, _)| kept.iter().any(|prefix| setting.starts_with(prefix)));
        let name = format!("executor-{}", self.executors.len() + 1);
        for (setting, value) in settings.iter().chain(&[("SM_EXECUTOR_NAME", name.as_str())]) {
            all.retain(|(known, _)| known != setting);
            all.push(((*setting).to_owned(), (*value).to_owned()));
        }
        self.executors.push(Process::start("executor", &[], &all, self.directory.path(), &name));
    }

    /// A directory of this installation: `media`, `objects` or `work`.
    #[must_use]
    pub fn directory(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The database's address, to look at what is in it.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.database.as_ref().map_or("", Database::url)
    }

    /// A request to the gateway.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.gateway));
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.expect("the gateway answers")
    }

    /// A request with headers.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.gateway))
    }

    /// JSON from the gateway; the status must be a success.
    pub async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None).await;
        let (status, text) = (response.status(), response.text().await.expect("an answer has a body"));
        assert!(status.is_success(), "GET {path}: {status} {text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// Posts a job that must be taken.
    pub async fn post_job(&self, body: &Value) -> Job {
        let response = self.send(Method::POST, "/v1/jobs", Some(body)).await;
        let (status, text) = (response.status(), response.text().await.expect("an answer has a body"));
        assert_eq!(status, StatusCode::ACCEPTED, "{text}");
        serde_json::from_str(&text).expect("the answer is a job")
    }

    /// The job as it is now.
    pub async fn job(&self, id: JobId) -> Job {
        serde_json::from_value(self.get(&format!("/v1/jobs/{id}")).await).expect("the answer is a job")
    }

    /// Waits until a job is as wanted.
    pub async fn wait_for(&self, id: JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        let start = Instant::now();
        loop {
            let job = self.job(id).await;
            if wanted(&job) {
                return job;
            }
            if start.elapsed() > PATIENCE || job.state.is_final() {
                panic!("job {id} is not as wanted: {job:#?}\n{}", self.logs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a job has ended.
    pub async fn wait_until_final(&self, id: JobId) -> Job {
        self.wait_for(id, |job| job.state.is_final()).await
    }

    /// The montage that a job made.
    pub async fn montage_of(&self, job: &Job) -> Montage {
        let result = job.result.as_ref().unwrap_or_else(|| panic!("no result: {job:#?}\n{}", self.logs()));
        serde_json::from_value(self.get(&result.href).await).expect("the answer is a montage")
    }

    /// All montages.
    pub async fn montages(&self) -> MontagePage {
        serde_json::from_value(self.get("/v1/montages").await).expect("the answer is a page of montages")
    }

    /// Uploads a file of the media directory.
    pub async fn upload(&self, name: &str) -> Upload {
        let bytes = fs::read(self.directory("media").join(name)).expect("the file is there");
        let path = format!("/v1/uploads?name={name}");
        let response =
            self.request(Method::POST, &path).body(bytes).send().await.expect("the gateway answers");
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.expect("the answer is an upload")
    }

    /// Downloads a path of the gateway into a file of this installation.
    pub async fn download(&self, path: &str, name: &str) -> PathBuf {
        let response = self.send(Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let file = self.directory.path().join(name);
        fs::write(&file, response.bytes().await.expect("the whole body comes"))
            .expect("a file can be written");
        file
    }

    /// The ends of all logs, for the message of a failed test.
    #[must_use]
    pub fn logs(&self) -> String {
        let tail = |process: &Process| {
            let log = process.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(25)..].join("\n")
        };
        self.services.iter().chain(&self.executors).map(tail).collect::<Vec<_>>().join("\n---\n")
    }

    /// Stops everything and removes the database.
    pub async fn end(mut self) {
        for process in self.executors.iter_mut().chain(self.services.iter_mut().rev()) {
            process.stop();
        }
        if let Some(database) = self.database.take() {
            database.remove().await;
        }
    }
}

fn http_client() -> Client {
    service_kit::client::http_client(Some(Duration::from_secs(60))).expect("a client can be made")
}

fn migrate(settings: &[(String, String)]) {
    let output = Command::new(programs().join("migrate"))
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("`migrate` is built: run `cargo build --workspace --bins`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the repository").to_owned()
}

/// Where the speech models lie.
#[must_use]
pub fn models() -> PathBuf {
    env::var_os("SM_MODELS_DIR").map_or_else(|| root().join(".local/models"), PathBuf::from)
}

/// Sample media, where it is there.
#[must_use]
pub fn sample_media() -> Option<PathBuf> {
    let path =
        env::var_os("SM_TEST_MEDIA").map_or_else(|| root().join("../shared/testdata/media"), PathBuf::from);
    path.is_dir().then_some(path)
}
