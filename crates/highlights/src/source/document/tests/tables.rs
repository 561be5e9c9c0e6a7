//! Tables.

use super::*;

#[test]
fn a_table_is_read_as_spreadsheets_write_it() {
    let table = "\u{feff}Video,start , end,title,streamer,score,at,other\r\n\
        a.mkv,1:05,1:15,\"Hello, \"\"you\"\"\",hana,3,2026-11-18,x\r\n\
        \r\n\
        b.mkv , 90 ,100s,\"two\r\nlines\",,,,\r\n\
        ,,,,,,,\r\n\
        c.mkv,soon,9,,,,,\r\n\
        d.mkv,1,\r\n\
        e.mkv,\"0:00:01,500\",3,,,1e3,,\r\n\
        f.mkv,1,2,,,many,,";
    let gathered = read(json!({ "format": "csv", "video": by_id(), "streamer": "rin" }), table).unwrap();
    assert_eq!(
        moments(&gathered),
        [
            ("library:vods/a.mkv".to_owned(), 65.0, 75.0),
            ("library:vods/b.mkv".to_owned(), 90.0, 100.0),
            ("library:vods/e.mkv".to_owned(), 1.5, 3.0),
        ]
    );
    assert_eq!(titles(&gathered), ["Hello, \"you\"", "two lines", ""]);
    let streamers: Vec<_> =
        gathered.candidates().iter().map(|one| one.streamer.as_ref().unwrap().name.as_str()).collect();
    assert_eq!(streamers, ["hana", "rin", "rin"]);
    assert_eq!(gathered.candidates()[2].score, Some(1000.0));
    assert_eq!(gathered.report().rows, 6);
    assert_skipped(
        &gathered,
        &[
            ("line 7", "its start"),
            ("line 8", "it has 3 fields, and the line of names 8"),
            ("line 10", "score"),
        ],
    );
}

#[test]
fn semicolons_and_tabs_separate_where_the_names_have_no_comma() {
    let source = json!({ "format": "csv", "video": one_video() });
    for separator in [";", "\t"] {
        let table = "start|end|score\n1,5|0:03,25|7,5\n\n".replace('|', separator);
        let gathered = read(source.clone(), table).unwrap();
        assert_eq!(moments(&gathered), [("https://media.example/vod.mp4".to_owned(), 1.5, 3.25)]);
        assert_eq!(gathered.candidates()[0].score, Some(7.5));
    }
    // Where the comma separates, it may stand between thousands.
    let gathered = read(source, "start,end\n\"1,234\",2000\n").unwrap();
    assert_skipped(&gathered, &[("line 2", "its start")]);
}

#[test]
fn columns_that_are_needed_are_named_with_those_that_are_there() {
    let reason = refusal(json!({ "format": "csv" }), "begin,end,Titel\n1,2,3\n");
    assert!(reason.contains("`video`, `start`") && reason.contains("`begin`, `end`, `Titel`"), "{reason}");
    let reason = refusal(json!({ "format": "csv", "video": one_video() }), "1,2\n");
    assert!(reason.contains("no column `start`") && reason.contains("line 1"), "{reason}");
    let mapped =
        json!({ "format": "csv", "video": one_video(), "mapping": { "start": "Begin", "score": "Views" } });
    assert!(refusal(mapped.clone(), "begin,end\n1,2\n").contains("no column `Views`"));
    let gathered = read(mapped, "Views,begin,end\n9,1,2\n").unwrap();
    assert_eq!(gathered.candidates()[0].score, Some(9.0));
    assert!(refusal(json!({ "format": "csv" }), "vid\u{e9}o").contains("`vidéo`"));
    assert!(refusal(json!({ "format": "csv" }), b"vid\xE9o,start\n").contains("UTF-8"));
    assert!(refusal(json!({ "format": "csv" }), "\n\n").contains("there are none"));
    // The first of two columns of one name is taken, and case tells them apart.
    let gathered =
        read(json!({ "format": "csv", "video": one_video() }), "START,start,start,end\n9,1,8,2\n").unwrap();
    assert_eq!(moments(&gathered)[0].1, 1.0);
}

#[test]
fn bytes_that_are_no_text_cost_one_row() {
    let gathered = read(
        json!({ "format": "csv", "video": one_video() }),
        b"start,end,title\n1,2,caf\xE9\n3,4,caf\xC3\xA9\n",
    )
    .unwrap();
    assert_skipped(&gathered, &[("line 2", "UTF-8")]);
    assert_eq!(titles(&gathered), ["café"]);
}

#[test]
fn a_quote_that_never_closes_is_told() {
    let source = json!({ "format": "csv", "video": one_video() });
    let gathered = read(source.clone(), "start,end,title\n1,2,a\n3,4,\"b\n5,6,c\n7,8,d\n").unwrap();
    assert_skipped(&gathered, &[("line 3", "never closes")]);
    assert_eq!(gathered.report().highlights, 1);
    // A quote within a field is a sign like others, in the last row too.
    let gathered = read(source, "start,end,title\n1,2,a 5\" disc\n").unwrap();
    assert_eq!(titles(&gathered), ["a 5\" disc"]);
}

#[test]
fn lines_are_counted_however_they_end() {
    let source = json!({ "format": "csv", "video": one_video() });
    for end in ["\n", "\r\n", "\r"] {
        let table = ["start,end", "", "x,2", "\"1\"\"\",3", "\"a", "b\",3", "", "1,2", "y,2"].join(end);
        let gathered = read(source.clone(), table).unwrap();
        let lines: Vec<&str> = skipped(&gathered).iter().map(|(row, _)| *row).collect();
        assert_eq!(lines, ["line 3", "line 4", "line 5", "line 9"], "{end:?}");
    }
}

#[test]
fn a_hundred_thousand_rows_are_read_each_once() {
    let mut table = "video,start,duration,title,streamer,score\n".to_owned();
    for row in 0..100_000 {
        table += &format!(
            "vods/{:05}.mp4,{},12.5,The moment number {row} of a week in which a great deal happened,streamer {},{}\n",
            row / 40,
            row % 7200,
            row % 30,
            row % 997
        );
    }
    assert!((9_000_000..12_000_000).contains(&table.len()), "{}", table.len());
    let gathered = read(json!({ "format": "csv", "video": by_id() }), &table).unwrap();
    assert_eq!((gathered.report().rows, gathered.report().highlights), (100_000, 100_000));
    // What comes again is held once.
    let (first, next) = (&gathered.candidates()[0], &gathered.candidates()[39]);
    assert!(Arc::ptr_eq(&first.source, &next.source));
    assert!(Arc::ptr_eq(
        first.streamer.as_ref().unwrap(),
        gathered.candidates()[30].streamer.as_ref().unwrap()
    ));
    // Bad rows are placed without counting from the start for each.
    let bad = table.replace(",12.5,", ",x,");
    assert_eq!(read(json!({ "format": "csv", "video": by_id() }), bad).unwrap().report().skipped, 100_000);
}
