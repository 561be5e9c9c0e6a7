//! Job specs: what a person asks for, decoded with every mistake reported at once and every default filled in.
//!
//! The decoded form serialises into a form that decodes to the same again: it is what the jobs repository stores, answers,
//! and hands to executors.

mod change;
mod options;
mod read;
mod read_options;
mod replay;
#[cfg(test)]
mod tests;

pub use change::JobChange;
pub use options::{
    Audio, Canvas, CanvasCodec, Cut, CutMode, DEFAULT_LOUDNESS_LUFS, Order, Rgb, TitleShow, Titles,
    Transcribe, Transition, TransitionKind,
};
pub use read::{clip_length, read_labels};
pub use replay::ReplaySpec;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    ids::{JobId, MontageId, UploadId},
    job::JobKind,
    problem::FieldError,
    time::MediaTime,
};

/// Most highlights of one montage.
pub const MOST_HIGHLIGHTS: usize = 500;
/// Longest clip, in seconds.
pub const LONGEST_CLIP_SECONDS: i64 = 4 * 3600;
/// Longest title, in characters.
pub const LONGEST_TITLE: usize = 200;
/// Longest name of a streamer, in characters.
pub const LONGEST_STREAMER: usize = 100;
/// The best and, negated, the worst score.
pub const BEST_SCORE: f64 = 1e9;
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
    /// Of a `replay` job.
    Replay(ReplaySpec),
    /// Of a `plan` job: made by `POST /v1/plans` only.
    Plan {
        /// The montage whose plan is asked for.
        plan: MontageSpec,
    },
    /// Of a `segment` job: made by the executor that leads a montage only.
    Part {
        /// What is to be made.
        part: SegmentSpec,
    },
    /// Of a `probe` job: made by `POST /v1/probes` only.
    Probe {
        /// What is to be looked at.
        probe: ProbeSpec,
    },
}

impl JobSpec {
    /// The kind of job that it is the spec of.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Montage(_) => JobKind::Montage,
            Self::Transcript(_) => JobKind::Transcript,
            Self::Replay(_) => JobKind::Replay,
            Self::Plan { .. } => JobKind::Plan,
            Self::Part { .. } => JobKind::Segment,
            Self::Probe { .. } => JobKind::Probe,
        }
    }

    /// The montage that is to be made of it, if one is.
    #[must_use]
    pub fn montage(&self) -> Option<&MontageSpec> {
        match self {
            Self::Montage(spec) | Self::Plan { plan: spec } => Some(spec),
            Self::Part { part } => Some(&part.montage),
            Self::Transcript(_) | Self::Replay(_) | Self::Probe { .. } => None,
        }
    }

    /// Whether it names a source, so that whoever works on it may read that.
    #[must_use]
    pub fn names(&self, source: &Source) -> bool {
        match self {
            Self::Montage(spec)
            | Self::Plan { plan: spec }
            | Self::Part { part: SegmentSpec { montage: spec, .. } } => {
                spec.sources().any(|named| named == source)
            }
            Self::Transcript(spec) => *source == Source::Montage(spec.montage),
            Self::Replay(spec) => spec.sources().any(|named| named == source),
            Self::Probe { probe } => *source == probe.source,
        }
    }
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
    /// What is written over each clip.
    #[serde(default)]
    pub titles: Titles,
    /// What stands before the first clip.
    #[serde(default)]
    pub intro: Option<Bookend>,
    /// What stands after the last clip.
    #[serde(default)]
    pub outro: Option<Bookend>,
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
    /// How this clip is cut, where it differs from the whole.
    #[serde(default)]
    pub cut: Option<Cut>,
}

/// A clip that stands before or after all others: neither a chapter nor a highlight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bookend {
    /// Where it is.
    pub source: Source,
    /// Where it starts on the source.
    pub start: MediaTime,
    /// How long it is; to the end of the source if absent. Instead of it an `end` may be sent.
    #[serde(default)]
    pub duration: Option<MediaTime>,
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

/// Some segments of a montage that is under way, as another executor makes them.
///
/// Of these only the indexes are stored with each part; the rest is put together when it is claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SegmentSpec {
    /// The job that it is part of.
    pub job_id: JobId,
    /// The whole montage, as it was asked for.
    pub montage: MontageSpec,
    /// The whole plan, as the executor that leads the montage made it. Only for the executor that claims the part: null
    /// wherever else a part is answered.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub plan: Value,
    /// Which of the plan's segments are to be made.
    pub segments: Vec<u32>,
}

/// A source that somebody wants to know about before cutting from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// Where it is, as in a highlight.
    pub source: Source,
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

    /// How a highlight is cut: as it says itself, or else as the whole.
    #[must_use]
    pub fn cut_of(&self, highlight: &Highlight) -> Cut {
        highlight.cut.unwrap_or(self.cut)
    }

    /// Every source that it names, as often as it names it.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let bookends = [&self.intro, &self.outro].into_iter().flatten();
        self.highlights
            .iter()
            .map(|highlight| &highlight.source)
            .chain(bookends.map(|bookend| &bookend.source))
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
