//! The worker's side of a session: takes the order, renders, says how far it is, answers with the result.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::RenderError;
use crate::protocol::{FromWorker, Progress, ProtocolError, Stage, Task, ToWorker, read_message};
use crate::remote::{Client, RemoteSource};
use crate::render::Studio;
use crate::replay::Theatre;
use crate::report::{Outcome, ReplayOutcome, Report, SandboxReport};
use crate::source::ByteSource;
use crate::survey::survey;
use crate::title::Fonts;

/// Shortest time between two progress messages of one stage.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Runs one session over `socket`, working in `job_dir`, with `fonts` for names over the picture. `sandbox` is passed on in the report. `on_lost` is called
/// from another thread when the parent goes away or breaks the protocol before the end; a program ends itself then.
///
/// # Errors
/// When the order does not arrive or the result cannot be sent. A failed render is not an error here: the parent was
/// told.
pub fn run(
    socket: UnixStream,
    job_dir: &Path,
    sandbox: SandboxReport,
    fonts: &Arc<Fonts>,
    on_lost: impl FnOnce() + Send + 'static,
) -> Result<(), ProtocolError> {
    let mut reader = socket.try_clone()?;
    let client = Client::new(socket);
    let (order, task) = match read_message::<ToWorker>(&mut reader)? {
        (ToWorker::Order { order, task }, _) => (*order, task),
        _ => {
            let reason = "the first message must be an order".to_owned();
            return client.send(&FromWorker::Failed { error: RenderError::Protocol { reason } });
        }
    };
    let listener = Arc::clone(&client);
    let finished = Arc::new(AtomicBool::new(false));
    let ended_well = Arc::clone(&finished);
    std::thread::Builder::new().name("listen".to_owned()).spawn(move || {
        listener.listen(reader);
        // A parent that closes the connection after the last message has lost nothing.
        if !ended_well.load(Ordering::SeqCst) {
            on_lost();
        }
    })?;
    let sources: Vec<Arc<dyn ByteSource>> = order
        .sources
        .iter()
        .enumerate()
        .map(|(index, info)| {
            let source: Arc<dyn ByteSource> =
                Arc::new(RemoteSource::new(Arc::clone(&client), index as u32, info.bytes));
            source
        })
        .collect();
    let throttle = Throttle::default();
    let on_progress = |progress: Progress| {
        if throttle.lets_pass(progress) {
            // A parent that is gone is noticed by the listener.
            let _ = client.send(&FromWorker::Progress(progress));
        }
    };
    let studio = || Studio::open(&order, &sources, job_dir, fonts, &on_progress);
    let make = || {
        Ok(match task {
            Task::Survey { most_keyframes } => {
                Outcome::Source(Box::new(survey(&order, &sources, most_keyframes)?))
            }
            Task::Plan => Outcome::Plan(Box::new(studio()?.plan_only()?)),
            Task::Parts { plan, segments, sounds } => {
                Outcome::Parts(studio()?.parts(&plan, &segments, &sounds)?)
            }
            Task::PlanReplay(replay) => Outcome::Plan(Box::new(
                Theatre::open(&order, &replay, &sources, fonts, &on_progress)?.plan()?,
            )),
            Task::Replay { replay, plan } => {
                let theatre = Theatre::open(&order, &replay, &sources, fonts, &on_progress)?;
                let made = theatre.make(*plan, job_dir, &on_progress)?;
                Outcome::Replay(Box::new(ReplayOutcome { report: Report { sandbox, ..made.report }, ..made }))
            }
            Task::Montage { plan, keep_pieces } => {
                let report = studio()?.montage(plan.map(|plan| *plan), keep_pieces)?;
                Outcome::Montage(Box::new(Report { sandbox, ..report }))
            }
        })
    };
    let done: Result<Outcome, RenderError> = make();
    let answer = match done {
        Ok(outcome) => FromWorker::Done { outcome },
        Err(error) => FromWorker::Failed { error },
    };
    finished.store(true, Ordering::SeqCst);
    client.send(&answer)
}

/// Lets through the first and last message of each stage, and few in between.
#[derive(Default)]
struct Throttle(Mutex<Option<(Stage, Instant)>>);

impl Throttle {
    fn lets_pass(&self, progress: Progress) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let soon =
            last.is_some_and(|(stage, at)| stage == progress.stage && at.elapsed() < PROGRESS_INTERVAL);
        let finished = progress.frames_done == progress.frames_total;
        if soon && !finished {
            return false;
        }
        *last = Some((progress.stage, Instant::now()));
        true
    }
}
