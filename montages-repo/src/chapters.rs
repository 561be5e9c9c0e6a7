//! Chapters as text: one line per clip, `0:00 Title`, as YouTube reads them in a description. Pure.

use contracts::montage::Clip;
use std::fmt::Write as _;

use crate::names::one_line;

/// Writes the chapters; hours appear on every line once the last chapter starts past the first hour.
#[must_use]
pub fn text(clips: &[Clip]) -> String {
    let with_hours = clips.last().is_some_and(|clip| whole_seconds(clip) >= 3600);
    let mut out = String::new();
    for clip in clips {
        let seconds = whole_seconds(clip);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        // A line is a chapter: a title must not make more of them.
        let title = one_line(&clip.title);
        // Writing to a String does not fail.
        let _ = if with_hours {
            writeln!(out, "{hours}:{minutes:02}:{seconds:02} {title}")
        } else {
            writeln!(out, "{minutes}:{seconds:02} {title}")
        };
    }
    out
}

fn whole_seconds(clip: &Clip) -> u64 {
    // Saturates: no start is negative or endless, and if one were, it is only shown.
    clip.start as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(start: f64, title: &str) -> Clip {
        Clip {
            title: title.to_owned(),
            streamer: None,
            score: None,
            source: String::new(),
            start,
            duration: 1.0,
            source_start: 0.0,
            frames: 30,
            mode: None,
        }
    }

    #[test]
    fn short_and_long() {
        assert_eq!(text(&[clip(0.0, "One\n9:99 fake"), clip(65.9, "Two")]), "0:00 One 9:99 fake\n1:05 Two\n");
        assert_eq!(text(&[clip(0.0, "One"), clip(3661.0, "Two")]), "0:00:00 One\n1:01:01 Two\n");
        assert_eq!(text(&[]), "");
    }
}
