//! Packets and frames.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};

use ffmpeg_next::ffi;

use super::{AvError, check};
use crate::colour::{Colour, Matrix};

/// One coded picture or run of samples.
pub(crate) struct Packet(*mut ffi::AVPacket);

// SAFETY: a packet owns its data and has no tie to the thread that made it.
unsafe impl Send for Packet {}

impl Packet {
    /// An empty packet.
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: allocates; the result is checked.
        let packet = unsafe { ffi::av_packet_alloc() };
        if packet.is_null() { Err(AvError::OutOfMemory) } else { Ok(Self(packet)) }
    }

    /// A packet with a copy of `data`.
    pub(crate) fn with_data(data: &[u8]) -> Result<Self, AvError> {
        let packet = Self::new()?;
        let length = c_int::try_from(data.len()).map_err(|_| AvError::new("make a packet", "too long"))?;
        // SAFETY: the packet is valid and empty.
        check("make a packet", unsafe { ffi::av_new_packet(packet.0, length) })?;
        // SAFETY: `av_new_packet` gave `data.len()` writable bytes.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), (*packet.0).data, data.len()) };
        Ok(packet)
    }

    /// The raw packet.
    pub(crate) fn as_ptr(&self) -> *mut ffi::AVPacket {
        self.0
    }

    /// Index of the packet's stream.
    pub(crate) fn stream(&self) -> u32 {
        // SAFETY: the packet is valid as long as `self`.
        unsafe { (*self.0).stream_index }.max(0) as u32
    }

    /// Presentation time in the stream's unit.
    pub(crate) fn pts(&self) -> Option<i64> {
        // SAFETY: as above.
        known(unsafe { (*self.0).pts })
    }

    /// Length in the stream's unit; 0 when unknown.
    pub(crate) fn duration(&self) -> i64 {
        // SAFETY: as above.
        unsafe { (*self.0).duration }
    }

    /// Whether decoding can start here.
    pub(crate) fn is_key(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.0).flags & ffi::AV_PKT_FLAG_KEY != 0 }
    }

    /// The coded bytes.
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: libav keeps `size` bytes at `data`, unchanged while the packet is borrowed.
        unsafe {
            let packet = &*self.0;
            if packet.data.is_null() || packet.size <= 0 {
                return &[];
            }
            std::slice::from_raw_parts(packet.data, packet.size as usize)
        }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: the packet is valid and not used afterwards.
        unsafe { ffi::av_packet_free(&mut self.0) };
    }
}

/// One decoded picture or run of samples.
pub(crate) struct Frame(*mut ffi::AVFrame);

// SAFETY: a frame owns or counts its buffers, atomically, and has no tie to the thread that made it.
unsafe impl Send for Frame {}

/// The matrices with libav's names for them; where there are two, the usual one comes last.
const MATRICES: [(ffi::AVColorSpace, Matrix); 7] = [
    (ffi::AVColorSpace::AVCOL_SPC_BT709, Matrix::Bt709),
    (ffi::AVColorSpace::AVCOL_SPC_FCC, Matrix::Fcc),
    (ffi::AVColorSpace::AVCOL_SPC_BT470BG, Matrix::Bt601),
    (ffi::AVColorSpace::AVCOL_SPC_SMPTE170M, Matrix::Bt601),
    (ffi::AVColorSpace::AVCOL_SPC_SMPTE240M, Matrix::Smpte240m),
    (ffi::AVColorSpace::AVCOL_SPC_BT2020_CL, Matrix::Bt2020),
    (ffi::AVColorSpace::AVCOL_SPC_BT2020_NCL, Matrix::Bt2020),
];

impl Frame {
    /// An empty frame.
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: allocates; the result is checked.
        let frame = unsafe { ffi::av_frame_alloc() };
        if frame.is_null() { Err(AvError::OutOfMemory) } else { Ok(Self(frame)) }
    }

    /// A picture with room for its pixels.
    pub(crate) fn picture(width: u32, height: u32, format: ffi::AVPixelFormat) -> Result<Self, AvError> {
        let frame = Self::new()?;
        // SAFETY: the frame is valid, empty and not shared.
        unsafe {
            (*frame.0).width = width as c_int;
            (*frame.0).height = height as c_int;
            (*frame.0).format = format as c_int;
            check("make a picture", ffi::av_frame_get_buffer(frame.0, 0))?;
        }
        Ok(frame)
    }

    /// Room for `samples` samples of 1 or 2 channels, each a plane of `f32`.
    pub(crate) fn sound_of(samples: usize, channels: u32, sample_rate: u32) -> Result<Self, AvError> {
        let frame = Self::new()?;
        // SAFETY: the frame is valid, empty and not shared.
        unsafe {
            (*frame.0).nb_samples = samples as c_int;
            (*frame.0).format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as c_int;
            (*frame.0).sample_rate = sample_rate as c_int;
            ffi::av_channel_layout_default(&mut (*frame.0).ch_layout, channels as c_int);
            check("make a sound frame", ffi::av_frame_get_buffer(frame.0, 0))?;
        }
        Ok(frame)
    }

    /// The raw frame.
    pub(crate) fn as_ptr(&self) -> *mut ffi::AVFrame {
        self.0
    }

    fn raw(&self) -> &ffi::AVFrame {
        // SAFETY: the frame is valid as long as `self`, and changed only through `&mut self` or by the call that it is
        // given to.
        unsafe { &*self.0 }
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.raw().width.max(0) as u32, self.raw().height.max(0) as u32)
    }

    /// libav's best guess of the presentation time, in the stream's unit.
    pub(crate) fn timestamp(&self) -> Option<i64> {
        known(self.raw().best_effort_timestamp)
    }

    /// Length in the stream's unit; 0 when unknown.
    pub(crate) fn duration(&self) -> i64 {
        self.raw().pkt_duration.max(0)
    }

    /// Number of samples.
    pub(crate) fn samples(&self) -> usize {
        self.raw().nb_samples.max(0) as usize
    }

    /// Number of channels of sound.
    pub(crate) fn channels(&self) -> u32 {
        self.raw().ch_layout.nb_channels.max(0) as u32
    }

    /// Samples per second.
    pub(crate) fn sample_rate(&self) -> u32 {
        self.raw().sample_rate.max(0) as u32
    }

    /// Whether the decoder says that the picture is damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.raw().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0 || self.raw().decode_error_flags != 0
    }

    /// Whether the picture consists of two fields.
    pub(crate) fn is_interlaced(&self) -> bool {
        self.raw().interlaced_frame != 0
    }

    /// Width of a pixel over its height; `None` when unknown.
    pub(crate) fn pixel_shape(&self) -> Option<(u32, u32)> {
        let shape = self.raw().sample_aspect_ratio;
        (shape.num > 0 && shape.den > 0).then_some((shape.num as u32, shape.den as u32))
    }

    /// Says the shape of a pixel, in the frame itself.
    pub(crate) fn set_pixel_shape(&mut self, (width, height): (u32, u32)) {
        let side = |side: u32| c_int::try_from(side).unwrap_or(1);
        // SAFETY: the frame is valid and borrowed mutably.
        unsafe { (*self.0).sample_aspect_ratio = ffi::AVRational { num: side(width), den: side(height) } };
    }

    /// The same picture again, sharing its pixels until one of the two is written to. What a decoder said besides the
    /// pixels (the kind of picture, captions, wishes for quality) is left out: an encoder would follow it.
    pub(crate) fn share(&self) -> Result<Self, AvError> {
        let frame = Self::new()?;
        // SAFETY: both frames are valid, and the new one is empty.
        check("share a picture", unsafe { ffi::av_frame_ref(frame.0, self.0) })?;
        // SAFETY: the new frame is valid and not shared; the side data is counted, and released for this frame only.
        unsafe {
            let raw = &mut *frame.0;
            raw.pict_type = ffi::AVPictureType::AV_PICTURE_TYPE_NONE;
            raw.key_frame = 0;
            raw.interlaced_frame = 0;
            raw.repeat_pict = 0;
            raw.quality = 0;
            while raw.nb_side_data > 0 {
                let before = raw.nb_side_data;
                let kind = std::ptr::addr_of!((**raw.side_data).type_).read();
                ffi::av_frame_remove_side_data(raw, kind);
                if raw.nb_side_data >= before {
                    break;
                }
            }
            ffi::av_dict_free(&mut raw.metadata);
        }
        Ok(frame)
    }

    /// The pixel format, if it is one that this libav knows.
    pub(crate) fn pixel_format(&self) -> Option<ffi::AVPixelFormat> {
        pixel_format(self.raw().format)
    }

    /// Matrix and range of the colours as numbers. Some decoders pass on any number that a stream holds, so these are
    /// never read as the enumerations that they should be.
    fn colour_numbers(&self) -> (c_int, c_int) {
        // SAFETY: the fields are valid 32-bit numbers of a valid frame, read without a claim about their values.
        unsafe {
            let matrix = std::ptr::addr_of!((*self.0).colorspace).cast::<c_int>().read();
            let range = std::ptr::addr_of!((*self.0).color_range).cast::<c_int>().read();
            (matrix, range)
        }
    }

    /// What the colours mean; [`Matrix::usual`] and limited range where the source does not say.
    pub(crate) fn colour(&self) -> Colour {
        use ffi::AVPixelFormat as Format;
        let (width, height) = self.size();
        let (number, range) = self.colour_numbers();
        let known = MATRICES.iter().find(|(space, _)| *space as c_int == number);
        let matrix = known.map_or_else(|| Matrix::usual(width, height), |(_, matrix)| *matrix);
        let old_full_range = matches!(
            self.pixel_format(),
            Some(Format::AV_PIX_FMT_YUVJ420P | Format::AV_PIX_FMT_YUVJ422P | Format::AV_PIX_FMT_YUVJ444P)
        );
        let full_range = old_full_range || range == ffi::AVColorRange::AVCOL_RANGE_JPEG as c_int;
        Colour { matrix, full_range }
    }

    /// Says what the colours mean, in the frame itself.
    pub(crate) fn set_colour(&mut self, colour: Colour) {
        let known = MATRICES.iter().rev().find(|(_, matrix)| *matrix == colour.matrix);
        // SAFETY: the frame is valid and borrowed mutably.
        let frame = unsafe { &mut *self.0 };
        frame.colorspace = known.map_or(ffi::AVColorSpace::AVCOL_SPC_UNSPECIFIED, |(space, _)| *space);
        frame.color_range = if colour.full_range {
            ffi::AVColorRange::AVCOL_RANGE_JPEG
        } else {
            ffi::AVColorRange::AVCOL_RANGE_MPEG
        };
    }

    /// Names of pixel format, colour matrix and colour range, and the bits per component.
    pub(crate) fn describe(&self) -> (String, String, String, u32) {
        use ffi::AVColorSpace as Space;
        let Some(format) = self.pixel_format() else {
            return Default::default();
        };
        let number = self.colour_numbers().0;
        let matrix = match number {
            n if n == Space::AVCOL_SPC_UNSPECIFIED as c_int => "unknown".to_owned(),
            n if n == Space::AVCOL_SPC_BT709 as c_int => "bt709".to_owned(),
            n if n == Space::AVCOL_SPC_BT470BG as c_int => "bt470bg".to_owned(),
            n if n == Space::AVCOL_SPC_SMPTE170M as c_int => "smpte170m".to_owned(),
            n if n == Space::AVCOL_SPC_BT2020_NCL as c_int => "bt2020nc".to_owned(),
            other => format!("matrix {other}"),
        };
        let colour = self.colour();
        let range = if colour.full_range { "pc" } else { "tv" };
        // SAFETY: returns a constant table or null for any format.
        let depth =
            unsafe { ffi::av_pix_fmt_desc_get(format).as_ref() }.map_or(8, |table| table.comp[0].depth);
        // SAFETY: returns a constant text or null for any format.
        let name = text(unsafe { ffi::av_get_pix_fmt_name(format) });
        (name, matrix, range.to_owned(), depth.max(0) as u32)
    }

    /// Sets the presentation time.
    pub(crate) fn set_pts(&mut self, pts: i64) {
        // SAFETY: the frame is valid and borrowed mutably.
        unsafe { (*self.0).pts = pts };
    }

    /// Start of plane `index` and the distance between its rows in bytes.
    pub(crate) fn plane_pointer(&self, index: usize) -> Option<(*mut u8, usize)> {
        let raw = self.raw();
        let (data, stride) = (*raw.data.get(index)?, *raw.linesize.get(index)?);
        (!data.is_null() && stride > 0).then_some((data, stride as usize))
    }

    /// The samples of plane `index` of a frame made by [`Frame::sound_of`].
    pub(crate) fn sound_plane_mut(&mut self, index: usize) -> Result<&mut [f32], AvError> {
        let samples = self.samples();
        if index >= self.channels() as usize || index >= self.raw().data.len() {
            return Err(AvError::new("write to a sound frame", "there is no such channel"));
        }
        // SAFETY: the frame is valid and borrowed mutably; this makes its buffers its own.
        check("write to a sound frame", unsafe { ffi::av_frame_make_writable(self.0) })?;
        // SAFETY: such a frame has a plane of `samples` aligned `f32` for each channel, owned by it alone.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw().data[index].cast(), samples) })
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the frame is valid and not used afterwards.
        unsafe { ffi::av_frame_free(&mut self.0) };
    }
}

/// A pixel format from its number, if it is one that this libav knows.
pub(crate) fn pixel_format(number: c_int) -> Option<ffi::AVPixelFormat> {
    if number < 0 || number >= ffi::AVPixelFormat::AV_PIX_FMT_NB as c_int {
        return None;
    }
    // SAFETY: libav numbers its formats without gaps from 0 to `AV_PIX_FMT_NB`.
    Some(unsafe { std::mem::transmute::<c_int, ffi::AVPixelFormat>(number) })
}

/// A text of libav's, or `unknown`.
pub(crate) fn text(constant: *const std::ffi::c_char) -> String {
    if constant.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: libav's names are constants that end with a zero.
    unsafe { CStr::from_ptr(constant) }.to_string_lossy().into_owned()
}

/// A timestamp, unless it is libav's mark for none.
pub(crate) fn known(timestamp: i64) -> Option<i64> {
    (timestamp != ffi::AV_NOPTS_VALUE).then_some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_picture_has_its_pixels_but_not_what_its_decoder_said() {
        let frame = Frame::picture(32, 16, ffi::AVPixelFormat::AV_PIX_FMT_YUV420P).unwrap();
        // SAFETY: the frame is valid and not shared; libav owns the side data that it allocates.
        unsafe {
            (*frame.0).pict_type = ffi::AVPictureType::AV_PICTURE_TYPE_I;
            (*frame.0).key_frame = 1;
            let captions = ffi::AVFrameSideDataType::AV_FRAME_DATA_A53_CC;
            let regions = ffi::AVFrameSideDataType::AV_FRAME_DATA_REGIONS_OF_INTEREST;
            for kind in [captions, regions, captions] {
                assert!(!ffi::av_frame_new_side_data(frame.0, kind, 8).is_null());
            }
        }
        let shared = frame.share().unwrap();
        assert_eq!(shared.plane_pointer(1), frame.plane_pointer(1));
        assert_eq!(shared.raw().nb_side_data, 0);
        assert_eq!(shared.raw().pict_type, ffi::AVPictureType::AV_PICTURE_TYPE_NONE);
        assert_eq!((shared.raw().key_frame, frame.raw().key_frame, frame.raw().nb_side_data), (0, 1, 3));
    }
}
