//! The sample tables of a track (`stbl` without its description): durations, offsets, keys, chunks and sizes.
//!
//! Durations and offsets are written as runs of equal values, chunks as runs of equally long chunks. Pure.

use std::iter::once;

use super::boxes::{Bytes, Put, put_full_box};

/// Lengths of runs of equal values.
fn runs<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<(u32, T)> {
    let mut runs: Vec<(u32, T)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs
}

/// Appends `stts`: how long each sample is, in decoding order.
pub(super) fn put_durations(out: &mut Bytes, durations: impl Iterator<Item = u32>) {
    put_runs(out, b"stts", durations);
}

/// Appends `ctts`: how long after decoding each sample is shown. Left out where that is always at once.
pub(super) fn put_offsets(out: &mut Bytes, offsets: impl Iterator<Item = u32> + Clone) {
    if offsets.clone().any(|offset| offset != 0) {
        put_runs(out, b"ctts", offsets);
    }
}

fn put_runs(out: &mut Bytes, kind: &[u8; 4], values: impl Iterator<Item = u32>) {
    let runs = runs(values);
    put_full_box(out, kind, 0, 0, |out| {
        out.u32(runs.len() as u32);
        for (count, value) in runs {
            out.u32(count);
            out.u32(value);
        }
    });
}

/// Appends `stss`: where decoding can start. Left out where it can everywhere.
pub(super) fn put_keys(out: &mut Bytes, keys: impl Iterator<Item = bool> + Clone) {
    if keys.clone().all(|key| key) {
        return;
    }
    let numbers: Vec<u32> = (1..).zip(keys).filter_map(|(number, key)| key.then_some(number)).collect();
    put_full_box(out, b"stss", 0, 0, |out| {
        out.u32(numbers.len() as u32);
        numbers.iter().for_each(|number| out.u32(*number));
    });
}

/// Appends `stsc`: how many samples each chunk has.
pub(super) fn put_chunk_lengths(out: &mut Bytes, lengths: impl Iterator<Item = u32>) {
    let runs = runs(lengths);
    put_full_box(out, b"stsc", 0, 0, |out| {
        out.u32(runs.len() as u32);
        let mut first = 1;
        for (chunks, length) in runs {
            out.u32(first);
            out.u32(length);
            out.u32(1);
            first += chunks;
        }
    });
}

/// Appends `stsz`: how many bytes each sample has.
pub(super) fn put_sizes(out: &mut Bytes, mut sizes: impl ExactSizeIterator<Item = u32> + Clone) {
    let count = sizes.len() as u32;
    let equal = runs(sizes.clone().take(2)).len() == 1 && runs(sizes.clone()).len() == 1;
    // A common size of 0 would mean that the table follows.
    let common = sizes.clone().next().filter(|size| equal && *size != 0);
    put_full_box(out, b"stsz", 0, 0, |out| {
        out.u32(common.unwrap_or(0));
        out.u32(count);
        if common.is_none() {
            sizes.by_ref().for_each(|size| out.u32(size));
        }
    });
}

/// Appends `stco` or, for large files, `co64`: where each chunk begins in the file.
pub(super) fn put_chunk_places(out: &mut Bytes, wide: bool, places: &[u64]) {
    let kind = if wide { b"co64" } else { b"stco" };
    put_full_box(out, kind, 0, 0, |out| {
        out.u32(places.len() as u32);
        places.iter().for_each(|place| out.sized(wide, *place));
    });
}

/// Appends what says that a decoder must start one AAC packet early to get a packet right (`sgpd` and `sbgp`, `roll`).
pub(super) fn put_roll(out: &mut Bytes, samples: u32) {
    put_full_box(out, b"sgpd", 1, 0, |out| {
        out.bytes(b"roll");
        out.u32(2);
        out.u32(1);
        out.bytes(&(-1_i16).to_be_bytes());
    });
    put_full_box(out, b"sbgp", 0, 0, |out| {
        out.bytes(b"roll");
        for value in [1, samples, 1] {
            out.u32(value);
        }
    });
}

/// Appends the tables of an initialisation segment, which has no samples itself.
pub(super) fn put_empty(out: &mut Bytes) {
    put_durations(out, std::iter::empty());
    put_chunk_lengths(out, std::iter::empty());
    put_sizes(out, [].into_iter());
    put_chunk_places(out, false, &[]);
}

/// All durations equal but the last.
pub(super) fn even_durations(count: usize, each: u32, last: u32) -> impl Iterator<Item = u32> {
    std::iter::repeat_n(each, count.saturating_sub(1)).chain(once(last).take(count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks_exact(4).map(|chunk| u32::from_be_bytes(chunk.try_into().unwrap())).collect()
    }

    /// Numbers behind length, kind, version and flags; the length must be right.
    fn content(out: &[u8], kind: &[u8; 4]) -> Vec<u32> {
        assert_eq!((numbers(out)[0] as usize, &out[4..8]), (out.len(), &kind[..]));
        numbers(&out[12..])
    }

    proptest! {
        #[test]
        fn durations_unfold_again(values in proptest::collection::vec(0_u32..3, 0..200)) {
            let mut out = Bytes::new();
            put_durations(&mut out, values.iter().copied());
            let table = content(&out, b"stts");
            let pairs: Vec<_> = table[1..].chunks(2).map(|pair| (pair[0], pair[1])).collect();
            prop_assert_eq!(pairs.len(), table[0] as usize);
            prop_assert!(pairs.windows(2).all(|pair| pair[0].1 != pair[1].1), "runs are as long as they can be");
            let unfolded: Vec<_> = pairs.iter().flat_map(|&(count, value)| std::iter::repeat_n(value, count as usize)).collect();
            prop_assert_eq!(unfolded, values);
        }

        #[test]
        fn offsets_unfold_again(values in proptest::collection::vec(0_u32..3, 0..200)) {
            let mut out = Bytes::new();
            put_offsets(&mut out, values.iter().copied());
            if values.iter().all(|value| *value == 0) {
                prop_assert!(out.is_empty());
            } else {
                let table = content(&out, b"ctts");
                let unfolded: Vec<_> = table[1..].chunks(2).flat_map(|pair| std::iter::repeat_n(pair[1], pair[0] as usize)).collect();
                prop_assert_eq!(unfolded, values);
            }
        }

        #[test]
        fn chunks_unfold_again(lengths in proptest::collection::vec(1_u32..4, 0..200)) {
            let mut out = Bytes::new();
            put_chunk_lengths(&mut out, lengths.iter().copied());
            let table = content(&out, b"stsc");
            let entries: Vec<_> = table[1..].chunks(3).collect();
            prop_assert_eq!(entries.len(), table[0] as usize);
            let unfolded: Vec<_> = (1..=lengths.len() as u32)
                .map(|chunk| entries.iter().rev().find(|entry| entry[0] <= chunk).unwrap()[1])
                .collect();
            prop_assert_eq!(unfolded, lengths);
        }

        #[test]
        fn keys_are_counted_from_one(keys in proptest::collection::vec(any::<bool>(), 1..100)) {
            let mut out = Bytes::new();
            put_keys(&mut out, keys.iter().copied());
            if keys.iter().all(|key| *key) {
                prop_assert!(out.is_empty());
            } else {
                let table = content(&out, b"stss");
                let found: Vec<_> = (1..=keys.len() as u32).map(|number| table[1..].contains(&number)).collect();
                prop_assert_eq!(found, keys);
            }
        }

        #[test]
        fn sizes_unfold_again(sizes in proptest::collection::vec(0_u32..3, 0..30)) {
            let mut out = Bytes::new();
            put_sizes(&mut out, sizes.iter().copied());
            let table = content(&out, b"stsz");
            let unfolded = if table[0] == 0 { table[2..].to_vec() } else { vec![table[0]; table[1] as usize] };
            prop_assert_eq!(table[1] as usize, sizes.len());
            prop_assert_eq!(unfolded, sizes);
        }
    }

    #[test]
    fn places_grow_when_they_must() {
        let mut out = Bytes::new();
        put_chunk_places(&mut out, false, &[7, 0xFFFF_FFFF]);
        assert_eq!(content(&out, b"stco"), [2, 7, 0xFFFF_FFFF]);
        out.clear();
        put_chunk_places(&mut out, true, &[7, 0x1_0000_0002]);
        assert_eq!(content(&out, b"co64"), [2, 0, 7, 1, 2]);
    }

    #[test]
    fn the_last_duration_may_differ() {
        assert_eq!(even_durations(3, 5, 2).collect::<Vec<_>>(), [5, 5, 2]);
        assert_eq!(even_durations(1, 5, 2).collect::<Vec<_>>(), [2]);
        assert_eq!(even_durations(0, 5, 2).count(), 0);
    }
}
