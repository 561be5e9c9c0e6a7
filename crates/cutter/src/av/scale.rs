//! Scaling and colour conversion: any decoded picture to 4:2:0 of a depth, size, matrix and range.
//!
//! Primaries and transfer are left as they are: nothing is mapped between high and standard dynamic range.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVPixelFormat as Format;

use super::frame::Frame;
use super::plane::planar;
use super::{AvError, check};
use crate::colour::{Colour, Depth, Matrix};

const ACTION: &str = "scale a picture";

/// A kind of picture: width, height, format, meaning of the colours.
type Kind = (u32, u32, Format, Colour);

/// What a scaler was made for; another picture needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    from: Kind,
    to: Kind,
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

    /// The picture in `width` x `height`, 4:2:0, in that depth, matrix and range. One that is so already is not
    /// touched: its pixels are shared.
    pub(crate) fn scale(
        &mut self,
        source: &Frame,
        (width, height): (u32, u32),
        depth: Depth,
        colour: Colour,
    ) -> Result<Frame, AvError> {
        self.convert(source, (width, height, planar(depth), colour))
    }

    /// The same in 8 bits, BT.601 and full range, as JPEG files are read everywhere.
    pub(crate) fn scale_for_jpeg(
        &mut self,
        source: &Frame,
        width: u32,
        height: u32,
    ) -> Result<Frame, AvError> {
        let colour = Colour { matrix: Matrix::Bt601, full_range: true };
        self.convert(source, (width, height, Format::AV_PIX_FMT_YUVJ420P, colour))
    }

    fn convert(&mut self, source: &Frame, to: Kind) -> Result<Frame, AvError> {
        let format = source.pixel_format().ok_or_else(|| AvError::new(ACTION, "unknown pixel format"))?;
        let (from_width, from_height) = source.size();
        let from = (from_width, from_height, without_range(format), source.colour());
        if from == to {
            let mut shared = source.share()?;
            shared.set_colour(to.3);
            // SAFETY: the frame is valid and not shared itself; both formats are names of the same pixels.
            unsafe { (*shared.as_ptr()).format = to.2 as c_int };
            return Ok(shared);
        }
        let job = Job { from, to };
        if self.job != Some(job) {
            self.set_up(job)?;
        }
        let (width, height, format, colour) = to;
        let mut target = Frame::picture(width, height, format)?;
        target.set_colour(colour);
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
        let unsupported = || AvError::new(ACTION, "this size or pixel format is not supported");
        let (from_width, from_height, from, from_colour) = job.from;
        let (width, height, to, to_colour) = job.to;
        // SAFETY: allocates; the result is checked.
        self.context = unsafe { ffi::sws_alloc_context() };
        if self.context.is_null() {
            return Err(AvError::OutOfMemory);
        }
        // Accurate rounding keeps flat colours exact; bicubic is the usual choice for pictures.
        let flags = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INP | ffi::SWS_BITEXACT;
        // The ranges are told now and again below: libav chooses its way by these, and does not see all that is said
        // later.
        let options = [
            (c"srcw", i64::from(from_width)),
            (c"srch", i64::from(from_height)),
            (c"src_format", from as i64),
            (c"src_range", i64::from(from_colour.full_range)),
            (c"dstw", i64::from(width)),
            (c"dsth", i64::from(height)),
            (c"dst_format", without_range(to) as i64),
            (c"dst_range", i64::from(to_colour.full_range)),
            (c"sws_flags", i64::from(flags)),
        ];
        for (name, value) in options {
            // SAFETY: the context is valid, has options, and is not set up yet; the name is a constant.
            let set = unsafe { ffi::av_opt_set_int(self.context.cast(), name.as_ptr(), value, 0) };
            check(ACTION, set)?;
        }
        // SAFETY: the context is valid; null stands for the optional filters.
        if unsafe { ffi::sws_init_context(self.context, ptr::null_mut(), ptr::null_mut()) } < 0 {
            self.free();
            return Err(unsupported());
        }
        // SAFETY: the context is valid; the tables are constants of libav.
        let set = unsafe {
            ffi::sws_setColorspaceDetails(
                self.context,
                ffi::sws_getCoefficients(coefficients(from_colour.matrix)),
                c_int::from(from_colour.full_range),
                ffi::sws_getCoefficients(coefficients(to_colour.matrix)),
                c_int::from(to_colour.full_range),
                0,
                1 << 16,
                1 << 16,
            )
        };
        if set < 0 {
            self.free();
            return Err(unsupported());
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

/// A matrix in the scaler's numbering.
fn coefficients(matrix: Matrix) -> c_int {
    match matrix {
        Matrix::Bt709 => ffi::SWS_CS_ITU709,
        Matrix::Fcc => ffi::SWS_CS_FCC,
        Matrix::Bt601 => ffi::SWS_CS_ITU601,
        Matrix::Smpte240m => ffi::SWS_CS_SMPTE240M,
        Matrix::Bt2020 => ffi::SWS_CS_BT2020,
    }
}

/// The same pixels under the name that says nothing of their range: the range is given apart.
fn without_range(format: Format) -> Format {
    match format {
        Format::AV_PIX_FMT_YUVJ420P => Format::AV_PIX_FMT_YUV420P,
        Format::AV_PIX_FMT_YUVJ422P => Format::AV_PIX_FMT_YUV422P,
        Format::AV_PIX_FMT_YUVJ444P => Format::AV_PIX_FMT_YUV444P,
        other => other,
    }
}
