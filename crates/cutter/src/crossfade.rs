//! The sound of transitions: ramps and crossfades of interleaved stereo samples. Pure.
//!
//! Everything takes the place of its first sample within the whole transition, so that sound can go through piece by
//! piece and comes out the same.

use std::f32::consts::FRAC_PI_2;

/// Above this a sum of two sounds is bent towards full scale instead of being cut there: -1 dBFS, which levelled clips
/// alone do not pass.
const KNEE: f32 = 0.891_25;

/// How the gain goes from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    /// Evenly. Keeps the loudness of two sounds that are alike, and never exceeds the louder one.
    Linear,
    /// As a quarter of a sine. Keeps the loudness of two sounds that have nothing to do with each other.
    EqualPower,
}

/// Gain of what comes in at sample `position` of `length`: from 0 to 1, and 1 behind the end. What goes out has the gain
/// of the mirrored place, `length - 1 - position`.
pub(crate) fn gain(position: u64, length: u64, curve: Curve) -> f32 {
    if position >= length {
        return 1.0;
    }
    // In the middle of the sample, so that both directions are alike.
    let part = ((position as f64 + 0.5) / length as f64) as f32;
    match curve {
        Curve::Linear => part,
        Curve::EqualPower => (part * FRAC_PI_2).sin(),
    }
}

/// Fades interleaved stereo in; `position` is the place of the first sample in a ramp of `length` samples.
pub(crate) fn fade_in(samples: &mut [f32], position: u64, length: u64, curve: Curve) {
    for (place, pair) in (position..).zip(samples.chunks_mut(2)) {
        let gain = gain(place, length, curve);
        pair.iter_mut().for_each(|sample| *sample *= gain);
    }
}

/// Fades interleaved stereo out; silence from the end of the ramp on.
pub(crate) fn fade_out(samples: &mut [f32], position: u64, length: u64, curve: Curve) {
    for (place, pair) in (position..).zip(samples.chunks_mut(2)) {
        let gain = out(place, length, curve);
        pair.iter_mut().for_each(|sample| *sample *= gain);
    }
}

/// Goes from `from` over to `to`, both interleaved stereo and of one length, and leaves the result in `from`.
pub(crate) fn crossfade(from: &mut [f32], to: &[f32], position: u64, length: u64, curve: Curve) {
    for ((place, pair), to) in (position..).zip(from.chunks_mut(2)).zip(to.chunks(2)) {
        let (less, more) = (out(place, length, curve), gain(place, length, curve));
        for (sample, to) in pair.iter_mut().zip(to) {
            *sample = bend(*sample * less + to * more);
        }
    }
}

fn out(position: u64, length: u64, curve: Curve) -> f32 {
    if position >= length { 0.0 } else { gain(length - 1 - position, length, curve) }
}

/// Leaves what is below the knee as it is and brings the rest below 1, without a corner.
fn bend(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    let room = 1.0 - KNEE;
    (KNEE + room * (over / room).tanh()).copysign(sample)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURVES: [Curve; 2] = [Curve::Linear, Curve::EqualPower];

    #[test]
    fn one_sound_alone_goes_out_and_in() {
        for curve in CURVES {
            let (mut going, mut coming, mut both) = ([0.5; 200], [0.5; 200], [0.0; 200]);
            fade_out(&mut going, 0, 100, curve);
            fade_in(&mut coming, 0, 100, curve);
            crossfade(&mut both, &[0.5; 200], 0, 100, curve);
            assert_eq!(coming, both);
            going.reverse();
            assert_eq!(going, coming);
            assert!(coming[0] < 0.02 * 0.5 && coming[199] > 0.99 * 0.5);
        }
    }

    #[test]
    fn what_lies_behind_a_transition_is_whole_or_silent() {
        let (mut going, mut coming, mut over) = ([0.7; 8], [0.7; 8], [0.7; 8]);
        fade_out(&mut going, 10, 10, Curve::Linear);
        fade_in(&mut coming, 10, 10, Curve::Linear);
        crossfade(&mut over, &[0.25; 8], 12, 10, Curve::EqualPower);
        assert_eq!((going, coming, over), ([0.0; 8], [0.7; 8], [0.25; 8]));
    }

    proptest! {
        #[test]
        fn power_or_sum_is_kept(length in 1_u64..5000, at in 0.0_f64..1.0) {
            let position = ((length as f64 * at) as u64).min(length - 1);
            let pair = |curve| (gain(position, length, curve), out(position, length, curve));
            let (more, less) = pair(Curve::EqualPower);
            prop_assert!((more * more + less * less - 1.0).abs() < 1e-5);
            let (more, less) = pair(Curve::Linear);
            prop_assert!((more + less - 1.0).abs() < 1e-5);
        }

        #[test]
        fn gains_rise(length in 1_u64..2000) {
            for curve in CURVES {
                let gains: Vec<f32> = (0..=length).map(|place| gain(place, length, curve)).collect();
                prop_assert!(gains.windows(2).all(|pair| pair[0] <= pair[1]));
            }
        }

        #[test]
        fn loud_sums_stay_below_full_scale(a in -1.0_f32..=1.0, b in -1.0_f32..=1.0, place in 0_u64..64) {
            let mut samples = [a, b];
            crossfade(&mut samples, &[b, a], place, 64, Curve::EqualPower);
            prop_assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
            prop_assert!((bend(a) - a).abs() < 1e-6 || a.abs() > KNEE);
        }

        #[test]
        fn pieces_are_as_the_whole(cut in 0_usize..100, linear: bool) {
            let curve = if linear { Curve::Linear } else { Curve::EqualPower };
            let a: Vec<f32> = (0..200).map(|n| (n as f32 / 9.0).sin() * 0.8).collect();
            let b: Vec<f32> = (0..200).map(|n| (n as f32 / 7.0).cos() * 0.8).collect();
            let (mut whole, mut pieces) = (a.clone(), a);
            crossfade(&mut whole, &b, 0, 100, curve);
            let (first, second) = pieces.split_at_mut(cut * 2);
            crossfade(first, &b[..cut * 2], 0, 100, curve);
            crossfade(second, &b[cut * 2..], cut as u64, 100, curve);
            prop_assert_eq!(whole, pieces);
        }
    }
}
