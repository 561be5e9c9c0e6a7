//! One montage: sources, render worker with a preview beside it, transcript, library.
//!
//! Promises: an earlier attempt's published result is found and taken over instead of being made again; what the render worker
//! reports is checked against the files that it left; a transcription that fails does not lose the video. What goes wrong is
//! told with a code and a pointer to the highlight that is to blame.

use std::{path::Path, time::Instant};

use chrono::Utc;
use contracts::{
    ids::MontageId,
    job::Stage,
    montage::{Clip, ClipMode},
    object::Piece,
    spec::MontageSpec,
    time::ticks_to_seconds,
    transcript::{Transcript, TranscriptState},
};
use cutter::{
    error::RenderError,
    order::{CutMode, Order},
    plan::Plan,
    protocol::{Progress, Task},
    report::{Outcome, Report},
};

use crate::{
    attempt::Attempt,
    failure::{self, Failed},
    order::{chapter, order, transcribes},
    parts, plan, preview,
    publish::{self, Made},
    replay,
    sources::{Placed, Sources, moments, place},
    speech,
    worker::{self, WorkerError},
};

/// Makes and publishes a montage; answers its id.
///
/// # Errors
/// Why this attempt failed.
pub async fn make(attempt: &Attempt<'_>, spec: &MontageSpec, dir: &Path) -> Result<MontageId, Failed> {
    if let Some(montage) = publish::earlier(attempt).await? {
        return Ok(montage);
    }
    let started_at = Utc::now();
    let sources = plan::open(attempt, spec).await?;
    let clips = sources.clips(spec);
    let planned = plan::plan(attempt, spec, &clips, &sources, dir).await?;
    let work = Work { spec, clips: &clips, sources: &sources, dir };
    let shown = planned.plan.clone();
    let making = async {
        let show = preview::show(attempt, &work, &shown);
        let report = preview::beside(show, render(attempt, &work, planned.plan)).await?;
        let transcript = transcript(attempt, spec, &report, &clips, dir).await;
        attempt.reporter.stage(Stage::Publishing, 0.0);
        let made = Made {
            title: attempt.job.title.clone(),
            clips: library_clips(spec, &clips, &report),
            sources: &sources.opened,
            report: &report,
            transcript,
            replay: None,
            started_at,
        };
        publish::publish(attempt, made, dir).await
    };
    publish::keeping_pieces(attempt, dir, making).await
}

/// What a render worker is asked to work on.
#[derive(Debug)]
pub struct Work<'a> {
    /// What was asked for.
    pub spec: &'a MontageSpec,
    /// What the clips show, in their order.
    pub clips: &'a [Placed],
    /// What is read.
    pub sources: &'a Sources,
    /// Where it is made.
    pub dir: &'a Path,
}

impl Work<'_> {
    /// The order for it.
    ///
    /// # Errors
    /// A canvas that cannot be made.
    pub fn order(&self, attempt: &Attempt<'_>) -> Result<Order, Failed> {
        order(&attempt.job.title, self.spec, self.clips, self.sources, attempt.shop.config.render.threads)
    }

    /// Has a worker do a task.
    ///
    /// # Errors
    /// Why it is not done.
    pub async fn run(
        &self,
        attempt: &Attempt<'_>,
        task: Task,
        said: impl FnMut(Progress),
    ) -> Result<Outcome, Failed> {
        let (config, order) = (&attempt.shop.config.render, self.order(attempt)?);
        let readers = self.sources.readers();
        let done = worker::run(config, attempt.lease, self.dir, (order, task), &readers, said).await;
        done.map_err(|error| explain(error, self.spec, self.clips, self.sources))
    }
}

/// Makes the montage by its plan.
async fn render(attempt: &Attempt<'_>, work: &Work<'_>, plan: Plan) -> Result<Report, Failed> {
    let began = Instant::now();
    attempt.exchange.fetch(attempt, &plan, work.dir).await?;
    parts::share(attempt, work, &plan).await?;
    let task = Task::Montage { plan: Some(Box::new(plan)), keep_pieces: true };
    let Outcome::Montage(report) = work.run(attempt, task, |said| attempt.reporter.render(&said)).await?
    else {
        return Err(Failed::transient("worker_protocol", "The render worker made no montage."));
    };
    // Clips that could not be copied after all have other pieces than those that were planned.
    attempt.exchange.learn(&report.plan);
    tracing::info!(
        frames = report.media.frames,
        copied = report.plan.copied_frames(),
        seconds = began.elapsed().as_secs_f64(),
        plan = report.plan_hash,
        "rendered"
    );
    publish::passed(&report)?;
    Ok(*report)
}

/// The clips as the library shows them.
fn library_clips(spec: &MontageSpec, placed: &[Placed], report: &Report) -> Vec<Clip> {
    let moments = moments(spec);
    let clip = |(clip, placed): (&cutter::report::ClipReport, &Placed)| {
        let highlight = moments.get(placed.highlight)?;
        Some(Clip {
            title: chapter(highlight, placed.highlight),
            streamer: highlight.streamer.clone(),
            score: highlight.score,
            source: highlight.source.display(),
            start: ticks_to_seconds(clip.montage_start_ticks),
            duration: ticks_to_seconds(clip.montage_end_ticks.saturating_sub(clip.montage_start_ticks)),
            source_start: ticks_to_seconds(clip.source_start_ticks.saturating_add(placed.part.shift)),
            frames: clip.frames,
            mode: mode(report, clip.index),
        })
    };
    report.clips.iter().zip(placed).filter_map(clip).collect()
}

/// How a clip was cut, in the words of the library.
fn mode(report: &Report, clip: u32) -> Option<ClipMode> {
    Some(match report.plan.clips.get(clip as usize)?.mode {
        CutMode::Exact | CutMode::Auto => ClipMode::Exact,
        CutMode::Snap => ClipMode::Snap,
        CutMode::Copy => ClipMode::Copy,
    })
}

/// Where the clips lie, for the transcription.
fn spans(report: &Report, clips: &[Placed]) -> Vec<transcribe::Clip> {
    let clip = |(clip, placed): (&cutter::report::ClipReport, &Placed)| transcribe::Clip {
        start: ticks_to_seconds(clip.montage_start_ticks),
        end: ticks_to_seconds(clip.montage_end_ticks),
        source_start: ticks_to_seconds(clip.source_start_ticks.saturating_add(placed.part.shift)),
    };
    report.clips.iter().zip(clips).map(clip).collect()
}

async fn transcript(
    attempt: &Attempt<'_>,
    spec: &MontageSpec,
    report: &Report,
    clips: &[Placed],
    dir: &Path,
) -> Transcript {
    let wish = &spec.transcribe;
    if !transcribes(spec) {
        return Transcript {
            state: TranscriptState::None,
            engine: wish.engine,
            model: None,
            language: None,
            reason: None,
            cues: Vec::new(),
        };
    }
    let wav = dir.join(Piece::Speech.file_name());
    match speech::transcribe(attempt, wish, &wav, &spans(report, clips)).await {
        Ok(transcript) => transcript,
        Err(failed) => {
            tracing::warn!(
                code = failed.code,
                reason = failed.reason,
                "the montage is published without a transcript"
            );
            failed.into_transcript(wish)
        }
    }
}

/// What a render that failed means for the job.
pub fn explain(error: WorkerError, spec: &MontageSpec, clips: &[Placed], sources: &Sources) -> Failed {
    explain_with(error, &|blamed| match blamed {
        Blamed::Source(index) => sources.pointer(spec, index as usize),
        Blamed::Clip(index) => clips.get(index as usize).map(|clip| place(spec, clip.highlight)),
    })
}

/// What an error of the render worker is about.
#[derive(Debug, Clone, Copy)]
pub enum Blamed {
    /// A source, by its index.
    Source(u32),
    /// A clip, by its index.
    Clip(u32),
}

/// What a worker that failed means for the job; `pointer` tells the place in the job that is to blame.
pub fn explain_with(error: WorkerError, pointer: &dyn Fn(Blamed) -> Option<String>) -> Failed {
    let message = error.to_string();
    match error {
        // The lease knows why; this is not reported.
        WorkerError::Stopped(_) => Failed::transient("stopped", message),
        WorkerError::Start(error) => {
            tracing::error!(%error, "the render worker cannot be started; see SM_RENDER_WORKER");
            failure::machine("Starting the render worker", &error)
        }
        WorkerError::Source { index, error } => {
            let failed = Failed::from(error);
            match pointer(Blamed::Source(index)) {
                Some(pointer) => failed.at(pointer),
                None => failed,
            }
        }
        WorkerError::Crashed(_) => Failed::transient(
            "worker_crashed",
            format!(
                "{message}. If it happens again, one of the sources is probably damaged: convert it first."
            ),
        ),
        WorkerError::OutOfMemory => Failed::transient(
            "worker_out_of_memory",
            "The render worker ran out of memory. Choose a smaller canvas, or raise SM_RENDER_MEMORY.",
        ),
        WorkerError::Timeout => Failed::transient(
            "worker_timeout",
            "The render worker used up its processor time. Ask for a shorter montage, or raise SM_RENDER_CPU.",
        ),
        WorkerError::OutputLimit => Failed::permanent(
            "worker_output_limit",
            "The montage needs more space than a job may use. Ask for a shorter one, or raise SM_RENDER_OUTPUT.",
        ),
        WorkerError::Protocol(_) => Failed::transient("worker_protocol", format!("{message}.")),
        WorkerError::Render(error) => explain_render(&error, pointer),
    }
}

fn explain_render(error: &RenderError, pointer: &dyn Fn(Blamed) -> Option<String>) -> Failed {
    // The worker has only the system's words for it; libav's are those of the C library.
    if let RenderError::Encode { reason } = error
        && (reason.ends_with("No space left on device") || reason.ends_with("Disk quota exceeded"))
    {
        return failure::disk_full();
    }
    if let RenderError::Io { reason } = error {
        if reason.contains(&format!("os error {}", libc::ENOSPC))
            || reason.contains(&format!("os error {}", libc::EDQUOT))
        {
            return failure::disk_full();
        }
        if reason.contains(&format!("os error {}", libc::EFBIG)) {
            return explain_with(WorkerError::OutputLimit, pointer);
        }
    }
    if matches!(error, RenderError::OutOfMemory) {
        return explain_with(WorkerError::OutOfMemory, pointer);
    }
    let failed = if error.is_permanent() {
        Failed::permanent(error.code(), capitalised(&error.to_string()))
    } else {
        Failed::transient(error.code(), capitalised(&error.to_string()))
    };
    if let RenderError::Replay(error) = error {
        return failed.at(replay::pointer(error));
    }
    let source = match error {
        RenderError::SourceUnavailable { source_index, .. } => Some(Blamed::Source(*source_index)),
        _ => None,
    };
    match error.clip().map(Blamed::Clip).or(source).and_then(pointer) {
        Some(pointer) => failed.at(pointer),
        None => failed,
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
