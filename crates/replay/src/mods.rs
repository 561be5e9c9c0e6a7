//! Mods: what was played with, from stable's bits or lazer's list.
//!
//! Promises: mods that pass go together, and each is either followed by judging and drawing or changes nothing that is judged.
//! Fails with [`ReplayError::ModsUnsupported`] and the reason, [`ReplayError::ModeUnsupported`] for osu!catch, and
//! [`ReplayError::ReplayAuto`].

mod lazer;
#[cfg(test)]
mod tests;

use crate::{
    error::ReplayError,
    osr::{Mode, Replay},
    time::Speed,
};

/// Bits of stable's mods.
pub mod bits {
    #![allow(missing_docs)] // Named like the mods.
    pub const NO_FAIL: u32 = 1;
    pub const EASY: u32 = 1 << 1;
    pub const TOUCH_DEVICE: u32 = 1 << 2;
    pub const HIDDEN: u32 = 1 << 3;
    pub const HARD_ROCK: u32 = 1 << 4;
    pub const SUDDEN_DEATH: u32 = 1 << 5;
    pub const DOUBLE_TIME: u32 = 1 << 6;
    pub const RELAX: u32 = 1 << 7;
    pub const HALF_TIME: u32 = 1 << 8;
    pub const NIGHTCORE: u32 = 1 << 9;
    pub const FLASHLIGHT: u32 = 1 << 10;
    pub const AUTOPLAY: u32 = 1 << 11;
    pub const SPUN_OUT: u32 = 1 << 12;
    pub const AUTOPILOT: u32 = 1 << 13;
    pub const PERFECT: u32 = 1 << 14;
    pub const FADE_IN: u32 = 1 << 20;
    pub const RANDOM: u32 = 1 << 21;
    pub const CINEMA: u32 = 1 << 22;
    pub const TARGET: u32 = 1 << 23;
    pub const SCORE_V2: u32 = 1 << 29;
    pub const MIRROR: u32 = 1 << 30;
}

/// What was played with. Of lazer's settings those are kept that change what is judged, seen or heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Mods {
    /// Stable's bits; of a lazer replay those that its mods have there. DT is set with NC, SD with PF.
    pub bits: u32,
    /// How fast the map runs.
    pub speed: Speed,
    /// Whether the song's pitch follows its speed: NC, DC, and DT or HT where that is chosen. Stable's DT and HT keep the pitch.
    pub pitch_follows: bool,
    /// Whether stable's rules hold: a stable replay, or lazer's Classic.
    pub classic: bool,
    /// Lazer's Classic, with its switches.
    pub classic_settings: Classic,
    /// Difficulty Adjust: values that stand for the map's.
    pub adjusted: Adjusted,
    /// Their short names, in the order in which they are shown, such as `HD`, `DT`.
    pub names: Vec<String>,
}

/// Switches of lazer's Classic mod; all are set where stable's rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classic {
    /// A slider counts as its parts did in stable, and its head needs no accuracy.
    pub no_slider_head_accuracy: bool,
    /// Stable's note lock.
    pub classic_note_lock: bool,
    /// The first circle keeps its approach circle under Hidden... as in stable.
    pub fade_hit_circle_early: bool,
    /// The tail's sound is always played.
    pub always_play_tail_sample: bool,
}

/// Values of Difficulty Adjust.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Adjusted {
    /// Circle size.
    pub cs: Option<f32>,
    /// Approach rate.
    pub ar: Option<f32>,
    /// Overall difficulty.
    pub od: Option<f32>,
    /// Drain rate.
    pub hp: Option<f32>,
}

impl Classic {
    /// As stable is.
    const ALL: Self = Self {
        no_slider_head_accuracy: true,
        classic_note_lock: true,
        fade_hit_circle_early: true,
        always_play_tail_sample: true,
    };

    /// As lazer is by itself.
    const NONE: Self = Self {
        no_slider_head_accuracy: false,
        classic_note_lock: false,
        fade_hit_circle_early: false,
        always_play_tail_sample: false,
    };
}

/// Stable's mods with their short names, in the order in which they are shown.
const TABLE: [(u32, &str); 18] = [
    (bits::NO_FAIL, "NF"),
    (bits::EASY, "EZ"),
    (bits::TOUCH_DEVICE, "TD"),
    (bits::HIDDEN, "HD"),
    (bits::FADE_IN, "FI"),
    (bits::HARD_ROCK, "HR"),
    (bits::SUDDEN_DEATH, "SD"),
    (bits::PERFECT, "PF"),
    (bits::DOUBLE_TIME, "DT"),
    (bits::NIGHTCORE, "NC"),
    (bits::HALF_TIME, "HT"),
    (bits::FLASHLIGHT, "FL"),
    (bits::RELAX, "RX"),
    (bits::AUTOPILOT, "AP"),
    (bits::SPUN_OUT, "SO"),
    (bits::TARGET, "TP"),
    (bits::SCORE_V2, "V2"),
    (bits::MIRROR, "MR"),
];

/// What excludes each other.
const EXCLUSIVE: [(u32, u32); 4] = [
    (bits::EASY, bits::HARD_ROCK),
    (bits::DOUBLE_TIME, bits::HALF_TIME),
    (bits::RELAX, bits::AUTOPILOT),
    (bits::SPUN_OUT, bits::AUTOPILOT),
];

fn unsupported(mods: &[String], reason: &str) -> ReplayError {
    let mods = if mods.is_empty() { "of this replay".to_owned() } else { mods.join(" ") };
    ReplayError::ModsUnsupported { mods, reason: reason.to_owned() }
}

/// Refuses what excludes each other.
fn check_exclusive(bits: u32, names: &[String]) -> Result<(), ReplayError> {
    if EXCLUSIVE.iter().any(|(one, other)| bits & one != 0 && bits & other != 0) {
        return Err(unsupported(names, "they exclude each other"));
    }
    Ok(())
}

impl Mods {
    /// What a replay was played with.
    ///
    /// # Errors
    /// osu!catch, Auto and Cinema, mods that exclude each other, and mods that change the play in ways that are not known here.
    pub fn of(replay: &Replay) -> Result<Self, ReplayError> {
        if replay.mode == Mode::Catch {
            return Err(ReplayError::ModeUnsupported { mode: Mode::Catch.name().to_owned() });
        }
        match &replay.lazer {
            Some(lazer) => Self::lazer(lazer, replay.mode),
            // Lazer's first replays had no list yet.
            None if replay.is_lazer() => {
                Ok(Self { classic: false, classic_settings: Classic::NONE, ..Self::stable(replay.mods)? })
            }
            None => Self::stable(replay.mods),
        }
    }

    /// Stable's bits. Those that choose the number of keys of a converted map, or only arrange them (Co-op), are nothing here.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn stable(given: u32) -> Result<Self, ReplayError> {
        if given & (bits::AUTOPLAY | bits::CINEMA) != 0 {
            return Err(ReplayError::ReplayAuto);
        }
        let mut bits = given;
        if bits & bits::NIGHTCORE != 0 {
            bits |= bits::DOUBLE_TIME;
        }
        if bits & bits::PERFECT != 0 {
            bits |= bits::SUDDEN_DEATH;
        }
        let has = |bit: u32| bits & bit != 0;
        let hidden_by = |bit: u32| {
            (bit == bits::SUDDEN_DEATH && has(bits::PERFECT))
                || (bit == bits::DOUBLE_TIME && has(bits::NIGHTCORE))
        };
        let names: Vec<String> = TABLE
            .iter()
            .filter(|(bit, _)| has(*bit) && !hidden_by(*bit))
            .map(|(_, name)| (*name).to_owned())
            .collect();
        check_exclusive(bits, &names)?;
        for (bit, reason) in [
            (bits::TARGET, "Target Practice has objects of its own"),
            (bits::RANDOM, "Random places notes by rules that are not known here"),
        ] {
            if has(bit) {
                return Err(unsupported(&names, reason));
            }
        }
        let speed = if has(bits::DOUBLE_TIME) {
            Speed { map: 3, video: 2 }
        } else if has(bits::HALF_TIME) {
            Speed { map: 3, video: 4 }
        } else {
            Speed::NORMAL
        };
        Ok(Self {
            bits,
            speed,
            pitch_follows: has(bits::NIGHTCORE),
            classic: true,
            classic_settings: Classic::ALL,
            adjusted: Adjusted::default(),
            names,
        })
    }

    /// Whether a mod of stable's is among them.
    #[must_use]
    pub fn has(&self, bit: u32) -> bool {
        self.bits & bit != 0
    }
}
