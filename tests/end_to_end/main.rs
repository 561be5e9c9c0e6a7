//! The product from outside: real processes, real PostgreSQL, real Kafka, real media, a real browser.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::missing_docs_in_private_items)]

mod browser;
mod everything;
mod examples;
mod faults;
mod fuzzing;
mod hostile;
mod imports;
mod looking;
mod openapi;
mod pipeline;
mod previews;
mod refusals;
mod replays;
mod s3;
mod schedules;
mod schema;
mod seams;
mod sharing;
mod survival;
mod videos;
mod watched;
mod web;
