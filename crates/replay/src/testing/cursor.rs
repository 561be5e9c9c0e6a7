//! A cursor that is where it has to be while something is held, and goes there in a straight line in between.

use std::collections::BTreeSet;

use crate::osr::Frame;

/// Where the cursor is at a millisecond.
pub type Path = Box<dyn Fn(i32) -> (f32, f32)>;

/// Something that is held.
pub struct Hold {
    /// Where the cursor is meanwhile.
    pub path: Path,
    /// Down, in milliseconds.
    pub from: i32,
    /// Up.
    pub to: i32,
    /// What is held.
    pub keys: u8,
    /// Moments that need a frame of their own.
    pub also: Vec<i32>,
}

impl Hold {
    /// Held in one place.
    #[must_use]
    pub fn still(place: (f32, f32), from: i32, to: i32, keys: u8) -> Self {
        Self::moving(Box::new(move |_| place), from, to, keys)
    }

    /// Held along a path.
    #[must_use]
    pub fn moving(path: Path, from: i32, to: i32, keys: u8) -> Self {
        Self { path, from, to, keys, also: Vec::new() }
    }
}

/// The cursor of a play.
#[derive(Default)]
pub struct Cursor {
    /// In order of time, none within another.
    pub holds: Vec<Hold>,
}

impl Cursor {
    /// Its frames: every 8 ms, and whenever something goes down or up.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        let Some(last) = self.holds.last() else { return Vec::new() };
        let mut times: BTreeSet<i32> = (0..last.to + 1000).step_by(8).collect();
        for hold in &self.holds {
            times.extend([hold.from, hold.to]);
            times.extend(&hold.also);
        }
        times.into_iter().map(|at| self.frame(at)).collect()
    }

    fn frame(&self, at: i32) -> Frame {
        let next = self.holds.partition_point(|hold| hold.from <= at);
        let before = next.checked_sub(1).and_then(|index| self.holds.get(index));
        let after = self.holds.get(next);
        let (x, y) = match (before, after) {
            (Some(hold), _) if at <= hold.to => (hold.path)(at),
            (Some(before), Some(after)) => {
                let (from, to) = ((before.path)(before.to), (after.path)(after.from));
                let share = (at - before.to) as f32 / (after.from - before.to).max(1) as f32;
                (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
            }
            (Some(hold), None) => (hold.path)(hold.to),
            (None, Some(hold)) => (hold.path)(hold.from),
            (None, None) => (256.0, 192.0),
        };
        let keys = before.filter(|hold| at < hold.to).map_or(0, |hold| hold.keys);
        Frame { at, x, y, keys }
    }
}
