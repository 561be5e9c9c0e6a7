//! A document's bytes as text, the way all formats read it. Pure.

use std::borrow::Cow;

use crate::source::SourceError;

/// The bytes without the mark that some programs put first.
///
/// # Errors
/// For UTF-16, which no format is read in.
pub fn plain(bytes: &[u8]) -> Result<&[u8], SourceError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(SourceError::Refused(
            "the list is written in UTF-16, at line 1: save it as UTF-8".to_owned(),
        ));
    }
    Ok(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
}

/// What stands for bytes that are not UTF-8, in [`lines`].
pub const BROKEN: char = '\u{FFFD}';

/// Why a row cannot be used that holds [`BROKEN`].
pub const NOT_UTF8: &str = "it is not written in UTF-8: save the list as UTF-8";

/// The lines with their numbers from 1, whichever way they end.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // A carriage return alone ends lines where nothing else does.
    let sign = if text.contains('\n') { '\n' } else { '\r' };
    text.split(sign).map(str::trim).enumerate().map(|(index, line)| (index + 1, line))
}

/// The bytes as text.
///
/// # Errors
/// As [`plain`].
pub fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, SourceError> {
    Ok(String::from_utf8_lossy(plain(bytes)?))
}

/// A name on one line, without what is left of a line break.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
