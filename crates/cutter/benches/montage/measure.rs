//! Running a render worker or another program, and what that cost.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutter::source::{ByteSource, FileSource};
use cutter::spawn::{Limits, spawn_worker};
use serde_json::Value;

use crate::parent::run_session;

/// What a render worker made and used.
pub struct Made {
    /// Processor time of the worker and of this process, in seconds.
    pub cpu: f64,
    /// Frames of the montage.
    pub frames: u64,
    /// Frames among them that were encoded.
    pub encoded: u64,
    /// Bytes that the worker asked for.
    pub read: u64,
    /// Bytes among them that it asked for the first time.
    pub read_once: u64,
    /// Most memory that it had at a time, in bytes.
    pub memory: u64,
}

/// Processor time in seconds that this process and its ended children used so far.
pub fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The program's name may hold anything; what follows its bracket is numbers. Fields 14 to 17 are own and children's
    // time, in hundredths of a second on every Linux.
    let fields = status.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(4).map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "not installed".to_owned())?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("failed: {}", words.lines().next_back().unwrap_or_default()))
}

/// A source that counts what is read of it.
struct Counting {
    source: Arc<dyn ByteSource>,
    ranges: Mutex<Vec<(u64, u64)>>,
}

impl ByteSource for Counting {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read_at(offset, buf)?;
        self.ranges.lock().unwrap().push((offset, offset + count as u64));
        Ok(count)
    }
}

impl Counting {
    /// Bytes in all, and without repeats.
    fn bytes(&self) -> (u64, u64) {
        let mut ranges = self.ranges.lock().unwrap().clone();
        ranges.sort_unstable();
        let mut end = 0;
        let once = ranges.iter().map(|&(from, to)| {
            let new = to.saturating_sub(from.max(end));
            end = end.max(to);
            new
        });
        let once = once.sum();
        (ranges.iter().map(|(from, to)| to - from).sum(), once)
    }
}

/// Renders an order of one file in a worker, as the executor would.
pub fn worker(source: &Path, order: &Value) -> Result<Made, String> {
    let file = FileSource::new(std::fs::File::open(source).unwrap()).unwrap();
    worker_on(Arc::new(file), Vec::new(), order)
}

/// Renders an order of one source of which `ranges` (from, to) were read already.
pub fn worker_on(
    source: Arc<dyn ByteSource>,
    ranges: Vec<(u64, u64)>,
    order: &Value,
) -> Result<Made, String> {
    let order = serde_json::from_value(order.clone()).map_err(|error| format!("no such order: {error}"))?;
    let counting = Arc::new(Counting { source, ranges: Mutex::new(ranges) });
    let served: Arc<dyn ByteSource> = Arc::<Counting>::clone(&counting);
    let job = tempfile::tempdir().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let start = cpu_seconds();
    let program = Path::new(env!("CARGO_BIN_EXE_render-worker"));
    let mut child = spawn_worker(program, job.path(), OwnedFd::from(theirs), &Limits::default()).unwrap();
    let (ended, memory) = (AtomicBool::new(false), AtomicU64::new(0));
    let pid = child.id();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The kernel keeps the highest value; only growth in the last moments could be missed.
            while !ended.load(Ordering::Relaxed) {
                memory.fetch_max(most_memory(pid), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let result = run_session(ours, order, &[served], |_| {});
        ended.store(true, Ordering::Relaxed);
        result
    });
    child.wait().unwrap();
    let report = result.map_err(|error| format!("failed: {error}"))?;
    let (read, read_once) = counting.bytes();
    Ok(Made {
        cpu: cpu_seconds() - start,
        frames: report.media.frames,
        encoded: report.clips.iter().map(|clip| clip.encoded_frames).sum(),
        read,
        read_once,
        memory: memory.into_inner(),
    })
}

/// Most memory that a process had at a time, in bytes; 0 when it is gone.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}
