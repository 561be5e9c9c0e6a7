//! For tests: maps of our own, a player that plays them by itself, and writers of the files that the game writes.
//!
//! Promises: everything follows from its arguments, and the header of a replay made here is known by construction: it is
//! counted from what the player was told to do, not from judging. Fails only where a map is none.

pub mod cursor;
pub mod files;
pub mod maps;
pub mod osr;
pub mod player;
