//! Hundreds of damaged inputs: each gives a montage or a typed error, in the worker's own process, never a hang.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use crate::parent::{SessionError, run_session};
use counter_video::CounterVideo;
use cutter::error::RenderError;
use cutter::source::ByteSource;
use cutter::spawn::{Limits, WorkerExit, classify_exit, spawn_worker};

use crate::support::{Bench, clip, ms, order};

/// A small generator of the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

fn damaged(bytes: &[u8], round: u64) -> Vec<u8> {
    let mut numbers = Numbers(round);
    let mut bytes = bytes.to_vec();
    // Headers lie at the ends: half of the damage goes there.
    let place = |numbers: &mut Numbers, length: usize| match numbers.below(4) {
        0 => numbers.below(length.min(2000)),
        1 => length - 1 - numbers.below(length.min(3000)),
        _ => numbers.below(length),
    };
    match round % 4 {
        0 => bytes.truncate(place(&mut numbers, bytes.len())),
        1 => (0..1 + numbers.below(4)).for_each(|_| {
            let place = place(&mut numbers, bytes.len());
            bytes[place] ^= 1 << numbers.below(8);
        }),
        2 => (0..40).for_each(|_| {
            let place = place(&mut numbers, bytes.len());
            bytes[place] = numbers.below(256) as u8;
        }),
        _ => {
            let from = place(&mut numbers, bytes.len());
            let to = (from + 1 + numbers.below(2000)).min(bytes.len());
            if numbers.below(2) == 0 {
                bytes[from..to].fill(0xff);
            } else {
                bytes.drain(from..to);
            }
        }
    }
    bytes
}

fn rounds(name: &str, video: &CounterVideo, count: u64) {
    let bench = Bench::new();
    let path = bench.video(name, video);
    let whole = std::fs::read(&path).unwrap();
    // Times and a rate of our own: the source's rate may be among what is damaged.
    let (mut order, _) = order(&[path], vec![clip(0, ms(100), ms(333))]);
    order.canvas.frame_rate = "30".parse().ok();
    let limits = Limits { address_space_bytes: 3 << 30, cpu_seconds: 20, ..Limits::default() };
    let mut made = 0;
    for round in 0..count {
        let bytes = damaged(&whole, round);
        let mut order = order.clone();
        order.sources[0].bytes = bytes.len() as u64;
        let source: Arc<dyn ByteSource> = Arc::new(bytes);
        let job = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_render-worker"));
        let mut child = spawn_worker(program, job.path(), OwnedFd::from(theirs), &limits).unwrap();
        let result = run_session(ours, order, &[source], |_| {});
        let mut words = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut words).unwrap();
        let exit = classify_exit(child.wait().unwrap(), &words);
        match result {
            Ok(report) => {
                assert_eq!(report.media.frames, 10, "{name} {round}");
                made += 1;
            }
            Err(SessionError::Render(error)) => {
                let known = matches!(
                    error,
                    RenderError::Refused { .. } | RenderError::Decode { .. } | RenderError::OutOfMemory
                );
                assert!(known, "{name} {round}: {error:?}");
            }
            Err(error) => panic!("{name} {round}: {error} {exit:?} {words}"),
        }
        assert_eq!(exit, WorkerExit::Exit(0), "{name} {round}");
    }
    println!("{name}: {made} of {count} were good enough");
}

fn small(arguments: &str) -> CounterVideo {
    CounterVideo::new(1, (30, 1), 24).sized(160, 96).with(arguments)
}

#[test]
fn damaged_mp4() {
    rounds("a.mp4", &small("-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac"), 120);
}

#[test]
fn damaged_matroska() {
    rounds("a.mkv", &small("-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a libopus"), 80);
    rounds("b.webm", &small("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"), 60);
}

#[test]
fn damaged_streams() {
    rounds("a.ts", &small("-c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac"), 60);
    rounds("b.mpg", &small("-r 25 -c:v mpeg2video -c:a mp2 -f mpeg"), 40);
    rounds(
        "c.mp4",
        &small("-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -c:a libmp3lame"),
        60,
    );
}
