//! The map's background image as a picture: covering it, blurred; and what is there where it has none.

use super::shade::darken;
use crate::{
    draw::{Blend, Image, Picture, Sprite, decode},
    limits::Limits,
    stage::Stage,
};

/// The colours of the gradient, at the top and the bottom, before it is darkened.
const GRADIENT: [[u32; 3]; 2] = [[150, 165, 255], [70, 60, 120]];

/// How much light is left of the gradient, of 256.
const GRADIENT_LIGHT: u16 = 44;

/// How far a full blur reaches, in 1/1000 of the picture's height, in each of its passes.
const BLUR: u32 = 25;

/// Passes of a blur: after three, its shape is close to a bell.
const PASSES: usize = 3;

/// The map's background, covering a picture of that size, blurred by so many percent; `None` where it is missing or cannot be read.
pub(super) fn background(stage: &Stage<'_>, limits: &Limits, size: (u32, u32), blur: u8) -> Option<Picture> {
    let bytes = stage.files.read(&stage.map.map.background_file).ok()?;
    let image = decode::image(&bytes, limits.image_pixels).ok()?;
    let mut image = covering(&image, size);
    let radius = size.1 * u32::from(blur.min(100)) * BLUR / 100_000;
    blurred(&mut image, radius as usize);
    let mut picture = Picture::new(size.0, size.1);
    picture.sprite(&Sprite::new(&image, Blend::Over), 0, 0, 255);
    Some(picture)
}

/// A dark gradient, for maps without an image.
pub(super) fn gradient(size: (u32, u32)) -> Picture {
    let last = size.1.saturating_sub(1).max(1);
    let image = Image::of(size.0, size.1, |_, y| {
        let [r, g, b] = [0, 1, 2].map(|colour| {
            let mix = GRADIENT[0][colour] * (last - y) + GRADIENT[1][colour] * y;
            (mix / last) as u8
        });
        [r, g, b, 255]
    });
    let mut picture = Picture::new(size.0, size.1);
    picture.sprite(&Sprite::new(&image, Blend::Over), 0, 0, 255);
    darken(&mut picture, GRADIENT_LIGHT);
    picture
}

/// The middle of an image that has the shape of a picture, in its size.
fn covering(image: &Image, (width, height): (u32, u32)) -> Image {
    let part = |side: u32, other: u32, of: u32, by: u32| {
        let most = u64::from(other) * u64::from(of) / u64::from(by.max(1));
        u64::from(side).min(most).max(1) as u32
    };
    let across = part(image.width, image.height, width, height);
    let along = part(image.height, image.width, height, width);
    if (across, along) == (image.width, image.height) {
        return image.resized(width, height);
    }
    let (left, top) = ((image.width - across) / 2, (image.height - along) / 2);
    let rows = image.pixels.chunks_exact(image.width as usize).skip(top as usize).take(along as usize);
    let pixels = rows.flat_map(|row| row.iter().skip(left as usize).take(across as usize).copied());
    Image { width: across, height: along, pixels: pixels.collect() }.resized(width, height)
}

/// Blurs an image: each pass averages over a square, first its rows, then its columns.
fn blurred(image: &mut Image, radius: usize) {
    if radius == 0 {
        return;
    }
    for _ in 0..PASSES {
        // Twice turned over, rows are rows again.
        for _ in 0..2 {
            image.pixels = averaged_and_turned(&image.pixels, image.width as usize, radius);
            (image.width, image.height) = (image.height, image.width);
        }
    }
}

/// Averages over rows, and swaps rows and columns. Beyond its ends a row goes on as it ends.
fn averaged_and_turned(pixels: &[[u8; 4]], width: usize, radius: usize) -> Vec<[u8; 4]> {
    let height = pixels.len() / width.max(1);
    let mut turned = vec![[0; 4]; pixels.len()];
    let count = 2 * radius as u32 + 1;
    for (y, row) in pixels.chunks_exact(width.max(1)).enumerate() {
        let pixel = |x: usize| row.get(x.min(width - 1)).copied().unwrap_or_default().map(u32::from);
        let mut sum = pixel(0).map(|value| value * radius as u32);
        let change = |sum: &mut [u32; 4], new: [u32; 4], old: [u32; 4]| {
            sum.iter_mut().zip(new).zip(old).for_each(|((sum, new), old)| *sum = *sum + new - old);
        };
        for x in 0..=radius {
            change(&mut sum, pixel(x), [0; 4]);
        }
        for x in 0..width {
            if let Some(target) = turned.get_mut(x * height + y) {
                *target = sum.map(|sum| ((sum + count / 2) / count) as u8);
            }
            change(&mut sum, pixel(x + radius + 1), pixel(x.saturating_sub(radius)));
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_covers_the_picture() {
        // A red image with a green square in its middle.
        let image = |width: u32, height: u32| {
            Image::of(width, height, |x, y| {
                let inside = x.abs_diff(width / 2) * 4 < height.min(width)
                    && y.abs_diff(height / 2) * 4 < height.min(width);
                if inside { [0, 255, 0, 255] } else { [255, 0, 0, 255] }
            })
        };
        for (width, height) in [(400, 100), (100, 400), (160, 90), (1, 1), (1, 5000), (5000, 1)] {
            let covering = covering(&image(width, height), (64, 36));
            assert_eq!((covering.width, covering.height, covering.pixels.len()), (64, 36, 64 * 36));
            let middle = covering.pixels[18 * 64 + 32];
            assert!(width.min(height) == 1 || middle == [0, 255, 0, 255], "{width} x {height}");
            assert!(covering.pixels.iter().all(|pixel| pixel[3] == 255));
        }
    }

    #[test]
    fn a_blur_keeps_the_light_and_spreads_it_evenly() {
        let mut image = Image::of(41, 41, |x, y| if (x, y) == (20, 20) { [255; 4] } else { [0; 4] });
        image.pixels[20 * 41 + 20] = [255; 4];
        blurred(&mut image, 2);
        let at = |x: usize, y: usize| image.pixels[y * 41 + x][0];
        assert!(at(20, 20) > at(21, 20) && at(21, 20) >= at(22, 20) && at(20, 20) < 255);
        assert_eq!((at(17, 20), at(20, 17)), (at(23, 20), at(20, 23)), "the same on all sides");
        let mut plain = Image::of(30, 20, |_, _| [90, 80, 70, 255]);
        let before = plain.clone();
        blurred(&mut plain, 9);
        assert_eq!(plain, before, "sides do not darken");
    }

    #[test]
    fn the_gradient_is_dark_and_calm() {
        let picture = gradient((64, 128));
        let row = |y: usize| {
            picture.y[y * 64..(y + 1) * 64].iter().map(|value| u32::from(*value)).sum::<u32>() / 64
        };
        assert!(row(0) > row(127) && row(0) < 60 && row(127) >= 16);
        let steps =
            picture.y.chunks(64).flat_map(|row| row.windows(2)).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert_eq!(steps, Some(1), "neighbours differ by the pattern only");
    }
}
