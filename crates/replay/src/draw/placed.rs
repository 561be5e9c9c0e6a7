//! Images drawn as they are placed: in any place, size, angle and colour.
//!
//! Two rows of the picture at a time, for its colours have half its height: first what of the image is seen there, then the
//! brightness of both rows, then their colours. Four values of a pixel are worked on in one number.
//!
//! Promises: whole numbers only, so that every machine makes the same; whatever a placement says, drawing ends after at most one
//! visit of each pixel of the picture, and of the image's row under each of its rows; what is outside is left out.

use std::ops::Range;

use super::{
    Blend, Image, Picture, Placement,
    image::turn,
    picture::times,
    sprite::{brightness, differences},
};

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
        (self.covered_along(u, 0) * self.covered_along(v, 1)) >> 8
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

    /// Reads a row of an image that is turned, from a column on; `start` is the place of the row's first one.
    fn read(&self, image: &Image, from: usize, start: (i64, i64), onto: &mut [Lanes], look: &Look) {
        for (x, seen) in (from as i64..).zip(onto) {
            let at = (start.0 + self.right.0 * x, start.1 + self.right.1 * x);
            let covered = self.covered(at);
            if covered == 0 {
                continue;
            }
            let (x, y) = (Between::new(at.0, self.size.0), Between::new(at.1, self.size.1));
            let [top, bottom] = two_rows(image, y);
            let one = |row: &[[u8; 4]], x: usize| Lanes::of(row.get(x).copied().unwrap_or_default());
            let upper = one(top, x.first).towards(one(top, x.second), x.share);
            let lower = one(bottom, x.first).towards(one(bottom, x.second), x.share);
            *seen = look.of(upper.towards(lower, y.share), covered);
        }
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

    /// `share` of 256 of it.
    fn times(self, share: u64) -> Self {
        Self((self.0 * share + Self::HALF) >> 8 & Self::MASK)
    }

    /// `share` of 256 on the way to another.
    fn towards(self, other: Self, share: u64) -> Self {
        Self((self.0 * (256 - share) + other.0 * share + Self::HALF) >> 8 & Self::MASK)
    }

    /// The sum of both.
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The four values, each of at most sixteen bits.
    fn values(self) -> [i32; 4] {
        [0, 32, 16, 48].map(|lane| (self.0 >> lane & 0xffff) as i32)
    }
}

/// An image that is not turned: all rows have the same columns.
struct Straight<'a> {
    image: &'a Image,
    /// Where each column of the picture lies, and how much of it is covered.
    columns: Vec<(Between, u32)>,
    /// The image's row between two of its rows: what lies there, and where that is.
    line: Vec<Lanes>,
    place: Option<(usize, u64)>,
}

impl<'a> Straight<'a> {
    fn new(image: &'a Image, way: &Way, width: usize) -> Self {
        let column = |x: usize| {
            let at = way.origin.0.saturating_add(way.right.0.saturating_mul(x as i64));
            (Between::new(at, way.size.0), way.covered_along(at, 0))
        };
        Self { image, columns: (0..width).map(column).collect(), line: Vec::new(), place: None }
    }

    /// Reads a row from a column on, with how much of each pixel is covered.
    fn read(&mut self, from: usize, y: Between, high: u32, onto: &mut [Lanes], look: &Look) {
        let [top, bottom] = two_rows(self.image, y);
        if self.place != Some((y.first, y.share)) {
            self.place = Some((y.first, y.share));
            self.line.clear();
            let pairs = top.iter().zip(bottom);
            self.line.extend(pairs.map(|(top, bottom)| Lanes::of(*top).towards(Lanes::of(*bottom), y.share)));
        }
        for (seen, (column, wide)) in onto.iter_mut().zip(self.columns.get(from..).unwrap_or_default()) {
            if let (Some(first), Some(second)) = (self.line.get(column.first), self.line.get(column.second)) {
                *seen = look.of(first.towards(*second, column.share), (wide * high) >> 8);
            }
        }
    }
}

/// The rows of an image that a place lies between.
fn two_rows(image: &Image, y: Between) -> [&[[u8; 4]]; 2] {
    let width = image.width as usize;
    [y.first, y.second].map(|y| image.pixels.get(y * width..(y + 1) * width).unwrap_or_default())
}

/// What becomes of an image's pixels before they are laid over the picture.
struct Look {
    opacity: u64,
    /// Where there is one that changes anything.
    tint: Option<[i32; 3]>,
}

impl Look {
    /// A pixel of which so much is covered, of 256.
    fn of(&self, pixel: Lanes, covered: u32) -> Lanes {
        let share = (self.opacity * u64::from(covered) + 127) / 255;
        let pixel = if share == 256 { pixel } else { pixel.times(share) };
        let Some([red, green, blue]) = self.tint else { return pixel };
        let [r, g, b, a] = pixel.values();
        let times = |value: i32, by: i32| ((value * by + 127) / 255) as u8;
        Lanes::of([times(r, red), times(g, green), times(b, blue), a as u8])
    }
}

impl Image {
    /// The same, turned clockwise around its middle (in 1/65,536 of a turn) and so many times as large (65,536 is once), in the middle
    /// of a square image of even sides.
    #[must_use]
    pub fn turned(&self, angle: i32, scale: i32) -> Self {
        if self.width == 0 || self.height == 0 || scale <= 0 {
            return Self::empty(2, 2);
        }
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let diagonal = (width * width + height * height).isqrt() + 1;
        let side = (((diagonal * scale as u64) >> 16) as u32 + 2).next_multiple_of(2);
        let middle = side as i32 * 128;
        let placement = Placement {
            at: (middle, middle),
            anchor: (self.width as i32 * 128, self.height as i32 * 128),
            scale: (scale, scale),
            angle,
            tint: [255; 3],
            opacity: 255,
            blend: Blend::Over,
        };
        let way = Way::new(self, &placement);
        let look = Look { opacity: 255, tint: None };
        let mut pixels = Vec::with_capacity(side as usize * side as usize);
        let mut line = vec![Lanes(0); side as usize];
        for y in 0..i64::from(side) {
            line.fill(Lanes(0));
            let start = (way.origin.0 + way.down.0 * y, way.origin.1 + way.down.1 * y);
            way.read(self, 0, start, &mut line, &look);
            pixels.extend(line.iter().map(|seen| seen.values().map(|value| value.min(255) as u8)));
        }
        Self { width: side, height: side, pixels }
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
        let tint = (placement.tint != [255; 3]).then(|| placement.tint.map(i32::from));
        let look = Look { opacity: placement.opacity.into(), tint };
        let is_straight = way.right.1 == 0 && way.down.0 == 0;
        let mut straight = is_straight.then(|| Straight::new(image, &way, width));
        let (top, bottom) = rows(image, placement, height);
        let mut lines = [vec![Lanes(0); width], vec![Lanes(0); width]];
        for y in (top & !1..bottom.next_multiple_of(2).min(height)).step_by(2) {
            let mut touched = (width, 0);
            for (y, line) in [y, y + 1].into_iter().zip(&mut lines) {
                let start = (
                    way.origin.0.saturating_add(way.down.0.saturating_mul(y as i64)),
                    way.origin.1.saturating_add(way.down.1.saturating_mul(y as i64)),
                );
                let (from, to) = way.columns(start, width as i64);
                let range = from as usize..to as usize;
                let luma =
                    self.y.get_mut(y * width..(y + 1) * width).and_then(|row| row.get_mut(range.clone()));
                let (Some(line), Some(luma)) = (line.get_mut(range.clone()), luma) else { continue };
                match &mut straight {
                    Some(straight) => {
                        let high = way.covered_along(start.1, 1);
                        straight.read(range.start, Between::new(start.1, way.size.1), high, line, &look);
                    }
                    None => way.read(image, range.start, start, line, &look),
                }
                for (below, seen) in luma.iter_mut().zip(line) {
                    *below = lay_light(*below, seen.values(), placement.blend);
                }
                if !range.is_empty() {
                    touched = (touched.0.min(range.start), touched.1.max(range.end));
                }
            }
            let range = touched.0 & !1..touched.1.next_multiple_of(2).min(width);
            if !range.is_empty() {
                self.lay_colours(y / 2, &mut lines, range, placement.blend);
            }
        }
    }

    /// Lays two rows over the colours of both, and clears them.
    fn lay_colours(&mut self, row: usize, lines: &mut [Vec<Lanes>; 2], range: Range<usize>, blend: Blend) {
        let half = row * (self.width as usize / 2);
        let colours = half + range.start / 2..half + range.end / 2;
        let (Some(us), Some(vs)) = (self.u.get_mut(colours.clone()), self.v.get_mut(colours)) else { return };
        let [upper, lower] = lines.each_mut().map(|line| line.get_mut(range.clone()).unwrap_or_default());
        let fours = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for ((u, v), ([one, two], [three, four])) in us.iter_mut().zip(vs).zip(fours) {
            let sum = one.plus(*two).plus(three.plus(*four));
            if sum == Lanes(0) {
                continue;
            }
            let sum = sum.values();
            let more = differences(sum, 4, blend);
            let alpha = ((sum[3] + 2) / 4) as u8;
            for (below, more) in [u, v].into_iter().zip(more) {
                *below = match blend {
                    Blend::Over => more.saturating_add(times(*below, 255 - alpha)),
                    Blend::Add => (i16::from(*below) + i16::from(more) - 128).clamp(16, 240) as u8,
                };
            }
        }
        upper.fill(Lanes(0));
        lower.fill(Lanes(0));
    }
}

/// A brightness under a pixel.
fn lay_light(below: u8, seen: [i32; 4], blend: Blend) -> u8 {
    let light = brightness(seen, 1, blend);
    match blend {
        Blend::Over => light.saturating_add(times(below, 255 - seen[3] as u8)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, pixel: [u8; 4]) -> Image {
        Image { width, height, pixels: vec![pixel; (width * height) as usize] }
    }

    const STRAIGHT: Placement = Placement {
        at: (0, 0),
        anchor: (0, 0),
        scale: (65_536, 65_536),
        angle: 0,
        tint: [255; 3],
        opacity: 255,
        blend: Blend::Over,
    };

    #[test]
    fn an_image_in_its_own_size_is_its_sprite() {
        let image = Image {
            width: 6,
            height: 4,
            pixels: (0..24).map(|value| [value * 4, 90 - value, value, 100 + value]).collect(),
        };
        for blend in [Blend::Over, Blend::Add] {
            let sprite = super::super::Sprite::new(&image, blend);
            for (x, y) in [(2, 2), (3, 2), (2, 3), (5, 7), (-3, -1), (13, 9)] {
                let mut slow = Picture::new(16, 12);
                slow.fill([90, 120, 30]);
                let mut fast = slow.clone();
                slow.image(&image, &Placement { at: (x * 256, y * 256), blend, ..STRAIGHT });
                fast.sprite(&sprite, x, y, 255);
                assert_eq!(slow, fast, "{x} {y}");
            }
        }
    }

    #[test]
    fn an_image_over_all_of_the_picture_reaches_its_edges() {
        let image = plain(10, 10, [255; 4]);
        let mut picture = Picture::new(64, 48);
        picture.image(&image, &Placement { scale: (65_536 * 64 / 10, 65_536 * 48 / 10), ..STRAIGHT });
        assert!(picture.y.iter().all(|value| *value >= 233), "{:?}", picture.y);
    }

    #[test]
    fn turned_by_quarters_it_is_the_same_turned() {
        let mut image = Image::empty(4, 4);
        image.pixels[1] = [255; 4];
        let turned = |angle: i32| {
            let mut picture = Picture::new(8, 8);
            let middle = (4 * 256, 4 * 256);
            picture.image(&image, &Placement { at: middle, anchor: (512, 512), angle, ..STRAIGHT });
            picture.y.iter().position(|value| *value > 200)
        };
        // From (3, 2) around (4, 4), clockwise.
        assert_eq!(turned(0), Some(2 * 8 + 3));
        assert_eq!(turned(16_384), Some(3 * 8 + 5));
        assert_eq!(turned(32_768), Some(5 * 8 + 4));
        assert_eq!(turned(-16_384), Some(4 * 8 + 2));
    }

    #[test]
    fn one_pixel_becomes_a_rectangle_that_ends_where_it_should() {
        let mut picture = Picture::new(2048, 16);
        let placement = Placement { at: (10 << 8, 4 << 8), scale: (2001 << 16, 8 << 16), ..STRAIGHT };
        picture.image(&plain(1, 1, [255; 4]), &placement);
        let row = &picture.y[6 * 2048..7 * 2048];
        assert_eq!((row[9], row[10], row[2010], row[2011]), (16, 235, 235, 16));
        assert!(row[10..2011].iter().all(|y| *y == 235));
        assert_eq!((picture.y[3 * 2048 + 1000], picture.y[4 * 2048 + 1000]), (16, 235));
        assert_eq!((picture.y[11 * 2048 + 1000], picture.y[12 * 2048 + 1000]), (235, 16));
    }

    #[test]
    fn what_is_far_away_tiny_or_enormous_is_no_trouble() {
        let image = plain(3, 2, [255; 4]);
        let extremes = [i32::MIN + 1, -(1 << 30), -1, 0, 1, 17, 65_536, 1 << 28, i32::MAX];
        for at in extremes {
            for scale in extremes {
                for angle in [0, 8192, i32::MIN, i32::MAX] {
                    let placement = Placement {
                        at: (at, at / 3),
                        anchor: (384, 256),
                        scale: (scale, scale),
                        angle,
                        ..STRAIGHT
                    };
                    Picture::new(16, 16).image(&image, &placement);
                }
            }
        }
    }
}
