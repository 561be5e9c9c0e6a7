//! Follow points: they lead from one object of a combo to the next.
//!
//! Their places and times are those of lazer's `FollowPointConnection`.

use super::{
    ease::{self, ALL, between, ms, out, seen, share},
    looks::Looks,
    objects::{Object, Shape},
    path::{self, Place},
};
use crate::{
    draw::{Blend, Picture, Placement, raster::distance},
    spans::Spans,
    stage::Stage,
    standard::objects::Field,
    time::{Micros, micros},
};

/// More points than this of one connection are not shown.
const MOST: i64 = 64;

/// A way from one object to the next.
#[derive(Debug)]
struct Connection {
    from: Place,
    to: Place,
    /// When the first object ends, and the next begins.
    start: Micros,
    end: Micros,
    angle: i32,
    /// In 1/256 pixel.
    length: i64,
}

/// Follow points.
#[derive(Debug)]
pub(super) struct Points {
    connections: Vec<Connection>,
    seen: Spans,
    /// How long before the ball's passing a point is seen.
    preempt: Micros,
    fade: Micros,
    /// How far they are apart, in 1/256 pixel.
    spacing: i64,
}

impl Points {
    pub(super) fn new(stage: &Stage<'_>, field: &Field, objects: &[Object]) -> Self {
        let fade = micros(field.fade_in).max(1000);
        let preempt = ms(800) * micros(field.preempt).clamp(1, ms(450)) / ms(450);
        let spacing = i64::from(stage.layout.scaled(32 * 256)).max(256);
        let pairs = objects.windows(2).zip(field.objects.iter().skip(1));
        let connection = |(pair, next): (&[Object], &crate::standard::objects::Object)| {
            let [one, other] = pair else { return None };
            let spinner = |object: &Object| matches!(object.shape, Shape::Spinner(_));
            if next.new_combo || spinner(one) || spinner(other) {
                return None;
            }
            let from = match &one.shape {
                Shape::Slider(slider) => slider.ball(one.end - one.start),
                _ => one.at,
            };
            let to = other.at;
            let length = i64::from(distance(from, to));
            let angle = path::angle((to.0 - from.0, to.1 - from.1));
            let far = length > spacing * 5 / 2;
            far.then_some(Connection {
                from,
                to,
                start: one.end,
                end: other.start.max(one.end),
                angle,
                length,
            })
        };
        let connections: Vec<Connection> = if stage.options.play.follow_points {
            pairs.filter_map(connection).collect()
        } else {
            Vec::new()
        };
        let seen = Spans::new(connections.iter().map(|one| (one.start - preempt, one.end + fade)));
        Self { connections, seen, preempt, fade, spacing }
    }

    pub(super) fn draw(&self, at: Micros, looks: &Looks, onto: &mut Picture) {
        for connection in self.seen.at(at).into_iter().filter_map(|index| self.connections.get(index)) {
            let count = ((connection.length - self.spacing * 5 / 2) / self.spacing + 1).min(MOST);
            for number in 0..count {
                let along = self.spacing * 3 / 2 + number * self.spacing;
                let part = (along * i64::from(ALL) / connection.length.max(1)) as i32;
                self.point(at, connection, part, looks, onto);
            }
        }
    }

    fn point(&self, at: Micros, connection: &Connection, part: i32, looks: &Looks, onto: &mut Picture) {
        let whole = connection.end - connection.start;
        let goes = connection.start + (i128::from(whole) * i128::from(part) / i128::from(ALL)) as i64;
        let comes = goes - self.preempt;
        let here = share(at, comes, self.fade);
        let opacity = seen(here).min(ease::gone(share(at, goes, self.fade)));
        if at < comes || opacity == 0 {
            return;
        }
        // It comes from a tenth of the way before.
        let here = out(here);
        let moved = (part - between(ALL / 10, 0, here)).max(0);
        let place = path::between(connection.from, connection.to, moved.into(), ALL.into());
        if let Some(dot) = &looks.follow_dot {
            onto.sprite_around(dot, place, opacity);
        } else if let Some(image) = looks.follow_point.at(at - comes, true) {
            let size = between(ALL / 2 * 3, ALL, here);
            onto.image(
                image,
                &Placement {
                    at: place,
                    anchor: image.middle(),
                    scale: (size, size),
                    angle: connection.angle,
                    tint: [255; 3],
                    opacity,
                    blend: Blend::Over,
                },
            );
        }
    }
}
