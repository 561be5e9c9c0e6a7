//! Encoding: H.264 by libx264, AAC, and single JPEG pictures.

#![allow(unsafe_code)]

use std::ffi::{CString, c_int};

use ffmpeg_next::ffi;

use super::demux::Options;
use super::frame::{Frame, Packet};
use super::{AvError, check, log};
use crate::order::EncoderSettings;
use crate::plan::Canvas;
use crate::time::SAMPLE_RATE;

/// An open encoder.
pub(crate) struct Encoder(*mut ffi::AVCodecContext);

// SAFETY: an encoder is used by one thread at a time and has no tie to the one that made it.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An H.264 encoder for a segment. Timestamps are frame numbers. Equal canvas and settings give equal parameter
    /// sets, whatever the number of threads, so that segments can follow each other in one stream.
    pub(crate) fn video(canvas: &Canvas, settings: &EncoderSettings, threads: u32) -> Result<Self, AvError> {
        let rate = canvas.frame_rate;
        let seconds = u64::from(settings.keyframe_seconds);
        let keyint = (u64::from(rate.num()) * seconds).div_ceil(u64::from(rate.den())).max(1);
        let parameters = format!("keyint={keyint}:min-keyint={keyint}:scenecut=0:open-gop=0");
        let crf = settings.crf.to_string();
        let options = Options::new(&[
            ("preset", settings.preset.name()),
            ("crf", &crf),
            ("profile", "high"),
            ("x264-params", &parameters),
        ])?;
        let encoder = Self::allocate("libx264")?;
        // SAFETY: the context is valid and not open yet.
        let context = unsafe { &mut *encoder.0 };
        context.width = canvas.width as c_int;
        context.height = canvas.height as c_int;
        context.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        context.time_base = ffi::AVRational { num: rate.den() as c_int, den: rate.num() as c_int };
        context.framerate = ffi::AVRational { num: rate.num() as c_int, den: rate.den() as c_int };
        context.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        context.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        context.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        context.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
        context.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
        context.flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_CLOSED_GOP) as c_int;
        context.thread_count = threads.max(1) as c_int;
        encoder.open(options)
    }

    /// An AAC encoder for stereo at 48 kHz, as [`Encoder::aac`].
    pub(crate) fn audio(bit_rate: u32) -> Result<Self, AvError> {
        Self::aac(SAMPLE_RATE, 2, bit_rate, false)
    }

    /// An AAC-LC encoder for 1 or 2 channels. Timestamps are sample numbers; the first packet starts before 0, by the
    /// encoder's own delay.
    ///
    /// It searches its quantizers the fast way: a third of the processor time of libav's usual search. At 160 kbit/s
    /// its noise is 1 to 8 dB lower below 4 kHz, the same up to 8 kHz, and up to 2 dB higher above.
    ///
    /// A `faithful` one never replaces noise by other noise, nor a pair of channels by one and its directions: its
    /// signal is as like the given one as the bit rate allows.
    pub(crate) fn aac(
        sample_rate: u32,
        channels: u32,
        bit_rate: u32,
        faithful: bool,
    ) -> Result<Self, AvError> {
        let encoder = Self::allocate("aac")?;
        // SAFETY: the context is valid and not open yet.
        let context = unsafe { &mut *encoder.0 };
        context.sample_fmt = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
        context.sample_rate = sample_rate as c_int;
        context.bit_rate = i64::from(bit_rate);
        context.time_base = ffi::AVRational { num: 1, den: sample_rate.max(1) as c_int };
        context.flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_BITEXACT) as c_int;
        // SAFETY: fills in the layout of a valid context.
        unsafe { ffi::av_channel_layout_default(&mut context.ch_layout, channels as c_int) };
        let approximate = if faithful { "0" } else { "1" };
        let options = [("aac_coder", "fast"), ("aac_pns", approximate), ("aac_is", approximate)];
        encoder.open(Options::new(&options)?)
    }

    /// A JPEG encoder for one picture in full range.
    fn jpeg(width: u32, height: u32) -> Result<Self, AvError> {
        let encoder = Self::allocate("mjpeg")?;
        // SAFETY: the context is valid and not open yet.
        let context = unsafe { &mut *encoder.0 };
        context.width = width as c_int;
        context.height = height as c_int;
        context.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P;
        context.time_base = ffi::AVRational { num: 1, den: 1 };
        context.flags |= (ffi::AV_CODEC_FLAG_QSCALE | ffi::AV_CODEC_FLAG_BITEXACT) as c_int;
        context.global_quality = 4 * ffi::FF_QP2LAMBDA;
        encoder.open(Options::new(&[])?)
    }

    fn allocate(name: &'static str) -> Result<Self, AvError> {
        log::install();
        let c_name = CString::new(name).map_err(|_| AvError::new("open the encoder", "bad name"))?;
        // SAFETY: constant name; returns a constant table or null.
        let codec = unsafe { ffi::avcodec_find_encoder_by_name(c_name.as_ptr()) };
        if codec.is_null() {
            return Err(AvError::new("open the encoder", format!("this libav has no {name}")));
        }
        // SAFETY: allocates; the result is checked.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() { Err(AvError::OutOfMemory) } else { Ok(Self(context)) }
    }

    fn open(self, mut options: Options) -> Result<Self, AvError> {
        // SAFETY: the context is valid, filled in, and opened once with the codec that it was allocated for.
        let opened = unsafe { ffi::avcodec_open2(self.0, (*self.0).codec, options.as_mut_ptr()) };
        check("open the encoder", opened)?;
        Ok(self)
    }

    /// Gives a frame, or the end of all with `None`, and hands every finished packet to `take`.
    pub(crate) fn encode<E: From<AvError>>(
        &mut self,
        frame: Option<&Frame>,
        mut take: impl FnMut(&Packet) -> Result<(), E>,
    ) -> Result<(), E> {
        let raw = frame.map_or(std::ptr::null(), |frame| frame.as_ptr().cast_const());
        // SAFETY: the encoder is open, the frame valid or null; libav takes its own reference.
        check("encode", unsafe { ffi::avcodec_send_frame(self.0, raw) })?;
        let packet = Packet::new()?;
        loop {
            // SAFETY: both are valid; libav releases the packet's old content.
            match unsafe { ffi::avcodec_receive_packet(self.0, packet.as_ptr()) } {
                0.. => take(&packet)?,
                ffi::AVERROR_EOF => return Ok(()),
                code if code == ffi::AVERROR(libc::EAGAIN) => return Ok(()),
                code => return Err(AvError::from_code("encode", code).into()),
            }
        }
    }

    /// The stream's header (for H.264 its parameter sets), as the container keeps it.
    pub(crate) fn header(&self) -> Vec<u8> {
        // SAFETY: libav keeps `extradata_size` bytes at `extradata` while the encoder is open.
        unsafe {
            let context = &*self.0;
            if context.extradata.is_null() || context.extradata_size <= 0 {
                return Vec::new();
            }
            std::slice::from_raw_parts(context.extradata, context.extradata_size as usize).to_vec()
        }
    }

    /// Samples in each frame but the last.
    pub(crate) fn frame_samples(&self) -> usize {
        // SAFETY: the encoder is valid.
        unsafe { (*self.0).frame_size }.max(1) as usize
    }

    /// Copies what the container needs to know.
    pub(crate) fn describe_to(&self, parameters: *mut ffi::AVCodecParameters) -> Result<(), AvError> {
        // SAFETY: the encoder is open; `parameters` belongs to a stream of an open writer, say its callers in this
        // folder.
        check("describe a stream", unsafe { ffi::avcodec_parameters_from_context(parameters, self.0) })?;
        Ok(())
    }
}

/// Describes an AAC stream by its header (an AudioSpecificConfig) to a container, for packets that no encoder of ours
/// made.
///
/// # Safety
/// `parameters` must be valid, such as those of a stream of an open writer.
#[cfg_attr(not(test), expect(dead_code, reason = "no container is written from a finished track yet"))]
pub(crate) unsafe fn describe_aac(
    parameters: *mut ffi::AVCodecParameters,
    header: &[u8],
    sample_rate: u32,
    channels: u32,
) -> Result<(), AvError> {
    let size = c_int::try_from(header.len())
        .map_err(|_| AvError::new("describe a stream", "its header is too long"))?;
    let padded = header.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: the parameters are valid, says the caller; the header is copied into zeroed memory of libav's own allocator
    // and freed with them, as what was there before is.
    unsafe {
        let copy = ffi::av_mallocz(padded).cast::<u8>();
        if copy.is_null() {
            return Err(AvError::OutOfMemory);
        }
        std::ptr::copy_nonoverlapping(header.as_ptr(), copy, header.len());
        let parameters = &mut *parameters;
        ffi::av_freep(std::ptr::addr_of_mut!(parameters.extradata).cast());
        parameters.extradata = copy;
        parameters.extradata_size = size;
        parameters.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
        parameters.codec_id = ffi::AVCodecID::AV_CODEC_ID_AAC;
        parameters.profile = ffi::FF_PROFILE_AAC_LOW as c_int;
        parameters.format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as c_int;
        parameters.sample_rate = sample_rate as c_int;
        parameters.frame_size = 1024;
        ffi::av_channel_layout_default(&mut parameters.ch_layout, channels as c_int);
    }
    Ok(())
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the encoder is valid and not used afterwards.
        unsafe { ffi::avcodec_free_context(&mut self.0) };
    }
}

/// A picture made by [`super::scale::Scaler::scale_for_jpeg`] as a JPEG file.
pub(crate) fn jpeg(picture: &Frame) -> Result<Vec<u8>, AvError> {
    let (width, height) = picture.size();
    let mut encoder = Encoder::jpeg(width, height)?;
    let mut bytes = Vec::new();
    let mut take = |packet: &Packet| -> Result<(), AvError> {
        bytes.extend_from_slice(packet.data());
        Ok(())
    };
    encoder.encode(Some(picture), &mut take)?;
    encoder.encode(None, &mut take)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_stream_is_like_the_encoders() {
        let encoder = Encoder::aac(44_100, 1, 64_000, false).unwrap();
        // SAFETY: both are allocated here, used by this thread alone, and freed once.
        unsafe {
            let mut ours = ffi::avcodec_parameters_alloc();
            let mut theirs = ffi::avcodec_parameters_alloc();
            assert!(!ours.is_null() && !theirs.is_null());
            encoder.describe_to(theirs).unwrap();
            for _ in 0..2 {
                describe_aac(ours, &encoder.header(), 44_100, 1).unwrap();
            }
            let form = |parameters: *mut ffi::AVCodecParameters| {
                let parameters = &*parameters;
                let header =
                    std::slice::from_raw_parts(parameters.extradata, parameters.extradata_size as usize);
                let rate = (parameters.sample_rate, parameters.ch_layout.nb_channels, parameters.frame_size);
                (parameters.codec_id, parameters.codec_type, parameters.profile, rate, header.to_vec())
            };
            assert_eq!(form(ours), form(theirs));
            ffi::avcodec_parameters_free(&mut ours);
            ffi::avcodec_parameters_free(&mut theirs);
        }
    }
}
