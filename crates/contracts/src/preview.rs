//! The preview of a job: what can be played of a montage while it is being made. An executor sends fragmented MP4 that is
//! copied from the sources and says in which order it plays; the library answers it as an HLS playlist.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ExecutorId, JobId};

/// Most entries of a preview.
pub const MOST_ENTRIES: usize = 10_000;
/// Longest entry, in seconds.
pub const LONGEST_ENTRY: f64 = 3600.0;

/// What a name may be, for people.
pub const NAME_RULE: &str = "1 to 64 lower-case letters, digits, `-`, `_` and `.`, not beginning with `.`";

/// Whether a text can be the name of a preview's object.
#[must_use]
pub fn is_preview_name(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(allowed)
}

/// An object of a preview that an executor wants to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewWish {
    /// Its name within the preview.
    pub name: String,
    /// Its exact size.
    pub bytes: u64,
}

/// One media fragment of a preview, in playing order: a `moof` and its `mdat`, or several, beginning with a picture that needs no
/// other. Browsers want all init sections of a preview to have the same kinds of tracks: where one clip has no sound, none has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewEntry {
    /// The object that holds it.
    pub name: String,
    /// How long it plays.
    pub seconds: f64,
    /// Whether its timestamps, codec or size do not go on from the entry before.
    #[serde(default)]
    pub discontinuity: bool,
    /// The object with the init section that it and the entries after it need; absent where that does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// Where it lies in the object, as offset and length in bytes; absent where it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byterange: Option<(u64, u64)>,
}

/// `POST /v1/previews`: says what a job's preview is now, by the holder of the job's lease. Under one fence a preview only
/// grows: a shorter list than the one that is there, which comes late, changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The job.
    pub job_id: JobId,
    /// The fence of its lease.
    pub fence: i64,
    /// The holder of the lease.
    pub executor_id: ExecutorId,
    /// All fragments so far; each object is already in the store.
    pub entries: Vec<PreviewEntry>,
    /// Whether these are all that there will be.
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["0", "clip-3_init.mp4", &"a".repeat(64)] {
            assert!(is_preview_name(good), "{good}");
        }
        for bad in ["", ".a", "A", "a/b", "..", "a b", "a%2e", "ä", "a\n", &"a".repeat(65)] {
            assert!(!is_preview_name(bad), "{bad:?}");
        }
    }
}
