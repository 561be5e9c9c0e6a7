//! NightCore's drums: a kick, a clap and hats on the half beats, a cymbal every four bars. Source: osu!lazer's `ModNightcore`.

use super::{Course, Cues};
use crate::{
    mods::bits,
    sound::names::Wanted,
    time::{Micros, micros},
};

/// Half beats in a beat.
const DIVISOR: f64 = 2.0;

/// Bars between two cymbals.
const BARS: i64 = 4;

/// Milliseconds between two drums at least: faster beats are taken two at a time.
const LEAST: f64 = 60.0;

/// Maps older than version 5 are this late, in milliseconds.
const EARLY_OFFSET: f64 = 24.0;

impl Cues<'_> {
    pub(super) fn beats(&mut self) {
        let stage = self.stage;
        if !stage.mods.has(bits::NIGHTCORE) || !stage.options.sound.nightcore_beats {
            return;
        }
        let late = if stage.map.map.format_version < 5 { EARLY_OFFSET } else { 0.0 };
        let (first, last) = self.span;
        let points = &stage.map.map.control_points.timing_points;
        for (index, point) in points.iter().enumerate() {
            let end: Micros = points.get(index + 1).map_or(last, |next| micros(next.time + late).min(last));
            let mut half = point.beat_len.clamp(6.0, 60_000.0) / DIVISOR;
            while half < LEAST {
                half *= 2.0;
            }
            let begin = point.time + late;
            let signature = i64::from(point.time_signature.numerator.get());
            let segment = signature.saturating_mul(DIVISOR as i64 * BARS).max(1);
            let mut beat = ((first as f64 / 1000.0 - begin) / half).ceil().max(0.0) as i64;
            loop {
                let at = micros(begin + beat as f64 * half);
                if at >= end {
                    break;
                }
                if beat % segment == 0 {
                    self.drum(at, "nightcore-finish");
                }
                match (signature, beat % 6, beat % 4) {
                    (3, 0, _) | (4, _, 0) => self.drum(at, "nightcore-kick"),
                    (3, 3, _) | (4, _, 2) => self.drum(at, "nightcore-clap"),
                    (3 | 4, ..) => self.drum(at, "nightcore-hat"),
                    _ => {}
                }
                beat += 1;
            }
        }
    }

    fn drum(&mut self, at: Micros, name: &'static str) {
        self.add(at, &Wanted::plain(name), 100, Course::Once(0.0));
    }
}
