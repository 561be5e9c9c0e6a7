//! A clip's sound as samples: decoded, brought to one rate and number of channels, and kept in a file with exactly as
//! many samples as the clip has. Gaps in the source become silence.
//!
//! The file says of itself what is in it, and what was measured while it was written, so that it can be kept and used
//! again: a head of 48 bytes, then interleaved 32-bit floats, lowest byte first. It does not depend on where in a
//! montage the clip lies, nor on its level there. A file that is not as it says is an error when it is read.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::av::resample::Resampler;
use crate::reader::{Opening, Reader, Timed};
use crate::sound::TrackError;
use crate::sound::level::{Measured, Meter};
use crate::time::TICKS_PER_SECOND;

/// The first bytes of such a file.
const MAGIC: &[u8; 8] = b"SMSOUND1";
/// Bytes in front of the samples.
const HEAD: usize = 48;
/// How far decoding starts before the clip: decoders need some packets until their sound is right.
const LEAD_TICKS: i64 = TICKS_PER_SECOND / 2;
/// How far back a seek goes for sound at most; a source's sound may simply start later than its picture.
pub(crate) const FARTHEST_TICKS: i64 = 8 * TICKS_PER_SECOND;
/// Timestamps that are this far from what the samples before them say are a gap or an overlap: 20 ms.
const JUMP_PARTS: i64 = 50;
/// Values written or read at once.
const BLOCK: usize = 16_384;

/// Sample rate and number of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) rate: u32,
    pub(crate) channels: u32,
}

/// Decodes a clip's sound into the file at `path`: `samples` samples of `form` from `start` (ticks from the origin).
/// Measuring its loudness costs more than decoding it.
pub(crate) fn take_samples(
    opening: Opening,
    start: i64,
    samples: u64,
    form: Form,
    measure: bool,
    path: &Path,
    go_on: impl Fn() -> bool,
) -> Result<(), TrackError> {
    let mut sink = Sink::create(path, form, samples, measure)?;
    let mut reader = Reader::open(opening)?;
    let mut run = Run::new(start, form);
    let mut next = reader.seek(start.saturating_sub(LEAD_TICKS), FARTHEST_TICKS)?;
    while let Some(timed) = next {
        run.push(&timed, &mut sink)?;
        if sink.is_full() {
            break;
        }
        if !go_on() {
            return Err(TrackError::Stopped);
        }
        next = reader.next()?;
    }
    run.end(&mut sink)?;
    sink.finish()
}

/// Takes samples with their place and keeps those of the clip, without holes.
pub(crate) struct Sink {
    file: BufWriter<File>,
    meter: Option<Meter>,
    form: Form,
    /// Samples of the clip.
    wanted: i64,
    /// Samples that are written.
    written: i64,
    bytes: Vec<u8>,
}

impl Sink {
    pub(crate) fn create(path: &Path, form: Form, wanted: u64, measure: bool) -> Result<Self, TrackError> {
        let meter = measure.then(|| Meter::new(form.rate, form.channels)).transpose()?;
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&[0; HEAD])?;
        let wanted = i64::try_from(wanted).map_err(|_| io::Error::other("a clip is too long"))?;
        Ok(Self { file, meter, form, wanted, written: 0, bytes: Vec::new() })
    }

    /// Puts interleaved samples at sample `place` of the clip. What lies before the clip, behind it, or on samples that
    /// are already there, is left out.
    pub(crate) fn put(&mut self, place: i64, samples: &[f32]) -> Result<(), TrackError> {
        let channels = self.form.channels as i64;
        let place = place.min(self.wanted);
        if place > self.written {
            let most = i64::from(self.form.rate);
            let silence = vec![0.0; ((place - self.written).min(most) * channels) as usize];
            while place > self.written {
                let count = (place - self.written).min(most);
                self.write(&silence[..(count * channels) as usize])?;
            }
        }
        let skip = usize::try_from((self.written - place).saturating_mul(channels)).unwrap_or(usize::MAX);
        let rest = samples.get(skip..).unwrap_or_default();
        let room = usize::try_from((self.wanted - self.written).saturating_mul(channels)).unwrap_or(0);
        self.write(&rest[..rest.len().min(room)])
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), TrackError> {
        for block in samples.chunks(BLOCK) {
            self.bytes.clear();
            // A damaged float stream can hold what is no number.
            let clean = |sample: f32| if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 };
            self.bytes.extend(block.iter().flat_map(|sample| clean(*sample).to_le_bytes()));
            self.file.write_all(&self.bytes)?;
        }
        if let Some(meter) = self.meter.as_mut() {
            meter.add(samples)?;
        }
        self.written += samples.len() as i64 / i64::from(self.form.channels);
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.written >= self.wanted
    }

    /// Fills up with silence and writes the head.
    pub(crate) fn finish(mut self) -> Result<(), TrackError> {
        self.put(self.wanted, &[])?;
        let measured = self.meter.take().map(Meter::finish);
        let mut head = [0; HEAD];
        let mut rest = &mut head[..];
        rest.write_all(MAGIC)?;
        rest.write_all(&self.form.rate.to_le_bytes())?;
        rest.write_all(&self.form.channels.to_le_bytes())?;
        rest.write_all(&self.wanted.to_le_bytes())?;
        rest.write_all(&u64::from(measured.is_some()).to_le_bytes())?;
        if let Some(measured) = measured {
            rest.write_all(&measured.integrated.to_le_bytes())?;
            rest.write_all(&measured.peak.to_le_bytes())?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        self.file.flush()?;
        Ok(())
    }
}

/// Frames that follow each other without a gap, through one resampler.
pub(crate) struct Run {
    /// Where the clip starts, in ticks from the origin.
    start: i64,
    form: Form,
    resampler: Resampler,
    /// Place of the run's next output sample in the clip.
    place: i64,
    /// Place of the run's first input sample in the clip, and how many samples came in since, at which rate.
    anchor: Option<(i64, u64, u32)>,
    out: Vec<f32>,
}

impl Run {
    pub(crate) fn new(start: i64, form: Form) -> Self {
        let resampler = Resampler::new(form.rate, form.channels);
        Self { start, form, resampler, place: 0, anchor: None, out: Vec::new() }
    }

    pub(crate) fn push(&mut self, timed: &Timed, sink: &mut Sink) -> Result<(), TrackError> {
        let rate = timed.frame.sample_rate();
        if rate == 0 || timed.frame.samples() == 0 {
            return Ok(());
        }
        let ours = i128::from(self.form.rate);
        let since = i128::from(timed.at.saturating_sub(self.start));
        let ticks = i128::from(TICKS_PER_SECOND);
        let stated = i64::try_from((since * ours + ticks / 2).div_euclid(ticks)).unwrap_or(i64::MAX);
        let jump = i64::from(self.form.rate) / JUMP_PARTS;
        let continues = self.resampler.fits(&timed.frame)
            && self.anchor.is_some_and(|(first, count, rate)| {
                let passed = i128::from(count) * ours / i128::from(rate);
                let expected = first.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
                stated.abs_diff(expected) <= jump.unsigned_abs()
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

    pub(crate) fn end(&mut self, sink: &mut Sink) -> Result<(), TrackError> {
        self.out.clear();
        self.resampler.finish(&mut self.out)?;
        self.put(sink)?;
        self.anchor = None;
        Ok(())
    }

    fn put(&mut self, sink: &mut Sink) -> Result<(), TrackError> {
        if !self.out.is_empty() {
            sink.put(self.place, &self.out)?;
            self.place = self.place.saturating_add(self.out.len() as i64 / i64::from(self.form.channels));
        }
        Ok(())
    }
}

/// A clip's samples, being read from first to last.
pub(crate) struct SampleReader {
    file: File,
    pub(crate) form: Form,
    /// Samples in the file.
    pub(crate) samples: u64,
    pub(crate) measured: Option<Measured>,
    bytes: Vec<u8>,
}

impl SampleReader {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut head = [0; HEAD];
        file.read_exact(&mut head)?;
        let (magic, rest) = head.split_at(MAGIC.len());
        let word = |place: usize| {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(rest.iter().skip(place)).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(bytes)
        };
        let form = Form { rate: word(0) as u32, channels: (word(0) >> 32) as u32 };
        let samples = word(8);
        let length = samples
            .checked_mul(4 * u64::from(form.channels))
            .and_then(|bytes| bytes.checked_add(HEAD as u64));
        if magic != MAGIC || !(1..=2).contains(&form.channels) || length != Some(file.metadata()?.len()) {
            return Err(io::Error::other("a clip's sound is damaged"));
        }
        let measured = (word(16) == 1)
            .then(|| Measured { integrated: f64::from_bits(word(24)), peak: f64::from_bits(word(32)) });
        Ok(Self { file, form, samples, measured, bytes: Vec::new() })
    }

    /// Reads the next values, as many as `out` has room for; fewer at the end. Says how many.
    pub(crate) fn read(&mut self, out: &mut [f32]) -> io::Result<usize> {
        let mut filled = 0;
        for block in out.chunks_mut(BLOCK) {
            self.bytes.resize(block.len() * 4, 0);
            let mut count = 0;
            while count < self.bytes.len() {
                match self.file.read(&mut self.bytes[count..])? {
                    0 => break,
                    more => count += more,
                }
            }
            let values = self.bytes[..count].chunks_exact(4);
            filled += values.len();
            for (to, from) in block.iter_mut().zip(values) {
                *to = f32::from_le_bytes([from[0], from[1], from[2], from[3]]);
            }
            if count < self.bytes.len() {
                break;
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_has_no_holes_and_the_exact_length() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sound");
        let form = Form { rate: 48_000, channels: 2 };
        let mut sink = Sink::create(&path, form, 10, true).unwrap();
        sink.put(-2, &[9.0, 9.0, 9.0, 9.0, 0.5, 0.5]).unwrap();
        sink.put(4, &[0.25, 0.25]).unwrap();
        sink.put(3, &[7.0, 7.0, 7.0, 7.0, 0.125, f32::NAN]).unwrap();
        sink.finish().unwrap();
        let mut reader = SampleReader::open(&path).unwrap();
        assert_eq!((reader.form, reader.samples), (form, 10));
        assert!(reader.measured.unwrap().peak >= 0.5);
        let mut values = [1.0; 30];
        assert_eq!(reader.read(&mut values).unwrap(), 20);
        let left: Vec<f32> = values[..20].iter().copied().step_by(2).collect();
        assert_eq!(left, [0.5, 0.0, 0.0, 0.0, 0.25, 0.125, 0.0, 0.0, 0.0, 0.0]);

        let whole = std::fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() - 1], &whole[1..], &whole[..20], &[]] {
            std::fs::write(&path, damaged).unwrap();
            assert!(SampleReader::open(&path).is_err());
        }
    }
}
