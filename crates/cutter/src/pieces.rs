//! Making the pieces of a montage: the segments of the picture and the clips' sound, in parallel, each into a file of the
//! job directory that is named by its key.
//!
//! A piece that lies there already, whole, is used: from an earlier attempt, from another montage, or from another
//! executor. A segment that cannot be copied as planned is no failure: it is told, so that its clip is planned anew.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::av::AvError;
use crate::container::Container;
use crate::copy::{CopyError, copy_segment};
use crate::drawn::{Drawing, draw_segment};
use crate::error::{Problem, RenderError};
use crate::facts::Probe;
use crate::names::Nameplate;
use crate::order::MediaLimits;
use crate::plan::{Plan, PlannedClip, Segment, SegmentKind, SoundPlan, piece_file};
use crate::probe::{audio_opening, video_opening};
use crate::protocol::{Progress, Stage};
use crate::reader::Pool;
use crate::render::OnProgress;
use crate::segment::{SegmentFacts, kept};
use crate::sound::TrackError;
use crate::sound::encode::MONTAGE;
use crate::sound::packets::{ClipPackets, take_packets};
use crate::sound::samples::{SampleReader, take_samples};
use crate::source::ByteSource;
use crate::video::{SegmentError, Take, encode_segment};

/// A source with what the probe found.
pub(crate) struct Opened {
    pub(crate) source: Arc<dyn ByteSource>,
    pub(crate) container: Container,
    pub(crate) probe: Probe,
    pub(crate) pool: Arc<Pool>,
}

/// Everything that the parallel part works with.
pub(crate) struct Workshop<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) footage: Footage<'a>,
    pub(crate) limits: &'a MediaLimits,
    pub(crate) job_dir: &'a Path,
}

/// Where pictures and sound come from.
#[derive(Clone, Copy)]
pub(crate) enum Footage<'a> {
    /// They are cut out of sources.
    Cut {
        opened: &'a [Option<Opened>],
        /// What is written over each clip, drawn.
        names: &'a [Option<Nameplate>],
    },
    /// They are drawn. The sound is made as a whole, by who leads.
    Drawn(&'a dyn Drawing),
}

/// One piece of parallel work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A segment, by index.
    Segment(usize),
    /// A clip's sound, by the clip's index.
    Sound(usize),
}

/// What became of the pieces.
#[derive(Default)]
pub(crate) struct Made {
    /// The segments that are there, by index.
    pub(crate) segments: BTreeMap<usize, (PathBuf, SegmentFacts)>,
    /// Clips of which a segment could not be copied, with the reason.
    pub(crate) unfit: BTreeMap<u32, String>,
    /// The sound cannot be copied, for this reason.
    pub(crate) sound_unfit: Option<String>,
    /// How many pieces were there already.
    pub(crate) kept: u32,
    /// How many were made.
    pub(crate) made: u32,
}

/// How one piece ended.
enum Outcome {
    Segment(usize, PathBuf, SegmentFacts, bool),
    Sound(bool),
    Unfit(u32, String),
    SoundUnfit(String),
}

/// The error for a source that was read or decoded without success.
pub(crate) fn reading_failed(source: u32, clip: Option<u32>, error: AvError) -> RenderError {
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

impl Workshop<'_> {
    /// All pieces of the plan.
    pub(crate) fn all(&self) -> Vec<Piece> {
        let sounds = match self.footage {
            Footage::Cut { .. } => self.plan.clips.len(),
            Footage::Drawn(_) => 0,
        };
        let segments = (0..self.plan.segments.len()).map(Piece::Segment);
        segments.chain((0..sounds).map(Piece::Sound)).collect()
    }

    /// How many frames have to be encoded for a piece. Copies and sound cost little beside that.
    fn cost(&self, piece: Piece) -> u64 {
        let segment = match piece {
            Piece::Segment(index) => self.plan.segments.get(index),
            Piece::Sound(_) => None,
        };
        segment.map_or(0, |segment| match segment.kind {
            SegmentKind::Copy => 0,
            SegmentKind::Encode => segment.frames,
            SegmentKind::Blend => segment.frames * 2,
        })
    }

    /// The clip of a piece.
    fn clip_of(&self, piece: Piece) -> usize {
        match piece {
            Piece::Segment(index) => self.plan.segments.get(index).map_or(0, |segment| segment.clip as usize),
            Piece::Sound(index) => index,
        }
    }

    /// Makes these pieces with as many threads as are allowed, the longest first.
    pub(crate) fn make(&self, pieces: &[Piece], on_progress: &OnProgress<'_>) -> Result<Made, RenderError> {
        let mut queue: Vec<Piece> = pieces.to_vec();
        // Taken from the end: cheapest in front. What costs little goes clip by clip, so that a clip's copy and its sound are
        // read from the same bytes at about the same time.
        queue.sort_by_key(|piece| (self.cost(*piece), Reverse(self.clip_of(*piece))));
        let frames = |piece: &Piece| match piece {
            Piece::Segment(index) => self.plan.segments.get(*index).map_or(0, |segment| segment.frames),
            Piece::Sound(_) => 0,
        };
        let frames_total = pieces.iter().map(frames).sum();
        let workers = (self.limits.threads.max(1) as usize).min(queue.len().max(1));
        let encoded = pieces.iter().filter(|piece| self.cost(**piece) > 30).count();
        // Few segments on many processors: each encoder gets several threads.
        let threads = (self.limits.threads / encoded.max(1) as u32).clamp(1, 8);

        let queue = Mutex::new(queue);
        let stop = AtomicBool::new(false);
        let frames_done = AtomicU64::new(0);
        let results: Mutex<Vec<Outcome>> = Mutex::new(Vec::new());
        let failure: Mutex<Option<RenderError>> = Mutex::new(None);
        let advance = |frames: u64| {
            let frames_done = frames_done.fetch_add(frames, Ordering::Relaxed) + frames;
            on_progress(Progress { stage: Stage::Encoding, frames_done, frames_total });
            !stop.load(Ordering::Relaxed)
        };
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let Some(piece) = lock(&queue).pop() else { break };
                match self.one(piece, threads, &advance, &stop) {
                    Ok(outcomes) => lock(&results).extend(outcomes),
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
        let mut made = Made::default();
        let mut count = |kept: bool| match kept {
            true => made.kept += 1,
            false => made.made += 1,
        };
        for outcome in std::mem::take(&mut *lock(&results)) {
            match outcome {
                Outcome::Segment(index, path, facts, kept) => {
                    count(kept);
                    made.segments.insert(index, (path, facts));
                }
                Outcome::Sound(kept) => count(kept),
                Outcome::Unfit(clip, reason) => {
                    made.unfit.entry(clip).or_insert(reason);
                }
                Outcome::SoundUnfit(reason) => {
                    made.sound_unfit.get_or_insert(reason);
                }
            }
        }
        Ok(made)
    }

    /// Makes one piece. `Err(None)`: stopped because something else failed.
    fn one(
        &self,
        piece: Piece,
        threads: u32,
        advance: &(dyn Fn(u64) -> bool + Sync),
        stop: &AtomicBool,
    ) -> Result<Option<Outcome>, Option<RenderError>> {
        match piece {
            Piece::Segment(index) => self.segment(index, threads, advance),
            Piece::Sound(index) => self.sound(index, stop),
        }
    }

    fn opened(&self, source: u32) -> Result<&Opened, RenderError> {
        let opened = match self.footage {
            Footage::Cut { opened, .. } => opened.get(source as usize).and_then(Option::as_ref),
            Footage::Drawn(_) => None,
        };
        opened.ok_or_else(|| RenderError::Protocol { reason: format!("source {source} is missing") })
    }

    fn clip(&self, index: usize) -> Result<&PlannedClip, RenderError> {
        let clip = self.plan.clips.get(index);
        clip.ok_or_else(|| RenderError::Protocol { reason: format!("clip {index} is missing") })
    }

    fn take(&self, clip: &'_ PlannedClip, threads: u32) -> Result<Take<'_>, RenderError> {
        let opened = self.opened(clip.source)?;
        let clip = self.clip(clip.index as usize)?;
        Ok(Take {
            clip,
            video: &opened.probe.video,
            opening: video_opening(opened, self.limits, threads),
            name: match self.footage {
                Footage::Cut { names, .. } => names.get(clip.index as usize).and_then(Option::as_ref),
                Footage::Drawn(_) => None,
            },
        })
    }

    fn segment(
        &self,
        index: usize,
        threads: u32,
        advance: &(dyn Fn(u64) -> bool + Sync),
    ) -> Result<Option<Outcome>, Option<RenderError>> {
        let missing = || RenderError::Protocol { reason: format!("segment {index} is missing") };
        let segment: &Segment = self.plan.segments.get(index).ok_or_else(missing)?;
        let clip = self.clip(segment.clip as usize)?;
        let path = self.job_dir.join(piece_file(&segment.key));
        if let Some(facts) = kept(&path, self.plan.canvas.codec, segment.frames) {
            advance(segment.frames);
            return Ok(Some(Outcome::Segment(index, path, facts, true)));
        }
        // Written under another name: what bears a piece's name is whole.
        let draft = self.job_dir.join(format!("draft-{index}"));
        let on_frame = || advance(1);
        let facts = if segment.kind == SegmentKind::Copy {
            let opened = self.opened(clip.source)?;
            let opening = video_opening(opened, self.limits, threads);
            match copy_segment(&opening, &opened.probe, self.plan, segment, &draft, on_frame) {
                Ok(facts) => facts,
                Err(CopyError::Unfit(reason)) => {
                    let reason = format!("it could not be copied: {reason}");
                    return Ok(Some(Outcome::Unfit(clip.index, reason)));
                }
                Err(CopyError::Read(error)) => {
                    return Err(Some(reading_failed(clip.source, Some(clip.index), error)));
                }
                Err(CopyError::Io(error)) => return Err(Some(error.into())),
                Err(CopyError::Stopped) => return Err(None),
            }
        } else if let Footage::Drawn(drawing) = self.footage {
            let made = draw_segment(drawing, self.plan, segment, threads, &draft, on_frame);
            made.map_err(|error| segment_failed(clip, error))?
        } else {
            let before = match segment.kind {
                SegmentKind::Blend => {
                    Some(self.take(self.clip(segment.clip.saturating_sub(1) as usize)?, threads)?)
                }
                _ => None,
            };
            let take = self.take(clip, threads)?;
            let made = encode_segment(self.plan, segment, &take, before.as_ref(), &draft, on_frame);
            made.map_err(|error| segment_failed(clip, error))?
        };
        std::fs::rename(&draft, &path).map_err(|error| Some(error.into()))?;
        Ok(Some(Outcome::Segment(index, path, facts, false)))
    }

    /// `None`: the clip has no sound.
    fn sound(&self, index: usize, stop: &AtomicBool) -> Result<Option<Outcome>, Option<RenderError>> {
        let clip = self.clip(index)?;
        let opened = self.opened(clip.source)?;
        let (Some(audio), Some(key)) = (opened.probe.audio.as_ref(), clip.sound_key.as_ref()) else {
            return Ok(None);
        };
        let path = self.job_dir.join(piece_file(key));
        let speech = clip.speech_key.as_ref().map(|key| self.job_dir.join(piece_file(key)));
        if self.sound_is_kept(clip, &path, speech.as_deref()) {
            return Ok(Some(Outcome::Sound(true)));
        }
        let opening = audio_opening(opened, audio, self.limits);
        let go_on = || !stop.load(Ordering::Relaxed);
        let draft = self.job_dir.join(format!("draft-sound-{index}"));
        let speech_draft = speech.as_ref().map(|_| self.job_dir.join(format!("draft-speech-{index}")));
        let (start, samples) = (clip.start_ticks, clip.samples);
        let taken = match &self.plan.sound {
            SoundPlan::Copy { config } => {
                take_packets(opening, start, samples, *config, &draft, speech_draft.as_deref(), go_on)
            }
            SoundPlan::Encode { .. } => {
                let measure = self.plan.loudness_lufs.is_some();
                take_samples(opening, start, samples, MONTAGE, measure, &draft, go_on)
            }
        };
        match taken {
            Ok(()) => {}
            Err(TrackError::CannotCopy(reason)) => return Ok(Some(Outcome::SoundUnfit(reason))),
            Err(error) => return Err(sound_failed(clip.source, clip.index, error)),
        }
        let keep = |from: &Path, to: &Path| std::fs::rename(from, to).map_err(|error| Some(error.into()));
        if let (Some(from), Some(to)) = (&speech_draft, &speech) {
            keep(from, to)?;
        }
        keep(&draft, &path)?;
        Ok(Some(Outcome::Sound(false)))
    }

    fn sound_is_kept(&self, clip: &PlannedClip, path: &Path, speech: Option<&Path>) -> bool {
        let samples = |path: &Path| SampleReader::open(path).is_ok();
        let whole = match &self.plan.sound {
            SoundPlan::Copy { config } => ClipPackets::open(path, *config).is_ok(),
            SoundPlan::Encode { .. } => SampleReader::open(path)
                .is_ok_and(|reader| reader.form == MONTAGE && reader.samples == clip.samples),
        };
        whole && speech.is_none_or(samples)
    }
}

/// The error for a segment that was not made; `None` when it was stopped.
fn segment_failed(clip: &PlannedClip, error: SegmentError) -> Option<RenderError> {
    match error {
        SegmentError::Refused(kind) => {
            let problem = Problem { clip: Some(clip.index), source: Some(clip.source), kind };
            Some(RenderError::Refused { problems: vec![problem] })
        }
        SegmentError::Decode(error) => Some(reading_failed(clip.source, Some(clip.index), error)),
        SegmentError::Encode(AvError::OutOfMemory) => Some(RenderError::OutOfMemory),
        SegmentError::Encode(error) => Some(RenderError::Encode { reason: error.to_string() }),
        SegmentError::Io(error) => Some(error.into()),
        SegmentError::Stopped => None,
    }
}

/// The error for sound that was not made; `None` when it was stopped.
pub(crate) fn sound_failed(source: u32, clip: u32, error: TrackError) -> Option<RenderError> {
    match error {
        TrackError::Decode(error) => Some(reading_failed(source, Some(clip), error)),
        TrackError::Encode(AvError::OutOfMemory) => Some(RenderError::OutOfMemory),
        TrackError::Encode(error) => Some(RenderError::Encode { reason: error.to_string() }),
        TrackError::CannotCopy(reason) => Some(RenderError::Encode { reason }),
        TrackError::Io(error) => Some(error.into()),
        TrackError::Stopped => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
