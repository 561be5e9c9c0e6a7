//! Decoding: packets in, frames out. Only decoders of a short list exist here.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};

use ffmpeg_next::ffi;

use super::demux::{Demuxer, Media};
use super::frame::{Frame, Packet};
use super::{AvError, check, log};

/// Codecs whose pictures are decoded, with the decoder that does it.
pub(crate) const VIDEO_DECODERS: &[(&str, &str)] = &[
    ("h264", "h264"),
    ("hevc", "hevc"),
    ("vp8", "vp8"),
    ("vp9", "vp9"),
    ("av1", "libdav1d"),
    ("mpeg1video", "mpeg1video"),
    ("mpeg2video", "mpeg2video"),
    ("mpeg4", "mpeg4"),
];

/// Codecs whose sound is decoded, with the decoder that does it.
pub(crate) const AUDIO_DECODERS: &[(&str, &str)] = &[
    ("aac", "aac"),
    ("mp3", "mp3float"),
    ("mp2", "mp2float"),
    ("mp1", "mp1float"),
    ("ac3", "ac3"),
    ("eac3", "eac3"),
    ("opus", "opus"),
    ("vorbis", "vorbis"),
    ("flac", "flac"),
    ("alac", "alac"),
    ("pcm_s16le", "pcm_s16le"),
    ("pcm_s16be", "pcm_s16be"),
    ("pcm_s24le", "pcm_s24le"),
    ("pcm_f32le", "pcm_f32le"),
];

/// Whether a codec is decoded, by libav's name for it.
pub(crate) fn is_decoded(media: Media, codec: &str) -> bool {
    decoder_name(media, codec).is_some()
}

fn decoder_name(media: Media, codec: &str) -> Option<&'static str> {
    let list = match media {
        Media::Video => VIDEO_DECODERS,
        Media::Audio => AUDIO_DECODERS,
    };
    list.iter().find(|(name, _)| *name == codec).map(|(_, decoder)| *decoder)
}

/// What a decoder answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// There is a frame.
    Frame,
    /// It wants more packets.
    More,
    /// There is nothing more.
    End,
    /// A packet was damaged; the next may be fine.
    Damaged,
}

/// An open decoder of one stream.
pub(crate) struct Decoder(*mut ffi::AVCodecContext);

// SAFETY: a decoder is used by one thread at a time and has no tie to the one that made it.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Opens the decoder of a stream. A picture of more than `max_pixels` is an error before memory is taken for it.
    pub(crate) fn open(
        demuxer: &Demuxer,
        media: Media,
        index: u32,
        threads: u32,
        max_pixels: u64,
    ) -> Result<Self, AvError> {
        const ACTION: &str = "open the decoder";
        let info = demuxer.stream_info(index)?;
        let name = decoder_name(media, &info.codec).ok_or_else(|| AvError::new(ACTION, "unknown codec"))?;
        let name = std::ffi::CString::new(name).map_err(|_| AvError::new(ACTION, "bad name"))?;
        let stream = demuxer.stream_ptr(index)?;
        // SAFETY: constant name; returns a constant table or null.
        let codec = unsafe { ffi::avcodec_find_decoder_by_name(name.as_ptr()) };
        if codec.is_null() {
            let name = CStr::to_string_lossy(&name).into_owned();
            return Err(AvError::new(ACTION, format!("this libav has no {name}")));
        }
        // SAFETY: allocates; the result is checked.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() {
            return Err(AvError::OutOfMemory);
        }
        let decoder = Self(context);
        // SAFETY: context, stream and parameters are valid; the parameters are copied.
        unsafe {
            check(ACTION, ffi::avcodec_parameters_to_context(context, (*stream).codecpar))?;
            (*context).pkt_timebase = (*stream).time_base;
            (*context).thread_count = threads.max(1) as c_int;
            (*context).max_pixels = max_pixels.min(i32::MAX as u64) as i64;
            check(ACTION, ffi::avcodec_open2(context, codec, std::ptr::null_mut()))?;
        }
        Ok(decoder)
    }

    /// Opens an AAC decoder for packets without a container, by their stream's header (its AudioSpecificConfig).
    pub(crate) fn aac(header: &[u8]) -> Result<Self, AvError> {
        const ACTION: &str = "open the decoder";
        log::install();
        let length =
            c_int::try_from(header.len()).map_err(|_| AvError::new(ACTION, "its header is too long"))?;
        // SAFETY: constant name; returns a constant table or null.
        let codec = unsafe { ffi::avcodec_find_decoder_by_name(c"aac".as_ptr()) };
        if codec.is_null() {
            return Err(AvError::new(ACTION, "this libav has no aac"));
        }
        // SAFETY: allocates; the result is checked.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() {
            return Err(AvError::OutOfMemory);
        }
        let decoder = Self(context);
        // SAFETY: the context is valid and not open; the header is copied into memory of libav's own allocator with the
        // zeros behind it that decoders want, and freed with the context.
        unsafe {
            let padded = header.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
            let copy = ffi::av_mallocz(padded).cast::<u8>();
            if copy.is_null() {
                return Err(AvError::OutOfMemory);
            }
            std::ptr::copy_nonoverlapping(header.as_ptr(), copy, header.len());
            (*context).extradata = copy;
            (*context).extradata_size = length;
            (*context).thread_count = 1;
            check(ACTION, ffi::avcodec_open2(context, codec, std::ptr::null_mut()))?;
        }
        Ok(decoder)
    }

    /// Gives a packet, or the end of all with `None`. `false`: it was damaged and is passed over.
    pub(crate) fn send(&mut self, packet: Option<&Packet>) -> Result<bool, AvError> {
        let raw = packet.map_or(std::ptr::null(), |packet| packet.as_ptr().cast_const());
        // SAFETY: the decoder is valid, the packet valid or null; libav takes its own reference.
        match unsafe { ffi::avcodec_send_packet(self.0, raw) } {
            0.. | ffi::AVERROR_EOF => Ok(true),
            code if code == ffi::AVERROR(libc::ENOMEM) => Err(AvError::OutOfMemory),
            _ => Ok(false),
        }
    }

    /// Takes the next frame.
    pub(crate) fn receive(&mut self, frame: &mut Frame) -> Result<Decoded, AvError> {
        // SAFETY: both are valid; libav releases the frame's old content.
        match unsafe { ffi::avcodec_receive_frame(self.0, frame.as_ptr()) } {
            0.. => Ok(Decoded::Frame),
            ffi::AVERROR_EOF => Ok(Decoded::End),
            code if code == ffi::AVERROR(libc::EAGAIN) => Ok(Decoded::More),
            code if code == ffi::AVERROR(libc::ENOMEM) => Err(AvError::OutOfMemory),
            _ => Ok(Decoded::Damaged),
        }
    }

    /// From now on edges of blocks are not smoothed: the pictures look a little coarser, and a third of the time is saved. What
    /// is wrong with a stream is found all the same.
    pub(crate) fn skip_smoothing(&mut self) {
        // SAFETY: the decoder is valid and borrowed mutably; libav looks at the field before each picture.
        unsafe { (*self.0).skip_loop_filter = ffi::AVDiscard::AVDISCARD_ALL };
    }

    /// Whether pictures that no other one needs are passed over from now on.
    pub(crate) fn skip_unneeded(&mut self, skip: bool) {
        let discard = if skip { ffi::AVDiscard::AVDISCARD_NONREF } else { ffi::AVDiscard::AVDISCARD_DEFAULT };
        // SAFETY: as above.
        unsafe { (*self.0).skip_frame = discard };
    }

    /// Forgets everything, after a seek or the end.
    pub(crate) fn reset(&mut self) {
        // SAFETY: the decoder is valid and open.
        unsafe { ffi::avcodec_flush_buffers(self.0) };
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the decoder is valid and not used afterwards.
        unsafe { ffi::avcodec_free_context(&mut self.0) };
    }
}
