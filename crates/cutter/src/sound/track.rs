//! The montage's finished sound: AAC packets in a file of the job, one behind the other, with a list of their sizes.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::facts::AacConfig;
use crate::sound::aac::{FRAME, header};

/// The montage's sound, ready to be written into the montage.
///
/// Packet number `n` holds samples `n * 1024 - priming` and the following 1023, counted from the first that is heard.
#[derive(Debug)]
pub(crate) struct SoundTrack {
    path: PathBuf,
    /// Samples per second.
    pub(crate) sample_rate: u32,
    /// Number of channels.
    pub(crate) channels: u32,
    /// The stream's header: an AudioSpecificConfig.
    pub(crate) asc: Vec<u8>,
    /// Samples in front of the first that is heard.
    pub(crate) priming: u32,
    /// Samples that are heard.
    pub(crate) length: u64,
    /// Size of every packet, in bytes.
    pub(crate) packets: Vec<u32>,
    /// How many of them are copies of a source's packets, bit for bit.
    pub(crate) copied_packets: u64,
    /// How many were made.
    pub(crate) encoded_packets: u64,
    /// How each clip's sound was copied; empty when all is encoded.
    pub(crate) copies: Vec<ClipCopy>,
}

/// How a clip's sound was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClipCopy {
    /// Position among the clips.
    pub(crate) clip: u32,
    /// How many samples the clip's sound comes after its picture; negative: before. At most half a packet.
    pub(crate) moved: i32,
    /// Number of the first copied packet in the track.
    pub(crate) first_packet: u64,
    /// How many packets are copied from there on; 0 when none is.
    pub(crate) packets: u64,
    /// Where the first copied packet's samples lie on the source: samples from the clip's start.
    pub(crate) source_sample: i64,
}

/// A packet with its place in the track, in samples. The first ones start before 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackPacket {
    /// Its first sample, counted from the first that is heard.
    pub(crate) pts: i64,
    /// How many of its samples belong to the montage: fewer than 1024 in the last one.
    pub(crate) duration: i64,
    /// The coded bytes.
    pub(crate) data: Vec<u8>,
}

impl SoundTrack {
    /// Starts reading the packets, from the first on.
    pub(crate) fn read(&self) -> io::Result<TrackReader<'_>> {
        Ok(TrackReader { track: self, file: BufReader::new(File::open(&self.path)?), next: 0 })
    }
}

/// Reads a track's packets in order.
pub(crate) struct TrackReader<'a> {
    track: &'a SoundTrack,
    file: BufReader<File>,
    next: usize,
}

impl TrackReader<'_> {
    /// First sample of the packet that comes next, counted from the first that is heard; `None` at the end.
    pub(crate) fn next_pts(&self) -> Option<i64> {
        let place = self.next * FRAME;
        (self.next < self.track.packets.len()).then(|| place as i64 - i64::from(self.track.priming))
    }

    /// The next packet; `None` behind the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<TrackPacket>> {
        let (Some(pts), Some(size)) = (self.next_pts(), self.track.packets.get(self.next)) else {
            return Ok(None);
        };
        let mut data = vec![0; *size as usize];
        self.file.read_exact(&mut data)?;
        self.next += 1;
        let duration = (self.track.length as i64 - pts).clamp(0, FRAME as i64);
        Ok(Some(TrackPacket { pts, duration, data }))
    }
}

/// Writes a track.
pub(crate) struct TrackWriter {
    path: PathBuf,
    file: BufWriter<File>,
    packets: Vec<u32>,
    copied: u64,
}

impl TrackWriter {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self { path: path.to_owned(), file, packets: Vec::new(), copied: 0 })
    }

    /// Adds a packet that was made.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let size = u32::try_from(data.len()).map_err(|_| io::Error::other("a packet is too long"))?;
        self.packets.push(size);
        self.file.write_all(data)
    }

    /// Adds packets of these sizes that lie one behind the other in `from`.
    pub(crate) fn copy(&mut self, sizes: &[u32], from: &mut impl Read) -> io::Result<()> {
        let bytes = sizes.iter().copied().map(u64::from).sum();
        if io::copy(&mut from.take(bytes), &mut self.file)? != bytes {
            return Err(io::Error::other("a clip's sound is damaged"));
        }
        self.packets.extend_from_slice(sizes);
        self.copied += sizes.len() as u64;
        Ok(())
    }

    pub(crate) fn count(&self) -> u64 {
        self.packets.len() as u64
    }

    pub(crate) fn finish(
        mut self,
        config: AacConfig,
        priming: u32,
        length: u64,
        copies: Vec<ClipCopy>,
    ) -> io::Result<SoundTrack> {
        self.file.flush()?;
        Ok(SoundTrack {
            path: self.path,
            sample_rate: config.sample_rate,
            channels: config.channels,
            asc: header(config),
            priming,
            length,
            copied_packets: self.copied,
            encoded_packets: self.packets.len() as u64 - self.copied,
            packets: self.packets,
            copies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_with_their_places() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = TrackWriter::create(&directory.path().join("track")).unwrap();
        writer.write(&[1, 2]).unwrap();
        writer.copy(&[1, 3], &mut [3, 4, 5, 6, 7].as_slice()).unwrap();
        assert!(writer.copy(&[2], &mut [1].as_slice()).is_err());
        let mut writer = TrackWriter::create(&directory.path().join("track")).unwrap();
        writer.write(&[1, 2]).unwrap();
        writer.copy(&[1, 3], &mut [3, 4, 5, 6, 7].as_slice()).unwrap();
        let config = AacConfig { sample_rate: 48_000, channels: 2 };
        let track = writer.finish(config, 1024, 1500, vec![]).unwrap();
        assert_eq!((track.copied_packets, track.encoded_packets), (2, 1));
        let mut reader = track.read().unwrap();
        let packet = |pts, duration, data: &[u8]| TrackPacket { pts, duration, data: data.to_vec() };
        assert_eq!(reader.next().unwrap(), Some(packet(-1024, 1024, &[1, 2])));
        assert_eq!(reader.next().unwrap(), Some(packet(0, 1024, &[3])));
        assert_eq!(reader.next_pts(), Some(1024));
        assert_eq!(reader.next().unwrap(), Some(packet(1024, 476, &[4, 5, 6])));
        assert_eq!(reader.next().unwrap(), None);
    }
}
