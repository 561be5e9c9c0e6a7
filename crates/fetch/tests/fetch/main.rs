//! The fetch crate against servers on loopback that behave well, badly and maliciously. No traffic leaves the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod documents;
mod keeping;
mod lab;
mod lists;
mod playlists;
mod posts;
mod proxy;
mod reading;
mod redirects;
mod refusals;
mod store;
mod uploads;
