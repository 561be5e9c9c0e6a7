//! Where the clips lie on the montage, and from a time on the montage to the time on the source it was cut from.
//!
//! Pure. Times are seconds. A clip owns the times from its start up to, not including, its end, so that every time on the
//! montage belongs to one clip at most and the instant of a seam belongs to the clip that begins there.

use contracts::transcript::Word;

use crate::TranscribeError;

/// One clip as it stands in the montage. Speech is transcribed clip by clip, so that no cue crosses a seam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Start on the montage, in seconds.
    pub start: f64,
    /// End on the montage, in seconds.
    pub end: f64,
    /// The time on the clip's source, in seconds, of what is heard at `start`.
    pub source_start: f64,
}

impl Clip {
    /// The time on the source of the time `montage` on the montage, held inside the clip.
    #[must_use]
    pub fn to_source(&self, montage: f64) -> f64 {
        self.source_start + (montage.clamp(self.start, self.end) - self.start)
    }
}

/// A time on one clip's source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceTime {
    /// Which clip of the list.
    pub clip: usize,
    /// Seconds on that clip's source.
    pub seconds: f64,
}

/// Finds what is shown at the time `montage`: the clip and the time on its source. None between, before and after clips.
/// `clips` are in order of time and do not overlap (see [`check`]).
#[must_use]
pub fn source_time(clips: &[Clip], montage: f64) -> Option<SourceTime> {
    let after = clips.partition_point(|clip| clip.start <= montage);
    let index = after.checked_sub(1)?;
    let clip = clips.get(index)?;
    (montage < clip.end).then(|| SourceTime { clip: index, seconds: clip.to_source(montage) })
}

/// Checks that clips are finite, not empty, in order and do not overlap (by more than a microsecond of rounding), and that
/// they end within the audio of `audio_seconds` (half a second of slack: an encoder may drop the last samples).
///
/// # Errors
/// [`TranscribeError::BadAudio`] naming the first clip that breaks a rule.
pub fn check(clips: &[Clip], audio_seconds: f64) -> Result<(), TranscribeError> {
    let mut last_end = 0.0;
    for (index, clip) in clips.iter().enumerate() {
        let broken = if ![clip.start, clip.end, clip.source_start].iter().all(|time| time.is_finite()) {
            "a time that is not a finite number"
        } else if clip.start < 0.0 || clip.end <= clip.start {
            "no positive length on the montage"
        } else if clip.start < last_end - 1e-6 {
            "its start before the end of the clip before it"
        } else if clip.end > audio_seconds + 0.5 {
            "its end after the end of the audio"
        } else {
            last_end = clip.end;
            continue;
        };
        return Err(TranscribeError::BadAudio { reason: format!("clip {index} has {broken}") });
    }
    Ok(())
}

/// Spreads the words of `text` over the stretches of time in `voiced` (in order, not overlapping, in seconds) by their
/// share of the characters. Right within about a quarter of a second for read speech: what is used where nothing times
/// the words better.
#[must_use]
pub fn spread_words(text: &str, voiced: &[(f64, f64)]) -> Vec<Word> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let total: f64 = voiced.iter().map(|(start, end)| (end - start).max(0.0)).sum();
    if words.is_empty() || voiced.is_empty() {
        return Vec::new();
    }
    // One more than the letters, for the space: it keeps one-letter words from lasting no time.
    let weights: Vec<f64> = words.iter().map(|word| word.chars().count() as f64 + 1.0).collect();
    let sum: f64 = weights.iter().sum();
    let mut done = 0.0;
    words
        .iter()
        .zip(&weights)
        .map(|(word, weight)| {
            let start = at_share(voiced, done / sum * total, false);
            done += weight;
            let end = at_share(voiced, done / sum * total, true);
            Word { start, end: end.max(start), text: (*word).to_owned() }
        })
        .collect()
}

/// The time after `elapsed` seconds of the stretches laid end to end. On the border of two stretches it is the end of the
/// first when `ending`, else the start of the second.
fn at_share(stretches: &[(f64, f64)], elapsed: f64, ending: bool) -> f64 {
    let mut left = elapsed.max(0.0);
    let mut last = 0.0;
    for &(start, end) in stretches {
        let length = (end - start).max(0.0);
        // The tolerance lets a sum of shares that should be exactly at the border count as being there.
        let inside = if ending { left <= length + 1e-9 } else { left < length - 1e-9 };
        if inside {
            return start + left.min(length);
        }
        left -= length;
        last = end;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clips() -> impl Strategy<Value = Vec<Clip>> {
        prop::collection::vec((0.0..5.0f64, 0.1..60.0f64, 0.0..10_000.0f64), 1..12).prop_map(|parts| {
            let mut at = 0.0;
            parts
                .into_iter()
                .map(|(gap, length, source_start)| {
                    let start = at + gap;
                    at = start + length;
                    Clip { start, end: at, source_start }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_time_in_a_clip_maps_by_its_offset(clips in clips(), pick in 0usize..12, share in 0.0..0.999f64) {
            let index = pick % clips.len();
            let clip = clips[index];
            let offset = share * (clip.end - clip.start);
            let found = source_time(&clips, clip.start + offset).unwrap();
            prop_assert_eq!(found.clip, index);
            prop_assert!((found.seconds - (clip.source_start + offset)).abs() < 1e-6);
        }

        #[test]
        fn times_keep_their_order_within_a_clip(clips in clips(), a in 0.0..100.0f64, b in 0.0..100.0f64) {
            let (early, late) = if a <= b { (a, b) } else { (b, a) };
            if let (Some(first), Some(second)) = (source_time(&clips, early), source_time(&clips, late)) {
                prop_assert!(first.clip <= second.clip);
                if first.clip == second.clip {
                    prop_assert!(first.seconds <= second.seconds);
                }
            }
        }

        #[test]
        fn what_is_found_contains_the_time(clips in clips(), time in -5.0..700.0f64) {
            let holder = clips.iter().position(|clip| clip.start <= time && time < clip.end);
            prop_assert_eq!(source_time(&clips, time).map(|found| found.clip), holder);
        }

        #[test]
        fn spread_words_fill_the_voice_in_order(
            words in prop::collection::vec("[a-z]{1,9}", 1..30),
            parts in prop::collection::vec((0.01..2.0f64, 0.05..6.0f64), 1..5),
        ) {
            let mut at = 0.0;
            let voiced: Vec<(f64, f64)> = parts.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                (start, at)
            }).collect();
            let spread = spread_words(&words.join(" "), &voiced);
            prop_assert_eq!(spread.len(), words.len());
            prop_assert!((spread[0].start - voiced[0].0).abs() < 1e-6);
            prop_assert!((spread[spread.len() - 1].end - at).abs() < 1e-6);
            for word in &spread {
                prop_assert!(word.start < word.end);
            }
            for pair in spread.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start + 1e-6);
            }
        }
    }

    #[test]
    fn a_seam_belongs_to_the_clip_that_begins() {
        let clips = [
            Clip { start: 0.0, end: 2.0, source_start: 10.0 },
            Clip { start: 2.0, end: 5.0, source_start: 100.0 },
        ];
        assert_eq!(source_time(&clips, 2.0), Some(SourceTime { clip: 1, seconds: 100.0 }));
        assert_eq!(source_time(&clips, 5.0), None);
        assert_eq!(source_time(&clips, -0.1), None);
        assert_eq!(source_time(&[], 0.0), None);
    }

    #[test]
    fn broken_clips_are_named() {
        let clip = |start, end| Clip { start, end, source_start: 0.0 };
        assert!(check(&[clip(0.0, 2.0), clip(2.0, 4.0)], 4.0).is_ok());
        assert!(check(&[], 0.0).is_ok());
        for (clips, word) in [
            (vec![clip(0.0, 2.0), clip(1.0, 4.0)], "clip 1"),
            (vec![clip(1.0, 1.0)], "length"),
            (vec![clip(-1.0, 1.0)], "length"),
            (vec![clip(0.0, f64::NAN)], "finite"),
            (vec![clip(0.0, 9.0)], "end of the audio"),
        ] {
            let error = check(&clips, 4.0).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
