//! What the automatic player writes is read back as it was, and its header is what the plan says.

use std::collections::BTreeMap;

use replay::{
    limits::Limits,
    mods::bits,
    osr::{Counts, Mode, Replay},
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
