//! What is not rendered, and what is said about it: a code, the clip, and all problems at once.

use std::path::PathBuf;
use std::sync::Arc;

use counter_video::CounterVideo;
use cutter::error::{Problem, ProblemKind, RenderError};
use cutter::order::{ClipOrder, Extent, Moment};
use cutter::source::ByteSource;

use crate::support::{Bench, clip, frames, ms, order, try_render};

fn problems(paths: &[PathBuf], clips: Vec<ClipOrder>) -> Vec<Problem> {
    let (order, sources) = order(paths, clips);
    match try_render(&order, &sources).map(|montage| montage.report) {
        Err(RenderError::Refused { problems }) => problems,
        other => panic!("{other:?}"),
    }
}

fn codes(problems: &[Problem]) -> Vec<(Option<u32>, &'static str)> {
    problems.iter().map(|problem| (problem.clip, problem.kind.code())).collect()
}

/// Renders one clip of a source with these bytes, which must be refused.
fn refused_bytes(bytes: &[u8]) -> Problem {
    let bench = Bench::new();
    let path = bench.directory.path().join("source.mp4");
    std::fs::write(&path, bytes).unwrap();
    let found = problems(&[path], vec![frames(0, 0, 10)]);
    assert_eq!(found.len(), 1);
    found.into_iter().next().unwrap()
}

#[test]
fn all_problems_at_once_each_with_its_clip() {
    let bench = Bench::new();
    let good = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 90));
    let text = bench.directory.path().join("b.mp4");
    std::fs::write(&text, "#EXTM3U\nfile:///etc/passwd\n").unwrap();
    let clips = vec![
        frames(0, 0, 30),
        clip(0, ms(5000), ms(1000)),
        clip(0, ms(2000), ms(3000)),
        clip(0, ms(-5), ms(1000)),
        clip(0, ms(1000), ms(0)),
        ClipOrder { extent: Extent::End(ms(900)), ..clip(0, ms(1000), ms(1)) },
        frames(1, 0, 10),
    ];
    let found = problems(&[good, text], clips);
    let expected = [
        (Some(1), "starts_beyond_end"),
        (Some(2), "source_ends_early"),
        (Some(3), "starts_before_source"),
        (Some(4), "zero_length"),
        (Some(5), "zero_length"),
        (Some(6), "unsupported_container"),
    ];
    assert_eq!(codes(&found), expected);
    assert_eq!(
        found[1].to_string(),
        "clip 3: it ends at 5.000 s, but its source ends at 3.000 s: make it shorter"
    );
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Problem>>(&json).unwrap(), found);
}

#[test]
fn broken_orders() {
    let bench = Bench::new();
    let good = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 30));
    let (mut order, sources) = order(&[good], vec![frames(0, 0, 10), frames(7, 0, 10)]);
    order.canvas.width = Some(321);
    order.encoder.crf = 99;
    let Err(RenderError::Refused { problems }) = try_render(&order, &sources).map(|montage| montage.report)
    else {
        panic!("not refused")
    };
    assert_eq!(
        codes(&problems),
        [(None, "invalid_canvas"), (None, "invalid_setting"), (Some(1), "no_such_source")]
    );
}

#[test]
fn what_is_no_video_file() {
    for (bytes, word) in [
        (b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n".as_slice(), "HLS playlist"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "list of files"),
        (b"", "empty"),
        (b"<html><body>404</body></html>", "web page"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0", "picture"),
    ] {
        let problem = refused_bytes(bytes);
        assert_eq!(problem.kind.code(), "unsupported_container");
        assert!(problem.to_string().contains(word), "{problem}");
    }
    let problem = refused_bytes(b"\0\0\0\x20ftypisom\0\0\0\0isomiso2avc1mp41\0\0\0\x08free");
    assert!(["unreadable_source", "no_video"].contains(&problem.kind.code()), "{problem}");
}

#[test]
fn a_huge_picture_is_refused_from_the_container() {
    let bench = Bench::new();
    let path = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 10));
    let mut bytes = std::fs::read(&path).unwrap();
    // The sample description holds the size 24 bytes behind its name; the track header holds it too.
    let place = bytes.windows(4).rposition(|window| window == b"avc1").unwrap();
    bytes[place + 28..place + 32].copy_from_slice(&[0x4e, 0x20, 0x4e, 0x20]);
    let problem = refused_bytes(&bytes);
    let ProblemKind::PictureTooLarge { width: 20_000, height: 20_000, .. } = problem.kind else {
        panic!("{problem}")
    };
}

#[test]
fn a_huge_picture_is_refused_from_the_coded_size() {
    let bench = Bench::new();
    // The container says nothing: a transport stream, and the limit set below the real size.
    for name in ["a.ts", "a.mkv", "a.mp4"] {
        let path = bench.video(name, &CounterVideo::new(1, (30, 1), 30).sized(640, 360));
        let (mut order, sources) = order(&[path], vec![frames(0, 0, 10)]);
        (order.limits.max_width, order.limits.max_height, order.limits.max_pixels) = (600, 300, 180_000);
        let error = try_render(&order, &sources).map(|montage| montage.report).unwrap_err();
        assert_eq!(error.code(), "picture_too_large", "{name}: {error}");
    }
}

#[test]
fn other_codecs_and_no_video() {
    let bench = Bench::new();
    let sources = [
        bench.video("a.mkv", &CounterVideo::new(1, (30, 1), 30).with("-c:v ffv1 -c:a aac")),
        bench
            .video("b.mov", &CounterVideo::new(1, (30, 1), 30).with("-c:v mjpeg -pix_fmt yuvj420p -c:a aac")),
        bench.video("c.mkv", &CounterVideo::new(1, (30, 1), 30).with("-c:v libx264 -c:a wavpack")),
        bench.video("d.mp4", &CounterVideo::new(1, (30, 1), 30).with("-map 1:a -c:a aac")),
    ];
    let found = problems(&sources, (0..4).map(|source| frames(source, 0, 10)).collect());
    let expected = [
        (Some(0), "unsupported_codec"),
        (Some(1), "unsupported_codec"),
        (Some(2), "unsupported_codec"),
        (Some(3), "no_video"),
    ];
    assert_eq!(codes(&found), expected);
    assert!(found[2].to_string().contains("audio codec wavpack"), "{}", found[2]);
}

#[test]
fn a_cut_off_source_ends_early_and_says_where() {
    let bench = Bench::new();
    // Its index is in front and promises 10 s.
    let path = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 300).and("-g 30 -movflags +faststart"));
    let bytes = std::fs::read(&path).unwrap();
    let half: Arc<dyn ByteSource> = Arc::new(bytes[..bytes.len() / 2].to_vec());
    let (mut order, _) = order(&[path], vec![frames(0, 0, 30), clip(0, ms(3000), ms(6000))]);
    order.sources[0].bytes = half.len();
    match try_render(&order, &[half]).map(|montage| montage.report) {
        Err(RenderError::Refused { problems }) => {
            let ProblemKind::EndsEarly { duration, .. } = problems[0].kind else { panic!("{problems:?}") };
            let seconds = duration as f64 / cutter::time::TICKS_PER_SECOND as f64;
            assert!((3.0..7.0).contains(&seconds), "{seconds}");
            assert_eq!(problems[0].clip, Some(1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_montage_that_is_too_long() {
    let bench = Bench::new();
    let path = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 60));
    let (mut order, sources) = order(&[path], vec![frames(0, 0, 60), clip(0, Moment::Frames(0), ms(1500))]);
    order.limits.max_duration_ticks = cutter::time::TICKS_PER_SECOND * 3;
    let error = try_render(&order, &sources).map(|montage| montage.report).unwrap_err();
    assert_eq!((error.code(), error.is_permanent()), ("too_long", true));
}
