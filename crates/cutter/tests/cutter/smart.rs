//! What is copied and what is encoded, and that everybody is told: cuts, transitions, names, and copies that fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use counter_video::{CounterVideo, read_marks};
use cutter::error::RenderError;
use cutter::order::Order;
use cutter::plan::SegmentKind;
use cutter::render::{Studio, render};
use cutter::report::{MEDIA_FILE, Report};
use cutter::source::ByteSource;
use cutter::time::TICKS_PER_SECOND;
use cutter::title::{FontFiles, Fonts};
use serde_json::{Value, json};

use crate::support::{Bench, open};

/// H.264 with a key picture every 60 frames and reordered pictures between.
const GROUPS: &str = "-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 -bf 3 -c:a aac -b:a 96k";

fn source(bench: &Bench, number: u8, frames: u16) -> PathBuf {
    let video = CounterVideo::new(number, (30, 1), frames).with(GROUPS);
    bench.video(&format!("{number}.mp4"), &video)
}

fn clip(source: u32, first: u64, frames: u64) -> Value {
    json!({ "source": source, "start": { "frames": first }, "extent": { "duration": { "frames": frames } } })
}

/// An order for these files with the clips and whatever `more` says.
fn order(paths: &[PathBuf], clips: Vec<Value>, more: Value) -> (Order, Vec<Arc<dyn ByteSource>>) {
    let sources: Vec<_> = paths.iter().map(|path| open(path)).collect();
    let infos = sources
        .iter()
        .zip(0..)
        .map(|(source, index)| json!({ "bytes": source.len(), "identity": format!("file {index}") }));
    let mut order = json!({ "title": "A test", "sources": infos.collect::<Vec<_>>(), "clips": clips });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    (serde_json::from_value(order).unwrap(), sources)
}

fn made(paths: &[PathBuf], clips: Vec<Value>, more: Value, directory: &Path) -> Result<Report, RenderError> {
    let (order, sources) = order(paths, clips, more);
    render(&order, &sources, directory, &|_| {})
}

/// The numbers of the frames that a montage shows; `None` where none can be read.
fn shown(directory: &Path) -> Vec<Option<u16>> {
    let marks = read_marks(&directory.join(MEDIA_FILE), None).unwrap();
    marks.into_iter().map(|mark| mark.map(|mark| mark.frame)).collect()
}

fn whole(range: std::ops::Range<u16>) -> Vec<Option<u16>> {
    range.map(Some).collect()
}

#[test]
fn only_edges_are_encoded() {
    let bench = Bench::new();
    let path = source(&bench, 1, 500);
    let job = tempfile::tempdir().unwrap();
    let report = made(&[path], vec![clip(0, 50, 300)], json!({}), job.path()).unwrap();
    assert_eq!(shown(job.path()), whole(50..350));
    let clip = &report.clips[0];
    assert!(clip.copied_frames >= 280 && clip.copied_frames + clip.encoded_frames == 300, "{clip:?}");
    let kinds: Vec<_> = report.segments.iter().map(|segment| segment.kind).collect();
    assert!(kinds.starts_with(&[SegmentKind::Encode, SegmentKind::Copy]), "{kinds:?}");
    assert!(report.fallbacks.is_empty() && report.checks.iter().all(|check| check.passed));
    let reason = &report.plan.clips[0].reason;
    assert!(reason.contains(&format!("{} of 300 frames are encoded", clip.encoded_frames)), "{reason}");
    // What has to be read is known, and less than the whole.
    let needed: u64 = report.plan.clips[0].spans.iter().map(|(_, length)| length).sum();
    assert!(needed > 0 && needed < report.plan.sources[0].bytes);
}

#[test]
fn snap_and_copy_encode_nothing() {
    let bench = Bench::new();
    let path = source(&bench, 2, 500);
    for (mode, first) in [("snap", 50), ("copy", 95)] {
        let job = tempfile::tempdir().unwrap();
        let cut = json!({ "cut": { "mode": mode, "tolerance_ticks": TICKS_PER_SECOND / 2 } });
        let report = made(std::slice::from_ref(&path), vec![clip(0, first, 200)], cut, job.path()).unwrap();
        assert_eq!(report.clips[0].encoded_frames, 0, "{mode}");
        let frames = report.media.frames as u16;
        assert_eq!(shown(job.path()), whole(60..60 + frames), "{mode}: from the key picture on");
    }
}

#[test]
fn a_clip_that_cannot_be_copied_is_encoded_and_told() {
    let bench = Bench::new();
    let uneven = CounterVideo::new(3, (30, 1), 400)
        .with(GROUPS)
        .and("-vf settb=1/15360,setpts=PTS+if(eq(N\\,150)\\,153\\,0) -vsync passthrough -enc_time_base 1:15360 -video_track_timescale 15360");
    let path = bench.video("uneven.mp4", &uneven);
    let job = tempfile::tempdir().unwrap();
    // Both edges of the first clip look even; the picture that is not lies between them.
    let report = made(
        &[path],
        vec![clip(0, 40, 250), clip(0, 300, 90)],
        json!({ "canvas": { "frame_rate": "30" } }),
        job.path(),
    )
    .unwrap();
    // The late picture is not on the screen yet when its frame comes.
    let mut expected: Vec<_> = whole(40..290).into_iter().chain(whole(300..390)).collect();
    expected[110] = Some(149);
    assert!(shown(job.path()) == expected);
    assert_eq!(report.clips[0].copied_frames, 0);
    assert!(report.clips[1].copied_frames > 0, "the other clip stays a copy");
    let [fallback] = report.fallbacks.as_slice() else { panic!("{:?}", report.fallbacks) };
    assert!(
        fallback.clip == 0 && fallback.reason.contains("do not follow each other evenly"),
        "{fallback:?}"
    );
    assert!(report.plan.clips[0].reason.contains(&fallback.reason));
}

#[test]
fn transitions_touch_only_frames_near_the_cut() {
    let bench = Bench::new();
    let paths = [source(&bench, 4, 400), source(&bench, 5, 400)];
    let clips = || vec![clip(0, 60, 150), clip(1, 120, 150)];
    for kind in ["fade", "dip", "dissolve"] {
        let job = tempfile::tempdir().unwrap();
        let transition = json!({ "transition": { "kind": kind, "ticks": TICKS_PER_SECOND } });
        let report = made(&paths, clips(), transition, job.path()).unwrap();
        let frames = shown(job.path());
        let overlap = if kind == "dissolve" { 30 } else { 0 };
        assert_eq!(frames.len(), 300 - overlap, "{kind}");
        // Behind and before the changed frames everything is as it was.
        let start = if kind == "fade" { 15 } else { 0 };
        assert_eq!(frames[start..120], whole(60 + start as u16..180), "{kind}");
        let second = 150 - overlap;
        assert_eq!(frames[second + 30..second + 135], whole(150..255), "{kind}");
        let copied = report.plan.copied_frames();
        assert!(copied > 120, "{kind}: {copied} frames are copied");
        assert!(report.checks.iter().all(|check| check.passed));
        let blends = report.segments.iter().filter(|segment| segment.kind == SegmentKind::Blend).count();
        assert_eq!(blends, usize::from(kind == "dissolve"));
    }
}

#[test]
fn a_name_is_written_over_the_first_seconds() {
    let bench = Bench::new();
    let path = source(&bench, 6, 300);
    let plain = tempfile::tempdir().unwrap();
    made(std::slice::from_ref(&path), vec![clip(0, 0, 240)], json!({}), plain.path()).unwrap();
    let named = tempfile::tempdir().unwrap();
    let mut with_name = clip(0, 0, 240);
    with_name["overlay"] =
        json!({ "text": "兎田ぺこら", "subtitle": "Best of the week", "ticks": 3 * TICKS_PER_SECOND });
    let report = made(&[path], vec![with_name], json!({}), named.path()).unwrap();
    let lower = |directory: &Path, frame: u64| {
        let output = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(directory.join(MEDIA_FILE))
            .args([
                "-vf",
                &format!("select=eq(n\\,{frame}),crop=in_w:in_h/3:0:in_h*2/3,format=gray"),
                "-frames:v",
                "1",
            ])
            .args(["-f", "rawvideo", "pipe:1"])
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let apart = |frame| {
        let (a, b) = (lower(plain.path(), frame), lower(named.path(), frame));
        a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 40).count()
    };
    assert!(apart(45) > 500, "{} pixels are another", apart(45));
    assert!(apart(200) < 20);
    assert!(report.plan.copied_frames() > 100, "behind the name the clip is copied");
}

#[test]
fn an_edit_makes_only_what_changed() {
    let bench = Bench::new();
    let path = source(&bench, 7, 1000);
    let fonts = Fonts::new(FontFiles::find());
    let job = tempfile::tempdir().unwrap();
    let montage = |clips: Vec<Value>| {
        let (order, sources) = order(std::slice::from_ref(&path), clips, json!({}));
        Studio::open(&order, &sources, job.path(), &fonts, &|_| {}).unwrap().montage(None, true).unwrap()
    };
    let clips: Vec<_> = (0..10).map(|index| clip(0, index * 95 + 7, 70)).collect();
    let first = montage(clips.clone());
    assert_eq!((first.pieces_kept, first.pieces_made as usize), (0, first.plan.segments.len() + 10));
    let mut edited = clips;
    edited[4] = clip(0, 401, 70);
    let second = montage(edited);
    let own = second.plan.segments.iter().filter(|segment| segment.clip == 4).count();
    assert_eq!(second.pieces_made as usize, own + 1, "the segments of the edited clip and its sound");
    let expected: Vec<_> = (0..10_u16)
        .flat_map(|index| {
            let start = if index == 4 { 401 } else { index * 95 + 7 };
            whole(start..start + 70)
        })
        .collect();
    assert_eq!(shown(job.path()), expected);
}
