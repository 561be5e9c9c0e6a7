//! Images: red, green, blue and opacity, premultiplied; composed and resized when something is prepared. How they are drawn as
//! they are placed is in `placed`.
//!
//! Promises: whole numbers only, so that every machine makes the same.

use super::{Blend, Rgb, picture::times};

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

/// The sine of an angle in 1/65,536 of a turn, in 1/65,536: by the first terms of its series, within 1/65,536 of it. Whole numbers,
/// so that it is the same everywhere.
#[must_use]
pub fn sine(angle: i32) -> i32 {
    let angle = i64::from(angle).rem_euclid(65_536);
    let half = angle % 32_768;
    // 0 to 1 within a quarter, in 1/2^30.
    let part = half.min(32_768 - half) << 16;
    let square = (part * part) >> 30;
    // Of the series of sin(x * pi / 2): 1/2^30 each.
    let terms: [i64; 5] = [172_272, -5_026_995, 85_569_306, -693_598_668, 1_686_629_713];
    let sum = terms.into_iter().fold(0, |sum, term| ((sum * square) >> 30) + term);
    let sine = (((sum * part) >> 30) + (1 << 13)) >> 14;
    (if angle < 32_768 { sine } else { -sine }).clamp(-65_536, 65_536) as i32
}

/// Cosine and sine of an angle in 1/65,536 of a turn, in 1/65,536.
pub(super) fn turn(angle: i32) -> (i32, i32) {
    (sine(angle.wrapping_add(16_384)), sine(angle))
}

impl Image {
    /// Nothing, of that size.
    #[must_use]
    pub fn empty(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![[0; 4]; width as usize * height as usize] }
    }

    /// An image whose pixels are told one by one, by column and row.
    #[must_use]
    pub fn of(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Self {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self { width, height, pixels: rows.map(|(x, y)| pixel(x, y)).collect() }
    }

    /// The same in other colours: each multiplied by `tint`.
    #[must_use]
    pub fn tinted(&self, tint: Rgb) -> Self {
        let tinted =
            |[r, g, b, a]: &[u8; 4]| [times(*r, tint[0]), times(*g, tint[1]), times(*b, tint[2]), *a];
        Self { width: self.width, height: self.height, pixels: self.pixels.iter().map(tinted).collect() }
    }

    /// The same, fainter.
    #[must_use]
    pub fn faded(&self, opacity: u8) -> Self {
        let pixels = self.pixels.iter().map(|pixel| pixel.map(|value| times(value, opacity)));
        Self { width: self.width, height: self.height, pixels: pixels.collect() }
    }

    /// Puts another image over this one, with its top left corner at a pixel of this one; what is outside is left out.
    pub fn put(&mut self, top: &Self, x: i32, y: i32) {
        let (Some(width), Some(top_width)) = (nonzero(self.width), nonzero(top.width)) else { return };
        // How many rows or columns are skipped below, and above.
        let skip = |at: i32| (at.max(0) as usize, at.min(0).unsigned_abs() as usize);
        let ((below_x, above_x), (below_y, above_y)) = (skip(x), skip(y));
        let rows = self.pixels.chunks_exact_mut(width).skip(below_y);
        for (row, above) in rows.zip(top.pixels.chunks_exact(top_width).skip(above_y)) {
            for (pixel, above) in row.iter_mut().skip(below_x).zip(above.iter().skip(above_x)) {
                compose(pixel, *above);
            }
        }
    }

    /// The same in another size: averages where it becomes smaller, evenly changing values where it becomes larger.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        if self.width == 0 || self.height == 0 {
            return Self::empty(width, height);
        }
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let columns = weights(self.width, width);
        let rows = weights(self.height, height);
        let mut pixels = Vec::with_capacity(width as usize * height as usize);
        let mut sums = vec![[0u64; 4]; self.width as usize];
        for (first, shares) in &rows {
            sums.fill([0; 4]);
            let lines = self.pixels.chunks_exact(self.width as usize).skip(*first);
            for (line, by) in lines.zip(shares) {
                for (sum, pixel) in sums.iter_mut().zip(line) {
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum += u64::from(*value) * u64::from(*by);
                    }
                }
            }
            for (first, shares) in &columns {
                let mut sum = [0u64; 4];
                for (column, by) in sums.iter().skip(*first).zip(shares) {
                    for (sum, value) in sum.iter_mut().zip(column) {
                        *sum += *value * u64::from(*by);
                    }
                }
                // Both directions' shares are of 65,536.
                pixels.push(sum.map(|sum| ((sum + (1 << 31)) >> 32).min(255) as u8));
            }
        }
        Self { width, height, pixels }
    }

    /// The same, moved to the right and down by parts of a pixel (0 to 255 of 256), and one pixel larger both ways.
    #[must_use]
    pub fn moved(&self, (right, down): (i32, i32)) -> Self {
        let (right, down) = (right.clamp(0, 255) as u32, down.clamp(0, 255) as u32);
        let mut moved = Self::empty(self.width + 1, self.height + 1);
        let pixel = |x: i64, y: i64| {
            let inside = (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y);
            let found = inside.then(|| self.pixels.get((y * i64::from(self.width) + x) as usize)).flatten();
            found.copied().unwrap_or_default()
        };
        for (index, to) in moved.pixels.iter_mut().enumerate() {
            let (x, y) =
                (index as i64 % (i64::from(self.width) + 1), index as i64 / (i64::from(self.width) + 1));
            let corners = [pixel(x - 1, y - 1), pixel(x, y - 1), pixel(x - 1, y), pixel(x, y)];
            *to = mixed(corners, right, down);
        }
        moved
    }
}

fn nonzero(size: u32) -> Option<usize> {
    (size > 0).then_some(size as usize)
}

/// Lays a premultiplied pixel over another one.
pub(super) fn compose(below: &mut [u8; 4], above: [u8; 4]) {
    match above[3] {
        255 => *below = above,
        0 => {}
        alpha => {
            for (below, above) in below.iter_mut().zip(above) {
                *below = above.saturating_add(times(*below, 255 - alpha));
            }
        }
    }
}

/// The pixel between four: `right` and `down` of 256 away from the last one, towards the first one.
fn mixed(corners: [[u8; 4]; 4], right: u32, down: u32) -> [u8; 4] {
    let shares = [right * down, (256 - right) * down, right * (256 - down), (256 - right) * (256 - down)];
    let mut sums = [1u32 << 15; 4];
    for (corner, by) in corners.iter().zip(shares) {
        for (sum, value) in sums.iter_mut().zip(corner) {
            *sum += u32::from(*value) * by;
        }
    }
    sums.map(|sum| (sum >> 16) as u8)
}

/// For each of `to` pixels: the first of `from` pixels that it is made of, and the shares of it and of the next ones, of 65,536.
fn weights(from: u32, to: u32) -> Vec<(usize, Vec<u32>)> {
    let (from, to) = (u64::from(from), u64::from(to));
    let one = |index: u64| {
        if to >= from {
            // Between the middles of two pixels, in 1/65,536 pixel.
            let middle = (((2 * index + 1) * from) << 15) / to;
            let middle = middle.saturating_sub(1 << 15).min((from - 1) << 16);
            let part = (middle & 0xffff) as u32;
            return ((middle >> 16) as usize, vec![65_536 - part, part]);
        }
        // What it covers, in units of which a pixel has `to`.
        let (left, right) = (index * from, (index + 1) * from);
        let (first, last) = (left / to, (right - 1) / to);
        let mut shares: Vec<u32> = (first..=last)
            .map(|pixel| {
                let covered = (right.min((pixel + 1) * to) - left.max(pixel * to)) << 16;
                (covered / from) as u32
            })
            .collect();
        // Rounding never changes the whole.
        let lost = 65_536 - shares.iter().sum::<u32>();
        let middle = shares.len() / 2;
        if let Some(share) = shares.get_mut(middle) {
            *share += lost;
        }
        (first as usize, shares)
    };
    (0..to).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, pixel: [u8; 4]) -> Image {
        Image { width, height, pixels: vec![pixel; (width * height) as usize] }
    }

    #[test]
    fn sizes_change_without_changing_even_colours() {
        let image = plain(7, 5, [10, 20, 30, 200]);
        for (width, height) in [(1, 1), (3, 2), (7, 5), (14, 11), (100, 3)] {
            assert_eq!(image.resized(width, height), plain(width, height, [10, 20, 30, 200]));
        }
        assert_eq!(Image::empty(0, 3).resized(2, 2), Image::empty(2, 2));
    }

    #[test]
    fn halves_are_averages() {
        let image =
            Image { width: 4, height: 1, pixels: [0, 100, 200, 101].map(|value| [value; 4]).to_vec() };
        assert_eq!(image.resized(2, 1).pixels, [[50; 4], [151; 4]]);
    }

    #[test]
    fn turns_are_those_of_geometry() {
        for angle in (-70_000..140_000).step_by(7) {
            let exact = f64::from(angle) * std::f64::consts::TAU / 65_536.0;
            let (cos, sin) = turn(angle);
            assert!((f64::from(cos) - exact.cos() * 65_536.0).abs() < 1.0, "{angle}");
            assert!((f64::from(sin) - exact.sin() * 65_536.0).abs() < 1.0, "{angle}");
        }
        assert_eq!((turn(0), turn(16_384), turn(32_768)), ((65_536, 0), (0, 65_536), (-65_536, 0)));
        assert_eq!(turn(i32::MAX), turn(-1));
    }
}
