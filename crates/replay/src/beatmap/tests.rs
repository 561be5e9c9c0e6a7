use super::*;
use crate::osr::Counts;

/// A map with these lines in its sections.
fn map_with(general: &str, timing: &str, objects: &str) -> String {
    format!(
        "osu file format v14\n\n[General]\n{general}\n[Metadata]\nTitle:Song\nVersion:Hard\n\n[Difficulty]\nCircleSize:4\n\
         SliderMultiplier:1.4\nSliderTickRate:1\n\n[TimingPoints]\n0,500,4,1,0,80,1,0\n{timing}\n[HitObjects]\n{objects}\n"
    )
}

fn map(objects: &str) -> String {
    map_with("Mode: 0\n", "", objects)
}

fn read(text: &str) -> Result<Beatmap, ReplayError> {
    Beatmap::read(text.as_bytes(), &Limits::default())
}

/// Why a map is refused.
fn reason(text: &str) -> String {
    match read(text) {
        Ok(_) => "read".to_owned(),
        Err(ReplayError::MapCorrupt { reason }) => reason,
        Err(other) => other.code().to_owned(),
    }
}

fn replay(md5: &str) -> Replay {
    Replay {
        mode: Mode::Standard,
        version: 20_200_427,
        map_md5: md5.to_owned(),
        player: String::new(),
        counts: Counts { n300: 1, miss: 1, ..Counts::default() },
        score: 0,
        max_combo: 0,
        perfect: false,
        mods: 0,
        life: Vec::new(),
        played_at: 0,
        frames: Vec::new(),
        seed: None,
        online_id: 0,
        lazer: None,
    }
}

fn archive(files: &[(&str, &str)]) -> Archive {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Archive::of(files, About::Map, &Limits::default())
}

const CIRCLE: &str = "256,192,1000,1,0";

#[test]
fn the_played_map_is_found_with_any_line_ends() {
    let text = map(CIRCLE);
    let other = map("0,0,0,1,0");
    let files = archive(&[("a.OSU", &other), ("b.osu", &text), ("c.txt", "")]);
    for line_ends in ["\n", "\r\n"] {
        let played = replay(&md5(text.replace('\n', line_ends).as_bytes()));
        let found = Beatmap::find(&files, &played, &Limits::default()).unwrap();
        assert_eq!(found.map.hit_objects[0].start_time, 1000.0);
    }
    let files = archive(&[("b.osu", &text.replace('\n', "\r\n"))]);
    assert!(Beatmap::find(&files, &replay(&md5(text.as_bytes())), &Limits::default()).is_ok());
}

#[test]
fn a_missing_map_is_told_with_what_is_there() {
    let find = |files: &[(&str, &str)]| {
        Beatmap::find(&archive(files), &replay("00"), &Limits::default()).unwrap_err()
    };
    let missing = |found: &str| ReplayError::MapMissing { md5: "00".to_owned(), found: found.to_owned() };
    let version = |name: &str| ReplayError::MapVersion { difficulty: name.to_owned(), md5: "00".to_owned() };
    let named = |name: &str, objects: &str| map(objects).replace("Hard", name);
    let (one, two) = (named("One", CIRCLE), named("Two", &format!("{CIRCLE}\n{CIRCLE}")));
    let (again, mania) = (named("Again", CIRCLE), two.replace("Mode: 0", "Mode: 3").replace("Two", "Keys"));
    assert_eq!(find(&[]), missing("no map"));
    assert_eq!(find(&[("a.osu", &one)]), version("One"));
    assert_eq!(find(&[("a.osu", &one), ("b.osu", &two), ("c.osu", &again)]), version("Two"));
    assert_eq!(find(&[("a.osu", &one), ("b.osu", &mania)]), version("One"));
    assert_eq!(find(&[("a.osu", &mania)]), missing("\"Keys\""));
    assert_eq!(find(&[("a.osu", &one), ("b.osu", &again)]), missing("\"One\", \"Again\""));
    let many: Vec<(String, String)> =
        (10..30).map(|count| (format!("{count}.osu"), named(&count.to_string(), CIRCLE))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let ReplayError::MapMissing { found, .. } = find(&many) else { panic!("found") };
    assert!(found.starts_with("\"10\", ") && found.ends_with("\"21\", 8 more"), "{found}");
}

#[test]
fn a_map_is_read_in_any_encoding() {
    let text = map(CIRCLE).replace("Song", "曲");
    let units: Vec<u16> = text.encode_utf16().collect();
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        let mut bytes = mark.to_vec();
        bytes.extend(units.iter().flat_map(|given| unit(*given)));
        bytes
    };
    let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
    for bytes in [
        text.clone().into_bytes(),
        marked,
        utf16(u16::to_le_bytes, [0xff, 0xfe]),
        utf16(u16::to_be_bytes, [0xfe, 0xff]),
    ] {
        let read = Beatmap::read(&bytes, &Limits::default()).unwrap();
        assert_eq!((read.map.title.as_str(), read.map.hit_objects.len()), ("曲", 1));
        assert_eq!((read.mode, read.text), (Mode::Standard, text.clone()));
    }
    let invalid = [text.as_bytes(), b"\n0,0,2000,1,0 //\xff\xfe\n"].concat();
    assert_eq!(Beatmap::read(&invalid, &Limits::default()).unwrap().map.hit_objects.len(), 2);
}

#[test]
fn the_video_is_found() {
    let video = |events: &str| {
        read(&map(CIRCLE).replace("[TimingPoints]", &format!("[Events]\n{events}\n[TimingPoints]")))
            .unwrap()
            .video
    };
    let found = |name: &str, begins| Some((name.to_owned(), begins));
    assert_eq!(video("Video,-120,\"v\\intro.mp4\""), found("v/intro.mp4", -120));
    assert_eq!(video("//Video,1,\"no.mp4\"\r\n1,500,movie.avi,0,0"), found("movie.avi", 500));
    assert_eq!(
        video("0,0,\"bg.png\"\n1,0,\"bg.JPG\"\nVideo,x,\"a.mp4\"\nVideo,1e99,\"b.flv\""),
        found("b.flv", 86_400_000)
    );
    assert_eq!(video("Video,5"), None);
}

#[test]
fn what_holds_nothing_to_play_is_refused() {
    for text in ["", "\u{0}\u{1}", "osu file format v14\n", &map("")] {
        assert_eq!(reason(text), "it holds nothing to play");
    }
}

#[test]
fn values_are_restricted_as_in_the_game() {
    let text = map(CIRCLE)
        .replace("CircleSize:4", "CircleSize:99\nApproachRate:-5\nOverallDifficulty:11\nHPDrainRate:1e9");
    let map = read(&text).unwrap().map;
    assert_eq!(
        (map.circle_size, map.approach_rate, map.overall_difficulty, map.hp_drain_rate),
        (10.0, 0.0, 10.0, 10.0)
    );
    let mania = read(&text.replace("Mode: 0", "Mode: 3")).unwrap().map;
    assert_eq!(mania.circle_size, 18.0);
    let long =
        read(&map_with("Mode: 0\nStackLeniency: 77", "", CIRCLE).replace("Song", &"\u{1b}x".repeat(400)))
            .unwrap()
            .map;
    assert_eq!((long.title.len(), long.title.contains('\u{1b}'), long.stack_leniency), (255, false, 1.0));
}

#[test]
fn what_asks_for_too_much_is_refused_with_the_reason() {
    let many =
        |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().join("\n");
    let slider = |path: &str, repeats: u32, length: f64| format!("0,0,1000,2,0,{path},{repeats},{length}");
    // Just within, and beyond.
    assert_eq!(reason(&map(&many(3000, &|_| CIRCLE.to_owned()))), "read");
    assert_eq!(
        reason(&map(&many(3001, &|_| CIRCLE.to_owned()))),
        "too many objects of it begin within a second"
    );
    let hold = |index: usize| format!("256,192,{},8,0,90000000", index * 10_000);
    assert_eq!(reason(&map(&hold(0))), "an object of it begins or ends beyond twelve hours");
    let spinner = |index: usize| format!("256,192,{},8,0,10000000", index * 1000);
    assert_eq!(reason(&map(&many(1000, &|index| spinner(index / 2)))), "its objects last too long together");
    let short = |index: usize| format!("256,192,{},8,0,{}", index, index + 1001);
    assert_eq!(reason(&map(&many(1000, &short))), "read");
    assert_eq!(reason(&map(&many(1002, &short))), "too many objects of it last at the same time");
    assert_eq!(reason(&map("0,0,-50000000,1,0")), "an object of it begins or ends beyond twelve hours");
    let turning = |index: usize| format!("0,0,{},2,0,L|1:0,9000,1", index * 100);
    assert_eq!(reason(&map(&many(22, &turning))), "read");
    assert_eq!(reason(&map(&many(23, &turning))), "its sliders turn too often");
    let fast = |general, path: String| map_with(general, "1,6,4,1,0,80,1,0", &path);
    let ticks = "its sliders have too many ticks";
    assert_eq!(reason(&fast("Mode: 0", slider("L|100:0", 5000, 10_000.0))), "read");
    assert_eq!(reason(&fast("Mode: 0", slider("L|100:0", 9000, 10_000.0))), ticks);
    assert_eq!(reason(&fast("Mode: 1", slider("L|100:0", 500, 10_000.0))), "read");
    assert_eq!(reason(&fast("Mode: 1", slider("L|100:0", 2000, 10_000.0))), ticks);
    assert_eq!(
        reason(&map(&slider("L|100:0", 9000, 130_000.0))),
        "an object of it begins or ends beyond twelve hours"
    );
    let winding = many(6000, &|index| format!("{}:{}", index % 500, index * 7 % 384)).replace('\n', "|");
    assert_eq!(
        reason(&map(&slider(&format!("B|{winding}"), 1, 100.0))),
        "its sliders have too intricate paths"
    );
    assert_eq!(reason(&map(&slider(&format!("L|{winding}"), 1, 100.0))), "read");
    let points = |count: usize, of: &dyn Fn(usize) -> usize| {
        map_with("Mode: 0", &many(count, &|index| format!("{},-100,4,1,0,80,0,0", of(index))), CIRCLE)
    };
    let refused = "it has too many timing points, or too many out of order";
    assert_eq!(reason(&points(501, &|index| 1000 - index)), "read");
    assert_eq!(reason(&points(502, &|index| 1000 - index)), refused);
    assert_eq!(reason(&points(100_000, &|index| index)), refused);
    let colours = many(1001, &|index| format!("N{index}: 1,2,3"));
    assert_eq!(reason(&format!("[Colours]\n{colours}\n{}", map(CIRCLE))), "it has too many colours");
    let limits = Limits { objects: 1, map_bytes: 1000, ..Limits::default() };
    let code = |text: &str| Beatmap::read(text.as_bytes(), &limits).unwrap_err().code();
    assert_eq!(code(&map(&many(2, &|_| CIRCLE.to_owned()))), "replay_too_long");
    assert_eq!(code(&" ".repeat(1001)), "replay_too_long");
}
