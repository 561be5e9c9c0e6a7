//! What a person sends as a schedule: an import, when it runs, and what happens when it could not. Pure.
//!
//! Everything is checked when the schedule is made, with all mistakes at once, so that a run can fail only for what its source
//! delivers.

use chrono::{DateTime, Utc};
use contracts::{
    decode::{Fields, Mistakes},
    import::WindowRule,
    problem::FieldError,
    schedule::{CatchUp, Overlap},
};
use highlights::{definition, import::Import};
use serde_json::Value;
use service_kit::env::parse_duration;

use crate::rule::Rule;

/// The longest jitter, in seconds.
const LONGEST_JITTER: u32 = 3600;
/// The fields that a schedule has besides those of an import.
pub const OF_SCHEDULE: [&str; 5] = ["cron", "jitter", "catch_up", "overlap", "paused"];

/// A schedule that was checked.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What each run does.
    pub import: Import,
    /// The expression as it was sent, trimmed.
    pub cron: String,
    /// The expression in the import's zone.
    pub rule: Rule,
    /// Seconds by which a run may begin later than its tick.
    pub jitter_seconds: u32,
    /// What is done about missed ticks.
    pub catch_up: CatchUp,
    /// What is done when jobs of the run before are not done.
    pub overlap: Overlap,
    /// Whether it is paused.
    pub paused: bool,
}

/// Reads a schedule.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode(value: &Value, now: DateTime<Utc>) -> Result<Definition, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let read = read(value, now, &mut mistakes);
    mistakes.finish(read)
}

/// Reads the rule of a schedule that is only asked about.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode_rule(value: &Value, now: DateTime<Utc>) -> Result<Rule, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let rule = Fields::open(value, "", &["cron", "time_zone"], &mut mistakes).and_then(|fields| {
        let (_, zone) = definition::read_zone(&fields, &mut mistakes);
        read_rule(&fields, zone, now, &mut mistakes).map(|(_, rule)| rule)
    });
    mistakes.finish(rule)
}

/// What a run by hand is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// The days, instead of the schedule's own.
    pub window: Option<WindowRule>,
    /// Whether also what was posted before is posted.
    pub again: bool,
}

/// Reads what a run by hand is asked for.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode_asked(value: &Value) -> Result<Asked, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let asked = Fields::open(value, "", &["window", "again"], &mut mistakes).map(|fields| Asked {
        window: fields
            .get("window")
            .and_then(|value| definition::read_window(value, "/window", &mut mistakes)),
        again: fields.flag("again", &mut mistakes).unwrap_or_default(),
    });
    mistakes.finish(asked)
}

fn read(value: &Value, now: DateTime<Utc>, mistakes: &mut Mistakes) -> Option<Definition> {
    let known: Vec<&str> = definition::FIELDS.iter().copied().chain(OF_SCHEDULE).collect();
    let fields = Fields::open(value, "", &known, mistakes)?;
    let import = definition::read(&fields, mistakes);
    // The zone's own mistake was noted with the import.
    let (_, zone) = definition::read_zone(&fields, &mut Mistakes::default());
    let when = read_rule(&fields, zone, now, mistakes);
    let jitter_seconds = read_jitter(&fields, mistakes);
    let catch_up = fields.choice("catch_up", CATCH_UPS, mistakes).unwrap_or_default();
    let overlap = fields.choice("overlap", OVERLAPS, mistakes).unwrap_or_default();
    let paused = fields.flag("paused", mistakes).unwrap_or_default();
    let (cron, rule) = when?;
    Some(Definition { import: import?, cron, rule, jitter_seconds, catch_up, overlap, paused })
}

/// The names of what is done about missed ticks.
pub const CATCH_UPS: &[(&str, CatchUp)] =
    &[("skip", CatchUp::Skip), ("once", CatchUp::Once), ("each", CatchUp::Each)];
/// The names of what is done when jobs of the run before are not done.
pub const OVERLAPS: &[(&str, Overlap)] =
    &[("allow", Overlap::Allow), ("skip", Overlap::Skip), ("wait", Overlap::Wait)];

/// The expression and the rule that it is in a zone.
fn read_rule(
    fields: &Fields<'_>,
    zone: Option<chrono_tz::Tz>,
    now: DateTime<Utc>,
    mistakes: &mut Mistakes,
) -> Option<(String, Rule)> {
    let text = definition::required(fields, "cron", 200, mistakes)?;
    let cron = Rule::cron(&text).map_err(|detail| mistakes.add("/cron", detail)).ok()?;
    let rule = Rule::new(cron, zone?);
    if rule.next(now).is_none() {
        mistakes.add("/cron", "this moment never comes");
    }
    Some((text, rule))
}

fn read_jitter(fields: &Fields<'_>, mistakes: &mut Mistakes) -> u32 {
    let Some(value) = fields.get("jitter") else { return 0 };
    let seconds = value
        .as_str()
        .and_then(|text| parse_duration(text.trim()))
        .and_then(|length| u32::try_from(length.as_secs()).ok())
        .filter(|seconds| *seconds <= LONGEST_JITTER);
    if seconds.is_none() {
        mistakes.add(fields.at("jitter"), "expected a time from 0s to 1h, like 30s or 5m");
    }
    seconds.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(value: &Value) -> Vec<String> {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        let mut pointers: Vec<String> = decode(value, now)
            .map_or_else(|errors| errors, |_| Vec::new())
            .into_iter()
            .map(|error| error.pointer)
            .collect();
        pointers.sort();
        pointers
    }

    fn good() -> Value {
        json!({
            "name": "weekly", "cron": "0 18 * * SUN", "time_zone": "Europe/Berlin", "source": {"url": "https://lists.example/best.json"},
            "template": {"title": "Best of {date}", "labels": {"show": "weekly"}, "spec": {"order": "score"}}
        })
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        assert_eq!(pointers(&good()), Vec::<String>::new());
        let bad = json!({
            "name": " ", "cron": "99 * * * *", "time_zone": "Berlin", "source": {"url": "ftp://x", "path": "a:b"}, "extra": 1, "paused": "no",
            "jitter": "2h", "catch_up": "all", "overlap": 1,
            "template": {"titel": "x", "priority": 1000, "spec": {"order": "best", "canvas": {"width": 3}}}
        });
        assert_eq!(
            pointers(&bad),
            [
                "/catch_up",
                "/cron",
                "/extra",
                "/jitter",
                "/name",
                "/overlap",
                "/paused",
                "/source",
                "/template/priority",
                "/template/spec/canvas/width",
                "/template/spec/order",
                "/template/titel",
                "/time_zone"
            ]
        );
        assert_eq!(pointers(&json!({})), ["/cron", "/name", "/source", "/template"]);
        let with = |name: &str, value: Value| {
            let mut schedule = good();
            schedule[name] = value;
            pointers(&schedule)
        };
        assert_eq!(with("cron", json!("0 0 30 2 *")), ["/cron"]);
        assert_eq!(with("template", json!({"spec": {"highlights": []}})), ["/template/spec/highlights"]);
        assert_eq!(with("template", json!({"kind": "transcript"})), ["/template/kind"]);
        assert_eq!(with("template", json!({"run_at": "2026-11-21T00:00:00Z"})), ["/template/run_at"]);
        assert_eq!(with("template", json!([])), ["/template"]);
        assert_eq!(with("template", json!({})), Vec::<String>::new());
    }

    #[test]
    fn what_is_asked_of_a_run_by_hand_is_read() {
        assert_eq!(decode_asked(&json!({})), Ok(Asked::default()));
        let asked = decode_asked(&json!({"window": {"last_days": 3}, "again": true})).unwrap();
        assert_eq!(asked, Asked { window: Some(WindowRule::LastDays { last_days: 3 }), again: true });
        let errors =
            decode_asked(&json!({"window": {"from": "2026-11-22"}, "again": 1, "days": 1})).unwrap_err();
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/days", "/window", "/again"]);
    }
}
