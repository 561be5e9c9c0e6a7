//! Plans: what a montage would take, found out by a render worker and told to whoever asked.
//!
//! Nothing is made: of each source its index and what stands around the clips' edges is read.

use std::path::Path;

use contracts::{
    job::Stage,
    plan::{PlanCanvas, PlanClip, PlanCodec, PlanRange, PlanSegment, PlanSegmentKind, PlanView},
    spec::{CutMode, MontageSpec},
    time::ticks_to_seconds,
};
use cutter::{
    order,
    plan::{PlannedClip, SegmentKind, VideoCodec},
    protocol::Task,
    report::{Outcome, PlanReport},
};

use crate::{
    attempt::Attempt,
    failure::Failed,
    montage::explain,
    order::order,
    sources::{Placed, Sources},
    worker,
};

/// What a montage costs, roughly. The processor time is that of a machine of 2026 and can be had again from the rows of
/// `make bench`: what `snap, sound levelled` takes, by frame; and what `exact` takes beyond that, by encoded frame and its
/// 1280 x 720 pixels. The line is a guess at 100 Mbit/s.
mod cost {
    /// To start two workers, read indexes and publish, in seconds.
    pub(super) const BEGINNING: f64 = 2.0;
    /// Processor time to decode, encode and check a pixel, in seconds.
    pub(super) const ENCODED_PIXEL: f64 = 23e-9;
    /// Time to copy, level, join and check a frame, most of it on one core, in seconds.
    pub(super) const FRAME: f64 = 0.8e-3;
    /// Bytes that come in a second.
    pub(super) const FETCHED: f64 = 12.5e6;
}

/// Plans a montage.
///
/// # Errors
/// Why there is no plan.
pub async fn make(attempt: &Attempt<'_>, spec: &MontageSpec, dir: &Path) -> Result<PlanView, Failed> {
    let sources = open(attempt, spec).await?;
    let clips = sources.clips(spec);
    let report = plan(attempt, spec, &clips, &sources, dir).await?;
    let threads = attempt.shop.config.render.threads;
    let mut view = view(&report, spec, &clips, &sources);
    view.seconds_estimated = seconds(&view, threads);
    Ok(view)
}

/// How long a montage will roughly take with so many threads that encode.
fn seconds(view: &PlanView, threads: u32) -> f64 {
    let pixels = f64::from(view.canvas.width) * f64::from(view.canvas.height);
    let encoding = view.frames_encoded as f64 * pixels * cost::ENCODED_PIXEL / f64::from(threads.max(1));
    let fetching = view.bytes_to_fetch as f64 / cost::FETCHED;
    let seconds = cost::BEGINNING + fetching + encoding + view.frames as f64 * cost::FRAME;
    // More digits would say more than is known.
    (seconds * 10.0).round() / 10.0
}

/// Opens the sources of a montage and says so.
///
/// # Errors
/// The first one that cannot be opened.
pub async fn open(attempt: &Attempt<'_>, spec: &MontageSpec) -> Result<Sources, Failed> {
    attempt.reporter.stage(Stage::Fetching, 0.0);
    let opened = |share| attempt.reporter.stage(Stage::Fetching, share);
    let sources = Sources::open(&attempt.shop.door, attempt.lease, spec, opened);
    // Fetching bounds its own time; a source that has to be copied whole may take longer than the limit on standing still.
    attempt.reporter.while_it_lasts(sources).await
}

/// Has a worker plan a montage whose sources are open.
///
/// # Errors
/// What is wrong with it.
pub async fn plan(
    attempt: &Attempt<'_>,
    spec: &MontageSpec,
    clips: &[Placed],
    sources: &Sources,
    dir: &Path,
) -> Result<PlanReport, Failed> {
    attempt.reporter.stage(Stage::Planning, 0.0);
    let config = &attempt.shop.config.render;
    let order = order(&attempt.job.title, spec, clips, sources, config.threads)?;
    let said = |said| attempt.reporter.render(&said);
    let outcome =
        worker::run(config, attempt.lease, dir, (order, Task::Plan), &sources.readers(), said).await;
    match outcome.map_err(|error| explain(error, spec, clips, sources))? {
        Outcome::Plan(report) => Ok(*report),
        _ => Err(Failed::transient("worker_protocol", "The render worker made no plan.")),
    }
}

/// A plan for people.
fn view(report: &PlanReport, spec: &MontageSpec, placed: &[Placed], sources: &Sources) -> PlanView {
    let plan = &report.plan;
    let canvas = &plan.canvas;
    let clips: Vec<PlanClip> = clips(report, spec, placed, sources);
    let pictures = plan.segments.iter().map(|segment| PlanSegment {
        index: segment.index,
        clip: segment.clip.saturating_sub(u32::from(segment.kind == SegmentKind::Blend)),
        kind: match segment.kind {
            SegmentKind::Copy => PlanSegmentKind::Copy,
            SegmentKind::Encode => PlanSegmentKind::Encode,
            SegmentKind::Blend => PlanSegmentKind::Blend,
        },
        first_frame: plan.segment_start(segment),
        frames: segment.frames,
        key: segment.key.clone(),
    });
    let sounds = plan.clips.iter().filter_map(|clip| Some((clip, clip.sound_key.clone()?)));
    let sounds = sounds.zip(plan.segments.len() as u32..).map(|((clip, key), index)| PlanSegment {
        index,
        clip: clip.index,
        kind: PlanSegmentKind::Sound,
        first_frame: clip.first_frame,
        frames: clip.frames,
        key,
    });
    PlanView {
        plan_hash: report.plan_hash.clone(),
        canvas: PlanCanvas {
            codec: match canvas.codec {
                VideoCodec::H264 => PlanCodec::H264,
                VideoCodec::Hevc => PlanCodec::Hevc,
            },
            width: canvas.width,
            height: canvas.height,
            frame_rate: format!("{}/{}", canvas.frame_rate.num(), canvas.frame_rate.den()),
            bit_depth: canvas.bit_depth,
        },
        duration: ticks_to_seconds(plan.duration_ticks()),
        frames: plan.frames,
        frames_encoded: plan.frames - plan.copied_frames(),
        bytes_to_fetch: clips.iter().map(|clip| clip.bytes).sum(),
        seconds_estimated: 0.0,
        segments: pictures.chain(sounds).collect(),
        warnings: report.warnings.clone(),
        clips,
    }
}

fn clips(report: &PlanReport, spec: &MontageSpec, placed: &[Placed], sources: &Sources) -> Vec<PlanClip> {
    let plan = &report.plan;
    let moments = crate::sources::moments(spec);
    let rate = plan.canvas.frame_rate;
    let encoded = |clip: u32| {
        let own =
            plan.segments.iter().filter(|segment| segment.clip == clip && segment.kind != SegmentKind::Copy);
        own.map(|segment| segment.frames).sum()
    };
    let clips = plan.clips.iter().zip(placed).map(|(clip, placed)| {
        let shift = placed.part.shift;
        let range = |start: i64, duration: i64| PlanRange {
            start: ticks_to_seconds(start.saturating_add(shift)),
            duration: ticks_to_seconds(duration),
        };
        let named = sources.opened.get(placed.part.source).map(|(named, _)| named.display());
        PlanClip {
            title: clip.title.clone(),
            source: named
                .or_else(|| Some(moments.get(placed.highlight)?.source.display()))
                .unwrap_or_default(),
            mode: mode(clip.mode),
            asked: range(clip.asked_ticks, clip.asked_duration_ticks),
            actual: range(clip.start_ticks, rate.frame_to_ticks(clip.frames)),
            frames: clip.frames,
            frames_encoded: encoded(clip.index),
            frames_copied: clip.copied_frames,
            differences: clip.differences.iter().map(ToString::to_string).collect(),
            reason: clip.reason.clone(),
            spans: clip.spans.clone(),
            bytes: bytes(report, clip, sources),
        }
    });
    clips.collect()
}

/// Bytes that a clip needs of its source: those of its spans, or its share by length where the container has no index.
fn bytes(report: &PlanReport, clip: &PlannedClip, sources: &Sources) -> u64 {
    if !clip.spans.is_empty() {
        return clip.spans.iter().map(|(_, length)| length).sum();
    }
    let Some((_, source)) = sources.opened.get(clip.source as usize) else { return 0 };
    let rate = report.plan.canvas.frame_rate;
    let whole = match source.playlist() {
        // Only the segments that its clips need were opened, so these share all of it.
        Some(_) => {
            let sharing = report.plan.clips.iter().filter(|other| other.source == clip.source);
            Some(rate.frame_to_ticks(sharing.map(|clip| clip.frames).sum()))
        }
        None => report
            .sources
            .get(clip.source as usize)
            .and_then(Option::as_ref)
            .and_then(|probe| probe.duration_ticks),
    };
    let Some(whole) = whole.filter(|whole| *whole > 0) else { return source.bytes() };
    let own = rate.frame_to_ticks(clip.frames).clamp(0, whole);
    u64::try_from(i128::from(source.bytes()) * i128::from(own) / i128::from(whole)).unwrap_or(u64::MAX)
}

/// A mode in the words of the spec.
#[must_use]
pub fn mode(mode: order::CutMode) -> CutMode {
    match mode {
        order::CutMode::Exact => CutMode::Exact,
        order::CutMode::Snap => CutMode::Snap,
        order::CutMode::Copy => CutMode::Copy,
        order::CutMode::Auto => CutMode::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_more_is_said_to_take_longer() {
        let view = |frames_encoded, bytes_to_fetch, width| PlanView {
            plan_hash: String::new(),
            canvas: PlanCanvas {
                codec: PlanCodec::H264,
                width,
                height: 720,
                frame_rate: "30/1".to_owned(),
                bit_depth: 8,
            },
            duration: 100.0,
            frames: 3000,
            frames_encoded,
            bytes_to_fetch,
            seconds_estimated: 0.0,
            clips: Vec::new(),
            segments: Vec::new(),
            warnings: Vec::new(),
        };
        let copied = seconds(&view(0, 0, 1280), 2);
        assert_eq!(copied, 4.4, "the beginning and its frames");
        let encoded = seconds(&view(3000, 0, 1280), 2);
        assert!((30.0..50.0).contains(&encoded), "{encoded}");
        assert!(seconds(&view(3000, 0, 1280), 4) < encoded && seconds(&view(3000, 0, 1920), 2) > encoded);
        assert_eq!(seconds(&view(0, 125_000_000, 1280), 2), 14.4);
    }
}
