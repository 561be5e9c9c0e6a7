//! A job that is watched while it is made: its preview grows in a browser, across clips that have nothing in common, and gives way
//! to the montage. The executor is one by hand, so that the test says when something comes.

use contracts::{
    ids::ExecutorId,
    lease::ClaimedJob,
    montage::Montage,
    object::{Grants, Piece},
};
use end_to_end::stack::{EXECUTOR_TOKEN, Hints, Stack};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{fs, path::Path};

use crate::{browser::Browser, videos};

struct ByHand<'a> {
    stack: &'a Stack,
    id: ExecutorId,
    job: ClaimedJob,
}

impl<'a> ByHand<'a> {
    async fn claim(stack: &'a Stack) -> Self {
        let id = ExecutorId::generate();
        let body = json!({ "executor_id": id, "executor_name": "by hand", "kinds": ["montage"], "wait_seconds": 10 });
        let request = stack.request(Method::POST, "/v1/leases").bearer_auth(EXECUTOR_TOKEN).json(&body);
        let job = request.send().await.unwrap().json().await.unwrap();
        Self { stack, id, job }
    }

    /// Says something under the lease; it must be taken.
    async fn say(&self, path: &str, more: Value) -> Value {
        let mut body = json!({ "executor_id": self.id, "fence": self.job.fence });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = self.stack.request(Method::POST, path).bearer_auth(EXECUTOR_TOKEN).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Keeps the lease and says how far it is.
    async fn beat(&self, lease: Value) {
        let body = json!({ "executor_id": self.id, "leases": [lease] });
        let request = self.stack.request(Method::POST, "/v1/leases/heartbeat").bearer_auth(EXECUTOR_TOKEN);
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["leases"][0]["verdict"], "held", "{answer}");
    }

    async fn send(&self, url: &str, bytes: Vec<u8>) {
        let sent = self.stack.request(Method::PUT, url).body(bytes).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
    }

    /// Sends a clip as parts of the preview, and answers its entries.
    async fn send_clip(&self, clip: &str, video: &Path) -> Vec<Value> {
        let parts = parts(&fs::read(video).unwrap());
        let names: Vec<String> = (0..parts.len()).map(|index| format!("{clip}-{index}.mp4")).collect();
        let wishes: Vec<Value> = names
            .iter()
            .zip(&parts)
            .map(|(name, part)| json!({ "name": name, "bytes": part.len() }))
            .collect();
        let answer =
            self.say("/v1/grants", json!({ "job_id": self.job.job_id, "write_preview": wishes })).await;
        let grants: Grants = serde_json::from_value(answer).unwrap();
        for (grant, part) in grants.write_preview.iter().zip(parts) {
            self.send(&grant.url, part).await;
        }
        let entry = |(index, name): (usize, &String)| {
            let mut entry = json!({ "name": name, "seconds": 1.0, "discontinuity": index == 0 });
            if index == 0 {
                entry["map"] = json!(names[0]);
            }
            entry
        };
        names[1..].iter().enumerate().map(entry).collect()
    }

    async fn show(&self, entries: &[Value], done: bool) {
        self.say("/v1/previews", json!({ "job_id": self.job.job_id, "entries": entries, "done": done }))
            .await;
    }

    /// Publishes any media as the job's montage.
    async fn publish(&self, media: Vec<u8>) -> Montage {
        let mut pieces = Vec::new();
        for piece in [Piece::Media, Piece::Poster, Piece::Sprites] {
            let wish = json!([{ "piece": piece, "bytes": media.len() }]);
            let answer = self.say("/v1/grants", json!({ "job_id": self.job.job_id, "write": wish })).await;
            let grants: Grants = serde_json::from_value(answer).unwrap();
            self.send(&grants.write[0].url, media.clone()).await;
            pieces.push(
                json!({ "piece": piece, "key": grants.write[0].key, "bytes": media.len(), "sha256": SHA256 }),
            );
        }
        let result = json!({
            "job_id": self.job.job_id, "title": "Watched", "labels": {},
            "media": { "width": 320, "height": 180, "frame_rate": "30/1", "frames": 90, "duration_ticks": 3 * 705_600_000_i64,
                       "duration": 3.0, "bytes": media.len(), "sha256": SHA256 },
            "clips": [{ "title": "Clip", "streamer": null, "score": null, "source": "library:short.mp4", "start": 0.0,
                        "duration": 3.0, "source_start": 0.0, "frames": 90, "mode": "exact" }],
            "sprites": { "tile_width": 1, "tile_height": 1, "columns": 1, "rows": 1, "count": 1, "interval": 1.0 },
            "pieces": pieces,
            "transcript": { "state": "none", "engine": "none", "model": null, "language": null, "reason": null, "cues": [] },
            "provenance": { "executor": "by hand", "attempt": 1, "started_at": "2026-01-01T00:00:00Z",
                            "finished_at": "2026-01-01T00:00:00Z", "sources": [], "plan": {}, "plan_hash": "", "frames_encoded": 1,
                            "frames_copied": 89, "copied": [{ "clip": 0, "first_frame": 1, "frames": 89, "sha256": SHA256 }],
                            "audio": [], "checks": [], "versions": {}, "sandbox": [] }
        });
        serde_json::from_value(self.say("/v1/results", result).await).unwrap()
    }
}

/// The library believes executors, whose pieces it does not hash.
const SHA256: &str = "34235a2c502e3919d3f00af5dabb87cb58aef4566b10631f2a5db94950ebffbd";

/// The init section of a fragmented MP4 and its fragments.
pub fn parts(file: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut rest = file;
    while rest.len() >= 8 {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (one, after) = rest.split_at(size);
        match &one[4..8] {
            b"moof" => parts.push(one.to_vec()),
            // The index at its end is of no use here.
            b"mfra" => {}
            _ => parts.last_mut().unwrap().extend_from_slice(one),
        }
        rest = after;
    }
    parts
}

/// A clip of whole seconds, a fragment each, whose clock begins anywhere.
pub fn clip(name: &str, picture: &str, tone: &str, more: &[&str]) -> std::path::PathBuf {
    let common = ["-pix_fmt", "yuv420p", "-preset", "ultrafast", "-bf", "2", "-g", "30", "-keyint_min", "30"];
    let fragments = ["-sc_threshold", "0", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"];
    let input = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:v", "libx264", "-c:a", "aac"];
    videos::make(name, &[&input[..], &common, &fragments, more].concat())
}

const VIDEO: &str = "document.querySelector('main video')";

#[tokio::test]
async fn a_job_can_be_watched_while_it_is_made() {
    let Some(stack) = Stack::start(Hints::Postgres, &[("SM_LEASE_TTL", "5m")]).await else { return };
    let Some(browser) = Browser::start(1280, 900).await else { return };
    fs::copy(videos::short(), stack.directory("media").join("short.mp4")).unwrap();
    let job = stack
        .post_job(&json!({ "kind": "montage", "title": "Watched", "spec": {
            "highlights": [{ "source": { "path": "library:short.mp4" }, "start": "0", "duration": "3s" }],
            "transcribe": { "engine": "none" } } }))
        .await;
    let hand = ByHand::claim(&stack).await;
    assert_eq!(hand.job.job_id, job.id);
    let one = clip(
        "preview-one.mp4",
        "testsrc2=size=320x180:rate=30:duration=3",
        "sine=frequency=440:duration=3",
        &[],
    );
    let two = clip(
        "preview-two.mp4",
        "testsrc=size=640x360:rate=30:duration=2",
        "sine=frequency=880:sample_rate=44100:duration=2",
        &["-profile:v", "baseline", "-output_ts_offset", "500"],
    );
    let mut entries = hand.send_clip("one", &one).await;
    hand.show(&entries, false).await;

    browser.open(&format!("{}/jobs/{}", stack.gateway, job.id)).await;
    browser
        .wait_for(
            "document.querySelector('main h1') && document.querySelector('main h1').innerText == 'Watched'",
        )
        .await;
    let progress = json!({ "stage": "rendering", "fraction": 0.25, "frames_done": 1, "frames_total": 4, "speed": null, "seconds_left": null });
    let lease = json!({ "job_id": job.id, "fence": hand.job.fence, "progress": progress });
    hand.beat(lease).await;
    browser.wait_for("document.querySelector('main').innerText.includes('25 %')").await;
    browser.wait_for(&format!("{VIDEO} && {VIDEO}.readyState >= 2")).await;
    browser.run(&format!("{VIDEO}.muted = true; {VIDEO}.play()")).await;
    // It waits at the end of what there is, and goes on by itself when there is more.
    browser.wait_for(&format!("{VIDEO}.currentTime > 2.8")).await;
    assert_eq!(
        browser
            .run(&format!("return [{VIDEO}.ended, {VIDEO}.videoWidth, Math.round({VIDEO}.duration)]"))
            .await,
        json!([false, 320, 3])
    );
    entries.extend(hand.send_clip("two", &two).await);
    hand.show(&entries, true).await;
    browser.wait_for(&format!("{VIDEO}.videoWidth == 640 && {VIDEO}.currentTime > 3.2")).await;
    browser.wait_for(&format!("{VIDEO}.ended")).await;
    let length = browser.run(&format!("return {VIDEO}.duration")).await.as_f64().unwrap();
    assert!((length - 5.0).abs() < 0.1, "{length}");
    // Back to the start: what is kept is played again.
    browser.run(&format!("{VIDEO}.currentTime = 0.5")).await;
    browser
        .wait_for(&format!("{VIDEO}.videoWidth == 320 && !{VIDEO}.seeking && {VIDEO}.error === null"))
        .await;

    let montage = hand.publish(fs::read(videos::short()).unwrap()).await;
    hand.say(&format!("/v1/leases/{}/complete", job.id), json!({ "montage_id": montage.summary.id })).await;
    browser
        .wait_for(&format!(
            "{VIDEO} && {VIDEO}.src.endsWith('/v1/montages/{}/media') && {VIDEO}.readyState >= 1",
            montage.summary.id
        ))
        .await;
    browser.run("[...document.querySelectorAll('main a')].find(link => link.innerText.includes('Open in the library')).click()").await;
    let tab =
        "[...document.querySelectorAll('[role=tab]')].find(tab => tab.innerText.includes('How it was made'))";
    browser.wait_for(&format!("{tab} !== undefined")).await;
    browser.run(&format!("{tab}.click()")).await;
    browser
        .wait_for("document.querySelector('main').innerText.includes('89 copied bit for bit (98.8 %)')")
        .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    stack.end().await;
}
