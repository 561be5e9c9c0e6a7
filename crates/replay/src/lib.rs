//! osu! replays to frames and sound: parsing, judging, drawing, mixing. Knows no codec, network or other service.
//!
//! Promises: the play is judged by the rules of the game that recorded it and compared with the replay's own counts
//! ([`verify`]); a frame is a function of its number alone ([`production::Painter::frame`]), made with whole numbers, so that
//! any two machines draw the same bits, in any order; what is read is hostile until it is parsed, and every length is bounded
//! ([`limits`]). What cannot be shown is refused with a code of [`error::ReplayError`].
//!
//! The way of a replay, file by file:
//! 1. [`production::Production::open`] takes the files' bytes. `archive` opens .osz and .osk, [`osr`] reads the replay,
//!    [`beatmap`] finds the map that it was played on, [`mods`] says under which rules.
//! 2. [`standard`], [`mania`] or [`taiko`] places the map's objects and judges the replay: a [`play::Play`] is every event
//!    with the state of the game after it. [`verify`] compares it with the header.
//! 3. [`skin`] has the looks: drawn by code, or a legacy skin's files over it. Everything that can be prepared becomes
//!    [`draw`]'s sprites once.
//! 4. For each frame the layers draw over each other: `backdrop` (background, video, [`storyboard`]), the mode's scene,
//!    [`hud`].
//! 5. [`sound`] mixes the song and the samples, from the first frame to the last.

pub mod archive;
pub mod backdrop;
pub mod beatmap;
pub mod draw;
pub mod error;
pub mod hud;
pub mod limits;
pub mod mania;
pub mod mods;
pub mod osr;
pub mod play;
pub mod production;
pub mod skin;
pub mod sound;
mod spans;
pub mod stage;
pub mod standard;
pub mod storyboard;
pub mod taiko;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod verify;
