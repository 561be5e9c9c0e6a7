//! One line of text in a size: shaped by the rules of its script, fitted into a width, and drawn as glyphs.

use cosmic_text::fontdb::{ID, Weight};
use cosmic_text::{Attrs, AttrsList, BufferLine, Ellipsize, Family, Hinting, LineEnding, Shaping, Wrap};
use swash::scale::image::{Content, Image};
use swash::scale::{Render, Source, StrikeWith};
use swash::tag_from_bytes;
use swash::zeno::Vector;

use super::fonts::{Assigned, Shelf};
use super::paint::{Bitmap, Ink};
use super::words;

/// How much a line may be made smaller before it is cut.
const SMALLEST: f32 = 0.72;
/// Below this size glyphs are fitted to whole rows of pixels, in pixels.
const HINTED_BELOW: f32 = 20.0;
/// How much bolder strokes become where there is no bold font, in parts of the size.
const BOLDER: f32 = 1.0 / 46.0;

/// A glyph in its place.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    font: ID,
    weight: Weight,
    embolden: bool,
    id: u16,
    /// Of its origin, from the line's left end and downwards from the baseline, in pixels.
    x: f32,
    y: f32,
}

/// A line, ready to be drawn.
#[derive(Debug)]
pub(super) struct Line {
    glyphs: Vec<Glyph>,
    /// Height of the letters' square, in pixels.
    pub(super) size: f32,
    /// Length in pixels.
    pub(super) width: f32,
    /// Whether it is read from right to left.
    pub(super) right_to_left: bool,
}

/// Shapes a text in at most `size`, and no wider than `room`: smaller where that is enough, cut at its end otherwise.
/// `None`: nothing of it can be drawn.
pub(super) fn fitted(shelf: &mut Shelf, text: &str, bold: bool, size: f32, room: f32) -> Option<Line> {
    let text = words::line(text);
    let whole = shaped(shelf, &text, bold, size)?;
    if whole.width <= room {
        return Some(whole);
    }
    let scale = room / whole.width;
    if scale >= SMALLEST {
        let smaller = shaped(shelf, &text, bold, size * scale)?;
        if smaller.width <= room {
            return Some(smaller);
        }
    }
    // The most signs that fit, with an ellipsis behind them.
    let size = size * SMALLEST;
    let signs = words::signs(&text);
    let (mut fits, mut least, mut most) = (None, 1, signs.len());
    while least < most {
        let count = (least + most) / 2;
        let cut = format!("{}…", signs[..count].concat().trim_end());
        match shaped(shelf, &cut, bold, size) {
            Some(line) if line.width <= room => {
                fits = Some(line);
                least = count + 1;
            }
            _ => most = count,
        }
    }
    fits
}

/// Shapes a text in a size.
fn shaped(shelf: &mut Shelf, text: &str, bold: bool, size: f32) -> Option<Line> {
    let Assigned { text, runs, .. } = shelf.assign(text, bold);
    if text.trim().is_empty() {
        return None;
    }
    let mut attributes = AttrsList::new(&Attrs::new());
    let mut start = 0;
    for (length, cut) in &runs {
        let family = Shelf::family_name(*cut);
        let attrs =
            Attrs::new().family(Family::Name(&family)).weight(cut.weight).metadata(cut.embolden.into());
        attributes.add_span(start..start + length, &attrs);
        start += length;
    }
    let mut line = BufferLine::new(text, LineEnding::None, attributes, Shaping::Advanced);
    let right_to_left = line.shape(&mut shelf.system, 4).rtl;
    let (wrap, ellipsize, hinting) = (Wrap::None, Ellipsize::None, Hinting::Disabled);
    let layout = line.layout(&mut shelf.system, size, None, wrap, ellipsize, None, 4, hinting);
    let mut glyphs = Vec::new();
    let mut width = 0_f32;
    for glyph in layout.iter().take(1).flat_map(|line| &line.glyphs) {
        width = width.max(glyph.x + glyph.w);
        // 0 is the empty box of every font.
        if glyph.glyph_id == 0 {
            continue;
        }
        glyphs.push(Glyph {
            font: glyph.font_id,
            weight: glyph.font_weight,
            embolden: glyph.metadata != 0,
            id: glyph.glyph_id,
            x: glyph.x + glyph.x_offset * glyph.font_size,
            y: glyph.y - glyph.y_offset * glyph.font_size,
        });
    }
    let drawable = width.is_finite() && glyphs.iter().all(|glyph| glyph.x.is_finite() && glyph.y.is_finite());
    (drawable && !glyphs.is_empty()).then_some(Line { glyphs, size, width, right_to_left })
}

impl Line {
    /// How many glyphs are drawn, without spaces' own.
    #[cfg(test)]
    pub(super) fn glyphs(&self) -> usize {
        self.glyphs.len()
    }

    /// Draws the line with its left end and baseline at (`x`, `y`).
    pub(super) fn draw(&self, shelf: &mut Shelf, onto: &mut Bitmap, (x, y): (f32, f32), ink: Ink) {
        for glyph in &self.glyphs {
            let (left, top) = (x + glyph.x, y + glyph.y);
            let whole = (left.floor(), top.round());
            let Some(image) = self.image(shelf, glyph, left - whole.0) else { continue };
            let corner = (
                i64::from(image.placement.left).saturating_add(whole.0 as i64),
                (whole.1 as i64).saturating_sub(image.placement.top.into()),
            );
            let size = (image.placement.width as usize, image.placement.height as usize);
            match image.content {
                Content::Mask => onto.stamp(corner, size, &image.data, ink),
                Content::Color => onto.paste(corner, size, &image.data, ink.alpha),
                Content::SubpixelMask => {}
            }
        }
    }

    fn image(&self, shelf: &mut Shelf, glyph: &Glyph, shift: f32) -> Option<Image> {
        let font = shelf.system.get_font(glyph.font, glyph.weight)?;
        let font = font.as_swash();
        let hint = self.size < HINTED_BELOW && !glyph.embolden;
        let mut scaler = shelf.scaler.builder(font).size(self.size).hint(hint);
        if let Some(axis) = font.variations().find_by_tag(tag_from_bytes(b"wght")) {
            let weight = f32::from(glyph.weight.0).clamp(axis.min_value(), axis.max_value());
            let coordinates = font.variations().normalized_coords([(axis.tag(), weight)]);
            scaler = scaler.normalized_coords(coordinates);
        }
        let sources = [Source::ColorOutline(0), Source::ColorBitmap(StrikeWith::BestFit), Source::Outline];
        let mut render = Render::new(&sources);
        render.offset(Vector::new(shift, 0.0));
        if glyph.embolden {
            render.embolden(self.size * BOLDER);
        }
        render.render(&mut scaler.build(), glyph.id)
    }
}
