//! Images that are drawn slowly: in any place, size, angle and colour.
//!
//! Promises: whole numbers only, so that every machine draws the same; whatever a placement says, drawing ends after at most one
//! visit of each pixel of the picture, and what is outside is left out. Edges are soft where they cut through pixels.

use super::{
    Blend, Image, Picture, Rgb,
    image::mixed,
    picture::times,
    sprite::{brightness, differences},
};

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
fn turn(angle: i32) -> (i32, i32) {
    (sine(angle.wrapping_add(16_384)), sine(angle))
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
        Self::of(side, side, |x, y| {
            let (x, y) = (i64::from(x), i64::from(y));
            let at = (
                way.origin.0 + way.right.0 * x + way.down.0 * y,
                way.origin.1 + way.right.1 * x + way.down.1 * y,
            );
            let covered = (way.covered(at) * 255 / 256) as u8;
            if covered == 0 { [0; 4] } else { way.sample(self, at).map(|value| times(value, covered)) }
        })
    }
}

/// The way from the picture back to the image: all in 1/65,536 pixel.
struct Way {
    /// The image's place for the middle of the picture's first pixel.
    origin: (i64, i64),
    /// How far one pixel to the right moves it, and one down.
    right: (i64, i64),
    down: (i64, i64),
    /// The image's size.
    size: (i64, i64),
    /// How much larger the image is than itself; positive.
    scale: (i64, i64),
}

impl Way {
    fn new(image: &Image, placement: &Placement) -> Self {
        let (cos, sin) = turn(placement.angle);
        let (cos, sin) = (i64::from(cos), i64::from(sin));
        let back = |value: i64, scale: i32| (value << 16) / i64::from(scale);
        let right = (back(cos, placement.scale.0), back(-sin, placement.scale.1));
        let down = (back(sin, placement.scale.0), back(cos, placement.scale.1));
        let from = (128 - i64::from(placement.at.0), 128 - i64::from(placement.at.1));
        let origin = |right: i64, down: i64, anchor: i32| {
            let moved = i128::from(from.0) * i128::from(right) + i128::from(from.1) * i128::from(down);
            (moved >> 8) as i64 + (i64::from(anchor) << 8)
        };
        Self {
            origin: (
                origin(right.0, down.0, placement.anchor.0),
                origin(right.1, down.1, placement.anchor.1),
            ),
            right,
            down,
            size: (i64::from(image.width) << 16, i64::from(image.height) << 16),
            scale: (i64::from(placement.scale.0).abs(), i64::from(placement.scale.1).abs()),
        }
    }

    /// The columns of a row whose middles lie in the image, so much of a pixel of the picture (of 65,536) beyond its edges.
    fn columns(&self, (u, v): (i64, i64), width: i64, beyond: i64) -> (i64, i64) {
        let mut range = (0, width);
        for (start, step, size, scale) in
            [(u, self.right.0, self.size.0, self.scale.0), (v, self.right.1, self.size.1, self.scale.1)]
        {
            let margin = (beyond << 16) / scale;
            let (low, high) = ((-margin).saturating_sub(start), (size + margin).saturating_sub(start));
            let (from, to) = match step {
                0 if low <= 0 && high >= 0 => continue,
                0 => return (0, 0),
                step if step > 0 => (-(-low).div_euclid(step), high.div_euclid(step) + 1),
                step => (-high.div_euclid(-step), (-low).div_euclid(-step) + 1),
            };
            range = (range.0.max(from), range.1.min(to));
        }
        (range.0, range.1.max(range.0))
    }

    /// How much of a pixel is covered, of 256: whole within the image, less where an edge cuts through it.
    fn covered(&self, (u, v): (i64, i64)) -> u32 {
        let along = |at: i64, size: i64, scale: i64| {
            // Distance to the nearer edge, in 1/256 pixel of the picture; what is far away is covered or not anyway.
            let edge = at.min(size - at).clamp(-(1 << 31), 1 << 31);
            (((edge * scale) >> 24) + 128).clamp(0, 256) as u32
        };
        along(u, self.size.0, self.scale.0) * along(v, self.size.1, self.scale.1) / 256
    }

    /// The image's colour at a place.
    #[inline]
    fn sample(&self, image: &Image, (u, v): (i64, i64)) -> [u8; 4] {
        let part = |at: i64, size: i64| {
            // The first of two neighbours, and how far it lies beyond it, of 256.
            let at = (at - (1 << 15)).clamp(0, size - (1 << 16));
            let first = (at >> 16).min((size >> 16) - 2).max(0);
            (first as usize, ((at - (first << 16)) >> 8) as u32)
        };
        let ((left, across), (top, below)) = (part(u, self.size.0), part(v, self.size.1));
        let width = image.width as usize;
        let pair = |y: usize| match image.pixels.get(y * width + left..) {
            Some([one, other, ..]) => [*one, *other],
            Some([only]) => [*only; 2],
            _ => [[0; 4]; 2],
        };
        let [one, two] = pair(top);
        let [three, four] = if self.size.1 > 1 << 16 { pair(top + 1) } else { [one, two] };
        // An image of one column has no neighbours to the right.
        let [two, four] = if width > 1 { [two, four] } else { [one, three] };
        mixed([four, three, two, one], across, below)
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
        let [r, g, b] = placement.tint.map(|tint| times(tint, placement.opacity));
        let factors = [r, g, b, placement.opacity];
        let (top, bottom) = rows(image, placement, height);
        let mut sums = vec![[0i32; 4]; width / 2];
        let mut touched = (width, 0);
        for y in top & !1..bottom.next_multiple_of(2).min(height) {
            let start = (
                way.origin.0.saturating_add(way.down.0.saturating_mul(y as i64)),
                way.origin.1.saturating_add(way.down.1.saturating_mul(y as i64)),
            );
            let (from, to) = way.columns(start, width as i64, 1 << 15);
            let inside = way.columns(start, width as i64, -(1 << 15));
            let row = self.y.get_mut(y * width..(y + 1) * width).unwrap_or_default();
            let columns = from as usize..to.max(from) as usize;
            touched = (touched.0.min(columns.start / 2), touched.1.max(columns.end.div_ceil(2)));
            let mut at = (start.0 + way.right.0 * from, start.1 + way.right.1 * from);
            for (x, below) in columns.clone().zip(row.get_mut(columns).unwrap_or_default()) {
                let pixel = way.sample(image, at);
                let mut seen = [0; 4];
                if (inside.0..inside.1).contains(&(x as i64)) {
                    for ((seen, value), factor) in seen.iter_mut().zip(pixel).zip(factors) {
                        *seen = i32::from(times(value, factor));
                    }
                } else {
                    let covered = way.covered(at);
                    for ((seen, value), factor) in seen.iter_mut().zip(pixel).zip(factors) {
                        *seen = ((u32::from(value) * u32::from(factor) * covered + 32_640) / 65_280) as i32;
                    }
                }
                at = (at.0 + way.right.0, at.1 + way.right.1);
                if seen == [0; 4] {
                    continue;
                }
                *below = lay_light(*below, seen, placement.blend);
                if let Some(sum) = sums.get_mut(x / 2) {
                    for (sum, value) in sum.iter_mut().zip(seen) {
                        *sum += value;
                    }
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
            let sprite = crate::draw::Sprite::new(&image, blend);
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
    fn an_image_is_turned_and_resized_around_its_middle() {
        let image = plain(20, 4, [200, 100, 50, 255]);
        let turned = image.turned(16_384, 65_536);
        let at = |x: u32, y: u32| turned.pixels[(y * turned.width + x) as usize];
        let middle = turned.width / 2;
        assert_eq!((turned.width, turned.height % 2), (turned.height, 0));
        assert_eq!((at(middle, middle - 9), at(middle - 9, middle)), ([200, 100, 50, 255], [0; 4]));
        let seen = |image: &Image| image.pixels.iter().map(|pixel| u32::from(pixel[3])).sum::<u32>() / 255;
        assert!(seen(&turned).abs_diff(80) < 3 && seen(&image.turned(5_000, 131_072)).abs_diff(320) < 8);
        assert_eq!(Image::empty(0, 0).turned(1, 1), Image::empty(2, 2));
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
