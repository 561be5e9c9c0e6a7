//! Spinners as stable turns them: a wheel that follows the cursor with a limited acceleration, and half turns that count.

use super::{
    sliders::Input,
    tally::{Pressed, Tally},
};
use crate::{
    play::Hit,
    standard::objects::{Object, Point, range},
    time::micros,
};

/// The fastest that the wheel turns, in radians per millisecond.
const FASTEST: f64 = 0.05;
/// How fast Spun Out turns it, in radians per millisecond.
pub(super) const SPUN_OUT: f64 = 0.03;
/// What a frame takes at 60 Hz, in milliseconds.
const FRAME: f64 = 1000.0 / 60.0;
/// Where spinners are.
const MIDDLE: Point = Point { x: 256.0, y: 192.0 };

/// What is the same for all spinners of a play.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rules {
    /// Half turns in a second that a spinner asks for.
    pub(super) rate: f64,
    /// How fast the map runs.
    pub(super) speed: f64,
    /// It turns by itself.
    pub(super) spun_out: bool,
    /// Turning needs no button.
    pub(super) free: bool,
}

impl Rules {
    pub(super) fn half_turns(od: f32) -> f64 {
        range(f64::from(od), 3.0, 5.0, 7.5)
    }
}

/// A spinner that can be turned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wheel {
    /// Half turns that it asks for.
    needed: i32,
    /// How much faster it may get in each millisecond.
    acceleration: f64,
    velocity: f64,
    wanted: f64,
    angle: f64,
    /// Frames in a row at which the cursor did not move.
    still: u32,
    /// The usual time between frames, in milliseconds.
    pace: f64,
    last: Option<i32>,
    /// Half turns, whichever way.
    turned: f64,
    counted: i32,
    scored: i32,
    /// The angle that is shown, in radians.
    shown: f64,
}

impl Wheel {
    pub(super) fn new(object: &Object, rules: Rules) -> Self {
        let length = (object.end.floor() - object.start.floor()).max(0.0);
        Self {
            needed: (length / 1000.0 * rules.rate) as i32,
            acceleration: (0.000_08 + (5000.0 - length).max(0.0) / 2e6) / rules.speed,
            velocity: 0.0,
            wanted: 0.0,
            angle: 0.0,
            still: 0,
            pace: FRAME,
            last: None,
            turned: 0.0,
            counted: 0,
            scored: 0,
            shown: 0.0,
        }
    }

    /// A frame passes. Whether the spinner has its result.
    pub(super) fn update(
        &mut self,
        index: usize,
        object: &Object,
        input: Input,
        rules: Rules,
        tally: &mut Tally<'_>,
    ) -> bool {
        let (start, end) = (object.start.floor() as i32, object.end.floor() as i32);
        if input.at < start {
            return false;
        }
        let at = micros(f64::from(input.at));
        if let Some(last) = self.last.replace(input.at) {
            self.turn(f64::from(input.at - last), input, rules);
            let turns = (self.shown / std::f64::consts::TAU * 1000.0) as i32;
            if let Some(outcome) = tally.outcome(index) {
                outcome.turns.push((at, turns));
            }
            self.count(index, at, tally);
        } else if let Some(outcome) = tally.outcome(index) {
            self.angle = angle(input.cursor);
            outcome.needed_turns = self.needed.saturating_mul(500);
            outcome.turns.push((at, 0));
        }
        if input.at < end {
            return false;
        }
        let hit = if rules.spun_out || self.scored > self.needed {
            Hit::Great
        } else if self.scored == self.needed {
            Hit::Ok
        } else if self.scored + 1 == self.needed {
            Hit::Meh
        } else {
            Hit::Miss
        };
        tally.result(at, index, hit, Pressed::default());
        true
    }

    /// Turns it by what a frame of so many milliseconds gives.
    fn turn(&mut self, passed: f64, input: Input, rules: Rules) {
        use std::f64::consts::{PI, TAU};
        let passed = passed.max(0.0);
        let real = passed / rules.speed;
        let kept = 0.999_f64.powf(real);
        self.pace = kept * self.pace + (1.0 - kept) * real;
        let now = angle(input.cursor);
        let mut moved = now - self.angle;
        if moved < -PI {
            moved += TAU;
        } else if moved > PI {
            moved -= TAU;
        }
        self.angle = now;
        if rules.spun_out {
            self.wanted = SPUN_OUT;
        } else if moved == 0.0 {
            self.still += 1;
            self.wanted = if self.still == 1 { self.wanted / 3.0 } else { 0.0 };
        } else {
            self.still = 0;
            if input.held == 0 && !rules.free {
                moved = 0.0;
            }
            let over = if self.pace > FRAME * 1.04 { real } else { FRAME };
            self.wanted = if moved.abs() < PI { moved / over.max(1.0) } else { 0.0 };
        }
        let most = self.acceleration * passed;
        self.velocity += (self.wanted - self.velocity).clamp(-most, most);
        self.velocity = self.velocity.clamp(-FASTEST, FASTEST);
        let by = self.velocity * passed;
        self.shown += by;
        self.turned += (by / PI).abs();
    }

    /// Counts the half turns that are new: every second one gives points.
    fn count(&mut self, index: usize, at: crate::time::Micros, tally: &mut Tally<'_>) {
        let turned = self.turned as i32;
        if turned == self.counted {
            return;
        }
        self.scored += turned - self.counted;
        self.counted = turned;
        let over = self.scored - self.needed - 3;
        if over > 0 && over % 2 == 0 {
            tally.spin(at, index, true);
        } else if self.scored > 1 && self.scored % 2 == 0 {
            tally.spin(at, index, false);
        }
        if self.scored > self.needed
            && let Some(outcome) = tally.outcome(index)
        {
            outcome.cleared.get_or_insert(at);
        }
    }
}

/// The cursor's angle around the middle.
fn angle(cursor: Point) -> f64 {
    f64::from(cursor.y - MIDDLE.y).atan2(f64::from(cursor.x - MIDDLE.x))
}
