//! Proving the finished file: it is opened like any source, compared with what it was made of, and decoded where its pieces
//! meet.
//!
//! Every coded picture of the file must be the one that was made or copied for that place (by its hash, which for a copy is
//! that of the source's access unit), and be shown at its exact time. What was encoded is decoded as a whole; what was
//! copied is decoded around its ends. A failure that belongs to a copied clip is told as such, since that clip can be
//! encoded instead; any other is an error of the render.
//!
//! The poster and the preview sprites are taken from the same file, so that they show what was published.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::assemble::Parts;
use crate::av::AvError;
use crate::av::decode::{Decoded, Decoder};
use crate::av::demux::{Demuxer, Media};
use crate::av::frame::{Frame, Packet};
use crate::av::log::{Complaints, listening};
use crate::bitstream::{unmark_broken_link, without_sets};
use crate::container::Container;
use crate::error::RenderError;
use crate::plan::Plan;
use crate::report::{Check, Sprites};
use crate::segment::sha256;
use crate::source::{ByteSource, FileSource};
use crate::sprites::Pictures;
use crate::time::{TICKS_PER_SECOND, rescale_to_ticks, samples_to_ticks, ticks_to_text};
use crate::windows::{Window, windows};

/// What the verification gives.
pub(crate) struct Verified {
    pub(crate) checks: Vec<Check>,
    pub(crate) sprites: Sprites,
}

/// Why a file is not published.
#[derive(Debug)]
pub(crate) enum VerifyError {
    /// These copied clips did not pass, for these reasons; everything else may be well.
    Clips(BTreeMap<u32, String>),
    /// The file is not as planned, and no copied clip is to blame.
    Render(RenderError),
}

impl From<AvError> for VerifyError {
    fn from(error: AvError) -> Self {
        Self::Render(match error {
            AvError::OutOfMemory => RenderError::OutOfMemory,
            other => {
                let detail = other.to_string();
                RenderError::Verify {
                    checks: vec![Check { name: "opens".to_owned(), passed: false, detail }],
                }
            }
        })
    }
}

impl From<std::io::Error> for VerifyError {
    fn from(error: std::io::Error) -> Self {
        Self::Render(error.into())
    }
}

/// A coded picture as it must stand in the file.
struct Expected<'a> {
    /// Index of its segment.
    segment: usize,
    /// Its number in the montage.
    frame: u64,
    key: bool,
    sha256: &'a str,
    /// The first picture of a segment that begins with a broken link.
    broken_link: bool,
}

/// What was found wrong, by its check and by the segment that it belongs to.
#[derive(Default)]
struct Faults {
    /// Check, segments, words.
    found: Vec<(&'static str, Range<usize>, String)>,
}

impl Faults {
    fn add(&mut self, check: &'static str, segments: Range<usize>, words: impl Into<String>) {
        // One of a kind tells enough; a damaged file has thousands.
        if !self.found.iter().any(|(known, of, _)| *known == check && *of == segments) {
            self.found.push((check, segments, words.into()));
        }
    }
}

/// Checks the file at `media` against what it was made of; writes the poster and the sprites. `on_frame` is called for each
/// picture that was compared.
pub(crate) fn verify(
    parts: &Parts<'_>,
    media: &Path,
    (poster, sprites): (&Path, &Path),
    threads: u32,
    on_frame: impl Fn() + Sync,
) -> Result<Verified, VerifyError> {
    let plan = parts.plan;
    let source: Arc<dyn ByteSource> = Arc::new(FileSource::new(File::open(media)?)?);
    let expected = expected(parts);
    let mut faults = Faults::default();
    let seen = compare(parts, &source, &expected, &mut faults, &on_frame)?;
    let list: Vec<_> = expected.iter().map(|picture| (picture.segment, picture.key)).collect();
    let windows = windows(plan, &list);
    let decoded = decode_windows(&source, &windows, &expected, plan, threads, &mut faults)?;
    let checks = checks(parts, &seen, decoded, &faults);
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.passed).collect();
    if !failed.is_empty() {
        let clips = copied_clips(plan, &faults);
        // Faults without a place, and places that were encoded, are not mended by encoding a copied clip.
        return Err(match clips {
            Some(clips) => VerifyError::Clips(clips),
            None => VerifyError::Render(RenderError::Verify { checks }),
        });
    }
    let pictures = look(plan, &source, &expected)?;
    std::fs::write(poster, pictures.poster()?)?;
    std::fs::write(sprites, pictures.grid()?)?;
    Ok(Verified { checks, sprites: pictures.geometry })
}

/// All coded pictures of the montage, in decoding order.
fn expected<'a>(parts: &'a Parts<'_>) -> Vec<Expected<'a>> {
    let mut expected = Vec::with_capacity(parts.plan.frames as usize);
    let mut start = 0;
    for (segment, (_, facts)) in parts.segments.iter().enumerate() {
        expected.extend(facts.pictures.iter().enumerate().map(|(place, picture)| Expected {
            segment,
            frame: start + u64::from(picture.frame),
            key: picture.key,
            sha256: &picture.sha256,
            broken_link: facts.broken_link && place == 0,
        }));
        start += facts.pictures.len() as u64;
    }
    expected
}

/// The clips to blame, if all faults belong to copied clips.
fn copied_clips(plan: &Plan, faults: &Faults) -> Option<BTreeMap<u32, String>> {
    let mut clips = BTreeMap::new();
    for (check, segments, words) in &faults.found {
        let copied = plan.segments.get(segments.clone())?.iter().filter(|segment| {
            plan.clips.get(segment.clip as usize).is_some_and(|clip| clip.copied_frames > 0)
        });
        let mut blamed = copied.peekable();
        blamed.peek()?;
        for segment in blamed {
            let reason = || format!("as a copy it did not pass the check {check} ({words})");
            clips.entry(segment.clip).or_insert_with(reason);
        }
    }
    (!clips.is_empty()).then_some(clips)
}

/// What was seen in the file's packets.
struct Seen {
    pictures: u64,
    end: i64,
    sound_start: Option<i64>,
    sound_end: i64,
    chapters: u32,
}

fn open(source: &Arc<dyn ByteSource>) -> Result<(Demuxer, u32), AvError> {
    let demuxer = Demuxer::open(Arc::clone(source), Container::Mp4)?;
    let missing = || AvError::new("open the result", "a stream is missing");
    let video = demuxer.best_stream(Media::Video).ok_or_else(missing)?;
    Ok((demuxer, video))
}

/// Reads every packet and compares it with what it must be.
fn compare(
    parts: &Parts<'_>,
    source: &Arc<dyn ByteSource>,
    expected: &[Expected<'_>],
    faults: &mut Faults,
    on_frame: &dyn Fn(),
) -> Result<Seen, VerifyError> {
    let (mut demuxer, video) = open(source)?;
    let audio = demuxer.best_stream(Media::Audio);
    let rate = parts.plan.canvas.frame_rate;
    let (num, den) = demuxer.time_base(video)?;
    let mut seen = Seen {
        pictures: 0,
        end: 0,
        sound_start: None,
        sound_end: audio.and_then(|audio| demuxer.end_ticks(audio)).unwrap_or(0),
        chapters: demuxer.chapter_count(),
    };
    if let Some(audio) = audio {
        let (num, den) = demuxer.time_base(audio)?;
        // Only where it starts is asked: what is in it was counted when it was made.
        let mut packet = Packet::new()?;
        demuxer.only(audio)?;
        if demuxer.read(&mut packet)? {
            seen.sound_start = packet.pts().map(|pts| rescale_to_ticks(pts, num, den));
        }
        (demuxer, _) = open(source)?;
    }
    demuxer.only(video)?;
    let mut packet = Packet::new()?;
    while demuxer.read(&mut packet)? {
        if packet.stream() != video {
            continue;
        }
        let place = seen.pictures as usize;
        seen.pictures += 1;
        let Some(wanted) = expected.get(place) else { continue };
        let at = packet.pts().map(|pts| rescale_to_ticks(pts, num, den));
        let due = rate.frame_to_ticks(wanted.frame);
        let length = rescale_to_ticks(packet.duration(), num, den);
        if at.is_none_or(|at| (at - due).abs() > 1) {
            let at = at.map_or_else(|| "no time".to_owned(), ticks_to_text);
            let words = format!("frame {} is at {at} instead of {}", wanted.frame, ticks_to_text(due));
            faults.add("even_timestamps", wanted.segment..wanted.segment + 1, words);
        }
        seen.end = seen.end.max(due.saturating_add(length));
        if packet.is_key() != wanted.key {
            faults.add("key_pictures", wanted.segment..wanted.segment + 1, format!("frame {}", wanted.frame));
        }
        if !is_as_made(parts, wanted, packet.data()) {
            faults.add(
                "coded_pictures",
                wanted.segment..wanted.segment + 1,
                format!("frame {} is not as it was made", wanted.frame),
            );
        }
        on_frame();
    }
    Ok(seen)
}

/// Whether an access unit of the file is the one that belongs there, without the parameter sets that were put into it.
fn is_as_made(parts: &Parts<'_>, wanted: &Expected<'_>, unit: &[u8]) -> bool {
    let Some((_, facts)) = parts.segments.get(wanted.segment) else { return false };
    if !wanted.key {
        return sha256(unit) == wanted.sha256;
    }
    let Some(mut unit) = without_sets(facts.codec, unit, &facts.sets) else { return false };
    if wanted.broken_link {
        unmark_broken_link(&mut unit);
    }
    sha256(&unit) == wanted.sha256
}

/// How many pictures of a window were decoded, or why not, and what the decoder complained about.
type WindowLook = (Result<u64, String>, Complaints);

/// Decodes the windows, several at the same time; answers how many pictures were decoded.
fn decode_windows(
    source: &Arc<dyn ByteSource>,
    windows: &[Window],
    expected: &[Expected<'_>],
    plan: &Plan,
    threads: u32,
    faults: &mut Faults,
) -> Result<u64, VerifyError> {
    let workers = (threads.max(1) as usize).min(windows.len().max(1));
    let share = windows.len().div_ceil(workers).max(1);
    let results = std::thread::scope(|scope| {
        let started: Vec<_> = windows
            .chunks(share)
            .map(|windows| {
                let work = move || -> Result<Vec<WindowLook>, AvError> {
                    let mut sight = Sight::open(source)?;
                    sight.decoder.skip_smoothing();
                    // Every window is listened to on the thread that decodes it.
                    let decode = |window| listening(|| sight.decode(window, expected, plan));
                    windows.iter().map(decode).map(|(result, said)| Ok((result?, said))).collect()
                };
                std::thread::Builder::new().spawn_scoped(scope, work)
            })
            .collect();
        let join = |handle: std::io::Result<std::thread::ScopedJoinHandle<'_, _>>| match handle {
            Ok(handle) => {
                handle.join().unwrap_or_else(|_| Err(AvError::new("decode the result", "a thread stopped")))
            }
            Err(_) => Err(AvError::OutOfMemory),
        };
        started.into_iter().map(join).collect::<Result<Vec<_>, AvError>>()
    })?;
    let mut decoded = 0;
    for (window, (result, said)) in windows.iter().zip(results.into_iter().flatten()) {
        match result {
            Ok(count) => decoded += count,
            Err(words) => faults.add("decodes_without_complaint", window.segments.clone(), words),
        }
        if said.count > 0 {
            faults.add("decodes_without_complaint", window.segments.clone(), said.first.join("; "));
        }
    }
    Ok(decoded)
}

/// A decoder that looks at stretches of the file.
struct Sight {
    demuxer: Demuxer,
    video: u32,
    unit: (i32, i32),
    decoder: Decoder,
    packet: Packet,
    used: bool,
}

impl Sight {
    fn open(source: &Arc<dyn ByteSource>) -> Result<Self, AvError> {
        let (mut demuxer, video) = open(source)?;
        demuxer.only(video)?;
        let unit = demuxer.time_base(video)?;
        // One thread, so that complaints are heard (see `listening`).
        let decoder = Decoder::open(&demuxer, Media::Video, video, 1, u64::MAX)?;
        Ok(Self { demuxer, video, unit, decoder, packet: Packet::new()?, used: false })
    }

    /// Decodes `count` pictures from the one that is shown at `at` on, in decoding order, and hands each to `take` with its
    /// time; of the first `lead` ones only those that others need. Says how many packets were there.
    fn run(
        &mut self,
        at: i64,
        (lead, count): (usize, usize),
        mut take: impl FnMut(i64, &Frame) -> Result<(), AvError>,
    ) -> Result<usize, AvError> {
        if std::mem::replace(&mut self.used, true) {
            self.decoder.reset();
        }
        self.demuxer.seek(self.video, at)?;
        let mut given = 0;
        let mut frame = Frame::new()?;
        let unit = self.unit;
        let mut empty = |decoder: &mut Decoder| -> Result<(), AvError> {
            while decoder.receive(&mut frame)? == Decoded::Frame {
                let at = frame.timestamp().map_or(i64::MIN, |stamp| rescale_to_ticks(stamp, unit.0, unit.1));
                take(at, &frame)?;
            }
            Ok(())
        };
        while given < count && self.demuxer.read(&mut self.packet)? {
            if self.packet.stream() != self.video {
                continue;
            }
            let stamp = self.packet.pts().map(|pts| rescale_to_ticks(pts, unit.0, unit.1));
            if given == 0 && stamp.is_none_or(|stamp| (stamp - at).abs() > 1) {
                continue;
            }
            self.decoder.skip_unneeded(given < lead);
            given += 1;
            self.decoder.send(Some(&self.packet))?;
            empty(&mut self.decoder)?;
        }
        self.decoder.send(None)?;
        empty(&mut self.decoder)?;
        Ok(given)
    }

    /// Decodes one window; answers how many pictures came out, or what is wrong with them.
    fn decode(
        &mut self,
        window: &Window,
        expected: &[Expected<'_>],
        plan: &Plan,
    ) -> Result<Result<u64, String>, AvError> {
        let rate = plan.canvas.frame_rate;
        let wanted = &expected[window.pictures.clone()];
        let Some(first) = wanted.first() else { return Ok(Ok(0)) };
        // What is shown before a key picture and decoded after it may need what came before it, which is not there.
        let shown = wanted[window.lead..].iter().map(|picture| picture.frame);
        let mut due: Vec<i64> =
            shown.filter(|frame| *frame >= first.frame).map(|frame| rate.frame_to_ticks(frame)).collect();
        due.sort_unstable();
        let leading: BTreeSet<u64> = wanted[..window.lead].iter().map(|picture| picture.frame).collect();
        let start = rate.frame_to_ticks(first.frame);
        let (mut came, mut wrong) = (0_usize, None);
        let size = (plan.canvas.width, plan.canvas.height);
        self.run(start, (window.lead, wanted.len()), |at, frame| {
            if at < start - 1 || leading.contains(&rate.ticks_to_frames(at)) {
                return Ok(());
            }
            let fits = due.get(came).is_some_and(|due| (due - at).abs() <= 1);
            if !fits || frame.is_damaged() || frame.size() != size {
                wrong.get_or_insert_with(|| {
                    format!("the picture decoded at {} is not as it should be", ticks_to_text(at))
                });
            }
            came += 1;
            Ok(())
        })?;
        Ok(match wrong {
            Some(words) => Err(words),
            None if came != due.len() => Err(format!("{came} of {} pictures came out", due.len())),
            None => Ok(came as u64),
        })
    }
}

/// Takes the poster, and as sprites of each wanted frame the last independent picture at or before it.
fn look(plan: &Plan, source: &Arc<dyn ByteSource>, expected: &[Expected<'_>]) -> Result<Pictures, AvError> {
    let mut pictures = Pictures::new(plan);
    let rate = plan.canvas.frame_rate;
    let mut sight = Sight::open(source)?;
    let mut keys: Vec<(u64, usize)> = (0..)
        .zip(expected)
        .filter(|(_, picture)| picture.key)
        .map(|(place, picture)| (picture.frame, place))
        .collect();
    keys.sort_unstable();
    let before =
        |frame: u64| keys[..keys.partition_point(|(key, _)| *key <= frame)].last().copied().unwrap_or((0, 0));

    // An independent picture in the first half of the first clip is as good a poster, and costs a single decoded picture.
    // One that was chosen is taken as it is.
    let half = plan.poster_frame.unwrap_or_else(|| plan.clips.first().map_or(0, |clip| clip.frames / 2));
    let cheap = keys.iter().map(|(key, _)| *key).find(|key| (pictures.poster_frame..=half).contains(key));
    let poster = cheap.unwrap_or(pictures.poster_frame);
    let (key, first) = before(poster);
    let place = expected.iter().position(|picture| picture.frame == poster).unwrap_or(first);
    let due = rate.frame_to_ticks(poster);
    sight.run(rate.frame_to_ticks(key), (0, place.saturating_sub(first) + 1), |at, picture| {
        if (at - due).abs() <= 1 { pictures.take_poster(picture) } else { Ok(()) }
    })?;
    sight.decoder.skip_smoothing();
    let mut wanted = pictures.wanted().into_iter().peekable();
    while let Some(frame) = wanted.next() {
        let (key, _) = before(frame);
        let mut numbers = vec![frame];
        while let Some(more) = wanted.next_if(|more| before(*more).0 == key) {
            numbers.push(more);
        }
        sight.run(rate.frame_to_ticks(key), (0, 1), |_, picture| {
            numbers.drain(..).try_for_each(|number| pictures.take_sprite(number, picture))
        })?;
    }
    Ok(pictures)
}

fn checks(parts: &Parts<'_>, seen: &Seen, decoded: u64, faults: &Faults) -> Vec<Check> {
    let plan = parts.plan;
    let rate = plan.canvas.frame_rate;
    let frame = rate.frame_to_ticks(1);
    let planned = plan.duration_ticks();
    let copies = plan.copied_frames();
    let check = |name: &str, passed: bool, detail: String| Check { name: name.to_owned(), passed, detail };
    let without = |name: &str, well: String| {
        let found = faults.found.iter().find(|(check, ..)| *check == name);
        check(name, found.is_none(), found.map_or(well, |(_, _, words)| words.clone()))
    };
    let sound_length = samples_to_ticks(plan.samples);
    let sound_end = if seen.sound_end > 0 { seen.sound_end } else { sound_length };
    let apart = sound_end.saturating_sub(seen.end);
    let offset = parts.offsets().iter().map(|offset| offset.abs()).max().unwrap_or(0);
    let seams = plan.segments.len().saturating_sub(1);
    vec![
        check(
            "frame_count",
            seen.pictures == plan.frames,
            format!("{} of {} frames", seen.pictures, plan.frames),
        ),
        without("even_timestamps", format!("every frame follows by 1/{rate} s, from 0")),
        without("key_pictures", "where decoding can start is marked".to_owned()),
        without(
            "coded_pictures",
            format!(
                "{copies} copied pictures are the source's and {} encoded ones as made",
                plan.frames - copies
            ),
        ),
        check(
            "duration",
            (seen.end - planned).abs() <= 1,
            format!("{} for {} planned", ticks_to_text(seen.end), ticks_to_text(planned)),
        ),
        check(
            "sound_and_picture_end_together",
            apart.abs() < frame.max(TICKS_PER_SECOND / 1000),
            format!("{} µs apart", apart / (TICKS_PER_SECOND / 1_000_000)),
        ),
        check(
            "sound_and_picture_together_at_seams",
            offset < frame,
            format!("at most {} µs apart", offset / (TICKS_PER_SECOND / 1_000_000)),
        ),
        check(
            "chapters",
            seen.chapters as usize == parts.chapters().len(),
            format!("{} of {}", seen.chapters, parts.chapters().len()),
        ),
        without(
            "decodes_without_complaint",
            format!("{decoded} pictures at {seams} seams and in all encoded parts"),
        ),
    ]
}
