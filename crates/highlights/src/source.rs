//! Sources of highlights, behind one trait.
//!
//! A source reads all of its pages and gives each row to a [`Gathered`]. It keeps to the limits of the service that it asks, tries again
//! what may pass, and reports each row that it cannot use.

pub mod document;
pub mod dynamodb;
pub mod rate;
pub mod twitch;
pub mod video;

use std::time::Duration;

use anyhow::Context as _;
use contracts::import::HighlightSource;
use fetch::{FetchError, Fetcher};
use futures::future::BoxFuture;
use service_kit::env::Env;
use url::Url;

use crate::{Window, candidate::Gathered};

/// Longest time for reading a source, with all its pages and tries.
pub const READ_TIME: Duration = Duration::from_secs(600);

/// Why a source as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Trying again changes nothing.
    #[error("{0}")]
    Refused(String),
    /// It may pass.
    #[error("{0}")]
    Unavailable(String),
}

impl SourceError {
    /// Whether trying again changes nothing.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl From<FetchError> for SourceError {
    fn from(error: FetchError) -> Self {
        let reason = format!("the list of highlights cannot be read: {error}");
        if error.is_permanent() { Self::Refused(reason) } else { Self::Unavailable(reason) }
    }
}

/// Somewhere highlights come from.
pub trait Source: Send + Sync {
    /// Reads everything within the window of `into`.
    ///
    /// # Errors
    /// Where the source as a whole cannot be read; what was gathered until then is of no use.
    fn read<'a>(&'a self, into: &'a mut Gathered) -> BoxFuture<'a, Result<(), SourceError>>;
}

/// The ways by which sources are reached: clients, and what the operator allows.
#[derive(Clone)]
pub struct Ways {
    /// The guarded way out, and the media directories.
    pub fetcher: Fetcher,
    /// Of documents.
    pub documents: document::Ways,
    /// Of DynamoDB.
    pub dynamodb: dynamodb::Ways,
    /// Of Twitch.
    pub twitch: twitch::Ways,
}

impl Ways {
    /// Those of a service, which reads in the name of others, by its settings.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn from_env(env: &Env, fetcher: Fetcher) -> anyhow::Result<Self> {
        Ok(Self {
            fetcher,
            documents: document::Ways::from_env(env)?,
            dynamodb: dynamodb::Ways::from_env(env)?,
            twitch: twitch::Ways::from_env(env)?,
        })
    }

    /// Those of a program that its user runs with credentials of their own, as [`dynamodb::Ways::for_own_account`] says.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn for_own_account(env: &Env, fetcher: Fetcher) -> anyhow::Result<Self> {
        Ok(Self { dynamodb: dynamodb::Ways::for_own_account(env)?, ..Self::from_env(env, fetcher)? })
    }
}

/// The address of a service that an operator's setting names: nothing but what a path can be put behind.
fn plain_address(name: &str, text: &str, like: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let plain = |url: &Url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    url.filter(plain).with_context(|| format!("{name} is not an address like {like}"))?;
    Ok(text.to_owned())
}

/// Reads everything that a source lists within a window, in [`READ_TIME`] at most.
///
/// # Errors
/// Where the source as a whole cannot be read.
pub async fn read(
    source: &HighlightSource,
    ways: &Ways,
    window: Option<Window>,
) -> Result<Gathered, SourceError> {
    let opened: Box<dyn Source> = match source {
        HighlightSource::Dynamodb { dynamodb } => {
            Box::new(dynamodb::Dynamodb::open(dynamodb, &ways.dynamodb)?)
        }
        HighlightSource::Twitch { twitch } => Box::new(twitch::Twitch::open(twitch, &ways.twitch)?),
        HighlightSource::Document(document) => {
            Box::new(document::Document::open(document, &ways.fetcher, &ways.documents)?)
        }
    };
    let mut gathered = Gathered::new(window);
    tokio::time::timeout(READ_TIME, opened.read(&mut gathered)).await.unwrap_or_else(|_| {
        let reason = format!("the source was not read to its end in {} minutes", READ_TIME.as_secs() / 60);
        Err(SourceError::Unavailable(reason))
    })?;
    Ok(gathered)
}
