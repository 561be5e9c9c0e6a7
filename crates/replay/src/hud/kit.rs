//! What all parts of the HUD are made with: sizes, colours, sprites with a soft shadow, boxes.

use crate::{
    draw::{Blend, Image, Picture, Rgb, Sprite, Text, letters::Letters, raster},
    osr::Mode,
    play::Hit,
    stage::{Layout, Stage},
};

/// Of text and numbers.
pub(super) const WHITE: Rgb = [255, 255, 255];
/// Of what says what a number is.
pub(super) const PALE: Rgb = [178, 190, 210];
/// Behind everything.
pub(super) const DARK: Rgb = [12, 15, 24];
/// Of what is alive: the life bar, progress, the part of the strains that was played.
pub(super) const LIVELY: Rgb = [102, 204, 255];
/// Of what is wrong.
pub(super) const ALARM: Rgb = [255, 82, 96];
/// Of what is right.
pub(super) const GOOD: Rgb = [128, 226, 96];

/// The colour of a result.
pub(super) fn colour(hit: Hit) -> Rgb {
    match hit {
        Hit::Max => [255, 226, 128],
        Hit::Great => LIVELY,
        Hit::Good => [94, 220, 170],
        Hit::Ok => GOOD,
        Hit::Meh => [255, 190, 70],
        Hit::Miss => ALARM,
    }
}

/// Results with their names and how they are counted, as a mode has them.
pub(super) fn results(mode: Mode) -> &'static [(Hit, &'static str)] {
    match mode {
        Mode::Standard | Mode::Catch => {
            &[(Hit::Great, "300"), (Hit::Ok, "100"), (Hit::Meh, "50"), (Hit::Miss, "miss")]
        }
        Mode::Taiko => &[(Hit::Great, "300"), (Hit::Ok, "150"), (Hit::Miss, "miss")],
        Mode::Mania => &[
            (Hit::Max, "max"),
            (Hit::Great, "300"),
            (Hit::Good, "200"),
            (Hit::Ok, "100"),
            (Hit::Meh, "50"),
            (Hit::Miss, "miss"),
        ],
    }
}

/// Sizes, and what was asked for.
#[derive(Clone, Copy)]
pub(super) struct Kit<'a> {
    pub(super) stage: &'a Stage<'a>,
    /// Of the picture, in pixels.
    pub(super) width: i32,
    /// Of the picture, in pixels.
    pub(super) height: i32,
    /// Pixels of 720 units, times a hundred.
    unit: i64,
}

impl<'a> Kit<'a> {
    /// For the HUD, in the size that was asked for.
    pub(super) fn new(stage: &'a Stage<'a>) -> Self {
        Self::sized(stage, stage.options.hud.scale.clamp(50, 200))
    }

    /// In `percent` of the usual size.
    pub(super) fn sized(stage: &'a Stage<'a>, percent: u32) -> Self {
        let Layout { width, height } = stage.layout;
        // In a narrow picture its width decides.
        let base = i64::from(height.min(width / 4 * 3));
        Self { stage, width: width as i32, height: height as i32, unit: base * i64::from(percent) }
    }

    /// So many units in pixels; at least one.
    pub(super) fn px(&self, units: i32) -> i32 {
        ((i64::from(units) * self.unit + 36_000) / 72_000).max(1) as i32
    }

    /// What is left free at the picture's sides.
    pub(super) fn margin(&self) -> i32 {
        self.px(14)
    }

    /// A line of text with a shadow.
    pub(super) fn line(&self, text: &str, units: i32, most_width: i32, colour: Rgb, bold: bool) -> Stamp {
        let height = self.px(units).max(7) as u32;
        let image = self.text().line(text, height, most_width.max(1) as u32, bold);
        Stamp::shaded(&image.tinted(colour), height)
    }

    /// A word in our own letters, `units` high from its highest to its lowest letter.
    pub(super) fn label(&self, text: &str, units: i32) -> Stamp {
        let height = self.px(units).max(6) as u32;
        Stamp::shaded(&Letters::BOLD.line(text, height).tinted(PALE), height)
    }

    /// A legacy skin's element as it is drawn, in `percent` of its own size; nothing to be seen where the skin hides it. `None`
    /// where the skin has none.
    pub(super) fn element(&self, name: &str, percent: i64) -> Option<Image> {
        let element = self.stage.skin.element(name)?;
        let Some(frame) = element.frames.first().filter(|frame| frame.width > 0 && frame.height > 0) else {
            return Some(Image::empty(1, 1));
        };
        Some(frame.resized(
            self.skin_px(i64::from(frame.width) * percent, element.density) as u32,
            self.skin_px(i64::from(frame.height) * percent, element.density) as u32,
        ))
    }

    /// So many hundredths of a skin's pixels in pixels of the picture; at least one, and no more than the picture has. Skins are
    /// drawn for a picture 768 units high.
    pub(super) fn skin_px(&self, hundredths: i64, density: u32) -> i32 {
        let pixels = hundredths.clamp(0, 1 << 24) * self.unit / (7_680_000 * i64::from(density.max(1)));
        pixels.clamp(1, i64::from(self.width.max(self.height))) as i32
    }

    fn text(&self) -> &dyn Text {
        self.stage.text
    }
}

/// A sprite that may have a shadow around it.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    sprite: Sprite,
    /// Of what throws the shadow, in pixels.
    pub(super) width: i32,
    /// Of what throws the shadow, in pixels.
    pub(super) height: i32,
    /// How far the shadow goes, in pixels.
    reach: i32,
}

impl Stamp {
    /// Without a shadow.
    pub(super) fn plain(image: &Image) -> Self {
        let (width, height) = (image.width as i32, image.height as i32);
        Self { sprite: Sprite::new(image, Blend::Over), width, height, reach: 0 }
    }

    /// With a shadow that suits letters of that height, so that it can be read before anything.
    pub(super) fn shaded(image: &Image, height: u32) -> Self {
        let reach = (height / 8).clamp(2, 24) & !1;
        let sprite = Sprite::new(&with_shadow(image, reach), Blend::Over);
        Self { sprite, width: image.width as i32, height: image.height as i32, reach: reach as i32 }
    }

    /// Letters of that height in a colour; bright ones have a shadow, dark ones are for bright ground.
    pub(super) fn lettered(image: &Image, height: u32, colour: Rgb) -> Self {
        let is_dark = colour.iter().map(|part| u32::from(*part)).sum::<u32>() < 240;
        let image = image.tinted(colour);
        if is_dark { Self::plain(&image) } else { Self::shaded(&image, height) }
    }

    /// Draws it with the top left corner of what throws the shadow at a pixel.
    pub(super) fn draw(&self, onto: &mut Picture, x: i32, y: i32, opacity: u8) {
        onto.sprite(&self.sprite, x - self.reach, y - self.reach, opacity);
    }
}

/// An image over its own dark, soft outline, larger by `reach` pixels on each side.
fn with_shadow(image: &Image, reach: u32) -> Image {
    let (width, height) = (image.width + 2 * reach, image.height + 2 * reach);
    let mut alpha = vec![0_u32; width as usize * height as usize];
    for (row, pixels) in image.pixels.chunks(image.width.max(1) as usize).enumerate() {
        let start = (row + reach as usize) * width as usize + reach as usize;
        for (value, pixel) in alpha.iter_mut().skip(start).zip(pixels) {
            *value = u32::from(pixel[3]);
        }
    }
    let radius = (reach / 2).max(1) as usize;
    for _ in 0..2 {
        alpha = blurred(&alpha, width as usize, radius);
        alpha = turned(&blurred(&turned(&alpha, width as usize), height as usize, radius), height as usize);
    }
    let shadow =
        alpha.into_iter().map(|value| raster::premultiplied([0; 3], (value * 9 / 10).min(190) as u8));
    let mut whole = Image { width, height, pixels: shadow.collect() };
    whole.put(image, reach as i32, reach as i32);
    whole
}

/// Rows, each value the mean of those up to `radius` beside it.
fn blurred(values: &[u32], width: usize, radius: usize) -> Vec<u32> {
    let mut blurred = Vec::with_capacity(values.len());
    for row in values.chunks(width.max(1)) {
        let mut sum: u32 = row.iter().take(radius).sum();
        for column in 0..row.len() {
            sum += row.get(column + radius).copied().unwrap_or(0);
            blurred.push(sum / (2 * radius as u32 + 1));
            sum -= column.checked_sub(radius).and_then(|column| row.get(column)).copied().unwrap_or(0);
        }
    }
    blurred
}

/// Rows as columns.
fn turned(values: &[u32], width: usize) -> Vec<u32> {
    (0..width).flat_map(|column| values.iter().skip(column).step_by(width.max(1)).copied()).collect()
}

/// A box with round corners, of an opacity.
pub(super) fn plate(width: i32, height: i32, radius: i32, rgb: Rgb, opacity: u8) -> Stamp {
    let image = raster::rounded_box(width.max(1) as u32, height.max(1) as u32, radius * 256, rgb);
    Stamp::plain(&image.faded(opacity))
}

/// `opacity` times a share of 255.
pub(super) fn fainter(opacity: u8, share: u8) -> u8 {
    ((u16::from(opacity) * u16::from(share) + 127) / 255) as u8
}

/// How far a time is between two others, from 0 to 255.
pub(super) fn share(at: i64, from: i64, to: i64) -> u8 {
    let whole = (to - from).max(1);
    ((at - from).clamp(0, whole) * 255 / whole) as u8
}
