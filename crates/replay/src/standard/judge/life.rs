//! The life bar.
//!
//! The game's drain is solved for each map in ways that nobody repeats exactly, and a replay holds its own bar: that is what is
//! shown. Where it is missing, life follows the results alone; it never ends a play.

use crate::{
    osr::Replay,
    play::{EventKind, Hit, Play},
    time::Micros,
};

/// Life at a moment, in millionths of the whole bar.
#[must_use]
pub fn life_at(replay: &Replay, play: &Play, at: Micros) -> u32 {
    if replay.life.len() > 1 { recorded(&replay.life, at) } else { estimated(play, at) }
}

/// Between two points of the bar it moves evenly.
fn recorded(life: &[(i32, f32)], at: Micros) -> u32 {
    let millionths = |share: f32| (share.clamp(0.0, 1.0) * 1e6).round() as i64;
    let time = |point: i32| i64::from(point) * 1000;
    let next = life.partition_point(|point| time(point.0) <= at);
    let before = next.checked_sub(1).and_then(|index| life.get(index));
    let life = match (before, life.get(next)) {
        (Some(&(from, low)), Some(&(to, high))) => {
            let (low, high) = (millionths(low), millionths(high));
            let (passed, whole) = (at - time(from), (time(to) - time(from)).max(1));
            low + (high - low) * passed.clamp(0, whole) / whole
        }
        (Some(&(_, share)), None) | (None, Some(&(_, share))) => millionths(share),
        (None, None) => 1_000_000,
    };
    life as u32
}

/// What the last results gave and took. Only so many are looked at: more than that fill or empty the bar anyway.
fn estimated(play: &Play, at: Micros) -> u32 {
    const LOOKED_AT: usize = 200;
    let until = play.events_until(at);
    let events = play.events.get(until.saturating_sub(LOOKED_AT)..until).unwrap_or_default();
    let life = events.iter().fold(1_000_000_i64, |life, event| {
        let change = match event.kind {
            EventKind::Result(Hit::Miss) => -90_000,
            EventKind::Result(Hit::Meh) => -20_000,
            EventKind::Result(Hit::Ok) => 10_000,
            EventKind::Result(_) => 40_000,
            EventKind::Head(false) | EventKind::Tick(false, _) | EventKind::Repeat(false, _) => -40_000,
            _ => 5_000,
        };
        (life + change).clamp(50_000, 1_000_000)
    });
    life as u32
}
