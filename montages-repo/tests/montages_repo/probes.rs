//! Playing a source that was looked into, before anything is made of it.

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    ids::{JobId, UploadId},
    object::Upload,
    spec::{JobSpec, ProbeSpec, Source},
};
use reqwest::Method;
use std::sync::{Arc, Mutex};

use crate::world::{World, world};

/// An origin of media: what it has, by path, and what was asked of it.
#[derive(Default)]
struct Origin {
    files: Mutex<Vec<(&'static str, &'static str, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
}

impl Origin {
    async fn serve(self: &Arc<Self>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    fn put(&self, path: &'static str, kind: &'static str, bytes: &[u8]) {
        let mut files = self.files.lock().unwrap();
        files.retain(|(known, ..)| *known != path);
        files.push((path, kind, bytes.to_vec()));
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

async fn answer(State(origin): State<Arc<Origin>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    origin.asked.lock().unwrap().push(format!("{path} {range:?}"));
    let files = origin.files.lock().unwrap();
    let Some((_, kind, bytes)) = files.iter().find(|(known, ..)| *known == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}-{}\"", bytes.len(), bytes.last().unwrap());
    let about = [(header::CONTENT_TYPE, (*kind).to_owned()), (header::ETAG, tag)];
    let Some(range) = range.filter(|_| !path.starts_with("/whole")) else {
        return (about, bytes.clone()).into_response();
    };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let last = last.parse::<usize>().unwrap().min(bytes.len() - 1);
    let part = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", bytes.len()))];
    (StatusCode::PARTIAL_CONTENT, about, part, bytes[first..=last].to_vec()).into_response()
}

/// A video of some length, as far as its first bytes say.
fn video(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|at| (at / 7) as u8 ^ seed).collect();
    bytes[..12].copy_from_slice(b"\0\0\0\x20ftypisom");
    bytes
}

/// The path of a probe of a source.
fn probe(world: &World, source: Source) -> String {
    let id = JobId::generate();
    world.ledger.set_spec(id, JobSpec::Probe { probe: ProbeSpec { source } });
    format!("/v1/probes/{id}/media")
}

#[tokio::test]
async fn a_link_is_played_by_ranges_and_never_shown() {
    let world = world!();
    let origin = Arc::new(Origin::default());
    let base = origin.serve().await;
    let bytes = video(3_000_000, 1);
    origin.put("/a", "application/octet-stream", &bytes);
    let path = probe(&world, Source::Url(format!("{base}/a?signature=hush")));

    let part = world.get(&path).header("range", "bytes=2000000-2000099").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    for (name, value) in [
        ("content-range", "bytes 2000000-2000099/3000000"),
        ("content-type", "video/mp4"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(part.headers()[name], value);
    }
    let shown = format!("{:?}", part.headers());
    assert!(!shown.contains("hush") && !shown.contains(base.trim_start_matches("http://")), "{shown}");
    let etag = part.headers()["etag"].clone();
    assert_eq!(part.bytes().await.unwrap(), bytes[2_000_000..2_000_100]);
    // What was read to find out what it is, and what was asked for; nothing else.
    assert!(origin.asked() <= 2, "{:?}", origin.asked.lock().unwrap());

    let whole = world.get(&path).send().await.unwrap();
    assert_eq!((whole.status(), &whole.headers()["etag"]), (StatusCode::OK, &etag));
    assert_eq!(whole.bytes().await.unwrap(), bytes);
    let before = origin.asked();
    let same = world.get(&path).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let head = world.ask(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(
        (head.status(), &head.headers()["content-length"]),
        (StatusCode::OK, &"3000000".parse().unwrap())
    );
    world.problem(world.get(&path).header("range", "bytes=3000000-"), "range_not_satisfiable").await;
    assert_eq!(origin.asked(), before, "the link is held open");
    world.end().await;
}

#[tokio::test]
async fn a_link_that_changed_while_it_was_held_is_opened_anew() {
    let world = world!();
    let origin = Arc::new(Origin::default());
    let base = origin.serve().await;
    origin.put("/a", "video/mp4", &video(3_000_000, 1));
    let path = probe(&world, Source::Url(format!("{base}/a")));
    let first = world.get(&path).header("range", "bytes=0-9").send().await.unwrap();
    let old = first.headers()["etag"].clone();
    let other = video(2_500_000, 2);
    origin.put("/a", "video/mp4", &other);
    let part = world.get(&path).header("range", "bytes=2000000-2000009").send().await.unwrap();
    assert_eq!(
        (part.status(), &part.headers()["content-range"]),
        (StatusCode::PARTIAL_CONTENT, &"bytes 2000000-2000009/2500000".parse().unwrap())
    );
    assert_ne!(part.headers()["etag"], old);
    assert_eq!(part.bytes().await.unwrap(), other[2_000_000..2_000_010]);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_video_is_not_served_under_our_address() {
    let world = world!();
    let origin = Arc::new(Origin::default());
    let base = origin.serve().await;
    origin.put("/page", "text/html", b"<!doctype html><script>alert(1)</script>");
    // A page that calls itself a video is none.
    origin.put("/disguised", "video/mp4", b"<!doctype html><script>alert(1)</script>");
    origin.put("/list", "application/vnd.apple.mpegurl", b"#EXTM3U\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n");
    origin.put("/whole", "video/mp4", &video(100_000, 1));
    for (source, word) in [
        (Source::Url(format!("{base}/page")), "web page"),
        (Source::Url(format!("{base}/disguised")), "first bytes"),
        (Source::Url(format!("{base}/list")), "playlist"),
        (Source::Url(format!("{base}/whole")), "does not send parts"),
        (Source::Url(format!("{base}/nothing")), "not found"),
        (Source::Url("http://10.0.0.1/a.mp4".to_owned()), "private address"),
        (Source::Path("library:a.mp4".to_owned()), "directory"),
    ] {
        let problem = world.problem(world.get(&probe(&world, source.clone())), "conflict").await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{source:?}: {detail}");
    }
    // A server that is not there may come back.
    let gone = Source::Url("http://127.0.0.1:9/a.mp4".to_owned());
    world.problem(world.get(&probe(&world, gone)), "unavailable").await;
    world.problem(world.get(&format!("/v1/probes/{}/media", JobId::generate())), "not_found").await;
    world.end().await;
}

#[tokio::test]
async fn uploads_and_montages_are_played_from_the_store() {
    let world = world!();
    let bytes = video(50_000, 3);
    let sent = world.ask(Method::POST, "/v1/uploads").body(bytes.clone()).send().await.unwrap();
    let upload: Upload = sent.json().await.unwrap();
    let path = probe(&world, Source::Upload(upload.id));
    let part = world.get(&path).header("range", "bytes=-100").send().await.unwrap();
    assert_eq!(
        (part.status(), &part.headers()["content-type"]),
        (StatusCode::PARTIAL_CONTENT, &"video/mp4".parse().unwrap())
    );
    assert_eq!(part.bytes().await.unwrap(), bytes[49_900..]);

    let sent = world.ask(Method::POST, "/v1/uploads").body("<html>").send().await.unwrap();
    let text: Upload = sent.json().await.unwrap();
    world.problem(world.get(&probe(&world, Source::Upload(text.id))), "conflict").await;
    world.problem(world.get(&probe(&world, Source::Upload(UploadId::generate()))), "not_found").await;

    let montage = world.montage("Best", b"the media").await;
    let path = probe(&world, Source::Montage(montage.summary.id));
    let whole = world.get(&path).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "video/mp4");
    assert_eq!(whole.bytes().await.unwrap(), "the media");

    // A job of another kind is no probe, whatever it names.
    let id = JobId::generate();
    let spec =
        contracts::spec::TranscriptSpec { montage: montage.summary.id, transcribe: Default::default() };
    world.ledger.set_spec(id, JobSpec::Transcript(spec));
    world.problem(world.get(&format!("/v1/probes/{id}/media")), "not_found").await;
    world.end().await;
}
