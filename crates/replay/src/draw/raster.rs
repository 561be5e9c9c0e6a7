//! Shapes to images: discs, rings, strokes, boxes, glows, with soft edges.
//!
//! All are made from the distance of a pixel's middle to the shape, in 1/256 pixel: inside is negative. Square roots are those of
//! whole numbers, so that a shape is the same everywhere.

use super::{Image, Rgb, image::compose, picture::times};

/// A place, or a length, in 1/256 pixel.
pub type Sub = i32;

/// How much of a pixel is covered by what has its edge that far away, 0 to 255.
#[must_use]
pub fn coverage(distance: Sub) -> u8 {
    (128 - distance).clamp(0, 255) as u8
}

/// A colour of an opacity, premultiplied.
#[must_use]
pub fn premultiplied([r, g, b]: Rgb, opacity: u8) -> [u8; 4] {
    [times(r, opacity), times(g, opacity), times(b, opacity), opacity]
}

/// How far two places are apart.
#[must_use]
pub fn distance(a: (Sub, Sub), b: (Sub, Sub)) -> Sub {
    let (x, y) = (i64::from(a.0) - i64::from(b.0), i64::from(a.1) - i64::from(b.1));
    (x * x + y * y).isqrt() as Sub
}

/// How far a place is from a stretch between two others.
#[must_use]
pub fn distance_to_line(place: (Sub, Sub), from: (Sub, Sub), to: (Sub, Sub)) -> Sub {
    let wide =
        |a: (Sub, Sub), b: (Sub, Sub)| (i64::from(b.0) - i64::from(a.0), i64::from(b.1) - i64::from(a.1));
    let (line, there) = (wide(from, to), wide(from, place));
    let length = line.0 * line.0 + line.1 * line.1;
    if length == 0 {
        return distance(place, from);
    }
    // How far along, in 1/65,536.
    let along = (there.0 * line.0 + there.1 * line.1).clamp(0, length);
    let share = (i128::from(along) * 65_536 / i128::from(length)) as i64;
    let nearest = (
        from.0.saturating_add(((line.0 * share) >> 16) as Sub),
        from.1.saturating_add(((line.1 * share) >> 16) as Sub),
    );
    distance(place, nearest)
}

/// An image of a shape that is told by its distance from the middle of each pixel.
#[must_use]
pub fn shape(size: (u32, u32), rgb: Rgb, edge: impl Fn((Sub, Sub)) -> Sub) -> Image {
    Image::of(size.0, size.1, |x, y| premultiplied(rgb, coverage(edge(middle(x, y)))))
}

/// The middle of a pixel.
#[must_use]
pub fn middle(x: u32, y: u32) -> (Sub, Sub) {
    (x as Sub * 256 + 128, y as Sub * 256 + 128)
}

/// How many pixels a circle's image is wide: with room for its soft edge, and even.
#[must_use]
pub fn side(radius: Sub) -> u32 {
    (radius.max(0) as u32).div_ceil(256) * 2 + 2
}

/// A filled circle in the middle of an image of [`side`].
#[must_use]
pub fn disc(radius: Sub, rgb: Rgb) -> Image {
    ring(0, radius, rgb)
}

/// What lies between two circles around the middle of an image of [`side`] of the outer one.
#[must_use]
pub fn ring(inner: Sub, outer: Sub, rgb: Rgb) -> Image {
    let side = side(outer);
    let centre = (side as Sub * 128, side as Sub * 128);
    // Most places are far from both edges: roots are taken near them alone.
    let square = |radius: Sub| i64::from(radius) * i64::from(radius);
    let (empty, full) = (square((inner - 256).max(0)), square(outer + 256));
    shape((side, side), rgb, |place| {
        let away = square(place.0 - centre.0) + square(place.1 - centre.1);
        if away > full || away < empty {
            return 256;
        }
        let from = away.isqrt() as Sub;
        if inner > 0 { (from - outer).max(inner - from) } else { from - outer }
    })
}

/// A filled box with round corners that fills its image.
#[must_use]
pub fn rounded_box(width: u32, height: u32, radius: Sub, rgb: Rgb) -> Image {
    let (half_x, half_y) = (width as Sub * 128, height as Sub * 128);
    let radius = radius.clamp(0, half_x.min(half_y));
    shape((width, height), rgb, |(x, y)| {
        let beyond = |place: Sub, half: Sub| (place - half).abs() - (half - radius);
        let (dx, dy) = (beyond(x, half_x), beyond(y, half_y));
        let outside = distance((dx.max(0), dy.max(0)), (0, 0));
        outside + dx.max(dy).min(0) - radius
    })
}

/// A line of a thickness along corners, with round ends, in an image of that size.
#[must_use]
pub fn stroke(size: (u32, u32), corners: &[(Sub, Sub)], thickness: Sub, rgb: Rgb) -> Image {
    shape(size, rgb, |place| distance_to_lines(place, corners).saturating_sub(thickness / 2))
}

/// How far a place is from the lines between corners.
#[must_use]
pub fn distance_to_lines(place: (Sub, Sub), corners: &[(Sub, Sub)]) -> Sub {
    let lines = corners.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(distance_to_line(place, *from, *to)),
        _ => None,
    });
    let point = match corners {
        [only] => Some(distance(place, *only)),
        _ => None,
    };
    lines.chain(point).min().unwrap_or(Sub::MAX / 2)
}

/// Light that fades from the middle of its image to its sides.
#[must_use]
pub fn glow(radius: Sub, rgb: Rgb) -> Image {
    let side = side(radius);
    let centre = (side as Sub * 128, side as Sub * 128);
    Image::of(side, side, |x, y| premultiplied(rgb, falloff(distance(middle(x, y), centre), radius)))
}

/// The colour that lies `part` of `whole` of the way from one to another one.
#[must_use]
pub fn between(from: Rgb, to: Rgb, part: i32, whole: i32) -> Rgb {
    let whole = i64::from(whole.max(1));
    let part = i64::from(part).clamp(0, whole);
    let mut colour = from;
    for (value, to) in colour.iter_mut().zip(to) {
        let mixed = i64::from(*value) * (whole - part) + i64::from(to) * part;
        *value = ((mixed + whole / 2) / whole) as u8;
    }
    colour
}

/// How bright a light is, 0 to 255, so far from where it begins; it ends at `reach`.
#[must_use]
pub fn falloff(distance: Sub, reach: Sub) -> u8 {
    let reach = i64::from(reach.max(1));
    let left = (reach - i64::from(distance)).clamp(0, reach);
    (left * left * 255 / (reach * reach)) as u8
}

impl Image {
    /// Draws a shape over what is there: it is told, for the middles of pixels, by its distance and by its colour with an opacity.
    pub fn paint(&mut self, edge: impl Fn((Sub, Sub)) -> Sub, colour: impl Fn((Sub, Sub)) -> (Rgb, u8)) {
        let width = self.width.max(1) as usize;
        for (y, row) in self.pixels.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let place = middle(x as u32, y as u32);
                let covered = coverage(edge(place));
                if covered > 0 {
                    let (rgb, opacity) = colour(place);
                    compose(pixel, premultiplied(rgb, times(opacity, covered)));
                }
            }
        }
    }

    /// Its middle.
    #[must_use]
    pub fn middle(&self) -> (Sub, Sub) {
        (self.width as Sub * 128, self.height as Sub * 128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Blend, Picture, Placement, Sprite, picture::yuv};
    use proptest::prelude::*;

    fn at(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let chroma = (y / 2 * (picture.width / 2) + x / 2) as usize;
        [picture.y[(y * picture.width + x) as usize], picture.u[chroma], picture.v[chroma]]
    }

    fn near(found: [u8; 3], wanted: [u8; 3]) -> bool {
        found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 2)
    }

    /// A sprite and an image that are placed alike are drawn alike, at every place of the grid of colours.
    #[test]
    fn sprites_and_images_agree() {
        let image = disc(6 * 256, [200, 60, 30]);
        let sprite = Sprite::new(&image, Blend::Over);
        for (x, y) in [(4, 4), (5, 4), (4, 5), (5, 5)] {
            let (mut one, mut other) = (Picture::new(32, 32), Picture::new(32, 32));
            one.fill([40, 90, 140]);
            other.fill([40, 90, 140]);
            one.sprite(&sprite, x, y, 200);
            let placement = Placement {
                at: (x * 256, y * 256),
                anchor: (0, 0),
                scale: (65_536, 65_536),
                angle: 0,
                tint: [255; 3],
                opacity: 200,
                blend: Blend::Over,
            };
            other.image(&image, &placement);
            for row in 0..32 {
                for column in 0..32 {
                    assert!(near(at(&one, column, row), at(&other, column, row)), "{x},{y}: {column},{row}");
                }
            }
        }
    }

    #[test]
    fn colours_come_out_as_they_went_in() {
        let mut picture = Picture::new(16, 16);
        picture.fill([10, 20, 30]);
        picture.sprite(&Sprite::new(&rounded_box(8, 8, 0, [250, 10, 10]), Blend::Over), 4, 4, 255);
        assert!(near(at(&picture, 7, 7), yuv([250, 10, 10])) && near(at(&picture, 1, 1), yuv([10, 20, 30])));
        picture.rectangle(0, 0, (4, 4), [0, 255, 0], 255);
        assert_eq!(at(&picture, 2, 2), yuv([0, 255, 0]));
        picture.fill([100; 3]);
        picture.sprite(&Sprite::new(&rounded_box(8, 8, 0, [100; 3]), Blend::Add), 4, 4, 255);
        assert!(near(at(&picture, 7, 7), yuv([200; 3])), "{:?}", at(&picture, 7, 7));
    }

    #[test]
    fn a_turned_image_lies_where_it_should() {
        let image = rounded_box(20, 4, 0, [255; 3]);
        let mut picture = Picture::new(40, 40);
        let placement = Placement {
            at: (20 * 256, 20 * 256),
            anchor: (10 * 256, 2 * 256),
            scale: (65_536, 65_536),
            angle: 0x4000,
            tint: [255; 3],
            opacity: 255,
            blend: Blend::Over,
        };
        picture.image(&image, &placement);
        assert_eq!(
            (at(&picture, 20, 12)[0], at(&picture, 20, 28)[0], at(&picture, 12, 20)[0]),
            (235, 235, 16)
        );
        picture.fill([0; 3]);
        picture.image(&image, &Placement { angle: 0, scale: (131_072, 65_536), ..placement });
        assert_eq!(
            (at(&picture, 2, 20)[0], at(&picture, 37, 20)[0], at(&picture, 20, 12)[0]),
            (235, 235, 16)
        );
    }

    #[test]
    fn resizing_keeps_what_there_is() {
        let image = rounded_box(64, 48, 0, [200, 100, 50]);
        for (width, height) in [(32, 24), (13, 7), (128, 100), (1, 1)] {
            let resized = image.resized(width, height);
            assert_eq!((resized.width, resized.height), (width, height));
            assert!(resized.pixels.iter().all(|pixel| *pixel == [200, 100, 50, 255]), "{width} x {height}");
        }
    }

    #[test]
    fn colours_change_evenly() {
        assert_eq!(between([0; 3], [255, 100, 50], 1, 2), [128, 50, 25]);
        assert_eq!(between([9; 3], [7; 3], 5, 0), [7; 3]);
        assert_eq!((falloff(0, 100), falloff(50, 100), falloff(200, 100)), (255, 63, 0));
    }

    proptest! {
        #[test]
        fn nothing_is_drawn_outside(
            place in (-80_i32..80, -80_i32..80), size in (1_u32..40, 1_u32..40), opacity in 0_u8..=255, add: bool,
            scale in (-200_000_i32..200_000, -200_000_i32..200_000), angle: i32,
        ) {
            let blend = if add { Blend::Add } else { Blend::Over };
            let image = rounded_box(size.0, size.1, 512, [255, 200, 100]);
            let mut picture = Picture::new(34, 18);
            picture.sprite(&Sprite::new(&image, blend), place.0, place.1, opacity);
            picture.rectangle(place.0, place.1, (size.0 as i32, size.1 as i32), [9; 3], opacity);
            picture.image(&image, &Placement {
                at: (place.0 * 256, place.1 * 256), anchor: (0, 0), scale, angle, tint: [255; 3], opacity, blend,
            });
            prop_assert!(picture.y.iter().all(|y| (14..=236).contains(y)));
        }
    }
}
