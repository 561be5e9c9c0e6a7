//! For tests only: a PostgreSQL database of their own.

use sqlx::{Connection, Executor, PgConnection};
use std::env;

/// A database that lives as long as a test. Dropped by [`Database::remove`].
#[derive(Debug)]
pub struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    /// A new, empty database on the cluster of `SM_TEST_DATABASE_URL`. Without that setting: `None`, having said that
    /// the test is skipped; where `CI=true`, a failure.
    ///
    /// # Panics
    /// When the cluster cannot be reached: a test without its database has failed.
    #[allow(clippy::expect_used, clippy::panic)]
    pub async fn create() -> Option<Self> {
        let Ok(admin) = env::var("SM_TEST_DATABASE_URL") else {
            assert!(env::var("CI").as_deref() != Ok("true"), "SM_TEST_DATABASE_URL is not set");
            eprintln!("skipped: SM_TEST_DATABASE_URL is not set; `make test` sets it");
            return None;
        };
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&admin).await.expect("the test cluster lets us in");
        connection
            .execute(sqlx::AssertSqlSafe(format!("create database {name}")))
            .await
            .expect("a database is made");
        let mut url = reqwest::Url::parse(&admin).expect("SM_TEST_DATABASE_URL is an address");
        url.set_path(&name);
        Some(Self { url: url.to_string(), admin, name })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops it, with whatever is still connected.
    pub async fn remove(self) {
        if let Ok(mut connection) = PgConnection::connect(&self.admin).await {
            let _ = connection
                .execute(sqlx::AssertSqlSafe(format!("drop database if exists {} with (force)", self.name)))
                .await;
        }
    }
}
