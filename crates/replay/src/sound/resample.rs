//! From one rate to another, without a shift: what was at a time is at that time.
//!
//! Promises: output frame `n` is the input at `start + n / ratio`, to half an output frame, however long the input is.

use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use super::decode::Frame;

/// Frames that are resampled at once.
const CHUNK: usize = 1024;

/// Frames of input that one frame of output is made of.
const TAPS: usize = 64;

/// A resampler of stereo sound.
pub(super) struct Resampler {
    /// None where the rates are equal.
    inner: Option<Async<f32>>,
    waiting: Vec<Frame>,
    made: Vec<Frame>,
    /// Output frames that lie before the start.
    skip: usize,
}

impl Resampler {
    /// With `ratio` frames of output for a frame of input. The first frame of output lies at `start`, in frames of input.
    ///
    /// # Errors
    /// Ratios that cannot be resampled, in words.
    pub(super) fn new(ratio: f64, start: f64) -> Result<Self, &'static str> {
        if ratio == 1.0 {
            return Ok(Self {
                inner: None,
                waiting: Vec::new(),
                made: Vec::new(),
                skip: start.round() as usize,
            });
        }
        let parameters = SincInterpolationParameters {
            sinc_len: TAPS,
            f_cutoff: None,
            oversampling_factor: 256,
            interpolation: SincInterpolationType::Linear,
            window: WindowFunction::BlackmanHarris,
        };
        let inner = Async::new_sinc(ratio, 1.0, &parameters, CHUNK, 2, FixedAsync::Input)
            .map_err(|_| "its sample rate is out of bounds")?;
        // The output's frame `m`, from 0, is the input at `(m + 1) / ratio - TAPS / 2`.
        let skip = ((start + TAPS as f64 / 2.0) * ratio - 1.0).round().max(0.0) as usize;
        let made = vec![[0.0; 2]; inner.output_frames_max()];
        Ok(Self { inner: Some(inner), waiting: Vec::with_capacity(CHUNK), made, skip })
    }

    /// Adds to `out` what the input makes. At the end of the input, silence is to follow it: [`Self::finish`].
    pub(super) fn push(&mut self, mut input: &[Frame], out: &mut Vec<Frame>) {
        let Some(inner) = &mut self.inner else {
            let left_out = self.skip.min(input.len());
            self.skip -= left_out;
            out.extend_from_slice(&input[left_out..]);
            return;
        };
        while !input.is_empty() {
            let (now, later) = input.split_at(input.len().min(CHUNK - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            input = later;
            if self.waiting.len() < CHUNK {
                return;
            }
            let frames = self.made.len();
            let made = {
                let from = InterleavedSlice::new(self.waiting.as_flattened(), 2, CHUNK);
                let to = InterleavedSlice::new_mut(self.made.as_flattened_mut(), 2, frames);
                match (from, to) {
                    (Ok(from), Ok(mut to)) => {
                        inner.process_into_buffer(&from, &mut to, None).map_or(0, |(_, made)| made)
                    }
                    _ => 0,
                }
            };
            self.waiting.clear();
            let left_out = self.skip.min(made);
            self.skip -= left_out;
            out.extend_from_slice(self.made.get(left_out..made).unwrap_or_default());
        }
    }

    /// Adds to `out` what is left after the last of the input.
    pub(super) fn finish(&mut self, out: &mut Vec<Frame>) {
        if self.inner.is_some() {
            self.push(&[[0.0; 2]; CHUNK + TAPS], out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of an impulse's middle.
    fn middle(frames: &[Frame]) -> f64 {
        let peak = (0..frames.len()).max_by(|a, b| frames[*a][0].total_cmp(&frames[*b][0])).unwrap();
        let near = peak.saturating_sub(2)..(peak + 3).min(frames.len());
        let (sum, weighted) = near.fold((0.0, 0.0), |(sum, weighted), at| {
            let weight = f64::from(frames[at][0].max(0.0)).powi(2);
            (sum + weight, weighted + weight * at as f64)
        });
        weighted / sum
    }

    #[test]
    fn an_impulse_stays_where_it_was() {
        for ratio in
            [1.0, 48_000.0 / 44_100.0, 0.5, 2.0, 48_000.0 / 66_150.0, 48_000.0 / 8_000.0, 48_000.0 / 96_000.0]
        {
            for start in [0.0, 0.4, 10.0] {
                for at in [100_usize, 5_000, 400_000] {
                    let mut input = vec![[0.0; 2]; at + 1000];
                    input[at] = [1.0; 2];
                    let mut resampler = Resampler::new(ratio, start).unwrap();
                    let mut out = Vec::new();
                    resampler.push(&input, &mut out);
                    resampler.finish(&mut out);
                    let (found, wanted) = (middle(&out), (at as f64 - start) * ratio);
                    assert!((found - wanted).abs() < 0.75, "{ratio} {start} {at}: {found}, not {wanted}");
                }
            }
        }
    }

    #[test]
    fn a_tone_keeps_its_loudness() {
        let input: Vec<Frame> = (0..44_100).map(|at| [(f64::from(at) * 0.1).sin() as f32; 2]).collect();
        let mut resampler = Resampler::new(48_000.0 / 44_100.0, 0.0).unwrap();
        let mut out = Vec::new();
        resampler.push(&input, &mut out);
        resampler.finish(&mut out);
        let loudest = out.iter().fold(0.0_f32, |loudest, frame| loudest.max(frame[0]));
        assert!((loudest - 1.0).abs() < 0.01, "{loudest}");
        let wanted = |at: usize| (at as f64 * 44_100.0 / 48_000.0 * 0.1).sin() as f32;
        assert!((1000..40_000).all(|at| (out[at][0] - wanted(at)).abs() < 0.06));
    }
}
