//! Reading a remote file by offset.
//!
//! One request learns the length, the validators and whether the server serves ranges; after that, blocks are fetched as they
//! are asked for, several at a time, each with `If-Range`. Promises: every byte comes from the version that was there when the
//! source was opened, or the answer is [`FetchError::Changed`]; what a broken connection delivered is kept and the rest is
//! fetched again from there; nothing waits without limit, and no more than `max_bytes` travel. A permanent failure is
//! remembered, so that it is met once and not once per block.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;
use tokio::sync::Semaphore;
use url::Url;

use crate::cache::BlockCache;
use crate::client::{Fault, Http, Trust, status_fault, unusable};
use crate::error::FetchError;
use crate::headers::{self, ContentRange, Validator};
use crate::redact::RedactedUrl;
use crate::source::{Kind, Source, SourceStats};
use crate::whole;

/// A remote file on a server that serves ranges. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RangeReader {
    shared: Arc<Shared>,
}

struct Shared {
    http: Arc<Http>,
    trust: Trust,
    /// What was asked for.
    origin: Url,
    /// Where redirects led; signed links behind a redirect end, then `origin` is asked again.
    current: Mutex<Url>,
    shown: String,
    length: u64,
    validator: Validator,
    blocks: BlockCache,
    parallel: Semaphore,
    counters: Counters,
    /// The permanent failure that ended this source.
    failed: OnceLock<FetchError>,
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

/// Opens a remote file: by ranges where the server serves them, else by one download into a nameless temporary file.
pub(crate) async fn open(http: Arc<Http>, origin: Url, trust: Trust) -> Result<Source, FetchError> {
    let shown = RedactedUrl::new(&origin).to_string();
    let counters = Counters::default();
    let limit = http.config.timeout;
    let opening = async {
        let mut tried = 0;
        loop {
            tried += 1;
            match try_open(&http, &origin, trust, &shown, &counters).await {
                Ok(opened) => return Ok(opened),
                Err(fault) => http.pause_or_fail(fault, tried).await?,
            }
        }
    };
    let opened = tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(total_timeout(&shown)))?;
    match opened {
        Opened::Whole(file) => Ok(Source::new(Kind::Whole(file))),
        Opened::Ranges { current, length, validator, first } => {
            let config = &http.config;
            let blocks = BlockCache::new(config.cache_bytes / config.block_bytes.max(1));
            if let Some(first) = first {
                // A fresh slot takes the value; nobody else knows it yet.
                let _ = blocks.slot(0).set(first);
            }
            let shared = Shared {
                trust,
                origin,
                current: Mutex::new(current),
                shown,
                length,
                validator,
                blocks,
                parallel: Semaphore::new(config.parallel),
                counters,
                failed: OnceLock::new(),
                http,
            };
            Ok(Source::new(Kind::Ranges(RangeReader { shared: Arc::new(shared) })))
        }
    }
}

enum Opened {
    Ranges { current: Url, length: u64, validator: Validator, first: Option<Bytes> },
    Whole(whole::WholeFile),
}

async fn try_open(
    http: &Http,
    origin: &Url,
    trust: Trust,
    shown: &str,
    counters: &Counters,
) -> Result<Opened, Fault> {
    let block = http.config.block_bytes as u64;
    let headers = HeaderMap::from_iter([(RANGE, range_header(0, block - 1))]);
    counters.requests.fetch_add(1, Ordering::Relaxed);
    let (current, mut response) = http.get(origin, trust, &headers).await?;
    let status = response.status();
    if status.is_success() {
        check_kind(origin, trust, response.headers())?;
    }
    match status {
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::OK => {
            return whole::save(http, shown, response, counters).await.map(Opened::Whole);
        }
        StatusCode::RANGE_NOT_SATISFIABLE if headers::unsatisfied_total(response.headers()) == Some(0) => {
            return Err(Fault::last(unusable(origin, "it is empty")));
        }
        _ => return Err(status_fault(shown, &response)),
    }
    let Some(ContentRange { first: 0, last, total: Some(length) }) =
        headers::content_range(response.headers())
    else {
        return Err(Fault::last(unusable(origin, "the server answers a range request with something else")));
    };
    let validator = Validator::of(response.headers());
    let wanted = length.min(block).min(last + 1);
    let mut first = BytesMut::with_capacity(wanted as usize);
    // If the first block does not come whole it is fetched when it is asked for, with all the tries that belong to that.
    let complete = take(http, shown, &mut response, wanted, &mut first, counters).await.is_ok()
        && first.len() as u64 == length.min(block);
    Ok(Opened::Ranges { current, length, validator, first: complete.then(|| first.freeze()) })
}

fn check_kind(origin: &Url, trust: Trust, headers: &HeaderMap) -> Result<(), Fault> {
    if !headers::is_identity(headers) {
        return Err(Fault::last(unusable(
            origin,
            "the server sends it compressed, although that was not asked for",
        )));
    }
    if trust == Trust::Guarded && headers::is_web_page(headers) {
        let reason = "it is a web page, not a media file. Give the address of the file itself";
        return Err(Fault::last(unusable(origin, reason)));
    }
    Ok(())
}

fn range_header(first: u64, last: u64) -> HeaderValue {
    // Digits and a hyphen are always a valid header value.
    HeaderValue::from_str(&format!("bytes={first}-{last}"))
        .unwrap_or_else(|_| HeaderValue::from_static("bytes=0-"))
}

fn total_timeout(shown: &str) -> FetchError {
    FetchError::Timeout {
        source_name: shown.to_owned(),
        reason: "the time for one request and its retries is over (SM_FETCH_TIMEOUT)".to_owned(),
    }
}

/// Reads up to `wanted` bytes of a body into `into`; fewer only if the body ends.
async fn take(
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
    /// The file's size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.shared.length
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
        let block = shared.http.config.block_bytes as u64;
        let (first, last) = (offset / block, (end - 1) / block);
        if first == last {
            let bytes = shared.block(first).await?;
            return Ok(bytes.slice((offset - first * block) as usize..(end - first * block) as usize));
        }
        let mut blocks =
            stream::iter(first..=last).map(|index| shared.block(index)).buffered(shared.http.config.parallel);
        let mut joined = BytesMut::with_capacity((end - offset) as usize);
        let mut at = first * block;
        while let Some(bytes) = blocks.try_next().await? {
            let from = offset.saturating_sub(at) as usize;
            let to = (end - at).min(bytes.len() as u64) as usize;
            joined.extend_from_slice(&bytes[from..to]);
            at += block;
        }
        Ok(joined.freeze())
    }
}

impl Shared {
    async fn block(&self, index: u64) -> Result<Bytes, FetchError> {
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        let block = self.http.config.block_bytes as u64;
        let first = index * block;
        let wanted = block.min(self.length - first);
        let slot = self.blocks.slot(index);
        let fetched = slot.get_or_try_init(|| async {
            let limit = self.http.config.timeout;
            match tokio::time::timeout(limit, self.fetch(first, wanted)).await {
                Ok(fetched) => fetched,
                Err(_) => Err(total_timeout(&self.shown)),
            }
        });
        match fetched.await {
            Ok(bytes) => Ok(bytes.clone()),
            Err(error) => {
                if error.is_permanent() {
                    // Only the first one is kept; it is as good as any that came at the same time.
                    let _ = self.failed.set(error.clone());
                }
                Err(error)
            }
        }
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
        let (answered, mut response) = self.http.get(&url, self.trust, &headers).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            // With If-Range, a whole body means another version; without, a server that changed its mind about ranges.
            StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED => {
                return Err(Fault::last(self.changed()));
            }
            status if matches!(status.as_u16(), 401 | 403 | 404 | 410) && url != self.origin => {
                // The link that the first redirect led to has ended: ask the origin for a new one.
                *self.current() = self.origin.clone();
                return Err(Fault::again(status_fault(&self.shown, &response).error));
            }
            _ => return Err(status_fault(&self.shown, &response)),
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
        *self.current() = answered;
        let offered = wanted.min(range.last - range.first + 1);
        take(&self.http, &self.shown, &mut response, offered, into, &self.counters).await
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Url> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> FetchError {
        FetchError::Changed { source_name: self.shown.clone() }
    }
}
