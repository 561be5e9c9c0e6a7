//! Letters drawn by code: a typeface of our own for Latin letters, digits and signs, as round strokes at any size.
//!
//! Promises: the same pixels everywhere, digits that are all as wide. Never fails: what has no shape is a box.

mod shapes;

use self::shapes::{Part, Shape, UNKNOWN};
use super::{
    Image, Text,
    placed::sine,
    raster::{Sub, coverage, distance_to_line, premultiplied},
};

/// Units from the top of capital letters to the line.
const CAPITAL: i32 = 700;
/// Units from the top of capital letters to the lowest part of a letter, with its stroke.
const WHOLE: i32 = 920;
/// Units between two letters.
const GAP: i32 = 96;
/// Degrees of an arc that are drawn as one line.
const STEP: i32 = 6;
/// Letters of a line that are drawn at most.
const MOST_LETTERS: usize = 400;
/// Pixels of the height of letters, at most.
const MOST_HEIGHT: u32 = 2000;

/// The typeface in one thickness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letters {
    /// Of its strokes, in units.
    thickness: i32,
}

impl Letters {
    /// For text.
    pub const REGULAR: Self = Self { thickness: 84 };
    /// For numbers and titles.
    pub const BOLD: Self = Self { thickness: 122 };

    /// One letter, white, in an image as wide as the letter. `height` is that of capital letters and digits, in pixels; what
    /// hangs below the line makes the image higher, at its bottom.
    #[must_use]
    pub fn glyph(self, letter: char, height: u32) -> Image {
        self.line(letter.encode_utf8(&mut [0; 4]), height)
    }

    /// A line of text, white, in an image as wide as it is. `height` as in [`Self::glyph`].
    #[must_use]
    pub fn line(self, text: &str, height: u32) -> Image {
        let height = height.clamp(1, MOST_HEIGHT);
        let whole = if text.chars().any(hangs) { whole(height) } else { height };
        self.drawn(text, height, whole)
    }

    /// How wide a line is, in pixels.
    #[must_use]
    pub fn width(self, text: &str, height: u32) -> u32 {
        let units = placed(text).last().map_or(0, |(_, shape, left)| left + shape.width);
        let pixels = units.unsigned_abs() * height.clamp(1, MOST_HEIGHT);
        pixels.div_ceil(CAPITAL as u32).max(1)
    }

    /// How far apart the left sides of two digits are, in pixels.
    #[must_use]
    pub fn digit_step(height: u32) -> u32 {
        let digit = shapes::of('0').unwrap_or(UNKNOWN).width;
        (i64::from(digit + GAP - 8) * i64::from(height) / i64::from(CAPITAL)) as u32
    }

    fn drawn(self, text: &str, height: u32, whole: u32) -> Image {
        let mut canvas = Canvas::new(self.width(text, height), whole);
        for (_, shape, left) in placed(text) {
            // Strokes stay within the letter's box, however thick they are.
            let across = |x: i32| left * shape.width.max(1) + self.within(x, shape.width.max(1));
            let sub = |units: i32, per: i32| {
                (i64::from(units) * i64::from(height) * 256 / (i64::from(CAPITAL) * i64::from(per))) as Sub
            };
            let place = |(x, y): (i32, i32)| {
                (sub(across(x), shape.width.max(1)), sub(self.within(y, CAPITAL), CAPITAL))
            };
            let half = sub(self.thickness, 2).max(80);
            for stroke in shape.strokes {
                let corners: Vec<(Sub, Sub)> = corners(stroke).into_iter().map(place).collect();
                match (corners.as_slice(), stroke) {
                    ([dot], [Part::Dot(..)]) => canvas.line(*dot, *dot, half * 5 / 4),
                    (corners, _) => corners.windows(2).for_each(|pair| {
                        if let [from, to] = pair {
                            canvas.line(*from, *to, half);
                        }
                    }),
                }
            }
        }
        canvas.image()
    }

    /// A place within a box of that size, times its size, moved so that the stroke stays in the box.
    fn within(self, place: i32, size: i32) -> i32 {
        self.thickness * size / 2 + place * (size - self.thickness)
    }
}

/// Pixels of a line whose capital letters are that high, with what hangs below.
fn whole(height: u32) -> u32 {
    (height * WHOLE as u32).div_ceil(CAPITAL as u32)
}

/// Whether something of a letter is below the line.
fn hangs(letter: char) -> bool {
    let shape = shapes::of(letter).unwrap_or(UNKNOWN);
    shape.strokes.iter().flat_map(|stroke| corners(stroke)).any(|(_, y)| y > CAPITAL + 10)
}

/// The letters of a line with their shapes and their left sides, in units.
fn placed(text: &str) -> Vec<(char, Shape, i32)> {
    let mut placed: Vec<(char, Shape, i32)> = Vec::new();
    for letter in text.chars().take(MOST_LETTERS) {
        let shape = shapes::of(letter).unwrap_or(UNKNOWN);
        let left = placed.last().map_or(0, |(before, shape, left)| left + shape.width + gap(*before, letter));
        placed.push((letter, shape, left));
    }
    placed
}

/// What lies between two letters, in units: less where both sides are round, or lean away from each other.
fn gap(before: char, after: char) -> i32 {
    let round_right = "BCDGOPQSbceghmnoprs0235689)".contains(before);
    let round_left = "CGOQSacdegoqs0235689(".contains(after);
    let digits = before.is_ascii_digit() && after.is_ascii_digit();
    let leaning = match (before, after) {
        ('A', 'T' | 'V' | 'W' | 'Y' | 'v' | 'w' | 'y') | ('L', 'T' | 'V' | 'W' | 'Y' | 'y') => 90,
        ('T' | 'V' | 'W' | 'Y', 'A') | ('P' | 'F', 'A') => 90,
        ('T' | 'V' | 'W' | 'Y' | 'F' | 'P', '.' | ',' | '…') => 110,
        (
            'T' | 'Y',
            'a' | 'c' | 'e' | 'g' | 'm' | 'n' | 'o' | 'p' | 'q' | 'r' | 's' | 'u' | 'w' | 'y' | 'z',
        ) => 90,
        ('V' | 'W' | 'F' | 'K' | 'P', 'a' | 'c' | 'e' | 'g' | 'o' | 'q' | 's') => 40,
        ('r' | 'v' | 'w' | 'y', '.' | ',' | '…') => 60,
        ('r' | 'f' | 't' | 'k' | 'v' | 'w' | 'x' | 'y', _) | (_, 't' | 'f' | 'v' | 'w' | 'x' | 'y' | 'j') => {
            24
        }
        _ => 0,
    };
    // Digits stand evenly, so that numbers do not move while they count.
    let even = if digits { 8 } else { 14 * i32::from(round_right) + 14 * i32::from(round_left) };
    GAP - even - leaning
}

/// The corners of a stroke, in units; arcs as short lines.
fn corners(stroke: &[Part]) -> Vec<(i32, i32)> {
    let mut corners = Vec::new();
    for part in stroke {
        match *part {
            Part::To(x, y) | Part::Dot(x, y) => corners.push((x, y)),
            Part::Arc(x, y, rx, ry, from, to) => {
                let steps = ((to - from).abs() / STEP).max(1);
                corners.extend((0..=steps).map(|step| {
                    let angle = (from * 65_536 / 360) + (to - from) * 8192 / 45 * step / steps;
                    let along = |radius: i32, angle: i32| (radius * (sine(angle) / 16) + 2048) >> 12;
                    (x + along(rx, angle + 0x4000), y + along(ry, angle))
                }));
            }
        }
    }
    corners
}

/// How far each pixel is from what was drawn.
struct Canvas {
    width: u32,
    height: u32,
    distances: Vec<Sub>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        Self { width, height, distances: vec![Sub::MAX; width as usize * height as usize] }
    }

    /// Draws a line with round ends, so thick to either side.
    fn line(&mut self, from: (Sub, Sub), to: (Sub, Sub), half: Sub) {
        let reach = |one: Sub, other: Sub, most: u32| {
            let first = (one.min(other) - half - 256) >> 8;
            let last = (one.max(other) + half + 512) >> 8;
            first.clamp(0, most as i32) as usize..last.clamp(0, most as i32) as usize
        };
        let (columns, rows) = (reach(from.0, to.0, self.width), reach(from.1, to.1, self.height));
        for row in rows {
            let start = row * self.width as usize;
            let pixels = self.distances.get_mut(start + columns.start..start + columns.end);
            for (column, pixel) in columns.clone().zip(pixels.into_iter().flatten()) {
                let middle = (column as Sub * 256 + 128, row as Sub * 256 + 128);
                *pixel = (*pixel).min(distance_to_line(middle, from, to) - half);
            }
        }
    }

    fn image(self) -> Image {
        let pixels = self.distances.into_iter().map(|distance| premultiplied([255; 3], coverage(distance)));
        Image { width: self.width, height: self.height, pixels: pixels.collect() }
    }
}

/// Draws text with [`Letters`]: for what needs no other script.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strokes;

impl Text for Strokes {
    fn line(&self, text: &str, height: u32, most_width: u32, bold: bool) -> Image {
        let letters = if bold { Letters::BOLD } else { Letters::REGULAR };
        let height = height.clamp(2, MOST_HEIGHT);
        let capital = (height * CAPITAL as u32 / WHOLE as u32).max(1);
        let mut shown = text.to_owned();
        let mut kept: Vec<char> = text.chars().take(MOST_LETTERS).collect();
        while letters.width(&shown, capital) > most_width && kept.pop().is_some() {
            shown = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        }
        if letters.width(&shown, capital) > most_width {
            return Image::empty(1, height);
        }
        letters.drawn(&shown, capital, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(image: &Image) -> u64 {
        image.pixels.iter().map(|pixel| u64::from(pixel[3])).sum()
    }

    #[test]
    fn every_letter_that_can_be_typed_has_a_shape() {
        for letter in (' '..='~').chain("×★…–—−°·✓±".chars()) {
            assert!(shapes::of(letter).is_some(), "{letter}");
        }
        let known = |letter| Letters::BOLD.glyph(letter, 20);
        assert!(ink(&known('漢')) > 0 && known('漢') == known('字'), "what has no shape is a box");
    }

    #[test]
    fn letters_differ_from_each_other_and_stay_in_their_boxes() {
        let letters: Vec<char> = ('!'..='~').filter(|letter| *letter != '`').collect();
        let images: Vec<Image> = letters.iter().map(|letter| Letters::REGULAR.glyph(*letter, 28)).collect();
        for (index, image) in images.iter().enumerate() {
            assert!(ink(image) > 2000, "{}", letters[index]);
            let next = images.iter().skip(index + 1).position(|other| other == image);
            assert!(next.is_none() || letters[index] == 'I', "{} looks like another", letters[index]);
        }
        // Nothing is cut off at the top or, of digits, at the bottom: a row of full ink would show it.
        for digit in '0'..='9' {
            for height in [9, 20, 61] {
                let image = Letters::BOLD.glyph(digit, height);
                assert_eq!(image.height, height, "{digit}");
            }
        }
    }

    #[test]
    fn digits_stand_evenly() {
        for height in [8, 20, 100] {
            let widths: Vec<u32> =
                ('0'..='9').map(|digit| Letters::BOLD.glyph(digit, height).width).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
            assert!(Letters::digit_step(height) >= widths[0], "{height}");
        }
        assert_eq!(Letters::BOLD.width("0123", 70), Letters::BOLD.width("1111", 70));
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        let whole = Strokes.line("A title that is too long", 24, 4000, false);
        let cut = Strokes.line("A title that is too long", 24, 150, false);
        assert_eq!((whole.height, cut.height), (24, 24));
        assert!(whole.width > 150 && cut.width <= 150 && cut.width > 110, "{} {}", whole.width, cut.width);
        assert_eq!(Strokes.line("Anything", 24, 3, true), Image::empty(1, 24));
        assert_eq!(Strokes.line("", 24, 100, true).height, 24);
        assert!(Strokes.line(&"long ".repeat(1000), 24, 300, true).width <= 300);
    }
}
