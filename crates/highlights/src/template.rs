//! What montages are called, and the job that a template and highlights make. Pure.
//!
//! A name in braces stands for a value: `{streamer}`. Which names there are is checked when a template is written, with all other
//! mistakes; a name that is not known when it is used stays as it stands.

use chrono_tz::Tz;
use contracts::{
    decode::{Fields, Mistakes, nearest},
    import::{ClipOrder, MontageOf, MontageRule},
    problem::FieldError,
    spec::{LONGEST_TITLE, NewJob, SpecError},
};
use serde_json::{Map, Value, json};

use crate::select::Clip;

/// What can be named in a montage's title and in the values of its labels.
pub const OF_MONTAGE: &[&str] = &["date", "from", "to", "streamer", "count", "name"];
/// What can be named in a highlight's title.
pub const OF_HIGHLIGHT: &[&str] = &["title", "streamer", "score", "day", "number"];
/// Longest value of a label, in characters.
const LONGEST_LABEL: usize = 200;
/// Most mistakes that a reason names.
const MOST_NAMED: usize = 10;

/// Values by their names.
pub type Values<'a> = [(&'a str, String)];

/// Replaces each `{name}` by its value.
#[must_use]
pub fn fill(text: &str, values: &Values<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, behind)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (value, behind))
        });
        match value {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Notes every name in braces that is not known.
pub fn check(text: &str, known: &[&str], pointer: &str, mistakes: &mut Mistakes) {
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            mistakes.add(pointer, "`{` without its `}`");
            continue;
        };
        if !known.contains(&name) {
            let hint = nearest(name, known).map_or_else(
                || format!("there are {{{}}}", known.join("}, {")),
                |near| format!("did you mean {{{near}}}?"),
            );
            mistakes.add(pointer, format!("{{{name}}} stands for nothing; {hint}"));
        }
    }
}

/// A text of at most so many characters.
#[must_use]
pub fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// Tries out a template, with mistakes at their places below `/template`.
pub fn check_template(template: &Value, mistakes: &mut Mistakes) {
    let known = ["kind", "title", "labels", "priority", "spec"];
    let Some(fields) = Fields::open(template, "/template", &known, mistakes) else {
        return;
    };
    if fields.get("kind").is_some_and(|kind| kind != "montage") {
        mistakes.add("/template/kind", "montages are made of highlights; leave `kind` out");
        return;
    }
    if let Some(spec) = fields.get("spec") {
        if !spec.is_object() {
            mistakes.add("/template/spec", "expected an object with the options of a montage");
            return;
        }
        if spec.get("highlights").is_some() {
            mistakes.add("/template/spec/highlights", "the highlights come from the source; leave them out");
            return;
        }
    }
    if let Some(title) = fields.get("title").and_then(Value::as_str) {
        check(title, OF_MONTAGE, "/template/title", mistakes);
    }
    let probe =
        json!([{ "source": { "url": "https://media.example/probe.mp4" }, "start": 0, "duration": 1 }]);
    let errors = match NewJob::decode(&compose(template, None, &Map::new(), probe)) {
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

fn compose(template: &Value, title: Option<String>, labels: &Map<String, Value>, highlights: Value) -> Value {
    let mut job = template.as_object().cloned().unwrap_or_default();
    job.insert("kind".to_owned(), "montage".into());
    if let Some(title) = title {
        job.insert("title".to_owned(), title.into());
    }
    if !labels.is_empty() {
        let mut all = job.get("labels").and_then(Value::as_object).cloned().unwrap_or_default();
        all.extend(labels.clone());
        job.insert("labels".to_owned(), all.into());
    }
    let mut spec = job.get("spec").and_then(Value::as_object).cloned().unwrap_or_default();
    spec.insert("highlights".to_owned(), highlights);
    job.insert("spec".to_owned(), Value::Object(spec));
    Value::Object(job)
}

/// A job with the form in which it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Its title.
    pub title: String,
    /// All of it, as JSON: as a text it takes a tenth of the memory that a value does, and an import may make many.
    pub body: String,
}

/// The job of one montage, complete.
///
/// # Errors
/// Why template, rule and highlights do not make a job together, for a run's reason.
pub fn job(
    template: &Value,
    rule: &MontageRule,
    values: &Values<'_>,
    clips: &[Clip<'_>],
    zone: Tz,
) -> Result<Composed, String> {
    let usual = match rule.of {
        MontageOf::AllStreamers => "{name}",
        MontageOf::EachStreamer => "{name}: {streamer}",
    };
    let given = rule.title.as_deref().or_else(|| template.get("title").and_then(Value::as_str));
    let title = shortened(fill(given.unwrap_or(usual), values).trim(), LONGEST_TITLE);
    let of_template = template.get("labels").and_then(Value::as_object).into_iter().flatten();
    let texts = of_template.filter_map(|(name, value)| Some((name.clone(), value.as_str()?)));
    let labels = texts
        .chain(rule.labels.iter().map(|(name, value)| (name.clone(), value.as_str())))
        .map(|(name, value)| (name, shortened(&fill(value, values), LONGEST_LABEL).into()))
        .collect();
    let highlights = clips
        .iter()
        .enumerate()
        .map(|(index, clip)| highlight(clip, rule.highlight_title.as_deref(), index + 1, zone))
        .collect();
    let mut body = compose(template, Some(title), &labels, Value::Array(highlights));
    if rule.select.order != ClipOrder::Given {
        // The order that was selected is the one that is meant, whatever the template says of montages in general.
        body["spec"]["order"] = "given".into();
    }
    let job = NewJob::decode(&body).map_err(|error| match error {
        SpecError::UnknownKind(detail) => detail,
        SpecError::Invalid(errors) => told(&errors),
    })?;
    let body = serde_json::to_string(&job).map_err(|error| error.to_string())?;
    Ok(Composed { title: job.title, body })
}

fn highlight(clip: &Clip<'_>, title: Option<&str>, number: usize, zone: Tz) -> Value {
    let best = clip.best;
    let streamer = best.streamer.as_ref().map(|streamer| streamer.name.clone());
    let title = match title {
        None => best.title.as_deref().map(str::to_owned),
        Some(template) => {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let values = [
                ("title", text(best.title.as_deref())),
                ("streamer", text(streamer.as_deref())),
                ("score", best.score.map(|score| score.to_string()).unwrap_or_default()),
                ("day", best.when.map(|when| when.day(zone).to_string()).unwrap_or_default()),
                ("number", number.to_string()),
            ];
            Some(shortened(fill(template, &values).trim(), LONGEST_TITLE))
        }
    };
    json!({
        "source": &*best.source, "start": clip.start, "duration": clip.duration, "title": title, "streamer": streamer,
        "score": best.score, "cut": best.cut,
    })
}

/// Mistakes on one line, the first ones.
fn told(errors: &[FieldError]) -> String {
    let named: Vec<String> =
        errors.iter().take(MOST_NAMED).map(|error| format!("{} {}", error.pointer, error.detail)).collect();
    let more = errors.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("the job has mistakes: {}{more}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_once_and_unknown_ones_stay() {
        let values = [("streamer", "{date}".to_owned()), ("date", "2026-11-22".to_owned())];
        assert_eq!(fill("{streamer} on {date}{", &values), "{date} on 2026-11-22{");
        assert_eq!(fill("{nobody} {streamer}", &values), "{nobody} {date}");
        assert_eq!(fill("{{date}}", &values), "{2026-11-22}");
    }

    #[test]
    fn unknown_names_are_told_with_the_nearest_one() {
        let mut mistakes = Mistakes::default();
        check("{streamr} {date} {x", OF_MONTAGE, "/title", &mut mistakes);
        let errors = mistakes.finish(Some(())).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors[0].detail.contains("did you mean {streamer}?"), "{errors:?}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("日本語", 3), "日本語");
        assert_eq!(shortened("日本語です", 3), "日本…");
    }
}
