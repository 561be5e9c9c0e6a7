//! The examples of the API document: requests that a person can paste into a shell, in the order of a story that runs from its top
//! against an empty installation.
//!
//! They lie as data in `gateway/examples`, a file for each chapter. Promises: an example is shown exactly as the end-to-end tests run
//! it, with bash and curl, so that none is there that does not work; nothing in an example's text is taken by the shell for a
//! command. Reading them fails where a file is not as [`Example`] has it, which the tests tell.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Deserialize;
use serde_json::Value;

/// The chapters in their order, each with its name.
const CHAPTERS: &[(&str, &str)] = &[
    ("keys", include_str!("../examples/keys.json")),
    ("executors", include_str!("../examples/executors.json")),
    ("jobs", include_str!("../examples/jobs.json")),
    ("library", include_str!("../examples/library.json")),
    ("schedules", include_str!("../examples/schedules.json")),
    ("webhooks", include_str!("../examples/webhooks.json")),
];

/// One request and what is expected of its answer.
///
/// In `path`, `query`, `headers`, `link` and the texts of `json`, `${name}` stands for what an earlier example kept, `${file:bytes}`
/// and `${file:sha256}` for the size and the hash of a file. A text of `json` that is nothing but `${name:number}` or `${file:bytes}`
/// stands for a number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The `operationId`.
    pub operation: String,
    /// What it does, in a user's words.
    pub title: String,
    /// Values of the path's parameters.
    #[serde(default)]
    pub path: BTreeMap<String, String>,
    /// A path with its query that takes the place of the operation's: a link that an earlier answer holds.
    #[serde(default)]
    pub link: Option<String>,
    /// The query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers besides the key and the body's type.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// The body as the bytes of a file.
    #[serde(default)]
    pub file: Option<String>,
    /// Whether the answer is a stream of events, which does not end by itself.
    #[serde(default)]
    pub stream: bool,
    /// Where the answer's body goes; shown where absent.
    #[serde(default)]
    pub save: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// What the answer holds, by JSON pointer.
    #[serde(default)]
    pub expect: BTreeMap<String, Value>,
    /// Whether it is asked again until it is answered as expected.
    #[serde(default)]
    pub again: bool,
    /// What later examples use of the answer: names, each with a JSON pointer or a header's name.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

/// A part of the story that needs the same surroundings.
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Its name.
    pub name: &'static str,
    /// Its examples, in order.
    pub examples: Vec<Example>,
}

/// All of them.
///
/// # Errors
/// When a file is not as it has to be; the message names the chapter.
pub fn chapters() -> anyhow::Result<Vec<Chapter>> {
    let read = |(name, text): &(&'static str, &str)| {
        let examples = serde_json::from_str(text).map_err(|error| anyhow::anyhow!("{name}.json: {error}"))?;
        Ok(Chapter { name, examples })
    };
    CHAPTERS.iter().map(read).collect()
}

/// What a variable is called in the shell.
#[must_use]
pub fn variable(name: &str) -> String {
    name.to_uppercase()
}

/// Which key an example shows, by the name of the variable that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName {
    /// One that reads and writes.
    Key,
    /// An admin's.
    AdminKey,
    /// An executor's.
    ExecutorKey,
}

impl KeyName {
    fn variable(self) -> &'static str {
        match self {
            Self::Key => "KEY",
            Self::AdminKey => "ADMIN_KEY",
            Self::ExecutorKey => "EXECUTOR_KEY",
        }
    }
}

impl Example {
    /// The example as a command for a shell. `notes` says where its variables come from, a line each.
    #[must_use]
    pub fn command(&self, method: &str, path: &str, key: Option<KeyName>, notes: &[String]) -> String {
        let mut text = String::new();
        for note in notes {
            let _ = writeln!(text, "# {note}");
        }
        text.push_str(if self.stream { "curl --no-buffer" } else { "curl" });
        match method {
            "GET" => {}
            // Without it curl waits for a body that never comes.
            "HEAD" => text.push_str(" --head"),
            _ => {
                let _ = write!(text, " -X {method}");
            }
        }
        let _ = write!(text, " \"$GATEWAY{}\"", self.address(path));
        let mut more = |option: String| {
            let _ = write!(text, " \\\n  {option}");
        };
        if let Some(key) = key {
            more(format!("-H \"Authorization: Bearer ${}\"", key.variable()));
        }
        for (name, value) in &self.headers {
            more(format!("-H \"{name}: {}\"", quoted(value, &plain)));
        }
        if let Some(body) = &self.json {
            more("-H \"Content-Type: application/json\"".to_owned());
            more(format!("-d '{}'", json(body)));
        }
        if let Some(file) = &self.file {
            more(format!("-T {file}"));
        }
        if let Some(file) = &self.save {
            more(format!("-o {file}"));
        }
        text
    }

    /// The path with its query, for text in double quotes.
    fn address(&self, path: &str) -> String {
        if let Some(link) = &self.link {
            return quoted(link, &plain);
        }
        let mut address = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            address.push_str(before);
            address.push_str(&quoted(self.path.get(name).map_or("", String::as_str), &escape));
            rest = after;
        }
        address.push_str(rest);
        for (index, (name, value)) in self.query.iter().enumerate() {
            let _ =
                write!(address, "{}{name}={}", if index == 0 { '?' } else { '&' }, quoted(value, &escape));
        }
        address
    }

    /// The names of the variables that it uses.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let body = self.json.as_ref().map(Value::to_string);
        let texts = self.path.values().chain(&self.link).chain(self.query.values());
        let texts = texts.chain(self.headers.values()).chain(&body);
        let mut names: Vec<String> = Vec::new();
        for text in texts {
            for part in parts(text) {
                if let Part::Variable(name) = part
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }
}

/// A piece of a text with variables.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
    Bytes(&'a str),
    Sha256(&'a str),
}

impl Part<'_> {
    /// As it stands between double quotes, where it is no text; `next` is what follows it.
    fn in_shell(&self, next: Option<char>) -> String {
        match self {
            Self::Text(_) => String::new(),
            Self::Bytes(file) => format!("$(wc -c <{file})"),
            Self::Sha256(file) => format!("$(sha256sum {file} | cut -c 1-64)"),
            Self::Variable(name) => {
                let name = variable(name);
                if next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_') {
                    format!("${{{name}}}")
                } else {
                    format!("${name}")
                }
            }
        }
    }
}

/// Takes a text apart.
fn parts(mut text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some((before, (name, after))) =
        text.split_once("${").and_then(|(before, rest)| rest.split_once('}').map(|rest| (before, rest)))
    {
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(match name.split_once(':') {
            Some((file, "bytes")) => Part::Bytes(file),
            Some((file, "sha256")) => Part::Sha256(file),
            Some((name, _)) => Part::Variable(name),
            None => Part::Variable(name),
        });
        text = after;
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// Text for between double quotes, whose own parts are written by `literal`.
fn quoted(text: &str, literal: &dyn Fn(&str) -> String) -> String {
    let parts = parts(text);
    let mut shell = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(text) => shell.push_str(&literal(text)),
            part => {
                let next = match parts.get(index + 1) {
                    Some(Part::Text(text)) => text.chars().next(),
                    _ => None,
                };
                shell.push_str(&part.in_shell(next));
            }
        }
    }
    shell
}

/// Text as it is, for between double quotes.
fn plain(text: &str) -> String {
    let mut shell = String::new();
    for character in text.chars() {
        if matches!(character, '\\' | '"' | '$' | '`') {
            shell.push('\\');
        }
        shell.push(character);
    }
    shell
}

/// Text as a part of an address.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,=/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// JSON for between single quotes.
fn json(body: &Value) -> String {
    let text = pretty(body, 0).replace('\'', "'\\''");
    let mut shell = String::new();
    for part in parts(&text) {
        match part {
            Part::Text(text) => shell.push_str(text),
            part => {
                let _ = write!(shell, "'\"{}\"'", part.in_shell(None));
            }
        }
    }
    shell
}

/// JSON for people: what fits into a line stands in one. Numbers that variables stand for lose the quotes of their texts.
fn pretty(value: &Value, depth: usize) -> String {
    const WIDTH: usize = 90;
    let inline = inline(value);
    if depth > 0 && 2 * depth + inline.chars().count() <= WIDTH {
        return inline;
    }
    let indent = "  ".repeat(depth + 1);
    let lines: Vec<String> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                format!("{indent}{}: {}", Value::from(name.as_str()), pretty(value, depth + 1))
            })
            .collect(),
        Value::Array(items) => {
            items.iter().map(|item| format!("{indent}{}", pretty(item, depth + 1))).collect()
        }
        _ => return inline,
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    format!("{open}\n{}\n{}{close}", lines.join(",\n"), "  ".repeat(depth))
}

/// JSON in one line, with blanks where people write them.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), inline(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) if is_number(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a text stands for a number.
fn is_number(text: &str) -> bool {
    let is_marked = text.ends_with(":number}") || text.ends_with(":bytes}");
    is_marked && matches!(parts(text).as_slice(), [Part::Variable(_) | Part::Bytes(_)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn example(more: &Value) -> Example {
        let mut all = json!({ "operation": "x", "title": "Y", "status": 200 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn an_example_is_a_command_that_can_be_pasted() {
        let asked = example(&json!({
            "path": { "id": "${job}" }, "query": { "q": "a $1 & \"b\"" }, "headers": { "If-Match": "${etag}", "X": "`$(id)`" },
            "json": { "text": "it's ${job}", "fence": "${fence:number}", "bytes": "${a.mp4:bytes}", "sha256": "${a.mp4:sha256}" }
        }));
        let notes = ["JOB: /id of the answer to \"Z\"".to_owned()];
        assert_eq!(
            asked.command("POST", "/v1/jobs/{id}/more", Some(KeyName::Key), &notes),
            r##"# JOB: /id of the answer to "Z"
curl -X POST "$GATEWAY/v1/jobs/$JOB/more?q=a%20%241%20%26%20%22b%22" \
  -H "Authorization: Bearer $KEY" \
  -H "If-Match: $ETAG" \
  -H "X: \`\$(id)\`" \
  -H "Content-Type: application/json" \
  -d '{
  "bytes": '"$(wc -c <a.mp4)"',
  "fence": '"$FENCE"',
  "sha256": "'"$(sha256sum a.mp4 | cut -c 1-64)"'",
  "text": "it'\''s '"$JOB"'"
}'"##
        );
        assert_eq!(asked.variables(), ["job", "etag", "fence"]);
        let link = example(&json!({ "link": "${link}", "file": "a.mp4" }));
        assert_eq!(
            link.command("PUT", "/v1/objects/{key}", None, &[]),
            "curl -X PUT \"$GATEWAY$LINK\" \\\n  -T a.mp4"
        );
        let saved = example(&json!({ "path": { "id": "${a}_b" }, "save": "b.mp4", "stream": true }));
        assert_eq!(
            saved.command("GET", "/v1/{id}", None, &[]),
            "curl --no-buffer \"$GATEWAY/v1/${A}_b\" \\\n  -o b.mp4"
        );
    }

    #[test]
    fn every_chapter_can_be_read_and_every_variable_was_kept_before() {
        let mut kept = std::collections::BTreeSet::new();
        for chapter in chapters().unwrap() {
            assert!(!chapter.examples.is_empty(), "{}", chapter.name);
            for example in chapter.examples {
                for name in example.variables() {
                    assert!(kept.contains(&name), "{}: {name} was not kept before", example.title);
                }
                assert!(example.json.is_none() || example.file.is_none(), "{}", example.title);
                kept.extend(example.keep.into_keys());
            }
        }
    }
}
