//! osu!taiko and osu!mania: each press of a key is heard, with the samples of the object that it is for, hit or not.
//!
//! That is the first object that has no result before the press; in mania, of the key's column. Sources: osu!lazer's
//! `GameplaySampleTriggerSource`, `DrumSamplePlayer`, `Column`.

use std::collections::BTreeMap;

use rosu_map::section::hit_objects::{HitObject, HitObjectKind, hit_samples::HitSampleInfo};

use super::{Course, Cues};
use crate::{
    osr::Mode,
    play::Press,
    sound::names::Wanted,
    time::{Micros, micros},
};

/// The middle of the playfield, where all of these modes is heard.
const MIDDLE: f32 = 256.0;

/// The keys of taiko's rim.
const RIM: [u8; 2] = [0, 3];

impl Cues<'_> {
    pub(super) fn keys(&mut self) {
        let stage = self.stage;
        let objects = &stage.map.map.hit_objects;
        let mania = stage.map.mode == Mode::Mania;
        let columns = stage.map.map.circle_size.round().clamp(1.0, 18.0);
        // The objects of each column in order; taiko has one.
        let mut lanes: BTreeMap<u8, Vec<(usize, &HitObject)>> = BTreeMap::new();
        for (index, object) in objects.iter().enumerate() {
            let lane = if mania { column(object, columns) } else { 0 };
            lanes.entry(lane).or_default().push((index, object));
        }
        let mut presses: Vec<&Press> = stage.play.presses.iter().collect();
        presses.sort_by_key(|press| press.from);
        let mut next: BTreeMap<u8, usize> = BTreeMap::new();
        for press in presses {
            let lane = if mania { press.key } else { 0 };
            let Some(objects) = lanes.get(&lane) else { continue };
            let at = next.entry(lane).or_default();
            while objects.get(*at).is_some_and(|(index, object)| self.judged(*index, object) < press.from) {
                *at += 1;
            }
            let Some((index, object)) = objects.get(*at).or(objects.last()) else { continue };
            if !self.is_seen(press.from) {
                continue;
            }
            if mania {
                self.object(press.from, &object.samples, MIDDLE, false);
            } else {
                self.drum_key(press, *index, object);
            }
        }
    }

    /// When an object had its result.
    fn judged(&self, index: usize, object: &HitObject) -> Micros {
        let outcome = self.stage.play.objects.get(index).filter(|outcome| outcome.result.is_some());
        outcome.map_or_else(|| micros(object.start_time), |outcome| outcome.judged)
    }

    /// A press of the drum: its skin or its rim, louder where it hits a big note.
    fn drum_key(&mut self, press: &Press, index: usize, object: &HitObject) {
        let rim = RIM.contains(&press.key);
        let Some(sample) = object.samples.first() else { return };
        let big = object.samples.iter().any(|sample| sample.name == HitSampleInfo::HIT_FINISH);
        let pressed = self.stage.play.objects.get(index).and_then(|outcome| outcome.pressed);
        let names: &[&'static str] = match (rim, big && pressed == Some(press.from)) {
            (false, false) => &["hitnormal"],
            (false, true) => &["hitnormal", "hitfinish"],
            (true, false) => &["hitclap"],
            (true, true) => &["hitclap", "hitwhistle"],
        };
        for name in names {
            let wanted = Wanted { taiko: true, ..Wanted::of(sample).named(name) };
            self.add(press.from, &wanted, self.volume(sample), Course::Once(0.0));
        }
    }
}

/// The column of a mania object, from 0.
fn column(object: &HitObject, columns: f32) -> u8 {
    let x = match &object.kind {
        HitObjectKind::Circle(circle) => circle.pos.x,
        HitObjectKind::Slider(slider) => slider.pos.x,
        HitObjectKind::Spinner(spinner) => spinner.pos.x,
        HitObjectKind::Hold(hold) => hold.pos_x,
    };
    (x * columns / 512.0).floor().clamp(0.0, columns - 1.0) as u8
}
