//! The scheduler on a real PostgreSQL, with a loopback jobs-repo that honours `Idempotency-Key` and counts what it gets, and a
//! loopback web server that offers lists of highlights.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
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
    import::{ImportReport, PostOutcome},
    job::{Job, JobState},
    schedule::{RunOutcome, ScheduleRun},
    spec::NewJob,
};
use fetch::{AllowList, FetchConfig, MediaDir};
use highlights::Ways;
use scheduler::{Config, fetcher, posts, runs, store, ticks, work::Worker};
use serde_json::{Value, json};
use service_kit::{client::ServiceClient, db::DatabaseConfig, env::Env, testing::Database};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A jobs-repo of our own: the same key answers the same job, another body under it is a conflict.
#[derive(Default)]
struct Jobs {
    by_key: Mutex<BTreeMap<String, (Value, Uuid)>>,
    posts: AtomicUsize,
    /// Posts that are carried out but answered with an error, as if the answer were lost.
    losing: AtomicUsize,
    /// Posts that are refused.
    refusing: AtomicUsize,
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
    let id = {
        let mut by_key = jobs.by_key.lock().unwrap();
        let (known, id) = by_key.entry(key).or_insert_with(|| (body.clone(), Uuid::now_v7()));
        if *known != body {
            return problem(409, "idempotency_conflict");
        }
        *id
    };
    if take(&jobs.losing) {
        return problem(503, "unavailable");
    }
    let new = NewJob::decode(&body).unwrap();
    let now = Utc::now();
    let job = Job {
        id: JobId(id),
        kind: new.kind,
        title: new.title,
        labels: new.labels,
        priority: new.priority,
        state: JobState::Queued,
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
    };
    (StatusCode::ACCEPTED, Json(job)).into_response()
}

fn take(counter: &AtomicUsize) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

/// Lists of highlights by name.
type Lists = Arc<Mutex<BTreeMap<String, String>>>;

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

struct World {
    database: Database,
    pool: PgPool,
    jobs: Arc<Jobs>,
    jobs_url: String,
    lists: Lists,
    lists_url: String,
    config: FetchConfig,
}

impl World {
    async fn new() -> Option<Self> {
        let database = Database::create().await?;
        migrations::run(database.url()).await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        let jobs = Arc::new(Jobs::default());
        let jobs_url = format!(
            "http://{}",
            serve(Router::new().route("/v1/jobs", post(post_job)).with_state(jobs.clone())).await
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

    fn list(&self, name: &str, content: &Value) {
        self.lists.lock().unwrap().insert(name.to_owned(), content.to_string());
    }

    fn ways(&self) -> Ways {
        let env = Env::from_pairs::<&str, &str>([]).unwrap();
        Ways::from_env(&env, fetcher(self.config.clone()).unwrap()).unwrap()
    }

    fn worker(&self) -> Worker {
        Worker {
            owner: Uuid::new_v4(),
            pool: self.pool.clone(),
            ways: self.ways(),
            jobs: ServiceClient::new("jobs-repo", &self.jobs_url, None).unwrap(),
        }
    }

    /// Stores a schedule as if it had been made at a moment.
    async fn schedule(&self, cron: &str, source: Value, made_at: &str) -> ScheduleId {
        self.schedule_with(cron, source, made_at, json!({})).await
    }

    /// The same with some fields of its own.
    async fn schedule_with(&self, cron: &str, source: Value, made_at: &str, fields: Value) -> ScheduleId {
        let mut body =
            json!({"name": "test", "cron": cron, "source": source, "template": {"title": "Best of {date}"}});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let definition = scheduler::definition::decode(&body, at(made_at)).unwrap();
        let next_at = definition.rule.next(at(made_at));
        store::insert(&self.pool, &definition, next_at, None).await.unwrap().unwrap().id
    }

    fn url(&self, name: &str) -> Value {
        json!({"url": format!("{}/{name}", self.lists_url)})
    }

    async fn runs(&self, id: ScheduleId) -> Vec<ScheduleRun> {
        let mut runs = runs::page(&self.pool, id, None, 1000).await.unwrap();
        runs.reverse();
        runs
    }

    fn keys(&self) -> usize {
        self.jobs.by_key.lock().unwrap().len()
    }

    fn posts(&self) -> usize {
        self.jobs.posts.load(Ordering::SeqCst)
    }

    async fn end(self) {
        self.pool.close().await;
        self.database.remove().await;
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn highlights() -> Value {
    json!([{"source": {"url": "https://media.example/a.mp4"}, "start": "1:02", "duration": 5, "title": "One"}])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_schedulers_make_one_job_of_each_tick() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let ids = [
        world.schedule("* * * * *", world.url("best"), "2026-11-21T10:00:30Z").await,
        world.schedule("*/2 * * * *", world.url("best"), "2026-11-21T10:00:30Z").await,
    ];
    for minute in 1..=8 {
        let now = at(&format!("2026-11-21T10:{minute:02}:00Z"));
        let loops: Vec<_> = (0..6)
            .map(|_| {
                let worker = world.worker();
                tokio::spawn(async move { while worker.once(now).await.unwrap() {} })
            })
            .collect();
        for task in loops {
            task.await.unwrap();
        }
    }
    for (id, count) in ids.into_iter().zip([8, 4]) {
        let runs = world.runs(id).await;
        assert_eq!(runs.len(), count);
        assert!(
            runs.iter().all(|run| run.outcome == RunOutcome::Submitted && run.jobs[0].job_id.is_some()),
            "{runs:?}"
        );
    }
    assert_eq!((world.keys(), world.posts()), (12, 12));
    world.end().await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_job_although_the_list_changed() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 * * * *", world.url("best"), "2026-11-21T09:30:00Z").await;
    world.jobs.losing.store(2, Ordering::SeqCst);
    assert!(world.worker().once(at("2026-11-21T10:00:00Z")).await.unwrap());
    assert_eq!(world.runs(id).await[0].outcome, RunOutcome::Running);
    world.list("best", &json!([]));
    // Not before its pause is over; then twice by others.
    assert!(!world.worker().once(at("2026-11-21T10:00:04Z")).await.unwrap());
    assert!(world.worker().once(at("2026-11-21T10:00:05Z")).await.unwrap());
    assert!(world.worker().once(at("2026-11-21T10:00:20Z")).await.unwrap());
    let runs = world.runs(id).await;
    assert_eq!((world.keys(), world.posts(), runs.len()), (1, 3, 1));
    assert_eq!(runs[0].outcome, RunOutcome::Submitted);
    assert_eq!(
        runs[0].jobs[0].job_id.unwrap().0,
        world.jobs.by_key.lock().unwrap().values().next().unwrap().1
    );
    assert_eq!(runs[0].tick_at, at("2026-11-21T10:00:00Z"));
    world.end().await;
}

#[tokio::test]
async fn a_scheduler_that_dies_leaves_its_run_to_another_and_cannot_write_any_more() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 * * * *", world.url("best"), "2026-11-21T09:30:00Z").await;
    let now = at("2026-11-21T10:00:00Z");
    let dead = Uuid::new_v4();
    ticks::materialise(&world.pool, now).await.unwrap();
    let claimed = ticks::claim(&world.pool, dead, now, Duration::from_secs(600)).await.unwrap().unwrap();
    // While its lease lasts nobody else works on the schedule, not even on a later run of it.
    assert!(!world.worker().once(now).await.unwrap());
    assert!(!world.worker().once(at("2026-11-21T11:00:00Z")).await.unwrap());
    assert_eq!(world.posts(), 0);
    sqlx::query("UPDATE jobs.leases SET expires_at = now()").execute(&world.pool).await.unwrap();
    let worker = world.worker();
    while worker.once(at("2026-11-21T11:00:00Z")).await.unwrap() {}
    let runs = world.runs(id).await;
    assert_eq!((runs.len(), world.keys(), world.posts()), (2, 2, 2));
    // The zombie comes back.
    let report = ImportReport::default();
    assert!(!posts::keep(&world.pool, dead, &claimed, None, &report, &[]).await.unwrap());
    let submitted = (PostOutcome::Submitted, Some(JobId::generate()), None);
    assert!(!posts::record(&world.pool, dead, &claimed, 0, submitted).await.unwrap());
    assert!(!ticks::renew(&world.pool, dead, &claimed, Duration::from_secs(600)).await.unwrap());
    assert!(
        !ticks::finish(&world.pool, dead, &claimed, &ticks::End::Failed("late".to_owned())).await.unwrap()
    );
    assert!(!ticks::postpone(&world.pool, dead, &claimed, now, (ticks::Later::Tried, "late")).await.unwrap());
    assert_eq!(world.runs(id).await, runs);
    world.end().await;
}

#[tokio::test]
async fn missed_ticks_are_made_up_for_once_for_the_latest() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let id = world.schedule("0 18 * * *", world.url("best"), "2026-11-21T00:00:00Z").await;
    let worker = world.worker();
    while worker.once(at("2026-11-24T20:00:00Z")).await.unwrap() {}
    let runs = world.runs(id).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].tick_at, at("2026-11-24T18:00:00Z"));
    let next = store::find(&world.pool, id).await.unwrap().unwrap().next_at;
    assert_eq!(next, Some(at("2026-11-25T18:00:00Z")));
    let titles: Vec<Value> =
        world.jobs.by_key.lock().unwrap().values().map(|(body, _)| body["title"].clone()).collect();
    assert_eq!(titles, ["Best of 2026-11-24"]);
    world.end().await;
}

#[tokio::test]
async fn what_a_source_delivers_decides_how_a_run_ends() {
    let Some(mut world) = World::new().await else { return };
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("list.json"), json!({"highlights": highlights()}).to_string())
        .unwrap();
    world.config.media_dirs =
        vec![MediaDir { name: "library".to_owned(), path: directory.path().to_owned() }];
    world.list("empty", &json!([]));
    world.list("bad", &json!([{"source": {"url": "https://media.example/a.mp4"}, "start": "x", "duration": 5}, {"start": 1}]));
    world.list("object", &json!({"highlights": highlights()}));
    let made = "2026-11-21T09:30:00Z";
    let (worker, now) = (world.worker(), at("2026-11-21T10:00:00Z"));
    for (source, outcome, reason) in [
        (world.url("empty"), RunOutcome::Empty, None),
        (world.url("object"), RunOutcome::Submitted, None),
        (json!({"path": "library:list.json"}), RunOutcome::Submitted, None),
        (world.url("bad"), RunOutcome::Failed, Some("/0/start expected a time")),
        (world.url("bad"), RunOutcome::Failed, Some("/1/source `source` is required")),
        (world.url("missing"), RunOutcome::Failed, Some("cannot be read")),
        (json!({"path": "library:none.json"}), RunOutcome::Failed, Some("cannot be read")),
        (json!({"path": "other:list.json"}), RunOutcome::Failed, Some("cannot be read")),
        (json!({"url": "http://10.0.0.1/list.json"}), RunOutcome::Failed, Some("SM_FETCH_ALLOW")),
    ] {
        let id = world.schedule("0 * * * *", source.clone(), made).await;
        while worker.once(now).await.unwrap() {}
        let runs = world.runs(id).await;
        assert_eq!((runs.len(), runs[0].outcome), (1, outcome), "{source}: {runs:?}");
        let told = runs[0].reason.as_deref();
        assert!(
            reason.is_none_or(|reason| told.is_some_and(|told| told.contains(reason))),
            "{source}: {told:?}"
        );
        assert_eq!(
            (runs[0].job_count, runs[0].ended_at.is_some()),
            (u32::from(outcome == RunOutcome::Submitted), true)
        );
    }
    world.jobs.refusing.store(1, Ordering::SeqCst);
    let id = world.schedule("0 * * * *", world.url("object"), made).await;
    while worker.once(now).await.unwrap() {}
    assert_eq!(
        world.runs(id).await[0].reason.as_deref(),
        Some("jobs-repo refuses the job: refused by the test")
    );
    world.end().await;
}

/// A scheduler as it runs, and a client of it.
async fn started(world: &World) -> (String, CancellationToken, service_kit::Running) {
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

async fn stop(shutdown: CancellationToken, running: service_kit::Running) {
    shutdown.cancel();
    running.done.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_made_changed_run_paused_and_deleted() {
    let Some(world) = World::new().await else { return };
    world.list("best", &highlights());
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let schedules = format!("{base}/v1/schedules");
    let body = json!({
        "name": "weekly", "cron": "0 18 * * SUN", "time_zone": "Europe/Berlin", "source": world.url("best"),
        "template": {"title": "Best of {date}"}
    });
    let made = client.post(&schedules).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let path = made.headers()["location"].to_str().unwrap().to_owned();
    let etag = made.headers()["etag"].clone();
    let schedule: Value = made.json().await.unwrap();
    assert_eq!(path, format!("/v1/schedules/{}", schedule["id"].as_str().unwrap()));
    assert!(schedule["next_at"].is_string());
    let one = format!("{base}{path}");

    // Run by hand: the run ends by itself; a second one has to wait.
    let run: Value = client.post(format!("{one}/run")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&run["outcome"], &run["by_hand"]), (&json!("running"), &json!(true)));
    let again = client.post(format!("{one}/run")).send().await.unwrap();
    assert_eq!(again.status(), 429);
    let wait: u64 = again.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let ended = async {
        loop {
            let page: Value = client.get(format!("{one}/runs")).send().await.unwrap().json().await.unwrap();
            if page["items"][0]["outcome"] != "running" {
                return page["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    assert_eq!(ended["outcome"], "submitted", "{ended}");
    assert_eq!((world.keys(), world.posts()), (1, 1));

    // Changed, with and without the right version.
    let patch = json!({"cron": "30 7 * * *", "name": "daily"});
    let changed = client.patch(&one).header("if-match", &etag).json(&patch).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.headers()["etag"], etag);
    let changed: Value = changed.json().await.unwrap();
    assert_eq!((&changed["name"], &changed["time_zone"]), (&json!("daily"), &json!("Europe/Berlin")));
    let stale = client.patch(&one).header("if-match", &etag).json(&patch).send().await.unwrap();
    assert_eq!(stale.status(), 412);

    // Paused and resumed.
    let paused: Value = client.post(format!("{one}/pause")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&paused["paused"], &paused["next_at"]), (&json!(true), &Value::Null));
    let resumed: Value = client.post(format!("{one}/resume")).send().await.unwrap().json().await.unwrap();
    assert!(resumed["next_at"].is_string());

    // Pages.
    for name in ["b", "c"] {
        let mut body = body.clone();
        body["name"] = json!(name);
        assert_eq!(client.post(&schedules).json(&body).send().await.unwrap().status(), 201);
    }
    let first: Value = client.get(format!("{schedules}?limit=2")).send().await.unwrap().json().await.unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second: Value = client
        .get(format!("{schedules}?limit=2&cursor={cursor}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let names: Vec<&Value> = first["items"]
        .as_array()
        .unwrap()
        .iter()
        .chain(second["items"].as_array().unwrap())
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["c", "b", "daily"]);
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(client.get(format!("{one}/runs?cursor={cursor}")).send().await.unwrap().status(), 400);

    assert_eq!(client.delete(&one).send().await.unwrap().status(), 204);
    for gone in [
        client.get(&one),
        client.delete(&one),
        client.post(format!("{one}/run")),
        client.get(format!("{one}/runs")),
    ] {
        let gone = gone.send().await.unwrap();
        assert_eq!(
            (gone.status().as_u16(), gone.json::<Value>().await.unwrap()["code"].as_str()),
            (404, Some("not_found"))
        );
    }
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posting_again_under_a_key_makes_no_second_schedule() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let body = |name: &str| json!({"name": name, "cron": "0 18 * * *", "source": world.url("best"), "template": {"title": "x"}});
    let post = |caller: &str, key: &str, name: &str| {
        let request =
            client.post(format!("{base}/v1/schedules")).header("x-sm-key", caller).json(&body(name));
        let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.json::<Value>().await.unwrap())
        }
    };
    // Many at once make one.
    let answers = futures::future::join_all((0..8).map(|_| post("a", "k", "weekly"))).await;
    for (status, answer) in &answers {
        assert_eq!((*status, &answer["id"]), (201, &answers[0].1["id"]));
    }
    let (status, problem) = post("a", "k", "daily").await;
    assert_eq!((status, &problem["code"]), (409, &json!("idempotency_conflict")));
    // Another caller's keys are his own, and without a key every post counts.
    assert_ne!(post("b", "k", "weekly").await.1["id"], answers[0].1["id"]);
    assert_ne!(post("a", "", "weekly").await.1["id"], post("a", "", "weekly").await.1["id"]);
    assert_eq!(post("a", "two words", "weekly").await.0, 422);
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
    // What is deleted does not hold its key.
    let id = answers[0].1["id"].as_str().unwrap();
    assert_eq!(client.delete(format!("{base}/v1/schedules/{id}")).send().await.unwrap().status(), 204);
    assert_eq!(post("a", "k", "daily").await.0, 201);
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_schedule_is_refused_with_every_mistake_and_nothing_is_stored() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let body = json!({
        "name": "x", "cron": "61 * * * *", "time_zone": "Mars/Olympus", "source": {"path": "no colon"},
        "template": {"title": "y", "spec": {"order": "best"}}, "tepmlate": 1
    });
    let refused = client.post(format!("{base}/v1/schedules")).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = refused.json().await.unwrap();
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/cron", "/source/path", "/template/spec/order", "/tepmlate", "/time_zone"]);
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"], json!([]));
    stop(shutdown, running).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_previewed_before_it_is_made() {
    let Some(world) = World::new().await else { return };
    let (base, shutdown, running) = started(&world).await;
    let client = service_kit::client::http_client(Some(Duration::from_secs(20))).unwrap();
    let ask = async |body: Value| {
        let answer = client.post(format!("{base}/v1/schedules/preview")).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, preview) = ask(json!({"cron": " 0 18 * * SUN ", "time_zone": "Europe/Berlin"})).await;
    assert_eq!((status, &preview["description"]), (200, &json!("At 18:00, on Sunday")));
    let next: Vec<DateTime<chrono::FixedOffset>> = serde_json::from_value(preview["next"].clone()).unwrap();
    assert_eq!(next.len(), 5);
    assert!(next[0] > Utc::now());
    for tick in &next {
        // Its own wall clock, summer and winter.
        assert_eq!(tick.format("%a %H:%M").to_string(), "Sun 18:00");
    }
    assert!(
        next.windows(2)
            .all(|pair| (1..=7).contains(&(pair[1].date_naive() - pair[0].date_naive()).num_days()))
    );
    // The first is the one that a schedule would have.
    let body = json!({
        "name": "weekly", "cron": "0 18 * * SUN", "time_zone": "Europe/Berlin", "source": world.url("best"), "template": {}
    });
    let made: Value =
        client.post(format!("{base}/v1/schedules")).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(made["next_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), next[0]);

    let (status, preview) = ask(json!({"cron": "* * * * *"})).await;
    assert_eq!((status, &preview["description"]), (200, &json!("Every minute")));
    assert!(preview["next"][0].as_str().unwrap().ends_with('Z'), "{preview}");

    for (body, wanted) in [
        (
            json!({"cron": "61 * * * *", "time_zone": "Mars/Olympus", "zone": 1}),
            vec!["/cron", "/time_zone", "/zone"],
        ),
        (json!({"cron": "0 0 30 2 *"}), vec!["/cron"]),
        (json!({"cron": " ", "time_zone": 3}), vec!["/cron", "/time_zone"]),
        (json!({}), vec!["/cron"]),
        (json!([]), vec![""]),
    ] {
        let (status, problem) = ask(body).await;
        let errors = problem["errors"].as_array().unwrap();
        let mut pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!((status, pointers), (422, wanted));
    }
    let list: Value = client.get(format!("{base}/v1/schedules")).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "previews are not stored");
    stop(shutdown, running).await;
    world.end().await;
}
