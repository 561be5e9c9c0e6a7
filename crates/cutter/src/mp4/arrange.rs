//! In which order the samples lie in the file: runs of sound and pictures, gathered in fragments. Pure.
//!
//! A fragment begins at a key picture, about [`FRAGMENT_SECONDS`] after the last. Within it, sound and pictures take
//! turns every half second, so that a player of the plain file reads on without seeking. Each run is a chunk of the
//! plain file's tables and a `trun` of the fragment.

use std::ops::Range;

use super::{AudioTrack, Movie, Mp4Error, VideoTrack};

/// A fragment ends at the first key picture from this length on.
const FRAGMENT_SECONDS: u32 = 4;
/// A fragment that finds no key picture ends after this length, with pictures that need the one before.
const LONGEST_FRAGMENT_SECONDS: u32 = 30;
/// A fragment that would become larger ends, too: offsets within it have 31 bits.
const LARGEST_FRAGMENT_BYTES: u64 = 1 << 30;
/// Sound and pictures take turns this often in a second.
const TURNS_PER_SECOND: u32 = 2;
/// Most pictures or packets in a movie: ten days at 60 pictures a second, and an index below a gigabyte.
const MOST_SAMPLES: usize = 1 << 26;

/// Packets of sound and the pictures behind them, which belong to about the same moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) audio: Range<usize>,
    pub(super) audio_bytes: u64,
    /// Never empty.
    pub(super) video: Range<usize>,
    pub(super) video_bytes: u64,
}

/// Runs that make a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Indices of runs; never empty.
    runs: Range<usize>,
    pub(super) key: bool,
}

/// The order of a movie's samples, and what follows from looking at all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrangement {
    pub(super) runs: Vec<Run>,
    pub(super) fragments: Vec<Piece>,
    /// How many pictures later than decoded a picture must be shown so that each is decoded by then.
    pub(super) reorder: u32,
    /// Packets of sound that are written.
    pub(super) packets: usize,
    /// Samples of the last packet that are heard.
    pub(super) last_packet_samples: u32,
}

impl Arrangement {
    /// Checks the movie and arranges its samples.
    pub(super) fn of(movie: &Movie<'_>) -> Result<Self, Mp4Error> {
        let reorder = check_video(&movie.video)?;
        check_chapters(movie)?;
        let sound = movie.audio.as_ref().map(Sound::of).transpose()?;
        let mut arrangement = Self {
            runs: Vec::new(),
            fragments: Vec::new(),
            reorder,
            packets: sound.as_ref().map_or(0, |sound| sound.packets),
            last_packet_samples: sound.as_ref().map_or(0, |sound| sound.last_packet_samples),
        };
        for (pictures, key) in cut(&movie.video) {
            arrangement.add(movie, sound.as_ref(), pictures, key);
        }
        Ok(arrangement)
    }

    /// The runs of a fragment.
    pub(super) fn runs_of(&self, fragment: usize) -> &[Run] {
        self.fragments.get(fragment).and_then(|piece| self.runs.get(piece.runs.clone())).unwrap_or(&[])
    }

    /// The pictures of a fragment.
    pub(super) fn pictures_of(&self, fragment: usize) -> Range<usize> {
        match self.runs_of(fragment) {
            [first, .., last] => first.video.start..last.video.end,
            [only] => only.video.clone(),
            [] => 0..0,
        }
    }

    /// Adds a fragment with these pictures and the sound beside them.
    fn add(&mut self, movie: &Movie<'_>, sound: Option<&Sound<'_>>, pictures: Range<usize>, key: bool) {
        let track = &movie.video;
        let step = pictures_in(track, 1, TURNS_PER_SECOND);
        let first_run = self.runs.len();
        let mut start = pictures.start;
        while start < pictures.end {
            let end = (start + step).min(pictures.end);
            let audio = sound.map_or(0..0, |sound| {
                let from = self.runs.last().map_or(0, |run| run.audio.end);
                let is_last = end == track.samples.len();
                from..if is_last { sound.packets } else { sound.packets_before(end, track).max(from) }
            });
            let sizes = movie.audio.as_ref().map_or(&[][..], |track| &track.packets);
            self.runs.push(Run {
                audio_bytes: sizes[audio.clone()].iter().map(|size| u64::from(*size)).sum(),
                audio,
                video_bytes: track.samples[start..end].iter().map(|sample| u64::from(sample.size)).sum(),
                video: start..end,
            });
            start = end;
        }
        self.fragments.push(Piece { runs: first_run..self.runs.len(), key });
    }
}

/// Checks the pictures' numbers and times; gives the depth of reordering.
fn check_video(track: &VideoTrack) -> Result<u32, Mp4Error> {
    let count = track.samples.len();
    let error = |reason| Err(Mp4Error::Movie(reason));
    if count == 0 {
        return error("it has no pictures");
    }
    if count > MOST_SAMPLES {
        return error("it has too many pictures");
    }
    if track.timescale == 0 || track.sample_duration == 0 {
        return error("its pictures have no duration");
    }
    if track.width == 0 || track.height == 0 || track.width.max(track.height) > u32::from(u16::MAX) {
        return error("its pictures have no size that an MP4 can hold");
    }
    let mut seen = vec![false; count];
    let (mut earlier, mut later) = (0, 0);
    for (index, sample) in track.samples.iter().enumerate() {
        let frame = sample.frame as usize;
        match seen.get_mut(frame) {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return error("a picture is shown twice"),
            None => return error("a picture is missing"),
        }
        earlier = earlier.max(index.saturating_sub(frame));
        later = later.max(frame.saturating_sub(index));
    }
    // The longest wait between decoding and showing must fit the tables' 31 bits.
    let longest = (earlier + later) as u64 * u64::from(track.sample_duration);
    match u32::try_from(earlier) {
        Ok(reorder) if longest <= i32::MAX as u64 => Ok(reorder),
        _ => error("its pictures are shown too long after they are decoded"),
    }
}

fn check_chapters(movie: &Movie<'_>) -> Result<(), Mp4Error> {
    let starts = movie.chapters.iter().map(|chapter| chapter.first_frame);
    let ends = starts.clone().skip(1).chain([movie.video.samples.len() as u64]);
    let rise = starts.clone().zip(ends).all(|(start, end)| start < end);
    let from_zero = movie.chapters.first().is_none_or(|chapter| chapter.first_frame == 0);
    let fit = movie.chapters.len() <= MOST_SAMPLES;
    if rise && from_zero && fit {
        return Ok(());
    }
    Err(Mp4Error::Movie("its chapters do not follow each other from its start"))
}

/// Pictures in `seconds / parts` seconds, rounded up; at least one.
fn pictures_in(track: &VideoTrack, seconds: u32, parts: u32) -> usize {
    let units = u64::from(track.timescale) * u64::from(seconds);
    let step = u64::from(track.sample_duration) * u64::from(parts);
    usize::try_from(units.div_ceil(step)).unwrap_or(usize::MAX).max(1)
}

/// The pictures of each fragment, and whether it begins with a key picture.
fn cut(track: &VideoTrack) -> Vec<(Range<usize>, bool)> {
    let enough = pictures_in(track, FRAGMENT_SECONDS, 1);
    let most = pictures_in(track, LONGEST_FRAGMENT_SECONDS, 1);
    let mut fragments = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    let mut close = |range: Range<usize>| {
        let key = track.samples.get(range.start).is_some_and(|sample| sample.key);
        fragments.push((range, key));
    };
    for (index, sample) in track.samples.iter().enumerate() {
        let length = index - start;
        let grown = bytes + u64::from(sample.size);
        let ends = (sample.key && length >= enough) || length >= most || grown > LARGEST_FRAGMENT_BYTES;
        if length > 0 && ends {
            close(start..index);
            start = index;
            bytes = 0;
        }
        bytes += u64::from(sample.size);
    }
    close(start..track.samples.len());
    fragments
}

/// The sound, checked.
struct Sound<'a> {
    track: &'a AudioTrack,
    packets: usize,
    last_packet_samples: u32,
}

impl<'a> Sound<'a> {
    fn of(track: &'a AudioTrack) -> Result<Self, Mp4Error> {
        let error = |reason| Err(Mp4Error::Movie(reason));
        if track.sample_rate == 0 || track.channels == 0 || track.packet_samples == 0 || track.length == 0 {
            return error("its sound has no duration");
        }
        let samples = u128::from(track.priming) + u128::from(track.length);
        let packets = samples.div_ceil(u128::from(track.packet_samples));
        let packets = usize::try_from(packets).unwrap_or(usize::MAX);
        if packets > track.packets.len() {
            return error("its sound ends too early");
        }
        if packets > MOST_SAMPLES {
            return error("it has too much sound");
        }
        let before = (packets as u64 - 1) * u64::from(track.packet_samples);
        let last = u64::from(track.priming) + track.length - before;
        // At most one packet's samples, which are 32 bits.
        Ok(Self { track, packets, last_packet_samples: last as u32 })
    }

    /// Packets that belong before the picture shown at this place: those up to the nearest boundary.
    fn packets_before(&self, picture: usize, video: &VideoTrack) -> usize {
        let units = picture as u128 * u128::from(video.sample_duration);
        let samples = units * u128::from(self.track.sample_rate) / u128::from(video.timescale);
        let packet = u128::from(self.track.packet_samples);
        let count = (samples + u128::from(self.track.priming) + packet / 2) / packet;
        usize::try_from(count).map_or(self.packets, |count| count.min(self.packets))
    }
}
