//! A drawn title in the numbers of the canvas, to be laid over its pictures as often as needed.
//!
//! Whole-number arithmetic: opacity 0 leaves a picture as it is, and a place that is covered wholly gets exactly the
//! title's own numbers.

use super::paint::Bitmap;
use crate::av::AvError;
use crate::av::frame::Frame;
use crate::av::plane::{Component, PLANES};
use crate::blend::FULL;
use crate::colour::{Converter, Depth};
use crate::picture::Target;

/// What covers wholly: 12 bits, so that number times cover times opacity keeps within 30.
const WHOLE: f64 = 4096.0;

/// One component with its cover.
#[derive(Debug, PartialEq)]
struct Layer {
    width: usize,
    height: usize,
    /// How much of each place is covered, of 4096.
    covers: Vec<u16>,
    /// Number times cover, rounded once.
    numbers: Vec<u32>,
}

/// A title on a canvas.
#[derive(Debug, PartialEq)]
pub(crate) struct Overlay {
    /// Of its left upper corner, in the canvas's pixels; even.
    x: u32,
    y: u32,
    depth: Depth,
    layers: [Layer; PLANES],
}

impl Overlay {
    /// The bitmap at an even place of the canvas; its sides are even too.
    pub(super) fn new(bitmap: &Bitmap, (x, y): (u32, u32), target: &Target) -> Self {
        let converter = Converter::new(target.colour, target.depth);
        let largest = match target.depth {
            Depth::Eight => 255,
            Depth::Ten => 1023,
        };
        let layer = |plane: usize| {
            let side = if plane == 0 { 1 } else { 2 };
            let (width, height) = (bitmap.width / side, bitmap.height / side);
            let (mut covers, mut numbers) = (Vec::new(), Vec::new());
            for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
                let mut mean = [0.0; 4];
                for (dy, dx) in (0..side).flat_map(|dy| (0..side).map(move |dx| (dy, dx))) {
                    let pixel = bitmap.pixels[(row * side + dy) * bitmap.width + column * side + dx];
                    for (mean, part) in mean.iter_mut().zip(pixel) {
                        *mean += f64::from(part) / (side * side) as f64;
                    }
                }
                let [red, green, blue, alpha] = mean;
                let alpha = alpha.clamp(0.0, 1.0);
                let cover = (alpha * WHOLE).round() as u16;
                let number = converter.premultiplied([red, green, blue], alpha).0[plane];
                covers.push(cover);
                numbers.push(((number * WHOLE).round() as u32).min(u32::from(cover) * largest));
            }
            Layer { width, height, covers, numbers }
        };
        Self { x, y, depth: target.depth, layers: [layer(0), layer(1), layer(2)] }
    }

    /// Lays the title over a picture of the canvas, with an opacity of 0 to [`FULL`].
    pub(crate) fn blend(&self, frame: &mut Frame, opacity: u16) -> Result<(), AvError> {
        match (self.depth, opacity.min(FULL)) {
            (_, 0) => Ok(()),
            (Depth::Eight, opacity) => self.blend_planes::<u8>(frame, opacity),
            (Depth::Ten, opacity) => self.blend_planes::<u16>(frame, opacity),
        }
    }

    fn blend_planes<T: Component>(&self, frame: &mut Frame, opacity: u16) -> Result<(), AvError> {
        let opacity = u32::from(opacity);
        for (plane, layer) in self.layers.iter().enumerate() {
            let half = u32::from(plane > 0);
            let (x, y) = ((self.x >> half) as usize, (self.y >> half) as usize);
            let to = frame.plane_mut::<T>(plane)?;
            if to.width < x + layer.width || to.height < y + layer.height {
                return Err(AvError::new("draw a title", "the picture is smaller than the canvas"));
            }
            let covers = layer.covers.chunks_exact(layer.width);
            let numbers = layer.numbers.chunks_exact(layer.width);
            for (row, (covers, numbers)) in to.rows().skip(y).zip(covers.zip(numbers)) {
                let pixels = row[x..].iter_mut();
                for (pixel, (cover, number)) in pixels.zip(covers.iter().zip(numbers)) {
                    let keep = (4096 * 256) - u32::from(*cover) * opacity;
                    let there: u32 = (*pixel).into();
                    // At most 1023 * 2^20 and half of 2^20.
                    *pixel = T::cut((there * keep + number * opacity + (1 << 19)) >> 20);
                }
            }
        }
        Ok(())
    }

    /// Left, top, width and height on the canvas.
    #[cfg(test)]
    pub(super) fn place(&self) -> [u32; 4] {
        [self.x, self.y, self.layers[0].width as u32, self.layers[0].height as u32]
    }
}
