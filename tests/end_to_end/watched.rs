//! A job that is watched while a real executor makes it: what can be copied of its clips plays after seconds, in a browser too,
//! while the rest is being encoded; the finished montage takes its place, as a file and as an HLS stream of the same bytes.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use contracts::{ids::JobId, job::JobState, montage::Montage};
use end_to_end::stack::{Hints, Stack};
use reqwest::{Method, StatusCode, header, redirect};
use serde_json::json;

use crate::{browser::Browser, videos};

/// Longest wait for the preview. Generous: it only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(120);
const VIDEO: &str = "document.querySelector('main video')";

/// H.264 with a key picture each second.
const GROUPS: [&str; 10] =
    ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-sc_threshold", "0"];

/// Two sources that are alike but for the sound, which one has not, and a busy one of another size: work for a good while.
fn sources(stack: &Stack) {
    let picture = |source: &str, seconds: u32| format!("{source}=size=320x180:rate=30:duration={seconds}");
    let (one, two) = (picture("testsrc2", 6), picture("testsrc", 4));
    let slow = "testsrc2=size=1280x720:rate=30:duration=12,noise=alls=40:allf=t";
    let made = [
        ("watched-sound.mp4", vec![one.as_str(), "-f", "lavfi", "-i", "sine=duration=6", "-c:a", "aac"]),
        ("watched-silent.mp4", vec![two.as_str()]),
        ("watched-slow.mp4", vec![slow, "-crf", "20"]),
    ];
    for (name, input) in made {
        let file = videos::make(name, &[&["-f", "lavfi", "-i"][..], &input, &GROUPS].concat());
        fs::copy(file, stack.directory("media").join(name)).unwrap();
    }
}

/// The playlist of a job's preview, when it has so many clips.
async fn preview(stack: &Stack, job: JobId, clips: usize) -> String {
    let start = Instant::now();
    loop {
        let answer = stack.send(Method::GET, &format!("/v1/jobs/{job}/preview.m3u8"), None).await;
        if answer.status() == StatusCode::OK {
            let text = answer.text().await.unwrap();
            if text.matches("#EXT-X-MAP").count() >= clips {
                return text;
            }
        }
        assert!(start.elapsed() < PATIENCE, "no preview of {clips} clips\n{}", stack.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What FFmpeg says against a stream, and how many pictures it finds.
fn decode(url: &str) -> (String, u64) {
    // Errors only: ffprobe remarks on every file with chapters that it has no decoder for their titles.
    let arguments = ["-v", "error", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"];
    let mut probe = Command::new("ffprobe");
    let found = probe.args(arguments).args(["-show_entries", "stream=nb_read_frames", url]).output().unwrap();
    let frames = String::from_utf8_lossy(&found.stdout);
    let frames = frames.lines().find_map(|line| line.trim().trim_end_matches(',').parse().ok());
    let decoded =
        Command::new("ffmpeg").args(["-v", "warning", "-i", url, "-f", "null", "-"]).output().unwrap();
    let said = [found.stderr, decoded.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), frames.unwrap_or_default())
}

/// The montage as a file and as a stream: the same pictures, in FFmpeg without complaint, and in a browser.
async fn check_stream(stack: &Stack, browser: Option<&Browser>, montage: &Montage) {
    let address = |part: &str| format!("{}/v1/montages/{}/{part}", stack.gateway, montage.summary.id);
    for part in ["media", "media.mp4", "media.m3u8"] {
        let (said, frames) = decode(&address(part));
        assert_eq!((said.as_str(), frames), ("", montage.media.frames), "{part}");
    }
    let Some(browser) = browser else { return };
    for part in ["media", "media.mp4", "media.m3u8"] {
        let kind = if part == "media.m3u8" { "application/vnd.apple.mpegurl" } else { "video/mp4" };
        let can = browser.run(&format!("return document.createElement('video').canPlayType('{kind}')")).await;
        if can == "" {
            println!("this browser plays no {kind}");
            continue;
        }
        let begin = format!(
            "window.tried = document.createElement('video'); tried.muted = true; document.body.append(tried);
             tried.src = '{}'; tried.play()",
            address(part)
        );
        browser.run(&begin).await;
        browser.wait_for("tried.currentTime > 0.3").await;
        let length = browser.run("return tried.duration").await.as_f64().unwrap();
        assert!((length - montage.media.duration).abs() < 0.1, "{part}: {length}");
        let late = montage.media.duration - 1.0;
        browser.run(&format!("tried.currentTime = {late}")).await;
        browser
            .wait_for(&format!(
                "!tried.seeking && tried.readyState >= 2 && tried.currentTime >= {late} && !tried.error"
            ))
            .await;
        browser.wait_for("tried.ended").await;
        browser.run("tried.remove()").await;
    }
}

#[tokio::test]
async fn what_can_be_copied_is_watched_while_the_rest_is_made() {
    let Some(mut stack) = Stack::start(Hints::Postgres, &[("SM_LEASE_TTL", "30s")]).await else { return };
    let browser = Browser::start(1280, 900).await;
    sources(&stack);
    stack.add_executor(&[]);
    let url = |path: &str| json!({ "url": stack.media.url(path) });
    let slow = url("/held-in-the-middle/watched-slow.mp4");
    let job = stack
        .post_job(&json!({ "kind": "montage", "title": "Watched", "spec": {
            "highlights": [
                { "source": slow, "start": "0", "duration": "11.5s" },
                { "source": url("/media/watched-sound.mp4"), "start": "0.5", "duration": "4s" },
                { "source": url("/media/watched-silent.mp4"), "start": "1.2", "duration": "2s" } ],
            "canvas": { "width": 320, "height": 180, "frame_rate": "30" },
            "transcribe": { "engine": "none" } } }))
        .await;
    let playlist = preview(&stack, job.id, 2).await;
    // From the key picture before the start on: 4.5 seconds of the first clip, 2.2 of the second.
    let seconds: f64 = playlist
        .lines()
        .filter_map(|line| line.strip_prefix("#EXTINF:")?.trim_end_matches(',').parse::<f64>().ok())
        .sum();
    assert!((seconds - 6.7).abs() < 0.05, "{playlist}");
    assert_eq!(playlist.matches("#EXT-X-DISCONTINUITY").count(), 2, "{playlist}");
    // Browsers want the same kinds of tracks all along.
    for line in playlist.lines().filter(|line| line.starts_with("#EXT-X-MAP")) {
        let name = line.split('"').nth(1).unwrap();
        let init = stack.send(Method::GET, &format!("/v1/jobs/{}/{name}", job.id), None).await;
        let init = init.bytes().await.unwrap();
        let tracks = |kind: &[u8]| init.windows(4).filter(|window| *window == kind).count();
        assert_eq!((tracks(b"trak"), tracks(b"vide"), tracks(b"soun")), (2, 1, 1), "{name}");
    }
    assert_eq!(stack.job(job.id).await.state, JobState::Running);
    if let Some(browser) = &browser {
        browser.open(&format!("{}/jobs/{}", stack.gateway, job.id)).await;
        browser.wait_for(&format!("{VIDEO} && {VIDEO}.readyState >= 2")).await;
        browser.run(&format!("{VIDEO}.muted = true; {VIDEO}.play()")).await;
        browser.wait_for(&format!("{VIDEO}.ended")).await;
        let length = browser.run(&format!("return {VIDEO}.duration")).await.as_f64().unwrap();
        assert!((length - 6.7).abs() < 0.1, "{length}");
    }
    assert_eq!(stack.job(job.id).await.state, JobState::Running);

    stack.media.let_go();
    let job = stack.wait_until_final(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{job:#?}\n{}", stack.logs());
    let montage = stack.montage_of(&job).await;
    assert_eq!(montage.media.frames, 30 * 35 / 2);
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let led = client.get(format!("{}/v1/jobs/{}/preview.m3u8", stack.gateway, job.id)).send().await.unwrap();
    assert_eq!(led.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(led.headers()[header::LOCATION], format!("/v1/montages/{}/media.m3u8", montage.summary.id));
    if let Some(browser) = &browser {
        let shown = format!("{VIDEO} && {VIDEO}.src.endsWith('/v1/montages/{}/media')", montage.summary.id);
        browser.wait_for(&format!("{shown} && {VIDEO}.readyState >= 1")).await;
    }
    check_stream(&stack, browser.as_ref(), &montage).await;
    if let Some(browser) = &browser {
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
    stack.end().await;
}
