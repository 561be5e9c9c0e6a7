//! What a library of a million montages costs: lists at any depth, filters, searches. `make bench` runs it.
//!
//! The real service runs in this process, on a database of its own, which is filled by SQL and removed at the end, whatever
//! happens. All requests go over HTTP and take turns, so that a machine that is busy for a while is so for all of them. The table says
//! what was promised and whether it was kept. Nothing here fails for being slow: only for being wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says so and ends"
)]

mod fill;
mod questions;

use montages_repo::Config;
use secrecy::SecretString;
use service_kit::{client::http_client, db::DatabaseConfig, testing::Database};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use questions::Question;

/// How often each question is asked.
const ROUNDS: usize = 60;
/// How long an answer takes at most, of twenty all but one, in milliseconds.
const P95_GOAL: f64 = 50.0;
/// How many times as long as the first page the deepest one takes, at most.
const DEPTH_GOAL: f64 = 1.5;

#[tokio::main]
async fn main() {
    let montages = std::env::var("SM_BENCH_MONTAGES")
        .map_or(1_000_000, |text| text.parse().expect("SM_BENCH_MONTAGES is a number"));
    assert!(montages >= 10_000, "SM_BENCH_MONTAGES: expected at least 10000");
    let Some(database) = Database::create().await else { return };
    let url = database.url().to_owned();
    let mut work = tokio::spawn(async move { bench(&url, montages).await });
    let ended = tokio::select! {
        ended = &mut work => Some(ended),
        _ = tokio::signal::ctrl_c() => None,
    };
    work.abort();
    database.remove().await;
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => panic!("{error}"),
        None => panic!("interrupted"),
    }
}

async fn bench(url: &str, montages: i64) {
    migrations::run(url).await.unwrap();
    let pool = PgPool::connect(url).await.unwrap();
    fill::fill(&pool, montages).await;

    let objects = tempfile::tempdir().unwrap();
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: DatabaseConfig { url: SecretString::from(url), connections: 4 },
        // Not asked by what is measured.
        jobs_url: "http://127.0.0.1:9".to_owned(),
        internal_token: None,
        store: fetch::StoreConfig::local(objects.path()),
        fetch: fetch::FetchConfig::default(),
        link_ttl: Duration::from_secs(900),
        upload_max_bytes: 1,
        segment_keep: Duration::from_secs(3600),
        segment_bytes: 1,
        trash_keep: Duration::from_secs(3600),
        reap_every: Duration::from_secs(3600),
    };
    let shutdown = CancellationToken::new();
    let running = montages_repo::start(config, shutdown.clone()).await.unwrap();
    let asker = Asker {
        base: format!("http://{}", running.address),
        http: http_client(Some(Duration::from_secs(60))).unwrap(),
    };
    let questions = questions::prepare(&asker, &pool, montages).await;
    let mut times = vec![Vec::with_capacity(ROUNDS); questions.len()];
    for round in 0..=ROUNDS {
        for (question, times) in questions.iter().zip(&mut times) {
            let path = &question.paths[round % question.paths.len()];
            let began = Instant::now();
            let answer = asker.ask(path).await;
            let took = began.elapsed();
            question.check(path, &answer);
            // The first round warms up.
            if round > 0 {
                times.push(took.as_secs_f64() * 1000.0);
            }
        }
    }
    print(&questions, times);
    shutdown.cancel();
    running.done.await.unwrap().unwrap();
    pool.close().await;
}

/// Asks the service as its clients do.
struct Asker {
    base: String,
    http: reqwest::Client,
}

impl Asker {
    async fn ask(&self, path: &str) -> serde_json::Value {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        let (status, body) = (response.status(), response.bytes().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

/// The value below which a share of all values lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn print(questions: &[Question], times: Vec<Vec<f64>>) {
    let verdict = |met: bool| if met { "met" } else { "MISSED" };
    let width = questions.iter().map(|question| question.name.chars().count()).max().unwrap_or(0);
    println!("\n{:<width$}  {:>8}  {:>8}  {:<11}", "what", "p50 ms", "p95 ms", "goal of p95");
    let mut medians = Vec::new();
    for (question, mut times) in questions.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let (p50, p95) = (quantile(&times, 0.5), quantile(&times, 0.95));
        let goal = format!("<= {P95_GOAL} ms");
        println!(
            "{:<width$}  {p50:>8.1}  {p95:>8.1}  {goal:<11}  {}",
            question.name,
            verdict(p95 <= P95_GOAL)
        );
        medians.push(p50);
    }
    for (deep, name) in questions.iter().map(|question| question.deepest_of).zip(0..) {
        if let Some(first) = deep {
            let ratio = medians[name] / medians[first];
            println!(
                "{} / {}: {ratio:.2} (p50; goal <= {DEPTH_GOAL})  {}",
                questions[name].name,
                questions[first].name,
                verdict(ratio <= DEPTH_GOAL)
            );
        }
    }
}
