//! `Idempotency-Key`: how a client says that two requests are one. What a key stands for is kept by the service whose rows
//! it guards, in the same transaction.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::problem::{ApiError, ApiResult};

/// Longest key, in characters.
pub const LONGEST_KEY: usize = 200;

/// The header of an answer to a request that was answered before under its key.
pub const REPLAYED: &str = "idempotency-replayed";

/// The request's key, if it has one.
///
/// # Errors
/// `invalid_spec` for a key that is empty, too long, or not of visible ASCII characters.
pub fn key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(ApiError::invalid_at(
        "",
        format!("Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters and no spaces"),
    ))
}

/// SHA-256 of a body. Two spellings of the same JSON have the same: the order of fields and white space do not count.
#[must_use]
pub fn hash(mut body: serde_json::Value) -> [u8; 32] {
    body.sort_all_objects();
    Sha256::digest(body.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_and_bounded() {
        let with = |text: &str| {
            key(&HeaderMap::from_iter([("idempotency-key".parse().unwrap(), text.parse().unwrap())]))
        };
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(with("weekly-2026-w47").unwrap().as_deref(), Some("weekly-2026-w47"));
        for bad in ["", "two words", &"x".repeat(LONGEST_KEY + 1), "tab\there"] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spellings_of_one_body_are_one() {
        let read = |text: &str| hash(serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"a":{"c":1,"b":[1,2]}, "d":2}"#), read(r#"{"d":2,"a":{"b":[1,2],"c":1}}"#));
        assert_ne!(read(r#"{"b":[1,2]}"#), read(r#"{"b":[2,1]}"#));
    }
}
