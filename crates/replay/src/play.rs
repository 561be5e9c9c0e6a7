//! A judged play: every event with the state of the game after it, whatever the mode.
//!
//! Promises: events are in order of time; the state that belongs to a moment is that after the last event at or before it, so
//! that any frame can be drawn alone.

use serde::{Deserialize, Serialize};

use crate::{osr::Counts, time::Micros};

/// A judged play.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Play {
    /// What happened, in order of time.
    pub events: Vec<Event>,
    /// What became of each object of the map, by its index.
    pub objects: Vec<Outcome>,
    /// When keys went down and up: for the key overlay.
    pub presses: Vec<Press>,
    /// How it ended.
    pub end: State,
    /// How many results a full play has: hits that count towards accuracy.
    pub results: u32,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When.
    pub at: Micros,
    /// Which object of the map, by index.
    pub object: u32,
    /// What.
    pub kind: EventKind,
    /// How early (negative) or late a press was, in microseconds of the map, where one was judged.
    pub off: Option<i32>,
    /// Where a press was, from the object's centre, in 1/1000 of its radius: x to the right, y down.
    pub aim: Option<(i16, i16)>,
    /// The combo broke here.
    pub broke: bool,
    /// The game after it.
    pub after: State,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An object has its final result.
    Result(Hit),
    /// A slider's head was hit, or missed.
    Head(bool),
    /// A slider's tick was caught, or not. Its number among the slider's parts, in order of time.
    Tick(bool, u16),
    /// A slider's repeat was caught, or not. Its number among the slider's repeats.
    Repeat(bool, u16),
    /// A slider's end was caught, or not.
    Tail(bool),
    /// A spinner turned by one more that counts (100 points).
    Spin,
    /// A spinner turned by one more that gives a bonus.
    Bonus,
    /// A hold note of mania was let go too early or missed a tick; a drum roll's tick was hit.
    Hold(bool),
}

/// Results of objects, best first. Mania has all of them; osu! has no `Max`, `Good`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hit {
    /// MAX (mania).
    Max,
    /// 300, GREAT.
    Great,
    /// 200 (mania).
    Good,
    /// 100, OK.
    Ok,
    /// 50, MEH.
    Meh,
    /// Miss.
    Miss,
}

/// What became of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// When it was pressed first, or let go for missed: what its animations follow.
    pub pressed: Option<Micros>,
    /// When its result was there.
    pub judged: Micros,
    /// The result.
    pub result: Option<Hit>,
    /// Of a slider's head, or a note's.
    pub head: Option<Hit>,
    /// Presses that were refused (note lock): the object shook then.
    pub shaken: Vec<Micros>,
    /// Of a slider: stretches in which it was followed.
    pub followed: Vec<(Micros, Micros)>,
    /// Of a spinner: its angle over time, in 1/1000 of a turn, at times that grow; between them it grows evenly.
    pub turns: Vec<(Micros, i32)>,
    /// Of a spinner: when it was cleared.
    pub cleared: Option<Micros>,
    /// Of a spinner: the turns that clear it, in 1/1000.
    pub needed_turns: i32,
    /// Geki (2) or katu (1), where this ended a combo's colours.
    pub combo_end: u8,
}

/// A key that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// Which: in osu! 0 K1, 1 K2, 2 M1, 3 M2; in taiko 0 to 3 from left to right; in mania the column.
    pub key: u8,
    /// Down.
    pub from: Micros,
    /// Up.
    pub to: Micros,
}

/// The game after an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// The score, by the rules that the replay's score follows (ScoreV1, ScoreV2, lazer's standardised).
    pub score: i64,
    /// The combo.
    pub combo: u32,
    /// The highest combo so far.
    pub max_combo: u32,
    /// The counts so far.
    pub counts: Counts,
    /// Of lazer's statistics: slider ticks and repeats caught and missed, tails caught, bonuses.
    pub lazer: LazerCounts,
    /// Accuracy so far, in millionths: 1,000,000 is 100 %; also before the first result.
    pub accuracy: u32,
    /// Breaks of the combo at sliders' heads, ticks and repeats, so far.
    pub slider_breaks: u32,
    /// Presses with an error so far: how many, the sum of their errors and of their squares, in microseconds.
    pub presses: (u32, i64, i64),
}

/// What lazer counts besides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LazerCounts {
    /// Ticks and repeats caught.
    pub large_tick_hit: u32,
    /// Ticks and repeats missed.
    pub large_tick_miss: u32,
    /// Ends of sliders caught.
    pub slider_tail_hit: u32,
    /// Small ticks caught (sliders' ends under Classic).
    pub small_tick_hit: u32,
    /// Small ticks missed.
    pub small_tick_miss: u32,
    /// Spins with a small bonus.
    pub small_bonus: u32,
    /// Spins with a large bonus.
    pub large_bonus: u32,
    /// Whatever breaks the combo without another count (holds of mania).
    pub combo_break: u32,
    /// Results that are not counted.
    pub ignore_hit: u32,
    /// Results that are not counted, missed.
    pub ignore_miss: u32,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            at: 0,
            object: 0,
            kind: EventKind::Spin,
            off: None,
            aim: None,
            broke: false,
            after: State::default(),
        }
    }
}

impl State {
    /// Unstable rate: ten times the standard deviation of the presses' errors, in 1/100 (so 8,450 is 84.50), in the map's time.
    #[must_use]
    pub fn unstable_rate(&self) -> u32 {
        let (count, sum, squares) = self.presses;
        if count == 0 {
            return 0;
        }
        let count = i128::from(count);
        // Variance in square microseconds; ten times the deviation in milliseconds, times 100, is the deviation in microseconds.
        let over = i128::from(squares) * count - i128::from(sum) * i128::from(sum);
        u32::try_from(((over / (count * count)).max(0) as u128).isqrt()).unwrap_or(u32::MAX)
    }
}

impl Play {
    /// How many events have happened at a moment.
    #[must_use]
    pub fn events_until(&self, at: Micros) -> usize {
        self.events.partition_point(|event| event.at <= at)
    }

    /// The game at a moment.
    #[must_use]
    pub fn state(&self, at: Micros) -> State {
        let last = self.events_until(at).checked_sub(1).and_then(|index| self.events.get(index));
        last.map_or(State { accuracy: 1_000_000, ..State::default() }, |event| event.after)
    }
}
