//! Files of this machine, beneath directories that the operator named (`SM_MEDIA_DIRS`).
//!
//! Promises: `name:path` opens a regular file beneath the directory `name` or nothing. Each part of the path is opened relative
//! to the one before and without following symbolic links, so that neither `..` nor a link, nor one that is put there between a
//! check and the use, leads outside. Named pipes, devices and sockets are refused before they are opened. A file that changes
//! while it is read is an error, not a mixture.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::config::MediaDir;
use crate::error::FetchError;

/// The most parts that a path may have.
const MOST_PARTS: usize = 64;

/// A `name:path` source that is well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPath {
    name: String,
    parts: Vec<String>,
}

impl MediaPath {
    /// Reads `library:clips/a.mkv`, without looking at any file.
    ///
    /// # Errors
    /// [`FetchError::PathNotAllowed`] for another form, an absolute path, and empty, `.` and `..` parts.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let refused =
            |reason: &str| Err(FetchError::PathNotAllowed { path: shorten(text), reason: reason.to_owned() });
        let Some((name, path)) = text.split_once(':') else {
            return refused("it names no directory; give it as name:path, with a name from SM_MEDIA_DIRS");
        };
        if path.starts_with('/') {
            return refused(
                "an absolute path is not allowed; give it relative to the directory, as name:path",
            );
        }
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if parts.iter().any(|part| part == "..") {
            return refused("'..' is not allowed in it");
        }
        if parts.len() > MOST_PARTS
            || parts.iter().any(|part| part.is_empty() || part == "." || part.contains('\0'))
        {
            return refused("it is not a plain relative path");
        }
        Ok(Self { name: name.to_owned(), parts })
    }

    fn shown(&self) -> String {
        shorten(&format!("{}:{}", self.name, self.parts.join("/")))
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

/// An open file and what it was like when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    file: Arc<File>,
    shown: String,
    place: String,
    stamp: Stamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    seconds: i64,
    nanos: i64,
}

/// Opens the file of a `name:path` source.
pub(crate) async fn open(dirs: &[MediaDir], path: &MediaPath) -> Result<LocalFile, FetchError> {
    let shown = path.shown();
    let Some(dir) = dirs.iter().find(|dir| dir.name == path.name) else {
        let reason =
            "there is no directory of that name. The operator names directories in SM_MEDIA_DIRS".to_owned();
        return Err(FetchError::PathNotAllowed { path: shown, reason });
    };
    let (dir, parts) = (dir.clone(), path.parts.clone());
    blocking(move || {
        let file = open_beneath(&dir, &parts, &shown)?;
        let stamp = Stamp::of(&file)?;
        if stamp.length == 0 {
            return Err(FetchError::Unusable { source_name: shown, reason: "it is empty".to_owned() });
        }
        // In full: what is shown may be shortened.
        let place = format!("{} {}", dir.path.display(), parts.join("/"));
        Ok(LocalFile { file: Arc::new(file), shown, place, stamp })
    })
    .await
}

fn open_beneath(dir: &MediaDir, parts: &[String], shown: &str) -> Result<File, FetchError> {
    let refused =
        |reason: &str| FetchError::PathNotAllowed { path: shown.to_owned(), reason: reason.to_owned() };
    let failed = |errno: Errno| match errno {
        Errno::NOENT => FetchError::NotFound { source_name: shown.to_owned() },
        Errno::LOOP => refused("it leads over a symbolic link, which is not followed"),
        Errno::NOTDIR => refused("a part of it is no directory, or a symbolic link, which is not followed"),
        Errno::ACCESS | Errno::PERM => {
            refused("this service may not read it. Ask the operator for read permission")
        }
        Errno::NAMETOOLONG => refused("a part of it is too long"),
        other => FetchError::local("opening a media file", &other.into()),
    };
    let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // The operator's own directory may be a link; what is beneath it may not.
    let root = File::open(&dir.path).map_err(|_| {
        refused("its directory cannot be opened. The operator should check SM_MEDIA_DIRS and its permissions")
    })?;
    let Some((name, parents)) = parts.split_last() else {
        return Err(refused("it is not a plain relative path"));
    };
    let mut parent = root.into();
    for part in parents {
        parent =
            openat(&parent, part.as_str(), directory | OFlags::NOFOLLOW, Mode::empty()).map_err(failed)?;
    }
    let regular = |mode| FileType::from_raw_mode(mode) == FileType::RegularFile;
    // Looked at before it is opened, because opening a device can already do something.
    let found = statat(&parent, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(failed(Errno::LOOP)),
        _ => return Err(refused("it is not a regular file")),
    }
    // Without blocking, in case a named pipe has taken the file's place since.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(&parent, name.as_str(), flags, Mode::empty()).map_err(failed)?);
    let opened = file.metadata().map_err(|error| FetchError::local("opening a media file", &error))?;
    if regular(opened.mode()) { Ok(file) } else { Err(refused("it is not a regular file")) }
}

impl Stamp {
    fn of(file: &File) -> Result<Self, FetchError> {
        let metadata = file.metadata().map_err(|error| FetchError::local("reading a media file", &error))?;
        Ok(Self { length: metadata.len(), seconds: metadata.mtime(), nanos: metadata.mtime_nsec() })
    }
}

impl LocalFile {
    pub(crate) fn len(&self) -> u64 {
        self.stamp.length
    }

    pub(crate) fn identity(&self) -> String {
        let Stamp { length, seconds, nanos } = self.stamp;
        let time = chrono::DateTime::from_timestamp(seconds, u32::try_from(nanos).unwrap_or_default());
        match time {
            Some(time) => {
                format!(
                    "modified {}, {length} bytes",
                    time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
                )
            }
            None => format!("{length} bytes"),
        }
    }

    /// A name for these bytes among the files of this machine and others.
    pub(crate) fn fingerprint(&self) -> String {
        let Stamp { length, seconds, nanos } = self.stamp;
        let text = format!("{}\n{length} {seconds} {nanos}", self.place);
        hex::encode(Sha256::digest(text))
    }

    pub(crate) async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, FetchError> {
        let read = pread(&self.file, &self.shown, self.stamp.length, offset, len).await;
        // Looked at after reading: a change before or during it shows.
        if Stamp::of(&self.file)? == self.stamp {
            read
        } else {
            Err(FetchError::Changed { source_name: self.shown.clone() })
        }
    }
}

/// Reads from a file of known length by offset, on a thread that may block.
pub(crate) async fn pread(
    file: &Arc<File>,
    shown: &str,
    length: u64,
    offset: u64,
    len: usize,
) -> Result<Bytes, FetchError> {
    let wanted = offset.saturating_add(len as u64).min(length).saturating_sub(offset);
    if wanted == 0 {
        return Ok(Bytes::new());
    }
    let (file, shown) = (Arc::clone(file), shown.to_owned());
    blocking(move || {
        let mut buffer = BytesMut::zeroed(usize::try_from(wanted).unwrap_or(len));
        file.read_exact_at(&mut buffer, offset).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => FetchError::Changed { source_name: shown },
            _ => FetchError::local("reading a media file", &error),
        })?;
        Ok(buffer.freeze())
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(FetchError::Local {
            action: "reading a file".to_owned(),
            reason: "the reading thread ended".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    struct Media {
        _dir: tempfile::TempDir,
        dirs: Vec<MediaDir>,
        root: std::path::PathBuf,
    }

    /// `library/` with a file, a subdirectory, a pipe, and links out of it and within it; `secret.txt` beside it.
    fn media() -> Media {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("library");
        std::fs::create_dir_all(root.join("clips")).unwrap();
        std::fs::write(root.join("clips/a.mkv"), b"0123456789").unwrap();
        std::fs::write(root.join("empty.mp4"), b"").unwrap();
        std::fs::write(dir.path().join("secret.txt"), b"secret").unwrap();
        symlink(dir.path().join("secret.txt"), root.join("file-link.mp4")).unwrap();
        symlink(dir.path(), root.join("dir-link")).unwrap();
        symlink("clips/a.mkv", root.join("inner-link.mkv")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe.mp4"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let dirs = vec![MediaDir { name: "library".into(), path: root.clone() }];
        Media { _dir: dir, dirs, root }
    }

    async fn open_text(media: &Media, text: &str) -> Result<LocalFile, FetchError> {
        open(&media.dirs, &MediaPath::parse(text)?).await
    }

    #[tokio::test]
    async fn reads_by_offset_and_stops_at_the_end() {
        let media = media();
        let file = open_text(&media, "library:clips/a.mkv").await.unwrap();
        assert_eq!(file.len(), 10);
        assert_eq!(file.read_at(3, 4).await.unwrap(), "3456");
        assert_eq!(file.read_at(8, 100).await.unwrap(), "89");
        assert_eq!(file.read_at(10, 1).await.unwrap(), "");
        assert_eq!(file.read_at(u64::MAX, 5).await.unwrap(), "");
    }

    #[tokio::test]
    async fn nothing_outside_the_directory_is_opened() {
        let media = media();
        for (text, code) in [
            ("library:../secret.txt", "path_not_allowed"),
            ("library:clips/../../secret.txt", "path_not_allowed"),
            ("library:/etc/passwd", "path_not_allowed"),
            ("/etc/passwd", "path_not_allowed"),
            ("library:file-link.mp4", "path_not_allowed"),
            ("library:dir-link/secret.txt", "path_not_allowed"),
            ("library:inner-link.mkv", "path_not_allowed"),
            ("library:pipe.mp4", "path_not_allowed"),
            ("library:clips", "path_not_allowed"),
            ("library:clips/", "path_not_allowed"),
            ("library:", "path_not_allowed"),
            ("library:clips//a.mkv", "path_not_allowed"),
            ("library:clips/a.mkv/b", "path_not_allowed"),
            ("other:clips/a.mkv", "path_not_allowed"),
            ("library:clips/b.mkv", "source_not_found"),
            ("library:empty.mp4", "source_unusable"),
        ] {
            let error = open_text(&media, text).await.err().unwrap_or_else(|| panic!("{text} was opened"));
            assert_eq!(error.code(), code, "{text}: {error}");
            assert!(error.is_permanent());
            assert!(!error.to_string().contains(media.root.to_str().unwrap()), "{error}");
        }
    }

    #[tokio::test]
    async fn a_file_that_changes_is_noticed() {
        let media = media();
        let file = open_text(&media, "library:clips/a.mkv").await.unwrap();
        std::fs::write(media.root.join("clips/a.mkv"), b"01234").unwrap();
        assert_eq!(file.read_at(0, 10).await.unwrap_err().code(), "source_changed");
    }

    proptest! {
        #[test]
        fn a_path_that_is_read_stays_beneath(text in "[a-z]{0,3}:?(/|\\.|\\.\\.|[a-z]{1,3}|\\\\|\u{0}){0,8}") {
            if let Ok(path) = MediaPath::parse(&text) {
                prop_assert!(!path.parts.is_empty());
                for part in path.parts {
                    prop_assert!(!part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\0']));
                }
            }
        }
    }
}
