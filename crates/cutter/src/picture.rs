//! Placing a picture on the canvas: fitted without distortion, turned for showing, black around it.
//!
//! Working on whole planes of 8-bit 4:2:0; the geometry is plain arithmetic.

use ffmpeg_next::ffi::AVPixelFormat;

use crate::av::AvError;
use crate::av::frame::Frame;
use crate::av::scale::Scaler;
use crate::plan::Canvas;

/// A rectangle on the canvas, in pixels; all even, so that its chroma is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The largest rectangle of the given shape in the middle of the canvas.
pub(crate) fn fit(shape: (u64, u64), canvas: (u32, u32)) -> Rect {
    let (shape_width, shape_height) = (shape.0.max(1), shape.1.max(1));
    let (canvas_width, canvas_height) = (u64::from(canvas.0), u64::from(canvas.1));
    // Nearest even number, at least 2, within the canvas.
    let even = |num: u64, den: u64, most: u64| ((num + den) / (2 * den) * 2).clamp(2, most.max(2)) as u32;
    let (width, height) = if shape_width * canvas_height >= shape_height * canvas_width {
        (canvas.0, even(canvas_width * shape_height, shape_width, canvas_height))
    } else {
        (even(canvas_height * shape_width, shape_height, canvas_width), canvas.1)
    };
    Rect { x: (canvas.0 - width) / 4 * 2, y: (canvas.1 - height) / 4 * 2, width, height }
}

/// Brings pictures of one source onto the canvas.
pub(crate) struct Placer {
    canvas: (u32, u32),
    rotation: u16,
    /// Shape of a pixel where a frame does not say its own.
    pixel_shape: (u32, u32),
    scaler: Scaler,
}

impl Placer {
    /// A placer for a source that is shown turned clockwise by `rotation` degrees (0, 90, 180 or 270).
    pub(crate) fn new(canvas: &Canvas, rotation: u16, pixel_shape: (u32, u32)) -> Self {
        Self { canvas: (canvas.width, canvas.height), rotation, pixel_shape, scaler: Scaler::new() }
    }

    /// The picture on the canvas.
    pub(crate) fn place(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let (width, height) = frame.size();
        let (num, den) = frame.pixel_shape().unwrap_or(self.pixel_shape);
        let shape = (u64::from(width) * u64::from(num.max(1)), u64::from(height) * u64::from(den.max(1)));
        let on_side = self.rotation % 180 == 90;
        let rect = fit(if on_side { (shape.1, shape.0) } else { shape }, self.canvas);
        let (scaled_width, scaled_height) =
            if on_side { (rect.height, rect.width) } else { (rect.width, rect.height) };
        let scaled = self.scaler.scale(frame, scaled_width, scaled_height)?;
        if self.rotation == 0 && (rect.width, rect.height) == self.canvas {
            return Ok(scaled);
        }
        let mut canvas = Frame::picture(self.canvas.0, self.canvas.1, AVPixelFormat::AV_PIX_FMT_YUV420P)?;
        for plane in 0..3 {
            let half = u32::from(plane > 0);
            let (from, from_stride) = scaled.plane(plane, scaled_height >> half)?;
            let from = Plane {
                bytes: from,
                stride: from_stride,
                width: (scaled_width >> half) as usize,
                height: (scaled_height >> half) as usize,
            };
            let (to, to_stride) = canvas.plane_mut(plane, self.canvas.1.div_ceil(1 << half))?;
            to.fill(if plane == 0 { 16 } else { 128 });
            let corner = (rect.y >> half) as usize * to_stride + (rect.x >> half) as usize;
            turn(&from, &mut to[corner..], to_stride, self.rotation);
        }
        Ok(canvas)
    }
}

/// One component of a picture.
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
    width: usize,
    height: usize,
}

/// Copies a plane, turned clockwise.
fn turn(from: &Plane<'_>, to: &mut [u8], to_stride: usize, rotation: u16) {
    let (width, height) = (from.width, from.height);
    let pixel = |x: usize, y: usize| from.bytes[y * from.stride + x];
    let rows = to.chunks_mut(to_stride).enumerate();
    match rotation {
        90 => rows.take(width).for_each(|(y, row)| {
            (0..height).for_each(|x| row[x] = pixel(y, height - 1 - x));
        }),
        180 => rows.take(height).for_each(|(y, row)| {
            (0..width).for_each(|x| row[x] = pixel(width - 1 - x, height - 1 - y));
        }),
        270 => rows.take(width).for_each(|(y, row)| {
            (0..height).for_each(|x| row[x] = pixel(width - 1 - y, x));
        }),
        _ => rows.take(height).for_each(|(y, row)| {
            row[..width].copy_from_slice(&from.bytes[y * from.stride..][..width]);
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes_are_kept() {
        assert_eq!(fit((16, 9), (1280, 720)), Rect { x: 0, y: 0, width: 1280, height: 720 });
        assert_eq!(fit((4, 3), (1280, 720)), Rect { x: 160, y: 0, width: 960, height: 720 });
        assert_eq!(fit((320, 568), (640, 360)), Rect { x: 218, y: 0, width: 202, height: 360 });
        assert_eq!(fit((854, 480), (1280, 720)), Rect { x: 0, y: 0, width: 1280, height: 720 });
    }

    #[test]
    fn quarters_turn_clockwise() {
        let from = Plane { bytes: &[1, 2, 3, 4, 5, 6], stride: 3, width: 3, height: 2 };
        let turned = |rotation: u16, columns: usize| {
            let mut to = vec![0; 6];
            turn(&from, &mut to, columns, rotation);
            to
        };
        assert_eq!(turned(0, 3), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(90, 2), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(180, 3), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(270, 2), [3, 6, 2, 5, 1, 4]);
    }

    proptest! {
        #[test]
        fn every_fit_lies_on_the_canvas(w in 1_u64..100_000, h in 1_u64..100_000, cw in 8_u32..2000, ch in 8_u32..2000) {
            let canvas = (cw * 2, ch * 2);
            let rect = fit((w, h), canvas);
            prop_assert!(rect.x + rect.width <= canvas.0 && rect.y + rect.height <= canvas.1);
            prop_assert!(rect.width == canvas.0 || rect.height == canvas.1);
            prop_assert!([rect.x, rect.y, rect.width, rect.height].iter().all(|side| side % 2 == 0));
        }
    }
}
