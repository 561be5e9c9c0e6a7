//! Chapters below a video.

use super::*;

fn chapters() -> Value {
    json!({ "format": "chapters", "video": one_video() })
}

fn limited(duration: &str) -> Value {
    json!({ "format": "chapters", "video": one_video(), "duration": duration, "streamer": "hana" })
}

/// Title, start and end of each.
fn list(gathered: &Gathered) -> Vec<(&str, f64, f64)> {
    titles(gathered)
        .into_iter()
        .zip(moments(gathered))
        .map(|(title, (_, start, end))| (title, start, end))
        .collect()
}

#[test]
fn each_lasts_until_the_next_or_as_long_as_the_source_says() {
    let text =
        "The best of the week!\n\nEvery day at 20:00\n0:00 Intro\n1:05 - The comeback\n1:02:03 Thanks\n";
    let gathered = read(chapters(), text).unwrap();
    assert_eq!(list(&gathered), [("Intro", 0.0, 65.0), ("The comeback", 65.0, 3723.0)]);
    assert_skipped(&gathered, &[("line 6", "give the source a `duration`")]);
    assert_eq!(gathered.report().rows, 3);
    let gathered = read(limited("100s"), text.replace('\n', "\r\n")).unwrap();
    assert_eq!(
        list(&gathered),
        [("Intro", 0.0, 65.0), ("The comeback", 65.0, 165.0), ("Thanks", 3723.0, 3823.0)]
    );
    assert_eq!(gathered.candidates()[0].streamer.as_ref().unwrap().name, "hana");
}

#[test]
fn lines_are_read_as_people_write_them() {
    for (line, start, end, title) in [
        ("0:10 Title", 10.0, 15.0, "Title"),
        ("00:10 – Title", 10.0, 15.0, "Title"),
        ("[0:10] Title", 10.0, 15.0, "Title"),
        ("(00:00:10) | Title", 10.0, 15.0, "Title"),
        ("- 0:10: Title", 10.0, 15.0, "Title"),
        ("• 0:10 Title", 10.0, 15.0, "Title"),
        ("▶ 0:10 3:1 for us", 10.0, 15.0, "3:1 for us"),
        ("0:10 - 3:1 for us", 10.0, 15.0, "3:1 for us"),
        ("0:10 - 0:12 Title", 10.0, 12.0, "Title"),
        ("0:10–0:12 Title", 10.0, 12.0, "Title"),
        ("Title 0:10", 10.0, 15.0, "Title"),
        ("Title - (0:10)", 10.0, 15.0, "Title"),
        ("été • 0:10", 10.0, 15.0, "été"),
        ("0:10", 10.0, 15.0, ""),
        ("0:10.5 Title", 10.5, 15.5, "Title"),
        ("90:00 Title", 5400.0, 5405.0, "Title"),
        ("\u{feff}0:10 Title", 10.0, 15.0, "Title"),
    ] {
        let gathered = read(limited("5s"), line).unwrap();
        assert_eq!(list(&gathered), [(title, start, end)], "{line}");
    }
    for text in
        ["no times here", "10:30am start", "at 8", "score 3:1st", "12.5 x", "https://media.example:80"]
    {
        assert!(refusal(limited("5s"), text).contains("no chapters"), "{text}");
    }
}

#[test]
fn wrong_times_are_told_with_their_lines_and_cost_no_other() {
    let text = "0:00 a\n0:30 b\n0:30 again\n0:20 back\n1:75 odd\n1:5 short\n2:00 - 1:30 turned\n3:00 c\n1:2:3:4 d\n999:00:00 e";
    let gathered = read(limited("1000s"), text).unwrap();
    assert_eq!(list(&gathered), [("a", 0.0, 30.0), ("b", 30.0, 120.0), ("c", 180.0, 1180.0)]);
    assert_skipped(
        &gathered,
        &[
            ("line 3", "does not come after"),
            ("line 4", "does not come after"),
            ("line 5", "`1:75` is not a time"),
            ("line 6", "`1:5` is not a time"),
            ("line 7", "its end `1:30` does not come after"),
            ("line 9", "`1:2:3:4` is not a time"),
            ("line 10", "100 hours"),
        ],
    );
    let gathered = read(limited("5s"), b"0:00 caf\xE9\n0:10 caf\xC3\xA9\r\n").unwrap();
    assert_skipped(&gathered, &[("line 1", "UTF-8")]);
}

proptest! {
    #[test]
    fn chapters_that_are_written_come_back(lengths in prop::collection::vec(1_u32..4000, 1..60)) {
        let starts: Vec<u32> = (0..lengths.len()).map(|before| lengths[..before].iter().sum()).collect();
        let line = |start: &u32| format!("{}:{:02}:{:02} Chapter {start}\n", start / 3600, start / 60 % 60, start % 60);
        let gathered = read(limited("2:00:00"), starts.iter().map(line).collect::<String>()).unwrap();
        let read: Vec<f64> = moments(&gathered).into_iter().map(|(_, start, _)| start).collect();
        prop_assert_eq!(read, starts.iter().copied().map(f64::from).collect::<Vec<_>>());
        prop_assert_eq!(gathered.report().skipped, 0);
        for (pair, length) in moments(&gathered).windows(2).zip(&lengths) {
            prop_assert_eq!(pair[0].2, pair[1].1);
            prop_assert_eq!(pair[0].2 - pair[0].1, f64::from(*length));
        }
    }
}
