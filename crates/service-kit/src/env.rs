//! Configuration from environment variables named `SM_…`.
//!
//! [`KNOWN`] is the one list of them: a variable that is not in it is refused at start, with the nearest known name, so that a
//! slip of the pen never silently means the default. Durations are written `500ms`, `30s`, `5m`, `2h`, `7d`; sizes
//! `512`, `64KiB`, `10MiB`, `2GiB`.

use contracts::decode::nearest;
use secrecy::SecretString;
use std::{collections::BTreeMap, fmt::Write as _, str::FromStr, time::Duration};

/// A variable: its name, whether its value is a secret, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Never printed.
    pub secret: bool,
    /// What it means and its default, for people.
    pub meaning: &'static str,
}

const fn plain(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, secret: false, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, secret: true, meaning }
}

/// Every variable that any part of the product reads.
pub const KNOWN: &[Variable] = &[
    // All services.
    plain("SM_LOG", "What is logged, as tracing's filter directives (default info)"),
    plain("SM_LOG_FORMAT", "text or json (default text)"),
    secret("SM_DATABASE_URL", "postgres://user:password@host/database"),
    plain("SM_DATABASE_CONNECTIONS", "Most connections of one service's pool (default 10)"),
    secret("SM_INTERNAL_TOKEN", "What services show each other; needed unless all listen on loopback"),
    plain("SM_JOBS_LISTEN", "Where jobs-repo listens (default 127.0.0.1:8081)"),
    plain("SM_MONTAGES_LISTEN", "Where montages-repo listens (default 127.0.0.1:8082)"),
    plain("SM_SCHEDULER_LISTEN", "Where scheduler listens (default 127.0.0.1:8083)"),
    plain("SM_EXECUTOR_LISTEN", "Where executor answers health and metrics (default 127.0.0.1:8084)"),
    plain("SM_JOBS_URL", "Where jobs-repo is reached (default http://127.0.0.1:8081)"),
    plain("SM_MONTAGES_URL", "Where montages-repo is reached (default http://127.0.0.1:8082)"),
    plain("SM_SCHEDULER_URL", "Where scheduler is reached (default http://127.0.0.1:8083)"),
    // Hints.
    plain("SM_HINTS", "kafka or postgres: what carries hints (default kafka)"),
    plain("SM_KAFKA_BROKERS", "Bootstrap brokers, host:port, comma between them"),
    plain("SM_KAFKA_TOPIC", "The topic of hints (default stream-montages.jobs)"),
    plain("SM_KAFKA_PARTITIONS", "Its partitions (default 12)"),
    // Jobs.
    plain("SM_LEASE_TTL", "How long a lease lasts without a heartbeat (default 30s)"),
    plain("SM_MAX_ATTEMPTS", "Attempts of a job, whatever the reasons of failure (default 5)"),
    plain("SM_JOB_DEADLINE", "Longest attempt (default 2h)"),
    plain("SM_JOB_STALL", "Longest time of an attempt without progress (default 5m)"),
    plain("SM_RETRY_BASE", "First back-off between attempts (default 2s)"),
    plain("SM_RETRY_CAP", "Longest back-off between attempts (default 5m)"),
    // Executor.
    plain(
        "SM_GATEWAY_URL",
        "Where executors, the command line and the Lambda handler reach the gateway (default http://127.0.0.1:8080)",
    ),
    secret("SM_EXECUTOR_TOKEN", "The executor's API key (scope executor)"),
    plain("SM_EXECUTOR_NAME", "The executor's name, shown to people (default the host's name)"),
    plain("SM_EXECUTOR_SLOTS", "Jobs at once (default 1)"),
    plain("SM_EXECUTOR_PLAN_SLOTS", "Plans and probes at once, beside the jobs, 0 to 4 (default 1)"),
    plain(
        "SM_WORK_DIR",
        "Where job directories are made (default a directory of its own under the system's temporary one)",
    ),
    plain("SM_RENDER_WORKER", "The render-worker program (default beside the executor's own)"),
    plain(
        "SM_RENDER_THREADS",
        "Segments encoded at once by one job (default the processors divided by the slots)",
    ),
    plain("SM_RENDER_MEMORY", "Address space of one render worker (default 4GiB)"),
    plain("SM_RENDER_OUTPUT", "Largest file that a render worker may write (default 20GiB)"),
    plain("SM_RENDER_CPU", "Processor time of one render worker (default 12h)"),
    // Transcription.
    plain("SM_MODELS_DIR", "Where the local speech models lie (default .local/models)"),
    plain("SM_TRANSCRIBE_THREADS", "Threads of the local engine (default all processors, at most 4)"),
    plain("SM_OPENAI_BASE_URL", "The OpenAI-compatible service (default OpenAI's own)"),
    secret("SM_OPENAI_API_KEY", "Its key"),
    plain("SM_OPENAI_MODEL", "Its model (default whisper-1)"),
    // Bytes. What fetches reads SM_FETCH_… for itself: executors, scheduler, and montages-repo, which plays sources that somebody
    // is about to cut from.
    plain(
        "SM_FETCH_ALLOW",
        "Networks (CIDR), hosts or host:port that sources and webhooks may be on although they are private",
    ),
    plain(
        "SM_FETCH_PUBLIC",
        "Whether public addresses are fetched from too (default true); with false only what SM_FETCH_ALLOW opens",
    ),
    plain("SM_FETCH_MAX_BYTES", "Most bytes fetched from one source (default 4GiB)"),
    plain("SM_FETCH_TIMEOUT", "Longest time of one request with its retries (default 15m)"),
    plain("SM_FETCH_CONNECT_TIMEOUT", "Longest time to connect (default 10s)"),
    plain("SM_FETCH_IDLE_TIMEOUT", "Longest wait for an answer, and between two pieces of it (default 30s)"),
    plain("SM_FETCH_ATTEMPTS", "Tries of one request (default 5)"),
    plain("SM_FETCH_PARALLEL", "Requests to one source at once (default 4)"),
    plain("SM_FETCH_PER_HOST", "Requests to one host at once, over all sources (default 6)"),
    plain("SM_FETCH_BLOCK", "Most bytes of one range request (default 1MiB)"),
    plain(
        "SM_FETCH_CACHE",
        "Bytes of sources kept on disk, for all jobs together; 0 keeps none (default 2GiB)",
    ),
    plain(
        "SM_FETCH_CACHE_DIR",
        "Where they are kept (default fetched, in the executor's SM_WORK_DIR; other services keep none without it)",
    ),
    plain(
        "SM_YT_DLP",
        "The yt-dlp program that finds the media behind page addresses (default none: pages are refused)",
    ),
    plain("SM_YT_DLP_TIME", "Longest time that it may take for one page (default 60s)"),
    plain("SM_FETCH_TEMP_DIR", "Where bodies of servers without ranges are kept (default the system's own)"),
    plain("SM_MEDIA_DIRS", "Directories that sources may be in: name=/directory, comma between them"),
    plain("SM_OBJECT_STORE", "file:/directory or s3://bucket/prefix"),
    plain(
        "SM_OBJECT_BASE_URL",
        "What links to objects of a local store begin with, as executors reach the gateway",
    ),
    secret(
        "SM_OBJECT_SIGNING_SECRET",
        "Signs links to objects of a local store; the same for all montages-repos",
    ),
    plain("SM_LINK_TTL", "How long signed links live (default 15m)"),
    plain("SM_UPLOAD_MAX_BYTES", "Largest upload (default 20GiB)"),
    plain("SM_SEGMENT_KEEP", "How long a segment is kept after its last use (default 7d)"),
    plain(
        "SM_SEGMENT_BYTES",
        "How much all segments may take; the least recently used go first (default 20GiB)",
    ),
    plain("SM_TRASH_KEEP", "How long a deleted montage can be restored; 0s deletes at once (default 1h)"),
    plain("SM_S3_ENDPOINT", "An S3-compatible service other than AWS"),
    plain("SM_S3_REGION", "Its region (default us-east-1)"),
    secret("SM_S3_ACCESS_KEY_ID", "Its key id"),
    secret("SM_S3_SECRET_ACCESS_KEY", "Its key"),
    plain("SM_S3_ALLOW_HTTP", "true to speak to it without TLS (default false)"),
    plain(
        "SM_S3_CONDITIONAL_PUT",
        "false for a service that does not know If-None-Match on PUT (default true)",
    ),
    // Where highlights come from: scheduler, the Lambda handler, and the command line's imports.
    plain(
        "SM_DYNAMODB_TABLES",
        "DynamoDB tables that schedules may read, comma between them (default none; imports with credentials of one's own: all)",
    ),
    plain("SM_DYNAMODB_ENDPOINT", "A DynamoDB other than AWS's own, like http://127.0.0.1:8000"),
    plain("SM_TWITCH_CLIENT_ID", "The client id of an application that is registered with Twitch"),
    secret("SM_TWITCH_CLIENT_SECRET", "Its secret"),
    plain("SM_TWITCH_API_URL", "Where Twitch's API is (default https://api.twitch.tv)"),
    plain("SM_TWITCH_AUTH_URL", "Where Twitch gives tokens (default https://id.twitch.tv)"),
    plain(
        "SM_LISTS_STORE",
        "Where lists of highlights are that sources name as `object`: file:/directory or s3://bucket/prefix, with SM_S3_… as above",
    ),
    secret(
        "SM_SOURCE_TOKENS",
        "Bearer tokens that lists are fetched with: host=token, comma between them; a host may be host:port",
    ),
    // Gateway.
    plain("SM_LISTEN", "Where the gateway listens (default 127.0.0.1:8080)"),
    plain("SM_AUTH", "open (loopback only) or keys (default open on loopback, else keys)"),
    plain(
        "SM_SECURE_COOKIES",
        "true where people reach the gateway by https: sessions are then sent over https only (default false)",
    ),
    secret("SM_ADMIN_TOKEN", "A key with scope admin, to make the first keys with; at least 32 characters"),
    // Command line and Lambda handler.
    secret("SM_API_KEY", "The key that the command line and the Lambda handler send"),
    plain("SM_IMPORT", "What the Lambda handler imports, as JSON"),
    plain("SM_IMPORT_FILE", "A file that says it, instead of SM_IMPORT"),
    // Tests.
    secret("SM_TEST_DATABASE_URL", "A cluster in which tests make databases"),
    plain("SM_TEST_KAFKA_BROKERS", "Brokers that tests may use"),
    plain("SM_TEST_MEDIA", "Sample media for tests"),
    plain("SM_TEST_S3_ENDPOINT", "An S3 service for tests"),
    plain("SM_TEST_S3_BUCKET", "A bucket in it that tests may fill"),
    secret("SM_TEST_S3_ACCESS_KEY_ID", "Its key id"),
    secret("SM_TEST_S3_SECRET_ACCESS_KEY", "Its key"),
];

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// A variable that nothing reads.
    #[error("unknown setting {name}{hint}")]
    Unknown {
        /// Its name.
        name: String,
        /// The nearest known one.
        hint: String,
    },
    /// A variable that is needed.
    #[error("{name} is not set: {meaning}")]
    Missing {
        /// Its name.
        name: &'static str,
        /// What it means.
        meaning: &'static str,
    },
    /// A value that cannot be read.
    #[error("{name} cannot be read: {reason}")]
    Invalid {
        /// Its name.
        name: String,
        /// What is accepted.
        reason: String,
    },
}

/// The settings of a process.
#[derive(Clone)]
pub struct Env(BTreeMap<String, String>);

impl std::fmt::Debug for Env {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.redacted())
    }
}

impl Env {
    /// The `SM_…` variables of this process.
    ///
    /// # Errors
    /// [`EnvError::Unknown`] for a variable that is not in [`KNOWN`].
    pub fn from_process() -> Result<Self, EnvError> {
        Self::from_pairs(std::env::vars().filter(|(name, _)| name.starts_with("SM_")))
    }

    /// Settings given as pairs; empty values stand for absent ones.
    ///
    /// # Errors
    /// [`EnvError::Unknown`] for a variable that is not in [`KNOWN`].
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, EnvError> {
        let mut settings = BTreeMap::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            if !KNOWN.iter().any(|known| known.name == name) {
                let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
                let hint =
                    nearest(&name, &names).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                return Err(EnvError::Unknown { name, hint });
            }
            if !value.trim().is_empty() {
                settings.insert(name, value);
            }
        }
        Ok(Self(settings))
    }

    /// The same settings with some set, replaced or (`None`) removed: how `up` gives each service its own.
    ///
    /// # Errors
    /// [`EnvError::Unknown`] for a variable that is not in [`KNOWN`].
    pub fn with<K: Into<String>>(
        &self,
        changes: impl IntoIterator<Item = (K, Option<String>)>,
    ) -> Result<Self, EnvError> {
        let mut settings = self.0.clone();
        for (name, value) in changes {
            let name = name.into();
            match value {
                Some(value) => settings.insert(name, value),
                None => settings.remove(&name),
            };
        }
        Self::from_pairs(settings)
    }

    /// A setting, if it is there.
    #[must_use]
    pub fn get(&self, name: &'static str) -> Option<&str> {
        debug_assert!(KNOWN.iter().any(|known| known.name == name), "{name} is not in KNOWN");
        self.0.get(name).map(|value| value.trim())
    }

    /// A setting that must be there.
    ///
    /// # Errors
    /// [`EnvError::Missing`].
    pub fn required(&self, name: &'static str) -> Result<&str, EnvError> {
        self.get(name).ok_or_else(|| {
            let meaning = KNOWN.iter().find(|known| known.name == name).map_or("", |known| known.meaning);
            EnvError::Missing { name, meaning }
        })
    }

    /// A secret, if it is there.
    #[must_use]
    pub fn secret(&self, name: &'static str) -> Option<SecretString> {
        self.get(name).map(SecretString::from)
    }

    /// A secret that must be there.
    ///
    /// # Errors
    /// [`EnvError::Missing`].
    pub fn required_secret(&self, name: &'static str) -> Result<SecretString, EnvError> {
        self.required(name).map(SecretString::from)
    }

    /// A setting of any type that is read from text, or its default.
    ///
    /// # Errors
    /// [`EnvError::Invalid`].
    pub fn parse<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, EnvError>
    where
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        text.parse().map_err(|error: T::Err| EnvError::Invalid {
            name: name.to_owned(),
            reason: format!("`{text}`: {error}"),
        })
    }

    /// A duration such as `30s`, or its default.
    ///
    /// # Errors
    /// [`EnvError::Invalid`].
    pub fn duration(&self, name: &'static str, default: Duration) -> Result<Duration, EnvError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        parse_duration(text).ok_or_else(|| EnvError::Invalid {
            name: name.to_owned(),
            reason: format!("`{text}` is not a duration like 500ms, 30s, 5m, 2h or 7d"),
        })
    }

    /// A size such as `64MiB` in bytes, or its default.
    ///
    /// # Errors
    /// [`EnvError::Invalid`].
    pub fn size(&self, name: &'static str, default: u64) -> Result<u64, EnvError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        parse_size(text).ok_or_else(|| EnvError::Invalid {
            name: name.to_owned(),
            reason: format!("`{text}` is not a size like 512, 64KiB, 10MiB or 2GiB"),
        })
    }

    /// `true` or `false`, or its default.
    ///
    /// # Errors
    /// [`EnvError::Invalid`].
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, EnvError> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "1" | "yes") => Ok(true),
            Some("false" | "0" | "no") => Ok(false),
            Some(text) => Err(EnvError::Invalid {
                name: name.to_owned(),
                reason: format!("`{text}` is not true or false"),
            }),
        }
    }

    /// For crates that read their settings by name without knowing this type.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<String> {
        debug_assert!(KNOWN.iter().any(|known| known.name == name), "{name} is not in KNOWN");
        self.0.get(name).map(|value| value.trim().to_owned())
    }

    /// All settings on one line, secrets left out.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut line = String::new();
        for (name, value) in &self.0 {
            let secret = KNOWN.iter().any(|known| known.name == name && known.secret);
            let _ = write!(line, "{name}={} ", if secret { "(set)" } else { value });
        }
        line.trim_end().to_owned()
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

/// Reads `512`, `64KiB`, `10MiB`, `2GiB`, `1TiB`, in bytes.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_refused_with_the_nearest_name() {
        let error = Env::from_pairs([("SM_LEASE_TLT", "3s")]).unwrap_err();
        assert_eq!(error.to_string(), "unknown setting SM_LEASE_TLT; did you mean SM_LEASE_TTL?");
    }

    #[test]
    fn secrets_are_never_printed() {
        let env =
            Env::from_pairs([("SM_DATABASE_URL", "postgres://a:hush@b/c"), ("SM_LEASE_TTL", "3s")]).unwrap();
        assert_eq!(format!("{env:?}"), "SM_DATABASE_URL=(set) SM_LEASE_TTL=3s");
    }

    #[test]
    fn units_are_read() {
        assert_eq!(parse_duration("1500ms"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_duration("7"), None);
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("5"), Some(5));
        assert_eq!(parse_size("5KB"), None);
        assert_eq!(parse_size("99999999999TiB"), None);
    }
}
