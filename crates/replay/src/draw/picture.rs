//! A picture: three planes of bytes, the colours at half the size (I420, BT.709, limited range).

use super::{Rgb, plane::over_even};

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

/// A colour in the picture's own numbers.
#[must_use]
pub fn yuv(rgb: Rgb) -> [u8; 3] {
    let [r, g, b] = rgb.map(i32::from);
    // BT.709, limited range, in 1/65,536.
    let y = (11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16;
    let u = (-6_596 * r - 22_189 * g + 28_784 * b + 32_768) >> 16;
    let v = (28_784 * r - 26_145 * g - 2_639 * b + 32_768) >> 16;
    [(16 + y).clamp(16, 235) as u8, (128 + u).clamp(16, 240) as u8, (128 + v).clamp(16, 240) as u8]
}

/// `value` times `share` of 255, rounded.
#[inline]
pub(crate) fn times(value: u8, share: u8) -> u8 {
    // Nothing here overflows: that is said so that the loops around it become vector instructions in every build.
    let product = (u16::from(value).wrapping_mul(u16::from(share))).wrapping_add(128);
    (product.wrapping_add(product >> 8) >> 8) as u8
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

    /// Draws a filled rectangle; what is outside the picture is left out. Where its edges cut through a place of the colours'
    /// planes, they get their share.
    pub fn rectangle(&mut self, left: i32, top: i32, size: (i32, i32), rgb: Rgb, opacity: u8) {
        let clip = |from: i32, size: i32, most: u32| {
            let to = (i64::from(from) + i64::from(size)).clamp(0, i64::from(most));
            (i64::from(from).clamp(0, to) as usize, to as usize)
        };
        let (left, right) = clip(left, size.0, self.width);
        let (top, bottom) = clip(top, size.1, self.height);
        if left >= right || top >= bottom || opacity == 0 {
            return;
        }
        let [y, u, v] = yuv(rgb);
        let width = self.width as usize;
        for row in self.y.chunks_exact_mut(width).take(bottom).skip(top) {
            if let Some(row) = row.get_mut(left..right) {
                over_even(row, y, opacity);
            }
        }
        // How many of the two pixels of a place of the colours' planes lie inside.
        let inside = |place: usize, from: usize, to: usize| (place * 2 + 2).min(to) - (place * 2).max(from);
        let (first, last) = (left / 2, (right - 1) / 2);
        for (plane, value) in [(&mut self.u, u), (&mut self.v, v)] {
            let rows = plane.chunks_exact_mut(width / 2).enumerate();
            for (line, row) in rows.take(bottom.div_ceil(2)).skip(top / 2) {
                let lines = inside(line, top, bottom);
                let mut part = |from: usize, to: usize, columns: usize| {
                    let alpha = (usize::from(opacity) * lines * columns + 2) / 4;
                    if let Some(part) = row.get_mut(from..to) {
                        over_even(part, value, alpha as u8);
                    }
                };
                part(first, first + 1, inside(first, left, right));
                if last > first {
                    part(first + 1, last, 2);
                    part(last, last + 1, inside(last, left, right));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_multiplied_exactly() {
        for value in 0..=255u8 {
            for by in 0..=255u8 {
                let exact = (u32::from(value) * u32::from(by) * 2 + 255) / 510;
                assert_eq!(u32::from(times(value, by)), exact, "{value} * {by}");
            }
        }
    }

    #[test]
    fn a_rectangle_at_odd_places_gives_the_colours_their_share() {
        let mut picture = Picture::new(8, 8);
        picture.rectangle(1, 1, (4, 5), [255, 0, 0], 255);
        let [y, _, v] = yuv([255, 0, 0]);
        assert_eq!(picture.y.iter().filter(|value| **value == y).count(), 20);
        let share = |part: u32| ((128 * (4 - part) + u32::from(v) * part + 2) / 4) as u8;
        let wanted =
            [share(1), share(2), share(1), 128, share(2), v, share(2), 128, share(2), v, share(2), 128];
        assert_eq!(picture.v[..12], wanted);
        picture.rectangle(i32::MIN, -3, (i32::MAX, 4), [9; 3], 255);
        picture.rectangle(-5, 2, (i32::MAX, i32::MAX), [0; 3], 255);
        assert!(picture.y.chunks(8).skip(2).flatten().all(|value| *value == 16));
    }
}
