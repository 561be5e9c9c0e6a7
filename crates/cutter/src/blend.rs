//! Transitions between pictures, and their course over the frames. Pure arithmetic on whole numbers.
//!
//! Pictures are 4:2:0 of 8 or 10 bits; both of a dissolve must be of one size and depth. Results are rounded to the
//! nearest number, and exact at both ends: weight 0 leaves a picture as it was, weight [`FULL`] leaves nothing of it.

use crate::av::AvError;
use crate::av::frame::Frame;
use crate::av::plane::{Component, PLANES};
use crate::colour::{Converter, Depth};

/// The weight that leaves nothing of what was there before.
pub(crate) const FULL: u16 = 256;

/// The weight after `position` of `length` steps: 0 at first, [`FULL`] from `length` on, never falling, and the same
/// from both ends: `weight(p) + weight(length - p)` is [`FULL`].
///
/// A dissolve over `n` frames whose neighbours are whole takes `weight(k + 1, n + 1)` for frame `k`; a fade-out whose
/// last frame is black `weight(k + 1, n)`, and the fade-in that mirrors it `weight(n - k, n)`.
pub(crate) fn weight(position: u64, length: u64) -> u16 {
    // More steps than this are none that a person sees; the cube below keeps within 128 bits.
    let length = length.min(1 << 32);
    if position >= length {
        return FULL;
    }
    if position > length - position {
        return FULL - weight(length - position, length);
    }
    let (position, length) = (u128::from(position), u128::from(length));
    // Slowly at both ends: smoothstep.
    let (part, whole) = (position * position * (3 * length - 2 * position), length * length * length);
    ((u128::from(FULL) * 2 * part + whole) / (2 * whole)) as u16
}

/// Fades a picture towards a colour (red, green, blue), to any `level` from 0 to [`FULL`].
pub(crate) fn fade(frame: &mut Frame, level: u16, towards: [u8; 3]) -> Result<(), AvError> {
    if level == 0 {
        return Ok(());
    }
    let depth = frame.depth().ok_or_else(|| AvError::new("fade a picture", "its pixel format is another"))?;
    let colour = Converter::new(frame.colour(), depth).rgb(towards);
    match depth {
        Depth::Eight => fade_planes::<u8>(frame, level.min(FULL), colour),
        Depth::Ten => fade_planes::<u16>(frame, level.min(FULL), colour),
    }
}

fn fade_planes<T: Component>(frame: &mut Frame, level: u16, colour: [u16; PLANES]) -> Result<(), AvError> {
    for (plane, towards) in colour.into_iter().enumerate() {
        let towards = T::cut(towards.into());
        for row in frame.plane_mut::<T>(plane)?.rows() {
            row.iter_mut().for_each(|number| *number = T::mix(*number, towards, level));
        }
    }
    Ok(())
}

/// A picture between two of the same kind: `from` at weight 0, `to` at [`FULL`].
pub(crate) fn dissolve(from: &Frame, to: &Frame, weight: u16) -> Result<Frame, AvError> {
    const ACTION: &str = "dissolve two pictures";
    if from.size() != to.size() || from.depth() != to.depth() || from.colour() != to.colour() {
        return Err(AvError::new(ACTION, "they are not of the same kind"));
    }
    if weight == 0 || weight >= FULL {
        return if weight == 0 { from.share() } else { to.share() };
    }
    let mut result = from.share()?;
    match from.depth() {
        Some(Depth::Eight) => dissolve_planes::<u8>(&mut result, to, weight)?,
        Some(Depth::Ten) => dissolve_planes::<u16>(&mut result, to, weight)?,
        None => return Err(AvError::new(ACTION, "their pixel format is another")),
    }
    Ok(result)
}

fn dissolve_planes<T: Component>(result: &mut Frame, to: &Frame, weight: u16) -> Result<(), AvError> {
    for plane in 0..PLANES {
        let to = to.plane::<T>(plane)?;
        for (row, to) in result.plane_mut::<T>(plane)?.rows().zip(to.rows()) {
            row.iter_mut().zip(to).for_each(|(number, to)| *number = T::mix(*number, *to, weight));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::Target;

    fn target(bits: u8) -> Target {
        Target::new((34, 18), (1, 1), bits, "bt709", false)
    }

    /// A picture of noise that only `seed` decides.
    fn noise(bits: u8, seed: u32) -> Frame {
        fn fill<T: Component>(frame: &mut Frame, most: u32, mut state: u32) {
            for plane in 0..PLANES {
                for number in frame.plane_mut::<T>(plane).unwrap().numbers {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *number = T::cut((state >> 16) % (most + 1));
                }
            }
        }
        let mut frame = target(bits).blank([0; 3]).unwrap();
        if bits == 8 {
            fill::<u8>(&mut frame, 255, seed)
        } else {
            fill::<u16>(&mut frame, 1023, seed)
        }
        frame
    }

    fn numbers(frame: &Frame) -> Vec<u32> {
        fn of<T: Component>(frame: &Frame) -> Vec<u32> {
            let planes = (0..PLANES).map(|plane| frame.plane::<T>(plane).unwrap());
            planes.flat_map(|plane| plane.rows().flatten().map(|&number| number.into())).collect()
        }
        if frame.depth() == Some(Depth::Eight) { of::<u8>(frame) } else { of::<u16>(frame) }
    }

    #[test]
    fn fades_reach_the_colour_and_begin_with_the_picture() {
        for bits in [8, 10] {
            let source = noise(bits, 7);
            for colour in [[0; 3], [255; 3], [230, 20, 90]] {
                let mut faded = source.share().unwrap();
                fade(&mut faded, 0, colour).unwrap();
                assert_eq!(faded.plane_pointer(0), source.plane_pointer(0), "level 0 does not even copy");
                fade(&mut faded, FULL, colour).unwrap();
                assert_eq!(numbers(&faded), numbers(&target(bits).blank(colour).unwrap()));
                assert_eq!(numbers(&source), numbers(&noise(bits, 7)), "the source is not written to");
            }
        }
    }

    #[test]
    fn unlike_pictures_are_refused() {
        let narrow = Target::new((32, 18), (1, 1), 8, "bt709", false).blank([0; 3]).unwrap();
        assert!(dissolve(&noise(8, 1), &narrow, 100).is_err());
        assert!(dissolve(&noise(8, 1), &noise(10, 1), 100).is_err());
    }

    #[test]
    fn known_weights() {
        assert_eq!([0, 1, 2, 3, 4, 5].map(|step| weight(step, 4)), [0, 40, 128, 216, 256, 256]);
        assert_eq!(weight(0, 0), FULL);
    }

    proptest! {
        #[test]
        fn dissolves_are_exact_symmetric_and_rounded(
            eight: bool, seeds in (0_u32..1000, 0_u32..1000), weight in 0_u16..=FULL,
        ) {
            let bits = if eight { 8 } else { 10 };
            let (a, b) = (noise(bits, seeds.0), noise(bits, seeds.1));
            let there = numbers(&dissolve(&a, &b, weight).unwrap());
            prop_assert_eq!(&there, &numbers(&dissolve(&b, &a, FULL - weight).unwrap()));
            let wanted: Vec<u32> = numbers(&a).iter().zip(numbers(&b)).map(|(a, b)| {
                let weight = f64::from(weight) / 256.0;
                (f64::from(*a) * (1.0 - weight) + f64::from(b) * weight + 0.5).floor() as u32
            }).collect();
            prop_assert_eq!(there, wanted);
        }

        #[test]
        fn ten_bits_are_as_eight_within_rounding(seed: u32, level in 0_u16..=FULL, colour: [u8; 3]) {
            let mut eight = noise(8, seed);
            let mut ten = target(10).blank([0; 3]).unwrap();
            for plane in 0..PLANES {
                let from = eight.plane::<u8>(plane).unwrap();
                for (to, from) in ten.plane_mut::<u16>(plane).unwrap().rows().zip(from.rows()) {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = u16::from(*from) * 4);
                }
            }
            fade(&mut eight, level, colour).unwrap();
            fade(&mut ten, level, colour).unwrap();
            let far = |(eight, ten): (u32, u32)| (f64::from(eight) - f64::from(ten) / 4.0).abs() > 1.2;
            prop_assert!(!numbers(&eight).into_iter().zip(numbers(&ten)).any(far));
        }

        #[test]
        fn weights_rise_evenly_from_both_ends(length in 1_u64..2000) {
            let weights: Vec<u16> = (0..=length).map(|step| weight(step, length)).collect();
            prop_assert_eq!((weights[0], weights[length as usize]), (0, FULL));
            prop_assert!(weights.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!((0..=length as usize).all(|step| weights[step] + weights[length as usize - step] == FULL));
        }

        #[test]
        fn any_numbers_have_a_weight(position: u64, length: u64) {
            prop_assert!(weight(position, length) <= FULL);
        }
    }
}
