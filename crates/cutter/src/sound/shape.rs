//! Where clips lie in the montage's sound and how loud each is at every moment: soft edges, fades, and crossfades
//! where two clips sound at once. Pure.
//!
//! All lengths are samples; [`Placed`] counts them at 48 kHz, and everything derived from it at the rate that is asked
//! for. Rounding happens to moments, never to lengths, so that nothing drifts.

use crate::time::SAMPLE_RATE;

/// Soft edges at both ends of a clip that nothing else softens: one in so many parts of a second, 5 ms.
const EDGE_PARTS: u32 = 200;

/// A clip's place in the montage's sound, in samples at 48 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Its first sample on the montage. When it lies before the end of the clip before, both sound at once there, and
    /// one goes over into the other.
    pub(crate) first_sample: u64,
    /// How many samples it has.
    pub(crate) samples: u64,
    /// Length of the fade from silence at its start; 0 for none but a soft edge.
    pub(crate) fade_in: u64,
    /// Length of the fade into silence at its end; 0 for none but a soft edge.
    pub(crate) fade_out: u64,
}

/// How a clip begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slope {
    /// Its length in samples.
    pub(crate) samples: u64,
    /// Whether another clip sounds meanwhile, so that powers and not amplitudes must add up to the whole.
    crosses: bool,
}

impl Slope {
    /// The factor at `place` samples from the outer end.
    fn factor(self, place: u64) -> f32 {
        if place >= self.samples {
            return 1.0;
        }
        let phase = (place as f32 + 0.5) / self.samples as f32;
        let quarter = (phase * std::f32::consts::FRAC_PI_2).sin();
        // The raised cosine is the sine's square: amplitudes that add up to 1 instead of powers.
        if self.crosses { quarter } else { quarter * quarter }
    }
}

/// A clip's place at some sample rate, with the shape of its loudness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its first sample on the montage.
    pub(crate) start: u64,
    /// The sample behind its last.
    pub(crate) end: u64,
    pub(crate) rise: Slope,
    pub(crate) fall: Slope,
}

impl Span {
    /// The factor for the clip's sample number `place`.
    pub(crate) fn factor(&self, place: u64) -> f32 {
        let from_end = (self.end - self.start).saturating_sub(place + 1);
        self.rise.factor(place) * self.fall.factor(from_end)
    }

    /// Whether the clip has its full loudness from sample `place` on for `count` samples.
    pub(crate) fn is_full(&self, place: u64, count: u64) -> bool {
        place >= self.rise.samples && place + count + self.fall.samples <= self.end - self.start
    }
}

/// A moment of the montage, in samples at 48 kHz, as the nearest sample at `rate`.
pub(crate) fn at_rate(sample: u64, rate: u32) -> u64 {
    let exact = u128::from(sample) * u128::from(rate) + u128::from(SAMPLE_RATE / 2);
    u64::try_from(exact / u128::from(SAMPLE_RATE)).unwrap_or(u64::MAX)
}

/// The spans of clips at a rate.
pub(crate) fn spans(clips: &[Placed], rate: u32) -> Vec<Span> {
    let ends: Vec<(u64, u64)> = clips
        .iter()
        .map(|clip| {
            let end = clip.first_sample.saturating_add(clip.samples);
            (at_rate(clip.first_sample, rate), at_rate(end, rate))
        })
        .collect();
    let overlap = |before: usize, after: usize| match (ends.get(before), ends.get(after)) {
        (Some(before), Some(after)) => before.1.saturating_sub(after.0),
        _ => 0,
    };
    let edge = u64::from(rate / EDGE_PARTS);
    let slope = |overlap: u64, fade: u64, samples: u64| {
        if overlap > 0 {
            return Slope { samples: overlap.min(samples), crosses: true };
        }
        let longest = if fade > 0 { samples } else { samples / 2 };
        Slope { samples: at_rate(fade, rate).max(edge).min(longest), crosses: false }
    };
    let placed = clips.iter().zip(&ends).enumerate();
    placed
        .map(|(index, (clip, &(start, end)))| Span {
            start,
            end,
            rise: slope(
                index.checked_sub(1).map_or(0, |before| overlap(before, index)),
                clip.fade_in,
                end - start,
            ),
            fall: slope(overlap(index, index + 1), clip.fade_out, end - start),
        })
        .collect()
}

/// Whether any two clips sound at once.
pub(crate) fn overlaps(clips: &[Placed]) -> bool {
    clips.windows(2).any(|pair| match pair {
        [before, after] => before.first_sample.saturating_add(before.samples) > after.first_sample,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(first_sample: u64, samples: u64) -> Placed {
        Placed { first_sample, samples, fade_in: 0, fade_out: 0 }
    }

    #[test]
    fn edges_are_soft_and_even() {
        let span = spans(&[placed(0, 1000)], SAMPLE_RATE)[0];
        let factors: Vec<f32> = (0..1000).map(|place| span.factor(place)).collect();
        assert!(factors[0] < 0.001 && factors[999] < 0.001 && (factors[500] - 1.0).abs() < f32::EPSILON);
        assert!(factors[..240].windows(2).all(|pair| pair[0] < pair[1]));
        assert!((0..1000).all(|place| (factors[place] - factors[999 - place]).abs() < 1e-6));
        assert!(span.is_full(240, 520) && !span.is_full(239, 10) && !span.is_full(240, 521));
        assert!(spans(&[placed(0, 1)], SAMPLE_RATE)[0].factor(0) <= 1.0);
    }

    #[test]
    fn crossfades_keep_the_power() {
        let clips = [placed(0, 10_000), placed(8_000, 10_000)];
        assert!(overlaps(&clips) && !overlaps(&[placed(0, 100), placed(100, 100)]));
        let spans = spans(&clips, SAMPLE_RATE);
        for at in 8_000..10_000 {
            let power = spans[0].factor(at).powi(2) + spans[1].factor(at - 8_000).powi(2);
            assert!((power - 1.0).abs() < 1e-4, "{at}: {power}");
        }
    }

    #[test]
    fn fades_have_their_length() {
        let mut clip = placed(48, 48_000);
        (clip.fade_in, clip.fade_out) = (24_000, 4_800);
        let span = spans(&[clip], 44_100)[0];
        assert_eq!((span.start, span.end), (44, 44_144));
        assert_eq!((span.rise.samples, span.fall.samples), (22_050, 4_410));
        assert!((span.factor(11_025) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn moments_do_not_drift() {
        let clips: Vec<Placed> = (0..1000).map(|n| placed(n * 1601, 1601)).collect();
        let spans = spans(&clips, 44_100);
        assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(spans[999].end, at_rate(1_601_000, 44_100));
    }
}
