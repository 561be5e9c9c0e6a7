//! Counts, combo, score and accuracy of osu!mania, from what happened in the columns.
//!
//! Sources: <https://osu.ppy.sh/wiki/en/Gameplay/Score/ScoreV1/osu%21mania>, and lazer's `ManiaScoreProcessor`.

use super::{
    lane::{Happened, What},
    rules::Rules,
};
use crate::{
    mania::objects::Field,
    mods::{Mods, bits},
    play::{Event, EventKind, Hit, Outcome, Play, Press, State},
    time::micros,
};

/// Puts what happened in order and counts it.
pub(super) fn tally(
    mut happened: Vec<Happened>,
    presses: Vec<Press>,
    field: &Field,
    rules: &Rules,
    mods: &Mods,
) -> Play {
    happened.sort_by_key(|one| (one.at, one.object));
    let holds = field.objects.iter().filter(|object| object.is_hold()).count();
    let results = field.objects.len() + if rules.split { holds } else { 0 };
    let mut tally = Tally {
        play: Play {
            objects: vec![Outcome::default(); field.objects.len()],
            presses,
            results: results as u32,
            ..Play::default()
        },
        state: State { accuracy: 1_000_000, ..State::default() },
        score: if rules.split { Score::combo(results, mods) } else { Score::bonus(results, mods) },
        best: if rules.split { 305 } else { 300 },
        earned: 0,
        counted: 0,
    };
    for one in happened {
        tally.take(one, rules.split);
    }
    let mut play = tally.play;
    play.end = play.events.last().map_or(tally.state, |event| event.after);
    play
}

struct Tally {
    play: Play,
    state: State,
    score: Score,
    /// What MAX is worth for accuracy.
    best: u64,
    earned: u64,
    counted: u64,
}

impl Tally {
    fn take(&mut self, one: Happened, split: bool) {
        let at = micros(f64::from(one.at));
        let off = one.off.map(|off| off.saturating_mul(1000));
        let Some(outcome) = self.play.objects.get_mut(one.object) else { return };
        let (kind, broke) = match one.what {
            What::Begun => {
                outcome.pressed = Some(at);
                (EventKind::Head(true), false)
            }
            What::Held { from } => {
                outcome.followed.push((micros(f64::from(from)), at));
                return;
            }
            What::Forgotten => {
                outcome.head = Some(Hit::Miss);
                (EventKind::Head(false), std::mem::take(&mut self.state.combo) > 0)
            }
            What::Broken => (EventKind::Hold(false), std::mem::take(&mut self.state.combo) > 0),
            What::Head(hit) => {
                outcome.head = Some(hit);
                outcome.pressed = off.map(|_| at);
                (EventKind::Head(hit != Hit::Miss), self.count(hit, 0))
            }
            What::Result(hit, held) => {
                outcome.pressed = outcome.pressed.or(off.filter(|_| hit != Hit::Miss).map(|_| at));
                outcome.judged = at;
                outcome.result = Some(hit);
                (EventKind::Result(hit), self.count(hit, if split { 0 } else { held }))
            }
        };
        if let Some(off) = off.map(i64::from) {
            let (count, sum, squares) = self.state.presses;
            self.state.presses =
                (count.saturating_add(1), sum.saturating_add(off), squares.saturating_add(off * off));
        }
        let object = one.object as u32;
        self.play.events.push(Event { at, object, kind, off, aim: None, broke, after: self.state });
    }

    /// Counts a result and the combo that its hold gave; whether the combo broke.
    fn count(&mut self, hit: Hit, held: u32) -> bool {
        let counts = &mut self.state.counts;
        let (count, worth) = match hit {
            Hit::Max => (&mut counts.geki, self.best),
            Hit::Great => (&mut counts.n300, 300),
            Hit::Good => (&mut counts.katu, 200),
            Hit::Ok => (&mut counts.n100, 100),
            Hit::Meh => (&mut counts.n50, 50),
            Hit::Miss => (&mut counts.miss, 0),
        };
        *count += 1;
        self.earned += worth;
        self.counted += self.best;
        let broke = if hit == Hit::Miss {
            std::mem::take(&mut self.state.combo) > 0
        } else {
            self.state.combo = self.state.combo.saturating_add(held).saturating_add(1);
            self.state.max_combo = self.state.max_combo.max(self.state.combo);
            false
        };
        let accuracy = self.earned * 1_000_000 / self.counted.max(1);
        self.state.accuracy = accuracy as u32;
        self.state.score = self.score.add(hit, self.state.combo, self.earned, self.counted);
        broke
    }
}

/// The score so far. Both kinds end at a million.
enum Score {
    /// ScoreV1: half for results, half for results times a bonus that grows with good ones.
    Bonus {
        /// What an object can give, without the bonus.
        each: f64,
        /// By what bad results lower the bonus less.
        divider: f64,
        /// 0 to 100.
        bonus: f64,
        /// The score, unrounded.
        sum: f64,
    },
    /// ScoreV2 and lazer's: a part for the combo, a part for accuracy.
    Combo {
        /// What a full play's combo part adds up to.
        most: f64,
        /// How many results it has.
        results: f64,
        /// The combo part so far.
        sum: f64,
        /// Of mods.
        factor: f64,
    },
}

impl Score {
    fn bonus(results: usize, mods: &Mods) -> Self {
        let halved = [bits::EASY, bits::NO_FAIL, bits::HALF_TIME];
        let factor = 0.5_f64.powi(halved.iter().filter(|bit| mods.has(**bit)).count() as i32);
        let dividers = [
            (bits::HARD_ROCK, 1.08),
            (bits::DOUBLE_TIME, 1.1),
            (bits::FADE_IN, 1.06),
            (bits::HIDDEN, 1.06),
            (bits::FLASHLIGHT, 1.06),
        ];
        let divider = dividers.iter().filter(|(bit, _)| mods.has(*bit)).map(|(_, by)| by).product();
        Self::Bonus { each: 500_000.0 * factor / results.max(1) as f64, divider, bonus: 100.0, sum: 0.0 }
    }

    fn combo(results: usize, mods: &Mods) -> Self {
        let halved = [bits::EASY, bits::HALF_TIME];
        let factor = 0.5_f64.powi(halved.iter().filter(|bit| mods.has(**bit)).count() as i32);
        let most = (1..=results as u32).map(|combo| 300.0 * combo_weight(combo)).sum();
        Self::Combo { most, results: results as f64, sum: 0.0, factor }
    }

    /// Adds a result, after which there is that combo; `earned` of `counted` is the accuracy. The score then.
    fn add(&mut self, hit: Hit, after: u32, earned: u64, counted: u64) -> i64 {
        match self {
            Self::Bonus { each, divider, bonus, sum } => {
                let (worth, extra, change) = match hit {
                    Hit::Max => (320.0, 32.0, 2.0),
                    Hit::Great => (300.0, 32.0, 1.0),
                    Hit::Good => (200.0, 16.0, -8.0 / *divider),
                    Hit::Ok => (100.0, 8.0, -24.0 / *divider),
                    Hit::Meh => (50.0, 4.0, -44.0 / *divider),
                    Hit::Miss => (0.0, 0.0, -100.0),
                };
                *bonus = (*bonus + change).clamp(0.0, 100.0);
                *sum += *each * (worth + extra * bonus.sqrt()) / 320.0;
                sum.round() as i64
            }
            Self::Combo { most, results, sum, factor } => {
                let worth = match hit {
                    Hit::Max | Hit::Great => 300.0,
                    Hit::Good => 200.0,
                    Hit::Ok => 100.0,
                    Hit::Meh => 50.0,
                    Hit::Miss => 0.0,
                };
                *sum += worth * combo_weight(after);
                let accuracy = earned as f64 / counted.max(1) as f64;
                let progress = counted as f64 / 305.0 / results.max(1.0);
                let score = 150_000.0 * *sum / most.max(1.0)
                    + 850_000.0 * accuracy.powf(2.0 + 2.0 * accuracy) * progress;
                (score * *factor).round() as i64
            }
        }
    }
}

/// How much a combo multiplies a result.
fn combo_weight(combo: u32) -> f64 {
    (f64::from(combo).ln() / 4.0_f64.ln()).clamp(0.5, 400.0_f64.ln() / 4.0_f64.ln())
}
