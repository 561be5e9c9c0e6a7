//! Opening sources: the entrance to this crate for executors and schedulers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use secrecy::SecretString;

use crate::client::{Http, Trust, unusable};
use crate::config::FetchConfig;
use crate::document::{self, Document};
use crate::door;
use crate::error::FetchError;
use crate::hls::{self, Composite, MediaPlaylist};
use crate::local::{self, MediaPath};
use crate::opening::{self, Opening};
use crate::post;
use crate::proxy::{GuardedProxy, ProxyLimits};
use crate::source::{Kind, Source};
use crate::upload::{self, Content, Receipt};

/// Opens sources and sends results. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Fetcher {
    http: Arc<Http>,
}

/// What is behind an address that a user gave.
#[derive(Debug, Clone)]
pub enum Media {
    /// A file.
    File(Source),
    /// A recording in pieces: choose by [`hls::windows`] and open by [`Fetcher::open_composite`].
    Playlist(MediaPlaylist),
}

/// What of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaWish {
    /// Of a master playlist, the rendition with the largest picture of at most so many pixels is taken.
    pub max_pixels: u64,
    /// What a file goes by among what is kept on disk, for an address that differs each time although the file does not. It has
    /// to tell the file from all others; its version is told by the server as ever.
    pub name: Option<String>,
}

impl Default for MediaWish {
    fn default() -> Self {
        Self { max_pixels: 1920 * 1080, name: None }
    }
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

    /// Opens an address that a user gave, with every rule of the guard, where its server serves ranges: nothing is kept but what
    /// is read of it.
    ///
    /// # Errors
    /// Any error of a source; [`FetchError::Unusable`] for a server without ranges.
    pub async fn open_ranges(&self, url: &str) -> Result<Source, FetchError> {
        let opening = Opening::new(&self.http, door::parse_url(url)?, Trust::Guarded);
        opening::open(Arc::clone(&self.http), Opening { whole: false, ..opening }).await
    }

    /// Opens an address that a user gave, whether it leads to a file or to an HLS playlist.
    ///
    /// # Errors
    /// Any error of a source; [`FetchError::WebPage`] for a page; [`FetchError::Unusable`] with the reason for a playlist
    /// that cannot be used.
    pub async fn open_media(&self, url: &str, wish: &MediaWish) -> Result<Media, FetchError> {
        let name = wish.name.clone();
        let opening = Opening { name, ..Opening::new(&self.http, door::parse_url(url)?, Trust::Guarded) };
        let source = opening::open(Arc::clone(&self.http), opening).await?;
        if !hls::is_playlist(&source.read_at(0, 16).await?) {
            return Ok(Media::File(source));
        }
        let asked = door::parse_url(url)?;
        let length = source.len();
        if length > hls::LONGEST_PLAYLIST {
            return Err(unusable(&asked, "it is a playlist of more than 8 MiB"));
        }
        let mut text = source.read_at(0, usize::try_from(length).unwrap_or_default()).await?;
        let mut base = source.url().unwrap_or_else(|| asked.clone());
        let refused = |reason: String| unusable(&asked, &reason);
        if hls::master::is_master(&text) {
            let chosen = hls::master::choose(&text, &base, wish.max_pixels).map_err(refused)?;
            let document =
                document::fetch(&self.http, &chosen, hls::LONGEST_PLAYLIST, &HeaderMap::new()).await?;
            if hls::master::is_master(&document.bytes) {
                return Err(unusable(&asked, "it is a playlist of playlists of playlists"));
            }
            (text, base) = (document.bytes, document.url);
        }
        MediaPlaylist::parse(&text, &base).map(Media::Playlist).map_err(refused)
    }

    /// Opens segments of a playlist as one file, with every rule of the guard for each address.
    ///
    /// # Errors
    /// Any error of a source.
    pub async fn open_composite(
        &self,
        playlist: &MediaPlaylist,
        composite: &Composite,
    ) -> Result<Source, FetchError> {
        let joined = hls::composite::open(&self.http, playlist, composite).await?;
        if joined.len() == 0 {
            return Err(FetchError::Unusable {
                source_name: "the playlist".to_owned(),
                reason: "its segments are empty".to_owned(),
            });
        }
        Ok(Source::new(Kind::Joined(joined)))
    }

    /// Starts a proxy on loopback for one child process, by which it reaches what this fetcher may reach and nothing else. It ends when
    /// it is dropped.
    ///
    /// # Errors
    /// [`FetchError::Local`] where there is no port to be had.
    pub async fn proxy(&self, limits: ProxyLimits) -> Result<GuardedProxy, FetchError> {
        GuardedProxy::start(Arc::clone(&self.http), limits).await
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
        document::fetch(&self.http, &door::parse_url(url)?, max_bytes, &HeaderMap::new()).await
    }

    /// Fetches a small document with a bearer token of the operator's. A redirect to another origin is followed without it.
    ///
    /// # Errors
    /// As [`Fetcher::fetch_document`]; [`FetchError::NotAllowed`] where the token would travel unencrypted to a host that is not
    /// opened.
    pub async fn fetch_document_with_token(
        &self,
        url: &str,
        max_bytes: u64,
        token: &SecretString,
    ) -> Result<Document, FetchError> {
        let url = door::parse_url(url)?;
        let private = document::bearer(&self.http, &url, token)?;
        document::fetch(&self.http, &url, max_bytes, &private).await
    }

    /// Sends a body to an address that a user gave, once, with every rule of the guard; answers the HTTP status, of redirects too,
    /// which are not followed. The answer's body is not read.
    ///
    /// # Errors
    /// [`FetchError::InvalidUrl`], [`FetchError::NotAllowed`], [`FetchError::Unreachable`]; [`FetchError::Timeout`] where the
    /// answer does not begin in time.
    pub async fn post(
        &self,
        url: &str,
        headers: &HeaderMap,
        body: Bytes,
        within: Duration,
    ) -> Result<u16, FetchError> {
        post::post(&self.http, &door::parse_url(url)?, headers, body, within).await
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
