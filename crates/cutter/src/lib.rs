//! The montage engine: probe, plan, encode in segments, assemble, verify.
//!
//! A parent (the executor) starts the `render-worker` program with [`spawn::spawn_worker`], speaks [`protocol`] with it
//! over a socket, and finds the result in the job directory. The worker decodes hostile media; the parent never does.
//! This crate knows no network, no database and no other service.
//!
//! The way of a montage, file by file:
//! 1. `worker` takes an [`order::Order`] and a [`protocol::Task`] from the parent, after `sandbox` locked the process in;
//!    `remote` gets the sources' bytes from the parent, by offset.
//! 2. `render` leads: `probe` opens each source (`container` says what may be opened at all), `edges` looks at the coded
//!    pictures around each clip's start and end, [`cutting`] says what of it can be copied, and [`planner`] makes the
//!    [`plan`], with a picture elected by [`canvas`].
//! 3. `pieces` makes the segments and sounds in parallel, each under its key: `copy` takes coded pictures over bit for bit
//!    ([`bitstream`] knows NAL units), `video` decodes (`reader`), places (`picture`), blends (`blend`), writes names
//!    (`names`, [`title`]) and encodes; `segment` is the file they leave. `sound` copies packets or encodes them anew.
//! 4. `assemble` writes the file by `mp4`: an MP4 and an HLS stream in the same bytes.
//! 5. `verify` compares the file with what it was made of and decodes the stretches that `windows` names; `sprites` takes
//!    the previews. What does not pass as a copy is encoded, from step 2 on.
//! 6. A [`report::Outcome`] or an [`error::RenderError`] goes back to the parent.
//!
//! Nothing of that is needed to look into one source: `survey` probes it and tells its index (`fragments` reads the one that
//! libav keeps to itself).
//!
//! `av` is the only place that calls libav. Times are whole [`time`] ticks everywhere.

mod assemble;
mod av;
pub mod bitstream;
mod blend;
pub mod canvas;
mod colour;
mod container;
mod copy;
pub mod cutting;
mod drawn;
mod edges;
pub mod error;
pub mod facts;
mod finish;
mod fragments;
mod mp4;
mod names;
pub mod order;
mod picture;
mod pieces;
pub mod plan;
pub mod planner;
mod probe;
pub mod protocol;
mod reader;
mod remote;
pub mod render;
mod replay;
pub mod report;
pub mod sandbox;
mod segment;
mod sound;
pub mod source;
pub mod spawn;
mod sprites;
mod survey;
pub mod time;
pub mod timing;
pub mod title;
mod verify;
mod video;
mod windows;
pub mod worker;
