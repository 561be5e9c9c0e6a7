//! Sliders: body, ticks, arrows where they turn, ball, head and end.

use super::{
    body::{Body, Seen},
    circles,
    ease::{self, ALL, ms, out, seen, share},
    looks::{Colour, Looks},
    objects::{Object, Slider, Timing},
    path::{self, Place},
};
use crate::{
    draw::{Picture, times},
    time::Micros,
};

/// How long a slider that is over fades.
const OVER: Micros = ms(240);
/// How long a tick needs to appear. Source: lazer's `DrawableSliderTick.ANIM_DURATION`.
const TICK: Micros = ms(150);
/// How long an arrow is seen after its turn, and how long it takes to appear.
const ARROW: Micros = ms(150);
/// How often an arrow beats. Source: lazer's `LegacyReverseArrow`.
const BEAT: Micros = ms(300);
/// How long the circle around the ball needs to grow, and to go. Source: lazer's `LegacyFollowCircle`.
const FOLLOWED: Micros = ms(180);
const LEFT: Micros = ms(200);

/// Draws a slider.
pub(super) fn draw(
    at: Micros,
    object: &Object,
    slider: &Slider,
    body: Option<&Body>,
    timing: &Timing,
    looks: &Looks,
    onto: &mut Picture,
) {
    let Some(colour) = looks.colour(object.colour) else { return };
    let over = ease::gone(share(at, object.end, OVER));
    let appeared = seen(share(at, object.appears, timing.fade_in));
    let mut opacity = appeared.min(over);
    if timing.hidden {
        // It goes until its end, fast at first.
        let goes = object.appears + timing.fade_in;
        opacity = opacity.min(ease::gone(out(share(at, goes, object.end - goes))));
    }
    // A body that shakes would have to be made anew: its head alone shakes.
    let side = circles::shaken(at, object, looks.radius);
    if let Some(body) = body.filter(|_| opacity > 0) {
        body.draw(part_seen(at, object, slider, timing), opacity, onto);
    }
    if at < object.end + OVER {
        draw_end(at, object, slider, colour, timing, over, onto);
        draw_ticks(at, slider, timing, looks, onto);
    }
    draw_arrows(at, object, slider, timing, looks, onto);
    circles::draw_head(at, object, (object.at.0 + side, object.at.1), timing, looks, onto);
    if at >= object.start {
        draw_ball(at, object, slider, colour, onto);
    }
}

/// Which part of the body is seen.
fn part_seen(at: Micros, object: &Object, slider: &Slider, timing: &Timing) -> Seen {
    // Source: lazer's `SnakingSliderBody`.
    let grown = timing.preempt / 3;
    if timing.snaking_in && at < object.appears + grown {
        return Seen::FromHead(at - object.appears, grown);
    }
    let last = object.start + slider.span * (slider.spans - 1);
    if timing.snaking_out && at > last {
        let left = (last + slider.span - at).max(0);
        return if slider.ends_at_head() {
            Seen::FromHead(left, slider.span)
        } else {
            Seen::FromEnd(left, slider.span)
        };
    }
    Seen::Whole
}

/// Draws the circle at the end, where the skin has one.
fn draw_end(
    at: Micros,
    object: &Object,
    slider: &Slider,
    colour: &Colour,
    timing: &Timing,
    over: u8,
    onto: &mut Picture,
) {
    let opacity = circles::appearance(at, object, timing).min(over);
    // It appears when the body has reached it.
    let reached =
        if timing.snaking_in { seen(share(at, object.appears + timing.preempt / 3, ms(60))) } else { 255 };
    let place = slider.path.at(slider.path.length());
    let since = at - object.appears;
    for frames in [&colour.tail, &colour.tail_overlay].into_iter().flatten() {
        if let Some(sprite) = frames.at(since, 0) {
            onto.sprite_around(sprite, place, times(opacity, reached));
        }
    }
}

fn draw_ticks(at: Micros, slider: &Slider, timing: &Timing, looks: &Looks, onto: &mut Picture) {
    for tick in &slider.ticks {
        if at < tick.appears || at >= tick.at {
            continue;
        }
        let mut opacity = seen(share(at, tick.appears, TICK));
        if timing.hidden {
            let goes = (timing.preempt - TICK).clamp(1, ms(1000));
            opacity = opacity.min(ease::gone(share(at, tick.at - goes, goes)));
        }
        if let Some(sprite) = looks.tick.at(0) {
            onto.sprite_around(sprite, tick.place, opacity);
        }
    }
}

/// Draws the arrows at which the ball will turn next, at either end.
fn draw_arrows(
    at: Micros,
    object: &Object,
    slider: &Slider,
    timing: &Timing,
    looks: &Looks,
    onto: &mut Picture,
) {
    // Of those that are to come only the next two are seen, one at each end, and the last one goes.
    let next = slider.repeats.partition_point(|repeat| repeat.saturating_add(ARROW) <= at);
    for (number, repeat) in slider.repeats.iter().enumerate().skip(next).take(3).rev() {
        // The first end's one is there from the beginning, each other from when its end was left before.
        let appears = if number == 0 {
            object.appears + if timing.snaking_in { timing.preempt / 3 } else { 0 }
        } else {
            (repeat - slider.span * 2).max(object.start)
        };
        if at < appears {
            continue;
        }
        let gone = out(share(at, *repeat, ARROW));
        let opacity = seen(share(at, appears, ARROW)).min(ease::gone(gone));
        let at_end = number % 2 == 0;
        let place = if at_end { slider.path.at(slider.path.length()) } else { slider.path.at(0) };
        let beat = share((at - object.appears).rem_euclid(BEAT), 0, BEAT);
        // From 1.3 times its size to it at each beat, and beyond when it is gone.
        let size = if at < *repeat { (ALL - beat) / 4 * 3 } else { gone };
        if let Some(sprite) = looks.arrow(path::angle(slider.path.direction(at_end)), size) {
            onto.sprite_around(sprite, place, opacity);
        }
    }
}

fn draw_ball(at: Micros, object: &Object, slider: &Slider, colour: &Colour, onto: &mut Picture) {
    let since = at - object.start;
    let place = slider.ball(since);
    draw_follow(at, slider, colour, place, onto);
    if at < object.end
        && let Some(sprite) = colour.ball.at(since, 0)
    {
        onto.sprite_around(sprite, place, 255);
    }
}

/// Draws the circle around the ball, while it is followed and a little longer.
fn draw_follow(at: Micros, slider: &Slider, colour: &Colour, place: Place, onto: &mut Picture) {
    let index = slider.followed.partition_point(|(from, _)| *from <= at);
    let Some((from, to)) = index.checked_sub(1).and_then(|index| slider.followed.get(index)) else { return };
    if at >= to.saturating_add(LEFT) {
        return;
    }
    // From half its size, ten elevenths of the way to its full one; it leaves a little smaller.
    let full = ALL / 6 * 5;
    let grown = ease::between(0, full, out(share(at, *from, FOLLOWED)));
    let left = share(at, *to, LEFT);
    let size = if left > 0 { ease::between(full, ALL / 2, out(left)) } else { grown };
    let opacity = seen(share(at, *from, ms(60))).min(ease::gone(left));
    if let Some(sprite) = colour.follow.at(at - from, size) {
        onto.sprite_around(sprite, place, opacity);
    }
}
