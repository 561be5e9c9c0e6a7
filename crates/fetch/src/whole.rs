//! Sources on servers that do not serve ranges: one download, then reads from the copy.
//!
//! The copy is a file without a name, so that nothing is left behind however the process ends. A body that is longer than the
//! bound is given up as soon as that is known; one that is shorter than announced is [`FetchError::EndedEarly`].

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use url::Url;

use crate::client::{Answer, Fault, Http};
use crate::error::FetchError;
use crate::headers;
use crate::local::pread;
use crate::range::Counters;
use crate::source::SourceStats;

/// A downloaded copy. Cheap to clone; gone when the last clone is.
#[derive(Debug, Clone)]
pub(crate) struct WholeFile {
    file: Arc<File>,
    shown: String,
    length: u64,
    sha256: String,
    counters: Arc<Counters>,
    /// The address that answered.
    url: Url,
}

/// Saves the body of an answer. The caller bounds the time.
pub(crate) async fn save(
    http: &Http,
    shown: &str,
    mut answer: Answer,
    counters: &Arc<Counters>,
) -> Result<WholeFile, Fault> {
    let response = &mut answer.response;
    let limit = http.config.max_bytes;
    let announced = headers::content_length(response.headers());
    if announced.is_some_and(|announced| announced > limit) {
        return Err(Fault::last(too_large(shown, limit)));
    }
    let failed = |error: std::io::Error| Fault::last(FetchError::local("keeping a copy of a source", &error));
    let file = tempfile::tempfile_in(&http.config.temp_dir).map_err(failed)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut length, mut hash) = (0_u64, Sha256::new());
    let ended_early = |got| FetchError::EndedEarly {
        source_name: shown.to_owned(),
        expected: announced.unwrap_or_default(),
        got,
    };
    loop {
        let piece = http.next_piece(shown, response).await.map_err(|fault| match fault.error {
            FetchError::EndedEarly { .. } => Fault::again(ended_early(length)),
            _ => fault,
        })?;
        let Some(piece) = piece else { break };
        length += piece.len() as u64;
        counters.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if length > limit {
            return Err(Fault::last(too_large(shown, limit)));
        }
        hash.update(&piece);
        file.write_all(&piece).await.map_err(failed)?;
    }
    if announced.is_some_and(|announced| announced != length) {
        return Err(Fault::again(ended_early(length)));
    }
    if length == 0 {
        return Err(Fault::last(FetchError::Unusable {
            source_name: shown.to_owned(),
            reason: "it is empty".to_owned(),
        }));
    }
    file.flush().await.map_err(failed)?;
    Ok(WholeFile {
        file: Arc::new(file.into_std().await),
        shown: shown.to_owned(),
        length,
        sha256: hex::encode(hash.finalize()),
        counters: Arc::clone(counters),
        url: answer.url,
    })
}

pub(crate) fn too_large(shown: &str, limit: u64) -> FetchError {
    FetchError::TooLarge {
        source_name: shown.to_owned(),
        limit,
        bound: "may be fetched from one source. Give a smaller file, or ask the operator to raise SM_FETCH_MAX_BYTES",
    }
}

impl WholeFile {
    /// The size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The hash of the copy.
    pub(crate) fn identity(&self) -> String {
        format!("sha256 {}, {} bytes", self.sha256, self.length)
    }

    /// What the download cost.
    pub(crate) fn stats(&self) -> SourceStats {
        self.counters.stats()
    }

    /// The address that answered.
    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The bytes from `offset`: `len` of them, fewer only at the end.
    ///
    /// # Errors
    /// [`FetchError::Local`] if the copy cannot be read.
    pub(crate) async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, FetchError> {
        pread(&self.file, &self.shown, self.length, offset, len).await
    }
}
