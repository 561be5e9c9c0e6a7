//! What lies behind the play: background image, video and storyboard, darkened as asked for.

use crate::{
    draw::Picture,
    error::ReplayError,
    stage::{Moment, Stage},
};

/// What lies behind the play.
#[derive(Debug)]
pub struct Backdrop {}

impl Backdrop {
    /// Prepares it. Images that cannot be read are left out: a map's background is never worth its play.
    ///
    /// # Errors
    /// Images beyond the limits.
    pub fn new(stage: &Stage<'_>) -> Result<Self, ReplayError> {
        let _ = stage;
        Ok(Self {})
    }

    /// Draws all of the picture: `video` is the background video's picture of that moment, where there is one, in the size of the
    /// picture.
    pub fn draw(&self, moment: Moment, video: Option<&Picture>, onto: &mut Picture) {
        let _ = (moment, video);
        onto.fill([0; 3]);
    }

    /// Draws what of a storyboard lies over the play.
    pub fn draw_over(&self, moment: Moment, onto: &mut Picture) {
        let _ = (moment, onto);
    }
}
