//! Which stretches of a finished montage are decoded to prove it. Pure.
//!
//! Everything that was encoded is, and of what was copied the first pictures and the last group: a copy that is the
//! source's bit for bit can only fail where it meets something else.

use std::ops::Range;

use crate::plan::{Plan, SegmentKind};

/// Pictures of a copy that are decoded behind a seam: more than decoders reorder.
const BEHIND_SEAM: usize = 12;

/// A stretch that is decoded in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// The pictures in decoding order; the first one is a key picture.
    pub(crate) pictures: Range<usize>,
    /// The last segment that it touches: faults are told as its.
    pub(crate) segment: usize,
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
    let mut windows: Vec<Window> = Vec::new();
    for range in wanted {
        let Some(last) = pictures.get(range.end.wrapping_sub(1)) else { continue };
        match windows.last_mut() {
            // Without a gap decoding goes on over the seam, which is what it is for.
            Some(window) if range.start <= window.pictures.end => {
                window.pictures.end = window.pictures.end.max(range.end);
                window.segment = last.0;
            }
            _ => windows.push(Window { pictures: range, segment: last.0 }),
        }
    }
    windows.into_iter().flat_map(|window| cut(window, pictures)).collect()
}

/// Longest stretch that is decoded in one go, in pictures: several are decoded at the same time.
const LONGEST: usize = 600;

/// Cuts a long window at key pictures. The pieces overlap by the group before the cut, so that no seam is missed.
fn cut(window: Window, pictures: &[(usize, bool)]) -> Vec<Window> {
    let mut pieces = Vec::new();
    let mut from = window.pictures.start;
    while window.pictures.end - from > LONGEST {
        let keys = |range: Range<usize>| range.rev().find(|place| pictures[*place].1);
        let Some(next) = keys(from + LONGEST / 2..from + LONGEST) else { break };
        // The next piece begins with the key picture before the cut's own.
        let again = keys(from + 1..next).unwrap_or(next);
        pieces.push(Window { pictures: from..next, segment: pictures[next - 1].0 });
        from = again;
    }
    pieces.push(Window { pictures: from..window.pictures.end, segment: window.segment });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan_of;

    /// Pictures of segments with these lengths, a key picture every `gop` and at each start.
    fn pictures(lengths: &[usize], gop: usize) -> Vec<(usize, bool)> {
        let of = |(index, length): (usize, &usize)| (0..*length).map(move |place| (index, place % gop == 0)).collect::<Vec<_>>();
        lengths.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn seams_and_encoded_parts_are_decoded() {
        use SegmentKind::{Copy, Encode};
        let plan = plan_of(&[(Encode, 30), (Copy, 400), (Encode, 2), (Copy, 300)]);
        let found = windows(&plan, &pictures(&[30, 400, 2, 300], 60));
        let ranges: Vec<_> = found.iter().map(|window| window.pictures.clone()).collect();
        assert_eq!(ranges, [0..42, 390..444, 672..732]);
        assert_eq!(found[1].segment, 3);
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
