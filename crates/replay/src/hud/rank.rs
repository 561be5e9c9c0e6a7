//! Grades, from SS to D.

use crate::{draw::Rgb, mods::bits, osr::Mode, play::State, stage::Stage};

/// A grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// SS.
    #[default]
    X,
    S,
    A,
    B,
    C,
    D,
}

/// How grades are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grading {
    mode: Mode,
    lazer: bool,
    /// Hidden and Flashlight make SS and S silver.
    pub(super) silver: bool,
}

impl Grading {
    pub(super) fn of(stage: &Stage<'_>) -> Self {
        let hidden = bits::HIDDEN | bits::FLASHLIGHT | bits::FADE_IN;
        Self { mode: stage.replay.mode, lazer: stage.replay.is_lazer(), silver: stage.mods.has(hidden) }
    }

    /// The grade of a state. Sources: <https://osu.ppy.sh/wiki/en/Gameplay/Grade>, and lazer's `ScoreProcessor`,
    /// `OsuScoreProcessor`.
    pub(super) fn grade(self, state: &State) -> Grade {
        if self.lazer || self.mode == Mode::Mania {
            let by_accuracy = match state.accuracy {
                1_000_000.. => Grade::X,
                950_000.. => Grade::S,
                900_000.. => Grade::A,
                800_000.. => Grade::B,
                700_000.. => Grade::C,
                _ => Grade::D,
            };
            let is_kept = self.mode == Mode::Mania || state.counts.miss == 0;
            return if is_kept { by_accuracy } else { by_accuracy.max(Grade::A) };
        }
        let counts = &state.counts;
        let [great, ok, meh, miss] = [counts.n300, counts.n100, counts.n50, counts.miss].map(u64::from);
        let all = great + ok + meh + miss;
        // More than so many of a hundred are 300.
        let more_than = |share: u64| great * 100 > all * share;
        if great == all {
            Grade::X
        } else if more_than(90) && meh * 100 <= all && miss == 0 {
            Grade::S
        } else if more_than(90) || (more_than(80) && miss == 0) {
            Grade::A
        } else if more_than(80) || (more_than(70) && miss == 0) {
            Grade::B
        } else if more_than(60) {
            Grade::C
        } else {
            Grade::D
        }
    }
}

impl Grade {
    /// All of them, best first.
    pub(super) const ALL: [Self; 6] = [Self::X, Self::S, Self::A, Self::B, Self::C, Self::D];

    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X => "SS",
            Self::S => "S",
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// Its element in a legacy skin.
    pub(super) fn element(self, silver: bool) -> &'static str {
        match (self, silver) {
            (Self::X, true) => "ranking-XH",
            (Self::X, false) => "ranking-X",
            (Self::S, true) => "ranking-SH",
            (Self::S, false) => "ranking-S",
            (Self::A, _) => "ranking-A",
            (Self::B, _) => "ranking-B",
            (Self::C, _) => "ranking-C",
            (Self::D, _) => "ranking-D",
        }
    }

    /// Its colour.
    pub(super) fn colour(self, silver: bool) -> Rgb {
        match self {
            Self::X | Self::S if silver => [214, 226, 240],
            Self::X | Self::S => [255, 206, 84],
            Self::A => [136, 218, 32],
            Self::B => [84, 160, 255],
            Self::C => [186, 104, 240],
            Self::D => [255, 82, 96],
        }
    }
}
