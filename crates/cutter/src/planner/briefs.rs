//! Where the clips of an order lie on their sources, and how much of their edges is changed: the first step of a plan.

use super::Probed;
use crate::error::{Problem, ProblemKind};
use crate::facts::Probe;
use crate::order::{ClipOrder, Cut, Extent, Moment, Order, TransitionKind};
use crate::plan::end_slack;
use crate::time::{TICKS_PER_SECOND, TIME_TOLERANCE_TICKS};

/// How much longer than its estimated length a source may turn out, in ticks: half a second. Decoding tells for sure.
const ESTIMATE_TICKS: i64 = TICKS_PER_SECOND / 2;

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
    pub(super) transition_in: i64,
    /// Length of the transition to the next clip, likewise.
    pub(super) transition_out: i64,
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
