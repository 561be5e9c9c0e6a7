use serde_json::{Value, json};

use super::*;
use crate::osr::Lazer;

fn names(mods: &Mods) -> String {
    mods.names.join(" ")
}

fn lazer(mode: Mode, mods: Value) -> Result<Mods, ReplayError> {
    Mods::lazer(&Lazer { json: json!({ "mods": mods }) }, mode)
}

/// One mod of lazer's with settings, in osu!.
fn one(acronym: &str, settings: Value) -> Result<Mods, ReplayError> {
    lazer(Mode::Standard, json!([{ "acronym": acronym, "settings": settings }]))
}

fn code(result: Result<Mods, ReplayError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[test]
fn stables_bits_are_understood() {
    let mods = Mods::stable(0).unwrap();
    assert_eq!((names(&mods).as_str(), mods.speed, mods.classic), ("", Speed::NORMAL, true));
    // NC and PF bring DT and SD, whether those are set or not.
    for given in [512, 512 | 64] {
        let mods = Mods::stable(given | 16_384 | 8).unwrap();
        assert_eq!(names(&mods), "HD PF NC");
        assert!(mods.has(bits::DOUBLE_TIME) && mods.has(bits::SUDDEN_DEATH));
        assert_eq!((mods.speed, mods.pitch_follows), (Speed { map: 3, video: 2 }, true));
    }
    let mods = Mods::stable(64).unwrap();
    assert_eq!((mods.speed, mods.pitch_follows), (Speed { map: 3, video: 2 }, false));
    assert_eq!(Mods::stable(256).unwrap().speed, Speed { map: 3, video: 4 });
    // The keys of a converted map.
    assert_eq!(names(&Mods::stable(1 << 15 | 1 << 25 | 1 << 30).unwrap()), "MR");
    for refused in [2 | 16, 64 | 256, 512 | 256, 128 | 8192, 1 << 21, 1 << 23] {
        assert_eq!(code(Mods::stable(refused)), "replay_mods_unsupported", "{refused}");
    }
    for auto in [1 << 11, 1 << 22] {
        assert_eq!(code(Mods::stable(auto)), "replay_auto");
    }
}

#[test]
fn lazers_mods_have_the_bits_of_stables() {
    let acronyms = ["NF", "HD", "HR", "SD", "PF", "FL", "SO", "TD", "RX"];
    let list: Vec<Value> = acronyms.iter().map(|name| json!({ "acronym": name })).collect();
    let mods = lazer(Mode::Standard, list.into()).unwrap();
    let stable = Mods::stable(1 | 8 | 16 | 32 | 16_384 | 1024 | 4096 | 4 | 128).unwrap();
    assert_eq!((mods.bits, mods.names.len()), (stable.bits, 9));
    assert!(!mods.classic && mods.classic_settings == Classic::NONE);
    assert_eq!(lazer(Mode::Mania, json!([{ "acronym": "MR" }])).unwrap().bits, bits::MIRROR);
    assert_eq!(lazer(Mode::Standard, json!([])).unwrap().bits, 0);
}

#[test]
fn speeds_are_exact() {
    for (acronym, settings, map, video, pitch_follows) in [
        ("DT", json!({}), 3, 2, false),
        ("DT", json!({ "speed_change": 1.3, "adjust_pitch": true }), 13, 10, true),
        ("DT", json!({ "speed_change": 1.29 }), 129, 100, false),
        ("NC", json!({ "speed_change": 2.0 }), 2, 1, true),
        ("HT", json!({ "speed_change": 0.5 }), 1, 2, false),
        ("DC", json!({}), 3, 4, true),
        ("HT", json!({ "speed_change": 0.85 }), 17, 20, false),
        ("HT", Value::Null, 3, 4, false),
    ] {
        let mods = one(acronym, settings).unwrap();
        assert_eq!((mods.speed, mods.pitch_follows), (Speed { map, video }, pitch_follows));
    }
    for speed in [json!(0.4), json!(2.01), json!(-1), json!(1e300)] {
        assert_eq!(code(one("DT", json!({ "speed_change": speed }))), "replay_mods_unsupported");
    }
    let two = json!([{ "acronym": "DT" }, { "acronym": "NC" }]);
    assert_eq!(code(lazer(Mode::Standard, two)), "replay_mods_unsupported");
}

#[test]
fn settings_of_classic_and_of_difficulty_adjust_are_read() {
    let mods = one("CL", json!({ "classic_note_lock": false })).unwrap();
    assert!(mods.classic);
    assert_eq!(mods.classic_settings, Classic { classic_note_lock: false, ..Classic::ALL });
    let mods =
        one("DA", json!({ "approach_rate": -10, "circle_size": 11.0, "extended_limits": true })).unwrap();
    assert_eq!(mods.adjusted, Adjusted { cs: Some(11.0), ar: Some(-10.0), od: None, hp: None });
    assert_eq!(code(one("DA", json!({ "drain_rate": 11.5 }))), "replay_mods_unsupported");
    let both = json!([{ "acronym": "DA", "settings": { "drain_rate": 1 } }, { "acronym": "HR" }]);
    assert_eq!(code(lazer(Mode::Standard, both)), "replay_mods_unsupported");
}

#[test]
fn what_changes_the_play_is_refused_and_what_does_not_is_kept() {
    for kept in ["BL", "TC", "AL", "SG", "MU", "BR", "AC"] {
        assert_eq!(names(&one(kept, json!({})).unwrap()), kept);
    }
    for refused in ["RD", "WU", "WD", "AS", "TP", "MG", "RP", "TR", "ST", "MR", "ZZ", "\u{1b}[0m"] {
        assert_eq!(code(one(refused, json!({}))), "replay_mods_unsupported");
    }
    assert_eq!(code(lazer(Mode::Mania, json!([{ "acronym": "BL" }]))), "replay_mods_unsupported");
    assert_eq!(code(lazer(Mode::Mania, json!([{ "acronym": "7K" }]))), "replay_mods_unsupported");
    assert_eq!(code(one("AT", json!({}))), "replay_auto");
    let error = one("\u{1b}[0mABCDEFG", json!({})).unwrap_err();
    assert!(matches!(error, ReplayError::ModsUnsupported { mods, .. } if mods == "0mAB"));
}
