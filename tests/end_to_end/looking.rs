//! Before anything is cut: a file is sent in pieces, looked into, and played.

use contracts::{
    job::JobState,
    object::Upload,
    plan::PlanAnswer,
    probe::{ProbeAnswer, ProbeView},
};
use counter_video::CounterVideo;
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::fs;

/// A request in tus.
fn tus(stack: &Stack, method: Method, path: &str) -> reqwest::RequestBuilder {
    stack.request(method, path).header("tus-resumable", "1.0.0")
}

async fn add(stack: &Stack, path: &str, offset: usize, bytes: &[u8]) {
    let piece = tus(stack, Method::PATCH, path)
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream");
    let sent = piece.body(bytes.to_vec()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::NO_CONTENT);
}

/// What is in a source, and the path of its probe.
async fn probe(stack: &Stack, source: &Value) -> (ProbeView, String) {
    let body = json!({ "source": source });
    let response = stack.send(Method::POST, "/v1/probes?wait_seconds=30", Some(&body)).await;
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}\n{}", stack.logs());
    let answer: ProbeAnswer = serde_json::from_str(&text).unwrap();
    (answer.probe.unwrap(), format!("/v1/probes/{}", answer.id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_in_pieces_looked_into_played_and_cut() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    let path = stack.directory("media").join("a.mp4");
    let coding = "-c:v libx264 -preset ultrafast -crf 18 -pix_fmt yuv420p -g 30 -c:a aac";
    CounterVideo::new(1, (30, 1), 150).with(coding).write(&path).unwrap();
    let bytes = fs::read(&path).unwrap();

    let begun = tus(&stack, Method::POST, "/v1/uploads")
        .header("upload-length", bytes.len())
        .header("upload-metadata", "filename YS5tcDQ=")
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), StatusCode::CREATED);
    let upload = begun.headers()["location"].to_str().unwrap().to_owned();
    let half = bytes.len() / 2;
    add(&stack, &upload, 0, &bytes[..half]).await;
    let seen: Upload = serde_json::from_value(stack.get(&upload).await).unwrap();
    assert_eq!((seen.complete, seen.received), (false, half as u64));

    // It is not cut from before it is all there.
    let source = json!({ "upload": seen.id });
    let job = |source: &Value| {
        json!({ "kind": "montage", "spec": {
            "highlights": [{ "source": source, "start": "45f", "duration": "60f" }],
            "transcribe": { "engine": "none" } } })
    };
    let early = stack.post_job(&job(&source)).await;
    let failed = stack.wait_until_final(early.id).await;
    let failure = failed.failure.unwrap();
    assert_eq!((failed.state, failure.code.as_str()), (JobState::Failed, "source_incomplete"));
    assert_eq!(failure.pointer.as_deref(), Some("/spec/highlights/0/source/upload"));

    let head = tus(&stack, Method::HEAD, &upload).send().await.unwrap();
    assert_eq!(head.headers()["upload-offset"], half.to_string().as_str());
    add(&stack, &upload, half, &bytes[half..]).await;
    let seen: Upload = serde_json::from_value(stack.get(&upload).await).unwrap();
    assert_eq!((seen.complete, seen.name.as_deref()), (true, Some("a.mp4")));

    // By each of the ways in; only from where the library can read is it played.
    let link = format!("http://{}/media/a.mp4?signature=hush", stack.media.address);
    for (source, playable) in
        [(&source, true), (&json!({ "url": link }), true), (&json!({ "path": "library:a.mp4" }), false)]
    {
        let (found, path) = probe(&stack, source).await;
        assert_eq!((found.container.as_str(), found.bytes), ("mp4", bytes.len() as u64), "{source}");
        assert_eq!(found.media_type.as_deref(), Some("video/mp4"));
        assert_eq!((found.video.width, found.video.frame_rate.as_str()), (320, "30/1"));
        assert_eq!(found.keyframes, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!((found.duration - 5.0).abs() < 0.05, "{}", found.duration);
        assert_eq!(found.playable, playable, "{source}");
        let media = stack.request(Method::GET, &format!("{path}/media"));
        let part = media.header("range", "bytes=1000-1999").send().await.unwrap();
        if playable {
            assert_eq!(
                (part.status(), &part.headers()["content-type"]),
                (StatusCode::PARTIAL_CONTENT, &"video/mp4".parse().unwrap())
            );
            assert_eq!(part.bytes().await.unwrap(), bytes[1000..2000]);
            let whole = stack.send(Method::GET, &format!("{path}/media"), None).await;
            assert_eq!(whole.bytes().await.unwrap(), bytes);
        } else {
            assert_eq!(part.status(), StatusCode::CONFLICT);
        }
        let again: ProbeAnswer = serde_json::from_value(stack.get(&path).await).unwrap();
        assert_eq!(again.probe, Some(found));
    }
    for process in stack.services.iter().chain(&stack.executors) {
        assert!(!process.log().contains("hush"), "{} logs a link's secret", process.name());
    }
    // What it would take is told with the time that it would take.
    let answer = stack.send(Method::POST, "/v1/plans?wait_seconds=30", Some(&job(&source))).await;
    let plan = answer.json::<PlanAnswer>().await.unwrap().plan.unwrap();
    assert!(plan.seconds_estimated > 0.0 && plan.seconds_estimated < 60.0, "{}", plan.seconds_estimated);

    let made = stack.post_job(&job(&source)).await;
    let made = stack.wait_until_final(made.id).await;
    let montage = stack.montage_of(&made).await;
    assert_eq!((montage.clips.len(), montage.clips[0].frames), (1, 60));
    stack.end().await;
}
