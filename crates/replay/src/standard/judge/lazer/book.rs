//! Keeps score by lazer's rules: every part of a slider is a result of its own.

use super::super::{
    score::value,
    standardised::{Standardised, Worth},
    tally::{Pressed, Record},
};
use crate::{
    mods::Mods,
    play::{EventKind, Hit},
    standard::objects::Field,
    time::micros,
};

pub(super) struct Book {
    pub(super) record: Record,
    score: Standardised,
    /// Sliders are judged as a whole, as in stable.
    pub(super) classic: bool,
}

impl Book {
    pub(super) fn new(field: &Field, mods: &Mods, classic: bool) -> Self {
        Self { record: Record::new(field), score: Standardised::new(field, mods, classic), classic }
    }

    /// Enters a result into the score, after the combo knows it.
    fn enter(&mut self, worth: Worth) {
        self.score.add(worth, self.record.state.combo);
        self.refresh();
    }

    fn refresh(&mut self) {
        self.record.state.accuracy = self.score.accuracy();
        self.record.state.score = self.score.score();
    }

    /// A hit raises the combo, a miss breaks it; whether it did.
    fn combo(&mut self, hit: bool) -> bool {
        if hit {
            self.record.raise_combo();
            false
        } else {
            self.record.break_combo()
        }
    }

    /// A result that counts for accuracy.
    fn basic(&mut self, hit: Hit, pressed: Pressed) -> bool {
        let broke = self.combo(hit != Hit::Miss);
        self.record.count(hit);
        if hit != Hit::Miss {
            self.record.count_press(pressed);
        }
        self.enter(Worth::result(value(hit) as u32));
        broke
    }

    fn set_result(&mut self, index: usize, at: f64, hit: Hit) {
        if let Some(outcome) = self.record.outcome(index) {
            outcome.result = Some(hit);
            outcome.judged = micros(at);
        }
    }

    fn set_pressed(&mut self, index: usize, at: f64, hit: Hit) {
        if let Some(outcome) = self.record.outcome(index) {
            outcome.pressed = Some(micros(at));
            outcome.head = Some(hit);
        }
    }

    /// A circle, or a spinner.
    pub(super) fn circle(&mut self, index: usize, at: f64, hit: Hit, pressed: Pressed) {
        self.set_pressed(index, at, hit);
        self.spinner(index, at, hit, pressed);
    }

    /// A spinner.
    pub(super) fn spinner(&mut self, index: usize, at: f64, hit: Hit, pressed: Pressed) {
        let broke = self.basic(hit, pressed);
        self.set_result(index, at, hit);
        self.record.push(micros(at), index, EventKind::Result(hit), pressed, broke);
    }

    /// A slider's head.
    pub(super) fn head(&mut self, index: usize, at: f64, hit: Hit, pressed: Pressed) {
        self.set_pressed(index, at, hit);
        let caught = hit != Hit::Miss;
        let broke = if self.classic {
            if caught {
                self.record.count_press(pressed);
            }
            self.large_tick(caught)
        } else {
            self.basic(hit, pressed)
        };
        self.record.state.slider_breaks += u32::from(broke && self.classic);
        self.record.push(micros(at), index, EventKind::Head(caught), pressed, broke);
    }

    fn large_tick(&mut self, caught: bool) -> bool {
        let broke = self.combo(caught);
        let counts = &mut self.record.state.lazer;
        *if caught { &mut counts.large_tick_hit } else { &mut counts.large_tick_miss } += 1;
        self.enter(Worth::large_tick(caught));
        broke
    }

    /// A slider's tick or repeat.
    pub(super) fn tick(&mut self, index: usize, at: f64, kind: EventKind, caught: bool) {
        let broke = self.large_tick(caught);
        self.record.state.slider_breaks += u32::from(broke);
        self.record.push(micros(at), index, kind, Pressed::default(), broke);
    }

    /// A slider's end: a miss breaks nothing.
    pub(super) fn tail(&mut self, index: usize, at: f64, caught: bool) {
        let counts = &mut self.record.state.lazer;
        if self.classic {
            *if caught { &mut counts.small_tick_hit } else { &mut counts.small_tick_miss } += 1;
            self.enter(Worth::small_tick(caught));
        } else {
            *if caught { &mut counts.slider_tail_hit } else { &mut counts.ignore_miss } += 1;
            if caught {
                self.record.raise_combo();
            }
            self.enter(Worth::tail(caught));
        }
        self.record.push(micros(at), index, EventKind::Tail(caught), Pressed::default(), false);
    }

    /// A slider as a whole: of its parts so many were caught. Without Classic its head was its result already.
    pub(super) fn slider(&mut self, index: usize, at: f64, (caught, parts): (usize, usize), head: Hit) {
        let (hit, broke) = if self.classic {
            let hit = if caught == parts {
                Hit::Great
            } else if caught == 0 {
                Hit::Miss
            } else if caught * 2 >= parts {
                Hit::Ok
            } else {
                Hit::Meh
            };
            (hit, self.basic(hit, Pressed::default()))
        } else {
            let counts = &mut self.record.state.lazer;
            *if caught > 0 { &mut counts.ignore_hit } else { &mut counts.ignore_miss } += 1;
            (head, false)
        };
        self.set_result(index, at, hit);
        self.record.push(micros(at), index, EventKind::Result(hit), Pressed::default(), broke);
    }

    /// A spin that counts, or gives a bonus.
    pub(super) fn spin(&mut self, index: usize, at: f64, large: bool) {
        let counts = &mut self.record.state.lazer;
        *if large { &mut counts.large_bonus } else { &mut counts.small_bonus } += 1;
        self.score.add_bonus(large);
        self.refresh();
        let kind = if large { EventKind::Bonus } else { EventKind::Spin };
        self.record.push(micros(at), index, kind, Pressed::default(), false);
    }

    /// Spins that were not made.
    pub(super) fn spins_missed(&mut self, spins: u32) {
        let counts = &mut self.record.state.lazer;
        counts.ignore_miss = counts.ignore_miss.saturating_add(spins);
    }
}
