//! The heartbeat: keeps all leases of this process, carries progress out and cancels back, and fences what cannot be kept.
//!
//! It lives on an operating system thread of its own with a runtime of its own, so that neither work nor a blocked runtime can
//! starve it. Between heartbeats it lets time pass for each lease at the very moment at which that changes something, whether
//! or not a heartbeat is under way: an answer that does not come cannot delay the fencing.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use contracts::lease::{BeatVerdict, HeartbeatRequest, HeartbeatResponse};
use tokio::{sync::Notify, time::sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{ApiError, Gateway, jittered},
    guard::Stop,
    lease::Lease,
};

/// The longest wait for the answer to a heartbeat.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);
/// The shortest.
const SHORTEST_ANSWER: Duration = Duration::from_millis(500);
/// The longest pause after a heartbeat that was not answered.
const LONGEST_RETRY: Duration = Duration::from_secs(1);
/// How long to sleep when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// The leases that this process holds.
#[derive(Debug, Default)]
pub struct Leases {
    held: Mutex<Vec<Arc<Lease>>>,
    changed: Notify,
}

impl Leases {
    /// Begins to keep a lease.
    pub fn add(&self, lease: Arc<Lease>) {
        self.lock().push(lease);
        self.changed.notify_one();
    }

    /// Stops to keep a lease.
    pub fn remove(&self, lease: &Arc<Lease>) {
        self.lock().retain(|held| !Arc::ptr_eq(held, lease));
        self.changed.notify_one();
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Lease>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Lease>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread. It ends when `end` is cancelled. The client must not be used by anybody else: connections live on the
/// runtime that made them.
///
/// # Errors
/// When the thread or its runtime cannot be started.
pub fn start(
    gateway: Gateway,
    leases: Arc<Leases>,
    end: CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || runtime.block_on(Heart { gateway, leases }.run(end)))?;
    Ok(thread)
}

struct Heart {
    gateway: Gateway,
    leases: Arc<Leases>,
}

/// A heartbeat under way: what was asked, when, and the answer to come.
struct Beating {
    leases: Vec<Arc<Lease>>,
    sent_at: Instant,
    answer: Pin<Box<dyn Future<Output = Result<HeartbeatResponse, ApiError>> + Send>>,
}

impl Heart {
    async fn run(self, end: CancellationToken) {
        let mut next_beat = Instant::now();
        let mut beating: Option<Beating> = None;
        loop {
            let leases: Vec<Arc<Lease>> = self.leases.all().into_iter().filter(is_kept).collect();
            let now = Instant::now();
            let mut wake = now + IDLE;
            for event in leases.iter().filter_map(|lease| lease.tick(now)) {
                wake = wake.min(event);
            }
            if beating.is_none() && !leases.is_empty() {
                // A new lease is confirmed at once: its claim may have been answered late.
                if leases.iter().any(|lease| !lease.is_confirmed()) {
                    next_beat = next_beat.min(now + retry_pause(&leases));
                }
                if now >= next_beat {
                    beating = Some(self.beat(leases.clone()));
                    next_beat = now + interval(&leases);
                    continue;
                }
                wake = wake.min(next_beat);
            }
            let answered = async {
                match &mut beating {
                    Some(beating) => (&mut beating.answer).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = end.cancelled() => return,
                answer = answered => {
                    if let Some(done) = beating.take() {
                        next_beat = settle(&done, answer, next_beat);
                    }
                }
                () = self.leases.changed.notified() => {
                    if self.leases.all().iter().any(|lease| !lease.is_confirmed()) {
                        next_beat = Instant::now();
                    }
                }
                () = sleep_until(wake.into()) => {}
            }
        }
    }

    fn beat(&self, leases: Vec<Arc<Lease>>) -> Beating {
        let request = HeartbeatRequest {
            executor_id: self.gateway.executor(),
            leases: leases.iter().map(|lease| lease.beat()).collect(),
        };
        let limit = patience(&leases).clamp(SHORTEST_ANSWER, LONGEST_ANSWER);
        let gateway = self.gateway.clone();
        let answer = Box::pin(async move { gateway.heartbeat(&request, limit).await });
        Beating { leases, sent_at: Instant::now(), answer }
    }
}

fn is_kept(lease: &Arc<Lease>) -> bool {
    !lease.stop().is_some_and(Stop::is_forfeit)
}

fn interval(leases: &[Arc<Lease>]) -> Duration {
    leases.iter().map(|lease| lease.terms().heartbeat).min().unwrap_or(IDLE)
}

/// How long an answer is waited for: longer than until the next heartbeat, since a busy database answers late, and short enough
/// for another try before the lease's end.
fn patience(leases: &[Arc<Lease>]) -> Duration {
    leases.iter().map(|lease| lease.terms().lease / 3).min().unwrap_or(LONGEST_ANSWER)
}

fn retry_pause(leases: &[Arc<Lease>]) -> Duration {
    (interval(leases) / 4).min(LONGEST_RETRY)
}

/// Takes over an answer; says when the next heartbeat is due.
fn settle(done: &Beating, answer: Result<HeartbeatResponse, ApiError>, next_beat: Instant) -> Instant {
    let retry = || Instant::now() + jittered(retry_pause(&done.leases));
    match answer {
        Ok(response) => {
            let mut complete = true;
            for (index, lease) in done.leases.iter().enumerate() {
                match response.leases.get(index).filter(|answer| answer.job_id == lease.job()) {
                    Some(answer) => {
                        if answer.verdict != BeatVerdict::Held {
                            tracing::info!(job_id = %lease.job(), verdict = ?answer.verdict, "told by the heartbeat");
                        }
                        let extended = Duration::from_millis(answer.lease_milliseconds);
                        lease.answered(done.sent_at, answer.verdict, extended);
                    }
                    None => complete = false,
                }
            }
            metrics::counter!("executor_heartbeats_total", "outcome" => "answered").increment(1);
            if complete { next_beat } else { retry() }
        }
        Err(error) => {
            metrics::counter!("executor_heartbeats_total", "outcome" => "failed").increment(1);
            tracing::warn!(%error, leases = done.leases.len(), "a heartbeat was not answered");
            retry()
        }
    }
}
