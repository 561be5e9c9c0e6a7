//! Every kind of source gives exactly the frames that were asked for, with the sound that belongs to them.

use std::path::PathBuf;

use counter_video::{CounterVideo, Region, read_marks, read_tones};
use cutter::order::{CanvasOptions, Moment};
use cutter::plan::Difference;

use crate::support::{Bench, Montage, clip, frames, montage, ms, order, try_render};

/// Longest error of a tone's place: reading is in steps of 2 ms, and some containers do not tell an encoder's delay.
const TONE_TOLERANCE: f64 = 0.012;

/// Checks that a montage of one clip has a tone at every whole second of its source.
fn assert_tones(montage: &Montage, tolerance: f64) {
    let clip = &montage.report.clips[0];
    let seconds = |ticks: i64| ticks as f64 / cutter::time::TICKS_PER_SECOND as f64;
    let (start, end) = (seconds(clip.source_start_ticks), seconds(clip.source_end_ticks));
    let expected: Vec<f64> =
        (start.ceil() as i64..end.ceil() as i64).map(|second| second as f64 - start).collect();
    let found = read_tones(&montage.path).unwrap();
    // A tone that the clip's start or end cuts off may be seen or not.
    let whole = |at: &f64| *at > 0.06 && *at < end - start - 0.06;
    let found: Vec<f64> = found.into_iter().filter(whole).collect();
    let expected: Vec<f64> = expected.into_iter().filter(whole).collect();
    assert_eq!(found.len(), expected.len(), "tones at {found:?}, expected {expected:?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < tolerance, "tone at {found}, expected {expected}");
    }
}

/// Renders one clip of 40 frames from frame 50 and from a start near the beginning, in the source's own rate.
fn assert_exact(name: &str, video: &CounterVideo, tolerance: f64) {
    let bench = Bench::new();
    let source = bench.video(name, video);
    let middle = montage(std::slice::from_ref(&source), vec![frames(0, 50, 70)]);
    assert_eq!(middle.shown(video.source), (50..120).collect::<Vec<u16>>(), "{name}");
    if video.sound.is_some() {
        assert_tones(&middle, tolerance);
    }
    // Two clips, the later one first, and both edges of the source.
    let last = u64::from(video.frames);
    let edges = montage(&[source], vec![frames(0, last - 7, 7), frames(0, 0, 5)]);
    let expected: Vec<u16> = (video.frames - 7..video.frames).chain(0..5).collect();
    assert_eq!(edges.shown(video.source), expected, "{name}: edges");
}

fn exact(name: &str, video: &CounterVideo) {
    assert_exact(name, video, TONE_TOLERANCE);
}

const X264: &str = "-c:v libx264 -preset ultrafast -crf 20 -pix_fmt yuv420p";

fn h264(rate: (u32, u32)) -> CounterVideo {
    CounterVideo::new(3, rate, 200)
}

#[test]
fn mp4_index_at_the_end() {
    exact("a.mp4", &h264((30, 1)));
}

#[test]
fn mp4_index_in_front() {
    exact("a.mp4", &h264((25, 1)).and("-movflags +faststart"));
}

#[test]
fn mp4_fragmented() {
    exact("a.mp4", &h264((30, 1)).and("-g 30 -movflags frag_keyframe+delay_moov+default_base_moof"));
}

#[test]
fn ntsc_and_film_rates() {
    exact("a.mp4", &h264((30_000, 1001)));
    exact("b.mkv", &h264((30_000, 1001)));
    exact("c.mkv", &h264((24_000, 1001)));
}

#[test]
fn sixty_frames_per_second() {
    exact("a.mkv", &h264((60, 1)));
    exact("b.mp4", &h264((60_000, 1001)));
}

#[test]
fn reordered_and_open_groups_of_pictures() {
    let open = "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=24:min-keyint=24:bframes=3:b-adapt=0:scenecut=0 -pix_fmt yuv420p -c:a aac";
    exact("a.mp4", &h264((24, 1)).with(open));
    exact("b.mkv", &h264((24, 1)).with(open));
    exact("c.ts", &h264((24, 1)).with(open));
}

#[test]
fn one_key_frame_only() {
    exact("a.mp4", &h264((30, 1)).with("-c:v libx264 -preset veryfast -g 1000 -pix_fmt yuv420p -c:a aac"));
}

#[test]
fn transport_stream_that_does_not_start_at_zero() {
    exact("a.ts", &h264((30, 1)).and("-g 30 -output_ts_offset 3000"));
    exact("b.ts", &h264((25, 1)).with("-c:v mpeg2video -q:v 3 -g 12 -bf 2 -c:a mp2"));
}

#[test]
fn containers_that_do_not_start_at_zero() {
    exact("a.mkv", &h264((30, 1)).and("-output_ts_offset 7.5"));
    exact("b.mp4", &h264((30, 1)).and("-output_ts_offset 7.5"));
}

#[test]
fn program_stream() {
    exact("a.mpg", &h264((25, 1)).with("-c:v mpeg2video -q:v 3 -g 12 -bf 2 -c:a mp2 -f mpeg"));
}

#[test]
fn hevc_and_ten_bits() {
    exact(
        "a.mp4",
        &h264((30, 1))
            .with("-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -c:a aac"),
    );
    exact(
        "b.mkv",
        &h264((30, 1)).with(
            "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le -c:a flac",
        ),
    );
    exact("c.mp4", &h264((30, 1)).with("-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le -c:a aac"));
}

#[test]
fn vp8_vp9_and_av1() {
    exact("a.webm", &h264((30, 1)).with("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -c:a libopus"));
    exact("b.webm", &h264((25, 1)).with("-c:v libvpx -deadline realtime -cpu-used 8 -g 60 -c:a libvorbis"));
    exact("c.mkv", &h264((30, 1)).with("-c:v libsvtav1 -preset 12 -g 60 -c:a libopus"));
}

#[test]
fn mpeg4_with_mp3() {
    // MP4 does not tell the delay of an MP3 encoder: about 26 to 48 ms.
    assert_exact("a.mp4", &h264((25, 1)).with("-c:v mpeg4 -q:v 3 -g 50 -bf 2 -c:a libmp3lame"), 0.06);
}

#[test]
fn other_sound() {
    let mono = h264((30, 1)).sounding(Some((44_100, 1)));
    exact("a.mp4", &mono);
    exact("b.mov", &h264((30, 1)).sounding(Some((22_050, 1))).with(&format!("{X264} -c:a pcm_s16le")));
    exact("c.mkv", &h264((30, 1)).sounding(Some((48_000, 6))).with(&format!("{X264} -c:a ac3")));
    exact("d.mp4", &h264((30, 1)).sounding(None));
}

#[test]
fn silence_where_there_is_no_sound() {
    let bench = Bench::new();
    let silent = bench.video("silent.mp4", &CounterVideo::new(1, (30, 1), 90).sounding(None));
    let loud = bench.video("loud.mp4", &CounterVideo::new(2, (30, 1), 90));
    let montage = montage(&[silent, loud], vec![frames(0, 10, 45), frames(1, 0, 60), frames(0, 0, 30)]);
    assert_eq!(
        montage.report.clips.iter().map(|clip| clip.loudness.is_some()).collect::<Vec<_>>(),
        [false, true, false]
    );
    let tones = read_tones(&montage.path).unwrap();
    assert_eq!(tones.len(), 2, "{tones:?}");
    assert!((tones[0] - 1.5).abs() < TONE_TOLERANCE && (tones[1] - 2.5).abs() < TONE_TOLERANCE, "{tones:?}");
}

#[test]
fn turned_for_showing() {
    let bench = Bench::new();
    // FFmpeg 5.1 writes the quarters of this tag counterclockwise; the pictures are turned the other way before.
    for (turn, filter) in [(90, "transpose=1"), (180, "hflip,vflip"), (270, "transpose=2")] {
        let upright = bench.video(&format!("{turn}.mov"), &h264((30, 1)).and(&format!("-vf {filter}")));
        let source = bench.remux(&upright, "turned.mov", &["-metadata:s:v", &format!("rotate={turn}")]);
        let montage = montage(&[source], vec![frames(0, 33, 30)]);
        assert_eq!((montage.report.media.width, montage.report.media.height), (320, 180), "{turn}");
        assert_eq!(montage.shown(3), (33..63).collect::<Vec<u16>>(), "{turn}");
    }
}

/// Which source frame is on screen at each canvas frame, for even rates, from the definition.
fn on_screen(start_ms: i64, canvas: (i64, i64), source: (i64, i64), count: i64) -> Vec<u16> {
    (0..count)
        .map(|k| {
            // In units of 1/80 ms to hold the tolerance of 1.25 ms exactly.
            let numerator = (start_ms * 80 + 100) * canvas.0 + k * canvas.1 * 80_000;
            (numerator * source.0 / (80_000 * canvas.0 * source.1)) as u16
        })
        .collect()
}

#[test]
fn other_rates_show_what_is_on_screen() {
    let bench = Bench::new();
    for (rate, canvas) in [
        ((60, 1), (30, 1)),
        ((25, 1), (50, 1)),
        ((24, 1), (30, 1)),
        ((30_000, 1001), (25, 1)),
        ((30, 1), (30_000, 1001)),
    ] {
        let source =
            bench.video(&format!("{}.mp4", rate.0 * 10 + canvas.0), &CounterVideo::new(4, rate, 200));
        for start_ms in [0, 1000, 1234] {
            let (mut order, sources) =
                order(std::slice::from_ref(&source), vec![clip(0, ms(start_ms), ms(1500))]);
            order.canvas.frame_rate = Some(format!("{}/{}", canvas.0, canvas.1).parse().unwrap());
            let montage = try_render(&order, &sources).unwrap();
            let wide = |rate: (u32, u32)| (i64::from(rate.0), i64::from(rate.1));
            let count = i64::try_from(montage.report.media.frames).unwrap();
            assert_eq!(
                montage.shown(4),
                on_screen(start_ms, wide(canvas), wide(rate), count),
                "{rate:?} {start_ms}"
            );
            assert_tones(&montage, TONE_TOLERANCE);
        }
    }
}

#[test]
fn varying_rate_shows_the_latest_frame() {
    let bench = Bench::new();
    // Frames 0 to 29 all, then every fifth one, then every second one.
    let select = "select='lt(n,30)+between(n,30,99)*not(mod(n,5))+gte(n,100)*not(mod(n,2))'";
    for name in ["a.mp4", "b.mkv"] {
        let video = CounterVideo::new(5, (30, 1), 200).and(&format!("-vf {select} -fps_mode vfr"));
        let source = bench.video(name, &video);
        let (mut order, sources) = order(&[source], vec![clip(0, ms(500), ms(5000))]);
        order.canvas.frame_rate = "30".parse().ok();
        let montage = try_render(&order, &sources).unwrap();
        let shown = |n: u16| {
            if n < 30 {
                n
            } else if n < 100 {
                n / 5 * 5
            } else {
                n / 2 * 2
            }
        };
        assert_eq!(montage.shown(5), (15..165).map(shown).collect::<Vec<u16>>(), "{name}");
        assert_tones(&montage, TONE_TOLERANCE);
    }
}

#[test]
fn a_mix_of_sources_on_one_canvas() {
    let bench = Bench::new();
    let sources: Vec<PathBuf> = vec![
        bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 300).sized(640, 360)),
        bench.video("b.mkv", &CounterVideo::new(2, (25, 1), 200).sized(320, 240).sounding(Some((44_100, 1)))),
        bench.video("c.ts", &CounterVideo::new(3, (30_000, 1001), 200).sized(360, 640).sounding(None)),
    ];
    let clips = vec![
        frames(0, 100, 90),
        clip(1, ms(2000), ms(1000)),
        clip(2, Moment::Frames(30), ms(1000)),
        frames(0, 0, 15),
    ];
    let montage = montage(&sources, clips);
    let report = &montage.report;
    assert_eq!(
        (report.media.width, report.media.height, report.media.frame_rate.to_string()),
        (640, 360, "30".into())
    );
    assert_eq!(report.media.frames, 90 + 30 + 30 + 15);
    let starts: Vec<u64> = report.plan.clips.iter().map(|clip| clip.first_frame).collect();
    assert_eq!(starts, [0, 90, 120, 150]);

    // 4:3 stands between bars of 80 pixels; the portrait one is 202 pixels wide.
    let whole = read_marks(&montage.path, None).unwrap();
    let narrow = read_marks(&montage.path, Some(Region { x: 80, y: 0, width: 480, height: 360 })).unwrap();
    let upright = read_marks(&montage.path, Some(Region { x: 218, y: 0, width: 202, height: 360 })).unwrap();
    let numbers = |marks: &[Option<counter_video::Mark>], source: u8| -> Vec<u16> {
        marks.iter().map(|mark| mark.filter(|mark| mark.source == source).unwrap().frame).collect()
    };
    assert_eq!(numbers(&whole[..90], 1), (100..190).collect::<Vec<u16>>());
    assert_eq!(numbers(&narrow[90..120], 2), on_screen(2000, (30, 1), (25, 1), 30));
    assert_eq!(numbers(&upright[120..150], 3)[..5], [30, 31, 32, 33, 34]);
    assert_eq!(numbers(&whole[150..], 1), (0..15).collect::<Vec<u16>>());

    let differences = &report.plan.clips[1].differences;
    assert!(differences.contains(&Difference::Size) && differences.contains(&Difference::FrameRate));
}

#[test]
fn long_clips_are_cut_into_segments_without_a_trace() {
    let bench = Bench::new();
    let source = bench.video("a.mp4", &CounterVideo::new(6, (30, 1), 1000).and("-g 250"));
    let (mut order, sources) = order(&[source], vec![frames(0, 41, 900)]);
    order.encoder.segment_seconds = 4;
    order.canvas = CanvasOptions { width: Some(160), ..CanvasOptions::default() };
    let montage = try_render(&order, &sources).unwrap();
    assert_eq!(montage.report.plan.segments.len(), 8);
    assert_eq!(montage.shown(6), (41..941).collect::<Vec<u16>>());
    assert_tones(&montage, TONE_TOLERANCE);
    // The same order gives the same plan, and another one does not.
    let again = try_render(&order, &sources).unwrap();
    assert_eq!(again.report.plan_hash, montage.report.plan_hash);
    order.clips = vec![frames(0, 42, 900)];
    assert_ne!(try_render(&order, &sources).unwrap().report.plan_hash, montage.report.plan_hash);
}

#[test]
fn hundreds_of_clips_each_with_its_chapter() {
    let bench = Bench::new();
    let source = bench.video("a.mp4", &CounterVideo::new(7, (30, 1), 400).sized(160, 96).and("-g 30"));
    let mut clips: Vec<_> = (0..300).map(|n| frames(0, n, 1)).collect();
    clips[0].title = Some("Ein sehr langer Titel \u{1f389}\u{e4}\n\0".repeat(30));
    let montage = montage(&[source], clips);
    assert_eq!(montage.shown(7), (0..300).collect::<Vec<u16>>());
    assert_eq!(montage.report.clips.len(), 300);
}
