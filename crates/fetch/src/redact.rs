//! How addresses are shown in errors and logs.
//!
//! A link may carry a signature in its query and a password before its host; both are credentials. Everything in this
//! crate that mentions an address goes through [`RedactedUrl`], which keeps the scheme, host, port and path only.

use std::fmt;

use url::Url;

/// The longest path that is shown; what is beyond is cut, so that one link cannot fill a log line.
const SHOWN_PATH_CHARS: usize = 160;

/// An address without its user, password, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// The part of `url` that may be shown.
    #[must_use]
    pub fn new(url: &Url) -> Self {
        let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        if let Some(port) = url.port() {
            shown.push_str(&format!(":{port}"));
        }
        shown.extend(url.path().chars().take(SHOWN_PATH_CHARS));
        if url.path().chars().count() > SHOWN_PATH_CHARS {
            shown.push('…');
        }
        if url.query().is_some() {
            shown.push_str("?…");
        }
        Self(shown)
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_what_helps_and_drops_what_is_secret() {
        let url = Url::parse("https://ann:pw@media.example:8443/a/b.mp4?X-Amz-Signature=abc#t=3").unwrap();
        assert_eq!(RedactedUrl::new(&url).to_string(), "https://media.example:8443/a/b.mp4?…");
    }

    proptest! {
        #[test]
        fn never_shows_the_query_or_the_user(secret in "SECRET[a-z0-9]{8}") {
            let url = Url::parse(&format!("http://{secret}:{secret}@h.example/p?s={secret}#{secret}")).unwrap();
            prop_assert!(!RedactedUrl::new(&url).to_string().contains(&secret));
            let debug = format!("{:?}", RedactedUrl::new(&url));
            prop_assert!(!debug.contains(&secret));
        }
    }
}
