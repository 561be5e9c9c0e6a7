//! The plan: which frames of which source become which frames of the montage, in which segments, and how each is made.
//!
//! Data only; [`crate::planner`] makes it. It can be shown before work, its hash names its result, and the key of each
//! segment names that segment's result: equal keys mean equal bytes, in whichever montage they stand.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::facts::Colour;
use crate::order::{CutMode, EncoderSettings, SourceInfo, Transition};
pub use crate::sound::choose::SoundPlan;
use crate::time::{FrameRate, TICKS_PER_SECOND, TIME_TOLERANCE_TICKS};

/// Grows when the meaning of a plan or the way in which a segment is made changes, so that hashes and keys of old
/// results do not name new ones.
pub const PLAN_VERSION: u32 = 2;

/// A codec in which montages are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// H.264 (AVC).
    H264,
    /// HEVC (H.265).
    Hevc,
}

impl VideoCodec {
    /// libav's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Hevc => "hevc",
        }
    }

    /// The codec that libav calls so, if montages are made in it.
    pub fn named(name: &str) -> Option<Self> {
        [Self::H264, Self::Hevc].into_iter().find(|codec| codec.name() == name)
    }
}

/// The picture that every clip is brought to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canvas {
    /// Codec.
    pub codec: VideoCodec,
    /// Width in coded pixels, even.
    pub width: u32,
    /// Height in coded pixels, even.
    pub height: u32,
    /// Width of a pixel relative to its height: numerator, in lowest terms.
    pub sar_num: u32,
    /// Width of a pixel relative to its height: denominator.
    pub sar_den: u32,
    /// Frames per second.
    pub frame_rate: FrameRate,
    /// Bits per component: 8 or 10, always with 4:2:0 chroma.
    pub bit_depth: u8,
    /// What its colours mean.
    pub colour: Colour,
}

/// A montage, ready to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Title of the montage.
    pub title: String,
    /// The picture.
    pub canvas: Canvas,
    /// How pictures are encoded.
    pub encoder: EncoderSettings,
    /// Loudness that each clip is brought to, in LUFS; as it is where absent.
    pub loudness_lufs: Option<f64>,
    /// Whether the sound for transcription is made.
    pub speech: bool,
    /// How the sound is made.
    pub sound: SoundPlan,
    /// What is between clips.
    pub transition: Transition,
    /// Frames in all.
    pub frames: u64,
    /// Audio samples in all, at 48 kHz.
    pub samples: u64,
    /// The sources, as the order gave them.
    pub sources: Vec<SourceInfo>,
    /// The clips, in order.
    pub clips: Vec<PlannedClip>,
    /// The pieces of picture that are made on their own, in the order of the montage.
    pub segments: Vec<Segment>,
    /// The frame that stands for it; one of the first clip's where none is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster_frame: Option<u64>,
}

/// A clip with its exact place on source and montage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedClip {
    /// Position among the clips.
    pub index: u32,
    /// Index of its source.
    pub source: u32,
    /// Title of its chapter.
    pub title: String,
    /// It belongs to the chapter of the clip before it.
    pub continues: bool,
    /// Where it starts on the source, in ticks from the source's first video frame.
    pub start_ticks: i64,
    /// Where it was asked to start.
    pub asked_ticks: i64,
    /// How long it was asked to be, in ticks.
    pub asked_duration_ticks: i64,
    /// Number of the source's frame that it starts with, counted in the source's rate.
    pub start_frame: u64,
    /// Its first frame on the montage. During a dissolve it lies before the last frame of the clip before it.
    pub first_frame: u64,
    /// Number of frames.
    pub frames: u64,
    /// Its first audio sample on the montage.
    pub first_sample: u64,
    /// Number of audio samples.
    pub samples: u64,
    /// How it is cut: never `auto`.
    pub mode: CutMode,
    /// How many of its frames are copied bit for bit.
    pub copied_frames: u64,
    /// Where its source differs from the canvas, so that all of it is encoded.
    pub differences: Vec<Difference>,
    /// Why it is made as it is, as a sentence for people.
    pub reason: String,
    /// What is done to its first and last frames.
    pub effects: Effects,
    /// Names what is kept of its sound, as [`Segment::key`] names a segment of its picture; absent when its source has none.
    pub sound_key: Option<String>,
    /// Names its sound for transcription, where that is kept apart from the other.
    pub speech_key: Option<String>,
    /// The bytes of the source that are needed for it, as far as its container tells: offset and length, in order.
    #[serde(default)]
    pub spans: Vec<(u64, u64)>,
}

/// What is done to a clip's first and last frames. Lengths in frames.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// It comes out of a colour.
    pub fade_in: u64,
    /// It goes into a colour.
    pub fade_out: u64,
    /// That colour: red, green, blue.
    pub colour: [u8; 3],
    /// The clip before it turns into it.
    pub dissolve_in: u64,
    /// It turns into the next clip.
    pub dissolve_out: u64,
    /// What is written over its first frames.
    pub name: Option<Name>,
}

/// A lower third over the first frames of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The large line.
    pub text: String,
    /// The small line below it.
    pub subtitle: Option<String>,
    /// How many frames it is seen.
    pub frames: u64,
    /// What tells the fonts that it is written with from others.
    pub fonts: String,
}

impl Effects {
    /// Frames at the start that are not the source's own.
    pub fn touched_start(&self) -> u64 {
        self.fade_in.max(self.dissolve_in).max(self.name.as_ref().map_or(0, |name| name.frames))
    }

    /// Frames at the end that are not the source's own.
    pub fn touched_end(&self) -> u64 {
        self.fade_out.max(self.dissolve_out)
    }
}

/// A way in which a source is not like the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Another codec.
    Codec,
    /// Another size.
    Size,
    /// Pixels of another shape.
    PixelShape,
    /// It is turned for showing.
    Rotation,
    /// Another or a varying frame rate.
    FrameRate,
    /// Another pixel format or depth.
    PixelFormat,
    /// Other colours or another range of them.
    Colour,
    /// Pictures in two fields.
    Interlaced,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Codec => "codec",
            Self::Size => "size",
            Self::PixelShape => "shape of pixels",
            Self::Rotation => "rotation",
            Self::FrameRate => "frame rate",
            Self::PixelFormat => "pixel format",
            Self::Colour => "colours",
            Self::Interlaced => "interlacing",
        })
    }
}

/// A run of a clip's frames that is made on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Position among the segments.
    pub index: u32,
    /// Index of its clip. A blend belongs to the clip that comes.
    pub clip: u32,
    /// Its first frame, counted in the clip.
    pub first_frame: u64,
    /// Number of frames, at least 1.
    pub frames: u64,
    /// Its first moment on the source, in ticks from the source's first video frame: of a copy the time of its first
    /// picture.
    pub at_ticks: i64,
    /// How it is made.
    pub kind: SegmentKind,
    /// Names its result: SHA-256 of all that its bytes depend on, in hexadecimal.
    pub key: String,
}

/// How a segment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// Its coded pictures are the source's, bit for bit.
    Copy,
    /// Decoded and encoded.
    Encode,
    /// Decoded from this clip and the end of the one before, blended and encoded.
    Blend,
}

impl SegmentKind {
    /// Its name for people and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Encode => "encode",
            Self::Blend => "blend",
        }
    }
}

impl Plan {
    /// SHA-256 of the plan's JSON, in hexadecimal. The fields are written in their declared order and there are no
    /// maps, so that equal plans have equal text.
    pub fn hash(&self) -> String {
        digest(self)
    }

    /// Length of the montage in ticks.
    pub fn duration_ticks(&self) -> i64 {
        self.canvas.frame_rate.frame_to_ticks(self.frames)
    }

    /// The first frame of a segment on the montage.
    pub fn segment_start(&self, segment: &Segment) -> u64 {
        let clip = self.clips.get(segment.clip as usize);
        clip.map_or(0, |clip| clip.first_frame) + segment.first_frame
    }

    /// The keys of everything that is made on its own: each is a file of the job directory while the montage is made, named
    /// by [`piece_file`]. A piece that lies there already is used.
    pub fn pieces(&self) -> Vec<&str> {
        let segments = self.segments.iter().map(|segment| segment.key.as_str());
        let sounds = self.clips.iter().flat_map(|clip| [&clip.sound_key, &clip.speech_key]).flatten();
        let mut pieces: Vec<&str> = segments.chain(sounds.map(String::as_str)).collect();
        pieces.sort_unstable();
        pieces.dedup();
        pieces
    }

    /// How many frames are copied bit for bit.
    pub fn copied_frames(&self) -> u64 {
        let copies = self.segments.iter().filter(|segment| segment.kind == SegmentKind::Copy);
        copies.map(|segment| segment.frames).sum()
    }
}

/// The name of a piece's file in the job directory.
pub fn piece_file(key: &str) -> String {
    format!("piece-{key}")
}

/// SHA-256 of a value's JSON, in hexadecimal.
pub(crate) fn digest(value: &impl Serialize) -> String {
    // Plans and their parts hold only numbers, text and lists; none of these can fail to be written.
    let json = serde_json::to_vec(value).unwrap_or_default();
    hex(&Sha256::digest(&json))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

/// How far behind a source's end a clip may reach, in ticks: two of the source's frames, for containers round their
/// lengths or leave the last frame's out. The last frame is shown for that long.
pub(crate) fn end_slack(rate: FrameRate) -> i64 {
    rate.frame_to_ticks(2)
}

/// The number of the frame that is on screen at `ticks`, on a source of even rate.
pub(crate) fn frame_at(rate: FrameRate, ticks: i64) -> u64 {
    let moment = (ticks + tolerance(rate)).max(0) as u128;
    let frame = moment * u128::from(rate.num()) / (u128::from(rate.den()) * TICKS_PER_SECOND as u128);
    u64::try_from(frame).unwrap_or(u64::MAX)
}

/// [`TIME_TOLERANCE_TICKS`], but never more than a quarter of a frame.
pub(crate) fn tolerance(rate: FrameRate) -> i64 {
    TIME_TOLERANCE_TICKS.min(rate.frame_to_ticks(1) / 4)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::facts::VideoFacts;

    /// The picture of a plain source: H.264, 1280 x 720 at 30 frames a second.
    pub(crate) fn video() -> VideoFacts {
        VideoFacts {
            stream: 0,
            codec: "h264".to_owned(),
            width: 1280,
            height: 720,
            sar_num: 1,
            sar_den: 1,
            rotation: 0,
            frame_rate: "30".parse().unwrap(),
            variable_rate: false,
            pixel_format: "yuv420p".to_owned(),
            bit_depth: 8,
            colour: Colour::bt709(),
            profile: 100,
            level: 31,
            progressive: true,
            bit_rate: 3_000_000,
        }
    }

    /// A plan of one clip with these segments.
    pub(crate) fn plan_of(segments: &[(SegmentKind, u64)]) -> Plan {
        let mut first_frame = 0;
        let segments: Vec<Segment> = segments
            .iter()
            .zip(0..)
            .map(|(&(kind, frames), index)| {
                let first = first_frame;
                first_frame += frames;
                Segment { index, clip: 0, first_frame: first, frames, at_ticks: 0, kind, key: String::new() }
            })
            .collect();
        Plan {
            version: PLAN_VERSION,
            title: String::new(),
            canvas: Canvas {
                codec: VideoCodec::H264,
                width: 1280,
                height: 720,
                sar_num: 1,
                sar_den: 1,
                frame_rate: "30".parse().unwrap(),
                bit_depth: 8,
                colour: Colour::bt709(),
            },
            encoder: EncoderSettings::default(),
            loudness_lufs: None,
            speech: false,
            sound: SoundPlan::Encode { why: String::new() },
            transition: Transition::default(),
            frames: first_frame,
            samples: first_frame * 1600,
            sources: vec![],
            clips: vec![],
            segments,
            poster_frame: None,
        }
    }

    #[test]
    fn frames_on_screen() {
        let rate: FrameRate = "30".parse().unwrap();
        let frame = rate.frame_to_ticks(1);
        assert_eq!(frame_at(rate, 0), 0);
        assert_eq!(frame_at(rate, frame - 1), 1, "a hair before its start is its start");
        assert_eq!(frame_at(rate, frame / 2), 0);
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
    }
}
