//! Ten thousand damaged files: each is read, or refused with an error of the list; none panics, hangs or grows beyond the limits.
//! The damage is the same in each run.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use contracts::replay::ReplayOptions;
use replay::{
    archive::Archive,
    beatmap::{Beatmap, md5},
    draw::{Image, Picture, Text},
    error::{About, ReplayError},
    limits::Limits,
    mania,
    mods::Mods,
    osr::{Mode, Replay},
    production::{Easel, Inputs, Production},
    skin::Skin,
    standard, taiko,
    testing::{
        files, maps, osr,
        player::{Plan, play},
    },
};

const LIMITS: Limits = Limits {
    replay_bytes: 1 << 20,
    replay_unpacked_bytes: 1 << 20,
    replay_frames: 5000,
    archive_files: 100,
    archive_file_bytes: 1 << 20,
    archive_bytes: 2 << 20,
    map_bytes: 1 << 20,
    objects: 1000,
    image_pixels: 1 << 20,
    images_pixels: 4 << 20,
    video_seconds: 3600,
    song_seconds: 3600,
};

/// Numbers that are easy to get wrong.
const EXTREMES: [&str; 18] = [
    "",
    "0",
    "-1",
    "1",
    "NaN",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "1e-320",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "131072",
    "8999",
    "0.0001",
];

/// Lines that a map may hold anywhere.
const LINES: [&str; 10] = [
    "[HitObjects]",
    "[TimingPoints]",
    "[Events]",
    "0,-1e-300,4,1,0,80,0,1",
    "0,NaN,4,1,0,80,0,1",
    "256,192,1000,2,0,B|0:0|512:384|0:384|512:0|256:192,9000,100000",
    "256,192,1000,2,0,P|256:193|256:194.0001,1,131072",
    "256,192,1000,12,0,2147483647",
    "0,0,1000,128,0,999999:0:0:0:0:",
    "Mode: 3",
];

/// A generator of numbers (SplitMix64), so that the damage is the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Somewhere, and at most `most` bytes from there on.
    fn range(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        from..(from + 1 + self.below(most)).min(length)
    }
}

/// Damages bytes without regard to what they are.
fn damage(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    if bytes.is_empty() {
        return;
    }
    match numbers.below(7) {
        0 | 1 => {
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(bytes.len());
                bytes[at] ^= 1 << numbers.below(8);
            }
        }
        2 => {
            let value = numbers.of(&[0, 0xff, 0x7f, 0x80]);
            let most = numbers.of(&[1, 2, 4, 8]);
            let range = numbers.range(bytes.len(), most);
            bytes[range].fill(value);
        }
        3 => bytes.truncate(numbers.below(bytes.len())),
        4 => drop(bytes.drain(numbers.range(bytes.len(), 64))),
        5 => {
            let again = bytes[numbers.range(bytes.len(), 64)].to_vec();
            let at = numbers.below(bytes.len());
            bytes.splice(at..at, again);
        }
        _ => {
            let (at, range) = (numbers.below(bytes.len()), numbers.range(other.len(), 256));
            bytes.splice(at..at, other[range].iter().copied());
        }
    }
}

/// Damages text: numbers become extreme, lines move, come twice, or come from elsewhere.
fn damage_text(text: &str, ends: char, numbers: &mut Numbers) -> String {
    let mut lines: Vec<String> = text.split(ends).map(str::to_owned).collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(lines.len());
        match numbers.below(6) {
            0..3 => {
                let mut fields: Vec<&str> = lines[at].split_inclusive([',', '|', ':']).collect();
                fields.extend(fields.is_empty().then_some(""));
                let index = numbers.below(fields.len());
                let extreme = numbers.of(&EXTREMES);
                let end = fields[index].chars().next_back().filter(|end| [',', '|', ':'].contains(end));
                let changed = format!("{extreme}{}", end.map(String::from).unwrap_or_default());
                fields[index] = &changed;
                lines[at] = fields.concat();
            }
            3 => {
                let other = numbers.below(lines.len());
                lines.swap(at, other);
            }
            4 => {
                let line = lines[at].clone();
                let times = numbers.of(&[1, 3, 40, 1200]);
                lines.splice(at..at, std::iter::repeat_n(line, times));
            }
            _ => lines.insert(at, numbers.of(&LINES).to_owned()),
        }
    }
    lines.join(&ends.to_string())
}

/// Damages what a zip archive says of itself and of its files.
fn damage_zip(bytes: &mut [u8], numbers: &mut Numbers) {
    let kind = numbers.of(&[b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"]);
    let places: Vec<usize> =
        (0..bytes.len().saturating_sub(50)).filter(|at| bytes[*at..].starts_with(kind)).collect();
    if places.is_empty() {
        return;
    }
    let at = numbers.of(&places) + 4 + numbers.below(42);
    let value = numbers.of(&[0, 1, 0xff, 0x7fff_ffff, u32::MAX, 0x8000]).to_le_bytes();
    let length = numbers.of(&[1, 2, 4]);
    bytes[at..at + length].copy_from_slice(&value[..length]);
}

/// Places and judges, where it can be.
fn judge(map: &Beatmap, replay: &Replay) -> Result<(), ReplayError> {
    let mods = Mods::of(replay)?;
    match map.mode {
        Mode::Standard => {
            let field = standard::objects::place(map, &mods, &LIMITS)?;
            standard::judge::judge(replay, map, &mods, &field).map(drop)
        }
        Mode::Taiko => {
            let field = taiko::objects::place(map, &mods, &LIMITS)?;
            taiko::judge::judge(replay, map, &mods, &field).map(drop)
        }
        Mode::Mania => {
            let field = mania::objects::place(map, &mods, &LIMITS)?;
            mania::judge::judge(replay, map, &mods, &field).map(drop)
        }
        Mode::Catch => Ok(()),
    }
}

/// Runs `check` on `count` cases and tells how they ended, by code.
fn run(
    count: u64,
    seed: u64,
    check: impl Fn(&mut Numbers) -> Result<(), ReplayError>,
) -> BTreeMap<String, u64> {
    let mut ends = BTreeMap::new();
    for case in 0..count {
        let mut numbers = Numbers(seed.wrapping_add(case.wrapping_mul(0x5851_f42d_4c95_7f2d)));
        let end = catch_unwind(AssertUnwindSafe(|| check(&mut numbers)));
        let Ok(end) = end else { panic!("case {case} of seed {seed} panics") };
        let code = end.err().map_or("ok", |error| {
            assert!(error.to_string().len() < 2000, "case {case} of seed {seed} has an endless message");
            error.code()
        });
        *ends.entry(code.to_owned()).or_default() += 1;
    }
    println!("{ends:?}");
    ends
}

/// A map with a short replay of it: one of each mode, and one of lazer's.
fn plays() -> Vec<(&'static str, Replay)> {
    let all = [
        (maps::CIRCLES, false),
        (maps::SLIDERS, true),
        (maps::TAIKO, false),
        (maps::TAIKO, true),
        (maps::MANIA_HOLDS, false),
    ];
    let short = |(map, lazer)| {
        let mut replay: Replay = play(str::as_bytes(map), &Plan { lazer, ..Plan::default() }).unwrap();
        replay.frames.retain(|frame| replay.mode != Mode::Standard || frame.at > 1900 && frame.at < 3000);
        (map, replay)
    };
    all.into_iter().map(short).collect()
}

#[test]
fn damaged_replays() {
    let plays = plays();
    let files: Vec<Vec<u8>> = plays.iter().map(|(_, replay)| osr::write(replay).unwrap()).collect();
    let maps: Vec<Beatmap> =
        plays.iter().map(|(map, _)| Beatmap::read(map.as_bytes(), &LIMITS).unwrap()).collect();
    let ends = run(3500, 1, |numbers| {
        let index = numbers.below(plays.len());
        let bytes = if numbers.below(2) == 0 {
            let mut bytes = files[index].clone();
            for _ in 0..=numbers.below(3) {
                damage(&mut bytes, &files[numbers.below(files.len())], numbers);
            }
            bytes
        } else {
            let (_, replay) = &plays[index];
            let movements = damage_text(&osr::movements(replay), ',', numbers);
            osr::write_with_movements(replay, &movements).unwrap()
        };
        let replay = Replay::read(&bytes, &LIMITS)?;
        assert!((1..=LIMITS.replay_frames).contains(&replay.frames.len()));
        assert!(replay.frames.windows(2).all(|pair| pair[0].at <= pair[1].at));
        judge(&maps[index], &replay)
    });
    assert!(ends["ok"] + ends.get("replay_map_corrupt").unwrap_or(&0) > 500 && ends["replay_corrupt"] > 500);
}

#[test]
fn damaged_maps() {
    let plays = plays();
    let texts = [maps::EVERYTHING, maps::CIRCLES, maps::SLIDERS, maps::TAIKO, maps::MANIA, maps::MANIA_HOLDS];
    let ends = run(3500, 2, |numbers| {
        let (text, other) = (numbers.of(&texts), numbers.of(&texts));
        let mut bytes = damage_text(text, '\n', numbers).into_bytes();
        if numbers.below(3) == 0 {
            damage(&mut bytes, other.as_bytes(), numbers);
        }
        let map = Beatmap::read(&bytes, &LIMITS)?;
        assert!((1..=LIMITS.objects).contains(&map.map.hit_objects.len()));
        let replay = &plays.iter().find(|(_, replay)| replay.mode == map.mode).unwrap_or(&plays[0]).1;
        judge(&map, replay)
    });
    assert!(ends.values().sum::<u64>() == 3500 && ends["replay_map_corrupt"] > 100);
}

/// Reads everything in an archive.
fn unpack(archive: &Archive) -> Result<(), ReplayError> {
    let sizes: Result<Vec<u64>, ReplayError> =
        archive.names().map(|name| Ok(archive.read(name)?.len() as u64)).collect();
    assert!(sizes?.iter().sum::<u64>() <= LIMITS.archive_bytes);
    Ok(())
}

/// Damages an archive, in its bytes or in what it says of itself.
fn damaged(packed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = packed.to_vec();
    for _ in 0..=numbers.below(3) {
        if numbers.below(3) == 0 {
            damage(&mut bytes, packed, numbers);
        } else {
            damage_zip(&mut bytes, numbers);
        }
    }
    bytes
}

#[test]
fn damaged_map_archives() {
    let played = play(maps::SLIDERS.as_bytes(), &Plan::default()).unwrap();
    let packed = files::zip([
        ("Tests (Sliders).osu", maps::SLIDERS.as_bytes().to_vec()),
        ("Tests (Drums).osu", maps::TAIKO.as_bytes().to_vec()),
        ("Tests.osb", files::STORYBOARD.as_bytes().to_vec()),
        ("song.wav", files::bell(440.0, 50)),
    ])
    .unwrap();
    let ends = run(1500, 3, |numbers| {
        let archive = Archive::open(damaged(&packed, numbers), About::Map, &LIMITS)?;
        let map = Beatmap::find(&archive, &played, &LIMITS)?;
        judge(&map, &played).or_else(|error| match error {
            ReplayError::MapCorrupt { .. } => Ok(()),
            error => Err(error),
        })?;
        unpack(&archive)
    });
    assert!(ends["ok"] > 100 && ends["replay_archive_corrupt"] > 100 && ends["replay_archive_unsafe"] > 10);
}

#[test]
fn damaged_skin_archives() {
    let square = |side| files::png(side, side, |x, y| [x as u8, y as u8, 200, 255]).unwrap();
    let packed = files::zip([
        ("skin.ini", b"[General]\nName: Tests\nVersion: 2.5\n[Colours]\nCombo1: 1,2,3\n".to_vec()),
        ("hitcircle.png", square(16)),
        ("hitcircle@2x.png", square(32)),
        ("fonts/score-0.png", square(8)),
        ("normal-hitnormal.wav", files::bell(440.0, 5)),
    ])
    .unwrap();
    let ends = run(1500, 4, |numbers| {
        let archive = Archive::open(damaged(&packed, numbers), About::Skin, &LIMITS)?;
        Skin::open(Some(archive.clone()), None, &ReplayOptions::default(), &LIMITS)?;
        unpack(&archive)
    });
    assert!(ends["ok"] > 100 && ends["replay_archive_corrupt"] > 100 && ends["replay_archive_unsafe"] > 10);
}

/// Draws no letters.
struct Mute;

impl Text for Mute {
    fn line(&self, _: &str, height: u32, _: u32, _: bool) -> Image {
        Image::empty(1, height)
    }
}

/// Opens all of a production whose map is damaged, draws some of its frames and mixes the beginning of its sound.
#[test]
fn damaged_productions() {
    let plays = plays();
    let skin = files::zip([("skin.ini", b"[General]\nVersion: 2.5\n".to_vec())]).unwrap();
    let song = files::song(12);
    let mut options = ReplayOptions::default();
    (options.video.width, options.video.height, options.video.frame_rate) = (256, 144, 30);
    let ends = run(250, 5, |numbers| {
        let (text, replay) = &plays[numbers.below(plays.len())];
        let text =
            if numbers.below(2) == 0 && replay.mode == Mode::Standard { maps::EVERYTHING } else { text };
        let map = damage_text(text, '\n', numbers).into_bytes();
        let replay = Replay { map_md5: md5(&map), ..replay.clone() };
        let inputs = Inputs {
            replay: osr::write(&replay).unwrap(),
            map,
            audio: Some(song.clone()),
            skin: Some(skin.clone()),
        };
        let production = Production::open(inputs, &options, Box::new(Mute), &LIMITS)?;
        let mut picture = Picture::new(256, 144);
        let last = production.frames().saturating_sub(1);
        for frame in [0, last / 4, last / 2, last] {
            production.frame(frame, &mut Easel::default(), &mut |_| None, &mut picture);
        }
        assert!(production.chapters().len() <= 1000 && production.captions().len() <= 10_000);
        let mut heard = 0;
        production.sound(&mut |samples| {
            heard += samples.len();
            if heard < 48_000 * 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    });
    assert!(ends["ok"] > 50);
}
