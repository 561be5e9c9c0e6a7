//! The end of a render: pieces are put together, checked and reported, whether they were cut or drawn.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::assemble::{Parts, assemble};
use crate::av::libraries;
use crate::error::RenderError;
use crate::pieces::Made;
use crate::plan::{Plan, SegmentKind, SoundPlan, hex};
use crate::protocol::{Progress, Stage};
use crate::render::OnProgress;
use crate::report::{
    ClipReport, HlsLayout, Loudness, MEDIA_FILE, MediaFacts, PLAYLIST_FILE, POSTER_FILE, Report,
    SPRITES_FILE, SandboxReport, SegmentReport, TRACK_FILE,
};
use crate::segment::SegmentFacts;
use crate::sound::track::SoundTrack;
use crate::verify::{Verified, VerifyError, verify};

/// What has to be encoded after all.
pub(crate) struct Refit {
    pub(crate) clips: BTreeMap<u32, String>,
    pub(crate) sound: Option<String>,
}

/// A video that passed its checks.
pub(crate) struct Finished {
    verified: Verified,
    hls: HlsLayout,
    segments: Vec<SegmentReport>,
    loudness: Vec<Option<Loudness>>,
    offsets: Vec<i64>,
    /// Packets of sound that were copied and that were made.
    packets: (u64, u64),
}

/// Puts the pieces together and checks the result. `Ok(Err(_))`: something has to be encoded after all. `loudness` is what was
/// measured in each clip, empty where nothing was.
pub(crate) fn finish(
    plan: &Plan,
    made: &Made,
    sound: &SoundTrack,
    loudness: Vec<Option<Loudness>>,
    (job_dir, threads): (&Path, u32),
    on_progress: &OnProgress<'_>,
) -> Result<Result<Finished, Refit>, RenderError> {
    let segments: Vec<_> = made.segments.values().cloned().collect();
    let parts = Parts { plan, segments: &segments, sound };
    let media = job_dir.join(MEDIA_FILE);
    let mut done = 0;
    let hls = assemble(&parts, &media, &job_dir.join(PLAYLIST_FILE), || {
        done += 1;
        on_progress(Progress { stage: Stage::Assembling, frames_done: done, frames_total: plan.frames });
    })?;
    let done = AtomicU64::new(0);
    let on_frame = || {
        let frames_done = done.fetch_add(1, Ordering::Relaxed) + 1;
        on_progress(Progress { stage: Stage::Verifying, frames_done, frames_total: plan.frames });
    };
    let (poster, sprites) = (job_dir.join(POSTER_FILE), job_dir.join(SPRITES_FILE));
    match verify(&parts, &media, (&poster, &sprites), threads, on_frame) {
        Ok(verified) => {
            let segments = segment_reports(plan, &segments);
            let offsets = parts.offsets();
            std::fs::remove_file(job_dir.join(TRACK_FILE))?;
            let packets = (sound.copied_packets, sound.encoded_packets);
            Ok(Ok(Finished { verified, hls, segments, loudness, offsets, packets }))
        }
        Err(VerifyError::Clips(clips)) => Ok(Err(Refit { clips, sound: None })),
        Err(VerifyError::Render(error)) => Err(error),
    }
}

/// What is said of a finished video; sources and fallbacks are added by who knows of any.
pub(crate) fn report(
    plan: Plan,
    finished: Finished,
    (kept, made): (u32, u32),
    job_dir: &Path,
) -> Result<Report, RenderError> {
    let (bytes, sha256) = digest(&job_dir.join(MEDIA_FILE))?;
    Ok(Report {
        media: MediaFacts {
            width: plan.canvas.width,
            height: plan.canvas.height,
            frame_rate: plan.canvas.frame_rate,
            frames: plan.frames,
            duration_ticks: plan.duration_ticks(),
            bytes,
            sha256,
            video_codec: plan.canvas.codec.name().to_owned(),
            audio_codec: "aac".to_owned(),
            content_type: "video/mp4".to_owned(),
        },
        clips: clip_reports(&plan, &finished),
        hls: finished.hls,
        segments: finished.segments,
        sound: match &plan.sound {
            SoundPlan::Copy { .. } => {
                let (copied, encoded) = finished.packets;
                format!("{copied} packets are copied, {encoded} around the seams are encoded")
            }
            SoundPlan::Encode { why } => format!("encoded: {why}"),
        },
        pieces_kept: kept,
        pieces_made: made,
        fallbacks: Vec::new(),
        sprites: finished.verified.sprites,
        sources: Vec::new(),
        plan_hash: plan.hash(),
        checks: finished.verified.checks,
        libraries: libraries(),
        sandbox: SandboxReport::default(),
        plan,
    })
}

fn segment_reports(plan: &Plan, made: &[(PathBuf, SegmentFacts)]) -> Vec<SegmentReport> {
    let segments = plan.segments.iter().zip(made);
    segments
        .map(|(segment, (_, facts))| SegmentReport {
            clip: segment.clip,
            kind: segment.kind,
            first_frame: plan.segment_start(segment),
            frames: segment.frames,
            sha256: facts.digest(),
        })
        .collect()
}

fn clip_reports(plan: &Plan, finished: &Finished) -> Vec<ClipReport> {
    let rate = plan.canvas.frame_rate;
    let encoded = |clip: u32| {
        let own =
            plan.segments.iter().filter(|segment| segment.clip == clip && segment.kind != SegmentKind::Copy);
        own.map(|segment| segment.frames).sum()
    };
    let loudness = finished.loudness.iter().copied().chain(std::iter::repeat(None));
    let clips = plan.clips.iter().zip(loudness).zip(&finished.offsets);
    clips
        .map(|((clip, loudness), offset)| ClipReport {
            index: clip.index,
            source: clip.source,
            title: clip.title.clone(),
            montage_start_ticks: rate.frame_to_ticks(clip.first_frame),
            montage_end_ticks: rate
                .frame_to_ticks(clip.first_frame + clip.frames - clip.effects.dissolve_out),
            source_start_ticks: clip.start_ticks,
            source_end_ticks: clip.start_ticks.saturating_add(rate.frame_to_ticks(clip.frames)),
            source_start_frame: clip.start_frame,
            frames: clip.frames,
            encoded_frames: encoded(clip.index),
            copied_frames: clip.copied_frames,
            sound_offset_ticks: *offset,
            loudness,
        })
        .collect()
}

fn digest(path: &Path) -> Result<(u64, String), RenderError> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        hash.update(&buffer[..count]);
        bytes += count as u64;
    }
}
