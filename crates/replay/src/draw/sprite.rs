//! Sprites: images that were turned into the picture's planes once, to be drawn fast.
//!
//! Colours have half the size of brightness, so a sprite at an odd place needs other colours than at an even one: all four are
//! prepared, and nothing shimmers when it moves. [`Sprite::fixed`] leaves three of them out, for what only lies at even places.

use super::{
    Image, Picture,
    plane::{Plane, Rule},
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
    luma: Plane,
    /// Blue and red difference: at even places; to the right, below, and both of it.
    chroma: Vec<[Plane; 2]>,
}

/// A sprite for places between pixels: the same image moved by quarters of one.
#[derive(Debug, Clone)]
pub struct Phased {
    /// By quarters to the right, then down.
    sprites: Vec<Sprite>,
}

/// Quarters of a pixel.
const PHASES: i32 = 4;

impl Sprite {
    /// Prepares an image.
    #[must_use]
    pub fn new(image: &Image, blend: Blend) -> Self {
        Self::prepare(image, blend, &[(0, 0), (1, 0), (0, 1), (1, 1)])
    }

    /// Prepares an image that is drawn at even places alone: others are brought down to them.
    #[must_use]
    pub fn fixed(image: &Image, blend: Blend) -> Self {
        Self::prepare(image, blend, &[(0, 0)])
    }

    fn prepare(image: &Image, blend: Blend, places: &[(usize, usize)]) -> Self {
        let (width, height) = (image.width as usize, image.height as usize);
        let mut luma = Plane::new(if blend == Blend::Over { Rule::Over } else { Rule::AddLight });
        let mut values = vec![0; width];
        let mut alpha = vec![0; width];
        for row in image.pixels.chunks_exact(width.max(1)).take(height) {
            for ((pixel, value), alpha) in row.iter().zip(&mut values).zip(&mut alpha) {
                let nothing = *pixel == [0; 4];
                *value = if nothing { 0 } else { brightness(pixel.map(i32::from), 1, blend) };
                *alpha = pixel[3];
            }
            luma.push(&values, &alpha);
        }
        let chroma = places.iter().map(|place| colours(image, blend, *place)).collect();
        Self { width: image.width, height: image.height, blend, luma, chroma }
    }
}

/// The brightness of the sum of `count` premultiplied pixels, divided by `count`, premultiplied.
pub(super) fn brightness([r, g, b, a]: [i32; 4], count: i32, blend: Blend) -> u8 {
    // Black is 16, where there is something: 16 / 255 in 1/65,536.
    let black = if blend == Blend::Over { 4_112 * a } else { 0 };
    (((11_966 * r + 40_254 * g + 4_064 * b + black) / count + 32_768) >> 16).clamp(0, 255) as u8
}

/// The colour differences of the sum of `count` premultiplied pixels, divided by `count`, premultiplied.
pub(super) fn differences([r, g, b, a]: [i32; 4], count: i32, blend: Blend) -> [u8; 2] {
    // Grey is 128, where there is something; light is added around 128 itself.
    let grey = if blend == Blend::Over { 32_897 * a } else { (128 << 16) * count };
    let u = -6_596 * r - 22_189 * g + 28_784 * b + grey;
    let v = 28_784 * r - 26_145 * g - 2_639 * b + grey;
    [u, v].map(|value| ((value / count + 32_768) >> 16).clamp(0, 255) as u8)
}

/// The planes of colours of an image that lies so many pixels beside even places.
fn colours(image: &Image, blend: Blend, (right, down): (usize, usize)) -> [Plane; 2] {
    let rule = if blend == Blend::Over { Rule::Over } else { Rule::AddColour };
    let mut planes = [Plane::new(rule), Plane::new(rule)];
    let (width, height) = (image.width as usize, image.height as usize);
    if width == 0 {
        return planes;
    }
    let nothing = differences([0; 4], 4, blend);
    let columns = (width + right).div_ceil(2);
    let mut sums = vec![[0i32; 4]; columns];
    let mut values = [vec![0; columns], vec![0; columns]];
    let mut alpha = vec![0; columns];
    let mut rows = image.pixels.chunks_exact(width);
    for line in 0..(height + down).div_ceil(2) {
        sums.fill([0; 4]);
        let lines = if line == 0 && down == 1 { 1 } else { 2 };
        for row in rows.by_ref().take(lines) {
            let (first, rest) = row.split_at(right.min(width));
            let pairs = std::iter::once(first).filter(|first| !first.is_empty()).chain(rest.chunks(2));
            for (sum, pixels) in sums.iter_mut().zip(pairs) {
                for pixel in pixels.iter().filter(|pixel| **pixel != [0; 4]) {
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum += i32::from(*value);
                    }
                }
            }
        }
        for (column, sum) in sums.iter().enumerate() {
            let [u, v] = if *sum == [0; 4] { nothing } else { differences(*sum, 4, blend) };
            let [us, vs] = &mut values;
            if let (Some(to_u), Some(to_v), Some(to)) =
                (us.get_mut(column), vs.get_mut(column), alpha.get_mut(column))
            {
                (*to_u, *to_v, *to) = (u, v, ((sum[3] + 2) / 4) as u8);
            }
        }
        for (plane, values) in planes.iter_mut().zip(&values) {
            plane.push(values, &alpha);
        }
    }
    planes
}

impl Phased {
    /// Prepares an image.
    #[must_use]
    pub fn new(image: &Image, blend: Blend) -> Self {
        let step = 256 / PHASES;
        let moved = |index: i32| image.moved((index % PHASES * step, index / PHASES * step));
        Self { sprites: (0..PHASES * PHASES).map(|index| Sprite::new(&moved(index), blend)).collect() }
    }

    /// Width and height of the image, in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        // Those of all phases are one pixel larger.
        self.sprites.first().map_or((0, 0), |first| (first.width - 1, first.height - 1))
    }
}

impl Picture {
    /// Draws a sprite with its top left corner at a pixel.
    pub fn sprite(&mut self, sprite: &Sprite, x: i32, y: i32, opacity: u8) {
        let width = self.width as usize;
        let (phase, x, y) = match sprite.chroma.as_slice() {
            [only] => (only, x & !1, y & !1),
            all => match all.get(((x & 1) + 2 * (y & 1)) as usize) {
                Some(phase) => (phase, x, y),
                None => return,
            },
        };
        sprite.luma.lay(&mut self.y, width, (x, y), opacity);
        let [u, v] = phase;
        u.lay(&mut self.u, width / 2, (x >> 1, y >> 1), opacity);
        v.lay(&mut self.v, width / 2, (x >> 1, y >> 1), opacity);
    }

    /// Draws a sprite with its middle at a place, in 1/256 pixel, brought to whole pixels.
    pub fn sprite_around(&mut self, sprite: &Sprite, centre: (i32, i32), opacity: u8) {
        let corner = |centre: i32, size: u32| {
            ((i64::from(centre) - i64::from(size) * 128 + 128) >> 8)
                .clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
        };
        let (left, top) = (corner(centre.0, sprite.width), corner(centre.1, sprite.height));
        self.sprite(sprite, left, top, opacity);
    }

    /// Draws a sprite with its middle at a place, in 1/256 pixel, brought to quarters of a pixel.
    pub fn sprite_between(&mut self, sprite: &Phased, centre: (i32, i32), opacity: u8) {
        let step = 256 / PHASES;
        // The images of all phases are one pixel larger than theirs, to the right and below.
        let corner = |centre: i32, size: u32| {
            let quarters = (i64::from(centre) - (i64::from(size) - 1) * 128 + i64::from(step / 2))
                .div_euclid(step.into());
            let phases = i64::from(PHASES);
            (quarters.div_euclid(phases) as i32, quarters.rem_euclid(phases) as usize)
        };
        let Some(first) = sprite.sprites.first() else { return };
        let ((left, right), (top, down)) = (corner(centre.0, first.width), corner(centre.1, first.height));
        if let Some(sprite) = sprite.sprites.get(right + down * PHASES as usize) {
            self.sprite(sprite, left, top, opacity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Placement, raster};

    #[test]
    fn nothing_happens_far_outside() {
        let image = raster::disc(2000, [200, 90, 30]);
        let (sprite, phased) = (Sprite::new(&image, Blend::Over), Phased::new(&image, Blend::Add));
        let mut picture = Picture::new(16, 12);
        let before = picture.clone();
        for x in [i32::MIN, i32::MIN + 1, -100_000, 100_000, i32::MAX] {
            for y in [i32::MIN, -100_000, 0, 100_000, i32::MAX] {
                picture.sprite(&sprite, x, y, 255);
                picture.sprite_around(&sprite, (x, y), 200);
                picture.sprite_between(&phased, (x, y), 200);
                for scale in [(1, -1), (65_536, i32::MAX), (i32::MIN, 70_000)] {
                    let placement = Placement {
                        at: (x, y),
                        anchor: (y, x),
                        scale,
                        angle: x,
                        tint: [255; 3],
                        opacity: 255,
                        blend: Blend::Over,
                    };
                    let mut any = picture.clone();
                    any.image(&image, &placement);
                }
            }
        }
        assert_eq!(picture, before);
    }

    #[test]
    fn quarters_of_a_pixel_move_the_middle_of_the_light() {
        let phased = Phased::new(&raster::disc(3 * 256, [255; 3]), Blend::Over);
        for (x, y) in [(2_560, 2_048), (2_624, 2_112), (2_688, 2_048), (2_752, 2_200), (3_000, 2_304)] {
            let mut picture = Picture::new(24, 20);
            picture.sprite_between(&phased, (x, y), 255);
            let (mut sum, mut across, mut down) = (0, 0, 0);
            for (index, value) in picture.y.iter().enumerate() {
                let (light, index) = (i32::from(*value) - 16, index as i32);
                sum += light;
                across += light * (index % 24 * 256 + 128);
                down += light * (index / 24 * 256 + 128);
            }
            assert!(
                (across / sum - x).abs() <= 34 && (down / sum - y).abs() <= 34,
                "{x} {y}: {} {}",
                across / sum,
                down / sum
            );
        }
    }

    #[test]
    fn a_sprite_that_is_faded_and_one_of_a_faded_image_are_nearly_the_same() {
        let image = raster::disc(1500, [30, 200, 120]);
        for (x, y) in [(2, 2), (3, 2), (2, 3), (3, 3)] {
            let (mut one, mut other) = (Picture::new(20, 20), Picture::new(20, 20));
            one.fill([200, 40, 90]);
            other.fill([200, 40, 90]);
            one.sprite(&Sprite::new(&image, Blend::Over), x, y, 100);
            other.sprite(&Sprite::new(&image.faded(100), Blend::Over), x, y, 255);
            let near = |one: &[u8], other: &[u8]| {
                one.iter().zip(other).all(|(one, other)| one.abs_diff(*other) <= 2)
            };
            assert!(near(&one.y, &other.y) && near(&one.u, &other.u) && near(&one.v, &other.v));
        }
    }
}
