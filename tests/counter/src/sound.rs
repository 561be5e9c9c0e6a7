//! The sound of test videos: short tones that tell seconds, or impulses that tell a sample; and reading them back.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::succeeded;

/// Sample rate in which sound is read back, in hertz.
const READ_RATE: u32 = 48_000;
/// Length of an impulse, in seconds.
pub const IMPULSE_SECONDS: f64 = 0.002;
/// Time between the starts of two impulses, in seconds.
pub const IMPULSE_INTERVAL: f64 = 0.5;

/// What a test video sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A tone of 50 ms at 1 kHz at the start of every second.
    Tones,
    /// An impulse of 2 ms at the start of every half second, from half a second on.
    Impulses,
}

impl Signal {
    /// The sound's value at a moment, -1 to 1. `within` is in seconds from the start of the sound.
    fn value(self, seconds: f64) -> f64 {
        match self {
            Self::Tones => {
                let within = seconds % 1.0;
                if within < 0.05 { (within * 1000.0 * std::f64::consts::TAU).sin() * 0.5 } else { 0.0 }
            }
            Self::Impulses => {
                let within = seconds % IMPULSE_INTERVAL;
                if seconds < IMPULSE_INTERVAL || within >= IMPULSE_SECONDS {
                    return 0.0;
                }
                // Rounded at both sides, so that a codec does not smear it more than it must.
                let rounded = (within / IMPULSE_SECONDS * std::f64::consts::PI).sin();
                (within * 3000.0 * std::f64::consts::TAU).sin() * rounded * 0.8
            }
        }
    }

    /// A WAV file of `count` samples in each of `channels` channels.
    pub(crate) fn wav(self, rate: u32, channels: u32, count: u64) -> Vec<u8> {
        let bytes = (count * u64::from(channels) * 2) as u32;
        let mut wav = Vec::with_capacity(bytes as usize + 44);
        wav.extend_from_slice(b"RIFF");
        wav.extend_from_slice(&(bytes + 36).to_le_bytes());
        wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
        wav.extend_from_slice(&(channels as u16).to_le_bytes());
        wav.extend_from_slice(&rate.to_le_bytes());
        wav.extend_from_slice(&(rate * channels * 2).to_le_bytes());
        wav.extend_from_slice(&(channels as u16 * 2).to_le_bytes());
        wav.extend_from_slice(&16_u16.to_le_bytes());
        wav.extend_from_slice(b"data");
        wav.extend_from_slice(&bytes.to_le_bytes());
        for sample in 0..count {
            let value = (self.value(sample as f64 / f64::from(rate)) * f64::from(i16::MAX)) as i16;
            for _ in 0..channels {
                wav.extend_from_slice(&value.to_le_bytes());
            }
        }
        wav
    }
}

/// All samples of a file's first sound as they are played: one channel, 48 kHz, from the file's start.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_samples(path: &Path) -> io::Result<Vec<i16>> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-ac", "1", "-ar", &READ_RATE.to_string(), "-f", "s16le", "pipe:1"])
        .output()?;
    succeeded(&output)?;
    Ok(output.stdout.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// When the tones of a file start, in seconds from its start; in steps of 2 ms.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_tones(path: &Path) -> io::Result<Vec<f64>> {
    let samples = read_samples(path)?;
    // A tone starts where a loud step follows 100 ms of quiet.
    let step = READ_RATE as usize / 500;
    let loud: Vec<bool> = samples.chunks(step).map(|part| loudest(part) > 1500).collect();
    let starts = (0..loud.len())
        .filter(|&place| loud[place] && !loud[place.saturating_sub(50)..place].contains(&true));
    Ok(starts.map(|place| (place * step) as f64 / f64::from(READ_RATE)).collect())
}

/// When the impulses of a file start, in seconds from its start: the middle of the energy of each, less half of an
/// impulse's length. What is quieter than a tenth of the loudest sample is taken for silence.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_impulses(path: &Path) -> io::Result<Vec<f64>> {
    let samples = read_samples(path)?;
    let threshold = loudest(&samples).max(500) / 10;
    // Far more than a codec smears an impulse, far less than their distance.
    let (before, behind) = (READ_RATE as usize / 200, READ_RATE as usize / 50);
    let mut starts = Vec::new();
    let mut place = 0;
    while place < samples.len() {
        if i32::from(samples[place]).abs() <= threshold {
            place += 1;
            continue;
        }
        let (mut energy, mut moment) = (0.0, 0.0);
        let from = place.saturating_sub(before);
        for (index, sample) in samples.iter().enumerate().take(place + behind).skip(from) {
            let power = f64::from(*sample).powi(2);
            energy += power;
            moment += power * index as f64;
        }
        starts.push(moment / energy / f64::from(READ_RATE) - IMPULSE_SECONDS / 2.0);
        place += behind;
    }
    Ok(starts)
}

fn loudest(samples: &[i16]) -> i32 {
    samples.iter().map(|sample| i32::from(*sample).abs()).max().unwrap_or(0)
}
