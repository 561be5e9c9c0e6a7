//! What must survive beyond the loss of an executor: services that are killed and come back, a database that drops its
//! connections, a store that fails, a broker that comes back late, clients that say everything twenty times, and a person who
//! changes their mind at any moment. Every job is held where the test wants it by its own source, not by being slow.

use contracts::job::{AttemptOutcome, Job, JobState, Stage};
use end_to_end::{
    process::Process,
    stack::{Hints, Stack, models},
};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service_kit::testing::Database;
use sqlx::{Connection, PgConnection};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{refusals::contains_files, videos};

/// Longest wait for what needs no rendering. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn montage(source: &Value, duration: &str) -> Value {
    json!({ "kind": "montage", "title": "surviving", "spec": {
        "highlights": [{ "source": source, "start": "0", "duration": duration }],
        "canvas": { "width": 320, "height": 180, "frame_rate": "30" },
        "transcribe": { "engine": "none" } } })
}

fn short(stack: &Stack) -> Value {
    fs::copy(videos::short(), stack.directory("media").join("short.mp4")).unwrap();
    montage(&json!({ "path": "library:short.mp4" }), "1s")
}

/// A job whose render begins and then waits for the media server's gate. The clip's edges, which are looked at for the plan, are
/// not held.
fn held(stack: &Stack) -> Value {
    fs::copy(videos::heavy(), stack.directory("media").join("heavy.mp4")).unwrap();
    montage(&json!({ "url": stack.media.url("/held-in-the-middle/heavy.mp4") }), "5.6s")
}

async fn sql(url: &str, query: &'static str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_in(stage: Stage) -> impl Fn(&Job) -> bool {
    move |job| {
        job.state == JobState::Running
            && job.progress.as_ref().is_some_and(|progress| progress.stage == stage)
    }
}

#[tokio::test]
async fn services_that_are_killed_and_started_again_lose_nothing() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let job = stack.post_job(&held(&stack)).await;
    stack.media.until_held(1).await;
    for service in ["jobs-repo", "montages-repo", "scheduler", "gateway"] {
        stack.service(service).kill();
        stack.start_again(service, &[]);
    }
    stack.media.let_go();
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());

    // Again, while the result is on its way to the library.
    let job = stack.post_job(&short(&stack)).await;
    stack.service("montages-repo").signal("STOP");
    stack.wait_for(job.id, is_in(Stage::Publishing)).await;
    stack.service("montages-repo").kill();
    stack.start_again("montages-repo", &[]);
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());
    assert_eq!(stack.montages().await.items.len(), 2);
    stack.end().await;
}

#[tokio::test]
async fn a_database_that_drops_all_connections_costs_nothing_but_a_moment() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let job = stack.post_job(&held(&stack)).await;
    stack.media.until_held(1).await;
    for _ in 0..3 {
        let dropped = sql(
            stack.database_url(),
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        assert!(dropped > 0, "somebody was connected");
        let paths = ["/v1/jobs", "/v1/montages", "/v1/schedules", "/v1/stats"];
        for response in join_all(paths.map(|path| stack.send(Method::GET, path, None))).await {
            assert!(matches!(response.status().as_u16(), 200 | 503), "{response:?}");
        }
        for path in paths {
            until(path, async || stack.send(Method::GET, path, None).await.status() == StatusCode::OK).await;
        }
    }
    stack.media.let_go();
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());
    assert_eq!(stack.montages().await.items.len(), 1);
    stack.end().await;
}

#[tokio::test]
async fn hints_that_no_broker_took_are_sent_when_it_is_back() {
    let Some(mut stack) = Stack::start(Hints::Kafka, &[]).await else { return };
    stack.service("jobs-repo").stop();
    // Nothing listens there.
    stack.start_again("jobs-repo", &[("SM_KAFKA_BROKERS", "127.0.0.1:9")]);
    let job = stack.post_job(&short(&stack)).await;
    stack.add_executor(&[]);
    assert_eq!(stack.wait_until_final(job.id).await.state, JobState::Succeeded);
    assert_eq!(stack.get("/v1/stats").await["unsent_hints"], 1, "the hint is kept");
    stack.service("jobs-repo").stop();
    stack.start_again("jobs-repo", &[]);
    until("sending the hint", async || stack.get("/v1/stats").await["unsent_hints"] == 0).await;
    stack.end().await;
}

#[tokio::test]
async fn a_store_or_a_work_directory_that_fails_costs_attempts_and_not_the_job() {
    // Attempts enough that the test, not the budget, decides when it ends.
    let settings = [("SM_MAX_ATTEMPTS", "1000"), ("SM_RETRY_CAP", "500ms")];
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    stack.add_executor(&[]);
    let failed_with = |code: &'static str| {
        move |job: &Job| {
            let failures = job.attempts.iter().filter_map(|attempt| attempt.failure.as_ref());
            failures.filter(|failure| failure.code == code).count() >= 2
        }
    };
    // A file where a directory has to be: nothing can be stored, whoever the services run as.
    let place = stack.directory("objects").join("montages");
    fs::write(&place, "").unwrap();
    let job = stack.post_job(&short(&stack)).await;
    stack.wait_for(job.id, failed_with("store_unavailable")).await;
    assert!(stack.montages().await.items.is_empty());
    fs::remove_file(&place).unwrap();
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());

    let entries = fs::read_dir(stack.directory("work")).unwrap().flatten().map(|entry| entry.path());
    let own = entries.filter(|path| path.is_dir()).last().unwrap();
    let away = stack.directory("away");
    fs::rename(&own, &away).unwrap();
    let job = stack.post_job(&short(&stack)).await;
    stack.wait_for(job.id, failed_with("executor_failure")).await;
    fs::rename(&away, &own).unwrap();
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());
    assert_eq!(stack.montages().await.items.len(), 2);
    assert!(!contains_files(&stack.directory("work")), "files were left in the work directory");
    stack.end().await;
}

#[tokio::test]
async fn one_job_however_often_it_is_posted_and_as_many_at_once_as_there_are_slots() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[("SM_EXECUTOR_SLOTS", "3"), ("SM_RENDER_THREADS", "1")]);
    let body = held(&stack);
    let post =
        |key: &str| stack.request(Method::POST, "/v1/jobs").header("Idempotency-Key", key).json(&body).send();
    let mut ids = BTreeSet::new();
    for response in join_all((0..20).map(|_| post("one"))).await {
        let response = response.unwrap();
        assert!(response.status().is_success(), "{response:?}");
        ids.insert(response.json::<Job>().await.unwrap().id);
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    for key in ["two", "three", "four", "five", "six"] {
        ids.insert(post(key).await.unwrap().json::<Job>().await.unwrap().id);
    }
    until("using every slot", async || stack.executors[0].children("render-worker").len() == 3).await;
    stack.media.let_go();
    for id in &ids {
        let ended = stack.wait_until_final(*id).await;
        assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}\n{}", stack.logs());
        assert_eq!(ended.attempts.len(), 1, "{ended:#?}");
    }
    assert_eq!(stack.get("/v1/jobs").await["items"].as_array().unwrap().len(), 6);
    assert_eq!(stack.montages().await.items.len(), 6);
    stack.end().await;
}

/// Cancels a job and waits until it, its child and its files are gone.
async fn cancel(stack: &Stack, job: &Job, name: &str) {
    let response = stack.send(Method::POST, &format!("/v1/jobs/{}/cancel", job.id), None).await;
    assert!(response.status().is_success(), "{name}: {response:?}");
    let ended = stack.wait_until_final(job.id).await;
    assert_eq!(ended.state, JobState::Cancelled, "{name}: {ended:#?}\n{}", stack.logs());
    assert!(
        ended.attempts.iter().all(|attempt| attempt.outcome == Some(AttemptOutcome::Cancelled)),
        "{name}"
    );
    for executor in &stack.executors {
        assert!(executor.children("render-worker").is_empty(), "{name}: a render worker was left behind");
    }
    assert!(!contains_files(&stack.directory("work")), "{name}: files were left in the work directory");
}

#[tokio::test]
async fn a_cancel_is_heeded_at_every_stage_and_leaves_nothing_behind() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let queued = stack.post_job(&held(&stack)).await;
    cancel(&stack, &queued, "queued").await;

    stack
        .add_executor(&[("SM_OPENAI_BASE_URL", &stack.media.url("/held/v1")), ("SM_OPENAI_API_KEY", "none")]);
    let slow = json!({ "url": stack.media.url("/held/slow.mp4") });
    let fetching = stack.post_job(&montage(&slow, "1s")).await;
    stack.media.until_held(1).await;
    cancel(&stack, &fetching, "fetching").await;

    let rendering = stack.post_job(&held(&stack)).await;
    stack.wait_for(rendering.id, is_in(Stage::Rendering)).await;
    cancel(&stack, &rendering, "rendering").await;

    let mut body = short(&stack);
    body["spec"]["transcribe"] = json!({ "engine": "openai" });
    let transcribing = stack.post_job(&body).await;
    stack.wait_for(transcribing.id, is_in(Stage::Transcribing)).await;
    cancel(&stack, &transcribing, "transcribing").await;

    stack.service("montages-repo").signal("STOP");
    let publishing = stack.post_job(&short(&stack)).await;
    stack.wait_for(publishing.id, is_in(Stage::Publishing)).await;
    cancel(&stack, &publishing, "publishing").await;
    stack.service("montages-repo").signal("CONT");

    assert!(stack.montages().await.items.is_empty());
    // What was stored before the cancel is listed to be deleted.
    let attempts = stack.directory("objects").join("montages").join(publishing.id.to_string());
    if attempts.exists() {
        let listed = sql(stack.database_url(), "SELECT count(*) FROM montages.deletions").await;
        assert_eq!(listed, 1, "{}", attempts.display());
    }
    // A slot that is free again works.
    let after = stack.post_job(&short(&stack)).await;
    assert_eq!(stack.wait_until_final(after.id).await.state, JobState::Succeeded, "{}", stack.logs());
    stack.end().await;
}

#[tokio::test]
async fn everything_in_one_process_stops_in_order_and_goes_on_where_it_was() {
    let Some(database) = Database::create().await else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::create_dir(path("media")).unwrap();
    fs::copy(videos::heavy(), directory.path().join("media/heavy.mp4")).unwrap();
    let media = end_to_end::media_server::MediaServer::start(directory.path().join("media")).await;
    let settings: Vec<(String, String)> = [
        ("SM_DATABASE_URL", database.url().to_owned()),
        ("SM_HINTS", "postgres".to_owned()),
        ("SM_LISTEN", "127.0.0.1:0".to_owned()),
        ("SM_OBJECT_STORE", format!("file:{}", path("objects"))),
        ("SM_WORK_DIR", path("work")),
        // Tests hold jobs by their sources, which must be asked each time.
        ("SM_FETCH_CACHE", "0".to_owned()),
        ("SM_MODELS_DIR", models().display().to_string()),
        ("SM_FETCH_ALLOW", media.address.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let start = || Process::start("stream-montages", &["up"], &settings, directory.path(), "up");

    let mut up = start();
    let body = montage(&json!({ "url": media.url("/held-in-the-middle/heavy.mp4") }), "4s");
    let client = service_kit::client::http_client(Some(PATIENCE)).unwrap();
    let post = client.post(format!("http://{}/v1/jobs", up.address)).json(&body).send().await.unwrap();
    let job: Job = post.json().await.unwrap();
    media.until_held(1).await;
    let workers = up.children("render-worker");
    assert_eq!(workers.len(), 1);
    let stopping = Instant::now();
    assert!(up.stop().success(), "{}", up.log());
    eprintln!("stopped in {:.1} s", stopping.elapsed().as_secs_f64());
    assert!(!Path::new(&format!("/proc/{}", workers[0])).exists(), "the render worker is gone");
    assert!(!contains_files(&directory.path().join("work")), "files were left in the work directory");
    let given_back =
        "SELECT count(*) FROM jobs.jobs AS job JOIN jobs.attempts AS attempt ON attempt.job_id = job.id
                      WHERE state = 'queued' AND attempts_used = 0 AND outcome = 'released'";
    assert_eq!(sql(database.url(), given_back).await, 1, "{}", up.log());

    media.let_go();
    let mut up = start();
    until("the job", async || {
        let response = client.get(format!("http://{}/v1/jobs/{}", up.address, job.id)).send().await.unwrap();
        response.json::<Job>().await.unwrap().state == JobState::Succeeded
    })
    .await;
    assert_eq!(sql(database.url(), "SELECT count(*) FROM montages.montages").await, 1);
    assert!(up.stop().success(), "{}", up.log());
    database.remove().await;
}
