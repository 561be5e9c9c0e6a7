//! Pages of remote files whose version cannot be told from another one: kept for as long as they are being read, and no longer.
//!
//! One file without a name holds the pages of all sources that share a spool; it is made when the first page is kept and
//! is gone with the last of them, however the process ends. What cannot be written is not kept.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A file of pages without order.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    readers: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<File>>,
    end: u64,
    /// Where the page of a reader lies.
    places: HashMap<(u64, u64), u64>,
}

impl Spool {
    /// A spool whose file will be made in `dir`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, readers: AtomicU64::new(0), state: Mutex::default() }
    }

    /// A number for a reader, to tell its pages from those of others.
    pub(crate) fn enter(&self) -> u64 {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page of `size` bytes, if it was kept. Blocks.
    pub(crate) fn read(&self, reader: u64, page: u64, size: usize) -> Option<Bytes> {
        let (file, place) = {
            let state = self.state();
            (state.file.clone()?, *state.places.get(&(reader, page))?)
        };
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, place).ok()?;
        Some(bytes.into())
    }

    /// Keeps a page. Blocks.
    pub(crate) fn write(&self, reader: u64, page: u64, bytes: &[u8]) {
        let kept = self.reserve(bytes.len() as u64).and_then(|(file, place)| {
            file.write_all_at(bytes, place)?;
            self.state().places.insert((reader, page), place);
            Ok(())
        });
        if let Err(error) = kept {
            tracing::debug!(%error, "a page of a source could not be kept");
        }
    }

    fn reserve(&self, bytes: u64) -> std::io::Result<(Arc<File>, u64)> {
        let mut state = self.state();
        let file = match &state.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = Arc::new(tempfile::tempfile_in(&self.dir)?);
                state.file = Some(Arc::clone(&file));
                file
            }
        };
        let place = state.end;
        state.end += bytes;
        Ok((file, place))
    }
}
