//! Faster or slower sound of the same pitch, as DoubleTime and HalfTime have it.
//!
//! The sound is cut into stretches of some 50 ms that follow each other in another distance than they had; each begins where it
//! continues the one before best (WSOLA). Drums would be doubled, lost or moved by that, so a stretch that reaches an onset
//! begins where the onset falls on its time.
//!
//! Promises: output frame `n` belongs to input frame `n * map / video`: an onset is there within 2 ms, anything else within
//! some 20 ms, and nothing adds up over time. At most a few tenths of a second of input are in memory.

use super::{
    decode::Frame,
    onsets::{HOP, Onsets},
};
use crate::time::Speed;

/// Frames of a stretch: 50 ms.
const LENGTH: i64 = 2400;

/// Frames in which one stretch fades into the next: 8 ms.
const OVERLAP: i64 = 384;

/// How far from its place a stretch may begin: 15 ms, so that a wave of 33 Hz finds itself.
const REACH: i64 = 720;

/// How far from its time an onset may be: 2 ms.
const NEAR: i64 = 96;

/// How much follows an onset before the next stretch begins: 20 ms.
const AFTER: i64 = 960;

/// Stretches end so much before an onset that is not theirs, and begin so much after one that was heard.
const GUARD: i64 = 96;

/// Stretches the sound of a source.
pub(super) struct Stretch {
    speed: Speed,
    /// Input from frame `base` on.
    input: Vec<Frame>,
    base: i64,
    ended: bool,
    onsets: Onsets,
    /// Frames of output that were made.
    made: i64,
    /// What would have followed the last stretch; nothing before the first, which does not fade in.
    tail: Vec<Frame>,
    /// The onset that was heard last.
    heard: Option<i64>,
    ready: Vec<Frame>,
    taken: usize,
}

impl Stretch {
    /// For a speed from 1/10 to 10.
    pub(super) fn new(speed: Speed) -> Self {
        Self {
            speed,
            input: Vec::new(),
            base: 0,
            ended: false,
            onsets: Onsets::default(),
            made: 0,
            tail: Vec::new(),
            heard: None,
            ready: Vec::new(),
            taken: 0,
        }
    }

    /// Fills `out` with what follows. `source` adds input; `false` at its end, after which there is silence.
    pub(super) fn fill(&mut self, out: &mut [Frame], source: &mut dyn FnMut(&mut Vec<Frame>) -> bool) {
        for frame in out {
            if self.taken == self.ready.len() {
                self.stretch(source);
            }
            *frame = self.ready.get(self.taken).copied().unwrap_or_default();
            self.taken += 1;
        }
    }

    /// The input frame that belongs to an output frame.
    fn input_of(&self, output: i64) -> i64 {
        self.speed.on_map(output)
    }

    /// The output frame that belongs to an input frame.
    fn output_of(&self, input: i64) -> i64 {
        self.speed.on_video(input)
    }

    /// Makes the next stretch.
    fn stretch(&mut self, source: &mut dyn FnMut(&mut Vec<Frame>) -> bool) {
        let from = self.made;
        let place = self.input_of(from);
        let ahead = self.input_of(LENGTH + AFTER + OVERLAP) + LENGTH + AFTER + REACH + HOP as i64;
        while !self.ended && self.base + (self.input.len() as i64) < place + ahead {
            self.ended = !source(&mut self.input);
        }
        self.onsets.listen(&self.input, self.base);
        // Those whose time has passed, and the one that was heard already.
        self.onsets.forget_until(place.max(self.heard.map_or(0, |heard| heard + 1)));

        let (first, second) = self.onsets.next_two();
        let reached = first.filter(|onset| self.output_of(*onset) <= from + LENGTH);
        let begin = match reached {
            Some(onset) => self.best(onset - (self.output_of(onset) - from), NEAR),
            None => {
                // Its middle is in its place.
                let centre = place + (self.input_of(LENGTH) - LENGTH) / 2;
                let earliest = self.heard.map_or(i64::MIN, |heard| heard + GUARD);
                self.best(centre.max(earliest + REACH), REACH)
            }
        };
        let least = reached.map_or(OVERLAP, |onset| (self.output_of(onset) - from + AFTER).max(OVERLAP));
        let next = if reached.is_some() { second } else { first };
        let length = LENGTH.max(least);
        let length = next.map_or(length, |onset| {
            // Neither reaches it on its own, nor leaves the next stretch no time to fade in before it.
            let before =
                (onset - OVERLAP - GUARD - begin).min(self.output_of(onset) - OVERLAP - GUARD - from);
            length.min(before).max(least)
        });
        self.emit(begin, length);
        self.heard = reached.or(self.heard);
        self.made += length;

        let kept = self.input_of(self.made) - REACH - 2 * LENGTH;
        let gone = usize::try_from(kept - self.base).unwrap_or(0).min(self.input.len());
        // Rarely, as all that stays is moved.
        if gone > 16 * LENGTH as usize {
            self.input.drain(..gone);
            self.base += gone as i64;
        }
    }

    /// The input frame within `reach` of `centre` that continues the last stretch best.
    fn best(&self, centre: i64, reach: i64) -> i64 {
        let mono = |frame: &Frame| frame[0] + frame[1];
        let tail: Vec<f32> = self.tail.iter().map(mono).collect();
        if tail.iter().all(|sample| sample.abs() < 1e-6) {
            return centre;
        }
        let region: Vec<f32> =
            (centre - reach..centre + reach + OVERLAP).map(|at| mono(&self.frame(at))).collect();
        // What all samples before one weigh together, so that any part's energy is a difference.
        let mut sum = 0.0;
        let mut energies = Vec::with_capacity(region.len() + 1);
        energies.push(0.0);
        for sample in &region {
            sum += f64::from(*sample) * f64::from(*sample);
            energies.push(sum);
        }
        let energies = energies.windows(OVERLAP as usize + 1).map(|sums| sums[OVERLAP as usize] - sums[0]);
        let mut best = (f32::MIN, centre);
        for (index, (part, energy)) in region.windows(OVERLAP as usize).zip(energies).enumerate() {
            let alike = alike(&tail, part);
            let off = (index as i64 - reach) as f32 / reach as f32;
            // Of two that are as good, the nearer one.
            let score = alike / (energy as f32 + 1e-6).sqrt() * (1.0 - 0.1 * off * off * alike.signum());
            if score > best.0 {
                best = (score, centre - reach + index as i64);
            }
        }
        best.1
    }

    fn frame(&self, at: i64) -> Frame {
        let index = usize::try_from(at - self.base).ok();
        index.and_then(|index| self.input.get(index)).copied().unwrap_or_default()
    }

    /// Makes a stretch of `length` frames, the first of which fade in over what the last one left.
    fn emit(&mut self, begin: i64, length: i64) {
        let mut made = std::mem::take(&mut self.ready);
        made.clear();
        for at in 0..length {
            let mut frame = self.frame(begin + at);
            if let Some(before) = self.tail.get(at as usize) {
                let share = (at as f32 + 0.5) / OVERLAP as f32;
                frame = [0, 1].map(|side| before[side] + (frame[side] - before[side]) * share);
            }
            made.push(frame);
        }
        self.tail = (begin + length..begin + length + OVERLAP).map(|at| self.frame(at)).collect();
        self.ready = made;
        self.taken = 0;
    }
}

/// How alike two pieces are.
fn alike(one: &[f32], other: &[f32]) -> f32 {
    // Eight sums side by side, which a processor adds at once.
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += one[lane] * other[lane];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests;
