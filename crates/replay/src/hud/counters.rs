//! Numbers: score, combo, accuracy with its grade, pp, and how many results of each kind there were.

use super::{
    kit::{self, Kit, PALE, Stamp, WHITE, fainter, plate, share},
    numbers::{Font, Side, hundredths, with_height},
    rank::{Grade, Grading},
    timeline::{Now, Reading},
};
use crate::{draw::Picture, osr::Mode, play::Hit};

/// How long the combo is larger after it grew, in microseconds of the video.
const POP: i64 = 160_000;
/// How long a combo that broke falls off, in microseconds of the video.
const FALL: i64 = 450_000;
/// A combo from here on is seen to break.
const WORTH_SEEING: u32 = 20;
/// Sizes of the combo while it pops, in percent; the first is at rest.
const POPS: [i64; 4] = [100, 105, 110, 116];
/// Digits of the score, at least.
const SCORE_DIGITS: usize = 8;

/// The score, at the right of the top.
pub(super) struct Score {
    font: Font,
    at: (i32, i32),
}

impl Score {
    pub(super) fn new(kit: &Kit<'_>) -> Self {
        let config = &kit.stage.skin.config;
        let font = Font::legacy(kit, &config.score_prefix, config.score_overlap, 96)
            .unwrap_or_else(|| Font::own("0123456789", kit.px(38), WHITE, true));
        Self { font, at: (kit.width - kit.margin(), kit.margin()) }
    }

    /// Where the next thing below it begins.
    pub(super) fn bottom(&self) -> i32 {
        self.at.1 + self.font.height
    }

    /// Its digits, and how many of them only fill it up.
    pub(super) fn digits(score: i64) -> (String, usize) {
        let text = format!("{:0width$}", score.max(0), width = SCORE_DIGITS);
        let filling = text.len() - text.trim_start_matches('0').len();
        let filling = filling.min(text.len() - 1);
        (text, filling)
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let (text, filling) = Self::digits(now.reading.score);
        self.font.write(onto, &text, self.at, Side::Right, now.opacity, filling);
    }
}

/// Accuracy and grade, below the score.
pub(super) struct Accuracy {
    font: Font,
    grades: Vec<(Grade, Stamp)>,
    /// The right side of the number, and its top.
    at: (i32, i32),
    /// The right side of the grade.
    grade_right: i32,
}

impl Accuracy {
    pub(super) fn new(kit: &Kit<'_>, top: i32) -> Self {
        let config = &kit.stage.skin.config;
        let font = Font::legacy(kit, &config.score_prefix, config.score_overlap, 58)
            .unwrap_or_else(|| Font::own("0123456789.%", kit.px(22), WHITE, true));
        let right = kit.width - kit.margin();
        let silver = Grading::of(kit.stage).silver;
        let grade_right = right - font.width("100.00%") - kit.px(12);
        let grades = Grade::ALL.map(|grade| {
            let small = format!("{}-small", grade.element(silver));
            let stamp = match kit.element(&small, 100) {
                Some(image) => Stamp::plain(&with_height(&image, font.height)),
                None => {
                    let face = crate::draw::letters::Letters::BOLD;
                    let image = face.line(grade.name(), font.height as u32).tinted(grade.colour(silver));
                    Stamp::shaded(&image, font.height as u32)
                }
            };
            (grade, stamp)
        });
        Self { font, grades: grades.into(), at: (right, top), grade_right }
    }

    pub(super) fn bottom(&self) -> i32 {
        self.at.1 + self.font.height
    }

    pub(super) fn digits(accuracy: u32) -> String {
        hundredths(u64::from(accuracy / 100)) + "%"
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let text = Self::digits(now.reading.accuracy);
        self.font.write(onto, &text, self.at, Side::Right, now.opacity, 0);
        if let Some((_, stamp)) = self.grades.iter().find(|(grade, _)| *grade == now.reading.grade) {
            stamp.draw(onto, self.grade_right - stamp.width, self.at.1, now.opacity);
        }
    }
}

/// The combo, at the left of the bottom.
pub(super) struct Combo {
    fonts: Vec<Font>,
    /// Left side and bottom.
    at: (i32, i32),
}

impl Combo {
    pub(super) fn new(kit: &Kit<'_>) -> Self {
        let config = &kit.stage.skin.config;
        let font = |percent: i64| {
            Font::legacy(kit, &config.combo_prefix, config.combo_overlap, 128 * percent / 100)
                .unwrap_or_else(|| Font::own("0123456789x", kit.px(50) * percent as i32 / 100, WHITE, true))
        };
        Self { fonts: POPS.map(font).into(), at: (kit.margin(), kit.height - kit.margin()) }
    }

    pub(super) fn top(&self) -> i32 {
        self.at.1 - self.fonts.first().map_or(0, |font| font.height)
    }

    /// Which of the sizes it has, so long after it grew.
    pub(super) fn size(age: i64) -> usize {
        let last = POPS.len() as i64 - 1;
        ((POP - age.max(0)).max(0) * (last + 1) / (POP + 1)).min(last) as usize
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let Reading { combo, combo_at, broken, .. } = now.reading;
        let size = if *combo > 0 { Self::size(now.since(*combo_at)) } else { 0 };
        let mut write = |size: usize, combo: u32, down: i32, opacity: u8| {
            if let Some(font) = self.fonts.get(size) {
                let at = (self.at.0, self.at.1 - font.height + down);
                font.write(onto, &format!("{combo}x"), at, Side::Left, opacity, 0);
            }
        };
        let fallen = now.since(broken.1);
        if broken.0 >= WORTH_SEEING && (0..FALL).contains(&fallen) {
            let gone = share(fallen, 0, FALL);
            let down = self.at.1 - self.top();
            write(0, broken.0, down * i32::from(gone) / 255, fainter(now.opacity, (255 - gone) / 2));
        }
        write(size, *combo, 0, now.opacity);
    }
}

/// pp, above the combo.
pub(super) struct Points {
    font: Font,
    unit: Stamp,
    /// Left side and top.
    at: (i32, i32),
}

impl Points {
    pub(super) fn new(kit: &Kit<'_>, bottom: i32) -> Self {
        let font = Font::own("0123456789", kit.px(26), WHITE, true);
        let unit = kit.label("pp", 16);
        let at = (kit.margin(), bottom - kit.px(18) - font.height);
        Self { font, unit, at }
    }

    pub(super) fn top(&self) -> i32 {
        self.at.1
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        let text = ((now.reading.pp + 50) / 100).to_string();
        self.font.write(onto, &text, self.at, Side::Left, now.opacity, 0);
        let x = self.at.0 + self.font.width(&text) + self.unit.width / 5;
        self.unit.draw(onto, x, self.at.1 + self.font.height - self.unit.height * 3 / 4, now.opacity);
    }
}

/// How many results of each kind there were, above pp.
pub(super) struct Counted {
    font: Font,
    rows: Vec<(Option<Hit>, Stamp)>,
    plate: Stamp,
    /// Left side and top.
    at: (i32, i32),
    step: i32,
    inset: i32,
}

impl Counted {
    pub(super) fn new(kit: &Kit<'_>, bottom: i32) -> Self {
        let font = Font::own("0123456789", kit.px(13), WHITE, true);
        let mode = kit.stage.replay.mode;
        let letters = crate::draw::letters::Letters::BOLD;
        let name = |text: &str, colour| {
            Stamp::shaded(&letters.line(text, font.height as u32).tinted(colour), font.height as u32)
        };
        let mut rows: Vec<(Option<Hit>, Stamp)> = kit::results(mode)
            .iter()
            .map(|(hit, text)| (Some(*hit), name(text, kit::colour(*hit))))
            .collect();
        if mode == Mode::Standard {
            rows.push((None, name("SB", PALE)));
        }
        let step = font.height + kit.px(9);
        let inset = kit.px(9);
        let broadest = rows.iter().map(|(_, stamp)| stamp.width).max().unwrap_or(0);
        let width = inset * 2 + broadest + kit.px(10) + font.width("0000");
        let height = step * rows.len() as i32 + inset * 2 - kit.px(9);
        let at = (kit.margin(), bottom - kit.px(16) - height);
        let plate = plate(width, height, kit.px(8), kit::DARK, 150);
        Self { font, rows, plate, at, step, inset }
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        self.plate.draw(onto, self.at.0, self.at.1, now.opacity);
        let right = self.at.0 + self.plate.width - self.inset;
        for (index, (hit, name)) in self.rows.iter().enumerate() {
            let y = self.at.1 + self.inset + self.step * index as i32;
            let count = hit.map_or(now.reading.slider_breaks, |hit| count(&now.reading.counts, hit));
            name.draw(onto, self.at.0 + self.inset, y, now.opacity);
            self.font.write(onto, &count.to_string(), (right, y), Side::Right, now.opacity, 0);
        }
    }
}

/// How often a result is among counts; in mania MAX and 200 are where others have geki and katu.
pub(super) fn count(counts: &crate::osr::Counts, hit: Hit) -> u32 {
    match hit {
        Hit::Max => counts.geki,
        Hit::Great => counts.n300,
        Hit::Good => counts.katu,
        Hit::Ok => counts.n100,
        Hit::Meh => counts.n50,
        Hit::Miss => counts.miss,
    }
}
