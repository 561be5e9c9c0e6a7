//! Mixes what is heard at the same time: the cues that have begun and not ended.
//!
//! Promises: a cue's first frame is at its sample exactly; only what is heard takes time, and at most [`MOST`] at once (of more, the
//! oldest end), so that no map can make it endless.

use super::{
    cues::{Course, Cue, pan},
    decode::Frame,
    time_of,
};
use crate::{
    skin::ini::Config,
    stage::Stage,
    standard::objects::{Field, Kind},
};

/// How many are heard at once at most.
const MOST: usize = 512;

/// Frames in which a loop fades in and out: 10 ms.
const FADE: i64 = 480;

/// Frames in which a spinner's sound swells and falls: 0.2 s.
const SWELL: f32 = 9600.0;

/// How fast a spinner's sound is when it begins, and how much faster when it is cleared, as in the game: 20 kHz and 60 kHz of a
/// file of 44.1 kHz, at most 100 kHz.
const SPIN: (f64, f64, f64) = (20.0 / 44.1, 40.0 / 44.1, 100.0 / 44.1);

/// How much earlier a spinner's angle is compared to see whether it turns, in microseconds of the map.
const TURNED_WITHIN: i64 = 100_000;

/// Mixes cues, block by block.
pub(super) struct Voices<'a> {
    stage: &'a Stage<'a>,
    field: Option<Field>,
    cues: std::iter::Peekable<std::vec::IntoIter<Cue>>,
    heard: std::collections::VecDeque<Voice>,
}

/// A cue that is being heard.
struct Voice {
    cue: Cue,
    /// The frame of its sound that comes next; of a spinner between two.
    place: f64,
    /// The gains at which the last block ended.
    gains: Option<[f32; 2]>,
    /// How loud a spinner is.
    swell: f32,
}

impl<'a> Voices<'a> {
    /// For cues in order of time.
    pub(super) fn new(stage: &'a Stage<'a>, cues: Vec<Cue>, field: Option<Field>) -> Self {
        Self { stage, field, cues: cues.into_iter().peekable(), heard: std::collections::VecDeque::new() }
    }

    /// Adds what is heard in the block that begins at sample `from` of the video. Blocks follow each other.
    pub(super) fn add(&mut self, from: i64, block: &mut [Frame]) {
        let end = from + block.len() as i64;
        while let Some(cue) = self.cues.next_if(|cue| cue.at < end) {
            self.heard.push_back(Voice { cue, place: 0.0, gains: None, swell: 0.0 });
            if self.heard.len() > MOST {
                self.heard.pop_front();
            }
        }
        let (stage, field) = (self.stage, self.field.as_ref());
        self.heard.retain_mut(|voice| voice.add(from, block, stage, field));
    }
}

impl Voice {
    /// Adds its part of a block; `false` if nothing follows.
    fn add(&mut self, from: i64, block: &mut [Frame], stage: &Stage<'_>, field: Option<&Field>) -> bool {
        match self.cue.course {
            Course::Once(side) => self.once(from, block, side),
            Course::Slide { object, until } => {
                let side = slide_side(from, object, stage, field);
                self.round(from, block, until, side, 1.0, 1.0)
            }
            Course::Spin { object, until } => {
                let (rate, turns) = spin(from, object, stage);
                let step = block.len() as f32 / SWELL;
                self.swell = (self.swell + if turns { step } else { -step }).clamp(0.0, 1.0);
                self.round(from, block, until, 0.0, rate, self.swell)
            }
        }
    }

    fn once(&mut self, from: i64, block: &mut [Frame], side: f32) -> bool {
        let gains = gains(self.cue.gain, side);
        let late = (self.cue.at - from).max(0) as usize;
        // What began before the video is heard from its middle.
        let place = usize::try_from(from - self.cue.at).unwrap_or(0);
        let rest = self.cue.sound.get(place..).unwrap_or_default();
        for (frame, sample) in block.iter_mut().skip(late).zip(rest) {
            for side in 0..2 {
                frame[side] += f32::from(sample[side]) * gains[side];
            }
        }
        self.cue.at + self.cue.sound.len() as i64 > from + block.len() as i64
    }

    /// A loop. Its gains go evenly to where they are to be at the block's end.
    fn round(&mut self, from: i64, block: &mut [Frame], until: i64, side: f32, rate: f64, gain: f32) -> bool {
        let wanted = gains(self.cue.gain * gain, side);
        let before = self.gains.replace(wanted).unwrap_or(wanted);
        let length = self.cue.sound.len();
        let count = block.len() as f32;
        for (index, frame) in block.iter_mut().enumerate() {
            let at = from + index as i64;
            if at < self.cue.at {
                continue;
            }
            let fade = (at - self.cue.at).min(until + FADE - at).clamp(0, FADE) as f32 / FADE as f32;
            let share = index as f32 / count;
            let whole = self.place as usize;
            let between = (self.place - whole as f64) as f32;
            let (Some(one), Some(other)) =
                (self.cue.sound.get(whole), self.cue.sound.get((whole + 1) % length))
            else {
                return false;
            };
            for side in 0..2 {
                let (one, other) = (f32::from(one[side]), f32::from(other[side]));
                let gain = before[side] + (wanted[side] - before[side]) * share;
                frame[side] += (one + (other - one) * between) * gain * fade;
            }
            self.place = (self.place + rate) % length as f64;
        }
        until + FADE > from + block.len() as i64
    }
}

/// What 16 bits are multiplied with, left and right. To one side the other becomes quieter, as BASS does it.
fn gains(gain: f32, side: f32) -> [f32; 2] {
    let gain = gain / 32_767.0;
    [gain * (1.0 - side.max(0.0)), gain * (1.0 + side.min(0.0))]
}

/// From which side a slider's ball is heard at a sample of the video.
fn slide_side(sample: i64, object: u32, stage: &Stage<'_>, field: Option<&Field>) -> f32 {
    let object = field.and_then(|field| field.objects.get(object as usize));
    match object.map(|object| (object, &object.kind)) {
        Some((object, Kind::Slider(slider))) if stage.options.sound.panning => {
            let at = time_of(&stage.clock, sample) as f64 / 1000.0;
            pan(slider.ball(at - object.start).x)
        }
        _ => 0.0,
    }
}

/// How fast a spinner's sound is at a sample of the video, and whether the spinner turns.
fn spin(sample: i64, object: u32, stage: &Stage<'_>) -> (f64, bool) {
    let Some(outcome) = stage.play.objects.get(object as usize) else { return (1.0, false) };
    let at = time_of(&stage.clock, sample);
    let angle = |at: i64| {
        let next = outcome.turns.partition_point(|(time, _)| *time <= at);
        let before = next.checked_sub(1).and_then(|index| outcome.turns.get(index));
        match (before, outcome.turns.get(next)) {
            (Some((from, one)), Some((to, other))) => {
                let share = (at - from) as f64 / (to - from).max(1) as f64;
                f64::from(*one) + (f64::from(*other) - f64::from(*one)) * share
            }
            (Some((_, angle)), None) | (None, Some((_, angle))) => f64::from(*angle),
            (None, None) => 0.0,
        }
    };
    let turned = angle(at).abs();
    let turns = (turned - angle(at.saturating_sub(TURNED_WITHIN)).abs()).abs() > 1.0;
    (spin_rate(&stage.skin.config, turned / f64::from(outcome.needed_turns.max(1))), turns)
}

fn spin_rate(config: &Config, progress: f64) -> f64 {
    let (base, more, most) = SPIN;
    if config.spinner_frequency_modulate { (base + more * progress).min(most) } else { 1.0 }
}
