//! What the decoders accept, refuse, and store.

use super::*;
use crate::replay::ReplayOptions;
use crate::time::TICKS_PER_SECOND;
use serde_json::{Value, json};

fn full() -> Value {
    json!({
        "kind": "montage", "title": "Best", "labels": { "show": "weekly" }, "priority": 5, "run_at": "2026-11-21T18:00:00+01:00",
        "spec": {
            "highlights": [
                { "source": { "url": "https://a.example/v.mp4?sig=1" }, "start": "1:02:03.5", "duration": "25s", "score": 1.5,
                  "cut": { "mode": "auto", "tolerance": 2 } },
                { "source": { "path": "library:a/b.mkv" }, "start": "10f", "end": "20f", "title": "T", "streamer": "S", "score": 9 } ],
            "cut": { "mode": "snap" }, "canvas": { "codec": "hevc", "width": 1280, "height": 720, "frame_rate": 29.97 },
            "order": "score", "audio": { "loudness_lufs": -14 },
            "transition": { "kind": "dip", "duration": "1.5s", "colour": "#FF8000" }, "titles": { "show": "both" },
            "intro": { "source": { "path": "library:intro.mp4" } },
            "outro": { "source": { "path": "library:outro.mp4" }, "end": "90f" },
            "transcribe": { "engine": "openai", "language": "ja" } }
    })
}

#[test]
fn what_is_stored_decodes_to_the_same_again() {
    let job = NewJob::decode(&full()).unwrap();
    let again =
        NewJob::decode(&json!({ "kind": "montage", "spec": serde_json::to_value(&job.spec).unwrap() }))
            .unwrap();
    assert_eq!(again.spec, job.spec);
    let by_serde: JobSpec = serde_json::from_value(serde_json::to_value(&job.spec).unwrap()).unwrap();
    assert_eq!(by_serde, job.spec);
}

#[test]
fn defaults_are_filled_in_and_ends_become_lengths() {
    let JobSpec::Montage(spec) = NewJob::decode(&full()).unwrap().spec else { panic!("a montage") };
    assert_eq!(spec.highlights[1].duration, MediaTime::Frames(10));
    assert_eq!(spec.highlights[0].title, None);
    assert_eq!(spec.clip_order(), [1, 0]);
    assert_eq!(spec.highlights[0].source.display(), "https://a.example/v.mp4");
}

#[test]
fn every_mistake_has_its_place() {
    let body = json!({ "kind": "montage", "spec": { "highlights": [
        { "source": { "url": "x" }, "start": 0, "duration": 0 },
        { "source": { "url": "https://u:p@a.example/" }, "start": "10f", "end": 3 },
        { "source": { "montage": "1" }, "start": 0, "duration": "5h", "titel": "" } ] } });
    let Err(SpecError::Invalid(errors)) = NewJob::decode(&body) else { panic!("refused") };
    let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/spec/highlights/0/source/url",
            "/spec/highlights/0/duration",
            "/spec/highlights/1/source/url",
            "/spec/highlights/1/end",
            "/spec/highlights/2/titel",
            "/spec/highlights/2/source/montage",
            "/spec/highlights/2/duration",
        ]
    );
}

#[test]
fn arbitrary_json_is_refused_without_a_panic() {
    for body in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "kind": 7 }),
        json!({ "kind": "montage", "spec": [] }),
        json!({ "kind": "montage", "spec": { "highlights": {} } }),
        json!({ "kind": "transcript", "spec": { "montage": 3 } }),
    ] {
        assert!(matches!(NewJob::decode(&body), Err(SpecError::Invalid(_))), "{body}");
    }
}

fn montage(more: Value) -> Result<MontageSpec, Vec<(String, String)>> {
    let mut spec = json!({ "highlights": [{ "source": { "path": "m:a.mp4" }, "start": 0, "duration": 5 }] });
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    match NewJob::decode(&json!({ "kind": "montage", "spec": spec })) {
        Ok(NewJob { spec: JobSpec::Montage(spec), .. }) => Ok(spec),
        Err(SpecError::Invalid(errors)) => {
            Err(errors.into_iter().map(|error| (error.pointer, error.detail)).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_setting_is_read_and_its_defaults_are_filled_in() {
    let JobSpec::Montage(spec) = NewJob::decode(&full()).unwrap().spec else { panic!("a montage") };
    let seconds = |seconds: i64| MediaTime::Ticks(seconds * TICKS_PER_SECOND);
    assert_eq!(spec.cut, Cut { mode: CutMode::Snap, tolerance: Some(Cut::DEFAULT_TOLERANCE) });
    let first = &spec.highlights[0];
    assert_eq!(spec.cut_of(first), Cut { mode: CutMode::Auto, tolerance: Some(seconds(2)) });
    assert_eq!(spec.cut_of(first).tolerance_ticks(), 2 * TICKS_PER_SECOND);
    assert_eq!(spec.cut_of(&spec.highlights[1]), spec.cut);
    assert_eq!(spec.canvas.codec, CanvasCodec::Hevc);
    let orange = Rgb { red: 255, green: 128, blue: 0 };
    assert_eq!((spec.transition.kind, spec.transition.colour), (TransitionKind::Dip, Some(orange)));
    assert_eq!(spec.transition.duration_ticks(), TICKS_PER_SECOND * 3 / 2);
    assert_eq!((spec.titles.show, spec.titles.ticks()), (TitleShow::Both, 4 * TICKS_PER_SECOND));
    let (intro, outro) = (spec.intro.clone().unwrap(), spec.outro.clone().unwrap());
    assert_eq!((intro.start, intro.duration), (MediaTime::Ticks(0), None));
    assert_eq!((outro.start, outro.duration), (MediaTime::Frames(0), Some(MediaTime::Frames(90))));
    assert_eq!(spec.sources().count(), 4);

    let plain = montage(json!({})).unwrap();
    assert_eq!((plain.cut, plain.cut.tolerance_ticks()), (Cut::default(), 0));
    assert_eq!(plain.audio.loudness_lufs, Some(DEFAULT_LOUDNESS_LUFS));
    assert_eq!((plain.transition.duration_ticks(), plain.titles.ticks()), (0, 0));
    let fade = montage(json!({ "transition": { "kind": "fade" } })).unwrap().transition;
    assert_eq!((fade.duration, fade.colour), (Some(Transition::DEFAULT_DURATION), None));
    let dip = montage(json!({ "transition": { "kind": "dip" } })).unwrap().transition;
    assert_eq!(dip.colour, Some(Rgb::WHITE));
}

#[test]
fn no_levelling_is_said_by_null_and_kept_so() {
    for (audio, loudness) in [
        (json!({ "loudness_lufs": null }), None),
        (json!({}), Some(DEFAULT_LOUDNESS_LUFS)),
        (json!(null), Some(DEFAULT_LOUDNESS_LUFS)),
    ] {
        let spec = montage(json!({ "audio": audio })).unwrap();
        assert_eq!(spec.audio.loudness_lufs, loudness, "{audio}");
        let stored = serde_json::to_value(&spec).unwrap();
        assert_eq!(serde_json::from_value::<MontageSpec>(stored.clone()).unwrap(), spec);
        assert_eq!(montage(stored).unwrap(), spec);
    }
}

#[test]
fn what_would_do_nothing_is_a_mistake() {
    for (more, pointers) in [
        (json!({ "cut": { "mode": "exact", "tolerance": "1s" } }), vec!["/spec/cut/tolerance"]),
        (json!({ "cut": { "tolerance": "1s" } }), vec!["/spec/cut/tolerance"]),
        (json!({ "cut": { "mode": "copy", "tolerance": "1s" } }), vec!["/spec/cut/tolerance"]),
        (json!({ "cut": { "mode": "snap", "tolerance": "11s" } }), vec!["/spec/cut/tolerance"]),
        (json!({ "cut": { "mode": "snap", "tolerance": "5f" } }), vec!["/spec/cut/tolerance"]),
        (json!({ "cut": { "mode": "snip", "tolerence": 1 } }), vec!["/spec/cut/tolerence", "/spec/cut/mode"]),
        (json!({ "canvas": { "codec": "av1" } }), vec!["/spec/canvas/codec"]),
        (json!({ "audio": { "loudness_lufs": 0 } }), vec!["/spec/audio/loudness_lufs"]),
        (
            json!({ "transition": { "kind": "none", "duration": 1, "colour": "#000000" } }),
            vec!["/spec/transition/duration", "/spec/transition/colour"],
        ),
        (
            json!({ "transition": { "kind": "dip", "duration": 6, "colour": "white" } }),
            vec!["/spec/transition/duration", "/spec/transition/colour"],
        ),
        (json!({ "transition": { "kind": "fade", "colour": "#000000" } }), vec!["/spec/transition/colour"]),
        (json!({ "titles": { "seconds": 3 } }), vec!["/spec/titles/seconds"]),
        (json!({ "titles": { "show": "name" } }), vec!["/spec/titles/show"]),
        (json!({ "intro": { "start": 1 } }), vec!["/spec/intro/source"]),
        (
            json!({ "intro": { "source": { "path": "m:a" }, "duration": 1, "end": 2 },
                    "outro": { "source": { "path": "m:a" }, "start": 3, "end": 2, "titel": 1 } }),
            vec!["/spec/intro", "/spec/outro/titel", "/spec/outro/end"],
        ),
    ] {
        let found = montage(more.clone()).unwrap_err();
        let found: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(found, pointers, "{more}");
    }
    let (_, detail) = &montage(json!({ "cut": { "tolerence": 1 } })).unwrap_err()[0];
    assert!(detail.contains("did you mean `tolerance`?"), "{detail}");
}

#[test]
fn what_an_earlier_version_stored_is_still_read() {
    let stored = json!({
        "highlights": [{ "source": { "url": "https://a.example/v.mp4" }, "start": { "seconds": 1.0, "ticks": 705600000 },
                         "duration": { "frames": 5 }, "title": null, "streamer": null, "score": null }],
        "cut": { "mode": "exact" }, "canvas": { "width": null, "height": null, "frame_rate": null }, "order": "given",
        "audio": { "loudness_lufs": -16.0 }, "transition": { "kind": "none" },
        "transcribe": { "engine": "local", "language": null } });
    let JobSpec::Montage(spec) = serde_json::from_value(stored).unwrap() else { panic!("a montage") };
    assert_eq!((spec.canvas.codec, spec.titles, spec.intro), (CanvasCodec::Auto, Titles::default(), None));
}

#[test]
fn each_spec_is_read_as_what_it_is() {
    let montage = montage(json!({})).unwrap();
    let part = SegmentSpec {
        job_id: JobId::generate(),
        montage: montage.clone(),
        plan: json!({ "montage": 1, "highlights": [] }),
        segments: vec![3, 4],
    };
    let transcript = TranscriptSpec { montage: MontageId::generate(), transcribe: Transcribe::default() };
    let probe = ProbeSpec { source: Source::Montage(transcript.montage) };
    let replay = replay(json!({})).unwrap();
    for (spec, kind) in [
        (JobSpec::Montage(montage.clone()), JobKind::Montage),
        (JobSpec::Transcript(transcript), JobKind::Transcript),
        (JobSpec::Replay(replay.clone()), JobKind::Replay),
        (JobSpec::Plan { plan: montage }, JobKind::Plan),
        (JobSpec::Part { part }, JobKind::Segment),
        (JobSpec::Probe { probe: probe.clone() }, JobKind::Probe),
    ] {
        let read: JobSpec = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
        assert_eq!((&read, read.kind()), (&spec, kind));
        let is_none = matches!(kind, JobKind::Transcript | JobKind::Replay | JobKind::Probe);
        assert_eq!(read.montage().is_some(), !is_none);
        assert_eq!(read.names(&replay.map), kind == JobKind::Replay);
        assert_eq!(read.names(&probe.source), matches!(kind, JobKind::Transcript | JobKind::Probe));
    }
}

fn replay(changes: Value) -> Result<ReplaySpec, Vec<String>> {
    let mut spec = json!({ "replay": { "url": "https://a.example/x/A%20-%20B.osr?sign=1" }, "map": { "path": "maps:b.osz" } });
    spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    match NewJob::decode(&json!({ "kind": "replay", "spec": spec })) {
        Ok(NewJob { spec: JobSpec::Replay(spec), .. }) => Ok(spec),
        Err(SpecError::Invalid(errors)) => Err(errors.into_iter().map(|error| error.pointer).collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replay_has_its_files_and_its_options() {
    let spec = replay(json!({})).unwrap();
    assert_eq!((&spec.audio, &spec.skin, &spec.options), (&None, &None, &ReplayOptions::default()));
    assert_eq!(JobSpec::Replay(spec.clone()).default_title(), "A - B");
    assert_eq!(spec.files().map(|(name, _)| name).collect::<Vec<_>>(), ["replay", "map"]);
    let upload = json!({ "upload": MontageId::generate() });
    let more = json!({ "replay": upload, "audio": { "path": "maps:b.mp3" }, "skin": upload,
                       "options": { "hud": { "pp": false } } });
    let more = replay(more).unwrap();
    assert_eq!(JobSpec::Replay(more.clone()).default_title(), "Untitled replay");
    assert_eq!((more.sources().count(), more.options.hud.pp), (4, false));
    // What an earlier release stored without a setting that came later is read with its default.
    let mut stored = serde_json::to_value(&more).unwrap();
    stored["options"]["hud"].as_object_mut().unwrap().remove("score");
    assert_eq!(serde_json::from_value::<ReplaySpec>(stored).unwrap(), more);
    let wrong = json!({ "map": null, "replay": { "montage": MontageId::generate() }, "skin": {}, "song": {},
                        "options": { "video": { "crf": 9 } } });
    assert_eq!(
        replay(wrong).unwrap_err(),
        ["/spec/song", "/spec/replay", "/spec/map", "/spec/skin", "/spec/options/video/crf"]
    );
}

#[test]
fn a_probe_is_a_source_and_nothing_else() {
    let spec = ProbeSpec::decode(&json!({ "source": { "url": "https://a.example/v.mp4?sign=1" } })).unwrap();
    assert_eq!(spec.title(), "a.example");
    for (body, pointers) in [
        (json!({}), vec!["/source"]),
        (json!({ "source": {}, "start": 1 }), vec!["/start", "/source"]),
        (json!({ "source": { "url": "ftp://a/b" } }), vec!["/source/url"]),
        (json!({ "source": { "url": "https://a/b", "path": "m:a" } }), vec!["/source"]),
        (json!(["source"]), vec![""]),
    ] {
        let errors = ProbeSpec::decode(&body).unwrap_err();
        let found: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, pointers, "{body}");
    }
}

#[test]
fn what_the_services_make_themselves_cannot_be_posted() {
    for kind in ["plan", "probe", "segment"] {
        let body = json!({ "kind": kind, "spec": {} });
        let Err(SpecError::UnknownKind(detail)) = NewJob::decode(&body) else { panic!("{kind} is refused") };
        assert!(detail.ends_with("there are: montage, transcript, replay"), "{detail}");
    }
}
