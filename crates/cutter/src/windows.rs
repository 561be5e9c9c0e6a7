//! Which stretches of a finished montage are decoded to prove it. Pure.
//!
//! Everything that was encoded is, and of what was copied the first pictures and the last group: a copy that is the
//! source's bit for bit can only fail where it meets something else.

use std::ops::Range;

use crate::plan::{Plan, SegmentKind};

/// Pictures of a copy that are decoded behind a seam, and ones before it that are looked at: as many as decoders reorder.
const BEHIND_SEAM: usize = 12;
const BEFORE_SEAM: usize = 16;

/// A stretch that is decoded in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// The pictures in decoding order; the first one is a key picture.
    pub(crate) pictures: Range<usize>,
    /// The segments that it touches.
    pub(crate) segments: Range<usize>,
    /// How many of its first pictures only serve to decode the ones behind them: the part of a copy that no seam is near.
    pub(crate) lead: usize,
}

/// The windows of a montage whose coded pictures, in decoding order, belong to these segments and are key pictures or not.
pub(crate) fn windows(plan: &Plan, pictures: &[(usize, bool)]) -> Vec<Window> {
    let mut wanted: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for (index, segment) in plan.segments.iter().enumerate() {
        let length = pictures[start..].iter().take_while(|(of, _)| *of == index).count();
        let end = start + length;
        if segment.kind == SegmentKind::Copy {
            wanted.push(start..(start + BEHIND_SEAM).min(end));
            let last_key = (start..end).rev().find(|place| pictures[*place].1).unwrap_or(start);
            // A copy that is the whole montage has no seam at its end, but its end is looked at all the same.
            wanted.push(last_key..end);
        } else if length > 0 {
            wanted.push(start..end);
        }
        start = end;
    }
    let mut windows: Vec<Range<usize>> = Vec::new();
    for range in wanted {
        match windows.last_mut() {
            // Without a gap decoding goes on over the seam, which is what it is for.
            Some(window) if range.start <= window.end => window.end = window.end.max(range.end),
            _ => windows.push(range),
        }
    }
    let stretches = windows.into_iter().flat_map(|range| cut(range, pictures));
    stretches
        .filter_map(|range| {
            let (first, last) = (pictures.get(range.start)?.0, pictures.get(range.end.checked_sub(1)?)?.0);
            let copied = plan.segments.get(first).is_some_and(|segment| segment.kind == SegmentKind::Copy);
            let of_first = pictures.get(range.clone())?.iter().take_while(|(of, _)| *of == first).count();
            // Behind the first pictures of a copy comes a gap, so that a stretch that begins a segment has no lead.
            let begins = range.start.checked_sub(1).is_none_or(|before| pictures[before].0 != first);
            let lead = if copied && !begins { of_first.saturating_sub(BEFORE_SEAM) } else { 0 };
            Some(Window { pictures: range, segments: first..last + 1, lead })
        })
        .collect()
}

/// Longest stretch that is decoded in one go, in pictures: several are decoded at the same time.
const LONGEST: usize = 600;

/// Cuts a long stretch at key pictures. The pieces overlap by the group before the cut, so that no seam is missed.
fn cut(range: Range<usize>, pictures: &[(usize, bool)]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = range.start;
    while range.end - from > LONGEST {
        let last_key = |range: Range<usize>| range.rev().find(|place| pictures[*place].1);
        let Some(next) = last_key(from + LONGEST / 2..from + LONGEST) else { break };
        pieces.push(from..next);
        // The next piece begins with the key picture before the cut's own.
        from = last_key(from + 1..next).unwrap_or(next);
    }
    pieces.push(from..range.end);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan_of;

    /// Pictures of segments with these lengths, a key picture every `gop` and at each start.
    fn pictures(lengths: &[usize], gop: usize) -> Vec<(usize, bool)> {
        let of = |(index, length): (usize, &usize)| {
            (0..*length).map(move |place| (index, place % gop == 0)).collect::<Vec<_>>()
        };
        lengths.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn seams_and_encoded_parts_are_decoded() {
        use SegmentKind::{Copy, Encode};
        let plan = plan_of(&[(Encode, 30), (Copy, 400), (Encode, 2), (Copy, 300)]);
        let found = windows(&plan, &pictures(&[30, 400, 2, 300], 60));
        let ranges: Vec<_> = found.iter().map(|window| window.pictures.clone()).collect();
        assert_eq!(ranges, [0..42, 390..444, 672..732]);
        assert_eq!(found[1].segments, 1..4);
        assert_eq!(found.iter().map(|window| window.lead).collect::<Vec<_>>(), [0, 24, 44]);
    }

    #[test]
    fn long_stretches_are_cut_with_an_overlap() {
        let plan = plan_of(&[(SegmentKind::Encode, 2000)]);
        let found = windows(&plan, &pictures(&[2000], 60));
        assert_eq!(found.first().unwrap().pictures.start, 0);
        assert_eq!(found.last().unwrap().pictures.end, 2000);
        assert!(found.len() > 2);
        for pair in found.windows(2) {
            assert!(pair[1].pictures.start < pair[0].pictures.end);
            assert_eq!(pair[1].pictures.start % 60, 0);
        }
    }
}
