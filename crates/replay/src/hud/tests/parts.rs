//! Each part alone: the numbers that it chooses, and where it puts what it draws.

use super::{
    super::{
        breaks::Breaks,
        counters::{Accuracy, Combo, Score, count},
        keys::{Keys, Pressed},
        life::Life,
        meters::{AimErrors, HitErrors, average},
        numbers::hundredths,
        performance::Performance,
        progress::Progress,
        rank::{Grade, Grading},
    },
    fixture::Fixture,
    *,
};
use crate::{
    mods::{Mods, bits},
    osr::Counts,
    play::{Hit, State},
    time::Speed,
};

fn timeline(fixture: &Fixture) -> Timeline {
    Timeline::new(&fixture.stage(), &Performance::of(&fixture.stage()))
}

#[test]
fn what_is_shown_is_the_state_of_the_play() {
    for mode in [Mode::Standard, Mode::Taiko, Mode::Mania] {
        let fixture = Fixture::new(mode, (640, 360));
        let timeline = timeline(&fixture);
        let grading = Grading::of(&fixture.stage());
        for at in (-1_000_000..27_000_000).step_by(33_333) {
            let (now, state) = (timeline.now(fixture.moment(at), 255), fixture.play.state(at));
            let reading = now.reading;
            assert_eq!((reading.score, reading.combo), (state.score, state.combo), "{mode:?} {at}");
            assert_eq!((reading.counts, reading.accuracy), (state.counts, state.accuracy), "{mode:?} {at}");
            assert_eq!(reading.grade, grading.grade(&state));
            assert_eq!(reading.unstable_rate, state.unstable_rate());
            assert!(reading.at <= at && reading.combo_at <= reading.at);
        }
    }
}

#[test]
fn a_broken_combo_is_known_with_its_length() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let timeline = timeline(&fixture);
    // The sixth object, at 4.5 s, is missed.
    let before = *timeline.now(fixture.moment(4_600_000), 255).reading;
    let after = *timeline.now(fixture.moment(4_660_000), 255).reading;
    assert_eq!((before.combo, after.combo, after.broken), (5, 0, (5, 4_650_000)));
}

#[test]
fn digits_are_those_of_the_numbers() {
    assert_eq!(Score::digits(0), ("00000000".to_owned(), 7));
    assert_eq!(Score::digits(1_204_050), ("01204050".to_owned(), 1));
    assert_eq!(Score::digits(123_456_789), ("123456789".to_owned(), 0));
    assert_eq!(Score::digits(-5).0, "00000000");
    assert_eq!(Accuracy::digits(1_000_000), "100.00%");
    assert_eq!(Accuracy::digits(998_299), "99.82%");
    assert_eq!(Accuracy::digits(0), "0.00%");
    assert_eq!(hundredths(8405), "84.05");
    let counts = Counts { n300: 1, n100: 2, n50: 3, geki: 4, katu: 5, miss: 6 };
    let all = [Hit::Max, Hit::Great, Hit::Good, Hit::Ok, Hit::Meh, Hit::Miss].map(|hit| count(&counts, hit));
    assert_eq!(all, [4, 1, 5, 2, 3, 6]);
}

#[test]
fn the_combo_pops_and_comes_to_rest() {
    let sizes = [0, 40_000, 80_000, 120_000, 159_999, 160_001, 1_000_000].map(Combo::size);
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    assert_eq!((sizes[0], sizes[5], sizes[6]), (3, 0, 0));
}

/// The digits on the picture are those of the state: what the HUD draws is what its font writes of the state's combo.
#[test]
fn the_digits_on_the_picture_are_those_of_the_state() {
    let mut fixture = Fixture::new(Mode::Standard, (640, 360));
    fixture.all_off();
    fixture.options.hud.combo = true;
    let hud = Hud::new(&fixture.stage());
    let combo = |hud: &Hud, at: i64| {
        let mut picture = Picture::new(640, 360);
        hud.draw(fixture.moment(at), &mut picture);
        picture
    };
    // 0.4 s after each object, when the combo is at rest: alike exactly where the combo is alike.
    let times: Vec<i64> = fixture::times().map(|at| at * 1000 + 400_000).collect();
    let pictures: Vec<(u32, Picture)> =
        times.iter().map(|at| (fixture.play.state(*at).combo, combo(&hud, *at))).collect();
    for (one, picture) in &pictures {
        for (other, its) in &pictures {
            assert_eq!(one == other, picture == its, "{one} and {other}");
        }
    }
}

#[test]
fn grades_change_where_they_should() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let stable = Grading::of(&fixture.stage());
    let state = |n300, n100, n50, miss| State {
        counts: Counts { n300, n100, n50, miss, ..Counts::default() },
        accuracy: 900_000,
        ..State::default()
    };
    for (counts, grade) in [
        ((0, 0, 0, 0), Grade::X),
        ((100, 0, 0, 0), Grade::X),
        ((91, 9, 0, 0), Grade::S),
        ((91, 8, 1, 0), Grade::S),
        ((91, 7, 2, 0), Grade::A),
        ((90, 10, 0, 0), Grade::A),
        ((91, 8, 0, 1), Grade::A),
        ((81, 19, 0, 0), Grade::A),
        ((81, 18, 0, 1), Grade::B),
        ((71, 29, 0, 0), Grade::B),
        ((71, 28, 0, 1), Grade::C),
        ((61, 39, 0, 0), Grade::C),
        ((60, 40, 0, 0), Grade::D),
    ] {
        let (n300, n100, n50, miss) = counts;
        assert_eq!(stable.grade(&state(n300, n100, n50, miss)), grade, "{counts:?}");
    }
    assert!(stable.silver, "it is played with Hidden");
    let mut lazer = Fixture::new(Mode::Standard, (640, 360));
    lazer.replay.version = 30_000_016;
    let lazer = Grading::of(&lazer.stage());
    let of = |accuracy, miss| lazer.grade(&State { accuracy, ..state(1, 0, 0, miss) });
    assert_eq!(
        [of(1_000_000, 0), of(950_000, 0), of(949_999, 0), of(990_000, 1), of(899_999, 0), of(699_999, 0)],
        [Grade::X, Grade::S, Grade::A, Grade::A, Grade::B, Grade::D]
    );
}

#[test]
fn keys_are_lit_while_they_are_held() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let (stage, timeline) = (fixture.stage(), timeline(&fixture));
    let keys = Keys::new(&Kit::new(&stage), (60, 300));
    let at = |key: usize, at: i64| keys.pressed(key, &timeline.now(fixture.moment(at), 255));
    // Objects at 2 s, 3 s, … are pressed with the first key 3 ms early and held for 80 ms; that at 4 s late.
    assert_eq!(at(0, 1_996_999), Pressed { count: 0, light: 0 });
    assert_eq!(at(0, 1_997_000), Pressed { count: 1, light: 255 });
    assert_eq!(at(0, 2_076_999), Pressed { count: 1, light: 255 });
    assert!((1..255).contains(&at(0, 2_137_000).light));
    assert_eq!(at(0, 2_300_000), Pressed { count: 1, light: 0 });
    assert_eq!(at(1, 2_300_000), Pressed { count: 0, light: 0 });
    let pressed = fixture.play.presses.iter().filter(|press| press.key == 1).count();
    assert_eq!(at(1, 60_000_000).count, pressed);
    assert_eq!(at(7, 0), Pressed { count: 0, light: 0 });
}

#[test]
fn errors_lie_where_they_were() {
    let fixture = Fixture::new(Mode::Standard, (1280, 720));
    let (stage, timeline) = (fixture.stage(), timeline(&fixture));
    let performance = Performance::of(&stage);
    // OD 5.
    assert_eq!(
        performance.windows.iter().map(|(hit, _)| *hit).collect::<Vec<_>>(),
        [Hit::Great, Hit::Ok, Hit::Meh]
    );
    assert!(
        performance
            .windows
            .iter()
            .zip([50_000, 100_000, 150_000])
            .all(|((_, window), wanted)| { window.abs_diff(wanted) <= 1000 })
    );
    let meter = HitErrors::new(&Kit::new(&stage), &performance.windows).unwrap();
    assert_eq!((meter.place(0), meter.place(75_000), meter.place(-75_000)), (0, 65, -65));
    assert!(meter.place(i64::from(i32::MAX)) < 160, "what is beyond stays near");
    let mean = |at: i64| average(&timeline.now(fixture.moment(at), 255));
    assert_eq!(mean(0), None);
    assert_eq!(mean(3_900_000), Some(-3000));
    // The late press at 4 s comes in slowly.
    let (early, later) = (mean(4_061_000).unwrap(), mean(4_200_000).unwrap());
    assert!(-3000 < early && early < later && later < 60_000, "{early} {later}");
    let aim = AimErrors::new(&Kit::new(&stage), 700);
    let (middle, right) = (aim.place((0, 0)), aim.place((1000, 0)));
    assert_eq!((right.0 - middle.0, right.1 - middle.1), (44, 0));
}

#[test]
fn life_is_that_of_the_replay() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let stage = fixture.stage();
    let life = Life::new(&Kit::new(&stage));
    for (at, level) in
        [(-9_000_000, 1_000_000), (5_000_000, 1_000_000), (10_500_000, 600_000), (90_000_000, 200_000)]
    {
        assert!(life.level(at).abs_diff(level) < 10, "{at}: {}", life.level(at));
    }
}

#[test]
fn progress_goes_from_the_first_object_to_the_last() {
    let fixture = Fixture::new(Mode::Standard, (640, 360));
    let stage = fixture.stage();
    let progress = Progress::new(&Kit::new(&stage), &[255; 200]).unwrap();
    let done = [0, 2_000_000, 13_000_000, 24_000_000, 99_000_000].map(|at| progress.done(at, 200));
    assert_eq!(done, [0, 0, 100, 200, 200]);
}

#[test]
fn breaks_count_down_at_the_speed_of_the_play() {
    let mut fixture = Fixture::new(Mode::Standard, (640, 360));
    for (speed, seconds) in [(Speed::NORMAL, [7, 5, 1]), (Speed { map: 3, video: 2 }, [5, 3, 1])] {
        fixture.mods.speed = speed;
        fixture.clock.speed = speed;
        let (stage, timeline) = (fixture.stage(), timeline(&fixture));
        let breaks = Breaks::new(&Kit::new(&stage));
        let left = |at: i64| breaks.seconds_left(&timeline.now(fixture.moment(at), 255));
        assert_eq!([12_000_000, 14_500_000, 18_900_000].map(left), seconds.map(Some), "{speed:?}");
        assert_eq!((left(11_999_999), left(19_000_000)), (None, None));
    }
}

#[test]
fn misses_cost_pp_and_hard_rock_brings_some() {
    let mut fixture = Fixture::new(Mode::Standard, (640, 360));
    let missed = Performance::of(&fixture.stage());
    assert_eq!(missed.running.len(), fixture.play.events.len());
    assert_eq!(missed.running.last(), Some(&missed.pp));
    assert!(missed.stars > 0 && missed.pp > 0);
    assert!(missed.strains.iter().any(|strain| *strain > 150) && missed.strains.len() == 200);
    // During the break there is nothing to play.
    assert!(missed.strains[90..150].iter().all(|strain| *strain < 60), "{:?}", missed.strains);
    fixture.perfect();
    let perfect = Performance::of(&fixture.stage());
    assert!(perfect.pp > missed.pp, "{} {}", perfect.pp, missed.pp);
    assert!(perfect.running.is_sorted(), "each hit is worth something");
    fixture.mods = Mods::stable(bits::HIDDEN | bits::HARD_ROCK).unwrap();
    let harder = Performance::of(&fixture.stage());
    assert!(harder.stars > perfect.stars && harder.windows[0].1 < perfect.windows[0].1);
    fixture.mods = Mods::stable(bits::HIDDEN | bits::DOUBLE_TIME).unwrap();
    let faster = Performance::of(&fixture.stage());
    assert!(faster.stars > perfect.stars);
    assert_eq!(faster.windows, perfect.windows, "the map's own time does not change");
}

#[test]
fn other_modes_have_pp_too() {
    for mode in [Mode::Taiko, Mode::Mania] {
        let mut fixture = Fixture::new(mode, (640, 360));
        fixture.perfect();
        let performance = Performance::of(&fixture.stage());
        assert!(performance.stars > 0 && performance.pp > 0, "{mode:?}: {performance:?}");
        assert!(performance.running.iter().filter(|pp| **pp > 0).count() > 10, "{mode:?}");
    }
}

/// More objects than pp is computed at: it keeps its value in between, and ends with all of them.
#[test]
fn long_plays_have_pp_at_some_results_only() {
    let count = 9000;
    let objects: String = (0..count)
        .map(|index| {
            format!("{},{},{},1,0,0:0:0:0:\n", index * 37 % 512, index * 61 % 384, 1000 + index * 150)
        })
        .collect();
    let map = format!(
        "osu file format v14\n\n[Difficulty]\nSliderMultiplier:1.4\n\n[TimingPoints]\n0,500,4,1,0,80,1,0\n\n[HitObjects]\n{objects}"
    );
    let fixture = Fixture::of(Mode::Standard, &map, (640, 360));
    let performance = Performance::of(&fixture.stage());
    let steps = performance.running.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((1000..=4000).contains(&steps), "{steps}");
    assert_eq!(performance.running.len(), count);
    assert!(performance.pp > 0);
}

#[test]
fn a_map_that_would_take_too_long_has_no_pp() {
    // A thousand objects at once.
    let objects = "256,192,1000,1,0,0:0:0:0:\n".repeat(1000);
    let map = format!("osu file format v14\n\n[TimingPoints]\n0,500,4,1,0,80,1,0\n\n[HitObjects]\n{objects}");
    let fixture = Fixture::of(Mode::Standard, &map, (320, 180));
    let performance = Performance::of(&fixture.stage());
    assert_eq!((performance.stars, performance.pp, performance.running.len()), (0, 0, 0));
    assert!(!performance.windows.is_empty());
    let hud = Hud::new(&fixture.stage());
    assert_eq!(hud.stars_and_pp(), (0, 0));
    hud.draw(fixture.moment(fixture.span.1), &mut Picture::new(320, 180));
}
