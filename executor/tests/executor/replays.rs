//! Replays: what goes to the render worker, what comes to the library, and what is said where a replay cannot be shown.

use std::{collections::BTreeMap, fs};

use contracts::{
    ids::MontageId,
    job::JobKind,
    lease::{ClaimedJob, FailReason},
    montage::{MontageKind, PublishRequest},
    object::Piece,
    replay::{ReplayOptions, ReplayReport, Verification, VideoPreset},
    spec::{JobSpec, ReplaySpec, Source},
    transcript::{Engine, TranscriptState},
};
use cutter::{
    error::RenderError,
    order::Preset,
    protocol::{FromWorker, Task, ToWorker, read_message},
    report::{Outcome, ReplayCaption, ReplayOutcome},
};
use replay::{
    error::ReplayError,
    testing::{files, maps, osr, player},
};

use crate::{
    gateway::Event,
    scene::{PLANS, Scene, built_worker, done, job, report},
};

fn path(name: &str) -> Source {
    Source::Path(format!("media:{name}"))
}

/// A job on files of the scene's media, without a title of its own.
fn replay_job(options: ReplayOptions) -> ClaimedJob {
    let spec = ReplaySpec {
        replay: path("play.osr"),
        map: path("map.osz"),
        audio: None,
        skin: Some(path("skin.osk")),
        options,
    };
    job_of(spec)
}

fn job_of(spec: ReplaySpec) -> ClaimedJob {
    let spec = JobSpec::Replay(spec);
    ClaimedJob { kind: JobKind::Replay, title: spec.default_title(), spec, ..job() }
}

fn played() -> ReplayReport {
    ReplayReport {
        mode: "osu".to_owned(),
        player: "Ann".to_owned(),
        played_at: None,
        artist: "Tests".to_owned(),
        title: "Sixteen Circles".to_owned(),
        difficulty: "Circles".to_owned(),
        creator: "Tests".to_owned(),
        map_md5: "00".repeat(16),
        mods: vec!["HD".to_owned()],
        lazer: false,
        stars: 1.5,
        pp: 12.0,
        accuracy: 1.0,
        score: 1000,
        max_combo: 16,
        unstable_rate: 80.0,
        counts: BTreeMap::from([("300".to_owned(), 16)]),
        slider_breaks: 0,
        verification: Verification { verified: true, differences: Vec::new() },
    }
}

/// A scene whose worker plans, does `before`, and then leaves four files and says `$OUT/done`.
async fn scene(before: &str) -> Scene {
    let worker = format!(
        "{PLANS}
        {before}
        printf 'the media' > media.mp4
        printf 'a poster' > poster.jpg
        printf 'sprites' > sprites.jpg
        printf 'a playlist' > media.m3u8
        cat $OUT/done >&3"
    );
    let scene = Scene::new(&worker).await;
    for name in ["play.osr", "map.osz", "skin.osk"] {
        fs::write(scene.path("media").join(name), name).unwrap();
    }
    let captions = vec![ReplayCaption { from: 500_000, to: 2_000_000, text: "Miss".to_owned() }];
    let outcome = ReplayOutcome { report: report(b"the media"), play: played(), captions };
    scene.message("done", &FromWorker::Done { outcome: Outcome::Replay(Box::new(outcome)) });
    scene
}

fn published(scene: &Scene) -> Vec<PublishRequest> {
    let published = scene.gateway.writes().into_iter().filter_map(|event| match event {
        Event::Published(request) => Some(*request),
        _ => None,
    });
    published.collect()
}

#[tokio::test]
async fn a_replay_is_made_published_and_completed() {
    let scene = scene("{ cat <&3 > $OUT/wire & }; until grep -qa crf $OUT/wire; do sleep 0.05; done").await;
    let mut options = ReplayOptions::default();
    (options.video.crf, options.video.preset) = (30, VideoPreset::Fast);
    let running = scene.start_with(replay_job(options.clone())).await;
    scene.gateway.completion().await;
    let [published] = published(&scene).try_into().unwrap();
    assert_eq!(published.kind(), MontageKind::Replay);
    assert_eq!(published.replay, Some(played()));
    assert_eq!(published.title, "Ann | Tests - Sixteen Circles [Circles] +HD");
    assert_eq!(
        published.pieces.iter().map(|piece| piece.piece).collect::<Vec<_>>(),
        [Piece::Media, Piece::Poster, Piece::Sprites, Piece::Playlist]
    );
    let clip = &published.clips[0];
    assert_eq!((clip.streamer.as_deref(), clip.source.as_str()), (Some("Ann"), "media:play.osr"));
    assert_eq!((clip.start, clip.duration, clip.mode), (0.0, 1.0, None));
    let transcript = &published.transcript;
    assert_eq!((transcript.state, transcript.engine), (TranscriptState::Complete, Engine::Play));
    let cue = &transcript.cues[0];
    assert_eq!((cue.text.as_str(), cue.clip, cue.start, cue.end), ("Miss", 0, 0.5, 1.0));
    let sources: Vec<_> = published.provenance.sources.iter().map(|source| source.source.as_str()).collect();
    assert_eq!(sources, ["media:play.osr", "media:map.osz", "media:skin.osk"]);
    // What went to the worker: the files in their order, without their names, and what they are.
    let wire = fs::read(scene.path("wire")).unwrap();
    let (first, _) = read_message::<ToWorker>(&mut wire.as_slice()).unwrap();
    let ToWorker::Order { order, task: Task::Replay { replay, plan } } = first else { panic!("{first:?}") };
    assert_eq!(order.sources.iter().map(|file| file.bytes).collect::<Vec<_>>(), [8, 7, 8]);
    assert_eq!((replay.replay, replay.map, replay.audio, replay.skin), (0, 1, None, Some(2)));
    assert_eq!((&replay.options, plan.clips.len()), (&options, 1));
    let encoder = &order.encoder;
    assert_eq!((encoder.crf, encoder.preset, encoder.drawn), (30, Preset::Fast, true));
    assert!(order.clips.is_empty() && !String::from_utf8_lossy(&wire).contains("skin.osk"));
    scene.stop(running).await;
}

#[tokio::test]
async fn a_title_of_somebodys_own_stays() {
    let scene = scene("").await;
    let titled = ClaimedJob { title: "My best play".to_owned(), ..replay_job(ReplayOptions::default()) };
    let running = scene.start_with(titled).await;
    scene.gateway.completion().await;
    assert_eq!(published(&scene)[0].title, "My best play");
    scene.stop(running).await;
}

#[tokio::test]
async fn what_an_earlier_attempt_has_published_is_not_made_again() {
    let scene = Scene::new("touch $OUT/ran").await;
    let earlier = MontageId::generate();
    scene.gateway.set(|script| script.published = Some(earlier));
    let second = ClaimedJob { attempt: 2, ..replay_job(ReplayOptions::default()) };
    let running = scene.start_with(second).await;
    assert_eq!(scene.gateway.completion().await.montage_id, Some(earlier));
    assert!(!scene.path("ran").exists() && published(&scene).is_empty());
    scene.stop(running).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_had_is_pointed_at() {
    let scene = scene("").await;
    fs::remove_file(scene.path("media/skin.osk")).unwrap();
    let running = scene.start_with(replay_job(ReplayOptions::default())).await;
    let failed = scene.gateway.failure().await;
    assert_eq!((failed.failure.code.as_str(), failed.reason), ("source_not_found", FailReason::Permanent));
    assert_eq!(failed.failure.pointer.as_deref(), Some("/spec/skin"));
    scene.stop(running).await;
}

#[tokio::test]
async fn why_a_replay_cannot_be_shown_is_told() {
    let option = ReplayError::OptionsInvalid { pointer: "/video/start".to_owned(), reason: "why".to_owned() };
    for (error, code, pointer) in [
        (ReplayError::ReplayEmpty, "replay_empty", "/spec/replay"),
        (option, "replay_options_invalid", "/spec/options/video/start"),
    ] {
        let scene = scene("").await;
        scene.message("planned", &FromWorker::Failed { error: RenderError::Replay(error) });
        let running = scene.start_with(replay_job(ReplayOptions::default())).await;
        let failed = scene.gateway.failure().await;
        assert_eq!((failed.failure.code.as_str(), failed.reason), (code, FailReason::Permanent));
        assert_eq!(failed.failure.pointer.as_deref(), Some(pointer));
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn a_worker_that_makes_something_else_is_not_believed() {
    let scene = scene("").await;
    scene.message("done", &done(report(b"the media")));
    let running = scene.start_with(replay_job(ReplayOptions::default())).await;
    let failed = scene.gateway.failure().await;
    assert_eq!((failed.failure.code.as_str(), failed.reason), ("worker_protocol", FailReason::Transient));
    assert!(published(&scene).is_empty());
    scene.stop(running).await;
}

/// The first five seconds of [`maps::CIRCLES`], small.
fn small() -> ReplaySpec {
    let mut options = ReplayOptions::default();
    (options.video.width, options.video.height, options.video.frame_rate) = (256, 144, 30);
    (options.video.preset, options.video.end) = (VideoPreset::Ultrafast, Some(5.0));
    ReplaySpec { replay: path("play.osr"), map: path("map.osz"), audio: None, skin: None, options }
}

/// A scene with the render worker of this build, and a play of [`maps::CIRCLES`] that misses the second, beside a map.
async fn real_scene(map: &str) -> Option<Scene> {
    let Some(worker) = built_worker() else {
        println!("skipped: needs a built render-worker (cargo build -p cutter)");
        return None;
    };
    let mut scene = Scene::new("").await;
    scene.config.render.worker = worker;
    let plan = player::Plan::with(&[(1, player::Act::Skip)]);
    let play = player::play(maps::CIRCLES.as_bytes(), &plan).unwrap();
    fs::write(scene.path("media/play.osr"), osr::write(&play).unwrap()).unwrap();
    fs::write(scene.path("media/map.osz"), files::osz(&[("map.osu", map)], 12).unwrap()).unwrap();
    Some(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_draws_a_replay_and_what_is_drawn_is_used_again() {
    let Some(scene) = real_scene(maps::CIRCLES).await else { return };
    scene.gateway.set(|script| script.jobs.extend([job_of(small()), job_of(small())]));
    let running = scene.start().await;
    let completed = |event: &&Event| match event {
        Event::Failed(_, request) => panic!("the job failed: {:?}", request.failure),
        event => matches!(event, Event::Completed(_)),
    };
    scene.gateway.until(|events| (events.iter().filter(completed).count() == 2).then_some(())).await;
    let [first, second] = published(&scene).try_into().unwrap();
    let play = first.replay.as_ref().unwrap();
    assert!(play.verification.verified, "{:?}", play.verification);
    assert_eq!((play.counts["miss"], play.counts["300"], play.max_combo), (1, 15, 14));
    assert_eq!((first.media.width, first.media.height, first.media.frame_rate.as_str()), (256, 144, "30/1"));
    assert_eq!(first.clips.iter().map(|clip| clip.frames).sum::<u64>(), first.media.frames);
    let titles: Vec<_> = first.clips.iter().map(|clip| clip.title.as_str()).collect();
    assert_eq!(titles, ["Start", "Miss"]);
    let cues = &first.transcript.cues;
    assert_eq!((cues.len(), cues[0].text.as_str(), cues[0].clip), (1, "miss", 1));
    let (made, again) = (&first.provenance, &second.provenance);
    assert!(made.checks.iter().all(|check| check.passed) && made.frames_encoded == first.media.frames);
    assert_eq!((made.segments_reused, again.segments_made), (0, 0));
    assert!(made.segments_made > 0 && again.segments_reused == made.segments_made);
    assert_eq!((again.plan_hash.as_str(), &second.clips), (made.plan_hash.as_str(), &first.clips));
    scene.stop(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_was_not_played_is_pointed_at() {
    let edited = maps::CIRCLES.replace("64,64,2000", "80,64,2000");
    for (map, code) in [(maps::TAIKO, "replay_map_missing"), (edited.as_str(), "replay_map_version")] {
        let Some(scene) = real_scene(map).await else { return };
        let running = scene.start_with(job_of(small())).await;
        let failed = scene.gateway.failure().await;
        assert_eq!(
            (failed.failure.code.as_str(), failed.reason),
            (code, FailReason::Permanent),
            "{failed:?}"
        );
        assert_eq!(failed.failure.pointer.as_deref(), Some("/spec/map"));
        scene.stop(running).await;
    }
}
