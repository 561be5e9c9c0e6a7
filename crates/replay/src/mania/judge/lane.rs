//! One column: which of its notes a key is for, and what becomes of them.
//!
//! A key is always for the column's current note. A note stays current until its time is over, even when it has been hit: what
//! is pressed before is for nothing.

use super::rules::Rules;
use crate::{
    mania::objects::{Field, Object},
    play::Hit,
};

/// Something that happened in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Happened {
    /// When, in milliseconds.
    pub(super) at: i32,
    /// To which object, by its index.
    pub(super) object: usize,
    /// What.
    pub(super) what: What,
    /// By how many milliseconds a press or release was late.
    pub(super) off: Option<i32>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    /// The head of a held note that is judged as a whole was pressed.
    Begun,
    /// The head of a held note got a result of its own.
    Head(Hit),
    /// The head of a held note was missed; the note is judged at its end.
    Forgotten,
    /// A held note was let go too early.
    Broken,
    /// The key of a held note is down, from another time on.
    Held {
        /// Since when.
        from: i32,
    },
    /// An object got its result; before, its hold gave so much combo.
    Result(Hit, u32),
}

/// What became of the current note so far.
#[derive(Debug, Clone, Copy, Default)]
struct Current {
    /// It has its result.
    judged: bool,
    /// How late the head was pressed.
    head: Option<i32>,
    /// The head was missed.
    forgotten: bool,
    /// It was let go too early.
    broken: bool,
    /// Since when it is held.
    since: Option<i32>,
}

impl Current {
    fn is_whole(self) -> bool {
        self.head.is_some() && !self.forgotten && !self.broken
    }
}

/// One column.
pub(super) struct Lane<'a> {
    field: &'a Field,
    rules: &'a Rules,
    /// Indices of its objects, by their time.
    order: Vec<usize>,
    next: usize,
    current: Current,
    /// What happened, in no order.
    pub(super) happened: Vec<Happened>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(column: usize, field: &'a Field, rules: &'a Rules) -> Self {
        let in_column = |(index, object): (usize, &Object)| (object.column == column).then_some(index);
        let mut order: Vec<usize> = field.objects.iter().enumerate().filter_map(in_column).collect();
        order.sort_by_key(|index| field.objects.get(*index).map(|object| object.start));
        Self { field, rules, order, next: 0, current: Current::default(), happened: Vec::new() }
    }

    fn note(&self, index: usize) -> Option<(usize, Object)> {
        let object = *self.order.get(index)?;
        Some((object, *self.field.objects.get(object)?))
    }

    fn say(&mut self, at: i32, what: What, off: Option<i32>) {
        if let Some(object) = self.order.get(self.next) {
            self.happened.push(Happened { at, object: *object, what, off });
        }
    }

    /// Ends the current note's judging.
    fn finish(&mut self, at: i32, hit: Hit, off: Option<i32>) {
        let end = self.note(self.next).map_or(at, |(_, note)| note.end);
        let mut combo = 0;
        if let Some(from) = self.current.since.take() {
            self.say(at, What::Held { from }, None);
            combo = at.min(end).saturating_sub(from).max(0) / 100;
        }
        self.say(at, What::Result(hit, combo as u32), off);
        self.current.judged = true;
    }

    /// Time goes on to `at`: what is over by then is judged, and the next note becomes current.
    pub(super) fn pass(&mut self, at: i32) {
        while let Some((_, note)) = self.note(self.next) {
            if !self.current.judged {
                self.expire(note, at);
            }
            if !self.current.judged || note.end > at {
                return;
            }
            self.next += 1;
            self.current = Current::default();
        }
    }

    fn expire(&mut self, note: Object, at: i32) {
        let missed = note.start.saturating_add(self.rules.late);
        if self.current.head.is_none() && !self.current.forgotten && at >= missed {
            if !note.is_hold() {
                self.finish(missed, Hit::Miss, None);
                return;
            }
            self.current.forgotten = true;
            let what = if self.rules.split { What::Head(Hit::Miss) } else { What::Forgotten };
            self.say(missed, what, None);
        }
        if !note.is_hold() {
            return;
        }
        if self.current.since.is_some() {
            let over = note.end.saturating_add(self.rules.held);
            if at >= over {
                let whole = self.current.is_whole();
                let hit = if whole { self.rules.held_result } else { self.rules.held_broken };
                self.finish(over, hit, None);
            }
        } else if self.current.forgotten || self.current.broken {
            let (after, until_next) = if self.current.forgotten {
                (self.rules.forgotten, true)
            } else {
                (self.rules.broken, !self.rules.split)
            };
            let mut over = note.end.saturating_add(after);
            if let Some((_, next)) = self.note(self.next + 1).filter(|_| until_next) {
                over = over.min(next.start.max(note.end));
            }
            if at >= over {
                let head_missed = if self.current.head.is_none() { missed } else { over };
                self.finish(over.max(head_missed).min(at), Hit::Miss, None);
            }
        }
    }

    /// The column's key goes down.
    pub(super) fn press(&mut self, at: i32) {
        while !self.current.judged
            && self.current.head.is_none()
            && self.rules.passes_on(self.note(self.next + 1).map(|(_, next)| next), at)
        {
            if self.note(self.next).is_some_and(|(_, note)| note.is_hold()) && !self.current.forgotten {
                self.say(at, What::Head(Hit::Miss), None);
            }
            self.finish(at, Hit::Miss, None);
            self.next += 1;
            self.current = Current::default();
        }
        let Some((_, note)) = self.note(self.next).filter(|_| !self.current.judged) else { return };
        let off = at.saturating_sub(note.start);
        if !note.is_hold() {
            if let Some(hit) = self.rules.press(off) {
                self.finish(at, hit, Some(off));
            }
        } else if self.current.head.is_none() && !self.current.forgotten {
            self.begin(at, off);
        } else if at <= note.end || self.current.forgotten == self.rules.split {
            // After its end, stable takes up a hold that broke; with ScoreV2 one whose head was missed.
            self.current.broken = true;
            self.current.since = Some(at);
        }
    }

    /// A held note's head is pressed.
    fn begin(&mut self, at: i32, off: i32) {
        if self.rules.split {
            let Some(hit) = self.rules.press(off) else { return };
            self.current.head = Some(off);
            self.current.broken = hit == Hit::Miss;
            self.say(at, What::Head(hit), Some(off));
        } else {
            if !self.rules.begins(off) {
                return;
            }
            self.current.head = Some(off);
            self.say(at, What::Begun, Some(off));
        }
        self.current.since = Some(at);
    }

    /// The column's key goes up.
    pub(super) fn release(&mut self, at: i32) {
        let Some((_, note)) = self.note(self.next).filter(|_| !self.current.judged) else { return };
        let Some(from) = self.current.since else { return };
        let off = at.saturating_sub(note.end);
        if off < -self.rules.early {
            self.current.since = None;
            self.current.broken = true;
            self.say(at, What::Held { from }, None);
            self.say(at, What::Broken, None);
            return;
        }
        let hit = match self.current.head.filter(|_| self.current.is_whole()) {
            None => Hit::Meh,
            Some(_) if self.rules.split => self.rules.release(off),
            Some(head) => self.rules.whole(head, off),
        };
        let off = (self.rules.split && self.current.is_whole()).then_some(off);
        self.finish(at, hit, off);
    }
}
