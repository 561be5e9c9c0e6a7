//! Where copied packets can lie: the montage's packets form one grid, the sources' packets another, and clips start
//! anywhere. Pure.
//!
//! A packet can only be copied to a whole place of the montage's grid, so a clip's sound is moved by up to half a
//! packet against its picture: 512 samples, 10.7 ms at 48 kHz. Each clip is moved for itself, nothing adds up. The
//! grid as a whole may begin anywhere, which costs nothing but a longer lead-in that no one hears; it is laid so that
//! the clip that is moved farthest is moved as little as can be. A single clip is not moved at all.

use crate::sound::aac::FRAME;
use crate::sound::shape::Span;

/// Samples in a packet.
const PACKET: i64 = FRAME as i64;
/// A clip with fewer packets to copy is encoded, which is hardly more than its two joints.
pub(crate) const FEWEST_COPIED: i64 = 64;
/// Joints may take so many packets more on each side, so that they meet packets that can be joined. Some encoders use
/// short windows for twenty packets in a row.
pub(crate) const WIDEST: i64 = 30;

/// What is known of a clip's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Supply {
    /// Where the first packet's samples lie, counted from the clip's first sample.
    pub(crate) first: i64,
    /// How many packets there are, one after the other.
    pub(crate) count: u64,
}

const _: () = assert!(FEWEST_COPIED > 2 * WIDEST, "a run is never used up by its joints");

/// The montage's packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Samples before the first that is heard: one packet for decoders to begin with, and less than another one.
    pub(crate) priming: u32,
    /// Packets in all.
    pub(crate) packets: i64,
    /// The clips; `None` for one without packets.
    pub(crate) clips: Vec<Option<Seat>>,
}

/// A clip's place on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Number of the packet that the clip's first one would be; negative where it lies before the montage.
    pub(crate) first: i64,
    /// How many samples the clip's sound comes too late; negative: too early.
    pub(crate) moved: i32,
    /// Numbers of the packets that are copied: the first, and the one behind the last. Equal when there are none.
    pub(crate) copied: (i64, i64),
}

impl Grid {
    /// Lays the grid for these clips and `length` samples.
    pub(crate) fn lay(spans: &[Span], supplies: &[Option<Supply>], length: u64) -> Self {
        let wanted = |span: &Span, supply: &Supply| span.start as i64 + supply.first;
        let clips = || spans.iter().zip(supplies);
        let phases = clips().filter_map(|(span, supply)| {
            let supply = supply.as_ref().filter(|supply| supply.count > 0)?;
            Some((-wanted(span, supply)).rem_euclid(PACKET))
        });
        let priming = PACKET + best_phase(phases.collect());
        let seat = |span: &Span, supply: &Supply| {
            let place = wanted(span, supply) + priming;
            let first = (place + PACKET / 2).div_euclid(PACKET);
            let moved = (first * PACKET - place) as i32;
            // A packet sounds during its own place and the next; both must be nothing but the clip at full loudness, and
            // the clip's own sound must be there for both.
            let from =
                (span.start as i64 + span.rise.samples as i64 + priming + PACKET - 1).div_euclid(PACKET);
            let to = (span.end as i64 - span.fall.samples as i64 + priming).div_euclid(PACKET) - 1;
            let (from, to) = (from.max(first + 1), to.min(first + supply.count as i64 - 1));
            let copied = if to - from >= FEWEST_COPIED { (from, to) } else { (from, from) };
            Seat { first, moved, copied }
        };
        let seats = clips().map(|(span, supply)| {
            let supply = supply.as_ref().filter(|supply| supply.count > 0)?;
            Some(seat(span, supply))
        });
        let packets = (length as i64 + priming + PACKET - 1).div_euclid(PACKET);
        Self { clips: seats.collect(), priming: priming as u32, packets }
    }

    /// The first sample, as they are heard, of packet `number`'s own place.
    pub(crate) fn sample(&self, number: i64) -> i64 {
        number * PACKET - i64::from(self.priming)
    }
}

/// The phase that is as near as possible to the farthest of `phases`, on a circle as long as a packet.
fn best_phase(mut phases: Vec<i64>) -> i64 {
    phases.sort_unstable();
    phases.dedup();
    let (Some(first), Some(last)) = (phases.first(), phases.last()) else { return 0 };
    // The widest gap between neighbours is left out; the middle of all the rest is the best place.
    let around = first + PACKET - last;
    let gaps = phases.windows(2).filter_map(|pair| match pair {
        [before, after] => Some((after - before, *after)),
        _ => None,
    });
    let (gap, start) =
        gaps.chain([(around, *first)]).max_by_key(|(gap, start)| (*gap, -*start)).unwrap_or((PACKET, 0));
    (start + (PACKET - gap) / 2).rem_euclid(PACKET)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sound::shape::{Placed, spans};

    #[test]
    fn the_best_phase_is_in_the_middle() {
        assert_eq!(best_phase(vec![]), 0);
        assert_eq!(best_phase(vec![77]), 77);
        assert_eq!(best_phase(vec![10, 30]), 20);
        assert_eq!(best_phase(vec![1000, 10]), 1017);
    }

    fn lay(clips: &[(u64, i64)]) -> (Vec<Span>, Grid) {
        let mut at = 0;
        let placed: Vec<Placed> = clips
            .iter()
            .map(|(samples, _)| {
                let placed = Placed { first_sample: at, samples: *samples, fade_in: 0, fade_out: 0 };
                at += samples;
                placed
            })
            .collect();
        let spans = spans(&placed, 48_000);
        let supplies: Vec<_> = clips
            .iter()
            .map(|(samples, phase)| {
                Some(Supply { first: -20 * PACKET + phase, count: samples / FRAME as u64 + 40 })
            })
            .collect();
        let grid = Grid::lay(&spans, &supplies, at);
        (spans, grid)
    }

    #[test]
    fn one_clip_is_not_moved() {
        for phase in [0, 1, 500, 1023] {
            let (_, grid) = lay(&[(100_000, phase)]);
            assert_eq!(grid.clips[0].unwrap().moved, 0);
            assert!((1024..2048).contains(&grid.priming));
        }
    }

    proptest! {
        #[test]
        fn copied_packets_lie_inside_their_clips(clips in prop::collection::vec((1_u64..200_000, 0_i64..1024), 1..20)) {
            let (spans, grid) = lay(&clips);
            prop_assert!((1024..2048).contains(&grid.priming));
            let length = spans.last().unwrap().end as i64;
            prop_assert!(grid.sample(grid.packets) >= length && grid.sample(grid.packets - 1) < length);
            let mut before = 0;
            for (span, seat) in spans.iter().zip(&grid.clips) {
                let seat = seat.unwrap();
                prop_assert!(seat.moved.abs() <= 512);
                let (from, to) = seat.copied;
                if to > from {
                    // At least one packet is made between two copied runs.
                    prop_assert!(from > before);
                    before = to;
                    prop_assert!(grid.sample(from) >= (span.start + span.rise.samples) as i64);
                    prop_assert!(grid.sample(to + 1) <= (span.end - span.fall.samples) as i64);
                    prop_assert!(from > seat.first);
                }
                // What is heard at the clip's start is what the clip starts with, but for the move.
                prop_assert!(grid.sample(seat.first) - i64::from(seat.moved) - span.start as i64 <= -19 * PACKET);
            }
            prop_assert!(before < grid.packets);
        }
    }
}
