//! The collected replays, where they are present.

use std::{fs, path::PathBuf};

use replay::{limits::Limits, osr::Replay};

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
        assert_eq!(replay.is_lazer(), row.lazer);
        assert_eq!(replay.map_md5, row.fields[16]);
    }
}
