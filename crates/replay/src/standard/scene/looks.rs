//! How everything of the scene looks: a legacy skin's elements at the size at which they are shown, and the default skin where it
//! brings none.

use std::sync::Arc;

use super::{
    body::Look,
    ease::{ALL, between, ms},
    steps::Steps,
};
use crate::{
    draw::{Blend, Image, Phased, Rgb, Sprite},
    play::Hit,
    skin::{Element, Skin, default},
    stage::{Layout, Stage},
    standard::objects::Field,
    time::Micros,
};

/// Units of a circle's radius in the art of skins. Source: lazer's `OsuHitObject.OBJECT_RADIUS`.
const ART_RADIUS: i64 = 64;
/// Sizes of an approach circle: from once to four times the circle's.
const APPROACH_STEPS: usize = 65;
/// Directions of an arrow, and its sizes.
const DIRECTIONS: i32 = 128;
const ARROW_STEPS: usize = 9;
/// How large becomes what flies apart, and an arrow.
const GROWN: i32 = ALL / 10 * 14;
/// Sizes of what flies apart.
const BURST_STEPS: usize = 13;
/// Sizes of the circle around the ball.
const FOLLOW_STEPS: usize = 9;
/// Sizes of results, and between which they are.
const RESULT_STEPS: usize = 11;
pub(super) const SMALL: i32 = ALL / 10 * 6;
pub(super) const LARGE: i32 = ALL / 10 * 11;
/// More colours than this are not told apart: a skin has eight, a map's file may say more.
const MOST_COLOURS: usize = 16;
/// More frames of an animation than this are not shown.
const MOST_FRAMES: usize = 64;

/// An animation, or one picture.
#[derive(Debug)]
pub(super) struct Frames {
    frames: Vec<Steps>,
    /// How long each is seen; 0 where there is but one.
    each: Micros,
}

/// What is turned and resized while it is drawn.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    /// At their size on the picture.
    pub frames: Vec<Image>,
    /// How long each is seen.
    pub each: Micros,
}

/// How everything looks.
#[derive(Debug)]
pub(super) struct Looks {
    /// The circles' radius, in 1/256 pixel.
    pub radius: i32,
    /// By colour of the combo.
    pub colours: Vec<Colour>,
    /// The ten digits, and how many pixels two overlap.
    pub digits: Vec<Sprite>,
    pub digit_overlap: i32,
    /// Whether the number is drawn over the circle's rim.
    pub number_above: bool,
    /// The number leaves at once when its circle was hit.
    pub number_leaves: bool,
    pub tick: Steps,
    /// By direction, in equal parts of a turn; from its size to 1.4 times it.
    pub reverse_arrow: Vec<Steps>,
    pub follow_point: Pictures,
    /// Follow points are round: they need not be turned.
    pub follow_dot: Option<Sprite>,
    pub great: Frames,
    pub ok: Frames,
    pub meh: Frames,
    pub miss: Pictures,
    pub cursor: Cursor,
    pub smoke: Sprite,
}

/// What has a combo's colour.
#[derive(Debug)]
pub(super) struct Colour {
    /// The circle, and its rim where that is one of its own, from 1 to 1.4 times its size.
    pub circle: Frames,
    pub overlay: Option<Frames>,
    /// A slider's head.
    pub head: Option<Frames>,
    pub head_overlay: Option<Frames>,
    /// A slider's end; the default has none.
    pub tail: Option<Frames>,
    pub tail_overlay: Option<Frames>,
    /// What a hit leaves; a skin's circles grow themselves.
    pub burst: Option<Steps>,
    pub approach: Steps,
    pub body: Look,
    pub ball: Frames,
    pub follow: Frames,
    pub lighting: Option<Steps>,
}

/// The cursor.
#[derive(Debug)]
pub(super) struct Cursor {
    /// From its own size to that while something is pressed.
    pub steps: Vec<Phased>,
    /// Turned, where the skin says so.
    pub turned: Option<Image>,
    pub middle: Option<Phased>,
    pub trail: Phased,
    /// The trail is long and without gaps.
    pub long: bool,
    /// How far its lights are apart, in 1/256 pixel.
    pub gap: i32,
    /// It grows when something is pressed.
    pub expands: bool,
    /// Its image hangs from its top left corner.
    pub hangs: bool,
}

impl Frames {
    fn one(steps: Steps) -> Self {
        Self { frames: vec![steps], each: 0 }
    }

    /// The sprite so long after the beginning of an animation that is shown once.
    pub(super) fn once(&self, since: Micros, share: i32) -> Option<&Sprite> {
        let last = self.frames.len().checked_sub(1)?;
        let ended = self.each > 0 && since / self.each >= last as i64;
        if ended { self.frames.get(last)?.at(share) } else { self.at(since, share) }
    }

    /// The sprite so long after the animation's beginning, at a share of its way.
    pub(super) fn at(&self, since: Micros, share: i32) -> Option<&Sprite> {
        self.frames.get(frame(self.frames.len(), self.each, since))?.at(share)
    }
}

impl Pictures {
    fn one(image: Image) -> Self {
        Self { frames: vec![image], each: 0 }
    }

    /// The picture so long after the animation's beginning; the last one stays where `once`.
    pub(super) fn at(&self, since: Micros, once: bool) -> Option<&Image> {
        let last = self.frames.len().checked_sub(1)?;
        if once && self.each > 0 && since / self.each >= last as i64 {
            return self.frames.get(last);
        }
        self.frames.get(frame(self.frames.len(), self.each, since))
    }
}

/// Which of so many frames is seen.
fn frame(frames: usize, each: Micros, since: Micros) -> usize {
    if each <= 0 || frames == 0 { 0 } else { ((since.max(0) / each) % frames as i64) as usize }
}

/// Makes looks from elements.
struct Maker<'a> {
    skin: &'a Skin,
    layout: Layout,
    radius: i32,
}

impl Maker<'_> {
    /// A skin's element; `Some` without frames where it is hidden.
    fn element(&self, name: &str) -> Option<&Arc<Element>> {
        self.skin.element(name)
    }

    /// The size of an image of a circle's art, in pixels, so many times (of 65,536) its own.
    fn size(image: &Image, density: u32, radius: i32, scale: i32) -> (u32, u32) {
        let one = |pixels: u32| {
            let fine = i64::from(pixels) * i64::from(radius) / (ART_RADIUS * i64::from(density.max(1)));
            // Even, so that the middle of all lies between pixels.
            let size = ((fine * i64::from(scale)) >> 25) * 2;
            size.clamp(2, 4096) as u32
        };
        (one(image.width), one(image.height))
    }

    /// An element's frames, that become larger along their way.
    fn frames(&self, element: &Arc<Element>, to: i32, steps: usize, tint: Rgb, blend: Blend) -> Frames {
        let radius = self.radius;
        let one = |index: usize| {
            let element = Arc::clone(element);
            Steps::new(steps, blend, move |share| {
                let Some(image) = element.frames.get(index) else { return Image::empty(0, 0) };
                let (width, height) = Self::size(image, element.density, radius, between(ALL, to, share));
                image.resized(width, height).tinted(tint)
            })
        };
        let frames = (0..element.frames.len().min(MOST_FRAMES)).map(one).collect();
        Frames { frames, each: ms(i64::from(element.frame_milliseconds)) }
    }

    fn pictures(&self, element: &Element, tint: Rgb) -> Pictures {
        let one = |image: &Image| {
            let (width, height) = Self::size(image, element.density, self.radius, ALL);
            image.resized(width, height).tinted(tint)
        };
        let frames = element.frames.iter().take(MOST_FRAMES).map(one).collect();
        Pictures { frames, each: ms(i64::from(element.frame_milliseconds)) }
    }

    fn colour(&self, rgb: Rgb, lighting: bool) -> Colour {
        let radius = self.radius;
        let config = &self.skin.config;
        let growing = |name: &str, tint: Rgb| {
            self.element(name).map(|element| self.frames(element, GROWN, BURST_STEPS, tint, Blend::Over))
        };
        let circle = growing("hitcircle", rgb);
        let own = circle.is_none();
        let approach = match self.element("approachcircle").cloned() {
            Some(element) => Steps::new(APPROACH_STEPS, Blend::Over, move |share| {
                let Some(image) = element.frames.first() else { return Image::empty(0, 0) };
                let (width, height) =
                    Self::size(image, element.density, radius, between(ALL, ALL * 4, share));
                image.resized(width, height).tinted(rgb)
            }),
            None => Steps::new(APPROACH_STEPS, Blend::Over, move |share| {
                default::approach_circle(between(radius, radius.saturating_mul(4), share), radius, rgb)
            }),
        };
        let body = Look {
            // The art of skins leaves five of 64 units free around its circle.
            radius: if own { radius } else { (i64::from(radius) * 59 / ART_RADIUS) as i32 },
            border: (i64::from(radius) * if own { 10 } else { 12 } / 100) as i32,
            border_colour: config.slider_border.unwrap_or(if own {
                default::shade(rgb, 80)
            } else {
                [255; 3]
            }),
            edge: config.slider_track.map_or(default::shade(rgb, -82), |track| default::shade(track, -20)),
            middle: config.slider_track.map_or(default::shade(rgb, -58), |track| default::shade(track, 20)),
            opacity: if own { 225 } else { 190 },
        };
        let ball_tint = if config.slider_ball_tint { rgb } else { config.slider_ball.unwrap_or([255; 3]) };
        let ball =
            self.element("sliderb").map(|element| self.frames(element, ALL, 1, ball_tint, Blend::Over));
        let follow = match self.element("sliderfollowcircle") {
            Some(element) => self.frames_from(element, ALL / 2, ALL / 10 * 11),
            None => Frames::one(Steps::new(FOLLOW_STEPS, Blend::Over, move |share| {
                let full = (i64::from(radius) * 12 / 5) as i32;
                default::follow_circle(between(full / 2, full / 10 * 11, share), radius, rgb)
            })),
        };
        let lit = match self.element("lighting").filter(|_| lighting) {
            Some(element) => self.frames(element, ALL, 1, rgb, Blend::Add).frames.pop(),
            None if own && lighting => Some(Steps::still(default::lighting(radius, rgb), Blend::Add)),
            None => None,
        };
        Colour {
            overlay: if own { None } else { growing("hitcircleoverlay", [255; 3]) },
            circle: circle.unwrap_or_else(|| {
                Frames::one(Steps::new(1, Blend::Over, move |_| default::hit_circle(radius, rgb)))
            }),
            head: growing("sliderstartcircle", rgb),
            head_overlay: growing("sliderstartcircleoverlay", [255; 3]),
            tail: growing("sliderendcircle", rgb),
            tail_overlay: growing("sliderendcircleoverlay", [255; 3]),
            burst: own.then(|| {
                Steps::new(BURST_STEPS, Blend::Over, move |share| default::burst(radius, rgb, share))
            }),
            approach,
            body,
            ball: ball.unwrap_or_else(|| Frames::one(Steps::still(default::ball(radius, rgb), Blend::Over))),
            follow,
            lighting: lit,
        }
    }

    /// An element's frames from a size to a larger one.
    fn frames_from(&self, element: &Arc<Element>, from: i32, to: i32) -> Frames {
        let radius = self.radius;
        let one = |index: usize| {
            let element = Arc::clone(element);
            Steps::new(FOLLOW_STEPS, Blend::Over, move |share| {
                let Some(image) = element.frames.get(index) else { return Image::empty(0, 0) };
                let (width, height) = Self::size(image, element.density, radius, between(from, to, share));
                image.resized(width, height)
            })
        };
        let frames = (0..element.frames.len().min(MOST_FRAMES)).map(one).collect();
        Frames { frames, each: ms(i64::from(element.frame_milliseconds)) }
    }

    /// A picture of the game's 480 units (768 of them in the art), not of a circle's.
    fn of_screen(&self, image: &Image, density: u32, percent: u32) -> Image {
        let one = |pixels: u32| {
            let size = u64::from(pixels) * u64::from(self.layout.height) * u64::from(percent);
            (size / (768 * 100 * u64::from(density.max(1)))).clamp(1, 4096) as u32
        };
        image.resized(one(image.width), one(image.height))
    }

    fn digits(&self) -> (Vec<Sprite>, i32) {
        let prefix = &self.skin.config.hit_circle_prefix;
        let element = |value: u8| self.element(&format!("{prefix}-{value}"));
        if (0..10).all(|value| element(value).is_some()) {
            // Numbers are drawn at eight tenths of their size.
            let sprite = |value: u8| {
                let element = element(value)?;
                let image = element.frames.first()?;
                let (width, height) = Self::size(image, element.density, self.radius, ALL / 10 * 8);
                Some(Sprite::new(&image.resized(width, height), Blend::Over))
            };
            let sprites: Vec<Sprite> = (0..10).filter_map(sprite).collect();
            let overlap = i64::from(self.skin.config.hit_circle_overlap) * i64::from(self.radius) * 8
                / (ART_RADIUS * 10 * 256);
            return (sprites, overlap.clamp(-2000, 2000) as i32);
        }
        let sprite = |value| Sprite::new(&default::digit(value, self.radius), Blend::Over);
        ((0..10).map(sprite).collect(), self.radius / 256 / 14)
    }

    /// A result: from six to eleven tenths of its size.
    fn result(&self, name: &str, word: &'static str, height: u32, rgb: Rgb) -> Frames {
        match self.element(name) {
            // Animations move by themselves.
            Some(element) if element.frames.len() > 1 => self.frames(element, ALL, 1, [255; 3], Blend::Over),
            Some(element) => self.frames_from(element, SMALL, LARGE),
            None => Frames::one(Steps::new(RESULT_STEPS, Blend::Over, move |share| {
                let height = i64::from(height) * i64::from(between(SMALL, LARGE, share)) / i64::from(ALL);
                default::word(word, height as u32, rgb)
            })),
        }
    }

    fn turning(&self, name: &str, own: impl FnOnce() -> Image) -> Pictures {
        self.element(name).map_or_else(|| Pictures::one(own()), |element| self.pictures(element, [255; 3]))
    }

    fn cursor(&self, percent: u32) -> Cursor {
        const STEPS: i32 = 7;
        let config = &self.skin.config;
        let brought = self.element("cursor").and_then(|element| Some((element, element.frames.first()?)));
        let own_radius = (self.layout.scaled(9 * 256) * percent as i32 / 100).max(512);
        let sized = |share: i32| match brought {
            Some((element, image)) => {
                let grown = between(100, if config.cursor_expand { 130 } else { 100 }, share) as u32;
                self.of_screen(image, element.density, percent * grown / 100)
            }
            None => default::cursor(between(own_radius, own_radius / 10 * 13, share)),
        };
        let steps =
            (0..STEPS).map(|step| Phased::new(&sized(step * ALL / (STEPS - 1)), Blend::Over)).collect();
        let phased = |name: &str, blend: Blend| {
            let element = self.element(name)?;
            let image = element.frames.first()?;
            Some((Phased::new(&self.of_screen(image, element.density, percent), blend), image.width))
        };
        let middle = phased("cursormiddle", Blend::Over).map(|(middle, _)| middle);
        let long = middle.is_some() || brought.is_none();
        let trail = match phased("cursortrail", if long { Blend::Add } else { Blend::Over }) {
            Some((trail, _)) => trail,
            None if brought.is_some() => Phased::new(&Image::empty(2, 2), Blend::Over),
            None => Phased::new(&default::cursor_trail(own_radius), Blend::Add),
        };
        Cursor {
            steps,
            turned: brought.filter(|_| config.cursor_rotate).map(|_| sized(0)),
            middle,
            trail,
            long,
            gap: if brought.is_none() { own_radius / 2 } else { (self.layout.scaled(5 * 256)).max(256) },
            expands: config.cursor_expand,
            hangs: brought.is_some() && !config.cursor_centre,
        }
    }
}

impl Looks {
    /// Prepares what can be prepared.
    pub(super) fn new(stage: &Stage<'_>, field: &Field) -> Self {
        let radius = stage.layout.scaled((field.radius.clamp(0.1, 512.0) * 256.0).round() as i32).max(512);
        let maker = Maker { skin: stage.skin, layout: stage.layout, radius };
        let colours = stage.skin.combo_colours().iter().take(MOST_COLOURS);
        let colours = colours.map(|rgb| maker.colour(*rgb, true)).collect();
        let (digits, digit_overlap) = maker.digits();
        let config = &stage.skin.config;
        let height = (radius as u32 * 46 / 100 / 256).max(6);
        let tick = maker.element("sliderscorepoint").map_or_else(
            || Steps::still(default::tick(radius, maker.first_colour()), Blend::Over),
            |element| {
                let pictures = maker.pictures(element, [255; 3]);
                Steps::still(pictures.frames.into_iter().next().unwrap_or(Image::empty(0, 0)), Blend::Over)
            },
        );
        let point = maker.element("followpoint").map(|element| maker.pictures(element, [255; 3]));
        Self {
            radius,
            colours,
            digits,
            digit_overlap,
            number_above: !config.overlay_above_number,
            number_leaves: config.version >= 20 || maker.element("hitcircle").is_none(),
            tick,
            reverse_arrow: arrows(&maker.turning("reversearrow", || default::reverse_arrow(radius))),
            follow_dot: point.is_none().then(|| Sprite::new(&default::follow_point(radius), Blend::Over)),
            follow_point: point.unwrap_or(Pictures { frames: Vec::new(), each: 0 }),
            great: maker.result("hit300", "300", height, [120, 205, 255]),
            ok: maker.result("hit100", "100", height, [132, 230, 96]),
            meh: maker.result("hit50", "50", height, [255, 190, 70]),
            miss: maker.turning("hit0", || default::miss(radius)),
            cursor: maker.cursor(stage.options.play.cursor_size.clamp(20, 300)),
            smoke: Sprite::new(&default::smoke(stage.layout.scaled(7 * 256).max(512)), Blend::Over),
        }
    }

    /// What a combo's colour has.
    pub(super) fn colour(&self, index: usize) -> Option<&Colour> {
        self.colours.get(index % self.colours.len().max(1))
    }

    /// The arrow that points that way (in 1/65,536 of a turn), from its size (0) to 1.4 times it (65,536).
    pub(super) fn arrow(&self, angle: i32, share: i32) -> Option<&Sprite> {
        let part = ALL / DIRECTIONS;
        let direction = (angle.wrapping_add(part / 2).rem_euclid(ALL) / part) as usize;
        self.reverse_arrow.get(direction)?.at(share)
    }

    /// The frames of a result that is no miss.
    pub(super) fn result(&self, hit: Hit) -> &Frames {
        match hit {
            Hit::Max | Hit::Great => &self.great,
            Hit::Good | Hit::Ok => &self.ok,
            Hit::Meh | Hit::Miss => &self.meh,
        }
    }
}

/// An arrow in all directions.
fn arrows(arrow: &Pictures) -> Vec<Steps> {
    let Some(image) = arrow.frames.first().cloned().map(Arc::new) else { return Vec::new() };
    let one = |direction: i32| {
        let image = Arc::clone(&image);
        let angle = direction * (ALL / DIRECTIONS);
        Steps::new(ARROW_STEPS, Blend::Over, move |share| image.turned(angle, between(ALL, GROWN, share)))
    };
    (0..DIRECTIONS).map(one).collect()
}

impl Maker<'_> {
    fn first_colour(&self) -> Rgb {
        self.skin.combo_colours().first().copied().unwrap_or([255; 3])
    }
}
