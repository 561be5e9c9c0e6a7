//! Lazer's score: half a million for the combo, half a million for accuracy, and bonuses.
//!
//! Source: osu!lazer's `ScoreProcessor`, `OsuScoreMultiplierCalculatorV1`.

use crate::{
    mods::{Adjusted, Mods, bits},
    standard::objects::{Field, Kind},
};

/// What a result is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Worth {
    /// What it counts.
    pub(super) got: u32,
    /// What it counts at best.
    pub(super) most: u32,
    /// Whether it belongs to the combo.
    pub(super) combo: bool,
}

impl Worth {
    /// A result of a circle, a head, a spinner.
    pub(super) fn result(got: u32) -> Self {
        Self { got, most: 300, combo: true }
    }

    /// A tick or a repeat; with Classic a head.
    pub(super) fn large_tick(caught: bool) -> Self {
        Self { got: if caught { 30 } else { 0 }, most: 30, combo: true }
    }

    /// A slider's end.
    pub(super) fn tail(caught: bool) -> Self {
        Self { got: if caught { 150 } else { 0 }, most: 150, combo: true }
    }

    /// A slider's end with Classic.
    pub(super) fn small_tick(caught: bool) -> Self {
        Self { got: if caught { 10 } else { 0 }, most: 10, combo: false }
    }
}

/// Sums over results.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    got: u64,
    most: u64,
    judged: u32,
    combo: f64,
}

impl Sums {
    /// A result, at the combo after it.
    fn add(&mut self, worth: Worth, combo: u32) {
        self.got += u64::from(worth.got);
        self.most += u64::from(worth.most);
        self.judged = self.judged.saturating_add(1);
        // A missed end is no result for the combo's share, and neither breaks it.
        if worth.got > 0 || worth.most != 150 {
            self.combo += f64::from(worth.most) * f64::from(combo).sqrt();
        }
    }
}

/// The score so far, and that of a perfect play.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standardised {
    so_far: Sums,
    perfect: Sums,
    bonus: u64,
    multiplier: f64,
}

impl Standardised {
    /// Nothing so far, on these objects. `classic` sliders are judged as a whole.
    pub(super) fn new(field: &Field, mods: &Mods, classic: bool) -> Self {
        let (mut perfect, mut combo) = (Sums::default(), 0_u32);
        let mut add = |worth: Worth| {
            combo += u32::from(worth.combo);
            perfect.add(worth, combo);
        };
        for object in &field.objects {
            let Kind::Slider(slider) = &object.kind else {
                add(Worth::result(300));
                continue;
            };
            add(if classic { Worth::large_tick(true) } else { Worth::result(300) });
            slider.parts.iter().skip(1).for_each(|_| add(Worth::large_tick(true)));
            add(if classic { Worth::small_tick(true) } else { Worth::tail(true) });
            if classic {
                add(Worth::result(300));
            }
        }
        Self { so_far: Sums::default(), perfect, bonus: 0, multiplier: multiplier(mods) }
    }

    /// A result, at the combo after it.
    pub(super) fn add(&mut self, worth: Worth, combo: u32) {
        self.so_far.add(worth, combo);
    }

    /// A spin with a bonus.
    pub(super) fn add_bonus(&mut self, large: bool) {
        self.bonus += if large { 50 } else { 10 };
    }

    fn share(over: f64, under: f64) -> f64 {
        if under > 0.0 { over / under } else { 1.0 }
    }

    /// In millionths.
    pub(super) fn accuracy(&self) -> u32 {
        (self.so_far.got * 1_000_000).checked_div(self.so_far.most).map_or(1_000_000, |share| share as u32)
    }

    pub(super) fn score(&self) -> i64 {
        let accuracy = Self::share(self.so_far.got as f64, self.so_far.most as f64);
        let combo = Self::share(self.so_far.combo, self.perfect.combo);
        let judged = Self::share(f64::from(self.so_far.judged), f64::from(self.perfect.judged));
        let sum = 500_000.0 * accuracy * combo + 500_000.0 * accuracy.powi(5) * judged + self.bonus as f64;
        (sum.round_ties_even() * self.multiplier).round_ties_even() as i64
    }
}

/// What mods make of a score, as it was up to the score version 30000016.
fn multiplier(mods: &Mods) -> f64 {
    let table = [
        (bits::NO_FAIL, 0.5),
        (bits::EASY, 0.5),
        (bits::HIDDEN, 1.06),
        (bits::HARD_ROCK, 1.06),
        (bits::FLASHLIGHT, 1.12),
        (bits::SPUN_OUT, 0.9),
        (bits::RELAX, 0.1),
        (bits::AUTOPILOT, 0.1),
    ];
    let bits: f64 = table.iter().filter(|(bit, _)| mods.has(*bit)).map(|(_, factor)| factor).product();
    let speed = mods.speed.as_f64();
    let beyond = (speed * 10.0).trunc() / 10.0 - 1.0;
    let speed = if speed >= 1.0 { 1.0 + beyond / 5.0 } else { 0.6 + beyond };
    let adjusted = if mods.adjusted == Adjusted::default() { 1.0 } else { 0.5 };
    bits * speed * adjusted * if mods.classic { 0.96 } else { 1.0 }
}
