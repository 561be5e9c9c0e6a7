//! Signatures of what is sent to webhooks, in the form of Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body.
//!
//! Promises: the same input gives the same signature; a secret is shown only where it is asked for by name. Pure but for
//! [`SigningKey::generate`]. Cannot fail: the hash takes keys of any length.

use base64::{Engine, engine::general_purpose::STANDARD};
use contracts::webhook::Revealed;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// What signs for one webhook.
#[derive(Debug, Clone)]
pub struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    /// A new one, of 256 random bits.
    #[must_use]
    pub fn generate() -> Self {
        rand::random::<[u8; 32]>().to_vec().into()
    }

    /// Its bytes, to be stored.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The form in which people carry it to the receiver.
    #[must_use]
    pub fn reveal(&self) -> Revealed {
        Revealed(format!("whsec_{}", STANDARD.encode(self.expose())))
    }

    /// The signature of a message: `v1,` and the hash in base64. `timestamp` is the moment of the try, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(self.expose()) else { return String::new() };
        hash.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(hash.finalize().into_bytes()))
    }
}

impl From<Vec<u8>> for SigningKey {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_its_signature() {
        // The one that the specification's libraries are tested with; PyPI's standardwebhooks 1.1.0 signs it so too.
        let key = SigningKey::from(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_long_different_and_not_printed() {
        let (one, other) = (SigningKey::generate(), SigningKey::generate());
        assert_ne!(one.expose(), other.expose());
        let Revealed(text) = one.reveal();
        assert_eq!(STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap(), one.expose());
        assert_eq!(one.expose().len(), 32);
        let start = format!("{}, {}", one.expose()[0], one.expose()[1]);
        assert!(!format!("{one:?}").contains(&start), "{one:?}");
    }
}
