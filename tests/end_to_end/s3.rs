//! The whole product on an S3 bucket: what goes in and out by signed links, and that nothing stays behind.
//!
//! Needs an S3 service, named by `SM_TEST_S3_ENDPOINT`, `SM_TEST_S3_BUCKET` (which exists), `SM_TEST_S3_ACCESS_KEY_ID` and
//! `SM_TEST_S3_SECRET_ACCESS_KEY`; skipped without them.

use contracts::{job::JobState, montage::Montage, object::Upload, transcript::TranscriptState};
use counter_video::{CounterVideo, Mark, read_marks};
use end_to_end::stack::{Hints, Stack};
use fetch::{Store, StoreConfig};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Body, Method, StatusCode, header};
use serde_json::{Value, json};
use std::{env, fs, time::Duration};

/// Frames of the sources, at 30 a second.
const FRAMES: u16 = 150;

/// The settings of a product whose objects are below a prefix of their own in the bucket.
fn settings() -> Option<Vec<(&'static str, String)>> {
    let given = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let prefix = uuid::Uuid::now_v7();
    Some(vec![
        ("SM_OBJECT_STORE", format!("s3://{}/test-{prefix}", given("SM_TEST_S3_BUCKET")?)),
        ("SM_S3_ENDPOINT", given("SM_TEST_S3_ENDPOINT")?),
        ("SM_S3_ACCESS_KEY_ID", given("SM_TEST_S3_ACCESS_KEY_ID")?),
        ("SM_S3_SECRET_ACCESS_KEY", given("SM_TEST_S3_SECRET_ACCESS_KEY")?),
        ("SM_S3_ALLOW_HTTP", "true".to_owned()),
        // What is deleted goes at once.
        ("SM_TRASH_KEEP", "0s".to_owned()),
    ])
}

fn store(settings: &[(&str, &str)]) -> Store {
    let lookup =
        |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Store::open(&StoreConfig::from_lookup(&lookup).unwrap()).unwrap()
}

async fn objects(store: &Store) -> Vec<String> {
    store.list(None).map_ok(|info| info.key.to_string()).try_collect().await.unwrap()
}

/// Waits until the bucket is empty and nothing is listed to go.
async fn until_nothing_is_left(stack: &Stack, store: &Store) {
    let pool = sqlx::PgPool::connect(stack.database_url()).await.unwrap();
    for _ in 0..600 {
        let listed: i64 =
            sqlx::query_scalar("SELECT count(*) FROM montages.deletions").fetch_one(&pool).await.unwrap();
        if listed == 0 && objects(store).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("left behind: {:?}\n{}", objects(store).await, stack.logs());
}

/// Makes a montage of so many frames from frame `first` of a source.
async fn montage(stack: &Stack, source: Value, first: u16, frames: u16) -> Montage {
    let duration = format!("{:.12}s", f64::from(frames) / 30.0);
    let highlight = json!({ "source": source, "start": format!("{first}f"), "duration": duration });
    let body = json!({ "kind": "montage", "title": "In a bucket", "spec": {
        "highlights": [highlight], "transcribe": { "engine": "none" } } });
    let job = stack.post_job(&body).await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    stack.montage_of(&job).await
}

/// Checks that a montage plays and shows the frames of source 1 from `first`.
async fn check(stack: &Stack, montage: &Montage, first: u16, frames: u16) {
    let links = &montage.summary.links;
    let file = stack.download(&links["media"], "montage.mp4").await;
    let expected: Vec<_> = (first..first + frames).map(|frame| Some(Mark { source: 1, frame })).collect();
    assert_eq!(read_marks(&file, None).unwrap(), expected);
    let whole = fs::read(&file).unwrap();
    assert_eq!(whole.len() as u64, montage.media.bytes);
    let part =
        |range: &'static str| stack.request(Method::GET, &links["media"]).header(header::RANGE, range).send();
    let answer = part("bytes=100-199").await.unwrap();
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.bytes().await.unwrap(), whole[100..200]);
    assert_eq!(part("bytes=-7").await.unwrap().bytes().await.unwrap(), whole[whole.len() - 7..]);
    let beyond = part("bytes=999999999-").await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    for picture in ["poster", "sprites"] {
        let bytes = stack.send(Method::GET, &links[picture], None).await.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]), "{picture} is a JPEG");
    }
    let captions = stack.send(Method::GET, &links["captions"], None).await.text().await.unwrap();
    assert!(captions.starts_with("WEBVTT"), "{captions}");
}

#[tokio::test]
async fn montages_are_made_played_and_deleted_in_a_bucket() {
    let Some(settings) = settings() else {
        eprintln!("skipped: SM_TEST_S3_ENDPOINT and its bucket and keys name no S3 service");
        return;
    };
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    // It has none of these settings: media goes in and out by the links that it is given.
    stack.add_executor(&[]);
    let store = store(&settings);
    let source = stack.directory("media").join("counter.mp4");
    CounterVideo::new(1, (30, 1), FRAMES).write(&source).unwrap();

    let from_path = montage(&stack, json!({ "path": "library:counter.mp4" }), 30, 90).await;
    check(&stack, &from_path, 30, 90).await;
    assert_eq!(objects(&store).await.len(), 4);

    let upload =
        stack.request(Method::POST, "/v1/uploads").body(fs::read(&source).unwrap()).send().await.unwrap();
    assert_eq!(upload.status(), StatusCode::CREATED);
    let upload: Upload = upload.json().await.unwrap();
    let from_upload = montage(&stack, json!({ "upload": upload.id }), 7, 20).await;
    check(&stack, &from_upload, 7, 20).await;

    let again = montage(&stack, json!({ "montage": from_path.summary.id }), 10, 15).await;
    check(&stack, &again, 40, 15).await;
    assert_eq!(objects(&store).await.len(), 4 + 1 + 4 + 4);

    // Its speech is read from the bucket again.
    let transcribe = format!("/v1/montages/{}/transcribe", again.summary.id);
    let answer = stack.send(Method::POST, &transcribe, Some(&json!({ "engine": "local" }))).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let job: contracts::job::Job = answer.json().await.unwrap();
    assert_eq!(stack.wait_until_final(job.id).await.state, JobState::Succeeded, "{}", stack.logs());
    let again: Montage = serde_json::from_value(stack.get(&again.summary.links["self"]).await).unwrap();
    assert_eq!(again.transcript.state, TranscriptState::Complete);

    // A sender that goes away after more than one part, and one that goes away at once.
    for length in [20_000_000, 1_000] {
        let begun = (0..length / 1_000).map(|_| Ok(vec![7_u8; 1_000]));
        let gone = stream::iter(begun).chain(stream::once(async { Err(std::io::Error::other("gone")) }));
        let sent = stack.request(Method::POST, "/v1/uploads").body(Body::wrap_stream(gone)).send().await;
        assert!(sent.is_err());
    }

    for montage in [&from_path, &from_upload, &again] {
        let path = &montage.summary.links["self"];
        assert_eq!(stack.send(Method::DELETE, path, None).await.status(), StatusCode::NO_CONTENT);
        let media = stack.send(Method::GET, &montage.summary.links["media"], None).await;
        assert_eq!(media.status(), StatusCode::NOT_FOUND);
    }
    let path = format!("/v1/uploads/{}", upload.id);
    assert_eq!(stack.send(Method::DELETE, &path, None).await.status(), StatusCode::NO_CONTENT);
    until_nothing_is_left(&stack, &store).await;
    stack.end().await;
}
