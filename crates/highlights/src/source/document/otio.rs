//! Timelines in OpenTimelineIO's JSON. Pure.
//!
//! Walks stacks and tracks in the order in which they stand; of each clip its place on its media is taken, cut to what the timelines around it
//! show of it. Tracks of sound, gaps, transitions and markers are left out. A range is told on the media's own clock, whose first moment is
//! the start of what is available.

use serde_json::Value;

use super::{
    json,
    row::{Rows, file_name, ticks},
    text::{self, one_line},
    timecode,
};
use crate::{candidate::Found, source::SourceError};

/// Reads a document.
///
/// # Errors
/// When it is no timeline, or has too many clips.
pub fn read(bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
    const EXPECTED: &str = "a timeline of OpenTimelineIO";
    let value: Value = json::parse(text::plain(bytes)?, EXPECTED)?;
    let refused = |found: &str| {
        Err(SourceError::Refused(format!(
            "the list is not what it should be: expected {EXPECTED}; found {found}"
        )))
    };
    if schema(&value).is_empty() {
        return refused("JSON that says no OTIO_SCHEMA at its top");
    }
    let mut walk = Walk { rows, clips: 0 };
    match tops(&value).as_deref() {
        Some(tops) => tops.iter().try_for_each(|top| walk.item(top, None, None)),
        None => refused(&format!("the schema {:?} without anything in it", schema(&value))),
    }
}

/// What is to be walked: the tracks of a timeline, of each timeline of a collection, or a part of a timeline.
fn tops(value: &Value) -> Option<Vec<&Value>> {
    match schema(value) {
        "Timeline" => value.get("tracks").filter(|tracks| tracks.is_object()).map(|tracks| vec![tracks]),
        "SerializableCollection" => {
            let items = value.get("children")?.as_array()?;
            Some(items.iter().map(|item| item.get("tracks").unwrap_or(item)).collect())
        }
        "Stack" | "Track" | "Clip" => Some(vec![value]),
        _ => None,
    }
}

/// The name of an object's schema, without its version.
fn schema(value: &Value) -> &str {
    let text = value.get("OTIO_SCHEMA").and_then(Value::as_str).unwrap_or_default();
    text.split('.').next().unwrap_or_default()
}

fn children(value: &Value) -> &[Value] {
    value.get("children").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// From one moment to another, in ticks, the second not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    to: i64,
}

impl Span {
    fn length(self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// What both have, seen from `from` on.
    fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    fn moved(self, by: i64) -> Self {
        Self { from: self.from.saturating_add(by), to: self.to.saturating_add(by) }
    }
}

/// Reads a TimeRange.
fn range(value: &Value) -> Option<Span> {
    let (from, length) = (time(value.get("start_time")?)?, time(value.get("duration")?)?);
    Some(Span { from, to: from.checked_add(length)? })
}

/// Reads a RationalTime, in ticks.
fn time(value: &Value) -> Option<i64> {
    let (count, rate) = (value.get("value")?.as_f64()?, value.get("rate")?.as_f64()?);
    let (frames, seconds) = exact(rate)?;
    // No time of a hundred hours is longer, at whatever rate.
    if !count.is_finite() || count.abs() > 1e15 {
        return None;
    }
    // Counts of frames are whole, and up to 2^53 doubles are, too.
    if count.fract() == 0.0 {
        return Some(timecode::scaled(count as i128, seconds, frames));
    }
    let parts = (count * 1e6).round() as i128;
    Some(timecode::scaled(parts, seconds, frames.checked_mul(1_000_000)?))
}

/// A rate as a fraction. Rates are written rounded: 29.97 means 30000/1001.
fn exact(rate: f64) -> Option<(i128, i128)> {
    if !(0.001..=1e7).contains(&rate) {
        return None;
    }
    if rate.fract() == 0.0 {
        return Some((rate as i128, 1));
    }
    let nominal = (rate * 1.001).round();
    if nominal > 0.0 && (nominal * 1000.0 / 1001.0 - rate).abs() < 0.005 {
        return Some((nominal as i128 * 1000, 1001));
    }
    Some(((rate * 1e6).round() as i128, 1_000_000))
}

/// The place of a clip on its media: where it starts, from the media's own start, and how long it is. On the media's own clock.
struct Place {
    shown: Span,
    begins: i64,
}

/// The media of a clip, by the key that is active.
fn media(clip: &Value) -> Option<&Value> {
    if let Some(media) = clip.get("media_reference").filter(|media| media.is_object()) {
        return Some(media);
    }
    let all = clip.get("media_references")?.as_object()?;
    let key = clip.get("active_media_reference_key").and_then(Value::as_str).unwrap_or("DEFAULT_MEDIA");
    all.get(key).filter(|media| media.is_object())
}

fn place(clip: &Value) -> Result<Place, &'static str> {
    let available = media(clip).and_then(|media| media.get("available_range")).and_then(range);
    let shown = match clip.get("source_range").filter(|range| !range.is_null()) {
        Some(value) => range(value).ok_or("its source_range cannot be read")?,
        None => available.ok_or("it says no source_range, and its media no available_range")?,
    };
    Ok(Place { shown, begins: available.map_or(0, |span| span.from) })
}

/// How long an item is on the timeline that it stands in. A clip that cannot be placed takes no time.
fn length(item: &Value) -> i64 {
    if let Some(span) = item.get("source_range").and_then(range) {
        return span.length();
    }
    match schema(item) {
        "Clip" => place(item).map_or(0, |place| place.shown.length()),
        "Track" => children(item).iter().map(length).fold(0, i64::saturating_add),
        "Stack" => children(item).iter().map(length).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Why what an item holds is not shown as it is on its media.
fn altered(item: &Value) -> Option<&'static str> {
    if item.get("enabled") == Some(&Value::Bool(false)) {
        return Some("it is switched off");
    }
    let effects = item.get("effects").and_then(Value::as_array)?;
    effects.iter().find_map(|effect| match schema(effect) {
        "FreezeFrame" => Some(
            "it is a frame that stands still (FreezeFrame), and a montage shows clips as they were recorded",
        ),
        "LinearTimeWarp" if effect.get("time_scalar").and_then(Value::as_f64) != Some(1.0) => {
            Some("its speed is changed (LinearTimeWarp), and a montage shows clips as they were recorded")
        }
        "TimeEffect" => {
            Some("its speed is changed (TimeEffect), and a montage shows clips as they were recorded")
        }
        _ => None,
    })
}

struct Walk<'w, 'r> {
    rows: &'w mut Rows<'r>,
    clips: u64,
}

impl Walk<'_, '_> {
    /// Walks an item of which `window` is shown, on its own clock counted from its start; all of it without one.
    fn item(
        &mut self,
        item: &Value,
        window: Option<Span>,
        why_not: Option<&'static str>,
    ) -> Result<(), SourceError> {
        let why_not = why_not.or_else(|| altered(item));
        let kind = schema(item);
        if kind == "Clip" {
            return self.clip(item, window, why_not);
        }
        if !matches!(kind, "Stack" | "Track") || item.get("kind").and_then(Value::as_str) == Some("Audio") {
            return Ok(());
        }
        // What is shown, on the clock of what it holds.
        let own = item.get("source_range").and_then(range);
        let shown = match (own, window) {
            (Some(own), Some(window)) => Some(window.moved(own.from).within(own)),
            (own, window) => own.or(window),
        };
        let mut at = 0_i64;
        for child in children(item) {
            let length = if shown.is_some() { length(child) } else { 0 };
            let seen =
                shown.map(|shown| shown.within(Span { from: at, to: at.saturating_add(length) }).moved(-at));
            // A clip without a length is reported, wherever it would stand.
            let is_nowhere = length == 0 && schema(child) == "Clip";
            if is_nowhere || seen.is_none_or(|seen| seen.length() > 0) {
                self.item(child, seen, why_not)?;
            }
            if kind == "Track" {
                at = at.saturating_add(length);
            }
        }
        Ok(())
    }

    fn clip(
        &mut self,
        clip: &Value,
        window: Option<Span>,
        why_not: Option<&'static str>,
    ) -> Result<(), SourceError> {
        self.rows.row()?;
        self.clips += 1;
        let number = self.clips;
        let name = one_line(clip.get("name").and_then(Value::as_str).unwrap_or_default());
        let read = match why_not {
            Some(reason) => Err(reason.to_owned()),
            None => self.found(clip, &name, window),
        };
        self.rows.take(read, || match name.as_str() {
            "" => format!("clip {number}"),
            name => format!("clip {number}, {name}"),
        });
        Ok(())
    }

    fn found(&mut self, clip: &Value, name: &str, window: Option<Span>) -> Result<Found, String> {
        let Place { shown, begins } = place(clip)?;
        let shown = window.map_or(shown, |window| window.moved(shown.from).within(shown));
        if shown.length() <= 0 {
            return Err("it has no length".to_owned());
        }
        if shown.from < begins {
            return Err("it starts before its media does".to_owned());
        }
        let start = ticks(shown.from.saturating_sub(begins))?;
        let duration = ticks(shown.length())?;
        let media = media(clip);
        if media.is_some_and(|media| schema(media) == "GeneratorReference") {
            return Err("its pictures are made by the editing program, and have no file".to_owned());
        }
        let address =
            media.and_then(|media| media.get("target_url")).and_then(Value::as_str).unwrap_or_default();
        let file = if self.rows.usual.has_template() { file_name(address) } else { Some(address.to_owned()) };
        let file = file.unwrap_or_default();
        let video = [file.as_str(), name].into_iter().find(|name| !name.is_empty());
        // What the library writes into its own timelines.
        let own = clip.get("metadata").and_then(|metadata| metadata.get("stream_montages"));
        let own = |field: &str| own.and_then(|own| own.get(field));
        Ok(Found {
            source: self.rows.video(video)?,
            start,
            duration: Some(duration),
            end: None,
            title: Some(name.to_owned()),
            streamer: self.rows.streamer(own("streamer").and_then(Value::as_str)),
            score: own("score").and_then(Value::as_f64),
            cut: None,
            when: None,
        })
    }
}
