//! Putting the montage together: the segments' pictures and the sound's packets in one MP4, with our own times, chapters,
//! and the playlist that makes the same bytes an HLS stream.
//!
//! Segments come from different encoders and sources, each with parameter sets of its own. They stand in the stream, in
//! front of every picture from which decoding can start, so that players that jump there have the right ones.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::bitstream::with_sets;
use crate::error::RenderError;
use crate::mp4::{
    self, AudioTrack, Chapter, ColourCodes, Movie, Mp4Error, VideoSample, VideoTrack, describe,
};
use crate::plan::{Plan, VideoCodec};
use crate::report::{HlsFragment, HlsLayout};
use crate::segment::{SegmentFacts, SegmentReader};
use crate::sound::track::SoundTrack;
use crate::time::TICKS_PER_SECOND;

/// What the playlist calls the finished file: the library answers it under that name beside the playlist.
const MEDIA_NAME: &str = "media.mp4";

/// What is put together.
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a Plan,
    /// Segment files with their facts, in the order of the montage.
    pub(crate) segments: &'a [(PathBuf, SegmentFacts)],
    /// The sound of the whole montage.
    pub(crate) sound: &'a SoundTrack,
}

impl Parts<'_> {
    /// The chapters: one per clip, but none for a clip that goes on with the one before.
    pub(crate) fn chapters(&self) -> Vec<Chapter> {
        let clips = self.plan.clips.iter().filter(|clip| !clip.continues);
        clips.map(|clip| Chapter { title: clip.title.clone(), first_frame: clip.first_frame }).collect()
    }

    /// How far each clip's copied sound lies from its picture, in ticks.
    pub(crate) fn offsets(&self) -> Vec<i64> {
        let mut offsets = vec![0; self.plan.clips.len()];
        let sample = TICKS_PER_SECOND / i64::from(self.sound.sample_rate.max(1));
        for copy in &self.sound.copies {
            if let Some(offset) = offsets.get_mut(copy.clip as usize) {
                *offset = i64::from(copy.moved) * sample;
            }
        }
        offsets
    }
}

fn failed(error: Mp4Error) -> RenderError {
    match error {
        Mp4Error::Io(error) => error.into(),
        other => RenderError::Encode { reason: other.to_string() },
    }
}

/// Writes the MP4 to `media` and its playlist to `playlist`, and answers where the HLS stream lies. `on_frame` is called after
/// each picture.
pub(crate) fn assemble(
    parts: &Parts<'_>,
    media: &Path,
    playlist: &Path,
    mut on_frame: impl FnMut(),
) -> Result<HlsLayout, RenderError> {
    check_segments(parts)?;
    let chapters = parts.chapters();
    let movie = Movie {
        title: &parts.plan.title,
        video: video_track(parts).map_err(failed)?,
        audio: Some(audio_track(parts)),
        chapters: &chapters,
    };
    let mut pictures = Pictures { parts, segment: 0, reader: None };
    let mut sound = parts.sound.read()?;
    let mut file = BufWriter::with_capacity(1 << 20, File::create(media)?);
    let layout = mp4::write(
        &movie,
        &mut file,
        |_, sample| {
            on_frame();
            pictures.next(sample)
        },
        |_, sample| {
            let ended = || io::Error::other("the sound ended early");
            sample.extend_from_slice(&sound.next()?.ok_or_else(ended)?.data);
            Ok(())
        },
    )
    .map_err(failed)?;
    std::fs::write(playlist, mp4::playlist(&layout, MEDIA_NAME))?;
    Ok(hls(&layout))
}

fn hls(layout: &mp4::Layout) -> HlsLayout {
    let scale = i128::from(layout.timescale.max(1));
    let fragment = |fragment: &mp4::Fragment| HlsFragment {
        offset: fragment.range.start,
        bytes: fragment.range.end - fragment.range.start,
        ticks: (i128::from(fragment.duration) * i128::from(TICKS_PER_SECOND) / scale) as i64,
    };
    let init = &layout.init;
    HlsLayout {
        init: (init.start, init.end - init.start),
        fragments: layout.fragments.iter().map(fragment).collect(),
    }
}

fn check_segments(parts: &Parts<'_>) -> Result<(), RenderError> {
    let planned = parts.plan.segments.iter().map(|segment| segment.frames);
    let made = parts.segments.iter().map(|(_, facts)| facts.pictures.len() as u64);
    if planned.eq(made) && parts.segments.iter().all(|(_, facts)| facts.codec == parts.plan.canvas.codec) {
        return Ok(());
    }
    Err(RenderError::Encode { reason: "the segments are not those that were planned".to_owned() })
}

fn video_track(parts: &Parts<'_>) -> Result<VideoTrack, Mp4Error> {
    let canvas = &parts.plan.canvas;
    let sets =
        parts.segments.first().map(|(_, facts)| &facts.sets).ok_or(Mp4Error::Movie("it has no pictures"))?;
    let configuration = match canvas.codec {
        VideoCodec::H264 => describe::avcc(&sets.sps, &sets.pps)?,
        VideoCodec::Hevc => describe::hvcc(&sets.vps, &sets.sps, &sets.pps)?,
    };
    let mut samples = Vec::with_capacity(parts.plan.frames as usize);
    let mut start = 0;
    for (_, facts) in parts.segments {
        let sets = facts.sets.length();
        samples.extend(facts.pictures.iter().map(|picture| VideoSample {
            size: picture.bytes.saturating_add(if picture.key { sets } else { 0 }),
            frame: start + picture.frame,
            key: picture.key,
        }));
        start += facts.pictures.len() as u32;
    }
    let (timescale, sample_duration) = canvas.frame_rate.file_units();
    let [primaries, transfer, matrix] = canvas.colour.codes().map(u16::from);
    Ok(VideoTrack {
        codec: canvas.codec,
        configuration,
        width: canvas.width,
        height: canvas.height,
        sar: (canvas.sar_num, canvas.sar_den),
        colour: Some(ColourCodes { primaries, transfer, matrix, full_range: canvas.colour.full_range }),
        timescale,
        sample_duration,
        samples,
    })
}

fn audio_track(parts: &Parts<'_>) -> AudioTrack {
    let sound = parts.sound;
    let bytes: u64 = sound.packets.iter().map(|size| u64::from(*size)).sum();
    let bits = u128::from(bytes) * 8 * u128::from(sound.sample_rate) / u128::from(sound.length.max(1));
    AudioTrack {
        sample_rate: sound.sample_rate,
        channels: sound.channels as u16,
        asc: sound.asc.clone(),
        priming: sound.priming,
        length: sound.length,
        packet_samples: 1024,
        bit_rate: u32::try_from(bits).unwrap_or(u32::MAX),
        packets: sound.packets.clone(),
    }
}

/// The pictures of all segments, one after another.
struct Pictures<'a> {
    parts: &'a Parts<'a>,
    /// Index of the segment that is read next.
    segment: usize,
    reader: Option<SegmentReader>,
}

impl Pictures<'_> {
    fn next(&mut self, sample: &mut Vec<u8>) -> io::Result<()> {
        loop {
            if let Some(reader) = self.reader.as_mut() {
                if let Some(picture) = reader.read(sample)? {
                    if picture.key {
                        let facts = reader.facts();
                        *sample = with_sets(facts.codec, sample, &facts.sets);
                    }
                    return Ok(());
                }
                self.segment += 1;
            }
            let next = self.parts.segments.get(self.segment);
            let (path, _) = next.ok_or_else(|| io::Error::other("the segments ended early"))?;
            self.reader = Some(SegmentReader::open(path)?);
        }
    }
}
