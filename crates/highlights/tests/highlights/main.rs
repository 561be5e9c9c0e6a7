//! Sources of highlights as they are read, each from a real server of its kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod documents;
mod dynamodb;
mod proxy;
mod twitch;
