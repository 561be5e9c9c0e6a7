//! Audio files as stereo frames at their own rate, packet by packet.
//!
//! Files are hostile, and their decoders are others' code: should one panic, the file ends there.
//!
//! Promises: besides the file itself one packet is in memory; the first frame is the one that the game plays at 0 ms
//! ([`super::mp3`]); a packet that is damaged becomes silence of its length, so that everything after it stays in its place.
//! Fails where a file is none of MP3, Ogg Vorbis, FLAC and WAV. What ends early, ends early.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions},
    errors::Error,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint, well_known::FORMAT_ID_MP3},
    io::MediaSourceStream,
    meta::MetadataOptions,
    packet::Packet,
};

use super::mp3;

/// A moment of sound: left and right, from -1 to 1.
pub(super) type Frame = [f32; 2];

/// More channels than any speaker set has are refused before memory is taken for them.
const MOST_CHANNELS: usize = 8;

/// Frames that one packet may stand for at most.
const MOST_OF_A_PACKET: u64 = 1 << 16;

/// Rates that are resampled, in frames a second.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// A file that is being decoded.
pub(super) struct Decoder<'a> {
    format: Box<dyn FormatReader + 'a>,
    codec: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    /// Frames that are yet to be left out, or (negative) silence that is yet to come before the first.
    skip: i64,
    /// Frames that were decoded, with those that were left out.
    decoded: u64,
    /// Its decoder panicked.
    broken: bool,
    samples: Vec<f32>,
}

impl<'a> Decoder<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// Why it cannot be decoded, in words.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, &'static str> {
        catch_unwind(|| Self::opened(bytes)).unwrap_or(Err("it is damaged"))
    }

    fn opened(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
        let (formats, metadata) = (FormatOptions::default(), MetadataOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, formats, metadata)
            .map_err(|_| "its format is not known, or it is damaged")?;
        let track = format.default_track(TrackType::Audio).ok_or("it holds no sound")?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or("it holds no sound")?;
        let rate = parameters
            .sample_rate
            .filter(|rate| RATES.contains(rate))
            .ok_or("its sample rate is out of bounds")?;
        if parameters.channels.as_ref().is_some_and(|channels| channels.count() > MOST_CHANNELS) {
            return Err("it has more than eight channels");
        }
        let is_mp3 = format.format_info().format == FORMAT_ID_MP3;
        // Of MP3 nothing is left out by the decoder: the game's own rule follows.
        let options = AudioDecoderOptions::default().gapless(!is_mp3);
        let codec = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &options)
            .map_err(|_| "its codec is not known")?;
        let track = track.id;
        let skip = if is_mp3 { mp3::left_out(bytes) } else { 0 };
        Ok(Self { format, codec, track, rate, skip, decoded: 0, broken: false, samples: Vec::new() })
    }

    /// Frames in a second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// How many frames were decoded so far, with those that were left out.
    pub(super) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Leaves out frames from here on.
    pub(super) fn skip(&mut self, frames: u64) {
        self.skip = self.skip.saturating_add(i64::try_from(frames).unwrap_or(i64::MAX));
    }

    /// Adds the frames of the next packet; `false` at the end.
    pub(super) fn next(&mut self, out: &mut Vec<Frame>) -> bool {
        if self.broken {
            return false;
        }
        let more = catch_unwind(AssertUnwindSafe(|| self.decode(out)));
        self.broken = more.is_err();
        more.unwrap_or(false)
    }

    fn decode(&mut self, out: &mut Vec<Frame>) -> bool {
        if self.skip < 0 {
            out.resize(out.len() + self.skip.unsigned_abs() as usize, [0.0; 2]);
            self.skip = 0;
        }
        let packet = loop {
            match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => break packet,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return false,
            }
        };
        let from = out.len();
        match self.codec.decode(&packet) {
            Ok(buffer) => {
                let channels = buffer.num_planes().max(1);
                buffer.copy_to_vec_interleaved(&mut self.samples);
                let frame = |samples: &[f32]| match samples {
                    [left, right, ..] => [clean(*left), clean(*right)],
                    [one] => [clean(*one); 2],
                    [] => [0.0; 2],
                };
                out.extend(self.samples.chunks_exact(channels).map(frame));
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                out.resize(from + whole_length(&packet) as usize, [0.0; 2]);
            }
            Err(_) => return false,
        }
        self.decoded += (out.len() - from) as u64;
        let left_out = (out.len() - from).min(usize::try_from(self.skip).unwrap_or(0));
        out.drain(from..from + left_out);
        self.skip -= left_out as i64;
        true
    }
}

/// Frames that a packet stands for, with those that its decoder would trim.
fn whole_length(packet: &Packet) -> u64 {
    let trimmed = packet.trim_start.get().saturating_add(packet.trim_end.get());
    packet.dur.get().saturating_add(trimmed).min(MOST_OF_A_PACKET)
}

/// Float files may hold anything.
fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 }
}
