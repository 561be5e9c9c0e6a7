//! The order: what one render worker is asked to make, as data that travels from its parent.
//!
//! An order names sources by index and length only; it holds no address, path or secret. Field ranges are checked
//! by [`Order::problems`], which reports everything that is wrong at once.

use contracts::replay::ReplayOptions;
use serde::{Deserialize, Serialize};

use crate::error::{Problem, ProblemKind};
use crate::plan::VideoCodec;
use crate::time::{FrameRate, TICKS_PER_SECOND};

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
    /// How clips are cut, unless they say otherwise.
    #[serde(default)]
    pub cut: Cut,
    /// What is between clips.
    #[serde(default)]
    pub transition: Transition,
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

/// The files of a replay's video among the sources of an order, and how it looks and sounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayOrder {
    /// The .osr.
    pub replay: u32,
    /// The .osz or .osu.
    pub map: u32,
    /// The song, where it is a file of its own.
    pub audio: Option<u32>,
    /// The .osk.
    pub skin: Option<u32>,
    /// How it looks and sounds.
    pub options: ReplayOptions,
}

/// What is known about a source before it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Length in bytes.
    pub bytes: u64,
    /// What tells this version of the source from others (an ETag, a digest), where known. It takes part in the
    /// names of segments and has no other meaning here.
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
    /// How it is cut; as [`Order::cut`] says where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// What is written over its first seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// It goes on where the clip before it ended: no transition between them, and no chapter of its own. So a stretch
    /// can come from two sources.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
    /// Where the source's own time 0 lies within the bytes that stand for it, in ticks: what is given to `start` and
    /// a final [`Extent::End`] is counted from there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shift_ticks: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// How a clip is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cut {
    /// The mode.
    pub mode: CutMode,
    /// How far start and end may move in the modes `snap` and `auto`, in ticks: at most ten seconds.
    pub tolerance_ticks: i64,
}

impl Default for Cut {
    fn default() -> Self {
        Self { mode: CutMode::Exact, tolerance_ticks: TICKS_PER_SECOND / 2 }
    }
}

/// How exactly a clip is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutMode {
    /// To the frame: what does not fall on a place where copying can start or end is encoded.
    Exact,
    /// Start and end move within the tolerance, where that saves encoding.
    Snap,
    /// The start moves back to where copying can start, the end to where it can end: nothing is encoded for the cut.
    Copy,
    /// `exact` where that encodes little, else `snap`.
    Auto,
}

/// A lower third: a name over the first seconds of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The large line.
    pub text: String,
    /// The small line below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// How long it is seen, with its soft appearing and going, in ticks.
    pub ticks: i64,
}

/// What is between clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transition {
    /// The kind.
    pub kind: TransitionKind,
    /// Its length in ticks: from a tenth of a second to five seconds.
    pub ticks: i64,
    /// The colour of a dip: red, green, blue.
    pub colour: [u8; 3],
}

impl Default for Transition {
    fn default() -> Self {
        Self { kind: TransitionKind::None, ticks: TICKS_PER_SECOND / 2, colour: [255; 3] }
    }
}

/// Kinds of transitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    /// A hard cut.
    None,
    /// Every clip comes out of black and goes into it, the first and last too. Keeps the length.
    Fade,
    /// From one clip into a colour and out of it into the next. Keeps the length.
    Dip,
    /// One clip turns into the next while both are seen. Each makes the montage shorter by its length.
    Dissolve,
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
    /// To the source's end.
    Rest,
}

/// The picture of the montage. Absent fields are elected from the sources, see [`crate::canvas::elect`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanvasOptions {
    /// The codec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<VideoCodec>,
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
    /// Integrated loudness that each clip is brought to, in LUFS (EBU R128): -40 to -5. `null`: as it is, which lets like
    /// sound be copied.
    pub loudness_lufs: Option<f64>,
    /// Whether the sound for transcription is made.
    pub speech: bool,
}

impl Default for AudioOptions {
    fn default() -> Self {
        Self { loudness_lufs: Some(-16.0), speech: true }
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

impl MediaLimits {
    /// The largest piece of memory that is needed at once, in bytes: two for each component of the largest picture, or the
    /// index of a recording of two days.
    pub(crate) fn most_allocated(&self) -> usize {
        self.max_pixels.saturating_mul(2).max(256 << 20) as usize
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
    /// The pictures are drawn, not filmed: plain areas with hard edges.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drawn: bool,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self {
            preset: Preset::Veryfast,
            crf: 20,
            keyframe_seconds: 2,
            segment_seconds: 10,
            audio_bit_rate: 160_000,
            drawn: false,
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
    fn cuts(&self) -> impl Iterator<Item = Cut> {
        self.clips.iter().filter_map(|clip| clip.cut).chain([self.cut])
    }

    /// What is written over the clips.
    pub fn overlays(&self) -> impl Iterator<Item = &Overlay> {
        self.clips.iter().filter_map(|clip| clip.overlay.as_ref())
    }

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
            (
                self.audio.loudness_lufs.is_none_or(|lufs| (-40.0..=-5.0).contains(&lufs)),
                "loudness_lufs must be between -40 and -5",
            ),
            (
                self.transition.kind == TransitionKind::None
                    || (TICKS_PER_SECOND / 10..=5 * TICKS_PER_SECOND).contains(&self.transition.ticks),
                "a transition must last between 0.1 and 5 seconds",
            ),
            (
                self.cuts().all(|cut| (0..=10 * TICKS_PER_SECOND).contains(&cut.tolerance_ticks)),
                "the tolerance of a cut must be at most 10 seconds",
            ),
            (
                self.overlays().all(|overlay| (0..=60 * TICKS_PER_SECOND).contains(&overlay.ticks)),
                "a title must be seen for at most 60 seconds",
            ),
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
