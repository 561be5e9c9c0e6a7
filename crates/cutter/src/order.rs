//! The order: what one render worker is asked to make, as data that travels from its parent.
//!
//! An order names sources by index and length only; it holds no address, path or secret. Field ranges are checked
//! by [`Order::problems`], which reports everything that is wrong at once.

use serde::{Deserialize, Serialize};

use crate::error::{Problem, ProblemKind};
use crate::time::FrameRate;

/// One montage to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Title of the montage, written into the file.
    #[serde(default)]
    pub title: String,
    /// The sources; clips name them by position.
    pub sources: Vec<SourceInfo>,
    /// The clips, in the order in which they are shown.
    pub clips: Vec<ClipOrder>,
    /// The wanted picture; what is absent is elected from the sources.
    #[serde(default)]
    pub canvas: CanvasOptions,
    /// The wanted sound.
    #[serde(default)]
    pub audio: AudioOptions,
    /// What a source may be at most.
    #[serde(default)]
    pub limits: MediaLimits,
    /// How pictures are encoded.
    #[serde(default)]
    pub encoder: EncoderSettings,
}

/// What is known about a source before it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Length in bytes.
    pub bytes: u64,
    /// What tells this version of the source from others (an ETag, a digest), where known. It takes part in the
    /// plan's hash and has no other meaning here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// One highlight to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipOrder {
    /// Index into [`Order::sources`].
    pub source: u32,
    /// Where the clip starts, from the source's first video frame.
    pub start: Moment,
    /// How long it is, or where it ends.
    pub extent: Extent,
    /// Title of its chapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A moment or a length on a source: `{"ticks": n}` or `{"frames": n}`.
///
/// Frames are counted in the source's own rate, the first one is number 0. On a source of variable rate they are
/// frames of its average rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Ticks of [`crate::time::TICKS_PER_SECOND`].
    Ticks(i64),
    /// Source frames.
    Frames(u64),
}

/// How far a clip reaches: `{"duration": …}` or `{"end": …}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// The clip's length.
    Duration(Moment),
    /// The first moment on the source that is not shown any more.
    End(Moment),
}

/// The picture of the montage. Absent fields are elected from the sources, see [`crate::canvas::elect_canvas`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanvasOptions {
    /// Width in pixels: even, 16 to 8192. Given alone, the height follows the elected shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels: even, 16 to 8192. Given alone, the width follows the elected shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<FrameRate>,
}

/// The sound of the montage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioOptions {
    /// Integrated loudness that each clip is brought to, in LUFS (EBU R128): -40 to -5.
    pub loudness_lufs: f64,
}

impl Default for AudioOptions {
    fn default() -> Self {
        Self { loudness_lufs: -16.0 }
    }
}

/// What a source and a montage may be at most. Checked from the probe, before any frame is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaLimits {
    /// Widest picture, in pixels.
    pub max_width: u32,
    /// Highest picture, in pixels.
    pub max_height: u32,
    /// Most pixels in a picture.
    pub max_pixels: u64,
    /// Longest montage, in ticks.
    pub max_duration_ticks: i64,
    /// Most streams in a source.
    pub max_streams: u32,
    /// Most clips in an order.
    pub max_clips: u32,
    /// Threads that decode and encode at the same time.
    pub threads: u32,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            max_width: 8192,
            max_height: 8192,
            max_pixels: 8192 * 4352,
            max_duration_ticks: 4 * 3600 * crate::time::TICKS_PER_SECOND,
            max_streams: 32,
            max_clips: 500,
            threads: 2,
        }
    }
}

/// How pictures are encoded (libx264).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncoderSettings {
    /// How hard the encoder tries.
    pub preset: Preset,
    /// Constant quality: 0 (lossless) to 51, lower is better.
    pub crf: u8,
    /// Seconds between key frames.
    pub keyframe_seconds: u32,
    /// Longest segment that is encoded on its own, in seconds.
    pub segment_seconds: u32,
    /// Audio bits per second (AAC).
    pub audio_bit_rate: u32,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self {
            preset: Preset::Veryfast,
            crf: 20,
            keyframe_seconds: 2,
            segment_seconds: 10,
            audio_bit_rate: 160_000,
        }
    }
}

/// The presets of libx264 that are worth choosing on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Fastest, largest file.
    Ultrafast,
    /// Between the two others.
    Superfast,
    /// The default: good quality for its time.
    Veryfast,
    /// Slower, smaller.
    Faster,
    /// Slower still.
    Fast,
    /// The encoder's own default.
    Medium,
}

impl Preset {
    /// The name by which libx264 knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
        }
    }
}

impl Order {
    /// Everything that is wrong with the order itself, whatever its sources hold.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut general = |kind| problems.push(Problem { clip: None, source: None, kind });
        if self.clips.is_empty() {
            general(ProblemKind::NoClips);
        }
        if self.clips.len() > self.limits.max_clips as usize {
            general(ProblemKind::TooManyClips {
                clips: self.clips.len() as u64,
                limit: self.limits.max_clips,
            });
        }
        for (name, value, limit) in [
            ("width", self.canvas.width, self.limits.max_width),
            ("height", self.canvas.height, self.limits.max_height),
        ] {
            if let Some(value) = value
                && (value % 2 != 0 || value < 16 || value > limit.min(8192))
            {
                let reason =
                    format!("the {name} {value} must be even and between 16 and {}", limit.min(8192));
                general(ProblemKind::InvalidCanvas { reason });
            }
        }
        let settings = [
            (self.encoder.crf <= 51, "crf must be at most 51"),
            ((1..=10).contains(&self.encoder.keyframe_seconds), "keyframe_seconds must be between 1 and 10"),
            ((2..=600).contains(&self.encoder.segment_seconds), "segment_seconds must be between 2 and 600"),
            (
                (32_000..=512_000).contains(&self.encoder.audio_bit_rate),
                "audio_bit_rate must be between 32000 and 512000",
            ),
            ((-40.0..=-5.0).contains(&self.audio.loudness_lufs), "loudness_lufs must be between -40 and -5"),
        ];
        for (_, reason) in settings.iter().filter(|(fine, _)| !fine) {
            general(ProblemKind::InvalidSetting { reason: (*reason).to_owned() });
        }
        for (index, clip) in self.clips.iter().enumerate() {
            if clip.source as usize >= self.sources.len() {
                problems.push(Problem {
                    clip: Some(index as u32),
                    source: Some(clip.source),
                    kind: ProblemKind::NoSuchSource { sources: self.sources.len() as u32 },
                });
            }
        }
        problems
    }
}
