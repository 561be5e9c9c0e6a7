//! Judging osu!taiko: what each hit of the drum was worth.
//!
//! Promises: a replay gives the same play every time; what it costs grows with the replay's frames and the map's objects alone.
//!
//! A hit is for the first note that has no result. On the wrong part of the drum it misses it. A big note gives more where the
//! other key of its kind follows within [`SECOND`] milliseconds. Source: lazer's `DrawableHit`, `DrawableSwell`, and the windows
//! that its tests found in stable.

mod tally;

use super::objects::{Field, Kind, Object};
use crate::{
    beatmap::Beatmap,
    error::ReplayError,
    mods::Mods,
    osr::Replay,
    play::{Hit, Play, Press},
    time::micros,
};
use tally::Tally;

/// How much later the second key of a big note may be, in milliseconds.
pub const SECOND: i32 = 30;

/// The keys of a frame, from left to right: their bits, and whether they are the rim.
const KEYS: [(u8, bool); 4] = [(2, true), (1, false), (4, false), (8, true)];

/// Judges a replay on its map's objects.
///
/// # Errors
/// None so far: mods that are not known are refused before.
pub fn judge(replay: &Replay, map: &Beatmap, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    let mut drum = Drum {
        field,
        next: 0,
        second: None,
        alternate: None,
        swelled: 0,
        rolled: None,
        tally: Tally::new(&map.map, mods, field),
    };
    let mut down = [None::<i32>; 4];
    let mut presses = Vec::new();
    let mut last = i32::MIN;
    for frame in &replay.frames {
        last = frame.at;
        drum.pass(frame.at);
        let mut hits = [None; 4];
        for (index, ((bit, rim), (down, hit))) in KEYS.iter().zip(down.iter_mut().zip(&mut hits)).enumerate()
        {
            match (frame.keys & bit != 0, *down) {
                (true, None) => {
                    *down = Some(frame.at);
                    *hit = Some(*rim);
                }
                (false, Some(from)) => {
                    *down = None;
                    presses.push(press(index, from, frame.at));
                }
                _ => {}
            }
        }
        drum.hits(frame.at, hits.into_iter().flatten());
    }
    for (index, down) in down.into_iter().enumerate() {
        if let Some(from) = down {
            presses.push(press(index, from, last));
        }
    }
    drum.pass(i32::MAX);
    presses.sort_by_key(|press| (press.from, press.key));
    Ok(drum.tally.finish(presses))
}

fn press(key: usize, from: i32, to: i32) -> Press {
    Press { key: key as u8, from: micros(f64::from(from)), to: micros(f64::from(to)) }
}

/// The drum, and how far the map is.
struct Drum<'a> {
    field: &'a Field,
    /// The first object without a result.
    next: usize,
    /// A big note that a second key may still make more of, and when it was hit.
    second: Option<(usize, bool, i32)>,
    /// Which part of the drum the swell was hit on last: whether the rim.
    alternate: Option<bool>,
    /// How often the swell was hit.
    swelled: u32,
    /// When the drum roll was hit last, in 1/1000 milliseconds.
    rolled: Option<i64>,
    tally: Tally,
}

impl Drum<'_> {
    fn current(&self) -> Option<(usize, Object)> {
        Some((self.next, *self.field.objects.get(self.next)?))
    }

    fn go_on(&mut self) {
        self.next += 1;
        (self.alternate, self.swelled, self.rolled) = (None, 0, None);
    }

    /// Time goes on to `at`: what is over by then has its result.
    fn pass(&mut self, at: i32) {
        let [_, ok, _] = self.field.windows;
        while let Some((index, object)) = self.current() {
            match object.kind {
                Kind::Note { .. } => {
                    let missed = object.start.saturating_add(ok);
                    if at < missed {
                        return;
                    }
                    self.tally.note(index, missed, Hit::Miss, None);
                }
                Kind::Roll { .. } | Kind::Swell { .. } => {
                    if at <= object.end {
                        return;
                    }
                    self.tally.over(index, object.end);
                }
            }
            self.go_on();
        }
    }

    /// Keys that go down in one frame, from left to right; of each, whether it is the rim.
    fn hits(&mut self, at: i32, rims: impl Iterator<Item = bool>) {
        let mut note_was_hit = false;
        for rim in rims {
            if let Some((index, wanted, first)) = self.second {
                if at.saturating_sub(first) > SECOND {
                    self.second = None;
                } else if wanted == rim {
                    self.second = None;
                    self.tally.second(index, at);
                    continue;
                }
            }
            let Some((index, object)) = self.current() else { return };
            match object.kind {
                // One frame hits one note, however many keys go down.
                Kind::Note { .. } if note_was_hit => {}
                Kind::Note { rim: wanted } => note_was_hit = self.note(index, object, at, rim == wanted),
                Kind::Roll { spacing } => self.roll(index, object, at, spacing),
                Kind::Swell { hits } => self.swell(index, object, at, rim, hits),
            }
        }
    }

    /// A key on a note; whether it was for the note.
    fn note(&mut self, index: usize, object: Object, at: i32, right: bool) -> bool {
        let off = at.saturating_sub(object.start);
        let within = self.field.windows.iter().position(|window| off.saturating_abs() < *window);
        let Some(within) = within else { return false };
        let hit = match within {
            0 if right => Hit::Great,
            1 if right => Hit::Ok,
            _ => Hit::Miss,
        };
        self.tally.note(index, at, hit, Some(off));
        if object.big
            && hit != Hit::Miss
            && let Kind::Note { rim } = object.kind
        {
            self.second = Some((index, rim, at));
        }
        self.go_on();
        true
    }

    fn roll(&mut self, index: usize, object: Object, at: i32, spacing: i32) {
        if at < object.start || at > object.end {
            return;
        }
        let now = i64::from(at) * 1000;
        if self.rolled.is_none_or(|last| now - last >= i64::from(spacing)) {
            self.rolled = Some(now);
            self.tally.roll(index, at);
        }
    }

    fn swell(&mut self, index: usize, object: Object, at: i32, rim: bool, hits: u32) {
        if at < object.start || at > object.end || self.alternate == Some(rim) {
            return;
        }
        self.alternate = Some(rim);
        self.swelled += 1;
        self.tally.swell(index, at, self.swelled);
        if self.swelled >= hits {
            self.tally.swelled(index, at);
            self.go_on();
        }
    }
}
