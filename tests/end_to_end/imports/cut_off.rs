//! Imports that are cut off at every step, by a kill or by Lambda's deadline, and what is there when they are run again.

use contracts::import::ImportSummary;
use end_to_end::{
    door::{Door, Hold},
    lambda::Lambda,
    stack::{Hints, Stack},
};
use highlights::testing::{Day, DynamodbServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::{answered, import, jobs_of, program, settings, summary};

const STREAMERS: [(&str, &str); 5] =
    [("1", "Channel 1"), ("2", "Channel 2"), ("3", "Channel 3"), ("4", "Channel 4"), ("5", "Channel 5")];
/// One for each streamer and one of all.
const MONTAGES: u32 = 6;

async fn fill(server: &DynamodbServer) {
    let list = r#"[{ "Timestamp": "0:05:00", "Score": 0.9 }, { "Timestamp": "0:10:00", "Score": 0.8 }]"#;
    let videos = STREAMERS.map(|(channel, _)| format!("video-{channel}"));
    let day = |(index, (channel, _)): (usize, &(&'static str, &str))| Day {
        channel,
        date: "2026-11-18",
        video: videos[index].as_str(),
        list: list.to_owned(),
    };
    let days: Vec<Day<'_>> = STREAMERS.iter().enumerate().map(day).collect();
    server.fill(("streamers", &STREAMERS), ("days", &days)).await;
}

fn arguments(name: &str) -> [&str; 14] {
    [
        "dynamodb",
        "--name",
        name,
        "--streamers-table",
        "streamers",
        "--highlights-table",
        "days",
        "--video-url",
        "https://media.example/{id}.mp4",
        "--from",
        "2026-11-16",
        "--to",
        "2026-11-22",
        "--json",
    ]
}

/// The titles of an import's jobs, none of which is there twice.
async fn titles(stack: &Stack, name: &str) -> BTreeSet<String> {
    let jobs = jobs_of(stack, name).await;
    let titles: BTreeSet<String> = jobs.iter().map(|job| job.title.clone()).collect();
    assert_eq!(titles.len(), jobs.len(), "a job is there twice: {jobs:#?}");
    titles
}

fn all() -> BTreeSet<String> {
    let days = "2026-11-16 to 2026-11-22";
    let of_each = STREAMERS.iter().map(|(_, name)| format!("{name}, {days}"));
    of_each.chain([format!("The best of all, {days}")]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_at_any_step_is_mended_by_running_it_again() {
    let Some(server) = DynamodbServer::start() else { return };
    let Some(stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    fill(&server).await;
    let cases = [
        // Everything was read and nothing posted.
        ("read", Hold::Before(1), 0),
        ("posted-by-half", Hold::Before(4), 3),
        // The gateway has the job, and whoever posted it never heard that.
        ("unheard", Hold::After(1), 1),
        ("unheard-by-half", Hold::After(4), 4),
        ("all-but-heard", Hold::After(6), 6),
    ];
    for (name, hold, there) in cases {
        let mut door = Door::open(&stack.gateway, hold).await;
        let settings = settings(&server, &door.url, "any");
        let mut running = program(&settings, &arguments(name)).spawn().unwrap();
        door.until_held().await;
        running.kill().await.unwrap();
        assert_eq!(titles(&stack, name).await.len(), there as usize, "{name}");
        let again = summary(&import(&settings, &arguments(name)).await);
        assert_eq!((again.known, again.submitted), (there, MONTAGES - there), "{name}");
        assert_eq!(titles(&stack, name).await, all(), "{name}");
    }
    stack.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_stops_before_its_deadline_and_the_event_goes_on_where_it_was() {
    let Some(server) = DynamodbServer::start() else { return };
    let Some(stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    fill(&server).await;
    let definition = json!({
        "name": "late",
        "source": { "dynamodb": {
            "streamers": { "table": "streamers" }, "highlights": { "table": "days" }, "video": { "url": "https://media.example/{id}.mp4" }
        } },
        "window": { "last_days": 7 },
        "montages": [
            { "of": "each_streamer", "title": "{streamer}, {from} to {to}" },
            { "of": "all_streamers", "title": "The best of all, {from} to {to}" }
        ],
        "template": { "labels": { "import": "late" } }
    });
    let event = json!({
        "source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "2026-11-23T05:00:00Z", "detail": "{}"
    });
    let mut door = Door::open(&stack.gateway, Hold::After(3)).await;
    let mut function = settings(&server, &door.url, "any");
    function.push(("SM_IMPORT".to_owned(), definition.to_string()));
    let Some(lambda) = Lambda::start(&function, 5, &stack.directory("work"), "late").await else { return };
    let late: Value = lambda.invoke(&event).await;
    door.until_held().await;
    assert_eq!(late["errorType"], "NotPosted", "{late}");
    let message = late["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("4 of 6 jobs are not posted: the time that there was is over"), "{message}");
    assert_eq!(titles(&stack, "late").await.len(), 3);
    let again: ImportSummary = answered(lambda.invoke(&event).await, &lambda);
    assert_eq!((again.known, again.submitted), (3, MONTAGES - 3));
    assert_eq!(titles(&stack, "late").await, all());
    assert!(!lambda.log().contains("timed out"), "{}", lambda.log());
    stack.end().await;
}
