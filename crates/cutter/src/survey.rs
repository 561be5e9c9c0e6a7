//! Looking into a whole source, before anybody knows which part of it is wanted: what is in it, and where its picture can be
//! decoded from.
//!
//! Reads the container's head and index and decodes one picture; the source is never read through. Where the index says
//! nothing, nothing is answered. Times are those at which the pictures are shown, from the first one; in MP4, whose index
//! tells decoding times, a picture that others lean back on may be told as earlier by as many frames as those are.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::av::demux::Demuxer;
use crate::av::{AvError, limit_allocations};
use crate::container::Container;
use crate::error::{ProblemKind, RenderError};
use crate::facts::Probe;
use crate::fragments::{Fragments, fragments};
use crate::order::Order;
use crate::pieces::{Opened, reading_failed};
use crate::probe::{ProbeError, probe};
use crate::reader::take_demuxer;
use crate::report::SourceReport;
use crate::source::{ByteSource, SourceFailure};

/// Most bytes that are read to find the cues of Matroska: where there are hardly any, its reader looks for more.
const MOST_CUE_BYTES: u64 = 32 << 20;

/// Looks into the one source of an order without clips. At most `most` key frames are told.
pub(crate) fn survey(
    order: &Order,
    sources: &[Arc<dyn ByteSource>],
    most: u32,
) -> Result<SourceReport, RenderError> {
    let (true, [source]) = (order.clips.is_empty(), sources) else {
        return Err(RenderError::Protocol { reason: "a survey is of one source, without clips".to_owned() });
    };
    limit_allocations(order.limits.most_allocated());
    let (container, found, pool) = probe(source, &order.limits).map_err(|error| match error {
        ProbeError::Refused(kind) => RenderError::refused(None, None, kind),
        ProbeError::Failed(error) => reading_failed(0, None, error),
    })?;
    let opened = Opened { source: Arc::clone(source), container, probe: found, pool };
    let keys = match keys(&opened) {
        Ok(keys) => keys,
        Err(AvError::Failed { reason, .. }) => {
            return Err(RenderError::refused(None, None, ProblemKind::Unreadable { reason }));
        }
        Err(error) => return Err(reading_failed(0, None, error)),
    };
    let keyframes_total = keys.len() as u64;
    Ok(SourceReport { probe: opened.probe, keyframes: thinned(&keys, most as usize), keyframes_total })
}

/// Where decoding can start, in ticks from the first picture; none where the container has no index.
fn keys(opened: &Opened) -> Result<Vec<i64>, AvError> {
    let stream = opened.probe.video.stream;
    let from_first =
        |keys: Vec<i64>, first: i64| keys.into_iter().map(|key| key.saturating_sub(first)).collect();
    let keys: Vec<i64> = match opened.container {
        Container::MpegTs | Container::MpegPs => Vec::new(),
        Container::Mp4 => {
            let demuxer = take_demuxer(opened)?;
            let track = demuxer.stream_id(stream)?;
            let keys = match fragments(opened.source.as_ref(), track).map_err(SourceFailure::from)? {
                Fragments::None => {
                    let keys = demuxer.keys(stream)?;
                    let first = keys.first().copied().unwrap_or(0);
                    from_first(keys, first)
                }
                Fragments::Starts(starts) => starts,
                Fragments::Unknown => Vec::new(),
            };
            opened.pool.put(demuxer);
            keys
        }
        Container::Matroska => from_first(cues(opened)?, opened.probe.origin_ticks),
    };
    let mut keys: Vec<i64> = keys.into_iter().filter(|key| *key >= 0).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// The cues of Matroska, on its own clock. Without any there are only the places that were come across so far, which are
/// not answered.
fn cues(opened: &Opened) -> Result<Vec<i64>, AvError> {
    let Probe { video, origin_ticks, duration_ticks, .. } = &opened.probe;
    let metered =
        Arc::new(Metered { source: Arc::clone(&opened.source), left: AtomicU64::new(MOST_CUE_BYTES) });
    let source: Arc<dyn ByteSource> = metered.clone();
    let sought = Demuxer::open(source, opened.container).and_then(|mut demuxer| {
        // They are read when something is looked for.
        demuxer.seek(video.stream, *origin_ticks)?;
        demuxer.keys(video.stream)
    });
    let keys = match sought {
        Err(_) if metered.is_spent() => return Ok(Vec::new()),
        sought => sought?,
    };
    let reaches =
        |length: &i64| keys.last().is_some_and(|last| last.saturating_sub(*origin_ticks) >= *length / 2);
    Ok(if duration_ticks.as_ref().is_some_and(reaches) { keys } else { Vec::new() })
}

/// At most so many of them, evenly taken.
fn thinned(keys: &[i64], most: usize) -> Vec<i64> {
    if keys.len() <= most {
        return keys.to_vec();
    }
    (0..most).filter_map(|place| keys.get(place * keys.len() / most).copied()).collect()
}

/// A source of which only so much is read.
struct Metered {
    source: Arc<dyn ByteSource>,
    left: AtomicU64,
}

impl Metered {
    fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

impl ByteSource for Metered {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(buf.len() as u64))
        });
        if taken.is_ok_and(|left| left <= buf.len() as u64) {
            let reason = "its index takes too long to find".to_owned();
            return Err(SourceFailure { reason, permanent: true }.into());
        }
        self.source.read_at(offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thinned_is_even_and_begins_with_the_first() {
        let keys: Vec<i64> = (0..10).collect();
        assert_eq!(thinned(&keys, 10), keys);
        assert_eq!(thinned(&keys, 4), [0, 2, 5, 7]);
        assert!(thinned(&keys, 0).is_empty());
    }

    #[test]
    fn a_metered_source_ends_with_its_measure() {
        let source: Arc<dyn ByteSource> = Arc::new(vec![7_u8; 100]);
        let metered = Metered { source, left: AtomicU64::new(25) };
        let mut buffer = [0; 10];
        assert_eq!(metered.read_at(0, &mut buffer).unwrap(), 10);
        assert_eq!(metered.read_at(50, &mut buffer).unwrap(), 10);
        assert!(!metered.is_spent());
        assert!(metered.read_at(0, &mut buffer).is_err() && metered.is_spent());
    }
}
