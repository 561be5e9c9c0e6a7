//! Following jobs by event streams: nothing is missed, whatever breaks off.

use contracts::job::Job;
use jobs_repo::{HintsConfig, Streams};
use rand::RngExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use service_kit::paging;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::{
    harness::{Claimed, Stack, config, job, streams},
    stream::{Event, Stream, parse},
};

/// Opens a stream of all jobs and reads its beginning.
async fn hello(stack: &Stack, query: &str, last_seen: Option<&str>) -> (Stream, Event) {
    let mut stream = stack.follow(&format!("/v1/events{query}"), last_seen).await;
    let hello = stream.next().await.unwrap();
    assert_eq!((hello.name.as_str(), hello.data.as_str()), ("hello", "{}"));
    (stream, hello)
}

async fn parts(stack: &Stack, leader: &Claimed, keys: &[u8]) {
    let parts: Vec<Value> =
        keys.iter().map(|key| json!({ "key": format!("{key:064x}"), "segments": [key] })).collect();
    let body = json!({ "executor_id": leader.executor, "fence": leader.fence, "plan": {}, "parts": parts });
    assert_eq!(stack.post(&leader.path("parts"), &body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn one_job_is_followed_from_where_it_stands_to_its_end() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("followed")).await;
    let path = format!("/v1/jobs/{id}/events");
    let mut stream = stack.follow(&path, None).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first.job(), json!(stack.job(id).await), "as it is, at once");

    let lease = stack.claim(Uuid::new_v4()).await;
    let (running, _) = stream.until(|job| job["state"] == "running").await;
    assert_eq!(running["attempts"][0]["executor"], "test");
    for fraction in [0.25, 0.5] {
        stack.post("/v1/leases/heartbeat", &lease.beat(fraction)).await;
        stream.until(|job| job["progress"]["fraction"] == fraction).await;
    }
    stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    stream.until(|job| job["cancel_requested"] == true).await;
    let montage = Uuid::now_v7();
    stack.post(&lease.path("complete"), &lease.completion(montage)).await;
    let (ended, last) = stream.until(|job| job["state"] == "succeeded").await;
    assert_eq!(ended, json!(stack.job(id).await));
    assert_eq!(ended["result"]["montage_id"], json!(montage));
    let tag = stack.client.get(format!("{}/v1/jobs/{id}", stack.base)).send().await.unwrap();
    assert_eq!(tag.headers()["etag"], format!("\"{}\"", last.id));

    // A client that has seen that is told the next change; one that has not is told that.
    let other = stack.make(&job("before")).await;
    let path = format!("/v1/jobs/{other}/events");
    let seen = stack.follow(&path, None).await.next().await.unwrap().id;
    let (mut knows, mut knew) = (
        stack.follow(&path, Some(&seen)).await,
        stack.follow(&format!("{path}?after={seen}"), Some("v0")).await,
    );
    let mut asked = stack.follow(&format!("{path}?after={seen}"), None).await;
    assert_eq!(knew.job().await["title"], "before", "the header goes before the query");
    stack.patch(other, &json!({ "title": "after" })).await;
    for stream in [&mut knows, &mut asked, &mut knew] {
        assert_eq!(stream.job().await["title"], "after");
    }

    for (path, status) in [
        (format!("/v1/jobs/{}/events", Uuid::now_v7()), 404),
        (format!("/v1/jobs/{id}/events?since=1"), 400),
        ("/v1/events?kind=opera".to_owned(), 400),
        ("/v1/events?state=quewed".to_owned(), 400),
        ("/v1/events?label=a:b".to_owned(), 400),
        ("/v1/events?after=zzz".to_owned(), 400),
    ] {
        let (refused, problem) = stack.get(&path).await;
        assert_eq!(refused.as_u16(), status, "{path}: {problem}");
    }
    drop((stream, knows, asked, knew));
    stack.remove().await;
}

#[tokio::test]
async fn who_follows_a_job_sees_its_parts_move() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("together")).await;
    let leader = stack.claim(Uuid::new_v4()).await;
    let mut stream = stack.follow(&format!("/v1/jobs/{id}/events"), None).await;
    let (mut segments, _) = hello(&stack, "?kind=segment", None).await;
    let (mut others, _) = hello(&stack, "?kind=plan,transcript", None).await;
    assert!(stream.job().await.get("parts").is_none());
    parts(&stack, &leader, &[1, 2]).await;
    stream.until(|job| job["parts"]["total"] == 2).await;
    let (lease, _) = stack.claim_of("ada", &["segment"], None).await.unwrap();
    let (moving, _) = stream.until(|job| job["parts"]["running"] == 1).await;
    assert_eq!(moving["parts"]["executors"], json!(["ada"]));
    stack.post(&lease.path("complete"), &lease.result(&json!({ "made": 1 }))).await;
    let (moved, event) = stream.until(|job| job["parts"]["done"] == 1).await;
    assert_eq!(moved, json!(stack.job(id).await));
    let response = stack.client.get(format!("{}/v1/jobs/{id}", stack.base)).send().await.unwrap();
    assert_eq!(response.headers()["etag"], format!("\"{}\"", event.id));

    // Parts are jobs only to those who ask for them.
    let (part, _) = segments.until(|job| job["state"] == "succeeded").await;
    assert_eq!((&part["id"], &part["kind"]), (&json!(lease.job), &json!("segment")));
    let (_, plan) = stack.post("/v1/plans?wait_seconds=0", &job("a plan")).await;
    assert_eq!(others.job().await["id"], plan["id"]);
    drop((stream, segments, others));
    stack.remove().await;
}

#[tokio::test]
async fn all_jobs_are_followed_wherever_they_change() {
    let Some(stack) = Stack::start().await else { return };
    // Another replica, whose changes nobody announces.
    let there = jobs_repo::start(config(stack.database.url(), HintsConfig::Postgres), stack.shutdown.clone())
        .await
        .unwrap();
    let there = format!("http://{}", there.address);
    stack.make(&job("before")).await;
    let (mut stream, _) = hello(&stack, "", None).await;
    let (mut cancelled, _) = hello(&stack, "?state=cancelled,dead", None).await;
    let response = stack.client.post(format!("{there}/v1/jobs")).json(&job("there")).send().await.unwrap();
    let made: Value = response.json().await.unwrap();
    let told = stream.job().await;
    assert_eq!(told, made, "and nothing of before");
    let id = stack.make(&job("here")).await;
    let (told, _) = stream.until(|job| job["id"] == json!(id)).await;
    assert_eq!(told["state"], "queued");

    let lease = stack.claim(Uuid::new_v4()).await;
    let response = stack
        .client
        .post(format!("{there}/v1/leases/heartbeat"))
        .json(&lease.beat(0.5))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let (told, _) = stream.until(|job| job["progress"]["fraction"] == 0.5).await;
    let (_, page) = stack.get("/v1/jobs?state=running").await;
    assert_eq!(told, page["items"][0], "as lists show it");
    assert_eq!(told["attempts"], json!([]));
    stack.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    let (told, _) = stream.until(|job| job["state"] == "cancelled").await;
    assert_eq!(cancelled.job().await, told, "the first that is in one of the states");
    drop((stream, cancelled));
    stack.remove().await;
}

#[tokio::test]
async fn who_comes_again_gets_what_changed_meanwhile() {
    let Some(stack) = Stack::start().await else { return };
    let (id, other) = (stack.make(&job("one")).await, stack.make(&job("other")).await);
    let (mut stream, begin) = hello(&stack, "", None).await;
    stack.patch(id, &json!({ "title": "seen" })).await;
    let (_, seen) = stream.until(|job| job["title"] == "seen").await;
    drop(stream);
    // Nobody listens now. A heartbeat, a change, a new job.
    let lease = stack.claim(Uuid::new_v4()).await;
    stack.post("/v1/leases/heartbeat", &lease.beat(0.75)).await;
    stack.patch(other, &json!({ "title": "changed" })).await;
    let new = stack.make(&job("new")).await;
    for (query, last_seen) in
        [(String::new(), Some(seen.id.as_str())), (format!("?after={}", begin.id), None)]
    {
        let (mut stream, hello) = hello(&stack, &query, last_seen).await;
        let mut told = BTreeMap::new();
        let mut last = String::new();
        while told.len() < 3 {
            let event = stream.next().await.unwrap();
            let job = event.job();
            last.clone_from(&event.id);
            assert!(told.insert(job["id"].as_str().unwrap().to_owned(), job).is_none(), "each once");
        }
        assert_eq!(told[&id.to_string()]["progress"]["fraction"], 0.75);
        assert_eq!(told[&other.to_string()]["title"], "changed");
        assert_eq!(told[&new.to_string()]["title"], "new");
        // The client's id moves on when it has got everything.
        assert_eq!(Some(hello.id.as_str()), last_seen.or(query.strip_prefix("?after=")));
        assert_ne!(last, hello.id);
        drop(stream);
    }
    // Filtered like what is new.
    let (mut stream, _) = hello(&stack, "?state=running", Some(&begin.id)).await;
    assert_eq!(stream.job().await["id"], json!(lease.job));
    drop(stream);
    stack.remove().await;
}

/// Works on whatever there is, until it is told that there is no more to come.
async fn work(stack: Arc<Stack>) {
    while let Some((lease, _)) = stack.claim_of("busy", &["montage"], None).await {
        for beat in 1..4_u8 {
            stack.post("/v1/leases/heartbeat", &lease.beat(f64::from(beat) / 4.0)).await;
        }
        let dice = rand::rng().random_range(0..3);
        let (status, _) = match dice {
            0 => stack.post(&lease.path("complete"), &lease.completion(Uuid::now_v7())).await,
            1 => stack.post(&lease.path("fail"), &lease.failure("permanent")).await,
            _ => stack.post(&lease.path("release"), &lease.proof()).await,
        };
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_breaks_off_again_and_again_misses_nothing() {
    const JOBS: usize = 60;
    let Some(stack) = Stack::start().await else { return };
    let stack = Arc::new(stack);
    let (first, hello) = hello(&stack, "", None).await;
    drop(first);
    let busy = {
        let stack = Arc::clone(&stack);
        tokio::spawn(async move {
            for number in 0..JOBS {
                stack.make(&job(&format!("job {number}"))).await;
                if number % 20 == 19 {
                    tokio::join!(
                        work(Arc::clone(&stack)),
                        work(Arc::clone(&stack)),
                        work(Arc::clone(&stack))
                    );
                }
            }
            // While the client may be away, the last one is written.
            stack.make(&job("the last")).await;
        })
    };
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut id = hello.id;
    while !known.values().any(|job| job["title"] == "the last") {
        let mut stream = stack.follow("/v1/events", Some(&id)).await;
        // Its id moves on when it has got everything, and what is of the last ten seconds comes each time.
        for _ in 0..rand::rng().random_range(1..150) {
            let event = stream.next().await.unwrap();
            id.clone_from(&event.id);
            match event.name.as_str() {
                "hello" => {}
                "job" => {
                    let job = event.job();
                    known.insert(job["id"].as_str().unwrap().to_owned(), job);
                }
                other => panic!("{other}: not so much was missed"),
            }
            if known.values().any(|job| job["title"] == "the last") {
                break;
            }
        }
    }
    busy.await.unwrap();
    // What came is what is there; a last look for what was told after "the last".
    let (status, page) = stack.get("/v1/jobs?limit=200").await;
    assert_eq!(status, StatusCode::OK);
    let mut stream = stack.follow("/v1/events", Some(&id)).await;
    let there: BTreeMap<String, Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (job["id"].as_str().unwrap().to_owned(), job.clone()))
        .collect();
    assert_eq!(there.len(), JOBS + 1);
    while known != there {
        let event = stream.next().await.expect("everything comes");
        if event.name == "job" {
            let job = event.job();
            known.insert(job["id"].as_str().unwrap().to_owned(), job);
        }
    }
    drop(stream);
    Arc::into_inner(stack).unwrap().remove().await;
}

#[tokio::test]
async fn what_is_committed_late_and_what_a_broken_database_hid_is_told_all_the_same() {
    let Some(stack) = Stack::start().await else { return };
    let (late, prompt) = (stack.make(&job("late")).await, stack.make(&job("prompt")).await);
    let (mut stream, _) = hello(&stack, "", None).await;
    let mut single = stack.follow(&format!("/v1/jobs/{late}/events"), None).await;
    single.next().await.unwrap();
    // Begun before another change that is told, and committed after it. A machine that stood still meanwhile proves nothing.
    for round in 0.. {
        let mut transaction = stack.pool.begin().await.unwrap();
        sqlx::query(
            "UPDATE jobs.jobs SET title = $2, version = version + 1, updated_at = now() WHERE id = $1",
        )
        .bind(late)
        .bind(format!("late {round}"))
        .execute(&mut *transaction)
        .await
        .unwrap();
        stack.patch(prompt, &json!({ "title": format!("prompt {round}") })).await;
        stream.until(|job| job["title"] == format!("prompt {round}")).await;
        let age: f64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp() - now())::float8")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        if age < 5.0 {
            stream.until(|job| job["title"] == format!("late {round}")).await;
            single.until(|job| job["title"] == format!("late {round}")).await;
            break;
        }
        assert!(round < 20, "this machine is too slow to say anything");
    }
    // Every connection of the service is cut; what changes before it has others is told when it has.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'jobs-repo'";
    for title in ["first", "second"] {
        assert!(stack.count(cut).await > 0);
        sqlx::query(
            "UPDATE jobs.jobs SET title = $2, version = version + 1, updated_at = now() WHERE id = $1",
        )
        .bind(late)
        .bind(title)
        .execute(&stack.pool)
        .await
        .unwrap();
        stream.until(|job| job["title"] == title).await;
        single.until(|job| job["title"] == title).await;
    }
    drop((stream, single));
    stack.remove().await;
}

/// Reads on to a job of this title. On a slow machine hundreds of changes may be one round, and more resets come than must.
async fn past_resets(stream: &mut Stream, title: &str) {
    loop {
        let event = stream.next().await.unwrap();
        if event.name != "reset" && event.job()["title"] == title {
            return;
        }
    }
}

#[tokio::test]
async fn who_missed_too_much_is_told_to_read_anew() {
    let Some(stack) = Stack::start().await else { return };
    let (mut live, begin) = hello(&stack, "", None).await;
    let batch: Vec<Value> = (0..100).map(|number| job(&format!("job {number}"))).collect();
    let mut ids = Vec::new();
    for _ in 0..6 {
        let (status, made) = stack.post("/v1/jobs", &json!(batch)).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        ids.push(made[0]["id"].as_str().unwrap().to_owned());
    }
    let ancient = chrono::Utc::now() - chrono::TimeDelta::hours(3);
    let ancient = paging::encode(&ancient.timestamp_micros(), &"events");
    let first: Uuid = ids[0].parse().unwrap();
    for (number, id) in [&begin.id, &ancient].into_iter().enumerate() {
        let (mut stream, hello) = hello(&stack, "", Some(id)).await;
        assert_ne!(&hello.id, id);
        let reset = stream.next().await.unwrap();
        assert_eq!((reset.name.as_str(), reset.data.as_str()), ("reset", "{}"));
        // It goes on from there.
        let title = format!("after {number}");
        stack.patch(first, &json!({ "title": title })).await;
        past_resets(&mut stream, &title).await;
        // What was posted is no more than ten seconds ago, and still too much; of few it is not.
        let (mut few, _) = self::hello(&stack, "?kind=transcript", Some(&reset.id)).await;
        let (_, page) = stack.get("/v1/jobs?limit=1").await;
        let body = json!({ "kind": "transcript", "spec": { "montage": page["items"][0]["id"] } });
        stack.make(&body).await;
        past_resets(&mut few, &format!("Transcript of {}", body["spec"]["montage"].as_str().unwrap())).await;
    }
    // So many at once that they are not told one by one, to one who was there.
    past_resets(&mut live, "after 1").await;
    sqlx::query("UPDATE jobs.jobs SET version = version + 1, updated_at = now() WHERE kind = 'montage'")
        .execute(&stack.pool)
        .await
        .unwrap();
    while live.next().await.unwrap().name != "reset" {}
    stack.patch(first, &json!({ "title": "at last" })).await;
    past_resets(&mut live, "at last").await;
    drop(live);
    stack.remove().await;
}

/// Half a megabyte of montage.
fn large(title: &str) -> Value {
    let mut body = job(title);
    let highlight = json!({ "source": { "url": format!("https://media.example/{}.mp4", "x".repeat(900)) },
                            "start": 1, "duration": 2 });
    body["spec"]["highlights"] = json!(vec![highlight; 500]);
    body
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_so_and_goes_on() {
    let Some(stack) = Stack::start_streaming(Streams { backlog: 2, ..streams() }).await else { return };
    let id = stack.make(&large("0")).await;
    let (mut quick, _) = hello(&stack, "", None).await;
    let address = stack.base.strip_prefix("http://").unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut slow = socket.connect(address.parse().unwrap()).await.unwrap();
    slow.write_all(b"GET /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"data: {}\n\n\r\n") {
        let mut piece = [0; 1];
        slow.read_exact(&mut piece).await.unwrap();
        answer.push(piece[0]);
    }
    // Far more than all buffers between the two hold, each change in a round of its own.
    for number in 1..=30 {
        let title = format!("\"title\":\"{number}\"");
        stack.patch(id, &json!({ "title": number.to_string() })).await;
        while !quick.next().await.unwrap().data.contains(&title) {}
    }
    stack.patch(id, &json!({ "title": "the last" })).await;
    // Now it reads: what was on its way, and then what it needs to know. The last is news that is still kept for it.
    let mut body = Vec::new();
    let mut piece = vec![0; 1 << 16];
    let last = b"\"title\":\"the last\"";
    while !body.windows(last.len()).any(|window| window == last) {
        body.clear();
        while !body.ends_with(b"\n\n\r\n") {
            let read = tokio::time::timeout(Duration::from_secs(60), slow.read(&mut piece)).await;
            let read = read.expect("more comes").unwrap();
            assert!(read > 0, "the stream goes on");
            body.extend_from_slice(&piece[..read]);
        }
        answer.extend_from_slice(&body);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("event: reset\n"));
    let told = answer.matches("event: job\n").count();
    assert!(told < 31, "{told}");
    drop((quick, slow));
    stack.remove().await;
}

#[tokio::test]
async fn places_are_bounded_and_free_when_their_clients_are_gone() {
    let Some(stack) = Stack::start_streaming(Streams { most: 2, ..streams() }).await else { return };
    let id = stack.make(&job("popular")).await;
    let path = format!("/v1/jobs/{id}/events");
    // What is refused, or asks for the head only, keeps no place.
    for _ in 0..4 {
        stack.get(&format!("/v1/jobs/{}/events", Uuid::now_v7())).await;
        stack.client.head(format!("{}/v1/events", stack.base)).send().await.unwrap();
    }
    let open = async |path: &str| loop {
        let response = stack.try_follow(path, None).await;
        match response.status() {
            StatusCode::OK => return response,
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (first, second) = (open(&path).await, open("/v1/events").await);
    for path in [path.as_str(), "/v1/events"] {
        let response = stack.try_follow(path, None).await;
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (StatusCode::SERVICE_UNAVAILABLE, &"15".parse().unwrap())
        );
        assert_eq!(response.json::<Value>().await.unwrap()["code"], "unavailable");
    }
    assert_eq!(stack.get(&format!("/v1/jobs/{id}")).await.0, StatusCode::OK, "all else is answered");
    drop(first);
    let third = open("/v1/events").await;
    assert_eq!(stack.try_follow(&path, None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop((second, third));
    open(&path).await;
    stack.remove().await;
}

#[tokio::test]
async fn streams_end_with_the_service_and_after_their_time() {
    let Some(stack) = Stack::start().await else { return };
    let id = stack.make(&job("followed")).await;
    let (mut all, _) = hello(&stack, "", None).await;
    let mut one = stack.follow(&format!("/v1/jobs/{id}/events"), None).await;
    one.next().await.unwrap();
    stack.shutdown.cancel();
    // As a stream ends that is whole, not as one that is cut.
    assert_eq!((all.next().await, one.next().await), (None, None));
    stack.remove().await;

    let short = Streams { lifetime: Duration::from_millis(300), ..streams() };
    let Some(stack) = Stack::start_streaming(short).await else { return };
    let (mut all, _) = hello(&stack, "", None).await;
    assert_eq!(all.next().await, None);
    let id = stack.make(&job("short")).await;
    let mut one = stack.follow(&format!("/v1/jobs/{id}/events"), None).await;
    let first: Job = serde_json::from_value(one.job().await).unwrap();
    assert_eq!(first.id.0, id);
    assert_eq!(one.next().await, None);
    stack.remove().await;
    assert!(parse(": ").is_none());
}
