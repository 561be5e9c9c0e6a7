//! Letters with a dark rim, which are read over anything.

use super::{
    Image, Rgb,
    raster::{coverage, premultiplied},
};

/// White letters in a colour, with a soft dark rim. `height` of the letters, in pixels, says how wide it is.
#[must_use]
pub fn outlined(letters: &Image, colour: Rgb, height: u32) -> Image {
    let rim = (height / 9).max(1) as i32;
    let (width, high) = (letters.width as i32 + 2 * rim, letters.height as i32 + 2 * rim);
    let ink = |x: i32, y: i32| {
        let inside = (0..letters.width as i32).contains(&x) && (0..letters.height as i32).contains(&y);
        let index = (y.max(0) as usize) * letters.width as usize + x.max(0) as usize;
        letters.pixels.get(index).filter(|_| inside).map_or(0, |pixel| pixel[3])
    };
    let mut image = Image::of(width as u32, high as u32, |x, y| {
        let mut most = 0_i32;
        for down in -rim..=rim {
            for right in -rim..=rim {
                let away = (right * right + down * down) * 256;
                let near = i32::from(coverage((away / rim.max(1) - rim * 256).clamp(-128, 128)));
                most = most.max(i32::from(ink(x as i32 - rim + right, y as i32 - rim + down)) * near / 255);
            }
        }
        premultiplied([8, 8, 14], (most * 200 / 255) as u8)
    });
    image.put(&letters.tinted(colour), rim, rim);
    image
}
