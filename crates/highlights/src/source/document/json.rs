//! JSON of any form, read by a mapping of JSONPaths. Pure.
//!
//! Rows at the top of a document are parsed one after the other, so that a long list is never held as a whole.

use contracts::import::Mapping;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use serde_json_path::JsonPath;

use super::{
    path,
    row::{Cell, Rows, Said},
    text,
};
use crate::{candidate::Found, source::SourceError};

/// The paths of a mapping, parsed.
pub struct Paths {
    rows: Option<JsonPath>,
    video: JsonPath,
    start: JsonPath,
    end: JsonPath,
    duration: JsonPath,
    title: JsonPath,
    streamer: JsonPath,
    score: JsonPath,
    at: JsonPath,
}

impl Paths {
    /// Parses a mapping; a field that it does not name is where its own name leads.
    ///
    /// # Errors
    /// The first path that is none.
    pub fn of(mapping: &Mapping) -> Result<Self, SourceError> {
        let parse = |name: &str, text: &str| {
            path::parse(text)
                .map_err(|detail| SourceError::Refused(format!("`{name}` of the mapping: {detail}")))
        };
        let field = |name: &str, text: &Option<String>| match text {
            Some(text) => parse(name, text),
            None => parse(name, &format!("$.{name}")),
        };
        Ok(Self {
            rows: mapping.rows.as_deref().map(|text| parse("rows", text)).transpose()?,
            video: field("video", &mapping.video)?,
            start: field("start", &mapping.start)?,
            end: field("end", &mapping.end)?,
            duration: field("duration", &mapping.duration)?,
            title: field("title", &mapping.title)?,
            streamer: field("streamer", &mapping.streamer)?,
            score: field("score", &mapping.score)?,
            at: field("at", &mapping.at)?,
        })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is not JSON, has no rows where they should be, or too many.
    pub fn read(&self, bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
        let bytes = text::plain(bytes)?;
        if self.rows.is_some() {
            return self.read_page(&parse(bytes, "JSON")?, rows);
        }
        let list: Vec<&RawValue> = parse(bytes, EXPECTED)?;
        for (index, raw) in list.into_iter().enumerate() {
            rows.row()?;
            let read = row(raw).and_then(|value| self.found(&value, rows));
            rows.take(read, || format!("row {}", index + 1));
        }
        Ok(())
    }

    /// Reads a page that was parsed already.
    ///
    /// # Errors
    /// As [`Paths::read`].
    pub fn read_page(&self, page: &Value, rows: &mut Rows<'_>) -> Result<(), SourceError> {
        let list: Vec<&Value> = match (&self.rows, page) {
            (Some(path), _) => path.query(page).all(),
            (None, Value::Array(list)) => list.iter().collect(),
            (None, _) => {
                return Err(SourceError::Refused(format!(
                    "the list is not what it should be: expected {EXPECTED}"
                )));
            }
        };
        for (index, value) in list.into_iter().enumerate() {
            rows.row()?;
            let read = self.found(value, rows);
            rows.take(read, || format!("row {}", index + 1));
        }
        Ok(())
    }

    fn found(&self, row: &Value, rows: &mut Rows<'_>) -> Result<Found, String> {
        if !row.is_object() && !row.is_array() {
            return Err(
                "it is neither an object nor a list: does `rows` of the mapping lead to the rows?".to_owned()
            );
        }
        let cell = |path: &JsonPath| path.query(row).first().and_then(Cell::of);
        let said = Said {
            video: cell(&self.video),
            start: cell(&self.start),
            end: cell(&self.end),
            duration: cell(&self.duration),
            title: cell(&self.title),
            streamer: cell(&self.streamer),
            score: cell(&self.score),
            at: cell(&self.at),
        };
        let says_nothing = said.video.is_none() && said.start.is_none();
        if says_nothing && row.is_array() {
            return Err(
                "it is a list that says neither video nor start: should `rows` of the mapping end with [*]?"
                    .to_owned(),
            );
        }
        rows.read(&said)
    }
}

const EXPECTED: &str =
    "a JSON list of rows; where they lie deeper, `rows` of the mapping says so, like $.data[*]";

/// Parses a document.
///
/// # Errors
/// With the place, and what was expected.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], expected: &str) -> Result<T, SourceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        SourceError::Refused(format!("the list is not what it should be: expected {expected}; found {error}"))
    })
}

/// Parses one row.
///
/// # Errors
/// Why it cannot be parsed, although its brackets and quotes are in order.
pub fn row(raw: &RawValue) -> Result<Value, String> {
    serde_json::from_str(raw.get()).map_err(|error| format!("its JSON cannot be read: {error}"))
}
