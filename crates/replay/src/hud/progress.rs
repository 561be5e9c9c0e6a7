//! How far the play is, and how hard the map is over time; at the right of the bottom.

use super::{
    kit::{DARK, Kit, LIVELY, PALE, Stamp, plate},
    performance::COLUMNS,
    strips::Strips,
    timeline::Now,
};
use crate::{
    draw::{Image, Picture, raster},
    time::{Micros, micros},
};

/// Progress and strains.
pub(super) struct Progress {
    /// Of the map's objects.
    span: (Micros, Micros),
    bar: Option<(Stamp, Strips)>,
    /// Not yet played, and played.
    graph: Option<(Strips, Strips)>,
    /// Left side, and top of the bar and the graph.
    x: i32,
    bar_y: i32,
    graph_y: i32,
    width: i32,
}

impl Progress {
    /// `strains` may be empty. `None` where nothing of it is to be seen.
    pub(super) fn new(kit: &Kit<'_>, strains: &[u8]) -> Option<Self> {
        let options = &kit.stage.options.hud;
        let has_graph = options.strains && !strains.is_empty();
        if !options.progress && !has_graph {
            return None;
        }
        let width = kit.px(200).min(kit.width / 4) & !1;
        let thick = kit.px(5);
        let x = (kit.width - kit.margin() - width) & !1;
        let bar_y = kit.height - kit.margin() - thick;
        let high = kit.px(40);
        let bar = options.progress.then(|| {
            let fill = raster::rounded_box(width as u32, thick as u32, thick * 128, LIVELY);
            (plate(width, thick, thick / 2, DARK, 190), Strips::new(&fill))
        });
        let graph = has_graph.then(|| {
            let part = |rgb, opacity| {
                let area = area(strains, width as u32, high as u32);
                Strips::new(&area.tinted(rgb).faded(opacity))
            };
            (part(PALE, 110), part(LIVELY, 235))
        });
        let graph_y =
            if options.progress { bar_y - kit.px(4) - high } else { kit.height - kit.margin() - high };
        let objects = &kit.stage.map.map.hit_objects;
        let first = objects.first().map_or(0, |object| micros(object.start_time));
        let last = objects.last().map_or(0, |object| micros(object.start_time));
        Some(Self { span: (first, last.max(first + 1)), bar, graph, x, bar_y, graph_y, width })
    }

    /// Where the next thing above it ends.
    pub(super) fn top(&self) -> i32 {
        if self.graph.is_some() { self.graph_y } else { self.bar_y }
    }

    /// How much of the play is over, in pixels of `width`.
    pub(super) fn done(&self, at: Micros, width: i32) -> i32 {
        let (from, to) = self.span;
        let since = i128::from(at.clamp(from, to) - from);
        (since * i128::from(width) / i128::from(to - from)) as i32
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let done = self.done(now.at, self.width);
        if let Some((later, over)) = &self.graph {
            later.draw(onto, (self.x, self.graph_y), (done, self.width), now.opacity);
            over.draw(onto, (self.x, self.graph_y), (0, done), now.opacity);
        }
        if let Some((back, fill)) = &self.bar {
            back.draw(onto, self.x, self.bar_y, now.opacity);
            fill.draw(onto, (self.x, self.bar_y), (0, done), now.opacity);
        }
    }
}

/// A white area under a line through the strains.
fn area(strains: &[u8], width: u32, height: u32) -> Image {
    let level = |index: i64| {
        let index = index.clamp(0, strains.len() as i64 - 1) as usize;
        i64::from(strains.get(index).copied().unwrap_or(0))
    };
    // In 1/256 pixel.
    let line = |x: u32| {
        let along = (2 * i64::from(x) + 1) * COLUMNS as i64 * 128 / i64::from(width.max(1)) - 128;
        let (index, share) = (along.div_euclid(256), along.rem_euclid(256));
        let level = level(index) * (256 - share) + level(index + 1) * share;
        // What is easy is seen too.
        let least = i64::from(height) * 256 / 24;
        least + level * (i64::from(height) * 256 - least) / (255 * 256)
    };
    let lines: Vec<i64> = (0..width).map(line).collect();
    Image::of(width, height, |x, y| {
        let top = i64::from(height) * 256 - lines.get(x as usize).copied().unwrap_or(0);
        let covered = ((i64::from(y) + 1) * 256 - top).clamp(0, 255) as u8;
        raster::premultiplied([255; 3], covered)
    })
}
