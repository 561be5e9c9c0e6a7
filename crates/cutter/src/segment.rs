//! Segment files: the finished pictures of one segment, in the job directory, until the montage is put together.
//!
//! A file holds coded pictures in decoding order and, at its end, [`SegmentFacts`] as JSON. It stands for itself: it may come
//! from an earlier attempt or from another executor. Whoever reads it trusts nothing: lengths are bounded, every picture
//! is compared with its hash, and what does not fit is an error.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bitstream::ParameterSets;
use crate::plan::{VideoCodec, hex};

/// Longest picture that is read back, in bytes.
const LONGEST_PICTURE: u32 = 256 << 20;
/// Longest facts that are read back, in bytes.
const LONGEST_FACTS: u64 = 64 << 20;
/// The last bytes of a finished file, behind the length of its facts.
const MARK: &[u8; 8] = b"segment2";

/// Writes a segment.
pub(crate) struct SegmentWriter {
    file: BufWriter<File>,
    facts: SegmentFacts,
}

/// What there is to know of a finished segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentFacts {
    /// The codec of its pictures.
    pub(crate) codec: VideoCodec,
    /// The parameter sets that all its pictures need.
    pub(crate) sets: ParameterSets,
    /// How many pictures later than its place in decoding order a picture is shown at most.
    pub(crate) reorder: u64,
    /// Its first picture was a clean random access picture and is marked as a broken link
    /// ([`crate::bitstream::mark_broken_link`]).
    pub(crate) broken_link: bool,
    /// Its pictures, in decoding order.
    pub(crate) pictures: Vec<PictureFacts>,
}

/// What there is to know of one coded picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PictureFacts {
    /// Number of the picture within the segment, in showing order.
    pub(crate) frame: u32,
    /// Whether decoding can start here.
    pub(crate) key: bool,
    /// Its bytes in the file.
    pub(crate) bytes: u32,
    /// SHA-256 of the access unit in hexadecimal: of a copy as the source has it, with 4-byte lengths.
    pub(crate) sha256: String,
}

impl SegmentFacts {
    /// SHA-256 over the hashes of the pictures, in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        self.pictures.iter().for_each(|picture| hash.update(picture.sha256.as_bytes()));
        hex(&hash.finalize())
    }
}

/// SHA-256 of an access unit, in hexadecimal.
pub(crate) fn sha256(access_unit: &[u8]) -> String {
    hex(&Sha256::digest(access_unit))
}

impl SegmentWriter {
    /// Creates the file.
    pub(crate) fn create(path: &Path, codec: VideoCodec) -> io::Result<Self> {
        let facts = SegmentFacts {
            codec,
            sets: ParameterSets::default(),
            reorder: 0,
            broken_link: false,
            pictures: Vec::new(),
        };
        Ok(Self { file: BufWriter::new(File::create(path)?), facts })
    }

    /// Adds the next picture in decoding order.
    pub(crate) fn write(&mut self, frame: u32, key: bool, data: &[u8]) -> io::Result<()> {
        self.write_hashed(frame, key, data, sha256(data))
    }

    /// Adds the next picture, whose source has that hash.
    pub(crate) fn write_hashed(
        &mut self,
        frame: u32,
        key: bool,
        data: &[u8],
        sha256: String,
    ) -> io::Result<()> {
        let bytes = u32::try_from(data.len()).ok().filter(|bytes| *bytes <= LONGEST_PICTURE);
        let bytes = bytes.ok_or_else(|| io::Error::other("a picture is too long"))?;
        self.file.write_all(data)?;
        let before = self.facts.pictures.len() as u64;
        self.facts.reorder = self.facts.reorder.max(before.saturating_sub(u64::from(frame)));
        self.facts.pictures.push(PictureFacts { frame, key, bytes, sha256 });
        Ok(())
    }

    /// How many pictures there are.
    pub(crate) fn count(&self) -> u64 {
        self.facts.pictures.len() as u64
    }

    /// Ends the file.
    pub(crate) fn finish(mut self, sets: ParameterSets, broken_link: bool) -> io::Result<SegmentFacts> {
        self.facts.sets = sets;
        self.facts.broken_link = broken_link;
        let facts = serde_json::to_vec(&self.facts)?;
        self.file.write_all(&facts)?;
        self.file.write_all(&(facts.len() as u64).to_le_bytes())?;
        self.file.write_all(MARK)?;
        self.file.flush()?;
        Ok(self.facts)
    }
}

/// Reads a segment, picture by picture.
pub(crate) struct SegmentReader {
    file: BufReader<File>,
    facts: SegmentFacts,
    next: usize,
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a segment is damaged")
}

impl SegmentReader {
    /// Opens the file and reads its facts.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let tail = (MARK.len() + 8) as u64;
        let end = length.checked_sub(tail).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(end))?;
        let mut trailer = [0; 16];
        file.read_exact(&mut trailer)?;
        let (bytes, mark) = trailer.split_at(8);
        let bytes = u64::from_le_bytes(bytes.try_into().map_err(|_| damaged())?);
        let start =
            end.checked_sub(bytes).filter(|_| mark == MARK && bytes <= LONGEST_FACTS).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(start))?;
        let mut json = vec![0; bytes as usize];
        file.read_exact(&mut json)?;
        let facts: SegmentFacts = serde_json::from_slice(&json).map_err(|_| damaged())?;
        let pictures: u64 = facts.pictures.iter().map(|picture| u64::from(picture.bytes)).sum();
        let fits = facts.pictures.iter().all(|picture| {
            picture.bytes <= LONGEST_PICTURE && (picture.frame as usize) < facts.pictures.len()
        });
        if pictures != start || !fits || !facts.sets.are_complete(facts.codec) {
            return Err(damaged());
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file: BufReader::with_capacity(1 << 18, file), facts, next: 0 })
    }

    /// What there is to know of it.
    pub(crate) fn facts(&self) -> &SegmentFacts {
        &self.facts
    }

    /// Reads the next picture's bytes into `data`; `None` behind the last.
    pub(crate) fn read(&mut self, data: &mut Vec<u8>) -> io::Result<Option<PictureFacts>> {
        let Some(picture) = self.facts.pictures.get(self.next).cloned() else { return Ok(None) };
        data.resize(picture.bytes as usize, 0);
        self.file.read_exact(data)?;
        self.next += 1;
        Ok(Some(picture))
    }
}

/// The facts of a segment that is there already, if it is whole and made of `frames` pictures.
pub(crate) fn kept(path: &Path, codec: VideoCodec, frames: u64) -> Option<SegmentFacts> {
    let mut reader = SegmentReader::open(path).ok()?;
    let facts = reader.facts().clone();
    if facts.codec != codec || facts.pictures.len() as u64 != frames {
        return None;
    }
    let mut shown: Vec<u32> = facts.pictures.iter().map(|picture| picture.frame).collect();
    shown.sort_unstable();
    if !shown.iter().zip(0..).all(|(frame, number)| *frame == number) {
        return None;
    }
    let mut data = Vec::new();
    let mut first = true;
    while let Some(picture) = reader.read(&mut data).ok()? {
        if facts.broken_link && std::mem::take(&mut first) {
            crate::bitstream::unmark_broken_link(&mut data);
        }
        if sha256(&data) != picture.sha256 {
            return None;
        }
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets() -> ParameterSets {
        ParameterSets { vps: vec![], sps: vec![vec![0x67, 1]], pps: vec![vec![0x68, 1]] }
    }

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let mut writer = SegmentWriter::create(&path, VideoCodec::H264).unwrap();
        for (frame, key) in [(0, true), (3, false), (1, false), (2, false)] {
            writer.write(frame, key, &vec![frame as u8; 1 + frame as usize]).unwrap();
        }
        assert_eq!(writer.count(), 4);
        let facts = writer.finish(sets(), false).unwrap();
        assert_eq!((facts.pictures.len(), facts.reorder), (4, 1));
        let mut reader = SegmentReader::open(&path).unwrap();
        assert_eq!(reader.facts(), &facts);
        let mut data = Vec::new();
        let frames: Vec<u32> =
            std::iter::from_fn(|| reader.read(&mut data).unwrap().map(|picture| picture.frame)).collect();
        assert_eq!((frames.as_slice(), data.as_slice()), ([0, 3, 1, 2].as_slice(), [2, 2, 2].as_slice()));
        assert_eq!(kept(&path, VideoCodec::H264, 4).as_ref(), Some(&facts));
        assert!(kept(&path, VideoCodec::H264, 5).is_none() && kept(&path, VideoCodec::Hevc, 4).is_none());

        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(SegmentReader::open(&path).is_err(), "cut at {cut}");
        }
        for place in 0..whole.len() {
            let mut other = whole.clone();
            other[place] ^= 1;
            std::fs::write(&path, &other).unwrap();
            assert_ne!(kept(&path, VideoCodec::H264, 4).as_ref(), Some(&facts), "changed at {place}");
        }
    }
}
