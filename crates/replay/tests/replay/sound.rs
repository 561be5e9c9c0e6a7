//! Sound, heard from outside: whole mixes of maps, plays and songs of our own, in which single samples are found again.

use std::ops::ControlFlow;

use contracts::replay::ReplayOptions;
use replay::{
    archive::Archive,
    beatmap::Beatmap,
    draw::{Image, Text},
    error::{About, ReplayError},
    limits::Limits,
    mods::{Mods, bits},
    play::{Event, EventKind, Hit, Outcome, Play, Press, State},
    skin::Skin,
    sound,
    stage::{Layout, Stage},
    testing::{
        maps,
        player::{Plan, play},
    },
    time::{Clock, Micros},
};

/// No letters are drawn here.
struct NoText;

impl Text for NoText {
    fn line(&self, _: &str, _: u32, _: u32, _: bool) -> Image {
        Image::empty(0, 0)
    }
}

/// What is mixed.
struct Scene {
    map: String,
    files: Vec<(&'static str, Vec<u8>)>,
    skin: Vec<(&'static str, Vec<u8>)>,
    mods: u32,
    play: Play,
    song: Option<Vec<u8>>,
    first: Micros,
    samples: u64,
    options: ReplayOptions,
    lazer: bool,
}

impl Scene {
    /// A map of circles at these times (milliseconds) with their hit sounds' last two fields, all hit when they should be.
    fn circles(objects: &[(i64, &str)]) -> Self {
        let mut map = map_head(0);
        for (at, sound) in objects {
            map += &format!("256,192,{at},1,{sound}\n");
        }
        let hit =
            |(index, (at, _)): (usize, &(i64, &str))| event(at * 1000, index, EventKind::Result(Hit::Great));
        let mut options = ReplayOptions::default();
        (options.sound.music, options.sound.effects) = (100, 100);
        Self {
            map,
            files: Vec::new(),
            skin: Vec::new(),
            mods: 0,
            play: Play { events: objects.iter().enumerate().map(hit).collect(), ..Play::default() },
            song: None,
            first: 0,
            samples: 48_000 * 8,
            options,
            lazer: false,
        }
    }

    fn mix(&self) -> Vec<[f32; 2]> {
        let mut out = Vec::new();
        self.mix_into(&mut |frames| {
            out.extend_from_slice(frames);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(out.len() as u64, self.samples);
        out
    }

    fn mix_into(&self, sink: &mut dyn FnMut(&[[f32; 2]]) -> ControlFlow<()>) -> Result<(), ReplayError> {
        let limits = Limits { song_seconds: 700, ..Limits::default() };
        let archive = |files: &[(&'static str, Vec<u8>)], about| {
            Archive::of(files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())), about, &limits)
        };
        let map = Beatmap::read(self.map.as_bytes(), &limits).unwrap();
        let mut replay =
            play(maps::CIRCLES.as_bytes(), &Plan { lazer: self.lazer, ..Plan::default() }).unwrap();
        replay.mods = self.mods;
        let mods = Mods::stable(self.mods).unwrap();
        let mut skin = Skin::default();
        skin.sounds = Some(archive(&self.skin, About::Skin));
        let stage = Stage {
            replay: &replay,
            map: &map,
            files: &archive(&self.files, About::Map),
            mods: &mods,
            play: &self.play,
            skin: &skin,
            options: &self.options,
            layout: Layout { width: 640, height: 360 },
            clock: Clock { first: self.first, rate: (60, 1), speed: mods.speed },
            span: (self.first, i64::MAX / 4),
            text: &NoText,
        };
        sound::mix(&stage, self.song.as_deref().map(|bytes| ("song.wav", bytes)), self.samples, &limits, sink)
    }
}

fn map_head(mode: u8) -> String {
    format!(
        "osu file format v14\n[General]\nAudioFilename: virtual\nMode: {mode}\n[Difficulty]\nCircleSize:4\n\
         OverallDifficulty:5\nApproachRate:5\nHPDrainRate:5\nSliderMultiplier:1\nSliderTickRate:1\n\
         [TimingPoints]\n0,500,4,1,0,100,1,0\n2000,-100,4,2,1,50,0,0\n3000,-100,4,3,7,100,0,0\n4000,-100,4,2,1,3,0,0\n\
         [HitObjects]\n"
    )
}

/// A map of osu! whose samples are soft, from the map, and as loud as they are.
fn plain_head() -> String {
    let head = map_head(0);
    let (before, _) = head.split_once("[TimingPoints]").unwrap();
    format!("{before}[TimingPoints]\n0,500,4,2,1,100,1,0\n[HitObjects]\n")
}

fn event(at: Micros, object: usize, kind: EventKind) -> Event {
    Event { at, object: object as u32, kind, ..Event::default() }
}

/// A WAV of 48 kHz, mono, 16 bit.
fn wav(samples: impl IntoIterator<Item = f64>) -> Vec<u8> {
    wav_of(48_000, samples)
}

fn wav_of(rate: u32, samples: impl IntoIterator<Item = f64>) -> Vec<u8> {
    let data: Vec<u8> =
        samples.into_iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((data.len() as u32 + 36).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(rate.to_le_bytes());
    out.extend((rate * 2).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

/// A sample that is a single impulse of that height.
fn impulse(height: f64) -> Vec<u8> {
    wav([height])
}

/// Where something is heard, and how loud: left and right.
fn heard(mix: &[[f32; 2]]) -> Vec<(usize, f32, f32)> {
    let loud = mix.iter().enumerate().filter(|(_, frame)| frame[0].abs().max(frame[1].abs()) > 0.004);
    loud.map(|(at, frame)| (at, frame[0], frame[1])).collect()
}

fn places(mix: &[[f32; 2]]) -> Vec<usize> {
    heard(mix).iter().map(|(at, ..)| *at).collect()
}

#[test]
fn samples_are_heard_at_their_events_at_any_speed() {
    for (mods, map, video) in [(0, 1, 1), (bits::DOUBLE_TIME, 3, 2), (bits::HALF_TIME, 3, 4)] {
        for first in [0, -700_000, 333_333] {
            let mut scene = Scene::circles(&[(1000, "0"), (1500, "0"), (1980, "0")]);
            scene.files = vec![("normal-hitnormal1.wav", Vec::new())];
            scene.skin = vec![("normal-hitnormal.wav", impulse(0.5))];
            (scene.mods, scene.first) = (mods, first);
            // Pressed early and late: that is when they are heard.
            scene.play.events[0].at -= 23_000;
            scene.play.events[2].at += 60_007;
            let wanted: Vec<usize> = [977_000, 1_500_000, 2_040_007]
                .map(|at| ((at - first) as f64 * 0.048 * f64::from(video) / f64::from(map)).round() as usize)
                .to_vec();
            assert_eq!(places(&scene.mix()), wanted, "{mods} {first}");
        }
    }
}

#[test]
fn sets_indices_and_volumes_choose_what_is_heard() {
    let mut scene = Scene::circles(&[
        (1000, "0"),
        (1500, "2"),
        (1600, "0,2:3:0:0:"),
        (1700, "10,0:3:0:0:"),
        (2500, "0"),
        (3500, "0"),
        (3600, "0,0:0:1:40:"),
        (4500, "0"),
        (4600, "0,0:0:0:0:voice.wav"),
        (4700, "4,1:1:9:80:"),
    ]);
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitwhistle.wav", impulse(0.2)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("drum-hitwhistle.wav", impulse(0.4)),
        ("drum-hitclap.wav", impulse(0.5)),
        ("drum-hitnormal.wav", impulse(0.15)),
        ("normal-hitfinish.wav", impulse(0.25)),
    ];
    scene.files = vec![
        ("soft-hitnormal.wav", impulse(0.6)),
        ("drum-hitnormal7.wav", impulse(0.7)),
        ("normal-hitnormal.wav", impulse(0.8)),
        ("voice.wav", impulse(0.65)),
    ];
    let wanted = [
        (1000, 0.1),
        // Layered: the normal sound below the whistle.
        (1500, 0.1 + 0.2),
        // The object's sets go before the point's; index 0 is the skin's.
        (1600, 0.3),
        (1700, 0.1 + 0.4 + 0.5),
        // The point's set, index and volume.
        (2500, 0.6 * 0.5),
        (3500, 0.7),
        // Index 1 of drum is not in the map, so that the skin's is heard, at the object's volume.
        (3600, 0.15 * 0.4),
        (4500, 0.6 * 0.03),
        (4600, 0.65 * 0.03),
        // Index 9 is nowhere in the map.
        (4700, (0.1 + 0.25) * 0.8),
    ];
    let check = |scene: &Scene, wanted: &[(usize, f32)]| {
        let mix = scene.mix();
        for (at, volume) in wanted {
            let found = mix[at * 48][0];
            let volume = volume.min(0.8912);
            assert!((found - volume).abs() < 2e-3, "{at}: {found}, not {volume}");
        }
        assert_eq!(places(&mix), wanted.iter().map(|(at, _)| at * 48).collect::<Vec<_>>());
    };
    check(&scene, &wanted);
    // Lazer's samples are 5 % loud at least.
    scene.lazer = true;
    let mut lazer = wanted;
    (lazer[7].1, lazer[8].1) = (0.6 * 0.05, 0.65 * 0.05);
    check(&scene, &lazer);
    // Without the map's samples.
    scene.lazer = false;
    scene.options.sound.map_samples = false;
    let mix = scene.mix();
    assert!((mix[2500 * 48][0] - 0.15).abs() < 2e-3);
    assert!((mix[3500 * 48][0] - 0.15).abs() < 2e-3);
}

#[test]
fn options_set_volume_side_and_offset() {
    let mut scene = Scene::circles(&[(1000, "0")]);
    scene.map = scene.map.replace("256,192,1000", "512,192,1000");
    scene.skin = vec![("normal-hitnormal.wav", impulse(0.5))];
    let one = |scene: &Scene| heard(&scene.mix())[0];
    let (at, left, right) = one(&scene);
    assert_eq!(at, 48_000);
    assert!((left - 0.5 * 0.6).abs() < 1e-3 && (right - 0.5).abs() < 1e-3, "{left} {right}");
    scene.options.sound.panning = false;
    scene.options.sound.effects = 50;
    scene.options.sound.offset = -20;
    let (at, left, right) = one(&scene);
    assert_eq!(at, 48_000 - 960);
    assert!((left - 0.25).abs() < 1e-3 && (right - 0.25).abs() < 1e-3, "{left} {right}");
    scene.options.sound.effects = 0;
    assert!(heard(&scene.mix()).is_empty());
}

#[test]
fn misses_are_silent_and_long_combos_break_aloud() {
    let mut scene = Scene::circles(&[(1000, "0"), (1500, "0"), (1900, "0")]);
    scene.skin = vec![("normal-hitnormal.wav", impulse(0.3)), ("combobreak.wav", impulse(0.7))];
    let after = |combo| State { combo, ..State::default() };
    for (event, (broke, before)) in scene.play.events.iter_mut().zip([(false, 21), (true, 0), (true, 0)]) {
        event.broke = broke;
        event.after = after(before);
        if broke {
            event.kind = EventKind::Result(Hit::Miss);
        }
    }
    let found = heard(&scene.mix());
    assert_eq!(found.iter().map(|(at, ..)| *at).collect::<Vec<_>>(), [48_000, 72_000]);
    assert!((found[1].1 - 0.7).abs() < 1e-3);
    scene.play.events[0].after = after(20);
    assert_eq!(places(&scene.mix()), [48_000]);
}

/// A slider from 1000 to 4000 ms with a tick, a repeat, a tick: 100 px in 1000 ms, twice … with two spans of 1500 ms.
fn slider() -> Scene {
    let mut scene = Scene::circles(&[]);
    scene.map = plain_head() + "0,192,1000,2,0,L|300:192,2,300,2|0|8,1:1|2:2|3:3,1:0:0:0:\n";
    let (from, to) = (1_010_000, 4_000_000);
    let kinds = [
        (from, EventKind::Head(true)),
        (1_508_000, EventKind::Tick(true, 0)),
        (2_016_000, EventKind::Tick(false, 1)),
        (2_505_000, EventKind::Repeat(true, 0)),
        (3_016_000, EventKind::Tick(true, 2)),
        (3_507_000, EventKind::Tick(true, 3)),
        (3_980_000, EventKind::Tail(true)),
        (to, EventKind::Result(Hit::Ok)),
    ];
    scene.play.events = kinds.iter().map(|(at, kind)| event(*at, 0, *kind)).collect();
    let outcome =
        Outcome { result: Some(Hit::Ok), judged: to, followed: vec![(from, to)], ..Outcome::default() };
    scene.play.objects = vec![outcome];
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitwhistle.wav", impulse(0.2)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("drum-hitnormal.wav", impulse(0.4)),
        ("drum-hitclap.wav", impulse(0.25)),
        ("normal-slidertick.wav", impulse(0.15)),
        ("normal-sliderslide.wav", wav([])),
    ];
    scene
}

#[test]
fn a_sliders_parts_are_heard_where_the_ball_is() {
    let mut scene = slider();
    scene.options.sound.panning = false;
    let found: Vec<(usize, f32)> = heard(&scene.mix()).iter().map(|(at, left, _)| (*at, *left)).collect();
    let wanted = [(1010, 0.3), (1500, 0.15), (2500, 0.3), (3000, 0.15), (3500, 0.15), (4000, 0.65)];
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((at, volume), (wanted_at, wanted)) in found.iter().zip(wanted) {
        assert_eq!(*at, wanted_at * 48);
        assert!((volume - wanted).abs() < 2e-3, "{at}: {volume}");
    }
    // Stable plays the end of a slider that was no miss, although it was let go.
    scene.play.events[6].kind = EventKind::Tail(false);
    assert_eq!(places(&scene.mix()).last(), Some(&(4000 * 48)));
    scene.play.objects[0].result = Some(Hit::Miss);
    assert_eq!(places(&scene.mix()).last(), Some(&(3500 * 48)));
}

#[test]
fn a_slider_sounds_on_while_it_is_followed_and_moves_with_the_ball() {
    let mut scene = slider();
    scene.play.events.clear();
    scene.play.objects[0].followed = vec![(1_200_000, 2_000_000), (2_200_000, 3_900_000)];
    scene.skin = vec![("normal-sliderslide.wav", wav((0..48).map(|at| f64::from(at % 2) * 0.5)))];
    let mix = scene.mix();
    let loud = |at: usize| {
        mix[at * 48..at * 48 + 48]
            .iter()
            .fold([0.0_f32; 2], |most, frame| [most[0].max(frame[0].abs()), most[1].max(frame[1].abs())])
    };
    for (at, on) in
        [(1190, false), (1300, true), (1990, true), (2050, false), (2190, false), (2300, true), (3950, false)]
    {
        assert_eq!(loud(at)[0] > 0.1, on, "{at}");
    }
    // From the left edge to x = 300 and back.
    let (left, right) = (loud(1300), loud(2480));
    assert!(left[0] > left[1] * 1.4 && right[1] > right[0], "{left:?} {right:?}");
}

#[test]
fn a_spinners_sound_rises_and_its_bonus_rings() {
    let mut scene = Scene::circles(&[]);
    scene.map = plain_head() + "256,192,1000,12,0,4000,0:0:0:0:\n";
    let turns = (0..=300).map(|step| (1_000_000 + step * 10_000, (step * 40) as i32)).collect();
    scene.play.objects = vec![Outcome { turns, needed_turns: 6000, ..Outcome::default() }];
    scene.play.events =
        vec![event(3_000_000, 0, EventKind::Bonus), event(4_000_000, 0, EventKind::Result(Hit::Great))];
    scene.skin = vec![("soft-spinnerbonus.wav", impulse(0.9)), ("soft-hitnormal.wav", wav([]))];
    // A tone of 480 Hz: its crossings tell how fast it is played.
    let tone = |at: i32| (f64::from(at) * 0.01 * std::f64::consts::TAU).sin() * 0.5;
    scene.files = vec![("soft-spinnerspin.wav", wav((0..4800).map(tone)))];
    let mix = scene.mix();
    let pitch = |at: usize| {
        let part = &mix[at * 48..(at + 200) * 48];
        part.windows(2).filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0).count() * 5
    };
    // 20 kHz of 44.1 kHz at the beginning, 60 kHz when it is cleared (at 2500 ms).
    let (early, cleared) = (pitch(1200), pitch(2400));
    assert!((240..330).contains(&early), "{early}");
    assert!((620..680).contains(&cleared), "{cleared}");
    assert!(places(&mix).first().is_some_and(|at| (1000 * 48..1100 * 48).contains(at)));
    assert!(mix[4100 * 48..].iter().all(|frame| frame[0].abs() < 1e-4));
    let without = {
        scene.play.events.remove(0);
        scene.mix()
    };
    assert!((mix[3000 * 48][0] - without[3000 * 48][0]) > 0.2);
}

#[test]
fn keys_of_taiko_and_mania_are_heard_when_they_are_pressed() {
    let press = |key, from: i64| Press { key, from: from * 1000, to: (from + 50) * 1000 };
    let judged = |at: i64| Outcome {
        pressed: Some(at * 1000),
        judged: at * 1000,
        result: Some(Hit::Great),
        ..Outcome::default()
    };
    let mut scene = Scene::circles(&[]);
    scene.map = map_head(1) + "256,192,1000,1,0,0:0:0:0:\n256,192,2500,1,4,0:0:0:0:\n";
    scene.play.presses = vec![press(1, 990), press(0, 1500), press(3, 1700), press(2, 2500)];
    scene.play.objects = vec![judged(990), judged(2500)];
    scene.skin = vec![
        ("taiko-normal-hitnormal.wav", impulse(0.1)),
        ("soft-hitclap.wav", impulse(0.2)),
        ("taiko-soft-hitclap.wav", impulse(0.4)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("soft-hitfinish.wav", impulse(0.5)),
    ];
    let found: Vec<(usize, f32)> =
        heard(&scene.mix()).iter().map(|(at, left, _)| (*at / 48, *left)).collect();
    // From 2000 ms on the point's volume is 50 %.
    for ((at, volume), wanted) in found.iter().zip([(990, 0.1), (1500, 0.2), (1700, 0.2), (2500, 0.4)]) {
        assert_eq!(*at, wanted.0);
        assert!((volume - wanted.1).abs() < 2e-3, "{found:?}");
    }
    assert_eq!(found.len(), 4);

    let mut scene = Scene::circles(&[]);
    scene.map =
        map_head(3) + "64,192,1000,1,0,0:0:0:0:\n448,192,1000,1,8,0:0:0:0:\n64,192,1500,1,2,0:0:0:0:\n";
    scene.play.presses = vec![press(3, 1003), press(0, 1012), press(0, 1480)];
    scene.play.objects = vec![judged(1012), judged(1003), judged(1480)];
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitclap.wav", impulse(0.2)),
        ("normal-hitwhistle.wav", impulse(0.3)),
    ];
    let found: Vec<(usize, f32)> =
        heard(&scene.mix()).iter().map(|(at, left, _)| (*at / 48, *left)).collect();
    // In mania nothing is layered.
    for ((at, volume), wanted) in found.iter().zip([(1003, 0.2), (1012, 0.1), (1480, 0.3)]) {
        assert_eq!(*at, wanted.0);
        assert!((volume - wanted.1).abs() < 2e-3, "{found:?}");
    }
    assert_eq!(found.len(), 3);
}

#[test]
fn nightcore_brings_its_drums() {
    let mut scene = Scene::circles(&[(30_000, "0")]);
    scene.mods = bits::NIGHTCORE;
    scene.skin = vec![
        ("nightcore-kick.wav", impulse(0.1)),
        ("nightcore-clap.wav", impulse(0.2)),
        ("nightcore-hat.wav", impulse(0.3)),
        ("nightcore-finish.wav", impulse(0.4)),
    ];
    let found = heard(&scene.mix());
    // Half beats of 250 ms on the map are 8000 samples.
    let beats: Vec<(usize, f32)> = (0..40)
        .map(|beat| (beat * 8000, [0.1, 0.3, 0.2, 0.3][beat % 4] + if beat % 32 == 0 { 0.4 } else { 0.0 }))
        .collect();
    for ((at, left, _), (beat, volume)) in found.iter().zip(&beats) {
        assert_eq!(at, beat);
        assert!((left - volume).abs() < 2e-3, "{at}: {left}");
    }
    scene.options.sound.nightcore_beats = false;
    assert!(heard(&scene.mix()).is_empty());
}

#[test]
fn a_storyboards_sounds_are_heard() {
    let mut scene = Scene::circles(&[(30_000, "0")]);
    scene.map =
        scene.map.replace("[TimingPoints]", "[Events]\nSample,1000,0,\"sb/bell.wav\",70\n[TimingPoints]");
    scene.files = vec![
        ("sb/bell.wav", impulse(0.5)),
        ("a.osb", b"[Events]\nSample,2000,1,\"sb/bell\",50\nSample,2500,0,\"sb/bell.wav\"\n".to_vec()),
    ];
    let found: Vec<usize> = places(&scene.mix());
    assert_eq!(found, [48_000, 120_000]);
    scene.options.background.storyboard = false;
    assert!(heard(&scene.mix()).is_empty());
}

/// A song of silence with clicks (four samples long) at these seconds.
fn clicks(rate: u32, seconds: usize, at: &[f64]) -> Vec<u8> {
    let mut samples = vec![0.0; seconds * rate as usize];
    for at in at {
        let from = (at * f64::from(rate)).round() as usize;
        samples[from..from + 4].fill(0.6);
    }
    wav_of(rate, samples)
}

/// Where clicks are heard first, in samples.
fn click_places(mix: &[[f32; 2]]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for (at, frame) in mix.iter().enumerate() {
        if frame[0] > 0.2 && found.last().is_none_or(|last| at - last > 2400) {
            found.push(at);
        }
    }
    found
}

#[test]
fn both_ends_of_ten_minutes_are_in_time_at_any_speed() {
    let at = [0.5, 1.0, 299.75, 598.0, 599.5];
    let song = clicks(44_100, 600, &at);
    let table =
        [(0, 1.0, 3), (bits::DOUBLE_TIME, 1.5, 120), (bits::HALF_TIME, 0.75, 120), (bits::NIGHTCORE, 1.5, 3)];
    for (mods, speed, tolerance) in table {
        let mut scene = Scene::circles(&[(599_000, "0")]);
        scene.play.events.clear();
        scene.options.sound.nightcore_beats = false;
        scene.song = Some(song.clone());
        scene.mods = mods;
        scene.samples = (600.0 / speed * 48_000.0) as u64 + 48_000;
        let found = click_places(&scene.mix());
        assert_eq!(found.len(), at.len(), "{mods}: {found:?}");
        for (found, at) in found.iter().zip(at) {
            let wanted = at * 48_000.0 / speed;
            assert!((*found as f64 - wanted).abs() <= f64::from(tolerance), "{mods}: {found}, not {wanted}");
        }
    }
}

#[test]
fn a_song_begins_where_the_video_does() {
    let song = clicks(44_100, 20, &[0.0, 10.0, 11.0]);
    for (mods, speed, tolerance) in
        [(0, 1.0, 3.0), (bits::DOUBLE_TIME, 1.5, 120.0), (bits::NIGHTCORE, 1.5, 3.0)]
    {
        for first in [-1_500_000, 9_123_456] {
            let mut scene = Scene::circles(&[(19_000, "0")]);
            scene.play.events.clear();
            scene.options.sound.nightcore_beats = false;
            (scene.song, scene.mods, scene.first) = (Some(song.clone()), mods, first);
            scene.samples = 48_000 * 16;
            let found = click_places(&scene.mix());
            let wanted: Vec<f64> = [0.0, 10.0, 11.0]
                .iter()
                .map(|at| (at - first as f64 / 1e6) * 48_000.0 / speed)
                .filter(|at| *at >= 0.0)
                .collect();
            assert_eq!(found.len(), wanted.len(), "{mods} {first}: {found:?}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((*found as f64 - wanted).abs() <= tolerance, "{mods} {first}: {found}, not {wanted}");
            }
        }
    }
}

#[test]
fn loud_mixes_are_held_below_the_ceiling() {
    let mut scene = Scene::circles(&[(1000, "14"), (1001, "14"), (1002, "14"), (1003, "14")]);
    scene.song = Some(wav((0..48_000 * 8).map(|at| (f64::from(at) * 0.02).sin() * 0.99)));
    let mix = scene.mix();
    assert!(mix.iter().all(|frame| frame[0].abs() <= 0.892 && frame[1].abs() <= 0.892));
    // Long after and before, it is as loud as it may be.
    let loudest = |part: &[[f32; 2]]| part.iter().fold(0.0_f32, |most, frame| most.max(frame[0]));
    assert!(loudest(&mix[..40_000]) > 0.88 && loudest(&mix[100_000..200_000]) > 0.88);
}

#[test]
fn the_same_mix_is_made_again() {
    let mut scene = slider();
    scene.song = Some(clicks(44_100, 8, &[0.5, 3.0]));
    scene.mods = bits::DOUBLE_TIME;
    scene.skin.clear();
    assert!(scene.mix() == scene.mix());
}

#[test]
fn songs_that_cannot_be_heard_are_errors_of_the_list() {
    let mut none = |_: &[[f32; 2]]| ControlFlow::Continue(());
    let mut code = |scene: &Scene| scene.mix_into(&mut none).err().map(|error| error.code());
    let mut scene = Scene::circles(&[(1000, "0")]);
    assert_eq!(code(&scene), None, "virtual");
    scene.map = scene.map.replace("virtual", "");
    assert_eq!(code(&scene), None, "no name");
    scene.map = scene.map.replace("AudioFilename: ", "AudioFilename: song.mp3");
    assert_eq!(code(&scene), Some("replay_audio_missing"));
    for bytes in [Vec::new(), vec![0; 5000], b"RIFF\x04\0\0\0WAVE".to_vec(), b"OggS".to_vec(), wav([])] {
        scene.song = Some(bytes);
        assert_eq!(code(&scene), Some("replay_audio_unsupported"));
    }
    scene.song = Some(wav_of(4_000, std::iter::repeat_n(0.1, 4_000 * 701)));
    scene.samples = 48_000 * 690;
    assert_eq!(code(&scene), None, "what is not heard is not counted");
    scene.samples = 48_000 * 702;
    assert_eq!(code(&scene), Some("replay_too_long"));
}

#[test]
fn a_mix_can_be_ended_early() {
    let mut pieces = 0;
    let mut sink = |_: &[[f32; 2]]| {
        pieces += 1;
        if pieces == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Scene::circles(&[(1000, "0")]).mix_into(&mut sink).unwrap();
    assert_eq!(pieces, 3);
}

#[test]
fn damaged_songs_are_heard_or_refused() {
    let whole = clicks(44_100, 2, &[0.5, 1.0]);
    let mut scene = Scene::circles(&[(1000, "0")]);
    scene.samples = 48_000 * 2;
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    let (mut fine, mut refused) = (0, 0);
    for round in 0..300 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(random() % bytes.len());
        }
        for _ in 0..random() % 4 {
            let at = random() % bytes.len().clamp(1, 60);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random() as u8;
            }
        }
        scene.song = Some(bytes);
        match scene.mix_into(&mut |_| ControlFlow::Continue(())) {
            Ok(()) => fine += 1,
            Err(error) => {
                assert!(matches!(error.about(), About::Audio), "{error}");
                refused += 1;
            }
        }
    }
    assert!(fine > 50 && refused > 50, "{fine} {refused}");
}
