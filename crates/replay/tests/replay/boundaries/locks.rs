//! Which object a press is for: stable's note lock, and lazer's own.

use replay::{mods::bits, play::Hit};

use super::{Game, L, R, judged, map, replay, results};

/// A scene: its name, objects, movements, results, and which objects shake.
type Scene = (&'static str, &'static str, Vec<(i32, f32, f32, u8)>, Vec<Hit>, &'static [usize]);

fn locks() -> Vec<Scene> {
    let two = "0,0,1500,1,0\n80,80,1600,1,0";
    let overlapping = "100,50,1000,2,0,L|125:50,1,25\n100,80,1200,2,0,L|125:80,1,25";
    let (great, ok, meh, miss) = (Hit::Great, Hit::Ok, Hit::Meh, Hit::Miss);
    vec![
        ("the second before the first's time", two, vec![(1400, 80.0, 80.0, L)], vec![miss, miss], &[1]),
        ("the second at the first's time", two, vec![(1500, 80.0, 80.0, L)], vec![miss, miss], &[1]),
        ("the second after the first's time", two, vec![(1600, 80.0, 80.0, L)], vec![miss, miss], &[1]),
        (
            "the second before the first's time, the first judged",
            two,
            vec![(1310, 0.0, 0.0, L), (1410, 80.0, 80.0, R)],
            vec![meh, meh],
            &[],
        ),
        (
            "the second after the first's time, the first judged",
            two,
            vec![(1310, 0.0, 0.0, L), (1500, 80.0, 80.0, R)],
            vec![meh, ok],
            &[],
        ),
        (
            "a circle before a slider's head",
            "80,80,1500,2,0,L|130:80,1,50\n0,0,1510,1,0",
            vec![(1500, 0.0, 0.0, L), (1510, 80.0, 80.0, R)],
            vec![great, great],
            &[],
        ),
        (
            "a slider's ticks before a circle",
            "30,30,1500,2,0,L|80:30,1,50\n0,0,1510,1,0",
            vec![(1500, 30.0, 30.0, L), (1610, 0.0, 0.0, R), (1620, 30.0, 30.0, L)],
            vec![great, ok],
            &[],
        ),
        (
            "a slider's head before a circle",
            "0,0,1000,1,0\n80,80,1200,2,0,L|105:80,1,25",
            vec![(900, 80.0, 80.0, L), (1000, 0.0, 0.0, R), (1200, 80.0, 80.0, L)],
            vec![great, great],
            &[1],
        ),
        (
            "overlapping sliders",
            overlapping,
            vec![
                (1000, 100.0, 65.0, R),
                (1025, 100.0, 65.0, L | R),
                (1050, 100.0, 65.0, 0),
                (1200, 100.0, 90.0, L),
            ],
            vec![ok, great],
            &[],
        ),
        (
            "a press does not fall through a slider",
            "100,50,1000,2,0,L|125:50,1,25\n100,80,1250,2,0,L|125:80,1,25",
            vec![(1000, 100.0, 65.0, R), (1025, 100.0, 65.0, L), (1050, 100.0, 65.0, 0)],
            vec![ok, miss],
            &[],
        ),
        (
            "a slider that is judged is no obstacle",
            "100,50,1000,2,0,L|125:50,1,25\n100,80,1600,2,0,L|125:80,1,25",
            vec![
                (1000, 100.0, 65.0, R),
                (1025, 100.0, 65.0, 0),
                (1650, 100.0, 65.0, L),
                (1675, 100.0, 65.0, 0),
            ],
            vec![ok, ok],
            &[],
        ),
        (
            "overlapping circles",
            "100,100,1000,1,0\n120,120,1200,1,0",
            vec![(1000, 110.0, 110.0, L), (1025, 110.0, 110.0, 0), (1050, 110.0, 110.0, R)],
            vec![great, meh],
            &[],
        ),
        (
            "a circle where another was",
            "100,100,1000,1,0\n200,200,1200,1,0\n100,100,1400,1,0",
            vec![
                (1000, 100.0, 100.0, L),
                (1050, 100.0, 100.0, 0),
                (1200, 200.0, 200.0, L),
                (1250, 200.0, 200.0, 0),
                (1400, 100.0, 100.0, L),
            ],
            vec![great, great, great],
            &[],
        ),
    ]
}

#[test]
fn the_note_lock_of_stable_holds_in_all_scenes() {
    for game in [Game::Stable, Game::LazerClassic] {
        for (name, objects, moves, wanted, shaken) in locks() {
            let play = judged(&map(0.0, objects), &replay(game, 0, &moves));
            let wanted: Vec<_> = wanted.into_iter().map(Some).collect();
            assert_eq!(results(&play), wanted, "{game:?}: {name}");
            let shakes = play.objects.iter().enumerate().filter(|(_, outcome)| !outcome.shaken.is_empty());
            assert_eq!(shakes.map(|(index, _)| index).collect::<Vec<_>>(), shaken, "{game:?}: {name}");
        }
    }
}

#[test]
fn stacks_do_not_shake_and_autopilot_comes_closer() {
    let stack: Vec<String> = (0..20).map(|index| format!("80,80,{},1,0", 1000 + index * 100)).collect();
    let circle = map(0.0, "0,0,1500,1,0");
    for game in [Game::Stable, Game::LazerClassic] {
        let play = judged(&map(0.0, &stack.join("\n")), &replay(game, 0, &[(550, 55.0, 55.0, L)]));
        assert!(play.objects.iter().all(|outcome| outcome.shaken.is_empty()), "{game:?}");
        let play = judged(&circle, &replay(game, bits::AUTOPILOT, &[(1250, 0.0, 0.0, L)]));
        assert_eq!(play.objects[0].shaken, [1_250_000], "{game:?}");
        assert_eq!(results(&play), [Some(Hit::Miss)]);
    }
}

#[test]
fn a_circle_in_a_spinner_can_be_hit() {
    for game in [Game::Stable, Game::LazerClassic] {
        let map = map(0.0, "256,192,1500,12,0,2500\n0,0,1600,5,0");
        let play = judged(&map, &replay(game, 0, &[(1410, 0.0, 0.0, L)]));
        assert_eq!(play.objects[1].result, Some(Hit::Meh), "{game:?}");
    }
}

#[test]
fn lazers_own_lock_ends_at_the_first_circles_time_and_then_misses_it() {
    let map = map(0.0, "0,0,1500,1,0\n80,80,1600,1,0");
    for (at, wanted, shaken) in [(1499, [Hit::Miss, Hit::Miss], 1), (1500, [Hit::Miss, Hit::Ok], 0)] {
        let play = judged(&map, &replay(Game::Lazer, 0, &[(at, 80.0, 80.0, L)]));
        assert_eq!(results(&play), wanted.map(Some), "{at}");
        assert_eq!(play.objects[1].shaken.len(), shaken);
    }
}
