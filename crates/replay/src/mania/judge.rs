//! Judging osu!mania: what each key was worth, by the rules of the game that recorded it.
//!
//! Promises: a replay gives the same play every time; what it costs grows with the replay's frames and the map's objects alone.
//!
//! The windows are those that lazer's tests found in stable; how held notes are judged is told by the osu! wiki
//! (<https://osu.ppy.sh/wiki/en/Gameplay/Judgement/osu%21mania>), and where it is silent, by replays whose headers count what
//! stable made of them.

mod lane;
mod rules;
mod tally;

use super::objects::Field;
use crate::{
    beatmap::Beatmap,
    error::ReplayError,
    mods::Mods,
    osr::{Frame, Replay},
    play::{Play, Press},
    time::micros,
};
use lane::Lane;
use rules::Rules;

/// Judges a replay on its map's objects.
///
/// # Errors
/// None so far: mods that are not known are refused before.
pub fn judge(replay: &Replay, _map: &Beatmap, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    let rules = Rules::new(field, mods);
    let mut lanes: Vec<Lane<'_>> =
        (0..field.columns).map(|column| Lane::new(column, field, &rules)).collect();
    let mut presses = Vec::new();
    let mut down: Vec<Option<i32>> = vec![None; field.columns];
    let mut last = i32::MIN;
    for frame in replay.frames.iter().filter(|frame| !is_placeholder(frame)) {
        let held = frame.x.clamp(0.0, 16_777_215.0) as u32;
        last = frame.at;
        for (column, (lane, down)) in lanes.iter_mut().zip(&mut down).enumerate() {
            lane.pass(frame.at);
            match (held >> column & 1 == 1, *down) {
                (true, None) => {
                    *down = Some(frame.at);
                    lane.press(frame.at);
                }
                (false, Some(from)) => {
                    *down = None;
                    presses.push(press(column, from, frame.at));
                    lane.release(frame.at);
                }
                _ => {}
            }
        }
    }
    let mut happened = Vec::new();
    for (column, (mut lane, down)) in lanes.into_iter().zip(down).enumerate() {
        if let Some(from) = down {
            presses.push(press(column, from, last));
        }
        lane.pass(i32::MAX);
        happened.append(&mut lane.happened);
    }
    presses.sort_by_key(|press| (press.from, press.key));
    Ok(tally::tally(happened, presses, field, &rules, mods))
}

fn press(column: usize, from: i32, to: i32) -> Press {
    Press { key: column as u8, from: micros(f64::from(from)), to: micros(f64::from(to)) }
}

/// Stable begins its replays with frames that say nothing.
fn is_placeholder(frame: &Frame) -> bool {
    frame.x == 256.0 && frame.y == -500.0
}
