//! The settings of this crate, one struct per concern, each field with its variable.
//!
//! Nothing here reads the environment: a look-up function comes in as an argument, so that a service decides where settings
//! come from. A value that cannot be used is an error that names the variable; nothing is silently replaced.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::door::AllowList;
use crate::error::FetchError;

/// How sources are fetched.
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// `SM_FETCH_ALLOW`: networks and hosts that are connected to although they are private, comma-separated:
    /// `127.0.0.0/8,media.lan:8080,[::1]:9000`. Empty by default. With `SM_FETCH_PUBLIC=false` it is all that is connected to.
    pub allow: AllowList,
    /// `SM_MEDIA_DIRS`: directories that `name:path` sources may be read from: `library=/srv/media,clips=/data/clips`. None by
    /// default.
    pub media_dirs: Vec<MediaDir>,
    /// `SM_FETCH_MAX_BYTES`: the most that is fetched from one source, as bytes or `512MiB`, `4GiB`. 4 GiB by default.
    pub max_bytes: u64,
    /// `SM_FETCH_TIMEOUT`: the longest that one request, with its retries, may take: `30s`, `15m`, `1h`. 15 minutes by default.
    pub timeout: Duration,
    /// `SM_FETCH_CONNECT_TIMEOUT`: the longest that making a connection may take. 10 seconds by default.
    pub connect_timeout: Duration,
    /// `SM_FETCH_IDLE_TIMEOUT`: the longest wait for an answer's headers, and between two pieces of its body. 30 seconds by
    /// default.
    pub idle_timeout: Duration,
    /// `SM_FETCH_ATTEMPTS`: how often a request is tried in all. 5 by default.
    pub attempts: u32,
    /// `SM_FETCH_PARALLEL`: requests to one source at the same time. 4 by default.
    pub parallel: usize,
    /// `SM_FETCH_PER_HOST`: requests to one host at the same time, over all sources of the process. 6 by default.
    pub per_host: usize,
    /// `SM_FETCH_BLOCK`: most bytes of one range request; what is longer is asked for in several at the same time. 1 MiB by
    /// default.
    pub block_bytes: usize,
    /// `SM_FETCH_CACHE`: bytes of sources kept on disk, for all jobs together; `0` keeps nothing beyond the job. 2 GiB by
    /// default.
    pub cache_bytes: u64,
    /// `SM_FETCH_CACHE_DIR`: where they are kept; several processes may share it. Without it nothing is kept beyond the job; an
    /// executor has a directory of its own by default.
    pub cache_dir: Option<PathBuf>,
    /// `SM_FETCH_TEMP_DIR`: where bodies of servers without Range support are kept, in files without a name. The system's
    /// temporary directory by default.
    pub temp_dir: PathBuf,
    /// Bytes of a page: what is read and kept is rounded to whole ones. Not a variable: only tests change it.
    pub page_bytes: usize,
    /// Bytes of the first request to a source. Not a variable: only tests change it.
    pub opening_bytes: usize,
    /// The pause after the first failed try; doubled with each. Not a variable: only tests change it.
    pub retry_base: Duration,
}

/// A directory that may be read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDir {
    /// What stands before the colon in a source.
    pub name: String,
    /// The directory.
    pub path: PathBuf,
}

/// Where objects are kept, and how links to them are signed.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The variable that `location` came from, for errors: `SM_OBJECT_STORE`, or another store's.
    pub variable: &'static str,
    /// `SM_OBJECT_STORE`: `file:/var/lib/stream-montages` or `s3://bucket/prefix`. Required.
    /// On S3 the service's key needs GetObject, PutObject, DeleteObject, AbortMultipartUpload, ListBucket and
    /// ListBucketMultipartUploads; executors need none.
    pub location: StoreLocation,
    /// `SM_OBJECT_BASE_URL`: what links to objects of a local directory begin with, as executors reach it: the gateway's
    /// address. Without it links are paths (`/v1/objects/…`), for clients that know the gateway's address anyway.
    pub base_url: Option<Url>,
    /// `SM_OBJECT_SIGNING_SECRET`: signs links to objects of a local directory; at least 16 characters. Without it a random one
    /// is made and kept in the directory, where all services that share the directory find it.
    pub signing_secret: Option<SecretString>,
    /// `SM_S3_ENDPOINT`: the address of an S3 service other than AWS.
    pub s3_endpoint: Option<Url>,
    /// `SM_S3_REGION`: `us-east-1` by default.
    pub s3_region: String,
    /// `SM_S3_ACCESS_KEY_ID`, with `SM_S3_SECRET_ACCESS_KEY`. Without both, the credentials of the AWS instance are used.
    pub s3_access_key_id: Option<SecretString>,
    /// `SM_S3_SECRET_ACCESS_KEY`.
    pub s3_secret_access_key: Option<SecretString>,
    /// `SM_S3_ALLOW_HTTP`: `true` allows an endpoint without TLS. `false` by default.
    pub s3_allow_http: bool,
    /// `SM_S3_CONDITIONAL_PUT`: `false` for a service that does not know `If-None-Match` on PUT. `true` by default: then a link to
    /// write an object never replaces what is there.
    pub s3_conditional_put: bool,
}

/// The kinds of object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A directory of this machine; made if absent.
    Local(PathBuf),
    /// A bucket.
    S3 {
        /// Its name.
        bucket: String,
        /// What each key begins with in the bucket; may be empty.
        prefix: String,
    },
}

/// Where the services' own objects are.
const OBJECT_STORE: &str = "SM_OBJECT_STORE";

/// A look-up of a variable's value; absent and empty are the same.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            allow: AllowList::default(),
            media_dirs: Vec::new(),
            max_bytes: 4 << 30,
            timeout: Duration::from_secs(15 * 60),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            attempts: 5,
            parallel: 4,
            per_host: 6,
            block_bytes: 1 << 20,
            cache_bytes: 2 << 30,
            cache_dir: None,
            page_bytes: 16 << 10,
            opening_bytes: 64 << 10,
            temp_dir: std::env::temp_dir(),
            retry_base: Duration::from_millis(250),
        }
    }
}

impl FetchConfig {
    /// The variables that [`FetchConfig::from_lookup`] reads, for a check against misspelt ones.
    pub const VARIABLES: &'static [&'static str] = &[
        "SM_FETCH_ALLOW",
        "SM_FETCH_PUBLIC",
        "SM_MEDIA_DIRS",
        "SM_FETCH_MAX_BYTES",
        "SM_FETCH_TIMEOUT",
        "SM_FETCH_CONNECT_TIMEOUT",
        "SM_FETCH_IDLE_TIMEOUT",
        "SM_FETCH_ATTEMPTS",
        "SM_FETCH_PARALLEL",
        "SM_FETCH_PER_HOST",
        "SM_FETCH_BLOCK",
        "SM_FETCH_CACHE",
        "SM_FETCH_CACHE_DIR",
        "SM_FETCH_TEMP_DIR",
    ];

    /// Reads the settings through `lookup`; what is absent has its default.
    ///
    /// # Errors
    /// [`FetchError::Config`] with the first variable that cannot be used.
    pub fn from_lookup(lookup: Lookup<'_>) -> Result<Self, FetchError> {
        let default = Self::default();
        let config = Self {
            allow: allow_list(lookup)?,
            media_dirs: read(lookup, "SM_MEDIA_DIRS", parse_media_dirs)?.unwrap_or_default(),
            max_bytes: read(lookup, "SM_FETCH_MAX_BYTES", parse_bytes)?.unwrap_or(default.max_bytes),
            timeout: read(lookup, "SM_FETCH_TIMEOUT", parse_duration)?.unwrap_or(default.timeout),
            connect_timeout: read(lookup, "SM_FETCH_CONNECT_TIMEOUT", parse_duration)?
                .unwrap_or(default.connect_timeout),
            idle_timeout: read(lookup, "SM_FETCH_IDLE_TIMEOUT", parse_duration)?
                .unwrap_or(default.idle_timeout),
            attempts: read(lookup, "SM_FETCH_ATTEMPTS", |text| parse_count(text, 20))?
                .unwrap_or(default.attempts),
            parallel: read(lookup, "SM_FETCH_PARALLEL", |text| parse_count(text, 64))?
                .map_or(default.parallel, |count| count as usize),
            per_host: read(lookup, "SM_FETCH_PER_HOST", |text| parse_count(text, 64))?
                .map_or(default.per_host, |count| count as usize),
            block_bytes: read(lookup, "SM_FETCH_BLOCK", |text| parse_bytes_within(text, 64 << 10, 64 << 20))?
                .unwrap_or(default.block_bytes),
            cache_bytes: read(lookup, "SM_FETCH_CACHE", parse_bytes)?.unwrap_or(default.cache_bytes),
            cache_dir: read(lookup, "SM_FETCH_CACHE_DIR", |text| Ok(PathBuf::from(text)))?,
            page_bytes: default.page_bytes,
            opening_bytes: default.opening_bytes,
            temp_dir: read(lookup, "SM_FETCH_TEMP_DIR", |text| Ok(PathBuf::from(text)))?
                .unwrap_or(default.temp_dir),
            retry_base: default.retry_base,
        };
        Ok(config)
    }
}

impl StoreConfig {
    /// The variables that [`StoreConfig::from_lookup`] reads.
    pub const VARIABLES: &'static [&'static str] = &[
        "SM_OBJECT_STORE",
        "SM_OBJECT_BASE_URL",
        "SM_OBJECT_SIGNING_SECRET",
        "SM_S3_ENDPOINT",
        "SM_S3_REGION",
        "SM_S3_ACCESS_KEY_ID",
        "SM_S3_SECRET_ACCESS_KEY",
        "SM_S3_ALLOW_HTTP",
        "SM_S3_CONDITIONAL_PUT",
    ];

    /// A store in a directory, with the defaults of everything else.
    #[must_use]
    pub fn local(directory: impl Into<PathBuf>) -> Self {
        Self::at(OBJECT_STORE, StoreLocation::Local(directory.into()))
    }

    fn at(variable: &'static str, location: StoreLocation) -> Self {
        Self {
            variable,
            location,
            base_url: None,
            signing_secret: None,
            s3_endpoint: None,
            s3_region: "us-east-1".to_owned(),
            s3_access_key_id: None,
            s3_secret_access_key: None,
            s3_allow_http: false,
            s3_conditional_put: true,
        }
    }

    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// [`FetchError::Config`] with the first variable that is missing or cannot be used.
    pub fn from_lookup(lookup: Lookup<'_>) -> Result<Self, FetchError> {
        Self::from_lookup_at(OBJECT_STORE, lookup)?.ok_or_else(|| FetchError::Config {
            variable: OBJECT_STORE.to_owned(),
            reason: "is missing; give file:/a/directory or s3://bucket/prefix".to_owned(),
        })
    }

    /// Reads the settings of another store through `lookup`: where it is from `variable`, everything else as for the object store.
    /// None without that variable.
    ///
    /// # Errors
    /// [`FetchError::Config`] with the first variable that cannot be used.
    pub fn from_lookup_at(variable: &'static str, lookup: Lookup<'_>) -> Result<Option<Self>, FetchError> {
        let secret = |text: &str| Ok(SecretString::from(text));
        let url = |text: &str| Url::parse(text).map_err(|error| format!("is not an address: {error}"));
        let Some(location) = read(lookup, variable, parse_location)? else {
            return Ok(None);
        };
        let config = Self {
            base_url: read(lookup, "SM_OBJECT_BASE_URL", url)?,
            signing_secret: read(lookup, "SM_OBJECT_SIGNING_SECRET", |text| match text.len() {
                16.. => secret(text),
                _ => Err("is too short: at least 16 characters".to_owned()),
            })?,
            s3_endpoint: read(lookup, "SM_S3_ENDPOINT", url)?,
            s3_access_key_id: read(lookup, "SM_S3_ACCESS_KEY_ID", secret)?,
            s3_secret_access_key: read(lookup, "SM_S3_SECRET_ACCESS_KEY", secret)?,
            s3_allow_http: read(lookup, "SM_S3_ALLOW_HTTP", parse_bool)?.unwrap_or(false),
            s3_conditional_put: read(lookup, "SM_S3_CONDITIONAL_PUT", parse_bool)?.unwrap_or(true),
            ..Self::at(variable, location)
        };
        Ok(Some(match read(lookup, "SM_S3_REGION", |text| Ok(text.to_owned()))? {
            Some(s3_region) => Self { s3_region, ..config },
            None => config,
        }))
    }
}

fn read<T>(
    lookup: Lookup<'_>,
    variable: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, FetchError> {
    match lookup(variable).as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => parse(text)
            .map(Some)
            .map_err(|reason| FetchError::Config { variable: variable.to_owned(), reason }),
    }
}

fn allow_list(lookup: Lookup<'_>) -> Result<AllowList, FetchError> {
    let list = read(lookup, "SM_FETCH_ALLOW", AllowList::parse)?.unwrap_or_default();
    let public = read(lookup, "SM_FETCH_PUBLIC", parse_bool)?.unwrap_or(true);
    Ok(if public { list } else { list.alone() })
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn parse_count(text: &str, most: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(count),
        _ => Err(format!("{text:?} is not a number from 1 to {most}")),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    (&text[..digits], text[digits..].trim())
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1_u64),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        _ => None,
    };
    factor
        .zip(number.parse().ok())
        .and_then(|(factor, number): (u64, u64)| factor.checked_mul(number))
        .ok_or_else(|| format!("{text:?} is not a size such as 1048576, 512MiB or 4GiB"))
}

fn parse_bytes_within(text: &str, least: u64, most: u64) -> Result<usize, String> {
    let bytes = parse_bytes(text)?;
    usize::try_from(bytes)
        .ok()
        .filter(|_| (least..=most).contains(&bytes))
        .ok_or_else(|| format!("{text:?} is not between {least} and {most} bytes"))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let millis = match unit {
        "ms" => Some(1_u64),
        "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    millis
        .zip(number.parse().ok())
        .and_then(|(unit, number): (u64, u64)| unit.checked_mul(number))
        .filter(|millis| *millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is not a duration such as 500ms, 30s, 15m or 1h"))
}

fn parse_media_dirs(text: &str) -> Result<Vec<MediaDir>, String> {
    let mut dirs: Vec<MediaDir> = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, path) =
            entry.split_once('=').ok_or_else(|| format!("{entry:?} is not of the form name=/a/directory"))?;
        let (name, path) = (name.trim(), PathBuf::from(path.trim()));
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(format!("{name:?} is not a name: use letters, digits, '-' and '_'"));
        }
        if !path.is_absolute() {
            return Err(format!("the directory of {name:?} is not an absolute path"));
        }
        if dirs.iter().any(|dir| dir.name == name) {
            return Err(format!("{name:?} is named twice"));
        }
        dirs.push(MediaDir { name: name.to_owned(), path });
    }
    Ok(dirs)
}

fn parse_location(text: &str) -> Result<StoreLocation, String> {
    if let Some(path) = text.strip_prefix("file:") {
        // Both file:/path and file:///path are in use.
        let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
        return if path.is_absolute() {
            Ok(StoreLocation::Local(path))
        } else {
            Err(format!("{text:?} is not absolute; give file:/a/directory"))
        };
    }
    if let Some(rest) = text.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !bucket.is_empty() {
            return Ok(StoreLocation::S3 {
                bucket: bucket.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            });
        }
    }
    Err(format!("{text:?} is not a store; give file:/a/directory or s3://bucket/prefix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        move |name| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn human_units_are_read() {
        let config = FetchConfig::from_lookup(&from(&[
            ("SM_FETCH_MAX_BYTES", "3GiB"),
            ("SM_FETCH_TIMEOUT", "2m"),
            ("SM_FETCH_IDLE_TIMEOUT", "500ms"),
            ("SM_MEDIA_DIRS", "library=/srv/media, clips=/data/clips"),
            ("SM_FETCH_ALLOW", ""),
        ]))
        .unwrap();
        assert_eq!(config.max_bytes, 3 << 30);
        assert_eq!(config.timeout, Duration::from_secs(120));
        assert_eq!(config.idle_timeout, Duration::from_millis(500));
        assert_eq!(config.media_dirs[1], MediaDir { name: "clips".into(), path: "/data/clips".into() });
    }

    #[test]
    fn every_unusable_value_names_its_variable() {
        for (variable, value) in [
            ("SM_FETCH_MAX_BYTES", "4 parsecs"),
            ("SM_FETCH_MAX_BYTES", "99999999999GiB"),
            ("SM_FETCH_TIMEOUT", "15"),
            ("SM_FETCH_TIMEOUT", "0s"),
            ("SM_FETCH_ATTEMPTS", "0"),
            ("SM_FETCH_PARALLEL", "many"),
            ("SM_FETCH_PER_HOST", "0"),
            ("SM_FETCH_BLOCK", "1"),
            ("SM_FETCH_CACHE", "all of it"),
            ("SM_MEDIA_DIRS", "library"),
            ("SM_MEDIA_DIRS", "library=media"),
            ("SM_MEDIA_DIRS", "a=/x,a=/y"),
            ("SM_FETCH_ALLOW", "10.0.0.0/99"),
        ] {
            let error = FetchConfig::from_lookup(&from(&[(variable, value)])).unwrap_err();
            assert!(error.to_string().starts_with(variable), "{error}");
        }
    }

    #[test]
    fn store_locations_are_read() {
        let location = |text| {
            StoreConfig::from_lookup(&from(&[("SM_OBJECT_STORE", text)])).map(|config| config.location)
        };
        assert_eq!(location("file:/srv/o").unwrap(), StoreLocation::Local("/srv/o".into()));
        assert_eq!(location("file:///srv/o").unwrap(), StoreLocation::Local("/srv/o".into()));
        let s3 = StoreLocation::S3 { bucket: "b".into(), prefix: "p/q".into() };
        assert_eq!(location("s3://b/p/q/").unwrap(), s3);
        for text in ["", "file:o", "s3://", "gs://b", "/srv/o"] {
            assert_eq!(location(text).unwrap_err().code(), "config_invalid", "{text}");
        }
    }

    #[test]
    fn another_store_is_elsewhere_with_the_same_settings() {
        let at = |pairs: &[(&str, &str)]| StoreConfig::from_lookup_at("SM_LISTS_STORE", &from(pairs));
        assert!(at(&[("SM_OBJECT_STORE", "file:/o")]).unwrap().is_none());
        let config =
            at(&[("SM_LISTS_STORE", "s3://lists"), ("SM_S3_REGION", "eu-central-1")]).unwrap().unwrap();
        assert_eq!((config.variable, config.s3_region.as_str()), ("SM_LISTS_STORE", "eu-central-1"));
        let error = at(&[("SM_LISTS_STORE", "lists")]).unwrap_err();
        assert!(error.to_string().starts_with("SM_LISTS_STORE"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = StoreConfig::from_lookup(&from(&[
            ("SM_OBJECT_STORE", "file:/o"),
            ("SM_OBJECT_SIGNING_SECRET", "a-very-secret-value"),
            ("SM_S3_SECRET_ACCESS_KEY", "another-secret-value"),
        ]))
        .unwrap();
        assert!(!format!("{config:?}").contains("secret-value"));
    }
}
