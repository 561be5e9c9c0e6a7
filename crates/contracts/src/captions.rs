//! Cues as files: WebVTT, SubRip (SRT), plain text and JSON.
//!
//! Pure. Writers take cues in order of time and promise: no cue that is empty or lasts no time, starts that never go
//! back, text that cannot end its cue or be read as markup. WebVTT: <https://www.w3.org/TR/webvtt1/>.

use crate::transcript::Cue;

/// A way to write cues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptionFormat {
    /// WebVTT, what browsers play.
    WebVtt,
    /// SubRip, what most players and editors read.
    Srt,
    /// The text alone, one cue a line, an empty line between clips.
    Text,
    /// The cues as a JSON array, with words and source times.
    Json,
}

impl CaptionFormat {
    /// The media type of the written file.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::WebVtt => "text/vtt; charset=utf-8",
            Self::Srt => "application/x-subrip; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// The format that a file name's extension (`vtt`, `srt`, `txt`, `json`) stands for.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "vtt" => Some(Self::WebVtt),
            "srt" => Some(Self::Srt),
            "txt" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Writes the cues.
    #[must_use]
    pub fn write(self, cues: &[Cue]) -> String {
        match self {
            Self::WebVtt => webvtt(cues),
            Self::Srt => srt(cues),
            Self::Text => text(cues),
            Self::Json => json(cues),
        }
    }
}

/// Writes WebVTT.
#[must_use]
pub fn webvtt(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for (number, cue) in written(cues).enumerate() {
        // Broken before it is escaped: lines are as long as they look.
        let text = lines(&cue.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (start, end) = (clock(cue.start_ms, '.'), clock(cue.end_ms, '.'));
        out.push_str(&format!("\n{}\n{start} --> {end}\n{text}\n", number + 1));
    }
    out
}

/// Writes SubRip. It has no escapes: `<`, which some players take for markup, and the arrow are replaced by look-alikes.
#[must_use]
pub fn srt(cues: &[Cue]) -> String {
    let mut out = String::new();
    for (number, cue) in written(cues).enumerate() {
        let text = lines(&cue.text.replace("-->", "→").replace('<', "‹").replace('>', "›"));
        let (start, end) = (clock(cue.start_ms, ','), clock(cue.end_ms, ','));
        let gap = if number == 0 { "" } else { "\n" };
        out.push_str(&format!("{gap}{}\n{start} --> {end}\n{text}\n", number + 1));
    }
    out
}

/// Writes the text alone: one cue a line, an empty line where a new clip begins.
#[must_use]
pub fn text(cues: &[Cue]) -> String {
    let mut out = String::new();
    let mut clip = None;
    for cue in written(cues) {
        if clip.is_some_and(|last| last != cue.clip) {
            out.push('\n');
        }
        clip = Some(cue.clip);
        out.push_str(&cue.text);
        out.push('\n');
    }
    out
}

/// Writes the cues as a JSON array.
#[must_use]
pub fn json(cues: &[Cue]) -> String {
    // Numbers and strings only: it cannot fail, and numbers that are not finite become null.
    serde_json::to_string(cues).unwrap_or_else(|_| "[]".to_owned())
}

/// A cue ready to be written.
struct Written {
    start_ms: u64,
    end_ms: u64,
    clip: usize,
    text: String,
}

/// The cues that can be written, in whole milliseconds, on one line each, starts never going back.
fn written(cues: &[Cue]) -> impl Iterator<Item = Written> {
    let mut least = 0;
    cues.iter().filter_map(move |cue| {
        let text =
            cue.text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let text = text.collect::<Vec<_>>().join(" ");
        let (start, end) = (milliseconds(cue.start)?, milliseconds(cue.end)?);
        let start_ms = start.max(least);
        if text.is_empty() || end <= start_ms {
            return None;
        }
        least = start_ms;
        Some(Written { start_ms, end_ms: end, clip: cue.clip, text })
    })
}

/// Whole milliseconds of a time in seconds; none for what is not a time. Rounding keeps order: it is monotonic.
fn milliseconds(seconds: f64) -> Option<u64> {
    (seconds.is_finite() && (0.0..1e9).contains(&seconds)).then(|| (seconds * 1000.0).round() as u64)
}

/// `HH:MM:SS.mmm`, with as many digits of hours as it takes.
fn clock(ms: u64, point: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{:03}", ms % 1000)
}

/// Breaks a text of more than 42 characters into two lines at the space nearest the middle.
fn lines(text: &str) -> String {
    if text.chars().count() <= 42 {
        return text.to_owned();
    }
    let middle = text.len() / 2;
    match text.match_indices(' ').min_by_key(|(at, _)| at.abs_diff(middle)) {
        Some((at, _)) => format!("{}\n{}", &text[..at], &text[at + 1..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cue(start: f64, end: f64, clip: usize, text: &str) -> Cue {
        Cue { start, end, text: text.to_owned(), clip, source_start: 0.0, source_end: 1.0, words: Vec::new() }
    }

    #[test]
    fn webvtt_is_exact() {
        let cues = [
            cue(0.0, 1.5, 0, "Tom & <b>Jerry</b> --> now"),
            cue(1.5, 1.5, 0, "lasts no time"),
            cue(2.0, 3.0, 0, " \n "),
            cue(3599.9996, 36_000.001, 1, "hours"),
        ];
        assert_eq!(
            webvtt(&cues),
            "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\nTom &amp; &lt;b&gt;Jerry&lt;/b&gt; --&gt; now\n\
             \n2\n01:00:00.000 --> 10:00:00.001\nhours\n"
        );
        assert_eq!(webvtt(&[]), "WEBVTT\n");
    }

    #[test]
    fn srt_is_exact() {
        let cues = [cue(0.25, 1.0, 0, "one --> two"), cue(1.0, 400_000.0, 0, "a\n\nb")];
        assert_eq!(
            srt(&cues),
            "1\n00:00:00,250 --> 00:00:01,000\none → two\n\n2\n00:00:01,000 --> 111:06:40,000\na b\n"
        );
    }

    #[test]
    fn text_separates_clips() {
        let cues = [cue(0.0, 1.0, 0, "one"), cue(1.0, 2.0, 0, "two"), cue(2.0, 3.0, 2, "three")];
        assert_eq!(text(&cues), "one\ntwo\n\nthree\n");
    }

    #[test]
    fn long_text_takes_two_lines() {
        let cues = [cue(0.0, 5.0, 0, "It was the best of times, it was the worst of times, it was the age")];
        let out = webvtt(&cues);
        assert!(
            out.ends_with("It was the best of times, it was\nthe worst of times, it was the age\n"),
            "{out}"
        );
    }

    #[test]
    fn json_reads_back() {
        let cues = vec![cue(0.0, 1.0, 0, "\"quoted\" & <tag>")];
        assert_eq!(serde_json::from_str::<Vec<Cue>>(&json(&cues)).unwrap(), cues);
    }

    /// A reader of just what the writers may write: (start, end, text) for each block.
    fn read_back(file: &str, arrow_lines: &str) -> Vec<(String, String, String)> {
        file.split("\n\n")
            .filter_map(|block| {
                let mut rows = block.trim_start_matches('\n').lines();
                rows.next()?.parse::<u32>().ok()?;
                let (start, end) = rows.next()?.split_once(arrow_lines)?;
                Some((start.to_owned(), end.to_owned(), rows.collect::<Vec<_>>().join(" ")))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn files_hold_each_cue_once_in_order(
            parts in prop::collection::vec((0.0..3.0f64, 0.0..9.0f64, "\\PC{0,60}"), 0..30),
        ) {
            let mut at = 0.0;
            let cues: Vec<Cue> = parts.iter().map(|(gap, length, text)| {
                let start = at + gap;
                at = start + length;
                cue(start, at, 0, text)
            }).collect();
            let expected = written(&cues).count();
            for (file, body) in [(webvtt(&cues), true), (srt(&cues), false)] {
                let blocks = read_back(&file, " --> ");
                prop_assert_eq!(blocks.len(), expected);
                for pair in blocks.windows(2) {
                    // The clock has a fixed width below 100 hours, so text order is time order.
                    prop_assert!(pair[0].0 <= pair[1].0);
                }
                for (start, end, text) in blocks {
                    prop_assert!(start < end);
                    prop_assert!(!text.trim().is_empty() && !text.contains("-->") && !text.contains('<'));
                    if body {
                        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                        prop_assert!(written(&cues).any(|cue| cue.text == plain));
                    }
                }
            }
        }
    }
}
