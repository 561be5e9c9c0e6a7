//! Reading a remote file by offset: what is asked for is what travels.
//!
//! Reads are rounded to pages of a few kilobytes. Those that are kept (see `pages`) cost nothing; neighbouring ones that are not
//! are one request, long stretches several at a time, each with `If-Range`; nothing is read ahead. Promises: every byte comes
//! from the version that was there when the source was opened, or the answer is [`FetchError::Changed`]; what a broken
//! connection delivered is kept and the rest is fetched again from there; nothing waits without limit, and no more than
//! `max_bytes` travel. A permanent failure is remembered, so that it is met once and not once per read.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;
use tokio::sync::Semaphore;
use url::Url;

use crate::client::{Fault, Http, Trust, status_fault, unusable};
use crate::error::FetchError;
use crate::headers::{self, Validator};
use crate::pages::{Claim, Pages};
use crate::source::SourceStats;
use crate::whole;

/// The most that memory is set aside for before bytes have come: lengths are only claims.
const MOST_AHEAD: u64 = 8 << 20;

/// A remote file on a server that serves ranges. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RangeReader {
    shared: Arc<Shared>,
}

/// What an opened file is read by.
pub(crate) struct Shared {
    pub http: Arc<Http>,
    pub trust: Trust,
    /// What was asked for.
    pub origin: Url,
    /// Where redirects led; signed links behind a redirect end, then `origin` is asked again.
    pub current: Mutex<Url>,
    pub shown: String,
    pub length: u64,
    pub validator: Validator,
    pub pages: Arc<Pages>,
    /// A name for these bytes among all sources, if their version can be told from all others.
    pub fingerprint: Option<String>,
    pub parallel: Semaphore,
    pub counters: Arc<Counters>,
    /// The permanent failure that ended this source.
    pub failed: OnceLock<FetchError>,
}

/// What was spent on one source.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub bytes: AtomicU64,
    pub requests: AtomicU64,
}

impl Counters {
    pub(crate) fn stats(&self) -> SourceStats {
        SourceStats {
            bytes_fetched: self.bytes.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
        }
    }
}

/// The header that asks for the bytes from `first` to `last`, both included.
pub(crate) fn range_header(first: u64, last: u64) -> HeaderValue {
    // Digits and a hyphen are always a valid header value.
    HeaderValue::from_str(&format!("bytes={first}-{last}"))
        .unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

/// The time for a request and its retries is over.
pub(crate) fn total_timeout(shown: &str) -> FetchError {
    FetchError::Timeout {
        source_name: shown.to_owned(),
        reason: "the time for one request and its retries is over (SM_FETCH_TIMEOUT)".to_owned(),
    }
}

/// Reads up to `wanted` bytes of a body into `into`; fewer only if the body ends.
pub(crate) async fn take(
    http: &Http,
    shown: &str,
    response: &mut Response,
    wanted: u64,
    into: &mut BytesMut,
    counters: &Counters,
) -> Result<(), Fault> {
    let mut left = wanted;
    while left > 0 {
        let Some(mut piece) = http.next_piece(shown, response).await? else {
            break;
        };
        counters.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= piece.len() as u64;
        into.extend_from_slice(&piece);
    }
    Ok(())
}

impl RangeReader {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// The file's size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.shared.length
    }

    /// The address that answered last.
    pub(crate) fn url(&self) -> Url {
        self.shared.current().clone()
    }

    /// The version that is being read, for the provenance.
    pub(crate) fn identity(&self) -> String {
        let Shared { validator, length, .. } = &*self.shared;
        match (&validator.etag, &validator.last_modified) {
            (Some(etag), _) => format!("etag {etag}, {length} bytes"),
            (None, Some(time)) => format!("modified {time}, {length} bytes"),
            (None, None) => format!("{length} bytes"),
        }
    }

    /// A name for these bytes, if their version can be told from all others.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.shared.fingerprint.clone()
    }

    /// What was spent so far.
    pub(crate) fn stats(&self) -> SourceStats {
        self.shared.counters.stats()
    }

    /// The bytes from `offset`: `len` of them, fewer only at the file's end.
    ///
    /// # Errors
    /// Each error of a remote source; a permanent one is answered to all later reads too.
    pub(crate) async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, FetchError> {
        let shared = &*self.shared;
        let end = offset.saturating_add(len as u64).min(shared.length);
        if offset >= end {
            return Ok(Bytes::new());
        }
        let page = shared.http.config.page_bytes as u64;
        let (first, last) = (offset / page, (end - 1) / page);
        let stretch = (shared.http.config.block_bytes as u64 / page).max(1);
        if last - first < stretch {
            let bytes = shared.stretch(first..=last).await?;
            return Ok(bytes.slice((offset - first * page) as usize..(end - first * page) as usize));
        }
        let starts = (first..=last).step_by(usize::try_from(stretch).unwrap_or(usize::MAX));
        let mut parts = stream::iter(starts)
            .map(|start| shared.stretch(start..=last.min(start + (stretch - 1))))
            .buffered(shared.http.config.parallel);
        let mut joined = BytesMut::with_capacity((end - offset).min(MOST_AHEAD) as usize);
        let mut at = first * page;
        while let Some(bytes) = parts.try_next().await? {
            let from = offset.saturating_sub(at) as usize;
            let to = (end - at).min(bytes.len() as u64) as usize;
            joined.extend_from_slice(&bytes[from..to]);
            at += bytes.len() as u64;
        }
        Ok(joined.freeze())
    }
}

impl Shared {
    /// Whole pages, joined: from where they are kept, from whoever fetches them already, and the rest from the server.
    async fn stretch(&self, pages: RangeInclusive<u64>) -> Result<Bytes, FetchError> {
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        let (first, last) = (*pages.start(), *pages.end());
        let mut found = self.pages.read(first..=last).await;
        let mut claims: Vec<(u64, Claim)> = Vec::new();
        for (page, bytes) in (first..=last).zip(&mut found).filter(|(_, bytes)| bytes.is_none()) {
            let claim = self.pages.claim(page).await;
            match claim.fetched() {
                Some(fetched) => *bytes = Some(fetched),
                None => claims.push((page, claim)),
            }
        }
        if let (Some((from, _)), Some((to, _))) = (claims.first(), claims.last()) {
            // Somebody may have fetched and kept a page between the look and the claim.
            let from = *from;
            let again = self.pages.read(from..=*to).await;
            for (page, bytes) in (from..).zip(again) {
                if let (Some(bytes), Some(place)) = (bytes, found.get_mut((page - first) as usize)) {
                    place.get_or_insert(bytes);
                }
            }
            claims.retain(|(page, _)| found.get((page - first) as usize).is_some_and(Option::is_none));
        }
        let fetching = runs(claims).into_iter().map(|run| self.fetch_run(run));
        for (page, bytes) in futures::future::try_join_all(fetching).await?.into_iter().flatten() {
            if let Some(place) = found.get_mut((page - first) as usize) {
                *place = Some(bytes);
            }
        }
        let found: Vec<Bytes> = found.into_iter().flatten().collect();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            many => Ok(many.concat().into()),
        }
    }

    /// Fetches neighbouring pages by one request, keeps them and hands them to those who wait.
    async fn fetch_run(&self, claims: Vec<(u64, Claim)>) -> Result<Vec<(u64, Bytes)>, FetchError> {
        let Some(first) = claims.first().map(|(page, _)| *page) else {
            return Ok(Vec::new());
        };
        let wanted = claims.iter().map(|(page, _)| self.pages.size(*page) as u64).sum();
        let at = first * self.http.config.page_bytes as u64;
        let limit = self.http.config.timeout;
        let fetched = tokio::time::timeout(limit, self.fetch(at, wanted)).await;
        let bytes = fetched.unwrap_or_else(|_| Err(total_timeout(&self.shown))).inspect_err(|error| {
            if error.is_permanent() {
                // Only the first one is kept; it is as good as any that came at the same time.
                let _ = self.failed.set(error.clone());
            }
        })?;
        self.pages.keep(first, bytes.clone()).await;
        let mut rest = bytes;
        Ok(claims
            .into_iter()
            .map(|(page, mut claim)| {
                let bytes = rest.split_to(self.pages.size(page).min(rest.len()));
                claim.fulfil(bytes.clone());
                (page, bytes)
            })
            .collect())
    }

    /// Fetches `wanted` bytes from `first`, trying again from where a try broke off.
    async fn fetch(&self, first: u64, wanted: u64) -> Result<Bytes, FetchError> {
        let Ok(_permit) = self.parallel.acquire().await else {
            return Err(FetchError::Unreachable {
                source_name: self.shown.clone(),
                reason: "shutting down".to_owned(),
            });
        };
        let mut bytes = BytesMut::with_capacity(wanted as usize);
        let mut tried = 0;
        loop {
            let had = bytes.len() as u64;
            let outcome = self.attempt(first + had, wanted - had, &mut bytes).await;
            let have = bytes.len() as u64;
            match outcome {
                Ok(()) if have == wanted => return Ok(bytes.freeze()),
                // Some servers give less per request than they are asked for; that is no failure while they give something.
                Ok(()) if have > had => {}
                Ok(()) => {
                    tried += 1;
                    let ended =
                        FetchError::EndedEarly { source_name: self.shown.clone(), expected: 0, got: 0 };
                    self.pause(Fault::again(ended), tried, first + have).await?;
                }
                Err(fault) => {
                    // A try that brought something counts as the first of a new row, so that a bad line is only slow.
                    tried = if have > had { 1 } else { tried + 1 };
                    self.pause(fault, tried, first + have).await?;
                }
            }
        }
    }

    async fn pause(&self, fault: Fault, tried: u32, reached: u64) -> Result<(), FetchError> {
        self.http.pause_or_fail(fault, tried).await.map_err(|error| match error {
            FetchError::EndedEarly { source_name, .. } => {
                FetchError::EndedEarly { source_name, expected: self.length, got: reached }
            }
            other => other,
        })
    }

    async fn attempt(&self, first: u64, wanted: u64, into: &mut BytesMut) -> Result<(), Fault> {
        let limit = self.http.config.max_bytes;
        if self.counters.bytes.load(Ordering::Relaxed) >= limit {
            return Err(Fault::last(whole::too_large(&self.shown, limit)));
        }
        let mut headers = HeaderMap::from_iter([(RANGE, range_header(first, first + wanted - 1))]);
        if let Some(tag) = self.validator.if_range() {
            headers.insert(IF_RANGE, tag);
        }
        let url = self.current().clone();
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let mut answer = self.http.get(&url, self.trust, &headers).await?;
        let response = &mut answer.response;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            // With If-Range, a whole body means another version; without, a server that changed its mind about ranges.
            StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED => {
                return Err(Fault::last(self.changed()));
            }
            status if matches!(status.as_u16(), 401 | 403 | 404 | 410) && url != self.origin => {
                // The link that the first redirect led to has ended: ask the origin for a new one.
                *self.current() = self.origin.clone();
                return Err(Fault::again(status_fault(&self.shown, response).error));
            }
            _ => return Err(status_fault(&self.shown, response)),
        }
        let range = headers::content_range(response.headers());
        let Some(range) =
            range.filter(|range| range.first == first && headers::is_identity(response.headers()))
        else {
            return Err(Fault::last(unusable(
                &self.origin,
                "the server answers a range request with something else",
            )));
        };
        let same_length = range.total.is_none_or(|total| total == self.length);
        if !same_length || !self.validator.agrees_with(&Validator::of(response.headers())) {
            return Err(Fault::last(self.changed()));
        }
        *self.current() = answer.url;
        let offered = wanted.min(range.last - range.first + 1);
        take(&self.http, &self.shown, response, offered, into, &self.counters).await
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Url> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> FetchError {
        FetchError::Changed { source_name: self.shown.clone() }
    }
}

/// Splits pages in ascending order where they are no neighbours.
fn runs(claims: Vec<(u64, Claim)>) -> Vec<Vec<(u64, Claim)>> {
    let mut runs: Vec<Vec<(u64, Claim)>> = Vec::new();
    let mut next = None;
    for (page, claim) in claims {
        match runs.last_mut().filter(|_| next == Some(page)) {
            Some(run) => run.push((page, claim)),
            None => runs.push(vec![(page, claim)]),
        }
        next = Some(page + 1);
    }
    runs
}
