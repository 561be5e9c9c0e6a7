//! Spinners as lazer turns them: degrees of the cursor, in one direction at a time.
//!
//! Sources: osu!lazer's `Spinner`, `SpinnerRotationTracker`, `SpinnerSpinHistory`, `DrawableSpinner`.

use super::{Input, book::Book};
use crate::{
    play::Hit,
    standard::{
        judge::{spinners::SPUN_OUT, tally::Pressed},
        objects::{Object, Point, range},
    },
    time::micros,
};

/// Where spinners are.
const MIDDLE: Point = Point { x: 256.0, y: 192.0 };
/// Spins between clearing a spinner and the first large bonus.
const GAP: u32 = 2;

/// A spinner that can be turned.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wheel {
    /// Spins that it asks for.
    needed: u32,
    /// Spins that count, with their bonuses.
    most: u32,
    last: Option<f32>,
    /// Degrees since the last spin was made, either way, and the most of them.
    turned: f32,
    furthest: f32,
    spins: u32,
    /// Degrees that are shown.
    shown: f64,
    at: f64,
}

impl Wheel {
    pub(super) fn new(object: &Object, od: f32) -> Self {
        let seconds = (object.end - object.start).max(0.0) / 1000.0;
        let spins = |rate: f64| (rate / 60.0 * seconds + 0.0001) as u32;
        let needed = spins(range(f64::from(od), 90.0, 150.0, 225.0));
        let complete = spins(range(f64::from(od), 250.0, 380.0, 430.0));
        let most = complete.max(needed.saturating_add(GAP));
        Self { needed, most, ..Self::default() }
    }

    /// What was made of what is asked for.
    fn progress(&self) -> f32 {
        if self.needed == 0 {
            return 1.0;
        }
        (self.spins as f32 * 360.0 + self.furthest) / 360.0 / self.needed as f32
    }

    /// A stop passes. Whether the spinner has its result.
    pub(super) fn update(
        &mut self,
        index: usize,
        object: &Object,
        input: Input,
        (speed, spun_out): (f64, bool),
        book: &mut Book,
    ) -> bool {
        let (x, y) = (input.cursor.x - MIDDLE.x, input.cursor.y - MIDDLE.y);
        let angle = -x.atan2(y).to_degrees();
        let mut by = self.last.map_or(0.0, |last| angle - last);
        self.last = Some(angle);
        if by > 180.0 {
            by -= 360.0;
        }
        if by < -180.0 {
            by += 360.0;
        }
        let passed = input.at - std::mem::replace(&mut self.at, input.at).max(object.start);
        if object.start <= input.at && input.at < object.end {
            if spun_out {
                self.turn(((passed.max(0.0) * SPUN_OUT).to_degrees()) as f32);
            } else if input.held != 0 {
                self.turn((f64::from(by) * speed) as f32);
            }
            self.tell(index, input.at, book);
            self.count(index, input.at, book);
        }
        if input.at < object.end {
            return false;
        }
        book.spins_missed(self.most.saturating_sub(self.spins));
        let progress = self.progress();
        let hit = if progress >= 1.0 {
            Hit::Great
        } else if progress > 0.9 {
            Hit::Ok
        } else if progress > 0.75 {
            Hit::Meh
        } else {
            Hit::Miss
        };
        book.spinner(index, input.at, hit, Pressed::default());
        true
    }

    fn turn(&mut self, by: f32) {
        self.shown += f64::from(by);
        self.turned += by;
        self.furthest = self.furthest.max(self.turned.abs());
    }

    /// Counts the spins that are new.
    fn count(&mut self, index: usize, at: f64, book: &mut Book) {
        while self.furthest >= 360.0 {
            self.turned -= 360.0_f32.copysign(self.turned);
            self.furthest = self.turned.abs();
            if self.spins < self.most {
                book.spin(index, at, self.spins >= self.needed.saturating_add(GAP));
            }
            self.spins += 1;
        }
    }

    /// Writes down how far it is.
    fn tell(&self, index: usize, at: f64, book: &mut Book) {
        let Some(outcome) = book.record.outcome(index) else { return };
        outcome.needed_turns = i32::try_from(self.needed.saturating_mul(1000)).unwrap_or(i32::MAX);
        outcome.turns.push((micros(at), (self.shown / 0.36) as i32));
        if self.progress() >= 1.0 {
            outcome.cleared.get_or_insert(micros(at));
        }
    }
}
