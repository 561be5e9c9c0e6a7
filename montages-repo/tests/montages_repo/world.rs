//! What every test stands on: the service with a database and a directory of its own.

use contracts::{
    ids::{ExecutorId, JobId},
    montage::{Clip, MediaInfo, Montage, Provenance, PublishRequest, Sprites, StoredPiece},
    object::{GrantRequest, Grants, Piece, ReadWish, WriteWish},
    transcript::{Cue, Engine, Transcript, TranscriptState},
};
use fetch::{AllowList, FetchConfig, StoreConfig};
use montages_repo::Config;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use service_kit::{db::DatabaseConfig, testing::Database};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::jobs::{self, Ledger};

/// Largest upload in these tests.
pub const UPLOAD_MOST: u64 = 20_000_000;

/// How long segments are kept after their last use in these tests, and how much they may take.
pub const SEGMENT_KEEP: Duration = Duration::from_secs(3600);
pub const SEGMENT_BYTES: u64 = 1000;

/// How long deleted montages are kept in these tests.
pub const TRASH_KEEP: Duration = Duration::from_secs(3600);

pub struct World {
    pub ledger: Arc<Ledger>,
    pub pool: PgPool,
    base: String,
    http: reqwest::Client,
    objects: TempDir,
    database: Database,
    shutdown: CancellationToken,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
}

/// One attempt at a job.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    pub job: JobId,
    pub executor: ExecutorId,
    pub fence: i64,
}

impl Attempt {
    /// A request for links that wishes for nothing yet.
    pub fn wishes(self) -> GrantRequest {
        GrantRequest::new(self.job, self.fence, self.executor)
    }
}

impl World {
    /// `None` where there is no PostgreSQL to test with.
    pub async fn start() -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        let objects = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::default());
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: DatabaseConfig { url: SecretString::from(database.url()), connections: 10 },
            jobs_url: jobs::serve(ledger.clone()).await,
            internal_token: None,
            store: StoreConfig::local(objects.path()),
            fetch: FetchConfig {
                allow: AllowList::parse("127.0.0.1").unwrap(),
                attempts: 1,
                ..FetchConfig::default()
            },
            link_ttl: Duration::from_secs(900),
            upload_max_bytes: UPLOAD_MOST,
            segment_keep: SEGMENT_KEEP,
            segment_bytes: SEGMENT_BYTES,
            trash_keep: TRASH_KEEP,
            reap_every: Duration::from_millis(100),
        };
        let shutdown = CancellationToken::new();
        let running = montages_repo::start(config, shutdown.clone()).await.unwrap();
        Some(Self {
            ledger,
            pool,
            base: format!("http://{}", running.address),
            http: service_kit::client::http_client(Some(Duration::from_secs(30))).unwrap(),
            objects,
            database,
            shutdown,
            running: running.done,
        })
    }

    /// Stops the service, which must end well, and drops the database.
    pub async fn end(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
        self.pool.close().await;
        self.database.remove().await;
    }

    /// Where the service listens.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    /// An answer of JSON that must be of a status.
    pub async fn json(&self, request: RequestBuilder, status: u16) -> Value {
        let response = request.send().await.unwrap();
        let found = response.status().as_u16();
        let body = response.text().await.unwrap();
        assert_eq!(found, status, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// A problem that must have a code.
    pub async fn problem(&self, request: RequestBuilder, code: &str) -> Value {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        problem
    }

    /// The files below the object directory, as keys, without the store's own.
    pub fn files(&self) -> Vec<String> {
        fn walk(directory: PathBuf, found: &mut Vec<PathBuf>) {
            let Ok(entries) = std::fs::read_dir(directory) else { return };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(self.objects.path().to_owned(), &mut found);
        let mut keys: Vec<String> = found
            .iter()
            .map(|path| path.strip_prefix(self.objects.path()).unwrap().to_str().unwrap().to_owned())
            .filter(|key| !key.starts_with('.'))
            .collect();
        keys.sort();
        keys
    }

    /// Where an object is.
    pub fn object(&self, key: &str) -> PathBuf {
        self.objects.path().join(key)
    }

    /// Waits until something holds. It fails the test by never holding, not by taking long.
    pub async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..600 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("still not: {what}; there are {:?}", self.files());
    }

    /// A new attempt that holds its lease.
    pub fn attempt(&self, job: JobId, fence: i64) -> Attempt {
        let attempt = Attempt { job, executor: ExecutorId::generate(), fence };
        self.ledger.hold(job, attempt.executor, fence);
        attempt
    }

    pub async fn grants(&self, attempt: Attempt, read: Vec<ReadWish>, write: Vec<WriteWish>) -> Grants {
        self.granted(&GrantRequest { read, write, ..attempt.wishes() }).await
    }

    /// The links of a request that must be granted.
    pub async fn granted(&self, request: &GrantRequest) -> Grants {
        let answer = self.json(self.ask(Method::POST, "/v1/grants").json(request), 200).await;
        serde_json::from_value(answer).unwrap()
    }

    /// Sends the pieces of a result and answers the request that publishes it.
    pub async fn prepare(&self, attempt: Attempt, title: &str, media: &[u8]) -> PublishRequest {
        let contents: [(Piece, Vec<u8>); 4] = [
            (Piece::Media, media.to_vec()),
            (Piece::Poster, b"a poster".to_vec()),
            (Piece::Sprites, b"some sprites".to_vec()),
            (Piece::Speech, b"somebody speaks".to_vec()),
        ];
        let wishes = contents
            .iter()
            .map(|(piece, bytes)| WriteWish { piece: *piece, bytes: bytes.len() as u64 })
            .collect();
        let grants = self.grants(attempt, Vec::new(), wishes).await;
        let mut pieces = Vec::new();
        for ((piece, bytes), grant) in contents.into_iter().zip(grants.write) {
            assert_eq!(grant.method, "PUT");
            pieces.push(StoredPiece {
                piece,
                key: grant.key.clone(),
                bytes: bytes.len() as u64,
                sha256: hash(&bytes),
            });
            let sent = self.ask(Method::PUT, &grant.url).body(bytes).send().await.unwrap();
            assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        }
        request(attempt, title, media, pieces)
    }

    pub async fn publish(&self, request: &PublishRequest) -> Response {
        self.ask(Method::POST, "/v1/results").json(request).send().await.unwrap()
    }

    /// A montage by a new job, published.
    pub async fn montage(&self, title: &str, media: &[u8]) -> Montage {
        let request = self.prepare(self.attempt(JobId::generate(), 1), title, media).await;
        self.published(&request).await
    }

    /// Publishes what must be new.
    pub async fn published(&self, request: &PublishRequest) -> Montage {
        let response = self.publish(request).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

pub fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A result with two clips and two cues.
fn request(attempt: Attempt, title: &str, media: &[u8], pieces: Vec<StoredPiece>) -> PublishRequest {
    let clip = |title: &str, streamer: &str, start: f64, source_start: f64| Clip {
        title: title.into(),
        streamer: Some(streamer.into()),
        score: Some(1.0),
        source: "https://media.example/vod.mp4".into(),
        start,
        duration: 10.0,
        source_start,
        frames: 300,
        mode: None,
    };
    let cue = |start: f64, clip: usize, text: &str| Cue {
        start,
        end: start + 2.0,
        text: text.into(),
        clip,
        source_start: start + 100.0,
        source_end: start + 102.0,
        words: Vec::new(),
    };
    PublishRequest {
        job_id: attempt.job,
        fence: attempt.fence,
        executor_id: attempt.executor,
        title: title.into(),
        labels: BTreeMap::from([("show".to_owned(), "weekly".to_owned())]),
        media: MediaInfo {
            width: 1280,
            height: 720,
            frame_rate: "30/1".into(),
            frames: 600,
            duration_ticks: 20 * 705_600_000,
            duration: 20.0,
            bytes: media.len() as u64,
            sha256: hash(media),
        },
        clips: vec![clip("The comeback", "hana", 0.0, 100.0), clip("A lucky escape", "minh", 10.0, 50.5)],
        sprites: Sprites { tile_width: 160, tile_height: 90, columns: 5, rows: 1, count: 4, interval: 5.0 },
        pieces,
        transcript: Transcript {
            state: TranscriptState::Complete,
            engine: Engine::Local,
            model: Some("a model".into()),
            language: Some("en".into()),
            reason: None,
            cues: vec![cue(1.25, 0, "What a goal that was!"), cue(12.5, 1, "Nobody saw the dragon coming.")],
        },
        provenance: Provenance {
            executor: "executor-1".into(),
            attempt: 1,
            started_at: chrono::Utc::now(),
            finished_at: chrono::Utc::now(),
            sources: Vec::new(),
            plan: serde_json::json!({ "canvas": "1280x720" }),
            plan_hash: "0".repeat(64),
            frames_encoded: 600,
            frames_copied: 0,
            copied: Vec::new(),
            encoded: Vec::new(),
            segments_reused: 0,
            segments_made: 0,
            executors: vec!["executor-1".into()],
            audio: serde_json::json!([]),
            checks: Vec::new(),
            versions: BTreeMap::new(),
            sandbox: Vec::new(),
        },
        replay: None,
    }
}

/// Starts a world, or ends the test where there is none.
macro_rules! world {
    () => {
        match $crate::world::World::start().await {
            Some(world) => world,
            None => return,
        }
    };
}
pub(crate) use world;
