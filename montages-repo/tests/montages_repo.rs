//! The library as a whole: the real service on a real PostgreSQL and a real directory of objects. Only jobs-repo, which is
//! another party here, is a small loopback server that says who holds which lease.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "montages_repo/bytes.rs"]
mod bytes;
#[path = "montages_repo/finding.rs"]
mod finding;
#[path = "montages_repo/jobs.rs"]
mod jobs;
#[path = "montages_repo/previews.rs"]
mod previews;
#[path = "montages_repo/probes.rs"]
mod probes;
#[path = "montages_repo/publishing.rs"]
mod publishing;
#[path = "montages_repo/segments.rs"]
mod segments;
#[path = "montages_repo/transcripts.rs"]
mod transcripts;
#[path = "montages_repo/trash.rs"]
mod trash;
#[path = "montages_repo/tus.rs"]
mod tus;
#[path = "montages_repo/uploads.rs"]
mod uploads;
#[path = "montages_repo/world.rs"]
mod world;
