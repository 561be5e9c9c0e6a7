//! The sound of a video: the song at the play's speed, and every sample at its place.
//!
//! Promises: an impulse of a sample whose event is at map time `t` is at sample `round((t - first) * 48 * video / map)` of the
//! mix (times in milliseconds), whatever the speed; song and samples never drift; nothing is louder than -1 dBFS. The mix is made
//! in blocks, and memory is bounded by the limits, the samples' own bound and a few seconds of song.
//!
//! How it is made: [`song`] decodes, resamples and stretches the song; [`cues`] says what is heard when, from the play's events,
//! [`names`] and [`samples`] which file that is, [`synth`] makes what no file brings; [`voices`] mixes them, [`limiter`] holds the
//! sum below the level that can be clipped.

mod cues;
mod decode;
mod limiter;
mod mp3;
mod names;
mod onsets;
mod resample;
mod samples;
mod song;
mod stretch;
mod synth;
mod voices;

use std::ops::ControlFlow;

use crate::{
    error::ReplayError,
    limits::Limits,
    stage::Stage,
    time::{Clock, Micros},
};

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples that are mixed at once: 5 ms, in which loops move.
const BLOCK: usize = 256;

/// Samples over which the song fades in where the video begins in its middle: 20 ms.
const FADE_IN: u64 = 960;

/// Samples over which everything fades out at the end of the video: half a second.
const FADE_OUT: u64 = 24_000;

/// Mixes the sound of `samples` samples (stereo, 48 kHz) from the video's first frame on, and hands it on in order, piece by piece;
/// `sink` may end it early. Sample 0 is heard with frame 0.
///
/// # Errors
/// A song that is missing or cannot be decoded, and songs beyond the limits.
pub fn mix(
    stage: &Stage<'_>,
    song: Option<(&str, &[u8])>,
    samples: u64,
    limits: &Limits,
    sink: &mut dyn FnMut(&[[f32; 2]]) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    let mut song = song::Song::of(stage, song, limits)?;
    let (cues, field) = cues::cues(stage, samples, limits)?;
    let mut voices = voices::Voices::new(stage, cues, field);
    let mut limiter = limiter::Limiter::new();
    let music = f32::from(stage.options.sound.music) / 100.0;
    let begins_within = stage.clock.first > 0;
    let (mut block, mut out) = ([[0.0; 2]; BLOCK], Vec::with_capacity(2 * BLOCK));
    // The limiter gives back what it was given a little later.
    let (mut from, mut left) = (0, samples);
    while left > 0 {
        block.fill([0.0; 2]);
        if from < samples {
            if let Some(song) = &mut song {
                song.fill(&mut block)?;
            }
            for (index, frame) in block.iter_mut().enumerate() {
                let at = from + index as u64;
                let fade = if begins_within { (at.min(FADE_IN) as f32) / FADE_IN as f32 } else { 1.0 };
                *frame = frame.map(|sample| sample * music * fade);
            }
            voices.add(from as i64, &mut block);
            for (index, frame) in block.iter_mut().enumerate() {
                let after = samples.saturating_sub(from + index as u64).min(FADE_OUT);
                *frame = frame.map(|sample| sample * (after as f32 / FADE_OUT as f32));
            }
        }
        from += BLOCK as u64;
        limiter.push(&block, &mut out);
        let count = left.min(out.len() as u64);
        left -= count;
        if sink(&out[..count as usize]).is_break() {
            break;
        }
        out.clear();
    }
    Ok(())
}

/// The sample of the video that belongs to a time of the map, to the nearest; negative before the video.
fn sample_at(clock: &Clock, at: Micros) -> i64 {
    let since = i128::from(at) - i128::from(clock.first);
    let over = since * i128::from(SAMPLE_RATE) * i128::from(clock.speed.video);
    let under = 1_000_000 * i128::from(clock.speed.map.max(1));
    (2 * over + under).div_euclid(2 * under) as i64
}

/// The time of the map that belongs to a sample of the video.
fn time_of(clock: &Clock, sample: i64) -> Micros {
    let over = i128::from(sample) * 1_000_000 * i128::from(clock.speed.map);
    let under = i128::from(SAMPLE_RATE) * i128::from(clock.speed.video.max(1));
    clock.first.saturating_add(over.div_euclid(under) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Speed;

    #[test]
    fn samples_and_times_belong_to_each_other() {
        let clock = |first, map, video| Clock { first, rate: (60, 1), speed: Speed { map, video } };
        let table = [
            (clock(0, 1, 1), 1_000_000, 48_000),
            (clock(-500_000, 1, 1), 0, 24_000),
            (clock(0, 3, 2), 3_000_000, 96_000),
            (clock(2_000_000, 3, 4), 2_750_000, 48_000),
            (clock(0, 1, 1), -1_000, -48),
            (clock(0, 1, 1), 10, 0),
            (clock(0, 1, 1), 11, 1),
        ];
        for (clock, at, sample) in table {
            assert_eq!(sample_at(&clock, at), sample, "{clock:?} {at}");
            assert!((time_of(&clock, sample) - at).abs() <= 21, "{clock:?} {at}");
        }
    }
}
