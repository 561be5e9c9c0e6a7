//! Documents of each format, good, bad and hostile, from bytes to what is gathered.

mod chapters;
mod edl;
mod lists;
mod otio;
mod tables;

use contracts::import::{DocumentSource, SkippedRow};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::candidate::Candidate;
use contracts::time::TICKS_PER_SECOND;

/// What a source of this form gathers from a document.
fn read(source: Value, bytes: impl AsRef<[u8]>) -> Result<Gathered, SourceError> {
    let mut whole = json!({ "path": "library:list" });
    whole.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    let source: DocumentSource = serde_json::from_value(whole).unwrap();
    let mut gathered = Gathered::new(None);
    let usual = Usual::of(&source)?;
    Format::of(&source)?.read(bytes.as_ref(), &mut Rows::new(&usual, &mut gathered))?;
    Ok(gathered)
}

/// Why a document is refused, whatever is tried.
fn refusal(source: Value, bytes: impl AsRef<[u8]>) -> String {
    let error = read(source, bytes).map(drop).unwrap_err();
    assert!(error.is_permanent(), "{error}");
    error.to_string()
}

/// Where a highlight is, and from when to when in seconds.
fn told(candidate: &Candidate) -> (String, f64, f64) {
    let seconds = |time: contracts::time::MediaTime| time.seconds().unwrap();
    (
        candidate.source.display(),
        seconds(candidate.start),
        seconds(candidate.start) + seconds(candidate.duration),
    )
}

fn moments(gathered: &Gathered) -> Vec<(String, f64, f64)> {
    gathered.candidates().iter().map(told).collect()
}

fn titles(gathered: &Gathered) -> Vec<&str> {
    gathered.candidates().iter().map(|one| one.title.as_deref().unwrap_or("")).collect()
}

fn skipped(gathered: &Gathered) -> Vec<(&str, &str)> {
    gathered
        .report()
        .skipped_rows
        .iter()
        .map(|SkippedRow { row, reason }| (row.as_str(), reason.as_str()))
        .collect()
}

/// Each skipped row's place, where its reason holds what is expected.
#[track_caller]
fn assert_skipped(gathered: &Gathered, expected: &[(&str, &str)]) {
    let found = skipped(gathered);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((row, reason), (place, part)) in found.iter().zip(expected) {
        assert!(row == place && reason.contains(part), "{row}: {reason}; expected {place}: {part}");
    }
}

fn one_video() -> Value {
    json!({ "url": "https://media.example/vod.mp4" })
}

fn by_id() -> Value {
    json!({ "path": "library:vods/{id}" })
}

#[test]
fn what_is_written_in_utf_16_is_refused_by_every_format() {
    for format in ["highlights", "json", "csv", "edl", "otio", "chapters"] {
        let source = json!({ "format": format, "frame_rate": "25", "video": one_video() });
        let reason = refusal(source, b"\xFF\xFE0\x00:\x000\x000\x00");
        assert!(reason.contains("UTF-16"), "{format}: {reason}");
    }
}

#[test]
fn nothing_at_all_is_refused_by_every_format() {
    for format in ["highlights", "json", "csv", "edl", "otio", "chapters"] {
        let source = json!({ "format": format, "frame_rate": "25", "video": one_video() });
        let reason = refusal(source, b"");
        assert!(reason.contains("expected") || reason.contains("line 1"), "{format}: {reason}");
    }
}

#[test]
fn a_place_names_the_windows_days() {
    let days =
        contracts::import::Days { from: "2026-11-16".parse().unwrap(), to: "2026-11-22".parse().unwrap() };
    let window = Some(Window { days, zone: chrono_tz::Tz::UTC });
    assert_eq!(filled("lists/{from}_{to}.json", window).unwrap(), "lists/2026-11-16_2026-11-22.json");
    assert!(filled("lists/{from}.json", None).unwrap_err().to_string().contains("last_days"));
    assert_eq!(filled("lists/{a}.json", None).unwrap(), "lists/{a}.json");
}

/// Every format's words, so that arbitrary documents come further than their first byte.
fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        prop::sample::select(vec![
            "video,start,end\n",
            "start;duration\n",
            "a,0:10,0:20\n",
            "\"",
            ",",
            ";",
            "\r",
            "\n",
            "\r\n",
            "0:00 Intro\n",
            "1:02:03 - ",
            "[0:10]",
            "10:99 x\n",
            "001 AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n",
            "002 AX V D 030 ",
            "99:59:59;29 ",
            "M2 AX 050.0 00:00:00:00\n",
            "* FROM CLIP NAME: a.mp4\n",
            "FCM: DROP FRAME\n",
            "TITLE: x\n",
            "{\"highlights\":[",
            "[",
            "]",
            "{",
            "}",
            "{\"OTIO_SCHEMA\":\"Timeline.1\",\"tracks\":",
            "\"children\":[",
            "{\"OTIO_SCHEMA\":\"Clip.2\",\"name\":\"a\",\"source_range\":",
            "{\"start_time\":{\"value\":-1e300,\"rate\":29.97},",
            "\"duration\":{\"value\":9007199254740993,\"rate\":1e-3}}",
            "null",
            "1e999",
            ":",
            "\"start\":",
            "-1",
            "\u{feff}",
        ])
        .prop_map(|text: &str| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(shard, 0..24).prop_map(|shards| shards.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused_by_every_format(bytes in shards(), video in 0..3, has_duration: bool) {
        for format in ["highlights", "json", "csv", "edl", "otio", "chapters"] {
            let mut source = json!({ "format": format, "frame_rate": "30000/1001" });
            match video {
                0 => {}
                1 => source["video"] = one_video(),
                _ => source["video"] = by_id(),
            }
            if has_duration {
                source["duration"] = json!("5s");
            }
            if let Ok(gathered) = read(source, &bytes) {
                let report = gathered.report();
                prop_assert!(report.highlights + report.skipped <= report.rows, "{} {:?}", format, report);
                for one in gathered.candidates() {
                    let start = one.start.ticks().unwrap_or_default();
                    prop_assert!((0..=360_000 * TICKS_PER_SECOND).contains(&start));
                    prop_assert!(!one.duration.is_zero());
                }
            }
        }
    }
}
