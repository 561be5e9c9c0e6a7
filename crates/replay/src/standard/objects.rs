//! osu!'s objects as they are played: mods applied, stacked, with paths and the times of their parts.
//!
//! Promises: times are exact, as lazer has them; stable's whole milliseconds are taken from them where stable judges. All places
//! are finite, paths and parts are bounded for the whole map. Fails with [`ReplayError::MapCorrupt`] where there is nothing to
//! play, with [`ReplayError::TooLong`] where a bound is passed.

mod place;
mod stack;

pub use place::{place, range};

/// A place of the playfield, in osu! pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// To the right, 0 to 512.
    pub x: f32,
    /// Down, 0 to 384.
    pub y: f32,
}

/// The objects of a map, and what they have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// In order of time.
    pub objects: Vec<Object>,
    /// Radius of the circles, in osu! pixels.
    pub radius: f32,
    /// How long before its time an object is seen, in milliseconds of the map.
    pub preempt: f64,
    /// How long it takes to be seen fully, in milliseconds.
    pub fade_in: f64,
    /// Overall difficulty, mods applied.
    pub od: f32,
    /// Drain rate, mods applied.
    pub hp: f32,
    /// Circle size, mods applied.
    pub cs: f32,
    /// Approach rate, mods applied.
    pub ar: f32,
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// When it is to be hit, in milliseconds.
    pub start: f64,
    /// When it ends, in milliseconds.
    pub end: f64,
    /// Where it is, stacking applied.
    pub at: Point,
    /// How high it lies in its stack: 0 is the lowest.
    pub stack: i32,
    /// It begins a combo's colour.
    pub new_combo: bool,
    /// Which of the colours it has: to be taken modulo how many there are.
    pub colour: usize,
    /// Its number in the combo, from 1.
    pub number: u32,
    /// What it is.
    pub kind: Kind,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A circle.
    Circle,
    /// A slider.
    Slider(Box<Slider>),
    /// A spinner.
    Spinner,
}

/// A slider.
#[derive(Debug, Clone, PartialEq)]
pub struct Slider {
    /// The corners of its path, stacking applied; the first is the head.
    pub path: Vec<Point>,
    /// How far each corner is along the path, in osu! pixels.
    pub lengths: Vec<f64>,
    /// How long the path is, in osu! pixels.
    pub length: f64,
    /// How often it is gone along: 1 without repeats.
    pub spans: u32,
    /// How long once takes, in milliseconds.
    pub span_duration: f64,
    /// Its ticks and repeats and its end, in order of time.
    pub parts: Vec<Part>,
}

/// A part of a slider, after its head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// When it is judged, in milliseconds.
    pub at: f64,
    /// When the ball is there, in milliseconds: differs for the end, which is judged earlier.
    pub shown: f64,
    /// Where.
    pub place: Point,
    /// What it is.
    pub kind: PartKind,
    /// During which span, from 0.
    pub span: u32,
}

/// What a part of a slider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A tick.
    Tick,
    /// Where it turns.
    Repeat,
    /// Its end.
    Tail,
}

impl Slider {
    /// Where the ball is, `milliseconds` after the slider began, however often it turned.
    #[must_use]
    pub fn ball(&self, milliseconds: f64) -> Point {
        let spans = (milliseconds / self.span_duration.max(1e-3)).clamp(0.0, f64::from(self.spans));
        let (span, share) = (spans.floor(), spans.fract());
        let back = span as u64 % 2 == 1;
        self.along(if back { 1.0 - share } else { share })
    }

    /// The place at a share of the path, from 0 to 1.
    #[must_use]
    pub fn along(&self, share: f64) -> Point {
        let wanted = share.clamp(0.0, 1.0) * self.length;
        let index = self.lengths.partition_point(|length| *length < wanted);
        let Some(after) = self.path.get(index) else {
            return self.path.last().copied().unwrap_or_default();
        };
        let Some(before) =
            index.checked_sub(1).and_then(|index| Some((self.path.get(index)?, self.lengths.get(index)?)))
        else {
            return *after;
        };
        let span = self.lengths.get(index).copied().unwrap_or(wanted) - before.1;
        let share = if span > 0.0 { ((wanted - before.1) / span) as f32 } else { 0.0 };
        Point {
            x: before.0.x + (after.x - before.0.x) * share,
            y: before.0.y + (after.y - before.0.y) * share,
        }
    }
}
