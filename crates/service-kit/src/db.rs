//! The connection pool of a service.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{str::FromStr, time::Duration};

use crate::env::{Env, EnvError};

/// Where the database is and how much of it a service takes.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `SM_DATABASE_URL`
    pub url: SecretString,
    /// `SM_DATABASE_CONNECTIONS`
    pub connections: u32,
}

impl DatabaseConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one is missing or cannot be read.
    pub fn from_env(env: &Env) -> Result<Self, EnvError> {
        Ok(Self {
            url: env.required_secret("SM_DATABASE_URL")?,
            connections: env.parse("SM_DATABASE_CONNECTIONS", 10)?,
        })
    }
}

/// Connects, waiting up to half a minute for a database that is still starting.
///
/// # Errors
/// When it cannot be reached in that time. The address is named, the password is not.
pub async fn connect(config: &DatabaseConfig, service: &str) -> anyhow::Result<PgPool> {
    connect_with(config, service, &[]).await
}

/// The same with settings of the database for each connection, such as `jit`.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(
    config: &DatabaseConfig,
    service: &str,
    settings: &[(&str, &str)],
) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(config.url.expose_secret())
        // sqlx's message may repeat the address with its password.
        .map_err(|_| {
            anyhow::anyhow!("SM_DATABASE_URL is not an address like postgres://user:password@host/database")
        })?
        .application_name(service)
        .options(settings.iter().copied());
    let place =
        format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or("?"));
    let pool = PgPoolOptions::new()
        .max_connections(config.connections)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options);
    let mut last = None;
    for _ in 0..30 {
        match pool.acquire().await {
            Ok(_) => return Ok(pool),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let error = last.map_or_else(String::new, |error| format!(": {error}"));
    anyhow::bail!("the database at {place} does not let us in{error}")
}
