//! HLS playlists of finished recordings (VOD, RFC 8216) as sources.
//!
//! A playlist is read into segments and groups ([`MediaPlaylist`]); [`windows`] says, as a pure function, which segments the
//! clips of a montage need; [`crate::Fetcher::open_composite`] joins those into a virtual file that is read by offset, so that
//! nothing travels but what is asked for. Promises: counts and times are bounded, every address goes through the guard, and what
//! cannot be used (live streams, encryption, sound in a playlist of its own) is refused with its reason.

pub(crate) mod composite;
pub(crate) mod master;
mod playlist;
mod windows;

pub use playlist::{Group, Init, MediaPlaylist, Segment};
pub use windows::{Composite, Cutting, Part, Window, windows};

/// Ticks in one second: the unit of all times here, as everywhere in the product.
pub const TICKS_PER_SECOND: i64 = 705_600_000;

/// The longest playlist that is read, in bytes.
pub(crate) const LONGEST_PLAYLIST: u64 = 8 << 20;

/// Whether a file that begins so is a playlist.
pub(crate) fn is_playlist(beginning: &[u8]) -> bool {
    without_mark(beginning).starts_with(b"#EXTM3U")
}

/// Without the byte order mark that some editors leave.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
