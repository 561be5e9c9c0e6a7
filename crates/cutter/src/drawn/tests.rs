use std::collections::BTreeSet;
use std::sync::Mutex;

use counter_video::{Mark, read_impulses, watch};
use serde_json::json;

use super::*;
use crate::plan::piece_file;
use crate::report::MEDIA_FILE;

const SIZE: (u32, u32) = (320, 180);

/// Draws each frame's number as the tests' videos carry theirs, with an impulse of 2 ms at each second.
#[derive(Default)]
struct Counter {
    /// The frames that were drawn.
    drawn: Mutex<Vec<u64>>,
    /// Samples of the sound; those of the plan where absent.
    samples: Option<u64>,
    /// Fails when this frame is to be drawn.
    fails_at: Option<u64>,
}

struct Pen<'a>(&'a Counter);

impl Drawing for Counter {
    fn painter(&self) -> Result<Box<dyn Painter + '_>, AvError> {
        Ok(Box::new(Pen(self)))
    }

    fn sound(&self, sink: &mut dyn FnMut(&[f32]) -> ControlFlow<()>) -> Result<(), RenderError> {
        // Blocks that fit neither packets nor frames.
        for first in (0..self.samples.unwrap_or(u64::MAX)).step_by(777) {
            let count = self.samples.map_or(777, |all| (all - first).min(777));
            let loud = |sample: u64| if sample % 48_000 < 96 { 0.8 } else { 0.0 };
            let block: Vec<f32> = (first..first + count).flat_map(|sample| [loud(sample); 2]).collect();
            if sink(&block).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Painter for Pen<'_> {
    fn paint(&mut self, frame: u64, onto: &mut Frame) -> Result<(), SegmentError> {
        if self.0.fails_at == Some(frame) {
            return Err(AvError::new("draw", "the pen broke").into());
        }
        self.0.drawn.lock().unwrap().push(frame);
        for plane in 0..3 {
            let plane_to = onto.plane_mut::<u8>(plane)?;
            let (width, height) = (plane_to.width, plane_to.height);
            for (y, row) in plane_to.rows().enumerate() {
                for (x, value) in row.iter_mut().enumerate() {
                    let bit = frame >> (19 - x * 20 / width) & 1 == 1;
                    *value = match (plane, y * 4 / height) {
                        (0, 0) => {
                            if bit {
                                200
                            } else {
                                30
                            }
                        }
                        (0, 1) => {
                            if bit {
                                30
                            } else {
                                200
                            }
                        }
                        _ => 128,
                    };
                }
            }
        }
        Ok(())
    }
}

/// Seven seconds at 30 frames a second, in chapters that fit no segment.
fn sketch() -> Sketch {
    Sketch {
        width: SIZE.0,
        height: SIZE.1,
        rate: FrameRate::new(30, 1).unwrap(),
        frames: 210,
        chapters: vec![(0, "Start".to_owned()), (77, "Miss".to_owned()), (200, "Results".to_owned())],
        poster_frame: 100,
        recipe: "counting".to_owned(),
    }
}

fn order(threads: u32, segment_seconds: u32) -> Order {
    let order = json!({
        "sources": [], "clips": [],
        "encoder": { "preset": "ultrafast", "segment_seconds": segment_seconds, "drawn": true }
    });
    let mut order: Order = serde_json::from_value(order).unwrap();
    order.limits.threads = threads;
    order
}

fn made(counter: &Counter, order: &Order, job: &Path) -> Result<Report, RenderError> {
    make(order, plan(order, &sketch()), counter, job, &|_| {})
}

#[test]
fn every_frame_is_drawn_once_and_shown_in_its_place_however_it_is_divided() {
    let expected: Vec<_> = (0..210).map(|frame| Some(Mark { source: 0, frame })).collect();
    for (threads, seconds, segments) in [(1, 60, 3), (1, 1, 9), (2, 2, 6)] {
        let (counter, job) = (Counter::default(), tempfile::tempdir().unwrap());
        let report = made(&counter, &order(threads, seconds), job.path()).unwrap();
        assert_eq!(report.segments.len(), segments, "of {seconds} seconds");
        let mut drawn = counter.drawn.into_inner().unwrap();
        drawn.sort_unstable();
        assert!(drawn.into_iter().eq(0..210), "of {seconds} seconds");
        let media = job.path().join(MEDIA_FILE);
        let seen = watch(&media, None).unwrap();
        assert_eq!((seen.marks, seen.complaints.as_str()), (expected.clone(), ""));
        let impulses = read_impulses(&media).unwrap();
        let late: Vec<f64> = impulses.iter().zip(0..).map(|(at, second)| at - f64::from(second)).collect();
        assert!(late.len() == 7 && late.iter().all(|late| late.abs() < 0.0005), "{impulses:?}");
        assert!(report.checks.iter().all(|check| check.passed), "{:?}", report.checks);
        let clips: Vec<(&str, u64)> =
            report.clips.iter().map(|clip| (clip.title.as_str(), clip.frames)).collect();
        assert_eq!(clips, [("Start", 77), ("Miss", 123), ("Results", 10)]);
    }
}

#[test]
fn sound_that_ends_too_soon_or_never_is_as_long_as_the_picture() {
    for samples in [Some(0), Some(48_000), None] {
        let job = tempfile::tempdir().unwrap();
        let counter = Counter { samples, ..Counter::default() };
        let report = made(&counter, &order(2, 4), job.path()).unwrap();
        assert_eq!(report.plan.samples, 7 * 48_000);
        let heard = counter_video::read_samples(&job.path().join(MEDIA_FILE)).unwrap();
        // The last packet is filled up.
        assert!((7 * 48_000..7 * 48_000 + 1024).contains(&heard.len()), "{samples:?}: {}", heard.len());
    }
}

/// What was finished before a failure is used by the next attempt.
#[test]
fn after_a_failure_only_what_is_missing_is_drawn() {
    let job = tempfile::tempdir().unwrap();
    let order = order(1, 2);
    let broken = Counter { fails_at: Some(150), ..Counter::default() };
    assert!(matches!(made(&broken, &order, job.path()), Err(RenderError::Encode { .. })));
    let plan = plan(&order, &sketch());
    let is_there = |segment: &&Segment| job.path().join(piece_file(&segment.key)).exists();
    let there: Vec<&Segment> = plan.segments.iter().filter(is_there).collect();
    assert!(!there.is_empty() && there.len() < plan.segments.len(), "{}", there.len());
    let whole = Counter::default();
    let report = made(&whole, &order, job.path()).unwrap();
    assert_eq!(report.pieces_kept as usize, there.len());
    let kept: u64 = there.iter().map(|segment| segment.frames).sum();
    assert_eq!(whole.drawn.into_inner().unwrap().len() as u64, 210 - kept);
}

#[test]
fn segments_are_named_by_what_they_show() {
    let keys = |order: &Order, sketch: &Sketch| -> BTreeSet<String> {
        plan(order, sketch).segments.into_iter().map(|segment| segment.key).collect()
    };
    let first = keys(&order(1, 2), &sketch());
    assert_eq!(first.len(), 6, "no two show the same");
    assert_eq!(first, keys(&order(2, 2), &sketch()));
    // Another title is no other picture.
    let mut renamed = sketch();
    renamed.chapters[1].1 = "2 misses".to_owned();
    assert_eq!(first, keys(&order(1, 2), &renamed));
    let mut better = order(1, 2);
    better.encoder.crf -= 1;
    let other = Sketch { recipe: "drawing".to_owned(), ..sketch() };
    for others in [keys(&better, &sketch()), keys(&order(1, 2), &other)] {
        assert!(first.is_disjoint(&others));
    }
}
