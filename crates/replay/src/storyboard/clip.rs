//! The part of a picture that a storyboard is seen in: 16:9 of its height, or 4:3.

use crate::{
    draw::{Picture, Placement},
    stage::Layout,
};

/// Columns and rows of a picture: from the left and top ones up to, but without, the right and bottom ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub left: i64,
    pub top: i64,
    pub right: i64,
    pub bottom: i64,
}

impl Bounds {
    /// What a storyboard is seen in.
    pub(super) fn of(layout: Layout, wide: bool) -> Self {
        let (width, height) = (i64::from(layout.width), i64::from(layout.height));
        let (across, along) = if wide { (16, 9) } else { (4, 3) };
        let left = ((width - height * across / along) / 2).max(0) & !1;
        Self { left, top: 0, right: width - left, bottom: height }
    }

    /// What an image of that size reaches at most.
    pub(super) fn around(size: (u32, u32), placement: &Placement) -> Self {
        let [left, top, right, bottom] = if placement.angle == 0 {
            let sides = |size: u32, at: i32, anchor: i32, scale: i32| {
                let side =
                    |place: i64| i64::from(at) + (((place - i64::from(anchor)) * i64::from(scale)) >> 16);
                let (first, last) = (side(0), side(i64::from(size) << 8));
                (first.min(last), first.max(last))
            };
            let (left, right) = sides(size.0, placement.at.0, placement.anchor.0, placement.scale.0);
            let (top, bottom) = sides(size.1, placement.at.1, placement.anchor.1, placement.scale.1);
            [left, top, right, bottom]
        } else {
            // No corner is further from the anchor than both sides together.
            let side = |size: u32, anchor: i32, scale: i32| {
                let far = i64::from(anchor).abs().max(((i64::from(size) << 8) - i64::from(anchor)).abs());
                (far * i64::from(scale).abs()) >> 16
            };
            let far = side(size.0, placement.anchor.0, placement.scale.0)
                + side(size.1, placement.anchor.1, placement.scale.1);
            let (x, y) = (i64::from(placement.at.0), i64::from(placement.at.1));
            [x - far, y - far, x + far, y + far]
        };
        Self { left: left >> 8, top: top >> 8, right: (right + 255) >> 8, bottom: (bottom + 255) >> 8 }
    }

    /// What both hold; `None` where that is nothing.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        (both.left < both.right && both.top < both.bottom).then_some(both)
    }

    /// How many pixels it holds.
    pub(super) fn area(self) -> i64 {
        (self.right - self.left) * (self.bottom - self.top)
    }

    /// Draws onto a picture, and leaves what is to the left and the right of the bounds as it was.
    pub(super) fn keep_sides(self, onto: &mut Picture, draw: impl FnOnce(&mut Picture)) {
        let width = onto.width as usize;
        let left = usize::try_from(self.left).unwrap_or(0).min(width);
        if left == 0 {
            return draw(onto);
        }
        let sides = |picture: &Picture| {
            [(&picture.y, 1), (&picture.u, 2), (&picture.v, 2)].map(|(plane, half)| {
                let rows = plane.chunks_exact((width / half).max(1));
                rows.flat_map(|row| {
                    let (first, last) = (row.get(..left / half), row.get(row.len() - left / half..));
                    first.into_iter().chain(last).flatten().copied()
                })
                .collect::<Vec<u8>>()
            })
        };
        let kept = sides(onto);
        draw(onto);
        for ((plane, half), kept) in
            [(&mut onto.y, 1), (&mut onto.u, 2), (&mut onto.v, 2)].into_iter().zip(kept)
        {
            let side = left / half;
            let rows = plane.chunks_exact_mut((width / half).max(1));
            for (row, kept) in rows.zip(kept.chunks_exact(side.max(1) * 2)) {
                let (first, last) = kept.split_at(side);
                row.iter_mut().zip(first).for_each(|(old, new)| *old = *new);
                row.iter_mut().rev().zip(last.iter().rev()).for_each(|(old, new)| *old = *new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Blend;

    #[test]
    fn storyboards_are_seen_in_their_shape() {
        let bounds = |width, height, wide| {
            let Bounds { left, top, right, bottom } = Bounds::of(Layout { width, height }, wide);
            [left, top, right, bottom]
        };
        assert_eq!(bounds(1280, 720, true), [0, 0, 1280, 720]);
        assert_eq!(bounds(1280, 720, false), [160, 0, 1120, 720]);
        assert_eq!(bounds(2560, 720, true), [640, 0, 1920, 720]);
        assert_eq!(bounds(640, 480, true), [0, 0, 640, 480]);
        assert_eq!(bounds(600, 480, false), [0, 0, 600, 480]);
    }

    #[test]
    fn sides_stay_as_they_were() {
        let mut picture = Picture::new(64, 8);
        picture.fill([200, 100, 50]);
        let before = picture.clone();
        let bounds = Bounds { left: 6, top: 0, right: 58, bottom: 8 };
        bounds.keep_sides(&mut picture, |picture| picture.fill([0, 0, 255]));
        let blue = crate::draw::yuv([0, 0, 255]);
        for (index, (new, old)) in picture.y.iter().zip(&before.y).enumerate() {
            let inside = (6..58).contains(&(index % 64));
            assert_eq!(*new, if inside { blue[0] } else { *old }, "{index}");
        }
        for (index, (new, old)) in picture.v.iter().zip(&before.v).enumerate() {
            let inside = (3..29).contains(&(index % 32));
            assert_eq!(*new, if inside { blue[2] } else { *old }, "{index}");
        }
    }

    #[test]
    fn an_image_is_within_what_it_reaches() {
        let placement = Placement {
            at: (100 * 256, 50 * 256),
            anchor: (10 * 256, 0),
            scale: (131_072, -65_536),
            angle: 0,
            tint: [255; 3],
            opacity: 255,
            blend: Blend::Over,
        };
        let around = Bounds::around((20, 30), &placement);
        assert_eq!(around, Bounds { left: 80, top: 20, right: 120, bottom: 50 });
        let turned = Bounds::around((20, 30), &Placement { angle: 3000, ..placement });
        assert!(turned.within(around) == Some(around) && turned.area() <= 100 * 100);
        assert_eq!(around.within(Bounds { left: 120, top: 0, right: 200, bottom: 99 }), None);
    }
}
