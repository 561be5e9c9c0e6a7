//! Configuration of jobs-repo.

use fetch::{FetchConfig, FetchError};
use secrecy::SecretString;
use service_kit::{
    db::DatabaseConfig,
    env::{Env, EnvError},
};
use std::{net::SocketAddr, time::Duration};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen (`SM_JOBS_LISTEN`).
    pub listen: SocketAddr,
    /// The database (`SM_DATABASE_URL`, `SM_DATABASE_CONNECTIONS`).
    pub database: DatabaseConfig,
    /// What callers must show (`SM_INTERNAL_TOKEN`).
    pub internal_token: Option<SecretString>,
    /// What carries hints.
    pub hints: HintsConfig,
    /// The rules of leases, attempts and back-off.
    pub policy: Policy,
    /// How receivers of webhooks are told.
    pub webhooks: WebhookConfig,
    /// The bounds of event streams.
    pub streams: Streams,
}

/// What carries hints (`SM_HINTS`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintsConfig {
    /// An Apache Kafka topic.
    Kafka {
        /// `SM_KAFKA_BROKERS`
        brokers: String,
        /// `SM_KAFKA_TOPIC`
        topic: String,
    },
    /// `NOTIFY` of the database.
    Postgres,
}

/// The rules of leases, attempts and back-off.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a lease lasts without a heartbeat (`SM_LEASE_TTL`, 30s). Executors send one every third of it, and at
    /// least every 1.5 s.
    pub lease_ttl: Duration,
    /// Attempts of a job, whatever the reasons of failure (`SM_MAX_ATTEMPTS`, 5).
    pub max_attempts: i32,
    /// Longest attempt (`SM_JOB_DEADLINE`, 2h): no heartbeat extends a lease beyond it.
    pub deadline: Duration,
    /// Longest time of an attempt without progress (`SM_JOB_STALL`, 5m); executors keep it.
    pub stall: Duration,
    /// First back-off between attempts (`SM_RETRY_BASE`, 2s); doubles with each.
    pub retry_base: Duration,
    /// Longest back-off between attempts (`SM_RETRY_CAP`, 5m).
    pub retry_cap: Duration,
}

/// How receivers of webhooks are told.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// `SM_FETCH_ALLOW`, `SM_FETCH_CONNECT_TIMEOUT`: what may be connected to, and for how long that is tried.
    pub fetch: FetchConfig,
    /// Longest try, from connecting to the answer. Not a variable: only tests change it.
    pub timeout: Duration,
    /// How long to wait before each retry. Not a variable: only tests change it.
    pub retries: Vec<Duration>,
}

/// Longest try of a delivery.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

/// How long to wait before each retry of a delivery, as Standard Webhooks has it: more than a day in all.
pub(crate) const RETRIES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(10 * 3600),
];

impl WebhookConfig {
    fn from_env(env: &Env) -> Result<Self, EnvError> {
        let fetch = FetchConfig::from_lookup(&|name| env.lookup(name)).map_err(|error| match error {
            FetchError::Config { variable, reason } => EnvError::Invalid { name: variable, reason },
            error => EnvError::Invalid { name: "SM_FETCH_ALLOW".to_owned(), reason: error.to_string() },
        })?;
        Ok(Self { fetch, timeout: WEBHOOK_TIMEOUT, retries: RETRIES.to_vec() })
    }
}

/// The bounds of event streams. Not settable from outside; tests narrow them.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    /// Most of them at once, in this process.
    pub most: usize,
    /// How long one lasts; its client comes again.
    pub lifetime: Duration,
    /// How many rounds of news are kept for a client that reads slowly.
    pub backlog: usize,
}

impl Default for Streams {
    fn default() -> Self {
        Self { most: service_kit::http::most_streams(), lifetime: Duration::from_secs(3600), backlog: 64 }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or cannot be read.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        let invalid =
            |name: &str, reason: &str| EnvError::Invalid { name: name.to_owned(), reason: reason.to_owned() };
        let hints = match env.get("SM_HINTS").unwrap_or("kafka") {
            "kafka" => HintsConfig::Kafka {
                brokers: env.required("SM_KAFKA_BROKERS")?.to_owned(),
                topic: env.get("SM_KAFKA_TOPIC").unwrap_or(contracts::hint::DEFAULT_TOPIC).to_owned(),
            },
            "postgres" => HintsConfig::Postgres,
            _ => return Err(invalid("SM_HINTS", "it is kafka or postgres")),
        };
        let policy = Policy {
            lease_ttl: env.duration("SM_LEASE_TTL", Duration::from_secs(30))?,
            max_attempts: env.parse("SM_MAX_ATTEMPTS", 5)?,
            deadline: env.duration("SM_JOB_DEADLINE", Duration::from_secs(2 * 3600))?,
            stall: env.duration("SM_JOB_STALL", Duration::from_secs(300))?,
            retry_base: env.duration("SM_RETRY_BASE", Duration::from_secs(2))?,
            retry_cap: env.duration("SM_RETRY_CAP", Duration::from_secs(300))?,
        };
        if !(Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&policy.lease_ttl) {
            return Err(invalid("SM_LEASE_TTL", "a lease lasts 1s to 1h"));
        }
        if !(1..=1000).contains(&policy.max_attempts) {
            return Err(invalid("SM_MAX_ATTEMPTS", "a job has 1 to 1000 attempts"));
        }
        if policy.deadline < policy.lease_ttl || policy.deadline > Duration::from_secs(30 * 86400) {
            return Err(invalid("SM_JOB_DEADLINE", "it lies between SM_LEASE_TTL and 30d"));
        }
        if policy.stall.is_zero() {
            return Err(invalid("SM_JOB_STALL", "it is longer than nothing"));
        }
        if policy.retry_cap < policy.retry_base || policy.retry_cap > Duration::from_secs(86400) {
            return Err(invalid("SM_RETRY_CAP", "it lies between SM_RETRY_BASE and 24h"));
        }
        Ok(Self {
            listen: env.parse("SM_JOBS_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8081)))?,
            database: DatabaseConfig::from_env(env)?,
            internal_token: env.secret("SM_INTERNAL_TOKEN"),
            hints,
            policy,
            webhooks: WebhookConfig::from_env(env)?,
            streams: Streams::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &[(&'static str, &'static str)]) -> Result<Config, EnvError> {
        let base = [("SM_DATABASE_URL", "postgres://localhost/x"), ("SM_HINTS", "postgres")];
        Config::from_env(&Env::from_pairs(base.iter().chain(more).copied())?)
    }

    #[test]
    fn bad_settings_are_named() {
        assert!(read(&[]).is_ok());
        for (name, value) in [
            ("SM_HINTS", "pigeons"),
            ("SM_HINTS", "kafka"),
            ("SM_LEASE_TTL", "10ms"),
            ("SM_MAX_ATTEMPTS", "0"),
            ("SM_JOB_DEADLINE", "1s"),
            ("SM_RETRY_CAP", "1s"),
            ("SM_FETCH_ALLOW", "10.0.0.0/33"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.contains(if value == "kafka" { "SM_KAFKA_BROKERS" } else { name }),
                "{name}={value}: {error}"
            );
        }
    }
}
