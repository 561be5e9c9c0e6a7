//! Job specs: what a person asks for, decoded with every mistake reported at once and every default filled in.
//!
//! The decoded form serialises into a form that decodes to the same again: it is what the jobs repository stores, answers,
//! and hands to executors.

mod read;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    decode::Mistakes,
    ids::{MontageId, UploadId},
    job::JobKind,
    problem::FieldError,
    time::MediaTime,
    transcript::Engine,
};

/// Most highlights of one montage.
pub const MOST_HIGHLIGHTS: usize = 500;
/// Longest clip, in seconds.
pub const LONGEST_CLIP_SECONDS: i64 = 4 * 3600;
/// Longest title, in characters.
pub const LONGEST_TITLE: usize = 200;
/// Most labels of a job.
pub const MOST_LABELS: usize = 32;

/// `POST /v1/jobs`, decoded.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NewJob {
    /// The kind of result, implied by the spec.
    pub kind: JobKind,
    /// The title; made up from the first highlight if absent.
    pub title: String,
    /// Names and values of the sender's own.
    pub labels: BTreeMap<String, String>,
    /// Higher goes first; from -100 to 100.
    pub priority: i16,
    /// Not before this moment.
    pub run_at: Option<DateTime<Utc>>,
    /// What is asked for.
    pub spec: JobSpec,
}

/// What is asked for, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum JobSpec {
    /// Of a `montage` job.
    Montage(MontageSpec),
    /// Of a `transcript` job.
    Transcript(TranscriptSpec),
}

/// A montage of highlights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MontageSpec {
    /// The moments, 1 to 500.
    pub highlights: Vec<Highlight>,
    /// How clips are cut.
    pub cut: Cut,
    /// The picture that all clips are put on; what is absent is taken from the sources.
    pub canvas: Canvas,
    /// In which order the clips stand.
    pub order: Order,
    /// How it sounds.
    pub audio: Audio,
    /// What is between clips.
    pub transition: Transition,
    /// How it is transcribed.
    pub transcribe: Transcribe,
}

/// A moment worth showing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    /// Where it is.
    pub source: Source,
    /// Where it starts on the source.
    pub start: MediaTime,
    /// How long it is. Instead of it an `end` may be sent.
    pub duration: MediaTime,
    /// Its chapter.
    #[serde(default)]
    pub title: Option<String>,
    /// Who is seen.
    #[serde(default)]
    pub streamer: Option<String>,
    /// The higher the better.
    #[serde(default)]
    pub score: Option<f64>,
}

/// Where a highlight's video is: one of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A link to a media file (http or https).
    Url(String),
    /// A file below one of the operator's media directories, as `name:path/file.mkv`.
    Path(String),
    /// A file that was uploaded.
    Upload(UploadId),
    /// A montage of this library.
    Montage(MontageId),
}

impl Source {
    /// For people and records: as written, a link without its query, which may hold a signature.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Url(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            Self::Path(path) => path.clone(),
            Self::Upload(id) => format!("upload:{id}"),
            Self::Montage(id) => format!("montage:{id}"),
        }
    }
}

/// How clips are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Cut {
    /// The mode.
    pub mode: CutMode,
}

/// How exactly clips are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutMode {
    /// To the frame.
    #[default]
    Exact,
}

/// The picture that all clips are put on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Canvas {
    /// In pixels, even, 16 to 7680.
    pub width: Option<u32>,
    /// In pixels, even, 16 to 4320.
    pub height: Option<u32>,
    /// Such as `30`, `29.97` or `30000/1001`; 1 to 120.
    pub frame_rate: Option<String>,
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

/// How it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audio {
    /// Integrated loudness that every clip is levelled to (EBU R128), -40 to -5.
    pub loudness_lufs: f64,
}

impl Default for Audio {
    fn default() -> Self {
        Self { loudness_lufs: -16.0 }
    }
}

/// What is between clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Transition {
    /// The kind.
    pub kind: TransitionKind,
}

/// Kinds of transitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    /// A hard cut.
    #[default]
    None,
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

/// A new transcript for a montage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TranscriptSpec {
    /// Which montage.
    pub montage: MontageId,
    /// How it is transcribed.
    pub transcribe: Transcribe,
}

/// Why a job was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// There is no such kind; the text lists the kinds.
    UnknownKind(String),
    /// All mistakes.
    Invalid(Vec<FieldError>),
}

impl MontageSpec {
    /// The highlights' indexes in the order in which their clips stand.
    #[must_use]
    pub fn clip_order(&self) -> Vec<usize> {
        let mut indexes: Vec<usize> = (0..self.highlights.len()).collect();
        if self.order == Order::Score {
            let score = |index: &usize| {
                self.highlights.get(*index).and_then(|highlight| highlight.score).unwrap_or(f64::NEG_INFINITY)
            };
            indexes.sort_by(|a, b| score(b).total_cmp(&score(a)));
        }
        indexes
    }
}

/// The rule of [`is_label`], in words.
pub const LABEL_RULE: &str =
    "a label's name has 1 to 63 of a-z, 0-9, _ - . and its value is text of at most 200 characters";

/// Whether a label may be stored.
#[must_use]
pub fn is_label(name: &str, value: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
        && value.chars().count() <= 200
        && !value.chars().any(char::is_control)
}

/// Decodes a list of highlights on its own: what highlight sources deliver.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode_highlights(value: &Value) -> Result<Vec<Highlight>, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let list = read::highlights(value, "", &mut mistakes);
    mistakes.finish(Some(list))
}
