//! Placing a picture on the canvas: fitted without distortion, turned for showing, black around it, in the canvas's
//! depth and colours.
//!
//! Working on whole planes of 4:2:0; the geometry is plain arithmetic. A picture that is already as the canvas wants it
//! is passed on as it is, pixel by pixel.

use crate::av::AvError;
use crate::av::frame::Frame;
use crate::av::plane::{Component, PLANES, Plane, planar};
use crate::av::scale::Scaler;
use crate::colour::{Colour, Converter, Depth, Matrix};
use crate::plan::Canvas;

/// What pictures are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Coded width in pixels, even.
    pub(crate) width: u32,
    /// Coded height in pixels, even.
    pub(crate) height: u32,
    /// Width of a pixel over its height.
    pub(crate) pixel_shape: (u32, u32),
    /// Bits of a component.
    pub(crate) depth: Depth,
    /// What the numbers mean.
    pub(crate) colour: Colour,
}

impl Target {
    /// Pictures of that size, with the matrix that libav calls `matrix`; where that says nothing, what counts for any
    /// picture of that size.
    pub(crate) fn new(
        (width, height): (u32, u32),
        pixel_shape: (u32, u32),
        bit_depth: u8,
        matrix: &str,
        full_range: bool,
    ) -> Self {
        let matrix = Matrix::named(matrix).unwrap_or_else(|| Matrix::usual(width, height));
        let pixel_shape = if pixel_shape.0 > 0 && pixel_shape.1 > 0 { pixel_shape } else { (1, 1) };
        let colour = Colour { matrix, full_range };
        Self { width, height, pixel_shape, depth: Depth::of(bit_depth), colour }
    }

    /// A picture of one colour.
    pub(crate) fn blank(&self, rgb: [u8; 3]) -> Result<Frame, AvError> {
        let mut frame = Frame::picture(self.width, self.height, planar(self.depth))?;
        frame.set_colour(self.colour);
        frame.set_pixel_shape(self.pixel_shape);
        let colour = Converter::new(self.colour, self.depth).rgb(rgb);
        match self.depth {
            Depth::Eight => fill::<u8>(&mut frame, colour)?,
            Depth::Ten => fill::<u16>(&mut frame, colour)?,
        }
        Ok(frame)
    }
}

impl From<&Canvas> for Target {
    fn from(canvas: &Canvas) -> Self {
        let colour = &canvas.colour;
        let shape = (canvas.sar_num, canvas.sar_den);
        Self::new((canvas.width, canvas.height), shape, canvas.bit_depth, &colour.matrix, colour.full_range)
    }
}

/// A rectangle on the canvas, in pixels; all even, so that its chroma is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The largest rectangle of the given shape in the middle of the canvas, whose pixels are square.
pub(crate) fn fit(shape: (u64, u64), canvas: (u32, u32)) -> Rect {
    fit_among(shape, canvas, (1, 1))
}

/// The same on a canvas whose pixels have the shape `pixel`; `shape` is the one that is seen.
fn fit_among(shape: (u64, u64), canvas: (u32, u32), pixel: (u32, u32)) -> Rect {
    // Counted in the canvas's pixels. The parts of a shape are below 2^64, those of a pixel and the sides below 2^32;
    // so all products keep within 128 bits.
    let shape_width = u128::from(shape.0.max(1)) * u128::from(pixel.1.max(1));
    let shape_height = u128::from(shape.1.max(1)) * u128::from(pixel.0.max(1));
    let divisor = greatest_common_divisor(shape_width, shape_height);
    let (shape_width, shape_height) = (shape_width / divisor, shape_height / divisor);
    let (canvas_width, canvas_height) = (u128::from(canvas.0), u128::from(canvas.1));
    // Nearest even number, at least 2, within the canvas.
    let even = |side: u128, num: u128, den: u128, most: u128| {
        let exact = side.saturating_mul(num);
        (exact.saturating_add(den) / den.saturating_mul(2) * 2).clamp(2, most.max(2)) as u32
    };
    let wide = shape_width.saturating_mul(canvas_height) >= shape_height.saturating_mul(canvas_width);
    let (width, height) = if wide {
        (canvas.0, even(canvas_width, shape_height, shape_width, canvas_height))
    } else {
        (even(canvas_height, shape_width, shape_height, canvas_width), canvas.1)
    };
    Rect { x: (canvas.0 - width) / 4 * 2, y: (canvas.1 - height) / 4 * 2, width, height }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// The size in square pixels in which a picture is shown whose pixels are not square: the height stays.
pub(crate) fn shown_size((width, height): (u32, u32), pixel: (u32, u32)) -> (u32, u32) {
    let shown = u64::from(width) * u64::from(pixel.0.max(1)) / u64::from(pixel.1.max(1)) / 2 * 2;
    // No picture is shown more than four times as wide as it is stored, whatever a file says.
    (shown.clamp(2, u64::from(width.max(1)) * 4) as u32, height)
}

/// Brings pictures of one source onto the canvas.
pub(crate) struct Placer {
    target: Target,
    rotation: u16,
    /// Shape of a pixel where a frame does not say its own.
    pixel_shape: (u32, u32),
    scaler: Scaler,
}

impl Placer {
    /// A placer for a source that is shown turned clockwise by `rotation` degrees (0, 90, 180 or 270).
    pub(crate) fn new(target: Target, rotation: u16, pixel_shape: (u32, u32)) -> Self {
        Self { target, rotation, pixel_shape, scaler: Scaler::new() }
    }

    /// The picture on the canvas. One that is there already shares its pixels with `frame`.
    pub(crate) fn place(&mut self, frame: &Frame) -> Result<Frame, AvError> {
        let target = self.target;
        let (width, height) = frame.size();
        let (num, den) = frame.pixel_shape().unwrap_or(self.pixel_shape);
        let shape = (u64::from(width) * u64::from(num.max(1)), u64::from(height) * u64::from(den.max(1)));
        let on_side = self.rotation % 180 == 90;
        let shape = if on_side { (shape.1, shape.0) } else { shape };
        let rect = fit_among(shape, (target.width, target.height), target.pixel_shape);
        let size = if on_side { (rect.height, rect.width) } else { (rect.width, rect.height) };
        let mut scaled = self.scaler.scale(frame, size, target.depth, target.colour)?;
        if self.rotation == 0 && (rect.width, rect.height) == (target.width, target.height) {
            scaled.set_pixel_shape(target.pixel_shape);
            return Ok(scaled);
        }
        let mut canvas = target.blank([0; 3])?;
        match target.depth {
            Depth::Eight => put::<u8>(&scaled, &mut canvas, rect, self.rotation)?,
            Depth::Ten => put::<u16>(&scaled, &mut canvas, rect, self.rotation)?,
        }
        Ok(canvas)
    }
}

/// Gives a whole picture one colour.
fn fill<T: Component>(frame: &mut Frame, colour: [u16; PLANES]) -> Result<(), AvError> {
    for (plane, number) in colour.into_iter().enumerate() {
        frame.plane_mut::<T>(plane)?.numbers.fill(T::cut(number.into()));
    }
    Ok(())
}

/// Puts a picture onto the canvas, turned clockwise so that it fills `rect`.
fn put<T: Component>(picture: &Frame, canvas: &mut Frame, rect: Rect, rotation: u16) -> Result<(), AvError> {
    for plane in 0..PLANES {
        let half = u32::from(plane > 0);
        let from = picture.plane::<T>(plane)?;
        let to = canvas.plane_mut::<T>(plane)?;
        let corner = (rect.y >> half) as usize * to.stride + (rect.x >> half) as usize;
        let room = to.numbers.get_mut(corner..).unwrap_or_default();
        turn(&from, room, to.stride, rotation);
    }
    Ok(())
}

/// Copies a plane, turned clockwise.
fn turn<T: Copy>(from: &Plane<'_, T>, to: &mut [T], to_stride: usize, rotation: u16) {
    let (width, height) = (from.width, from.height);
    let pixel = |x: usize, y: usize| from.numbers[y * from.stride + x];
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
            row[..width].copy_from_slice(&from.numbers[y * from.stride..][..width]);
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
        let from = Plane { numbers: &[1_u16, 2, 3, 4, 5, 6], stride: 3, width: 3, height: 2 };
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

    #[test]
    fn shapes_are_kept_on_pixels_that_are_not_square() {
        // 4:3 on a wide picture of 720 x 576, and a wide picture on itself.
        assert_eq!(fit_among((4, 3), (720, 576), (64, 45)), Rect { x: 90, y: 0, width: 540, height: 576 });
        assert_eq!(fit_among((16, 9), (720, 576), (64, 45)), Rect { x: 0, y: 0, width: 720, height: 576 });
        assert_eq!(fit_among((9, 16), (720, 576), (64, 45)).width, 228);
        assert_eq!(shown_size((720, 576), (64, 45)), (1024, 576));
        assert_eq!(shown_size((720, 576), (u32::MAX, 1)), (2880, 576));
    }

    fn target(size: (u32, u32), bit_depth: u8, matrix: &str, full_range: bool) -> Target {
        Target::new(size, (1, 1), bit_depth, matrix, full_range)
    }

    /// Luma and chroma in the middle of a picture.
    fn middle(frame: &Frame) -> [u32; 3] {
        fn of<T: Component>(frame: &Frame) -> [u32; 3] {
            [0, 1, 2].map(|plane| {
                let plane = frame.plane::<T>(plane).unwrap();
                plane.rows().nth(plane.height / 2).unwrap()[plane.width / 2].into()
            })
        }
        match frame.depth().unwrap() {
            Depth::Eight => of::<u8>(frame),
            Depth::Ten => of::<u16>(frame),
        }
    }

    #[test]
    fn what_fits_is_passed_on_untouched() {
        for (bits, matrix, full) in [(8, "bt709", false), (10, "bt2020nc", false), (8, "smpte170m", true)] {
            let target = target((64, 48), bits, matrix, full);
            let source = target.blank([10, 200, 90]).unwrap();
            let placed = Placer::new(target, 0, (1, 1)).place(&source).unwrap();
            assert_eq!(placed.plane_pointer(0), source.plane_pointer(0), "the pixels are shared");
            assert_eq!(placed.colour(), source.colour());
        }
        // Writing to one of the two leaves the other as it was.
        let target = target((64, 48), 8, "bt709", false);
        let source = target.blank([0; 3]).unwrap();
        let mut placed = Placer::new(target, 0, (1, 1)).place(&source).unwrap();
        fill::<u8>(&mut placed, [99; 3]).unwrap();
        assert_eq!((middle(&source), middle(&placed)), ([16, 128, 128], [99; 3]));
    }

    #[test]
    fn unsaid_colours_are_those_of_the_size() {
        assert_eq!(target((1280, 720), 8, "unknown", false).colour.matrix, Matrix::Bt709);
        assert_eq!(target((640, 480), 8, "unknown", false).colour.matrix, Matrix::Bt601);
        let unsaid = Frame::picture(64, 48, planar(Depth::Eight)).unwrap();
        let placed = Placer::new(target((64, 48), 8, "unknown", false), 0, (1, 1)).place(&unsaid).unwrap();
        assert_eq!(placed.plane_pointer(0), unsaid.plane_pointer(0));
    }

    #[test]
    fn a_colour_stays_the_same_colour_on_any_canvas() {
        let kinds = [
            (8, "bt709", false),
            (8, "bt709", true),
            (8, "smpte170m", false),
            (10, "bt709", false),
            (10, "smpte170m", true),
            (10, "bt2020nc", false),
        ];
        let rgb = [200, 60, 30];
        for (from, to) in kinds.iter().flat_map(|from| kinds.iter().map(move |to| (from, to))) {
            let source = target((96, 64), from.0, from.1, from.2).blank(rgb).unwrap();
            let onto = target((64, 48), to.0, to.1, to.2);
            let placed = Placer::new(onto, 0, (1, 1)).place(&source).unwrap();
            let wanted = Converter::new(onto.colour, onto.depth).rgb(rgb);
            let found = middle(&placed);
            let most = if to.0 == 8 { 2 } else { 8 };
            let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b.into()) <= most);
            assert!(near, "{from:?} to {to:?}: {found:?} for {wanted:?}");
        }
    }

    #[test]
    fn borders_are_black_and_pictures_turned_in_ten_bits() {
        let source = target((64, 36), 8, "bt709", false).blank([255; 3]).unwrap();
        for (bits, full, black, white) in [(10, false, 64, 940), (10, true, 0, 1023), (8, false, 16, 235)] {
            let target = target((64, 64), bits, "bt709", full);
            let placed = Placer::new(target, 90, (1, 1)).place(&source).unwrap();
            let row: Vec<u32> = if bits == 10 {
                placed.plane::<u16>(0).unwrap().rows().nth(32).unwrap().iter().map(|&n| n.into()).collect()
            } else {
                placed.plane::<u8>(0).unwrap().rows().nth(32).unwrap().iter().map(|&n| n.into()).collect()
            };
            assert_eq!((row[0], row[63]), (black, black));
            assert!(row[32].abs_diff(white) <= 4, "{} for {white}", row[32]);
            assert_eq!(middle(&placed)[1], if bits == 10 { 512 } else { 128 });
        }
    }

    proptest! {
        #[test]
        fn any_shape_is_fitted(
            shape in (1_u64.., 1_u64..), canvas in (8_u32..2000, 8_u32..2000), pixel in (1_u32.., 1_u32..),
        ) {
            let rect = fit_among(shape, (canvas.0 * 2, canvas.1 * 2), pixel);
            prop_assert!(rect.x + rect.width <= canvas.0 * 2 && rect.y + rect.height <= canvas.1 * 2);
        }

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
