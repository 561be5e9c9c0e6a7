//! Looking into sources: what is told, and what a render worker may not tell.

use std::fs;

use axum::response::IntoResponse as _;
use contracts::{
    job::JobKind,
    lease::{ClaimedJob, FailReason},
    probe::{MOST_KEYFRAMES, ProbeView},
    spec::{JobSpec, ProbeSpec, Source},
};
use cutter::{
    error::{ProblemKind, RenderError},
    facts::{Colour, Probe, VideoFacts},
    protocol::FromWorker,
    report::{Outcome, SourceReport},
    time::{FrameRate, TICKS_PER_SECOND},
};

use crate::{
    gateway::Event,
    remote::{opened, ranged, serve},
    scene::{SOURCE, Scene, job, plan, planned},
};

/// A probe of the scene's own source.
fn probe() -> ClaimedJob {
    probe_of(Source::Path("media:a.mp4".to_owned()))
}

fn probe_of(source: Source) -> ClaimedJob {
    ClaimedJob { kind: JobKind::Probe, spec: JobSpec::Probe { probe: ProbeSpec { source } }, ..job() }
}

/// What a worker says that found so many key frames.
fn found(keyframes: usize) -> FromWorker {
    let probe = Probe {
        container: "mp4".to_owned(),
        origin_ticks: 0,
        duration_ticks: Some(5 * TICKS_PER_SECOND),
        duration_is_estimate: false,
        video: VideoFacts {
            stream: 0,
            codec: "h264".to_owned(),
            width: 320,
            height: 180,
            sar_num: 1,
            sar_den: 1,
            rotation: 0,
            frame_rate: FrameRate::new(30, 1).unwrap(),
            variable_rate: false,
            pixel_format: "yuv420p".to_owned(),
            bit_depth: 8,
            colour: Colour::bt709(),
            profile: 100,
            level: 31,
            progressive: true,
            bit_rate: 0,
        },
        audio: None,
    };
    let keyframes_total = keyframes as u64;
    let keyframes = (0..keyframes as i64).map(|key| key * TICKS_PER_SECOND).collect();
    let report = SourceReport { probe, keyframes, keyframes_total };
    FromWorker::Done { outcome: Outcome::Source(Box::new(report)) }
}

#[tokio::test]
async fn what_is_in_a_source_is_told() {
    // The worker is asked about one source and no clips.
    let asked = "{ cat <&3 > $OUT/wire & }; until grep -qa survey $OUT/wire; do sleep 0.05; done";
    let scene = Scene::new(&format!("{asked}; cat $OUT/found >&3")).await;
    scene.message("found", &found(3));
    let running = scene.start_with(probe()).await;
    let completed = scene.gateway.completion().await;
    let view: ProbeView = serde_json::from_value(completed.result.unwrap()).unwrap();
    assert_eq!((view.container.as_str(), view.bytes, view.duration), ("mp4", SOURCE.len() as u64, 5.0));
    assert_eq!((view.keyframes.as_slice(), view.keyframes_total), ([0.0, 1.0, 2.0].as_slice(), 3));
    // The library reads no directories.
    assert!(!view.playable && view.audio.is_none());
    assert_eq!(scene.gateway.writes().len(), 1, "nothing but the answer");
    scene.stop(running).await;
}

#[tokio::test]
async fn what_is_refused_is_told_with_the_sources_place() {
    let scene = Scene::new("cat $OUT/refused >&3").await;
    let error = RenderError::refused(None, None, ProblemKind::NoVideo);
    scene.message("refused", &FromWorker::Failed { error });
    let running = scene.start_with(probe()).await;
    let failed = scene.gateway.failure().await;
    assert_eq!((failed.reason, failed.failure.code.as_str()), (FailReason::Permanent, "no_video"));
    assert_eq!(failed.failure.message, "Its source has no video");
    assert_eq!(failed.failure.pointer.as_deref(), Some("/source/path"));
    scene.stop(running).await;
}

#[tokio::test]
async fn a_worker_that_says_too_much_or_something_else_is_not_believed() {
    for said in [found(MOST_KEYFRAMES + 1), planned(plan(None))] {
        let scene = Scene::new("cat $OUT/said >&3").await;
        scene.message("said", &said);
        let running = scene.start_with(probe()).await;
        let failed = scene.gateway.failure().await;
        assert_eq!((failed.reason, failed.failure.code.as_str()), (FailReason::Transient, "worker_protocol"));
        scene.stop(running).await;
    }
}

/// Links to a file, to one on a server without ranges, and to a playlist, by the real worker. Needs FFmpeg and a built
/// render-worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_looks_into_files_and_playlists() {
    let worker = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("render-worker");
    if !worker.is_file() {
        println!("skipped: needs a built render-worker (cargo build -p cutter)");
        return;
    }
    let mut scene = Scene::new("").await;
    let media = scene.path("links");
    fs::create_dir(&media).unwrap();
    let input = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=12", "-f", "lavfi", "-i"];
    let coding = "sine=duration=12 -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac -shortest";
    let hls = "-f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename %d.ts list.m3u8";
    for output in ["a.mp4", hls] {
        let mut command = std::process::Command::new("ffmpeg");
        command.current_dir(&media).args(["-v", "error"]).args(input);
        assert!(command.args(coding.split(' ')).args(output.split(' ')).status().unwrap().success());
    }
    let folder = media.clone();
    let url = serve(move |request| {
        let path = request.uri().path().trim_start_matches('/');
        match path.strip_prefix("whole/") {
            Some(path) => fs::read(folder.join(path)).unwrap().into_response(),
            None => ranged(request.headers(), &fs::read(folder.join(path)).unwrap()),
        }
    })
    .await;
    scene.config.render.worker = worker;
    scene.config.render.output = 1 << 30;
    scene.config.fetch = opened();
    let running = scene.start().await;
    let mut views = Vec::new();
    for name in ["a.mp4", "whole/a.mp4", "list.m3u8"] {
        let job = probe_of(Source::Url(format!("{url}/{name}")));
        scene.gateway.set(|script| script.jobs.push_back(job));
        let view = scene.gateway.until(|events| {
            let mut done = events.iter().filter_map(|event| match event {
                Event::Completed(request) => request.result.clone(),
                Event::Failed(_, request) => panic!("{:?}", request.failure),
                _ => None,
            });
            done.nth(views.len())
        });
        let view: ProbeView = serde_json::from_value(view.await).unwrap();
        views.push(view);
    }
    let every_two = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0];
    let [file, whole, list] = views.try_into().unwrap();
    let bytes = fs::metadata(media.join("a.mp4")).unwrap().len();
    assert_eq!((file.media_type.as_deref(), file.bytes, file.playable), (Some("video/mp4"), bytes, true));
    assert_eq!(file.keyframes, every_two);
    assert_eq!(file.audio.map(|audio| audio.codec), Some("aac".to_owned()));
    // All of it would have to be fetched before a browser sees the first picture.
    assert_eq!((whole.bytes, whole.playable), (bytes, false));
    assert_eq!((list.container.as_str(), list.playable, list.keyframes), ("hls", false, every_two.to_vec()));
    let segments = (0..6).map(|number| fs::metadata(media.join(format!("{number}.ts"))).unwrap().len());
    let real = segments.sum::<u64>() as f64;
    assert!((real * 0.5..real * 2.0).contains(&(list.bytes as f64)), "{} of {real}", list.bytes);
    assert_eq!((list.video.width, list.video.frame_rate.as_str()), (320, "25/1"));
    scene.stop(running).await;
}
