//! Where osu!'s rules change their mind, on maps and replays of our own: hit windows, note lock, sliders, spinners, stacks, combos.
//!
//! The windows and the scenes of the note lock are those that osu!lazer tests itself with (`TestSceneLegacyReplayPlayback`,
//! `TestSceneLegacyHitPolicy`, `TestSceneStartTimeOrderedHitPolicy`); they hold in stable and in lazer.

use replay::{
    beatmap::Beatmap,
    error::ReplayError,
    limits::Limits,
    mods::{Mods, bits},
    osr::{FIRST_LAZER, Frame, Lazer, Mode, Replay},
    play::{EventKind, Hit, Play, State},
    standard::{
        judge::{judge, life_at},
        objects::{Field, place},
    },
    testing::bare,
};

mod fields;
mod locks;

const L: u8 = 1;
const R: u8 = 2;

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Game {
    Stable,
    Lazer,
    LazerClassic,
}

/// A map. `od` is its overall difficulty, `objects` its lines.
fn map(od: f32, objects: &str) -> Beatmap {
    map_of(14, od, 1.0, objects)
}

fn map_of(version: u32, od: f32, leniency: f32, objects: &str) -> Beatmap {
    read(version, od, leniency, objects).unwrap()
}

fn read(version: u32, od: f32, leniency: f32, objects: &str) -> Result<Beatmap, ReplayError> {
    let text = format!(
        "osu file format v{version}\n\n[General]\nStackLeniency: {leniency}\nMode: 0\n\n[Difficulty]\nHPDrainRate:5\n\
         CircleSize:5\nOverallDifficulty:{od}\nApproachRate:5\nSliderMultiplier:1.4\nSliderTickRate:3\n\n\
         [TimingPoints]\n0,1000,4,1,0,100,1,0\n\n[HitObjects]\n{objects}\n"
    );
    Beatmap::read(text.as_bytes(), &Limits::default())
}

/// A replay of these movements `(milliseconds, x, y, held)`. What is held and where stays until the next one, in frames of 10 ms,
/// and for two seconds after the last.
fn replay(game: Game, mods: u32, moves: &[(i32, f32, f32, u8)]) -> Replay {
    let mut frames = vec![Frame { at: 0, x: 256.0, y: -500.0, keys: 0 }];
    for (index, &(at, x, y, keys)) in moves.iter().enumerate() {
        let until = moves.get(index + 1).map_or(at + 2000, |next| next.0);
        frames.extend((at..until).step_by(10).map(|at| Frame { at, x, y, keys }));
    }
    let acronyms: &[&str] = match (game, mods) {
        (Game::LazerClassic, 0) => &["CL"],
        (Game::LazerClassic, bits::HARD_ROCK) => &["CL", "HR"],
        (Game::LazerClassic, bits::EASY) => &["CL", "EZ"],
        (Game::LazerClassic, bits::AUTOPILOT) => &["CL", "AP"],
        (Game::Lazer, bits::HARD_ROCK) => &["HR"],
        (Game::Lazer, bits::EASY) => &["EZ"],
        _ => &[],
    };
    let list: Vec<_> = acronyms.iter().map(|acronym| serde_json::json!({ "acronym": acronym })).collect();
    let lazer = (game != Game::Stable).then(|| Lazer { json: serde_json::json!({ "mods": list }) });
    let version = if game == Game::Stable { 20_200_427 } else { FIRST_LAZER + 16 };
    Replay { lazer, ..bare(Mode::Standard, version, mods, frames) }
}

fn judged(map: &Beatmap, replay: &Replay) -> Play {
    let mods = Mods::of(replay).unwrap();
    let field = place(map, &mods, &Limits::default()).unwrap();
    judge(replay, map, &mods, &field).unwrap()
}

fn placed(map: &Beatmap, mods: u32) -> Field {
    place(map, &Mods::stable(mods).unwrap(), &Limits::default()).unwrap()
}

fn results(play: &Play) -> Vec<Option<Hit>> {
    play.objects.iter().map(|outcome| outcome.result).collect()
}

/// The offset in milliseconds at which each window ends, from the tables of osu!lazer's tests.
#[test]
fn a_press_counts_by_whole_milliseconds() {
    let table = [
        (5.0, 0, [50, 100, 150]),
        (5.7, 0, [45, 94, 143]),
        (5.0, bits::HARD_ROCK, [38, 84, 130]),
        (8.0, bits::HARD_ROCK, [20, 60, 100]),
        (5.0, bits::EASY, [65, 120, 175]),
        (0.0, 0, [80, 140, 200]),
        (10.0, 0, [20, 60, 100]),
    ];
    let kinds = [Hit::Great, Hit::Ok, Hit::Meh, Hit::Miss];
    for game in [Game::Stable, Game::Lazer, Game::LazerClassic] {
        for (od, mods, ends) in table {
            let map = map(od, "256,192,1000,1,0");
            for (index, end) in ends.into_iter().enumerate() {
                for (off, wanted) in [(end - 1, kinds[index]), (end, kinds[index + 1])] {
                    for sign in [-1, 1] {
                        let replay = replay(
                            game,
                            mods,
                            &[(990 - 500, 256.0, 192.0, 0), (1000 + sign * off, 256.0, 192.0, L)],
                        );
                        let play = judged(&map, &replay);
                        assert_eq!(
                            results(&play),
                            [Some(wanted)],
                            "{game:?} OD {od} {mods} at {}",
                            sign * off
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_press_further_away_than_400_ms_shakes() {
    for game in [Game::Stable, Game::Lazer, Game::LazerClassic] {
        for (early, shaken) in [(401, 1), (399, 0)] {
            let replay = replay(game, 0, &[(1500 - early, 100.0, 100.0, L), (1200, 100.0, 100.0, 0)]);
            let play = judged(&map(5.0, "100,100,1500,1,0"), &replay);
            assert_eq!(play.objects[0].shaken.len(), shaken, "{game:?}");
            assert_eq!(results(&play), [Some(Hit::Miss)]);
            // What is judged by a press is judged then.
            assert_eq!(play.objects[0].judged < 1_500_000, shaken == 0);
        }
    }
}

#[test]
fn missed_circles_are_judged_one_millisecond_after_their_window() {
    let map = map(9.0, "100,100,1000,1,0");
    for (game, at) in [(Game::Stable, 1_111_000), (Game::Lazer, 1_110_000)] {
        let mut replay = replay(game, 0, &[(500, 0.0, 0.0, 0)]);
        replay.frames = (500..1500).map(|at| Frame { at, x: 0.0, y: 0.0, keys: 0 }).collect();
        assert_eq!(judged(&map, &replay).objects[0].judged, at, "{game:?}");
    }
}

/// A slider of 500 ms along 70 osu! pixels without ticks in the way: 140 px a second, from (100, 100) to the right.
const SLIDER: &str = "100,100,1000,2,0,L|170:100,1,70";

/// Kinds and catches of a slider's parts, in order.
fn parts(play: &Play) -> Vec<bool> {
    let caught = |kind| match kind {
        EventKind::Head(caught)
        | EventKind::Tick(caught, _)
        | EventKind::Repeat(caught, _)
        | EventKind::Tail(caught) => Some(caught),
        _ => None,
    };
    play.events.iter().filter_map(|event| caught(event.kind)).collect()
}

#[test]
fn a_sliders_end_is_caught_36_ms_before_it() {
    // One tick, at 1000 / 3 ms.
    for game in [Game::Stable, Game::Lazer, Game::LazerClassic] {
        for (released, caught) in [(1464, false), (1465, true), (1470, true)] {
            let moves = [
                (1000, 135.0, 100.0, 0),
                (1000, 120.0, 100.0, L),
                (1200, 150.0, 100.0, L),
                (released, 150.0, 100.0, 0),
            ];
            let mut replay = replay(game, 0, &moves);
            replay.frames.retain(|frame| frame.at < 1000);
            replay.frames.extend((1000..1600).map(|at| {
                let x = if at < 1200 { 120.0 } else { 150.0 };
                Frame { at, x, y: 100.0, keys: if at < released { L } else { 0 } }
            }));
            let play = judged(&map(5.0, SLIDER), &replay);
            assert_eq!(parts(&play), [true, true, caught], "{game:?} {released}");
            let wanted = if game == Game::Lazer || caught { Hit::Great } else { Hit::Ok };
            assert_eq!(results(&play), [Some(wanted)], "{game:?} {released}");
        }
    }
}

#[test]
fn following_begins_in_the_circle_and_ends_beyond_it() {
    // The ball is at 146.7 when the tick comes (1333 ms); the circle's radius is 32.
    let radius = placed(&map(5.0, SLIDER), 0).radius;
    assert!((radius - 32.0 * 1.000_41).abs() < 1e-3);
    for game in [Game::Stable, Game::Lazer, Game::LazerClassic] {
        for (away, followed, caught) in [
            (20.0, true, true),
            (70.0, true, true),
            (80.0, true, false),
            (20.0, false, true),
            (40.0, false, false),
        ] {
            // Pressed on the head and followed, or held from before and coming near only then.
            let mut replay = replay(game, 0, &[]);
            replay.frames.extend((900..1700).map(|at| {
                let ball = 100.0 + 0.14 * (at - 1000).clamp(0, 500) as f32;
                let held = at >= if followed { 1000 } else { 900 };
                let x = if at < 1250 { if followed { ball } else { 400.0 } } else { ball + away };
                Frame { at, x, y: 100.0, keys: if held { L } else { 0 } }
            }));
            let play = judged(&map(5.0, SLIDER), &replay);
            assert_eq!(parts(&play).get(1), Some(&caught), "{game:?} {away} {followed}");
            assert_eq!(play.objects[0].followed.is_empty(), !followed && !caught);
        }
    }
}

#[test]
fn what_is_lost_can_be_regained() {
    for (game, wanted) in [(Game::Stable, Hit::Ok), (Game::LazerClassic, Hit::Ok), (Game::Lazer, Hit::Great)]
    {
        let mut replay = replay(game, 0, &[]);
        replay.frames.extend((900..1700).map(|at| {
            let ball = 100.0 + 0.14 * (at - 1000).clamp(0, 500) as f32;
            let lost = (1300..1350).contains(&at);
            Frame { at, x: ball, y: if lost { 300.0 } else { 100.0 }, keys: if at < 1000 { 0 } else { L } }
        }));
        let play = judged(&map(5.0, SLIDER), &replay);
        assert_eq!(parts(&play), [true, false, true], "{game:?}");
        assert_eq!(results(&play), [Some(wanted)]);
        assert_eq!(play.objects[0].followed.len(), 2);
        let State { max_combo, combo, slider_breaks, .. } = play.end;
        assert_eq!((max_combo, combo, slider_breaks), (1, 1, 1), "{game:?}");
    }
}

#[test]
fn a_key_that_was_held_before_does_not_follow_for_the_one_that_hit() {
    // Held since before: Z. The head is hit with X, which is let go: only Z is held then.
    for game in [Game::Stable, Game::Lazer] {
        let mut replay = replay(game, 0, &[]);
        replay.frames.extend((900..1700).map(|at| {
            let ball = 100.0 + 0.14 * (at - 1000).clamp(0, 500) as f32;
            let keys = if (1000..1100).contains(&at) { L | R } else { L };
            Frame { at, x: if at < 990 { 400.0 } else { ball }, y: 100.0, keys }
        }));
        let play = judged(&map(5.0, SLIDER), &replay);
        assert_eq!(parts(&play), [true, false, false], "{game:?}");
    }
}

/// A spinner of two seconds, turned evenly this many times.
fn spun(game: Game, od: f32, turns: f32) -> Play {
    let mut replay = replay(game, 0, &[]);
    replay.frames.extend((0..=150).map(|step| {
        // Sixty frames a second, as the games write them.
        let at = 1000 + step * 50 / 3;
        let angle = (at - 1000) as f32 / 2000.0 * turns * std::f32::consts::TAU;
        Frame { at, x: 256.0 + 100.0 * angle.cos(), y: 192.0 + 100.0 * angle.sin(), keys: L }
    }));
    judged(&map(od, "256,192,1000,12,0,3000"), &replay)
}

#[test]
fn spinners_need_turns_by_their_difficulty() {
    // Lazer: 150 turns a minute at OD 5, so five; more than 0.9 and 0.75 of them give less.
    for (turns, wanted) in
        [(5.1, Hit::Great), (4.9, Hit::Ok), (4.4, Hit::Meh), (3.6, Hit::Miss), (0.0, Hit::Miss)]
    {
        assert_eq!(results(&spun(Game::Lazer, 5.0, turns)), [Some(wanted)], "{turns}");
    }
    let play = spun(Game::Lazer, 5.0, 9.2);
    // Five and two more give small bonuses, what comes then large ones.
    assert_eq!((play.end.lazer.small_bonus, play.end.lazer.large_bonus), (7, 2));
    assert_eq!(play.objects[0].needed_turns, 5000);
    assert!(play.objects[0].cleared.is_some_and(|at| (2_000_000..2_200_000).contains(&at)));
    // Stable: ten half turns in two seconds at OD 5, one more for 300, one less for 50.
    let results: Vec<_> =
        [0.0, 2.0, 4.0, 6.5, 8.0].iter().map(|turns| results(&spun(Game::Stable, 5.0, *turns))[0]).collect();
    assert_eq!([results[0], results[1], results[4]], [Some(Hit::Miss), Some(Hit::Miss), Some(Hit::Great)]);
    assert!(spun(Game::Stable, 5.0, 8.0).end.score > spun(Game::Stable, 5.0, 7.0).end.score);
    // Turning back and forth within a turn is none in lazer.
    assert_eq!(spun(Game::Lazer, 5.0, 0.9).end.lazer.small_bonus, 0);
}

#[test]
fn relax_presses_by_itself_and_score_v2_is_refused() {
    let map = map(5.0, "100,100,1000,1,0\n300,300,1300,1,0");
    let moves = [(900, 100.0, 100.0, 0), (1150, 300.0, 300.0, 0)];
    assert_eq!(results(&judged(&map, &replay(Game::Stable, bits::RELAX, &moves))), [Some(Hit::Great); 2]);
    assert_eq!(results(&judged(&map, &replay(Game::Stable, 0, &moves))), [Some(Hit::Miss); 2]);
    let replay = replay(Game::Stable, bits::SCORE_V2, &moves);
    let mods = Mods::of(&replay).unwrap();
    let field = place(&map, &mods, &Limits::default()).unwrap();
    assert!(matches!(judge(&replay, &map, &mods, &field), Err(ReplayError::ModsUnsupported { .. })));
}

#[test]
fn keys_are_not_mouse_buttons() {
    let mut replay = replay(Game::Stable, 0, &[]);
    let frames = [(0, 0), (100, 5), (150, 7), (200, 2), (250, 10), (300, 0)];
    replay.frames = frames.map(|(at, keys)| Frame { at, x: 0.0, y: 0.0, keys }).into();
    let play = judged(&map(5.0, "100,100,1000,1,0"), &replay);
    let presses: Vec<_> =
        play.presses.iter().map(|press| (press.key, press.from / 1000, press.to / 1000)).collect();
    assert_eq!(presses, [(0, 100, 200), (3, 150, 250), (1, 250, 300)]);
}

#[test]
fn life_is_the_replays_own_or_follows_the_results() {
    let map = map(5.0, "100,100,1000,1,0\n300,300,1300,1,0");
    let mut replay = replay(Game::Stable, 0, &[(900, 0.0, 0.0, 0)]);
    let play = judged(&map, &replay);
    assert_eq!(life_at(&replay, &play, 0), 1_000_000);
    assert_eq!(life_at(&replay, &play, 2_000_000), 820_000);
    replay.life = vec![(0, 1.0), (1000, 0.5), (2000, 0.75)];
    let lives = [-1, 0, 500, 1000, 1500, 3000].map(|at| life_at(&replay, &play, at * 1000));
    assert_eq!(lives, [1_000_000, 1_000_000, 750_000, 500_000, 625_000, 750_000]);
}

#[test]
fn hostile_maps_are_judged_or_refused_without_harm() {
    let objects = [
        "100,100,1000,2,0,L|100:100,1,0\n100,100,1000,2,0,B|100:100|100:100,9000,1",
        "100,100,5000,1,0\n100,100,-2000000000,1,0\n100,100,2000000000,2,0,P|1:1|2:2,3,100000",
        "0,0,1000,12,0,500\n0,0,1000,8,0,2000000000\n131072,-131072,1000,2,0,L|-131072:131072,9000,131072",
        "0,0,0,128,0,5:0:0:0:0:\n256,192,10,2,0,C|1:1|1:1|1:1,2,NaN\n9,9,20,1,0",
    ];
    for text in objects {
        for game in [Game::Stable, Game::Lazer, Game::LazerClassic] {
            let Ok(map) = read(14, 5.0, 1.0, text) else { continue };
            let replay =
                replay(game, 0, &[(0, 100.0, 100.0, L), (990, 100.0, 100.0, 0), (1000, 100.0, 100.0, L | R)]);
            let mods = Mods::of(&replay).unwrap();
            if let Ok(field) = place(&map, &mods, &Limits::default()) {
                let play = judge(&replay, &map, &mods, &field).unwrap();
                assert!(play.events.is_sorted_by_key(|event| event.at), "{text}");
            }
        }
    }
}
