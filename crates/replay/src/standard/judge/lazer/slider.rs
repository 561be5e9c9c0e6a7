//! Sliders as lazer judges them: head, ticks, repeats and end each for themselves.
//!
//! Sources: osu!lazer's `SliderInputManager`, `DrawableSlider`, `DrawableSliderHead`.

use super::{Input, book::Book};
use crate::{
    play::{EventKind, Hit},
    standard::{
        judge::{
            hand::Hand,
            sliders::{FOLLOW, within},
            tally::Pressed,
        },
        objects::{Object, Part, PartKind, Slider},
    },
    time::micros,
};

/// So much before its end a slider's end can be caught, in milliseconds.
const LENIENCY: f64 = 36.0;

/// How far the cursor may have been from the line between two frames, in osu! pixels: following begins within this much more.
const UNKNOWN: f32 = 1.0;

/// A slider that can be played.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Following {
    head: Option<Hit>,
    hand: Hand<f64>,
    /// Since when it is followed.
    since: Option<f64>,
    next: usize,
    caught: usize,
    numbers: (u16, u16),
}

impl Following {
    /// The head's result, if it has one.
    pub(super) fn head(&self) -> Option<Hit> {
        self.head
    }

    /// A press met the head.
    pub(super) fn pressed(&mut self, button: u8) {
        self.hand.press(button);
    }

    /// Whether the cursor is in the ball's circle, which is larger while it is followed.
    fn is_on_ball(object: &Object, slider: &Slider, input: Input, radius: f32) -> bool {
        let ball = slider.ball(input.at.clamp(object.start, object.end) - object.start);
        within(input.cursor, ball, radius)
    }

    /// Whether the ball is followed from now on.
    fn track(&mut self, index: usize, object: &Object, input: Input, in_place: bool, book: &mut Book) {
        let holds = self.hand.holds(input.at, input.held);
        if holds && in_place {
            self.since.get_or_insert(input.at);
        } else {
            self.stop(index, object, input.at, book);
        }
    }

    /// It is no longer followed.
    fn stop(&mut self, index: usize, object: &Object, at: f64, book: &mut Book) {
        if let Some(since) = self.since.take()
            && at > object.start
            && let Some(outcome) = book.record.outcome(index)
        {
            outcome.followed.push((micros(since.max(object.start)), micros(at)));
        }
    }

    /// Its head has a result. If it was hit late, what the ball passed is caught with it, if the cursor was near all of it.
    pub(super) fn judge_head(
        &mut self,
        index: usize,
        (object, slider): (&Object, &Slider),
        input: Input,
        radius: f32,
        (hit, pressed): (Hit, Pressed),
        book: &mut Book,
    ) {
        self.head = Some(hit);
        self.caught += usize::from(hit != Hit::Miss);
        book.head(index, input.at, hit, pressed);
        let wide = radius * FOLLOW;
        if hit == Hit::Miss || !Self::is_on_ball(object, slider, input, wide) {
            return;
        }
        let passed = |part: &&Part| part.shown <= input.at;
        let mut parts = slider.parts.get(self.next..).unwrap_or_default().iter().take_while(passed);
        let all = parts.all(|part| within(input.cursor, slider.ball(part.shown - object.start), wide));
        while slider.parts.get(self.next).as_ref().is_some_and(passed) {
            self.judge_part(index, slider, input.at, all, book);
        }
        let in_place = all || Self::is_on_ball(object, slider, input, radius);
        self.track(index, object, input, in_place, book);
    }

    fn judge_part(&mut self, index: usize, slider: &Slider, at: f64, caught: bool, book: &mut Book) {
        let Some(part) = slider.parts.get(self.next) else { return };
        self.next += 1;
        self.caught += usize::from(caught);
        match part.kind {
            PartKind::Tick => {
                book.tick(index, at, EventKind::Tick(caught, self.numbers.0), caught);
                self.numbers.0 = self.numbers.0.saturating_add(1);
            }
            PartKind::Repeat => {
                book.tick(index, at, EventKind::Repeat(caught, self.numbers.1), caught);
                self.numbers.1 = self.numbers.1.saturating_add(1);
            }
            PartKind::Tail => book.tail(index, at, caught),
        }
    }

    /// A stop passes; `late` says that a head without a result is missed. Whether the slider has its result.
    pub(super) fn update(
        &mut self,
        index: usize,
        (object, slider): (&Object, &Slider),
        input: Input,
        radius: f32,
        late: bool,
        book: &mut Book,
    ) -> bool {
        let radius_now = if self.since.is_some() { radius * FOLLOW } else { radius + UNKNOWN };
        let in_place = Self::is_on_ball(object, slider, input, radius_now);
        self.track(index, object, input, in_place, book);
        while let Some(part) = slider.parts.get(self.next).filter(|_| self.head.is_some()) {
            let off = input.at - part.shown;
            let early = if part.kind == PartKind::Tail { -LENIENCY } else { 0.0 };
            if off < early || (self.since.is_none() && off < 0.0) {
                break;
            }
            self.judge_part(index, slider, input.at, self.since.is_some(), book);
        }
        if self.head.is_none() && late {
            self.judge_head(index, (object, slider), input, radius, (Hit::Miss, Pressed::default()), book);
        }
        if self.next < slider.parts.len() || input.at < object.end {
            return false;
        }
        self.stop(index, object, input.at, book);
        let parts = slider.parts.len() + 1;
        book.slider(index, input.at, (self.caught, parts), self.head.unwrap_or(Hit::Miss));
        true
    }
}
