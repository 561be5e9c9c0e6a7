//! Packets that are made anew between two runs of copied ones, so that everything around a seam sounds as it should.
//!
//! A packet of AAC sounds for the length of two, windowed; where two packets overlap, each one's mirrored errors
//! cancel those of the other. So an encoder's packet may only take the place beside a copied one when both stand for
//! the same signal there, in the same window. The signal is known: what the source's own packets decode to. The
//! encoder gets it some packets earlier than it is used, so that it has settled. The windows agree when both are long,
//! which is looked for by widening the joint; what remains is the shape of the slope. The encoder's long slopes are
//! Kaiser-Bessel shaped, the source's may be sines. As the decoder takes a packet's rising shape from the packet
//! before, the encoder can be given a signal that under its own slope gives exactly what is wanted under the other.

use std::collections::BTreeMap;

use crate::av::AvError;
use crate::facts::AacConfig;
use crate::sound::aac::{FRAME, Window, slope};
use crate::sound::encode::SoundEncoder;
use crate::sound::grid::{Grid, WIDEST};
use crate::sound::packets::{ClipDecoder, ClipPackets};
use crate::sound::shape::Span;
use crate::sound::{TrackClip, TrackError};

/// Packets that the encoder makes before the first that is used.
const LEAD: i64 = 4;
/// Packets that it sees behind the last that is used.
const AFTER: i64 = 2;
/// Highest bit rate of a channel, in bits per second: joints are few, and short of what AAC allows at most.
const BIT_RATE: u32 = 128_000;

/// A copied run beside a joint: the clip, and the packet of the grid where the run ends or starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) clip: usize,
    pub(crate) packet: i64,
}

/// A finished joint.
pub(crate) struct Joint {
    /// Number of its first packet on the grid.
    pub(crate) from: i64,
    /// Number of the packet behind its last.
    pub(crate) to: i64,
    /// The packets one behind the other.
    pub(crate) data: Vec<u8>,
    /// The size of each.
    pub(crate) sizes: Vec<u32>,
}

/// What became of a try.
enum Tried {
    Made(Joint),
    WidenLeft,
    WidenRight,
}

/// Makes joints.
pub(crate) struct Joiner<'a> {
    clips: &'a [TrackClip],
    spans: &'a [Span],
    grid: &'a Grid,
    config: AacConfig,
    go_on: &'a dyn Fn() -> bool,
    decoders: BTreeMap<usize, ClipDecoder>,
    /// Rising slopes: sine and Kaiser-Bessel.
    slopes: [Vec<f32>; 2],
}

impl<'a> Joiner<'a> {
    pub(crate) fn new(
        clips: &'a [TrackClip],
        spans: &'a [Span],
        grid: &'a Grid,
        config: AacConfig,
        go_on: &'a dyn Fn() -> bool,
    ) -> Self {
        let slopes = [slope(false), slope(true)];
        Self { clips, spans, grid, config, go_on, decoders: BTreeMap::new(), slopes }
    }

    /// Makes the packets between two copied runs; without a run on one side, from the beginning or up to the end.
    /// Takes up to [`WIDEST`] packets from each run.
    pub(crate) fn join(&mut self, left: Option<Side>, right: Option<Side>) -> Result<Joint, TrackError> {
        let mut from = left.map_or(0, |left| left.packet);
        let mut to = right.map_or(self.grid.packets, |right| right.packet);
        let (earliest, latest) = (from - WIDEST, to + WIDEST);
        let mut packets = left.map(|left| self.packets(left.clip)).transpose()?;
        let mut next_packets = right.map(|right| self.packets(right.clip)).transpose()?;
        loop {
            if from < earliest || to > latest {
                let reason = "around a seam, no two packets of it can be joined";
                return Err(TrackError::CannotCopy(format!("a source's sound cannot be copied: {reason}")));
            }
            // The shapes that the decoder will use where copies and ours overlap.
            let before = match (left, packets.as_mut()) {
                (Some(left), Some(packets)) => {
                    let window = self.window(left.clip, packets, from - 1)?;
                    let Some(window) = window.filter(Window::falls_long) else {
                        from -= 1;
                        continue;
                    };
                    Some(window.kaiser)
                }
                _ => None,
            };
            let after = match (right, next_packets.as_mut()) {
                (Some(right), Some(packets)) => {
                    let own = self.window(right.clip, packets, to)?;
                    let replaced = self.window(right.clip, packets, to - 1)?;
                    match (own, replaced) {
                        (Some(own), Some(replaced)) if own.rises_long() && replaced.common => {
                            Some(replaced.kaiser)
                        }
                        _ => {
                            to += 1;
                            continue;
                        }
                    }
                }
                _ => None,
            };
            match self.encode(from, to, before, after)? {
                Tried::Made(joint) => return Ok(joint),
                Tried::WidenLeft => from -= 1,
                Tried::WidenRight => to += 1,
            }
        }
    }

    /// A clip's packets.
    pub(crate) fn packets(&self, clip: usize) -> Result<ClipPackets, TrackError> {
        let path = self.clips.get(clip).and_then(|clip| clip.path.as_ref());
        let path = path.ok_or_else(|| std::io::Error::other("a clip's sound is missing"))?;
        Ok(ClipPackets::open(path, self.config)?)
    }

    /// The number among a clip's own packets of packet `number` of the grid.
    pub(crate) fn own_number(&self, clip: usize, number: i64) -> Option<i64> {
        Some(number - self.grid.clips.get(clip)?.as_ref()?.first)
    }

    fn window(
        &self,
        clip: usize,
        packets: &mut ClipPackets,
        number: i64,
    ) -> Result<Option<Window>, TrackError> {
        let Some(own) = self.own_number(clip, number) else { return Ok(None) };
        Ok(packets.window(own)?)
    }

    /// Encodes packets `from..to`, whose first overlaps a slope of the shape `before` and whose last one of `after`
    /// (whether Kaiser-Bessel; `None`: nothing is there).
    fn encode(
        &mut self,
        from: i64,
        to: i64,
        before: Option<bool>,
        after: Option<bool>,
    ) -> Result<Tried, TrackError> {
        let AacConfig { sample_rate, channels } = self.config;
        let rate = BIT_RATE.min(sample_rate.saturating_mul(3)) * channels;
        let mut encoder = SoundEncoder::open(self.config, rate, true)?;
        let first = from - LEAD;
        let mut joint = Joint { from, to, data: Vec::new(), sizes: Vec::new() };
        let (mut left_fits, mut right_fits) = (before.is_none(), after.is_none());
        let mut rises = before.is_none();
        let mut take = |place: i64, data: &[u8]| -> Result<(), TrackError> {
            let number = first + place.div_euclid(FRAME as i64);
            let window = Window::of(data, channels);
            let falls = window.is_some_and(|window| window.falls_long() && window.kaiser);
            if number == from - 1 {
                left_fits |= falls;
            }
            if number == from {
                rises |= window.is_some_and(|window| window.rises_long());
            }
            if number == to - 1 {
                right_fits |= falls;
            }
            if (from..to).contains(&number) {
                let start = joint.data.len();
                joint.data.extend_from_slice(data);
                joint.sizes.push(data.len() as u32);
                if let (Some(window), Some(kaiser), true) = (window, after, number == to - 1) {
                    window.set_shape(&mut joint.data[start..], kaiser);
                }
            }
            Ok(())
        };
        for number in first..=to + AFTER {
            let mut samples = self.frame(number)?;
            if let (Some(false), true) = (before, number == from) {
                samples = self.under_other_slope(&samples, true);
            }
            if let (Some(false), true) = (after, number == to) {
                samples = self.under_other_slope(&samples, false);
            }
            encoder.push(&samples, &mut take)?;
            if !(self.go_on)() {
                return Err(TrackError::Stopped);
            }
        }
        encoder.finish(&mut take)?;
        if joint.sizes.len() as i64 != to - from {
            return Err(TrackError::Encode(AvError::new("encode", "sound lost its time")));
        }
        Ok(match (left_fits && rises, right_fits) {
            (false, _) => Tried::WidenLeft,
            (_, false) => Tried::WidenRight,
            _ => Tried::Made(joint),
        })
    }

    /// The signal that under the encoder's slope gives what `samples` give under a sine: rising in a packet's left
    /// half, where the mirror image is subtracted, or falling in its right half, where it is added. Of all signals that
    /// do, it is the one most like `samples`, so that the encoder sees no attack that is not there.
    fn under_other_slope(&self, samples: &[f32], rising: bool) -> Vec<f32> {
        let channels = self.config.channels as usize;
        let [sine, kaiser] = &self.slopes;
        let mut out = vec![0.0; samples.len()];
        for place in 0..FRAME {
            let mirror = FRAME - 1 - place;
            let (own, sign) = if rising { (place, -1.0) } else { (mirror, 1.0) };
            let other = FRAME - 1 - own;
            for channel in 0..channels {
                let at = |place: usize| samples.get(place * channels + channel).copied().unwrap_or(0.0);
                let folded = |slope: &[f32]| slope[own] * at(place) + sign * slope[other] * at(mirror);
                if let Some(out) = out.get_mut(place * channels + channel) {
                    *out = at(place) + kaiser[own] * (folded(sine) - folded(kaiser));
                }
            }
        }
        out
    }

    /// The montage's signal in the place of packet `number` of the grid.
    fn frame(&mut self, number: i64) -> Result<Vec<f32>, TrackError> {
        let channels = self.config.channels as usize;
        let mut mixed = vec![0.0; FRAME * channels];
        let start = self.grid.sample(number);
        let end = start + FRAME as i64;
        let first = self.spans.partition_point(|span| span.end as i64 <= start);
        self.decoders.retain(|clip, _| *clip >= first);
        for (clip, span) in self.spans.iter().enumerate().skip(first) {
            if span.start as i64 >= end {
                break;
            }
            let Some(own) = self.own_number(clip, number) else { continue };
            let Some(samples) = decoder(&mut self.decoders, self.clips, clip, self.config)?.decode(own)?
            else {
                continue;
            };
            let sounding = (span.start as i64).max(start)..(span.end as i64).min(end);
            for at in sounding {
                let factor = span.factor((at - span.start as i64) as u64);
                let place = (at - start) as usize * channels;
                let pairs = mixed[place..place + channels].iter_mut().zip(&samples[place..]);
                pairs.for_each(|(to, from)| *to += from * factor);
            }
        }
        Ok(mixed)
    }
}

fn decoder<'a>(
    decoders: &'a mut BTreeMap<usize, ClipDecoder>,
    clips: &[TrackClip],
    clip: usize,
    config: AacConfig,
) -> Result<&'a mut ClipDecoder, TrackError> {
    use std::collections::btree_map::Entry;
    match decoders.entry(clip) {
        Entry::Occupied(open) => Ok(open.into_mut()),
        Entry::Vacant(vacant) => {
            let path = clips.get(clip).and_then(|clip| clip.path.as_ref());
            let path = path.ok_or_else(|| std::io::Error::other("a clip's sound is missing"))?;
            Ok(vacant.insert(ClipDecoder::open(path, config)?))
        }
    }
}
