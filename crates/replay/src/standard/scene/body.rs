//! A slider's body: the distance of each pixel to its path, turned into colours once; and which of it is seen while the body grows
//! out of its head or shrinks behind its ball.
//!
//! Promises: whole numbers only; nothing beyond the picture is kept or looked at, however long the slider is. For a body that is
//! seen in part each pixel knows at which step along the path it is reached by the body, and by the body within its border: so a
//! part of any length is drawn as fast as the whole one, with its border around it, also where the path crosses itself.

use super::{
    path::{Path, Place},
    reach::{NEVER, Reach, ramp},
};
use crate::draw::{
    Picture, Plane, Rgb, Rule,
    raster::{between, distance_to_line},
    times, yuv,
};

/// How a body looks: from its middle outwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Outer edge of the border, from the path, in 1/256 pixel.
    pub radius: i32,
    /// How wide the border is, in 1/256 pixel.
    pub border: i32,
    /// Of the border.
    pub border_colour: Rgb,
    /// Beside the border.
    pub edge: Rgb,
    /// Along the path.
    pub middle: Rgb,
    /// Of what is within the border: 0 to 255.
    pub opacity: u8,
}

/// A body, ready to be drawn at its place.
#[derive(Debug)]
pub(super) struct Body {
    /// Its top left corner; even.
    at: (i32, i32),
    planes: [Plane; 3],
    /// What the border is, premultiplied, in each plane, and its opacity.
    border: [u8; 4],
    /// From the head on.
    forwards: Reach,
    /// From the end on.
    backwards: Reach,
}

/// Which part of a body is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of it.
    Whole,
    /// So much of its path from its head on: part, whole.
    FromHead(i64, i64),
    /// So much of its path from its end on.
    FromEnd(i64, i64),
}

/// Squares of distances are in 1/16 pixel.
pub(super) const FINE: i32 = 16;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    left: i32,
    top: i32,
    pub width: usize,
    pub height: usize,
}

impl Body {
    /// Makes a body for a picture of that size; `None` where it lies outside.
    pub(super) fn new(path: &Path, look: &Look, size: (u32, u32)) -> Option<Self> {
        let frame = Frame::around(path, look.radius, size)?;
        let squares = squares(path, look.radius, frame);
        let colours = Colours::new(look);
        let planes = colours.planes(&squares, frame);
        let reach = |corners: &[Place]| Reach::new(corners, look, frame, &planes);
        let forwards = reach(&path.corners);
        let reversed: Vec<Place> = path.corners.iter().rev().copied().collect();
        let backwards = reach(&reversed);
        let border = colours.border;
        Some(Self { at: (frame.left, frame.top), planes, border, forwards, backwards })
    }

    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let planes: usize = self.planes.iter().map(|plane| plane.packed().0.len() * 2).sum();
        let reach = |reach: &Reach| (reach.luma.outer.len() + reach.chroma.outer.len()) * 4;
        planes + reach(&self.forwards) + reach(&self.backwards)
    }

    /// Draws it.
    pub(super) fn draw(&self, seen: Seen, opacity: u8, onto: &mut Picture) {
        let width = onto.width as usize;
        let half = (self.at.0 / 2, self.at.1 / 2);
        let [luma, u, v] = &self.planes;
        let (reach, (part, whole)) = match seen {
            Seen::FromHead(part, whole) if part < whole => (&self.forwards, (part, whole)),
            Seen::FromEnd(part, whole) if part < whole => (&self.backwards, (part, whole)),
            _ => {
                luma.lay(&mut onto.y, width, self.at, opacity);
                u.lay(&mut onto.u, width / 2, half, opacity);
                v.lay(&mut onto.v, width / 2, half, opacity);
                return;
            }
        };
        // In 1/16 of a step.
        let steps = (i64::from(reach.steps) * 16 * part.max(0) / whole.max(1)) as u32;
        let steps = ((steps >> 4) as u16, (steps & 15) as u16);
        let [border_y, border_u, border_v, border_alpha] = self.border;
        for (plane, at, width, onto, reached, border) in [
            (luma, self.at, width, &mut onto.y, &reach.luma, border_y),
            (u, half, width / 2, &mut onto.u, &reach.chroma, border_u),
            (v, half, width / 2, &mut onto.v, &reach.chroma, border_v),
        ] {
            let (values, alpha) = plane.packed();
            plane.each(onto, width, at, |onto, range, _| {
                let (Some(values), Some(alpha)) = (values.get(range.clone()), alpha.get(range.clone()))
                else {
                    return;
                };
                let (Some(outer), Some(inner)) = (reached.outer.get(range.clone()), reached.inner.get(range))
                else {
                    return;
                };
                let pixels = onto.iter_mut().zip(values).zip(alpha).zip(outer).zip(inner);
                for ((((below, value), alpha), outer), inner) in pixels {
                    let covered = times(ramp(steps, *outer), opacity);
                    let filled = ramp(steps, *inner) | if *inner == NEVER { 255 } else { 0 };
                    let value = times(*value, filled).saturating_add(times(border, !filled));
                    let alpha = times(*alpha, filled).saturating_add(times(border_alpha, !filled));
                    *below = times(value, covered).saturating_add(times(*below, !times(alpha, covered)));
                }
            });
        }
    }
}

impl Frame {
    /// What of a picture a path of that radius can touch, brought to even places.
    fn around(path: &Path, radius: i32, size: (u32, u32)) -> Option<Self> {
        let mut range = (i32::MAX, i32::MAX, i32::MIN, i32::MIN);
        for (x, y) in &path.corners {
            range = (range.0.min(*x), range.1.min(*y), range.2.max(*x), range.3.max(*y));
        }
        let reach = radius + 256;
        let low = |edge: i32, most: u32| ((edge.saturating_sub(reach)) >> 8).clamp(0, most as i32) & !1;
        let high =
            |edge: i32, most: u32| (((edge.saturating_add(reach)) >> 8) + 2).clamp(0, most as i32) & !1;
        let (left, top) = (low(range.0, size.0), low(range.1, size.1));
        let (right, bottom) = (high(range.2, size.0), high(range.3, size.1));
        (left < right && top < bottom).then(|| Self {
            left,
            top,
            width: (right - left) as usize,
            height: (bottom - top) as usize,
        })
    }

    /// A place from its corner, in 1/16 pixel.
    pub(super) fn fine(&self, (x, y): Place) -> (i32, i32) {
        (((x - self.left * 256) + 8) >> 4, ((y - self.top * 256) + 8) >> 4)
    }

    /// The rows whose middles lie between two heights, in 1/16 pixel, ends included.
    pub(super) fn rows(&self, from: i32, to: i32) -> std::ops::Range<usize> {
        span(from, to, self.height)
    }
}

/// The pixels, up to `most`, whose middles lie between two places in 1/16 pixel, ends included.
pub(super) fn span(from: i32, to: i32, most: usize) -> std::ops::Range<usize> {
    let first = (from - FINE / 2 + FINE - 1).div_euclid(FINE).clamp(0, most as i32) as usize;
    let behind = ((to - FINE / 2).div_euclid(FINE) + 1).clamp(0, most as i32) as usize;
    first..behind.max(first)
}

/// Corners that make no difference are left out: those within 1/8 pixel of the line between others.
fn simplified(corners: &[Place]) -> Vec<Place> {
    let mut kept: Vec<Place> = Vec::new();
    let mut index = 0;
    while let Some(corner) = corners.get(index) {
        kept.push(*corner);
        let mut next = index + 1;
        while next + 1 < corners.len().min(index + 48) {
            let Some(target) = corners.get(next + 1) else { break };
            let between = corners.get(index + 1..=next).unwrap_or_default();
            let near = |place: &Place| distance_to_line(*place, *corner, *target) <= 32;
            if !between.iter().all(near) {
                break;
            }
            next += 1;
        }
        index = next;
    }
    kept
}

/// For each pixel the square of the distance from its middle to the path, in 1/16 pixel; `u32::MAX` beyond the radius.
fn squares(path: &Path, radius: i32, frame: Frame) -> Vec<u32> {
    let mut squares = vec![u32::MAX; frame.width * frame.height];
    // Half a pixel more, for the soft edge.
    let reach = radius / FINE + FINE;
    let corners: Vec<(i32, i32)> =
        simplified(&path.corners).into_iter().map(|corner| frame.fine(corner)).collect();
    for corner in &corners {
        disc(*corner, reach, frame, &mut squares);
    }
    for pair in corners.windows(2) {
        if let [from, to] = pair {
            stretch(*from, *to, reach, frame, &mut squares);
        }
    }
    squares
}

fn disc((x, y): (i32, i32), reach: i32, frame: Frame, squares: &mut [u32]) {
    for row in frame.rows(y.saturating_sub(reach), y.saturating_add(reach)) {
        let down = row as i32 * FINE + FINE / 2 - y;
        let half = (reach * reach - down * down).max(0).isqrt();
        let columns = span(x - half, x + half, frame.width);
        let mut right = columns.start as i32 * FINE + FINE / 2 - x;
        let line = row * frame.width;
        for square in squares.get_mut(line + columns.start..line + columns.end).unwrap_or_default() {
            *square = (*square).min((right * right + down * down) as u32);
            right += FINE;
        }
    }
}

/// What lies beside a straight line between its ends.
fn stretch(from: (i32, i32), to: (i32, i32), reach: i32, frame: Frame, squares: &mut [u32]) {
    let way = (i64::from(to.0) - i64::from(from.0), i64::from(to.1) - i64::from(from.1));
    // In 1/256, for the direction of short ones has to be right too; and one of length one, in 1/2^18.
    let length = ((((way.0 * way.0 + way.1 * way.1).unsigned_abs()) << 16).isqrt() as i64).max(1);
    let (right, down) = ((way.0 << 26) / length, (way.1 << 26) / length);
    let low = from.1.min(to.1).saturating_sub(reach);
    let high = from.1.max(to.1).saturating_add(reach);
    for row in frame.rows(low, high) {
        let y = i64::from(row as i32 * FINE + FINE / 2 - from.1);
        // x along the line: from its beginning to its end; x beside it: no farther away than `reach`. In 1/2^18.
        let mut range = (i64::from(from.0.min(to.0) - reach), i64::from(from.0.max(to.0) + reach));
        for (step, base, low, high) in [
            (right, y * down, 0, length << 10),
            (-down, y * right, -i64::from(reach) << 18, i64::from(reach) << 18),
        ] {
            let (low, high) = (low - base, high - base);
            let (low, high) = match step {
                0 if low <= 0 && high >= 0 => continue,
                0 => (1, 0),
                step if step > 0 => (low.div_euclid(step), high.div_euclid(step) + 1),
                step => (high.div_euclid(step), low.div_euclid(step) + 1),
            };
            range = (range.0.max(i64::from(from.0) + low), range.1.min(i64::from(from.0) + high));
        }
        let edge = |x: i64| x.clamp(-(1 << 24), 1 << 24) as i32;
        let columns = span(edge(range.0), edge(range.1), frame.width);
        if columns.is_empty() {
            continue;
        }
        let x = i64::from(columns.start as i32 * FINE + FINE / 2 - from.0);
        // Small: these are within the reach.
        let (mut beside, step) = ((y * right - x * down) as i32, (-down * i64::from(FINE)) as i32);
        let line = row * frame.width;
        for square in squares.get_mut(line + columns.start..line + columns.end).unwrap_or_default() {
            let away = (beside + (1 << 17)) >> 18;
            *square = (*square).min((away * away) as u32);
            beside = beside.wrapping_add(step);
        }
    }
}

/// Colours by squares of distances.
struct Colours {
    /// Squares are shifted right by this much.
    shift: u32,
    /// Brightness, differences, and opacity; premultiplied.
    table: Vec<[u8; 4]>,
    border: [u8; 4],
}

impl Colours {
    fn new(look: &Look) -> Self {
        let reach = (look.radius / FINE + FINE) as u32;
        let mut shift = 0;
        while (reach * reach) >> shift >= 8_192 {
            shift += 1;
        }
        let one = |rgb: Rgb, alpha: u8| {
            let [y, u, v] = yuv(rgb);
            [times(y, alpha), times(u, alpha), times(v, alpha), alpha]
        };
        let inside = look.radius - look.border;
        let colour = |index: u32| {
            // The middle of what falls together, in 1/256 pixel.
            let square = (u64::from(index) << shift) + (1 << shift >> 1);
            let away = (square * 256).isqrt() as i32;
            let outer = (128 - (away - look.radius)).clamp(0, 255) as u8;
            let inner = (128 - (away - inside)).clamp(0, 255) as u8;
            let fill = one(between(look.middle, look.edge, away, inside), look.opacity);
            let border = one(look.border_colour, 255);
            let mut mixed = [0; 4];
            for ((mixed, fill), border) in mixed.iter_mut().zip(fill).zip(border) {
                *mixed = times(times(fill, inner).saturating_add(times(border, 255 - inner)), outer);
            }
            mixed
        };
        let table = (0..=(reach * reach) >> shift).map(colour).collect();
        Self { shift, table, border: one(look.border_colour, 255) }
    }

    fn planes(&self, squares: &[u32], frame: Frame) -> [Plane; 3] {
        let mut planes = [Rule::Over; 3].map(Plane::new);
        let [luma, u, v] = &mut planes;
        let half = frame.width / 2;
        let mut sums = vec![[0u16; 3]; half];
        let (mut values, mut alphas) = (vec![0; frame.width], vec![0; frame.width]);
        let mut colours = [vec![0; half], vec![0; half], vec![0; half]];
        for (row, line) in squares.chunks_exact(frame.width).enumerate() {
            for (((square, value), alpha), column) in line.iter().zip(&mut values).zip(&mut alphas).zip(0..) {
                let found =
                    if *square == u32::MAX { None } else { self.table.get((square >> self.shift) as usize) };
                let [y, u, v, a] = found.copied().unwrap_or_default();
                (*value, *alpha) = (y, a);
                if let Some(sum) = sums.get_mut(column / 2) {
                    *sum = [sum[0] + u16::from(u), sum[1] + u16::from(v), sum[2] + u16::from(a)];
                }
            }
            luma.push(&values, &alphas);
            if row % 2 == 1 {
                let [us, vs, alphas] = &mut colours;
                for (((sum, u), v), a) in
                    sums.iter_mut().zip(us.iter_mut()).zip(vs.iter_mut()).zip(alphas.iter_mut())
                {
                    [*u, *v, *a] = sum.map(|sum| ((sum + 2) / 4) as u8);
                    *sum = [0; 3];
                }
                u.push(us, alphas);
                v.push(vs, alphas);
            }
        }
        planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        radius: 20 * 256,
        border: 3 * 256,
        border_colour: [255; 3],
        edge: [30, 40, 90],
        middle: [60, 80, 180],
        opacity: 200,
    };

    fn drawn(body: &Body, seen: Seen) -> Picture {
        let mut picture = Picture::new(200, 120);
        body.draw(seen, 255, &mut picture);
        picture
    }

    #[test]
    fn a_body_has_its_width_border_and_middle() {
        let path = Path::of(&[(50 * 256, 60 * 256), (150 * 256, 60 * 256)]);
        let body = Body::new(&path, &LOOK, (200, 120)).unwrap();
        let picture = drawn(&body, Seen::Whole);
        let column: Vec<u8> = picture.y.iter().skip(100).step_by(200).copied().collect();
        // Rows 40 to 79 lie within 20 pixels of 60; three of them are border on each side.
        assert_eq!((column[38], column[81]), (16, 16));
        assert!(column[40..43].iter().chain(&column[77..80]).all(|value| *value > 220), "{column:?}");
        assert!(column[45] < column[60] && column[60] < 100, "{column:?}");
        let row: Vec<u8> = picture.y.iter().skip(60 * 200).take(200).copied().collect();
        assert_eq!((row[28], row[171]), (16, 16));
        assert!(row[31] > 220 && row[168] > 220);
    }

    #[test]
    fn parts_grow_from_nothing_to_the_whole_from_both_ends() {
        let path = Path::of(&[
            (40 * 256, 40 * 256),
            (120 * 256, 40 * 256),
            (120 * 256, 80 * 256),
            (60 * 256, 50 * 256),
        ]);
        let body = Body::new(&path, &LOOK, (200, 120)).unwrap();
        let whole = drawn(&body, Seen::Whole);
        assert!(drawn(&body, Seen::FromHead(7, 7)) == whole);
        assert!(drawn(&body, Seen::FromEnd(7, 7)) == whole);
        let near = drawn(&body, Seen::FromHead(999, 1000));
        assert!(near.y.iter().zip(&whole.y).filter(|(one, other)| one != other).count() < 200);
        let light = |seen| drawn(&body, seen).y.iter().filter(|value| **value > 16).count();
        for of in [Seen::FromHead as fn(i64, i64) -> Seen, Seen::FromEnd] {
            let counts: Vec<usize> = (0..=10).map(|part| light(of(part, 10))).collect();
            assert!(counts.is_sorted(), "{counts:?}");
            // At least a disc, and far less than all of it.
            assert!(counts[0] > 1100 && counts[0] < 1500, "{counts:?}");
        }
    }

    #[test]
    fn a_part_has_its_border_in_front() {
        let path = Path::of(&[(50 * 256, 60 * 256), (150 * 256, 60 * 256)]);
        let body = Body::new(&path, &LOOK, (200, 120)).unwrap();
        let picture = drawn(&body, Seen::FromHead(1, 2));
        let row: Vec<u8> = picture.y.iter().skip(60 * 200).take(200).copied().collect();
        // The front is at 100: its border lies from 117 to 120.
        assert!(row[114] < 100 && row[118] > 200 && row[123] == 16, "{row:?}");
    }

    #[test]
    fn what_is_outside_or_endless_is_cut_off() {
        let far = Path::of(&[(-5_000_000, 0), (-4_000_000, 10)]);
        assert!(Body::new(&far, &LOOK, (200, 120)).is_none());
        let long = Path::of(&[(-20_000_000, -10_000_000), (20_000_000, 10_000_000), (-20_000_000, 300)]);
        let body = Body::new(&long, &LOOK, (200, 120)).unwrap();
        assert!(body.bytes() < 200 * 120 * 16);
        for part in 0..5 {
            drawn(&body, Seen::FromHead(part, 4));
            drawn(&body, Seen::FromEnd(part, 4));
        }
        let point = Path::of(&[(0, 0)]);
        drawn(&Body::new(&point, &LOOK, (200, 120)).unwrap(), Seen::FromHead(1, 2));
    }
}
