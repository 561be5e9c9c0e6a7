//! The scheduler on a real PostgreSQL, with loopback servers around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod policies;
mod routes;
mod ticks;
mod world;
