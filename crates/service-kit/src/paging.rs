//! Keyset paging with opaque cursors: stable while rows come and go, and as fast on the thousandth page as on the first.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::problem::ProblemCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::problem::{ApiError, ApiResult};

/// Items on a page unless asked otherwise.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items on a page.
pub const MOST: u32 = 200;

/// Checks a page's size.
///
/// # Errors
/// `invalid_query` when it is not 1 to 200.
pub fn limit(asked: Option<u32>) -> ApiResult<i64> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MOST => Ok(i64::from(limit)),
        other => Err(ApiError::new(
            ProblemCode::InvalidQuery,
            format!("limit={other}: a page has 1 to {MOST} items."),
        )),
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<K> {
    /// Version of the form, so that a later release can refuse old cursors clearly.
    v: u8,
    /// Of the filters: a cursor is for the list that it came from.
    f: String,
    k: K,
}

fn fingerprint(filters: &impl Serialize) -> String {
    let text = serde_json::to_vec(filters).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(text).get(..6).unwrap_or_default())
}

/// Leaves a page of `limit` items, of which one more was read to know whether there is a next page, and answers that page's cursor:
/// the `key` of the last item that is left, for a list with these filters. `None` on the last page.
pub fn cut<T, K: Serialize>(
    items: &mut Vec<T>,
    limit: i64,
    filters: &impl Serialize,
    key: impl FnOnce(&T) -> K,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    items.last().filter(|_| has_more).map(|last| encode(&key(last), filters))
}

/// Wraps the key of a page's last row, for a list with these filters.
pub fn encode<K: Serialize>(key: &K, filters: &impl Serialize) -> String {
    let envelope = Envelope { v: 1, f: fingerprint(filters), k: key };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope).unwrap_or_default())
}

/// Unwraps what [`encode`] made.
///
/// # Errors
/// `invalid_cursor` when it is not of our making or belongs to a list with other filters.
pub fn decode<K: DeserializeOwned>(cursor: &str, filters: &impl Serialize) -> ApiResult<K> {
    let invalid = |detail: &str| ApiError::new(ProblemCode::InvalidCursor, detail);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid("It was changed or cut short."))?;
    let envelope: Envelope<K> =
        serde_json::from_slice(&bytes).map_err(|_| invalid("It was changed or cut short."))?;
    if envelope.v != 1 || envelope.f != fingerprint(filters) {
        return Err(invalid("It belongs to a list with other filters."));
    }
    Ok(envelope.k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_for_its_own_list() {
        let cursor = encode(&(7, "x"), &["running"]);
        assert_eq!(decode::<(i32, String)>(&cursor, &["running"]).unwrap(), (7, "x".to_owned()));
        assert!(decode::<(i32, String)>(&cursor, &["queued"]).is_err());
        assert!(decode::<(i32, String)>("AAAA", &["running"]).is_err());
        assert!(decode::<(i32, String)>("%", &["running"]).is_err());
    }
}
