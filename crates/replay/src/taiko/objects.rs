//! osu!taiko's objects as they are played: notes of the drum's centre and rim, drum rolls, swells.
//!
//! Promises: an object for each of the map's, at the same index; times are whole milliseconds, as the game has them. Fails with
//! [`ReplayError::MapCorrupt`] where there is nothing to play, with [`ReplayError::TooLong`] where there is too much.
//!
//! Source: lazer's `TaikoBeatmapConverter`, `TaikoHitWindows` and `TaikoLegacyScoreSimulator`.

use rosu_map::section::hit_objects::{HitObject, HitObjectKind, HitObjectSlider, hit_samples::HitSampleInfo};

use crate::{
    beatmap::Beatmap,
    error::ReplayError,
    limits::Limits,
    mods::{Mods, bits},
    standard::objects::range,
};

/// The objects of a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {
    /// As the map has them, in its order.
    pub objects: Vec<Object>,
    /// How far from a note's time a press may be, in milliseconds, exclusive: for 300, for 100, and to count at all.
    pub windows: [i32; 3],
}

/// One object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// When it begins, in milliseconds.
    pub start: i32,
    /// When it ends, in milliseconds; of a note its start.
    pub end: i32,
    /// Whether it is a big one.
    pub big: bool,
    /// Whether kiai is on: scores are higher, and it glows.
    pub kiai: bool,
    /// What it is.
    pub kind: Kind,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A note.
    Note {
        /// It is played on the rim, not on the centre.
        rim: bool,
    },
    /// A drum roll.
    Roll {
        /// Milliseconds that have to be between two hits that count, in 1/1000.
        spacing: i32,
    },
    /// A swell: centre and rim by turns.
    Swell {
        /// How many hits finish it.
        hits: u32,
    },
}

/// Places a map's objects.
///
/// # Errors
/// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
pub fn place(map: &Beatmap, mods: &Mods, limits: &Limits) -> Result<Field, ReplayError> {
    let file = &map.map;
    let objects = map.objects(limits)?;
    let od = f64::from(mods.adjusted.od.unwrap_or(file.overall_difficulty));
    let od = if mods.has(bits::HARD_ROCK) {
        (od * 1.4).min(10.0)
    } else if mods.has(bits::EASY) {
        od * 0.5
    } else {
        od
    };
    let window = |at_0: f64, at_5: f64, at_10: f64| range(od, at_0, at_5, at_10).floor() as i32;
    Ok(Field {
        objects: objects.iter().map(|object| one(object, file, od, mods)).collect(),
        windows: [window(50.0, 35.0, 20.0), window(120.0, 80.0, 50.0), window(135.0, 95.0, 70.0)],
    })
}

fn one(object: &HitObject, file: &rosu_map::Beatmap, od: f64, mods: &Mods) -> Object {
    let has = |name: &_| object.samples.iter().any(|sample| sample.name == *name);
    let start = object.start_time.round() as i32;
    let (kind, length) = match &object.kind {
        HitObjectKind::Circle(_) => {
            (Kind::Note { rim: has(&HitSampleInfo::HIT_WHISTLE) || has(&HitSampleInfo::HIT_CLAP) }, 0.0)
        }
        HitObjectKind::Slider(slider) => {
            let spacing = (spacing(object.start_time, file) * 1000.0) as i32;
            (Kind::Roll { spacing }, roll_length(object.start_time, slider, file))
        }
        HitObjectKind::Spinner(spinner) => (swell(spinner.duration, od, mods), spinner.duration),
        HitObjectKind::Hold(hold) => (swell(hold.duration, od, mods), hold.duration),
    };
    let end = (object.start_time + length.max(0.0)).round() as i32;
    // Kiai counts where a swell ends, and where everything else begins.
    let point = if matches!(kind, Kind::Swell { .. }) { f64::from(end) } else { object.start_time };
    let kiai = file.control_points.effect_point_at(point).is_some_and(|point| point.kiai);
    Object { start, end: end.max(start), big: has(&HitSampleInfo::HIT_FINISH), kiai, kind }
}

/// How long a drum roll lasts, in milliseconds: whole ones.
fn roll_length(start: f64, slider: &HitObjectSlider, file: &rosu_map::Beatmap) -> f64 {
    let beat = file.control_points.timing_point_at(start).map_or(1000.0, |point| point.beat_len);
    let velocity = file.control_points.difficulty_point_at(start).map_or(1.0, |point| point.slider_velocity);
    let beat = beat / velocity.clamp(0.01, 10.0);
    let spans = f64::from(slider.span_count().max(1));
    let length = slider.path.expected_dist().unwrap_or(0.0).max(0.0) * spans;
    let length = length / (100.0 * file.slider_multiplier.max(0.1)) * beat;
    if length.is_finite() { (length + 1e-9).trunc() } else { 0.0 }
}

/// How long after a roll's hit the next one counts, in milliseconds.
fn spacing(start: f64, file: &rosu_map::Beatmap) -> f64 {
    let beat = file.control_points.timing_point_at(start).map_or(1000.0, |point| point.beat_len);
    let thirds = file.format_version >= 8 && [1.5, 3.0, 6.0].contains(&file.slider_tick_rate);
    let mut spacing = beat.clamp(6.0, 60_000.0) / if thirds { 6.0 } else { 8.0 };
    while spacing < 60.0 {
        spacing *= 2.0;
    }
    while spacing > 120.0 {
        spacing /= 2.0;
    }
    spacing
}

/// A swell: how many hits it needs depends on its length; faster clocks leave less time for them.
fn swell(length: f64, od: f64, mods: &Mods) -> Kind {
    let spins = (length.max(0.0) / 1000.0 * range(od, 3.0, 5.0, 7.5)).trunc();
    let mut hits = (spins * 1.65).trunc().max(1.0);
    if mods.has(bits::DOUBLE_TIME) {
        hits = (hits * 0.75).trunc().max(1.0);
    } else if mods.has(bits::HALF_TIME) {
        hits = (hits * 1.5).trunc().max(1.0);
    }
    Kind::Swell { hits: hits as u32 }
}
