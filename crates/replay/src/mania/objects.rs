//! osu!mania's objects as they are played: in which column, from when to when, and how exactly they have to be hit.
//!
//! Promises: an object for each of the map's, at the same index; times are whole milliseconds, as the game has them. Fails with
//! [`ReplayError::MapCorrupt`] where there is nothing to play, with [`ReplayError::TooLong`] where there is too much.

use rosu_map::section::hit_objects::HitObjectKind;

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
    /// How many columns there are: 1 to 18.
    pub columns: usize,
    /// As the map has them, in its order.
    pub objects: Vec<Object>,
    /// How exactly they have to be hit.
    pub windows: Windows,
}

/// One object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Its column, from 0 at the left.
    pub column: usize,
    /// When it is to be hit, in milliseconds.
    pub start: i32,
    /// When it is to be let go, in milliseconds; of a note its start.
    pub end: i32,
}

impl Object {
    /// Whether it has to be held.
    #[must_use]
    pub fn is_hold(self) -> bool {
        self.end > self.start
    }
}

/// How far from its time a press may be, in milliseconds, inclusive: for each result, best first; the last one is what a miss
/// takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Windows(pub [i32; 6]);

impl Windows {
    /// For 100: what comes later than this is missed, in stable.
    #[must_use]
    pub fn ok(self) -> i32 {
        self.0[3]
    }

    /// For 50.
    #[must_use]
    pub fn meh(self) -> i32 {
        self.0[4]
    }

    /// For what counts at all, even as a miss.
    #[must_use]
    pub fn miss(self) -> i32 {
        self.0[5]
    }

    /// By stable's and lazer's rules. The map's clock runs faster with DoubleTime, and the windows grow with it: they are the
    /// same in real time at any speed. Source: `ManiaHitWindows` of lazer, which has stable's numbers for its Classic mod.
    #[must_use]
    pub fn new(od: f64, mods: &Mods) -> Self {
        let hardness = if mods.has(bits::HARD_ROCK) {
            1.4
        } else if mods.has(bits::EASY) {
            1.0 / 1.4
        } else {
            1.0
        };
        let scale = mods.speed.as_f64() / hardness;
        let fixed = mods.classic && !mods.has(bits::SCORE_V2);
        let best = if fixed { 16.0 } else { range(od, 22.4, 19.4, 13.9) };
        let wide = |at_ten: f64| at_ten + 3.0 * (10.0 - od).clamp(0.0, 10.0);
        let windows = [best, wide(34.0), wide(67.0), wide(97.0), wide(121.0), wide(158.0)];
        // A hair more than the product: what is a whole number stays one.
        Self(windows.map(|window| (window * scale + 1e-9).floor() as i32))
    }
}

/// Places a map's objects.
///
/// # Errors
/// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
pub fn place(map: &Beatmap, mods: &Mods, limits: &Limits) -> Result<Field, ReplayError> {
    let file = &map.map;
    let objects = map.objects(limits)?;
    let columns = file.circle_size.round().clamp(1.0, 18.0) as usize;
    let place = |object: &rosu_map::section::hit_objects::HitObject| {
        let start = object.start_time.round() as i32;
        let (x, end) = match &object.kind {
            HitObjectKind::Hold(hold) => {
                (hold.pos_x, (object.start_time + hold.duration.max(0.0)).round() as i32)
            }
            HitObjectKind::Circle(circle) => (circle.pos.x, start),
            HitObjectKind::Slider(slider) => (slider.pos.x, start),
            HitObjectKind::Spinner(spinner) => (spinner.pos.x, start),
        };
        let column = (f64::from(x) * columns as f64 / 512.0).clamp(0.0, columns as f64 - 1.0) as usize;
        let column = if mods.has(bits::MIRROR) { columns - 1 - column } else { column };
        Object { column, start, end: end.max(start) }
    };
    let od = f64::from(mods.adjusted.od.unwrap_or(file.overall_difficulty).clamp(0.0, 10.0));
    Ok(Field { columns, objects: objects.iter().map(place).collect(), windows: Windows::new(od, mods) })
}
