//! A schedule: its source is read, its jobs are posted once, wherever its scheduler is killed, and its montage is made.

use contracts::{ids::JobId, job::JobState};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use crate::videos;

#[tokio::test]
async fn a_schedule_run_by_hand_makes_a_montage() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let media = stack.directory("media");
    fs::copy(videos::short(), media.join("short.mp4")).unwrap();
    let list = json!([{ "source": { "path": "library:short.mp4" }, "start": "0", "duration": "1s", "title": "From a list" }]);
    fs::write(media.join("highlights.json"), list.to_string()).unwrap();
    let body = json!({
        "name": "weekly",
        "cron": "0 18 * * 0",
        "time_zone": "Europe/Berlin",
        "source": { "url": stack.media.url("/media/highlights.json") },
        "template": { "title": "Week of {date}", "labels": { "show": "weekly" }, "spec": { "transcribe": { "engine": "none" } } }
    });
    let response = stack.send(Method::POST, "/v1/schedules", Some(&body)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let schedule: serde_json::Value = response.json().await.unwrap();
    assert!(schedule["next_at"].is_string(), "{schedule}");
    let path = format!("/v1/schedules/{}", schedule["id"].as_str().unwrap());
    let run = stack.send(Method::POST, &format!("{path}/run"), None).await;
    assert!(run.status().is_success(), "{}", run.text().await.unwrap());
    let job: JobId = loop {
        let runs = stack.get(&format!("{path}/runs")).await;
        let run = &runs["items"][0];
        assert_ne!(run["outcome"], "failed", "{run}");
        if let Some(id) = run["jobs"][0]["job_id"].as_str() {
            break id.parse().unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let ended = stack.wait_until_final(job).await;
    assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
    assert_eq!(ended.labels["show"], "weekly");
    assert!(ended.title.starts_with("Week of 20"), "{}", ended.title);
    stack.end().await;
}

/// Four streamers, and a row that cannot be used.
const WEEK: &str = r#"[
    {"source": {"path": "library:a.mp4"}, "start": 10, "duration": 5, "streamer": "hana", "score": 3, "at": "2026-11-16"},
    {"source": {"path": "library:b.mp4"}, "start": 10, "duration": 5, "streamer": "ben", "score": 7, "at": "2026-11-18"},
    {"source": {"path": "library:c.mp4"}, "start": 10, "duration": 5, "streamer": "kim", "score": 5, "at": "2026-11-20"},
    {"source": {"path": "library:d.mp4"}, "start": 10, "duration": 5, "streamer": "lee", "score": 6, "at": "2026-11-22"},
    {"source": {"path": "library:e.mp4"}, "start": "nonsense", "duration": 5, "streamer": "lee", "at": "2026-11-22"}
]"#;
/// One for each streamer and one of all.
const JOBS: usize = 5;
/// Longest wait for anything. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes a schedule of the week and runs it for those days; answers the path of the run.
async fn run_week(stack: &Stack) -> String {
    fs::write(stack.directory("media").join("week.json"), WEEK).unwrap();
    let body = json!({
        "name": "weekly", "cron": "0 18 * * SUN", "source": { "path": "library:week.json" }, "window": { "last_days": 7 },
        "montages": [{ "of": "each_streamer" }, { "of": "all_streamers", "title": "Everybody", "select": { "order": "score" } }],
        "template": {}
    });
    let response = stack.send(Method::POST, "/v1/schedules", Some(&body)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let schedule: Value = response.json().await.unwrap();
    let path = format!("/v1/schedules/{}/run", schedule["id"].as_str().unwrap());
    let days = json!({ "window": { "from": "2026-11-16", "to": "2026-11-22" } });
    let run = stack.send(Method::POST, &path, Some(&days)).await;
    assert_eq!(run.status(), StatusCode::ACCEPTED);
    run.headers()["location"].to_str().unwrap().to_owned()
}

/// The run, once it is as wanted.
async fn run_when(stack: &Stack, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let run = stack.get(path).await;
        if wanted(&run) {
            return run;
        }
        assert!(begun.elapsed() < PATIENCE, "{run}\n{}", stack.logs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn count(run: &Value, outcome: &str) -> usize {
    run["jobs"].as_array().unwrap().iter().filter(|job| job["outcome"] == outcome).count()
}

/// The run ended with all its jobs, and there are no others.
async fn check_each_is_there_once(stack: &Stack, path: &str) {
    let run = run_when(stack, path, |run| run["outcome"] != "running").await;
    assert_eq!((&run["outcome"], count(&run, "submitted")), (&json!("submitted"), JOBS), "{run}");
    assert_eq!((&run["report"]["rows"], &run["report"]["skipped"]), (&json!(5), &json!(1)), "{run}");
    let told: BTreeSet<&str> =
        run["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap()).collect();
    let list = stack.get("/v1/jobs?limit=100").await;
    let there: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!((there.len(), told.len()), (JOBS, JOBS), "{list}");
    assert!(there.iter().all(|id| told.contains(id)));
}

#[tokio::test]
async fn a_scheduler_killed_between_reading_and_posting_loses_and_doubles_nothing() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    // jobs-repo stands still: what is sent to it is neither refused nor answered.
    stack.service("jobs-repo").signal("STOP");
    let path = run_week(&stack).await;
    let run = run_when(&stack, &path, |run| run["job_count"] == JOBS).await;
    assert_eq!(count(&run, "waiting"), JOBS, "{run}");
    stack.service("scheduler").kill();
    stack.service("jobs-repo").signal("CONT");
    // The list is gone: what was read and fixed is what is posted.
    fs::remove_file(stack.directory("media").join("week.json")).unwrap();
    stack.start_again("scheduler", &[]);
    check_each_is_there_once(&stack, &path).await;
    stack.end().await;
}

#[tokio::test]
async fn a_scheduler_killed_between_posting_and_recording_loses_and_doubles_nothing() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    // Whoever writes down what became of the third job waits for a lock that this connection holds.
    let mut connection = PgConnection::connect(stack.database_url()).await.unwrap();
    for statement in [
        "CREATE FUNCTION jobs.hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END'",
        "CREATE TRIGGER hold BEFORE UPDATE ON jobs.schedule_jobs FOR EACH ROW WHEN (OLD.position = 2) EXECUTE FUNCTION jobs.hold()",
        "SELECT pg_advisory_lock(7)",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    let path = run_week(&stack).await;
    let posted = async |count: usize| {
        let begun = Instant::now();
        loop {
            let list = stack.get("/v1/jobs?limit=100").await;
            if list["items"].as_array().unwrap().len() == count {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{list}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    posted(3).await;
    let run = run_when(&stack, &path, |run| count(run, "submitted") == 2).await;
    assert_eq!(count(&run, "waiting"), 3, "{run}");
    stack.service("scheduler").kill();
    // What the killed one was about to write is undone, since nobody commits it.
    sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut connection).await.unwrap();
    stack.start_again("scheduler", &[]);
    check_each_is_there_once(&stack, &path).await;
    connection.close().await.unwrap();
    stack.end().await;
}

#[tokio::test]
async fn a_scheduler_killed_while_it_reads_is_followed_by_another() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let body = json!({
        "name": "held", "cron": "0 18 * * SUN", "source": { "url": stack.media.url("/held/list.json") }, "template": {}
    });
    let response = stack.send(Method::POST, "/v1/schedules", Some(&body)).await;
    let schedule: Value = response.json().await.unwrap();
    let id = schedule["id"].as_str().unwrap();
    let run = stack.send(Method::POST, &format!("/v1/schedules/{id}/run"), None).await;
    let path = run.headers()["location"].to_str().unwrap().to_owned();
    stack.media.until_held(1).await;
    stack.service("scheduler").kill();
    stack.start_again("scheduler", &[]);
    stack.media.until_held(2).await;
    stack.media.let_go();
    // There is no list behind the gate, which is told where people look.
    let run = run_when(&stack, &path, |run| run["outcome"] != "running").await;
    assert_eq!((&run["outcome"], &run["job_count"]), (&json!("failed"), &json!(0)), "{run}");
    assert!(run["reason"].as_str().unwrap().contains("cannot be read"), "{run}");
    stack.end().await;
}
