//! Search: what `GET /v1/search` answers, down to the second on the montage and on the source.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::ids::{JobId, MontageId};

/// What a search found something in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    /// The title of a montage.
    Montage,
    /// The title or streamer of one of its highlights.
    Highlight,
    /// What is said in it.
    Cue,
}

/// One place that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// What was found.
    pub kind: HitKind,
    /// In which montage.
    pub montage_id: MontageId,
    /// The job that made it.
    pub job_id: JobId,
    /// The montage's title.
    pub title: String,
    /// Index of the clip; absent where the montage's title was found.
    pub clip: Option<usize>,
    /// The clip's title.
    pub clip_title: Option<String>,
    /// Who is seen in the clip.
    pub streamer: Option<String>,
    /// Where to play from on the montage, in seconds.
    pub start: f64,
    /// Where it ends on the montage, in seconds.
    pub end: f64,
    /// The clip's source.
    pub source: Option<String>,
    /// Where that is on the source, in seconds.
    pub source_start: Option<f64>,
    /// The text with the matching words marked `<b>…</b>`, the rest escaped as HTML.
    pub matched: String,
    /// Paths: `montage`, and `media` with the second as its fragment.
    pub links: BTreeMap<String, String>,
}

/// The best hits, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResults {
    /// The hits.
    pub items: Vec<SearchHit>,
}
