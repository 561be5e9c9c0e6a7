//! Whole tracks out of real files made by the `ffmpeg` program, compared sample by sample with what they should be.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::av::decode::{Decoded, Decoder};
use crate::av::frame::{Frame, Packet};
use crate::av::log::listening;
use crate::av::resample::Resampler;
use crate::container::Container;
use crate::facts::{AacConfig, Probe};
use crate::order::MediaLimits;
use crate::probe::{audio_opening, probe};
use crate::reader::Opening;
use crate::sound::choose::{SoundPlan, sound_plan};
use crate::sound::copy::{copy_track, write_speech};
use crate::sound::encode::{MONTAGE, encode_track};
use crate::sound::packets::take_packets;
use crate::sound::samples::{Form, SampleReader, take_samples};
use crate::sound::shape::{Placed, Span, at_rate, spans};
use crate::sound::track::SoundTrack;
use crate::sound::{TrackClip, TrackError};
use crate::source::{ByteSource, FileSource};
use crate::time::{SAMPLE_RATE, samples_to_ticks};

const STEREO: AacConfig = AacConfig { sample_rate: 48_000, channels: 2 };

/// A source, opened.
struct Source {
    bytes: Arc<dyn ByteSource>,
    container: Container,
    probe: Probe,
}

impl Source {
    fn open(path: &Path) -> Self {
        let bytes: Arc<dyn ByteSource> =
            Arc::new(FileSource::new(std::fs::File::open(path).unwrap()).unwrap());
        let (container, probe) = probe(&bytes, &MediaLimits::default()).unwrap();
        Self { bytes, container, probe }
    }

    fn opening(&self) -> Opening {
        let audio = self.probe.audio.as_ref().unwrap();
        audio_opening(&self.bytes, self.container, &self.probe, audio, &MediaLimits::default())
    }

    fn config(&self) -> AacConfig {
        self.probe.audio.as_ref().unwrap().aac.unwrap()
    }

    /// The source's sound from its origin on, as it decodes.
    fn decoded(&self, directory: &Path, form: Form, samples: u64) -> Vec<f32> {
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
fn source(
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

const AAC: &str = "-c:a aac -b:a 128k";

/// A steady mixture of tones that never repeats within a clip.
fn tones(rate: u32) -> impl Fn(u64) -> f32 {
    move |at| {
        let phase = at as f64 / f64::from(rate) * std::f64::consts::TAU;
        let slow = (phase * 0.37).sin() * 0.5 + 1.0;
        (0.2 * (phase * 311.0).sin() + 0.1 * slow * (phase * 1873.0).sin() + 0.05 * (phase * 5003.0).sin())
            as f32
    }
}

/// Bursts of 2 ms at every half second.
fn impulses(rate: u32) -> impl Fn(u64) -> f32 {
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
struct Cut {
    start: u64,
    samples: u64,
}

fn placed(cuts: &[Cut]) -> Vec<Placed> {
    let mut first_sample = 0;
    cuts.iter()
        .map(|cut| {
            let placed = Placed { first_sample, samples: cut.samples, fade_in: 0, fade_out: 0 };
            first_sample += cut.samples;
            placed
        })
        .collect()
}

fn total(cuts: &[Cut]) -> u64 {
    cuts.iter().map(|cut| cut.samples).sum()
}

/// Cuts of odd lengths from odd places.
fn odd_cuts(count: u64, seconds: u64) -> Vec<Cut> {
    let most = (seconds - 3) * 48_000;
    (0..count)
        .map(|n| Cut { start: (n * 7_777_777 + 12_345) % most, samples: 48_000 + n * 1_601 % 47_000 })
        .collect()
}

fn copied(source: &Source, directory: &TempDir, cuts: &[Cut], speech: bool) -> (Vec<TrackClip>, SoundTrack) {
    try_copied(source, directory, cuts, speech).unwrap()
}

fn try_copied(
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

fn encoded(source: &Source, directory: &TempDir, cuts: &[Cut], speech: Option<&Path>) -> SoundTrack {
    let clips: Vec<TrackClip> = cuts
        .iter()
        .zip(placed(cuts))
        .enumerate()
        .map(|(n, (cut, placed))| {
            let path = directory.path().join(format!("samples-{n}"));
            let start = samples_to_ticks(cut.start);
            take_samples(source.opening(), start, cut.samples, MONTAGE, false, &path, || true).unwrap();
            TrackClip { path: Some(path), placed, gain_db: 0.0 }
        })
        .collect();
    let track = directory.path().join("track");
    encode_track(&clips, total(cuts), 160_000, &track, speech, || true).unwrap()
}

/// The track decoded from its first packet to its last, without what comes before the first sample that is heard;
/// nothing may be complained about.
fn heard(track: &SoundTrack) -> Vec<f32> {
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
fn expected(track: &SoundTrack, reference: &[f32], cuts: &[Cut], more: &[i64]) -> Vec<f32> {
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
fn moved_more(track: &SoundTrack, made: &[f32], reference: &[f32], cuts: &[Cut], most: i64) -> Vec<i64> {
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
fn worst_stretch(made: &[f32], expected: &[f32]) -> (f64, usize) {
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
fn assert_copies(source: &Source, directory: &TempDir, cuts: &[Cut], decibel: f64) -> SoundTrack {
    let (_, track) = copied(source, directory, cuts, false);
    let config = source.config();
    let form = Form { rate: config.sample_rate, channels: config.channels };
    let last = cuts.iter().map(|cut| cut.start + cut.samples).max().unwrap();
    let reference = source.decoded(directory.path(), form, at_rate(last, form.rate) + 2048);
    let made = heard(&track);
    // Matroska rounds to milliseconds, so that source and reference may disagree on where something lies.
    let most = if source.container == Container::Matroska { 48 } else { 0 };
    let more = moved_more(&track, &made, &reference, cuts, most);
    let expected = expected(&track, &reference, cuts, &more);
    println!("moved more: {more:?}");
    let (worst, place) = worst_stretch(&made, &expected);
    println!("worst {worst:.1} dB at {place} of {}, {:?}", made.len(), track.copies);
    assert!(worst > decibel, "{worst:.1} dB at sample {}", place / form.channels as usize);
    // Inside of copied runs nothing at all is different (but for how libav rounds).
    for copy in &track.copies {
        assert!(copy.moved.abs() <= 512);
        assert!(copy.packets > 0);
        let from = (copy.first_packet as i64 + 1) * 1024 - i64::from(track.priming);
        let to = (copy.first_packet + copy.packets) as i64 * 1024 - i64::from(track.priming);
        for at in from as usize * form.channels as usize..to as usize * form.channels as usize {
            assert!((made[at] - expected[at]).abs() < 1e-5, "{at}: {} {}", made[at], expected[at]);
        }
    }
    assert!(track.encoded_packets < 12 * (cuts.len() as u64 + 1));
    track
}

#[test]
fn copies_of_a_stereo_mp4() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(&directory, "a.mp4", STEREO, 20, AAC, tones(48_000));
    let track = assert_copies(&source, &directory, &odd_cuts(11, 20), 25.0);
    assert_eq!((track.sample_rate, track.channels), (48_000, 2));
    assert!(track.copied_packets > track.encoded_packets * 5);
}

#[test]
fn copies_of_other_forms_and_containers() {
    let directory = tempfile::tempdir().unwrap();
    let mono = AacConfig { sample_rate: 44_100, channels: 1 };
    for (name, config) in [("a.mp4", mono), ("b.ts", STEREO), ("c.mkv", mono), ("d.mkv", STEREO)] {
        let source = source(&directory, name, config, 12, AAC, tones(config.sample_rate));
        let track = assert_copies(&source, &directory, &odd_cuts(5, 12), 25.0);
        assert_eq!((track.sample_rate, track.channels), (config.sample_rate, config.channels), "{name}");
    }
}

#[test]
fn sine_shaped_sources_join_as_well() {
    // Made by another encoder, which uses sine windows only.
    let name = "wannaworktogether.mp4";
    let folder = std::env::var_os("SM_TEST_MEDIA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/media"),
        PathBuf::from,
    );
    if !folder.join(name).exists() {
        println!("skipped: the sample {name} is not there (set SM_TEST_MEDIA)");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let source = Source::open(&folder.join(name));
    assert_copies(&source, &directory, &odd_cuts(12, 40), 15.0);
}

/// Where the impulses of `samples` lie: the middle of their power, for every one that is expected (in samples of the
/// track), looked for within `reach`.
fn assert_impulses(track: &SoundTrack, cuts: &[Cut], tolerance: f64) -> f64 {
    let samples = heard(track);
    let (rate, channels) = (u64::from(track.sample_rate), track.channels as usize);
    let reach = rate as i64 / 10;
    let mut worst: f64 = 0.0;
    let mut found = 0;
    for (span, cut) in spans(&placed(cuts), track.sample_rate).iter().zip(cuts) {
        let start = at_rate(cut.start, track.sample_rate);
        let first = start.div_ceil(rate / 2) * (rate / 2);
        for impulse in (first..start + span.end - span.start).step_by(rate as usize / 2) {
            let expected = (span.start + impulse - start) as i64;
            // One that a seam cuts, or comes near to, has no middle of its own.
            if expected - span.start as i64 <= reach || span.end as i64 - expected <= reach {
                continue;
            }
            let (mut sum, mut power) = (0.0, 0.0);
            for at in expected - reach..expected + reach {
                let value = f64::from(samples[at as usize * channels]).powi(2);
                (sum, power) = (sum + value * (at - expected) as f64, power + value);
            }
            assert!(power > 1.0, "no impulse near {expected}");
            let apart = sum / power;
            assert!(apart.abs() <= tolerance, "an impulse is {apart} samples off at {expected}");
            worst = worst.max(apart.abs());
            found += 1;
        }
    }
    assert!(found > cuts.len(), "{found}");
    worst
}

#[test]
fn impulses_stay_where_they_belong() {
    let directory = tempfile::tempdir().unwrap();
    let mono = AacConfig { sample_rate: 44_100, channels: 1 };
    for (name, config) in [("a.mp4", STEREO), ("b.mp4", mono), ("c.ts", STEREO), ("d.mkv", mono)] {
        let source = source(&directory, name, config, 20, AAC, impulses(config.sample_rate));
        let cuts = odd_cuts(11, 20);
        let (_, track) = copied(&source, &directory, &cuts, false);
        let copied = assert_impulses(&track, &cuts, 600.0);
        let track = encoded(&source, &directory, &cuts, None);
        let encoded = assert_impulses(&track, &cuts, 48.0);
        println!("{name}: copied {copied:.1}, encoded {encoded:.1} samples off");
    }
}

/// The largest second difference of the first channel within `range`.
fn roughness(samples: &[f32], channels: usize, range: std::ops::Range<usize>) -> f32 {
    let bends = range.map(|at| {
        let value = |at: usize| samples[at * channels];
        (value(at + 1) - 2.0 * value(at) + value(at - 1)).abs()
    });
    bends.fold(0.0, f32::max)
}

#[test]
fn seams_do_not_click() {
    let directory = tempfile::tempdir().unwrap();
    let tone = |at: u64| (at as f64 / 48_000.0 * 500.0 * std::f64::consts::TAU).sin() as f32 * 0.5;
    let source = source(&directory, "a.mp4", STEREO, 20, AAC, tone);
    // Whole periods of the tone: it goes on in the same phase at each seam.
    let cuts: Vec<Cut> = (0..11).map(|n| Cut { start: n * 96 * 731, samples: 96 * (500 + n * 37) }).collect();
    for track in [copied(&source, &directory, &cuts, false).1, encoded(&source, &directory, &cuts, None)] {
        let samples = heard(&track);
        let spans = spans(&placed(&cuts), 48_000);
        for pair in spans.windows(2) {
            let seam = pair[0].end as usize;
            let around = roughness(&samples, 2, seam - 4096..seam + 4096);
            let neighbours = roughness(&samples, 2, seam - 16_000..seam - 8000);
            assert!(around < neighbours * 1.3, "{seam}: {around} {neighbours}");
            // And it does go silent for a moment, and only for one.
            let quiet = samples[(seam - 24) * 2..(seam + 24) * 2].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!(quiet < 0.05, "{quiet}");
            let loud =
                |range: std::ops::Range<usize>| samples[range].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!(loud((seam - 480) * 2..(seam - 240) * 2) > 0.45);
            assert!(loud((seam + 240) * 2..(seam + 480) * 2) > 0.45);
        }
    }
}

/// The samples of a WAV file for transcription.
fn wav(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    bytes[44..]
        .chunks_exact(2)
        .map(|value| f32::from(i16::from_le_bytes([value[0], value[1]])) / 32_768.0)
        .collect()
}

#[test]
fn speech_is_the_same_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let signal = |at: u64| {
        let phase = at as f64 / 44_100.0 * std::f64::consts::TAU;
        ((phase * 110.0).sin() * 0.3 + (phase * 300.0).sin() * 0.2) as f32
    };
    let mono = AacConfig { sample_rate: 44_100, channels: 1 };
    let source = source(&directory, "a.mp4", mono, 12, AAC, signal);
    let cuts = odd_cuts(5, 12);
    let (mut clips, _) = copied(&source, &directory, &cuts, true);
    for (n, clip) in clips.iter_mut().enumerate() {
        clip.path = Some(directory.path().join(format!("packets-{n}.speech")));
    }
    let (one, other) = (directory.path().join("one.wav"), directory.path().join("other.wav"));
    write_speech(&clips, total(&cuts), &one).unwrap();
    encoded(&source, &directory, &cuts, Some(&other));
    let (one, other) = (wav(&one), wav(&other));
    let length = at_rate(total(&cuts), 16_000) as i64;
    assert_eq!(one.len() as i64, length);
    assert!((other.len() as i64 - length).abs() <= 1);
    // On the way over stereo, one channel becomes two of the same power.
    let one: Vec<f32> = one.iter().map(|sample| sample * std::f32::consts::FRAC_1_SQRT_2).collect();
    let (worst, place) = worst_stretch(&one, &other);
    assert!(worst > 15.0, "{worst:.1} dB at {place}");
}

#[test]
fn silence_short_clips_and_late_sound() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(&directory, "a.mp4", STEREO, 12, AAC, tones(48_000));
    let cuts = [
        Cut { start: 0, samples: 60_000 },
        Cut { start: 100_000, samples: 1_600 },
        Cut { start: 200_000, samples: 1_601 },
        Cut { start: 300_000, samples: 9_000 },
        Cut { start: 0, samples: 96_000 },
        // Behind the end of the sound, at last.
        Cut { start: 12 * 48_000 - 70_000, samples: 100_000 },
    ];
    let (mut clips, track) = copied(&source, &directory, &cuts, false);
    let made = heard(&track);
    let form = Form { rate: 48_000, channels: 2 };
    let reference = source.decoded(directory.path(), form, 13 * 48_000);
    let expected = expected(&track, &reference, &cuts, &[0; 6]);
    let (worst, place) = worst_stretch(&made, &expected);
    assert!(worst > 20.0, "{worst:.1} dB at {place}");
    let copied: Vec<bool> = track.copies.iter().map(|copy| copy.packets > 0).collect();
    assert_eq!(copied, [true, false, false, false, true, true]);

    // The same with a clip that has no sound, and with none that has.
    clips[4].path = None;
    let path = directory.path().join("track");
    let track = copy_track(&clips, total(&cuts), STEREO, &path, || true).unwrap();
    let made = heard(&track);
    let start = spans(&placed(&cuts), 48_000)[4].start as usize * 2;
    let loudest = made[start + 2000..start + 190_000].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    assert!(loudest < 1e-3, "{loudest}");
    clips.iter_mut().for_each(|clip| clip.path = None);
    let track = copy_track(&clips, total(&cuts), STEREO, &path, || true).unwrap();
    assert!(heard(&track).iter().all(|sample| sample.abs() < 1e-3));
    assert_eq!(track.copied_packets, 0);
}

#[test]
fn a_source_whose_sound_starts_late_is_silent_before() {
    let directory = tempfile::tempdir().unwrap();
    let early = source(&directory, "early.mp4", STEREO, 8, AAC, tones(48_000));
    drop(early);
    let path = directory.path().join("late.mp4");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(directory.path().join("early.mp4"))
        .args(["-itsoffset", "3", "-i"])
        .arg(directory.path().join("early.mp4"))
        .args(["-map", "0:v", "-map", "1:a", "-c", "copy"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    let source = Source::open(&path);
    let cuts = [Cut { start: 12_345, samples: 48_000 * 6 }, Cut { start: 48_000, samples: 48_000 }];
    let (_, track) = copied(&source, &directory, &cuts, false);
    let made = heard(&track);
    let reference = source.decoded(directory.path(), MONTAGE, 48_000 * 7);
    let expected = expected(&track, &reference, &cuts, &[0, 0]);
    let (worst, place) = worst_stretch(&made, &expected);
    assert!(worst > 20.0, "{worst:.1} dB at {place}");
}

#[test]
fn what_cannot_be_copied_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let plain = source(&directory, "a.mp4", STEREO, 4, AAC, tones(48_000));
    let opus = source(&directory, "b.mkv", STEREO, 4, "-c:a libopus", tones(48_000));
    let audio = |source: &Source| source.probe.audio.clone().unwrap();
    assert_eq!(audio(&plain).aac, Some(STEREO));
    assert_eq!(audio(&opus).aac, None);
    let placed = placed(&[Cut { start: 0, samples: 10 }; 2]);
    let plan = sound_plan(false, &placed, &[Some(&audio(&plain)), Some(&audio(&plain))]);
    assert_eq!(plan, SoundPlan::Copy { config: STEREO });
    let plan = sound_plan(false, &placed, &[Some(&audio(&plain)), Some(&audio(&opus))]);
    assert!(matches!(plan, SoundPlan::Encode { why } if why.contains("opus")));

    // A hole in the middle of the sound.
    let path = directory.path().join("hole.ts");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(directory.path().join("a.mp4"))
        .args(["-c", "copy", "-bsf:a", "noise=drop='between(n,90,95)':amount=0"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    let holed = Source::open(&path);
    let cuts = [Cut { start: 48_000, samples: 96_000 }];
    let result = try_copied(&holed, &directory, &cuts, false).map(|_| ());
    assert!(matches!(&result, Err(TrackError::CannotCopy(why)) if why.contains("gap")), "{result:?}");
    // It is no matter where it lies outside of the clip.
    let cuts = [Cut { start: 0, samples: 80_000 }, Cut { start: 115_000, samples: 60_000 }];
    try_copied(&holed, &directory, &cuts, false).unwrap();
    // Another sound than was planned for.
    let other = AacConfig { sample_rate: 44_100, channels: 2 };
    let path = directory.path().join("packets");
    let result = take_packets(plain.opening(), 0, 48_000, other, &path, None, || true);
    assert!(matches!(&result, Err(TrackError::CannotCopy(_))), "{result:?}");
}
