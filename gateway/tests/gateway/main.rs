//! The gateway on a real PostgreSQL, in front of a loopback service that tells what it got.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod callers;
mod pages;
mod proxying;
mod streaming;
mod world;
