//! Judging osu!: what each press and each movement was worth, by the rules of the game that recorded them.
//!
//! Promises: a replay gives the same play every time; what it costs grows with the replay's frames and the objects that can be
//! hit at once, and is bounded. Fails only where mods change the rules in ways that are not known here, and where more objects
//! are at once than can be judged.

mod hand;
mod keys;
mod lazer;
mod life;
mod score;
mod sliders;
mod spinners;
mod stable;
mod standardised;
mod tally;
mod times;
mod windows;

pub use life::life_at;

use super::objects::Field;
use crate::{
    beatmap::Beatmap,
    error::ReplayError,
    mods::{Mods, bits},
    osr::Replay,
    play::Play,
};

/// Judges a replay on its map's objects.
///
/// # Errors
/// [`ReplayError::ModsUnsupported`]; [`ReplayError::MapCorrupt`] where too many objects are at once.
pub fn judge(replay: &Replay, map: &Beatmap, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    if mods.has(bits::SCORE_V2) {
        return Err(ReplayError::ModsUnsupported {
            mods: mods.names.concat(),
            reason: "how ScoreV2 judges sliders is not known here".to_owned(),
        });
    }
    if replay.is_lazer() {
        lazer::judge(replay, mods, field)
    } else {
        stable::judge(replay, map, mods, field)
    }
}

/// With Relax the game presses by itself, so many milliseconds before an object's time at the earliest.
const RELAXED: f64 = 12.0;

/// Objects that are looked at, over all frames, at most: enough for any map that people play.
const MOST_LOOKS: u64 = 200_000_000;

/// What passes that bound.
fn too_many() -> ReplayError {
    ReplayError::MapCorrupt { reason: "too many of its objects are at the same time".to_owned() }
}
