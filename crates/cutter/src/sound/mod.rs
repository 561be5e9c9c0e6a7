//! The montage's sound: a finished track of AAC packets, made before the montage is put together, in one of two ways
//! that [`choose::sound_plan`] chooses between.
//!
//! - **Encoded**: each clip's sound is decoded once, brought to 48 kHz stereo, measured and kept as samples
//!   ([`samples`]); then the clips are levelled, shaped, mixed and encoded by one encoder ([`encode`]). Every sample
//!   lies exactly where it belongs.
//! - **Copied**: each clip's packets are kept as they are ([`packets`]); then they are copied, and only the few around
//!   each seam are made anew ([`copy`], [`joint`]). A clip's sound is moved by up to 10.7 ms against its picture for
//!   that, each clip for itself ([`grid`]).
//!
//! What is kept of a clip depends on the clip alone, not on the montage, and can be made in parallel and used again.
//! What cannot be copied after all says so ([`TrackError::CannotCopy`]) and is to be encoded instead.
//!
//! Where clips overlap, both sound at once; elsewhere each begins and ends with a soft edge of 5 ms or a fade
//! ([`shape`]).

use std::io;
use std::path::PathBuf;

use crate::av::AvError;
use crate::sound::shape::Placed;

pub(crate) mod aac;
pub(crate) mod choose;
pub(crate) mod copy;
pub(crate) mod encode;
mod grid;
mod joint;
pub(crate) mod level;
mod mix;
pub(crate) mod packets;
pub(crate) mod samples;
pub(crate) mod shape;
pub(crate) mod speech;
pub(crate) mod track;

#[cfg(test)]
mod tests;

/// A clip in the montage's sound.
#[derive(Debug, Clone)]
pub(crate) struct TrackClip {
    /// What is kept of its sound; `None`: it has none and is silent.
    pub(crate) path: Option<PathBuf>,
    /// Where it lies.
    pub(crate) placed: Placed,
    /// By how much it is raised, in dB. Copied sound is not raised, whatever this says.
    pub(crate) gain_db: f64,
}

/// Why there is no sound.
#[derive(Debug)]
pub(crate) enum TrackError {
    /// Decoding failed, or the source could not be read.
    Decode(AvError),
    /// The encoder failed.
    Encode(AvError),
    /// The source's packets cannot be copied, for a reason that is told to people; encoding works.
    CannotCopy(String),
    /// A file of the job could not be written or read.
    Io(io::Error),
    /// Another part of the montage failed.
    Stopped,
}

impl From<AvError> for TrackError {
    fn from(error: AvError) -> Self {
        Self::Decode(error)
    }
}

impl From<io::Error> for TrackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Clips come in the order of their starts.
fn check_order(clips: &[TrackClip]) -> Result<(), TrackError> {
    if clips.is_sorted_by_key(|clip| clip.placed.first_sample) {
        return Ok(());
    }
    Err(TrackError::Io(io::Error::other("the clips' sound is out of order")))
}
