//! From a map to the objects as they are played.
//!
//! Rules from osu!lazer's sources: `OsuHitObject`, `Slider`, `SliderEventGenerator`, `LegacyBeatmapDecoder`, `OsuModHardRock`.

use rosu_map::section::{
    hit_objects::{CurveBuffers, HitObject, HitObjectKind, HitObjectSlider},
    timing_points::{DifficultyPoint, TimingPoint},
};

use super::{Field, Kind, Object, Part, PartKind, Point, Slider, stack};
use crate::{
    beatmap::Beatmap,
    error::{About, ReplayError},
    limits::Limits,
    mods::{Mods, bits},
};

/// Height of the playfield, which Hard Rock turns upside down.
const HEIGHT: f32 = 384.0;
/// Radius of a circle of size 0 scale 1; the size's formula gives the scale.
const BASE_RADIUS: f32 = 64.0;
/// The game rounded the playfield's size once, and has kept circles larger by this since: without it old replays miss.
const ROUNDING_ALLOWANCE: f32 = 1.000_41;
/// A slider's end is judged so much earlier, in milliseconds, but not before its middle.
const TAIL_LENIENCY: f64 = 36.0;
/// Ticks are made on the first so many osu! pixels of a path.
const LONGEST: f64 = 100_000.0;
/// Parts and corners of paths, per object that a map may have.
const PARTS_EACH: usize = 20;
const CORNERS_EACH: usize = 80;

/// Maps a difficulty of 0, 5 and 10 to three values, straight between them.
#[must_use]
pub fn range(difficulty: f64, at_0: f64, at_5: f64, at_10: f64) -> f64 {
    let share = (difficulty - 5.0) / 5.0;
    if difficulty > 5.0 { at_5 + (at_10 - at_5) * share } else { at_5 + (at_5 - at_0) * share }
}

/// Places a map's objects.
///
/// # Errors
/// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
pub fn place(map: &Beatmap, mods: &Mods, limits: &Limits) -> Result<Field, ReplayError> {
    let file = &map.map;
    let written = map.objects(limits)?;
    let (cs, ar, od, hp) = difficulty(file, mods);
    let scale = (1.0 - 0.7 * (f64::from(cs) - 5.0) / 5.0) as f32 / 2.0 * ROUNDING_ALLOWANCE;
    // Sizes that no circle can have come from hostile values only.
    let radius = (BASE_RADIUS * scale).clamp(0.1, 512.0);
    let preempt = range(f64::from(ar), 1800.0, 1200.0, 450.0).floor().max(1.0);
    let mut placing = Placing {
        map: file,
        flipped: mods.has(bits::HARD_ROCK),
        parts_left: limits.objects.saturating_mul(PARTS_EACH),
        corners_left: limits.objects.saturating_mul(CORNERS_EACH),
        limits,
    };
    let mut buffers = CurveBuffers::default();
    let mut objects = Vec::with_capacity(written.len());
    for object in written {
        objects.push(placing.object(object, &mut buffers)?);
    }
    let threshold = preempt as f32 * file.stack_leniency;
    stack::stack(&mut objects, threshold, file.format_version < 6)?;
    for object in &mut objects {
        raise(object, radius);
    }
    number(&mut objects, file);
    Ok(Field { objects, radius, preempt, fade_in: 400.0 * (preempt / 450.0).min(1.0), od, hp, cs, ar })
}

fn too_long(what: &str, length: usize, limit: usize) -> ReplayError {
    ReplayError::TooLong {
        about: About::Map,
        what: what.to_owned(),
        length: length.to_string(),
        limit: limit.to_string(),
    }
}

/// Circle size, approach rate, overall difficulty and drain rate with the mods.
fn difficulty(map: &rosu_map::Beatmap, mods: &Mods) -> (f32, f32, f32, f32) {
    let limited = |value: f32| if value.is_finite() { value.clamp(0.0, 10.0) } else { 5.0 };
    let with = |value: f32, adjusted: Option<f32>, harder: f32| {
        let value = limited(value);
        let value = if mods.has(bits::HARD_ROCK) {
            (value * harder).min(10.0)
        } else if mods.has(bits::EASY) {
            value * 0.5
        } else {
            value
        };
        // Difficulty Adjust goes beyond the usual range.
        adjusted.filter(|value| value.is_finite()).map_or(value, |value| value.clamp(-10.0, 13.0))
    };
    (
        with(map.circle_size, mods.adjusted.cs, 1.3),
        with(map.approach_rate, mods.adjusted.ar, 1.4),
        with(map.overall_difficulty, mods.adjusted.od, 1.4),
        with(map.hp_drain_rate, mods.adjusted.hp, 1.4),
    )
}

/// What is needed to place objects, and how much may still be made.
struct Placing<'a> {
    map: &'a rosu_map::Beatmap,
    flipped: bool,
    parts_left: usize,
    corners_left: usize,
    limits: &'a Limits,
}

impl Placing<'_> {
    fn at(&self, pos: rosu_map::util::Pos) -> Point {
        Point { x: pos.x, y: if self.flipped { HEIGHT - pos.y } else { pos.y } }
    }

    fn object(&mut self, object: &HitObject, buffers: &mut CurveBuffers) -> Result<Object, ReplayError> {
        let start = object.start_time;
        let middle = Point { x: 256.0, y: 192.0 };
        let lasting = |duration: f64| start + if duration > 0.0 { duration } else { 0.0 };
        let (end, at, kind) = match &object.kind {
            HitObjectKind::Circle(circle) => (start, self.at(circle.pos), Kind::Circle),
            HitObjectKind::Spinner(spinner) => (lasting(spinner.duration), middle, Kind::Spinner),
            // Only mania has holds; elsewhere the game spins them.
            HitObjectKind::Hold(hold) => (lasting(hold.duration), middle, Kind::Spinner),
            HitObjectKind::Slider(slider) => {
                let at = self.at(slider.pos);
                let (end, slider) = self.slider(object.start_time, at, slider, buffers)?;
                (end, at, Kind::Slider(Box::new(slider)))
            }
        };
        Ok(Object { start, end, at, stack: 0, new_combo: object.new_combo(), colour: 0, number: 1, kind })
    }

    fn slider(
        &mut self,
        written: f64,
        at: Point,
        slider: &HitObjectSlider,
        buffers: &mut CurveBuffers,
    ) -> Result<(f64, Slider), ReplayError> {
        let curve = slider.path.borrowed_curve(buffers);
        let corners = curve.path().len();
        self.corners_left = self.corners_left.checked_sub(corners).ok_or_else(|| {
            too_long("the sliders' paths together", corners, self.limits.objects * CORNERS_EACH)
        })?;
        let (mut path, mut lengths) = (Vec::with_capacity(corners + 1), Vec::with_capacity(corners + 1));
        let (mut last, mut reached) = (at, 0.0_f64);
        for (corner, length) in curve.path().iter().zip(curve.lengths()) {
            let next =
                Point { x: at.x + corner.x, y: at.y + if self.flipped { -corner.y } else { corner.y } };
            // Two equal corners have no direction, and what is built on it is not a number.
            if next.x.is_finite() && next.y.is_finite() {
                last = next;
            }
            if length.is_finite() {
                reached = reached.max(*length);
            }
            path.push(last);
            lengths.push(reached);
        }
        if path.is_empty() {
            path.push(at);
            lengths.push(0.0);
        }
        let length = reached;
        let spans = u32::try_from(slider.repeat_count).unwrap_or(0).saturating_add(1);
        let points = &self.map.control_points;
        let beat =
            points.timing_point_at(written).map_or(TimingPoint::DEFAULT_BEAT_LEN, |point| point.beat_len);
        let (faster, ticking) = points
            .difficulty_point_at(written)
            .map_or((DifficultyPoint::DEFAULT_SLIDER_VELOCITY, true), |point| {
                (point.slider_velocity, point.generate_ticks)
            });
        // The game keeps a slider's velocity as a beat's length in single precision, and so does this.
        let velocity = 100.0 * self.map.slider_multiplier
            / (beat * (f64::from((100.0 / faster) as f32).clamp(10.0, 1000.0) / 100.0));
        // Before version 8 ticks do not come closer when the slider is slower.
        let unscaled = if self.map.format_version < 8 { 1.0 / faster } else { 1.0 };
        let between =
            if ticking { velocity * beat / self.map.slider_tick_rate * unscaled } else { f64::INFINITY };
        let start = written;
        let end = start + f64::from(spans) * length / velocity;
        let mut placed = Slider {
            path,
            lengths,
            length,
            spans,
            span_duration: (end - start) / f64::from(spans),
            parts: Vec::new(),
        };
        placed.parts = self.parts(start, end, velocity, between, &placed)?;
        Ok((end, placed))
    }

    /// Ticks, repeats and the end, in order of time.
    fn parts(
        &mut self,
        start: f64,
        end: f64,
        velocity: f64,
        between: f64,
        slider: &Slider,
    ) -> Result<Vec<Part>, ReplayError> {
        let length = slider.length.min(LONGEST);
        let between = between.clamp(0.0, length);
        let last = length - velocity * 10.0;
        let mut ticks = Vec::new();
        let mut along = between;
        while between > 0.0 && along <= length && along < last {
            ticks.push(along / length);
            if ticks.len() > self.parts_left {
                break;
            }
            along += between;
        }
        let spans = slider.spans as usize;
        let count = ticks.len().saturating_add(1).saturating_mul(spans);
        self.parts_left = self.parts_left.checked_sub(count).ok_or_else(|| {
            too_long("the sliders' parts together", count, self.limits.objects * PARTS_EACH)
        })?;
        let mut parts = Vec::with_capacity(count);
        for span in 0..slider.spans {
            let (begins, back) = (start + f64::from(span) * slider.span_duration, span % 2 == 1);
            let tick = |share: &f64| {
                let at = begins + if back { 1.0 - share } else { *share } * slider.span_duration;
                Part { at, shown: at, place: slider.along(*share), kind: PartKind::Tick, span }
            };
            if back {
                parts.extend(ticks.iter().rev().map(tick));
            } else {
                parts.extend(ticks.iter().map(tick));
            }
            let place = slider.along(if back { 0.0 } else { 1.0 });
            if span + 1 < slider.spans {
                let at = begins + slider.span_duration;
                parts.push(Part { at, shown: at, place, kind: PartKind::Repeat, span });
            } else {
                let early = (begins + slider.span_duration) - TAIL_LENIENCY;
                let at = (start + (end - start) / 2.0).max(early);
                parts.push(Part { at, shown: end, place, kind: PartKind::Tail, span });
            }
        }
        Ok(parts)
    }
}

/// Moves an object, its path and its parts to its height in the stack: a tenth of the radius up and left for each step.
fn raise(object: &mut Object, radius: f32) {
    let by = object.stack as f32 * radius / -10.0;
    let move_to = |point: &mut Point| {
        point.x += by;
        point.y += by;
    };
    match &mut object.kind {
        // Spinners are always in the middle.
        Kind::Spinner => return,
        Kind::Circle => {}
        Kind::Slider(slider) => {
            slider.path.iter_mut().for_each(move_to);
            slider.parts.iter_mut().for_each(|part| move_to(&mut part.place));
        }
    }
    move_to(&mut object.at);
}

/// Numbers the objects in their combos and chooses the combos' colours.
fn number(objects: &mut [Object], map: &rosu_map::Beatmap) {
    let (mut colour, mut number, mut fresh) = (0_usize, 0_u32, true);
    for (object, written) in objects.iter_mut().zip(&map.hit_objects) {
        let skipped = match &written.kind {
            HitObjectKind::Circle(circle) => circle.combo_offset,
            HitObjectKind::Slider(slider) => slider.combo_offset,
            HitObjectKind::Spinner(_) | HitObjectKind::Hold(_) => 0,
        };
        let spinner = matches!(object.kind, Kind::Spinner);
        if !spinner && (object.new_combo || fresh) {
            object.new_combo = true;
            number = 0;
            colour = colour.wrapping_add(usize::try_from(skipped).unwrap_or(0) + 1);
        }
        number = number.saturating_add(1);
        object.number = number;
        object.colour = colour;
        fresh = spinner;
    }
}
