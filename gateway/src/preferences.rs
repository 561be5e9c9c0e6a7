//! What a client says it likes: codings (`Accept-Encoding`), media types (`Accept`), and what it has already (`If-None-Match`).
//! Pure. What cannot be read counts as not said.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// How a copy of a file is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Brotli
    Brotli,
    /// gzip
    Gzip,
    /// Not at all.
    Identity,
}

impl Coding {
    /// All codings, the one that saves most first: what is liked equally is decided by it.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// The value of `Content-Encoding`; `None` where there is no coding.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What is put behind the name of a file for its copy in this coding.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Brotli => name == "br",
            // RFC 9110, section 8.4.1.3
            Self::Gzip => name == "gzip" || name == "x-gzip",
            Self::Identity => name == "identity",
        }
    }
}

/// The coding to send out of those that are there (RFC 9110, section 12.5.3). What is plain is sent where nothing that is there
/// is wanted: better than an error, and a client that says nothing gets it too.
#[must_use]
pub fn coding(request: &HeaderMap, there: &[Coding]) -> Coding {
    let wanted = weighted(request, &header::ACCEPT_ENCODING);
    let weight = |coding: Coding| {
        let named = wanted.iter().find(|(name, _)| coding.is_called(name));
        match named.or_else(|| wanted.iter().find(|(name, _)| name == "*")) {
            Some((_, weight)) => *weight,
            // Always taken, and liked less than whatever is named.
            None if coding == Coding::Identity => f32::MIN_POSITIVE,
            None => 0.0,
        }
    };
    let mut best = (Coding::Identity, 0.0);
    for coding in Coding::ALL.into_iter().filter(|coding| there.contains(coding)) {
        if weight(coding) > best.1 {
            best = (coding, weight(coding));
        }
    }
    best.0
}

/// Whether a page is wanted rather than data: browsers name `text/html` when a person goes somewhere; scripts and programs
/// that take anything do not.
#[must_use]
pub fn wants_html(request: &HeaderMap) -> bool {
    let wanted = weighted(request, &header::ACCEPT);
    let weight = |kind: &str| wanted.iter().find(|(name, _)| name == kind).map_or(0.0, |(_, weight)| *weight);
    let html = weight("text/html");
    html > 0.0 && html >= weight("application/json") && html >= weight("application/problem+json")
}

/// Whether the client has the version with this validator (RFC 9110, section 13.1.2).
#[must_use]
pub fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(etag) = etag.to_str().map(plain) else { return false };
    listed(request, &header::IF_NONE_MATCH).any(|tag| tag == "*" || plain(tag) == etag)
}

/// The parts of a header that is a list.
fn listed<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|text| text.split(',')).map(str::trim).filter(|part| !part.is_empty())
}

/// The parts of a list with their weights, from 0 to 1.
fn weighted(request: &HeaderMap, name: &HeaderName) -> Vec<(String, f32)> {
    listed(request, name)
        .filter_map(|part| {
            let mut parameters = part.split(';').map(str::trim);
            let name = parameters.next()?.to_ascii_lowercase();
            let weight = parameters
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(name, _)| name.trim_end().eq_ignore_ascii_case("q"))
                .map_or(Some(1.0), |(_, text)| text.trim().parse().ok());
            weight.filter(|weight| (0.0..=1.0).contains(weight)).map(|weight| (name, weight))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_best_liked_coding_is_sent_and_what_is_liked_equally_by_what_it_saves() {
        use Coding::{Brotli, Gzip, Identity};
        for (accepts, chosen) in [
            ("", Identity),
            ("br", Brotli),
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("X-GZIP", Gzip),
            ("deflate, zstd", Identity),
            ("br;q=0.5, gzip;q=0.8", Gzip),
            ("br;q=0.8, gzip;q=0.8", Brotli),
            ("br;q=0, gzip;q=0.001", Gzip),
            ("gzip;q=0.5, identity", Identity),
            ("gzip ; Q=0.5 , identity;q=0.4", Gzip),
            ("*", Brotli),
            ("br;q=0, *", Gzip),
            ("*;q=0", Identity),
            ("identity;q=0, deflate", Identity),
            ("identity;q=0, gzip;q=0.1", Gzip),
            // What cannot be read counts as not said.
            ("br;q=much, gzip;q=0.1", Gzip),
            ("br;q=7", Identity),
            ("br;q=-1, br;q=NaN", Identity),
        ] {
            assert_eq!(coding(&said(header::ACCEPT_ENCODING, accepts), &Coding::ALL), chosen, "{accepts}");
        }
        assert_eq!(coding(&HeaderMap::new(), &Coding::ALL), Identity);
        assert_eq!(coding(&said(header::ACCEPT_ENCODING, "br, gzip"), &[Identity]), Identity);
        assert_eq!(coding(&said(header::ACCEPT_ENCODING, "br, gzip"), &[Identity, Gzip]), Gzip);
        let mut twice = said(header::ACCEPT_ENCODING, "gzip;q=0.5");
        twice.append(header::ACCEPT_ENCODING, "br;q=0.4".parse().unwrap());
        assert_eq!(coding(&twice, &Coding::ALL), Gzip);
    }

    #[test]
    fn people_want_pages_and_programs_want_data() {
        for (accepts, is_page) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true),
            ("text/html", true),
            ("text/html;q=0.5, application/json;q=0.5", true),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0.9, application/problem+json", false),
            ("text/html;q=0", false),
            ("application/json, */*", false),
            ("*/*", false),
            ("text/css,*/*;q=0.1", false),
            ("", false),
        ] {
            assert_eq!(wants_html(&said(header::ACCEPT, accepts)), is_page, "{accepts}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }

    #[test]
    fn a_validator_is_known_in_any_form_in_which_caches_send_it() {
        let etag = HeaderValue::from_static("\"a\"");
        for (says, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(is_known(&said(header::IF_NONE_MATCH, says), &etag), known, "{says}");
        }
        assert!(!is_known(&HeaderMap::new(), &etag));
    }
}
