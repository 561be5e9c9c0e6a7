//! Making montages: what goes in, what comes out, and every way in which a render worker can fail or deceive.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use contracts::{
    ids::UploadId,
    lease::FailReason,
    object::Piece,
    spec::{Highlight, JobSpec, Source},
    transcript::{Engine, TranscriptState},
};
use cutter::protocol::{FromWorker, Progress, Stage, ToWorker, read_message};
use fetch::MediaDir;

use crate::{
    gateway::Event,
    scene::{HANGS, PLANS, SOURCE, Scene, built_worker, diligent, done, job, job_of, report},
};

#[tokio::test]
async fn a_montage_is_made_published_and_completed() {
    let read = "{ cat <&3 > $OUT/wire & }; cat $OUT/read $OUT/progress >&3
        until grep -qa 'of a source' $OUT/wire; do sleep 0.05; done";
    let scene = Scene::new(&diligent(read)).await;
    let ask = FromWorker::ReadAt { id: 5, source: 0, offset: 4, len: 20 };
    scene.message("read", &ask);
    let progress = Progress { stage: Stage::Encoding, frames_done: 15, frames_total: 30 };
    scene.message("progress", &FromWorker::Progress(progress));
    scene.message("done", &done(report(b"the media")));
    scene.gateway.set(|script| script.complete_failures = 2);
    let running = scene.start_with(job()).await;
    let completed = scene.gateway.completion().await;
    assert_eq!(completed.fence, 7);
    let writes = scene.gateway.writes();
    let stored: Vec<(&str, &[u8])> = writes
        .iter()
        .filter_map(|event| match event {
            Event::Stored(key, bytes) => Some((key.as_str(), bytes.as_slice())),
            _ => None,
        })
        .collect();
    let expected: [(&str, &[u8]); 5] = [
        ("media.mp4", b"the media"),
        ("poster.jpg", b"a poster"),
        ("sprites.jpg", b"sprites"),
        ("speech.wav", b"speech"),
        ("media.m3u8", b"a playlist"),
    ];
    assert_eq!(stored, expected);
    let published: Vec<_> = writes
        .iter()
        .filter_map(|event| match event {
            Event::Published(request) => Some(request),
            _ => None,
        })
        .collect();
    let [published] = published.as_slice() else { panic!("published {} times", published.len()) };
    assert_eq!(
        published.pieces.iter().map(|piece| piece.piece).collect::<Vec<_>>(),
        [Piece::Media, Piece::Poster, Piece::Sprites, Piece::Speech, Piece::Playlist]
    );
    assert_eq!(published.clips[0].title, "The comeback");
    assert_eq!(published.clips[0].source, "media:a.mp4");
    assert_eq!(published.transcript.state, TranscriptState::None);
    assert_eq!(published.provenance.sources[0].bytes_read, 20);
    assert_eq!(published.labels["show"], "weekly");
    // What went to the worker: the order, which names no path, and the bytes that it asked for.
    let wire = fs::read(scene.path("wire")).unwrap();
    let mut wire = wire.as_slice();
    let (first, _) = read_message::<ToWorker>(&mut wire).unwrap();
    let ToWorker::Order { order, .. } = first else { panic!("the order comes first") };
    assert_eq!(order.sources[0].bytes, SOURCE.len() as u64);
    assert_eq!(order.clips[0].title.as_deref(), Some("The comeback"));
    assert!(!serde_json::to_string(&order).unwrap().contains("a.mp4"));
    let (second, bytes) = read_message::<ToWorker>(&mut wire).unwrap();
    assert_eq!((second, bytes.as_slice()), (ToWorker::Bytes { id: 5 }, &SOURCE[4..24]));
    scene.stop(running).await;
}

/// The sample media, and the render worker of this build.
fn real_parts() -> Option<(PathBuf, PathBuf)> {
    let media = std::env::var_os("SM_TEST_MEDIA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testdata/media"),
        PathBuf::from,
    );
    let worker = built_worker()?;
    media.join("gizmo.mp4").is_file().then_some((media, worker))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_renders_real_media() {
    let Some((media, worker)) = real_parts() else {
        println!(
            "skipped: needs sample media (SM_TEST_MEDIA) and a built render-worker (cargo build -p cutter)"
        );
        return;
    };
    let mut scene = Scene::new("").await;
    scene.config.render.worker = worker;
    scene.config.render.output = 1 << 30;
    scene.config.fetch.media_dirs = vec![MediaDir { name: "media".to_owned(), path: media }];
    let mut claimed = job();
    let JobSpec::Montage(spec) = &mut claimed.spec else { panic!("a montage") };
    spec.highlights = ["media:gizmo.mp4", "media:gizmo.webm"]
        .map(|path| Highlight { source: Source::Path(path.to_owned()), ..spec.highlights[0].clone() })
        .to_vec();
    spec.canvas.frame_rate = Some("25".to_owned());
    let running = scene.start_with(claimed).await;
    scene.gateway.completion().await;
    let writes = scene.gateway.writes();
    let stored = writes.iter().find_map(|event| match event {
        Event::Stored(key, bytes) if key == "media.mp4" => Some(bytes),
        _ => None,
    });
    let published = writes.iter().find_map(|event| match event {
        Event::Published(request) => Some(request),
        _ => None,
    });
    let (stored, published) = (stored.unwrap(), published.unwrap());
    assert_eq!(&stored[4..8], b"ftyp");
    assert_eq!(published.media.bytes, stored.len() as u64);
    assert_eq!(published.media.frames, 50);
    assert_eq!(published.clips.iter().map(|clip| clip.frames).collect::<Vec<_>>(), [25, 25]);
    assert_eq!(published.provenance.checks.iter().filter(|check| !check.passed).count(), 0);
    assert!(published.provenance.sources[1].description.starts_with("matroska"));
    scene.stop(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_refuses_what_is_no_media_and_points_at_it() {
    let Some((_, worker)) = real_parts() else {
        println!("skipped: needs a built render-worker (cargo build -p cutter)");
        return;
    };
    let mut scene = Scene::new("").await;
    scene.config.render.worker = worker;
    fs::write(scene.path("media/list.mp4"), "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n").unwrap();
    let running = scene.start_with(job_of(Source::Path("media:list.mp4".to_owned()))).await;
    let failed = scene.gateway.failure().await;
    assert_eq!(failed.reason, FailReason::Permanent, "{failed:?}");
    assert_eq!(failed.failure.code, "unsupported_container");
    assert_eq!(failed.failure.pointer.as_deref(), Some("/spec/highlights/0"));
    scene.stop(running).await;
}

#[tokio::test]
async fn every_way_to_die_has_its_name() {
    for (worker, code, reason) in [
        ("kill -SEGV $$", "worker_crashed", FailReason::Transient),
        ("exit 3", "worker_crashed", FailReason::Transient),
        ("exit 0", "worker_crashed", FailReason::Transient),
        ("exec 3>&-; sleep 600", "worker_crashed", FailReason::Transient),
        ("printf '\\000\\000\\001' >&3; kill -KILL $$", "worker_crashed", FailReason::Transient),
        // The leader dies, but something of its group holds the connection.
        ("sleep 600 & kill -BUS $$", "worker_crashed", FailReason::Transient),
        (
            "echo 'memory allocation of 99 bytes failed' >&2; kill -ABRT $$",
            "worker_out_of_memory",
            FailReason::Transient,
        ),
        ("while :; do :; done", "worker_timeout", FailReason::Transient),
        ("exec head -c 9000000 /dev/zero > x", "worker_output_limit", FailReason::Permanent),
        (
            "for i in 1 2 3; do head -c 2000000 /dev/zero > $i; done; sleep 600",
            "worker_output_limit",
            FailReason::Permanent,
        ),
    ] {
        let mut scene = Scene::new(worker).await;
        scene.config.render.output = 4 << 20;
        scene.config.render.cpu = Duration::from_secs(1);
        let running = scene.start_with(job()).await;
        let failed = scene.gateway.failure().await;
        assert_eq!((failed.failure.code.as_str(), failed.reason), (code, reason), "{worker}: {failed:?}");
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_killed_and_named() {
    let messages = [
        ("len", FromWorker::ReadAt { id: 1, source: 0, offset: 0, len: u32::MAX }),
        ("none", FromWorker::ReadAt { id: 1, source: 0, offset: 0, len: 0 }),
        ("beyond", FromWorker::ReadAt { id: 1, source: 0, offset: SOURCE.len() as u64, len: 1 }),
        ("overflow", FromWorker::ReadAt { id: 1, source: 0, offset: u64::MAX, len: 2 }),
        ("source", FromWorker::ReadAt { id: 1, source: 1, offset: 0, len: 1 }),
        ("clips", {
            let mut report = report(b"the media");
            report.clips.clear();
            done(report)
        }),
    ];
    let mut workers = vec![
        "printf '\\377\\377\\377\\377\\377\\377\\377\\377' >&3".to_owned(),
        "printf '\\000\\000\\000\\002\\000\\000\\000\\000{}' >&3".to_owned(),
        "printf '\\000\\000\\000\\002\\000\\000\\000\\000no' >&3".to_owned(),
        "printf '\\000\\000\\000\\002\\000\\000\\000\\001{}x' >&3".to_owned(),
        "cat /dev/urandom >&3".to_owned(),
    ];
    workers.extend(messages.iter().map(|(name, _)| format!("cat $OUT/{name} >&3")));
    for worker in workers {
        let scene = Scene::new(&format!("{worker}\n{HANGS}")).await;
        for (name, message) in &messages {
            scene.message(name, message);
        }
        let running = scene.start_with(job()).await;
        let failed = scene.gateway.failure().await;
        assert_eq!(failed.failure.code, "worker_protocol", "{worker}: {failed:?}");
        assert_eq!(failed.reason, FailReason::Transient);
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn a_worker_cannot_make_us_send_a_file_of_ours() {
    for trick in [
        "ln -s $OUT/secret media.mp4",
        "ln $OUT/secret media.mp4",
        "mkfifo media.mp4",
        "printf 'something else' > media.mp4",
        ":",
    ] {
        let scene = Scene::new(&format!(
            "{PLANS}\n{trick}; touch poster.jpg sprites.jpg speech.wav media.m3u8; cat $OUT/done >&3"
        ))
        .await;
        fs::write(scene.path("secret"), b"the media").unwrap();
        scene.message("done", &done(report(b"the media")));
        let running = scene.start_with(job()).await;
        let failed = scene.gateway.failure().await;
        assert_eq!(failed.failure.code, "worker_protocol", "{trick}: {failed:?}");
        assert_eq!(scene.gateway.writes().len(), 1, "{trick}: nothing but the failure was sent");
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn sources_that_cannot_be_had_are_pointed_at() {
    for (source, code, pointer) in [
        (Source::Path("media:absent.mp4".to_owned()), "source_not_found", "/spec/highlights/0/source/path"),
        (Source::Path("elsewhere:a.mp4".to_owned()), "path_not_allowed", "/spec/highlights/0/source/path"),
        (
            Source::Url("http://127.0.0.1/a.mp4".to_owned()),
            "source_not_allowed",
            "/spec/highlights/0/source/url",
        ),
    ] {
        let scene = Scene::new("touch $OUT/ran").await;
        let running = scene.start_with(job_of(source)).await;
        let failed = scene.gateway.failure().await;
        assert_eq!(failed.failure.code, code, "{failed:?}");
        assert_eq!(failed.reason, FailReason::Permanent);
        assert_eq!(failed.failure.pointer.as_deref(), Some(pointer));
        assert!(!scene.path("ran").exists());
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn a_link_that_ends_while_it_is_read_is_renewed() {
    let read = "{ cat <&3 > $OUT/wire & }; cat $OUT/first >&3
        until grep -qa 'the first' $OUT/wire; do sleep 0.05; done; echo $$ > $OUT/half
        until [ -e $OUT/go ]; do sleep 0.05; done; cat $OUT/second >&3
        until grep -qa 'the last' $OUT/wire; do sleep 0.05; done";
    let scene = Scene::new(&diligent(read)).await;
    // Far enough apart that one request does not fetch both.
    let stored = [b"the first".as_slice(), &[0; 3 << 20], b"the last"].concat();
    let end = stored.len() as u64;
    scene.message("first", &FromWorker::ReadAt { id: 1, source: 0, offset: 0, len: 9 });
    scene.message("second", &FromWorker::ReadAt { id: 2, source: 0, offset: end - 8, len: 8 });
    scene.message("done", &done(report(b"the media")));
    scene.gateway.set(|script| script.stored = stored);
    let running = scene.start_with(job_of(Source::Upload(UploadId::generate()))).await;
    scene.pid("half").await;
    scene.gateway.set(|script| script.links.1 = script.links.0);
    fs::write(scene.path("go"), "").unwrap();
    scene.gateway.completion().await;
    scene.gateway.set(|script| assert_eq!(script.links, (2, 1)));
    scene.stop(running).await;
}

#[tokio::test]
async fn a_transcription_that_fails_does_not_lose_the_video() {
    let scene = Scene::new(&diligent("")).await;
    let wav = transcribe::audio::encode_wav(&vec![0.0; 16_000]).unwrap();
    fs::write(scene.path("speech.wav"), wav).unwrap();
    scene.message("done", &done(report(b"the media")));
    let mut claimed = job();
    let JobSpec::Montage(spec) = &mut claimed.spec else { panic!("a montage") };
    spec.transcribe.engine = Engine::Local;
    let running = scene.start_with(claimed).await;
    scene.gateway.completion().await;
    let transcript = scene
        .gateway
        .until(|events| {
            events.iter().find_map(|event| match event {
                Event::Published(request) => Some(request.transcript.clone()),
                _ => None,
            })
        })
        .await;
    assert_eq!(transcript.state, TranscriptState::Failed);
    let reason = transcript.reason.unwrap();
    assert!(reason.contains("models.sh") && !reason.contains(scene.dir.path().to_str().unwrap()), "{reason}");
    scene.stop(running).await;
}

#[tokio::test]
async fn a_worker_that_is_not_there_is_the_machines_fault() {
    let mut scene = Scene::new("").await;
    scene.config.render.worker = scene.path("nowhere");
    let running = scene.start_with(job()).await;
    let failed = scene.gateway.failure().await;
    assert_eq!((failed.failure.code.as_str(), failed.reason), ("executor_failure", FailReason::Transient));
    assert!(!failed.failure.message.contains('/'), "{}", failed.failure.message);
    scene.stop(running).await;
}

#[tokio::test]
async fn the_environment_is_not_handed_down_and_the_work_is_private() {
    let scene =
        Scene::new(&diligent("env > $OUT/env; ls -l /proc/self/fd > $OUT/fds; stat -c %a . > $OUT/mode"))
            .await;
    scene.message("done", &done(report(b"the media")));
    let running = scene.start_with(job()).await;
    scene.gateway.completion().await;
    let env = fs::read_to_string(scene.path("env")).unwrap();
    assert!(
        env.lines()
            .all(|line| ["PWD=", "_=", "OLDPWD=", "SHLVL="].iter().any(|known| line.starts_with(known))),
        "{env}"
    );
    let sockets = fs::read_to_string(scene.path("fds")).unwrap();
    assert_eq!(sockets.matches("socket:").count(), 1, "{sockets}");
    assert_eq!(fs::read_to_string(scene.path("mode")).unwrap().trim(), "700");
    assert_eq!(fs::metadata(&scene.config.work_dir).unwrap().permissions().mode() & 0o777, 0o700);
    scene.stop(running).await;
}
