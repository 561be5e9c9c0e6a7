//! How many points a result gives.
//!
//! Sources: the osu! wiki on ScoreV1; osu!lazer's `OsuLegacyScoreSimulator` and `LegacyRulesetExtensions`.

use rosu_map::section::hit_objects::HitObjectKind;

use crate::{
    mods::{Mods, bits},
    play::{Hit, State},
};

/// Something that gives points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Award {
    /// A slider's head, repeat or end was caught.
    End,
    /// A slider's tick was caught.
    Tick,
    /// A spinner turned once more.
    Spin,
    /// A spinner turned once more than enough.
    Bonus,
    /// An object has its result.
    Result(Hit),
}

/// What a result counts towards accuracy and score.
pub(super) fn value(hit: Hit) -> i64 {
    match hit {
        Hit::Max | Hit::Great | Hit::Good => 300,
        Hit::Ok => 100,
        Hit::Meh => 50,
        Hit::Miss => 0,
    }
}

/// Accuracy in millionths: the share of 300 for each object so far.
pub(super) fn accuracy(state: &State) -> u32 {
    let counts = &state.counts;
    let [n300, n100, n50, miss] = [counts.n300, counts.n100, counts.n50, counts.miss].map(u64::from);
    let most = 300 * (n300 + n100 + n50 + miss);
    let got = 300 * n300 + 100 * n100 + 50 * n50;
    (got * 1_000_000).checked_div(most).map_or(1_000_000, |share| share as u32)
}

/// ScoreV1: every result is worth more the higher the combo before it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ScoreV1 {
    multiplier: f64,
}

impl ScoreV1 {
    pub(super) fn new(map: &rosu_map::Beatmap, mods: &Mods) -> Self {
        Self { multiplier: f64::from(difficulty(map)) * multiplier(mods) }
    }

    /// The points of an award, at a combo before it.
    pub(super) fn points(self, award: Award, combo: u32) -> i64 {
        match award {
            Award::End => 30,
            Award::Tick => 10,
            Award::Spin => 100,
            Award::Bonus => 1100,
            Award::Result(hit) => {
                let base = value(hit);
                let times = f64::from(combo.saturating_sub(1));
                base + (times * ((base / 25) as f64 * self.multiplier)) as i64
            }
        }
    }
}

/// What mods make of a score.
fn multiplier(mods: &Mods) -> f64 {
    let table = [
        (bits::NO_FAIL, 0.5),
        (bits::EASY, 0.5),
        (bits::HALF_TIME, 0.3),
        (bits::HIDDEN, 1.06),
        (bits::HARD_ROCK, 1.06),
        (bits::DOUBLE_TIME, 1.12),
        (bits::FLASHLIGHT, 1.12),
        (bits::SPUN_OUT, 0.9),
        (bits::RELAX, 0.0),
        (bits::AUTOPILOT, 0.0),
    ];
    table.iter().filter(|(bit, _)| mods.has(*bit)).map(|(_, factor)| factor).product()
}

/// The difficulty multiplier: an old version of star rating, from the map's own values, whatever the mods.
fn difficulty(map: &rosu_map::Beatmap) -> i32 {
    let start = |object: Option<&rosu_map::section::hit_objects::HitObject>| {
        object.map_or(0.0, |object| object.start_time.round())
    };
    let (first, last) = (start(map.hit_objects.first()), start(map.hit_objects.last()));
    let breaks: f64 = map.breaks.iter().map(|pause| pause.end_time.round() - pause.start_time.round()).sum();
    let drain = ((last - first - breaks) / 1000.0).trunc();
    let objects =
        map.hit_objects.iter().filter(|object| !matches!(object.kind, HitObjectKind::Hold(_))).count();
    let dense = if drain == 0.0 { 16.0 } else { (objects as f64 / drain * 8.0).clamp(0.0, 16.0) };
    let sum = [map.hp_drain_rate, map.overall_difficulty, map.circle_size].map(f64::from).iter().sum::<f64>();
    ((sum + dense) / 38.0 * 5.0).round_ties_even() as i32
}
