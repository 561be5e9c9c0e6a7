//! From highlights to jobs: which montages are made of what was gathered, and under which keys they are posted. Pure.
//!
//! The key of a job follows from the scope (an import's name, a schedule's id), the window, the montage's place among the rules and the
//! streamer's id. So the same days are made into the same montages once, whoever asks for them and how often. Without a window the
//! moment of the run stands in for it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use contracts::import::{HighlightSource, ImportedJob, MontageOf, MontageRule, PostOutcome, WindowRule};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    candidate::{Candidate, Gathered, Streamer},
    select::select,
    template,
    window::Window,
};

/// Most rules of an import.
pub const MOST_MONTAGES: usize = 10;
/// Most montages that one import makes.
pub const MOST_JOBS: usize = 1000;

/// What is imported, from where, and what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// The zone of that name, whose days the window's are.
    pub zone: Tz,
    /// Where the highlights come from.
    pub source: HighlightSource,
    /// Which days are asked for.
    pub window: Option<WindowRule>,
    /// Which montages are made; one of everything where there is none.
    pub montages: Vec<MontageRule>,
    /// The job without its highlights.
    pub template: Value,
}

impl Import {
    /// The days that a run at a moment asks for by the import's own window, if it has one.
    #[must_use]
    pub fn window_at(&self, at: DateTime<Utc>) -> Option<Window> {
        self.window.map(|rule| Window::of(rule, at, self.zone))
    }
}

/// A job that is to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The `Idempotency-Key` that it is posted under: 1 to 200 visible ASCII characters.
    pub key: String,
    /// The body that is posted, as JSON.
    pub body: String,
    /// What is told of it; it waits.
    pub told: ImportedJob,
}

/// Makes the jobs of an import that runs at a moment. Highlights that none of its rules can use are reported as skipped.
///
/// # Errors
/// Why they do not make jobs, for a run's reason.
pub fn plan(
    import: &Import,
    scope: &str,
    at: DateTime<Utc>,
    gathered: &mut Gathered,
) -> Result<Vec<Planned>, String> {
    let usual = [MontageRule::default()];
    let rules = if import.montages.is_empty() { &usual[..] } else { &import.montages };
    let mut planned = Vec::new();
    let mut nobodys = 0;
    let mut in_frames = 0;
    // Those of all streamers first: they sort everything at once, and want the memory that the texts of many jobs will take.
    let mut ordered: Vec<(usize, &MontageRule)> = rules.iter().enumerate().collect();
    ordered.sort_by_key(|(_, rule)| rule.of == MontageOf::EachStreamer);
    for (index, rule) in ordered {
        let groups = groups(rule.of, gathered.candidates());
        nobodys += groups.nobodys;
        for (streamer, candidates) in groups.of {
            let selected = select(candidates, &rule.select);
            in_frames += selected.in_frames;
            if selected.clips.is_empty() {
                continue;
            }
            if planned.len() == MOST_JOBS {
                return Err(format!("it would make more than {MOST_JOBS} montages"));
            }
            let values = values(import, at, gathered.window(), streamer, selected.clips.len());
            let job = template::job(&import.template, rule, &values, &selected.clips, import.zone)?;
            let job = Planned {
                key: key(scope, gathered.window(), at, index, streamer),
                told: ImportedJob {
                    title: job.title,
                    streamer: streamer.map(|streamer| streamer.name.clone()),
                    highlights: u32::try_from(selected.clips.len()).unwrap_or(u32::MAX),
                    left_out: u32::try_from(selected.left_out).unwrap_or(u32::MAX),
                    outcome: PostOutcome::Waiting,
                    job_id: None,
                    reason: None,
                },
                body: job.body,
            };
            planned.push((index, job));
        }
    }
    note(gathered, nobodys, "say no streamer, so that they are in no streamer's montage");
    note(gathered, in_frames, "are counted in frames, which cannot be padded or fitted into a budget");
    planned.sort_by_key(|(index, _)| *index);
    Ok(planned.into_iter().map(|(_, job)| job).collect())
}

fn note(gathered: &mut Gathered, count: usize, what: &str) {
    if count > 0 {
        gathered.skip("montages", format!("highlights that {what}: {count}"));
    }
}

/// Highlights by whose montage they are for.
struct Groups<'a> {
    of: Vec<(Option<&'a Streamer>, Vec<&'a Candidate>)>,
    nobodys: usize,
}

fn groups(of: MontageOf, candidates: &[Candidate]) -> Groups<'_> {
    if of == MontageOf::AllStreamers {
        return Groups { of: vec![(None, candidates.iter().collect())], nobodys: 0 };
    }
    // By id, so that jobs come in the same order whatever order the rows came in.
    let mut groups: BTreeMap<&str, (&Streamer, Vec<&Candidate>)> = BTreeMap::new();
    let mut nobodys = 0;
    for candidate in candidates {
        match candidate.streamer.as_deref() {
            Some(streamer) => {
                groups.entry(&streamer.id).or_insert_with(|| (streamer, Vec::new())).1.push(candidate);
            }
            None => nobodys += 1,
        }
    }
    let of = groups.into_values().map(|(streamer, list)| (Some(streamer), list)).collect();
    Groups { of, nobodys }
}

fn values(
    import: &Import,
    at: DateTime<Utc>,
    window: Option<Window>,
    streamer: Option<&Streamer>,
    count: usize,
) -> [(&'static str, String); 6] {
    let date = at.with_timezone(&import.zone).date_naive();
    let (from, to) = window.map_or((date, date), |window| (window.days.from, window.days.to));
    [
        ("date", date.to_string()),
        ("from", from.to_string()),
        ("to", to.to_string()),
        ("streamer", streamer.map(|streamer| streamer.name.clone()).unwrap_or_default()),
        ("count", count.to_string()),
        ("name", import.name.clone()),
    ]
}

fn key(
    scope: &str,
    window: Option<Window>,
    at: DateTime<Utc>,
    rule: usize,
    streamer: Option<&Streamer>,
) -> String {
    let when = window.map_or_else(
        || at.to_rfc3339_opts(SecondsFormat::Micros, true),
        |window| format!("{}:{}", window.days.from, window.days.to),
    );
    let mut hash = Sha256::new();
    for part in [scope, &when, &rule.to_string(), streamer.map_or("", |streamer| &streamer.id)] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    // The days stand in it for people who look at keys; what tells it apart is the hash.
    format!("import:{when}:{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests;
