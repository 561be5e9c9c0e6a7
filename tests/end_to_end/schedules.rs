//! A schedule: its source is read, its jobs are posted once, wherever its scheduler is killed, and its montage is made.

use contracts::{ids::JobId, job::JobState};
use end_to_end::stack::{Hints, Stack};
use highlights::testing::{Day, DynamodbServer};
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
    stack.media.until_all_are_gone().await;
    stack.start_again("scheduler", &[]);
    stack.media.until_held(1).await;
    stack.media.let_go();
    // There is no list behind the gate, which is told where people look.
    let run = run_when(&stack, &path, |run| run["outcome"] != "running").await;
    assert_eq!((&run["outcome"], &run["job_count"]), (&json!("failed"), &json!(0)), "{run}");
    assert!(run["reason"].as_str().unwrap().contains("cannot be read"), "{run}");
    stack.end().await;
}

/// What the product is for: nobody does anything after the schedule is made.
#[tokio::test]
async fn a_week_in_dynamodb_becomes_a_montage_of_each_streamer_and_one_of_all_by_itself_and_once() {
    let Some(server) = DynamodbServer::start() else { return };
    let mut settings = server.settings();
    settings.push(("SM_DYNAMODB_TABLES".to_owned(), "streamers,days".to_owned()));
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    for video in ["hana-1", "hana-2", "ben-1"] {
        fs::copy(videos::short(), stack.directory("media").join(format!("{video}.mp4"))).unwrap();
    }
    let day = |channel, date, video, list: &str| Day { channel, date, video, list: list.to_owned() };
    let days = [
        day(
            "UC1",
            "2026-11-16",
            "hana-1",
            r#"[{"Timestamp": "0:00:00.500", "Score": 9}, {"Timestamp": 1, "Score": 5}]"#,
        ),
        day("UC1", "2026-11-22", "hana-2", r#"[{"Timestamp": "0:00", "Score": 7.5}]"#),
        day("UC2", "2026-11-20", "ben-1", r#"[{"Timestamp": "0:00:01", "Score": 8}]"#),
        day("UC2", "2026-11-21", "ben-1", "not a list"),
        day("UC2", "2026-11-23", "ben-2", r#"[{"Timestamp": "0:00:01", "Score": 10}]"#),
    ];
    server.fill(("streamers", &[("UC1", "Hana"), ("UC2", "Ben")]), ("days", &days)).await;
    // The days are given, so that midnight does not change what is wanted while the test runs.
    let body = json!({
        "name": "weekly", "cron": "* * * * *", "window": { "from": "2026-11-16", "to": "2026-11-22" },
        "source": { "dynamodb": {
            "streamers": { "table": "streamers" }, "highlights": { "table": "days" }, "video": { "path": "library:{id}.mp4" },
            "duration": "0.5s" } },
        "montages": [
            { "of": "each_streamer", "title": "{streamer}, {from} to {to}", "select": { "per_video": 1, "order": "time" } },
            { "of": "all_streamers", "title": "All {count}", "select": { "per_streamer": 1, "order": "score" } } ],
        "template": { "labels": { "show": "weekly" }, "spec": { "transcribe": { "engine": "none" } } }
    });
    let response = stack.send(Method::POST, "/v1/schedules", Some(&body)).await;
    assert_eq!(response.status(), StatusCode::CREATED, "{}", response.text().await.unwrap());
    let schedule: Value = response.json().await.unwrap();
    let runs = format!("/v1/schedules/{}/runs", schedule["id"].as_str().unwrap());
    stack.add_executor(&[]);

    // Two ticks of the clock, of which the second finds everything made.
    let both = run_when(&stack, &runs, |runs| {
        let items = runs["items"].as_array().unwrap();
        items.len() >= 2 && items.iter().all(|run| run["outcome"] != "running")
    })
    .await;
    let items = both["items"].as_array().unwrap();
    let first = items.last().unwrap();
    assert_eq!((&first["outcome"], count(first, "submitted")), (&json!("submitted"), 3), "{both}");
    assert!(items[..items.len() - 1].iter().all(|run| count(run, "known") == 3), "{both}");
    let report = &first["report"];
    assert_eq!(
        (&report["rows"], &report["highlights"], &report["skipped"]),
        (&json!(4), &json!(4), &json!(1))
    );
    let skipped = report["skipped_rows"][0]["row"].as_str().unwrap();
    assert!(skipped.contains("Ben") && skipped.contains("2026-11-21"), "{report}");

    let mut made = Vec::new();
    for job in first["jobs"].as_array().unwrap() {
        let job = stack.wait_until_final(job["job_id"].as_str().unwrap().parse().unwrap()).await;
        assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
        let montage = stack.montage_of(&job).await;
        let streamers: Vec<String> = montage.clips.into_iter().filter_map(|clip| clip.streamer).collect();
        made.push((montage.summary.title, streamers));
    }
    assert_eq!(stack.montages().await.items.len(), 3, "and nothing else is made");
    made.sort();
    let of = |title: &str, streamers: &[&str]| {
        (title.to_owned(), streamers.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        made,
        [
            of("All 2", &["Hana", "Ben"]),
            of("Ben, 2026-11-16 to 2026-11-22", &["Ben"]),
            of("Hana, 2026-11-16 to 2026-11-22", &["Hana", "Hana"])
        ]
    );
    stack.end().await;
}
