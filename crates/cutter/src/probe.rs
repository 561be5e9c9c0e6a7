//! Opening a source for the first time: what it is, whether it may be used, and what is in it.
//!
//! Everything that can be refused is refused from what the container says, before a frame is decoded. Then the first
//! frame is decoded: it shows that decoding works, and gives the origin of the source's time.

use std::sync::Arc;

use crate::av::AvError;
use crate::av::decode::is_decoded;
use crate::av::demux::{Demuxer, Media, StreamInfo};
use crate::av::frame::Packet;
use crate::container::{Container, SNIFF_BYTES, sniff};
use crate::error::ProblemKind;
use crate::facts::{AacConfig, AudioFacts, Colour, Probe, VideoFacts};
use crate::order::MediaLimits;
use crate::pieces::Opened;
use crate::reader::{Opening, Pool, Reader};
use crate::sound::aac::{parse_adts, parse_header};
use crate::source::{ByteSource, SourceFailure};
use crate::time::{FrameRate, TICKS_PER_SECOND};

/// Packets of all streams among which the first one of the sound is looked for.
const FIRST_PACKETS: u32 = 1000;

/// Why there is no probe.
#[derive(Debug)]
pub(crate) enum ProbeError {
    /// The source cannot be used; a person must be told.
    Refused(ProblemKind),
    /// It could not be found out.
    Failed(AvError),
}

impl From<AvError> for ProbeError {
    fn from(error: AvError) -> Self {
        match error {
            AvError::Failed { reason, .. } => Self::Refused(ProblemKind::Unreadable { reason }),
            other => Self::Failed(other),
        }
    }
}

impl From<ProblemKind> for ProbeError {
    fn from(problem: ProblemKind) -> Self {
        Self::Refused(problem)
    }
}

/// Looks into a source.
pub(crate) fn probe(
    source: &Arc<dyn ByteSource>,
    limits: &MediaLimits,
) -> Result<(Container, Probe, Arc<Pool>), ProbeError> {
    let container = sniff(&head(source.as_ref()).map_err(AvError::from)?)?;
    let mut demuxer = Demuxer::open(Arc::clone(source), container)?;
    check_bounds(&demuxer, limits)?;
    demuxer.look_into_streams(limits.max_pixels)?;
    check_bounds(&demuxer, limits)?;
    let stream = demuxer.best_stream(Media::Video).ok_or(ProblemKind::NoVideo)?;
    let info = demuxer.stream_info(stream)?;
    check_codec(Media::Video, "video", &info.codec)?;
    if info.width == 0 || info.height == 0 {
        return Err(ProblemKind::Unreadable { reason: "its picture has no size".to_owned() }.into());
    }
    let audio = audio(&mut demuxer)?;
    let (frame_rate, variable_rate) = match info.frame_rate() {
        Some(found) => found,
        None => (FrameRate::new(30, 1).map_err(|_| ProblemKind::NoVideo)?, true),
    };
    let end = demuxer.end_ticks(stream);
    let pool = Arc::new(Pool::default());
    let opening = Opening {
        source: Arc::clone(source),
        pool: Arc::clone(&pool),
        container,
        stream,
        media: Media::Video,
        seek_stream: stream,
        origin: 0,
        usual_length: frame_rate.frame_to_ticks(1),
        max_pixels: limits.max_pixels,
        threads: 1,
    };
    let nothing = || ProblemKind::Unreadable { reason: "no picture in it can be decoded".to_owned() };
    let mut reader = if demuxer.was_read() {
        pool.put(demuxer);
        Reader::open(opening)?
    } else {
        // What was read while looking into the streams is given out again: the container still stands at its beginning.
        Reader::with(opening, demuxer, true)?
    };
    let first = reader.next()?.ok_or_else(nothing)?;
    drop(reader);
    let (width, height) = first.frame.size();
    check_size(width, height, limits)?;
    let (pixel_format, matrix, range, bit_depth) = first.frame.describe();
    let (sar_num, sar_den) = first.frame.pixel_shape().unwrap_or(info.pixel_shape);
    let duration_ticks = end.map(|end| end.saturating_sub(first.at)).filter(|length| *length > 0);
    let video = VideoFacts {
        stream,
        codec: info.codec,
        width,
        height,
        sar_num,
        sar_den,
        rotation: info.rotation,
        frame_rate,
        variable_rate,
        pixel_format,
        bit_depth,
        // The decoded picture tells more of its own matrix and range than the container.
        colour: Colour { matrix, full_range: range == "pc", ..info.colour },
        profile: info.profile,
        level: info.level,
        progressive: info.progressive && !first.frame.is_interlaced(),
        bit_rate: info.bit_rate,
    };
    let found = Probe {
        container: container.name().to_owned(),
        origin_ticks: first.at,
        duration_ticks,
        duration_is_estimate: matches!(container, Container::MpegTs | Container::MpegPs),
        video,
        audio,
    };
    Ok((container, found, pool))
}

fn head(source: &dyn ByteSource) -> Result<Vec<u8>, SourceFailure> {
    let mut head = vec![0; SNIFF_BYTES.min(usize::try_from(source.len()).unwrap_or(SNIFF_BYTES))];
    let mut filled = 0;
    while filled < head.len() {
        match source.read_at(filled as u64, &mut head[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    head.truncate(filled);
    Ok(head)
}

fn check_bounds(demuxer: &Demuxer, limits: &MediaLimits) -> Result<(), ProblemKind> {
    let streams = demuxer.stream_count();
    if streams > limits.max_streams {
        return Err(ProblemKind::TooManyStreams { streams, limit: limits.max_streams });
    }
    demuxer.picture_sizes().into_iter().try_for_each(|(width, height)| check_size(width, height, limits))
}

fn check_size(width: u32, height: u32, limits: &MediaLimits) -> Result<(), ProblemKind> {
    let pixels = u64::from(width) * u64::from(height);
    if width > limits.max_width || height > limits.max_height || pixels > limits.max_pixels {
        let (max_width, max_height) = (limits.max_width, limits.max_height);
        return Err(ProblemKind::PictureTooLarge { width, height, max_width, max_height });
    }
    Ok(())
}

fn check_codec(media: Media, name: &str, codec: &str) -> Result<(), ProblemKind> {
    if is_decoded(media, codec) {
        return Ok(());
    }
    Err(ProblemKind::UnsupportedCodec { media: name.to_owned(), codec: codec.to_owned() })
}

fn audio(demuxer: &mut Demuxer) -> Result<Option<AudioFacts>, ProbeError> {
    let Some(stream) = demuxer.best_stream(Media::Audio) else { return Ok(None) };
    let StreamInfo { codec, sample_rate, channels, .. } = demuxer.stream_info(stream)?;
    check_codec(Media::Audio, "audio", &codec)?;
    // A track without a single sample says neither rate nor channels: that is silence.
    if sample_rate == 0 || channels == 0 {
        return Ok(None);
    }
    let aac = if codec == "aac" { aac_config(demuxer, stream)? } else { None };
    // A header that says less than decoding found hides SBR or parametric stereo.
    let aac = aac.filter(|aac| aac.sample_rate == sample_rate && aac.channels == channels);
    Ok(Some(AudioFacts { stream, codec, sample_rate, channels, aac }))
}

/// The configuration of an AAC stream: from the container's header, or, where the container has none, from the first
/// packet, which then carries its own. Nothing can be read from `demuxer` in order afterwards.
fn aac_config(demuxer: &mut Demuxer, stream: u32) -> Result<Option<AacConfig>, AvError> {
    let header = demuxer.header(stream)?;
    if !header.is_empty() {
        return Ok(parse_header(&header));
    }
    let mut packet = Packet::new()?;
    for _ in 0..FIRST_PACKETS {
        if !demuxer.read(&mut packet)? {
            break;
        }
        if packet.stream() == stream {
            return Ok(parse_adts(packet.data()).map(|(config, _)| config));
        }
    }
    Ok(None)
}

/// How a probed source's picture is opened for reading.
pub(crate) fn video_opening(opened: &Opened, limits: &MediaLimits, threads: u32) -> Opening {
    let video = &opened.probe.video;
    Opening {
        source: Arc::clone(&opened.source),
        pool: Arc::clone(&opened.pool),
        container: opened.container,
        stream: video.stream,
        media: Media::Video,
        seek_stream: video.stream,
        origin: opened.probe.origin_ticks,
        usual_length: video.frame_rate.frame_to_ticks(1),
        max_pixels: limits.max_pixels,
        threads,
    }
}

/// How a probed source's sound is opened for reading.
pub(crate) fn audio_opening(opened: &Opened, audio: &AudioFacts, limits: &MediaLimits) -> Opening {
    let by_video = opened.container == Container::Matroska;
    Opening {
        source: Arc::clone(&opened.source),
        pool: Arc::clone(&opened.pool),
        container: opened.container,
        stream: audio.stream,
        media: Media::Audio,
        seek_stream: if by_video { opened.probe.video.stream } else { audio.stream },
        origin: opened.probe.origin_ticks,
        usual_length: TICKS_PER_SECOND / 50,
        max_pixels: limits.max_pixels,
        threads: 1,
    }
}
