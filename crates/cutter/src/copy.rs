//! Copying a segment: the source's coded pictures, bit for bit, with their place in showing order.
//!
//! What is copied is checked on the way: every picture must lie on the montage's frames, and none may be missing. A source
//! that is not as its index said is no error of the montage: the clip is encoded instead.

use std::path::Path;

use crate::av::AvError;
use crate::bitstream::{ParameterSets, PictureKind, mark_broken_link, reframe, split};
use crate::edges::Walk;
use crate::facts::Probe;
use crate::plan::{Plan, Segment, tolerance};
use crate::reader::{Opening, open_demuxer};
use crate::segment::{SegmentFacts, SegmentWriter, sha256};

/// Pictures that are read over before the first one of a copy is there, at most.
const MOST_BEFORE: usize = 8000;

/// Why a segment was not copied.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// The source is not as its index said; in words that follow "it could not be copied: ".
    Unfit(String),
    /// The source could not be read.
    Read(AvError),
    /// The segment file could not be written.
    Io(std::io::Error),
    /// Another part of the montage failed.
    Stopped,
}

impl From<AvError> for CopyError {
    fn from(error: AvError) -> Self {
        Self::Read(error)
    }
}

impl From<std::io::Error> for CopyError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

fn unfit(reason: impl Into<String>) -> CopyError {
    CopyError::Unfit(reason.into())
}

/// Copies a segment into the file at `path`. `on_frame` is called after each picture and says whether to go on.
pub(crate) fn copy_segment(
    opening: &Opening,
    probe: &Probe,
    plan: &Plan,
    segment: &Segment,
    path: &Path,
    on_frame: impl Fn() -> bool,
) -> Result<SegmentFacts, CopyError> {
    let mut demuxer = match opening.pool.take() {
        Some(mut demuxer) => {
            demuxer.only(opening.stream)?;
            demuxer
        }
        None => open_demuxer(opening)?,
    };
    let codec = plan.canvas.codec;
    let header = demuxer.header(opening.stream)?;
    let (mut sets, framing) =
        ParameterSets::of_header(codec, &header).ok_or_else(|| unfit("its parameter sets cannot be read"))?;
    let rate = plan.canvas.frame_rate;
    let near = tolerance(rate);
    let frame = rate.frame_to_ticks(1).max(1);
    let mut writer = SegmentWriter::create(path, codec)?;
    let mut shown = vec![false; segment.frames as usize];
    let mut broken_link = false;
    {
        let mut walk = Walk::new(&mut demuxer, probe, codec, framing)?;
        let mut next = walk.seek(segment.at_ticks.saturating_add(near))?;
        let mut passed = 0;
        while writer.count() < segment.frames {
            let Some(picture) = next else { return Err(unfit("the source ended before the copy did")) };
            let began = writer.count() > 0;
            let is_start = (picture.at - segment.at_ticks).abs() <= near
                && matches!(picture.kind, PictureKind::Idr | PictureKind::Cra);
            if !began && !is_start {
                passed += 1;
                if passed > MOST_BEFORE || picture.at > segment.at_ticks + MOST_BEFORE as i64 * frame {
                    return Err(unfit("the picture where copying starts is not there"));
                }
                next = walk.next()?;
                continue;
            }
            let offset = picture.at - segment.at_ticks;
            if offset < -near {
                // Shown before the first one and decoded after it: those are encoded with what comes before.
                next = walk.next()?;
                continue;
            }
            let number = (offset + frame / 2) / frame;
            let exact = rate.frame_to_ticks(number.unsigned_abs());
            let place = shown.get_mut(number as usize).filter(|_| (offset - exact).abs() <= near);
            match place {
                Some(place) if !*place => *place = true,
                Some(_) => return Err(unfit("two of its pictures have the same time")),
                None => return Err(unfit("its frames do not follow each other evenly")),
            }
            let data = walk.packet.data();
            if !began && let Some(nals) = split(data, framing) {
                sets.collect(codec, nals);
            }
            let mut unit = reframe(data, framing).ok_or_else(|| unfit("a coded picture of it is damaged"))?;
            let hash = sha256(&unit);
            if !began && picture.kind == PictureKind::Cra {
                broken_link = mark_broken_link(&mut unit);
            }
            let key = matches!(picture.kind, PictureKind::Idr | PictureKind::Cra);
            writer.write_hashed(number as u32, key, &unit, hash)?;
            if !on_frame() {
                return Err(CopyError::Stopped);
            }
            if writer.count() < segment.frames {
                next = walk.next()?;
            }
        }
    }
    opening.pool.put(demuxer);
    if !sets.are_complete(codec) {
        return Err(unfit("its parameter sets are not complete"));
    }
    Ok(writer.finish(sets, broken_link)?)
}
