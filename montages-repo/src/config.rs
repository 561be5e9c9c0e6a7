//! The settings of montages-repo.

use fetch::{FetchConfig, StoreConfig};
use secrecy::SecretString;
use service_kit::{db::DatabaseConfig, env::Env};
use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

/// Longest life of a link. Objects that nobody published go a day after their last link was given, and S3 takes them until their
/// links end: links that lived as long would leave objects behind.
const LONGEST_LINK: Duration = Duration::from_secs(12 * 3600);
/// Shortest and longest time that a segment is kept. When it was last used is known to within a minute.
const SEGMENT_KEEP: RangeInclusive<Duration> =
    Duration::from_secs(3600)..=Duration::from_secs(10 * 365 * 86_400);

/// Longest time that a deleted montage is kept.
const LONGEST_TRASH: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The settings, each with its variable.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SM_MONTAGES_LISTEN`: 127.0.0.1:8082 by default.
    pub listen: SocketAddr,
    /// `SM_DATABASE_URL`, `SM_DATABASE_CONNECTIONS`.
    pub database: DatabaseConfig,
    /// `SM_JOBS_URL`: where leases are checked; http://127.0.0.1:8081 by default.
    pub jobs_url: String,
    /// `SM_INTERNAL_TOKEN`: what callers must show here, and what is shown to jobs-repo.
    pub internal_token: Option<SecretString>,
    /// `SM_OBJECT_STORE` and the other variables of [`StoreConfig`].
    pub store: StoreConfig,
    /// How links are read that somebody looked into and plays before cutting from them: the same `SM_FETCH_…` variables as the
    /// executor's. Directories of the operator's are not read here.
    pub fetch: FetchConfig,
    /// `SM_LINK_TTL`: how long signed links live; 15 minutes by default, at most 12 hours.
    pub link_ttl: Duration,
    /// `SM_UPLOAD_MAX_BYTES`: the largest upload; 20 GiB by default.
    pub upload_max_bytes: u64,
    /// `SM_SEGMENT_KEEP`: how long a segment is kept after its last use; 7 days by default, 1 hour to 10 years.
    pub segment_keep: Duration,
    /// `SM_SEGMENT_BYTES`: how much all segments may take; 20 GiB by default. The least recently used go first.
    pub segment_bytes: u64,
    /// `SM_TRASH_KEEP`: how long a deleted montage can be restored; 1 hour by default, up to 10 years. `0s` deletes at once.
    pub trash_keep: Duration,
    /// How often objects that are due are deleted, where no request asks for it sooner. Not a variable.
    pub reap_every: Duration,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or cannot be read; it is named.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let link_ttl = env.duration("SM_LINK_TTL", Duration::from_secs(15 * 60))?;
        anyhow::ensure!(
            (Duration::from_secs(1)..=LONGEST_LINK).contains(&link_ttl),
            "SM_LINK_TTL: expected 1s to 12h"
        );
        let segment_keep = env.duration("SM_SEGMENT_KEEP", Duration::from_secs(7 * 86_400))?;
        anyhow::ensure!(SEGMENT_KEEP.contains(&segment_keep), "SM_SEGMENT_KEEP: expected 1h to 3650d");
        let trash_keep = env.duration("SM_TRASH_KEEP", Duration::from_secs(3600))?;
        anyhow::ensure!(trash_keep <= LONGEST_TRASH, "SM_TRASH_KEEP: expected 0s to 3650d");
        Ok(Self {
            listen: env.parse("SM_MONTAGES_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8082)))?,
            database: DatabaseConfig::from_env(env)?,
            jobs_url: env.parse("SM_JOBS_URL", "http://127.0.0.1:8081".to_owned())?,
            internal_token: env.secret("SM_INTERNAL_TOKEN"),
            store: StoreConfig::from_lookup(&|name| env.lookup(name))?,
            fetch: FetchConfig {
                media_dirs: Vec::new(),
                ..FetchConfig::from_lookup(&|name| env.lookup(name))?
            },
            link_ttl,
            upload_max_bytes: env.size("SM_UPLOAD_MAX_BYTES", 20 << 30)?,
            segment_keep,
            segment_bytes: env.size("SM_SEGMENT_BYTES", 20 << 30)?,
            trash_keep,
            reap_every: Duration::from_secs(60),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, value: &str) -> anyhow::Result<Config> {
        let settings =
            [("SM_DATABASE_URL", "postgres://localhost/x"), ("SM_OBJECT_STORE", "file:/x"), (name, value)];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::from_env(&Env::from_pairs(settings).unwrap())
    }

    #[test]
    fn segments_are_kept_for_a_sensible_time() {
        let kept = config("SM_SEGMENT_KEEP", "3650d").unwrap();
        assert_eq!((kept.segment_keep, kept.segment_bytes), (*SEGMENT_KEEP.end(), 20 << 30));
        for keep in ["3651d", "59m", "0s"] {
            let refused = config("SM_SEGMENT_KEEP", keep).unwrap_err().to_string();
            assert!(refused.starts_with("SM_SEGMENT_KEEP"), "{keep}");
        }
    }

    #[test]
    fn the_trash_may_be_emptied_at_once() {
        assert_eq!(config("SM_TRASH_KEEP", "0s").unwrap().trash_keep, Duration::ZERO);
        assert_eq!(config("SM_TRASH_KEEP", "3650d").unwrap().trash_keep, LONGEST_TRASH);
        assert!(config("SM_TRASH_KEEP", "3651d").unwrap_err().to_string().starts_with("SM_TRASH_KEEP"));
    }

    #[test]
    fn links_end_before_what_they_wrote_is_deleted() {
        assert_eq!(config("SM_LINK_TTL", "12h").unwrap().link_ttl, LONGEST_LINK);
        for ttl in ["13h", "500ms"] {
            assert!(config("SM_LINK_TTL", ttl).unwrap_err().to_string().starts_with("SM_LINK_TTL"), "{ttl}");
        }
    }
}
