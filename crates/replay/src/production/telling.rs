//! A play in words: chapters to jump to, captions that tell what happens.

use super::Production;
use crate::{
    osr::Mode,
    play::{Event, EventKind, Hit},
    time::{Micros, micros},
};

/// How long a caption is seen, in microseconds of the video.
const SEEN: i64 = 2_000_000;
/// Misses within so much time of the video are told in one chapter, in microseconds.
const TOGETHER: i64 = 5_000_000;
/// Most chapters of a video: a montage's most clips, with room.
const MOST_CHAPTERS: usize = 400;
/// A combo from here on is told when it breaks.
const WORTH_TELLING: u32 = 20;

/// A place that can be jumped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Its first frame.
    pub frame: u64,
    /// Its title.
    pub title: String,
}

/// Something that happened, told in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// From this microsecond of the video on …
    pub from: i64,
    /// … to this one.
    pub to: i64,
    /// What.
    pub text: String,
}

/// A number with commas between its thousands.
pub fn grouped(number: impl Into<i64>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// Where a combo broke.
struct Broken {
    at: Micros,
    /// The combo before it.
    combo: u32,
    missed: bool,
}

impl Production {
    /// Whether a time of the map is shown as play.
    fn shows(&self, at: Micros) -> bool {
        (self.span.0..self.span.1).contains(&at)
    }

    /// Misses, and breaks of the combo without one.
    fn broken(&self) -> Vec<Broken> {
        let mut combo = 0;
        let mut broken = Vec::new();
        for event in &self.play.events {
            let missed = is_miss(event);
            if (missed || event.broke) && self.shows(event.at) {
                broken.push(Broken { at: event.at, combo, missed });
            }
            combo = event.after.combo;
        }
        broken
    }

    /// The map's breaks that are shown: from and to.
    fn breaks(&self) -> impl Iterator<Item = (Micros, Micros)> {
        let breaks = self.map.map.breaks.iter().map(|rest| (micros(rest.start_time), micros(rest.end_time)));
        breaks.filter(|(from, to)| self.shows(*from) && self.shows(*to) && from < to)
    }

    /// Where one can jump to: the beginning, the stretch after each break, misses, the results. In order, never two at one frame.
    #[must_use]
    pub fn chapters(&self) -> Vec<Chapter> {
        let mut places: Vec<(Micros, String)> = vec![(self.clock.first, "Start".to_owned())];
        places.extend(self.breaks().map(|(_, to)| (to, "After the break".to_owned())));
        places.extend(self.misses());
        let end = self.clock.at(self.frames);
        if self.span.1 < end {
            places.push((self.span.1, "Results".to_owned()));
        }
        places.sort();
        let mut chapters: Vec<Chapter> = Vec::new();
        for (at, title) in places {
            let frame = self.clock.frame_at(at);
            let is_new = chapters.last().is_none_or(|last| last.frame < frame);
            if is_new && frame < self.frames {
                chapters.push(Chapter { frame, title });
            }
        }
        chapters
    }

    /// Misses, those that are near each other together; each is jumped to a second before it.
    fn misses(&self) -> Vec<(Micros, String)> {
        let on_map = |video: i64| self.clock.speed.on_map(video);
        let mut together = on_map(TOGETHER);
        loop {
            let mut groups: Vec<(Micros, Micros, u32)> = Vec::new();
            for miss in self.broken().iter().filter(|broken| broken.missed) {
                match groups.last_mut() {
                    Some((_, last, count)) if miss.at - *last < together => {
                        (*last, *count) = (miss.at, *count + 1)
                    }
                    _ => groups.push((miss.at, miss.at, 1)),
                }
            }
            if groups.len() <= MOST_CHAPTERS {
                let title = |count| if count == 1 { "Miss".to_owned() } else { format!("{count} misses") };
                let jump = |at: Micros| (at - on_map(1_000_000)).max(self.clock.first);
                return groups.into_iter().map(|(at, _, count)| (jump(at), title(count))).collect();
            }
            together *= 2;
        }
    }

    /// What happens, in words; in order, never two at once.
    #[must_use]
    pub fn captions(&self) -> Vec<Caption> {
        let wanted = &self.options.captions;
        let mut told: Vec<(Micros, String)> = Vec::new();
        if wanted.misses {
            told.extend(self.broken().into_iter().filter_map(|broken| {
                let combo = grouped(broken.combo);
                let text = match (broken.missed, broken.combo >= WORTH_TELLING) {
                    (true, true) => format!("{combo}x combo, miss"),
                    (true, false) => "miss".to_owned(),
                    (false, true) => format!("{combo}x combo, break"),
                    (false, false) => return None,
                };
                Some((broken.at, text))
            }));
        }
        if wanted.breaks {
            told.extend(self.breaks().map(|(from, to)| {
                let seconds = self.clock.speed.on_video(to - from) / 1_000_000;
                (from, format!("break, {seconds} seconds"))
            }));
            if self.span.1 < self.clock.at(self.frames) {
                told.push((self.span.1, self.summary()));
            }
        }
        told.sort();
        let end = self.clock.of_video().at(self.frames);
        let starts: Vec<i64> = told.iter().map(|(at, _)| self.clock.shown_at(*at).clamp(0, end)).collect();
        let captions = told.into_iter().enumerate().filter_map(|(index, (_, text))| {
            let from = starts.get(index).copied()?;
            let next = starts.get(index + 1).copied().unwrap_or(end);
            let to = (from + SEEN).min(next).min(end);
            (to > from).then_some(Caption { from, to, text })
        });
        captions.collect()
    }

    /// The result in one line.
    fn summary(&self) -> String {
        let end = &self.play.end;
        let misses = match end.counts.miss {
            0 => "no miss".to_owned(),
            1 => "1 miss".to_owned(),
            count => format!("{} misses", grouped(count)),
        };
        format!(
            "{}.{:02} %, {}x highest combo, {misses}",
            end.accuracy / 10_000,
            end.accuracy / 100 % 100,
            grouped(end.max_combo)
        )
    }

    /// The frame that shows best what it is: where most is to be seen, a third into the play.
    #[must_use]
    pub fn poster_frame(&self) -> u64 {
        let third = self.span.0 + (self.span.1 - self.span.0) / 3;
        // Moments at which something was just hit show most.
        let index = self.play.events_until(third);
        let at = self.play.events.get(index).map_or(third, |event| event.at);
        let at = if self.shows(at) { at } else { third };
        self.clock.frame_at(at).min(self.frames.saturating_sub(1))
    }
}

/// Whether an event is a miss of an object. In mania a hold's head is part of it and not told twice.
fn is_miss(event: &Event) -> bool {
    event.kind == EventKind::Result(Hit::Miss)
}

/// The mode's short name.
pub fn short(mode: Mode) -> &'static str {
    match mode {
        Mode::Standard => "osu",
        Mode::Taiko => "taiko",
        Mode::Catch => "catch",
        Mode::Mania => "mania",
    }
}
