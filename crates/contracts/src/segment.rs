//! Segments: the smallest pieces of a montage that are made on their own, each a result named by what it is made from, so that
//! an attempt finds what an earlier one made, an edited montage what is as before, and several executors share one montage.
//!
//! Executors trust each other here: whoever holds a lease on any job may look up and read every segment, and what one
//! executor made another one takes. A reader checks size and hash, which tell damage but not a lie.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::{ExecutorId, JobId},
    object::Grant,
};

/// Most segments of one request.
pub const MOST_SEGMENTS: usize = 1000;

/// Whether a text is a content key: 64 hexadecimal digits in lower case.
#[must_use]
pub fn is_segment_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A segment that an executor wants to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentWish {
    /// Its content key.
    pub key: String,
    /// Its exact size.
    pub bytes: u64,
}

/// A segment that is there: the link to read it by, and what its bytes must be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SegmentGrant {
    /// The link. It answers 404 where the segment was removed meanwhile: then it is made anew.
    pub grant: Grant,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal. To be checked.
    pub sha256: String,
}

/// A segment that an executor has sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredSegment {
    /// Its content key.
    pub key: String,
    /// The key of its grant.
    pub object_key: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// `POST /v1/segments`: takes in segments that were sent, by the holder of the job's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSegments {
    /// The job that they were made for.
    pub job_id: JobId,
    /// The fence of its lease.
    pub fence: i64,
    /// The holder of the lease.
    pub executor_id: ExecutorId,
    /// The segments, each already in the store.
    pub segments: Vec<StoredSegment>,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentsStored {
    /// Keys that are kept as sent.
    pub stored: Vec<String>,
    /// Keys that another writer had stored before; its bytes stand, and what was sent goes.
    pub present: Vec<String>,
}
