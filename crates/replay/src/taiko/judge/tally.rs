//! Counts, combo, score and accuracy of osu!taiko.
//!
//! Source: lazer's `TaikoLegacyScoreSimulator` (ScoreV1) and `TaikoScoreProcessor`.

use crate::{
    mods::{Mods, bits},
    play::{Event, EventKind, Hit, Outcome, Play, Press, State},
    taiko::objects::{Field, Kind},
    time::micros,
};

/// What happened so far.
pub(super) struct Tally {
    play: Play,
    state: State,
    /// Of each object: whether it is big, and whether kiai is on.
    traits: Vec<(bool, bool)>,
    score: Score,
}

impl Tally {
    pub(super) fn new(map: &rosu_map::Beatmap, mods: &Mods, field: &Field) -> Self {
        let notes = field.objects.iter().filter(|object| matches!(object.kind, Kind::Note { .. })).count();
        let outcome = |object: &crate::taiko::objects::Object| match object.kind {
            Kind::Swell { hits } => Outcome {
                needed_turns: (i64::from(hits) * 1000).min(i64::from(i32::MAX)) as i32,
                ..Outcome::default()
            },
            _ => Outcome::default(),
        };
        Self {
            play: Play {
                objects: field.objects.iter().map(outcome).collect(),
                results: notes as u32,
                ..Play::default()
            },
            state: State { accuracy: 1_000_000, ..State::default() },
            traits: field.objects.iter().map(|object| (object.big, object.kiai)).collect(),
            score: Score::new(map, mods, notes),
        }
    }

    /// The play, with its keys.
    pub(super) fn finish(mut self, presses: Vec<Press>) -> Play {
        self.play.presses = presses;
        self.play.end = self.state;
        self.play
    }

    fn traits(&self, object: usize) -> (bool, bool) {
        self.traits.get(object).copied().unwrap_or_default()
    }

    fn say(&mut self, at: i32, object: usize, kind: EventKind, off: Option<i32>, broke: bool) {
        let at = micros(f64::from(at));
        self.play.events.push(Event {
            at,
            object: object as u32,
            kind,
            off,
            aim: None,
            broke,
            after: self.state,
        });
    }

    /// A note has its result, from a press that was so many milliseconds late.
    pub(super) fn note(&mut self, object: usize, at: i32, hit: Hit, off: Option<i32>) {
        let (_, kiai) = self.traits(object);
        let counts = &mut self.state.counts;
        match hit {
            Hit::Great => counts.n300 += 1,
            Hit::Ok => counts.n100 += 1,
            _ => counts.miss += 1,
        }
        let before = self.state.combo;
        let broke = if hit == Hit::Miss {
            std::mem::take(&mut self.state.combo) > 0
        } else {
            self.state.combo += 1;
            self.state.max_combo = self.state.max_combo.max(self.state.combo);
            false
        };
        let counts = &self.state.counts;
        let all = u64::from(counts.n300 + counts.n100 + counts.miss);
        let earned = u64::from(counts.n300) * 2 + u64::from(counts.n100);
        self.state.accuracy = (earned * 500_000 / all.max(1)) as u32;
        self.state.score = self.score.note(hit, before, kiai, self.state.combo, (earned, all));
        // A press that missed tells nothing about the player's rhythm.
        let off = off.filter(|_| hit != Hit::Miss).map(|off| off.saturating_mul(1000));
        if let Some(off) = off.map(i64::from) {
            let (count, sum, squares) = self.state.presses;
            self.state.presses = (count + 1, sum.saturating_add(off), squares.saturating_add(off * off));
        }
        if let Some(outcome) = self.play.objects.get_mut(object) {
            let at = micros(f64::from(at));
            outcome.pressed = (hit != Hit::Miss).then_some(at);
            (outcome.judged, outcome.result) = (at, Some(hit));
        }
        self.say(at, object, EventKind::Result(hit), off, broke);
    }

    /// The second key of a big note: it counts twice.
    pub(super) fn second(&mut self, object: usize, at: i32) {
        let hit = self.play.objects.get(object).and_then(|outcome| outcome.result);
        match hit {
            Some(Hit::Great) => self.state.counts.geki += 1,
            _ => self.state.counts.katu += 1,
        }
        self.state.score = self.score.again();
        if let Some(outcome) = self.play.objects.get_mut(object) {
            outcome.combo_end = if hit == Some(Hit::Great) { 2 } else { 1 };
        }
        self.say(at, object, EventKind::Bonus, None, false);
    }

    /// A drum roll is hit.
    pub(super) fn roll(&mut self, object: usize, at: i32) {
        let (big, kiai) = self.traits(object);
        self.state.score = self.score.roll(big, kiai);
        if let Some(outcome) = self.play.objects.get_mut(object) {
            let at = micros(f64::from(at));
            outcome.pressed = outcome.pressed.or(Some(at));
            outcome.followed.push((at, at));
        }
        self.say(at, object, EventKind::Hold(true), None, false);
    }

    /// A swell is hit, the `count`th time.
    pub(super) fn swell(&mut self, object: usize, at: i32, count: u32) {
        self.state.score = self.score.fixed(300);
        if let Some(outcome) = self.play.objects.get_mut(object) {
            let at = micros(f64::from(at));
            outcome.pressed = outcome.pressed.or(Some(at));
            outcome.turns.push((at, (i64::from(count) * 1000).min(i64::from(i32::MAX)) as i32));
        }
        self.say(at, object, EventKind::Spin, None, false);
    }

    /// A swell is finished.
    pub(super) fn swelled(&mut self, object: usize, at: i32) {
        let (_, kiai) = self.traits(object);
        self.state.score = self.score.swelled(self.state.combo, kiai);
        if let Some(outcome) = self.play.objects.get_mut(object) {
            let at = micros(f64::from(at));
            (outcome.judged, outcome.cleared, outcome.result) = (at, Some(at), Some(Hit::Great));
        }
        self.say(at, object, EventKind::Bonus, None, false);
    }

    /// A drum roll, or a swell that was not finished, is over: it counts for nothing.
    pub(super) fn over(&mut self, object: usize, at: i32) {
        if let Some(outcome) = self.play.objects.get_mut(object) {
            outcome.judged = micros(f64::from(at));
        }
    }
}

/// The score so far.
enum Score {
    /// ScoreV1.
    First {
        /// What ten of a combo add to a 300, before a division by 35 and doubling: the map's difficulty times the mods'.
        step: f64,
        sum: i64,
        /// What the last note gave.
        last: i64,
    },
    /// ScoreV2 and lazer's: a quarter for the combo, three for accuracy, and bonuses.
    Second { most: f64, notes: f64, combo: f64, bonus: i64, base: i64, factor: f64 },
}

impl Score {
    fn new(map: &rosu_map::Beatmap, mods: &Mods, notes: usize) -> Self {
        let second = mods.has(bits::SCORE_V2) || !mods.classic;
        let table = [
            (bits::NO_FAIL, if second { 1.0 } else { 0.5 }),
            (bits::EASY, 0.5),
            (bits::HALF_TIME, 0.3),
            (bits::HIDDEN, 1.06),
            (bits::HARD_ROCK, 1.06),
            (bits::DOUBLE_TIME, 1.12),
            (bits::FLASHLIGHT, 1.12),
            (bits::RELAX, 0.0),
        ];
        let factor: f64 = table.iter().filter(|(bit, _)| mods.has(*bit)).map(|(_, by)| by).product();
        if second {
            let most = (1..=notes as u32).map(|combo| 300.0 * weight(combo)).sum();
            Self::Second { most, notes: notes as f64, combo: 0.0, bonus: 0, base: 0, factor }
        } else {
            Self::First { step: f64::from(stars(map) + 1) * factor, sum: 0, last: 0 }
        }
    }

    fn note(&mut self, hit: Hit, before: u32, kiai: bool, after: u32, (earned, all): (u64, u64)) -> i64 {
        let worth = match hit {
            Hit::Great => 300,
            Hit::Ok => 150,
            _ => 0,
        };
        match self {
            Self::First { step, sum, last } => {
                let more = (f64::from(worth / 35 * 2) * *step) as i64 * i64::from(before.min(100) / 10);
                let points = i64::from(worth) + if worth > 0 { more } else { 0 };
                *last = if kiai { points * 6 / 5 } else { points };
                *sum += *last;
                *sum
            }
            Self::Second { most, notes, combo, base, .. } => {
                *combo += f64::from(worth) * weight(after);
                let accuracy = earned as f64 / (2 * all).max(1) as f64;
                *base = (250_000.0 * *combo / most.max(1.0)
                    + 750_000.0 * accuracy.powf(3.6) * (all as f64 / notes.max(1.0)))
                .round() as i64;
                self.now()
            }
        }
    }

    /// The last note once more.
    fn again(&mut self) -> i64 {
        match self {
            Self::First { sum, last, .. } => {
                *sum += std::mem::take(last);
                *sum
            }
            Self::Second { .. } => self.now(),
        }
    }

    fn roll(&mut self, big: bool, kiai: bool) -> i64 {
        let points = if kiai { 360 } else { 300 };
        self.fixed(if big { points + points / 5 } else { points })
    }

    fn fixed(&mut self, points: i64) -> i64 {
        match self {
            Self::First { sum, .. } => *sum += points,
            Self::Second { bonus, .. } => *bonus += points / 30,
        }
        self.now()
    }

    fn swelled(&mut self, combo: u32, kiai: bool) -> i64 {
        match self {
            Self::First { step, .. } => {
                let points = 300 + (16.0 * *step) as i64 * i64::from(combo.min(100) / 10);
                let points = if kiai { points * 6 / 5 } else { points };
                self.fixed(points * 2)
            }
            Self::Second { .. } => self.fixed(1500),
        }
    }

    fn now(&self) -> i64 {
        match self {
            Self::First { sum, .. } => *sum,
            Self::Second { base, bonus, factor, .. } => ((*base + *bonus) as f64 * factor).round() as i64,
        }
    }
}

/// How much a combo multiplies a result.
fn weight(combo: u32) -> f64 {
    (f64::from(combo).ln() / 4.0_f64.ln()).clamp(0.5, 400.0_f64.ln() / 4.0_f64.ln())
}

/// How hard the map is, from its own values, by an old version of the star rating; circles are of one size in osu!taiko.
fn stars(map: &rosu_map::Beatmap) -> i32 {
    let first = map.hit_objects.first().map_or(0.0, |object| object.start_time.round());
    let last = map.hit_objects.last().map_or(0.0, |object| object.start_time.round());
    let breaks: f64 = map.breaks.iter().map(|pause| pause.end_time.round() - pause.start_time.round()).sum();
    let drain = ((last - first - breaks) / 1000.0).trunc();
    let dense =
        if drain == 0.0 { 16.0 } else { (map.hit_objects.len() as f64 / drain * 8.0).clamp(0.0, 16.0) };
    let sum = f64::from(map.hp_drain_rate) + f64::from(map.overall_difficulty) + 2.0;
    ((sum + dense) / 38.0 * 5.0).round_ties_even() as i32
}
