//! When stable judges a slider's parts: whole milliseconds.
//!
//! Stable adds up the time that each piece of a path takes, in single precision where it stores numbers, and cuts the fraction off.
//! Mapped to the beat, times are often whole but for that rounding, so that it decides about a millisecond. The steps here
//! reproduce it: they were found by the frames that stable writes into a replay whenever it judges a part.

use rosu_map::{
    section::{
        general::GameMode,
        hit_objects::{CurveBuffers, HitObjectKind, HitObjectSlider, PathControlPoint, SliderPath},
    },
    util::Pos,
};

use crate::standard::objects::{Field, Kind, Object, PartKind, Slider};

/// The whole milliseconds of a slider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// When it ends.
    pub end: i32,
    /// When its parts are judged, in their order.
    pub parts: Vec<i32>,
}

/// The times of all sliders, by the objects' index; others have none.
pub fn times(field: &Field, map: &rosu_map::Beatmap, flipped: bool) -> Vec<Times> {
    let mut buffers = CurveBuffers::default();
    let of = |(object, written): (&Object, &rosu_map::section::hit_objects::HitObject)| match (&object.kind, &written.kind) {
        (Kind::Slider(slider), HitObjectKind::Slider(path)) => {
            let pieces = pieces(path, flipped, &mut buffers);
            times_of(object, slider, &pieces)
        }
        _ => Times::default(),
    };
    field.objects.iter().zip(&map.hit_objects).map(of).collect()
}

/// The lengths of a path's pieces as stable stores them, cut or extended to what the map says.
fn pieces(slider: &HitObjectSlider, flipped: bool, buffers: &mut CurveBuffers) -> Vec<f32> {
    let place = |point: &PathControlPoint| {
        let (x, y) = (slider.pos.x + point.pos.x, slider.pos.y + point.pos.y);
        PathControlPoint { pos: Pos { x, y: if flipped { 384.0 - y } else { y } }, path_type: point.path_type }
    };
    let points = slider.path.control_points().iter().map(place).collect();
    let whole = SliderPath::new(GameMode::Osu, points, None);
    let curve = whole.borrowed_curve(buffers);
    let mut corners = curve.path().to_vec();
    let mut lengths: Vec<f32> =
        corners.windows(2).map(|pair| if let [one, other] = pair { distance(*one, *other) } else { 0.0 }).collect();
    let Some(wanted) = slider.path.expected_dist() else { return lengths };
    let mut excess = lengths.iter().map(|length| f64::from(*length)).sum::<f64>() - wanted;
    while let Some(last) = lengths.last_mut() {
        let end = corners.len() - 1;
        if f64::from(*last) > excess + 1e-4 {
            if let Some([from, to]) = corners.get(end - 1..).and_then(|pair| <[Pos; 2]>::try_from(pair).ok())
                && *last > 0.0
            {
                let length = *last - excess as f32;
                let (x, y) = ((to.x - from.x) / *last, (to.y - from.y) / *last);
                *last = distance(from, Pos { x: from.x + x * length, y: from.y + y * length });
            }
            break;
        }
        excess -= f64::from(*last);
        lengths.pop();
        corners.pop();
    }
    lengths
}

fn distance(one: Pos, other: Pos) -> f32 {
    let (x, y) = (f64::from(other.x - one.x), f64::from(other.y - one.y));
    (x * x + y * y).sqrt() as f32
}

fn times_of(object: &Object, slider: &Slider, pieces: &[f32]) -> Times {
    let start = object.start.floor();
    let velocity = slider.length / slider.span_duration;
    let mut now = start;
    let mut turns = Vec::new();
    for span in 0..slider.spans {
        let step = |now: &mut f64, piece: &f32| {
            let took = 1000.0 * f64::from(*piece) / (velocity * 1000.0);
            *now += if took.is_finite() { took } else { 0.0 };
        };
        if span % 2 == 0 {
            pieces.iter().for_each(|piece| step(&mut now, piece));
        } else {
            pieces.iter().rev().for_each(|piece| step(&mut now, piece));
        }
        turns.push(now.floor() as i32);
    }
    let end = now.floor() as i32;
    let parts = slider
        .parts
        .iter()
        .map(|part| match part.kind {
            PartKind::Tick => part.at.floor() as i32,
            PartKind::Repeat => turns.get(part.span as usize).copied().unwrap_or(end),
            PartKind::Tail => {
                let start = start as i32;
                (start + (end - start) / 2).max(end - 36)
            }
        })
        .collect();
    Times { end, parts }
}
