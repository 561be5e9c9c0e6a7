//! Objects as they are drawn: the map's, with what became of them, in whole numbers.

use super::{
    ease::ms,
    path::{self, Path, Place},
};
use crate::{
    mods::bits,
    play::{EventKind, Hit, Outcome},
    stage::{Layout, Stage},
    standard::objects::{self, Field, Kind, PartKind},
    time::{Micros, micros},
};

/// How long objects need to appear, and what the mods change about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// How long before its time an object is seen.
    pub preempt: Micros,
    /// How long it takes to be seen fully.
    pub fade_in: Micros,
    /// Hidden.
    pub hidden: bool,
    /// Sliders grow out of their heads.
    pub snaking_in: bool,
    /// Sliders shrink behind their balls.
    pub snaking_out: bool,
}

/// How long what was hit or missed is still seen, at most.
pub(super) const AFTERGLOW: Micros = ms(300);

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    /// When it is to be hit.
    pub start: Micros,
    /// When it ends.
    pub end: Micros,
    /// From when on it is seen.
    pub appears: Micros,
    /// Until when it is seen.
    pub leaves: Micros,
    /// Where.
    pub at: Place,
    /// Which colour.
    pub colour: usize,
    /// Its number in the combo.
    pub number: u32,
    /// When the circle, or the slider's head, was hit or missed, and whether it was hit.
    pub head: (Micros, bool),
    /// When it shook.
    pub shaken: Vec<Micros>,
    /// Approach circle: Hidden leaves that of the first object alone.
    pub approach: bool,
    pub shape: Shape,
    /// The result, when and where it is shown.
    pub result: Option<(Hit, Micros, Place)>,
}

/// What an object is.
#[derive(Debug)]
pub(super) enum Shape {
    Circle,
    Slider(Box<Slider>),
    Spinner(Box<Spinner>),
}

/// A slider.
#[derive(Debug)]
pub(super) struct Slider {
    pub path: Path,
    /// How often it is gone along.
    pub spans: i64,
    /// How long once takes.
    pub span: Micros,
    pub ticks: Vec<Tick>,
    /// When it turns.
    pub repeats: Vec<Micros>,
    /// When it was followed.
    pub followed: Vec<(Micros, Micros)>,
}

/// A tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tick {
    /// When the ball is there.
    pub at: Micros,
    /// When it is seen first.
    pub appears: Micros,
    pub place: Place,
}

/// A spinner.
#[derive(Debug)]
pub(super) struct Spinner {
    /// Its angle over time, in 1/1000 of a turn.
    pub turns: Vec<(Micros, i32)>,
    pub cleared: Option<Micros>,
    pub needed: i32,
    /// When it gave a bonus.
    pub bonuses: Vec<Micros>,
}

impl Timing {
    pub(super) fn new(stage: &Stage<'_>, field: &Field) -> Self {
        let preempt = micros(field.preempt).max(1000);
        let hidden = stage.mods.has(bits::HIDDEN);
        Self {
            preempt,
            // Source: lazer's `OsuModHidden.FADE_IN_DURATION_MULTIPLIER`.
            fade_in: if hidden { preempt * 2 / 5 } else { micros(field.fade_in).max(1000) },
            hidden,
            snaking_in: stage.options.play.snaking_in,
            snaking_out: stage.options.play.snaking_out,
        }
    }
}

impl Slider {
    /// Where the ball is.
    pub(super) fn ball(&self, since: Micros) -> Place {
        let since = since.clamp(0, self.span * self.spans);
        let span = (since / self.span).min(self.spans - 1);
        let part = since - span * self.span;
        let part = if span % 2 == 1 { self.span - part } else { part };
        self.path.at((i128::from(self.path.length()) * i128::from(part) / i128::from(self.span)) as i64)
    }

    /// Whether its last span ends at its head.
    pub(super) fn ends_at_head(&self) -> bool {
        self.spans % 2 == 0
    }
}

impl Spinner {
    /// Its angle, in 1/1000 of a turn.
    pub(super) fn angle(&self, at: Micros) -> i32 {
        let index = self.turns.partition_point(|(when, _)| *when <= at);
        let before = index.checked_sub(1).and_then(|index| self.turns.get(index));
        match (before, self.turns.get(index)) {
            (Some((from, one)), Some((to, other))) => {
                let way = i64::from(*other) - i64::from(*one);
                let part = i128::from(way) * i128::from(at - from) / i128::from((to - from).max(1));
                (i64::from(*one) + part as i64) as i32
            }
            (Some((_, angle)), None) => *angle,
            _ => 0,
        }
    }
}

/// What the events say of an object beyond its outcome.
#[derive(Debug, Clone, Default)]
struct Told {
    head: Option<(Micros, bool)>,
    bonuses: Vec<Micros>,
}

/// All objects, in the map's order.
pub(super) fn all(stage: &Stage<'_>, field: &Field, timing: &Timing) -> Vec<Object> {
    let mut told = vec![Told::default(); field.objects.len()];
    for event in &stage.play.events {
        let Some(told) = told.get_mut(event.object as usize) else { continue };
        match event.kind {
            EventKind::Head(hit) => told.head = Some((event.at, hit)),
            EventKind::Bonus => told.bonuses.push(event.at),
            _ => {}
        }
    }
    let nothing = Outcome::default();
    let first = field.objects.iter().position(|object| object.kind != Kind::Spinner);
    let objects = field.objects.iter().zip(told).enumerate();
    objects
        .map(|(index, (object, told))| {
            let outcome = stage.play.objects.get(index).unwrap_or(&nothing);
            let approach = !timing.hidden || first == Some(index);
            one(object, outcome, told, approach, timing, &stage.layout)
        })
        .collect()
}

fn one(
    object: &objects::Object,
    outcome: &Outcome,
    told: Told,
    approach: bool,
    timing: &Timing,
    layout: &Layout,
) -> Object {
    let start = micros(object.start);
    let end = micros(object.end).max(start);
    let at = path::place(layout, object.at.x, object.at.y);
    let missed = (outcome.result.map_or(start + ms(200), |_| outcome.judged), false);
    let (shape, head, place) = match &object.kind {
        Kind::Circle => {
            let hit = outcome.result.is_some_and(|result| result != Hit::Miss);
            let head = outcome.pressed.filter(|_| hit).map_or(missed, |at| (at, true));
            (Shape::Circle, head, at)
        }
        Kind::Slider(slider) => {
            let slider = prepared(slider, start, outcome, timing, layout);
            // A head that was neither hit nor missed (the play ended before) stays a while.
            let head = told.head.unwrap_or((start + ms(200), false));
            let place = slider.ball(end - start);
            (Shape::Slider(Box::new(slider)), head, place)
        }
        Kind::Spinner => {
            let spinner = Spinner {
                turns: outcome.turns.clone(),
                cleared: outcome.cleared,
                needed: outcome.needed_turns,
                bonuses: told.bonuses,
            };
            (Shape::Spinner(Box::new(spinner)), (end, false), at)
        }
    };
    let result = outcome.result.map(|hit| (hit, outcome.judged, place));
    let leaves = end.max(head.0).saturating_add(AFTERGLOW);
    Object {
        start,
        end,
        appears: start - timing.preempt,
        leaves,
        at,
        colour: object.colour,
        number: object.number,
        head,
        shaken: outcome.shaken.clone(),
        approach: approach && !matches!(object.kind, Kind::Spinner),
        shape,
        result,
    }
}

fn prepared(
    slider: &objects::Slider,
    start: Micros,
    outcome: &Outcome,
    timing: &Timing,
    layout: &Layout,
) -> Slider {
    let span = micros(slider.span_duration).max(1);
    let ticks = slider.parts.iter().filter(|part| part.kind == PartKind::Tick).map(|part| {
        let at = micros(part.shown);
        let begins = start + span * i64::from(part.span);
        // Source: lazer's `SliderTick`.
        let lead = if part.span > 0 { ms(200) } else { timing.preempt * 66 / 100 };
        Tick {
            at,
            appears: at - (at - begins) / 2 - lead,
            place: path::place(layout, part.place.x, part.place.y),
        }
    });
    let repeats = slider.parts.iter().filter(|part| part.kind == PartKind::Repeat);
    Slider {
        path: Path::new(slider, layout),
        spans: i64::from(slider.spans.max(1)),
        span,
        ticks: ticks.collect(),
        repeats: repeats.map(|part| micros(part.shown)).collect(),
        followed: outcome.followed.clone(),
    }
}
