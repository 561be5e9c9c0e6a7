//! How loud a clip is and by how much it is raised: one gain per clip, towards the wanted loudness (EBU R128), as far
//! as the true peak allows, and never upwards for a room's noise.

use ebur128::{EbuR128, Mode};

use crate::av::AvError;
use crate::report::Loudness;

/// Highest true peak after levelling, in dBTP.
const PEAK_LIMIT_DBTP: f64 = -1.0;
/// At or below this loudness a clip is room noise, which is not made louder, in LUFS.
const ROOM_NOISE_LUFS: f64 = -50.0;

/// What was measured in a clip's sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// Integrated loudness in LUFS; minus infinity when the sound is too short or too quiet to have one.
    pub(crate) integrated: f64,
    /// Highest true peak of all channels, linear.
    pub(crate) peak: f64,
}

impl Measured {
    /// The gain that brings the clip to `target_lufs`; `None` when it is silent.
    pub(crate) fn level(self, target_lufs: f64) -> Option<Loudness> {
        let Self { integrated, peak } = self;
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
}

/// Measures sound as it passes by.
pub(crate) struct Meter(EbuR128);

impl Meter {
    pub(crate) fn new(rate: u32, channels: u32) -> Result<Self, AvError> {
        EbuR128::new(channels, rate, Mode::I | Mode::TRUE_PEAK).map(Self).map_err(|error| failed(&error))
    }

    /// Takes interleaved samples.
    pub(crate) fn add(&mut self, samples: &[f32]) -> Result<(), AvError> {
        self.0.add_frames_f32(samples).map_err(|error| failed(&error))
    }

    pub(crate) fn finish(self) -> Measured {
        let channels = 0..self.0.channels();
        let peak = channels.filter_map(|channel| self.0.true_peak(channel).ok()).fold(0.0, f64::max);
        Measured { integrated: self.0.loudness_global().unwrap_or(f64::NEG_INFINITY), peak }
    }
}

fn failed(error: &ebur128::Error) -> AvError {
    AvError::new("measure sound", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_reach_the_target_or_the_peak() {
        let level = |integrated: f64, peak: f64| Measured { integrated, peak }.level(-16.0);
        let gain = |integrated: f64, peak: f64| level(integrated, peak).unwrap().gain_db;
        assert!((gain(-26.0, 0.1) - 10.0).abs() < 1e-9);
        assert!((gain(-26.0, 0.5) - (-1.0 - 20.0 * 0.5_f64.log10())).abs() < 1e-9, "held by the peak");
        assert!((gain(-10.0, 0.5) + 6.0).abs() < 1e-9, "made quieter");
        assert!(gain(-55.0, 0.01).abs() < 1e-9, "room noise stays");
        assert!((gain(f64::NEG_INFINITY, 1.0) + 1.0).abs() < 1e-9, "a short full-scale click");
        assert!(level(-70.0, 0.0).is_none());
    }
}
