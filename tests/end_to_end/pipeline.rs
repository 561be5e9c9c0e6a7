//! From a POST through the gateway to a montage in the library: frame by frame, word by word, and in a browser.

use contracts::{
    job::{Job, JobState},
    montage::Montage,
    transcript::TranscriptState,
};
use counter_video::{CounterVideo, Mark, Region, read_marks};
use end_to_end::stack::{Hints, Stack, sample_media};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

use crate::browser::Browser;

/// The canvas of the test: 640 by 360 at 30 frames a second.
const CANVAS: (u32, u32) = (640, 360);

/// One kind of source and the clip that is asked of it.
struct Case {
    source: Value,
    /// Number that its frames carry.
    mark: u8,
    /// Its frames a second, as a fraction.
    rate: (u64, u64),
    /// First source frame that is asked for.
    first: u64,
    /// Length of the clip, in frames of the canvas.
    frames: u64,
    /// Size of its picture, as it is shown.
    shown: (u32, u32),
}

impl Case {
    fn highlight(&self, title: &str) -> Value {
        // A length in seconds with as many decimals as a tick needs.
        let duration = format!("{:.12}s", self.frames as f64 / 30.0);
        json!({ "source": self.source, "start": format!("{}f", self.first), "duration": duration, "title": title, "streamer": "counter" })
    }

    /// The source frame that is on screen when the montage, at 30 frames a second, shows frame `index` of the clip. Moments that
    /// are nearer than 1/800 s count as the same, since Matroska rounds times to milliseconds.
    fn expected(&self, index: u64) -> Mark {
        let frame = self.first + (index * 800 + 30) * self.rate.0 / (self.rate.1 * 30 * 800);
        Mark { source: self.mark, frame: u16::try_from(frame).unwrap() }
    }

    /// Where its picture lies on the canvas, fitted.
    fn region(&self) -> Region {
        let (width, height) = if self.shown.0 * CANVAS.1 >= self.shown.1 * CANVAS.0 {
            (CANVAS.0, CANVAS.0 * self.shown.1 / self.shown.0)
        } else {
            (CANVAS.1 * self.shown.0 / self.shown.1, CANVAS.1)
        };
        Region { x: (CANVAS.0 - width) / 2, y: (CANVAS.1 - height) / 2, width, height }
    }
}

fn write(stack: &Stack, name: &str, video: &CounterVideo) {
    video.write(&stack.directory("media").join(name)).unwrap();
}

const X264: &str = "-c:v libx264 -preset ultrafast -crf 18 -pix_fmt yuv420p -c:a aac";

fn turn(media: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(media.join("lying.mov"));
    command.args(["-c", "copy", "-metadata:s:v", "rotate=90"]).arg(media.join("turned.mov"));
    assert!(command.status().unwrap().success());
}

/// One source of each kind, by each of the ways in.
async fn cases(stack: &Stack) -> Vec<Case> {
    write(stack, "end.mp4", &CounterVideo::new(1, (30, 1), 150));
    write(stack, "a.mkv", &CounterVideo::new(2, (25, 1), 150).sounding(Some((44_100, 1))).sized(640, 480));
    write(stack, "b.ts", &CounterVideo::new(3, (30_000, 1001), 150).and("-output_ts_offset 1000"));
    let vp9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -pix_fmt yuv420p -c:a libopus";
    write(stack, "c.webm", &CounterVideo::new(4, (24, 1), 120).with(vp9));
    write(
        stack,
        "silent.mp4",
        &CounterVideo::new(5, (60, 1), 240).sounding(None).and("-movflags +faststart"),
    );
    write(
        stack,
        "fragments.mp4",
        &CounterVideo::new(6, (30, 1), 150).and("-g 30 -movflags frag_keyframe+delay_moov"),
    );
    let hevc = "-c:v libx265 -preset ultrafast -crf 20 -pix_fmt yuv420p10le -x265-params log-level=error -tag:v hvc1 -c:a aac";
    write(stack, "ten-bit.mp4", &CounterVideo::new(7, (50, 1), 200).with(hevc));
    // Stored lying on its side, with the note that it is to be turned for showing (which FFmpeg 5.1 writes counterclockwise).
    write(stack, "lying.mov", &CounterVideo::new(8, (30, 1), 120).with(&format!("-vf transpose=1 {X264}")));
    turn(&stack.directory("media"));
    let uploaded = stack.upload("c.webm").await;

    let url = |name: &str| json!({ "url": stack.media.url(&format!("/media/{name}")) });
    let case =
        |source, mark, rate, first, frames| Case { source, mark, rate, first, frames, shown: (320, 180) };
    vec![
        case(url("end.mp4"), 1, (30, 1), 37, 45),
        Case { shown: (640, 480), ..case(json!({ "path": "library:a.mkv" }), 2, (25, 1), 51, 40) },
        case(url("b.ts"), 3, (30_000, 1001), 61, 40),
        case(json!({ "upload": uploaded.id }), 4, (24, 1), 13, 40),
        case(url("silent.mp4"), 5, (60, 1), 100, 40),
        case(url("fragments.mp4"), 6, (30, 1), 149, 1),
        case(url("ten-bit.mp4"), 7, (50, 1), 77, 40),
        case(url("turned.mov"), 8, (30, 1), 0, 33),
        // The same source again, backwards in time.
        case(url("end.mp4"), 1, (30, 1), 0, 20),
    ]
}

#[tokio::test]
async fn every_kind_of_source_gives_exactly_the_asked_frames_by_way_of_kafka() {
    // What is deleted goes at once.
    let settings = [("SM_TRASH_KEEP", "0s")];
    let Some(mut stack) = Stack::start(Hints::Kafka, &settings).await else { return };
    stack.add_executor(&[]);
    let cases = cases(&stack).await;
    let highlights: Vec<Value> =
        cases.iter().enumerate().map(|(index, case)| case.highlight(&format!("Clip {index}"))).collect();
    let body = json!({ "kind": "montage", "title": "Exactly", "labels": { "test": "frames" }, "spec": {
        "highlights": highlights,
        "canvas": { "width": CANVAS.0, "height": CANVAS.1, "frame_rate": "30" },
        "transcribe": { "engine": "none" } } });
    let job = stack.post_job(&body).await;
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    assert_eq!(job.attempts.len(), 1);
    let montage = stack.montage_of(&job).await;
    let file = stack.download(&montage.summary.links["media"], "montage.mp4").await;
    check_frames(&cases, &file);
    check_file(&file, &montage, cases.len());
    check_provenance(&stack, &montage).await;
    check_delivery(&stack, &montage, &file).await;
    check_library(&stack, &montage).await;
    stack.end().await;
}

fn check_frames(cases: &[Case], file: &Path) {
    let mut start = 0;
    for (index, case) in cases.iter().enumerate() {
        let region = case.region();
        let marks = read_marks(file, Some(region)).unwrap();
        let total: u64 = cases.iter().map(|case| case.frames).sum();
        assert_eq!(marks.len() as u64, total, "frames in all");
        let shown: Vec<Option<Mark>> = marks[start..start + case.frames as usize].to_vec();
        let expected: Vec<Option<Mark>> = (0..case.frames).map(|frame| Some(case.expected(frame))).collect();
        assert_eq!(shown, expected, "clip {index}: {}", case.source);
        start += case.frames as usize;
    }
}

/// What ffprobe, which is none of ours, says of the file.
fn check_file(file: &Path, montage: &Montage, clips: usize) {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_streams",
            "-show_chapters",
            "-show_format",
            "-count_frames",
            "-of",
            "json",
        ])
        .arg(file)
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = |kind: &str| {
        facts["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == kind).unwrap()
    };
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let (video, audio) = (stream("video"), stream("audio"));
    assert_eq!(video["nb_read_frames"].as_str().unwrap(), montage.media.frames.to_string());
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(640), Some(360)));
    assert_eq!(video["avg_frame_rate"], "30/1");
    assert_eq!(seconds(&video["start_time"]), 0.0);
    assert!((seconds(&video["duration"]) - montage.media.duration).abs() < 0.001);
    assert!(
        (seconds(&video["duration"]) - seconds(&audio["duration"])).abs() < 1.0 / 30.0,
        "{video} {audio}"
    );
    let chapters = facts["chapters"].as_array().unwrap();
    assert_eq!(chapters.len(), clips);
    for (chapter, clip) in chapters.iter().zip(&montage.clips) {
        assert_eq!(chapter["tags"]["title"].as_str().unwrap(), clip.title);
        assert!((seconds(&chapter["start_time"]) - clip.start).abs() < 0.01, "{chapter} {clip:?}");
    }
    let bytes = fs::read(file).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"), "the index stands in front");
}

async fn check_provenance(stack: &Stack, montage: &Montage) {
    let provenance = stack.get(&montage.summary.links["provenance"]).await;
    assert_eq!(provenance["executor"], "executor-1");
    assert_eq!(provenance["frames_encoded"].as_u64(), Some(montage.media.frames));
    assert_eq!(provenance["sources"].as_array().unwrap().len(), 8, "each distinct source once");
    let checks = provenance["checks"].as_array().unwrap();
    assert!(!checks.is_empty() && checks.iter().all(|check| check["passed"] == true), "{checks:?}");
    assert!(!provenance.to_string().contains("signature"), "no signed link is kept");
}

/// Ranges and conditions, on media and poster.
async fn check_delivery(stack: &Stack, montage: &Montage, file: &Path) {
    let links = &montage.summary.links;
    let whole = fs::read(file).unwrap();
    let part = stack
        .request(Method::GET, &links["media"])
        .header(header::RANGE, "bytes=100-199")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes 100-199/{}", whole.len()));
    let etag = part.headers()[header::ETAG].clone();
    assert_eq!(part.bytes().await.unwrap(), whole[100..200]);
    let same =
        stack.request(Method::GET, &links["media"]).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    let beyond = stack
        .request(Method::GET, &links["media"])
        .header(header::RANGE, "bytes=999999999-")
        .send()
        .await
        .unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    for picture in ["poster", "sprites"] {
        let bytes = stack.send(Method::GET, &links[picture], None).await.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]), "{picture} is a JPEG");
    }
}

/// Listed, filtered, renamed and deleted with all its objects.
async fn check_library(stack: &Stack, montage: &Montage) {
    let path = &montage.summary.links["self"];
    for (query, found) in [
        ("label=test:frames", 1),
        ("label=test:other", 0),
        ("streamer=counter", 1),
        ("q=exactly", 1),
        ("q=nothing", 0),
    ] {
        let page = stack.get(&format!("/v1/montages?{query}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
    let etag = stack.send(Method::GET, path, None).await.headers()[header::ETAG].clone();
    let rename = |etag| {
        stack
            .request(Method::PATCH, path)
            .header(header::IF_MATCH, etag)
            .json(&json!({ "title": "Renamed" }))
            .send()
    };
    assert_eq!(rename(etag.clone()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(rename(etag).await.unwrap().status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(stack.send(Method::DELETE, path, None).await.status(), StatusCode::NO_CONTENT);
    for gone in ["self", "media", "poster"] {
        assert_eq!(
            stack.send(Method::GET, &montage.summary.links[gone], None).await.status(),
            StatusCode::NOT_FOUND,
            "{gone}"
        );
    }
    let media =
        || walk(&stack.directory("objects")).into_iter().filter(|path| path.ends_with("media.mp4")).count();
    for _ in 0..600 {
        if media() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the media of a deleted montage is still there");
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().flatten();
    entries
        .flat_map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

/// The speech of the sample `jfk.flac`, with the moments at which its phrases begin: read off its loudness, not off any recogniser.
const PHRASES: &[(&str, f64)] = &[("ask not", 3.29), ("what your country", 5.42), ("ask what you", 8.19)];

/// Posts a montage with two clips of speech, out of unlike sources.
async fn speech_job(stack: &Stack, engine: &str) -> Option<Job> {
    let Some(media) = sample_media() else {
        eprintln!("skipped: there is no sample media; name its directory in SM_TEST_MEDIA");
        return None;
    };
    let speech = media.join("jfk.flac").display().to_string();
    write(
        stack,
        "speech.mp4",
        &CounterVideo::new(1, (30, 1), 330)
            .sounding(None)
            .with(&format!("-i {speech} -map 0:v -map 1:a {X264}")),
    );
    let opus = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a libopus -ar 48000";
    write(
        stack,
        "late.mkv",
        &CounterVideo::new(2, (25, 1), 400)
            .sounding(None)
            .with(&format!("-i {speech} -map 0:v -map 1:a {opus} -af adelay=4000:all=1")),
    );
    let url = |name: &str| json!({ "url": stack.media.url(&format!("/media/{name}")) });
    let body = json!({ "kind": "montage", "title": "Inauguration", "spec": {
        "highlights": [
            { "source": url("speech.mp4"), "start": 0, "duration": "11s", "title": "First <b>clip</b>" },
            { "source": url("late.mkv"), "start": "4.0", "end": "15.0", "title": "Second" } ],
        "canvas": { "width": 640, "height": 360, "frame_rate": "30" },
        "transcribe": { "engine": engine, "language": "en" } } });
    Some(stack.post_job(&body).await)
}

#[tokio::test]
async fn what_is_said_is_found_at_its_moment_and_plays_in_a_browser() {
    let Some(mut stack) = Stack::start(Hints::Kafka, &[]).await else { return };
    stack.add_executor(&[]);
    let Some(job) = speech_job(&stack, "local").await else { return };
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    let montage = stack.montage_of(&job).await;
    assert_eq!(
        montage.transcript.state,
        TranscriptState::Complete,
        "{:?}\n{}",
        montage.transcript,
        stack.logs()
    );
    let captions = montage.summary.links["captions"].clone();
    let json = stack.get(&captions.replace(".vtt", ".json")).await;
    check_words(&json);

    let text = stack.send(Method::GET, &captions, None).await.text().await.unwrap();
    assert!(text.starts_with("WEBVTT\n"), "{text}");
    let hits = stack.get("/v1/search?q=country").await;
    let hits = hits["items"].as_array().unwrap();
    assert!(hits.len() >= 2, "{hits:?}");
    assert!(hits.iter().all(|hit| hit.to_string().contains("<b>")), "{hits:?}");
    assert_eq!(stack.get("/v1/montages?q=fellow+americans").await["items"].as_array().unwrap().len(), 1);

    watch_in_a_browser(&stack, &montage).await;
    stack.end().await;
}

/// Every phrase within half a second of its moment, in both clips, on the montage and on the source.
fn check_words(cues: &Value) {
    let cues = cues.as_array().or_else(|| cues["cues"].as_array()).expect("a list of cues");
    let words: Vec<(String, f64, usize)> = cues
        .iter()
        .flat_map(|cue| {
            cue["words"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .map(move |word| (cue["clip"].as_u64().unwrap(), word))
        })
        .map(|(clip, word)| {
            let text: String = word["text"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphabetic())
                .collect();
            (text, word["start"].as_f64().unwrap(), usize::try_from(clip).unwrap())
        })
        .collect();
    for (clip, clip_start) in [(0, 0.0), (1, 11.0)] {
        for (phrase, moment) in PHRASES {
            let wanted: Vec<&str> = phrase.split(' ').collect();
            let found = words.windows(wanted.len()).find(|window| {
                window.iter().zip(&wanted).all(|((text, _, at), word)| text == word && *at == clip)
            });
            let (_, start, _) =
                &found.unwrap_or_else(|| panic!("`{phrase}` is not said in clip {clip}: {words:?}"))[0];
            assert!(
                (start - clip_start - moment).abs() < 0.5,
                "`{phrase}` of clip {clip} at {start}, said at {}",
                clip_start + moment
            );
        }
    }
    for cue in cues {
        let offset = if cue["clip"] == 0 { 0.0 } else { 4.0 - 11.0 };
        let mapped = cue["source_start"].as_f64().unwrap() - cue["start"].as_f64().unwrap();
        assert!((mapped - offset).abs() < 0.001, "{cue}");
        let crosses = cue["start"].as_f64().unwrap() < 11.0 && cue["end"].as_f64().unwrap() > 11.0;
        assert!(!crosses, "{cue}");
    }
}

async fn watch_in_a_browser(stack: &Stack, montage: &Montage) {
    let Some(browser) = Browser::start(1280, 900).await else { return };
    browser.open(&format!("{}/", stack.gateway)).await;
    let title = &montage.summary.title;
    browser.wait_for(&format!("document.body.innerText.includes('{title}')")).await;
    // Titles are text and never markup.
    browser.run("[...document.querySelectorAll('main a')].find(link => link.innerText.includes('Inauguration')).click()").await;
    browser
        .wait_for("document.querySelector('video') && document.querySelector('video').readyState >= 2")
        .await;
    browser.run("document.querySelector('video').muted = true; document.querySelector('video').play()").await;
    browser.wait_for("document.querySelector('video').currentTime > 1.5").await;
    assert_eq!(browser.run("return document.querySelector('video').videoWidth").await, json!(640));
    assert!(
        (browser.run("return document.querySelector('video').duration").await.as_f64().unwrap() - 22.0).abs()
            < 0.1
    );
    browser.run("document.querySelector('video').textTracks[0].mode = 'showing'").await;
    browser.wait_for("document.querySelector('video').textTracks[0].cues && document.querySelector('video').textTracks[0].cues.length > 1").await;
    browser.run("document.querySelector('video').currentTime = 20").await;
    browser
        .wait_for(
            "!document.querySelector('video').seeking && document.querySelector('video').currentTime > 20.2",
        )
        .await;
    assert_eq!(browser.run("return document.querySelector('video').error").await, Value::Null);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_transcription_that_fails_does_not_lose_the_video_and_can_be_made_up_for() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    // Nothing listens there: the service cannot be reached.
    stack.add_executor(&[("SM_OPENAI_BASE_URL", "http://127.0.0.1:9/v1"), ("SM_OPENAI_API_KEY", "none")]);
    let Some(job) = speech_job(&stack, "openai").await else { return };
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}");
    let montage = stack.montage_of(&job).await;
    assert_eq!(montage.transcript.state, TranscriptState::Failed);
    assert!(montage.transcript.reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(montage.missing, ["transcript"]);

    let path = format!("{}/transcribe", montage.summary.links["self"]);
    let response = stack.send(Method::POST, &path, Some(&json!({ "engine": "local" }))).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let again: Job = response.json().await.unwrap();
    let again = stack.wait_until_final(again.id).await;
    assert_eq!(again.state, JobState::Succeeded, "{again:#?}\n{}", stack.logs());
    let montage = stack.montage_of(&job).await;
    assert_eq!(montage.transcript.state, TranscriptState::Complete);
    assert!(montage.missing.is_empty());
    check_words(&stack.get(&montage.summary.links["captions"].replace(".vtt", ".json")).await);
    stack.end().await;
}

#[tokio::test]
async fn a_montage_can_be_a_source() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[]).await else { return };
    stack.add_executor(&[]);
    write(&stack, "a.mp4", &CounterVideo::new(1, (30, 1), 90).sized(640, 360));
    let job_of = |source: Value, first: &str, length: &str| {
        json!({ "kind": "montage", "spec": {
            "highlights": [{ "source": source, "start": first, "duration": length }], "transcribe": { "engine": "none" } } })
    };
    let first = stack.post_job(&job_of(json!({ "path": "library:a.mp4" }), "30f", "40f")).await;
    let first = stack.wait_until_final(first.id).await;
    let id = stack.montage_of(&first).await.summary.id;
    let second = stack.post_job(&job_of(json!({ "montage": id }), "10f", "15f")).await;
    let second = stack.wait_until_final(second.id).await;
    let montage = stack.montage_of(&second).await;
    let file = stack.download(&montage.summary.links["media"], "second.mp4").await;
    let frames: Vec<u16> =
        read_marks(&file, None).unwrap().into_iter().map(|mark| mark.unwrap().frame).collect();
    assert_eq!(frames, (40..55).collect::<Vec<u16>>());
    stack.end().await;
}
