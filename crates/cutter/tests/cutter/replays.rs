//! Videos of replays, by whole sessions with a worker: our own maps, played by the tests' player.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use contracts::replay::ReplayOptions;
use counter_video::{CounterVideo, read_marks};
use cutter::error::RenderError;
use cutter::order::{Order, ReplayOrder};
use cutter::plan::{Plan, piece_file};
use cutter::protocol::Task;
use cutter::report::{MEDIA_FILE, Outcome, PLAYLIST_FILE, POSTER_FILE, ReplayOutcome, SPRITES_FILE};
use cutter::source::ByteSource;
use replay::error::ReplayError;
use replay::testing::files::{osz, song, zip};
use replay::testing::player::{Act, Plan as Play, play};
use replay::testing::{maps, osr};
use serde_json::{Value, json};

use crate::parent::{SessionError, run_task};
use crate::support::Bench;
use crate::worker::{end, start};

/// A replay of a map, and the map's archive.
fn files(map: &str, plan: &Play) -> Vec<Vec<u8>> {
    let replay = osr::write(&play(map.as_bytes(), plan).unwrap()).unwrap();
    vec![replay, osz(&[("a.osu", map)], 12).unwrap()]
}

fn options(changes: Value) -> ReplayOptions {
    let mut options = json!({ "video": { "width": 320, "height": 180, "frame_rate": 30, "preset": "ultrafast" },
                              "results_seconds": 1 });
    for (name, value) in changes.as_object().unwrap() {
        options[name] = value.clone();
    }
    serde_json::from_value(options).unwrap()
}

fn order(files: &[Vec<u8>], threads: u32) -> (Order, Vec<Arc<dyn ByteSource>>) {
    let infos: Vec<Value> = files.iter().map(|file| json!({ "bytes": file.len() })).collect();
    let order = json!({
        "title": "A replay", "sources": infos, "clips": [],
        "encoder": { "preset": "ultrafast", "segment_seconds": 1, "drawn": true }
    });
    let mut order: Order = serde_json::from_value(order).unwrap();
    order.limits.threads = threads;
    let source = |file: &Vec<u8>| -> Arc<dyn ByteSource> { Arc::new(file.clone()) };
    (order, files.iter().map(source).collect())
}

fn run(files: &[Vec<u8>], threads: u32, job: &Path, task: Task) -> Result<Outcome, SessionError> {
    let (order, sources) = order(files, threads);
    let (child, socket) = start(job, &Default::default());
    let outcome = run_task(socket, order, task, &sources, |_| {});
    end(child);
    outcome
}

fn of(options: &ReplayOptions) -> Box<ReplayOrder> {
    Box::new(ReplayOrder { replay: 0, map: 1, audio: None, skin: None, options: options.clone() })
}

fn plan(files: &[Vec<u8>], options: &ReplayOptions) -> Result<Plan, SessionError> {
    let job = tempfile::tempdir().unwrap();
    match run(files, 1, job.path(), Task::PlanReplay(of(options)))? {
        Outcome::Plan(report) => Ok(report.plan),
        _ => Err(SessionError::Other),
    }
}

fn made(files: &[Vec<u8>], options: &ReplayOptions, threads: u32, job: &Path) -> ReplayOutcome {
    let plan = Box::new(plan(files, options).unwrap());
    match run(files, threads, job, Task::Replay { replay: of(options), plan }).unwrap() {
        Outcome::Replay(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replay_becomes_a_video_and_what_is_there_is_used_again() {
    let plan = Play::with(&[(3, Act::Skip)]);
    let files = files(maps::CIRCLES, &plan);
    let job = tempfile::tempdir().unwrap();
    let outcome = made(&files, &options(json!({})), 2, job.path());
    assert!(outcome.play.verification.verified, "{:?}", outcome.play);
    let titles: Vec<&str> = outcome.report.clips.iter().map(|clip| clip.title.as_str()).collect();
    assert_eq!(titles, ["Start", "Miss", "Results"]);
    assert!(outcome.captions.iter().any(|caption| caption.text == "miss"), "{:?}", outcome.captions);
    for file in [MEDIA_FILE, PLAYLIST_FILE, POSTER_FILE, SPRITES_FILE] {
        assert!(job.path().join(file).exists(), "{file}");
    }
    let media = job.path().join(MEDIA_FILE);
    let entries = "stream=codec_name,nb_read_frames,start_time,duration,color_space,color_range";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", entries, "-of", "json"])
        .arg(&media)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [video, sound] = [&facts["streams"][0], &facts["streams"][1]];
    assert_eq!(video["nb_read_frames"], outcome.report.media.frames.to_string());
    assert_eq!((&video["color_space"], &video["color_range"]), (&json!("bt709"), &json!("tv")));
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!((seconds(&video["start_time"]), seconds(&sound["start_time"])), (0.0, 0.0));
    assert!((seconds(&video["duration"]) - seconds(&sound["duration"])).abs() < 0.01, "{facts}");

    // As after a kill: two segments are gone, the others are used; the same comes out, with another number of threads too.
    let keys: Vec<String> = outcome.report.plan.segments.iter().map(|segment| segment.key.clone()).collect();
    assert!(keys.len() > 4, "{}", keys.len());
    for key in &keys[1..3] {
        std::fs::remove_file(job.path().join(piece_file(key))).unwrap();
    }
    let again = made(&files, &options(json!({})), 1, job.path());
    assert_eq!((again.report.pieces_made, again.report.pieces_kept as usize), (2, keys.len() - 2));
    assert_eq!(again.report.segments, outcome.report.segments);
    assert_eq!(again.report.media.sha256, outcome.report.media.sha256);
}

#[test]
fn segments_are_named_by_what_is_drawn_in_them() {
    let keys = |files: &[Vec<u8>], changes: Value| -> Vec<String> {
        plan(files, &options(changes)).unwrap().segments.into_iter().map(|segment| segment.key).collect()
    };
    let perfect = files(maps::CIRCLES, &Play::default());
    let plain = keys(&perfect, json!({}));
    assert_eq!(plain, keys(&perfect, json!({})));
    // How it sounds and what is told of it is not seen.
    assert_eq!(plain, keys(&perfect, json!({ "sound": { "music": 10 }, "captions": { "misses": false } })));
    let differ = |other: Vec<String>| other.iter().all(|key| !plain.contains(key));
    assert!(differ(keys(&perfect, json!({ "background": { "dim": 50 } }))));
    assert!(differ(keys(&files(maps::CIRCLES, &Play::with(&[(0, Act::Press(20))])), json!({}))));
}

/// The background video's pictures stand where the map says, whatever the segment.
#[test]
fn a_background_video_is_shown_at_its_time() {
    let bench = Bench::new();
    let film = bench.video("film.mp4", &CounterVideo::new(7, (30, 1), 90));
    let map = maps::CIRCLES.replace("[Events]\n", "[Events]\nVideo,-500,\"film.mp4\"\n");
    assert_ne!(map, maps::CIRCLES);
    let replay = osr::write(&play(map.as_bytes(), &Play::default()).unwrap()).unwrap();
    let archive = zip([
        ("a.osu", map.clone().into_bytes()),
        ("song.wav", song(12)),
        ("film.mp4", std::fs::read(film).unwrap()),
    ]);
    let files = vec![replay, archive.unwrap()];
    let hud = json!({ "score": false, "combo": false, "accuracy": false, "life": false, "keys": false, "hit_errors": false,
                      "pp": false, "counts": false, "strains": false, "mods": false, "progress": false, "names": false });
    let options = options(json!({ "background": { "dim_intro": 0, "dim": 0, "dim_breaks": 0 }, "hud": hud }));
    let job = tempfile::tempdir().unwrap();
    let outcome = made(&files, &options, 2, job.path());
    let marks = read_marks(&job.path().join(MEDIA_FILE), None).unwrap();
    assert_eq!(marks.len() as u64, outcome.report.media.frames);
    // From a second on, when the video is not faded in any more, until the first objects are seen; by then the second segment has
    // begun, which seeks in the video.
    let first = outcome.report.media.frames;
    assert!(first > 60);
    for (frame, mark) in marks.iter().enumerate().take(45).skip(30) {
        let mark = mark.unwrap_or_else(|| panic!("frame {frame} shows no mark"));
        assert_eq!((mark.source, usize::from(mark.frame)), (7, frame + 15), "frame {frame}");
    }
}

/// A background is never worth its play: one that is cut off is shown as far as it goes, one that is none not at all.
#[test]
fn a_damaged_background_video_does_no_harm() {
    let bench = Bench::new();
    let film = bench.video("film.mp4", &CounterVideo::new(7, (30, 1), 90).and("-movflags +faststart"));
    let film = std::fs::read(film).unwrap();
    let map = maps::CIRCLES.replace("[Events]\n", "[Events]\nVideo,-500,\"film.mp4\"\n");
    let replay = osr::write(&play(map.as_bytes(), &Play::default()).unwrap()).unwrap();
    let mut options = options(json!({}));
    options.video.end = Some(4.0);
    for film in [film[..film.len() / 2].to_vec(), b"no video at all".to_vec()] {
        let archive = [("a.osu", map.clone().into_bytes()), ("song.wav", song(12)), ("film.mp4", film)];
        let files = vec![replay.clone(), zip(archive).unwrap()];
        let job = tempfile::tempdir().unwrap();
        let outcome = made(&files, &options, 2, job.path());
        let marks = read_marks(&job.path().join(MEDIA_FILE), None).unwrap();
        assert_eq!(marks.len() as u64, outcome.report.media.frames);
    }
}

#[test]
fn what_cannot_be_shown_is_told_as_such() {
    let good = files(maps::CIRCLES, &Play::default());
    let refused = |files: &[Vec<u8>]| match plan(files, &options(json!({}))) {
        Err(SessionError::Render(RenderError::Replay(error))) => error,
        other => panic!("{other:?}"),
    };
    let cut = vec![good[0][..40].to_vec(), good[1].clone()];
    assert!(matches!(refused(&cut), ReplayError::ReplayCorrupt { .. }));
    let swapped = vec![good[1].clone(), good[0].clone()];
    assert!(matches!(refused(&swapped), ReplayError::ReplayCorrupt { .. }));
    let other = vec![good[0].clone(), osz(&[("a.osu", maps::SLIDERS)], 12).unwrap()];
    assert_eq!(refused(&other).about(), replay::error::About::Map);
}
