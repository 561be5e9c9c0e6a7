//! From the id of a video to where it is. Pure.
//!
//! The operator of a source says in a template where its videos are; a row only says which one. So what a row says can neither choose
//! another host nor leave the template's directory.

use contracts::{import::VideoTemplate, spec::Source};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::template;

/// What stands in an address as it is (RFC 3986, "unreserved").
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the video with an id is, decoded like a highlight's own source.
///
/// # Errors
/// Why the id names no video, for the report of skipped rows.
pub fn of(template: &VideoTemplate, id: &str) -> Result<Source, String> {
    let id = id.trim();
    if id.is_empty() {
        return Err("its video's id is empty".to_owned());
    }
    let filled = |text: &str, id: String| template::fill(text, &[("id", id)]);
    let said = match template {
        // Dots cannot be encoded, and a part of an address that is nothing else leads out of its directory.
        VideoTemplate::Url(_) if id.bytes().all(|byte| byte == b'.') => {
            return Err("its video's id is no name of a file".to_owned());
        }
        VideoTemplate::Url(text) => {
            json!({ "url": filled(text, utf8_percent_encode(id, PLAIN).to_string()) })
        }
        VideoTemplate::Path(text) => json!({ "path": filled(text, id.to_owned()) }),
    };
    decoded(&said).map_err(|details| format!("its video's id cannot be used: {details}"))
}

/// A place by the rules of a highlight's own source.
///
/// # Errors
/// All that is wrong with it, on one line.
pub(crate) fn decoded(said: &Value) -> Result<Source, String> {
    Source::decode(said).map_err(|errors| {
        let details: Vec<String> = errors.into_iter().map(|error| error.detail).collect();
        details.join("; ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_in_an_address_and_changes_nothing_else_of_it() {
        let template = VideoTemplate::Url("https://media.example/vods/{id}.mp4?part={id}".to_owned());
        let url = |id: &str| match of(&template, id) {
            Ok(Source::Url(url)) => url,
            other => panic!("{other:?}"),
        };
        assert_eq!(url(" v1-a_b~c "), "https://media.example/vods/v1-a_b~c.mp4?part=v1-a_b~c");
        assert_eq!(
            url("../a b?c#d&日"),
            "https://media.example/vods/..%2Fa%20b%3Fc%23d%26%E6%97%A5.mp4?part=..%2Fa%20b%3Fc%23d%26%E6%97%A5"
        );
        assert_eq!(url("{id}"), "https://media.example/vods/%7Bid%7D.mp4?part=%7Bid%7D");
        for bad in ["", "  ", ".", ".."] {
            assert!(of(&template, bad).is_err(), "{bad:?}");
        }
        let long = "x".repeat(4096);
        assert!(of(&template, &long).unwrap_err().contains("4096"), "too long");
    }

    #[test]
    fn an_id_stays_within_the_directory_of_its_template() {
        let template = VideoTemplate::Path("library:vods/{id}.mkv".to_owned());
        assert_eq!(
            of(&template, "2026/hana").unwrap(),
            Source::Path("library:vods/2026/hana.mkv".to_owned())
        );
        for bad in ["../secret", "a/../../b", "/etc/passwd", "a//b", "a\u{0}b", ""] {
            assert!(of(&template, bad).is_err(), "{bad:?}");
        }
        let whole = VideoTemplate::Path("library:{id}".to_owned());
        for bad in ["..", ".", "/etc/passwd", "a/"] {
            assert!(of(&whole, bad).is_err(), "{bad:?}");
        }
    }
}
