//! What the stage of osu!mania is made of: notes, lights, digits and words, prepared at the size at which they are shown.

use crate::{
    draw::{
        Blend, Image, Rgb, Sprite,
        letters::Letters,
        outlined,
        raster::{between, disc, glow, premultiplied, ring, rounded_box},
    },
    play::Hit,
    skin::Skin,
};

/// Kinds of columns: outer, inner, and the middle one of an odd number.
const COLOURS: [Rgb; 3] = [[236, 240, 250], [92, 172, 255], [255, 200, 84]];
/// Legacy skins' names of them.
const NAMES: [&str; 3] = ["1", "2", "S"];

/// Which kind a column is.
pub(super) fn kind(column: usize, columns: usize) -> usize {
    if columns % 2 == 1 && column == columns / 2 { 2 } else { column.min(columns - 1 - column) % 2 }
}

/// The looks of one kind of column.
pub(super) struct Look {
    pub(super) colour: Rgb,
    /// A note; drawn with its lower edge at its time.
    pub(super) note: Sprite,
    /// The head of a held note.
    pub(super) head: Sprite,
    /// The other end of a held note.
    pub(super) tail: Sprite,
    /// Light over a column whose key is down.
    pub(super) light: Sprite,
    /// What flashes where a note was hit.
    pub(super) burst: Sprite,
    /// The key, up and down.
    pub(super) keys: [Sprite; 2],
}

impl Look {
    /// `width` of a column and `unit` (of 480 of the picture's height, in 1/256 pixel) in pixels.
    pub(super) fn new(kind: usize, width: u32, unit: i32, skin: &Skin) -> Self {
        let colour = COLOURS.get(kind).copied().unwrap_or([255; 3]);
        let name = NAMES.get(kind).copied().unwrap_or("1");
        let pixels = |units: i32| (units * unit / 256).max(2) as u32;
        let inner = width.saturating_sub((unit / 128).max(1) as u32).max(2);
        let own = note(inner, pixels(15), unit, colour);
        let given = |name: &str| {
            let image = skin.element(name)?.frames.first()?;
            let height = u64::from(image.height) * u64::from(inner) / u64::from(image.width.max(1));
            Some(image.resized(inner, height.clamp(1, u64::from(width) * 4) as u32))
        };
        let image = given(&format!("mania-note{name}")).unwrap_or(own);
        let head = given(&format!("mania-note{name}H")).unwrap_or_else(|| image.clone());
        let tail = rounded_box(inner, pixels(8), 3 * unit, between(colour, [0; 3], 1, 4));
        let over = |image: &Image| Sprite::new(image, Blend::Over);
        let key_height = pixels(27);
        Self {
            colour,
            note: over(&image),
            head: over(&head),
            tail: over(&tail),
            light: Sprite::new(&light(width, pixels(190), colour), Blend::Add),
            burst: Sprite::new(&burst(width, colour), Blend::Add),
            keys: [
                over(&key(inner, key_height, unit, colour, false)),
                over(&key(inner, key_height, unit, colour, true)),
            ],
        }
    }
}

fn note(width: u32, height: u32, unit: i32, colour: Rgb) -> Image {
    let mut image = rounded_box(width, height, 4 * unit, between(colour, [0; 3], 1, 3));
    let edge = (unit / 256).max(1);
    let (inner_width, inner_height) =
        (width.saturating_sub(2 * edge as u32).max(1), height.saturating_sub(2 * edge as u32).max(1));
    image.put(&rounded_box(inner_width, inner_height, 3 * unit, colour), edge, edge);
    let (stripe_width, stripe_height) = (inner_width * 3 / 4, (inner_height / 5).max(1));
    let stripe = rounded_box(stripe_width.max(1), stripe_height, unit, [255; 3]).faded(190);
    image.put(&stripe, (width - stripe_width) as i32 / 2, (inner_height / 4) as i32 + edge);
    image
}

/// Brightest at its lower edge.
fn light(width: u32, height: u32, colour: Rgb) -> Image {
    let square = u64::from(height) * u64::from(height);
    Image::of(width, height, |_, y| {
        let share = u64::from(y) * u64::from(y) * 130 / square.max(1);
        premultiplied(colour, share as u8)
    })
}

fn burst(width: u32, colour: Rgb) -> Image {
    let radius = width as i32 * 170;
    let mut image = glow(radius, between(colour, [255; 3], 1, 2));
    let ring = ring(radius * 2 / 5, radius / 2, colour);
    let at = (image.width as i32 - ring.width as i32) / 2;
    image.put(&ring.faded(150), at, at);
    image
}

fn key(width: u32, height: u32, unit: i32, colour: Rgb, down: bool) -> Image {
    let (frame, inner) =
        if down { (colour, between(colour, [255; 3], 1, 3)) } else { ([96, 100, 116], [30, 32, 42]) };
    let edge = (3 * unit / 512).max(1) as u32;
    let mut image = rounded_box(width, height, 5 * unit, frame);
    let (inner_width, inner_height) = (width.saturating_sub(2 * edge), height.saturating_sub(2 * edge));
    if inner_width > 0 && inner_height > 0 {
        image.put(&rounded_box(inner_width, inner_height, 4 * unit, inner), edge as i32, edge as i32);
    }
    let dot = disc((inner_width.min(inner_height) as i32) * 42, if down { [255; 3] } else { colour });
    let (x, y) = ((width as i32 - dot.width as i32) / 2, (height as i32 - dot.height as i32) / 2);
    image.put(&dot.faded(if down { 255 } else { 120 }), x, y);
    image
}

/// The word of a result.
pub(super) fn word(hit: Hit, height: u32, most_width: u32, skin: &Skin) -> Image {
    let (name, word, colour): (_, _, Rgb) = match hit {
        Hit::Max => ("mania-hit300g", "PERFECT", [255, 226, 120]),
        Hit::Great => ("mania-hit300", "GREAT", [255, 186, 74]),
        Hit::Good => ("mania-hit200", "GOOD", [126, 226, 110]),
        Hit::Ok => ("mania-hit100", "OK", [96, 176, 255]),
        Hit::Meh => ("mania-hit50", "MEH", [190, 140, 236]),
        Hit::Miss => ("mania-hit0", "MISS", [255, 82, 82]),
    };
    if let Some(image) = skin.element(name).and_then(|element| element.frames.first()) {
        let wide = u64::from(image.width) * u64::from(height) * 2 / u64::from(image.height.max(1));
        let wide = wide.clamp(1, u64::from(most_width.max(1)));
        let high = u64::from(image.height) * wide / u64::from(image.width.max(1));
        return image.resized(wide as u32, high.clamp(1, u64::from(height) * 2) as u32);
    }
    outlined(&Letters::BOLD.line(word, height), colour, height)
}

/// The digits of the combo.
pub(super) fn digits(height: u32) -> Vec<Sprite> {
    let digit = |digit: char| outlined(&Letters::BOLD.glyph(digit, height), [255, 255, 255], height);
    ('0'..='9').map(|name| Sprite::new(&digit(name), Blend::Over)).collect()
}
