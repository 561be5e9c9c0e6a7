//! Imports that cannot be: what is said, and that nothing is posted.

use end_to_end::{
    lambda::Lambda,
    stack::{Hints, Stack},
};
use highlights::testing::{Day, DynamodbServer};
use serde_json::{Value, json};
use std::fs;

use super::{import, jobs, settings, told, with_key};

/// An import of two tables in days in which there is something.
fn definition(streamers: &str) -> Value {
    json!({
        "name": "weekly",
        "source": { "dynamodb": {
            "streamers": { "table": streamers }, "highlights": { "table": "days" }, "video": { "url": "https://media.example/{id}.mp4" }
        } },
        "window": { "from": "2026-11-16", "to": "2026-11-22" },
        "template": {}
    })
}

/// Five mistakes, and what has to be said of each.
fn mistaken() -> (Value, [(&'static str, &'static str); 5]) {
    let mut value = definition("streamers");
    value["nmae"] = json!("weekly");
    value["time_zone"] = json!("Middle/Earth");
    value["source"]["dynamodb"]["video"] = json!({ "url": "https://{id}.example/a.mp4" });
    value["window"] = json!({ "from": "2026-11-22", "to": "2026-11-16" });
    value["template"] = json!({ "spec": { "highlights": [] } });
    let told = [
        ("/nmae", "did you mean `name`"),
        ("/time_zone", "not an IANA time zone"),
        ("/source/dynamodb/video/url", "not in the host"),
        ("/window/to", "before the first"),
        ("/template/spec/highlights", "come from the source"),
    ];
    (value, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_is_told_and_posts_nothing() {
    let Some(server) = DynamodbServer::start() else { return };
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let (gateway, key) = with_key(&mut stack).await;
    let list = r#"[{ "Timestamp": "0:05:00", "Score": 0.9 }]"#.to_owned();
    let day = Day { channel: "1", date: "2026-11-18", video: "a", list };
    server.fill(("streamers", &[("1", "Channel 1")]), ("days", &[day])).await;
    let right = settings(&server, &gateway, &key);
    let directory = stack.directory("work");
    let written = |name: &str, value: &Value| {
        let path = directory.join(name);
        fs::write(&path, value.to_string()).unwrap();
        path.display().to_string()
    };
    let fails = async |settings: &[(String, String)], arguments: &[&str]| {
        let output = import(settings, arguments).await;
        let (out, error) = told(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{error}");
        assert!(!error.contains("AKIATEST") && !error.contains("test-secret"), "{error}");
        (out, error)
    };

    let (bad, mistakes) = mistaken();
    let (_, error) = fails(&right, &["file", &written("bad.json", &bad)]).await;
    for (place, detail) in mistakes {
        assert!(error.lines().any(|line| line.contains(place) && line.contains(detail)), "{place}: {error}");
    }
    let flags =
        ["dynamodb", "--name", "weekly", "--streamers-table", "streamers", "--highlights-table", "days"];
    let wrong = ["--video-url", "https://{id}.example/a.mp4", "--days", "0"];
    let (_, error) = fails(&right, &[&flags[..], &wrong[..]].concat()).await;
    assert!(error.contains("--video-url  ") && error.contains("--days  "), "{error}");

    let (_, error) = fails(&right, &["file", &written("unknown.json", &definition("nowhere"))]).await;
    assert!(error.contains("there is no table `nowhere`"), "{error}");

    let wrong_key = settings(&server, &gateway, "sm_not-a-key-of-anybody");
    let good = written("good.json", &definition("streamers"));
    let (out, error) = fails(&wrong_key, &["file", &good]).await;
    assert!(out.contains("1 waiting") && error.contains("This key is not known"), "{out}{error}");
    let nobody = settings(&server, &gateway, "");
    let (_, error) = fails(&nobody, &["file", &good]).await;
    assert!(error.contains("1 of 1 jobs were not posted"), "{error}");

    let event = |detail: Value| json!({ "source": "by-hand", "detail-type": "import", "detail": detail });
    let functions = [
        (&right, bad.to_string(), json!({}), "Settings", "/window/to the last day is before the first"),
        (
            &right,
            definition("nowhere").to_string(),
            json!({}),
            "SourceRefused",
            "there is no table `nowhere`",
        ),
        (&wrong_key, definition("streamers").to_string(), json!({}), "NotPosted", "This key is not known"),
        (
            &right,
            definition("streamers").to_string(),
            json!({ "startFilter": "16.11.2026" }),
            "Event",
            "`startFilter` is to be a day like 2026-11-22, and was \"16.11.2026\"",
        ),
    ];
    for (index, (settings, definition, detail, kind, message)) in functions.into_iter().enumerate() {
        let mut function = settings.clone();
        function.push(("SM_IMPORT".to_owned(), definition));
        let Some(lambda) = Lambda::start(&function, 60, &directory, &format!("lambda-{index}")).await else {
            return;
        };
        let answer = lambda.invoke(&event(detail)).await;
        assert_eq!(answer["errorType"], kind, "{answer}\n{}", lambda.log());
        assert!(answer["errorMessage"].as_str().is_some_and(|told| told.contains(message)), "{answer}");
    }
    assert!(jobs(&stack).await.is_empty(), "something was posted");
    stack.end().await;
}
