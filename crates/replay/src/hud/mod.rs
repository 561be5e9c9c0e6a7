//! What lies over the play: score, combo, accuracy, life and whatever else is asked for; warning before, results after.

use crate::{
    draw::Picture,
    error::ReplayError,
    stage::{Layer, Moment, Stage},
};

/// Everything over the scene.
#[derive(Debug)]
pub struct Hud {}

impl Hud {
    /// Prepares it.
    ///
    /// # Errors
    /// [`ReplayError::MapCorrupt`] where stars and pp cannot be computed.
    pub fn new(stage: &Stage<'_>) -> Result<Self, ReplayError> {
        let _ = stage;
        Ok(Self {})
    }

    /// Stars of the map with its mods and pp at the end, both in 1/100.
    #[must_use]
    pub fn stars_and_pp(&self) -> (u32, u32) {
        (0, 0)
    }
}

impl Layer for Hud {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let _ = (moment, onto);
    }
}
