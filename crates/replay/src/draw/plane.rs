//! One plane of a sprite: the runs of its rows that are seen, packed, and how they go over a plane of a picture.
//!
//! Promises: what is transparent costs neither memory nor time, what is opaque is copied; a plane may lie anywhere, also outside
//! the picture. The loops are plain ones over slices of equal length, which the compiler turns into vector instructions.

use std::ops::Range;

use super::picture::times;

/// Opaque runs shorter than this are blended with their neighbours: a copy of few bytes gains nothing.
const SHORT_COPY: usize = 16;
/// Gaps shorter than this are blended over: a run of its own costs more.
const SHORT_GAP: usize = 6;

/// What a plane does to the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Values are premultiplied; what is there shines through by what alpha leaves.
    Over,
    /// Brightness is added, up to 235.
    AddLight,
    /// Colour differences, stored around 128, are added, from 16 to 240.
    AddColour,
}

/// A run of a row.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Its first column.
    from: u32,
    length: u32,
    /// Where its values are.
    at: usize,
    opaque: bool,
}

/// A plane.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    rule: Rule,
    /// Where each row's runs begin, and where the last one's end.
    rows: Vec<usize>,
    runs: Vec<Run>,
    values: Vec<u8>,
    /// As long as the values; empty where light is added.
    alpha: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Partly,
    Fully,
}

impl Plane {
    /// A plane without rows.
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, rows: vec![0], runs: Vec::new(), values: Vec::new(), alpha: Vec::new() }
    }

    /// Appends a row: its values and alphas, from its first column on. Alphas are read for [`Rule::Over`] alone.
    pub(crate) fn push(&mut self, values: &[u8], alpha: &[u8]) {
        let seen = |column: usize| match self.rule {
            Rule::Over => match alpha.get(column) {
                Some(0) | None => Seen::Not,
                Some(255) => Seen::Fully,
                Some(_) => Seen::Partly,
            },
            Rule::AddLight if values.get(column) == Some(&0) => Seen::Not,
            Rule::AddColour if values.get(column) == Some(&128) => Seen::Not,
            Rule::AddLight | Rule::AddColour => Seen::Partly,
        };
        // Stretches of one kind, then those that are too short to be treated by themselves join their neighbours.
        let mut stretches: Vec<(Seen, usize)> = Vec::new();
        for column in 0..values.len() {
            match (stretches.last_mut(), seen(column)) {
                (Some((last, length)), kind) if *last == kind => *length += 1,
                (_, kind) => stretches.push((kind, 1)),
            }
        }
        let count = stretches.len();
        for (index, (kind, length)) in stretches.iter_mut().enumerate() {
            let short_gap = *kind == Seen::Not && *length < SHORT_GAP && index > 0 && index + 1 < count;
            if short_gap || (*kind == Seen::Fully && *length < SHORT_COPY) {
                *kind = Seen::Partly;
            }
        }
        let mut column = 0;
        let mut open: Option<(Seen, usize)> = None;
        for (kind, length) in stretches.into_iter().chain([(Seen::Not, 0)]) {
            if open.is_some_and(|(open, _)| open != kind)
                && let Some((kind, from)) = open.take()
            {
                self.close(kind, from, values.get(from..column).unwrap_or_default(), alpha);
            }
            if kind != Seen::Not && open.is_none() {
                open = Some((kind, column));
            }
            column += length;
        }
        self.rows.push(self.runs.len());
    }

    fn close(&mut self, kind: Seen, from: usize, values: &[u8], alpha: &[u8]) {
        let at = self.values.len();
        self.values.extend_from_slice(values);
        if self.rule == Rule::Over {
            self.alpha.extend_from_slice(alpha.get(from..from + values.len()).unwrap_or_default());
        }
        let run = Run { from: from as u32, length: values.len() as u32, at, opaque: kind == Seen::Fully };
        self.runs.push(run);
    }

    /// Lays it over a plane of a picture with its first value at a place.
    pub(crate) fn lay(&self, onto: &mut [u8], width: usize, at: (i32, i32), opacity: u8) {
        if opacity == 0 {
            return;
        }
        self.each(onto, width, at, |onto, range, opaque| {
            let Some(values) = self.values.get(range.clone()) else { return };
            match self.rule {
                Rule::AddLight => add_light(onto, values, opacity),
                Rule::AddColour => add_colour(onto, values, opacity),
                Rule::Over if opaque && opacity == 255 => onto.copy_from_slice(values),
                Rule::Over => {
                    let Some(alpha) = self.alpha.get(range) else { return };
                    if opacity == 255 {
                        over(onto, values, alpha);
                    } else {
                        over_faded(onto, values, alpha, opacity);
                    }
                }
            }
        });
    }

    /// Visits the runs that lie on a picture's plane: what they lie on, which of the values they are, and whether they are opaque.
    pub(crate) fn each(
        &self,
        onto: &mut [u8],
        width: usize,
        at: (i32, i32),
        mut visit: impl FnMut(&mut [u8], Range<usize>, bool),
    ) {
        if width == 0 {
            return;
        }
        let height = onto.len() / width;
        let top = i64::from(at.1);
        let first = (-top).clamp(0, self.rows.len() as i64 - 1) as usize;
        let last = (height as i64 - top).clamp(first as i64, self.rows.len() as i64 - 1) as usize;
        let Some(bounds) = self.rows.get(first..=last) else { return };
        let lines = onto.chunks_exact_mut(width).skip((top + first as i64).max(0) as usize);
        for (bound, line) in bounds.windows(2).zip(lines) {
            let &[from, to] = bound else { continue };
            for run in self.runs.get(from..to).unwrap_or_default() {
                let left = i64::from(at.0) + i64::from(run.from);
                let from = left.max(0);
                let to = (left + i64::from(run.length)).min(width as i64);
                if from < to
                    && let Some(onto) = line.get_mut(from as usize..to as usize)
                {
                    let start = run.at + (from - left) as usize;
                    visit(onto, start..start + onto.len(), run.opaque);
                }
            }
        }
    }

    /// Its values, and their alphas, run by run.
    pub(crate) fn packed(&self) -> (&[u8], &[u8]) {
        (&self.values, &self.alpha)
    }

    /// Those of what it would be asked for row by row that belong to its values.
    pub(crate) fn pack<T: Copy>(&self, rows: impl Iterator<Item = Vec<T>>) -> Vec<T> {
        let mut packed = Vec::with_capacity(self.values.len());
        for (bound, row) in self.rows.windows(2).zip(rows) {
            let &[from, to] = bound else { continue };
            for run in self.runs.get(from..to).unwrap_or_default() {
                let range = run.from as usize..(run.from + run.length) as usize;
                packed.extend_from_slice(row.get(range).unwrap_or_default());
            }
        }
        packed
    }
}

fn over(onto: &mut [u8], values: &[u8], alpha: &[u8]) {
    for ((below, value), alpha) in onto.iter_mut().zip(values).zip(alpha) {
        *below = value.saturating_add(times(*below, !alpha));
    }
}

fn over_faded(onto: &mut [u8], values: &[u8], alpha: &[u8], opacity: u8) {
    for ((below, value), alpha) in onto.iter_mut().zip(values).zip(alpha) {
        *below = times(*value, opacity).saturating_add(times(*below, !times(*alpha, opacity)));
    }
}

/// One value over all of a stretch.
pub(super) fn over_even(onto: &mut [u8], value: u8, alpha: u8) {
    if alpha == 255 {
        onto.fill(value);
        return;
    }
    let value = u16::from(value) * u16::from(alpha) + 128;
    for below in onto {
        let product = u16::from(*below).wrapping_mul(u16::from(255 - alpha)).wrapping_add(value);
        *below = (product.wrapping_add(product >> 8) >> 8) as u8;
    }
}

fn add_light(onto: &mut [u8], values: &[u8], opacity: u8) {
    for (below, value) in onto.iter_mut().zip(values) {
        // What is brighter already stays as it is.
        *below = (*below).max(below.saturating_add(times(*value, opacity)).min(235));
    }
}

fn add_colour(onto: &mut [u8], values: &[u8], opacity: u8) {
    // 0 to 256, so that a shift divides.
    let opacity = i16::from(opacity) + i16::from(opacity >> 7);
    for (below, value) in onto.iter_mut().zip(values) {
        let more = (i16::from(*value) - 128).wrapping_mul(opacity).wrapping_add(128) >> 8;
        *below = i16::from(*below).wrapping_add(more).clamp(16, 240) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_follows_its_table() {
        // What is there, premultiplied value, alpha, opacity, what comes out.
        let table = [
            (16, 235, 255, 255, 235),
            (16, 0, 0, 255, 16),
            (200, 0, 0, 17, 200),
            (100, 64, 128, 255, 114),
            (255, 128, 128, 255, 255),
            (100, 200, 255, 128, 150),
            (16, 235, 255, 0, 16),
        ];
        for (below, value, alpha, opacity, wanted) in table {
            let mut plane = Plane::new(Rule::Over);
            plane.push(&[value], &[alpha]);
            let mut onto = [below];
            plane.lay(&mut onto, 1, (0, 0), opacity);
            assert_eq!(onto[0], wanted, "{below} {value} {alpha} {opacity}");
        }
    }

    #[test]
    fn added_light_ends_at_white() {
        let table = [(16, 100, 255, 116), (200, 100, 255, 235), (16, 100, 128, 66), (240, 10, 255, 240)];
        for (below, value, opacity, wanted) in table {
            let mut onto = [below];
            add_light(&mut onto, &[value], opacity);
            assert_eq!(onto[0], wanted);
        }
        let table = [(128, 138, 255, 138), (128, 118, 255, 118), (30, 0, 255, 16), (200, 255, 255, 240)];
        for (below, value, opacity, wanted) in table {
            let mut onto = [below];
            add_colour(&mut onto, &[value], opacity);
            assert_eq!(onto[0], wanted);
        }
    }

    #[test]
    fn runs_leave_out_what_is_clear_and_copy_what_is_solid() {
        let mut alpha = vec![0; 20];
        alpha.extend([128; 3]);
        alpha.extend([255; 40]);
        alpha.extend([0; 2]);
        alpha.extend([9; 5]);
        alpha.extend([0; 30]);
        let values: Vec<u8> = (0..alpha.len()).map(|value| value as u8).collect();
        let mut plane = Plane::new(Rule::Over);
        plane.push(&values, &alpha);
        let runs: Vec<_> = plane.runs.iter().map(|run| (run.from, run.length, run.opaque)).collect();
        assert_eq!(runs, [(20, 3, false), (23, 40, true), (63, 7, false)]);
        assert_eq!(plane.values, &values[20..70]);
        assert_eq!(plane.alpha, &alpha[20..70]);
    }
}
