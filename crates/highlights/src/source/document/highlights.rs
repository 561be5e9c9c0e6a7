//! A list in the form of a job's `spec.highlights`. Pure.
//!
//! Each row is decoded by itself, so that a bad one costs no other. Beside a highlight's own fields it may say `at`: when it was.

use std::sync::Arc;

use contracts::spec::Highlight;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    json,
    row::{Cell, Rows},
    text,
};
use crate::{candidate::Found, source::SourceError};

/// Most mistakes of a row that are told.
const MOST_TOLD: usize = 3;

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    highlights: Vec<&'a RawValue>,
}

/// Reads a document.
///
/// # Errors
/// When it is no list of highlights, or has too many.
pub fn read(bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
    let bytes = text::plain(bytes)?;
    let list = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => json::parse::<Wrapped<'_>>(bytes, EXPECTED)?.highlights,
        _ => json::parse(bytes, EXPECTED)?,
    };
    for (index, raw) in list.into_iter().enumerate() {
        rows.row()?;
        let read = json::row(raw).and_then(|value| highlight(value, rows));
        rows.take(read, || format!("row {}", index + 1));
    }
    Ok(())
}

const EXPECTED: &str = "a JSON list of highlights, or an object that holds one as `highlights`";

/// Reads a page that was parsed already.
///
/// # Errors
/// As [`read`].
pub fn read_page(page: &Value, rows: &mut Rows<'_>) -> Result<(), SourceError> {
    let list = page.get("highlights").unwrap_or(page).as_array();
    let list = list.ok_or_else(|| {
        SourceError::Refused(format!("the list is not what it should be: expected {EXPECTED}"))
    })?;
    for (index, value) in list.iter().enumerate() {
        rows.row()?;
        let read = highlight(value.clone(), rows);
        rows.take(read, || format!("row {}", index + 1));
    }
    Ok(())
}

fn highlight(mut value: Value, rows: &mut Rows<'_>) -> Result<Found, String> {
    let mut when = None;
    if let Some(fields) = value.as_object_mut() {
        let at = fields.remove("at");
        when = at.as_ref().and_then(Cell::of).map(Cell::when).transpose()?;
        let says = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
        if !says("duration")
            && !says("end")
            && let Some(usual) = rows.usual.duration()
        {
            let usual = serde_json::to_value(usual).map_err(|error| error.to_string())?;
            fields.insert("duration".to_owned(), usual);
        }
    }
    let highlight = Highlight::decode(&value).map_err(|errors| {
        let told: Vec<String> = errors
            .iter()
            .take(MOST_TOLD)
            .map(|error| match error.pointer.trim_start_matches('/') {
                "" => error.detail.clone(),
                field => format!("{field}: {}", error.detail),
            })
            .collect();
        told.join("; ")
    })?;
    Ok(Found {
        source: Arc::new(highlight.source),
        start: highlight.start,
        duration: Some(highlight.duration),
        end: None,
        title: highlight.title,
        streamer: rows.streamer(highlight.streamer.as_deref()),
        score: highlight.score,
        cut: highlight.cut,
        when,
    })
}
