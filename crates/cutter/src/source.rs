//! Byte readers: the only way in which media reaches the decoders.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A source's bytes, readable at any offset from several threads at once.
pub trait ByteSource: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Reads bytes from `offset` into `buf` and says how many. Fewer than asked only when that is all that can be
    /// had at once; 0 only at the end.
    ///
    /// # Errors
    /// When the bytes cannot be had. The render ends: an error is never taken for the source's end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Says which bytes are going to be read (offset and length of each stretch, in order), so that they can be fetched in large
    /// pieces and nothing beside them.
    fn expect(&self, _spans: &[(u64, u64)]) {}

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An open file as a source.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
}

impl FileSource {
    /// Takes an open file with the length that it has now.
    ///
    /// # Errors
    /// When its length cannot be had.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl ByteSource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
}

impl ByteSource for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// Why a source's bytes could not be had. A [`ByteSource`] that knows wraps it in its [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceFailure {
    /// In words that may be shown to a person.
    pub reason: String,
    /// Whether trying again is useless.
    pub permanent: bool,
}

impl From<io::Error> for SourceFailure {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            Some(failure) => failure.clone(),
            None => Self { reason: error.to_string(), permanent: false },
        }
    }
}

impl From<SourceFailure> for io::Error {
    fn from(failure: SourceFailure) -> Self {
        Self::other(failure)
    }
}
