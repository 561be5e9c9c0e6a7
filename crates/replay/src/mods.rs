//! Mods: what was played with, from stable's bits or lazer's list.

use crate::{error::ReplayError, time::Speed};

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

impl Mods {
    /// Stable's bits.
    ///
    /// # Errors
    /// Auto and Cinema, and mods that exclude each other.
    pub fn stable(given: u32) -> Result<Self, ReplayError> {
        use bits::{
            AUTOPILOT, AUTOPLAY, CINEMA, DOUBLE_TIME, EASY, FLASHLIGHT, HALF_TIME, HARD_ROCK, HIDDEN, MIRROR,
            NIGHTCORE, NO_FAIL, PERFECT, RELAX, SCORE_V2, SPUN_OUT, SUDDEN_DEATH, TARGET, TOUCH_DEVICE,
        };
        if given & (AUTOPLAY | CINEMA) != 0 {
            return Err(ReplayError::ReplayAuto);
        }
        let mut bits = given;
        if bits & NIGHTCORE != 0 {
            bits |= DOUBLE_TIME;
        }
        if bits & PERFECT != 0 {
            bits |= SUDDEN_DEATH;
        }
        let table = [
            (NO_FAIL, "NF"),
            (EASY, "EZ"),
            (TOUCH_DEVICE, "TD"),
            (HIDDEN, "HD"),
            (HARD_ROCK, "HR"),
            (SUDDEN_DEATH, "SD"),
            (PERFECT, "PF"),
            (DOUBLE_TIME, "DT"),
            (NIGHTCORE, "NC"),
            (HALF_TIME, "HT"),
            (FLASHLIGHT, "FL"),
            (RELAX, "RX"),
            (AUTOPILOT, "AP"),
            (SPUN_OUT, "SO"),
            (TARGET, "TP"),
            (SCORE_V2, "V2"),
            (MIRROR, "MR"),
        ];
        let has = |bit: u32| bits & bit != 0;
        let hidden_by =
            |bit: u32| (bit == SUDDEN_DEATH && has(PERFECT)) || (bit == DOUBLE_TIME && has(NIGHTCORE));
        let names: Vec<String> = table
            .iter()
            .filter(|(bit, _)| has(*bit) && !hidden_by(*bit))
            .map(|(_, name)| (*name).to_owned())
            .collect();
        for (one, other) in [(EASY, HARD_ROCK), (DOUBLE_TIME, HALF_TIME)] {
            if has(one) && has(other) {
                return Err(ReplayError::ModsUnsupported {
                    mods: names.concat(),
                    reason: "they exclude each other".to_owned(),
                });
            }
        }
        let speed = if has(DOUBLE_TIME) {
            Speed { map: 3, video: 2 }
        } else if has(HALF_TIME) {
            Speed { map: 3, video: 4 }
        } else {
            Speed::NORMAL
        };
        Ok(Self {
            bits,
            speed,
            pitch_follows: has(NIGHTCORE),
            classic: true,
            classic_settings: Classic {
                no_slider_head_accuracy: true,
                classic_note_lock: true,
                fade_hit_circle_early: true,
                always_play_tail_sample: true,
            },
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
