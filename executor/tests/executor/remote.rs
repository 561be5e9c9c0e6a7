//! Sources that are not plain files: playlists, pages behind a program of the operator's, links that end.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use contracts::{
    spec::{JobSpec, Source},
    time::{MediaTime, TICKS_PER_SECOND},
};
use cutter::protocol::{FromWorker, ToWorker, read_message};
use executor::{config::PagesConfig, pages};
use fetch::{AllowList, FetchConfig, Fetcher};

use crate::{
    gateway::Event,
    scene::{Scene, diligent, done, job_of, plan, planned, report, until_gone},
};

/// Bytes that differ from place to place.
fn content(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| ((at + seed).wrapping_mul(2_654_435_761) >> 7) as u8).collect()
}

pub fn ranged(headers: &HeaderMap, data: &[u8]) -> Response {
    let Some(range) = headers.get(header::RANGE) else { return data.to_vec().into_response() };
    let (first, last) = range.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let last = last.parse::<usize>().unwrap().min(data.len() - 1);
    let range = format!("bytes {first}-{last}/{}", data.len());
    let headers = [(header::CONTENT_RANGE, range), (header::ETAG, "\"v\"".to_owned())];
    (StatusCode::PARTIAL_CONTENT, headers, data[first..=last].to_vec()).into_response()
}

pub async fn serve(answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(move |request: Request| {
        let response = answer(&request);
        async move { response }
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

pub fn opened() -> FetchConfig {
    FetchConfig {
        allow: AllowList::parse("127.0.0.1/32").unwrap(),
        retry_base: Duration::from_millis(1),
        attempts: 2,
        ..FetchConfig::default()
    }
}

/// A stand-in for yt-dlp: a shell script that finds its files in `$OUT`.
fn program(dir: &Path, body: &str) -> PagesConfig {
    let path = dir.join("yt-dlp");
    fs::write(&path, format!("#!/bin/bash\nOUT='{}'\n{body}\n", dir.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    PagesConfig { program: path, time: Duration::from_secs(60) }
}

fn order(wire: PathBuf) -> cutter::order::Order {
    let wire = fs::read(wire).unwrap();
    match read_message::<ToWorker>(&mut wire.as_slice()).unwrap().0 {
        ToWorker::Order { order, .. } => *order,
        other => panic!("the order comes first, not {other:?}"),
    }
}

/// Reads the first ten bytes of source `$1` before it is done.
const READS: &str = "{ cat <&3 > $OUT/wire & }; cat $OUT/read >&3
    until [ $(wc -c < $OUT/wire) -gt 100 ] && grep -qa 'bytes' $OUT/wire && tail -c 10 $OUT/wire | cmp -s - $OUT/expected; do sleep 0.05; done";

#[tokio::test]
async fn a_highlight_over_a_break_of_a_playlist_is_two_clips() {
    let segments: Vec<Vec<u8>> = (0..6).map(|number| content(50_000 + number, number)).collect();
    let list = "#EXTM3U\n#EXTINF:6,\n0.ts\n#EXTINF:6,\n1.ts\n#EXTINF:6,\n2.ts\n#EXT-X-DISCONTINUITY\n\
                #EXTINF:6,\n3.ts\n#EXTINF:6,\n4.ts\n#EXTINF:6,\n5.ts\n#EXT-X-ENDLIST\n";
    let served = segments.clone();
    let url = serve(move |request| {
        let name = request.uri().path().trim_start_matches('/');
        match name.strip_suffix(".ts").and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => ranged(request.headers(), &served[number]),
            None => ranged(request.headers(), list.as_bytes()),
        }
    })
    .await;
    let mut scene = Scene::new(&diligent(READS)).await;
    scene.config.fetch = opened();
    // The second source is the segments 3 and 4; its 10 bytes lie over their seam.
    let joined = [segments[3].as_slice(), &segments[4]].concat();
    fs::write(scene.path("expected"), &joined[50_000..50_010]).unwrap();
    scene.message("read", &FromWorker::ReadAt { id: 1, source: 1, offset: 50_000, len: 10 });
    let mut made = report(b"the media");
    made.clips = vec![made.clips[0].clone(), made.clips[0].clone()];
    made.sources = vec![None, None];
    let mut two = plan(None);
    two.clips.push(two.clips[0].clone());
    scene.message("planned", &planned(two));
    scene.message("done", &done(made));
    let mut job = job_of(Source::Url(format!("{url}/list.m3u8")));
    let JobSpec::Montage(spec) = &mut job.spec else { panic!("a montage") };
    spec.highlights[0].start = MediaTime::Ticks(15 * TICKS_PER_SECOND);
    spec.highlights[0].duration = MediaTime::Ticks(8 * TICKS_PER_SECOND);
    let running = scene.start_with(job).await;
    scene.gateway.completion().await;
    let order = order(scene.path("wire"));
    let clips: Vec<_> = order.clips.iter().map(|clip| (clip.source, clip.start)).collect();
    let seconds = |seconds: i64| cutter::order::Moment::Ticks(seconds * TICKS_PER_SECOND);
    assert_eq!(clips, [(0, seconds(15)), (1, seconds(0))]);
    assert_eq!(order.sources[1].bytes, joined.len() as u64);
    let published = published(&scene);
    assert_eq!(published.clips.iter().map(|clip| clip.source_start).collect::<Vec<_>>(), [0.0, 18.0]);
    let told: Vec<_> =
        published.provenance.sources.iter().map(|source| source.description.as_str()).collect();
    assert_eq!(told, ["segments 1, 3 of 6 of a playlist", "segments 4-5 of 6 of a playlist"]);
    assert!(published.provenance.sources[1].bytes_read <= 4 * (16 << 10));
    scene.stop(running).await;
}

fn published(scene: &Scene) -> contracts::montage::PublishRequest {
    let writes = scene.gateway.writes().into_iter();
    let mut requests = writes.filter_map(|event| match event {
        Event::Published(request) => Some(*request),
        _ => None,
    });
    requests.next().unwrap()
}

#[tokio::test]
async fn frames_cannot_be_counted_over_a_break() {
    let list = "#EXTM3U\n#EXTINF:6,\n0.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n";
    let url = serve(move |request| ranged(request.headers(), list.as_bytes())).await;
    let mut scene = Scene::new("").await;
    scene.config.fetch = opened();
    let mut job = job_of(Source::Url(format!("{url}/list.m3u8")));
    let JobSpec::Montage(spec) = &mut job.spec else { panic!("a montage") };
    spec.highlights[0].start = MediaTime::Frames(5);
    let running = scene.start_with(job).await;
    let failed = scene.gateway.failure().await;
    assert_eq!(failed.failure.code, "source_unusable");
    assert!(failed.failure.message.contains("seconds"), "{failed:?}");
    assert_eq!(failed.failure.pointer.as_deref(), Some("/spec/highlights/0/source/url"));
    scene.stop(running).await;
}

/// A page, and a file behind it whose links are good for two requests.
async fn page_with_ending_links(data: Vec<u8>) -> (String, Arc<AtomicU64>) {
    let uses = Arc::new(AtomicU64::new(0));
    let (used, now) = (Arc::clone(&uses), Arc::new(AtomicU64::new(0)));
    let url = serve(move |request| {
        let Some(token) = request.uri().query().and_then(|query| query.strip_prefix("token=")) else {
            return Html("<html>").into_response();
        };
        let token: u64 = token.parse().unwrap();
        if now.swap(token, Ordering::SeqCst) != token {
            used.store(0, Ordering::SeqCst);
        }
        match used.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => ranged(request.headers(), &data),
            _ => StatusCode::GONE.into_response(),
        }
    })
    .await;
    (url, uses)
}

/// Answers with a new token each time.
const NEW_TOKENS: &str = "n=$(($(cat $OUT/tokens 2>/dev/null || echo 0) + 1)); echo $n > $OUT/tokens
    printf '%s\\n' \"$@\" > $OUT/arguments; env > $OUT/environment
    printf '{\"formats\":[{\"format_id\":\"18\",\"protocol\":\"https\",\"url\":\"%s/v.mp4?token=%s\"}]}' $(cat $OUT/url) $n";

#[tokio::test]
async fn a_link_behind_a_page_is_renewed_when_it_ends() {
    let data = content(3 << 20, 0);
    let (url, _) = page_with_ending_links(data.clone()).await;
    let both = "{ cat <&3 > $OUT/wire & }; cat $OUT/first >&3
        until tail -c 10 $OUT/wire | cmp -s - $OUT/expected-first; do sleep 0.05; done; cat $OUT/second >&3
        until tail -c 10 $OUT/wire | cmp -s - $OUT/expected-second; do sleep 0.05; done";
    let mut scene = Scene::new(&diligent(both)).await;
    scene.config.fetch = opened();
    scene.config.pages = Some(program(scene.dir.path(), NEW_TOKENS));
    fs::write(scene.path("url"), &url).unwrap();
    for (name, offset) in [("first", 1_000_003), ("second", 2_000_007)] {
        fs::write(scene.path(&format!("expected-{name}")), &data[offset..offset + 10]).unwrap();
        scene.message(name, &FromWorker::ReadAt { id: 1, source: 0, offset: offset as u64, len: 10 });
    }
    scene.message("done", &done(report(b"the media")));
    let page = format!("{url}/watch?v=-x&$(touch%20gone)");
    let running = scene.start_with(job_of(Source::Url(page.clone()))).await;
    scene.gateway.completion().await;
    // The first link served the opening and one read.
    assert_eq!(fs::read_to_string(scene.path("tokens")).unwrap(), "2\n");
    let arguments = fs::read_to_string(scene.path("arguments")).unwrap();
    assert!(arguments.ends_with(&format!("--\n{page}\n")), "{arguments}");
    let environment = fs::read_to_string(scene.path("environment")).unwrap();
    assert!(!environment.contains("SM_") && !environment.contains("CARGO"), "{environment}");
    scene.stop(running).await;
}

#[tokio::test]
async fn pages_are_refused_where_nothing_looks_behind_them() {
    let (url, _) = page_with_ending_links(Vec::new()).await;
    let mut scene = Scene::new("").await;
    scene.config.fetch = opened();
    let running = scene.start_with(job_of(Source::Url(format!("{url}/watch")))).await;
    let failed = scene.gateway.failure().await;
    assert!(failed.failure.message.contains("web page"), "{failed:?}");
    scene.stop(running).await;
}

#[tokio::test]
async fn what_the_program_says_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(opened()).unwrap();
    for (body, code, word) in [
        ("echo 'not json'", "source_unusable", "cannot be read"),
        ("echo '[]'", "source_unusable", "cannot be read"),
        ("echo '{}'", "source_unusable", "no format"),
        ("yes", "source_unusable", "too much"),
        ("echo '{\"_type\":\"playlist\",\"entries\":[]}'", "source_unusable", "several"),
        ("head -c 9000000 /dev/zero | tr '\\0' e >&2; exit 1", "source_unusable", "no media"),
        (
            "echo 'ERROR: Sign in at https://a.example/?key=SECRET first' >&2; exit 1",
            "source_unusable",
            "Sign in at … first",
        ),
        ("kill -9 $$", "source_unusable", "no media"),
    ] {
        let config = program(dir.path(), body);
        let error =
            pages::find(&config, &fetcher, "http://127.0.0.1/watch?key=SECRET", 1 << 21).await.unwrap_err();
        assert_eq!(error.code(), code, "{body}: {error}");
        assert!(error.to_string().contains(word) && !error.to_string().contains("SECRET"), "{error}");
    }
    let absent = PagesConfig { program: dir.path().join("absent"), time: Duration::from_secs(1) };
    assert_eq!(
        pages::find(&absent, &fetcher, "http://127.0.0.1/", 1).await.unwrap_err().code(),
        "local_failure"
    );
    // A private address that it names is refused like one that a user named.
    let mut scene = Scene::new("touch $OUT/ran").await;
    scene.config.fetch = opened();
    let found = "echo '{\"url\":\"http://127.0.0.2/v.mp4\",\"protocol\":\"http\"}'";
    scene.config.pages = Some(program(scene.dir.path(), found));
    let (url, _) = page_with_ending_links(Vec::new()).await;
    let running = scene.start_with(job_of(Source::Url(format!("{url}/watch")))).await;
    assert_eq!(scene.gateway.failure().await.failure.code, "source_not_allowed");
    assert!(!scene.path("ran").exists());
    scene.stop(running).await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let hangs = "sleep 600 & echo $! > $OUT/child; echo $$ > $OUT/leader; wait";
    let config = PagesConfig { time: Duration::from_millis(1500), ..program(dir.path(), hangs) };
    let fetcher = Fetcher::new(opened()).unwrap();
    let error = pages::find(&config, &fetcher, "http://127.0.0.1/watch", 1).await.unwrap_err();
    assert_eq!(error.code(), "source_timeout");
    assert!(error.to_string().contains("SM_YT_DLP_TIME"), "{error}");
    let pid = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap().trim().parse::<i32>().unwrap();
    until_gone(&[pid("child"), pid("leader")]).await;
    // One that is done leaves nothing running either.
    let config = program(dir.path(), "sleep 600 >&- 2>&- & echo $! > $OUT/child; echo '{}'");
    pages::find(&config, &fetcher, "http://127.0.0.1/watch", 1).await.unwrap_err();
    until_gone(&[pid("child")]).await;
}

#[tokio::test]
async fn the_program_reaches_the_network_by_the_guarded_proxy_only() {
    let inside = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let inside_port = inside.local_addr().unwrap().port();
    let url = serve(|_| "hello".into_response()).await;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("url"), &url).unwrap();
    // Speaks to the proxy that it was given, as a browser would.
    let asks = format!(
        "while [ \"$1\" != --proxy ]; do shift; done
        [[ $2 =~ http://(.*)@(.*):(.*) ]]
        ask() {{
            exec 9<>/dev/tcp/${{BASH_REMATCH[2]}}/${{BASH_REMATCH[3]}}
            printf '%s HTTP/1.1\\r\\nProxy-Authorization: Basic %s\\r\\n\\r\\n' \"$1\" \"$2\" >&9; cat <&9 > $OUT/$3
        }}
        key=$(printf %s \"${{BASH_REMATCH[1]}}\" | base64 -w0)
        ask \"GET $(cat $OUT/url)/\" $key public
        ask 'GET http://127.0.0.2:{inside_port}/' $key private
        ask 'CONNECT 127.0.0.2:{inside_port}' $key tunnel
        ask 'CONNECT 169.254.169.254:80' $key platform
        ask \"GET $(cat $OUT/url)/\" wrong stranger
        echo '{{\"url\":\"http://a.example/\",\"protocol\":\"http\",\"format_id\":\"f\"}}'"
    );
    let config = program(dir.path(), &asks);
    let found =
        pages::find(&config, &Fetcher::new(opened()).unwrap(), "http://127.0.0.1/watch", 1).await.unwrap();
    assert_eq!(found, pages::Found { url: "http://a.example/".to_owned(), format: "f".to_owned() });
    let answer = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert!(answer("public").ends_with("hello"), "{}", answer("public"));
    for name in ["private", "tunnel", "platform"] {
        assert!(answer(name).starts_with("HTTP/1.1 403"), "{name}: {}", answer(name));
    }
    assert!(answer("stranger").starts_with("HTTP/1.1 407"), "{}", answer("stranger"));
    let came = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
    assert!(came.is_err(), "something connected to a private address");
}

/// HLS of numbered pictures, cut from both sides of a break, by the real worker. Needs FFmpeg and a built render-worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_renders_segments_of_a_playlist() {
    let worker = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("render-worker");
    if !worker.is_file() {
        println!("skipped: needs a built render-worker (cargo build -p cutter)");
        return;
    }
    let mut scene = Scene::new("").await;
    let media = scene.path("hls");
    fs::create_dir(&media).unwrap();
    for (start, number) in [(0, 0), (6, 6)] {
        let made = std::process::Command::new("ffmpeg")
            .current_dir(&media)
            .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=12"])
            .args([
                "-f",
                "lavfi",
                "-i",
                "sine=duration=12",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-g",
                "25",
            ])
            .args(["-c:a", "aac", "-shortest", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"])
            .args([
                "-start_number",
                &number.to_string(),
                "-hls_segment_filename",
                "%d.ts",
                &format!("{start}.m3u8"),
            ])
            .status()
            .unwrap();
        assert!(made.success());
    }
    let segments =
        |from: u32| (from..from + 6).map(|number| format!("#EXTINF:2,\n{number}.ts\n")).collect::<String>();
    let list = format!("#EXTM3U\n{}#EXT-X-DISCONTINUITY\n{}#EXT-X-ENDLIST\n", segments(0), segments(6));
    fs::write(media.join("list.m3u8"), list).unwrap();
    let asked: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let url = serve(move |request| {
        log.lock().unwrap().push(request.uri().path().to_owned());
        let path = media.join(request.uri().path().trim_start_matches('/'));
        ranged(request.headers(), &fs::read(path).unwrap())
    })
    .await;
    scene.config.render.worker = worker;
    scene.config.render.output = 1 << 30;
    scene.config.fetch = opened();
    let mut job = job_of(Source::Url(format!("{url}/list.m3u8")));
    let JobSpec::Montage(spec) = &mut job.spec else { panic!("a montage") };
    let mut over = spec.highlights[0].clone();
    (over.start, over.duration) =
        (MediaTime::Ticks(11 * TICKS_PER_SECOND), MediaTime::Ticks(2 * TICKS_PER_SECOND));
    let mut within = over.clone();
    within.start = MediaTime::Ticks(20 * TICKS_PER_SECOND);
    spec.highlights = vec![over, within];
    let running = scene.start_with(job).await;
    scene.gateway.completion().await;
    let published = published(&scene);
    assert_eq!(published.clips.iter().map(|clip| clip.frames).collect::<Vec<_>>(), [25, 25, 50]);
    assert_eq!(published.clips.iter().map(|clip| clip.source_start).collect::<Vec<_>>(), [11.0, 12.0, 20.0]);
    assert!(published.provenance.checks.iter().all(|check| check.passed));
    let told = &published.provenance.sources[0].description;
    assert!(told.starts_with("mpegts") && told.ends_with("segments 1, 5-6 of 12 of a playlist"), "{told}");
    // What no clip needs is not asked for.
    assert!(!asked.lock().unwrap().iter().any(|path| matches!(path.as_str(), "/1.ts" | "/2.ts" | "/8.ts")));
    scene.stop(running).await;
}
