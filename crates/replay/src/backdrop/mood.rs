//! How dark the background is when: before the play, in it, and in breaks.

use rosu_map::section::hit_objects::HitObject;

use super::shade::FULL;
use crate::time::{Micros, Speed, micros};

/// How long it takes from one to the other, in microseconds of the video.
const TRANSITION: i64 = 400_000;

/// What the play is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Nothing has come yet.
    Intro,
    /// There is something to play.
    Play,
    /// The map has a break.
    Break,
}

/// Moods of a moment: from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Between {
    pub from: Mood,
    pub to: Mood,
    /// How far, of [`FULL`].
    pub share: u16,
}

/// When which begins.
#[derive(Debug)]
pub(super) struct Moods {
    /// When it begins to be felt, how long until it is all there, and which it is; in order of time.
    changes: Vec<(Micros, i64, Mood)>,
}

impl Moods {
    /// The moods of a map, played at a speed.
    pub(super) fn new(map: &rosu_map::Beatmap, speed: Speed) -> Self {
        let transition = speed.on_map(TRANSITION);
        let mut changes = Vec::new();
        if let Some(first) =
            map.hit_objects.iter().map(|object: &HitObject| object.start_time).reduce(f64::min)
        {
            let seen = micros(first).saturating_sub(preempt(map.approach_rate));
            changes.push((seen - transition, transition, Mood::Play));
        }
        for pause in map.breaks.iter().filter(|pause| pause.has_effect()) {
            let (from, to) = (micros(pause.start_time), micros(pause.end_time));
            let transition = transition.min((to - from) / 2).max(1);
            changes.push((from, transition, Mood::Break));
            changes.push((to - transition, transition, Mood::Play));
        }
        changes.sort_by_key(|(at, ..)| *at);
        Self { changes }
    }

    /// The moods of a moment.
    pub(super) fn at(&self, at: Micros) -> Between {
        let count = self.changes.partition_point(|(begins, ..)| *begins <= at);
        let change = |index: Option<usize>| index.and_then(|index| self.changes.get(index));
        let Some((begins, transition, to)) = change(count.checked_sub(1)) else {
            return Between { from: Mood::Intro, to: Mood::Intro, share: FULL };
        };
        let from = change(count.checked_sub(2)).map_or(Mood::Intro, |(_, _, mood)| *mood);
        let share = at.saturating_sub(*begins).saturating_mul(i64::from(FULL)) / transition.max(&1);
        Between { from, to: *to, share: share.clamp(0, i64::from(FULL)) as u16 }
    }
}

/// How long before its time an object is seen, in microseconds: 1800, 1200 and 450 ms at rates of 0, 5 and 10.
fn preempt(rate: f32) -> i64 {
    let rate = f64::from(rate.clamp(0.0, 10.0));
    micros(if rate < 5.0 { 1800.0 - 120.0 * rate } else { 1200.0 - 150.0 * (rate - 5.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{beatmap::Beatmap, limits::Limits};

    const MAP: &str = "osu file format v14\n\n[Difficulty]\nApproachRate:5\n\n[Events]\n2,5000,9000\n2,10000,10600\n\n\
        [TimingPoints]\n0,500,4,1,0,80,1,0\n\n[HitObjects]\n100,100,3000,1,0\n100,100,12000,1,0\n";

    #[test]
    fn moods_follow_the_map() {
        let map = Beatmap::read(MAP.as_bytes(), &Limits::default()).unwrap().map;
        let table = [
            (-9000, Mood::Intro, Mood::Intro, FULL),
            // The first object is seen from 1,800 ms on.
            (1400, Mood::Intro, Mood::Play, 0),
            (1600, Mood::Intro, Mood::Play, 128),
            (1800, Mood::Intro, Mood::Play, FULL),
            (4999, Mood::Intro, Mood::Play, FULL),
            (5000, Mood::Play, Mood::Break, 0),
            (5100, Mood::Play, Mood::Break, 64),
            (8000, Mood::Play, Mood::Break, FULL),
            (8600, Mood::Break, Mood::Play, 0),
            (9000, Mood::Break, Mood::Play, FULL),
            // A break of 600 ms is none.
            (10_300, Mood::Break, Mood::Play, FULL),
        ];
        let moods = Moods::new(&map, Speed::NORMAL);
        for (at, from, to, share) in table {
            assert_eq!(moods.at(at * 1000), Between { from, to, share }, "{at}");
        }
    }

    #[test]
    fn transitions_take_as_long_in_the_video_at_any_speed() {
        let map = Beatmap::read(MAP.as_bytes(), &Limits::default()).unwrap().map;
        let moods = Moods::new(&map, Speed { map: 3, video: 2 });
        assert_eq!(moods.at(5_300_000).share, 128);
    }
}
