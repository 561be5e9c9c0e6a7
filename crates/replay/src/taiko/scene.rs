//! The scene of osu!taiko: a bar over which notes come from the right to the place where they are hit, and a drum that shows the
//! keys.
//!
//! Promises: what is seen at a moment is found by time, and is at most [`MOST_SEEN`] objects.

mod looks;

use self::looks::{CENTRE, Looks, RADII, ROLL};
use super::objects::{Field, Kind, Object};
use crate::{
    draw::{Blend, Picture, Placement, Sprite},
    mania::bar_lines,
    mods::bits,
    play::{EventKind, Hit, Outcome},
    spans::Spans,
    stage::{Layer, Moment, ONE, Stage},
    time::{Micros, Speed, micros},
};

/// Objects that are drawn at once, at most.
pub const MOST_SEEN: usize = 1000;
/// Middle and half of the height of the bar, in 480 units from the top.
const MIDDLE: i32 = 176;
const HALF: i32 = 54;
/// Middle of the drum and of the place where notes are hit, in 480 units from the left.
const DRUM: i32 = 62;
const TARGET: i32 = 182;
/// Notes are seen for at most so long before their time, in microseconds of the map.
const LONGEST: i64 = 60_000_000;
/// How long things take, in microseconds of the video: a note's flight after its hit, a flash, a word, a key's afterglow.
const FLIGHT: i64 = 320_000;
const FLASH: i64 = 220_000;
const WORD: i64 = 420_000;
const AFTERGLOW: i64 = 120_000;

/// One object as it is shown.
struct Shown {
    start: Micros,
    end: Micros,
    kind: Kind,
    big: usize,
    /// How fast it comes: 1/256 pixel in 2^32 microseconds.
    pace: i64,
    /// When it was hit, or a swell was finished.
    hit: Option<Micros>,
    /// When it was missed.
    missed: Option<Micros>,
    /// When a swell was hit, and how often by then.
    turns: Vec<(Micros, i32)>,
    /// Hits that it needs.
    hits: u32,
}

/// A moment at which something flashes, and which flash it is.
type Flash = (Micros, usize);

/// Everything of osu!taiko that is drawn between backdrop and HUD.
pub struct Scene {
    objects: Vec<Shown>,
    seen: Spans,
    /// When bar lines are, and how fast they come.
    bars: Vec<(Micros, i64)>,
    bars_seen: Spans,
    looks: Looks,
    /// When each key went down and up.
    keys: [Vec<(Micros, Micros)>; 4],
    flashes: Vec<Flash>,
    results: Vec<(Micros, Hit)>,
    /// From when on kiai is on, or off.
    kiai: Vec<(Micros, bool)>,
    hidden: bool,
    speed: Speed,
    width: i32,
    height: i32,
    /// One of 480 units of height, in 1/256 pixel.
    unit: i32,
}

impl Scene {
    /// Prepares it.
    #[must_use]
    pub fn new(stage: &Stage<'_>, field: &Field) -> Self {
        let layout = stage.layout;
        let unit = layout.scaled(ONE);
        let (width, height) = (layout.width as i32, layout.height as i32);
        let way = i64::from(width) * i64::from(ONE);
        let pace = |at: Micros| pace(stage, at, unit);
        // From the right side to the left one.
        let spans = |start: Micros, end: Micros, pace: i64| {
            let there = ((i128::from(way) << 32) / i128::from(pace.max(1))).min(i128::from(LONGEST)) as i64;
            (start - there, end + there)
        };
        let object = |(object, outcome): (&Object, Option<&Outcome>)| {
            shown(object, outcome, pace(micros(f64::from(object.start))))
        };
        let outcomes = stage.play.objects.iter().map(Some).chain(std::iter::repeat(None));
        let objects: Vec<Shown> = field.objects.iter().zip(outcomes).map(object).collect();
        let seen = Spans::new(objects.iter().map(|object| {
            let (from, to) = spans(object.start, object.end, object.pace);
            let flown = |hit: Micros| hit + FLIGHT * 2;
            (from, object.hit.map_or(to, flown).max(object.end))
        }));
        let bars: Vec<(Micros, i64)> =
            bar_lines(&stage.map.map, stage.span.1).into_iter().map(|at| (at, pace(at))).collect();
        let bars_seen = Spans::new(bars.iter().map(|(at, pace)| spans(*at, *at, *pace)));
        let mut keys: [Vec<(Micros, Micros)>; 4] = Default::default();
        for press in &stage.play.presses {
            if let Some(key) = keys.get_mut(usize::from(press.key)) {
                key.push((press.from, press.to));
            }
        }
        let (mut flashes, mut results) = (Vec::new(), Vec::new());
        for event in &stage.play.events {
            match event.kind {
                EventKind::Result(hit) => {
                    results.push((event.at, hit));
                    match hit {
                        Hit::Great => flashes.push((event.at, 0)),
                        Hit::Ok => flashes.push((event.at, 1)),
                        _ => {}
                    }
                }
                EventKind::Hold(_) | EventKind::Spin => flashes.push((event.at, 2)),
                _ => {}
            }
        }
        let effects = stage.map.map.control_points.effect_points.iter();
        Self {
            seen,
            objects,
            bars,
            bars_seen,
            looks: Looks::new(unit, stage.skin, stage.mods.has(bits::FLASHLIGHT)),
            keys,
            flashes,
            results,
            kiai: effects.map(|point| (micros(point.time), point.kiai)).collect(),
            hidden: stage.mods.has(bits::HIDDEN),
            speed: stage.clock.speed,
            width,
            height,
            unit,
        }
    }

    fn pixels(&self, units: i32) -> i32 {
        units * self.unit / ONE
    }

    /// So long ago, in microseconds of the video.
    fn since(&self, then: Micros, now: Micros) -> i64 {
        now.saturating_sub(then) / i64::from(self.speed.map.max(1)) * i64::from(self.speed.video)
    }

    /// Where something is that is at the target at `time`, in 1/256 pixel.
    fn x(&self, time: Micros, pace: i64, now: Micros) -> i32 {
        let away = (i128::from(time - now) * i128::from(pace)) >> 32;
        let far = i128::from(self.width) * 256 * 4;
        TARGET * self.unit + away.clamp(-far, far) as i32
    }

    /// How opaque what lies there is: with Hidden it fades on its way.
    fn opacity(&self, x: i32) -> u8 {
        if !self.hidden {
            return 255;
        }
        let target = TARGET * self.unit;
        let share = i64::from(x - target) * 1000 / i64::from((self.width * ONE - target).max(1));
        ((share - 300) * 255 / 250).clamp(0, 255) as u8
    }

    fn draw_bar(&self, at: Micros, onto: &mut Picture) {
        let (top, high) = (self.pixels(MIDDLE - HALF), self.pixels(2 * HALF));
        let thin = self.pixels(1).max(1);
        onto.rectangle(0, top, (self.width, high), [18, 19, 27], 225);
        let kiai = self.kiai.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let kiai = kiai.and_then(|index| self.kiai.get(index)).filter(|(_, on)| *on);
        if let Some((from, _)) = kiai {
            let grown = (self.since(*from, at) * 255 / 250_000).clamp(0, 255);
            onto.rectangle(0, top, (self.width, high), [255, 140, 40], (grown * 36 / 255) as u8);
            onto.sprite_around(&self.looks.kiai, self.target(), (grown * 200 / 255) as u8);
        }
        for edge in [top - 2 * thin, top + high] {
            onto.rectangle(0, edge, (self.width, 2 * thin), [92, 96, 114], 230);
        }
        for index in self.bars_seen.at(at).into_iter().take(MOST_SEEN) {
            if let Some((time, pace)) = self.bars.get(index) {
                let x = self.x(*time, *pace, at) >> 8;
                onto.rectangle(x, top, (thin, high), [200, 204, 220], 90);
            }
        }
        onto.sprite_around(&self.looks.target, self.target(), 255);
    }

    fn target(&self) -> (i32, i32) {
        (TARGET * self.unit, MIDDLE * self.unit)
    }

    fn draw_object(&self, object: &Shown, at: Micros, onto: &mut Picture) {
        let x = self.x(object.start, object.pace, at);
        let middle = MIDDLE * self.unit;
        match object.kind {
            Kind::Note { rim } => {
                let sprites = self.looks.notes.get(usize::from(rim));
                let Some(sprite) = sprites.and_then(|sizes| sizes.get(object.big)) else { return };
                let Some(hit) = object.hit.filter(|hit| *hit <= at) else {
                    let pale = if object.missed.is_some_and(|missed| missed <= at) { 120 } else { 255 };
                    onto.sprite_between(sprite, (x, middle), self.opacity(x).min(pale));
                    return;
                };
                // It flies up and away, in an arc.
                let since = self.since(hit, at);
                if since < FLIGHT {
                    let part = since * 1000 / FLIGHT;
                    let right = i64::from(60 * self.unit) * part / 1000;
                    let up = i64::from(150 * self.unit) * (2 * part - part * part / 1000) / 1000;
                    let place = (TARGET * self.unit + right as i32, middle - up as i32);
                    onto.sprite_between(sprite, place, (255 - part * 255 / 1000) as u8);
                }
            }
            Kind::Roll { .. } => self.draw_roll(object, x, at, onto),
            Kind::Swell { .. } => {
                let waits = x.max(TARGET * self.unit);
                if at <= object.hit.unwrap_or(object.end) {
                    onto.sprite_between(&self.looks.swell, (waits, middle), self.opacity(x.max(waits)));
                }
            }
        }
    }

    fn draw_roll(&self, object: &Shown, from: i32, at: Micros, onto: &mut Picture) {
        let to = self.x(object.end, object.pace, at);
        let radius = RADII.get(object.big).copied().unwrap_or(1) * self.unit;
        let middle = MIDDLE * self.unit;
        let opacity = self.opacity(from.max(TARGET * self.unit));
        if let Some(end) = self.looks.roll_ends.get(object.big) {
            onto.sprite_between(end, (to, middle), opacity);
        }
        let (left, right) = (from >> 8, to >> 8);
        let body = |radius: i32| ((middle - radius) >> 8, (2 * radius) >> 8);
        for (radius, colour) in [(radius, [250, 250, 252]), (radius * 22 / 25, ROLL)] {
            let (top, high) = body(radius);
            onto.rectangle(left, top, (right - left, high), colour, opacity);
        }
        if let Some(head) = self.looks.rolls.get(object.big) {
            onto.sprite_between(head, (from, middle), opacity);
        }
    }

    /// A swell that is being played: how far it is, and how many hits are left.
    fn draw_progress(&self, object: &Shown, at: Micros, onto: &mut Picture) {
        let over = object.hit.unwrap_or(object.end);
        if !matches!(object.kind, Kind::Swell { .. }) || at < object.start || at > over {
            return;
        }
        let done = object.turns.partition_point(|(when, _)| *when <= at);
        let done = done
            .checked_sub(1)
            .and_then(|index| object.turns.get(index))
            .map_or(0, |(_, turns)| turns / 1000);
        let share = i64::from(done) * 65_536 / i64::from(object.hits.max(1));
        let progress = &self.looks.progress;
        let (x, y) = self.target();
        onto.sprite_around(&self.looks.halo, (x, y), 200);
        onto.image(
            progress,
            &Placement {
                at: (x, y),
                anchor: (progress.width as i32 * 128, progress.height as i32 * 128),
                scale: (share.min(65_536) as i32, share.min(65_536) as i32),
                angle: 0,
                tint: [255; 3],
                opacity: 255,
                blend: Blend::Over,
            },
        );
        self.draw_number(object.hits.saturating_sub(done.unsigned_abs()), (x >> 8, y >> 8), onto);
    }

    fn draw_number(&self, number: u32, (x, y): (i32, i32), onto: &mut Picture) {
        let text = number.to_string();
        let digits: Vec<&Sprite> = text
            .bytes()
            .filter_map(|digit| self.looks.digits.get(usize::from(digit.wrapping_sub(b'0'))))
            .collect();
        let overlap = self.pixels(2);
        let mut left = x - digits.iter().map(|digit| digit.width as i32 - overlap).sum::<i32>() / 2;
        for digit in digits {
            onto.sprite(digit, left, y - digit.height as i32 / 2, 255);
            left += digit.width as i32 - overlap;
        }
    }

    fn draw_flash(&self, at: Micros, onto: &mut Picture) {
        let last = self.flashes.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let Some((from, which)) = last.and_then(|index| self.flashes.get(index)) else { return };
        let since = self.since(*from, at);
        if let Some(sprite) = self.looks.bursts.get(*which).filter(|_| since < FLASH) {
            onto.sprite_around(sprite, self.target(), (255 - since * 255 / FLASH) as u8);
        }
    }

    fn draw_drum(&self, at: Micros, onto: &mut Picture) {
        let (top, high) = (self.pixels(MIDDLE - HALF), self.pixels(2 * HALF));
        onto.rectangle(0, top, (self.pixels(2 * DRUM), high), [34, 36, 47], 255);
        onto.rectangle(self.pixels(2 * DRUM), top, (self.pixels(2).max(1), high), CENTRE, 255);
        let middle = (DRUM * self.unit, MIDDLE * self.unit);
        onto.sprite_around(&self.looks.drum, middle, 255);
        for (keys, part) in self.keys.iter().zip(&self.looks.parts) {
            let last = keys.partition_point(|(from, _)| *from <= at).checked_sub(1);
            let Some((_, to)) = last.and_then(|index| keys.get(index)) else { continue };
            let since = self.since(*to, at).max(0);
            if since < AFTERGLOW {
                onto.sprite_around(part, middle, (255 - since * 255 / AFTERGLOW) as u8);
            }
        }
    }

    fn draw_word(&self, at: Micros, onto: &mut Picture) {
        let last = self.results.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let Some((from, hit)) = last.and_then(|index| self.results.get(index)) else { return };
        let since = self.since(*from, at);
        let word = self.looks.words.iter().find(|(of, _)| of == hit).filter(|_| since < WORD);
        let Some((_, word)) = word else { return };
        let larger = ((80_000 - since).max(0) * 16_000 / 80_000) as i32;
        let rise = (since * i64::from(8 * self.unit) / WORD) as i32;
        onto.image(
            word,
            &Placement {
                at: (TARGET * self.unit, (MIDDLE - HALF - 16) * self.unit - rise),
                anchor: (word.width as i32 * 128, word.height as i32 * 128),
                scale: (65_536 + larger, 65_536 + larger),
                angle: 0,
                tint: [255; 3],
                opacity: ((WORD - since) * 255 / 140_000).clamp(0, 255) as u8,
                blend: Blend::Over,
            },
        );
    }

    /// Flashlight: dark but around the target.
    fn draw_dark(&self, onto: &mut Picture) {
        let Some(dark) = &self.looks.dark else { return };
        let (x, y) = self.target();
        let (left, top) = ((x >> 8) - dark.width as i32 / 2, (y >> 8) - dark.height as i32 / 2);
        let (right, bottom) = (left + dark.width as i32, top + dark.height as i32);
        onto.sprite(dark, left, top, 255);
        let around = [
            (0, 0, self.width, top),
            (0, bottom, self.width, self.height - bottom),
            (0, top, left, bottom - top),
            (right, top, self.width - right, bottom - top),
        ];
        for (x, y, width, height) in around {
            onto.rectangle(x, y, (width.max(0), height.max(0)), [0; 3], 255);
        }
    }
}

/// How fast what is to be hit at a moment comes, in 1/256 pixel in 2^32 microseconds: as in stable, by the tempo and the slider
/// velocity there. Hard Rock makes it faster, Easy slower.
fn pace(stage: &Stage<'_>, at: Micros, unit: i32) -> i64 {
    let map = &stage.map.map;
    let milliseconds = at as f64 / 1000.0;
    let beat = map.control_points.timing_point_at(milliseconds).map_or(500.0, |point| point.beat_len);
    let factor = map.control_points.effect_point_at(milliseconds).map_or(1.0, |point| point.scroll_speed);
    let mods = if stage.mods.has(bits::HARD_ROCK) {
        1.4 * 4.0 / 3.0
    } else if stage.mods.has(bits::EASY) {
        0.8
    } else {
        1.0
    };
    // 140 units in a beat.
    let units = 140.0 * map.slider_multiplier * factor * mods / beat.max(1.0) / 1000.0;
    let pace = units.clamp(1e-6, 1.0) * f64::from(unit) * 4_294_967_296.0;
    pace as i64
}

fn shown(object: &Object, outcome: Option<&Outcome>, pace: i64) -> Shown {
    let hits = if let Kind::Swell { hits } = object.kind { hits } else { 0 };
    let judged = |wanted: bool| {
        let outcome = outcome
            .filter(|outcome| outcome.result.is_some() && (outcome.result != Some(Hit::Miss)) == wanted)?;
        Some(outcome.judged)
    };
    Shown {
        start: micros(f64::from(object.start)),
        end: micros(f64::from(object.end)),
        kind: object.kind,
        big: usize::from(object.big),
        pace,
        hit: judged(true),
        missed: judged(false),
        turns: outcome.map_or_else(Vec::new, |outcome| outcome.turns.clone()),
        hits,
    }
}

impl Layer for Scene {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let at = moment.at;
        self.draw_bar(at, onto);
        self.draw_flash(at, onto);
        let seen = self.seen.at(at);
        // Those that come first lie over those that come later.
        for object in seen.iter().take(MOST_SEEN).rev().filter_map(|index| self.objects.get(*index)) {
            self.draw_object(object, at, onto);
        }
        for object in seen.iter().take(MOST_SEEN).filter_map(|index| self.objects.get(*index)) {
            self.draw_progress(object, at, onto);
        }
        self.draw_drum(at, onto);
        self.draw_dark(onto);
        self.draw_word(at, onto);
    }
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scene").field("objects", &self.objects.len()).finish_non_exhaustive()
    }
}
