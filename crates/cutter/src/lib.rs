//! The montage engine: probe, plan, encode in segments, assemble, verify.
//!
//! A parent (the executor) starts the `render-worker` program with [`spawn::spawn_worker`], speaks
//! [`protocol`] with it over a socket, and finds the result in the job directory. The worker decodes hostile media;
//! the parent never does. This crate knows no network, no database and no other service.
//!
//! The way of a montage: an [`order::Order`] and byte sources go in; each source is probed; [`plan::plan`] makes the
//! plan; segments are encoded in parallel and the sound once; the file is put together and then verified by decoding
//! it again. What comes out is a [`report::Report`] or an [`error::RenderError`].

mod assemble;
mod av;
pub mod canvas;
mod container;
pub mod error;
pub mod facts;
pub mod order;
pub mod parent;
mod picture;
pub mod plan;
mod probe;
pub mod protocol;
mod reader;
mod remote;
pub mod render;
pub mod report;
pub mod sandbox;
mod segment;
mod sound;
pub mod source;
pub mod spawn;
mod sprites;
pub mod time;
mod verify;
mod video;
pub mod worker;
