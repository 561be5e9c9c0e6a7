//! The cursor as the replay moved it, with its trail, and smoke.
//!
//! Trail and smoke are lights at even distances along the cursor's way, so that they stay where they are from one frame to the
//! next.

use super::{
    ease::{self, ALL, ms, seen, share},
    looks::Looks,
    path::{self, Place},
};
use crate::{
    draw::{Blend, Picture, Placement, raster::distance},
    osr::keys,
    stage::Stage,
    time::Micros,
};

/// How long a trail's light is seen, where the trail is long or short. Source: lazer's `LegacyCursorTrail`, `CursorTrail`.
const LONG: Micros = ms(260);
const SHORT: Micros = ms(150);
/// Lights of a trail that are drawn at most.
const MOST_LIGHTS: i64 = 200;
/// How long the cursor takes to grow, and to shrink. Source: lazer's `LegacyCursor`.
const GROWS: Micros = ms(100);
/// How long it takes to turn once. Source: lazer's `LegacyCursor`.
const TURN: Micros = ms(10_000);
/// How long smoke is seen, and how long it takes to go.
const SMOKE: Micros = ms(4_000);
const SMOKE_GOES: Micros = ms(1_000);
/// Puffs that are drawn at most.
const MOST_PUFFS: usize = 2_000;

/// Where the cursor was.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: Micros,
    place: Place,
    /// How far it had come, in 1/256 pixel.
    come: i64,
}

/// The cursor's way.
#[derive(Debug)]
pub(super) struct Cursor {
    points: Vec<Point>,
    /// When something was held.
    held: Vec<(Micros, Micros)>,
    /// Puffs of smoke, in order of time.
    smoke: Vec<(Micros, Place)>,
    trail: bool,
}

impl Cursor {
    pub(super) fn new(stage: &Stage<'_>) -> Self {
        let mut points: Vec<Point> = Vec::with_capacity(stage.replay.frames.len());
        for frame in &stage.replay.frames {
            let point = (i64::from(frame.at) * 1000, path::place(&stage.layout, frame.x, frame.y));
            let (at, place) = point;
            let come = points.last().map_or(0, |last| last.come + i64::from(distance(last.place, place)));
            points.push(Point { at, place, come });
        }
        let pressed = keys::M1 | keys::M2 | keys::K1 | keys::K2;
        let stretches = |bits: u8| {
            let mut found: Vec<(Micros, Micros)> = Vec::new();
            let mut since = None;
            for frame in &stage.replay.frames {
                let at = i64::from(frame.at) * 1000;
                match (frame.keys & bits != 0, since) {
                    (true, None) => since = Some(at),
                    (false, Some(from)) => {
                        found.push((from, at));
                        since = None;
                    }
                    _ => {}
                }
            }
            found.extend(since.zip(points.last().map(|last| last.at)));
            found
        };
        let mut cursor = Self {
            held: stretches(pressed),
            smoke: Vec::new(),
            trail: stage.options.play.cursor_trail,
            points: Vec::new(),
        };
        let smoke = if stage.options.play.smoke { stretches(keys::SMOKE) } else { Vec::new() };
        cursor.points = points;
        let gap = i64::from(stage.layout.scaled(3 * 256)).max(256);
        cursor.smoke = smoke.into_iter().flat_map(|stretch| cursor.puffs(stretch, gap)).collect();
        cursor
    }

    /// Puffs along a stretch of time.
    fn puffs(&self, (from, to): (Micros, Micros), gap: i64) -> Vec<(Micros, Place)> {
        let (first, last) = (self.come(from), self.come(to));
        let numbers = first.div_euclid(gap)..=last.div_euclid(gap);
        numbers.take(MOST_PUFFS * 4).map(|number| self.along((number * gap).clamp(first, last))).collect()
    }

    /// The points before and behind a moment.
    fn around(&self, at: Micros) -> Option<(&Point, &Point)> {
        let index = self.points.partition_point(|point| point.at <= at);
        let before = self.points.get(index.saturating_sub(1))?;
        Some((before, self.points.get(index).unwrap_or(before)))
    }

    /// Where it is.
    pub(super) fn place(&self, at: Micros) -> Option<Place> {
        let (before, behind) = self.around(at)?;
        Some(path::between(before.place, behind.place, at - before.at, behind.at - before.at))
    }

    /// How far it has come.
    fn come(&self, at: Micros) -> i64 {
        let Some((before, behind)) = self.around(at) else { return 0 };
        let part = i128::from((at - before.at).clamp(0, behind.at - before.at));
        let way = i128::from(behind.come - before.come);
        before.come + (way * part / i128::from((behind.at - before.at).max(1))) as i64
    }

    /// When and where it had come so far.
    fn along(&self, come: i64) -> (Micros, Place) {
        let index = self.points.partition_point(|point| point.come < come);
        let behind = self.points.get(index).or(self.points.last());
        let before = self.points.get(index.saturating_sub(1));
        let (Some(before), Some(behind)) = (before, behind) else { return (0, (0, 0)) };
        let (part, whole) = (come - before.come, (behind.come - before.come).max(1));
        let since =
            (i128::from(behind.at - before.at) * i128::from(part.clamp(0, whole)) / i128::from(whole)) as i64;
        (before.at + since, path::between(before.place, behind.place, part, whole))
    }

    /// How large it is: 0 to 65,536 of the way to its size while something is pressed.
    fn grown(&self, at: Micros) -> i32 {
        let index = self.held.partition_point(|(from, _)| *from <= at);
        let Some((from, to)) = index.checked_sub(1).and_then(|index| self.held.get(index)) else { return 0 };
        let grown = |at: Micros| ease::out(share(at, *from, GROWS));
        if at < *to { grown(at) } else { ease::between(grown(*to), 0, ease::out(share(at, *to, GROWS))) }
    }

    pub(super) fn draw_smoke(&self, at: Micros, looks: &Looks, onto: &mut Picture) {
        let from = self.smoke.partition_point(|(when, _)| when.saturating_add(SMOKE) <= at);
        let to = self.smoke.partition_point(|(when, _)| *when <= at);
        let from = from.max(to.saturating_sub(MOST_PUFFS));
        for (when, place) in self.smoke.get(from..to).unwrap_or_default() {
            let gone = ease::gone(share(at, when + SMOKE - SMOKE_GOES, SMOKE_GOES));
            onto.sprite_around(&looks.smoke, *place, gone / 3);
        }
    }

    pub(super) fn draw(&self, at: Micros, looks: &Looks, onto: &mut Picture) {
        let Some(place) = self.place(at) else { return };
        let cursor = &looks.cursor;
        if self.trail {
            self.draw_trail(at, looks, onto);
        }
        let grown = if cursor.expands { self.grown(at) } else { 0 };
        let last = cursor.steps.len().saturating_sub(1) as i64;
        let step = (i64::from(grown) * last + i64::from(ALL) / 2) / i64::from(ALL);
        if let Some(image) = &cursor.turned {
            let scale = ease::between(ALL, ALL / 10 * 13, grown);
            let angle = (at.rem_euclid(TURN) * i64::from(ALL) / TURN) as i32;
            onto.image(
                image,
                &Placement {
                    at: place,
                    anchor: if cursor.hangs { (0, 0) } else { image.middle() },
                    scale: (scale, scale),
                    angle,
                    tint: [255; 3],
                    opacity: 255,
                    blend: Blend::Over,
                },
            );
        } else if let Some(sprite) = cursor.steps.get(step as usize) {
            let (width, height) = if cursor.hangs { sprite.size() } else { (0, 0) };
            onto.sprite_between(sprite, (place.0 + width as i32 * 128, place.1 + height as i32 * 128), 255);
        }
        if let Some(middle) = &cursor.middle {
            onto.sprite_between(middle, place, 255);
        }
    }

    fn draw_trail(&self, at: Micros, looks: &Looks, onto: &mut Picture) {
        let cursor = &looks.cursor;
        let life = if cursor.long { LONG } else { SHORT };
        let gap = i64::from(cursor.gap).max(1);
        let (first, last) = (self.come(at - life).div_euclid(gap) + 1, self.come(at).div_euclid(gap));
        for number in first.max(last - MOST_LIGHTS)..=last {
            let (when, place) = self.along(number * gap);
            let left = i64::from(ALL - share(at, when, life));
            // The long one goes slowly at first.
            let left = if cursor.long { (left * left) >> 16 } else { left };
            onto.sprite_between(&cursor.trail, place, seen(left as i32));
        }
    }
}
