//! Spinners: a wheel that turns as the replay turned it, how much of it is done, the approach circle, turns a minute, bonuses.
//!
//! The default's wheel is made of small lights in circles, which are cheap to turn. A skin's wheel is drawn in the old style where it
//! has a background, else in the new one. Places and times are those of lazer's `LegacySpinner` and its two styles.

use std::sync::Arc;

use super::{
    ease::{self, ALL, between, ms, out, seen, share},
    objects::{Object, Spinner},
    path::Place,
    steps::Steps,
};
use crate::{
    draw::{Blend, Image, Phased, Picture, Placement, Rgb, Sprite, raster, sine},
    skin::{Element, default},
    stage::{Layout, Stage},
    time::Micros,
};

/// How long a spinner takes to come, and to go.
const COMES: Micros = ms(400);
const GOES: Micros = ms(240);
/// Lights of the ring that shows how much is done.
const MARKS: i32 = 60;
/// Arms of the wheel, and lights of each.
const ARMS: i32 = 3;
const LIGHTS: i32 = 7;
/// Sizes of the approach circle.
const APPROACH_STEPS: usize = 65;
/// How long a bonus is seen.
const BONUS: Micros = ms(800);
/// Over which time turns a minute are counted.
const COUNTED: Micros = ms(400);

/// How spinners look.
#[derive(Debug)]
pub(super) struct SpinnerLooks {
    middle: Place,
    /// Radius of the wheel, in 1/256 pixel.
    radius: i32,
    disc: Sprite,
    mark: [Phased; 2],
    lights: Vec<Phased>,
    hub: Sprite,
    approach: Option<Steps>,
    spin: Option<Sprite>,
    clear: Option<Sprite>,
    rpm: Sprite,
    digits: Vec<Sprite>,
    bonus_digits: Vec<Sprite>,
    legacy: Option<Legacy>,
}

/// A skin's wheel.
#[derive(Debug)]
struct Legacy {
    /// From the lowest to the highest.
    layers: Vec<LegacyLayer>,
    /// The whole grows with what is done.
    grows: bool,
    layout: Layout,
}

#[derive(Debug)]
struct LegacyLayer {
    element: Arc<Element>,
    tint: Rgb,
    /// So many times it turns while the wheel turns once: over, under.
    turns: (i32, i32),
    light: bool,
    reddens: bool,
}

impl SpinnerLooks {
    pub(super) fn new(stage: &Stage<'_>) -> Self {
        let layout = stage.layout;
        let middle = layout.place(256 * 256, 192 * 256);
        let radius = layout.scaled(158 * 256);
        let small = |hundredths: i32, rgb: Rgb| {
            Phased::new(&raster::disc((radius / 100 * hundredths / 10).max(256), rgb), Blend::Over)
        };
        let own = |name: &str| stage.skin.element(name);
        let text = |name: &str, text: &str, rgb: Rgb| {
            let height = (layout.scaled(34 * 256) >> 8).max(6) as u32;
            match own(name) {
                Some(element) => element
                    .frames
                    .first()
                    .map(|image| Sprite::new(&sized(image, element.density, &layout), Blend::Over)),
                None => Some(Sprite::new(&default::word(text, height, rgb), Blend::Over)),
            }
        };
        let digits = |units: i32, rgb: Rgb| {
            let height = (layout.scaled(units * 256) >> 8).max(6) as u32;
            (0..10)
                .map(|digit: u8| Sprite::new(&default::word(&digit.to_string(), height, rgb), Blend::Over))
                .collect()
        };
        let approach_element = own("spinner-approachcircle").cloned();
        let approach = match approach_element {
            Some(element) if element.frames.is_empty() => None,
            Some(element) => Some(Steps::new(APPROACH_STEPS, Blend::Over, move |share| {
                let Some(image) = element.frames.first() else { return Image::empty(0, 0) };
                let whole = sized(image, element.density, &layout);
                let size = |pixels: u32| {
                    let grown = i64::from(pixels) * i64::from(between(ALL / 10, ALL / 100 * 186, share))
                        / i64::from(ALL);
                    (grown.clamp(2, 4096) as u32).next_multiple_of(2)
                };
                whole.resized(size(whole.width), size(whole.height))
            })),
            None => Some(Steps::new(APPROACH_STEPS, Blend::Over, move |share| {
                let outer = between(radius / 12, radius + radius / 20, share);
                raster::ring(outer - (radius / 45).max(256), outer, [150, 210, 255])
            })),
        };
        Self {
            middle,
            radius,
            disc: wheel(radius),
            mark: [small(11, [70, 84, 110]), small(17, [120, 230, 150])],
            lights: (0..LIGHTS)
                .map(|light| small(20 + light * 5, default::shade([90, 160, 255], light * 9)))
                .collect(),
            hub: Sprite::new(&raster::disc(radius / 22, [255; 3]), Blend::Over),
            approach,
            spin: text("spinner-spin", "SPIN", [255; 3]),
            clear: text("spinner-clear", "CLEAR", [140, 240, 165]),
            rpm: Sprite::new(
                &default::word("RPM", (layout.scaled(11 * 256) >> 8).max(5) as u32, [170, 190, 220]),
                Blend::Over,
            ),
            digits: digits(20, [255; 3]),
            bonus_digits: digits(30, [255, 214, 102]),
            legacy: Legacy::new(stage),
        }
    }

    pub(super) fn draw(
        &self,
        at: Micros,
        object: &Object,
        spinner: &Spinner,
        hidden: bool,
        onto: &mut Picture,
    ) {
        let opacity =
            seen(share(at, object.start - COMES, COMES)).min(ease::gone(share(at, object.end, GOES)));
        if opacity == 0 || at < object.start - COMES {
            return;
        }
        let angle = spinner.angle(at.min(object.end));
        let done = share(angle.unsigned_abs().into(), 0, i64::from(spinner.needed.max(1)));
        match &self.legacy {
            Some(legacy) => legacy.draw(at, object, angle, done, opacity, onto),
            None => self.draw_wheel(angle, done, opacity, onto),
        }
        if !hidden
            && at < object.end
            && let Some(sprite) = self
                .approach
                .as_ref()
                .and_then(|steps| steps.at(ALL - share(at, object.start, object.end - object.start)))
        {
            onto.sprite_around(sprite, self.middle, opacity);
        }
        self.draw_words(at, object, spinner, opacity, onto);
    }

    fn draw_wheel(&self, angle: i32, done: i32, opacity: u8, onto: &mut Picture) {
        onto.sprite_around(&self.disc, self.middle, opacity);
        let lit = ((i64::from(done) * i64::from(MARKS)) >> 16) as i32;
        let [dark, bright] = &self.mark;
        for mark in 0..MARKS {
            let turned = mark * ALL / MARKS - ALL / 4;
            let sprite = if mark < lit { bright } else { dark };
            onto.sprite_between(sprite, self.around(turned, 94), opacity);
        }
        let turned = (i64::from(angle) * i64::from(ALL) / 1000) as i32;
        for arm in 0..ARMS {
            for (light, sprite) in self.lights.iter().enumerate() {
                let light = light as i32;
                // The arms are bent, and their lights are farther apart outside.
                let turned = turned + arm * ALL / ARMS - (LIGHTS - light) * ALL / 90;
                onto.sprite_between(
                    sprite,
                    self.around(turned, 18 + light * 10 + light * light / 4),
                    opacity,
                );
            }
        }
        onto.sprite_around(&self.hub, self.middle, opacity);
    }

    /// A place around the middle, so many hundredths of the radius away from it.
    fn around(&self, turned: i32, hundredths: i32) -> Place {
        let away = i64::from(self.radius) * i64::from(hundredths) / 100;
        let along = |angle: i32| ((away * i64::from(sine(angle))) >> 16) as i32;
        (self.middle.0 + along(turned.wrapping_add(ALL / 4)), self.middle.1 + along(turned))
    }

    fn draw_words(&self, at: Micros, object: &Object, spinner: &Spinner, opacity: u8, onto: &mut Picture) {
        let below = |hundredths: i32| (self.middle.0, self.middle.1 + self.radius / 100 * hundredths);
        let turning = spinner.turns.get(1).map_or(object.end, |(from, _)| *from).max(object.start);
        let asked = opacity.min(ease::gone(share(at, turning, ms(300))));
        if let Some(spin) = self.spin.as_ref().filter(|_| asked > 0) {
            onto.sprite_around(spin, below(58), asked);
        }
        if let (Some(cleared), Some(clear)) = (spinner.cleared, &self.clear)
            && at >= cleared
        {
            onto.sprite_around(clear, below(-58), opacity.min(seen(share(at, cleared, ms(200)))));
        }
        // How many turns a minute, where it turns.
        let from = (at - COUNTED).max(object.start);
        let counted = (at.min(object.end) - from).max(ms(50));
        let turned = i64::from(spinner.angle(at)) - i64::from(spinner.angle(from));
        let rpm = (turned.abs() * 60_000 / (counted / 1000) / 1000).min(9999);
        let width = number(rpm as u32, &self.digits, below(82), opacity, onto);
        onto.sprite_around(
            &self.rpm,
            (self.middle.0 + width * 128 + self.rpm.width as i32 * 160, below(82).1),
            opacity,
        );
        let count = spinner.bonuses.partition_point(|bonus| *bonus <= at);
        if let Some(last) = count.checked_sub(1).and_then(|last| spinner.bonuses.get(last)) {
            let fades = ease::gone(share(at, *last, BONUS));
            if fades > 0 {
                number(count as u32 * 1000, &self.bonus_digits, below(34), fades.min(opacity), onto);
            }
        }
    }
}

/// Draws a number around a place, and says how many pixels it is wide.
fn number(value: u32, digits: &[Sprite], at: Place, opacity: u8, onto: &mut Picture) -> i32 {
    let text = value.to_string();
    let sprites = || text.bytes().filter_map(|byte| digits.get(usize::from(byte.wrapping_sub(b'0'))));
    let width: i32 = sprites().map(|sprite| sprite.width as i32).sum();
    let mut left = at.0 - width * 128;
    for sprite in sprites() {
        onto.sprite_around(sprite, (left + sprite.width as i32 * 128, at.1), opacity);
        left += sprite.width as i32 * 256;
    }
    width
}

/// What of the wheel does not turn.
fn wheel(radius: i32) -> Sprite {
    let mut image = Image::empty(raster::side(radius), raster::side(radius));
    let middle = image.middle();
    let from = |at| raster::distance(at, middle);
    image.paint(
        |at| from(at) - radius,
        |at| ([10, 14, 28], (150 + from(at) / (radius / 60).max(1)).clamp(0, 235) as u8),
    );
    image.paint(|at| (from(at) - radius + radius / 120).abs() - radius / 120, |_| ([200, 216, 245], 220));
    image.paint(
        |at| (from(at) - radius / 100 * 86).abs() - (radius / 300).max(128),
        |_| ([200, 216, 245], 70),
    );
    Sprite::new(&image, Blend::Over)
}

/// An image of the game's window at its size: 768 of its pixels are the picture's height.
fn sized(image: &Image, density: u32, layout: &Layout) -> Image {
    let one = |pixels: u32| {
        (u64::from(pixels) * u64::from(layout.height) / (768 * u64::from(density.max(1)))).clamp(1, 8192)
            as u32
    };
    image.resized(one(image.width), one(image.height))
}

impl Legacy {
    fn new(stage: &Stage<'_>) -> Option<Self> {
        let element = |name: &str| stage.skin.element(name).cloned();
        let layer = |element: Option<Arc<Element>>, turns: (i32, i32)| {
            let element = element?;
            // Images are at their size on the picture.
            let frames = element.frames.first().map(|image| sized(image, element.density, &stage.layout));
            let element =
                Arc::new(Element { frames: frames.into_iter().collect(), density: 1, frame_milliseconds: 0 });
            Some(LegacyLayer { element, tint: [255; 3], turns, light: false, reddens: false })
        };
        let old = element("spinner-background").is_some();
        let layers: Vec<LegacyLayer> = if old {
            let background = layer(element("spinner-background"), (0, 1))
                .map(|layer| LegacyLayer { tint: [100; 3], ..layer });
            [background, layer(element("spinner-circle"), (1, 1))].into_iter().flatten().collect()
        } else {
            let glow = layer(element("spinner-glow"), (0, 1));
            let fixed = layer(element("spinner-middle"), (0, 1));
            [
                glow.map(|layer| LegacyLayer { tint: [3, 151, 255], light: true, ..layer }),
                layer(element("spinner-bottom"), (1, 3)),
                layer(element("spinner-top"), (1, 1)),
                fixed.map(|layer| LegacyLayer { reddens: true, ..layer }),
                layer(element("spinner-middle2"), (1, 1)),
            ]
            .into_iter()
            .flatten()
            .collect()
        };
        (!layers.is_empty()).then_some(Self { layers, grows: !old, layout: stage.layout })
    }

    fn draw(&self, at: Micros, object: &Object, angle: i32, done: i32, opacity: u8, onto: &mut Picture) {
        // Its middle is 248 units below the window's top.
        let middle = (self.layout.width as i32 * 128, self.layout.scaled(248 * 256));
        let size = if self.grows { between(ALL / 10 * 8, ALL, out(done)) } else { ALL };
        for layer in &self.layers {
            let Some(image) = layer.element.frames.first() else { continue };
            let turned = i64::from(angle) * i64::from(ALL) / 1000;
            let turned = turned * i64::from(layer.turns.0) / i64::from(layer.turns.1.max(1));
            let gone = seen(share(at, object.start, object.end - object.start));
            let tint = if layer.reddens { [255, 255 - gone, 255 - gone] } else { layer.tint };
            onto.image(
                image,
                &Placement {
                    at: middle,
                    anchor: image.middle(),
                    scale: (size, size),
                    angle: turned.rem_euclid(i64::from(ALL)) as i32,
                    tint,
                    opacity: if layer.light {
                        ((i64::from(opacity) * i64::from(done)) >> 16) as u8
                    } else {
                        opacity
                    },
                    blend: if layer.light { Blend::Add } else { Blend::Over },
                },
            );
        }
    }
}
