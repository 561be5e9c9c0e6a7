//! `stream-montages up`: the whole product in one process, and the commands of a person at a terminal.

use end_to_end::{
    process::{Process, programs},
    stack::models,
};
use serde_json::json;
use service_kit::testing::Database;
use std::{fs, path::Path, process::Command};

use crate::videos;

fn command(settings: &[(String, String)], arguments: &[&str], directory: &Path) -> (bool, String) {
    let output = Command::new(programs().join("stream-montages"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[tokio::test]
async fn one_process_without_kafka_does_it_all() {
    let Some(database) = Database::create().await else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::create_dir(path("media")).unwrap();
    fs::copy(videos::short(), directory.path().join("media/short.mp4")).unwrap();
    let mut settings: Vec<(String, String)> = [
        ("SM_DATABASE_URL", database.url().to_owned()),
        ("SM_HINTS", "postgres".to_owned()),
        ("SM_LISTEN", "127.0.0.1:0".to_owned()),
        ("SM_OBJECT_STORE", format!("file:{}", path("objects"))),
        ("SM_WORK_DIR", path("work")),
        // What is kept of sources outlives jobs; whatever else is left behind in the work directory is a mistake.
        ("SM_FETCH_CACHE_DIR", path("fetched")),
        ("SM_MEDIA_DIRS", format!("library={}", path("media"))),
        ("SM_MODELS_DIR", models().display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let mut up = Process::start("stream-montages", &["up"], &settings, directory.path(), "up");
    settings.push(("SM_GATEWAY_URL".to_owned(), format!("http://{}", up.address)));

    let (healthy, report) = command(&settings, &["doctor"], directory.path());
    assert!(healthy || report.contains("models"), "{report}");

    let (sent, upload) = command(&settings, &["upload", "media/short.mp4"], directory.path());
    assert!(sent, "{upload}");
    let upload = upload.lines().next().unwrap().to_owned();
    let job = json!({ "kind": "montage", "title": "By hand", "spec": {
        "highlights": [
            { "source": { "path": "library:short.mp4" }, "start": "10f", "duration": "20f" },
            { "source": { "upload": upload }, "start": "0", "duration": "1s" } ],
        "transcribe": { "engine": "none" } } });
    fs::write(directory.path().join("job.json"), job.to_string()).unwrap();
    let (made, watched) = command(&settings, &["submit", "job.json", "--watch"], directory.path());
    assert!(made, "{watched}\n{}", up.log());
    let (listed, list) = command(&settings, &["list"], directory.path());
    assert!(listed && list.contains("By hand"), "{list}");

    fs::write(directory.path().join("bad.json"), r#"{ "kind": "montage", "spec": { "highlight": [] } }"#)
        .unwrap();
    let (taken, refusal) = command(&settings, &["submit", "bad.json"], directory.path());
    assert!(!taken && refusal.contains("did you mean `highlights`"), "{refusal}");

    assert!(up.stop().success(), "{}", up.log());
    let (there, advice) = command(&settings, &["list"], directory.path());
    assert!(!there && advice.contains("stream-montages up"), "{advice}");
    database.remove().await;
}
