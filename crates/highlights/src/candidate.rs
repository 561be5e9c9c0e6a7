//! What sources deliver: highlights that may be selected, and rows that could not be used.
//!
//! A [`Gathered`] is what every source writes into. It judges what all sources have in common (lengths, titles, scores, the window), counts,
//! and keeps the first of what is skipped for people to read. It holds 64-bit times and shared texts, so that a hundred thousand
//! rows take tens of megabytes.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use contracts::{
    import::{ImportReport, SkippedRow},
    spec::{BEST_SCORE, Cut, LONGEST_STREAMER, LONGEST_TITLE, Source, clip_length},
    time::MediaTime,
};

use crate::{source::SourceError, window::Window};

/// Most rows of one import, and most highlights.
pub const MOST_ROWS: u64 = 1_000_000;
/// Skipped rows that are named.
const NAMED: usize = 50;
/// Longest place and longest reason that are kept, in characters.
const LONGEST_TOLD: usize = 300;

/// Who is seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Streamer {
    /// What tells them apart; the name, where a source knows nothing else.
    pub id: String,
    /// What people know them by.
    pub name: String,
}

impl Streamer {
    /// Somebody who is known by a name only.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { id: name.to_owned(), name: name.to_owned() }
    }
}

/// When a highlight was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On a day.
    Day(NaiveDate),
    /// At a moment.
    Moment(DateTime<Utc>),
}

impl When {
    /// The day, by the clock of a zone.
    #[must_use]
    pub fn day(self, zone: Tz) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Moment(moment) => moment.with_timezone(&zone).date_naive(),
        }
    }
}

/// A highlight that may be selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub source: Arc<Source>,
    /// Where it starts on the source.
    pub start: MediaTime,
    /// How long it is.
    pub duration: MediaTime,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Who is seen.
    pub streamer: Option<Arc<Streamer>>,
    /// The higher the better.
    pub score: Option<f64>,
    /// How this clip is cut, where it differs from the whole; rare, and therefore not here.
    pub cut: Option<Box<Cut>>,
    /// When it was, where the source says.
    pub when: Option<When>,
}

/// A highlight as a row says it, before it is judged.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is; decoded.
    pub source: Arc<Source>,
    /// Where it starts on the source.
    pub start: MediaTime,
    /// How long it is, unless `end` says.
    pub duration: Option<MediaTime>,
    /// Where it ends, unless `duration` says.
    pub end: Option<MediaTime>,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// Who is seen.
    pub streamer: Option<Arc<Streamer>>,
    /// The higher the better.
    pub score: Option<f64>,
    /// How this clip is cut, where it differs from the whole.
    pub cut: Option<Cut>,
    /// When it was.
    pub when: Option<When>,
}

/// What was read of a source.
#[derive(Debug, Default)]
pub struct Gathered {
    window: Option<Window>,
    candidates: Vec<Candidate>,
    report: ImportReport,
}

impl Gathered {
    /// Nothing yet. Highlights outside the window will be left out.
    #[must_use]
    pub fn new(window: Option<Window>) -> Self {
        Self { window, ..Self::default() }
    }

    /// The window that is asked for.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// Counts a row that was read; to be called for each before anything that it holds.
    ///
    /// # Errors
    /// When there were too many: a source without an end must not fill the memory.
    pub fn row(&mut self) -> Result<(), SourceError> {
        self.report.rows += 1;
        if self.report.rows > MOST_ROWS || self.candidates.len() as u64 > MOST_ROWS {
            return Err(SourceError::Refused(format!(
                "the source has more than {MOST_ROWS} rows or highlights: ask for a shorter window"
            )));
        }
        Ok(())
    }

    /// Takes a highlight in, unless it is outside the window; what cannot be used is reported with its place, which is only made then.
    pub fn found(&mut self, found: Found, place: impl FnOnce() -> String) {
        let outside = |window: &Window| found.when.is_some_and(|when| !window.contains(when));
        if self.window.as_ref().is_some_and(outside) {
            return;
        }
        match judge(found) {
            Ok(candidate) => {
                self.report.highlights += 1;
                self.candidates.push(candidate);
            }
            Err(reason) => self.skip(place(), reason),
        }
    }

    /// Reports a row, or a highlight of a row, that cannot be used.
    pub fn skip(&mut self, row: impl Into<String>, reason: impl Into<String>) {
        self.report.skipped += 1;
        if self.report.skipped_rows.len() < NAMED {
            let row = told(row.into());
            let reason = told(reason.into());
            self.report.skipped_rows.push(SkippedRow { row, reason });
        }
    }

    /// The highlights, in the order in which they came.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// What was read and what was skipped.
    #[must_use]
    pub fn report(&self) -> &ImportReport {
        &self.report
    }
}

/// What is kept of a text that came from a source: one line of bounded length.
fn told(text: String) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let short: String = plain.clone().take(LONGEST_TOLD).collect();
    if plain.count() > LONGEST_TOLD { format!("{short}…") } else { short }
}

fn judge(found: Found) -> Result<Candidate, String> {
    let duration = clip_length(found.start, found.duration, found.end)?;
    let title = found.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    if let Some(title) = title {
        plain("title", title, LONGEST_TITLE)?;
    }
    if let Some(streamer) = &found.streamer {
        plain("streamer", &streamer.name, LONGEST_STREAMER)?;
    }
    if let Some(score) = found.score
        && !(-BEST_SCORE..=BEST_SCORE).contains(&score)
    {
        return Err(format!("the score is not a number from {} to {BEST_SCORE}", -BEST_SCORE));
    }
    Ok(Candidate {
        source: found.source,
        start: found.start,
        duration,
        title: title.map(Arc::from),
        streamer: found.streamer,
        score: found.score,
        cut: found.cut.map(Box::new),
        when: found.when,
    })
}

fn plain(what: &str, text: &str, longest: usize) -> Result<(), String> {
    if text.chars().count() > longest {
        return Err(format!("the {what} has more than {longest} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("the {what} has control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::{import::Days, time::TICKS_PER_SECOND};

    fn found() -> Found {
        Found {
            source: Arc::new(Source::Url("https://media.example/a.mp4".to_owned())),
            start: MediaTime::Ticks(0),
            duration: Some(MediaTime::Ticks(TICKS_PER_SECOND)),
            end: None,
            title: None,
            streamer: None,
            score: None,
            cut: None,
            when: None,
        }
    }

    #[test]
    fn what_cannot_be_used_is_reported_with_its_place_and_counted() {
        let mut gathered = Gathered::new(None);
        let bad = [
            Found { duration: Some(MediaTime::Ticks(0)), ..found() },
            Found { end: Some(MediaTime::Ticks(5)), ..found() },
            Found { title: Some("x".repeat(201)), ..found() },
            Found { title: Some("a\u{7}b".to_owned()), ..found() },
            Found { score: Some(f64::NAN), ..found() },
            Found { streamer: Some(Arc::new(Streamer::named(&"y".repeat(101)))), ..found() },
        ];
        for (index, row) in bad.into_iter().enumerate() {
            gathered.row().unwrap();
            gathered.found(row, || format!("line {index}"));
        }
        gathered.row().unwrap();
        gathered.found(found(), || unreachable!());
        let report = gathered.report();
        assert_eq!((report.rows, report.highlights, report.skipped), (7, 1, 6));
        assert_eq!(report.skipped_rows[0].row, "line 0");
        assert!(report.skipped_rows[0].reason.contains("no length"));
        assert_eq!(gathered.candidates().len(), 1);
    }

    #[test]
    fn only_the_first_fifty_are_named_on_one_line_each() {
        let mut gathered = Gathered::new(None);
        for index in 0..60 {
            gathered.skip(format!("line {index}\n"), "x".repeat(1000));
        }
        assert_eq!((gathered.report().skipped, gathered.report().skipped_rows.len()), (60, 50));
        assert_eq!(gathered.report().skipped_rows[0].row, "line 0 ");
        assert_eq!(gathered.report().skipped_rows[0].reason.chars().count(), 301);
    }

    #[test]
    fn what_is_outside_the_window_is_left_out_and_what_has_no_date_is_not() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = Days { from: day("2026-11-16"), to: day("2026-11-22") };
        let mut gathered = Gathered::new(Some(Window { days, zone: chrono_tz::Tz::UTC }));
        for when in [None, Some(When::Day(day("2026-11-20"))), Some(When::Day(day("2026-11-23")))] {
            gathered.found(Found { when, ..found() }, String::new);
        }
        assert_eq!((gathered.report().highlights, gathered.report().skipped), (2, 0));
    }
}
