//! What drawing costs beside encoding, for the benchmark: the same frames drawn alone, encoded alone, and both as in a render.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::av::frame::Frame;
use crate::drawn::{Drawing, draw_segment};
use crate::error::RenderError;
use crate::order::{Order, ReplayOrder};
use crate::replay::Theatre;
use crate::source::ByteSource;
use crate::title::{FontFiles, Fonts};
use crate::video::SegmentError;

/// What some frames of a replay cost, on one thread.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How many frames.
    pub frames: u64,
    /// Drawing them and nothing else.
    pub drawing: Duration,
    /// Encoding them from memory, once they are drawn.
    pub encoding: Duration,
    /// Drawing and encoding them as a render does.
    pub render: Duration,
}

/// Times the segments of a replay's video from one on, until so many frames were seen. `job_dir` takes the encoded files.
///
/// # Errors
/// As a render.
pub fn time_replay(
    (order, replay): (&Order, &ReplayOrder),
    sources: &[Arc<dyn ByteSource>],
    (segment, frames): (usize, u64),
    job_dir: &Path,
) -> Result<Timing, RenderError> {
    let fonts = Arc::new(Fonts::new(FontFiles::find()));
    let theatre = Theatre::open(order, replay, sources, &fonts, &|_| {})?;
    let plan = theatre.plan()?.plan;
    let mut timing =
        Timing { frames: 0, drawing: Duration::ZERO, encoding: Duration::ZERO, render: Duration::ZERO };
    for segment in plan.segments.iter().skip(segment) {
        if timing.frames >= frames {
            break;
        }
        let failed = |error: SegmentError| RenderError::Encode { reason: format!("{error:?}") };
        let ready = |began: Instant| -> Result<(Vec<Frame>, Duration), SegmentError> {
            let mut painter = theatre.painter()?;
            let mut ready = Vec::with_capacity(segment.frames as usize);
            for frame in 0..segment.frames {
                ready.push(crate::drawn::picture(&plan, painter.as_mut(), segment, frame)?);
            }
            Ok((ready, began.elapsed()))
        };
        let (mut frames, drawing) = ready(Instant::now()).map_err(failed)?;
        frames.reverse();
        let began = Instant::now();
        crate::drawn::encode(&plan, segment, 1, &job_dir.join("ready"), |_| Ok(frames.pop()))
            .map_err(failed)?;
        timing.encoding += began.elapsed();
        let began = Instant::now();
        draw_segment(&theatre, &plan, segment, 1, &job_dir.join("drawn"), || true).map_err(failed)?;
        timing.render += began.elapsed();
        timing.drawing += drawing;
        timing.frames += segment.frames;
    }
    Ok(timing)
}
