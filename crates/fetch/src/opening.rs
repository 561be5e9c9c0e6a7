//! Opening a remote file: one small request learns its length, its validators and whether the server serves ranges.
//!
//! Promises: what that request brings is kept, so that the first read costs nothing more. Where pages of the file were kept by an
//! earlier job, one byte is asked for instead, which says whether they are of the version that is there now; they are used only if
//! length and validators are the same. A server without ranges is downloaded once, into a nameless file.

use std::sync::{Arc, Mutex, OnceLock};

use bytes::{Bytes, BytesMut};
use http::header::RANGE;
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

use crate::client::{Fault, Http, Trust, status_fault, unusable};
use crate::disk::Known;
use crate::error::FetchError;
use crate::headers::{self, ContentRange, Validator};
use crate::pages::Pages;
use crate::range::{Counters, RangeReader, Shared, range_header, take, total_timeout};
use crate::redact::RedactedUrl;
use crate::source::{Kind, Source};
use crate::spool::Spool;
use crate::whole;

/// How a file is opened.
pub(crate) struct Opening {
    pub origin: Url,
    pub trust: Trust,
    /// What the file goes by among what is kept on disk; its address where absent.
    pub name: Option<String>,
    /// Bytes of the first request.
    pub bytes: usize,
    /// Whether all of it may be downloaded where its server does not serve ranges; else such a one is refused.
    pub whole: bool,
    /// What is spent is added here.
    pub counters: Arc<Counters>,
    /// Where pages are kept if they cannot be told from those of another version.
    pub spool: Arc<Spool>,
}

impl Opening {
    /// A file of its own.
    pub(crate) fn new(http: &Http, origin: Url, trust: Trust) -> Self {
        Self {
            origin,
            trust,
            name: None,
            bytes: http.config.opening_bytes,
            whole: true,
            counters: Arc::default(),
            spool: Arc::new(Spool::new(http.config.temp_dir.clone())),
        }
    }

    /// What the file goes by. The query of a link that we signed is left out: it differs each time, and the object does not.
    fn address(&self) -> String {
        let mut url = self.origin.clone();
        url.set_fragment(None);
        if self.trust == Trust::Ours {
            url.set_query(None);
        }
        self.name.clone().unwrap_or_else(|| url.into())
    }
}

/// Opens a remote file: by ranges where the server serves them, else by one download into a nameless temporary file.
pub(crate) async fn open(http: Arc<Http>, opening: Opening) -> Result<Source, FetchError> {
    let shown = RedactedUrl::new(&opening.origin).to_string();
    let trying = try_to_open(&http, &opening, &shown);
    let opened = tokio::time::timeout(http.config.timeout, trying)
        .await
        .unwrap_or_else(|_| Err(total_timeout(&shown)))?;
    match opened {
        Opened::Whole(file) => Ok(Source::new(Kind::Whole(file))),
        Opened::Ranges { current, known, keepable, first } => {
            let page = http.config.page_bytes;
            let fingerprint = keepable.then(|| known.fingerprint(&opening.address()));
            let pages = match http.disk.as_ref().filter(|_| keepable) {
                Some(disk) => {
                    let address = opening.address();
                    let pages = http.shelf.pages(disk, &address, &known);
                    let (disk, known) = (Arc::clone(disk), known.clone());
                    // A note that is not taken costs the next job a few bytes.
                    let _ = tokio::task::spawn_blocking(move || disk.learn(&address, &known)).await;
                    pages
                }
                None => Arc::new(Pages::unnamed(page, known.length, opening.spool)),
            };
            pages.keep(0, first).await;
            Ok(Source::new(Kind::Ranges(RangeReader::new(Shared {
                trust: opening.trust,
                origin: opening.origin,
                current: Mutex::new(current),
                shown,
                length: known.length,
                validator: known.validator,
                pages,
                fingerprint,
                parallel: Semaphore::new(http.config.parallel),
                counters: opening.counters,
                failed: OnceLock::new(),
                http,
            }))))
        }
    }
}

enum Opened {
    Ranges { current: Url, known: Known, keepable: bool, first: Bytes },
    Whole(whole::WholeFile),
}

async fn try_to_open(http: &Http, opening: &Opening, shown: &str) -> Result<Opened, FetchError> {
    let mut kept = kept(http, opening).await;
    let mut tried = 0;
    loop {
        tried += 1;
        let bytes = if kept.is_some() { 1 } else { opening.bytes as u64 };
        match attempt(http, opening, shown, bytes).await {
            // What is kept is of another version: open it like one that is not known.
            Ok(Opened::Ranges { known, keepable, .. })
                if kept.take_if(|kept| !keepable || *kept != known).is_some() =>
            {
                tried = 0;
            }
            Ok(opened) => return Ok(opened),
            Err(fault) => http.pause_or_fail(fault, tried).await?,
        }
    }
}

/// What is known of the file, if its beginning is kept too.
async fn kept(http: &Http, opening: &Opening) -> Option<Known> {
    let (disk, address) = (Arc::clone(http.disk.as_ref()?), opening.address());
    let looking = tokio::task::spawn_blocking(move || {
        let known = disk.known(&address)?;
        let version = disk.version(&address, &known);
        disk.read(&version, known.length, 0..=0).first()?.as_ref()?;
        Some(known)
    });
    looking.await.ok().flatten()
}

async fn attempt(http: &Http, opening: &Opening, shown: &str, bytes: u64) -> Result<Opened, Fault> {
    let Opening { origin, trust, counters, .. } = opening;
    let limit = http.config.max_bytes;
    // More than nothing where files that belong together share the bound.
    if counters.stats().bytes_fetched >= limit {
        return Err(Fault::last(whole::too_large(shown, limit)));
    }
    let headers = HeaderMap::from_iter([(RANGE, range_header(0, bytes.max(1) - 1))]);
    counters.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut answer = http.get(origin, *trust, &headers).await?;
    let response = &mut answer.response;
    let status = response.status();
    if status.is_success() {
        check_kind(origin, *trust, response.headers())?;
    }
    match status {
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::OK if !opening.whole => {
            return Err(Fault::last(unusable(
                origin,
                "its server does not send parts of it, so that all of it would have to be fetched first",
            )));
        }
        StatusCode::OK => return whole::save(http, shown, answer, counters).await.map(Opened::Whole),
        StatusCode::RANGE_NOT_SATISFIABLE if headers::unsatisfied_total(response.headers()) == Some(0) => {
            return Err(Fault::last(unusable(origin, "it is empty")));
        }
        _ => return Err(status_fault(shown, response)),
    }
    let Some(ContentRange { first: 0, last, total: Some(length) }) =
        headers::content_range(response.headers())
    else {
        return Err(Fault::last(unusable(origin, "the server answers a range request with something else")));
    };
    let known = Known { validator: Validator::of(response.headers()), length };
    let keepable = headers::names_a_version(response.headers());
    let wanted = length.min(bytes).min(last + 1);
    let mut first = BytesMut::with_capacity(wanted as usize);
    // What does not come is fetched when it is asked for, with all the tries that belong to that.
    let _ = take(http, shown, response, wanted, &mut first, counters).await;
    Ok(Opened::Ranges { current: answer.url, known, keepable, first: first.freeze() })
}

fn check_kind(origin: &Url, trust: Trust, headers: &HeaderMap) -> Result<(), Fault> {
    if !headers::is_identity(headers) {
        return Err(Fault::last(unusable(
            origin,
            "the server sends it compressed, although that was not asked for",
        )));
    }
    if trust == Trust::Guarded && headers::is_web_page(headers) {
        let source_name = RedactedUrl::new(origin).to_string();
        return Err(Fault::last(FetchError::WebPage { source_name }));
    }
    Ok(())
}
