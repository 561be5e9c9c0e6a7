//! The product from outside: real processes, real PostgreSQL, real Kafka, real media, a real browser.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::missing_docs_in_private_items)]

mod browser;
mod everything;
mod faults;
mod openapi;
mod pipeline;
mod refusals;
mod schedules;
mod videos;
