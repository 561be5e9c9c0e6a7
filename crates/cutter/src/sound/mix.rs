//! The montage's sound as samples: the clips one after the other, each levelled and shaped, two at once where they go
//! over into each other. Silence where there is none.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use crate::sound::samples::{Form, SampleReader};
use crate::sound::shape::Span;

/// Samples that are shaped at once where the shape is flat.
const BLOCK: u64 = 1024;

/// A clip in the mix.
struct Voice {
    path: PathBuf,
    gain: f32,
    span: Span,
    /// Open from the clip's first sample to its last.
    reader: Option<SampleReader>,
}

/// Mixes clips. Only those that sound are open.
pub(crate) struct Mixer {
    form: Form,
    voices: VecDeque<Voice>,
    position: u64,
    length: u64,
    block: Vec<f32>,
}

impl Mixer {
    /// Mixes clips of `form` into `length` samples.
    pub(crate) fn new(form: Form, length: u64) -> Self {
        Self { form, voices: VecDeque::new(), position: 0, length, block: Vec::new() }
    }

    /// Adds a clip; they are added in the order of their starts.
    pub(crate) fn add(&mut self, path: PathBuf, gain_db: f64, span: Span) {
        let gain = 10_f64.powf(gain_db / 20.0) as f32;
        self.voices.push_back(Voice { path, gain, span, reader: None });
    }

    /// Appends the next interleaved samples to `out`, at most `count`; none at the end.
    pub(crate) fn read(&mut self, count: usize, out: &mut Vec<f32>) -> io::Result<()> {
        let (from, channels) = (self.position, self.form.channels as usize);
        let to = self.length.min(from.saturating_add(count as u64));
        let start = out.len();
        out.resize(start + (to - from) as usize * channels, 0.0);
        for voice in &mut self.voices {
            if voice.span.start >= to {
                break;
            }
            let (first, last) = (voice.span.start.max(from), voice.span.end.min(to));
            if first >= last {
                continue;
            }
            let offset = start + (first - from) as usize * channels;
            let target = &mut out[offset..offset + (last - first) as usize * channels];
            self.block.resize(target.len(), 0.0);
            voice.read(self.form, &mut self.block)?;
            voice.add(first - voice.span.start, &self.block, target, channels);
            if last == voice.span.end {
                voice.reader = None;
            }
        }
        while self.voices.front().is_some_and(|voice| voice.span.end <= to) {
            self.voices.pop_front();
        }
        self.position = to;
        Ok(())
    }
}

impl Voice {
    fn read(&mut self, form: Form, block: &mut [f32]) -> io::Result<()> {
        let length = self.span.end - self.span.start;
        let reader = match self.reader.as_mut() {
            Some(reader) => reader,
            None => {
                let reader = SampleReader::open(&self.path)?;
                if reader.form != form || reader.samples < length {
                    return Err(io::Error::other("a clip's sound is not what was planned"));
                }
                self.reader.insert(reader)
            }
        };
        match reader.read(block)? {
            count if count == block.len() => Ok(()),
            _ => Err(io::Error::other("a clip's sound is damaged")),
        }
    }

    /// Adds samples from the clip's sample `place` on to `target`.
    fn add(&self, mut place: u64, samples: &[f32], target: &mut [f32], channels: usize) {
        let step = BLOCK as usize * channels;
        for (samples, target) in samples.chunks(step).zip(target.chunks_mut(step)) {
            let count = (samples.len() / channels) as u64;
            if self.span.is_full(place, count) {
                target.iter_mut().zip(samples).for_each(|(to, from)| *to += from * self.gain);
            } else {
                let pairs = samples.chunks_exact(channels).zip(target.chunks_exact_mut(channels));
                for ((from, to), place) in pairs.zip(place..) {
                    let factor = self.gain * self.span.factor(place);
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from * factor);
                }
            }
            place += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sound::samples::Sink;
    use crate::sound::shape::{Placed, spans};

    const FORM: Form = Form { rate: 48_000, channels: 2 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// The mix, however it is read, is the sum of the shaped clips.
        #[test]
        fn the_mix_is_the_sum(
            clips in prop::collection::vec((1_u64..3000, 0_u64..600, 0_u64..900), 1..8),
            steps in prop::collection::vec(1_usize..2500, 1..9),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let mut at = 0_u64;
            let mut placed = Vec::new();
            for (samples, overlap, fade) in clips {
                let earliest = placed.last().map_or(0, |last: &Placed| last.first_sample);
                let first_sample = at.saturating_sub(overlap).max(earliest);
                placed.push(Placed { first_sample, samples, fade_in: fade, fade_out: 0 });
                at = at.max(first_sample + samples);
            }
            let spans = spans(&placed, FORM.rate);
            let length = at + 10;
            let mut expected = vec![0.0_f32; length as usize * 2];
            let mut mixer = Mixer::new(FORM, length);
            for (index, span) in spans.iter().enumerate() {
                let path = directory.path().join(index.to_string());
                let mut sink = Sink::create(&path, FORM, span.end - span.start, false).unwrap();
                for place in 0..span.end - span.start {
                    let value = ((place * 7 + index as u64) % 100) as f32 / 100.0;
                    sink.put(place as i64, &[value, -value]).unwrap();
                    let target = (span.start + place) as usize * 2;
                    let gain = 10_f64.powf(-6.0 / 20.0) as f32;
                    expected[target] += value * (gain * span.factor(place));
                    expected[target + 1] -= value * (gain * span.factor(place));
                }
                sink.finish().unwrap();
                mixer.add(path, -6.0, *span);
            }
            let mut mixed = Vec::new();
            for step in steps.iter().cycle() {
                let before = mixed.len();
                mixer.read(*step, &mut mixed).unwrap();
                if mixed.len() == before {
                    break;
                }
            }
            prop_assert_eq!(mixed.len(), expected.len());
            for (mixed, expected) in mixed.iter().zip(&expected) {
                prop_assert!((mixed - expected).abs() < 1e-5);
            }
        }
    }
}
