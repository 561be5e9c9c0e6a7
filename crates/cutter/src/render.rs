//! A whole render: probe, look at the clips' edges, plan, make the pieces in parallel, put them together, verify, report.
//!
//! Promises that after `Ok` the job directory holds a verified montage, its playlist, its poster, its sprites and, where
//! asked for, its sound for transcription, and besides them at most the pieces that it was made of. After an error only
//! leftovers are there, for the parent to delete with the directory.
//!
//! A clip that cannot be copied after all, or does not pass its checks as a copy, is encoded instead, and the report says
//! so. Everything else that was made stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::av::{AvError, limit_allocations};
use crate::edges::look;
use crate::error::{Problem, RenderError};
use crate::finish::{Finished, Refit, finish, report};
use crate::names::{Nameplate, missing_letters};
use crate::order::Order;
use crate::pieces::{Footage, Made, Opened, Piece, Workshop, reading_failed, sound_failed};
use crate::plan::{Canvas, Plan, SoundPlan, VideoCodec, piece_file};
use crate::planner::{Brief, Found, Given, Probed, briefs, placed, plan};
use crate::probe::{ProbeError, probe};
use crate::protocol::{Progress, Stage};
use crate::report::{Fallback, Loudness, PartsReport, PlanReport, Report, SPEECH_FILE, TRACK_FILE};
use crate::sound::copy::{copy_track, write_speech};
use crate::sound::encode::encode_track;
use crate::sound::samples::SampleReader;
use crate::sound::track::SoundTrack;
use crate::sound::{TrackClip, TrackError};
use crate::source::ByteSource;
use crate::title::{FontFiles, Fonts};

/// Takes progress; called from several threads, often.
pub type OnProgress<'a> = dyn Fn(Progress) + Sync + 'a;

/// How often clips that did not pass are encoded and everything is checked again, before all copies are given up.
const MOST_ROUNDS: u32 = 3;

/// Opened sources and what is known of them: what every task begins with.
pub struct Studio<'a> {
    order: &'a Order,
    job_dir: &'a Path,
    fonts: &'a Fonts,
    on_progress: &'a OnProgress<'a>,
    opened: Vec<Option<Opened>>,
    probed: Vec<Probed>,
    briefs: Vec<Brief>,
    /// What was found around the clips' edges, once it was looked for.
    found: Option<Vec<Found>>,
    /// Clips that are encoded although they could be copied.
    forced: BTreeMap<u32, String>,
    /// The sound is encoded although it could be copied.
    sound_forced: Option<String>,
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
    let fonts = Fonts::new(FontFiles::find());
    let studio = Studio::open(order, sources, job_dir, &fonts, on_progress)?;
    studio.montage(None, false)
}

impl<'a> Studio<'a> {
    /// Probes every source that a clip uses and places the clips.
    ///
    /// # Errors
    /// What is wrong with the order or its sources, all at once; a source that cannot be read.
    pub fn open(
        order: &'a Order,
        sources: &[Arc<dyn ByteSource>],
        job_dir: &'a Path,
        fonts: &'a Fonts,
        on_progress: &'a OnProgress<'a>,
    ) -> Result<Self, RenderError> {
        on_progress(Progress { stage: Stage::Planning, frames_done: 0, frames_total: 0 });
        let problems = order.problems();
        if !problems.is_empty() {
            return Err(RenderError::Refused { problems });
        }
        if sources.len() != order.sources.len() {
            return Err(RenderError::Protocol { reason: "the order's sources are not all there".to_owned() });
        }
        limit_allocations(order.limits.most_allocated());
        let (mut opened, mut probed) = (Vec::new(), Vec::new());
        for (index, source) in sources.iter().enumerate() {
            let used = order.clips.iter().any(|clip| clip.source as usize == index);
            let (open, result) = match used.then(|| probe(source, &order.limits)) {
                None => (None, None),
                Some(Ok((container, probe, pool))) => {
                    let open = Opened { source: Arc::clone(source), container, probe: probe.clone(), pool };
                    (Some(open), Some(Ok(probe)))
                }
                Some(Err(ProbeError::Refused(kind))) => (None, Some(Err(kind))),
                Some(Err(ProbeError::Failed(error))) => {
                    return Err(reading_failed(index as u32, None, error));
                }
            };
            opened.push(open);
            probed.push(result);
        }
        let briefs = briefs(order, &probed).map_err(|problems| RenderError::Refused { problems })?;
        Ok(Self {
            order,
            job_dir,
            fonts,
            on_progress,
            opened,
            probed,
            briefs,
            found: None,
            forced: BTreeMap::new(),
            sound_forced: None,
        })
    }

    /// The plan, without doing it.
    ///
    /// # Errors
    /// As [`render`].
    pub fn plan_only(mut self) -> Result<PlanReport, RenderError> {
        let plan = self.plan()?;
        let names =
            self.order.overlays().flat_map(|overlay| [Some(&overlay.text), overlay.subtitle.as_ref()]);
        let missing = missing_letters(self.fonts, names.flatten());
        let warnings = if missing.is_empty() {
            Vec::new()
        } else {
            let letters: String = missing.into_iter().collect();
            vec![format!("no font of this executor has these letters of the names that are shown: {letters}")]
        };
        Ok(PlanReport { plan_hash: plan.hash(), plan, sources: self.facts(), warnings })
    }

    /// Makes some segments and sounds of a plan that was made elsewhere from the same order and sources.
    ///
    /// # Errors
    /// As [`render`]; a segment that cannot be copied is told in the report.
    pub fn parts(self, plan: &Plan, segments: &[u32], sounds: &[u32]) -> Result<PartsReport, RenderError> {
        let names = self.names(plan);
        let workshop = self.workshop(plan, &names)?;
        let segments = segments.iter().map(|index| Piece::Segment(*index as usize));
        let pieces: Vec<Piece> =
            segments.chain(sounds.iter().map(|index| Piece::Sound(*index as usize))).collect();
        let made = workshop.make(&pieces, self.on_progress)?;
        let unfit = made.unfit.into_iter().map(|(clip, reason)| Fallback { clip, reason }).collect();
        Ok(PartsReport { made: made.made, kept: made.kept, unfit })
    }

    /// Makes the montage, by `plan` if one was made of the same order and sources before. With `keep_pieces` the pieces stay
    /// in the job directory.
    ///
    /// # Errors
    /// As [`render`].
    pub fn montage(mut self, plan: Option<Plan>, keep_pieces: bool) -> Result<Report, RenderError> {
        let mut plan = match plan {
            Some(plan) => plan,
            None => self.plan()?,
        };
        let (mut kept, mut made) = (0, 0);
        let mut round = 0;
        loop {
            round += 1;
            let names = self.names(&plan);
            let workshop = self.workshop(&plan, &names)?;
            let done = workshop.make(&workshop.all(), self.on_progress)?;
            if round == 1 {
                kept = done.kept;
            }
            made += done.made;
            let outcome = if done.unfit.is_empty() && done.sound_unfit.is_none() {
                self.finish(&plan, &done)?
            } else {
                Err(Refit { clips: done.unfit, sound: done.sound_unfit })
            };
            match outcome {
                Ok(finished) => {
                    if !keep_pieces {
                        self.remove_pieces()?;
                    }
                    return self.report(plan, finished, (kept, made));
                }
                Err(refit) => {
                    self.take_in(refit, &plan, round)?;
                    plan = self.plan()?;
                }
            }
        }
    }

    /// Notes what has to be encoded after all.
    fn take_in(&mut self, refit: Refit, plan: &Plan, round: u32) -> Result<(), RenderError> {
        let before = (self.forced.len(), self.sound_forced.is_some());
        self.forced.extend(refit.clips);
        if let Some(reason) = refit.sound {
            self.sound_forced.get_or_insert(reason);
        }
        if round >= MOST_ROUNDS {
            for clip in plan.clips.iter().filter(|clip| clip.copied_frames > 0) {
                let reason = || "other clips did not pass their checks as copies".to_owned();
                self.forced.entry(clip.index).or_insert_with(reason);
            }
        }
        if before == (self.forced.len(), self.sound_forced.is_some()) {
            let reason = "a clip that is encoded did not pass as a copy".to_owned();
            return Err(RenderError::Encode { reason });
        }
        Ok(())
    }

    fn plan(&mut self) -> Result<Plan, RenderError> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.look()?,
        };
        let refused = |problems: Vec<Problem>| RenderError::Refused { problems };
        let given = Given {
            forced: &self.forced,
            sound_forced: self.sound_forced.as_deref(),
            fonts: self.fonts.fingerprint(),
        };
        let plan = plan(self.order, &self.probed, &self.briefs, &found, &given);
        self.found = Some(found);
        plan.map_err(refused)
    }

    /// Looks at every clip's edges.
    fn look(&self) -> Result<Vec<Found>, RenderError> {
        let mut found = Vec::with_capacity(self.briefs.len());
        for (clip, brief) in self.order.clips.iter().zip(&self.briefs) {
            let missing = || RenderError::Protocol { reason: format!("source {} is missing", clip.source) };
            let opened =
                self.opened.get(clip.source as usize).and_then(Option::as_ref).ok_or_else(missing)?;
            let codec = Canvas::of(&opened.probe.video).map(|canvas| canvas.codec);
            let codec = codec.filter(|codec| *codec == VideoCodec::H264 || *codec == VideoCodec::Hevc);
            let looked = opened.look(codec, brief);
            found.push(match looked {
                Ok(found) => found,
                // What cannot be looked at is decoded: whoever decodes it tells what is wrong with it.
                Err(AvError::Failed { .. }) => Found::default(),
                Err(error) => return Err(reading_failed(clip.source, None, error)),
            });
        }
        Ok(found)
    }

    /// What is written over each clip of a plan, drawn.
    fn names(&self, plan: &Plan) -> Vec<Option<Nameplate>> {
        let plate = |clip: &crate::plan::PlannedClip| {
            let name = clip.effects.name.as_ref()?;
            Nameplate::draw(name, &plan.canvas, self.fonts)
        };
        plan.clips.iter().map(plate).collect()
    }

    fn workshop<'b>(
        &'b self,
        plan: &'b Plan,
        names: &'b [Option<Nameplate>],
    ) -> Result<Workshop<'b>, RenderError> {
        let fits = plan.clips.len() == self.order.clips.len()
            && plan.sources == self.order.sources
            && plan.clips.iter().zip(&self.order.clips).all(|(planned, clip)| planned.source == clip.source);
        if !fits {
            return Err(RenderError::Protocol { reason: "the plan is not one of this order".to_owned() });
        }
        for clip in &plan.clips {
            if let Some(opened) = self.opened.get(clip.source as usize).and_then(Option::as_ref) {
                opened.source.expect(&clip.spans);
            }
        }
        let footage = Footage::Cut { opened: &self.opened, names };
        Ok(Workshop { plan, footage, limits: &self.order.limits, job_dir: self.job_dir })
    }

    /// Puts the pieces together and checks the result. `Ok(Err(_))`: something has to be encoded after all.
    fn finish(&self, plan: &Plan, made: &Made) -> Result<Result<Finished, Refit>, RenderError> {
        let (sound, loudness) = match self.sound(plan) {
            Ok(sound) => sound,
            Err(TrackError::CannotCopy(reason)) => {
                return Ok(Err(Refit { clips: BTreeMap::new(), sound: Some(reason) }));
            }
            Err(error) => {
                let stopped = || RenderError::Encode { reason: "the sound was stopped".to_owned() };
                return Err(sound_failed(0, 0, error).unwrap_or_else(stopped));
            }
        };
        let place = (self.job_dir, self.order.limits.threads);
        finish(plan, made, &sound, loudness, place, self.on_progress)
    }

    /// The sound of the whole montage, and what was measured in each clip.
    fn sound(&self, plan: &Plan) -> Result<(SoundTrack, Vec<Option<Loudness>>), TrackError> {
        let file = |key: &Option<String>| key.as_ref().map(|key| self.job_dir.join(piece_file(key)));
        let mut clips = Vec::with_capacity(plan.clips.len());
        let mut loudness = Vec::with_capacity(plan.clips.len());
        for (clip, placed) in plan.clips.iter().zip(placed(plan)) {
            let path = file(&clip.sound_key);
            let level = match (&plan.sound, plan.loudness_lufs, &path) {
                (SoundPlan::Encode { .. }, Some(target), Some(path)) => {
                    SampleReader::open(path)?.measured.and_then(|measured| measured.level(target))
                }
                _ => None,
            };
            clips.push(TrackClip { path, placed, gain_db: level.map_or(0.0, |level| level.gain_db) });
            loudness.push(level);
        }
        let (track, speech) = (self.job_dir.join(TRACK_FILE), self.job_dir.join(SPEECH_FILE));
        let speech = plan.speech.then_some(speech);
        let track = match &plan.sound {
            SoundPlan::Copy { config } => {
                let made = copy_track(&clips, plan.samples, *config, &track, || true)?;
                if let Some(speech) = &speech {
                    for (clip, planned) in clips.iter_mut().zip(&plan.clips) {
                        clip.path = file(&planned.speech_key);
                    }
                    write_speech(&clips, plan.samples, speech)?;
                }
                made
            }
            SoundPlan::Encode { .. } => {
                let rate = plan.encoder.audio_bit_rate;
                encode_track(&clips, plan.samples, rate, &track, speech.as_deref(), || true)?
            }
        };
        Ok((track, loudness))
    }

    /// Removes all pieces from the job directory, those of plans that were given up too.
    fn remove_pieces(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(self.job_dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("piece-") || name.starts_with("draft-") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn facts(&self) -> Vec<Option<crate::facts::Probe>> {
        self.probed
            .iter()
            .map(|probed| probed.as_ref().and_then(|probed| probed.as_ref().ok()).cloned())
            .collect()
    }

    fn report(self, plan: Plan, finished: Finished, pieces: (u32, u32)) -> Result<Report, RenderError> {
        let fallbacks =
            self.forced.iter().map(|(clip, reason)| Fallback { clip: *clip, reason: reason.clone() });
        let (fallbacks, sources) = (fallbacks.collect(), self.facts());
        Ok(Report { fallbacks, sources, ..report(plan, finished, pieces, self.job_dir)? })
    }
}

impl Opened {
    fn look(&self, codec: Option<VideoCodec>, brief: &Brief) -> Result<Found, AvError> {
        let mut demuxer = crate::reader::take_demuxer(self)?;
        let found = look(&mut demuxer, &self.probe, codec, brief);
        self.pool.put(demuxer);
        found
    }
}
