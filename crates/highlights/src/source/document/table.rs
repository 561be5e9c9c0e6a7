//! Comma-separated values with a line of names. Pure.
//!
//! Reads what RFC 4180 describes and what spreadsheets make of it: semicolons or tabs where the line of names has no comma, decimal commas
//! then, quotes with line breaks inside, lines of nothing but separators. Rows are read one after the other; a bad one is reported with its
//! line.

use std::borrow::Cow;

use contracts::import::Mapping;
use csv::{ByteRecord, ReaderBuilder};

use super::{
    row::{Cell, Rows, Said},
    text,
};
use crate::{candidate::Found, source::SourceError};

/// Names of columns that are told.
const MOST_TOLD: usize = 20;

/// The columns of a table by what they say, in the order of [`Said`]'s fields.
const FIELDS: [&str; 8] = ["video", "start", "end", "duration", "title", "streamer", "score", "at"];

/// What the columns are called.
pub struct Columns([Column; 8]);

struct Column {
    name: String,
    /// Whether the source names it, so that it has to be there.
    is_named: bool,
}

impl Columns {
    /// The columns of a mapping; one that it does not name is called like its field.
    #[must_use]
    pub fn of(mapping: &Mapping) -> Self {
        let named = [
            &mapping.video,
            &mapping.start,
            &mapping.end,
            &mapping.duration,
            &mapping.title,
            &mapping.streamer,
            &mapping.score,
            &mapping.at,
        ];
        let mut fields = FIELDS.into_iter();
        Self(named.map(|named| {
            let field = fields.next().unwrap_or_default();
            Column { name: named.as_deref().unwrap_or(field).to_owned(), is_named: named.is_some() }
        }))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When its line of names cannot be read or lacks a column that is needed, or there are too many rows.
    pub fn read(&self, bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
        let bytes = text::plain(bytes)?;
        let separator = separator(bytes);
        let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(bytes);
        let names = reader.byte_headers().cloned().map_err(refused)?;
        let places = self.places(&names, rows)?;
        let mut record = ByteRecord::new();
        let mut lines = Lines { bytes, at: 0, line: 1 };
        while reader.read_byte_record(&mut record).map_err(refused)? {
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            rows.row()?;
            let start = record.position().map_or(0, |position| offset(position.byte()));
            let is_last = offset(reader.position().byte()) >= bytes.len();
            let read = if is_last && never_closes(bytes.get(start..).unwrap_or_default(), &record) {
                Err("a quote opens in it and never closes, so that all lines behind it are part of it"
                    .to_owned())
            } else if record.len() == names.len() {
                found(&record, &places, separator, rows)
            } else {
                Err(format!("it has {} fields, and the line of names {}", record.len(), names.len()))
            };
            rows.take(read, || format!("line {}", lines.of(start)));
        }
        Ok(())
    }

    /// Where each column is in a row.
    fn places(&self, names: &ByteRecord, rows: &Rows<'_>) -> Result<[Option<usize>; 8], SourceError> {
        let there: Vec<&str> = names
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::trim))
            .collect::<Result<_, _>>()
            .map_err(|_| {
                SourceError::Refused(
                    "line 1, with the names of the columns, is not written in UTF-8: save the list as UTF-8"
                        .to_owned(),
                )
            })?;
        let place = |name: &str| {
            there
                .iter()
                .position(|one| *one == name.trim())
                .or_else(|| there.iter().position(|one| one.eq_ignore_ascii_case(name.trim())))
        };
        let places = self.0.each_ref().map(|column| place(&column.name));
        let is_needed = |field: &str| field == "start" || (field == "video" && rows.usual.needs_video());
        let missing: Vec<String> = FIELDS
            .into_iter()
            .zip(&self.0)
            .zip(&places)
            .filter(|((field, column), place)| place.is_none() && (column.is_named || is_needed(field)))
            .map(|((_, column), _)| format!("`{}`", column.name))
            .collect();
        if missing.is_empty() {
            return Ok(places);
        }
        let mut told: Vec<String> = there
            .iter()
            .filter(|name| !name.is_empty())
            .take(MOST_TOLD)
            .map(|name| format!("`{name}`"))
            .collect();
        if told.is_empty() {
            told.push("none".to_owned());
        }
        Err(SourceError::Refused(format!(
            "line 1 of the list names no column {}; there are {}: say by `mapping` which column says what",
            missing.join(", "),
            told.join(", ")
        )))
    }
}

fn refused(error: csv::Error) -> SourceError {
    SourceError::Refused(format!("the list is not a table with a line of names: {error}"))
}

/// What stands between the names of the columns.
fn separator(bytes: &[u8]) -> u8 {
    let line =
        bytes.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or_default();
    b",;\t".iter().copied().find(|sign| line.contains(sign)).unwrap_or(b',')
}

fn offset(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Whether the last row, with its text, ends within quotes, and more lines than one with it.
fn never_closes(text: &[u8], record: &ByteRecord) -> bool {
    let is_long = record.iter().any(|cell| cell.contains(&b'\n'));
    is_long && text.iter().filter(|byte| **byte == b'"').count() % 2 == 1
}

/// Counts lines up to rows, each byte once: the reader's own count stands before the line breaks that it passes over.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The number of the line on which the row at an offset begins; the offsets ascend.
    fn of(&mut self, start: usize) -> usize {
        let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
        while let Some(byte) =
            self.bytes.get(self.at).copied().filter(|byte| self.at < start || is_break(*byte))
        {
            self.at += 1;
            let is_half = byte == b'\r' && self.bytes.get(self.at) == Some(&b'\n');
            self.line += usize::from(is_break(byte) && !is_half);
        }
        self.line
    }
}

fn found(
    record: &ByteRecord,
    places: &[Option<usize>; 8],
    separator: u8,
    rows: &mut Rows<'_>,
) -> Result<Found, String> {
    let mut texts: [&str; 8] = [""; 8];
    for (text, place) in texts.iter_mut().zip(places) {
        let Some(cell) = place.and_then(|place| record.get(place)) else { continue };
        *text = std::str::from_utf8(cell).map_err(|_| text::NOT_UTF8)?;
    }
    let [video, start, end, duration, title, streamer, score, at] = texts;
    let number = |text| decimal(text, separator);
    let (start, end, duration, score) = (number(start), number(end), number(duration), number(score));
    rows.read(&Said {
        video: Cell::text(video),
        start: Cell::text(&start),
        end: Cell::text(&end),
        duration: Cell::text(&duration),
        title: Cell::text(title),
        streamer: Cell::text(streamer),
        score: Cell::text(&score),
        at: Cell::text(at),
    })
}

/// A number or time with a point, where it is written with a decimal comma: behind a clock's seconds always, else where the comma does not
/// separate.
fn decimal(text: &str, separator: u8) -> Cow<'_, str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.trim().split_once(',') {
        Some((whole, fraction))
            if digits(fraction.trim_end_matches('s')) && (separator != b',' || whole.contains(':')) =>
        {
            Cow::Owned(format!("{whole}.{fraction}"))
        }
        _ => Cow::Borrowed(text),
    }
}
