//! Grants: signed links for one object and one method, valid for minutes, so that executors hold no storage credentials.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId, MontageId, UploadId},
    preview::PreviewWish,
    segment::{SegmentGrant, SegmentWish},
};

/// What an executor wants to read for a job.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReadWish {
    /// A file that somebody uploaded.
    Upload(UploadId),
    /// The media of a montage.
    Montage(MontageId),
    /// The speech of a montage (16 kHz mono WAV), to transcribe again.
    Speech(MontageId),
}

/// The pieces of a result that are stored as objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// `media.mp4`
    Media,
    /// `poster.jpg`
    Poster,
    /// `sprites.jpg`
    Sprites,
    /// `speech.wav`, kept so that a montage can be transcribed again.
    Speech,
    /// `media.m3u8`: the byte ranges of `media.mp4` as an HLS playlist, so that the same bytes are a download and a stream.
    Playlist,
}

/// The media type of HLS playlists (RFC 8216, section 4).
pub const HLS: &str = "application/vnd.apple.mpegurl";

impl Piece {
    /// The file's name in the store and in the executor's job directory.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Media => "media.mp4",
            Self::Poster => "poster.jpg",
            Self::Sprites => "sprites.jpg",
            Self::Speech => "speech.wav",
            Self::Playlist => "media.m3u8",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Media => "video/mp4",
            Self::Poster | Self::Sprites => "image/jpeg",
            Self::Speech => "audio/wav",
            Self::Playlist => HLS,
        }
    }
}

/// What an executor wants to write for a job.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteWish {
    /// Which piece.
    pub piece: Piece,
    /// Its exact size.
    pub bytes: u64,
}

/// `POST /v1/grants`, by the holder of the job's lease only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The job that the links are for.
    pub job_id: JobId,
    /// The fence of the lease.
    pub fence: i64,
    /// The holder of the lease.
    pub executor_id: ExecutorId,
    /// Wanted for reading.
    #[serde(default)]
    pub read: Vec<ReadWish>,
    /// Wanted for writing.
    #[serde(default)]
    pub write: Vec<WriteWish>,
    /// Keys of segments to look up and read. A segment that is found counts as used now.
    #[serde(default)]
    pub segments: Vec<String>,
    /// Segments to write, each to a place of its own, until `POST /v1/segments` takes them in.
    #[serde(default)]
    pub write_segments: Vec<SegmentWish>,
    /// Objects of the job's preview to write, until `POST /v1/previews` shows them.
    #[serde(default)]
    pub write_preview: Vec<PreviewWish>,
}

impl GrantRequest {
    /// A request of a lease's holder that wishes for nothing yet.
    #[must_use]
    pub fn new(job_id: JobId, fence: i64, executor_id: ExecutorId) -> Self {
        Self {
            job_id,
            fence,
            executor_id,
            read: Vec::new(),
            write: Vec::new(),
            segments: Vec::new(),
            write_segments: Vec::new(),
            write_preview: Vec::new(),
        }
    }
}

/// One signed link. Not to be logged.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// `GET` or `PUT`.
    pub method: String,
    /// Absolute, or a path on the gateway's own address.
    pub url: String,
    /// Headers to send along.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The object's key, as the result must name it.
    pub key: String,
    /// When the link ends.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Grant {
    /// Without the link, which is a credential.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Grant")
            .field("method", &self.method)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The links, in the order of the wishes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Grants {
    /// For [`GrantRequest::read`].
    pub read: Vec<Grant>,
    /// For [`GrantRequest::write`].
    pub write: Vec<Grant>,
    /// For [`GrantRequest::segments`]; null for one that is not there.
    #[serde(default)]
    pub segments: Vec<Option<SegmentGrant>>,
    /// For [`GrantRequest::write_segments`].
    #[serde(default)]
    pub write_segments: Vec<Grant>,
    /// For [`GrantRequest::write_preview`].
    #[serde(default)]
    pub write_preview: Vec<Grant>,
}

/// An uploaded file: `{"upload": id}` in a source.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// Names it in a source.
    pub id: UploadId,
    /// The name that the sender gave it; only for show.
    pub name: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Whether all of it is there: only then can it be used.
    pub complete: bool,
    /// Bytes that have come so far.
    pub received: u64,
    /// SHA-256 of its bytes, in hexadecimal; absent until it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// When it was complete, or begun if it is not.
    pub created_at: DateTime<Utc>,
}

/// One page of uploads, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadPage {
    /// Those that are complete.
    pub items: Vec<Upload>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}
