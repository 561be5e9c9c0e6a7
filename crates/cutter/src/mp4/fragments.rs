//! The head of an HLS segment: `moof`, and the header of the `mdat` that holds its samples.

use super::arrange::{Arrangement, Run};
use super::boxes::{Bytes, Put, put_box, put_full_box, put_media_header};
use super::movie::{AUDIO_TRACK, DEPENDENT_FLAGS, KEY_FLAGS, VIDEO_TRACK, delay};
use super::{Movie, Mp4Error};

/// Flags of `trun`: which fields it has.
const HAS_PLACE: u32 = 0x1;
const HAS_DURATIONS: u32 = 0x100;
const HAS_SIZES: u32 = 0x200;
const HAS_FLAGS: u32 = 0x400;
const HAS_DELAYS: u32 = 0x800;
/// Flag of `tfhd`: places are counted from the start of the `moof`.
const BASE_IS_HERE: u32 = 0x2_0000;

/// Everything of a fragment but its samples.
pub(super) fn head(movie: &Movie<'_>, arrangement: &Arrangement, fragment: usize) -> Result<Bytes, Mp4Error> {
    let runs = arrangement.runs_of(fragment);
    let payload: u64 = runs.iter().map(|run| run.audio_bytes + run.video_bytes).sum();
    // How long the `moof` is does not depend on the places in it: measured with any, then written with the right ones.
    let length = moof(movie, arrangement, fragment, 0).len() as u64;
    let end = length + 8 + payload;
    if end > i32::MAX as u64 {
        return Err(Mp4Error::Movie("a picture is too large"));
    }
    let mut out = moof(movie, arrangement, fragment, length as u32 + 8);
    put_media_header(&mut out, payload);
    Ok(out)
}

/// The `moof` of a fragment whose samples begin `first` bytes after it began.
fn moof(movie: &Movie<'_>, arrangement: &Arrangement, fragment: usize, first: u32) -> Bytes {
    let runs = arrangement.runs_of(fragment);
    let mut out = Bytes::new();
    put_box(&mut out, b"moof", |out| {
        put_full_box(out, b"mfhd", 0, 0, |out| out.u32(fragment as u32 + 1));
        let decode_time =
            arrangement.pictures_of(fragment).start as u64 * u64::from(movie.video.sample_duration);
        put_track(out, VIDEO_TRACK, decode_time, |out| {
            put_runs(out, runs, first, |out, run, place| put_pictures(out, movie, arrangement, run, place));
        });
        let first_packet = runs.iter().find(|run| !run.audio.is_empty()).map(|run| run.audio.start);
        if let (Some(audio), Some(packet)) = (&movie.audio, first_packet) {
            let decode_time = packet as u64 * u64::from(audio.packet_samples);
            put_track(out, AUDIO_TRACK, decode_time, |out| {
                put_runs(out, runs, first, |out, run, place| {
                    put_packets(out, movie, arrangement, run, place)
                });
            });
        }
    });
    out
}

fn put_track(out: &mut Bytes, track: u32, decode_time: u64, runs: impl FnOnce(&mut Bytes)) {
    put_box(out, b"traf", |out| {
        put_full_box(out, b"tfhd", 0, BASE_IS_HERE, |out| out.u32(track));
        put_full_box(out, b"tfdt", 1, 0, |out| out.u64(decode_time));
        runs(out);
    });
}

/// Calls `put` with the place of each run.
fn put_runs(out: &mut Bytes, runs: &[Run], first: u32, mut put: impl FnMut(&mut Bytes, &Run, u32)) {
    let mut place = u64::from(first);
    for run in runs {
        // Below 31 bits: checked in `head`.
        put(out, run, place as u32);
        place += run.audio_bytes + run.video_bytes;
    }
}

fn put_pictures(out: &mut Bytes, movie: &Movie<'_>, arrangement: &Arrangement, run: &Run, place: u32) {
    let delayed = arrangement.reorder > 0;
    let fields = HAS_PLACE | HAS_SIZES | HAS_FLAGS | if delayed { HAS_DELAYS } else { 0 };
    put_full_box(out, b"trun", 0, fields, |out| {
        out.u32(run.video.len() as u32);
        out.u32(place.saturating_add(run.audio_bytes as u32));
        for index in run.video.clone() {
            let sample = movie.video.samples[index];
            out.u32(sample.size);
            out.u32(if sample.key { KEY_FLAGS } else { DEPENDENT_FLAGS });
            if delayed {
                out.u32(delay(&movie.video, arrangement, index));
            }
        }
    });
}

fn put_packets(out: &mut Bytes, movie: &Movie<'_>, arrangement: &Arrangement, run: &Run, place: u32) {
    let Some(track) = movie.audio.as_ref().filter(|_| !run.audio.is_empty()) else { return };
    // Only the last packet may be shorter than all others.
    let is_last = run.audio.end == arrangement.packets;
    let fields = HAS_PLACE | HAS_SIZES | if is_last { HAS_DURATIONS } else { 0 };
    put_full_box(out, b"trun", 0, fields, |out| {
        out.u32(run.audio.len() as u32);
        out.u32(place);
        for index in run.audio.clone() {
            if is_last {
                let ends = index + 1 == arrangement.packets;
                out.u32(if ends { arrangement.last_packet_samples } else { track.packet_samples });
            }
            out.u32(track.packets[index]);
        }
    });
}
