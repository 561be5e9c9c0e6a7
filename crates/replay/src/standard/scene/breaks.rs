//! Breaks: how long one lasts yet, and arrows that warn of its end.

use super::ease::{self, ALL, ms, seen, share};
use crate::{
    draw::{Blend, Picture, Sprite, raster},
    stage::{Layout, Stage},
    time::{Micros, micros},
};

/// Shorter breaks are not shown.
const SHORTEST: Micros = ms(1500);
/// How long the bar takes to come and to go.
const FADE: Micros = ms(325);
/// How long before a break's end arrows warn of it, and how often they are seen.
const WARNED: Micros = ms(1000);
const BLINKS: i64 = 5;

/// Breaks of the map.
#[derive(Debug)]
pub(super) struct Breaks {
    /// From and to, in order of time.
    breaks: Vec<(Micros, Micros)>,
    layout: Layout,
    /// Points to the right, and to the left.
    arrows: [Sprite; 2],
}

impl Breaks {
    pub(super) fn new(stage: &Stage<'_>) -> Self {
        let breaks = stage.map.map.breaks.iter().map(|one| (micros(one.start_time), micros(one.end_time)));
        let mut breaks: Vec<_> = breaks.filter(|(from, to)| to.saturating_sub(*from) >= SHORTEST).collect();
        breaks.sort_unstable();
        let size = stage.layout.scaled(26 * 256);
        let arrow = |turned: i32| {
            let mut image = raster::disc(size, [0; 3]).faded(0);
            let (x, y) = image.middle();
            let corner = |right: i32, down: i32| (x + turned * size / 100 * right, y + size / 100 * down);
            let corners = [corner(-25, -55), corner(30, 0), corner(-25, 55)];
            image.paint(|at| raster::distance_to_lines(at, &corners) - size / 5, |_| ([0; 3], 110));
            image.paint(|at| raster::distance_to_lines(at, &corners) - size / 8, |_| ([255, 84, 96], 255));
            Sprite::new(&image, Blend::Over)
        };
        Self { breaks, layout: stage.layout, arrows: [arrow(1), arrow(-1)] }
    }

    pub(super) fn draw(&self, at: Micros, onto: &mut Picture) {
        let index = self.breaks.partition_point(|(from, _)| *from <= at);
        let Some((from, to)) = index.checked_sub(1).and_then(|index| self.breaks.get(index)) else { return };
        if at >= *to {
            return;
        }
        let opacity = seen(share(at, *from, FADE)).min(ease::gone(share(at, to - FADE, FADE)));
        let left = ALL - share(at, *from, to - from);
        let whole = (i64::from(self.layout.width) * 3 / 10) as i32;
        let height = (self.layout.scaled(5 * 256) >> 8).max(2);
        let middle = (self.layout.width as i32 / 2, self.layout.height as i32 / 2);
        let mut bar = |width: i32, rgb, opacity: u8| {
            // Even places, so that its colour has no seam.
            let left = (middle.0 - width / 2) & !1;
            onto.rectangle(left, (middle.1 - height / 2) & !1, (width & !1, height), rgb, opacity);
        };
        bar(whole, [0; 3], opacity / 2);
        bar(ease::between(0, whole, left), [255; 3], opacity);
        self.warn(at, *to, onto);
    }

    fn warn(&self, at: Micros, end: Micros, onto: &mut Picture) {
        let into = share(at, end - WARNED, WARNED);
        let blink = (i64::from(into) * BLINKS % i64::from(ALL)) as i32;
        if at < end - WARNED {
            return;
        }
        let opacity = ease::gone((blink - ALL / 2).abs() * 2);
        let [right, left] = &self.arrows;
        let (width, height) = (self.layout.width as i32 * 256, self.layout.height as i32 * 256);
        for (x, arrow) in [(width / 8, right), (width - width / 8, left)] {
            for y in [height / 4, height - height / 4] {
                onto.sprite_around(arrow, (x, y), opacity);
            }
        }
    }
}
