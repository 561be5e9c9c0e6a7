//! HLS recordings of all kinds, made by FFmpeg and read back by it: the pictures of each clip are the ones of the original.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fetch::hls::{Cutting, MediaPlaylist, TICKS_PER_SECOND, Window, windows};
use fetch::{FetchConfig, Fetcher, Media, MediaWish, Source};

use crate::lab::{Log, config, ranged, serve};

const S: i64 = TICKS_PER_SECOND;

fn fetcher() -> Fetcher {
    let defaults = FetchConfig::default();
    let (page_bytes, block_bytes) = (defaults.page_bytes, defaults.block_bytes);
    Fetcher::new(FetchConfig { page_bytes, block_bytes, opening_bytes: defaults.opening_bytes, ..config() })
        .unwrap()
}

fn run(dir: &Path, program: &str, arguments: &str) -> String {
    let output = Command::new(program).current_dir(dir).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// 24 s of moving pictures with sound, a key frame a second, no two pictures alike.
fn original(dir: &Path, name: &str, seconds: u32, tone: u32) {
    run(
        dir,
        "ffmpeg",
        &format!(
            "-v error -f lavfi -i testsrc2=size=320x180:rate=25:duration={seconds} -f lavfi -i sine=frequency={tone}:duration={seconds} \
             -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac -b:a 64k -shortest -y {name}"
        ),
    );
}

/// Serves a directory; counts the bytes of the bodies.
async fn serve_dir(dir: PathBuf) -> (String, Log, Arc<AtomicU64>) {
    let (log, sent) = (Log::default(), Arc::new(AtomicU64::new(0)));
    let (kept, counter) = (log.clone(), Arc::clone(&sent));
    let url = serve(Router::new().fallback(move |request: Request| {
        log.note(&request);
        let response: Response = match std::fs::read(dir.join(request.uri().path().trim_start_matches('/'))) {
            Ok(data) => ranged(&request, &data.into(), Some("\"v\"")),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        };
        counter.fetch_add(axum::body::HttpBody::size_hint(response.body()).lower(), Ordering::SeqCst);
        async move { response }
    }))
    .await;
    (url, kept, sent)
}

async fn playlist(url: &str) -> MediaPlaylist {
    match fetcher().open_media(url, &MediaWish::default()).await.unwrap() {
        Media::Playlist(playlist) => playlist,
        Media::File(source) => panic!("{source:?} is no playlist"),
    }
}

fn cut(playlist: &MediaPlaylist, clips: &[(i64, i64)]) -> Cutting {
    let clips: Vec<_> =
        clips.iter().map(|(from, to)| Some(Window { start: from * S, end: to * S })).collect();
    windows(playlist, &clips, S / 10)
}

async fn save(source: &Source, path: &Path) {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < source.len() {
        // Lengths that fit nothing.
        bytes.extend_from_slice(&source.read_at(bytes.len() as u64, 77_777).await.unwrap());
    }
    std::fs::write(path, bytes).unwrap();
}

/// The decoded pictures of a file: their time from the first one in milliseconds, and their hash.
fn pictures(dir: &Path, file: &str) -> BTreeMap<i64, String> {
    let text = run(
        dir,
        "ffmpeg",
        &format!(
            "-v error -copyts -i {file} -map 0:v -fps_mode passthrough -enc_time_base 1/90000 -f framemd5 -"
        ),
    );
    let mut pictures = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        pictures.insert(fields[2].parse::<i64>().unwrap(), fields[5].to_owned());
    }
    let first = *pictures.keys().next().unwrap();
    pictures.into_iter().map(|(time, hash)| (((time - first) as f64 / 90.0).round() as i64, hash)).collect()
}

/// Whether the composite shows, from `from` to `to` seconds, what the original shows from `original_from` on.
fn same_pictures(
    composite: &BTreeMap<i64, String>,
    (from, to): (i64, i64),
    original: &BTreeMap<i64, String>,
    original_from: i64,
) {
    for number in from * 25..to * 25 {
        let time = number * 40;
        let there = time + (original_from - from) * 1000;
        assert_eq!(composite.get(&time), original.get(&there), "at {time} ms");
        assert!(composite.contains_key(&time));
    }
}

/// One playlist of 24 s, one clip in its middle.
async fn check_one_group(arguments: &str, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    original(dir, "whole.mp4", 24, 440);
    run(
        dir,
        "ffmpeg",
        &format!("-v error -i whole.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 {arguments}"),
    );
    let (url, log, sent) = serve_dir(dir.to_owned()).await;
    let playlist = playlist(&format!("{url}/list.m3u8")).await;
    let cutting = cut(&playlist, &[(9, 12)]);
    assert_eq!((playlist.segments.len(), cutting.composites.len()), (12, 1), "{name}");
    assert_eq!(
        cutting.composites[0].segments,
        [0, 4, 5, 6],
        "{name}: the margin reaches into one segment more"
    );
    let fetcher = fetcher();
    let before = sent.load(Ordering::SeqCst);
    let source = fetcher.open_composite(&playlist, &cutting.composites[0]).await.unwrap();
    let opened = sent.load(Ordering::SeqCst) - before;
    save(&source, &dir.join(name)).await;
    assert_eq!(sent.load(Ordering::SeqCst) - before, source.stats().bytes_fetched);
    // Whole pages at both ends of each part, at most.
    let most = source.len() + 5 * 2 * (16 << 10);
    assert!(opened <= 5 * (16 << 10) && source.stats().bytes_fetched <= most, "{:?}", source.stats());
    assert!(log.count() > 0 && source.fingerprint().is_some());
    same_pictures(&pictures(dir, name), (9, 12), &pictures(dir, "whole.mp4"), 9);
    let streams =
        run(dir, "ffprobe", &format!("-v error -show_entries stream=codec_name -of csv=p=0 {name}"));
    assert!(streams.contains("h264") && streams.contains("aac"), "{streams}");
    // The same segments again are the same file.
    let again = fetcher.open_composite(&playlist, &cutting.composites[0]).await.unwrap();
    assert_eq!((again.identity(), again.fingerprint()), (source.identity(), source.fingerprint()));
}

#[tokio::test]
async fn transport_streams_show_the_right_pictures() {
    check_one_group("list.m3u8", "part.ts").await;
}

#[tokio::test]
async fn parts_of_one_transport_stream_show_the_right_pictures() {
    check_one_group("-hls_flags single_file list.m3u8", "part.ts").await;
}

#[tokio::test]
async fn fragmented_files_show_the_right_pictures() {
    check_one_group("-hls_segment_type fmp4 list.m3u8", "part.mp4").await;
}

#[tokio::test]
async fn parts_of_one_fragmented_file_show_the_right_pictures() {
    check_one_group("-hls_segment_type fmp4 -hls_flags single_file list.m3u8", "part.mp4").await;
}

#[tokio::test]
async fn a_clip_over_a_discontinuity_is_read_in_two_parts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut list = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n".to_owned();
    for (name, tone) in [("a", 440), ("b", 880)] {
        original(dir, &format!("{name}.mp4"), 8, tone);
        let hls = format!("-v error -i {name}.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 {name}.m3u8");
        run(dir, "ffmpeg", &hls);
        if name == "b" {
            list.push_str("#EXT-X-DISCONTINUITY\n");
        }
        let text = std::fs::read_to_string(dir.join(format!("{name}.m3u8"))).unwrap();
        let segments = text.lines().filter(|line| line.starts_with("#EXTINF") || !line.starts_with('#'));
        list.extend(segments.map(|line| format!("{line}\n")));
    }
    std::fs::write(dir.join("list.m3u8"), format!("{list}#EXT-X-ENDLIST\n")).unwrap();
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180\nlist.m3u8\n";
    std::fs::write(dir.join("master.m3u8"), master).unwrap();
    let (url, ..) = serve_dir(dir.to_owned()).await;
    let playlist = playlist(&format!("{url}/master.m3u8?from=a+page")).await;
    let cutting = cut(&playlist, &[(5, 11)]);
    let [parts] = &cutting.clips[..] else { panic!("{cutting:?}") };
    assert_eq!(parts.len(), 2);
    for (part, (name, from, to)) in parts.iter().zip([("a", 5, 8), ("b", 0, 3)]) {
        let composite = &cutting.composites[part.composite];
        assert_eq!(part.window.start, from * S);
        let source = fetcher().open_composite(&playlist, composite).await.unwrap();
        let file = format!("{name}.ts");
        save(&source, &dir.join(&file)).await;
        same_pictures(&pictures(dir, &file), (from, to), &pictures(dir, &format!("{name}.mp4")), from);
    }
}

#[tokio::test]
async fn refusals_say_why_and_addresses_are_judged() {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("live.m3u8", "#EXTM3U\n#EXTINF:2,\na.ts\n", "live"),
        (
            "key.m3u8",
            "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n",
            "encrypted",
        ),
        (
            "apart.m3u8",
            "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"a.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n",
            "sound",
        ),
        ("circle.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ncircle.m3u8\n", "playlists of playlists"),
    ];
    for (name, text, _) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let (url, ..) = serve_dir(dir.path().to_owned()).await;
    for (name, _, word) in files {
        let error = fetcher()
            .open_media(&format!("{url}/{name}?key=SECRET"), &MediaWish::default())
            .await
            .unwrap_err();
        assert_eq!(error.code(), "source_unusable", "{name}: {error}");
        assert!(error.is_permanent() && error.to_string().contains(word), "{error}");
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }
    // Segments, sections and renditions on addresses that nobody opened.
    for (name, text) in [
        ("a.m3u8", "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.2:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("b.m3u8", "#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        (
            "c.m3u8",
            "#EXTM3U\n#EXT-X-MAP:URI=\"http://169.254.169.254/\"\n#EXTINF:2,\na.m3u8\n#EXT-X-ENDLIST\n",
        ),
        ("d.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://10.0.0.1/v.m3u8\n"),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
        let opened = match fetcher().open_media(&format!("{url}/{name}"), &MediaWish::default()).await {
            Ok(Media::Playlist(playlist)) => {
                let cutting = windows(&playlist, &[None], 0);
                fetcher().open_composite(&playlist, &cutting.composites[0]).await.map(drop)
            }
            Ok(Media::File(source)) => panic!("{source:?}"),
            Err(error) => Err(error),
        };
        let code = opened.unwrap_err().code();
        assert!(matches!(code, "source_not_allowed" | "source_invalid_url"), "{name}: {code}");
    }
}

#[tokio::test]
async fn a_part_beyond_its_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.ts"), [7; 1000]).unwrap();
    let list = "#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:500@600\na.ts\n#EXT-X-ENDLIST\n";
    std::fs::write(dir.path().join("list.m3u8"), list).unwrap();
    let (url, ..) = serve_dir(dir.path().to_owned()).await;
    let playlist = playlist(&format!("{url}/list.m3u8")).await;
    let cutting = windows(&playlist, &[None], 0);
    let error = fetcher().open_composite(&playlist, &cutting.composites[0]).await.unwrap_err();
    assert_eq!(error.code(), "source_unusable");
}
