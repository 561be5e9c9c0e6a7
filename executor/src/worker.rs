//! One render worker, from start to burial: the parent's half of a session.
//!
//! The child decodes hostile media and may be taken over by it, so nothing that it says is trusted: lengths, ids and reads are
//! checked before memory or a source is touched, its reads are bounded in number, its directory in size, and it is killed with
//! its whole process group as soon as the attempt stops, the session ends or this future is dropped. When [`run`] returns,
//! no process of the child's group runs any more (but for one that the kernel cannot end, which is given up after a while).
//!
//! Fails with [`WorkerError`]; a crash, a time-out and running out of memory are told apart.

use std::{
    io,
    os::fd::OwnedFd,
    path::Path,
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use cutter::{
    error::RenderError,
    order::Order,
    protocol::{FromWorker, MAX_READ_BYTES, Progress, Task, ToWorker, encode_header},
    report::Outcome,
    spawn::{Limits, WorkerExit, classify_exit, spawn_worker},
};
use fetch::FetchError;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixStream, unix::OwnedWriteHalf},
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::{interval, timeout},
};

use crate::{
    config::RenderConfig,
    frames::{FrameError, Frames},
    guard::Stop,
    lease::Lease,
    sources::OpenSource,
    workdir,
};

/// Reads that are answered at the same time; with the longest read this bounds the memory to 32 MiB.
const MOST_READS: usize = 8;
/// How often the size of the job directory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long a child may take to end after its last word, or after it closed its connection.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a killed child may take to disappear. Only one that hangs in the kernel takes longer.
const BURIAL: Duration = Duration::from_secs(10);
/// How much of the child's standard error is kept.
const STDERR_TAIL: usize = 8 << 10;

/// Why there is no montage.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The attempt has to stop; the child was killed.
    #[error("the attempt has to stop")]
    Stopped(Stop),
    /// The program could not be started.
    #[error("the render worker could not be started: {0}")]
    Start(io::Error),
    /// It said why.
    #[error(transparent)]
    Render(RenderError),
    /// A source failed while it was read.
    #[error("source {index} could not be read: {error}")]
    Source {
        /// Index among the order's sources.
        index: u32,
        /// Why.
        error: FetchError,
    },
    /// It ended without a word; the text says how.
    #[error("the render worker crashed ({0})")]
    Crashed(String),
    /// It ran out of memory.
    #[error("the render worker ran out of memory")]
    OutOfMemory,
    /// It used up its processor time.
    #[error("the render worker used up its processor time")]
    Timeout,
    /// It wrote more than it may.
    #[error("the render worker wrote more than it may")]
    OutputLimit,
    /// It said something that it must not say; it was killed.
    #[error("the render worker broke the protocol: {0}")]
    Protocol(String),
}

impl From<FrameError> for WorkerError {
    fn from(error: FrameError) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// Has a child do a task with an order in `dir` and answers what was made. `on_progress` is called for each new step.
///
/// # Errors
/// [`WorkerError`].
pub async fn run(
    config: &RenderConfig,
    lease: &Arc<Lease>,
    dir: &Path,
    (order, task): (Order, Task),
    sources: &[Arc<OpenSource>],
    on_progress: impl FnMut(Progress),
) -> Result<Outcome, WorkerError> {
    if let Some(stop) = lease.stop() {
        return Err(WorkerError::Stopped(stop));
    }
    let (ours, theirs) = connection().map_err(WorkerError::Start)?;
    let worker = Worker::start(config, Arc::clone(lease), dir, theirs).await.map_err(WorkerError::Start)?;
    let session = Session { lease, dir, sources, output: config.output, on_progress };
    // A process that left the group could hold the connection open after its leader's death.
    let widowed = async {
        lease.child_gone(worker.leader).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    let said = tokio::select! {
        biased;
        stop = lease.stopped() => Err(WorkerError::Stopped(stop)),
        said = session.run(ours, order, task) => said,
        () = widowed => Ok(None),
    };
    match said {
        Ok(Some(outcome)) => {
            worker.bury(LAST_WORDS).await;
            Ok(outcome)
        }
        // Not a word more: how it ended tells why.
        Ok(None) => {
            let why = worker.bury(LAST_WORDS).await;
            Err(why.unwrap_or_else(|| WorkerError::Crashed("it ended without a result".to_owned())))
        }
        Err(error) => {
            worker.bury(Duration::ZERO).await;
            Err(error)
        }
    }
}

/// Our end, for this runtime, and the child's, which blocks, as the child expects.
fn connection() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, OwnedFd::from(theirs)))
}

/// The talk with one child.
struct Session<'a, F> {
    lease: &'a Arc<Lease>,
    dir: &'a Path,
    sources: &'a [Arc<OpenSource>],
    output: u64,
    on_progress: F,
}

/// Whether what a child says it did can be what it was asked.
fn fits(order: &Order, task: &Task) -> impl Fn(&Outcome) -> bool + use<> {
    /// What a task can end with.
    enum Wanted {
        /// Key frames at most.
        Source(usize),
        /// Clips; as many as the child says where that is for it to find out.
        Plan(Option<usize>),
        Parts,
        /// Clips.
        Montage(usize),
        /// Clips.
        Replay(usize),
    }
    let clips = order.clips.len();
    let wanted = match task {
        Task::Survey { most_keyframes } => Wanted::Source(*most_keyframes as usize),
        Task::Plan => Wanted::Plan(Some(clips)),
        Task::PlanReplay(_) => Wanted::Plan(None),
        Task::Parts { .. } => Wanted::Parts,
        Task::Montage { .. } => Wanted::Montage(clips),
        Task::Replay { plan, .. } => Wanted::Replay(plan.clips.len()),
    };
    move |outcome| match (&wanted, outcome) {
        (Wanted::Source(most), Outcome::Source(report)) => report.keyframes.len() <= *most,
        (Wanted::Plan(clips), Outcome::Plan(report)) => {
            clips.is_none_or(|clips| report.plan.clips.len() == clips)
        }
        (Wanted::Parts, Outcome::Parts(_)) => true,
        (Wanted::Montage(clips), Outcome::Montage(report)) => report.clips.len() == *clips,
        (Wanted::Replay(clips), Outcome::Replay(made)) => made.report.clips.len() == *clips,
        _ => false,
    }
}

/// What a finished read says: the bytes that it served, or why it failed.
type Served = Result<u64, (u32, FetchError)>;

impl<F: FnMut(Progress)> Session<'_, F> {
    /// Talks until the last message; `None` if the child went away without one.
    async fn run(
        mut self,
        socket: UnixStream,
        order: Order,
        task: Task,
    ) -> Result<Option<Outcome>, WorkerError> {
        let fits = fits(&order, &task);
        let (from, to) = socket.into_split();
        let mut frames = Frames::new(from);
        let (answers, queue) = mpsc::channel(MOST_READS);
        let writer = AbortOnDrop(tokio::spawn(write_answers(to, queue)).abort_handle());
        let first = encode_header(&ToWorker::Order { order: Box::new(order), task }, 0)
            .map_err(|error| WorkerError::Protocol(format!("the order cannot be sent: {error}")))?;
        // A closed queue means that the child is gone, which the reading below finds out.
        let _ = answers.send((first, Bytes::new())).await;
        let mut reads: JoinSet<Served> = JoinSet::new();
        let mut failed_source = None;
        let mut served = 0_u64;
        // A child that reads the same bytes over and over makes no progress, whatever it reads.
        let useful: u64 = self.sources.iter().map(|source| source.bytes().saturating_mul(2)).sum();
        let mut look = interval(LOOK);
        let result = loop {
            tokio::select! {
                message = frames.next(), if reads.len() < MOST_READS => match message {
                    // Cut off in the middle of a word: it died.
                    Ok(None) | Err(FrameError::Cut) => break Ok(None),
                    Err(error) => return Err(error.into()),
                    Ok(Some(FromWorker::ReadAt { id, source, offset, len })) => {
                        self.read(&mut reads, &answers, (id, source, offset, len))?;
                    }
                    Ok(Some(FromWorker::Progress(progress))) => (self.on_progress)(progress),
                    Ok(Some(FromWorker::Done { outcome })) => {
                        if !fits(&outcome) {
                            break Err(WorkerError::Protocol("it did something else than it was asked".to_owned()));
                        }
                        break Ok(Some(outcome));
                    }
                    Ok(Some(FromWorker::Failed { error })) => break Err(WorkerError::Render(error)),
                },
                Some(done) = reads.join_next(), if !reads.is_empty() => match done {
                    Ok(Ok(bytes)) => {
                        served = served.saturating_add(bytes);
                        if served <= useful {
                            self.lease.moved();
                        }
                    }
                    Ok(Err(failed)) => {
                        failed_source.get_or_insert(failed);
                    }
                    Err(error) => break Err(WorkerError::Protocol(format!("a read ended without an answer: {error}"))),
                },
                _ = look.tick() => self.check_size().await?,
            }
        };
        drop(writer);
        match (result, failed_source) {
            // Our own error tells more than what the child made of it.
            (Err(WorkerError::Render(RenderError::SourceUnavailable { .. })), Some((index, error))) => {
                Err(WorkerError::Source { index, error })
            }
            (result, _) => result,
        }
    }

    /// Starts to answer a read, if it is one that may be asked.
    fn read(
        &self,
        reads: &mut JoinSet<Served>,
        answers: &mpsc::Sender<(Vec<u8>, Bytes)>,
        (id, index, offset, len): (u64, u32, u64, u32),
    ) -> Result<(), WorkerError> {
        let refuse = |what: String| Err(WorkerError::Protocol(what));
        let Some(source) = self.sources.get(index as usize).cloned() else {
            return refuse(format!("it reads from source {index}, which is not there"));
        };
        if len == 0 || len > MAX_READ_BYTES {
            return refuse(format!("it reads {len} bytes at once"));
        }
        if offset.checked_add(u64::from(len)).is_none_or(|end| end > source.bytes()) {
            return refuse(format!("it reads {len} bytes at {offset} of a source of {}", source.bytes()));
        }
        let answers = answers.clone();
        reads.spawn(async move {
            let (header, bytes, outcome) = match source.read_at(offset, len as usize).await {
                Ok(bytes) => {
                    let served = bytes.len() as u64;
                    (ToWorker::Bytes { id }, bytes, Ok(served))
                }
                Err(error) => {
                    let failed = ToWorker::ReadFailed {
                        id,
                        reason: error.to_string(),
                        permanent: error.is_permanent(),
                    };
                    (failed, Bytes::new(), Err((index, error)))
                }
            };
            if let Ok(header) = encode_header(&header, bytes.len()) {
                // A closed queue means that the child is gone.
                let _ = answers.send((header, bytes)).await;
            }
            outcome
        });
        Ok(())
    }

    async fn check_size(&self) -> Result<(), WorkerError> {
        let dir = self.dir.to_owned();
        let size = tokio::task::spawn_blocking(move || workdir::size(&dir)).await.unwrap_or(0);
        if size > self.output { Err(WorkerError::OutputLimit) } else { Ok(()) }
    }
}

/// Writes what is queued until the child is gone or nobody queues any more.
async fn write_answers(mut to: OwnedWriteHalf, mut queue: mpsc::Receiver<(Vec<u8>, Bytes)>) {
    while let Some((header, payload)) = queue.recv().await {
        if to.write_all(&header).await.is_err() || to.write_all(&payload).await.is_err() {
            return;
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A started child. Killed when dropped.
struct Worker {
    lease: Arc<Lease>,
    leader: Pid,
    exit: oneshot::Receiver<io::Result<ExitStatus>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    stderr_done: oneshot::Receiver<()>,
    _reader: AbortOnDrop,
}

impl Worker {
    async fn start(
        config: &RenderConfig,
        lease: Arc<Lease>,
        dir: &Path,
        socket: OwnedFd,
    ) -> io::Result<Self> {
        let limits = Limits {
            address_space_bytes: config.memory,
            cpu_seconds: config.cpu.as_secs().max(1),
            file_size_bytes: config.output,
            ..Limits::default()
        };
        let (program, dir) = (config.worker.clone(), dir.to_owned());
        let (started, starting) = oneshot::channel();
        let (ended, exit) = oneshot::channel();
        let held = Arc::clone(&lease);
        // A thread of its own: the child is killed by the kernel when the thread that started it ends, and threads of a pool
        // end when they are idle.
        std::thread::Builder::new().name("render-worker-parent".to_owned()).spawn(move || {
            let child = spawn_worker(&program, &dir, socket, &limits)
                .and_then(|child| pid(&child).map(|leader| (child, leader)));
            let (mut child, leader) = match child {
                Ok(started) => started,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            held.child_started(leader);
            if started.send(Ok((leader, child.stderr.take()))).is_err() {
                held.kill_child(leader);
            }
            // Waits without reaping, so that the number stays taken until the rest of the group is dead.
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            {}
            let status = held.child_ended(leader, || child.wait());
            let _ = ended.send(status);
        })?;
        let (leader, stderr) = starting.await.map_err(|_| io::Error::other("its thread ended"))??;
        let tail = Arc::new(Mutex::new(Vec::new()));
        let (done, stderr_done) = oneshot::channel();
        let kept = Arc::clone(&tail);
        let reader = tokio::spawn(async move {
            if let Some(Ok(stderr)) = stderr.map(tokio::process::ChildStderr::from_std) {
                keep_tail(stderr, &kept).await;
            }
            let _ = done.send(());
        });
        Ok(Self {
            lease,
            leader,
            exit,
            stderr: tail,
            stderr_done,
            _reader: AbortOnDrop(reader.abort_handle()),
        })
    }

    /// Waits `patience` for the child to end by itself, then kills it and its group, and says what its end means; `None` if it
    /// was killed here or ended well.
    async fn bury(mut self, patience: Duration) -> Option<WorkerError> {
        let by_itself = timeout(patience, &mut self.exit).await;
        self.lease.kill_child(self.leader);
        let Ok(Ok(Ok(status))) = by_itself else {
            if timeout(BURIAL, self.lease.child_gone(self.leader)).await.is_err() {
                tracing::error!(job_id = %self.lease.job(), "a killed render worker does not end; the kernel holds it");
            }
            return None;
        };
        // The pipe ends with the group; a process that left the group could keep it open.
        let _ = timeout(Duration::from_millis(500), &mut self.stderr_done).await;
        let tail = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = String::from_utf8_lossy(&tail);
        if !tail.trim().is_empty() {
            tracing::warn!(job_id = %self.lease.job(), stderr = tail.trim(), "the render worker's last words");
        }
        match classify_exit(status, &tail) {
            WorkerExit::Exit(0) => None,
            WorkerExit::Exit(code) => Some(WorkerError::Crashed(format!("exit status {code}"))),
            WorkerExit::OutOfMemory => Some(WorkerError::OutOfMemory),
            WorkerExit::CpuLimit => Some(WorkerError::Timeout),
            WorkerExit::OutputLimit => Some(WorkerError::OutputLimit),
            WorkerExit::Crashed { signal: libc::SIGKILL } => Some(WorkerError::Crashed(
                "killed from outside, perhaps because the machine's memory ran out".to_owned(),
            )),
            WorkerExit::Crashed { signal } => Some(WorkerError::Crashed(format!("signal {signal}"))),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Does nothing after the burial.
        self.lease.kill_child(self.leader);
    }
}

fn pid(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("it has no process id"))
}

async fn keep_tail(mut stderr: tokio::process::ChildStderr, kept: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..count]);
        let excess = kept.len().saturating_sub(STDERR_TAIL);
        kept.drain(..excess);
    }
}
