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

<<<<<<< HEAD
/// The way from the picture back to the image: all in 1/2^32 pixel, so that a single pixel that is drawn a thousand times larger still
/// ends where it should.
struct Way {
    /// The image's place for the middle of the picture's first pixel.
    origin: (i64, i64),
    /// How far one pixel to the right moves it, and one down.
    right: (i64, i64),
    down: (i64, i64),
    /// The image's size.
    size: (i64, i64),
    /// How much larger the image is than itself, in 1/65,536; positive.
    scale: (i64, i64),
    /// How far one pixel of the picture reaches along the image's sides.
    pixel: (i64, i64),
}

impl Way {
    fn new(image: &Image, placement: &Placement) -> Self {
        let (cos, sin) = turn(placement.angle);
        let (cos, sin) = (i64::from(cos), i64::from(sin));
        let back = |value: i64, scale: i32| (value << 32) / i64::from(scale);
        let right = (back(cos, placement.scale.0), back(-sin, placement.scale.1));
        let down = (back(sin, placement.scale.0), back(cos, placement.scale.1));
        let from = (128 - i64::from(placement.at.0), 128 - i64::from(placement.at.1));
        let origin = |right: i64, down: i64, anchor: i32| {
            let moved = i128::from(from.0) * i128::from(right) + i128::from(from.1) * i128::from(down);
            ((moved >> 8) + (i128::from(anchor) << 24)).clamp(-(1 << 61), 1 << 61) as i64
        };
        let scale = (i64::from(placement.scale.0).abs(), i64::from(placement.scale.1).abs());
        Self {
            origin: (
                origin(right.0, down.0, placement.anchor.0),
                origin(right.1, down.1, placement.anchor.1),
            ),
            right,
            down,
            size: (i64::from(image.width) << 32, i64::from(image.height) << 32),
            scale,
            pixel: ((1 << 48) / scale.0, (1 << 48) / scale.1),
        }
    }

    /// The columns of a row in which the image may be seen.
    fn columns(&self, (u, v): (i64, i64), width: i64) -> (i64, i64) {
        let mut range = (0, width);
        for (start, step, size, scale) in
            [(u, self.right.0, self.size.0, self.scale.0), (v, self.right.1, self.size.1, self.scale.1)]
        {
            // Half a pixel of the picture more on either side.
            let margin = (1 << 47) / scale + 1;
            let (low, high) = (-margin - start, size + margin - start);
            let (from, to) = match step {
                0 if low <= 0 && high >= 0 => continue,
                0 => return (0, 0),
                step if step > 0 => (low.div_euclid(step), high.div_euclid(step) + 1),
                step => (high.div_euclid(step), low.div_euclid(step) + 1),
            };
            range = (range.0.max(from), range.1.min(to));
        }
        (range.0, range.1.max(range.0))
    }

    /// How much of a pixel is covered, of 256: whole within the image, less where an edge cuts through it.
    fn covered(&self, (u, v): (i64, i64)) -> u32 {
        self.covered_along(u, 0) * self.covered_along(v, 1) >> 8
    }

    /// The same along one side: 0 across, 1 down.
    fn covered_along(&self, at: i64, side: u8) -> u32 {
        let (size, scale, pixel) = match side {
            0 => (self.size.0, self.scale.0, self.pixel.0),
            _ => (self.size.1, self.scale.1, self.pixel.1),
        };
        // Distance to the nearer edge, in 1/256 pixel of the picture; beyond a pixel it does not matter.
        let edge = at.min(size - at).clamp(-pixel, pixel);
        (((edge * scale + (1 << 39)) >> 40) + 128).clamp(0, 256) as u32
    }

    /// Where each of a row's columns lies in an image that is not turned.
    fn columns_of_all(&self, columns: std::ops::Range<usize>) -> Vec<(Between, u32)> {
        let column = |x: usize| {
            let at = self.origin.0.saturating_add(self.right.0.saturating_mul(x as i64));
            (Between::new(at, self.size.0), self.covered_along(at, 0))
        };
        columns.map(column).collect()
    }
}

/// A place between two of the image's pixels along one side: the first, the second, and how far from the first, of 256.
#[derive(Debug, Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    share: u64,
}

impl Between {
    /// At a place, with the image's size, both in 1/2^32 pixel; beyond its ends an image goes on as it ends.
    fn new(at: i64, size: i64) -> Self {
        let at = (at - (1 << 31)).clamp(0, size - (1 << 32));
        let (first, share) = ((at >> 32) as usize, (at >> 24 & 255) as u64);
        Self { first, second: if share > 0 { first + 1 } else { first }, share }
    }
}

/// Four values of a pixel in one number, with room for eight more bits above each: red, blue, green, opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lanes(u64);

impl Lanes {
    const MASK: u64 = 0x00ff_00ff_00ff_00ff;
    const HALF: u64 = 0x0080_0080_0080_0080;

    fn of(pixel: [u8; 4]) -> Self {
        let bytes = u64::from(u32::from_le_bytes(pixel));
        Self((bytes & 0x00ff_00ff) | (bytes >> 8 & 0x00ff_00ff) << 32)
    }

    fn pixel(self) -> [i32; 4] {
        [0, 32, 16, 48].map(|lane| (self.0 >> lane & 255) as i32)
    }

    /// `share` of 256 of it.
    fn times(self, share: u64) -> Self {
        Self((self.0 * share + Self::HALF) >> 8 & Self::MASK)
    }

    /// `share` of 256 on the way to another.
    fn towards(self, other: Self, share: u64) -> Self {
        Self((self.0 * (256 - share) + other.0 * share + Self::HALF) >> 8 & Self::MASK)
    }

    /// The pixel between four of two rows, `share` of 256 on the way from the one to the other.
    fn between([top, bottom]: [&[[u8; 4]]; 2], x: Between, share: u64) -> Self {
        let at = |row: &[[u8; 4]], x: usize| Self::of(row.get(x).copied().unwrap_or_default());
        let upper = at(top, x.first).towards(at(top, x.second), x.share);
        let lower = at(bottom, x.first).towards(at(bottom, x.second), x.share);
        upper.towards(lower, share)
    }
}

impl Picture {
    /// Draws an image as it is placed. Made much smaller than half its size it flickers: [`Image::resized`] is for that.
    pub fn image(&mut self, image: &Image, placement: &Placement) {
        let (width, height) = (self.width as usize, self.height as usize);
        let nothing = placement.scale.0 == 0 || placement.scale.1 == 0 || placement.opacity == 0;
        if nothing || image.width == 0 || image.height == 0 || width == 0 {
            return;
        }
        let way = Way::new(image, placement);
        let opacity = u64::from(placement.opacity);
        let [r, g, b] = placement.tint.map(|tint| i32::from(times(tint, placement.opacity)));
        let factors = [r, g, b, opacity as i32];
        let tinted = placement.tint != [255; 3];
        let straight = (way.right.1 == 0 && way.down.0 == 0).then(|| way.columns_of_all(0..width));
        let (top, bottom) = rows(image, placement, height);
        let mut sums = vec![[0i32; 4]; width / 2];
        let mut touched = (width, 0);
        for y in top & !1..bottom.next_multiple_of(2).min(height) {
            let start = (
                way.origin.0.saturating_add(way.down.0.saturating_mul(y as i64)),
                way.origin.1.saturating_add(way.down.1.saturating_mul(y as i64)),
            );
            let (from, to) = way.columns(start, width as i64);
            let (line, high) = (Between::new(start.1, way.size.1), way.covered_along(start.1, 1));
            let rows = image.two_rows(line);
            let row = self.y.get_mut(y * width..(y + 1) * width).unwrap_or_default();
            for (x, below) in row.iter_mut().enumerate().take(to as usize).skip(from as usize) {
                let (pixel, covered) = match &straight {
                    Some(columns) => {
                        let Some((column, wide)) = columns.get(x) else { break };
                        (Lanes::between(rows, *column, line.share), wide * high >> 8)
                    }
                    None => {
                        let at = (start.0 + way.right.0 * x as i64, start.1 + way.right.1 * x as i64);
                        let (x, y) = (Between::new(at.0, way.size.0), Between::new(at.1, way.size.1));
                        (Lanes::between(image.two_rows(y), x, y.share), way.covered(at))
                    }
                };
                if covered == 0 || pixel == Lanes(0) {
                    continue;
                }
                let seen = if tinted {
                    let pixel = if covered == 256 { pixel } else { pixel.times(covered.into()) };
                    let mut seen = pixel.pixel();
                    seen.iter_mut()
                        .zip(factors)
                        .for_each(|(seen, factor)| *seen = (*seen * factor + 127) / 255);
                    seen
                } else {
                    let share = (opacity * u64::from(covered) + 127) / 255;
                    (if share == 256 { pixel } else { pixel.times(share) }).pixel()
                };
                *below = lay_light(*below, seen, placement.blend);
                if let Some(sum) = sums.get_mut(x / 2) {
                    for (sum, value) in sum.iter_mut().zip(seen) {
                        *sum += value;
                    }
                    touched = (touched.0.min(x / 2), touched.1.max(x / 2 + 1));
                }
            }
            if y % 2 == 1 {
                self.lay_colours(y / 2, &mut sums, touched, placement.blend);
                touched = (width, 0);
            }
        }
    }

    /// Lays a row's sums of four pixels over the colours, and clears them.
    fn lay_colours(&mut self, line: usize, sums: &mut [[i32; 4]], touched: (usize, usize), blend: Blend) {
        let half = self.width as usize / 2;
        let range = line * half..(line + 1) * half;
        let (Some(us), Some(vs)) = (self.u.get_mut(range.clone()), self.v.get_mut(range)) else { return };
        let all = us.iter_mut().zip(vs).zip(sums).take(touched.1).skip(touched.0.min(touched.1));
        for ((u, v), sum) in all {
            let [more_u, more_v] = differences(*sum, 4, blend);
            let alpha = ((sum[3] + 2) / 4) as u8;
            for (below, more) in [(u, more_u), (v, more_v)] {
                *below = match blend {
                    Blend::Over => more.saturating_add(times(*below, 255 - alpha)),
                    Blend::Add => (i16::from(*below) + i16::from(more) - 128).clamp(16, 240) as u8,
                };
            }
            *sum = [0; 4];
        }
    }
}

fn lay_light(below: u8, seen: [i32; 4], blend: Blend) -> u8 {
    let light = brightness(seen, 1, blend);
    match blend {
        Blend::Over => light.saturating_add(times(below, 255 - seen[3].clamp(0, 255) as u8)),
        Blend::Add => below.max(below.saturating_add(light).min(235)),
    }
}

/// The rows of a picture that a placed image may touch.
fn rows(image: &Image, placement: &Placement, height: usize) -> (usize, usize) {
    let (cos, sin) = turn(placement.angle);
    let mut range = (i128::MAX, i128::MIN);
    for (x, y) in [(0, 0), (image.width, 0), (0, image.height), (image.width, image.height)] {
        let away = |corner: u32, anchor: i32, scale: i32| {
            ((i128::from(corner) << 8) - i128::from(anchor)) * i128::from(scale)
        };
        let (x, y) =
            (away(x, placement.anchor.0, placement.scale.0), away(y, placement.anchor.1, placement.scale.1));
        let down = ((x * i128::from(sin) + y * i128::from(cos)) >> 32) + i128::from(placement.at.1);
        range = (range.0.min(down), range.1.max(down));
    }
    let clip = |row: i128| row.clamp(0, height as i128) as usize;
    (clip((range.0 >> 8) - 1), clip((range.1 >> 8) + 2))
}

=======
>>>>>>> replay
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
