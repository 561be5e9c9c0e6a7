//! The sender of webhooks: every delivery that stands in the database is sent until its receiver answers with success, or the
//! schedule of retries is at its end.
//!
//! Promises: at least once, and the same bytes under the same id each time; no transaction is open while a receiver is waited
//! for; however slow one receiver is, it holds up nobody but itself, since each webhook has its own few places and nothing else is
//! shared. Any number of replicas send beside each other; a delivery whose sender died is sent by another one when its lock runs
//! out. Receivers are reached through the guard of `fetch` only, each time judged anew; nothing of an answer is kept but its status.
//! Logs name a webhook by its id and host: its address may hold a token. Fails never: what goes wrong stands at the delivery.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use contracts::{ids::WebhookId, webhook::DeliveryState};
use fetch::{FetchConfig, FetchError, Fetcher};
use sqlx::{PgConnection, PgPool};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use crate::{app::App, config::WebhookConfig, signature::SigningKey};

/// Tries of one webhook at the same time, over all replicas; a few more where two of them look at the same moment.
const AT_ONCE: i64 = 4;
/// For how much longer than a try can take it belongs to its sender.
const LOCK_MARGIN: Duration = Duration::from_secs(30);
/// How long tries that are under way are waited for when the service stops; the others are sent again.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a receiver may fail, without a success in between, before its webhook is disabled.
const FAILING_DAYS: i32 = 5;
/// How long the name in an address is waited for when somebody gives one.
const CHECK: Duration = Duration::from_secs(3);

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The way out, and what wakes those who use it.
pub struct Sender {
    fetcher: Fetcher,
    timeout: Duration,
    retries: Vec<Duration>,
    bell: Notify,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { timeout, retries, .. } = self;
        formatter
            .debug_struct("Sender")
            .field("timeout", timeout)
            .field("retries", retries)
            .finish_non_exhaustive()
    }
}

impl Sender {
    /// Nothing is contacted yet.
    ///
    /// # Errors
    /// Where TLS has no root certificates to start with.
    pub fn new(config: WebhookConfig) -> anyhow::Result<Self> {
        let WebhookConfig { fetch, timeout, retries } = config;
        // Receivers are told, never read: there is nothing to keep on disk.
        let fetcher = Fetcher::new(FetchConfig { cache_dir: None, ..fetch })?;
        Ok(Self { fetcher, timeout, retries, bell: Notify::new() })
    }

    /// Something is due: to be called after the transaction.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Why an address that somebody gives would not be sent to, as far as that is known now. A name that is not known, or not
    /// resolved in time, is no reason: it may be known when there is something to send.
    pub async fn refusal(&self, url: &str) -> Option<String> {
        match tokio::time::timeout(CHECK, self.fetcher.check_url(url)).await {
            Ok(Err(FetchError::NotAllowed { reason, .. })) => Some(format!("the address {reason}")),
            Ok(Err(FetchError::InvalidUrl { reason, .. })) => Some(reason),
            Ok(_) | Err(_) => None,
        }
    }

    /// Sends one try.
    async fn send(&self, due: &Due) -> Tried {
        let id = due.id.to_string();
        let signatures: Vec<String> =
            due.keys.iter().map(|key| key.sign(&id, due.timestamp, &due.body)).collect();
        let text = |value: &str| HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""));
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (ID, text(&id)),
            (TIMESTAMP, HeaderValue::from(due.timestamp)),
            (SIGNATURE, text(&signatures.join(" "))),
        ]);
        Tried::of(self.fetcher.post(&due.url, &headers, due.body.clone().into(), self.timeout).await)
    }
}

/// A delivery that is to be sent now, by whoever holds this.
#[derive(Debug)]
struct Due {
    id: Uuid,
    /// Which try this is: tells what became of it from what became of others.
    attempt: i32,
    /// Steps of the schedule that are used up.
    retries: i32,
    body: String,
    webhook: WebhookId,
    url: String,
    /// The present secret, then the one before while it signs.
    keys: Vec<SigningKey>,
    /// The moment of the try by the database's clock, in seconds since 1970.
    timestamp: i64,
}

impl Due {
    fn host(&self) -> String {
        fetch::parse_url(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// How a try ended.
#[derive(Debug, PartialEq, Eq)]
struct Tried {
    /// Of the answer, if there was one.
    status: Option<u16>,
    /// Why it failed, in words of our own; nothing if it did not.
    error: Option<String>,
}

impl Tried {
    fn of(answer: Result<u16, FetchError>) -> Self {
        let status = answer.as_ref().ok().copied();
        let error = match answer {
            Ok(200..300) => None,
            Ok(410) => Some("The receiver answers that it is gone (status 410).".to_owned()),
            Ok(status @ 300..400) => Some(format!(
                "The receiver redirects (status {status}), which is not followed. Give the address that it leads to."
            )),
            Ok(status) => Some(format!("The receiver answers with status {status}.")),
            Err(FetchError::NotAllowed { reason, .. }) => Some(format!("The address {reason}.")),
            Err(FetchError::Unreachable { reason, .. }) => {
                Some(format!("The receiver cannot be reached: {reason}."))
            }
            Err(FetchError::Timeout { reason, .. }) => Some(format!("It took too long: {reason}.")),
            Err(error) => Some(format!("It could not be sent ({}).", error.code())),
        };
        Self { status, error }
    }

    /// Whether the receiver wants to hear nothing any more.
    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// Takes deliveries that are due: of each webhook, as many as it has free places.
async fn claim(pool: &PgPool, lock: Duration) -> sqlx::Result<Vec<Due>> {
    let taken = sqlx::query!(
        r#"WITH due AS (
               SELECT waiting.id
               FROM jobs.webhooks AS hook
               CROSS JOIN LATERAL (
                   SELECT delivery.id FROM jobs.webhook_deliveries AS delivery
                   WHERE delivery.webhook_id = hook.id AND delivery.state = 'waiting' AND delivery.next_at <= now()
                     AND (delivery.locked_until IS NULL OR delivery.locked_until <= now())
                   ORDER BY delivery.next_at, delivery.id
                   LIMIT GREATEST(0, $1 - (SELECT count(*) FROM jobs.webhook_deliveries AS held
                                           WHERE held.webhook_id = hook.id AND held.locked_until > now()))
                   FOR UPDATE SKIP LOCKED) AS waiting
               WHERE hook.enabled)
           UPDATE jobs.webhook_deliveries AS delivery
           SET attempts = delivery.attempts + 1, attempted_at = now(), locked_until = now() + make_interval(secs => $2)
           FROM due, jobs.webhooks AS hook
           WHERE delivery.id = due.id AND hook.id = delivery.webhook_id
           RETURNING delivery.id, delivery.attempts, delivery.retries, delivery.body, hook.id AS webhook_id, hook.url,
                     hook.secret, CASE WHEN hook.old_secret_until > now() THEN hook.old_secret END AS old_secret,
                     extract(epoch FROM now())::bigint AS "timestamp!""#,
        AT_ONCE,
        lock.as_secs_f64(),
    )
    .fetch_all(pool)
    .await?;
    let due = taken.into_iter().map(|row| Due {
        id: row.id,
        attempt: row.attempts,
        retries: row.retries,
        body: row.body,
        webhook: WebhookId(row.webhook_id),
        url: row.url,
        keys: [Some(row.secret), row.old_secret].into_iter().flatten().map(SigningKey::from).collect(),
        timestamp: row.timestamp,
    });
    Ok(due.collect())
}

/// Writes down what became of a try, and what follows from it.
async fn settle(pool: &PgPool, due: &Due, tried: &Tried, retries: &[Duration]) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    // The webhook first, as whoever deletes it locks it before its deliveries.
    let disabled = match &tried.error {
        None => {
            sqlx::query!(
                "UPDATE jobs.webhooks SET failing_since = NULL, failed_at = NULL
                 WHERE id = $1 AND failing_since IS NOT NULL",
                due.webhook.0,
            )
            .execute(&mut *transaction)
            .await?;
            None
        }
        Some(_) => note_failure(&mut transaction, due, tried.is_gone()).await?,
    };
    let wait = if tried.is_gone() { None } else { wait_before_retry(due.retries, retries, rand::random()) };
    let state = match (&tried.error, wait) {
        (None, _) => DeliveryState::Delivered,
        (Some(_), Some(_)) => DeliveryState::Waiting,
        (Some(_), None) => DeliveryState::Failed,
    };
    sqlx::query!(
        "UPDATE jobs.webhook_deliveries
         SET state = $3, locked_until = NULL, last_status = $4, last_error = $5,
             retries = CASE WHEN $3 = 'waiting' THEN retries + 1 ELSE retries END,
             next_at = CASE WHEN $3 = 'waiting' THEN now() + make_interval(secs => $6) END
         WHERE id = $1 AND attempts = $2 AND state = 'waiting'",
        due.id,
        due.attempt,
        state.as_str(),
        tried.status.map(i32::from),
        tried.error,
        wait.unwrap_or_default().as_secs_f64(),
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    metrics::counter!("jobs_webhook_tries_total", "state" => state.as_str()).increment(1);
    if state == DeliveryState::Failed {
        tracing::info!(webhook = %due.webhook, host = due.host(), delivery = %due.id, "a delivery failed for good");
    }
    if let Some(reason) = disabled {
        tracing::warn!(webhook = %due.webhook, host = due.host(), reason, "a webhook is disabled");
    }
    Ok(())
}

/// Notes that a webhook's receiver failed, and disables the webhook where that is enough; answers why. What an address answered
/// that is no longer the webhook's says nothing about the new one.
async fn note_failure(
    connection: &mut PgConnection,
    due: &Due,
    is_gone: bool,
) -> sqlx::Result<Option<&'static str>> {
    // Retries of one delivery are never a day apart: a longer silence says nothing about the receiver, and the count of days
    // begins again.
    let fails_for_days = sqlx::query_scalar!(
        r#"UPDATE jobs.webhooks
           SET failing_since = CASE WHEN failed_at >= now() - interval '1 day' THEN failing_since ELSE now() END,
               failed_at = now()
           WHERE id = $1 AND url = $2 AND enabled
           RETURNING failing_since <= now() - make_interval(days => $3) AS "fails!""#,
        due.webhook.0,
        due.url,
        FAILING_DAYS,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let reason = match fails_for_days {
        Some(_) if is_gone => "Its receiver answered that it is gone (status 410).",
        Some(true) => "Its receiver has failed for 5 days.",
        Some(false) | None => return Ok(None),
    };
    sqlx::query!(
        "UPDATE jobs.webhooks SET enabled = false, disabled_reason = $2, updated_at = clock_timestamp() WHERE id = $1",
        due.webhook.0,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(Some(reason))
}

/// How long to wait before the next try after so many retries, a tenth more or less by chance (from 0 to 1), so that those who
/// failed together do not come again together. Nothing where the schedule is at its end.
fn wait_before_retry(retries: i32, schedule: &[Duration], chance: f64) -> Option<Duration> {
    let step = schedule.get(usize::try_from(retries).ok()?)?;
    Some(step.mul_f64(0.9 + 0.2 * chance))
}

/// Sends until the service stops.
pub async fn send_all(app: Arc<App>) {
    let lock = app.sender.timeout + LOCK_MARGIN;
    let mut tries = JoinSet::new();
    let mut broken = false;
    while !app.shutdown.is_cancelled() {
        match claim(&app.pool, lock).await {
            Ok(batch) => {
                broken = false;
                for due in batch {
                    tries.spawn(try_once(Arc::clone(&app), due));
                }
            }
            Err(error) => {
                if !broken {
                    tracing::warn!(%error, "deliveries of webhooks cannot be read; trying again every second");
                }
                broken = true;
            }
        }
        tokio::select! {
            // Each that ends makes place for another.
            Some(_) = tries.join_next() => while tries.try_join_next().is_some() {},
            () = app.ended.notified() => {}
            () = app.sender.bell.notified() => {}
            () = tokio::time::sleep(App::about_a_second()) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    // What is cut off is sent again by whoever comes after its lock.
    let _ = tokio::time::timeout(DRAIN, async { while tries.join_next().await.is_some() {} }).await;
}

async fn try_once(app: Arc<App>, due: Due) {
    let tried = app.sender.send(&due).await;
    tracing::debug!(
        webhook = %due.webhook,
        host = due.host(),
        delivery = %due.id,
        attempt = due.attempt,
        status = tried.status,
        error = tried.error,
        "a webhook was sent"
    );
    if let Err(error) = settle(&app.pool, &due, &tried, &app.sender.retries).await {
        tracing::warn!(%error, delivery = %due.id, "what became of a delivery could not be stored; it is sent again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RETRIES;

    #[test]
    fn retries_follow_the_schedule_to_its_end() {
        let seconds = |retries, chance| {
            wait_before_retry(retries, &RETRIES, chance).map(|wait| wait.as_secs_f64().round())
        };
        let waits: Vec<f64> = (0..).map_while(|retries| seconds(retries, 0.5)).collect();
        assert_eq!(waits, [5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0]);
        assert_eq!((seconds(1, 0.0), seconds(1, 1.0)), (Some(270.0), Some(330.0)));
    }

    #[test]
    fn answers_are_told_in_words() {
        let failed = |answer| Tried::of(answer).error.unwrap();
        assert_eq!(Tried::of(Ok(204)), Tried { status: Some(204), error: None });
        assert!(failed(Ok(302)).contains("redirects (status 302)"));
        assert!(failed(Ok(500)).contains("status 500"));
        assert!(Tried::of(Ok(410)).is_gone() && !Tried::of(Ok(404)).is_gone());
        // The address, which may hold a token, is in none of them.
        let source_name = "https://hooks.example/token".to_owned();
        for error in [
            FetchError::Unreachable { source_name: source_name.clone(), reason: "no".to_owned() },
            FetchError::Timeout { source_name: source_name.clone(), reason: "no".to_owned() },
            FetchError::NotAllowed { address: source_name.clone(), reason: "no".to_owned() },
            FetchError::InvalidUrl { address: source_name, reason: "no".to_owned() },
        ] {
            let tried = Tried::of(Err(error));
            assert!(tried.status.is_none() && !tried.error.unwrap().contains("token"));
        }
    }
}
