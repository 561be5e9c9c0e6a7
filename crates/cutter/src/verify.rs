//! Proving the finished file: it is opened like any source and decoded from the first packet to the last.
//!
//! The same pass takes the frames for the poster and the preview sprites, so that they show what was published.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::ffi::AVPixelFormat;

use crate::av::AvError;
use crate::av::demux::{Demuxer, Media};
use crate::av::encode::jpeg;
use crate::av::frame::Frame;
use crate::av::log::{Complaints, listening};
use crate::av::scale::Scaler;
use crate::container::Container;
use crate::error::RenderError;
use crate::plan::Plan;
use crate::reader::{Opening, Reader};
use crate::report::{Check, Sprites};
use crate::source::{ByteSource, FileSource};
use crate::time::{SAMPLE_RATE, TICKS_PER_SECOND, samples_to_ticks, ticks_to_text};

/// Samples in one AAC frame: the grain in which decoders give sound at the end.
const AAC_FRAME: u64 = 1024;
/// Width of a sprite, in pixels.
const TILE_WIDTH: u32 = 160;
/// Highest sprite, in pixels: a portrait picture gets a narrower one.
const TILE_HEIGHT: u32 = 160;
/// Most sprites.
const MOST_TILES: u64 = 100;
/// Sprites in a row at most.
const COLUMNS: u32 = 10;

/// What the verification gives.
pub(crate) struct Verified {
    pub(crate) checks: Vec<Check>,
    pub(crate) sprites: Sprites,
}

/// What was seen while the pictures were decoded.
struct Seen {
    frames: u64,
    uneven: Option<String>,
    end: i64,
    damaged: u64,
    size: (u32, u32),
}

/// Decodes the file at `media` and checks it against its plan; writes the poster and the sprites.
///
/// # Errors
/// [`RenderError::Verify`] with all checks when one fails.
pub(crate) fn verify(
    plan: &Plan,
    media: &Path,
    poster: &Path,
    sprites: &Path,
    on_frame: impl Fn() + Sync,
) -> Result<Verified, RenderError> {
    let source: Arc<dyn ByteSource> = Arc::new(FileSource::new(File::open(media)?)?);
    let (seen, heard) = std::thread::scope(|scope| {
        let sound = scope.spawn(|| listening(|| decode_sound(&source)));
        let seen = listening(|| decode_pictures(plan, &source, &on_frame));
        let heard = sound.join().unwrap_or_else(|_| {
            (Err(AvError::new("decode the result", "the thread stopped")), Complaints::default())
        });
        (seen, heard)
    });
    let ((seen, pictures), seen_complaints) = (seen.0.map_err(undecodable)?, seen.1);
    let ((samples, sound_end), heard_complaints) = (heard.0.map_err(undecodable)?, heard.1);
    let chapters = open(&source)?.chapter_count();
    let checks = checks(plan, &seen, samples, sound_end, chapters, &[seen_complaints, heard_complaints]);
    if checks.iter().any(|check| !check.passed) {
        return Err(RenderError::Verify { checks });
    }
    let geometry = pictures.geometry;
    std::fs::write(poster, pictures.poster()?)?;
    std::fs::write(sprites, pictures.grid().and_then(|grid| jpeg(&grid)).map_err(undecodable)?)?;
    Ok(Verified { checks, sprites: geometry })
}

fn undecodable(error: AvError) -> RenderError {
    match error {
        AvError::OutOfMemory => RenderError::OutOfMemory,
        other => {
            let detail = other.to_string();
            RenderError::Verify { checks: vec![Check { name: "decodes".to_owned(), passed: false, detail }] }
        }
    }
}

fn open(source: &Arc<dyn ByteSource>) -> Result<Demuxer, RenderError> {
    Demuxer::open(Arc::clone(source), Container::Mp4).map_err(undecodable)
}

fn checks(
    plan: &Plan,
    seen: &Seen,
    samples: u64,
    sound_end: i64,
    chapters: u32,
    complaints: &[Complaints],
) -> Vec<Check> {
    let rate = plan.canvas.frame_rate;
    let frame = rate.frame_to_ticks(1);
    let planned = plan.duration_ticks();
    let apart = sound_end.saturating_sub(seen.end);
    let said: u64 = complaints.iter().map(|complaints| complaints.count).sum();
    let words: Vec<&str> =
        complaints.iter().flat_map(|complaints| &complaints.first).map(String::as_str).collect();
    let check = |name: &str, passed: bool, detail: String| Check { name: name.to_owned(), passed, detail };
    vec![
        check(
            "frame_count",
            seen.frames == plan.frames,
            format!("{} of {} frames", seen.frames, plan.frames),
        ),
        check(
            "even_timestamps",
            seen.uneven.is_none(),
            seen.uneven.clone().unwrap_or_else(|| format!("every frame follows by 1/{rate} s, from 0")),
        ),
        check(
            "duration",
            (seen.end - planned).abs() <= 1,
            format!("{} for {} planned", ticks_to_text(seen.end), ticks_to_text(planned)),
        ),
        check(
            "picture_size",
            seen.size == (plan.canvas.width, plan.canvas.height),
            format!("{} x {}", seen.size.0, seen.size.1),
        ),
        check(
            "sound_and_picture_end_together",
            apart.abs() < frame.max(TICKS_PER_SECOND / i64::from(SAMPLE_RATE)),
            format!("{} samples apart", apart / (TICKS_PER_SECOND / i64::from(SAMPLE_RATE))),
        ),
        check(
            "sound_length",
            (plan.samples..plan.samples + 2 * AAC_FRAME).contains(&samples),
            format!("{samples} samples decoded for {} planned", plan.samples),
        ),
        check(
            "chapters",
            chapters as usize == plan.clips.len(),
            format!("{chapters} of {}", plan.clips.len()),
        ),
        check(
            "decodes_without_complaint",
            said == 0 && seen.damaged == 0,
            if said == 0 {
                format!("{} damaged frames", seen.damaged)
            } else {
                format!("{said}: {}", words.join("; "))
            },
        ),
    ]
}

/// How a stream of the result is opened. One thread each, so that complaints are heard (see [`listening`]).
fn opening(source: &Arc<dyn ByteSource>, media: Media) -> Result<(Opening, Demuxer), AvError> {
    let mut demuxer = Demuxer::open(Arc::clone(source), Container::Mp4)?;
    demuxer.look_into_streams(u64::MAX)?;
    let stream =
        demuxer.best_stream(media).ok_or_else(|| AvError::new("decode the result", "a stream is missing"))?;
    let opening = Opening {
        source: Arc::clone(source),
        container: Container::Mp4,
        stream,
        media,
        seek_stream: stream,
        origin: 0,
        usual_length: 0,
        max_pixels: u64::MAX,
        threads: 1,
    };
    Ok((opening, demuxer))
}

fn decode_sound(source: &Arc<dyn ByteSource>) -> Result<(u64, i64), AvError> {
    let (opening, demuxer) = opening(source, Media::Audio)?;
    let end = demuxer.end_ticks(opening.stream).unwrap_or(0);
    let mut reader = Reader::open(opening)?;
    let mut samples = 0;
    let mut first = None;
    while let Some(timed) = reader.next()? {
        first.get_or_insert(timed.at);
        samples += timed.frame.samples() as u64;
    }
    // The container's own length counts from its first sample; the delay of the encoder lies before that.
    let start = first.unwrap_or(0);
    Ok((samples, if end > 0 { end } else { start + samples_to_ticks(samples) }))
}

fn decode_pictures(
    plan: &Plan,
    source: &Arc<dyn ByteSource>,
    on_frame: &dyn Fn(),
) -> Result<(Seen, Pictures), AvError> {
    let (opening, _) = opening(source, Media::Video)?;
    let mut reader = Reader::open(opening)?;
    let mut pictures = Pictures::new(plan);
    let mut seen = Seen { frames: 0, uneven: None, end: 0, damaged: 0, size: (0, 0) };
    let rate = plan.canvas.frame_rate;
    while let Some(timed) = reader.next()? {
        let wanted = rate.frame_to_ticks(seen.frames);
        // A tick of 1/705.6 µs is far finer than any rounding of the container.
        if (timed.at - wanted).abs() > 1 && seen.uneven.is_none() {
            let (found, wanted) = (ticks_to_text(timed.at), ticks_to_text(wanted));
            seen.uneven = Some(format!("frame {} is at {found} instead of {wanted}", seen.frames));
        }
        seen.damaged += u64::from(timed.frame.is_damaged());
        seen.size = timed.frame.size();
        seen.end = timed.at.saturating_add(timed.length);
        pictures.look(seen.frames, &timed.frame)?;
        seen.frames += 1;
        on_frame();
    }
    Ok((seen, pictures))
}

/// Collects the poster and the sprites.
struct Pictures {
    geometry: Sprites,
    poster_frame: u64,
    poster: Option<Frame>,
    tiles: Vec<Frame>,
    tile_scaler: Scaler,
    poster_scaler: Scaler,
}

impl Pictures {
    fn new(plan: &Plan) -> Self {
        let (width, height) = tile_size(plan.canvas.width, plan.canvas.height);
        // One per second for short montages, evenly spread over long ones.
        let second = plan.canvas.frame_rate.ticks_to_frames(TICKS_PER_SECOND).max(1);
        let interval = second.max(plan.frames.div_ceil(MOST_TILES)).max(1);
        let count = plan.frames.div_ceil(interval).clamp(1, MOST_TILES) as u32;
        let geometry = Sprites {
            tile_width: width,
            tile_height: height,
            columns: count.min(COLUMNS),
            rows: count.div_ceil(COLUMNS),
            count,
            interval_frames: interval,
            interval_ticks: plan.canvas.frame_rate.frame_to_ticks(interval),
        };
        Self {
            geometry,
            poster_frame: plan.clips.first().map_or(0, |clip| clip.frames / 10),
            poster: None,
            tiles: Vec::new(),
            tile_scaler: Scaler::new(),
            poster_scaler: Scaler::new(),
        }
    }

    fn look(&mut self, number: u64, frame: &Frame) -> Result<(), AvError> {
        if number == self.poster_frame {
            let (width, height) = frame.size();
            self.poster = Some(self.poster_scaler.scale_for_jpeg(frame, width, height)?);
        }
        if number.is_multiple_of(self.geometry.interval_frames)
            && self.tiles.len() < self.geometry.count as usize
        {
            let (width, height) = (self.geometry.tile_width, self.geometry.tile_height);
            self.tiles.push(self.tile_scaler.scale_for_jpeg(frame, width, height)?);
        }
        Ok(())
    }

    fn poster(&self) -> Result<Vec<u8>, RenderError> {
        let missing = || undecodable(AvError::new("take the poster", "its frame is missing"));
        jpeg(self.poster.as_ref().ok_or_else(missing)?).map_err(undecodable)
    }

    fn grid(&self) -> Result<Frame, AvError> {
        let Sprites { tile_width, tile_height, columns, rows, count, .. } = self.geometry;
        if self.tiles.len() != count as usize {
            let reason = format!("{} of {count} sprites were found", self.tiles.len());
            return Err(AvError::new("make the sprites", reason));
        }
        let (width, height) = (tile_width * columns, tile_height * rows);
        let mut grid = Frame::picture(width, height, AVPixelFormat::AV_PIX_FMT_YUVJ420P)?;
        for plane in 0..3 {
            let half = u32::from(plane > 0);
            let (to, to_stride) = grid.plane_mut(plane, height >> half)?;
            to.fill(if plane == 0 { 0 } else { 128 });
            let (tile_width, tile_height) = ((tile_width >> half) as usize, (tile_height >> half) as usize);
            for (index, tile) in self.tiles.iter().enumerate() {
                let (from, from_stride) = tile.plane(plane, tile_height as u32)?;
                let left = index % columns as usize * tile_width;
                let top = index / columns as usize * tile_height;
                for row in 0..tile_height {
                    let target = (top + row) * to_stride + left;
                    to[target..target + tile_width]
                        .copy_from_slice(&from[row * from_stride..row * from_stride + tile_width]);
                }
            }
        }
        Ok(grid)
    }
}

/// Size of a sprite: as wide as allowed, in the picture's shape, even.
fn tile_size(width: u32, height: u32) -> (u32, u32) {
    let rect = crate::picture::fit((width.into(), height.into()), (TILE_WIDTH, TILE_HEIGHT));
    (rect.width, rect.height)
}
