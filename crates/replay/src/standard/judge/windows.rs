//! Hit windows: how far from its time a press may be for which result.
//!
//! Sources: osu!lazer's `OsuHitWindows`, `TestSceneLegacyReplayPlayback` and `TestSceneReplayStability`.

use crate::{play::Hit, standard::objects::range};

/// Presses further away than this do not judge an object, in milliseconds.
pub(super) const CLICKABLE: f64 = 400.0;

/// The windows for 300, 100 and 50, in milliseconds to either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Windows {
    great: f64,
    ok: f64,
    meh: f64,
}

impl Windows {
    /// Stable's: whole milliseconds; a press must be closer than this.
    pub(super) fn stable(od: f32) -> Self {
        let window = |at_0, at_5, at_10| range(f64::from(od), at_0, at_5, at_10).floor();
        Self {
            great: window(80.0, 50.0, 20.0),
            ok: window(140.0, 100.0, 60.0),
            meh: window(200.0, 150.0, 100.0),
        }
    }

    /// Lazer's: half a millisecond less, so that what is at most this far is what is closer in whole milliseconds.
    pub(super) fn lazer(od: f32) -> Self {
        let Self { great, ok, meh } = Self::stable(od);
        Self { great: great - 0.5, ok: ok - 0.5, meh: meh - 0.5 }
    }

    /// The window of a 50: later, an object is missed.
    pub(super) fn meh(self) -> f64 {
        self.meh
    }

    /// The result of a press so many whole milliseconds away, in stable.
    pub(super) fn stable_hit(self, off: i32) -> Hit {
        self.hit(|window| f64::from(off.unsigned_abs()) < window)
    }

    /// The result of a press so far away, in lazer; nothing where it is too early to count.
    pub(super) fn lazer_hit(self, off: f64) -> Option<Hit> {
        let hit = self.hit(|window| off.abs() <= window);
        (off.abs() <= CLICKABLE).then_some(hit)
    }

    fn hit(self, within: impl Fn(f64) -> bool) -> Hit {
        if within(self.great) {
            Hit::Great
        } else if within(self.ok) {
            Hit::Ok
        } else if within(self.meh) {
            Hit::Meh
        } else {
            Hit::Miss
        }
    }
}
