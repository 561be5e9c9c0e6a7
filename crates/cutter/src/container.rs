//! Which container a source is, from its first bytes, before any parser of libav sees it.
//!
//! Only what is recognised here is opened, and only with the reader that belongs to it. Playlists and lists of files
//! are refused by name, since opening them would mean to open what they point to.

use crate::error::ProblemKind;

/// The first bytes that are looked at.
pub(crate) const SNIFF_BYTES: usize = 4096;

/// A container that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// MP4, MOV and their relatives.
    Mp4,
    /// Matroska and WebM.
    Matroska,
    /// MPEG transport stream.
    MpegTs,
    /// MPEG program stream.
    MpegPs,
}

impl Container {
    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Matroska => "matroska",
            Self::MpegTs => "mpegts",
            Self::MpegPs => "mpegps",
        }
    }

    /// libav's short name of its reader.
    pub(crate) fn demuxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mov",
            Self::Matroska => "matroska",
            Self::MpegTs => "mpegts",
            Self::MpegPs => "mpeg",
        }
    }
}

/// Recognises a container from a source's first bytes.
///
/// # Errors
/// [`ProblemKind::UnsupportedContainer`] that says what the bytes look like.
pub(crate) fn sniff(head: &[u8]) -> Result<Container, ProblemKind> {
    if let Some(container) = accepted(head) {
        return Ok(container);
    }
    Err(ProblemKind::UnsupportedContainer { found: looks_like(head).to_owned() })
}

fn accepted(head: &[u8]) -> Option<Container> {
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return Some(Container::Matroska);
    }
    if head.starts_with(&[0, 0, 1, 0xba]) {
        return Some(Container::MpegPs);
    }
    if let Some(kind) = head.get(4..8) {
        let boxes: [&[u8]; 9] =
            [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof"];
        if boxes.contains(&kind) && !is_still_picture(head) {
            return Some(Container::Mp4);
        }
    }
    // A sync byte every 188 bytes, or every 192 with a time in front of each packet (as Blu-ray has it).
    let synced = |first: usize, step: usize| {
        let places = (first..head.len()).step_by(step).take(5);
        places.clone().count() >= 2 && places.clone().all(|place| head.get(place) == Some(&0x47))
    };
    (synced(0, 188) || synced(4, 192)).then_some(Container::MpegTs)
}

/// HEIF and AVIF pictures are MP4 boxes too, but nothing that moves.
fn is_still_picture(head: &[u8]) -> bool {
    let stills: [&[u8]; 5] = [b"heic", b"heix", b"mif1", b"avif", b"msf1"];
    head.get(4..8) == Some(b"ftyp") && head.get(8..12).is_some_and(|brand| stills.contains(&brand))
}

fn looks_like(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let known: [(bool, &str); 14] = [
        (head.is_empty(), "empty"),
        (text.starts_with("#EXTM3U"), "an HLS playlist"),
        (text.starts_with("ffconcat"), "a list of files"),
        (text.starts_with("#EXT") || text.starts_with("[playlist]"), "a playlist"),
        (text.contains("<MPD"), "a DASH playlist"),
        (text.starts_with("<!") || text.starts_with("<html"), "a web page"),
        (text.starts_with('{') || text.starts_with('['), "JSON text"),
        (
            head.starts_with(b"\x89PNG") || head.starts_with(&[0xff, 0xd8, 0xff]) || is_still_picture(head),
            "a picture",
        ),
        (head.starts_with(b"GIF8") || head.starts_with(b"BM"), "a picture"),
        (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI "), "an AVI file"),
        (head.starts_with(b"RIFF"), "a RIFF file"),
        (head.starts_with(b"fLaC") || head.starts_with(b"ID3") || head.starts_with(b"OggS"), "an audio file"),
        (head.starts_with(b"FLV"), "a Flash video"),
        (head.starts_with(b"PK") || head.starts_with(&[0x1f, 0x8b]), "an archive"),
    ];
    known.iter().find(|(matches, _)| *matches).map_or("of no known kind", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_read_and_what_is_not() {
        assert_eq!(sniff(b"\0\0\0\x20ftypisom").unwrap(), Container::Mp4);
        assert_eq!(sniff(b"\x1a\x45\xdf\xa3....").unwrap(), Container::Matroska);
        let mut ts = vec![0; 600];
        for place in [0, 188, 376, 564] {
            ts[place] = 0x47;
        }
        assert_eq!(sniff(&ts).unwrap(), Container::MpegTs);
        assert!(sniff(&ts[..100]).is_err(), "one sync byte is no transport stream");
        for (bytes, word) in [
            (b"#EXTM3U\n#EXT-X-VERSION:3".as_slice(), "HLS"),
            (b"\xef\xbb\xbf#EXTM3U", "HLS"),
            (b"ffconcat version 1.0\nfile /etc/passwd", "list of files"),
            (b"\x89PNG\r\n\x1a\n", "picture"),
            (b"\0\0\0\x20ftypavif", "picture"),
            (b"", "empty"),
            (b"GARBAGE", "no known kind"),
        ] {
            let Err(ProblemKind::UnsupportedContainer { found }) = sniff(bytes) else { panic!("{word}") };
            assert!(found.contains(word), "{found}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(head in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = sniff(&head);
        }
    }
}
