//! The timeline as an edit decision list in the form of CMX 3600, which all editing programs read. Pure.
//!
//! Each clip is an event on `AA/V`, pictures and both channels of sound cut together: one line for what others write as a line on
//! `V` and one on `AA`, and more than `B`, which is pictures and one channel. A dissolve is two lines of one event, the clip before
//! standing still where it begins. Promises: records follow each other from 01:00:00:00 on without gaps; each source has a reel name
//! of its own; a text of a user stays on its line.

use service_kit::problem::{ApiError, ApiResult};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use super::Timeline;
use crate::names::one_line;
use contracts::problem::ProblemCode;

/// Longest reel name.
const LONGEST_REEL: usize = 8;
/// Reel names that mean something else than a source: black, bars, and one that nobody knows.
const RESERVED: [&str; 4] = ["AX", "BARS", "BL", "BLACK"];

/// Writes the list.
///
/// # Errors
/// `conflict` for a rate of more frames a second than a timecode counts.
pub fn edl(timeline: &Timeline<'_>) -> ApiResult<String> {
    let rate = timeline.rate;
    if !rate.has_timecode() {
        let detail = format!("An EDL has no timecodes for {rate} frames a second; take timeline.otio.");
        return Err(ApiError::new(ProblemCode::Conflict, detail));
    }
    let mode = if rate.is_drop_frame() { "DROP FRAME" } else { "NON-DROP FRAME" };
    let mut lines = vec![format!("TITLE: {}", one_line(timeline.title)), format!("FCM: {mode}")];
    let mut reels = Reels::default();
    for (index, cut) in timeline.cuts.iter().enumerate() {
        let (number, record) = (index + 1, rate.record_start() + cut.start);
        let before = (cut.dissolve > 0).then(|| index.checked_sub(1)).flatten();
        let before = before.and_then(|index| timeline.cuts.get(index));
        let line = |reel: &str, how: &str, source: u64, frames: u64| {
            let times = [source, source + frames, record, record + frames].map(|frame| rate.timecode(frame));
            format!("{number:03}  {reel:<8} AA/V  {how:<8} {}", times.join(" "))
        };
        match before {
            None => {
                lines.push(line(reels.of(&cut.clip.source), "C", cut.source, cut.frames));
                lines.push(format!("* FROM CLIP NAME: {}", one_line(&cut.clip.title)));
            }
            Some(before) => {
                lines.push(line(reels.of(&before.clip.source), "C", before.source + before.frames, 0));
                let dissolve = format!("D    {:03}", cut.dissolve);
                lines.push(line(reels.of(&cut.clip.source), &dissolve, cut.source, cut.frames));
                lines.push(format!("* FROM CLIP NAME: {}", one_line(&before.clip.title)));
                lines.push(format!("* TO CLIP NAME: {}", one_line(&cut.clip.title)));
            }
        }
        lines.push(format!("* SOURCE FILE: {}", one_line(&cut.clip.source)));
        if let Some(streamer) = &cut.clip.streamer {
            lines.push(format!("* STREAMER: {}", one_line(streamer)));
        }
        // Readers take comments behind an event only.
        if index == 0 {
            lines.push(format!(
                "* SOURCE TIMECODES COUNT FROM EACH SOURCE'S FIRST PICTURE AT {rate} FRAMES A SECOND, THE RATE OF THE MONTAGE"
            ));
        }
    }
    let mut text = String::new();
    for line in lines {
        // Writing to a String does not fail.
        let _ = write!(text, "{line}\r\n");
    }
    Ok(text)
}

/// The reel names that were given so far, by source.
#[derive(Default)]
struct Reels {
    names: HashMap<String, String>,
    taken: HashSet<String>,
}

impl Reels {
    /// The reel of a source: up to eight capital letters and digits out of its file's name, with a number where another source has
    /// that name already.
    fn of(&mut self, source: &str) -> &str {
        let Self { names, taken } = self;
        names.entry(source.to_owned()).or_insert_with(|| {
            let file = source.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            let mut letters: String =
                stem.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_REEL).collect();
            letters.make_ascii_uppercase();
            if letters.is_empty() {
                letters.push_str("SOURCE");
            }
            let mut name = letters.clone();
            let mut number = 1;
            while RESERVED.contains(&name.as_str()) || !taken.insert(name.clone()) {
                number += 1;
                let end = format!("{number}");
                name = letters.chars().take(LONGEST_REEL - end.len()).collect::<String>() + &end;
            }
            name
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::montage;
    use super::*;
    use proptest::prelude::*;

    fn written(title: &str, rate: &str, clips: &[(&str, u64, u64)]) -> String {
        let (media, made) = montage(rate, clips);
        edl(&Timeline::of(title, &media, &made).unwrap()).unwrap()
    }

    #[test]
    fn cuts_and_a_dissolve_are_events() {
        let clips = [
            ("https://media.example/vod-1.mp4", 300, 0),
            ("library:clips/a.mkv", 150, 30),
            ("https://media.example/vod-1.mp4", 60, 0),
        ];
        let expected = "\
TITLE: Best of the week\r
FCM: NON-DROP FRAME\r
001  VOD1     AA/V  C        00:00:33:10 00:00:43:10 01:00:00:00 01:00:10:00\r
* FROM CLIP NAME: Clip 0\r
* SOURCE FILE: https://media.example/vod-1.mp4\r
* STREAMER: hana\r
* SOURCE TIMECODES COUNT FROM EACH SOURCE'S FIRST PICTURE AT 30 FRAMES A SECOND, THE RATE OF THE MONTAGE\r
002  A        AA/V  C        00:01:06:20 00:01:10:20 01:00:10:00 01:00:14:00\r
* FROM CLIP NAME: Clip 1\r
* SOURCE FILE: library:clips/a.mkv\r
* STREAMER: hana\r
003  A        AA/V  C        00:01:10:20 00:01:10:20 01:00:14:00 01:00:14:00\r
003  VOD1     AA/V  D    030 00:01:40:00 00:01:42:00 01:00:14:00 01:00:16:00\r
* FROM CLIP NAME: Clip 1\r
* TO CLIP NAME: Clip 2\r
* SOURCE FILE: https://media.example/vod-1.mp4\r
* STREAMER: hana\r
";
        assert_eq!(written("Best of\nthe  week", "30/1", &clips), expected);
    }

    #[test]
    fn drop_frame_is_said_and_counted() {
        let text = written("t", "30000/1001", &[("a", 1800, 0), ("a", 1800, 0)]);
        assert!(text.contains("\r\nFCM: DROP FRAME\r\n"));
        assert!(text.contains(" 00:00:33;10 00:01:33;12 01:00:00;00 01:01:00;02\r\n"), "{text}");
        assert!(text.contains(" 01:01:00;02 01:02:00;04\r\n"), "{text}");
        let (media, made) = montage("120/1", &[("a", 10, 0)]);
        let refused = edl(&Timeline::of("t", &media, &made).unwrap()).unwrap_err();
        assert_eq!(refused.problem.code, ProblemCode::Conflict.as_str());
    }

    #[test]
    fn reels_are_short_safe_and_told_apart() {
        let mut reels = Reels::default();
        for (source, reel) in [
            ("https://media.example/a long name.mp4", "ALONGNAM"),
            ("https://other.example/a long name.mp4", "ALONGNA2"),
            ("https://media.example/a long name.mp4", "ALONGNAM"),
            ("library:été/花火.mkv", "SOURCE"),
            ("bl.mp4", "BL2"),
            ("upload:019a0b1c-2d3e", "019A0B1C"),
            ("", "SOURCE2"),
        ] {
            assert_eq!(reels.of(source), reel, "{source}");
        }
        let many: HashSet<String> =
            (0..500).map(|number| reels.of(&format!("{number}/x.mp4")).to_owned()).collect();
        assert_eq!(many.len(), 500);
    }

    proptest! {
        /// No title, source or streamer makes a line of its own, and the records agree with the montage to the frame.
        #[test]
        fn texts_stay_on_their_lines(text in "\\PC{0,20}[\r\n\u{85}\u{2028}\u{b}]?\\PC{0,20}", lengths in prop::collection::vec(1_u64..5000, 1..20)) {
            let clips: Vec<_> = lengths.iter().map(|frames| (text.as_str(), *frames, 0)).collect();
            let (media, mut made) = montage("25/1", &clips);
            for clip in &mut made {
                clip.title.clone_from(&text);
                clip.streamer = Some(text.clone());
            }
            let list = edl(&Timeline::of(&text, &media, &made).unwrap()).unwrap();
            prop_assert_eq!(list.split(['\r', '\n', '\u{85}', '\u{2028}', '\u{b}']).filter(|line| !line.is_empty()).count(), 3 + 4 * clips.len());
            let mut at = 25 * 3600;
            let frame = |timecode: &str| {
                let parts: Vec<u64> = timecode.split(':').map(|part| part.parse().unwrap()).collect();
                ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 25 + parts[3]
            };
            for (line, frames) in list.lines().filter(|line| line.contains(" AA/V ")).zip(&lengths) {
                let times: Vec<u64> = line.split_whitespace().rev().take(4).map(frame).collect();
                prop_assert_eq!((times[1], times[0]), (at, at + frames));
                prop_assert_eq!(times[2] - times[3], *frames);
                at += frames;
            }
            prop_assert_eq!(at, 25 * 3600 + media.frames);
        }
    }
}
