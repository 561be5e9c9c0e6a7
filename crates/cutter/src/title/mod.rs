//! The title of a clip: name and streamer on a band in the lower third, for the clip's first seconds.
//!
//! Drawn once for a canvas (`Overlay::draw`) and laid over its pictures with a soft beginning and end (`opacity`).
//! Text is shaped by the rules of its script, right to left where it is read so, with whatever fonts the machine has;
//! characters without a font are left out, and [`Fonts::missing`] tells them beforehand. A text is user input: `words`
//! bounds what of it is drawn, so that a title costs bounded time and memory. A title of which nothing can be drawn is
//! no error; there is no band then.

mod files;
mod fonts;
mod line;
mod overlay;
mod paint;
mod shape;
mod words;

use serde::{Deserialize, Serialize};

pub use files::FontFiles;
pub use fonts::Fonts;
pub(crate) use overlay::Overlay;

use crate::blend::{FULL, weight};
use crate::picture::Target;
use crate::time::{FrameRate, TICKS_PER_SECOND};
use paint::{Bitmap, Ink};

/// How long it takes to come: 0.4 s.
const COMING_TICKS: i64 = TICKS_PER_SECOND / 5 * 2;
/// How long it takes to go: 0.6 s.
const GOING_TICKS: i64 = TICKS_PER_SECOND / 5 * 3;

/// What stays free at each side of the canvas: 5 %, the title-safe area.
const MARGIN: f32 = 0.05;
/// The narrowest and lowest canvas that has room for a title, in pixels.
const LEAST: (u32, u32) = (96, 64);

const BAND: Ink = Ink::new([12, 14, 20], 0.76);
const BAR: Ink = Ink::new([255, 92, 108], 1.0);
const NAME: Ink = Ink::new([255, 255, 255], 1.0);
const UNDER_NAME: Ink = Ink::new([206, 211, 222], 1.0);

/// What is written over the first seconds of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// The clip's name.
    pub text: String,
    /// A smaller line below it: whose clip it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
}

/// Opacity on frame `frame` of a title that is seen on the first `shown` frames, from 0 to [`FULL`]. A title that is seen
/// for a short time comes and goes faster.
pub(crate) fn opacity(frame: u64, rate: FrameRate, shown: u64) -> u16 {
    if frame >= shown {
        return 0;
    }
    let soft = |ticks: i64| rate.ticks_to_frames(ticks).min(shown / 3);
    let coming = weight(frame + 1, soft(COMING_TICKS) + 1);
    let going = weight(shown - frame, soft(GOING_TICKS) + 1);
    coming.min(going).min(FULL)
}

impl Overlay {
    /// Draws a title for a canvas. `None`: nothing of it can be drawn, or the canvas has no room for it.
    pub(crate) fn draw(title: &Title, target: &Target, fonts: &Fonts) -> Option<Self> {
        if target.width < LEAST.0 || target.height < LEAST.1 {
            return None;
        }
        // Everything is drawn for square pixels and squeezed at the end.
        let stretch = target.pixel_shape.0 as f32 / target.pixel_shape.1.max(1) as f32;
        let stretch = if stretch.is_finite() { stretch.clamp(0.25, 4.0) } else { 1.0 };
        let (seen_width, seen_height) = (target.width as f32 * stretch, target.height as f32);
        let design = Design::of(seen_width, seen_height);
        let room = seen_width * (1.0 - 2.0 * MARGIN) - design.lead - design.trail;
        let mut shelf = fonts.shelf();
        let shelf = &mut *shelf;
        let name = shape::fitted(shelf, &title.text, true, design.name, room);
        let under_name = title.subtitle.as_deref();
        let under_name =
            under_name.and_then(|text| shape::fitted(shelf, text, false, design.under_name, room));
        let right_to_left = name.as_ref().or(under_name.as_ref())?.right_to_left;

        let lines = [(name, NAME, design.name), (under_name, UNDER_NAME, design.under_name)];
        let length =
            lines.iter().filter_map(|(line, ..)| line.as_ref()).map(|line| line.width).fold(0.0, f32::max);
        let text_height: f32 =
            lines.iter().filter(|(line, ..)| line.is_some()).map(|(.., size)| size * LINE).sum();
        let (width, height) = (design.lead + length + design.trail, text_height + 2.0 * design.padding);
        let mut bitmap = Bitmap::new(even(width), even(height));
        let (width, height) = (bitmap.width as f32, bitmap.height as f32);
        bitmap.rounded([0.0, 0.0, width, height], design.radius, BAND);
        // The side where reading begins.
        let at =
            |from_start: f32, size: f32| if right_to_left { width - from_start - size } else { from_start };
        let bar = [at(design.bar_at, design.bar), design.padding, design.bar, height - 2.0 * design.padding];
        bitmap.rounded(bar, design.bar / 2.0, BAR);
        let mut top = design.padding;
        for (line, ink, size) in &lines {
            let Some(line) = line else { continue };
            // A line that was made smaller stands in the middle of its room.
            let baseline = top + size * LINE / 2.0 + line.size * MIDDLE;
            line.draw(shelf, &mut bitmap, (at(design.lead, line.width), baseline.round()), *ink);
            top += size * LINE;
        }
        let bitmap = if stretch == 1.0 {
            bitmap
        } else {
            let width = even(bitmap.width as f32 / stretch).min(target.width as usize);
            bitmap.squeezed(width.max(2))
        };
        let (width, height) = (bitmap.width as u32, bitmap.height as u32);
        if width > target.width || height > target.height {
            return None;
        }
        let aside = ((target.width as f32 * MARGIN) as u32 / 2 * 2).min(target.width - width);
        let below = ((seen_height * MARGIN) as u32 / 2 * 2).min(target.height - height);
        let x = if right_to_left { target.width - width - aside } else { aside };
        Some(Self::new(&bitmap, (x / 2 * 2, (target.height - height - below) / 2 * 2), target))
    }
}

/// Height of a line, in parts of its size.
const LINE: f32 = 1.26;
/// How far the middle of a line's letters is above its baseline, in parts of its size.
const MIDDLE: f32 = 0.36;

/// Sizes in pixels.
struct Design {
    name: f32,
    under_name: f32,
    padding: f32,
    radius: f32,
    bar: f32,
    /// From the band's beginning to the bar, and to the text.
    bar_at: f32,
    lead: f32,
    /// From the text's end to the band's.
    trail: f32,
}

impl Design {
    /// Everything follows the shorter side; small pictures have larger letters in proportion.
    fn of(width: f32, height: f32) -> Self {
        let side = width.min(height);
        let name = (side * 0.05 + 4.0).min(360.0);
        let bar = (name * 0.11).round().max(2.0);
        let bar_at = (name * 0.42).round();
        Self {
            name,
            under_name: (name * 0.66).max(9.0),
            padding: (name * 0.36).round(),
            radius: name * 0.30,
            bar,
            bar_at,
            lead: bar_at + bar + (name * 0.40).round(),
            trail: (name * 0.62).round(),
        }
    }
}

/// The next even number.
fn even(side: f32) -> usize {
    (side.max(2.0) / 2.0).ceil() as usize * 2
}

#[cfg(test)]
mod tests;
