//! Pictures of which a part is seen, from the left: as strips, so that what is seen may end at any of them.

use super::kit::Stamp;
use crate::draw::{Image, Picture};

/// Pixels of a strip. Even, so that none shares a pixel of the colours with its neighbours where they begin at an even place.
const STRIP: u32 = 2;

/// A picture in strips.
#[derive(Debug, Clone)]
pub(super) struct Strips {
    strips: Vec<Stamp>,
    /// Of the whole, in pixels.
    pub(super) width: i32,
}

impl Strips {
    pub(super) fn new(image: &Image) -> Self {
        let pixel = |left: u32, x: u32, y: u32| {
            let index = y as usize * image.width as usize + (left + x) as usize;
            image.pixels.get(index).copied().filter(|_| left + x < image.width).unwrap_or_default()
        };
        let strips = (0..image.width).step_by(STRIP as usize);
        let strips =
            strips.map(|left| Stamp::plain(&Image::of(STRIP, image.height, |x, y| pixel(left, x, y))));
        Self { strips: strips.collect(), width: image.width as i32 }
    }

    /// Draws the strips that begin from a pixel of it on, and before another.
    pub(super) fn draw(&self, onto: &mut Picture, (x, y): (i32, i32), (from, to): (i32, i32), opacity: u8) {
        for (index, strip) in self.strips.iter().enumerate() {
            let left = index as i32 * STRIP as i32;
            if (from..to).contains(&left) {
                strip.draw(onto, x + left, y, opacity);
            }
        }
    }
}
