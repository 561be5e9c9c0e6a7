//! Reading what a person wrote as an import, with every mistake at its place. Pure.
//!
//! Everything is checked when it is written, the template by trying it out: a run can fail only for what its source delivers.

mod montages;
mod sources;

use chrono::NaiveDate;
use contracts::{
    decode::{Fields, Mistakes},
    import::{Days, WindowRule},
    problem::FieldError,
};
use serde_json::Value;

use crate::{import::Import, template, window};

/// The fields of an import, for those that have more.
pub const FIELDS: &[&str] = &["name", "time_zone", "source", "window", "montages", "template"];
/// Longest name, in characters.
pub const LONGEST_NAME: usize = 100;
/// Longest window, in days.
pub const LONGEST_WINDOW: u16 = 366;

/// Reads an import.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode(value: &Value) -> Result<Import, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let import =
        Fields::open(value, "", FIELDS, &mut mistakes).and_then(|fields| read(&fields, &mut mistakes));
    mistakes.finish(import)
}

/// Reads the fields that a schedule and an import have in common.
pub fn read(fields: &Fields<'_>, mistakes: &mut Mistakes) -> Option<Import> {
    let name = required(fields, "name", LONGEST_NAME, mistakes);
    let (time_zone, zone) = read_zone(fields, mistakes);
    let source =
        fields.required("source", mistakes).and_then(|value| sources::read(value, "/source", mistakes));
    let window = fields.get("window").and_then(|value| read_window(value, "/window", mistakes));
    let montages = montages::read(fields, mistakes);
    let template = fields.required("template", mistakes).cloned();
    if let Some(template) = &template {
        template::check_template(template, mistakes);
    }
    let source = source?;
    if let Some(why) = sources::needs_window(&source)
        && fields.get("window").is_none()
    {
        mistakes.add("/window", format!("{why}: say which days, like {{\"last_days\": 7}}"));
    }
    Some(Import { name: name?, time_zone, zone: zone?, source, window, montages, template: template? })
}

/// The name of a time zone and the zone; `UTC` if absent.
pub fn read_zone(fields: &Fields<'_>, mistakes: &mut Mistakes) -> (String, Option<chrono_tz::Tz>) {
    let text = fields.text("time_zone", 100, mistakes).unwrap_or_else(|| "UTC".to_owned());
    let zone = window::zone(&text).map_err(|detail| mistakes.add("/time_zone", detail)).ok();
    (text, zone)
}

/// A text that must be there and must not be empty.
pub fn required(fields: &Fields<'_>, name: &str, longest: usize, mistakes: &mut Mistakes) -> Option<String> {
    let text = fields.text(name, longest, mistakes);
    match fields.get(name) {
        None => mistakes.add(fields.at(name), format!("`{name}` is required")),
        Some(value) if text.is_none() && value.as_str().is_some_and(|text| text.trim().is_empty()) => {
            mistakes.add(fields.at(name), format!("1 to {longest} characters"));
        }
        Some(_) => {}
    }
    text
}

/// Reads a window.
pub fn read_window(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<WindowRule> {
    let fields = Fields::open(value, pointer, &["last_days", "from", "to"], mistakes)?;
    let days = (fields.get("from").is_some(), fields.get("to").is_some());
    match (fields.get("last_days").is_some(), days) {
        (true, (false, false)) => {
            let last_days = fields.integer("last_days", 1..=i64::from(LONGEST_WINDOW), mistakes)?;
            Some(WindowRule::LastDays { last_days: u16::try_from(last_days).ok()? })
        }
        (false, (true, true)) => {
            let (from, to) = (read_day(&fields, "from", mistakes), read_day(&fields, "to", mistakes));
            let days = Days { from: from?, to: to? };
            let length = (days.to - days.from).num_days();
            if length < 0 {
                mistakes.add(fields.at("to"), "the last day is before the first");
            } else if length >= i64::from(LONGEST_WINDOW) {
                mistakes.add(fields.at("to"), format!("a window has at most {LONGEST_WINDOW} days"));
            }
            Some(WindowRule::Days(days))
        }
        _ => {
            mistakes.add(pointer, "either `last_days`, or both `from` and `to` are required");
            None
        }
    }
}

fn read_day(fields: &Fields<'_>, name: &str, mistakes: &mut Mistakes) -> Option<NaiveDate> {
    let day = fields.get(name)?.as_str().and_then(|text| text.parse().ok());
    if day.is_none() {
        mistakes.add(fields.at(name), "expected a day like 2026-11-22");
    }
    day
}

#[cfg(test)]
mod tests;
