//! Keeps the game's state and writes down what happens.

use super::score::{self, Award, ScoreV1};
use crate::{
    play::{Event, EventKind, Hit, Outcome, Play, State},
    standard::objects::{Field, Kind, Point},
    time::Micros,
};

/// A press that judged an object: how far from its time and from its middle it was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pressed {
    /// In microseconds.
    pub(super) off: Option<i32>,
    /// In 1/1000 of the radius.
    pub(super) aim: Option<(i16, i16)>,
}

impl Pressed {
    /// A press so many milliseconds after an object's time, there, where the object is at `middle`.
    pub(super) fn new(off: f64, cursor: Point, middle: Point, radius: f32) -> Self {
        let share = |from: f32, to: f32| ((to - from) / radius.max(0.1) * 1000.0) as i16;
        Self {
            off: Some((off * 1000.0).round() as i32),
            aim: Some((share(middle.x, cursor.x), share(middle.y, cursor.y))),
        }
    }
}

/// The play so far, and the game's state.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) play: Play,
    pub(super) state: State,
}

impl Record {
    pub(super) fn new(field: &Field) -> Self {
        Self {
            play: Play { objects: vec![Outcome::default(); field.objects.len()], ..Play::default() },
            state: State { accuracy: 1_000_000, ..State::default() },
        }
    }

    /// What became of an object so far.
    pub(super) fn outcome(&mut self, object: usize) -> Option<&mut Outcome> {
        self.play.objects.get_mut(object)
    }

    /// Whether an object has its result.
    pub(super) fn is_judged(&self, object: usize) -> bool {
        self.play.objects.get(object).is_none_or(|outcome| outcome.result.is_some())
    }

    pub(super) fn raise_combo(&mut self) {
        self.state.combo = self.state.combo.saturating_add(1);
        self.state.max_combo = self.state.max_combo.max(self.state.combo);
    }

    /// Ends the combo; whether there was one.
    pub(super) fn break_combo(&mut self) -> bool {
        std::mem::take(&mut self.state.combo) > 0
    }

    /// Writes down what happened, with the state after it.
    pub(super) fn push(&mut self, at: Micros, object: usize, kind: EventKind, pressed: Pressed, broke: bool) {
        let Pressed { off, aim } = pressed;
        let object = u32::try_from(object).unwrap_or(u32::MAX);
        self.play.events.push(Event { at, object, kind, off, aim, broke, after: self.state });
    }

    /// Counts a result.
    pub(super) fn count(&mut self, hit: Hit) {
        let counts = &mut self.state.counts;
        let count = match hit {
            Hit::Max | Hit::Great | Hit::Good => &mut counts.n300,
            Hit::Ok => &mut counts.n100,
            Hit::Meh => &mut counts.n50,
            Hit::Miss => &mut counts.miss,
        };
        *count += 1;
    }

    /// Counts a press for the unstable rate.
    pub(super) fn count_press(&mut self, pressed: Pressed) {
        if let Some(off) = pressed.off.map(i64::from) {
            let (count, sum, squares) = self.state.presses;
            self.state.presses =
                (count.saturating_add(1), sum.saturating_add(off), squares.saturating_add(off * off));
        }
    }

    /// The play, ended.
    pub(super) fn finish(mut self) -> Play {
        self.play.results = u32::try_from(self.play.objects.len()).unwrap_or(u32::MAX);
        self.play.end = self.state;
        self.play
    }
}

/// Keeps score by stable's rules.
pub(super) struct Tally<'a> {
    field: &'a Field,
    pub(super) record: Record,
    score: ScoreV1,
    combo_colours: Colours,
}

/// The results of the objects of one colour: what its last object shows depends on all of them.
#[derive(Debug, Clone, Copy, Default)]
struct Colours {
    /// One was worse than 300.
    not_great: bool,
    /// One was a 50 or a miss.
    bad: bool,
}

impl<'a> Tally<'a> {
    pub(super) fn new(field: &'a Field, score: ScoreV1) -> Self {
        Self { field, record: Record::new(field), score, combo_colours: Colours::default() }
    }

    /// What became of an object so far.
    pub(super) fn outcome(&mut self, object: usize) -> Option<&mut Outcome> {
        self.record.outcome(object)
    }

    fn award(&mut self, award: Award) {
        let state = &mut self.record.state;
        state.score = state.score.saturating_add(self.score.points(award, state.combo));
    }

    /// A part of a slider was caught or not. Whether that broke the combo.
    pub(super) fn part(&mut self, at: Micros, object: usize, kind: EventKind, pressed: Pressed) -> bool {
        let (caught, award, breaks) = match kind {
            EventKind::Head(caught) | EventKind::Repeat(caught, _) => (caught, Award::End, true),
            EventKind::Tick(caught, _) => (caught, Award::Tick, true),
            EventKind::Tail(caught) => (caught, Award::End, false),
            _ => return false,
        };
        let mut broke = false;
        if caught {
            self.record.count_press(pressed);
            self.record.raise_combo();
            self.award(award);
        } else if breaks {
            broke = self.record.break_combo();
            self.record.state.slider_breaks += u32::from(broke);
        }
        self.record.push(at, object, kind, pressed, broke);
        broke
    }

    /// A spinner turned once more.
    pub(super) fn spin(&mut self, at: Micros, object: usize, bonus: bool) {
        let (award, kind) =
            if bonus { (Award::Bonus, EventKind::Bonus) } else { (Award::Spin, EventKind::Spin) };
        self.award(award);
        self.record.push(at, object, kind, Pressed::default(), false);
    }

    /// An object has its result. A slider's parts have made its combo; others raise it.
    pub(super) fn result(&mut self, at: Micros, object: usize, hit: Hit, pressed: Pressed) {
        let slider =
            self.field.objects.get(object).is_some_and(|object| matches!(object.kind, Kind::Slider(_)));
        let last = self.field.objects.get(object.saturating_add(1)).is_none_or(|next| next.new_combo);
        self.record.count(hit);
        let mut broke = false;
        if hit == Hit::Miss {
            broke = self.record.break_combo();
        } else {
            self.record.count_press(pressed);
            self.award(Award::Result(hit));
            if !slider {
                self.record.raise_combo();
            }
        }
        self.record.state.accuracy = score::accuracy(&self.record.state);
        self.combo_colours.not_great |= hit != Hit::Great;
        self.combo_colours.bad |= matches!(hit, Hit::Meh | Hit::Miss);
        let mut combo_end = 0;
        if last {
            let colours = std::mem::take(&mut self.combo_colours);
            if !colours.not_great {
                combo_end = 2;
                self.record.state.counts.geki += 1;
            } else if !colours.bad {
                combo_end = 1;
                self.record.state.counts.katu += 1;
            }
        }
        if let Some(outcome) = self.outcome(object) {
            outcome.result = Some(hit);
            outcome.judged = at;
            outcome.combo_end = combo_end;
        }
        self.record.push(at, object, EventKind::Result(hit), pressed, broke);
    }
}
