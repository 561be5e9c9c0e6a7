//! Where a clip can be copied: which of its frames are taken over bit for bit and which are encoded. Pure functions.
//!
//! Copying can start at a picture that refers to nothing before it ([`PictureKind::Idr`], [`PictureKind::Cra`]), and it
//! can end behind any picture in decoding order, as long as what was decoded until then is shown without a hole: what
//! follows is simply left out, and nothing earlier refers to it. So hardly anything is encoded at a clip's end, and at
//! most one group of pictures at its start.
//!
//! Frames are numbered from the clip's first one, which is the source's frame on the screen at its start; those before
//! have negative numbers.

use serde::{Deserialize, Serialize};

use crate::bitstream::PictureKind;
use crate::order::CutMode;
use crate::time::{FrameRate, TIME_TOLERANCE_TICKS};

/// What a run of encoded frames costs besides its frames, in frames: decoding from the key picture before, starting an
/// encoder, a key picture of its own.
const RUN_COST: u64 = 8;
/// A copied frame costs one in so many of an encoded one: it is read, hashed and written.
const COPY_SHARE: u64 = 32;
/// `auto` encodes at a clip's edges up to one in so many of its frames; beyond that it moves them.
const AUTO_SHARE: u64 = 4;

/// One coded picture of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodedPicture {
    /// When it is shown, in ticks from the source's origin.
    pub at: i64,
    /// What decoding at it means.
    pub kind: PictureKind,
}

/// The coded pictures of a source around a clip's start and end, in decoding order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edges {
    /// From a key picture that is shown at or before the clip's start to the first one from which the clip can be
    /// copied, with those that are decoded behind it and shown before it.
    pub start: Vec<CodedPicture>,
    /// From the last key picture that is shown at or before the last place where a copy may end, until beyond the clip's
    /// end.
    pub end: Vec<CodedPicture>,
}

/// What is asked of a clip's cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Its start, in ticks from the origin.
    pub start: i64,
    /// Its length in frames, at least 1.
    pub frames: u64,
    /// The source's rate, and the montage's if the clip is copied.
    pub rate: FrameRate,
    /// The mode.
    pub mode: CutMode,
    /// How far `snap` may move the edges, in ticks.
    pub tolerance: i64,
    /// Frames at the start that are changed (a transition, a name over the picture), so that they cannot be copied.
    pub touched_start: u64,
    /// Frames at the end that are changed.
    pub touched_end: u64,
}

/// A cut by which something is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyCut {
    /// Start of the clip, in ticks from the origin.
    pub start: i64,
    /// Its length in frames.
    pub frames: u64,
    /// Frames in front of the copied ones.
    pub head: u64,
    /// Copied frames, at least 1.
    pub body: u64,
    /// When the first copied picture is shown, in ticks from the origin.
    pub body_at: i64,
    /// The mode that was used: never [`CutMode::Auto`].
    pub mode: CutMode,
}

impl CopyCut {
    /// Frames that are encoded.
    pub fn encoded(&self) -> u64 {
        self.frames - self.body
    }
}

/// Why nothing of a clip is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoCopy {
    /// There is no place to start within the clip.
    #[error("no picture in it can be copied from: it lies between two of the source's independent pictures")]
    NoStart,
    /// The frames do not follow each other evenly.
    #[error("its frames do not follow each other evenly")]
    Uneven,
    /// What could be copied is not worth it.
    #[error("so little of it could be copied that encoding all of it is cheaper")]
    NotWorthIt,
    /// All frames are changed by transitions and names.
    #[error("transitions or names over the picture change all that could be copied")]
    Touched,
}

/// A place where copying can start: frame number and time.
type Start = (i64, i64);

/// Chooses a clip's cut.
///
/// # Errors
/// Why nothing of it is copied.
pub fn choose(edges: &Edges, wish: &Wish) -> Result<CopyCut, NoCopy> {
    let places = Places::find(edges, wish)?;
    let cut = match wish.mode {
        CutMode::Exact => places.exact(wish),
        CutMode::Snap => places.snapped(wish),
        CutMode::Copy => places.copied(wish),
        CutMode::Auto => {
            let exact = places.exact(wish);
            match exact {
                Ok(cut) if cut.encoded() <= cut.frames / AUTO_SHARE => exact,
                _ => places.snapped(wish).or(exact),
            }
        }
    }?;
    let runs = u64::from(cut.head > 0) + u64::from(cut.head + cut.body < cut.frames);
    let cost = cut.encoded() + runs * RUN_COST + cut.body / COPY_SHARE;
    if cost < cut.frames + RUN_COST { Ok(cut) } else { Err(NoCopy::NotWorthIt) }
}

/// Where a clip's copy can start and end.
struct Places {
    starts: Vec<Start>,
    /// Frame numbers behind the last copied frame, in growing order.
    ends: Vec<i64>,
}

impl Places {
    fn find(edges: &Edges, wish: &Wish) -> Result<Self, NoCopy> {
        let frame = wish.rate.frame_to_ticks(1);
        let tolerance = TIME_TOLERANCE_TICKS.min(frame / 4);
        let on_screen =
            edges.start.iter().map(|picture| picture.at).filter(|at| *at <= wish.start + tolerance);
        let first = || edges.start.iter().map(|picture| picture.at).min();
        let anchor = on_screen.max().or_else(first).ok_or(NoCopy::NoStart)?;
        let number = |at: i64| {
            let number = (at - anchor + (at - anchor).signum() * frame / 2) / frame.max(1);
            // Rates do not divide ticks evenly in general: the place is taken from the exact rate.
            let exact = wish.rate.frame_to_ticks(number.unsigned_abs()) * number.signum();
            ((at - anchor - exact).abs() <= tolerance).then_some(number)
        };
        let numbered = |pictures: &[CodedPicture]| -> Option<Vec<(i64, CodedPicture)>> {
            pictures.iter().map(|picture| Some((number(picture.at)?, *picture))).collect()
        };
        let (start, end) = numbered(&edges.start).zip(numbered(&edges.end)).ok_or(NoCopy::Uneven)?;
        let starts = start
            .iter()
            .filter(|(_, picture)| matches!(picture.kind, PictureKind::Idr | PictureKind::Cra))
            .map(|(number, picture)| (*number, picture.at))
            .collect();
        let end: Vec<i64> = end.into_iter().map(|(number, _)| number).collect();
        Ok(Self { starts, ends: ends(&end) })
    }

    /// The cut from `start` (a frame, with its time if it is where copying starts) to frame `end`, with as much copied as
    /// can be.
    fn cut(&self, wish: &Wish, start: Option<Start>, end: i64, mode: CutMode) -> Result<CopyCut, NoCopy> {
        let first = start.map_or(0, |(number, _)| number);
        let touched_start = first.saturating_add(as_frames(wish.touched_start));
        let last = end.saturating_sub(as_frames(wish.touched_end));
        let (body, body_at) = self
            .starts
            .iter()
            .copied()
            .filter(|(number, _)| *number >= touched_start)
            .min()
            .ok_or(if wish.touched_start > 0 { NoCopy::Touched } else { NoCopy::NoStart })?;
        let body_end = self.ends.iter().copied().filter(|place| *place <= last).max().unwrap_or(i64::MIN);
        if body_end <= body {
            return Err(if wish.touched_end > 0 { NoCopy::Touched } else { NoCopy::NoStart });
        }
        Ok(CopyCut {
            start: start.map_or(wish.start, |(_, at)| at),
            frames: (end - first) as u64,
            head: (body - first) as u64,
            body: (body_end - body) as u64,
            body_at,
            mode,
        })
    }

    fn exact(&self, wish: &Wish) -> Result<CopyCut, NoCopy> {
        self.cut(wish, None, as_frames(wish.frames), CutMode::Exact)
    }

    fn snapped(&self, wish: &Wish) -> Result<CopyCut, NoCopy> {
        let reach = as_frames(wish.rate.ticks_to_frames(wish.tolerance));
        let wanted = as_frames(wish.frames);
        let near = |place: &i64, wanted: i64| (place - wanted).abs() <= reach;
        let start = (wish.touched_start == 0)
            .then(|| self.starts.iter().copied().filter(|(number, _)| near(number, 0)))
            .and_then(|starts| starts.min_by_key(|(number, _)| (number.abs(), *number)));
        let end = (wish.touched_end == 0)
            .then(|| self.ends.iter().copied().filter(|place| near(place, wanted)))
            .and_then(|ends| ends.min_by_key(|place| ((place - wanted).abs(), *place)));
        self.moved(wish, start, end.unwrap_or(wanted), CutMode::Snap)
    }

    fn copied(&self, wish: &Wish) -> Result<CopyCut, NoCopy> {
        let wanted = as_frames(wish.frames);
        let before = self.starts.iter().copied().filter(|(number, _)| *number <= 0).max();
        let start = (wish.touched_start == 0).then(|| before.or(self.starts.iter().copied().min())).flatten();
        let behind = self.ends.iter().copied().find(|place| *place >= wanted);
        let end = (wish.touched_end == 0).then(|| behind.or(self.ends.last().copied())).flatten();
        self.moved(wish, start, end.unwrap_or(wanted), CutMode::Copy)
    }

    /// A cut with moved edges, unless they would meet.
    fn moved(&self, wish: &Wish, start: Option<Start>, end: i64, mode: CutMode) -> Result<CopyCut, NoCopy> {
        let touched = as_frames(wish.touched_start + wish.touched_end);
        if end - start.map_or(0, |(number, _)| number) <= touched {
            return self.exact(wish);
        }
        self.cut(wish, start, end, mode)
    }
}

/// A number of frames, far from where sums could overflow.
fn as_frames(frames: u64) -> i64 {
    i64::try_from(frames).unwrap_or(i64::MAX).min(1 << 48)
}

/// The places behind which copying can end, from the frame numbers in decoding order: after each picture, if what was
/// decoded so far is shown without a hole. All that was decoded before the first picture counts as shown up to the
/// earliest number here.
fn ends(numbers: &[i64]) -> Vec<i64> {
    let Some(earliest) = numbers.iter().min().copied() else { return Vec::new() };
    let mut seen = std::collections::BTreeSet::new();
    let (mut edge, mut latest) = (earliest, earliest - 1);
    let mut ends = vec![earliest];
    for number in numbers {
        seen.insert(*number);
        latest = latest.max(*number);
        while seen.remove(&edge) {
            edge += 1;
        }
        if edge > latest && ends.last().is_none_or(|last| *last < edge) {
            ends.push(edge);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::TICKS_PER_SECOND;

    fn rate() -> FrameRate {
        "30".parse().unwrap()
    }

    /// Pictures of a source in decoding order: key pictures every `gop` frames, `b` frames between two others that are
    /// decoded after the one they are shown before; open groups have those in front of a key picture, too.
    fn source(frames: i64, gop: i64, b: i64, key: PictureKind) -> Vec<(i64, PictureKind)> {
        let mut coded = vec![(0, key)];
        let mut last = 0;
        while last + 1 < frames {
            let closed = key == PictureKind::Idr;
            let next_key = (last / gop + 1) * gop;
            let mut next = (last + b + 1).min(frames - 1);
            if next >= next_key {
                next = if closed && last + 1 < next_key { next_key - 1 } else { next_key };
            }
            let next = next.min(frames - 1);
            let is_key = next % gop == 0;
            coded.push((next, if is_key { key } else { PictureKind::Other }));
            let between = if is_key && !closed { PictureKind::Leading } else { PictureKind::Other };
            coded.extend((last + 1..next).map(|frame| (frame, between)));
            last = next;
        }
        coded
    }

    /// The edges of a clip as they are read from that source.
    fn edges(coded: &[(i64, PictureKind)], wish: &Wish) -> Edges {
        let first = rate().ticks_to_frames(wish.start) as i64;
        let from = first + wish.touched_start as i64;
        let end = first + wish.frames as i64 - wish.touched_end as i64;
        let picture = |(frame, kind): &(i64, PictureKind)| CodedPicture {
            at: rate().frame_to_ticks(*frame as u64),
            kind: *kind,
        };
        let is_key = |kind: PictureKind| matches!(kind, PictureKind::Idr | PictureKind::Cra);
        let key_before = |frame: i64| {
            let keys = coded.iter().enumerate().filter(|(_, (at, kind))| is_key(*kind) && *at <= frame);
            keys.map(|(index, _)| index).next_back().unwrap_or(0)
        };
        let start = key_before(first);
        let found = coded[start..].iter().position(|(at, kind)| is_key(*kind) && *at >= from);
        let upto = found.map_or(coded.len(), |found| {
            let key = start + found;
            let behind = coded[key..].iter().position(|(at, _)| *at > coded[key].0);
            behind.map_or(coded.len(), |behind| key + behind + 1)
        });
        Edges {
            start: coded[start..upto].iter().map(picture).collect(),
            end: coded[key_before(end)..].iter().take(80).map(picture).collect(),
        }
    }

    fn wish(first: i64, frames: u64, mode: CutMode) -> Wish {
        Wish {
            start: rate().frame_to_ticks(first as u64),
            frames,
            rate: rate(),
            mode,
            tolerance: TICKS_PER_SECOND / 2,
            touched_start: 0,
            touched_end: 0,
        }
    }

    fn cut(first: i64, frames: u64, mode: CutMode) -> Result<CopyCut, NoCopy> {
        let coded = source(600, 60, 2, PictureKind::Idr);
        let wish = wish(first, frames, mode);
        choose(&edges(&coded, &wish), &wish)
    }

    #[test]
    fn exact_cuts_encode_the_edges_only() {
        let found = cut(70, 300, CutMode::Exact).unwrap();
        assert_eq!((found.head, found.body, found.frames), (50, 370 - 120, 300));
        // Frame 371 is a B frame that refers to 372: the last place before it is 370.
        let found = cut(60, 311, CutMode::Exact).unwrap();
        assert_eq!((found.head, found.body, found.encoded()), (0, 310, 1));
    }

    #[test]
    fn snapped_cuts_encode_nothing_when_they_can() {
        let found = cut(70, 300, CutMode::Snap).unwrap();
        assert_eq!((found.start, found.head, found.encoded()), (2 * TICKS_PER_SECOND, 0, 0));
        assert!((found.frames as i64 - 310).abs() <= 2);
        let far = cut(90, 300, CutMode::Snap).unwrap();
        assert_eq!((far.head, far.start), (30, 3 * TICKS_PER_SECOND), "no key picture within half a second");
        let copied = cut(90, 300, CutMode::Copy).unwrap();
        assert_eq!((copied.start, copied.encoded()), (2 * TICKS_PER_SECOND, 0));
        assert!(copied.frames >= 330);
    }

    #[test]
    fn auto_moves_the_edges_only_where_it_pays() {
        assert_eq!(cut(70, 400, CutMode::Auto).unwrap().mode, CutMode::Exact);
        assert_eq!(cut(70, 150, CutMode::Auto).unwrap().mode, CutMode::Snap);
    }

    #[test]
    fn what_cannot_be_copied_says_why() {
        assert_eq!(cut(61, 40, CutMode::Exact), Err(NoCopy::NoStart));
        assert_eq!(cut(59, 4, CutMode::Exact), Err(NoCopy::NotWorthIt));
        let coded = source(600, 60, 2, PictureKind::Idr);
        let plain = wish(70, 300, CutMode::Exact);
        let mut uneven = edges(&coded, &plain);
        uneven.end[3].at += rate().frame_to_ticks(1) / 2;
        assert_eq!(choose(&uneven, &plain), Err(NoCopy::Uneven));
        let touched = Wish { touched_start: 200, touched_end: 200, ..plain };
        assert_eq!(choose(&edges(&coded, &touched), &touched), Err(NoCopy::Touched));
        assert_eq!(choose(&Edges::default(), &wish(0, 10, CutMode::Exact)), Err(NoCopy::NoStart));
    }

    #[test]
    fn touched_frames_are_encoded() {
        let coded = source(600, 60, 2, PictureKind::Idr);
        let touched = Wish { touched_start: 15, touched_end: 20, ..wish(60, 300, CutMode::Snap) };
        let found = choose(&edges(&coded, &touched), &touched).unwrap();
        assert!(found.head >= 15 && found.frames - found.head - found.body >= 20, "{found:?}");
    }

    #[test]
    fn leading_pictures_of_a_key_picture_end_a_copy_before_it() {
        // Decoded: 0, 3, 1, 2, 6 (key), 4, 5: with the key left out, frame 3 is the last.
        assert_eq!(ends(&[6, 4, 5, 9, 7, 8]), [4, 7, 10]);
        assert_eq!(ends(&[0, 4, 2, 1, 3, 8, 6, 5, 7]), [0, 1, 5, 9]);
        assert_eq!(ends(&[0, 1, 3, 4]), [0, 1, 2]);
    }

    proptest! {
        /// Whatever is copied can be decoded from its start and is shown without a hole.
        #[test]
        fn a_copied_body_is_whole(
            gop in 5_i64..80, b in 0_i64..5, open: bool, first in 0_i64..300, frames in 1_u64..250,
            mode in prop_oneof![Just(CutMode::Exact), Just(CutMode::Snap), Just(CutMode::Copy), Just(CutMode::Auto)],
            touched_start in 0_u64..20, touched_end in 0_u64..20,
        ) {
            let key = if open { PictureKind::Cra } else { PictureKind::Idr };
            let coded = source(600, gop, b, key);
            let wish = Wish { touched_start, touched_end, ..wish(first, frames, mode) };
            let Ok(found) = choose(&edges(&coded, &wish), &wish) else {
                return Ok(());
            };
            let start = rate().ticks_to_frames(found.start) as i64;
            let body = rate().ticks_to_frames(found.body_at) as i64;
            prop_assert_eq!(start + found.head as i64, body);
            prop_assert!(found.head >= touched_start);
            prop_assert!(found.frames - found.head - found.body >= touched_end);
            let place = coded.iter().position(|(frame, _)| *frame == body).unwrap();
            prop_assert_eq!(coded[place].1, key);
            // As many pictures in decoding order from there, without those that are shown before it, are the body.
            let copied: Vec<i64> = coded[place..].iter().map(|(frame, _)| *frame).filter(|frame| *frame >= body)
                .take(found.body as usize).collect();
            let mut shown = copied.clone();
            shown.sort_unstable();
            prop_assert_eq!(shown, (body..body + found.body as i64).collect::<Vec<_>>());
            match found.mode {
                CutMode::Exact => prop_assert_eq!((start, found.frames), (first, frames)),
                CutMode::Snap => {
                    prop_assert!((start - first).abs() <= 15);
                    prop_assert!((start + found.frames as i64 - first - frames as i64).abs() <= 15);
                }
                _ => prop_assert!(start <= first || body == start),
            }
        }
    }
}
