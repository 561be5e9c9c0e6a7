//! osu!mania: the collected replays compared with their headers; windows, held notes, combos and scores on maps of our own; the
//! stage as it is drawn.

use std::fs;

use replay::{
    beatmap::{Beatmap, is_map},
    limits::Limits,
    mania::{judge::judge, objects::place},
    mods::{Mods, bits},
    osr::{Counts, Frame, Mode, Replay},
    play::{EventKind, Hit, Play},
    testing::{
        bare, maps,
        player::{Act, Plan},
    },
};

use crate::{corpus, scenes};

/// A map with that many columns. Objects: column, start, and end where it is held.
fn map(columns: i32, od: f32, objects: &[(i32, i32, Option<i32>)]) -> Beatmap {
    let mut text = format!(
        "osu file format v14\n\n[General]\nMode: 3\n\n[Difficulty]\nHPDrainRate:5\nCircleSize:{columns}\n\
         OverallDifficulty:{od}\nApproachRate:5\nSliderMultiplier:1.4\nSliderTickRate:1\n\n[TimingPoints]\n\
         0,500,4,1,0,100,1,0\n\n[HitObjects]\n"
    );
    for (column, start, end) in objects {
        let x = (512 * column + 256) / columns;
        match end {
            Some(end) => text += &format!("{x},192,{start},128,0,{end}:0:0:0:0:\n"),
            None => text += &format!("{x},192,{start},1,0,0:0:0:0:\n"),
        }
    }
    Beatmap::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// A replay that holds these columns (as bits) from these times on.
fn replay(mods: u32, held: &[(i32, u32)]) -> Replay {
    let start = [Frame { at: 0, x: 256.0, y: -500.0, keys: 0 }, Frame { at: 0, x: 0.0, y: 0.0, keys: 0 }];
    let frames = held.iter().map(|(at, held)| Frame { at: *at, x: *held as f32, y: 0.0, keys: 0 });
    bare(Mode::Mania, 20_260_101, mods, start.into_iter().chain(frames).collect())
}

fn judged(map: &Beatmap, mods: u32, held: &[(i32, u32)]) -> Play {
    let replay = replay(mods, held);
    let mods = Mods::of(&replay).unwrap();
    let field = place(map, &mods, &Limits::default()).unwrap();
    judge(&replay, map, &mods, &field).unwrap()
}

/// MAX, 300, 200, 100, 50, misses.
fn list(counts: Counts) -> [u32; 6] {
    [counts.geki, counts.n300, counts.katu, counts.n100, counts.n50, counts.miss]
}

const ALL: [Hit; 6] = [Hit::Max, Hit::Great, Hit::Good, Hit::Ok, Hit::Meh, Hit::Miss];

/// What a press so far from a note's time gets.
fn note(od: f32, mods: u32, off: i32) -> Hit {
    let play =
        judged(&map(1, od, &[(0, 1000, None)]), mods, &[(1000 + off, 1), (1000 + off + 20, 0), (4000, 0)]);
    let result = play.objects[0].result.unwrap();
    let index = ALL.iter().position(|hit| *hit == result).unwrap();
    assert_eq!(list(play.end.counts)[index], 1);
    result
}

/// The widths that `TestSceneLegacyReplayPlayback` of lazer found in stable; what is pressed later than for 100 is missed.
#[test]
fn windows_are_stables() {
    let v2 = bits::SCORE_V2;
    for (od, mods, windows) in [
        (5.0, 0, [16, 49, 82, 112, 136]),
        (9.3, 0, [16, 36, 69, 99, 123]),
        (3.1, 0, [16, 54, 87, 117, 141]),
        (5.0, v2, [19, 49, 82, 112, 136]),
        (9.3, v2, [14, 36, 69, 99, 123]),
        (5.0, bits::HARD_ROCK, [11, 35, 58, 80, 97]),
        (9.3, bits::HARD_ROCK, [11, 25, 49, 70, 87]),
        (5.0, bits::EASY, [22, 68, 114, 156, 190]),
        (5.0, bits::DOUBLE_TIME, [24, 73, 123, 168, 204]),
        (5.0, bits::HALF_TIME, [12, 36, 61, 84, 102]),
    ] {
        for (index, window) in windows.into_iter().enumerate() {
            let (this, next) = (ALL[index], ALL[index + 1]);
            assert_eq!(note(od, mods, -window), this, "OD {od}, mods {mods}, -{window}");
            assert_eq!(note(od, mods, -window - 1), next, "OD {od}, mods {mods}, -{}", window + 1);
            if this < Hit::Ok {
                assert_eq!(note(od, mods, window), this, "OD {od}, mods {mods}, {window}");
                assert_eq!(note(od, mods, window + 1), next, "OD {od}, mods {mods}, {}", window + 1);
            }
        }
        assert_eq!(note(od, mods, windows[3] - 1), Hit::Ok);
        assert_eq!(note(od, mods, windows[3]), Hit::Miss, "a late 50 does not exist");
    }
}

#[test]
fn a_press_is_for_the_columns_current_note_alone() {
    let map = map(2, 5.0, &[(0, 1000, None), (1, 1000, None), (0, 1110, None)]);
    let results = |held: &[(i32, u32)]| {
        let play = judged(&map, 0, held);
        play.objects.iter().map(|object| object.result.unwrap()).collect::<Vec<_>>()
    };
    // Hit early, the first note stays current until its time: the press at 990 is for nothing.
    assert_eq!(
        results(&[(970, 1), (980, 0), (990, 1), (1000, 0), (1110, 1), (1130, 0), (4000, 0)]),
        [Hit::Great, Hit::Miss, Hit::Max]
    );
    // Late, the first note is still the one that is pressed.
    assert_eq!(results(&[(1105, 1), (1120, 0), (4000, 0)]), [Hit::Ok, Hit::Miss, Hit::Miss]);
    // What is far too early is no press at all; a little less early it takes the note away.
    assert_eq!(results(&[(826, 2), (840, 0), (1000, 2), (1010, 0), (4000, 0)])[1], Hit::Max);
    assert_eq!(results(&[(827, 2), (840, 0), (1000, 2), (1010, 0), (4000, 0)])[1], Hit::Miss);
    // Columns do not know each other.
    assert_eq!(results(&[(1000, 3), (1050, 2), (1110, 3), (1130, 0), (4000, 0)]), [Hit::Max; 3]);
}

/// A held note of a second at 1000.
fn hold(mods: u32, held: &[(i32, u32)]) -> Play {
    judged(&map(1, 5.0, &[(0, 1000, Some(2000))]), mods, held)
}

#[test]
fn held_notes_have_one_result_from_head_and_tail() {
    for (head, tail, wanted) in [
        (0, 0, Hit::Max),
        (19, 19, Hit::Max),
        (19, 20, Hit::Great),
        (20, 0, Hit::Great),
        (0, -39, Hit::Great),
        (-53, 54, Hit::Great),
        (-53, 55, Hit::Good),
        (-54, 0, Hit::Good),
        (82, 82, Hit::Good),
        (82, 83, Hit::Ok),
        (83, 0, Hit::Ok),
        (-112, -112, Hit::Ok),
        (-113, 0, Hit::Meh),
        (0, 135, Hit::Good),
        (0, 136, Hit::Ok),
        (0, 900, Hit::Ok),
    ] {
        let play = hold(0, &[(1000 + head, 1), (2000 + tail, 0), (4000, 0)]);
        assert_eq!(play.objects[0].result, Some(wanted), "head {head}, tail {tail}");
        assert_eq!(play.results, 1);
    }
}

#[test]
fn a_hold_that_breaks_is_worth_50_at_most() {
    for (held, wanted, why) in [
        (&[(1000, 1), (1500, 0), (1600, 1), (2000, 0)][..], Hit::Meh, "let go and taken up again"),
        (&[(1000, 1), (1887, 0)], Hit::Miss, "let go too early"),
        (&[(1000, 1), (1888, 0)], Hit::Good, "let go just late enough"),
        (&[(1300, 1), (2000, 0)], Hit::Meh, "the head was missed"),
        (&[(2001, 1), (2010, 0)], Hit::Miss, "after its end nothing begins"),
        (&[(1000, 1), (1500, 0), (2050, 1), (2060, 0)], Hit::Meh, "but what broke is taken up"),
        (&[], Hit::Miss, "never pressed"),
    ] {
        let held: Vec<_> = held.iter().copied().chain([(5000, 0)]).collect();
        assert_eq!(hold(0, &held).objects[0].result, Some(wanted), "{why}");
    }
    let play = hold(0, &[(1000, 1), (1500, 0), (1600, 1), (2000, 0)]);
    let broken = play.events.iter().find(|event| event.kind == EventKind::Hold(false)).unwrap();
    assert_eq!((broken.at, broken.after.combo), (1_500_000, 0));
    assert_eq!(play.objects[0].followed, [(1_000_000, 1_500_000), (1_600_000, 2_000_000)]);
}

#[test]
fn holding_gives_combo() {
    assert_eq!(hold(0, &[(1000, 1), (2000, 0)]).end.max_combo, 11);
    // Of a press before its time, but not of what is held beyond the end.
    assert_eq!(hold(0, &[(990, 1), (2100, 0)]).end.max_combo, 11);
    assert_eq!(hold(0, &[(1010, 1), (2000, 0)]).end.max_combo, 10);
}

#[test]
fn with_score_v2_head_and_tail_have_results_of_their_own() {
    let play = hold(bits::SCORE_V2, &[(1060, 1), (2100, 0), (4000, 0)]);
    assert_eq!(list(play.end.counts), [0, 0, 2, 0, 0, 0], "releases may be half as far off again");
    assert_eq!(
        (play.objects[0].head, play.objects[0].result, play.results),
        (Some(Hit::Good), Some(Hit::Good), 2)
    );
    let play = hold(bits::SCORE_V2, &[(1000, 1), (2028, 0)]);
    assert_eq!(list(play.end.counts), [2, 0, 0, 0, 0, 0]);
    assert_eq!(play.end.score, 1_000_000);
    let missed = hold(bits::SCORE_V2, &[(4000, 0)]);
    assert_eq!(list(missed.end.counts), [0, 0, 0, 0, 0, 2]);
    let broken = hold(bits::SCORE_V2, &[(1000, 1), (1500, 0), (1600, 1), (2000, 0)]);
    assert_eq!(list(broken.end.counts), [1, 0, 0, 0, 1, 0]);
}

#[test]
fn scores_end_at_a_million() {
    let objects: Vec<_> = (0..20).map(|index| (index % 4, 1000 + index * 100, None)).collect();
    let map = map(4, 8.0, &objects);
    let perfect: Vec<_> =
        objects.iter().flat_map(|(column, at, _)| [(*at, 1 << column), (*at + 50, 0)]).collect();
    for (mods, score) in [(0, 1_000_000), (bits::EASY, 500_000), (bits::SCORE_V2, 1_000_000)] {
        assert_eq!(judged(&map, mods, &perfect).end.score, score, "mods {mods}");
    }
    let play = judged(&map, 0, &perfect[2..]);
    assert_eq!(list(play.end.counts), [19, 0, 0, 0, 0, 1]);
    assert_eq!((play.end.accuracy, play.end.max_combo), (950_000, 18));
    // The first is missed only after the second was hit: from then on the bonus, 32 of 320 times its root, begins at nothing.
    let bonus: f64 = (1..=18_u32).map(|count| f64::from(2 * count).sqrt() * 0.1).sum();
    assert_eq!(play.end.score, (25_000.0 * (19.0 + 1.0 + bonus)).round() as i64);
    assert_eq!(play.presses.len(), 19);
    assert_eq!(play.presses[0].key, 1);
}

#[test]
fn columns_follow_from_places_and_mirror() {
    let objects: Vec<_> = (0..7).map(|column| (column, 1000 + column * 100, None)).collect();
    let map = map(7, 5.0, &objects);
    let columns = |mods: u32| {
        let field = place(&map, &Mods::stable(mods).unwrap(), &Limits::default()).unwrap();
        field.objects.iter().map(|object| object.column).collect::<Vec<_>>()
    };
    assert_eq!(columns(0), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(columns(bits::MIRROR), [6, 5, 4, 3, 2, 1, 0]);
}

/// Of the stage of four columns at 640 x 360: the brightest pixel of a column, from row to row.
fn brightest(picture: &replay::draw::Picture, column: usize, rows: std::ops::Range<u32>) -> u8 {
    let left = 251 + column as u32 * 34;
    let of_row = |y: u32| (left + 4..left + 30).map(move |x| picture.y[(y * picture.width + x) as usize]);
    rows.flat_map(of_row).max().unwrap()
}

#[test]
fn notes_fall_to_the_line_at_their_time() {
    let production = scenes::open(maps::MANIA, &Plan::with(&[(0, Act::Press(40)), (1, Act::Skip)]));
    // A note whose time it is and that is not pressed yet stands on the line, at 294 of 360.
    let at = |milliseconds| scenes::at(&production, milliseconds);
    assert!(brightest(&at(2000), 0, 284..290) > 200);
    assert!(brightest(&at(2000), 0, 230..270) < 60);
    assert!(brightest(&at(1900), 0, 284..290) < 60, "it is not there before");
    assert!(brightest(&at(2430), 1, 230..270) > 120, "the next one comes");
    assert!(brightest(&at(2550), 1, 200..290) < 60, "what is missed falls on, behind the keys");
    assert_eq!(at(2300), at(2300));
}

#[test]
fn hidden_hides_what_comes_near() {
    let near = |mods| {
        let production = scenes::open(maps::MANIA_HOLDS, &Plan { mods, ..Plan::default() });
        brightest(&scenes::at(&production, 2450), 1, 260..284)
    };
    assert!(near(0) > 150);
    assert!(near(bits::HIDDEN) < 60);
    assert!(near(bits::FLASHLIGHT) < 60);
    assert!(near(bits::FADE_IN) > 150, "Fade In hides what is far");
}

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
        let off: u64 = differences.iter().map(|difference| difference.unsigned_abs()).sum();
        assert!(off <= 16, "{} results are others", off / 2);
        exact += usize::from(off == 0 && end.max_combo == replay.max_combo);
    }
    println!("{exact} of {} are exact", rows.len());
    assert!(exact >= 3 || rows.is_empty());
}
