//! Plans: what a montage will take, as it is shown before any work.
//!
//! Promises: a plan says for each clip how it is treated and why, and what that costs; the numbers add up to the totals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ids::JobId, spec::CutMode};

/// `POST /v1/plans` and `GET /v1/plans/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanAnswer {
    /// Its id; it is kept for an hour.
    pub id: JobId,
    /// The plan; absent while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanView>,
}

/// What a montage will take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// SHA-256 of the plan, in hexadecimal: the same sources and the same spec have the same.
    pub plan_hash: String,
    /// The picture that all clips are put on.
    pub canvas: PlanCanvas,
    /// Length of the montage, in seconds.
    pub duration: f64,
    /// Frames of the montage.
    pub frames: u64,
    /// Of those, how many have to be encoded.
    pub frames_encoded: u64,
    /// Bytes that the clips need of their sources. What is kept from earlier reading is not fetched again, and counted all
    /// the same.
    pub bytes_to_fetch: u64,
    /// How long an executor like the one that planned it will roughly take, in seconds, with nothing else to do; 0 where the
    /// executor is too old to say. Transcribing is not counted.
    #[serde(default)]
    pub seconds_estimated: f64,
    /// The clips, in the order in which they stand; intro and outro among them.
    pub clips: Vec<PlanClip>,
    /// What the montage is joined from, in order; the sound after the pictures.
    pub segments: Vec<PlanSegment>,
    /// What will not be as it was asked for, such as a name that no font can write.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// The picture that all clips are put on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanCanvas {
    /// How the video is coded.
    pub codec: PlanCodec,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Frames in a second, as a fraction such as `30/1` or `30000/1001`.
    pub frame_rate: String,
    /// 8 or 10.
    pub bit_depth: u8,
}

/// How the video of a planned montage is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanCodec {
    /// H.264.
    H264,
    /// H.265.
    Hevc,
}

/// One clip of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanClip {
    /// Its chapter; `Intro` and `Outro` for what stands before and after.
    pub title: String,
    /// The source as it was written (a link without its query).
    pub source: String,
    /// How it is cut: never `auto`, but what that came to.
    pub mode: CutMode,
    /// What was asked for, on the source.
    pub asked: PlanRange,
    /// What is taken, on the source.
    pub actual: PlanRange,
    /// Frames on the montage.
    pub frames: u64,
    /// Of those, how many are encoded.
    pub frames_encoded: u64,
    /// Of those, how many are copied bit for bit.
    pub frames_copied: u64,
    /// What of the source is not as the canvas, in words; with any of it nothing can be copied.
    pub differences: Vec<String>,
    /// Why it is treated as it is, in a sentence.
    pub reason: String,
    /// The stretches of the source that are needed, as offset and length in bytes; neighbours are one. None where the
    /// container has no index.
    pub spans: Vec<(u64, u64)>,
    /// Bytes of these; where there are none, the clip's share of the source by its length.
    pub bytes: u64,
}

/// A stretch of a source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanRange {
    /// In seconds.
    pub start: f64,
    /// In seconds.
    pub duration: f64,
}

/// One segment of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanSegment {
    /// Its number in the plan, from 0.
    pub index: u32,
    /// The clip that it is of, by its place among the clips, from 0; of a blend, the earlier one.
    pub clip: u32,
    /// How it is made.
    pub kind: PlanSegmentKind,
    /// Its first frame on the montage.
    pub first_frame: u64,
    /// How many frames it has.
    pub frames: u64,
    /// What names its result: 64 hexadecimal digits.
    pub key: String,
}

/// How a segment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanSegmentKind {
    /// Copied bit for bit.
    Copy,
    /// Encoded.
    Encode,
    /// Two clips turned into each other, encoded.
    Blend,
    /// A clip's sound.
    Sound,
}
