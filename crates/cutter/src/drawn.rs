//! Videos that are drawn instead of cut: a plan whose segments are asked of a [`Drawing`], frame by frame.
//!
//! Promises: a drawn segment is named by all that it is made of, so that it is made once, whoever makes it; segments are
//! drawn and encoded in parallel while the sound is made; what comes out is put together and proven like a montage.

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::av::AvError;
use crate::av::encode::Encoder;
use crate::av::frame::Frame;
use crate::av::plane::planar;
use crate::colour::Depth;
use crate::error::RenderError;
use crate::finish::{Finished, Refit, finish, report};
use crate::order::{CutMode, Order, Transition};
use crate::picture::Target;
use crate::pieces::{Footage, Workshop, sound_failed};
use crate::plan::{
    Canvas, Colour, Effects, PLAN_VERSION, Plan, PlannedClip, Segment, SegmentKind, SoundPlan, VideoCodec,
    digest,
};
use crate::render::OnProgress;
use crate::report::{Report, TRACK_FILE};
use crate::segment::SegmentFacts;
use crate::sound::TrackError;
use crate::sound::encode::TrackEncoder;
use crate::sound::track::SoundTrack;
use crate::time::FrameRate;
use crate::video::{SegmentError, encode_pictures};

/// Something that can be drawn, frame by frame and in any order, by several threads.
pub(crate) trait Drawing: Sync {
    /// Somebody who draws frames, one after the other, mostly in growing order.
    fn painter(&self) -> Result<Box<dyn Painter + '_>, AvError>;

    /// Hands on the whole sound in order: 48 kHz, stereo, interleaved.
    fn sound(&self, sink: &mut dyn FnMut(&[f32]) -> ControlFlow<()>) -> Result<(), RenderError>;
}

/// Draws frames for one thread.
pub(crate) trait Painter {
    /// Draws a frame of the video onto a picture of 8 bits, in the canvas's size.
    fn paint(&mut self, frame: u64, onto: &mut Frame) -> Result<(), SegmentError>;
}

/// What a drawn video is to be.
pub(crate) struct Sketch {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rate: FrameRate,
    pub(crate) frames: u64,
    /// First frame and title of each chapter; the first begins at 0, and they follow each other.
    pub(crate) chapters: Vec<(u64, String)>,
    pub(crate) poster_frame: u64,
    /// Names all that its frames depend on, but for canvas, encoder and number.
    pub(crate) recipe: String,
}

/// Everything that a drawn segment's bytes depend on.
#[derive(Serialize)]
struct Recipe<'a> {
    version: u32,
    drawn: &'a str,
    canvas: &'a Canvas,
    encoder: &'a crate::order::EncoderSettings,
    first: u64,
    frames: u64,
}

/// Lays a drawn video out. A segment is so many seconds long and begins a group of pictures.
pub(crate) fn plan(order: &Order, sketch: &Sketch) -> Plan {
    let canvas = Canvas {
        codec: VideoCodec::H264,
        width: sketch.width,
        height: sketch.height,
        sar_num: 1,
        sar_den: 1,
        frame_rate: sketch.rate,
        bit_depth: 8,
        colour: Colour {
            primaries: "bt709".to_owned(),
            transfer: "bt709".to_owned(),
            matrix: "bt709".to_owned(),
            full_range: false,
        },
    };
    let samples_at = |frame: u64| sketch.rate.samples_before(frame);
    let ends = sketch.chapters.iter().skip(1).map(|(first, _)| *first).chain([sketch.frames]);
    let (mut clips, mut segments) = (Vec::new(), Vec::new());
    let seconds = u64::from(order.encoder.segment_seconds.max(1));
    let longest = (u64::from(sketch.rate.num()) * seconds / u64::from(sketch.rate.den())).max(1);
    for (index, ((first, title), end)) in (0..).zip(sketch.chapters.iter().zip(ends)) {
        let (first, frames) = (*first, end.saturating_sub(*first));
        clips.push(PlannedClip {
            index,
            source: 0,
            title: title.clone(),
            continues: false,
            start_ticks: sketch.rate.frame_to_ticks(first),
            asked_ticks: sketch.rate.frame_to_ticks(first),
            asked_duration_ticks: sketch.rate.frame_to_ticks(frames),
            start_frame: first,
            first_frame: first,
            frames,
            first_sample: samples_at(first),
            samples: samples_at(end) - samples_at(first),
            mode: CutMode::Exact,
            copied_frames: 0,
            differences: Vec::new(),
            reason: "all of it is drawn".to_owned(),
            effects: Effects::default(),
            sound_key: None,
            speech_key: None,
            spans: Vec::new(),
        });
        for start in (0..frames).step_by(longest as usize) {
            let length = longest.min(frames - start);
            let recipe = Recipe {
                version: PLAN_VERSION,
                drawn: &sketch.recipe,
                canvas: &canvas,
                encoder: &order.encoder,
                first: first + start,
                frames: length,
            };
            segments.push(Segment {
                index: segments.len() as u32,
                clip: index,
                first_frame: start,
                frames: length,
                at_ticks: sketch.rate.frame_to_ticks(first + start),
                kind: SegmentKind::Encode,
                key: digest(&recipe),
            });
        }
    }
    Plan {
        version: PLAN_VERSION,
        title: order.title.clone(),
        canvas,
        encoder: order.encoder.clone(),
        loudness_lufs: None,
        speech: false,
        sound: SoundPlan::Encode { why: "it is mixed".to_owned() },
        transition: Transition::default(),
        frames: sketch.frames,
        samples: samples_at(sketch.frames),
        sources: order.sources.clone(),
        clips,
        segments,
        poster_frame: Some(sketch.poster_frame),
    }
}

/// Makes a drawn video by its plan in the job directory. Its pieces stay there.
///
/// # Errors
/// As [`crate::render::render`].
pub(crate) fn make(
    order: &Order,
    plan: Plan,
    drawing: &dyn Drawing,
    job_dir: &Path,
    on_progress: &OnProgress<'_>,
) -> Result<Report, RenderError> {
    let workshop = Workshop { plan: &plan, footage: Footage::Drawn(drawing), limits: &order.limits, job_dir };
    let stop = AtomicBool::new(false);
    let (made, sound) = std::thread::scope(|scope| {
        let sound = || sound(&plan, drawing, &job_dir.join(TRACK_FILE), &stop);
        let sound = std::thread::Builder::new().name("sound".to_owned()).spawn_scoped(scope, sound);
        let made = workshop.make(&workshop.all(), on_progress);
        stop.store(made.is_err(), Ordering::Relaxed);
        let sound = match sound {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err(RenderError::OutOfMemory),
        };
        (made, sound)
    });
    let made = made?;
    let finished = finish(&plan, &made, &sound?, Vec::new(), (job_dir, order.limits.threads), on_progress)?;
    let finished: Finished = finished.map_err(|Refit { .. }| RenderError::Encode {
        reason: "a drawn segment did not pass as a copy".to_owned(),
    })?;
    report(plan, finished, (made.kept, made.made), job_dir)
}

fn stopped() -> RenderError {
    RenderError::Encode { reason: "the sound was stopped".to_owned() }
}

/// Encodes the whole sound: exactly the plan's samples, whatever the drawing gives.
fn sound(
    plan: &Plan,
    drawing: &dyn Drawing,
    track: &Path,
    stop: &AtomicBool,
) -> Result<SoundTrack, RenderError> {
    let failed = |error: TrackError| sound_failed(0, 0, error).unwrap_or_else(stopped);
    let mut encoder = TrackEncoder::create(track, plan.encoder.audio_bit_rate).map_err(failed)?;
    let mut left = plan.samples * 2;
    let mut error = None;
    drawing.sound(&mut |samples| {
        let samples = &samples[..samples.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        left -= samples.len() as u64;
        match encoder.push(samples) {
            Ok(()) if stop.load(Ordering::Relaxed) => error = Some(TrackError::Stopped),
            Ok(()) => {}
            Err(failed) => error = Some(failed),
        }
        if error.is_some() || left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(error) = error {
        return Err(failed(error));
    }
    let silence = [0.0; 2048];
    while left > 0 {
        let count = left.min(silence.len() as u64);
        encoder.push(&silence[..count as usize]).map_err(failed)?;
        left -= count;
    }
    encoder.finish().map_err(failed)
}

/// Draws and encodes a segment. `on_frame` is called before each frame and says whether to go on.
pub(crate) fn draw_segment(
    drawing: &dyn Drawing,
    plan: &Plan,
    segment: &Segment,
    threads: u32,
    path: &Path,
    on_frame: impl Fn() -> bool,
) -> Result<SegmentFacts, SegmentError> {
    let mut painter = drawing.painter()?;
    encode(plan, segment, threads, path, |frame| {
        if on_frame() { picture(plan, painter.as_mut(), segment, frame).map(Some) } else { Ok(None) }
    })
}

/// Draws frame `frame` of a segment, onto a picture of its own: the encoder holds on to some.
pub(crate) fn picture(
    plan: &Plan,
    painter: &mut dyn Painter,
    segment: &Segment,
    frame: u64,
) -> Result<Frame, SegmentError> {
    let canvas = &plan.canvas;
    let mut picture = Frame::picture(canvas.width, canvas.height, planar(Depth::Eight))?;
    picture.set_colour(Target::from(canvas).colour);
    painter.paint(plan.segment_start(segment) + frame, &mut picture)?;
    Ok(picture)
}

/// Encodes a segment's pictures, which `picture` gives by their numbers in it.
pub(crate) fn encode(
    plan: &Plan,
    segment: &Segment,
    threads: u32,
    path: &Path,
    picture: impl FnMut(u64) -> Result<Option<Frame>, SegmentError>,
) -> Result<SegmentFacts, SegmentError> {
    let canvas = &plan.canvas;
    let encoder = Encoder::video(canvas, &plan.encoder, None, threads)?;
    encode_pictures(encoder, canvas.codec, segment.frames, path, picture)
}
