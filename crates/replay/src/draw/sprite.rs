//! Sprites: images that were turned into the picture's planes once, to be drawn fast.
//!
//! A sprite has its brightness at full size and its colours at half the size four times: for each of the places that it can
//! have on the picture's grid of colours, so that nothing shimmers when it moves by a pixel. Of each row only what is not
//! transparent is looked at, and what is opaque is copied.

use super::{
    Image, Picture,
    picture::{light, times},
};

/// How something goes over what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Blend {
    /// Over it.
    #[default]
    Over,
    /// Its light is added.
    Add,
}

/// An image ready to be drawn.
#[derive(Debug, Clone)]
pub struct Sprite {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How it goes over what is there.
    pub blend: Blend,
    luma: Plane<1>,
    /// By whether it lies on an odd column, and on an odd row.
    chroma: [Plane<2>; 4],
}

/// `N` planes of bytes that have one opacity. Over: bytes are premultiplied. Add: brightness to be added, or a colour difference
/// around 128.
#[derive(Debug, Clone, Default)]
struct Plane<const N: usize> {
    width: usize,
    values: [Vec<u8>; N_MOST],
    alpha: Vec<u8>,
    /// Where each row's spans begin in `spans`; one more than there are rows.
    rows: Vec<u32>,
    spans: Vec<Span>,
}

/// Most planes with one opacity.
const N_MOST: usize = 2;

/// A part of a row that is not transparent.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
    opaque: bool,
}

impl<const N: usize> Plane<N> {
    /// From values and opacities, row by row.
    fn new(width: usize, values: [Vec<u8>; N_MOST], alpha: Vec<u8>) -> Self {
        let (mut rows, mut spans) = (vec![0], Vec::new());
        for row in alpha.chunks(width.max(1)) {
            let mut from = 0;
            for run in row.chunk_by(|a, b| (*a == 0) == (*b == 0) && (*a == 255) == (*b == 255)) {
                let to = from + run.len();
                if run.first().is_some_and(|alpha| *alpha > 0) {
                    spans.push(Span { from: from as u32, to: to as u32, opaque: run.first() == Some(&255) });
                }
                from = to;
            }
            rows.push(spans.len() as u32);
        }
        Self { width, values, alpha, rows, spans }
    }

    fn height(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    /// Draws onto planes of `stride` bytes a row, with the top left corner at a place of theirs.
    fn draw(&self, planes: [&mut [u8]; N], stride: usize, at: (i32, i32), opacity: u8, blend: Blend) {
        let top = usize::try_from(-at.1).unwrap_or(0);
        let mut planes = planes;
        for row in top..self.height() {
            let line = (at.1 + row as i32) as usize * stride;
            if planes.first().is_none_or(|plane| line + stride > plane.len()) {
                break;
            }
            let (Some(first), Some(last)) = (self.rows.get(row), self.rows.get(row + 1)) else { break };
            for span in self.spans.get(*first as usize..*last as usize).unwrap_or_default() {
                // Cut off at the left and the right.
                let from = (span.from as i32).max(-at.0);
                let to = (span.to as i32).min(stride as i32 - at.0);
                if from >= to {
                    continue;
                }
                let source = row * self.width + from as usize..row * self.width + to as usize;
                let target = line + (at.0 + from) as usize..line + (at.0 + to) as usize;
                let Some(alpha) = self.alpha.get(source.clone()) else { continue };
                for (plane, values) in planes.iter_mut().zip(&self.values) {
                    let (Some(values), Some(plane)) =
                        (values.get(source.clone()), plane.get_mut(target.clone()))
                    else {
                        continue;
                    };
                    match blend {
                        Blend::Over if span.opaque && opacity == 255 => plane.copy_from_slice(values),
                        Blend::Over if opacity == 255 => over(plane, values, alpha),
                        Blend::Over => over_faded(plane, values, alpha, opacity),
                        Blend::Add if N == 1 => add(plane, values, opacity),
                        Blend::Add => add_colour(plane, values, opacity),
                    }
                }
            }
        }
    }
}

fn over(plane: &mut [u8], values: &[u8], alpha: &[u8]) {
    for ((old, value), alpha) in plane.iter_mut().zip(values).zip(alpha) {
        *old = times(*old, 255 - alpha).saturating_add(*value);
    }
}

fn over_faded(plane: &mut [u8], values: &[u8], alpha: &[u8], opacity: u8) {
    for ((old, value), alpha) in plane.iter_mut().zip(values).zip(alpha) {
        *old = times(*old, 255 - times(*alpha, opacity)).saturating_add(times(*value, opacity));
    }
}

fn add(plane: &mut [u8], values: &[u8], opacity: u8) {
    for (old, value) in plane.iter_mut().zip(values) {
        *old = old.saturating_add(times(*value, opacity)).min(235);
    }
}

fn add_colour(plane: &mut [u8], values: &[u8], opacity: u8) {
    for (old, value) in plane.iter_mut().zip(values) {
        let more = (i16::from(*value) - 128) * i16::from(opacity) / 255;
        *old = (i16::from(*old) + more).clamp(16, 240) as u8;
    }
}

impl Sprite {
    /// Prepares an image.
    #[must_use]
    pub fn new(image: &Image, blend: Blend) -> Self {
        let (width, height) = (image.width as usize, image.height as usize);
        let mut values = Vec::with_capacity(image.pixels.len());
        let mut alpha = Vec::with_capacity(image.pixels.len());
        for [r, g, b, a] in &image.pixels {
            let [y, ..] = light([*r, *g, *b]);
            let (value, opacity) = match blend {
                Blend::Over => (y + i32::from(times(16, *a)), *a),
                // What adds no light is transparent.
                Blend::Add => (y, u8::from(y > 0 || (*r | *g | *b) > 0)),
            };
            values.push(value.clamp(0, 255) as u8);
            alpha.push(opacity);
        }
        let luma = Plane::new(width, [values, Vec::new()], alpha);
        let chroma = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|odd| halved(image, (width, height), odd, blend));
        Self { width: image.width, height: image.height, blend, luma, chroma }
    }
}

/// An image's colours at half the size, where its first column and row are odd ones of the picture or not.
fn halved(image: &Image, (width, height): (usize, usize), odd: (usize, usize), blend: Blend) -> Plane<2> {
    let (columns, rows) = ((width + odd.0).div_ceil(2), (height + odd.1).div_ceil(2));
    let count = columns * rows;
    let (mut blue, mut red) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut opacity = Vec::with_capacity(count);
    for row in 0..rows {
        for column in 0..columns {
            let mut sum = [0_u32; 4];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let x = (2 * column + dx).checked_sub(odd.0).filter(|x| *x < width);
                let y = (2 * row + dy).checked_sub(odd.1).filter(|y| *y < height);
                if let (Some(x), Some(y)) = (x, y)
                    && let Some(pixel) = image.pixels.get(y * width + x)
                {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
                }
            }
            let [r, g, b, a] = sum.map(|sum| ((sum + 2) / 4) as u8);
            let [_, u, v] = light([r, g, b]);
            let (base, alpha) = match blend {
                Blend::Over => (i32::from(times(128, a)), a),
                Blend::Add => (128, u8::from((r | g | b) > 0)),
            };
            blue.push((base + u).clamp(0, 255) as u8);
            red.push((base + v).clamp(0, 255) as u8);
            opacity.push(alpha);
        }
    }
    Plane::new(columns, [blue, red], opacity)
}

impl Picture {
    /// Draws a sprite with its top left corner at a pixel.
    pub fn sprite(&mut self, sprite: &Sprite, x: i32, y: i32, opacity: u8) {
        let (width, height) = (self.width as i32, self.height as i32);
        let is_outside = x >= width
            || y >= height
            || x.saturating_add(sprite.width as i32) <= 0
            || y.saturating_add(sprite.height as i32) <= 0;
        if opacity == 0 || is_outside {
            return;
        }
        let stride = self.width as usize;
        sprite.luma.draw([&mut self.y], stride, (x, y), opacity, sprite.blend);
        let phase = (x & 1) as usize + 2 * (y & 1) as usize;
        if let Some(chroma) = sprite.chroma.get(phase) {
            let planes = [self.u.as_mut_slice(), self.v.as_mut_slice()];
            chroma.draw(planes, stride / 2, (x >> 1, y >> 1), opacity, sprite.blend);
        }
    }

    /// Draws a sprite with its middle at a place, in 1/256 pixel.
    pub fn sprite_around(&mut self, sprite: &Sprite, centre: (i32, i32), opacity: u8) {
        let left = (centre.0 - sprite.width as i32 * 128 + 128) >> 8;
        let top = (centre.1 - sprite.height as i32 * 128 + 128) >> 8;
        self.sprite(sprite, left, top, opacity);
    }
}
