//! The gateway's settings. What would open the door to strangers is refused here, before anything listens.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use service_kit::{db::DatabaseConfig, env::Env};

/// Shortest token that is accepted as `SM_ADMIN_TOKEN`, `SM_EXECUTOR_TOKEN` or `SM_INTERNAL_TOKEN`, in characters.
pub const SHORTEST_TOKEN: usize = 32;

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Everybody on this machine, with everything allowed. Only on a loopback address.
    Open,
    /// Whoever shows a key.
    Keys,
}

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `SM_LISTEN`: the public address.
    pub listen: SocketAddr,
    /// `SM_AUTH`: `open` or `keys`; by default `open` on a loopback address and `keys` elsewhere.
    pub auth: AuthMode,
    /// `SM_JOBS_URL`
    pub jobs_url: String,
    /// `SM_MONTAGES_URL`
    pub montages_url: String,
    /// `SM_SCHEDULER_URL`
    pub scheduler_url: String,
    /// `SM_INTERNAL_TOKEN`: shown to the services; also what browser sessions are signed with.
    pub internal_token: Option<SecretString>,
    /// `SM_ADMIN_TOKEN`: a key with scope `admin` that is not in the database.
    pub admin_token: Option<SecretString>,
    /// `SM_EXECUTOR_TOKEN`: a key with scope `executor` that is not in the database.
    pub executor_token: Option<SecretString>,
    /// `SM_UPLOAD_MAX_BYTES`: largest body of an upload.
    pub upload_limit: u64,
    /// `SM_SECURE_COOKIES`: whether people reach the gateway by https: cookies are then sent over https only.
    pub secure_cookies: bool,
    /// Longest time until a service's answer begins.
    pub patience: Patience,
    /// The bounds of event streams.
    pub streams: Streams,
    /// `SM_DATABASE_URL`, `SM_DATABASE_CONNECTIONS`
    pub database: DatabaseConfig,
}

/// Longest times until a service's answer begins. Not configurable from outside; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For requests that are small: above the services' own 60 s, so that their own answer arrives.
    pub short: Duration,
    /// For requests that carry media, whose answer begins after the last byte of the body.
    pub long: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { short: Duration::from_secs(65), long: Duration::from_secs(6 * 3600) }
    }
}

/// The bounds of event streams. Not configurable from outside; tests narrow them.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    /// Most of them at once.
    pub most: usize,
    /// How often to see whether the caller may still read.
    pub recheck: Duration,
    /// After how long without a piece a stream is ended: services send one every 15 s.
    pub silence: Duration,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            most: service_kit::http::most_streams(),
            recheck: Duration::from_secs(60),
            silence: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing, cannot be read, or would let strangers in.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let listen: SocketAddr = env.parse("SM_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)))?;
        let auth = match env.get("SM_AUTH") {
            Some("open") => AuthMode::Open,
            Some("keys") => AuthMode::Keys,
            None if listen.ip().is_loopback() => AuthMode::Open,
            None => AuthMode::Keys,
            Some(other) => bail!("SM_AUTH cannot be read: `{other}` is neither open nor keys"),
        };
        let url = |name: &'static str, default: &str| {
            let text = env.get(name).unwrap_or(default).trim_end_matches('/').to_owned();
            let parsed = reqwest::Url::parse(&text)
                .with_context(|| format!("{name} cannot be read: `{text}` is not an address"))?;
            if !matches!(parsed.scheme(), "http" | "https")
                || parsed.path() != "/"
                || parsed.query().is_some()
            {
                bail!(
                    "{name} cannot be read: expected an address like http://127.0.0.1:8081, without a path"
                );
            }
            Ok(text)
        };
        let config = Self {
            listen,
            auth,
            jobs_url: url("SM_JOBS_URL", "http://127.0.0.1:8081")?,
            montages_url: url("SM_MONTAGES_URL", "http://127.0.0.1:8082")?,
            scheduler_url: url("SM_SCHEDULER_URL", "http://127.0.0.1:8083")?,
            internal_token: env.secret("SM_INTERNAL_TOKEN"),
            admin_token: env.secret("SM_ADMIN_TOKEN"),
            executor_token: env.secret("SM_EXECUTOR_TOKEN"),
            upload_limit: env.size("SM_UPLOAD_MAX_BYTES", 20 << 30)?,
            secure_cookies: env.flag("SM_SECURE_COOKIES", false)?,
            patience: Patience::default(),
            streams: Streams::default(),
            database: DatabaseConfig::from_env(env)?,
        };
        config.check()?;
        Ok(config)
    }

    /// Refuses what would let strangers in.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.auth == AuthMode::Open && !self.listen.ip().is_loopback() {
            bail!(
                "SM_AUTH=open would let everybody who reaches {} do everything: listen on a loopback address (SM_LISTEN=127.0.0.1:8080), \
                 or set SM_AUTH=keys and SM_ADMIN_TOKEN to make the first keys with",
                self.listen
            );
        }
        for (name, token) in
            [("SM_ADMIN_TOKEN", &self.admin_token), ("SM_EXECUTOR_TOKEN", &self.executor_token)]
        {
            // Keys out of the database are long enough by themselves.
            if let Some(token) = token
                && token.expose_secret().len() < SHORTEST_TOKEN
            {
                bail!(
                    "{name} is too short to be safe: at least {SHORTEST_TOKEN} characters, as `openssl rand -hex 32` makes them"
                );
            }
        }
        Ok(())
    }
}
