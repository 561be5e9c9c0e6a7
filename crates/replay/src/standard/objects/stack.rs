//! Stacking: objects at one place and close in time are moved so that all can be seen.
//!
//! The rule is the game's, as `OsuBeatmapProcessor` of osu!lazer has it; maps of versions below 6 follow an older one. Objects
//! that lie thick at one time cost their number squared: what would take too long is refused.

use super::{Kind, Object, Point};
use crate::error::ReplayError;

/// Objects closer than this, in osu! pixels, are at one place.
const CLOSE: f32 = 3.0;
/// Pairs that are looked at, at most.
const MOST_PAIRS: usize = 100_000_000;

fn close(one: Point, other: Point) -> bool {
    let (x, y) = (one.x - other.x, one.y - other.y);
    (x * x + y * y).sqrt() < CLOSE
}

/// Where it ends, unstacked: a slider with an odd number of spans at its path's end.
fn ends_at(object: &Object) -> Point {
    match &object.kind {
        Kind::Slider(slider) if slider.spans % 2 == 1 => slider.path.last().copied().unwrap_or(object.at),
        _ => object.at,
    }
}

fn is_spinner(object: &Object) -> bool {
    matches!(object.kind, Kind::Spinner)
}

fn is_slider(object: &Object) -> bool {
    matches!(object.kind, Kind::Slider(_))
}

/// Gives the objects, in order of time, their heights. `threshold` is how far apart they may be, in milliseconds.
pub(super) fn stack(objects: &mut [Object], threshold: f32, old: bool) -> Result<(), ReplayError> {
    let threshold = if threshold.is_finite() { f64::from(threshold) } else { 0.0 };
    let ends: Vec<Point> = objects.iter().map(ends_at).collect();
    let mut pairs = MOST_PAIRS;
    let done = if old {
        older(objects, threshold, &mut pairs)
    } else {
        newer(objects, &ends, threshold, &mut pairs)
    };
    done.ok_or_else(|| ReplayError::MapCorrupt {
        reason: "too many of its objects are at the same time".to_owned(),
    })
}

/// One more pair is looked at; nothing where there were too many.
fn count(pairs: &mut usize) -> Option<()> {
    *pairs = pairs.checked_sub(1)?;
    Some(())
}

fn newer(objects: &mut [Object], ends: &[Point], threshold: f64, pairs: &mut usize) -> Option<()> {
    for last in (1..objects.len()).rev() {
        let mut top = last;
        if objects.get(top).is_none_or(|object| object.stack != 0 || is_spinner(object)) {
            continue;
        }
        if is_slider(objects.get(top)?) {
            // Below a slider things always rise.
            for index in (0..last).rev() {
                count(pairs)?;
                let (below, above) = (objects.get(index)?, objects.get(top)?);
                if is_spinner(below) {
                    continue;
                }
                if above.start - below.start > threshold {
                    break;
                }
                if close(*ends.get(index)?, above.at) {
                    let height = above.stack.saturating_add(1);
                    objects.get_mut(index)?.stack = height;
                    top = index;
                }
            }
            continue;
        }
        for index in (0..last).rev() {
            count(pairs)?;
            let (below, above) = (objects.get(index)?, objects.get(top)?);
            if is_spinner(below) {
                continue;
            }
            if above.start.trunc() - below.end.trunc() > threshold {
                break;
            }
            let end = *ends.get(index)?;
            if is_slider(below) && close(end, above.at) {
                // Circles on a slider's end go down instead, and the slider stays.
                let by = above.stack.saturating_sub(below.stack).saturating_add(1);
                for object in objects.get_mut(index + 1..=last)? {
                    count(pairs)?;
                    if close(end, object.at) {
                        object.stack = object.stack.saturating_sub(by);
                    }
                }
                break;
            }
            if close(below.at, above.at) {
                let height = above.stack.saturating_add(1);
                objects.get_mut(index)?.stack = height;
                top = index;
            }
        }
    }
    Some(())
}

fn older(objects: &mut [Object], threshold: f64, pairs: &mut usize) -> Option<()> {
    for index in 0..objects.len() {
        let object = objects.get(index)?;
        if object.stack != 0 && !is_slider(object) {
            continue;
        }
        let (at, mut until) = (object.at, object.end);
        let far = match &object.kind {
            Kind::Slider(slider) => slider.path.last().copied().unwrap_or(at),
            _ => at,
        };
        let (mut height, mut under) = (object.stack, 0_i32);
        for later in objects.get_mut(index + 1..)? {
            count(pairs)?;
            if later.start - threshold > until {
                break;
            }
            if close(later.at, at) {
                height = height.saturating_add(1);
                until = later.start;
            } else if close(later.at, far) {
                under = under.saturating_add(1);
                later.stack = later.stack.saturating_sub(under);
                until = later.start;
            }
        }
        objects.get_mut(index)?.stack = height;
    }
    Some(())
}
