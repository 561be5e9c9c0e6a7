//! The parent's half of a session, for callers that can block: sends an order, answers reads, returns the result.
//!
//! Reads are answered one after another on the calling thread. The executor, which fetches over a network, has its own
//! loop with [`cutter::protocol`] and answers many at once.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use cutter::error::RenderError;
use cutter::order::Order;
use cutter::protocol::{
    FromWorker, MAX_READ_BYTES, Progress, ProtocolError, Task, ToWorker, read_message, write_message,
};
use cutter::report::{Outcome, Report};
use cutter::source::ByteSource;

/// To make a montage and leave nothing else behind.
pub const MONTAGE: Task = Task::Montage { plan: None, keep_pieces: false };

/// Why a session gave no montage.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The worker said why.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The worker ended without a word or sent nonsense; its exit status may tell more.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The worker did something else than it was asked.
    #[error("something else was made")]
    Other,
}

/// Has a montage made over `socket` of the sources that `order` names, in the same order.
///
/// # Errors
/// The worker's own error, or that of the connection.
pub fn run_session(
    socket: UnixStream,
    order: Order,
    sources: &[Arc<dyn ByteSource>],
    on_progress: impl FnMut(Progress),
) -> Result<Report, SessionError> {
    match run_task(socket, order, MONTAGE, sources, on_progress)? {
        Outcome::Montage(report) => Ok(*report),
        _ => Err(SessionError::Other),
    }
}

/// Runs one session over `socket` with the sources that `order` names, in the same order.
///
/// # Errors
/// The worker's own error, or that of the connection.
pub fn run_task(
    mut socket: UnixStream,
    order: Order,
    task: Task,
    sources: &[Arc<dyn ByteSource>],
    mut on_progress: impl FnMut(Progress),
) -> Result<Outcome, SessionError> {
    write_message(&mut socket, &ToWorker::Order { order: Box::new(order), task }, &[])?;
    loop {
        let (message, _) = read_message::<FromWorker>(&mut socket)?;
        match message {
            FromWorker::ReadAt { id, source, offset, len } => {
                let mut bytes = Vec::new();
                match read(sources, source, offset, len, &mut bytes) {
                    Ok(()) => write_message(&mut socket, &ToWorker::Bytes { id }, &bytes)?,
                    Err(reason) => {
                        let failed = ToWorker::ReadFailed { id, reason, permanent: false };
                        write_message(&mut socket, &failed, &[])?;
                    }
                }
            }
            FromWorker::Progress(progress) => on_progress(progress),
            FromWorker::Done { outcome } => return Ok(outcome),
            FromWorker::Failed { error } => return Err(error.into()),
        }
    }
}

fn read(
    sources: &[Arc<dyn ByteSource>],
    source: u32,
    offset: u64,
    len: u32,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let source = sources.get(source as usize).ok_or("there is no such source")?;
    bytes.resize(len.min(MAX_READ_BYTES) as usize, 0);
    let mut filled = 0;
    while filled < bytes.len() {
        let count = source
            .read_at(offset.saturating_add(filled as u64), &mut bytes[filled..])
            .map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        filled += count;
    }
    bytes.truncate(filled);
    Ok(())
}
