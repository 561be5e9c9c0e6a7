//! The pictures of one segment: decoded, chosen, placed on the canvas and encoded.
//!
//! Frame `k` of a clip shows what is on the source's screen at the clip's start plus `k` canvas frames: the latest
//! source frame that starts then or before, with the tolerance that [`crate::plan`] defines. A source that ends
//! before the clip does is an error, never a frozen picture.

use std::path::Path;

use crate::av::AvError;
use crate::av::encode::Encoder;
use crate::error::ProblemKind;
use crate::facts::VideoFacts;
use crate::picture::Placer;
use crate::plan::{Plan, PlannedClip, Segment, end_slack, tolerance};
use crate::reader::{Opening, Reader, Timed};
use crate::segment::{SegmentFacts, SegmentWriter};

/// Why a segment was not made.
#[derive(Debug)]
pub(crate) enum SegmentError {
    /// The source does not hold what the clip asks for.
    Refused(ProblemKind),
    /// Decoding failed, or the source could not be read.
    Decode(AvError),
    /// Encoding failed.
    Encode(AvError),
    /// The segment file could not be written.
    Io(std::io::Error),
    /// Another part of the montage failed.
    Stopped,
}

impl From<std::io::Error> for SegmentError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<AvError> for SegmentError {
    fn from(error: AvError) -> Self {
        Self::Encode(error)
    }
}

/// Chooses the source frame for each moment, in growing order.
struct Screen {
    reader: Reader,
    current: Option<Timed>,
    next: Option<Timed>,
    ended: bool,
    tolerance: i64,
    /// How long the last frame may be shown beyond its own length.
    slack: i64,
    usual_length: i64,
}

impl Screen {
    fn open(opening: Opening, video: &VideoFacts, start: i64) -> Result<Self, AvError> {
        let usual_length = opening.usual_length;
        let mut reader = Reader::open(opening)?;
        let tolerance = tolerance(video.frame_rate);
        let next = reader.seek(start.saturating_add(tolerance), i64::MAX)?;
        let slack = end_slack(video.frame_rate);
        Ok(Self { reader, current: None, next, ended: false, tolerance, slack, usual_length })
    }

    /// Goes to `moment`. Says whether another frame is on the screen than before.
    fn advance(&mut self, moment: i64) -> Result<bool, SegmentError> {
        let mut changed = false;
        loop {
            if self.next.is_none() && !self.ended {
                self.next = self.reader.next().map_err(SegmentError::Decode)?;
                self.ended = self.next.is_none();
            }
            // Before the first frame there is nothing to show but the first frame.
            let due =
                |next: &Timed| self.current.is_none() || next.at <= moment.saturating_add(self.tolerance);
            match self.next.take_if(|next| due(next)) {
                Some(frame) => {
                    self.current = Some(frame);
                    changed = true;
                }
                None => break,
            }
        }
        let end = self
            .current
            .as_ref()
            .map_or(0, |frame| frame.at.saturating_add(frame.length.max(self.usual_length)));
        if self.ended && moment >= end.saturating_add(self.slack) {
            return Err(SegmentError::Refused(ProblemKind::EndsEarly { end: moment, duration: end }));
        }
        Ok(changed)
    }
}

/// Makes a segment. `on_frame` is called after each frame and says whether to go on.
pub(crate) fn encode_segment(
    opening: Opening,
    video: &VideoFacts,
    plan: &Plan,
    clip: &PlannedClip,
    segment: &Segment,
    path: &Path,
    on_frame: impl Fn() -> bool,
) -> Result<SegmentFacts, SegmentError> {
    let rate = plan.canvas.frame_rate;
    let moment =
        |frame: u64| clip.start_ticks.saturating_add(rate.frame_to_ticks(segment.first_frame + frame));
    let threads = opening.threads;
    let mut screen = Screen::open(opening, video, moment(0)).map_err(SegmentError::Decode)?;
    let mut placer = Placer::new((&plan.canvas).into(), video.rotation, (video.sar_num, video.sar_den));
    let mut encoder = Encoder::video(&plan.canvas, &plan.encoder, threads)?;
    let mut writer = SegmentWriter::create(path)?;
    let mut take = |packet: &crate::av::frame::Packet| -> Result<(), SegmentError> {
        let frame = packet.pts().and_then(|pts| u32::try_from(pts).ok());
        let frame = frame.ok_or_else(|| AvError::new("encode", "a picture lost its number"))?;
        Ok(writer.write(frame, packet.is_key(), packet.data())?)
    };
    let mut picture = None;
    for frame in 0..segment.frames {
        if screen.advance(moment(frame))? || picture.is_none() {
            let Some(shown) = screen.current.as_ref() else {
                let reason = "nothing can be decoded there".to_owned();
                return Err(SegmentError::Refused(ProblemKind::Unreadable { reason }));
            };
            picture = Some(placer.place(&shown.frame).map_err(SegmentError::Decode)?);
        }
        if let Some(picture) = picture.as_mut() {
            picture.set_pts(frame as i64);
            encoder.encode(Some(picture), &mut take)?;
        }
        if !on_frame() {
            return Err(SegmentError::Stopped);
        }
    }
    encoder.encode(None, &mut take)?;
    let facts = writer.finish(encoder.header())?;
    if facts.packets != segment.frames {
        let reason = format!("{} pictures became {}", segment.frames, facts.packets);
        return Err(AvError::new("encode", reason).into());
    }
    Ok(facts)
}
