//! Titles as they come out, with the machine's own fonts (`deployment/local/setup.sh run` installs them).

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::av::frame::Frame;
use crate::av::plane::Component;

fn fonts() -> Fonts {
    Fonts::new(FontFiles::find())
}

fn title(text: &str, subtitle: &str) -> Title {
    Title { text: text.to_owned(), subtitle: Some(subtitle.to_owned()) }
}

fn target(size: (u32, u32), bits: u8) -> Target {
    Target::new(size, (1, 1), bits, "bt709", false)
}

fn numbers<T: Component>(frame: &Frame, plane: usize) -> Vec<u32> {
    frame.plane::<T>(plane).unwrap().rows().flatten().map(|&number| number.into()).collect()
}

/// Where the luma of a grey picture changes when the title lies over it: left, top, right and bottom edge.
fn changed(overlay: &Overlay, target: &Target) -> Option<[u32; 4]> {
    let before = target.blank([128; 3]).unwrap();
    let mut after = before.share().unwrap();
    overlay.blend(&mut after, FULL).unwrap();
    let (before, after) = (numbers::<u8>(&before, 0), numbers::<u8>(&after, 0));
    let places = before.iter().zip(&after).enumerate().filter(|(_, (before, after))| before != after);
    let places: Vec<(u32, u32)> =
        places.map(|(index, _)| (index as u32 % target.width, index as u32 / target.width)).collect();
    let xs = places.iter().map(|(x, _)| *x);
    let ys = places.iter().map(|(_, y)| *y);
    Some([xs.clone().min()?, ys.clone().min()?, xs.max()?, ys.max()?])
}

#[test]
fn every_canvas_has_its_title_in_the_safe_lower_third() {
    let fonts = fonts();
    let long = title(&"a long name that goes on ".repeat(8), &"and a channel of many words ".repeat(8));
    for title in [title("Ace", "Someone"), long, title("兎田ぺこら 神回", "葛葉")] {
        for size in [(1280, 720), (720, 1280), (640, 480), (320, 180), (3840, 2160), (1000, 200)] {
            let target = target(size, 8);
            let overlay = Overlay::draw(&title, &target, &fonts).unwrap();
            let [left, top, right, bottom] = changed(&overlay, &target).unwrap();
            let (width, height) = (size.0 as f32, size.1 as f32);
            assert!(
                left as f32 >= width * MARGIN - 2.0 && right as f32 <= width * (1.0 - MARGIN) + 2.0,
                "{size:?}"
            );
            assert!(bottom as f32 <= height * (1.0 - MARGIN) + 2.0, "{size:?}");
            assert!(top as f32 >= height * 0.55, "{size:?}: {top}");
        }
    }
    for size in [(16, 16), (94, 400), (400, 62)] {
        assert!(Overlay::draw(&title("a", "b"), &target(size, 8), &fonts).is_none());
    }
}

#[test]
fn what_is_read_from_right_to_left_stands_at_the_right() {
    let (fonts, target) = (fonts(), target((1280, 720), 8));
    let at_the_right = |text: &str| {
        let [left, _, right, _] =
            changed(&Overlay::draw(&title(text, "x"), &target, &fonts).unwrap(), &target).unwrap();
        1280 - right < left
    };
    assert!(at_the_right("لحظة رائعة"));
    assert!(at_the_right("שלום"));
    assert!(!at_the_right("Hello שלום"));
}

/// The glyphs of a line, without those of spaces.
fn glyphs(fonts: &Fonts, text: &str, bold: bool) -> usize {
    let line = shape::fitted(&mut fonts.shelf(), text, bold, 40.0, 100_000.0).unwrap();
    line.glyphs()
}

#[test]
fn names_of_many_languages_have_all_their_glyphs() {
    let fonts = fonts();
    for text in [
        "Ace clutch",
        "兎田ぺこら",
        "葛葉",
        "「神回」ハイライト！",
        "페이커 펜타킬",
        "直播精彩时刻",
        "Привет",
        "لحظة",
        "🔥",
    ] {
        assert_eq!(fonts.missing(text), Vec::<char>::new(), "{text}: run deployment/local/setup.sh");
    }
    // One glyph for each sign: none was left out for being an empty box.
    for text in ["Ace", "兎田ぺこら", "葛葉", "페이커", "🔥🔥", "👩\u{200D}💻", "🤷\u{200D}♂"]
    {
        for bold in [false, true] {
            assert_eq!(glyphs(&fonts, text, bold), words::signs(text).len(), "{text}");
        }
    }
}

#[test]
fn what_has_no_font_is_told_and_left_out() {
    let fonts = fonts();
    // A private sign, which no font can be expected to have, and controls, which nobody misses.
    assert_eq!(
        fonts.missing("a\u{10FFFD}\u{F0000}\u{10FFFD}\u{202E}\n\u{200B}b"),
        ['\u{10FFFD}', '\u{F0000}']
    );
    let (with, without) = (title("ab", "c"), title("a\u{10FFFD}b", "c"));
    let target = target((640, 360), 8);
    let drawn = |title: &Title| Overlay::draw(title, &target, &fonts).unwrap();
    assert!(drawn(&with) == drawn(&without));
    assert!(Overlay::draw(&title("\u{10FFFD}", "\n"), &target, &fonts).is_none());
    let none = Fonts::new(FontFiles::default());
    assert_eq!(none.missing("ab"), ['a', 'b']);
    assert!(Overlay::draw(&with, &target, &none).is_none());
}

#[test]
fn a_word_is_drawn_with_one_font() {
    let fonts = fonts();
    let mut shelf = fonts.shelf();
    for word in ["兎田ぺこら", "精彩时刻", "페이커", "Ñandú"] {
        assert_eq!(shelf.assign(word, true).runs.len(), 1, "{word}");
    }
    assert!(shelf.assign("Ace 兎田", true).runs.len() > 1);
}

#[test]
fn letters_are_seen() {
    let (fonts, target) = (fonts(), target((1280, 720), 8));
    let white = |text: &str| {
        let mut frame = target.blank([0; 3]).unwrap();
        let title = Title { text: text.to_owned(), subtitle: None };
        Overlay::draw(&title, &target, &fonts).unwrap().blend(&mut frame, FULL).unwrap();
        numbers::<u8>(&frame, 0).into_iter().filter(|luma| *luma > 200).count()
    };
    let one = white("H");
    assert!(one > 100, "{one}");
    assert!(white("HHHH").abs_diff(one * 4) < one, "four letters have the ink of four");
    assert!(white("葛葉") > one && white("🔥") > 20);
}

#[test]
fn opacity_and_depth_go_together() {
    let fonts = fonts();
    let title = title("Ace 葛葉 🔥", "Someone");
    for (matrix, full) in [("bt709", false), ("smpte170m", true), ("bt2020nc", false)] {
        let targets = [8, 10].map(|bits| Target::new((320, 180), (1, 1), bits, matrix, full));
        let overlays = targets.map(|target| Overlay::draw(&title, &target, &fonts).unwrap());
        assert!(overlays[0] != overlays[1]);
        for opacity in [0, 1, 100, 255, FULL] {
            let [mut eight, mut ten] = targets.map(|target| target.blank([255; 3]).unwrap());
            overlays[0].blend(&mut eight, opacity).unwrap();
            overlays[1].blend(&mut ten, opacity).unwrap();
            for plane in 0..3 {
                let (eight, ten) = (numbers::<u8>(&eight, plane), numbers::<u16>(&ten, plane));
                let most = eight.iter().zip(&ten).map(|(a, b)| (f64::from(*a) - f64::from(*b) / 4.0).abs());
                let most = most.fold(0.0, f64::max);
                assert!(most <= 1.3, "{matrix} {opacity}: {most}");
            }
            if opacity == 0 {
                assert_eq!(numbers::<u8>(&eight, 0), numbers::<u8>(&targets[0].blank([255; 3]).unwrap(), 0));
            }
        }
        let other = target((160, 90), 8);
        assert!(overlays[0].blend(&mut other.blank([0; 3]).unwrap(), FULL).is_err());
        assert!(overlays[1].blend(&mut targets[0].blank([0; 3]).unwrap(), FULL).is_err());
    }
}

#[test]
fn pixels_that_are_not_square_get_squeezed_letters() {
    let fonts = fonts();
    let title = title("Ace clutch", "Someone");
    let place = |size, pixel| {
        let target = Target::new(size, pixel, 8, "unknown", false);
        Overlay::draw(&title, &target, &fonts).unwrap().place()
    };
    let (square, narrow) = (place((1024, 576), (1, 1)), place((720, 576), (64, 45)));
    assert_eq!((square[1], square[3]), (narrow[1], narrow[3]));
    assert!((square[2] as f32 * 45.0 / 64.0 - narrow[2] as f32).abs() <= 2.0, "{square:?} {narrow:?}");
}

#[test]
fn fonts_that_were_opened_before_are_read_behind_the_locked_door() {
    let text = "葛葉 Ace 페이커 🔥";
    let job = tempfile::tempdir().unwrap();
    // What is given up holds for one thread, which ends with this test.
    let locked_in = std::thread::spawn(move || {
        let files = FontFiles::find();
        let report = crate::sandbox::enter(job.path());
        let again = FontFiles::find();
        let fonts = Fonts::new(files);
        let drawn = Overlay::draw(&title(text, text), &target((640, 360), 8), &fonts).is_some();
        (report, again.0.len(), fonts.missing(text), drawn)
    });
    let (report, found_inside, missing, drawn) = locked_in.join().unwrap();
    assert!(report.landlock == "none" || found_inside == 0, "the folders are closed");
    assert!(missing.is_empty() && drawn);
}

#[test]
fn titles_come_and_go_softly() {
    for (rate, frames) in [("30", 900), ("60", 3000), ("23.976", 300), ("25", 20), ("30", 3), ("30", 1)] {
        let rate: FrameRate = rate.parse().unwrap();
        let shown = frames;
        let course: Vec<u16> = (0..frames + 50).map(|frame| opacity(frame, rate, shown)).collect();
        assert!(course[shown as usize..].iter().all(|opacity| *opacity == 0));
        let (visible, highest) = (&course[..shown as usize], *course.iter().max().unwrap());
        assert!(visible.iter().all(|opacity| *opacity > 0));
        let top = visible.iter().position(|opacity| *opacity == highest).unwrap();
        assert!(visible[..top].is_sorted() && visible[top..].iter().rev().is_sorted());
        assert!(frames < 10 || highest == FULL);
        assert!(frames < 300 || visible[0] < 20 && visible[shown as usize - 1] < 20);
    }
}

/// Pieces out of which hostile titles are made.
const PIECES: &[&str] = &[
    "a",
    "Wide words ",
    "\u{202E}",
    "\u{2067}",
    "\u{2069}",
    "\u{200D}",
    "\u{FE0F}",
    "\u{301}\u{489}\u{36F}",
    "\n",
    "\0",
    "\u{2029}",
    "\u{85}",
    "\t",
    "🔥",
    "👩\u{200D}👩\u{200D}👧",
    "🇯🇵",
    "🇯",
    "葛葉",
    "페이",
    "\u{1112}\u{1161}\u{11AB}",
    "لحظة",
    "שלום",
    "हिन्दी",
    "ไทย",
    "﷽",
    "\u{10FFFD}",
    "1\u{FE0F}\u{20E3}",
    "…",
    "𒐫",
    "ﬃ",
    "(",
    ")",
    "0123",
    "٠١٢",
    "\u{1D173}",
    "\u{E0041}",
    "\u{AD}",
    "\u{3000}",
    "Ǆ",
    "\u{F8FF}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hostile_titles_do_no_harm(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..120),
        other in "(?s).{0,60}",
        size in proptest::sample::select(vec![(320, 180), (180, 320), (96, 64), (2000, 100)]),
    ) {
        thread_local! {
            static FONTS: Fonts = fonts();
        }
        FONTS.with(|fonts| {
            let title = title(&pieces.concat(), &other);
            let target = target(size, 8);
            if let Some(overlay) = Overlay::draw(&title, &target, fonts) {
                overlay.blend(&mut target.blank([9; 3]).unwrap(), FULL).unwrap();
            }
            let missing = fonts.missing(&title.text);
            assert_eq!(missing.len(), missing.iter().collect::<BTreeSet<_>>().len());
            assert!(missing.iter().all(|character| title.text.contains(*character)));
        });
    }
}
