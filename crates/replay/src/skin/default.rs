//! The default skin of osu!: drawn by code at the size at which it is shown.
//!
//! A design of our own: flat discs with a bright rim, colours that darken downwards, soft shadows that keep things apart on any
//! background. Lengths are in 1/256 pixel; images have their shape in their middle.

use crate::draw::{
    Image, Rgb,
    letters::Letters,
    raster::{Sub, between, distance, distance_to_lines, falloff, glow, ring, side},
};

/// White.
const WHITE: Rgb = [255; 3];
/// Black.
const BLACK: Rgb = [0; 3];

/// A part of a length, in hundredths.
fn part(length: Sub, hundredths: i32) -> Sub {
    (i64::from(length) * i64::from(hundredths) / 100) as Sub
}

/// A colour that is brighter by some hundredths of the way to white, or darker where negative.
#[must_use]
pub fn shade(rgb: Rgb, hundredths: i32) -> Rgb {
    between(rgb, if hundredths < 0 { BLACK } else { WHITE }, hundredths.abs(), 100)
}

/// An empty image for what reaches that far from its middle.
fn around(radius: Sub) -> Image {
    Image::empty(side(radius), side(radius))
}

/// A hit circle of a combo's colour, without its number.
#[must_use]
pub fn hit_circle(radius: Sub, rgb: Rgb) -> Image {
    let shadow = part(radius, 9);
    let mut image = around(radius + shadow);
    let middle = image.middle();
    let from = |place| distance(place, middle);
    image.paint(
        |place| from(place) - radius - shadow,
        |place| (BLACK, falloff(from(place) - radius, shadow) / 2),
    );
    image.paint(|place| from(place) - radius, |_| (shade(rgb, 88), 255));
    image.paint(|place| from(place) - part(radius, 88), |_| (shade(rgb, -68), 255));
    let inside = part(radius, 83);
    image.paint(
        |place| from(place) - inside,
        |place| (between(shade(rgb, 10), shade(rgb, -48), place.1 - middle.1 + inside, inside * 2), 255),
    );
    image
}

/// An approach circle; `radius` is that of its outer edge, `of` that of the circle that it approaches.
#[must_use]
pub fn approach_circle(radius: Sub, of: Sub, rgb: Rgb) -> Image {
    let width = part(of, 8).max(330) + part(radius - of, 1);
    ring(radius - width, radius, shade(rgb, 30))
}

/// What is left of a circle that was hit: a rim that flies apart. `share` of 65,536 of its way is done.
#[must_use]
pub fn burst(radius: Sub, rgb: Rgb, share: i32) -> Image {
    let grown = radius + (i64::from(radius) * i64::from(share) * 4 / 655_360) as Sub;
    let width = part(radius, 12) - (i64::from(part(radius, 9)) * i64::from(share) / 65_536) as Sub;
    let mut image = around(grown);
    let middle = image.middle();
    let from = |place| distance(place, middle);
    image.paint(
        |place| from(place) - grown,
        |place| (rgb, falloff(grown - from(place), part(radius, 60)) / 2),
    );
    image.paint(|place| (from(place) - grown + width / 2).abs() - width / 2, |_| (shade(rgb, 70), 255));
    image
}

/// The ball of a slider.
#[must_use]
pub fn ball(radius: Sub, rgb: Rgb) -> Image {
    let mut image = around(radius);
    let middle = image.middle();
    let from = |place| distance(place, middle);
    image.paint(|place| from(place) - part(radius, 96), |_| (WHITE, 255));
    let inside = part(radius, 82);
    image.paint(
        |place| from(place) - inside,
        |place| (between(shade(rgb, 45), rgb, from(place), inside), 255),
    );
    image
}

/// The ring around a ball that is followed; `radius` is that of its outer edge, `of` that of the circles.
#[must_use]
pub fn follow_circle(radius: Sub, of: Sub, rgb: Rgb) -> Image {
    let mut image = around(radius);
    let middle = image.middle();
    let from = |place| distance(place, middle);
    let reach = part(of, 55);
    image.paint(
        |place| from(place) - radius,
        |place| (shade(rgb, 40), falloff(radius - from(place), reach) / 3),
    );
    let width = part(of, 8);
    image.paint(|place| (from(place) - radius + width / 2).abs() - width / 2, |_| (shade(rgb, 75), 235));
    image
}

/// A tick of a slider.
#[must_use]
pub fn tick(radius: Sub, rgb: Rgb) -> Image {
    let radius = part(radius, 17).max(400);
    let mut image = around(radius);
    let middle = image.middle();
    image.paint(|place| distance(place, middle) - radius, |_| (shade(rgb, -50), 255));
    image.paint(|place| distance(place, middle) - part(radius, 72), |_| (WHITE, 255));
    image
}

/// The arrow where a slider turns, pointing to the right.
#[must_use]
pub fn reverse_arrow(radius: Sub) -> Image {
    // No larger than it needs to be: it is turned and resized while it is drawn.
    let side = |hundredths: i32| (part(radius, hundredths).max(256) as u32 / 256 + 2) * 2;
    let mut image = Image::empty(side(45), side(60));
    let (x, y) = image.middle();
    let corner = |right: i32, down: i32| (x + part(radius, right), y + part(radius, down));
    let arrow = [corner(-18, -36), corner(20, 0), corner(-18, 36)];
    let width = part(radius, 19);
    image.paint(|place| distance_to_lines(place, &arrow) - width, |_| (BLACK, 120));
    image.paint(|place| distance_to_lines(place, &arrow) - part(width, 58), |_| (WHITE, 255));
    image
}

/// A point that leads to the next object.
#[must_use]
pub fn follow_point(radius: Sub) -> Image {
    let radius = part(radius, 9).max(330);
    let mut image = around(radius);
    let middle = image.middle();
    image.paint(|place| distance(place, middle) - radius, |_| (WHITE, 190));
    image
}

/// The light of a hit.
#[must_use]
pub fn lighting(radius: Sub, rgb: Rgb) -> Image {
    glow(part(radius, 190), shade(rgb, -35))
}

/// The cursor: `radius` is that of its rim.
#[must_use]
pub fn cursor(radius: Sub) -> Image {
    let mut image = around(part(radius, 165));
    let middle = image.middle();
    let from = |place| distance(place, middle);
    let halo: Rgb = [255, 196, 92];
    image.paint(
        |place| from(place) - part(radius, 165),
        |place| (halo, falloff(from(place) - part(radius, 80), part(radius, 85)) / 2),
    );
    image.paint(|place| from(place) - radius, |_| (halo, 255));
    image.paint(
        |place| from(place) - part(radius, 84),
        |place| (between(WHITE, [255, 232, 190], from(place), radius), 255),
    );
    image
}

/// One of the lights that a cursor leaves behind.
#[must_use]
pub fn cursor_trail(radius: Sub) -> Image {
    glow(part(radius, 105), [160, 116, 44])
}

/// A puff of smoke.
#[must_use]
pub fn smoke(radius: Sub) -> Image {
    glow(radius, [225, 232, 245]).faded(200)
}

/// A digit of a circle's number.
#[must_use]
pub fn digit(value: u8, radius: Sub) -> Image {
    let height = (part(radius, 82) >> 8).max(4) as u32;
    outlined(&Letters::BOLD.line(&value.to_string(), height), WHITE, (part(radius, 5) >> 8).max(1), 110)
}

/// A word of a result, or another one of the scene.
#[must_use]
pub fn word(text: &str, height: u32, rgb: Rgb) -> Image {
    let shadow = (height as i32 / 9).max(1);
    outlined(&Letters::BOLD.line(text, height.max(4)), rgb, shadow, 150)
}

/// The cross of a miss.
#[must_use]
pub fn miss(radius: Sub) -> Image {
    let mut image = around(part(radius, 56));
    let (x, y) = image.middle();
    let reach = part(radius, 34);
    let bars =
        [[(x - reach, y - reach), (x + reach, y + reach)], [(x - reach, y + reach), (x + reach, y - reach)]];
    let from = |place| bars.iter().map(|bar| distance_to_lines(place, bar)).min().unwrap_or(Sub::MAX / 2);
    image.paint(|place| from(place) - part(radius, 17), |_| (BLACK, 130));
    image.paint(|place| from(place) - part(radius, 10), |_| ([255, 66, 82], 255));
    image
}

/// White letters in a colour, with a soft dark edge so many pixels wide.
fn outlined(letters: &Image, rgb: Rgb, edge: i32, darkness: u8) -> Image {
    let mut image = Image::empty(letters.width + 2 * edge as u32, letters.height + 2 * edge as u32);
    let dark = letters.tinted(BLACK).faded(darkness);
    for (right, down) in [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)] {
        image.put(&dark, edge + right * edge, edge + down * edge);
    }
    image.put(&letters.tinted(rgb), edge, edge);
    image
}
