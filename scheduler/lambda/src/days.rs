//! Which days an event asks for. Pure.
//!
//! The `detail` of an event may carry `startFilter` and `endFilter`, days like `2026-11-22`, both included:
//! - with both, these days are meant;
//! - with `startFilter` alone, the days from there up to the day before the event's;
//! - with `endFilter` alone, as many days up to there as the import's own window has;
//! - with neither, the import's own window, counted from the event's `time`, so that an event that comes again asks for the same days.
//!
//! An event's day is that of its `time` by the clock of the import's time zone; an event without one, made up by hand, is of now. Whatever
//! else `detail` carries is ignored: EventBridge adds its own.

use chrono::{DateTime, Days as Count, NaiveDate, Utc};
use contracts::import::{Days, WindowRule};
use highlights::{Window, definition::LONGEST_WINDOW, import::Import};
use serde_json::Value;

/// The days that an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// `startFilter`
    pub start: Option<NaiveDate>,
    /// `endFilter`
    pub end: Option<NaiveDate>,
}

/// Reads the `detail` of an event. EventBridge Scheduler writes it as a text that holds JSON.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn asked(detail: &Value) -> Result<Asked, String> {
    let unreadable = || "`detail` is to be an object, like {\"startFilter\": \"2026-11-16\"}".to_owned();
    let parsed;
    let detail = match detail {
        Value::String(text) if text.trim().is_empty() => &Value::Null,
        Value::String(text) => {
            parsed = serde_json::from_str(text).map_err(|_| unreadable())?;
            &parsed
        }
        value => value,
    };
    match detail {
        Value::Null => Ok(Asked::default()),
        Value::Object(fields) => {
            let day = |name: &str| match fields.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(value) => {
                    let day = value.as_str().and_then(|text| text.trim().parse().ok());
                    day.map(Some)
                        .ok_or_else(|| format!("`{name}` is to be a day like 2026-11-22, and was {value}"))
                }
            };
            Ok(Asked { start: day("startFilter")?, end: day("endFilter")? })
        }
        _ => Err(unreadable()),
    }
}

/// The window that an event of a `time` means for an import.
///
/// # Errors
/// A sentence that says what is wrong with the days.
pub fn window(
    import: &Import,
    asked: Asked,
    time: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Window>, String> {
    let at = time.unwrap_or(now);
    let zone = import.zone;
    let (from, to) = match (asked.start, asked.end) {
        (None, None) => {
            if time.is_none() && import.window.is_none() {
                // What stands for the days is then the event's moment, and an event that comes again would make jobs again.
                return Err(
                    "the event has neither a `time` nor days, and the import no window: give it one of them"
                        .to_owned(),
                );
            }
            return Ok(import.window_at(at));
        }
        (Some(from), Some(to)) if to < from => {
            return Err(format!("`endFilter` ({to}) is before `startFilter` ({from})"));
        }
        (Some(from), Some(to)) => (from, to),
        (Some(from), None) => {
            let today = at.with_timezone(&zone).date_naive();
            let to = today.pred_opt().unwrap_or(NaiveDate::MIN);
            if to < from {
                return Err(format!(
                    "`startFilter` ({from}) is not before the event's day ({today}): give `endFilter` too"
                ));
            }
            (from, to)
        }
        (None, Some(to)) => {
            let Some(rule) = import.window else {
                return Err(
                    "the import has no window whose length could be meant: give `startFilter` too".to_owned()
                );
            };
            (to.checked_sub_days(Count::new(length(rule) - 1)).unwrap_or(NaiveDate::MIN), to)
        }
    };
    if (to - from).num_days() >= i64::from(LONGEST_WINDOW) {
        return Err(format!("from {from} to {to} are more than {LONGEST_WINDOW} days"));
    }
    Ok(Some(Window { days: Days { from, to }, zone }))
}

/// How many days a rule means; at least one.
fn length(rule: WindowRule) -> u64 {
    let days = match rule {
        WindowRule::LastDays { last_days } => u64::from(last_days),
        WindowRule::Days(days) => u64::try_from((days.to - days.from).num_days() + 1).unwrap_or_default(),
    };
    days.max(1)
}
