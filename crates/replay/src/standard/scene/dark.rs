//! Flashlight: darkness with a hole that follows the cursor, smaller with a higher combo, and darker while a slider is followed.
//!
//! Sizes and times are those of lazer's `OsuModFlashlight` and `ModFlashlight`.

use super::{
    cursor::Cursor,
    ease::{self, ALL, between, ms, share},
    objects::{Object, Shape},
    steps::Steps,
};
use crate::{
    draw::{
        Blend, Image, Picture,
        raster::{self, Sub},
    },
    mods::bits,
    spans::Spans,
    stage::{Layout, Stage},
    time::Micros,
};

/// Radius of the hole without a combo, in osu! pixels.
const RADIUS: i32 = 180;
/// Combos from which on it is smaller, and how much is left of it then, in 1/10,000.
const SIZES: [(u32, i32); 3] = [(0, 10_000), (100, 8_125), (200, 6_250)];
/// How long it takes to change its size.
const CHANGES: Micros = ms(800);
/// How long the hole is behind the cursor.
const BEHIND: i64 = 120;
/// How much darker the hole is while a slider is followed, of 255, and how long that takes.
const DIM: u8 = 204;
const DIMS: Micros = ms(50);
/// Sizes of the hole that are told apart.
const STEPS: usize = 25;

/// The darkness.
#[derive(Debug)]
pub(super) struct Dark {
    layout: Layout,
    /// Changes of the hole's size: when, and from and to which, in 1/10,000 of its largest one.
    sizes: Vec<(Micros, i32, i32)>,
    /// When sliders are followed.
    followed: Spans,
    stretches: Vec<(Micros, Micros)>,
    /// Darkness around the hole, from its smallest size to its largest one.
    holes: Steps,
}

impl Dark {
    /// `None` without the mod.
    pub(super) fn new(stage: &Stage<'_>, objects: &[Object]) -> Option<Self> {
        if !stage.mods.has(bits::FLASHLIGHT) {
            return None;
        }
        let mut sizes: Vec<(Micros, i32, i32)> = Vec::new();
        for event in &stage.play.events {
            let size = SIZES
                .iter()
                .rev()
                .find(|(combo, _)| event.after.combo >= *combo)
                .map_or(10_000, |(_, size)| *size);
            let before = sizes.last().map_or(10_000, |(.., to)| *to);
            if size != before {
                let from = sizes.last().map_or(before, |last| size_of(last, event.at));
                sizes.push((event.at, from, size));
            }
        }
        let stretches = objects.iter().filter_map(|object| match &object.shape {
            Shape::Slider(slider) => Some(slider.followed.iter().copied()),
            _ => None,
        });
        let stretches: Vec<_> = stretches.flatten().map(|(from, to)| (from, to.max(from))).collect();
        let largest = stage.layout.scaled(RADIUS * 256);
        let hole =
            move |share| hole(between((i64::from(largest) * 6_250 / 10_000) as i32, largest, share), largest);
        Some(Self {
            layout: stage.layout,
            sizes,
            followed: Spans::new(stretches.iter().map(|(from, to)| (*from, to.saturating_add(DIMS)))),
            stretches,
            holes: Steps::new(STEPS, Blend::Over, hole),
        })
    }

    pub(super) fn draw(&self, at: Micros, cursor: &Cursor, onto: &mut Picture) {
        // It is where the cursor was in the last moments, on average: the nearer, the more.
        let (mut sum, mut weights) = ((0_i64, 0_i64), 0_i64);
        for before in (0..BEHIND).step_by(10) {
            if let Some((x, y)) = cursor.place(at - ms(before)) {
                let weight = BEHIND - before;
                sum = (sum.0 + i64::from(x) * weight, sum.1 + i64::from(y) * weight);
                weights += weight;
            }
        }
        let middle = if weights > 0 {
            ((sum.0 / weights) as i32, (sum.1 / weights) as i32)
        } else {
            self.layout.place(256 * 256, 192 * 256)
        };
        let index = self.sizes.partition_point(|(when, ..)| *when <= at);
        let size = index
            .checked_sub(1)
            .and_then(|index| self.sizes.get(index))
            .map_or(10_000, |last| size_of(last, at));
        let share = ((size - 6_250) * (ALL / 16) / (3_750 / 16)).clamp(0, ALL);
        if let Some(hole) = self.holes.at(share) {
            let (width, height) = (self.layout.width as i32, self.layout.height as i32);
            // Even places, so that nothing is seen where the darkness around begins.
            let left = ((middle.0 >> 8) - hole.width as i32 / 2) & !1;
            let top = ((middle.1 >> 8) - hole.height as i32 / 2) & !1;
            let (right, bottom) = (left + hole.width as i32, top + hole.height as i32);
            onto.sprite(hole, left, top, 255);
            let mut black = |left: i32, top: i32, right: i32, bottom: i32| {
                onto.rectangle(left, top, (right - left, bottom - top), [0; 3], 255);
            };
            black(0, 0, width, top);
            black(0, bottom, width, height);
            black(0, top, left, bottom);
            black(right, top, width, bottom);
        }
        let dim = self.followed.at(at).into_iter().filter_map(|index| self.stretches.get(index)).map(
            |(from, to)| {
                let comes = ease::share(at, *from, DIMS);
                comes.min(ALL - ease::share(at, *to, DIMS))
            },
        );
        if let Some(dim) = dim.max() {
            let opacity = ((i64::from(dim) * i64::from(DIM)) >> 16) as u8;
            onto.rectangle(0, 0, (self.layout.width as i32, self.layout.height as i32), [0; 3], opacity);
        }
    }
}

/// The size at a moment after its last change.
fn size_of((from, before, size): &(Micros, i32, i32), at: Micros) -> i32 {
    between(*before, *size, share(at, *from, CHANGES))
}

/// Darkness with a soft hole in its middle.
fn hole(radius: Sub, largest: Sub) -> Image {
    let side = raster::side(largest);
    let soft = largest / 5;
    let middle = (side as Sub * 128, side as Sub * 128);
    Image::of(side, side, |x, y| {
        let beyond = raster::distance(raster::middle(x, y), middle) - (radius - soft);
        let dark = (i64::from(beyond.clamp(0, soft)) * 255 / i64::from(soft.max(1))) as u8;
        [0, 0, 0, dark]
    })
}
