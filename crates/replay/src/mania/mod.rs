//! osu!mania: its objects, judging, and its scene.

pub mod judge;
pub mod objects;
pub mod scene;
mod scroll;

pub(crate) use scroll::bar_lines;
