//! Chapters and the title: what goes into `udta`, and the samples of the chapter track.
//!
//! Chapters are written twice, because players know one or the other: as Nero's list (`chpl`) and as a QuickTime text
//! track. Titles that are too long are cut between characters.

use super::boxes::{Bytes, Put, put_box, put_full_box};
use super::{Chapter, Movie};

/// Longest title and most chapters in a `chpl` box, whose lengths are single bytes.
const NERO_LIMIT: usize = u8::MAX as usize;
/// Longest title in the chapter track: longer ones are of no use to anybody.
const TEXT_LIMIT: usize = 1024;

/// As much of `text` as fits into `bytes`, cut between characters.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=text.len().min(bytes)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// A sample of the chapter track: the title's length, the title, and a box that says that it is UTF-8.
fn text(title: &str) -> Bytes {
    let title = cut(title, TEXT_LIMIT);
    let mut out = Bytes::new();
    out.u16(title.len() as u16);
    out.bytes(title.as_bytes());
    put_box(&mut out, b"encd", |out| out.u32(0x100));
    out
}

/// All samples of the chapter track.
pub(super) fn texts(chapters: &[Chapter]) -> Bytes {
    chapters.iter().flat_map(|chapter| text(&chapter.title)).collect()
}

/// Lengths of the chapter track's samples in bytes.
pub(super) fn text_sizes(chapters: &[Chapter]) -> Vec<u32> {
    chapters.iter().map(|chapter| text(&chapter.title).len() as u32).collect()
}

/// The time scale of the chapter track. It is the pictures' unless a chapter could not be as long as the movie then.
pub(super) fn text_timescale(movie: &Movie<'_>) -> u32 {
    let units = movie.video.samples.len() as u64 * u64::from(movie.video.sample_duration);
    if u32::try_from(units).is_ok() { movie.video.timescale } else { 1000 }
}

/// The chapters' durations in the time scale of their track.
pub(super) fn text_durations(movie: &Movie<'_>) -> Vec<u32> {
    let scale = text_timescale(movie);
    let end = movie.video.samples.len() as u64;
    let starts = movie.chapters.iter().map(|chapter| chapter.first_frame).chain([end]);
    let places: Vec<u64> = starts.map(|frame| frame_time(movie, frame, scale)).collect();
    // Below 50 days in any case.
    places.windows(2).map(|pair| u32::try_from(pair[1] - pair[0]).unwrap_or(u32::MAX)).collect()
}

/// When a frame is shown, in units of 1 / `scale` seconds, to the nearest.
pub(super) fn frame_time(movie: &Movie<'_>, frame: u64, scale: u32) -> u64 {
    let timescale = u128::from(movie.video.timescale);
    let units = u128::from(frame) * u128::from(movie.video.sample_duration) * u128::from(scale);
    ((units + timescale / 2) / timescale) as u64
}

/// Appends `udta` with title and chapters, if there are any.
pub(super) fn put_user_data(out: &mut Bytes, movie: &Movie<'_>) {
    if movie.title.is_empty() && movie.chapters.is_empty() {
        return;
    }
    put_box(out, b"udta", |out| {
        if !movie.title.is_empty() {
            put_title(out, movie.title);
        }
        if !movie.chapters.is_empty() {
            put_nero_list(out, movie);
        }
    });
}

/// The title in the place where iTunes and everyone after it put it.
fn put_title(out: &mut Bytes, title: &str) {
    put_full_box(out, b"meta", 0, 0, |out| {
        put_full_box(out, b"hdlr", 0, 0, |out| {
            out.u32(0);
            out.bytes(b"mdirappl");
            out.zeros(9);
        });
        put_box(out, b"ilst", |out| {
            put_box(out, b"\xA9nam", |out| {
                put_box(out, b"data", |out| {
                    // UTF-8, of no country.
                    out.u32(1);
                    out.u32(0);
                    out.bytes(cut(title, usize::from(u16::MAX)).as_bytes());
                });
            });
        });
    });
}

fn put_nero_list(out: &mut Bytes, movie: &Movie<'_>) {
    /// Starts are counted in units of 100 ns.
    const SCALE: u32 = 10_000_000;
    let chapters = &movie.chapters[..movie.chapters.len().min(NERO_LIMIT)];
    put_full_box(out, b"chpl", 1, 0, |out| {
        out.u32(0);
        out.u8(chapters.len() as u8);
        for chapter in chapters {
            let title = cut(&chapter.title, NERO_LIMIT);
            out.u64(frame_time(movie, chapter.first_frame, SCALE));
            out.u8(title.len() as u8);
            out.bytes(title.as_bytes());
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn titles_are_cut_between_characters(title in "[aä語🎬]{0,40}", bytes in 0_usize..80) {
            let short = cut(&title, bytes);
            prop_assert!(title.starts_with(short) && short.len() <= bytes);
            let next = title[short.len()..].chars().next().map_or(0, char::len_utf8);
            prop_assert!(next == 0 || short.len() + next > bytes, "not shorter than it must be");
        }
    }
}
