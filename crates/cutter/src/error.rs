//! What can go wrong in a render, as data that travels from the worker to its parent and on to a person.
//!
//! Each error has a stable [`RenderError::code`], a message that says what to do, the clips it concerns, and
//! whether trying again can help. Nothing in a message names a path, an address or a secret.

use std::fmt::Write as _;

use replay::error::ReplayError;
use serde::{Deserialize, Serialize};

use crate::report::Check;
use crate::time::ticks_to_text;

/// Why a montage was not made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RenderError {
    /// The order cannot be carried out with these sources. Every problem that could be found is listed.
    #[error("{}", list(problems))]
    Refused {
        /// At least one problem.
        problems: Vec<Problem>,
    },
    /// The parent could not deliver a source's bytes.
    #[error("source {source_index} could not be read: {reason}")]
    SourceUnavailable {
        /// Index of the source.
        source_index: u32,
        /// What the parent said.
        reason: String,
        /// Whether the parent said that trying again is useless.
        permanent: bool,
    },
    /// A clip's pictures or sound could not be decoded although its source was opened.
    #[error("clip {} could not be decoded: {reason}. Check that its source plays there.", clip + 1)]
    Decode {
        /// Index of the clip.
        clip: u32,
        /// What the decoder said.
        reason: String,
    },
    /// An encoder or the MP4 writer failed.
    #[error("the montage could not be encoded: {reason}")]
    Encode {
        /// What failed.
        reason: String,
    },
    /// The finished file did not pass its checks and must not be published.
    #[error("the montage did not pass its checks: {}", failed(checks))]
    Verify {
        /// The checks, failed and passed.
        checks: Vec<Check>,
    },
    /// A replay that cannot be shown.
    #[error("{0}")]
    Replay(ReplayError),
    /// Memory ran out, by the worker's limit or the machine's.
    #[error(
        "the render needed more memory than it may use: choose a smaller canvas or raise the worker's limit"
    )]
    OutOfMemory,
    /// A file of the job could not be written or read.
    #[error("a working file could not be written or read: {reason}")]
    Io {
        /// What the system said.
        reason: String,
    },
    /// Worker and parent did not understand each other.
    #[error("the render worker and its executor disagree: {reason}. Are both of the same version?")]
    Protocol {
        /// What was unexpected.
        reason: String,
    },
}

impl RenderError {
    /// A stable word for programs. For a refused order it is the code of its first problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { problems } => problems.first().map_or("refused", |problem| problem.kind.code()),
            Self::SourceUnavailable { .. } => "source_unavailable",
            Self::Decode { .. } => "decode_failed",
            Self::Encode { .. } => "encode_failed",
            Self::Verify { .. } => "verify_failed",
            Self::Replay(error) => error.code(),
            Self::OutOfMemory => "out_of_memory",
            Self::Io { .. } => "worker_io",
            Self::Protocol { .. } => "worker_protocol",
        }
    }

    /// The first clip that the error concerns, by index, where it concerns one.
    pub fn clip(&self) -> Option<u32> {
        match self {
            Self::Refused { problems } => problems.iter().find_map(|problem| problem.clip),
            Self::Decode { clip, .. } => Some(*clip),
            _ => None,
        }
    }

    /// Whether the same order with the same sources fails again.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Decode { .. } | Self::Replay(_) => true,
            Self::SourceUnavailable { permanent, .. } => *permanent,
            _ => false,
        }
    }

    /// A refusal for one reason.
    pub fn refused(clip: Option<u32>, source: Option<u32>, kind: ProblemKind) -> Self {
        Self::Refused { problems: vec![Problem { clip, source, kind }] }
    }
}

impl From<std::io::Error> for RenderError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::OutOfMemory {
            return Self::OutOfMemory;
        }
        Self::Io { reason: error.to_string() }
    }
}

/// One thing that is wrong with an order or a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Index of the clip, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<u32>,
    /// Index of the source, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<u32>,
    /// What is wrong.
    #[serde(flatten)]
    pub kind: ProblemKind,
}

/// What is wrong with an order or a source. Lengths are in ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum ProblemKind {
    /// The order has no clips.
    #[error("there is nothing to show: give at least one highlight")]
    NoClips,
    /// The order has more clips than are allowed.
    #[error("{clips} highlights are more than the {limit} that are allowed")]
    TooManyClips {
        /// How many there are.
        clips: u64,
        /// How many there may be.
        limit: u32,
    },
    /// A clip names a source that is not there.
    #[error("it names a source that is not among the {sources} given")]
    NoSuchSource {
        /// How many sources there are.
        sources: u32,
    },
    /// The asked canvas cannot be encoded.
    #[error("the canvas cannot be made: {reason}")]
    InvalidCanvas {
        /// Which rule it breaks.
        reason: String,
    },
    /// A setting is out of its range.
    #[error("a setting is out of range: {reason}")]
    InvalidSetting {
        /// Which rule it breaks.
        reason: String,
    },
    /// The bytes are none of the containers that are read.
    #[error("its source is {found}, which is not read: use MP4, MOV, Matroska, WebM or MPEG")]
    UnsupportedContainer {
        /// What the bytes look like.
        found: String,
    },
    /// The picture or sound is in a codec that is not decoded.
    #[error("its source uses the {media} codec {codec}, which is not decoded: convert it to H.264 and AAC")]
    UnsupportedCodec {
        /// `video` or `audio`.
        media: String,
        /// Name of the codec.
        codec: String,
    },
    /// The source is damaged or not what it claims to be.
    #[error("its source cannot be opened: {reason}")]
    Unreadable {
        /// What the reader said.
        reason: String,
    },
    /// The source has no moving picture.
    #[error("its source has no video")]
    NoVideo,
    /// The source's picture is too large.
    #[error(
        "its source's picture of {width} x {height} is larger than the {max_width} x {max_height} allowed"
    )]
    PictureTooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Widest allowed.
        max_width: u32,
        /// Highest allowed.
        max_height: u32,
    },
    /// The source has too many streams.
    #[error("its source has {streams} streams, more than the {limit} allowed")]
    TooManyStreams {
        /// How many it has.
        streams: u32,
        /// How many it may have.
        limit: u32,
    },
    /// A clip starts before its source does.
    #[error("it starts before its source does: the start must not be negative")]
    StartsBeforeSource,
    /// A clip starts at or behind its source's end.
    #[error("it starts at {}, but its source ends at {}", ticks_to_text(*start), ticks_to_text(*duration))]
    StartsBeyondEnd {
        /// Where the clip starts.
        start: i64,
        /// How long the source is.
        duration: i64,
    },
    /// A clip reaches behind its source's end.
    #[error("it ends at {}, but its source ends at {}: make it shorter", ticks_to_text(*end), ticks_to_text(*duration))]
    EndsEarly {
        /// Where the clip ends.
        end: i64,
        /// How long the source really is.
        duration: i64,
    },
    /// A clip has no length.
    #[error("it has no length: its end must be behind its start")]
    ZeroLength,
    /// The montage would be too long.
    #[error("the montage would last {}, longer than the {} allowed", ticks_to_text(*duration), ticks_to_text(*limit))]
    TooLong {
        /// How long it would be.
        duration: i64,
        /// How long it may be.
        limit: i64,
    },
}

impl ProblemKind {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoClips => "no_clips",
            Self::TooManyClips { .. } => "too_many_clips",
            Self::NoSuchSource { .. } => "no_such_source",
            Self::InvalidCanvas { .. } => "invalid_canvas",
            Self::InvalidSetting { .. } => "invalid_setting",
            Self::UnsupportedContainer { .. } => "unsupported_container",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::Unreadable { .. } => "unreadable_source",
            Self::NoVideo => "no_video",
            Self::PictureTooLarge { .. } => "picture_too_large",
            Self::TooManyStreams { .. } => "too_many_streams",
            Self::StartsBeforeSource => "starts_before_source",
            Self::StartsBeyondEnd { .. } => "starts_beyond_end",
            Self::EndsEarly { .. } => "source_ends_early",
            Self::ZeroLength => "zero_length",
            Self::TooLong { .. } => "too_long",
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.clip, self.source) {
            (Some(clip), _) => write!(f, "clip {}: {}", clip + 1, self.kind),
            (None, Some(source)) => write!(f, "source {}: {}", source + 1, self.kind),
            (None, None) => write!(f, "{}", self.kind),
        }
    }
}

fn list(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let _ = write!(text, "{}{problem}", if text.is_empty() { "" } else { "; " });
    }
    text
}

fn failed(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks.iter().filter(|check| !check.passed) {
        let _ = write!(text, "{}{} ({})", if text.is_empty() { "" } else { "; " }, check.name, check.detail);
    }
    text
}
