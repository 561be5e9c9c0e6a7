//! JSON: lists of highlights, and other JSON by a mapping.

use super::*;
use crate::{Window, candidate::When};
use contracts::time::MediaTime;

#[test]
fn a_job_s_highlights_are_read_and_bad_ones_reported_beside_them() {
    let list = json!([
        { "source": { "url": "https://media.example/a.mp4" }, "start": "1:05", "duration": 10, "title": "One", "score": 3.5,
          "streamer": "hana", "cut": { "mode": "exact" }, "at": "2026-11-18" },
        { "source": { "path": "../etc" }, "start": "1:5", "duration": 10 },
        { "source": { "path": "library:b.mkv" }, "start": 5, "end": "0:15", "at": "2026-11-18T23:30:00+02:00" },
        { "source": { "path": "library:b.mkv" }, "start": "900f", "streamer": null },
        "nothing",
        { "source": { "path": "library:b.mkv" }, "start": 1, "at": "yesterday" },
    ]);
    let source = json!({ "duration": "30s", "streamer": "rin" });
    for document in [
        list.to_string(),
        json!({ "about": [1], "highlights": list }).to_string(),
        format!("\u{feff} {list}"),
    ] {
        let gathered = read(source.clone(), document).unwrap();
        assert_eq!((gathered.report().rows, gathered.report().highlights), (6, 3));
        assert_skipped(
            &gathered,
            &[("row 2", "start: seconds after a colon"), ("row 5", "expected an object"), ("row 6", "`at`")],
        );
        let [one, two, three] = gathered.candidates() else { panic!("three highlights") };
        assert_eq!(told(one), ("https://media.example/a.mp4".to_owned(), 65.0, 75.0));
        assert_eq!((one.score, one.title.as_deref(), one.cut.is_some()), (Some(3.5), Some("One"), true));
        assert_eq!(one.when, Some(When::Day("2026-11-18".parse().unwrap())));
        assert_eq!(two.when, Some(When::Moment("2026-11-18T21:30:00Z".parse().unwrap())));
        assert_eq!(
            (three.start, three.duration),
            (MediaTime::Frames(900), MediaTime::Ticks(30 * TICKS_PER_SECOND))
        );
        let streamers: Vec<_> =
            gathered.candidates().iter().map(|one| one.streamer.as_ref().unwrap().name.as_str()).collect();
        assert_eq!(streamers, ["hana", "rin", "rin"]);
    }
    // Without what is usual, a row that does not say is a bad one.
    assert_eq!(read(json!({}), list.to_string()).unwrap().report().highlights, 2);
}

#[test]
fn what_is_no_list_of_highlights_is_refused_with_the_place() {
    for (document, part) in [
        ("[1, 2", "line 1 column 5"),
        ("{\"highlights\": 5}", "line 1 column"),
        ("{\"list\": []}", "missing field `highlights`"),
        ("\"text\"", "expected a JSON list of highlights"),
        ("<html>", "line 1 column 1"),
        ("[{\"a\": \"\u{0}\"}]", "line 1 column"),
    ] {
        let reason = refusal(json!({}), document);
        assert!(reason.contains(part), "{document}: {reason}");
    }
    assert_eq!(read(json!({}), "[]").unwrap().report().rows, 0);
}

#[test]
fn any_json_is_read_by_a_mapping() {
    let document = json!({ "data": { "clips": [
        { "vod": 77, "at": { "s": 65.5 }, "len": "12s", "who": ["hana"], "views": "1200", "name": "One\n line", "when": 1_795_000_000 },
        { "vod": null, "at": { "s": 1 } },
        { "vod": "a/b", "at": { "s": "1:02:03.500" }, "end": "1:02:13.500", "when": 1_795_000_000_000_i64 },
        { "vod": "a/b", "at": { "s": "soon" } },
        { "vod": "a/b", "at": { "s": 1 }, "views": "many" },
        { "vod": { "id": 1 }, "at": { "s": 1 } },
        { "vod": "../x", "at": { "s": 1 } },
        { "vod": "x", "at": { "s": 1 }, "when": "2026-11-18 at noon" },
        { "vod": "x", "at": { "s": 1 }, "len": 5, "end": 7 },
        { "vod": "x", "at": { "s": 1 }, "len": 5, "end": 6.001 },
        7,
    ] } });
    let source = json!({
        "format": "json", "video": by_id(), "duration": 30,
        "mapping": { "rows": "$.data.clips[*]", "video": "$.vod", "start": "$.at.s", "duration": "$.len", "score": "$.views",
                     "streamer": "$.who[0]", "title": "$.name", "at": "$.when" },
    });
    let gathered = read(source, document.to_string()).unwrap();
    assert_eq!(
        moments(&gathered),
        [
            ("library:vods/77".to_owned(), 65.5, 77.5),
            ("library:vods/a/b".to_owned(), 3723.5, 3733.5),
            ("library:vods/x".to_owned(), 1.0, 6.0)
        ]
    );
    let first = &gathered.candidates()[0];
    assert_eq!((first.score, first.title.as_deref()), (Some(1200.0), Some("One line")));
    assert_eq!(first.streamer.as_ref().unwrap().name, "hana");
    assert_eq!(first.when, gathered.candidates()[1].when, "seconds and milliseconds are told apart");
    assert_skipped(
        &gathered,
        &[
            ("row 2", "names no video"),
            ("row 4", "its start: expected a time"),
            ("row 5", "score"),
            ("row 6", "video is neither"),
            ("row 7", "video's id cannot be used"),
            ("row 8", "`at`"),
            ("row 9", "do not agree"),
            ("row 11", "does `rows` of the mapping lead"),
        ],
    );
}

#[test]
fn fields_are_where_their_names_lead_without_a_mapping() {
    let rows = r#"[{"video": "https://media.example/a.mp4", "start": 1, "end": 3},
        {"video": "a.mp4", "start": 1, "end": 3}, {"video": "library:a.mkv", "start": {"ticks": 705600000}},
        {"video": "file:///a.mp4", "start": 1, "end": 2}, {"video": "C:\\a.mp4", "start": 1, "end": 2}, {"video": "x:y", "start": 1e999}]"#;
    let gathered = read(json!({ "format": "json" }), rows).unwrap();
    assert_eq!(moments(&gathered), [("https://media.example/a.mp4".to_owned(), 1.0, 3.0)]);
    assert_skipped(
        &gathered,
        &[
            ("row 2", "neither an address"),
            ("row 3", "the source gives no `duration`"),
            ("row 4", "neither an address"),
            ("row 5", "neither an address"),
            ("row 6", "JSON cannot be read"),
        ],
    );
    let one = read(json!({ "format": "json", "video": one_video() }), r#"[{"start": 1, "end": 3}]"#).unwrap();
    assert_eq!(moments(&one), [("https://media.example/vod.mp4".to_owned(), 1.0, 3.0)]);
}

#[test]
fn json_without_rows_where_they_should_be_is_refused() {
    let reason = refusal(json!({ "format": "json" }), r#"{"data": []}"#);
    assert!(reason.contains("$.data[*]") && reason.contains("line 1"), "{reason}");
    let rows = |rows: &str| json!({ "format": "json", "mapping": { "rows": rows } });
    assert!(refusal(rows("$.data[*]"), "{\"data\": [}").contains("line 1 column 11"));
    assert!(refusal(rows("$..a..b"), "[]").contains("`rows` of the mapping"));
    let hint = read(rows("$.data"), r#"{"data": [{"video": "x"}]}"#).unwrap();
    assert_skipped(&hint, &[("row 1", "end with [*]")]);
}

#[test]
fn rows_outside_the_window_are_left_out() {
    let days =
        contracts::import::Days { from: "2026-11-16".parse().unwrap(), to: "2026-11-22".parse().unwrap() };
    let window = Window { days, zone: chrono_tz::Tz::UTC };
    let source = json!({ "path": "library:list", "format": "csv", "video": one_video(), "duration": 5 });
    let source: DocumentSource = serde_json::from_value(source).unwrap();
    let (usual, mut gathered) = (Usual::of(&source).unwrap(), Gathered::new(Some(window)));
    let table = "start,at\n1,2026-11-15\n2,2026-11-16\n3,2026-11-22T23:59:59Z\n4,2026-11-23T00:00:00Z\n5,\n";
    Format::of(&source).unwrap().read(table.as_bytes(), &mut Rows::new(&usual, &mut gathered)).unwrap();
    let starts: Vec<f64> = moments(&gathered).iter().map(|(_, start, _)| *start).collect();
    assert_eq!((starts, gathered.report().skipped), (vec![2.0, 3.0, 5.0], 0));
}
