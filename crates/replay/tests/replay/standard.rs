//! The collected replays of osu!, judged and compared with their headers.

use std::fs;

use replay::{
    beatmap::{Beatmap, is_map},
    limits::Limits,
    mods::Mods,
    osr::Replay,
    play::Play,
    standard::{judge::judge, objects::place},
    verify::verify,
};

use crate::corpus;

fn load(row: &corpus::Row) -> Option<(Replay, Beatmap)> {
    let map = fs::read(row.map.as_ref()?).unwrap();
    let replay = Replay::read(&fs::read(&row.file).unwrap(), &Limits::default()).unwrap();
    assert!(is_map(&map, &replay.map_md5));
    Some((replay, Beatmap::read(&map, &Limits::default()).unwrap()))
}

fn play(replay: &Replay, map: &Beatmap) -> Play {
    let mods = Mods::of(replay).unwrap();
    let field = place(map, &mods, &Limits::default()).unwrap();
    judge(replay, map, &mods, &field).unwrap()
}

#[test]
fn the_collected_replays_of_stable_come_out_as_their_headers_say() {
    let rows: Vec<_> = corpus::rows().into_iter().filter(|row| row.mode == 0 && !row.lazer).collect();
    let (mut all, mut counts_off, mut combo_off, mut geki_off, mut score_off) = (0, 0, 0, 0, 0);
    for row in rows {
        let Some((replay, map)) = load(&row) else { continue };
        let end = play(&replay, &map).end;
        let (header, judged) = (&replay.counts, &end.counts);
        let counts = [judged.n300, judged.n100, judged.n50, judged.miss];
        let wanted = [header.n300, header.n100, header.n50, header.miss];
        all += 1;
        counts_off += u32::from(counts != wanted);
        combo_off += u32::from(end.max_combo != replay.max_combo);
        geki_off += u32::from([judged.geki, judged.katu] != [header.geki, header.katu]);
        score_off += u32::from(end.score != replay.score);
        if counts != wanted
            || end.max_combo != replay.max_combo
            || end.score != replay.score
            || [judged.geki, judged.katu] != [header.geki, header.katu]
        {
            println!(
                "{:<28.28} {:>5} v{} {wanted:?}x{} {}g{} {} judged {counts:?}x{} {}g{} {:+}",
                row.file.file_stem().unwrap().to_string_lossy().get(7..).unwrap_or_default(),
                replay.mods,
                replay.version,
                replay.max_combo,
                header.geki,
                header.katu,
                replay.score,
                end.max_combo,
                judged.geki,
                judged.katu,
                end.score - replay.score,
            );
        }
    }
    println!(
        "{all}: off in counts {counts_off}, max combo {combo_off}, geki and katu {geki_off}, score {score_off}"
    );
    assert!(counts_off <= 2, "{counts_off} have other counts");
    assert!(combo_off <= 2, "{combo_off} have another highest combo");
}

#[test]
fn the_replay_of_lazer_comes_out_as_its_statistics_say() {
    for row in corpus::rows().into_iter().filter(|row| row.mode == 0 && row.lazer) {
        let Some((replay, map)) = load(&row) else { continue };
        let end = play(&replay, &map).end;
        let wanted = replay.lazer.as_ref().unwrap().statistics();
        let counts = [end.counts.n300, end.counts.n100, end.counts.n50, end.counts.miss];
        println!(
            "tails missed: {:?}",
            play(&replay, &map)
                .events
                .iter()
                .filter(|e| matches!(e.kind, replay::play::EventKind::Tail(false)))
                .map(|e| (e.at, e.object))
                .collect::<Vec<_>>()
        );
        println!("{wanted:?} x{} {}", replay.max_combo, replay.score);
        println!("{counts:?} {:?} x{} {}", end.lazer, end.max_combo, end.score);
        assert_eq!(counts, ["great", "ok", "meh", "miss"].map(|name| wanted.get(name).copied().unwrap_or(0)));
        assert_eq!(end.lazer, replay.lazer.as_ref().unwrap().counts());
        assert_eq!(end.max_combo, replay.max_combo);
        assert_eq!(end.score, replay.score);
        assert_eq!(verify(&replay, &end).differences, []);
    }
}
