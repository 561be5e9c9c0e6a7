//! When stable judges a slider's parts: whole milliseconds.
//!
//! Stable adds up the time that each piece of a path takes, in single precision where it stores numbers, and cuts the fraction off.
//! Mapped to the beat, times are often whole but for that rounding, so that it decides about a millisecond. The steps here
//! reproduce it: they were found by the frames that stable writes into a replay whenever it judges a part.

use rosu_map::{
    section::{
        general::GameMode,
        hit_objects::{CurveBuffers, HitObjectKind, HitObjectSlider, PathControlPoint, PathType, SliderPath},
        timing_points::{DifficultyPoint, TimingPoint},
    },
    util::Pos,
};

use crate::standard::objects::{Field, Kind, Object, PartKind, Slider};

/// The whole milliseconds of a slider.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Times {
    /// When it ends.
    pub(super) end: i32,
    /// When its parts are judged, in their order, with the fraction: it is judged in this millisecond, and caught by whom has
    /// followed the slider before.
    pub(super) parts: Vec<f64>,
}

/// The times of all sliders, by the objects' index; others have none.
pub(super) fn times(field: &Field, map: &rosu_map::Beatmap, flipped: bool) -> Vec<Times> {
    let mut buffers = CurveBuffers::default();
    let of = |(object, written): (&Object, &rosu_map::section::hit_objects::HitObject)| match (
        &object.kind,
        &written.kind,
    ) {
        (Kind::Slider(slider), HitObjectKind::Slider(path)) => {
            let pieces = pieces(path, flipped, &mut buffers);
            times_of(object, slider, &pieces, velocity(map, written.start_time))
        }
        _ => Times::default(),
    };
    field.objects.iter().zip(&map.hit_objects).map(of).collect()
}

/// The corners of a path as stable makes them, where they are on the field.
fn corners(slider: &HitObjectSlider, flipped: bool, buffers: &mut CurveBuffers) -> Vec<Pos> {
    let place = |point: &PathControlPoint| {
        let (x, y) = (slider.pos.x + point.pos.x, slider.pos.y + point.pos.y);
        PathControlPoint {
            pos: Pos { x, y: if flipped { 384.0 - y } else { y } },
            path_type: point.path_type,
        }
    };
    let points: Vec<_> = slider.path.control_points().iter().map(place).collect();
    if let [first, second, third] = points.as_slice()
        && first.path_type == Some(PathType::PERFECT_CURVE)
        && let Some(corners) = arc(first.pos, second.pos, third.pos)
    {
        return corners;
    }
    SliderPath::new(GameMode::Osu, points, None).borrowed_curve(buffers).path().to_vec()
}

/// A piece of a circle: a corner every eight osu! pixels.
fn arc(first: Pos, second: Pos, third: Pos) -> Option<Vec<Pos>> {
    const LONGEST: f64 = 1e5;
    let [a, b, c] = [first, second, third].map(|corner| (f64::from(corner.x), f64::from(corner.y)));
    let twice = 2.0 * (a.0 * (b.1 - c.1) + b.0 * (c.1 - a.1) + c.0 * (a.1 - b.1));
    let [aa, bb, cc] = [a, b, c].map(|(x, y)| x * x + y * y);
    let middle = Pos {
        x: ((aa * (b.1 - c.1) + bb * (c.1 - a.1) + cc * (a.1 - b.1)) / twice) as f32,
        y: ((aa * (c.0 - b.0) + bb * (a.0 - c.0) + cc * (b.0 - a.0)) / twice) as f32,
    };
    let radius = f64::from(distance(middle, first));
    let angle = |corner: Pos| f64::from(corner.y - middle.y).atan2(f64::from(corner.x - middle.x));
    let turn = f64::from(std::f32::consts::TAU);
    let (from, mut over, mut to) = (angle(first), angle(second), angle(third));
    if over < from {
        over += turn;
    }
    if to < from {
        to += turn;
    }
    if over > to {
        to -= turn;
    }
    let length = ((to - from) * radius).abs();
    if length.is_nan() || length >= LONGEST {
        return None;
    }
    let pieces = (length * 0.125) as u32;
    let mut corners = vec![first];
    for piece in 1..pieces {
        let share = f64::from(piece) / f64::from(pieces);
        let (sin, cos) = (to * share + from * (1.0 - share)).sin_cos();
        corners.push(Pos { x: middle.x + (cos * radius) as f32, y: middle.y + (sin * radius) as f32 });
    }
    corners.push(third);
    Some(corners)
}

/// The lengths of a path's pieces as stable stores them, cut or extended to what the map says.
fn pieces(slider: &HitObjectSlider, flipped: bool, buffers: &mut CurveBuffers) -> Vec<f32> {
    let mut corners = corners(slider, flipped, buffers);
    let length_of = |pair: &[Pos]| if let [one, other] = pair { distance(*one, *other) } else { 0.0 };
    let mut lengths: Vec<f32> = corners.windows(2).map(length_of).collect();
    let Some(wanted) = slider.path.expected_dist() else { return lengths };
    let mut excess = lengths.iter().map(|length| f64::from(*length)).sum::<f64>() - wanted;
    while let (Some(last), Some(&[from, to])) = (lengths.last_mut(), corners.last_chunk::<2>()) {
        if f64::from(*last) > excess + 1e-4 {
            let length = *last - excess as f32;
            let (x, y) = ((to.x - from.x) / *last, (to.y - from.y) / *last);
            *last = distance(from, Pos { x: from.x + x * length, y: from.y + y * length });
            break;
        }
        excess -= f64::from(*last);
        lengths.pop();
        corners.pop();
    }
    lengths.retain(|length| length.is_finite());
    lengths
}

fn distance(one: Pos, other: Pos) -> f32 {
    let (x, y) = (f64::from(other.x - one.x), f64::from(other.y - one.y));
    (x * x + y * y).sqrt() as f32
}

/// How fast a slider is, in osu! pixels a second, and how far apart its ticks are.
fn velocity(map: &rosu_map::Beatmap, at: f64) -> (f64, f64) {
    let points = &map.control_points;
    let beat = points.timing_point_at(at).map_or(TimingPoint::DEFAULT_BEAT_LEN, |point| point.beat_len);
    let faster = points
        .difficulty_point_at(at)
        .map_or(DifficultyPoint::DEFAULT_SLIDER_VELOCITY, |point| point.slider_velocity);
    let slower = f64::from((100.0 / faster) as f32).clamp(10.0, 1000.0) / 100.0;
    let between = 100.0 * map.slider_multiplier / map.slider_tick_rate;
    let velocity = between * map.slider_tick_rate * (1000.0 / (beat * slower));
    (velocity, if map.format_version < 8 { between } else { between / slower })
}

fn times_of(object: &Object, slider: &Slider, pieces: &[f32], (velocity, between): (f64, f64)) -> Times {
    let start = object.start.floor();
    let whole = |time: f64| time.floor() as i32;
    let mut parts = Vec::with_capacity(slider.parts.len());
    let mut written = slider.parts.iter().peekable();
    // Time and length along the way, and the length since the last tick.
    let (mut now, mut along, mut since) = (start, 0.0_f64, 0.0_f64);
    for span in 0..slider.spans {
        let forth = span % 2 == 0;
        let mut step = |piece: &f32| {
            let piece = f64::from(*piece);
            now += 1000.0 * piece / velocity;
            since += piece;
            while since >= between
                && written.next_if(|part| part.span == span && part.kind == PartKind::Tick).is_some()
            {
                since -= between;
                along += between;
                parts.push(start + f64::from(along as f32) / velocity * 1000.0);
            }
        };
        if forth {
            pieces.iter().for_each(&mut step);
        } else {
            pieces.iter().rev().for_each(&mut step);
        }
        // What rounding kept from being reached.
        while let Some(part) = written.next_if(|part| part.span == span && part.kind == PartKind::Tick) {
            parts.push(part.at);
        }
        written.next();
        along += since;
        if since >= between {
            since = 0.0;
        } else {
            along -= between - since;
            since = between - since;
        }
        parts.push(now);
    }
    let end = whole(now);
    if let Some(tail) = parts.last_mut() {
        *tail = (start + f64::from((end - whole(start)) / 2)).max(now - 36.0);
    }
    Times { end, parts }
}
