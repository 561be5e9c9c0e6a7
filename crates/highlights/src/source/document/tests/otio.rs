//! OpenTimelineIO.

use super::*;
use contracts::time::MediaTime;

fn time(value: impl Into<Value>, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value.into() })
}

fn range(start: f64, length: f64, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "TimeRange.1", "start_time": time(start, rate), "duration": time(length, rate) })
}

fn clip(name: &str, url: &str, source_range: Value) -> Value {
    let media = json!({ "OTIO_SCHEMA": "ExternalReference.1", "target_url": url, "available_range": null });
    json!({ "OTIO_SCHEMA": "Clip.2", "name": name, "source_range": source_range, "effects": [], "enabled": true,
            "media_references": { "DEFAULT_MEDIA": media }, "active_media_reference_key": "DEFAULT_MEDIA" })
}

fn track(kind: &str, children: Vec<Value>) -> Value {
    json!({ "OTIO_SCHEMA": "Track.1", "kind": kind, "children": children, "source_range": null, "effects": [] })
}

fn stack(children: Vec<Value>) -> Value {
    json!({ "OTIO_SCHEMA": "Stack.1", "children": children, "source_range": null })
}

fn timeline(children: Vec<Value>) -> String {
    json!({ "OTIO_SCHEMA": "Timeline.1", "name": "t", "tracks": stack(children) }).to_string()
}

fn otio() -> Value {
    json!({ "format": "otio" })
}

#[test]
fn what_the_library_writes_comes_back_to_the_same_moments() {
    let rate = 30_000.0 / 1001.0;
    let own = |mut clip: Value, streamer: &str, score: Value| {
        clip["metadata"] = json!({ "stream_montages": { "streamer": streamer, "score": score, "mode": null, "source_start": 33.4 } });
        clip
    };
    let dissolve = json!({ "OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve", "in_offset": time(0, rate),
                           "out_offset": time(30, rate) });
    let children = vec![
        own(
            clip("Clip 0", "https://media.example/vod-1.mp4", range(1000.0, 300.0, rate)),
            "hana",
            json!(0.5),
        ),
        own(clip("Clip 1", "library:clips/a.mkv", range(2000.0, 120.0, rate)), "rin", Value::Null),
        dissolve,
        own(
            clip("Clip 2", "montage:019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", range(3000.0, 61.0, rate)),
            "hana",
            json!(2),
        ),
    ];
    let document = timeline(vec![track("Video", children.clone()), track("Audio", children)]);
    let gathered = read(otio(), document).unwrap();
    assert_eq!((gathered.report().rows, gathered.report().skipped), (3, 0));
    let tick = |frame: i64| MediaTime::Ticks(frame * 23_543_520);
    let places: Vec<_> = gathered
        .candidates()
        .iter()
        .map(|one| {
            (
                one.source.display(),
                one.start,
                one.duration,
                one.streamer.as_ref().unwrap().name.as_str(),
                one.score,
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("https://media.example/vod-1.mp4".to_owned(), tick(1000), tick(300), "hana", Some(0.5)),
            ("library:clips/a.mkv".to_owned(), tick(2000), tick(120), "rin", None),
            (
                "montage:019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b".to_owned(),
                tick(3000),
                tick(61),
                "hana",
                Some(2.0)
            ),
        ]
    );
    assert_eq!(titles(&gathered), ["Clip 0", "Clip 1", "Clip 2"]);
}

#[test]
fn rates_and_the_media_s_own_clock_are_counted_exactly() {
    let mut camera = clip("camera", "library:c.mov", range(86_424.0, 48.0, 24.0));
    camera["media_references"]["DEFAULT_MEDIA"]["available_range"] = range(86_400.0, 7200.0, 24.0);
    let mut whole = clip("whole", "library:w.mov", Value::Null);
    whole["media_references"]["DEFAULT_MEDIA"]["available_range"] = range(3600.0, 2.5, 1.0);
    let mut early = clip("early", "library:e.mov", range(10.0, 5.0, 24.0));
    early["media_references"]["DEFAULT_MEDIA"]["available_range"] = range(24.0, 100.0, 24.0);
    let mut older = clip("older", "", range(48_000.0, 24_000.0, 48_000.0));
    older["media_references"] = Value::Null;
    older["media_reference"] =
        json!({ "OTIO_SCHEMA": "ExternalReference.1", "target_url": "https://media.example/o.mp4" });
    let rounded = clip("rounded", "library:r.mov", range(30.0, 60.0, 29.97));
    let none = clip("none", "library:n.mov", Value::Null);
    let empty = clip("empty", "library:n.mov", range(5.0, 0.0, 24.0));
    let odd =
        clip("odd", "library:n.mov", json!({ "start_time": time("x", 24.0), "duration": time(1, 24.0) }));
    let document =
        timeline(vec![track("Video", vec![camera, whole, early, older, rounded, none, empty, odd])]);
    let gathered = read(otio(), document).unwrap();
    let second = TICKS_PER_SECOND;
    let ticks: Vec<_> = gathered
        .candidates()
        .iter()
        .map(|one| (one.start.ticks().unwrap(), one.duration.ticks().unwrap()))
        .collect();
    assert_eq!(
        ticks,
        [(second, 2 * second), (0, 5 * second / 2), (second, second / 2), (30 * 23_543_520, 60 * 23_543_520)]
    );
    assert_skipped(
        &gathered,
        &[
            ("clip 3, early", "before its media"),
            ("clip 6, none", "no source_range"),
            ("clip 7, empty", "no length"),
            ("clip 8, odd", "cannot be read"),
        ],
    );
}

#[test]
fn what_is_nested_is_cut_to_what_is_shown_of_it() {
    let second = |start: f64, length: f64| range(start, length, 1.0);
    // Ten seconds of a, five of nothing, ten of b; of it 8 to 18 are shown: 2 of a and 3 of b.
    let gap = json!({ "OTIO_SCHEMA": "Gap.1", "source_range": second(0.0, 5.0) });
    let inner =
        vec![clip("a", "library:a", second(100.0, 10.0)), gap, clip("b", "library:b", second(200.0, 10.0))];
    let mut nested = stack(vec![track("Video", inner.clone()), track("Audio", inner.clone())]);
    nested["source_range"] = second(8.0, 10.0);
    let mut cut = track("Video", inner.clone());
    cut["source_range"] = second(0.0, 1.0);
    let outer =
        track("Video", vec![nested.clone(), clip("c", "library:c", second(0.0, 1.0)), stack(vec![cut])]);
    let gathered = read(otio(), timeline(vec![outer.clone()])).unwrap();
    let of = |name: &str, from: f64, to: f64| (format!("library:{name}"), from, to);
    let expected = [of("a", 108.0, 110.0), of("b", 200.0, 203.0), of("c", 0.0, 1.0), of("a", 100.0, 101.0)];
    assert_eq!((moments(&gathered), gathered.report().skipped), (expected.to_vec(), 0));
    // All of it, cut once more from outside: 9 to 11.5 are b's last second and c, and half of the last a.
    let mut shorter = stack(vec![outer]);
    shorter["source_range"] = second(9.0, 2.5);
    let gathered = read(otio(), timeline(vec![track("Video", vec![shorter])])).unwrap();
    assert_eq!(moments(&gathered), [of("b", 202.0, 203.0), of("c", 0.0, 1.0), of("a", 100.0, 100.5)]);
    // A timeline in a collection, and a track by itself.
    let own: Value = serde_json::from_str(&timeline(vec![track("Video", inner.clone())])).unwrap();
    let collection = json!({ "OTIO_SCHEMA": "SerializableCollection.1", "children": [own] });
    assert_eq!(read(otio(), collection.to_string()).unwrap().report().highlights, 2);
    assert_eq!(read(otio(), track("Video", inner).to_string()).unwrap().report().highlights, 2);
}

#[test]
fn what_is_not_shown_as_it_was_recorded_is_reported() {
    let one = |name: &str| clip(name, "library:a", range(0.0, 24.0, 24.0));
    let with = |name: &str, field: &str, value: Value| {
        let mut clip = one(name);
        clip[field] = value;
        clip
    };
    let effect = |schema: &str, scalar: f64| json!([{ "OTIO_SCHEMA": "Effect.1" }, { "OTIO_SCHEMA": schema, "time_scalar": scalar }]);
    let mut frozen = track("Video", vec![one("in a track")]);
    frozen["effects"] = effect("FreezeFrame.1", 0.0);
    let made =
        json!({ "DEFAULT_MEDIA": { "OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": "black" } });
    let document = timeline(vec![
        track(
            "Video",
            vec![
                with("fast", "effects", effect("LinearTimeWarp.1", 2.0)),
                with("same", "effects", effect("LinearTimeWarp.1", 1.0)),
                with("off", "enabled", json!(false)),
                with("made", "media_references", made),
            ],
        ),
        frozen,
        track("Audio", vec![one("sound")]),
    ]);
    let gathered = read(otio(), document).unwrap();
    assert_eq!((titles(&gathered), gathered.report().rows), (vec!["same"], 5));
    assert_skipped(
        &gathered,
        &[
            ("clip 1, fast", "LinearTimeWarp"),
            ("clip 3, off", "switched off"),
            ("clip 4, made", "no file"),
            ("clip 5, in a track", "FreezeFrame"),
        ],
    );
}

#[test]
fn a_template_s_id_is_the_file_s_name_else_the_clip_s() {
    let missing = |name: &str| {
        let mut clip = clip(name, "", range(0.0, 24.0, 24.0));
        clip["media_references"]["DEFAULT_MEDIA"] = json!({ "OTIO_SCHEMA": "MissingReference.1" });
        clip
    };
    let url = |url: &str| clip("A title", url, range(0.0, 24.0, 24.0));
    let clips = vec![
        url("file:///Volumes/Takes/Friday%20night.mov"),
        url("https://media.example/vods/a.mp4?token=x"),
        url("C:\\Takes\\b.mov"),
        missing("c.mov"),
        missing(""),
    ];
    let document = timeline(vec![track("Video", clips)]);
    let gathered = read(json!({ "format": "otio", "video": by_id() }), &document).unwrap();
    let named: Vec<_> = moments(&gathered).into_iter().map(|(source, ..)| source).collect();
    assert_eq!(
        named,
        ["Friday night.mov", "a.mp4", "b.mov", "c.mov"].map(|name| format!("library:vods/{name}"))
    );
    assert_skipped(&gathered, &[("clip 5", "names no video")]);
    let gathered = read(otio(), &document).unwrap();
    assert_eq!((gathered.report().highlights, gathered.report().skipped), (1, 4));
    let one = json!({ "format": "otio", "video": one_video() });
    assert_eq!(read(one, &document).unwrap().report().highlights, 5);
}

#[test]
fn what_is_no_timeline_is_refused() {
    for (document, part) in [
        ("{", "line 1 column 1"),
        ("[]", "OTIO_SCHEMA"),
        ("{\"tracks\": {}}", "OTIO_SCHEMA"),
        ("{\"OTIO_SCHEMA\": \"Timeline.1\"}", "\"Timeline\""),
        ("{\"OTIO_SCHEMA\": \"Marker.1\"}", "\"Marker\""),
    ] {
        let reason = refusal(otio(), document);
        assert!(reason.contains(part) && reason.contains("OpenTimelineIO"), "{document}: {reason}");
    }
    let deep =
        format!("{}{}", "{\"OTIO_SCHEMA\":\"Stack.1\",\"children\":[".repeat(10_000), "]}".repeat(10_000));
    assert!(refusal(otio(), deep).contains("recursion limit"));
    assert_eq!(read(otio(), timeline(Vec::new())).unwrap().report().rows, 0);
}
