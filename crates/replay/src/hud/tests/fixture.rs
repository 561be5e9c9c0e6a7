//! A play of a map of our own, with a miss, late presses and a break, in each of the modes.

use contracts::replay::{HudOptions, ReplayOptions};

use crate::{
    archive::Archive,
    beatmap::Beatmap,
    draw::letters::Strokes,
    error::About,
    limits::Limits,
    mods::Mods,
    osr::{Counts, Mode, Replay},
    play::{Event, EventKind, Hit, Play, Press, State},
    skin::Skin,
    stage::{Layout, Moment, Stage},
    time::{Clock, Micros},
};

pub(super) const MINUTE: Micros = 60_000_000;

const HEAD: &str = "osu file format v14

[General]
EpilepsyWarning: 1
";

const REST: &str = "
[Metadata]
Title:Romanised
TitleUnicode:全部
Artist:Tests
Creator:Somebody
Version:Insane

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:5
ApproachRate:8
SliderMultiplier:1.4
SliderTickRate:1

[Events]
2,12000,19000

[TimingPoints]
0,500,4,1,0,80,1,0

[HitObjects]
";

/// Everything that a stage is made of.
pub(super) struct Fixture {
    pub(super) replay: Replay,
    pub(super) map: Beatmap,
    pub(super) mods: Mods,
    pub(super) play: Play,
    pub(super) skin: Skin,
    pub(super) options: ReplayOptions,
    pub(super) layout: Layout,
    pub(super) clock: Clock,
    pub(super) span: (Micros, Micros),
    files: Archive,
}

/// When objects are: half a second apart, with a break.
pub(super) fn times() -> impl Iterator<Item = i64> {
    (2000..12_000).step_by(500).chain((20_000..24_001).step_by(500))
}

impl Fixture {
    pub(super) fn new(mode: Mode, size: (u32, u32)) -> Self {
        let number = match mode {
            Mode::Standard => 0,
            Mode::Taiko => 1,
            Mode::Catch => 2,
            Mode::Mania => 3,
        };
        let objects: String =
            times().map(|at| format!("{},{},{at},1,0,0:0:0:0:\n", at / 10 % 512, at / 20 % 384)).collect();
        Self::of(mode, &format!("{HEAD}Mode: {number}\n{REST}{objects}"), size)
    }

    /// With a map of its own; it is played as [`played`] plays.
    pub(super) fn of(mode: Mode, map: &str, (width, height): (u32, u32)) -> Self {
        let map = Beatmap::read(map.as_bytes(), &Limits::default()).unwrap();
        let at: Vec<i64> = map.map.hit_objects.iter().map(|object| object.start_time as i64).collect();
        let play = played(mode, &at);
        let mods = Mods::stable(8).unwrap();
        let (first, last) = (at.first().unwrap() * 1000, at.last().unwrap() * 1000);
        let span = (first - 2_000_000, last + 2_000_000);
        Self {
            replay: Replay {
                mode,
                version: 20_200_427,
                map_md5: String::new(),
                player: "プレイヤー".to_owned(),
                counts: play.end.counts,
                score: play.end.score,
                max_combo: play.end.max_combo,
                perfect: false,
                mods: 8,
                life: vec![(0, 1.0), (10_000, 1.0), (11_000, 0.2), (30_000, 0.2)],
                played_at: 637_000_000_000_000_000,
                frames: Vec::new(),
                seed: None,
                online_id: 0,
                lazer: None,
            },
            map,
            clock: Clock { first: span.0 - 3_000_000, rate: (60, 1), speed: mods.speed },
            mods,
            play,
            skin: Skin::default(),
            options: ReplayOptions::default(),
            layout: Layout { width, height },
            span,
            files: Archive::of([], About::Map, &Limits::default()),
        }
    }

    pub(super) fn stage(&self) -> Stage<'_> {
        Stage {
            replay: &self.replay,
            map: &self.map,
            files: &self.files,
            mods: &self.mods,
            play: &self.play,
            skin: &self.skin,
            options: &self.options,
            layout: self.layout,
            clock: self.clock,
            span: self.span,
            text: &Strokes,
        }
    }

    /// A moment of the map, as it is seen.
    pub(super) fn moment(&self, at: Micros) -> Moment {
        Moment { at, shown: self.stage().clock.shown_at(at) }
    }

    /// As if every object had been hit perfectly.
    pub(super) fn perfect(&mut self) {
        for event in &mut self.play.events {
            let hits = event.object + 1;
            let after = &mut event.after;
            after.counts = match self.replay.mode {
                Mode::Mania => Counts { geki: hits, ..Counts::default() },
                _ => Counts { n300: hits, ..Counts::default() },
            };
            (after.combo, after.max_combo, after.accuracy) = (hits, hits, 1_000_000);
        }
        self.play.end = self.play.events.last().unwrap().after;
    }

    pub(super) fn all_off(&mut self) {
        for switch in SWITCHES {
            *switch(&mut self.options.hud) = false;
        }
    }
}

type Switch = fn(&mut HudOptions) -> &mut bool;

/// All switches of the HUD.
pub(super) const SWITCHES: [Switch; 13] = [
    |hud| &mut hud.score,
    |hud| &mut hud.combo,
    |hud| &mut hud.accuracy,
    |hud| &mut hud.life,
    |hud| &mut hud.keys,
    |hud| &mut hud.hit_errors,
    |hud| &mut hud.aim_errors,
    |hud| &mut hud.pp,
    |hud| &mut hud.counts,
    |hud| &mut hud.strains,
    |hud| &mut hud.mods,
    |hud| &mut hud.progress,
    |hud| &mut hud.names,
];

/// A play: the sixth object and every eleventh after it is missed, every fifth is late, the others are 3 ms early.
pub(super) fn played(mode: Mode, times: &[i64]) -> Play {
    let mut play = Play { results: times.len() as u32, ..Play::default() };
    let mut state = State { accuracy: 1_000_000, ..State::default() };
    for (index, at) in times.iter().enumerate() {
        let (hit, off) = match index {
            5 | 16 | 27 => (Hit::Miss, None),
            index if index % 5 == 4 => (Hit::Ok, Some(60_000)),
            _ => (Hit::Great, Some(-3000)),
        };
        let counts: &mut Counts = &mut state.counts;
        match hit {
            Hit::Miss => counts.miss += 1,
            Hit::Ok => counts.n100 += 1,
            _ if mode == Mode::Mania => counts.geki += 1,
            _ => counts.n300 += 1,
        }
        let broke = hit == Hit::Miss && state.combo > 0;
        state.combo = if hit == Hit::Miss { 0 } else { state.combo + 1 };
        state.max_combo = state.max_combo.max(state.combo);
        state.score += if hit == Hit::Miss { 0 } else { 300 * i64::from(state.combo) };
        let counts = state.counts;
        let good = u64::from(counts.n300 + counts.geki) * 3 + u64::from(counts.n100);
        state.accuracy = (good * 1_000_000 / (3 * (index as u64 + 1))) as u32;
        if let Some(off) = off {
            let (count, sum, squares) = state.presses;
            let off = i64::from(off);
            state.presses = (count + 1, sum + off, squares + off * off);
        }
        let at = at * 1000 + i64::from(off.unwrap_or(150_000));
        play.events.push(Event {
            at,
            object: index as u32,
            kind: EventKind::Result(hit),
            off,
            aim: off.map(|off| (off as i16 / 100, -250)),
            broke,
            after: state,
        });
        if off.is_some() {
            play.presses.push(Press { key: (index % 2) as u8, from: at, to: at + 80_000 });
        }
    }
    play.end = state;
    play
}
