//! The numbers of a 4:2:0 picture, plane by plane, with their geometry: bytes for 8 bits, 16-bit numbers for more.

#![allow(unsafe_code)]

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVPixelFormat as Format;

use super::frame::Frame;
use super::{AvError, check};
use crate::colour::Depth;

/// Number of planes: luma and two of chroma.
pub(crate) const PLANES: usize = 3;

mod sealed {
    pub(crate) trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
}

/// One number of a plane. 16-bit numbers are in the machine's order, which the formats' names say as well.
pub(crate) trait Component: Copy + Into<u32> + TryFrom<u32> + Send + Sync + sealed::Sealed {
    /// The depth that is kept in such numbers.
    const DEPTH: Depth;

    /// `from` taken `256 - weight` times and `to` taken `weight` times, over 256, rounded. `weight` is at most 256.
    fn mix(from: Self, to: Self, weight: u16) -> Self;

    /// The number, cut to the type.
    fn cut(number: u32) -> Self;
}

impl Component for u8 {
    const DEPTH: Depth = Depth::Eight;

    // At most 255 * 256 + 128, which 16 bits hold: twice as many numbers at a time as with 32.
    fn mix(from: Self, to: Self, weight: u16) -> Self {
        let sum = u16::from(from)
            .wrapping_mul(256_u16.wrapping_sub(weight))
            .wrapping_add(u16::from(to).wrapping_mul(weight))
            .wrapping_add(128);
        (sum >> 8) as u8
    }

    fn cut(number: u32) -> Self {
        number as u8
    }
}

impl Component for u16 {
    const DEPTH: Depth = Depth::Ten;

    fn mix(from: Self, to: Self, weight: u16) -> Self {
        // The difference of two 10-bit numbers times the weight, in the upper half of 32 bits and rounded by the highest
        // bit of the lower half: both halves are products of 16-bit numbers, eight of them at a time.
        let difference = (to as i16).wrapping_sub(from as i16).wrapping_mul(32);
        let product = i32::from(difference) * i32::from((weight as i16).wrapping_mul(8));
        let rounded = ((product >> 16) as i16).wrapping_add(((product as u16) >> 15) as i16);
        (from as i16).wrapping_add(rounded) as u16
    }

    fn cut(number: u32) -> Self {
        number as u16
    }
}

/// The numbers of one plane, to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a, T> {
    /// Rows, each `stride` after the other; the last may be shorter.
    pub(crate) numbers: &'a [T],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a, T> Plane<'a, T> {
    /// The rows, without what lies between them.
    pub(crate) fn rows(self) -> impl Iterator<Item = &'a [T]> {
        self.numbers.chunks(self.stride).take(self.height).map(move |row| &row[..self.width])
    }
}

/// The numbers of one plane, to write.
#[derive(Debug)]
pub(crate) struct PlaneMut<'a, T> {
    /// Rows, each `stride` after the other; the last may be shorter.
    pub(crate) numbers: &'a mut [T],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a, T> PlaneMut<'a, T> {
    /// The rows, without what lies between them.
    pub(crate) fn rows(self) -> impl Iterator<Item = &'a mut [T]> {
        let width = self.width;
        self.numbers.chunks_mut(self.stride).take(self.height).map(move |row| &mut row[..width])
    }
}

/// The format of 4:2:0 pictures of that depth.
pub(crate) fn planar(depth: Depth) -> Format {
    match depth {
        Depth::Eight => Format::AV_PIX_FMT_YUV420P,
        Depth::Ten => Format::AV_PIX_FMT_YUV420P10LE,
    }
}

impl Frame {
    /// Depth of the picture, if it is of one of the formats that [`planar`] gives (or JPEG's name for the first).
    pub(crate) fn depth(&self) -> Option<Depth> {
        match self.pixel_format()? {
            Format::AV_PIX_FMT_YUV420P | Format::AV_PIX_FMT_YUVJ420P => Some(Depth::Eight),
            Format::AV_PIX_FMT_YUV420P10LE => Some(Depth::Ten),
            _ => None,
        }
    }

    /// Plane `index` of a picture of `T`'s depth.
    pub(crate) fn plane<T: Component>(&self, index: usize) -> Result<Plane<'_, T>, AvError> {
        let (data, stride, width, height) = self.geometry::<T>("read a picture", index)?;
        let length = stride * (height - 1) + width;
        // SAFETY: `geometry` found `height` rows of `width` numbers, each `stride` after the other, which do not change
        // while the frame is borrowed; libav aligns rows for wider numbers than these.
        let numbers = unsafe { std::slice::from_raw_parts(data, length) };
        Ok(Plane { numbers, stride, width, height })
    }

    /// Plane `index` of a picture of `T`'s depth, to write. A picture that shares its numbers gets its own first.
    pub(crate) fn plane_mut<T: Component>(&mut self, index: usize) -> Result<PlaneMut<'_, T>, AvError> {
        const ACTION: &str = "write to a picture";
        // SAFETY: the frame is valid and borrowed mutably; this makes its buffers its own.
        check(ACTION, unsafe { ffi::av_frame_make_writable(self.as_ptr()) })?;
        let (data, stride, width, height) = self.geometry::<T>(ACTION, index)?;
        let length = stride * (height - 1) + width;
        // SAFETY: as in `plane`; nobody else refers to the numbers, and the borrow lasts as long as that of the frame.
        let numbers = unsafe { std::slice::from_raw_parts_mut(data, length) };
        Ok(PlaneMut { numbers, stride, width, height })
    }

    /// Start of a plane, and in numbers of `T`: distance between rows, width; and the number of rows, at least 1.
    fn geometry<T: Component>(
        &self,
        action: &'static str,
        index: usize,
    ) -> Result<(*mut T, usize, usize, usize), AvError> {
        if self.depth() != Some(T::DEPTH) || cfg!(target_endian = "big") && size_of::<T>() > 1 {
            return Err(AvError::new(action, "its pixel format is another one than expected"));
        }
        let half = u32::from(index > 0);
        let (width, height) = self.size();
        let (width, height) = (width.div_ceil(1 << half) as usize, height.div_ceil(1 << half) as usize);
        let missing = || AvError::new(action, "there is no such plane");
        let (data, bytes) = self.plane_pointer(index).filter(|_| index < PLANES).ok_or_else(missing)?;
        let data = data.cast::<T>();
        let stride = bytes / size_of::<T>();
        if bytes % size_of::<T>() != 0 || stride < width || !data.is_aligned() || height == 0 || width == 0 {
            return Err(missing());
        }
        Ok((data, stride, width, height))
    }
}
