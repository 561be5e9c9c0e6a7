//! A picture: three planes of bytes, the colours at half the size (I420, BT.709, limited range).

use super::Rgb;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels; even.
    pub width: u32,
    /// In pixels; even.
    pub height: u32,
    /// Brightness, 16 to 235, row by row.
    pub y: Vec<u8>,
    /// Blue difference around 128, at half the size.
    pub u: Vec<u8>,
    /// Red difference around 128, at half the size.
    pub v: Vec<u8>,
}

/// A colour's light in the picture's own numbers, without the offsets of black: brightness, blue and red difference.
#[must_use]
pub fn light(rgb: Rgb) -> [i32; 3] {
    let [r, g, b] = rgb.map(i32::from);
    // BT.709, limited range, in 1/65,536.
    [
        (11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16,
        (-6_596 * r - 22_189 * g + 28_784 * b + 32_768) >> 16,
        (28_784 * r - 26_145 * g - 2_639 * b + 32_768) >> 16,
    ]
}

/// A colour in the picture's own numbers.
#[must_use]
pub fn yuv(rgb: Rgb) -> [u8; 3] {
    let [y, u, v] = light(rgb);
    [(16 + y).clamp(16, 235) as u8, (128 + u).clamp(16, 240) as u8, (128 + v).clamp(16, 240) as u8]
}

/// `value` times `share` of 255, rounded.
pub(super) fn times(value: u8, share: u8) -> u8 {
    let product = u16::from(value) * u16::from(share) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

impl Picture {
    /// A black picture. Sizes are brought down to even ones.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width & !1, height & !1);
        let luma = width as usize * height as usize;
        Self { width, height, y: vec![16; luma], u: vec![128; luma / 4], v: vec![128; luma / 4] }
    }

    /// Makes all of it one colour.
    pub fn fill(&mut self, rgb: Rgb) {
        let [y, u, v] = yuv(rgb);
        self.y.fill(y);
        self.u.fill(u);
        self.v.fill(v);
    }

    /// Draws a filled rectangle; what is outside the picture is left out. Of colours, those pixels change whose middle
    /// it covers.
    pub fn rectangle(&mut self, left: i32, top: i32, size: (i32, i32), rgb: Rgb, opacity: u8) {
        let [y, u, v] = yuv(rgb);
        let right = left.saturating_add(size.0.max(0));
        let bottom = top.saturating_add(size.1.max(0));
        let (width, height) = (self.width as usize, self.height as usize);
        let half = |number: i32| (number >> 1) + (number & 1);
        let whole = Bounds::of((left, top), (right, bottom), (width, height));
        let halves =
            Bounds::of((half(left), half(top)), (half(right), half(bottom)), (width / 2, height / 2));
        for (plane, value, bounds, stride) in [
            (&mut self.y, y, whole, width),
            (&mut self.u, u, halves, width / 2),
            (&mut self.v, v, halves, width / 2),
        ] {
            let source = times(value, opacity);
            for row in plane.chunks_exact_mut(stride.max(1)).take(bounds.bottom).skip(bounds.top) {
                let Some(row) = row.get_mut(bounds.left..bounds.right) else { continue };
                if opacity == 255 {
                    row.fill(value);
                } else {
                    row.iter_mut().for_each(|old| *old = times(*old, 255 - opacity).saturating_add(source));
                }
            }
        }
    }
}

/// What of a rectangle lies in a plane.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Bounds {
    fn of(from: (i32, i32), to: (i32, i32), size: (usize, usize)) -> Self {
        let cut = |number: i32, most: usize| usize::try_from(number).unwrap_or(0).min(most);
        let (left, top) = (cut(from.0, size.0), cut(from.1, size.1));
        Self { left, top, right: cut(to.0, size.0).max(left), bottom: cut(to.1, size.1).max(top) }
    }
}
