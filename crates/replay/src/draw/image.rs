//! Images: red, green, blue and opacity, premultiplied; drawn slowly, in any place, size, angle and colour.

use super::{
    Blend, Picture, Rgb,
    picture::{light, times},
};

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

/// A turn's sine in 1/65,536, of an angle in 1/65,536 of a turn, exact to 1/8,000. Whole numbers, so that it is the same everywhere.
#[must_use]
pub fn sine(angle: i32) -> i32 {
    let angle = angle & 0xffff;
    let (half, sign) = if angle < 0x8000 { (angle, 1) } else { (angle - 0x8000, -1) };
    // From 0 to 1 within a quarter, in 1/16,384.
    let quarter = i64::from(if half <= 0x4000 { half } else { 0x8000 - half });
    let square = quarter * quarter >> 14;
    // x (1.5706268 - 0.6432292 x² + 0.0727102 x⁴), in 1/65,536.
    let inner = 102_933 - (42_155 * square >> 14) + (4_765 * (square * square >> 14) >> 14);
    sign * ((quarter * inner >> 14) as i32).min(65_536)
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
        let [red, green, blue] = tint;
        let pixels = self.pixels.iter();
        let pixels = pixels.map(|[r, g, b, a]| [times(*r, red), times(*g, green), times(*b, blue), *a]);
        Self { width: self.width, height: self.height, pixels: pixels.collect() }
    }

    /// The same, fainter.
    #[must_use]
    pub fn faded(&self, opacity: u8) -> Self {
        let pixels = self.pixels.iter().map(|pixel| pixel.map(|value| times(value, opacity)));
        Self { width: self.width, height: self.height, pixels: pixels.collect() }
    }

    /// Puts another image over this one, with its top left corner at a pixel of this one; what is outside is left out.
    pub fn put(&mut self, other: &Self, left: i32, top: i32) {
        for (row, pixels) in other.pixels.chunks(other.width.max(1) as usize).enumerate() {
            let y = top + row as i32;
            for (column, [r, g, b, a]) in pixels.iter().enumerate() {
                let x = left + column as i32;
                let is_inside = (0..self.width as i32).contains(&x) && (0..self.height as i32).contains(&y);
                let index = y as usize * self.width as usize + x as usize;
                if is_inside && let Some(old) = self.pixels.get_mut(index) {
                    *old = [(old[0], r), (old[1], g), (old[2], b), (old[3], a)]
                        .map(|(old, new)| times(old, 255 - a).saturating_add(*new));
                }
            }
        }
    }

    /// The same in another size; each pixel is the average of what it covers, or between those that it lies among.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        if (width, height) == (self.width, self.height) || self.width == 0 || self.height == 0 {
            return Self { width: self.width, height: self.height, pixels: self.pixels.clone() };
        }
        let across = weights(self.width, width);
        let down = weights(self.height, height);
        // Sums of 1/65,536.
        let mut narrow = vec![[0_u32; 4]; width as usize * self.height as usize];
        for (row, target) in
            self.pixels.chunks(self.width as usize).zip(narrow.chunks_mut(width.max(1) as usize))
        {
            for (sum, parts) in target.iter_mut().zip(&across) {
                let mut whole = [0_u64; 4];
                for (index, weight) in parts {
                    let pixel = row.get(*index).copied().unwrap_or_default();
                    whole.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value) * weight);
                }
                *sum = whole.map(|sum| (sum >> 8) as u32);
            }
        }
        let mut pixels = Vec::with_capacity(width as usize * height as usize);
        for parts in &down {
            for column in 0..width as usize {
                let mut whole = [0_u64; 4];
                for (index, weight) in parts {
                    let sum = narrow.get(index * width as usize + column).copied().unwrap_or_default();
                    whole.iter_mut().zip(sum).for_each(|(whole, sum)| *whole += u64::from(sum) * weight);
                }
                pixels.push(whole.map(|sum| ((sum + (1 << 23)) >> 24).min(255) as u8));
            }
        }
        Self { width, height, pixels }
    }

    /// The pixel between four others, at a place in 1/256 pixel, in 1/256 of a value; transparent beyond its sides.
    fn between(&self, x: i32, y: i32) -> [u32; 4] {
        let (column, row) = (x >> 8, y >> 8);
        let (right, down) = ((x & 255) as u32, (y & 255) as u32);
        let mut sum = [0; 4];
        for (dx, dy, weight) in [
            (0, 0, (256 - right) * (256 - down)),
            (1, 0, right * (256 - down)),
            (0, 1, (256 - right) * down),
            (1, 1, right * down),
        ] {
            let (column, row) = (column + dx, row + dy);
            if weight > 0
                && (0..self.width as i32).contains(&column)
                && (0..self.height as i32).contains(&row)
            {
                let index = row as usize * self.width as usize + column as usize;
                let pixel = self.pixels.get(index).copied().unwrap_or_default();
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(value) * weight);
            }
        }
        sum.map(|sum| sum >> 8)
    }
}

/// Which pixels make each of the new ones, with weights that come to 65,536.
fn weights(from: u32, to: u32) -> Vec<Vec<(usize, u64)>> {
    let step = (u64::from(from) << 16) / u64::from(to.max(1));
    let last = from.saturating_sub(1) as usize;
    (0..u64::from(to))
        .map(|index| {
            if from <= to {
                // Between the two whose middles it lies among.
                let middle = (index * step + step / 2).saturating_sub(1 << 15);
                let (first, share) = ((middle >> 16) as usize, middle & 0xffff);
                return vec![(first.min(last), 65_536 - share), ((first + 1).min(last), share)];
            }
            let (start, end) = (index * step, (index + 1) * step);
            let mut parts = Vec::new();
            let mut left = 65_536;
            for pixel in start >> 16..(end + 0xffff) >> 16 {
                let covered = end.min((pixel + 1) << 16) - start.max(pixel << 16);
                let weight = (covered << 16) / step.max(1);
                parts.push(((pixel as usize).min(last), weight.min(left)));
                left -= weight.min(left);
            }
            if let Some((_, weight)) = parts.last_mut() {
                *weight += left;
            }
            parts
        })
        .collect()
}

/// The way from a picture's pixel to an image's, in 1/65,536.
struct Way {
    /// The place of the picture that the anchor lies at, in 1/256 pixel.
    at: (i64, i64),
    /// The anchor in the image, in 1/256 pixel.
    anchor: (i64, i64),
    /// Pixels of the image for one pixel to the right, and down.
    right: (i64, i64),
    down: (i64, i64),
}

impl Way {
    /// `None` where the image has no size.
    fn of(placement: &Placement) -> Option<Self> {
        let (wide, high) = (i64::from(placement.scale.0), i64::from(placement.scale.1));
        if wide == 0 || high == 0 {
            return None;
        }
        let (sine, cosine) = (i64::from(sine(placement.angle)), i64::from(sine(placement.angle + 0x4000)));
        Some(Self {
            at: (placement.at.0.into(), placement.at.1.into()),
            anchor: (placement.anchor.0.into(), placement.anchor.1.into()),
            right: ((cosine << 16) / wide, -(sine << 16) / high),
            down: ((sine << 16) / wide, (cosine << 16) / high),
        })
    }

    /// The image's place, in 1/256 pixel, under the middle of a picture's pixel; the middle of the image's first one is at 0.
    fn source(&self, x: i32, y: i32) -> (i32, i32) {
        let (dx, dy) = ((i64::from(x) << 8) + 128 - self.at.0, (i64::from(y) << 8) + 128 - self.at.1);
        let place = |right: i64, down: i64, anchor: i64| {
            let place = ((dx * right + dy * down) >> 16) + anchor - 128;
            place.clamp(-(1 << 30), 1 << 30) as i32
        };
        (place(self.right.0, self.down.0, self.anchor.0), place(self.right.1, self.down.1, self.anchor.1))
    }
}

/// Where an image lies on a picture of that size, at most: columns and rows, brought to even ones.
fn reach(image: &Image, placement: &Placement, size: (u32, u32)) -> Option<[i32; 4]> {
    let (sine, cosine) = (i64::from(sine(placement.angle)), i64::from(sine(placement.angle + 0x4000)));
    let (mut from, mut to) = ((i64::MAX, i64::MAX), (i64::MIN, i64::MIN));
    for (x, y) in [(0, 0), (image.width, 0), (0, image.height), (image.width, image.height)] {
        let wide = ((i64::from(x) << 8) - i64::from(placement.anchor.0)) * i64::from(placement.scale.0) >> 16;
        let high = ((i64::from(y) << 8) - i64::from(placement.anchor.1)) * i64::from(placement.scale.1) >> 16;
        let x = i64::from(placement.at.0) + ((wide * cosine - high * sine) >> 16);
        let y = i64::from(placement.at.1) + ((wide * sine + high * cosine) >> 16);
        from = (from.0.min(x), from.1.min(y));
        to = (to.0.max(x), to.1.max(y));
    }
    let edge = |place: i64, more: i64, most: u32| ((place >> 8) + more).clamp(0, i64::from(most)) as i32;
    let [left, top] = [edge(from.0, -1, size.0) & !1, edge(from.1, -1, size.1) & !1];
    let [right, bottom] = [(edge(to.0, 2, size.0) + 1) & !1, (edge(to.1, 2, size.1) + 1) & !1];
    (left < right && top < bottom).then_some([left, top, right, bottom])
}

impl Picture {
    /// Draws an image as it is placed.
    pub fn image(&mut self, image: &Image, placement: &Placement) {
        let Some(way) = Way::of(placement).filter(|_| placement.opacity > 0) else { return };
        let Some([left, top, right, bottom]) = reach(image, placement, (self.width, self.height)) else {
            return;
        };
        let stride = self.width as usize;
        let [red, green, blue] = placement.tint;
        let shares = [red, green, blue, 255].map(|tint| u32::from(times(tint, placement.opacity)));
        for y in (top..bottom).step_by(2) {
            for x in (left..right).step_by(2) {
                let mut sum = [0_u32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (from_x, from_y) = way.source(x + dx, y + dy);
                    let pixel = image.between(from_x, from_y);
                    if pixel[3] == 0 && pixel[..3] == [0; 3] {
                        continue;
                    }
                    let mut tinted = [0; 4];
                    for ((tinted, value), share) in tinted.iter_mut().zip(pixel).zip(shares) {
                        *tinted = (value * share + 32_640) / 65_280;
                    }
                    sum.iter_mut().zip(tinted).for_each(|(sum, value)| *sum += value);
                    let index = (y + dy) as usize * stride + (x + dx) as usize;
                    if let Some(old) = self.y.get_mut(index) {
                        *old = brightness(*old, tinted.map(|value| value as u8), placement.blend);
                    }
                }
                if sum == [0; 4] {
                    continue;
                }
                let pixel = sum.map(|sum| ((sum + 2) / 4) as u8);
                let index = (y / 2) as usize * (stride / 2) + (x / 2) as usize;
                if let (Some(u), Some(v)) = (self.u.get_mut(index), self.v.get_mut(index)) {
                    (*u, *v) = colours((*u, *v), pixel, placement.blend);
                }
            }
        }
    }
}

fn brightness(old: u8, [r, g, b, a]: [u8; 4], blend: Blend) -> u8 {
    let [y, ..] = light([r, g, b]);
    match blend {
        Blend::Over => (i32::from(times(old, 255 - a)) + y + i32::from(times(16, a))).clamp(16, 235) as u8,
        Blend::Add => (i32::from(old) + y).clamp(16, 235) as u8,
    }
}

fn colours((old_u, old_v): (u8, u8), [r, g, b, a]: [u8; 4], blend: Blend) -> (u8, u8) {
    let [_, u, v] = light([r, g, b]);
    let one = |old: u8, light: i32| match blend {
        Blend::Over => {
            (i32::from(times(old, 255 - a)) + light + i32::from(times(128, a))).clamp(16, 240) as u8
        }
        Blend::Add => (i32::from(old) + light).clamp(16, 240) as u8,
    };
    (one(old_u, u), one(old_v, v))
}
