//! Reading a container: its streams, its packets, its seeks.
//!
//! Three allow-lists stand together, since any one of them is known to be beaten: the container was recognised from
//! its bytes and its reader is forced, readers and decoders are allow-listed inside libav as well, and no protocol
//! exists: whatever else a file asks to open is refused.

#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::Arc;

use ffmpeg_next::ffi;

use super::decode::{AUDIO_DECODERS, VIDEO_DECODERS};
use super::frame::{Packet, known, text};
use super::io::Input;
use super::{AvError, check, log};
use crate::container::Container;
use crate::facts::Colour;
use crate::source::ByteSource;
use crate::time::{FrameRate, rescale_from_ticks, rescale_to_ticks};

/// Failed reads in a row after which a source counts as ended.
const MOST_FAILED_READS: u32 = 64;

/// An open container.
pub(crate) struct Demuxer {
    context: *mut ffi::AVFormatContext,
    /// A packet was asked for, or a place sought.
    was_read: bool,
    // After the context, which uses it until it is closed.
    input: Input,
}

// SAFETY: a demuxer and its input are used by one thread at a time and have no tie to the one that made them.
unsafe impl Send for Demuxer {}

/// What a container says of one of its streams.
#[derive(Debug, Clone)]
pub(crate) struct StreamInfo {
    pub(crate) codec: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixel_shape: (u32, u32),
    pub(crate) rotation: u16,
    pub(crate) average_rate: Option<(u64, u64)>,
    pub(crate) base_rate: Option<(u64, u64)>,
    pub(crate) sample_rate: u32,
    pub(crate) channels: u32,
    pub(crate) colour: Colour,
    pub(crate) profile: i32,
    pub(crate) level: i32,
    /// Whether each picture is one frame, as far as the container or the stream says.
    pub(crate) progressive: bool,
    /// Bits per second; 0 where unknown.
    pub(crate) bit_rate: u64,
}

/// A place in a container's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// Decoding time on the container's clock, in ticks.
    pub(crate) at: i64,
    /// Offset of its first byte.
    pub(crate) offset: u64,
    /// Its bytes; 0 where the index does not say.
    pub(crate) bytes: u64,
    /// Whether decoding can start there.
    pub(crate) key: bool,
}

/// What is looked for in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Video,
    Audio,
}

/// A set of libav options that is freed.
pub(crate) struct Options(*mut ffi::AVDictionary);

impl Options {
    pub(crate) fn new(pairs: &[(&str, &str)]) -> Result<Self, AvError> {
        let mut options = Self(ptr::null_mut());
        for (key, value) in pairs {
            let no_zero = |_| AvError::new("set an option", "it holds a zero");
            let key = CString::new(*key).map_err(no_zero)?;
            let value = CString::new(*value).map_err(no_zero)?;
            // SAFETY: key and value are texts that end with a zero; libav copies them.
            check("set an option", unsafe {
                ffi::av_dict_set(&mut options.0, key.as_ptr(), value.as_ptr(), 0)
            })?;
        }
        Ok(options)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &mut self.0
    }

    /// Gives the dictionary away to a C structure that frees it.
    pub(crate) fn release(mut self) -> *mut ffi::AVDictionary {
        std::mem::replace(&mut self.0, ptr::null_mut())
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: a valid dictionary or null.
        unsafe { ffi::av_dict_free(&mut self.0) };
    }
}

unsafe extern "C" fn refuse_to_open(
    _context: *mut ffi::AVFormatContext,
    _io: *mut *mut ffi::AVIOContext,
    _url: *const c_char,
    _flags: c_int,
    _options: *mut *mut ffi::AVDictionary,
) -> c_int {
    ffi::AVERROR(libc::EACCES)
}

impl Demuxer {
    /// Opens a source with the reader of its container. Streams are known afterwards, but not looked into yet.
    pub(crate) fn open(source: Arc<dyn ByteSource>, container: Container) -> Result<Self, AvError> {
        log::install();
        let input = Input::new(source)?;
        let name =
            CString::new(container.demuxer()).map_err(|_| AvError::new("open the source", "bad name"))?;
        let decoders = VIDEO_DECODERS.iter().chain(AUDIO_DECODERS).map(|(_, name)| *name).collect::<Vec<_>>();
        let mut options = Options::new(&[
            ("format_whitelist", container.demuxer()),
            ("codec_whitelist", &decoders.join(",")),
            ("protocol_whitelist", "none"),
            ("max_streams", "256"),
        ])?;
        // SAFETY: constant name; returns a constant table or null.
        let format = unsafe { ffi::av_find_input_format(name.as_ptr()) };
        if format.is_null() {
            return Err(AvError::new("open the source", "this libav cannot read its container"));
        }
        // SAFETY: allocates; the result is checked.
        let mut context = unsafe { ffi::avformat_alloc_context() };
        if context.is_null() {
            return Err(AvError::OutOfMemory);
        }
        // SAFETY: the context is valid; `input` lives as long as it (it is a later field of the same struct). On
        // failure libav frees the context and leaves `input` alone, since the flag says that it is ours.
        let opened = unsafe {
            (*context).pb = input.as_ptr();
            (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
            (*context).io_open = Some(refuse_to_open);
            ffi::avformat_open_input(&mut context, ptr::null(), format, options.as_mut_ptr())
        };
        if let Some(failure) = input.failure() {
            if opened >= 0 {
                // SAFETY: the context is valid and closed once.
                unsafe { ffi::avformat_close_input(&mut context) };
            }
            return Err(failure.into());
        }
        check("open the source", opened)?;
        Ok(Self { context, was_read: false, input })
    }

    /// Looks into the streams for what the container does not say. Pictures of more than `max_pixels` are not decoded
    /// for it.
    pub(crate) fn look_into_streams(&mut self, max_pixels: u64) -> Result<(), AvError> {
        let pixels = max_pixels.min(i32::MAX as u64).to_string();
        let mut sets = Vec::new();
        for _ in 0..self.stream_count() {
            sets.push(Options::new(&[("max_pixels", &pixels), ("threads", "1")])?.release());
        }
        // SAFETY: one dictionary per stream, as libav wants it; they are freed below.
        let found = unsafe { ffi::avformat_find_stream_info(self.context, sets.as_mut_ptr()) };
        for mut set in sets {
            // SAFETY: each is a valid dictionary or null, and freed once.
            unsafe { ffi::av_dict_free(&mut set) };
        }
        self.source_failure()?;
        check("look into the source", found)?;
        Ok(())
    }

    fn source_failure(&self) -> Result<(), AvError> {
        self.input.failure().map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn raw(&self) -> &ffi::AVFormatContext {
        // SAFETY: the context is valid as long as `self`.
        unsafe { &*self.context }
    }

    /// Number of streams found so far.
    pub(crate) fn stream_count(&self) -> u32 {
        self.raw().nb_streams
    }

    /// A stream, for this module and the decoder.
    pub(crate) fn stream_ptr(&self, index: u32) -> Result<*mut ffi::AVStream, AvError> {
        if index >= self.stream_count() {
            return Err(AvError::new("read the source", "a stream is missing"));
        }
        // SAFETY: `streams` has `nb_streams` valid pointers.
        Ok(unsafe { *self.raw().streams.add(index as usize) })
    }

    /// The best stream of a kind: the default one, or the largest. Cover pictures are no video.
    pub(crate) fn best_stream(&self, media: Media) -> Option<u32> {
        let kind = match media {
            Media::Video => ffi::AVMediaType::AVMEDIA_TYPE_VIDEO,
            Media::Audio => ffi::AVMediaType::AVMEDIA_TYPE_AUDIO,
        };
        // SAFETY: the context is valid; nothing is kept.
        let found = unsafe { ffi::av_find_best_stream(self.context, kind, -1, -1, ptr::null_mut(), 0) };
        let index = u32::try_from(found).ok()?;
        let stream = self.stream_ptr(index).ok()?;
        // SAFETY: the stream is valid as long as `self`.
        let cover = unsafe { (*stream).disposition } & ffi::AV_DISPOSITION_ATTACHED_PIC != 0;
        (!cover).then_some(index)
    }

    /// Largest picture among all streams, in pixels of width and height, as far as the container says.
    pub(crate) fn picture_sizes(&self) -> Vec<(u32, u32)> {
        let streams = (0..self.stream_count()).filter_map(|index| self.stream_ptr(index).ok());
        streams
            .map(|stream| {
                // SAFETY: the stream and its parameters are valid as long as `self`.
                let parameters = unsafe { &*(*stream).codecpar };
                (parameters.width.max(0) as u32, parameters.height.max(0) as u32)
            })
            .collect()
    }

    /// What the container says of a stream.
    pub(crate) fn stream_info(&self, index: u32) -> Result<StreamInfo, AvError> {
        let stream = self.stream_ptr(index)?;
        // SAFETY: stream and parameters are valid as long as `self`; the guesses only read them.
        unsafe {
            let parameters = (*stream).codecpar;
            let shape = ffi::av_guess_sample_aspect_ratio(self.context, stream, ptr::null_mut());
            let fraction = |rate: ffi::AVRational| {
                (rate.num > 0 && rate.den > 0).then_some((rate.num as u64, rate.den as u64))
            };
            Ok(StreamInfo {
                codec: text(ffi::avcodec_get_name((*parameters).codec_id)),
                width: (*parameters).width.max(0) as u32,
                height: (*parameters).height.max(0) as u32,
                pixel_shape: if shape.num > 0 && shape.den > 0 {
                    (shape.num as u32, shape.den as u32)
                } else {
                    (1, 1)
                },
                rotation: rotation(stream),
                average_rate: fraction((*stream).avg_frame_rate),
                base_rate: fraction((*stream).r_frame_rate),
                sample_rate: (*parameters).sample_rate.max(0) as u32,
                channels: (*parameters).ch_layout.nb_channels.max(0) as u32,
                colour: colour(parameters),
                profile: (*parameters).profile,
                level: (*parameters).level,
                progressive: field_order(parameters) <= ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE as c_int,
                bit_rate: u64::try_from((*parameters).bit_rate).unwrap_or(0),
            })
        }
    }

    /// End of a stream on the container's clock in ticks, where the container tells it. An estimate from bit rates is
    /// no answer.
    pub(crate) fn end_ticks(&self, index: u32) -> Option<i64> {
        use ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
        if self.raw().duration_estimation_method == AVFMT_DURATION_FROM_BITRATE {
            return None;
        }
        let stream = self.stream_ptr(index).ok()?;
        // SAFETY: the stream is valid as long as `self`.
        let (start, length, unit) =
            unsafe { ((*stream).start_time, (*stream).duration, (*stream).time_base) };
        if let Some(length) = known(length).filter(|length| *length > 0) {
            let end = known(start).unwrap_or(0).saturating_add(length);
            return Some(rescale_to_ticks(end, unit.num, unit.den));
        }
        let length = known(self.raw().duration).filter(|length| *length > 0)?;
        let end = known(self.raw().start_time).unwrap_or(0).saturating_add(length);
        Some(rescale_to_ticks(end, 1, ffi::AV_TIME_BASE))
    }

    /// A stream's header (parameter sets, codec configuration), as the container keeps it.
    pub(crate) fn header(&self, index: u32) -> Result<Vec<u8>, AvError> {
        let stream = self.stream_ptr(index)?;
        // SAFETY: libav keeps `extradata_size` bytes at `extradata` while the container is open.
        unsafe {
            let parameters = &*(*stream).codecpar;
            if parameters.extradata.is_null() || parameters.extradata_size <= 0 {
                return Ok(Vec::new());
            }
            Ok(std::slice::from_raw_parts(parameters.extradata, parameters.extradata_size as usize).to_vec())
        }
    }

    /// The index of a stream as the container's reader holds it: how many entries, and each by its place.
    fn index(&self, index: u32) -> Result<(c_int, impl Fn(c_int) -> Option<IndexEntry> + use<'_>), AvError> {
        let stream = self.stream_ptr(index)?;
        let (num, den) = self.time_base(index)?;
        // SAFETY: the stream is valid as long as `self`, and nothing changes its index while that is borrowed.
        let count = unsafe { ffi::avformat_index_get_entries_count(stream) }.max(0);
        let entry = move |place: c_int| {
            // SAFETY: as above; libav answers null for places that it does not have.
            let entry = unsafe { ffi::avformat_index_get_entry(stream, place).as_ref() }?;
            Some(IndexEntry {
                at: rescale_to_ticks(entry.timestamp, num, den),
                offset: u64::try_from(entry.pos).unwrap_or(0),
                bytes: u64::try_from(entry.size()).unwrap_or(0),
                key: entry.flags() & ffi::AVINDEX_KEYFRAME as c_int != 0,
            })
        };
        Ok((count, entry))
    }

    /// The moments in a stream's index from which it can be decoded, in ticks on the container's clock; see
    /// [`Self::index_between`] for what the index has.
    pub(crate) fn keys(&self, index: u32) -> Result<Vec<i64>, AvError> {
        let (count, entry) = self.index(index)?;
        Ok((0..count).filter_map(entry).filter(|entry| entry.key).map(|entry| entry.at).collect())
    }

    /// The number by which the container itself names a stream.
    pub(crate) fn stream_id(&self, index: u32) -> Result<u32, AvError> {
        let stream = self.stream_ptr(index)?;
        // SAFETY: the stream is valid as long as `self`.
        Ok(u32::try_from(unsafe { (*stream).id }).unwrap_or(0))
    }

    /// What the container's index says of a stream between two decoding times (ticks on the container's clock): from the last
    /// key at or before `from` to the first entry after `end`. Of MP4 the index has every sample (of fragments those that were come
    /// across), of Matroska the places that can be sought; other containers have none, and the answer is empty.
    pub(crate) fn index_between(&self, index: u32, from: i64, end: i64) -> Result<Vec<IndexEntry>, AvError> {
        let (count, entry) = self.index(index)?;
        // libav keeps entries by time: the first one after `from` is found by halving, hours have millions of them.
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if entry(middle).is_some_and(|entry| entry.at <= from) { low = middle + 1 } else { high = middle }
        }
        let Some(first) = (0..low).rev().find(|place| entry(*place).is_some_and(|entry| entry.key)) else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for entry in (first..count).filter_map(entry) {
            entries.push(entry);
            if entry.at > end {
                break;
            }
        }
        Ok(entries)
    }

    /// A stream's unit of time as a fraction of a second.
    pub(crate) fn time_base(&self, index: u32) -> Result<(i32, i32), AvError> {
        let stream = self.stream_ptr(index)?;
        // SAFETY: the stream is valid as long as `self`.
        let unit = unsafe { (*stream).time_base };
        Ok((unit.num, unit.den))
    }

    /// Whether something was read from it or sought in it, so that it may not stand at its beginning any more.
    pub(crate) fn was_read(&self) -> bool {
        self.was_read
    }

    /// Number of chapters.
    pub(crate) fn chapter_count(&self) -> u32 {
        self.raw().nb_chapters
    }

    /// From now on only packets of `index` are given out.
    pub(crate) fn only(&mut self, index: u32) -> Result<(), AvError> {
        for other in 0..self.stream_count() {
            let stream = self.stream_ptr(other)?;
            let discard = if other == index {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
            // SAFETY: the stream is valid, and nobody else uses this container.
            unsafe { (*stream).discard = discard };
        }
        Ok(())
    }

    /// Goes to the last place at or before `ticks` (on the container's clock) from which `index` can be decoded, as
    /// far as the container knows. Says whether it could.
    pub(crate) fn seek(&mut self, index: u32, ticks: i64) -> Result<bool, AvError> {
        self.was_read = true;
        let (num, den) = self.time_base(index)?;
        let target = rescale_from_ticks(ticks, num, den);
        // SAFETY: the context is valid and used by this thread alone.
        let sought =
            unsafe { ffi::av_seek_frame(self.context, index as c_int, target, ffi::AVSEEK_FLAG_BACKWARD) };
        self.source_failure()?;
        Ok(sought >= 0)
    }

    /// Reads the next packet into `packet`; `false` at the end. Damaged stretches are passed over.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        self.was_read = true;
        for _ in 0..MOST_FAILED_READS {
            // SAFETY: both are valid; the packet's old content is released first.
            let read = unsafe {
                ffi::av_packet_unref(packet.as_ptr());
                ffi::av_read_frame(self.context, packet.as_ptr())
            };
            self.source_failure()?;
            match read {
                0.. => return Ok(true),
                ffi::AVERROR_EOF => return Ok(false),
                code if code == ffi::AVERROR(libc::ENOMEM) => return Err(AvError::OutOfMemory),
                _ => {}
            }
        }
        Ok(false)
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        // SAFETY: the context is valid and closed once; its input is dropped after it.
        unsafe { ffi::avformat_close_input(&mut self.context) };
    }
}

/// Clockwise turn for showing in degrees, from the display matrix, to the nearest quarter.
///
/// # Safety
/// `stream` must be valid.
unsafe fn rotation(stream: *mut ffi::AVStream) -> u16 {
    let mut size = 0;
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    // SAFETY: the stream is valid, says the caller.
    let matrix = unsafe { ffi::av_stream_get_side_data(stream, kind, &mut size) };
    if matrix.is_null() || size < 9 * size_of::<i32>() {
        return 0;
    }
    // SAFETY: the matrix has nine numbers, aligned as libav allocates them.
    let counterclockwise = unsafe { ffi::av_display_rotation_get(matrix.cast()) };
    if !counterclockwise.is_finite() {
        return 0;
    }
    // The matrix turns counterclockwise for positive angles; quarters are all that is supported.
    let quarters = (-counterclockwise / 90.0).round() as i64;
    (quarters.rem_euclid(4) * 90) as u16
}

/// What a stream's header says of its colours. Streams hold any numbers, so these are never read as the enumerations that
/// they should be.
///
/// # Safety
/// `parameters` must be valid.
unsafe fn colour(parameters: *const ffi::AVCodecParameters) -> Colour {
    // SAFETY: the fields are valid 32-bit numbers, says the caller, read without a claim about their values.
    unsafe {
        let number = |field: *const c_int| field.read();
        let range = number(std::ptr::addr_of!((*parameters).color_range).cast());
        Colour::from_codes(
            number(std::ptr::addr_of!((*parameters).color_primaries).cast()),
            number(std::ptr::addr_of!((*parameters).color_trc).cast()),
            number(std::ptr::addr_of!((*parameters).color_space).cast()),
            range == ffi::AVColorRange::AVCOL_RANGE_JPEG as c_int,
        )
    }
}

/// Number of the order of fields; up to that of progressive pictures there are no fields.
///
/// # Safety
/// `parameters` must be valid.
unsafe fn field_order(parameters: *const ffi::AVCodecParameters) -> c_int {
    // SAFETY: as in `colour`.
    unsafe { std::ptr::addr_of!((*parameters).field_order).cast::<c_int>().read() }
}

impl StreamInfo {
    /// The stream's frame rate and whether frames last differently long.
    pub(crate) fn frame_rate(&self) -> Option<(FrameRate, bool)> {
        let close = |a: (u64, u64), b: (u64, u64)| {
            let (x, y) = (u128::from(a.0) * u128::from(b.1), u128::from(b.0) * u128::from(a.1));
            x.abs_diff(y) * 100 <= y
        };
        let usual = |rate: (u64, u64)| FrameRate::usual(rate.0, rate.1);
        let nearest = |rate: (u64, u64)| FrameRate::nearest(rate.0, rate.1).ok();
        match (self.average_rate, self.base_rate) {
            // The base rate is exact where it is a usual one; the average suffers from rounded lengths.
            (Some(average), Some(base)) if close(average, base) => {
                Some((usual(base).or_else(|| nearest(average))?, false))
            }
            (Some(average), _) => Some((nearest(average)?, true)),
            (None, Some(base)) => Some((nearest(base)?, false)),
            (None, None) => None,
        }
    }
}
