//! The sources of a montage: each distinct one is opened once, by the door that its kind asks for.
//!
//! Links go through the fetch guard, paths through the operator's directories, uploads and montages by links that the library
//! signs for this lease. Such a link ends after minutes while a render may take hours: when one ends, a new one is asked for
//! and reading goes on, if the bytes are still the same ones.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use contracts::{
    object::{GrantRequest, ReadWish},
    problem::ProblemCode,
    spec::{MontageSpec, Source as Named},
};
use fetch::{FetchError, Fetcher, Source, SourceStats};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    api::{ApiError, Gateway},
    failure::Failed,
    lease::Lease,
};

/// Sources that are opened at the same time.
const AT_ONCE: usize = 4;

/// What opening needs.
#[derive(Debug, Clone)]
pub struct Door {
    /// Asks for links.
    pub gateway: Gateway,
    /// The gateway's address, for links that are paths on it.
    pub gateway_url: String,
    /// Opens.
    pub fetcher: Opener,
}

/// A fetcher that can be shown in logs.
#[derive(Clone)]
pub struct Opener(pub Fetcher);

impl std::fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Opener")
    }
}

/// An opened source.
#[derive(Debug)]
pub struct OpenSource {
    reader: RwLock<Source>,
    bytes: u64,
    identity: String,
    /// Where a new link comes from, for those that need one. Locked while one is asked for.
    renewal: Option<tokio::sync::Mutex<Renewal>>,
    served: AtomicU64,
    /// What readers of earlier links have cost.
    past: RwLock<SourceStats>,
}

#[derive(Debug)]
struct Renewal {
    door: Door,
    request: GrantRequest,
    /// How often a new link was taken.
    round: u64,
}

/// The sources of one spec.
#[derive(Debug)]
pub struct Sources {
    /// The distinct ones, in order of their first highlight.
    pub opened: Vec<(Named, Arc<OpenSource>)>,
    /// For each highlight the index of its source.
    pub of_highlight: Vec<usize>,
}

impl Door {
    /// Opens what a link of our own library leads to: absolute, or a path on the gateway.
    async fn open_link(&self, url: &str) -> Result<Source, FetchError> {
        self.fetcher.0.open_signed(&self.absolute(url)).await
    }

    /// A link of our own library as it can be used from here.
    #[must_use]
    pub fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.gateway_url) } else { url.to_owned() }
    }

    /// Opens what a lease may read.
    ///
    /// # Errors
    /// What the gateway refuses and what the store cannot give.
    pub async fn open_granted(&self, lease: &Lease, wish: ReadWish) -> Result<OpenSource, Failed> {
        let request = GrantRequest {
            read: vec![wish],
            ..GrantRequest::new(lease.job(), lease.fence(), self.gateway.executor())
        };
        let link = self.read_link(&request).await.map_err(|error| match error {
            ApiError::Refused(problem) if problem.code == ProblemCode::NotFound.as_str() => {
                Failed::permanent("source_not_found", "It is not in the library, or not any more.")
            }
            error => {
                if matches!(error, ApiError::Stale) {
                    lease.lost();
                }
                error.into()
            }
        })?;
        let source = self.open_link(&link).await?;
        let renewal = Renewal { door: self.clone(), request, round: 0 };
        Ok(OpenSource { renewal: Some(tokio::sync::Mutex::new(renewal)), ..OpenSource::from(source) })
    }

    async fn read_link(&self, request: &GrantRequest) -> Result<String, ApiError> {
        let grants = self.gateway.grants(request).await?;
        let grant = grants.read.into_iter().next();
        grant.map(|grant| grant.url).ok_or_else(|| ApiError::Unavailable("it gave no link".to_owned()))
    }

    async fn open(&self, lease: &Lease, named: &Named) -> Result<OpenSource, Failed> {
        match named {
            Named::Url(url) => Ok(self.fetcher.0.open_url(url).await?.into()),
            Named::Path(path) => Ok(self.fetcher.0.open_path(path).await?.into()),
            Named::Upload(id) => self.open_granted(lease, ReadWish::Upload(*id)).await,
            Named::Montage(id) => self.open_granted(lease, ReadWish::Montage(*id)).await,
        }
    }
}

impl Sources {
    /// Opens the sources of a spec, some at the same time; `on_progress` hears which share is open.
    ///
    /// # Errors
    /// The first one that cannot be opened, with the JSON pointer to its first highlight.
    pub async fn open(
        door: &Door,
        lease: &Lease,
        spec: &MontageSpec,
        on_progress: impl Fn(f64),
    ) -> Result<Self, Failed> {
        let (distinct, of_highlight) = distinct(spec);
        let count = distinct.len();
        let opening = distinct.into_iter().map(|(named, highlight)| async move {
            match door.open(lease, &named).await {
                Ok(source) => Ok((named, Arc::new(source))),
                Err(failed) => Err(failed.at(pointer(highlight, &named))),
            }
        });
        let mut opened = Vec::with_capacity(count);
        let mut opening = stream::iter(opening).buffered(AT_ONCE);
        while let Some(source) = opening.try_next().await? {
            opened.push(source);
            on_progress(opened.len() as f64 / count as f64);
        }
        Ok(Self { opened, of_highlight })
    }

    /// The readers, in order.
    #[must_use]
    pub fn readers(&self) -> Vec<Arc<OpenSource>> {
        self.opened.iter().map(|(_, source)| Arc::clone(source)).collect()
    }

    /// The pointer to a source's first highlight.
    #[must_use]
    pub fn pointer(&self, index: usize) -> Option<String> {
        let (named, _) = self.opened.get(index)?;
        let highlight = self.of_highlight.iter().position(|of| *of == index)?;
        Some(pointer(highlight, named))
    }
}

/// Each distinct source with its first highlight, and for each highlight the index of its source.
fn distinct(spec: &MontageSpec) -> (Vec<(Named, usize)>, Vec<usize>) {
    let mut known: BTreeMap<&Named, usize> = BTreeMap::new();
    let mut sources = Vec::new();
    let mut of_highlight = Vec::with_capacity(spec.highlights.len());
    for (index, highlight) in spec.highlights.iter().enumerate() {
        let source = *known.entry(&highlight.source).or_insert_with(|| {
            sources.push((highlight.source.clone(), index));
            sources.len() - 1
        });
        of_highlight.push(source);
    }
    (sources, of_highlight)
}

fn pointer(highlight: usize, named: &Named) -> String {
    let kind = match named {
        Named::Url(_) => "url",
        Named::Path(_) => "path",
        Named::Upload(_) => "upload",
        Named::Montage(_) => "montage",
    };
    format!("/spec/highlights/{highlight}/source/{kind}")
}

impl From<Source> for OpenSource {
    fn from(source: Source) -> Self {
        Self {
            bytes: source.len(),
            identity: source.identity(),
            reader: RwLock::new(source),
            renewal: None,
            served: AtomicU64::new(0),
            past: RwLock::default(),
        }
    }
}

impl OpenSource {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells this version from others.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Bytes that were read from where it is, and the requests that this took.
    #[must_use]
    pub fn cost(&self) -> SourceStats {
        let (past, now) = (*read(&self.past), read(&self.reader).stats());
        let fetched = past.bytes_fetched + now.bytes_fetched;
        SourceStats {
            // A local file has no requests, only what was read from it.
            bytes_fetched: if fetched == 0 { self.served.load(Ordering::Relaxed) } else { fetched },
            requests: past.requests + now.requests,
        }
    }

    /// The bytes from `offset`: `len` of them, fewer only at the source's end.
    ///
    /// # Errors
    /// What the source can meet.
    pub async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, FetchError> {
        let round = match &self.renewal {
            Some(renewal) => renewal.lock().await.round,
            None => 0,
        };
        let reader = read(&self.reader).clone();
        let bytes = match (reader.read_at(offset, len).await, &self.renewal) {
            (Err(FetchError::Forbidden { source_name, status }), Some(renewal)) => {
                let ended = FetchError::Forbidden { source_name, status };
                let reader = self.renew(&mut *renewal.lock().await, round, ended).await?;
                reader.read_at(offset, len).await?
            }
            (outcome, _) => outcome?,
        };
        self.served.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// A reader with a new link, unless somebody else has renewed since `round`.
    async fn renew(
        &self,
        renewal: &mut Renewal,
        round: u64,
        ended: FetchError,
    ) -> Result<Source, FetchError> {
        if renewal.round != round {
            return Ok(read(&self.reader).clone());
        }
        let link = renewal.door.read_link(&renewal.request).await.map_err(|error| {
            tracing::warn!(%error, "a link to a source ended and no new one was given");
            ended
        })?;
        let source = renewal.door.open_link(&link).await?;
        if source.len() != self.bytes || source.identity() != self.identity {
            return Err(FetchError::Changed { source_name: "the stored source".to_owned() });
        }
        let mut reader = self.reader.write().unwrap_or_else(PoisonError::into_inner);
        let cost = reader.stats();
        let mut past = self.past.write().unwrap_or_else(PoisonError::into_inner);
        past.bytes_fetched += cost.bytes_fetched;
        past.requests += cost.requests;
        *reader = source.clone();
        renewal.round += 1;
        Ok(source)
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::spec::{Audio, Canvas, Cut, Highlight, Order, Titles, Transcribe, Transition};
    use contracts::time::MediaTime;

    #[test]
    fn a_source_is_opened_once_however_often_it_is_named() {
        let highlight = |name: &str| Highlight {
            source: Named::Path(name.to_owned()),
            start: MediaTime::Ticks(0),
            duration: MediaTime::Ticks(1),
            title: None,
            streamer: None,
            score: None,
            cut: None,
        };
        let spec = MontageSpec {
            highlights: ["m:b", "m:a", "m:b", "m:c", "m:a"].map(highlight).to_vec(),
            cut: Cut::default(),
            canvas: Canvas::default(),
            order: Order::default(),
            audio: Audio::default(),
            transition: Transition::default(),
            titles: Titles::default(),
            intro: None,
            outro: None,
            transcribe: Transcribe::default(),
        };
        let (sources, of_highlight) = distinct(&spec);
        let path = |name: &str| Named::Path(name.to_owned());
        assert_eq!(sources, [(path("m:b"), 0), (path("m:a"), 1), (path("m:c"), 3)]);
        assert_eq!(of_highlight, [0, 1, 0, 2, 1]);
        assert_eq!(pointer(3, &path("m:c")), "/spec/highlights/3/source/path");
    }
}
