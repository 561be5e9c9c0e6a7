//! How presses and releases are judged: stable's rules, stable's with ScoreV2, and lazer's.

use crate::{
    mania::objects::{Field, Object, Windows},
    mods::{Mods, bits},
    play::Hit,
};

/// Results in the order of their windows.
const RESULTS: [Hit; 6] = [Hit::Max, Hit::Great, Hit::Good, Hit::Ok, Hit::Meh, Hit::Miss];

/// How presses and releases are judged. Times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    /// Of presses.
    windows: Windows,
    /// Of releases, where they are judged by themselves.
    tails: [i32; 5],
    /// A held note has two results, of its head and of its tail, and not one.
    pub(super) split: bool,
    /// lazer's.
    pub(super) lazer: bool,
    /// What is not pressed is missed from so long after its time on.
    pub(super) late: i32,
    /// A release earlier than so long before the end breaks the hold.
    pub(super) early: i32,
    /// What is still held so long after its end is judged.
    pub(super) held: i32,
    /// What a note without a fault gets then.
    pub(super) held_result: Hit,
    /// What a note gets then whose hold broke, or whose head was missed.
    pub(super) held_broken: Hit,
    /// A held note whose head was missed and that nobody holds is missed so long after its end.
    pub(super) forgotten: i32,
    /// The same for one whose hold broke.
    pub(super) broken: i32,
}

impl Rules {
    pub(super) fn new(field: &Field, mods: &Mods) -> Self {
        let windows = field.windows;
        let Windows([max, great, good, ok, meh, _]) = windows;
        let (split, lazer) = (mods.has(bits::SCORE_V2) || !mods.classic, !mods.classic);
        // Releases are harder than presses.
        let tails = [max, great, good, ok, meh].map(|window| window.saturating_mul(3) / 2);
        // Stable takes what comes later than the window for 100 as missed: a late 50 does not exist.
        let rules = Self {
            windows,
            tails,
            split,
            lazer,
            late: ok,
            early: ok,
            held: meh,
            held_result: Hit::Ok,
            held_broken: Hit::Meh,
            forgotten: ok,
            broken: ok,
        };
        if lazer {
            let late = meh.saturating_add(1);
            let tail = tails[4].saturating_add(1);
            return Self {
                late,
                early: tails[4],
                held: tail,
                held_result: Hit::Miss,
                held_broken: Hit::Miss,
                forgotten: tail,
                broken: tail,
                ..rules
            };
        }
        if split {
            let [.., good, ok, _] = tails;
            return Self { early: meh, held: ok, held_broken: Hit::Ok, forgotten: good, ..rules };
        }
        rules
    }

    /// What a press so far from its time gets; nothing where it is too early to count.
    pub(super) fn press(&self, off: i32) -> Option<Hit> {
        let within = self.windows.0.iter().position(|window| off.saturating_abs() <= *window)?;
        RESULTS.get(within).copied()
    }

    /// Whether a press is near enough to begin a hold that is judged as a whole.
    pub(super) fn begins(&self, off: i32) -> bool {
        off >= -self.windows.meh()
    }

    /// What a release so far from the end gets, where it is judged by itself.
    pub(super) fn release(&self, off: i32) -> Hit {
        let within = self.tails.iter().position(|window| off.saturating_abs() <= *window);
        within.and_then(|index| RESULTS.get(index).copied()).unwrap_or(Hit::Meh)
    }

    /// What a whole held note gets: the head alone has its limit, and head and tail together.
    pub(super) fn whole(&self, head: i32, tail: i32) -> Hit {
        let Windows([max, great, good, ok, ..]) = self.windows;
        let head = i64::from(head.saturating_abs());
        let both = head + i64::from(tail.saturating_abs());
        // In tenths: MAX and 300 are wider than for notes.
        let limits = [(max, 12), (great, 11), (good, 10), (ok, 10)];
        let within = limits.iter().position(|(window, tenths)| {
            let limit = i64::from(*window) * tenths;
            head * 10 <= limit && both * 10 <= limit * 2
        });
        within.and_then(|index| RESULTS.get(index).copied()).unwrap_or(Hit::Meh)
    }

    /// Until when a note that `next` follows may still be pressed, in lazer: later presses are for the next one.
    pub(super) fn passes_on(&self, next: Option<Object>, at: i32) -> bool {
        self.lazer && next.is_some_and(|next| next.start <= at)
    }
}
