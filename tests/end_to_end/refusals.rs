//! Bad input: each is refused with a clear problem, and nothing is left behind.

use contracts::{
    job::{Job, JobState},
    problem::Problem,
};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

use crate::videos;

async fn problem(stack: &Stack, body: &Value, status: StatusCode) -> Problem {
    let response = stack.send(Method::POST, "/v1/jobs", Some(body)).await;
    assert_eq!(response.status(), status, "{body}");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    response.json().await.unwrap()
}

#[tokio::test]
async fn a_malformed_job_is_refused_with_every_mistake_and_not_stored() {
    let Some(stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    let body = json!({
        "kind": "montage",
        "titel": "x",
        "priority": 1000,
        "spec": { "highlights": [
            { "source": { "url": "ftp://a/b.mp4" }, "start": "1:99", "duration": "5s" },
            { "source": { "path": "library:../../etc/passwd" }, "start": 0, "end": "0s" },
            { "source": {}, "start": 0 } ],
          "canvas": { "width": 641, "height": 360 } }
    });
    let refused = problem(&stack, &body, StatusCode::UNPROCESSABLE_ENTITY).await;
    let pointers: Vec<&str> = refused.errors.iter().map(|error| error.pointer.as_str()).collect();
    for pointer in [
        "/titel",
        "/priority",
        "/spec/highlights/0/source/url",
        "/spec/highlights/0/start",
        "/spec/highlights/1/source/path",
        "/spec/highlights/1/end",
        "/spec/highlights/2/source",
        "/spec/highlights/2",
        "/spec/canvas/width",
    ] {
        assert!(pointers.contains(&pointer), "{pointer} is missing in {pointers:?}");
    }
    assert!(refused.errors[0].detail.contains("did you mean `title`"), "{:?}", refused.errors);

    let unknown =
        problem(&stack, &json!({ "kind": "film", "spec": {} }), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(unknown.code, "unknown_kind");

    let broken = stack
        .request(Method::POST, "/v1/jobs")
        .header("content-type", "application/json")
        .body("{\"kind\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert_eq!(broken.json::<Problem>().await.unwrap().code, "invalid_json");

    assert_eq!(stack.get("/v1/jobs").await["items"], json!([]));
    stack.end().await;
}

fn montage_of(source: &Value, start: &str, duration: &str) -> Value {
    json!({ "kind": "montage", "title": "refused", "spec": {
        "highlights": [{ "source": source, "start": start, "duration": duration }],
        "transcribe": { "engine": "none" } } })
}

/// A PNG of 20,000 by 20,000 pixels in a few kilobytes. Written by hand: ffmpeg refuses to.
fn huge_picture(path: &Path) {
    let script = "import struct,sys,zlib
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
side = 20000
rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
head = struct.pack('>IIBBBBB', side, side, 1, 0, 0, 0, 0)
open(sys.argv[1], 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', head) + chunk(b'IDAT', rows) + chunk(b'IEND', b''))";
    let made = Command::new("python3").args(["-c", script]).arg(path).status();
    assert!(made.expect("python3 is installed: `make test` does it").success());
}

/// A VP9 film whose pictures say that they are 20,000 by 20,000 pixels: their headers are changed after the fact.
fn huge_film(path: &Path) {
    let small = videos::make(
        "small.webm",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=30:duration=1",
            "-c:v",
            "libvpx-vp9",
            "-g",
            "1",
            "-deadline",
            "realtime",
        ],
    );
    let mut bytes = fs::read(small).unwrap();
    let mut changed = 0;
    for start in 0..bytes.len() - 8 {
        // The sync code of a key frame, four bits of colour, then width and height less one in 16 bits each (VP9 specification, 7.2).
        if bytes[start..start + 3] == [0x49, 0x83, 0x42] && bytes[start + 3] & 0x0f == 0 {
            let side: u64 = 19_999;
            let field = side << 16 | side;
            let kept = u64::from(bytes[start + 3] >> 4) << 36 | u64::from(bytes[start + 7] & 0x0f);
            let word = kept | field << 4;
            for index in 0..5 {
                bytes[start + 3 + index] = (word >> (8 * (4 - index)) & 0xff) as u8;
            }
            changed += 1;
        }
    }
    assert!(changed > 0, "no key frame was found");
    fs::write(path, bytes).unwrap();
}

/// Whether there is a file anywhere in a directory, but for those that belong to the installation: the lock by which an executor
/// owns its directory, and the secret that signs links.
pub fn contains_files(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return contains_files(&path);
        }
        !matches!(entry.file_name().to_str(), Some("lock" | ".signing-secret"))
    })
}

#[tokio::test]
async fn sources_that_cannot_be_used_fail_their_job_and_leave_nothing_behind() {
    let settings = [("SM_MAX_ATTEMPTS", "2"), ("SM_FETCH_MAX_BYTES", "20MiB")];
    let Some(mut stack) = Stack::start(Hints::Postgres, &settings).await else { return };
    let media = stack.directory("media");
    fs::copy(videos::short(), media.join("short.mp4")).unwrap();
    fs::write(
        media.join("playlist.mp4"),
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n",
    )
    .unwrap();
    fs::write(media.join("concat.mp4"), "ffconcat version 1.0\nfile '/etc/passwd'\n").unwrap();
    fs::write(media.join("noise.mp4"), vec![0x5a; 100_000]).unwrap();
    huge_picture(&media.join("huge.png"));
    huge_film(&media.join("huge.webm"));

    let url = |path: &str| json!({ "url": stack.media.url(path) });
    let nobody = uuid::Uuid::now_v7();
    let cases: Vec<(&str, Value, &str, &str, &[&str])> = vec![
        ("not there", url("/missing.mp4"), "0", "1s", &["source_not_found"]),
        ("ends early", url("/media/short.mp4"), "0", "1:00", &["source_ends_early"]),
        ("starts beyond the end", url("/media/short.mp4"), "1:00:00", "1s", &["starts_beyond_end"]),
        (
            "cut off on the way",
            url("/truncated.mp4"),
            "0",
            "1s",
            &["source_ended_early", "source_unreachable"],
        ),
        ("a private address", json!({ "url": "http://10.0.0.1/a.mp4" }), "0", "1s", &["source_not_allowed"]),
        ("this machine", json!({ "url": "http://127.0.0.1:9/a.mp4" }), "0", "1s", &["source_not_allowed"]),
        (
            "this machine by name",
            json!({ "url": "http://localhost/a.mp4" }),
            "0",
            "1s",
            &["source_not_allowed"],
        ),
        (
            "this machine, written oddly",
            json!({ "url": "http://0x7f000001/a.mp4" }),
            "0",
            "1s",
            &["source_not_allowed"],
        ),
        ("redirect to a private address", url("/to-private.mp4"), "0", "1s", &["source_not_allowed"]),
        ("redirect to the metadata service", url("/to-metadata.mp4"), "0", "1s", &["source_not_allowed"]),
        ("redirects in circles", url("/in-circles.mp4"), "0", "1s", &["source_redirects"]),
        ("playlist named .mp4", url("/media/playlist.mp4"), "0", "1s", &["source_not_allowed"]),
        ("ffconcat named .mp4", url("/media/concat.mp4"), "0", "1s", &["unsupported_container"]),
        ("noise", url("/media/noise.mp4"), "0", "1s", &["unsupported_container"]),
        ("20,000 x 20,000 picture", url("/media/huge.png"), "0", "1s", &["unsupported_container"]),
        (
            "20,000 x 20,000 in a film",
            url("/media/huge.webm"),
            "0",
            "1s",
            &["picture_too_large", "unreadable_source"],
        ),
        ("endless", url("/endless.mp4"), "0", "1s", &["source_too_large"]),
        ("no such directory", json!({ "path": "attic:a.mp4" }), "0", "1s", &["path_not_allowed"]),
        ("no such file", json!({ "path": "library:nothing.mp4" }), "0", "1s", &["source_not_found"]),
        ("no such upload", json!({ "upload": nobody }), "0", "1s", &["source_not_found"]),
        ("no such montage", json!({ "montage": nobody }), "0", "1s", &["source_not_found"]),
    ];
    let mut jobs = Vec::new();
    for (name, source, start, duration, codes) in &cases {
        jobs.push((*name, stack.post_job(&montage_of(source, start, duration)).await, *codes));
    }
    stack.add_executor(&[("SM_EXECUTOR_SLOTS", "2"), ("SM_FETCH_MAX_BYTES", "20MiB")]);
    for (name, job, codes) in jobs {
        let ended: Job = stack.wait_until_final(job.id).await;
        assert!(matches!(ended.state, JobState::Failed | JobState::Dead), "{name}: {ended:#?}");
        let failure = ended.failure.unwrap_or_else(|| panic!("{name}: no reason"));
        assert!(codes.contains(&failure.code.as_str()), "{name}: {failure:?}");
        let pointer = failure.pointer.unwrap_or_else(|| panic!("{name}: no pointer"));
        assert!(pointer.starts_with("/spec/highlights/0"), "{name}: {pointer}");
        assert!(!failure.message.contains("panicked"), "{name}: {}", failure.message);
        eprintln!("{name}: {} ({})", failure.message, failure.code);
    }
    assert!(stack.montages().await.items.is_empty());
    assert!(!contains_files(&stack.directory("objects")), "objects were left behind");
    assert!(!contains_files(&stack.directory("work")), "files were left in the work directory");
    assert!(stack.executors[0].children("render-worker").is_empty(), "a render worker was left behind");
    stack.end().await;
}
