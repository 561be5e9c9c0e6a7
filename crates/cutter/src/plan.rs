//! The plan: which frames of which source become which frames of the montage, in which segments.
//!
//! [`plan`] is a pure function of the order and the probes. Its result is data: it can be shown before work, and
//! its hash names its results. Everything that is wrong is reported at once, each with the index of its clip.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canvas::{Weighted, elect_canvas};
use crate::error::{Problem, ProblemKind};
use crate::facts::Probe;
use crate::order::{ClipOrder, EncoderSettings, Extent, Moment, Order, SourceInfo};
use crate::time::{FrameRate, TICKS_PER_SECOND, TIME_TOLERANCE_TICKS};

/// Grows when the meaning of a plan changes, so that hashes of old results do not name new ones.
pub const PLAN_VERSION: u32 = 1;

/// How much longer than its estimated length a source may turn out, in ticks: half a second. Decoding tells for sure.
const ESTIMATE_TICKS: i64 = TICKS_PER_SECOND / 2;

/// What is known about a source when a plan is made: nothing (no clip uses it), a refusal, or its facts.
pub type Probed = Option<Result<Probe, ProblemKind>>;

/// The picture that every clip is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canvas {
    /// Width in square pixels, even.
    pub width: u32,
    /// Height in square pixels, even.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: FrameRate,
}

/// A montage, ready to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Title of the montage.
    pub title: String,
    /// The picture.
    pub canvas: Canvas,
    /// How pictures are encoded.
    pub encoder: EncoderSettings,
    /// Loudness that each clip is brought to, in LUFS.
    pub loudness_lufs: f64,
    /// Frames in all.
    pub frames: u64,
    /// Audio samples in all, at 48 kHz.
    pub samples: u64,
    /// The sources, as the order gave them.
    pub sources: Vec<SourceInfo>,
    /// The clips, in order.
    pub clips: Vec<PlannedClip>,
    /// The pieces that are made on their own, in the order of the montage.
    pub segments: Vec<Segment>,
}

/// A clip with its exact place on source and montage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedClip {
    /// Position among the clips.
    pub index: u32,
    /// Index of its source.
    pub source: u32,
    /// Title of its chapter.
    pub title: String,
    /// Where it starts on the source, in ticks from the source's first video frame.
    pub start_ticks: i64,
    /// Number of the source's frame that it starts with, counted in the source's rate.
    pub start_frame: u64,
    /// Its first frame on the montage.
    pub first_frame: u64,
    /// Number of frames.
    pub frames: u64,
    /// Its first audio sample on the montage.
    pub first_sample: u64,
    /// Number of audio samples.
    pub samples: u64,
    /// How its frames are made.
    pub treatment: Treatment,
}

/// How a clip's frames are made. Copying whole groups of pictures without encoding them gets its place here, beside
/// `Encode`, and `split` then gives head, body and tail of a clip a treatment of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Decode and encode every frame.
    Encode {
        /// Where the source differs from the canvas; empty when only the cut itself asks for encoding.
        differences: Vec<Difference>,
    },
}

/// A way in which a source is not like the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Another codec than H.264.
    Codec,
    /// Another size or shape of pixels.
    Size,
    /// It is turned for showing.
    Rotation,
    /// Another or a varying frame rate.
    FrameRate,
    /// Another pixel format or depth.
    PixelFormat,
    /// Another colour matrix or range.
    Colour,
}

/// A run of a clip's frames that is encoded on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Position among the segments.
    pub index: u32,
    /// Index of its clip.
    pub clip: u32,
    /// Its first frame, counted in the clip.
    pub first_frame: u64,
    /// Number of frames, at least 1.
    pub frames: u64,
}

impl Plan {
    /// SHA-256 of the plan's JSON, in hexadecimal. The fields are written in their declared order and there are no
    /// maps, so that equal plans have equal text.
    pub fn hash(&self) -> String {
        // A plan holds only numbers, text and lists; none of these can fail to be written.
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(&json))
    }

    /// Length of the montage in ticks.
    pub fn duration_ticks(&self) -> i64 {
        self.canvas.frame_rate.frame_to_ticks(self.frames)
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

/// Makes the plan of an order, given what was found in its sources.
///
/// # Errors
/// Every problem that can be found without decoding: of the order, of the sources and of each clip.
pub fn plan(order: &Order, probes: &[Probed]) -> Result<Plan, Vec<Problem>> {
    let mut problems = order.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut placed = Vec::new();
    for (index, clip) in order.clips.iter().enumerate() {
        let problem = |kind| Problem { clip: Some(index as u32), source: Some(clip.source), kind };
        let unknown = || ProblemKind::Unreadable { reason: "it was not probed".to_owned() };
        match probes.get(clip.source as usize).cloned().flatten() {
            Some(Ok(probe)) => match place(clip, &probe) {
                Ok(span) => placed.push((index, clip, probe, span)),
                Err(kind) => problems.push(problem(kind)),
            },
            Some(Err(kind)) => problems.push(problem(kind)),
            None => problems.push(problem(unknown())),
        }
    }
    let general = |kind| Problem { clip: None, source: None, kind };
    let limit = order.limits.max_duration_ticks;
    let duration = placed.iter().fold(0_i64, |sum, (.., span)| sum.saturating_add(span.duration));
    if duration > limit {
        problems.push(general(ProblemKind::TooLong { duration, limit }));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let candidates: Vec<Weighted> =
        placed.iter().map(|(.., probe, span)| Weighted::of(&probe.video, span.duration)).collect();
    let canvas =
        elect_canvas(&order.canvas, &candidates, &order.limits).map_err(|kind| vec![general(kind)])?;

    let rate = canvas.frame_rate;
    let mut frames = 0;
    let mut clips = Vec::with_capacity(placed.len());
    let mut segments = Vec::new();
    for (index, clip, probe, span) in placed {
        let count = rate.ticks_to_frames(span.duration).max(1);
        let first_sample = rate.samples_before(frames);
        for (first_frame, length) in split(count, order.encoder.segment_seconds, rate) {
            segments.push(Segment {
                index: segments.len() as u32,
                clip: index as u32,
                first_frame,
                frames: length,
            });
        }
        clips.push(PlannedClip {
            index: index as u32,
            source: clip.source,
            title: chapter_title(clip, index),
            start_ticks: span.start,
            start_frame: frame_at(probe.video.frame_rate, span.start),
            first_frame: frames,
            frames: count,
            first_sample,
            samples: rate.samples_before(frames + count) - first_sample,
            treatment: Treatment::Encode { differences: differences(&probe, &canvas) },
        });
        frames += count;
    }
    Ok(Plan {
        version: PLAN_VERSION,
        title: one_line(&order.title),
        canvas,
        encoder: order.encoder.clone(),
        loudness_lufs: order.audio.loudness_lufs,
        frames,
        samples: rate.samples_before(frames),
        sources: order.sources.clone(),
        clips,
        segments,
    })
}

/// A clip's place on its source, in ticks.
struct Span {
    start: i64,
    duration: i64,
}

fn place(clip: &ClipOrder, probe: &Probe) -> Result<Span, ProblemKind> {
    let rate = probe.video.frame_rate;
    let ticks = |moment: Moment| match moment {
        Moment::Ticks(ticks) => ticks,
        Moment::Frames(frames) => rate.frame_to_ticks(frames),
    };
    let start = ticks(clip.start);
    if start < 0 {
        return Err(ProblemKind::StartsBeforeSource);
    }
    let duration = match clip.extent {
        Extent::Duration(length) => ticks(length),
        Extent::End(end) => ticks(end).saturating_sub(start),
    };
    if duration <= 0 {
        return Err(ProblemKind::ZeroLength);
    }
    let end = start.saturating_add(duration);
    if let Some(length) = probe.duration_ticks {
        let unsure = if probe.duration_is_estimate { ESTIMATE_TICKS } else { 0 };
        if start.saturating_add(TIME_TOLERANCE_TICKS) >= length.saturating_add(unsure) {
            return Err(ProblemKind::StartsBeyondEnd { start, duration: length });
        }
        if end > length.saturating_add(end_slack(rate)).saturating_add(unsure) {
            return Err(ProblemKind::EndsEarly { end, duration: length });
        }
    }
    Ok(Span { start, duration })
}

/// How far behind a source's end a clip may reach, in ticks: two of the source's frames, for containers round their
/// lengths or leave the last frame's out. The last frame is shown for that long.
pub(crate) fn end_slack(rate: FrameRate) -> i64 {
    rate.frame_to_ticks(2)
}

/// The number of the frame that is on screen at `ticks`, on a source of even rate.
pub(crate) fn frame_at(rate: FrameRate, ticks: i64) -> u64 {
    let moment = (ticks + tolerance(rate)).max(0) as u128;
    let frame = moment * u128::from(rate.num()) / (u128::from(rate.den()) * TICKS_PER_SECOND as u128);
    u64::try_from(frame).unwrap_or(u64::MAX)
}

/// [`TIME_TOLERANCE_TICKS`], but never more than a quarter of a frame.
pub(crate) fn tolerance(rate: FrameRate) -> i64 {
    TIME_TOLERANCE_TICKS.min(rate.frame_to_ticks(1) / 4)
}

/// Cuts `frames` into near-equal runs of at most `seconds`: (first frame, number of frames).
fn split(frames: u64, seconds: u32, rate: FrameRate) -> Vec<(u64, u64)> {
    let longest = rate.ticks_to_frames(i64::from(seconds) * TICKS_PER_SECOND).max(1);
    let pieces = frames.div_ceil(longest).max(1);
    let edge = |piece: u64| (u128::from(frames) * u128::from(piece) / u128::from(pieces)) as u64;
    (0..pieces).map(|piece| (edge(piece), edge(piece + 1) - edge(piece))).collect()
}

fn chapter_title(clip: &ClipOrder, index: usize) -> String {
    match clip.title.as_deref().map(one_line) {
        Some(title) if !title.is_empty() => title,
        _ => format!("Highlight {}", index + 1),
    }
}

/// A title as one line: what cannot be seen becomes a space.
fn one_line(title: &str) -> String {
    let visible = title.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn differences(probe: &Probe, canvas: &Canvas) -> Vec<Difference> {
    let video = &probe.video;
    let same_size =
        (video.width, video.height) == (canvas.width, canvas.height) && video.sar_num == video.sar_den;
    let found = [
        (video.codec != "h264", Difference::Codec),
        (!same_size, Difference::Size),
        (video.rotation != 0, Difference::Rotation),
        (video.variable_rate || video.frame_rate != canvas.frame_rate, Difference::FrameRate),
        (video.pixel_format != "yuv420p", Difference::PixelFormat),
        (video.colour_space != "bt709" || video.colour_range == "pc", Difference::Colour),
    ];
    found.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::VideoFacts;
    use crate::order::MediaLimits;

    fn probe(rate: &str, seconds: i64) -> Probe {
        Probe {
            container: "mp4".to_owned(),
            origin_ticks: 0,
            duration_ticks: Some(seconds * TICKS_PER_SECOND),
            duration_is_estimate: false,
            video: VideoFacts {
                stream: 0,
                codec: "h264".to_owned(),
                width: 1280,
                height: 720,
                sar_num: 1,
                sar_den: 1,
                rotation: 0,
                frame_rate: rate.parse().unwrap(),
                variable_rate: false,
                pixel_format: "yuv420p".to_owned(),
                bit_depth: 8,
                colour_space: "bt709".to_owned(),
                colour_range: "tv".to_owned(),
            },
            audio: None,
        }
    }

    fn order(clips: Vec<ClipOrder>) -> Order {
        Order {
            title: String::new(),
            sources: vec![SourceInfo { bytes: 1, identity: None }; 2],
            clips,
            canvas: Default::default(),
            audio: Default::default(),
            limits: MediaLimits::default(),
            encoder: Default::default(),
        }
    }

    fn clip(source: u32, start: i64, length: i64) -> ClipOrder {
        let extent = Extent::Duration(Moment::Ticks(length));
        ClipOrder { source, start: Moment::Ticks(start), extent, title: None }
    }

    #[test]
    fn a_source_that_was_refused_is_a_problem_of_each_of_its_clips() {
        let order = order(vec![clip(0, 0, TICKS_PER_SECOND), clip(1, 0, 1), clip(1, 0, 1)]);
        let problems =
            plan(&order, &[Some(Ok(probe("30", 60))), Some(Err(ProblemKind::NoVideo))]).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.clip).collect::<Vec<_>>(), [Some(1), Some(2)]);
    }

    #[test]
    fn the_end_may_be_rounded_but_not_passed() {
        let with_length = |length| {
            plan(&order(vec![clip(0, 0, length)]), &[Some(Ok(probe("25", 10))), None]).map(|plan| plan.frames)
        };
        assert_eq!(with_length(10 * TICKS_PER_SECOND), Ok(250));
        assert_eq!(with_length(10 * TICKS_PER_SECOND + TICKS_PER_SECOND / 25), Ok(251));
        assert!(with_length(10 * TICKS_PER_SECOND + TICKS_PER_SECOND / 8).is_err());
        assert_eq!(with_length(1), Ok(1), "no clip is without a frame");
    }

    #[test]
    fn hashes_tell_versions_of_a_source_apart() {
        let mut order = order(vec![clip(0, 0, TICKS_PER_SECOND)]);
        let probes = [Some(Ok(probe("30", 60))), None];
        let first = plan(&order, &probes).unwrap().hash();
        order.sources[0].identity = Some("another".to_owned());
        assert_ne!(plan(&order, &probes).unwrap().hash(), first);
        assert_eq!(first.len(), 64);
    }

    proptest! {
        #[test]
        fn segments_and_samples_cover_the_montage_without_gaps(
            rate in proptest::sample::select(vec!["24", "23.976", "25", "29.97", "30", "59.94", "60", "12.5"]),
            lengths in proptest::collection::vec((1_i64..40_000, 0_i64..1000), 1..40),
            segment_seconds in 2_u32..20,
        ) {
            let milli = TICKS_PER_SECOND / 1000;
            let clips = lengths.iter().map(|(length, start)| clip(0, start * milli, length * milli)).collect();
            let mut order = order(clips);
            order.encoder.segment_seconds = segment_seconds;
            let plan = plan(&order, &[Some(Ok(probe(rate, 100))), None]).unwrap();
            let rate = plan.canvas.frame_rate;
            let (mut frame, mut sample) = (0, 0);
            for (clip, (length, _)) in plan.clips.iter().zip(&lengths) {
                prop_assert_eq!((clip.first_frame, clip.first_sample), (frame, sample));
                prop_assert!((rate.frame_to_ticks(clip.frames) - length * milli).abs() <= rate.frame_to_ticks(1));
                frame += clip.frames;
                sample += clip.samples;
                let mut within = 0;
                for segment in plan.segments.iter().filter(|segment| segment.clip == clip.index) {
                    prop_assert_eq!(segment.first_frame, within);
                    prop_assert!(segment.frames >= 1);
                    prop_assert!(segment.frames <= rate.ticks_to_frames(i64::from(segment_seconds) * TICKS_PER_SECOND));
                    within += segment.frames;
                }
                prop_assert_eq!(within, clip.frames);
            }
            prop_assert_eq!((frame, sample), (plan.frames, plan.samples));
            let apart = crate::time::samples_to_ticks(plan.samples) - plan.duration_ticks();
            prop_assert!(apart.abs() <= TICKS_PER_SECOND / 48_000 + 1, "sound and picture end together");
            let json = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap().hash(), plan.hash());
        }
    }
}
