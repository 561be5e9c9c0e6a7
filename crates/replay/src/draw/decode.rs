//! Images from files: PNG, JPEG, GIF (its first picture) and BMP, told apart by what they hold, whatever their names say.
//!
//! Promises: an image's size is known before memory is taken for its pixels, and what has more pixels than allowed is never
//! decoded. Fails with [`Unreadable`]; who asks usually takes an image that cannot be read as one that is not there.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use super::Image;

/// Longest side of an image, in pixels.
const MOST_SIDE: u32 = 32_768;

/// Bytes that decoding may take for each pixel: 16 bits for each of four channels, twice where a decoder turns its rows over.
const BYTES_OF_PIXEL: u64 = 16;

/// Bytes that decoding may take besides, for tables.
const BYTES_OF_TABLES: u64 = 1 << 20;

/// Why an image cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is none, of another format, or damaged.
    #[error("it is no image that can be read")]
    Corrupt,
    /// It is larger than allowed.
    #[error("it has {width} x {height} pixels")]
    TooLarge {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
}

/// How wide and high an image is, in pixels, read from its head alone.
///
/// # Errors
/// [`Unreadable::Corrupt`].
pub fn size(bytes: &[u8]) -> Result<(u32, u32), Unreadable> {
    reader(bytes)?.into_dimensions().map_err(|_| Unreadable::Corrupt)
}

/// Decodes an image of at most `most_pixels` pixels.
///
/// # Errors
/// [`Unreadable`].
pub fn image(bytes: &[u8], most_pixels: u64) -> Result<Image, Unreadable> {
    let (width, height) = size(bytes)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Unreadable::Corrupt);
    }
    if pixels > most_pixels || width > MOST_SIDE || height > MOST_SIDE {
        return Err(Unreadable::TooLarge { width, height });
    }
    let mut reader = reader(bytes)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    limits.max_alloc = Some(pixels * BYTES_OF_PIXEL + BYTES_OF_TABLES);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|_| Unreadable::Corrupt)?.into_rgba8();
    let (width, height) = decoded.dimensions();
    let pixels = decoded.pixels().map(|pixel| premultiplied(pixel.0)).collect();
    Ok(Image { width, height, pixels })
}

/// A reader that knows the format by the file's first bytes.
fn reader(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, Unreadable> {
    let reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| Unreadable::Corrupt)?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::Bmp) => Ok(reader),
        _ => Err(Unreadable::Corrupt),
    }
}

/// Colours multiplied by their opacity.
fn premultiplied([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let times = |colour: u8| ((u32::from(colour) * u32::from(a) + 127) / 255) as u8;
    [times(r), times(g), times(b), a]
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, Rgba, RgbaImage};

    fn encoded(width: u32, height: u32, format: ImageFormat, pixel: [u8; 4]) -> Vec<u8> {
        let image = DynamicImage::from(RgbaImage::from_pixel(width, height, Rgba(pixel)));
        let image = if format == ImageFormat::Jpeg { DynamicImage::from(image.into_rgb8()) } else { image };
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn every_format_is_known_by_what_it_holds() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp] {
            let decoded = image(&encoded(5, 3, format, [250, 250, 250, 255]), 15).unwrap();
            assert_eq!((decoded.width, decoded.height, decoded.pixels.len()), (5, 3, 15), "{format:?}");
            assert!(decoded.pixels.iter().all(|[r, _, _, a]| r.abs_diff(250) < 4 && *a == 255), "{format:?}");
        }
    }

    #[test]
    fn colours_are_multiplied_by_their_opacity() {
        let decoded = image(&encoded(1, 1, ImageFormat::Png, [255, 128, 0, 51]), 1).unwrap();
        assert_eq!(decoded.pixels, [[51, 26, 0, 51]]);
    }

    #[test]
    fn what_is_too_large_is_refused_by_its_head_alone() {
        let mut huge = encoded(2, 2, ImageFormat::Png, [0; 4]);
        // The width and height in the header, with its checksum over them.
        huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let head = crc(&huge[12..29]).to_be_bytes();
        huge[29..33].copy_from_slice(&head);
        assert_eq!(size(&huge), Ok((30_000, 30_000)));
        assert_eq!(image(&huge, 1 << 25), Err(Unreadable::TooLarge { width: 30_000, height: 30_000 }));
        assert_eq!(
            image(&encoded(5, 3, ImageFormat::Png, [0; 4]), 14),
            Err(Unreadable::TooLarge { width: 5, height: 3 })
        );
    }

    #[test]
    fn what_is_none_or_cut_off_is_an_error() {
        let whole = encoded(16, 16, ImageFormat::Png, [1, 2, 3, 255]);
        assert_eq!(image(b"", 100), Err(Unreadable::Corrupt));
        assert_eq!(image(b"RIFF....WEBPVP8 ", 100), Err(Unreadable::Corrupt));
        assert_eq!(image(&whole[..whole.len() / 2], 1000), Err(Unreadable::Corrupt));
    }

    /// The checksum of a PNG's chunk.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
    }
}
