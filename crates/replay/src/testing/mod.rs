//! For tests: maps of our own, a player that plays them by itself, and writers of the files that the game writes.
//!
//! Promises: everything follows from its arguments, and the header of a replay made here is known by construction: it is
//! counted from what the player was told to do, not from judging. Fails only where a map is none.

pub mod cursor;
pub mod files;
pub mod maps;
pub mod osr;
pub mod player;

use crate::osr::{Counts, Frame, Mode, Replay};

/// A replay of these movements alone: nobody's, of no map, and with a header that counts nothing.
#[must_use]
pub fn bare(mode: Mode, version: i32, mods: u32, frames: Vec<Frame>) -> Replay {
    Replay {
        mode,
        version,
        map_md5: String::new(),
        player: String::new(),
        counts: Counts::default(),
        score: 0,
        max_combo: 0,
        perfect: false,
        mods,
        life: Vec::new(),
        played_at: 0,
        frames,
        seed: None,
        online_id: 0,
        lazer: None,
    }
}
