//! The object store: a directory of this machine or an S3 bucket, behind one set of words.
//!
//! Promises: an object appears whole or not at all, with the size that was agreed and the hash that is answered; keys are
//! [`ObjectKey`]s, so nothing a user wrote reaches a path. A store that does not answer is
//! [`FetchError::StoreUnavailable`] after a few tries; its own words go to the log, not to the answer.

use std::error::Error as StdError;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use http::HeaderValue;
use http::header::IF_NONE_MATCH;
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{GetOptions, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use url::Url;

use crate::bucket;
use crate::config::{StoreConfig, StoreLocation};
use crate::error::FetchError;
use crate::key::ObjectKey;
use crate::metered::{Metered, Size, Stored};
use crate::secret::shared_secret;
use crate::sign::{Allowed, LinkSigner, Method, SignedLink};
use crate::unfinished;

/// Objects up to this size are written with one request; larger ones in parts of it.
const PART_BYTES: usize = 8 << 20;

/// Parts in flight at the same time; bounds the memory of one upload to `PART_BYTES` times one more than this.
const PARTS_IN_FLIGHT: usize = 3;

/// The most that S3 takes in one request, and so by one link.
const S3_LARGEST_PUT: u64 = 5 << 30;

/// The object store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    prefix: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Local { root: PathBuf, signer: LinkSigner, base_url: Option<Url> },
    S3 { s3: Arc<AmazonS3>, http: reqwest::Client, conditional_put: bool },
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// A strong entity tag, with its quotes; changes whenever the object is written.
    pub etag: Option<String>,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

/// An object, or a part of one, on its way.
pub struct ObjectBody {
    /// The object.
    pub info: ObjectInfo,
    /// Which of its bytes come.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, FetchError>>,
}

impl Store {
    /// Opens the store; makes the directory of a local one.
    ///
    /// # Errors
    /// [`FetchError::Config`] for settings that cannot work, [`FetchError::Local`] for a directory that cannot be used. A
    /// bucket is not contacted; see [`Store::check`].
    pub fn open(config: &StoreConfig) -> Result<Self, FetchError> {
        match &config.location {
            StoreLocation::Local(root) => Self::open_local(config, root.clone()),
            StoreLocation::S3 { bucket, prefix } => Self::open_s3(config, bucket, prefix),
        }
    }

    fn open_local(config: &StoreConfig, root: PathBuf) -> Result<Self, FetchError> {
        let unusable = |error: std::io::Error| FetchError::Config {
            variable: config.variable.to_owned(),
            reason: format!(
                "the directory cannot be used ({}); check that this service may write it",
                error.kind()
            ),
        };
        std::fs::create_dir_all(&root).map_err(unusable)?;
        let secret = match &config.signing_secret {
            Some(secret) => secret.clone(),
            None => shared_secret(&root).map_err(unusable)?,
        };
        let inner =
            LocalFileSystem::new_with_prefix(&root).map_err(|error| unusable(std::io::Error::from(error)))?;
        Ok(Self {
            // Durable before it is answered, because a row in the database will say that the object is there.
            inner: Arc::new(inner.with_fsync(true).with_automatic_cleanup(true)),
            prefix: String::new(),
            kind: Kind::Local { root, signer: LinkSigner::new(secret), base_url: config.base_url.clone() },
        })
    }

    fn open_s3(config: &StoreConfig, bucket: &str, prefix: &str) -> Result<Self, FetchError> {
        let s3 = Arc::new(bucket::open(config, bucket)?);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| FetchError::Local {
            action: "starting the HTTP client".to_owned(),
            reason: error.to_string(),
        })?;
        let kind = Kind::S3 { s3: s3.clone(), http, conditional_put: config.s3_conditional_put };
        Ok(Self { inner: s3, prefix: prefix.to_owned(), kind })
    }

    /// Whether links to objects lead to the product's own routes (a local directory), which must then serve them.
    #[must_use]
    pub fn serves_own_links(&self) -> bool {
        matches!(self.kind, Kind::Local { .. })
    }

    /// The largest object, in bytes, that a link can write; `None` where there is no such limit.
    #[must_use]
    pub fn largest_by_link(&self) -> Option<u64> {
        match self.kind {
            Kind::Local { .. } => None,
            Kind::S3 { .. } => Some(S3_LARGEST_PUT),
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`FetchError::StoreUnavailable`].
    pub async fn check(&self) -> Result<(), FetchError> {
        match &self.kind {
            Kind::Local { root, .. } => match tokio::fs::metadata(root).await {
                Ok(found) if found.is_dir() => Ok(()),
                Ok(_) => Err(FetchError::StoreUnavailable { reason: "its place is no directory".to_owned() }),
                Err(error) => Err(FetchError::StoreUnavailable { reason: error.kind().to_string() }),
            },
            Kind::S3 { .. } => {
                // The first tells whether the credentials are good. It says "not found" of a bucket that is not there, too, so
                // that an empty listing has to follow.
                let nothing = ObjectKey::parse("readiness-check")?;
                match self.head(&nothing).await {
                    Ok(_) | Err(FetchError::ObjectNotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
                let found = self.inner.list(Some(&self.path(&nothing)?)).try_next().await;
                found.map(drop).map_err(|error| {
                    tracing::warn!(error = %error, "the bucket cannot be listed");
                    FetchError::StoreUnavailable {
                        reason: "its bucket is not there or may not be listed. The operator should check SM_OBJECT_STORE".to_owned(),
                    }
                })
            }
        }
    }

    /// Stores the bytes of `body` under `key`, in place of what was there. Nothing is stored unless the whole body came and
    /// has a size that `size` allows.
    ///
    /// # Errors
    /// [`FetchError::ObjectSize`], [`FetchError::UploadInterrupted`] where `body` fails, [`FetchError::StoreUnavailable`].
    pub async fn put<S, E>(&self, key: &ObjectKey, body: S, size: Size) -> Result<Stored, FetchError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        let path = self.path(key)?;
        let mut body = pin!(body);
        let mut metered = Metered::new(key, size);
        let mut start = BytesMut::new();
        while start.len() <= PART_BYTES {
            let Some(piece) = body.next().await else {
                let stored = metered.finish()?;
                self.inner.put(&path, start.freeze().into()).await.map_err(|error| failed(key, error))?;
                return Ok(stored);
            };
            start.extend_from_slice(&metered.take(piece)?);
        }
        let upload = self.inner.put_multipart(&path).await.map_err(|error| failed(key, error))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        upload.put(start.freeze());
        let copied = async {
            while let Some(piece) = body.next().await {
                let piece = metered.take(piece)?;
                upload.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(|error| failed(key, error))?;
                upload.put(piece);
            }
            metered.finish()
        };
        match copied.await {
            Ok(stored) => {
                upload.finish().await.map_err(|error| failed(key, error))?;
                Ok(stored)
            }
            Err(error) => {
                // What is left of parts after a failed clean-up goes with the deletion of its prefix; the error that matters
                // is the first one.
                if let Err(cleanup) = upload.abort().await {
                    tracing::warn!(%key, error = %cleanup, "an unfinished upload could not be removed");
                }
                Err(error)
            }
        }
    }

    /// Stores bytes that are in memory.
    ///
    /// # Errors
    /// [`FetchError::StoreUnavailable`].
    pub async fn put_bytes(&self, key: &ObjectKey, bytes: Bytes) -> Result<Stored, FetchError> {
        let size = Size::Exactly(bytes.len() as u64);
        self.put(key, futures::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]), size).await
    }

    /// What is known of an object.
    ///
    /// # Errors
    /// [`FetchError::ObjectNotFound`], [`FetchError::StoreUnavailable`].
    pub async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, FetchError> {
        let meta = self.inner.head(&self.path(key)?).await.map_err(|error| failed(key, error))?;
        Ok(info(key.clone(), meta))
    }

    /// The bytes of an object, or those of `range`; a range that ends beyond the object ends with it.
    ///
    /// # Errors
    /// [`FetchError::ObjectNotFound`], [`FetchError::ObjectRange`] for an empty range or one that begins beyond the end,
    /// [`FetchError::StoreUnavailable`].
    pub async fn get(&self, key: &ObjectKey, range: Option<Range<u64>>) -> Result<ObjectBody, FetchError> {
        let path = self.path(key)?;
        let options = match range {
            None => GetOptions::new(),
            Some(range) => {
                // Asked first, because stores word a range beyond the end in different ways.
                let size = self.head(key).await?.size;
                let range = range.start..range.end.min(size);
                if range.is_empty() {
                    return Err(FetchError::ObjectRange { key: key.to_string(), size });
                }
                GetOptions::new().with_range(Some(range))
            }
        };
        let result = self.inner.get_opts(&path, options).await.map_err(|error| failed(key, error))?;
        let (info, range) = (info(key.clone(), result.meta.clone()), result.range.clone());
        let for_errors = key.clone();
        let stream = match result.payload {
            // The crate's own stream of a file is made of small pieces; media is read in larger ones.
            GetResultPayload::File(file, _) => {
                let mut file = tokio::fs::File::from_std(file);
                let seek = file.seek(std::io::SeekFrom::Start(range.start)).await;
                seek.map_err(|error| unavailable(key, &error))?;
                ReaderStream::with_capacity(file.take(range.end - range.start), 256 << 10)
                    .map_err(move |error| unavailable(&for_errors, &error))
                    .boxed()
            }
            GetResultPayload::Stream(stream) => {
                stream.map_err(move |error| failed(&for_errors, error)).boxed()
            }
        };
        Ok(ObjectBody { info, range, stream })
    }

    /// A small object in memory.
    ///
    /// # Errors
    /// As [`Store::get`], and [`FetchError::ObjectSize`] for one of more than `most` bytes.
    pub async fn get_bytes(&self, key: &ObjectKey, most: u64) -> Result<Bytes, FetchError> {
        let mut body = self.get(key, None).await?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = body.stream.try_next().await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > most {
                return Err(FetchError::ObjectSize {
                    key: key.to_string(),
                    reason: format!("more than {most} bytes"),
                });
            }
        }
        Ok(bytes.freeze())
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// [`FetchError::StoreUnavailable`].
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), FetchError> {
        match self.inner.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(key, error)),
        }
    }

    /// Removes everything whose key begins with `prefix/`, what interrupted uploads left there included.
    ///
    /// # Errors
    /// [`FetchError::StoreUnavailable`]; some objects may be gone then, and the rest goes when it is called again.
    pub async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<(), FetchError> {
        if let Kind::Local { root, .. } = &self.kind {
            return match tokio::fs::remove_dir_all(root.join(prefix.as_str())).await {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(unavailable(prefix, &error)),
            };
        }
        let found = self.inner.list(Some(&self.path(prefix)?)).map_ok(|meta| meta.location).boxed();
        let mut deleted = self.inner.delete_stream(found);
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(prefix, error)),
            }
        }
        if let Kind::S3 { s3, http, .. } = &self.kind {
            unfinished::abort(s3, http, &self.path(prefix)?).await.map_err(|error| {
                tracing::warn!(%prefix, error = %error, "unfinished uploads could not be removed");
                FetchError::StoreUnavailable { reason: "unfinished uploads could not be removed".to_owned() }
            })?;
        }
        Ok(())
    }

    /// The objects whose keys begin with `prefix/`, in no particular order; all without one. Files that are no objects of ours
    /// are passed over.
    pub fn list(&self, prefix: Option<&ObjectKey>) -> BoxStream<'static, Result<ObjectInfo, FetchError>> {
        let under = match prefix {
            Some(key) => self.path(key).map(Some),
            None if self.prefix.is_empty() => Ok(None),
            None => parse_path(&self.prefix).map(Some),
        };
        let under = match under {
            Ok(under) => under,
            Err(error) => return futures::stream::iter([Err(error)]).boxed(),
        };
        let strip = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        self.inner
            .list(under.as_ref())
            .filter_map(move |found| {
                let found = match found {
                    Ok(meta) => {
                        let key = meta
                            .location
                            .as_ref()
                            .strip_prefix(&strip)
                            .and_then(|key| ObjectKey::parse(key).ok());
                        key.map(|key| Ok(info(key, meta)))
                    }
                    Err(error) => Some(Err(unavailable_store(&error))),
                };
                std::future::ready(found)
            })
            .boxed()
    }

    /// Makes a link for one object and one method. `bytes` binds an upload to an exact size on local stores; S3 cannot bind it
    /// in a link, so there the size is to be compared by [`Store::head`] before the object is used. A link to write is good only
    /// while the object is not there (on S3 by a header that is to be sent along, unless the service does not know it).
    ///
    /// # Errors
    /// [`FetchError::StoreUnavailable`] where S3's credentials cannot be had.
    pub async fn sign(
        &self,
        method: Method,
        key: &ObjectKey,
        expires_in: Duration,
        bytes: Option<u64>,
        now: DateTime<Utc>,
    ) -> Result<SignedLink, FetchError> {
        let expires_at = now + expires_in;
        let mut headers = Vec::new();
        let url = match &self.kind {
            Kind::Local { signer, base_url, .. } => {
                let expires = u64::try_from(expires_at.timestamp()).unwrap_or_default();
                let query = signer.query(method, key, expires, bytes);
                let base =
                    base_url.as_ref().map(|base| base.as_str().trim_end_matches('/')).unwrap_or_default();
                format!("{base}/v1/objects/{key}?{query}")
            }
            Kind::S3 { s3, conditional_put, .. } => {
                let mut options = SignedUrlOptions::default();
                if *conditional_put && method == Method::Put {
                    options = options.with_signed_header(IF_NONE_MATCH, HeaderValue::from_static("*"));
                    headers.push((IF_NONE_MATCH.as_str().to_owned(), "*".to_owned()));
                }
                let signed = s3.signed_url_opts(method.into(), &self.path(key)?, expires_in, &options).await;
                signed.map_err(|error| failed(key, error))?.to_string()
            }
        };
        Ok(SignedLink { method, url, headers, expires_at })
    }

    /// Checks a request to the product's own object route: its method, key and raw query, at `now`.
    ///
    /// # Errors
    /// [`FetchError::SignatureInvalid`]; always on S3, where no such links are made.
    pub fn verify(
        &self,
        method: Method,
        key: &ObjectKey,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<Allowed, FetchError> {
        match &self.kind {
            Kind::Local { signer, .. } => {
                signer.verify(method, key, query, u64::try_from(now.timestamp()).unwrap_or_default())
            }
            Kind::S3 { .. } => Err(FetchError::SignatureInvalid),
        }
    }

    fn path(&self, key: &ObjectKey) -> Result<Path, FetchError> {
        if self.prefix.is_empty() {
            parse_path(key.as_str())
        } else {
            parse_path(&format!("{}/{key}", self.prefix))
        }
    }
}

fn parse_path(text: &str) -> Result<Path, FetchError> {
    Path::parse(text).map_err(|_| FetchError::InvalidKey { key: text.chars().take(80).collect() })
}

fn info(key: ObjectKey, meta: ObjectMeta) -> ObjectInfo {
    let etag = meta.e_tag.map(|tag| if tag.starts_with('"') { tag } else { format!("\"{tag}\"") });
    ObjectInfo { key, size: meta.size, etag, last_modified: meta.last_modified }
}

fn failed(key: &ObjectKey, error: object_store::Error) -> FetchError {
    match error {
        object_store::Error::NotFound { .. } => FetchError::ObjectNotFound { key: key.to_string() },
        other => {
            tracing::warn!(%key, error = %other, "the object store failed");
            unavailable_store(&other)
        }
    }
}

fn unavailable(key: &ObjectKey, error: &std::io::Error) -> FetchError {
    tracing::warn!(%key, %error, "the object store failed");
    FetchError::StoreUnavailable { reason: error.kind().to_string() }
}

/// Fixed words only: the store's own may hold paths and addresses.
pub(crate) fn unavailable_store(error: &object_store::Error) -> FetchError {
    let reason = match error {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            "it refuses the service's credentials. The operator should check them".to_owned()
        }
        other => {
            let mut cause: Option<&(dyn StdError + 'static)> = Some(other);
            let mut reason = "it does not answer as it should".to_owned();
            while let Some(link) = cause {
                if let Some(io) = link.downcast_ref::<std::io::Error>() {
                    reason = io.kind().to_string();
                }
                cause = link.source();
            }
            reason
        }
    };
    FetchError::StoreUnavailable { reason }
}
