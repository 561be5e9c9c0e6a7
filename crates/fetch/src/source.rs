//! One kind of source for whoever reads: by offset, wherever the bytes are.

use bytes::Bytes;
use url::Url;

use crate::error::FetchError;
use crate::hls::composite::Joined;
use crate::local::LocalFile;
use crate::range::RangeReader;
use crate::whole::WholeFile;

/// An opened source. Cheap to clone; all clones share what was fetched.
#[derive(Clone)]
pub struct Source(Kind);

/// Where the bytes are.
#[derive(Clone)]
pub(crate) enum Kind {
    /// On a server that serves ranges.
    Ranges(RangeReader),
    /// A copy of what a server without ranges sent.
    Whole(WholeFile),
    /// A file beneath one of the operator's directories.
    Local(LocalFile),
    /// Segments of a playlist.
    Joined(Joined),
}

/// What a source has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceStats {
    /// Bytes of bodies that came over the network, those of failed tries included.
    pub bytes_fetched: u64,
    /// Requests that were sent, not counting redirects.
    pub requests: u64,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Source").field(&self.identity()).finish()
    }
}

impl Source {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(kind)
    }

    /// The bytes from `offset`: exactly `len` of them, fewer only at the source's end, none beyond it.
    ///
    /// Dropping the future gives the read up; what other readers wait for goes on.
    ///
    /// # Errors
    /// What the kind of source can meet; see [`FetchError::is_permanent`] for whether to try again later.
    pub async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, FetchError> {
        match &self.0 {
            Kind::Ranges(reader) => reader.read_at(offset, len).await,
            Kind::Whole(file) => file.read_at(offset, len).await,
            Kind::Local(file) => file.read_at(offset, len).await,
            Kind::Joined(joined) => joined.read_at(offset, len).await,
        }
    }

    /// The size in bytes. Never zero: empty sources are refused when they are opened.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an opened source is never empty")]
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kind::Ranges(reader) => reader.len(),
            Kind::Whole(file) => file.len(),
            Kind::Local(file) => file.len(),
            Kind::Joined(joined) => joined.len(),
        }
    }

    /// Which version of the source this is, for the provenance: an entity tag, a hash or a time, and the size. Holds neither
    /// address nor path.
    #[must_use]
    pub fn identity(&self) -> String {
        match &self.0 {
            Kind::Ranges(reader) => reader.identity(),
            Kind::Whole(file) => file.identity(),
            Kind::Local(file) => file.identity(),
            Kind::Joined(joined) => joined.identity(),
        }
    }

    /// What it has cost so far; nothing for local files.
    #[must_use]
    pub fn stats(&self) -> SourceStats {
        match &self.0 {
            Kind::Ranges(reader) => reader.stats(),
            Kind::Whole(file) => file.stats(),
            Kind::Local(_) => SourceStats::default(),
            Kind::Joined(joined) => joined.stats(),
        }
    }

    /// A name for these very bytes among all sources: what was made from them may be used again wherever it is the same. None where
    /// the server or the file system makes no such claim.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        match &self.0 {
            Kind::Ranges(reader) => reader.fingerprint(),
            Kind::Whole(file) => Some(file.identity()),
            Kind::Local(file) => Some(file.fingerprint()),
            Kind::Joined(joined) => joined.fingerprint(),
        }
    }

    /// The address that answered, for addresses relative to it.
    pub(crate) fn url(&self) -> Option<Url> {
        match &self.0 {
            Kind::Ranges(reader) => Some(reader.url()),
            Kind::Whole(file) => Some(file.url()),
            Kind::Local(_) | Kind::Joined(_) => None,
        }
    }

    /// Whether it is a copy of what a server without ranges sent.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.0, Kind::Whole(_))
    }
}
