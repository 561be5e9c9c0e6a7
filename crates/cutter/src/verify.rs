//! Proving the finished file: it is opened like any source and decoded from the first packet to the last.
//!
//! The same pass takes the frames for the poster and the preview sprites, so that they show what was published.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::av::AvError;
use crate::av::demux::{Demuxer, Media};
use crate::av::log::{Complaints, listening};
use crate::container::Container;
use crate::error::RenderError;
use crate::plan::Plan;
use crate::reader::{Opening, Reader};
use crate::report::{Check, Sprites};
use crate::source::{ByteSource, FileSource};
use crate::sprites::Pictures;
use crate::time::{SAMPLE_RATE, TICKS_PER_SECOND, samples_to_ticks, ticks_to_text};

/// Samples in one AAC frame: the grain in which decoders give sound at the end.
const AAC_FRAME: u64 = 1024;

/// What the verification gives.
pub(crate) struct Verified {
    pub(crate) checks: Vec<Check>,
    pub(crate) sprites: Sprites,
}

/// What was seen while pictures were decoded.
#[derive(Default)]
struct Seen {
    frames: u64,
    uneven: Option<String>,
    end: i64,
    damaged: u64,
    size: (u32, u32),
}

impl Seen {
    /// Adds what was seen in the part that follows.
    fn append(&mut self, next: Self) {
        self.frames += next.frames;
        self.uneven = self.uneven.take().or(next.uneven);
        self.end = next.end;
        self.damaged += next.damaged;
        if self.size == (0, 0) || next.size != self.size {
            self.size = next.size;
        }
    }
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
    threads: u32,
    on_frame: impl Fn() + Sync,
) -> Result<Verified, RenderError> {
    let source: Arc<dyn ByteSource> = Arc::new(FileSource::new(File::open(media)?)?);
    let mut complaints = Vec::new();
    let mut hear = |part: Complaints| complaints.push(part);
    let mut seen = Seen::default();
    let mut pictures = Pictures::new(plan);
    let (mut samples, mut sound_end) = (0, 0);
    std::thread::scope(|scope| -> Result<(), AvError> {
        // Every part is listened to on the thread that decodes it.
        let sound = spawn(scope, || listening(|| decode_sound(&source)))?;
        let ranges = ranges(plan, threads);
        let parts: Result<Vec<_>, AvError> = ranges
            .into_iter()
            .map(|range| {
                let (source, on_frame) = (&source, &on_frame);
                spawn(scope, move || listening(|| decode_pictures(plan, source, range, on_frame)))
            })
            .collect();
        for part in parts? {
            let (result, said) = join(part)?;
            let (part, more) = result?;
            seen.append(part);
            pictures.merge(more);
            hear(said);
        }
        let (result, said) = join(sound)?;
        (samples, sound_end) = result?;
        hear(said);
        Ok(())
    })
    .map_err(undecodable)?;
    let chapters = open(&source)?.chapter_count();
    let checks = checks(plan, &seen, samples, sound_end, chapters, &complaints);
    if checks.iter().any(|check| !check.passed) {
        return Err(RenderError::Verify { checks });
    }
    std::fs::write(poster, pictures.poster().map_err(undecodable)?)?;
    std::fs::write(sprites, pictures.grid().map_err(undecodable)?)?;
    Ok(Verified { checks, sprites: pictures.geometry })
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, AvError> {
    Builder::new().spawn_scoped(scope, work).map_err(|_| AvError::OutOfMemory)
}

fn join<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T, AvError> {
    handle.join().map_err(|_| AvError::new("decode the result", "a thread stopped"))
}

/// Cuts the montage into as many runs of frames as there are threads, each starting where a segment does: there,
/// decoding can start.
fn ranges(plan: &Plan, threads: u32) -> Vec<Range<u64>> {
    let starts = plan.segments.iter().filter_map(|segment| {
        let clip = plan.clips.get(segment.clip as usize)?;
        Some(clip.first_frame + segment.first_frame)
    });
    let longest = plan.frames.div_ceil(u64::from(threads.max(1)));
    let mut edges = vec![0];
    for start in starts {
        if start - edges.last().copied().unwrap_or(0) >= longest {
            edges.push(start);
        }
    }
    edges.push(plan.frames);
    edges.windows(2).map(|pair| pair[0]..pair[1]).collect()
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

/// Decodes the frames of `range`; the last range goes on to the end of the file, whatever is there.
fn decode_pictures(
    plan: &Plan,
    source: &Arc<dyn ByteSource>,
    range: Range<u64>,
    on_frame: &dyn Fn(),
) -> Result<(Seen, Pictures), AvError> {
    let (opening, _) = opening(source, Media::Video)?;
    let mut reader = Reader::open(opening)?;
    let mut pictures = Pictures::new(plan);
    let mut seen = Seen::default();
    let rate = plan.canvas.frame_rate;
    let (start, end) = (rate.frame_to_ticks(range.start), rate.frame_to_ticks(range.end));
    let is_last = range.end == plan.frames;
    let mut next = if range.start == 0 { reader.next()? } else { reader.seek(start, i64::MAX)? };
    while let Some(timed) = next {
        // A tick of 1/705.6 µs is far finer than any rounding of the container.
        if !is_last && timed.at >= end - 1 {
            break;
        }
        if range.start == 0 || timed.at >= start - 1 {
            let number = range.start + seen.frames;
            let wanted = rate.frame_to_ticks(number);
            if (timed.at - wanted).abs() > 1 && seen.uneven.is_none() {
                let (found, wanted) = (ticks_to_text(timed.at), ticks_to_text(wanted));
                seen.uneven = Some(format!("frame {number} is at {found} instead of {wanted}"));
            }
            seen.damaged += u64::from(timed.frame.is_damaged());
            seen.size = timed.frame.size();
            seen.end = timed.at.saturating_add(timed.length);
            pictures.look(number, &timed.frame)?;
            seen.frames += 1;
            on_frame();
        }
        next = reader.next()?;
    }
    Ok((seen, pictures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::EncoderSettings;
    use crate::plan::{Canvas, PLAN_VERSION, PlannedClip, Segment, Treatment};

    #[test]
    fn ranges_start_with_segments_and_leave_nothing_out() {
        let clip = |index: u32, first_frame, frames| PlannedClip {
            index,
            source: 0,
            title: String::new(),
            start_ticks: 0,
            start_frame: 0,
            first_frame,
            frames,
            first_sample: 0,
            samples: 0,
            treatment: Treatment::Encode { differences: vec![] },
        };
        let segment = |clip, first_frame, frames| Segment { index: 0, clip, first_frame, frames };
        let plan = Plan {
            version: PLAN_VERSION,
            title: String::new(),
            canvas: Canvas { width: 16, height: 16, frame_rate: "30".parse().unwrap() },
            encoder: EncoderSettings::default(),
            loudness_lufs: -16.0,
            frames: 1000,
            samples: 0,
            sources: vec![],
            clips: vec![clip(0, 0, 700), clip(1, 700, 300)],
            segments: vec![segment(0, 0, 350), segment(0, 350, 350), segment(1, 0, 300)],
        };
        assert_eq!(ranges(&plan, 1).as_slice(), std::slice::from_ref(&(0..1000)));
        assert_eq!(ranges(&plan, 2), [0..700, 700..1000]);
        assert_eq!(ranges(&plan, 3), [0..350, 350..700, 700..1000]);
        assert_eq!(ranges(&plan, 64), [0..350, 350..700, 700..1000]);
    }

    /// Names of the checks that a file at `media` does not pass.
    fn failures(plan: &Plan, media: &Path) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let (poster, sprites) = (directory.path().join("poster"), directory.path().join("sprites"));
        match verify(plan, media, &poster, &sprites, 2, || {}) {
            Ok(_) => vec![],
            Err(RenderError::Verify { checks }) => {
                checks.into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_file_that_is_not_as_planned_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("source.mp4");
        counter_video::CounterVideo::new(1, (30, 1), 150).write(&path).unwrap();
        let source: Arc<dyn ByteSource> = Arc::new(std::fs::read(&path).unwrap());
        let order = serde_json::json!({
            "sources": [{ "bytes": source.len() }],
            "clips": [
                { "source": 0, "start": { "frames": 0 }, "extent": { "duration": { "frames": 90 } } },
                { "source": 0, "start": { "frames": 9 }, "extent": { "end": { "frames": 69 } } },
            ],
        });
        let order = serde_json::from_value(order).unwrap();
        let report = crate::render::render(&order, &[source], directory.path(), &|_| {}).unwrap();
        let media = directory.path().join(crate::report::MEDIA_FILE);
        assert_eq!(failures(&report.plan, &media), Vec::<String>::new());

        let mut longer = report.plan.clone();
        longer.frames += 1;
        longer.samples += 1600;
        assert_eq!(failures(&longer, &media), ["frame_count", "duration", "sound_length"]);
        let mut other_rate = report.plan.clone();
        other_rate.canvas.frame_rate = "29.97".parse().unwrap();
        let found = failures(&other_rate, &media);
        assert!(found.contains(&"even_timestamps".to_owned()), "{found:?}");
        let mut fewer = report.plan.clone();
        fewer.clips.pop();
        assert_eq!(failures(&fewer, &media), ["chapters"]);

        // Damage in the middle of the media, where the container does not notice.
        let mut bytes = std::fs::read(&media).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 400].fill(0x55);
        std::fs::write(&media, &bytes).unwrap();
        let found = failures(&report.plan, &media);
        assert!(found.iter().any(|name| name == "decodes_without_complaint"), "{found:?}");
    }
}
