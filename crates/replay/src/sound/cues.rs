//! What is heard when: a play's events become samples with their times, volumes and places.
//!
//! Promises: cues are in order of time. A circle is heard when it was pressed, not at its own time; a slider's parts when the ball
//! was there and they were caught; what was missed is not heard. Sources: osu!lazer's `DrawableHitObject`, `DrawableSlider`,
//! `DrawableSpinner`, `ComboEffects`, `DrawableHoldNote`, and the game's wiki.

mod beats;
mod keys;
mod storyboard;

use std::collections::BTreeMap;

use rosu_map::section::hit_objects::{HitObject, HitObjectKind, hit_samples::HitSampleInfo};

use super::{
    names::Wanted,
    sample_at,
    samples::{Samples, Sound},
    time_of,
};
use crate::{
    error::ReplayError,
    limits::Limits,
    osr::Mode,
    play::{Event, EventKind, Hit},
    stage::Stage,
    standard::objects::{self, Field, Kind, Part, Slider},
    time::{Micros, micros},
};

/// The least volume of lazer's samples, in percent.
const LAZER_FLOOR: i32 = 5;

/// A combo that is as long as this breaks without a sound.
const SILENT_COMBO: u32 = 20;

/// How far to the sides stable moves what lies at the playfield's: 0.4 of the way.
const PANNING: f32 = 0.8;

/// A part that was judged later than this after the ball was there, in microseconds, was caught later; else a frame of the
/// replay came late.
const LATE: Micros = 40_000;

/// Something that is heard.
#[derive(Debug, Clone)]
pub(super) struct Cue {
    /// The sample of the video at which it begins.
    pub(super) at: i64,
    /// What.
    pub(super) sound: Sound,
    /// How loud: 1 is as in its file.
    pub(super) gain: f32,
    /// How it goes on.
    pub(super) course: Course,
}

/// How a sample goes on once it began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    /// To its end, from a place between -1 (left) and 1 (right).
    Once(f32),
    /// Again and again, from where the ball of a slider is, until a sample of the video.
    Slide {
        /// The slider.
        object: u32,
        /// The end.
        until: i64,
    },
    /// Again and again, faster the more a spinner was turned, until a sample of the video.
    Spin {
        /// The spinner.
        object: u32,
        /// The end.
        until: i64,
    },
}

/// The cues of a stage.
pub(super) struct Cues<'a> {
    stage: &'a Stage<'a>,
    /// From when until when something is heard.
    span: (Micros, Micros),
    samples: Samples<'a>,
    cues: Vec<Cue>,
}

/// All cues of a video of `samples` samples in order of time, and the placed objects of osu!, from which loops come.
///
/// # Errors
/// Maps and storyboards beyond the limits.
pub(super) fn cues<'a>(
    stage: &'a Stage<'a>,
    samples: u64,
    limits: &Limits,
) -> Result<(Vec<Cue>, Option<Field>), ReplayError> {
    let sound = &stage.options.sound;
    let map = sound.map_samples.then_some(stage.files);
    let end = time_of(&stage.clock, i64::try_from(samples).unwrap_or(i64::MAX));
    let span = (stage.span.0, stage.span.1.min(end));
    let samples = Samples::new(map, stage.skin.sounds.as_ref());
    let mut cues = Cues { stage, span, samples, cues: Vec::new() };
    if sound.effects == 0 {
        return Ok((Vec::new(), None));
    }
    let field = match stage.map.mode {
        Mode::Standard => Some(objects::place(stage.map, stage.mods, limits)?),
        _ => None,
    };
    match &field {
        Some(field) => cues.standard(field),
        None => cues.keys(),
    }
    cues.breaks();
    cues.beats();
    cues.storyboard(limits)?;
    let mut all = cues.cues;
    all.sort_by_key(|cue| cue.at);
    Ok((all, field))
}

/// From which side something is heard that lies at x osu! pixels.
pub(super) fn pan(x: f32) -> f32 {
    ((x / 512.0 - 0.5) * PANNING).clamp(-1.0, 1.0)
}

impl Cues<'_> {
    /// Whether a moment belongs to the part of the play that is seen.
    fn is_seen(&self, at: Micros) -> bool {
        (self.span.0..=self.span.1).contains(&at)
    }

    /// The sample of the video at which what happens at a time of the map is heard.
    fn heard_at(&self, at: Micros) -> i64 {
        sample_at(&self.stage.clock, at) + i64::from(self.stage.options.sound.offset) * 48
    }

    /// Adds a cue.
    fn add(&mut self, at: Micros, wanted: &Wanted, volume: i32, course: Course) {
        let sound = self.samples.get(wanted);
        if sound.is_empty() || volume <= 0 {
            return;
        }
        let effects = f32::from(self.stage.options.sound.effects) / 100.0;
        let gain = volume.min(100) as f32 / 100.0 * effects;
        let course = match course {
            Course::Once(_) if !self.stage.options.sound.panning => Course::Once(0.0),
            course => course,
        };
        self.cues.push(Cue { at: self.heard_at(at), sound, gain, course });
    }

    /// The volume of an object's sample, in percent.
    fn volume(&self, sample: &HitSampleInfo) -> i32 {
        if self.stage.replay.is_lazer() { sample.volume.max(LAZER_FLOOR) } else { sample.volume }
    }

    /// Adds all samples of an object, or of a slider's edge.
    fn object(&mut self, at: Micros, samples: &[HitSampleInfo], x: f32, taiko: bool) {
        let mode = self.stage.map.mode;
        let layered = self.stage.skin.config.layered_hit_sounds && mode != Mode::Mania;
        for sample in samples.iter().filter(|sample| layered || !sample.is_layered) {
            let wanted = Wanted { taiko, ..Wanted::of(sample) };
            self.add(at, &wanted, self.volume(sample), Course::Once(pan(x)));
        }
    }

    /// Adds a sound whose set, index and volume are those of an object's normal sample.
    fn like(&mut self, at: Micros, object: &HitObject, name: &'static str, course: Course) {
        if let Some(sample) = object.samples.first() {
            let wanted = Wanted::of(sample).named(name);
            self.add(at, &wanted, self.volume(sample), course);
        }
    }

    /// osu!: what the events say, and what sounds on while sliders are followed and spinners are turned.
    fn standard(&mut self, field: &Field) {
        let stage = self.stage;
        let mut next_part = BTreeMap::new();
        for event in &stage.play.events {
            let index = event.object as usize;
            let (Some(object), Some(placed)) =
                (stage.map.map.hit_objects.get(index), field.objects.get(index))
            else {
                continue;
            };
            match (&object.kind, &placed.kind) {
                (HitObjectKind::Slider(file), Kind::Slider(slider)) => {
                    let part = match event.kind {
                        EventKind::Tick(..) | EventKind::Repeat(..) | EventKind::Tail(_) => {
                            let next: &mut usize = next_part.entry(index).or_default();
                            *next += 1;
                            slider.parts.get(*next - 1)
                        }
                        _ => None,
                    };
                    self.slider(event, object, &file.node_samples, (placed.at.x, slider), part);
                }
                _ if !self.is_seen(event.at) => {}
                (_, Kind::Circle | Kind::Spinner) => match event.kind {
                    EventKind::Result(hit) if hit != Hit::Miss => {
                        self.object(event.at, &object.samples, placed.at.x, false);
                    }
                    EventKind::Bonus => self.like(event.at, object, "spinnerbonus", Course::Once(0.0)),
                    _ => {}
                },
                _ => {}
            }
        }
        for (index, placed) in field.objects.iter().enumerate() {
            self.loops(index, placed);
        }
    }

    /// A part of a slider, or its head.
    fn slider(
        &mut self,
        event: &Event,
        object: &HitObject,
        nodes: &[Vec<HitSampleInfo>],
        (head, slider): (f32, &Slider),
        part: Option<&Part>,
    ) {
        let at = part.map_or(event.at, |part| {
            let shown = micros(part.shown);
            if event.at > shown.saturating_add(LATE) { event.at } else { shown }
        });
        if !self.is_seen(at) {
            return;
        }
        let x = part.map_or(head, |part| part.place.x);
        match event.kind {
            EventKind::Head(true) => self.object(at, nodes.first().map_or(&[], Vec::as_slice), x, false),
            EventKind::Tick(true, _) => self.like(at, object, "slidertick", Course::Once(pan(x))),
            EventKind::Repeat(true, number) => {
                self.object(at, nodes.get(usize::from(number) + 1).map_or(&[], Vec::as_slice), x, false);
            }
            EventKind::Tail(caught) if caught || self.ends_anyway(event.object) => {
                self.object(at, nodes.get(slider.spans as usize).map_or(&[], Vec::as_slice), x, false);
            }
            _ => {}
        }
    }

    /// Whether a slider's end is heard although it was not followed there: in stable, where the slider was no miss.
    fn ends_anyway(&self, object: u32) -> bool {
        let mods = self.stage.mods;
        let outcome = self.stage.play.objects.get(object as usize);
        let hit = outcome.and_then(|outcome| outcome.result).is_some_and(|result| result != Hit::Miss);
        mods.classic && mods.classic_settings.always_play_tail_sample && hit
    }

    /// What sounds on during a slider or a spinner.
    fn loops(&mut self, index: usize, placed: &objects::Object) {
        let (stage, seen) = (self.stage, self.span);
        let (Some(object), Some(outcome)) =
            (stage.map.map.hit_objects.get(index), stage.play.objects.get(index))
        else {
            return;
        };
        let (start, end) = (micros(placed.start), micros(placed.end));
        let within = |from: Micros, to: Micros| (from.max(start).max(seen.0), to.min(end).min(seen.1));
        match placed.kind {
            Kind::Slider(_) => {
                for (from, to) in &outcome.followed {
                    let (from, to) = within(*from, *to);
                    if from >= to {
                        continue;
                    }
                    let course = Course::Slide { object: index as u32, until: self.heard_at(to) };
                    self.like(from, object, "sliderslide", course);
                    let whistle =
                        object.samples.iter().find(|sample| sample.name == HitSampleInfo::HIT_WHISTLE);
                    if let Some(whistle) = whistle {
                        let wanted = Wanted::of(whistle).named("sliderwhistle");
                        self.add(from, &wanted, self.volume(whistle), course);
                    }
                }
            }
            Kind::Spinner => {
                let turned = outcome.turns.windows(2).find(|pair| pair[0].1 != pair[1].1);
                let Some((from, to)) = turned.map(|pair| within(pair[0].0, end)) else { return };
                if from < to {
                    let course = Course::Spin { object: index as u32, until: self.heard_at(to) };
                    self.like(from, object, "spinnerspin", course);
                }
            }
            Kind::Circle => {}
        }
    }

    /// Combos that break, if they were long.
    fn breaks(&mut self) {
        let stage = self.stage;
        let mut combo = 0;
        for event in &stage.play.events {
            if event.broke && combo > SILENT_COMBO && self.is_seen(event.at) {
                self.add(event.at, &Wanted::plain("combobreak"), 100, Course::Once(0.0));
            }
            combo = event.after.combo;
        }
    }
}
