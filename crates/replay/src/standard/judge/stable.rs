//! Judging by stable's rules.
//!
//! Stable plays a replay frame by frame: at each one the presses are offered to the objects, then the objects move on. Times are
//! whole milliseconds. Sources: osu!lazer's `LegacyHitPolicy`, `OsuModClassic`, `TestSceneLegacyHitPolicy`.

use super::{
    MOST_LOOKS, RELAXED, keys,
    score::ScoreV1,
    sliders::{Following, Input, LEFT, RIGHT, within},
    spinners::{Rules, Wheel},
    tally::{Pressed, Tally},
    times::{Times, times},
    windows::{CLICKABLE, Windows},
};
use crate::{
    beatmap::Beatmap,
    error::ReplayError,
    mods::{Mods, bits},
    osr::{Frame, Replay},
    play::{Hit, Play},
    standard::objects::{Field, Kind, Object},
    time::micros,
};

/// Judges a replay of stable.
pub(super) fn judge(replay: &Replay, map: &Beatmap, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    let mut game = Game::new(map, mods, field);
    game.tally.record.play.presses = keys::presses(&replay.frames);
    for frame in &replay.frames {
        game.frame(frame);
        if game.looks > MOST_LOOKS {
            return Err(super::too_many());
        }
    }
    Ok(game.finish())
}

/// An object that is on the field.
struct Alive {
    index: usize,
    state: Playing,
}

enum Playing {
    Circle,
    Slider(Following),
    Spinner(Wheel),
}

/// What a press does to an object.
enum Click {
    /// It does not meet it.
    Past,
    /// It meets it, without effect.
    Swallowed,
    /// It comes too early or out of order.
    Shaken,
    /// It judges it.
    Hit,
}

struct Game<'a> {
    field: &'a Field,
    times: Vec<Times>,
    windows: Windows,
    clickable: i32,
    spinning: Rules,
    tally: Tally<'a>,
    alive: Vec<Alive>,
    next: usize,
    held: u8,
    looks: u64,
}

impl<'a> Game<'a> {
    fn new(map: &Beatmap, mods: &Mods, field: &'a Field) -> Self {
        let spinning = Rules {
            rate: Rules::half_turns(field.od),
            speed: mods.speed.as_f64(),
            spun_out: mods.has(bits::SPUN_OUT),
            free: mods.has(bits::RELAX),
        };
        let earlier = if mods.has(bits::AUTOPILOT) { 200.0 } else { 0.0 };
        Self {
            field,
            times: times(field, &map.map, mods.has(bits::HARD_ROCK)),
            windows: Windows::stable(field.od),
            clickable: (CLICKABLE - earlier) as i32,
            spinning,
            tally: Tally::new(field, ScoreV1::new(&map.map, mods)),
            alive: Vec::new(),
            next: 0,
            held: 0,
            looks: 0,
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let input = Input {
            at: frame.at,
            cursor: crate::standard::objects::Point { x: frame.x, y: frame.y },
            held: frame.keys & (LEFT | RIGHT),
        };
        self.appear(input.at);
        let pressed = input.held & !self.held;
        self.held = input.held;
        if self.spinning.free {
            self.relaxed(input);
            return;
        }
        for button in [LEFT, RIGHT] {
            if pressed & button != 0 {
                self.press(button, input);
            }
        }
        self.update(input);
    }

    /// With Relax everything is held, and what is under the cursor is pressed when its time has come.
    fn relaxed(&mut self, input: Input) {
        let input = Input { held: LEFT, ..input };
        let due = |alive: &&Alive| {
            let open = match &alive.state {
                Playing::Circle => true,
                Playing::Slider(following) => following.head.is_none(),
                Playing::Spinner(_) => false,
            };
            open && self.field.objects.get(alive.index).is_some_and(|object| {
                f64::from(input.at) >= object.start.floor() - RELAXED
                    && within(input.cursor, object.at, self.field.radius)
            })
        };
        if self.alive.iter().any(|alive| due(&alive)) {
            self.press(LEFT, input);
        }
        self.update(input);
    }

    /// Objects whose time to be seen has come can be played.
    fn appear(&mut self, at: i32) {
        while let Some(object) = self.field.objects.get(self.next) {
            if object.start.floor() - self.field.preempt > f64::from(at) {
                break;
            }
            let state = match &object.kind {
                Kind::Circle => Playing::Circle,
                Kind::Slider(_) => Playing::Slider(Following::default()),
                Kind::Spinner => Playing::Spinner(Wheel::new(object, self.spinning)),
            };
            self.alive.push(Alive { index: self.next, state });
            self.next += 1;
        }
    }

    /// Offers a press to the objects, in order of time.
    fn press(&mut self, button: u8, input: Input) {
        // The earliest end among those before, which have no result yet.
        let mut blocked_from = i64::MAX;
        for place in 0..self.alive.len() {
            self.looks += 1;
            let Some(alive) = self.alive.get(place) else { break };
            let index = alive.index;
            let Some(object) = self.field.objects.get(index) else { continue };
            match self.click(alive, object, blocked_from, input) {
                Click::Past => {}
                Click::Swallowed => return,
                Click::Shaken => {
                    if let Some(outcome) = self.tally.outcome(index) {
                        outcome.shaken.push(micros(f64::from(input.at)));
                    }
                    return;
                }
                Click::Hit => return self.hit(place, index, object, button, input),
            }
            blocked_from = blocked_from.min(self.end(index, object));
        }
    }

    /// When an object ends.
    fn end(&self, index: usize, object: &Object) -> i64 {
        match (&object.kind, self.times.get(index)) {
            (Kind::Slider(_), Some(times)) => i64::from(times.end),
            _ => object.end.floor() as i64,
        }
    }

    fn click(&self, alive: &Alive, object: &Object, blocked_from: i64, input: Input) -> Click {
        if matches!(object.kind, Kind::Spinner) || !within(input.cursor, object.at, self.field.radius) {
            return Click::Past;
        }
        // A slider's head takes presses until the slider has its result.
        if matches!(&alive.state, Playing::Slider(following) if following.head.is_some()) {
            return Click::Swallowed;
        }
        let before = alive.index.checked_sub(1);
        let below = before
            .and_then(|index| self.field.objects.get(index).zip(self.tally.record.play.objects.get(index)));
        if below.is_some_and(|(object, outcome)| object.stack > 0 && outcome.result.is_none()) {
            return Click::Swallowed;
        }
        let start = object.start.floor() as i64;
        if blocked_from.saturating_add(3) < start
            || (start - i64::from(input.at)).abs() >= i64::from(self.clickable)
        {
            return Click::Shaken;
        }
        Click::Hit
    }

    fn hit(&mut self, place: usize, index: usize, object: &Object, button: u8, input: Input) {
        let off = input.at - object.start.floor() as i32;
        let hit = self.windows.stable_hit(off);
        let pressed = Pressed::new(f64::from(off), input.cursor, object.at, self.field.radius);
        match self.alive.get_mut(place).map(|alive| &mut alive.state) {
            Some(Playing::Slider(following)) => {
                following.head(index, input.at, button, hit != Hit::Miss, pressed, &mut self.tally);
            }
            Some(Playing::Circle) => {
                self.judge_circle(index, input.at, hit, pressed);
                self.alive.remove(place);
            }
            _ => {}
        }
    }

    fn judge_circle(&mut self, index: usize, at: i32, hit: Hit, pressed: Pressed) {
        let at = micros(f64::from(at));
        if let Some(outcome) = self.tally.outcome(index) {
            outcome.pressed = Some(at);
            outcome.head = Some(hit);
        }
        self.tally.result(at, index, hit, pressed);
    }

    /// All objects move on to a frame; what has its result leaves.
    fn update(&mut self, input: Input) {
        let mut alive = std::mem::take(&mut self.alive);
        self.looks += alive.len() as u64;
        let nothing = Times::default();
        alive.retain_mut(|alive| {
            let Some(object) = self.field.objects.get(alive.index) else { return false };
            let latest = (object.start.floor() + self.windows.meh()) as i32;
            match (&mut alive.state, &object.kind) {
                (Playing::Circle, _) => {
                    let missed = input.at > latest;
                    if missed {
                        self.judge_circle(alive.index, input.at, Hit::Miss, Pressed::default());
                    }
                    !missed
                }
                (Playing::Slider(following), Kind::Slider(slider)) => {
                    let times = self.times.get(alive.index).unwrap_or(&nothing);
                    let (object, near) = ((object, &**slider, times), (self.field.radius, latest));
                    !following.update(alive.index, object, input, near, &mut self.tally)
                }
                (Playing::Spinner(wheel), _) => {
                    !wheel.update(alive.index, object, input, self.spinning, &mut self.tally)
                }
                (Playing::Slider(_), _) => false,
            }
        });
        self.alive = alive;
    }

    fn finish(self) -> Play {
        self.tally.record.finish()
    }
}
