//! The life bar, at the left of the top.

use super::{
    kit::{ALARM, DARK, Kit, LIVELY, Stamp, plate},
    strips::Strips,
    timeline::Now,
};
use crate::{
    draw::{Picture, Rgb, raster},
    standard::judge::life_at,
    time::Micros,
};

/// How often life is looked up when the bar is prepared, in microseconds of the map …
const STEP: Micros = 50_000;
/// … and how often at most.
const MOST_STEPS: i64 = 100_000;
/// Colours of the bar, below so many millionths of life.
const COLOURS: [(u32, Rgb); 3] = [(250_000, ALARM), (500_000, [255, 176, 64]), (u32::MAX, LIVELY)];

/// Life over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    from: Micros,
    step: Micros,
    /// In millionths, one for each step.
    levels: Vec<u32>,
}

impl Course {
    pub(super) fn new(kit: &Kit<'_>) -> Self {
        let (from, to) = kit.stage.span;
        let step = STEP.max((to - from).max(0) / MOST_STEPS);
        let count = (to - from).max(0) / step + 2;
        let at = |index: i64| life_at(kit.stage.replay, kit.stage.play, from + index * step);
        Self { from, step, levels: (0..count).map(at).collect() }
    }

    /// Life at a moment, in millionths.
    pub(super) fn at(&self, at: Micros) -> u32 {
        let since = at.saturating_sub(self.from).max(0);
        let (index, beyond) = (since / self.step, since % self.step);
        let level = |index: i64| {
            let level = usize::try_from(index).ok().and_then(|index| self.levels.get(index));
            i64::from(level.or(self.levels.last()).copied().unwrap_or(1_000_000))
        };
        let (before, after) = (level(index), level(index + 1));
        (before + (after - before) * beyond / self.step) as u32
    }
}

/// The bar.
pub(super) struct Life {
    course: Course,
    look: Look,
    /// Left side and top.
    at: (i32, i32),
    /// Where the next thing below it begins.
    pub(super) bottom: i32,
}

/// How it looks.
enum Look {
    Own {
        back: Stamp,
        /// For each of the colours.
        fills: Vec<Strips>,
        inset: i32,
    },
    Legacy {
        back: Option<Stamp>,
        fill: Strips,
        inset: (i32, i32),
    },
}

impl Life {
    pub(super) fn new(kit: &Kit<'_>) -> Self {
        let course = Course::new(kit);
        if let Some((look, bottom)) = legacy(kit) {
            return Self { course, look, at: (0, 0), bottom };
        }
        let (width, height) = (kit.px(360).min(kit.width * 2 / 5) & !1, kit.px(14));
        let inset = kit.px(3);
        let back = plate(width, height, height / 2, DARK, 170);
        let (inner, high) = (width - 2 * inset, (height - 2 * inset).max(2));
        let fill = |(_, rgb): (u32, Rgb)| {
            let bar = raster::rounded_box(inner.max(2) as u32, high as u32, high * 128, rgb);
            Strips::new(&bar)
        };
        let at = (kit.margin() & !1, kit.margin());
        let inset = inset & !1;
        Self {
            course,
            look: Look::Own { back, fills: COLOURS.map(fill).into(), inset: inset.max((height - high) / 2) },
            at,
            bottom: at.1 + height,
        }
    }

    /// Life at a moment, in millionths.
    pub(super) fn level(&self, at: Micros) -> u32 {
        self.course.at(at)
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let level = self.level(now.at);
        let part = |width: i32| (i64::from(width) * i64::from(level) / 1_000_000) as i32;
        let (x, y) = self.at;
        match &self.look {
            Look::Own { back, fills, inset } => {
                back.draw(onto, x, y, now.opacity);
                let colour = COLOURS.iter().position(|(below, _)| level < *below);
                if let Some(fill) = colour.and_then(|colour| fills.get(colour)) {
                    fill.draw(onto, (x + inset, y + inset), (0, part(fill.width)), now.opacity);
                }
            }
            Look::Legacy { back, fill, inset } => {
                if let Some(back) = back {
                    back.draw(onto, x, y, now.opacity);
                }
                fill.draw(onto, (x + inset.0, y + inset.1), (0, part(fill.width)), now.opacity);
            }
        }
    }
}

/// A legacy skin's bar, where it has one, and how far it goes down.
fn legacy(kit: &Kit<'_>) -> Option<(Look, i32)> {
    let fill = kit.element("scorebar-colour", 100)?;
    let back = kit.element("scorebar-bg", 100);
    // Bars with a marker are of the newer kind, whose colour lies elsewhere.
    let (x, y) = if kit.stage.skin.element("scorebar-marker").is_some() { (1200, 1248) } else { (480, 1600) };
    let inset = (kit.skin_px(x, 1) & !1, kit.skin_px(y, 1));
    let bottom = inset.1 + fill.height as i32;
    let look = Look::Legacy { back: back.as_ref().map(Stamp::plain), fill: Strips::new(&fill), inset };
    Some((look, bottom))
}
