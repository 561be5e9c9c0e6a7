//! An executor against a gateway of the test's own and a render worker that misbehaves as the test says: what is reported,
//! what is not, and that nothing is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gateway;
mod leases;
mod pieces;
mod probes;
mod remote;
mod render;
mod replays;
mod scene;
