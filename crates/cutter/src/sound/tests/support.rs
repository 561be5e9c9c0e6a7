//! Sources, cuts and comparisons that the tests of tracks share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::av::decode::{Decoded, Decoder};
use crate::av::frame::{Frame, Packet};
use crate::av::log::listening;
use crate::av::resample::Resampler;
use crate::container::Container;
use crate::facts::AacConfig;
use crate::order::MediaLimits;
use crate::pieces::Opened;
use crate::probe::{audio_opening, probe};
use crate::reader::Opening;
use crate::sound::copy::copy_track;
use crate::sound::encode::{MONTAGE, encode_track};
use crate::sound::packets::take_packets;
use crate::sound::samples::{Form, SampleReader, take_samples};
use crate::sound::shape::{Placed, Span, at_rate, spans};
use crate::sound::track::SoundTrack;
use crate::sound::{TrackClip, TrackError};
use crate::source::{ByteSource, FileSource};
use crate::time::samples_to_ticks;

pub(super) const STEREO: AacConfig = AacConfig { sample_rate: 48_000, channels: 2 };

/// A source, opened.
pub(super) struct Source(pub(super) Opened, PathBuf);

impl Source {
    pub(super) fn open(path: &Path) -> Self {
        let bytes: Arc<dyn ByteSource> =
            Arc::new(FileSource::new(std::fs::File::open(path).unwrap()).unwrap());
        let (container, probe, pool) = probe(&bytes, &MediaLimits::default()).unwrap();
        Self(Opened { source: bytes, container, probe, pool }, path.to_owned())
    }

    pub(super) fn opening(&self) -> Opening {
        let audio = self.0.probe.audio.as_ref().unwrap();
        audio_opening(&self.0, audio, &MediaLimits::default())
    }

    pub(super) fn config(&self) -> AacConfig {
        self.0.probe.audio.as_ref().unwrap().aac.unwrap()
    }

    /// The source's packets, as the `ffmpeg` program copies them.
    pub(super) fn packets(&self) -> Vec<Vec<u8>> {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-i"])
            .arg(&self.1)
            .args(["-map", "0:a:0", "-c", "copy", "-f", "adts", "pipe:1"])
            .output()
            .unwrap();
        let mut rest = output.stdout.as_slice();
        let mut packets = Vec::new();
        while let Some(head) = rest.get(..7) {
            let length =
                usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5]) >> 5;
            packets.push(rest[7..length].to_vec());
            rest = &rest[length..];
        }
        packets
    }

    /// The source's sound from its origin on, as it decodes.
    pub(super) fn decoded(&self, directory: &Path, form: Form, samples: u64) -> Vec<f32> {
        let path = directory.join("reference");
        take_samples(self.opening(), 0, samples, form, false, &path, || true).unwrap();
        let mut reader = SampleReader::open(&path).unwrap();
        let mut out = vec![0.0; samples as usize * form.channels as usize];
        assert_eq!(reader.read(&mut out).unwrap(), out.len());
        out
    }
}

/// Makes a file of a small picture and the sound that `signal` gives for each sample, the same on all channels but for
/// the second's sign.
pub(super) fn source(
    directory: &TempDir,
    name: &str,
    config: AacConfig,
    seconds: u64,
    arguments: &str,
    signal: impl Fn(u64) -> f32,
) -> Source {
    let raw = directory.path().join("signal.raw");
    let samples = 0..seconds * u64::from(config.sample_rate);
    let bytes: Vec<u8> = samples
        .flat_map(|at| {
            let value = signal(at);
            let channels = [value, -value];
            channels.into_iter().take(config.channels as usize).flat_map(f32::to_le_bytes).collect::<Vec<_>>()
        })
        .collect();
    std::fs::write(&raw, bytes).unwrap();
    let path = directory.path().join(name);
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i"])
        .arg(format!("color=size=64x64:rate=30:duration={seconds}"))
        .args([
            "-f",
            "f32le",
            "-ar",
            &config.sample_rate.to_string(),
            "-ac",
            &config.channels.to_string(),
            "-i",
        ])
        .arg(&raw)
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "60"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Source::open(&path)
}

pub(super) const AAC: &str = "-c:a aac -b:a 128k";

/// A steady mixture of tones that never repeats within a clip.
pub(super) fn tones(rate: u32) -> impl Fn(u64) -> f32 {
    move |at| {
        let phase = at as f64 / f64::from(rate) * std::f64::consts::TAU;
        let slow = (phase * 0.37).sin() * 0.5 + 1.0;
        (0.2 * (phase * 311.0).sin() + 0.1 * slow * (phase * 1873.0).sin() + 0.05 * (phase * 5003.0).sin())
            as f32
    }
}

/// Bursts of 2 ms at every half second.
pub(super) fn impulses(rate: u32) -> impl Fn(u64) -> f32 {
    move |at| {
        let half = u64::from(rate / 2);
        let near = ((at + half / 2) % half) as i64 - half as i64 / 2;
        let width = f64::from(rate) / 1000.0;
        let shape = (-(near as f64 / width * 2.0).powi(2)).exp();
        (0.8 * shape * (near as f64 / f64::from(rate) * 3000.0 * std::f64::consts::TAU).cos()) as f32
    }
}

/// A cut of a source: starts at `start`, `samples` long, both in samples at 48 kHz.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) start: u64,
    pub(super) samples: u64,
}

impl Cut {
    /// Keeps the cut's samples in a file.
    pub(super) fn take_samples(self, source: &Source, path: &Path) {
        let start = samples_to_ticks(self.start);
        take_samples(source.opening(), start, self.samples, MONTAGE, false, path, || true).unwrap();
    }
}

pub(super) fn placed(cuts: &[Cut]) -> Vec<Placed> {
    let mut first_sample = 0;
    cuts.iter()
        .map(|cut| {
            let placed = Placed { first_sample, samples: cut.samples, fade_in: 0, fade_out: 0 };
            first_sample += cut.samples;
            placed
        })
        .collect()
}

pub(super) fn total(cuts: &[Cut]) -> u64 {
    cuts.iter().map(|cut| cut.samples).sum()
}

/// Cuts of odd lengths from odd places.
pub(super) fn odd_cuts(count: u64, seconds: u64) -> Vec<Cut> {
    let most = (seconds - 3) * 48_000;
    (0..count)
        .map(|n| Cut { start: (n * 7_777_777 + 12_345) % most, samples: 96_000 + n * 1_601 % 47_000 })
        .collect()
}

pub(super) fn copied(
    source: &Source,
    directory: &TempDir,
    cuts: &[Cut],
    speech: bool,
) -> (Vec<TrackClip>, SoundTrack) {
    try_copied(source, directory, cuts, speech).unwrap()
}

pub(super) fn try_copied(
    source: &Source,
    directory: &TempDir,
    cuts: &[Cut],
    speech: bool,
) -> Result<(Vec<TrackClip>, SoundTrack), TrackError> {
    let clips: Vec<TrackClip> = cuts
        .iter()
        .zip(placed(cuts))
        .enumerate()
        .map(|(n, (cut, placed))| {
            let path = directory.path().join(format!("packets-{n}"));
            let speech = speech.then(|| directory.path().join(format!("packets-{n}.speech")));
            let start = samples_to_ticks(cut.start);
            take_packets(
                source.opening(),
                start,
                cut.samples,
                source.config(),
                &path,
                speech.as_deref(),
                || true,
            )?;
            Ok(TrackClip { path: Some(path), placed, gain_db: 0.0 })
        })
        .collect::<Result<_, TrackError>>()?;
    let track = directory.path().join("copied");
    let track = copy_track(&clips, total(cuts), source.config(), &track, || true)?;
    Ok((clips, track))
}

pub(super) fn encoded(
    source: &Source,
    directory: &TempDir,
    cuts: &[Cut],
    speech: Option<&Path>,
) -> SoundTrack {
    let clips: Vec<TrackClip> = cuts
        .iter()
        .zip(placed(cuts))
        .enumerate()
        .map(|(n, (cut, placed))| {
            let path = directory.path().join(format!("samples-{n}"));
            cut.take_samples(source, &path);
            TrackClip { path: Some(path), placed, gain_db: 0.0 }
        })
        .collect();
    let track = directory.path().join("track");
    encode_track(&clips, total(cuts), 160_000, &track, speech, || true).unwrap()
}

/// The track decoded from its first packet to its last, without what comes before the first sample that is heard;
/// nothing may be complained about.
pub(super) fn heard(track: &SoundTrack) -> Vec<f32> {
    let channels = track.channels as usize;
    let (samples, complaints) = listening(|| {
        let mut decoder = Decoder::aac(&track.asc).unwrap();
        let mut resampler = Resampler::new(track.sample_rate, track.channels);
        let mut samples = Vec::new();
        let mut reader = track.read().unwrap();
        let mut heard = -i64::from(track.priming);
        while let Some(packet) = reader.next().unwrap() {
            assert_eq!(packet.pts, heard);
            heard += 1024;
            let sent = decoder.send(Some(&Packet::with_data(&packet.data).unwrap())).unwrap();
            assert!(sent, "packet at {} {:x?} {:?}", packet.pts, packet.data, track.copies);
            let mut frame = Frame::new().unwrap();
            assert_eq!(decoder.receive(&mut frame).unwrap(), Decoded::Frame);
            resampler.push(&frame, &mut samples).unwrap();
        }
        samples
    });
    assert_eq!(complaints.count, 0, "{complaints:?}");
    let priming = track.priming as usize * channels;
    let length = track.length as usize * channels;
    assert_eq!(track.packets.len() as u64, track.copied_packets + track.encoded_packets);
    let surplus = samples.len() - priming - length;
    assert!(surplus < 1024 * channels + 1, "{surplus}");
    samples[priming..priming + length].to_vec()
}

/// What the montage should sound like: the clips' sound, moved as the track says and by some more, with soft edges.
pub(super) fn expected(track: &SoundTrack, reference: &[f32], cuts: &[Cut], more: &[i64]) -> Vec<f32> {
    let (rate, channels) = (track.sample_rate, track.channels as usize);
    let mut out = vec![0.0; track.length as usize * channels];
    for (n, (span, cut)) in spans(&placed(cuts), rate).iter().zip(cuts).enumerate() {
        let moved = track.copies.iter().find(|copy| copy.clip as usize == n).map_or(0, |copy| copy.moved);
        for at in span.start..span.end {
            let from =
                at as i64 - span.start as i64 + at_rate(cut.start, rate) as i64 - i64::from(moved) - more[n];
            for channel in 0..channels {
                let value =
                    usize::try_from(from).ok().and_then(|from| reference.get(from * channels + channel));
                out[at as usize * channels + channel] = value.unwrap_or(&0.0) * span.factor(at - span.start);
            }
        }
    }
    out
}

/// By how much more than it says each clip is moved: where its middle is most like the reference.
pub(super) fn moved_more(
    track: &SoundTrack,
    made: &[f32],
    reference: &[f32],
    cuts: &[Cut],
    most: i64,
) -> Vec<i64> {
    let none = vec![0; cuts.len()];
    let tries: Vec<(i64, Vec<f32>)> = (-most..=most)
        .map(|more| (more, expected(track, reference, cuts, &none.iter().map(|_| more).collect::<Vec<_>>())))
        .collect();
    let channels = track.channels as usize;
    let middle = |span: &Span| {
        let middle = (span.start + span.end) as usize / 2 * channels;
        middle - 5_000..middle + 5_000
    };
    let apart = |range: std::ops::Range<usize>, tried: &[f32]| {
        made[range.clone()].iter().zip(&tried[range]).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    let spans = spans(&placed(cuts), track.sample_rate);
    let best = |span: &Span| {
        let tries = tries.iter().map(|(more, tried)| (*more, apart(middle(span), tried)));
        tries.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
    };
    spans.iter().map(best).collect()
}

/// Signal over difference, in dB, in stretches of 1024 values; only where there is some signal. The worst with its
/// place.
pub(super) fn worst_stretch(made: &[f32], expected: &[f32]) -> (f64, usize) {
    let power =
        |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let stretches = made.chunks(1024).zip(expected.chunks(1024)).enumerate();
    stretches
        .filter_map(|(place, (made, expected))| {
            let signal = power(&mut expected.iter().copied());
            let apart = power(&mut made.iter().zip(expected).map(|(made, expected)| made - expected));
            (signal > 1e-2).then(|| (10.0 * (signal / (apart + 1e-12)).log10(), place * 1024))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

/// Copies cuts of a source and compares the result with the source: copied packets give the same samples, and joints
/// almost the same.
pub(super) fn assert_copies(source: &Source, directory: &TempDir, cuts: &[Cut], decibel: f64) -> SoundTrack {
    let (_, track) = copied(source, directory, cuts, false);
    let config = source.config();
    let form = Form { rate: config.sample_rate, channels: config.channels };
    let last = cuts.iter().map(|cut| cut.start + cut.samples).max().unwrap();
    let reference = source.decoded(directory.path(), form, at_rate(last, form.rate) + 2048);
    let made = heard(&track);
    // Matroska rounds to milliseconds, so that source and reference may disagree on where something lies.
    let most = if source.0.container == Container::Matroska { 48 } else { 0 };
    let more = moved_more(&track, &made, &reference, cuts, most);
    let expected = expected(&track, &reference, cuts, &more);
    println!("moved more: {more:?}");
    let (worst, place) = worst_stretch(&made, &expected);
    println!("worst {worst:.1} dB at {place} of {}, {:?}", made.len(), track.copies);
    assert!(worst > decibel, "{worst:.1} dB at sample {}", place / form.channels as usize);
    // Copied packets are the source's own, byte by byte and one after the other.
    let theirs = source.packets();
    let mut reader = track.read().unwrap();
    let ours: Vec<Vec<u8>> =
        std::iter::from_fn(|| reader.next().unwrap()).map(|packet| packet.data).collect();
    for copy in &track.copies {
        assert!(copy.moved.abs() <= 512);
        if copy.packets == 0 {
            assert!(form.rate < 40_000, "in two seconds of slower sound there is not enough to copy");
            continue;
        }
        let run = &ours[copy.first_packet as usize..(copy.first_packet + copy.packets) as usize];
        assert!(theirs.windows(run.len()).any(|theirs| theirs == run), "{copy:?}");
    }
    assert!(form.rate < 40_000 || track.encoded_packets < 16 * (cuts.len() as u64 + 1));
    track
}
