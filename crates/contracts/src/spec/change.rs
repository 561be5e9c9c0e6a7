//! Changes of a job that was posted: what `PATCH /v1/jobs/{id}` takes, decoded by the rules of posting.

use serde_json::Value;
use std::collections::BTreeMap;

use super::{LABEL_RULE, LONGEST_TITLE, MOST_LABELS, is_label};
use crate::{
    decode::{Fields, Mistakes, escape},
    problem::FieldError,
};

/// What is to be changed; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobChange {
    /// The new title.
    pub title: Option<String>,
    /// All labels that there are to be: the present ones, changed as asked.
    pub labels: Option<BTreeMap<String, String>>,
    /// The new priority, from -100 to 100.
    pub priority: Option<i16>,
}

impl JobChange {
    /// Decodes a JSON Merge Patch (RFC 7396) of a job with these labels. Only a label can be removed, by null.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value, labels: &BTreeMap<String, String>) -> Result<Self, Vec<FieldError>> {
        let mut mistakes = Mistakes::default();
        let change = Self::read(value, labels, &mut mistakes);
        mistakes.finish(change)
    }

    fn read(value: &Value, labels: &BTreeMap<String, String>, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, "", &["title", "labels", "priority"], mistakes)?;
        let is_blank = fields.get("title").and_then(Value::as_str).is_some_and(|text| text.trim().is_empty());
        if is_blank || fields.is_null("title") {
            mistakes.add(fields.at("title"), "a job has a title: leave it out to keep the present one");
        }
        if fields.is_null("priority") {
            mistakes.add(fields.at("priority"), "a job has a priority: leave it out to keep the present one");
        }
        if fields.is_null("labels") {
            mistakes.add(fields.at("labels"), "name the labels to remove, each with null");
        }
        let priority = fields.integer("priority", -100..=100, mistakes);
        Some(Self {
            title: fields.text("title", LONGEST_TITLE, mistakes),
            labels: fields.get("labels").map(|changes| merge(labels.clone(), changes, mistakes)),
            priority: priority.and_then(|priority| i16::try_from(priority).ok()),
        })
    }
}

fn merge(
    mut labels: BTreeMap<String, String>,
    changes: &Value,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, String> {
    let Some(changes) = changes.as_object() else {
        mistakes.add("/labels", "expected an object of names and values; null removes a name");
        return labels;
    };
    for (name, value) in changes {
        match value {
            Value::Null => drop(labels.remove(name)),
            Value::String(text) if is_label(name, text) => drop(labels.insert(name.clone(), text.clone())),
            _ => mistakes.add(format!("/labels/{}", escape(name)), LABEL_RULE),
        }
    }
    if labels.len() > MOST_LABELS {
        mistakes.add("/labels", format!("a job has at most {MOST_LABELS}; this would make {}", labels.len()));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_absent_stays_and_labels_are_merged() {
        let present = labels(&[("a", "1"), ("b", "2")]);
        assert_eq!(JobChange::decode(&json!({}), &present), Ok(JobChange::default()));
        let body = json!({ "title": " New ", "priority": -7, "labels": { "a": null, "b": "3", "c": "4", "x": null } });
        let change = JobChange::decode(&body, &present).unwrap();
        assert_eq!((change.title.as_deref(), change.priority), (Some("New"), Some(-7)));
        assert_eq!(change.labels, Some(labels(&[("b", "3"), ("c", "4")])));
    }

    #[test]
    fn every_mistake_has_its_place() {
        let many: BTreeMap<String, String> = (0..32).map(|n| (format!("n{n}"), String::new())).collect();
        let pointers = |body: &Value| -> Vec<String> {
            let errors = JobChange::decode(body, &many).unwrap_err();
            errors.into_iter().map(|error| error.pointer).collect()
        };
        let body = json!({ "titel": "x", "title": "\u{1}", "priority": 101, "labels": { "A/b": "x", "n1": 3, "new": "" } });
        assert_eq!(
            pointers(&body),
            ["/titel", "/priority", "/title", "/labels/A~1b", "/labels/n1", "/labels"]
        );
        assert_eq!(
            pointers(&json!({ "title": null, "priority": null, "labels": null })),
            ["/title", "/priority", "/labels"]
        );
        assert_eq!(
            pointers(&json!({ "title": " ", "priority": 1.5, "labels": [] })),
            ["/title", "/priority", "/labels"]
        );
        assert_eq!(pointers(&json!([])), [""]);
        let nearest = JobChange::decode(&json!({ "titel": "x" }), &many).unwrap_err();
        assert!(nearest[0].detail.contains("did you mean `title`?"), "{nearest:?}");
        // One goes, one comes.
        let full = JobChange::decode(&json!({ "labels": { "n1": null, "new": "" } }), &many).unwrap();
        assert_eq!(full.labels.unwrap().len(), 32);
    }
}
