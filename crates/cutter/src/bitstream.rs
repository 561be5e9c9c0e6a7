//! H.264 and HEVC as bytes: NAL units, parameter sets, and what kind of picture an access unit is. Pure functions.
//!
//! Inside this crate coded pictures are runs of NAL units with a 4-byte length in front of each, whatever the source
//! had (other length sizes, start codes). Nothing here trusts a length: what does not fit is `None` or an error.
//!
//! Sources: ITU-T H.264 (7.3, 7.4.1, Annex B), ITU-T H.265 (7.3, 7.4.2.2, Annex B), ISO/IEC 14496-15 (avcC, hvcC).

use serde::{Deserialize, Serialize};

use crate::plan::VideoCodec;

/// Most parameter sets of one kind that are kept.
const MOST_SETS: usize = 64;

/// How a source marks where its NAL units are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A length of so many bytes (1, 2 or 4) stands in front of each.
    Lengths(usize),
    /// Start codes stand between them (Annex B).
    StartCodes,
}

/// What decoding at an access unit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureKind {
    /// Decoding can start here, and nothing later refers to what was before (IDR, or HEVC's BLA).
    Idr,
    /// HEVC's clean random access: decoding can start here when the leading pictures that follow are left out.
    Cra,
    /// A leading picture of HEVC: shown before the random access picture in front of it.
    Leading,
    /// Any other picture.
    Other,
}

/// The parameter sets of a run of pictures, each a NAL unit without length or start code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterSets {
    /// Video parameter sets (HEVC only).
    pub vps: Vec<Vec<u8>>,
    /// Sequence parameter sets.
    pub sps: Vec<Vec<u8>>,
    /// Picture parameter sets.
    pub pps: Vec<Vec<u8>>,
}

/// The type of a NAL unit; `None` for an empty one.
fn nal_type(codec: VideoCodec, nal: &[u8]) -> Option<u8> {
    let first = *nal.first()?;
    Some(match codec {
        VideoCodec::H264 => first & 0x1f,
        VideoCodec::Hevc => (first >> 1) & 0x3f,
    })
}

/// Splits an access unit or a run of parameter sets into its NAL units; `None` when a length does not fit.
pub(crate) fn split(data: &[u8], framing: Framing) -> Option<Vec<&[u8]>> {
    match framing {
        Framing::Lengths(size) => split_lengths(data, size),
        Framing::StartCodes => Some(split_start_codes(data)),
    }
}

fn split_lengths(mut data: &[u8], size: usize) -> Option<Vec<&[u8]>> {
    let mut nals = Vec::new();
    while !data.is_empty() {
        let prefix = data.get(..size)?;
        let length = prefix.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let end = size.checked_add(length)?;
        let nal = data.get(size..end)?;
        if !nal.is_empty() {
            nals.push(nal);
        }
        data = &data[end..];
    }
    Some(nals)
}

fn split_start_codes(data: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    let mut begin = None;
    let mut at = 0;
    let mut push = |from: usize, to: usize| {
        let nal = &data[from..to];
        let end = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if end > 0 {
            nals.push(&nal[..end]);
        }
    };
    while at + 3 <= data.len() {
        // Three bytes at a time are looked at, but a byte above 1 rules out a start code at the two places before it.
        match data[at + 2] {
            0 => at += 1,
            1 if data[at] == 0 && data[at + 1] == 0 => {
                if let Some(from) = begin {
                    push(from, at);
                }
                begin = Some(at + 3);
                at += 3;
            }
            _ => at += 3,
        }
    }
    if let Some(from) = begin {
        push(from, data.len());
    }
    nals
}

/// NAL units with a 4-byte length in front of each.
pub(crate) fn join<'a>(nals: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut joined = Vec::new();
    for nal in nals {
        // An access unit is far below 4 GiB: packets are bounded by 32-bit lengths.
        joined.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        joined.extend_from_slice(nal);
    }
    joined
}

/// Brings an access unit into the form of this crate; `None` when it is damaged or empty.
pub(crate) fn reframe(data: &[u8], framing: Framing) -> Option<Vec<u8>> {
    let nals = split(data, framing)?;
    (!nals.is_empty()).then(|| join(nals))
}

/// What kind of picture an access unit holds; `None` when it holds none.
pub(crate) fn picture_kind(codec: VideoCodec, data: &[u8], framing: Framing) -> Option<PictureKind> {
    let nals = split(data, framing)?;
    nals.into_iter().find_map(|nal| match (codec, nal_type(codec, nal)?) {
        (VideoCodec::H264, 5) => Some(PictureKind::Idr),
        (VideoCodec::H264, 1..=4) => Some(PictureKind::Other),
        (VideoCodec::Hevc, 16..=20) => Some(PictureKind::Idr),
        (VideoCodec::Hevc, 21) => Some(PictureKind::Cra),
        (VideoCodec::Hevc, 6..=9) => Some(PictureKind::Leading),
        (VideoCodec::Hevc, 0..=31) => Some(PictureKind::Other),
        _ => None,
    })
}

/// HEVC's types of a clean random access picture and of a broken link without leading pictures.
const CRA: u8 = 21;
const BLA_WITHOUT_LEADING: u8 = 18;

/// Marks the clean random access picture of an access unit (in the form of this crate) as a broken link without leading
/// pictures, so that a decoder that comes from other pictures starts anew there and still shows all that it has.
/// Changes the six bits of the NAL units' type and nothing else. Says whether there was one.
pub(crate) fn mark_broken_link(access_unit: &mut [u8]) -> bool {
    retype(access_unit, CRA, BLA_WITHOUT_LEADING)
}

/// Takes back what [`mark_broken_link`] did.
pub(crate) fn unmark_broken_link(access_unit: &mut [u8]) -> bool {
    retype(access_unit, BLA_WITHOUT_LEADING, CRA)
}

fn retype(access_unit: &mut [u8], from: u8, to: u8) -> bool {
    let mut at = 0_usize;
    let mut changed = false;
    while let Some(prefix) = access_unit.get(at..at.saturating_add(4)) {
        let length = prefix.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        if let Some(first) = access_unit.get_mut(at + 4)
            && length > 0
            && (*first >> 1) & 0x3f == from
        {
            *first = *first & 0x81 | to << 1;
            changed = true;
        }
        at = at.saturating_add(4).saturating_add(length);
    }
    changed
}

/// Puts parameter sets into an access unit (in the form of this crate): in front, or behind an access unit delimiter,
/// which must stay first.
pub(crate) fn with_sets(codec: VideoCodec, access_unit: &[u8], sets: &ParameterSets) -> Vec<u8> {
    let place = delimiter_length(codec, access_unit);
    let mut whole = access_unit[..place].to_vec();
    whole.extend_from_slice(&sets.joined());
    whole.extend_from_slice(&access_unit[place..]);
    whole
}

/// Takes out again what [`with_sets`] put in; `None` when it is not there.
pub(crate) fn without_sets(codec: VideoCodec, access_unit: &[u8], sets: &ParameterSets) -> Option<Vec<u8>> {
    let place = delimiter_length(codec, access_unit);
    let rest = access_unit[place..].strip_prefix(sets.joined().as_slice())?;
    Some([&access_unit[..place], rest].concat())
}

/// Bytes of the access unit delimiter that an access unit begins with; 0 without one.
fn delimiter_length(codec: VideoCodec, access_unit: &[u8]) -> usize {
    let delimiter = match codec {
        VideoCodec::H264 => 9,
        VideoCodec::Hevc => 35,
    };
    let Some((prefix, rest)) = access_unit.split_first_chunk::<4>() else { return 0 };
    let length = u32::from_be_bytes(*prefix) as usize;
    let is_delimiter =
        length <= rest.len() && nal_type(codec, rest.get(..length).unwrap_or_default()) == Some(delimiter);
    if is_delimiter { 4 + length } else { 0 }
}

impl ParameterSets {
    /// All sets with a 4-byte length in front of each.
    fn joined(&self) -> Vec<u8> {
        join(self.vps.iter().chain(&self.sps).chain(&self.pps).map(Vec::as_slice))
    }

    /// Bytes that [`with_sets`] adds.
    pub(crate) fn length(&self) -> u32 {
        let sets = self.vps.iter().chain(&self.sps).chain(&self.pps);
        sets.fold(0_u32, |sum, set| sum.saturating_add(4).saturating_add(set.len() as u32))
    }

    /// Whether decoding can start with them.
    pub(crate) fn are_complete(&self, codec: VideoCodec) -> bool {
        !self.sps.is_empty() && !self.pps.is_empty() && (codec == VideoCodec::H264 || !self.vps.is_empty())
    }

    /// Takes the sets among some NAL units; ones with the same bytes are kept once.
    pub(crate) fn collect<'a>(&mut self, codec: VideoCodec, nals: impl IntoIterator<Item = &'a [u8]>) {
        for nal in nals {
            let kind = match (codec, nal_type(codec, nal)) {
                (VideoCodec::H264, Some(7)) | (VideoCodec::Hevc, Some(33)) => &mut self.sps,
                (VideoCodec::H264, Some(8)) | (VideoCodec::Hevc, Some(34)) => &mut self.pps,
                (VideoCodec::Hevc, Some(32)) => &mut self.vps,
                _ => continue,
            };
            if kind.len() < MOST_SETS && !kind.iter().any(|known| known == nal) {
                kind.push(nal.to_vec());
            }
        }
    }

    /// Reads a stream's header: an `avcC` or `hvcC` record, or sets between start codes. Also says how the stream's
    /// packets mark their NAL units. `None` when it cannot be read.
    pub(crate) fn of_header(codec: VideoCodec, header: &[u8]) -> Option<(Self, Framing)> {
        let mut sets = Self::default();
        let starts_with_code = header.starts_with(&[0, 0, 1]) || header.starts_with(&[0, 0, 0, 1]);
        if header.is_empty() || starts_with_code {
            sets.collect(codec, split_start_codes(header));
            return Some((sets, Framing::StartCodes));
        }
        let size = match codec {
            VideoCodec::H264 => read_avcc(header, &mut sets)?,
            VideoCodec::Hevc => read_hvcc(header, &mut sets)?,
        };
        Some((sets, Framing::Lengths(size)))
    }
}

/// Takes `count` bytes from the front.
fn take<'a>(data: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = data.split_at_checked(count)?;
    *data = rest;
    Some(taken)
}

fn take_u8(data: &mut &[u8]) -> Option<u8> {
    take(data, 1).map(|bytes| bytes[0])
}

fn take_u16(data: &mut &[u8]) -> Option<usize> {
    take(data, 2).map(|bytes| usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
}

/// Reads an `AVCDecoderConfigurationRecord`; answers the size of the lengths.
fn read_avcc(mut record: &[u8], sets: &mut ParameterSets) -> Option<usize> {
    let head = take(&mut record, 5)?;
    if head[0] != 1 {
        return None;
    }
    let size = usize::from(head[4] & 3) + 1;
    let count = take_u8(&mut record)? & 0x1f;
    for _ in 0..count {
        let length = take_u16(&mut record)?;
        sets.collect(VideoCodec::H264, [take(&mut record, length)?]);
    }
    let count = take_u8(&mut record)?;
    for _ in 0..count {
        let length = take_u16(&mut record)?;
        sets.collect(VideoCodec::H264, [take(&mut record, length)?]);
    }
    Some(size)
}

/// Reads an `HEVCDecoderConfigurationRecord`; answers the size of the lengths.
fn read_hvcc(mut record: &[u8], sets: &mut ParameterSets) -> Option<usize> {
    let head = take(&mut record, 22)?;
    let size = usize::from(head[21] & 3) + 1;
    let arrays = take_u8(&mut record)?;
    for _ in 0..arrays {
        take_u8(&mut record)?;
        let count = take_u16(&mut record)?;
        for _ in 0..count {
            let length = take_u16(&mut record)?;
            sets.collect(VideoCodec::Hevc, [take(&mut record, length)?]);
        }
    }
    Some(size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn start_codes_become_lengths() {
        let data = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 3, 0, 0, 3, 1, 0, 0];
        let joined = reframe(&data, Framing::StartCodes).unwrap();
        assert_eq!(joined, [0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 6, 0x65, 3, 0, 0, 3, 1]);
        assert_eq!(reframe(&joined, Framing::Lengths(4)).unwrap(), joined);
        assert_eq!(reframe(&[3, 0x65, 1, 2], Framing::Lengths(1)).unwrap(), [0, 0, 0, 3, 0x65, 1, 2]);
        assert!(reframe(&[4, 0x65, 1, 2], Framing::Lengths(1)).is_none(), "a length beyond the end");
        assert!(reframe(&[], Framing::StartCodes).is_none());
    }

    #[test]
    fn kinds_of_pictures() {
        let kind = |codec, nal: &[u8]| picture_kind(codec, &join([nal]), Framing::Lengths(4));
        assert_eq!(kind(VideoCodec::H264, &[0x65]), Some(PictureKind::Idr));
        assert_eq!(kind(VideoCodec::H264, &[0x41]), Some(PictureKind::Other));
        assert_eq!(kind(VideoCodec::H264, &[0x06]), None);
        assert_eq!(kind(VideoCodec::Hevc, &[21 << 1, 1]), Some(PictureKind::Cra));
        assert_eq!(kind(VideoCodec::Hevc, &[9 << 1, 1]), Some(PictureKind::Leading));
        assert_eq!(kind(VideoCodec::Hevc, &[19 << 1, 1]), Some(PictureKind::Idr));
        assert_eq!(kind(VideoCodec::Hevc, &[1 << 1, 1]), Some(PictureKind::Other));
    }

    #[test]
    fn a_broken_link_changes_six_bits() {
        let mut unit = join([[39 << 1, 1, 7].as_slice(), &[21 << 1 | 0x80, 1, 9], &[21 << 1, 1]]);
        let before = unit.clone();
        assert!(mark_broken_link(&mut unit));
        assert_eq!(unit.iter().zip(&before).filter(|(now, then)| now != then).count(), 2);
        assert_eq!(picture_kind(VideoCodec::Hevc, &unit, Framing::Lengths(4)), Some(PictureKind::Idr));
        let marked = unit.clone();
        assert!(unmark_broken_link(&mut unit));
        assert_eq!((unit == before, marked == before), (true, false));
        assert!(!mark_broken_link(&mut join([[1_u8 << 1, 1].as_slice()])));
    }

    #[test]
    fn headers_are_read() {
        let avcc = [1, 100, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 2, 0x68, 8];
        let (sets, framing) = ParameterSets::of_header(VideoCodec::H264, &avcc).unwrap();
        assert_eq!(
            (sets.sps, sets.pps, framing),
            (vec![vec![0x67, 9]], vec![vec![0x68, 8]], Framing::Lengths(4))
        );
        let mut hvcc = vec![1; 21];
        hvcc.extend([0xff, 2, 0xa1, 0, 1, 0, 2, 33 << 1, 7, 0xa2, 0, 1, 0, 1, 34 << 1]);
        let (sets, framing) = ParameterSets::of_header(VideoCodec::Hevc, &hvcc).unwrap();
        assert_eq!((sets.sps.len(), sets.pps.len(), framing), (1, 1, Framing::Lengths(4)));
        assert!(!sets.are_complete(VideoCodec::Hevc));
        assert!(ParameterSets::of_header(VideoCodec::H264, &avcc[..9]).is_none());
    }

    proptest! {
        #[test]
        fn sets_go_in_and_out(unit in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..4), delimiter: bool) {
            let codec = VideoCodec::H264;
            let sets = ParameterSets { vps: vec![], sps: vec![vec![0x67, 1]], pps: vec![vec![0x68, 2, 3]] };
            let delimiter: Option<&[u8]> = delimiter.then_some(&[9, 0x10]);
            let unit = join(delimiter.into_iter().chain(unit.iter().map(Vec::as_slice)));
            let whole = with_sets(codec, &unit, &sets);
            prop_assert_eq!(whole.len(), unit.len() + 4 + 2 + 4 + 3);
            prop_assert_eq!(without_sets(codec, &whole, &sets).unwrap(), unit);
        }

        #[test]
        fn any_bytes_are_answered(data in proptest::collection::vec(0_u8..4, 0..200), size in 1_usize..5) {
            for codec in [VideoCodec::H264, VideoCodec::Hevc] {
                let _ = ParameterSets::of_header(codec, &data);
                for framing in [Framing::StartCodes, Framing::Lengths(size)] {
                    let _ = picture_kind(codec, &data, framing);
                    if let Some(mut unit) = reframe(&data, framing) {
                        prop_assert!(split(&unit, Framing::Lengths(4)).is_some());
                        mark_broken_link(&mut unit);
                    }
                }
            }
        }
    }
}
