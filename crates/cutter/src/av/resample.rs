//! Sound of any rate and layout to interleaved `f32` of a wanted rate, mono or stereo.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use ffmpeg_next::ffi;

use super::frame::Frame;
use super::{AvError, check};

const ACTION: &str = "resample sound";

/// A resampler that is set up by the first frame that it gets.
pub(crate) struct Resampler {
    context: *mut ffi::SwrContext,
    /// Rate, sample format and number of channels of what comes in.
    input: Option<(u32, c_int, c_int)>,
    rate: u32,
    channels: u32,
}

impl Resampler {
    /// A resampler to `channels` (1 or 2) at `rate`.
    pub(crate) fn new(rate: u32, channels: u32) -> Self {
        Self { context: ptr::null_mut(), input: None, rate, channels }
    }

    /// Whether a frame has the form that this resampler was set up for.
    pub(crate) fn fits(&self, frame: &Frame) -> bool {
        self.input.is_none_or(|input| input == form(frame))
    }

    /// Converts a frame and appends to `out`. All frames must have the same form, see [`Resampler::fits`].
    pub(crate) fn push(&mut self, frame: &Frame, out: &mut Vec<f32>) -> Result<(), AvError> {
        if self.input.is_none() {
            self.set_up(frame)?;
        }
        // SAFETY: the frame is valid; its planes hold `nb_samples` in the form that the context was set up for.
        let (planes, samples) = unsafe { ((*frame.as_ptr()).extended_data, (*frame.as_ptr()).nb_samples) };
        self.convert(planes, samples, out)
    }

    /// Converts interleaved `f32` of `channels` (1 or 2) at `from_rate` and appends to `out`. Every call must name the
    /// same form.
    pub(crate) fn push_interleaved(
        &mut self,
        from_rate: u32,
        channels: u32,
        samples: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), AvError> {
        use ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT;
        let channels = channels.clamp(1, 2) as c_int;
        let form = (from_rate, AV_SAMPLE_FMT_FLT as c_int, channels);
        if self.input.is_none() {
            let mut layout = layout(channels);
            self.open(&mut layout, AV_SAMPLE_FMT_FLT, from_rate)?;
            self.input = Some(form);
        }
        if self.input != Some(form) {
            return Err(AvError::new(ACTION, "its form changed"));
        }
        let count = c_int::try_from(samples.len()).map_err(|_| AvError::new(ACTION, "too much at once"))?;
        let mut plane = samples.as_ptr().cast_mut().cast::<u8>();
        self.convert(&mut plane, count / channels, out)
    }

    /// Appends what is still inside. The resampler is as new afterwards.
    pub(crate) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AvError> {
        if self.input.is_some() {
            self.convert(ptr::null_mut(), 0, out)?;
        }
        self.free();
        Ok(())
    }

    fn convert(&mut self, planes: *mut *mut u8, samples: c_int, out: &mut Vec<f32>) -> Result<(), AvError> {
        // SAFETY: the context is set up.
        let room = check(ACTION, unsafe { ffi::swr_get_out_samples(self.context, samples) })?;
        let channels = self.channels as usize;
        let start = out.len();
        out.resize(start + room as usize * channels, 0.0);
        let mut target = out[start..].as_mut_ptr().cast::<u8>();
        // SAFETY: `target` has room for `room` interleaved samples; the input planes are valid for `samples`, or null to
        // take out the rest.
        let made = unsafe { ffi::swr_convert(self.context, &mut target, room, planes.cast(), samples) };
        let made = check(ACTION, made).inspect_err(|_| out.truncate(start))?;
        out.truncate(start + made as usize * channels);
        Ok(())
    }

    fn set_up(&mut self, frame: &Frame) -> Result<(), AvError> {
        let (rate, format, channels) = form(frame);
        if rate == 0
            || channels <= 0
            || format < 0
            || format >= ffi::AVSampleFormat::AV_SAMPLE_FMT_NB as c_int
        {
            return Err(AvError::new(ACTION, "unknown form of sound"));
        }
        // SAFETY: libav numbers its sample formats without gaps from 0 to `AV_SAMPLE_FMT_NB`.
        let format = unsafe { std::mem::transmute::<c_int, ffi::AVSampleFormat>(format) };
        // SAFETY: the frame and its layout are valid; a layout of native order holds no pointer, and others are only
        // read while the frame lives.
        let from = unsafe { &mut (*frame.as_ptr()).ch_layout };
        if from.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
            let mut usual = layout(channels);
            self.open(&mut usual, format, rate)?;
        } else {
            self.open(from, format, rate)?;
        }
        self.input = Some(form(frame));
        Ok(())
    }

    fn open(
        &mut self,
        from: &mut ffi::AVChannelLayout,
        format: ffi::AVSampleFormat,
        rate: u32,
    ) -> Result<(), AvError> {
        self.free();
        let mut to = layout(self.channels as c_int);
        // SAFETY: both layouts are valid; libav copies them and allocates the context.
        unsafe {
            check(
                ACTION,
                ffi::swr_alloc_set_opts2(
                    &mut self.context,
                    &mut to,
                    ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT,
                    self.rate as c_int,
                    from,
                    format,
                    rate as c_int,
                    0,
                    ptr::null_mut(),
                ),
            )?;
            check(ACTION, ffi::swr_init(self.context))?;
        }
        Ok(())
    }

    fn free(&mut self) {
        // SAFETY: a valid context or null; set to null by the call.
        unsafe { ffi::swr_free(&mut self.context) };
        self.input = None;
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        self.free();
    }
}

fn form(frame: &Frame) -> (u32, c_int, c_int) {
    // SAFETY: the frame is valid.
    let raw = unsafe { &*frame.as_ptr() };
    (frame.sample_rate(), raw.format, raw.ch_layout.nb_channels)
}

fn layout(channels: c_int) -> ffi::AVChannelLayout {
    // SAFETY: all fields may be zero; libav then fills the layout in.
    unsafe {
        let mut layout = std::mem::zeroed();
        ffi::av_channel_layout_default(&mut layout, channels);
        layout
    }
}
