//! Edit decision lists.

use super::*;
use contracts::time::MediaTime;

fn edl(rate: &str) -> Value {
    json!({ "format": "edl", "frame_rate": rate, "video": by_id() })
}

#[test]
fn events_are_read_with_what_their_comments_name() {
    let list = "TITLE: Best of\nFCM: NON-DROP FRAME\n\n\
        001  AX       V     C        00:00:10:00 00:00:12:12 01:00:00:00 01:00:02:12\n\
        * FROM CLIP NAME: friday night.mp4\n\
        002  AX       AA/V  C        00:01:00:00 00:01:05:00 01:00:02:12 01:00:07:12\n\
        * FROM CLIP NAME: The comeback v1.2\n\
        * SOURCE FILE: D:\\Takes\\vod-1.mp4\n\
        * LOC: 01:00:03:00 RED marker\n\
        003  TAPE2    V     C        00:00:01:00 00:00:02:00 01:00:07:12 01:00:08:12\n\
        004  AX       V     C        00:00:01:00 00:00:02:00 01:00:08:12 01:00:09:12\n";
    let gathered = read(edl("25"), list).unwrap();
    assert_eq!(
        moments(&gathered),
        [
            ("library:vods/friday night.mp4".to_owned(), 10.0, 12.48),
            ("library:vods/vod-1.mp4".to_owned(), 60.0, 65.0),
            ("library:vods/TAPE2".to_owned(), 1.0, 2.0),
        ]
    );
    assert_eq!(titles(&gathered), ["friday night", "The comeback v1.2", ""]);
    assert_skipped(&gathered, &[("line 11", "names no video")]);
    // All events are of the one video that the source names.
    let one = json!({ "format": "edl", "frame_rate": "25", "video": one_video() });
    assert_eq!(read(one, list).unwrap().report().highlights, 4);
}

#[test]
fn what_the_library_writes_comes_back_to_the_same_moments() {
    let list = "TITLE: Best of the week\r\nFCM: NON-DROP FRAME\r\n\
        001  VOD1     AA/V  C        00:00:33:10 00:00:43:10 01:00:00:00 01:00:10:00\r\n\
        * FROM CLIP NAME: Clip 0\r\n\
        * SOURCE FILE: https://media.example/vod-1.mp4\r\n\
        * STREAMER: hana\r\n\
        * SOURCE TIMECODES COUNT FROM EACH SOURCE'S FIRST PICTURE AT 30 FRAMES A SECOND, THE RATE OF THE MONTAGE\r\n\
        002  A        AA/V  C        00:01:06:20 00:01:10:20 01:00:10:00 01:00:14:00\r\n\
        * FROM CLIP NAME: Clip 1\r\n\
        * SOURCE FILE: library:clips/a.mkv\r\n\
        * STREAMER: rin\r\n\
        003  A        AA/V  C        00:01:10:20 00:01:10:20 01:00:14:00 01:00:14:00\r\n\
        003  019A0B1C AA/V  D    030 00:01:40:00 00:01:42:00 01:00:14:00 01:00:16:00\r\n\
        * FROM CLIP NAME: Clip 1\r\n\
        * TO CLIP NAME: Clip 2\r\n\
        * SOURCE FILE: upload:019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b\r\n\
        * STREAMER: hana\r\n";
    let gathered = read(json!({ "format": "edl", "frame_rate": "30" }), list).unwrap();
    assert_eq!((gathered.report().rows, gathered.report().skipped), (3, 0));
    let tick = |frame: i64| MediaTime::Ticks(frame * TICKS_PER_SECOND / 30);
    let places: Vec<_> = gathered
        .candidates()
        .iter()
        .map(|one| {
            (one.source.display(), one.start, one.duration, one.streamer.as_ref().unwrap().name.as_str())
        })
        .collect();
    assert_eq!(
        places,
        [
            ("https://media.example/vod-1.mp4".to_owned(), tick(1000), tick(300), "hana"),
            ("library:clips/a.mkv".to_owned(), tick(2000), tick(120), "rin"),
            ("upload:019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b".to_owned(), tick(3000), tick(60), "hana"),
        ]
    );
    assert!(matches!(&*gathered.candidates()[2].source, contracts::spec::Source::Upload(_)));
    assert_eq!(titles(&gathered), ["Clip 0", "Clip 1", "Clip 2"]);
    // Drop-frame, as it is written for 29.97.
    let list = "FCM: DROP FRAME\r\n001  A  AA/V  C  00:00:33;10 00:01:33;12 01:00:00;00 01:01:00;02\r\n* SOURCE FILE: library:a\r\n";
    let gathered = read(json!({ "format": "edl", "frame_rate": "29.97" }), list).unwrap();
    let first = &gathered.candidates()[0];
    let tick = |frame: i64| MediaTime::Ticks(frame * 23_543_520);
    assert_eq!((first.start, first.duration), (tick(1000), tick(1800)));
}

#[test]
fn drop_frame_is_told_by_the_sign_and_by_the_list() {
    let events = |sign: &str| {
        format!("001 A V C 00:01:00{sign}02 00:02:00{sign}02 00:00:00{sign}00 00:00:59{sign}28\n")
    };
    for list in [events(";"), format!("FCM: DROP FRAME\n{}", events(":"))] {
        let gathered = read(edl("29.97"), list).unwrap();
        assert_eq!(gathered.candidates()[0].start, MediaTime::Ticks(1800 * 23_543_520));
        assert_eq!(gathered.candidates()[0].duration, MediaTime::Ticks(1798 * 23_543_520));
    }
    let list = format!("FCM: DROP FRAME\nFCM: NON-DROP FRAME\n{}", events(":"));
    assert_eq!(read(edl("29.97"), list).unwrap().candidates()[0].start, MediaTime::Ticks(1802 * 23_543_520));
    let gathered = read(edl("25"), events(";")).unwrap();
    assert_skipped(&gathered, &[("line 1", "`frame_rate`")]);
}

#[test]
fn what_a_montage_cannot_show_is_reported_and_what_says_nothing_is_left_out() {
    let event = |number: u32, reel: &str, track: &str, at: u32| {
        format!(
            "{number:03} {reel} {track} C 00:00:{at:02}:00 00:00:{:02}:00 00:00:{at:02}:00 00:00:{:02}:00\n",
            at + 1,
            at + 1
        )
    };
    let list = [
        event(1, "T", "V", 1),
        event(1, "T", "A", 1),
        event(2, "T", "A2", 1),
        event(3, "BL", "V", 2),
        event(4, "T", "A", 3),
        event(5, "T", "V", 4),
        "M2   T       050.0                00:00:04:00\n".to_owned(),
        event(6, "T", "B", 5),
        "M2   T       025.0                00:00:05:00\n".to_owned(),
        event(7, "T", "NONE", 6),
        event(8, "T", "V", 7).replace("00:00:08:00 00:00:07:00", "00:00:06:00 00:00:07:00"),
        event(9, "T", "V", 8).replace("00:00:08:00", "00:00:08:25"),
        "010 T V C 00:00:05:00\n".to_owned(),
        "something else\n".to_owned(),
    ]
    .concat();
    let gathered = read(edl("25"), list).unwrap();
    let starts: Vec<f64> = moments(&gathered).iter().map(|(_, start, _)| *start).collect();
    assert_eq!(starts, [1.0, 5.0]);
    assert_skipped(
        &gathered,
        &[
            ("line 13", "not an event"),
            ("line 5", "sound without a picture"),
            ("line 6", "M2"),
            ("line 10", "sound without a picture"),
            ("line 11", "before it starts"),
            ("line 12", "no frame 25"),
        ],
    );
}

#[test]
fn events_come_in_the_order_of_the_edit() {
    let list = "001 LATER V C 00:00:01:00 00:00:02:00 00:00:09:00 00:00:10:00\n\
        002 FIRST V C 00:00:05:00 00:00:06:00 00:00:00:00 00:00:01:00\n";
    let gathered = read(edl("25"), list).unwrap();
    assert_eq!(moments(&gathered)[0].0, "library:vods/FIRST");
}

#[test]
fn what_is_no_edit_list_is_refused() {
    assert!(refusal(edl("25"), "hello\nworld").contains("found none"));
    assert!(refusal(edl("25"), "video,start\n").contains("CMX 3600"));
    assert!(refusal(json!({ "format": "edl" }), "TITLE: x").contains("frame_rate"));
    assert_eq!(read(edl("25"), "TITLE: nothing this week\n").unwrap().report().rows, 0);
    let latin = b"001 T V C 00:00:01:00 00:00:02:00 00:00:00:00 00:00:01:00\n* FROM CLIP NAME: caf\xE9.mp4\n";
    assert_skipped(&read(edl("25"), latin).unwrap(), &[("line 1", "UTF-8")]);
}

#[test]
fn a_long_event_costs_no_more_than_a_short_one() {
    let line = "001 T A C 00:00:01:00 00:00:02:00 00:00:00:00 00:00:01:00\n* STREAMER: x\n";
    let gathered = read(edl("25"), line.repeat(50_000)).unwrap();
    assert_eq!(gathered.report().skipped, 50_000);
}
