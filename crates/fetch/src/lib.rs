//! The one door for bytes: everything that a user can make the product fetch, and the object store.
//!
//! - [`Fetcher`] opens sources: addresses that users gave (guarded: no private or special address is connected to, however it
//!   is spelt, resolved or redirected to), links that our own store signed, and files beneath directories that the operator
//!   named. What it opens is a [`Source`], read by offset.
//! - [`hls`] turns playlists of recordings into such sources, of the segments that are needed.
//! - [`Fetcher::post`] tells receivers that users named.
//! - [`GuardedProxy`] lets one child process fetch under the same rules.
//! - [`Store`] keeps objects, in a directory or in S3, and signs links to them. [`ReadStore`] reads what others keep there.
//!
//! Promises: time, size and number of tries are bounded everywhere; a source is read in one version or not at all; no error
//! and no log line holds a query string, a password or what a name resolves to. Failures are [`FetchError`]s with a stable
//! code. Nothing here reads the environment: settings come in as [`FetchConfig`] and [`StoreConfig`].

mod bucket;
mod client;
pub mod config;
mod disk;
mod document;
mod door;
mod error;
mod fetcher;
pub mod guard;
mod headers;
pub mod hls;
mod hosts;
mod key;
mod local;
mod metered;
mod opening;
mod pages;
mod post;
mod proxy;
mod range;
mod read_store;
mod redact;
mod retry;
mod secret;
mod sign;
mod source;
mod spool;
mod store;
mod tls;
mod unfinished;
mod upload;
mod whole;

pub use config::{FetchConfig, MediaDir, StoreConfig, StoreLocation};
pub use document::Document;
pub use door::{AllowList, parse_url};
pub use error::FetchError;
pub use fetcher::{Fetcher, Media, MediaWish};
pub use key::ObjectKey;
pub use local::MediaPath;
pub use metered::{Size, Stored};
pub use proxy::{GuardedProxy, ProxyLimits};
pub use read_store::ReadStore;
pub use redact::RedactedUrl;
pub use sign::{Allowed, Method, SignedLink};
pub use source::{Source, SourceStats};
pub use store::{ObjectBody, ObjectInfo, Store};
pub use tls::ensure_provider;
pub use upload::Receipt;
