//! Encoding: H.264 by libx264, HEVC by libx265, AAC, and single JPEG pictures.

#![allow(unsafe_code)]

use std::ffi::{CString, c_int};

use ffmpeg_next::ffi;

use super::demux::Options;
use super::frame::{Frame, Packet};
use super::plane::planar;
use super::{AvError, check, log};
use crate::colour::Depth;
use crate::facts::VideoFacts;
use crate::order::EncoderSettings;
use crate::plan::{Canvas, VideoCodec};

/// The quality of what stands beside copied pictures: practically that of the source.
const EDGE_CRF: u8 = 18;

/// What pictures are encoded to stand beside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Likeness<'a> {
    /// The source's picture.
    pub(crate) video: &'a VideoFacts,
    /// Most bits per second, where the source's own rate is known.
    pub(crate) most_bits: Option<u64>,
}

/// The profile for libx264: the source's where it is one of the usual ones.
fn h264_profile(canvas: &Canvas, like: Option<&Likeness<'_>>) -> &'static str {
    if canvas.bit_depth > 8 {
        return "high10";
    }
    // The low byte is the profile; libav keeps constraints in the ones above.
    match like.map(|like| like.video.profile & 0xff) {
        Some(66) => "baseline",
        Some(77) => "main",
        _ => "high",
    }
}

/// An open encoder.
pub(crate) struct Encoder(*mut ffi::AVCodecContext);

// SAFETY: an encoder is used by one thread at a time and has no tie to the one that made it.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder for a segment's pictures. Timestamps are frame numbers. Equal arguments give equal bytes, but for the
    /// number of threads, which changes nothing either in how a stream is started.
    pub(crate) fn video(
        canvas: &Canvas,
        settings: &EncoderSettings,
        like: Option<&Likeness<'_>>,
        threads: u32,
    ) -> Result<Self, AvError> {
        let rate = canvas.frame_rate;
        let seconds = u64::from(settings.keyframe_seconds);
        let keyint = (u64::from(rate.num()) * seconds).div_ceil(u64::from(rate.den())).max(1);
        // What stands beside copied pictures is made a little better than what stands alone.
        let crf = if like.is_some() { settings.crf.min(EDGE_CRF) } else { settings.crf };
        let encoder = match canvas.codec {
            VideoCodec::H264 => Self::allocate("libx264")?,
            VideoCodec::Hevc => Self::allocate("libx265")?,
        };
        let parameters = format!("keyint={keyint}:min-keyint={keyint}:scenecut=0:open-gop=0");
        let options = match canvas.codec {
            VideoCodec::H264 => {
                let crf = crf.to_string();
                let profile = h264_profile(canvas, like);
                let tune = settings.drawn.then_some(("tune", "animation"));
                let options = [
                    ("preset", settings.preset.name()),
                    ("crf", &crf),
                    ("profile", profile),
                    ("x264-params", &parameters),
                ];
                Options::new(&options.into_iter().chain(tune).collect::<Vec<_>>())?
            }
            VideoCodec::Hevc => {
                // The scale of HEVC's encoder is another one: the same number looks better.
                let crf = (crf + 4).min(51).to_string();
                let threads = threads.max(1);
                let parameters = format!(
                    "{parameters}:repeat-headers=0:info=0:log-level=none:frame-threads=1:pools={threads}"
                );
                Options::new(&[
                    ("preset", settings.preset.name()),
                    ("crf", &crf),
                    ("x265-params", &parameters),
                ])?
            }
        };
        let colour = like.map_or(&canvas.colour, |like| &like.video.colour);
        // SAFETY: the context is valid and not open yet.
        let context = unsafe { &mut *encoder.0 };
        context.width = canvas.width as c_int;
        context.height = canvas.height as c_int;
        context.pix_fmt = planar(Depth::of(canvas.bit_depth));
        context.time_base = ffi::AVRational { num: rate.den() as c_int, den: rate.num() as c_int };
        context.framerate = ffi::AVRational { num: rate.num() as c_int, den: rate.den() as c_int };
        context.sample_aspect_ratio =
            ffi::AVRational { num: canvas.sar_num as c_int, den: canvas.sar_den as c_int };
        context.color_range = if colour.full_range {
            ffi::AVColorRange::AVCOL_RANGE_JPEG
        } else {
            ffi::AVColorRange::AVCOL_RANGE_MPEG
        };
        let [primaries, transfer, matrix] = colour.codes().map(u32::from);
        // SAFETY: libav's numbers are those of ITU-T H.273, and `codes` gives only ones that it has names for.
        unsafe {
            context.color_primaries = std::mem::transmute::<u32, ffi::AVColorPrimaries>(primaries);
            context.color_trc = std::mem::transmute::<u32, ffi::AVColorTransferCharacteristic>(transfer);
            context.colorspace = std::mem::transmute::<u32, ffi::AVColorSpace>(matrix);
        }
        if let Some(like) = like {
            if canvas.codec == VideoCodec::H264 && like.video.level > 0 {
                context.level = like.video.level as c_int;
            }
            if let Some(rate) = like.most_bits.filter(|_| canvas.codec == VideoCodec::H264) {
                context.rc_max_rate = rate as i64;
                context.rc_buffer_size = c_int::try_from(rate).unwrap_or(c_int::MAX);
            }
        }
        context.flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_CLOSED_GOP) as c_int;
        context.thread_count = threads.max(1) as c_int;
        encoder.open(options)
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
