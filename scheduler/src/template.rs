//! What a person sends as a schedule, and the job that a tick makes of it. Pure.
//!
//! Everything is checked when the schedule is made, with all mistakes at once: the template is tried out with a highlight of
//! our own, so that a tick can fail only for what its source delivers.

use chrono::{DateTime, Utc};
use contracts::{
    decode::{Fields, Mistakes},
    problem::FieldError,
    schedule::HighlightSource,
    spec::{Highlight, LONGEST_TITLE, NewJob, Source, SpecError, decode_highlights},
};
use serde_json::{Map, Value, json};

use crate::rule::Rule;

/// Longest name of a schedule, in characters.
pub const LONGEST_NAME: usize = 100;
/// What stands for the tick's date in a title.
const DATE: &str = "{date}";
/// Most mistakes that a run's reason names.
const MOST_NAMED: usize = 10;

/// A schedule that was checked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The expression as it was sent, trimmed.
    pub cron: String,
    /// IANA name.
    pub time_zone: String,
    /// Both, read.
    pub rule: Rule,
    /// Where the highlights come from.
    pub source: HighlightSource,
    /// The job without its highlights, as it was sent.
    pub template: Value,
    /// Whether it is paused.
    pub paused: bool,
}

/// Reads a schedule.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode(value: &Value, now: DateTime<Utc>) -> Result<Plan, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let plan = read(value, now, &mut mistakes);
    mistakes.finish(plan)
}

/// Reads the rule of a schedule that is only asked about.
///
/// # Errors
/// All mistakes at once, each with its JSON pointer.
pub fn decode_rule(value: &Value, now: DateTime<Utc>) -> Result<Rule, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let fields = Fields::open(value, "", &["cron", "time_zone"], &mut mistakes);
    let rule = fields.and_then(|fields| read_rule(&fields, now, &mut mistakes)).map(|(_, _, rule)| rule);
    mistakes.finish(rule)
}

fn read(value: &Value, now: DateTime<Utc>, mistakes: &mut Mistakes) -> Option<Plan> {
    let known = ["name", "cron", "time_zone", "source", "template", "paused"];
    let fields = Fields::open(value, "", &known, mistakes)?;
    let name = required(&fields, "name", LONGEST_NAME, mistakes);
    let when = read_rule(&fields, now, mistakes);
    let source = fields.required("source", mistakes).and_then(|value| read_source(value, mistakes));
    let paused = match fields.get("paused") {
        None => false,
        Some(Value::Bool(paused)) => *paused,
        Some(_) => {
            mistakes.add("/paused", "expected true or false");
            false
        }
    };
    let template = fields.required("template", mistakes)?.clone();
    // The longest date there is stands in for the tick's.
    check_template(&template, mistakes);
    let (name, (cron, time_zone, rule), source) = (name?, when?, source?);
    Some(Plan { name, cron, time_zone, rule, source, template, paused })
}

/// A text that must be there and must not be empty.
fn required(fields: &Fields, name: &str, longest: usize, mistakes: &mut Mistakes) -> Option<String> {
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

/// The expression, the zone's name, and the rule that they are.
fn read_rule(fields: &Fields, now: DateTime<Utc>, mistakes: &mut Mistakes) -> Option<(String, String, Rule)> {
    let cron_text = required(fields, "cron", 200, mistakes);
    let zone_text = fields.text("time_zone", 100, mistakes).unwrap_or_else(|| "UTC".to_owned());
    let cron = cron_text.as_deref().and_then(|text| noted(Rule::cron(text), "/cron", mistakes));
    let zone = noted(Rule::zone(&zone_text), "/time_zone", mistakes);
    let rule = Rule::new(cron?, zone?);
    if rule.next(now).is_none() {
        mistakes.add("/cron", "this moment never comes");
    }
    Some((cron_text?, zone_text, rule))
}

fn noted<T>(read: Result<T, String>, pointer: &str, mistakes: &mut Mistakes) -> Option<T> {
    read.map_err(|detail| mistakes.add(pointer, detail)).ok()
}

/// Reads a source by the rules of a highlight's own source, of which a list may use two kinds.
fn read_source(value: &Value, mistakes: &mut Mistakes) -> Option<HighlightSource> {
    let fields = Fields::open(value, "/source", &["url", "path"], mistakes)?;
    if fields.get("url").is_some() == fields.get("path").is_some() {
        mistakes.add("/source", "exactly one of `url` and `path` is required");
        return None;
    }
    let probe = json!([{ "source": { "url": fields.get("url"), "path": fields.get("path") }, "start": 0, "duration": 1 }]);
    match decode_highlights(&probe) {
        Ok(list) => match list.into_iter().next()?.source {
            Source::Url(url) => Some(HighlightSource::Url(url)),
            Source::Path(path) => Some(HighlightSource::Path(path)),
            Source::Upload(_) | Source::Montage(_) => None,
        },
        Err(errors) => {
            for error in errors {
                mistakes.add(error.pointer.trim_start_matches("/0"), error.detail);
            }
            None
        }
    }
}

/// Tries the template out.
fn check_template(template: &Value, mistakes: &mut Mistakes) {
    let Some(fields) =
        Fields::open(template, "/template", &["kind", "title", "labels", "priority", "spec"], mistakes)
    else {
        return;
    };
    if fields.get("kind").is_some_and(|kind| kind != "montage") {
        mistakes.add("/template/kind", "a schedule makes montages; leave `kind` out");
        return;
    }
    if let Some(spec) = fields.get("spec") {
        if !spec.is_object() {
            mistakes.add("/template/spec", "expected an object with the options of a montage");
            return;
        }
        if spec.get("highlights").is_some() {
            mistakes.add(
                "/template/spec/highlights",
                "the highlights come from the schedule's source; leave them out",
            );
            return;
        }
    }
    let probe =
        json!([{ "source": { "url": "https://media.example/probe.mp4" }, "start": 0, "duration": 1 }]);
    let errors = match NewJob::decode(&compose(template, probe, "2026-11-22")) {
        Ok(_) => return,
        Err(SpecError::Invalid(errors)) => errors,
        Err(SpecError::UnknownKind(detail)) => vec![FieldError { pointer: "/kind".to_owned(), detail }],
    };
    for error in errors {
        // An unknown field of the template itself was noted above, with the right list of what is known.
        if error.detail.starts_with("unknown field") && error.pointer.matches('/').count() == 1 {
            continue;
        }
        mistakes.add(format!("/template{}", error.pointer), error.detail);
    }
}

/// The template with its highlights and its date.
fn compose(template: &Value, highlights: Value, date: &str) -> Value {
    let mut job = template.as_object().cloned().unwrap_or_default();
    job.insert("kind".to_owned(), "montage".into());
    if let Some(Value::String(title)) = job.get_mut("title") {
        *title = title.replace(DATE, date);
    }
    let mut spec = job.get("spec").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    spec.insert("highlights".to_owned(), highlights);
    job.insert("spec".to_owned(), Value::Object(spec));
    Value::Object(job)
}

/// The job of a tick, complete, in the form in which it is posted.
///
/// # Errors
/// Why the template does not make a job any more, for the run's reason.
pub fn job(template: &Value, highlights: &[Highlight], date: &str) -> Result<Value, String> {
    let highlights = serde_json::to_value(highlights).map_err(|error| error.to_string())?;
    let job = NewJob::decode(&compose(template, highlights, date)).map_err(|error| match error {
        SpecError::UnknownKind(detail) => detail,
        SpecError::Invalid(errors) => mistakes("the template", &errors),
    })?;
    debug_assert!(job.title.chars().count() <= LONGEST_TITLE);
    serde_json::to_value(job).map_err(|error| error.to_string())
}

/// Reads a list of highlights: a JSON array, or an object that holds one as `highlights`.
///
/// # Errors
/// What is wrong with which row, for the run's reason.
pub fn list(bytes: &[u8]) -> Result<Vec<Highlight>, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("the list is not JSON: {error}"))?;
    let list = match value {
        Value::Object(mut map) => map.remove("highlights").ok_or(
            "the list is an object without `highlights`; expected a JSON list, or {\"highlights\": [...]}",
        )?,
        list => list,
    };
    if list.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    decode_highlights(&list).map_err(|errors| mistakes("the list", &errors))
}

fn mistakes(of: &str, errors: &[FieldError]) -> String {
    let named: Vec<String> =
        errors.iter().take(MOST_NAMED).map(|error| format!("{} {}", error.pointer, error.detail)).collect();
    let more = errors.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let count = if errors.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", errors.len()) };
    format!("{of} has {count}: {}{more}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "template": {"titel": "x", "priority": 1000, "spec": {"order": "best", "canvas": {"width": 3}}}
        });
        assert_eq!(
            pointers(&bad),
            [
                "/cron",
                "/extra",
                "/name",
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
        assert_eq!(with("source", json!({"url": "ftp://x"})), ["/source/url"]);
        assert_eq!(with("source", json!({"path": "library:../x"})), ["/source/path"]);
        assert_eq!(with("template", json!({"spec": {"highlights": []}})), ["/template/spec/highlights"]);
        assert_eq!(with("template", json!({"kind": "transcript"})), ["/template/kind"]);
        assert_eq!(with("template", json!({"run_at": "2026-11-21T00:00:00Z"})), ["/template/run_at"]);
        assert_eq!(with("template", json!([])), ["/template"]);
        assert_eq!(with("template", json!({})), Vec::<String>::new());
    }

    #[test]
    fn a_tick_makes_a_whole_job() {
        let highlights = list(br#"{"highlights": [{"source": {"url": "https://m.example/a.mp4"}, "start": "1:02", "end": 70}]}"#).unwrap();
        let job = job(&good()["template"], &highlights, "2026-11-22").unwrap();
        assert_eq!(job["title"], "Best of 2026-11-22");
        assert_eq!(job["spec"]["order"], "score");
        assert_eq!(job["spec"]["highlights"][0]["start"]["seconds"], 62.0);
        assert!(NewJob::decode(&job).is_ok());
    }

    #[test]
    fn a_bad_row_is_named() {
        assert_eq!(list(b"[]").unwrap(), []);
        assert!(list(b"{}").unwrap_err().contains("highlights"));
        assert!(list(b"[{").unwrap_err().contains("not JSON"));
        let rows: Vec<Value> = (0..20).map(|_| json!({"start": -1})).collect();
        let reason = list(serde_json::to_vec(&rows).unwrap().as_slice()).unwrap_err();
        assert!(
            reason.contains("/0/source `source` is required") && reason.contains("and 50 more"),
            "{reason}"
        );
    }
}
