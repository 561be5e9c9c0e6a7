//! The former way in: one clip's samples, read back for an encoder elsewhere.

use std::io;
use std::path::Path;

use crate::av::AvError;
use crate::reader::Opening;
use crate::report::Loudness;
use crate::sound::TrackError;
use crate::sound::encode::MONTAGE;
use crate::sound::mix::Mixer;
use crate::sound::samples::{SampleReader, take_samples};
use crate::sound::shape::{Placed, spans};

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

impl From<TrackError> for SoundError {
    fn from(error: TrackError) -> Self {
        match error {
            TrackError::Decode(error) | TrackError::Encode(error) => Self::Decode(error),
            TrackError::CannotCopy(reason) => Self::Io(io::Error::other(reason)),
            TrackError::Io(error) => Self::Io(error),
            TrackError::Stopped => Self::Stopped,
        }
    }
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
    take_samples(opening, start, samples, MONTAGE, true, path, go_on)?;
    let measured = SampleReader::open(path).map_err(SoundError::Io)?.measured;
    Ok(measured.and_then(|measured| measured.level(target_lufs)))
}

/// Reads a clip's samples back, levelled and with soft edges. A clip without sound is silence.
pub(crate) struct ClipSound(Mixer);

impl ClipSound {
    /// Opens the samples at `path`, or silence, `samples` long.
    pub(crate) fn open(path: Option<&Path>, gain_db: f64, samples: u64) -> io::Result<Self> {
        let mut mixer = Mixer::new(MONTAGE, samples);
        let placed = Placed { first_sample: 0, samples, fade_in: 0, fade_out: 0 };
        if let (Some(path), [span]) = (path, spans(&[placed], MONTAGE.rate).as_slice()) {
            mixer.add(path.to_owned(), gain_db, *span);
        }
        Ok(Self(mixer))
    }

    /// Appends up to `count` interleaved stereo samples to `out`; none at the end.
    pub(crate) fn read(&mut self, count: usize, out: &mut Vec<f32>) -> io::Result<()> {
        self.0.read(count, out)
    }
}
