//! Lists of highlights: the answers of addresses, files below the media directories, and objects of the operator's store of lists.
//!
//! A document is held as bytes, of [`LARGEST`] at most, and its rows are read one after the other by one of the formats below. A row that
//! cannot be used is reported with its place. A document that is not what its format says is refused with the place and with what was
//! expected. Addresses are fetched under the guard, page by page where they have pages, with a token of the operator's where there is one
//! for their host.

mod chapters;
mod edl;
mod highlights;
mod json;
mod otio;
mod paging;
pub(crate) mod path;
pub(crate) mod row;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod timecode;
mod tokens;

use std::sync::Arc;

use contracts::import::{DocumentSource, ListFormat, Place};
use fetch::{FetchError, Fetcher, ReadStore, StoreConfig};
use futures::future::BoxFuture;
use serde_json::Value;
use service_kit::env::{Env, EnvError};
use url::Url;

use super::{Source, SourceError, rate::FrameRate};
use crate::{Window, candidate::Gathered, template};
use paging::Pages;
use row::{Rows, Usual};
use tokens::Tokens;

/// Most bytes of a document, or of one page of it.
pub const LARGEST: u64 = 16 << 20;

/// By what documents are reached beside the guarded way out: what the operator has set.
#[derive(Clone, Default)]
pub struct Ways {
    /// `SM_LISTS_STORE`: the store that sources name objects of.
    lists: Option<ReadStore>,
    /// `SM_SOURCE_TOKENS`: what lists on some hosts are fetched with.
    tokens: Arc<Tokens>,
}

impl Ways {
    /// Those of a process's settings.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        const TOKENS: &str = "SM_SOURCE_TOKENS";
        let lists = StoreConfig::from_lookup_at("SM_LISTS_STORE", &|name| env.lookup(name))?;
        let tokens = Tokens::parse(env.get(TOKENS).unwrap_or_default())
            .map_err(|reason| EnvError::Invalid { name: TOKENS.to_owned(), reason })?;
        Ok(Self { lists: lists.as_ref().map(ReadStore::open).transpose()?, tokens: Arc::new(tokens) })
    }
}

/// How a document is read.
enum Format {
    Highlights,
    Json(Box<json::Paths>),
    Table(Box<table::Columns>),
    Edl(FrameRate),
    Otio,
    Chapters,
}

impl Format {
    fn of(source: &DocumentSource) -> Result<Self, SourceError> {
        let mapping = source.mapping.clone().unwrap_or_default();
        Ok(match source.format {
            ListFormat::Highlights => Self::Highlights,
            ListFormat::Json => Self::Json(Box::new(json::Paths::of(&mapping)?)),
            ListFormat::Csv => Self::Table(Box::new(table::Columns::of(&mapping))),
            ListFormat::Edl => {
                let rate = FrameRate::parse(source.frame_rate.as_deref().unwrap_or_default());
                Self::Edl(rate.map_err(|detail| SourceError::Refused(format!("`frame_rate`: {detail}")))?)
            }
            ListFormat::Otio => Self::Otio,
            ListFormat::Chapters => Self::Chapters,
        })
    }

    fn read(&self, bytes: &[u8], rows: &mut Rows<'_>) -> Result<(), SourceError> {
        match self {
            Self::Highlights => highlights::read(bytes, rows),
            Self::Json(paths) => paths.read(bytes, rows),
            Self::Table(columns) => columns.read(bytes, rows),
            Self::Edl(rate) => edl::read(bytes, *rate, rows),
            Self::Otio => otio::read(bytes, rows),
            Self::Chapters => chapters::read(bytes, rows),
        }
    }

    fn read_page(&self, page: &Value, rows: &mut Rows<'_>) -> Result<(), SourceError> {
        match self {
            Self::Json(paths) => paths.read_page(page, rows),
            _ => highlights::read_page(page, rows),
        }
    }
}

/// A list that can be read.
pub struct Document {
    place: Place,
    format: Format,
    pages: Option<Pages>,
    usual: Usual,
    fetcher: Fetcher,
    ways: Ways,
}

impl Document {
    /// Makes it ready. Nothing is contacted.
    ///
    /// # Errors
    /// For an object without a store of lists, and for what a definition would have refused.
    pub fn open(source: &DocumentSource, fetcher: &Fetcher, ways: &Ways) -> Result<Self, SourceError> {
        if matches!(source.place, Place::Object(_)) && ways.lists.is_none() {
            return Err(SourceError::Refused(
                "there is no store of lists here: ask the operator to set SM_LISTS_STORE, or give the list by `url` or `path`".to_owned(),
            ));
        }
        let has_pages = matches!(source.format, ListFormat::Json | ListFormat::Highlights);
        if source.paging.is_some() && !(has_pages && matches!(source.place, Place::Url(_))) {
            let reason =
                "only addresses of the formats `json` and `highlights` have pages: leave `paging` out";
            return Err(SourceError::Refused(reason.to_owned()));
        }
        let usual = Usual::of(source)?;
        if source.format == ListFormat::Chapters && usual.needs_video() {
            let reason = "`chapters` do not say their video: give it whole by `video`, without {id}";
            return Err(SourceError::Refused(reason.to_owned()));
        }
        Ok(Self {
            place: source.place.clone(),
            format: Format::of(source)?,
            pages: source.paging.as_ref().map(Pages::of).transpose()?,
            usual,
            fetcher: fetcher.clone(),
            ways: ways.clone(),
        })
    }

    async fn read_all(&self, into: &mut Gathered) -> Result<(), SourceError> {
        let window = into.window();
        let mut rows = Rows::new(&self.usual, into);
        let bytes = match &self.place {
            Place::Url(text) => {
                let url = fetch::parse_url(&filled(text, window)?)?;
                match &self.pages {
                    Some(pages) => return self.read_pages(pages, url, &mut rows).await,
                    None => self.fetch(&url).await?.bytes,
                }
            }
            Place::Path(text) => {
                let file = self.fetcher.open_path(&filled(text, window)?).await?;
                if file.len() > LARGEST {
                    return Err(SourceError::Refused(format!(
                        "the list of highlights is larger than the {LARGEST} bytes that a document may have: split it"
                    )));
                }
                file.read_at(0, usize::try_from(file.len()).unwrap_or_default()).await?
            }
            Place::Object(text) => {
                let lists = self.ways.lists.as_ref();
                let lists = lists
                    .ok_or_else(|| SourceError::Refused("there is no store of lists here".to_owned()))?;
                lists.read(&filled(text, window)?, LARGEST).await?
            }
        };
        self.format.read(&bytes, &mut rows)
    }

    async fn read_pages(&self, pages: &Pages, first: Url, rows: &mut Rows<'_>) -> Result<(), SourceError> {
        let mut way = pages.from(first.clone());
        let mut url = first;
        loop {
            rows.turn_to(way.number);
            let document = self.fetch(&url).await?;
            let page: Value =
                json::parse(text::plain(&document.bytes)?, &format!("page {} as JSON", way.number))?;
            self.format.read_page(&page, rows)?;
            match way.next(&page, &document.url)? {
                Some(next) => url = next,
                None => return Ok(()),
            }
        }
    }

    async fn fetch(&self, url: &Url) -> Result<fetch::Document, SourceError> {
        let fetched = match self.ways.tokens.for_address(url) {
            Some(token) => self.fetcher.fetch_document_with_token(url.as_str(), LARGEST, token).await,
            None => self.fetcher.fetch_document(url.as_str(), LARGEST).await,
        };
        fetched.map_err(|error| match error {
            FetchError::Forbidden { source_name, status } => SourceError::Refused(format!(
                "the list of highlights cannot be read: {source_name} refuses access (status {status}). If it needs a token, the operator \
                 gives it for its host in SM_SOURCE_TOKENS"
            )),
            other => other.into(),
        })
    }
}

impl Source for Document {
    fn read<'a>(&'a self, into: &'a mut Gathered) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.read_all(into))
    }
}

/// A place with the window's days in it.
fn filled(text: &str, window: Option<Window>) -> Result<String, SourceError> {
    match window {
        Some(Window { days, .. }) => {
            Ok(template::fill(text, &[("from", days.from.to_string()), ("to", days.to.to_string())]))
        }
        None if ["{from}", "{to}"].iter().any(|name| text.contains(name)) => Err(SourceError::Refused(
            "the place of the list names the window's days, and no window is asked for: say which days, like {\"last_days\": 7}".to_owned(),
        )),
        None => Ok(text.to_owned()),
    }
}
