//! Archives (.osz, .osk): files by name, whatever their case, slashes and encoding.
//!
//! Promises: no name leaves the archive and none is a link; no file unpacks to more than the archive says it has, and all
//! together say no more than [`Limits`] allow, so that however often files are read, memory holds one at a time. A folder around
//! everything is as if it were not there. Fails with [`ReplayError::ArchiveCorrupt`] and [`ReplayError::ArchiveUnsafe`]; a file that is packed in
//! ways that are not known here fails when it is read, for it may never be.

mod names;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};

use zip::result::ZipError;

use self::names::{decoded, folders_around, is_guessed, key, outline, steps};
use crate::{
    error::{About, ReplayError},
    limits::Limits,
};

/// How many times larger than packed an archive's files may be where they are large. Deflate reaches 1,032; real archives
/// hold sound and pictures and stay below 20.
const MOST_RATIO: u64 = 200;

/// Below so many unpacked bytes the ratio does not matter.
const LARGE: u64 = 64 << 20;

/// What each file of an archive's directory begins with.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

type Zip = zip::ZipArchive<Cursor<Vec<u8>>>;

/// The files of an archive, or a few files that stand for one.
#[derive(Debug, Clone)]
pub struct Archive {
    about: About,
    /// Of one file, unpacked.
    most_bytes: u64,
    /// By [`key`].
    files: Arc<BTreeMap<String, Entry>>,
    zip: Option<Arc<Mutex<Zip>>>,
}

#[derive(Debug, Clone)]
enum Entry {
    Packed { index: usize, name: String, bytes: u64 },
    Here { name: String, bytes: Arc<Vec<u8>> },
}

impl Archive {
    /// Opens a zip archive.
    ///
    /// # Errors
    /// [`ReplayError::ArchiveCorrupt`], [`ReplayError::ArchiveUnsafe`].
    pub fn open(bytes: Vec<u8>, about: About, limits: &Limits) -> Result<Self, ReplayError> {
        let corrupt = |reason: &str| ReplayError::ArchiveCorrupt { about, reason: reason.to_owned() };
        let unsafe_ = |reason: String| ReplayError::ArchiveUnsafe { about, reason };
        let too_many = || unsafe_(format!("it holds more than {} files", limits.archive_files));
        // Counted before the directory is read, for that takes memory for each. An archive within the archive has some too.
        let entries =
            bytes.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY).count();
        if entries > limits.archive_files.saturating_mul(2) {
            return Err(too_many());
        }
        let packed_bytes = bytes.len() as u64;
        let zip = Zip::new(Cursor::new(bytes)).map_err(|_| corrupt("it is not a zip archive"))?;
        if zip.len() > limits.archive_files {
            return Err(too_many());
        }
        let (mut found, mut all_bytes) = (Vec::new(), 0_u64);
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(|_| corrupt("its directory cannot be read"))?;
            let name = steps(&decoded(entry.name_raw()))
                .ok_or_else(|| unsafe_("a name leaves the archive".to_owned()))?;
            if entry.is_symlink() {
                return Err(unsafe_("it holds a link".to_owned()));
            }
            // Notes that one system's archiver leaves beside each file.
            if entry.is_dir() || name.is_empty() || name.first().is_some_and(|first| first == "__MACOSX") {
                continue;
            }
            if entry.size() > limits.archive_file_bytes {
                let most = limits.archive_file_bytes;
                return Err(unsafe_(format!("a file in it has {} bytes, at most {most}", entry.size())));
            }
            all_bytes = all_bytes.saturating_add(entry.size());
            found.push((index, name, entry.size()));
        }
        if all_bytes > limits.archive_bytes {
            let most = limits.archive_bytes;
            return Err(unsafe_(format!("its files have {all_bytes} bytes, at most {most}")));
        }
        if all_bytes > LARGE && all_bytes / MOST_RATIO > packed_bytes {
            return Err(unsafe_(format!("its files have {all_bytes} bytes in an archive of {packed_bytes}")));
        }
        let names: Vec<&[String]> = found.iter().map(|(_, name, _)| name.as_slice()).collect();
        let around = folders_around(&names);
        // Of names that differ only in their case the last stands, as where they are unpacked onto a disk that knows no case.
        let entry = |(index, name, bytes): (usize, Vec<String>, u64)| {
            let name = name.get(around..).unwrap_or_default().join("/");
            (key(&name), Entry::Packed { index, name, bytes })
        };
        let files = found.into_iter().map(entry).collect();
        let most_bytes = limits.archive_file_bytes;
        Ok(Self { about, most_bytes, files: Arc::new(files), zip: Some(Arc::new(Mutex::new(zip))) })
    }

    /// Files that were sent one by one.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>, about: About, limits: &Limits) -> Self {
        let entry =
            |(name, bytes): (String, Vec<u8>)| (key(&name), Entry::Here { name, bytes: Arc::new(bytes) });
        let files = Arc::new(files.into_iter().map(entry).collect());
        Self { about, most_bytes: limits.archive_file_bytes, files, zip: None }
    }

    /// The names of its files, as they are written in it, with `/`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.values().map(|entry| match entry {
            Entry::Packed { name, .. } | Entry::Here { name, .. } => name.as_str(),
        })
    }

    /// Whether there is a file of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// The file of that name, or the only one whose name in an unknown encoding can be that.
    fn entry(&self, name: &str) -> Option<&Entry> {
        let key = key(name);
        let exact = self.files.get(&key);
        if exact.is_some() || key.is_ascii() {
            return exact;
        }
        let wanted = outline(&key);
        let mut guessed =
            self.files.iter().filter(|(other, _)| is_guessed(other) && outline(other) == wanted);
        match (guessed.next(), guessed.next()) {
            (Some((_, only)), None) => Some(only),
            _ => None,
        }
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`ReplayError::ArchiveCorrupt`] where it is not there, damaged, encrypted or packed in a way that is not known here;
    /// [`ReplayError::ArchiveUnsafe`] where it is too large.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ReplayError> {
        let corrupt = |reason: &str| {
            let reason = format!("{}: {reason}", shown(name));
            ReplayError::ArchiveCorrupt { about: self.about, reason }
        };
        match (self.entry(name), &self.zip) {
            (Some(Entry::Here { bytes, .. }), _) if bytes.len() as u64 > self.most_bytes => {
                let reason = format!("a file has {} bytes, at most {}", bytes.len(), self.most_bytes);
                Err(ReplayError::ArchiveUnsafe { about: self.about, reason })
            }
            (Some(Entry::Here { bytes, .. }), _) => Ok(bytes.as_ref().clone()),
            (Some(Entry::Packed { index, bytes: size, .. }), Some(zip)) => {
                let mut zip = zip.lock().unwrap_or_else(PoisonError::into_inner);
                let file = zip.by_index(*index).map_err(|error| match error {
                    ZipError::UnsupportedArchive(_)
                    | ZipError::InvalidPassword
                    | ZipError::CompressionMethodNotSupported(_) => {
                        corrupt("it is encrypted, or packed in a way that is not known here")
                    }
                    _ => corrupt("it cannot be unpacked"),
                })?;
                let mut bytes = Vec::new();
                file.take(size.saturating_add(1))
                    .read_to_end(&mut bytes)
                    .map_err(|_| corrupt("it cannot be unpacked"))?;
                if bytes.len() as u64 != *size {
                    return Err(corrupt("it does not have the size that the archive says"));
                }
                Ok(bytes)
            }
            _ => Err(corrupt("it is not in the archive")),
        }
    }
}

/// A file's name for a message: harmless and short.
pub fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
