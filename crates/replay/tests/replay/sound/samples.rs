//! Samples: which one, when, how loud, from where.

use super::*;

#[test]
fn samples_are_heard_at_their_events_at_any_speed() {
    for (mods, map, video) in [(0, 1, 1), (bits::DOUBLE_TIME, 3, 2), (bits::HALF_TIME, 3, 4)] {
        for first in [0, -700_000, 333_333] {
            let mut scene = Scene::circles(&[(1000, "0"), (1500, "0"), (1980, "0")]);
            scene.files = vec![("normal-hitnormal1.wav", Vec::new())];
            scene.skin = vec![("normal-hitnormal.wav", impulse(0.5))];
            (scene.mods, scene.first) = (mods, first);
            // Pressed early and late: that is when they are heard.
            scene.play.events[0].at -= 23_000;
            scene.play.events[2].at += 60_007;
            let wanted: Vec<usize> = [977_000, 1_500_000, 2_040_007]
                .map(|at| ((at - first) as f64 * 0.048 * f64::from(video) / f64::from(map)).round() as usize)
                .to_vec();
            assert_eq!(places(&scene.mix()), wanted, "{mods} {first}");
        }
    }
}

#[test]
fn sets_indices_and_volumes_choose_what_is_heard() {
    let mut scene = Scene::circles(&[
        (1000, "0"),
        (1500, "2"),
        (1600, "0,2:3:0:0:"),
        (1700, "10,0:3:0:0:"),
        (2500, "0"),
        (3500, "0"),
        (3600, "0,0:0:1:40:"),
        (4500, "0"),
        (4600, "0,0:0:0:0:voice.wav"),
        (4700, "4,1:1:9:80:"),
    ]);
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitwhistle.wav", impulse(0.2)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("drum-hitwhistle.wav", impulse(0.4)),
        ("drum-hitclap.wav", impulse(0.5)),
        ("drum-hitnormal.wav", impulse(0.15)),
        ("normal-hitfinish.wav", impulse(0.25)),
    ];
    scene.files = vec![
        ("soft-hitnormal.wav", impulse(0.6)),
        ("drum-hitnormal7.wav", impulse(0.7)),
        ("normal-hitnormal.wav", impulse(0.8)),
        ("voice.wav", impulse(0.65)),
    ];
    let wanted = [
        (1000, 0.1),
        // Layered: the normal sound below the whistle.
        (1500, 0.1 + 0.2),
        // The object's sets go before the point's; index 0 is the skin's.
        (1600, 0.3),
        (1700, 0.1 + 0.4 + 0.5),
        // The point's set, index and volume.
        (2500, 0.6 * 0.5),
        (3500, 0.7),
        // Index 1 of drum is not in the map, so that the skin's is heard, at the object's volume.
        (3600, 0.15 * 0.4),
        (4500, 0.6 * 0.03),
        (4600, 0.65 * 0.03),
        // Index 9 is nowhere in the map.
        (4700, (0.1 + 0.25) * 0.8),
    ];
    let check = |scene: &Scene, wanted: &[(usize, f32)]| {
        let mix = scene.mix();
        for (at, volume) in wanted {
            let found = mix[at * 48][0];
            let volume = volume.min(0.8912);
            assert!((found - volume).abs() < 2e-3, "{at}: {found}, not {volume}");
        }
        assert_eq!(places(&mix), wanted.iter().map(|(at, _)| at * 48).collect::<Vec<_>>());
    };
    check(&scene, &wanted);
    // Lazer's samples are 5 % loud at least.
    scene.lazer = true;
    let mut lazer = wanted;
    (lazer[7].1, lazer[8].1) = (0.6 * 0.05, 0.65 * 0.05);
    check(&scene, &lazer);
    // Without the map's samples.
    scene.lazer = false;
    scene.options.sound.map_samples = false;
    let mix = scene.mix();
    assert!((mix[2500 * 48][0] - 0.15).abs() < 2e-3);
    assert!((mix[3500 * 48][0] - 0.15).abs() < 2e-3);
}

#[test]
fn options_set_volume_side_and_offset() {
    let mut scene = Scene::circles(&[(1000, "0")]);
    scene.map = scene.map.replace("256,192,1000", "512,192,1000");
    scene.skin = vec![("normal-hitnormal.wav", impulse(0.5))];
    let one = |scene: &Scene| heard(&scene.mix())[0];
    let (at, left, right) = one(&scene);
    assert_eq!(at, 48_000);
    assert!((left - 0.5 * 0.6).abs() < 1e-3 && (right - 0.5).abs() < 1e-3, "{left} {right}");
    scene.options.sound.panning = false;
    scene.options.sound.effects = 50;
    scene.options.sound.offset = -20;
    let (at, left, right) = one(&scene);
    assert_eq!(at, 48_000 - 960);
    assert!((left - 0.25).abs() < 1e-3 && (right - 0.25).abs() < 1e-3, "{left} {right}");
    scene.options.sound.effects = 0;
    assert!(heard(&scene.mix()).is_empty());
}

#[test]
fn misses_are_silent_and_long_combos_break_aloud() {
    let mut scene = Scene::circles(&[(1000, "0"), (1500, "0"), (1900, "0")]);
    scene.skin = vec![("normal-hitnormal.wav", impulse(0.3)), ("combobreak.wav", impulse(0.7))];
    let after = |combo| State { combo, ..State::default() };
    for (event, (broke, before)) in scene.play.events.iter_mut().zip([(false, 21), (true, 0), (true, 0)]) {
        event.broke = broke;
        event.after = after(before);
        if broke {
            event.kind = EventKind::Result(Hit::Miss);
        }
    }
    let found = heard(&scene.mix());
    assert_eq!(found.iter().map(|(at, ..)| *at).collect::<Vec<_>>(), [48_000, 72_000]);
    assert!((found[1].1 - 0.7).abs() < 1e-3);
    scene.play.events[0].after = after(20);
    assert_eq!(places(&scene.mix()), [48_000]);
}

/// A slider from 1000 to 4000 ms with a tick, a repeat, a tick: 100 px in 1000 ms, twice … with two spans of 1500 ms.
pub(super) fn slider() -> Scene {
    let mut scene = Scene::circles(&[]);
    scene.map = plain_head() + "0,192,1000,2,0,L|300:192,2,300,2|0|8,1:1|2:2|3:3,1:0:0:0:\n";
    let (from, to) = (1_010_000, 4_000_000);
    let kinds = [
        (from, EventKind::Head(true)),
        (1_508_000, EventKind::Tick(true, 0)),
        (2_016_000, EventKind::Tick(false, 1)),
        (2_505_000, EventKind::Repeat(true, 0)),
        (3_016_000, EventKind::Tick(true, 2)),
        (3_507_000, EventKind::Tick(true, 3)),
        (3_980_000, EventKind::Tail(true)),
        (to, EventKind::Result(Hit::Ok)),
    ];
    scene.play.events = kinds.iter().map(|(at, kind)| event(*at, 0, *kind)).collect();
    let outcome =
        Outcome { result: Some(Hit::Ok), judged: to, followed: vec![(from, to)], ..Outcome::default() };
    scene.play.objects = vec![outcome];
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitwhistle.wav", impulse(0.2)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("drum-hitnormal.wav", impulse(0.4)),
        ("drum-hitclap.wav", impulse(0.25)),
        ("normal-slidertick.wav", impulse(0.15)),
        ("normal-sliderslide.wav", wav([])),
    ];
    scene
}

#[test]
fn a_sliders_parts_are_heard_where_the_ball_is() {
    let mut scene = slider();
    scene.options.sound.panning = false;
    let found: Vec<(usize, f32)> = heard(&scene.mix()).iter().map(|(at, left, _)| (*at, *left)).collect();
    let wanted = [(1010, 0.3), (1500, 0.15), (2500, 0.3), (3000, 0.15), (3500, 0.15), (4000, 0.65)];
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((at, volume), (wanted_at, wanted)) in found.iter().zip(wanted) {
        assert_eq!(*at, wanted_at * 48);
        assert!((volume - wanted).abs() < 2e-3, "{at}: {volume}");
    }
    // Stable plays the end of a slider that was no miss, although it was let go.
    scene.play.events[6].kind = EventKind::Tail(false);
    assert_eq!(places(&scene.mix()).last(), Some(&(4000 * 48)));
    scene.play.objects[0].result = Some(Hit::Miss);
    assert_eq!(places(&scene.mix()).last(), Some(&(3500 * 48)));
}

#[test]
fn a_slider_sounds_on_while_it_is_followed_and_moves_with_the_ball() {
    let mut scene = slider();
    scene.play.events.clear();
    scene.play.objects[0].followed = vec![(1_200_000, 2_000_000), (2_200_000, 3_900_000)];
    scene.skin = vec![("normal-sliderslide.wav", wav((0..48).map(|at| f64::from(at % 2) * 0.5)))];
    let mix = scene.mix();
    let loud = |at: usize| {
        mix[at * 48..at * 48 + 48]
            .iter()
            .fold([0.0_f32; 2], |most, frame| [most[0].max(frame[0].abs()), most[1].max(frame[1].abs())])
    };
    for (at, on) in
        [(1190, false), (1300, true), (1990, true), (2050, false), (2190, false), (2300, true), (3950, false)]
    {
        assert_eq!(loud(at)[0] > 0.1, on, "{at}");
    }
    // From the left edge to x = 300 and back.
    let (left, right) = (loud(1300), loud(2480));
    assert!(left[0] > left[1] * 1.4 && right[1] > right[0], "{left:?} {right:?}");
}

#[test]
fn a_spinners_sound_rises_and_its_bonus_rings() {
    let mut scene = Scene::circles(&[]);
    scene.map = plain_head() + "256,192,1000,12,0,4000,0:0:0:0:\n";
    let turns = (0..=300).map(|step| (1_000_000 + step * 10_000, (step * 40) as i32)).collect();
    scene.play.objects = vec![Outcome { turns, needed_turns: 6000, ..Outcome::default() }];
    scene.play.events =
        vec![event(3_000_000, 0, EventKind::Bonus), event(4_000_000, 0, EventKind::Result(Hit::Great))];
    scene.skin = vec![("soft-spinnerbonus.wav", impulse(0.9)), ("soft-hitnormal.wav", wav([]))];
    // A tone of 480 Hz: its crossings tell how fast it is played.
    let tone = |at: i32| (f64::from(at) * 0.01 * std::f64::consts::TAU).sin() * 0.5;
    scene.files = vec![("soft-spinnerspin.wav", wav((0..4800).map(tone)))];
    let mix = scene.mix();
    let pitch = |at: usize| {
        let part = &mix[at * 48..(at + 200) * 48];
        part.windows(2).filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0).count() * 5
    };
    // 20 kHz of 44.1 kHz at the beginning, 60 kHz when it is cleared (at 2500 ms).
    let (early, cleared) = (pitch(1200), pitch(2400));
    assert!((240..330).contains(&early), "{early}");
    assert!((620..680).contains(&cleared), "{cleared}");
    assert!(places(&mix).first().is_some_and(|at| (1000 * 48..1100 * 48).contains(at)));
    assert!(mix[4100 * 48..].iter().all(|frame| frame[0].abs() < 1e-4));
    let without = {
        scene.play.events.remove(0);
        scene.mix()
    };
    assert!((mix[3000 * 48][0] - without[3000 * 48][0]) > 0.2);
}

#[test]
fn keys_of_taiko_and_mania_are_heard_when_they_are_pressed() {
    let press = |key, from: i64| Press { key, from: from * 1000, to: (from + 50) * 1000 };
    let judged = |at: i64| Outcome {
        pressed: Some(at * 1000),
        judged: at * 1000,
        result: Some(Hit::Great),
        ..Outcome::default()
    };
    let mut scene = Scene::circles(&[]);
    scene.map = map_head(1) + "256,192,1000,1,0,0:0:0:0:\n256,192,2500,1,4,0:0:0:0:\n";
    scene.play.presses = vec![press(1, 990), press(0, 1500), press(3, 1700), press(2, 2500)];
    scene.play.objects = vec![judged(990), judged(2500)];
    scene.skin = vec![
        ("taiko-normal-hitnormal.wav", impulse(0.1)),
        ("soft-hitclap.wav", impulse(0.2)),
        ("taiko-soft-hitclap.wav", impulse(0.4)),
        ("soft-hitnormal.wav", impulse(0.3)),
        ("soft-hitfinish.wav", impulse(0.5)),
    ];
    let found: Vec<(usize, f32)> =
        heard(&scene.mix()).iter().map(|(at, left, _)| (*at / 48, *left)).collect();
    // From 2000 ms on the point's volume is 50 %.
    for ((at, volume), wanted) in found.iter().zip([(990, 0.1), (1500, 0.2), (1700, 0.2), (2500, 0.4)]) {
        assert_eq!(*at, wanted.0);
        assert!((volume - wanted.1).abs() < 2e-3, "{found:?}");
    }
    assert_eq!(found.len(), 4);

    let mut scene = Scene::circles(&[]);
    scene.map =
        map_head(3) + "64,192,1000,1,0,0:0:0:0:\n448,192,1000,1,8,0:0:0:0:\n64,192,1500,1,2,0:0:0:0:\n";
    scene.play.presses = vec![press(3, 1003), press(0, 1012), press(0, 1480)];
    scene.play.objects = vec![judged(1012), judged(1003), judged(1480)];
    scene.skin = vec![
        ("normal-hitnormal.wav", impulse(0.1)),
        ("normal-hitclap.wav", impulse(0.2)),
        ("normal-hitwhistle.wav", impulse(0.3)),
    ];
    let found: Vec<(usize, f32)> =
        heard(&scene.mix()).iter().map(|(at, left, _)| (*at / 48, *left)).collect();
    // In mania nothing is layered.
    for ((at, volume), wanted) in found.iter().zip([(1003, 0.2), (1012, 0.1), (1480, 0.3)]) {
        assert_eq!(*at, wanted.0);
        assert!((volume - wanted.1).abs() < 2e-3, "{found:?}");
    }
    assert_eq!(found.len(), 3);
}

#[test]
fn nightcore_brings_its_drums() {
    let mut scene = Scene::circles(&[(30_000, "0")]);
    scene.mods = bits::NIGHTCORE;
    scene.skin = vec![
        ("nightcore-kick.wav", impulse(0.1)),
        ("nightcore-clap.wav", impulse(0.2)),
        ("nightcore-hat.wav", impulse(0.3)),
        ("nightcore-finish.wav", impulse(0.4)),
    ];
    let found = heard(&scene.mix());
    // Half beats of 250 ms on the map are 8000 samples.
    let beats: Vec<(usize, f32)> = (0..40)
        .map(|beat| (beat * 8000, [0.1, 0.3, 0.2, 0.3][beat % 4] + if beat % 32 == 0 { 0.4 } else { 0.0 }))
        .collect();
    for ((at, left, _), (beat, volume)) in found.iter().zip(&beats) {
        assert_eq!(at, beat);
        assert!((left - volume).abs() < 2e-3, "{at}: {left}");
    }
    scene.options.sound.nightcore_beats = false;
    assert!(heard(&scene.mix()).is_empty());
}

#[test]
fn a_storyboards_sounds_are_heard() {
    let mut scene = Scene::circles(&[(30_000, "0")]);
    scene.map =
        scene.map.replace("[TimingPoints]", "[Events]\nSample,1000,0,\"sb/bell.wav\",70\n[TimingPoints]");
    scene.files = vec![
        ("sb/bell.wav", impulse(0.5)),
        ("a.osb", b"[Events]\nSample,2000,1,\"sb/bell\",50\nSample,2500,0,\"sb/bell.wav\"\n".to_vec()),
    ];
    let found: Vec<usize> = places(&scene.mix());
    assert_eq!(found, [48_000, 120_000]);
    scene.options.background.storyboard = false;
    assert!(heard(&scene.mix()).is_empty());
}
