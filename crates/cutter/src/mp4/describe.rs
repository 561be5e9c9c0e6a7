//! Decoder configurations: the `avcC` and `hvcC` records made of parameter sets, and AAC's AudioSpecificConfig.
//!
//! Parameter sets come from files, so nothing about them is trusted: what ends too early or contradicts itself is an
//! error. Samples are taken to have 4-byte lengths in front of their NAL units.

use super::Mp4Error;
use super::boxes::{Bytes, Put};

/// NAL units of HEVC parameter sets.
const HEVC_VPS: u8 = 32;
const HEVC_SPS: u8 = 33;
const HEVC_PPS: u8 = 34;

/// H.264 profiles whose parameter sets say how colours are sampled, and whose record repeats it.
const HIGH_PROFILES: [u8; 13] = [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244];

const DAMAGED: Mp4Error = Mp4Error::Movie("a parameter set of its pictures is damaged");

/// The content of `avcC` for these parameter sets (whole NAL units, without lengths or start codes).
///
/// # Errors
/// When there is no set of a kind, too many, or one that cannot be read.
pub(crate) fn avcc(sps: &[Vec<u8>], pps: &[Vec<u8>]) -> Result<Vec<u8>, Mp4Error> {
    let sets = sps.iter().map(|unit| AvcSps::parse(unit)).collect::<Result<Vec<_>, _>>()?;
    let first = sets.first().ok_or(DAMAGED)?;
    if sps.len() > 31 || pps.is_empty() || pps.len() > 255 {
        return Err(DAMAGED);
    }
    let mut out = Bytes::new();
    out.u8(1);
    out.u8(first.profile);
    // What all sets promise, and the most that one needs.
    out.u8(sets.iter().fold(0xFF, |all, set| all & set.constraints));
    out.u8(sets.iter().map(|set| set.level).max().unwrap_or(first.level));
    // Lengths of four bytes.
    out.u8(0xFF);
    out.u8(0xE0 | sps.len() as u8);
    put_units(&mut out, sps)?;
    out.u8(pps.len() as u8);
    put_units(&mut out, pps)?;
    if HIGH_PROFILES.contains(&first.profile) {
        out.u8(0xFC | first.chroma);
        out.u8(0xF8 | first.luma_depth);
        out.u8(0xF8 | first.chroma_depth);
        out.u8(0);
    }
    Ok(out)
}

/// The content of `hvcC` for these parameter sets (whole NAL units, without lengths or start codes). It says that more
/// of them may stand between the pictures (`hev1`).
///
/// # Errors
/// When there is no set of a kind, too many, or one that cannot be read.
pub(crate) fn hvcc(vps: &[Vec<u8>], sps: &[Vec<u8>], pps: &[Vec<u8>]) -> Result<Vec<u8>, Mp4Error> {
    let sets = sps.iter().map(|unit| HevcSps::parse(unit)).collect::<Result<Vec<_>, _>>()?;
    let first = sets.first().ok_or(DAMAGED)?;
    let mut out = Bytes::new();
    out.u8(1);
    out.bytes(&HevcSps::common_profile(&sets, first));
    // Nothing is said about slices for parallel decoding.
    out.u16(0xF000);
    out.u8(0xFC);
    out.u8(0xFC | first.chroma);
    out.u8(0xF8 | first.luma_depth);
    out.u8(0xF8 | first.chroma_depth);
    // Nothing is said about the frame rate.
    out.u16(0);
    // Temporal layers, whether they are nested, and lengths of four bytes.
    out.u8(first.layers << 3 | u8::from(first.nested) << 2 | 3);
    out.u8(3);
    for (kind, units) in [(HEVC_VPS, vps), (HEVC_SPS, sps), (HEVC_PPS, pps)] {
        out.u8(kind);
        let count = u16::try_from(units.len()).map_err(|_| DAMAGED)?;
        if count == 0 {
            return Err(DAMAGED);
        }
        out.u16(count);
        put_units(&mut out, units)?;
    }
    Ok(out)
}

/// Appends NAL units, each with its length in two bytes.
fn put_units(out: &mut Bytes, units: &[Vec<u8>]) -> Result<(), Mp4Error> {
    for unit in units {
        out.u16(u16::try_from(unit.len()).map_err(|_| DAMAGED)?);
        out.bytes(unit);
    }
    Ok(())
}

/// What a record needs of an H.264 sequence parameter set.
struct AvcSps {
    profile: u8,
    constraints: u8,
    level: u8,
    chroma: u8,
    /// Bits more than 8.
    luma_depth: u8,
    /// Bits more than 8.
    chroma_depth: u8,
}

impl AvcSps {
    fn parse(unit: &[u8]) -> Result<Self, Mp4Error> {
        Self::read(unit).ok_or(DAMAGED)
    }

    fn read(unit: &[u8]) -> Option<Self> {
        let content = without_prevention(unit);
        let mut bits = Bits::new(&content);
        let kind = bits.take(8)? & 0x1F;
        let mut set = Self {
            profile: bits.take(8)? as u8,
            constraints: bits.take(8)? as u8,
            level: bits.take(8)? as u8,
            chroma: 1,
            luma_depth: 0,
            chroma_depth: 0,
        };
        bits.golomb()?;
        if HIGH_PROFILES.contains(&set.profile) {
            (set.chroma, set.luma_depth, set.chroma_depth) = read_sampling(&mut bits, |_| Some(()))?;
        }
        (kind == 7).then_some(set)
    }
}

/// What a record needs of an HEVC sequence parameter set.
struct HevcSps {
    /// General profile, its compatibility and constraints, and the level, as in the set.
    profile: [u8; 12],
    layers: u8,
    nested: bool,
    chroma: u8,
    /// Bits more than 8.
    luma_depth: u8,
    /// Bits more than 8.
    chroma_depth: u8,
}

impl HevcSps {
    fn parse(unit: &[u8]) -> Result<Self, Mp4Error> {
        Self::read(unit).ok_or(DAMAGED)
    }

    fn read(unit: &[u8]) -> Option<Self> {
        let content = without_prevention(unit);
        let mut bits = Bits::new(&content);
        let kind = bits.take(16)? >> 9 & 0x3F;
        bits.take(4)?;
        let sub_layers = bits.take(3)? as u8;
        let nested = bits.take(1)? == 1;
        let mut profile = [0; 12];
        for byte in &mut profile {
            *byte = bits.take(8)? as u8;
        }
        skip_sub_layers(&mut bits, sub_layers)?;
        bits.golomb()?;
        let (chroma, luma_depth, chroma_depth) = read_sampling(&mut bits, |bits| {
            bits.golomb()?;
            bits.golomb()?;
            if bits.take(1)? == 1 {
                for _ in 0..4 {
                    bits.golomb()?;
                }
            }
            Some(())
        })?;
        let set = Self { profile, layers: sub_layers + 1, nested, chroma, luma_depth, chroma_depth };
        (kind == u32::from(HEVC_SPS)).then_some(set)
    }

    /// The first set's profile with what all sets promise and the highest level that one needs.
    fn common_profile(sets: &[Self], first: &Self) -> [u8; 12] {
        let mut common = first.profile;
        for set in sets {
            for (ours, theirs) in common[1..11].iter_mut().zip(&set.profile[1..11]) {
                *ours &= theirs;
            }
            common[11] = common[11].max(set.profile[11]);
            // The tier.
            common[0] |= set.profile[0] & 0x20;
        }
        common
    }
}

fn skip_sub_layers(bits: &mut Bits<'_>, count: u8) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    let mut present = [(false, false); 8];
    for flags in present.iter_mut() {
        *flags = (bits.take(1)? == 1, bits.take(1)? == 1);
    }
    for (profile, level) in present.iter().take(usize::from(count)) {
        if *profile {
            for _ in 0..11 {
                bits.take(8)?;
            }
        }
        if *level {
            bits.take(8)?;
        }
    }
    Some(())
}

/// Reads the kind of colour sampling, what `between` reads, and the bits more than 8 of brightness and colour.
fn read_sampling(
    bits: &mut Bits<'_>,
    between: impl FnOnce(&mut Bits<'_>) -> Option<()>,
) -> Option<(u8, u8, u8)> {
    let chroma = bits.golomb().filter(|chroma| *chroma <= 3)?;
    if chroma == 3 {
        bits.take(1)?;
    }
    between(bits)?;
    let luma_depth = bits.golomb().filter(|depth| *depth <= 7)?;
    let chroma_depth = bits.golomb().filter(|depth| *depth <= 7)?;
    Some((chroma as u8, luma_depth as u8, chroma_depth as u8))
}

/// A NAL unit without the bytes that keep start codes out of it.
fn without_prevention(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Reads bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits, at most 32; `None` at the end.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// The next number in Exp-Golomb code; `None` at the end or when it does not fit 32 bits.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
        }
        if zeros > 31 {
            return None;
        }
        Some(((1_u32 << zeros) - 1).saturating_add(self.take(zeros)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Puts bits in a row, the last byte filled with zeros.
    fn bits(parts: &[(u64, u32)]) -> Vec<u8> {
        let all: Vec<u8> = parts
            .iter()
            .flat_map(|&(value, count)| (0..count).rev().map(move |bit| (value >> bit & 1) as u8))
            .collect();
        all.chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | bit << (7 - at)))
            .collect()
    }

    /// Exp-Golomb code.
    fn golomb(value: u32) -> (u64, u32) {
        let length = (u64::from(value) + 1).ilog2();
        (u64::from(value) + 1, 2 * length + 1)
    }

    proptest! {
        #[test]
        fn golomb_numbers_are_read(values in proptest::collection::vec(any::<u32>().prop_map(|v| (v >> 1) >> (v % 31)), 1..20)) {
            let codes: Vec<_> = values.iter().map(|value| golomb(*value)).collect();
            let bytes = bits(&codes);
            let mut bits = Bits::new(&bytes);
            for value in values {
                prop_assert_eq!(bits.golomb(), Some(value));
            }
        }

        #[test]
        fn no_bytes_break_the_readers(bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(3), any::<u8>()], 0..60), kind in prop_oneof![Just(0x67_u8), Just(0x42), any::<u8>()]) {
            let unit: Vec<u8> = [kind].into_iter().chain(bytes).collect();
            let units = [unit];
            let _ = avcc(&units, &units);
            let _ = hvcc(&units, &units, &units);
        }
    }

    #[test]
    fn bytes_that_keep_start_codes_out_are_taken_away() {
        assert_eq!(without_prevention(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3]), [0, 0, 1, 0, 0, 0, 0, 3]);
        // An HEVC set whose constraints are all zeros, with the bytes that must stand between them.
        let sps = [
            &[0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 93][..],
            &bits(&[golomb(0), golomb(1), golomb(63), golomb(47), (0, 1), golomb(2), golomb(2), (1, 1)]),
        ]
        .concat();
        let record = hvcc(&[vec![0x40, 1]], std::slice::from_ref(&sps), &[vec![0x44, 1]]).unwrap();
        assert_eq!(record[1..13], [1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93]);
        assert_eq!(record[16..19], [0xFD, 0xFA, 0xFA]);
        // Cut anywhere before its end, it is damaged.
        for length in 0..sps.len() - 1 {
            assert!(hvcc(&[vec![0x40, 1]], &[sps[..length].to_vec()], &[vec![0x44, 1]]).is_err(), "{length}");
        }
    }

    #[test]
    fn several_sets_share_a_record() {
        let set = |constraints, level| vec![0x67, 66, constraints, level, 0x80];
        let pps = vec![0x68, 0x80];
        let record = avcc(&[set(0xC0, 30), set(0x40, 31)], std::slice::from_ref(&pps)).unwrap();
        let expected = [
            &[1, 66, 0x40, 31, 0xFF, 0xE2, 0, 5][..],
            &set(0xC0, 30),
            &[0, 5],
            &set(0x40, 31),
            &[1, 0, 2],
            &pps,
        ];
        assert_eq!(record, expected.concat());
        assert!(avcc(&[], std::slice::from_ref(&pps)).is_err() && avcc(&[set(0, 30)], &[]).is_err());
        assert!(
            avcc(std::slice::from_ref(&pps), std::slice::from_ref(&pps)).is_err(),
            "not a sequence parameter set"
        );
    }
}
