//! Results at their objects: 300, 100, 50 and miss, as they come and go, and the light of a hit.

use super::{
    ease::{self, ALL, between, ms, out, seen, share},
    looks::{LARGE, Looks, SMALL},
    objects::Object,
    path::Place,
};
use crate::{
    draw::{Blend, Picture, Placement},
    play::Hit,
    stage::Stage,
    time::Micros,
};

/// How long a result is seen, and how long it takes to come and to go. Source: lazer's `LegacyJudgementPieceOld`.
const SHOWN: Micros = ms(1100);
const COMES: Micros = ms(120);
const GOES: Micros = ms(600);
/// How long the light of a hit lasts.
const LIGHT: Micros = ms(320);

/// A result.
#[derive(Debug)]
struct Result {
    at: Micros,
    hit: Hit,
    place: Place,
    colour: usize,
    /// Tells apart which way a miss falls.
    number: usize,
}

/// All results, in order of time.
#[derive(Debug)]
pub(super) struct Results {
    results: Vec<Result>,
    /// Whether they are shown, and the best.
    shown: bool,
    great: bool,
    /// How far a miss falls, in 1/256 pixel.
    falls: i32,
}

impl Results {
    pub(super) fn new(stage: &Stage<'_>, objects: &[Object]) -> Self {
        let result = |(number, object): (usize, &Object)| {
            let (hit, at, place) = object.result?;
            Some(Result { at, hit, place, colour: object.colour, number })
        };
        let mut results: Vec<Result> = objects.iter().enumerate().filter_map(result).collect();
        results.sort_by_key(|result| result.at);
        let play = &stage.options.play;
        Self { results, shown: play.hit_results, great: play.hit_great, falls: stage.layout.scaled(24 * 256) }
    }

    pub(super) fn draw(&self, at: Micros, looks: &Looks, onto: &mut Picture) {
        let from = self.results.partition_point(|result| result.at.saturating_add(SHOWN) <= at);
        let to = self.results.partition_point(|result| result.at <= at);
        for result in self.results.get(from..to).unwrap_or_default() {
            if result.hit != Hit::Miss && at < result.at.saturating_add(LIGHT) {
                let light = looks.colour(result.colour).and_then(|colour| colour.lighting.as_ref()?.at(0));
                if let Some(light) = light {
                    onto.sprite_around(light, result.place, ease::gone(out(share(at, result.at, LIGHT))));
                }
            }
            let great = matches!(result.hit, Hit::Max | Hit::Great);
            if self.shown && (self.great || !great) {
                self.draw_result(at, result, looks, onto);
            }
        }
    }

    fn draw_result(&self, at: Micros, result: &Result, looks: &Looks, onto: &mut Picture) {
        let since = at - result.at;
        let opacity =
            seen(share(at, result.at, COMES)).min(ease::gone(share(at, result.at + SHOWN - GOES, GOES)));
        if result.hit == Hit::Miss {
            return self.draw_miss(at, result, opacity, looks, onto);
        }
        // Up to a tenth more than its size, and back.
        let grows = share(at, result.at, COMES * 4 / 5);
        let settles = share(at, result.at + COMES * 4 / 5, COMES * 3 / 5);
        let size = between(between(SMALL, LARGE, grows), ALL, settles);
        let step = share((size - SMALL).into(), 0, (LARGE - SMALL).into());
        if let Some(sprite) = looks.result(result.hit).once(since, step) {
            onto.sprite_around(sprite, result.place, opacity);
        }
    }

    /// Draws a miss, which falls and turns.
    fn draw_miss(&self, at: Micros, result: &Result, opacity: u8, looks: &Looks, onto: &mut Picture) {
        let Some(image) = looks.miss.at(at - result.at, true) else { return };
        // Animations move by themselves.
        let still = looks.miss.each > 0 && looks.miss.frames.len() > 1;
        let fallen = if still { 0 } else { share(at, result.at, SHOWN) };
        let fallen = ((i64::from(fallen) * i64::from(fallen)) >> 16) as i32;
        let turn = 900 + (result.number * 7919 % 1000) as i32;
        let size = if still { ALL } else { between(ALL / 10 * 16, ALL, out(share(at, result.at, ms(100)))) };
        onto.image(
            image,
            &Placement {
                at: (result.place.0, result.place.1 + between(0, self.falls, fallen)),
                anchor: image.middle(),
                scale: (size, size),
                angle: between(0, if result.number.is_multiple_of(2) { turn } else { -turn }, fallen),
                tint: [255; 3],
                opacity,
                blend: Blend::Over,
            },
        );
    }
}
