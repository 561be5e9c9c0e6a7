//! A lease that this process holds: the guard of its attempt, its newest progress and its child processes, shared between
//! the attempt and the heartbeat.
//!
//! Promises: whoever finds that the attempt has to stop also kills its children's process groups, at once and on the spot, so
//! that a starved runtime cannot delay it. A group is never signalled after its leader was reaped, when the number could
//! belong to somebody else. No method blocks for longer than a few instructions.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contracts::{
    ids::JobId,
    job::Progress,
    lease::{Beat, BeatVerdict, ClaimedJob},
};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::guard::{Guard, Stop, Terms};

/// A held lease; see the module.
#[derive(Debug)]
pub struct Lease {
    job: JobId,
    fence: i64,
    terms: Terms,
    state: Mutex<State>,
    /// Fires when the attempt has to stop.
    stopped: CancellationToken,
    /// Fires when nothing may be written any more.
    forfeited: CancellationToken,
    /// Fires when the process shuts down, also where that does not stop the attempt.
    leaving: CancellationToken,
    /// The children that run, for whoever waits. Changed under the lock of `state` only.
    running: watch::Sender<Vec<Pid>>,
}

#[derive(Debug)]
struct State {
    guard: Guard,
    progress: Option<Progress>,
    children: Vec<Pid>,
    /// Whether a heartbeat was answered since the claim.
    confirmed: bool,
}

impl Lease {
    /// Of a job whose claim was answered at `now`.
    #[must_use]
    pub fn new(job: &ClaimedJob, now: Instant) -> Self {
        let terms = Terms::of(job);
        Self {
            job: job.job_id,
            fence: job.fence,
            terms,
            state: Mutex::new(State {
                guard: Guard::new(terms, now),
                progress: None,
                children: Vec::new(),
                confirmed: false,
            }),
            stopped: CancellationToken::new(),
            forfeited: CancellationToken::new(),
            leaving: CancellationToken::new(),
            running: watch::Sender::new(Vec::new()),
        }
    }

    /// The job, and the lease's name.
    #[must_use]
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Sent with every write.
    #[must_use]
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// The attempt's limits.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// Why the attempt has to stop, if it has to.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.state().guard.stop()
    }

    /// Waits until the attempt has to stop, and says why.
    pub async fn stopped(&self) -> Stop {
        self.stopped.cancelled().await;
        // The token fires only after the guard stopped.
        self.stop().unwrap_or(Stop::Lost)
    }

    /// A token that fires when the attempt has to stop.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stopped.clone()
    }

    /// Waits until nothing may be written any more.
    pub async fn forfeited(&self) {
        self.forfeited.cancelled().await;
    }

    /// Whether a write may begin now.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.state().guard.may_write(Instant::now())
    }

    /// What is left until the deadline.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.state().guard.time_left(Instant::now())
    }

    /// Notes how far the attempt is.
    pub fn progress(&self, progress: Progress) {
        self.change(|state| {
            state.guard.progressed(Instant::now(), &progress);
            state.progress = Some(progress);
        });
    }

    /// Notes that the attempt moves although its progress stays the same.
    pub fn moved(&self) {
        self.change(|state| state.guard.moved(Instant::now()));
    }

    /// The result is about to be published: from here on only a lost lease stops the attempt. Answers whether it may be.
    #[must_use]
    pub fn commit(&self) -> bool {
        self.change(|state| state.guard.commit(Instant::now()))
    }

    /// The lease turned out to be gone.
    pub fn lost(&self) {
        self.change(|state| state.guard.lost());
    }

    /// Waits until the process shuts down. What is being published goes on then, what can be left out is.
    pub async fn leaving(&self) {
        self.leaving.cancelled().await;
    }

    /// The process shuts down.
    pub fn shut_down(&self) {
        self.leaving.cancel();
        self.change(|state| state.guard.shut_down());
    }

    /// Lets time pass; answers when to do so again.
    pub fn tick(&self, now: Instant) -> Option<Instant> {
        self.change(|state| {
            state.guard.tick(now);
            state.guard.next_event()
        })
    }

    /// What the next heartbeat says of it.
    #[must_use]
    pub fn beat(&self) -> Beat {
        Beat { job_id: self.job, fence: self.fence, progress: self.state().progress.clone() }
    }

    /// A heartbeat that was sent at `sent_at` was answered.
    pub fn answered(&self, sent_at: Instant, verdict: BeatVerdict, lease: Duration) {
        self.change(|state| {
            state.confirmed = true;
            state.guard.answered(sent_at, verdict, lease);
        });
    }

    /// Whether a heartbeat was answered since the claim.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.state().confirmed
    }

    /// A child leads a process group of its own under this number. It is killed at once if the attempt has to stop.
    pub fn child_started(&self, leader: Pid) {
        self.change(|state| {
            state.children.push(leader);
            self.running.send_replace(state.children.clone());
            if state.guard.stop().is_some() {
                kill(leader);
            }
        });
    }

    /// Kills a child and everything in its group, if it still runs.
    pub fn kill_child(&self, leader: Pid) {
        self.state().children.iter().filter(|child| **child == leader).for_each(|child| kill(*child));
    }

    /// Kills all children and everything in their groups.
    pub fn kill_children(&self) {
        self.state().children.iter().for_each(|child| kill(*child));
    }

    /// A child's leader has ended but was not reaped: kills what is left of its group and reaps it with `reap`.
    pub fn child_ended<T>(&self, leader: Pid, reap: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        kill(leader);
        state.children.retain(|child| *child != leader);
        // Under the lock: between reaping and forgetting, nobody may signal the number.
        let reaped = reap();
        self.running.send_replace(state.children.clone());
        drop(state);
        reaped
    }

    /// Waits until a child runs no more.
    pub async fn child_gone(&self, leader: Pid) {
        // The sender lives as long as `self`, so that waiting cannot fail.
        let _ = self.running.subscribe().wait_for(|running| !running.contains(&leader)).await;
    }

    /// Waits until no child runs.
    pub async fn childless(&self) {
        let _ = self.running.subscribe().wait_for(Vec::is_empty).await;
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = state.guard.stop();
        let answer = change(&mut state);
        let after = state.guard.stop();
        if before != after
            && let Some(stop) = after
        {
            state.children.iter().for_each(|child| kill(*child));
            drop(state);
            if stop.is_forfeit() {
                self.forfeited.cancel();
            }
            self.stopped.cancel();
        }
        answer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock; and if it did, the numbers in it would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An untrusted child gets no chance to tidy up: it has nothing to tidy, and its directory is removed anyway.
fn kill(leader: Pid) {
    // The only failure is that the group is gone, which is what is wanted.
    let _ = kill_process_group(leader, Signal::KILL);
}
