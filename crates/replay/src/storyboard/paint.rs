//! Paints images as storyboards place them: in any size, angle and colour, within a part of the picture.
//!
//! Unlike [`Picture::image`] it takes an image's border as the end of it: a single pixel that is drawn a thousand times larger is
//! a rectangle with sharp sides, as on a graphics card. Whole numbers only; rows are worked on two at a time, for the colours
//! have half their height.

use crate::draw::{Blend, Image, Picture, Placement, sine};

/// Columns and rows of a picture: from the left and top ones up to, but without, the right and bottom ones. All are even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Bounds {
    /// What both hold; `None` where that is nothing.
    fn within(self, other: Self) -> Option<Self> {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        (both.left < both.right && both.top < both.bottom).then_some(both)
    }

    /// How many pixels it holds.
    pub(super) fn area(self) -> i64 {
        i64::from(self.right - self.left) * i64::from(self.bottom - self.top)
    }
}

/// The least size that is drawn, in 1/65,536.
const LEAST_SCALE: i32 = 16;

/// A place of an image, in 1/2^32 of its pixels.
type Fine = i64;

/// How an image lies under the pixels of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lie {
    /// What of the picture it reaches.
    pub bounds: Bounds,
    /// The image's place under the middle of the first pixel of the bounds.
    first: (Fine, Fine),
    /// What one pixel to the right changes, and one down.
    right: (Fine, Fine),
    down: (Fine, Fine),
    /// How large the image's pixels are on the picture, in 1/65,536.
    scale: (i64, i64),
    /// The image's size, in pixels.
    size: (u32, u32),
}

impl Lie {
    /// `None` where nothing of it is within `clip`.
    pub(super) fn of(size: (u32, u32), placement: &Placement, clip: Bounds) -> Option<Self> {
        let (wide, high) = placement.scale;
        if wide.abs() < LEAST_SCALE || high.abs() < LEAST_SCALE || size.0 == 0 || size.1 == 0 {
            return None;
        }
        let (sine, cosine) = (i64::from(sine(placement.angle)), i64::from(sine(placement.angle + 0x4000)));
        let (mut from, mut to) = ((i64::MAX, i64::MAX), (i64::MIN, i64::MIN));
        for (x, y) in [(0, 0), (size.0, 0), (0, size.1), (size.0, size.1)] {
            let across = ((i64::from(x) << 8) - i64::from(placement.anchor.0)) * i64::from(wide) >> 16;
            let along = ((i64::from(y) << 8) - i64::from(placement.anchor.1)) * i64::from(high) >> 16;
            let x = i64::from(placement.at.0) + ((across * cosine - along * sine) >> 16);
            let y = i64::from(placement.at.1) + ((across * sine + along * cosine) >> 16);
            from = (from.0.min(x), from.1.min(y));
            to = (to.0.max(x), to.1.max(y));
        }
        let even = |place: i64, more: i64| (((place + more) >> 8).clamp(-2, 1 << 20) as i32) & !1;
        let reach = Bounds {
            left: even(from.0, -128),
            top: even(from.1, -128),
            right: even(to.0, 128 + 511),
            bottom: even(to.1, 128 + 511),
        };
        let bounds = reach.within(clip)?;
        let (wide, high) = (i128::from(wide), i128::from(high));
        let per = |share: i64, scale: i128| ((i128::from(share) << 32) / scale) as i64;
        let right = (per(cosine, wide), per(-sine, high));
        let down = (per(sine, wide), per(cosine, high));
        let off = |place: i32, at: i32| (i128::from(place) << 8) + 128 - i128::from(at);
        let (dx, dy) = (off(bounds.left, placement.at.0), off(bounds.top, placement.at.1));
        let place = |right: i64, down: i64, anchor: i32| {
            let place = ((dx * i128::from(right) + dy * i128::from(down)) >> 8) + (i128::from(anchor) << 24);
            place.clamp(-(1 << 56), 1 << 56) as i64
        };
        Some(Self {
            bounds,
            first: (place(right.0, down.0, placement.anchor.0), place(right.1, down.1, placement.anchor.1)),
            right,
            down,
            scale: (i64::from(placement.scale.0.abs()), i64::from(placement.scale.1.abs())),
            size,
        })
    }

    /// Whether every pixel of its bounds lies wholly within the image.
    pub(super) fn fills_bounds(&self) -> bool {
        let (across, along) = (
            i64::from(self.bounds.right - self.bounds.left - 1),
            i64::from(self.bounds.bottom - self.bounds.top - 1),
        );
        [(0, 0), (across, 0), (0, along), (across, along)].into_iter().all(|(x, y)| {
            let (u, v) = self.place(x, y);
            self.cover(u, 0) == 256 && self.cover(v, 1) == 256
        })
    }

    /// The image's place under a pixel, counted from the first of the bounds.
    fn place(&self, x: i64, y: i64) -> (Fine, Fine) {
        let one = |first: Fine, right: Fine, down: Fine| {
            first.saturating_add(right.saturating_mul(x)).saturating_add(down.saturating_mul(y))
        };
        (one(self.first.0, self.right.0, self.down.0), one(self.first.1, self.right.1, self.down.1))
    }

    /// How much of a pixel lies between the image's two sides (0 across, 1 along), in 1/256.
    fn cover(&self, place: Fine, axis: u8) -> i64 {
        let (scale, size) = if axis == 0 { (self.scale.0, self.size.0) } else { (self.scale.1, self.size.1) };
        // What one pixel of the picture is; further away nothing changes any more.
        let pixel = (1_i64 << 48) / scale;
        let inside = |place: Fine| {
            let far = (place.clamp(-pixel, pixel) * scale + (1 << 39)) >> 40;
            (far + 128).clamp(0, 256)
        };
        inside(place) * inside((i64::from(size) << 32) - place) >> 8
    }

    /// Between which pixels of the image a place lies along one of its sides, and how far from the first, in 1/256.
    fn between(place: Fine, size: u32) -> (usize, usize, u32) {
        let last = i64::from(size) - 1;
        let place = (place - (1 << 31)).clamp(0, last << 32);
        let first = place >> 32;
        (first as usize, (first + 1).min(last) as usize, (place >> 24 & 255) as u32)
    }
}

/// Where a column of the picture lies in an image that is not turned.
struct Column {
    first: usize,
    second: usize,
    share: u32,
    cover: i64,
}

/// Reads an image row by row, as it lies.
pub(super) struct Reader<'a> {
    image: &'a Image,
    lie: &'a Lie,
    /// All columns, where the image is not turned.
    columns: Option<Vec<Column>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(image: &'a Image, lie: &'a Lie) -> Self {
        let straight = lie.right.1 == 0 && lie.down.0 == 0;
        let columns = straight.then(|| {
            let column = |x: i32| {
                let (place, _) = lie.place(x.into(), 0);
                let (first, second, share) = Lie::between(place, image.width);
                Column { first, second, share, cover: lie.cover(place, 0) }
            };
            (0..lie.bounds.right - lie.bounds.left).map(column).collect()
        });
        Self { image, lie, columns }
    }

    /// The pixels of a row, counted from the first of the bounds.
    pub(super) fn row(&self, y: i32, line: &mut Vec<[u8; 4]>) {
        line.clear();
        let lie = self.lie;
        let Some(columns) = &self.columns else {
            let width = i64::from(lie.bounds.right - lie.bounds.left);
            line.extend((0..width).map(|x| {
                let (u, v) = lie.place(x, y.into());
                let cover = lie.cover(u, 0) * lie.cover(v, 1) >> 8;
                if cover == 0 {
                    return [0; 4];
                }
                let (left, right, across) = Lie::between(u, self.image.width);
                let (top, bottom, along) = Lie::between(v, self.image.height);
                mixed(self.line(top), self.line(bottom), (left, right, across), along, cover)
            }));
            return;
        };
        let (_, place) = lie.place(0, y.into());
        let cover = lie.cover(place, 1);
        let (top, bottom, along) = Lie::between(place, self.image.height);
        let (top, bottom) = (self.line(top), self.line(bottom));
        line.extend(columns.iter().map(|column| {
            let across = (column.first, column.second, column.share);
            mixed(top, bottom, across, along, column.cover * cover >> 8)
        }));
    }

    /// A row of the image.
    fn line(&self, y: usize) -> &'a [[u8; 4]] {
        let width = self.image.width as usize;
        self.image.pixels.get(y * width..(y + 1) * width).unwrap_or_default()
    }
}

/// The pixel between four, as far as it is covered.
fn mixed(
    top: &[[u8; 4]],
    bottom: &[[u8; 4]],
    (left, right, across): (usize, usize, u32),
    along: u32,
    cover: i64,
) -> [u8; 4] {
    let pixel = |line: &[[u8; 4]], x: usize| line.get(x).copied().unwrap_or_default();
    let first = pixel(top, left);
    let pixel = if across == 0 && along == 0 {
        first
    } else {
        let (second, third, fourth) = (pixel(top, right), pixel(bottom, left), pixel(bottom, right));
        let mut sum = [0; 4];
        for (index, sum) in sum.iter_mut().enumerate() {
            let value = |pixel: [u8; 4]| pixel.get(index).copied().map_or(0, u32::from);
            let upper = value(first) * (256 - across) + value(second) * across;
            let lower = value(third) * (256 - across) + value(fourth) * across;
            *sum = ((upper * (256 - along) + lower * along + 32_768) >> 16) as u8;
        }
        sum
    };
    if cover == 256 { pixel } else { pixel.map(|value| ((i64::from(value) * cover + 128) >> 8) as u8) }
}

/// Paints an image onto a picture, within `clip`.
pub(super) fn paint(onto: &mut Picture, image: &Image, placement: &Placement, clip: Bounds) {
    let whole = Bounds { left: 0, top: 0, right: onto.width as i32, bottom: onto.height as i32 };
    let Some(lie) = clip.within(whole).and_then(|clip| Lie::of((image.width, image.height), placement, clip))
    else {
        return;
    };
    let reader = Reader::new(image, &lie);
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    let shares = [placement.tint[0], placement.tint[1], placement.tint[2], 255]
        .map(|share| times(share.into(), placement.opacity.into()));
    let plain = shares == [255; 4];
    let Bounds { left, top, right, bottom } = lie.bounds;
    let stride = onto.width as usize;
    let span = |y: i32, half: i32| {
        let start = (y / half) as usize * (stride / half as usize);
        start + (left / half) as usize..start + (right / half) as usize
    };
    for y in (top..bottom).step_by(2) {
        reader.row(y - top, &mut upper);
        reader.row(y - top + 1, &mut lower);
        for line in [&mut upper, &mut lower] {
            if !plain {
                for pixel in line.iter_mut() {
                    for (value, share) in pixel.iter_mut().zip(shares) {
                        *value = times((*value).into(), share) as u8;
                    }
                }
            }
        }
        for (line, y) in [(&upper, y), (&lower, y + 1)] {
            let Some(luma) = onto.y.get_mut(span(y, 1)) else { continue };
            match placement.blend {
                Blend::Over => {
                    luma.iter_mut().zip(line).for_each(|(old, pixel)| *old = brightness(*old, *pixel))
                }
                Blend::Add => luma.iter_mut().zip(line).for_each(|(old, pixel)| {
                    *old = (u32::from(*old) + luma_of(*pixel)).min(235) as u8;
                }),
            }
        }
        let (Some(blue), Some(red)) = (onto.u.get_mut(span(y, 2)), onto.v.get_mut(span(y, 2))) else {
            continue;
        };
        for (((u, v), upper), lower) in
            blue.iter_mut().zip(red).zip(upper.chunks_exact(2)).zip(lower.chunks_exact(2))
        {
            let mut sum = [2_u32; 4];
            for pixel in upper.iter().chain(lower) {
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
            }
            let [r, g, b, a] = sum.map(|sum| sum / 4);
            if (r | g | b | a) > 0 {
                let (more_u, more_v) = chroma_of([r, g, b]);
                let faded = |old: u8| match placement.blend {
                    Blend::Over => (times(old.into(), 255 - a) + times(128, a)) as i32,
                    Blend::Add => i32::from(old),
                };
                *u = (faded(*u) + more_u).clamp(16, 240) as u8;
                *v = (faded(*v) + more_v).clamp(16, 240) as u8;
            }
        }
    }
}

/// `value` times `share` of 255, rounded.
fn times(value: u32, share: u32) -> u32 {
    let product = value * share + 128;
    (product + (product >> 8)) >> 8
}

/// The brightness that a pixel adds, BT.709, limited range.
fn luma_of([r, g, b, _]: [u8; 4]) -> u32 {
    (11_966 * u32::from(r) + 40_254 * u32::from(g) + 4_064 * u32::from(b) + 32_768) >> 16
}

/// The blue and red differences that a colour adds.
fn chroma_of([r, g, b]: [u32; 3]) -> (i32, i32) {
    let [r, g, b] = [r as i32, g as i32, b as i32];
    (
        (-6_596 * r - 22_189 * g + 28_784 * b + 32_768) >> 16,
        (28_784 * r - 26_145 * g - 2_639 * b + 32_768) >> 16,
    )
}

/// A pixel over a brightness.
fn brightness(old: u8, pixel: [u8; 4]) -> u8 {
    let opacity = u32::from(pixel[3]);
    (times(old.into(), 255 - opacity) + times(16, opacity) + luma_of(pixel)).clamp(16, 235) as u8
}

#[cfg(test)]
mod tests;
