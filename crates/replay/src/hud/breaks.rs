//! Breaks: how many seconds they still last, and whether the part before was passed. The bar that shrinks is the scene's.

use super::{
    kit::{ALARM, GOOD, Kit, Stamp, WHITE, fainter, share},
    life::Course,
    names::own_line,
    numbers::{Font, Side},
    timeline::Now,
};
use crate::{
    draw::Picture,
    time::{Micros, micros},
};

/// How long a break's signs come and go, in microseconds of the video.
const FADE: i64 = 300_000;
/// How long the sign of a passed or failed part is seen, in microseconds of the video.
const SIGN: i64 = 1_400_000;
/// Shorter breaks have no such sign, in microseconds of the video.
const LEAST_FOR_SIGN: i64 = 2_880_000;
/// Life from here on is a part passed, in millionths: half of it, as in the game.
const PASSED: u32 = 500_000;

/// The breaks of a map.
pub(super) struct Breaks {
    breaks: Vec<Break>,
    font: Font,
    passed: Stamp,
    failed: Stamp,
    centre: (i32, i32),
    gap: i32,
}

struct Break {
    from: Micros,
    to: Micros,
    passed: bool,
}

impl Breaks {
    pub(super) fn new(kit: &Kit<'_>) -> Self {
        let life = Course::new(kit);
        let breaks = kit.stage.map.map.breaks.iter().map(|rest| {
            let (from, to) = (micros(rest.start_time), micros(rest.end_time));
            Break { from, to, passed: life.at(from + (to - from) / 2) >= PASSED }
        });
        let mut breaks: Vec<Break> = breaks.filter(|rest| rest.from < rest.to).collect();
        breaks.sort_by_key(|rest| rest.from);
        let sign = |element: &str, text: &str, colour| match kit.element(element, 100) {
            Some(image) => Stamp::plain(&image),
            None => {
                let (image, height) = own_line(text, kit.px(20), colour);
                Stamp::shaded(&image, height)
            }
        };
        Self {
            breaks,
            font: Font::own("0123456789", kit.px(44), WHITE, true),
            passed: sign("section-pass", "SECTION PASSED", GOOD),
            failed: sign("section-fail", "SECTION FAILED", ALARM),
            centre: (kit.width / 2, kit.height * 9 / 20),
            gap: kit.px(14),
        }
    }

    /// Seconds that a break still lasts at a moment, begun ones counted whole.
    pub(super) fn seconds_left(&self, now: &Now<'_>) -> Option<i64> {
        let rest = self.at(now.at)?;
        Some((999_999 - now.since(rest.to)) / 1_000_000)
    }

    fn at(&self, at: Micros) -> Option<&Break> {
        let begun = self.breaks.partition_point(|rest| rest.from <= at);
        self.breaks.get(begun.checked_sub(1)?).filter(|rest| at < rest.to)
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let (Some(rest), Some(seconds)) = (self.at(now.at), self.seconds_left(now)) else { return };
        let (passed, left) = (now.since(rest.from), -now.since(rest.to));
        let whole = (passed + left).max(1);
        let opacity = fainter(now.opacity, share(passed, 0, FADE).min(share(left, 0, FADE)));
        let (x, y) = self.centre;
        self.font.write(onto, &seconds.to_string(), (x, y - self.font.height / 2), Side::Middle, opacity, 0);
        let since = passed - whole / 2;
        if whole >= LEAST_FOR_SIGN && (0..SIGN).contains(&since) {
            let sign = if rest.passed { &self.passed } else { &self.failed };
            let opacity = fainter(opacity, share(since, 0, FADE / 2).min(share(SIGN - since, 0, FADE)));
            sign.draw(onto, x - sign.width / 2, y - self.font.height / 2 - self.gap - sign.height, opacity);
        }
    }
}
