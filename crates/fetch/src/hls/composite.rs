//! Segments of a playlist, joined to one virtual file.
//!
//! The file is the initialisation section, if there is one, and the segments one after the other; a read goes to the parts that it
//! touches and to nothing else. Opening asks each file behind the segments for its beginning, to learn how long it is. Promises:
//! each part has one version or the read fails; the bounds of a source hold for all parts together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Composite, MediaPlaylist};
use crate::client::{Http, Trust, unusable};
use crate::error::FetchError;
use crate::opening::{self, Opening};
use crate::range::Counters;
use crate::source::{Source, SourceStats};
use crate::spool::Spool;

/// Files that are opened at the same time; the limit of their host holds besides.
const OPENED_AT_ONCE: usize = 8;
/// Files of servers without ranges: each is a whole download, and a file of this process.
const MOST_WHOLE_FILES: usize = 256;

/// The virtual file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Joined {
    shared: Arc<Shared>,
}

struct Shared {
    parts: Vec<Part>,
    length: u64,
    identity: String,
    fingerprint: Option<String>,
    counters: Arc<Counters>,
}

struct Part {
    /// Where it begins in the virtual file.
    at: u64,
    source: Source,
    /// Where it begins in its own file.
    first: u64,
    length: u64,
}

/// Opens what a composite names.
pub(crate) async fn open(
    http: &Arc<Http>,
    playlist: &MediaPlaylist,
    composite: &Composite,
) -> Result<Joined, FetchError> {
    let init = playlist.groups.get(composite.group).and_then(|group| group.init.as_ref());
    let places: Vec<(&Url, Option<(u64, u64)>)> = init
        .map(|init| (&init.url, init.range))
        .into_iter()
        .chain(
            composite
                .segments
                .iter()
                .filter_map(|index| playlist.segments.get(*index))
                .map(|segment| (&segment.url, segment.range)),
        )
        .collect();
    let counters = Arc::new(Counters::default());
    let files = open_files(http, &places, &counters).await?;
    let mut parts = Vec::with_capacity(places.len());
    let (mut length, mut hash, mut print) = (0_u64, Sha256::new(), Some(Sha256::new()));
    for (url, range) in places {
        let Some(source) = files.get(url) else { continue };
        let (first, bytes) = range.unwrap_or((0, source.len()));
        if first.checked_add(bytes).is_none_or(|end| end > source.len()) {
            return Err(unusable(url, "a segment lies beyond its end. The playlist belongs to another file"));
        }
        hash.update(format!("{} {first} {bytes}\n", source.identity()));
        print = print.zip(source.fingerprint()).map(|(mut print, file)| {
            print.update(format!("{file} {first} {bytes}\n"));
            print
        });
        parts.push(Part { at: length, source: source.clone(), first, length: bytes });
        length = length
            .checked_add(bytes)
            .ok_or_else(|| unusable(url, "its segments are longer than any file can be"))?;
    }
    let identity = format!("segments {}, {length} bytes", hex::encode(hash.finalize()));
    let fingerprint = print.map(|print| hex::encode(print.finalize()));
    Ok(Joined { shared: Arc::new(Shared { parts, length, identity, fingerprint, counters }) })
}

/// Each distinct file, opened.
async fn open_files(
    http: &Arc<Http>,
    places: &[(&Url, Option<(u64, u64)>)],
    counters: &Arc<Counters>,
) -> Result<BTreeMap<Url, Source>, FetchError> {
    let spool = Arc::new(Spool::new(http.config.temp_dir.clone()));
    let distinct: BTreeSet<Url> = places.iter().map(|(url, _)| (*url).clone()).collect();
    let opening = distinct.into_iter().map(|url| {
        let opening = Opening {
            // A page is enough to learn the length, and most segments are read from their beginning.
            bytes: http.config.page_bytes,
            counters: Arc::clone(counters),
            spool: Arc::clone(&spool),
            ..Opening::new(http, url.clone(), Trust::Guarded)
        };
        let http = Arc::clone(http);
        async move { Ok((url, opening::open(http, opening).await?)) }
    });
    let opening: Vec<_> = opening.collect();
    let mut opening = stream::iter(opening).buffer_unordered(OPENED_AT_ONCE);
    let (mut files, mut whole) = (BTreeMap::new(), 0);
    while let Some((url, source)) = opening.try_next().await? {
        whole += usize::from(source.is_whole());
        if whole > MOST_WHOLE_FILES {
            return Err(unusable(
                &url,
                "its server does not serve ranges, and there are too many segments to copy",
            ));
        }
        files.insert(url, source);
    }
    Ok(files)
}

impl Joined {
    /// The size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.shared.length
    }

    /// The versions of all parts, hashed.
    pub(crate) fn identity(&self) -> String {
        self.shared.identity.clone()
    }

    /// The fingerprints of all parts, hashed, if all have one.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.shared.fingerprint.clone()
    }

    /// What all parts have cost.
    pub(crate) fn stats(&self) -> SourceStats {
        self.shared.counters.stats()
    }

    /// The bytes from `offset`: `len` of them, fewer only at the end. Boxed, because the parts are sources in their turn.
    pub(crate) fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'static, Result<Bytes, FetchError>> {
        let shared = &*self.shared;
        let end = offset.saturating_add(len as u64).min(shared.length);
        let first = shared.parts.partition_point(|part| part.at + part.length <= offset);
        let touched = shared.parts.get(first..).unwrap_or_default().iter().take_while(|part| part.at < end);
        let reads: Vec<_> = touched
            .map(|part| {
                let from = offset.saturating_sub(part.at);
                let to = (end - part.at).min(part.length);
                read_part(part.source.clone(), part.first + from, to.saturating_sub(from) as usize)
            })
            .collect();
        async move {
            let pieces: Vec<Bytes> = stream::iter(reads).buffered(OPENED_AT_ONCE).try_collect().await?;
            Ok(match <[Bytes; 1]>::try_from(pieces) {
                Ok([one]) => one,
                Err(many) => many.concat().into(),
            })
        }
        .boxed()
    }
}

async fn read_part(source: Source, from: u64, wanted: usize) -> Result<Bytes, FetchError> {
    let bytes = source.read_at(from, wanted).await?;
    if bytes.len() == wanted {
        Ok(bytes)
    } else {
        Err(FetchError::Changed { source_name: "a segment of the playlist".to_owned() })
    }
}
