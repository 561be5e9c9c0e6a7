//! Which segments of a playlist the clips of a montage need: a pure function.
//!
//! For each group that a clip touches there is one composite: the group's first segment, whose first picture is where the times
//! of the group count from, and the segments that overlap a clip, with a margin on both sides. A clip that spans groups becomes
//! consecutive parts, one a group.

use super::{MediaPlaylist, TICKS_PER_SECOND};

/// A part of a clip that is shorter is left out where the clip spans groups: it might not hold a single picture.
const SHORTEST_PART: i64 = TICKS_PER_SECOND / 25;

/// What a clip shows, in ticks of the playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From here.
    pub start: i64,
    /// To here; not before `start`.
    pub end: i64,
}

/// Segments that are read as one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Index of the group that they belong to.
    pub group: usize,
    /// Indexes of the segments, ascending; the first one is the group's first.
    pub segments: Vec<usize>,
    /// Where the group begins in the playlist, in ticks: what to add to a time in the composite to get one in the playlist.
    pub start: i64,
}

/// A clip, or what of it lies in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Index of the composite.
    pub composite: usize,
    /// What it shows, in ticks from the composite's first picture.
    pub window: Window,
}

/// The needed composites, and where each clip lies in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cutting {
    /// In order of their groups.
    pub composites: Vec<Composite>,
    /// For each clip its parts, in order; at least one.
    pub clips: Vec<Vec<Part>>,
}

/// The composites for `clips`, with `margin` ticks on both sides of each. A clip whose times are not known yet (`None`) has all
/// segments of the first group. What lies beyond the playlist's end is left to the last group, which will not have it.
#[must_use]
pub fn windows(playlist: &MediaPlaylist, clips: &[Option<Window>], margin: i64) -> Cutting {
    let ends: Vec<i64> = (1..=playlist.groups.len())
        .map(|next| playlist.groups.get(next).map_or(i64::MAX, |group| group.start))
        .collect();
    let mut needed: Vec<Vec<bool>> =
        playlist.groups.iter().map(|group| vec![false; group.end.saturating_sub(group.first)]).collect();
    let clips: Vec<Vec<Part>> = clips
        .iter()
        .map(|clip| match clip {
            Some(window) => parts(playlist, &ends, *window),
            None => vec![Part { composite: 0, window: Window { start: 0, end: playlist.end() } }],
        })
        .collect();
    for part in clips.iter().flatten() {
        let (Some(group), Some(needed)) =
            (playlist.groups.get(part.composite), needed.get_mut(part.composite))
        else {
            continue;
        };
        let from = group.start.saturating_add(part.window.start).saturating_sub(margin);
        let to = group.start.saturating_add(part.window.end).saturating_add(margin);
        let segments = playlist.segments.get(group.first..group.end).unwrap_or_default();
        for (segment, needed) in segments.iter().zip(needed.iter_mut()) {
            *needed |= segment.start < to && segment.start + segment.duration > from;
        }
        if let Some(first) = needed.first_mut() {
            *first = true;
        }
    }
    let mut numbers = vec![0; needed.len()];
    let mut composites = Vec::new();
    for (index, (needed, group)) in needed.iter().zip(&playlist.groups).enumerate() {
        let segments: Vec<usize> = (group.first..group.end)
            .zip(needed)
            .filter(|(_, needed)| **needed)
            .map(|(index, _)| index)
            .collect();
        if !segments.is_empty() {
            if let Some(number) = numbers.get_mut(index) {
                *number = composites.len();
            }
            composites.push(Composite { group: index, segments, start: group.start });
        }
    }
    // Until here a part named its group.
    let place = |part: Part| Part { composite: numbers.get(part.composite).copied().unwrap_or(0), ..part };
    let clips = clips.into_iter().map(|parts| parts.into_iter().map(place).collect()).collect();
    Cutting { composites, clips }
}

/// What of a clip lies in which group (as `composite`), in times of that group.
fn parts(playlist: &MediaPlaylist, ends: &[i64], window: Window) -> Vec<Part> {
    let mut parts: Vec<Part> = playlist
        .groups
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(index, (group, end))| {
            let (start, end) = (window.start.max(group.start), window.end.min(*end));
            let window =
                Window { start: start.saturating_sub(group.start), end: end.saturating_sub(group.start) };
            Part { composite: index, window }
        })
        .filter(|part| part.window.end > part.window.start)
        .collect();
    let longest = parts.iter().map(|part| part.window.end - part.window.start).max().unwrap_or(0);
    parts.retain(|part| part.window.end - part.window.start >= SHORTEST_PART.min(longest));
    if parts.is_empty() {
        // A clip of no length; whoever cuts will say so.
        let within = playlist.groups.iter().rposition(|group| group.start <= window.start).unwrap_or(0);
        let base = playlist.groups.get(within).map_or(0, |group| group.start);
        let window = Window { start: window.start - base, end: window.end - base };
        parts.push(Part { composite: within, window });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::{Group, Segment};
    use proptest::prelude::*;
    use url::Url;

    const S: i64 = TICKS_PER_SECOND;

    /// A playlist of the given groups of segment durations, in milliseconds.
    fn playlist(groups: &[Vec<i64>]) -> MediaPlaylist {
        let mut made = MediaPlaylist { segments: Vec::new(), groups: Vec::new() };
        let mut at = 0;
        for durations in groups {
            let first = made.segments.len();
            made.groups.push(Group { first, end: first + durations.len(), start: at, init: None });
            for milliseconds in durations {
                let duration = milliseconds * S / 1000;
                let url = Url::parse(&format!("http://a/{}", made.segments.len())).unwrap();
                made.segments.push(Segment { url, range: None, start: at, duration });
                at += duration;
            }
        }
        made
    }

    fn window(start: i64, end: i64) -> Option<Window> {
        Some(Window { start, end })
    }

    #[test]
    fn a_clip_needs_its_segments_and_the_first() {
        let playlist = playlist(&[vec![6000; 10]]);
        let cutting = windows(&playlist, &[window(20 * S, 31 * S)], S);
        assert_eq!(cutting.composites, [Composite { group: 0, segments: vec![0, 3, 4, 5], start: 0 }]);
        assert_eq!(cutting.clips, [[Part { composite: 0, window: Window { start: 20 * S, end: 31 * S } }]]);
    }

    #[test]
    fn a_clip_over_a_discontinuity_is_two_parts() {
        let playlist = playlist(&[vec![6000; 2], vec![6000; 2], vec![6000; 2]]);
        let cutting = windows(&playlist, &[window(20 * S, 26 * S), window(25 * S, 26 * S)], 0);
        assert_eq!(
            cutting.composites,
            [
                Composite { group: 1, segments: vec![2, 3], start: 12 * S },
                Composite { group: 2, segments: vec![4], start: 24 * S },
            ]
        );
        let part =
            |composite, start, end| Part { composite, window: Window { start: start * S, end: end * S } };
        assert_eq!(cutting.clips, [vec![part(0, 8, 12), part(1, 0, 2)], vec![part(1, 1, 2)]]);
    }

    #[test]
    fn a_sliver_beyond_a_discontinuity_is_left_out() {
        let playlist = playlist(&[vec![6000], vec![6000]]);
        let cutting = windows(&playlist, &[window(S, 6 * S + S / 50)], 0);
        assert_eq!(cutting.clips, [[Part { composite: 0, window: Window { start: S, end: 6 * S } }]]);
        assert_eq!(cutting.composites.len(), 1);
    }

    proptest! {
        #[test]
        fn every_clip_is_covered(
            groups in prop::collection::vec(prop::collection::vec(0_i64..9000, 1..8), 1..5),
            clips in prop::collection::vec(prop::option::weighted(0.9, (0_i64..200_000, 0_i64..60_000)), 0..8),
            margin in 0_i64..5000,
        ) {
            let playlist = playlist(&groups);
            let margin = margin * S / 1000;
            let clips: Vec<Option<Window>> = clips.into_iter()
                .map(|clip| clip.map(|(start, length)| Window { start: start * S / 1000, end: (start + length) * S / 1000 }))
                .collect();
            let cutting = windows(&playlist, &clips, margin);
            prop_assert_eq!(cutting.clips.len(), clips.len());
            for composite in &cutting.composites {
                let group = &playlist.groups[composite.group];
                prop_assert_eq!(composite.start, group.start);
                prop_assert_eq!(composite.segments[0], group.first);
                prop_assert!(composite.segments.is_sorted_by(|a, b| a < b));
                prop_assert!(composite.segments.iter().all(|index| (group.first..group.end).contains(index)));
            }
            prop_assert!(cutting.composites.is_sorted_by(|a, b| a.group < b.group));
            for (clip, parts) in clips.iter().zip(&cutting.clips) {
                prop_assert!(!parts.is_empty());
                let mut length = 0;
                let mut before = i64::MIN;
                for part in parts {
                    let composite = &cutting.composites[part.composite];
                    let (start, end) = (composite.start + part.window.start, composite.start + part.window.end);
                    prop_assert!(start >= before && end >= start && part.window.start >= 0);
                    before = end;
                    length += end - start;
                    // Every segment of the group that overlaps the part is there.
                    let group = &playlist.groups[composite.group];
                    for index in group.first..group.end {
                        let segment = &playlist.segments[index];
                        if segment.start < end && segment.start + segment.duration > start {
                            prop_assert!(composite.segments.contains(&index));
                        }
                    }
                }
                if let Some(clip) = clip {
                    prop_assert!(length <= clip.end - clip.start);
                    prop_assert!(clip.end - clip.start - length <= SHORTEST_PART * playlist.groups.len() as i64);
                }
            }
            // Nothing is fetched that no clip comes near.
            for composite in &cutting.composites {
                for index in &composite.segments[1..] {
                    let segment = &playlist.segments[*index];
                    let near = cutting.clips.iter().flatten().any(|part| {
                        let composite = &cutting.composites[part.composite];
                        segment.start < composite.start + part.window.end + margin
                            && segment.start + segment.duration > composite.start + part.window.start - margin
                    });
                    prop_assert!(near);
                }
            }
        }
    }
}
