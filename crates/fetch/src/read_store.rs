//! A store that somebody else fills and that we only read: a directory of this machine or an S3 bucket.
//!
//! Unlike the product's own [`crate::Store`] its objects have names that people chose. Promises: a name stays below the directory or
//! prefix, files whose names begin with a dot are not read, nothing is written, and nothing is made. Links in the directory are followed:
//! it is the operator's, and mounted configuration is made of links.

use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::bucket;
use crate::config::{StoreConfig, StoreLocation};
use crate::error::FetchError;
use crate::store::unavailable_store;

/// The longest name, in bytes: that of S3.
const LONGEST_NAME: usize = 1024;

/// A store that is only read. Cheap to clone.
#[derive(Clone)]
pub struct ReadStore {
    inner: Arc<dyn ObjectStore>,
    prefix: String,
}

impl ReadStore {
    /// Opens the store.
    ///
    /// # Errors
    /// [`FetchError::Config`] for settings that cannot work, a directory that is not there among them. A bucket is not contacted.
    pub fn open(config: &StoreConfig) -> Result<Self, FetchError> {
        let (inner, prefix): (Arc<dyn ObjectStore>, _) = match &config.location {
            StoreLocation::Local(root) => {
                let local = LocalFileSystem::new_with_prefix(root).map_err(|_| FetchError::Config {
                    variable: config.variable.to_owned(),
                    reason: "the directory cannot be opened; check that it is there and that this service may read it"
                        .to_owned(),
                })?;
                (Arc::new(local), String::new())
            }
            StoreLocation::S3 { bucket, prefix } => (Arc::new(bucket::open(config, bucket)?), prefix.clone()),
        };
        Ok(Self { inner, prefix })
    }

    /// Says whether an object can have this name.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn check_name(name: &str) -> Result<(), String> {
        let plain =
            |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(char::is_control);
        if name.len() <= LONGEST_NAME && name.split('/').all(plain) {
            return Ok(());
        }
        Err("expected the name of an object, like lists/best.json, without a leading slash and without parts that begin with a dot"
            .to_owned())
    }

    /// An object in memory, of at most `most` bytes.
    ///
    /// # Errors
    /// [`FetchError::Unusable`] for another name, [`FetchError::ObjectNotFound`], [`FetchError::TooLarge`], [`FetchError::StoreUnavailable`].
    pub async fn read(&self, name: &str, most: u64) -> Result<Bytes, FetchError> {
        let shown = || name.chars().take(200).collect::<String>();
        let invalid = |reason: String| FetchError::Unusable { source_name: shown(), reason };
        Self::check_name(name).map_err(invalid)?;
        let full = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        let path = Path::parse(full).map_err(|_| invalid("it is not the name of an object".to_owned()))?;
        let failed = |error: object_store::Error| match error {
            object_store::Error::NotFound { .. } => FetchError::ObjectNotFound { key: shown() },
            other => {
                tracing::warn!(name, error = %other, "the store of lists failed");
                unavailable_store(&other)
            }
        };
        let found = self.inner.get(&path).await.map_err(failed)?;
        if found.meta.size > most {
            let bound = "a document may have";
            return Err(FetchError::TooLarge { source_name: shown(), limit: most, bound });
        }
        found.bytes().await.map_err(failed)
    }
}
