//! The engine against real files: made with a counter in every picture, taken from the sample media, and broken.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod exactness;
mod looks;
mod matrix;
mod mutations;
mod parent;
mod refusals;
mod replays;
mod samples;
mod smart;
mod support;
mod survey;
mod sync;
mod worker;
