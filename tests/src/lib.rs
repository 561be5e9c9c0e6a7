//! The product as its users run it, for tests: real processes of every service on a database, a topic and directories of
//! their own, and a loopback web server with sources good and bad.
//!
//! A test that cannot have PostgreSQL is skipped with a message, or fails where `CI=true`; likewise Kafka.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness that cannot go on fails its test"
)]

pub mod door;
pub mod lambda;
pub mod media_server;
pub mod process;
pub mod stack;
