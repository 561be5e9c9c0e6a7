//! The scene of osu!mania: a stage with a column for each key, on which notes fall to a line.
//!
//! Promises: what is drawn at a moment is found by binary search, and is at most [`MOST_NOTES`] notes in a column.

mod looks;

use contracts::replay::PlayOptions;

use self::looks::Look;
use super::{
    objects::Field,
    scroll::{Scroll, bar_lines},
};
use crate::{
    draw::{Blend, Image, Picture, Placement, Sprite},
    mods::bits,
    osr::Counts,
    play::{EventKind, Hit, Outcome},
    stage::{Layer, Moment, ONE, Stage},
    time::{Micros, Speed},
};

/// Notes that are drawn in a column at most.
pub const MOST_NOTES: usize = 600;
/// The line, in 480 units from the top.
const LINE: i32 = 392;
/// How long it takes a note to fall to the line at a speed of 1, in microseconds. Source: lazer's `DrawableManiaRuleset`.
const SLOWEST: i64 = 11_485_000;
/// How long a word is seen, in microseconds of the video.
const WORD: i64 = 500_000;
/// How long light stays after a key, and a flash after a hit.
const AFTERGLOW: i64 = 140_000;

/// One object as it is shown.
struct Shown {
    /// Where it begins and ends, as [`Scroll`] counts.
    from: i64,
    to: i64,
    hold: bool,
    /// Since when it is seen no more; a missed one falls on.
    gone: Micros,
    /// Since when it is pale.
    pale: Micros,
    /// When it is held.
    held: Vec<(Micros, Micros)>,
}

/// One column.
struct Column {
    /// Its left side, in pixels.
    left: i32,
    kind: usize,
    /// By where they begin.
    notes: Vec<Shown>,
    /// The farthest end of all notes up to each.
    ends: Vec<i64>,
    /// When its key went down and up.
    keys: Vec<(Micros, Micros)>,
    /// When something was hit.
    hits: Vec<Micros>,
}

/// Which part of the stage is hidden, by the mods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cover {
    None,
    /// Hidden: the lower part.
    Below,
    /// Fade In: the upper part.
    Above,
    /// Flashlight: all but the middle.
    Around,
}

/// Everything of osu!mania that is drawn between backdrop and HUD.
pub struct Scene {
    scroll: Scroll,
    columns: Vec<Column>,
    looks: Vec<Look>,
    bars: Vec<i64>,
    words: Vec<(Hit, Image)>,
    /// When a result was there.
    results: Vec<(Micros, Hit)>,
    digits: Vec<Sprite>,
    /// The combo from a moment on.
    combos: Vec<(Micros, u32)>,
    cover: Cover,
    speed: Speed,
    /// Left side and width of the stage, width of a column, in pixels.
    left: i32,
    width: i32,
    column: i32,
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
        let count = field.columns.max(1);
        let units = (430 / count as i32).min(46);
        let column = (units * unit / ONE).max(4).min(layout.width as i32 / count as i32 - 1).max(2);
        let width = column * count as i32;
        let left = (layout.width as i32 - width) / 2;
        let line = LINE * unit;
        let scroll = Scroll::new(&stage.map.map, line, fall(stage.options.play.clone(), stage.clock.speed));
        let mut columns: Vec<Column> = (0..count)
            .map(|index| Column {
                left: left + index as i32 * column,
                kind: looks::kind(index, count),
                notes: Vec::new(),
                ends: Vec::new(),
                keys: Vec::new(),
                hits: Vec::new(),
            })
            .collect();
        for (index, object) in field.objects.iter().enumerate() {
            let outcome = stage.play.objects.get(index).cloned().unwrap_or_default();
            if let Some(column) = columns.get_mut(object.column) {
                column.notes.push(shown(object, outcome, &scroll));
            }
        }
        for press in &stage.play.presses {
            if let Some(column) = columns.get_mut(usize::from(press.key)) {
                column.keys.push((press.from, press.to));
            }
        }
        let mut results = Vec::new();
        let mut combos = vec![(Micros::MIN, 0)];
        let mut counts = Counts::default();
        for event in &stage.play.events {
            combos.push((event.at, event.after.combo));
            let column = field.objects.get(event.object as usize).map_or(0, |object| object.column);
            let head = stage.play.objects.get(event.object as usize).and_then(|outcome| outcome.head);
            // A head has a word where it counts by itself.
            let counted = std::mem::replace(&mut counts, event.after.counts) != counts;
            let hit = match event.kind {
                EventKind::Result(hit) => Some(hit),
                EventKind::Head(_) if counted => head,
                _ => None,
            };
            if let Some(hit) = hit {
                results.push((event.at, hit));
            }
            if let Some(column) = columns.get_mut(column)
                && hit.map_or(event.kind == EventKind::Head(true), |hit| hit != Hit::Miss)
            {
                column.hits.push(event.at);
            }
        }
        for column in &mut columns {
            column.notes.sort_by_key(|note| note.from);
            column.ends = column
                .notes
                .iter()
                .scan(i64::MIN, |farthest, note| {
                    *farthest = note.to.max(*farthest);
                    Some(*farthest)
                })
                .collect();
        }
        let skin = stage.skin;
        let word_height = (17 * unit / ONE).max(6) as u32;
        let all = [Hit::Max, Hit::Great, Hit::Good, Hit::Ok, Hit::Meh, Hit::Miss];
        let bars = bar_lines(&stage.map.map, stage.span.1);
        Self {
            bars: bars.into_iter().map(|at| scroll.at(at)).collect(),
            scroll,
            columns,
            looks: (0..3).map(|kind| Look::new(kind, column as u32, unit, skin)).collect(),
            words: all
                .map(|hit| (hit, looks::word(hit, word_height, width.max(1) as u32 * 2, skin)))
                .to_vec(),
            results,
            digits: looks::digits((26 * unit / ONE).max(8) as u32),
            combos,
            cover: if stage.mods.has(bits::HIDDEN) {
                Cover::Below
            } else if stage.mods.has(bits::FADE_IN) {
                Cover::Above
            } else if stage.mods.has(bits::FLASHLIGHT) {
                Cover::Around
            } else {
                Cover::None
            },
            speed: stage.clock.speed,
            left,
            width,
            column,
            height: layout.height as i32,
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

    /// How opaque what lies at a height (in pixels) is.
    fn seen(&self, y: i32) -> u8 {
        let line = self.pixels(LINE).max(1);
        // In 1/1000 of the way from the top to the line.
        let down = i64::from(y.clamp(0, line)) * 1000 / i64::from(line);
        let fading = |from: i64, to: i64| ((down - from) * 255 / (to - from)).clamp(0, 255) as u8;
        match self.cover {
            Cover::None => 255,
            Cover::Below => 255 - fading(420, 620),
            Cover::Above => fading(330, 520),
            Cover::Around => fading(380, 480).min(255 - fading(760, 860)),
        }
    }

    fn draw_stage(&self, at: Micros, now: i64, onto: &mut Picture) {
        onto.rectangle(self.left, 0, (self.width, self.height), [10, 11, 17], 205);
        let thin = (self.unit / 256).max(1);
        for column in &self.columns {
            onto.rectangle(column.left, 0, (thin, self.height), [70, 74, 92], 90);
        }
        for edge in [self.left - 2 * thin, self.left + self.width] {
            onto.rectangle(edge, 0, (2 * thin, self.height), [150, 156, 178], 200);
        }
        let line = self.pixels(LINE);
        let first = self.bars.partition_point(|bar| *bar < now - (i64::from(self.height - line) << 8));
        for bar in self.bars.iter().skip(first).take(MOST_NOTES) {
            let y = line - ((bar - now) >> 8).clamp(-1 << 20, 1 << 20) as i32;
            if y < 0 {
                break;
            }
            if y <= line {
                onto.rectangle(self.left, y, (self.width, thin), [176, 182, 204], self.seen(y) / 3);
            }
        }
        onto.rectangle(self.left, line, (self.width, (2 * thin).max(2)), [236, 238, 248], 230);
        for column in &self.columns {
            let Some(look) = self.looks.get(column.kind) else { continue };
            let light = self.key_light(column, at);
            if light > 0 {
                onto.sprite(&look.light, column.left, line - look.light.height as i32, light);
            }
        }
    }

    /// How bright a column's light is.
    fn key_light(&self, column: &Column, at: Micros) -> u8 {
        let last = column.keys.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let Some((_, to)) = last.and_then(|index| column.keys.get(index)) else { return 0 };
        let since = self.since(*to, at);
        if since <= 0 { 255 } else { 255 - (since * 255 / AFTERGLOW).min(255) as u8 }
    }

    fn draw_notes(&self, column: &Column, at: Micros, now: i64, onto: &mut Picture) {
        let Some(look) = self.looks.get(column.kind) else { return };
        let line = self.pixels(LINE);
        let below = i64::from(self.height - line + 64) << 8;
        let above = i64::from(line + 64) << 8;
        let first = column.ends.partition_point(|end| *end < now - below);
        let notes = column.notes.iter().skip(first).take(MOST_NOTES);
        for note in notes.take_while(|note| note.from <= now + above) {
            if at >= note.gone {
                continue;
            }
            let y = |place: i64| line - ((place - now) >> 8).clamp(-1 << 20, 1 << 20) as i32;
            let pale = if at >= note.pale { 110 } else { 255 };
            let gap = (self.column - look.note.width as i32) / 2;
            let x = column.left + gap;
            if !note.hold {
                let y = y(note.from);
                let opacity = (u16::from(self.seen(y)) * pale / 255) as u8;
                onto.sprite(&look.note, x, y - look.note.height as i32, opacity);
                continue;
            }
            let held = note.held.iter().any(|(from, to)| (*from..*to).contains(&at));
            let bottom = if held { y(note.from).min(line) } else { y(note.from) };
            let top = y(note.to).min(bottom);
            self.draw_body(column, look, (top, bottom), (pale, held), onto);
            let opacity = |y: i32| (u16::from(self.seen(y)) * pale / 255) as u8;
            onto.sprite(&look.tail, x, top - look.tail.height as i32, opacity(top));
            onto.sprite(&look.head, x, bottom - look.head.height as i32, opacity(bottom));
        }
    }

    fn draw_body(
        &self,
        column: &Column,
        look: &Look,
        (top, bottom): (i32, i32),
        (pale, held): (u16, bool),
        onto: &mut Picture,
    ) {
        let margin = (self.column / 9).max(1);
        let (left, width) = (column.left + margin, self.column - 2 * margin);
        let strength = if held { 235 } else { 165 };
        let (top, bottom) = (top.max(-64), bottom.min(self.height + 64) - look.head.height as i32 / 2);
        // Under a cover the body fades in strips: of two rows, as the colours have them.
        let mut y = top;
        while y < bottom {
            let next = if self.cover == Cover::None { bottom } else { ((y | 1) + 1).min(bottom) };
            let opacity = u32::from(self.seen(y)) * strength * u32::from(pale) / 255 / 255;
            onto.rectangle(left, y, (width, next - y), look.colour, opacity as u8);
            y = next;
        }
    }

    fn draw_front(&self, at: Micros, onto: &mut Picture) {
        let line = self.pixels(LINE);
        let key_top = line + self.pixels(9);
        onto.rectangle(self.left, line + self.pixels(4), (self.width, self.height - line), [14, 15, 22], 235);
        for column in &self.columns {
            let Some(look) = self.looks.get(column.kind) else { continue };
            let middle = (column.left * 2 + self.column) * 128;
            let last = column.hits.partition_point(|hit| *hit <= at).checked_sub(1);
            if let Some(hit) = last.and_then(|index| column.hits.get(index)) {
                let since = self.since(*hit, at);
                if since < AFTERGLOW {
                    let opacity = 255 - since * 255 / AFTERGLOW;
                    onto.sprite_around(&look.burst, (middle, line * ONE), opacity as u8);
                }
            }
            let down = self.key_light(column, at) == 255;
            let [up, pressed] = &look.keys;
            let left = column.left + (self.column - up.width as i32) / 2;
            onto.sprite(if down { pressed } else { up }, left, key_top, 255);
        }
    }

    fn draw_words(&self, at: Micros, onto: &mut Picture) {
        let centre = self.left + self.width / 2;
        let combo = self.combos.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let combo = combo.and_then(|index| self.combos.get(index)).map_or(0, |(_, combo)| *combo);
        if combo > 1 {
            let text = combo.to_string();
            let digits: Vec<&Sprite> = text
                .bytes()
                .filter_map(|digit| self.digits.get(usize::from(digit.wrapping_sub(b'0'))))
                .collect();
            let overlap = self.pixels(3);
            let wide: i32 = digits.iter().map(|digit| digit.width as i32 - overlap).sum();
            let mut x = centre - wide / 2;
            for digit in digits {
                onto.sprite(digit, x, self.pixels(150), 235);
                x += digit.width as i32 - overlap;
            }
        }
        let last = self.results.partition_point(|(from, _)| *from <= at).checked_sub(1);
        let Some((from, hit)) = last.and_then(|index| self.results.get(index)) else { return };
        let since = self.since(*from, at);
        let Some((_, word)) = self.words.iter().find(|(of, _)| of == hit).filter(|_| since < WORD) else {
            return;
        };
        // It pops up larger, and fades at its end.
        let larger = (80_000 - since).max(0) * 13_000 / 80_000;
        let opacity = ((WORD - since) * 255 / 150_000).clamp(0, 255) as u8;
        onto.image(
            word,
            &Placement {
                at: (centre * ONE, self.pixels(236) * ONE),
                anchor: (word.width as i32 * 128, word.height as i32 * 128),
                scale: (65_536 + larger as i32, 65_536 + larger as i32),
                angle: 0,
                tint: [255; 3],
                opacity,
                blend: Blend::Over,
            },
        );
    }
}

/// How long it takes a note to fall to the line, in microseconds of the map.
fn fall(options: PlayOptions, speed: Speed) -> i64 {
    let video = SLOWEST / i64::from(options.mania_scroll_speed.clamp(1, 40));
    speed.on_map(video)
}

fn shown(object: &super::objects::Object, outcome: Outcome, scroll: &Scroll) -> Shown {
    let micros = |at: i32| crate::time::micros(f64::from(at));
    let missed = outcome.result.is_none_or(|hit| hit == Hit::Miss);
    // A held note pales when its head is missed, or when it is let go before its end.
    let head_missed = outcome.head == Some(Hit::Miss);
    let let_go = outcome.followed.iter().map(|(_, to)| *to).find(|to| *to < outcome.judged);
    let pale = if !object.is_hold() || (missed && let_go.is_none() && !head_missed) {
        outcome.judged
    } else if head_missed && outcome.followed.is_empty() {
        micros(object.start)
    } else {
        let_go.unwrap_or(Micros::MAX)
    };
    Shown {
        from: scroll.at(micros(object.start)),
        to: scroll.at(micros(object.end)),
        hold: object.is_hold(),
        gone: if missed { Micros::MAX } else { outcome.judged },
        pale,
        held: outcome.followed,
    }
}

impl Layer for Scene {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let now = self.scroll.at(moment.at);
        self.draw_stage(moment.at, now, onto);
        for column in &self.columns {
            self.draw_notes(column, moment.at, now, onto);
        }
        self.draw_front(moment.at, onto);
        self.draw_words(moment.at, onto);
    }
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scene").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}
