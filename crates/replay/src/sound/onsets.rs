//! Where drums and notes begin: moments at which the high frequencies become much louder at once.
//!
//! Promises: an onset is known as soon as the [`HOP`] frames with it have been seen; two are at least [`APART`] apart.

use std::collections::VecDeque;

use super::decode::Frame;

/// Frames that are looked at together.
pub(super) const HOP: usize = 64;

/// Frames between two onsets at least: 50 ms.
pub(super) const APART: i64 = 2400;

/// How many times louder than before an onset is, as energy.
const RISE: f32 = 6.0;

/// What is quieter than this, as energy of a hop, is silence.
const SILENCE: f32 = 1e-5;

/// How much of the loudness so far each hop replaces: it follows in some 30 ms.
const FOLLOWS: f32 = 0.045;

/// Finds onsets in sound that comes piece by piece.
#[derive(Debug, Default)]
pub(super) struct Onsets {
    /// Frames that were looked at.
    seen: i64,
    before: Frame,
    loudness: f32,
    /// The last one, and how loud it was.
    last: Option<(i64, f32)>,
    /// What was found and is still ahead, in order.
    found: VecDeque<i64>,
}

impl Onsets {
    /// Looks at the sound that follows: `sound` begins at frame `base`. What is less than a hop waits for the next time.
    pub(super) fn listen(&mut self, sound: &[Frame], base: i64) {
        let from = usize::try_from(self.seen - base).unwrap_or(0);
        for hop in sound.get(from..).unwrap_or_default().chunks_exact(HOP) {
            self.hop(hop);
        }
    }

    fn hop(&mut self, hop: &[Frame]) {
        // The difference of neighbours stresses high frequencies, which drums have more of than what sounds on.
        let mut rises = [0.0_f32; HOP];
        for (rise, frame) in rises.iter_mut().zip(hop) {
            let (left, right) = (frame[0] - self.before[0], frame[1] - self.before[1]);
            self.before = *frame;
            *rise = left * left + right * right;
        }
        let energy: f32 = rises.iter().sum();
        let far = self.last.is_none_or(|(last, _)| self.seen - last >= APART);
        // What precedes something much louder was not the beginning: an MP3 lets its drums be heard a little before they are.
        let (last, strength) = self.last.unwrap_or_default();
        let instead = !far && energy > strength * RISE && self.found.back() == Some(&last);
        if energy > SILENCE && (instead || far && energy > self.loudness * RISE) {
            let loudest = rises.iter().fold(0.0_f32, |loudest, rise| loudest.max(*rise));
            let first = rises.iter().position(|rise| *rise > loudest * 0.1).unwrap_or(0);
            let at = self.seen + first as i64;
            if instead {
                self.found.pop_back();
            }
            self.last = Some((at, energy));
            self.found.push_back(at);
        }
        self.loudness += (energy - self.loudness) * FOLLOWS;
        self.seen += HOP as i64;
    }

    /// Forgets those before a frame.
    pub(super) fn forget_until(&mut self, frame: i64) {
        while self.found.front().is_some_and(|onset| *onset < frame) {
            self.found.pop_front();
        }
    }

    /// The next two.
    pub(super) fn next_two(&self) -> (Option<i64>, Option<i64>) {
        (self.found.front().copied(), self.found.get(1).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_before_a_drum_is_not_its_beginning() {
        let mut sound = vec![[0.0; 2]; 10_000];
        for (at, frame) in sound.iter_mut().enumerate().skip(4_500).take(500) {
            *frame = [if at % 2 == 0 { 0.003 } else { -0.003 }; 2];
        }
        sound[5_000] = [0.8; 2];
        let mut onsets = Onsets::default();
        onsets.listen(&sound, 0);
        assert_eq!(onsets.found, [5_000]);
    }

    #[test]
    fn clicks_over_a_chord_are_found_where_they_are() {
        let clicks = [5_000_i64, 20_000, 23_000, 40_001];
        let frame = |at: i64| {
            let tone = |pitch: f64| (at as f64 * pitch).sin() * 0.2;
            let since = clicks.iter().map(|click| at - click).filter(|since| (0..200).contains(since)).min();
            let click = since
                .map_or(0.0, |since| if since % 2 == 0 { 0.5 } else { -0.5 } * (1.0 - since as f64 / 200.0));
            [(tone(0.03) + tone(0.041) + click) as f32; 2]
        };
        let sound: Vec<Frame> = (0..60_000).map(frame).collect();
        let mut onsets = Onsets::default();
        // In pieces of any length.
        for end in (0..=60_000).step_by(777) {
            onsets.listen(&sound[..end], 0);
        }
        onsets.forget_until(1000);
        let found: Vec<i64> = onsets.found.iter().copied().collect();
        assert_eq!(found, clicks);
    }
}
