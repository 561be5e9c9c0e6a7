//! Archives (.osz, .osk): files by name, whatever their case and slashes; no name leaves the archive, and nothing unpacks to
//! more than is allowed.

use std::{
    collections::BTreeMap,
    io::Cursor,
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    error::{About, ReplayError},
    limits::Limits,
};

/// The files of an archive, or a few files that stand for one. Reading is counted against the limits.
#[derive(Debug, Clone)]
pub struct Archive {
    about: About,
    limits: Limits,
    /// By their names in lower case with `/`.
    files: Arc<BTreeMap<String, Entry>>,
    zip: Option<Arc<Mutex<zip::ZipArchive<Cursor<Vec<u8>>>>>>,
}

#[derive(Debug, Clone)]
enum Entry {
    Packed { index: usize, name: String },
    Here { bytes: Arc<Vec<u8>>, name: String },
}

impl Archive {
    /// Opens a zip archive.
    ///
    /// # Errors
    /// [`ReplayError::ArchiveCorrupt`], [`ReplayError::ArchiveUnsafe`].
    pub fn open(bytes: Vec<u8>, about: About, limits: &Limits) -> Result<Self, ReplayError> {
        let corrupt = |reason: &str| ReplayError::ArchiveCorrupt { about, reason: reason.to_owned() };
        let zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| corrupt("it is not a zip archive"))?;
        let mut files = BTreeMap::new();
        for (index, name) in zip.file_names().enumerate() {
            let name = name.map_err(|_| corrupt("a name in it cannot be read"))?.into_owned();
            files.insert(key(&name), Entry::Packed { index, name });
        }
        Ok(Self { about, limits: *limits, files: Arc::new(files), zip: Some(Arc::new(Mutex::new(zip))) })
    }

    /// Files that were sent one by one.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>, about: About, limits: &Limits) -> Self {
        let entry =
            |(name, bytes): (String, Vec<u8>)| (key(&name), Entry::Here { bytes: Arc::new(bytes), name });
        Self { about, limits: *limits, files: Arc::new(files.into_iter().map(entry).collect()), zip: None }
    }

    /// The names of its files, as they are written in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.values().map(|entry| match entry {
            Entry::Packed { name, .. } | Entry::Here { name, .. } => name.as_str(),
        })
    }

    /// Whether there is a file of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(&key(name))
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`ReplayError::ArchiveCorrupt`] where it is not there or damaged, [`ReplayError::ArchiveUnsafe`] where it is too large.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ReplayError> {
        let corrupt =
            |reason: &str| ReplayError::ArchiveCorrupt { about: self.about, reason: reason.to_owned() };
        match (self.files.get(&key(name)), &self.zip) {
            (Some(Entry::Here { bytes, .. }), _) => Ok(bytes.as_ref().clone()),
            (Some(Entry::Packed { index, .. }), Some(zip)) => {
                let mut zip = zip.lock().unwrap_or_else(PoisonError::into_inner);
                let file = zip.by_index(*index).map_err(|_| corrupt("a file cannot be unpacked"))?;
                let mut bytes = Vec::new();
                file.take(self.limits.archive_file_bytes)
                    .read_to_end(&mut bytes)
                    .map_err(|_| corrupt("a file cannot be unpacked"))?;
                Ok(bytes)
            }
            _ => Err(corrupt("a file is missing")),
        }
    }
}

/// How files are looked up: in lower case, with `/`.
fn key(name: &str) -> String {
    name.replace('\\', "/").to_lowercase()
}
