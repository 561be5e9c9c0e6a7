//! How early or late presses are, and where on their objects.

use super::{
    kit::{self, DARK, Kit, LIVELY, Stamp, WHITE, fainter, share},
    numbers::{Font, Side, hundredths},
    timeline::{Mark, Now},
};
use crate::{
    draw::{Image, Picture, Rgb, raster},
    play::Hit,
};

/// How long a press is seen, in microseconds of the video.
const SEEN: i64 = 6_000_000;
/// Presses that are seen at most.
const MOST_SEEN: usize = 60;
/// Over how long the average is, in microseconds of the video; a press counts fully after a fiftieth of it.
const AVERAGED: i64 = 5_000_000;

/// The average of the last presses, in microseconds of the map; newer ones count more. `None` where there is none.
pub(super) fn average(now: &Now<'_>) -> Option<i64> {
    let weighed = now.last_marks(MOST_SEEN, AVERAGED).fold((0, 0), |(sum, weights), (mark, age)| {
        // A press comes in quickly, but not at once, so that the arrow moves and does not jump.
        let weight = (AVERAGED - age).min((age + 1) * 50) / 64;
        (sum + i128::from(mark.off) * i128::from(weight), weights + i128::from(weight))
    });
    (weighed.1 > 0).then(|| (weighed.0 / weighed.1) as i64)
}

/// How early or late presses are; at the middle of the bottom.
pub(super) struct HitErrors {
    /// From the widest window to the narrowest: half its width in pixels, and its colour.
    bands: Vec<(i32, Rgb)>,
    /// From the narrowest window to the widest, in microseconds of the map.
    windows: Vec<(Hit, i32)>,
    /// Half the width of the widest window, in pixels.
    half: i32,
    /// The middle.
    centre: (i32, i32),
    band: i32,
    tick: (i32, i32),
    arrow: Stamp,
    font: Font,
    unit: Stamp,
    label_y: i32,
}

impl HitErrors {
    /// `None` where no windows are known.
    pub(super) fn new(kit: &Kit<'_>, windows: &[(Hit, i32)]) -> Option<Self> {
        let (_, widest) = *windows.last()?;
        let half = kit.px(130).min(kit.width / 6);
        let width = |window: i32| (i64::from(half) * i64::from(window) / i64::from(widest.max(1))) as i32;
        let bands = windows.iter().rev().map(|(hit, window)| (width(*window), kit::colour(*hit))).collect();
        let tick = (kit.px(2), kit.px(18));
        let centre = (kit.width / 2, kit.height - kit.margin() - tick.1 / 2);
        let side = kit.px(11) as u32 | 1;
        let arrow = Stamp::shaded(&triangle(side), side * 2);
        let font = Font::own("0123456789.", kit.px(14), WHITE, true);
        let unit = kit.label("UR", 9);
        let label_y = centre.1 - tick.1 / 2 - arrow.height - kit.px(4) - font.height;
        let windows = windows.to_vec();
        let band = kit.px(5);
        Some(Self { bands, windows, half, centre, band, tick, arrow, font, unit, label_y })
    }

    /// Where an error lies, in pixels from the middle.
    pub(super) fn place(&self, off: i64) -> i32 {
        let widest = self.windows.last().map_or(1, |(_, window)| i64::from(*window).max(1));
        let half = i64::from(self.half);
        (off * half / widest).clamp(-half - half / 8, half + half / 8) as i32
    }

    /// The colour of a press: that of its result or, of a slider's head, of its window.
    fn colour(&self, mark: &Mark) -> Rgb {
        let within = |(_, window): &&(Hit, i32)| i64::from(mark.off).abs() <= i64::from(*window);
        let hit = mark.hit.or_else(|| self.windows.iter().find(within).map(|(hit, _)| *hit));
        kit::colour(hit.unwrap_or(Hit::Miss))
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let (x, y) = self.centre;
        let (wide, high) = self.tick;
        let back = (self.half * 2 + self.tick.0 * 4, self.band * 3);
        onto.rectangle(x - back.0 / 2, y - back.1 / 2, back, DARK, fainter(now.opacity, 150));
        for (half, rgb) in &self.bands {
            let top = y - self.band / 2;
            onto.rectangle(x - half, top, (half * 2, self.band), *rgb, fainter(now.opacity, 200));
        }
        for (mark, age) in now.last_marks(MOST_SEEN, SEEN) {
            let left = x + self.place(mark.off.into()) - wide / 2;
            let opacity = fainter(now.opacity, 255 - share(age, 0, SEEN));
            onto.rectangle(left, y - high / 2, (wide, high), self.colour(mark), opacity);
        }
        onto.rectangle(x - wide / 2, y - high / 2 - 1, (wide, high + 2), WHITE, now.opacity);
        if let Some(average) = average(now) {
            let left = x + self.place(average) - self.arrow.width / 2;
            self.arrow.draw(onto, left, y - high / 2 - self.arrow.height - 1, now.opacity);
        }
        let text = hundredths(now.reading.unstable_rate.into());
        let whole = self.font.width(&text) + self.unit.width * 5 / 4;
        let left = x - whole / 2;
        self.font.write(onto, &text, (left, self.label_y), Side::Left, now.opacity, 0);
        let unit = (left + whole - self.unit.width, self.label_y + self.font.height - self.unit.height);
        self.unit.draw(onto, unit.0, unit.1, now.opacity);
    }
}

/// A triangle that points down.
fn triangle(side: u32) -> Image {
    let middle = side as i32 * 128;
    raster::shape((side, side.div_ceil(2)), WHITE, |(x, y)| {
        // Its sides fall at 45 degrees; 181/256 of what is too far aside is how far away they are.
        ((x - middle).abs() + y - middle) * 181 / 256
    })
}

/// Where presses are on their objects; at the right, above the progress.
pub(super) struct AimErrors {
    target: Stamp,
    dots: Vec<(Option<Hit>, Stamp)>,
    cross: Stamp,
    centre: (i32, i32),
    radius: i32,
}

impl AimErrors {
    pub(super) fn new(kit: &Kit<'_>, bottom: i32) -> Self {
        let radius = kit.px(44);
        let side = raster::side(radius * 256);
        let half = side as i32 * 128;
        let mut target = raster::disc(radius * 256, DARK).faded(165);
        let thick = kit.px(2) * 256;
        for (outer, opacity) in [(radius, 230), (radius / 2, 90)] {
            let ring = raster::ring(outer * 256 - thick, outer * 256, WHITE).faded(opacity);
            let inset = (side as i32 - ring.width as i32) / 2;
            target.put(&ring, inset, inset);
        }
        for line in [
            [(half, half - radius * 80), (half, half + radius * 80)],
            [(half - radius * 80, half), (half + radius * 80, half)],
        ] {
            target.put(&raster::stroke((side, side), &line, thick / 2, WHITE).faded(110), 0, 0);
        }
        let dot = |hit: Option<Hit>| {
            let rgb = hit.map_or(LIVELY, kit::colour);
            (hit, Stamp::plain(&raster::disc(kit.px(3) * 256, rgb)))
        };
        let dots = [None, Some(Hit::Great), Some(Hit::Ok), Some(Hit::Meh), Some(Hit::Miss)].map(dot);
        let size = kit.px(12) as u32;
        let far = size as i32 * 256 - 256;
        let mut cross = raster::stroke((size, size), &[(256, 256), (far, far)], thick, WHITE);
        cross.put(&raster::stroke((size, size), &[(256, far), (far, 256)], thick, WHITE), 0, 0);
        let centre = (kit.width - kit.margin() - radius, bottom - kit.px(14) - radius);
        Self { target: Stamp::plain(&target), dots: dots.into(), cross: Stamp::plain(&cross), centre, radius }
    }

    /// Where the next thing above it ends.
    pub(super) fn top(&self) -> i32 {
        self.centre.1 - self.radius
    }

    /// Where a press lies, in pixels of the picture.
    pub(super) fn place(&self, (x, y): (i16, i16)) -> (i32, i32) {
        let along = |share: i16| i32::from(share).clamp(-1100, 1100) * self.radius / 1000;
        (self.centre.0 + along(x), self.centre.1 + along(y))
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let around = |stamp: &Stamp, (x, y): (i32, i32), opacity: u8, onto: &mut Picture| {
            stamp.draw(onto, x - stamp.width / 2, y - stamp.height / 2, opacity);
        };
        around(&self.target, self.centre, now.opacity, onto);
        let (mut sum, mut count) = ((0_i64, 0_i64), 0);
        for (mark, age) in now.last_marks(MOST_SEEN, SEEN) {
            let Some(aim) = mark.aim else { continue };
            sum = (sum.0 + i64::from(aim.0), sum.1 + i64::from(aim.1));
            count += 1;
            if let Some((_, dot)) = self.dots.iter().find(|(hit, _)| *hit == mark.hit) {
                around(dot, self.place(aim), fainter(now.opacity, 255 - share(age, 0, SEEN)), onto);
            }
        }
        if count > 0 {
            let mean = ((sum.0 / count) as i16, (sum.1 / count) as i16);
            around(&self.cross, self.place(mean), now.opacity, onto);
        }
    }
}
