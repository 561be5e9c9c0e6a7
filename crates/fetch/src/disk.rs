//! Pages of remote files on disk, kept from job to job and shared by all processes that name the same directory.
//!
//! A file of pages covers a stretch of 64 pages of one version of one source; a version goes by the hash of its address, its
//! validators and its length. Promises: a page is served only if it is exactly what was stored, because each carries a hash of its
//! place and its bytes: a torn, half-written or foreign page is absent, never served. So no lock is needed between
//! processes: two that write the same page write the same bytes, and if they do not, the hash says so and it is fetched again.
//! The directory stays within its capacity, the least recently used stretches go first; each process that writes into it can
//! exceed it by a sixteenth until its next look. It never fails: what cannot be read is absent, what cannot be written is not kept.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::headers::Validator;

/// Pages in one file.
const PAGES_PER_FILE: u64 = 64;
/// A page's hash; all zero where there is no page.
const MARK: usize = 32;
/// Where a file's first page begins; before it are the marks.
const HEADER: u64 = 4096;
/// The longest note about an address.
const LONGEST_NOTE: u64 = 4096;
/// What the names of notes begin with.
const NOTE: &str = "known-";
/// Part of every name, so that another form of these files is another version.
const FORMAT: &str = "stream-montages pages 1";

/// A directory of pages.
#[derive(Debug)]
pub(crate) struct DiskCache {
    root: PathBuf,
    capacity: u64,
    page: usize,
    /// Bytes written since the last look at the directory's size.
    unseen: AtomicU64,
    looking: Mutex<()>,
}

/// One version of one source, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Version(String);

/// What was known of an address when it was last opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub validator: Validator,
    pub length: u64,
}

impl Known {
    /// A name for the bytes at an address, where the validators tell their version from all others.
    pub(crate) fn fingerprint(&self, address: &str) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let (etag, modified) = (part(&self.validator.etag), part(&self.validator.last_modified));
        name(&[address, &etag, &modified, &self.length.to_string()])
    }
}

fn name(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [FORMAT].iter().chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}

impl DiskCache {
    /// A cache of `capacity` bytes in `root`, which is made if absent. None where it cannot be used: then nothing is kept.
    ///
    /// The hashes protect from accidents, not from people: what others may write to is not read.
    pub(crate) fn open(root: PathBuf, capacity: u64, page: usize) -> Option<Self> {
        let owned = make_dir(&root).and_then(|()| fs::metadata(&root)).map(|found| {
            found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0
        });
        match owned {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(
                    path = %root.display(),
                    "others may write to the directory for fetched sources: nothing is kept in it. See SM_FETCH_CACHE_DIR"
                );
                return None;
            }
            Err(error) => {
                tracing::warn!(path = %root.display(), %error, "nothing that is fetched can be kept. See SM_FETCH_CACHE_DIR");
                return None;
            }
        }
        // The first page that is written causes the first look.
        Some(Self { root, capacity, page, unseen: AtomicU64::new(capacity), looking: Mutex::default() })
    }

    /// Bytes of a page.
    pub(crate) fn page(&self) -> usize {
        self.page
    }

    /// The name of a version.
    pub(crate) fn version(&self, address: &str, known: &Known) -> Version {
        Version(name(&[&known.fingerprint(address), &self.page.to_string()]))
    }

    /// What is known of an address. Blocks.
    pub(crate) fn known(&self, address: &str) -> Option<Known> {
        let file = File::open(self.note(address)).ok()?;
        let mut text = String::new();
        file.take(LONGEST_NOTE).read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        let mut line = || lines.next().map(|line| Some(line.to_owned()).filter(|line| !line.is_empty()));
        let validator = Validator { etag: line()?, last_modified: line()? };
        let length = line()??.parse().ok().filter(|length| *length > 0)?;
        // A note that was cut off has no last line.
        (lines.next() == Some("end")).then_some(Known { validator, length })
    }

    /// Notes what is known of an address. Blocks.
    pub(crate) fn learn(&self, address: &str, known: &Known) {
        let text = format!(
            "{}\n{}\n{}\nend\n",
            known.validator.etag.as_deref().unwrap_or_default(),
            known.validator.last_modified.as_deref().unwrap_or_default(),
            known.length
        );
        let write = || {
            make_dir(&self.root)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.root)?;
            file.write_all(text.as_bytes())?;
            file.persist(self.note(address)).map_err(|error| error.error)
        };
        if let Err(error) = write() {
            tracing::debug!(%error, "a note about a source could not be kept");
        }
    }

    fn note(&self, address: &str) -> PathBuf {
        self.root.join(format!("{NOTE}{}", name(&[address])))
    }

    fn file(&self, version: &Version, number: u64) -> PathBuf {
        self.root.join(&version.0).join(number.to_string())
    }

    fn mark(version: &Version, page: u64, bytes: &[u8]) -> [u8; MARK] {
        let mut hash = Sha256::new();
        hash.update(version.0.as_bytes());
        hash.update(page.to_le_bytes());
        hash.update(bytes);
        hash.finalize().into()
    }

    /// The pages that are there, for a file of `length` bytes; one place for each that is asked for. Blocks.
    pub(crate) fn read(
        &self,
        version: &Version,
        length: u64,
        pages: RangeInclusive<u64>,
    ) -> Vec<Option<Bytes>> {
        let mut found = Vec::new();
        let (mut next, last) = pages.into_inner();
        while next <= last {
            let number = next / PAGES_PER_FILE;
            let end = last.min(number * PAGES_PER_FILE + (PAGES_PER_FILE - 1));
            let opened = self.stored(version, number);
            for page in next..=end {
                let bytes = opened.as_ref().and_then(|(file, marks)| {
                    let place = (page % PAGES_PER_FILE) as usize;
                    let mark = marks.get(place * MARK..(place + 1) * MARK)?;
                    if mark.iter().all(|byte| *byte == 0) {
                        return None;
                    }
                    let size = page_size(self.page, length, page)?;
                    let mut bytes = vec![0; size];
                    file.read_exact_at(&mut bytes, HEADER + place as u64 * self.page as u64).ok()?;
                    (Self::mark(version, page, &bytes) == mark).then(|| Bytes::from(bytes))
                });
                found.push(bytes);
            }
            next = end + 1;
        }
        found
    }

    /// A file of pages and its marks; being read makes it a recently used one.
    fn stored(&self, version: &Version, number: u64) -> Option<(File, Vec<u8>)> {
        let file = File::open(self.file(version, number)).ok()?;
        let mut marks = vec![0; PAGES_PER_FILE as usize * MARK];
        file.read_exact_at(&mut marks, 0).ok()?;
        // Only the order of removal hangs on it.
        let _ = file.set_modified(SystemTime::now());
        Some((file, marks))
    }

    /// Keeps whole pages from `first` on; the last one may be short where the file of `length` bytes ends. Blocks.
    pub(crate) fn write(&self, version: &Version, length: u64, first: u64, bytes: &[u8]) {
        match self.try_write(version, length, first, bytes) {
            Ok(written) => {
                let unseen = self.unseen.fetch_add(written, Ordering::Relaxed).saturating_add(written);
                if unseen >= self.capacity / 16 {
                    self.look();
                }
            }
            Err(error) => tracing::debug!(%error, "pages of a source could not be kept"),
        }
    }

    fn try_write(&self, version: &Version, length: u64, first: u64, bytes: &[u8]) -> std::io::Result<u64> {
        let mut written = 0;
        let mut open: Option<(u64, File)> = None;
        let mut rest = bytes;
        for page in first.. {
            let Some(size) = page_size(self.page, length, page).filter(|size| *size <= rest.len()) else {
                break;
            };
            let (bytes, after) = rest.split_at(size);
            rest = after;
            let number = page / PAGES_PER_FILE;
            let file = match open.take() {
                Some((same, file)) if same == number => file,
                _ => self.create(version, number)?,
            };
            let place = page % PAGES_PER_FILE;
            // The mark after the bytes, though the order does not matter: it is what makes them a page.
            file.write_all_at(bytes, HEADER + place * self.page as u64)?;
            file.write_all_at(&Self::mark(version, page, bytes), place * MARK as u64)?;
            written += size as u64;
            open = Some((number, file));
        }
        Ok(written)
    }

    fn create(&self, version: &Version, number: u64) -> std::io::Result<File> {
        let path = self.file(version, number);
        let open = || {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            // So that the marks can be read at once.
            if file.metadata()?.len() < HEADER {
                file.set_len(HEADER)?;
            }
            Ok::<_, std::io::Error>(file)
        };
        match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_dir(&self.root)?;
                match DirBuilder::new().mode(0o700).create(self.root.join(&version.0)) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                    _ => open(),
                }
            }
            opened => opened,
        }
    }

    /// Looks at the directory's size and removes the least recently used files until an eighth is free.
    fn look(&self) {
        // Whoever comes while somebody looks need not look too.
        let Ok(_looking) = self.looking.try_lock() else { return };
        self.unseen.store(0, Ordering::Relaxed);
        let mut files = Vec::new();
        let mut dirs = Vec::new();
        for entry in entries(&self.root) {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                files.extend(entries(&entry.path()).filter_map(used));
                dirs.push(entry.path());
            } else {
                files.extend(used(entry));
            }
        }
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        if total > self.capacity {
            files.sort_by_key(|file| file.modified);
            for file in files {
                if total <= self.capacity - self.capacity / 8 {
                    break;
                }
                if fs::remove_file(&file.path).is_ok() {
                    total = total.saturating_sub(file.bytes);
                }
            }
        }
        for dir in dirs {
            // Fails for one that is not empty, which is what is wanted.
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Made for its owner alone.
fn make_dir(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn entries(dir: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(dir).into_iter().flatten().flatten()
}

struct Used {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

fn used(entry: fs::DirEntry) -> Option<Used> {
    let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    // What it takes on the disk: the files have holes.
    Some(Used { path: entry.path(), bytes: metadata.blocks() * 512, modified: metadata.modified().ok() })
}

/// The size of a page: the file's last one may be short, and beyond it there are none.
pub(crate) fn page_size(page: usize, length: u64, index: u64) -> Option<usize> {
    let first = index.checked_mul(page as u64)?;
    let left = length.checked_sub(first).filter(|left| *left > 0)?;
    Some(left.min(page as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: usize = 4096;

    fn known(etag: &str, length: u64) -> Known {
        Known { validator: Validator { etag: Some(etag.to_owned()), last_modified: None }, length }
    }

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|at| ((at + seed).wrapping_mul(2_654_435_761) >> 9) as u8).collect()
    }

    fn disk_use(root: &Path) -> u64 {
        entries(root)
            .flat_map(|entry| entries(&entry.path()).collect::<Vec<_>>())
            .filter_map(used)
            .map(|file| file.bytes)
            .sum()
    }

    #[test]
    fn what_was_kept_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("pages");
        let length = (PAGE * 70 + 5) as u64;
        let data = bytes(length as usize, 0);
        let cache = DiskCache::open(root.clone(), 1 << 30, PAGE).unwrap();
        let version = cache.version("http://a/", &known("\"1\"", length));
        cache.write(&version, length, 60, &data[60 * PAGE..]);
        let cache = DiskCache::open(root, 1 << 30, PAGE).unwrap();
        let found = cache.read(&version, length, 59..=70);
        assert_eq!(found[0], None);
        for (index, page) in found[1..].iter().enumerate() {
            let first = (60 + index) * PAGE;
            assert_eq!(page.as_deref(), Some(&data[first..(first + PAGE).min(data.len())]));
        }
        for other in [known("\"2\"", length), known("\"1\"", length + 1)] {
            let other = cache.version("http://a/", &other);
            assert!(cache.read(&other, length, 60..=61).iter().all(Option::is_none));
        }
    }

    #[test]
    fn notes_are_read_back_or_are_absent() {
        let dir = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(dir.path().to_owned(), 1 << 20, PAGE).unwrap();
        assert_eq!(cache.known("http://a/"), None);
        let known = known("\"1\"", 77);
        cache.learn("http://a/", &known);
        assert_eq!(cache.known("http://a/"), Some(known));
        assert_eq!(cache.known("http://b/"), None);
        fs::write(cache.note("http://a/"), "\"1\"\n\n7").unwrap();
        assert_eq!(cache.known("http://a/"), None);
    }

    #[test]
    fn the_least_recently_used_goes_first_and_the_size_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let capacity = 1 << 20;
        let cache = DiskCache::open(dir.path().to_owned(), capacity, PAGE).unwrap();
        let length = 64 << 20;
        let version = cache.version("http://a/", &known("\"1\"", length));
        let stretch = bytes(PAGE * 16, 3);
        for number in 0..40 {
            cache.write(&version, length, number * PAGES_PER_FILE, &stretch);
            // The first one stays in use.
            assert!(cache.read(&version, length, 0..=0)[0].is_some(), "{number}");
        }
        assert!(disk_use(dir.path()) <= capacity + capacity / 16, "{}", disk_use(dir.path()));
        assert!(cache.read(&version, length, PAGES_PER_FILE..=PAGES_PER_FILE)[0].is_none());
        assert!(cache.read(&version, length, 39 * PAGES_PER_FILE..=39 * PAGES_PER_FILE)[0].is_some());
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("pages");
        assert!(DiskCache::open(root.clone(), 1 << 20, PAGE).is_some());
        assert_eq!(fs::metadata(&root).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(DiskCache::open(root.clone(), 1 << 20, PAGE).is_none());
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(DiskCache::open(dir.path().join("file"), 1 << 20, PAGE).is_none());
    }

    proptest! {
        #[test]
        fn no_damaged_page_is_ever_served(at in 0_u64..(HEADER + 3 * PAGE as u64), flip in 1_u8.., cut: bool) {
            let dir = tempfile::tempdir().unwrap();
            let cache = DiskCache::open(dir.path().to_owned(), 1 << 30, PAGE).unwrap();
            let length = 3 * PAGE as u64;
            let data = bytes(3 * PAGE, 1);
            let version = cache.version("http://a/", &known("\"1\"", length));
            cache.write(&version, length, 0, &data);
            let file = OpenOptions::new().read(true).write(true).open(cache.file(&version, 0)).unwrap();
            if cut {
                file.set_len(at).unwrap();
            } else {
                let mut byte = [0];
                file.read_exact_at(&mut byte, at).unwrap();
                file.write_all_at(&[byte[0] ^ flip], at).unwrap();
            }
            for (index, page) in cache.read(&version, length, 0..=2).into_iter().enumerate() {
                if let Some(page) = page {
                    prop_assert_eq!(&page[..], &data[index * PAGE..(index + 1) * PAGE]);
                }
            }
        }
    }
}
