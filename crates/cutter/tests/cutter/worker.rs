//! The render worker as a program: a whole session, its bounds, and how it ends when things go wrong.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;

use crate::parent::{MONTAGE, SessionError, run_session};
use counter_video::{CounterVideo, read_marks};
use cutter::error::RenderError;
use cutter::order::Order;
use cutter::protocol::{FromWorker, ProtocolError, Stage, ToWorker, read_message, write_message};
use cutter::report::{MEDIA_FILE, PLAYLIST_FILE, POSTER_FILE, Report, SPEECH_FILE, SPRITES_FILE};
use cutter::source::{ByteSource, SourceFailure};
use cutter::spawn::{Limits, WorkerExit, classify_exit, spawn_worker};

use crate::support::{Bench, frames, order};

const PROGRAM: &str = env!("CARGO_BIN_EXE_render-worker");

pub fn start(job_dir: &Path, limits: &Limits) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let child = spawn_worker(Path::new(PROGRAM), job_dir, OwnedFd::from(theirs), limits).unwrap();
    (child, ours)
}

pub fn end(mut child: Child) -> WorkerExit {
    let mut words = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut words).unwrap();
    let status = child.wait().unwrap();
    println!("{status} {words}");
    classify_exit(status, &words)
}

fn session(
    order: &Order,
    sources: &[Arc<dyn ByteSource>],
    job_dir: &Path,
    limits: &Limits,
) -> (Result<Report, SessionError>, WorkerExit, Vec<Stage>) {
    let (child, socket) = start(job_dir, limits);
    let mut stages = Vec::new();
    let result = run_session(socket, order.clone(), sources, |progress| stages.push(progress.stage));
    (result, end(child), stages)
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn one_clip(bench: &Bench) -> (Order, Vec<Arc<dyn ByteSource>>) {
    let source = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 150));
    order(&[source], vec![frames(0, 20, 90)])
}

#[test]
fn a_whole_session_in_bounds() {
    let bench = Bench::new();
    let (order, sources) = one_clip(&bench);
    let job = tempfile::tempdir().unwrap();
    let (result, exit, mut stages) = session(&order, &sources, job.path(), &Limits::default());
    let report = result.unwrap();
    assert_eq!(exit, WorkerExit::Exit(0));
    assert_eq!(files(job.path()), [PLAYLIST_FILE, MEDIA_FILE, POSTER_FILE, SPEECH_FILE, SPRITES_FILE]);
    let media = job.path().join(MEDIA_FILE);
    assert_eq!(report.media.bytes, std::fs::metadata(&media).unwrap().len());
    let shown: Vec<u16> =
        read_marks(&media, None).unwrap().into_iter().map(|mark| mark.unwrap().frame).collect();
    assert_eq!(shown, (20..110).collect::<Vec<u16>>());
    assert!(report.sandbox.no_new_privileges && report.sandbox.seccomp, "{:?}", report.sandbox);
    println!("landlock: {}", report.sandbox.landlock);
    stages.dedup();
    assert_eq!(stages, [Stage::Planning, Stage::Encoding, Stage::Assembling, Stage::Verifying]);
}

#[test]
fn results_can_be_read_by_other_programs() {
    let bench = Bench::new();
    let (order, sources) = one_clip(&bench);
    let job = tempfile::tempdir().unwrap();
    let report = session(&order, &sources, job.path(), &Limits::default()).0.unwrap();
    let probe = |name: &str, entries: &str| {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", entries, "-of", "default=nw=1:nk=1"])
            .arg(job.path().join(name))
            .output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        probe(SPEECH_FILE, "stream=codec_name,sample_rate,channels,duration_ts"),
        ["pcm_s16le", "16000", "1", "48000"]
    );
    assert_eq!(probe(POSTER_FILE, "stream=width,height"), ["320", "180"]);
    let sprites = report.sprites;
    assert_eq!((sprites.count, sprites.interval_frames), (3, 30));
    let size = [sprites.tile_width * sprites.columns, sprites.tile_height * sprites.rows]
        .map(|side| side.to_string());
    assert_eq!(probe(SPRITES_FILE, "stream=width,height"), size);
    assert_eq!(probe(MEDIA_FILE, "format_tags=title"), ["A", "test"]);
    assert_eq!(probe(MEDIA_FILE, "chapter_tags=title"), ["Highlight", "1"]);
    // The index stands in front of the media.
    let bytes = std::fs::read(job.path().join(MEDIA_FILE)).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
    // The poster is the frame a tenth into the clip: number 29 of the source.
    let poster = read_marks(&job.path().join(POSTER_FILE), None).unwrap();
    assert_eq!(poster[0].unwrap().frame, 29);
}

/// A source that fails from some byte on.
struct Failing(Arc<dyn ByteSource>, u64);

impl ByteSource for Failing {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        if offset >= self.1 {
            let reason = "the server went away".to_owned();
            return Err(SourceFailure { reason, permanent: false }.into());
        }
        self.0.read_at(offset, buf)
    }
}

#[test]
fn a_source_that_fails_is_told_from_one_that_is_bad() {
    let bench = Bench::new();
    let source = bench.video("a.ts", &CounterVideo::new(1, (30, 1), 600).sized(640, 360));
    let (order, mut sources) = order(&[source], vec![frames(0, 400, 150)]);
    let half = sources[0].len() / 2;
    sources[0] = Arc::new(Failing(Arc::clone(&sources[0]), half));
    let job = tempfile::tempdir().unwrap();
    let (result, exit, _) = session(&order, &sources, job.path(), &Limits::default());
    assert_eq!(exit, WorkerExit::Exit(0));
    match result {
        Err(SessionError::Render(error @ RenderError::SourceUnavailable { .. })) => {
            assert!(!error.is_permanent() && error.to_string().contains("the server went away"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn running_out_of_memory_is_told() {
    let bench = Bench::new();
    let source = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 60));
    let (mut order, sources) = order(&[source], vec![frames(0, 0, 60)]);
    (order.canvas.width, order.canvas.height) = (Some(3840), Some(2160));
    let job = tempfile::tempdir().unwrap();
    for megabytes in [220, 300, 400] {
        let limits = Limits { address_space_bytes: megabytes << 20, ..Limits::default() };
        let (result, exit, _) = session(&order, &sources, job.path(), &limits);
        let told = matches!(&result, Err(SessionError::Render(RenderError::OutOfMemory)));
        assert!(told || exit == WorkerExit::OutOfMemory, "{megabytes}: {result:?} {exit:?}");
    }
}

#[test]
fn too_much_processor_time_is_told() {
    let bench = Bench::new();
    let source = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 600));
    let (mut order, sources) = order(&[source], vec![frames(0, 0, 600)]);
    (order.canvas.width, order.canvas.height) = (Some(1920), Some(1080));
    let job = tempfile::tempdir().unwrap();
    let limits = Limits { cpu_seconds: 1, ..Limits::default() };
    let (result, exit, _) = session(&order, &sources, job.path(), &limits);
    assert!(result.is_err());
    assert_eq!(exit, WorkerExit::CpuLimit);
}

#[test]
fn a_file_beyond_its_limit_is_told() {
    let bench = Bench::new();
    let (order, sources) = one_clip(&bench);
    let job = tempfile::tempdir().unwrap();
    let limits = Limits { file_size_bytes: 10_000, ..Limits::default() };
    let (result, exit, _) = session(&order, &sources, job.path(), &limits);
    assert!(result.is_err());
    assert_eq!(exit, WorkerExit::OutputLimit);
}

#[test]
fn a_worker_ends_when_its_parent_is_gone() {
    let bench = Bench::new();
    let (order, _) = one_clip(&bench);
    let job = tempfile::tempdir().unwrap();
    let (child, mut socket) = start(job.path(), &Limits::default());
    write_message(&mut socket, &ToWorker::Order { order: Box::new(order), task: MONTAGE }, &[]).unwrap();
    // It asks for bytes, and then nobody is there.
    loop {
        if let (FromWorker::ReadAt { .. }, _) = read_message::<FromWorker>(&mut socket).unwrap() {
            break;
        }
    }
    drop(socket);
    assert_eq!(end(child), WorkerExit::Exit(3));
}

#[test]
fn a_killed_worker_is_a_broken_session() {
    let bench = Bench::new();
    let (order, _) = one_clip(&bench);
    let job = tempfile::tempdir().unwrap();
    let (mut child, mut socket) = start(job.path(), &Limits::default());
    write_message(&mut socket, &ToWorker::Order { order: Box::new(order), task: MONTAGE }, &[]).unwrap();
    child.kill().unwrap();
    let ended = std::iter::from_fn(|| match read_message::<FromWorker>(&mut socket) {
        Ok(_) => Some(None),
        Err(error) => Some(Some(error)),
    })
    .flatten()
    .next()
    .unwrap();
    assert!(matches!(ended, ProtocolError::Closed | ProtocolError::Io(_)), "{ended:?}");
    assert_eq!(end(child), WorkerExit::Crashed { signal: 9 });
}

#[test]
fn started_by_hand_it_says_so() {
    let output = Command::new(PROGRAM).output().unwrap();
    assert_eq!(output.status.into_raw() >> 8, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("executor"));
}

#[test]
fn the_sandbox_holds() {
    // A program of its own, since a sandbox cannot be left: this test starts itself again.
    if let Ok(job_dir) = std::env::var("CUTTER_TEST_SANDBOX") {
        inside_the_sandbox(Path::new(&job_dir));
        return;
    }
    let job = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::the_sandbox_holds", "--nocapture", "--test-threads=1"])
        .env("CUTTER_TEST_SANDBOX", job.path())
        .env("CUTTER_TEST_OUTSIDE", outside.path())
        .output()
        .unwrap();
    let words =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    println!("{words}");
}

fn inside_the_sandbox(job_dir: &Path) {
    let outside = PathBuf::from(std::env::var_os("CUTTER_TEST_OUTSIDE").unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let report = cutter::sandbox::enter(job_dir);
    let denied = |result: std::io::Result<()>| {
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    };
    std::fs::write(job_dir.join("own"), "x").unwrap();
    std::thread::spawn(|| ()).join().unwrap();
    if report.seccomp {
        denied(std::net::TcpStream::connect(address).map(drop));
        denied(UnixStream::pair().map(drop));
        denied(Command::new("/bin/true").spawn().map(drop));
    } else {
        println!("skipped: no seccomp here");
    }
    if report.landlock == "none" {
        println!("skipped: no Landlock here");
        return;
    }
    denied(std::fs::read(outside.join("secret")).map(drop));
    denied(std::fs::write(outside.join("new"), "x"));
    denied(std::fs::read("/etc/passwd").map(drop));
}
