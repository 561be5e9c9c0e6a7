//! The sound of one clip: decoded once, brought to 48 kHz stereo, measured, and kept as samples in the job
//! directory with exactly as many of them as the clip has.
//!
//! Gaps in the source become silence. Levelling happens when the samples are read back: one gain per clip, towards
//! the wanted loudness (EBU R128), as far as the true peak allows, and never upwards for a room's noise.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use ebur128::{EbuR128, Mode};

use crate::av::AvError;
use crate::av::resample::Resampler;
use crate::reader::{Opening, Reader, Timed};
use crate::report::Loudness;
use crate::time::{SAMPLE_RATE, TICKS_PER_SECOND};

/// Highest true peak after levelling, in dBTP.
const PEAK_LIMIT_DBTP: f64 = -1.0;
/// At or below this loudness a clip is room noise, which is not made louder, in LUFS.
const ROOM_NOISE_LUFS: f64 = -50.0;
/// Length of the soft edge at both ends of a clip: 5 ms, in samples.
const EDGE_SAMPLES: u64 = SAMPLE_RATE as u64 / 200;
/// How far decoding starts before the clip: decoders need some packets until their sound is right.
const LEAD_TICKS: i64 = TICKS_PER_SECOND / 2;
/// How far back a seek goes for sound at most; a source's sound may simply start later than its picture.
const FARTHEST_TICKS: i64 = 8 * TICKS_PER_SECOND;
/// Timestamps that are this far from what the samples before them say are a gap or an overlap: 20 ms, in samples.
const JUMP_SAMPLES: i64 = SAMPLE_RATE as i64 / 50;

/// Why there is no sound.
#[derive(Debug)]
pub(crate) enum SoundError {
    /// Decoding failed, or the source could not be read.
    Decode(AvError),
    /// The samples could not be kept.
    Io(io::Error),
    /// Another part of the montage failed.
    Stopped,
}

impl From<AvError> for SoundError {
    fn from(error: AvError) -> Self {
        Self::Decode(error)
    }
}

impl From<io::Error> for SoundError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Takes samples with their place and keeps those of the clip, without holes.
struct Sink {
    file: BufWriter<File>,
    meter: EbuR128,
    /// Samples of the clip.
    wanted: i64,
    /// Samples that are written.
    written: i64,
}

impl Sink {
    fn create(path: &Path, wanted: u64) -> Result<Self, SoundError> {
        let meter = EbuR128::new(2, SAMPLE_RATE, Mode::I | Mode::TRUE_PEAK)
            .map_err(|error| AvError::new("measure sound", error.to_string()))?;
        let file = BufWriter::new(File::create(path)?);
        Ok(Self { file, meter, wanted: wanted as i64, written: 0 })
    }

    /// Puts interleaved stereo at sample `place` of the clip. What lies before the clip, behind it, or on samples that
    /// are already there, is left out.
    fn put(&mut self, place: i64, samples: &[f32]) -> Result<(), SoundError> {
        let place = place.min(self.wanted);
        if place > self.written {
            let silence = vec![0.0; (place - self.written).min(SAMPLE_RATE.into()) as usize * 2];
            while place > self.written {
                let count = (place - self.written).min(silence.len() as i64 / 2) as usize;
                self.write(&silence[..count * 2])?;
            }
        }
        let skip = (self.written - place).max(0) as usize * 2;
        let rest = samples.get(skip..).unwrap_or_default();
        let room = (self.wanted - self.written).max(0) as usize * 2;
        self.write(&rest[..rest.len().min(room)])
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), SoundError> {
        self.meter
            .add_frames_f32(samples)
            .map_err(|error| AvError::new("measure sound", error.to_string()))?;
        for sample in samples {
            // A damaged float stream can hold what is no number.
            let sample = if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 };
            self.file.write_all(&sample.to_le_bytes())?;
        }
        self.written += samples.len() as i64 / 2;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.written >= self.wanted
    }

    fn finish(mut self, target_lufs: f64) -> Result<Option<Loudness>, SoundError> {
        self.put(self.wanted, &[])?;
        self.file.flush()?;
        let peak =
            [0, 1].into_iter().filter_map(|channel| self.meter.true_peak(channel).ok()).fold(0.0, f64::max);
        let integrated = self.meter.loudness_global().unwrap_or(f64::NEG_INFINITY);
        Ok(level(integrated, peak, target_lufs))
    }
}

/// The gain for a clip of that loudness (LUFS) and linear true peak; `None` when it is silent.
fn level(integrated: f64, peak: f64, target_lufs: f64) -> Option<Loudness> {
    if !(peak.is_finite() && peak > 0.0) {
        return None;
    }
    let true_peak_dbtp = 20.0 * peak.log10();
    let room = PEAK_LIMIT_DBTP - true_peak_dbtp;
    // Too short or too quiet to have a loudness: only kept below the peak limit.
    let measured = integrated.is_finite() && integrated > ROOM_NOISE_LUFS;
    let wanted = if measured { target_lufs - integrated } else { 0.0 };
    let integrated_lufs = if integrated.is_finite() { integrated } else { -70.0 };
    Some(Loudness { integrated_lufs, true_peak_dbtp, gain_db: wanted.min(room) })
}

/// Decodes a clip's sound into the file at `path`: `samples` stereo samples from `start` (ticks from the origin).
pub(crate) fn extract(
    opening: Opening,
    start: i64,
    samples: u64,
    target_lufs: f64,
    path: &Path,
    go_on: impl Fn() -> bool,
) -> Result<Option<Loudness>, SoundError> {
    let mut sink = Sink::create(path, samples)?;
    let mut reader = Reader::open(opening)?;
    let mut run = Run::new(start);
    let mut next = reader.seek(start.saturating_sub(LEAD_TICKS), FARTHEST_TICKS)?;
    while let Some(timed) = next {
        run.push(&timed, &mut sink)?;
        if sink.is_full() {
            break;
        }
        if !go_on() {
            return Err(SoundError::Stopped);
        }
        next = reader.next()?;
    }
    run.end(&mut sink)?;
    sink.finish(target_lufs)
}

/// Frames that follow each other without a gap, through one resampler.
struct Run {
    /// Where the clip starts, in ticks from the origin.
    start: i64,
    resampler: Resampler,
    /// Place of the run's next output sample in the clip.
    place: i64,
    /// Place of the run's first input sample in the clip, and how many samples came in since, at which rate.
    anchor: Option<(i64, u64, u32)>,
    out: Vec<f32>,
}

impl Run {
    fn new(start: i64) -> Self {
        Self { start, resampler: Resampler::new(SAMPLE_RATE, 2), place: 0, anchor: None, out: Vec::new() }
    }

    fn push(&mut self, timed: &Timed, sink: &mut Sink) -> Result<(), SoundError> {
        let rate = timed.frame.sample_rate();
        if rate == 0 || timed.frame.samples() == 0 {
            return Ok(());
        }
        let ticks_per_sample = TICKS_PER_SECOND / i64::from(SAMPLE_RATE);
        let stated =
            (timed.at.saturating_sub(self.start) + ticks_per_sample / 2).div_euclid(ticks_per_sample);
        let continues = self.resampler.fits(&timed.frame)
            && self.anchor.is_some_and(|(first, count, rate)| {
                let expected = first + (count * u64::from(SAMPLE_RATE) / u64::from(rate)) as i64;
                (stated - expected).abs() <= JUMP_SAMPLES
            });
        if !continues {
            self.end(sink)?;
            self.place = stated;
            self.anchor = Some((stated, 0, rate));
        }
        if let Some((_, count, _)) = self.anchor.as_mut() {
            *count += timed.frame.samples() as u64;
        }
        self.out.clear();
        self.resampler.push(&timed.frame, &mut self.out)?;
        self.put(sink)
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), SoundError> {
        self.out.clear();
        self.resampler.finish(&mut self.out)?;
        self.put(sink)?;
        self.anchor = None;
        Ok(())
    }

    fn put(&mut self, sink: &mut Sink) -> Result<(), SoundError> {
        if !self.out.is_empty() {
            sink.put(self.place, &self.out)?;
            self.place += self.out.len() as i64 / 2;
        }
        Ok(())
    }
}

/// Reads a clip's samples back, levelled and with soft edges. A clip without sound is silence.
pub(crate) struct ClipSound {
    file: Option<BufReader<File>>,
    gain: f32,
    samples: u64,
    position: u64,
}

impl ClipSound {
    /// Opens the samples at `path`, or silence, `samples` long.
    pub(crate) fn open(path: Option<&Path>, gain_db: f64, samples: u64) -> io::Result<Self> {
        let file = path.map(File::open).transpose()?.map(BufReader::new);
        Ok(Self { file, gain: 10_f64.powf(gain_db / 20.0) as f32, samples, position: 0 })
    }

    /// Appends up to `count` interleaved stereo samples to `out`; none at the end.
    pub(crate) fn read(&mut self, count: usize, out: &mut Vec<f32>) -> io::Result<()> {
        for _ in 0..count.min((self.samples - self.position) as usize) {
            let factor = self.gain * edge(self.position, self.samples);
            for _ in 0..2 {
                let mut bytes = [0; 4];
                if let Some(file) = self.file.as_mut() {
                    file.read_exact(&mut bytes)?;
                }
                out.push(f32::from_le_bytes(bytes) * factor);
            }
            self.position += 1;
        }
        Ok(())
    }
}

/// Factor of a raised-cosine edge: near 0 at both ends of a clip, 1 from 5 ms on.
fn edge(position: u64, samples: u64) -> f32 {
    let from_end = position.min(samples.saturating_sub(position + 1));
    let length = EDGE_SAMPLES.min(samples / 2).max(1);
    if from_end >= length {
        return 1.0;
    }
    let phase = (from_end as f32 + 0.5) / length as f32;
    0.5 - 0.5 * (phase * std::f32::consts::PI).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_reach_the_target_or_the_peak() {
        let gain = |integrated: f64, peak: f64| level(integrated, peak, -16.0).unwrap().gain_db;
        assert!((gain(-26.0, 0.1) - 10.0).abs() < 1e-9);
        assert!((gain(-26.0, 0.5) - (-1.0 - 20.0 * 0.5_f64.log10())).abs() < 1e-9, "held by the peak");
        assert!((gain(-10.0, 0.5) + 6.0).abs() < 1e-9, "made quieter");
        assert!(gain(-55.0, 0.01).abs() < 1e-9, "room noise stays");
        assert!((gain(f64::NEG_INFINITY, 1.0) + 1.0).abs() < 1e-9, "a short full-scale click");
        assert!(level(-70.0, 0.0, -16.0).is_none());
    }

    #[test]
    fn edges_are_soft_and_even() {
        let factors: Vec<f32> = (0..1000).map(|position| edge(position, 1000)).collect();
        assert!(factors[0] < 0.001 && factors[999] < 0.001 && (factors[500] - 1.0).abs() < f32::EPSILON);
        assert!(factors[..240].windows(2).all(|pair| pair[0] < pair[1]));
        assert!((0..1000).all(|place| (factors[place] - factors[999 - place]).abs() < 1e-6));
        assert!(edge(0, 1) <= 1.0);
    }

    #[test]
    fn a_sink_has_no_holes_and_the_exact_length() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sound");
        let mut sink = Sink::create(&path, 10).unwrap();
        sink.put(-2, &[9.0, 9.0, 9.0, 9.0, 0.5, 0.5]).unwrap();
        sink.put(4, &[0.25, 0.25]).unwrap();
        sink.put(3, &[7.0, 7.0, 7.0, 7.0, 0.125, 0.125]).unwrap();
        sink.finish(-16.0).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let left: Vec<f32> =
            bytes.chunks_exact(8).map(|pair| f32::from_le_bytes(pair[..4].try_into().unwrap())).collect();
        assert_eq!(left, [0.5, 0.0, 0.0, 0.0, 0.25, 0.125, 0.0, 0.0, 0.0, 0.0]);

        let mut samples = Vec::new();
        let mut sound = ClipSound::open(Some(&path), 0.0, 10).unwrap();
        sound.read(100, &mut samples).unwrap();
        assert_eq!(samples.len(), 20);
    }
}
