//! Safe handles for the parts of libav (FFmpeg) that a render needs: reading, decoding, converting, encoding, MP4.
//!
//! All calls into libav are in this folder. A handle owns its C object and frees it; what a handle gives out borrows
//! from it. libav never sees an address or a path that a user chose: media comes in through [`crate::source`].
//!
//! Failures are [`AvError`]: a source that could not be read, no memory, or libav's own code in words.

pub(crate) mod decode;
pub(crate) mod demux;
pub(crate) mod encode;
pub(crate) mod frame;
pub(crate) mod io;
pub(crate) mod log;
pub(crate) mod plane;
pub(crate) mod resample;
pub(crate) mod scale;

#[allow(unsafe_code)]
mod status;

pub(crate) use status::{AvError, check, libraries, limit_allocations};
