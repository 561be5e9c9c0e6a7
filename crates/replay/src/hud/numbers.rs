//! Numbers that change with every frame: fonts of sprites, our own or a legacy skin's.

use std::collections::BTreeMap;

use super::kit::{Kit, Stamp};
use crate::draw::{Image, Picture, Rgb, letters::Letters};

/// Where a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Its left side is at the place.
    Left,
    /// Its middle is.
    Middle,
    /// Its right side is.
    Right,
}

/// Letters of a legacy font, with the ends of their files' names.
const LEGACY: &[(char, &str)] = &[
    ('0', "0"),
    ('1', "1"),
    ('2', "2"),
    ('3', "3"),
    ('4', "4"),
    ('5', "5"),
    ('6', "6"),
    ('7', "7"),
    ('8', "8"),
    ('9', "9"),
    (',', "comma"),
    ('.', "dot"),
    ('%', "percent"),
    ('x', "x"),
];

/// Letters at one size in one colour.
#[derive(Debug, Clone)]
pub(super) struct Font {
    letters: BTreeMap<char, Stamp>,
    /// Pixels between two letters; negative where they overlap.
    gap: i32,
    /// How high digits are, in pixels.
    pub(super) height: i32,
}

impl Font {
    /// Our own letters, those of `letters`; digits are `height` pixels high.
    pub(super) fn own(letters: &str, height: i32, colour: Rgb, bold: bool) -> Self {
        let face = if bold { Letters::BOLD } else { Letters::REGULAR };
        let height = height.max(6);
        let stamp = |letter: char| {
            (letter, Stamp::lettered(&face.glyph(letter, height as u32), height as u32, colour))
        };
        let letters: BTreeMap<char, Stamp> = letters.chars().map(stamp).collect();
        let digit = letters.get(&'0').map_or(0, |stamp| stamp.width);
        Self { letters, gap: (Letters::digit_step(height as u32) as i32 - digit).max(1), height }
    }

    /// A legacy skin's digits in `percent` of their size, where it has all ten; signs that it lacks are not written.
    pub(super) fn legacy(kit: &Kit<'_>, prefix: &str, overlap: i32, percent: i64) -> Option<Self> {
        let mut letters = BTreeMap::new();
        for (letter, end) in LEGACY {
            match kit.element(&format!("{prefix}-{end}"), percent) {
                Some(image) => {
                    letters.insert(*letter, Stamp::plain(&image));
                }
                None if letter.is_ascii_digit() => return None,
                None => {}
            }
        }
        let density = kit.stage.skin.element(&format!("{prefix}-0")).map_or(1, |element| element.density);
        let hundredths = i64::from(overlap.abs()) * i64::from(density) * percent;
        let gap = if overlap == 0 { 0 } else { -overlap.signum() * kit.skin_px(hundredths, density) };
        let height = letters.get(&'0').map_or(1, |stamp| stamp.height);
        Some(Self { letters, gap, height })
    }

    /// How wide a text is, in pixels.
    pub(super) fn width(&self, text: &str) -> i32 {
        let known = text.chars().filter_map(|letter| self.letters.get(&letter));
        let (count, width) = known.fold((0, 0), |(count, width), stamp| (count + 1, width + stamp.width));
        (width + self.gap * (count - 1).max(0)).max(0)
    }

    /// Writes a text with its top at `y`. The first `faint` letters are written faintly.
    pub(super) fn write(
        &self,
        onto: &mut Picture,
        text: &str,
        (x, y): (i32, i32),
        side: Side,
        opacity: u8,
        faint: usize,
    ) {
        let mut left = match side {
            Side::Left => x,
            Side::Middle => x - self.width(text) / 2,
            Side::Right => x - self.width(text),
        };
        for (index, letter) in text.chars().enumerate() {
            if let Some(stamp) = self.letters.get(&letter) {
                stamp.draw(onto, left, y, if index < faint { opacity / 3 } else { opacity });
                left += stamp.width + self.gap;
            }
        }
    }
}

/// An image in a height, its width in proportion.
pub(super) fn with_height(image: &Image, height: i32) -> Image {
    let width =
        (u64::from(image.width) * height.max(1) as u64 / u64::from(image.height.max(1))).clamp(1, 8192);
    image.resized(width as u32, height.max(1) as u32)
}

/// A number of hundredths with two places, such as `98.76`.
pub(super) fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}
