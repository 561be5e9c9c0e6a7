//! Sound, heard from outside: whole mixes of maps, plays and songs of our own, in which single samples are found again.

mod samples;
mod songs;

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
