//! The rule of [`crate::state`] as single statements on `jobs.leases`.
//!
//! Promises: each is atomic, decides by the database's `now()`, and can stand in a larger transaction. Fails with the
//! database's errors.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// A lease that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// To be carried by every write under it.
    pub fence: i64,
    /// Until when, by the database's clock.
    pub expires_at: DateTime<Utc>,
}

/// Takes the lease on a subject, unless it has a live holder (the same owner included): then `None`.
///
/// # Errors
/// Those of the database.
pub async fn acquire(
    connection: &mut PgConnection,
    subject: &str,
    owner: Uuid,
    ttl: Duration,
) -> sqlx::Result<Option<Grant>> {
    sqlx::query_as!(
        Grant,
        r#"INSERT INTO jobs.leases AS held (subject, owner, fence, expires_at)
           VALUES ($1, $2, 1, now() + make_interval(secs => $3))
           ON CONFLICT (subject) DO UPDATE
               SET owner = excluded.owner, fence = held.fence + 1, expires_at = excluded.expires_at
               WHERE held.owner IS NULL OR held.expires_at <= now()
           RETURNING fence, expires_at AS "expires_at!""#,
        subject,
        owner,
        ttl.as_secs_f64(),
    )
    .fetch_optional(connection)
    .await
}

/// Extends the lease for its live holder and answers its new end; `None` for anybody else. It never ends after `limit`.
///
/// # Errors
/// Those of the database.
pub async fn renew(
    connection: &mut PgConnection,
    subject: &str,
    owner: Uuid,
    fence: i64,
    ttl: Duration,
    limit: Option<DateTime<Utc>>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"UPDATE jobs.leases SET expires_at = LEAST(now() + make_interval(secs => $4), $5)
           WHERE subject = $1 AND owner = $2 AND fence = $3 AND expires_at > now()
           RETURNING expires_at AS "expires_at!""#,
        subject,
        owner,
        fence,
        ttl.as_secs_f64(),
        limit,
    )
    .fetch_optional(connection)
    .await
}

/// Gives the lease back; `false`, with nothing changed, for anybody but its live holder.
///
/// # Errors
/// Those of the database.
pub async fn release(
    connection: &mut PgConnection,
    subject: &str,
    owner: Uuid,
    fence: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE jobs.leases SET owner = NULL, expires_at = NULL
         WHERE subject = $1 AND owner = $2 AND fence = $3 AND expires_at > now()",
        subject,
        owner,
        fence,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether this owner holds the lease under this fence, now.
///
/// # Errors
/// Those of the database.
pub async fn check(
    connection: &mut PgConnection,
    subject: &str,
    owner: Uuid,
    fence: i64,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT 1 FROM jobs.leases WHERE subject = $1 AND owner = $2 AND fence = $3 AND expires_at > now()",
        subject,
        owner,
        fence,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Like [`check`], and nobody can take or end the lease before the transaction ends: for writes in the same transaction.
///
/// # Errors
/// Those of the database.
pub async fn hold(
    connection: &mut PgConnection,
    subject: &str,
    owner: Uuid,
    fence: i64,
) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT 1 FROM jobs.leases WHERE subject = $1 AND owner = $2 AND fence = $3 AND expires_at > now() FOR UPDATE",
        subject,
        owner,
        fence,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Clears away a holder whose time has run out and answers its fence; `None`, with nothing changed, if there is none.
///
/// # Errors
/// Those of the database.
pub async fn expire(connection: &mut PgConnection, subject: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "UPDATE jobs.leases SET owner = NULL, expires_at = NULL
         WHERE subject = $1 AND owner IS NOT NULL AND expires_at <= now()
         RETURNING fence",
        subject,
    )
    .fetch_optional(connection)
    .await
}
