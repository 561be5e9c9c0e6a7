//! API keys: `sm_<id>_<secret>`. The id finds the row, the secret has 256 random bits and is stored as its SHA-256 only.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::IntoResponse,
};
use contracts::{
    decode::{Fields, Mistakes},
    ids::KeyId,
    key::{CreatedKey, Key, KeyPage, NewKey, Scope},
    problem::{FieldError, Problem, ProblemCode},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path, Query},
    paging,
    problem::{ApiError, ApiResult},
};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::{
    Gateway,
    auth::{Identity, Visitor},
};

/// How long a key that was looked up is believed without another look: how long a revoked one still works on other gateways.
pub const CACHED: Duration = Duration::from_secs(10);

const SCOPES: &[(&str, Scope)] =
    &[("read", Scope::Read), ("write", Scope::Write), ("admin", Scope::Admin), ("executor", Scope::Executor)];

/// A key as it is shown: its id and its secret.
#[derive(Debug)]
pub struct SecretKey {
    /// Finds the row.
    pub id: KeyId,
    secret: SecretString,
}

impl SecretKey {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        Self { id: KeyId::generate(), secret: hex::encode(rand::random::<[u8; 32]>()).into() }
    }

    /// Reads what somebody shows.
    #[must_use]
    pub fn parse(shown: &SecretString) -> Option<Self> {
        let (id, secret) = shown.expose_secret().strip_prefix("sm_")?.split_once('_')?;
        let id = (id.len() == 32).then(|| id.parse().ok())??;
        (secret.len() == 64).then(|| Self { id, secret: secret.into() })
    }

    /// The form in which people send it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("sm_{}_{}", self.id.0.simple(), self.secret.expose_secret())
    }

    /// What is stored of the secret.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.expose_secret()).into()
    }
}

/// What decides over a key.
#[derive(Debug)]
pub struct Record {
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Of its secret.
    pub hash: [u8; 32],
    /// Whether its last use was more than a minute ago when it was looked up, and has not been noted since.
    stale: AtomicBool,
}

/// The keys in the database, with a short memory.
#[derive(Debug)]
pub struct KeyStore {
    pool: PgPool,
    /// Only keys that exist, so that its size is bounded by their number.
    cache: Mutex<HashMap<KeyId, (Instant, Arc<Record>)>>,
}

impl KeyStore {
    /// The keys of a database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, cache: Mutex::default() }
    }

    /// Whether a key was found a moment ago.
    #[must_use]
    pub fn is_cached(&self, id: KeyId) -> bool {
        self.cached(id).is_some()
    }

    fn cached(&self, id: KeyId) -> Option<Arc<Record>> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(&id).filter(|(at, _)| at.elapsed() < CACHED).map(|(_, record)| record.clone())
    }

    fn forget(&self, id: KeyId) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// A key that is not revoked, by its id; whether its secret was shown is for the caller to find out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, id: KeyId) -> ApiResult<Option<Arc<Record>>> {
        if let Some(record) = self.cached(id) {
            return Ok(Some(record));
        }
        let row = sqlx::query!(
            r#"SELECT scopes, secret_hash,
                      coalesce(last_used_at < now() - interval '1 minute', true) AS "stale!"
               FROM jobs.api_keys WHERE id = $1 AND revoked_at IS NULL"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            self.forget(id);
            return Ok(None);
        };
        let hash = <[u8; 32]>::try_from(row.secret_hash)
            .map_err(|_| ApiError::internal(anyhow::anyhow!("a key's hash has a wrong size")))?;
        let record =
            Arc::new(Record { scopes: scopes(&row.scopes), hash, stale: AtomicBool::new(row.stale) });
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, (Instant::now(), record.clone()));
        Ok(Some(record))
    }

    /// Notes that a key was used, to within a minute.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_use(&self, id: KeyId, record: &Record) -> ApiResult<()> {
        if record.stale.swap(false, Ordering::Relaxed) {
            sqlx::query!(
                "UPDATE jobs.api_keys SET last_used_at = now()
                 WHERE id = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)",
                id.0
            )
            .execute(&self.pool)
            .await?;
        }
        Ok(())
    }
}

fn scopes(names: &[String]) -> Vec<Scope> {
    names
        .iter()
        .filter_map(|name| SCOPES.iter().find(|(known, _)| known == name))
        .map(|(_, scope)| *scope)
        .collect()
}

/// Decodes a request for a key.
fn decode(value: &serde_json::Value) -> Result<NewKey, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let new = Fields::open(value, "", &["name", "scopes"], &mut mistakes).and_then(|fields| {
        fields.required("name", &mut mistakes);
        let name = fields.text("name", 100, &mut mistakes);
        if name.is_none()
            && fields
                .get("name")
                .is_some_and(|value| value.as_str().is_some_and(|text| text.trim().is_empty()))
        {
            mistakes.add("/name", "1 to 100 characters");
        }
        let list = fields.required("scopes", &mut mistakes)?;
        let mut scopes = Vec::new();
        match list.as_array().filter(|list| !list.is_empty()) {
            None => {
                mistakes.add("/scopes", "expected a list of at least one of: read, write, admin, executor")
            }
            Some(list) => {
                for (index, value) in list.iter().enumerate() {
                    match SCOPES.iter().find(|(known, _)| value.as_str() == Some(*known)) {
                        Some((_, scope)) => scopes.push(*scope),
                        None => mistakes
                            .add(format!("/scopes/{index}"), "expected one of: read, write, admin, executor"),
                    }
                }
            }
        }
        scopes.sort_unstable();
        scopes.dedup();
        Some(NewKey { name: name?, scopes })
    });
    mistakes.finish(new)
}

/// A caller with scope `admin`. Found out before the rest of a request is read, so that strangers learn nothing from it
/// and keep us waiting for no body.
#[derive(Debug)]
pub struct Admin(Identity);

impl FromRequestParts<Arc<Gateway>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let visitor = Visitor::from_request_parts(parts, gateway).await?;
        gateway.door.admit(&visitor, &[Scope::Admin]).await.map(Self)
    }
}

/// Make a key
///
/// The answer holds the key itself. It is shown this once: only a hash is stored. For the same reason there is no
/// `Idempotency-Key` here: an answer that was lost cannot be given again. Look into the list, revoke what nobody holds, make
/// another.
#[utoipa::path(
    operation_id = "create_key",
    post, path = "/v1/keys", tag = "keys", request_body = NewKey,
    responses(
        (status = 201, description = "The key, with its secret", body = CreatedKey),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key has no scope `admin`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Mistakes, each with its pointer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    State(gateway): State<Arc<Gateway>>,
    Admin(maker): Admin,
    Json(body): Json<serde_json::Value>,
) -> ApiResult<impl IntoResponse> {
    let new = decode(&body).map_err(ApiError::invalid)?;
    let secret = SecretKey::generate();
    let names: Vec<String> = new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let hash = secret.hash();
    let created_at = sqlx::query_scalar!(
        "INSERT INTO jobs.api_keys (id, name, scopes, secret_hash) VALUES ($1, $2, $3, $4) RETURNING created_at",
        secret.id.0,
        new.name,
        &names,
        hash.as_slice()
    )
    .fetch_one(&gateway.pool)
    .await?;
    tracing::info!(key = %secret.id, by = maker.name, scopes = names.join(","), "a key was made");
    let key = Key {
        id: secret.id,
        name: new.name,
        scopes: new.scopes,
        created_at,
        last_used_at: None,
        revoked_at: None,
    };
    Ok((StatusCode::CREATED, Json(CreatedKey { key, secret: secret.reveal() })))
}

/// Which page of the keys.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Keys on a page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List keys
///
/// Newest first, revoked ones too, without their secrets.
#[utoipa::path(
    operation_id = "list_keys",
    get, path = "/v1/keys", tag = "keys", params(ListQuery),
    responses(
        (status = 200, description = "A page of keys", body = KeyPage),
        (status = 400, description = "The cursor or a parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key has no scope `admin`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    _: Admin,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<KeyPage>> {
    let limit = paging::limit(query.limit)?;
    let before = query.cursor.map(|cursor| paging::decode::<uuid::Uuid>(&cursor, &"keys")).transpose()?;
    let rows = sqlx::query!(
        "SELECT id, name, scopes, created_at, last_used_at, revoked_at FROM jobs.api_keys
         WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before,
        limit + 1
    )
    .fetch_all(&gateway.pool)
    .await?;
    let mut items: Vec<Key> = rows
        .into_iter()
        .map(|row| Key {
            id: KeyId(row.id),
            name: row.name,
            scopes: scopes(&row.scopes),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
        .collect();
    let next_cursor = paging::cut(&mut items, limit, &"keys", |last| last.id.0);
    Ok(Json(KeyPage { items, next_cursor }))
}

/// Revoke a key
///
/// It stops working within ten seconds on every gateway, and the browser sessions that were made with it too. Revoking a
/// revoked key changes nothing.
#[utoipa::path(
    operation_id = "revoke_key",
    delete, path = "/v1/keys/{id}", tag = "keys", params(("id" = KeyId, Path, description = "The key's id")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 401, description = "A key is needed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key has no scope `admin`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    Admin(by): Admin,
    Path(id): Path<KeyId>,
) -> ApiResult<StatusCode> {
    let found =
        sqlx::query!("UPDATE jobs.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1", id.0)
            .execute(&gateway.pool)
            .await?;
    gateway.door.keys.forget(id);
    if found.rows_affected() == 0 {
        return Err(ApiError::new(ProblemCode::NotFound, "There is no such key."));
    }
    tracing::info!(key = %id, by = by.name, "a key was revoked");
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_read_back_and_others_are_not() {
        let key = SecretKey::generate();
        let shown = SecretString::from(key.reveal());
        let back = SecretKey::parse(&shown).unwrap();
        assert_eq!((back.id, back.hash()), (key.id, key.hash()));
        assert!(!format!("{key:?}").contains(&key.reveal()[36..]));
        for text in [
            "",
            "sm_",
            "sm__",
            "sm_x_y",
            &key.reveal()[..99],
            &key.reveal().to_uppercase(),
            &format!("{}0", key.reveal()),
        ] {
            assert!(SecretKey::parse(&SecretString::from(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_all_at_once() {
        let errors = decode(&json!({"name": " ", "scopes": ["read", "root"], "nam": 1})).unwrap_err();
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/nam", "/name", "/scopes/1"]);
        assert!(decode(&json!({"name": "x", "scopes": []})).is_err());
        assert_eq!(
            decode(&json!({"name": "x", "scopes": ["write", "read", "read"]})).unwrap().scopes,
            [Scope::Read, Scope::Write]
        );
    }
}
