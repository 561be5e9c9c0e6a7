//! Sliders as stable judges them: one result for the share of parts that were caught.
//!
//! A part is caught if the ball was followed when its time came. Following begins within the circle's radius and goes on within
//! [`FOLLOW`] times it. Times are whole milliseconds, cut off. Sources: osu!lazer's `SliderInputManager` and `DrawableSlider`
//! (Classic), and the collected replays.

use super::{
    hand::Hand,
    tally::{Pressed, Tally},
    times::Times,
};
use crate::{
    play::{EventKind, Hit},
    standard::objects::{Object, PartKind, Point, Slider},
    time::micros,
};

/// How much larger the circle around the ball is while it is followed.
pub(super) const FOLLOW: f32 = 2.4;

/// What the player does at a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Input {
    /// Milliseconds of the map.
    pub(super) at: i32,
    /// The cursor.
    pub(super) cursor: Point,
    /// What is held: [`LEFT`], [`RIGHT`].
    pub(super) held: u8,
}

/// The left button, or its key.
pub(super) const LEFT: u8 = 1;
/// The right button, or its key.
pub(super) const RIGHT: u8 = 2;

/// Whether two places are at most so far apart.
pub(super) fn within(one: Point, other: Point, radius: f32) -> bool {
    let (x, y) = (one.x - other.x, one.y - other.y);
    x * x + y * y <= radius * radius
}

/// A slider that can be played.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Following {
    /// Whether its head was hit; nothing while that is open.
    pub(super) head: Option<bool>,
    hand: Hand<i32>,
    /// Since when it is followed.
    since: Option<i32>,
    /// The next part to be judged.
    next: usize,
    /// How many parts, with the head, were caught.
    caught: usize,
    /// How many times it broke the combo.
    breaks: u32,
    /// How many ticks and repeats were judged.
    numbers: (u16, u16),
}

impl Following {
    /// Its head was hit or missed.
    pub(super) fn head(
        &mut self,
        index: usize,
        at: i32,
        button: u8,
        hit: bool,
        pressed: Pressed,
        tally: &mut Tally<'_>,
    ) {
        self.head = Some(hit);
        if hit {
            self.hand.press(button);
            self.caught += 1;
        }
        let at = micros(f64::from(at));
        if let Some(outcome) = tally.outcome(index) {
            outcome.pressed = Some(at);
            outcome.head = Some(if hit { Hit::Great } else { Hit::Miss });
        }
        let broke = tally.part(at, index, EventKind::Head(hit), pressed);
        self.breaks += u32::from(broke);
    }

    /// A frame passes; `radius` is that of circles, `latest` the last millisecond in which the head can be hit. Whether the slider
    /// has its result.
    pub(super) fn update(
        &mut self,
        index: usize,
        (object, slider, times): (&Object, &Slider, &Times),
        input: Input,
        (radius, latest): (f32, i32),
        tally: &mut Tally<'_>,
    ) -> bool {
        let (start, end) = (object.start.floor() as i32, times.end);
        if self.head.is_none() && (input.at > latest || input.at >= end) {
            self.head(index, input.at, 0, false, Pressed::default(), tally);
        }
        let holds = self.hand.holds(input.at, input.held);
        if input.at < start {
            return false;
        }
        let ball = slider.ball(f64::from(input.at.min(end)) - object.start);
        let radius = if self.since.is_some() { radius * FOLLOW } else { radius };
        if holds && within(input.cursor, ball, radius) {
            self.since.get_or_insert(input.at);
        } else if let Some(since) = self.since.take() {
            self.stop(index, since, input.at, tally);
        }
        while let Some((part, &due)) = slider.parts.get(self.next).zip(times.parts.get(self.next)) {
            if due.floor() > f64::from(input.at) {
                break;
            }
            self.next += 1;
            let caught = self.since.is_some_and(|since| f64::from(since) < due);
            self.caught += usize::from(caught);
            let kind = match part.kind {
                PartKind::Tick => {
                    self.numbers.0 = self.numbers.0.saturating_add(1);
                    EventKind::Tick(caught, self.numbers.0 - 1)
                }
                PartKind::Repeat => {
                    self.numbers.1 = self.numbers.1.saturating_add(1);
                    EventKind::Repeat(caught, self.numbers.1 - 1)
                }
                PartKind::Tail => EventKind::Tail(caught),
            };
            let broke = tally.part(micros(f64::from(input.at)), index, kind, Pressed::default());
            self.breaks += u32::from(broke);
        }
        if input.at < end {
            return false;
        }
        self.finish(index, input.at, slider.parts.len() + 1, tally);
        true
    }

    /// It is no longer followed.
    fn stop(&self, index: usize, since: i32, at: i32, tally: &mut Tally<'_>) {
        if let Some(outcome) = tally.outcome(index) {
            outcome.followed.push((micros(f64::from(since)), micros(f64::from(at))));
        }
    }

    fn finish(&mut self, index: usize, at: i32, parts: usize, tally: &mut Tally<'_>) {
        if let Some(since) = self.since.take() {
            self.stop(index, since, at, tally);
        }
        let hit = if self.caught == parts {
            Hit::Great
        } else if self.caught * 2 >= parts {
            Hit::Ok
        } else if self.caught > 0 {
            Hit::Meh
        } else {
            Hit::Miss
        };
        if hit == Hit::Miss {
            // It counts as a miss, and not as breaks besides.
            tally.record.state.slider_breaks = tally.record.state.slider_breaks.saturating_sub(self.breaks);
        }
        tally.result(micros(f64::from(at)), index, hit, Pressed::default());
    }
}
