//! A production as a whole, on our own maps; what is drawn and heard is tested beside its code.
#![allow(clippy::unwrap_used, reason = "tests end where something is wrong")]

use std::sync::Arc;

use contracts::replay::ReplayOptions;

use super::{Easel, Inputs, Production, telling::grouped};
use crate::{
    draw::{Image, Picture, Text},
    error::ReplayError,
    limits::Limits,
    testing::{
        files::osz,
        maps, osr,
        player::{Act, Plan, play},
    },
};

/// Draws no text.
struct Mute;

impl Text for Mute {
    fn line(&self, _: &str, height: u32, _: u32, _: bool) -> Image {
        Image::empty(1, height)
    }
}

fn options() -> ReplayOptions {
    let mut options = ReplayOptions::default();
    (options.video.width, options.video.height, options.video.frame_rate) = (320, 180, 30);
    options
}

fn inputs(map: &str, plan: &Plan) -> Inputs {
    let replay = osr::write(&play(map.as_bytes(), plan).unwrap()).unwrap();
    Inputs { replay, map: osz(&[("a.osu", map)], 12).unwrap(), ..Inputs::default() }
}

fn open(inputs: Inputs, options: &ReplayOptions) -> Result<Production, ReplayError> {
    Production::open(inputs, options, Box::new(Mute), &Limits::default())
}

/// The circles stand half a second apart from 2 s to 9.5 s.
#[test]
fn the_play_is_shown_with_what_is_before_and_after_it() {
    let production = open(inputs(maps::CIRCLES, &Plan::default()), &options()).unwrap();
    assert_eq!(production.clock().at(0), 0);
    // Two seconds before, 7.5 of play, two after, five of results.
    assert_eq!(production.frames(), 30 * 2 + 225 + 30 * 2 + 30 * 5);
    assert_eq!(production.samples(), production.frames() * 1600);
    let mut asked = options();
    (asked.video.start, asked.video.end) = (Some(4.0), Some(6.0));
    let part = open(inputs(maps::CIRCLES, &Plan::default()), &asked).unwrap();
    assert_eq!((part.clock().at(0), part.frames()), (4_000_000, 60));
    let fast = Plan { mods: 64, ..Plan::default() };
    let fast = open(inputs(maps::CIRCLES, &fast), &options()).unwrap();
    assert_eq!((fast.clock().at(0), fast.frames()), (-1_000_000, 60 + 150 + 60 + 150));
}

#[test]
fn misses_are_chapters_and_captions() {
    let plan = Plan::with(&[(3, Act::Skip), (4, Act::Skip), (14, Act::Skip)]);
    let production = open(inputs(maps::CIRCLES, &plan), &options()).unwrap();
    let titles: Vec<String> = production.chapters().into_iter().map(|chapter| chapter.title).collect();
    assert_eq!(titles, ["Start", "2 misses", "Miss", "Results"]);
    let frames: Vec<u64> = production.chapters().iter().map(|chapter| chapter.frame).collect();
    assert!(frames.is_sorted_by(|a, b| a < b) && frames.iter().all(|frame| *frame < production.frames()));
    let captions = production.captions();
    assert_eq!(captions.iter().filter(|caption| caption.text == "miss").count(), 3, "{captions:?}");
    assert!(captions.windows(2).all(|pair| pair[0].to <= pair[1].from), "{captions:?}");
    assert_eq!(captions.last().unwrap().text, "81.25 %, 9x highest combo, 3 misses");
    let report = production.report();
    assert!(report.verification.verified, "{report:?}");
    assert_eq!(
        (report.counts["300"], report.counts["miss"], report.title.as_str()),
        (13, 3, "Sixteen Circles")
    );
}

#[test]
fn frames_are_the_same_in_any_order_and_blur_is_an_average() {
    let production = open(inputs(maps::EVERYTHING, &Plan::default()), &options()).unwrap();
    let draw = |production: &Production, frame: u64| {
        let mut picture = Picture::new(320, 180);
        production.frame(frame, &mut Easel::default(), &mut |_| None, &mut picture);
        picture
    };
    let frames = [0, 60, 100, 150, production.frames() - 1];
    let forth: Vec<Picture> = frames.iter().map(|frame| draw(&production, *frame)).collect();
    let back: Vec<Picture> = frames.iter().rev().map(|frame| draw(&production, *frame)).collect();
    assert!(forth.iter().eq(back.iter().rev()));
    let mut asked = options();
    asked.video.blur_pictures = 4;
    let blurred = open(inputs(maps::EVERYTHING, &Plan::default()), &asked).unwrap();
    // Compared by `==` alone: a picture is too much to be printed.
    assert!(draw(&blurred, 100) == draw(&blurred, 100));
    assert!(draw(&blurred, 100) != forth[2], "something moves there");
    let video = Arc::new(Picture::new(320, 180));
    let mut times = Vec::new();
    let mut give = |at| {
        times.push(at);
        Some(Arc::clone(&video))
    };
    blurred.frame(1, &mut Easel::default(), &mut give, &mut Picture::new(320, 180));
    assert_eq!(times.len(), 4, "each picture within the frame asks for its own");
}

#[test]
fn what_is_too_long_or_of_another_kind_is_refused() {
    let limits = Limits { video_seconds: 5, ..Limits::default() };
    let long = Production::open(inputs(maps::CIRCLES, &Plan::default()), &options(), Box::new(Mute), &limits);
    assert!(matches!(long, Err(ReplayError::TooLong { .. })));
    let mut asked = options();
    asked.video.start = Some(60.0);
    let late = open(inputs(maps::CIRCLES, &Plan::default()), &asked);
    assert!(matches!(late, Err(ReplayError::OptionsInvalid { .. })));
    let alone = Inputs { map: maps::CIRCLES.into(), ..inputs(maps::CIRCLES, &Plan::default()) };
    assert!(matches!(open(alone.clone(), &options()), Err(ReplayError::AudioMissing { .. })));
    let with_song = Inputs { audio: Some(crate::testing::files::song(12)), ..alone };
    assert!(open(with_song, &options()).is_ok());
    let other = Inputs {
        map: osz(&[("a.osu", maps::SLIDERS)], 12).unwrap(),
        ..inputs(maps::CIRCLES, &Plan::default())
    };
    assert!(matches!(
        open(other, &options()),
        Err(ReplayError::MapMissing { .. } | ReplayError::MapVersion { .. })
    ));
}

#[test]
fn numbers_are_grouped() {
    for (number, text) in
        [(0, "0"), (999, "999"), (1204, "1,204"), (1_234_567, "1,234,567"), (-1000, "-1,000")]
    {
        assert_eq!(grouped(number), text);
    }
}

/// Each reason has a page, and each page a reason.
#[test]
fn every_code_is_documented() {
    let about = crate::error::About::Map;
    let text = String::new;
    let every = [
        ReplayError::ReplayCorrupt { reason: text() },
        ReplayError::ReplayEmpty,
        ReplayError::ReplayAuto,
        ReplayError::ModeUnsupported { mode: text() },
        ReplayError::ModsUnsupported { mods: text(), reason: text() },
        ReplayError::MapMissing { md5: text(), found: text() },
        ReplayError::MapVersion { difficulty: text(), md5: text() },
        ReplayError::MapCorrupt { reason: text() },
        ReplayError::MapConverted { map_mode: text(), mode: text() },
        ReplayError::AudioMissing { name: text() },
        ReplayError::AudioUnsupported { reason: text() },
        ReplayError::ArchiveCorrupt { about, reason: text() },
        ReplayError::ArchiveUnsafe { about, reason: text() },
        ReplayError::SkinCorrupt { reason: text() },
        ReplayError::TooLong { about, what: text(), length: text(), limit: text() },
        ReplayError::OptionsInvalid { pointer: text(), reason: text() },
    ];
    let codes: Vec<&str> = every.iter().map(ReplayError::code).collect();
    let pages: Vec<&str> = contracts::replay::REPLAY_FAILURES.iter().map(|page| page.code).collect();
    assert_eq!(codes, pages);
}
