//! The sprites of a storyboard that share a place behind or over the play, ready to be drawn.
//!
//! Promises: which are seen at a moment is looked up, not searched for; what stands still is prepared; no picture takes more
//! work than painting it over [`MOST_COVERS`] times, whatever the storyboard asks for: what comes after is left out.

use std::ops::Range;

use super::{
    clip::Bounds,
    easing::WHOLE,
    gallery::{Art, Gallery},
    script::Animation,
    timeline::{Group, Property, value, values},
};
use crate::{
    draw::{Blend, Picture, Placement, Rgb, Sprite},
    stage::{Layout, ONE},
    time::Micros,
};

/// How often a picture may be painted over.
const MOST_COVERS: i64 = 64;

/// The largest scale, in 1/65,536.
const MOST_SCALE: i64 = 1 << 28;

/// Entries of a schedule.
const MOST_ENTRIES: i64 = 4 << 20;

/// Pixels of all sprites that are prepared because they stand still.
const MOST_STILL_PIXELS: i64 = 24 << 20;

/// A sprite or an animation.
#[derive(Debug)]
pub(super) struct Shown {
    /// Which point of it lies at its place: 0 its beginning, 1 its middle, 2 its end.
    pub origin: (i32, i32),
    /// Where it is unless it is moved, in 1/256 of the storyboard's units.
    pub place: (i32, i32),
    /// What it does.
    pub groups: Vec<Group>,
    /// Its images by their numbers in the gallery; absent where they are missing.
    pub frames: Vec<Option<usize>>,
    /// How they follow each other.
    pub animation: Option<Animation>,
    /// From its first command to its last.
    pub life: Range<Micros>,
    /// What is drawn where nothing of it but its opacity changes.
    pub still: Option<Still>,
}

/// A prepared sprite, and where its left top corner is.
#[derive(Debug)]
pub(super) struct Still {
    sprite: Sprite,
    left: i32,
    top: i32,
}

/// Where an actor's image lies at a moment, before light and opacity.
struct Pose<'a> {
    art: &'a Art,
    placement: Placement,
}

impl Shown {
    fn value(&self, property: Property, at: Micros, absent: i64) -> i64 {
        value(&self.groups, property, at).map_or(absent, i64::from)
    }

    /// 0 to 255.
    fn opacity(&self, at: Micros) -> u8 {
        ((self.value(Property::Opacity, at, WHOLE) * 255 + WHOLE / 2) >> 16).clamp(0, 255) as u8
    }

    /// The image of an animation at a moment: it counts from the actor's first command.
    fn frame(&self, at: Micros) -> Option<usize> {
        let count = self.frames.len() as i64;
        let index = self.animation.map_or(0, |animation| {
            let passed = at.saturating_sub(self.life.start).max(0) / animation.delay.max(1);
            if animation.once { passed.min(count - 1) } else { passed % count.max(1) }
        });
        self.frames.get(usize::try_from(index).ok()?).copied().flatten()
    }

    /// Where it lies, fully opaque.
    fn pose<'a>(&self, at: Micros, gallery: &'a Gallery, layout: Layout) -> Option<Pose<'a>> {
        let art = gallery.get(self.frame(at)?)?;
        let height = i64::from(layout.height);
        let both = self.value(Property::Scale, at, WHOLE);
        let is = |property: Property| self.value(property, at, 0) != 0;
        let side = |property: Property, flip: Property, stored: u32, kept: u32| {
            let scale = ((both * self.value(property, at, WHOLE)) >> 16).clamp(-MOST_SCALE, MOST_SCALE);
            let scale = scale * height / 480 * i64::from(stored) / i64::from(kept.max(1));
            let scale = scale.clamp(-MOST_SCALE, MOST_SCALE) as i32;
            if is(flip) { -scale } else { scale }
        };
        let (width, high) = (art.image.width, art.image.height);
        let scale = (
            side(Property::ScaleX, Property::FlipH, art.size.0, width),
            side(Property::ScaleY, Property::FlipV, art.size.1, high),
        );
        // A flipped image stays where it is.
        let anchor = |size: u32, origin: i32, scale: i32| {
            let origin = if scale < 0 { 2 - origin } else { origin };
            size as i32 * ONE / 2 * origin
        };
        let place = |property: Property, own: i32, middle: i64, size: u32| {
            let units = self.value(property, at, own.into()) - middle * i64::from(ONE);
            (i64::from(size) * i64::from(ONE) / 2 + units * height / 480).clamp(-(1 << 30), 1 << 30) as i32
        };
        let colour =
            |property: Property| ((self.value(property, at, 255 * 256) + 128) >> 8).clamp(0, 255) as u8;
        let placement = Placement {
            at: (
                place(Property::X, self.place.0, 320, layout.width),
                place(Property::Y, self.place.1, 240, layout.height),
            ),
            anchor: (anchor(width, self.origin.0, scale.0), anchor(high, self.origin.1, scale.1)),
            scale,
            angle: self.value(Property::Angle, at, 0) as i32,
            tint: [colour(Property::Red), colour(Property::Green), colour(Property::Blue)],
            opacity: 255,
            blend: if is(Property::Additive) { Blend::Add } else { Blend::Over },
        };
        Some(Pose { art, placement })
    }

    /// Whether nothing of it but its opacity ever changes.
    fn stands_still(&self) -> bool {
        use Property::{Additive, Angle, Blue, FlipH, FlipV, Green, Red, Scale, ScaleX, ScaleY, X, Y};
        let all = [X, Y, Scale, ScaleX, ScaleY, Angle, Red, Green, Blue, FlipH, FlipV, Additive];
        self.animation.is_none()
            && all.into_iter().all(|property| {
                let mut values = values(&self.groups, property);
                values.next().is_none_or(|first| values.all(|value| value == first))
            })
    }
}

/// Sprites in the order in which they are drawn.
#[derive(Debug)]
pub(super) struct Cast {
    shown: Vec<Shown>,
    layout: Layout,
    /// What of the picture they may be drawn on.
    clip: Bounds,
    /// The time of the first stretch, how long each is, and who is seen in it.
    start: Micros,
    step: i64,
    stretches: Vec<Vec<u32>>,
}

impl Cast {
    pub(super) fn new(mut shown: Vec<Shown>, gallery: &Gallery, layout: Layout, clip: Bounds) -> Self {
        let mut pixels_left = MOST_STILL_PIXELS;
        for actor in &mut shown {
            if actor.stands_still() {
                actor.still = still(actor, gallery, layout, clip, &mut pixels_left);
            }
        }
        let start = shown.iter().map(|actor| actor.life.start).min().unwrap_or(0);
        let end = shown.iter().map(|actor| actor.life.end).max().unwrap_or(0);
        let number = |at: Micros, step: i64| at.saturating_sub(start) / step;
        // Stretches of a second, or longer ones where so many would take too much memory.
        let mut step = 1_000_000_i64;
        let entries = |step: i64| {
            let of = |actor: &Shown| number(actor.life.end, step) - number(actor.life.start, step) + 1;
            shown.iter().map(of).fold(number(end, step), i64::saturating_add)
        };
        while entries(step) > MOST_ENTRIES && step < i64::MAX / 4 {
            step *= 2;
        }
        let count = if shown.is_empty() { 0 } else { number(end, step) as usize + 1 };
        let mut stretches = vec![Vec::new(); count];
        for (index, actor) in shown.iter().enumerate() {
            let (first, last) =
                (number(actor.life.start, step) as usize, number(actor.life.end, step) as usize);
            for stretch in stretches.get_mut(first..=last).unwrap_or_default() {
                stretch.push(index as u32);
            }
        }
        Self { shown, layout, clip, start, step, stretches }
    }

    /// Who is seen at a moment, in the order in which they are drawn.
    fn seen(&self, at: Micros) -> impl Iterator<Item = &Shown> {
        let stretch = at.checked_sub(self.start).filter(|since| *since >= 0).map(|since| since / self.step);
        let stretch = stretch.and_then(|number| self.stretches.get(usize::try_from(number).ok()?));
        let indexes = stretch.map(Vec::as_slice).unwrap_or_default();
        indexes
            .iter()
            .filter_map(|index| self.shown.get(*index as usize))
            .filter(move |actor| actor.life.contains(&at))
    }

    /// Whether anybody is on.
    pub(super) fn is_seen(&self, at: Micros) -> bool {
        self.seen(at).any(|actor| actor.opacity(at) > 0)
    }

    /// Draws them; their colours are multiplied by `light` of 255.
    pub(super) fn draw(&self, at: Micros, gallery: &Gallery, light: u8, onto: &mut Picture) {
        self.clip.keep_sides(onto, |onto| {
            let mut work_left = MOST_COVERS * i64::from(self.layout.width) * i64::from(self.layout.height);
            for actor in self.seen(at) {
                let opacity = actor.opacity(at);
                if opacity > 0 && work_left > 0 {
                    work_left -= self.draw_one(actor, at, gallery, (opacity, light), onto);
                }
            }
        });
    }

    /// Draws one, and says how many pixels it took.
    fn draw_one(
        &self,
        actor: &Shown,
        at: Micros,
        gallery: &Gallery,
        (opacity, light): (u8, u8),
        onto: &mut Picture,
    ) -> i64 {
        if let Some(still) = actor.still.as_ref().filter(|_| light == 255) {
            onto.sprite(&still.sprite, still.left, still.top, opacity);
            return i64::from(still.sprite.width) * i64::from(still.sprite.height);
        }
        let Some(Pose { art, mut placement }) = actor.pose(at, gallery, self.layout) else { return 0 };
        placement.opacity = opacity;
        placement.tint =
            placement.tint.map(|colour| ((u32::from(colour) * u32::from(light) + 127) / 255) as u8);
        let reach = Bounds::around((art.image.width, art.image.height), &placement);
        let Some(seen) = reach.within(self.clip) else { return 0 };
        match art.plain {
            // It covers everything, as flashes do.
            Some(pixel) if seen == self.clip && placement.angle == 0 && placement.blend == Blend::Over => {
                let (colour, opacity) = plain(pixel, &placement);
                let size = ((seen.right - seen.left) as i32, (seen.bottom - seen.top) as i32);
                onto.rectangle(seen.left as i32, seen.top as i32, size, colour, opacity);
            }
            _ => onto.image(&art.image, &placement),
        }
        seen.area()
    }
}

/// The colour and opacity of a rectangle that shows nothing but one pixel.
fn plain([r, g, b, a]: [u8; 4], placement: &Placement) -> (Rgb, u8) {
    let colour = |value: u8, tint: u8| {
        // The pixel's colours are premultiplied.
        let own = (u32::from(value) * 255 + u32::from(a) / 2) / u32::from(a.max(1));
        ((own.min(255) * u32::from(tint) + 127) / 255) as u8
    };
    let [red, green, blue] = placement.tint;
    let opacity = (u32::from(a) * u32::from(placement.opacity) + 127) / 255;
    ([colour(r, red), colour(g, green), colour(b, blue)], opacity as u8)
}

/// Prepares what stands still and is large enough for that to matter.
fn still(
    actor: &Shown,
    gallery: &Gallery,
    layout: Layout,
    clip: Bounds,
    pixels_left: &mut i64,
) -> Option<Still> {
    let Pose { art, placement } = actor.pose(actor.life.start, gallery, layout)?;
    let picture = i64::from(layout.width) * i64::from(layout.height);
    let reach = Bounds::around((art.image.width, art.image.height), &placement);
    let is_worth_it = reach.within(clip).is_some_and(|seen| seen.area() * 32 >= picture);
    if placement.angle != 0
        || art.plain.is_some()
        || !is_worth_it
        || reach.area() > (*pixels_left).min(2 * picture)
    {
        return None;
    }
    *pixels_left -= reach.area();
    let side = |length: u32, scale: i32| {
        let shown = (i64::from(length) * i64::from(scale).abs() + 32_768) >> 16;
        u32::try_from(shown.max(1)).unwrap_or(1)
    };
    let mut image = art
        .image
        .resized(side(art.image.width, placement.scale.0), side(art.image.height, placement.scale.1));
    if placement.scale.0 < 0 {
        image.pixels.chunks_exact_mut(image.width as usize).for_each(<[_]>::reverse);
    }
    if placement.scale.1 < 0 {
        let rows: Vec<&[[u8; 4]]> = image.pixels.chunks_exact(image.width as usize).rev().collect();
        image.pixels = rows.concat();
    }
    // The nearest whole pixel.
    let corner = |at: i32, anchor: i32, size: u32, scale: i32| {
        let side = |place: i64| i64::from(at) + (((place - i64::from(anchor)) * i64::from(scale)) >> 16);
        ((side(0).min(side(i64::from(size) << 8)) + 128) >> 8) as i32
    };
    Some(Still {
        sprite: Sprite::new(&image.tinted(placement.tint), placement.blend),
        left: corner(placement.at.0, placement.anchor.0, art.image.width, placement.scale.0),
        top: corner(placement.at.1, placement.anchor.1, art.image.height, placement.scale.1),
    })
}
