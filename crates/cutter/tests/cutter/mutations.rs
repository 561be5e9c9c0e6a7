//! Thousands of files that are almost right: each gives a montage or a typed error; no panic, no crash, no hang.
//!
//! Small files of every container and coding are changed in the ways that hurt readers: bits flipped, ends cut off,
//! boxes that lie about their size, boxes in the wrong order, stretches of nothing. Most cases run in this process,
//! where a panic or a hang is seen at once; some in the render worker as it runs in production, under its limits.
//! Every case is named by its number: the same number is the same file on every machine.
//!
//! `make test` runs a few hundred. `SM_TEST_MUTATIONS=10000 cargo test -p cutter --test cutter mutations --
//! --nocapture` runs all of them and prints how they ended; with `SM_TEST_MUTATION=N` case N runs alone and its file is
//! kept.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use counter_video::CounterVideo;
use counter_video::fixture::{Coding, Packing, make};
use cutter::error::RenderError;
use cutter::order::Order;
use cutter::render::render;
use cutter::source::ByteSource;
use cutter::spawn::{Limits, WorkerExit, classify_exit, spawn_worker};
use serde_json::json;

use crate::parent::{SessionError, run_session};

/// Cases when nothing else is said.
const DEFAULT_CASES: u64 = 400;
/// One case in so many runs in a worker of its own.
const IN_A_WORKER: u64 = 33;
/// After this time a case hangs. It is a safety net: cases take milliseconds, the worst of them, whose index libav takes
/// seconds to read each time it is opened, a minute on a busy machine.
const HANGS_AFTER: Duration = Duration::from_secs(900);
/// What this process may have in memory at most, all its tests together.
const MOST_MEMORY_KIB: u64 = 3 << 20;

/// A file that is right.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    /// Where its boxes start and end, if it is made of boxes: outer ones and those within.
    boxes: Vec<(usize, usize)>,
}

fn seeds() -> Vec<Seed> {
    use Packing::{Matroska, Mp4Fragments, Mp4FragmentsIndexed, Mp4IndexFirst, Mp4IndexLast, Transport};
    let directory = tempfile::tempdir().unwrap();
    let video = |frames| CounterVideo::new(1, (30, 1), frames).sized(96, 64);
    let mut paths = Vec::new();
    for (coding, packings) in [
        (Coding::H264Closed, &[Mp4IndexLast, Mp4Fragments, Mp4FragmentsIndexed, Matroska][..]),
        (Coding::H264Open, &[Mp4IndexFirst, Transport]),
        (Coding::H264TenBit, &[Mp4IndexFirst]),
        (Coding::HevcOpen, &[Mp4IndexLast, Matroska]),
        (Coding::HevcTenBit, &[Transport]),
    ] {
        let made = make(&video(100).with(""), coding, packings, directory.path()).unwrap();
        paths.extend(made.into_iter().map(|fixture| (fixture.name(), fixture.path)));
    }
    for (name, codecs) in [
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 15 -c:a libopus"),
        ("mpeg2.mpg", "-r 25 -c:v mpeg2video -g 12 -bf 2 -c:a mp2 -f mpeg"),
    ] {
        let path = directory.path().join(name);
        video(45).with(codecs).write(&path).unwrap();
        paths.push((name.to_owned(), path));
    }
    let seed = |(name, path): (String, std::path::PathBuf)| {
        let bytes = std::fs::read(path).unwrap();
        let boxes = if name.contains("Mp4") { boxes(&bytes, 0, bytes.len(), 0) } else { vec![] };
        Seed { name, bytes, boxes }
    };
    paths.into_iter().map(seed).collect()
}

/// Boxes of MP4 between two places, and those within them.
fn boxes(bytes: &[u8], from: usize, to: usize, depth: u32) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = from;
    while at + 8 <= to {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if length < 8 || length > to - at {
            break;
        }
        found.push((at, at + length));
        let holds_boxes =
            [&b"moov"[..], b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"mvex"];
        if depth < 8 && holds_boxes.contains(&&bytes[at + 4..at + 8]) {
            found.extend(boxes(bytes, at + 8, at + length, depth + 1));
        }
        at += length;
    }
    found
}

/// A small generator of the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }

    /// A place in so many bytes. Half of them lie near the ends, where headers and indexes are.
    fn place(&mut self, length: usize) -> usize {
        match self.below(4) {
            0 => self.below(length.min(3000)),
            1 => length - 1 - self.below(length.min(3000)),
            _ => self.below(length),
        }
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// Changes a right file in one way, sometimes in several.
fn mutate(seed: &Seed, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.bytes.clone();
    for _ in 0..1 + numbers.below(4) / 3 {
        if bytes.len() < 16 {
            break;
        }
        let same_layout = bytes.len() == seed.bytes.len();
        let boxes = if same_layout { seed.boxes.as_slice() } else { &[] };
        change(&mut bytes, boxes, numbers);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, boxes: &[(usize, usize)], numbers: &mut Numbers) {
    let length = bytes.len();
    match numbers.below(8) {
        0 => bytes.truncate(numbers.place(length).max(1)),
        1 => {
            for _ in 0..1 + numbers.below(6) {
                let place = numbers.place(length);
                bytes[place] ^= 1 << numbers.below(8);
            }
        }
        // A number of four bytes that is too small, too large, or a little off.
        2 | 3 => {
            let at = match numbers.one_of(boxes) {
                // The box's size, or one of the first numbers in it: versions, counts, first entries.
                Some((start, end)) => (start + 4 * numbers.below(8)).min(end - 4),
                None => numbers.place(length - 4).min(length - 4),
            };
            let old = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            let lies =
                [0, 1, 7, old.wrapping_sub(1), old.wrapping_add(8), old.wrapping_mul(2), 1 << 31, u32::MAX];
            let lie = numbers.one_of(&lies).unwrap_or_default();
            bytes[at..at + 4].copy_from_slice(&lie.to_be_bytes());
        }
        // Two boxes, or two stretches, in each other's place.
        4 => {
            let stretch = |numbers: &mut Numbers| {
                numbers.one_of(boxes).unwrap_or_else(|| {
                    let start = numbers.place(length);
                    (start, (start + 1 + numbers.below(4000)).min(length))
                })
            };
            let (one, other) = (stretch(numbers), stretch(numbers));
            let (first, second) = (one.min(other), one.max(other));
            if first.1 <= second.0 {
                let mut swapped = bytes[..first.0].to_vec();
                swapped.extend_from_slice(&bytes[second.0..second.1]);
                swapped.extend_from_slice(&bytes[first.1..second.0]);
                swapped.extend_from_slice(&bytes[first.0..first.1]);
                swapped.extend_from_slice(&bytes[second.1..]);
                *bytes = swapped;
            }
        }
        5 => {
            let from = numbers.place(length);
            let to = (from + 1 + numbers.below(3000)).min(length);
            bytes[from..to].fill(numbers.one_of(&[0, 0xff]).unwrap_or_default());
        }
        // Something left out, something said twice.
        6 => {
            let from = numbers.place(length);
            let to = (from + 1 + numbers.below(2000)).min(length);
            bytes.drain(from..to);
        }
        _ => {
            let from = numbers.place(length);
            let to = (from + 1 + numbers.below(2000)).min(length);
            let again = bytes[from..to].to_vec();
            bytes.splice(from..from, again);
        }
    }
}

/// One or two short clips, across key frames. Times and a rate of our own: the file's may be among what is changed.
fn order(bytes: usize, numbers: &mut Numbers) -> Order {
    let ticks = |frames: usize| json!({ "ticks": frames as i64 * cutter::time::TICKS_PER_SECOND / 30 });
    let clips: Vec<_> = (0..1 + numbers.below(2))
        .map(|_| {
            let (start, length) = (numbers.below(20), 2 + numbers.below(30));
            json!({ "source": 0, "start": ticks(start), "extent": { "duration": ticks(length) } })
        })
        .collect();
    let order = json!({
        "sources": [{ "bytes": bytes }],
        "clips": clips,
        "canvas": { "frame_rate": "30" },
        "encoder": { "preset": "ultrafast" },
        // A picture whose size was changed may be large; what is tested here is not the time to scale it.
        "limits": { "max_width": 1920, "max_height": 1920, "max_pixels": 1920 * 1080 },
    });
    serde_json::from_value(order).unwrap()
}

/// How a case ended, in a word, or what is wrong with that.
fn judged(result: Result<(), RenderError>) -> Result<&'static str, String> {
    match result {
        Ok(()) => Ok("made"),
        Err(RenderError::Decode { .. }) => Ok("decode_failed"),
        Err(RenderError::OutOfMemory) => Ok("out_of_memory"),
        Err(error @ RenderError::Refused { .. }) => Ok(error.code()),
        // Nothing that a file holds is our encoder's, our own checks' or our protocol's fault.
        Err(other) => Err(format!("{other:?}")),
    }
}

fn in_this_process(order: &Order, bytes: Vec<u8>) -> Result<&'static str, String> {
    let job = tempfile::tempdir().unwrap();
    let source: Arc<dyn ByteSource> = Arc::new(bytes);
    let work = AssertUnwindSafe(|| render(order, &[source], job.path(), &|_| {}).map(drop));
    catch_unwind(work).map_or_else(|_| Err("it panicked".to_owned()), judged)
}

fn in_a_worker(order: &Order, bytes: Vec<u8>) -> Result<&'static str, String> {
    let limits = Limits { address_space_bytes: 2 << 30, cpu_seconds: 30, ..Limits::default() };
    let job = tempfile::tempdir().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_render-worker"));
    let mut child = spawn_worker(program, job.path(), OwnedFd::from(theirs), &limits).unwrap();
    let source: Arc<dyn ByteSource> = Arc::new(bytes);
    let result = run_session(ours, order.clone(), &[source], |_| {});
    let mut words = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut words).unwrap();
    let exit = classify_exit(child.wait().unwrap(), &words);
    match result {
        Ok(_) | Err(SessionError::Render(_)) if exit != WorkerExit::Exit(0) => {
            Err(format!("{exit:?} {words}"))
        }
        Ok(_) => judged(Ok(())),
        Err(SessionError::Render(error)) => judged(Err(error)),
        Err(error) => Err(format!("{error} {exit:?} {words}")),
    }
}

/// Ends the whole program, having said where, when a case hangs.
struct Watchdog(Arc<Mutex<Vec<(String, Instant)>>>);

impl Watchdog {
    fn start() -> Self {
        let cases: Arc<Mutex<Vec<(String, Instant)>>> = Arc::default();
        let watched = Arc::downgrade(&cases);
        std::thread::spawn(move || {
            while let Some(cases) = watched.upgrade() {
                for (case, since) in cases.lock().unwrap().iter() {
                    if since.elapsed() > HANGS_AFTER {
                        // Past the test harness, which would keep it until the end.
                        let _ = std::io::Write::write_fmt(
                            &mut std::io::stderr(),
                            format_args!("mutations: {case} hangs\n"),
                        );
                        std::process::abort();
                    }
                }
                drop(cases);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        Self(cases)
    }

    fn during<T>(&self, case: &str, work: impl FnOnce() -> T) -> T {
        self.0.lock().unwrap().push((case.to_owned(), Instant::now()));
        let done = work();
        self.0.lock().unwrap().retain(|(running, _)| running != case);
        done
    }
}

/// Most memory that this process had at a time, in KiB.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn almost_right_files_end_well() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let cases = number("SM_TEST_MUTATIONS").unwrap_or(DEFAULT_CASES);
    // To look at one case again.
    let only = number("SM_TEST_MUTATION");
    let (seeds, watchdog) = (seeds(), Watchdog::start());
    let (next, endings, wrong) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()), Mutex::new(Vec::new()));
    // A crash of libav in this process leaves the numbers of the last cases here.
    let trace =
        tempfile::Builder::new().prefix("mutations-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run = |thread: usize| {
        while let Some(case) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|case| *case < cases) {
            if only.is_some_and(|only| only != case) {
                continue;
            }
            let seed = &seeds[(case % seeds.len() as u64) as usize];
            let mut numbers = Numbers(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let bytes = mutate(seed, &mut numbers);
            let order = order(bytes.len(), &mut numbers);
            let name = format!("case {case} ({})", seed.name);
            std::fs::write(trace.path().join(format!("thread-{thread}")), &name).unwrap();
            if only.is_some() {
                let kept = trace.path().with_extension("file");
                std::fs::write(&kept, &bytes).unwrap();
                println!("{name} is kept in {}", kept.display());
            }
            let ended = watchdog.during(&name, || match case % IN_A_WORKER {
                0 => in_a_worker(&order, bytes),
                _ => in_this_process(&order, bytes),
            });
            match ended {
                Ok(word) => *endings.lock().unwrap().entry(word).or_insert(0) += 1,
                Err(what) => {
                    // Said at once: a crash in a later case must not hide it.
                    println!("{name}: {what}");
                    wrong.lock().unwrap().push(format!("{name}: {what}"));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run(1));
        run(0);
    });
    let (endings, wrong) = (endings.into_inner().unwrap(), wrong.into_inner().unwrap());
    println!("{cases} mutated files: {endings:?}, {} KiB at most", most_memory().unwrap_or_default());
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(most_memory().is_none_or(|memory| memory < MOST_MEMORY_KIB), "{:?} KiB", most_memory());
    assert!(
        only.is_some() || endings.contains_key("made"),
        "nothing was good enough to be used: {endings:?}"
    );
}
