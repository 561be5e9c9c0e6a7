//! A whole render: probe, plan, make the segments and the sound in parallel, assemble, verify, report.
//!
//! Promises that after `Ok` the job directory holds a verified montage, its poster, its sprites and its sound for
//! transcription, and nothing else of this render. After an error only leftovers are there, for the parent to delete
//! with the directory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::assemble::{LevelledClip, Parts, assemble};
use crate::av::{AvError, libraries, limit_allocations};
use crate::container::Container;
use crate::error::{Problem, RenderError};
use crate::facts::Probe;
use crate::order::{MediaLimits, Order};
use crate::plan::{Plan, Probed, hex, plan};
use crate::probe::{ProbeError, audio_opening, probe, video_opening};
use crate::protocol::{Progress, Stage};
use crate::report::{
    ClipReport, Loudness, MEDIA_FILE, MediaFacts, POSTER_FILE, Report, SPEECH_FILE, SPRITES_FILE,
    SandboxReport,
};
use crate::segment::SegmentFacts;
use crate::sound::{SoundError, extract};
use crate::source::ByteSource;
use crate::verify::verify;
use crate::video::{SegmentError, encode_segment};

/// Takes progress; called from several threads, often.
pub type OnProgress<'a> = dyn Fn(Progress) + Sync + 'a;

/// A source with what the probe found.
struct Opened {
    source: Arc<dyn ByteSource>,
    container: Container,
    probe: Probe,
}

/// Makes the montage that `order` asks for out of `sources` (in the same order) in `job_dir`.
///
/// Decoding hostile media belongs into a process with bounds: this is what the render worker calls.
///
/// # Errors
/// [`RenderError`]; of several failures in parallel work the first one that happened.
pub fn render(
    order: &Order,
    sources: &[Arc<dyn ByteSource>],
    job_dir: &Path,
    on_progress: &OnProgress<'_>,
) -> Result<Report, RenderError> {
    on_progress(Progress { stage: Stage::Planning, frames_done: 0, frames_total: 0 });
    let problems = order.problems();
    if !problems.is_empty() {
        return Err(RenderError::Refused { problems });
    }
    if sources.len() != order.sources.len() {
        return Err(RenderError::Protocol { reason: "the order's sources are not all there".to_owned() });
    }
    // Two bytes per component of the largest picture, or the index of a recording of two days.
    limit_allocations(order.limits.max_pixels.saturating_mul(2).max(256 << 20) as usize);
    let (opened, probed) = probe_all(order, sources)?;
    let plan = plan(order, &probed).map_err(|problems| RenderError::Refused { problems })?;

    let work = Work { plan: &plan, opened: &opened, limits: &order.limits, job_dir };
    let made = work.make_parts(on_progress)?;
    let (media, speech) = (job_dir.join(MEDIA_FILE), job_dir.join(SPEECH_FILE));
    let mut done = 0;
    let parts = Parts { plan: &plan, segments: &made.segments, sounds: &made.levelled() };
    assemble(&parts, &media, &speech, || {
        done += 1;
        on_progress(Progress { stage: Stage::Assembling, frames_done: done, frames_total: plan.frames });
    })?;
    made.delete()?;

    let done = AtomicU64::new(0);
    let (poster, sprites) = (job_dir.join(POSTER_FILE), job_dir.join(SPRITES_FILE));
    let verified = verify(&plan, &media, &poster, &sprites, order.limits.threads, || {
        let frames_done = done.fetch_add(1, Ordering::Relaxed) + 1;
        on_progress(Progress { stage: Stage::Verifying, frames_done, frames_total: plan.frames });
    })?;
    let (bytes, sha256) = digest(&media)?;
    Ok(Report {
        media: MediaFacts {
            width: plan.canvas.width,
            height: plan.canvas.height,
            frame_rate: plan.canvas.frame_rate,
            frames: plan.frames,
            duration_ticks: plan.duration_ticks(),
            bytes,
            sha256,
            video_codec: "h264".to_owned(),
            audio_codec: "aac".to_owned(),
            content_type: "video/mp4".to_owned(),
        },
        clips: clip_reports(&plan, &made),
        sprites: verified.sprites,
        sources: probed.into_iter().map(|probed| probed.and_then(Result::ok)).collect(),
        plan_hash: plan.hash(),
        checks: verified.checks,
        libraries: libraries(),
        sandbox: SandboxReport::default(),
        plan,
    })
}

/// Probes every source that a clip uses.
fn probe_all(
    order: &Order,
    sources: &[Arc<dyn ByteSource>],
) -> Result<(Vec<Option<Opened>>, Vec<Probed>), RenderError> {
    let mut opened = Vec::new();
    let mut probed = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let used = order.clips.iter().any(|clip| clip.source as usize == index);
        let (open, result) = match used.then(|| probe(source, &order.limits)) {
            None => (None, None),
            Some(Ok((container, probe))) => {
                let open = Opened { source: Arc::clone(source), container, probe: probe.clone() };
                (Some(open), Some(Ok(probe)))
            }
            Some(Err(ProbeError::Refused(kind))) => (None, Some(Err(kind))),
            Some(Err(ProbeError::Failed(error))) => return Err(reading_failed(index as u32, None, error)),
        };
        opened.push(open);
        probed.push(result);
    }
    Ok((opened, probed))
}

/// The error for a source that was read or decoded without success.
fn reading_failed(source: u32, clip: Option<u32>, error: AvError) -> RenderError {
    match error {
        AvError::Source(failure) => RenderError::SourceUnavailable {
            source_index: source,
            reason: failure.reason,
            permanent: failure.permanent,
        },
        AvError::OutOfMemory => RenderError::OutOfMemory,
        failed => RenderError::Decode { clip: clip.unwrap_or_default(), reason: failed.to_string() },
    }
}

/// Everything that the parallel part works with.
struct Work<'a> {
    plan: &'a Plan,
    opened: &'a [Option<Opened>],
    limits: &'a MediaLimits,
    job_dir: &'a Path,
}

/// One piece of parallel work.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Segment(usize),
    Sound(usize),
}

/// A finished piece.
enum Made {
    Segment(usize, PathBuf, SegmentFacts),
    Sound(usize, Option<(PathBuf, Option<Loudness>)>),
}

/// All pieces.
struct MadeParts {
    segments: Vec<(PathBuf, SegmentFacts)>,
    sounds: Vec<Option<(PathBuf, Option<Loudness>)>>,
}

impl MadeParts {
    fn levelled(&self) -> Vec<LevelledClip> {
        let clips = self.sounds.iter().map(|sound| match sound {
            Some((path, loudness)) => LevelledClip {
                path: Some(path.clone()),
                gain_db: loudness.map_or(0.0, |loudness| loudness.gain_db),
            },
            None => LevelledClip { path: None, gain_db: 0.0 },
        });
        clips.collect()
    }

    fn delete(&self) -> std::io::Result<()> {
        let sounds = self.sounds.iter().flatten().map(|(path, _)| path);
        self.segments.iter().map(|(path, _)| path).chain(sounds).try_for_each(std::fs::remove_file)
    }
}

impl Work<'_> {
    /// Makes all segments and sounds with as many threads as are allowed, the longest first.
    fn make_parts(&self, on_progress: &OnProgress<'_>) -> Result<MadeParts, RenderError> {
        let plan = self.plan;
        let mut pieces: Vec<(u64, Piece)> = Vec::new();
        pieces
            .extend(plan.segments.iter().enumerate().map(|(i, segment)| (segment.frames, Piece::Segment(i))));
        // A clip's sound costs about as much as a twentieth of its pictures.
        pieces.extend(plan.clips.iter().enumerate().map(|(i, clip)| (clip.frames / 20, Piece::Sound(i))));
        // Taken from the end: shortest in front.
        pieces.sort_by_key(|(cost, _)| *cost);
        let workers = (self.limits.threads.max(1) as usize).min(pieces.len());
        // Few segments on many processors: each encoder gets several threads.
        let threads = (self.limits.threads / plan.segments.len().max(1) as u32).clamp(1, 8);

        let queue = Mutex::new(pieces);
        let stop = AtomicBool::new(false);
        let frames_done = AtomicU64::new(0);
        let results: Mutex<Vec<Made>> = Mutex::new(Vec::new());
        let failure: Mutex<Option<RenderError>> = Mutex::new(None);
        let on_frame = || {
            let frames_done = frames_done.fetch_add(1, Ordering::Relaxed) + 1;
            on_progress(Progress { stage: Stage::Encoding, frames_done, frames_total: plan.frames });
            !stop.load(Ordering::Relaxed)
        };
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let Some((_, piece)) = lock(&queue).pop() else { break };
                match self.make(piece, threads, &on_frame, &stop) {
                    Ok(made) => lock(&results).push(made),
                    Err(None) => {}
                    Err(Some(error)) => {
                        stop.store(true, Ordering::Relaxed);
                        lock(&failure).get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            // This thread is one of the workers. A thread that cannot be started only makes the others slower.
            for _ in 1..workers {
                if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
        if let Some(error) = lock(&failure).take() {
            return Err(error);
        }
        let made = std::mem::take(&mut *lock(&results));
        self.in_order(made)
    }

    fn in_order(&self, made: Vec<Made>) -> Result<MadeParts, RenderError> {
        let mut segments: Vec<_> = self.plan.segments.iter().map(|_| None).collect();
        let mut sounds: Vec<_> = self.plan.clips.iter().map(|_| None).collect();
        let mut sounds_made = 0;
        for part in made {
            match part {
                Made::Segment(index, path, facts) => segments[index] = Some((path, facts)),
                Made::Sound(index, sound) => {
                    sounds[index] = sound;
                    sounds_made += 1;
                }
            }
        }
        let segments: Option<Vec<_>> = segments.into_iter().collect();
        match segments {
            Some(segments) if sounds_made == sounds.len() => Ok(MadeParts { segments, sounds }),
            _ => Err(RenderError::Encode { reason: "a worker thread stopped".to_owned() }),
        }
    }

    /// Makes one piece. `Err(None)`: stopped because something else failed.
    fn make(
        &self,
        piece: Piece,
        threads: u32,
        on_frame: &(dyn Fn() -> bool + Sync),
        stop: &AtomicBool,
    ) -> Result<Made, Option<RenderError>> {
        match piece {
            Piece::Segment(index) => {
                let path = self.job_dir.join(format!("segment-{index}"));
                let facts = self.make_segment(index, &path, threads, on_frame)?;
                Ok(Made::Segment(index, path, facts))
            }
            Piece::Sound(index) => {
                let path = self.job_dir.join(format!("sound-{index}"));
                let loudness = self.make_sound(index, &path, stop)?;
                Ok(Made::Sound(index, loudness.map(|loudness| (path, loudness))))
            }
        }
    }

    fn opened(&self, source: u32) -> Result<&Opened, RenderError> {
        let opened = self.opened.get(source as usize).and_then(Option::as_ref);
        opened.ok_or_else(|| RenderError::Protocol { reason: format!("source {source} is missing") })
    }

    fn make_segment(
        &self,
        index: usize,
        path: &Path,
        threads: u32,
        on_frame: &(dyn Fn() -> bool + Sync),
    ) -> Result<SegmentFacts, Option<RenderError>> {
        let segment = &self.plan.segments[index];
        let clip = &self.plan.clips[segment.clip as usize];
        let opened = self.opened(clip.source)?;
        let opening = video_opening(&opened.source, opened.container, &opened.probe, self.limits, threads);
        let made = encode_segment(opening, &opened.probe.video, self.plan, clip, segment, path, on_frame);
        made.map_err(|error| match error {
            SegmentError::Refused(kind) => {
                let problem = Problem { clip: Some(clip.index), source: Some(clip.source), kind };
                Some(RenderError::Refused { problems: vec![problem] })
            }
            SegmentError::Decode(error) => Some(reading_failed(clip.source, Some(clip.index), error)),
            SegmentError::Encode(AvError::OutOfMemory) => Some(RenderError::OutOfMemory),
            SegmentError::Encode(error) => Some(RenderError::Encode { reason: error.to_string() }),
            SegmentError::Io(error) => Some(error.into()),
            SegmentError::Stopped => None,
        })
    }

    /// `None`: the source has no sound.
    fn make_sound(
        &self,
        index: usize,
        path: &Path,
        stop: &AtomicBool,
    ) -> Result<Option<Option<Loudness>>, Option<RenderError>> {
        let clip = &self.plan.clips[index];
        let opened = self.opened(clip.source)?;
        let Some(audio) = opened.probe.audio.as_ref() else { return Ok(None) };
        let opening = audio_opening(&opened.source, opened.container, &opened.probe, audio, self.limits);
        let go_on = || !stop.load(Ordering::Relaxed);
        let made = extract(opening, clip.start_ticks, clip.samples, self.plan.loudness_lufs, path, go_on);
        made.map(Some).map_err(|error| match error {
            SoundError::Decode(error) => Some(reading_failed(clip.source, Some(clip.index), error)),
            SoundError::Io(error) => Some(error.into()),
            SoundError::Stopped => None,
        })
    }
}

fn clip_reports(plan: &Plan, made: &MadeParts) -> Vec<ClipReport> {
    let rate = plan.canvas.frame_rate;
    let clips = plan.clips.iter().zip(&made.sounds);
    clips
        .map(|(clip, sound)| ClipReport {
            index: clip.index,
            source: clip.source,
            title: clip.title.clone(),
            montage_start_ticks: rate.frame_to_ticks(clip.first_frame),
            montage_end_ticks: rate.frame_to_ticks(clip.first_frame + clip.frames),
            source_start_ticks: clip.start_ticks,
            source_end_ticks: clip.start_ticks.saturating_add(rate.frame_to_ticks(clip.frames)),
            source_start_frame: clip.start_frame,
            frames: clip.frames,
            encoded_frames: clip.frames,
            loudness: sound.as_ref().and_then(|(_, loudness)| *loudness),
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

/// A poisoned lock only means that another thread panicked; what it holds is still whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
