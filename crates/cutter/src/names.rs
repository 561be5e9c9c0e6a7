//! Names over the picture: a clip's lower third, drawn once and blended into its first frames.

use std::collections::BTreeSet;

use crate::av::AvError;
use crate::av::frame::Frame;
use crate::picture::Target;
use crate::plan::{Canvas, Name};
use crate::time::FrameRate;
use crate::title::{Fonts, Overlay, Title, opacity};

/// A drawn name.
pub(crate) struct Nameplate(Overlay);

impl Nameplate {
    /// Draws a name for a canvas; `None` where it has no room for one.
    pub(crate) fn draw(name: &Name, canvas: &Canvas, fonts: &Fonts) -> Option<Self> {
        let title = Title { text: name.text.clone(), subtitle: name.subtitle.clone() };
        Overlay::draw(&title, &Target::from(canvas), fonts).map(Self)
    }

    /// Blends the name into frame `number` of a clip that shows it for `frames` frames.
    pub(crate) fn blend(
        &self,
        frame: &mut Frame,
        number: u64,
        frames: u64,
        rate: FrameRate,
    ) -> Result<(), AvError> {
        self.0.blend(frame, opacity(number, rate, frames))
    }
}

/// Letters of some names that no font here has, each once.
pub(crate) fn missing_letters<'a>(fonts: &Fonts, names: impl Iterator<Item = &'a String>) -> BTreeSet<char> {
    names.flat_map(|name| fonts.missing(name)).collect()
}
