//! Making the plan. Pure functions of the order and of what was found in the sources.
//!
//! It goes in two steps, since where a clip can be copied is read from the source only near its edges: [`briefs`] places
//! the clips and says what has to be looked at, [`plan`] takes what was found there, elects the canvas, and lays out the
//! segments. Everything that is wrong is reported at once, each with the index of its clip.

mod briefs;

use std::collections::BTreeMap;

use serde::Serialize;

pub use briefs::{Brief, briefs};

use crate::canvas::{Candidate, differences, elect};
use crate::cutting::{CopyCut, Edges, NoCopy, Wish, choose};
use crate::error::{Problem, ProblemKind};
use crate::facts::{AudioFacts, Probe, VideoFacts};
use crate::order::{ClipOrder, CutMode, EncoderSettings, Order, SourceInfo, TransitionKind};
use crate::plan::{
    Canvas, Difference, Effects, Name, PLAN_VERSION, Plan, PlannedClip, Segment, SegmentKind, SoundPlan,
    VideoCodec, digest, frame_at,
};
use crate::sound::choose::sound_plan;
use crate::sound::shape::Placed;
use crate::time::{FrameRate, TICKS_PER_SECOND};

/// What is known about a source when a plan is made: nothing (no clip uses it), a refusal, or its facts.
pub type Probed = Option<Result<Probe, ProblemKind>>;

/// What was found around a clip's edges.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The coded pictures there; absent where nothing is looked for, since the source cannot be copied.
    pub edges: Option<Edges>,
    /// The bytes that the clip needs, as far as the container tells.
    pub spans: Vec<(u64, u64)>,
}

/// What is given besides the order and its sources.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Clips that are encoded although they could be copied, with the reason.
    pub forced: &'a BTreeMap<u32, String>,
    /// Why the sound is encoded although it could be copied.
    pub sound_forced: Option<&'a str>,
    /// What tells the fonts of this machine from others.
    pub fonts: &'a str,
}

/// Makes the plan of an order from its briefs, what was found in its sources, and what was found around the clips' edges.
///
/// # Errors
/// A canvas that cannot be made.
pub fn plan(
    order: &Order,
    probes: &[Probed],
    briefs: &[Brief],
    found: &[Found],
    given: &Given<'_>,
) -> Result<Plan, Vec<Problem>> {
    let general = |kind| vec![Problem { clip: None, source: None, kind }];
    let sources: Vec<&VideoFacts> = order
        .clips
        .iter()
        .filter_map(|clip| Some(&probes.get(clip.source as usize)?.as_ref()?.as_ref().ok()?.video))
        .collect();
    if sources.len() != order.clips.len() || briefs.len() != sources.len() || found.len() != sources.len() {
        let reason = "a clip's source was not looked at".to_owned();
        return Err(general(ProblemKind::Unreadable { reason }));
    }
    let cuts: Vec<Result<CopyCut, Why>> = (0..sources.len())
        .map(|index| match given.forced.get(&(index as u32)) {
            Some(reason) => Err(Why::Forced(reason.clone())),
            None => cut(sources[index], &briefs[index], &found[index]),
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = (0..sources.len())
        .map(|index| Candidate {
            video: sources[index],
            ticks: briefs[index].duration,
            encoded: cuts[index].as_ref().ok().map(CopyCut::encoded),
        })
        .collect();
    let canvas = elect(&order.canvas, &candidates, &order.limits).map_err(general)?;

    let resolved: Vec<Resolved<'_>> = (0..sources.len())
        .map(|index| Resolved::of(sources[index], &briefs[index], &cuts[index], &canvas))
        .collect();
    let effects = effects(order, briefs, &resolved, canvas.frame_rate, given.fonts);
    let mut clips: Vec<PlannedClip> = Vec::with_capacity(resolved.len());
    let mut segments = Vec::new();
    let mut frames = 0;
    for (index, (resolved, effects)) in resolved.iter().zip(effects).enumerate() {
        let rate = canvas.frame_rate;
        let order_clip = &order.clips[index];
        let first_frame = frames - effects.dissolve_in;
        frames = first_frame + resolved.frames;
        let first_sample = rate.samples_before(first_frame);
        let clip = PlannedClip {
            index: index as u32,
            source: order_clip.source,
            title: chapter_title(order_clip, index),
            continues: order_clip.continues && index > 0,
            start_ticks: resolved.start,
            asked_ticks: briefs[index].start,
            asked_duration_ticks: briefs[index].duration,
            start_frame: frame_at(resolved.video.frame_rate, resolved.start),
            first_frame,
            frames: resolved.frames,
            first_sample,
            samples: rate.samples_before(frames) - first_sample,
            mode: resolved.copy.map_or(CutMode::Exact, |cut| cut.mode),
            copied_frames: resolved.copy.map_or(0, |cut| cut.body),
            reason: reason(resolved, &cuts[index]),
            differences: resolved.unlike.clone(),
            effects,
            sound_key: None,
            speech_key: None,
            spans: found[index].spans.clone(),
        };
        for (first_frame, frames, kind, at_ticks) in layout(&clip, resolved.copy, &order.encoder, rate) {
            segments.push(Segment {
                index: segments.len() as u32,
                clip: index as u32,
                first_frame,
                frames,
                at_ticks,
                kind,
                key: String::new(),
            });
        }
        clips.push(clip);
    }
    let mut plan = Plan {
        version: PLAN_VERSION,
        title: one_line(&order.title),
        samples: canvas.frame_rate.samples_before(frames),
        encoder: order.encoder.clone(),
        loudness_lufs: order.audio.loudness_lufs,
        speech: order.audio.speech,
        sound: SoundPlan::Encode { why: String::new() },
        transition: order.transition,
        frames,
        sources: order.sources.clone(),
        clips,
        segments,
        poster_frame: None,
        canvas,
    };
    let sounds: Vec<Option<&AudioFacts>> = order
        .clips
        .iter()
        .map(|clip| probes.get(clip.source as usize)?.as_ref()?.as_ref().ok()?.audio.as_ref())
        .collect();
    plan.sound = match given.sound_forced {
        Some(why) => SoundPlan::Encode { why: why.to_owned() },
        None => sound_plan(plan.loudness_lufs.is_some(), &placed(&plan), &sounds),
    };
    name(&mut plan, &sources, &sounds);
    Ok(plan)
}

/// Where the clips lie in the montage's sound.
pub(crate) fn placed(plan: &Plan) -> Vec<Placed> {
    let samples = |frames: u64| plan.canvas.frame_rate.samples_before(frames);
    let clip = |clip: &PlannedClip| Placed {
        first_sample: clip.first_sample,
        samples: clip.samples,
        fade_in: samples(clip.effects.fade_in),
        fade_out: samples(clip.effects.fade_out),
    };
    plan.clips.iter().map(clip).collect()
}

/// Why a clip is encoded.
enum Why {
    /// It failed a check as a copy.
    Forced(String),
    /// Its cut.
    Cut(NoCopy),
    /// Pictures like its source's are not copied.
    Source,
}

fn cut(video: &VideoFacts, brief: &Brief, found: &Found) -> Result<CopyCut, Why> {
    let rate = video.frame_rate;
    let edges = found.edges.as_ref().filter(|_| Canvas::of(video).is_some()).ok_or(Why::Source)?;
    let wish = Wish {
        start: brief.start,
        frames: rate.ticks_to_frames(brief.duration).max(1),
        rate,
        mode: brief.cut.mode,
        tolerance: brief.cut.tolerance_ticks,
        touched_start: rate.ticks_to_frames(brief.touched_start),
        touched_end: rate.ticks_to_frames(brief.touched_end),
    };
    choose(edges, &wish).map_err(Why::Cut)
}

/// A clip on the elected canvas.
struct Resolved<'a> {
    video: &'a VideoFacts,
    /// Its cut, if something of it is copied.
    copy: Option<&'a CopyCut>,
    /// Where its source is unlike the canvas.
    unlike: Vec<Difference>,
    start: i64,
    frames: u64,
}

impl<'a> Resolved<'a> {
    fn of(video: &'a VideoFacts, brief: &Brief, cut: &'a Result<CopyCut, Why>, canvas: &Canvas) -> Self {
        let unlike = differences(video, canvas);
        let copy = cut.as_ref().ok().filter(|_| unlike.is_empty());
        let asked = canvas.frame_rate.ticks_to_frames(brief.duration).max(1);
        let start = copy.map_or(brief.start, |cut| cut.start);
        Self { video, copy, unlike, start, frames: copy.map_or(asked, |cut| cut.frames) }
    }
}

/// What is done to each clip's edges, in frames. A dissolve has the same length in both of its clips.
fn effects(
    order: &Order,
    briefs: &[Brief],
    resolved: &[Resolved<'_>],
    rate: FrameRate,
    fonts: &str,
) -> Vec<Effects> {
    let kind = order.transition.kind;
    let part = |ticks: i64, index: usize| rate.ticks_to_frames(ticks).min(resolved[index].frames / 2);
    let both = |ticks: i64, one: usize, other: usize| part(ticks, one).min(part(ticks, other));
    let effects = briefs.iter().enumerate().map(|(index, brief)| {
        let mut effects = Effects::default();
        if kind == TransitionKind::Dissolve {
            if brief.transition_in > 0 && index > 0 {
                effects.dissolve_in = both(brief.transition_in, index - 1, index);
            }
            if brief.transition_out > 0 && index + 1 < resolved.len() {
                effects.dissolve_out = both(brief.transition_out, index, index + 1);
            }
        } else {
            effects.fade_in = part(brief.transition_in, index);
            effects.fade_out = part(brief.transition_out, index);
            effects.colour = if kind == TransitionKind::Dip { order.transition.colour } else { [0; 3] };
        }
        let overlay = order.clips[index].overlay.as_ref().filter(|overlay| !overlay.text.trim().is_empty());
        effects.name = overlay.map(|overlay| Name {
            text: one_line(&overlay.text),
            subtitle: overlay.subtitle.as_deref().map(one_line).filter(|line| !line.is_empty()),
            frames: rate.ticks_to_frames(overlay.ticks).min(resolved[index].frames),
            fonts: fonts.to_owned(),
        });
        effects
    });
    effects.collect()
}

/// The segments of a clip: first frame, frames, kind, moment on the source.
fn layout(
    clip: &PlannedClip,
    copy: Option<&CopyCut>,
    encoder: &EncoderSettings,
    rate: FrameRate,
) -> Vec<(u64, u64, SegmentKind, i64)> {
    let moment = |frame: u64| clip.start_ticks.saturating_add(rate.frame_to_ticks(frame));
    let encode = |first: u64, end: u64| {
        let pieces = pieces(end.saturating_sub(first), encoder.segment_seconds, rate);
        let piece =
            move |(offset, length)| (first + offset, length, SegmentKind::Encode, moment(first + offset));
        pieces.into_iter().map(piece)
    };
    let (first, last) = (clip.effects.dissolve_in, clip.frames - clip.effects.dissolve_out);
    let mut segments = Vec::new();
    if first > 0 {
        segments.push((0, first, SegmentKind::Blend, moment(0)));
    }
    match copy {
        Some(cut) => {
            segments.extend(encode(first, cut.head));
            segments.push((cut.head, cut.body, SegmentKind::Copy, cut.body_at));
            segments.extend(encode(cut.head + cut.body, last));
        }
        None => segments.extend(encode(first, last)),
    }
    segments
}

/// Cuts `frames` into near-equal runs of at most `seconds`: (first frame, number of frames).
fn pieces(frames: u64, seconds: u32, rate: FrameRate) -> Vec<(u64, u64)> {
    let longest = rate.ticks_to_frames(i64::from(seconds) * TICKS_PER_SECOND).max(1);
    let count = frames.div_ceil(longest);
    let edge = |piece: u64| (u128::from(frames) * u128::from(piece) / u128::from(count.max(1))) as u64;
    (0..count).map(|piece| (edge(piece), edge(piece + 1) - edge(piece))).collect()
}

/// Why a clip is made as it is, for people.
fn reason(clip: &Resolved<'_>, cut: &Result<CopyCut, Why>) -> String {
    if let Some(copy) = clip.copy {
        let encoded = copy.encoded();
        let (mode, frames) = (copy.mode, copy.frames);
        let moved = match mode {
            CutMode::Exact | CutMode::Auto => "",
            CutMode::Snap | CutMode::Copy => "its edges were moved to where the source can be copied; ",
        };
        return match encoded {
            0 => format!("{moved}all {frames} frames are copied"),
            _ => format!(
                "{moved}{encoded} of {frames} frames are encoded: {} at the start, {} at the end",
                copy.head,
                encoded - copy.head
            ),
        };
    }
    match cut {
        Err(Why::Forced(reason)) => format!("all of it is encoded: {reason}"),
        Err(Why::Cut(why)) if clip.unlike.is_empty() => format!("all of it is encoded: {why}"),
        _ if clip.unlike.is_empty() => {
            "all of it is encoded: its pictures are of a kind that is not copied".to_owned()
        }
        _ => {
            let what: Vec<String> = clip.unlike.iter().map(Difference::to_string).collect();
            let codec = VideoCodec::named(&clip.video.codec).is_none();
            let note = if codec {
                format!(
                    " ({} is not copied, since no edges that match it can be encoded safely)",
                    clip.video.codec
                )
            } else {
                String::new()
            };
            format!("all of it is encoded: its source differs from the canvas in {}{note}", what.join(", "))
        }
    }
}

/// Everything that a segment's bytes depend on.
#[derive(Serialize)]
struct Recipe<'a> {
    version: u32,
    kind: SegmentKind,
    source: &'a SourceInfo,
    video: &'a VideoFacts,
    at_ticks: i64,
    frames: u64,
    /// Of what is encoded.
    canvas: Option<(&'a Canvas, &'a EncoderSettings)>,
    /// What is done to its frames, and where they stand in their clip.
    effects: Option<(&'a Effects, u64, u64)>,
    /// The clip that turns into this one: its source, picture, start and length.
    from: Option<(&'a SourceInfo, &'a VideoFacts, i64, u64, &'a Effects)>,
}

/// Gives every segment and sound its key.
fn name(plan: &mut Plan, videos: &[&VideoFacts], sounds: &[Option<&AudioFacts>]) {
    let keys: Vec<String> = plan.segments.iter().map(|segment| key(plan, videos, segment)).collect();
    for (segment, key) in plan.segments.iter_mut().zip(keys) {
        segment.key = key;
    }
    let copied = matches!(plan.sound, SoundPlan::Copy { .. });
    let (speech, measured) = (plan.speech, plan.loudness_lufs.is_some());
    for (clip, sound) in plan.clips.iter_mut().zip(sounds) {
        let Some(sound) = sound else { continue };
        let source = plan.sources.get(clip.source as usize);
        let of = |what: &str| digest(&(what, PLAN_VERSION, source, sound, clip.start_ticks, clip.samples));
        clip.sound_key = Some(of(match (copied, measured) {
            (true, _) => "packets",
            (false, true) => "measured samples",
            (false, false) => "samples",
        }));
        clip.speech_key = (copied && speech).then(|| of("speech"));
    }
}

fn key(plan: &Plan, videos: &[&VideoFacts], segment: &Segment) -> String {
    let index = segment.clip as usize;
    let clip = &plan.clips[index];
    let source = |clip: &PlannedClip| &plan.sources[clip.source as usize];
    let end = segment.first_frame + segment.frames;
    let touched = segment.first_frame < clip.effects.touched_start()
        || end > clip.frames - clip.effects.touched_end().min(clip.frames);
    let before = index.checked_sub(1).filter(|_| segment.kind == SegmentKind::Blend);
    let recipe = Recipe {
        version: PLAN_VERSION,
        kind: segment.kind,
        source: source(clip),
        video: videos[index],
        at_ticks: segment.at_ticks,
        frames: segment.frames,
        canvas: (segment.kind != SegmentKind::Copy).then_some((&plan.canvas, &plan.encoder)),
        effects: touched.then_some((&clip.effects, segment.first_frame, clip.frames)),
        from: before.map(|before| {
            let clip = &plan.clips[before];
            (source(clip), videos[before], clip.start_ticks, clip.frames, &clip.effects)
        }),
    };
    digest(&recipe)
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

#[cfg(test)]
mod tests;
