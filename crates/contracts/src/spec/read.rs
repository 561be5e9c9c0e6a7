//! The decoders of [`super`]: each reads one part and notes its mistakes.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{
    Audio, Canvas, Cut, CutMode, Highlight, JobSpec, LABEL_RULE, LONGEST_CLIP_SECONDS, LONGEST_TITLE,
    MOST_HIGHLIGHTS, MOST_LABELS, MontageSpec, NewJob, Order, Source, SpecError, Transcribe, TranscriptSpec,
    Transition, TransitionKind, is_label,
};
use crate::{
    decode::{Fields, Mistakes},
    ids::{MontageId, UploadId},
    job::JobKind,
    time::{MediaTime, TICKS_PER_SECOND},
    transcript::Engine,
};

impl NewJob {
    /// Decodes what was posted.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value) -> Result<Self, SpecError> {
        let mut mistakes = Mistakes::default();
        if let Some(kind) = value.get("kind").and_then(Value::as_str)
            && !JobKind::NAMES.iter().any(|(name, _)| *name == kind)
        {
            let names: Vec<&str> = JobKind::NAMES.iter().map(|(name, _)| *name).collect();
            return Err(SpecError::UnknownKind(format!(
                "`{kind}` is not a kind of job; there are: {}",
                names.join(", ")
            )));
        }
        let job = Self::read(value, &mut mistakes);
        mistakes.finish(job).map_err(SpecError::Invalid)
    }

    fn read(value: &Value, mistakes: &mut Mistakes) -> Option<Self> {
        let fields =
            Fields::open(value, "", &["kind", "title", "labels", "priority", "run_at", "spec"], mistakes)?;
        fields.required("kind", mistakes);
        let kind = fields.choice("kind", JobKind::NAMES, mistakes);
        let title = fields.text("title", LONGEST_TITLE, mistakes);
        let labels = labels(&fields, mistakes);
        let priority = fields.integer("priority", -100..=100, mistakes).unwrap_or(0);
        let run_at = fields.get("run_at").and_then(|value| {
            let parsed = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            if parsed.is_none() {
                mistakes
                    .add(fields.at("run_at"), "expected a moment with its offset, like 2026-11-21T18:00:00Z");
            }
            parsed.map(|moment| moment.with_timezone(&Utc))
        });
        let spec = fields.required("spec", mistakes);
        let spec = match kind? {
            JobKind::Montage => JobSpec::Montage(MontageSpec::read(spec?, "/spec", mistakes)?),
            JobKind::Transcript => JobSpec::Transcript(TranscriptSpec::read(spec?, "/spec", mistakes)?),
        };
        Some(Self {
            kind: kind?,
            title: title.unwrap_or_else(|| spec.default_title()),
            labels,
            priority: i16::try_from(priority).unwrap_or(0),
            run_at,
            spec,
        })
    }
}

fn labels(fields: &Fields<'_>, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(value) = fields.get("labels") else {
        return labels;
    };
    let Some(map) = value.as_object().filter(|map| map.len() <= MOST_LABELS) else {
        mistakes.add(
            fields.at("labels"),
            format!("expected an object of at most {MOST_LABELS} names and values"),
        );
        return labels;
    };
    for (name, value) in map {
        match value.as_str() {
            Some(text) if is_label(name, text) => {
                labels.insert(name.clone(), text.to_owned());
            }
            _ => mistakes.add(format!("{}/{name}", fields.at("labels")), LABEL_RULE),
        }
    }
    labels
}

impl JobSpec {
    fn default_title(&self) -> String {
        match self {
            Self::Montage(spec) => {
                let first = spec.highlights.iter().find_map(|highlight| highlight.title.clone());
                first.unwrap_or_else(|| "Untitled montage".to_owned())
            }
            Self::Transcript(spec) => format!("Transcript of {}", spec.montage),
        }
    }
}

impl MontageSpec {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["highlights", "cut", "canvas", "order", "audio", "transition", "transcribe"];
        let fields = Fields::open(value, pointer, &known, mistakes)?;
        let highlights = match fields.required("highlights", mistakes) {
            Some(list) => highlights(list, &fields.at("highlights"), mistakes),
            None => Vec::new(),
        };
        let cut = fields.get("cut").and_then(|value| {
            let fields = Fields::open(value, &fields.at("cut"), &["mode"], mistakes)?;
            Some(Cut { mode: fields.choice("mode", &[("exact", CutMode::Exact)], mistakes)? })
        });
        let canvas =
            fields.get("canvas").and_then(|value| Canvas::read(value, &fields.at("canvas"), mistakes));
        let order = fields.choice("order", &[("given", Order::Given), ("score", Order::Score)], mistakes);
        let audio = fields.get("audio").and_then(|value| {
            let fields = Fields::open(value, &fields.at("audio"), &["loudness_lufs"], mistakes)?;
            Some(Audio { loudness_lufs: fields.number("loudness_lufs", -40.0..=-5.0, mistakes)? })
        });
        let transition = fields.get("transition").and_then(|value| {
            let fields = Fields::open(value, &fields.at("transition"), &["kind"], mistakes)?;
            Some(Transition { kind: fields.choice("kind", &[("none", TransitionKind::None)], mistakes)? })
        });
        let transcribe = fields
            .get("transcribe")
            .and_then(|value| Transcribe::read(value, &fields.at("transcribe"), mistakes));
        Some(Self {
            highlights,
            cut: cut.unwrap_or_default(),
            canvas: canvas.unwrap_or_default(),
            order: order.unwrap_or_default(),
            audio: audio.unwrap_or_default(),
            transition: transition.unwrap_or_default(),
            transcribe: transcribe.unwrap_or_default(),
        })
    }
}

pub(super) fn highlights(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Vec<Highlight> {
    let Some(list) = value.as_array().filter(|list| (1..=MOST_HIGHLIGHTS).contains(&list.len())) else {
        mistakes.add(pointer, format!("expected a list of 1 to {MOST_HIGHLIGHTS} highlights"));
        return Vec::new();
    };
    list.iter()
        .enumerate()
        .filter_map(|(index, value)| Highlight::read(value, &format!("{pointer}/{index}"), mistakes))
        .collect()
}

impl Highlight {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["source", "start", "duration", "end", "title", "streamer", "score"];
        let fields = Fields::open(value, pointer, &known, mistakes)?;
        let source = fields
            .required("source", mistakes)
            .and_then(|value| Source::read(value, &fields.at("source"), mistakes));
        let time = |name: &str, mistakes: &mut Mistakes| {
            let read = MediaTime::from_json(fields.get(name)?);
            read.map_err(|detail| mistakes.add(fields.at(name), detail)).ok()
        };
        fields.required("start", mistakes);
        let start = time("start", mistakes);
        let duration = match (fields.get("duration").is_some(), fields.get("end").is_some()) {
            (true, false) => time("duration", mistakes),
            (false, true) => {
                let end = time("end", mistakes);
                start.zip(end).and_then(|(start, end)| match length(start, end) {
                    Ok(duration) => Some(duration),
                    Err(detail) => {
                        mistakes.add(fields.at("end"), detail);
                        None
                    }
                })
            }
            _ => {
                mistakes.add(pointer, "exactly one of `duration` and `end` is required");
                None
            }
        };
        if let Some(duration) = duration {
            let longest = MediaTime::Ticks(LONGEST_CLIP_SECONDS * TICKS_PER_SECOND);
            if duration.is_zero() {
                mistakes.add(fields.at("duration"), "the clip has no length");
            } else if duration.seconds() > longest.seconds() {
                mistakes.add(
                    fields.at("duration"),
                    format!("a clip is at most {} hours long", LONGEST_CLIP_SECONDS / 3600),
                );
            }
        }
        let title = fields.text("title", LONGEST_TITLE, mistakes);
        let streamer = fields.text("streamer", 100, mistakes);
        let score = fields.number("score", -1e9..=1e9, mistakes);
        Some(Self { source: source?, start: start?, duration: duration?, title, streamer, score })
    }
}

/// The time from start to end.
fn length(start: MediaTime, end: MediaTime) -> Result<MediaTime, String> {
    let length = match (start, end) {
        (MediaTime::Ticks(start), MediaTime::Ticks(end)) => {
            end.checked_sub(start).filter(|length| *length > 0).map(MediaTime::Ticks)
        }
        (MediaTime::Frames(start), MediaTime::Frames(end)) => {
            end.checked_sub(start).filter(|length| *length > 0).map(MediaTime::Frames)
        }
        _ => {
            return Err(
                "`start` and `end` are both times or both frames; send a `duration` to mix them".to_owned()
            );
        }
    };
    length.ok_or_else(|| "the end lies after the start".to_owned())
}

impl Source {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["url", "path", "upload", "montage"];
        let fields = Fields::open(value, pointer, &known, mistakes)?;
        let given: Vec<&str> = known.into_iter().filter(|name| fields.get(name).is_some()).collect();
        let [name] = given.as_slice() else {
            mistakes.add(pointer, "exactly one of `url`, `path`, `upload` and `montage` is required");
            return None;
        };
        let text = fields.text(name, 4096, mistakes)?;
        let uuid = |mistakes: &mut Mistakes| {
            let parsed = uuid::Uuid::parse_str(&text);
            parsed.map_err(|_| mistakes.add(fields.at(name), "expected an id (a UUID)")).ok()
        };
        match *name {
            "url" => check_url(&text)
                .map(|()| Self::Url(text))
                .map_err(|detail| mistakes.add(fields.at(name), detail))
                .ok(),
            "path" => check_path(&text)
                .map(|()| Self::Path(text))
                .map_err(|detail| mistakes.add(fields.at(name), detail))
                .ok(),
            "upload" => uuid(mistakes).map(|id| Self::Upload(UploadId(id))),
            _ => uuid(mistakes).map(|id| Self::Montage(MontageId(id))),
        }
    }
}

fn check_url(text: &str) -> Result<(), &'static str> {
    let url = url::Url::parse(text).map_err(|_| "expected a link like https://media.example/vod.mp4")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("links are http or https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("links with a user name or password are not accepted");
    }
    Ok(())
}

fn check_path(text: &str) -> Result<(), &'static str> {
    let (root, path) = text
        .split_once(':')
        .ok_or("expected `name:path/file.mkv`, where name is one of the operator's media directories")?;
    let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if root.is_empty() || !plain {
        Err("the path lies below its directory, without `..` and without a leading slash")
    } else {
        Ok(())
    }
}

impl Canvas {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["width", "height", "frame_rate"], mistakes)?;
        let mut side = |name: &str, most: i64| {
            let side = fields.integer(name, 16..=most, mistakes)?;
            if side % 2 != 0 {
                mistakes.add(fields.at(name), "expected an even number");
            }
            u32::try_from(side).ok()
        };
        let (width, height) = (side("width", 7680), side("height", 4320));
        if width.is_some() != height.is_some() {
            mistakes.add(pointer, "`width` and `height` go together");
        }
        let frame_rate = match fields.get("frame_rate") {
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => fields.text("frame_rate", 20, mistakes),
            None => None,
        };
        if let Some(rate) = &frame_rate
            && !is_frame_rate(rate)
        {
            mistakes.add(
                fields.at("frame_rate"),
                "expected 1 to 120 frames a second, like 30, 29.97 or 30000/1001",
            );
        }
        Some(Self { width, height, frame_rate })
    }
}

fn is_frame_rate(text: &str) -> bool {
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    if !plain(over) || !plain(under) || (text.contains('/') && text.contains('.')) {
        return false;
    }
    match (over.parse::<f64>(), under.parse::<f64>()) {
        (Ok(over), Ok(under)) => {
            under > 0.0 && over <= 1e6 && under <= 1e6 && (1.0..=120.0).contains(&(over / under))
        }
        _ => false,
    }
}

impl Transcribe {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["engine", "language"], mistakes)?;
        let engines = [("local", Engine::Local), ("openai", Engine::Openai), ("none", Engine::None)];
        let engine = fields.choice("engine", &engines, mistakes).unwrap_or(Engine::Local);
        let language = fields.text("language", 35, mistakes);
        if let Some(language) = &language {
            if !language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                mistakes.add(fields.at("language"), "expected a language like `en` or `ja`");
            } else if engine == Engine::Local && !(language == "en" || language.starts_with("en-")) {
                mistakes.add(
                    fields.at("language"),
                    "the local engine knows English only; use `openai` for other languages",
                );
            }
        }
        Some(Self { engine, language })
    }
}

impl TranscriptSpec {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["montage", "transcribe"], mistakes)?;
        let montage = fields.required("montage", mistakes).and_then(|value| {
            let id = value.as_str().and_then(|text| text.parse().ok());
            if id.is_none() {
                mistakes.add(fields.at("montage"), "expected an id (a UUID)");
            }
            id
        });
        let transcribe = fields
            .get("transcribe")
            .and_then(|value| Transcribe::read(value, &fields.at("transcribe"), mistakes));
        Some(Self { montage: montage?, transcribe: transcribe.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn full() -> Value {
        json!({
            "kind": "montage", "title": "Best", "labels": { "show": "weekly" }, "priority": 5, "run_at": "2026-11-21T18:00:00+01:00",
            "spec": {
                "highlights": [
                    { "source": { "url": "https://a.example/v.mp4?sig=1" }, "start": "1:02:03.5", "duration": "25s", "score": 1.5 },
                    { "source": { "path": "library:a/b.mkv" }, "start": "10f", "end": "20f", "title": "T", "streamer": "S", "score": 9 } ],
                "canvas": { "width": 1280, "height": 720, "frame_rate": 29.97 }, "order": "score",
                "audio": { "loudness_lufs": -14 }, "transcribe": { "engine": "openai", "language": "ja" } }
        })
    }

    #[test]
    fn what_is_stored_decodes_to_the_same_again() {
        let job = NewJob::decode(&full()).unwrap();
        let again =
            NewJob::decode(&json!({ "kind": "montage", "spec": serde_json::to_value(&job.spec).unwrap() }))
                .unwrap();
        assert_eq!(again.spec, job.spec);
        let by_serde: JobSpec = serde_json::from_value(serde_json::to_value(&job.spec).unwrap()).unwrap();
        assert_eq!(by_serde, job.spec);
    }

    #[test]
    fn defaults_are_filled_in_and_ends_become_lengths() {
        let JobSpec::Montage(spec) = NewJob::decode(&full()).unwrap().spec else { panic!("a montage") };
        assert_eq!(spec.highlights[1].duration, MediaTime::Frames(10));
        assert_eq!(spec.transition, Transition::default());
        assert_eq!(spec.clip_order(), [1, 0]);
        assert_eq!(spec.highlights[0].source.display(), "https://a.example/v.mp4");
    }

    #[test]
    fn every_mistake_has_its_place() {
        let body = json!({ "kind": "montage", "spec": { "highlights": [
            { "source": { "url": "x" }, "start": 0, "duration": 0 },
            { "source": { "url": "https://u:p@a.example/" }, "start": "10f", "end": 3 },
            { "source": { "montage": "1" }, "start": 0, "duration": "5h", "titel": "" } ] } });
        let Err(SpecError::Invalid(errors)) = NewJob::decode(&body) else { panic!("refused") };
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/spec/highlights/0/source/url",
                "/spec/highlights/0/duration",
                "/spec/highlights/1/source/url",
                "/spec/highlights/1/end",
                "/spec/highlights/2/titel",
                "/spec/highlights/2/source/montage",
                "/spec/highlights/2/duration",
            ]
        );
    }

    #[test]
    fn arbitrary_json_is_refused_without_a_panic() {
        for body in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "kind": 7 }),
            json!({ "kind": "montage", "spec": [] }),
            json!({ "kind": "montage", "spec": { "highlights": {} } }),
            json!({ "kind": "transcript", "spec": { "montage": 3 } }),
        ] {
            assert!(matches!(NewJob::decode(&body), Err(SpecError::Invalid(_))), "{body}");
        }
    }
}
