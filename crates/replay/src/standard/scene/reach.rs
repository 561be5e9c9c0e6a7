//! Which pixels of a slider's body are reached when, as it grows along its path.

use super::{
    body::{FINE, Frame, Look, span},
    path::{Place, between},
};
use crate::draw::{Plane, raster::distance};

/// When pixels are reached, by values of the planes: brightness, and both colours.
#[derive(Debug)]
pub(super) struct Reach {
    pub luma: Reached,
    pub chroma: Reached,
    /// How many steps there are.
    pub steps: u16,
}

#[derive(Debug)]
pub(super) struct Reached {
    /// By the body.
    pub outer: Vec<u16>,
    /// By the body within its border; [`NEVER`] for the border of the whole body.
    pub inner: Vec<u16>,
}

pub(super) const NEVER: u16 = u16::MAX;

/// How much is seen, 0 to 255, of what is reached at a step, after so many steps and 1/16 of one: its edge is four steps wide.
#[inline]
pub(super) fn ramp((steps, part): (u16, u16), reached: u16) -> u8 {
    // Beyond that everything is seen; so 16 bits hold all of it, and the loop is one of vectors.
    let beyond = steps.wrapping_add(3).saturating_sub(reached).min(6);
    (beyond << 4).wrapping_add(part).saturating_sub(16).wrapping_mul(4).min(255) as u8
}

impl Reach {
    /// Lets discs of both radii run along the path, a third of a pixel a step, and notes which pixels each reaches first.
    pub(super) fn new(corners: &[Place], look: &Look, frame: Frame, planes: &[Plane; 3]) -> Self {
        let length: i64 = corners
            .windows(2)
            .map(|pair| if let [from, to] = pair { i64::from(distance(*from, *to)) } else { 0 })
            .sum();
        let steps = (length * 3 / 256 + 1).min(i64::from(NEVER) - 5) as u16;
        let places = steps_along(corners, length, steps, frame);
        let outer = sweep(&places, (look.radius + 160) / FINE, frame);
        let inner = sweep(&places, (look.radius - look.border) / FINE, frame);
        let [luma, u, _] = planes;
        let rows = |of: &[u16]| luma.pack(of.chunks_exact(frame.width).map(<[u16]>::to_vec));
        let halved = |of: &[u16]| {
            let lines = of.chunks_exact(frame.width).step_by(2);
            u.pack(lines.map(|line| line.iter().step_by(2).copied().collect()))
        };
        Self {
            luma: Reached { outer: rows(&outer), inner: rows(&inner) },
            chroma: Reached { outer: halved(&outer), inner: halved(&inner) },
            steps,
        }
    }
}

/// Places at even steps along a path, in 1/16 pixel of a frame, both ends included.
fn steps_along(corners: &[Place], length: i64, steps: u16, frame: Frame) -> Vec<(i32, i32)> {
    let mut places = Vec::with_capacity(usize::from(steps) + 1);
    let (mut index, mut before) = (0, 0);
    let mut stretch = 0;
    for step in 0..=i64::from(steps) {
        let along = length * step / i64::from(steps.max(1));
        while let (Some(from), Some(to)) = (corners.get(index), corners.get(index + 1)) {
            stretch = i64::from(distance(*from, *to));
            if along <= before + stretch {
                break;
            }
            before += stretch;
            index += 1;
        }
        let place = match (corners.get(index), corners.get(index + 1)) {
            (Some(from), Some(to)) => between(*from, *to, along - before, stretch),
            (Some(only), None) => *only,
            _ => corners.last().copied().unwrap_or_default(),
        };
        places.push(frame.fine(place));
    }
    places
}

/// For each pixel the first of the places from which it is no farther away than a radius.
fn sweep(places: &[(i32, i32)], radius: i32, frame: Frame) -> Vec<u16> {
    let mut reached = vec![NEVER; frame.width * frame.height];
    let radius = radius.max(0);
    // Half of what a disc covers, by how far a row is from its middle.
    let halves: Vec<i32> = (0..=radius).map(|down| (radius * radius - down * down).isqrt()).collect();
    // What the disc covered in each row before.
    let mut before = vec![0..0; frame.height];
    for ((x, y), step) in places.iter().zip(0u16..) {
        for row in frame.rows(y.saturating_sub(radius), y.saturating_add(radius)) {
            let down = (row as i32 * FINE + FINE / 2 - y).unsigned_abs() as usize;
            let (Some(half), Some(before)) = (halves.get(down), before.get_mut(row)) else { continue };
            let columns = span(x - half, x + half, frame.width);
            let line = row * frame.width;
            let mut reach = |from: usize, to: usize| {
                for first in reached.get_mut(line + from..line + to.max(from)).unwrap_or_default() {
                    *first = (*first).min(step);
                }
            };
            if before.start >= before.end || columns.start >= before.end || columns.end <= before.start {
                reach(columns.start, columns.end);
            } else {
                reach(columns.start, before.start);
                reach(before.end, columns.end);
            }
            *before = columns;
        }
    }
    reached
}
