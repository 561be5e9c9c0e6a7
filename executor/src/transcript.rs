//! A new transcript for a montage that is in the library: its speech is read by a signed link, transcribed clip by clip, and
//! the old transcript replaced.
//!
//! Here, unlike within a montage, a transcription that fails is a failed attempt: the transcript that is there stays.

use std::{fs::File, io::Write as _, path::Path};

use contracts::{
    ids::MontageId,
    job::Stage,
    lease::FailReason,
    montage::PublishTranscriptRequest,
    object::{Piece, ReadWish},
    spec::TranscriptSpec,
};
use tokio::task::spawn_blocking;

use crate::{
    attempt::Attempt,
    failure::{Failed, machine},
    sources::OpenSource,
    speech::{self, Untranscribed},
};

/// Bytes that are read at once.
const STEP: usize = 4 << 20;

/// Makes and publishes a transcript; answers the montage's id.
///
/// # Errors
/// Why this attempt failed.
pub async fn make(attempt: &Attempt<'_>, spec: &TranscriptSpec, dir: &Path) -> Result<MontageId, Failed> {
    attempt.reporter.stage(Stage::Fetching, 0.0);
    let Some(montage) = attempt.heed(attempt.shop.gateway.montage(spec.montage).await)? else {
        let message = "There is no such montage in the library any more.";
        return Err(Failed::permanent("montage_not_found", message).at("/spec/montage"));
    };
    let speech = attempt.shop.door.open_granted(attempt.lease, ReadWish::Speech(spec.montage)).await?;
    let wav = dir.join(Piece::Speech.file_name());
    copy(attempt, &speech, &wav).await?;
    let clips: Vec<transcribe::Clip> = montage
        .clips
        .iter()
        .map(|clip| transcribe::Clip {
            start: clip.start,
            end: clip.start + clip.duration,
            source_start: clip.source_start,
        })
        .collect();
    let transcript = speech::transcribe(attempt, &spec.transcribe, &wav, &clips).await.map_err(failed)?;
    attempt.reporter.stage(Stage::Publishing, 0.0);
    let request = PublishTranscriptRequest {
        job_id: attempt.job.job_id,
        fence: attempt.job.fence,
        executor_id: attempt.shop.gateway.executor(),
        montage_id: spec.montage,
        transcript,
    };
    attempt.commit()?;
    attempt.heed(attempt.shop.gateway.publish_transcript(&request).await)?;
    attempt.reporter.stage(Stage::Publishing, 1.0);
    Ok(spec.montage)
}

async fn copy(attempt: &Attempt<'_>, from: &OpenSource, to: &Path) -> Result<(), Failed> {
    let unwritten = |error: std::io::Error| machine("Storing the montage's speech", &error);
    let path = to.to_owned();
    let interrupted = |error| Err(std::io::Error::other(error));
    let mut file = spawn_blocking(move || File::create_new(path))
        .await
        .unwrap_or_else(interrupted)
        .map_err(unwritten)?;
    let mut offset = 0;
    while offset < from.bytes() {
        let bytes = from.read_at(offset, STEP).await?;
        offset += bytes.len() as u64;
        let written = spawn_blocking(move || file.write_all(&bytes).map(|()| file)).await;
        file = written.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(unwritten)?;
        attempt.reporter.stage(Stage::Fetching, offset as f64 / from.bytes() as f64);
    }
    Ok(())
}

fn failed(why: Untranscribed) -> Failed {
    let reason = if why.transient { FailReason::Transient } else { FailReason::Permanent };
    Failed {
        retry_after: why.retry_after,
        ..Failed::new(reason, why.code, why.reason).at("/spec/transcribe")
    }
}
