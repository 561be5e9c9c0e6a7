//! Before and after: the warning of flashing lights, and the fades at the ends of the video.

use super::{
    kit::{Kit, PALE, Stamp, WHITE, fainter, share},
    names::Placed,
};
use crate::{
    draw::{Picture, Rgb, letters::Letters, raster},
    stage::{Moment, Stage},
    time::micros,
};

/// How long the video takes to appear, in microseconds of the video.
const OPEN: i64 = 500_000;
/// How long it takes to end, in microseconds of the video.
const CLOSE: i64 = 700_000;
/// How long the warning's words come and go, in microseconds of the video.
const FADE: i64 = 350_000;

/// The warning and the fades.
pub(super) struct Curtain {
    warning: Placed,
    /// How long the warning is, in microseconds of the video; 0 without one.
    warned: i64,
    /// When the video ends, in its own microseconds.
    end: i64,
}

/// Whether results are shown behind the play: who asks for a part of the play does not ask for its results.
pub(super) fn has_results(stage: &Stage<'_>) -> bool {
    let end = stage.options.video.end.map(|end| micros(end * 1000.0));
    stage.options.results_seconds > 0 && end.is_none_or(|end| end > stage.span.1)
}

impl Curtain {
    pub(super) fn new(stage: &Stage<'_>) -> Self {
        let has_warning = stage.map.map.epilepsy_warning && stage.options.warning_seconds > 0;
        let results = if has_results(stage) { stage.options.results_seconds } else { 0 };
        Self {
            warning: if has_warning { warning(&Kit::sized(stage, 100)) } else { Placed::default() },
            warned: if has_warning { i64::from(stage.options.warning_seconds) * 1_000_000 } else { 0 },
            end: stage.clock.shown_at(stage.span.1) + i64::from(results) * 1_000_000,
        }
    }

    /// How dark the picture is made, from 0 to 255.
    pub(super) fn darkness(&self, shown: i64) -> u8 {
        let opening = 255 - share(shown, self.warned, self.warned + OPEN);
        let closing = if shown < self.end { share(shown, self.end - CLOSE, self.end) } else { 0 };
        opening.max(closing)
    }

    pub(super) fn draw(&self, moment: Moment, onto: &mut Picture) {
        let size = (onto.width as i32, onto.height as i32);
        onto.rectangle(0, 0, size, [0; 3], self.darkness(moment.shown));
        if moment.shown < self.warned {
            let opacity = share(moment.shown, 0, FADE).min(share(self.warned - moment.shown, 0, FADE));
            self.warning.draw(onto, opacity);
        }
    }
}

/// The warning in the middle of the picture.
fn warning(kit: &Kit<'_>) -> Placed {
    const YELLOW: Rgb = [255, 204, 64];
    let most = kit.width * 9 / 10;
    let (width, height) = (kit.px(98), kit.px(84));
    let sign = {
        let size = (width as u32, height as u32);
        let thick = kit.px(7) * 256;
        let (far, low, half) = (width * 256 - thick, height * 256 - thick, width * 128);
        let corners = [(half, thick), (far, low), (thick, low), (half, thick)];
        let mut sign = raster::stroke(size, &corners, thick, YELLOW);
        let mark = Letters::BOLD.glyph('!', size.1 * 2 / 5).tinted(YELLOW);
        sign.put(&mark, (width - mark.width as i32) / 2, height * 19 / 50);
        Stamp::plain(&sign)
    };
    let lines = [
        kit.line("Warning: flashing lights", 34, most, WHITE, true),
        kit.line("This map has scenes with rapidly flashing colours.", 20, most, PALE, false),
        kit.line("Please take care if you are sensitive to light.", 20, most, PALE, false),
    ];
    let gap = kit.px(16);
    let whole = height + lines.iter().map(|line| line.height + gap).sum::<i32>();
    let mut y = (kit.height - whole) / 2;
    let mut placed = Placed::default();
    placed.put(sign, ((kit.width - width) / 2, y));
    y += height + gap;
    for line in lines {
        let (x, step) = ((kit.width - line.width) / 2, line.height + gap);
        placed.put(line, (x, y));
        y += step;
    }
    placed
}

/// How far the results have come in, so long after the play ended, from 0 to 255.
pub(super) fn results_opacity(since: i64) -> u8 {
    fainter(255, share(since, 0, OPEN))
}
