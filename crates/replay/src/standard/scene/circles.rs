//! Hit circles, and what sliders' heads share with them: rims, numbers, approach circles, how they are hit, missed and shaken.

use super::{
    ease::{self, ALL, ms, out, seen, share},
    looks::{Colour, Frames, Looks},
    objects::{Object, Timing},
    path::Place,
};
use crate::{draw::Picture, time::Micros};

/// How long what was hit flies apart. Source: lazer's `LegacyMainCirclePiece`.
const HIT: Micros = ms(240);
/// How long what was missed fades. Source: lazer's `DrawableHitCircle`.
const MISSED: Micros = ms(100);
/// How long a refused object shakes, and how often it goes to and fro.
const SHAKE: Micros = ms(320);
const SHAKES: i64 = 4;

/// How much of an object is seen that appears, and goes again with Hidden.
pub(super) fn appearance(at: Micros, object: &Object, timing: &Timing) -> u8 {
    let appeared = seen(share(at, object.appears, timing.fade_in));
    if !timing.hidden {
        return appeared;
    }
    // Source: lazer's `OsuModHidden.FADE_OUT_DURATION_MULTIPLIER`.
    let gone = ease::gone(share(at, object.appears + timing.fade_in, timing.preempt * 3 / 10));
    appeared.min(gone)
}

/// How far to the side an object is that shakes, in 1/256 pixel.
pub(super) fn shaken(at: Micros, object: &Object, radius: i32) -> i32 {
    let index = object.shaken.partition_point(|when| *when <= at);
    let Some(from) = index.checked_sub(1).and_then(|index| object.shaken.get(index)) else { return 0 };
    if at >= from.saturating_add(SHAKE) {
        return 0;
    }
    let part = share(at, *from, SHAKE);
    let turn = (i64::from(part) * SHAKES) as i32;
    let swing = (i64::from(crate::draw::sine(turn)) * i64::from(ALL - part)) >> 16;
    (i64::from(radius) * swing / (8 * i64::from(ALL))) as i32
}

/// Draws a circle.
pub(super) fn draw(at: Micros, object: &Object, timing: &Timing, looks: &Looks, onto: &mut Picture) {
    let Some(colour) = looks.colour(object.colour) else { return };
    let parts = Parts { circle: &colour.circle, overlay: colour.overlay.as_ref() };
    let place = (object.at.0 + shaken(at, object, looks.radius), object.at.1);
    draw_parts(at, object, place, &parts, colour, timing, looks, onto);
}

/// Draws a slider's head.
pub(super) fn draw_head(
    at: Micros,
    object: &Object,
    place: Place,
    timing: &Timing,
    looks: &Looks,
    onto: &mut Picture,
) {
    let Some(colour) = looks.colour(object.colour) else { return };
    // The rim of another circle does not fit to a head of its own.
    let (circle, overlay) = match &colour.head {
        Some(head) => (head, colour.head_overlay.as_ref()),
        None => (&colour.circle, colour.overlay.as_ref()),
    };
    let parts = Parts { circle, overlay };
    draw_parts(at, object, place, &parts, colour, timing, looks, onto);
}

struct Parts<'a> {
    circle: &'a Frames,
    overlay: Option<&'a Frames>,
}

#[allow(clippy::too_many_arguments)] // Each is needed, and they are told apart by their types.
fn draw_parts(
    at: Micros,
    object: &Object,
    place: Place,
    parts: &Parts<'_>,
    colour: &Colour,
    timing: &Timing,
    looks: &Looks,
    onto: &mut Picture,
) {
    let (ended, hit) = object.head;
    let before = at < ended;
    let part = out(share(at, ended, if hit { HIT } else { MISSED }));
    let appeared = appearance(at, object, timing);
    let (opacity, grown) = match (before, hit) {
        (true, _) => (appeared, 0),
        // With Hidden nothing is left that could fly apart.
        (false, _) if timing.hidden => (0, 0),
        (false, true) => (ease::gone(part), part),
        (false, false) => (appeared.min(ease::gone(part)), 0),
    };
    if opacity == 0 {
        return;
    }
    if !before
        && hit
        && let Some(burst) = &colour.burst
    {
        if let Some(sprite) = burst.at(part) {
            onto.sprite_around(sprite, place, opacity);
        }
        return;
    }
    let number =
        if before || !hit || !looks.number_leaves { opacity } else { ease::gone(share(at, ended, HIT / 4)) };
    let since = at - object.appears;
    let piece = |frames: &Frames, onto: &mut Picture| {
        if let Some(sprite) = frames.at(since, grown) {
            onto.sprite_around(sprite, place, opacity);
        }
    };
    piece(parts.circle, onto);
    let overlay = |onto: &mut Picture| parts.overlay.into_iter().for_each(|frames| piece(frames, onto));
    if looks.number_above {
        overlay(onto);
    }
    draw_number(object.number, place, number, looks, onto);
    if !looks.number_above {
        overlay(onto);
    }
}

/// Draws a circle's number.
fn draw_number(number: u32, place: Place, opacity: u8, looks: &Looks, onto: &mut Picture) {
    if opacity == 0 {
        return;
    }
    let text = number.to_string();
    let sprites = || text.bytes().filter_map(|byte| looks.digits.get(usize::from(byte.wrapping_sub(b'0'))));
    let overlaps = looks.digit_overlap * (text.len() as i32 - 1);
    let width: i32 = sprites().map(|sprite| sprite.width as i32).sum::<i32>() - overlaps;
    let mut left = place.0 - width * 128;
    for sprite in sprites() {
        let middle = left + sprite.width as i32 * 128;
        onto.sprite_around(sprite, (middle, place.1), opacity);
        left += (sprite.width as i32 - looks.digit_overlap) * 256;
    }
}

/// Draws an object's approach circle.
pub(super) fn draw_approach(at: Micros, object: &Object, timing: &Timing, looks: &Looks, onto: &mut Picture) {
    if !object.approach || at >= object.start.min(object.head.0) {
        return;
    }
    let Some(colour) = looks.colour(object.colour) else { return };
    let part = share(at, object.appears, timing.preempt);
    // It is seen at nine tenths at most, and takes twice as long for it. Source: lazer's `DrawableHitCircle`.
    let fade = (timing.fade_in * 2).min(timing.preempt);
    let opacity = seen((i64::from(share(at, object.appears, fade)) * 9 / 10) as i32);
    if let Some(sprite) = colour.approach.at(ALL - part) {
        let place = (object.at.0 + shaken(at, object, looks.radius), object.at.1);
        onto.sprite_around(sprite, place, opacity);
    }
}
