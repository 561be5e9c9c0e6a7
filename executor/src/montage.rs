//! One montage: sources, render worker, transcript, library.
//!
//! Promises: an earlier attempt's published result is found and taken over instead of being made again; what the render worker
//! reports is checked against the files that it left; a transcription that fails does not lose the video. What goes wrong is
//! told with a code and a pointer to the highlight that is to blame.

use std::{path::Path, time::Instant};

use chrono::Utc;
use contracts::{
    ids::MontageId,
    job::Stage,
    object::Piece,
    spec::MontageSpec,
    time::{MediaTime, ticks_to_seconds},
    transcript::{Engine, Transcript, TranscriptState},
};
use cutter::{
    error::RenderError,
    order::{
        AudioOptions, CanvasOptions, ClipOrder, EncoderSettings, Extent, MediaLimits, Moment, Order,
        SourceInfo,
    },
    report::Report,
};

use crate::{
    attempt::Attempt,
    failure::{self, Failed},
    publish::{self, Made},
    sources::{Placed, Sources},
    speech,
    worker::{self, WorkerError},
};

/// Whether a transcript is wanted.
#[must_use]
pub fn transcribes(spec: &MontageSpec) -> bool {
    spec.transcribe.engine != Engine::None
}

/// The montage's length, where no clip's is given in frames of its source.
#[must_use]
pub fn seconds(spec: &MontageSpec) -> Option<f64> {
    spec.highlights.iter().map(|highlight| highlight.duration.seconds()).sum()
}

/// Makes and publishes a montage; answers its id.
///
/// # Errors
/// Why this attempt failed.
pub async fn make(attempt: &Attempt<'_>, spec: &MontageSpec, dir: &Path) -> Result<MontageId, Failed> {
    if attempt.job.attempt > 1
        && let Some(montage) = attempt.heed(attempt.shop.gateway.published(attempt.job.job_id).await)?
    {
        tracing::info!(montage_id = %montage, "an earlier attempt has published it already");
        attempt.commit()?;
        return Ok(montage);
    }
    let started_at = Utc::now();
    attempt.reporter.stage(Stage::Fetching, 0.0);
    let opened = |share| attempt.reporter.stage(Stage::Fetching, share);
    let sources = Sources::open(&attempt.shop.door, attempt.lease, spec, opened);
    // Fetching bounds its own time; a source that has to be copied whole may take longer than the limit on standing still.
    let sources = attempt.reporter.while_it_lasts(sources).await?;
    attempt.reporter.stage(Stage::Planning, 0.0);
    let clips = sources.clips(&spec.clip_order());
    let clip_order: Vec<usize> = clips.iter().map(|clip| clip.highlight).collect();
    let order = order(attempt, spec, &clips, &sources)?;
    let (began, readers) = (Instant::now(), sources.readers());
    let rendered = worker::render(&attempt.shop.config.render, attempt.lease, dir, order, &readers, |said| {
        attempt.reporter.render(&said)
    });
    let report = rendered.await.map_err(|error| explain(error, &clip_order, &sources))?;
    tracing::info!(
        frames = report.media.frames,
        seconds = began.elapsed().as_secs_f64(),
        plan = report.plan_hash,
        "rendered"
    );
    if let Some(failed) = report.checks.iter().find(|check| !check.passed) {
        return Err(Failed::transient(
            "verify_failed",
            format!("The montage did not pass a check: {}.", failed.detail),
        ));
    }
    let transcript = transcript(attempt, spec, &report, &clips, dir).await;
    attempt.reporter.stage(Stage::Publishing, 0.0);
    let result = Made { spec, clips: &clips, sources: &sources, report: &report, transcript, started_at };
    publish::publish(attempt, result, dir).await
}

fn order(
    attempt: &Attempt<'_>,
    spec: &MontageSpec,
    clips: &[Placed],
    sources: &Sources,
) -> Result<Order, Failed> {
    let frame_rate = match &spec.canvas.frame_rate {
        None => None,
        Some(text) => Some(text.parse().map_err(|error: cutter::time::BadFrameRate| {
            Failed::permanent("invalid_canvas", error.to_string()).at("/spec/canvas/frame_rate")
        })?),
    };
    let clips = clips
        .iter()
        .filter_map(|clip| {
            Some(ClipOrder {
                source: u32::try_from(clip.part.source).ok()?,
                start: moment(clip.part.start),
                extent: Extent::Duration(moment(clip.part.duration)),
                title: Some(chapter(spec, clip.highlight)),
            })
        })
        .collect();
    Ok(Order {
        title: attempt.job.title.clone(),
        sources: sources
            .readers()
            .iter()
            .map(|source| SourceInfo { bytes: source.bytes(), identity: Some(source.identity().to_owned()) })
            .collect(),
        clips,
        canvas: CanvasOptions { width: spec.canvas.width, height: spec.canvas.height, frame_rate },
        audio: AudioOptions {
            loudness_lufs: spec.audio.loudness_lufs.unwrap_or(spec::DEFAULT_LOUDNESS_LUFS),
        },
        limits: MediaLimits { threads: attempt.shop.config.render.threads, ..MediaLimits::default() },
        encoder: EncoderSettings::default(),
    })
}

fn moment(time: MediaTime) -> Moment {
    match time {
        MediaTime::Ticks(ticks) => Moment::Ticks(ticks),
        MediaTime::Frames(frames) => Moment::Frames(frames),
    }
}

/// A highlight's chapter: its title, or else who is seen, or else its number.
#[must_use]
pub fn chapter(spec: &MontageSpec, index: usize) -> String {
    let highlight = spec.highlights.get(index);
    let named = highlight.and_then(|highlight| highlight.title.as_ref().or(highlight.streamer.as_ref()));
    named.cloned().unwrap_or_else(|| format!("Highlight {}", index + 1))
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
fn explain(error: WorkerError, clip_order: &[usize], sources: &Sources) -> Failed {
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
            match sources.pointer(index as usize) {
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
        WorkerError::Render(error) => explain_render(&error, clip_order, sources),
    }
}

fn explain_render(error: &RenderError, clip_order: &[usize], sources: &Sources) -> Failed {
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
            return explain(WorkerError::OutputLimit, clip_order, sources);
        }
    }
    if matches!(error, RenderError::OutOfMemory) {
        return explain(WorkerError::OutOfMemory, clip_order, sources);
    }
    let failed = if error.is_permanent() {
        Failed::permanent(error.code(), capitalised(&error.to_string()))
    } else {
        Failed::transient(error.code(), capitalised(&error.to_string()))
    };
    let clip = error.clip().and_then(|clip| clip_order.get(clip as usize));
    let source = match error {
        RenderError::SourceUnavailable { source_index, .. } => sources.pointer(*source_index as usize),
        _ => None,
    };
    match clip.map(|highlight| format!("/spec/highlights/{highlight}")).or(source) {
        Some(pointer) => failed.at(pointer),
        None => failed,
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
