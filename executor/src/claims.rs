//! The claim loops: they take work whenever there is a free slot, and give it back when the process stops.
//!
//! Promises: with a free slot it asks at once after a hint, after each finished job, and after a random time of some seconds
//! whatever happens to the broker; without Kafka it waits at the jobs repository instead. A gateway that is away is asked again
//! with growing pauses. When stopping it claims nothing more, gives leases back, and returns within a bounded time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use contracts::{job::JobKind, lease::ClaimRequest};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    api::jittered,
    attempt::{self, Workshop},
    config::Hints,
    lease::Lease,
};

/// The pause after the first claim that failed.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between claims that fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A long-poll that found nothing sooner than this was not one; it is not repeated faster.
const SHORTEST_POLL: Duration = Duration::from_secs(1);
/// When stopping, the answer to a claim that is under way is waited for this long, so that its lease is given back.
const LAST_CLAIM: Duration = Duration::from_secs(1);

/// What takes its time.
const WORK: &[JobKind] = &[JobKind::Montage, JobKind::Transcript, JobKind::Segment, JobKind::Replay];
/// What somebody waits for.
const ANSWERS: &[JobKind] = &[JobKind::Plan, JobKind::Probe];

/// What the loops and their health share.
#[derive(Debug, Default)]
pub struct Contact(AtomicBool);

impl Contact {
    /// Whether the gateway answered the last time that it was asked.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What wakes the loops. Each bell holds one ring until its loop hears it.
#[derive(Debug, Default)]
pub struct Bells {
    work: Notify,
    answers: Notify,
}

impl Bells {
    /// There may be work of any kind.
    pub fn ring(&self) {
        self.work.notify_one();
        self.answers.notify_one();
    }
}

/// Claims and runs jobs until `shutdown`, then winds up. Plans and probes have slots of their own: somebody waits for them, and they are made
/// in seconds however long the other work takes.
pub async fn run(shop: Arc<Workshop>, bells: Arc<Bells>, contact: Arc<Contact>, shutdown: CancellationToken) {
    let attempts = TaskTracker::new();
    let line = |kinds, bell| Claimer { shop: &shop, kinds, bell, contact: &contact, shutdown: &shutdown };
    let (work, answers) = (line(WORK, &bells.work), line(ANSWERS, &bells.answers));
    tokio::join!(
        work.claim_all(shop.config.slots, &attempts),
        answers.claim_all(shop.config.plan_slots, &attempts)
    );
    attempts.close();
    for lease in shop.leases.all() {
        lease.shut_down();
    }
    if timeout(shop.config.pace.grace, attempts.wait()).await.is_err() {
        tracing::warn!(
            attempts = attempts.len(),
            "not everything could be given back in time; those leases run out by themselves"
        );
        for lease in shop.leases.all() {
            lease.kill_children();
        }
    }
}

enum Claimed {
    Job,
    Nothing,
    Failed,
}

struct Claimer<'a> {
    shop: &'a Arc<Workshop>,
    kinds: &'a [JobKind],
    bell: &'a Notify,
    contact: &'a Contact,
    shutdown: &'a CancellationToken,
}

impl Claimer<'_> {
    /// Claims with so many slots until the shutdown; without any, nothing.
    async fn claim_all(&self, slots: usize, attempts: &TaskTracker) {
        if slots == 0 {
            return;
        }
        let slots = Arc::new(Semaphore::new(slots));
        let mut pause = FIRST_PAUSE;
        loop {
            let permit = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                permit = Arc::clone(&slots).acquire_owned() => permit,
            };
            let Ok(permit) = permit else { return };
            match self.claim(permit, attempts).await {
                Claimed::Job => pause = FIRST_PAUSE,
                Claimed::Nothing => {
                    pause = FIRST_PAUSE;
                    self.wait_for_work().await;
                }
                Claimed::Failed => {
                    tokio::select! {
                        () = self.shutdown.cancelled() => return,
                        () = sleep(jittered(pause)) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn claim(&self, permit: OwnedSemaphorePermit, attempts: &TaskTracker) -> Claimed {
        let wait_seconds = match self.shop.config.hints {
            Hints::Kafka(_) => 0,
            Hints::LongPoll => self.shop.config.pace.long_poll_seconds,
        };
        let request = ClaimRequest {
            executor_id: self.shop.gateway.executor(),
            executor_name: self.shop.config.name.clone(),
            kinds: self.kinds.to_vec(),
            wait_seconds,
            parent: None,
        };
        let asked_at = Instant::now();
        let mut claim = std::pin::pin!(self.shop.gateway.claim(&request));
        let answer = tokio::select! {
            answer = &mut claim => answer,
            () = self.shutdown.cancelled() => match timeout(LAST_CLAIM, claim).await {
                Ok(answer) => answer,
                Err(_) => return Claimed::Nothing,
            },
        };
        match answer {
            Ok(Some(job)) => {
                self.contact.0.store(true, Ordering::Relaxed);
                let lease = Arc::new(Lease::new(&job, Instant::now()));
                self.shop.leases.add(Arc::clone(&lease));
                if self.shutdown.is_cancelled() {
                    lease.shut_down();
                }
                let span = tracing::info_span!("attempt", job_id = %job.job_id, attempt = job.attempt, fence = job.fence);
                let work = attempt::run(Arc::clone(self.shop), job, lease).instrument(span);
                attempts.spawn(async move {
                    work.await;
                    // The slot is free: the loop asks at once.
                    drop(permit);
                });
                Claimed::Job
            }
            Ok(None) => {
                self.contact.0.store(true, Ordering::Relaxed);
                if wait_seconds > 0 && asked_at.elapsed() < SHORTEST_POLL {
                    sleep(SHORTEST_POLL).await;
                }
                Claimed::Nothing
            }
            Err(error) => {
                if self.contact.0.swap(false, Ordering::Relaxed) {
                    tracing::warn!(%error, "the gateway gives no work; asking again until it does");
                } else {
                    tracing::debug!(%error, "the gateway gives no work");
                }
                Claimed::Failed
            }
        }
    }

    /// There was no work: waits for a reason to ask again.
    async fn wait_for_work(&self) {
        if matches!(self.shop.config.hints, Hints::LongPoll) {
            return;
        }
        let (least, most) = self.shop.config.pace.slow_poll;
        let slow = least + most.saturating_sub(least).mul_f64(rand::random());
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = self.bell.notified() => {}
            () = sleep(slow) => {}
        }
    }
}
