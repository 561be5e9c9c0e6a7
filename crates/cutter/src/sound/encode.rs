//! The montage's sound, encoded as a whole by one encoder: the clips' samples, levelled, shaped and mixed.

use std::path::Path;

use crate::av::AvError;
use crate::av::encode::Encoder;
use crate::av::frame::{Frame, Packet};
use crate::facts::AacConfig;
use crate::sound::aac::FRAME;
use crate::sound::mix::Mixer;
use crate::sound::samples::Form;
use crate::sound::shape::spans;
use crate::sound::speech::SpeechWriter;
use crate::sound::track::{SoundTrack, TrackWriter};
use crate::sound::{TrackClip, TrackError, check_order};
use crate::time::SAMPLE_RATE;

/// Rate and channels of a montage's sound that is encoded.
pub(crate) const MONTAGE: Form = Form { rate: SAMPLE_RATE, channels: 2 };

/// Encodes `samples` samples at 48 kHz, in stereo, into the file at `track`, out of clips made by
/// [`super::samples::take_samples`] in [`MONTAGE`]'s form; what no clip fills is silence. The same sound goes to
/// `speech`, for transcription.
pub(crate) fn encode_track(
    clips: &[TrackClip],
    samples: u64,
    bit_rate: u32,
    track: &Path,
    speech: Option<&Path>,
    go_on: impl Fn() -> bool,
) -> Result<SoundTrack, TrackError> {
    check_order(clips)?;
    let mut mixer = Mixer::new(MONTAGE, samples);
    let placed: Vec<_> = clips.iter().map(|clip| clip.placed).collect();
    for (clip, span) in clips.iter().zip(spans(&placed, MONTAGE.rate)) {
        if let Some(path) = clip.path.as_ref() {
            mixer.add(path.clone(), clip.gain_db, span);
        }
    }
    let mut speech = speech.map(SpeechWriter::create).transpose()?;
    let mut encoder = TrackEncoder::create(track, bit_rate)?;
    // Frame by frame for the encoder, but many at once for all that is not it.
    let mut block = Vec::new();
    loop {
        block.clear();
        mixer.read(16 * FRAME, &mut block)?;
        if block.is_empty() {
            break;
        }
        if !go_on() {
            return Err(TrackError::Stopped);
        }
        if let Some(speech) = speech.as_mut() {
            speech.write(MONTAGE, &block)?;
        }
        encoder.push(&block)?;
    }
    speech.map_or(Ok(()), SpeechWriter::finish)?;
    encoder.finish()
}

/// Encodes a whole track in [`MONTAGE`]'s form, as its samples come.
pub(crate) struct TrackEncoder {
    encoder: SoundEncoder,
    packets: Packets,
    /// Samples that did not fill a packet yet, interleaved.
    rest: Vec<f32>,
    /// Samples that came so far.
    samples: u64,
}

/// The packets of a track, in order of time.
struct Packets {
    writer: TrackWriter,
    priming: Option<i64>,
}

impl Packets {
    fn keep(&mut self, place: i64, data: &[u8]) -> Result<(), TrackError> {
        let first = *self.priming.get_or_insert(-place);
        if place + first != (self.writer.count() * FRAME as u64) as i64 {
            return Err(TrackError::Encode(AvError::new("encode", "sound lost its time")));
        }
        Ok(self.writer.write(data)?)
    }
}

impl TrackEncoder {
    const CONFIG: AacConfig = AacConfig { sample_rate: MONTAGE.rate, channels: MONTAGE.channels };

    /// An encoder that writes into the file at `track`.
    pub(crate) fn create(track: &Path, bit_rate: u32) -> Result<Self, TrackError> {
        Ok(Self {
            encoder: SoundEncoder::open(Self::CONFIG, bit_rate, false)?,
            packets: Packets { writer: TrackWriter::create(track)?, priming: None },
            rest: Vec::new(),
            samples: 0,
        })
    }

    /// Takes the next samples, interleaved, as many as there are.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), TrackError> {
        let packet = FRAME * MONTAGE.channels as usize;
        self.samples += samples.len() as u64 / u64::from(MONTAGE.channels);
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() / packet * packet;
        for frame in self.rest[..whole].chunks(packet) {
            self.encoder.push(frame, &mut |place, data| self.packets.keep(place, data))?;
        }
        self.rest.drain(..whole);
        Ok(())
    }

    /// Ends the track.
    pub(crate) fn finish(mut self) -> Result<SoundTrack, TrackError> {
        let mut packets = self.packets;
        if !self.rest.is_empty() {
            self.encoder.push(&self.rest, &mut |place, data| packets.keep(place, data))?;
        }
        self.encoder.finish(&mut |place, data| packets.keep(place, data))?;
        let priming = u32::try_from(packets.priming.unwrap_or(0)).unwrap_or(0);
        Ok(packets.writer.finish(Self::CONFIG, priming, self.samples, Vec::new())?)
    }
}

/// An AAC encoder that takes interleaved samples.
pub(crate) struct SoundEncoder {
    encoder: Encoder,
    config: AacConfig,
    given: i64,
}

impl SoundEncoder {
    /// Opens an encoder; for `faithful` see [`Encoder::aac`].
    pub(crate) fn open(config: AacConfig, bit_rate: u32, faithful: bool) -> Result<Self, TrackError> {
        let encoder = Encoder::aac(config.sample_rate, config.channels, bit_rate, faithful)
            .map_err(TrackError::Encode)?;
        Ok(Self { encoder, config, given: 0 })
    }

    /// Encodes the next samples, one packet's worth of them, fewer only at the very end. `take` gets finished packets
    /// with the place of their first sample; the first comes before the first sample that was given.
    pub(crate) fn push(
        &mut self,
        samples: &[f32],
        take: &mut impl FnMut(i64, &[u8]) -> Result<(), TrackError>,
    ) -> Result<(), TrackError> {
        let channels = self.config.channels as usize;
        let count = samples.len() / channels;
        let frame = self.frame(samples, count, channels).map_err(TrackError::Encode)?;
        self.given += count as i64;
        self.encode(Some(&frame), take)
    }

    /// Encodes what is still inside.
    pub(crate) fn finish(
        mut self,
        take: &mut impl FnMut(i64, &[u8]) -> Result<(), TrackError>,
    ) -> Result<(), TrackError> {
        self.encode(None, take)
    }

    fn encode(
        &mut self,
        frame: Option<&Frame>,
        take: &mut impl FnMut(i64, &[u8]) -> Result<(), TrackError>,
    ) -> Result<(), TrackError> {
        let result = self.encoder.encode(frame, |packet: &Packet| {
            let lost = || AvError::new("encode", "sound lost its time");
            let place = packet.pts().ok_or_else(lost).map_err(Failed::Encoder)?;
            take(place, packet.data()).map_err(Failed::Taker)
        });
        result.map_err(|error| match error {
            Failed::Encoder(error) => TrackError::Encode(error),
            Failed::Taker(error) => error,
        })
    }

    fn frame(&self, samples: &[f32], count: usize, channels: usize) -> Result<Frame, AvError> {
        let mut frame = Frame::sound_of(count, self.config.channels, self.config.sample_rate)?;
        for channel in 0..channels {
            let plane = frame.sound_plane_mut(channel)?;
            for (target, all) in plane.iter_mut().zip(samples.chunks_exact(channels)) {
                *target = all[channel];
            }
        }
        frame.set_pts(self.given);
        Ok(frame)
    }
}

/// Tells a failure of the encoder from one of whoever takes its packets.
enum Failed {
    Encoder(AvError),
    Taker(TrackError),
}

impl From<AvError> for Failed {
    fn from(error: AvError) -> Self {
        Self::Encoder(error)
    }
}
