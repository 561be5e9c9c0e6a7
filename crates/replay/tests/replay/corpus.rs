//! The collected replays, where they are present.

use std::{fs, path::PathBuf};

use replay::{
    archive::Archive,
    beatmap::Beatmap,
    error::About,
    limits::Limits,
    mods::{Mods, bits},
    osr::{Mode, Replay},
};

/// Where they are, if they are.
pub fn directory() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata/osu");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: there is no ../shared/testdata/osu");
    None
}

/// A row of the manifest.
#[derive(Debug, Clone)]
pub struct Row {
    pub file: PathBuf,
    pub mode: u8,
    pub lazer: bool,
    pub map: Option<PathBuf>,
    pub fields: Vec<String>,
}

pub fn rows() -> Vec<Row> {
    let Some(root) = directory() else { return Vec::new() };
    let text = fs::read_to_string(root.join("manifest.tsv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let map = fields.get(17).filter(|map| !map.is_empty()).map(|map| root.join(map));
        Row {
            file: root.join(&fields[0]),
            mode: fields[2].parse().unwrap(),
            lazer: fields[4] == "lazer",
            map,
            fields,
        }
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn every_replay_is_read() {
    for row in rows() {
        let replay = Replay::read(&fs::read(&row.file).unwrap(), &Limits::default()).unwrap();
        let number = |index: usize| row.fields[index].parse::<u32>().unwrap();
        let counts = replay.counts;
        assert_eq!(
            [counts.n300, counts.n100, counts.n50, counts.miss, counts.geki, counts.katu, replay.max_combo],
            [6, 7, 8, 9, 10, 11, 12].map(number),
            "{}",
            row.file.display()
        );
        let modes = [Mode::Standard, Mode::Taiko, Mode::Catch, Mode::Mania];
        assert_eq!(replay.mode, modes[usize::from(row.mode)]);
        assert_eq!(replay.is_lazer(), row.lazer);
        assert_eq!(replay.map_md5, row.fields[16]);
        assert!(replay.frames.windows(2).all(|pair| pair[0].at <= pair[1].at));
        // The seed and what is before the song begins: some two seconds.
        assert!((1..200).contains(&(number(14) as usize - replay.frames.len())));
    }
}

#[test]
fn every_map_is_found_and_read() {
    for row in rows() {
        let Some(map) = &row.map else { continue };
        let limits = Limits::default();
        let replay = Replay::read(&fs::read(&row.file).unwrap(), &limits).unwrap();
        let files = Archive::of([("map.osu".to_owned(), fs::read(map).unwrap())], About::Map, &limits);
        let found = Beatmap::find(&files, &replay, &limits);
        assert_eq!(found.unwrap().mode, replay.mode, "{}", map.display());
        let auto = replay.mods & bits::AUTOPLAY != 0;
        assert_eq!(Mods::of(&replay).is_err(), auto, "{}", row.file.display());
    }
}
