//! Which keys are pressed and how often they were; at the right side.

use super::{
    kit::{DARK, Kit, LIVELY, Stamp, WHITE, fainter, plate, share},
    numbers::{Font, Side},
    timeline::Now,
};
use crate::{
    draw::{Image, Picture, Rgb, letters::Letters},
    osr::Mode,
    time::Micros,
};

/// How long a key's light stays after it was let go, in microseconds of the video.
const FADE: i64 = 120_000;
/// Keys that are shown at most.
const MOST_KEYS: usize = 20;

/// The keys.
pub(super) struct Keys {
    keys: Vec<Key>,
    idle: Stamp,
    font: Font,
    counts: bool,
    background: Option<(Stamp, (i32, i32))>,
}

struct Key {
    label: Stamp,
    lit: Stamp,
    /// Top left corner.
    at: (i32, i32),
    /// When it was pressed and let go, in order of time.
    presses: Vec<(Micros, Micros)>,
}

/// A key at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pressed {
    /// How often it was pressed so far.
    pub(super) count: usize,
    /// How bright it is, 255 while it is held.
    pub(super) light: u8,
}

/// The keys of a mode, by name and colour.
fn named(kit: &Kit<'_>) -> Vec<(String, Rgb)> {
    const FIRST: Rgb = [255, 190, 70];
    const SECOND: Rgb = [240, 98, 176];
    const CENTRE: Rgb = [235, 84, 60];
    const RIM: Rgb = [72, 150, 220];
    let stage = kit.stage;
    let highest = stage.play.presses.iter().map(|press| usize::from(press.key)).max().unwrap_or(0);
    let fixed = |names: [(&str, Rgb); 4]| names.map(|(name, rgb)| (name.to_owned(), rgb)).into();
    match stage.replay.mode {
        Mode::Standard | Mode::Catch => fixed([("K1", FIRST), ("K2", FIRST), ("M1", SECOND), ("M2", SECOND)]),
        Mode::Taiko => fixed([("KL", RIM), ("DL", CENTRE), ("DR", CENTRE), ("KR", RIM)]),
        Mode::Mania => {
            let columns = stage.map.map.circle_size.round().clamp(1.0, MOST_KEYS as f32) as usize;
            let count = columns.max(highest + 1).min(MOST_KEYS);
            (1..=count).map(|column| (column.to_string(), LIVELY)).collect()
        }
    }
}

impl Keys {
    /// Between two heights of the picture, in its middle where there is room.
    pub(super) fn new(kit: &Kit<'_>, (above, below): (i32, i32)) -> Self {
        let named = named(kit);
        let count = named.len() as i32;
        let gap = kit.px(4);
        let room = (below - above).min(kit.height * 11 / 20);
        let side = kit.px(40).min(room / count - gap).max(6);
        // What is too small for two lines has its count only.
        let is_small = side < kit.px(30) || side < 26;
        let legacy = legacy_key(kit, side);
        let ink = if legacy.is_some() { kit.stage.skin.config.input_overlay_text } else { WHITE };
        let font = Font::own("0123456789", (side * 3 / 10).max(6), ink, true);
        let idle = match &legacy {
            Some(image) => Stamp::plain(image),
            None => plate(side, side, side / 5, DARK, 165),
        };
        let x = kit.width - kit.margin() - side;
        let whole = (side + gap) * count - gap;
        let middle = (kit.height - whole) / 2;
        let top = middle.min(below - whole).max(above);
        let key = |(index, (name, rgb)): (usize, (String, Rgb))| {
            let height = (side * 26 / 100).max(6) as u32;
            let label = if is_small { String::new() } else { name };
            let label = Letters::BOLD.line(&label, height);
            let lit = match &legacy {
                Some(image) => Stamp::plain(&image.tinted(rgb)),
                None => plate(side, side, side / 5, rgb, 235),
            };
            let pressed = kit.stage.play.presses.iter().filter(|press| usize::from(press.key) == index);
            let mut presses: Vec<(Micros, Micros)> =
                pressed.map(|press| (press.from, press.to.max(press.from))).collect();
            presses.sort_unstable();
            let at = (x, top + index as i32 * (side + gap));
            Key { label: Stamp::lettered(&label, height, ink), lit, at, presses }
        };
        let keys = named.into_iter().enumerate().map(key).collect();
        let background = legacy_background(kit, whole + 2 * gap);
        let background = background.map(|image| {
            let at = (kit.width - image.width as i32, top - gap);
            (Stamp::plain(&image), at)
        });
        Self { keys, idle, font, counts: !is_small, background }
    }

    /// A key at a moment.
    pub(super) fn pressed(&self, key: usize, now: &Now<'_>) -> Pressed {
        let presses = self.keys.get(key).map_or(&[] as &[_], |key| &key.presses);
        let count = presses.partition_point(|(from, _)| *from <= now.at);
        let last = count.checked_sub(1).and_then(|last| presses.get(last));
        let light = match last {
            Some((_, to)) if *to > now.at => 255,
            Some((_, to)) => 255 - share(now.since(*to), 0, FADE),
            None => 0,
        };
        Pressed { count, light }
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        if let Some((background, (x, y))) = &self.background {
            background.draw(onto, *x, *y, now.opacity);
        }
        for (index, key) in self.keys.iter().enumerate() {
            let Pressed { count, light } = self.pressed(index, now);
            let (x, y) = key.at;
            let side = self.idle.width;
            self.idle.draw(onto, x, y, now.opacity);
            key.lit.draw(onto, x, y, fainter(now.opacity, light));
            let middle = x + side / 2;
            let counted = if self.counts {
                key.label.draw(onto, middle - key.label.width / 2, y + side * 17 / 100, now.opacity);
                y + side * 54 / 100
            } else {
                y + (side - self.font.height) / 2
            };
            self.font.write(onto, &count.to_string(), (middle, counted), Side::Middle, now.opacity, 0);
        }
    }
}

/// A legacy skin's key.
fn legacy_key(kit: &Kit<'_>, side: i32) -> Option<Image> {
    let image = kit.element("inputoverlay-key", 100)?;
    Some(image.resized(side as u32, side as u32))
}

/// What lies behind a legacy skin's keys: drawn for a row of them, turned to stand at the side.
fn legacy_background(kit: &Kit<'_>, length: i32) -> Option<Image> {
    legacy_key(kit, 1)?;
    let image = kit.element("inputoverlay-background", 100)?;
    let lying = image.resized(length.max(1) as u32, image.height);
    Some(Image::of(lying.height, lying.width, |x, y| {
        let index = (lying.height - 1 - x) as usize * lying.width as usize + y as usize;
        lying.pixels.get(index).copied().unwrap_or_default()
    }))
}
