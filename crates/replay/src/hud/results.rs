//! The results, shown after the play: everything in its place, drawn once.

mod histogram;

use super::{
    counters::count,
    curtain::results_opacity,
    kit::{self, ALARM, DARK, GOOD, Kit, PALE, Stamp, WHITE, fainter, plate},
    names::{Mods, Placed, own_line, player, stars, title},
    numbers::{hundredths, with_height},
    performance::Performance,
    rank::Grading,
    timeline::{Mark, unstable_rate},
};
use crate::{
    draw::{Picture, Rgb, letters::Letters},
    osr::Mode,
    production::{grouped, played_at},
    stage::{Moment, Stage},
    verify::verify,
};

/// How wide everything is, in units.
const WIDTH: i32 = 900;
/// How high everything is, in units.
const HEIGHT: i32 = 610;
/// What is left beside the grade, in units.
const LEFT: i32 = 640;
/// How dark the picture becomes behind it.
const DARKNESS: u8 = 205;

/// The results.
pub(super) struct Results {
    placed: Placed,
    /// When they begin, in microseconds of the video.
    from: i64,
}

/// Where things are put: a place of the results, in units, to one of the picture.
struct Sheet<'a> {
    kit: Kit<'a>,
    placed: Placed,
    left: i32,
    top: i32,
}

impl Sheet<'_> {
    fn put(&mut self, stamp: Stamp, x: i32, y: i32) {
        let at = self.at(x, y);
        self.placed.put(stamp, at);
    }

    /// With its middle at `x`.
    fn put_middle(&mut self, stamp: Stamp, x: i32, y: i32) {
        let (x, y) = self.at(x, y);
        let left = x - stamp.width / 2;
        self.placed.put(stamp, (left, y));
    }

    fn at(&self, x: i32, y: i32) -> (i32, i32) {
        let px = |units: i32| if units == 0 { 0 } else { self.kit.px(units) };
        (self.left + px(x), self.top + px(y))
    }

    fn line(&mut self, text: &str, x: i32, y: i32, units: i32, colour: Rgb, bold: bool) -> i32 {
        let most = self.kit.px(WIDTH - x);
        let stamp = self.kit.line(text, units, most, colour, bold);
        let width = stamp.width;
        self.put(stamp, x, y);
        width
    }

    /// A number in our own letters.
    fn own(&mut self, text: &str, x: i32, y: i32, units: i32, colour: Rgb) {
        let (image, height) = own_line(text, self.kit.px(units), colour);
        self.put(Stamp::shaded(&image, height), x, y);
    }

    /// A number below what it is.
    fn named(&mut self, name: &str, value: &str, (x, y): (i32, i32), units: i32, colour: Rgb) {
        self.own(name, x, y, 11, colour);
        self.own(value, x, y + 21, units, WHITE);
    }
}

impl Results {
    /// `None` where the video ends with the play.
    pub(super) fn new(stage: &Stage<'_>, performance: &Performance, marks: &[Mark]) -> Option<Self> {
        if !super::curtain::has_results(stage) {
            return None;
        }
        let kit = Kit::sized(stage, 100);
        let (left, top) = ((kit.width - kit.px(WIDTH)) / 2, (kit.height - kit.px(HEIGHT)) / 2);
        let mut sheet = Sheet { kit, placed: Placed::default(), left, top };
        heading(&mut sheet, performance);
        grade(&mut sheet);
        numbers(&mut sheet, performance);
        let y = 372;
        let (width, height) = (kit.px(WIDTH), kit.px(150));
        sheet.put(plate(width, height, kit.px(8), DARK, 170), 0, y);
        if let Some(image) = histogram::draw(marks, &performance.windows, (width as u32, height as u32)) {
            sheet.put(Stamp::plain(&image), 0, y);
        }
        sheet.own(&average(stage), 12, y + 12, 11, PALE);
        verdict(&mut sheet, 544);
        Some(Self { placed: sheet.placed, from: stage.clock.shown_at(stage.span.1) })
    }

    /// How far they have come in, from 0 to 255.
    pub(super) fn opacity(&self, moment: Moment) -> u8 {
        results_opacity(moment.shown - self.from)
    }

    pub(super) fn draw(&self, moment: Moment, onto: &mut Picture) {
        let opacity = self.opacity(moment);
        if opacity > 0 {
            let size = (onto.width as i32, onto.height as i32);
            onto.rectangle(0, 0, size, DARK, fainter(opacity, DARKNESS));
            self.placed.draw(onto, opacity);
        }
    }
}

/// Which map, who played it and when.
fn heading(sheet: &mut Sheet<'_>, performance: &Performance) {
    let stage = sheet.kit.stage;
    let map = &stage.map.map;
    sheet.line(&title(stage), 0, 0, 32, WHITE, true);
    let mut x = 0;
    if let Some(stars) = stars(&sheet.kit, performance.stars) {
        // In units, rounded up.
        x = stars.width * 720 / sheet.kit.px(720) + 12;
        sheet.put(stars, 0, 46);
    }
    let creator = if map.creator.is_empty() { String::new() } else { format!(", mapped by {}", map.creator) };
    sheet.line(&format!("[{}]{creator}", map.version), x, 42, 18, PALE, false);
    let played = played_at(stage.replay.played_at);
    let day = played.map_or_else(String::new, |moment| moment.format(" on %Y-%m-%d").to_string());
    sheet.line(&format!("Played by {}{day}", player(stage)), 0, 70, 20, WHITE, false);
}

/// The grade with the mods below it, at the right.
fn grade(sheet: &mut Sheet<'_>) {
    let (kit, stage) = (sheet.kit, sheet.kit.stage);
    let grading = Grading::of(stage);
    let grade = grading.grade(&stage.play.end);
    let height = kit.px(150);
    let stamp = match kit.element(grade.element(grading.silver), 100) {
        Some(image) => Stamp::plain(&with_height(&image, height)),
        None => {
            let image = Letters::BOLD.line(grade.name(), height as u32);
            Stamp::shaded(&image.tinted(grade.colour(grading.silver)), height as u32)
        }
    };
    sheet.put_middle(stamp, (LEFT + WIDTH) / 2 + 20, 120);
    let mods = Mods::new(&kit, (0, 0));
    let width = mods.width;
    let (middle, y) = sheet.at((LEFT + WIDTH) / 2 + 20, 304);
    let badges = Mods::new(&kit, (middle + width / 2, y));
    sheet.placed.append(badges.into_placed());
}

/// Score, accuracy, combo, pp, unstable rate and counts.
fn numbers(sheet: &mut Sheet<'_>, performance: &Performance) {
    let stage = sheet.kit.stage;
    let end = &stage.play.end;
    sheet.named("SCORE", &grouped(stage.replay.score), (0, 122), 48, PALE);
    let accuracy = hundredths(u64::from(end.accuracy / 100)) + "%";
    let rate = hundredths(unstable_rate(end, stage.mods.speed).into());
    let pp = if performance.running.is_empty() {
        "-".to_owned()
    } else {
        ((performance.pp + 50) / 100).to_string()
    };
    let combo = grouped(end.max_combo) + "x";
    let row = [("ACCURACY", accuracy), ("MAX COMBO", combo), ("PP", pp), ("UNSTABLE RATE", rate)];
    for (index, (name, value)) in row.into_iter().enumerate() {
        sheet.named(name, &value, (index as i32 * LEFT / 4, 222), 26, PALE);
    }
    let mode = stage.replay.mode;
    let mut results: Vec<(&str, u32, Rgb)> = kit::results(mode)
        .iter()
        .map(|(hit, name)| (*name, count(&end.counts, *hit), kit::colour(*hit)))
        .collect();
    if mode == Mode::Standard {
        results.push(("slider breaks", end.slider_breaks, PALE));
    }
    let columns = results.len() as i32;
    for (index, (name, count, colour)) in results.into_iter().enumerate() {
        sheet.named(name, &grouped(count), (index as i32 * LEFT / columns, 296), 24, colour);
    }
}

/// How early or late presses were on average.
fn average(stage: &Stage<'_>) -> String {
    let (count, sum, _) = stage.play.end.presses;
    if count == 0 {
        return "no timed presses".to_owned();
    }
    // In 1/100 millisecond.
    let mean = sum / (i64::from(count) * 10);
    let side = if mean < 0 { "early" } else { "late" };
    format!("{} ms {side} on average", hundredths(mean.unsigned_abs()))
}

/// Whether the play that was shown is the one that the replay counts.
fn verdict(sheet: &mut Sheet<'_>, y: i32) {
    let stage = sheet.kit.stage;
    let verification = verify(stage.replay, &stage.play.end);
    let told: Vec<String> = verification
        .differences
        .iter()
        .map(|difference| {
            let (name, header) = (differing(&difference.name, stage.replay.mode), difference.header);
            format!("{name}: {} instead of {}", grouped(difference.judged), grouped(header))
        })
        .collect();
    let told = told.join(", ");
    if verification.verified {
        sheet.own("✓", 0, y + 3, 16, GOOD);
        sheet.line("Verified against the replay's counts", 28, y, 21, GOOD, true);
        if !told.is_empty() {
            sheet.line(&told, 28, y + 30, 15, PALE, false);
        }
    } else {
        sheet.own("!", 6, y + 3, 16, ALARM);
        sheet.line("Differs from the replay's counts", 28, y, 21, ALARM, true);
        sheet.line(&told, 28, y + 30, 15, WHITE, false);
    }
}

/// What differs, in words. In mania MAX and 200 are where others have geki and katu.
fn differing(name: &str, mode: Mode) -> String {
    match (name, mode) {
        ("count_geki", Mode::Mania) => "max".to_owned(),
        ("count_katu", Mode::Mania) => "200".to_owned(),
        _ => name.replace("count_", "").replace('_', " "),
    }
}
