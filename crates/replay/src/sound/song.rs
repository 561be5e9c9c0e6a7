//! The song of the map, as it is heard from the first frame on: at the play's speed, with or without its pitch.
//!
//! Promises: the song's 0 ms is heard with the map's 0 ms, with silence before it and after its end; it is decoded while it is
//! heard, and never whole in memory. DoubleTime and HalfTime keep its pitch ([`super::stretch`]), NightCore and Daycore play it
//! as a record that turns faster or slower. Fails where it cannot be decoded, and where it is longer than the limits.

use super::{
    SAMPLE_RATE,
    decode::{Decoder, Frame},
    resample::Resampler,
    stretch::Stretch,
};
use crate::{
    error::{About, ReplayError},
    limits::Limits,
    stage::Stage,
    time::Clock,
};

/// Frames before the first one that is heard, for the resampler.
const BEFORE: u64 = 128;

/// Speeds at which a song can be played.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// A song that is being played.
pub(super) struct Song<'a> {
    /// Frames of silence that are yet to come before it.
    silence: u64,
    source: Source<'a>,
    stretch: Option<Stretch>,
}

/// A song at 48 kHz: with its own speed, or, where its pitch follows, with the play's.
struct Source<'a> {
    decoder: Decoder<'a>,
    resampler: Resampler,
    packet: Vec<Frame>,
    made: Vec<Frame>,
    taken: usize,
    ended: bool,
    /// Frames of the file that may be decoded, and the seconds that they are.
    longest: (u64, u32),
}

impl<'a> Song<'a> {
    /// The song of a stage: as it was sent, or none where the map names none (`virtual`).
    ///
    /// # Errors
    /// [`ReplayError::AudioMissing`], [`ReplayError::AudioUnsupported`].
    pub(super) fn of(
        stage: &Stage<'_>,
        song: Option<(&str, &'a [u8])>,
        limits: &Limits,
    ) -> Result<Option<Self>, ReplayError> {
        let named = stage.map.map.audio_file.trim();
        match song {
            Some((_, bytes)) => {
                let opened = Self::open(bytes, stage.clock, stage.mods.pitch_follows, limits);
                opened.map(Some).map_err(|reason| ReplayError::AudioUnsupported { reason: reason.to_owned() })
            }
            None if named.is_empty() || named.eq_ignore_ascii_case("virtual") => Ok(None),
            None => Err(ReplayError::AudioMissing { name: named.chars().take(100).collect() }),
        }
    }

    fn open(
        bytes: &'a [u8],
        clock: Clock,
        pitch_follows: bool,
        limits: &Limits,
    ) -> Result<Self, &'static str> {
        let speed = clock.speed;
        if !SPEEDS.contains(&speed.as_f64()) {
            return Err("the play's speed is out of bounds");
        }
        let mut decoder = Decoder::open(bytes)?;
        let rate = decoder.rate();
        // Where it begins: in the file's frames.
        let start = clock.first.max(0) as f64 * f64::from(rate) / 1e6;
        let skipped = (start as u64).saturating_sub(BEFORE);
        decoder.skip(skipped);
        let same_speed = f64::from(SAMPLE_RATE) / f64::from(rate);
        let ratio = if pitch_follows { same_speed / speed.as_f64() } else { same_speed };
        let resampler = Resampler::new(ratio, start - skipped as f64)?;
        let longest = (u64::from(limits.song_seconds) * u64::from(rate), limits.song_seconds);
        let (packet, made) = (Vec::new(), Vec::new());
        let mut source = Source { decoder, resampler, packet, made, taken: 0, ended: false, longest };
        while source.decoder.decoded() == 0 {
            if !source.more() {
                return Err("it holds no sound");
            }
        }
        let stretch = (!pitch_follows && speed.map != speed.video).then(|| Stretch::new(speed));
        // Silence until the map's 0 ms: rounded as the samples of its objects are.
        let silence = super::sample_at(&clock, 0).max(0).unsigned_abs();
        Ok(Self { silence, source, stretch })
    }

    /// Fills `out` with what follows.
    ///
    /// # Errors
    /// [`ReplayError::TooLong`].
    pub(super) fn fill(&mut self, out: &mut [Frame]) -> Result<(), ReplayError> {
        let silent = usize::try_from(self.silence).unwrap_or(usize::MAX).min(out.len());
        self.silence -= silent as u64;
        let (silence, out) = out.split_at_mut(silent);
        silence.fill([0.0; 2]);
        let source = &mut self.source;
        match &mut self.stretch {
            Some(stretch) => stretch.fill(out, &mut |input| source.give(input)),
            None => source.fill(out),
        }
        let (longest, seconds) = source.longest;
        if source.decoder.decoded() > longest {
            return Err(ReplayError::TooLong {
                about: About::Audio,
                what: "the song".to_owned(),
                length: format!("over {seconds} s"),
                limit: format!("{seconds} s"),
            });
        }
        Ok(())
    }
}

impl Source<'_> {
    /// Decodes a packet; `false` at the end.
    fn more(&mut self) -> bool {
        if self.ended || self.decoder.decoded() > self.longest.0 {
            return false;
        }
        self.packet.clear();
        if self.taken == self.made.len() {
            self.made.clear();
            self.taken = 0;
        }
        if self.decoder.next(&mut self.packet) {
            self.resampler.push(&self.packet, &mut self.made);
        } else {
            self.ended = true;
            self.resampler.finish(&mut self.made);
        }
        true
    }

    /// Adds what there is; `false` at the end.
    fn give(&mut self, to: &mut Vec<Frame>) -> bool {
        while self.taken == self.made.len() {
            if !self.more() {
                return false;
            }
        }
        to.extend_from_slice(self.made.get(self.taken..).unwrap_or_default());
        self.taken = self.made.len();
        true
    }

    fn fill(&mut self, mut out: &mut [Frame]) {
        while !out.is_empty() {
            if self.taken == self.made.len() && !self.more() {
                out.fill([0.0; 2]);
                return;
            }
            let left = self.made.get(self.taken..).unwrap_or_default();
            let count = left.len().min(out.len());
            let (now, later) = out.split_at_mut(count);
            now.copy_from_slice(&left[..count]);
            self.taken += count;
            out = later;
        }
    }
}
