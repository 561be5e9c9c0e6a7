//! What all formats have in common: from what a row says to a highlight that may be selected. Pure.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use contracts::{
    import::{DocumentSource, VideoTemplate},
    spec::Source,
    time::{MediaTime, TICKS_PER_SECOND},
};
use serde_json::{Value, json};

use super::text::one_line;
use crate::{
    candidate::{Found, Gathered, Streamer, When},
    source::{SourceError, video},
};

/// Furthest that an end and a duration of one row may be apart: what rounding to milliseconds makes of them.
const SAME_TICKS: i64 = TICKS_PER_SECOND * 3 / 2000;

/// What a source says for rows that do not.
pub struct Usual {
    video: Videos,
    duration: Option<MediaTime>,
    streamer: Option<Arc<Streamer>>,
}

/// Where the videos of rows are.
enum Videos {
    /// Where the row says, whole.
    Whole,
    /// Where a template says; the row says which.
    Template(VideoTemplate),
    /// All rows are of one video.
    One(Arc<Source>),
}

impl Usual {
    /// What a source says.
    ///
    /// # Errors
    /// When its video is none.
    pub fn of(source: &DocumentSource) -> Result<Self, SourceError> {
        let video = match &source.video {
            None => Videos::Whole,
            Some(template) if names_id(template) => Videos::Template(template.clone()),
            Some(template) => {
                let one = video::of(template, "video");
                Videos::One(Arc::new(
                    one.map_err(|reason| SourceError::Refused(format!("`video`: {reason}")))?,
                ))
            }
        };
        let streamer = source.streamer.as_deref().map(|name| Arc::new(Streamer::named(name)));
        Ok(Self { video, duration: source.duration, streamer })
    }

    /// Whether rows have to say which video they are of.
    #[must_use]
    pub fn needs_video(&self) -> bool {
        !matches!(self.video, Videos::One(_))
    }

    /// Whether a row's video is the id of a template, not a whole place.
    #[must_use]
    pub fn has_template(&self) -> bool {
        matches!(self.video, Videos::Template(_))
    }

    /// How long a highlight is where its row does not say.
    #[must_use]
    pub fn duration(&self) -> Option<MediaTime> {
        self.duration
    }

    /// The length of a row by its `duration`, its `end`, both where they agree, or else what is usual.
    ///
    /// # Errors
    /// Why it has none.
    pub fn length(
        &self,
        start: MediaTime,
        duration: Option<MediaTime>,
        end: Option<MediaTime>,
    ) -> Result<(Option<MediaTime>, Option<MediaTime>), String> {
        match (duration, end) {
            (None, None) => match self.duration {
                Some(usual) => Ok((Some(usual), None)),
                None => {
                    Err("it says neither its end nor its duration, and the source gives no `duration`"
                        .to_owned())
                }
            },
            (Some(duration), Some(end)) if agree(start, duration, end) => Ok((Some(duration), None)),
            (Some(_), Some(_)) => {
                Err("its end and its duration do not agree: leave one of them out".to_owned())
            }
            one => Ok(one),
        }
    }
}

/// Whether a template has a place for an id.
pub fn names_id(template: &VideoTemplate) -> bool {
    let (VideoTemplate::Url(text) | VideoTemplate::Path(text)) = template;
    text.contains("{id}")
}

fn agree(start: MediaTime, duration: MediaTime, end: MediaTime) -> bool {
    match (start, duration, end) {
        (MediaTime::Ticks(start), MediaTime::Ticks(duration), MediaTime::Ticks(end)) => {
            (start.saturating_add(duration)).abs_diff(end) <= SAME_TICKS.unsigned_abs()
        }
        (MediaTime::Frames(start), MediaTime::Frames(duration), MediaTime::Frames(end)) => {
            start.checked_add(duration) == Some(end)
        }
        _ => false,
    }
}

/// A position or length in ticks, within what is accepted everywhere.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn ticks(ticks: i64) -> Result<MediaTime, String> {
    MediaTime::from_json(&json!({ "ticks": ticks }))
}

/// One value of a row.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Text, of JSON or of a table.
    Text(&'a str),
    /// Anything else that JSON can say.
    Json(&'a Value),
}

impl<'a> Cell<'a> {
    /// A value of JSON; null and empty text stand for nothing.
    #[must_use]
    pub fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::String(text) => Self::text(text),
            other => Some(Self::Json(other)),
        }
    }

    /// A text; an empty one stands for nothing.
    #[must_use]
    pub fn text(text: &'a str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then_some(Self::Text(text))
    }

    fn time(self, what: &str) -> Result<MediaTime, String> {
        let read = match self {
            Self::Text(text) => MediaTime::parse(text),
            Self::Json(value) => MediaTime::from_json(value),
        };
        read.map_err(|detail| format!("its {what}: {detail}"))
    }

    fn number(self) -> Option<f64> {
        let number = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Json(value) => value.as_f64(),
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A name or an id, which may be a number.
    fn name(self, what: &str) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.to_owned()),
            Self::Json(Value::Number(number)) => Ok(number.to_string()),
            Self::Json(_) => Err(format!("its {what} is neither text nor a number")),
        }
    }

    /// A day, a moment with its offset, or seconds or milliseconds since 1970.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn when(self) -> Result<When, String> {
        let accepted = || {
            "its `at`: expected a day like 2026-11-22, a moment with its offset like 2026-11-22T18:30:00Z, or seconds or milliseconds \
             since 1970"
                .to_owned()
        };
        if let Some(number) = self.number() {
            // 1e11 seconds are in the year 5138, as milliseconds in 1973. What is less than 1e8 may be a day without its hyphens.
            if number < 1e8 {
                return Err(accepted());
            }
            let milliseconds = if number < 1e11 { number * 1000.0 } else { number };
            // Saturates; what is no date is refused.
            let moment = DateTime::<Utc>::from_timestamp_millis(milliseconds.round() as i64);
            return moment.map(When::Moment).ok_or_else(accepted);
        }
        let Self::Text(text) = self else { return Err(accepted()) };
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(When::Day(day));
        }
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| accepted())?;
        Ok(When::Moment(moment.to_utc()))
    }
}

/// What a row of a table or of mapped JSON says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// The video: its id, or all of its place.
    pub video: Option<Cell<'a>>,
    /// Where the highlight starts.
    pub start: Option<Cell<'a>>,
    /// Where it ends.
    pub end: Option<Cell<'a>>,
    /// How long it is.
    pub duration: Option<Cell<'a>>,
    /// Its title.
    pub title: Option<Cell<'a>>,
    /// Who is seen.
    pub streamer: Option<Cell<'a>>,
    /// The higher the better.
    pub score: Option<Cell<'a>>,
    /// When it was.
    pub at: Option<Cell<'a>>,
}

/// Reads the rows of one source, whatever its format and however many its pages. Videos and streamers that come again are held once.
pub struct Rows<'a> {
    /// What the source says for rows that do not.
    pub usual: &'a Usual,
    into: &'a mut Gathered,
    page: Option<u64>,
    sources: HashMap<String, Arc<Source>>,
    streamers: HashMap<String, Arc<Streamer>>,
}

impl<'a> Rows<'a> {
    /// For all rows of a source.
    #[must_use]
    pub fn new(usual: &'a Usual, into: &'a mut Gathered) -> Self {
        Self { usual, into, page: None, sources: HashMap::new(), streamers: HashMap::new() }
    }

    /// From here on the rows are of this page, counted from 1.
    pub fn turn_to(&mut self, page: u64) {
        self.page = Some(page);
    }

    /// Counts a row; see [`Gathered::row`].
    ///
    /// # Errors
    /// When there were too many.
    pub fn row(&mut self) -> Result<(), SourceError> {
        self.into.row()
    }

    /// Takes in what a row says, or reports why it cannot be used.
    pub fn take(&mut self, read: Result<Found, String>, place: impl FnOnce() -> String) {
        let page = self.page;
        let place = || match page {
            Some(page) => format!("page {page}, {}", place()),
            None => place(),
        };
        match read {
            Ok(found) => self.into.found(found, place),
            Err(reason) => self.into.skip(place(), reason),
        }
    }

    /// The video that a row names.
    ///
    /// # Errors
    /// Why it names none.
    pub fn video(&mut self, named: Option<&str>) -> Result<Arc<Source>, String> {
        let template = match &self.usual.video {
            Videos::One(source) => return Ok(Arc::clone(source)),
            Videos::Template(template) => Some(template),
            Videos::Whole => None,
        };
        let named = named.ok_or("it names no video")?;
        if let Some(known) = self.sources.get(named) {
            return Ok(Arc::clone(known));
        }
        let source = Arc::new(match template {
            Some(template) => video::of(template, named)?,
            None => whole(named)?,
        });
        self.sources.insert(named.to_owned(), Arc::clone(&source));
        Ok(source)
    }

    /// Who is seen.
    pub fn streamer(&mut self, named: Option<&str>) -> Option<Arc<Streamer>> {
        let name = named.map(one_line).filter(|name| !name.is_empty());
        let Some(name) = name else { return self.usual.streamer.clone() };
        let streamer = self.streamers.entry(name).or_insert_with_key(|name| Arc::new(Streamer::named(name)));
        Some(Arc::clone(streamer))
    }

    /// Reads what a row says.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn read(&mut self, said: &Said<'_>) -> Result<Found, String> {
        let video = said.video.map(|cell| cell.name("video")).transpose()?;
        let source = self.video(video.as_deref())?;
        let start = said.start.ok_or("it does not say where it starts")?.time("start")?;
        let duration = said.duration.map(|cell| cell.time("duration")).transpose()?;
        let end = said.end.map(|cell| cell.time("end")).transpose()?;
        let (duration, end) = self.usual.length(start, duration, end)?;
        let score = said.score.map(|cell| cell.number().ok_or("its score is not a number")).transpose()?;
        let title = said.title.map(|cell| cell.name("title")).transpose()?;
        let streamer = said.streamer.map(|cell| cell.name("streamer")).transpose()?;
        Ok(Found {
            source,
            start,
            duration,
            end,
            title: title.map(|title| one_line(&title)),
            streamer: self.streamer(streamer.as_deref()),
            score,
            cut: None,
            when: said.at.map(Cell::when).transpose()?,
        })
    }
}

/// A video that a row names whole: an address, a path, or as our own lists name what the library holds.
fn whole(named: &str) -> Result<Source, String> {
    let (kind, behind) = named.split_once(':').unwrap_or_default();
    let of = |kind: &str, text: &str| video::decoded(&json!({ kind: text }));
    if matches!(kind, "upload" | "montage")
        && let Ok(source) = of(kind, behind)
    {
        return Ok(source);
    }
    let is_address = ["http", "https"].iter().any(|scheme| kind.eq_ignore_ascii_case(scheme));
    // An address of another kind, or a drive of somebody's machine.
    if kind.is_empty() || (!is_address && (behind.starts_with("//") || behind.contains('\\'))) {
        return Err("its video is neither an address like https://media.example/vod.mp4 nor a path like \
                    `name:path/file.mkv`: say where such videos are by the source's `video`"
            .to_owned());
    }
    of(if is_address { "url" } else { "path" }, named).map_err(|details| format!("its video: {details}"))
}

/// The name of the file that an address or a path leads to, as the id of a template.
#[must_use]
pub fn file_name(place: &str) -> Option<String> {
    let is_address = place.contains("://");
    let path = if is_address { place.split(['?', '#']).next().unwrap_or_default() } else { place };
    let behind = path.split_once("://").map_or(path, |(_, behind)| behind);
    // An address without a path has no file.
    let name = match behind.rsplit_once(['/', '\\']) {
        Some((_, name)) => name,
        None if is_address => return None,
        None => behind,
    };
    let name = if is_address {
        percent_encoding::percent_decode_str(name).decode_utf8().ok()?.into_owned()
    } else {
        name.to_owned()
    };
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
