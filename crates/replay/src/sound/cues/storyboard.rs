//! The storyboard's sounds: of the map's own events, and of its .osb. Those for a play that fails are not heard.

use super::{Course, Cues};
use crate::{
    error::ReplayError,
    sound::names::Wanted,
    storyboard::script::{Layer, Script},
};

impl Cues<'_> {
    /// # Errors
    /// Storyboards beyond the limits, and files that cannot be unpacked.
    pub(super) fn storyboard(&mut self) -> Result<(), ReplayError> {
        let stage = self.stage;
        if !stage.options.background.storyboard {
            return Ok(());
        }
        let name = stage.files.names().find(|name| name.to_ascii_lowercase().ends_with(".osb"));
        let other = name.map(|name| stage.files.read(name)).transpose()?.unwrap_or_default();
        let other = String::from_utf8_lossy(&other);
        for sample in Script::read([stage.map.text.as_str(), &other])?.samples {
            if sample.layer != Layer::Fail && sample.at <= self.span.1 {
                let wanted = Wanted::file(&sample.file);
                self.add(sample.at, &wanted, i32::from(sample.volume), Course::Once(0.0));
            }
        }
        Ok(())
    }
}
