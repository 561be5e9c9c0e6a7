//! Videos of replays: their files are read whole through the parent, prepared by the `replay` crate, and drawn.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use contracts::replay::{CaptionOptions, ReplayOptions, SoundOptions};
use replay::draw::{Image, Picture, Text};
use replay::error::{About, ReplayError};
use replay::limits::Limits;
use replay::production::{Easel, Inputs, Production};
use replay::time::Micros;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::av::frame::Frame;
use crate::av::{AvError, limit_allocations};
use crate::drawn::{self, Drawing, Painter, Sketch};
use crate::error::RenderError;
use crate::facts::VideoFacts;
use crate::order::{MediaLimits, Order, ReplayOrder};
use crate::picture::{Placer, Target};
use crate::pieces::{Opened, reading_failed};
use crate::plan::{Plan, hex};
use crate::probe::{ProbeError, probe, video_opening};
use crate::protocol::{Progress, Stage};
use crate::render::OnProgress;
use crate::report::{PlanReport, ReplayCaption, ReplayOutcome};
use crate::source::ByteSource;
use crate::time::{FrameRate, TICKS_PER_SECOND};
use crate::title::Fonts;
use crate::video::{Screen, SegmentError};

/// Grows when the same files are drawn in another way than before, so that segments of before are not used any more.
const DRAWING_VERSION: u32 = 1;

/// A replay, ready to be planned or made.
pub(crate) struct Theatre<'a> {
    order: &'a Order,
    production: Production,
    /// The background video, if the map has one that can be opened.
    backdrop: Option<Backdrop>,
    canvas: Target,
    /// Names all that its frames depend on.
    recipe: String,
}

/// A map's background video.
struct Backdrop {
    opened: Opened,
    video: VideoFacts,
    /// Which time of the map its first picture belongs to.
    begins: Micros,
    limits: MediaLimits,
}

/// Everything that a drawn frame depends on, but for its number and size. How it sounds and what is told of it are left out: who
/// changes them gets the same pictures.
#[derive(Serialize)]
struct Recipe<'a> {
    version: u32,
    /// The files' SHA-256, but for the song's.
    files: &'a [(About, String)],
    options: ReplayOptions,
    fonts: &'a str,
}

impl<'a> Theatre<'a> {
    /// Reads the files and prepares the play.
    ///
    /// # Errors
    /// [`RenderError::Replay`] where it cannot be shown; files that cannot be read.
    pub(crate) fn open(
        order: &'a Order,
        replay: &ReplayOrder,
        sources: &[Arc<dyn ByteSource>],
        fonts: &Arc<Fonts>,
        on_progress: &OnProgress<'_>,
    ) -> Result<Self, RenderError> {
        on_progress(Progress { stage: Stage::Planning, frames_done: 0, frames_total: 0 });
        limit_allocations(order.limits.most_allocated());
        let limits = Limits::default();
        let mut files = Vec::new();
        let mut read = |index: u32, about: About, most: u64| -> Result<Vec<u8>, RenderError> {
            let missing = || RenderError::Protocol { reason: format!("source {index} is missing") };
            let source = sources.get(index as usize).ok_or_else(missing)?;
            let bytes = read(source.as_ref(), index, about, most)?;
            if about != About::Audio {
                files.push((about, hex(&Sha256::digest(&bytes))));
            }
            Ok(bytes)
        };
        let inputs = Inputs {
            replay: read(replay.replay, About::Replay, limits.replay_bytes)?,
            map: read(replay.map, About::Map, limits.archive_bytes)?,
            audio: replay
                .audio
                .map(|audio| read(audio, About::Audio, limits.archive_file_bytes))
                .transpose()?,
            skin: replay.skin.map(|skin| read(skin, About::Skin, limits.archive_bytes)).transpose()?,
        };
        let text = Box::new(Lines(Arc::clone(fonts)));
        let production =
            Production::open(inputs, &replay.options, text, &limits).map_err(RenderError::Replay)?;
        let options = ReplayOptions {
            sound: SoundOptions::default(),
            captions: CaptionOptions::default(),
            ..replay.options.clone()
        };
        let recipe = Recipe { version: DRAWING_VERSION, files: &files, options, fonts: fonts.fingerprint() };
        let recipe = crate::plan::digest(&recipe);
        Ok(Self {
            backdrop: Backdrop::open(&production, &order.limits),
            canvas: Target::new(production.size(), (1, 1), 8, "bt709", false),
            order,
            production,
            recipe,
        })
    }

    /// The plan, without doing it.
    ///
    /// # Errors
    /// A frame rate that no video has.
    pub(crate) fn plan(&self) -> Result<PlanReport, RenderError> {
        let (num, den) = self.production.clock().rate;
        let rate =
            FrameRate::new(num, den).map_err(|error| RenderError::Protocol { reason: error.to_string() })?;
        let (width, height) = self.production.size();
        let chapters = self.production.chapters().into_iter();
        let sketch = Sketch {
            width,
            height,
            rate,
            frames: self.production.frames(),
            chapters: chapters.map(|chapter| (chapter.frame, chapter.title)).collect(),
            poster_frame: self.production.poster_frame(),
            recipe: self.recipe.clone(),
        };
        let plan = drawn::plan(self.order, &sketch);
        Ok(PlanReport { plan_hash: plan.hash(), plan, sources: Vec::new(), warnings: Vec::new() })
    }

    /// Makes the video by a plan that was made of the same files.
    ///
    /// # Errors
    /// As [`crate::render::render`].
    pub(crate) fn make(
        &self,
        plan: Plan,
        job_dir: &Path,
        on_progress: &OnProgress<'_>,
    ) -> Result<ReplayOutcome, RenderError> {
        if plan.segments != self.plan()?.plan.segments {
            return Err(RenderError::Protocol { reason: "the plan is not one of this order".to_owned() });
        }
        let report = drawn::make(self.order, plan, self, job_dir, on_progress)?;
        let captions = self.production.captions().into_iter();
        let caption = |caption: replay::production::Caption| ReplayCaption {
            from: caption.from,
            to: caption.to,
            text: caption.text,
        };
        Ok(ReplayOutcome {
            report,
            play: self.production.report(),
            captions: captions.map(caption).collect(),
        })
    }
}

/// All bytes of a source.
fn read(source: &dyn ByteSource, index: u32, about: About, most: u64) -> Result<Vec<u8>, RenderError> {
    let length = source.len();
    if length > most {
        return Err(RenderError::Replay(ReplayError::TooLong {
            about,
            what: "the file".to_owned(),
            length: format!("{length} bytes"),
            limit: format!("{most} bytes"),
        }));
    }
    source.expect(&[(0, length)]);
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| RenderError::OutOfMemory)?];
    let mut done = 0;
    while done < bytes.len() {
        let count = source
            .read_at(done as u64, &mut bytes[done..])
            .map_err(|error| reading_failed(index, None, AvError::Source(error.into())))?;
        if count == 0 {
            break;
        }
        done += count;
    }
    bytes.truncate(done);
    Ok(bytes)
}

impl Backdrop {
    /// `None` where there is none, or none that can be opened: a background is never worth its play.
    fn open(production: &Production, limits: &MediaLimits) -> Option<Self> {
        let video = production.video()?;
        let source: Arc<dyn ByteSource> = Arc::<Vec<u8>>::clone(&video.bytes);
        let (container, found, pool) = match probe(&source, limits) {
            Ok(opened) => opened,
            Err(ProbeError::Refused(_) | ProbeError::Failed(_)) => return None,
        };
        let facts = found.video.clone();
        let opened = Opened { source, container, probe: found, pool };
        Some(Self { opened, video: facts, begins: video.begins, limits: *limits })
    }
}

impl Drawing for Theatre<'_> {
    fn painter(&self) -> Result<Box<dyn Painter + '_>, AvError> {
        let (width, height) = self.production.size();
        Ok(Box::new(Brush {
            theatre: self,
            easel: Easel::default(),
            picture: Picture::new(width, height),
            film: Film::Unseen,
        }))
    }

    fn sound(&self, sink: &mut dyn FnMut(&[f32]) -> ControlFlow<()>) -> Result<(), RenderError> {
        let mut flat = Vec::new();
        let mixed = self.production.sound(&mut |samples| {
            flat.clear();
            flat.extend(samples.iter().flatten());
            sink(&flat)
        });
        mixed.map_err(RenderError::Replay)
    }
}

/// Draws frames for one thread.
struct Brush<'a> {
    theatre: &'a Theatre<'a>,
    easel: Easel,
    picture: Picture,
    film: Film,
}

/// The background video, as one thread plays it.
enum Film {
    /// No picture of it was wanted yet.
    Unseen,
    /// It plays.
    Playing(Box<Playing>),
    /// Nothing more comes out of it.
    Over,
}

/// A background video that is played.
struct Playing {
    screen: Screen,
    placer: Placer,
    /// The picture on the screen, in the size of the canvas.
    shown: Option<Arc<Picture>>,
}

impl Film {
    /// Its picture at a time of the map; times may not fall. What cannot be decoded is as if it had ended.
    fn at(&mut self, theatre: &Theatre<'_>, at: Micros) -> Option<Arc<Picture>> {
        let backdrop = theatre.backdrop.as_ref()?;
        let since = at.checked_sub(backdrop.begins).filter(|since| *since >= 0)?;
        let moment = (i128::from(since) * i128::from(TICKS_PER_SECOND) / 1_000_000) as i64;
        if matches!(self, Self::Unseen) {
            let playing = Playing::open(backdrop, theatre.canvas, moment);
            *self = playing.map_or(Self::Over, |playing| Self::Playing(Box::new(playing)));
        }
        let Self::Playing(playing) = self else { return None };
        match playing.advance(moment, theatre.production.size()) {
            Ok(()) => playing.shown.clone(),
            Err(_) => {
                *self = Self::Over;
                None
            }
        }
    }
}

impl Playing {
    fn open(backdrop: &Backdrop, canvas: Target, moment: i64) -> Result<Self, AvError> {
        let opening = video_opening(&backdrop.opened, &backdrop.limits, 1);
        let screen = Screen::open(opening, &backdrop.video, moment)?;
        let shape = (backdrop.video.sar_num, backdrop.video.sar_den);
        Ok(Self { screen, placer: Placer::new(canvas, backdrop.video.rotation, shape), shown: None })
    }

    fn advance(&mut self, moment: i64, size: (u32, u32)) -> Result<(), SegmentError> {
        if self.screen.advance(moment)?
            && let Some(timed) = self.screen.current.as_ref()
        {
            let placed = self.placer.place(&timed.frame).map_err(SegmentError::Decode)?;
            self.shown = Some(Arc::new(copied(&placed, size)?));
        }
        Ok(())
    }
}

/// A placed frame as a picture to draw on.
fn copied(frame: &Frame, (width, height): (u32, u32)) -> Result<Picture, AvError> {
    let mut picture = Picture::new(width, height);
    for (index, plane) in [&mut picture.y, &mut picture.u, &mut picture.v].into_iter().enumerate() {
        let from = frame.plane::<u8>(index)?;
        let width = from.width.max(1);
        for (to, from) in plane.chunks_exact_mut(width).zip(from.rows()) {
            to.copy_from_slice(from);
        }
    }
    Ok(picture)
}

impl Painter for Brush<'_> {
    fn paint(&mut self, frame: u64, onto: &mut Frame) -> Result<(), SegmentError> {
        let theatre = self.theatre;
        let film = &mut self.film;
        let mut video = |at: Micros| film.at(theatre, at);
        theatre.production.frame(frame, &mut self.easel, &mut video, &mut self.picture);
        let planes = [&self.picture.y, &self.picture.u, &self.picture.v];
        for (index, plane) in planes.into_iter().enumerate() {
            let to = onto.plane_mut::<u8>(index)?;
            let width = to.width.max(1);
            for (to, from) in to.rows().zip(plane.chunks_exact(width)) {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }
}

/// Lines of text in whatever fonts the machine has.
struct Lines(Arc<Fonts>);

impl Text for Lines {
    fn line(&self, text: &str, height: u32, most_width: u32, bold: bool) -> Image {
        let (width, pixels) = self.0.line(text, height, most_width, bold);
        Image { width, height, pixels }
    }
}
