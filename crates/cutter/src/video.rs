//! The pictures of one segment that is not a copy: decoded, chosen, placed on the canvas, changed by transitions and
//! names, and encoded.
//!
//! Frame `k` of a clip shows what is on the source's screen at the clip's start plus `k` canvas frames: the latest
//! source frame that starts then or before, with the tolerance that [`crate::plan`] defines. A source that ends
//! before the clip does is an error, never a frozen picture.

use std::path::Path;

use crate::av::AvError;
use crate::av::encode::{Encoder, Likeness};
use crate::av::frame::Frame;
use crate::bitstream::{Framing, ParameterSets, reframe};
use crate::blend::{dissolve, fade, weight};
use crate::error::ProblemKind;
use crate::facts::VideoFacts;
use crate::names::Nameplate;
use crate::picture::{Placer, Target};
use crate::plan::{Canvas, Plan, PlannedClip, Segment, VideoCodec, end_slack, tolerance};
use crate::reader::{Opening, Reader, Timed};
use crate::segment::{SegmentFacts, SegmentWriter};
use crate::time::{FrameRate, TICKS_PER_SECOND};

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
pub(crate) struct Screen {
    reader: Reader,
    pub(crate) current: Option<Timed>,
    next: Option<Timed>,
    ended: bool,
    tolerance: i64,
    /// How long the last frame may be shown beyond its own length.
    slack: i64,
    usual_length: i64,
}

impl Screen {
    pub(crate) fn open(opening: Opening, video: &VideoFacts, start: i64) -> Result<Self, AvError> {
        let usual_length = opening.usual_length;
        let mut reader = Reader::open_for_seek(opening)?;
        let tolerance = tolerance(video.frame_rate);
        let next = reader.seek(start.saturating_add(tolerance), i64::MAX)?;
        let slack = end_slack(video.frame_rate);
        Ok(Self { reader, current: None, next, ended: false, tolerance, slack, usual_length })
    }

    /// Goes to `moment`. Says whether another frame is on the screen than before.
    pub(crate) fn advance(&mut self, moment: i64) -> Result<bool, SegmentError> {
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

/// A clip's pictures on the canvas, one for each of its frames, in growing order.
struct Shot<'a> {
    clip: &'a PlannedClip,
    rate: FrameRate,
    screen: Screen,
    placer: Placer,
    name: Option<&'a Nameplate>,
    /// The picture of the source that is on the screen, on the canvas.
    picture: Option<Frame>,
}

impl<'a> Shot<'a> {
    /// A shot from frame `first` of the clip on.
    fn open(take: &Take<'a>, canvas: &Canvas, first: u64) -> Result<Self, SegmentError> {
        let (clip, rate) = (take.clip, canvas.frame_rate);
        let start = clip.start_ticks.saturating_add(rate.frame_to_ticks(first));
        let screen = Screen::open(take.opening.clone(), take.video, start).map_err(SegmentError::Decode)?;
        let video = take.video;
        let placer = Placer::new(Target::from(canvas), video.rotation, (video.sar_num, video.sar_den));
        Ok(Self { clip, rate, screen, placer, name: take.name, picture: None })
    }

    /// Frame `number` of the clip, with all that is done to it alone.
    fn frame(&mut self, number: u64) -> Result<Frame, SegmentError> {
        let moment = self.clip.start_ticks.saturating_add(self.rate.frame_to_ticks(number));
        if self.screen.advance(moment)? || self.picture.is_none() {
            let Some(shown) = self.screen.current.as_ref() else {
                let reason = "nothing can be decoded there".to_owned();
                return Err(SegmentError::Refused(ProblemKind::Unreadable { reason }));
            };
            self.picture = Some(self.placer.place(&shown.frame).map_err(SegmentError::Decode)?);
        }
        let lost = || AvError::new("show a picture", "it is gone");
        let mut frame = self.picture.as_ref().ok_or_else(lost)?.share()?;
        let effects = &self.clip.effects;
        if let (Some(plate), Some(name)) = (self.name, &effects.name)
            && number < name.frames
        {
            plate.blend(&mut frame, number, name.frames, self.rate)?;
        }
        if number < effects.fade_in {
            let level = weight(effects.fade_in - number, effects.fade_in);
            fade(&mut frame, level, effects.colour)?;
        }
        let left = self.clip.frames.saturating_sub(number);
        if left <= effects.fade_out {
            let level = weight(effects.fade_out - left + 1, effects.fade_out);
            fade(&mut frame, level, effects.colour)?;
        }
        Ok(frame)
    }
}

/// A clip with its open source, to take pictures from.
pub(crate) struct Take<'a> {
    pub(crate) clip: &'a PlannedClip,
    pub(crate) video: &'a VideoFacts,
    pub(crate) opening: Opening,
    /// What is written over its first frames.
    pub(crate) name: Option<&'a Nameplate>,
}

/// Makes a segment that is not a copy; of a blend `before` is the clip that turns into this one. `on_frame` is called
/// after each frame and says whether to go on.
pub(crate) fn encode_segment(
    plan: &Plan,
    segment: &Segment,
    take: &Take<'_>,
    before: Option<&Take<'_>>,
    path: &Path,
    on_frame: impl Fn() -> bool,
) -> Result<SegmentFacts, SegmentError> {
    let canvas = &plan.canvas;
    let mut shot = Shot::open(take, canvas, segment.first_frame)?;
    // A blend lies over the last frames of the clip before.
    let mut before = before
        .map(|before| {
            let first = before.clip.frames.saturating_sub(segment.frames);
            Shot::open(before, canvas, first).map(|shot| (shot, first))
        })
        .transpose()?;
    let like = take
        .clip
        .differences
        .is_empty()
        .then(|| Likeness { video: take.video, most_bits: most_bits(take, canvas.frame_rate) });
    let encoder = Encoder::video(canvas, &plan.encoder, like.as_ref(), take.opening.threads)?;
    encode_pictures(encoder, canvas.codec, segment.frames, path, |frame| {
        let mut picture = shot.frame(segment.first_frame + frame)?;
        if let Some((before, first)) = before.as_mut() {
            let weight = weight(frame + 1, segment.frames + 1);
            picture = dissolve(&before.frame(*first + frame)?, &picture, weight)?;
        }
        Ok(on_frame().then_some(picture))
    })
}

/// Encodes so many pictures into a segment file. `picture` gives each by its number in the segment; `None`: it is to stop.
pub(crate) fn encode_pictures(
    mut encoder: Encoder,
    codec: VideoCodec,
    frames: u64,
    path: &Path,
    mut picture: impl FnMut(u64) -> Result<Option<Frame>, SegmentError>,
) -> Result<SegmentFacts, SegmentError> {
    let mut writer = SegmentWriter::create(path, codec)?;
    let mut keep = |packet: &crate::av::frame::Packet| -> Result<(), SegmentError> {
        let frame = packet.pts().and_then(|pts| u32::try_from(pts).ok());
        let frame = frame.ok_or_else(|| AvError::new("encode", "a picture lost its number"))?;
        let unit = reframe(packet.data(), Framing::StartCodes);
        let unit = unit.ok_or_else(|| AvError::new("encode", "a picture came out damaged"))?;
        Ok(writer.write(frame, packet.is_key(), &unit)?)
    };
    for frame in 0..frames {
        let mut picture = picture(frame)?.ok_or(SegmentError::Stopped)?;
        picture.set_pts(frame as i64);
        encoder.encode(Some(&picture), &mut keep)?;
    }
    encoder.encode(None, &mut keep)?;
    if writer.count() != frames {
        let reason = format!("{frames} pictures became {}", writer.count());
        return Err(AvError::new("encode", reason).into());
    }
    let sets = ParameterSets::of_header(codec, &encoder.header()).map(|(sets, _)| sets);
    let sets = sets.filter(|sets| sets.are_complete(codec));
    let sets = sets.ok_or_else(|| AvError::new("encode", "the encoder gave no parameter sets"))?;
    Ok(writer.finish(sets, false)?)
}

/// The most bits per second for what stands beside copied pictures: 1.2 times what the source has there, since an encoder
/// that is made for speed needs somewhat more for the same picture.
fn most_bits(take: &Take<'_>, rate: FrameRate) -> Option<u64> {
    let bytes: u64 = take.clip.spans.iter().map(|(_, length)| length).sum();
    let ticks = rate.frame_to_ticks(take.clip.frames).max(1);
    let there = u128::from(bytes) * 8 * TICKS_PER_SECOND as u128 / ticks as u128;
    let there = u64::try_from(there).unwrap_or(u64::MAX).max(take.video.bit_rate);
    (there > 0).then(|| (there / 5).saturating_mul(6))
}
