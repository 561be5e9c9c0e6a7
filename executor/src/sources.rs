//! The sources of a montage: each distinct one is opened once, by the door that its kind asks for.
//!
//! Links go through the fetch guard, paths through the operator's directories, uploads and montages by links that the library
//! signs for this lease. A link to an HLS playlist becomes one source for each run of segments whose times go on, made of the
//! segments that its highlights need; the times of the clips are those of that source, and the shift leads back. A link to a page
//! is looked behind, where the operator provides a program for it (see `pages`).

use std::{collections::BTreeMap, sync::Arc};

use contracts::{
    object::{GrantRequest, ReadWish},
    problem::ProblemCode,
    spec::{Bookend, Highlight, MontageSpec, Source as Named},
    time::MediaTime,
};
use fetch::{
    FetchError, Fetcher, Media, MediaWish, Source,
    hls::{self, Composite, MediaPlaylist, Window},
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

pub use crate::opened::OpenSource;
use crate::{
    api::{ApiError, Gateway},
    config::PagesConfig,
    failure::Failed,
    lease::Lease,
    opened::{Origin, PlaylistPart},
    pages,
};

/// Sources that are opened at the same time.
const AT_ONCE: usize = 4;
/// What of a playlist is made ready before and after a clip: its durations are rounded, and sound begins before its picture.
const MARGIN: i64 = 2 * hls::TICKS_PER_SECOND;

/// What opening needs.
#[derive(Debug, Clone)]
pub struct Door {
    /// Asks for links.
    pub gateway: Gateway,
    /// The gateway's address, for links that are paths on it.
    pub gateway_url: String,
    /// Opens.
    pub fetcher: Opener,
    /// Looks behind pages, if the operator wants it.
    pub pages: Option<PagesConfig>,
}

/// A fetcher that can be shown in logs.
#[derive(Clone)]
pub struct Opener(pub Fetcher);

impl std::fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Opener")
    }
}

/// The sources of one spec.
#[derive(Debug)]
pub struct Sources {
    /// The distinct ones, in order of their first highlight. A playlist may be several in a row.
    pub opened: Vec<(Named, Arc<OpenSource>)>,
    /// For each of [`moments`] where it lies: in one source, or in consecutive parts where it spans a break of a playlist.
    pub of_highlight: Vec<Vec<Part>>,
}

/// A highlight, or a part of one, in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Index of the source.
    pub source: usize,
    /// Where it begins in that source, counted from its first picture.
    pub start: MediaTime,
    /// How long it is.
    pub duration: MediaTime,
    /// Ticks to add to a time in that source to get one in what the person named.
    pub shift: i64,
}

/// A clip of the montage: which highlight it shows, and where that lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Index among [`moments`].
    pub highlight: usize,
    /// Where it lies.
    pub part: Part,
}

/// What a source turned out to be.
#[derive(Debug)]
pub struct Found {
    /// The media.
    pub media: FoundMedia,
    /// The page that it was found behind, if it was.
    pub page: Option<Page>,
}

/// The media of a source.
#[derive(Debug)]
pub enum FoundMedia {
    /// A file, open.
    File(Box<OpenSource>),
    /// A recording in pieces.
    Playlist(MediaPlaylist),
}

/// A page that media is found behind.
#[derive(Debug)]
pub struct Page {
    address: String,
    max_pixels: u64,
}

/// A distinct source as it was opened: its readers, and for each of its highlights the parts, by the readers' indexes.
struct Opened {
    readers: Vec<OpenSource>,
    parts: Vec<Vec<Part>>,
}

impl Door {
    /// Opens what a link of our own library leads to: absolute, or a path on the gateway.
    pub(crate) async fn open_link(&self, url: &str) -> Result<Source, FetchError> {
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
            ApiError::Refused(problem) if problem.code == ProblemCode::Conflict.as_str() => {
                Failed::permanent("source_incomplete", problem.detail.unwrap_or(problem.title))
            }
            error => {
                if matches!(error, ApiError::Stale) {
                    lease.lost();
                }
                error.into()
            }
        })?;
        let source = self.open_link(&link).await?;
        Ok(OpenSource::from(source).renewed_from(self, Origin::Grant(request)))
    }

    pub(crate) async fn read_link(&self, request: &GrantRequest) -> Result<String, ApiError> {
        let grants = self.gateway.grants(request).await?;
        let grant = grants.read.into_iter().next();
        grant.map(|grant| grant.url).ok_or_else(|| ApiError::Unavailable("it gave no link".to_owned()))
    }

    /// Looks behind a page and opens what is there.
    pub(crate) async fn open_page(&self, page: &str, max_pixels: u64) -> Result<Media, FetchError> {
        let Some(config) = &self.pages else {
            return Err(FetchError::WebPage { source_name: "the page".to_owned() });
        };
        let found = pages::find(config, &self.fetcher.0, page, max_pixels).await?;
        // The address differs each time; page and format are what it goes by.
        let wish = MediaWish { max_pixels, name: Some(format!("{page} {}", found.format)) };
        self.fetcher.0.open_media(&found.url, &wish).await
    }

    /// Finds out what a person named: opens it where it is a file, and reads it where it is a playlist.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn find(&self, lease: &Lease, named: &Named, max_pixels: u64) -> Result<Found, Failed> {
        if let Named::Url(url) = named {
            return self.find_url(url, max_pixels).await;
        }
        let source = self.open_file(lease, named).await?;
        Ok(Found { media: FoundMedia::File(Box::new(source)), page: None })
    }

    /// Opens what a person named as the file that it is: no playlist is followed, no page looked behind.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn open_file(&self, lease: &Lease, named: &Named) -> Result<OpenSource, Failed> {
        match named {
            Named::Url(url) => Ok(self.fetcher.0.open_url(url).await?.into()),
            Named::Path(path) => Ok(self.fetcher.0.open_path(path).await?.into()),
            Named::Upload(id) => self.open_granted(lease, ReadWish::Upload(*id)).await,
            Named::Montage(id) => self.open_granted(lease, ReadWish::Montage(*id)).await,
        }
    }

    async fn find_url(&self, url: &str, max_pixels: u64) -> Result<Found, Failed> {
        let wish = MediaWish { max_pixels, name: None };
        let (media, page) = match self.fetcher.0.open_media(url, &wish).await {
            Err(FetchError::WebPage { .. }) if self.pages.is_some() => {
                let page = Page { address: url.to_owned(), max_pixels };
                (self.open_page(url, max_pixels).await?, Some(page))
            }
            media => (media?, None),
        };
        let media = match media {
            Media::File(source) => {
                FoundMedia::File(Box::new(self.renewed(source.into(), page.as_ref(), None)))
            }
            Media::Playlist(playlist) => FoundMedia::Playlist(playlist),
        };
        Ok(Found { media, page })
    }

    /// A source with the page that new links to it come from, if it was found behind one.
    fn renewed(&self, source: OpenSource, page: Option<&Page>, composite: Option<Composite>) -> OpenSource {
        let Some(Page { address, max_pixels }) = page else { return source };
        source.renewed_from(self, Origin::Page { page: address.clone(), max_pixels: *max_pixels, composite })
    }

    /// Opens segments of a playlist that was found.
    ///
    /// # Errors
    /// Why they cannot be opened.
    pub async fn open_segments(
        &self,
        playlist: &MediaPlaylist,
        composite: &Composite,
        page: Option<&Page>,
    ) -> Result<OpenSource, Failed> {
        let source: Source = self.fetcher.0.open_composite(playlist, composite).await?;
        let source = OpenSource::from(source).of_playlist(PlaylistPart::new(playlist, composite));
        Ok(self.renewed(source, page, Some(composite.clone())))
    }

    async fn open(
        &self,
        lease: &Lease,
        named: &Named,
        highlights: &[&Highlight],
        max_pixels: u64,
    ) -> Result<Opened, Failed> {
        let found = self.find(lease, named, max_pixels).await?;
        let playlist = match found.media {
            FoundMedia::File(source) => return Ok(Opened::file(*source, highlights)),
            FoundMedia::Playlist(playlist) => playlist,
        };
        let wished: Vec<_> = highlights.iter().map(|highlight| window(highlight)).collect();
        if playlist.groups.len() > 1 && wished.contains(&None) {
            return Err(Failed::permanent(
                "source_unusable",
                "Times in frames cannot be found in a playlist with discontinuities. Give them in seconds.",
            ));
        }
        let cutting = hls::windows(&playlist, &wished, MARGIN);
        let mut readers = Vec::with_capacity(cutting.composites.len());
        for composite in &cutting.composites {
            readers.push(self.open_segments(&playlist, composite, found.page.as_ref()).await?);
        }
        Ok(Opened { readers, parts: in_playlist(&cutting, highlights) })
    }
}

impl Opened {
    /// A source that every highlight lies in as a person named it.
    fn file(source: OpenSource, highlights: &[&Highlight]) -> Self {
        let whole = |highlight: &&Highlight| {
            vec![Part { source: 0, start: highlight.start, duration: highlight.duration, shift: 0 }]
        };
        Self { readers: vec![source], parts: highlights.iter().map(whole).collect() }
    }
}

/// What a highlight shows of a playlist; none where it is told in frames, whose rate is not known before decoding.
fn window(highlight: &Highlight) -> Option<Window> {
    match (highlight.start, highlight.duration) {
        (MediaTime::Ticks(start), MediaTime::Ticks(duration)) => {
            Some(Window { start, end: start.saturating_add(duration) })
        }
        _ => None,
    }
}

/// Where each highlight lies in the composites of a playlist.
fn in_playlist(cutting: &hls::Cutting, highlights: &[&Highlight]) -> Vec<Vec<Part>> {
    let place = |(highlight, parts): (&&Highlight, &Vec<hls::Part>)| {
        let part = |part: &hls::Part| {
            let shift = cutting.composites.get(part.composite).map_or(0, |composite| composite.start);
            let (start, duration) = match window(highlight) {
                Some(_) => (
                    MediaTime::Ticks(part.window.start),
                    MediaTime::Ticks(part.window.end - part.window.start),
                ),
                None => (highlight.start, highlight.duration),
            };
            Part { source: part.composite, start, duration, shift }
        };
        parts.iter().map(part).collect()
    };
    highlights.iter().zip(&cutting.clips).map(place).collect()
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
        let moments = moments(spec);
        let (distinct, source_of) = distinct(&moments);
        let count = distinct.len();
        let max_pixels = most_pixels(spec);
        let opening: Vec<_> = distinct
            .into_iter()
            .enumerate()
            .map(|(index, (named, highlight))| {
                let of_it = moments.iter().zip(&source_of).filter(|(_, source)| **source == index);
                let highlights: Vec<&Highlight> = of_it.map(|(highlight, _)| highlight).collect();
                async move {
                    match door.open(lease, &named, &highlights, max_pixels).await {
                        Ok(opened) => Ok((named, opened)),
                        Err(failed) => Err(failed.at(pointer(spec, highlight, &named))),
                    }
                }
                .boxed()
            })
            .collect();
        let (mut opened, mut parts) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut opening = stream::iter(opening).buffered(AT_ONCE);
        while let Some((named, source)) = opening.try_next().await? {
            let before = opened.len();
            opened.extend(source.readers.into_iter().map(|reader| (named.clone(), Arc::new(reader))));
            // From here on by the index among all sources.
            let among_all = |part: Part| Part { source: before + part.source, ..part };
            let of_source = source.parts.into_iter();
            parts.push(
                of_source
                    .map(|parts| parts.into_iter().map(among_all).collect::<Vec<_>>())
                    .collect::<Vec<_>>()
                    .into_iter(),
            );
            on_progress(parts.len() as f64 / count as f64);
        }
        let next = |source: &usize| parts.get_mut(*source).and_then(Iterator::next).unwrap_or_default();
        let of_highlight = source_of.iter().map(next).collect();
        Ok(Self { opened, of_highlight })
    }

    /// The clips of a montage, as [`shown`] says in which order.
    #[must_use]
    pub fn clips(&self, spec: &MontageSpec) -> Vec<Placed> {
        let order = shown(spec);
        let parts = |highlight: usize| {
            let parts = self.of_highlight.get(highlight).map(Vec::as_slice).unwrap_or_default();
            parts.iter().map(move |part| Placed { highlight, part: *part })
        };
        order.into_iter().flat_map(parts).collect()
    }

    /// The readers, in order.
    #[must_use]
    pub fn readers(&self) -> Vec<Arc<OpenSource>> {
        self.opened.iter().map(|(_, source)| Arc::clone(source)).collect()
    }

    /// The pointer to a source's first highlight.
    #[must_use]
    pub fn pointer(&self, spec: &MontageSpec, index: usize) -> Option<String> {
        let (named, _) = self.opened.get(index)?;
        let lies_there = |parts: &Vec<Part>| parts.iter().any(|part| part.source == index);
        let highlight = self.of_highlight.iter().position(lies_there)?;
        Some(pointer(spec, highlight, named))
    }
}

/// The largest picture that is worth fetching: Full HD, or the canvas where that is larger.
fn most_pixels(spec: &MontageSpec) -> u64 {
    let (width, height) = (spec.canvas.width, spec.canvas.height);
    let canvas = width.zip(height).map(|(width, height)| u64::from(width) * u64::from(height));
    MediaWish::default().max_pixels.max(canvas.unwrap_or(0))
}

/// Everything that a montage shows, as highlights: the spec's own, and behind them intro and outro where there are such.
#[must_use]
pub fn moments(spec: &MontageSpec) -> Vec<Highlight> {
    let bookend = |bookend: &Bookend, title: &str| Highlight {
        source: bookend.source.clone(),
        start: bookend.start,
        duration: bookend.duration.unwrap_or(TO_THE_END),
        title: Some(title.to_owned()),
        streamer: None,
        score: None,
        cut: None,
    };
    let intro = spec.intro.iter().map(|intro| bookend(intro, "Intro"));
    let outro = spec.outro.iter().map(|outro| bookend(outro, "Outro"));
    spec.highlights.iter().cloned().chain(intro).chain(outro).collect()
}

/// Length of a moment that lasts to its source's end.
pub const TO_THE_END: MediaTime = MediaTime::Ticks(i64::MAX);

/// The indexes of [`moments`] in the order in which they are shown.
#[must_use]
pub fn shown(spec: &MontageSpec) -> Vec<usize> {
    let count = spec.highlights.len();
    let intro = spec.intro.iter().map(|_| count);
    let outro = spec.outro.iter().map(|_| count + usize::from(spec.intro.is_some()));
    intro.chain(spec.clip_order()).chain(outro).collect()
}

/// The JSON pointer to one of [`moments`].
#[must_use]
pub fn place(spec: &MontageSpec, moment: usize) -> String {
    match moment.checked_sub(spec.highlights.len()) {
        None => format!("/spec/highlights/{moment}"),
        Some(0) if spec.intro.is_some() => "/spec/intro".to_owned(),
        Some(_) => "/spec/outro".to_owned(),
    }
}

/// Each distinct source with its first moment, and for each moment the index of its source.
fn distinct(moments: &[Highlight]) -> (Vec<(Named, usize)>, Vec<usize>) {
    let mut known: BTreeMap<&Named, usize> = BTreeMap::new();
    let mut sources = Vec::new();
    let mut source_of = Vec::with_capacity(moments.len());
    for (index, moment) in moments.iter().enumerate() {
        let source = *known.entry(&moment.source).or_insert_with(|| {
            sources.push((moment.source.clone(), index));
            sources.len() - 1
        });
        source_of.push(source);
    }
    (sources, source_of)
}

fn pointer(spec: &MontageSpec, moment: usize, named: &Named) -> String {
    format!("{}{}", place(spec, moment), within(named))
}

/// The JSON pointer to a source within what names it.
#[must_use]
pub fn within(named: &Named) -> &'static str {
    match named {
        Named::Url(_) => "/source/url",
        Named::Path(_) => "/source/path",
        Named::Upload(_) => "/source/upload",
        Named::Montage(_) => "/source/montage",
    }
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
        let (sources, of_highlight) = distinct(&moments(&spec));
        let path = |name: &str| Named::Path(name.to_owned());
        assert_eq!(sources, [(path("m:b"), 0), (path("m:a"), 1), (path("m:c"), 3)]);
        assert_eq!(of_highlight, [0, 1, 0, 2, 1]);
        assert_eq!(pointer(&spec, 3, &path("m:c")), "/spec/highlights/3/source/path");
    }
}
