//! What a map may ask for: checked on its lines before anything is made of them, and on what was made of them before anything
//! is placed, judged or drawn.
//!
//! Promises: a map that passes takes no more memory and time, then and later, than a few times that of the largest maps that
//! people play; a map that does not is refused with the reason. Nothing that is played as usual comes near these bounds.

use rosu_map::section::{
    Section,
    hit_objects::{CurveBuffers, HitObject, HitObjectKind, HitObjectType},
};

use super::{Mode, corrupt};
use crate::{
    error::{About, ReplayError},
    limits::Limits,
};

/// Lines of timing points. Maps that scroll by them have tens of thousands.
const TIMING_POINTS: usize = 100_000;

/// Lines of timing points that stand behind a later one: each of them moves all others.
const TIMING_POINTS_ASTRAY: usize = 500;

/// Lines of colours: each looks for its name among all others.
const COLOURS: usize = 1000;

/// Breaks.
const BREAKS: usize = 10_000;

/// Ends of all sliders' spans: each has sounds of its own.
const SLIDER_NODES: u64 = 200_000;

/// Points of all sliders' paths, once they are lines.
const PATH_POINTS: u64 = 8_000_000;

/// Steps of reckoning all sliders' paths: those of a Bézier curve grow with the square of its control points.
const PATH_STEPS: u64 = 1_000_000_000;

/// Ticks and repeats of all sliders; ticks of all drum rolls.
const PARTS: f64 = 500_000.0;

/// The furthest that a time may be from 0, in milliseconds: twelve hours.
const TIME: f64 = 43_200_000.0;

/// How long all objects that last may last together, in milliseconds.
const HELD: f64 = 20.0 * TIME;

/// Objects that may begin within a second.
const BEGIN_AT_ONCE: usize = 3000;

/// Objects that may last at the same time.
const LAST_AT_ONCE: usize = 1000;

/// Checks a map's lines.
pub fn check_text(text: &str, limits: &Limits) -> Result<(), ReplayError> {
    let mut section = None;
    let (mut objects, mut timing, mut astray, mut colours) = (0, 0, 0, 0);
    let mut latest = f64::NEG_INFINITY;
    let mut sliders = Sliders::default();
    for line in text.split('\n').map(str::trim_end) {
        if line.is_empty() {
            continue;
        }
        if let Some(next) = Section::try_from_line(line) {
            section = Some(next);
            continue;
        }
        match section {
            Some(Section::HitObjects) => {
                objects += 1;
                if objects > limits.objects {
                    return Err(ReplayError::TooLong {
                        about: About::Map,
                        what: "the map".to_owned(),
                        length: "more".to_owned(),
                        limit: format!("{} objects", limits.objects),
                    });
                }
                sliders.add(line)?;
            }
            Some(Section::TimingPoints) => {
                timing += 1;
                let time = line.split(',').next().and_then(|time| time.trim().parse().ok());
                let time: f64 = time.unwrap_or(latest);
                astray += usize::from(time < latest);
                latest = latest.max(time);
                if timing > TIMING_POINTS || astray > TIMING_POINTS_ASTRAY {
                    return Err(corrupt("it has too many timing points, or too many out of order"));
                }
            }
            Some(Section::Colors) => {
                colours += 1;
                if colours > COLOURS {
                    return Err(corrupt("it has too many colours"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What all sliders ask for.
#[derive(Default)]
struct Sliders {
    nodes: u64,
    points: u64,
    steps: u64,
}

impl Sliders {
    /// Adds an object's line, where it is a slider. What cannot be read is no object, and asks for nothing.
    fn add(&mut self, line: &str) -> Result<(), ReplayError> {
        let mut fields = line.split(',');
        let (x, y) = (fields.next(), fields.next());
        let kind: i32 = fields.nth(1).and_then(|kind| kind.trim().parse().ok()).unwrap_or(0);
        if kind & HitObjectType::CIRCLE != 0 || kind & HitObjectType::SLIDER == 0 {
            return Ok(());
        }
        let (Some(path), Some(repeats)) = (fields.nth(1), fields.next()) else { return Ok(()) };
        // More repeats than these make no slider.
        self.nodes += repeats.trim().parse().unwrap_or(0_u64).min(9000) + 2;
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0);
        self.add_path(path, (number(x), number(y)));
        if self.nodes > SLIDER_NODES {
            return Err(corrupt("its sliders turn too often"));
        }
        if self.points > PATH_POINTS || self.steps > PATH_STEPS {
            return Err(corrupt("its sliders have too intricate paths"));
        }
        Ok(())
    }

    fn add_path(&mut self, path: &str, head: (f64, f64)) {
        let mut segment = vec![head];
        let mut kind = 'C';
        for token in path.split('|') {
            if let Some(letter) = token.chars().next().filter(char::is_ascii_alphabetic) {
                self.add_segment(kind, &segment);
                segment.drain(..segment.len().saturating_sub(1));
                kind = letter;
                continue;
            }
            let mut numbers = token.split(':').map(|number| number.trim().parse::<f64>());
            let (Some(Ok(x)), Some(Ok(y))) = (numbers.next(), numbers.next()) else { continue };
            // A point that is there twice begins a new segment.
            if segment.last() == Some(&(x, y)) {
                self.add_segment(kind, &segment);
                segment.clear();
            }
            segment.push((x, y));
        }
        self.add_segment(kind, &segment);
    }

    fn add_segment(&mut self, kind: char, points: &[(f64, f64)]) {
        let count = points.len() as u64;
        let (lines, steps) = match kind {
            'L' => (count, count),
            'P' if count == 3 => (1000, 1000),
            'B' | 'P' => {
                // Halving a curve quarters how much it bends from point to point; it is straight where that is half a pixel.
                let bends = points.windows(3).filter_map(|points| {
                    let [a, b, c] = points else { return None };
                    Some((a.0 - 2.0 * b.0 + c.0).hypot(a.1 - 2.0 * b.1 + c.1))
                });
                let bend = bends.fold(0.0, f64::max).min(1e6);
                let halves = (2.0 * (bend / 0.5).sqrt()).max(1.0).ceil() as u64;
                (halves.saturating_mul(count), halves.saturating_mul(2 * count).saturating_mul(count))
            }
            _ => (count.saturating_mul(100), count.saturating_mul(100)),
        };
        self.points = self.points.saturating_add(lines);
        self.steps = self.steps.saturating_add(steps);
    }
}

/// Checks what was made of a map, and brings what only describes it within bounds.
pub fn check_map(map: &mut rosu_map::Beatmap, mode: Mode) -> Result<(), ReplayError> {
    if map.hit_objects.is_empty() {
        return Err(corrupt("it holds nothing to play"));
    }
    if map.breaks.len() > BREAKS {
        return Err(corrupt("it has too many breaks"));
    }
    for text in [
        &mut map.title,
        &mut map.title_unicode,
        &mut map.artist,
        &mut map.artist_unicode,
        &mut map.creator,
        &mut map.version,
        &mut map.source,
        &mut map.tags,
        &mut map.audio_file,
        &mut map.background_file,
    ] {
        if text.len() > 255 || text.contains(char::is_control) {
            *text = text.chars().filter(|letter| !letter.is_control()).take(255).collect();
        }
    }
    // As the game restricts them; in mania the size is the number of keys.
    let most_keys = if mode == Mode::Mania { 18.0 } else { 10.0 };
    map.circle_size = map.circle_size.clamp(if mode == Mode::Mania { 1.0 } else { 0.0 }, most_keys);
    for value in [&mut map.approach_rate, &mut map.overall_difficulty, &mut map.hp_drain_rate] {
        *value = value.clamp(0.0, 10.0);
    }
    map.stack_leniency = map.stack_leniency.clamp(0.0, 1.0);
    map.custom_combo_colors.truncate(8);
    check_objects(map, mode)
}

fn check_objects(map: &mut rosu_map::Beatmap, mode: Mode) -> Result<(), ReplayError> {
    let mut buffers = CurveBuffers::default();
    let (mut held, mut parts) = (0.0, 0.0);
    let mut spans = Vec::with_capacity(map.hit_objects.len());
    let mut objects = std::mem::take(&mut map.hit_objects);
    for object in &mut objects {
        let (start, end) = (object.start_time, object.end_time_with_bufs(&mut buffers));
        let within = |time: f64| time.abs() <= TIME;
        if !within(start) || !within(end) {
            return Err(corrupt("an object of it begins or ends beyond twelve hours"));
        }
        held += end - start;
        parts += part_count(map, mode, object, &mut buffers);
        spans.push((start, end));
    }
    map.hit_objects = objects;
    if held > HELD {
        return Err(corrupt("its objects last too long together"));
    }
    if parts > PARTS {
        return Err(corrupt("its sliders have too many ticks"));
    }
    check_crowding(&spans)
}

/// How many ticks and repeats an object has, at most.
fn part_count(
    map: &rosu_map::Beatmap,
    mode: Mode,
    object: &mut HitObject,
    buffers: &mut CurveBuffers,
) -> f64 {
    let start = object.start_time;
    let HitObjectKind::Slider(slider) = &mut object.kind else { return 0.0 };
    let beat = map.control_points.timing_point_at(start).map_or(1000.0, |point| point.beat_len);
    if mode == Mode::Taiko {
        return slider.duration_with_bufs(buffers) / (beat / 8.0).max(1.0);
    }
    let point = map.control_points.difficulty_point_at(start);
    let velocity = point.map_or(1.0, |point| point.slider_velocity);
    // In old maps ticks do not follow the slider's velocity.
    let velocity = if map.format_version < 8 { velocity.min(1.0) } else { velocity };
    let between = 100.0 * map.slider_multiplier * velocity / map.slider_tick_rate;
    let ticks = slider.path.curve_with_bufs(buffers).dist() / between.max(0.1);
    f64::from(slider.span_count()) * (ticks + 1.0)
}

/// `spans`: of each object, when it begins and ends, by when it begins.
fn check_crowding(spans: &[(f64, f64)]) -> Result<(), ReplayError> {
    let starts = || spans.iter().map(|(start, _)| *start);
    for (first, last) in starts().zip(starts().skip(BEGIN_AT_ONCE)) {
        if last - first < 1000.0 {
            return Err(corrupt("too many objects of it begin within a second"));
        }
    }
    let mut ends: Vec<f64> = spans.iter().map(|(_, end)| *end).collect();
    ends.sort_unstable_by(f64::total_cmp);
    let mut over = 0;
    for (begun, start) in starts().enumerate() {
        while ends.get(over).is_some_and(|end| *end <= start) {
            over += 1;
        }
        if begun + 1 > over + LAST_AT_ONCE {
            return Err(corrupt("too many objects of it last at the same time"));
        }
    }
    Ok(())
}
