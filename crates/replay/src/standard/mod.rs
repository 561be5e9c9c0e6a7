//! osu!: its objects as they are played, judging, and its scene.

pub mod judge;
pub mod objects;
pub mod scene;
