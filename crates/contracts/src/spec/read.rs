//! The decoders of [`super`]: each reads one part and notes its mistakes.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{
    Audio, BEST_SCORE, Bookend, Canvas, Cut, Highlight, JobSpec, LABEL_RULE, LONGEST_CLIP_SECONDS,
    LONGEST_STREAMER, LONGEST_TITLE, MOST_HIGHLIGHTS, MOST_LABELS, MontageSpec, NewJob, Order, ProbeSpec,
    ReplaySpec, Source, SpecError, Titles, Transcribe, TranscriptSpec, Transition, is_label,
};
use crate::{
    decode::{Fields, Mistakes, escape},
    ids::{MontageId, UploadId},
    job::JobKind,
    problem::FieldError,
    time::{MediaTime, TICKS_PER_SECOND},
};

impl NewJob {
    /// Decodes what was posted.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value) -> Result<Self, SpecError> {
        let mut mistakes = Mistakes::default();
        if let Some(kind) = value.get("kind").and_then(Value::as_str)
            && !JobKind::POSTED.iter().any(|(name, _)| *name == kind)
        {
            let names: Vec<&str> = JobKind::POSTED.iter().map(|(name, _)| *name).collect();
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
        let kind = fields.choice("kind", JobKind::POSTED, mistakes);
        let title = fields.text("title", LONGEST_TITLE, mistakes);
        let labels = read_labels(&fields, mistakes);
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
            JobKind::Replay => JobSpec::Replay(ReplaySpec::read(spec?, "/spec", mistakes)?),
            // Not among those that can be posted.
            JobKind::Plan | JobKind::Probe | JobKind::Segment => return None,
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

/// The `labels` of something, none if absent.
pub fn read_labels(fields: &Fields<'_>, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
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
            _ => mistakes.add(format!("{}/{}", fields.at("labels"), escape(name)), LABEL_RULE),
        }
    }
    labels
}

impl JobSpec {
    /// What a job is called that was sent without a title.
    #[must_use]
    pub fn default_title(&self) -> String {
        match self {
            Self::Montage(spec) | Self::Plan { plan: spec } => {
                let first = spec.highlights.iter().find_map(|highlight| highlight.title.clone());
                first.unwrap_or_else(|| "Untitled montage".to_owned())
            }
            Self::Transcript(spec) => format!("Transcript of {}", spec.montage),
            Self::Replay(spec) => spec.title(),
            Self::Part { part } => format!("Part of {}", part.job_id),
            Self::Probe { probe } => probe.title(),
        }
    }
}

impl MontageSpec {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = [
            "highlights",
            "cut",
            "canvas",
            "order",
            "audio",
            "transition",
            "titles",
            "intro",
            "outro",
            "transcribe",
        ];
        let fields = Fields::open(value, pointer, &known, mistakes)?;
        let highlights = match fields.required("highlights", mistakes) {
            Some(list) => highlights(list, &fields.at("highlights"), mistakes),
            None => Vec::new(),
        };
        let cut = fields.get("cut").and_then(|value| Cut::read(value, &fields.at("cut"), mistakes));
        let canvas =
            fields.get("canvas").and_then(|value| Canvas::read(value, &fields.at("canvas"), mistakes));
        let order = fields.choice("order", &[("given", Order::Given), ("score", Order::Score)], mistakes);
        let audio = fields.get("audio").and_then(|value| Audio::read(value, &fields.at("audio"), mistakes));
        let transition = fields
            .get("transition")
            .and_then(|value| Transition::read(value, &fields.at("transition"), mistakes));
        let titles =
            fields.get("titles").and_then(|value| Titles::read(value, &fields.at("titles"), mistakes));
        let mut bookend = |name: &str| Bookend::read(fields.get(name)?, &fields.at(name), mistakes);
        let (intro, outro) = (bookend("intro"), bookend("outro"));
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
            titles: titles.unwrap_or_default(),
            intro,
            outro,
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
    /// Decodes one highlight on its own.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut mistakes = Mistakes::default();
        let highlight = Self::read(value, "", &mut mistakes);
        mistakes.finish(highlight)
    }

    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["source", "start", "duration", "end", "title", "streamer", "score", "cut"];
        let fields = Fields::open(value, pointer, &known, mistakes)?;
        let source = fields
            .required("source", mistakes)
            .and_then(|value| Source::read(value, &fields.at("source"), mistakes));
        fields.required("start", mistakes);
        let start = fields.time("start", mistakes);
        if fields.get("duration").is_some() == fields.get("end").is_some() {
            mistakes.add(pointer, "exactly one of `duration` and `end` is required");
        }
        let duration = duration(&fields, start, mistakes);
        let title = fields.text("title", LONGEST_TITLE, mistakes);
        let streamer = fields.text("streamer", LONGEST_STREAMER, mistakes);
        let score = fields.number("score", -BEST_SCORE..=BEST_SCORE, mistakes);
        let cut = fields.get("cut").and_then(|value| Cut::read(value, &fields.at("cut"), mistakes));
        Some(Self { source: source?, start: start?, duration: duration?, title, streamer, score, cut })
    }
}

impl Bookend {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["source", "start", "duration", "end"], mistakes)?;
        let source = fields
            .required("source", mistakes)
            .and_then(|value| Source::read(value, &fields.at("source"), mistakes));
        let start = match (fields.get("start"), fields.time("end", &mut Mistakes::default())) {
            (Some(_), _) => fields.time("start", mistakes),
            // From the first frame or from the first moment: an end is counted as its start is.
            (None, Some(MediaTime::Frames(_))) => Some(MediaTime::Frames(0)),
            (None, _) => Some(MediaTime::Ticks(0)),
        };
        if fields.get("duration").is_some() && fields.get("end").is_some() {
            mistakes.add(
                pointer,
                "`duration` and `end` say the same: send one of them, or neither for all of it",
            );
        }
        let duration = duration(&fields, start, mistakes);
        Some(Self { source: source?, start: start?, duration })
    }
}

/// The length of a clip by its `duration` or its `end`, if it has exactly one of them.
fn duration(fields: &Fields<'_>, start: Option<MediaTime>, mistakes: &mut Mistakes) -> Option<MediaTime> {
    let name = match (fields.get("duration").is_some(), fields.get("end").is_some()) {
        (true, false) => "duration",
        (false, true) => "end",
        _ => return None,
    };
    let time = fields.time(name, mistakes)?;
    let (duration, end) = if name == "end" { (None, Some(time)) } else { (Some(time), None) };
    // Without a start a duration can be judged all the same.
    let start = start.or((name == "duration").then_some(MediaTime::Ticks(0)))?;
    clip_length(start, duration, end).map_err(|detail| mistakes.add(fields.at(name), detail)).ok()
}

/// The length of a clip that says its `duration` or its `end`.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn clip_length(
    start: MediaTime,
    duration: Option<MediaTime>,
    end: Option<MediaTime>,
) -> Result<MediaTime, String> {
    let duration = match (duration, end) {
        (Some(duration), None) => duration,
        (None, Some(end)) => length(start, end)?,
        _ => return Err("exactly one of `duration` and `end` is required".to_owned()),
    };
    let longest = MediaTime::Ticks(LONGEST_CLIP_SECONDS * TICKS_PER_SECOND);
    if duration.is_zero() {
        return Err("the clip has no length".to_owned());
    }
    if duration.seconds() > longest.seconds() {
        return Err(format!("a clip is at most {} hours long", LONGEST_CLIP_SECONDS / 3600));
    }
    Ok(duration)
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
    /// Decodes what a source of highlights says.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut mistakes = Mistakes::default();
        let source = Self::read(value, "", &mut mistakes);
        mistakes.finish(source)
    }

    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
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

impl ProbeSpec {
    /// Decodes what was posted.
    ///
    /// # Errors
    /// All mistakes at once, each with its JSON pointer.
    pub fn decode(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut mistakes = Mistakes::default();
        let spec = Fields::open(value, "", &["source"], &mut mistakes).and_then(|fields| {
            let source = fields.required("source", &mut mistakes)?;
            Source::read(source, &fields.at("source"), &mut mistakes).map(|source| Self { source })
        });
        mistakes.finish(spec)
    }

    /// What its job is called: the source as it was written, of a link the host alone. Titles are logged.
    #[must_use]
    pub fn title(&self) -> String {
        let name = match &self.source {
            Source::Url(url) => {
                let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
                host.unwrap_or_else(|| "a link".to_owned())
            }
            source => source.display(),
        };
        name.chars().take(LONGEST_TITLE).collect()
    }
}
