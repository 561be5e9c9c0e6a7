//! What a montage would take, as a table for people or as JSON for programs.
//!
//! Promises: JSON goes to standard output as the gateway answered it; a plan that takes long is waited for as long as
//! executors keep trying. Fails with status 1 and every mistake in the spec.

use anyhow::Context;
use contracts::{
    plan::{PlanAnswer, PlanClip, PlanCodec, PlanSegmentKind, PlanView},
    spec::CutMode,
};
use reqwest::Method;
use service_kit::{client::CallError, env::Env};
use std::{fmt::Write as _, path::Path, process::ExitCode};

use crate::{
    api,
    submit::{print_problem, read_json, with_advice},
};

/// Longest that a name or a source may be in the table, in characters.
const LONGEST_CELL: usize = 40;

/// Asks for the plan of the job in a file and prints it.
pub async fn plan(env: &Env, file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let body = read_json(file)?;
    let client = api::client(env)?;
    let mut answer: Result<Option<PlanAnswer>, CallError> =
        client.call(Method::POST, "/v1/plans", Some(&body), &[]).await;
    loop {
        let asked = match answer {
            Ok(asked) => asked.context("the gateway answered nothing")?,
            Err(CallError::Problem(problem)) => {
                print_problem(&problem);
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(with_advice(error, env)),
        };
        if let Some(plan) = asked.plan {
            if as_json {
                println!("{}", serde_json::to_string_pretty(&plan)?);
            } else {
                print!("{}", describe(&plan));
            }
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("no executor has made plan {} yet; waiting", asked.id);
        answer = client
            .call::<(), _>(Method::GET, &format!("/v1/plans/{}?wait_seconds=30", asked.id), None, &[])
            .await;
    }
}

/// A plan in words and numbers.
fn describe(plan: &PlanView) -> String {
    let canvas = &plan.canvas;
    let codec = match canvas.codec {
        PlanCodec::H264 => "H.264",
        PlanCodec::Hevc => "HEVC",
    };
    let mut text = format!(
        "{}x{} {codec}, {} bit, {} frames a second, {:.1} s\n\n",
        canvas.width, canvas.height, canvas.bit_depth, canvas.frame_rate, plan.duration,
    );
    text.push_str(&table(&plan.clips));
    let _ = writeln!(
        text,
        "\nTo encode: {} of {} frames ({}). To fetch: {}.",
        plan.frames_encoded,
        plan.frames,
        share(plan.frames_encoded, plan.frames),
        size(plan.bytes_to_fetch),
    );
    if plan.seconds_estimated > 0.0 {
        let _ = writeln!(text, "It will take about {:.0} s.", plan.seconds_estimated.ceil());
    }
    let of = |kind| plan.segments.iter().filter(|segment| segment.kind == kind).count();
    let _ = writeln!(
        text,
        "Segments: {} copied, {} encoded, {} blended, {} of sound. Plan {}",
        of(PlanSegmentKind::Copy),
        of(PlanSegmentKind::Encode),
        of(PlanSegmentKind::Blend),
        of(PlanSegmentKind::Sound),
        plan.plan_hash,
    );
    for warning in &plan.warnings {
        let _ = writeln!(text, "Warning: {warning}");
    }
    text
}

/// A line for each clip, and below it why it is treated so.
fn table(clips: &[PlanClip]) -> String {
    let head = ["clip", "start", "length", "mode", "encoded", "bytes", "differs in"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head)
        .chain(clips.iter().map(|clip| {
            [
                cell(&clip.title),
                moved(clip.asked.start, clip.actual.start),
                moved(clip.asked.duration, clip.actual.duration),
                mode(clip.mode).to_owned(),
                format!("{}/{}", clip.frames_encoded, clip.frames),
                size(clip.bytes),
                if clip.differences.is_empty() { "-".to_owned() } else { clip.differences.join(", ") },
            ]
        }))
        .collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        if let Some(clip) = number.checked_sub(1).and_then(|index| clips.get(index)) {
            let _ = writeln!(text, "  {}: {}", cell(&clip.source), clip.reason);
        }
    }
    text
}

/// A time on a source, with where it moved to.
fn moved(asked: f64, actual: f64) -> String {
    let moved = actual - asked;
    if moved.abs() < 0.0005 { format!("{asked:.3}") } else { format!("{asked:.3} {moved:+.3}") }
}

/// Text that fits into a column.
fn cell(text: &str) -> String {
    if text.chars().count() <= LONGEST_CELL {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST_CELL - 1).collect();
    format!("{kept}\u{2026}")
}

fn mode(mode: CutMode) -> &'static str {
    CutMode::NAMES.iter().find(|(_, known)| *known == mode).map_or("", |(name, _)| name)
}

/// A share in percent: never rounded to all or to nothing.
#[allow(clippy::cast_precision_loss)] // Shown with one digit.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return "100 %".to_owned();
    }
    format!("{:.1} %", (part as f64 / whole as f64 * 100.0).clamp(0.1, 99.9))
}

/// A size in the largest unit of which there is one.
#[allow(clippy::cast_precision_loss)] // Shown with one digit.
fn size(bytes: u64) -> String {
    let mut left = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if left < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{left:.1} {unit}") };
        }
        left /= 1024.0;
    }
    format!("{left:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::plan::{PlanCanvas, PlanRange, PlanSegment};

    fn clip(title: &str, frames_encoded: u64, moved: f64) -> PlanClip {
        PlanClip {
            title: title.to_owned(),
            source: "library:vods/friday.mp4".to_owned(),
            mode: if moved == 0.0 { CutMode::Exact } else { CutMode::Snap },
            asked: PlanRange { start: 62.0, duration: 5.0 },
            actual: PlanRange { start: 62.0 + moved, duration: 5.0 },
            frames: 150,
            frames_encoded,
            frames_copied: 150 - frames_encoded,
            differences: if frames_encoded == 150 { vec!["size 1920x1080".to_owned()] } else { Vec::new() },
            reason: "Its pictures are as the canvas.".to_owned(),
            spans: vec![(0, 10_000)],
            bytes: 10_000,
        }
    }

    #[test]
    fn a_plan_reads_as_a_table() {
        let segment =
            |index, kind| PlanSegment { index, clip: 0, kind, first_frame: 0, frames: 1, key: String::new() };
        let plan = PlanView {
            plan_hash: "ab12".to_owned(),
            canvas: PlanCanvas {
                codec: PlanCodec::H264,
                width: 1280,
                height: 720,
                frame_rate: "30/1".to_owned(),
                bit_depth: 8,
            },
            duration: 10.0,
            frames: 300,
            frames_encoded: 150,
            bytes_to_fetch: 500,
            seconds_estimated: 12.3,
            clips: vec![clip("The comeback", 0, -0.25), clip(&"long ".repeat(20), 150, 0.0)],
            segments: vec![segment(0, PlanSegmentKind::Copy), segment(1, PlanSegmentKind::Encode)],
            warnings: vec!["no font has 勝".to_owned()],
        };
        let expected = "\
1280x720 H.264, 8 bit, 30/1 frames a second, 10.0 s

clip                                      start          length  mode   encoded  bytes    differs in
The comeback                              62.000 -0.250  5.000   snap   0/150    9.8 KiB  -
  library:vods/friday.mp4: Its pictures are as the canvas.
long long long long long long long long…  62.000         5.000   exact  150/150  9.8 KiB  size 1920x1080
  library:vods/friday.mp4: Its pictures are as the canvas.

To encode: 150 of 300 frames (50.0 %). To fetch: 500 B.
It will take about 13 s.
Segments: 1 copied, 1 encoded, 0 blended, 0 of sound. Plan ab12
Warning: no font has 勝
";
        assert_eq!(describe(&plan), expected);
    }

    #[test]
    fn almost_all_is_not_all() {
        for (part, whole, text) in [
            (0, 0, "0 %"),
            (0, 9, "0 %"),
            (9, 9, "100 %"),
            (99_999, 100_000, "99.9 %"),
            (1, 100_000, "0.1 %"),
        ] {
            assert_eq!(share(part, whole), text);
        }
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 40, "5.0 TiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
