//! jobs-repo over HTTP, on a real database and, where `SM_TEST_KAFKA_BROKERS` is set, real Kafka.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changing;
mod chaos;
mod crowd;
mod executors;
mod following;
mod harness;
mod leasing;
mod parts;
mod plans;
mod posting;
mod probes;
mod receiver;
mod relaying;
mod stream;
mod telling;
mod turning;
mod webhooks;
