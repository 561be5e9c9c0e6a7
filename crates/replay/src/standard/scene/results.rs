//! Results at their objects: 300, 100, 50 and miss, as they come and go, and the light of a hit.

use super::{
    ease::{self, ALL, between, ms, out, seen, share},
    looks::Looks,
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
        let pictures = looks.result(result.hit);
        let since = at - result.at;
        let Some(image) = pictures.at(since, true) else { return };
        let opacity =
            seen(share(at, result.at, COMES)).min(ease::gone(share(at, result.at + SHOWN - GOES, GOES)));
        let (mut place, mut angle) = (result.place, 0);
        // Animations move by themselves.
        let size = if pictures.each > 0 {
            ALL
        } else if result.hit == Hit::Miss {
            let fallen = share(at, result.at, SHOWN);
            let fallen = ((i64::from(fallen) * i64::from(fallen)) >> 16) as i32;
            place.1 += between(0, self.falls, fallen);
            let turn = 900 + (result.number * 7919 % 1000) as i32;
            angle = between(0, if result.number % 2 == 0 { turn } else { -turn }, fallen);
            between(ALL / 10 * 16, ALL, out(share(at, result.at, ms(100))))
        } else {
            // Up to a tenth more than its size, and back. Times are shares of its coming.
            let grows = share(at, result.at, COMES * 4 / 5);
            let settles = share(at, result.at + COMES * 4 / 5, COMES * 3 / 5);
            between(between(ALL / 10 * 6, ALL / 10 * 11, grows), ALL, settles)
        };
        onto.image(
            image,
            &Placement {
                at: place,
                anchor: image.middle(),
                scale: (size, size),
                angle,
                tint: [255; 3],
                opacity,
                blend: Blend::Over,
            },
        );
    }
}
