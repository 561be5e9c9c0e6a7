//! When keys went down and up, for the key overlay.

use crate::{
    osr::{Frame, keys},
    play::Press,
    time::{Micros, micros},
};

/// The presses of K1, K2, M1 and M2, in order of time. A key of the keyboard sets its mouse button's bit too: that is not a press
/// of the mouse.
pub(super) fn presses(frames: &[Frame]) -> Vec<Press> {
    let mut presses = Vec::new();
    let mut down: [Option<Micros>; 4] = [None; 4];
    for frame in frames {
        let has = |bit: u8| frame.keys & bit != 0;
        let (k1, k2) = (has(keys::K1), has(keys::K2));
        let held = [k1, k2, has(keys::M1) && !k1, has(keys::M2) && !k2];
        let at = micros(f64::from(frame.at));
        for ((key, held), down) in (0_u8..).zip(held).zip(&mut down) {
            if held {
                down.get_or_insert(at);
            } else if let Some(from) = down.take() {
                presses.push(Press { key, from, to: at });
            }
        }
    }
    let last = frames.last().map_or(0, |frame| micros(f64::from(frame.at)));
    for (key, down) in (0_u8..).zip(down) {
        presses.extend(down.map(|from| Press { key, from, to: last }));
    }
    presses.sort_by_key(|press| (press.from, press.key));
    presses
}
