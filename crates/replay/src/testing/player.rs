//! Plays maps by itself: writes a replay whose header is counted from what the player was told to do.
//!
//! Without instructions the play is perfect: the cursor is on each object at its time, keys alternate, sliders are followed,
//! spinners spun. It is told by object what to do otherwise. Objects that follow one that is skipped, or pressed early or late,
//! have to be further away in time than the widest hit window, and no two may be played at once (but chords of osu!mania):
//! the maps of [`super::maps`] are so. Scores, and the combos of osu!mania's held notes, are not counted and stay 0.

use std::collections::{BTreeMap, BTreeSet};

use rosu_map::section::hit_objects::{HitObjectKind, HitObjectSlider, SliderEventType, SliderEventsIter};

use super::cursor::{Cursor, Hold};
use crate::{
    beatmap::{Beatmap, md5},
    error::ReplayError,
    limits::Limits,
    mods::bits,
    osr::{Counts, FIRST_LAZER, Frame, Lazer, Mode, Replay, keys},
    play::Hit,
};

/// What to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Press so many milliseconds late (early, where negative), and do the rest well.
    Press(i32),
    /// Do not press; do not follow, do not spin.
    Skip,
    /// Sliders: press in time, but let go at once.
    LetGo,
}

/// How a map is played.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What is done with an object, by its index; the others are played perfectly.
    pub acts: BTreeMap<usize, Act>,
    /// Stable's mods. Hard Rock turns the field over; Easy and Hard Rock change the windows.
    pub mods: u32,
    /// Recorded by lazer, without Classic, instead of by stable.
    pub lazer: bool,
}

impl Plan {
    /// Perfect but for these objects.
    #[must_use]
    pub fn with(acts: &[(usize, Act)]) -> Self {
        Self { acts: acts.iter().copied().collect(), ..Self::default() }
    }
}

/// Plays a map.
///
/// # Errors
/// What is no map, and osu!catch.
pub fn play(map: &[u8], plan: &Plan) -> Result<Replay, ReplayError> {
    let mut beatmap = Beatmap::read(map, &Limits::default())?;
    let mut score = Score::new(plan, &beatmap);
    let frames = match beatmap.mode {
        Mode::Standard => standard(&mut beatmap, plan, &mut score),
        Mode::Taiko => taiko(&beatmap, plan, &mut score),
        Mode::Mania => mania(&beatmap, plan, &mut score),
        Mode::Catch => return Err(ReplayError::ModeUnsupported { mode: Mode::Catch.name().to_owned() }),
    };
    let last = frames.last().map_or(0, |frame| frame.at);
    let mods = plan.mods;
    Ok(Replay {
        mode: beatmap.mode,
        version: if plan.lazer { FIRST_LAZER + 15 } else { 20_200_427 },
        map_md5: md5(map),
        player: "Player".to_owned(),
        counts: score.counts,
        score: 0,
        max_combo: score.max_combo,
        perfect: score.unbroken,
        mods,
        life: (0..=last / 2000).map(|step| (step * 2000, 1.0)).collect(),
        played_at: 637_000_000_000_000_000,
        frames,
        seed: Some(0),
        online_id: 0,
        lazer: plan.lazer.then(|| score.lazer(mods)),
    })
}

/// Half widths of the windows for 300, 100 and 50 (taiko: 300, 100, and what is judged at all), in milliseconds.
fn windows(mode: Mode, mods: u32, map: &rosu_map::Beatmap) -> [i32; 3] {
    let factor = if mods & bits::HARD_ROCK != 0 {
        1.4
    } else if mods & bits::EASY != 0 {
        0.5
    } else {
        1.0
    };
    let od = (f64::from(map.overall_difficulty) * factor).min(10.0);
    let range = |easy: f64, middle: f64, hard: f64| {
        let far = if od > 5.0 { hard - middle } else { middle - easy };
        (middle + far * (od - 5.0) / 5.0).floor() as i32
    };
    match mode {
        Mode::Taiko => [range(50.0, 35.0, 20.0), range(120.0, 80.0, 50.0), range(135.0, 95.0, 70.0)],
        _ => [range(80.0, 50.0, 20.0), range(140.0, 100.0, 60.0), range(200.0, 150.0, 100.0)],
    }
}

/// Counts a header.
struct Score {
    mode: Mode,
    lazer: bool,
    windows: [i32; 3],
    counts: Counts,
    combo: u32,
    max_combo: u32,
    unbroken: bool,
    /// The worst result of the colour's combo so far; none before its first.
    worst: Option<Hit>,
    statistics: BTreeMap<&'static str, u32>,
    maximum: BTreeMap<&'static str, u32>,
}

impl Score {
    fn new(plan: &Plan, map: &Beatmap) -> Self {
        Self {
            mode: map.mode,
            lazer: plan.lazer,
            windows: windows(map.mode, plan.mods, &map.map),
            counts: Counts::default(),
            combo: 0,
            max_combo: 0,
            unbroken: true,
            worst: None,
            statistics: BTreeMap::new(),
            maximum: BTreeMap::new(),
        }
    }

    /// What a press that is so far off gets; stable's windows do not hold their edge, nor do lazer's at whole milliseconds.
    fn result(&self, off: i32) -> Hit {
        let off = off.abs();
        let [great, ok, meh] = self.windows;
        if off < great {
            Hit::Great
        } else if off < ok {
            Hit::Ok
        } else if off < meh && self.mode == Mode::Standard {
            Hit::Meh
        } else {
            Hit::Miss
        }
    }

    fn count(&mut self, hit: Hit) {
        let (count, name) = match hit {
            Hit::Max => (&mut self.counts.geki, "perfect"),
            Hit::Great => (&mut self.counts.n300, "great"),
            Hit::Good => (&mut self.counts.katu, "good"),
            Hit::Ok => (&mut self.counts.n100, "ok"),
            Hit::Meh => (&mut self.counts.n50, "meh"),
            Hit::Miss => (&mut self.counts.miss, "miss"),
        };
        *count += 1;
        *self.statistics.entry(name).or_default() += 1;
        self.worst = self.worst.max(Some(hit));
    }

    /// Counts what only lazer counts.
    fn tell(&mut self, got: &'static str, best: &'static str) {
        *self.statistics.entry(got).or_default() += 1;
        *self.maximum.entry(best).or_default() += 1;
    }

    fn add_combo(&mut self, parts: u32) {
        self.combo += parts;
        self.max_combo = self.max_combo.max(self.combo);
    }

    fn break_combo(&mut self) {
        self.combo = 0;
        self.unbroken = false;
    }

    fn hit_or_miss(&mut self, hit: Hit) {
        if hit == Hit::Miss {
            self.break_combo()
        } else {
            self.add_combo(1)
        }
        self.count(hit);
    }

    /// Geki and katu, at the last object of a colour's combo.
    fn end_colour(&mut self) {
        match self.worst.take() {
            Some(Hit::Great) => self.counts.geki += 1,
            Some(Hit::Ok) => self.counts.katu += 1,
            _ => {}
        }
    }

    fn lazer(mut self, mods: u32) -> Lazer {
        let best = if self.mode == Mode::Mania { "perfect" } else { "great" };
        let judged = ["perfect", "great", "good", "ok", "meh", "miss"];
        let results = judged.iter().filter_map(|name| self.statistics.get(name)).sum();
        self.maximum.insert(best, results);
        let names = crate::mods::Mods::stable(mods).map(|mods| mods.names).unwrap_or_default();
        let mods: Vec<_> = names.iter().map(|name| serde_json::json!({ "acronym": name })).collect();
        Lazer {
            json: serde_json::json!({
                "online_id": -1,
                "mods": mods,
                "statistics": self.statistics,
                "maximum_statistics": self.maximum,
                "client_version": "2025.101.0",
                "rank": if self.unbroken { "S" } else { "A" },
                "user_id": 1,
                "total_score_without_mods": 0,
            }),
        }
    }
}

/// When a slider's ticks, repeats and end are, in milliseconds.
fn parts(map: &rosu_map::Beatmap, slider: &mut HitObjectSlider, start: f64) -> Vec<(SliderEventType, i32)> {
    let velocity = map.control_points.difficulty_point_at(start).map_or(1.0, |point| point.slider_velocity);
    let tick = 100.0 * map.slider_multiplier * velocity / map.slider_tick_rate;
    let span = slider.duration() / f64::from(slider.span_count());
    let length = slider.path.curve().dist();
    let mut ticks = Vec::new();
    let events =
        SliderEventsIter::new(start, span, slider.velocity, tick, length, slider.span_count(), &mut ticks);
    events
        .filter(|event| !matches!(event.kind, SliderEventType::Head | SliderEventType::LastTick))
        .map(|event| (event.kind, event.time as i32))
        .collect()
}

fn standard(beatmap: &mut Beatmap, plan: &Plan, score: &mut Score) -> Vec<Frame> {
    let map = beatmap.map.clone();
    let turned = plan.mods & bits::HARD_ROCK != 0;
    let flip = move |y: f32| if turned { 384.0 - y } else { y };
    let objects = &mut beatmap.map.hit_objects;
    let starts: Vec<(i32, bool)> =
        objects.iter().map(|object| (object.start_time as i32, object.new_combo())).collect();
    let mut cursor = Cursor::default();
    let mut pressed = 0;
    for (index, object) in objects.iter_mut().enumerate() {
        let start = object.start_time as i32;
        let next = starts.get(index + 1);
        // A key is up again before the other one goes down.
        let until = next.map_or(i32::MAX, |(next, _)| start + (next - start) / 2);
        let act = plan.acts.get(&index).copied().unwrap_or(Act::Press(0));
        let key = if pressed % 2 == 0 { keys::M1 | keys::K1 } else { keys::M2 | keys::K2 };
        pressed += usize::from(act != Act::Skip);
        let off = if let Act::Press(off) = act { off } else { 0 };
        let down = start + off;
        match &mut object.kind {
            HitObjectKind::Circle(circle) => {
                let hit = if act == Act::Skip { Hit::Miss } else { score.result(off) };
                score.hit_or_miss(hit);
                if act != Act::Skip {
                    let place = (circle.pos.x, flip(circle.pos.y));
                    cursor.holds.push(Hold::still(place, down, (down + 40).min(until.max(down + 1)), key));
                }
            }
            HitObjectKind::Slider(slider) => {
                let parts = parts(&map, slider, object.start_time);
                slider_score(score, act, off, &parts);
                let end = parts.last().map_or(start, |(_, at)| *at);
                let (head, duration) = (slider.pos, slider.duration());
                let spans = f64::from(slider.span_count());
                let curve = slider.path.curve().clone();
                let along = move |at: i32| {
                    let done = (f64::from(at - start) / duration * spans).clamp(0.0, spans);
                    let share = done % 2.0;
                    let place = curve.position_at(if share > 1.0 { 2.0 - share } else { share });
                    (head.x + place.x, flip(head.y + place.y))
                };
                let to = match act {
                    Act::Press(_) => Some(end + next.map_or(20, |(next, _)| (next - end) / 2).clamp(0, 20)),
                    Act::LetGo => Some(down + 20),
                    Act::Skip => None,
                };
                if let Some(to) = to {
                    let mut hold = Hold::moving(Box::new(along), down, to, key);
                    hold.also = parts.iter().map(|(_, at)| *at).filter(|at| *at < to).collect();
                    cursor.holds.push(hold);
                }
            }
            HitObjectKind::Spinner(spinner) => {
                score.hit_or_miss(if act == Act::Skip { Hit::Miss } else { Hit::Great });
                if act != Act::Skip {
                    // 0.05 radians in a millisecond, or 477 turns in a minute, is the most that the game counts.
                    let turn = move |at: i32| {
                        let angle = f64::from(at - start) * 0.05;
                        ((256.0 + 100.0 * angle.cos()) as f32, (192.0 + 100.0 * angle.sin()) as f32)
                    };
                    let end = start + spinner.duration as i32;
                    cursor.holds.push(Hold::moving(Box::new(turn), start, end, key));
                }
            }
            HitObjectKind::Hold(_) => {}
        }
        if !plan.lazer && next.is_none_or(|(_, new_combo)| *new_combo) {
            score.end_colour();
        }
    }
    cursor.frames()
}

/// Counts a slider: stable's by its parts, lazer's by its head.
fn slider_score(score: &mut Score, act: Act, off: i32, parts: &[(SliderEventType, i32)]) {
    let head = match act {
        Act::Skip => Hit::Miss,
        _ if score.result(off) == Hit::Miss => Hit::Miss,
        _ => score.result(off),
    };
    if head == Hit::Miss {
        score.break_combo()
    } else {
        score.add_combo(1)
    }
    let followed = matches!(act, Act::Press(_));
    let mut caught = u32::from(head != Hit::Miss);
    for (kind, _) in parts {
        let tail = *kind == SliderEventType::Tail;
        if followed {
            score.add_combo(1);
            caught += 1;
        } else if !tail {
            score.break_combo();
        }
        match (tail, followed) {
            (true, true) => score.tell("slider_tail_hit", "slider_tail_hit"),
            (true, false) => score.tell("ignore_miss", "slider_tail_hit"),
            (false, true) => score.tell("large_tick_hit", "large_tick_hit"),
            (false, false) => score.tell("large_tick_miss", "large_tick_hit"),
        }
    }
    let all = parts.len() as u32 + 1;
    let result = if score.lazer {
        score.tell(if caught > 0 { "ignore_hit" } else { "ignore_miss" }, "ignore_hit");
        head
    } else if caught == all {
        Hit::Great
    } else if caught * 2 >= all {
        Hit::Ok
    } else if caught > 0 {
        Hit::Meh
    } else {
        Hit::Miss
    };
    score.count(result);
}

/// osu!taiko: `M1` and `K1` are the centre, `M2` and `K2` the rim; both of a kind for a big note.
fn taiko(beatmap: &Beatmap, plan: &Plan, score: &mut Score) -> Vec<Frame> {
    use rosu_map::section::hit_objects::hit_samples::HitSampleInfo;
    let (left, right) = ([keys::M1, keys::M2], [keys::K1, keys::K2]);
    let mut presses: Vec<(i32, i32, u32)> = Vec::new();
    let mut pressed = 0;
    for (index, object) in beatmap.map.hit_objects.iter().enumerate() {
        let start = object.start_time as i32;
        let act = plan.acts.get(&index).copied().unwrap_or(Act::Press(0));
        let off = if let Act::Press(off) = act { off } else { 0 };
        match &object.kind {
            HitObjectKind::Circle(_) => {
                let has = |name: &_| object.samples.iter().any(|sample| sample.name == *name);
                let rim = has(&HitSampleInfo::HIT_WHISTLE) || has(&HitSampleInfo::HIT_CLAP);
                let big = has(&HitSampleInfo::HIT_FINISH);
                let hit = if act == Act::Skip { Hit::Miss } else { score.result(off) };
                score.hit_or_miss(hit);
                match (big, hit) {
                    (true, Hit::Great) => score.counts.geki += 1,
                    (true, Hit::Ok) => score.counts.katu += 1,
                    _ => {}
                }
                if act == Act::Skip {
                    continue;
                }
                let (left, right) = (left[usize::from(rim)], right[usize::from(rim)]);
                let key = match (big, pressed % 2) {
                    (true, _) => left | right,
                    (false, 0) => left,
                    (false, _) => right,
                };
                pressed += 1;
                presses.push((start + off, start + off + 40, key.into()));
            }
            HitObjectKind::Spinner(spinner) if act != Act::Skip => {
                // Centre and rim by turns, 20 a second: more than any swell asks for.
                for (count, at) in (start..start + spinner.duration as i32).step_by(50).enumerate() {
                    presses.push((at, at + 25, if count % 2 == 0 { keys::M1 } else { keys::M2 }.into()));
                }
            }
            // Ticks of a roll are a matter of score alone.
            _ => {}
        }
    }
    key_frames(&presses, |held| Frame { at: 0, x: 320.0, y: 9999.0, keys: held as u8 })
}

fn mania(beatmap: &Beatmap, plan: &Plan, score: &mut Score) -> Vec<Frame> {
    let columns = beatmap.map.circle_size.round().clamp(1.0, 18.0);
    // Stable's widths for 300, 200, 100 and 50 without mods; MAX is 16 at any difficulty.
    let od = beatmap.map.overall_difficulty;
    let wide = |at_zero: f32| (at_zero - 3.0 * od).floor() as i32;
    let limits = [16, wide(64.0), wide(97.0), wide(127.0), wide(151.0)];
    let results = [Hit::Max, Hit::Great, Hit::Good, Hit::Ok, Hit::Meh];
    let holds = beatmap.map.hit_objects.iter().any(|object| matches!(object.kind, HitObjectKind::Hold(_)));
    let mut presses: Vec<(i32, i32, u32)> = Vec::new();
    for (index, object) in beatmap.map.hit_objects.iter().enumerate() {
        let start = object.start_time as i32;
        let act = plan.acts.get(&index).copied().unwrap_or(Act::Press(0));
        let off = if let Act::Press(off) = act { off } else { 0 };
        let (x, length) = match &object.kind {
            HitObjectKind::Circle(circle) => (circle.pos.x, 50),
            HitObjectKind::Hold(hold) => (hold.pos_x, hold.duration as i32 - off),
            _ => continue,
        };
        let within = limits.iter().position(|limit| off.abs() <= *limit);
        // Stable knows no late 50, and misses what comes as late as the window for 100 ends.
        let late = !plan.lazer && off >= wide(127.0);
        let hit = match within.and_then(|index| results.get(index)) {
            Some(hit) if act != Act::Skip && !late => *hit,
            _ => Hit::Miss,
        };
        score.hit_or_miss(hit);
        if plan.lazer && matches!(object.kind, HitObjectKind::Hold(_)) {
            // The tail has a result of its own.
            score.hit_or_miss(if hit == Hit::Miss { Hit::Miss } else { Hit::Max });
        }
        if act != Act::Skip {
            let column = (x * columns / 512.0).floor().clamp(0.0, columns - 1.0) as u32;
            presses.push((start + off, start + off + length, 1 << column));
        }
    }
    if holds {
        score.max_combo = 0;
    }
    key_frames(&presses, |held| Frame { at: 0, x: held as f32, y: 0.0, keys: 0 })
}

/// A frame for each moment at which something goes down or up.
fn key_frames(presses: &[(i32, i32, u32)], frame: impl Fn(u32) -> Frame) -> Vec<Frame> {
    let times: BTreeSet<i32> = presses.iter().flat_map(|(down, up, _)| [*down, *up]).collect();
    let held = |at: i32| {
        let down = presses.iter().filter(|(down, up, _)| (*down..*up).contains(&at));
        down.fold(0, |held, (_, _, key)| held | key)
    };
    std::iter::once(0).chain(times).map(|at| Frame { at, ..frame(held(at)) }).collect()
}
