//! Storyboards: their grammar, and what they show at a moment.

pub mod easing;
pub mod script;
pub mod timeline;
mod triggers;
mod variables;
