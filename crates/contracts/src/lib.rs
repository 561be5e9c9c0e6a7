//! The words that the services say to each other: ids, job specs, leases, montages, transcripts, hints and problems.
//!
//! Promises: no I/O, no clock and no randomness besides [`ids`]' constructors; every type here is plain data with one JSON
//! form, which is the wire form. What a person sends is decoded by hand-written decoders ([`spec`]) that report all
//! mistakes at once, each with its JSON pointer; what services send each other is decoded by serde.

pub mod captions;
pub mod decode;
pub mod executor;
pub mod hint;
pub mod ids;
pub mod import;
pub mod job;
pub mod key;
pub mod lease;
pub mod media;
pub mod montage;
pub mod object;
pub mod part;
pub mod plan;
pub mod preview;
pub mod probe;
pub mod problem;
pub mod replay;
pub mod schedule;
pub mod search;
pub mod segment;
pub mod spec;
pub mod time;
pub mod transcript;
pub mod webhook;
