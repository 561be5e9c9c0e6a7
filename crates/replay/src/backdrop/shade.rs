//! Darkening and blending of whole pictures.
//!
//! Promises: whole numbers only, and no bands: what eight bits cannot hold of a dark picture is spread over neighbouring pixels, in a
//! pattern that stands still.

use crate::draw::Picture;

/// All of the light: 256.
pub(super) const FULL: u16 = 256;

/// Sides of the pattern.
const SIDE: usize = 8;

/// Pixels that are worked on at once.
const LANES: usize = 16;

/// What is added before rounding down, for a row of the picture: each of 64 thresholds once in a square of eight by eight,
/// neighbours far apart (an ordered dither after Bayer).
fn pattern(row: usize) -> [u16; LANES] {
    let mut pattern = [0; LANES];
    for (column, threshold) in pattern.iter_mut().enumerate() {
        let (x, y) = (column % SIDE, row % SIDE);
        let bits = [0, 1, 2].map(|bit| ((x ^ y) >> bit & 1) << 1 | y >> bit & 1);
        let rank = bits[0] << 4 | bits[1] << 2 | bits[2];
        *threshold = (rank * 4 + 2) as u16;
    }
    pattern
}

/// Multiplies the light of a picture by `light` of [`FULL`].
pub(super) fn darken(picture: &mut Picture, light: u16) {
    let light = light.min(FULL);
    if light == FULL {
        return;
    }
    let width = picture.width as usize;
    dither(&mut picture.y, width, |pixel, threshold| {
        16 + ((u16::from(pixel.saturating_sub(16)) * light + threshold) >> 8) as u8
    });
    // All of the light times 128 is one more than the number holds, but then there is nothing to do.
    let light = light as i16;
    for plane in [&mut picture.u, &mut picture.v] {
        dither(plane, width / 2, |pixel, threshold| {
            (128 + (((i16::from(pixel) - 128) * light + threshold as i16) >> 8)) as u8
        });
    }
}

/// Changes every byte of a plane by itself and its threshold: as many at once as the machine can.
fn dither(plane: &mut [u8], width: usize, change: impl Fn(u8, u16) -> u8) {
    let patterns: [[u16; LANES]; SIDE] = std::array::from_fn(pattern);
    for (line, pattern) in plane.chunks_exact_mut(width.max(1)).zip(patterns.iter().cycle()) {
        let (lanes, rest) = line.as_chunks_mut::<LANES>();
        for lanes in lanes {
            for (pixel, threshold) in lanes.iter_mut().zip(pattern) {
                *pixel = change(*pixel, *threshold);
            }
        }
        for (pixel, threshold) in rest.iter_mut().zip(pattern) {
            *pixel = change(*pixel, *threshold);
        }
    }
}

/// Makes `onto` lie between two pictures of its size: `share` of [`FULL`] is the second's.
pub(super) fn blend(first: &Picture, second: &Picture, share: u16, onto: &mut Picture) {
    let share = share.min(FULL);
    for (onto, first, second) in [
        (&mut onto.y, &first.y, &second.y),
        (&mut onto.u, &first.u, &second.u),
        (&mut onto.v, &first.v, &second.v),
    ] {
        for ((onto, first), second) in onto.iter_mut().zip(first).zip(second) {
            *onto = ((u16::from(*first) * (FULL - share) + u16::from(*second) * share + 128) >> 8) as u8;
        }
    }
}

/// Copies a picture of the same size.
pub(super) fn copy(from: &Picture, onto: &mut Picture) {
    for (onto, from) in [(&mut onto.y, &from.y), (&mut onto.u, &from.u), (&mut onto.v, &from.v)] {
        if onto.len() == from.len() {
            onto.copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(y: u8, u: u8) -> Picture {
        let mut picture = Picture::new(64, 64);
        picture.y.fill(y);
        picture.u.fill(u);
        picture
    }

    fn average(plane: &[u8]) -> f64 {
        plane.iter().map(|value| f64::from(*value)).sum::<f64>() / plane.len() as f64
    }

    #[test]
    fn every_threshold_is_there_once() {
        let mut all: Vec<u16> = (0..SIDE).flat_map(|row| pattern(row)[..SIDE].to_vec()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).map(|rank| rank * 4 + 2).collect::<Vec<u16>>());
    }

    #[test]
    fn what_bits_cannot_hold_is_spread() {
        for (y, light) in [(116_u8, 26_u16), (235, 13), (17, 128), (16, 200), (235, 255), (200, 0)] {
            let mut picture = grey(y, 200);
            darken(&mut picture, light);
            let exact = 16.0 + f64::from(y - 16) * f64::from(light) / 256.0;
            assert!((average(&picture.y) - exact).abs() < 0.05, "{y} at {light}: {}", average(&picture.y));
            assert!(picture.y.iter().all(|value| (f64::from(*value) - exact).abs() <= 1.0));
            let exact = 128.0 + 72.0 * f64::from(light) / 256.0;
            assert!((average(&picture.u) - exact).abs() < 0.05, "{}", average(&picture.u));
            assert!((average(&picture.v) - 128.0).abs() < 0.05);
        }
        let mut picture = grey(90, 40);
        darken(&mut picture, FULL);
        assert_eq!(picture, grey(90, 40));
    }

    #[test]
    fn the_darkest_and_brightest_bytes_hold() {
        let mut picture = grey(0, 0);
        picture.v.fill(255);
        darken(&mut picture, 255);
        assert!(picture.y.iter().all(|value| *value == 16));
        assert!(picture.u.iter().all(|value| *value <= 1) && picture.v.iter().all(|value| *value >= 254));
    }

    #[test]
    fn pictures_lie_between_others() {
        let mut onto = Picture::new(64, 64);
        for (share, expected) in [(0, 40), (64, 80), (128, 120), (256, 200), (999, 200)] {
            blend(&grey(40, 128), &grey(200, 128), share, &mut onto);
            assert_eq!(onto, grey(expected, 128), "{share}");
        }
    }
}
