//! Keeps the mix below the level at which it would be clipped, without being heard.
//!
//! Promises: nothing that comes out is louder than [`CEILING`]; what was below it all along comes out as it went in, bit by bit,
//! and at its place. It looks ahead by [`AHEAD`] frames: it is quieter before a peak comes, evenly, and comes back slowly.

use std::collections::VecDeque;

use super::decode::Frame;

/// -1 dBFS.
pub(super) const CEILING: f32 = 0.891_250_9;

/// Frames by which it looks ahead: 5 ms.
pub(super) const AHEAD: usize = 240;

/// How much of what it is quieter by it gives back with each frame: nine tenths in 250 ms.
const BACK: f32 = 1.9e-4;

/// The limiter. What goes in comes out [`AHEAD`] - 1 frames later.
pub(super) struct Limiter {
    /// Frames that went in and did not come out.
    waiting: VecDeque<Frame>,
    /// The lowest gain that the frames ahead need: falling candidates, each with the number of its frame.
    lowest: VecDeque<(u64, f32)>,
    /// Of the last [`AHEAD`] frames, the gain that was to be reached.
    wanted: VecDeque<f32>,
    /// Their sum.
    sum: f64,
    /// How many of them are below one: without any, nothing is changed.
    below: usize,
    /// The last of them.
    gain: f32,
    count: u64,
}

impl Limiter {
    /// One that has heard nothing.
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::with_capacity(AHEAD),
            lowest: VecDeque::new(),
            wanted: VecDeque::from(vec![1.0; AHEAD]),
            sum: AHEAD as f64,
            below: 0,
            gain: 1.0,
            count: 0,
        }
    }

    /// Takes frames, and adds those that can come out.
    pub(super) fn push(&mut self, input: &[Frame], out: &mut Vec<Frame>) {
        for frame in input {
            out.extend(self.one(*frame));
        }
    }

    fn one(&mut self, frame: Frame) -> Option<Frame> {
        let peak = frame[0].abs().max(frame[1].abs());
        let needed = if peak > CEILING { CEILING / peak } else { 1.0 };
        while self.lowest.back().is_some_and(|(_, gain)| *gain >= needed) {
            self.lowest.pop_back();
        }
        self.lowest.push_back((self.count, needed));
        while self.lowest.front().is_some_and(|(number, _)| number + (AHEAD as u64) <= self.count) {
            self.lowest.pop_front();
        }
        self.count += 1;
        let lowest = self.lowest.front().map_or(1.0, |(_, gain)| *gain);
        // It falls at once, as the mean over the frames ahead makes that even, and rises slowly.
        self.gain = lowest.min(self.gain + (1.0 - self.gain) * BACK);
        if self.gain > 0.9999 {
            self.gain = lowest;
        }
        self.wanted.push_back(self.gain);
        let gone = self.wanted.pop_front().unwrap_or(1.0);
        self.sum += f64::from(self.gain) - f64::from(gone);
        self.below = self.below + usize::from(self.gain < 1.0) - usize::from(gone < 1.0);
        self.waiting.push_back(frame);
        if self.waiting.len() < AHEAD {
            return None;
        }
        let frame = self.waiting.pop_front()?;
        if self.below == 0 {
            self.sum = AHEAD as f64;
            return Some(frame);
        }
        // Each of these gains is enough for the frame, so their mean is.
        let mean = (self.sum / AHEAD as f64) as f32;
        Some(frame.map(|sample| (sample * mean).clamp(-CEILING, CEILING)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(input: &[Frame]) -> Vec<Frame> {
        let mut limiter = Limiter::new();
        let mut out = Vec::new();
        limiter.push(input, &mut out);
        limiter.push(&[[0.0; 2]; AHEAD - 1], &mut out);
        out
    }

    #[test]
    fn what_is_quiet_is_not_touched() {
        let input: Vec<Frame> =
            (0..5000).map(|at| [(at as f32 * 0.1).sin() * 0.89, (at as f32 * 0.07).cos() * 0.5]).collect();
        assert_eq!(limited(&input), input);
    }

    #[test]
    fn what_is_loud_is_held_below_the_ceiling_and_comes_back() {
        let input: Vec<Frame> = (0..60_000)
            .map(|at| {
                let loud = if (10_000..20_000).contains(&at) { 3.0 } else { 0.5 };
                [(at as f32 * 0.05).sin() * loud, 0.0]
            })
            .collect();
        let out = limited(&input);
        assert_eq!(out.len(), input.len());
        assert!(out.iter().all(|frame| frame[0].abs() <= CEILING));
        let loudest =
            |range: std::ops::Range<usize>| out[range].iter().fold(0.0_f32, |most, frame| most.max(frame[0]));
        assert!(loudest(12_000..18_000) > CEILING * 0.95);
        assert_eq!(out[..9_700], input[..9_700]);
        assert!(loudest(58_000..60_000) > 0.495);
        // The gain never jumps.
        let gains: Vec<f32> =
            (0..60_000).filter(|at| input[*at][0].abs() > 0.1).map(|at| out[at][0] / input[at][0]).collect();
        assert!(gains.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.06));
    }

    #[test]
    fn one_peak_stays_at_its_place() {
        let mut input = vec![[0.0; 2]; 3000];
        input[1234] = [5.0, -5.0];
        let out = limited(&input);
        let at = (0..out.len()).filter(|at| out[*at] != [0.0; 2]).collect::<Vec<_>>();
        assert_eq!(at, [1234]);
        assert!((out[1234][0] - CEILING).abs() < 1e-3);
    }
}
