//! The storyboard's sounds.

use super::{Course, Cues};
use crate::{error::ReplayError, limits::Limits, sound::names::Wanted, storyboard};

impl Cues<'_> {
    /// # Errors
    /// Storyboards beyond the limits, and files that cannot be unpacked.
    pub(super) fn storyboard(&mut self, limits: &Limits) -> Result<(), ReplayError> {
        let stage = self.stage;
        if !stage.options.background.storyboard {
            return Ok(());
        }
        for sample in storyboard::samples(stage.map, stage.files, limits)? {
            // One that began before what is seen is heard from its middle.
            if sample.at <= self.span.1 {
                let wanted = Wanted::file(&sample.file);
                self.add(sample.at, &wanted, i32::from(sample.volume), Course::Once(0.0));
            }
        }
        Ok(())
    }
}
