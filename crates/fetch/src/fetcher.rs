//! Opening sources: the entrance to this crate for executors and schedulers.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use crate::client::{Http, Trust};
use crate::config::FetchConfig;
use crate::document::{self, Document};
use crate::door;
use crate::error::FetchError;
use crate::local::{self, MediaPath};
use crate::opening::{self, Opening};
use crate::source::{Kind, Source};
use crate::upload::{self, Content, Receipt};

/// Opens sources and sends results. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Fetcher {
    http: Arc<Http>,
}

impl Fetcher {
    /// Starts the clients. Nothing is contacted.
    ///
    /// # Errors
    /// [`FetchError::Local`] where TLS has no root certificates to start with.
    pub fn new(config: FetchConfig) -> Result<Self, FetchError> {
        Ok(Self { http: Arc::new(Http::new(config)?) })
    }

    /// Says early whether an address that a user gave may be fetched: its form, its port, and what its name resolves to now.
    /// Opening it later judges again, with what is connected to then.
    ///
    /// # Errors
    /// [`FetchError::InvalidUrl`], [`FetchError::NotAllowed`]; [`FetchError::Unreachable`] for a name that is not known.
    pub async fn check_url(&self, url: &str) -> Result<(), FetchError> {
        self.http.check(&door::parse_url(url)?).await
    }

    /// Opens an address that a user gave, with every rule of the guard.
    ///
    /// # Errors
    /// Any error of a source.
    pub async fn open_url(&self, url: &str) -> Result<Source, FetchError> {
        self.open(url, Trust::Guarded).await
    }

    /// Opens a link that our own library signed. Never to be called with an address that a user chose: private addresses are
    /// fetched from, as the library's store is mostly there.
    ///
    /// # Errors
    /// Any error of a source.
    pub async fn open_signed(&self, url: &str) -> Result<Source, FetchError> {
        self.open(url, Trust::Ours).await
    }

    async fn open(&self, url: &str, trust: Trust) -> Result<Source, FetchError> {
        let opening = Opening::new(&self.http, door::parse_url(url)?, trust);
        opening::open(Arc::clone(&self.http), opening).await
    }

    /// Opens a file beneath one of the operator's directories: `library:clips/a.mkv`.
    ///
    /// # Errors
    /// [`FetchError::PathNotAllowed`], [`FetchError::NotFound`], [`FetchError::Unusable`] for an empty file.
    pub async fn open_path(&self, path: &str) -> Result<Source, FetchError> {
        let file = local::open(&self.http.config.media_dirs, &MediaPath::parse(path)?).await?;
        Ok(Source::new(Kind::Local(file)))
    }

    /// Fetches a small document from an address that a user gave, with every rule of the guard.
    ///
    /// # Errors
    /// Any error of a source; [`FetchError::TooLarge`] beyond `max_bytes`.
    pub async fn fetch_document(&self, url: &str, max_bytes: u64) -> Result<Document, FetchError> {
        document::fetch(&self.http, &door::parse_url(url)?, max_bytes).await
    }

    /// Sends a file by a link that our own library signed, trying again as configured.
    ///
    /// # Errors
    /// [`FetchError::Forbidden`] for a link that ended, [`FetchError::Unreachable`], [`FetchError::Timeout`],
    /// [`FetchError::Local`] for a file that cannot be read.
    pub async fn put_file(&self, url: &str, headers: &HeaderMap, file: &Path) -> Result<Receipt, FetchError> {
        upload::put(&self.http, &door::parse_url(url)?, headers, Content::File(file)).await
    }

    /// Sends bytes by a link that our own library signed, trying again as configured.
    ///
    /// # Errors
    /// As [`Fetcher::put_file`].
    pub async fn put_bytes(
        &self,
        url: &str,
        headers: &HeaderMap,
        bytes: Bytes,
    ) -> Result<Receipt, FetchError> {
        upload::put(&self.http, &door::parse_url(url)?, headers, Content::Bytes(bytes)).await
    }
}
