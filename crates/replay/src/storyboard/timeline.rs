//! What commands make of a property at a moment.
//!
//! Promises: values are whole numbers that depend on the moment alone. The command that began last decides, also after its end;
//! before the first one, its first value holds. Loops are not unrolled: a moment is found in them by division, however often
//! they repeat.

use super::{
    easing::{WHOLE, eased},
    triggers::Condition,
};
use crate::time::Micros;

/// What commands change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// In 1/65,536.
    Opacity,
    /// In 1/256 of the storyboard's units.
    X,
    /// In 1/256 of the storyboard's units.
    Y,
    /// Of both sides, in 1/65,536.
    Scale,
    /// Of the width, besides, in 1/65,536.
    ScaleX,
    /// Of the height, besides, in 1/65,536.
    ScaleY,
    /// In 1/65,536 of a turn.
    Angle,
    /// In 1/256 of 1/255.
    Red,
    /// In 1/256 of 1/255.
    Green,
    /// In 1/256 of 1/255.
    Blue,
    /// 0 or 1.
    FlipH,
    /// 0 or 1.
    FlipV,
    /// 0 or 1.
    Additive,
}

impl Property {
    /// What is held for a time instead of being moved.
    fn is_switch(self) -> bool {
        matches!(self, Self::FlipH | Self::FlipV | Self::Additive)
    }
}

/// One change of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// What it changes.
    pub property: Property,
    /// Along which curve.
    pub curve: u8,
    /// When it begins: on the map, or after its group's beginning.
    pub from: Micros,
    /// When it ends; never before it begins.
    pub to: Micros,
    /// From which value to which. A switch has the first until the end, then the second.
    pub values: (i32, i32),
}

impl Command {
    /// The value before anything begins.
    fn initial(&self) -> i32 {
        if self.property.is_switch() { self.values.1 } else { self.values.0 }
    }

    /// The value at a time at or after its beginning.
    fn value(&self, at: Micros) -> i32 {
        let (from, to) = (i64::from(self.values.0), i64::from(self.values.1));
        if at >= self.to {
            return self.values.1;
        }
        if self.property.is_switch() {
            return self.values.0;
        }
        let duration = self.to.saturating_sub(self.from).max(1);
        let time = at.saturating_sub(self.from).saturating_mul(WHOLE) / duration;
        let value = from + ((to - from) * eased(self.curve, time)).div_euclid(WHOLE);
        value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }
}

/// When a group's commands happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// As they say.
    Plain,
    /// So often, one time directly after another.
    Loop {
        /// What the commands' times count from, the first time.
        start: Micros,
        /// How often.
        count: i64,
    },
    /// Whenever something happens.
    Trigger {
        /// What; absent where it never does.
        condition: Option<Condition>,
        /// At or after this time …
        from: Micros,
        /// … and until this one.
        to: Micros,
        /// When it did happen, in order of time.
        fired: Vec<Micros>,
    },
}

/// Commands that happen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// When they happen.
    pub timing: Timing,
    /// By property, then by time.
    pub commands: Vec<Command>,
    /// From the beginning of the first to the end of the last.
    span: (Micros, Micros),
}

impl Group {
    /// A group without commands.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self { timing, commands: Vec::new(), span: (0, 0) }
    }

    /// Brings the commands into the order in which they are looked up. Must be called after the last one was added.
    pub fn sort(&mut self) {
        self.commands.sort_by_key(|command| (command.property, command.from, command.to));
        let first = self.commands.iter().map(|command| command.from).min().unwrap_or(0);
        let last = self.commands.iter().map(|command| command.to).max().unwrap_or(0);
        self.span = (first, last);
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// When its first command begins and its last one ends, on the map; `None` where that never happens.
    #[must_use]
    pub fn life(&self) -> Option<(Micros, Micros)> {
        let (first, last) = self.span;
        match &self.timing {
            _ if self.is_empty() => None,
            Timing::Plain => Some(self.span),
            Timing::Loop { start, count } => {
                let begin = start.saturating_add(first);
                Some((begin, begin.saturating_add(self.period().saturating_mul(*count))))
            }
            Timing::Trigger { fired, .. } => {
                Some((fired.first()?.saturating_add(first), fired.last()?.saturating_add(last)))
            }
        }
    }

    /// How long one time of a loop takes, in microseconds.
    fn period(&self) -> i64 {
        self.span.1.saturating_sub(self.span.0).max(1)
    }

    /// The commands of a property.
    fn of(&self, property: Property) -> &[Command] {
        let begin = self.commands.partition_point(|command| command.property < property);
        let end = self.commands.partition_point(|command| command.property <= property);
        self.commands.get(begin..end).unwrap_or_default()
    }

    /// The value that it gives a property at a moment, and since when; `None` where none of its commands has begun.
    fn value(&self, property: Property, at: Micros) -> Option<(Micros, i32)> {
        let commands = self.of(property);
        let last = commands.last()?;
        let after = |base: Micros| {
            let since = at.saturating_sub(base);
            let begun = commands.partition_point(|command| command.from <= since);
            let command = commands.get(begun.checked_sub(1)?)?;
            Some((base.saturating_add(command.from), command.value(since)))
        };
        match &self.timing {
            Timing::Plain => after(0),
            Timing::Loop { start, count } => {
                let since = at.saturating_sub(*start).saturating_sub(self.span.0);
                let time = (since.div_euclid(self.period())).clamp(0, count - 1);
                let base = start.saturating_add(self.period().saturating_mul(time));
                // Before its first command of this time, what the last one left holds.
                after(base).or_else(|| {
                    let earlier = base.saturating_sub(self.period());
                    (time > 0).then(|| (earlier.saturating_add(last.from), last.values.1))
                })
            }
            Timing::Trigger { fired, .. } => {
                let times = fired.partition_point(|fired| *fired <= at);
                after(*fired.get(times.checked_sub(1)?)?)
            }
        }
    }

    /// When it begins to give a property a value, and which one holds before.
    fn initial(&self, property: Property) -> Option<(Micros, i32)> {
        let first = self.of(property).first()?;
        match &self.timing {
            Timing::Plain => Some((first.from, first.initial())),
            Timing::Loop { start, .. } => Some((start.saturating_add(first.from), first.initial())),
            Timing::Trigger { .. } => None,
        }
    }
}

/// The value of a property at a moment, where any of the groups gives it one.
#[must_use]
pub fn value(groups: &[Group], property: Property, at: Micros) -> Option<i32> {
    let begun = groups.iter().filter_map(|group| group.value(property, at)).max_by_key(|(since, _)| *since);
    let value = begun.or_else(|| {
        groups.iter().filter_map(|group| group.initial(property)).min_by_key(|(begins, _)| *begins)
    });
    value.map(|(_, value)| value)
}

/// All values between which a property moves, over all time.
pub fn values(groups: &[Group], property: Property) -> impl Iterator<Item = i32> {
    groups
        .iter()
        .flat_map(move |group| group.of(property))
        .flat_map(|command| [command.values.0, command.values.1])
}

#[cfg(test)]
mod tests;
