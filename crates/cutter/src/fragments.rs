//! Whether an MP4 comes in fragments, and where they begin: the one index that libav reads and does not tell.
//!
//! Looks at the boxes in front of the media only, a bounded number of small reads. What is not understood counts as no
//! index; nothing here is trusted further than to be told.

use std::io;

use crate::source::ByteSource;
use crate::time::rescale_to_ticks;

/// Most boxes that are looked at in front of the media.
const MOST_BOXES: usize = 64;
/// Largest `sidx` that is read: it has 12 bytes for each fragment.
const LARGEST_INDEX: u64 = 2 << 20;

/// What is known of an MP4's fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fragments {
    /// It has none: its sample tables are all there is.
    None,
    /// The moments at which those begin from which decoding can start, in ticks from the first one, ascending.
    Starts(Vec<i64>),
    /// It has some, and no index of them.
    Unknown,
}

/// Looks for fragments, and for the index of those of `track`.
pub(crate) fn fragments(source: &dyn ByteSource, track: u32) -> io::Result<Fragments> {
    let mut at = 0;
    let mut indexed = false;
    for _ in 0..MOST_BOXES {
        let head = read(source, at, 16)?;
        let Some((kind, body, length)) = box_head(&head, source.len().saturating_sub(at)) else { break };
        match kind {
            b"mdat" => break,
            b"moof" => return Ok(Fragments::Unknown),
            b"sidx" => {
                indexed = true;
                if length - body <= LARGEST_INDEX {
                    let bytes = read(source, at + body, length - body)?;
                    if let Some(starts) = starts(&bytes, track) {
                        return Ok(Fragments::Starts(starts));
                    }
                }
            }
            _ => {}
        }
        at += length;
    }
    Ok(if indexed { Fragments::Unknown } else { Fragments::None })
}

/// The type of a box, the length of its head and its whole length; none at the end, and for what is no box.
fn box_head(head: &[u8], rest: u64) -> Option<(&[u8; 4], u64, u64)> {
    let kind = head.get(4..8)?.try_into().ok()?;
    let (body, length) = match number(head, 0, 4)? {
        // To the end of the file.
        0 => (8, rest),
        1 => (16, number(head, 8, 8)?),
        length => (8, length),
    };
    (length >= body && length <= rest).then_some((kind, body, length))
}

/// The starts that a `sidx` (ISO/IEC 14496-12, 8.16.3) tells of a track's fragments, where it is one of that track and of
/// fragments only.
fn starts(bytes: &[u8], track: u32) -> Option<Vec<i64>> {
    let wide = *bytes.first()? > 0;
    if number(bytes, 4, 4)? != u64::from(track) {
        return None;
    }
    let scale = i32::try_from(number(bytes, 8, 4)?).ok().filter(|scale| *scale > 0)?;
    // Behind the version, the track and the scale: the first time, the way to the first fragment, and a reserved field.
    let count_at = if wide { 12 + 16 + 2 } else { 12 + 8 + 2 };
    let count = usize::try_from(number(bytes, count_at, 2)?).ok()?;
    let (mut at, mut starts) = (0_i64, Vec::with_capacity(count));
    for place in 0..count {
        let entry = count_at + 2 + 12 * place;
        let is_index = number(bytes, entry, 4)? >> 31 == 1;
        if is_index {
            return None;
        }
        if number(bytes, entry + 8, 4)? >> 31 == 1 {
            starts.push(rescale_to_ticks(at, 1, scale));
        }
        at = at.checked_add(i64::try_from(number(bytes, entry + 4, 4)?).ok()?)?;
    }
    Some(starts)
}

/// A number of up to eight bytes, big-endian.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Up to `length` bytes; fewer only at the end.
fn read(source: &dyn ByteSource, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = length.min(source.len().saturating_sub(offset));
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read_at(offset + filled as u64, &mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::TICKS_PER_SECOND;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    /// A `sidx` of track 1 in thousandths of a second, of fragments by length and whether decoding can start there.
    fn index(wide: bool, fragments: &[(u32, bool)]) -> Vec<u8> {
        let mut body = vec![u8::from(wide), 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 232];
        body.extend(vec![0; if wide { 16 } else { 8 }]);
        body.extend([0, 0, 0, fragments.len() as u8]);
        for (length, starts) in fragments {
            body.extend(1000_u32.to_be_bytes());
            body.extend(length.to_be_bytes());
            body.extend((u32::from(*starts) << 31).to_be_bytes());
        }
        boxed(b"sidx", &body)
    }

    fn look(parts: &[Vec<u8>]) -> Fragments {
        fragments(&parts.concat(), 1).unwrap()
    }

    #[test]
    fn fragments_are_found_with_and_without_their_index() {
        let (head, moov) = (boxed(b"ftyp", b"isom"), boxed(b"moov", &[0; 40]));
        let (moof, mdat) = (boxed(b"moof", &[0; 8]), boxed(b"mdat", &[0; 100]));
        let fragments = [(2000, true), (1500, false), (2500, true)];
        let starts = [0, 3500].map(|ms: i64| ms * TICKS_PER_SECOND / 1000).to_vec();
        for wide in [false, true] {
            let index = index(wide, &fragments);
            let found = look(&[head.clone(), moov.clone(), index, moof.clone(), mdat.clone()]);
            assert_eq!(found, Fragments::Starts(starts.clone()));
        }
        assert_eq!(look(&[head.clone(), moov.clone(), moof.clone()]), Fragments::Unknown);
        assert_eq!(look(&[head.clone(), moov.clone(), mdat.clone(), moof]), Fragments::None);
        assert_eq!(look(&[head, mdat, moov]), Fragments::None);
        assert_eq!(look(&[]), Fragments::None);
    }

    #[test]
    fn an_index_of_another_track_or_of_indexes_is_none() {
        let whole = index(false, &[(1000, true)]);
        assert_eq!(super::fragments(&whole, 2).unwrap(), Fragments::Unknown);
        let mut nested = whole;
        let entry = nested.len() - 12;
        nested[entry] = 0x80;
        assert_eq!(super::fragments(&nested, 1).unwrap(), Fragments::Unknown);
    }

    proptest! {
        #[test]
        fn noise_is_answered(noise in prop::collection::vec(any::<u8>(), 0..200), wide: bool, cut in 0_usize..60) {
            let _ = fragments(&noise, 1);
            let mut damaged = index(wide, &[(1000, true), (1000, true)]);
            damaged.truncate(cut);
            damaged.extend(noise);
            let _ = fragments(&damaged, 1);
        }
    }
}
