//! What sets off a storyboard's triggers: hit sounds, as the play made them.
//!
//! Promises: what fires, and when, follows from the play alone; how often all triggers together fire is bounded. Other conditions
//! (`Passing`, `Failing`) are about a play that comes close to failing; here none does, so that they never fire.
//! A condition is `HitSound`, then the sample set, that of the additions, the addition and the number of the set, each of which may
//! be absent.

use std::collections::BTreeMap;

use rosu_map::section::hit_objects::{
    HitObjectKind,
    hit_samples::{HitSampleDefaultName, HitSampleInfo, HitSampleInfoName, SampleBank},
};

use super::{script::Actor, timeline::Timing};
use crate::{
    beatmap::Beatmap,
    play::{EventKind, Hit, Play},
    time::Micros,
};

/// How often all triggers of a storyboard fire together; what comes later does not.
const MOST_FIRINGS: usize = 500_000;

/// Different conditions of a storyboard; others never fire.
const MOST_CONDITIONS: usize = 1000;

/// A hit sound that sets something off. What is absent is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Number of the sample set: 1 normal, 2 soft, 3 drum.
    bank: Option<u8>,
    /// Number of the additions' sample set.
    addition_bank: Option<u8>,
    /// One of the additions' bits.
    addition: Option<u8>,
    /// Which of the map's own files of the set.
    index: Option<i32>,
}

/// Bits of additions.
const ADDITIONS: [(&str, u8); 3] = [("Whistle", 2), ("Finish", 4), ("Clap", 8)];

/// Names of sample sets, and their numbers; 0 is any.
const BANKS: [(&str, u8); 4] = [("All", 0), ("Normal", 1), ("Soft", 2), ("Drum", 3)];

impl Condition {
    /// Reads one; `None` where it is none that can come true here.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix("HitSound")?;
        let mut word = |words: &[(&str, u8)]| {
            let (after, number) =
                words.iter().find_map(|(word, number)| Some((rest.strip_prefix(word)?, *number)))?;
            rest = after;
            Some(number)
        };
        let bank = word(&BANKS).filter(|number| *number > 0);
        let addition_bank = word(&BANKS).filter(|number| *number > 0);
        let addition = word(&ADDITIONS);
        let index = if rest.is_empty() { None } else { Some(rest.parse().ok()?) };
        Some(Self { bank, addition_bank, addition, index })
    }

    fn is_met(&self, sound: &Sound) -> bool {
        self.bank.is_none_or(|bank| bank == sound.bank)
            && self.addition_bank.is_none_or(|bank| bank == sound.addition_bank)
            && self.addition.is_none_or(|addition| sound.additions & addition != 0)
            && self.index.is_none_or(|index| index == sound.index)
    }
}

/// A hit sound of the play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sound {
    at: Micros,
    bank: u8,
    addition_bank: u8,
    additions: u8,
    index: i32,
}

/// Writes into all triggers when they fire.
pub(super) fn fire(actors: &mut [Actor], map: &Beatmap, play: &Play) {
    let mut sounds = None;
    let mut met: BTreeMap<Condition, Vec<Micros>> = BTreeMap::new();
    let mut left = MOST_FIRINGS;
    for group in actors.iter_mut().flat_map(|actor| &mut actor.groups) {
        let Timing::Trigger { condition: Some(condition), from, to, fired } = &mut group.timing else {
            continue;
        };
        if met.len() >= MOST_CONDITIONS && !met.contains_key(condition) {
            continue;
        }
        let sounds = sounds.get_or_insert_with(|| heard(map, play));
        let times = met.entry(*condition).or_insert_with(|| {
            sounds.iter().filter(|sound| condition.is_met(sound)).map(|sound| sound.at).collect()
        });
        let first = times.partition_point(|at| *at < *from);
        let last = times.partition_point(|at| *at <= *to);
        *fired = times.get(first..last).unwrap_or_default().iter().take(left).copied().collect();
        left -= fired.len();
    }
}

/// The hit sounds of a play, in order of time.
fn heard(map: &Beatmap, play: &Play) -> Vec<Sound> {
    let sound = |event: &crate::play::Event| {
        let object = map.map.hit_objects.get(event.object as usize)?;
        let node = |node: usize| match &object.kind {
            HitObjectKind::Slider(slider) => slider.node_samples.get(node).or(Some(&object.samples)),
            _ => None,
        };
        let samples = match event.kind {
            EventKind::Result(hit) if hit != Hit::Miss => match &object.kind {
                HitObjectKind::Slider(_) => None,
                _ => Some(&object.samples),
            },
            EventKind::Head(true) => node(0).or(Some(&object.samples)),
            EventKind::Repeat(true, repeat) => node(usize::from(repeat) + 1),
            EventKind::Tail(true) => match &object.kind {
                HitObjectKind::Slider(slider) => node(usize::try_from(slider.repeat_count).ok()? + 1),
                _ => None,
            },
            _ => None,
        };
        Some(of_samples(event.at, samples?))
    };
    play.events.iter().filter_map(sound).collect()
}

fn of_samples(at: Micros, samples: &[HitSampleInfo]) -> Sound {
    let number = |bank: SampleBank| match bank {
        SampleBank::None | SampleBank::Normal => 1,
        SampleBank::Soft => 2,
        SampleBank::Drum => 3,
    };
    let mut sound = Sound { at, bank: 1, addition_bank: 1, additions: 0, index: 0 };
    let mut own_addition_bank = false;
    for sample in samples {
        let bit = match sample.name {
            HitSampleInfoName::Default(HitSampleDefaultName::Normal) => {
                sound.bank = number(sample.bank);
                sound.index = sample.custom_sample_bank;
                continue;
            }
            HitSampleInfoName::Default(HitSampleDefaultName::Whistle) => 2,
            HitSampleInfoName::Default(HitSampleDefaultName::Finish) => 4,
            HitSampleInfoName::Default(HitSampleDefaultName::Clap) => 8,
            HitSampleInfoName::File(_) => continue,
        };
        sound.additions |= bit;
        sound.addition_bank = number(sample.bank);
        own_addition_bank = true;
    }
    if !own_addition_bank {
        sound.addition_bank = sound.bank;
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{limits::Limits, play::Event, storyboard::script::Script};

    #[test]
    fn conditions_are_read() {
        let condition =
            |bank, addition_bank, addition, index| Some(Condition { bank, addition_bank, addition, index });
        for (text, expected) in [
            ("HitSound", condition(None, None, None, None)),
            ("HitSoundClap", condition(None, None, Some(8), None)),
            ("HitSoundDrumWhistle", condition(Some(3), None, Some(2), None)),
            ("HitSoundAllSoftFinish", condition(None, Some(2), Some(4), None)),
            ("HitSoundNormalDrumClap6", condition(Some(1), Some(3), Some(8), Some(6))),
            ("HitSoundSoft0", condition(Some(2), None, None, Some(0))),
            ("HitSoundLoud", None),
            ("Passing", None),
            ("Failing", None),
            ("", None),
        ] {
            assert_eq!(Condition::read(text), expected, "{text}");
        }
    }

    const MAP: &str = "osu file format v14\n\n[General]\nMode: 0\nSampleSet: Soft\n\n[Difficulty]\nSliderMultiplier:1\nSliderTickRate:1\n\n\
        [TimingPoints]\n0,500,4,2,1,80,1,0\n\n[HitObjects]\n\
        100,100,1000,1,2,0:0:0:0:\n100,100,1500,1,8,0:3:0:0:\n100,100,2000,1,0,1:0:0:0:\n\
        100,100,3000,2,0,L|200:100,2,100,2|4|8,0:0|0:0|3:1,0:0:0:0:\n";

    fn event(at: Micros, object: u32, kind: EventKind) -> Event {
        Event { at, object, kind, ..Event::default() }
    }

    #[test]
    fn hit_sounds_of_the_play_fire() {
        let map = Beatmap::read(MAP.as_bytes(), &Limits::default()).unwrap();
        let play = Play {
            events: vec![
                event(1_005_000, 0, EventKind::Result(Hit::Great)),
                event(1_510_000, 1, EventKind::Result(Hit::Ok)),
                event(2_150_000, 2, EventKind::Result(Hit::Miss)),
                event(3_001_000, 3, EventKind::Head(true)),
                event(3_500_000, 3, EventKind::Repeat(true, 0)),
                event(4_000_000, 3, EventKind::Tail(true)),
                event(4_000_000, 3, EventKind::Result(Hit::Great)),
            ],
            ..Play::default()
        };
        let fired = |condition: &str| {
            let text = format!(
                "[Events]\nSprite,Pass,Centre,\"a.png\",0,0\n T,{condition},1200,3500\n  F,0,0,100,1,0\n"
            );
            let mut script = Script::read([text.as_str()]).unwrap();
            fire(&mut script.actors, &map, &play);
            match &script.actors[0].groups[0].timing {
                Timing::Trigger { fired, .. } => fired.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(fired("HitSound"), [1_510_000, 3_001_000, 3_500_000]);
        assert_eq!(fired("HitSoundClap"), [1_510_000]);
        assert_eq!(fired("HitSoundSoft"), [1_510_000, 3_001_000, 3_500_000]);
        assert_eq!(fired("HitSoundAllDrum"), [1_510_000], "the additions' own set");
        assert_eq!(fired("HitSoundSoftFinish"), [3_500_000]);
        assert_eq!(fired("HitSoundWhistle"), [3_001_000], "the first is before the trigger's time");
        assert_eq!(fired("HitSoundNormal"), [0_i64; 0], "it was missed");
    }

    #[test]
    fn firings_are_bounded() {
        let map = Beatmap::read(MAP.as_bytes(), &Limits::default()).unwrap();
        let events = (0..10_000).map(|at| event(at, 0, EventKind::Result(Hit::Great))).collect();
        let play = Play { events, ..Play::default() };
        let text = "[Events]\nSprite,Pass,Centre,\"a.png\",0,0\n".to_owned()
            + &" T,HitSound,0,9999\n  F,0,0,,1\n".repeat(100);
        let mut script = Script::read([text.as_str()]).unwrap();
        fire(&mut script.actors, &map, &play);
        let all = script.actors[0].groups.iter().map(|group| match &group.timing {
            Timing::Trigger { fired, .. } => fired.len(),
            _ => 0,
        });
        assert_eq!(all.sum::<usize>(), MOST_FIRINGS);
    }
}
