//! One attempt, from its claim to its report.
//!
//! Promises: the work ends when the lease says so; then its child is gone and its directory removed before anything is
//! reported; a report is only made while the lease may be written under. Every end is one of: complete, fail, release, or
//! silence (the lease is somebody else's).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use contracts::{
    job::Stage,
    lease::{ClaimedJob, FailReason, FailRequest},
    spec::JobSpec,
};
use tokio::{
    task::spawn_blocking,
    time::{interval, sleep, timeout},
};

use crate::{
    api::{ApiError, Gateway, Outcome},
    config::Config,
    failure::{Failed, machine},
    guard::Stop,
    heartbeat::Leases,
    lease::Lease,
    montage, order,
    parts::{self, Led},
    pieces::Exchange,
    plan, probe,
    progress::Tracker,
    replay,
    sources::Door,
    speech::Engines,
    transcript,
    workdir::{JobDir, WorkDir},
};

/// How long a killed child is waited for before its directory is removed all the same.
const BURIAL: Duration = Duration::from_secs(10);
/// How long finished pieces may take to be kept when an attempt failed: the next one finds them.
const LAST_PIECES: Duration = Duration::from_secs(10);

/// What every attempt needs.
#[derive(Debug)]
pub struct Workshop {
    /// The settings.
    pub config: Config,
    /// The gateway.
    pub gateway: Gateway,
    /// Opens sources and sends results.
    pub door: Door,
    /// Speech to cues.
    pub engines: Engines,
    /// Where jobs are made.
    pub work_dir: WorkDir,
    /// What the heartbeat keeps.
    pub leases: Arc<Leases>,
}

/// One attempt at work.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// What it needs.
    pub shop: &'a Workshop,
    /// What was claimed.
    pub job: &'a ClaimedJob,
    /// Under which it works.
    pub lease: &'a Arc<Lease>,
    /// How far it is.
    pub reporter: Arc<Reporter>,
    /// The pieces that it shares with the library.
    pub exchange: &'a Exchange,
    /// The parts of it that it makes itself, under leases of their own.
    pub led: &'a Led,
}

/// Tells the heartbeat how far an attempt is.
#[derive(Debug)]
pub struct Reporter {
    lease: Arc<Lease>,
    tracker: Mutex<Tracker>,
}

impl Reporter {
    /// For an attempt whose progress `tracker` follows.
    #[must_use]
    pub fn new(lease: Arc<Lease>, tracker: Tracker) -> Self {
        Self { lease, tracker: Mutex::new(tracker) }
    }

    /// A stage is done to a share from 0 to 1.
    pub fn stage(&self, stage: Stage, share: f64) {
        let progress =
            self.tracker.lock().unwrap_or_else(PoisonError::into_inner).stage(stage, share, Instant::now());
        self.lease.progress(progress);
    }

    /// The length of what is made is known now, in seconds.
    pub fn lasts(&self, seconds: f64) {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner).lasts(seconds);
    }

    /// What the render worker says.
    pub fn render(&self, said: &cutter::protocol::Progress) {
        let progress =
            self.tracker.lock().unwrap_or_else(PoisonError::into_inner).render(said, Instant::now());
        self.lease.progress(progress);
    }

    /// Keeps an attempt from looking stalled during something that bounds its own time.
    pub async fn while_it_lasts<T>(&self, work: impl Future<Output = T>) -> T {
        let mut tick = interval(Duration::from_secs(1));
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = tick.tick() => self.lease.moved(),
            }
        }
    }
}

/// Makes one attempt and reports how it ended.
pub async fn run(shop: Arc<Workshop>, job: ClaimedJob, lease: Arc<Lease>) {
    let started = Instant::now();
    tracing::info!(kind = job.kind.as_str(), title = job.title, "an attempt begins");
    let outcome = make(&shop, &job, &lease).await;
    let name = report(&shop.gateway, &lease, outcome).await;
    shop.leases.remove(&lease);
    metrics::counter!("executor_attempts_total", "kind" => job.kind.as_str(), "outcome" => name).increment(1);
    metrics::histogram!("executor_attempt_seconds", "kind" => job.kind.as_str())
        .record(started.elapsed().as_secs_f64());
}

async fn make(shop: &Arc<Workshop>, job: &ClaimedJob, lease: &Arc<Lease>) -> Result<Outcome, Failed> {
    let owner = Arc::clone(shop);
    let dir = spawn_blocking(move || owner.work_dir.job())
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| machine("Making the job's directory", &error))?;
    let (exchange, led) = (Exchange::default(), Led::default());
    let outcome = tokio::select! {
        biased;
        // What was under way is dropped, which kills a child and cuts connections. The reason is taken from the lease.
        _ = lease.stopped() => Err(Failed::transient("stopped", "The attempt was stopped.")),
        outcome = work((shop, job, lease), &dir, &exchange, &led) => outcome,
    };
    lease.kill_children();
    if timeout(BURIAL, lease.childless()).await.is_err() {
        tracing::error!("a killed render worker does not end; the kernel holds it");
    }
    led.give_back(shop).await;
    if let Err(failed) = &outcome
        && let Some(patience) = patience(lease.stop(), failed.reason, shop.config.pace.grace)
    {
        tokio::select! {
            biased;
            () = lease.forfeited() => {}
            () = sleep(patience) => {}
            () = exchange.store_or_say(shop, lease, dir.path()) => {}
        }
    }
    if spawn_blocking(move || dir.remove()).await.is_err() {
        tracing::error!("the job's directory was not removed");
    }
    outcome
}

/// How long finished pieces may take to be kept after a failure; `None` where they are not, because nobody wants them any more,
/// somebody waits for the end, or nothing may be written.
fn patience(stop: Option<Stop>, reason: FailReason, grace: Duration) -> Option<Duration> {
    match stop {
        None if reason == FailReason::Transient => Some(LAST_PIECES),
        // What else has to be done in that time is short.
        Some(Stop::Shutdown) => Some(grace / 2),
        Some(Stop::Deadline | Stop::Stalled) => Some(grace / 10),
        None | Some(Stop::Cancelled | Stop::Fenced | Stop::Lost) => None,
    }
}

async fn work(
    (shop, job, lease): (&Workshop, &ClaimedJob, &Arc<Lease>),
    dir: &JobDir,
    exchange: &Exchange,
    led: &Led,
) -> Result<Outcome, Failed> {
    let begin = |transcribes, seconds| {
        let tracker = Tracker::new(transcribes, seconds, Instant::now());
        let reporter = Arc::new(Reporter::new(Arc::clone(lease), tracker));
        Attempt { shop, job, lease, reporter, exchange, led }
    };
    match &job.spec {
        JobSpec::Montage(spec) => {
            let attempt = begin(order::transcribes(spec), order::seconds(spec));
            montage::make(&attempt, spec, dir.path()).await.map(Outcome::Montage)
        }
        JobSpec::Transcript(spec) => {
            transcript::make(&begin(true, None), spec, dir.path()).await.map(Outcome::Montage)
        }
        JobSpec::Replay(spec) => {
            replay::make(&begin(false, None), spec, dir.path()).await.map(Outcome::Montage)
        }
        JobSpec::Plan { plan: spec } => {
            let view = plan::make(&begin(false, None), spec, dir.path()).await?;
            result(&view)
        }
        JobSpec::Probe { probe: spec } => {
            let view = probe::make(&begin(false, None), spec, dir.path()).await?;
            result(&view)
        }
        JobSpec::Part { part } => result(&parts::make(&begin(false, None), part, dir.path()).await?),
    }
}

/// What is said with the completion of a job that publishes nothing.
fn result(said: &impl serde::Serialize) -> Result<Outcome, Failed> {
    let said = serde_json::to_value(said);
    said.map(Outcome::Result).map_err(|error| machine("Writing the result", &std::io::Error::other(error)))
}

/// Reports how an attempt ended, if anything may be said; answers the outcome's name for the metrics.
async fn report(gateway: &Gateway, lease: &Arc<Lease>, outcome: Result<Outcome, Failed>) -> &'static str {
    let (job, fence, terms) = (lease.job(), lease.fence(), lease.terms());
    let stop = lease.stop();
    let outcome = match (outcome, stop) {
        (Ok(outcome), _) => Ok(outcome),
        (Err(failed), None) => Err(Some(failed)),
        (Err(_), Some(stop)) => Err(Failed::stopped(stop, terms.deadline, terms.stall)),
    };
    let (name, call) = match outcome {
        _ if !lease.may_write() => {
            tracing::warn!(?stop, "an attempt ends in silence: its lease may be somebody else's");
            return "lost";
        }
        Ok(outcome) => {
            if let Outcome::Montage(montage) = &outcome {
                tracing::info!(montage_id = %montage, "an attempt succeeded");
            }
            ("succeeded", tell(lease, gateway.complete(job, fence, outcome)).await)
        }
        Err(Some(failed)) => {
            tracing::warn!(
                reason = ?failed.reason,
                code = failed.failure.code,
                message = failed.failure.message,
                pointer = failed.failure.pointer,
                "an attempt failed"
            );
            let request = FailRequest {
                executor_id: gateway.executor(),
                fence,
                reason: failed.reason,
                failure: failed.failure,
                retry_after_milliseconds: failed
                    .retry_after
                    .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            };
            ("failed", tell(lease, gateway.fail(job, &request)).await)
        }
        // Only a shutdown leaves nothing to say and a lease to give.
        Err(None) => {
            tracing::info!("an attempt is given back: this executor stops");
            ("released", tell(lease, gateway.release(job, fence)).await)
        }
    };
    match call {
        Ok(()) => name,
        Err(error) => {
            tracing::warn!(%error, "the end of an attempt was not taken; the lease runs out by itself");
            "unreported"
        }
    }
}

/// Makes a call unless, or until, nothing may be written any more.
pub(crate) async fn tell(
    lease: &Lease,
    call: impl Future<Output = Result<(), ApiError>>,
) -> Result<(), ApiError> {
    tokio::select! {
        biased;
        () = lease.forfeited() => Err(ApiError::Stale),
        answer = call => answer,
    }
}

impl Attempt<'_> {
    /// Takes over what a call of the gateway said: a stale fence ends the attempt on the spot.
    ///
    /// # Errors
    /// The call's own, as a failure.
    pub fn heed<T>(&self, answer: Result<T, ApiError>) -> Result<T, Failed> {
        if matches!(answer, Err(ApiError::Stale)) {
            self.lease.lost();
        }
        Ok(answer?)
    }

    /// From here on the result may be public, and only a lost lease stops the attempt.
    ///
    /// # Errors
    /// When the attempt has to stop already.
    pub fn commit(&self) -> Result<(), Failed> {
        if self.lease.commit() {
            Ok(())
        } else {
            let stop = self.lease.stop().unwrap_or(Stop::Lost);
            Err(Failed::transient("stopped", format!("The attempt was stopped ({stop:?}).")))
        }
    }
}
