//! The examples of the API document, each run as it is shown: by bash and curl, in the order of the story, against an empty
//! installation that wants keys. What is answered has the status and type that the document promises and fits its schema.
//!
//! The executors' chapter has no executor but the examples themselves; from the next one on there is a real one.

use contracts::webhook::Revealed;
use end_to_end::{
    media_server::MediaServer,
    stack::{Hints, Stack, root},
};
use gateway::examples::{self, Example, variable};
use jobs_repo::signature::SigningKey;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use crate::{openapi::document, previews, schema, videos};

/// Longest wait for what is asked again. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(300);
const ADMIN_TOKEN: &str = "admin-token-of-the-tests-0123456789";

/// An answer.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a JSON pointer or header, as text.
    fn find(&self, name: &str) -> Option<String> {
        if !name.starts_with('/') {
            return self.headers.get(&name.to_lowercase()).cloned();
        }
        match self.json().pointer(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// What differs from what is expected of it; `None` if nothing does.
    fn differs(&self, example: &Example) -> Option<String> {
        if self.status != example.status {
            return Some(format!("{}, not {}", self.status, example.status));
        }
        let body = self.json();
        for (pointer, wanted) in &example.expect {
            let found = body.pointer(pointer);
            if found != Some(wanted) {
                return Some(format!("{pointer} is {found:?}, not {wanted}"));
            }
        }
        let missing = example.keep.values().find(|name| self.find(name).is_none());
        missing.map(|name| format!("{name} is absent"))
    }
}

/// Runs a command as a person would, in a directory with the files that examples name.
async fn run(
    command: &str,
    is_stream: bool,
    directory: &Path,
    variables: &BTreeMap<String, String>,
) -> Answer {
    let mut child = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(directory)
        .envs(variables)
        .env("CURL_HOME", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (mut body, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let count = stdout.read(&mut piece).await.unwrap();
        body.extend_from_slice(&piece[..count]);
        if count == 0 {
            break;
        }
        // A stream has no end that is worth waiting for: its first event will do.
        if is_stream && body.windows(2).any(|two| two == b"\n\n") {
            child.start_kill().unwrap();
            break;
        }
    }
    child.wait().await.unwrap();
    if command.contains("curl --head ") {
        // What was shown is the head.
        body.clear();
    }
    let head = fs::read_to_string(directory.join("head")).unwrap();
    // Where a body was sent there may be a `100 Continue` before.
    let mut lines = head.trim_end().rsplit("\r\n\r\n").next().unwrap().lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.trim_end().to_owned()))
        .collect();
    Answer { status: status.unwrap_or_else(|| panic!("no answer to\n{command}")), headers, body }
}

/// What an example saved counts as if it had been shown.
fn saved(answer: &mut Answer, example: &Example, directory: &Path) {
    if let Some(name) = &example.save {
        answer.body = fs::read(directory.join(name)).unwrap_or_default();
    }
}

/// Whether an answer is of a type that the document names for its status, and fits the schema.
fn check(document: &Value, operation: &Value, example: &Example, answer: &Answer) {
    let title = &example.title;
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{title}: the document knows no {}", answer.status);
    let shown = answer.headers.get("content-type").map(|kind| kind.split(';').next().unwrap().trim());
    let Some(kinds) = response["content"].as_object() else {
        assert!(answer.body.is_empty(), "{title}: the document says that there is no body");
        return;
    };
    let may_be_empty = response["description"].as_str().unwrap().contains("without a body");
    if may_be_empty && shown.is_none() && answer.body.is_empty() {
        return;
    }
    let kind = shown.unwrap_or_else(|| panic!("{title}: no content type"));
    let family = format!("{}/*", kind.split('/').next().unwrap());
    let media = kinds
        .get(kind)
        .or_else(|| kinds.get(&family))
        .or_else(|| kinds.get("*/*"))
        .unwrap_or_else(|| panic!("{title}: {kind} is not of {:?}", kinds.keys()));
    assert!(!answer.body.is_empty(), "{title}: no body");
    if example.stream {
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.lines().any(|line| line.starts_with("event: ")), "{title}: {text}");
    }
    if let Some(expected) = media.get("schema").filter(|_| kind == "application/json") {
        let mistakes = schema::mistakes(&answer.json(), expected, document);
        assert!(mistakes.is_empty(), "{title}: {}\n{}", mistakes.join("\n"), answer.json());
    }
}

/// The files that examples name, and how curl behaves in this directory besides what it is told.
fn make_files(directory: &Path) {
    fs::write(directory.join(".curlrc"), "silent\nshow-error\nmax-time = 60\ndump-header = head\n").unwrap();
    let video = videos::short();
    fs::copy(&video, directory.join("friday.mp4")).unwrap();
    let video = video.to_str().unwrap();
    for (name, arguments) in [
        ("poster.jpg", &["-frames:v", "1"][..]),
        ("sprites.jpg", &["-vf", "fps=1,scale=160:90,tile=3x1", "-frames:v", "1"]),
        ("speech.wav", &["-vn", "-ac", "1", "-ar", "16000"]),
    ] {
        fs::copy(videos::make(name, &[&["-i", video], arguments].concat()), directory.join(name)).unwrap();
    }
    let clip = previews::clip(
        "preview-one.mp4",
        "testsrc2=size=320x180:rate=30:duration=3",
        "sine=frequency=440:duration=3",
        &[],
    );
    let parts = previews::parts(&fs::read(clip).unwrap());
    fs::write(directory.join("init.mp4"), &parts[0]).unwrap();
    fs::write(directory.join("1.mp4"), &parts[1]).unwrap();
}

/// The command with the addresses of this test in the place of those that people are shown.
fn here(command: &str, media: &MediaServer) -> String {
    command
        .replace("https://videos.example/", &media.url("/media/"))
        .replace("https://hooks.example/", &media.url("/hooks/"))
}

#[tokio::test]
async fn every_example_of_the_document_does_what_it_says() {
    let settings = [("SM_AUTH", "keys"), ("SM_ADMIN_TOKEN", ADMIN_TOKEN), ("SM_LEASE_TTL", "5m")];
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    let directory = tempfile::tempdir().unwrap();
    make_files(directory.path());
    let sources = stack.directory("media");
    fs::copy(videos::short(), sources.join("friday.mp4")).unwrap();
    let highlights = json!([{ "source": { "path": "library:friday.mp4" }, "start": 0, "duration": 1 }]);
    fs::write(sources.join("highlights.json"), highlights.to_string()).unwrap();

    let merged = document();
    let written = serde_json::to_value(&merged).unwrap();
    let operations = operations(&written);
    let chapters = examples::chapters().unwrap();
    let mut commands = gateway::openapi::commands(&merged, &chapters).into_iter();
    let mut variables: BTreeMap<String, String> =
        [("GATEWAY", stack.gateway.as_str()), ("ADMIN_KEY", ADMIN_TOKEN)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    for chapter in &chapters {
        if chapter.name == "jobs" {
            stack.add_executor(&[]);
        }
        for example in &chapter.examples {
            let (operation, title, command) = commands.next().unwrap();
            assert_eq!((&operation, &title), (&example.operation, &example.title));
            let command = here(&command, &stack.media);
            let start = Instant::now();
            let answer = loop {
                let mut answer = run(&command, example.stream, directory.path(), &variables).await;
                saved(&mut answer, example, directory.path());
                let Some(difference) = answer.differs(example) else { break answer };
                let text = String::from_utf8_lossy(&answer.body);
                assert!(
                    example.again && start.elapsed() < PATIENCE,
                    "{title}: {difference}\n{command}\n{text}\n{}",
                    stack.logs()
                );
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            check(&written, operations[&operation], example, &answer);
            for (name, from) in &example.keep {
                variables.insert(variable(name), answer.find(from).unwrap());
            }
        }
    }
    stack.end().await;
}

/// The receiver that the reference shows takes what is signed as the services sign it, and nothing else.
#[tokio::test]
async fn the_receiver_that_is_shown_tells_what_is_ours() {
    let secret = b"a secret of thirty-two bytes: xx".to_vec();
    let key = SigningKey::from(secret);
    let Revealed(shown) = key.reveal();
    let mut receiver = Command::new("node")
        .arg(root().join("gateway/pages/receiver.mjs"))
        .env("WEBHOOK_SECRET", shown)
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(receiver.stdout.take().unwrap()).lines();
    let listening = lines.next_line().await.unwrap().unwrap();
    let address = format!("http://127.0.0.1:{}", listening.strip_prefix("listening on port ").unwrap());
    let client = service_kit::client::http_client(Some(PATIENCE)).unwrap();
    let now = chrono::Utc::now().timestamp();
    let body = r#"{"type":"job.succeeded","data":{"title":"Ärger"}}"#;
    let good = key.sign("msg_1", now, body);
    let other = SigningKey::from(vec![7; 32]).sign("msg_1", now, body);
    for (signature, timestamp, sent, status) in [
        (good.clone(), now, body, 204),
        (format!("{other} {good}"), now, body, 204),
        (other, now, body, 401),
        (good.clone(), now, r#"{"type":"job.succeeded"}"#, 401),
        (good.clone(), now + 1, body, 401),
        (good.replace("v1,", "v2,"), now, body, 401),
        (key.sign("msg_1", now - 600, body), now - 600, body, 401),
        (String::new(), now, body, 401),
    ] {
        let call =
            client.post(&address).header("webhook-id", "msg_1").header("webhook-signature", &signature);
        let answer = call.header("webhook-timestamp", timestamp).body(sent).send().await.unwrap();
        assert_eq!(answer.status(), status, "{signature} {timestamp} {sent}");
    }
    let unsigned = client.post(&address).body(body).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "job.succeeded Ärger");
}

/// The operations of a document by their names.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let items = document["paths"].as_object().unwrap().values();
    let all = items.flat_map(|item| item.as_object().unwrap().values());
    all.filter_map(|operation| Some((operation.get("operationId")?.as_str()?.to_owned(), operation)))
        .collect()
}

#[test]
fn every_operation_has_an_example_and_every_example_an_operation() {
    let document = serde_json::to_value(document()).unwrap();
    let known: BTreeSet<String> = operations(&document).into_keys().collect();
    let chapters = examples::chapters().unwrap();
    let shown: BTreeSet<String> =
        chapters.iter().flat_map(|chapter| &chapter.examples).map(|one| one.operation.clone()).collect();
    let differing: Vec<_> = known.symmetric_difference(&shown).collect();
    assert!(differing.is_empty(), "without an example, or not in the document: {differing:?}");
    for (name, operation) in operations(&document) {
        assert!(operation["x-codeSamples"][0]["source"].is_string(), "{name}");
    }
}
