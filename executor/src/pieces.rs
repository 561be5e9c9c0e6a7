//! The pieces of a montage and the library: those that are there already are fetched before the montage is made, those that
//! were made are kept for the next attempt, the next edit and other executors.
//!
//! Promises: a piece that cannot be fetched or kept costs time, never the montage; what is fetched has the size and hash that
//! the library says, and is looked at again by the render worker; nothing is shared that was made from a source whose bytes
//! have no name of their own. Only a lease that has passed to somebody else ends the attempt.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::Write as _,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contracts::{
    object::Grant,
    segment::{SegmentGrant, SegmentWish, StoredSegment},
};
use cutter::plan::{Plan, Segment, SegmentKind, piece_file};
use futures::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    api::ApiError,
    attempt::{Attempt, Workshop},
    failure::{Failed, machine},
    lease::Lease,
    publish::headers,
    workdir::{Finished, measure_file, open_finished},
};

/// Largest piece that is shared, in bytes.
const LARGEST: u64 = 512 << 20;
/// Pieces that travel at the same time.
const AT_ONCE: usize = 4;
/// Pieces for which links are asked for at once: they end after minutes.
const LINKS: usize = 32;
/// Bytes that are read at once.
const STRIDE: usize = 4 << 20;
/// How often finished pieces are looked for while a montage is made.
const EVERY: Duration = Duration::from_secs(10);
/// How long the library may take to say what it has: a montage does not wait for what only makes it faster.
const LOOK_UP: Duration = Duration::from_secs(10);
/// How often a piece is tried to be kept.
const MOST_TRIES: u32 = 3;

/// What an attempt shares with the library.
#[derive(Debug, Default)]
pub struct Exchange {
    state: Mutex<State>,
    /// One after the other, so that no piece is sent twice.
    storing: tokio::sync::Mutex<()>,
}

/// Where a montage's pieces came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Pieces that were there before.
    pub reused: u32,
    /// Pieces that were made for this montage.
    pub made: u32,
    /// Names of the executors that made some.
    pub executors: Vec<String>,
}

#[derive(Debug, Default)]
struct State {
    /// Keys that may be shared.
    shared: BTreeSet<String>,
    /// Keys that the library has.
    kept: BTreeSet<String>,
    /// Keys that it had before this attempt, and whose pieces were fetched.
    reused: BTreeSet<String>,
    /// What others made meanwhile, and who.
    by_others: BTreeMap<String, String>,
    /// How often a piece was not kept.
    failures: BTreeMap<String, u32>,
}

/// A piece that is to be sent.
struct Outgoing {
    key: String,
    file: File,
    finished: Finished,
}

impl Exchange {
    /// Takes over which pieces of a plan may be shared.
    pub fn learn(&self, plan: &Plan) {
        let keys = shared_keys(plan);
        self.state().shared.extend(keys);
    }

    /// Whether a piece may be shared.
    #[must_use]
    pub fn is_shared(&self, key: &str) -> bool {
        self.state().shared.contains(key)
    }

    /// Fetches what the library has of a plan's pieces.
    ///
    /// # Errors
    /// Only when the lease has passed to somebody else.
    pub async fn fetch(&self, attempt: &Attempt<'_>, plan: &Plan, dir: &Path) -> Result<(), Failed> {
        self.learn(plan);
        let keys: Vec<String> = shared_keys(plan).into_iter().collect();
        let got = self.receive_all(attempt, &keys, dir).await?;
        if !got.is_empty() {
            tracing::info!(
                pieces = keys.len(),
                fetched = got.len(),
                "pieces that were made before are used again"
            );
        }
        self.state().reused.extend(got);
        Ok(())
    }

    /// Fetches pieces that others have made for this montage, each with its maker's name; answers the keys of those that came.
    ///
    /// # Errors
    /// As [`Exchange::fetch`].
    pub async fn take(
        &self,
        attempt: &Attempt<'_>,
        made: &BTreeMap<String, String>,
        dir: &Path,
    ) -> Result<BTreeSet<String>, Failed> {
        let keys: Vec<String> = made.keys().cloned().collect();
        let got = self.receive_all(attempt, &keys, dir).await?;
        let by_whom = made.iter().filter(|(key, _)| got.contains(*key));
        self.state().by_others.extend(by_whom.map(|(key, name)| (key.clone(), name.clone())));
        Ok(got)
    }

    /// Which of these pieces the library has, without fetching them.
    ///
    /// # Errors
    /// As [`Exchange::fetch`].
    pub async fn known(&self, attempt: &Attempt<'_>, keys: &[String]) -> Result<BTreeSet<String>, Failed> {
        let found = find(attempt, keys).await?;
        let known: BTreeSet<String> = found.into_iter().flatten().map(|(key, _)| key).collect();
        self.state().kept.extend(known.iter().cloned());
        Ok(known)
    }

    /// Whether the library has a piece.
    #[must_use]
    pub fn is_kept(&self, key: &str) -> bool {
        self.state().kept.contains(key)
    }

    async fn receive_all(
        &self,
        attempt: &Attempt<'_>,
        keys: &[String],
        dir: &Path,
    ) -> Result<BTreeSet<String>, Failed> {
        let mut got = BTreeSet::new();
        for keys in keys.chunks(LINKS) {
            let Some(found) = find(attempt, keys).await? else { break };
            let fetching = stream::iter(found).map(|(key, found)| async move {
                let received = receive(attempt, &found, &key, dir).await;
                (key, received)
            });
            // Each bounds its own time.
            let received =
                attempt.reporter.while_it_lasts(fetching.buffer_unordered(AT_ONCE).collect::<Vec<_>>());
            for (key, received) in received.await {
                match received {
                    Ok(()) => drop(got.insert(key)),
                    Err(reason) => {
                        metrics::counter!("executor_pieces_unfetched_total").increment(1);
                        tracing::info!(key, reason, "a piece of the library cannot be used; it is made");
                    }
                }
            }
        }
        metrics::counter!("executor_pieces_fetched_total").increment(got.len() as u64);
        self.state().kept.extend(got.iter().cloned());
        Ok(got)
    }

    /// Keeps what lies finished in `dir` and is not kept yet.
    ///
    /// # Errors
    /// The last reason why something was not kept; the rest was. What fails again and again is left out.
    pub async fn store(&self, shop: &Workshop, lease: &Lease, dir: &Path) -> Result<(), Failed> {
        let _alone = self.storing.lock().await;
        let mut outcome = Ok(());
        for keys in self.unkept(dir).await.chunks(LINKS) {
            let (kept, failed) = match send_all(shop, lease, keys, dir).await {
                Ok(sent) => sent,
                Err(failed) => (BTreeSet::new(), Some(failed)),
            };
            metrics::counter!("executor_pieces_kept_total").increment(kept.len() as u64);
            let mut state = self.state();
            for key in keys.iter().filter(|key| !kept.contains(*key)) {
                *state.failures.entry(key.clone()).or_default() += 1;
            }
            state.kept.extend(kept);
            if let Some(failed) = failed {
                outcome = Err(failed);
            }
        }
        outcome
    }

    /// Does something that makes pieces, and keeps what is finished meanwhile.
    pub async fn while_making<T>(
        &self,
        attempt: &Attempt<'_>,
        dir: &Path,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let keeping = async {
                sleep(EVERY).await;
                self.store_or_say(attempt.shop, attempt.lease, dir).await;
            };
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = keeping => {}
            }
        }
    }

    /// [`Exchange::store`] where nothing depends on it.
    pub async fn store_or_say(&self, shop: &Workshop, lease: &Lease, dir: &Path) {
        if let Err(failed) = self.store(shop, lease, dir).await {
            tracing::info!(
                code = failed.failure.code,
                message = failed.failure.message,
                "a piece was not kept"
            );
        }
    }

    /// Where the pieces of a finished montage came from; `own` is this executor's name.
    #[must_use]
    pub fn tally(&self, plan: &Plan, own: &str) -> Tally {
        let state = self.state();
        let pieces: BTreeSet<&str> = plan.pieces().into_iter().collect();
        let (reused, made): (Vec<&str>, Vec<&str>) =
            pieces.into_iter().partition(|key| state.reused.contains(*key));
        let makers = made.iter().map(|key| state.by_others.get(*key).map_or(own, String::as_str));
        let executors: BTreeSet<&str> = makers.collect();
        let count = |keys: &[&str]| u32::try_from(keys.len()).unwrap_or(u32::MAX);
        Tally {
            reused: count(&reused),
            made: count(&made),
            executors: executors.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The keys of pieces that lie in `dir` and are to be kept.
    async fn unkept(&self, dir: &Path) -> Vec<String> {
        let dir = dir.to_owned();
        let there = spawn_blocking(move || pieces_in(&dir)).await.unwrap_or_default();
        let state = self.state();
        let tries = |key: &String| state.failures.get(key).copied().unwrap_or_default();
        let wanted =
            |key: &String| state.shared.contains(key) && !state.kept.contains(key) && tries(key) < MOST_TRIES;
        there.into_iter().filter(wanted).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pieces of a plan that may be shared: whatever was made from a source without a name for its very bytes may not. Drawn
/// pictures are named by the hashes of their files, which are read whole.
fn shared_keys(plan: &Plan) -> BTreeSet<String> {
    let has_name = |clip: u32| {
        let clip = plan.clips.get(clip as usize);
        let source = clip.and_then(|clip| plan.sources.get(clip.source as usize));
        plan.encoder.drawn || source.is_some_and(|source| source.identity.is_some())
    };
    let whole = |segment: &&Segment| match segment.kind {
        SegmentKind::Blend => segment.clip.checked_sub(1).is_some_and(has_name) && has_name(segment.clip),
        SegmentKind::Copy | SegmentKind::Encode => has_name(segment.clip),
    };
    let segments = plan.segments.iter().filter(whole).map(|segment| segment.key.clone());
    let clips = plan.clips.iter().filter(|clip| has_name(clip.index));
    let sounds = clips.flat_map(|clip| [&clip.sound_key, &clip.speech_key]).flatten().cloned();
    segments.chain(sounds).collect()
}

/// The keys of the pieces that lie in a directory. Blocks.
#[must_use]
pub fn pieces_in(dir: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return BTreeSet::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let keys = names.filter_map(|name| Some(name.strip_prefix(&piece_file(""))?.to_owned()));
    keys.filter(|key| contracts::segment::is_segment_key(key)).collect()
}

/// Ends the attempt where its lease is gone; anything else is for the caller to say.
fn heed<T>(lease: &Lease, answer: Result<T, ApiError>) -> Result<T, ApiError> {
    if matches!(answer, Err(ApiError::Stale)) {
        lease.lost();
    }
    answer
}

/// Looks pieces up; `None` where the library does not answer in time.
async fn find(attempt: &Attempt<'_>, keys: &[String]) -> Result<Option<Vec<(String, SegmentGrant)>>, Failed> {
    let (job, fence) = (attempt.lease.job(), attempt.lease.fence());
    let asking = timeout(LOOK_UP, attempt.shop.gateway.find_segments(job, fence, keys));
    match attempt.reporter.while_it_lasts(asking).await.map(|answer| heed(attempt.lease, answer)) {
        Ok(Ok(found)) => {
            let found = keys.iter().cloned().zip(found);
            Ok(Some(found.filter_map(|(key, found)| Some((key, found?))).collect()))
        }
        Ok(Err(ApiError::Stale)) => Err(ApiError::Stale.into()),
        Ok(Err(error)) => {
            tracing::info!(%error, "the library was not asked for pieces; they are made");
            Ok(None)
        }
        Err(_) => {
            tracing::info!("the library does not say in time what it has; pieces are made");
            Ok(None)
        }
    }
}

/// Fetches a piece to its place in the job directory, or says why it cannot be used.
async fn receive(attempt: &Attempt<'_>, found: &SegmentGrant, key: &str, dir: &Path) -> Result<(), String> {
    if found.bytes > LARGEST {
        return Err(format!("it has {} bytes", found.bytes));
    }
    // A name that nobody else can have: whatever lies there was put there by a render worker, and is not written into.
    let draft = dir.join(format!("fetched-{}", Uuid::new_v4().simple()));
    let received = match download(attempt, found, draft.clone()).await {
        Ok(()) => std::fs::rename(&draft, dir.join(piece_file(key))).map_err(|error| error.to_string()),
        Err(reason) => Err(reason),
    };
    if received.is_err() {
        // What is not removed here goes with the directory.
        let _ = std::fs::remove_file(&draft);
    }
    received
}

async fn download(attempt: &Attempt<'_>, found: &SegmentGrant, draft: PathBuf) -> Result<(), String> {
    let source =
        attempt.shop.door.open_link(&found.grant.url).await.map_err(|error| error.code().to_owned())?;
    if source.len() != found.bytes {
        return Err("it has not the size that it should have".to_owned());
    }
    let file =
        OpenOptions::new().write(true).create_new(true).open(draft).map_err(|error| error.to_string())?;
    let (mut file, mut hash, mut offset) = (file, Sha256::new(), 0);
    while offset < found.bytes {
        let bytes = source.read_at(offset, STRIDE).await.map_err(|error| error.code().to_owned())?;
        if bytes.is_empty() {
            return Err("it ends too soon".to_owned());
        }
        offset += bytes.len() as u64;
        let written = spawn_blocking(move || {
            hash.update(&bytes);
            file.write_all(&bytes).map(|()| (file, hash))
        });
        (file, hash) =
            written.await.map_err(|error| error.to_string())?.map_err(|error| error.kind().to_string())?;
    }
    if hex::encode(hash.finalize()) != found.sha256 {
        return Err("it is damaged".to_owned());
    }
    Ok(())
}

/// Opens a piece that is to be sent. A worker may still run: what is read later is the file that was looked at here.
fn outgoing(key: &str, dir: &Path) -> std::io::Result<Outgoing> {
    let mut file = open_finished(&dir.join(piece_file(key)))?;
    let bytes = file.metadata()?.len();
    if bytes == 0 || bytes > LARGEST {
        return Err(std::io::Error::other(format!("{bytes} bytes are not shared")));
    }
    let finished = measure_file(&mut file)?;
    Ok(Outgoing { key: key.to_owned(), file, finished })
}

/// Sends pieces and has them taken in; answers the keys that are in the library now, and the last reason for one that is not.
async fn send_all(
    shop: &Workshop,
    lease: &Lease,
    keys: &[String],
    dir: &Path,
) -> Result<(BTreeSet<String>, Option<Failed>), Failed> {
    let (wanted, owned_dir) = (keys.to_vec(), dir.to_owned());
    let opened = spawn_blocking(move || {
        wanted.iter().map(|key| outgoing(key, &owned_dir)).collect::<Vec<std::io::Result<Outgoing>>>()
    });
    let opened = opened.await.map_err(|error| machine("Reading pieces", &std::io::Error::other(error)))?;
    let mut reason = None;
    let mut pieces = Vec::with_capacity(opened.len());
    for opened in opened {
        match opened {
            Ok(piece) => pieces.push(piece),
            Err(error) => reason = Some(machine("Reading a piece", &error)),
        }
    }
    if pieces.is_empty() {
        return Ok((BTreeSet::new(), reason));
    }
    let wishes: Vec<SegmentWish> = pieces
        .iter()
        .map(|piece| SegmentWish { key: piece.key.clone(), bytes: piece.finished.bytes })
        .collect();
    let (job, fence) = (lease.job(), lease.fence());
    let links = heed(lease, shop.gateway.segment_links(job, fence, &wishes).await)?;
    let sending = stream::iter(pieces.into_iter().zip(links)).map(|(piece, link)| send(shop, piece, link));
    let mut stored = Vec::new();
    for sent in sending.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        match sent {
            Ok(sent) => stored.push(sent),
            Err(failed) => reason = Some(failed),
        }
    }
    if stored.is_empty() {
        return Ok((BTreeSet::new(), reason));
    }
    let answer = heed(lease, shop.gateway.store_segments(job, fence, &stored).await)?;
    Ok((answer.stored.into_iter().chain(answer.present).collect(), reason))
}

async fn send(shop: &Workshop, piece: Outgoing, link: Grant) -> Result<StoredSegment, Failed> {
    let url = shop.door.absolute(&link.url);
    let headers = headers(&link)?;
    // By the open file and not by its name, which a worker that still runs could give to something else.
    let path = PathBuf::from(format!("/proc/self/fd/{}", piece.file.as_raw_fd()));
    shop.door.fetcher.0.put_file(&url, &headers, &path).await.map_err(|error| {
        Failed::transient("store_unavailable", format!("The library did not take a piece: {}.", error.code()))
    })?;
    Ok(StoredSegment {
        key: piece.key,
        object_key: link.key,
        bytes: piece.finished.bytes,
        sha256: piece.finished.sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Two clips of two sources, of which the second has a name only if `named`, with a blend between them.
    fn plan(named: bool) -> Plan {
        let clip = |index: u32| {
            json!({ "index": index, "source": index, "title": "", "continues": false, "start_ticks": 0, "asked_ticks": 0,
                    "asked_duration_ticks": 1, "start_frame": 0, "first_frame": 0, "frames": 30, "first_sample": 0,
                    "samples": 48_000, "mode": "exact", "copied_frames": 0, "differences": [], "reason": "",
                    "effects": { "fade_in": 0, "fade_out": 0, "colour": [0, 0, 0], "dissolve_in": 0, "dissolve_out": 0,
                                 "name": null },
                    "sound_key": format!("sound-{index}"), "speech_key": null })
        };
        let segment = |index: u32, clip: u32, kind: &str| {
            json!({ "index": index, "clip": clip, "first_frame": 0, "frames": 10, "at_ticks": 0, "kind": kind,
                    "key": format!("{kind}-{clip}") })
        };
        let colour = cutter::facts::Colour::bt709();
        let plan = json!({
            "version": cutter::plan::PLAN_VERSION, "title": "", "loudness_lufs": null, "speech": false,
            "canvas": { "codec": "h264", "width": 320, "height": 180, "sar_num": 1, "sar_den": 1,
                        "frame_rate": cutter::time::FrameRate::new(30, 1).unwrap(), "bit_depth": 8, "colour": colour },
            "encoder": cutter::order::EncoderSettings::default(),
            "sound": cutter::plan::SoundPlan::Encode { why: String::new() },
            "transition": cutter::order::Transition::default(), "frames": 60, "samples": 96_000,
            "sources": [{ "bytes": 9, "identity": "one" }, { "bytes": 9, "identity": named.then_some("two") }],
            "clips": [clip(0), clip(1)],
            "segments": [segment(0, 0, "encode"), segment(1, 1, "blend"), segment(2, 1, "copy")],
        });
        serde_json::from_value(plan).unwrap()
    }

    fn keys(plan: &Plan) -> Vec<String> {
        shared_keys(plan).into_iter().collect()
    }

    #[test]
    fn only_what_comes_from_named_bytes_is_shared() {
        assert_eq!(keys(&plan(true)), ["blend-1", "copy-1", "encode-0", "sound-0", "sound-1"]);
        // A blend needs the names of both its clips' sources.
        assert_eq!(keys(&plan(false)), ["encode-0", "sound-0"]);
        let mut other = plan(true);
        other.sources[0].identity = None;
        assert_eq!(keys(&other), ["copy-1", "sound-1"]);
        let mut drawn = plan(false);
        drawn.encoder.drawn = true;
        assert_eq!(keys(&drawn), keys(&plan(true)));
    }

    #[test]
    fn pieces_are_counted_by_where_they_came_from() {
        let (plan, exchange) = (plan(true), Exchange::default());
        assert_eq!(
            exchange.tally(&plan, "own"),
            Tally { reused: 0, made: 5, executors: vec!["own".to_owned()] }
        );
        exchange.state().reused.extend(["sound-0", "sound-1", "encode-0", "gone"].map(str::to_owned));
        exchange.state().by_others.insert("blend-1".to_owned(), "other".to_owned());
        let executors = vec!["other".to_owned(), "own".to_owned()];
        assert_eq!(exchange.tally(&plan, "own"), Tally { reused: 3, made: 2, executors });
    }
}
