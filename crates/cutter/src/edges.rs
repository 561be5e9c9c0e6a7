//! Looking at a source near the edges of a clip: which coded pictures stand there, and where the clip's bytes are.
//!
//! Reads the container's index and the packets of at most two groups of pictures per clip, never the whole source, and
//! decodes nothing. How much is read is bounded, whatever the source says of itself.

use crate::av::AvError;
use crate::av::demux::{Demuxer, IndexEntry};
use crate::av::frame::Packet;
use crate::bitstream::{Framing, ParameterSets, PictureKind, picture_kind};
use crate::cutting::{CodedPicture, Edges};
use crate::facts::Probe;
use crate::order::CutMode;
use crate::plan::{VideoCodec, tolerance};
use crate::planner::{Brief, Found};
use crate::time::{TICKS_PER_SECOND, rescale_to_ticks};

/// Most pictures that are looked at around one edge: beyond that a source has no independent pictures worth copying from.
const MOST_PICTURES: usize = 4000;
/// Frames beyond a clip's end that are looked at, so that reordered ones are seen.
const BEYOND: u64 = 20;
/// Spans of bytes nearer than this are one: asking twice costs more than the gap.
const GAP: u64 = 32 << 10;
/// How far before a clip its sound is decoded from, in ticks.
const SOUND_LEAD: i64 = TICKS_PER_SECOND / 2;

/// Looks at one clip. `sound` is the stream of its sound.
pub(crate) fn look(
    demuxer: &mut Demuxer,
    probe: &Probe,
    codec: Option<VideoCodec>,
    brief: &Brief,
) -> Result<Found, AvError> {
    let Some(codec) = codec else {
        return Ok(Found { edges: None, spans: spans(demuxer, probe, brief, brief.start)? });
    };
    let stream = probe.video.stream;
    demuxer.only(stream)?;
    let Some((sets, framing)) = ParameterSets::of_header(codec, &demuxer.header(stream)?) else {
        return Ok(Found::default());
    };
    // Sets that stand only in the stream are found with the first picture.
    let _ = sets;
    let mut walk = Walk::new(demuxer, probe, codec, framing)?;
    let frame = probe.video.frame_rate.frame_to_ticks(1);
    let near = tolerance(probe.video.frame_rate);
    let (from, end) =
        (brief.start.saturating_add(brief.touched_start), brief.start.saturating_add(brief.duration));
    let reach = match brief.cut.mode {
        CutMode::Snap | CutMode::Auto => brief.cut.tolerance_ticks,
        CutMode::Exact | CutMode::Copy => 0,
    };
    let is_start = |picture: &CodedPicture| {
        matches!(picture.kind, PictureKind::Idr | PictureKind::Cra) && picture.at >= from.saturating_sub(near)
    };
    // Behind an independent picture come the ones that are shown before it: they belong to what is looked at.
    let mut found = None;
    let start = walk.run_from_key(brief.start.saturating_add(near), |picture| {
        if is_start(picture) {
            found.get_or_insert(picture.at);
        }
        picture.at > found.unwrap_or_else(|| end.saturating_add(reach))
    })?;
    let beyond = end.saturating_add(reach).saturating_add(frame.saturating_mul(BEYOND as i64));
    // What is changed at the end cannot be copied: the copy ends before it.
    let last = end.saturating_sub(brief.touched_end).saturating_add(near);
    let last = walk.run_from_key(last, |picture| picture.at > beyond)?;
    let first = start.first().map_or(brief.start, |picture| picture.at);
    let spans = spans(demuxer, probe, brief, first)?;
    Ok(Found { edges: Some(Edges { start, end: last }), spans })
}

/// Packets of the picture in decoding order, from a key picture on.
pub(crate) struct Walk<'a> {
    demuxer: &'a mut Demuxer,
    stream: u32,
    origin: i64,
    codec: VideoCodec,
    framing: Framing,
    unit: (i32, i32),
    pub(crate) packet: Packet,
}

impl<'a> Walk<'a> {
    /// A walk through the picture of a probed source whose header said how its NAL units are marked.
    pub(crate) fn new(
        demuxer: &'a mut Demuxer,
        probe: &Probe,
        codec: VideoCodec,
        framing: Framing,
    ) -> Result<Self, AvError> {
        let (stream, origin) = (probe.video.stream, probe.origin_ticks);
        let unit = demuxer.time_base(stream)?;
        Ok(Self { demuxer, stream, origin, codec, framing, unit, packet: Packet::new()? })
    }

    /// The next picture; `None` at the end. Its bytes are in [`Walk::packet`].
    pub(crate) fn next(&mut self) -> Result<Option<CodedPicture>, AvError> {
        for _ in 0..MOST_PICTURES {
            if !self.demuxer.read(&mut self.packet)? {
                return Ok(None);
            }
            if self.packet.stream() != self.stream {
                continue;
            }
            let Some(pts) = self.packet.pts() else {
                return Err(AvError::new("look at the source", "a picture has no time"));
            };
            let Some(kind) = picture_kind(self.codec, self.packet.data(), self.framing) else { continue };
            let at = rescale_to_ticks(pts, self.unit.0, self.unit.1).saturating_sub(self.origin);
            return Ok(Some(CodedPicture { at, kind }));
        }
        Ok(None)
    }

    /// Goes to the last independent picture at or before `target` and answers it; the earliest one there is where none is
    /// so early.
    pub(crate) fn seek(&mut self, target: i64) -> Result<Option<CodedPicture>, AvError> {
        let mut back = 0;
        loop {
            let from = target.saturating_sub(back);
            self.demuxer.seek(self.stream, self.origin.saturating_add(from))?;
            let mut first = None;
            for _ in 0..MOST_PICTURES {
                match self.next()? {
                    Some(picture) if matches!(picture.kind, PictureKind::Idr | PictureKind::Cra) => {
                        first = Some(picture);
                        break;
                    }
                    // Containers take some other pictures for places to start from, too; those are read over.
                    Some(picture) if picture.at > target => break,
                    Some(_) => {}
                    None => break,
                }
            }
            if first.is_some_and(|first| first.at <= target) || from <= 0 {
                return Ok(first);
            }
            back = if back == 0 { TICKS_PER_SECOND } else { back.saturating_mul(2) };
        }
    }

    /// The pictures from the last independent one at or before `target` to the first that satisfies `until`.
    fn run_from_key(
        &mut self,
        target: i64,
        mut until: impl FnMut(&CodedPicture) -> bool,
    ) -> Result<Vec<CodedPicture>, AvError> {
        let mut pictures = Vec::new();
        let mut next = self.seek(target)?;
        while let Some(picture) = next {
            pictures.push(picture);
            if until(&picture) || pictures.len() >= MOST_PICTURES {
                break;
            }
            next = self.next()?;
        }
        Ok(pictures)
    }
}

/// The bytes that a clip needs, from the container's index: those of the pictures from time `first` (ticks from the origin)
/// on and those of the sound. Empty where the container has no index.
fn spans(demuxer: &Demuxer, probe: &Probe, brief: &Brief, first: i64) -> Result<Vec<(u64, u64)>, AvError> {
    let clock = |at: i64| at.saturating_add(probe.origin_ticks);
    let end = clock(brief.start.saturating_add(brief.duration)).saturating_add(TICKS_PER_SECOND / 4);
    let index = demuxer.index_between(probe.video.stream, clock(first), end)?;
    let mut spans = stretch(&index, clock(first), end);
    if let Some(audio) = &probe.audio {
        let from = clock(brief.start).saturating_sub(SOUND_LEAD);
        spans.extend(stretch(&demuxer.index_between(audio.stream, from, end)?, from, end));
    }
    Ok(merge(spans))
}

/// The bytes of an index's entries between two moments on the container's clock, from the last key at or before the first.
fn stretch(index: &[IndexEntry], from: i64, end: i64) -> Vec<(u64, u64)> {
    // Decoding times lie before showing times: the key of a picture is looked for a little later, too.
    let keys = index.iter().enumerate().filter(|(_, entry)| entry.key && entry.at <= from);
    let Some(first) = keys.map(|(place, _)| place).next_back() else { return Vec::new() };
    let wanted = index[first..].iter().take_while(|entry| entry.at <= end);
    let sized = index[first..].iter().all(|entry| entry.bytes > 0);
    if sized && !index.is_empty() {
        return wanted.map(|entry| (entry.offset, entry.bytes)).collect();
    }
    // An index of places only: everything from the first to the one behind the end.
    let start = index[first].offset;
    let behind = index[first..].iter().find(|entry| entry.at > end).map(|entry| entry.offset);
    behind.filter(|behind| *behind > start).map(|behind| (start, behind - start)).into_iter().collect()
}

/// Joins spans that touch or nearly touch.
fn merge(mut spans: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (offset, length) in spans {
        match merged.last_mut() {
            Some((start, whole)) if offset <= start.saturating_add(*whole).saturating_add(GAP) => {
                *whole = (*whole).max(offset.saturating_add(length).saturating_sub(*start));
            }
            _ => merged.push((offset, length)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_nearly_touch_are_one() {
        assert_eq!(
            merge(vec![(500_000, 10), (0, 100), (90, 20), (110 + GAP, 5)]),
            [(0, 115 + GAP), (500_000, 10)]
        );
        assert!(merge(vec![]).is_empty());
    }

    #[test]
    fn a_stretch_begins_with_its_key() {
        let entry = |at, offset, bytes, key| IndexEntry { at, offset, bytes, key };
        let index = [
            entry(0, 0, 10, true),
            entry(10, 10, 5, false),
            entry(20, 20, 10, true),
            entry(30, 30, 5, false),
            entry(40, 40, 9, true),
        ];
        assert_eq!(stretch(&index, 25, 35), [(20, 10), (30, 5)]);
        assert!(stretch(&index, -1, 35).is_empty());
        let places = [entry(0, 100, 0, true), entry(20, 300, 0, true), entry(40, 700, 0, true)];
        assert_eq!(stretch(&places, 25, 35), [(300, 400)]);
        assert!(stretch(&places, 25, 45).is_empty(), "where it ends is not known");
    }
}
