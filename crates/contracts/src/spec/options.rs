//! What can be set about a montage beside its highlights: how it is cut, what picture and sound it has, what is put between
//! and over its clips.
//!
//! Specs that an earlier version stored lack the newer settings: each of those has a default that means what was done then.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::{
    time::{MediaTime, TICKS_PER_SECOND},
    transcript::Engine,
};

/// How clips are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Cut {
    /// The mode.
    pub mode: CutMode,
    /// How far start and end may each move, with `snap` and `auto`.
    #[serde(default)]
    pub tolerance: Option<MediaTime>,
}

impl Cut {
    /// How far start and end may each move where nothing else is said: half a second.
    pub const DEFAULT_TOLERANCE: MediaTime = MediaTime::Ticks(TICKS_PER_SECOND / 2);

    /// How far start and end may each move, in ticks of [`TICKS_PER_SECOND`].
    #[must_use]
    pub fn tolerance_ticks(&self) -> i64 {
        match (self.mode, self.tolerance) {
            (CutMode::Exact | CutMode::Copy, _) => 0,
            (CutMode::Snap | CutMode::Auto, tolerance) => {
                tolerance.unwrap_or(Self::DEFAULT_TOLERANCE).ticks().unwrap_or(TICKS_PER_SECOND / 2)
            }
        }
    }
}

/// How exactly clips are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutMode {
    /// To the frame.
    #[default]
    Exact,
    /// Start and end move, within the tolerance, to places where nothing has to be encoded.
    Snap,
    /// The start moves back to the key picture before it: nothing is ever encoded for the sake of the cut.
    Copy,
    /// `exact` or `snap`, whichever the cost of the clip speaks for.
    Auto,
}

impl CutMode {
    /// All modes, by name.
    pub const NAMES: &[(&str, Self)] =
        &[("exact", Self::Exact), ("snap", Self::Snap), ("copy", Self::Copy), ("auto", Self::Auto)];
}

/// The picture that all clips are put on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Canvas {
    /// How the video is coded.
    #[serde(default)]
    pub codec: CanvasCodec,
    /// In pixels, even, 16 to 7680.
    pub width: Option<u32>,
    /// In pixels, even, 16 to 4320.
    pub height: Option<u32>,
    /// Such as `30`, `29.97` or `30000/1001`; 1 to 120.
    pub frame_rate: Option<String>,
}

/// How the video of a montage is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CanvasCodec {
    /// The one that costs the fewest encoded frames.
    #[default]
    Auto,
    /// H.264.
    H264,
    /// H.265.
    Hevc,
}

impl CanvasCodec {
    /// All codecs, by name.
    pub const NAMES: &[(&str, Self)] = &[("auto", Self::Auto), ("h264", Self::H264), ("hevc", Self::Hevc)];
}

/// In which order the clips stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they were sent.
    #[default]
    Given,
    /// The highest score first; equal ones as they were sent, those without a score last.
    Score,
}

/// What every clip is levelled to where nothing else is said, in LUFS.
pub const DEFAULT_LOUDNESS_LUFS: f64 = -16.0;

/// How it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audio {
    /// Integrated loudness that every clip is levelled to (EBU R128), -40 to -5. Null for no levelling: then sound that
    /// is alike may be copied.
    #[serde(default = "default_loudness")]
    #[schema(required)]
    pub loudness_lufs: Option<f64>,
}

#[allow(clippy::unnecessary_wraps)] // The default of an optional field.
fn default_loudness() -> Option<f64> {
    Some(DEFAULT_LOUDNESS_LUFS)
}

impl Default for Audio {
    fn default() -> Self {
        Self { loudness_lufs: default_loudness() }
    }
}

/// What is between clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Transition {
    /// The kind.
    pub kind: TransitionKind,
    /// How long it is; absent for `none`.
    #[serde(default)]
    pub duration: Option<MediaTime>,
    /// The colour that `dip` passes through; absent for all others.
    #[serde(default)]
    pub colour: Option<Rgb>,
}

impl Transition {
    /// How long a transition is where nothing else is said: half a second.
    pub const DEFAULT_DURATION: MediaTime = MediaTime::Ticks(TICKS_PER_SECOND / 2);

    /// How long it is, in ticks of [`TICKS_PER_SECOND`]; 0 where there is none.
    #[must_use]
    pub fn duration_ticks(&self) -> i64 {
        match self.kind {
            TransitionKind::None => 0,
            _ => self.duration.and_then(MediaTime::ticks).unwrap_or(TICKS_PER_SECOND / 2),
        }
    }
}

/// Kinds of transitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    /// A hard cut.
    #[default]
    None,
    /// The clip before fades to black, the next one fades in from it.
    Fade,
    /// The same through a colour.
    Dip,
    /// One clip turns into the next; they overlap.
    Dissolve,
}

impl TransitionKind {
    /// All kinds, by name.
    pub const NAMES: &[(&str, Self)] =
        &[("none", Self::None), ("fade", Self::Fade), ("dip", Self::Dip), ("dissolve", Self::Dissolve)];
}

/// A colour, written as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

impl Rgb {
    /// White.
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// Reads `#rrggbb`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self { red: part(0)?, green: part(2)?, blue: part(4)? })
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Serialize for Rgb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected a colour like #ffffff"))
    }
}

impl PartialSchema for Rgb {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A colour, written as `#rrggbb`."))
            .pattern(Some("^#[0-9a-fA-F]{6}$"))
            .into()
    }
}

impl ToSchema for Rgb {}

/// What is written over the lower third of each clip when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Titles {
    /// What of a highlight is shown; where it has none of that, nothing is.
    pub show: TitleShow,
    /// For how long; absent where nothing is shown.
    #[serde(default)]
    pub seconds: Option<MediaTime>,
}

impl Titles {
    /// How long titles stand where nothing else is said: four seconds.
    pub const DEFAULT_SECONDS: MediaTime = MediaTime::Ticks(4 * TICKS_PER_SECOND);

    /// For how long they are shown, in ticks of [`TICKS_PER_SECOND`]; 0 where there are none.
    #[must_use]
    pub fn ticks(&self) -> i64 {
        match self.show {
            TitleShow::None => 0,
            _ => self.seconds.and_then(MediaTime::ticks).unwrap_or(4 * TICKS_PER_SECOND),
        }
    }
}

/// What of a highlight is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TitleShow {
    /// Nothing.
    #[default]
    None,
    /// Its title.
    Title,
    /// Who is seen.
    Streamer,
    /// Both, in two lines.
    Both,
}

impl TitleShow {
    /// All choices, by name.
    pub const NAMES: &[(&str, Self)] =
        &[("none", Self::None), ("title", Self::Title), ("streamer", Self::Streamer), ("both", Self::Both)];
}

/// How it is transcribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transcribe {
    /// Which engine.
    pub engine: Engine,
    /// BCP 47 language of the speech, such as `en`; the engine's default if absent.
    pub language: Option<String>,
}

impl Default for Transcribe {
    fn default() -> Self {
        Self { engine: Engine::Local, language: None }
    }
}
