//! Whole tracks out of real files made by the `ffmpeg` program, compared sample by sample with what they should be.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::facts::AacConfig;
use crate::sound::TrackError;
use crate::sound::choose::{SoundPlan, sound_plan};
use crate::sound::copy::{copy_track, write_speech};
use crate::sound::encode::{MONTAGE, encode_track};
use crate::sound::packets::take_packets;
use crate::sound::samples::Form;
use crate::sound::shape::{at_rate, spans};
use crate::sound::track::SoundTrack;

mod support;

use support::*;

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
fn real_sources_join_as_well() {
    let folder = std::env::var_os("SM_TEST_MEDIA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/media"),
        PathBuf::from,
    );
    // The first is of an encoder that uses sine windows only: without regard to that, it joins with 14 dB.
    for (name, cuts, seconds, decibel) in [
        ("wannaworktogether.mp4", 12, 40, 25.0),
        // Its noises are coded with noise.
        ("sintel_trailer-720p.mp4", 6, 40, 15.0),
        ("movie_300.mp4", 6, 60, 15.0),
        ("gizmo.mp4", 3, 5, 15.0),
        ("street.mp4", 3, 7, 12.0),
        ("derived/sintel_h264_opengop_44k.mp4", 4, 30, 15.0),
    ] {
        let path = folder.join(name);
        if !path.exists() {
            println!("skipped: the sample {name} is not there (set SM_TEST_MEDIA)");
            continue;
        }
        println!("{name}");
        let directory = tempfile::tempdir().unwrap();
        assert_copies(&Source::open(&path), &directory, &odd_cuts(cuts, seconds), decibel);
    }
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
        Cut { start: 0, samples: 120_000 },
        Cut { start: 100_000, samples: 1_600 },
        Cut { start: 200_000, samples: 1_601 },
        Cut { start: 300_000, samples: 9_000 },
        Cut { start: 0, samples: 96_000 },
        // Behind the end of the sound, at last.
        Cut { start: 12 * 48_000 - 120_000, samples: 150_000 },
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
    let audio = |source: &Source| source.0.probe.audio.clone().unwrap();
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

#[test]
fn fades_and_crossfades_are_as_planned() {
    let directory = tempfile::tempdir().unwrap();
    let source = source(&directory, "a.mp4", STEREO, 12, AAC, tones(48_000));
    let reference = source.decoded(directory.path(), MONTAGE, 12 * 48_000);
    let cuts = [Cut { start: 12_345, samples: 96_000 }, Cut { start: 300_000, samples: 120_000 }];
    let path = directory.path().join("track");
    for overlap in [0, 24_000] {
        let mut placed = placed(&cuts);
        placed[1].first_sample -= overlap;
        (placed[0].fade_in, placed[1].fade_out) = (24_000, 48_000);
        let length = total(&cuts) - overlap;
        let spans = spans(&placed, 48_000);
        let sum = |moved: &dyn Fn(usize) -> i64| {
            let mut sum = vec![0.0_f32; length as usize * 2];
            for (n, (span, cut)) in spans.iter().zip(&cuts).enumerate() {
                for at in 0..cut.samples {
                    let from = (cut.start + at) as i64 - moved(n);
                    for channel in 0..2 {
                        sum[(span.start + at) as usize * 2 + channel] +=
                            reference[from as usize * 2 + channel] * span.factor(at);
                    }
                }
            }
            sum
        };
        let (mut clips, _) = copied(&source, &directory, &cuts, false);
        clips.iter_mut().zip(&placed).for_each(|(clip, placed)| clip.placed = *placed);
        if overlap == 0 {
            let track = copy_track(&clips, length, STEREO, &path, || true).unwrap();
            let moved = |n: usize| i64::from(track.copies[n].moved);
            let (worst, place) = worst_stretch(&heard(&track), &sum(&moved));
            assert!(worst > 25.0, "copied: {worst:.1} dB at {place}");
            // What fades is made anew, and only that.
            let fading = (24_000 + 48_000) / 1024;
            assert!((fading..fading + 16).contains(&track.encoded_packets), "{}", track.encoded_packets);
        }
        for ((n, clip), cut) in clips.iter_mut().enumerate().zip(&cuts) {
            let path = directory.path().join(format!("samples-{n}"));
            cut.take_samples(&source, &path);
            clip.path = Some(path);
        }
        let track = encode_track(&clips, length, 192_000, &path, None, || true).unwrap();
        let (worst, place) = worst_stretch(&heard(&track), &sum(&|_| 0));
        assert!(worst > 25.0, "encoded: {worst:.1} dB at {place}");
    }
}
