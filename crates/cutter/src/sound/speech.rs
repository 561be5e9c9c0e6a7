//! The sound for transcription: WAV, 16 kHz, mono, 16 bit.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::av::resample::Resampler;
use crate::sound::TrackError;
use crate::sound::samples::Form;

/// Rate and channels of the sound for transcription.
pub(crate) const SPEECH: Form = Form { rate: 16_000, channels: 1 };

/// Writes the sound for transcription.
pub(crate) struct SpeechWriter {
    file: BufWriter<File>,
    resampler: Resampler,
    mono: Vec<f32>,
    out: Vec<f32>,
    bytes: Vec<u8>,
    data_bytes: u32,
}

impl SpeechWriter {
    pub(crate) fn create(path: &Path) -> Result<Self, TrackError> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&wav_header(0))?;
        Ok(Self {
            file,
            resampler: Resampler::new(SPEECH.rate, SPEECH.channels),
            mono: Vec::new(),
            out: Vec::new(),
            bytes: Vec::new(),
            data_bytes: 0,
        })
    }

    /// Takes interleaved samples of `form`, which must not change.
    pub(crate) fn write(&mut self, form: Form, samples: &[f32]) -> Result<(), TrackError> {
        // Resampling one channel costs half as much as two.
        self.mono.clear();
        match form.channels {
            2 => self.mono.extend(samples.chunks_exact(2).map(|pair| (pair[0] + pair[1]) * 0.5)),
            _ => self.mono.extend_from_slice(samples),
        }
        if form.rate == SPEECH.rate {
            std::mem::swap(&mut self.mono, &mut self.out);
        } else {
            self.resampler.push_interleaved(form.rate, 1, &self.mono, &mut self.out)?;
        }
        self.put()
    }

    fn put(&mut self) -> Result<(), TrackError> {
        self.bytes.clear();
        let value = |sample: f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
        self.bytes.extend(self.out.drain(..).flat_map(|sample| value(sample).to_le_bytes()));
        self.file.write_all(&self.bytes)?;
        self.data_bytes = self.data_bytes.saturating_add(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Writes what is still inside, and the file's head.
    pub(crate) fn finish(mut self) -> Result<(), TrackError> {
        self.resampler.finish(&mut self.out)?;
        self.put()?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&wav_header(self.data_bytes))?;
        self.file.flush()?;
        Ok(())
    }
}

/// The 44 bytes in front of a WAV file's samples.
fn wav_header(data_bytes: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16_u32.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&SPEECH.rate.to_le_bytes());
    header.extend_from_slice(&(SPEECH.rate * 2).to_le_bytes());
    header.extend_from_slice(&2_u16.to_le_bytes());
    header.extend_from_slice(&16_u16.to_le_bytes());
    header.extend_from_slice(b"data");
    header.extend_from_slice(&data_bytes.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_survives_and_the_length_is_exact() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("speech.wav");
        for (form, blocks) in [(Form { rate: 48_000, channels: 2 }, 75), (SPEECH, 25)] {
            let mut writer = SpeechWriter::create(&path).unwrap();
            let tone = |at: usize| 0.5 * (at as f32 / form.rate as f32 * 440.0 * std::f32::consts::TAU).sin();
            for block in 0..blocks {
                let samples: Vec<f32> = (block * 640..(block + 1) * 640)
                    .flat_map(|at| vec![tone(at); form.channels as usize])
                    .collect();
                writer.write(form, &samples).unwrap();
            }
            writer.finish().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(bytes.len(), 44 + 16_000 * 2);
            assert_eq!(bytes[40..44], 32_000_u32.to_le_bytes());
            let value = |at: usize| {
                f32::from(i16::from_le_bytes([bytes[44 + at * 2], bytes[45 + at * 2]])) / 32_767.0
            };
            for at in 100..15_900 {
                let expected = 0.5 * (at as f32 / 16_000.0 * 440.0 * std::f32::consts::TAU).sin();
                assert!((value(at) - expected).abs() < 0.01, "{at}: {} {expected}", value(at));
            }
        }
    }
}
