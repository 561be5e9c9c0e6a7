//! The storyboard's grammar: the events of a .osu and a .osb file.
//!
//! Promises: what is not understood is passed over, line by line, as the game does; all numbers are brought into bounds and
//! turned into whole ones. Fails with [`ReplayError::TooLong`] where there is more than [`MOST_SPRITES`], [`MOST_COMMANDS`] …
//! The rules are those of lazer's `LegacyStoryboardDecoder` and of the game's wiki.

use std::f64::consts::TAU;

use super::{
    timeline::{Command, Group, Property, Timing},
    triggers::Condition,
    variables::Variables,
};
use crate::{
    error::{About, ReplayError},
    time::{Micros, micros},
};

/// Sprites and animations of a storyboard.
pub const MOST_SPRITES: usize = 100_000;

/// Commands of a storyboard; one that moves in two directions counts as two, and each picture of an animation as one.
pub const MOST_COMMANDS: usize = 1_000_000;

/// Sounds of a storyboard.
pub const MOST_SAMPLES: usize = 50_000;

/// Frames of an animation.
const MOST_FRAMES: u32 = 10_000;

/// Where something lies between the furthest and the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The furthest.
    Background,
    /// Seen while the play fails: never here.
    Fail,
    /// Seen while the play passes: always here.
    Pass,
    /// Just behind the play.
    Foreground,
    /// Over the play.
    Overlay,
}

/// A sound of a storyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// When it is heard.
    pub at: Micros,
    /// Its layer: sounds of [`Layer::Fail`] are not heard.
    pub layer: Layer,
    /// The file.
    pub file: String,
    /// In percent.
    pub volume: u8,
}

/// A sprite or an animation, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// Where it lies.
    pub layer: Layer,
    /// Which point of it lies at its place, to the right and down: 0 its beginning, 1 its middle, 2 its end.
    pub origin: (i32, i32),
    /// The file.
    pub file: String,
    /// Where it is unless it is moved, in 1/256 of the storyboard's units.
    pub place: (i32, i32),
    /// How its pictures follow each other; absent where it has one.
    pub animation: Option<Animation>,
    /// What it does: its own commands first, then loops and triggers.
    pub groups: Vec<Group>,
}

/// How pictures follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Animation {
    /// How many there are.
    pub frames: u32,
    /// How long each is seen, in microseconds.
    pub delay: i64,
    /// Whether the last one stays.
    pub once: bool,
}

/// All that a storyboard says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// In the order in which they were written.
    pub actors: Vec<Actor>,
    /// In the order in which they were written.
    pub samples: Vec<Sample>,
}

/// What is read so far.
#[derive(Default)]
struct Reader {
    script: Script,
    commands: usize,
    /// Whether an actor's commands may follow.
    open: bool,
    /// Which of the actor's groups the commands of a loop or a trigger belong to; absent where its line cannot be read.
    nested: Option<usize>,
}

impl Script {
    /// Reads texts of storyboards, one after another: the .osu, then the .osb.
    ///
    /// # Errors
    /// [`ReplayError::TooLong`].
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ReplayError> {
        let mut reader = Reader::default();
        for text in texts {
            reader.open = false;
            let mut variables = Variables::default();
            let mut section = "";
            for line in text.lines() {
                let line = line.trim_end();
                let bare = line.trim_start();
                if bare.is_empty() || bare.starts_with("//") {
                    continue;
                }
                if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                    section = name;
                    continue;
                }
                match section {
                    "Variables" => variables.define(line),
                    "Events" => match variables.expanded(line) {
                        Some(line) => reader.event(&line)?,
                        None => continue,
                    },
                    _ => {}
                }
            }
        }
        for actor in &mut reader.script.actors {
            actor.groups.iter_mut().for_each(Group::sort);
            actor.groups.retain(|group| !group.is_empty());
        }
        Ok(reader.script)
    }
}

impl Reader {
    /// A line of [Events].
    fn event(&mut self, line: &str) -> Result<(), ReplayError> {
        let bare = line.trim_start_matches([' ', '_']);
        let depth = line.len() - bare.len();
        let fields: Vec<&str> = bare.split(',').map(str::trim).collect();
        if depth == 0 {
            self.nested = Some(0);
            self.open = false;
            match self.object(&fields) {
                Some(Object::Actor(actor)) => {
                    // Pictures are looked for one by one.
                    self.commands += actor.animation.map_or(0, |animation| animation.frames as usize);
                    self.script.actors.push(actor);
                    self.open = true;
                }
                Some(Object::Sample(sample)) => self.script.samples.push(sample),
                None => {}
            }
            bounded("sprites", self.script.actors.len(), MOST_SPRITES)?;
            return bounded("sounds", self.script.samples.len(), MOST_SAMPLES);
        }
        if let Some(actor) = self.script.actors.last_mut().filter(|_| self.open) {
            if depth == 1 {
                self.nested = Some(0);
            }
            if matches!(fields.first(), Some(&("L" | "T"))) {
                self.nested = timing(&fields).map(|timing| {
                    actor.groups.push(Group::new(timing));
                    actor.groups.len() - 1
                });
                // A group takes memory, too.
                self.commands += 1;
            } else if let Some(group) = self.nested.and_then(|index| actor.groups.get_mut(index)) {
                self.commands += commands(&fields, &mut group.commands).unwrap_or(0);
            }
        }
        bounded("commands", self.commands, MOST_COMMANDS)
    }

    /// A line that begins something.
    fn object(&self, fields: &[&str]) -> Option<Object> {
        let field = |index: usize| fields.get(index).copied();
        let actor = |animation: Option<Animation>| {
            Some(Object::Actor(Actor {
                layer: layer(field(1)?)?,
                origin: origin(field(2)?),
                file: file(field(3)?),
                place: (position(field(4)?)?, position(field(5)?)?),
                animation,
                groups: vec![Group::new(Timing::Plain)],
            }))
        };
        match field(0)? {
            "Sprite" | "4" => actor(None),
            "Animation" | "6" => actor(Some(Animation {
                frames: field(6)?.parse::<u32>().ok()?.clamp(1, MOST_FRAMES),
                delay: micros(number(field(7)?)?).max(1),
                once: matches!(field(8), Some("LoopOnce" | "1")),
            })),
            "Sample" | "5" => Some(Object::Sample(Sample {
                at: micros(number(field(1)?)?),
                layer: layer(field(2)?)?,
                file: file(field(3)?),
                volume: match field(4) {
                    Some(volume) => number(volume)?.clamp(0.0, 100.0) as u8,
                    None => 100,
                },
            })),
            _ => None,
        }
    }
}

/// What a line can begin.
enum Object {
    Actor(Actor),
    Sample(Sample),
}

fn bounded(what: &str, count: usize, limit: usize) -> Result<(), ReplayError> {
    if count <= limit {
        return Ok(());
    }
    Err(ReplayError::TooLong {
        about: About::Map,
        what: "the storyboard".to_owned(),
        length: format!("more than {limit} {what}"),
        limit: format!("{limit} {what}"),
    })
}

/// A line that opens a loop or a trigger.
fn timing(fields: &[&str]) -> Option<Timing> {
    let field = |index: usize| fields.get(index).copied();
    match field(0)? {
        "L" => Some(Timing::Loop {
            start: micros(number(field(1)?)?),
            count: field(2)?.parse::<i64>().ok()?.clamp(1, i64::from(i32::MAX)),
        }),
        "T" => {
            let time = |index: usize, absent: Micros| match field(index) {
                Some(text) if !text.is_empty() => number(text).map(micros),
                _ => Some(absent),
            };
            Some(Timing::Trigger {
                condition: Condition::read(field(1)?),
                from: time(2, Micros::MIN)?,
                to: time(3, Micros::MAX)?,
                fired: Vec::new(),
            })
        }
        _ => None,
    }
}

/// How one of a command's values is read.
type Value = fn(&str) -> Option<i32>;

/// Adds what a line commands, and says how many commands these are. More values than two follow each other in as many stretches
/// of the same length.
fn commands(fields: &[&str], onto: &mut Vec<Command>) -> Option<usize> {
    use Property::{Additive, Angle, Blue, FlipH, FlipV, Green, Opacity, Red, Scale, ScaleX, ScaleY, X, Y};
    let before = onto.len();
    let curve = fields.get(1)?.parse::<u8>().ok()?;
    let from = micros(number(fields.get(2)?)?);
    let to = match *fields.get(3)? {
        "" => from,
        text => micros(number(text)?).max(from),
    };
    if *fields.first()? == "P" {
        let property = match *fields.get(4)? {
            "H" => FlipH,
            "V" => FlipV,
            "A" => Additive,
            _ => return None,
        };
        // Without a duration it holds for ever.
        onto.push(Command { property, curve, from, to, values: (1, i32::from(from == to)) });
        return Some(1);
    }
    let (properties, value): (&[Property], Value) = match *fields.first()? {
        "F" => (&[Opacity], share),
        "M" => (&[X, Y], position),
        "MX" => (&[X], position),
        "MY" => (&[Y], position),
        "S" => (&[Scale], scale),
        "V" => (&[ScaleX, ScaleY], scale),
        "R" => (&[Angle], angle),
        "C" => (&[Red, Green, Blue], colour),
        _ => return None,
    };
    let values: Option<Vec<i32>> = fields.get(4..)?.iter().map(|text| value(text)).collect();
    let values = values?;
    let steps: Vec<&[i32]> = values.chunks_exact(properties.len()).collect();
    let duration = to - from;
    for index in 0..steps.len().saturating_sub(1).max(1) {
        let first = steps.get(index)?;
        let second = steps.get(index + 1).unwrap_or(first);
        let later = duration.saturating_mul(index as i64);
        for (part, property) in properties.iter().enumerate() {
            onto.push(Command {
                property: *property,
                curve,
                from: from.saturating_add(later),
                to: to.saturating_add(later),
                values: (*first.get(part)?, *second.get(part)?),
            });
        }
    }
    Some(onto.len() - before)
}

fn layer(text: &str) -> Option<Layer> {
    Some(match text {
        "Background" | "0" => Layer::Background,
        "Fail" | "1" => Layer::Fail,
        "Pass" | "2" => Layer::Pass,
        "Foreground" | "3" => Layer::Foreground,
        "Overlay" | "4" => Layer::Overlay,
        _ => return None,
    })
}

fn origin(text: &str) -> (i32, i32) {
    match text {
        "Centre" | "1" => (1, 1),
        "CentreLeft" | "2" => (0, 1),
        "TopRight" | "3" => (2, 0),
        "BottomCentre" | "4" => (1, 2),
        "TopCentre" | "5" => (1, 0),
        "CentreRight" | "7" => (2, 1),
        "BottomLeft" | "8" => (0, 2),
        "BottomRight" | "9" => (2, 2),
        _ => (0, 0),
    }
}

fn file(text: &str) -> String {
    text.trim_matches('"').replace('\\', "/")
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A number times `one`, as a whole one that is at most `most` times `one`, either way.
fn whole(text: &str, one: f64, most: f64) -> Option<i32> {
    Some((number(text)?.clamp(-most, most) * one).round() as i32)
}

/// Units of the storyboard, in 1/256.
fn position(text: &str) -> Option<i32> {
    whole(text, 256.0, 1_000_000.0)
}

/// Opacity from 0 to 1, in 1/65,536.
fn share(text: &str) -> Option<i32> {
    Some(whole(text, 65_536.0, 1.0)?.max(0))
}

/// Sizes, in 1/65,536.
fn scale(text: &str) -> Option<i32> {
    whole(text, 65_536.0, 1_000.0)
}

/// Radians, in 1/65,536 of a turn.
fn angle(text: &str) -> Option<i32> {
    whole(text, 65_536.0 / TAU, 100_000.0)
}

/// 0 to 255, in 1/256.
fn colour(text: &str) -> Option<i32> {
    Some(whole(text, 256.0, 255.0)?.max(0))
}

#[cfg(test)]
mod tests;
