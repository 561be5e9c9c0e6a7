//! One replay: its files, a render worker that plays and draws them, the library.
//!
//! The files are opened here and looked into in the worker only. Promises: as for a montage, an earlier attempt's published result
//! is taken over, and what an attempt has drawn is kept for the next one; names that come out of the files are made fit for the
//! library. What goes wrong is told with a code and a pointer to the file, or the option, that is to blame.

use std::{path::Path, sync::Arc, time::Instant};

use chrono::Utc;
use contracts::{
    ids::MontageId,
    job::Stage,
    montage::Clip,
    replay::ReplayReport,
    spec::{LONGEST_STREAMER, LONGEST_TITLE, ReplaySpec, Source},
    time::ticks_to_seconds,
    transcript::{Cue, Engine, Transcript, TranscriptState},
};
use cutter::{
    plan::Plan,
    protocol::Task,
    report::{Outcome, ReplayCaption, ReplayOutcome, Report},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use replay::error::{About, ReplayError};

use crate::{
    attempt::Attempt,
    failure::Failed,
    montage::{Blamed, explain_with},
    order::of_replay,
    publish::{self, Made},
    sources::OpenSource,
    worker,
};

/// Makes and publishes the video of a replay; answers its id.
///
/// # Errors
/// Why this attempt failed.
pub async fn make(attempt: &Attempt<'_>, spec: &ReplaySpec, dir: &Path) -> Result<MontageId, Failed> {
    if let Some(montage) = publish::earlier(attempt).await? {
        return Ok(montage);
    }
    let started_at = Utc::now();
    let files = open(attempt, spec).await?;
    let work = Work { attempt, spec, files: &files, dir };
    let plan = work.plan().await?;
    attempt.reporter.lasts(ticks_to_seconds(plan.duration_ticks()));
    let making = async {
        let ReplayOutcome { report, play, captions } = work.render(plan).await?;
        attempt.reporter.stage(Stage::Publishing, 0.0);
        let clips = clips(spec, &play, &report);
        let made = Made {
            title: title(attempt, &play),
            transcript: told(&captions, &clips),
            clips,
            sources: &files,
            report: &report,
            replay: Some(play),
            started_at,
        };
        publish::publish(attempt, made, dir).await
    };
    publish::keeping_pieces(attempt, dir, making).await
}

/// Opens the files, in the order of [`ReplaySpec::files`].
async fn open(attempt: &Attempt<'_>, spec: &ReplaySpec) -> Result<Vec<(Source, Arc<OpenSource>)>, Failed> {
    attempt.reporter.stage(Stage::Fetching, 0.0);
    let opening = stream::iter(spec.files()).then(|(name, named)| async move {
        let opened = attempt.shop.door.open_file(attempt.lease, named).await;
        opened.map(|file| (named.clone(), Arc::new(file))).map_err(|failed| failed.at(pointer_to(name)))
    });
    // Fetching bounds its own time.
    attempt.reporter.while_it_lasts(opening.try_collect()).await
}

/// What a render worker is asked to work on.
struct Work<'a> {
    attempt: &'a Attempt<'a>,
    spec: &'a ReplaySpec,
    files: &'a [(Source, Arc<OpenSource>)],
    dir: &'a Path,
}

impl Work<'_> {
    /// Has a worker plan it.
    async fn plan(&self) -> Result<Plan, Failed> {
        self.attempt.reporter.stage(Stage::Planning, 0.0);
        match self.run(|replay| Task::PlanReplay(Box::new(replay))).await? {
            Outcome::Plan(report) => Ok(report.plan),
            _ => Err(Failed::transient("worker_protocol", "The render worker made no plan.")),
        }
    }

    /// Has a worker make it by its plan, with what the library has of it.
    async fn render(&self, plan: Plan) -> Result<ReplayOutcome, Failed> {
        let began = Instant::now();
        self.attempt.exchange.fetch(self.attempt, &plan, self.dir).await?;
        let task = |replay| Task::Replay { replay: Box::new(replay), plan: Box::new(plan) };
        let Outcome::Replay(made) = self.run(task).await? else {
            return Err(Failed::transient("worker_protocol", "The render worker made no replay."));
        };
        tracing::info!(
            frames = made.report.media.frames,
            seconds = began.elapsed().as_secs_f64(),
            verified = made.play.verification.verified,
            plan = made.report.plan_hash,
            "drawn"
        );
        publish::passed(&made.report)?;
        Ok(*made)
    }

    async fn run(&self, task: impl FnOnce(cutter::order::ReplayOrder) -> Task) -> Result<Outcome, Failed> {
        let (attempt, config) = (self.attempt, &self.attempt.shop.config.render);
        let files: Vec<_> = self.files.iter().map(|(_, file)| Arc::clone(file)).collect();
        let (order, replay) = of_replay(&attempt.job.title, self.spec, &files, config.threads);
        let said = |said| attempt.reporter.render(&said);
        let done = worker::run(config, attempt.lease, self.dir, (order, task(replay)), &files, said).await;
        let blamed = |blamed| match blamed {
            Blamed::Source(index) => Some(pointer_to(self.spec.files().nth(index as usize)?.0)),
            Blamed::Clip(_) => None,
        };
        done.map_err(|error| explain_with(error, &blamed))
    }
}

/// The JSON pointer to one of a replay's files.
fn pointer_to(file: &str) -> String {
    format!("/spec/{file}")
}

/// The JSON pointer to what is to blame for a replay that cannot be shown.
#[must_use]
pub fn pointer(error: &ReplayError) -> String {
    match (error.about(), error) {
        (About::Replay, _) => pointer_to("replay"),
        (About::Map, _) => pointer_to("map"),
        (About::Audio, _) => pointer_to("audio"),
        (About::Skin, _) => pointer_to("skin"),
        (About::Options, ReplayError::OptionsInvalid { pointer, .. }) => format!("/spec/options{pointer}"),
        (About::Options, _) => pointer_to("options"),
    }
}

/// The job's title where somebody gave it one, or else who played what.
fn title(attempt: &Attempt<'_>, play: &ReplayReport) -> String {
    let given = &attempt.job.title;
    if *given == attempt.job.spec.default_title() { played(play) } else { given.clone() }
}

/// Who played what, and how.
fn played(play: &ReplayReport) -> String {
    let ReplayReport { player, artist, title, difficulty, .. } = play;
    let mods = if play.mods.is_empty() { String::new() } else { format!(" +{}", play.mods.concat()) };
    tidy(&format!("{player} | {artist} - {title} [{difficulty}]{mods}"), LONGEST_TITLE)
}

/// Text of at most so many characters, none of them a control character.
fn tidy(text: &str, longest: usize) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(longest).collect()
}

/// The chapters, as the library shows them. What they are cut from is the play, whose time is the video's own.
fn clips(spec: &ReplaySpec, play: &ReplayReport, report: &Report) -> Vec<Clip> {
    let clip = |chapter: &cutter::report::ClipReport| {
        let start = ticks_to_seconds(chapter.montage_start_ticks);
        Clip {
            title: tidy(&chapter.title, LONGEST_TITLE),
            streamer: Some(tidy(&play.player, LONGEST_STREAMER)).filter(|player| !player.trim().is_empty()),
            score: None,
            source: spec.replay.display(),
            start,
            duration: ticks_to_seconds(chapter.montage_end_ticks.saturating_sub(chapter.montage_start_ticks)),
            source_start: start,
            frames: chapter.frames,
            mode: None,
        }
    };
    report.clips.iter().map(clip).collect()
}

/// What happens, as cues of the chapters: none goes on into the next one.
fn told(captions: &[ReplayCaption], clips: &[Clip]) -> Transcript {
    let cue = |caption: &ReplayCaption| {
        let seconds = |micros: i64| micros.max(0) as f64 / 1e6;
        let start = seconds(caption.from);
        let index = clips.iter().rposition(|clip| clip.start <= start)?;
        let clip = clips.get(index)?;
        let end = seconds(caption.to).min(clip.start + clip.duration);
        (start < end).then(|| Cue {
            start,
            end,
            text: caption.text.clone(),
            clip: index,
            source_start: start,
            source_end: end,
            words: Vec::new(),
        })
    };
    Transcript {
        state: TranscriptState::Complete,
        engine: Engine::Play,
        model: None,
        language: None,
        reason: None,
        cues: captions.iter().filter_map(cue).collect(),
    }
}

#[cfg(test)]
mod tests {
    use contracts::replay::Verification;

    use super::*;

    fn play(player: &str, mods: &[&str]) -> ReplayReport {
        ReplayReport {
            mode: "osu".to_owned(),
            player: player.to_owned(),
            played_at: None,
            artist: "Tests".to_owned(),
            title: "Sixteen\u{7} Circles".to_owned(),
            difficulty: "Circles".to_owned(),
            creator: "Tests".to_owned(),
            map_md5: String::new(),
            mods: mods.iter().map(|name| (*name).to_owned()).collect(),
            lazer: false,
            stars: 1.0,
            pp: 1.0,
            accuracy: 1.0,
            score: 0,
            max_combo: 16,
            unstable_rate: 0.0,
            counts: std::collections::BTreeMap::new(),
            slider_breaks: 0,
            verification: Verification { verified: true, differences: Vec::new() },
        }
    }

    #[test]
    fn a_title_tells_who_played_what_and_is_fit_for_the_library() {
        assert_eq!(played(&play("Ann", &[])), "Ann | Tests - Sixteen Circles [Circles]");
        assert_eq!(played(&play("Ann", &["HD", "DT"])), "Ann | Tests - Sixteen Circles [Circles] +HDDT");
        assert_eq!(played(&play(&"é".repeat(300), &[])).chars().count(), LONGEST_TITLE);
    }

    fn clip(start: f64, duration: f64) -> Clip {
        Clip {
            title: String::new(),
            streamer: None,
            score: None,
            source: String::new(),
            start,
            duration,
            source_start: start,
            frames: 60,
            mode: None,
        }
    }

    #[test]
    fn captions_are_cues_of_their_chapters() {
        let said = |from, to| ReplayCaption { from, to, text: format!("from {from}") };
        let captions = [said(-5, 500_000), said(1_500_000, 2_500_000), said(2_000_000, 2_250_000)];
        let late = [said(3_000_000, 4_000_000)];
        let transcript = told(&[captions.as_slice(), &late].concat(), &[clip(0.0, 2.0), clip(2.0, 1.0)]);
        let cues: Vec<_> = transcript.cues.iter().map(|cue| (cue.clip, cue.start, cue.end)).collect();
        assert_eq!(cues, [(0, 0.0, 0.5), (0, 1.5, 2.0), (1, 2.0, 2.25)]);
        assert_eq!((transcript.state, transcript.engine), (TranscriptState::Complete, Engine::Play));
        assert_eq!(transcript.cues[1].source_end, 2.0);
        assert!(told(&captions, &[]).cues.is_empty());
    }

    #[test]
    fn every_file_and_option_that_is_to_blame_is_pointed_at() {
        let reason = || "why".to_owned();
        let about = |about| ReplayError::ArchiveCorrupt { about, reason: reason() };
        let option = ReplayError::OptionsInvalid { pointer: "/video/start".to_owned(), reason: reason() };
        for (error, expected) in [
            (ReplayError::ReplayEmpty, "/spec/replay"),
            (about(About::Map), "/spec/map"),
            (about(About::Audio), "/spec/audio"),
            (about(About::Skin), "/spec/skin"),
            (about(About::Options), "/spec/options"),
            (option, "/spec/options/video/start"),
        ] {
            assert_eq!(pointer(&error), expected);
        }
    }
}
