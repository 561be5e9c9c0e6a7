//! The play as the HUD shows it: what each number is after each event.

use super::{
    performance::Performance,
    rank::{Grade, Grading},
};
use crate::{
    osr::Counts,
    play::{EventKind, Hit, State},
    stage::{Moment, Stage},
    time::{Micros, Speed},
};

/// What is shown from a moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The moment.
    pub(super) at: Micros,
    pub(super) score: i64,
    pub(super) combo: u32,
    /// When the combo changed last.
    pub(super) combo_at: Micros,
    /// The combo that was there before it broke last, and when that was.
    pub(super) broken: (u32, Micros),
    pub(super) counts: Counts,
    /// In millionths.
    pub(super) accuracy: u32,
    pub(super) grade: Grade,
    pub(super) slider_breaks: u32,
    /// In 1/100, as it was heard at the play's speed.
    pub(super) unstable_rate: u32,
    /// In 1/100.
    pub(super) pp: u32,
}

/// A press that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: Micros,
    /// How early (negative) or late, in microseconds of the map.
    pub(super) off: i32,
    /// Where, in 1/1000 of the object's radius.
    pub(super) aim: Option<(i16, i16)>,
    /// What it gave; `None` of sliders' heads.
    pub(super) hit: Option<Hit>,
}

/// The play as the HUD shows it.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// In order of time.
    readings: Vec<Reading>,
    /// In order of time.
    pub(super) marks: Vec<Mark>,
    start: Reading,
    speed: Speed,
}

/// What a part of the HUD draws from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) at: Micros,
    pub(super) reading: &'a Reading,
    pub(super) timeline: &'a Timeline,
    pub(super) opacity: u8,
}

/// The unstable rate in 1/100, as it was heard at a speed.
pub(super) fn unstable_rate(state: &State, speed: Speed) -> u32 {
    let rate = u64::from(state.unstable_rate()) * u64::from(speed.video) / u64::from(speed.map.max(1));
    u32::try_from(rate).unwrap_or(u32::MAX)
}

impl Timeline {
    pub(super) fn new(stage: &Stage<'_>, performance: &Performance) -> Self {
        let (play, speed) = (stage.play, stage.mods.speed);
        let grading = Grading::of(stage);
        const LONG_AGO: Micros = -1_000_000_000_000;
        let start = Reading {
            at: LONG_AGO,
            score: 0,
            combo: 0,
            combo_at: LONG_AGO,
            broken: (0, LONG_AGO),
            counts: Counts::default(),
            accuracy: 1_000_000,
            grade: Grade::X,
            slider_breaks: 0,
            unstable_rate: 0,
            pp: 0,
        };
        let mut readings: Vec<Reading> = Vec::with_capacity(play.events.len());
        let mut marks = Vec::new();
        let mut before = start;
        for (index, event) in play.events.iter().enumerate() {
            let after = &event.after;
            let mut reading = Reading {
                at: event.at,
                score: after.score,
                combo: after.combo,
                counts: after.counts,
                accuracy: after.accuracy,
                grade: grading.grade(after),
                slider_breaks: after.slider_breaks,
                unstable_rate: unstable_rate(after, speed),
                pp: performance.running.get(index).copied().unwrap_or(0),
                ..before
            };
            if after.combo != before.combo {
                reading.combo_at = event.at;
            }
            if after.combo < before.combo {
                reading.broken = (before.combo, event.at);
            }
            readings.push(reading);
            before = reading;
            if let Some(off) = event.off {
                let hit = if let EventKind::Result(hit) = event.kind { Some(hit) } else { None };
                marks.push(Mark { at: event.at, off, aim: event.aim, hit });
            }
        }
        Self { readings, marks, start, speed }
    }

    /// What is shown at a moment.
    pub(super) fn now(&self, moment: Moment, opacity: u8) -> Now<'_> {
        let over = self.readings.partition_point(|reading| reading.at <= moment.at);
        let last = over.checked_sub(1).and_then(|index| self.readings.get(index));
        Now { at: moment.at, reading: last.unwrap_or(&self.start), timeline: self, opacity }
    }
}

impl<'a> Now<'a> {
    /// How long ago a time of the map was, in microseconds of the video.
    pub(super) fn since(&self, at: Micros) -> i64 {
        let Speed { map, video } = self.timeline.speed;
        (i128::from(self.at.saturating_sub(at)) * i128::from(video) / i128::from(map.max(1))) as i64
    }

    /// The presses of the last microseconds of the video, at most so many, the newest first, each with its age.
    pub(super) fn last_marks(&self, most: usize, youth: i64) -> impl Iterator<Item = (&'a Mark, i64)> {
        let marks = &self.timeline.marks;
        let over = marks.partition_point(|mark| mark.at <= self.at);
        let now = *self;
        let last = marks.get(over.saturating_sub(most)..over).unwrap_or_default();
        let aged = last.iter().rev().map(move |mark| (mark, now.since(mark.at)));
        aged.take_while(move |(_, age)| *age < youth)
    }
}
