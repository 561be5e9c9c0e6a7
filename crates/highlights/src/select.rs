//! Which highlights are taken, and in which order. Pure.
//!
//! The steps are those of [`Selection`], in the order of its fields: score, padding, merging, shares, mix, number, time, order. So shares and
//! numbers count what will be seen as one clip. What is equally good is told apart by when it was, then by its video and place, so that
//! the order in which a source happened to list its rows decides nothing but [`ClipOrder::Given`].
//!
//! Highlights whose times are counted in frames of their video cannot be compared with times: they are never merged, and where
//! padding or a budget is asked for they are left out, which [`Selected::in_frames`] counts.

use std::{cmp::Ordering, collections::HashMap};

use contracts::{
    import::{ClipOrder, Mix, Padding, Selection},
    spec::{LONGEST_CLIP_SECONDS, MOST_HIGHLIGHTS, Source},
    time::{MediaTime, TICKS_PER_SECOND},
};
use sha2::{Digest, Sha256};

use crate::candidate::{Candidate, Streamer, When};

/// Longest clip, in ticks.
const LONGEST: i64 = LONGEST_CLIP_SECONDS * TICKS_PER_SECOND;

/// A highlight that was selected, or several that became one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip<'a> {
    /// The best of those that it was made of: title, streamer and score are its.
    pub best: &'a Candidate,
    /// Where it starts on the source, padding included.
    pub start: MediaTime,
    /// How long it is, padding included.
    pub duration: MediaTime,
    /// Where the first of those that it was made of stood in the list.
    place: u32,
    /// How many of its streamer's are better, where all come in turn.
    turn: u32,
}

/// What was selected.
#[derive(Debug, Default, PartialEq)]
pub struct Selected<'a> {
    /// In the order in which they stand in the montage.
    pub clips: Vec<Clip<'a>>,
    /// How many more would have been taken, had a montage room for them.
    pub left_out: usize,
    /// How many were left out since their times are counted in frames.
    pub in_frames: usize,
}

/// Selects.
#[must_use]
pub fn select<'a>(
    candidates: impl IntoIterator<Item = &'a Candidate>,
    selection: &Selection,
) -> Selected<'a> {
    let good_enough = |candidate: &Candidate| {
        selection.minimum_score.is_none_or(|least| candidate.score.is_some_and(|score| score >= least))
    };
    let candidates = candidates.into_iter().enumerate().filter(|(_, candidate)| good_enough(candidate));
    let in_ticks = selection.budget.is_some() || selection.padding != Padding::default();
    let mut in_frames = 0;
    let mut clips = Vec::new();
    for (place, best) in candidates {
        // A source has far fewer rows than that.
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let clip = |start, duration| Clip { best, start, duration, place, turn: 0 };
        match pad(best, selection.padding) {
            Some((start, duration)) => clips.push(clip(start, duration)),
            None if in_ticks => in_frames += 1,
            None => clips.push(clip(best.start, best.duration)),
        }
    }
    unite(&mut clips, selection.merge);

    // All is sorted where it stands, since a year of rows is large: those that nothing else tells apart, by their place.
    clips.sort_unstable_by(rank);
    let mut of_video = Shares::new(selection.per_video);
    clips.retain(|clip| of_video.take(&*clip.best.source));
    let mut of_streamer = Shares::new(selection.per_streamer);
    clips.retain(|clip| of_streamer.take(streamer(clip)));
    if selection.mix == Mix::Equal {
        by_turns(&mut clips);
    }
    let wanted = selection.top.map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
    clips.truncate(wanted);
    if let Some(budget) = selection.budget.and_then(MediaTime::ticks) {
        let mut left = budget;
        clips.retain(|clip| {
            let fits = clip.duration.ticks().is_some_and(|length| length <= left);
            left -= if fits { clip.duration.ticks().unwrap_or_default() } else { 0 };
            fits
        });
    }
    let left_out = clips.len().saturating_sub(MOST_HIGHLIGHTS);
    clips.truncate(MOST_HIGHLIGHTS);
    match selection.order {
        ClipOrder::Given => clips.sort_unstable_by_key(|clip| clip.place),
        ClipOrder::Score => clips.sort_unstable_by(rank),
        ClipOrder::Time => clips.sort_unstable_by(by_time),
        ClipOrder::Shuffle => clips.sort_by_cached_key(|clip| lot(selection.seed, clip)),
    }
    Selected { clips, left_out, in_frames }
}

/// Start and duration with what is added around; `None` where they are not times.
fn pad(candidate: &Candidate, padding: Padding) -> Option<(MediaTime, MediaTime)> {
    let (start, duration) = (candidate.start.ticks()?, candidate.duration.ticks()?);
    let ticks = |time: Option<MediaTime>| time.and_then(MediaTime::ticks).unwrap_or_default();
    let padded = start.saturating_sub(ticks(padding.before)).max(0);
    let end = start.saturating_add(duration).saturating_add(ticks(padding.after));
    Some((MediaTime::Ticks(padded), MediaTime::Ticks((end - padded).min(LONGEST))))
}

/// Makes one clip of those that overlap, unless it would be longer than a clip may be; drops what is there twice. Those that only touch stay
/// two: they may be of two people, and show nothing twice.
fn unite(clips: &mut Vec<Clip<'_>>, merge: bool) {
    clips.sort_unstable_by(|a, b| by_place(a, b).then_with(|| rank(a, b)));
    clips.dedup_by(|clip, last| {
        if clip.best.source != last.best.source {
            return false;
        }
        let same = (last.start, last.duration) == (clip.start, clip.duration);
        let joined = if same { Some(last.duration) } else { joined(last, clip).filter(|_| merge) };
        let Some(duration) = joined else { return false };
        let best = if rank(clip, last) == Ordering::Less { clip.best } else { last.best };
        *last = Clip { best, duration, place: last.place.min(clip.place), ..*last };
        true
    });
}

/// The length of the clip that two of one source make, the first of which starts first.
fn joined(first: &Clip<'_>, second: &Clip<'_>) -> Option<MediaTime> {
    let start = first.start.ticks()?;
    let end = start + first.duration.ticks()?;
    let second_start = second.start.ticks()?;
    let length = end.max(second_start + second.duration.ticks()?) - start;
    (second_start < end && length <= LONGEST).then_some(MediaTime::Ticks(length))
}

/// How many are still taken of each.
struct Shares<K> {
    most: Option<u32>,
    taken: HashMap<K, u32>,
}

impl<K: std::hash::Hash + Eq> Shares<K> {
    fn new(most: Option<u32>) -> Self {
        Self { most, taken: HashMap::new() }
    }

    fn take(&mut self, of: K) -> bool {
        let Some(most) = self.most else { return true };
        let taken = self.taken.entry(of).or_default();
        *taken += 1;
        *taken <= most
    }
}

/// The best of each streamer, then the second best of each, and so on. The best come first already.
fn by_turns(clips: &mut [Clip<'_>]) {
    let mut turns: HashMap<Option<&Streamer>, u32> = HashMap::new();
    for clip in &mut *clips {
        let turn = turns.entry(streamer(clip)).or_default();
        clip.turn = *turn;
        *turn += 1;
    }
    clips.sort_unstable_by(|a, b| a.turn.cmp(&b.turn).then_with(|| rank(a, b)));
}

fn streamer<'a>(clip: &Clip<'a>) -> Option<&'a Streamer> {
    clip.best.streamer.as_deref()
}

/// The best first; those without a score last.
fn rank(a: &Clip<'_>, b: &Clip<'_>) -> Ordering {
    let score = |clip: &Clip<'_>| clip.best.score.unwrap_or(f64::NEG_INFINITY);
    score(b).total_cmp(&score(a)).then_with(|| by_time(a, b))
}

/// By when they were, those that do not say last; then by video and place.
fn by_time(a: &Clip<'_>, b: &Clip<'_>) -> Ordering {
    let moment = |clip: &Clip<'_>| match clip.best.when {
        None => (true, 0),
        Some(When::Moment(at)) => (false, at.timestamp()),
        Some(When::Day(day)) => (false, day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()),
    };
    // To the last difference, so that rows that come in another order are not told apart in another way.
    let rest = |clip: &Clip<'_>| (position(clip.best.start), position(clip.best.duration));
    moment(a)
        .cmp(&moment(b))
        .then_with(|| by_place(a, b))
        .then_with(|| rest(a).cmp(&rest(b)))
        .then_with(|| a.best.title.cmp(&b.best.title))
        .then_with(|| a.best.streamer.cmp(&b.best.streamer))
        .then_with(|| a.place.cmp(&b.place))
}

fn by_place(a: &Clip<'_>, b: &Clip<'_>) -> Ordering {
    a.best
        .source
        .cmp(&b.best.source)
        .then_with(|| position(a.start).cmp(&position(b.start)))
        .then_with(|| position(a.duration).cmp(&position(b.duration)))
}

/// Orders times; those in frames after all others.
fn position(time: MediaTime) -> (bool, i64) {
    match time {
        MediaTime::Ticks(ticks) => (false, ticks),
        MediaTime::Frames(frames) => (true, i64::try_from(frames).unwrap_or(i64::MAX)),
    }
}

/// What a clip draws: a hash of the seed and of itself alone, so that other clips do not change it.
fn lot(seed: i64, clip: &Clip<'_>) -> [u8; 32] {
    let (kind, place) = match &*clip.best.source {
        Source::Url(url) => ("url", url.clone()),
        Source::Path(path) => ("path", path.clone()),
        Source::Upload(id) => ("upload", id.to_string()),
        Source::Montage(id) => ("montage", id.to_string()),
    };
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    for text in [kind, &place] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    for (in_frames, count) in [position(clip.start), position(clip.duration)] {
        hash.update([u8::from(in_frames)]);
        hash.update(count.to_be_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
