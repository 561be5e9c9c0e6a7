//! The index (`moov`): of the plain file, with all tables, and of the HLS initialisation segment, with none.

use super::arrange::Arrangement;
use super::boxes::{Bytes, Put, is_wide, put_box, put_file_type, put_full_box};
use super::chapters::{put_user_data, text_durations, text_sizes, text_timescale};
use super::{AudioTrack, Movie, VideoTrack, entries, tables};

/// Number of the track with the pictures.
pub(super) const VIDEO_TRACK: u32 = 1;
/// Number of the track with the sound.
pub(super) const AUDIO_TRACK: u32 = 2;
/// Number of the track with the chapters' titles.
const TEXT_TRACK: u32 = 3;

/// Flags of a sample that others do not need to be decoded before.
pub(super) const KEY_FLAGS: u32 = 0x0200_0000;
/// Flags of a sample that needs others.
pub(super) const DEPENDENT_FLAGS: u32 = 0x0101_0000;

/// Where the chunks begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets {
    /// Whether they need eight bytes.
    pub(super) wide: bool,
    pub(super) video: Vec<u64>,
    pub(super) audio: Vec<u64>,
    /// The one chunk of the chapter track.
    pub(super) text: u64,
}

impl Offsets {
    /// Moves all by this many bytes.
    pub(super) fn shift(&mut self, by: u64) {
        self.video.iter_mut().chain(&mut self.audio).chain([&mut self.text]).for_each(|place| *place += by);
    }
}

/// The plain file's index.
pub(super) fn index(movie: &Movie<'_>, arrangement: &Arrangement, offsets: &Offsets) -> Bytes {
    let tables = Tables { arrangement, offsets: Some(offsets) };
    let mut out = Bytes::new();
    put_box(&mut out, b"moov", |out| {
        put_movie_header(out, movie, movie_duration(movie));
        put_tracks(out, movie, &tables);
        if !movie.chapters.is_empty() {
            put_text_track(out, movie, offsets);
        }
        put_user_data(out, movie);
    });
    out
}

/// The HLS initialisation segment.
pub(super) fn init_segment(movie: &Movie<'_>, arrangement: &Arrangement) -> Bytes {
    let tables = Tables { arrangement, offsets: None };
    let mut out = Bytes::new();
    put_file_type(&mut out, b"iso6", &[b"iso6", b"mp41"]);
    put_box(&mut out, b"moov", |out| {
        put_movie_header(out, movie, 0);
        put_tracks(out, movie, &tables);
        put_box(out, b"mvex", |out| {
            put_defaults(out, VIDEO_TRACK, movie.video.sample_duration, DEPENDENT_FLAGS);
            if let Some(audio) = &movie.audio {
                put_defaults(out, AUDIO_TRACK, audio.packet_samples, KEY_FLAGS);
            }
        });
    });
    out
}

fn put_defaults(out: &mut Bytes, track: u32, duration: u32, flags: u32) {
    put_full_box(out, b"trex", 0, 0, |out| {
        for value in [track, 1, duration, 0, flags] {
            out.u32(value);
        }
    });
}

/// Units in a second of what concerns all tracks. The sound's, so that its end can be said to the sample.
fn movie_timescale(movie: &Movie<'_>) -> u32 {
    movie.audio.as_ref().map_or(movie.video.timescale, |audio| audio.sample_rate)
}

fn video_units(track: &VideoTrack) -> u64 {
    track.samples.len() as u64 * u64::from(track.sample_duration)
}

/// How long the pictures are shown, in units of the movie. Rounded up: the last one must not fall out of its edit.
fn video_duration(movie: &Movie<'_>) -> u64 {
    let units = u128::from(video_units(&movie.video)) * u128::from(movie_timescale(movie));
    units.div_ceil(u128::from(movie.video.timescale)) as u64
}

fn movie_duration(movie: &Movie<'_>) -> u64 {
    video_duration(movie).max(movie.audio.as_ref().map_or(0, |audio| audio.length))
}

fn put_matrix(out: &mut Bytes) {
    for value in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] {
        out.u32(value);
    }
}

fn put_movie_header(out: &mut Bytes, movie: &Movie<'_>, duration: u64) {
    let wide = is_wide(duration);
    put_full_box(out, b"mvhd", u8::from(wide), 0, |out| {
        // Never created nor changed: equal montages are equal files.
        out.sized(wide, 0);
        out.sized(wide, 0);
        out.u32(movie_timescale(movie));
        out.sized(wide, duration);
        out.u32(0x0001_0000);
        out.u16(0x0100);
        out.zeros(10);
        put_matrix(out);
        out.zeros(24);
        out.u32(TEXT_TRACK + 1);
    });
}

/// What a track is, apart from its samples.
struct Track<'a> {
    id: u32,
    /// Whether players show it by themselves.
    enabled: bool,
    /// In units of the movie.
    duration: u64,
    /// Width and height as shown, in 1/65536 pixels.
    size: (u32, u32),
    volume: u16,
    timescale: u32,
    /// In units of the track.
    media_duration: u64,
    /// The first moment that is presented, in units of the track; `None` for all.
    edit: Option<u64>,
    /// Whether the chapter track tells its chapters.
    has_chapters: bool,
    handler: &'a [u8; 4],
    name: &'a str,
}

fn put_track(
    out: &mut Bytes,
    track: &Track<'_>,
    media_header: impl FnOnce(&mut Bytes),
    samples: impl FnOnce(&mut Bytes),
) {
    put_box(out, b"trak", |out| {
        put_track_header(out, track);
        if let Some(start) = track.edit {
            put_edit(out, track.duration, start);
        }
        if track.has_chapters {
            put_box(out, b"tref", |out| put_box(out, b"chap", |out| out.u32(TEXT_TRACK)));
        }
        put_box(out, b"mdia", |out| {
            put_media_description(out, track);
            put_box(out, b"minf", |out| {
                media_header(out);
                put_box(out, b"dinf", |out| {
                    put_full_box(out, b"dref", 0, 0, |out| {
                        out.u32(1);
                        // Flag 1: the media is in this file.
                        put_full_box(out, b"url ", 0, 1, |_| {});
                    });
                });
                put_box(out, b"stbl", samples);
            });
        });
    });
}

fn put_track_header(out: &mut Bytes, track: &Track<'_>) {
    let wide = is_wide(track.duration);
    // Part of the movie; shown by itself.
    let flags = if track.enabled { 0x3 } else { 0x2 };
    put_full_box(out, b"tkhd", u8::from(wide), flags, |out| {
        out.sized(wide, 0);
        out.sized(wide, 0);
        out.u32(track.id);
        out.u32(0);
        out.sized(wide, track.duration);
        out.zeros(8);
        out.u16(0);
        // Sound tracks of one group are alternatives; there is one at most.
        out.u16(u16::from(track.volume != 0));
        out.u16(track.volume);
        out.u16(0);
        put_matrix(out);
        out.u32(track.size.0);
        out.u32(track.size.1);
    });
}

/// Presents the track from `start` on. A `duration` of 0 means all that follows.
fn put_edit(out: &mut Bytes, duration: u64, start: u64) {
    let wide = is_wide(duration) || start > i32::MAX as u64;
    put_box(out, b"edts", |out| {
        put_full_box(out, b"elst", u8::from(wide), 0, |out| {
            out.u32(1);
            out.sized(wide, duration);
            out.sized(wide, start);
            out.u32(0x0001_0000);
        });
    });
}

fn put_media_description(out: &mut Bytes, track: &Track<'_>) {
    let wide = is_wide(track.media_duration);
    put_full_box(out, b"mdhd", u8::from(wide), 0, |out| {
        out.sized(wide, 0);
        out.sized(wide, 0);
        out.u32(track.timescale);
        out.sized(wide, track.media_duration);
        // The language `und`, in letters of five bits.
        out.u16(0x55C4);
        out.u16(0);
    });
    put_full_box(out, b"hdlr", 0, 0, |out| {
        out.u32(0);
        out.bytes(track.handler);
        out.zeros(12);
        out.bytes(track.name.as_bytes());
        out.u8(0);
    });
}

/// Whose samples a track lists: all of the plain file, or none.
struct Tables<'a> {
    arrangement: &'a Arrangement,
    offsets: Option<&'a Offsets>,
}

fn put_tracks(out: &mut Bytes, movie: &Movie<'_>, tables: &Tables<'_>) {
    let plain = tables.offsets.is_some();
    let has_chapters = plain && !movie.chapters.is_empty();
    let video = &movie.video;
    let track = Track {
        id: VIDEO_TRACK,
        enabled: true,
        duration: if plain { video_duration(movie) } else { 0 },
        size: shown_size(video),
        volume: 0,
        timescale: video.timescale,
        media_duration: if plain { video_units(video) } else { 0 },
        edit: Some(u64::from(tables.arrangement.reorder) * u64::from(video.sample_duration)),
        has_chapters,
        handler: b"vide",
        name: "VideoHandler",
    };
    let header = |out: &mut Bytes| put_full_box(out, b"vmhd", 0, 1, |out| out.zeros(8));
    put_track(out, &track, header, |out| put_video_samples(out, video, tables));

    let Some(audio) = &movie.audio else { return };
    let track = Track {
        id: AUDIO_TRACK,
        enabled: true,
        duration: if plain { audio.length } else { 0 },
        size: (0, 0),
        volume: 0x0100,
        timescale: audio.sample_rate,
        media_duration: if plain { u64::from(audio.priming) + audio.length } else { 0 },
        edit: Some(u64::from(audio.priming)),
        has_chapters,
        handler: b"soun",
        name: "SoundHandler",
    };
    let header = |out: &mut Bytes| put_full_box(out, b"smhd", 0, 0, |out| out.zeros(4));
    put_track(out, &track, header, |out| put_audio_samples(out, audio, tables));
}

/// Width and height in square pixels, in 1/65536.
fn shown_size(track: &VideoTrack) -> (u32, u32) {
    let (sar_width, sar_height) = track.sar;
    let height = u64::from(track.height) << 16;
    let mut width = u64::from(track.width) << 16;
    if sar_width != 0 && sar_height != 0 {
        width = width.saturating_mul(u64::from(sar_width)) / u64::from(sar_height);
    }
    (u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX))
}

fn put_video_samples(out: &mut Bytes, track: &VideoTrack, from: &Tables<'_>) {
    entries::put_video(out, track);
    let Some(offsets) = from.offsets else { return tables::put_empty(out) };
    let samples = &track.samples;
    let duration = track.sample_duration;
    let runs = from.arrangement.runs.iter();
    tables::put_durations(out, tables::even_durations(samples.len(), duration, duration));
    tables::put_keys(out, samples.iter().map(|sample| sample.key));
    tables::put_offsets(out, (0..samples.len()).map(|index| delay(track, from.arrangement, index)));
    tables::put_chunk_lengths(out, runs.map(|run| run.video.len() as u32));
    tables::put_sizes(out, samples.iter().map(|sample| sample.size));
    tables::put_chunk_places(out, offsets.wide, &offsets.video);
}

/// How long after its decoding a picture is shown, in units of the track. Never negative, and below 31 bits: the
/// arrangement was checked.
pub(super) fn delay(track: &VideoTrack, arrangement: &Arrangement, index: usize) -> u32 {
    let frame = track.samples.get(index).map_or(0, |sample| u64::from(sample.frame));
    let steps = (frame + u64::from(arrangement.reorder)).saturating_sub(index as u64);
    (steps * u64::from(track.sample_duration)) as u32
}

fn put_audio_samples(out: &mut Bytes, track: &AudioTrack, from: &Tables<'_>) {
    entries::put_audio(out, track);
    let Some(offsets) = from.offsets else { return tables::put_empty(out) };
    let arrangement = from.arrangement;
    let runs = arrangement.runs.iter().filter(|run| !run.audio.is_empty());
    let count = arrangement.packets;
    let durations = tables::even_durations(count, track.packet_samples, arrangement.last_packet_samples);
    tables::put_durations(out, durations);
    tables::put_chunk_lengths(out, runs.map(|run| run.audio.len() as u32));
    tables::put_sizes(out, track.packets[..count].iter().copied());
    tables::put_chunk_places(out, offsets.wide, &offsets.audio);
    tables::put_roll(out, count as u32);
}

fn put_text_track(out: &mut Bytes, movie: &Movie<'_>, offsets: &Offsets) {
    let durations = text_durations(movie);
    let track = Track {
        id: TEXT_TRACK,
        enabled: false,
        duration: video_duration(movie),
        size: (0, 0),
        volume: 0,
        timescale: text_timescale(movie),
        media_duration: durations.iter().map(|duration| u64::from(*duration)).sum(),
        edit: None,
        has_chapters: false,
        handler: b"text",
        name: "ChapterHandler",
    };
    let header = |out: &mut Bytes| {
        put_box(out, b"gmhd", |out| {
            put_full_box(out, b"gmin", 0, 0, |out| {
                // Copied with dithering, in a middle grey: what QuickTime itself writes.
                for value in [0x40, 0x8000, 0x8000, 0x8000, 0, 0] {
                    out.u16(value);
                }
            });
            put_box(out, b"text", put_matrix);
        });
    };
    put_track(out, &track, header, |out| {
        let sizes = text_sizes(movie.chapters);
        entries::put_text(out);
        tables::put_durations(out, durations.iter().copied());
        tables::put_chunk_lengths(out, [sizes.len() as u32].into_iter());
        tables::put_sizes(out, sizes.iter().copied());
        tables::put_chunk_places(out, offsets.wide, &[offsets.text]);
    });
}
