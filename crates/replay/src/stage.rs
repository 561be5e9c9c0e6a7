//! What everything that is drawn or heard is made from, and how big the picture is.

use contracts::replay::ReplayOptions;

use crate::{
    archive::Archive,
    beatmap::Beatmap,
    draw::{Picture, Text},
    mods::Mods,
    osr::Replay,
    play::Play,
    skin::Skin,
    time::{Clock, Micros},
};

/// Everything that is known when drawing is prepared.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// The replay.
    pub replay: &'a Replay,
    /// Its map.
    pub map: &'a Beatmap,
    /// The map's files.
    pub files: &'a Archive,
    /// What was played with.
    pub mods: &'a Mods,
    /// The judged play.
    pub play: &'a Play,
    /// The looks.
    pub skin: &'a Skin,
    /// What was asked for.
    pub options: &'a ReplayOptions,
    /// The picture.
    pub layout: Layout,
    /// Where frames stand in the map's time.
    pub clock: Clock,
    /// The time from which on the play is seen, and until which: the first object is between them, and the last.
    pub span: (Micros, Micros),
    /// Draws names and titles in any script.
    pub text: &'a dyn Text,
}

/// A moment of the video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// On the map.
    pub at: Micros,
    /// In the video: microseconds since its first frame, at the video's own speed.
    pub shown: i64,
}

/// Something that draws over what is there. It has been prepared; drawing depends on the moment alone.
pub trait Layer: Send + Sync {
    /// Draws the moment.
    fn draw(&self, moment: Moment, onto: &mut Picture);
}

/// How big things are. Fixed point: 256 stands for one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Width of the picture in pixels; even.
    pub width: u32,
    /// Height of the picture in pixels; even.
    pub height: u32,
}

/// One pixel in fixed point.
pub const ONE: i32 = 256;

impl Layout {
    /// How long `length` (in 1/256 of a unit) of the game's 480 units of height is in the picture, in 1/256 pixel.
    #[must_use]
    pub fn scaled(&self, length: i32) -> i32 {
        (i64::from(length) * i64::from(self.height) / 480) as i32
    }

    /// Where a place of the playfield (in 1/256 osu! pixel; the field is 512 x 384) lies in the picture, in 1/256 pixel.
    /// The field is centred, and eight units lower than the middle, as in the game.
    #[must_use]
    pub fn place(&self, x: i32, y: i32) -> (i32, i32) {
        let left = (self.width as i32 * ONE - self.scaled(512 * ONE)) / 2;
        let top = (self.height as i32 * ONE - self.scaled(384 * ONE)) / 2 + self.scaled(8 * ONE);
        (left + self.scaled(x), top + self.scaled(y))
    }
}
