//! Parts: segments of a montage that other executors make while one leads.
//!
//! The leader posts what is missing and worth it, makes parts itself like everybody else, several at once, and fetches what
//! others have made. Whatever nobody made, or could not be fetched, is made when the montage is put together.
//!
//! Promises: sharing costs time at most, never the montage; a part that somebody else holds is waited for as long as its lease
//! lives, and no longer; leases on parts are given back when the attempt that leads them ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use contracts::{
    ids::JobId,
    job::{JobKind, JobState},
    lease::{ClaimRequest, FailReason, FailRequest},
    part::{LARGEST_SHARED_PLAN_BYTES, MOST_PARTS, NewPart, PartState},
    spec::{JobSpec, SegmentSpec},
};
use cutter::{
    plan::{PLAN_VERSION, Plan, SegmentKind},
    protocol::{Progress, Stage, Task},
    report::Outcome,
};
use serde::Serialize;
use tokio::{
    task::spawn_blocking,
    time::{interval, sleep, timeout},
};

use crate::{
    api::{self, ApiError, jittered},
    attempt::{Attempt, Workshop, tell},
    config::Config,
    failure::{Failed, machine},
    lease::Lease,
    montage::Work,
    pieces::pieces_in,
    plan,
};

/// From so many missing encoded frames on, a montage is shared.
const WORTH_SHARING: u64 = 600;
/// Most parts that are posted of one montage.
const MOST_SHARED: usize = 2000;
/// Most parts that the leader makes at once.
const MOST_AT_ONCE: usize = 16;
/// Most leases of one process: what a heartbeat holds, with room for those that come and go.
const MOST_LEASES: usize = 96;
/// How often the leader looks what others have made, when there is nothing left for itself.
const LOOK: Duration = Duration::from_secs(1);
/// So often parts that wait are asked for in vain before they are made without their leases.
const MOST_VAIN: u32 = 5;
/// How long the leases on parts may take to be given back.
const GIVING_BACK: Duration = Duration::from_secs(3);

/// What is said of a part that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartMade {
    /// How many segments were made.
    pub made: u32,
    /// Who made them.
    pub executor: String,
}

/// Leases on parts that the leader of their montage holds itself.
#[derive(Debug, Default)]
pub struct Led(Mutex<Vec<Arc<Lease>>>);

impl Led {
    fn held(&self) -> MutexGuard<'_, Vec<Arc<Lease>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, shop: &Workshop, lease: &Arc<Lease>) {
        shop.leases.add(Arc::clone(lease));
        self.held().push(Arc::clone(lease));
    }

    fn end(&self, shop: &Workshop, lease: &Arc<Lease>) {
        shop.leases.remove(lease);
        self.held().retain(|held| !Arc::ptr_eq(held, lease));
    }

    /// Gives back what is left, within a bounded time.
    pub async fn give_back(&self, shop: &Workshop) {
        let held = std::mem::take(&mut *self.held());
        let giving = held.iter().filter(|lease| lease.may_write()).map(|lease| {
            let (job, fence) = (lease.job(), lease.fence());
            tell(lease, shop.gateway.release(job, fence))
        });
        // What is not taken runs out by itself.
        if timeout(GIVING_BACK, futures::future::join_all(giving)).await.is_err() {
            tracing::info!(parts = held.len(), "parts were not given back in time; their leases run out");
        }
        for lease in &held {
            shop.leases.remove(lease);
        }
    }
}

/// Makes a part of somebody else's montage and keeps it in the library.
///
/// # Errors
/// Why it is not there.
pub async fn make(
    attempt: &Attempt<'_>,
    part: &SegmentSpec,
    dir: &std::path::Path,
) -> Result<PartMade, Failed> {
    let plan: Plan = serde_json::from_value(part.plan.clone()).map_err(|_| unlike())?;
    if plan.version != PLAN_VERSION {
        return Err(unlike());
    }
    let keys: Option<Vec<String>> =
        part.segments.iter().map(|index| Some(plan.segments.get(*index as usize)?.key.clone())).collect();
    let keys = keys.ok_or_else(|| Failed::permanent("worker_protocol", "The plan has no such segment."))?;
    attempt.exchange.learn(&plan);
    if !keys.iter().all(|key| attempt.exchange.is_shared(key)) {
        return Err(Failed::permanent(
            "worker_protocol",
            "The plan's sources have no names to share pieces by.",
        ));
    }
    let known = attempt.exchange.known(attempt, &keys).await?;
    let missing = part.segments.iter().zip(&keys).filter(|(_, key)| !known.contains(*key));
    let segments: Vec<u32> = missing.map(|(index, _)| *index).collect();
    let executor = attempt.shop.config.name.clone();
    let made = u32::try_from(segments.len()).unwrap_or(u32::MAX);
    if segments.is_empty() {
        return Ok(PartMade { made, executor });
    }
    let sources = plan::open(attempt, &part.montage).await?;
    let clips = sources.clips(&part.montage);
    let work = Work { spec: &part.montage, clips: &clips, sources: &sources, dir };
    let order = work.order(attempt)?;
    if order.sources != plan.sources || order.clips.len() != plan.clips.len() {
        return Err(Failed::transient(
            "source_changed",
            "A source is not the one here that it was for the executor that leads the montage.",
        ));
    }
    let task = Task::Parts { plan: Box::new(plan), segments, sounds: Vec::new() };
    let Outcome::Parts(_) = work.run(attempt, task, |said| attempt.reporter.render(&said)).await? else {
        return Err(Failed::transient("worker_protocol", "The render worker made no parts."));
    };
    // Sending bounds its own time, by the size.
    let storing = attempt.exchange.store(attempt.shop, attempt.lease, dir);
    attempt.reporter.while_it_lasts(storing).await?;
    if !keys.iter().all(|key| attempt.exchange.is_kept(key)) {
        return Err(Failed::transient("worker_protocol", "The render worker did not make all segments."));
    }
    Ok(PartMade { made, executor })
}

fn unlike() -> Failed {
    Failed::transient(
        "unlike_versions",
        "The plan was made by another version of the executor. Let all of them run the same one.",
    )
}

/// Lets others make what is missing of a montage, if that is worth it, and makes parts of it until all are made.
///
/// # Errors
/// Why the montage cannot be made here. That others cannot help is no error.
pub async fn share(attempt: &Attempt<'_>, work: &Work<'_>, plan: &Plan) -> Result<(), Failed> {
    let dir = work.dir.to_owned();
    let there = spawn_blocking(move || pieces_in(&dir)).await;
    let there = there.map_err(|error| machine("Looking for pieces", &std::io::Error::other(error)))?;
    let missing = missing(plan, &there, |key| attempt.exchange.is_shared(key));
    let frames: u64 = missing.values().map(|(_, frames)| frames).sum();
    let at_once = at_once(&attempt.shop.config);
    if frames < WORTH_SHARING || missing.len() < 2 || at_once == 0 {
        return Ok(());
    }
    let missing = missing.into_iter().take(MOST_SHARED).map(|(key, (index, _))| (key.to_owned(), index));
    let lead = Lead { attempt, work, plan, parts: missing.collect(), at_once };
    if !lead.post().await? {
        return Ok(());
    }
    let outcome = lead.make_all(there).await;
    attempt.led.give_back(attempt.shop).await;
    outcome
}

/// The encoded segments of a plan that are not there: of each key the index and the frames.
fn missing<'a>(
    plan: &'a Plan,
    there: &BTreeSet<String>,
    is_shared: impl Fn(&str) -> bool,
) -> BTreeMap<&'a str, (u32, u64)> {
    let encoded = plan.segments.iter().filter(|segment| segment.kind != SegmentKind::Copy);
    let wanted = encoded.filter(|segment| !there.contains(&segment.key) && is_shared(&segment.key));
    wanted.map(|segment| (segment.key.as_str(), (segment.index, segment.frames))).collect()
}

/// How many parts the leader makes at once: one for each thread, as far as heartbeats hold their leases.
fn at_once(config: &Config) -> usize {
    let left = MOST_LEASES.saturating_sub(config.slots + config.plan_slots) / config.slots.max(1);
    (config.render.threads as usize).min(MOST_AT_ONCE).min(left)
}

/// The executor that leads a montage.
struct Lead<'a> {
    attempt: &'a Attempt<'a>,
    work: &'a Work<'a>,
    plan: &'a Plan,
    /// Which segment each key names.
    parts: BTreeMap<String, u32>,
    at_once: usize,
}

impl Lead<'_> {
    fn job(&self) -> (JobId, i64) {
        (self.attempt.lease.job(), self.attempt.lease.fence())
    }

    /// Posts the parts; answers whether others can make some.
    async fn post(&self) -> Result<bool, Failed> {
        let (job, fence) = self.job();
        let plan = serde_json::to_value(self.plan)
            .map_err(|error| machine("Writing the plan", &std::io::Error::other(error)))?;
        if plan.to_string().len() > LARGEST_SHARED_PLAN_BYTES {
            tracing::info!("the plan is too large to be shared");
            return Ok(false);
        }
        let parts: Vec<NewPart> = self
            .parts
            .iter()
            .map(|(key, index)| NewPart { key: key.clone(), segments: vec![*index] })
            .collect();
        for parts in parts.chunks(MOST_PARTS) {
            if self
                .said(self.attempt.shop.gateway.parts(job, fence, plan.clone(), parts.to_vec()).await)?
                .is_none()
            {
                return Ok(false);
            }
        }
        tracing::info!(parts = self.parts.len(), "parts of the montage were posted");
        Ok(true)
    }

    /// What a call answered that the montage does not depend on.
    fn said<T>(&self, answer: Result<T, ApiError>) -> Result<Option<T>, Failed> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(ApiError::Stale) => self.attempt.heed(Err(ApiError::Stale)),
            Err(error) => {
                tracing::info!(%error, "the montage is not shared any further");
                Ok(None)
            }
        }
    }

    /// Until all parts are made or given up.
    async fn make_all(&self, mut there: BTreeSet<String>) -> Result<(), Failed> {
        let mut given_up = BTreeSet::new();
        let (mut rest_is_made, mut vain) = (false, 0);
        loop {
            let claimed = self.claim().await?;
            if !claimed.is_empty() {
                vain = 0;
                self.make(&claimed, &mut there).await?;
            }
            let (job, fence) = self.job();
            let known = self.parts.keys().cloned().collect();
            let states = self.attempt.shop.gateway.part_states(job, fence, known).await;
            let Some(states) = self.said(states)? else { return Ok(()) };
            self.collect(&states, &mut there, &mut given_up).await?;
            if !claimed.is_empty() {
                continue;
            }
            let is_open = |state: JobState| {
                let mut own = states.iter().filter(|part| self.parts.contains_key(&part.key));
                own.any(|part| part.state == state && !there.contains(&part.key))
            };
            // What failed once elsewhere is not waited for until it is tried again.
            match (is_open(JobState::Running), is_open(JobState::Queued)) {
                (false, false) => return Ok(()),
                (false, true) => vain += 1,
                (true, _) => vain = 0,
            }
            if vain > MOST_VAIN {
                return Ok(());
            }
            if rest_is_made {
                self.attempt.reporter.while_it_lasts(sleep(jittered(LOOK))).await;
            } else {
                rest_is_made = true;
                self.make_rest(&mut there).await?;
            }
        }
    }

    /// Claims as many parts as are made at once.
    async fn claim(&self) -> Result<Vec<(Arc<Lease>, u32)>, Failed> {
        let shop = self.attempt.shop;
        let request = ClaimRequest {
            executor_id: shop.gateway.executor(),
            executor_name: shop.config.name.clone(),
            kinds: vec![JobKind::Segment],
            wait_seconds: 0,
            parent: Some(self.attempt.lease.job()),
        };
        let mut claimed = Vec::new();
        while claimed.len() < self.at_once {
            let job = match shop.gateway.claim(&request).await {
                Ok(Some(job)) => job,
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(%error, "no part was claimed");
                    break;
                }
            };
            let lease = Arc::new(Lease::new(&job, Instant::now()));
            self.attempt.led.begin(shop, &lease);
            match self.own(&job.spec) {
                Some(index) => claimed.push((lease, index)),
                None => self.refuse(&lease).await,
            }
        }
        Ok(claimed)
    }

    /// Which segment of this very plan a part is.
    fn own(&self, spec: &JobSpec) -> Option<u32> {
        let JobSpec::Part { part } = spec else { return None };
        let [index] = part.segments.as_slice() else { return None };
        let same = serde_json::from_value::<Plan>(part.plan.clone()).is_ok_and(|plan| plan == *self.plan);
        (same && self.parts.values().any(|own| own == index)).then_some(*index)
    }

    /// A part of a plan that an earlier attempt made.
    async fn refuse(&self, lease: &Arc<Lease>) {
        let request = FailRequest {
            executor_id: self.attempt.shop.gateway.executor(),
            fence: lease.fence(),
            reason: FailReason::Permanent,
            failure: Failed::permanent("superseded", "The montage is made by another plan meanwhile.")
                .failure,
            retry_after_milliseconds: None,
        };
        self.finish(lease, self.attempt.shop.gateway.fail(lease.job(), &request)).await;
    }

    async fn finish(&self, lease: &Arc<Lease>, call: impl Future<Output = Result<(), ApiError>>) {
        if lease.may_write()
            && let Err(error) = tell(lease, call).await
        {
            tracing::info!(%error, "the end of a part was not taken; its lease runs out by itself");
        }
        self.attempt.led.end(self.attempt.shop, lease);
    }

    /// Makes parts that are held here, in one session.
    async fn make(&self, claimed: &[(Arc<Lease>, u32)], there: &mut BTreeSet<String>) -> Result<(), Failed> {
        let segments = claimed.iter().map(|(_, index)| *index).collect();
        let leases: Vec<&Arc<Lease>> = claimed.iter().map(|(lease, _)| lease).collect();
        moving(&leases, self.run(segments, Vec::new(), there)).await?;
        for (lease, index) in claimed {
            let made = PartMade { made: 1, executor: self.attempt.shop.config.name.clone() };
            let result = serde_json::to_value(&made)
                .map_err(|error| machine("Writing the result", &std::io::Error::other(error)))?;
            let complete =
                self.attempt.shop.gateway.complete(lease.job(), lease.fence(), api::Outcome::Result(result));
            self.finish(lease, complete).await;
            there.extend(self.plan.segments.get(*index as usize).map(|segment| segment.key.clone()));
        }
        Ok(())
    }

    /// Makes what is not shared, while others make parts.
    async fn make_rest(&self, there: &mut BTreeSet<String>) -> Result<(), Failed> {
        let others = self.plan.segments.iter().filter(|segment| !self.parts.contains_key(&segment.key));
        let segments: Vec<u32> = others.map(|segment| segment.index).collect();
        let sounds = self.plan.clips.iter().map(|clip| clip.index).collect();
        self.run(segments.clone(), sounds, there).await?;
        let keys = segments.iter().filter_map(|index| self.plan.segments.get(*index as usize));
        there.extend(keys.map(|segment| segment.key.clone()));
        Ok(())
    }

    async fn run(
        &self,
        segments: Vec<u32>,
        sounds: Vec<u32>,
        there: &BTreeSet<String>,
    ) -> Result<(), Failed> {
        let whole = self.plan.segments.iter().filter(|segment| there.contains(&segment.key));
        let before: u64 = whole.map(|segment| segment.frames).sum();
        let said = |said: Progress| {
            if said.stage == Stage::Encoding {
                let frames_done = before.saturating_add(said.frames_done).min(self.plan.frames);
                self.attempt.reporter.render(&Progress {
                    frames_done,
                    frames_total: self.plan.frames,
                    ..said
                });
            }
        };
        let task = Task::Parts { plan: Box::new(self.plan.clone()), segments, sounds };
        match self.work.run(self.attempt, task, said).await? {
            Outcome::Parts(_) => Ok(()),
            _ => Err(Failed::transient("worker_protocol", "The render worker made no parts.")),
        }
    }

    /// Fetches what others have made since.
    async fn collect(
        &self,
        states: &[PartState],
        there: &mut BTreeSet<String>,
        given_up: &mut BTreeSet<String>,
    ) -> Result<(), Failed> {
        let fresh = states.iter().filter(|part| {
            part.state == JobState::Succeeded
                && self.parts.contains_key(&part.key)
                && !there.contains(&part.key)
                && !given_up.contains(&part.key)
        });
        let fresh: BTreeMap<String, String> =
            fresh.map(|part| (part.key.clone(), part.executor.clone().unwrap_or_default())).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let came = self.attempt.exchange.take(self.attempt, &fresh, self.work.dir).await?;
        given_up.extend(fresh.into_keys().filter(|key| !came.contains(key)));
        there.extend(came);
        Ok(())
    }
}

/// Keeps leases from looking stalled during something that their leader's lease bounds.
async fn moving<T>(leases: &[&Arc<Lease>], work: impl Future<Output = T>) -> T {
    let mut tick = interval(Duration::from_secs(1));
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => leases.iter().for_each(|lease| lease.moved()),
        }
    }
}
