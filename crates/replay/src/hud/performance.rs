//! Stars, pp and strains, by `rosu-pp`; computed once, when the HUD is prepared.
//!
//! Promises: what it costs is bounded: of long plays pp is computed at so many results only, and keeps its value between them.
//! Never fails: a map that `rosu-pp` holds for a trap has no stars and no pp, and is shown all the same.

use rosu_mods::{GameModIntermode, GameModsIntermode};
use rosu_pp::{
    Difficulty,
    any::{DifficultyAttributes, ScoreState, Strains},
};

use crate::{
    osr::Mode,
    play::{EventKind, Hit, State},
    stage::Stage,
};

/// How often pp is computed during a play at most …
const MOST_STEPS: usize = 4000;
/// … and how often times the map's sections: each time, all of them are put in order.
const MOST_WORK: f64 = 32e6;
/// Columns into which a map's strains are gathered.
pub(super) const COLUMNS: usize = 200;

/// What `rosu-pp` says of a play.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Performance {
    /// Stars of the map with its mods, in 1/100.
    pub(super) stars: u32,
    /// pp of the whole play, in 1/100.
    pub(super) pp: u32,
    /// pp after each event of the play, in 1/100; empty where there is none.
    pub(super) running: Vec<u32>,
    /// How hard the map is over time, from its first object to its last, in 255ths of its hardest part; empty where that is not
    /// known.
    pub(super) strains: Vec<u8>,
    /// The windows of results, from the narrowest to the widest, in microseconds of the map to either side.
    pub(super) windows: Vec<(Hit, i32)>,
}

impl Performance {
    pub(super) fn of(stage: &Stage<'_>) -> Self {
        let Ok(map) = rosu_pp::Beatmap::from_bytes(stage.map.text.as_bytes()) else {
            return Self::default();
        };
        let windows = windows(stage, &map);
        if map.check_suspicion().is_err() {
            return Self { windows, ..Self::default() };
        }
        let difficulty = difficulty(stage);
        let attributes = difficulty.calculate(&map);
        let (running, pp) = running(stage, &difficulty, &map, &attributes);
        let strains = columns(&difficulty.strains(&map), &map, stage.mods.speed.as_f64());
        Self { stars: hundredths(attributes.stars()), pp, running, strains, windows }
    }
}

/// A number in 1/100; nothing where it is none.
fn hundredths(number: f64) -> u32 {
    if number.is_finite() { (number * 100.0).round().clamp(0.0, 1e8) as u32 } else { 0 }
}

/// What the play was played with.
fn difficulty(stage: &Stage<'_>) -> Difficulty {
    let (mods, is_lazer) = (stage.mods, stage.replay.is_lazer());
    let mut list = GameModsIntermode::from_bits(mods.bits);
    if is_lazer && mods.classic {
        list.insert(GameModIntermode::Classic);
    }
    let mut difficulty =
        if is_lazer { Difficulty::new().mods(list) } else { Difficulty::new().mods(mods.bits) };
    difficulty = difficulty.lazer(is_lazer).clock_rate(mods.speed.as_f64());
    let adjusted = mods.adjusted;
    if let Some(cs) = adjusted.cs {
        difficulty = difficulty.cs(cs, false);
    }
    if let Some(ar) = adjusted.ar {
        difficulty = difficulty.ar(ar, false);
    }
    if let Some(od) = adjusted.od {
        difficulty = difficulty.od(od, false);
    }
    if let Some(hp) = adjusted.hp {
        difficulty = difficulty.hp(hp, false);
    }
    difficulty
}

/// The windows, as the map's time counts them.
fn windows(stage: &Stage<'_>, map: &rosu_pp::Beatmap) -> Vec<(Hit, i32)> {
    let mut builder = map.attributes();
    builder.difficulty(&difficulty(stage)).clock_rate(1.0);
    let windows = builder.build().hit_windows();
    let all = [
        (Hit::Max, windows.od_perfect),
        (Hit::Great, windows.od_great),
        (Hit::Good, windows.od_good),
        (Hit::Ok, windows.od_ok),
        (Hit::Meh, windows.od_meh),
    ];
    let known = all.into_iter().filter_map(|(hit, window)| {
        let window = window.filter(|window| window.is_finite() && *window > 0.0)?;
        Some((hit, (window * 1000.0).min(1e7) as i32))
    });
    known.collect()
}

/// The game's state as `rosu-pp` wants it.
fn score_state(stage: &Stage<'_>, state: &State) -> ScoreState {
    let (counts, lazer) = (&state.counts, &state.lazer);
    let is_score_v1 = stage.replay.mode == Mode::Standard
        && !stage.replay.is_lazer()
        && !stage.mods.has(crate::mods::bits::SCORE_V2);
    ScoreState {
        max_combo: state.max_combo,
        osu_large_tick_hits: lazer.large_tick_hit,
        osu_small_tick_hits: lazer.small_tick_hit,
        slider_end_hits: lazer.slider_tail_hit,
        n_geki: counts.geki,
        n_katu: counts.katu,
        n300: counts.n300,
        n100: counts.n100,
        n50: counts.n50,
        misses: counts.miss,
        legacy_total_score: u32::try_from(state.score).ok().filter(|_| is_score_v1),
    }
}

/// How many results a state has.
fn results(stage: &Stage<'_>, state: &State) -> u64 {
    let counts = &state.counts;
    let mania = if stage.replay.mode == Mode::Mania { [counts.geki, counts.katu] } else { [0; 2] };
    [counts.n300, counts.n100, counts.n50, counts.miss].into_iter().chain(mania).map(u64::from).sum()
}

/// How often pp is computed at most.
fn most_steps(map: &rosu_pp::Beatmap, speed: f64) -> usize {
    const SECTION: f64 = 400.0;
    let times = || map.hit_objects.iter().map(|object| object.start_time);
    let (first, last) = (times().fold(f64::MAX, f64::min), times().fold(f64::MIN, f64::max));
    let sections = ((last - first) / (speed * SECTION)).max(1.0);
    ((MOST_WORK / sections) as usize).clamp(1, MOST_STEPS)
}

/// pp after each event, and at the end.
fn running(
    stage: &Stage<'_>,
    difficulty: &Difficulty,
    map: &rosu_pp::Beatmap,
    attributes: &DifficultyAttributes,
) -> (Vec<u32>, u32) {
    let play = stage.play;
    let mut gradual = difficulty.clone().gradual_performance(map);
    let all = gradual.len();
    let step = all.div_ceil(most_steps(map, stage.mods.speed.as_f64())).max(1);
    let (mut done, mut pp) = (0, 0);
    let mut running = Vec::with_capacity(play.events.len());
    for event in &play.events {
        if matches!(event.kind, EventKind::Result(_)) {
            // So many of the map's objects are over: where an object has two results, half as many.
            let share = results(stage, &event.after) * all as u64 / u64::from(play.results.max(1));
            let over = usize::try_from(share).unwrap_or(all).min(all);
            if over >= done + step || (over == all && over > done) {
                match gradual.nth(score_state(stage, &event.after), over - done - 1) {
                    Some(now) => pp = hundredths(now.pp()),
                    None => done = all,
                }
                done = over.max(done);
            }
        }
        running.push(pp);
    }
    // A play that was not played to its end is worth what was played.
    let end = if done >= all && results(stage, &play.end) >= u64::from(play.results) {
        let whole = attributes.clone().performance().difficulty(difficulty.clone());
        hundredths(whole.state(score_state(stage, &play.end)).calculate().pp())
    } else {
        pp
    };
    if let Some(last) = running.last_mut() {
        *last = end;
    }
    (running, end)
}

/// The strains gathered into columns.
fn columns(strains: &Strains, map: &rosu_pp::Beatmap, speed: f64) -> Vec<u8> {
    let sum = |parts: &[&Vec<f64>]| -> Vec<f64> {
        let longest = parts.iter().map(|part| part.len()).max().unwrap_or(0);
        let at = |index: usize| {
            let values = parts.iter().filter_map(|part| part.get(index)).filter(|value| value.is_finite());
            values.map(|value| value * value).sum::<f64>().sqrt()
        };
        (0..longest).map(at).collect()
    };
    let (sections, length) = match strains {
        Strains::Osu(osu) => (sum(&[&osu.aim, &osu.speed]), strains.section_len()),
        Strains::Taiko(taiko) => (sum(&[&taiko.color, &taiko.rhythm, &taiko.stamina]), strains.section_len()),
        Strains::Mania(mania) => (sum(&[&mania.strains]), strains.section_len()),
        Strains::Catch(_) => return Vec::new(),
    };
    let hardest = sections.iter().copied().fold(0.0, f64::max);
    let (Some(first), Some(last)) = (map.hit_objects.first(), map.hit_objects.last()) else {
        return Vec::new();
    };
    let (from, to) = (first.start_time / speed, last.start_time / speed);
    if hardest <= 0.0 || to <= from {
        return Vec::new();
    }
    // Sections are counted from 0 of the song; the first one holds the first object.
    let section = |column: usize| {
        let at = from + (to - from) * column as f64 / COLUMNS as f64;
        ((at / length).floor() - (from / length).floor()).max(0.0) as usize
    };
    let column = |index: usize| -> f64 {
        let (from, to) = (section(index), section(index + 1).max(section(index) + 1));
        let part = sections.get(from.min(sections.len())..to.min(sections.len())).unwrap_or_default();
        part.iter().sum::<f64>() / part.len().max(1) as f64
    };
    let columns: Vec<f64> = (0..COLUMNS).map(column).collect();
    // A short map has fewer sections than columns: its steps become slopes.
    let reach = (length * COLUMNS as f64 / (to - from) / 2.0).min(COLUMNS as f64) as usize;
    let smooth = |index: usize| {
        let beside = columns.iter().take(index + reach + 1).skip(index.saturating_sub(reach));
        let (sum, count) = beside.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (sum / f64::max(count, 1.0) / hardest * 255.0).clamp(0.0, 255.0) as u8
    };
    (0..COLUMNS).map(smooth).collect()
}
