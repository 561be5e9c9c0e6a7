//! Montages: what an executor publishes, and what the library answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::BTreeMap};
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId, MontageId},
    object::Piece,
    replay::ReplayReport,
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
    /// How it was cut; absent for montages of before there was a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ClipMode>,
}

/// How a clip was cut out of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClipMode {
    /// To the frame: what lies between keyframes at its ends was encoded.
    Exact,
    /// Its ends moved to keyframes within the tolerance.
    Snap,
    /// Its ends moved to keyframes, however far: nothing was encoded.
    Copy,
}

/// What a montage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MontageKind {
    /// Highlights, one after the other.
    Montage,
    /// A replay of a game.
    Replay,
}

impl MontageKind {
    /// All kinds, by name.
    pub const NAMES: &[(&str, Self)] = &[("montage", Self::Montage), ("replay", Self::Replay)];

    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Montage => "montage",
            Self::Replay => "replay",
        }
    }
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

/// Frames of one clip that were taken over from its source, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CopiedRange {
    /// Index into the montage's clips.
    pub clip: u32,
    /// Its first frame on the montage.
    pub first_frame: u64,
    /// How many frames.
    pub frames: u64,
    /// SHA-256, in hexadecimal, of the SHA-256 hashes of its access units, one after the other in decoding order.
    pub sha256: String,
}

/// Frames of one clip that were encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EncodedRange {
    /// Index into the montage's clips.
    pub clip: u32,
    /// Its first frame on the montage.
    pub first_frame: u64,
    /// How many frames.
    pub frames: u64,
    /// Why they could not be copied, for a person.
    pub reason: String,
}

/// How a montage was made. What came after the first version may be absent from older records.
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
    /// Frames that are bit-for-bit copies of the sources', of all frames.
    #[serde(default)]
    pub frames_copied: u64,
    /// Which frames were copied, in order.
    #[serde(default)]
    pub copied: Vec<CopiedRange>,
    /// Which frames were encoded, in order, and why.
    #[serde(default)]
    pub encoded: Vec<EncodedRange>,
    /// Segments that were there already, from an earlier attempt or another montage.
    #[serde(default)]
    pub segments_reused: u32,
    /// Segments that were made for this one.
    #[serde(default)]
    pub segments_made: u32,
    /// The names of all executors that made segments of it.
    #[serde(default)]
    pub executors: Vec<String>,
    /// Loudness before levelling and gain, clip by clip.
    #[schema(value_type = Vec<Object>)]
    pub audio: serde_json::Value,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Versions of what took part.
    pub versions: BTreeMap<String, String>,
    /// How the render worker was confined.
    pub sandbox: Vec<String>,
}

/// The share of frames that are bit-for-bit copies, in words, such as `1184 of 1200 frames are bit-for-bit
/// copies (98.6 %)`. Never rounded up: it is cut off after one decimal, and 100 % is said only where every
/// frame is a copy. A count that cannot be (more copies than frames) claims no share.
#[must_use]
pub fn share_text(copied: u64, frames: u64) -> String {
    let share = match copied.cmp(&frames) {
        Ordering::Equal if frames > 0 => " (100 %)".to_owned(),
        Ordering::Less => {
            // Below 1000, because fewer are copied than there are.
            let thousandths = u128::from(copied) * 1000 / u128::from(frames);
            format!(" ({}.{} %)", thousandths / 10, thousandths % 10)
        }
        Ordering::Equal | Ordering::Greater => String::new(),
    };
    format!("{copied} of {frames} frames are bit-for-bit copies{share}")
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
    /// Of a replay: what was played, and whether what is shown is what the replay's header counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayReport>,
}

impl PublishRequest {
    /// What is published.
    #[must_use]
    pub fn kind(&self) -> MontageKind {
        if self.replay.is_some() { MontageKind::Replay } else { MontageKind::Montage }
    }
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
    /// What it is.
    pub kind: MontageKind,
    /// Its title.
    pub title: String,
    /// Names and values of its owner's own.
    pub labels: BTreeMap<String, String>,
    /// Who is seen in it, each once.
    pub streamers: Vec<String>,
    /// How many clips it has.
    pub clip_count: u64,
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
    /// Paths: `self`, `media`, `poster`, `sprites`, `captions`, `chapters`, `provenance`, and `playlist` where
    /// the media can be played as HLS too.
    pub links: BTreeMap<String, String>,
    /// The preview grid.
    pub sprites: Sprites,
    /// With a search: the best matching words, marked `<b>…</b>`, the rest escaped as HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// With a search: the second on the montage where the best matching words are said, or else where the best matching clip
    /// begins. Absent where only the title matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_at: Option<f64>,
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
    /// The transcript without its cues: engine, state and, where it failed, why.
    pub transcript: Transcript,
    /// What is missing, in words: `transcript`.
    pub missing: Vec<String>,
    /// Of a replay: what was played, and whether what is shown is what the replay's header counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayReport>,
}

/// One page of montages, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MontagePage {
    /// The montages.
    pub items: Vec<MontageSummary>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// `GET /v1/montages/facets`: what stands in the newest montages, for people to choose filters from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MontageFacets {
    /// How many montages were looked at: the newest 5000, or all where there are fewer.
    pub of: u64,
    /// Their kinds, the most frequent first.
    pub kinds: Vec<FacetCount>,
    /// Who is seen in them, the most frequent first; at most 100.
    pub streamers: Vec<FacetCount>,
    /// Their labels, the most frequent first; at most 100.
    pub labels: Vec<LabelCount>,
}

/// A name, and in how many montages it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    /// As the filter takes it.
    pub name: String,
    /// Of how many montages.
    pub count: u64,
}

/// A label, and how many montages have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LabelCount {
    /// The label's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Of how many montages.
    pub count: u64,
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_never_rounded_up() {
        for (copied, frames, share) in [
            (0, 1200, " (0.0 %)"),
            (1, 1_000_000, " (0.0 %)"),
            (1184, 1200, " (98.6 %)"),
            (2, 3, " (66.6 %)"),
            (9999, 10_000, " (99.9 %)"),
            (u64::MAX - 1, u64::MAX, " (99.9 %)"),
            (1200, 1200, " (100 %)"),
            (0, 0, ""),
            (5, 4, ""),
        ] {
            let text = share_text(copied, frames);
            assert_eq!(text, format!("{copied} of {frames} frames are bit-for-bit copies{share}"));
        }
    }

    proptest! {
        /// What is said is true: the share that is said is not more than the share that there is, and less than 0.1 % below it.
        #[test]
        fn what_is_said_is_true(copied in 0_u64..2_000_000, more in 0_u64..2_000_000) {
            let frames = copied + more;
            prop_assume!(frames > 0);
            let text = share_text(copied, frames);
            let said = text.rsplit_once('(').unwrap().1.trim_end_matches(" %)").to_owned();
            prop_assert_eq!(said == "100", more == 0);
            let (whole, tenth) = said.split_once('.').unwrap_or((&said, "0"));
            let thousandths = whole.parse::<u64>().unwrap() * 10 + tenth.parse::<u64>().unwrap();
            prop_assert!(thousandths * frames <= copied * 1000 && (thousandths + 1) * frames > copied * 1000);
        }
    }

    /// A record of before frames were copied is still read.
    #[test]
    fn old_records_are_read() {
        let old = serde_json::json!({
            "executor": "a", "attempt": 1, "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z",
            "sources": [], "plan": {}, "plan_hash": "", "frames_encoded": 30, "audio": [], "checks": [], "versions": {},
            "sandbox": []
        });
        let record: Provenance = serde_json::from_value(old).unwrap();
        assert_eq!((record.frames_copied, record.frames_encoded, record.executors.len()), (0, 30, 0));
        let clip = serde_json::json!({ "title": "a", "streamer": null, "score": null, "source": "s", "start": 0.0,
                                       "duration": 1.0, "source_start": 0.0, "frames": 30 });
        let clip: Clip = serde_json::from_value(clip).unwrap();
        assert_eq!(clip.mode, None);
        assert!(!serde_json::to_string(&clip).unwrap().contains("mode"));
    }
}
