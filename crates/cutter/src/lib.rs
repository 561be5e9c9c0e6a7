//! The montage engine: probe, plan, encode in segments, assemble, verify.
//!
//! A parent (the executor) starts the `render-worker` program with [`spawn::spawn_worker`], speaks [`protocol`] with it
//! over a socket, and finds the result in the job directory. The worker decodes hostile media; the parent never does.
//! This crate knows no network, no database and no other service.
//!
//! The way of a montage, file by file:
//! 1. `worker` takes an [`order::Order`] from the parent, after `sandbox` locked the process in; `remote` gets the
//!    sources' bytes from the parent, by offset.
//! 2. `render` leads: `probe` opens each source (`container` says what may be opened at all), and [`plan::plan`] makes
//!    the plan, with a picture elected by [`canvas`].
//! 3. In parallel, `video` makes the segments (`reader` decodes and seeks, `picture` places frames on the canvas,
//!    `segment` keeps the packets) and `sound` the clips' sound.
//! 4. `assemble` writes the MP4, `verify` decodes it again and checks it, `sprites` takes the previews from that.
//! 5. A [`report::Report`] or an [`error::RenderError`] goes back to the parent.
//!
//! `av` is the only place that calls libav. Times are whole [`time`] ticks everywhere.

mod assemble;
mod av;
pub mod canvas;
mod container;
pub mod error;
pub mod facts;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "`assemble` is about to write with it"))]
mod mp4;
pub mod order;
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
