//! What the automatic player writes is read back as it was, and its header is what the plan says.

use std::collections::BTreeMap;

use replay::{
    beatmap::Beatmap,
    limits::Limits,
    mania,
    mods::{Mods, bits},
    osr::{Counts, Mode, Replay},
    play::State,
    standard, taiko,
    testing::{
        maps, osr,
        player::{Act, Plan, play},
    },
};

/// All maps with their modes.
const MAPS: [(&str, Mode); 6] = [
    (maps::CIRCLES, Mode::Standard),
    (maps::EVERYTHING, Mode::Standard),
    (maps::SLIDERS, Mode::Standard),
    (maps::TAIKO, Mode::Taiko),
    (maps::MANIA, Mode::Mania),
    (maps::MANIA_HOLDS, Mode::Mania),
];

fn counts(n300: u32, n100: u32, n50: u32, miss: u32) -> Counts {
    Counts { n300, n100, n50, miss, ..Counts::default() }
}

/// Without geki and katu.
fn plain(counts: Counts) -> Counts {
    Counts { geki: 0, katu: 0, ..counts }
}

#[test]
fn what_is_written_is_read_back() {
    for (map, mode) in MAPS {
        for (lazer, mods) in [(false, 0), (false, bits::HARD_ROCK | bits::HIDDEN), (true, bits::DOUBLE_TIME)]
        {
            let plan = Plan { acts: BTreeMap::from([(1, Act::Skip)]), mods, lazer };
            let played = play(map.as_bytes(), &plan).unwrap();
            assert_eq!(played.mode, mode);
            assert!(played.frames.windows(2).all(|pair| pair[0].at < pair[1].at));
            let read = Replay::read(&osr::write(&played).unwrap(), &Limits::default()).unwrap();
            assert!(read == played, "{plan:?} of {mode:?}");
        }
    }
}

#[test]
fn a_perfect_play_has_a_perfect_header() {
    let header = |map: &str| play(map.as_bytes(), &Plan::default()).unwrap();
    let circles = header(maps::CIRCLES);
    assert_eq!(circles.counts, Counts { n300: 16, geki: 4, ..Counts::default() });
    assert_eq!((circles.max_combo, circles.perfect), (16, true));
    // A slider of 400 px with a tick each 50 px; one that returns after 200 px; one of 50 px.
    let sliders = header(maps::SLIDERS);
    assert_eq!(plain(sliders.counts), counts(5, 0, 0, 0));
    assert_eq!(sliders.max_combo, (2 + 7) + (3 + 2 * 3) + 1 + 2 + 1);
    let everything = header(maps::EVERYTHING);
    assert_eq!(plain(everything.counts), counts(24, 0, 0, 0));
    let drums = header(maps::TAIKO);
    assert_eq!((drums.counts, drums.max_combo), (Counts { n300: 12, geki: 3, ..Counts::default() }, 12));
    let keys = header(maps::MANIA);
    assert_eq!((keys.counts, keys.max_combo), (Counts { geki: 12, ..Counts::default() }, 12));
}

/// The header of a play by plan, and what judging says of it.
fn header_and_judged(map: &str, plan: &Plan) -> (Replay, State) {
    let limits = Limits::default();
    let replay = play(map.as_bytes(), plan).unwrap();
    let map = Beatmap::read(map.as_bytes(), &limits).unwrap();
    let mods = Mods::of(&replay).unwrap();
    let judged = match replay.mode {
        Mode::Standard => {
            let field = standard::objects::place(&map, &mods, &limits).unwrap();
            standard::judge::judge(&replay, &map, &mods, &field)
        }
        Mode::Taiko => {
            let field = taiko::objects::place(&map, &mods, &limits).unwrap();
            taiko::judge::judge(&replay, &map, &mods, &field)
        }
        _ => {
            let field = mania::objects::place(&map, &mods, &limits).unwrap();
            mania::judge::judge(&replay, &map, &mods, &field)
        }
    };
    (replay, judged.unwrap().end)
}

/// Plays by plan, with these mods in stable, and without them in lazer.
fn assert_judged_as_planned(map: &str, acts: &[(usize, Act)], mods: &[u32]) {
    let plans = mods.iter().map(|mods| Plan { mods: *mods, ..Plan::with(acts) });
    for plan in plans.chain([Plan { lazer: true, ..Plan::with(acts) }]) {
        let (header, judged) = header_and_judged(map, &plan);
        let counts = |counts| match (header.mode, plan.lazer) {
            (Mode::Standard, false) | (Mode::Mania, _) => counts,
            _ => plain(counts),
        };
        assert_eq!(counts(judged.counts), counts(header.counts), "{plan:?}");
        if map != maps::MANIA_HOLDS {
            assert_eq!(judged.max_combo, header.max_combo, "{plan:?}");
        }
        if let Some(lazer) = &header.lazer {
            let parts = |counts: replay::play::LazerCounts| {
                (counts.large_tick_hit, counts.large_tick_miss, counts.slider_tail_hit)
            };
            assert_eq!(parts(judged.lazer), parts(lazer.counts()), "{plan:?}");
        }
    }
}

#[test]
fn perfect_plays_are_judged_perfect() {
    let mods = [0, bits::HARD_ROCK, bits::EASY, bits::HIDDEN | bits::DOUBLE_TIME, bits::FLASHLIGHT];
    for map in [maps::CIRCLES, maps::EVERYTHING, maps::SLIDERS, maps::TAIKO] {
        assert_judged_as_planned(map, &[], &mods);
    }
    assert_judged_as_planned(maps::MANIA, &[], &[0]);
    assert_judged_as_planned(maps::MANIA_HOLDS, &[], &[0]);
}

#[test]
fn presses_at_the_edges_of_the_windows_are_judged_as_planned() {
    // OD 5: 50, 100 and 150 ms, none of which the window holds.
    let acts = [
        (0, Act::Press(49)),
        (1, Act::Press(50)),
        (2, Act::Press(-49)),
        (3, Act::Press(-50)),
        (4, Act::Press(99)),
        (5, Act::Press(100)),
        (6, Act::Press(-99)),
        (7, Act::Press(-100)),
        (8, Act::Press(149)),
        (9, Act::Press(-149)),
        (11, Act::Press(150)),
        (13, Act::Skip),
    ];
    let replay = play(maps::CIRCLES.as_bytes(), &Plan::with(&acts)).unwrap();
    assert_eq!(replay.counts, Counts { n300: 6, n100: 4, n50: 4, miss: 2, geki: 0, katu: 1 });
    assert_judged_as_planned(maps::CIRCLES, &acts, &[0, bits::DOUBLE_TIME]);
}

#[test]
fn sliders_are_judged_as_planned() {
    for acts in [
        [(0, Act::LetGo), (3, Act::LetGo)],
        [(0, Act::Skip), (3, Act::Press(60))],
        [(1, Act::Press(-120)), (3, Act::Skip)],
        [(1, Act::LetGo), (2, Act::Press(20))],
    ] {
        assert_judged_as_planned(maps::SLIDERS, &acts, &[0, bits::HARD_ROCK]);
    }
}

#[test]
fn drums_and_keys_are_judged_as_planned() {
    // Windows of 35, 80 and 95 ms.
    let drums =
        [(0, Act::Press(34)), (1, Act::Press(-60)), (2, Act::Skip), (3, Act::Press(50)), (9, Act::Press(85))];
    assert_judged_as_planned(maps::TAIKO, &drums, &[0, bits::DOUBLE_TIME]);
    // Windows of 16, 40, 73, 103 and, for what is early, 127 ms.
    let keys = [
        (0, Act::Press(10)),
        (1, Act::Press(30)),
        (2, Act::Press(-60)),
        (3, Act::Press(90)),
        (8, Act::Press(-115)),
        (10, Act::Skip),
    ];
    let counts = play(maps::MANIA.as_bytes(), &Plan::with(&keys)).unwrap().counts;
    assert_eq!(counts, Counts { geki: 7, n300: 1, katu: 1, n100: 1, n50: 1, miss: 1 });
    assert_judged_as_planned(maps::MANIA, &keys, &[0]);
}
