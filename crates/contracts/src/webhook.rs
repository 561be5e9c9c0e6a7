//! Webhooks: who is told of jobs that ended, and what became of each telling.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{DeliveryId, JobId, WebhookId};

/// What a receiver is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A job's result is published.
    #[serde(rename = "job.succeeded")]
    JobSucceeded,
    /// A job cannot be done as it is written.
    #[serde(rename = "job.failed")]
    JobFailed,
    /// A job's attempts are used up.
    #[serde(rename = "job.dead")]
    JobDead,
    /// Somebody cancelled a job.
    #[serde(rename = "job.cancelled")]
    JobCancelled,
    /// Somebody wants to know whether the webhook works. Not chosen: it is sent when it is asked for.
    #[serde(rename = "webhook.test")]
    WebhookTest,
}

impl WebhookEvent {
    /// All events, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("job.succeeded", Self::JobSucceeded),
        ("job.failed", Self::JobFailed),
        ("job.dead", Self::JobDead),
        ("job.cancelled", Self::JobCancelled),
        ("webhook.test", Self::WebhookTest),
    ];

    /// Those that a webhook chooses from, by name.
    pub const CHOICES: &[(&str, Self)] = &[
        ("job.succeeded", Self::JobSucceeded),
        ("job.failed", Self::JobFailed),
        ("job.dead", Self::JobDead),
        ("job.cancelled", Self::JobCancelled),
    ];

    /// The name as it is written, stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, event)| *event == self).map_or("", |(name, _)| name)
    }
}

/// `POST /v1/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where to send to: http or https, without a user, a password or a fragment; at most 2,000 characters.
    pub url: String,
    /// What to send, at least one; `webhook.test` is not chosen.
    pub events: Vec<WebhookEvent>,
    /// What it is for, in a person's words; at most 200 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether anything is sent; `true` if absent.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// `PATCH /v1/webhooks/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPatch {
    /// New address.
    #[serde(default)]
    pub url: Option<String>,
    /// New events.
    #[serde(default)]
    pub events: Option<Vec<WebhookEvent>>,
    /// New description; `null` removes it.
    #[serde(default)]
    pub description: Option<String>,
    /// Enable or disable.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A webhook as it is answered, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where it sends to.
    pub url: String,
    /// What it sends.
    pub events: Vec<WebhookEvent>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why it was disabled; absent while it is enabled, and where a person disabled it.
    pub disabled_reason: Option<String>,
    /// Since when its receiver has failed without a success in between; absent while it does not fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when the secret before this one signs too; absent when it no longer does.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

/// A webhook with its secret, which is shown when it is made and when it is rotated, and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevealedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its receiver checks signatures with: `whsec_` and 32 bytes in base64.
    pub secret: Revealed,
}

/// A secret on its one way to a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Revealed(pub String);

impl std::fmt::Debug for Revealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// One page of webhooks, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookPage {
    /// The webhooks.
    pub items: Vec<Webhook>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is going to be sent, or sent again, at `next_at`; not while its webhook is disabled.
    Waiting,
    /// The receiver answered with success. Final.
    Delivered,
    /// Every try failed, or the receiver is gone. Can be sent again by hand.
    Failed,
}

impl DeliveryState {
    /// All states, by name.
    pub const NAMES: &[(&str, Self)] =
        &[("waiting", Self::Waiting), ("delivered", Self::Delivered), ("failed", Self::Failed)];

    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }
}

/// One event on its way to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its id, sent as `webhook-id` with every try.
    pub id: DeliveryId,
    /// What is told.
    pub event: WebhookEvent,
    /// The job that it is about; absent for `webhook.test`.
    pub job_id: Option<JobId>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries so far, one that is under way among them.
    pub attempts: i32,
    /// When it is sent next; absent when it is not.
    pub next_at: Option<DateTime<Utc>>,
    /// When the newest try began.
    pub attempted_at: Option<DateTime<Utc>>,
    /// The HTTP status of the newest answer; absent where there was none.
    pub last_status: Option<u16>,
    /// Why the newest try failed.
    pub last_error: Option<String>,
    /// When it happened.
    pub created_at: DateTime<Utc>,
}

/// One page of deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryPage {
    /// The deliveries.
    pub items: Vec<Delivery>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_wire_form_and_only_the_test_is_not_chosen() {
        for (name, event) in WebhookEvent::NAMES {
            assert_eq!(serde_json::to_value(event).unwrap(), *name);
            assert_eq!(event.as_str(), *name);
            let chosen = WebhookEvent::CHOICES.contains(&(*name, *event));
            assert_eq!(chosen, *event != WebhookEvent::WebhookTest);
        }
        for (name, state) in DeliveryState::NAMES {
            assert_eq!(serde_json::to_value(state).unwrap(), *name);
        }
    }

    #[test]
    fn a_secret_is_sent_but_not_printed() {
        let secret = Revealed("whsec_abc".to_owned());
        assert_eq!(serde_json::to_value(&secret).unwrap(), "whsec_abc");
        assert!(!format!("{secret:?}").contains("abc"));
    }
}
