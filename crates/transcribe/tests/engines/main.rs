//! The engines on real speech and against a real HTTP server of the service's shape, on loopback.
//!
//! The offline tests need the model (`deployment/local/models.sh`) and the sample media; without them they say that they
//! are skipped, and under `CI=true` a missing model fails them. Exact text is never compared: the model's 8-bit arithmetic
//! differs a little between processors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod local;
mod service;
mod support;
