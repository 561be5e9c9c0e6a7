//! How far osu!mania has scrolled at a moment: faster where the tempo is higher, and as the map's green lines say.
//!
//! Promises: it never scrolls back, so what is seen at a moment is found by binary search.

use rosu_map::Beatmap;

use crate::time::{Micros, micros};

/// Speeds below this share of the usual one, and above its inverse, are brought to it.
const SLOWEST: f64 = 0.01;
/// More bar lines are not drawn.
const MOST_BARS: usize = 100_000;

/// How far it has scrolled, in 1/256 pixel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scroll {
    /// From when on, how far it is then, and how fast it goes: 1/256 pixel in 2^32 microseconds.
    points: Vec<(Micros, i64, i64)>,
}

impl Scroll {
    /// For a map on which `distance` (1/256 pixel) takes `time` (microseconds of the map) at its usual tempo.
    pub(super) fn new(map: &Beatmap, distance: i32, time: i64) -> Self {
        let usual = usual_beat(map);
        let timing = &map.control_points.timing_points;
        let effects = &map.control_points.effect_points;
        let mut times: Vec<f64> = timing.iter().map(|point| point.time).collect();
        times.extend(effects.iter().map(|point| point.time));
        times.sort_by(f64::total_cmp);
        times.dedup();
        let base = (i64::from(distance.max(1)) << 32) as f64 / time.max(1) as f64;
        let speed = |at: f64| {
            let beat = map.control_points.timing_point_at(at).map_or(usual, |point| point.beat_len);
            let factor = map.control_points.effect_point_at(at).map_or(1.0, |point| point.scroll_speed);
            let factor = factor * usual / beat.max(0.001);
            (base * factor.clamp(SLOWEST, 1.0 / SLOWEST)) as i64
        };
        // Before the first point it goes as there.
        let first = times.first().copied().unwrap_or(0.0);
        let mut points = vec![(micros(first), 0_i64, speed(first))];
        for at in times.into_iter().skip(1) {
            let (time, before) = (micros(at), points.last().copied().unwrap_or_default());
            points.push((time, after(before, time), speed(at)));
        }
        Self { points }
    }

    /// How far it is at a moment.
    pub(super) fn at(&self, at: Micros) -> i64 {
        let next = self.points.partition_point(|(time, ..)| *time <= at);
        self.points.get(next.saturating_sub(1)).map_or(0, |point| after(*point, at))
    }
}

fn after((time, place, speed): (Micros, i64, i64), at: Micros) -> i64 {
    let moved = (i128::from(at.saturating_sub(time)) * i128::from(speed)) >> 32;
    place.saturating_add(moved.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64)
}

/// The beat, in milliseconds, that most of the map has.
fn usual_beat(map: &Beatmap) -> f64 {
    let last = map.hit_objects.last().map_or(0.0, |object| object.start_time);
    let timing = &map.control_points.timing_points;
    let ends = timing.iter().skip(1).map(|point| point.time).chain([last]);
    let mut lengths: Vec<(f64, f64)> = Vec::new();
    for (point, end) in timing.iter().zip(ends) {
        let lasts = (end.min(last) - point.time).max(0.0);
        lengths.push((point.beat_len, lasts));
    }
    lengths.sort_by(|a, b| a.0.total_cmp(&b.0));
    lengths.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    let longest = lengths.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    longest.map_or(500.0, |(beat, _)| beat).clamp(1.0, 60_000.0)
}

/// When bar lines are, up to the map's end.
pub(crate) fn bar_lines(map: &Beatmap, until: Micros) -> Vec<Micros> {
    let timing = &map.control_points.timing_points;
    let mut bars = Vec::new();
    for (index, point) in timing.iter().enumerate() {
        let end = timing.get(index + 1).map_or(until, |next| micros(next.time).min(until));
        let bar = micros(point.beat_len * f64::from(point.time_signature.numerator.get())).max(1_000);
        let mut at = micros(point.time);
        if point.omit_first_bar_line {
            at += bar;
        }
        while at < end && bars.len() < MOST_BARS {
            bars.push(at);
            at += bar;
        }
    }
    bars.sort_unstable();
    bars
}
