//! The HUD as a whole: it says what the play says, at any size, in any order.

mod fixture;
mod looks;
mod parts;

use self::fixture::{Fixture, MINUTE};
use super::*;
use crate::{draw::Picture, osr::Mode};

const SIZES: [(u32, u32); 8] =
    [(256, 144), (256, 3840), (3840, 256), (640, 480), (720, 1280), (854, 480), (1280, 720), (3840, 2160)];

fn drawn(hud: &Hud, (width, height): (u32, u32), moment: Moment) -> Picture {
    let mut picture = Picture::new(width, height);
    picture.fill([90, 60, 120]);
    hud.draw(moment, &mut picture);
    picture
}

#[test]
fn it_is_drawn_at_any_size_in_any_mode() {
    for (index, size) in SIZES.into_iter().enumerate() {
        let mode = [Mode::Standard, Mode::Taiko, Mode::Mania][index % 3];
        // The largest picture takes its time.
        let scales: &[u32] = if size == (3840, 2160) { &[100] } else { &[50, 200] };
        for scale in scales {
            let mut fixture = Fixture::new(mode, size);
            fixture.options.hud.scale = *scale;
            fixture.options.hud.aim_errors = true;
            let hud = Hud::new(&fixture.stage());
            for at in [-5_000_000, 0, 2_100_000, 5_000_000, 18_000_000, 26_000_000, 90 * MINUTE] {
                let picture = drawn(&hud, size, fixture.moment(at));
                assert!(picture.y.iter().all(|y| (14..=236).contains(y)), "{mode:?} {size:?} {at}");
            }
        }
    }
}

#[test]
fn frames_are_the_same_in_any_order_and_for_every_hud() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let (one, other) = (Hud::new(&fixture.stage()), Hud::new(&fixture.stage()));
    let times = [0, 2_000_000, 2_100_000, 9_700_000, 17_000_000, 24_000_000, 26_500_000];
    let forth: Vec<Picture> = times.iter().map(|at| drawn(&one, (640, 360), fixture.moment(*at))).collect();
    let back: Vec<Picture> =
        times.iter().rev().map(|at| drawn(&other, (640, 360), fixture.moment(*at))).collect();
    assert!(forth.iter().eq(back.iter().rev()));
    assert!(forth.windows(2).all(|pair| pair[0] != pair[1]), "something changes between them");
}

#[test]
fn nothing_is_drawn_where_nothing_is_asked_for() {
    let mut fixture = Fixture::new(Mode::Standard, (640, 360));
    let moment = fixture.moment(5_000_000);
    let mut plain = Picture::new(640, 360);
    plain.fill([90, 60, 120]);
    assert!(drawn(&Hud::new(&fixture.stage()), (640, 360), moment) != plain);
    fixture.options.hud.opacity = 0;
    assert!(drawn(&Hud::new(&fixture.stage()), (640, 360), moment) == plain);
    fixture.options.hud.opacity = 100;
    fixture.all_off();
    let hud = Hud::new(&fixture.stage());
    // While something is played, and in a break.
    for at in [5_000_000, 15_000_000] {
        assert!(drawn(&hud, (640, 360), fixture.moment(at)) == plain);
    }
}

/// Each switch shows something of its own.
#[test]
fn every_part_is_seen_alone() {
    let mut fixture = Fixture::new(Mode::Standard, (640, 360));
    fixture.all_off();
    let moment = fixture.moment(9_800_000);
    let nothing = drawn(&Hud::new(&fixture.stage()), (640, 360), moment);
    let mut seen = vec![nothing];
    for switch in fixture::SWITCHES {
        fixture.all_off();
        *switch(&mut fixture.options.hud) = true;
        let picture = drawn(&Hud::new(&fixture.stage()), (640, 360), moment);
        assert!(!seen.contains(&picture), "switch {}", seen.len());
        seen.push(picture);
    }
    fixture.options.hud.opacity = 50;
    let faint = drawn(&Hud::new(&fixture.stage()), (640, 360), moment);
    assert!(!seen.contains(&faint));
}

/// The middle of the field is where is played; only breaks, warning and results write there.
#[test]
fn the_middle_of_the_field_stays_free() {
    for (width, height) in [(1280, 720), (960, 720), (854, 480), (1920, 1080)] {
        let mut fixture = Fixture::new(Mode::Standard, (width, height));
        fixture.options.hud.aim_errors = true;
        let hud = Hud::new(&fixture.stage());
        let picture = drawn(&hud, (width, height), fixture.moment(9_800_000));
        let mut background = Picture::new(2, 2);
        background.fill([90, 60, 120]);
        // All of the field but 64 units at each of its sides.
        let (left, top) = fixture.layout.place(64 * 256, 48 * 256);
        let (right, bottom) = fixture.layout.place(448 * 256, 340 * 256);
        for y in top / 256..bottom / 256 {
            for x in left / 256..right / 256 {
                let found = picture.y[(y * width as i32 + x) as usize];
                assert_eq!(found, background.y[0], "{width} x {height}: {x}, {y}");
            }
        }
    }
}

/// The warning before, the fades, the results after.
#[test]
fn the_play_is_between_warning_and_results() {
    let fixture = Fixture::new(Mode::Standard, (320, 180));
    let hud = Hud::new(&fixture.stage());
    let curtain = Curtain::new(&fixture.stage());
    // Three seconds of warning, then half a second in which the play appears.
    let dark = [0, 1_500_000, 3_000_000, 3_250_000, 3_500_000, 20_000_000].map(|at| curtain.darkness(at));
    assert_eq!(dark, [255, 255, 255, 128, 0, 0]);
    let warned = drawn(&hud, (320, 180), Moment { at: fixture.clock.first, shown: 1_500_000 });
    let black = warned.y.iter().filter(|y| **y == 16).count();
    let bright = warned.y.iter().filter(|y| **y > 150).count();
    assert!(black > warned.y.len() / 2 && bright > 100, "words on black");
    let before = drawn(&hud, (320, 180), Moment { at: fixture.clock.first, shown: 0 });
    assert!(before.y.iter().all(|y| *y == 16), "the words come slowly");
    let results = hud.results.as_ref().unwrap();
    let end = fixture.stage().span.1;
    let opacity = |after: i64| results.opacity(fixture.moment(end + after));
    assert_eq!([-1, 0, 250_000, 500_000, 4_000_000].map(opacity), [0, 0, 127, 255, 255]);
    let last = fixture.moment(end + 5_000_000 - 1);
    assert_eq!(curtain.darkness(last.shown), 254);
    assert!(drawn(&hud, (320, 180), last).y.iter().all(|y| *y <= 20), "the video ends black");
}

#[test]
fn a_part_of_a_play_has_no_results_and_a_quiet_map_no_warning() {
    let mut fixture = Fixture::new(Mode::Standard, (320, 180));
    fixture.map.map.epilepsy_warning = false;
    fixture.options.video.end = Some(10.0);
    fixture.span.1 = 10_000_000;
    let hud = Hud::new(&fixture.stage());
    assert!(hud.results.is_none());
    let curtain = Curtain::new(&fixture.stage());
    assert_eq!(curtain.darkness(0), 255);
    assert_eq!(curtain.darkness(500_000), 0);
    assert!(curtain.darkness(fixture.moment(9_900_000).shown) > 200, "it fades where it ends");
    fixture.options.video.end = None;
    fixture.options.results_seconds = 0;
    assert!(Hud::new(&fixture.stage()).results.is_none());
}
