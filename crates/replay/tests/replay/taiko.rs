//! osu!taiko: windows, colours, big notes, rolls, swells, combos and scores on maps of our own; the field as it is drawn.

use replay::{
    beatmap::Beatmap,
    limits::Limits,
    mods::{Mods, bits},
    osr::{Frame, Mode},
    play::{EventKind, Hit, Play},
    taiko::{
        judge::judge,
        objects::{Kind, place},
    },
    testing::{
        bare, maps,
        player::{Act, Plan, play},
    },
};

use crate::scenes;

const CENTRE_LEFT: u8 = 1;
const RIM_LEFT: u8 = 2;
const CENTRE_RIGHT: u8 = 4;
const RIM_RIGHT: u8 = 8;

fn map(od: f32, objects: &str) -> Beatmap {
    let text = format!(
        "osu file format v14\n\n[General]\nMode: 1\n\n[Difficulty]\nHPDrainRate:5\nCircleSize:5\n\
         OverallDifficulty:{od}\nApproachRate:5\nSliderMultiplier:1.4\nSliderTickRate:1\n\n[TimingPoints]\n\
         0,1000,4,1,0,100,1,0\n\n[HitObjects]\n{objects}"
    );
    Beatmap::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// A replay in which these keys are down from these times on.
fn judged(map: &Beatmap, mods: u32, keys: &[(i32, u8)]) -> Play {
    let frame = |(at, keys): (i32, u8)| Frame { at, x: 320.0, y: 9999.0, keys };
    let frames = [(0, 0)].into_iter().chain(keys.iter().copied()).chain([(20_000, 0)]).map(frame);
    let replay = bare(Mode::Taiko, 20_260_101, mods, frames.collect());
    let mods = Mods::of(&replay).unwrap();
    let field = place(map, &mods, &Limits::default()).unwrap();
    judge(&replay, map, &mods, &field).unwrap()
}

/// What a press so far from the time of a note of the centre gets.
fn note(od: f32, mods: u32, key: u8, off: i32) -> Hit {
    let play = judged(&map(od, "256,192,1000,1,0\n"), mods, &[(1000 + off, key), (1000 + off + 20, 0)]);
    play.objects[0].result.unwrap()
}

/// The widths that `TestSceneLegacyReplayPlayback` of lazer found in stable.
#[test]
fn windows_are_stables() {
    for (od, mods, great, ok) in [
        (5.0, 0, 35, 80),
        (7.8, 0, 26, 63),
        (5.0, bits::HARD_ROCK, 29, 68),
        (7.8, bits::HARD_ROCK, 20, 50),
        (5.0, bits::EASY, 42, 100),
        (5.0, bits::DOUBLE_TIME, 35, 80),
    ] {
        for side in [-1, 1] {
            let hit = |off: i32| note(od, mods, CENTRE_LEFT, side * off);
            assert_eq!([hit(great - 1), hit(great)], [Hit::Great, Hit::Ok], "OD {od}, mods {mods}, {side}");
            assert_eq!([hit(ok - 1), hit(ok)], [Hit::Ok, Hit::Miss], "OD {od}, mods {mods}, {side}");
        }
    }
}

#[test]
fn each_part_of_the_drum_has_its_notes() {
    for (key, wanted) in
        [(CENTRE_LEFT, Hit::Great), (CENTRE_RIGHT, Hit::Great), (RIM_LEFT, Hit::Miss), (RIM_RIGHT, Hit::Miss)]
    {
        assert_eq!(note(5.0, 0, key, 0), wanted, "{key}");
        for sound in [2, 8] {
            let rim = map(5.0, &format!("256,192,1000,1,{sound}\n"));
            let result = judged(&rim, 0, &[(1000, key), (1020, 0)]).objects[0].result;
            assert_ne!(result, Some(wanted), "{key} on a note of the rim");
        }
    }
    // Far before a note, the drum may be hit as one likes.
    assert_eq!(note(5.0, 0, RIM_LEFT, -95), Hit::Miss);
    let play = judged(&map(5.0, "256,192,1000,1,0\n"), 0, &[(905, RIM_LEFT), (920, 0), (1000, 1), (1020, 0)]);
    assert_eq!(play.objects[0].result, Some(Hit::Great));
    assert_eq!(play.presses.iter().map(|press| press.key).collect::<Vec<_>>(), [0, 1], "from left to right");
}

#[test]
fn big_notes_give_twice_with_a_second_key() {
    let big = map(5.0, "256,192,1000,1,4\n256,192,3000,1,0\n");
    let both = CENTRE_LEFT | CENTRE_RIGHT;
    for (keys, geki, katu, why) in [
        (&[(1000, both), (1020, 0)][..], 1, 0, "at once"),
        (&[(1000, CENTRE_LEFT), (1030, both), (1050, 0)], 1, 0, "just in time"),
        (&[(1000, CENTRE_LEFT), (1031, both), (1050, 0)], 0, 0, "too late"),
        (&[(1000, CENTRE_LEFT), (1020, CENTRE_LEFT | RIM_LEFT), (1050, 0)], 0, 0, "of another kind"),
        (&[(1050, both), (1070, 0)], 0, 1, "of a 100"),
    ] {
        let play = judged(&big, 0, keys);
        assert_eq!((play.end.counts.geki, play.end.counts.katu), (geki, katu), "{why}");
        assert_eq!(play.end.counts.n300 + play.end.counts.n100, 1, "{why}");
        let single = if katu == 1 { 150 } else { 300 };
        assert_eq!(play.end.score, single * i64::from(1 + geki + katu), "{why}");
    }
}

#[test]
fn one_frame_hits_one_note() {
    let pair = map(5.0, "256,192,1000,1,0\n256,192,1020,1,0\n");
    let play = judged(&pair, 0, &[(1000, CENTRE_LEFT | CENTRE_RIGHT), (1010, 0)]);
    assert_eq!([play.objects[0].result, play.objects[1].result], [Some(Hit::Great), Some(Hit::Miss)]);
    let play = judged(&pair, 0, &[(1000, CENTRE_LEFT), (1010, CENTRE_LEFT | CENTRE_RIGHT), (1030, 0)]);
    assert_eq!(play.end.counts.n300, 2);
}

#[test]
fn rolls_count_what_is_not_too_fast_and_nothing_else() {
    // A beat of a second: hits count 125 / 2 = 62.5 ms after each other.
    let roll = map(5.0, "256,192,1000,2,0,L|396:192,1,140\n");
    let field = place(&roll, &Mods::stable(0).unwrap(), &Limits::default()).unwrap();
    assert_eq!((field.objects[0].start, field.objects[0].end), (1000, 2000));
    assert_eq!(field.objects[0].kind, Kind::Roll { spacing: 62_500 });
    let hits = |times: &[i32]| {
        let keys: Vec<_> = times.iter().flat_map(|at| [(*at, CENTRE_LEFT), (*at + 5, 0)]).collect();
        let play = judged(&roll, 0, &keys);
        assert_eq!((play.end.max_combo, play.end.accuracy, play.results), (0, 1_000_000, 0));
        play.end.score / 300
    };
    assert_eq!(hits(&[1000, 1063, 1126]), 3);
    assert_eq!(hits(&[1000, 1062, 1063]), 2);
    assert_eq!(hits(&[990, 2010]), 0);
}

#[test]
fn swells_want_centre_and_rim_by_turns() {
    let swell = map(5.0, "256,192,1000,12,0,2000\n");
    let field = place(&swell, &Mods::stable(0).unwrap(), &Limits::default()).unwrap();
    assert_eq!(field.objects[0].kind, Kind::Swell { hits: 8 }, "5 turns in a second, times 1.65");
    let keys = |wanted: usize, alternate: bool| -> Vec<(i32, u8)> {
        (0..wanted)
            .flat_map(|index| {
                let at = 1010 + index as i32 * 50;
                [(at, if alternate && index % 2 == 1 { RIM_LEFT } else { CENTRE_LEFT }), (at + 20, 0)]
            })
            .collect()
    };
    let done = judged(&swell, 0, &keys(8, true));
    assert_eq!(done.objects[0].cleared, Some(1_360_000));
    assert_eq!(done.end.score, 8 * 300 + 600);
    let spins = done.events.iter().filter(|event| event.kind == EventKind::Spin).count();
    assert_eq!((spins, done.objects[0].turns.len(), done.end.max_combo), (8, 8, 0));
    assert_eq!(judged(&swell, 0, &keys(7, true)).objects[0].cleared, None);
    assert_eq!(judged(&swell, 0, &keys(8, false)).end.score, 300);
}

#[test]
fn scores_grow_with_the_combo() {
    let objects: String = (0..12).map(|index| format!("256,192,{},1,0\n", 1000 + index * 500)).collect();
    let map = map(5.0, &objects);
    let keys: Vec<_> = (0..12).flat_map(|index| [(1000 + index * 500, 1), (1020 + index * 500, 0)]).collect();
    let play = judged(&map, 0, &keys);
    // 5.5 s of 12 objects are as dense as it gets: (5 + 5 + 2 + 16) / 38 * 5 are four stars.
    assert_eq!(play.end.score, 12 * 300 + 2 * (300 / 35 * 2 * 5));
    assert_eq!((play.end.max_combo, play.end.accuracy), (12, 1_000_000));
    let play = judged(&map, 0, &keys[2..]);
    assert_eq!((play.end.counts.miss, play.end.max_combo, play.end.accuracy), (1, 11, 916_666));
    assert!(play.events[0].kind == EventKind::Result(Hit::Miss) && play.events[0].at == 1_080_000);
}

#[test]
fn the_tests_player_is_judged_as_it_meant() {
    let plan = Plan::with(&[(1, Act::Press(40)), (4, Act::Skip), (2, Act::Press(-60))]);
    let replay = play(maps::TAIKO.as_bytes(), &plan).unwrap();
    let map = Beatmap::read(maps::TAIKO.as_bytes(), &Limits::default()).unwrap();
    let mods = Mods::of(&replay).unwrap();
    let field = place(&map, &mods, &Limits::default()).unwrap();
    let judged = judge(&replay, &map, &mods, &field).unwrap();
    assert_eq!(judged.end.counts, replay.counts);
    assert_eq!(judged.end.max_combo, replay.max_combo);
}

fn pixel(picture: &replay::draw::Picture, x: u32, y: u32) -> [u8; 3] {
    let colour = (y / 2 * (picture.width / 2) + x / 2) as usize;
    [picture.y[(y * picture.width + x) as usize], picture.u[colour], picture.v[colour]]
}

/// At 640 x 360 notes are hit at (136, 132); the drum's middle is at (46, 132).
#[test]
fn notes_come_to_the_target_at_their_time() {
    let production = scenes::open(maps::TAIKO, &Plan::with(&[(0, Act::Press(30)), (1, Act::Skip)]));
    let [_, u, v] = pixel(&scenes::at(&production, 2000), 136, 148);
    assert!(v > 170 && u < 128, "red is there at its time");
    let picture = scenes::at(&production, 2500);
    let [_, u, v] = pixel(&picture, 136, 148);
    assert!(u > 150 && v < 128, "and then blue");
    assert_eq!(picture, scenes::at(&production, 2500));
    let earlier = scenes::at(&production, 2250);
    // Half a beat away: 140 units times the map's slider velocity of 1.4 are a beat.
    let [_, u, _] = pixel(&earlier, 136 + 74, 148);
    assert!(u > 150);
}

#[test]
fn the_drum_shows_its_keys() {
    let production = scenes::open(maps::TAIKO, &Plan::default());
    let red = |milliseconds, x| pixel(&scenes::at(&production, milliseconds), x, 132)[2] > 170;
    assert!(red(2010, 40) && !red(2010, 54), "the left half of the centre");
    assert!(!red(1900, 40));
}

#[test]
fn hidden_and_flashlight_hide() {
    let blue = |mods, milliseconds, x| {
        let production = scenes::open(maps::TAIKO, &Plan { mods, ..Plan::default() });
        pixel(&scenes::at(&production, milliseconds), x, 148)[1] > 150
    };
    // The second note, half a beat before its time.
    assert!(blue(0, 2250, 136 + 74) && !blue(bits::HIDDEN, 2250, 136 + 74));
    // The same far away.
    assert!(blue(0, 1000, 136 + 441) && blue(bits::HIDDEN, 1000, 136 + 441));
    assert!(!blue(bits::FLASHLIGHT, 1000, 136 + 441));
}
