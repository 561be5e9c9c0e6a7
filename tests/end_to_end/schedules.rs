//! A schedule: its source is read, its job posted once, its montage made.

use contracts::{ids::JobId, job::JobState};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::fs;

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
