//! Signed links to objects of a local directory: HMAC-SHA256 over method, key, expiry and size.
//!
//! Promises: a link is good for one method on one object until one moment, and for an upload of one size where that was given;
//! any other request with its signature is refused, with the same answer whatever was wrong. Pure: the time comes in.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::FetchError;
use crate::key::ObjectKey;

/// What a link allows to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// To read the object, whole or in part.
    Get,
    /// To write it.
    Put,
}

impl Method {
    /// `GET` or `PUT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
        }
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Put => Self::PUT,
        }
    }
}

/// A link that needs no credentials. Is one itself: not to be logged.
#[derive(Clone)]
pub struct SignedLink {
    /// The method that it is good for.
    pub method: Method,
    /// Absolute, or a path on the gateway's address where no `SM_OBJECT_BASE_URL` is set.
    pub url: String,
    /// Headers that must be sent along.
    pub headers: Vec<(String, String)>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for SignedLink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, expires_at, .. } = self;
        formatter
            .debug_struct("SignedLink")
            .field("method", method)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

/// What a valid link allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// The exact size of the upload, where the link says one.
    pub bytes: Option<u64>,
}

/// Makes and checks the query of signed links.
#[derive(Clone)]
pub struct LinkSigner {
    secret: SecretString,
}

impl LinkSigner {
    /// Signs with `secret`, which all services that check the links must share.
    #[must_use]
    pub fn new(secret: SecretString) -> Self {
        Self { secret }
    }

    /// The query of a link that ends at `expires` (seconds of Unix time).
    #[must_use]
    pub fn query(&self, method: Method, key: &ObjectKey, expires: u64, bytes: Option<u64>) -> String {
        // HMAC takes keys of any length, so there always is a signature; without one the link would only be refused.
        let signature =
            self.signature(method.as_str(), key, expires, bytes).map(hex::encode).unwrap_or_default();
        let bytes = bytes.map(|bytes| format!("&bytes={bytes}")).unwrap_or_default();
        format!("method={}&expires={expires}{bytes}&signature={signature}", method.as_str())
    }

    /// Checks a request: its method, the key of its path, its query, and the time in seconds of Unix time.
    ///
    /// # Errors
    /// [`FetchError::SignatureInvalid`], without saying why.
    pub fn verify(
        &self,
        method: Method,
        key: &ObjectKey,
        query: &str,
        now: u64,
    ) -> Result<Allowed, FetchError> {
        self.check(method, key, query, now).ok_or(FetchError::SignatureInvalid)
    }

    fn check(&self, method: Method, key: &ObjectKey, query: &str, now: u64) -> Option<Allowed> {
        let mut fields = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if fields.insert(name, value).is_some() {
                return None;
            }
        }
        let number = |name: &str| match fields.get(name) {
            None => Some(None),
            // Digits only: "+5" and "05" are other spellings of what was signed.
            Some(text) => text.parse::<u64>().ok().filter(|number| number.to_string() == **text).map(Some),
        };
        let (expires, bytes) = (number("expires")??, number("bytes")?);
        let given: Vec<u8> = hex::decode(fields.get("signature")?.as_bytes()).ok()?;
        let valid =
            bool::from(self.signature(method.as_str(), key, expires, bytes)?.as_slice().ct_eq(&given));
        let known = fields.keys().all(|name| matches!(&**name, "method" | "expires" | "bytes" | "signature"));
        let method_agrees = fields.get("method").is_some_and(|named| named == method.as_str());
        (valid && known && method_agrees && now < expires).then_some(Allowed { bytes })
    }

    fn signature(&self, method: &str, key: &ObjectKey, expires: u64, bytes: Option<u64>) -> Option<[u8; 32]> {
        // Keys hold no line breaks, so the lines cannot be read in two ways. The first one keeps this use of the secret apart
        // from any other.
        let bytes = bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        let text = format!("stream-montages object link v1\n{method}\n{key}\n{expires}\n{bytes}");
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signer(secret: &str) -> LinkSigner {
        LinkSigner::new(SecretString::from(secret))
    }

    fn keys() -> impl Strategy<Value = ObjectKey> {
        "[a-z0-9]{1,8}(/[a-z0-9][a-z0-9._-]{0,8}){0,3}".prop_map(|text| ObjectKey::parse(&text).unwrap())
    }

    fn methods() -> impl Strategy<Value = Method> {
        prop_oneof![Just(Method::Get), Just(Method::Put)]
    }

    proptest! {
        #[test]
        fn a_link_is_good_until_it_ends(key in keys(), method in methods(), now in 0_u64..1 << 40, left in 1_u64..1 << 20,
                                        bytes: Option<u64>) {
            let signer = signer("the secret of the test");
            let query = signer.query(method, &key, now + left, bytes);
            prop_assert_eq!(signer.verify(method, &key, &query, now), Ok(Allowed { bytes }));
            prop_assert_eq!(signer.verify(method, &key, &query, now + left), Err(FetchError::SignatureInvalid));
        }

        #[test]
        fn another_object_method_or_secret_is_refused(key in keys(), other in keys(), method in methods()) {
            let here = signer("the secret of the test");
            let query = here.query(method, &key, 100, None);
            let wrong = match method { Method::Get => Method::Put, Method::Put => Method::Get };
            prop_assert!(here.verify(wrong, &key, &query, 1).is_err());
            prop_assert!(signer("another secret").verify(method, &key, &query, 1).is_err());
            if other != key {
                prop_assert!(here.verify(method, &other, &query, 1).is_err());
            }
            let renamed = query.replace(method.as_str(), wrong.as_str());
            prop_assert!(here.verify(method, &key, &renamed, 1).is_err());
            prop_assert!(here.verify(wrong, &key, &renamed, 1).is_err());
        }

        #[test]
        fn any_changed_character_is_refused(key in keys(), at: prop::sample::Index, with in "[a-z0-9=&+%]") {
            let signer = signer("the secret of the test");
            let query = signer.query(Method::Put, &key, 1_000, Some(42));
            let at = at.index(query.len());
            let changed = format!("{}{with}{}", &query[..at], &query[at + 1..]);
            if changed != query {
                prop_assert!(signer.verify(Method::Put, &key, &changed, 1).is_err(), "{}", changed);
            }
        }

        #[test]
        fn dropping_or_doubling_a_field_is_refused(key in keys(), index in 0_usize..4) {
            let signer = signer("the secret of the test");
            let query = signer.query(Method::Put, &key, 1_000, Some(42));
            let mut fields: Vec<&str> = query.split('&').collect();
            let field = fields.remove(index);
            prop_assert!(signer.verify(Method::Put, &key, &fields.join("&"), 1).is_err());
            let doubled = format!("{query}&{field}");
            prop_assert!(signer.verify(Method::Put, &key, &doubled, 1).is_err());
        }
    }
}
