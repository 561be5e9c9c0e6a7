//! A reader of just what the writer writes, made from the standard's text and not from the writer's code.

use std::collections::BTreeMap;
use std::ops::Range;

/// One sample as a file's tables describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) place: Range<u64>,
    pub(super) dts: u64,
    pub(super) delay: u32,
    pub(super) duration: u32,
    pub(super) key: bool,
}

/// One track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) samples: Vec<Sample>,
    /// Duration and start of the only edit.
    pub(super) edit: Option<(u64, u64)>,
    pub(super) wide: bool,
}

/// Bytes read from the front.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    fn sized(&mut self, wide: bool) -> u64 {
        if wide { self.u64() } else { u64::from(self.u32()) }
    }

    /// Version and flags.
    fn version(&mut self) -> (bool, u32) {
        let word = self.u32();
        (word >> 24 == 1, word & 0xFF_FFFF)
    }

    /// The rest as pairs of numbers.
    fn pairs(mut self) -> Vec<(u32, u32)> {
        let count = self.u32();
        (0..count).map(|_| (self.u32(), self.u32())).collect()
    }
}

/// Boxes up to the end of `bytes`; a box that does not end there is given as far as it goes.
pub(super) fn boxes(bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut reader = Reader(bytes);
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let short = reader.u32();
        let kind = reader.take(4).try_into().unwrap();
        let length = if short == 1 { reader.u64() - 16 } else { u64::from(short) - 8 };
        let length = reader.0.len().min(length as usize);
        found.push((kind, reader.take(length)));
    }
    found
}

/// The first box on this path.
fn at<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, kind| {
        boxes(bytes).into_iter().find(|(found, _)| found == *kind).map(|(_, content)| content)
    })
}

fn track_id(trak: &[u8]) -> u32 {
    let mut reader = Reader(at(trak, &[b"tkhd"]).unwrap());
    let (wide, _) = reader.version();
    reader.take(if wide { 16 } else { 8 });
    reader.u32()
}

/// The tracks of a `moov`, by number.
pub(super) fn tracks(moov: &[u8]) -> BTreeMap<u32, Track> {
    let traks = boxes(moov).into_iter().filter(|(kind, _)| kind == b"trak");
    traks.map(|(_, trak)| (track_id(trak), track(trak))).collect()
}

fn track(trak: &[u8]) -> Track {
    let edit = at(trak, &[b"edts", b"elst"]).map(|elst| {
        let mut reader = Reader(elst);
        let (wide, _) = reader.version();
        assert_eq!(reader.u32(), 1);
        (reader.sized(wide), reader.sized(wide))
    });
    let stbl = at(trak, &[b"mdia", b"minf", b"stbl"]).unwrap();
    let table = |kind| {
        at(stbl, &[kind]).map(|content| {
            let mut reader = Reader(content);
            reader.version();
            reader
        })
    };
    let unfold = |kind| -> Option<Vec<u32>> {
        table(kind).map(|table| table.pairs().into_iter().flat_map(|(n, v)| vec![v; n as usize]).collect())
    };
    let durations = unfold(b"stts").unwrap();
    let delays = unfold(b"ctts").unwrap_or_else(|| vec![0; durations.len()]);
    let keys: Option<Vec<u32>> = table(b"stss").map(|mut table| {
        let count = table.u32();
        (0..count).map(|_| table.u32()).collect()
    });
    let mut sizes = table(b"stsz").unwrap();
    let (common, count) = (sizes.u32(), sizes.u32());
    assert_eq!((count as usize, delays.len()), (durations.len(), durations.len()));
    let wide = table(b"co64").is_some();
    let mut places = table(if wide { b"co64" } else { b"stco" }).unwrap();
    let chunks = places.u32();
    let mut lengths = table(b"stsc").unwrap();
    let entries: Vec<_> = (0..lengths.u32()).map(|_| (lengths.u32(), lengths.u32(), lengths.u32())).collect();

    let mut samples = Vec::new();
    let mut dts = 0;
    for chunk in 1..=chunks {
        let mut place = places.sized(wide);
        let entry = entries.iter().rev().find(|(first, ..)| *first <= chunk).unwrap();
        for _ in 0..entry.1 {
            let index = samples.len();
            let size = u64::from(if common == 0 { sizes.u32() } else { common });
            let key = keys.as_ref().is_none_or(|keys| keys.contains(&(index as u32 + 1)));
            let (delay, duration) = (delays[index], durations[index]);
            samples.push(Sample { place: place..place + size, dts, delay, duration, key });
            place += size;
            dts += u64::from(duration);
        }
    }
    assert_eq!(samples.len(), durations.len());
    Track { samples, edit, wide }
}

/// The samples of one fragment, by track. `fragment` holds its bytes, which are at `place` in the file; `defaults` are
/// the durations that the initialisation segment says.
pub(super) fn fragment(
    fragment: &[u8],
    place: u64,
    defaults: &BTreeMap<u32, u32>,
) -> BTreeMap<u32, Vec<Sample>> {
    let parts = boxes(fragment);
    let kinds: Vec<_> = parts.iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [b"moof", b"mdat"]);
    let mut tracks = BTreeMap::new();
    for (kind, traf) in boxes(parts[0].1) {
        if &kind != b"traf" {
            continue;
        }
        let mut header = Reader(at(traf, &[b"tfhd"]).unwrap());
        assert_eq!(header.version().1, 0x2_0000);
        let id = header.u32();
        let mut time = Reader(at(traf, &[b"tfdt"]).unwrap());
        time.version();
        let mut dts = time.u64();
        let samples: &mut Vec<Sample> = tracks.entry(id).or_default();
        for (kind, trun) in boxes(traf) {
            if &kind != b"trun" {
                continue;
            }
            let mut reader = Reader(trun);
            let (_, flags) = reader.version();
            let count = reader.u32();
            let mut at = place + u64::from(reader.u32());
            let mut field = |flag| (flags & flag != 0).then(|| reader.u32());
            for _ in 0..count {
                let duration = field(0x100).unwrap_or(defaults[&id]);
                let size = u64::from(field(0x200).unwrap());
                let key = field(0x400).is_none_or(|flags| flags & 0x1_0000 == 0);
                let delay = field(0x800).unwrap_or(0);
                samples.push(Sample { place: at..at + size, dts, delay, duration, key });
                at += size;
                dts += u64::from(duration);
            }
            assert!(reader.0.is_empty());
        }
    }
    tracks
}

/// Durations that `mvex` gives each track's samples.
pub(super) fn default_durations(moov: &[u8]) -> BTreeMap<u32, u32> {
    let defaults = boxes(at(moov, &[b"mvex"]).unwrap());
    let numbers = |content| {
        let mut reader = Reader(content);
        reader.version();
        let (track, _, duration) = (reader.u32(), reader.u32(), reader.u32());
        (track, duration)
    };
    defaults.into_iter().map(|(_, content)| numbers(content)).collect()
}
