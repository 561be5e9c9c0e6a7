//! Browser sessions: pictures, video and captions are loaded by elements that cannot send a key, so a page trades its key
//! for a cookie that scripts cannot read and that other sites cannot send.
//!
//! A cookie is `name.end.signature`. Nothing is kept about it: the signature covers the hash of the key's secret, so that a
//! session ends with its key, and any gateway with the same `SM_INTERNAL_TOKEN` knows it. Without that setting
//! sessions end when the gateway restarts.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Name of the cookie.
pub const COOKIE: &str = "sm_session";
/// Its name where people come by https: browsers take a cookie of such a name from this very host only, over https only, so that
/// no neighbour below the same domain can put one of its own in its place.
pub const SECURE_COOKIE: &str = "__Host-sm_session";
/// How long a session lasts, in seconds.
pub const LASTS: u64 = 12 * 3600;

/// A session as a browser shows it; not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose it is said to be.
    pub name: String,
    end: u64,
    signature: Vec<u8>,
}

/// Makes and checks session cookies.
#[derive(Debug)]
pub struct Sessions {
    secret: SecretString,
    secure: bool,
}

impl Sessions {
    /// Signs with the internal token, or with a secret of this process where there is none.
    #[must_use]
    pub fn new(internal_token: Option<&SecretString>, secure: bool) -> Self {
        let secret =
            internal_token.cloned().unwrap_or_else(|| hex::encode(rand::random::<[u8; 32]>()).into());
        Self { secret, secure }
    }

    /// `Set-Cookie` for a new session.
    #[must_use]
    pub fn cookie(&self, name: &str, key_hash: &[u8; 32], now: u64) -> String {
        let end = now + LASTS;
        let signature = self
            .mac(name, end, key_hash)
            .map(|mac| hex::encode(mac.finalize().into_bytes()))
            .unwrap_or_default();
        self.set(&format!("{name}.{end}.{signature}"), LASTS)
    }

    /// `Set-Cookie` that ends a session in the browser.
    #[must_use]
    pub fn end(&self) -> String {
        self.set("", 0)
    }

    /// Whether people come by https.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    fn name(&self) -> &'static str {
        if self.secure { SECURE_COOKIE } else { COOKIE }
    }

    fn set(&self, value: &str, seconds: u64) -> String {
        let (name, secure) = (self.name(), if self.secure { "; Secure" } else { "" });
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    /// The session in a request's cookies, if it has not ended.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap) -> Option<Shown> {
        let now = u64::try_from(chrono::Utc::now().timestamp()).ok()?;
        read(headers, self.name(), now)
    }

    /// Whether a session is of our making and for a key with this hash.
    #[must_use]
    pub fn verify(&self, shown: &Shown, key_hash: &[u8; 32]) -> bool {
        self.mac(&shown.name, shown.end, key_hash)
            .is_some_and(|mac| mac.verify_slice(&shown.signature).is_ok())
    }

    fn mac(&self, name: &str, end: u64, key_hash: &[u8; 32]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes()).ok()?;
        // The first word keeps this use of the token apart from any other. No part but the last holds a zero byte.
        for part in ["gateway session", name, &end.to_string()] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.update(key_hash);
        Some(mac)
    }
}

fn read(headers: &HeaderMap, cookie: &str, now: u64) -> Option<Shown> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let value = cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == cookie)?.1;
    let mut parts = value.split('.');
    let (name, end, signature) =
        (parts.next()?, parts.next()?.parse().ok()?, hex::decode(parts.next()?).ok()?);
    (parts.next().is_none() && end > now).then(|| Shown { name: name.to_owned(), end, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cookie: &str, now: u64) -> Option<Shown> {
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        read(&headers, SECURE_COOKIE, now)
    }

    #[test]
    fn a_session_is_for_its_key_and_ends() {
        let sessions = Sessions::new(Some(&"t".repeat(32).into()), true);
        let cookie = sessions.cookie("name", &[7; 32], 1000);
        assert!(cookie.starts_with("__Host-sm_session="), "{cookie}");
        assert!(Sessions::new(None, false).cookie("name", &[7; 32], 1000).starts_with("sm_session="));
        assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
        let session = shown(&cookie, 1001).unwrap();
        assert!(sessions.verify(&session, &[7; 32]));
        assert!(!sessions.verify(&session, &[8; 32]));
        assert!(!Sessions::new(None, true).verify(&session, &[7; 32]));
        for forged in [
            Shown { name: "admin".into(), ..session.clone() },
            Shown { end: session.end + 1, ..session.clone() },
        ] {
            assert!(!sessions.verify(&forged, &[7; 32]), "{forged:?}");
        }
        assert_eq!(shown(&cookie, 1000 + LASTS), None);
        assert_eq!(shown(&sessions.end(), 1000), None);
    }
}
