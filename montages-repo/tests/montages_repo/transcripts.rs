//! Transcribing again.

use contracts::{
    ids::JobId,
    job::JobState,
    montage::{Montage, PublishTranscriptRequest},
    spec::NewJob,
    transcript::{Cue, Engine, Transcript, TranscriptState},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::world::world;

fn transcript(text: &str) -> Transcript {
    Transcript {
        state: TranscriptState::Complete,
        engine: Engine::Openai,
        model: None,
        language: Some("de".into()),
        reason: None,
        cues: vec![Cue {
            start: 3.0,
            end: 4.0,
            text: text.into(),
            clip: 0,
            source_start: 103.0,
            source_end: 104.0,
            words: Vec::new(),
        }],
    }
}

#[tokio::test]
async fn a_failed_transcript_can_be_asked_for_again() {
    let world = world!();
    let mut request = world.prepare(world.attempt(JobId::generate(), 1), "Silent", b"m").await;
    request.transcript.state = TranscriptState::Failed;
    request.transcript.reason = Some("the model is missing".into());
    request.transcript.cues.clear();
    let made = world.published(&request).await;
    assert_eq!(made.missing, ["transcript"]);
    let base = made.summary.links["self"].clone();
    let vtt = world.get(&format!("{base}/captions.vtt")).send().await.unwrap();
    assert_eq!(vtt.text().await.unwrap(), "WEBVTT\n");

    // Asked twice, it is one job; one that had ended without a result is sent again.
    let wish = json!({ "engine": "local", "language": "en" });
    let path = format!("{base}/transcribe");
    let ask = || world.ask(Method::POST, &path).json(&wish);
    let job = world.json(ask(), 202).await;
    let same = world.json(ask(), 202).await;
    assert_eq!((&same["id"], world.ledger.posted()), (&job["id"], 1));
    let job: JobId = job["id"].as_str().unwrap().parse().unwrap();
    world.ledger.set_state(job, JobState::Dead);
    let sent_again = world.json(ask(), 202).await;
    assert_eq!((&sent_again["id"], &sent_again["state"]), (&json!(job), &json!("queued")));
    world.json(world.ask(Method::POST, &path).json(&json!({ "engine": "openai" })), 202).await;
    assert_eq!(world.ledger.posted(), 2);
    world.problem(world.ask(Method::POST, &path).json(&json!({ "engine": "none" })), "invalid_spec").await;

    // Its result takes the place of the failure, under its lease only.
    let attempt = world.attempt(job, 4);
    let publish = |fence: i64, text: &str| {
        let request = PublishTranscriptRequest {
            job_id: job,
            fence,
            executor_id: attempt.executor,
            montage_id: made.summary.id,
            transcript: transcript(text),
        };
        world.ask(Method::POST, "/v1/results/transcript").json(&request)
    };
    world.problem(publish(3, "too early"), "stale_fence").await;
    let done: Montage = serde_json::from_value(world.json(publish(4, "Ein Drache!"), 200).await).unwrap();
    assert!(done.missing.is_empty() && done.updated_at > made.updated_at);
    assert_eq!((done.transcript.engine, done.transcript.state), (Engine::Openai, TranscriptState::Complete));
    let text = world.get(&format!("{base}/captions.txt")).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "Ein Drache!\n");
    let hits = world.json(world.get("/v1/search?q=drache"), 200).await;
    assert_eq!(hits["items"][0]["start"], 3.0);
    assert_eq!(
        world.json(world.get("/v1/montages?q=drache"), 200).await["items"].as_array().unwrap().len(),
        1
    );
    // An older attempt's check may have been true when it was made: the row still refuses it.
    world.ledger.hold(job, attempt.executor, 2);
    world.problem(publish(2, "late"), "stale_fence").await;
    // A repeated one is no harm.
    world.json(publish(4, "Ein Drache!"), 200).await;
    world.end().await;
}

#[tokio::test]
async fn a_transcript_job_touches_its_own_montage_only() {
    let world = world!();
    let (own, other) = (world.montage("Own", b"m").await, world.montage("Other", b"m").await);
    let attempt = world.attempt(JobId::generate(), 1);
    let spec =
        NewJob::decode(&json!({ "kind": "transcript", "spec": { "montage": own.summary.id } })).unwrap().spec;
    world.ledger.set_spec(attempt.job, spec);
    let request = |montage_id, clip| {
        let mut transcript = transcript("words");
        transcript.cues[0].clip = clip;
        let request = PublishTranscriptRequest {
            job_id: attempt.job,
            fence: 1,
            executor_id: attempt.executor,
            montage_id,
            transcript,
        };
        world.ask(Method::POST, "/v1/results/transcript").json(&request)
    };
    world.problem(request(other.summary.id, 0), "forbidden").await;
    world.problem(request(own.summary.id, 2), "invalid_spec").await;
    assert_eq!(request(own.summary.id, 1).send().await.unwrap().status(), StatusCode::OK);
    let gone = world.ask(Method::DELETE, &own.summary.links["self"]).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    world.problem(request(own.summary.id, 1), "not_found").await;
    world.end().await;
}
