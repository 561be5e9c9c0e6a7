//! Imports: highlights in DynamoDB become jobs, once, by the command line and by the Lambda handler, whatever cuts them off.
//!
//! No executor runs: what is shown is which jobs there are.

mod cut_off;
mod refused;
mod week;

use contracts::{
    import::{ImportSummary, PostOutcome},
    job::{Job, JobPage},
};
use end_to_end::{
    lambda::Lambda,
    process::programs,
    stack::{Hints, Stack},
};
use highlights::testing::DynamodbServer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Output, Stdio},
};
use tokio::process::Command;

const ADMIN: &str = "admin-token-of-the-tests-0123456789abcdef";

/// The settings of whoever imports from a server's tables into an installation.
fn settings(server: &DynamodbServer, gateway: &str, key: &str) -> Vec<(String, String)> {
    let own = [("SM_GATEWAY_URL", gateway), ("SM_API_KEY", key)];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    server.settings().into_iter().chain(own).collect()
}

/// `stream-montages import` with arguments.
fn program(settings: &[(String, String)], arguments: &[&str]) -> Command {
    let mut command = Command::new(programs().join("stream-montages"));
    command
        .arg("import")
        .args(arguments)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn import(settings: &[(String, String)], arguments: &[&str]) -> Output {
    program(settings, arguments).output().await.expect("the program runs")
}

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// What an import that was done answers with `--json`.
fn summary(output: &Output) -> ImportSummary {
    let (out, error) = told(output);
    assert!(output.status.success(), "{out}{error}");
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"))
}

/// All jobs, oldest first.
async fn jobs(stack: &Stack) -> Vec<Job> {
    let mut all = Vec::new();
    let mut path = "/v1/jobs?limit=100".to_owned();
    loop {
        let page: JobPage = serde_json::from_value(stack.get(&path).await).unwrap();
        all.extend(page.items);
        let Some(cursor) = page.next_cursor else {
            all.reverse();
            return all;
        };
        path = format!("/v1/jobs?limit=100&cursor={cursor}");
    }
}

/// The jobs of an import.
async fn jobs_of(stack: &Stack, import: &str) -> Vec<Job> {
    let all = jobs(stack).await;
    all.into_iter().filter(|job| job.labels.get("import").is_some_and(|name| name == import)).collect()
}

/// A gateway that lets in who has a key, and a key to it.
async fn with_key(stack: &mut Stack) -> (String, String) {
    let gateway = stack.add_gateway(&[("SM_AUTH", "keys"), ("SM_ADMIN_TOKEN", ADMIN)]);
    let client = service_kit::client::http_client(None).unwrap();
    let request = client.request(Method::POST, format!("{gateway}/v1/keys")).bearer_auth(ADMIN);
    let answer = request.json(&json!({ "name": "imports", "scopes": ["write"] })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let made: Value = answer.json().await.unwrap();
    (gateway, made["secret"].as_str().unwrap_or_else(|| panic!("no secret")).to_owned())
}

/// The arguments of an import of the week's tables.
fn of_week<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let tables = ["--streamers-table", "streamers", "--highlights-table", "stream-highlights"];
    let rest =
        ["--date-form", "timestamp", "--time-zone", week::ZONE, "--from", week::FROM, "--to", week::TO];
    let video = ["--video-url", "https://media.example/videos/{id}.mp4"];
    ["dynamodb", "--name", name]
        .into_iter()
        .chain(tables)
        .chain(rest)
        .chain(video)
        .chain(more.iter().copied())
        .collect()
}

/// The same as a definition.
fn definition(name: &str) -> Value {
    json!({
        "name": name,
        "time_zone": week::ZONE,
        "source": { "dynamodb": {
            "streamers": { "table": "streamers" },
            "highlights": { "table": "stream-highlights", "date_form": "timestamp" },
            "video": { "url": "https://media.example/videos/{id}.mp4" }
        } },
        "window": { "last_days": 7 },
        "montages": [
            {
                "of": "each_streamer", "title": "{streamer}, {from} to {to}",
                "labels": { "import": "{name}", "streamer": "{streamer}" }, "select": { "per_video": 1, "order": "time" }
            },
            {
                "of": "all_streamers", "title": "The best of all, {from} to {to}",
                "labels": { "import": "{name}" }, "select": { "per_streamer": 1, "order": "shuffle" }
            }
        ],
        "template": {}
    })
}

/// Whether these are the jobs of the week, each once and as they have to be.
fn check_week(jobs: &[Job], import: &str) {
    assert_eq!(jobs.len(), week::STREAMERS + 1);
    let mut by_title: BTreeMap<&str, &Job> = jobs.iter().map(|job| (job.title.as_str(), job)).collect();
    assert_eq!(by_title.len(), jobs.len(), "a title is there twice");
    let (title, mut best) = week::of_all_streamers();
    let all = by_title.remove(title.as_str()).unwrap_or_else(|| panic!("no {title}"));
    assert_eq!(all.labels, BTreeMap::from([("import".to_owned(), import.to_owned())]));
    let mut clips = week::clips(all);
    let order = |a: &week::Clip, b: &week::Clip| a.streamer.cmp(&b.streamer);
    assert!(!clips.is_sorted_by(|a, b| order(a, b).is_le()), "they are not shuffled");
    clips.sort_by(order);
    best.sort_by(order);
    assert_eq!(clips, best);
    for (title, expected) in week::of_each_streamer() {
        let job = by_title.remove(title.as_str()).unwrap_or_else(|| panic!("no {title}"));
        assert_eq!(week::clips(job), expected, "{title}");
        let labels = [("import", import), ("streamer", &expected[0].streamer)];
        assert_eq!(job.labels, labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
    assert!(by_title.is_empty(), "{:?}", by_title.keys());
}

fn check_report(summary: &ImportSummary) {
    let report = &summary.report;
    assert_eq!(report.rows, u64::try_from(week::STREAMERS * week::WITHIN).unwrap());
    assert_eq!(report.highlights, week::usable());
    let mistakes = week::mistakes();
    assert_eq!(report.skipped, u64::try_from(mistakes.len()).unwrap(), "{report:#?}");
    for (row, reason) in mistakes {
        let found = report.skipped_rows.iter().find(|skipped| skipped.row == row);
        let found = found.unwrap_or_else(|| panic!("{row} is not reported: {report:#?}"));
        assert!(found.reason.contains(reason), "{found:?}: {reason}");
    }
}

fn ids(summary: &ImportSummary) -> BTreeSet<String> {
    summary.jobs.iter().map(|job| job.job_id.expect("it is known").to_string()).collect()
}

/// What the function answers where it imported.
fn answered(answer: Value, lambda: &Lambda) -> ImportSummary {
    serde_json::from_value(answer.clone()).unwrap_or_else(|_| panic!("{answer}\n{}", lambda.log()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_in_dynamodb_becomes_a_montage_of_each_streamer_and_one_of_all_once() {
    let Some(server) = DynamodbServer::start() else { return };
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let (gateway, key) = with_key(&mut stack).await;
    let settings = settings(&server, &gateway, &key);
    week::fill(&server).await;
    let montages = u32::try_from(week::STREAMERS + 1).unwrap();

    let dry = import(&settings, &of_week("weekly", &["--dry-run", "--json"])).await;
    let planned: Vec<Value> = serde_json::from_str(&told(&dry).0).unwrap();
    assert_eq!(planned.len(), week::STREAMERS + 1);
    assert!(jobs(&stack).await.is_empty(), "a dry run posted");

    let first = summary(&import(&settings, &of_week("weekly", &["--json"])).await);
    assert_eq!((first.submitted, first.known, first.refused, first.waiting), (montages, 0, 0, 0));
    check_report(&first);
    let made = jobs(&stack).await;
    check_week(&made, "weekly");
    assert_eq!(ids(&first), made.iter().map(|job| job.id.to_string()).collect());

    let again = import(&settings, &of_week("weekly", &[])).await;
    let (out, error) = told(&again);
    assert!(
        again.status.success() && out.contains("Jobs from 2026-11-16 to 2026-11-22: 31 known."),
        "{out}{error}"
    );
    assert!(
        error.contains("skipped: Channel 03 (1003), 2026-11-18Tnoon: its `Date` is not a moment"),
        "{error}"
    );
    assert_eq!(jobs(&stack).await.len(), made.len());

    let mut function = settings.clone();
    function.push(("SM_IMPORT".to_owned(), definition("weekly").to_string()));
    let directory = stack.directory("work");
    let Some(lambda) = Lambda::start(&function, 60, &directory, "weekly").await else { return };
    // The same days, said by the event, and as the week before the moment that the schedule meant.
    let by_hand = json!({
        "source": "by-hand", "detail-type": "import", "detail": { "startFilter": week::FROM, "endFilter": week::TO }
    });
    let scheduled = json!({
        "version": "0", "id": "d565d36f", "source": "aws.scheduler", "detail-type": "Scheduled Event",
        "time": "2026-11-23T05:00:00Z", "resources": [], "detail": "{}"
    });
    for event in [&by_hand, &scheduled] {
        let known = answered(lambda.invoke(event).await, &lambda);
        assert_eq!((known.submitted, known.known), (0, montages), "{event}");
        assert_eq!(ids(&known), ids(&first));
        check_report(&known);
    }
    assert_eq!(jobs(&stack).await.len(), made.len());
    assert!(!lambda.log().contains(&key), "the key is in the log");

    // Another name is another import: the function makes what the command line made.
    let mut function = settings.clone();
    function.push(("SM_IMPORT".to_owned(), definition("nightly").to_string()));
    let Some(lambda) = Lambda::start(&function, 60, &directory, "nightly").await else { return };
    let fresh = answered(lambda.invoke(&scheduled).await, &lambda);
    assert_eq!((fresh.submitted, fresh.known), (montages, 0));
    let again = answered(lambda.invoke(&scheduled).await, &lambda);
    assert_eq!((again.submitted, again.known), (0, montages));
    let nightly = jobs_of(&stack, "nightly").await;
    check_week(&nightly, "nightly");
    for (by_command, by_function) in made.iter().zip(&nightly) {
        assert_eq!((&by_command.title, &by_command.spec), (&by_function.title, &by_function.spec));
    }
    assert_eq!(jobs(&stack).await.len(), 2 * made.len());
    assert!(fresh.jobs.iter().all(|job| job.outcome == PostOutcome::Submitted));
    stack.end().await;
}
