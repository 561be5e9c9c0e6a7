//! API keys: who may do what through the gateway.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::KeyId;

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at jobs, montages and schedules.
    Read,
    /// Make and change them.
    Write,
    /// Make and revoke keys and webhooks. Includes reading and writing.
    Admin,
    /// The executor routes: leases, grants, results.
    Executor,
}

impl Scope {
    /// The name as it is written and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Executor => "executor",
        }
    }
}

/// A request for a key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What the key is for, in a person's words; 1 to 100 characters.
    pub name: String,
    /// At least one.
    pub scopes: Vec<Scope>,
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// The public half.
    pub id: KeyId,
    /// What the key is for.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new key with its secret, which is shown once and stored only as a hash.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// Send it as `Authorization: Bearer …`. It cannot be shown again.
    pub secret: String,
}

/// One page of keys, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyPage {
    /// The keys, without their secrets.
    pub items: Vec<Key>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}
