//! What lies over the play, on whole productions: names in any script, every mode from the first frame to the last.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use contracts::replay::ReplayOptions;
use replay::{
    draw::{
        Image, Picture, Text,
        letters::{Letters, Strokes},
    },
    limits::Limits,
    production::{Easel, Inputs, Production},
    testing::{
        files::{osz, song},
        maps, osr,
        player::{Act, Plan, play},
    },
};

use super::corpus;

/// Writes down what it is asked to draw.
struct Listener(Arc<Mutex<Vec<String>>>);

impl Text for Listener {
    fn line(&self, text: &str, height: u32, most_width: u32, bold: bool) -> Image {
        self.0.lock().unwrap().push(text.to_owned());
        let image = Strokes.line(text, height, most_width, bold);
        assert!(image.height == height && image.width <= most_width, "{text}");
        image
    }
}

fn options((width, height): (u32, u32)) -> ReplayOptions {
    let mut options = ReplayOptions::default();
    (options.video.width, options.video.height, options.video.frame_rate) = (width, height, 30);
    options.hud.aim_errors = true;
    options
}

fn open(map: &str, plan: &Plan, size: (u32, u32), text: Box<dyn Text>) -> Production {
    let replay = osr::write(&play(map.as_bytes(), plan).unwrap()).unwrap();
    let inputs = Inputs { replay, map: osz(&[("a.osu", map)], 12).unwrap(), ..Inputs::default() };
    Production::open(inputs, &options(size), text, &Limits::default()).unwrap()
}

fn frame(production: &Production, number: u64) -> Picture {
    let (width, height) = production.size();
    let mut picture = Picture::new(width, height);
    production.frame(number, &mut Easel::default(), &mut |_| None, &mut picture);
    picture
}

#[test]
fn names_are_drawn_in_their_own_script() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let text = Box::new(Listener(Arc::clone(&asked)));
    let production = open(maps::EVERYTHING, &Plan::default(), (640, 360), text);
    let asked = asked.lock().unwrap();
    for wanted in ["Player", "テスト - 全部まとめて", "[Everything]"] {
        assert!(asked.iter().any(|text| text == wanted), "{wanted} of {asked:?}");
    }
    let count = asked.len();
    drop(asked);
    frame(&production, 200);
    assert!(count > 5, "all of them before the first frame");
}

#[test]
fn every_mode_has_its_video_from_the_first_frame_to_the_last() {
    for map in [maps::CIRCLES, maps::EVERYTHING, maps::SLIDERS, maps::TAIKO, maps::MANIA, maps::MANIA_HOLDS] {
        let plan = Plan::with(&[(3, Act::Skip), (5, Act::Press(40))]);
        let production = open(map, &plan, (256, 144), Box::new(Strokes));
        let last = production.frames() - 1;
        let step = usize::try_from(production.frames() / 25).unwrap().max(1);
        for number in (0..last).step_by(step).chain([last]) {
            frame(&production, number);
        }
        assert!(production.report().stars > 0.0);
        let results = frame(&production, last - 60);
        assert!(results.y.iter().any(|y| *y > 180), "results are bright");
        assert!(frame(&production, last).y.iter().all(|y| *y < 40), "the video ends dark");
        assert!(frame(&production, 0).y.iter().all(|y| *y == 16), "and begins black");
    }
}

/// Some of the collected plays, to their results, in narrow and wide pictures.
#[test]
fn collected_plays_have_results() {
    let rows = corpus::rows();
    let paired = rows.iter().filter(|row| row.mode == 0 && row.map.is_some());
    for (index, row) in paired.step_by(9).enumerate() {
        let size = [(256, 144), (320, 240), (270, 480)][index % 3];
        let inputs = Inputs {
            replay: fs::read(&row.file).unwrap(),
            map: fs::read(row.map.as_ref().unwrap()).unwrap(),
            audio: Some(song(1)),
            skin: None,
        };
        let production =
            Production::open(inputs, &options(size), Box::new(Strokes), &Limits::default()).unwrap();
        let report = production.report();
        assert!((0.0..20.0).contains(&report.stars), "{}: {report:?}", row.file.display());
        assert!((0.0..2500.0).contains(&report.pp), "{}: {report:?}", row.file.display());
        let results = frame(&production, production.frames() - 60);
        assert!(results.y.iter().any(|y| *y > 180), "{}", row.file.display());
    }
}

#[test]
fn letters_are_the_same_everywhere() {
    let pixels: u64 = "Stream 0123456789 pp"
        .chars()
        .flat_map(|letter| Letters::BOLD.glyph(letter, 31).pixels)
        .enumerate()
        .map(|(index, pixel)| (index as u64 + 1).wrapping_mul(u64::from(pixel[3])))
        .fold(0, u64::wrapping_add);
    assert_eq!(pixels, GOLDEN, "a letter changed its shape");
}

/// Of the letters above; to be changed with them.
const GOLDEN: u64 = 8_459_482_629;
