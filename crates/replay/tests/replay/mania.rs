//! The collected replays of osu!mania, judged and compared with their headers.

use std::fs;

use replay::{
    beatmap::{Beatmap, is_map},
    limits::Limits,
    mania::{judge::judge, objects::place},
    mods::{Mods, bits},
    osr::Replay,
};

use crate::corpus;

#[test]
fn the_collected_replays_of_mania_come_out_as_their_headers_say() {
    let mut exact = 0;
    let rows: Vec<_> = corpus::rows().into_iter().filter(|row| row.mode == 3 && row.map.is_some()).collect();
    for row in &rows {
        let bytes = fs::read(row.map.as_ref().unwrap()).unwrap();
        let replay = Replay::read(&fs::read(&row.file).unwrap(), &Limits::default()).unwrap();
        assert!(is_map(&bytes, &replay.map_md5));
        let map = Beatmap::read(&bytes, &Limits::default()).unwrap();
        // One was played by the game itself, which is refused elsewhere; the rules are the same.
        let mods = Mods::stable(replay.mods & !bits::AUTOPLAY).unwrap();
        let field = place(&map, &mods, &Limits::default()).unwrap();
        let end = judge(&replay, &map, &mods, &field).unwrap().end;
        let list = |counts: replay::osr::Counts| {
            [counts.geki, counts.n300, counts.katu, counts.n100, counts.n50, counts.miss]
        };
        let (wanted, judged) = (list(replay.counts), list(end.counts));
        let differences: Vec<i64> = judged
            .iter()
            .zip(wanted)
            .map(|(judged, wanted)| i64::from(*judged) - i64::from(wanted))
            .collect();
        println!(
            "{:<24.24} {:>9} {wanted:?}x{} {}: {differences:?} x{:+} {:+}",
            row.file.file_stem().unwrap().to_string_lossy().get(7..).unwrap_or_default(),
            replay.mods,
            replay.max_combo,
            replay.score,
            i64::from(end.max_combo) - i64::from(replay.max_combo),
            end.score - replay.score,
        );
        exact += usize::from(wanted == judged && end.max_combo == replay.max_combo);
    }
    println!("{exact} of {} are exact", rows.len());
}
