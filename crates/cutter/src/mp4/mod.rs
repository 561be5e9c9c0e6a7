//! Writing the finished MP4: one file that plays and downloads like any other, and whose bytes are an HLS stream too.
//!
//! The file is `ftyp`, `moov` with complete tables (so that a player can start before it has everything), and one
//! `mdat`. What is inside the `mdat` is, for a player of the plain file, samples with a few unused bytes between them;
//! read by range it is an HLS stream: an initialisation segment, and fragments that each begin with a `moof`.
//!
//! ```text
//! ftyp  moov  mdat[ (ftyp moov+mvex)  chapter titles  (moof mdat[samples])  (moof mdat[samples])  … ]
//!                    HLS init                          HLS segment           HLS segment
//! ```
//!
//! Everything about the samples but their bytes is known beforehand, so that the file is written in one pass to any
//! [`Write`], with the tables in memory and one sample at a time. Equal input gives equal bytes: no clock, no chance.
//!
//! Time: pictures are decoded from 0 on in even steps and shown `reorder` steps later; an edit list takes that delay
//! away again, and another one skips the sound encoder's priming, so that the first picture and the first wanted
//! sample are both presented at exactly 0. Plain file and HLS carry the same edits.
//!
//! What does not make a movie (a picture shown twice, a missing packet, a sample of another size than announced) is
//! an [`Mp4Error`]; what was written by then is to be thrown away.

mod arrange;
mod boxes;
mod chapters;
pub(crate) mod describe;
mod entries;
mod fragments;
mod movie;
mod playlist;
mod tables;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::ops::Range;

use arrange::Arrangement;
use boxes::{Bytes, put_file_type, put_media_header};
pub(crate) use playlist::playlist;

use crate::plan::VideoCodec;

/// How the colours are meant, as code points of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColourCodes {
    pub(crate) primaries: u16,
    pub(crate) transfer: u16,
    pub(crate) matrix: u16,
    pub(crate) full_range: bool,
}

/// A coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VideoSample {
    /// Length in bytes.
    pub(crate) size: u32,
    /// Its number in showing order, from 0 in the movie.
    pub(crate) frame: u32,
    /// Whether decoding can start here.
    pub(crate) key: bool,
}

/// The pictures.
#[derive(Debug, Clone)]
pub(crate) struct VideoTrack {
    pub(crate) codec: VideoCodec,
    /// Content of the `avcC` or `hvcC` box; see [`describe`].
    pub(crate) configuration: Vec<u8>,
    /// Coded size in pixels.
    pub(crate) width: u32,
    /// Coded size in pixels.
    pub(crate) height: u32,
    /// Width and height of a pixel.
    pub(crate) sar: (u32, u32),
    /// `None` where unsaid.
    pub(crate) colour: Option<ColourCodes>,
    /// Units in a second.
    pub(crate) timescale: u32,
    /// Units that each picture is shown.
    pub(crate) sample_duration: u32,
    /// All pictures in decoding order; their frame numbers are 0, 1, 2 … in some order.
    pub(crate) samples: Vec<VideoSample>,
}

/// The sound: AAC packets.
#[derive(Debug, Clone)]
pub(crate) struct AudioTrack {
    /// In hertz.
    pub(crate) sample_rate: u32,
    pub(crate) channels: u16,
    /// AudioSpecificConfig.
    pub(crate) asc: Vec<u8>,
    /// Samples that the encoder put in front, which are not to be heard.
    pub(crate) priming: u32,
    /// Samples to be heard. Packets behind them are left out.
    pub(crate) length: u64,
    /// Samples in each packet.
    pub(crate) packet_samples: u32,
    /// In bits per second, as the file says it.
    pub(crate) bit_rate: u32,
    /// Lengths of all packets in bytes.
    pub(crate) packets: Vec<u32>,
}

/// The beginning of a chapter, which lasts until the next one or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chapter {
    pub(crate) title: String,
    /// The first chapter's is 0, and they rise.
    pub(crate) first_frame: u64,
}

/// Everything about a movie but its samples' bytes.
#[derive(Debug, Clone)]
pub(crate) struct Movie<'a> {
    /// Not written if empty.
    pub(crate) title: &'a str,
    pub(crate) video: VideoTrack,
    pub(crate) audio: Option<AudioTrack>,
    pub(crate) chapters: &'a [Chapter],
}

/// Where things are in a written file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Length of the file.
    pub(crate) bytes: u64,
    /// Bytes of the HLS initialisation segment.
    pub(crate) init: Range<u64>,
    /// Units in a second, for the fragments' times.
    pub(crate) timescale: u32,
    /// The HLS segments, without gaps.
    pub(crate) fragments: Vec<Fragment>,
}

/// One HLS segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Its bytes in the file.
    pub(crate) range: Range<u64>,
    /// When its first picture is shown, in units of the layout.
    pub(crate) start: u64,
    /// How long its pictures are shown, in units of the layout.
    pub(crate) duration: u64,
    /// Whether decoding can start here.
    pub(crate) starts_with_key: bool,
}

/// Why no MP4 was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mp4Error {
    /// The file could not be written, or a sample not be read.
    #[error("the MP4 could not be written: {0}")]
    Io(#[from] io::Error),
    /// The description of the movie contradicts itself or is beyond what an MP4 can hold.
    #[error("the MP4 cannot be made: {0}")]
    Movie(&'static str),
    /// A sample is not as long as was said.
    #[error("the MP4 cannot be made: {kind} {index} has {found} bytes instead of {announced}")]
    SampleSize {
        /// `picture` or `sound packet`.
        kind: &'static str,
        /// Its place in decoding order.
        index: usize,
        /// Its length in bytes.
        found: usize,
        /// What the track says.
        announced: u32,
    },
}

/// Writes the file. `video` and `audio` append the bytes of the sample with this index to an empty buffer; each is
/// asked for every sample once, in order.
///
/// # Errors
/// When the movie contradicts itself (found before anything is written), a sample has another length than announced,
/// or reading or writing fails.
pub(crate) fn write(
    movie: &Movie<'_>,
    to: &mut impl Write,
    mut video: impl FnMut(usize, &mut Vec<u8>) -> io::Result<()>,
    mut audio: impl FnMut(usize, &mut Vec<u8>) -> io::Result<()>,
) -> Result<Layout, Mp4Error> {
    let arrangement = Arrangement::of(movie)?;
    let front = Front::of(movie, &arrangement)?;
    to.write_all(&front.bytes)?;
    let mut sample = Vec::new();
    let packets = movie.audio.as_ref().map_or(&[][..], |track| &track.packets);
    for index in 0..arrangement.fragments.len() {
        to.write_all(&fragments::head(movie, &arrangement, index)?)?;
        for run in arrangement.runs_of(index) {
            for at in run.audio.clone() {
                fetch("sound packet", at, packets[at], &mut sample, &mut audio)?;
                to.write_all(&sample)?;
            }
            for at in run.video.clone() {
                fetch("picture", at, movie.video.samples[at].size, &mut sample, &mut video)?;
                to.write_all(&sample)?;
            }
        }
    }
    to.flush()?;
    Ok(front.layout)
}

fn fetch(
    kind: &'static str,
    index: usize,
    announced: u32,
    sample: &mut Vec<u8>,
    from: &mut impl FnMut(usize, &mut Vec<u8>) -> io::Result<()>,
) -> Result<(), Mp4Error> {
    sample.clear();
    from(index, sample)?;
    if sample.len() as u64 == u64::from(announced) {
        return Ok(());
    }
    Err(Mp4Error::SampleSize { kind, index, found: sample.len(), announced })
}

/// Everything in front of the first fragment, and where all the rest will be.
struct Front {
    bytes: Bytes,
    layout: Layout,
}

impl Front {
    fn of(movie: &Movie<'_>, arrangement: &Arrangement) -> Result<Self, Mp4Error> {
        let init = movie::init_segment(movie, arrangement);
        let texts = chapters::texts(movie.chapters);

        // Offsets from the start of the payload first: how long the index in front of it is follows from their number.
        let unit = u64::from(movie.video.sample_duration);
        let mut offsets = movie::Offsets { text: init.len() as u64, ..Default::default() };
        let mut fragments = Vec::with_capacity(arrangement.fragments.len());
        let mut at = (init.len() + texts.len()) as u64;
        for (index, fragment) in arrangement.fragments.iter().enumerate() {
            let start = at;
            at += fragments::head(movie, arrangement, index)?.len() as u64;
            for run in arrangement.runs_of(index) {
                if !run.audio.is_empty() {
                    offsets.audio.push(at);
                }
                at += run.audio_bytes;
                offsets.video.push(at);
                at += run.video_bytes;
            }
            let pictures = arrangement.pictures_of(index);
            fragments.push(Fragment {
                range: start..at,
                start: pictures.start as u64 * unit,
                duration: pictures.len() as u64 * unit,
                starts_with_key: fragment.key,
            });
        }
        let payload = at;

        let mut bytes = Bytes::new();
        match movie.video.codec {
            VideoCodec::H264 => put_file_type(&mut bytes, b"isom", &[b"isom", b"iso2", b"avc1", b"mp41"]),
            VideoCodec::Hevc => put_file_type(&mut bytes, b"isom", &[b"isom", b"iso2", b"mp41"]),
        }
        let mut header = Bytes::new();
        put_media_header(&mut header, payload);
        let around = (bytes.len() + header.len()) as u64;
        let mut payload_start = around + movie::index(movie, arrangement, &offsets).len() as u64;
        if boxes::is_wide(payload_start + payload) {
            offsets.wide = true;
            payload_start = around + movie::index(movie, arrangement, &offsets).len() as u64;
        }
        offsets.shift(payload_start);
        for fragment in &mut fragments {
            fragment.range.start += payload_start;
            fragment.range.end += payload_start;
        }
        bytes.append(&mut movie::index(movie, arrangement, &offsets));
        bytes.append(&mut header);
        bytes.extend_from_slice(&init);
        bytes.extend_from_slice(&texts);
        let layout = Layout {
            bytes: payload_start + payload,
            init: payload_start..payload_start + init.len() as u64,
            timescale: movie.video.timescale,
            fragments,
        };
        Ok(Self { bytes, layout })
    }
}
