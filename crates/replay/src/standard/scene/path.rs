//! A slider's path on the picture, in whole numbers.

use crate::{stage::Layout, standard::objects::Slider};

/// A place on the picture, in 1/256 pixel.
pub(super) type Place = (i32, i32);

/// A path: corners, and how far along it each is.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    /// Never empty.
    pub corners: Vec<Place>,
    /// In 1/256 pixel; as many as there are corners.
    lengths: Vec<i64>,
}

impl Path {
    /// A slider's path.
    pub(super) fn new(slider: &Slider, layout: &Layout) -> Self {
        let mut path = Self::default();
        for corner in &slider.path {
            path.push(place(layout, corner.x, corner.y));
        }
        if path.corners.is_empty() {
            path.push(layout.place(0, 0));
        }
        path
    }

    /// A path of these corners.
    #[cfg(test)]
    pub(super) fn of(corners: &[Place]) -> Self {
        let mut path = Self::default();
        corners.iter().for_each(|corner| path.push(*corner));
        path
    }

    fn push(&mut self, corner: Place) {
        if self.corners.last() == Some(&corner) {
            return;
        }
        let step =
            self.corners.last().map_or(0, |last| i64::from(crate::draw::raster::distance(*last, corner)));
        self.lengths.push(self.length() + step);
        self.corners.push(corner);
    }

    /// How long it is, in 1/256 pixel.
    pub(super) fn length(&self) -> i64 {
        self.lengths.last().copied().unwrap_or(0)
    }

    /// The place so far along it, in 1/256 pixel.
    pub(super) fn at(&self, along: i64) -> Place {
        let index = self.lengths.partition_point(|length| *length < along);
        let Some(after) = self.corners.get(index) else {
            return self.corners.last().copied().unwrap_or_default();
        };
        let before =
            index.checked_sub(1).and_then(|index| Some((self.corners.get(index)?, self.lengths.get(index)?)));
        match (before, self.lengths.get(index)) {
            (Some((before, from)), Some(to)) => between(*before, *after, along - from, to - from),
            _ => *after,
        }
    }

    /// In which direction it leaves its beginning, or its end backwards.
    pub(super) fn direction(&self, from_end: bool) -> Place {
        let mut corners: Vec<Place> = Vec::new();
        let few = 4;
        if from_end {
            corners.extend(self.corners.iter().rev().take(few));
        } else {
            corners.extend(self.corners.iter().take(few));
        }
        let (Some(first), Some(next)) = (corners.first(), corners.get(1)) else { return (256, 0) };
        (next.0 - first.0, next.1 - first.1)
    }
}

/// A place of the playfield on the picture.
pub(super) fn place(layout: &Layout, x: f32, y: f32) -> Place {
    // Far beyond every picture, and still small enough to be reckoned with.
    let whole = |value: f32| (value.clamp(-20_000.0, 20_000.0) * 256.0).round() as i32;
    layout.place(whole(x), whole(y))
}

/// The place `part` of `whole` of the way from one to another one.
pub(super) fn between(from: Place, to: Place, part: i64, whole: i64) -> Place {
    let whole = whole.max(1);
    let part = part.clamp(0, whole);
    let one = |from: i32, to: i32| {
        (i64::from(from)
            + ((i128::from(to) - i128::from(from)) * i128::from(part) / i128::from(whole)) as i64)
            as i32
    };
    (one(from.0, to.0), one(from.1, to.1))
}

/// The angle of a direction, in 1/65,536 of a turn, clockwise from the right.
pub(super) fn angle((x, y): Place) -> i32 {
    // Of the eighth of a turn in which the smaller one is divided by the larger one: its tangent is nearly straight.
    let (wide, high) = (i64::from(x).abs(), i64::from(y).abs());
    let (small, large) = (wide.min(high), wide.max(high).max(1));
    let tangent = (small << 16) / large;
    // atan(t) is nearly t π / 4 + t (1 - t) (0.2447 + 0.0663 t), within a tenth of a degree.
    let bent = (tangent * (65_536 - tangent)) >> 16;
    let eighth = ((tangent * 8_192 + bent * (2_552 + ((692 * tangent) >> 16))) >> 16) as i32;
    let quarter = if wide >= high { eighth } else { 16_384 - eighth };
    let half = if x >= 0 { quarter } else { 32_768 - quarter };
    if y >= 0 { half } else { -half }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_along_a_path() {
        let path = Path::of(&[(0, 0), (0, 0), (1000, 0), (1000, 500)]);
        assert_eq!(path.length(), 1500);
        let wanted =
            [(-5, (0, 0)), (250, (250, 0)), (1000, (1000, 0)), (1250, (1000, 250)), (9000, (1000, 500))];
        for (along, place) in wanted {
            assert_eq!(path.at(along), place, "{along}");
        }
        assert_eq!((path.direction(false), path.direction(true)), ((1000, 0), (0, -500)));
        assert_eq!(Path::of(&[(7, 8)]).at(100), (7, 8));
    }

    #[test]
    fn angles_are_those_of_geometry() {
        for degree in 0..360 {
            let radians = f64::from(degree).to_radians();
            let direction = ((radians.cos() * 1e6) as i32, (radians.sin() * 1e6) as i32);
            let off = (angle(direction) - degree * 65_536 / 360).rem_euclid(65_536);
            assert!(off.min(65_536 - off) < 40, "{degree}: {}", angle(direction));
        }
        assert_eq!(angle((0, 0)), 0);
    }
}
