//! Looking into a source: what is told of it and its key frames, by the render worker as a program.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counter_video::CounterVideo;
use counter_video::fixture::{Coding, Packing, make};
use cutter::error::RenderError;
use cutter::protocol::Task;
use cutter::report::{Outcome, SourceReport};
use cutter::source::ByteSource;
use cutter::spawn::{Limits, spawn_worker};
use cutter::time::TICKS_PER_SECOND;

use crate::parent::{SessionError, run_task};
use crate::support::{Bench, open, order};

/// A source that counts what is read of it.
struct Counting(Arc<dyn ByteSource>, AtomicU64);

impl ByteSource for Counting {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read_at(offset, buf)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// What is told of a file, and how many bytes that took.
fn survey(path: &Path, most_keyframes: u32) -> Result<(SourceReport, u64), SessionError> {
    let job = tempfile::tempdir().unwrap();
    let (order, _) = order(&[path.to_owned()], Vec::new());
    let counting = Arc::new(Counting(open(path), AtomicU64::new(0)));
    let source: Arc<dyn ByteSource> = counting.clone();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_render-worker"));
    let mut child = spawn_worker(program, job.path(), OwnedFd::from(theirs), &Limits::default()).unwrap();
    let outcome = run_task(ours, order, Task::Survey { most_keyframes }, &[source], |_| {});
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(job.path()).unwrap().count(), 0, "nothing is written");
    match outcome? {
        Outcome::Source(report) => Ok((*report, counting.1.load(Ordering::Relaxed))),
        _ => Err(SessionError::Other),
    }
}

/// Frames of a source: six groups of pictures and a piece.
const FRAMES: u16 = 150;

#[test]
fn key_frames_are_told_where_the_container_has_an_index() {
    let packings = [
        Packing::Mp4IndexFirst,
        Packing::Mp4IndexLast,
        Packing::Mp4FragmentsIndexed,
        Packing::Mp4Fragments,
        Packing::Matroska,
        Packing::Transport,
    ];
    for coding in [Coding::H264Closed, Coding::HevcOpen] {
        let bench = Bench::new();
        let video = CounterVideo::new(1, (30, 1), FRAMES).sized(640, 360).with("");
        for fixture in make(&video, coding, &packings, bench.directory.path()).unwrap() {
            let name = fixture.name();
            let (report, _) = survey(&fixture.path, 20_000).unwrap_or_else(|error| panic!("{name}: {error}"));
            let probe = &report.probe;
            assert_eq!((probe.video.width, probe.video.height), (640, 360), "{name}");
            assert_eq!(report.keyframes_total, report.keyframes.len() as u64, "{name}");
            let frame = TICKS_PER_SECOND / 30;
            let found: Vec<f64> = report.keyframes.iter().map(|key| *key as f64 / frame as f64).collect();
            if matches!(fixture.packing, Packing::Mp4Fragments | Packing::Transport) {
                assert!(found.is_empty(), "{name}: {found:?}");
                continue;
            }
            assert_eq!(found.len(), fixture.keys.len(), "{name}: {found:?} of {:?}", fixture.keys);
            // MP4 tells an open group's key frame as earlier, by the pictures that lean back on it; Matroska rounds.
            let early = match (coding, fixture.packing) {
                (
                    Coding::HevcOpen,
                    Packing::Mp4IndexFirst | Packing::Mp4IndexLast | Packing::Mp4FragmentsIndexed,
                ) => 4.0,
                _ => 0.05,
            };
            for (found, key) in found.iter().zip(&fixture.keys) {
                let key = f64::from(*key);
                assert!((key - early..=key + 0.05).contains(found), "{name}: {found} of {key}");
            }
        }
    }
}

#[test]
fn many_are_thinned_and_little_is_read() {
    let bench = Bench::new();
    let every = "-c:v libx264 -preset ultrafast -crf 12 -pix_fmt yuv420p -g 10 -c:a aac";
    let path = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 900).sized(960, 540).with(every));
    let (report, read) = survey(&path, 20).unwrap();
    assert_eq!((report.keyframes_total, report.keyframes.len()), (90, 20));
    assert!(report.keyframes.is_sorted() && report.keyframes[0] == 0);
    assert!(report.keyframes[19] > 28 * TICKS_PER_SECOND, "{:?}", report.keyframes);
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(read < length / 4, "{read} of {length}");
    let probe = report.probe;
    assert_eq!((probe.container.as_str(), probe.video.codec.as_str()), ("mp4", "h264"));
    assert!(
        probe
            .duration_ticks
            .is_some_and(|ticks| (ticks - 30 * TICKS_PER_SECOND).abs() < TICKS_PER_SECOND / 10)
    );
    assert_eq!(probe.audio.map(|audio| audio.codec), Some("aac".to_owned()));
}

#[test]
fn what_is_no_video_is_told() {
    let bench = Bench::new();
    let path = bench.directory.path().join("a.txt");
    std::fs::write(&path, "#EXTM3U\n").unwrap();
    let Err(SessionError::Render(error @ RenderError::Refused { .. })) = survey(&path, 10) else {
        panic!("it is refused")
    };
    assert_eq!(error.code(), "unsupported_container");
    assert!(error.to_string().starts_with("its source is an HLS playlist"), "{error}");
}
