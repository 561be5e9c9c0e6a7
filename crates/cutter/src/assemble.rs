//! Putting the montage together: the segments' packets with our own timestamps, one continuous sound, chapters, and
//! the sound for transcription beside it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::av::AvError;
use crate::av::encode::Encoder;
use crate::av::frame::{Frame, Packet};
use crate::av::mux::{AUDIO, Chapter, Mp4Writer, VIDEO};
use crate::av::resample::Resampler;
use crate::error::RenderError;
use crate::plan::Plan;
use crate::segment::{SegmentFacts, SegmentReader};
use crate::sound::ClipSound;
use crate::time::SAMPLE_RATE;

/// Sample rate of the sound for transcription, in hertz.
const SPEECH_RATE: u32 = 16_000;

/// A finished clip's sound: where its samples are (nowhere: silence) and by how much they are raised.
pub(crate) struct LevelledClip {
    pub(crate) path: Option<PathBuf>,
    pub(crate) gain_db: f64,
}

/// What is put together.
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a Plan,
    /// Segment files with their facts, in the order of the montage.
    pub(crate) segments: &'a [(PathBuf, SegmentFacts)],
    /// The clips' sound, in order.
    pub(crate) sounds: &'a [LevelledClip],
}

fn failed(error: AvError) -> RenderError {
    match error {
        AvError::OutOfMemory => RenderError::OutOfMemory,
        other => RenderError::Encode { reason: other.to_string() },
    }
}

/// Writes the MP4 to `media` and the sound for transcription to `speech`. `on_frame` is called after each picture.
pub(crate) fn assemble(
    parts: &Parts<'_>,
    media: &Path,
    speech: &Path,
    mut on_frame: impl FnMut(),
) -> Result<(), RenderError> {
    let plan = parts.plan;
    check_segments(parts)?;
    // Only describes the stream: equal settings give the header that all segments have.
    let video = Encoder::video(&plan.canvas, &plan.encoder, 1).map_err(failed)?;
    if parts.segments.iter().any(|(_, facts)| facts.header != video.header()) {
        return Err(RenderError::Encode { reason: "the segments do not share one stream header".to_owned() });
    }
    let mut sound = Sound::new(parts, speech)?;
    let chapters = chapters(plan);
    let mut writer = Mp4Writer::create(media, &plan.canvas, &plan.title, &chapters, &video, &sound.encoder)
        .map_err(failed)?;

    let frame_units = i64::from(plan.canvas.frame_rate.file_units().1);
    let reorder = parts.segments.iter().map(|(_, facts)| facts.reorder).max().unwrap_or(0) as i64;
    let mut written = 0_i64;
    let mut segment_start = 0_i64;
    for (path, facts) in parts.segments {
        let mut segment = SegmentReader::open(path)?;
        while let Some(picture) = segment.read()? {
            // Sound goes in front of the picture that is shown with it, so that players read on without seeking.
            sound.write_until(plan.canvas.frame_rate.samples_before(written as u64), &mut writer)?;
            let mut packet = Packet::with_data(&picture.data).map_err(failed)?;
            let pts = (segment_start + i64::from(picture.frame)) * frame_units;
            packet.stamp(VIDEO, pts, (written - reorder) * frame_units, frame_units, picture.key);
            writer.write(&packet).map_err(failed)?;
            written += 1;
            on_frame();
        }
        segment_start += facts.packets as i64;
    }
    sound.write_until(u64::MAX, &mut writer)?;
    sound.finish()?;
    writer.finish().map_err(failed)?;
    let pictures = written as u64;
    if pictures != plan.frames {
        let reason = format!("{} pictures were planned and {pictures} written", plan.frames);
        return Err(RenderError::Encode { reason });
    }
    Ok(())
}

fn check_segments(parts: &Parts<'_>) -> Result<(), RenderError> {
    let planned = parts.plan.segments.iter().map(|segment| segment.frames);
    let made = parts.segments.iter().map(|(_, facts)| facts.packets);
    if planned.eq(made) && parts.sounds.len() == parts.plan.clips.len() {
        return Ok(());
    }
    Err(RenderError::Encode { reason: "the segments are not those that were planned".to_owned() })
}

fn chapters(plan: &Plan) -> Vec<Chapter> {
    let units = u64::from(plan.canvas.frame_rate.file_units().1);
    let clips = plan.clips.iter();
    clips
        .map(|clip| Chapter {
            title: chapter_title(&clip.title),
            start: (clip.first_frame * units) as i64,
            end: ((clip.first_frame + clip.frames) * units) as i64,
        })
        .collect()
}

/// A title as long as MP4 can hold it for a chapter: 255 bytes, cut between characters.
fn chapter_title(title: &str) -> String {
    let end = (0..=title.len().min(255)).rev().find(|end| title.is_char_boundary(*end)).unwrap_or(0);
    title[..end].to_owned()
}

/// The montage's sound, encoded as one stream while the pictures are written.
struct Sound {
    encoder: Encoder,
    clips: VecDeque<ClipSound>,
    /// Samples in each frame of the encoder.
    step: usize,
    /// Samples given to the encoder.
    given: u64,
    /// Levelled samples that are not encoded yet, interleaved.
    waiting: Vec<f32>,
    packets: VecDeque<Packet>,
    ended: bool,
    speech: SpeechWriter,
}

impl Sound {
    fn new(parts: &Parts<'_>, speech: &Path) -> Result<Self, RenderError> {
        let encoder = Encoder::audio(parts.plan.encoder.audio_bit_rate).map_err(failed)?;
        let clips = parts.sounds.iter().zip(&parts.plan.clips);
        let clips = clips
            .map(|(sound, clip)| ClipSound::open(sound.path.as_deref(), sound.gain_db, clip.samples))
            .collect::<Result<_, _>>()?;
        let step = encoder.frame_samples();
        Ok(Self {
            encoder,
            clips,
            step,
            given: 0,
            waiting: Vec::new(),
            packets: VecDeque::new(),
            ended: false,
            speech: SpeechWriter::create(speech)?,
        })
    }

    /// Writes all sound that starts before sample `until`.
    fn write_until(&mut self, until: u64, writer: &mut Mp4Writer) -> Result<(), RenderError> {
        while !self.ended && self.given < until {
            self.encode_next()?;
        }
        while let Some(packet) = self.packets.pop_front() {
            writer.write(&packet).map_err(failed)?;
        }
        Ok(())
    }

    fn encode_next(&mut self) -> Result<(), RenderError> {
        while self.waiting.len() < self.step * 2 {
            let Some(clip) = self.clips.front_mut() else { break };
            let before = self.waiting.len();
            clip.read(self.step - before / 2, &mut self.waiting)?;
            if self.waiting.len() == before {
                self.clips.pop_front();
            }
        }
        let count = self.waiting.len() / 2;
        let frame = (count > 0).then(|| self.frame(count)).transpose().map_err(failed)?;
        if frame.is_some() {
            self.speech.write(&self.waiting)?;
            self.waiting.clear();
            self.given += count as u64;
        } else {
            self.ended = true;
        }
        let packets = &mut self.packets;
        let collect = |packet: &Packet| -> Result<(), AvError> {
            let pts = packet.pts().ok_or_else(|| AvError::new("encode", "sound lost its time"))?;
            let mut own = Packet::with_data(packet.data())?;
            own.stamp(AUDIO, pts, pts, packet.duration(), true);
            packets.push_back(own);
            Ok(())
        };
        self.encoder.encode(frame.as_ref(), collect).map_err(failed)
    }

    fn frame(&self, count: usize) -> Result<Frame, AvError> {
        let mut frame = Frame::sound(count)?;
        for channel in 0..2 {
            let plane = frame.sound_plane_mut(channel)?;
            for (target, pair) in plane.iter_mut().zip(self.waiting.chunks_exact(2)) {
                *target = pair[channel];
            }
        }
        frame.set_pts(self.given as i64);
        Ok(frame)
    }

    fn finish(self) -> Result<(), RenderError> {
        self.speech.finish()
    }
}

/// Writes the sound for transcription: WAV, 16 kHz, mono, 16 bit.
struct SpeechWriter {
    file: BufWriter<File>,
    resampler: Resampler,
    out: Vec<f32>,
    data_bytes: u32,
}

impl SpeechWriter {
    fn create(path: &Path) -> Result<Self, RenderError> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&wav_header(0))?;
        Ok(Self { file, resampler: Resampler::new(SPEECH_RATE, 1), out: Vec::new(), data_bytes: 0 })
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), RenderError> {
        self.resampler.push_samples(SAMPLE_RATE, samples, &mut self.out).map_err(failed)?;
        self.put()
    }

    fn put(&mut self) -> Result<(), RenderError> {
        for sample in self.out.drain(..) {
            let value = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
            self.file.write_all(&value.to_le_bytes())?;
            self.data_bytes = self.data_bytes.saturating_add(2);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), RenderError> {
        self.resampler.finish(&mut self.out).map_err(failed)?;
        self.put()?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&wav_header(self.data_bytes))?;
        self.file.flush()?;
        Ok(())
    }
}

/// The 44 bytes in front of a WAV file's samples.
fn wav_header(data_bytes: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16_u32.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&SPEECH_RATE.to_le_bytes());
    header.extend_from_slice(&(SPEECH_RATE * 2).to_le_bytes());
    header.extend_from_slice(&2_u16.to_le_bytes());
    header.extend_from_slice(&16_u16.to_le_bytes());
    header.extend_from_slice(b"data");
    header.extend_from_slice(&data_bytes.to_le_bytes());
    header
}
