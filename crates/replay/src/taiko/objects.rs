//! osu!taiko's objects as they are played.

use crate::{beatmap::Beatmap, error::ReplayError, limits::Limits, mods::Mods};

/// The objects of a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {}

/// Places a map's objects.
///
/// # Errors
/// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
pub fn place(map: &Beatmap, mods: &Mods, limits: &Limits) -> Result<Field, ReplayError> {
    let _ = (map, mods, limits);
    Ok(Field::default())
}
