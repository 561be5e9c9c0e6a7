//! Names of objects in the store: made by the services from ids, never from what a user wrote.

use std::fmt;

use crate::error::FetchError;

/// The longest key.
const MOST_BYTES: usize = 512;

/// A key such as `montages/0192…/media.mp4`: parts of lower-case letters, digits, `-`, `_` and `.`, separated by `/`, none of
/// which begins with a dot. So a key is the same as a path of a directory, in a URL and in S3, and never leaves any of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`FetchError::InvalidKey`].
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        let good_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed);
        if text.len() <= MOST_BYTES && text.split('/').all(good_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FetchError::InvalidKey { key: text.chars().take(80).collect() })
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for ObjectKey {
    type Err = FetchError;

    fn from_str(text: &str) -> Result<Self, FetchError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_plain() {
        for good in ["a", "montages/0192-ab/media.mp4", "a_b/c-d.e"] {
            assert!(ObjectKey::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "/", "/a", "a/", "a//b", "..", "a/../b", "a/.b", ".a", "A", "a b", "a%2e", "a\\b", "a\nb",
            "ä", "a#1",
        ] {
            assert!(ObjectKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ObjectKey::parse(&"a".repeat(513)).is_err());
    }

    proptest! {
        #[test]
        fn a_key_is_the_same_in_a_url_and_a_path(text in "[a-z./_-]{1,30}") {
            if let Ok(key) = ObjectKey::parse(&text) {
                let url = url::Url::parse("http://h/v1/").unwrap().join(key.as_str()).unwrap();
                prop_assert_eq!(url.path(), format!("/v1/{key}"));
                prop_assert!(std::path::Path::new(key.as_str()).components()
                    .all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
