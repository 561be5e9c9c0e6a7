//! A line of text by itself, for those who lay it out.

use super::fonts::Fonts;
use super::paint::{Bitmap, Ink};
use super::shape;

/// How large letters are in a line of that height: from the highest to the lowest, with their marks.
const SIZE: f32 = 1.0 / 1.3;
/// How far below a line's top its letters stand, in parts of its height.
const BASELINE: f32 = 0.76;

impl Fonts {
    /// A line of white text on nothing, `height` pixels high and at most `most_width` wide: smaller, and then cut, where it would
    /// be wider. Answers its width and its pixels, row by row: red, green and blue multiplied by the opacity, and the opacity. A
    /// text of which nothing can be drawn is one transparent column.
    pub(crate) fn line(&self, text: &str, height: u32, most_width: u32, bold: bool) -> (u32, Vec<[u8; 4]>) {
        let empty = || (1, vec![[0; 4]; height as usize]);
        let mut shelf = self.shelf();
        let shelf = &mut *shelf;
        let Some(line) = shape::fitted(shelf, text, bold, height as f32 * SIZE, most_width as f32) else {
            return empty();
        };
        let width = (line.width.ceil() as u32).clamp(1, most_width.max(1));
        let mut bitmap = Bitmap::new(width as usize, height as usize);
        let baseline = (height as f32 * BASELINE).round();
        line.draw(shelf, &mut bitmap, (0.0, baseline), Ink::new([255; 3], 1.0));
        let pixels = bitmap.pixels.iter().map(|pixel| pixel.map(|part| (part * 255.0).round() as u8));
        (width, pixels.collect())
    }
}
