//! The one form of audio that every engine takes: 16 kHz, mono, samples from -1 to 1.
//!
//! Reads and writes it as WAV. The reader is strict: the file comes from the render worker, which writes exactly this
//! form, so anything else means that something upstream is broken, and guessing would hide it.

use std::io::Cursor;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::TranscribeError;

/// Samples per second of all audio in this crate.
pub const SAMPLE_RATE: u32 = 16_000;

/// The longest audio that is accepted, in seconds: 12 hours, 2.8 GB of samples in memory.
const MAX_SECONDS: u32 = 12 * 3600;

/// Reads a WAV file of 16 kHz mono, 16-bit integers or 32-bit floats.
///
/// # Errors
/// [`TranscribeError::BadAudio`] for any other form, a truncated file, a sample that is not a number, or more than 12
/// hours.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, TranscribeError> {
    let reader =
        WavReader::open(path).map_err(|error| bad(format!("cannot read {}: {error}", path.display())))?;
    let spec = reader.spec();
    if spec.sample_rate != SAMPLE_RATE || spec.channels != 1 {
        return Err(bad(format!(
            "expected {SAMPLE_RATE} Hz mono, got {} Hz with {} channels",
            spec.sample_rate, spec.channels
        )));
    }
    if reader.duration() > MAX_SECONDS * SAMPLE_RATE {
        return Err(bad(format!("it is longer than {} hours", MAX_SECONDS / 3600)));
    }
    let truncated = |error: hound::Error| bad(format!("the file ends early or is damaged: {error}"));
    let samples: Vec<f32> = match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, 16) => reader
            .into_samples::<i16>()
            .map(|sample| sample.map(|value| f32::from(value) / 32_768.0))
            .collect::<Result<_, _>>()
            .map_err(truncated)?,
        (SampleFormat::Float, 32) => {
            reader.into_samples::<f32>().collect::<Result<_, _>>().map_err(truncated)?
        }
        (format, bits) => {
            return Err(bad(format!("expected 16-bit integers or 32-bit floats, got {bits}-bit {format:?}")));
        }
    };
    if samples.iter().any(|sample| !sample.is_finite()) {
        return Err(bad("a sample is not a finite number".to_owned()));
    }
    Ok(samples)
}

/// Encodes samples as a WAV file in memory: 16 kHz, mono, 16-bit integers; louder samples are clipped.
///
/// # Errors
/// [`TranscribeError::BadAudio`] when the samples are too many for a WAV file (4 GiB).
pub fn encode_wav(samples: &[f32]) -> Result<Vec<u8>, TranscribeError> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    let write = |bytes: &mut Vec<u8>| -> Result<(), hound::Error> {
        let mut writer = WavWriter::new(Cursor::new(bytes), spec)?;
        for sample in samples {
            writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16)?;
        }
        writer.finalize()
    };
    write(&mut bytes).map_err(|error| bad(format!("cannot encode it as WAV: {error}")))?;
    Ok(bytes)
}

/// The loudest absolute sample.
pub(crate) fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()))
}

/// The index of the middle of the quietest window of `window` samples within `range`, stepping by half a window. Gives
/// the middle of the range when it is shorter than one window.
pub(crate) fn quietest(samples: &[f32], range: std::ops::Range<usize>, window: usize) -> usize {
    let end = range.end.min(samples.len());
    let mut best = range.start + end.saturating_sub(range.start) / 2;
    let mut least = f64::INFINITY;
    let mut start = range.start;
    while start + window <= end {
        let energy: f64 = samples[start..start + window].iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
        if energy < least {
            least = energy;
            best = start + window / 2;
        }
        start += (window / 2).max(1);
    }
    best
}

fn bad(reason: String) -> TranscribeError {
    TranscribeError::BadAudio { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("speech.wav");
        let samples: Vec<f32> = (0..1600).map(|i| (i as f32 / 50.0).sin() * 0.9).collect();
        std::fs::write(&path, encode_wav(&samples).unwrap()).unwrap();
        let back = read_wav(&path).unwrap();
        assert_eq!(back.len(), samples.len());
        assert!(samples.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn other_forms_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let good = encode_wav(&[0.1; 1600]).unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let mut wrong_rate = good.clone();
        wrong_rate[24..28].copy_from_slice(&44_100u32.to_le_bytes());
        wrong_rate[28..32].copy_from_slice(&88_200u32.to_le_bytes());
        for (name, bytes) in [
            ("rate.wav", wrong_rate.as_slice()),
            ("short.wav", &good[..good.len() - 100]),
            ("head.wav", &good[..20]),
            ("text.wav", b"not audio at all"),
        ] {
            let error = read_wav(&write(name, bytes)).unwrap_err();
            assert_eq!(error.code(), "bad_audio", "{name}: {error}");
        }
        assert_eq!(read_wav(&folder.path().join("absent.wav")).unwrap_err().code(), "bad_audio");
    }

    #[test]
    fn the_quietest_place_is_found() {
        let mut samples = vec![0.5f32; 16_000];
        samples[9_000..10_000].fill(0.0);
        let place = quietest(&samples, 0..16_000, 512);
        assert!((9_000..10_000).contains(&place), "{place}");
        assert_eq!(quietest(&samples, 100..200, 512), 150);
    }
}
