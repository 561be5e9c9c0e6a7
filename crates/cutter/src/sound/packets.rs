//! A clip's sound as it is coded: the source's AAC packets around and within the clip, bit for bit, in a file.
//!
//! The file depends on the source and the clip's moments alone, so that it can be kept and used again: the packets one
//! behind the other, their sizes, and a foot of 32 bytes that says where on the clip the first one lies. A file that
//! is not as it says is an error when it is read.
//!
//! Packets are only kept where they follow each other without a gap; sound that changes its form on the way, or is
//! coded in a way that cannot be joined, is [`TrackError::CannotCopy`].

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::av::AvError;
use crate::av::decode::{Decoded, Decoder};
use crate::av::demux::Demuxer;
use crate::av::frame::{Frame, Packet};
use crate::av::resample::Resampler;
use crate::facts::AacConfig;
use crate::reader::{Opening, Timed, open_demuxer};
use crate::sound::TrackError;
use crate::sound::aac::{FRAME, LONGEST_PACKET, Window, open_header, parse_adts};
use crate::sound::grid::Supply;
use crate::sound::samples::{FARTHEST_TICKS, Run, Sink};
use crate::sound::shape::at_rate;
use crate::sound::speech::SPEECH;
use crate::time::{TICKS_PER_SECOND, rescale_to_ticks};

/// The last bytes of such a file begin with this.
const MAGIC: &[u8; 8] = b"SMPACKS1";
/// Bytes behind the sizes.
const FOOT: usize = 32;
/// Packets that are kept before and behind a clip: what decoding and resampling need until they are right, and half a
/// packet by which the clip may be moved.
const MARGIN: i64 = 8;
/// A clip's first packet lies no farther from its start than any clip may be long, in samples.
const FARTHEST_FIRST: u64 = 1 << 48;
/// Packets that are decoded to see whether they give what the header says.
const PROBED_PACKETS: u64 = 3;

/// Keeps a clip's packets in the file at `path`: a clip of `samples` samples (48 kHz) from `start` (ticks from the
/// origin) in a source whose header says `config`. With `speech`, the sound is decoded as well, in the form for
/// transcription, into that file.
pub(crate) fn take_packets(
    opening: Opening,
    start: i64,
    samples: u64,
    config: AacConfig,
    path: &Path,
    speech: Option<&Path>,
    go_on: impl Fn() -> bool,
) -> Result<(), TrackError> {
    let length = at_rate(samples, config.sample_rate) as i64;
    let margin = MARGIN * FRAME as i64;
    let mut source = Source::open(opening, start, config)?;
    let mut taker = Taker::create(path, config)?;
    let mut decoding = Decoding::start(start, samples, config, speech)?;
    let mut found = source.seek(start.saturating_sub(config.ticks(margin)))?;
    while found {
        let place = source.place().unwrap_or_else(|| taker.next());
        if place > length + margin {
            break;
        }
        if place >= -margin {
            // Some encoders begin with packets that hold only their name.
            let sounds = source.data().map(|data| Window::of(data, config.channels).is_some())?;
            let follows = sounds && place.abs_diff(taker.next()) <= FRAME as u64 / 2;
            if taker.count() > 0 && !follows {
                if taker.next() >= length {
                    break;
                }
                if place > 0 {
                    return Err(cannot("it has a gap or an overlap"));
                }
                taker = Taker::create(path, config)?;
                decoding = Decoding::start(start, samples, config, speech)?;
            }
            if !sounds {
                found = source.next()?;
                continue;
            }
            if taker.count() == 0 {
                taker.first = source.place().ok_or_else(|| cannot("it does not say when it starts"))?;
            }
            if (0..length).contains(&place) {
                taker.observe(place);
            }
            let data = source.data()?;
            decoding.push(taker.next(), taker.count(), data)?;
            taker.keep(data)?;
        }
        if !go_on() {
            return Err(TrackError::Stopped);
        }
        found = source.next()?;
    }
    decoding.finish()?;
    Ok(taker.finish()?)
}

fn cannot(what: &str) -> TrackError {
    TrackError::CannotCopy(format!("a source's sound cannot be copied: {what}"))
}

impl AacConfig {
    /// Samples at this rate as ticks.
    fn ticks(self, samples: i64) -> i64 {
        rescale_to_ticks(samples, 1, i32::try_from(self.sample_rate).unwrap_or(i32::MAX))
    }

    /// Ticks as samples at this rate, the nearest.
    fn samples(self, ticks: i64) -> i64 {
        let unit = i128::from(TICKS_PER_SECOND);
        let exact = i128::from(ticks) * i128::from(self.sample_rate) + unit / 2;
        i64::try_from(exact.div_euclid(unit)).unwrap_or(i64::MAX)
    }
}

/// A source's packets of sound.
struct Source {
    opening: Opening,
    start: i64,
    config: AacConfig,
    demuxer: Demuxer,
    unit: (i32, i32),
    /// Whether each packet carries the stream's header.
    adts: bool,
    packet: Packet,
    fresh: bool,
}

impl Source {
    fn open(opening: Opening, start: i64, config: AacConfig) -> Result<Self, AvError> {
        let demuxer = open_demuxer(&opening)?;
        let unit = demuxer.time_base(opening.stream)?;
        let adts = demuxer.header(opening.stream)?.is_empty();
        Ok(Self { opening, start, config, demuxer, unit, adts, packet: Packet::new()?, fresh: true })
    }

    /// Goes to a packet that starts at or before `target` (ticks from the origin), or to the earliest one within
    /// reach. `false`: there is none.
    fn seek(&mut self, target: i64) -> Result<bool, AvError> {
        let mut back = 0;
        loop {
            let from = target.saturating_sub(back);
            let place = self.opening.origin.saturating_add(from);
            let sought = from > 0 && self.demuxer.seek(self.opening.seek_stream, place)?;
            if !sought && !self.fresh {
                // A new container is at its beginning for certain.
                self.demuxer = open_demuxer(&self.opening)?;
            }
            let found = self.next()?;
            let early_enough = found && self.at().is_some_and(|at| at <= target);
            if !sought || early_enough || back >= FARTHEST_TICKS {
                return Ok(found);
            }
            back = if back == 0 { TICKS_PER_SECOND } else { back.saturating_mul(2) };
        }
    }

    fn next(&mut self) -> Result<bool, AvError> {
        self.fresh = false;
        while self.demuxer.read(&mut self.packet)? {
            if self.packet.stream() == self.opening.stream {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When the packet starts, in ticks from the origin.
    fn at(&self) -> Option<i64> {
        let stamp = rescale_to_ticks(self.packet.pts()?, self.unit.0, self.unit.1);
        Some(stamp.saturating_sub(self.opening.origin))
    }

    /// Where the packet's samples lie, counted from the clip's start.
    fn place(&self) -> Option<i64> {
        Some(self.config.samples(self.at()?.saturating_sub(self.start)))
    }

    /// The packet without a header of its own.
    fn data(&self) -> Result<&[u8], TrackError> {
        let data = self.packet.data();
        if !self.adts {
            return Ok(data);
        }
        match parse_adts(data) {
            Some((config, data)) if config == self.config => Ok(data),
            _ => Err(cannot("it changes on the way")),
        }
    }
}

/// Writes the file.
struct Taker {
    file: BufWriter<File>,
    config: AacConfig,
    first: i64,
    sizes: Vec<u32>,
    /// How far packets lie behind where they should by the first one's time, added up, and how many were looked at.
    apart: (i64, i64),
}

impl Taker {
    fn create(path: &Path, config: AacConfig) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create(path)?),
            config,
            first: 0,
            sizes: Vec::new(),
            apart: (0, 0),
        })
    }

    fn count(&self) -> u64 {
        self.sizes.len() as u64
    }

    /// Where the next packet's samples lie if there is no gap.
    fn next(&self) -> i64 {
        self.first.saturating_add((self.sizes.len() * FRAME) as i64)
    }

    /// Notes where the next packet says that it lies. Timestamps are rounded (to a millisecond in Matroska) and clocks
    /// drift; all of a clip's packets together know better than its first.
    fn observe(&mut self, place: i64) {
        self.apart.0 = self.apart.0.saturating_add(place.saturating_sub(self.next()));
        self.apart.1 += 1;
    }

    fn keep(&mut self, data: &[u8]) -> Result<(), TrackError> {
        if data.len() > LONGEST_PACKET {
            return Err(cannot("its packets are longer than AAC allows"));
        }
        self.file.write_all(data)?;
        self.sizes.push(data.len() as u32);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        for size in &self.sizes {
            self.file.write_all(&size.to_le_bytes())?;
        }
        self.file.write_all(MAGIC)?;
        self.file.write_all(&self.config.sample_rate.to_le_bytes())?;
        self.file.write_all(&self.config.channels.to_le_bytes())?;
        let (sum, count) = self.apart;
        let first = self.first.saturating_add((sum + count / 2).div_euclid(count.max(1)));
        self.file.write_all(&first.to_le_bytes())?;
        self.file.write_all(&self.count().to_le_bytes())?;
        self.file.flush()
    }
}

/// Decodes packets while they are taken: the first ones to see what they are, all for transcription.
struct Decoding {
    config: AacConfig,
    start: i64,
    decoder: PacketDecoder,
    speech: Option<(Run, Sink)>,
}

impl Decoding {
    fn start(start: i64, samples: u64, config: AacConfig, speech: Option<&Path>) -> Result<Self, TrackError> {
        // The clip's place on a montage may make it one sample longer.
        let wanted = at_rate(samples, SPEECH.rate) + 1;
        let sink = speech.map(|path| Sink::create(path, SPEECH, wanted, false)).transpose()?;
        let speech = sink.map(|sink| (Run::new(start, SPEECH), sink));
        Ok(Self { config, start, decoder: PacketDecoder::open(config)?, speech })
    }

    fn push(&mut self, place: i64, number: u64, data: &[u8]) -> Result<(), TrackError> {
        if self.speech.is_none() && number >= PROBED_PACKETS {
            return Ok(());
        }
        let frame = self.decoder.decode(data)?;
        let at = self.start.saturating_add(self.config.ticks(place));
        if let Some((run, sink)) = self.speech.as_mut() {
            run.push(&Timed { frame, at, length: 0 }, sink)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), TrackError> {
        if let Some((mut run, mut sink)) = self.speech {
            run.end(&mut sink)?;
            sink.finish()?;
        }
        Ok(())
    }
}

/// Decodes packets that have no container.
struct PacketDecoder {
    decoder: Decoder,
    config: AacConfig,
}

impl PacketDecoder {
    fn open(config: AacConfig) -> Result<Self, AvError> {
        Ok(Self { decoder: Decoder::aac(&open_header(config))?, config })
    }

    /// The samples of a packet. They are right when the packet before was decoded before.
    fn decode(&mut self, data: &[u8]) -> Result<Frame, TrackError> {
        let mut frame = Frame::new()?;
        let sent = self.decoder.send(Some(&Packet::with_data(data)?))?;
        if !sent || self.decoder.receive(&mut frame)? != Decoded::Frame {
            return Err(cannot("a packet of it is damaged"));
        }
        let AacConfig { sample_rate, channels } = self.config;
        if (frame.sample_rate(), frame.channels(), frame.samples()) != (sample_rate, channels, FRAME) {
            return Err(cannot("it is not plain AAC-LC"));
        }
        Ok(frame)
    }
}

/// A clip's packets, being read.
pub(crate) struct ClipPackets {
    file: File,
    pub(crate) supply: Supply,
    sizes: Vec<u32>,
    offsets: Vec<u64>,
    config: AacConfig,
}

impl ClipPackets {
    /// Opens the file at `path`, which must be of this configuration.
    pub(crate) fn open(path: &Path, config: AacConfig) -> io::Result<Self> {
        let damaged = || io::Error::other("a clip's sound is damaged");
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let foot_at = length.checked_sub(FOOT as u64).ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(foot_at))?;
        let mut foot = [0; FOOT];
        file.read_exact(&mut foot)?;
        let (magic, rest) = foot.split_at(MAGIC.len());
        let word = |place: usize| {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(rest.iter().skip(place)).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(bytes)
        };
        let found = AacConfig { sample_rate: word(0) as u32, channels: (word(0) >> 32) as u32 };
        let (first, count) = (word(8) as i64, word(16));
        let sizes_at = count.checked_mul(4).and_then(|bytes| foot_at.checked_sub(bytes));
        let sizes_at = sizes_at
            .filter(|_| magic == MAGIC && found == config && first.unsigned_abs() < FARTHEST_FIRST)
            .ok_or_else(damaged)?;
        file.seek(SeekFrom::Start(sizes_at))?;
        // As long as the file itself at most.
        let mut bytes = vec![0; (foot_at - sizes_at) as usize];
        file.read_exact(&mut bytes)?;
        let sizes: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|size| u32::from_le_bytes([size[0], size[1], size[2], size[3]]))
            .collect();
        let mut end = 0;
        let offsets = sizes
            .iter()
            .map(|size| {
                let offset = end;
                end += u64::from(*size);
                offset
            })
            .collect();
        if end != sizes_at || sizes.iter().any(|size| *size as usize > LONGEST_PACKET) {
            return Err(damaged());
        }
        Ok(Self { file, supply: Supply { first, count }, sizes, offsets, config })
    }

    /// Packet number `number`, `None` when there is no such.
    pub(crate) fn packet(&mut self, number: i64) -> io::Result<Option<Vec<u8>>> {
        let place = usize::try_from(number).ok();
        let Some((size, offset)) = place.and_then(|place| self.sizes.get(place).zip(self.offsets.get(place)))
        else {
            return Ok(None);
        };
        let mut data = vec![0; *size as usize];
        self.file.seek(SeekFrom::Start(*offset))?;
        self.file.read_exact(&mut data)?;
        Ok(Some(data))
    }

    /// The window of packet number `number`.
    pub(crate) fn window(&mut self, number: i64) -> io::Result<Option<Window>> {
        let channels = self.config.channels;
        Ok(self.packet(number)?.and_then(|packet| Window::of(&packet, channels)))
    }

    /// The sizes of the packets of a range, and the file at the first of them.
    pub(crate) fn run(&mut self, from: i64, to: i64) -> io::Result<(&[u32], &mut File)> {
        let damaged = || io::Error::other("a clip's sound is damaged");
        let (from, to) = (usize::try_from(from), usize::try_from(to));
        let (from, to) = from.ok().zip(to.ok()).ok_or_else(damaged)?;
        let sizes = self.sizes.get(from..to).ok_or_else(damaged)?;
        if let Some(offset) = self.offsets.get(from) {
            self.file.seek(SeekFrom::Start(*offset))?;
        }
        Ok((sizes, &mut self.file))
    }
}

/// Decodes a clip's packets here and there.
pub(crate) struct ClipDecoder {
    packets: ClipPackets,
    decoder: PacketDecoder,
    resampler: Resampler,
    /// The packet that the decoder is ready for.
    next: Option<i64>,
    samples: Vec<f32>,
}

impl ClipDecoder {
    pub(crate) fn open(path: &Path, config: AacConfig) -> Result<Self, TrackError> {
        Ok(Self {
            packets: ClipPackets::open(path, config)?,
            decoder: PacketDecoder::open(config)?,
            resampler: Resampler::new(config.sample_rate, config.channels),
            next: None,
            samples: Vec::new(),
        })
    }

    /// The interleaved samples of packet number `number`; `None` when there is no such packet.
    pub(crate) fn decode(&mut self, number: i64) -> Result<Option<&[f32]>, TrackError> {
        if number < 0 || number as u64 >= self.packets.supply.count {
            return Ok(None);
        }
        if self.next != Some(number) {
            self.decoder.decoder.reset();
            // The packet before sounds into this one.
            if let Some(before) = self.packets.packet(number - 1)? {
                self.decoder.decode(&before)?;
            }
        }
        let Some(packet) = self.packets.packet(number)? else { return Ok(None) };
        let frame = self.decoder.decode(&packet)?;
        self.samples.clear();
        self.resampler.push(&frame, &mut self.samples)?;
        if self.samples.len() != FRAME * self.packets.config.channels as usize {
            return Err(cannot("a packet of it is damaged"));
        }
        self.next = Some(number + 1);
        Ok(Some(&self.samples))
    }
}
