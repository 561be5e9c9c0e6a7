//! Segment files: the finished packets of one segment, in the job directory, until the montage is put together.
//!
//! A file holds the stream's header and then packets in decoding order. Only this crate reads and writes it, within
//! one render; what cannot be read back is an error.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Longest packet or header that is read back, in bytes.
const LONGEST: u32 = 256 << 20;

/// Writes a segment.
pub(crate) struct SegmentWriter {
    file: BufWriter<File>,
    packets: u64,
    reorder: u64,
}

/// What there is to know of a finished segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentFacts {
    /// The stream's header (parameter sets); equal in all segments of a montage.
    pub(crate) header: Vec<u8>,
    /// Number of pictures.
    pub(crate) packets: u64,
    /// How many pictures later than its place in decoding order a picture is shown at most.
    pub(crate) reorder: u64,
}

/// One coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentPacket {
    /// Number of the picture within the segment, in showing order.
    pub(crate) frame: u32,
    /// Whether decoding can start here.
    pub(crate) key: bool,
    /// The coded bytes.
    pub(crate) data: Vec<u8>,
}

impl SegmentWriter {
    /// Creates the file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), packets: 0, reorder: 0 })
    }

    /// Adds the next packet in decoding order.
    pub(crate) fn write(&mut self, frame: u32, key: bool, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).map_err(|_| io::Error::other("a packet is too long"))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&frame.to_le_bytes())?;
        self.file.write_all(&[u8::from(key)])?;
        self.file.write_all(data)?;
        self.reorder = self.reorder.max(self.packets.saturating_sub(u64::from(frame)));
        self.packets += 1;
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self, header: Vec<u8>) -> io::Result<SegmentFacts> {
        self.file.flush()?;
        Ok(SegmentFacts { header, packets: self.packets, reorder: self.reorder })
    }
}

/// Reads a segment, packet by packet.
pub(crate) struct SegmentReader(BufReader<File>);

impl SegmentReader {
    /// Opens the file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(BufReader::new(File::open(path)?)))
    }

    /// The next packet; `None` behind the last.
    pub(crate) fn read(&mut self) -> io::Result<Option<SegmentPacket>> {
        let mut length = [0; 4];
        if self.0.read(&mut length[..1])? == 0 {
            return Ok(None);
        }
        self.0.read_exact(&mut length[1..])?;
        let length = u32::from_le_bytes(length);
        if length > LONGEST {
            return Err(io::Error::other("a segment is damaged"));
        }
        let mut frame = [0; 4];
        let mut key = [0];
        self.0.read_exact(&mut frame)?;
        self.0.read_exact(&mut key)?;
        let mut data = vec![0; length as usize];
        self.0.read_exact(&mut data)?;
        Ok(Some(SegmentPacket { frame: u32::from_le_bytes(frame), key: key == [1], data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let mut writer = SegmentWriter::create(&path).unwrap();
        for (frame, key) in [(0, true), (3, false), (1, false), (2, false)] {
            writer.write(frame, key, &vec![frame as u8; frame as usize]).unwrap();
        }
        let facts = writer.finish(vec![7]).unwrap();
        assert_eq!((facts.packets, facts.reorder), (4, 1));
        let mut reader = SegmentReader::open(&path).unwrap();
        let packets: Vec<_> = std::iter::from_fn(|| reader.read().unwrap()).collect();
        assert_eq!(packets.iter().map(|packet| packet.frame).collect::<Vec<_>>(), [0, 3, 1, 2]);
        assert_eq!((packets[1].data.as_slice(), packets[0].key), ([3, 3, 3].as_slice(), true));

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut reader = SegmentReader::open(&path).unwrap();
        assert!((0..4).any(|_| reader.read().is_err()), "a cut file is an error");
    }
}
