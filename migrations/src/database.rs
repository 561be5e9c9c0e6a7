//! Runs refinery's migrations over a sqlx connection, so that the workspace has one PostgreSQL driver.
//!
//! Promises: under one advisory lock, which refinery lacks; a history table in each schema; nothing is applied twice.
//! Fails with a [`MigrateError`]; the lock ends with the connection.

use refinery_core::{
    AsyncMigrate, Migration, Runner,
    traits::r#async::{AsyncQuery, AsyncTransaction},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Both schemas with their migrations, in the order in which they are run.
const SCHEMAS: &[(&str, &[(&str, &str)])] = &[("jobs", JOBS), ("montages", MONTAGES)];

/// The advisory lock that every migrating process takes first: an arbitrary number of our own.
const LOCK: i64 = 0x534d_4d49_4752_4154;

/// The longest wait for the lock and for any table that a migration changes; and no word about what exists already.
const SESSION: &str = "SET lock_timeout = '5min'; SET client_min_messages = 'warning'";

/// Why the database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection, or one that broke.
    #[error("the database did not answer; check SM_DATABASE_URL and that PostgreSQL runs there")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or an applied one is not the one in this program.
    #[error("schema {schema} could not be migrated: {reason}")]
    Migration {
        /// Which schema.
        schema: &'static str,
        /// What refinery says, its causes included.
        reason: refinery_core::Error,
    },
}

/// A migration that was applied by this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// `jobs` or `montages`.
    pub schema: &'static str,
    /// Such as `V1__jobs`.
    pub name: String,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// In order; empty when everything was in place.
    pub applied: Vec<Applied>,
}

/// Creates the schemas `jobs` and `montages` if absent and brings both up to date.
///
/// # Errors
/// [`MigrateError`]. Migrations that were applied before the failing one stay.
pub async fn run(database_url: &str) -> Result<Report, MigrateError> {
    let mut database = Database(PgConnection::connect(database_url).await?);
    let result = locked(&mut database).await;
    // The lock goes with the connection; a failure to say goodbye changes nothing.
    let _ = database.0.close().await;
    result
}

async fn locked(database: &mut Database) -> Result<Report, MigrateError> {
    sqlx::raw_sql(SESSION).execute(&mut database.0).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut database.0).await?;
    let mut report = Report::default();
    for (schema, files) in SCHEMAS {
        let failed = |reason| MigrateError::Migration { schema, reason };
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}")))
            .execute(&mut database.0)
            .await?;
        let migrations =
            files.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>();
        let mut runner = Runner::new(&migrations.map_err(failed)?);
        runner.set_migration_table_name(format!("{schema}.migrations"));
        let applied = runner.run_async(database).await.map_err(failed)?;
        let names = applied
            .applied_migrations()
            .iter()
            .map(|migration| Applied { schema, name: migration.to_string() });
        report.applied.extend(names);
    }
    Ok(report)
}

/// What refinery drives.
struct Database(PgConnection);

impl AsyncTransaction for Database {
    type Error = sqlx::Error;

    /// Each call is one transaction: a migration together with its line in the history.
    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Self::Error> {
        let mut transaction = self.0.begin().await?;
        let mut count = 0;
        for query in queries {
            sqlx::raw_sql(AssertSqlSafe(query.to_owned())).execute(&mut *transaction).await?;
            count += 1;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Database {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, Self::Error> {
        let rows = sqlx::raw_sql(AssertSqlSafe(query.to_owned())).fetch_all(&mut self.0).await?;
        rows.iter()
            .map(|row| {
                let unreadable =
                    |index: &str, source| sqlx::Error::ColumnDecode { index: index.to_owned(), source };
                let applied_on: String = row.try_get("applied_on")?;
                let applied_on = OffsetDateTime::parse(&applied_on, &Rfc3339)
                    .map_err(|error| unreadable("applied_on", Box::new(error)))?;
                let checksum: String = row.try_get("checksum")?;
                let checksum = checksum.parse().map_err(|error| unreadable("checksum", Box::new(error)))?;
                Ok(Migration::applied(row.try_get("version")?, row.try_get("name")?, applied_on, checksum))
            })
            .collect()
    }
}

impl AsyncMigrate for Database {}
