//! Decoded frames of one stream of a source, from any moment on, with times that count from the source's origin.
//!
//! Seeking is checked, not believed: what is decoded first must lie at or before the wanted moment, or the seek is
//! repeated from farther back, at last from the beginning. So open groups of pictures, indexes with errors and
//! containers without an index give the same frames as the others.

use std::sync::{Arc, Mutex, PoisonError};

use crate::av::AvError;
use crate::av::decode::{Decoded, Decoder};
use crate::av::demux::{Demuxer, Media};
use crate::av::frame::{Frame, Packet};
use crate::container::Container;
use crate::pieces::Opened;
use crate::source::ByteSource;
use crate::time::{TICKS_PER_SECOND, rescale_to_ticks};

/// Damaged packets that are passed over, beside one in eight of all.
const TOLERATED_DAMAGE: u64 = 8;

/// Open containers of one source that nobody uses at the moment. Opening one means to read its whole index, which of a
/// long recording is a lot; seeking in one that is open costs nothing.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Demuxer>>);

impl Pool {
    /// Takes an open container; where it stands is not known.
    pub(crate) fn take(&self) -> Option<Demuxer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Gives a container to the next who needs one.
    pub(crate) fn put(&self, demuxer: Demuxer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(demuxer);
    }
}

/// How a source is opened for reading.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) source: Arc<dyn ByteSource>,
    /// Where open containers of the source come from and go to.
    pub(crate) pool: Arc<Pool>,
    pub(crate) container: Container,
    /// The stream that is decoded.
    pub(crate) stream: u32,
    pub(crate) media: Media,
    /// The stream by whose index seeks are made. Matroska usually has one for the video only.
    pub(crate) seek_stream: u32,
    /// Where source time 0 lies on the container's clock, in ticks.
    pub(crate) origin: i64,
    /// Length of a frame that does not say its own, in ticks.
    pub(crate) usual_length: i64,
    pub(crate) max_pixels: u64,
    pub(crate) threads: u32,
}

/// A decoded frame with its place in the source.
pub(crate) struct Timed {
    pub(crate) frame: Frame,
    /// When it starts, in ticks from the origin.
    pub(crate) at: i64,
    /// How long it lasts, in ticks.
    pub(crate) length: i64,
}

/// A stream that is being decoded.
pub(crate) struct Reader {
    opening: Opening,
    /// Always there; goes back to the pool in the end.
    demuxer: Option<Demuxer>,
    decoder: Decoder,
    packet: Packet,
    unit: (i32, i32),
    /// Where the next frame starts if it does not say so itself.
    expected: i64,
    /// Nothing was read since the source was opened.
    fresh: bool,
    draining: bool,
    /// After a seek: only a packet from which decoding can start is taken, and none behind this moment. Decoders that
    /// start between two such packets may give wrong pictures without a word.
    key_until: Option<i64>,
    decoded: u64,
    damaged: u64,
}

impl Reader {
    /// Opens the stream at its beginning.
    pub(crate) fn open(opening: Opening) -> Result<Self, AvError> {
        let demuxer = open_demuxer(&opening)?;
        Self::with(opening, demuxer, true)
    }

    /// Opens the stream for a [`Reader::seek`], which must come first.
    pub(crate) fn open_for_seek(opening: Opening) -> Result<Self, AvError> {
        match opening.pool.take() {
            Some(mut demuxer) => {
                demuxer.only(opening.stream)?;
                Self::with(opening, demuxer, false)
            }
            None => Self::open(opening),
        }
    }

    /// Takes an open container over; `fresh`: it stands at its beginning and gives out every stream.
    pub(crate) fn with(opening: Opening, demuxer: Demuxer, fresh: bool) -> Result<Self, AvError> {
        let decoder =
            Decoder::open(&demuxer, opening.media, opening.stream, opening.threads, opening.max_pixels)?;
        let unit = demuxer.time_base(opening.stream)?;
        Ok(Self {
            opening,
            demuxer: Some(demuxer),
            decoder,
            packet: Packet::new()?,
            unit,
            expected: 0,
            fresh,
            draining: false,
            key_until: None,
            decoded: 0,
            damaged: 0,
        })
    }

    /// Goes to where decoding gives a frame that starts at or before `target` (ticks from the origin) and returns that
    /// frame; the ones after it follow by [`Reader::next`]. When there is none so early, the earliest there is within
    /// `farthest` ticks before the target. `None`: nothing can be decoded from there.
    pub(crate) fn seek(&mut self, target: i64, farthest: i64) -> Result<Option<Timed>, AvError> {
        let mut back = 0;
        loop {
            let from = target.saturating_sub(back);
            let at_start = from <= 0;
            if at_start {
                self.rewind()?;
            } else if !self.jump(from, target)? {
                // No index to go by: the beginning is always there.
                back = target;
                continue;
            }
            let first = self.next()?;
            let early_enough = first.as_ref().is_some_and(|first| first.at <= target);
            if early_enough || at_start || back >= farthest {
                return Ok(first);
            }
            back = if back == 0 { TICKS_PER_SECOND } else { back.saturating_mul(2) };
        }
    }

    fn jump(&mut self, to: i64, target: i64) -> Result<bool, AvError> {
        self.fresh = false;
        let place = self.opening.origin.saturating_add(to);
        let stream = self.opening.seek_stream;
        let sought = self.demuxer()?.seek(stream, place)?;
        self.start_over(to);
        self.key_until = Some(target);
        Ok(sought)
    }

    fn rewind(&mut self) -> Result<(), AvError> {
        if !self.fresh {
            // A new container is at its beginning for certain, which a seek to time 0 is not in all of them.
            self.demuxer = Some(open_demuxer(&self.opening)?);
        }
        self.start_over(0);
        Ok(())
    }

    fn demuxer(&mut self) -> Result<&mut Demuxer, AvError> {
        self.demuxer.as_mut().ok_or_else(|| AvError::new("read the source", "it is closed"))
    }

    fn start_over(&mut self, at: i64) {
        if self.decoded > 0 || self.damaged > 0 || self.draining {
            self.decoder.reset();
        }
        self.draining = false;
        self.key_until = None;
        self.expected = at;
    }

    /// The next frame; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Timed>, AvError> {
        self.fresh = false;
        let mut frame = Frame::new()?;
        loop {
            match self.decoder.receive(&mut frame)? {
                Decoded::Frame => {
                    self.decoded += 1;
                    return Ok(Some(self.place(frame)));
                }
                Decoded::End => return Ok(None),
                Decoded::More if self.draining => return Ok(None),
                Decoded::More => self.feed()?,
                Decoded::Damaged => self.count_damage()?,
            }
        }
    }

    fn feed(&mut self) -> Result<(), AvError> {
        loop {
            let Some(demuxer) = self.demuxer.as_mut() else { return self.drain() };
            if !demuxer.read(&mut self.packet)? {
                return self.drain();
            }
            if self.packet.stream() == self.opening.stream {
                if let Some(limit) = self.key_until {
                    if self.packet.is_key() {
                        self.key_until = None;
                    } else if self.packet.pts().is_some_and(|pts| self.ticks(pts) > limit) {
                        return self.drain();
                    } else {
                        continue;
                    }
                }
                if !self.decoder.send(Some(&self.packet))? {
                    self.count_damage()?;
                }
                return Ok(());
            }
        }
    }

    fn drain(&mut self) -> Result<(), AvError> {
        self.draining = true;
        self.decoder.send(None)?;
        Ok(())
    }

    /// A timestamp of the stream in ticks from the origin.
    fn ticks(&self, stamp: i64) -> i64 {
        rescale_to_ticks(stamp, self.unit.0, self.unit.1).saturating_sub(self.opening.origin)
    }

    fn count_damage(&mut self) -> Result<(), AvError> {
        self.damaged += 1;
        if self.damaged > TOLERATED_DAMAGE + self.decoded / 8 {
            return Err(AvError::new("decode", "too much of the source is damaged"));
        }
        Ok(())
    }

    fn place(&mut self, frame: Frame) -> Timed {
        let (num, den) = self.unit;
        let at = frame.timestamp().map_or(self.expected, |stamp| {
            rescale_to_ticks(stamp, num, den).saturating_sub(self.opening.origin)
        });
        let length = match rescale_to_ticks(frame.duration(), num, den) {
            1.. => rescale_to_ticks(frame.duration(), num, den),
            _ => self.opening.usual_length,
        };
        self.expected = at.saturating_add(length);
        Timed { frame, at, length }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(demuxer) = self.demuxer.take() {
            self.opening.pool.put(demuxer);
        }
    }
}

/// An open container of a source, standing wherever.
pub(crate) fn take_demuxer(opened: &Opened) -> Result<Demuxer, AvError> {
    match opened.pool.take() {
        Some(demuxer) => Ok(demuxer),
        None => Demuxer::open(Arc::clone(&opened.source), opened.container),
    }
}

/// A container at its beginning, of which only one stream is given out.
pub(crate) fn open_demuxer(opening: &Opening) -> Result<Demuxer, AvError> {
    let mut demuxer = Demuxer::open(Arc::clone(&opening.source), opening.container)?;
    // MP4 and Matroska say in their headers all that decoding needs; the others only show their streams on the way.
    if matches!(opening.container, Container::MpegTs | Container::MpegPs) {
        demuxer.look_into_streams(opening.max_pixels)?;
    }
    demuxer.only(opening.stream)?;
    Ok(demuxer)
}
