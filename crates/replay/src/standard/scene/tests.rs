//! The scene as a whole: on our own maps, played by the tests' player.

use contracts::replay::ReplayOptions;

use super::Scene;
use crate::{
    archive::Archive,
    beatmap::{Beatmap, md5},
    draw::{Image, Picture, Text},
    error::About,
    limits::Limits,
    mods::{Mods, bits},
    play::Play,
    skin::{Element, Skin},
    stage::{Layer, Layout, Moment, Stage},
    standard::{judge::judge, objects::place},
    testing::{
        maps,
        player::{Act, Plan, play},
    },
    time::{Clock, Micros, Speed},
};

/// Draws no text.
struct Mute;

impl Text for Mute {
    fn line(&self, _: &str, height: u32, _: u32, _: bool) -> Image {
        Image::empty(1, height)
    }
}

const LAYOUT: Layout = Layout { width: 320, height: 180 };

/// A scene of a map, played that way, with that skin.
fn scene(map: &str, plan: &Plan, skin: &Skin, options: &ReplayOptions) -> (Scene, Play) {
    let replay = play(map.as_bytes(), plan).unwrap();
    let map = Beatmap::read(map.as_bytes(), &Limits::default()).unwrap();
    let mods = Mods::stable(plan.mods).unwrap();
    let field = place(&map, &mods, &Limits::default()).unwrap();
    let judged = judge(&replay, &map, &mods, &field).unwrap();
    let files = Archive::of([], About::Map, &Limits::default());
    let stage = Stage {
        replay: &replay,
        map: &map,
        files: &files,
        mods: &mods,
        play: &judged,
        skin,
        options,
        layout: LAYOUT,
        clock: Clock { first: 0, rate: (60, 1), speed: Speed::NORMAL },
        span: (0, 60_000_000),
        text: &Mute,
    };
    (Scene::new(&stage, &field), judged)
}

fn drawn(scene: &Scene, at: Micros) -> Picture {
    let mut picture = Picture::new(LAYOUT.width, LAYOUT.height);
    picture.fill([40, 50, 60]);
    scene.draw(Moment { at, shown: at }, &mut picture);
    picture
}

fn hash(picture: &Picture) -> String {
    md5(&[picture.y.as_slice(), &picture.u, &picture.v].concat())
}

/// A skin that has one grey square for everything that a scene asks for.
fn squares() -> Skin {
    let names = [
        "hitcircle",
        "hitcircleoverlay",
        "approachcircle",
        "sliderstartcircle",
        "sliderendcircle",
        "reversearrow",
        "sliderb",
        "sliderfollowcircle",
        "sliderscorepoint",
        "followpoint",
        "hit0",
        "hit50",
        "hit100",
        "hit300",
        "lighting",
        "cursor",
        "cursormiddle",
        "cursortrail",
        "spinner-background",
        "spinner-circle",
        "spinner-approachcircle",
        "spinner-spin",
        "spinner-clear",
        "default-0",
        "default-1",
        "default-2",
        "default-3",
        "default-4",
        "default-5",
        "default-6",
        "default-7",
        "default-8",
        "default-9",
    ];
    let mut skin = Skin::default();
    for (index, name) in names.into_iter().enumerate() {
        let image = Image::of(64, 64, |x, y| if (x + y) % 9 < 6 { [90, 90, 90, 200] } else { [0; 4] });
        let frames = vec![image; 1 + index % 3];
        let element = Element { frames, density: 1 + index as u32 % 2, frame_milliseconds: 30 };
        skin.elements.insert(name.to_owned(), element.into());
    }
    skin
}

fn plan(mods: u32) -> Plan {
    Plan { mods, ..Plan::with(&[(1, Act::Skip), (2, Act::Press(80)), (4, Act::LetGo)]) }
}

/// Every way of looking is drawn forwards, backwards, by several threads at once, and by a second scene.
#[test]
fn a_moment_is_drawn_from_what_is_prepared_and_nothing_else() {
    let hidden = bits::HIDDEN | bits::FLASHLIGHT;
    for (mods, skin) in [(0, Skin::default()), (hidden, Skin::default()), (bits::HARD_ROCK, squares())] {
        let options = ReplayOptions::default();
        let (one, _) = scene(maps::EVERYTHING, &plan(mods), &skin, &options);
        let (other, _) = scene(maps::EVERYTHING, &plan(mods), &skin, &options);
        let moments: Vec<Micros> = (0..48).map(|number| number * 397_000).collect();
        let forwards: Vec<String> = moments.iter().map(|at| hash(&drawn(&one, *at))).collect();
        let mut backwards: Vec<String> = moments.iter().rev().map(|at| hash(&drawn(&other, *at))).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        let (third, _) = scene(maps::EVERYTHING, &plan(mods), &skin, &options);
        std::thread::scope(|scope| {
            let draw = || moments.iter().map(|at| hash(&drawn(&third, *at))).collect::<Vec<_>>();
            let threads = [scope.spawn(draw), scope.spawn(draw)];
            for thread in threads {
                assert_eq!(thread.join().unwrap(), forwards);
            }
        });
        let different: std::collections::BTreeSet<&String> = forwards.iter().collect();
        assert!(different.len() > 30, "{}", different.len());
    }
}

/// How bright the picture is around a place of the field, beyond what lies behind everything.
fn light(picture: &Picture, x: i32, y: i32) -> i32 {
    let (x, y) = LAYOUT.place(x * 256, y * 256);
    let at = |x: i32, y: i32| i32::from(picture.y[(y * LAYOUT.width as i32 + x) as usize]);
    let (x, y) = (x >> 8, y >> 8);
    (-2..2)
        .flat_map(|down| (-2..2).map(move |right| (right, down)))
        .map(|(right, down)| at(x + right, y + down))
        .sum::<i32>()
        / 16
}

/// The circles of the map stand half a second apart from 2 s on.
#[test]
fn circles_are_seen_from_their_preempt_until_they_are_hit_or_missed() {
    let map = Beatmap::read(maps::CIRCLES.as_bytes(), &Limits::default()).unwrap();
    let field = place(&map, &Mods::stable(0).unwrap(), &Limits::default()).unwrap();
    let options = ReplayOptions::default();
    let (scene, judged) = scene(maps::CIRCLES, &Plan::with(&[(3, Act::Skip)]), &Skin::default(), &options);
    let behind = light(&drawn(&scene, -10_000_000), 256, 192);
    for index in [2_usize, 3, 6] {
        let object = &field.objects[index];
        let (x, y) = (object.at.x as i32, object.at.y as i32);
        let start = (object.start * 1000.0) as Micros;
        let preempt = (field.preempt * 1000.0) as Micros;
        // Away from the cursor, which is on the object only when it is pressed.
        let before = light(&drawn(&scene, start - preempt - 1000), x, y);
        let ready = light(&drawn(&scene, start - preempt / 3), x, y);
        assert!((ready - behind).abs() > 15, "{index}: {ready} of {behind}");
        assert!((before - behind).abs() < 15 || index > 2, "{index}: {before} of {behind}");
        let outcome = &judged.objects[index];
        let missed = index == 3;
        let wanted = if missed { outcome.judged } else { outcome.pressed.unwrap() };
        assert_eq!(scene.objects[index].head, (wanted, !missed));
    }
}

#[test]
fn options_switch_things_off() {
    let all = ReplayOptions::default();
    let mut none = ReplayOptions::default();
    none.play.hit_results = false;
    none.play.follow_points = false;
    none.play.cursor_trail = false;
    let differs = |map: &str, one: &ReplayOptions, other: &ReplayOptions| {
        let (one, _) = scene(map, &plan(0), &Skin::default(), one);
        let (other, _) = scene(map, &plan(0), &Skin::default(), other);
        (0..60).filter(|number| drawn(&one, number * 311_000) != drawn(&other, number * 311_000)).count()
    };
    assert_eq!(differs(maps::EVERYTHING, &all, &all), 0);
    assert!(differs(maps::EVERYTHING, &all, &none) > 10);
    let mut still = ReplayOptions::default();
    (still.play.snaking_in, still.play.snaking_out) = (false, false);
    assert!(differs(maps::SLIDERS, &all, &still) > 5);
}

#[test]
fn with_flashlight_all_is_black_but_what_is_near_the_cursor() {
    let (scene, _) =
        scene(maps::CIRCLES, &plan(bits::FLASHLIGHT), &Skin::default(), &ReplayOptions::default());
    for at in [2_500_000, 4_000_000, 6_300_000] {
        let picture = drawn(&scene, at);
        let black = picture.y.iter().filter(|value| **value == 16).count();
        assert!(black * 10 > picture.y.len() * 4, "{at}: {black}");
        assert!(picture.y.iter().any(|value| *value > 40));
    }
}

#[test]
fn a_play_without_movements_or_results_is_drawn() {
    let map = Beatmap::read(maps::EVERYTHING.as_bytes(), &Limits::default()).unwrap();
    let mut replay = play(maps::EVERYTHING.as_bytes(), &Plan::default()).unwrap();
    replay.frames.clear();
    let mods = Mods::stable(bits::FLASHLIGHT).unwrap();
    let field = place(&map, &mods, &Limits::default()).unwrap();
    let (skin, options) = (Skin::default(), ReplayOptions::default());
    let stage = Stage {
        replay: &replay,
        map: &map,
        files: &Archive::of([], About::Map, &Limits::default()),
        mods: &mods,
        play: &Play::default(),
        skin: &skin,
        options: &options,
        layout: LAYOUT,
        clock: Clock { first: 0, rate: (60, 1), speed: Speed::NORMAL },
        span: (0, 60_000_000),
        text: &Mute,
    };
    let scene = Scene::new(&stage, &field);
    for number in 0..40 {
        drawn(&scene, number * 500_000);
    }
    for far in [Micros::MIN / 4, Micros::MAX / 4] {
        drawn(&scene, far);
    }
}
