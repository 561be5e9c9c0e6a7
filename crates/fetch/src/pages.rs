//! Where the pages of one version of one source are: kept, or being fetched by somebody.
//!
//! Promises: a page that several readers want at the same time, of one job or of several, is fetched once: whoever claims it
//! first fetches it, the others wait and get the bytes from it; if the first one gives up, the next one takes its place. Nothing
//! stays in memory beyond that. Pages are kept on disk: for later jobs where the source's version has a name, else for as long
//! as it is read.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;

use crate::disk::{DiskCache, Known, Version, page_size};
use crate::spool::Spool;

/// The place of a page that somebody fetches; its bytes are there while others wait for them.
type Slot = Arc<tokio::sync::Mutex<Option<Bytes>>>;

/// The pages of one version of one source.
pub(crate) struct Pages {
    page: usize,
    length: u64,
    keeper: Keeper,
    fetching: Mutex<HashMap<u64, Slot>>,
}

enum Keeper {
    Disk { cache: Arc<DiskCache>, version: Version },
    Spool { spool: Arc<Spool>, reader: u64 },
}

/// All versions on disk that are being read in this process, so that their readers share what is being fetched.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<Version, Weak<Pages>>>);

impl Shelf {
    /// The pages of a version that is kept on disk.
    pub(crate) fn pages(&self, cache: &Arc<DiskCache>, address: &str, known: &Known) -> Arc<Pages> {
        let version = cache.version(address, known);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pages) = open.get(&version).and_then(Weak::upgrade) {
            return pages;
        }
        open.retain(|_, pages| pages.strong_count() > 0);
        let keeper = Keeper::Disk { cache: Arc::clone(cache), version: version.clone() };
        let pages = Arc::new(Pages::new(cache.page(), known.length, keeper));
        open.insert(version, Arc::downgrade(&pages));
        pages
    }
}

impl Pages {
    fn new(page: usize, length: u64, keeper: Keeper) -> Self {
        Self { page, length, keeper, fetching: Mutex::default() }
    }

    /// The pages of a source whose version has no name.
    pub(crate) fn unnamed(page: usize, length: u64, spool: Arc<Spool>) -> Self {
        let reader = spool.enter();
        Self::new(page, length, Keeper::Spool { spool, reader })
    }

    /// The size of a page in bytes; the last one may be short.
    pub(crate) fn size(&self, page: u64) -> usize {
        page_size(self.page, self.length, page).unwrap_or(0)
    }

    /// The pages that are kept; one place for each that is asked for.
    pub(crate) async fn read(self: &Arc<Self>, pages: RangeInclusive<u64>) -> Vec<Option<Bytes>> {
        let this = Arc::clone(self);
        let asked = pages.clone();
        let read = tokio::task::spawn_blocking(move || match &this.keeper {
            Keeper::Disk { cache, version } => cache.read(version, this.length, pages),
            Keeper::Spool { spool, reader } => {
                pages.map(|page| spool.read(*reader, page, this.size(page))).collect()
            }
        });
        // A thread that could not run has found nothing.
        read.await.unwrap_or_else(|_| asked.map(|_| None).collect())
    }

    /// Keeps whole pages from `first` on; what is left of `bytes` beyond the last whole one is not kept.
    pub(crate) async fn keep(self: &Arc<Self>, first: u64, bytes: Bytes) {
        let this = Arc::clone(self);
        let keeping = tokio::task::spawn_blocking(move || match &this.keeper {
            Keeper::Disk { cache, version } => cache.write(version, this.length, first, &bytes),
            Keeper::Spool { spool, reader } => {
                let mut rest = &bytes[..];
                for page in first.. {
                    let size = this.size(page);
                    if size == 0 || size > rest.len() {
                        break;
                    }
                    let (bytes, after) = rest.split_at(size);
                    spool.write(*reader, page, bytes);
                    rest = after;
                }
            }
        });
        // Not kept is all that can have happened.
        let _ = keeping.await;
    }

    /// Waits for the right to fetch a page. Whoever claims several does so in ascending order, so that nobody waits in a circle.
    pub(crate) async fn claim(self: &Arc<Self>, page: u64) -> Claim {
        let slot = Arc::clone(self.fetching().entry(page).or_default());
        let seat = Seat { pages: Arc::clone(self), page, slot: Some(Arc::clone(&slot)) };
        let guard = slot.lock_owned().await;
        Claim { guard, _seat: seat }
    }

    fn fetching(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Slot>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waiting for a page or fetching it. The last one to leave takes the slot away.
struct Seat {
    pages: Arc<Pages>,
    page: u64,
    slot: Option<Slot>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut fetching = self.pages.fetching();
        self.slot = None;
        // Slots are shared under this lock only, so that a count of one says that nobody else is here.
        if fetching.get(&self.page).is_some_and(|slot| Arc::strong_count(slot) == 1) {
            fetching.remove(&self.page);
        }
    }
}

/// The right to fetch a page; ends when dropped. The guard goes before the seat.
pub(crate) struct Claim {
    guard: OwnedMutexGuard<Option<Bytes>>,
    _seat: Seat,
}

impl Claim {
    /// The bytes, if somebody else has fetched them meanwhile.
    pub(crate) fn fetched(&self) -> Option<Bytes> {
        self.guard.clone()
    }

    /// Hands the bytes to those who wait.
    pub(crate) fn fulfil(&mut self, bytes: Bytes) {
        *self.guard = Some(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Arc<Pages> {
        Arc::new(Pages::unnamed(4, 10, Arc::new(Spool::new(std::env::temp_dir()))))
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_bytes_and_nothing_stays() {
        let pages = pages();
        let mut claim = pages.claim(1).await;
        let waiting = tokio::spawn({
            let pages = Arc::clone(&pages);
            async move { pages.claim(1).await.fetched() }
        });
        tokio::task::yield_now().await;
        claim.fulfil(Bytes::from_static(b"abcd"));
        drop(claim);
        assert_eq!(waiting.await.unwrap().as_deref(), Some(&b"abcd"[..]));
        assert!(pages.fetching().is_empty());
        assert_eq!(pages.claim(1).await.fetched(), None);
    }

    #[tokio::test]
    async fn one_who_gives_up_leaves_its_place() {
        let pages = pages();
        let claim = pages.claim(0).await;
        let waiting = tokio::spawn({
            let pages = Arc::clone(&pages);
            async move { drop(pages.claim(0).await) }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        drop(claim);
        assert!(pages.fetching().is_empty());
    }

    #[tokio::test]
    async fn pages_without_a_name_are_read_back() {
        let pages = pages();
        pages.keep(1, Bytes::from_static(b"efghij")).await;
        let found = pages.read(0..=2).await;
        assert_eq!(found, [None, Some(Bytes::from_static(b"efgh")), Some(Bytes::from_static(b"ij"))]);
    }
}
