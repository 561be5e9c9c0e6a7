//! Where jobs are made: one directory for this process, one in it for each attempt.
//!
//! Promises: a process's directory is locked for as long as it lives, so that a starting executor can tell what dead ones
//! left behind, and removes it; a job's directory is removed when its attempt ends. Files that come out of a render worker
//! are opened only if they are plain files of their own: never through a link.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The file whose lock says that a directory's process lives.
const LOCK: &str = "lock";

/// This process's directory; removed on drop.
#[derive(Debug)]
pub struct WorkDir {
    path: PathBuf,
    /// Locked until dropped.
    _lock: File,
}

/// One attempt's directory.
#[derive(Debug)]
pub struct JobDir {
    path: PathBuf,
}

/// A finished file: its size and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl WorkDir {
    /// Makes this process's directory below `root` and removes those of dead processes. Blocks.
    ///
    /// # Errors
    /// When the directory cannot be made or locked.
    pub fn open(root: &Path) -> io::Result<Self> {
        make_dir(root, true)?;
        // Held while directories appear and disappear, so that nobody takes a new one for a dead one.
        let start = lock_file(&root.join(LOCK))?;
        start.lock()?;
        remove_dead(root)?;
        let path = root.join(Uuid::now_v7().to_string());
        make_dir(&path, false)?;
        let lock = lock_file(&path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory for one attempt. Blocks.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn job(&self) -> io::Result<JobDir> {
        let path = self.path.join(Uuid::now_v7().to_string());
        make_dir(&path, false)?;
        Ok(JobDir { path })
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

impl JobDir {
    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with all that is in it, and the previews beside it. Blocks.
    pub fn remove(self) {
        remove(&previews_of(&self.path));
        remove(&self.path);
    }
}

/// Where the previews of a job's clips are made: beside its directory and not in it, so that the worker that makes the montage
/// cannot lead elsewhere what is sent of them.
#[must_use]
pub fn previews_of(dir: &Path) -> PathBuf {
    dir.with_extension("previews")
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a working directory could not be removed; the next start does it");
    }
}

fn make_dir(path: &Path, recursive: bool) -> io::Result<()> {
    fs::DirBuilder::new().recursive(recursive).mode(0o700).create(path)
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

fn remove_dead(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let ours = entry.file_type()?.is_dir()
            && entry.file_name().to_str().is_some_and(|name| Uuid::parse_str(name).is_ok());
        if !ours {
            continue;
        }
        let lock = match OpenOptions::new().write(true).open(entry.path().join(LOCK)) {
            Ok(lock) => Some(lock),
            // Its process died between making the directory and the lock.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match lock.as_ref().map_or(Ok(()), File::try_lock) {
            Ok(()) => {
                tracing::info!(path = %entry.path().display(), "removing what a dead executor left behind");
                remove(&entry.path());
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes of the plain files in a directory, those in its directories too. What disappears meanwhile counts as nothing. Blocks.
#[must_use]
pub fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            // Blocks and not the length: a file with holes takes no space.
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// Opens a file that a render worker made. The worker is not trusted: a link to somewhere else would send out a file of ours.
///
/// # Errors
/// When it is not there or not a plain file with one name.
pub fn open_finished(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.nlink() != 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a plain file"));
    }
    Ok(file)
}

/// Size and hash of a file that a render worker made. Blocks.
///
/// # Errors
/// As [`open_finished`], and when it cannot be read.
pub fn measure(path: &Path) -> io::Result<Finished> {
    measure_file(&mut open_finished(path)?)
}

/// Size and hash of what is left to read of a file. Blocks.
///
/// # Errors
/// When it cannot be read.
pub fn measure_file(file: &mut File) -> io::Result<Finished> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        bytes += count as u64;
    }
    Ok(Finished { bytes, sha256: hex::encode(hash.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_dead_left_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let living = WorkDir::open(root.path()).unwrap();
        let dead = root.path().join(Uuid::now_v7().to_string());
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("media.mp4"), "left").unwrap();
        let foreign = root.path().join("somebody's");
        fs::create_dir(&foreign).unwrap();
        let second = WorkDir::open(root.path()).unwrap();
        assert!(living.path().exists() && foreign.exists() && !dead.exists());
        let job = second.job().unwrap();
        let path = job.path().to_owned();
        fs::write(path.join("segment"), "x").unwrap();
        let previews = previews_of(&path);
        fs::create_dir_all(previews.join("0")).unwrap();
        job.remove();
        assert!(!path.exists() && !previews.exists() && second.path().exists());
        let gone = living.path().to_owned();
        drop(living);
        assert!(!gone.exists() && second.path().exists());
    }

    #[test]
    fn links_pipes_and_second_names_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("secret"), "hush").unwrap();
        std::os::unix::fs::symlink(path("secret"), path("link")).unwrap();
        assert!(open_finished(&path("link")).is_err());
        assert!(open_finished(&path("absent")).is_err());
        assert!(open_finished(dir.path()).is_err());
        assert!(open_finished(&path("secret")).is_ok());
        fs::hard_link(path("secret"), path("second")).unwrap();
        assert!(open_finished(&path("second")).is_err());
        fs::write(path("media"), b"abc").unwrap();
        let finished = measure(&path("media")).unwrap();
        assert_eq!(finished.bytes, 3);
        assert_eq!(finished.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
