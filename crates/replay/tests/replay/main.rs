//! Everything that needs whole files: judging the collected replays, mutated files, golden frames, sound.

mod corpus;
mod fixtures;
mod mutations;
mod skins;
mod sound;
mod standard;
