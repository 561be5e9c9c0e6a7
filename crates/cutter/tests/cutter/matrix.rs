//! Frames out are frames asked, for every coding in every container, wherever the cut falls.
//!
//! One montage for each file, one clip for each cut. The proof is the counter in every decoded picture; besides, the
//! times of the packets must be even, the sound as long as the picture, and the second decoder without a complaint.
//! `cargo test -p cutter --test cutter matrix -- --nocapture` prints what was encoded and what was copied.

use counter_video::fixture::Packing::{
    Matroska, Mp4Fragments, Mp4FragmentsIndexed, Mp4IndexFirst, Mp4IndexLast, Transport,
};
use counter_video::fixture::{Coding, Fixture, Packing, make};
use counter_video::inspect::{even, packets};
use counter_video::{CounterVideo, Mark, read_samples, watch};
use cutter::order::{ClipOrder, Moment};
use cutter::time::TICKS_PER_SECOND;

use crate::support::{Bench, Montage, clip, order, try_render};

/// Frames of a source: six groups of pictures and a piece.
const FRAMES: u16 = 150;
/// Samples in an AAC frame.
const AAC_FRAME: usize = 1024;

/// One clip: what is asked for, and the marks that must be seen.
#[derive(Clone)]
struct Case {
    name: String,
    clip: ClipOrder,
    marks: Vec<Mark>,
    /// The marks that may be seen as well, since the container rounds its times.
    or: Vec<Mark>,
}

/// A clip of `count` frames from `start`, shown at the source's own rate.
fn case(what: &str, index: u32, fixture: &Fixture, start: u16, count: u16) -> Case {
    // Frames of an uneven source are places on no grid of its own, so its clips are asked for by time.
    let moment = |frames: u16| match fixture.coding {
        Coding::H264Uneven => Moment::Ticks(i64::from(frames) * TICKS_PER_SECOND / i64::from(fixture.rate.0)),
        _ => Moment::Frames(u64::from(frames)),
    };
    let shown = (start..start + count).map(|place| fixture.on_screen(place));
    let marks: Vec<Mark> = shown.map(|frame| Mark { source: fixture.source, frame }).collect();
    let name = format!("{}, {what}", fixture.name());
    Case { name, clip: clip(index, moment(start), moment(count)), or: marks.clone(), marks }
}

/// The five cuts.
fn cuts(index: u32, fixture: &Fixture) -> Vec<Case> {
    let key = |number: usize| fixture.keys[number];
    let late = fixture.keys[fixture.keys.len() - 3] - 3;
    vec![
        case("on a key frame", index, fixture, key(1), 60),
        case("one frame after", index, fixture, key(1) + 1, 60),
        case("one frame before", index, fixture, key(2) - 1, 60),
        case("shorter than a group", index, fixture, key(2) + 5, 10),
        case("at the end", index, fixture, late, fixture.frames - late),
    ]
}

/// Renders the cases as one montage and checks it.
fn assert_exact(fixtures: &[&Fixture], cases: &[Case]) -> Montage {
    let paths: Vec<_> = fixtures.iter().map(|fixture| fixture.path.clone()).collect();
    let (mut order, sources) = order(&paths, cases.iter().map(|case| case.clip.clone()).collect());
    if fixtures[0].coding == Coding::H264Uneven {
        // Its average rate says nothing about its grid.
        order.canvas.frame_rate = "30".parse().ok();
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let montage = try_render(&order, &sources).unwrap_or_else(|error| panic!("{names:?}: {error}"));
    let seen = watch(&montage.path, None).unwrap();
    assert_eq!(seen.complaints, "", "{names:?}");
    let mut at = 0;
    for (case, clip) in cases.iter().zip(&montage.report.clips) {
        let count = case.marks.len();
        let found: Vec<Option<Mark>> = seen.marks.iter().skip(at).take(count).copied().collect();
        let expected = case.marks.iter().zip(&case.or);
        let expected: Vec<Option<Mark>> = expected
            .zip(&found)
            .map(|((mark, or), found)| Some(if *found == Some(*or) { *or } else { *mark }))
            .collect();
        assert_eq!(found, expected, "{}", case.name);
        let report = serde_json::to_value(clip).unwrap();
        let copied = report["copied_frames"].as_u64().unwrap_or(clip.frames - clip.encoded_frames);
        assert_eq!(clip.encoded_frames + copied, count as u64, "{}", case.name);
        println!("| {} | {count} | {} | {} | {copied} |", case.name, found.len(), clip.encoded_frames);
        at += count;
    }
    assert_eq!(seen.marks.len(), at, "{names:?}: frames behind the last clip");
    assert_eq!(montage.report.media.frames, at as u64, "{names:?}");
    let packets = packets(&montage.path, "v:0").unwrap();
    assert_eq!((packets.len(), even(&packets)), (at, Ok(())), "{names:?}");
    let rate = montage.report.media.frame_rate;
    let samples = at * 48_000 * rate.den() as usize / rate.num() as usize;
    let heard = read_samples(&montage.path).unwrap().len();
    assert!(heard.abs_diff(samples) <= AAC_FRAME, "{names:?}: {heard} samples for {samples}");
    montage
}

fn table() {
    println!("| case | frames asked | frames out | encoded | copied |");
    println!("| --- | --- | --- | --- | --- |");
}

/// All cuts of a coding in some containers: five cases each.
fn all_cuts(coding: Coding, rate: (u32, u32), packings: &[Packing]) {
    let bench = Bench::new();
    let video = CounterVideo::new(7, rate, FRAMES).with("");
    table();
    for fixture in make(&video, coding, packings, bench.directory.path()).unwrap() {
        assert_exact(&[&fixture], &cuts(0, &fixture));
    }
}

#[test]
fn h264_closed() {
    all_cuts(Coding::H264Closed, (30, 1), &Packing::ALL);
}

#[test]
fn h264_open() {
    all_cuts(Coding::H264Open, (24, 1), &Packing::ALL);
}

#[test]
fn h264_with_one_idr_only() {
    all_cuts(Coding::H264OneIdr, (30, 1), &[Mp4IndexLast, Matroska, Transport]);
}

#[test]
fn h264_with_recovery_points_only() {
    all_cuts(Coding::H264Refresh, (30, 1), &[Mp4IndexFirst, Mp4Fragments, Matroska]);
}

#[test]
fn h264_with_b_pyramid() {
    all_cuts(Coding::H264Pyramid, (30_000, 1001), &[Mp4IndexLast, Mp4FragmentsIndexed, Matroska]);
}

#[test]
fn h264_ten_bit() {
    all_cuts(Coding::H264TenBit, (24_000, 1001), &[Mp4IndexLast, Mp4Fragments, Matroska]);
}

#[test]
fn h264_uneven() {
    all_cuts(Coding::H264Uneven, (30, 1), &[Mp4IndexLast, Matroska, Transport]);
}

#[test]
fn hevc_closed() {
    all_cuts(Coding::HevcClosed, (50, 1), &[Mp4IndexFirst, Mp4Fragments, Matroska]);
}

#[test]
fn hevc_open() {
    all_cuts(Coding::HevcOpen, (25, 1), &Packing::ALL);
}

#[test]
fn hevc_ten_bit() {
    all_cuts(Coding::HevcTenBit, (30, 1), &[Mp4IndexLast, Mp4FragmentsIndexed, Matroska]);
}

/// A clip of a source on a canvas of another rate: at each moment the frame that is on screen then, where times of the
/// source may be rounded by 1/800 s.
fn on_another_rate(case: Case, fixture: &Fixture, canvas: (u32, u32)) -> Case {
    let wide = |(num, den): (u32, u32)| (u64::from(num), u64::from(den));
    let ((source_num, source_den), (canvas_num, canvas_den)) = (wide(fixture.rate), wide(canvas));
    let (num, den) = (canvas_num * source_den, canvas_den * source_num);
    let count = (case.marks.len() as u64 * num * 2 + den) / (den * 2);
    let first = case.marks[0];
    // In parts of 1/4000 s.
    let shown = |rounded: u64| {
        let frames = move |place: u64| {
            (place * canvas_den * 4000 + rounded * canvas_num) * source_num / (4000 * canvas_num * source_den)
        };
        (0..count).map(move |place| Mark { frame: first.frame + frames(place) as u16, ..first }).collect()
    };
    // Matroska itself has rounded to milliseconds: a frame that changes within half of one may come sooner or later.
    let (marks, or) = if fixture.packing == Matroska { (shown(3), shown(7)) } else { (shown(5), shown(5)) };
    let name = format!("{} (of {:?}, on {canvas:?})", case.name, fixture.rate);
    Case { name, clip: case.clip, marks, or }
}

#[test]
fn two_rates_in_one_montage() {
    let bench = Bench::new();
    let (even, ntsc) = ((30, 1), (30_000, 1001));
    let make = |source, rate| {
        let video = CounterVideo::new(source, rate, FRAMES).with("");
        make(&video, Coding::H264Closed, &Packing::ALL, bench.directory.path()).unwrap()
    };
    table();
    for (even_one, ntsc_one) in make(1, even).into_iter().zip(make(2, ntsc)) {
        // Whichever rate fills most of the montage is its rate.
        let (canvas, most, least) = match even_one.packing {
            Mp4IndexFirst | Transport => (ntsc, &ntsc_one, &even_one),
            _ => (even, &even_one, &ntsc_one),
        };
        let mut cases = cuts(0, most);
        let other = cuts(1, least).into_iter().skip(1).step_by(2);
        for (place, case) in other.enumerate() {
            cases.insert(1 + 2 * place, on_another_rate(case, least, canvas));
        }
        let montage = assert_exact(&[most, least], &cases);
        let rate = montage.report.media.frame_rate;
        assert_eq!((rate.num(), rate.den()), canvas);
    }
}

#[test]
fn unlike_codings_in_one_montage() {
    let bench = Bench::new();
    let codings = [Coding::H264Open, Coding::HevcTenBit, Coding::H264TenBit, Coding::HevcClosed];
    let fixtures: Vec<Fixture> = codings
        .iter()
        .zip(1..)
        .flat_map(|(&coding, source)| {
            let video = CounterVideo::new(source, (30, 1), FRAMES).with("");
            make(&video, coding, &[Packing::Mp4IndexFirst], bench.directory.path()).unwrap()
        })
        .collect();
    let by_source: Vec<Vec<Case>> =
        fixtures.iter().zip(0..).map(|(fixture, index)| cuts(index, fixture)).collect();
    // One source after another, so that every seam lies between two codings.
    let cases: Vec<Case> =
        (0..5).flat_map(|cut| by_source.iter().map(move |cases| cases[cut].clone())).collect();
    table();
    assert_exact(&fixtures.iter().collect::<Vec<_>>(), &cases);
}
