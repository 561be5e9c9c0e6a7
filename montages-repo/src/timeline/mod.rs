//! A montage as editing programs read it: which frames of which source, one after the other. Pure.
//!
//! Promises: everything is counted in frames of the montage's own rate, and the clips together have exactly the montage's frames.
//! What is not known here is the sources' own rates: a place on a source is its time, counted from the source's first picture in
//! the montage's rate. Fades, titles and levels are in the pictures and the sound, and are not said.

mod edl;
mod otio;
mod timecode;

pub use edl::edl;
pub use otio::otio;

use contracts::{
    montage::{Clip, MediaInfo},
    problem::ProblemCode,
};
use service_kit::problem::{ApiError, ApiResult};

use timecode::Rate;

/// What the timeline of a montage is made from.
pub struct Timeline<'a> {
    title: &'a str,
    rate: Rate,
    cuts: Vec<Cut<'a>>,
}

/// One clip on the timeline. All numbers are frames of the montage's rate.
struct Cut<'a> {
    clip: &'a Clip,
    /// Where it begins on the montage.
    start: u64,
    /// From there to where the next one begins.
    frames: u64,
    /// Where it begins on its source.
    source: u64,
    /// For how many frames the clip before is still seen, dissolving into this one.
    dissolve: u64,
}

impl<'a> Timeline<'a> {
    /// Lays out a montage.
    ///
    /// # Errors
    /// `conflict` when its frame rate cannot be read.
    pub fn of(title: &'a str, media: &MediaInfo, clips: &'a [Clip]) -> ApiResult<Self> {
        let rate = Rate::parse(&media.frame_rate).ok_or_else(|| {
            let detail = "The frame rate of this montage is not known: make it again to have its timeline.";
            ApiError::new(ProblemCode::Conflict, detail)
        })?;
        let starts: Vec<u64> = clips.iter().map(|clip| rate.frames(clip.start)).collect();
        let ends = starts.iter().skip(1).chain([&media.frames]);
        let mut cuts: Vec<Cut<'a>> = Vec::with_capacity(clips.len());
        for ((clip, start), end) in clips.iter().zip(&starts).zip(ends) {
            // A clip has more frames than it fills only where it reaches into the next one.
            let dissolve = cuts.last().map_or(0, |before| before.clip.frames.saturating_sub(before.frames));
            let (frames, source) = (end.saturating_sub(*start), rate.frames(clip.source_start));
            cuts.push(Cut { clip, start: *start, frames, source, dissolve });
        }
        Ok(Self { title, rate, cuts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A montage with the clips' frames, each with how many of them reach into the next clip.
    pub fn montage(rate: &str, clips: &[(&str, u64, u64)]) -> (MediaInfo, Vec<Clip>) {
        let (over, under) = rate.split_once('/').unwrap();
        let fps = over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap();
        let seconds = |frames: u64| frames as f64 / fps;
        let (mut at, mut made) = (0, Vec::new());
        for (number, (source, frames, overlap)) in clips.iter().enumerate() {
            made.push(Clip {
                title: format!("Clip {number}"),
                streamer: Some("hana".to_owned()),
                score: None,
                source: (*source).to_owned(),
                start: seconds(at),
                duration: seconds(frames - overlap),
                source_start: seconds(1000 * (number as u64 + 1)),
                frames: *frames,
                mode: None,
            });
            at += frames - overlap;
        }
        let media = MediaInfo {
            width: 1280,
            height: 720,
            frame_rate: rate.to_owned(),
            frames: at,
            duration_ticks: 0,
            duration: seconds(at),
            bytes: 1,
            sha256: String::new(),
        };
        (media, made)
    }

    proptest! {
        /// Whatever the rate and the lengths, nothing is lost or counted twice by the way over seconds.
        #[test]
        fn frames_add_up(
            rate in prop_oneof![Just("30/1"), Just("30000/1001"), Just("24000/1001"), Just("25/1"), Just("60000/1001"), Just("12345/1000")],
            lengths in prop::collection::vec((2_u64..200_000, 0_u64..2), 1..40),
        ) {
            let last = lengths.len() - 1;
            let clips: Vec<_> = lengths
                .iter()
                .enumerate()
                .map(|(index, (frames, overlap))| ("a", *frames, if index == last { 0 } else { *overlap }))
                .collect();
            let (media, made) = montage(rate, &clips);
            let timeline = Timeline::of("t", &media, &made).unwrap();
            let mut at = 0;
            for (number, (cut, (_, frames, overlap))) in timeline.cuts.iter().zip(&clips).enumerate() {
                prop_assert_eq!((cut.start, cut.frames), (at, frames - overlap));
                prop_assert_eq!(cut.source, 1000 * (number as u64 + 1));
                prop_assert_eq!(cut.dissolve, if number == 0 { 0 } else { clips[number - 1].2 });
                at += cut.frames;
            }
            prop_assert_eq!(at, media.frames);
        }
    }

    #[test]
    fn a_montage_of_an_unknown_rate_has_no_timeline() {
        let (mut media, clips) = montage("30/1", &[("a", 10, 0)]);
        for rate in ["", "30", "0/1", "30/0", "x/1", "1/30"] {
            media.frame_rate = rate.to_owned();
            let refused = Timeline::of("t", &media, &clips).map(|_| ()).unwrap_err();
            assert_eq!(refused.problem.code, ProblemCode::Conflict.as_str(), "{rate}");
        }
    }
}
