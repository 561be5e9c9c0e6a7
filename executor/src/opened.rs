//! An opened source: read by offset for as long as a render takes, although links end sooner.
//!
//! Links to the library's objects end after minutes, those behind pages after hours. When one ends, a new one is asked for where
//! the first one came from, and reading goes on if the bytes are still the same ones: same length, same version.

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use contracts::object::GrantRequest;
use fetch::{
    FetchError, Media, Source, SourceStats,
    hls::{Composite, MediaPlaylist},
};

use crate::sources::Door;

/// How often a new link is asked for in the life of one source.
const MOST_RENEWALS: u64 = 100;

/// An opened source.
#[derive(Debug)]
pub struct OpenSource {
    reader: RwLock<Source>,
    bytes: u64,
    identity: String,
    playlist: Option<PlaylistPart>,
    /// Where a new link comes from, for those that need one. Locked while one is asked for.
    renewal: Option<tokio::sync::Mutex<Renewal>>,
    served: AtomicU64,
    /// What readers of earlier links have cost.
    past: RwLock<SourceStats>,
}

/// What of a playlist a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistPart {
    /// Segments of the playlist in all.
    pub of: usize,
    /// Indexes of the segments that it is made of, ascending.
    pub segments: Vec<usize>,
    /// Where its group begins in the playlist, in ticks.
    pub start: i64,
}

#[derive(Debug)]
struct Renewal {
    door: Door,
    origin: Origin,
    /// How often a new link was taken.
    round: u64,
}

/// Where a new link comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The library.
    Grant(GrantRequest),
    /// A page of somebody else's.
    Page {
        /// Its address.
        page: String,
        /// The largest picture that is taken.
        max_pixels: u64,
        /// What is read of the playlist behind it, if there is one.
        composite: Option<Composite>,
    },
}

impl From<Source> for OpenSource {
    fn from(source: Source) -> Self {
        Self {
            bytes: source.len(),
            identity: source.identity(),
            reader: RwLock::new(source),
            playlist: None,
            renewal: None,
            served: AtomicU64::new(0),
            past: RwLock::default(),
        }
    }
}

impl PlaylistPart {
    /// What a composite takes of a playlist.
    #[must_use]
    pub fn new(playlist: &MediaPlaylist, composite: &Composite) -> Self {
        Self { of: playlist.segments.len(), segments: composite.segments.clone(), start: composite.start }
    }
}

/// For people: `segments 1, 5-7 of 12 of a playlist`, counted from 1.
impl std::fmt::Display for PlaylistPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for segment in &self.segments {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *segment => *last = *segment,
                _ => runs.push((*segment, *segment)),
            }
        }
        let runs: Vec<String> = runs
            .iter()
            .map(|(first, last)| match first == last {
                true => (first + 1).to_string(),
                false => format!("{}-{}", first + 1, last + 1),
            })
            .collect();
        write!(formatter, "segments {} of {} of a playlist", runs.join(", "), self.of)
    }
}

impl OpenSource {
    /// With a place where new links come from.
    #[must_use]
    pub fn renewed_from(self, door: &Door, origin: Origin) -> Self {
        let renewal = Renewal { door: door.clone(), origin, round: 0 };
        Self { renewal: Some(tokio::sync::Mutex::new(renewal)), ..self }
    }

    /// As a part of a playlist.
    #[must_use]
    pub fn of_playlist(self, part: PlaylistPart) -> Self {
        Self { playlist: Some(part), ..self }
    }

    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells this version from others at the same place.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// A name for these very bytes among all sources: what was made from them may be used again wherever it is the same. None where
    /// no such claim can be made.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        read(&self.reader).fingerprint()
    }

    /// Whether parts of it can be fetched from where it is; else all of it was fetched when it was opened.
    #[must_use]
    pub fn is_served_in_parts(&self) -> bool {
        !read(&self.reader).is_whole()
    }

    /// What of a playlist it is, if it is of one.
    #[must_use]
    pub fn playlist(&self) -> Option<&PlaylistPart> {
        self.playlist.as_ref()
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
            (Err(ended @ (FetchError::Forbidden { .. } | FetchError::NotFound { .. })), Some(renewal)) => {
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
        if renewal.round >= MOST_RENEWALS {
            return Err(ended);
        }
        let source = renewal.door.reopen(&renewal.origin, ended).await?;
        if source.len() != self.bytes || source.identity() != self.identity {
            return Err(FetchError::Changed {
                source_name: "the source behind a link that ended".to_owned(),
            });
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

impl Door {
    /// Opens anew what was opened before; `ended` is why.
    async fn reopen(&self, origin: &Origin, ended: FetchError) -> Result<Source, FetchError> {
        match origin {
            Origin::Grant(request) => {
                let link = self.read_link(request).await.map_err(|error| {
                    tracing::warn!(%error, "a link to a source ended and no new one was given");
                    ended
                })?;
                self.open_link(&link).await
            }
            Origin::Page { page, max_pixels, composite } => {
                match (self.open_page(page, *max_pixels).await?, composite) {
                    (Media::File(source), None) => Ok(source),
                    (Media::Playlist(playlist), Some(composite)) => {
                        self.fetcher.0.open_composite(&playlist, composite).await
                    }
                    _ => Err(FetchError::Changed { source_name: "the page of a source".to_owned() }),
                }
            }
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_told_in_runs() {
        let part = PlaylistPart { of: 12, segments: vec![0, 4, 5, 6, 9], start: 0 };
        assert_eq!(part.to_string(), "segments 1, 5-7, 10 of 12 of a playlist");
    }
}
