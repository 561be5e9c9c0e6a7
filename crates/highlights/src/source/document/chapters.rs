//! Chapters as they stand in the description of a video: a time and a title on each line. Pure.
//!
//! Each chapter lasts until the next one begins, or as long as the source says if that is shorter. Lines without a time are the rest of a
//! description, and left out. Where no line begins with a time, times at the ends of lines count.

use contracts::time::MediaTime;

use super::{
    row::{Rows, ticks},
    text::{self, BROKEN, NOT_UTF8, one_line},
};
use crate::{candidate::Found, source::SourceError};

/// What may stand before a time.
const BULLETS: &[char] = &['-', '–', '—', '*', '•', '·', '▶', '►', '(', '['];
/// What may stand between a time and a title.
const BETWEEN: &[char] = &['-', '–', '—', ':', '|', '•', '·', ')', ']', '.'];

/// A line with a time.
#[derive(Debug, PartialEq, Eq)]
struct Chapter<'a> {
    line: usize,
    start: &'a str,
    end: Option<&'a str>,
    title: &'a str,
}

/// Reads a document.
///
/// # Errors
/// When it has no chapter, or too many.
pub fn read(bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
    let text = text::decoded(bytes)?;
    let all = |read: fn(usize, &str) -> Option<Chapter<'_>>| -> Vec<Chapter<'_>> {
        text::lines(&text).filter_map(|(number, line)| read(number, line)).collect()
    };
    let mut chapters = all(time_first);
    if chapters.is_empty() {
        chapters = all(time_last);
    }
    if chapters.is_empty() {
        return Err(SourceError::Refused(
            "the list has no chapters: expected lines with a time and a title, like `1:05 The comeback`, and found none".to_owned(),
        ));
    }
    let mut before = None;
    let mut open: Option<(Chapter<'_>, i64)> = None;
    for chapter in chapters {
        rows.row()?;
        let start = match start(&chapter, before) {
            Ok(start) => start,
            Err(reason) => {
                rows.take(Err(reason), || format!("line {}", chapter.line));
                continue;
            }
        };
        before = Some(start);
        if let Some(last) = open.replace((chapter, start)) {
            take(last, Some(start), rows);
        }
    }
    if let Some(last) = open {
        take(last, None, rows);
    }
    Ok(())
}

fn start(chapter: &Chapter<'_>, before: Option<i64>) -> Result<i64, String> {
    let start = moment(chapter.start)?;
    if before.is_some_and(|before| start <= before) {
        return Err(format!("`{}` does not come after the chapter above it", chapter.start));
    }
    Ok(start)
}

/// A time of a chapter, in ticks.
fn moment(text: &str) -> Result<i64, String> {
    let time = MediaTime::parse(text).map_err(|detail| format!("`{text}` is not a time: {detail}"))?;
    time.ticks().ok_or_else(|| format!("`{text}` is not a time"))
}

fn take((chapter, start): (Chapter<'_>, i64), next: Option<i64>, rows: &mut Rows<'_>) {
    let read = found(&chapter, start, next, rows);
    rows.take(read, || format!("line {}", chapter.line));
}

fn found(chapter: &Chapter<'_>, start: i64, next: Option<i64>, rows: &mut Rows<'_>) -> Result<Found, String> {
    if chapter.title.contains(BROKEN) {
        return Err(NOT_UTF8.to_owned());
    }
    let end = match chapter.end {
        Some(end) => Some(moment(end)?),
        None => next,
    };
    if end.is_some_and(|end| end <= start) {
        return Err(format!("its end `{}` does not come after its start", chapter.end.unwrap_or_default()));
    }
    let usual = rows.usual.duration().and_then(MediaTime::ticks);
    let lasts = match (end.map(|end| end - start), usual) {
        (Some(length), Some(usual)) => length.min(usual),
        (Some(length), None) => length,
        (None, Some(usual)) => usual,
        (None, None) => return Err("the last chapter says no end: give the source a `duration`".to_owned()),
    };
    Ok(Found {
        source: rows.video(None)?,
        start: ticks(start)?,
        duration: Some(ticks(lasts)?),
        end: None,
        title: Some(one_line(chapter.title)),
        streamer: rows.streamer(None),
        score: None,
        cut: None,
        when: None,
    })
}

/// A time at the start of a text, and what is behind it. It has a colon, and may be wrong.
fn leading_time(text: &str) -> Option<(&str, &str)> {
    let is_part = |sign: char| sign.is_ascii_digit() || matches!(sign, ':' | '.');
    let (time, rest) = text.split_at(text.find(|sign| !is_part(sign)).unwrap_or(text.len()));
    // `0:10: Title` and `0:10. Title`.
    let inner = time.trim_end_matches([':', '.']);
    let is_time = inner.contains(':') && inner.starts_with(|sign: char| sign.is_ascii_digit());
    // `3:1st` and `10:30am` are words, not times.
    let is_word = rest.starts_with(char::is_alphanumeric) && inner.len() == time.len();
    (is_time && !is_word).then_some((inner, rest))
}

fn time_first(line: usize, text: &str) -> Option<Chapter<'_>> {
    let text = text.trim_start_matches(|sign: char| sign.is_whitespace() || BULLETS.contains(&sign));
    let (start, rest) = leading_time(text)?;
    let between = |text: &'_ str| -> usize {
        text.len()
            - text.trim_start_matches(|sign: char| sign.is_whitespace() || BETWEEN.contains(&sign)).len()
    };
    let title = &rest[between(rest)..];
    // A range, `0:00 - 1:30 Title`, says its own end.
    let is_range = rest.trim_start().starts_with(['-', '–', '—']);
    match leading_time(title).filter(|(end, _)| is_range && MediaTime::parse(end).is_ok()) {
        Some((end, rest)) => Some(Chapter { line, start, end: Some(end), title: &rest[between(rest)..] }),
        None => Some(Chapter { line, start, end: None, title }),
    }
}

fn time_last(line: usize, text: &str) -> Option<Chapter<'_>> {
    let text = text.trim_end_matches([')', ']']);
    let at = text.rfind(|sign: char| !sign.is_ascii_digit() && !matches!(sign, ':' | '.'))?;
    let (title, time) = text.split_at(at + text[at..].chars().next().map_or(0, char::len_utf8));
    let is_apart = title
        .ends_with(|sign: char| sign.is_whitespace() || BULLETS.contains(&sign) || BETWEEN.contains(&sign));
    let is_time = time.contains(':') && time.starts_with(|sign: char| sign.is_ascii_digit());
    let title = title.trim_end_matches(|sign: char| {
        sign.is_whitespace() || BULLETS.contains(&sign) || BETWEEN.contains(&sign)
    });
    (is_apart && is_time && !title.is_empty()).then_some(Chapter { line, start: time, end: None, title })
}
