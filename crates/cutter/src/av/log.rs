//! libav's messages: nothing goes to the terminal, and errors and warnings of one thread can be counted.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use ffmpeg_next::ffi;

/// Most messages that are kept for a person to read.
const KEPT: usize = 5;

/// Errors and warnings of one stretch of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Complaints {
    /// How many there were.
    pub(crate) count: u64,
    /// The first few, as libav's format strings: their arguments may hold parts of hostile media.
    pub(crate) first: Vec<String>,
}

thread_local! {
    static COMPLAINTS: RefCell<Option<Complaints>> = const { RefCell::new(None) };
}

type Callback<V> = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, V);

/// Silences libav. To be called before its first use; more calls do nothing.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| install_with(ffi::av_log_set_callback));
}

/// The type of a C argument list differs between machines and has no common name: it is inferred here.
fn install_with<V>(set: unsafe extern "C" fn(Option<Callback<V>>)) {
    // SAFETY: `listen` is a function that may be called from any thread, at any time.
    unsafe { set(Some(listen::<V>)) }
}

unsafe extern "C" fn listen<V>(_context: *mut c_void, level: c_int, format: *const c_char, _arguments: V) {
    if level > ffi::AV_LOG_WARNING || format.is_null() {
        return;
    }
    let _ = COMPLAINTS.try_with(|complaints| {
        if let Ok(mut complaints) = complaints.try_borrow_mut()
            && let Some(complaints) = complaints.as_mut()
        {
            complaints.count += 1;
            if complaints.first.len() < KEPT {
                // SAFETY: libav's format strings are constants that end with a zero.
                let text = unsafe { CStr::from_ptr(format) }.to_string_lossy();
                complaints.first.push(text.trim().chars().take(120).collect());
            }
        }
    });
}

/// Does `work` and counts what libav complains about on this thread meanwhile. Decoders used inside must not have
/// threads of their own, or their complaints are missed.
pub(crate) fn listening<T>(work: impl FnOnce() -> T) -> (T, Complaints) {
    install();
    COMPLAINTS.with(|complaints| *complaints.borrow_mut() = Some(Complaints::default()));
    let result = work();
    let heard = COMPLAINTS.with(|complaints| complaints.borrow_mut().take());
    (result, heard.unwrap_or_default())
}
