//! Webhooks and their deliveries in the database, as the routes read and write them. Deliveries of jobs are written by the
//! database itself, in the transaction that ends the job (see the migration); [`crate::deliver`] sends them.
//!
//! Promises: a secret leaves by [`SigningKey::reveal`] only. Fails with the database's errors.

use chrono::{DateTime, Utc};
use contracts::{
    ids::{DeliveryId, JobId, WebhookId},
    webhook::{Delivery, DeliveryState, Webhook, WebhookEvent},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    rows::{self, Position},
    signature::SigningKey,
};

/// Most webhooks of an installation: each is looked at whenever a job ends.
pub const MOST_WEBHOOKS: i64 = 100;
/// How long the secret before the present one signs too.
pub const OLD_SECRET_HOURS: i32 = 24;
/// How long deliveries stay on record.
const DELIVERY_DAYS: i32 = 30;

/// What a person wants of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Where to send to.
    pub url: String,
    /// What to send.
    pub events: Vec<WebhookEvent>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether anything is sent.
    pub enabled: bool,
}

impl Wish {
    fn event_names(&self) -> Vec<String> {
        self.events.iter().map(|event| event.as_str().to_owned()).collect()
    }
}

struct WebhookRow {
    id: Uuid,
    url: String,
    events: Vec<String>,
    description: Option<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    old_secret_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

fn event(name: &str) -> sqlx::Result<WebhookEvent> {
    let found = WebhookEvent::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, event)| *event).ok_or_else(|| rows::unknown("event", name))
}

impl WebhookRow {
    fn answer(self) -> sqlx::Result<Webhook> {
        Ok(Webhook {
            id: WebhookId(self.id),
            url: self.url,
            events: self.events.iter().map(|name| event(name)).collect::<sqlx::Result<_>>()?,
            description: self.description,
            enabled: self.enabled,
            disabled_reason: self.disabled_reason,
            failing_since: self.failing_since,
            old_secret_until: self.old_secret_until,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Stores a new webhook; `None` if there are too many already.
///
/// # Errors
/// Those of the database.
pub async fn insert(
    connection: &mut PgConnection,
    wish: &Wish,
    key: &SigningKey,
) -> sqlx::Result<Option<Webhook>> {
    let row = sqlx::query_as!(
        WebhookRow,
        r#"INSERT INTO jobs.webhooks (id, url, events, description, enabled, secret)
           SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM jobs.webhooks) < $7
           RETURNING id, url, events, description, enabled, disabled_reason, failing_since,
                     CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at"#,
        WebhookId::generate().0,
        wish.url,
        &wish.event_names(),
        wish.description,
        wish.enabled,
        key.expose(),
        MOST_WEBHOOKS,
    )
    .fetch_optional(connection)
    .await?;
    row.map(WebhookRow::answer).transpose()
}

/// A webhook.
///
/// # Errors
/// Those of the database.
pub async fn find(connection: &mut PgConnection, id: WebhookId) -> sqlx::Result<Option<Webhook>> {
    let row = sqlx::query_as!(
        WebhookRow,
        "SELECT id, url, events, description, enabled, disabled_reason, failing_since,
                CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at
         FROM jobs.webhooks WHERE id = $1",
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    row.map(WebhookRow::answer).transpose()
}

/// A webhook that nobody else changes before the transaction ends. Jobs that end meanwhile do not wait for it.
///
/// # Errors
/// Those of the database.
pub async fn lock(connection: &mut PgConnection, id: WebhookId) -> sqlx::Result<Option<Webhook>> {
    let row = sqlx::query_as!(
        WebhookRow,
        "SELECT id, url, events, description, enabled, disabled_reason, failing_since,
                CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at
         FROM jobs.webhooks WHERE id = $1 FOR NO KEY UPDATE",
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    row.map(WebhookRow::answer).transpose()
}

/// Webhooks, newest first, before an id.
///
/// # Errors
/// Those of the database.
pub async fn page(
    connection: &mut PgConnection,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Webhook>> {
    let rows = sqlx::query_as!(
        WebhookRow,
        "SELECT id, url, events, description, enabled, disabled_reason, failing_since,
                CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at
         FROM jobs.webhooks WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(WebhookRow::answer).collect()
}

/// Stores what a webhook was changed to. At another address, and when it is enabled again, its failures are forgotten.
///
/// # Errors
/// Those of the database.
pub async fn update(connection: &mut PgConnection, id: WebhookId, wish: &Wish) -> sqlx::Result<Webhook> {
    sqlx::query_as!(
        WebhookRow,
        "UPDATE jobs.webhooks
         SET url = $2, events = $3, description = $4, enabled = $5, updated_at = clock_timestamp(),
             disabled_reason = CASE WHEN NOT $5 THEN disabled_reason END,
             failing_since = CASE WHEN url = $2 AND enabled = $5 THEN failing_since END,
             failed_at = CASE WHEN url = $2 AND enabled = $5 THEN failed_at END
         WHERE id = $1
         RETURNING id, url, events, description, enabled, disabled_reason, failing_since,
                   CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at",
        id.0,
        wish.url,
        &wish.event_names(),
        wish.description,
        wish.enabled,
    )
    .fetch_one(connection)
    .await?
    .answer()
}

/// Gives a webhook a new secret; the present one signs too for a day.
///
/// # Errors
/// Those of the database.
pub async fn rotate(
    connection: &mut PgConnection,
    id: WebhookId,
    key: &SigningKey,
) -> sqlx::Result<Option<Webhook>> {
    let row = sqlx::query_as!(
        WebhookRow,
        "UPDATE jobs.webhooks
         SET old_secret = secret, old_secret_until = now() + make_interval(hours => $3), secret = $2,
             updated_at = clock_timestamp()
         WHERE id = $1
         RETURNING id, url, events, description, enabled, disabled_reason, failing_since, old_secret_until, created_at,
                   updated_at",
        id.0,
        key.expose(),
        OLD_SECRET_HOURS,
    )
    .fetch_optional(connection)
    .await?;
    row.map(WebhookRow::answer).transpose()
}

/// Removes a webhook with its deliveries; `false` if there is none.
///
/// # Errors
/// Those of the database.
pub async fn delete(connection: &mut PgConnection, id: WebhookId) -> sqlx::Result<bool> {
    let done = sqlx::query!("DELETE FROM jobs.webhooks WHERE id = $1", id.0).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

struct DeliveryRow {
    id: Uuid,
    event: String,
    job_id: Option<Uuid>,
    state: String,
    attempts: i32,
    next_at: Option<DateTime<Utc>>,
    attempted_at: Option<DateTime<Utc>>,
    last_status: Option<i32>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
}

impl DeliveryRow {
    fn answer(self) -> sqlx::Result<Delivery> {
        let state = DeliveryState::NAMES.iter().find(|(known, _)| *known == self.state);
        Ok(Delivery {
            id: DeliveryId(self.id),
            event: event(&self.event)?,
            job_id: self.job_id.map(JobId),
            state: state.map(|(_, state)| *state).ok_or_else(|| rows::unknown("state", &self.state))?,
            attempts: self.attempts,
            next_at: self.next_at,
            attempted_at: self.attempted_at,
            last_status: self.last_status.and_then(|status| u16::try_from(status).ok()),
            last_error: self.last_error,
            created_at: self.created_at,
        })
    }
}

/// Writes a delivery that only tests the webhook; `None` if there is no such webhook, or it is disabled.
///
/// # Errors
/// Those of the database.
pub async fn test(connection: &mut PgConnection, id: WebhookId) -> sqlx::Result<Option<Delivery>> {
    let row = sqlx::query_as!(
        DeliveryRow,
        "INSERT INTO jobs.webhook_deliveries (webhook_id, event, body)
         SELECT id, $2, jobs.webhook_body($2, now(), jsonb_build_object('webhook_id', id))
         FROM jobs.webhooks WHERE id = $1 AND enabled FOR KEY SHARE
         RETURNING id, event, job_id, state, attempts, next_at, attempted_at, last_status, last_error, created_at",
        id.0,
        WebhookEvent::WebhookTest.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(DeliveryRow::answer).transpose()
}

/// A webhook's deliveries, newest first.
///
/// # Errors
/// Those of the database.
pub async fn deliveries(
    connection: &mut PgConnection,
    id: WebhookId,
    after: Option<Position>,
    limit: i64,
) -> sqlx::Result<Vec<Delivery>> {
    let rows = sqlx::query_as!(
        DeliveryRow,
        "SELECT id, event, job_id, state, attempts, next_at, attempted_at, last_status, last_error, created_at
         FROM jobs.webhook_deliveries
         WHERE webhook_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
         ORDER BY created_at DESC, id DESC
         LIMIT $4",
        id.0,
        after.and_then(|after| DateTime::from_timestamp_micros(after.created)),
        after.map(|after| after.id),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(DeliveryRow::answer).collect()
}

/// Sends a delivery again, at once and with the whole schedule of retries before it, unless it was delivered; answers it as it
/// is then. `None` if the webhook has no such delivery.
///
/// # Errors
/// Those of the database.
pub async fn retry(
    connection: &mut PgConnection,
    id: WebhookId,
    delivery: DeliveryId,
) -> sqlx::Result<Option<Delivery>> {
    let row = sqlx::query_as!(
        DeliveryRow,
        "UPDATE jobs.webhook_deliveries
         SET state = CASE state WHEN 'failed' THEN 'waiting' ELSE state END,
             next_at = CASE WHEN state <> 'delivered' THEN now() END, retries = 0
         WHERE id = $1 AND webhook_id = $2
         RETURNING id, event, job_id, state, attempts, next_at, attempted_at, last_status, last_error, created_at",
        delivery.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    row.map(DeliveryRow::answer).transpose()
}

/// Deletes deliveries that are old, at most `most` of them, and secrets that no longer sign.
///
/// # Errors
/// Those of the database.
pub async fn forget(connection: &mut PgConnection, most: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM jobs.webhook_deliveries WHERE id IN (
             SELECT id FROM jobs.webhook_deliveries WHERE created_at < now() - make_interval(days => $1) LIMIT $2)",
        DELIVERY_DAYS,
        most,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE jobs.webhooks SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until <= now()",
    )
    .execute(connection)
    .await?;
    Ok(())
}
