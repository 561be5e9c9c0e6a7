//! The API against what its own document allows, and much that it does not: schemathesis asks every route of a whole installation.
//!
//! No answer may be a server's error, and each must be one that the document names, in its form. What is asked follows from a fixed seed.

use contracts::job::JobState;
use end_to_end::stack::{Hints, Stack, root};
use serde_json::{Value, json};
use std::{env, fmt::Write as _, fs, path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;

use crate::videos;

/// Longest run. Generous: it only bounds a failure.
const LONGEST: Duration = Duration::from_secs(25 * 60);

/// What has to hold for every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

fn schemathesis() -> Option<PathBuf> {
    let own = root().join(".local/schemathesis/bin/schemathesis");
    let path = env::var_os("SM_TEST_SCHEMATHESIS").map_or(own, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "schemathesis is not installed");
    eprintln!("skipped: schemathesis is not installed; deployment/local/schemathesis.sh does it");
    None
}

/// Things that are there, so that routes are not only asked for what is not: a job, its montage, a schedule, an upload.
async fn things(stack: &Stack) -> Vec<(&'static str, &'static str, String)> {
    fs::copy(videos::short(), stack.directory("media").join("short.mp4")).expect("media can be copied");
    let job = stack
        .post_job(&json!({ "kind": "montage", "title": "Looked at", "spec": {
            "highlights": [{ "source": { "path": "library:short.mp4" }, "start": 0, "duration": "1s" }],
            "transcribe": { "engine": "none" } } }))
        .await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    let montage = job.result.as_ref().expect("a job that succeeded has a montage").montage_id.to_string();
    let made = |path: &str, body: Value| {
        let path = path.to_owned();
        async move {
            let answer = stack.send(reqwest::Method::POST, &path, Some(&body)).await;
            let status = answer.status();
            let body: Value = answer.json().await.expect("the answer is JSON");
            assert!(status.is_success(), "{path}: {status} {body}");
            body["id"].as_str().expect("what is made has an id").to_owned()
        }
    };
    let schedule = made(
        "/v1/schedules",
        json!({ "name": "Weekly", "cron": "0 18 * * 0", "source": { "path": "library:list.json" }, "template": { "title": "Week" }, "paused": true }),
    )
    .await;
    vec![
        ("/v1/jobs/{id}", "id", job.id.to_string()),
        ("/v1/montages/{id}", "id", montage),
        ("/v1/schedules/{id}", "id", schedule),
    ]
}

/// What schemathesis is told about media types that it does not know.
const HOOKS: &str = "import schemathesis
schemathesis.serializer.alias('application/offset+octet-stream', 'application/octet-stream')
";

/// The settings of the run: for what only reads, the things that are there.
fn settings(document: &Value, things: &[(&str, &str, String)]) -> String {
    let mut text = String::new();
    for (path, operations) in document["paths"].as_object().expect("the document has paths") {
        let Some((_, name, value)) = things.iter().find(|(start, _, _)| path.starts_with(start)) else {
            continue;
        };
        if operations.get("get").is_some() {
            let _ = writeln!(
                text,
                "[[operations]]\ninclude-name = \"GET {path}\"\nparameters = {{ {name} = \"{value}\" }}\n"
            );
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_whatever_it_is_asked_as_its_document_says() {
    let Some(schemathesis) = schemathesis() else { return };
    // What is asked names sources anywhere: none of them is looked for outside this machine.
    let Some(mut stack) = Stack::start(Hints::Postgres, &[("SM_FETCH_PUBLIC", "false")]).await else {
        return;
    };
    stack.add_executor(&[]);
    let things = things(&stack).await;
    let document = root().join("gateway/openapi.json");
    let read: Value = serde_json::from_str(&fs::read_to_string(&document).expect("the document is there"))
        .expect("it is JSON");
    let directory = tempfile::tempdir().expect("a directory can be made");
    let config = directory.path().join("schemathesis.toml");
    fs::write(&config, settings(&read, &things)).expect("the settings can be written");
    // Pieces of uploads are bytes like others.
    let hooks = directory.path().join("hooks.py");
    fs::write(&hooks, HOOKS).expect("the hooks can be written");
    let mut run = Command::new(&schemathesis)
        .env("SCHEMATHESIS_HOOKS", &hooks)
        .arg("--config-file")
        .arg(&config)
        .args(["--no-color", "run"])
        .arg(&document)
        .args(["--url", &stack.gateway, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &env::var("SM_TEST_FUZZ_EXAMPLES").unwrap_or_else(|_| "15".to_owned())])
        // Streams of events do not end by themselves.
        .args(["--exclude-path-regex", "/events$"])
        .args([
            "--seed",
            "20261126",
            "--generation-database",
            "none",
            // Python 3.11's parser of its own sources may fail where two threads use it at once, as the generator does.
            "--workers",
            "1",
            "--request-timeout",
            "60",
        ])
        .args(["--warnings", "off", "--suppress-health-check", "all", "--continue-on-failure"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("schemathesis starts");
    let status = tokio::time::timeout(LONGEST, run.wait())
        .await
        .expect("schemathesis ends")
        .expect("it can be waited for");
    assert!(status.success(), "the API did not answer as its document says (see above)\n{}", stack.logs());
    stack.end().await;
}
