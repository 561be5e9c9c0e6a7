//! Lazer's mods, with the settings that change what is judged, seen or heard.
//!
//! Source of names, settings and their ranges: <https://github.com/ppy/osu-web/blob/master/database/mods.json>.

use super::{Adjusted, Classic, Mods, bits, check_exclusive, unsupported};
use crate::{
    error::ReplayError,
    osr::{Lazer, LazerMod, Mode},
    time::Speed,
};

/// More than there are.
const MOST: usize = 64;

/// What a mod does here.
enum Effect {
    /// What a bit of stable's does; 0 where it changes looks alone, or how a play may end.
    Bits(u32),
    /// It runs the map at another speed: the usual one, in hundredths.
    Speed(u32, u32),
    /// Stable's rules.
    Classic,
    /// Difficulty values.
    Adjust,
    /// The game plays by itself.
    Auto,
    /// What it changes is not known here.
    Unknown(&'static str),
}

/// What a mod does, by its short name.
fn effect(acronym: &str, mode: Mode) -> Effect {
    use Effect::{Adjust, Auto, Bits, Unknown};
    let (standard, mania) = (mode == Mode::Standard, mode == Mode::Mania);
    match acronym {
        "NF" => Bits(bits::NO_FAIL),
        "EZ" => Bits(bits::EASY),
        "HD" => Bits(bits::HIDDEN),
        "HR" => Bits(bits::HARD_ROCK),
        "SD" => Bits(bits::SUDDEN_DEATH),
        "PF" => Bits(bits::PERFECT | bits::SUDDEN_DEATH),
        "FL" => Bits(bits::FLASHLIGHT),
        "TD" => Bits(bits::TOUCH_DEVICE),
        "RX" => Bits(bits::RELAX),
        "AP" => Bits(bits::AUTOPILOT),
        "SO" => Bits(bits::SPUN_OUT),
        "SV2" => Bits(bits::SCORE_V2),
        "FI" if mania => Bits(bits::FADE_IN),
        "MR" if mania => Bits(bits::MIRROR),
        "DT" => Effect::Speed(bits::DOUBLE_TIME, 150),
        "NC" => Effect::Speed(bits::DOUBLE_TIME | bits::NIGHTCORE, 150),
        "HT" | "DC" => Effect::Speed(bits::HALF_TIME, 75),
        "CL" => Effect::Classic,
        "DA" => Adjust,
        "AT" | "CN" => Auto,
        // How a play ends, which keys may be pressed, how loud it is.
        "AC" | "AL" | "SG" | "MU" => Bits(0),
        // Looks.
        "BL" | "TC" | "SI" | "GR" | "DF" | "BR" | "AD" | "NS" | "FR" | "BU" | "SY" | "BM" if standard => {
            Bits(0)
        }
        "CS" if !standard => Bits(0),
        "CO" if mania => Bits(0),
        "MR" | "TR" | "WG" | "MG" | "RP" | "DP" => Unknown("objects are elsewhere than the map says"),
        "RD" | "TP" | "SW" | "SR" | "IN" | "HO" | "DS" => Unknown("objects are others than the map says"),
        "AS" | "WU" | "WD" => Unknown("the speed changes while it is played"),
        "ST" => Unknown("sliders are judged by rules of its own"),
        "NR" => Unknown("held notes are judged by rules of its own"),
        "1K" | "2K" | "3K" | "4K" | "5K" | "6K" | "7K" | "8K" | "9K" | "10K" => {
            Unknown("the number of keys is not the map's")
        }
        _ => Unknown("it is not known here"),
    }
}

impl Mods {
    /// Lazer's list.
    pub(super) fn lazer(lazer: &Lazer, mode: Mode) -> Result<Self, ReplayError> {
        let name = |given: &LazerMod<'_>| {
            given.acronym.chars().filter(char::is_ascii_alphanumeric).take(4).collect::<String>()
        };
        let names: Vec<String> = lazer.mods().take(MOST).map(|given| name(&given)).collect();
        let mut mods = Self {
            bits: 0,
            speed: Speed::NORMAL,
            pitch_follows: false,
            classic: false,
            classic_settings: Classic::NONE,
            adjusted: Adjusted::default(),
            names,
        };
        let mut speeds = 0;
        for given in lazer.mods().take(MOST) {
            match effect(given.acronym, mode) {
                Effect::Bits(bits) => mods.bits |= bits,
                Effect::Speed(bits, usual) => {
                    speeds += 1;
                    mods.bits |= bits;
                    mods.speed = speed(&given, usual).ok_or_else(|| {
                        unsupported(&[name(&given)], "its speed is none that can be chosen")
                    })?;
                    mods.pitch_follows = match given.acronym {
                        "NC" | "DC" => true,
                        _ => given.switch("adjust_pitch").unwrap_or(false),
                    };
                }
                Effect::Classic => {
                    mods.classic = true;
                    mods.classic_settings = Classic {
                        no_slider_head_accuracy: given.switch("no_slider_head_accuracy").unwrap_or(true),
                        classic_note_lock: given.switch("classic_note_lock").unwrap_or(true),
                        fade_hit_circle_early: given.switch("fade_hit_circle_early").unwrap_or(true),
                        always_play_tail_sample: given.switch("always_play_tail_sample").unwrap_or(true),
                    };
                }
                Effect::Adjust => {
                    mods.adjusted = adjusted(&given).ok_or_else(|| {
                        unsupported(&[name(&given)], "its values are none that can be chosen")
                    })?;
                }
                Effect::Auto => return Err(ReplayError::ReplayAuto),
                Effect::Unknown(reason) => return Err(unsupported(&[name(&given)], reason)),
            }
        }
        check_exclusive(mods.bits, &mods.names)?;
        let adjusts = mods.adjusted != Adjusted::default();
        if speeds > 1 || (adjusts && mods.bits & (bits::EASY | bits::HARD_ROCK) != 0) {
            return Err(unsupported(&mods.names, "they exclude each other"));
        }
        Ok(mods)
    }
}

/// The speed, from half to double, in whole hundredths, as a fraction in lowest terms.
fn speed(given: &LazerMod<'_>, usual: u32) -> Option<Speed> {
    let hundredths = match given.number("speed_change") {
        None => usual,
        Some(speed) if (0.495..2.005).contains(&speed) => (speed * 100.0).round() as u32,
        Some(_) => return None,
    };
    let common = (1..=100).rev().find(|common| hundredths % common == 0 && 100 % common == 0)?;
    Some(Speed { map: hundredths / common, video: 100 / common })
}

/// Values that stand for the map's; with extended limits they reach from -10 to 11.
fn adjusted(given: &LazerMod<'_>) -> Option<Adjusted> {
    let value = |name: &str| match given.number(name) {
        None => Some(None),
        Some(value) if (-10.0..=11.0).contains(&value) => Some(Some(value as f32)),
        Some(_) => None,
    };
    Some(Adjusted {
        cs: value("circle_size")?,
        ar: value("approach_rate")?,
        od: value("overall_difficulty")?,
        hp: value("drain_rate")?,
    })
}
