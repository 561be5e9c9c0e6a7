//! Making the plan. Pure functions of the order and of what was found in the sources.
//!
//! It goes in two steps, since where a clip can be copied is read from the source only near its edges: [`briefs`] places
//! the clips and says what has to be looked at, [`plan`] takes what was found there, elects the canvas, and lays out the
//! segments. Everything that is wrong is reported at once, each with the index of its clip.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canvas::{Candidate, differences, elect};
use crate::cutting::{CopyCut, Edges, NoCopy, Wish, choose};
use crate::error::{Problem, ProblemKind};
use crate::facts::{AudioFacts, Probe, VideoFacts};
use crate::order::{
    ClipOrder, Cut, CutMode, EncoderSettings, Extent, Moment, Order, SourceInfo, TransitionKind,
};
use crate::plan::{
    Canvas, Difference, Effects, Name, PLAN_VERSION, Plan, PlannedClip, Segment, SegmentKind, SoundPlan,
    VideoCodec, digest, end_slack, frame_at,
};
use crate::sound::choose::sound_plan;
use crate::sound::shape::Placed;
use crate::time::{FrameRate, TICKS_PER_SECOND, TIME_TOLERANCE_TICKS};

/// How much longer than its estimated length a source may turn out, in ticks: half a second. Decoding tells for sure.
const ESTIMATE_TICKS: i64 = TICKS_PER_SECOND / 2;

/// What is known about a source when a plan is made: nothing (no clip uses it), a refusal, or its facts.
pub type Probed = Option<Result<Probe, ProblemKind>>;

/// A clip's place on its source and what is done to its edges. Times in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// Where it starts, from the source's first video frame.
    pub start: i64,
    /// How long it is.
    pub duration: i64,
    /// How it is cut.
    pub cut: Cut,
    /// How long its first pictures are changed.
    pub touched_start: i64,
    /// How long its last pictures are changed.
    pub touched_end: i64,
    /// Length of the transition from the clip before it: of its half in this clip, or of a whole dissolve.
    transition_in: i64,
    /// Length of the transition to the next clip, likewise.
    transition_out: i64,
}

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

/// Places the clips of an order.
///
/// # Errors
/// Every problem that can be found without looking at single pictures: of the order, of the sources and of each clip.
pub fn briefs(order: &Order, probes: &[Probed]) -> Result<Vec<Brief>, Vec<Problem>> {
    let mut problems = order.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut briefs = Vec::with_capacity(order.clips.len());
    for (index, clip) in order.clips.iter().enumerate() {
        let problem = |kind| Problem { clip: Some(index as u32), source: Some(clip.source), kind };
        let unknown = || ProblemKind::Unreadable { reason: "it was not probed".to_owned() };
        match probes.get(clip.source as usize).and_then(Option::as_ref) {
            Some(Ok(probe)) => match place(clip, probe) {
                Ok((start, duration)) => briefs.push(Brief {
                    start,
                    duration,
                    cut: clip.cut.unwrap_or(order.cut),
                    touched_start: clip.overlay.as_ref().map_or(0, |overlay| overlay.ticks.min(duration)),
                    touched_end: 0,
                    transition_in: 0,
                    transition_out: 0,
                }),
                Err(kind) => problems.push(problem(kind)),
            },
            Some(Err(kind)) => problems.push(problem(kind.clone())),
            None => problems.push(problem(unknown())),
        }
    }
    let duration = briefs.iter().fold(0_i64, |sum, brief| sum.saturating_add(brief.duration));
    let limit = order.limits.max_duration_ticks;
    if duration > limit {
        problems.push(Problem { clip: None, source: None, kind: ProblemKind::TooLong { duration, limit } });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    add_transitions(order, &mut briefs);
    Ok(briefs)
}

/// Gives each clip its parts of the transitions at its ends. None takes more than half of a clip.
fn add_transitions(order: &Order, briefs: &mut [Brief]) {
    let kind = order.transition.kind;
    if kind == TransitionKind::None {
        return;
    }
    let wanted = match kind {
        TransitionKind::Dissolve => order.transition.ticks,
        _ => order.transition.ticks / 2,
    };
    let halves: Vec<i64> = briefs.iter().map(|brief| brief.duration / 2).collect();
    let count = briefs.len();
    for (index, brief) in briefs.iter_mut().enumerate() {
        let at_start = index == 0;
        let at_end = index + 1 == count;
        let outside = kind == TransitionKind::Fade;
        let joined_before = order.clips.get(index).is_some_and(|clip| clip.continues);
        let joined_behind = order.clips.get(index + 1).is_some_and(|clip| clip.continues);
        let own = halves[index];
        if if at_start { outside } else { !joined_before } {
            let other = if kind == TransitionKind::Dissolve { halves[index - 1] } else { own };
            brief.transition_in = wanted.min(own).min(other);
        }
        if if at_end { outside } else { !joined_behind } {
            let other = if kind == TransitionKind::Dissolve { halves[index + 1] } else { own };
            brief.transition_out = wanted.min(own).min(other);
        }
        brief.touched_start = brief.touched_start.max(brief.transition_in);
        brief.touched_end = brief.transition_out;
    }
}

/// Start and duration of a clip.
fn place(clip: &ClipOrder, probe: &Probe) -> Result<(i64, i64), ProblemKind> {
    let rate = probe.video.frame_rate;
    let ticks = |moment: Moment| match moment {
        Moment::Ticks(ticks) => ticks,
        Moment::Frames(frames) => rate.frame_to_ticks(frames),
    };
    let start = ticks(clip.start).saturating_add(clip.shift_ticks);
    if start < 0 {
        return Err(ProblemKind::StartsBeforeSource);
    }
    let duration = match clip.extent {
        Extent::Duration(length) => ticks(length),
        Extent::End(end) => ticks(end).saturating_add(clip.shift_ticks).saturating_sub(start),
        Extent::Rest => {
            let unknown = || ProblemKind::Unreadable {
                reason: "it does not say how long it is: give a duration".to_owned(),
            };
            probe.duration_ticks.ok_or_else(unknown)?.saturating_sub(start)
        }
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
    Ok((start, duration))
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bitstream::PictureKind;
    use crate::cutting::CodedPicture;
    use crate::order::Transition;
    use crate::plan::tests::video;

    fn probe(rate: &str, seconds: i64) -> Probe {
        Probe {
            container: "mp4".to_owned(),
            origin_ticks: 0,
            duration_ticks: Some(seconds * TICKS_PER_SECOND),
            duration_is_estimate: false,
            video: VideoFacts { frame_rate: rate.parse().unwrap(), ..video() },
            audio: None,
        }
    }

    fn order(clips: serde_json::Value) -> Order {
        let sources = [1, 2].map(|bytes| SourceInfo { bytes, identity: None });
        serde_json::from_value(serde_json::json!({ "sources": sources, "clips": clips })).unwrap()
    }

    fn clip(source: u32, start: i64, length: i64) -> serde_json::Value {
        let ticks = |ticks: i64| serde_json::json!({ "ticks": ticks });
        serde_json::json!({ "source": source, "start": ticks(start), "extent": { "duration": ticks(length) } })
    }

    /// The edges of a clip on a source of independent pictures every `gop` frames.
    fn edges(brief: &Brief, rate: FrameRate, gop: u64) -> Edges {
        let picture = |frame: u64| CodedPicture {
            at: rate.frame_to_ticks(frame),
            kind: if frame.is_multiple_of(gop) { PictureKind::Idr } else { PictureKind::Other },
        };
        let first = rate.ticks_to_frames(brief.start) / gop * gop;
        let touched = rate.ticks_to_frames(brief.start + brief.touched_start);
        let end = rate.ticks_to_frames(brief.start + brief.duration - brief.touched_end);
        Edges {
            start: (first..touched.next_multiple_of(gop) + 1).map(picture).collect(),
            end: (end / gop * gop..end + 200).map(picture).collect(),
        }
    }

    fn planned(order: &Order, probes: &[Probed], gop: u64) -> Result<Plan, Vec<Problem>> {
        let briefs = briefs(order, probes)?;
        let found: Vec<Found> = briefs
            .iter()
            .zip(&order.clips)
            .map(|(brief, clip)| {
                let Some(Ok(probe)) = &probes[clip.source as usize] else { return Found::default() };
                Found { edges: Some(edges(brief, probe.video.frame_rate, gop)), spans: vec![] }
            })
            .collect();
        plan(order, probes, &briefs, &found, &given(&BTreeMap::new()))
    }

    fn given(forced: &BTreeMap<u32, String>) -> Given<'_> {
        Given { forced, sound_forced: None, fonts: "" }
    }

    fn seconds(seconds: i64) -> i64 {
        seconds * TICKS_PER_SECOND
    }

    #[test]
    fn a_source_that_was_refused_is_a_problem_of_each_of_its_clips() {
        let order = order(serde_json::json!([clip(0, 0, seconds(1)), clip(1, 0, 1), clip(1, 0, 1)]));
        let problems =
            briefs(&order, &[Some(Ok(probe("30", 60))), Some(Err(ProblemKind::NoVideo))]).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.clip).collect::<Vec<_>>(), [Some(1), Some(2)]);
    }

    #[test]
    fn the_end_may_be_rounded_but_not_passed() {
        let with_length = |length| {
            let order = order(serde_json::json!([clip(0, 0, length)]));
            planned(&order, &[Some(Ok(probe("25", 10))), None], 50).map(|plan| plan.frames)
        };
        assert_eq!(with_length(seconds(10)), Ok(250));
        assert_eq!(with_length(seconds(10) + TICKS_PER_SECOND / 25), Ok(251));
        assert!(with_length(seconds(10) + TICKS_PER_SECOND / 8).is_err());
        assert_eq!(with_length(1), Ok(1), "no clip is without a frame");
        let rest = serde_json::json!([{ "source": 0, "start": { "ticks": seconds(4) }, "extent": "rest" }]);
        assert_eq!(planned(&order(rest), &[Some(Ok(probe("25", 10))), None], 50).unwrap().frames, 150);
    }

    #[test]
    fn only_edges_are_encoded_and_the_plan_says_why() {
        let order =
            order(serde_json::json!([clip(0, seconds(1), seconds(20)), clip(1, seconds(4), seconds(6))]));
        let odd = Probe { video: VideoFacts { width: 640, ..video() }, ..probe("30", 60) };
        let plan = planned(&order, &[Some(Ok(probe("30", 60))), Some(Ok(odd))], 60).unwrap();
        let kinds: Vec<_> =
            plan.segments.iter().map(|segment| (segment.kind, segment.first_frame, segment.frames)).collect();
        use SegmentKind::{Copy, Encode};
        assert_eq!(kinds, [(Encode, 0, 30), (Copy, 30, 570), (Encode, 0, 180)]);
        assert_eq!(plan.clips[1].differences, [Difference::Size]);
        assert!(plan.clips[0].reason.starts_with("30 of 600 frames"), "{}", plan.clips[0].reason);
        assert!(plan.clips[1].reason.contains("differs from the canvas in size"), "{}", plan.clips[1].reason);
        assert_eq!(plan.copied_frames(), 570);
    }

    #[test]
    fn a_forced_clip_is_encoded() {
        let order = order(serde_json::json!([clip(0, seconds(2), seconds(20))]));
        let probes = [Some(Ok(probe("30", 60))), None];
        let briefs = briefs(&order, &probes).unwrap();
        let found = Found { edges: Some(edges(&briefs[0], "30".parse().unwrap(), 60)), spans: vec![] };
        let forced = BTreeMap::from([(0, "it did not pass".to_owned())]);
        let plan = plan(&order, &probes, &briefs, &[found], &given(&forced)).unwrap();
        assert_eq!((plan.copied_frames(), plan.frames), (0, 600));
        assert!(plan.clips[0].reason.ends_with("it did not pass"));
    }

    #[test]
    fn keys_name_results_and_not_places() {
        let probes = [Some(Ok(probe("30", 60))), Some(Ok(probe("30", 60)))];
        let keys = |clips| -> Vec<String> {
            let plan = planned(&order(clips), &probes, 60).unwrap();
            plan.segments.into_iter().map(|segment| segment.key).collect()
        };
        let one =
            keys(serde_json::json!([clip(0, seconds(1), seconds(9)), clip(0, seconds(20), seconds(9))]));
        let swapped =
            keys(serde_json::json!([clip(0, seconds(20), seconds(9)), clip(0, seconds(1), seconds(9))]));
        assert_eq!(one.iter().collect::<std::collections::BTreeSet<_>>(), swapped.iter().collect());
        let edited =
            keys(serde_json::json!([clip(0, seconds(1), seconds(9)), clip(0, seconds(21), seconds(9))]));
        assert_eq!(one[..2], edited[..2], "the other clip keeps its results");
        assert_ne!(one[2..], edited[2..]);
        let other = keys(serde_json::json!([clip(1, seconds(1), seconds(9))]));
        assert_ne!(one[..2], other[..2], "another source");
    }

    #[test]
    fn dissolves_overlap_and_fades_do_not() {
        let probes = [Some(Ok(probe("30", 60))), None];
        let with = |kind: TransitionKind| {
            let mut order = order(serde_json::json!([
                clip(0, seconds(1), seconds(9)),
                clip(0, seconds(20), seconds(9)),
                clip(0, seconds(30), TICKS_PER_SECOND / 2)
            ]));
            order.transition = Transition { kind, ticks: TICKS_PER_SECOND, colour: [255; 3] };
            planned(&order, &probes, 60).unwrap()
        };
        let plan = with(TransitionKind::Dissolve);
        assert_eq!(plan.frames, 270 + 270 + 15 - 30 - 7);
        assert_eq!((plan.clips[1].first_frame, plan.clips[2].first_frame), (240, 240 + 270 - 7));
        let blends: Vec<u64> = plan
            .segments
            .iter()
            .filter(|segment| segment.kind == SegmentKind::Blend)
            .map(|segment| segment.frames)
            .collect();
        assert_eq!(blends, [30, 7]);
        assert!(plan.copied_frames() > 300);
        let plan = with(TransitionKind::Dip);
        assert_eq!(
            (plan.frames, plan.clips[0].effects.fade_in, plan.clips[0].effects.fade_out),
            (555, 0, 15)
        );
        let plan = with(TransitionKind::Fade);
        assert_eq!((plan.clips[0].effects.fade_in, plan.clips[2].effects.fade_out), (15, 7));
    }

    proptest! {
        #[test]
        fn clips_and_segments_follow_each_other_without_holes(
            lengths in proptest::collection::vec((1_i64..40_000, 0_i64..20_000), 1..20),
            rate in prop_oneof![Just("30"), Just("29.97"), Just("25"), Just("23.976"), Just("60")],
            segment_seconds in 2_u32..30,
            gop in 5_u64..100,
            kind in prop_oneof![Just(TransitionKind::None), Just(TransitionKind::Fade), Just(TransitionKind::Dip), Just(TransitionKind::Dissolve)],
        ) {
            let milli = TICKS_PER_SECOND / 1000;
            let clips: Vec<_> = lengths.iter().map(|(length, start)| clip(0, start * milli, length * milli)).collect();
            let mut order = order(serde_json::json!(clips));
            order.encoder.segment_seconds = segment_seconds;
            order.transition.kind = kind;
            let plan = planned(&order, &[Some(Ok(probe(rate, 100))), None], gop).unwrap();
            let rate = plan.canvas.frame_rate;
            let mut at = 0;
            for segment in &plan.segments {
                prop_assert_eq!(plan.segment_start(segment), at);
                prop_assert!(segment.frames >= 1);
                if segment.kind == SegmentKind::Encode {
                    prop_assert!(segment.frames <= rate.ticks_to_frames(i64::from(segment_seconds) * TICKS_PER_SECOND));
                }
                at += segment.frames;
            }
            prop_assert_eq!(at, plan.frames);
            for (clip, (length, _)) in plan.clips.iter().zip(&lengths) {
                prop_assert!((rate.frame_to_ticks(clip.frames) - length * milli).abs() <= rate.frame_to_ticks(1));
                let own: Vec<_> = plan.segments.iter().filter(|segment| segment.clip == clip.index).collect();
                let made: u64 = own.iter().map(|segment| segment.frames).sum();
                prop_assert_eq!(made + clip.effects.dissolve_out, clip.frames);
                for segment in own.iter().filter(|segment| segment.kind == SegmentKind::Copy) {
                    prop_assert!(segment.first_frame >= clip.effects.touched_start());
                    prop_assert!(segment.first_frame + segment.frames + clip.effects.touched_end() <= clip.frames);
                }
            }
            let last = plan.clips.last().unwrap();
            prop_assert_eq!(last.first_sample + last.samples, plan.samples);
            let apart = crate::time::samples_to_ticks(plan.samples) - plan.duration_ticks();
            prop_assert!(apart.abs() <= TICKS_PER_SECOND / 48_000 + 1, "sound and picture end together");
            let json = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap().hash(), plan.hash());
        }
    }
}
