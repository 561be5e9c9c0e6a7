//! Where there is speech: from the voice detector's probabilities to speech regions, and from regions to the chunks that
//! the recogniser hears at once.
//!
//! Pure. Positions are samples at 16 kHz. The numbers are those that gave the fewest wrong words on noisy speech: the
//! recogniser does badly on lone short pieces and makes words up on long silence, so neighbours are merged and silence is
//! left out.

use std::ops::Range;

use crate::audio::{SAMPLE_RATE, quietest};

/// Samples for which the detector gives one probability (32 ms).
pub(super) const FRAME: usize = 512;

const ON: f32 = 0.5;
const OFF: f32 = 0.35;
const MIN_SILENCE: usize = seconds(0.4);
const MIN_SPEECH: usize = seconds(0.15);
/// A breath between words: too short to end a region, long enough that no word lies in it.
const BREATH: usize = seconds(0.1);
const PADDING: usize = seconds(0.5);
const MERGE_GAP: usize = seconds(1.0);
/// The longest speech that the recogniser hears at once.
const MAX_CHUNK: usize = seconds(15.0);

const fn seconds(value: f64) -> usize {
    (value * SAMPLE_RATE as f64) as usize
}

/// What the recogniser hears at once: a range of samples with a little silence around, and the speech inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The samples to hear.
    pub range: Range<usize>,
    /// The speech regions inside `range`, in order.
    pub voiced: Vec<Range<usize>>,
}

/// Speech regions of audio of `length` samples, from one probability for each [`FRAME`]. A region begins where the
/// probability reaches 0.5 and ends where it falls below 0.35 for 0.4 s; what lasts less than 0.15 s is not speech.
pub(super) fn regions(probabilities: &[f32], length: usize) -> Vec<Range<usize>> {
    let mut found = runs(probabilities, length, MIN_SILENCE);
    found.retain(|region| region.len() >= MIN_SPEECH);
    found
}

/// Narrows the speech of each chunk to where a voice is heard between breaths: for timing words, not for recognising them.
pub(super) fn narrow(chunks: &mut [Chunk], probabilities: &[f32], length: usize) {
    let fine = runs(probabilities, length, BREATH);
    for chunk in chunks {
        let inside = chunk.voiced.iter().flat_map(|region| {
            let touching = fine.iter().filter(|run| run.start < region.end && region.start < run.end);
            touching.map(|run| run.start.max(region.start)..run.end.min(region.end))
        });
        let inside: Vec<Range<usize>> = inside.collect();
        if !inside.is_empty() {
            chunk.voiced = inside;
        }
    }
}

/// Runs of voice, ended by silence of at least `silence` samples.
fn runs(probabilities: &[f32], length: usize, silence: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quiet_since = None;
    for (frame, &probability) in probabilities.iter().enumerate() {
        let at = frame * FRAME;
        if probability >= ON {
            start = start.or(Some(at));
            quiet_since = None;
        } else if let Some(begin) = start {
            if probability < OFF {
                let quiet = *quiet_since.get_or_insert(at);
                if at + FRAME - quiet >= silence {
                    found.push(begin..quiet);
                    start = None;
                    quiet_since = None;
                }
            } else {
                quiet_since = None;
            }
        }
    }
    if let Some(begin) = start {
        found.push(begin..quiet_since.unwrap_or(length).min(length));
    }
    found
}

/// Groups regions into chunks: neighbours less than a second apart together, up to 15 s; a longer region is cut at its
/// quietest place. Chunks never overlap and never leave the audio.
pub(super) fn chunks(regions: &[Range<usize>], samples: &[f32]) -> Vec<Chunk> {
    let pieces: Vec<Range<usize>> = regions.iter().flat_map(|region| cut(region.clone(), samples)).collect();
    let mut groups: Vec<Vec<Range<usize>>> = Vec::new();
    for piece in pieces {
        if let Some(group) = groups.last_mut()
            && let (Some(first), Some(last)) = (group.first(), group.last())
            && piece.start - last.end < MERGE_GAP
            && piece.end - first.start <= MAX_CHUNK
        {
            group.push(piece);
        } else {
            groups.push(vec![piece]);
        }
    }
    let edges: Vec<(usize, usize)> = groups
        .iter()
        .map(|group| (group.first().map_or(0, |first| first.start), group.last().map_or(0, |last| last.end)))
        .collect();
    groups
        .into_iter()
        .enumerate()
        .map(|(index, voiced)| {
            let (start, end) = edges[index];
            // Half of the gap to a neighbour at most: the same word must not be heard twice.
            let before = index.checked_sub(1).map_or(0, |last| middle(edges[last].1, start));
            let after = edges.get(index + 1).map_or(samples.len(), |next| middle(end, next.0));
            Chunk { range: start.saturating_sub(PADDING).max(before)..(end + PADDING).min(after), voiced }
        })
        .collect()
}

fn middle(a: usize, b: usize) -> usize {
    a + (b - a) / 2
}

/// Cuts a region that is too long at the quietest place of the second half of the longest allowed piece.
fn cut(region: Range<usize>, samples: &[f32]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut rest = region;
    while rest.len() > MAX_CHUNK {
        // Not nearer than 2 s to the end: a lone short rest would be recognised badly.
        let latest = (rest.start + MAX_CHUNK).min(rest.end - 2 * SAMPLE_RATE as usize);
        let at = quietest(samples, rest.start + MAX_CHUNK / 2..latest, 2 * FRAME);
        pieces.push(rest.start..at);
        rest = at..rest.end;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn regions_follow_the_thresholds() {
        let mut probabilities = vec![0.0; 100];
        probabilities[10..30].fill(0.9);
        probabilities[15..20].fill(0.1); // 160 ms: too short a silence to end the region
        probabilities[60..62].fill(0.9); // 64 ms: too short to be speech
        probabilities[95..100].fill(0.6); // runs into the end
        let found = regions(&probabilities, 100 * FRAME - 7);
        assert_eq!(found, [10 * FRAME..30 * FRAME, 95 * FRAME..100 * FRAME - 7]);
        assert!(regions(&[0.45; 200], 200 * FRAME).is_empty());
    }

    #[test]
    fn speech_narrows_to_the_runs_between_breaths() {
        let mut probabilities = vec![0.9; 60];
        probabilities[20..26].fill(0.1);
        let samples = vec![0.5; 60 * FRAME];
        let mut found = chunks(&regions(&probabilities, samples.len()), &samples);
        assert_eq!((found.len(), &found[0].voiced[0]), (1, &(0..60 * FRAME)));
        narrow(&mut found, &probabilities, samples.len());
        assert_eq!(found[0].voiced, [0..20 * FRAME, 26 * FRAME..60 * FRAME]);
    }

    #[test]
    fn neighbours_merge_and_padding_meets_in_the_middle() {
        let second = SAMPLE_RATE as usize;
        let samples = vec![0.0; 30 * second];
        let found =
            chunks(&[second..2 * second, 2 * second + 8000..4 * second, 5 * second..6 * second], &samples);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].voiced.len(), 2);
        assert_eq!(found[0].range, second / 2..4 * second + 8000);
        assert_eq!(found[1].range, 4 * second + 8000..6 * second + 8000);
    }

    proptest! {
        #[test]
        fn chunks_hold_all_speech_once(
            parts in prop::collection::vec((1usize..60_000, 2_400usize..700_000), 0..8),
            tail in 0usize..20_000,
        ) {
            let mut at = 0;
            let regions: Vec<Range<usize>> = parts.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            }).collect();
            let samples: Vec<f32> = (0..at + tail).map(|i| ((i * 7919) % 1000) as f32 / 1000.0).collect();
            let found = chunks(&regions, &samples);
            let voiced: Vec<Range<usize>> = found.iter().flat_map(|chunk| chunk.voiced.clone()).collect();
            let sum = |ranges: &[Range<usize>]| ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
            prop_assert_eq!(sum(&voiced), sum(&regions));
            for chunk in &found {
                let (first, last) = (&chunk.voiced[0], &chunk.voiced[chunk.voiced.len() - 1]);
                prop_assert!(last.end - first.start <= MAX_CHUNK);
                prop_assert!(chunk.range.start <= first.start && last.end <= chunk.range.end);
                prop_assert!(chunk.range.end <= samples.len());
                prop_assert!(chunk.voiced.iter().all(|region| !region.is_empty()));
            }
            for pair in found.windows(2) {
                prop_assert!(pair[0].range.end <= pair[1].range.start);
            }
        }
    }
}
