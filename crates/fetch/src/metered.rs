//! The size and hash of a body on its way into the store.
//!
//! Promises: a body that is longer than agreed is given up at the first byte too many, one that is shorter at its end.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::FetchError;
use crate::key::ObjectKey;

/// The size that an upload may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// This one.
    Exactly(u64),
    /// Any up to this one.
    AtMost(u64),
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Counts and hashes a body on its way, and holds it to its size.
pub(crate) struct Metered<'a> {
    key: &'a ObjectKey,
    size: Size,
    length: u64,
    hash: Sha256,
}

impl<'a> Metered<'a> {
    pub(crate) fn new(key: &'a ObjectKey, size: Size) -> Self {
        Self { key, size, length: 0, hash: Sha256::new() }
    }

    /// Accounts for the next piece of the body.
    pub(crate) fn take<E: std::fmt::Display>(
        &mut self,
        piece: Result<Bytes, E>,
    ) -> Result<Bytes, FetchError> {
        let piece = piece.map_err(|error| FetchError::UploadInterrupted { reason: error.to_string() })?;
        self.length += piece.len() as u64;
        let (Size::Exactly(most) | Size::AtMost(most)) = self.size;
        if self.length > most {
            return Err(self.wrong(format!("more than {most} bytes came")));
        }
        self.hash.update(&piece);
        Ok(piece)
    }

    /// Accounts for the body's end.
    pub(crate) fn finish(&self) -> Result<Stored, FetchError> {
        match self.size {
            Size::Exactly(bytes) if bytes != self.length => {
                Err(self.wrong(format!("{} of {bytes} bytes came", self.length)))
            }
            _ => Ok(Stored { size: self.length, sha256: hex::encode(self.hash.clone().finalize()) }),
        }
    }

    fn wrong(&self, reason: String) -> FetchError {
        FetchError::ObjectSize { key: self.key.to_string(), reason }
    }
}
