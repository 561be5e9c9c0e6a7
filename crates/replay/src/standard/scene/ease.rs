//! How far something is, and what that makes of it: shares of 65,536 in whole numbers.

use crate::time::Micros;

/// All of it.
pub(super) const ALL: i32 = 65_536;

/// How far a moment lies into what begins at `from` and lasts `length`.
pub(super) fn share(at: Micros, from: Micros, length: Micros) -> i32 {
    let since = i128::from(at) - i128::from(from);
    (since.max(0) * i128::from(ALL) / i128::from(length.max(1))).min(i128::from(ALL)) as i32
}

/// Fast at first, then slower.
pub(super) fn out(share: i32) -> i32 {
    let left = i64::from(ALL - share);
    ALL - ((left * left) >> 16) as i32
}

/// What lies that far between two values.
pub(super) fn between(from: i32, to: i32, share: i32) -> i32 {
    from + (((i64::from(to) - i64::from(from)) * i64::from(share)) >> 16) as i32
}

/// As an opacity.
pub(super) fn seen(share: i32) -> u8 {
    ((share.clamp(0, ALL) * 255) >> 16) as u8
}

/// As an opacity, of what goes.
pub(super) fn gone(share: i32) -> u8 {
    255 - seen(share)
}

/// So many milliseconds.
pub(super) const fn ms(milliseconds: i64) -> Micros {
    milliseconds * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_begin_with_nothing_and_end_with_all() {
        assert_eq!([-5, 0, 5, 10, 99].map(|at| share(at, 0, 10)), [0, 0, 32_768, ALL, ALL]);
        assert_eq!([0, 32_768, ALL].map(out), [0, 49_152, ALL]);
        assert_eq!([0, 32_768, ALL].map(|share| between(-10, 10, share)), [-10, 0, 10]);
        assert_eq!([0, 32_768, ALL].map(seen), [0, 127, 255]);
        assert_eq!(share(i64::MAX, i64::MIN, 0), ALL);
    }
}
