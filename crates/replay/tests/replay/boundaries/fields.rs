//! Where objects are: stacks, combos, mods.

use replay::{beatmap::Beatmap, mods::bits, standard::objects::Kind};

use super::{map, map_of, placed};

#[test]
fn stacks_rise_from_below_and_hang_under_sliders() {
    let heights =
        |map: &Beatmap| placed(map, 0).objects.iter().map(|object| object.stack).collect::<Vec<_>>();
    let three = "100,100,1000,1,0\n100,100,1200,1,0\n100,100,1400,1,0";
    assert_eq!(heights(&map(5.0, three)), [2, 1, 0]);
    // 1200 ms of approach times a leniency of 0.1 reach 120 ms.
    assert_eq!(heights(&map_of(14, 5.0, 0.1, three)), [0, 0, 0]);
    assert_eq!(heights(&map_of(14, 5.0, 0.2, three)), [2, 1, 0]);
    let under = "100,100,1000,2,0,L|170:100,1,70\n170,100,1600,1,0\n170,100,1700,1,0";
    assert_eq!(heights(&map(5.0, under)), [0, -1, -2]);
    // Before version 6 the rule was another, with the same outcome here.
    assert_eq!(heights(&map_of(5, 5.0, 1.0, three)), [2, 1, 0]);
    assert_eq!(heights(&map_of(5, 5.0, 1.0, under)), [0, -1, -2]);
    let field = placed(&map(5.0, three), 0);
    assert!((field.objects[0].at.x - (100.0 - 0.2 * field.radius)).abs() < 1e-3);
}

#[test]
fn combos_are_numbered_and_coloured() {
    let map = map(
        5.0,
        "0,0,1000,1,0\n50,0,1100,1,0\n90,0,1200,5,0\n256,192,1300,8,0,1400\n90,90,1500,1,0\n90,190,1600,37,0",
    );
    let field = placed(&map, 0);
    let seen: Vec<_> =
        field.objects.iter().map(|object| (object.number, object.colour, object.new_combo)).collect();
    let wanted = [(1, 1, true), (2, 1, false), (1, 2, true), (2, 2, false), (1, 3, true), (1, 6, true)];
    assert_eq!(seen, wanted);
}

#[test]
fn hard_rock_turns_the_field_over_and_easy_makes_it_large() {
    let map = map(6.0, "100,100,1000,2,0,L|100:170,1,70");
    let field = placed(&map, bits::HARD_ROCK);
    assert_eq!((field.cs, field.ar, field.od, field.hp), (6.5, 7.0, 6.0 * 1.4, 7.0));
    assert_eq!((field.objects[0].at.y, field.preempt), (284.0, 900.0));
    let Kind::Slider(slider) = &field.objects[0].kind else { panic!("no slider") };
    assert_eq!(slider.path.last().map(|corner| corner.y), Some(214.0));
    let field = placed(&map, bits::EASY);
    assert_eq!((field.cs, field.ar, field.od, field.preempt), (2.5, 2.5, 3.0, 1500.0));
}
