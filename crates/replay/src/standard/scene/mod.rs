//! The scene of osu!: circles, sliders and spinners with what became of them, follow points, results, cursor, smoke, flashlight,
//! breaks. The default skin, or a legacy skin's elements at their rules.
//!
//! Promises: everything that the play says is rounded to whole numbers once, here; a moment is drawn from what is prepared and
//! from nothing else, in the same way whatever was drawn before, by any number of threads. What is made when it is first needed
//! (sizes of circles, bodies of sliders) is bounded and does not depend on when that is. Never fails: what a hostile map
//! places anywhere is cut off at the picture's edges.
//!
//! The timing of animations follows the game, as far as lazer's sources (MIT) tell it.

mod bodies;
mod body;
mod breaks;
mod circles;
mod cursor;
mod dark;
mod ease;
mod looks;
mod objects;
mod path;
mod points;
mod reach;
mod results;
mod sliders;
mod spinners;
mod steps;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use self::{
    bodies::Bodies,
    breaks::Breaks,
    cursor::Cursor,
    dark::Dark,
    looks::Looks,
    objects::{Object, Shape, Timing},
    points::Points,
    results::Results,
    spinners::SpinnerLooks,
};
use super::objects::Field;
use crate::{
    draw::Picture,
    spans::Spans,
    stage::{Layer, Moment, Stage},
};

/// Everything of osu! that is drawn between backdrop and HUD.
#[derive(Debug)]
pub struct Scene {
    timing: Timing,
    looks: Looks,
    objects: Vec<Object>,
    /// When each object is seen.
    seen: Spans,
    bodies: Bodies,
    spinners: SpinnerLooks,
    points: Points,
    results: Results,
    cursor: Cursor,
    dark: Option<Dark>,
    breaks: Breaks,
}

impl Scene {
    /// Prepares it.
    #[must_use]
    pub fn new(stage: &Stage<'_>, field: &Field) -> Self {
        let timing = Timing::new(stage, field);
        let looks = Looks::new(stage, field);
        let objects = objects::all(stage, field, &timing);
        let seen = Spans::new(objects.iter().map(|object| (object.appears, object.leaves)));
        let cursor = Cursor::new(stage);
        Self {
            bodies: Bodies::new(stage.layout),
            spinners: SpinnerLooks::new(stage),
            points: Points::new(stage, field, &objects),
            results: Results::new(stage, &objects),
            dark: Dark::new(stage, &objects),
            breaks: Breaks::new(stage),
            timing,
            looks,
            objects,
            seen,
            cursor,
        }
    }
}

impl Layer for Scene {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let at = moment.at;
        self.cursor.draw_smoke(at, &self.looks, onto);
        let seen = self.seen.at(at);
        let objects = || seen.iter().rev().filter_map(|index| Some((*index, self.objects.get(*index)?)));
        for (_, object) in objects() {
            if let Shape::Spinner(spinner) = &object.shape {
                self.spinners.draw(at, object, spinner, self.timing.hidden, onto);
            }
        }
        self.points.draw(at, &self.looks, onto);
        self.results.draw(at, &self.looks, onto);
        for (index, object) in objects() {
            match &object.shape {
                Shape::Circle => circles::draw(at, object, &self.timing, &self.looks, onto),
                Shape::Slider(slider) => {
                    let body = self.bodies.get(index, slider, object, &self.looks);
                    sliders::draw(at, object, slider, body.as_deref(), &self.timing, &self.looks, onto);
                }
                Shape::Spinner(_) => {}
            }
        }
        for (_, object) in objects() {
            circles::draw_approach(at, object, &self.timing, &self.looks, onto);
        }
        if let Some(dark) = &self.dark {
            dark.draw(at, &self.cursor, onto);
        }
        self.breaks.draw(at, onto);
        self.cursor.draw(at, &self.looks, onto);
    }
}
