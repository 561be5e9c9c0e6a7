//! The samples of the default skin, made by code: soft, short and always the same.
//!
//! Each is a sum of tones that glide and die away, and of noise between two frequencies. What is heard in a loop is one second
//! that goes on where it begins.

use std::f64::consts::TAU;

use super::{SAMPLE_RATE, decode::Frame};

/// How loud a sample may be.
const LOUDEST: f64 = 0.8;

/// A part of a sound. Times in seconds, frequencies in hertz.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A tone from one frequency to another, which it nears as it dies away.
    Tone { at: f64, from: f64, to: f64, decay: f64, gain: f64 },
    /// Noise between two frequencies.
    Noise { at: f64, low: f64, high: f64, decay: f64, gain: f64 },
}

const fn tone(from: f64, to: f64, decay: f64, gain: f64) -> Part {
    Part::Tone { at: 0.0, from, to, decay, gain }
}

const fn noise(low: f64, high: f64, decay: f64, gain: f64) -> Part {
    Part::Noise { at: 0.0, low, high, decay, gain }
}

const fn later(part: Part, at: f64) -> Part {
    match part {
        Part::Tone { from, to, decay, gain, .. } => Part::Tone { at, from, to, decay, gain },
        Part::Noise { low, high, decay, gain, .. } => Part::Noise { at, low, high, decay, gain },
    }
}

/// A sample that no file brings. What is unknown is silent.
pub(super) fn sound(set: &str, name: &str, taiko: bool) -> Vec<Frame> {
    let parts: Vec<Part> = match (name, set) {
        ("hitnormal", _) if taiko => vec![tone(190.0, 82.0, 0.055, 0.75), noise(150.0, 1500.0, 0.012, 0.35)],
        ("hitclap", _) if taiko => vec![tone(1150.0, 960.0, 0.018, 0.35), noise(1800.0, 7000.0, 0.02, 0.5)],
        ("hitfinish", _) if taiko => vec![tone(150.0, 62.0, 0.13, 0.85), noise(80.0, 900.0, 0.03, 0.3)],
        ("hitwhistle", _) if taiko => vec![tone(900.0, 780.0, 0.05, 0.4), noise(1500.0, 6000.0, 0.05, 0.4)],
        ("hitnormal", "soft") => vec![tone(760.0, 520.0, 0.016, 0.3), noise(1200.0, 5200.0, 0.006, 0.24)],
        ("hitnormal", "drum") => vec![tone(240.0, 120.0, 0.038, 0.6), noise(300.0, 3200.0, 0.008, 0.35)],
        ("hitnormal", _) => vec![tone(430.0, 260.0, 0.022, 0.45), noise(1500.0, 8000.0, 0.009, 0.38)],
        ("hitwhistle", "soft") => vec![tone(2093.0, 2093.0, 0.085, 0.13), tone(3136.0, 3136.0, 0.05, 0.07)],
        ("hitwhistle", "drum") => vec![tone(587.0, 581.0, 0.06, 0.22), tone(845.0, 839.0, 0.05, 0.18)],
        ("hitwhistle", _) => vec![tone(1760.0, 1772.0, 0.075, 0.17), tone(2637.0, 2650.0, 0.05, 0.08)],
        ("hitfinish", "soft") => vec![noise(4500.0, 13_000.0, 0.2, 0.24), tone(5230.0, 5230.0, 0.15, 0.04)],
        ("hitfinish", "drum") => vec![noise(900.0, 9000.0, 0.16, 0.34), tone(130.0, 70.0, 0.09, 0.5)],
        ("hitfinish", _) | ("nightcore-finish", _) => {
            vec![
                noise(3000.0, 14_000.0, 0.28, 0.4),
                noise(500.0, 5000.0, 0.03, 0.3),
                tone(3950.0, 3950.0, 0.2, 0.03),
            ]
        }
        ("hitclap", "soft") => {
            vec![noise(1500.0, 3600.0, 0.012, 0.55), later(noise(1500.0, 3600.0, 0.025, 0.4), 0.011)]
        }
        ("hitclap", "drum") => vec![noise(700.0, 8500.0, 0.045, 0.42), tone(215.0, 175.0, 0.04, 0.38)],
        ("hitclap", _) | ("nightcore-clap", _) => vec![
            noise(1000.0, 3200.0, 0.006, 0.6),
            later(noise(1000.0, 3200.0, 0.006, 0.6), 0.010),
            later(noise(900.0, 4200.0, 0.045, 0.5), 0.020),
        ],
        ("slidertick", "drum") => vec![tone(420.0, 330.0, 0.012, 0.35)],
        ("slidertick", "soft") => vec![tone(1250.0, 1100.0, 0.008, 0.2)],
        ("slidertick", _) => vec![tone(950.0, 800.0, 0.009, 0.28)],
        ("spinnerbonus", _) => {
            vec![
                tone(1046.5, 1046.5, 0.14, 0.2),
                tone(1318.5, 1318.5, 0.13, 0.16),
                tone(2093.0, 2093.0, 0.09, 0.1),
            ]
        }
        ("combobreak", _) => vec![
            tone(330.0, 150.0, 0.085, 0.42),
            later(tone(262.0, 110.0, 0.1, 0.34), 0.06),
            noise(200.0, 1400.0, 0.035, 0.3),
        ],
        ("nightcore-kick", _) => vec![tone(165.0, 48.0, 0.075, 0.95), noise(800.0, 4000.0, 0.004, 0.2)],
        ("nightcore-hat", _) => vec![noise(7000.0, 15_000.0, 0.022, 0.3)],
        ("sliderslide", _) => return loop_of(&[(noise(350.0, 1700.0, 1.0, 0.11), 0)]),
        ("sliderwhistle", _) => {
            return loop_of(&[(tone(880.0, 880.0, 1.0, 0.045), 6), (tone(1320.0, 1320.0, 1.0, 0.02), 6)]);
        }
        ("spinnerspin", _) => {
            return loop_of(&[(noise(250.0, 1500.0, 1.0, 0.12), 9), (tone(196.0, 196.0, 1.0, 0.07), 9)]);
        }
        _ => vec![],
    };
    let seconds = parts.iter().fold(0.0_f64, |longest, part| {
        let (Part::Tone { at, decay, .. } | Part::Noise { at, decay, .. }) = part;
        // Where it is 60 dB below its beginning.
        longest.max(at + decay * 7.0)
    });
    let mut out = vec![0.0; (seconds * f64::from(SAMPLE_RATE)) as usize];
    for (number, part) in parts.iter().enumerate() {
        add(&mut out, *part, number as u32);
    }
    let loudest = out.iter().fold(0.0_f64, |loudest, sample| loudest.max(sample.abs()));
    if loudest > LOUDEST {
        out.iter_mut().for_each(|sample| *sample *= LOUDEST / loudest);
    }
    // To zero at the end.
    let end = out.len();
    for (left, sample) in out.iter_mut().rev().enumerate().take(end.min(240)) {
        *sample *= left as f64 / 240.0;
    }
    out.iter().map(|sample| [*sample as f32; 2]).collect()
}

/// Adds a part that dies away.
fn add(out: &mut [f64], part: Part, seed: u32) {
    let step = 1.0 / f64::from(SAMPLE_RATE);
    // A beginning of half a millisecond instead of a step.
    let envelope = |since: f64, decay: f64| (since / 0.0005).min(1.0) * (-since / decay).exp();
    match part {
        Part::Tone { at, from, to, decay, gain } => {
            let mut phase = 0.0;
            for (index, sample) in out.iter_mut().skip((at / step) as usize).enumerate() {
                let since = index as f64 * step;
                *sample += (phase * TAU).sin() * gain * envelope(since, decay);
                phase += (to + (from - to) * (-since / (decay * 0.6)).exp()) * step;
            }
        }
        Part::Noise { at, low, high, decay, gain } => {
            let mut noise = Noise::new(seed, low, high);
            for (index, sample) in out.iter_mut().skip((at / step) as usize).enumerate() {
                *sample += noise.next() * gain * envelope(index as f64 * step, decay);
            }
        }
    }
}

/// A second that can be heard again and again: its parts do not die away, but swell so many times.
fn loop_of(parts: &[(Part, u32)]) -> Vec<Frame> {
    let length = SAMPLE_RATE as usize;
    let mut out = vec![0.0; length];
    for (number, (part, swells)) in parts.iter().enumerate() {
        let swell = |at: usize| {
            let depth = if *swells == 0 { 0.0 } else { 0.35 };
            1.0 - depth * (0.5 + 0.5 * (at as f64 / length as f64 * f64::from(*swells) * TAU).cos())
        };
        match part {
            Part::Tone { from, gain, .. } => {
                for (at, sample) in out.iter_mut().enumerate() {
                    *sample += (at as f64 / length as f64 * from * TAU).sin() * gain * swell(at);
                }
            }
            Part::Noise { low, high, gain, .. } => {
                let mut noise = Noise::new(number as u32, *low, *high);
                let mut made: Vec<f64> = (0..length + 4800).map(|_| noise.next()).collect();
                // What would follow fades out over the beginning, so that the end goes on there.
                let after = made.split_off(length);
                for (index, sample) in after.iter().enumerate() {
                    let share = index as f64 / 4800.0;
                    made[index] = made[index] * share.sqrt() + sample * (1.0 - share).sqrt();
                }
                for (at, (sample, noise)) in out.iter_mut().zip(made).enumerate() {
                    *sample += noise * gain * swell(at);
                }
            }
        }
    }
    out.iter().map(|sample| [*sample as f32; 2]).collect()
}

/// Noise between two frequencies, about as loud as a tone of that gain.
struct Noise {
    state: u32,
    low: (f64, f64),
    high: (f64, f64),
    loudness: f64,
}

impl Noise {
    fn new(seed: u32, low: f64, high: f64) -> Self {
        let coefficient = |frequency: f64| 1.0 - (-frequency * TAU / f64::from(SAMPLE_RATE)).exp();
        let loudness = (12_000.0 / (high - low).max(100.0)).sqrt();
        let state = 0x9e37_79b9_u32.wrapping_mul(seed.wrapping_add(1));
        Self { state, low: (coefficient(low), 0.0), high: (coefficient(high), 0.0), loudness }
    }

    fn next(&mut self) -> f64 {
        // Numerical Recipes' generator; its high bits are as random as this needs.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let white = f64::from(self.state >> 8) / f64::from(1 << 23) - 1.0;
        self.high.1 += (white - self.high.1) * self.high.0;
        self.low.1 += (self.high.1 - self.low.1) * self.low.0;
        (self.high.1 - self.low.1) * self.loudness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_heard_short_and_not_too_loud() {
        for set in ["normal", "soft", "drum"] {
            for name in ["hitnormal", "hitwhistle", "hitfinish", "hitclap", "slidertick", "spinnerbonus"] {
                for taiko in [false, true] {
                    let made = sound(set, name, taiko);
                    let loudest = made.iter().fold(0.0_f32, |loudest, frame| loudest.max(frame[0].abs()));
                    assert!((0.05..0.95).contains(&loudest), "{set} {name} {taiko}: {loudest}");
                    assert!(made.len() < 96_000 * 2, "{set} {name}");
                    assert_eq!(made, sound(set, name, taiko));
                    assert!(made.last().unwrap()[0].abs() < 1e-6);
                }
            }
        }
        for name in ["combobreak", "nightcore-kick", "nightcore-clap", "nightcore-hat", "nightcore-finish"] {
            assert!(!sound("", name, false).is_empty(), "{name}");
        }
        assert!(sound("", "other", false).is_empty());
    }

    #[test]
    fn loops_go_on_where_they_begin() {
        for name in ["sliderslide", "sliderwhistle", "spinnerspin"] {
            let made = sound("soft", name, false);
            assert_eq!(made.len(), 48_000);
            let step = |one: usize, other: usize| (made[one][0] - made[other][0]).abs();
            let largest = (1..48_000).map(|at| step(at, at - 1)).fold(0.0, f32::max);
            assert!(step(0, 47_999) <= largest, "{name}");
        }
    }
}
