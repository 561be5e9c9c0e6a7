//! Conditional and range requests (RFC 9110, sections 13 and 14), as a pure function of the request's headers.
//!
//! Promises: a part is never empty and never reaches past the end; a header that cannot be read is passed over as if it
//! were absent, except that an unreadable `If-Match` matches nothing, so that a precondition is never waved through.
//! Of several ranges the whole is served, which section 14.2 allows; it never answers multipart.

use axum::http::{HeaderMap, HeaderName, Method, header};
use chrono::{DateTime, Utc};

/// What is asked for, as it stands now.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    /// A strong entity tag, with its quotes.
    pub etag: &'a str,
    /// When its bytes last changed; absent for what may change twice in a second, which dates cannot tell apart.
    pub last_modified: Option<DateTime<Utc>>,
    /// In bytes.
    pub length: u64,
}

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 200 with everything.
    Whole,
    /// 206 with the bytes from `first` to `last`, both included.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte.
        last: u64,
    },
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    Unsatisfiable,
}

/// Judges a GET or HEAD, in the order of RFC 9110, section 13.2.2.
#[must_use]
pub fn judge(method: &Method, headers: &HeaderMap, now: &Representation<'_>) -> Verdict {
    match (tags(headers, &header::IF_MATCH), date(headers, &header::IF_UNMODIFIED_SINCE)) {
        (Some(tags), _) if !tags.name_strongly(now.etag) => return Verdict::PreconditionFailed,
        (None, Some(limit)) if now.last_modified.is_some_and(|moment| seconds(moment) > limit) => {
            return Verdict::PreconditionFailed;
        }
        _ => {}
    }
    match (tags(headers, &header::IF_NONE_MATCH), date(headers, &header::IF_MODIFIED_SINCE)) {
        (Some(tags), _) if tags.name_weakly(now.etag) => return Verdict::NotModified,
        (None, Some(since)) if now.last_modified.is_some_and(|moment| seconds(moment) <= since) => {
            return Verdict::NotModified;
        }
        _ => {}
    }
    // Range has a meaning for GET only, and If-Range decides whether it still has one.
    if method != Method::GET || !if_range_holds(headers, now) {
        return Verdict::Whole;
    }
    headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .map_or(Verdict::Whole, |range| part(range, now.length))
}

/// Whether `If-Match` allows a change of what has this tag now. Absent allows it.
#[must_use]
pub fn may_change(headers: &HeaderMap, etag: &str) -> bool {
    tags(headers, &header::IF_MATCH).is_none_or(|tags| tags.name_strongly(etag))
}

/// The entity tags of one header.
enum Tags {
    Any,
    /// Each with whether it is weak; the tag has its quotes.
    These(Vec<(bool, String)>),
}

impl Tags {
    fn name_strongly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|(weak, tag)| !weak && tag == etag),
        }
    }

    fn name_weakly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|(_, tag)| tag == etag),
        }
    }
}

/// Reads a list of entity tags; `None` if the header is absent. Reading stops at the first mistake.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let mut found = Vec::new();
    let mut present = false;
    for value in headers.get_all(name) {
        present = true;
        let mut rest = value.to_str().unwrap_or_default().trim();
        if rest == "*" {
            return Some(Tags::Any);
        }
        while !rest.is_empty() {
            let (weak, opened) = rest.strip_prefix("W/").map_or((false, rest), |opened| (true, opened));
            let Some(length) = opened.strip_prefix('"').and_then(|inner| inner.find('"')) else { break };
            let (tag, after) = opened.split_at(length + 2);
            found.push((weak, tag.to_owned()));
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
    }
    present.then_some(Tags::These(found))
}

/// A date header, in seconds since 1970.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let moment = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()?;
    Some(seconds(DateTime::<Utc>::from(moment)))
}

/// HTTP dates have whole seconds.
fn seconds(moment: DateTime<Utc>) -> i64 {
    moment.timestamp()
}

fn if_range_holds(headers: &HeaderMap, now: &Representation<'_>) -> bool {
    if !headers.contains_key(header::IF_RANGE) {
        return true;
    }
    match tags(headers, &header::IF_RANGE) {
        Some(Tags::These(tags)) if !tags.is_empty() => Tags::These(tags).name_strongly(now.etag),
        // A date must be the very one (section 13.1.5): bytes may have changed again within its second otherwise.
        _ => {
            now.last_modified.is_some_and(|moment| date(headers, &header::IF_RANGE) == Some(seconds(moment)))
        }
    }
}

/// Reads a `Range` header for something of a length. What is not a well-formed byte range is passed over.
fn part(range: &str, length: u64) -> Verdict {
    let Some((unit, list)) = range.split_once('=') else { return Verdict::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Verdict::Whole;
    }
    let mut asked = 0;
    let mut satisfied = Vec::new();
    for spec in list.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        let Some((first, last)) = spec.split_once('-') else { return Verdict::Whole };
        asked += 1;
        let span = match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                (first < length).then(|| (first, last.min(length - 1)))
            }
            (Some(first), None) if last.is_empty() => (first < length).then(|| (first, length - 1)),
            (None, Some(count)) if first.is_empty() => {
                (count > 0 && length > 0).then(|| (length.saturating_sub(count), length - 1))
            }
            _ => return Verdict::Whole,
        };
        satisfied.extend(span);
    }
    match (asked, satisfied.as_slice()) {
        (0, _) => Verdict::Whole,
        (_, []) => Verdict::Unsatisfiable,
        (_, [(first, last)]) => Verdict::Part { first: *first, last: *last },
        _ => Verdict::Whole,
    }
}

/// Digits only; a number that is too large to hold stands for the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    const TAG: &str = "\"abc\"";
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn ask(method: &Method, pairs: &[(HeaderName, &str)], length: u64) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let last_modified = DateTime::<Utc>::from(httpdate::parse_http_date(DATE).unwrap())
            + chrono::TimeDelta::milliseconds(400);
        judge(method, &headers, &Representation { etag: TAG, last_modified: Some(last_modified), length })
    }

    #[test]
    fn ranges() {
        let whole = Verdict::Whole;
        let none = Verdict::Unsatisfiable;
        let part = |first, last| Verdict::Part { first, last };
        for (range, verdict) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=0-", part(0, 9)),
            ("bytes=3-5", part(3, 5)),
            ("Bytes = 3-5", part(3, 5)),
            ("bytes=3-500", part(3, 9)),
            ("bytes=9-99999999999999999999999", part(9, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=-0", none),
            ("bytes=10-", none),
            ("bytes=99999999999999999999999-", none),
            ("bytes=10-11,20-30", none),
            ("bytes=0-1,5-6", whole),
            ("bytes=2-3,50-60", part(2, 3)),
            ("bytes=5-3", whole),
            ("bytes=a-3", whole),
            ("bytes=3-b", whole),
            ("bytes=-", whole),
            ("bytes=", whole),
            ("bytes=--1", whole),
            ("bytes=+1-2", whole),
            ("bytes 0-1", whole),
            ("frames=0-1", whole),
            ("bytes=0-1;2", whole),
        ] {
            assert_eq!(ask(&Method::GET, &[(header::RANGE, range)], 10), verdict, "{range}");
            assert_eq!(ask(&Method::HEAD, &[(header::RANGE, range)], 10), whole, "{range}");
        }
        assert_eq!(ask(&Method::GET, &[(header::RANGE, "bytes=0-")], 0), none);
        assert_eq!(ask(&Method::GET, &[(header::RANGE, "bytes=-5")], 0), none);
    }

    #[test]
    fn conditions() {
        use Verdict::{NotModified, PreconditionFailed, Whole};
        for (name, value, verdict) in [
            (header::IF_NONE_MATCH, "\"abc\"", NotModified),
            (header::IF_NONE_MATCH, "W/\"abc\"", NotModified),
            (header::IF_NONE_MATCH, "\"x\", \"a,b\" ,W/\"abc\"", NotModified),
            (header::IF_NONE_MATCH, "*", NotModified),
            (header::IF_NONE_MATCH, "\"x\"", Whole),
            (header::IF_NONE_MATCH, "abc", Whole),
            (header::IF_MODIFIED_SINCE, DATE, NotModified),
            (header::IF_MODIFIED_SINCE, LATER, NotModified),
            (header::IF_MODIFIED_SINCE, EARLIER, Whole),
            (header::IF_MODIFIED_SINCE, "yesterday", Whole),
            (header::IF_MATCH, "\"abc\"", Whole),
            (header::IF_MATCH, "*", Whole),
            (header::IF_MATCH, "W/\"abc\"", PreconditionFailed),
            (header::IF_MATCH, "\"x\"", PreconditionFailed),
            (header::IF_MATCH, "abc", PreconditionFailed),
            (header::IF_UNMODIFIED_SINCE, DATE, Whole),
            (header::IF_UNMODIFIED_SINCE, EARLIER, PreconditionFailed),
        ] {
            assert_eq!(ask(&Method::GET, &[(name.clone(), value)], 10), verdict, "{name}: {value}");
            assert_eq!(ask(&Method::HEAD, &[(name.clone(), value)], 10), verdict, "HEAD {name}: {value}");
        }
        // A tag decides where both are there; a failed precondition comes before a range.
        let both = [(header::IF_NONE_MATCH, "\"x\""), (header::IF_MODIFIED_SINCE, LATER)];
        assert_eq!(ask(&Method::GET, &both, 10), Whole);
        let both = [(header::IF_MATCH, "\"abc\""), (header::IF_UNMODIFIED_SINCE, EARLIER)];
        assert_eq!(ask(&Method::GET, &both, 10), Whole);
        let both = [(header::IF_MATCH, "\"x\""), (header::RANGE, "bytes=0-1")];
        assert_eq!(ask(&Method::GET, &both, 10), PreconditionFailed);
        let both = [(header::IF_NONE_MATCH, "\"abc\""), (header::RANGE, "bytes=90-")];
        assert_eq!(ask(&Method::GET, &both, 10), NotModified);
    }

    #[test]
    fn if_range() {
        let part = Verdict::Part { first: 1, last: 2 };
        for (value, verdict) in [
            ("\"abc\"", part),
            (DATE, part),
            ("W/\"abc\"", Verdict::Whole),
            ("\"x\"", Verdict::Whole),
            (EARLIER, Verdict::Whole),
            (LATER, Verdict::Whole),
            ("rubbish", Verdict::Whole),
        ] {
            let headers = [(header::IF_RANGE, value), (header::RANGE, "bytes=1-2")];
            assert_eq!(ask(&Method::GET, &headers, 10), verdict, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(range in "bytes=[0-9]{0,21}-[0-9]{0,21}(,[0-9]{0,3}-[0-9]{0,3})?", length in 0_u64..2000) {
            if let Verdict::Part { first, last } = ask(&Method::GET, &[(header::RANGE, &range)], length) {
                prop_assert!(first <= last && last < length);
            }
        }

        #[test]
        fn nothing_is_unreadable(text in "[ -~]{0,60}") {
            for name in [header::RANGE, header::IF_MATCH, header::IF_NONE_MATCH, header::IF_RANGE] {
                let headers = [(name, text.as_str()), (header::RANGE, "bytes=0-1")];
                let _ = ask(&Method::GET, &headers, 10);
            }
        }

        #[test]
        fn a_single_range_is_what_it_says(first in 0_u64..100, size in 0_u64..100, length in 1_u64..100) {
            let verdict = ask(&Method::GET, &[(header::RANGE, &format!("bytes={first}-{}", first + size))], length);
            let expected = if first < length {
                Verdict::Part { first, last: (first + size).min(length - 1) }
            } else {
                Verdict::Unsatisfiable
            };
            prop_assert_eq!(verdict, expected);
        }
    }
}
