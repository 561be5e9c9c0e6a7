//! What is said in a montage, in timed pieces.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One word of a cue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Word {
    /// Start on the montage, in seconds.
    pub start: f64,
    /// End on the montage, in seconds.
    pub end: f64,
    /// The word with its punctuation.
    pub text: String,
}

/// A timed piece of a transcript. It never crosses from one highlight into the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cue {
    /// Start on the montage, in seconds.
    pub start: f64,
    /// End on the montage, in seconds.
    pub end: f64,
    /// What is said.
    pub text: String,
    /// Index of the clip (the highlight as it stands in the montage) that this is said in.
    pub clip: usize,
    /// Start on the clip's source, in seconds.
    pub source_start: f64,
    /// End on the clip's source, in seconds.
    pub source_end: f64,
    /// The single words, where the engine times them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
}

/// What makes the cues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// A model that runs in the executor, offline (English).
    Local,
    /// An OpenAI-compatible service.
    Openai,
    /// No speech at all: what happens in a replay, told in words.
    Play,
    /// No transcript is wanted.
    None,
}

impl Engine {
    /// The name as it is written in specs and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Openai => "openai",
            Self::Play => "play",
            Self::None => "none",
        }
    }
}

/// Whether a montage has its transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptState {
    /// The cues are all there are.
    Complete,
    /// Transcribing failed; `reason` says why. It can be asked for again.
    Failed,
    /// None was asked for.
    None,
}

/// A montage's transcript as an executor reports it and as the library keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transcript {
    /// Whether the cues are there.
    pub state: TranscriptState,
    /// Which engine was asked.
    pub engine: Engine,
    /// The engine's model, where it has a name.
    pub model: Option<String>,
    /// BCP 47 language of the speech, such as `en`.
    pub language: Option<String>,
    /// Why there are no cues, for a person.
    pub reason: Option<String>,
    /// In order of time.
    #[serde(default)]
    pub cues: Vec<Cue>,
}
