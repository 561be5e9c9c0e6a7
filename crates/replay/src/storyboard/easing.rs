//! The curves along which storyboards move: 35 of them, by their numbers in the files.
//!
//! Promises: tables are made once, and what is read from them is whole numbers. A number that is not known is a straight line.
//! The curves are those of osu!framework's `DefaultEasingFunction`.

use std::{f64::consts::PI, sync::LazyLock};

/// All of the way, and all of the time: 65,536.
pub const WHOLE: i64 = 1 << 16;

/// Values of a curve, from its beginning to its end.
const STEPS: usize = 1024;

/// What a table's step is, in parts of [`WHOLE`].
const STEP: i64 = WHOLE / STEPS as i64;

/// How many curves there are.
pub const CURVES: u8 = 35;

static TABLES: LazyLock<Vec<Vec<i32>>> = LazyLock::new(|| {
    let value = |curve: u8, step: usize| {
        // The ends are exact, whatever the curve's own numbers come to there.
        let way = match step {
            0 => 0.0,
            STEPS => 1.0,
            step => way(curve, step as f64 / STEPS as f64),
        };
        (way * WHOLE as f64).round() as i32
    };
    (0..CURVES).map(|curve| (0..=STEPS).map(|step| value(curve, step)).collect()).collect()
});

/// How far along its way something is, `time` of [`WHOLE`] after its beginning. Some curves swing beyond both ends.
#[must_use]
pub fn eased(curve: u8, time: i64) -> i64 {
    let time = time.clamp(0, WHOLE);
    if curve == 0 {
        return time;
    }
    let Some(table) = TABLES.get(usize::from(curve)) else { return time };
    let step = (time / STEP) as usize;
    let before = table.get(step).copied().map_or(0, i64::from);
    let after = table.get(step + 1).copied().map_or(before, i64::from);
    before + (after - before) * (time % STEP) / STEP
}

/// The curve itself: the share of the way at a share of the time.
fn way(curve: u8, t: f64) -> f64 {
    // Most come in threes: slow at first, slow at last, and the first half of the one followed by that of the other.
    let (shape, end): (fn(f64) -> f64, u8) = match curve {
        1 => (|t| t * t, 1),
        2 => (|t| t * t, 0),
        3..=5 => (|t| t * t, curve - 3),
        6..=8 => (|t| t * t * t, curve - 6),
        9..=11 => (|t| t * t * t * t, curve - 9),
        12..=14 => (|t| t * t * t * t * t, curve - 12),
        15..=17 => (|t| 1.0 - (t * PI / 2.0).cos(), curve - 15),
        18..=20 => (exponential, curve - 18),
        21..=23 => (|t| 1.0 - (1.0 - t * t).max(0.0).sqrt(), curve - 21),
        24 => (|t| elastic(t, 1.0, SWING), 0),
        25 => (|t| elastic(t, 1.0, SWING), 1),
        26 => (|t| elastic(t, 0.5, SWING), 1),
        27 => (|t| elastic(t, 0.25, SWING), 1),
        28 => (|t| elastic(t, 1.0, SWING * 1.5), 2),
        29 => (|t| back(t, BACK), 0),
        30 => (|t| back(t, BACK), 1),
        // Wider, so that half of it still swings as far.
        31 => (|t| back(t, BACK * 1.525), 2),
        32..=34 => (|t| 1.0 - bounce(1.0 - t), curve - 32),
        _ => return t,
    };
    match end {
        0 => shape(t),
        1 => 1.0 - shape(1.0 - t),
        _ if t < 0.5 => shape(t * 2.0) / 2.0,
        _ => 1.0 - shape(2.0 - t * 2.0) / 2.0,
    }
}

/// How far it swings back: a tenth of the way.
const BACK: f64 = 1.701_58;

/// One swing of the elastic curves, as a share of their time.
const SWING: f64 = 0.3;

fn exponential(t: f64) -> f64 {
    (10.0 * (t - 1.0)).exp2() + (t - 1.0) / 1024.0
}

/// A swing that grows towards the end: `pace` is how fast it swings, and `swing` the share of the time that one takes.
fn elastic(t: f64, pace: f64, swing: f64) -> f64 {
    let left = 1.0 - t;
    let swing = |left: f64| ((left * pace - swing / 4.0) * 2.0 * PI / swing).sin();
    // What the swing still has at the far end is taken away evenly.
    swing(1.0) / 1024.0 * left - (-10.0 * left).exp2() * swing(left)
}

fn back(t: f64, by: f64) -> f64 {
    t * t * ((by + 1.0) * t - by)
}

fn bounce(t: f64) -> f64 {
    const FIRST: f64 = 1.0 / 2.75;
    let arc = |middle: f64, height: f64| 7.5625 * (t - middle * FIRST).powi(2) + height;
    if t < FIRST {
        arc(0.0, 0.0)
    } else if t < 2.0 * FIRST {
        arc(1.5, 0.75)
    } else if t < 2.5 * FIRST {
        arc(2.25, 0.9375)
    } else {
        arc(2.625, 0.984_375)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_begins_and_ends_where_it_should() {
        for curve in 0..=CURVES {
            assert_eq!((eased(curve, 0), eased(curve, WHOLE)), (0, WHOLE), "{curve}");
            assert_eq!((eased(curve, -5), eased(curve, WHOLE + 5)), (0, WHOLE), "{curve}");
        }
    }

    #[test]
    fn curves_pass_where_their_formulas_say() {
        // Shares of the way after a quarter, half and three quarters of the time, in 1/10,000, worked out by hand.
        let expected: [(u8, [i64; 3]); 16] = [
            (0, [2500, 5000, 7500]),
            (1, [4375, 7500, 9375]),
            (2, [625, 2500, 5625]),
            (3, [625, 2500, 5625]),
            (4, [4375, 7500, 9375]),
            (5, [1250, 5000, 8750]),
            (7, [5781, 8750, 9844]),
            (9, [39, 625, 3164]),
            (14, [156, 5000, 9844]),
            (15, [761, 2929, 6173]),
            (18, [48, 308, 1765]),
            (21, [318, 1340, 3386]),
            (25, [9115, 10154, 10052]),
            (29, [-641, -877, 1826]),
            (32, [273, 2344, 5273]),
            (33, [4727, 7656, 9727]),
        ];
        for (curve, shares) in expected {
            let found = [WHOLE / 4, WHOLE / 2, WHOLE / 4 * 3]
                .map(|time| (eased(curve, time) * 10_000 + WHOLE / 2) >> 16);
            assert_eq!(found, shares, "{curve}");
        }
    }

    #[test]
    fn in_and_out_mirror_each_other() {
        for (one, other) in
            [(3, 4), (6, 7), (9, 10), (12, 13), (15, 16), (18, 19), (21, 22), (24, 25), (29, 30), (32, 33)]
        {
            for time in (0..=WHOLE).step_by(997) {
                let off = eased(one, time) + eased(other, WHOLE - time) - WHOLE;
                assert!(off.abs() <= 2, "{one} and {other} at {time}: {off}");
            }
        }
        for both in [5, 8, 11, 14, 17, 20, 23, 28, 31, 34] {
            assert!((eased(both, WHOLE / 2) - WHOLE / 2).abs() <= 1, "{both}");
        }
    }
}
