//! What drawing a replay costs beside encoding it. `make bench` runs it.
//!
//! The same frames are drawn and kept, encoded from memory, and drawn and encoded as a render does, on one thread each: the last
//! two tell what is lost by drawing. The play is a long one of the collected replays where they are present, or else our own map with everything in
//! it. Then every collected replay is read, placed and judged. Nothing here fails for being slow: only for being wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says so and ends"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::replay::ReplayOptions;
use cutter::order::{Order, ReplayOrder};
use cutter::source::ByteSource;
use cutter::timing::time_replay;
use replay::beatmap::Beatmap;
use replay::limits::Limits;
use replay::mods::Mods;
use replay::osr::{Mode, Replay};
use replay::testing::files::{osz, song};
use replay::testing::player::{Plan, play};
use replay::testing::{maps, osr};
use replay::{mania, standard, taiko};
use serde_json::{Value, json};

/// Whole renders are to reach this share of the encoder's speed alone.
const SPEED_GOAL: f64 = 0.95;
/// All collected replays are to be judged within this.
const JUDGING_GOAL: Duration = Duration::from_secs(2);
/// Frames of a measurement.
const FRAMES: u64 = 900;
/// The play that is drawn: HDHR-like density, 6.4 stars.
const DENSE: &str = "b55fb4_2reimei.osr";

fn main() {
    let collected = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/osu");
    let collected = collected.is_dir().then_some(collected);
    drawing(collected.as_deref());
    match collected {
        Some(folder) => judging(&folder),
        None => println!("no collected replays are here: judging was not timed"),
    }
}

/// The map file of each replay in the manifest that has one.
fn rows(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let map = fields.get(17).filter(|map| !map.is_empty())?;
        Some((folder.join(fields[0]), folder.join(map)))
    };
    manifest.lines().skip(1).filter_map(row).collect()
}

/// Replay, map, and song where the map needs one.
fn files(collected: Option<&Path>) -> (Vec<Vec<u8>>, &'static str) {
    let dense =
        collected.and_then(|folder| rows(folder).into_iter().find(|(replay, _)| replay.ends_with(DENSE)));
    match dense {
        Some((replay, map)) => {
            let read = |path: PathBuf| std::fs::read(path).unwrap();
            (vec![read(replay), read(map), song(5)], "a dense play of 6.4 stars")
        }
        None => {
            let replay = osr::write(&play(maps::EVERYTHING.as_bytes(), &Plan::default()).unwrap()).unwrap();
            let map = osz(&[("a.osu", maps::EVERYTHING)], 30).unwrap();
            (vec![replay, map], "our own map with everything in it")
        }
    }
}

fn drawing(collected: Option<&Path>) {
    let (files, what) = files(collected);
    let infos: Vec<Value> = files.iter().map(|file| json!({ "bytes": file.len() })).collect();
    let order = json!({ "title": "", "sources": infos, "clips": [], "encoder": { "segment_seconds": 5, "drawn": true } });
    let order: Order = serde_json::from_value(order).unwrap();
    let source = |file: Vec<u8>| -> Arc<dyn ByteSource> { Arc::new(file) };
    let audio = (files.len() > 2).then_some(2);
    let sources: Vec<_> = files.into_iter().map(source).collect();
    let directory = tempfile::tempdir().unwrap();
    println!("\ndrawing {what}, x264 veryfast CRF 20, one thread, at least {FRAMES} frames\n");
    println!(
        "{:<12}{:>12}{:>14}{:>14}{:>12}",
        "picture", "ms to draw", "ms to encode", "ms together", "speed"
    );
    for (width, height) in [(1280, 720), (1920, 1080)] {
        let mut options = ReplayOptions::default();
        (options.video.width, options.video.height, options.video.frame_rate) = (width, height, 60);
        let replay = ReplayOrder { replay: 0, map: 1, audio, skin: None, options };
        let segment = if audio.is_some() { 8 } else { 0 };
        let timing = time_replay((&order, &replay), &sources, (segment, FRAMES), directory.path()).unwrap();
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / timing.frames as f64;
        let speed = timing.encoding.as_secs_f64() / timing.render.as_secs_f64();
        let goal = if height == 1080 {
            format!("  goal {SPEED_GOAL}: {}", if speed >= SPEED_GOAL { "kept" } else { "missed" })
        } else {
            String::new()
        };
        println!(
            "{:<12}{:>12.2}{:>14.2}{:>14.2}{:>12.3}{goal}",
            format!("{width}x{height}"),
            each(timing.drawing),
            each(timing.encoding),
            each(timing.render),
            speed
        );
    }
}

fn judging(folder: &Path) {
    let limits = Limits::default();
    let files: Vec<_> = rows(folder)
        .into_iter()
        .map(|(replay, map)| (std::fs::read(replay).unwrap(), std::fs::read(map).unwrap()))
        .collect();
    let began = Instant::now();
    let (mut judged, mut objects) = (0, 0);
    for (replay, map) in &files {
        let replay = Replay::read(replay, &limits).unwrap();
        // Auto plays are refused.
        let Ok(mods) = Mods::of(&replay) else { continue };
        let map = Beatmap::read(map, &limits).unwrap();
        let play = match replay.mode {
            Mode::Standard => {
                let field = standard::objects::place(&map, &mods, &limits).unwrap();
                standard::judge::judge(&replay, &map, &mods, &field).unwrap()
            }
            Mode::Mania => {
                let field = mania::objects::place(&map, &mods, &limits).unwrap();
                mania::judge::judge(&replay, &map, &mods, &field).unwrap()
            }
            Mode::Taiko => {
                let field = taiko::objects::place(&map, &mods, &limits).unwrap();
                taiko::judge::judge(&replay, &map, &mods, &field).unwrap()
            }
            Mode::Catch => continue,
        };
        judged += 1;
        objects += play.objects.len();
    }
    let took = began.elapsed();
    let kept = if took <= JUDGING_GOAL { "kept" } else { "missed" };
    println!(
        "\n{judged} replays with {objects} objects read, placed and judged in {:.2} s; goal {} s: {kept}",
        took.as_secs_f64(),
        JUDGING_GOAL.as_secs()
    );
}
