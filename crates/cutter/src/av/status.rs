//! libav's result codes as errors, its versions, and its limit on single allocations.

use std::ffi::{CStr, c_int};

use ffmpeg_next::ffi;

use crate::report::Library;
use crate::source::SourceFailure;

/// A call into libav that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AvError {
    /// The bytes could not be had.
    #[error("{0}")]
    Source(#[from] SourceFailure),
    /// No memory.
    #[error("memory ran out")]
    OutOfMemory,
    /// Anything else, in libav's words.
    #[error("{action}: {reason}")]
    Failed {
        /// What was tried.
        action: &'static str,
        /// What libav says.
        reason: String,
    },
}

impl AvError {
    /// A failure that has no code of libav.
    pub(crate) fn new(action: &'static str, reason: impl Into<String>) -> Self {
        Self::Failed { action, reason: reason.into() }
    }

    /// The error for a code of libav.
    pub(crate) fn from_code(action: &'static str, code: c_int) -> Self {
        // libx264 has one code for everything; mostly it means that it got no memory. Threads that find no room for themselves
        // are to be tried again.
        let without_reason = code == ffi::AVERROR_EXTERNAL || code == ffi::AVERROR(libc::EAGAIN);
        if code == ffi::AVERROR(libc::ENOMEM) || (without_reason && memory_is_short()) {
            return Self::OutOfMemory;
        }
        let mut text = [0; 128];
        // SAFETY: `text` has the length that is given, and libav ends what it writes with a zero.
        unsafe { ffi::av_strerror(code, text.as_mut_ptr(), text.len()) };
        // SAFETY: as above; the array was zero before, so there is an end in any case.
        let reason = unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned();
        Self::Failed { action, reason }
    }
}

/// Whether an amount that an encoder may well want cannot be had now.
fn memory_is_short() -> bool {
    Vec::<u8>::new().try_reserve_exact(256 << 20).is_err()
}

/// Turns a negative result into an error.
pub(crate) fn check(action: &'static str, code: c_int) -> Result<c_int, AvError> {
    if code < 0 { Err(AvError::from_code(action, code)) } else { Ok(code) }
}

/// Names and versions of the libav libraries in use.
pub(crate) fn libraries() -> Vec<Library> {
    // SAFETY: these functions take nothing and return a number.
    let versions = unsafe {
        [
            ("libavcodec", ffi::avcodec_version()),
            ("libavformat", ffi::avformat_version()),
            ("libavutil", ffi::avutil_version()),
            ("libswresample", ffi::swresample_version()),
            ("libswscale", ffi::swscale_version()),
        ]
    };
    let named = versions.into_iter().map(|(name, version)| Library {
        name: name.to_owned(),
        version: format!("{}.{}.{}", version >> 16, (version >> 8) & 255, version & 255),
    });
    // SAFETY: returns a constant text that lives as long as the program.
    let release = unsafe { CStr::from_ptr(ffi::av_version_info()) }.to_string_lossy().into_owned();
    named.chain([Library { name: "ffmpeg".to_owned(), version: release }]).collect()
}

/// Sets the largest single allocation that libav makes in this process: the last guard against a picture whose size
/// is only found while it is decoded.
pub(crate) fn limit_allocations(bytes: usize) {
    // SAFETY: sets one number inside libav.
    unsafe { ffi::av_max_alloc(bytes) };
}
