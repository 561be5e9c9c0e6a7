//! What the field of osu!taiko is made of: notes, drum, words and lights, prepared at the size at which they are shown.

use crate::{
    draw::{
        Blend, Image, Phased, Rgb, Sprite,
        letters::Letters,
        outlined,
        raster::{between, disc, glow, premultiplied, ring, rounded_box},
    },
    play::Hit,
    skin::Skin,
};

/// Of the drum's centre, its rim, drum rolls and swells.
pub(super) const CENTRE: Rgb = [240, 86, 66];
pub(super) const RIM: Rgb = [66, 150, 216];
pub(super) const ROLL: Rgb = [250, 190, 62];
const SWELL: Rgb = [178, 108, 226];
/// Radius of a small and of a big circle, in 480 units of height.
pub(super) const RADII: [i32; 2] = [29, 43];

/// Everything that is drawn.
pub(super) struct Looks {
    /// Of the centre and of the rim, each small and big.
    pub(super) notes: [[Phased; 2]; 2],
    /// Beginnings of drum rolls, small and big.
    pub(super) rolls: [Phased; 2],
    /// Ends of drum rolls, small and big.
    pub(super) roll_ends: [Phased; 2],
    pub(super) swell: Phased,
    /// Grows while a swell is hit.
    pub(super) progress: Image,
    /// Around a swell that is played.
    pub(super) halo: Sprite,
    /// Where notes are to be hit.
    pub(super) target: Sprite,
    pub(super) drum: Sprite,
    /// The drum's parts while they are hit, from left to right as the keys are.
    pub(super) parts: [Sprite; 4],
    /// What flashes at a 300, at a 100, and at a hit of a roll.
    pub(super) bursts: [Sprite; 3],
    /// Behind the target while kiai is on.
    pub(super) kiai: Sprite,
    pub(super) words: Vec<(Hit, Image)>,
    pub(super) digits: Vec<Sprite>,
    /// Flashlight: dark around a round hole.
    pub(super) dark: Option<Sprite>,
}

impl Looks {
    /// `unit`: one of 480 units of height, in 1/256 pixel.
    pub(super) fn new(unit: i32, skin: &Skin, flashlight: bool) -> Self {
        let radii = RADII.map(|radius| radius * unit);
        let big = [false, true];
        let notes = |colour: Rgb| {
            big.map(|big| {
                let radius = radii.get(usize::from(big)).copied().unwrap_or(unit);
                Phased::new(
                    &given(skin, big, radius, colour).unwrap_or_else(|| note(radius, colour)),
                    Blend::Over,
                )
            })
        };
        let [small, large] = radii;
        let drum_radius = 46 * unit;
        let word_height = (15 * unit / 256).max(6) as u32;
        let word = |hit: Hit| {
            let (name, word, colour): (_, _, Rgb) = match hit {
                Hit::Great => ("taiko-hit300", "GREAT", [255, 200, 84]),
                Hit::Ok => ("taiko-hit100", "OK", [130, 214, 120]),
                _ => ("taiko-hit0", "MISS", [255, 82, 82]),
            };
            let own = || outlined(&Letters::BOLD.line(word, word_height), colour, word_height);
            let brought = skin.element(name).and_then(|element| element.frames.first());
            let brought = brought.map(|image| fitted(image, word_height * 5, word_height * 5));
            (hit, brought.unwrap_or_else(own))
        };
        let burst = |colour: Rgb| {
            let mut image = glow(large * 8 / 5, colour);
            let ring = ring(large, large + 2 * unit, between(colour, [255; 3], 1, 2)).faded(170);
            let at = (image.width as i32 - ring.width as i32) / 2;
            image.put(&ring, at, at);
            Sprite::new(&image, Blend::Add)
        };
        let digit_height = (20 * unit / 256).max(6) as u32;
        let digit = |name| outlined(&Letters::BOLD.glyph(name, digit_height), [255; 3], digit_height);
        Self {
            notes: [notes(CENTRE), notes(RIM)],
            rolls: radii.map(|radius| Phased::new(&note(radius, ROLL), Blend::Over)),
            roll_ends: radii.map(|radius| Phased::new(&circle(radius, ROLL), Blend::Over)),
            swell: Phased::new(&swell(large, unit), Blend::Over),
            progress: disc(large * 2, SWELL).faded(150),
            halo: Sprite::new(&ring(large * 2, large * 2 + 2 * unit, [255; 3]), Blend::Over),
            target: Sprite::new(&target(small, large, unit), Blend::Over),
            drum: Sprite::new(&drum(drum_radius, unit), Blend::Over),
            parts: [(true, false), (false, false), (false, true), (true, true)]
                .map(|(rim, right)| Sprite::new(&part(drum_radius, rim, right), Blend::Over)),
            bursts: [[255, 214, 120], [150, 220, 255], [255, 226, 150]].map(burst),
            kiai: Sprite::new(&glow(large * 3, [255, 150, 50]), Blend::Add),
            words: [Hit::Great, Hit::Ok, Hit::Miss].map(word).to_vec(),
            digits: ('0'..='9').map(|name| Sprite::new(&digit(name), Blend::Over)).collect(),
            dark: flashlight.then(|| Sprite::new(&hole(130 * unit), Blend::Over)),
        }
    }
}

/// As large as fits.
fn fitted(image: &Image, width: u32, height: u32) -> Image {
    let (own_width, own_height) = (u64::from(image.width.max(1)), u64::from(image.height.max(1)));
    let wide = (u64::from(height) * own_width / own_height).min(u64::from(width)).max(1);
    image.resized(wide as u32, (wide * own_height / own_width).clamp(1, u64::from(height.max(1))) as u32)
}

/// A note of a legacy skin: its circle in the note's colour, with its overlay.
fn given(skin: &Skin, big: bool, radius: i32, colour: Rgb) -> Option<Image> {
    let name = if big { "taikobigcircle" } else { "taikohitcircle" };
    let circle = skin.element(name)?.frames.first()?;
    // Of 128 pixels of the picture, 118 are the circle's own.
    let side = (radius.unsigned_abs() * 2 / 256 * 128 / 118).max(1);
    let mut image = circle.resized(side, side).tinted(colour);
    let overlay = skin.element(&format!("{name}overlay")).and_then(|element| element.frames.first());
    if let Some(overlay) = overlay {
        image.put(&overlay.resized(side, side), 0, 0);
    }
    Some(image)
}

/// A disc of a colour with a white rim.
fn circle(radius: i32, colour: Rgb) -> Image {
    let mut image = disc(radius, [250, 250, 252]);
    put_middle(&mut image, &disc(radius * 22 / 25, colour));
    image
}

fn note(radius: i32, colour: Rgb) -> Image {
    let mut image = circle(radius, colour);
    put_middle(&mut image, &disc(radius * 13 / 20, between(colour, [0; 3], 1, 9)));
    put_middle(&mut image, &ring(radius * 12 / 25, radius * 13 / 25, between(colour, [255; 3], 3, 5)));
    put_middle(&mut image, &disc(radius * 6 / 25, between(colour, [255; 3], 4, 5)));
    image
}

fn swell(radius: i32, unit: i32) -> Image {
    let mut image = circle(radius, SWELL);
    for share in [3, 5] {
        let inner = radius * share / 8;
        put_middle(&mut image, &ring(inner - unit, inner + unit, between(SWELL, [255; 3], 2, 3)));
    }
    image
}

fn target(small: i32, large: i32, unit: i32) -> Image {
    let mut image = ring(large - unit, large + unit / 2, [150, 154, 170]).faded(150);
    put_middle(&mut image, &disc(small, [70, 73, 88]).faded(170));
    put_middle(&mut image, &ring(small - unit, small + unit / 2, [224, 228, 240]));
    image
}

fn drum(radius: i32, unit: i32) -> Image {
    let mut image = disc(radius, [64, 66, 80]);
    put_middle(&mut image, &disc(radius - unit * 2, [40, 42, 54]));
    put_middle(&mut image, &disc(radius * 7 / 10, [92, 95, 112]));
    put_middle(&mut image, &disc(radius * 7 / 10 - unit * 3 / 2, [58, 60, 74]));
    let (width, height) = ((unit * 2 / 256).max(2) as u32, (radius * 2 / 256).max(2) as u32);
    put_middle(&mut image, &rounded_box(width, height, unit, [28, 29, 38]));
    image
}

/// Half of the drum's rim, or of its centre.
fn part(radius: i32, rim: bool, right: bool) -> Image {
    let (mut image, inner) = if rim {
        (ring(radius * 7 / 10, radius, RIM), radius)
    } else {
        let mut whole = Image::empty(crate::draw::raster::side(radius), crate::draw::raster::side(radius));
        put_middle(&mut whole, &disc(radius * 7 / 10, CENTRE));
        (whole, radius)
    };
    let width = image.width as usize;
    let gap = (inner / 40 / 256).max(1) as usize;
    for row in image.pixels.chunks_exact_mut(width.max(1)) {
        for (x, pixel) in row.iter_mut().enumerate() {
            let of_it = if right { x >= width / 2 + gap } else { x + gap < width / 2 };
            if !of_it {
                *pixel = [0; 4];
            }
        }
    }
    image
}

/// Dark with a round hole, that ends softly.
fn hole(radius: i32) -> Image {
    let side = crate::draw::raster::side(radius);
    let centre = (side as i32 * 128, side as i32 * 128);
    Image::of(side, side, |x, y| {
        let away = crate::draw::raster::distance(crate::draw::raster::middle(x, y), centre);
        let share = i64::from((away - radius * 3 / 5).max(0)) * 255 / i64::from((radius * 2 / 5).max(1));
        premultiplied([0; 3], share.clamp(0, 255) as u8)
    })
}

fn put_middle(image: &mut Image, top: &Image) {
    let (x, y) = ((image.width as i32 - top.width as i32) / 2, (image.height as i32 - top.height as i32) / 2);
    image.put(top, x, y);
}
