//! A byte source as libav's input: reads and seeks by callback, never an address or a path.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use ffmpeg_next::ffi;

use super::AvError;
use crate::source::{ByteSource, SourceFailure};

/// Bytes that libav asks for at once; the sources behind have larger blocks.
const BUFFER_BYTES: usize = 64 << 10;

/// libav's view of a source. Must outlive the demuxer that uses it.
pub(crate) struct Input {
    context: *mut ffi::AVIOContext,
    state: Box<State>,
}

struct State {
    source: Arc<dyn ByteSource>,
    position: u64,
    /// The first failure. Kept, because demuxers take a failed read for the end or try elsewhere.
    failure: Option<SourceFailure>,
}

impl Input {
    /// Opens a source at its first byte.
    pub(crate) fn new(source: Arc<dyn ByteSource>) -> Result<Self, AvError> {
        let mut state = Box::new(State { source, position: 0, failure: None });
        // SAFETY: allocates; the result is checked.
        let buffer = unsafe { ffi::av_malloc(BUFFER_BYTES) };
        if buffer.is_null() {
            return Err(AvError::OutOfMemory);
        }
        // SAFETY: `buffer` was made by `av_malloc` with this length and belongs to the context from here on; `state`
        // is boxed, so that its address stays, and is freed after the context (see `drop`).
        let context = unsafe {
            ffi::avio_alloc_context(
                buffer.cast(),
                BUFFER_BYTES as c_int,
                0,
                ptr::from_mut(state.as_mut()).cast(),
                Some(read),
                None,
                Some(seek),
            )
        };
        if context.is_null() {
            // SAFETY: no context took the buffer.
            unsafe { ffi::av_free(buffer) };
            return Err(AvError::OutOfMemory);
        }
        Ok(Self { context, state })
    }

    /// The raw context, for the demuxer.
    pub(crate) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }

    /// The first failure to read, if there was one.
    pub(crate) fn failure(&self) -> Option<SourceFailure> {
        self.state.failure.clone()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // SAFETY: the context is valid until here and nobody uses it any more; libav may have replaced the buffer, so
        // the current one is freed.
        unsafe {
            ffi::av_freep(ptr::from_mut(&mut (*self.context).buffer).cast());
            ffi::avio_context_free(&mut self.context);
        }
    }
}

unsafe extern "C" fn read(opaque: *mut c_void, buffer: *mut u8, length: c_int) -> c_int {
    // SAFETY: `opaque` is the boxed state of the `Input` that owns this context, and libav calls from one thread at a
    // time, while that `Input` lives.
    let state = unsafe { &mut *opaque.cast::<State>() };
    if state.failure.is_some() {
        return ffi::AVERROR(libc::EIO);
    }
    if state.position >= state.source.len() {
        // The buffer stays as it is: libav keeps what it read before and goes back in it after the end.
        return ffi::AVERROR_EOF;
    }
    // SAFETY: libav gives a buffer of at least `length` bytes. It may be uninitialised for Rust, so it is zeroed.
    let target = unsafe {
        ptr::write_bytes(buffer, 0, length.max(0) as usize);
        std::slice::from_raw_parts_mut(buffer, length.max(0) as usize)
    };
    loop {
        match state.source.read_at(state.position, target) {
            Ok(0) => return ffi::AVERROR_EOF,
            Ok(count) => {
                state.position += count as u64;
                return count as c_int;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                state.failure = Some(error.into());
                return ffi::AVERROR(libc::EIO);
            }
        }
    }
}

unsafe extern "C" fn seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let state = unsafe { &mut *opaque.cast::<State>() };
    let length = i64::try_from(state.source.len()).unwrap_or(i64::MAX);
    let base = match whence & !ffi::AVSEEK_FORCE {
        ffi::AVSEEK_SIZE => return length,
        libc::SEEK_SET => 0,
        libc::SEEK_CUR => i64::try_from(state.position).unwrap_or(i64::MAX),
        libc::SEEK_END => length,
        _ => return i64::from(ffi::AVERROR(libc::EINVAL)),
    };
    match base.checked_add(offset) {
        Some(target) if target >= 0 => {
            state.position = target as u64;
            target
        }
        _ => i64::from(ffi::AVERROR(libc::EINVAL)),
    }
}
