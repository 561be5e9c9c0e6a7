//! File names for downloads: what people called a thing, made safe for a header and for any file system.
//!
//! Promises: the header value holds visible ASCII only, so that no title can end the header or add another; the name has
//! no path separator, no control or direction-changing character and no leading dot, and is not empty.

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that `filename*` may hold as they are (RFC 8187, `attr-char`), less those that some readers trip over.
const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Longest name without its extension, in characters.
const LONGEST: usize = 100;

/// A text as one line: whatever separates words or lines becomes a single space.
#[must_use]
pub fn one_line(text: &str) -> String {
    let words = text.split(|sign: char| sign.is_whitespace() || sign.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A file name from a title.
#[must_use]
pub fn file_name(title: &str, extension: &str) -> String {
    let clean: String = title
        .chars()
        .map(|sign| if is_unsafe(sign) { ' ' } else { sign })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_start_matches(['.', ' '])
        .chars()
        .take(LONGEST)
        .collect();
    // Windows drops dots and spaces at the end of a name.
    let stem = clean.trim_end_matches(['.', ' ']);
    format!("{}.{extension}", if stem.is_empty() { "montage" } else { stem })
}

fn is_unsafe(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `Content-Disposition` of a download (RFC 6266), with an ASCII name for old readers beside the true one.
#[must_use]
pub fn attachment(name: &str) -> HeaderValue {
    let ascii: String = name
        .chars()
        .map(|sign| {
            if sign.is_ascii_graphic() && !matches!(sign, '"' | '\\' | '%') || sign == ' ' {
                sign
            } else {
                '_'
            }
        })
        .collect();
    let text =
        format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, SAFE));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_become_names() {
        for (title, name) in [
            ("Best of the week", "Best of the week.mp4"),
            ("../../etc/passwd", "etc passwd.mp4"),
            ("a\r\nSet-Cookie: x=1", "a Set-Cookie x=1.mp4"),
            ("  ...  ", "montage.mp4"),
            ("", "montage.mp4"),
            ("evil\u{202e}4pm.exe", "evil 4pm.exe.mp4"),
            ("ends. .", "ends.mp4"),
            ("花火 – été", "花火 – été.mp4"),
        ] {
            assert_eq!(file_name(title, "mp4"), name);
        }
    }

    #[test]
    fn the_header_is_readable_by_old_and_new() {
        assert_eq!(
            attachment("\"été\".mp4").to_str().unwrap(),
            "attachment; filename=\"__t__.mp4\"; filename*=UTF-8''%22%C3%A9t%C3%A9%22.mp4"
        );
    }

    proptest! {
        #[test]
        fn any_title_is_safe(title in "\\PC*|[\\x00-\\x7f]*") {
            let name = file_name(&title, "mp4");
            prop_assert!(name.len() > 4 && !name.starts_with('.') && !name.contains(['/', '\\', '\r', '\n', '\0']));
            let header = attachment(&name);
            prop_assert!(header.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte)));
            prop_assert_eq!(header.to_str().unwrap().matches('"').count(), 2);
        }
    }
}
