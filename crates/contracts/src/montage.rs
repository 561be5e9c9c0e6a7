//! Montages: what an executor publishes, and what the library answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId, MontageId},
    object::Piece,
    transcript::{Engine, Transcript, TranscriptState},
};

/// Facts of a media file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MediaInfo {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames in a second, as a fraction such as `30/1` or `30000/1001`.
    pub frame_rate: String,
    /// Video frames, counted.
    pub frames: u64,
    /// In ticks of 1/705,600,000 s.
    pub duration_ticks: i64,
    /// In seconds.
    pub duration: f64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// One highlight as it stands in the montage. Clips follow each other without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Clip {
    /// Its chapter.
    pub title: String,
    /// Who is seen.
    pub streamer: Option<String>,
    /// As the highlight had it.
    pub score: Option<f64>,
    /// The source as it was written in the job (a link without its query).
    pub source: String,
    /// Start on the montage, in seconds.
    pub start: f64,
    /// Length, in seconds.
    pub duration: f64,
    /// Start on the source, in seconds.
    pub source_start: f64,
    /// Frames on the montage.
    pub frames: u64,
}

/// The grid of small pictures for previews: `columns` by `rows` tiles, filled row by row, one every `interval` seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sprites {
    /// Width of one tile, in pixels.
    pub tile_width: u32,
    /// Height of one tile, in pixels.
    pub tile_height: u32,
    /// Tiles in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Tiles that are filled.
    pub count: u32,
    /// Seconds from one tile to the next.
    pub interval: f64,
}

/// One check that a result passed before it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// Such as `frame_count`.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// What was counted or measured.
    pub detail: String,
}

/// One source as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceRecord {
    /// As written in the job; a link without its query.
    pub source: String,
    /// What identified its bytes: ETag, or size and time.
    pub identity: String,
    /// Its size.
    pub bytes: u64,
    /// Bytes that were read from it.
    pub bytes_read: u64,
    /// Requests that this took.
    pub requests: u64,
    /// Container, codecs, size and rate, in words.
    pub description: String,
}

/// How a montage was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provenance {
    /// The executor's name.
    pub executor: String,
    /// Which attempt made it.
    pub attempt: i32,
    /// When that attempt began.
    pub started_at: DateTime<Utc>,
    /// When the result was ready to publish.
    pub finished_at: DateTime<Utc>,
    /// What was read.
    pub sources: Vec<SourceRecord>,
    /// The plan as it was carried out: canvas, clips, segments and reasons.
    #[schema(value_type = Object)]
    pub plan: serde_json::Value,
    /// SHA-256 of the plan.
    pub plan_hash: String,
    /// Frames that were encoded, of all frames.
    pub frames_encoded: u64,
    /// Loudness before levelling and gain, clip by clip.
    #[schema(value_type = Object)]
    pub audio: serde_json::Value,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Versions of what took part.
    pub versions: BTreeMap<String, String>,
    /// How the render worker was confined.
    pub sandbox: Vec<String>,
}

/// A stored piece of a result, as the executor names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredPiece {
    /// Which piece.
    pub piece: Piece,
    /// The key of its grant.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// `POST /v1/results`: publishes a montage. Unique per job; only the newest fence may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The job.
    pub job_id: JobId,
    /// The fence of its lease.
    pub fence: i64,
    /// The holder of the lease.
    pub executor_id: ExecutorId,
    /// The montage's title.
    pub title: String,
    /// The job's labels.
    pub labels: BTreeMap<String, String>,
    /// What the media is.
    pub media: MediaInfo,
    /// Its clips, in order.
    pub clips: Vec<Clip>,
    /// The preview grid.
    pub sprites: Sprites,
    /// The objects, each already stored.
    pub pieces: Vec<StoredPiece>,
    /// What is said in it.
    pub transcript: Transcript,
    /// How it was made.
    pub provenance: Provenance,
}

/// `POST /v1/results/transcript`: replaces a montage's transcript, by the holder of a `transcript` job's lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishTranscriptRequest {
    /// The job.
    pub job_id: JobId,
    /// The fence of its lease.
    pub fence: i64,
    /// The holder of the lease.
    pub executor_id: ExecutorId,
    /// Whose transcript it is.
    pub montage_id: MontageId,
    /// The new one.
    pub transcript: Transcript,
}

/// A montage as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MontageSummary {
    /// Its id.
    pub id: MontageId,
    /// The job that made it.
    pub job_id: JobId,
    /// Its title.
    pub title: String,
    /// Names and values of its owner's own.
    pub labels: BTreeMap<String, String>,
    /// Who is seen in it, each once.
    pub streamers: Vec<String>,
    /// In seconds.
    pub duration: f64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Whether it has its transcript.
    pub transcript_state: TranscriptState,
    /// When it was published.
    pub created_at: DateTime<Utc>,
    /// Paths: `self`, `media`, `poster`, `sprites`, `captions`, `chapters`, `provenance`.
    pub links: BTreeMap<String, String>,
    /// With a search: the best matching words, marked `<b>…</b>`, the rest escaped as HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
}

/// A montage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Montage {
    /// What lists show.
    #[serde(flatten)]
    pub summary: MontageSummary,
    /// When its title, labels or transcript changed.
    pub updated_at: DateTime<Utc>,
    /// What the media is.
    pub media: MediaInfo,
    /// Its clips, in order; a chapter each.
    pub clips: Vec<Clip>,
    /// The preview grid.
    pub sprites: Sprites,
    /// The transcript without its cues: engine, state and, where it failed, why.
    pub transcript: Transcript,
    /// What is missing, in words: `transcript`.
    pub missing: Vec<String>,
}

/// One page of montages, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MontagePage {
    /// The montages.
    pub items: Vec<MontageSummary>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// `PATCH /v1/montages/{id}` (JSON Merge Patch, RFC 7396, of these fields).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MontagePatch {
    /// A new title; 1 to 200 characters.
    #[serde(default)]
    pub title: Option<String>,
    /// Labels to set; null removes one.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, Option<String>>>,
}

/// `POST /v1/montages/{id}/transcribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TranscribeRequest {
    /// Which engine.
    pub engine: Engine,
    /// BCP 47 language of the speech; the engine's default if absent.
    #[serde(default)]
    pub language: Option<String>,
}
