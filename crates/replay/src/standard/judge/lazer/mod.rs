//! Judging by lazer's rules.
//!
//! Lazer judges a thousand times a second while it is played, and writes sixty frames, and one for each change of what is held.
//! So time goes on in milliseconds from frame to frame, with the cursor on the line between its places. At each stop presses come
//! first, then the objects in order. Sources: osu!lazer's `FramedReplayInputHandler`, `OsuFramedReplayInputHandler`,
//! `StartTimeOrderedHitPolicy`, `LegacyHitPolicy`, `DrawableHitCircle`.

mod book;
mod slider;
mod spinner;

use self::{book::Book, slider::Following, spinner::Wheel};
use super::{
    MOST_LOOKS, RELAXED, keys,
    sliders::{LEFT, RIGHT, within},
    tally::Pressed,
    windows::{CLICKABLE, Windows},
};
use crate::{
    error::ReplayError,
    mods::{Mods, bits},
    osr::{Frame, Replay},
    play::{Hit, Play},
    standard::objects::{Field, Kind, Object, Point},
    time::micros,
};

/// From one stop to the next one, in milliseconds.
const STEP: f64 = 1.0;

/// What the player does at a stop.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Input {
    /// Milliseconds of the map.
    at: f64,
    cursor: Point,
    /// What is held: [`LEFT`], [`RIGHT`].
    held: u8,
}

/// Judges a replay of lazer.
pub(super) fn judge(replay: &Replay, mods: &Mods, field: &Field) -> Result<Play, ReplayError> {
    let mut game = Game::new(mods, field);
    game.book.record.play.presses = keys::presses(&replay.frames);
    let mut last: Option<Input> = None;
    for frame in &replay.frames {
        let input = input(frame);
        if let Some(last) = last {
            game.between(last, input);
        }
        game.stop(input);
        if game.looks > MOST_LOOKS {
            return Err(super::too_many());
        }
        last = Some(input);
    }
    Ok(game.book.record.finish())
}

fn input(frame: &Frame) -> Input {
    Input {
        at: f64::from(frame.at),
        cursor: Point { x: frame.x, y: frame.y },
        held: frame.keys & (LEFT | RIGHT),
    }
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

fn before(objects: &[Object]) -> Vec<Option<usize>> {
    // The last one of all so far, and the last one that begins before the present time.
    let (mut last, mut earlier, mut now) = (None, None, f64::NEG_INFINITY);
    let of = |(index, object): (usize, &Object)| {
        if object.start > now {
            (earlier, now) = (last, object.start);
        }
        if !matches!(object.kind, Kind::Spinner) {
            last = Some(index);
        }
        earlier
    };
    objects.iter().enumerate().map(of).collect()
}

struct Game<'a> {
    field: &'a Field,
    /// For each object the last one for presses that begins before it.
    before: Vec<Option<usize>>,
    windows: Windows,
    /// Stable's note lock.
    locked: bool,
    clickable: f64,
    speed: f64,
    spun_out: bool,
    relaxed: bool,
    book: Book,
    alive: Vec<Alive>,
    next: usize,
    held: u8,
    looks: u64,
}

impl<'a> Game<'a> {
    fn new(mods: &Mods, field: &'a Field) -> Self {
        let settings = mods.classic_settings;
        let earlier = if mods.has(bits::AUTOPILOT) && settings.classic_note_lock { 200.0 } else { 0.0 };
        Self {
            field,
            before: before(&field.objects),
            windows: Windows::lazer(field.od),
            locked: settings.classic_note_lock,
            clickable: CLICKABLE - earlier,
            speed: mods.speed.as_f64(),
            spun_out: mods.has(bits::SPUN_OUT),
            relaxed: mods.has(bits::RELAX),
            book: Book::new(field, mods, settings.no_slider_head_accuracy),
            alive: Vec::new(),
            next: 0,
            held: 0,
            looks: 0,
        }
    }

    /// Goes on from one frame to the next one.
    fn between(&mut self, from: Input, to: Input) {
        let passed = to.at - from.at;
        let mut at = from.at + STEP;
        while at < to.at {
            let soonest =
                self.field.objects.get(self.next).map_or(f64::MAX, |next| next.start - self.field.preempt);
            if self.alive.is_empty() && soonest > at {
                // Nothing can happen before.
                at = soonest.min(to.at);
                continue;
            }
            let share = ((at - from.at) / passed) as f32;
            let cursor = Point {
                x: from.cursor.x + (to.cursor.x - from.cursor.x) * share,
                y: from.cursor.y + (to.cursor.y - from.cursor.y) * share,
            };
            self.stop(Input { at, cursor, held: from.held });
            if self.looks > MOST_LOOKS {
                return;
            }
            at += STEP;
        }
    }

    fn stop(&mut self, input: Input) {
        self.looks += 1;
        self.appear(input.at);
        let pressed = input.held & !self.held;
        self.held = input.held;
        if self.relaxed {
            let input = Input { held: LEFT, ..input };
            if self.alive.iter().any(|alive| self.is_due(alive, input)) {
                self.press(LEFT, input);
            }
            self.update(input);
            return;
        }
        for button in [LEFT, RIGHT] {
            if pressed & button != 0 {
                self.press(button, input);
            }
        }
        self.update(input);
    }

    /// Whether Relax presses an object now.
    fn is_due(&self, alive: &Alive, input: Input) -> bool {
        alive.is_open()
            && self.field.objects.get(alive.index).is_some_and(|object| {
                input.at >= object.start - RELAXED && within(input.cursor, object.at, self.field.radius)
            })
    }

    fn appear(&mut self, at: f64) {
        while let Some(object) = self.field.objects.get(self.next) {
            if object.start - self.field.preempt > at {
                break;
            }
            let state = match &object.kind {
                Kind::Circle => Playing::Circle,
                Kind::Slider(_) => Playing::Slider(Following::default()),
                Kind::Spinner => Playing::Spinner(Wheel::new(object, self.field.od)),
            };
            self.alive.push(Alive { index: self.next, state });
            self.next += 1;
        }
    }

    /// The first object under the cursor that can be hit takes the press, whatever becomes of it.
    fn press(&mut self, button: u8, input: Input) {
        for place in 0..self.alive.len() {
            self.looks += 1;
            let Some(alive) = self.alive.get(place) else { return };
            let index = alive.index;
            let Some(object) = self.field.objects.get(index) else { continue };
            let head = match &alive.state {
                Playing::Circle => None,
                Playing::Slider(following) => following.head(),
                Playing::Spinner(_) => continue,
            };
            if (head.is_some() && !self.locked) || !within(input.cursor, object.at, self.field.radius) {
                continue;
            }
            if head.is_none() {
                self.click(place, index, object, input);
            }
            if let Some(Playing::Slider(following)) = self.alive.get_mut(place).map(|alive| &mut alive.state)
            {
                following.pressed(button);
            }
            // A circle that was hit is gone already.
            self.alive.retain(|alive| {
                !matches!(alive.state, Playing::Circle) || !self.book.record.is_judged(alive.index)
            });
            return;
        }
    }

    fn click(&mut self, place: usize, index: usize, object: &Object, input: Input) {
        let off = input.at - object.start;
        let free =
            if self.locked { self.is_first(index, object, input) } else { Some(self.is_next(index, input)) };
        // Heads that need no accuracy have a result at any distance; the note lock has the last word there.
        let head = self.book.classic && matches!(object.kind, Kind::Slider(_));
        let hit = self.windows.lazer_hit(off).or(head.then_some(Hit::Miss));
        let hit = match (free, hit) {
            (None, _) => return,
            (Some(false), _) | (_, None) => return self.shake(index, input),
            (Some(true), Some(hit)) => hit,
        };
        let pressed = Pressed::new(off, input.cursor, object.at, self.field.radius);
        self.judge(place, index, hit, pressed, input);
        if !self.locked {
            self.miss_before(object.start, input);
        }
    }

    fn judge(&mut self, place: usize, index: usize, hit: Hit, pressed: Pressed, input: Input) {
        let (field, book) = (self.field, &mut self.book);
        let object = field.objects.get(index).map(|object| (object, &object.kind));
        match (self.alive.get_mut(place).map(|alive| &mut alive.state), object) {
            (Some(Playing::Circle), _) => book.circle(index, input.at, hit, pressed),
            (Some(Playing::Slider(following)), Some((object, Kind::Slider(slider)))) => {
                following.judge_head(index, (object, slider), input, field.radius, (hit, pressed), book);
            }
            _ => {}
        }
    }

    fn shake(&mut self, index: usize, input: Input) {
        if let Some(outcome) = self.book.record.outcome(index) {
            outcome.shaken.push(micros(input.at));
        }
    }

    /// Stable's note lock: whether an object can be hit; nothing where the press is for one that lies above it.
    fn is_first(&self, index: usize, object: &Object, input: Input) -> Option<bool> {
        let below = index.checked_sub(1).and_then(|index| Some((index, self.field.objects.get(index)?)));
        if below.is_some_and(|(index, below)| below.stack > 0 && !self.book.record.is_judged(index)) {
            return None;
        }
        let before = self.alive.iter().take_while(|alive| alive.index < index);
        let mut ends =
            before.filter_map(|alive| self.field.objects.get(alive.index)).map(|object| object.end);
        let locked = ends.any(|end| end + 3.0 < object.start);
        Some(!locked && (object.start - input.at).abs() < self.clickable)
    }

    /// Lazer's own: whether the object before has its result, or its time has come.
    fn is_next(&self, index: usize, input: Input) -> bool {
        let before = self.before.get(index).copied().flatten();
        let Some((index, before)) = before.and_then(|index| Some((index, self.field.objects.get(index)?)))
        else {
            return true;
        };
        let mut alive = self.alive.iter();
        let open = alive.any(|alive| alive.index == index && alive.is_open());
        !open || input.at >= before.start
    }

    /// All that lies before what was hit, and was not, is missed.
    fn miss_before(&mut self, start: f64, input: Input) {
        for place in 0..self.alive.len() {
            let Some(alive) = self.alive.get(place) else { return };
            let index = alive.index;
            if self.field.objects.get(index).is_none_or(|object| object.start >= start) {
                return;
            }
            if alive.is_open() && !self.book.record.is_judged(index) {
                self.judge(place, index, Hit::Miss, Pressed::default(), input);
            }
        }
    }

    /// All objects go on; what has its result leaves.
    fn update(&mut self, input: Input) {
        self.looks += self.alive.len() as u64;
        let mut alive = std::mem::take(&mut self.alive);
        let (field, book) = (self.field, &mut self.book);
        alive.retain_mut(|alive| {
            let Some(object) = field.objects.get(alive.index) else { return false };
            let late = input.at - object.start > self.windows.meh();
            match (&mut alive.state, &object.kind) {
                (Playing::Circle, _) => {
                    if late {
                        book.circle(alive.index, input.at, Hit::Miss, Pressed::default());
                    }
                    !late
                }
                (Playing::Slider(following), Kind::Slider(slider)) => {
                    !following.update(alive.index, (object, slider), input, field.radius, late, book)
                }
                (Playing::Spinner(wheel), _) => {
                    !wheel.update(alive.index, object, input, (self.speed, self.spun_out), book)
                }
                (Playing::Slider(_), _) => false,
            }
        });
        self.alive = alive;
    }
}

impl Alive {
    /// Whether it waits for a press.
    fn is_open(&self) -> bool {
        match &self.state {
            Playing::Circle => true,
            Playing::Slider(following) => following.head().is_none(),
            Playing::Spinner(_) => false,
        }
    }
}
