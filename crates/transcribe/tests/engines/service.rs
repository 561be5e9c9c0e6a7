//! The engine for OpenAI-compatible services, against an HTTP server of that shape on loopback.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::transcript::{Engine, Transcript, TranscriptState};
use transcribe::audio::{SAMPLE_RATE, read_wav};
use transcribe::{Clip, Control, EngineConfig, OpenAiConfig, TranscribeError, Transcriber};

/// One request as the server saw it.
#[derive(Debug, Clone, Default)]
struct Seen {
    authorization: Option<String>,
    fields: Vec<(String, String)>,
    file_name: String,
    bytes: usize,
    samples: Vec<f32>,
}

impl Seen {
    fn field(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    }
}

/// An answer that the server is to give.
type Scripted = (StatusCode, Vec<(&'static str, &'static str)>, String);

#[derive(Default)]
struct Script {
    answers: VecDeque<Scripted>,
    seen: Vec<Seen>,
}

#[derive(Clone, Default)]
struct Server {
    script: Arc<Mutex<Script>>,
}

impl Server {
    /// Starts a server on a free port; gives its base address.
    async fn start(answers: Vec<Scripted>) -> (Self, String) {
        let server = Self::default();
        server.script.lock().unwrap().answers = answers.into();
        let app = Router::new()
            .route("/v1/audio/transcriptions", post(transcriptions))
            .layer(DefaultBodyLimit::max(25 << 20))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (server, base)
    }

    fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }
}

async fn transcriptions(State(server): State<Server>, headers: HeaderMap, mut form: Multipart) -> Response {
    let mut seen = Seen {
        authorization: headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()),
        ..Seen::default()
    };
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        if name == "file" {
            seen.file_name = field.file_name().unwrap().to_owned();
            let bytes = field.bytes().await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("got.wav");
            std::fs::write(&path, &bytes).unwrap();
            seen.bytes = bytes.len();
            seen.samples = read_wav(&path).unwrap();
        } else {
            seen.fields.push((name, field.text().await.unwrap()));
        }
    }
    let mut script = server.script.lock().unwrap();
    script.seen.push(seen);
    let Some((status, headers, body)) = script.answers.pop_front() else {
        return (StatusCode::IM_A_TEAPOT, "the test has no more answers").into_response();
    };
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn ok(body: &str) -> Scripted {
    (StatusCode::OK, Vec::new(), body.to_owned())
}

fn status(code: u16, body: &str) -> Scripted {
    (StatusCode::from_u16(code).unwrap(), Vec::new(), body.to_owned())
}

/// An answer of whisper-1's shape, but without `usage`, as self-hosted servers give it.
const HELLO: &str = r#"{"task":"transcribe","language":"english","duration":4.0,"text":"Hello there.",
    "segments":[{"id":0,"seek":0,"start":0.5,"end":1.5,"text":" Hello there.","tokens":[1],"temperature":0.0,
    "avg_logprob":-0.2,"compression_ratio":1.1,"no_speech_prob":0.01}],
    "words":[{"word":"Hello","start":0.5,"end":0.9},{"word":"there","start":1.0,"end":1.5}]}"#;

/// A tone, so that nothing is taken for silence.
fn tone(seconds: f64) -> Vec<f32> {
    (0..(seconds * f64::from(SAMPLE_RATE)) as usize).map(|i| (i as f32 * 0.1).sin() * 0.3).collect()
}

fn config(base: &str) -> OpenAiConfig {
    OpenAiConfig { attempts: 1, ..OpenAiConfig::new(base, "whisper-1") }
}

async fn transcribe(
    config: OpenAiConfig,
    samples: Vec<f32>,
    clips: &[Clip],
) -> Result<Transcript, TranscribeError> {
    let engine = Transcriber::new(EngineConfig::OpenAi(config)).unwrap();
    engine.transcribe(Arc::new(samples), clips, &Control::default()).await
}

const CLIPS: [Clip; 2] =
    [Clip { start: 0.0, end: 4.0, source_start: 60.0 }, Clip { start: 4.0, end: 8.0, source_start: 10.0 }];

#[tokio::test]
async fn each_clip_is_one_request_with_its_own_audio() {
    let (server, base) = Server::start(vec![ok(HELLO), ok(HELLO)]).await;
    let config = OpenAiConfig {
        api_key: Some("sk-test".to_owned().into()),
        language: Some("en".to_owned()),
        parallel: 1,
        ..config(&base)
    };
    let transcript = transcribe(config, tone(8.0), &CLIPS).await.unwrap();

    assert_eq!((transcript.state, transcript.engine), (TranscriptState::Complete, Engine::Openai));
    assert_eq!(
        (transcript.model.as_deref(), transcript.language.as_deref()),
        (Some("whisper-1"), Some("en"))
    );
    let cues: Vec<_> = transcript
        .cues
        .iter()
        .map(|cue| (cue.clip, cue.start, cue.source_start, cue.text.as_str()))
        .collect();
    assert_eq!(cues, [(0, 0.5, 60.5, "Hello there."), (1, 4.5, 10.5, "Hello there.")]);
    assert_eq!(transcript.cues[1].words[1].start, 5.0);

    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert_eq!(request.authorization.as_deref(), Some("Bearer sk-test"));
        assert_eq!(request.field("model"), ["whisper-1"]);
        assert_eq!(request.field("language"), ["en"]);
        assert_eq!(request.field("response_format"), ["verbose_json"]);
        assert_eq!(request.field("timestamp_granularities[]"), ["segment", "word"]);
        assert!(request.file_name.ends_with(".wav"));
        assert_eq!(request.samples.len(), 4 * SAMPLE_RATE as usize);
    }
}

#[tokio::test]
async fn text_only_models_are_asked_for_what_they_can() {
    let (server, base) = Server::start(vec![ok(r#"{"text":"One two three four."}"#)]).await;
    let config = OpenAiConfig { model: "gpt-4o-transcribe".to_owned(), ..config(&base) };
    let transcript = transcribe(config, tone(4.0), &CLIPS[..1]).await.unwrap();
    assert_eq!(transcript.cues[0].text, "One two three four.");
    assert_eq!(transcript.cues[0].words.len(), 4);
    assert_eq!(transcript.language, None);
    let seen = server.seen();
    assert_eq!(seen[0].field("response_format"), ["json"]);
    assert!(seen[0].field("timestamp_granularities[]").is_empty());
    assert_eq!(seen[0].authorization, None, "no key, no header");
}

#[tokio::test]
async fn long_clips_travel_in_pieces() {
    let (server, base) = Server::start(vec![ok(HELLO), ok(HELLO)]).await;
    let clips = [Clip { start: 0.0, end: 420.0, source_start: 0.0 }];
    let transcript = transcribe(config(&base), tone(420.0), &clips).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|request| request.bytes < 12 << 20), "far below 25 MiB");
    assert_eq!(seen.iter().map(|request| request.samples.len()).sum::<usize>(), 420 * SAMPLE_RATE as usize);
    let starts: Vec<f64> = transcript.cues.iter().map(|cue| cue.start).collect();
    assert!(
        starts[0] == 0.5 && starts[1] > 150.0,
        "the second piece's cue lies behind the first piece: {starts:?}"
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_then_reported() {
    let limited = |wait: &'static str| {
        (StatusCode::TOO_MANY_REQUESTS, vec![("retry-after", wait)], "slow down".to_owned())
    };
    let (server, base) = Server::start(vec![limited("0"), ok(HELLO)]).await;
    let again = OpenAiConfig { attempts: 2, ..config(&base) };
    assert_eq!(transcribe(again, tone(4.0), &CLIPS[..1]).await.unwrap().cues.len(), 1);
    assert_eq!(server.seen().len(), 2);

    let (server, base) = Server::start(vec![limited("3600")]).await;
    let again = OpenAiConfig { attempts: 5, ..config(&base) };
    let error = transcribe(again, tone(4.0), &CLIPS[..1]).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("rate_limited", true));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.seen().len(), 1, "an hour is not waited for");
}

#[tokio::test]
async fn failures_are_typed() {
    let secret_body =
        r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key","type":"x"}}"#;
    let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    for (answer, code, transient, says) in [
        (status(500, "<html>oops</html>"), "engine_unavailable", true, "500"),
        (status(503, ""), "engine_unavailable", true, "503"),
        (status(401, secret_body), "refused", false, "Incorrect API key"),
        (status(400, "not json at all"), "refused", false, "gave no reason"),
        (status(422, r#"{"detail":"model not loaded"}"#), "refused", false, "model not loaded"),
        (status(429, quota), "refused", false, "quota"),
        (status(302, ""), "refused", false, "302"),
        (ok(r#"{"text": "#), "bad_answer", false, "transcription"),
        (ok(r#"{"words":[]}"#), "bad_answer", false, "transcription"),
        (ok("<html>a proxy's page</html>"), "bad_answer", false, "transcription"),
    ] {
        let (_server, base) = Server::start(vec![answer.clone()]).await;
        let error = transcribe(config(&base), tone(4.0), &CLIPS[..1]).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), (code, transient), "{answer:?}: {error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.to_string().contains('<'), "the body is not quoted: {error}");
    }
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let (server, base) = Server::start(vec![status(502, ""), ok(HELLO)]).await;
    let again = OpenAiConfig { attempts: 2, ..config(&base) };
    assert_eq!(transcribe(again, tone(4.0), &CLIPS[..1]).await.unwrap().cues.len(), 1);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let error = transcribe(config(&base), tone(4.0), &CLIPS[..1]).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("engine_unavailable", true), "{error}");
}

#[tokio::test]
async fn a_service_that_never_answers_is_cut_off() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let short = OpenAiConfig { timeout: Duration::from_millis(200), ..config(&base) };
    let error = transcribe(short, tone(4.0), &CLIPS[..1]).await.unwrap_err();
    assert_eq!(error.code(), "engine_unavailable", "{error}");
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn a_request_under_way_can_be_cancelled() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let engine = Transcriber::new(EngineConfig::OpenAi(config(&base))).unwrap();
    let control = Control::default();
    let cancel = control.cancel.clone();
    // The listener and the connection are handed back, so that nothing but the cancelling can end the request.
    let accepted = tokio::spawn(async move {
        let connection = listener.accept().await;
        cancel.cancel();
        (listener, connection)
    });
    let error = engine.transcribe(Arc::new(tone(4.0)), &CLIPS[..1], &control).await.unwrap_err();
    assert!(matches!(error, TranscribeError::Cancelled), "{error}");
    assert!(accepted.await.unwrap().1.is_ok());
}

#[tokio::test]
async fn silence_is_not_sent() {
    let (server, base) = Server::start(Vec::new()).await;
    let transcript = transcribe(config(&base), vec![0.0; 8 * SAMPLE_RATE as usize], &CLIPS).await.unwrap();
    assert!(transcript.cues.is_empty());
    assert_eq!(transcript.state, TranscriptState::Complete);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn without_an_engine_there_is_no_transcript() {
    let engine = Transcriber::new(EngineConfig::None).unwrap();
    let transcript = engine.transcribe(Arc::new(tone(8.0)), &CLIPS, &Control::default()).await.unwrap();
    assert_eq!((transcript.state, transcript.engine), (TranscriptState::None, Engine::None));
    let error = engine.transcribe(Arc::new(tone(2.0)), &CLIPS, &Control::default()).await.unwrap_err();
    assert_eq!(error.code(), "bad_audio", "clips beyond the audio");
}
