//! Probes: what is in a source, as it is shown to somebody who is about to cut from it.
//!
//! Promises: everything here comes from the container's own words and its index; nothing was looked for by reading the whole
//! source. What a container does not say is absent or 0.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::JobId;

/// Most key frames that a probe names.
pub const MOST_KEYFRAMES: usize = 20_000;

/// `POST /v1/probes` and `GET /v1/probes/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbeAnswer {
    /// Its id; it is kept for twelve hours.
    pub id: JobId,
    /// What was found; absent while somebody looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeView>,
}

/// What is in a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbeView {
    /// The container: `mp4`, `matroska`, `mpegts`, `mpegps`, or `hls` for a playlist.
    pub container: String,
    /// Its size. Of a playlist an estimate, from the segment that was looked into.
    pub bytes: u64,
    /// Length of the video, in seconds; 0 where the container does not say it. Of MPEG streams an estimate.
    pub duration: f64,
    /// Media type by its first bytes, such as `video/mp4`; absent where it has none of the known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The picture.
    pub video: ProbeVideo,
    /// The sound; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<ProbeAudio>,
    /// Where the picture can be decoded from, in seconds, ascending: cuts there cost least. At most 20,000, evenly taken from
    /// all of them; of a playlist the starts of its segments. Empty where the container has no index (MPEG streams, some
    /// fragmented MP4).
    pub keyframes: Vec<f64>,
    /// How many there are in all; 0 where the container has no index.
    pub keyframes_total: u64,
    /// Whether a browser can be expected to play the source's bytes as they are from `GET /v1/probes/{id}/media`.
    pub playable: bool,
}

/// A source's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeVideo {
    /// As in `h264`.
    pub codec: String,
    /// As it is shown, in pixels.
    pub width: u32,
    /// As it is shown, in pixels.
    pub height: u32,
    /// Frames in a second, as a fraction such as `30/1` or `30000/1001`; the average where it varies.
    pub frame_rate: String,
}

/// A source's sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProbeAudio {
    /// As in `aac`.
    pub codec: String,
    /// How many.
    pub channels: u32,
    /// Samples in a second.
    pub sample_rate: u32,
}
