//! The parts of HTTP answers that range reading depends on, as pure functions.

use http::HeaderMap;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderName, HeaderValue,
    LAST_MODIFIED,
};

/// What tells one version of a source from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validator {
    /// A strong entity tag, with its quotes.
    pub etag: Option<String>,
    /// The time of the last change, as the server wrote it.
    pub last_modified: Option<String>,
}

impl Validator {
    /// Weak tags are left out: they do not promise equal bytes (RFC 9110, section 8.8.1).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            etag: text(headers, &ETAG).filter(|tag| tag.starts_with('"') && tag.len() > 2).map(str::to_owned),
            last_modified: text(headers, &LAST_MODIFIED).map(str::to_owned),
        }
    }

    /// Whether an answer with `other` may come from the same bytes. What one of them does not say cannot differ.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        fn same(a: Option<&String>, b: Option<&String>) -> bool {
            a.zip(b).is_none_or(|(a, b)| a == b)
        }
        match (&self.etag, &other.etag) {
            // Servers behind one name often agree on tags but not on times.
            (Some(a), Some(b)) => a == b,
            _ => same(self.last_modified.as_ref(), other.last_modified.as_ref()),
        }
    }

    /// What to send as `If-Range`. A date is not used: it is too coarse to be strong.
    pub(crate) fn if_range(&self) -> Option<HeaderValue> {
        self.etag.as_deref().and_then(|tag| HeaderValue::from_str(tag).ok())
    }
}

/// `Content-Range: bytes first-last/total`; `total` is absent where the server does not know it (`*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    pub first: u64,
    pub last: u64,
    pub total: Option<u64>,
}

pub(crate) fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let (range, total) = text(headers, &CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse::<u64>().ok()?),
    };
    (first <= last && total.is_none_or(|total| last < total)).then_some(ContentRange { first, last, total })
}

/// Whether the answer's validators tell its version from all others: a strong tag, or a time of change that had passed for a
/// minute when the answer was made (RFC 9110, section 8.8.2.2), so that no change within the same second can hide behind it.
pub(crate) fn names_a_version(headers: &HeaderMap) -> bool {
    let validator = Validator::of(headers);
    let time = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let changed = validator.last_modified.as_deref().and_then(time);
    let answered = text(headers, &DATE).and_then(time);
    validator.etag.is_some()
        || changed.zip(answered).is_some_and(|(changed, answered)| (answered - changed).num_seconds() >= 60)
}

/// The total of an answer that has no range to give: `bytes */total`.
pub(crate) fn unsatisfied_total(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_RANGE)?.strip_prefix("bytes */")?.trim().parse().ok()
}

pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// Whether the body is the bytes themselves; we ask for nothing else.
pub(crate) fn is_identity(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_ENCODING).is_none_or(|coding| coding.eq_ignore_ascii_case("identity"))
}

/// Whether the server says that this is a page for a browser, which is what links copied from one mostly lead to.
pub(crate) fn is_web_page(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn content_ranges_are_read_strictly() {
        let read = |value| content_range(&with(CONTENT_RANGE, value));
        assert_eq!(read("bytes 0-9/10"), Some(ContentRange { first: 0, last: 9, total: Some(10) }));
        assert_eq!(read("bytes 5-5/*"), Some(ContentRange { first: 5, last: 5, total: None }));
        for value in [
            "bytes 9-0/10",
            "bytes 0-10/10",
            "bytes */10",
            "items 0-1/2",
            "bytes 0-9",
            "bytes -5/10",
            "0-9/10",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(unsatisfied_total(&with(CONTENT_RANGE, "bytes */0")), Some(0));
    }

    #[test]
    fn only_strong_tags_count() {
        let tag = |value| Validator::of(&with(ETAG, value)).etag;
        assert_eq!(tag("\"a\""), Some("\"a\"".to_owned()));
        assert_eq!(tag("W/\"a\""), None);
        assert_eq!(tag("\"\""), None);
        let (a, b) = (Validator::of(&with(ETAG, "\"a\"")), Validator::of(&with(ETAG, "\"b\"")));
        assert!(!a.agrees_with(&b) && a.agrees_with(&a) && a.agrees_with(&Validator::default()));
    }

    #[test]
    fn a_time_names_a_version_only_when_it_has_passed() {
        let at = |modified: &str, date: &str| {
            let mut headers = with(LAST_MODIFIED, modified);
            headers.extend(with(DATE, date));
            names_a_version(&headers)
        };
        let old = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert!(at(old, "Sun, 06 Nov 1994 08:50:37 GMT"));
        assert!(!at(old, "Sun, 06 Nov 1994 08:50:36 GMT"));
        assert!(!at("yesterday", old));
        assert!(!names_a_version(&with(LAST_MODIFIED, old)));
        assert!(names_a_version(&with(ETAG, "\"a\"")) && !names_a_version(&with(ETAG, "W/\"a\"")));
    }

    proptest! {
        #[test]
        fn any_content_range_that_is_read_is_in_order(value in "bytes [0-9]{0,20}-[0-9]{0,20}/([0-9]{0,20}|\\*)") {
            if let Some(range) = content_range(&with(CONTENT_RANGE, &value)) {
                prop_assert!(range.first <= range.last && range.total.is_none_or(|total| range.last < total));
            }
        }
    }
}
