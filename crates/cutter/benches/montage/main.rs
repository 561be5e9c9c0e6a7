//! What a montage costs beside the usual methods: processor time, bytes read, memory. `make bench` runs it.
//!
//! All methods make the same six clips of the same file in the same run. Processor time is counted, not time by the
//! clock, so that a busy machine changes little; it covers this process, which serves the bytes, and its children. The
//! table says what was promised and whether it was kept. Nothing here fails for being slow: only for being wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on says so and ends"
)]

mod material;
mod measure;
#[path = "../../tests/cutter/parent.rs"]
mod parent;
mod recording;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use cutter::source::ByteSource;
use material::{Clip, Material};
use measure::{Made, cpu_seconds, run, worker, worker_on};
use recording::Recording;

/// How many times less processor time `exact` takes than the usual method, at least.
const EXACT_GOAL: f64 = 15.0;
/// How many times more `snap` takes than a plain copy, at most.
const SNAP_GOAL: f64 = 2.0;
/// How many bytes are read for one that is needed, at most.
const BYTES_GOAL: f64 = 1.10;
/// Memory of a worker that copies 1080p, in MB, at most.
const MEMORY_GOAL: f64 = 150.0;

/// The table as it grows.
#[derive(Default)]
struct Table(Vec<[String; 6]>);

impl Table {
    fn row(&mut self, what: &str, baseline: &str, figure: &str, ratio: &str, goal: &str, met: Option<bool>) {
        let met = met.map_or("-", |met| if met { "met" } else { "MISSED" });
        let row = [what, baseline, figure, ratio, goal, met].map(str::to_owned);
        println!("  {}", row.join(" | "));
        self.0.push(row);
    }

    fn print(&self) {
        let head = ["what", "baseline", "figure", "ratio", "goal", ""].map(str::to_owned);
        let rows = std::iter::once(&head).chain(&self.0);
        let widths: Vec<usize> = (0..6)
            .map(|column| rows.clone().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        println!();
        for row in rows {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("{}", cells.join("  ").trim_end());
        }
    }
}

fn main() {
    let seconds =
        std::env::var("SM_BENCH_SECONDS").map_or(600, |text| text.parse().expect("SM_BENCH_SECONDS"));
    let directory = std::env::var_os("SM_BENCH_DIR")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench"), PathBuf::from);
    println!("making the sources in {} (once)", directory.display());
    let material = Material::make(&directory, seconds);
    let clips = material.clips();
    println!(
        "six clips of {} s from {seconds} s of 720p30, key frames every 2 s; worker built with {}",
        clips[0].seconds(),
        if cfg!(debug_assertions) { "the development profile" } else { "the release profile" }
    );
    let mut table = Table::default();
    let job = tempfile::tempdir_in(&directory).unwrap();

    // Processor time.
    let length = std::fs::metadata(&material.source).unwrap().len();
    let usual = cut_and_join(&material.source, &clips, &["-c:v", "libx264", "-c:a", "aac"], job.path());
    let copy = cut_and_join(&material.source, &clips, &["-c", "copy"], job.path());
    let (usual_text, copy_text) = (seconds_of(usual), seconds_of(copy));
    let levelled = json!({});
    // Copying makes no sound for a transcription: measured with and without it.
    let as_it_is = json!({ "loudness_lufs": null });
    let only_copied = json!({ "loudness_lufs": null, "speech": false });
    let snap = "snap, within 1 s, sound as it is, and for speech";
    let bare = "snap, within 1 s, sound as it is";
    let snap_levelled = "snap, within 1 s, sound levelled";
    for (name, cut, audio, baseline, goal) in [
        ("exact", json!({ "mode": "exact" }), &levelled, "ffmpeg, encode and concat", Some(EXACT_GOAL)),
        (bare, snap_cut(), &only_copied, "ffmpeg -c copy and concat", None),
        (snap, snap_cut(), &as_it_is, "ffmpeg -c copy and concat", None),
        (snap_levelled, snap_cut(), &levelled, "ffmpeg -c copy and concat", None),
    ] {
        let what = format!("CPU: {name} / {baseline}");
        match worker(&material.source, &order(length, &clips, &cut, audio)) {
            Err(why) => table.row(&what, "", &why, "", "", Some(false)),
            Ok(made) => {
                let figure =
                    format!("{} ({} of {} frames encoded)", seconds_of(made.cpu), made.encoded, made.frames);
                match goal {
                    Some(goal) => {
                        let (ratio, right) = (usual / made.cpu, made.frames == frames(&clips));
                        let goal_text = format!(">= {goal} times less, every frame");
                        let met = Some(ratio >= goal && right);
                        table.row(&what, &usual_text, &figure, &format!("{ratio:.1}"), &goal_text, met);
                    }
                    None => {
                        let ratio = made.cpu / copy;
                        let goal_text = format!("<= {SNAP_GOAL} times as much");
                        let met = Some(ratio <= SNAP_GOAL);
                        table.row(&what, &copy_text, &figure, &format!("{ratio:.2}"), &goal_text, met);
                    }
                }
            }
        }
    }
    peer(&mut table, &material.source, &clips, job.path(), usual);

    // Bytes.
    let exact = json!({ "mode": "exact" });
    for (name, path) in &material.containers {
        let needed = material::needed_bytes(path, &clips);
        let length = std::fs::metadata(path).unwrap().len();
        bytes_row(&mut table, name, needed, worker(path, &order(length, &clips, &exact, &levelled)));
    }
    for (name, playlist) in &material.playlists {
        // What is needed is the same packets; the container's own bytes around them count as not needed.
        let needed = material::needed_bytes(&material.source, &clips);
        let recording = Recording::open(playlist, &clips);
        let (source, opened) = (Arc::new(recording.joined), recording.opened);
        let order = order(source.len(), &clips, &exact, &levelled);
        bytes_row(&mut table, name, needed, worker_on(source, opened, &order));
    }

    // Memory.
    let large = Material::clips_of(material::LARGE_SECONDS);
    let large_length = std::fs::metadata(&material.large).unwrap().len();
    match worker(&material.large, &order(large_length, &large, &json!({ "mode": "copy" }), &levelled)) {
        Err(why) => table.row("memory: copy, 1080p", "", &why, "", "", Some(false)),
        Ok(Made { memory, encoded, frames, .. }) => {
            let peak = memory as f64 / 1e6;
            let figure = format!("{peak:.0} MB ({encoded} of {frames} frames encoded)");
            let goal = format!("< {MEMORY_GOAL} MB");
            table.row("memory: copy, 1080p", "", &figure, "", &goal, Some(peak < MEMORY_GOAL));
        }
    }
    table.print();
}

fn bytes_row(table: &mut Table, name: &str, needed: u64, made: Result<Made, String>) {
    let what = format!("bytes read: exact, {name}");
    match made {
        Err(why) => table.row(&what, "", &why, "", "", Some(false)),
        Ok(made) => {
            let ratio = made.read_once as f64 / needed as f64;
            let needed = format!("{} needed", megabytes(needed));
            let figure = format!("{} ({} with repeats)", megabytes(made.read_once), megabytes(made.read));
            let goal = format!("<= {BYTES_GOAL:.2}");
            table.row(&what, &needed, &figure, &format!("{ratio:.3}"), &goal, Some(ratio <= BYTES_GOAL));
        }
    }
}

fn snap_cut() -> Value {
    json!({ "mode": "snap", "tolerance_ticks": cutter::time::TICKS_PER_SECOND })
}

fn order(bytes: u64, clips: &[Clip], cut: &Value, audio: &Value) -> Value {
    let clips = clips.iter().map(|clip| {
        json!({
            "source": 0,
            "start": { "frames": clip.first },
            "extent": { "duration": { "frames": clip.count } },
            "cut": cut,
        })
    });
    json!({
        "title": "Bench",
        "sources": [{ "bytes": bytes }],
        "clips": clips.collect::<Vec<_>>(),
        "audio": audio,
    })
}

fn frames(clips: &[Clip]) -> u64 {
    clips.iter().map(|clip| clip.count).sum()
}

/// The usual method: each clip by a program of its own, then all of them joined without encoding. Answers its
/// processor time.
fn cut_and_join(source: &Path, clips: &[Clip], codecs: &[&str], job: &Path) -> f64 {
    let start = cpu_seconds();
    let mut list = String::new();
    for (number, clip) in clips.iter().enumerate() {
        let path = job.join(format!("clip-{number}.mp4"));
        let (from, length) = (clip.start().to_string(), clip.seconds().to_string());
        let input = ["-ss", &from, "-i", source.to_str().unwrap(), "-t", &length];
        run(
            "ffmpeg",
            &[&["-v", "error", "-nostdin", "-y"], &input[..], codecs, &[path.to_str().unwrap()]].concat(),
        )
        .unwrap();
        list += &format!("file '{}'\n", path.display());
    }
    let (names, joined) = (job.join("clips.txt"), job.join("joined.mp4"));
    std::fs::write(&names, list).unwrap();
    let input = ["-f", "concat", "-safe", "0", "-i", names.to_str().unwrap(), "-c", "copy"];
    run("ffmpeg", &[&["-v", "error", "-nostdin", "-y"], &input[..], &[joined.to_str().unwrap()]].concat())
        .unwrap();
    cpu_seconds() - start
}

/// The smart cutter that PyPI has, when it is installed.
fn peer(table: &mut Table, source: &Path, clips: &[Clip], job: &Path, usual: f64) {
    let keep: Vec<String> = clips
        .iter()
        .flat_map(|clip| [clip.start(), clip.start() + clip.seconds()])
        .map(|at| at.to_string())
        .collect();
    let what = "CPU: smartcut (PyPI) / ffmpeg, encode and concat";
    let made = job.join("peer.mp4");
    let start = cpu_seconds();
    let arguments = [source.to_str().unwrap(), made.to_str().unwrap(), "--keep", &keep.join(",")];
    match run("smartcut", &arguments) {
        Ok(()) => {
            let cpu = cpu_seconds() - start;
            let frames = material::frames(&made);
            let figure = format!("{} ({frames} frames)", seconds_of(cpu));
            table.row(what, &seconds_of(usual), &figure, &format!("{:.1}", usual / cpu), "", None);
        }
        Err(why) => table.row(what, "", &why, "", "", None),
    }
}

fn seconds_of(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
