//! Scaling and colour conversion: any decoded picture to 8-bit 4:2:0, BT.709, limited range (or full, for JPEG).

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVPixelFormat as Format;

use super::frame::{Colour, Frame};
use super::{AvError, check};

/// What a scaler was made for; another picture needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    from: (u32, u32, Format, Colour),
    to: (u32, u32, Format),
}

/// A scaler that adapts itself to the pictures it gets.
pub(crate) struct Scaler {
    context: *mut ffi::SwsContext,
    job: Option<Job>,
}

// SAFETY: a scaler is used by one thread at a time and has no tie to the one that made it.
unsafe impl Send for Scaler {}

impl Scaler {
    /// A scaler that is not yet set up.
    pub(crate) fn new() -> Self {
        Self { context: ptr::null_mut(), job: None }
    }

    /// The picture in `width` x `height`, 4:2:0, BT.709, limited range.
    pub(crate) fn scale(&mut self, source: &Frame, width: u32, height: u32) -> Result<Frame, AvError> {
        self.convert(source, width, height, Format::AV_PIX_FMT_YUV420P)
    }

    /// The same in full range, as JPEG wants it.
    pub(crate) fn scale_for_jpeg(
        &mut self,
        source: &Frame,
        width: u32,
        height: u32,
    ) -> Result<Frame, AvError> {
        self.convert(source, width, height, Format::AV_PIX_FMT_YUVJ420P)
    }

    fn convert(&mut self, source: &Frame, width: u32, height: u32, to: Format) -> Result<Frame, AvError> {
        const ACTION: &str = "scale a picture";
        let format = source.pixel_format().ok_or_else(|| AvError::new(ACTION, "unknown pixel format"))?;
        let (from_width, from_height) = source.size();
        let job = Job { from: (from_width, from_height, format, source.colour()), to: (width, height, to) };
        if self.job != Some(job) {
            self.set_up(job)?;
        }
        let target = Frame::picture(width, height, to)?;
        // SAFETY: the context was set up for exactly these sizes and formats; both frames hold their planes.
        check(ACTION, unsafe {
            let (from, into) = (&*source.as_ptr(), &*target.as_ptr());
            ffi::sws_scale(
                self.context,
                from.data.as_ptr().cast(),
                from.linesize.as_ptr(),
                0,
                from_height as c_int,
                into.data.as_ptr(),
                into.linesize.as_ptr(),
            )
        })?;
        Ok(target)
    }

    fn set_up(&mut self, job: Job) -> Result<(), AvError> {
        self.free();
        let (from_width, from_height, from, colour) = job.from;
        let (width, height, to) = job.to;
        // Accurate rounding keeps flat colours exact; bicubic is the usual choice for pictures.
        let flags = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INP | ffi::SWS_BITEXACT;
        // SAFETY: plain numbers and null for the optional filters; the result is checked.
        self.context = unsafe {
            ffi::sws_getContext(
                from_width as c_int,
                from_height as c_int,
                limited(from),
                width as c_int,
                height as c_int,
                limited(to),
                flags,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if self.context.is_null() {
            return Err(AvError::new("scale a picture", "this size or pixel format is not supported"));
        }
        let full_range_out = to == Format::AV_PIX_FMT_YUVJ420P;
        // JPEG files are read as BT.601 everywhere.
        let matrix_out = if full_range_out { ffi::SWS_CS_ITU601 } else { ffi::SWS_CS_ITU709 };
        // SAFETY: the context is valid; the tables are constants of libav.
        unsafe {
            ffi::sws_setColorspaceDetails(
                self.context,
                ffi::sws_getCoefficients(colour.matrix),
                c_int::from(colour.full_range),
                ffi::sws_getCoefficients(matrix_out),
                c_int::from(full_range_out),
                0,
                1 << 16,
                1 << 16,
            );
        }
        self.job = Some(job);
        Ok(())
    }

    fn free(&mut self) {
        self.job = None;
        // SAFETY: a valid context or null; not used afterwards.
        unsafe { ffi::sws_freeContext(self.context) };
        self.context = ptr::null_mut();
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        self.free();
    }
}

/// The same pixels under the name that says nothing of their range: the range is given apart.
fn limited(format: Format) -> Format {
    match format {
        Format::AV_PIX_FMT_YUVJ420P => Format::AV_PIX_FMT_YUV420P,
        Format::AV_PIX_FMT_YUVJ422P => Format::AV_PIX_FMT_YUV422P,
        Format::AV_PIX_FMT_YUVJ444P => Format::AV_PIX_FMT_YUV444P,
        other => other,
    }
}
