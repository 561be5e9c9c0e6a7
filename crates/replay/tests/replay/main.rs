//! Everything that needs whole files: judging the collected replays, mutated files, golden frames, sound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod boundaries;
mod corpus;
mod fixtures;
mod hud;
mod mania;
mod mutations;
mod scenes;
mod skins;
mod sound;
mod standard;
mod storyboards;
mod taiko;
