//! Writing the MP4: finished packets with our own timestamps, chapters, the index in front.

#![allow(unsafe_code)]

use std::ffi::{CString, c_int};
use std::path::Path;
use std::ptr;

use ffmpeg_next::ffi;

use super::demux::Options;
use super::encode::Encoder;
use super::frame::Packet;
use super::{AvError, check, log};
use crate::plan::Canvas;
use crate::time::SAMPLE_RATE;

const ACTION: &str = "write the MP4";

/// Index of the video stream.
pub(crate) const VIDEO: u32 = 0;
/// Index of the audio stream.
pub(crate) const AUDIO: u32 = 1;

/// An MP4 file in the making. Video timestamps are in units of 1 / (numerator of the frame rate) seconds, audio
/// timestamps in samples.
pub(crate) struct Mp4Writer {
    context: *mut ffi::AVFormatContext,
}

/// One chapter, in the video's unit.
pub(crate) struct Chapter {
    pub(crate) title: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Mp4Writer {
    /// Creates the file and writes its beginning. Both encoders describe their streams; the video one may be any of
    /// those that made the segments.
    pub(crate) fn create(
        path: &Path,
        canvas: &Canvas,
        title: &str,
        chapters: &[Chapter],
        video: &Encoder,
        audio: &Encoder,
    ) -> Result<Self, AvError> {
        log::install();
        let bad_path = |_| AvError::new(ACTION, "its path holds a zero");
        let c_path = CString::new(path.as_os_str().as_encoded_bytes()).map_err(bad_path)?;
        let mut context = ptr::null_mut();
        // SAFETY: names end with a zero; libav copies the path.
        check(ACTION, unsafe {
            ffi::avformat_alloc_output_context2(&mut context, ptr::null(), c"mp4".as_ptr(), c_path.as_ptr())
        })?;
        let mut writer = Self { context };
        let (scale, _) = canvas.frame_rate.file_units();
        writer.add_stream(video, scale)?;
        writer.add_stream(audio, SAMPLE_RATE)?;
        writer.set_rate(canvas)?;
        // SAFETY: the context is valid and owns what is put into it.
        unsafe {
            if !title.is_empty() {
                (*context).metadata = Options::new(&[("title", title)])?.release();
            }
            (*context).flags |= ffi::AVFMT_FLAG_BITEXACT;
            // Our timestamps are final. The small negative ones (reordered pictures, AAC's delay) become edit lists.
            (*context).avoid_negative_ts = ffi::AVFMT_AVOID_NEG_TS_DISABLED;
        }
        writer.add_chapters(chapters, scale)?;
        let scale = scale.to_string();
        let mut options = Options::new(&[("movflags", "+faststart"), ("video_track_timescale", &scale)])?;
        // SAFETY: the context is complete; the file is closed in `drop` or by `finish`.
        unsafe {
            check(ACTION, ffi::avio_open(&mut (*context).pb, c_path.as_ptr(), ffi::AVIO_FLAG_WRITE))?;
            check(ACTION, ffi::avformat_write_header(context, options.as_mut_ptr()))?;
        }
        Ok(writer)
    }

    fn add_stream(&mut self, encoder: &Encoder, units: u32) -> Result<(), AvError> {
        // SAFETY: the context is valid and owns the new stream; the result is checked.
        unsafe {
            let stream = ffi::avformat_new_stream(self.context, ptr::null());
            if stream.is_null() {
                return Err(AvError::OutOfMemory);
            }
            encoder.describe_to((*stream).codecpar)?;
            (*(*stream).codecpar).codec_tag = 0;
            (*stream).time_base = ffi::AVRational { num: 1, den: units as c_int };
        }
        Ok(())
    }

    fn set_rate(&mut self, canvas: &Canvas) -> Result<(), AvError> {
        let rate = canvas.frame_rate;
        // SAFETY: the context has the video stream, added just before.
        unsafe {
            let stream = *(*self.context).streams;
            (*stream).avg_frame_rate = ffi::AVRational { num: rate.num() as c_int, den: rate.den() as c_int };
            (*stream).r_frame_rate = (*stream).avg_frame_rate;
            (*stream).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        }
        Ok(())
    }

    fn add_chapters(&mut self, chapters: &[Chapter], units: u32) -> Result<(), AvError> {
        for (index, chapter) in chapters.iter().enumerate() {
            let metadata = Options::new(&[("title", &chapter.title)])?;
            // SAFETY: libav frees chapters and their array with the context, so both are made by its own allocator; the
            // array grows by one pointer before the count does.
            unsafe {
                let made = ffi::av_mallocz(size_of::<ffi::AVChapter>()).cast::<ffi::AVChapter>();
                if made.is_null() {
                    return Err(AvError::OutOfMemory);
                }
                let array = ffi::av_realloc_array(
                    (*self.context).chapters.cast(),
                    index + 1,
                    size_of::<*mut ffi::AVChapter>(),
                );
                if array.is_null() {
                    ffi::av_free(made.cast());
                    return Err(AvError::OutOfMemory);
                }
                (*self.context).chapters = array.cast();
                (*made).id = index as i64 + 1;
                (*made).time_base = ffi::AVRational { num: 1, den: units as c_int };
                (*made).start = chapter.start;
                (*made).end = chapter.end;
                (*made).metadata = metadata.release();
                *(*self.context).chapters.add(index) = made;
                (*self.context).nb_chapters = index as u32 + 1;
            }
        }
        Ok(())
    }

    /// Writes a packet in its place between those of the other stream. Its content moves into the file.
    pub(crate) fn write(&mut self, packet: &Packet) -> Result<(), AvError> {
        // SAFETY: writer and packet are valid; libav takes over the packet's reference.
        check(ACTION, unsafe { ffi::av_interleaved_write_frame(self.context, packet.as_ptr()) })?;
        Ok(())
    }

    /// Writes the index, moves it to the front and closes the file.
    pub(crate) fn finish(self) -> Result<(), AvError> {
        // SAFETY: the header was written; the trailer is written once. `drop` closes the file, so that a failure there
        // is looked for here.
        unsafe {
            check(ACTION, ffi::av_write_trailer(self.context))?;
            ffi::avio_flush((*self.context).pb);
            check(ACTION, (*(*self.context).pb).error)?;
        }
        Ok(())
    }
}

impl Drop for Mp4Writer {
    fn drop(&mut self) {
        // SAFETY: the context is valid and not used afterwards; `avio_closep` accepts null.
        unsafe {
            ffi::avio_closep(&mut (*self.context).pb);
            ffi::avformat_free_context(self.context);
        }
    }
}
